//! How an optimizer computes an update, apart from which parameters it has and what their settings are.

use crate::native::{NativeError, Scaling, TensorList};
use crate::optim::settings::Settings;
use std::fmt::Debug;
use tch::Tensor;

/// The computation of one update. All of its memory lies in the state lists it is lent, so that it can be saved.
pub trait Algorithm: Debug + Send {
    /// The state it keeps for each parameter, in the order in which it wants it lent.
    fn slots(&self) -> &'static [Slot];

    /// Updates the parameters in place. All of them lie on one device and have one kind; `state` has a list
    /// per slot, as long as `parameters`, whose entries are undefined until they are made.
    ///
    /// # Errors
    /// Those of libtorch. A parameter without a gradient is no error: it is passed over, its state untouched.
    fn step(
        &self,
        parameters: &TensorList,
        state: &mut [TensorList],
        inputs: &StepInputs<'_>,
    ) -> Result<(), NativeError>;
}

/// What goes into one update besides parameters, their gradients and the optimizer's state.
///
/// An algorithm has to honour both tensors, where they are given, without reading them: divide each gradient by
/// `grad_scale`, and where `found_inf` is 1 leave parameters and state as they are. libtorch's fused kernels take them
/// as they are.
#[derive(Clone, Copy, Debug)]
pub struct StepInputs<'a> {
    /// The settings of the group.
    pub settings: &'a Settings,
    /// What the gradients are multiplied by, beyond what they should be: one float on the parameters' device.
    pub grad_scale: Option<&'a Tensor>,
    /// 1 where this update must not happen, else 0: one float on the parameters' device.
    pub found_inf: Option<&'a Tensor>,
}

impl<'a> StepInputs<'a> {
    /// An update that happens, by gradients that are what they should be.
    pub fn new(settings: &'a Settings) -> Self {
        StepInputs { settings, grad_scale: None, found_inf: None }
    }

    /// A setting that the optimizer's own recipe has named.
    pub(super) fn setting(&self, name: &str) -> Result<f64, NativeError> {
        self.settings.get(name).ok_or_else(|| NativeError::argument(self.settings.unknown(name).to_string()))
    }

    /// The two tensors, as fused kernels take them.
    pub(super) fn scaling(&self) -> Scaling<'a> {
        Scaling { grad_scale: self.grad_scale, found_inf: self.found_inf }
    }
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

/// For an algorithm that was lent other lists than its slots name.
pub(super) fn wrong_state() -> NativeError {
    NativeError::argument("the optimizer was given the state of another optimizer")
}
