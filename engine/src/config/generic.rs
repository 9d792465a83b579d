//! Generic components, and the types that a program makes of them.

use super::registry::FieldInfo;

/// A generic component, `Worst<T>`: what [`register!`](crate::register) makes an entry of `list` of.
///
/// ```
/// use engine::prelude::*;
///
/// /// Says how large a setting of any type is.
/// #[component]
/// pub struct LimitsConfig<N> {
///     /// The lower end.
///     pub low: N,
///     /// The upper end.
///     pub high: N,
/// }
///
/// engine::register!(settings LimitsConfig<f64>);
/// engine::register!(settings LimitsConfig<u64>, name = "WholeLimits");
///
/// # fn main() -> Result<()> {
/// let read: LimitsConfig<u64> = engine::config::parse_text("example", "(low: 1, high: 8)")?.read()?;
/// assert_eq!((read.low, read.high), (1, 8));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a generic component",
    label = "nothing to register",
    note = "this is for a struct with type parameters under `#[hook]` or `#[component]`; any other component is registered by its attribute"
)]
pub trait Generic {
    /// The word of its kind.
    const KIND: &'static str;
    /// The documentation of the type.
    const DOCS: &'static str;
    /// Its configured fields.
    const FIELDS: &'static [FieldInfo];
    /// Whether nothing is wrong with the type; a mistake is an error when this is computed.
    const CHECKED: () = ();
}

/// The settings of a type that `engine::register!` was called for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are the settings of a generic component that is not registered",
    label = "not registered",
    note = "register the type that you made of it: `engine::register!(hook Worst<f32>);`"
)]
pub trait Registered {
    /// The name in experiment files.
    const NAME: &'static str;
}
