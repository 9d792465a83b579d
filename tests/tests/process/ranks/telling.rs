//! What ranks tell each other of an update, and what it costs: no message as long as nothing is asked.

use super::training::{assert_equal_ranks, trained};
use super::{distance, errors, fingerprints, of, ranks_of, signal};
use crate::bench::{Bench, Running, chosen};
use crate::left::{assert_same, checkpoints, log, newest};

const HALVES: &str = "loaders.train.batch_size=4";

/// Batches that have all samples.
fn whole() -> Bench {
    let bench = Bench::leaving();
    bench.edit("samples: 44", "samples: 44, whole: true");
    bench
}

/// How many messages there were in each iter between the first and the last, which writes a row.
fn messages(bench: &Bench, settings: &[&str]) -> Vec<u64> {
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    bench.train(&[&of("2", HALVES)[..], &settings].concat()).exits(0);
    let until: Vec<u64> = log(&bench.path("runs/run"))
        .iter()
        .filter(|line| line.starts_with("messages until iter "))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(until.len(), 12);
    until[..11].windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn an_update_needs_no_message() {
    // a tail of four samples; accumulated batches; one sample in a tail, which rank 0 has
    for settings in [&[][..], &["train.accumulate=3"], &["loaders.train.dataset.samples=41"]] {
        assert_eq!(messages(&whole(), settings), [0; 10], "{settings:?}");
    }
}

#[test]
fn what_is_known_late_costs_a_message() {
    // weights that ranks can't know of each other, before or after backward; what a step may ask after its backward
    assert_eq!(messages(&Bench::stating(), &[]), [1; 10]);
    assert_eq!(messages(&Bench::leaving(), &[]), [1; 10]);
    assert_eq!(messages(&whole(), &["trainer.goes_backward=true"]), [1; 10]);
    // hooks that may ask after the update, as one that hands its context on, and for leaving it out
    for (hook, count) in [("Fingerprint()", 1), ("LateSkipper(at: 1000)", 2)] {
        let bench = whole();
        bench.edit("[Telling()]", &format!("[Telling(), {hook}]"));
        assert_eq!(messages(&bench, &[]), [count; 10], "{hook}");
    }
}

#[test]
fn a_hook_that_can_ask_for_nothing_costs_no_message() {
    for hook in ["Ema()", "Witness()", "Painter()"] {
        let bench = whole();
        bench.edit("[Telling()]", &format!("[Telling(), {hook}]"));
        assert_eq!(messages(&bench, &[]), [0; 10], "{hook}");
    }
}

#[test]
fn batches_that_do_not_weigh_what_they_have_samples_give_the_gradient_of_one_process() {
    for bench in [Bench::stating, Bench::leaving] {
        for more in [&[][..], &["--set", "train.accumulate=2"]] {
            let (_one, alone) = trained(bench(), more);
            let (_two, group) = trained(bench(), &[&of("2", HALVES)[..], more].concat());
            assert_equal_ranks(&group, 2);
            let found = distance(&alone, &group);
            assert!(found > 0.0 && found < 1e-6, "{found:e}");
            // the same bits when it was interrupted
            let again = bench();
            again.train(&[&of("2", HALVES)[..], more, &["--max-iters", "5"]].concat()).exits(0);
            again.train(&[&of("2", HALVES)[..], more, &["--resume"]].concat()).exits(0);
            assert_same(&group, &again.path("runs/run"), "interrupted");
        }
    }
}

/// A training in two ranks whose steps are announced and then sleep.
fn started(bench: &Bench, pause: u64, more: &[&str]) -> Running {
    let pause = format!("trainer.pause={pause}");
    bench.start(
        &[&["train", "exp.ron", "--set", &pause, "--set", "dist.timeout=3"], &of("2", HALVES)[..], more].concat(),
    )
}

#[test]
fn a_signal_to_any_rank_ends_all_at_one_iter_without_messages() {
    let (_reference, reference) = trained(whole(), &of("2", HALVES));
    for to in ["launcher", "rank 0", "rank 1"] {
        let bench = whole();
        let mut running = started(&bench, 25, &[]);
        running.wait_for(&format!("mark train {}", 1 + chosen(9)));
        let ranks = ranks_of(&running);
        match to {
            "launcher" => running.signal("TERM"),
            "rank 0" => signal(ranks[0], "TERM"),
            _ => signal(ranks[1], "TERM"),
        }
        let ended = running.end().exits(143);
        assert!(errors(&ended).starts_with("stopped by SIGTERM at "), "{to}: {ended}");
        let run = bench.path("runs/run");
        let iter = assert_equal_ranks(&run, 2);
        assert_eq!(newest(&run), run.join(format!("checkpoints/iter_{iter:09}")), "{to}: {ended}");
        bench.train(&[&of("2", HALVES)[..], &["--resume"]].concat()).exits(0);
        assert_same(&reference, &run, to);
        assert_eq!(fingerprints(&reference, 1).pop(), fingerprints(&run, 1).pop(), "{to}");
    }
}

#[test]
fn a_checkpoint_that_one_rank_is_asked_for_comes_without_messages() {
    let (_reference, reference) = trained(whole(), &of("2", HALVES));
    let bench = whole();
    let mut running = started(&bench, 40, &[]);
    running.wait_for("mark train 3");
    signal(ranks_of(&running)[1], "USR1");
    running.end().exits(0);
    let run = bench.path("runs/run");
    assert!(log(&run).iter().any(|line| line.starts_with("SIGUSR1: iter ")), "{:?}", log(&run));
    assert_same(&reference, &run, "SIGUSR1 to rank 1");
    // the clock of rank 0 asks, which is no other one's
    let timed = whole();
    timed.edit("checkpoint: (interval: 1000)", "checkpoint: (interval: 1000, minutes: Some(0.001), keep: 100)");
    started(&timed, 25, &[]).end().exits(0);
    let written = checkpoints(&timed.path("runs/run"));
    assert!(written.len() > 2, "{written:?}");
    assert_same(&reference, &timed.path("runs/run"), "checkpoints by time");
}

#[test]
fn what_the_step_of_one_rank_asks_for_is_done_by_all_after_its_iter() {
    for more in ["trainer.goes_backward=false", "trainer.goes_backward=true"] {
        let bench = whole();
        let ended = bench.train(&[&of("2", HALVES)[..], &["--set", "trainer.ends_at=5", "--set", more]].concat());
        let ended = ended.exits(0);
        assert!(ended.stdout.contains("one rank has seen enough"), "{ended}");
        assert_eq!(assert_equal_ranks(&bench.path("runs/run"), 2), 5, "{more}: {ended}");
    }
}
