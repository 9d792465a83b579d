//! The position of a loader in its data.

use crate::base::error::Result;
use crate::base::state::{Saved, StateError, StateMap, StateValue};

/// A position in the common order of a loader: the next sample that it gives.
///
/// The common order contains all samples of all passes. It does not depend on the size of a batch, on the number of
/// workers or on how many processes share the work, and neither does a position in it. So a run may be resumed with
/// another `batch_size`, and each sample is still read once in its pass.
///
/// ```
/// use engine::data::Cursor;
/// let halfway = Cursor { pass: 3, sample: 500 };
/// assert!(halfway < Cursor { pass: 4, sample: 0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The pass over the data, from 0.
    pub pass: u64,
    /// How many samples of the pass have been given already.
    pub sample: u64,
}

#[diagnostic::do_not_recommend]
impl Saved for Cursor {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("pass", &self.pass);
        map.put("sample", &self.sample);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(Cursor { pass: map.take("pass")?, sample: map.take("sample")? })
    }
}
