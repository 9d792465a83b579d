//! A group of processes, and what they do together.

use crate::native::dist::{Store, c_text, milliseconds};
use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawGroup, RawWork};
use crate::native::tensor_list::TensorList;
use std::fmt;
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tch::Tensor;

/// A group of processes: libtorch's `ProcessGroup`. Each of its methods is called by all ranks, in the same order, with
/// tensors of the same shapes; one that is left alone returns an error when the group's time is up.
pub struct ProcessGroup {
    raw: NonNull<RawGroup>,
    rank: usize,
    world: usize,
    waited: Arc<Waited>,
}

// SAFETY: libtorch's groups may be used from any thread.
unsafe impl Send for ProcessGroup {}
// SAFETY: as above; each operation takes the group's own locks.
unsafe impl Sync for ProcessGroup {}

impl ProcessGroup {
    /// Joins a group over Gloo, for tensors of the CPU (and of CUDA, through copies on the host). It waits until all ranks
    /// have joined. Its names in the store are those of Python's `init_process_group`; the first group has the name `0`.
    /// `host` is the address that this process listens on; by default that of the network interface in
    /// `GLOO_SOCKET_IFNAME`, or of the host's name.
    ///
    /// # Errors
    /// When not all ranks join within the time, or an address can't be listened on.
    pub fn gloo(
        store: &Store,
        name: &str,
        rank: usize,
        world: usize,
        timeout: Duration,
        host: Option<&str>,
    ) -> Result<Self, NativeError> {
        let (name, host) = (c_text(name)?, host.map(c_text).transpose()?);
        let number =
            |number: usize| i32::try_from(number).map_err(|_| NativeError::argument("there are too many ranks"));
        let (rank_number, world_number) = (number(rank)?, number(world)?);
        let host = host.as_ref().map_or(null(), |host| host.as_ptr());
        let mut raw = null_mut();
        // SAFETY: store and texts live for the call, and `raw` is written before success is reported.
        check(unsafe {
            ffi::eng_group_gloo(
                store.raw(),
                name.as_ptr(),
                rank_number,
                world_number,
                milliseconds(timeout),
                host,
                &mut raw,
            )
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no group"))?;
        Ok(ProcessGroup { raw, rank, world, waited: Arc::default() })
    }

    /// The number of this process in the group, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many processes there are.
    pub fn world(&self) -> usize {
        self.world
    }

    /// How long this process has waited for operations of the group since it has joined: in the methods here, in
    /// [`Pending::wait`], and in backward for the exchange of gradients. By the clock of the host.
    pub fn waited(&self) -> Duration {
        self.waited.get()
    }

    pub(super) fn count_wait(&self, span: Duration) {
        self.waited.add(span);
    }

    /// The tensors of all ranks, in one whose first dimension are the ranks: `[world, …]`.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn all_gather(&self, tensor: &Tensor) -> Result<Tensor, NativeError> {
        let out = self.place_for_all(tensor)?;
        // SAFETY: both tensors live for the call, which waits for the end of the operation.
        self.waited.over(|| {
            check(unsafe { ffi::eng_group_all_gather(self.raw(), tensor.as_ptr(), out.as_ptr(), null_mut()) })
        })?;
        Ok(out)
    }

    /// As [`ProcessGroup::all_gather`], on rank 0 alone; the others get nothing.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn gather(&self, tensor: &Tensor) -> Result<Option<Tensor>, NativeError> {
        let out = if self.rank == 0 { Some(self.place_for_all(tensor)?) } else { None };
        let place = out.as_ref().map_or(null(), Tensor::as_ptr);
        // SAFETY: both tensors live for the call, which waits for the end of the operation; a null pointer is none.
        self.waited.over(|| check(unsafe { ffi::eng_group_gather(self.raw(), tensor.as_ptr(), place) }))?;
        Ok(out)
    }

    /// As [`ProcessGroup::all_gather`]; the result is waited for later.
    ///
    /// # Errors
    /// When the operation can't begin.
    pub fn begin_all_gather(&self, tensor: &Tensor) -> Result<Pending, NativeError> {
        let out = self.place_for_all(tensor)?;
        let mut work = null_mut();
        // SAFETY: the shim keeps handles of both tensors in the work.
        check(unsafe { ffi::eng_group_all_gather(self.raw(), tensor.as_ptr(), out.as_ptr(), &mut work) })?;
        Pending::new(work, out, &self.waited)
    }

