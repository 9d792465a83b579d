//! The exchange of gradients while backward runs.

use crate::native::dist::{ProcessGroup, c_text};
use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawReducer, RawReducerOptions};
use crate::native::tensor_list::TensorList;
use std::fmt;
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::time::Duration;
use tch::{Kind, Tensor};

/// Averages gradients over the ranks of a group while backward is still under way: libtorch's `Reducer`, which Python's
/// `DistributedDataParallel` is made of. Gradients go in buckets of several megabytes; a bucket is sent as soon as all of
/// its gradients are computed.
///
/// For each batch, on every rank: [`Reducer::before_forward`], the forward pass, and, where gradients are exchanged,
/// [`Reducer::before_backward`] and backward. A rank without a batch calls [`Reducer::zeros`] instead of the last two.
///
/// A gradient that is exchanged is a view of its bucket afterwards.
pub struct Reducer {
    raw: NonNull<RawReducer>,
    /// How many parameters it is for.
    count: usize,
    /// How many numbers are told beside the gradients.
    note: usize,
    /// The hooks of the reducer use the group for as long as they live.
    group: Arc<ProcessGroup>,
}

// SAFETY: the reducer takes its own lock wherever backward may call it from another thread. It is not `Sync`: its other
// methods don't.
unsafe impl Send for Reducer {}

/// How gradients are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReducerOptions {
    /// Bytes that are exchanged at once.
    pub bucket_bytes: usize,
    /// Looks in each forward pass for parameters that it has not used. Without this, backward has to reach every
    /// parameter.
    pub find_unused: bool,
    /// The kind in which gradients are exchanged, `Half` or `BFloat16`; `None`: as they are.
    pub compress: Option<Kind>,
    /// How many numbers the ranks tell each other beside the gradients: [`Reducer::tell`]. With more than 0 all ranks have to
    /// be processes of this engine.
    pub note: usize,
}

