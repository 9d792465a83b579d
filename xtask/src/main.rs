//! Set-up and chores of this repository: `cargo xtask help` lists them.
//!
//! The first thing that a newcomer compiles: it builds in seconds, without libtorch, and brings or
//! finds all that the rest needs. Exit codes: 0 done, 1 failed, 2 not understood.

mod args;
mod bench;
mod bring;
mod cache;
mod cargo;
mod cargo_config;
mod chores;
mod doctor;
mod gpu_bundle;
mod libtorch;
mod machine;
mod peers;
mod problem;
mod python;
#[cfg(test)]
mod scratch;
mod setup;

use args::Command;
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let command = match args::parse(&args) {
        Ok(command) => command,
        Err(text) => {
            eprintln!("error: {text}\n`cargo xtask help` explains all commands");
            return ExitCode::from(2);
        }
    };
    let root = root();
    let done = match command {
        Command::Setup(device) => chores::setup(&root, device),
        Command::Demo(device) => chores::demo(&root, device),
        Command::Test(device, peers) => chores::test(&root, device, peers),
        Command::Ci(peers) => chores::ci(&root, peers),
        Command::Torture(numbers) => chores::torture(&root, numbers),
        Command::Bench(bench) => chores::bench(&root, &bench),
        Command::Doctor => doctor::report(&root),
        Command::Link(dir) => chores::link(&root, &dir),
        Command::GpuBundle(out) => gpu_bundle::make(&root, out),
        Command::Help(topic) => {
            print!("{}", args::help(topic));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace. cargo says at run time where this package lies; a program that was
/// started by hand remembers where it was built.
fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}
