//! Activation checkpointing: a block whose activations are not kept for backward, but computed again there.

use crate::base::error::Result;
use crate::base::panics;
use crate::native::error::NativeError;
use crate::native::ffi::{self, RawBlock};
use crate::native::foreach::owned;
use std::ffi::{CString, c_char, c_void};
use std::ops::Deref;
use std::ptr::null;
use std::sync::{Arc, Mutex, PoisonError};
use tch::Tensor;
use torch_sys::C_tensor;

/// Layers that a trainer's model shares with the blocks that backward computes again. It derefs to the layers; a clone has
/// the same layers.
///
/// ```
/// use engine::native::Shared;
/// use engine::prelude::*;
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let layer = Shared::new(nn::linear(store.root(), 4, 4, Default::default()));
/// assert_eq!(layer.clone().ws.data_ptr(), layer.ws.data_ptr());
/// ```
#[derive(Debug)]
pub struct Shared<M>(Arc<M>);

// SAFETY: layers are handles of tensors, which tch lets go to other threads one by one. On CUDA backward runs on a thread of
// libtorch, and the thread that has called backward waits for it: the two never use the layers at one time.
unsafe impl<M: Send> Send for Shared<M> {}

impl<M> Shared<M> {
    /// Layers to be shared.
    pub fn new(layers: M) -> Self {
        Shared(Arc::new(layers))
    }
}

impl<M> Clone for Shared<M> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<M> Deref for Shared<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.0
    }
}

/// What computes the output of a block from its inputs.
type Compute = dyn Fn(&[Tensor]) -> Result<Tensor> + Send;

struct Block {
    compute: Box<Compute>,
    /// Why the last call has failed, as C reads it.
    error: Mutex<CString>,
}

/// The output of a block. The activations in between are let go, and backward computes them again from the inputs, with
/// the same random numbers and under the same autocast: less memory for one more forward pass of the block.
///
/// Gradients reach the inputs and whatever parameters `block` uses. With gradients off nothing is computed again.
///
/// # Errors
/// What `block` returns, a panic of it included. An error of the second computation is that of backward.
pub fn recomputed(
    inputs: &[&Tensor],
    block: impl Fn(&[Tensor]) -> Result<Tensor> + Send + 'static,
) -> Result<Tensor, NativeError> {
    let block = Box::new(Block { compute: Box::new(block), error: Mutex::default() });
    let raw = RawBlock { data: Box::into_raw(block).cast(), call, free };
    let inputs: Vec<*const C_tensor> = inputs.iter().map(|input| input.as_ptr()).collect();
    // SAFETY: the shim takes over the block and frees it once; the tensors are borrowed for the call.
    owned(|out| unsafe { ffi::eng_recompute(raw, inputs.as_ptr(), inputs.len(), out) })
}

/// Calls the block; a text says what went wrong.
///
/// # Safety
/// `data` is a [`Block`] that is not freed, and no other call of it is under way; `inputs` are `count` live tensors.
unsafe extern "C" fn call(
    data: *mut c_void,
    inputs: *const *mut C_tensor,
    count: usize,
    out: *mut *mut C_tensor,
) -> *const c_char {
    // SAFETY: see above.
    let (block, inputs) = unsafe { (&*data.cast::<Block>(), std::slice::from_raw_parts(inputs, count)) };
    // handles of its own, for a `Tensor` frees its pointer
    // SAFETY: the pointers are live for the call; a clone is another handle of the same tensor.
    let inputs: Vec<Tensor> = inputs.iter().map(|input| unsafe { Tensor::clone_from_ptr(*input) }).collect();
    match panics::catch("a block that is computed again", || (block.compute)(&inputs)) {
        Ok(mut output) => {
            // the shim takes the handle over
            // SAFETY: `out` is a place for one pointer.
            unsafe { *out = output.as_mut_ptr() };
            std::mem::forget(output);
            null()
        }
        Err(error) => {
            let text = format!("{error:#}").replace('\0', " ");
            let mut held = block.error.lock().unwrap_or_else(PoisonError::into_inner);
            *held = CString::new(text).unwrap_or_default();
            held.as_ptr()
        }
    }
}

