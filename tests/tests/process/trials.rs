//! `sweep`: trials in processes of their own, killed at any instant and gone on with.

use crate::bench::{Bench, chosen};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A bench with a sweep over the experiment, of two epochs.
fn bench(over: &str, rest: &str) -> Bench {
    let bench = Bench::by_epoch();
    bench.edit("max_epochs: 3", "max_epochs: 2");
    write(&bench, over, rest);
    bench
}

fn write(bench: &Bench, over: &str, rest: &str) {
    let text = format!("Sweep(base: \"exp.ron\", over: {over}, watch: \"val/loss\", {rest})");
    bench.write("search.ron", text);
}

const OVER: &str =
    r#"{"optimizer.lr": LogUniform(1e-3, 1e-1), "model.hidden": Choice([4, 8]), "train.accumulate": Int(1, 4)}"#;

/// The lines of the journal: the picks that have begun, and how each trial has ended.
fn journal(bench: &Bench) -> (Vec<Value>, BTreeMap<u64, Value>) {
    let (mut begun, mut ended) = (Vec::new(), BTreeMap::new());
    for line in bench.read("runs/search/trials.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(begin) = line.get("begun") {
            assert_eq!(begin["trial"], begun.len(), "no trial is lost or begun twice");
            begun.push(begin["picks"].clone());
        } else {
            let end = &line["ended"];
            let before = ended.insert(end["trial"].as_u64().unwrap(), end["end"].clone());
            assert_eq!(before, None, "no trial ends twice");
        }
    }
    (begun, ended)
}

#[test]
fn a_grid_trains_every_combination_in_an_ordinary_run_and_tells_the_best() {
    let bench = bench(
        r#"{"model.hidden": Choice([4, 8]), "optimizer": Choice([AdamW(lr: 0.02), Sgd(lr: 0.1)])}"#,
        "by: Grid, parallel: 2",
    );
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("4 of 4 trials: 4 with a value, 0 failed\n"), "{ended}");
    let (begun, values) = journal(&bench);
    assert_eq!((begun.len(), values.len()), (4, 4));
    let mut best = (f64::INFINITY, String::new());
    for trial in 0..4_u64 {
        let name = format!("000{trial}");
        let rows = bench.read(&format!("runs/search/{name}/metrics.jsonl"));
        let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let losses =
            rows.filter(|row| row["phase"] == "val" && row["loader"] == "val").map(|row| row["loss"].as_f64().unwrap());
        let least = losses.fold(f64::INFINITY, f64::min);
        assert_eq!(values[&trial]["value"].as_f64(), Some(least), "trial {trial}");
        if least < best.0 {
            best = (least, name);
        }
    }
    let saved = bench.read("runs/search/0003/experiment.ron");
    assert!(saved.contains("name: \"0003\"") && saved.contains("hidden: 8") && saved.contains("Sgd("), "{saved}");
    // the best one is the first of the table
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(table.lines().nth(1).unwrap().starts_with(&best.1), "{table}");
    assert!(ended.stdout.ends_with(&table), "{ended}");
    // nothing is done twice
    bench.run(&["sweep", "search.ron"]).exits(2).says("holds a sweep already: `--resume` goes on with it");
    let again = bench.run(&["sweep", "search.ron", "--resume"]).exits(0).stdout;
    assert_eq!(again, table);
}

#[test]
fn a_sweep_that_is_killed_at_any_instant_goes_on_without_a_lost_or_doubled_trial() {
    const BY: &str = "by: Tpe(trials: 7, startup: 3), parallel: 2, seed: 5";
    let whole = bench(OVER, BY);
    whole.run(&["sweep", "search.ron"]).exits(0);
    let expected = journal(&whole);
    let bench = bench(OVER, BY);
    let mut instants = Vec::new();
    let mut started = bench.start(&["sweep", "search.ron"]);
    for _ in 0..6 {
        instants.push(chosen(2_500));
        std::thread::sleep(Duration::from_millis(instants[instants.len() - 1]));
        started.kill();
        drop(started);
        // its trials may still be at work; before the journal there is nothing to go on with
        let resume: &[&str] = if bench.path("runs/search/trials.jsonl").is_file() { &["--resume"] } else { &[] };
        started = bench.start(&[&["sweep", "search.ron"], resume].concat());
    }
    let ended = started.end().exits(0);
    assert!(ended.stdout.contains("7 of 7 trials: 7 with a value, 0 failed\n"), "{instants:?} {ended}");
    assert_eq!(journal(&bench), expected, "killed after {instants:?} ms each");
}

