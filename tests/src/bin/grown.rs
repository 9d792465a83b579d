//! The component with two lines more.

engine_tests::growing! {
    /// How the noise grows.
    #[config(default = 2.0, range = 1.0..=4.0)] pub power: f64,
}