impl Reducer {
    /// For these parameters, which take gradients. All ranks call it with parameters of the same shapes.
    ///
    /// # Errors
    /// When shapes or kinds differ from those of rank 0: then on every rank.
    pub fn new(
        group: &Arc<ProcessGroup>,
        parameters: &TensorList,
        names: &[String],
        options: ReducerOptions,
    ) -> Result<Self, NativeError> {
        if names.len() != parameters.len() {
            return Err(NativeError::argument(format!(
                "there are {} names for {} parameters",
                names.len(),
                parameters.len()
            )));
        }
        let names = names.iter().map(|name| c_text(name)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let bucket_bytes = i64::try_from(options.bucket_bytes).unwrap_or(i64::MAX);
        let compress = match options.compress {
            None => 0,
            Some(Kind::Half) => 1,
            Some(Kind::BFloat16) => 2,
            Some(kind) => {
                return Err(NativeError::argument(format!("gradients can't be exchanged as {kind:?}")));
            }
        };
        let note = options.note;
        let as_raw = i64::try_from(note).unwrap_or(i64::MAX);
        let options = RawReducerOptions { bucket_bytes, find_unused: options.find_unused, compress, note: as_raw };
        let mut raw = null_mut();
        // SAFETY: group, list and options live for the call; there is a name for each parameter, and each lives for it too.
        check(unsafe { ffi::eng_reducer_new(group.raw(), parameters.raw(), names.as_ptr(), &options, &mut raw) })?;
        let raw = NonNull::new(raw).ok_or_else(|| NativeError::argument("libtorch made no reducer"))?;
        Ok(Reducer { raw, count: parameters.len(), note, group: Arc::clone(group) })
    }

    /// Before the forward pass of a batch. `exchange`: whether gradients are exchanged in its backward; else they are added
    /// to those of the rank.
    ///
    /// # Errors
    /// When the last exchange was not finished: a parameter had no gradient. When a rank is gone.
    pub fn before_forward(&self, exchange: bool) -> Result<(), NativeError> {
        // SAFETY: the reducer lives as long as `self`.
        check(unsafe { ffi::eng_reducer_before_forward(self.raw.as_ptr(), exchange) })
    }

    /// Before the first backward of a batch whose gradients are exchanged. `loss`: what backward begins from; only with
    /// [`ReducerOptions::find_unused`] it has to be given.
    ///
    /// # Errors
    /// Those of libtorch.
    pub fn before_backward(&self, loss: Option<&Tensor>) -> Result<(), NativeError> {
        let loss = loss.map_or(null(), Tensor::as_ptr);
        // SAFETY: the reducer lives as long as `self`, the tensor for the call; a null pointer is none.
        check(unsafe { ffi::eng_reducer_before_backward(self.raw.as_ptr(), loss) })
    }

    /// Sets what this rank tells the others in the next exchange: as many numbers as [`ReducerOptions::note`]. They travel
    /// with the gradients, as one parameter more, in the kind of the first parameter.
    ///
    /// # Errors
    /// When there are more or fewer numbers.
    pub fn tell(&self, numbers: &[f64]) -> Result<(), NativeError> {
        if numbers.len() != self.note {
            return Err(NativeError::argument(format!("{} numbers are told, not {}", self.note, numbers.len())));
        }
        // SAFETY: the reducer lives as long as `self`, and there are as many numbers as it has places for.
        check(unsafe { ffi::eng_reducer_tell(self.raw.as_ptr(), numbers.as_ptr()) })
    }

    /// The means over all ranks of what they have told in the last exchange. It reads them from the device.
    ///
    /// # Errors
    /// When there was no exchange.
    pub fn told(&self) -> Result<Vec<f64>, NativeError> {
        let mut means = vec![0.0; self.note];
        if self.note > 0 {
            // SAFETY: the reducer lives as long as `self`, and there is a place for each of its numbers.
            check(unsafe { ffi::eng_reducer_told(self.raw.as_ptr(), means.as_mut_ptr()) })?;
        }
        Ok(means)
    }

    /// How many numbers the ranks tell each other beside the gradients.
    pub fn note(&self) -> usize {
        self.note
    }

    /// Takes part in an exchange with gradients of zero: for a rank that has no samples.
    ///
    /// # Errors
    /// When a rank does not take part in time, or is gone.
    pub fn zeros(&self) -> Result<(), NativeError> {
        // SAFETY: the reducer lives as long as `self`.
        check(unsafe { ffi::eng_reducer_zeros(self.raw.as_ptr()) })
    }

    /// Counts for the group ([`ProcessGroup::waited`]) how long the last exchange has held up backward, after all
    /// gradients were computed. To be called once after a backward that has exchanged gradients.
    pub fn count_wait(&self) {
        // SAFETY: the reducer lives as long as `self`, and no backward is under way.
        let waited = unsafe { ffi::eng_reducer_waited(self.raw.as_ptr()) };
        // below zero: no time is known
        if let Ok(nanoseconds) = u64::try_from(waited) {
            self.group.count_wait(Duration::from_nanos(nanoseconds));
        }
    }

    /// Whether the last backward has left gradients out, so that the exchange is not complete.
    pub fn is_unfinished(&self) -> bool {
        // SAFETY: the reducer lives as long as `self`, and no backward is under way.
        unsafe { ffi::eng_reducer_is_unfinished(self.raw.as_ptr()) }
    }

    /// The places of the parameters that the last backward has left out.
    ///
    /// # Errors
    /// None that is known; libtorch's are passed on.
    pub fn left_out(&self) -> Result<Vec<usize>, NativeError> {
        let mut left_out = vec![false; self.count];
        // SAFETY: the reducer lives as long as `self`, and there is a place for each of its parameters.
        check(unsafe { ffi::eng_reducer_left_out(self.raw.as_ptr(), left_out.as_mut_ptr()) })?;
        Ok((0..self.count).filter(|place| left_out[*place]).collect())
    }

    /// Whether it is for exactly those parameters of these lists that take gradients now, in this order.
    pub fn fits<'a>(&self, lists: impl IntoIterator<Item = &'a TensorList>) -> bool {
        let lists: Vec<_> = lists.into_iter().map(TensorList::raw).collect();
        // SAFETY: reducer and lists live for the call, the pointer and the length are those of one slice.
        unsafe { ffi::eng_reducer_fits(self.raw.as_ptr(), lists.as_ptr(), lists.len()) }
    }
}

impl Drop for Reducer {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone, freed once. It takes its hooks off the parameters.
        let freed = unsafe { ffi::eng_reducer_free(self.raw.as_ptr()) };
        debug_assert_eq!(freed, 0, "a reducer can always be freed");
    }
}

impl fmt::Debug for Reducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reducer")
    }
}
