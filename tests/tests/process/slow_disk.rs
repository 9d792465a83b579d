//! A disk on which each rename takes seconds, so that checkpoints are under way for long.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, newest};
use crate::sweep::{attach, is_possible};
use std::time::{Duration, Instant};

/// Slows every rename by so many milliseconds.
fn slowed(milliseconds: u64) -> [String; 6] {
    let calls = "rename,renameat,renameat2";
    let inject = format!("inject={calls}:delay_enter={}", milliseconds * 1000);
    ["-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject].map(str::to_owned)
}

#[test]
fn a_signal_waits_for_the_checkpoint_under_way_says_so_and_loses_nothing() {
    if !is_possible() {
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    bench.edit("(interval: 1, keep: 2, save_best: [\"val/accuracy\"])", "(interval: 3, by: Iter, keep: 9)");
    let mut running = bench.start_paused(25, &[]);
    running.wait_for("mark train 1");
    let options = slowed(3000);
    let mut strace = attach(&running, &options.each_ref().map(String::as_str)).unwrap();
    // the fourth iter, while the checkpoint of the third is written
    running.wait_for("mark train 11");
    running.signal("TERM");
    let ended = running.end().exits(143);
    strace.wait().unwrap();
    let told = "SIGTERM: the run saves a checkpoint and ends after this iter; it is waiting for the checkpoint \
                `iter_000000003` to be on the disk; a second SIGTERM ends the process at once";
    assert!(ended.stderr.contains(told), "{ended}");
    let run = bench.path("runs/run");
    assert_eq!(checkpoints(&run), ["iter_000000003", "iter_000000004"], "{ended}");
    bench.edit("(interval: 3, by: Iter, keep: 9)", "(interval: 1, keep: 2, save_best: [\"val/accuracy\"])");
    bench.train(&["--resume"]).exits(0);
    assert_eq!(crate::left::rows(&whole.path("runs/run")), crate::left::rows(&run));
    assert_eq!(crate::left::tensors(&whole.path("runs/run")), crate::left::tensors(&run));
}

#[test]
fn a_second_signal_while_the_disk_is_waited_for_costs_only_the_checkpoint_under_way() {
    if !is_possible() {
        return;
    }
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    let mut running = bench.start_paused(25, &[]);
    // the checkpoint of the first epoch is done, that of the second is not
    running.wait_for("mark train 15");
    let options = slowed(20_000);
    let mut strace = attach(&running, &options.each_ref().map(String::as_str)).unwrap();
    running.wait_for("mark train 21");
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    running.signal("TERM");
    running.end().exits(143);
    strace.wait().unwrap();
    let run = bench.path("runs/run");
    assert_eq!(newest(&run), run.join("checkpoints/iter_000000003"));
    bench.train(&["--resume"]).exits(0);
    assert_same(&whole.path("runs/run"), &run, "a second signal");
}

#[test]
fn an_evaluation_of_the_process_that_has_trained_finds_its_checkpoint() {
    if !is_possible() {
        return;
    }
    // `--smoke` trains, goes on, and then does `val`, `test` and `predict` on the checkpoint, all in one process
    let bench = Bench::by_epoch();
    let mut options = slowed(400);
    options[1] = "trace.txt".to_owned();
    let options: Vec<&str> = ["-f", "-qq"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let since = Instant::now();
    let ended = bench.run_by("strace", &options, &["train", "exp.ron", "--smoke"]).exits(0);
    let last = ended.stdout.lines().last().unwrap();
    assert!(last.starts_with("smoke: a training, a checkpoint, a resume, val, test, predict work, in "), "{ended}");
    // and the disk was slow
    assert!(since.elapsed() >= Duration::from_millis(800), "{:?}: {ended}", since.elapsed());
    let trace = bench.read("trace.txt");
    assert!(trace.matches("(DELAYED)").count() >= 2, "{trace}");
}
