//! CUDA graphs: the kernels of a step are recorded once, and launched together from then on.

use crate::base::error::Result as EngineResult;
use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawGraph};
use crate::native::precision::AutocastCacheOff;
use crate::native::tensor_list::TensorList;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};
use tch::{Device, Tensor};

static REPLAYS: AtomicU64 = AtomicU64::new(0);

/// How many graphs this process has replayed so far, for tests.
pub fn replays() -> u64 {
    REPLAYS.load(Ordering::Relaxed)
}

/// What was recorded of a computation on a CUDA device: [`Graph::replay`] computes it again, from and into the same
/// memory.
#[derive(Debug)]
pub struct Graph {
    raw: NonNull<RawGraph>,
    // libtorch's graph belongs to the thread that has recorded it
    _not_send: PhantomData<*const ()>,
}

/// Device memory that graphs share for what they compute in between. Graphs of one pool must be replayed one after the
/// other, on one stream. A pool whose graphs are all gone can't be used again.
#[derive(Clone, Copy, Debug)]
pub struct GraphPool {
    device: Device,
    id: (u64, u64),
}

impl GraphPool {
    /// Memory on a CUDA device.
    ///
    /// # Errors
    /// When the device is no CUDA device, or this libtorch has no CUDA graphs.
    pub fn new(device: Device) -> Result<Self, NativeError> {
        cuda_index(device)?;
        let (mut first, mut second) = (0, 0);
        // SAFETY: both pointers are to live locals.
        check(unsafe { ffi::eng_graph_pool(&mut first, &mut second) })?;
        Ok(GraphPool { device, id: (first, second) })
    }
}

impl Graph {
    /// Whether this libtorch has CUDA graphs, and its CUDA part is loaded.
    pub fn exists() -> bool {
        // SAFETY: looks for symbols.
        unsafe { ffi::eng_graphs_exist() }
    }

    /// Records what `body` computes on the device. Nothing is computed until the graph is replayed; what `body` does on
    /// the host happens now. The current stream must not be the default one: hold a [`StreamGuard`].
    ///
    /// # Errors
    /// Those of `body`; when it does what can't be recorded, such as waiting for the device. The device is as before then.
    pub fn record<R>(pool: GraphPool, body: impl FnOnce() -> EngineResult<R>) -> EngineResult<(Graph, R)> {
        let _casts = AutocastCacheOff::new();
        let recording = Recording::begin(pool)?;
        let result = body()?;
        Ok((recording.end()?, result))
    }