    /// The sum of the tensor over all ranks, `[…]` as the tensor, in a new tensor. Gradients go through it: that of a summand is
    /// the sum of the gradients that all ranks have of the sum.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn sum_with_gradient(&self, tensor: &Tensor) -> Result<Tensor, NativeError> {
        let mut sum = null_mut();
        // SAFETY: the tensor lives for the call, and `sum` is written before success is reported.
        self.waited.over(|| check(unsafe { ffi::eng_group_sum(self.raw(), tensor.as_ptr(), &mut sum) }))?;
        // SAFETY: a new tensor that nobody else frees.
        Ok(unsafe { Tensor::from_ptr(sum) })
    }

    /// Replaces the tensor by the sum over all ranks.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn all_reduce_sum(&self, tensor: &mut Tensor) -> Result<(), NativeError> {
        // SAFETY: the tensor is borrowed mutably for the call, which waits for the end of the operation.
        self.waited
            .over(|| check(unsafe { ffi::eng_group_all_reduce(self.raw(), tensor.as_mut_ptr(), false, null_mut()) }))
    }

    /// Replaces the tensor by the largest values over all ranks.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn all_reduce_max(&self, tensor: &mut Tensor) -> Result<(), NativeError> {
        // SAFETY: the tensor is borrowed mutably for the call, which waits for the end of the operation.
        self.waited
            .over(|| check(unsafe { ffi::eng_group_all_reduce(self.raw(), tensor.as_mut_ptr(), true, null_mut()) }))
    }

    /// Replaces the values of these tensors by those of rank `from`. Expanded tensors, of which several elements are one number
    /// in memory, stay as they are.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn broadcast(&self, tensors: &TensorList, from: usize) -> Result<(), NativeError> {
        let from = i32::try_from(from).map_err(|_| NativeError::argument("there are too many ranks"))?;
        // SAFETY: the list lives for the call, which waits for the end of the operation.
        self.waited.over(|| check(unsafe { ffi::eng_group_broadcast(self.raw(), tensors.raw(), from) }))
    }

    /// Where the tensors of all ranks go.
    fn place_for_all(&self, tensor: &Tensor) -> Result<Tensor, NativeError> {
        let shape: Vec<i64> = std::iter::once(self.world as i64).chain(tensor.size()).collect();
        let made = Tensor::f_empty(&shape, (tensor.kind(), tensor.device()));
        made.map_err(|error| NativeError::argument(error.to_string()))
    }

    pub(super) fn raw(&self) -> *const RawGroup {
        self.raw.as_ptr()
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone, freed once.
        unsafe { ffi::eng_group_free(self.raw.as_ptr()) }
    }
}

impl fmt::Debug for ProcessGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessGroup(rank {} of {})", self.rank, self.world)
    }
}

impl TensorList {
    /// A number that grows when a tensor of the list is written.
    pub fn version(&self) -> u64 {
        // SAFETY: the list lives as long as `self`.
        unsafe { ffi::eng_list_version(self.raw()) }
    }
}

/// An operation of a group that has begun.
#[derive(Debug)]
#[must_use = "the other ranks have begun it too; its result is in `wait`"]
pub struct Pending {
    work: NonNull<RawWork>,
    result: Tensor,
    waited: Arc<Waited>,
}

// SAFETY: libtorch's works may be waited for from any thread.
unsafe impl Send for Pending {}

impl Pending {
    fn new(work: *mut RawWork, result: Tensor, waited: &Arc<Waited>) -> Result<Pending, NativeError> {
        let work = NonNull::new(work).ok_or_else(|| NativeError::argument("libtorch began no operation"))?;
        Ok(Pending { work, result, waited: Arc::clone(waited) })
    }

    /// Waits for the end of the operation; gives its result.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn wait(self) -> Result<Tensor, NativeError> {
        // SAFETY: the work lives as long as this value.
        self.waited.over(|| check(unsafe { ffi::eng_work_wait(self.work.as_ptr()) }))?;
        Ok(self.result.shallow_clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone, freed once. An operation under way keeps what it needs.
        unsafe { ffi::eng_work_free(self.work.as_ptr()) }
    }
}

/// Nanoseconds that were spent in waiting.
#[derive(Debug, Default)]
struct Waited(AtomicU64);

impl Waited {
    fn add(&self, span: Duration) {
        let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Counts the time that `body` takes.
    fn over<R>(&self, body: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let result = body();
        self.add(began.elapsed());
        result
    }

    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
