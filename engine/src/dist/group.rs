//! A group of processes, from within one of them.

use crate::base::{Error, Result};
use crate::dist::alive::Alive;
use crate::dist::error::{DistError, Lost, is_of_others};
use crate::dist::hello::Hello;
use crate::dist::launched::Launched;
use crate::dist::rendezvous::Meeting;
use crate::dist::settings::{Compress, DistSettings};
use crate::native::{NativeError, Pending, ProcessGroup, ReducerOptions, TensorList};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tch::{Kind, Tensor};

/// The processes that train together, from within one of them.
///
/// All ranks call the same methods in the same order. `doing` says what the ranks do, for the error when one of them is
/// gone: "the agreement on the next iter".
#[derive(Debug)]
pub struct Group {
    rank: usize,
    world: usize,
    launched: Launched,
    reducer: ReducerOptions,
    shards_optimizer: bool,
    syncs_batch_norm: bool,
    /// Gradients and weights go through it. It is as Python's default group, so that a rank may be a process of Python's.
    gradients: Arc<ProcessGroup>,
    /// Everything else: on the CPU, so that no device is waited for.
    control: ProcessGroup,
    /// How many messages went through it.
    messages: AtomicU64,
    alive: Alive,
    // the last to go, as others may still read in it
    _served: Option<crate::native::Store>,
}

impl Group {
    /// Joins the other ranks of the job: waits until all have come, and are of one kind; or until `told_to_end` gives the
    /// number of a signal, here or on another rank.
    ///
    /// # Errors
    /// When a rank does not come within the time of the settings, the ranks differ, or the address of the store can't be used.
    pub fn join(
        launched: Launched,
        hello: &Hello,
        settings: &DistSettings,
        told_to_end: &dyn Fn() -> Option<i32>,
    ) -> Result<Group, DistError> {
        let (rank, world, timeout) = (launched.rank, launched.world, settings.time());
        let meeting = Meeting::at(&launched, timeout, told_to_end)?;
        hello.say(&meeting.store, (rank, world), timeout, told_to_end)?;
        let Meeting { store, beats, groups, served } = meeting;
        let by_main = !launched.store_is_served;
        let alive = Alive::begin(store, beats, rank, world, by_main).map_err(|error| DistError::Native {
            doing: "the start of a thread".to_owned(),
            source: NativeError::argument(error.to_string()),
        })?;
        let host = (launched.is_local() && std::env::var_os("GLOO_SOCKET_IFNAME").is_none()).then_some("127.0.0.1");
        let group = |name| {
            ProcessGroup::gloo(&groups, name, rank, world, timeout, host)
                .map_err(|source| explain(&alive, "the connection of the ranks", source))
        };
        let (gradients, control) = (Arc::new(group("0")?), group("engine")?);
        let reducer = ReducerOptions {
            bucket_bytes: (settings.bucket_mb * f64::from(1 << 20)) as usize,
            find_unused: settings.find_unused,
            compress: match settings.compress {
                Compress::Off => None,
                Compress::Bf16 => Some(Kind::BFloat16),
                Compress::F16 => Some(Kind::Half),
            },
            note: 0,
        };
        let (shards_optimizer, syncs_batch_norm) = (settings.shard_optimizer, settings.sync_batch_norm);
        Ok(Group {
            rank,
            world,
            launched,
            reducer,
            shards_optimizer,
            syncs_batch_norm,
            gradients,
            control,
            messages: AtomicU64::new(0),
            alive,
            _served: served,
        })
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many ranks there are.
    pub fn world(&self) -> usize {
        self.world
    }

    /// What the launcher has told.
    pub fn launched(&self) -> &Launched {
        &self.launched
    }

    /// How gradients are exchanged.
    pub fn reducer_options(&self) -> ReducerOptions {
        self.reducer
    }

    /// Whether the state of optimizers is divided over the ranks.
    pub fn shards_optimizer(&self) -> bool {
        self.shards_optimizer
    }

    /// Whether batch norm is over the batches of all ranks.
    pub fn syncs_batch_norm(&self) -> bool {
        self.syncs_batch_norm
    }

    /// The group for gradients.
    pub fn for_gradients(&self) -> &Arc<ProcessGroup> {
        &self.gradients
    }

    /// How long this process has waited for others since it has joined: for gradients, weights and messages.
    pub fn waited(&self) -> Duration {
        self.gradients.waited() + self.control.waited()
    }

    /// How many times the ranks have told each other something in a message of its own, and not with gradients or weights,
    /// since they have joined.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// What every rank says, in the order of ranks.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn gather(&self, doing: &'static str, bytes: &[u8]) -> Result<Vec<Vec<u8>>, DistError> {
        let lengths = self.begin_numbers(doing, &[bytes.len() as f64])?.wait(self)?;
        let most = lengths.iter().fold(1.0, |most: f64, length| most.max(*length)) as usize;
        let mut padded = bytes.to_vec();
        padded.resize(most, 0);
        let failed = |source| self.explain(doing, source);
        let all = self.control.all_gather(&Tensor::from_slice(&padded)).map_err(failed)?;
        let all = numbers::<u8>(&all).map_err(failed)?;
        Ok(all.chunks(most).zip(lengths).map(|(part, length)| part[..length as usize].to_vec()).collect())
    }

