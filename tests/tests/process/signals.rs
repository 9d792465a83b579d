//! Being told to end, and being killed: nothing that was done is lost, and the rest comes out the same.

use crate::bench::{Bench, Running, chosen};
use crate::left::{assert_same, checkpoints, log, newest, rows, tensors};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// The run that nothing has interrupted.
fn reference() -> &'static Path {
    static DONE: OnceLock<(Bench, PathBuf)> = OnceLock::new();
    let (_, run) = DONE.get_or_init(|| {
        let bench = Bench::by_epoch();
        bench.train(&[]).exits(0);
        let run = bench.path("runs/run");
        (bench, run)
    });
    run
}

/// Starts a training and stops at this mark.
fn at_mark(bench: &Bench, mark: &str, more: &[&str]) -> Running {
    let mut running = bench.start_paused(25, more);
    running.wait_for(&format!("mark {mark}"));
    running
}

/// The iters that are finished while this batch of training is under way: 4, 4 and 2 batches an epoch.
fn iters_before(batch: u64) -> u64 {
    let (epoch, batch) = ((batch - 1) / 10, (batch - 1) % 10);
    epoch * 3 + batch / 4
}

#[test]
fn sigterm_in_mid_epoch_saves_the_last_finished_iter_and_resume_goes_on_to_the_bit() {
    // the first batch of an iter, one within it, the tail of the epoch, and any
    for batch in [5, 7, 10, 2 + chosen(28)] {
        let bench = Bench::by_epoch();
        let running = at_mark(&bench, &format!("train {batch}"), &[]);
        running.signal("TERM");
        let ended = running.end().exits(143);
        let run = bench.path("runs/run");
        // the iter under way is finished first
        let iter = iters_before(batch) + 1;
        assert_eq!(newest(&run), run.join(format!("checkpoints/iter_{iter:09}")), "batch {batch}: {ended}");
        assert!(ended.stderr.starts_with("stopped by SIGTERM"), "{ended}");
        bench.train(&["--resume"]).exits(0);
        assert_same(reference(), &run, &format!("SIGTERM in batch {batch}"));
    }
}

#[test]
fn sigterm_in_a_validation_leaves_half_of_it_out_and_resume_does_it_again() {
    // val has three batches, hard has two: 1 to 5 is the first validation, 6 to 10 the second, 11 to 15 the last
    for batch in [2, 5, 8, 14, 1 + chosen(15)] {
        let bench = Bench::by_epoch();
        let running = at_mark(&bench, &format!("val {batch}"), &[]);
        running.signal("TERM");
        running.end().exits(143);
        let run = bench.path("runs/run");
        assert_eq!(newest(&run), run.join(format!("checkpoints/iter_{:09}", 3 * (batch.div_ceil(5)))), "batch {batch}");
        bench.train(&["--resume"]).exits(0);
        assert_same(reference(), &run, &format!("SIGTERM in validation batch {batch}"));
    }
}

#[test]
fn a_run_stopped_again_and_again_comes_to_the_same() {
    let bench = Bench::by_epoch();
    for (mark, more) in [("train 6", &[][..]), ("train 13", &["--resume"]), ("val 3", &["--resume"])] {
        let running = at_mark(&bench, mark, more);
        running.signal("INT");
        running.end().exits(130);
    }
    bench.train(&["--resume"]).exits(0);
    assert_same(reference(), &bench.path("runs/run"), "three signals");
    // by the hook's state all batches were seen, each once, in four processes
    let said = log(&bench.path("runs/run"));
    let last = said.iter().rfind(|line| line.starts_with("witness")).unwrap();
    assert!(last.starts_with("witness: 30 batches in all, ") && !last.contains("30 in this process"), "{last}");
}

#[test]
fn by_iter_a_run_that_was_stopped_goes_on_to_the_bit() {
    let whole = Bench::by_iter();
    whole.train(&[]).exits(0);
    // in the middle of an update that reaches over the end of a pass, in a validation, and anywhere
    for mark in ["train 8".to_owned(), "val 2".to_owned(), format!("train {}", 1 + chosen(23))] {
        let bench = Bench::by_iter();
        let running = at_mark(&bench, &mark, &[]);
        running.signal("TERM");
        running.end().exits(143);
        bench.train(&["--resume"]).exits(0);
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), &mark);
    }
}

#[test]
fn sigint_ends_with_130_after_the_checkpoint() {
    let bench = Bench::by_epoch();
    let running = at_mark(&bench, "train 2", &[]);
    running.signal("INT");
    let ended = running.end().exits(130);
    assert!(ended.stderr.starts_with("stopped by SIGINT at epoch 0, iter 1"), "{ended}");
    assert_eq!(checkpoints(&bench.path("runs/run")), ["iter_000000001"]);
}

