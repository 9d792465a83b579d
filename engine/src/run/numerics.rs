//! In which kinds of numbers and in which layouts a run computes: its models, its batches, its steps.

use crate::base::Result;
use crate::data::Batch;
use crate::model::ModelEntry;
use crate::native::{Autocast, channels_last};
use crate::optim::Precision;
use tch::{Device, Kind};

/// In which kinds of numbers and in which layouts a run computes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numerics {
    /// The kinds.
    pub precision: Precision,
    /// Whether tensors of four dimensions have their channels last in memory.
    pub channels_last: bool,
}

impl Numerics {
    /// To be held while a step runs.
    ///
    /// # Errors
    /// When the device has no autocast and the precision asks for it.
    pub(crate) fn autocast(&self, device: Device) -> Result<Option<Autocast>> {
        Ok(self.precision.autocast().map(|kind| Autocast::on(device, kind)).transpose()?)
    }

    /// A batch as steps are given it: on the device, in the kinds and the layout of the run.
    ///
    /// # Errors
    /// When the device is out of memory or not there.
    pub(crate) fn place<B: Batch>(&self, batch: B, device: Device) -> Result<B> {
        let mut batch = batch.onto(device)?;
        let (floats, last) = (self.precision.parameters(), self.channels_last);
        if floats.is_none() && !last {
            return Ok(batch);
        }
        batch.each_tensor(&mut |tensor| {
            if let Some(kind) = floats
                && matches!(tensor.kind(), Kind::Float | Kind::Double)
            {
                *tensor = tensor.f_to_kind(kind)?;
            }
            if last {
                *tensor = channels_last(tensor)?;
            }
            Ok(())
        })?;
        Ok(batch)
    }

    /// Brings the variables of a new model into the kinds and the layout of the run. Its layers see it.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn convert(&self, model: &mut ModelEntry) -> Result<()> {
        if let Some(kind) = self.precision.parameters() {
            let is_full = |kind| matches!(kind, Kind::Float | Kind::Double);
            model.exchange_each(|tensor| match is_full(tensor.kind()) {
                true => tensor.f_to_kind(kind).map(Some).map_err(Into::into),
                false => Ok(None),
            })?;
        }
        if self.channels_last {
            model.exchange_each(|tensor| match tensor.dim() {
                4 => channels_last(tensor).map(Some).map_err(Into::into),
                _ => Ok(None),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::update::{Half, Pure};
    use tch::{Tensor, nn};

    #[test]
    fn a_batch_and_a_model_come_into_the_kind_and_the_layout_of_the_run() {
        let numerics = Numerics { precision: Precision::Pure(Pure::Bf16), channels_last: true };
        let images = Tensor::zeros([2, 3, 4, 5], (Kind::Float, Device::Cpu));
        let (images, classes) = numerics.place((images, Tensor::from_slice(&[0i64, 1])), Device::Cpu).unwrap();
        assert_eq!((images.kind(), images.stride(), classes.kind()), (Kind::BFloat16, vec![60, 1, 15, 3], Kind::Int64));
        let store = nn::VarStore::new(Device::Cpu);
        let layer = nn::conv2d(store.root(), 3, 8, 3, Default::default());
        numerics.convert(&mut ModelEntry::new("net", store)).unwrap();
        assert_eq!((layer.ws.kind(), layer.ws.stride()), (Kind::BFloat16, vec![27, 1, 9, 3]));
        assert!(layer.ws.requires_grad());
        images.apply(&layer).sum(Kind::Float).backward();
        assert_eq!(layer.ws.grad().kind(), Kind::BFloat16);
    }

    #[test]
    fn mixed_precision_leaves_models_and_batches_as_they_are() {
        let numerics = Numerics { precision: Precision::Mixed(Half::F16), channels_last: false };
        let batch = numerics.place(Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)), Device::Cpu).unwrap();
        assert_eq!(batch.kind(), Kind::Float);
        let _lower = numerics.autocast(Device::Cpu).unwrap();
        assert_eq!(batch.matmul(&batch.tr()).kind(), Kind::Half);
    }
}