    /// What every rank says, in the order of ranks, on rank 0; the others get nothing.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn gather_to_main(&self, doing: &'static str, bytes: &[u8]) -> Result<Vec<Vec<u8>>, DistError> {
        let lengths = self.begin_numbers(doing, &[bytes.len() as f64])?.wait(self)?;
        let most = lengths.iter().fold(1.0, |most: f64, length| most.max(*length)) as usize;
        let mut padded = bytes.to_vec();
        padded.resize(most, 0);
        let failed = |source| self.explain(doing, source);
        let Some(all) = self.control.gather(&Tensor::from_slice(&padded)).map_err(failed)? else {
            return Ok(Vec::new());
        };
        let all = numbers::<u8>(&all).map_err(failed)?;
        Ok(all.chunks(most).zip(lengths).map(|(part, length)| part[..length as usize].to_vec()).collect())
    }

    /// What rank 0 says; what the others give counts for nothing.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn from_main(&self, doing: &'static str, bytes: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, DistError> {
        let own = if self.rank == 0 { bytes() } else { Vec::new() };
        Ok(self.gather(doing, &own)?.swap_remove(0))
    }

    /// Begins to exchange at most [`MOST_NUMBERS`] numbers; [`Numbers::wait`] gives those of all ranks. As many on every
    /// rank.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn begin_numbers(&self, doing: &'static str, own: &[f64]) -> Result<Numbers, DistError> {
        debug_assert!(own.len() <= MOST_NUMBERS);
        // all messages have one length, and say what they are about: ranks that are at different places notice it
        let mut message = [0.0; MOST_NUMBERS + 1];
        message[0] = tag(doing);
        message[1..].iter_mut().zip(own).for_each(|(place, number)| *place = *number);
        self.messages.fetch_add(1, Ordering::Relaxed);
        let pending = self.control.begin_all_gather(&Tensor::from_slice(&message));
        Ok(Numbers { pending: pending.map_err(|source| self.explain(doing, source))?, doing, count: own.len() })
    }

    /// Waits for all ranks.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn meet(&self, doing: &'static str) -> Result<(), DistError> {
        self.begin_numbers(doing, &[0.0])?.wait(self).map(drop)
    }

    /// The sum of a tensor over all ranks, `[…]` as the tensor itself and on its device.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn sum(&self, doing: &'static str, tensor: &Tensor) -> Result<Tensor> {
        // other lengths would end the process within Gloo
        let elements =
            self.begin_numbers(doing, &[tensor.numel() as f64, f64::from(tensor.kind() as u8)])?.wait(self)?;
        if elements.chunks(2).any(|of_rank| of_rank != &elements[..2]) {
            let shape = tensor.size();
            let text = format!(
                "{doing} needs tensors of one shape and kind on all ranks; here it is {shape:?} {:?}",
                tensor.kind()
            );
            return Err(DistError::OutOfStep(text).into());
        }
        let mut sum = tensor.f_detach_copy()?.f_contiguous()?;
        self.gradients.all_reduce_sum(&mut sum).map_err(|source| self.explain(doing, source))?;
        Ok(sum)
    }

    /// Replaces the values of these tensors by those of rank 0.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn broadcast(&self, doing: &str, tensors: &TensorList) -> Result<(), DistError> {
        self.gradients.broadcast(tensors, 0).map_err(|source| self.explain(doing, source))
    }

    /// An error of this process, with what is known of the rank that has caused it, if another one has. It takes up to
    /// three seconds then.
    pub fn told(&self, error: Error) -> Error {
        if error.downcast_ref::<DistError>().is_some() || !is_of_others(&format!("{error:#}")) {
            return error;
        }
        let why = error.chain().pop().unwrap_or_default();
        match self.alive.lost("the exchange of gradients", first_line(&why)) {
            // a dataset may have lost its own connection
            Lost { who: None, .. } => error,
            lost => Error::new(DistError::from(lost)),
        }
    }

    /// Tells the others that this process ends with an error.
    pub fn leave(&self, error: &Error) {
        let own = !matches!(error.downcast_ref::<DistError>(), Some(DistError::Lost(_)));
        self.alive.leave(&format!("{error:#}"), own);
    }

    fn explain(&self, doing: &str, source: NativeError) -> DistError {
        explain(&self.alive, doing, source)
    }
}

