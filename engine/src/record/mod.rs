//! The records of a run: numbers, images, histograms, texts, figures and tables, each with a name and a moment, and
//! the sinks that receive them.
//!
//! Promised: logging a number reads nothing from the device, and all numbers that were logged since the last row of
//! their loop are read together, with one read for each device. An image or a histogram is read once, when it is
//! logged, and not at all when no sink accepts it. A sink that is not required never ends a run.
//!
//! Never: this folder does not decide when a row is written or which numbers it has; hooks do that. Where rows and
//! values are written is decided by the sinks in [`sinks`](crate::sinks).

mod error;
mod event;
mod histogram;
mod image;
mod joined;
mod place;
mod record;
mod row;
mod sink;
mod sinks;
mod table;
mod timing;
mod value;
mod window;

pub use error::RecordError;
pub use event::Event;
pub use histogram::{Bucket, Histogram};
pub use image::Image;
pub use joined::{Logged, joined};
pub use place::{Moment, RowPhase};
pub use record::Record;
pub(crate) use row::RESERVED;
pub use row::Row;
pub(crate) use row::check_name;
pub use sink::{AnySink, Outcome, Progress, RunInfo, Sink, SinkComponent, SinkConfig, build_sink};
pub use sinks::{SinkPlace, Sinks};
pub use table::{Cell, Table};
pub use timing::{Timed, Timing};
pub use value::{Figure, Value, ValueKind};
