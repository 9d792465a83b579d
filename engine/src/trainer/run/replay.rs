//! `replay`: the update of a dump, computed again alone.

use crate::base::Result;
use crate::checkpoint;
use crate::dist::Process;
use crate::loops::{Replayed, Role};
use crate::trainer::run::program::{build_on, prepare, scale_gradients};
use crate::trainer::run::ranks;
use crate::trainer::{Build, Experiment};
use std::path::Path;

/// Computes the update of a dump again: its step and backward, on the weights, batches and random numbers that it had. No
/// hook is called, no optimizer steps, and no file is written. With the experiment of the run that was dumped, the losses and
/// gradients are the same to the bit where the run itself repeats to the bit.
///
/// # Errors
/// When the dump can't be read or doesn't fit the experiment, or something fails while building. An error of the step is
/// part of the result.
pub fn run_replay<T: Build>(experiment: Experiment<T>, dump: &Path) -> Result<Replayed> {
    ranks::is_alone("replay")?;
    // a damaged dump is told before anything is built
    let snapshot = checkpoint::load(dump)?;
    let device = prepare(&experiment, &Process::Alone)?;
    let scales = experiment.train.gradient_scale.clone();
    let mut program = build_on(device, experiment, &[Role::Train])?;
    scale_gradients(&mut program, &scales)?;
    program.deal_loaders()?;
    program.replay(snapshot)
}
