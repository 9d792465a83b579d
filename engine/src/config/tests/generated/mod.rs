//! Generated values and texts: what holds for all of them.

mod agreement;
mod leniencies;
mod random;
mod round_trips;
mod shapes;
mod writer;

pub(super) use random::Random;
