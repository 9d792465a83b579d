//! Errors of models and their weights.

/// Why weights could not be loaded, swapped or frozen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model has this name.
    #[error("no model is named `{name}`{meant}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The most similar name, or all existing names.
        meant: String,
    },
    /// Names that only the model or only the given weights have.
    #[error("the weights do not fit the model `{model}`: {what}; was the checkpoint written with other settings?")]
    Names {
        /// The model.
        model: String,
        /// The missing and the surplus names.
        what: String,
    },
    /// A variable with another shape.
    #[error(
        "`{model}.{variable}` has shape {expected:?}, the given weights have {found:?}; was the checkpoint written with other settings?"
    )]
    Shape {
        /// The model.
        model: String,
        /// The variable.
        variable: String,
        /// The model's shape.
        expected: Vec<i64>,
        /// The given shape.
        found: Vec<i64>,
    },
    /// A variable with another kind.
    #[error(
        "`{model}.{variable}` is of kind {expected:?}, the given weights are of kind {found:?}; was the checkpoint written with other settings?"
    )]
    Kind {
        /// The model.
        model: String,
        /// The variable.
        variable: String,
        /// The model's kind.
        expected: tch::Kind,
        /// The given kind.
        found: tch::Kind,
    },
    /// A variable that repeats one value, and weights that don't.
    #[error(
        "`{model}.{variable}` repeats one value along a dimension (it was made by `expand`), the given weights have several there"
    )]
    Repeats {
        /// The model.
        model: String,
        /// The variable.
        variable: String,
    },
    /// A parameter that repeats one value.
    #[error(
        "the parameter `{variable}` of the model `{model}` repeats one value along a dimension (it was made by `expand`), and an update would change that value several times; make it `contiguous()`"
    )]
    RepeatedParameter {
        /// The model.
        model: String,
        /// The parameter.
        variable: String,
    },
    /// A hook has left its weights in a model.
    #[error(
        "`{by}` put its weights into the model `{model}` for a validation and did not restore the trained ones; call `swap_out` in `after_val`"
    )]
    LeftIn {
        /// The model.
        model: String,
        /// The name of the hook.
        by: String,
    },
    /// A pattern that matches no parameter.
    #[error("the pattern `{pattern}` matches no parameter{hint}")]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// A name that may have been meant.
        hint: String,
    },
    /// A parameter that can't have the initial values that an experiment names.
    #[error("`{parameter}` can't be initialized by this rule: {why}")]
    Start {
        /// The parameter.
        parameter: String,
        /// Why.
        why: String,
    },
    /// Two parameters that are not the same tensor share memory.
    #[error(
        "`{first}` and `{second}` of the model `{model}` share their memory, and each has a gradient of its own; to tie them, add `shallow_clone()` of one to the `VarStore` under the other's name"
    )]
    Overlap {
        /// The model.
        model: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// libtorch failed.
    #[error("libtorch failed on the weights of `{model}`")]
    Torch {
        /// The model.
        model: String,
        /// What libtorch said.
        #[source]
        source: tch::TchError,
    },
    /// libtorch failed on a gradient.
    #[error("libtorch failed on the gradients of `{model}`")]
    Native {
        /// The model.
        model: String,
        /// What libtorch said.
        #[source]
        source: crate::native::NativeError,
    },
}