#[test]
fn a_signal_lets_the_trials_save_and_the_sweep_goes_on() {
    let bench = bench(r#"{"model.hidden": Choice([4, 8, 6])}"#, "by: Grid, parallel: 2");
    bench.edit("max_epochs: 2", "max_epochs: 200");
    let started = bench.start(&["sweep", "search.ron"]);
    let rows = ["0000", "0001"].map(|trial| bench.path(&format!("runs/search/{trial}/metrics.jsonl")));
    let until = Instant::now() + Duration::from_secs(60);
    let has_value =
        |rows: &std::path::PathBuf| std::fs::read_to_string(rows).is_ok_and(|text| text.contains("\"val\""));
    while !rows.iter().all(has_value) {
        assert!(Instant::now() < until, "the trial never validates");
        std::thread::sleep(Duration::from_millis(20));
    }
    started.signal("TERM");
    started.end().exits(143);
    assert!(bench.read("runs/search/output/0001.txt").contains("stopped by SIGTERM"));
    assert!(journal(&bench).1.is_empty());
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(table.contains("2 of 3 trials: 2 with a value"), "{table}");
}

#[test]
fn failed_trials_are_told_and_counted_and_the_others_go_on() {
    let over = r#"{"loaders.train.dataset.broken": Choice([None, 3, None])}"#;
    let bench = bench(over, "by: Grid");
    let ended = bench.run(&["sweep", "search.ron"]).exits(0);
    assert!(ended.stdout.contains("3 of 3 trials: 2 with a value, 1 failed\n"), "{ended}");
    assert!(ended.stdout.contains("0001 failed: exit code 1: error: "), "{ended}");
    // with all of its causes
    let output = bench.read("runs/search/output/0001.txt");
    let told = |line: &'_ str| line.strip_prefix("error: ").or(line.strip_prefix("  caused by: ")).map(str::to_owned);
    let told: Vec<String> = output.lines().filter_map(told).collect();
    assert!(!told.is_empty() && ended.stdout.contains(&format!("error: {}\n", told.join(": "))), "{ended}\n{output}");
    assert!(ended.stdout.ends_with("`--resume --retry-failed` tries those that have failed again\n"), "{ended}");
    // not without being asked
    let again = bench.run(&["sweep", "search.ron", "--resume"]).exits(0);
    assert!(again.stdout.contains("2 with a value, 1 failed\n"), "{again}");
    let all = self::bench(r#"{"loaders.train.dataset.broken": Choice([3])}"#, "by: Grid");
    all.run(&["sweep", "search.ron"]).exits(1);
}

#[test]
fn the_same_seed_gives_the_same_trials_and_an_array_is_their_commands() {
    let bench = bench(OVER, "by: Random(trials: 3), seed: 8");
    let commands = bench.run(&["sweep", "search.ron", "--array"]).exits(0).stdout;
    assert_eq!(commands.lines().count(), 3, "{commands}");
    let (begun, ended) = journal(&bench);
    assert_eq!((begun.len(), ended.len()), (3, 0));
    for command in commands.lines() {
        let arguments = command.split_once(' ').unwrap().1;
        bench.run_script(&["sh", "-c", &format!("\"$PROGRAM\" {arguments}")]).exits(0);
    }
    let table = bench.run(&["sweep", "search.ron", "--table"]).exits(0).stdout;
    assert!(table.contains("3 of 3 trials: 3 with a value, 0 failed"), "{table}");
    let again = self::bench(OVER, "by: Random(trials: 3), seed: 8, parallel: 3");
    again.run(&["sweep", "search.ron"]).exits(0);
    assert_eq!(journal(&again).0, begun);
    let other = self::bench(OVER, "by: Random(trials: 3), seed: 9");
    other.run(&["sweep", "search.ron", "--array"]).exits(0);
    assert_ne!(journal(&other).0, begun);
}

#[test]
fn mistakes_are_told_before_the_first_trial() {
    let bench = Bench::by_epoch();
    let cases = [
        ("{}", "by: Grid", "`over` names no setting to vary"),
        ("[1]", "by: Grid", "expected a map from paths to values"),
        (r#"{"optimizer.lrr": Choice([1])}"#, "by: Grid", "unknown field `lrr`"),
        (r#"{"optimizer.lr": Choice(["fast"])}"#, "by: Grid", "expected a number, found string"),
        (r#"{"model.hidden": Choice([4, 0.5])}"#, "by: Grid", "expected an integer, found float `0.5`"),
        (r#"{"model.dropout": Uniform(0.5, 7)}"#, "by: Random(trials: 2)", "`dropout` must be in"),
        (r#"{"optimizer": Choice([AdamW(lr: 1), Admw(lr: 1)])}"#, "by: Grid", "did you mean `AdamW`?"),
        (r#"{"optimizer.lr.x": Choice([1])}"#, "by: Grid", "there is no `x` in"),
        (r#"{"optimizer..lr": Choice([1])}"#, "by: Grid", "a name is missing in the path"),
        (r#"{"name": Choice(["a"])}"#, "by: Grid", "a sweep gives each trial its own name"),
        ("{3: Choice([1])}", "by: Grid", "expected a path in quotes"),
        (r#"{"seed": Choice([])}"#, "by: Grid", "`Choice` takes a list with the values"),
        (r#"{"seed": Choice(1)}"#, "by: Grid", "`Choice` takes a list with the values"),
        (r#"{"seed": 3}"#, "by: Grid", "expected `Choice([32, 64])`"),
        (r#"{"seed": Choise([3])}"#, "by: Grid", "did you mean `Choice`?"),
        (r#"{"seed": Int(3, 1)}"#, "by: Grid", "`Int` takes a lower and an upper end"),
        (r#"{"seed": Int(0.5, 1)}"#, "by: Grid", "`Int` takes two integers"),
        (r#"{"optimizer.lr": LogUniform(0, 1)}"#, "by: Random(trials: 2)", "needs ends above 0"),
        (r#"{"optimizer.lr": Uniform(1, 0)}"#, "by: Random(trials: 2)", "the lower end comes first"),
        (r#"{"optimizer.lr": Uniform("a", 0)}"#, "by: Random(trials: 2)", "`Uniform` takes two numbers"),
        (r#"{"optimizer.lr": Uniform(0.1, 0.2)}"#, "by: Grid", "a grid needs `Choice([..])` or `Int(low, high)`"),
        (r#"{"seed": Int(0, 9223372036854775807)}"#, "by: Grid", "trials"),
        (r#"{"seed": Int(0, 1)}"#, "by: Random(trials: 0)", "expected 1 to 100000 trials"),
        (r#"{"seed": Int(0, 1)}"#, "by: Random()", "missing field `trials`"),
        (r#"{"seed": Int(0, 1)}"#, "by: Gird", "did you mean `Grid`?"),
        (r#"{"seed": Int(0, 1)}"#, "by: Grid, parallel: 0", "expected 1 to 1024 trials at a time"),
        (r#"{"seed": Int(0, 1)}"#, "by: Grid, name: \"a/b\"", "contains a `/`"),
        (r#"{"seed": Int(0, 1)}"#, "by: Grid, paralel: 2", "did you mean `parallel`?"),
        (r#"{"model.hidden": Uniform(4.0, 8.0)}"#, "by: Random(trials: 2)", "use `Int(4, 8)`"),
        (r#"{"model.hidden": LogUniform(1.0, 64.0)}"#, "by: Random(trials: 2)", "use `Int(1, 64)`"),
        (r#"{"seed": Int(0, 1)}"#, "", "missing field `by`"),
        (r#"{"seed": Int(0, 1)"#, "by: Grid", "expected"),
    ];
    for (over, rest, said) in cases {
        write(&bench, over, rest);
        let ended = bench.run(&["sweep", "search.ron"]).exits(2).says(said);
        assert!(ended.stderr.contains("search.ron:1:"), "{ended}");
        assert!(!bench.path("runs").exists(), "{over} {rest}");
    }
    let whole = |text: &str, said: &str| {
        bench.write("search.ron", text);
        bench.run(&["sweep", "search.ron"]).exits(2).says(said);
    };
    let rest = r#"over: {"seed": Int(0, 1)}, by: Grid"#;
    whole(&format!("Sweep(base: \"exp.ron\", {rest}, watch: \"val/los\")"), "did you mean `val/loss`?");
    whole(&format!("Sweep(base: \"exp.ron\", {rest})"), "missing field `watch`");
    whole(&format!("Sweep({rest}, watch: \"val/loss\")"), "missing field `base`");
    whole(&format!("Sweep(base: \"epx.ron\", {rest}, watch: \"val/loss\")"), "search.ron:1:13");
    whole(&format!("Sweep(base: \"epx.ron\", {rest}, watch: \"val/loss\")"), "did you mean `exp.ron`?");
    whole(&format!("Sweep(base: [], {rest}, watch: \"val/loss\")"), "search.ron:1:13");
    whole(&format!("Sweep(base: [], {rest}, watch: \"val/loss\")"), "a sweep needs the experiment");
    whole(&format!("Sweep(base: 3, {rest}, watch: \"val/loss\")"), "expected a string");
    whole("Experiment(name: \"x\")", "expected `Sweep(..)`, found `Experiment(..)`");
    whole("[", "missing `]`");
    bench.run(&["sweep", "absent.ron"]).exits(2).says("can't read `absent.ron`");
    write(&bench, OVER, "by: Tpe(trials: 3)");
    bench.run(&["sweep", "search.ron", "--array"]).exits(2).says("can't be used with `Tpe`");
    bench.run(&["sweep", "search.ron", "--resume"]).exits(2).says("there is no sweep in");
    bench.run(&["sweep", "search.ron", "--table"]).exits(2).says("there is no sweep in");
}

/// Numbers by xorshift64, the same in every run of the tests.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as usize
}

#[test]
fn sweep_files_that_are_changed_anywhere_end_in_a_clear_error() {
    const SOUND: &str = r#"Sweep(base: "exp.ron", over: {"optimizer.lr": LogUniform(1e-3, 1e-1), "model.hidden": Choice([4, 8]),
        "seed": Int(1, 4), "model": Choice([Mlp(hidden: 4), (dropout: Ref("optimizer.weight_decay"))])}, by: Tpe(trials: 9), watch: "val/loss",
        halve: Asha(rungs: [2, 4], factor: 2))"#;
    const PIECES: [&str; 19] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "-",
        "0",
        "1e400",
        "é",
        "Ref(\"seed\")",
        "Include(\"search.ron\")",
        "Mul(1, ",
        "None",
        "//",
        "Asha(rungs: [1])",
    ];
    let bench = Bench::by_epoch();
    bench.write("search.ron", SOUND);
    // it is sound, and has not begun
    bench.run(&["sweep", "search.ron", "--table"]).exits(2).says("there is no sweep in");
    let mut state = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..140 {
        let mut text = SOUND.to_owned();
        for _ in 0..1 + next(&mut state) % 2 {
            let at = next(&mut state) % text.len();
            let end = (at + next(&mut state) % 12).min(text.len());
            if !text.is_char_boundary(at) || !text.is_char_boundary(end) {
                continue;
            }
            match next(&mut state) % 3 {
                0 => drop(text.drain(at..end)),
                1 => text.insert_str(at, PIECES[next(&mut state) % PIECES.len()]),
                _ => text.replace_range(at..end, PIECES[next(&mut state) % PIECES.len()]),
            }
        }
        bench.write("search.ron", &text);
        // whatever is left sound has not begun
        let ended = bench.run(&["sweep", "search.ron", "--table"]).exits(2).says("");
        assert!(!ended.stderr.contains("panicked"), "{text}\n{ended}");
    }
}
