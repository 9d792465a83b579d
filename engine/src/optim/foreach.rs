//! Updates that are written with operations on whole lists of tensors, one rule per optimizer.
//!
//! What all of them need is here: parameters without a gradient are passed over, state is made at the first gradient,
//! gradients are unscaled, and an update that must not happen leaves everything as it was, without a read from the device.

use crate::native::{Begun, NativeError, NewState, TensorList, begin_update, count_update};
use crate::optim::algorithm::{Algorithm, Slot, SlotShape, StepInputs};
use std::fmt::Debug;
use tch::{Device, Tensor};

/// What an optimizer computes, given what there is to update.
pub(super) trait Rule: Debug + Send {
    /// The state of each parameter, in the order in which `update` finds it. A [`SlotShape::Count`] goes up by itself.
    fn slots(&self) -> &'static [Slot];

    /// The shape of a new state, and the value of all its elements.
    fn new_state(&self, slot: &Slot, inputs: &StepInputs<'_>) -> Result<NewState, NativeError> {
        let _ = inputs;
        Ok(NewState { shape: slot.shape.into(), initial: 0.0 })
    }

    /// Whether it goes up the gradient.
    fn maximize(&self) -> bool;

    /// Changes parameters and state in place. The gradients are the rule's own lists, but not its own tensors.
    fn update(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError>;
}

/// A rule as the computation of an optimizer.
#[derive(Debug)]
pub(super) struct Foreach<R>(pub(super) R);

impl<R: Rule> Algorithm for Foreach<R> {
    fn slots(&self) -> &'static [Slot] {
        self.0.slots()
    }

    fn step(
        &self,
        parameters: &TensorList,
        state: &mut [TensorList],
        inputs: &StepInputs<'_>,
    ) -> Result<(), NativeError> {
        let new: Result<Vec<NewState>, NativeError> =
            self.slots().iter().map(|slot| self.0.new_state(slot, inputs)).collect();
        let Some(mut begun) = begin_update(parameters, state, &new?, inputs.scaling())? else { return Ok(()) };
        // on the CPU the update has begun only because it happens
        let undecided = inputs.found_inf.filter(|flag| flag.device() != Device::Cpu);
        let kept = undecided.map(|_| Kept::of(&begun)).transpose()?;
        self.make(&mut begun, inputs).map_err(|error| {
            // its lists have no entries of parameters without a gradient, so their indices name other parameters
            NativeError { item: None, ..error }
        })?;
        match (kept, undecided) {
            (Some(kept), Some(flag)) => kept.put_back(&mut begun, flag),
            _ => Ok(()),
        }
    }
}

impl<R: Rule> Foreach<R> {
    fn make(&self, begun: &mut Begun, inputs: &StepInputs<'_>) -> Result<(), NativeError> {
        for (slot, list) in self.slots().iter().zip(&mut begun.state) {
            if slot.shape == SlotShape::Count {
                count_update(list)?;
            }
        }
        if self.0.maximize() {
            begun.gradients = begun.gradients.neg()?;
        }
        self.0.update(begun, inputs)
    }
}

/// Copies from before an update of which only the device knows whether it happens.
struct Kept {
    parameters: TensorList,
    state: Vec<TensorList>,
}

impl Kept {
    fn of(begun: &Begun) -> Result<Self, NativeError> {
        let state = begun.state.iter().map(TensorList::copied).collect::<Result<_, _>>()?;
        Ok(Kept { parameters: begun.parameters.copied()?, state })
    }

    fn put_back(&self, begun: &mut Begun, flag: &Tensor) -> Result<(), NativeError> {
        begun.parameters.restore_(&self.parameters, flag)?;
        begun.state.iter_mut().zip(&self.state).try_for_each(|(list, kept)| list.restore_(kept, flag))
    }
}

/// Adds a part of each parameter to its gradient, in new tensors.
pub(super) fn decay_by_gradient(begun: &mut Begun, weight_decay: f64) -> Result<(), NativeError> {
    if weight_decay != 0.0 {
        begun.gradients = begun.gradients.plus(&begun.parameters, weight_decay)?;
    }
    Ok(())
}

/// Shrinks the parameters themselves.
pub(super) fn decay_by_itself(begun: &mut Begun, lr: f64, weight_decay: f64) -> Result<(), NativeError> {
    if weight_decay != 0.0 {
        begun.parameters.mul_scalar_(1.0 - lr * weight_decay)?;
    }
    Ok(())
}

/// Running means of the squared gradients.
pub(super) fn average_squares(squares: &mut TensorList, gradients: &TensorList, decay: f64) -> Result<(), NativeError> {
    squares.mul_scalar_(decay)?;
    squares.addcmul_(gradients, gradients, 1.0 - decay)
}
