//! Dynamic loss scaling: gradients that would be zeros in `Half` are computed from a loss that is multiplied by a large
//! number, and divided by it again before anyone sees them.
//!
//! As PyTorch's `GradScaler`, with its numbers. Nothing is read from the device: the scale, the count of finite gradients
//! and the answer whether a gradient was finite stay there.

use crate::base::{Result, State, StateError, StateMap};
use crate::native::{self, ScaleRule, TensorList};
use tch::{Device, Kind, Tensor};

/// The scale of a pass's loss.
#[derive(Debug)]
pub(super) struct LossScaler {
    /// A 0-d `Float`.
    scale: Tensor,
    /// How many gradients in a row were finite: a 0-d `Int`.
    tracker: Tensor,
    /// 1 where the last gradient was not finite: a `Float` of one element.
    found_inf: Tensor,
}

const START: f32 = 65536.0;
const RULE: ScaleRule = ScaleRule { growth: 2.0, backoff: 0.5, interval: 2000 };

impl LossScaler {
    pub(super) fn new(device: Device) -> Result<Self> {
        Ok(LossScaler {
            scale: Tensor::from(START).f_to_device(device)?,
            tracker: Tensor::from(0i32).f_to_device(device)?,
            found_inf: Tensor::f_zeros([1], (Kind::Float, device))?,
        })
    }

    /// The loss, scaled.
    pub(super) fn scaled(&self, loss: &Tensor) -> Result<Tensor> {
        Ok(loss.f_mul(&self.scale)?)
    }

    /// The scale of now. A copy: the scale changes in place.
    pub(super) fn scale(&self) -> Result<Tensor> {
        Ok(self.scale.f_detach_copy()?)
    }

    /// Divides the gradients by the scale, and gives 1 where one of them is not finite, else 0. The scale becomes that of
    /// the next update.
    pub(super) fn unscale<'a>(&mut self, parameters: impl IntoIterator<Item = &'a TensorList>) -> Result<Tensor> {
        let _ = self.found_inf.f_zero_()?;
        let inverse = self.scale.f_to_kind(Kind::Double)?.f_reciprocal()?.f_to_kind(Kind::Float)?;
        native::amp_unscale_(parameters, &mut self.found_inf, &inverse)?;
        native::amp_update_scale_(&mut self.scale, &mut self.tracker, &self.found_inf, RULE)?;
        // a copy: the next update writes over it
        Ok(self.found_inf.f_detach_copy()?.f_reshape([0i64; 0])?)
    }
}

impl State for LossScaler {
    fn save_state(&self) -> StateMap {
        let mut state = StateMap::new();
        state.put("scale", &self.scale);
        state.put("tracker", &self.tracker);
        state
    }
    fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
        let (scale, tracker): (Tensor, Tensor) = (state.take("scale")?, state.take("tracker")?);
        let fits = |tensor: &Tensor, kind| tensor.numel() == 1 && tensor.kind() == kind;
        if !fits(&scale, Kind::Float) || !fits(&tracker, Kind::Int) {
            let why = "expected a `Float` and an `Int` of one element".to_owned();
            return Err(StateError::Unfit { name: "scale".to_owned(), why });
        }
        self.scale.copy_(&scale.reshape([0i64; 0]));
        self.tracker.copy_(&tracker.reshape([0i64; 0]));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaler() -> (LossScaler, Tensor, TensorList) {
        let weight = Tensor::from_slice(&[1.0f32, 2.0]).set_requires_grad(true);
        let list = TensorList::new([&weight]).unwrap();
        (LossScaler::new(Device::Cpu).unwrap(), weight, list)
    }

    #[test]
    fn the_scale_halves_after_an_infinite_gradient_and_the_gradient_comes_back_unscaled() {
        let (mut scaler, mut weight, list) = scaler();
        let mut update = |slope: f64| {
            weight.zero_grad();
            scaler.scaled(&(&weight * slope).sum(Kind::Float)).unwrap().backward();
            let found = scaler.unscale([&list]).unwrap().double_value(&[]);
            (found, weight.grad().double_value(&[0]), scaler.scale().unwrap().double_value(&[]))
        };
        assert_eq!(update(3.0), (0.0, 3.0, 65536.0));
        assert_eq!(update(1e38).0, 1.0);
        assert_eq!(update(3.0), (0.0, 3.0, 32768.0));
    }

    #[test]
    fn a_restored_scaler_goes_on_with_the_same_scale_and_count() {
        let (mut scaler, weight, list) = scaler();
        for _ in 0..7 {
            scaler.scaled(&weight.sum(Kind::Float)).unwrap().backward();
            let _ = scaler.unscale([&list]).unwrap();
        }
        let mut other = LossScaler::new(Device::Cpu).unwrap();
        other.load_state(scaler.save_state()).unwrap();
        assert_eq!((other.scale.double_value(&[]), other.tracker.int64_value(&[])), (65536.0, 7));
        let mut damaged = scaler.save_state();
        damaged.put("tracker", &Tensor::from(0.5f32));
        assert!(other.load_state(damaged).unwrap_err().to_string().contains("`Int`"));
    }
}
