//! What a run writes: `metrics.jsonl` as documented, `log.txt` complete, both continued by a resumed run.

use crate::bench::Bench;
use crate::left::{log, rows};

/// The keys of a line, in their order, without what any JSON reader would make of them.
fn keys(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap();
    // flat objects without commas or colons in their values
    inner.split(',').map(|pair| pair.split(':').next().unwrap().trim_matches('"')).collect()
}

#[test]
fn each_line_is_a_flat_object_with_the_documented_keys_in_order() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let text = bench.read("runs/run/metrics.jsonl");
    assert!(text.ends_with("}\n"));
    let fixed = ["phase", "epoch", "iter", "time"];
    for line in text.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        let numbers = |key: &&str| parsed[*key].is_number();
        let keys = keys(line);
        match parsed["phase"].as_str().unwrap() {
            "train" => {
                assert_eq!(keys[..4], fixed);
                assert_eq!((keys[4], *keys.last().unwrap()), ("loss", "lr"));
                assert!(keys[1..].iter().all(numbers), "{line}");
            }
            "val" if parsed.get("loader").is_some() => {
                assert_eq!(keys, ["phase", "loader", "epoch", "iter", "time", "accuracy", "confidence", "loss"]);
                assert!(parsed["loader"] == "val" || parsed["loader"] == "hard", "{line}");
            }
            other => panic!("{other}"),
        }
    }
    let counted = |row: &serde_json::Value| (row["epoch"].as_u64().unwrap(), row["iter"].as_u64().unwrap());
    let of =
        |phase: &str| rows(&bench.path("runs/run")).into_iter().filter(|row| row["phase"] == phase).collect::<Vec<_>>();
    // finished epochs and iters: the tail of an epoch is an iter of its own and fills a row
    assert_eq!(of("train").iter().map(counted).collect::<Vec<_>>(), [(0, 2), (1, 3), (1, 4), (2, 6), (2, 8), (3, 9)]);
    assert_eq!(of("val").iter().map(counted).collect::<Vec<_>>(), [(1, 3), (1, 3), (2, 6), (2, 6), (3, 9), (3, 9)]);
}

#[test]
fn the_time_of_a_resumed_run_goes_on() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "4"]).exits(0);
    bench.train(&["--resume"]).exits(0);
    let text = bench.read("runs/run/metrics.jsonl");
    let times =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_f64().unwrap());
    let times: Vec<f64> = times.collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
}

#[test]
fn a_stop_and_a_resume_leave_the_rows_of_a_run_that_went_on() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "5"]).exits(0);
    bench.train(&["--resume"]).exits(0);
    let (whole, resumed) = (rows(&whole.path("runs/run")), rows(&bench.path("runs/run")));
    // the limit makes a row of iter 5 and validates there; the rest is the same
    let others = |rows: &[serde_json::Value]| {
        rows.iter().filter(|row| row["iter"] != 5 && row["iter"] != 6).cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&whole), others(&resumed));
}

/// What only the log tells, unless `--verbose` asks for it.
const ENVIRONMENT: [&str; 13] = [
    "command line: ",
    "started in: ",
    "folder: ",
    "program: ",
    "git commit: ",
    "versions: ",
    "trainer: ",
    "device: ",
    "threads: ",
    "precision: ",
    "deterministic: ",
    "seed: ",
    "machine: ",
];

fn is_environment(line: &str) -> bool {
    ENVIRONMENT.iter().any(|fact| line.starts_with(fact))
}

