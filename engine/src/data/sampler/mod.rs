//! The order of samples: pure functions of (seed, pass).

mod by_length;
mod class_balanced;
mod order;
mod pass;
mod plain;
mod population;
mod sampler;
mod weighted;

pub use by_length::ByLength;
pub use class_balanced::ClassBalanced;
pub use order::Order;
pub use pass::Pass;
pub use plain::{Infinite, Sequential, Shuffled};
pub use population::{Fact, Population};
pub use sampler::{Sampler, SamplerConfig};
pub use weighted::Weighted;
