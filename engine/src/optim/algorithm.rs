//! How an optimizer computes an update, apart from which parameters it has and what their settings are.

use crate::native::{NativeError, TensorList};
use crate::optim::settings::Settings;
use std::fmt::Debug;

/// The computation of one update. All of its memory lies in the state lists it is lent, so that it can be saved.
pub trait Algorithm: Debug + Send {
    /// The state it keeps for each parameter, in the order in which it wants it lent.
    fn slots(&self) -> &'static [Slot];

    /// Updates the parameters in place. All of them lie on one device and have one kind; `state` has a list
    /// per slot, as long as `parameters`, whose entries are undefined until they are made.
    ///
    /// # Errors
    /// Those of libtorch. A parameter without a gradient is no error: it is passed over, its state untouched.
    fn step(&self, parameters: &TensorList, state: &mut [TensorList], settings: &Settings) -> Result<(), NativeError>;
}

/// One sort of state that is kept for each parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name in checkpoints.
    pub name: &'static str,
    /// Its shape and kind.
    pub shape: SlotShape,
}

/// The shape and kind of a [`Slot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotShape {
    /// Those of the parameter.
    LikeParameter,
    /// A 0-d float: a count that stays on the device.
    Count,
}

/// A setting that the optimizer's own recipe has named.
pub(super) fn setting(settings: &Settings, name: &str) -> Result<f64, NativeError> {
    settings.get(name).ok_or_else(|| NativeError::argument(settings.unknown(name).to_string()))
}

/// For an algorithm that was lent other lists than its slots name.
pub(super) fn wrong_state() -> NativeError {
    NativeError::argument("the optimizer was lent the state of another one")
}
