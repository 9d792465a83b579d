//! Panics in the plain functions of a program: each ends with a text and the exit code of a failure, as an error does.

use crate::bench::{Bench, Ended};

/// Runs a command with a function that panics.
fn panicked(bench: &mut Bench, place: &str, arguments: &[&str]) -> Ended {
    bench.set_env("PANIC_IN", place);
    let ended = bench.run(arguments);
    bench.set_env("PANIC_IN", "");
    ended
}

/// It is told as an error, with its text and its place, and not by Rust itself.
fn assert_told(ended: &Ended, place: &str, code: i32) {
    assert_eq!(ended.code, Some(code), "{place}: {ended}");
    let text = &ended.stderr;
    assert!(text.starts_with("error: ") && text.contains(&format!("`{place}` fell over")), "{place}: {ended}");
    assert!(text.contains("tests/src/bin/panicking.rs:"), "{place}: {ended}");
    assert!(!text.contains("thread '") && !text.contains("RUST_BACKTRACE"), "{place}: {ended}");
}

#[test]
fn a_panic_in_any_function_of_a_program_ends_as_an_error() {
    let train = ["train", "exp.ron", "--fresh"];
    let of_training = [
        "open",
        "len",
        "get",
        "weights",
        "batch",
        "samples",
        "order",
        "build",
        "update",
        "compute",
        "reset",
        "measures",
        "factor",
        "train_step",
        "val_step",
    ];
    let mut bench = Bench::panicking();
    for place in of_training {
        // factors are tried before the training, so that the experiment is refused
        let code = if place == "factor" { 2 } else { 1 };
        assert_told(&panicked(&mut bench, place, &train), place, code);
    }
    bench.edit("batch_size: 2,", "batch_size: 2, workers: 2,");
    for place in ["get", "batch"] {
        assert_told(&panicked(&mut bench, place, &train), place, 1);
    }
    bench.run(&train).exits(0);
    for place in ["open", "len", "build", "measures", "weights", "val_step", "update", "compute"] {
        assert_told(&panicked(&mut bench, place, &["val", "exp.ron", "--checkpoint", "last"]), place, 1);
    }
    for place in ["get", "predict_step"] {
        assert_told(&panicked(&mut bench, place, &["predict", "exp.ron", "--checkpoint", "last"]), place, 1);
    }
    for arguments in [&["schedule", "exp.ron"][..], &["plan", "exp.ron", "--ranks", "2"], &["summary", "exp.ron"]] {
        for place in ["open", "len", "build"] {
            assert_told(&panicked(&mut bench, place, arguments), place, 1);
        }
    }
    assert_told(&panicked(&mut bench, "factor", &["schedule", "exp.ron"]), "factor", 2);
    assert_told(&panicked(&mut bench, "factor", &["plan", "exp.ron", "--ranks", "2"]), "factor", 1);
}

#[test]
fn a_panic_on_ranks_is_told_too() {
    let mut bench = Bench::panicking();
    for (place, code) in [("merge", 1), ("len", 1), ("factor", 2)] {
        let ended = panicked(&mut bench, place, &["train", "exp.ron", "--fresh", "--ranks", "2"]);
        assert_eq!(ended.code, Some(code), "{place}: {ended}");
        assert!(ended.stderr.contains(&format!("`{place}` fell over")), "{place}: {ended}");
        assert!(!ended.stderr.contains("thread '"), "{place}: {ended}");
    }
}

#[test]
fn a_factor_that_is_none_is_refused_with_its_place_before_the_training() {
    let mut bench = Bench::panicking();
    for (factor, told) in [("-0.5", "-0.5"), ("NaN", "NaN"), ("inf", "inf")] {
        bench.set_env("FACTOR", factor);
        let expected = format!(
            "the schedule `InHalves` of `lr` gives the factor {told}; a factor has to be a finite number of at least 0 (at 4 of 8 counts of its window)"
        );
        for command in ["train", "schedule"] {
            let ended = bench.run(&[command, "exp.ron"]).exits(2);
            assert!(ended.stderr.contains(&expected) && ended.stderr.contains("exp.ron:7:16"), "{command}: {ended}");
        }
        assert!(!bench.path("runs/run/checkpoints").exists(), "it was begun");
    }
}

#[test]
fn a_momentum_that_schedules_make_one_or_more_is_refused() {
    let bench = Bench::panicking();
    bench.edit("Sgd(lr: 0.1)", "Sgd(lr: 0.1, momentum: 0.9)");
    bench.edit("[InHalves()]", "[InHalves(), Linear(setting: \"momentum\", iters: 8, start: 1.0, finish: 2.0)]");
    let ended = bench.train(&[]).exits(2);
    assert!(ended.stderr.contains("schedules make `momentum` 1.0125"), "{ended}");
    let range = "and it has to be at least 0 and below 1; change their factors (at 1 of 8 counts of its window)";
    assert!(ended.stderr.contains(range), "{ended}");
    assert!(ended.stderr.contains("exp.ron:7:28"), "{ended}");
}

#[test]
fn a_momentum_that_means_the_first_beta_is_refused_before_the_training_too() {
    let bench = Bench::panicking();
    bench.edit("Sgd(lr: 0.1)", "AdamW(lr: 0.1)");
    // beta1 is 0.9
    bench.edit("[InHalves()]", "[InHalves(), Linear(setting: \"momentum\", iters: 8, start: 1.0, finish: 2.0)]");
    let ended = bench.train(&[]).exits(2);
    assert!(ended.stderr.contains("schedules make `momentum` 1.0125"), "{ended}");
    assert!(ended.stderr.contains("exp.ron:7:28"), "{ended}");
    assert!(!bench.path("runs/run/checkpoints").exists(), "it was begun");
}

#[test]
fn the_schedule_of_the_group_that_fails_is_pointed_at() {
    let bench = Bench::panicking();
    bench.edit("Sgd(lr: 0.1)", "Sgd(lr: 0.1, momentum: 0.9, groups: [(pattern: \"bias\")])");
    let of = |group: &str, finish: &str| {
        format!("Linear(setting: \"momentum\", begin: 0, start: 1.0, finish: {finish}, groups: [\"{group}\"])")
    };
    let (first, second) = (of("default", "0.5"), of("bias", "2.0"));
    bench.edit("[InHalves()]", &format!("[{first}, {second}]"));
    let ended = bench.train(&[]).exits(2);
    assert!(ended.stderr.contains("schedules make `momentum` 1.0125"), "{ended}");
    let column = "    schedule: [, ".len() + first.len() + 1;
    assert!(ended.stderr.contains(&format!("exp.ron:7:{column}")), "{ended}");
}
