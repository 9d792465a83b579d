//! Readers of what runs have written into their folders, also while they go on writing.
//!
//! Promised: nothing is written and nothing is locked, so a training never notices its readers. A file is read from where the
//! last reading ended. A file that was cut, as by a resume, is read again from its begin, so no step is there twice. A torn
//! last line waits for its end. Links within a run's folder are not followed, and pipes, devices and sockets are not opened:
//! a folder from elsewhere can't make a reader show other files, or wait. Nothing here needs libtorch.

mod alive;
mod checkpoints;
#[cfg(feature = "tensorboard")]
mod events;
mod find;
mod line;
mod log;
mod picture;
mod place;
mod plan;
mod rows;
mod rows_reader;
mod run;
mod series;
mod settings;
mod shape;
mod summary;
mod sweep;
mod tail;

pub use alive::Locks;
pub use checkpoints::{SavedState, checkpoints};
#[cfg(feature = "tensorboard")]
pub use events::{MediaReader, Medium};
pub use find::{find_runs, is_run};
pub use log::{LogReader, Session};
pub use picture::{Picture, Point, smoothed};
pub use plan::{Cost, Costs, costs, plan};
pub use rows::Rows;
pub use rows_reader::RowsReader;
pub use run::{RunReader, State};
pub use series::{Axis, Group, Series};
pub use settings::{Setting, differing, settings};
pub use summary::{Measured, Summary, larger_is_better};
pub use sweep::{Sweep, Trial};
