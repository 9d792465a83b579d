//! What a type accepts, found by letting it read: the types that `list` prints, and the values that `new` makes up.
//!
//! A [`Shape`] is found without a value. The type is asked to read again and again, each time from a deserializer that
//! follows one field path, records the type requested there, and ends the reading. So neither a validator nor a field
//! without a placeholder hides what comes after it.

mod kinds;
mod probe;
mod read;

pub use kinds::Shape;
pub use probe::{Probe, Reading, Stop};
