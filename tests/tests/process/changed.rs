//! A sweep that is gone on with after its files were edited, its trials failed, or somebody else trains one of them.

use crate::bench::{Bench, Ended};
use serde_json::Value;

/// A sweep over three seeds, of one epoch each.
fn bench(rest: &str) -> Bench {
    let bench = Bench::by_epoch();
    bench.edit("max_epochs: 3", "max_epochs: 1");
    bench.edit("[Linear(iters: 3, start: 0.1), Cosine()]", "[Cosine()]");
    write(&bench, rest);
    bench
}

fn write(bench: &Bench, rest: &str) {
    bench.write("search.ron", format!("Sweep(base: \"exp.ron\", watch: \"val/loss\", {rest})"));
}

fn journal(bench: &Bench, what: &str) -> Vec<Value> {
    let text = bench.read("runs/search/trials.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|mut line| line.get_mut(what).map(Value::take)).collect()
}

/// Whether a command that went well has told this on standard error.
#[track_caller]
fn notes(ended: &Ended, text: &str) {
    assert!(ended.stderr.contains(text), "no `{text}` in: {ended}");
}

/// Leaves the first trials of a sweep alone, as a kill would.
fn forget(bench: &Bench, trials: usize) {
    let text = bench.read("runs/search/trials.jsonl");
    let known = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let number = ["begun", "ended"].iter().find_map(|what| line[what]["trial"].as_u64()).unwrap();
        (number as usize) < trials
    };
    let left: Vec<&str> = text.lines().filter(known).collect();
    bench.write("runs/search/trials.jsonl", left.join("\n") + "\n");
    for trial in trials..10 {
        let _ = std::fs::remove_dir_all(bench.path(&format!("runs/search/000{trial}")));
        let _ = std::fs::remove_file(bench.path(&format!("runs/search/experiments/000{trial}.ron")));
    }
}

const SEEDS: &str = r#"over: {"seed": Int(1, 3)}, by: Grid"#;

#[test]
fn a_sweep_goes_on_with_its_base_as_it_was_also_when_that_was_edited_or_deleted() {
    let bench = bench(SEEDS);
    // what the base includes is part of it
    std::fs::create_dir(bench.path("parts")).unwrap();
    bench.write("parts/model.ron", "Mlp(hidden: 6)");
    let base = bench.read("exp.ron");
    bench.write("over.ron", "(base: \"exp.ron\", model: Include(\"parts/model.ron\"))");
    bench.write("search.ron", bench.read("search.ron").replace("exp.ron", "over.ron"));
    bench.run(&["sweep", "search.ron"]).exits(0);
    let (expected, table) = (journal(&bench, "ended"), bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout);
    let trial = bench.read("runs/search/experiments/0002.ron");
    assert!(trial.contains("Mlp(hidden: 6"), "{trial}");
    forget(&bench, 1);
    bench.write("parts/model.ron", "Mlp(hidden: 9)");
    bench.write("exp.ron", base.replace("max_epochs: 1", "max_epochs: 2"));
    let ended = bench.run(&["sweep", "search.ron", "--resume"]).exits(0);
    notes(&ended, "`exp.ron` is not what it was when the sweep began; the sweep goes on with its own copy of it");
    notes(&ended, "`parts/model.ron` is not what it was");
    assert!(!ended.stderr.contains("over.ron"), "{ended}");
    assert_eq!(journal(&bench, "ended"), expected);
    assert_eq!(bench.read("runs/search/experiments/0002.ron"), trial);
    // and without them, by the sweep file or by the sweep's folder
    forget(&bench, 2);
    for gone in ["exp.ron", "over.ron", "parts/model.ron"] {
        std::fs::remove_file(bench.path(gone)).unwrap();
    }
    notes(&bench.run(&["sweep", "search.ron", "--resume"]).exits(0), "`over.ron` is not what it was");
    assert_eq!(journal(&bench, "ended"), expected);
    std::fs::remove_file(bench.path("search.ron")).unwrap();
    assert_eq!(bench.run(&["sweep", "runs/search", "--table"]).exits(0).stdout, table);
    bench.run(&["sweep", "runs/search", "--resume"]).exits(0);
    // a lost copy is told, and nothing is trained with another base
    std::fs::remove_file(bench.path("runs/search/files.json")).unwrap();
    bench.write("exp.ron", base);
    write(&bench, SEEDS);
    bench.run(&["sweep", "search.ron", "--resume"]).exits(1).says("put it back, or begin again under another `name`");
}

#[test]
fn a_sweep_file_may_change_where_the_trials_stay_the_same() {
    let over = r#"over: {"optimizer.lr": LogUniform(1e-3, 1e-1)}"#;
    for by in ["Random(trials: 2)", "Tpe(trials: 2, startup: 1)"] {
        let bench = bench(&format!("{over}, by: {by}"));
        bench.run(&["sweep", "search.ron"]).exits(0);
        let begun = journal(&bench, "begun");
        let more = by.replace("trials: 2", "trials: 4");
        write(&bench, &format!("// more of them\n{over}, by: {more}, seed: 0, parallel: 2\n"));
        let ended = bench.run(&["sweep", "search.ron", "--resume"]).exits(0);
        assert!(ended.stdout.contains("4 of 4 trials: 4 with a value"), "{ended}");
        let now = journal(&bench, "begun");
        assert_eq!((now.len(), &now[..2]), (4, &begun[..]));
        assert!(bench.read("runs/search/sweep.ron").contains("// more of them"));
        // fewer than there are can't be
        write(&bench, &format!("{over}, by: {by}"));
        bench
            .run(&["sweep", "search.ron", "--resume"])
            .exits(2)
            .says("expected at least 4 trials, which have begun already, got 2");
        let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0);
        assert!(table.stdout.contains("4 of 4 trials"), "{table}");
    }
}

