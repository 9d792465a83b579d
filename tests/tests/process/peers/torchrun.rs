//! Ranks that PyTorch's own launcher starts.

use super::python;
use crate::bench::Bench;
use crate::left::{assert_same, log};

/// Runs `train exp.ron` in two ranks of `torchrun`, with these options of it and these arguments.
fn torchrun(bench: &Bench, options: &[&str], more: &[&str]) -> crate::bench::Ended {
    let python = python("pytorch");
    let run = [python.to_str().unwrap(), "-m", "torch.distributed.run", "--no-python", "--nproc-per-node", "2"];
    // `$0` and the rest are the arguments of the program, which the shell knows
    let script = ["sh", "-c", "exec \"$PROGRAM\" train exp.ron --set loaders.train.batch_size=2 \"$@\"", "sh"];
    bench.run_script(&[&run[..], options, &script, more].concat())
}

#[test]
#[ignore = "needs PyTorch: `cargo xtask test --peers`"]
fn torchrun_starts_the_ranks() {
    let (ours, theirs) = (Bench::by_epoch(), Bench::by_epoch());
    ours.train(&["--ranks", "2", "--set", "loaders.train.batch_size=2"]).exits(0);
    torchrun(&theirs, &["--standalone"], &[]).exits(0);
    assert_same(&ours.path("runs/run"), &theirs.path("runs/run"), "torchrun");
}

#[test]
#[ignore = "needs PyTorch: `cargo xtask test --peers`"]
fn torchrun_shows_the_error_of_a_rank_and_starts_all_again() {
    let bench = Bench::by_epoch();
    let fault = ["--set", "trainer.fault=Error", "--set", "trainer.fault_at=15", "--set", "trainer.fault_rank=1"];
    let ended = torchrun(&bench, &["--standalone"], &fault).exits(1);
    assert!(ended.stderr.contains("the step gave up"), "{ended}");
    // each attempt goes on from the newest checkpoint, and comes to the fault again
    let bench = Bench::by_epoch();
    let again = [&fault[..], &["--resume=auto"]].concat();
    let ended = torchrun(&bench, &["--standalone", "--max-restarts", "3"], &again);
    let resumed = log(&bench.path("runs/run")).iter().filter(|line| line.starts_with("resumed from")).count();
    assert!(resumed >= 1, "{ended}");
}
