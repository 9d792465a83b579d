//! What a step is given: something with a size that can go to a device.

use crate::base::error::Result;
use tch::{Device, Tensor};

/// The samples of one step, put together.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a batch",
    label = "this type does not implement `Batch`",
    note = "a `Tensor`, a `Vec` of tensors, texts or numbers, and tuples of up to four of them can; implement `engine::data::Batch` for a type of your own: `to_device` and `size`"
)]
pub trait Batch: Send + Sized + 'static {
    /// The same batch with its tensors on the device; what is there already is not copied.
    ///
    /// # Errors
    /// When the device is out of memory or not there.
    fn to_device(self, device: Device) -> Result<Self>;

    /// The number of samples.
    fn size(&self) -> usize;
}

/// `[n, …]`: the first dimension counts the samples.
#[diagnostic::do_not_recommend]
impl Batch for Tensor {
    fn to_device(self, device: Device) -> Result<Self> {
        moved(&self, device)
    }

    fn size(&self) -> usize {
        Tensor::size(self).first().map_or(1, |first| *first as usize)
    }
}

/// One tensor for each sample, each of its own shape.
#[diagnostic::do_not_recommend]
impl Batch for Vec<Tensor> {
    fn to_device(self, device: Device) -> Result<Self> {
        self.iter().map(|tensor| moved(tensor, device)).collect()
    }

    fn size(&self) -> usize {
        self.len()
    }
}

/// The tensor on the device. Nobody waits for what the device is still doing: a copy from the host takes its place
/// behind that. Memory of the host may be dropped at once: CUDA copies pageable memory aside before it returns, and libtorch
/// keeps pinned memory until it is read.
fn moved(tensor: &Tensor, device: Device) -> Result<Tensor> {
    let from_host = tensor.device() == Device::Cpu;
    Ok(tensor.f_to_device_(device, tensor.kind(), from_host, false)?)
}

macro_rules! host_batch {
    ($($type:ty)*) => { $(
        /// One for each sample; stays where it is.
        #[diagnostic::do_not_recommend]
        impl Batch for Vec<$type> {
            fn to_device(self, _: Device) -> Result<Self> {
                Ok(self)
            }

            fn size(&self) -> usize {
                self.len()
            }
        }
    )* };
}
host_batch!(String bool i64 usize f32 f64);

macro_rules! tuple_batch {
    ($($part:ident $at:tt),+) => {
        /// The first part counts the samples.
        impl<$($part: Batch),+> Batch for ($($part,)+) {
            fn to_device(self, device: Device) -> Result<Self> {
                Ok(($(self.$at.to_device(device)?,)+))
            }

            fn size(&self) -> usize {
                self.0.size()
            }
        }
    };
}
tuple_batch!(A 0);
tuple_batch!(A 0, B 1);
tuple_batch!(A 0, B 1, C 2);
tuple_batch!(A 0, B 1, C 2, D 3);

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn a_batch_has_the_size_of_its_first_part() {
        let tensor = || Tensor::zeros([3, 2], (Kind::Float, Device::Cpu));
        assert_eq!((tensor(), vec!["a".to_owned(); 3], tensor()).size(), 3);
        assert_eq!((vec![tensor(), tensor()],).size(), 2);
        let moved = (tensor(), vec![1i64, 2, 3]).to_device(Device::Cpu).unwrap();
        assert_eq!(moved.1, [1, 2, 3]);
    }
}
