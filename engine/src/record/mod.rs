//! What is recorded of a run: numbers, images, histograms, texts, figures and tables under names, each with its moment,
//! and the sinks that they go to.
//!
//! What it promises: logging a number reads nothing from the device, and all numbers that were logged since the last row
//! of their loop are fetched together, in one read for each device. An image or a histogram is read when it is logged,
//! once, and not at all when no sink takes it. A sink that need not be there never ends a run.
//!
//! What it never does: decide when a row is due, or which numbers are in it. That is the business of hooks. Where rows
//! and values end up is that of the sinks in [`sinks`](crate::sinks).

mod error;
mod event;
mod histogram;
mod image;
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