#[test]
fn a_second_signal_ends_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::by_epoch();
        let mut running = bench.start_paused(20_000, &[]);
        running.wait_for("mark train 1");
        running.signal(signal);
        // the handler of the first one runs at once, and the step goes on sleeping
        std::thread::sleep(Duration::from_millis(50));
        let since = std::time::Instant::now();
        running.signal(signal);
        running.end().exits(code);
        assert!(since.elapsed() < Duration::from_secs(10));
        assert!(checkpoints(&bench.path("runs/run")).is_empty());
    }
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_anew() {
    let bench = Bench::by_epoch();
    // rows of iters that no checkpoint holds must not stay
    let mut running = bench.start_paused(25, &[]);
    running.wait_for("train  epoch 0  iter 2");
    running.kill();
    assert_eq!(running.end().signal, Some(9));
    assert_eq!((checkpoints(&bench.path("runs/run")).len(), rows(&bench.path("runs/run")).len()), (0, 1));
    bench.train(&["--resume"]).exits(0);
    assert_same(reference(), &bench.path("runs/run"), "killed before the first checkpoint");
}

#[test]
fn sigkill_at_any_instant_costs_no_more_than_the_way_from_the_last_checkpoint() {
    for round in 0..4 {
        // a checkpoint after every iter, so that many kills fall into its writing
        let bench = Bench::by_epoch();
        let every = &["--set", "hooks.checkpoint.by=Iter"];
        let mut kills = Vec::new();
        for attempt in 0..3 {
            let resume: &[&str] = if attempt == 0 { &[] } else { &["--resume"] };
            let mut running = bench.start_paused(3, &[every, resume].concat());
            running.wait_for("Heaps in");
            let wait = chosen(350);
            kills.push(wait);
            std::thread::sleep(Duration::from_millis(wait));
            running.kill();
            running.end();
        }
        bench.train(&[&every[..], &["--resume"]].concat()).exits(0);
        let run = bench.path("runs/run");
        assert_eq!(rows(reference()), rows(&run), "round {round}, killed after {kills:?} ms");
        assert_eq!(tensors(reference()), tensors(&run), "round {round}, killed after {kills:?} ms");
        // nothing half written is left
        let left = std::fs::read_dir(run.join("checkpoints")).unwrap();
        let hidden = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
        assert_eq!(hidden.count(), 0, "round {round}, killed after {kills:?} ms");
    }
}

#[test]
fn an_evaluation_that_is_told_to_end_says_nothing_of_resuming() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    let checkpoint = &["--checkpoint", "runs/run", "--set", "trainer.pause=100"];
    let mut running = bench.start(&[&["val", "exp.ron"], &checkpoint[..]].concat());
    running.wait_for("mark val 1");
    running.signal("TERM");
    let ended = running.end().exits(143);
    assert!(ended.stderr.starts_with("stopped by SIGTERM") && !ended.stderr.contains("--resume"), "{ended}");
}

#[test]
fn a_signal_while_a_worker_is_stuck_says_what_is_waited_for_and_a_second_one_ends_the_run() {
    let bench = Bench::by_epoch();
    // without an order of chance the first iter has the points 0 to 15
    let set = ["--set", "loaders.train.dataset.stuck=17", "--set", "loaders.train.shuffle=false"];
    let running = at_mark(&bench, "train 4", &set);
    // until the wait for the batch counts as one
    std::thread::sleep(Duration::from_millis(1500));
    running.signal("INT");
    std::thread::sleep(Duration::from_millis(3500));
    running.signal("INT");
    let ended = running.end().exits(130);
    let told = "SIGINT: the run saves a checkpoint and ends after this iter; it is waiting for sample 17 in pass 0 \
                of loader `train`; a second Ctrl-C ends the process at once";
    assert!(ended.stderr.contains(told), "{ended}");
}

#[test]
fn a_worker_that_is_stuck_longer_than_the_timeout_of_its_loader_is_an_error_that_names_the_sample() {
    let bench = Bench::by_epoch();
    let set = ["--set", "loaders.train.dataset.stuck=13", "--set", "loaders.train.shuffle=false"];
    let ended = bench.train(&[&set[..], &["--set", "loaders.train.timeout=0.3"]].concat()).exits(1);
    assert!(ended.stderr.contains("loader `train` waited 0.3 s for sample 13 in pass 0"), "{ended}");
}
