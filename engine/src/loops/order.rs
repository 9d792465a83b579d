//! Checks that the position of a checkpoint means the same in the resumed program: the seed, and the order of the
//! samples.

use crate::base::{Error, Result, Saved, StateError, StateMap, StateValue};
use crate::data::{CommonOrder, Cursor};

/// Where a loader stands, and in which order that is a place.
pub(super) struct LoaderState {
    pub(super) cursor: Cursor,
    pub(super) order: Option<CommonOrder>,
}

impl Saved for LoaderState {
    fn save(&self) -> StateValue {
        let mut map = StateMap::new();
        map.put("cursor", &self.cursor);
        map.put("order", &self.order);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let mut map = StateMap::restore(value)?;
        Ok(LoaderState { cursor: map.take("cursor")?, order: map.take("order")? })
    }
}

/// Refuses another seed: every draw of the run depends on it.
pub(super) fn check_seed(was: u64, now: u64) -> Result<()> {
    match was == now {
        true => Ok(()),
        false => Err(Error::msg(format!(
            "the seed is {now}, it was {was} when the run began, and all random numbers of the run follow from it; set `seed: {was}`, or begin a new run with `--fresh`"
        ))),
    }
}

/// Refuses another order of the samples where the checkpoint stands in the middle of a pass: some of its samples would come
/// twice and others not at all. Between two passes it is a text to be told.
pub(super) fn check_order(place: &LoaderState, now: Option<&CommonOrder>) -> Result<Option<String>> {
    let (Some(was), Some(now)) = (&place.order, now) else { return Ok(None) };
    let changes = now.changes_since(was).join("; ");
    let (loader, Cursor { pass, sample }) = (&now.loader, place.cursor);
    match (changes.is_empty(), sample) {
        (true, _) => Ok(None),
        (false, 0) => {
            Ok(Some(format!("the loader `{loader}` gives its samples in another order from pass {pass} on: {changes}")))
        }
        (false, _) => Err(Error::msg(format!(
            "the loader `{loader}` would give its samples in another order: {changes}; the checkpoint stands at sample {sample} of {} in pass {pass}, so that some samples of the pass would come twice and others never; undo the change until the pass is over, or begin a new run with `--fresh`",
            was.samples
        ))),
    }
}
