//! Checks that the position of a checkpoint means the same in the resumed program: the seed, and the order of the
//! samples.

use crate::base::{Error, Result, StateError, StateMap, StateValue};
use crate::data::{CommonOrder, Cursor, Source};

/// Where a loader stands, and in which order that is a place.
pub(super) struct LoaderState {
    pub(super) cursor: Cursor,
    pub(super) order: Option<CommonOrder>,
    /// Where in the data the cursor is, of a loader that needs to know.
    pub(super) place: Option<StateValue>,
}

/// The state of a loader, for a checkpoint.
pub(super) fn save_loader(loader: &dyn Source) -> StateMap {
    let mut map = StateMap::new();
    map.put("cursor", &loader.cursor());
    map.put("order", &loader.common_order());
    if let Some(place) = loader.place() {
        map.0.insert("place".to_owned(), place);
    }
    map
}

impl LoaderState {
    /// What [`save_loader`] gave.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn restore(mut map: StateMap) -> Result<Self, StateError> {
        Ok(LoaderState { cursor: map.take("cursor")?, order: map.take("order")?, place: map.0.remove("place") })
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
            "the loader `{loader}` would give its samples in another order: {changes}; the checkpoint stands at sample {sample}{} in pass {pass}, so that some samples of the pass would come twice and others never; undo the change until the pass is over, or begin a new run with `--fresh`",
            // a stream has no number of samples
            if was.samples == u64::MAX { String::new() } else { format!(" of {}", was.samples) }
        ))),
    }
}
