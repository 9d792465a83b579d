//! The processes that train together.

use crate::base::{Error, Result, StateMap};
use crate::checkpoint::{decode_state, encode_state};
use crate::dist::{Group, Process};
use crate::record::{Logged, RowPhase, joined};
use crate::run::{Context, Exception};
use std::time::Duration;
use tch::Tensor;

/// The processes that train together. A program in one process is rank 0 of 1.
///
/// Hooks run on every rank. In most phases all ranks have the same state, apart from what they have seen of the data; what
/// hooks request of the loop is agreed on. Rows, lines and checkpoints are written by rank 0.
///
/// ```
/// use engine::prelude::*;
///
/// /// Ends a training when most ranks see a large loss.
/// #[hook]
/// pub struct Vote {
///     #[transient]
///     large: bool,
/// }
///
/// #[phases]
/// impl Vote {
///     fn after_forward(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         self.large = f64::try_from(cx.output()?.loss()?)? > 100.0;
///         Ok(())
///     }
///
///     fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         let votes = cx.sum_over_ranks(&Tensor::from(f64::from(u8::from(self.large))))?;
///         if f64::try_from(&votes)? > cx.world() as f64 / 2.0 {
///             cx.stop("the loss is large on most ranks");
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
impl Context<'_> {
    /// The number of this process among those that train together, from 0.
    pub fn rank(&self) -> usize {
        self.run.process.rank()
    }

    /// How many processes train together; 1 for one alone.
    pub fn world(&self) -> usize {
        self.run.process.world()
    }

    /// Whether this process writes files: rank 0, and one that trains alone.
    pub fn is_main(&self) -> bool {
        self.run.process.is_main()
    }

    /// How long this process has done nothing but wait for other ranks so far, by the clock of the host; `None` for a
    /// process that trains alone.
    ///
    /// ```
    /// use engine::prelude::*;
    ///
    /// /// Shows how long the last iters have waited.
    /// #[hook]
    /// pub struct Waits {
    ///     #[transient]
    ///     before: std::time::Duration,
    /// }
    ///
    /// #[phases]
    /// impl Waits {
    ///     fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
    ///         if let Some(waited) = cx.waited_for_ranks() {
    ///             cx.log_last("waited", (waited - self.before).as_secs_f64());
    ///             self.before = waited;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn waited_for_ranks(&self) -> Option<Duration> {
        match &self.run.process {
            Process::Group(group) => Some(group.waited()),
            Process::Alone => None,
        }
    }

    /// How many times the ranks have told each other something in a message of its own so far, and not with gradients or
    /// weights; `None` for a process that trains alone. An update needs none, unless a hook or a step may ask for something
    /// when its gradients are under way.
    pub fn messages_to_ranks(&self) -> Option<u64> {
        match &self.run.process {
            Process::Group(group) => Some(group.messages()),
            Process::Alone => None,
        }
    }

    /// The sum of a tensor over all ranks, in a new tensor of its shape on its device. All ranks have to call this at the
    /// same place, with tensors of one shape and kind; so not in the phases of a batch (`before_train_batch` to
    /// `after_train_batch`, `before_val_iter`, `after_val_iter` and those of test), which a rank without samples of the batch
    /// does not have.
    ///
    /// # Errors
    /// When a rank is gone.
    pub fn sum_over_ranks(&self, tensor: &Tensor) -> Result<Tensor> {
        match self.group()? {
            None => Ok(tensor.f_detach_copy()?),
            Some(group) => group.sum("a sum over the ranks that a hook or a step has asked for", tensor),
        }
    }

    /// What every rank says, in the order of ranks; tensors come on the CPU. All ranks have to call this at the same place,
    /// as [`Context::sum_over_ranks`].
    ///
    /// # Errors
    /// When a tensor can't be copied, and when a rank is gone.
    pub fn gather(&self, state: StateMap) -> Result<Vec<StateMap>> {
        let Some(group) = self.group()? else { return Ok(vec![state]) };
        let all = group.gather("a collection of states that a hook has asked for", &encode_state(&state)?)?;
        all.iter().map(|state| decode_state(state).map_err(Error::from)).collect()
    }

    /// Reads what was logged since the last row of this phase; of several ranks, what all of them have logged.
    ///
    /// # Errors
    /// Those of [`Record::read_window`](crate::record::Record::read_window), and when a rank is gone.
    pub(crate) fn read_row(&mut self, phase: RowPhase) -> Result<Vec<(String, f64)>> {
        if self.world() == 1 {
            return Ok(self.run.seen.record.read_window(phase)?);
        }
        let own = self.run.seen.record.read_logged(phase)?;
        let mut state = StateMap::new();
        state.put("names", &own.iter().map(|logged| logged.name.clone()).collect::<Vec<_>>());
        state.put("values", &own.iter().map(|logged| logged.value).collect::<Vec<_>>());
        state.put("weights", &own.iter().map(|logged| logged.weight).collect::<Vec<_>>());
        let Some(group) = self.group()? else { return Ok(Vec::new()) };
        let all = group.gather("the numbers of a row", &encode_state(&state)?)?;
        let all = all.iter().map(|state| {
            let mut state = decode_state(state)?;
            let names: Vec<String> = state.take("names")?;
            let (values, weights): (Vec<f64>, Vec<Option<f64>>) = (state.take("values")?, state.take("weights")?);
            let numbers = names.into_iter().zip(values).zip(weights);
            Ok(numbers.map(|((name, value), weight)| Logged { name, value, weight }).collect())
        });
        Ok(joined(all.collect::<Result<_>>()?))
    }

    /// Whether something was logged since the last row of this phase; true when another rank may have.
    pub(crate) fn may_have_logged(&self, phase: RowPhase) -> bool {
        self.world() > 1 || self.run.seen.record.has_pending(phase)
    }

    /// The group, unless the run fails: then other ranks may be gone.
    fn group(&self) -> Result<Option<&Group>> {
        match (self.run.process.group(), &self.run.exception) {
            (Some(_), Some(Exception::Failed(_))) => Err(Error::msg(
                "the run has failed, so nothing can be asked of other ranks any more; look at `cx.exception()` first",
            )),
            (group, _) => Ok(group),
        }
    }
}
