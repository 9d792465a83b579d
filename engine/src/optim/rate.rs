//! A learning rate that lies on the device, for updates that are part of a CUDA graph.

use crate::base::Result;
use tch::{Device, Kind, Tensor};

/// The learning rate of a group on its device: a 0-d `Float`.
#[derive(Debug)]
pub(super) struct DeviceRate {
    tensor: Tensor,
    /// What it was filled with.
    value: f64,
}

impl DeviceRate {
    pub(super) fn new(value: f64, device: Device) -> Result<Self> {
        Ok(DeviceRate { tensor: Tensor::f_full([0i64; 0], value, (Kind::Float, device))?, value })
    }

    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Brings another value to the device.
    pub(super) fn refresh(&mut self, value: f64) -> Result<()> {
        if self.value.to_bits() != value.to_bits() {
            let _ = self.tensor.f_fill_(value)?;
            self.value = value;
        }
        Ok(())
    }
}
