//! The schedules that a file can choose, one per file.

mod constant;
mod cosine;
mod cosine_restarts;
mod curve;
mod cyclic;
mod exponential;
mod floor;
mod inverse_sqrt;
mod linear;
mod momentum;
mod multi_step;
mod noam;
mod one_cycle;
mod plateau;
mod poly;
mod step;
mod warm_up_stable_decay;

pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use curve::Curve;
pub use cyclic::{Cyclic, Height};
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use noam::Noam;
pub use one_cycle::OneCycle;
pub use plateau::{Course, Plateau, ThresholdMode};
pub use poly::Poly;
pub use step::Step;
pub use warm_up_stable_decay::WarmUpStableDecay;
