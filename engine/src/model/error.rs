//! What can be wrong with the weights of a model.

/// Why weights could not be taken, exchanged or frozen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model has this name.
    #[error("no model is named `{name}`{meant}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name, or those that there are.
        meant: String,
    },
    /// Names that only one side has.
    #[error("the weights do not fit the model `{model}`: {what}; was the checkpoint written with other settings?")]
    Names {
        /// The model.
        model: String,
        /// What is missing and what is left over.
        what: String,
    },
    /// A variable of another shape.
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
    /// A variable of another kind.
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
        /// Whose weights they are.
        by: String,
    },
    /// A pattern for parameters that there are not.
    #[error("the pattern `{pattern}` matches no parameter{hint}")]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// What could be meant.
        hint: String,
    },
    /// A parameter that can't start as an experiment says.
    #[error("`{parameter}` can't be initialized by this rule: {why}")]
    Start {
        /// The parameter.
        parameter: String,
        /// Why.
        why: String,
    },
    /// Two parameters that are not one tensor lie over one memory.
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
