//! Levels, order and stops of hooks that the file chooses.

use crate::bench::{Bench, Ended, golden};

/// What the hooks named by a word have said after the first iter, in order.
fn speakers(ended: &Ended) -> Vec<&str> {
    let said = ended.stdout.lines().filter_map(|line| line.strip_suffix(" speaks after iter 1"));
    said.collect()
}

#[test]
fn hooks_of_one_level_run_in_the_order_of_the_file_and_a_level_changes_it() {
    let order = |hooks: &str| {
        let bench = Bench::by_epoch();
        let ended = bench.train(&["--max-iters", "1", "--set", &format!("custom_hooks=[{hooks}]")]).exits(0);
        speakers(&ended).join(" ")
    };
    assert_eq!(order(r#"Speaker(word: "a"), Speaker(word: "b"), Speaker(word: "c")"#), "a b c");
    assert_eq!(order(r#"Speaker(word: "a"), Speaker(word: "b", level: HIGH), Speaker(word: "c", level: 10)"#), "c b a");
    assert_eq!(
        order(r#"Speaker(word: "a", level: LOWEST), Speaker(word: "b", level: 59), Speaker(word: "c")"#),
        "c b a"
    );
}

#[test]
fn a_field_comes_before_hooks_of_the_file_unless_its_level_says_otherwise() {
    let order = |level: &str| {
        let bench = Bench::by_epoch();
        let field = format!(r#"hooks.speaker=(word: "field"{level})"#);
        let chosen = r#"custom_hooks=[Speaker(word: "chosen")]"#;
        speakers(&bench.train(&["--max-iters", "1", "--set", &field, "--set", chosen]).exits(0)).join(" ")
    };
    assert_eq!(order(""), "field chosen");
    assert_eq!(order(", level: LOW"), "chosen field");
}

#[test]
fn the_plan_shows_levels_ties_and_what_the_file_has_changed() {
    let bench = Bench::by_epoch();
    bench.write(
        "plan.ron",
        r#"Experiment(
            base: "exp.ron",
            hooks: (timer: Off, witness: (level: HIGHEST), speaker: (word: "field")),
            custom_hooks: [
                Speaker(word: "a", level: LOW), Speaker(word: "b"), EarlyStopping(monitor: "val/accuracy", level: 25),
            ],
        )"#,
    );
    let plan = bench.run(&["plan", "plan.ron"]).exits(0);
    golden("plan.txt", &plan.stdout);
    assert!(!plan.stdout.contains("timer") && !bench.path("runs").exists());
}

#[test]
fn early_stopping_ends_the_run_with_0_and_its_reason_and_goes_on_counting_after_a_resume() {
    let bench = || {
        let bench = Bench::by_epoch();
        // no accuracy is better than another by 2
        let stop = r#"EarlyStopping(monitor: "val/accuracy", patience: 2, min_delta: 2.0)"#;
        let text = format!("Experiment(base: \"exp.ron\", train: (max_epochs: 9), custom_hooks: [{stop}])");
        bench.write("stop.ron", text);
        bench
    };
    let whole = bench();
    let ended = whole.run(&["train", "stop.ron"]).exits(0);
    let reason = "stopped at epoch 3, iter 9: `EarlyStopping`: `val/accuracy` has not become better than";
    assert!(ended.stdout.contains(reason), "{ended}");
    // its count is in the checkpoint
    let bench = bench();
    bench.run(&["train", "stop.ron", "--max-iters", "6"]).exits(0);
    let ended = bench.run(&["train", "stop.ron", "--resume"]).exits(0);
    assert!(ended.stdout.contains(reason), "{ended}");
}
