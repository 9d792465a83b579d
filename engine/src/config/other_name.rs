//! Names in files that are not those of types.

/// The name that `engine::register!(hook Worst<f64>, name = "…")` gives to a component.
#[derive(Debug)]
pub struct OtherName(pub &'static str);

inventory::collect!(OtherName);

impl OtherName {
    /// Whether a component was given this name.
    pub(super) fn is_one(name: &str) -> bool {
        inventory::iter::<OtherName>.into_iter().any(|other| other.0 == name)
    }
}