/// # Safety
/// `data` is a [`Block`] that nobody uses any more.
unsafe extern "C" fn free(data: *mut c_void) {
    // SAFETY: see above; it was made by `Box::into_raw`.
    drop(unsafe { Box::from_raw(data.cast::<Block>()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Error;
    use crate::native::{Autocast, MemoryMeter};
    use tch::{Device, Kind, nn};

    /// Four blocks of two layers.
    fn blocks(width: i64) -> (nn::VarStore, Vec<Shared<[nn::Linear; 2]>>) {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = |name: String| nn::linear(store.root() / name, width, width, Default::default());
        let blocks = (0..4).map(|block| Shared::new([0, 1].map(|place| layer(format!("{block}_{place}")))));
        let blocks = blocks.collect();
        for (_, mut tensor) in store.variables() {
            let numbers = Tensor::arange(tensor.numel() as i64, (Kind::Float, Device::Cpu)).sin() * 0.2;
            tch::no_grad(|| tensor.copy_(&numbers.reshape(tensor.size())));
        }
        (store, blocks)
    }

    fn compute(layers: &[nn::Linear; 2], x: &Tensor) -> Tensor {
        x.apply(&layers[0]).gelu("none").apply(&layers[1]).tanh()
    }

    /// The loss and all gradients, and the most memory that was taken.
    fn gradients(again: bool, rows: i64) -> (Vec<Tensor>, i64) {
        let (store, blocks) = blocks(32);
        let x = Tensor::arange(rows * 32, (Kind::Float, Device::Cpu)).cos().reshape([rows, 32]);
        let meter = MemoryMeter::start().unwrap();
        let mut hidden = x.shallow_clone();
        for layers in &blocks {
            hidden = match again {
                false => compute(layers, &hidden),
                true => {
                    let layers = layers.clone();
                    recomputed(&[&hidden], move |inputs| Ok(compute(&layers, &inputs[0]))).unwrap()
                }
            };
        }
        let loss = hidden.square().mean(Kind::Float);
        loss.backward();
        let peak = meter.peak_bytes();
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let gradients = variables.iter().map(|(_, tensor)| tensor.grad());
        (std::iter::once(loss.detach()).chain(gradients).collect(), peak)
    }

    #[test]
    fn gradients_are_those_of_a_block_that_keeps_its_activations_with_less_memory() {
        let ((kept, most), (again, less)) = (gradients(false, 4096), gradients(true, 4096));
        assert_eq!(kept.len(), again.len());
        assert!(kept.iter().zip(&again).all(|(kept, again)| kept == again));
        assert!((less as f64) < 0.7 * most as f64, "{less} and {most}");
    }

    #[test]
    fn a_block_is_computed_again_in_the_kinds_of_its_forward_pass() {
        let weight = Tensor::ones([4, 4], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let held = Shared::new(weight.shallow_clone());
        let kinds = Arc::new(Mutex::new(Vec::new()));
        let seen = kinds.clone();
        let x = Tensor::ones([2, 4], (Kind::Float, Device::Cpu));
        let output = {
            let _lower = Autocast::on(Device::Cpu, Kind::BFloat16).unwrap();
            recomputed(&[&x], move |inputs| {
                let output = inputs[0].matmul(&held);
                seen.lock().unwrap().push(output.kind());
                Ok(output)
            })
            .unwrap()
        };
        output.sum(Kind::Float).backward();
        assert_eq!(*kinds.lock().unwrap(), [Kind::BFloat16; 2]);
        assert_eq!((weight.grad().kind(), x.matmul(&weight).kind()), (Kind::Float, Kind::Float));
    }

    #[test]
    fn without_gradients_nothing_is_computed_again() {
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        let x = Tensor::ones([2], (Kind::Float, Device::Cpu));
        let output = tch::no_grad(|| {
            recomputed(&[&x], move |inputs| {
                *counted.lock().unwrap() += 1;
                Ok(&inputs[0] * 2.0)
            })
        });
        assert!(!output.unwrap().requires_grad());
        assert_eq!(*calls.lock().unwrap(), 1);
    }

    #[test]
    fn an_error_and_a_panic_of_a_block_are_errors_in_forward_and_in_backward() {
        let x = || Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let error = recomputed(&[&x()], |_| Err(Error::msg("no such row"))).unwrap_err();
        assert!(error.text.contains("no such row"), "{}", error.text);
        let error = recomputed(&[&x()], |_| panic!("on purpose")).unwrap_err();
        assert!(error.text.contains("on purpose"), "{}", error.text);
        let first = Mutex::new(true);
        let output = recomputed(&[&x()], move |inputs| match std::mem::take(&mut *first.lock().unwrap()) {
            true => Ok(&inputs[0] * 2.0),
            false => Err(Error::msg("only once")),
        });
        let error = output.unwrap().sum(Kind::Float).f_backward().unwrap_err().to_string();
        assert!(error.contains("only once"), "{error}");
    }
}