#[test]
fn log_txt_tells_where_each_process_ran() {
    let bench = Bench::by_epoch();
    let first = bench.train(&["--max-iters", "4"]).exits(0);
    assert!(!first.stdout.lines().any(is_environment));
    let second = bench.train(&["--resume", "--verbose", "--set", "metrics=[]"]).exits(0);
    let shown: Vec<&str> = second.stdout.lines().filter(|line| is_environment(line)).collect();
    let logged = log(&bench.path("runs/run"));
    let logged: Vec<&str> = logged.iter().map(String::as_str).filter(|line| is_environment(line)).collect();
    assert_eq!(logged.len(), 2 * ENVIRONMENT.len());
    assert_eq!(logged[ENVIRONMENT.len()..], shown);
    for (fact, line) in ENVIRONMENT.iter().zip(&logged) {
        assert!(line.starts_with(fact) && line.len() > fact.len(), "{line}");
    }
    // a shell takes the command line again
    assert!(shown[0].ends_with("train exp.ron --resume --verbose --set 'metrics=[]'"), "{}", shown[0]);
    assert!(shown[5].contains("libtorch 2.") && shown[5].contains("rustc 1."), "{}", shown[5]);
    assert_eq!(logged[11], "seed: 7");
}

#[test]
fn a_quiet_run_prints_its_results_alone() {
    let bench = Bench::by_epoch();
    let loud = bench.train(&[]).exits(0);
    let quiet = bench.train(&["--fresh", "-q"]).exits(0);
    let results: Vec<&str> = loud.stdout.lines().skip_while(|line| !line.starts_with("val/")).collect();
    assert_eq!(quiet.stdout.lines().collect::<Vec<_>>(), results);
    assert!(quiet.stderr.is_empty());
    // the log has it all
    assert!(bench.read("runs/run/log.txt").lines().count() > 20);
}

#[test]
fn log_txt_has_every_line_of_the_console_and_how_each_process_ended() {
    let bench = Bench::by_epoch();
    let first = bench.train(&["--max-iters", "4"]).exits(0);
    let second = bench.train(&["--resume"]).exits(0);
    let said: Vec<String> = log(&bench.path("runs/run")).into_iter().filter(|line| !is_environment(line)).collect();
    let shown = |stdout: &str| -> Vec<String> {
        // what follows the last line of the run is the answer to the command, not its log
        stdout.lines().take_while(|line| !line.starts_with("val/")).map(str::to_owned).collect()
    };
    let expected = [
        shown(&first.stdout),
        vec!["stopped: the limit of 4 iters".to_owned()],
        shown(&second.stdout),
        vec!["finished".to_owned()],
    ];
    let expected = expected.concat();
    assert_eq!(said.len(), expected.len(), "{said:?}\n{expected:?}");
    for (said, shown) in said.iter().zip(&expected) {
        if !shown.starts_with("train ") && !shown.starts_with("val ") {
            assert_eq!(said, shown);
            continue;
        }
        // of a row the console shows what people look at first, the log all of it
        let logged: Vec<&str> = said.split("  ").collect();
        for part in shown.split("  ") {
            let part = part.strip_suffix(" samples/s").map_or(part.to_owned(), |n| format!("samples_per_second {n}"));
            assert!(logged.contains(&part.as_str()), "`{part}` of\n{shown}\nis not in\n{said}");
        }
        assert_eq!(logged.iter().any(|part| part.starts_with("iter_time")), shown.starts_with("train "), "{said}");
    }
    assert!(
        said.iter().any(|line| line.starts_with("resumed from ") && line.ends_with("at epoch 1, iter 4")),
        "{said:?}"
    );
}

#[test]
fn a_last_line_torn_by_a_kill_is_dropped_and_nothing_else() {
    let bench = Bench::by_epoch();
    // at the end of an epoch: behind a cut within one, rows only show what was done, and the resume drops them
    bench.train(&["--max-iters", "3"]).exits(0);
    let (text, log_text) = (bench.read("runs/run/metrics.jsonl"), bench.read("runs/run/log.txt"));
    bench.write("runs/run/metrics.jsonl", format!("{text}{{\"phase\":\"train\",\"epo"));
    bench.write("runs/run/log.txt", format!("{log_text}2026-01-01T00:00:00Z a line that"));
    bench.train(&["--resume"]).exits(0);
    let after = bench.read("runs/run/metrics.jsonl");
    assert!(after.starts_with(&text) && after.len() > text.len());
    assert!(rows(&bench.path("runs/run")).len() > text.lines().count());
    assert!(bench.read("runs/run/log.txt").contains("Z a line that\n2"));
}
