//! What one training step costs: this engine, a loop written by hand over the same kernels, and PyTorch.
//!
//! `cargo bench -p engine --bench step` compares the first two on the CPU; `-- --help` tells the rest. With
//! `--peers "python3 xtask/src/gpu_bundle/files/peers.py"` PyTorch takes part, in processes of its own: the same
//! networks, weights and data, and the losses are printed, so that it can be seen that all do the same.
//!
//! Each way is a process that waits for the number of iters of its next round (`talk`). `compare` starts them, lets
//! them run in turn, so that a change of the machine's speed meets all of them, and takes medians.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench ends when something is wrong")]

mod args;
pub mod by_engine;
mod by_hand;
mod compare;
mod figures;
pub mod images;
pub mod nets;
mod parts;
mod process;
pub mod prove;
mod talk;
pub mod validate;
mod work;

use args::Command;
use engine::native::load_accelerator;
use engine::prelude::{Device, Result};
use std::process::ExitCode;
use work::{OPTIMIZERS, Way, Work};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command = match args::parse(&words) {
        Ok(command) => command,
        Err(text) => {
            eprintln!("error: {text}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Command::Compare(options) => compare::compare(&options),
        Command::Process => process::measure(),
        Command::Steps { iters } => by_engine::steps(iters),
        Command::Figures { files, to } => figures::write(&files, &to),
        Command::Serve { work, way, device } => {
            load_accelerator().map_err(Into::into).and_then(|_| serve(work, way, device))
        }
        Command::Profile { net, way, device } => load_accelerator()
            .map_err(Into::into)
            .and_then(|_| by_engine::profile(net, device, if way == Way::Captured { "CudaGraph()" } else { "Eager" })),
        Command::Prove { device } => load_accelerator().map_err(Into::into).and_then(|_| prove::prove(device)),
        Command::Loader { device } => load_accelerator().map_err(Into::into).and_then(|_| images::prove(device)),
        Command::Check { net, device, from_host } => {
            load_accelerator().map_err(Into::into).and_then(|_| by_engine::check(net, device, from_host))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does one work in one way, round after round, until its input ends.
fn serve(work: Work, way: Way, device: Device) -> Result<()> {
    match (work, way) {
        (Work::Net(net), Way::Hand | Way::Foreach) => by_hand::serve(net, device, way == Way::Foreach),
        (Work::Net(net), _) => by_engine::serve(net, device, way),
        (Work::Validation, Way::Hand) => validate::by_hand(device),
        (Work::Validation, _) => validate::by_engine(device),
        (Work::Adamw(tensors), _) => parts::adamw(tensors, device),
        (Work::Optimizer(place), _) => parts::optimizer(OPTIMIZERS[place].1, device),
        (Work::Clip(tensors), _) => parts::clip(tensors, device),
        (Work::Images, _) => images::serve(device, way),
        (Work::Samples, _) => parts::samples(if way == Way::Workers { 2 } else { 0 }),
    }
}