    /// Computes again, on the current stream. This does not wait for the device.
    ///
    /// # Errors
    /// When the launch fails.
    pub fn replay(&self) -> Result<(), NativeError> {
        REPLAYS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the graph is complete and owned by `self`.
        check(unsafe { ffi::eng_graph_replay(self.raw.as_ptr()) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: owned by `self` alone, freed once.
        unsafe { ffi::eng_graph_free(self.raw.as_ptr()) }
    }
}

/// A graph that is being recorded; it is given up when this is dropped, also when a panic unwinds.
struct Recording {
    raw: NonNull<RawGraph>,
    pool: GraphPool,
}

impl Recording {
    fn begin(pool: GraphPool) -> Result<Self, NativeError> {
        let mut raw = null_mut();
        let (device_type, index) = cuda_index(pool.device)?;
        // SAFETY: takes plain values, and writes a graph before it reports success.
        check(unsafe { ffi::eng_graph_begin(device_type, index, pool.id.0, pool.id.1, &mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no graph"))?;
        Ok(Recording { raw, pool })
    }

    fn end(self) -> Result<Graph, NativeError> {
        // SAFETY: the graph lives. When ending fails, the drop of `self` gives it up.
        check(unsafe { ffi::eng_graph_end(self.raw.as_ptr()) })?;
        let raw = self.raw;
        std::mem::forget(self);
        Ok(Graph { raw, _not_send: PhantomData })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Ok((device_type, index)) = cuda_index(self.pool.device) else { return };
        // SAFETY: the graph was made by `eng_graph_begin`; it is freed here, once.
        unsafe { ffi::eng_graph_abandon(self.raw.as_ptr(), device_type, index) }
    }
}

/// While it lives, this thread works on a stream of the device other than the default one.
#[derive(Debug)]
#[must_use = "the thread is on its stream of before when the guard is dropped"]
pub struct StreamGuard {
    device: Device,
    before: i64,
    _not_send: PhantomData<*const ()>,
}

impl StreamGuard {
    /// Waits for what was queued before, and goes to another stream.
    ///
    /// # Errors
    /// When the device is no CUDA device or not there.
    pub fn enter(device: Device) -> Result<Self, NativeError> {
        let (device_type, index) = cuda_index(device)?;
        let mut before = 0;
        // SAFETY: takes plain values, and the pointer is to a live local.
        check(unsafe { ffi::eng_stream_enter(device_type, index, &mut before) })?;
        Ok(StreamGuard { device, before, _not_send: PhantomData })
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let Ok((device_type, index)) = cuda_index(self.device) else { return };
        // SAFETY: takes plain values; the stream of before is libtorch's, which are never freed. A failure is one of the
        // device, and the next operator reports it.
        let _ = unsafe { ffi::eng_stream_leave(device_type, index, self.before) };
    }
}

fn cuda_index(device: Device) -> Result<(i32, i32), NativeError> {
    const CUDA: i32 = 1;
    match device {
        Device::Cuda(index) => Ok((CUDA, index as i32)),
        _ => Err(NativeError::argument(format!("CUDA graphs are for CUDA devices, not for {device:?}"))),
    }
}

/// Watches what this thread computes: whether it could be recorded.
#[derive(Debug)]
pub struct RecordingWatch {
    _not_send: PhantomData<*const ()>,
}

impl RecordingWatch {
    /// Begins. There can be one watch in a process at a time.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn begin() -> Result<Self, NativeError> {
        // SAFETY: takes nothing.
        check(unsafe { ffi::eng_watch_begin() })?;
        Ok(RecordingWatch { _not_send: PhantomData })
    }

    /// Ends, and tells the first thing that could not be recorded, if there was one.
    ///
    /// ```
    /// use engine::native::RecordingWatch;
    /// use engine::prelude::*;
    ///
    /// let numbers = Tensor::from_slice(&[1.0f32, 2.0]);
    /// let watch = RecordingWatch::begin()?;
    /// let sum = numbers.sum(Kind::Float);
    /// assert_eq!(watch.end(), None);
    /// let watch = RecordingWatch::begin()?;
    /// assert_eq!(sum.double_value(&[]), 3.0);
    /// assert_eq!(watch.end().unwrap(), "it reads a value from the device (`aten::_local_scalar_dense`)");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn end(self) -> Option<String> {
        std::mem::forget(self);
        end_watch()
    }
}

impl Drop for RecordingWatch {
    fn drop(&mut self) {
        let _ = end_watch();
    }
}

fn end_watch() -> Option<String> {
    // SAFETY: a watch is on; the text holds until the next one begins.
    unsafe {
        let found = ffi::eng_watch_end();
        (!found.is_null()).then(|| CStr::from_ptr(found).to_string_lossy().into_owned())
    }
}

/// A number for the kind and the shape of a tensor, mixed into that of others: batches with the same number can be computed
/// by the same graph.
pub fn mix_layout(hash: u64, tensor: &Tensor) -> u64 {
    // SAFETY: the tensor is borrowed for the call.
    unsafe { ffi::eng_mix_layout(hash, tensor.as_ptr()) }
}

impl TensorList {
    /// A number that changes when a tensor of the list is moved to other memory, or its gradient is switched on or off.
    pub fn mark(&self) -> u64 {
        // SAFETY: the list lives as long as `self`.
        unsafe { ffi::eng_list_mark(self.raw()) }
    }

    /// The gradients of now, undefined where a tensor has none.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn gradients(&self) -> Result<TensorList, NativeError> {
        let mut gradients = TensorList::undefined(self.len())?;
        // SAFETY: both lists live through the call, and one is borrowed mutably.
        check(unsafe { ffi::eng_gradients(self.raw(), gradients.raw_mut()) })?;
        Ok(gradients)
    }

    /// Puts gradients in the place of those of now.
    ///
    /// # Errors
    /// When there are not as many gradients as tensors.
    pub fn set_gradients(&self, gradients: &TensorList) -> Result<(), NativeError> {
        // SAFETY: both lists live through the call; the gradients are reference-counted.
        check(unsafe { ffi::eng_set_gradients(self.raw(), gradients.raw()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn the_layout_of_a_tensor_is_its_kind_and_its_shape() {
        let layout = |shape: &[i64], kind| mix_layout(1, &Tensor::zeros(shape, (kind, Device::Cpu)));
        assert_eq!(layout(&[2, 3], Kind::Float), layout(&[2, 3], Kind::Float));
        let others = [layout(&[3, 2], Kind::Float), layout(&[6], Kind::Float), layout(&[2, 3], Kind::Half)];
        assert!(others.iter().all(|other| *other != layout(&[2, 3], Kind::Float)));
    }

    #[test]
    fn a_list_has_another_mark_when_a_tensor_moves_or_is_frozen() {
        let mut tensor = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let list = TensorList::new([&tensor]).unwrap();
        let mark = list.mark();
        let _ = tch::no_grad(|| tensor.fill_(1.0));
        assert_eq!(list.mark(), mark);
        let _ = tensor.requires_grad_(false);
        assert_ne!(list.mark(), mark);
        let _ = tensor.requires_grad_(true);
        assert_eq!(list.mark(), mark);
        tensor.set_data(&Tensor::ones([2], (Kind::Float, Device::Cpu)));
        assert_ne!(list.mark(), mark);
    }

    #[test]
    fn gradients_are_taken_and_put_back() {
        let (with, without) = (Tensor::from(2.0f32).set_requires_grad(true), Tensor::from(1.0f32));
        (&with * 3.0).backward();
        let list = TensorList::new([&with, &without]).unwrap();
        let gradients = list.gradients().unwrap();
        assert!(gradients.get(1).unwrap().is_none());
        crate::native::zero_grad(&list).unwrap();
        assert!(!with.grad().defined());
        list.set_gradients(&gradients).unwrap();
        assert_eq!(with.grad().double_value(&[]), 3.0);
        assert!(list.set_gradients(&TensorList::undefined(1).unwrap()).is_err());
    }

    #[test]
    fn without_cuda_there_are_no_graphs_and_an_error_says_so() {
        assert!(GraphPool::new(Device::Cpu).unwrap_err().text.contains("not for Cpu"));
        if !Graph::exists() {
            assert!(GraphPool::new(Device::Cuda(0)).unwrap_err().text.contains("no CUDA graphs"));
        }
    }
}
