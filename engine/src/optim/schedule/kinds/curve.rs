//! How a value gets from one number to another.

use engine_macros::component;

/// The line along which a factor changes.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Curve {
    /// Half a cosine: slow at both ends.
    Cosine,
    /// A straight line.
    Linear,
    /// Along `1 - sqrt(x)`: fast at first, slow at the end (Hägele et al., 2024).
    SquareRoot,
}

impl Curve {
    /// The value between `from` and `to` when this part of the way is done, 0 to 1.
    pub(super) fn between(self, from: f64, to: f64, fraction: f64) -> f64 {
        let left = match self {
            Curve::Cosine => (1.0 + (std::f64::consts::PI * fraction).cos()) / 2.0,
            Curve::Linear => 1.0 - fraction,
            Curve::SquareRoot => 1.0 - fraction.sqrt(),
        };
        to + (from - to) * left
    }
}