#[test]
fn what_makes_other_trials_is_refused_by_name_and_the_table_shows_what_the_trials_had() {
    let over = r#"over: {"model.hidden": Choice([4, 8])}"#;
    let bench = bench(&format!("{over}, by: Grid"));
    bench.run(&["sweep", "search.ron"]).exits(0);
    let (table, lines) =
        (bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout, bench.read("runs/search/trials.jsonl"));
    bench.write("other.ron", bench.read("exp.ron"));
    let whole = |text: &str| {
        format!("Sweep(base: \"exp.ron\", {over}, by: Grid, watch: \"val/loss\")")
            .replace(text.split_once('=').unwrap().0, text.split_once('=').unwrap().1)
    };
    for (change, field) in [
        ("[4, 8]=[8, 4]", "over"),
        ("exp.ron=other.ron", "base"),
        ("Grid=Random(trials: 2)", "by"),
        ("Grid=Grid, seed: 1", "seed"),
        ("val/loss=val/accuracy", "watch"),
        ("Grid=Grid, halve: Asha(rungs: [1])", "halve"),
    ] {
        bench.write("search.ron", whole(change));
        let said = format!("`{field}` has changed since the sweep began, which makes other trials");
        let ended =
            bench.run(&["sweep", "search.ron", "--resume"]).exits(2).says(&said).says("sweep.ron` is what it was");
        assert!(ended.stderr.contains("search.ron:1:"), "{ended}");
        let shown = bench.run(&["sweep", "search.ron", "--table"]).exits(0);
        notes(&shown, "this is the sweep as it was");
        assert_eq!(shown.stdout, table, "{change}");
    }
    assert_eq!(bench.read("runs/search/trials.jsonl"), lines);
}

#[test]
fn a_file_can_be_a_choice_and_is_kept_with_the_sweep() {
    let bench = bench(r#"over: {"model": Choice([Include("wide.ron"), Mlp(hidden: 4)])}, by: Grid"#);
    bench.run(&["sweep", "search.ron"]).exits(2).says("can't read `wide.ron`");
    bench.write("wide.ron", "Mlp(hidden: 0)");
    let ended = bench.run(&["sweep", "search.ron"]).exits(2).says("`hidden` must be in");
    assert!(ended.stderr.contains("wide.ron:1:13"), "{ended}");
    bench.write("wide.ron", "Mlp(hidden: 12)");
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("model=Mlp(hidden: 12)"), "{ended}");
    bench.write("wide.ron", "Mlp(hidden: 13)");
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(table.contains("Mlp(hidden: 12)") && ended.stdout.ends_with(&table), "{table}");
    assert!(bench.read("runs/search/experiments/0000.ron").contains("hidden: 12"));
}

#[test]
fn failed_trials_are_tried_again_when_that_is_asked_for() {
    let bench = bench(SEEDS);
    // where the folder of the run would be, there is a file
    std::fs::create_dir_all(bench.path("runs/search")).unwrap();
    bench.write("runs/search/0001", "");
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("2 with a value, 1 failed\n"), "{ended}");
    std::fs::remove_file(bench.path("runs/search/0001")).unwrap();
    bench.run(&["sweep", "search.ron", "--retry-failed"]).exits(2).says("--resume");
    let ended = bench.run(&["sweep", "search.ron", "--resume", "--retry-failed"]).exits(0);
    assert!(ended.stdout.contains("3 of 3 trials: 3 with a value, 0 failed\n"), "{ended}");
    assert_eq!(journal(&bench, "retried").len(), 1);
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(ended.stdout.ends_with(&table), "{table}");
}

#[test]
fn a_trial_that_somebody_else_trains_is_told_and_waited_for_while_the_others_go_on() {
    let bench = bench(&format!("{SEEDS}, parallel: 2"));
    bench.run(&["sweep", "search.ron", "--array"]).exits(0);
    let long = ["--resume=auto", "--set", "train.max_epochs=100000", "--set", "trainer.pause=500"];
    let mut other = bench.start(&[&["train", "runs/search/experiments/0000.ron"], &long[..]].concat());
    other.wait_for("mark train 1");
    let mut sweep = bench.start(&["sweep", "search.ron", "--resume"]);
    sweep.wait_for("trial 0002 (2 of 3)");
    other.signal("TERM");
    other.end().exits(143);
    let ended = sweep.end().exits(0);
    notes(&ended, "trial 0000: process ");
    notes(&ended, "the sweep waits for its end");
    assert!(ended.stdout.contains("3 of 3 trials: 3 with a value"), "{ended}");
}
