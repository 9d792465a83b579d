//! The lowest floor, used by all other folders: errors, suggestions, units, priorities, state, and the typed result of
//! a step.
//!
//! Nothing here depends on a trainer, a hook or a file format, and nothing here imports another folder.

pub mod checked;
pub mod disk;
pub mod error;
pub mod joint;
pub mod libtorch;
mod lines;
pub mod output;
pub mod panics;
pub mod pattern;
pub(crate) mod plain;
pub mod priority;
pub mod scalar;
pub mod signals;
pub mod spans;
pub mod state;
pub mod suggest;
pub(crate) mod temporary;
pub mod units;
pub mod waiting;
mod watched;
pub(crate) mod words;

pub use checked::ConfigValue;
pub use error::{Error, ErrorContext, Result};
pub use output::{Output, Prediction};
pub use priority::Priority;
pub use scalar::{Flag, Scalar};
pub use state::{Adjustable, Saved, State, StateError, StateMap, StateValue};
pub use units::{Batch, Clock, Epoch, Iter};
pub use watched::{Better, MetricName};