fn explain(alive: &Alive, doing: &str, source: NativeError) -> DistError {
    match is_of_others(&source.text) {
        true => DistError::Lost(alive.lost(doing, first_line(&source.text))),
        false => DistError::Native { doing: doing.to_owned(), source },
    }
}

/// Gloo's texts begin with the line of its own source.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, told)) => told.to_owned(),
        None => line.to_owned(),
    }
}

/// The most numbers of one [`Group::begin_numbers`].
pub const MOST_NUMBERS: usize = 7;

/// Numbers that are on their way between the ranks.
#[derive(Debug)]
#[must_use = "the other ranks wait for them too"]
pub struct Numbers {
    pending: Pending,
    doing: &'static str,
    count: usize,
}

impl Numbers {
    /// The numbers of all ranks, one rank after the other.
    ///
    /// # Errors
    /// [`Lost`], when a rank is gone.
    pub fn wait(self, group: &Group) -> Result<Vec<f64>, DistError> {
        let Numbers { pending, doing, count } = self;
        let all = pending.wait().map_err(|source| group.explain(doing, source))?;
        let all: Vec<f64> = numbers(&all).map_err(|source| group.explain(doing, source))?;
        let ranks = || all.chunks_exact(MOST_NUMBERS + 1);
        if let Some(rank) = ranks().position(|message| message[0] != tag(doing)) {
            let own = group.rank;
            let text = format!(
                "rank {own} is at {doing}, and rank {rank} at something else; a hook, step or loop that asks for something of all ranks has to run on all of them"
            );
            return Err(DistError::OutOfStep(text));
        }
        Ok(ranks().flat_map(|message| &message[1..=count]).copied().collect())
    }
}

/// Stands for what the ranks do: 52 bits of a hash (FNV-1a), which a float holds exactly.
fn tag(doing: &str) -> f64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    (doing.bytes().fold(0xcbf2_9ce4_8422_2325, step) >> 12) as f64
}

/// The numbers of a tensor, one after the other.
fn numbers<N: tch::kind::Element + Copy + Default>(tensor: &Tensor) -> Result<Vec<N>, NativeError> {
    let failed = |error: tch::TchError| NativeError::argument(error.to_string());
    let mut all = vec![N::default(); tensor.numel()];
    let flat = tensor.f_reshape([-1]).map_err(failed)?;
    flat.f_copy_data(&mut all, tensor.numel()).map_err(failed)?;
    Ok(all)
}

/// A failure that another rank has caused, if that is what an error is about.
pub(super) fn lost_of(error: &Error) -> Option<&Lost> {
    match error.downcast_ref::<DistError>() {
        Some(DistError::Lost(lost)) => Some(lost),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_gloos_source_is_left_out() {
        let text =
            "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1\nmore";
        assert_eq!(first_line(text), "Connection closed by peer [127.0.0.1]:1");
        assert_eq!(first_line("Timed out"), "Timed out");
    }

    #[test]
    fn different_deeds_have_different_tags() {
        assert_ne!(tag("the agreement on an update"), tag("the weighing of batches"));
        assert_eq!(tag("the weighing of batches").fract(), 0.0);
    }
}
