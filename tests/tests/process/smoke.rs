//! `train --smoke` and `--limit-val`: a training that is tried before it is begun, and validations that are cut short.

use crate::bench::Bench;
use crate::left::rows;

/// A bench whose temporary files are in its own folder.
fn bench() -> Bench {
    let mut bench = Bench::by_epoch();
    std::fs::create_dir(bench.path("scratch")).unwrap();
    bench.set_env("TMPDIR", bench.path("scratch").to_str().unwrap());
    bench
}

/// Nothing is left: neither a run, nor what was made for the moment.
#[track_caller]
fn assert_untouched(bench: &Bench) {
    assert!(!bench.path("runs").exists());
    assert_eq!(std::fs::read_dir(bench.path("scratch")).unwrap().count(), 0);
}

#[test]
fn a_smoke_run_tries_every_command_and_leaves_nothing() {
    let bench = bench();
    // what would write elsewhere does not
    let more = ["--set", "sinks=[TensorBoard(folder: \"events\")]", "--set", "val=(interval: 1000, sanity: 0)"];
    let ended = bench.train(&[&["--smoke"], &more[..]].concat()).exits(0);
    for part in
        ["smoke: training\n", "resumed from ", "smoke: resuming from its checkpoint\n", "smoke: val\n", "smoke: test\n"]
    {
        assert!(ended.stdout.contains(part), "no `{part}` in {}", ended.stdout);
    }
    let last = ended.stdout.lines().last().unwrap();
    assert!(last.starts_with("smoke: a training, a checkpoint, a resume, val, test, predict work, in "), "{last}");
    // a validation after each of the four updates, of two batches: ten samples of twelve
    let validated = ended.stdout.lines().filter(|line| line.starts_with("val val "));
    assert!(validated.count() >= 4, "{}", ended.stdout);
    assert_untouched(&bench);
    assert!(!bench.path("events").exists());
    // a trainer with fewer roles
    let by_iter = Bench::by_iter();
    let ended = by_iter.train(&["--smoke"]).exits(0).stdout;
    assert!(ended.lines().last().unwrap().starts_with("smoke: a training, a checkpoint, a resume"), "{ended}");
    assert!(!by_iter.path("runs").exists());
}

#[test]
fn what_would_fail_at_the_end_fails_in_a_smoke_run_and_leaves_nothing() {
    let bench = bench();
    bench.train(&["--smoke", "--set", "loaders.test.dataset.path=gone.csv"]).exits(1).says("gone.csv");
    assert_untouched(&bench);
    bench.train(&["--smoke", "--set", "optimizer.lr=-1.0"]).exits(2).says("must be above 0");
    bench.train(&["--smoke", "--resume"]).exits(2).says("cannot be used with");
    assert_untouched(&bench);
}

#[test]
fn a_smoke_run_leaves_out_what_the_experiment_leaves_out() {
    let by_iter = Bench::by_iter();
    by_iter.edit("        val: (dataset: Points(samples: 12, part: 1), batch_size: 5),\n", "");
    by_iter.edit("    val: (interval: 5, sanity: 0),\n", "");
    let ended = by_iter.train(&["--smoke"]).exits(0).stdout;
    let last = ended.lines().last().unwrap();
    assert!(last.starts_with("smoke: a training, a checkpoint, a resume work, in "), "{ended}");
}

#[test]
fn losses_that_are_not_finite_do_not_work() {
    let bench = bench();
    bench
        .train(&["--smoke", "--set", "trainer.fault=Nan", "--set", "trainer.fault_at=2"])
        .exits(1)
        .says("`train/loss` is not finite after update 1; look at the learning rate");
    assert_untouched(&bench);
}

#[test]
fn what_a_killed_smoke_run_leaves_the_next_one_removes() {
    let mut bench = bench();
    let mut killed = bench.start(&["train", "exp.ron", "--smoke", "--set", "trainer.pause=200"]);
    killed.wait_for("mark train 1");
    killed.signal("KILL");
    killed.end();
    assert_eq!(std::fs::read_dir(bench.path("scratch")).unwrap().count(), 1);
    bench.train(&["--smoke"]).exits(0);
    assert_untouched(&bench);
    bench.set_env("TMPDIR", "/nonexistent");
    let ended =
        bench.train(&["--smoke"]).exits(1).says("no folder can be made in `/nonexistent`; `TMPDIR` names another");
    assert!(ended.stderr.contains("No such file"), "{ended}");
}

#[test]
fn a_limited_validation_measures_the_first_batches() {
    let bench = bench();
    // twelve samples in batches of five
    let shares = |more: &[&str]| {
        bench.train(&[&["--fresh"], more].concat()).exits(0);
        let found = rows(&bench.path("runs/run"));
        let of_val = found.into_iter().filter(|row| row["phase"] == "val" && row["loader"] == "val");
        of_val.map(|row| row["accuracy"].as_f64().unwrap() * 5.0).collect::<Vec<_>>()
    };
    let is_whole = |share: &f64| (share - share.round()).abs() < 1e-6;
    let limited = shares(&["--limit-val", "1"]);
    assert!(limited.len() == 3 && limited.iter().all(is_whole), "{limited:?}");
    let all = shares(&[]);
    assert!(all.len() == 3 && !all.iter().all(is_whole), "{all:?}");
    assert_eq!(shares(&["--limit-val", "100"]), all);
}
