//! How many floating point operations matrix products, convolutions and attention take.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The operations of the calls of one operator with the same operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorFlops {
    /// `aten::addmm`.
    pub name: String,
    /// The memory of its operands, by [`storage_id`](crate::native::storage_id).
    pub operands: [usize; 2],
    /// A product and a sum are two operations.
    pub flops: u64,
}

/// Counts the floating point operations of matrix products, convolutions and attention, by the shapes of their operands, as
/// PyTorch's `FlopCounterMode`; unlike there, backward of a convolution with groups counts twice its forward pass, and the
/// fused attention of the CPU counts too. All other operators count for nothing. It counts on its thread, and in the backward that
/// this thread calls. One counter lives at a time: a second one waits.
///
/// ```
/// use engine::native::FlopCounter;
/// use engine::prelude::*;
///
/// let counter = FlopCounter::begin()?;
/// let ones = |size: [i64; 2]| Tensor::ones(size, (Kind::Float, Device::Cpu));
/// let _ = ones([4, 8]).matmul(&ones([8, 16]));
/// let flops: u64 = counter.take()?.iter().map(|operator| operator.flops).sum();
/// assert_eq!(flops, 2 * 4 * 8 * 16);
/// # Ok::<(), engine::native::NativeError>(())
/// ```
#[derive(Debug)]
pub struct FlopCounter {
    _one: MutexGuard<'static, ()>,
    // the callback belongs to the thread that has added it
    _not_send: PhantomData<*const ()>,
}

static ONE: Mutex<()> = Mutex::new(());

impl FlopCounter {
    /// Begins.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn begin() -> Result<Self, NativeError> {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: takes nothing; the lock says that there is no other counter.
        check(unsafe { ffi::eng_flops_begin() })?;
        Ok(FlopCounter { _one: one, _not_send: PhantomData })
    }

    /// What was counted so far, by operator and operands; counting begins anew.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn take(&self) -> Result<Vec<OperatorFlops>, NativeError> {
        let mut found: Vec<OperatorFlops> = Vec::new();
        // SAFETY: `push` gets the vector back, which lives for the call.
        check(unsafe { ffi::eng_flops_take((&raw mut found).cast(), push) })?;
        Ok(found)
    }
}

impl Drop for FlopCounter {
    fn drop(&mut self) {
        // SAFETY: takes nothing.
        unsafe { ffi::eng_flops_end() };
    }
}

/// # Safety
/// `data` is the vector of [`FlopCounter::take`], which nobody else uses meanwhile, and `name` a text.
unsafe extern "C" fn push(data: *mut c_void, name: *const c_char, first: usize, second: usize, flops: u64) {
    // SAFETY: see above.
    let (found, name) = unsafe { (&mut *data.cast::<Vec<OperatorFlops>>(), CStr::from_ptr(name)) };
    found.push(OperatorFlops { name: name.to_string_lossy().into_owned(), operands: [first, second], flops });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor, nn, nn::Module as _};

    fn ones(size: &[i64]) -> Tensor {
        Tensor::ones(size, (Kind::Float, Device::Cpu)).set_requires_grad(true)
    }

    /// Of the forward pass, and of the backward from the sum of its result.
    fn counted(forward: impl FnOnce() -> Tensor) -> [u64; 2] {
        let counter = FlopCounter::begin().unwrap();
        let total = || counter.take().unwrap().iter().map(|operator| operator.flops).sum();
        let result = forward();
        let of_forward = total();
        result.sum(Kind::Float).backward();
        [of_forward, total()]
    }

    // `torch.utils.flop_counter.FlopCounterMode` of torch 2.11 counts (8192, 16384) for the linear layer, (720, 1440) for the
    // product of batches, and (31104, 62208) for the transposed convolution

    #[test]
    fn products_of_matrices_count_two_operations_for_each_pair() {
        let store = nn::VarStore::new(Device::Cpu);
        let linear = nn::linear(store.root(), 32, 8, Default::default());
        let x = ones(&[16, 32]);
        // backward: the gradients of the input and of the weight
        assert_eq!(counted(|| linear.forward(&x)), [2 * 16 * 32 * 8, 2 * 2 * 16 * 32 * 8]);
        let (a, b) = (ones(&[3, 4, 5]), ones(&[3, 5, 6]));
        assert_eq!(counted(|| a.bmm(&b)), [2 * 3 * 4 * 5 * 6, 2 * 2 * 3 * 4 * 5 * 6]);
    }

    #[test]
    fn convolutions_count_their_windows_with_strides_groups_and_transposed() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = nn::ConvConfig { stride: 2, padding: 1, groups: 2, ..Default::default() };
        let conv = nn::conv2d(store.root(), 4, 8, 3, config);
        let x = ones(&[2, 4, 9, 9]);
        // 5 × 5 positions, 8 channels with windows of 3 × 3 over 2 channels
        let forward = 2 * 2 * 25 * 8 * (9 * 2);
        assert_eq!(counted(|| conv.forward(&x)), [forward, 2 * forward]);
        let config = nn::ConvTransposeConfig { stride: 2, ..Default::default() };
        let up = nn::conv_transpose2d(store.root(), 4, 6, 2, config);
        let forward = 2 * 2 * 81 * 4 * 6 * 4;
        assert_eq!(counted(|| up.forward(&x)), [forward, 2 * forward]);
    }

    #[test]
    fn attention_counts_its_two_products() {
        // [batch, heads, length, width]
        let q = ones(&[2, 4, 10, 16]);
        let (k, v) = (ones(&[2, 4, 12, 16]), ones(&[2, 4, 12, 16]));
        let product = 2 * 2 * 4 * 10 * 12 * 16;
        let attention = || Tensor::scaled_dot_product_attention(&q, &k, &v, None::<&Tensor>, 0.0, false, None, false);
        let [forward, backward] = counted(attention);
        assert_eq!(forward, 2 * product);
        // five with the fused kernel, which computes the scores again; four without
        assert!(backward == 5 * product || backward == 4 * product, "{backward} of {product}");
    }
}
