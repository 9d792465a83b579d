//! Sweeps with `halve: Asha(..)`: trials that stop at rungs, and go on when they are good.

use crate::bench::{Bench, chosen};
use crate::left::{newest, tensors};
use serde_json::Value;
use std::time::Duration;

/// Two epochs of three updates each.
fn bench(rest: &str) -> Bench {
    let bench = Bench::by_epoch();
    bench.edit("max_epochs: 3", "max_epochs: 2");
    let over = r#"{"optimizer.lr": LogUniform(1e-4, 1e-1)}"#;
    bench.write("search.ron", format!("Sweep(base: \"exp.ron\", over: {over}, watch: \"val/loss\", {rest})"));
    bench
}

const ASHA: &str = "by: Random(trials: 6), seed: 3, halve: Asha(rungs: [1, 3], factor: 2)";

fn journal(bench: &Bench) -> Vec<Value> {
    bench.read("runs/search/trials.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What happened to a trial, in order: the values at its rungs, and whether it has ended.
fn course(journal: &[Value], trial: u64) -> (Vec<f64>, bool) {
    let of = |line: &&Value, what: &str| line[what]["trial"] == trial;
    let rungs = journal.iter().filter(|line| of(line, "paused")).map(|line| line["paused"]["value"].as_f64().unwrap());
    (rungs.collect(), journal.iter().any(|line| of(&line, "ended")))
}

#[test]
fn the_better_half_goes_on_at_each_rung_from_its_own_checkpoint() {
    let bench = bench(ASHA);
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    let journal = journal(&bench);
    let courses: Vec<(Vec<f64>, bool)> = (0..6).map(|trial| course(&journal, trial)).collect();
    let at = |rung: usize| courses.iter().filter(|(rungs, _)| rungs.len() > rung).count();
    let done = courses.iter().filter(|(_, ended)| *ended).count();
    // at least the better half of all; more where a later one was better than those that had gone on
    assert_eq!(at(0), 6);
    assert!((3..=5).contains(&at(1)) && done >= at(1) / 2 && done < at(1), "{ended}");
    let mut firsts: Vec<f64> = courses.iter().map(|(rungs, _)| rungs[0]).collect();
    firsts.sort_by(f64::total_cmp);
    for (trial, (rungs, ended)) in courses.iter().enumerate() {
        if firsts[..3].contains(&rungs[0]) {
            assert!(rungs.len() > 1, "trial {trial} is one of the better half: {courses:?}");
        }
        let iters = match (rungs.len(), ended) {
            (_, true) => 6,
            (2, false) => 3,
            _ => 1,
        };
        let run = bench.path(&format!("runs/search/000{trial}"));
        let name = newest(&run).file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(name, format!("iter_{iters:09}"), "{courses:?}");
    }
    assert!(ended.stdout.contains("waits at iter 1: val/loss = "), "{ended}");
    assert!(ended.stdout.contains("6 of 6 trials: 6 with a value, 0 failed"), "{ended}");
    // one that went on twice is to the bit the training that was never stopped
    let whole = courses.iter().position(|(_, ended)| *ended).unwrap();
    let file = format!("runs/search/experiments/000{whole}.ron");
    bench.run(&["train", &file, "--work-dir", "alone", "--name", "whole"]).exits(0);
    assert_eq!(tensors(&bench.path("alone/whole")), tensors(&bench.path(&format!("runs/search/000{whole}"))));
    // the table tells how far each has come
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(table.lines().next().unwrap().contains("iters") && table.contains(" all "), "{table}");
    assert!(ended.stdout.ends_with(&table), "{table}");
}

#[test]
fn with_one_at_a_time_a_sweep_repeats_itself_and_a_kill_at_any_instant_changes_nothing() {
    let (whole, cut) = (bench(ASHA), bench(ASHA));
    whole.run(&["sweep", "search.ron"]).exits(0);
    let expected = journal(&whole);
    let mut instants = Vec::new();
    let mut started = cut.start(&["sweep", "search.ron"]);
    for _ in 0..6 {
        instants.push(chosen(2_000));
        std::thread::sleep(Duration::from_millis(instants[instants.len() - 1]));
        started.kill();
        drop(started);
        // its trials may still be at work; before the journal there is nothing to go on with
        let resume: &[&str] = if cut.path("runs/search/trials.jsonl").is_file() { &["--resume"] } else { &[] };
        started = cut.start(&[&["sweep", "search.ron"], resume].concat());
    }
    started.end().exits(0);
    assert_eq!(journal(&cut), expected, "killed after {instants:?} ms each");
}

#[test]
fn with_several_at_a_time_none_is_lost_or_goes_on_twice() {
    let bench = bench(&format!("{ASHA}, parallel: 3"));
    bench.run(&["sweep", "search.ron"]).exits(0);
    let journal = journal(&bench);
    for trial in 0..6 {
        let (rungs, ended) = course(&journal, trial);
        let promoted = journal.iter().filter(|line| line["promoted"]["trial"] == trial).count();
        assert_eq!(promoted, rungs.len() - usize::from(!ended), "trial {trial}");
    }
}

#[test]
fn tpe_learns_from_the_first_rung() {
    let bench = bench("by: Tpe(trials: 5, startup: 2), halve: Asha(rungs: [1])");
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("5 of 5 trials: 5 with a value"), "{ended}");
}

#[test]
fn mistakes_of_halving_are_told_before_the_first_trial() {
    for (halve, text) in [
        ("Asha(rungs: [])", "each larger than the one before"),
        ("Asha(rungs: [0, 3])", "from 1 on"),
        ("Asha(rungs: [3, 3])", "each larger than the one before"),
        ("Asha(rungs: [3, 1])", "each larger than the one before"),
        ("Asha(rungs: [1], factor: 1)", "`factor` must be at least 2, got 1"),
        ("Asha(rungs: [1], factor: -3)", "factor"),
        ("Asha(rungs: 3)", "rungs"),
        ("Asha(rungs: [1.5])", "rungs"),
        ("Asha()", "rungs"),
        ("Asha(rungs: [1], faktor: 3)", "did you mean `factor`?"),
        ("Hyperband(rungs: [1])", "Asha"),
        ("3", "halve"),
        ("Asha(rungs: [99999999999999999999999])", "rungs"),
    ] {
        let bench = bench(&format!("by: Random(trials: 2), halve: {halve}"));
        bench.run(&["sweep", "search.ron"]).exits(2).says(text);
        assert!(!bench.path("runs").exists(), "{halve}");
    }
    let bench = bench(ASHA);
    bench.run(&["sweep", "search.ron", "--array"]).exits(2).says("`--array` can't be used with `halve`");
    bench.write("search.ron", "Sweep(base: \"exp.ron\", over: {\"seed\": Int(1, 3)}, watch: \"val/loss\", by: Grid, halve: Asha(rungs: [1, 9]))");
    bench.edit("max_epochs: 2", "max_epochs: 2, max_iters: 9");
    bench
        .run(&["sweep", "search.ron"])
        .exits(2)
        .says("the rung 9 is not before the end of a training, which has 9 iters");
    // two epochs of three updates, which only the data tell
    let bench = self::bench("by: Random(trials: 2), halve: Asha(rungs: [1, 6])");
    let ended = bench.run(&["sweep", "search.ron"]).exits(2);
    ended.says("the rung 6 is not before the end of a training, which has 6 iters");
    assert!(!bench.path("runs").exists());
}

#[test]
fn of_trials_that_differ_in_length_the_shorter_ones_end_before_a_rung() {
    let bench = bench("by: Grid");
    bench.edit("[Linear(iters: 3, start: 0.1), Cosine()]", "[Cosine()]");
    let over = r#"{"train.max_epochs": Choice([1, 2])}"#;
    let rest = r#"watch: "val/loss", by: Grid, halve: Asha(rungs: [2, 4], factor: 2)"#;
    bench.write("search.ron", format!("Sweep(base: \"exp.ron\", over: {over}, {rest})"));
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("2 of 2 trials: 2 with a value"), "{ended}");
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> =
        ended.stdout.lines().map(columns).filter(|row| row.len() == 4 && row[0] != "trial").collect();
    assert_eq!(rows.len(), 2, "{ended}");
    for row in &rows {
        let last = newest(&bench.path(&format!("runs/search/{}", row[0])));
        let iters = last.file_name().unwrap().to_string_lossy().trim_start_matches("iter_").parse::<u64>().unwrap();
        let whole = if row[3] == "1" { 3 } else { 6 };
        let expected = if row[2] == "all" { whole } else { row[2].parse().unwrap() };
        assert_eq!(iters, expected, "{ended}");
        // no rung lies behind the end of the shorter one
        assert!(row[3] == "2" || row[2] != "4", "{ended}");
    }
}
