//! How an optimizer computes an update, apart from which parameters it has and what their settings are.

use crate::native::{NativeError, Scaling, StateShape, TensorList};
use crate::optim::settings::Settings;
use std::fmt::Debug;
use tch::Tensor;

/// The computation of one update. All of its state is in the lists that the caller passes, so that the state can be
/// saved.
pub trait Algorithm: Debug + Send {
    /// The state that it keeps for each parameter, in the order in which `step` expects it.
    fn slots(&self) -> &'static [Slot];

    /// Updates the parameters in place. All parameters are on one device and have one kind. `state` has one list per
    /// slot, with one entry per parameter, which is an undefined tensor until the algorithm creates it.
    ///
    /// # Errors
    /// Those of libtorch. A parameter without a gradient is not an error: it and its state do not change.
    fn step(
        &self,
        parameters: &TensorList,
        state: &mut [TensorList],
        inputs: &StepInputs<'_>,
    ) -> Result<(), NativeError>;

    /// Whether `step` takes its learning rate from [`StepInputs::rate`] when that is given, and runs the same kernels in
    /// each update from the second on. Only then can its updates be part of a CUDA graph.
    fn can_be_recorded(&self) -> bool {
        false
    }
}

/// The inputs of one update besides parameters, gradients and the optimizer's state.
///
/// An algorithm must use `grad_scale` and `found_inf`, if they are given, without reading them on the host: divide each gradient by
/// `grad_scale`, and when `found_inf` is 1, change neither parameters nor state. libtorch's fused kernels accept them
/// directly.
#[derive(Clone, Copy, Debug)]
pub struct StepInputs<'a> {
    /// The settings of the group.
    pub settings: &'a Settings,
    /// The factor by which the gradients are too large: one float on the parameters' device.
    pub grad_scale: Option<&'a Tensor>,
    /// 1 when this update must not happen, else 0: one float on the parameters' device.
    pub found_inf: Option<&'a Tensor>,
    /// The learning rate, in place of that of the settings: one float on the parameters' device. It is given only to an
    /// algorithm that [can be recorded](Algorithm::can_be_recorded).
    pub rate: Option<&'a Tensor>,
}

impl<'a> StepInputs<'a> {
    /// The inputs of an update that happens, with gradients that are not scaled.
    pub fn new(settings: &'a Settings) -> Self {
        StepInputs { settings, grad_scale: None, found_inf: None, rate: None }
    }

    /// A setting that the optimizer's own recipe has named.
    pub(super) fn setting(&self, name: &str) -> Result<f64, NativeError> {
        self.settings.get(name).ok_or_else(|| NativeError::argument(self.settings.unknown(name).to_string()))
    }

    /// The tensors, as fused kernels take them.
    pub(super) fn scaling(&self) -> Scaling<'a> {
        Scaling { grad_scale: self.grad_scale, found_inf: self.found_inf, rate: self.rate }
    }
}

/// One type of state that is kept for each parameter.
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
    /// The shape and kind of the parameter.
    LikeParameter,
    /// A 0-d float: a count that stays on the device.
    Count,
    /// A 0-d float that is not a count.
    Number,
    /// `[.., n, 1]` of a parameter `[.., n, m]`; a parameter of at most one dimension has none.
    Rows,
    /// `[.., 1, m]` of a parameter `[.., n, m]`; a parameter of at most one dimension has none.
    Columns,
    /// The shape and kind of a parameter of at most one dimension; one of more dimensions has none.
    Vector,
    /// The shape and kind of the parameter; one for which the optimizer has no use of it has none.
    WhereUsed,
}

impl From<SlotShape> for StateShape {
    fn from(shape: SlotShape) -> Self {
        match shape {
            SlotShape::LikeParameter | SlotShape::WhereUsed => StateShape::LikeParameter,
            SlotShape::Count => StateShape::Count,
            SlotShape::Number => StateShape::Number,
            SlotShape::Rows => StateShape::Rows,
            SlotShape::Columns => StateShape::Columns,
            SlotShape::Vector => StateShape::Vector,
        }
    }
}

impl SlotShape {
    /// The shape of the state of a parameter of this shape; `None`: it has none.
    pub(super) fn of(self, parameter: &[i64]) -> Option<Vec<i64>> {
        let mut shape = parameter.to_vec();
        let dimensions = shape.len();
        match self {
            SlotShape::LikeParameter | SlotShape::WhereUsed => {}
            SlotShape::Count | SlotShape::Number => return Some(Vec::new()),
            SlotShape::Rows if dimensions > 1 => shape[dimensions - 1] = 1,
            SlotShape::Columns if dimensions > 1 => shape[dimensions - 2] = 1,
            SlotShape::Vector if dimensions <= 1 => {}
            SlotShape::Rows | SlotShape::Columns | SlotShape::Vector => return None,
        }
        Some(shape)
    }
}

/// For an algorithm that was lent other lists than its slots name.
pub(super) fn wrong_state() -> NativeError {
    NativeError::argument("the optimizer was given the state of another optimizer")
}
