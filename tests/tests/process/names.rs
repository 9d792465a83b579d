//! `Fresh("run")` and `{date}`: a folder of its own for each run that begins.

use crate::bench::Bench;
use crate::left::{checkpoints, rows};
use std::collections::BTreeSet;

const SHORT: [&str; 2] = ["--max-iters", "2"];

fn fresh() -> Bench {
    let bench = Bench::by_epoch();
    bench.edit("name: \"run\"", "name: Fresh(\"run\")");
    bench
}

fn runs(bench: &Bench) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path("runs")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_run_that_begins_has_a_folder_of_its_own_and_the_newest_goes_on() {
    let bench = fresh();
    for folder in ["run", "run-2", "run-3"] {
        let ended = bench.train(&SHORT).exits(0);
        assert!(ended.stdout.contains(&format!("/runs/{folder}\n")), "{ended}");
        // its own experiment names it
        assert!(bench.read(&format!("runs/{folder}/experiment.ron")).contains(&format!("name: \"{folder}\"")));
    }
    let ended = bench.train(&["--resume", "--max-iters", "3"]).exits(0);
    assert!(ended.stdout.contains("resumed from ") && ended.stdout.contains("/runs/run-3/"), "{ended}");
    // none in between is used again, so that the newest has the largest number
    std::fs::remove_dir_all(bench.path("runs/run-2")).unwrap();
    bench.train(&["--resume=auto", "--max-iters", "4"]).exits(0);
    bench.train(&[&["--fresh"], &SHORT[..]].concat()).exits(0);
    assert_eq!(runs(&bench), ["run", "run-3", "run-4"]);
    let of = |run: &str| rows(&bench.path(&format!("runs/{run}"))).len();
    assert!(of("run-3") > of("run"), "{} {}", of("run-3"), of("run"));
    // `last` is that of the newest, and a run's folder is that run
    let ended = bench.run(&["val", "exp.ron", "--checkpoint", "last"]).exits(0);
    assert!(ended.stdout.contains("runs/run-4/"), "{ended}");
    bench.run(&["train", "runs/run", "--resume", "--max-iters", "3"]).exits(0);
    assert!(checkpoints(&bench.path("runs/run")).iter().any(|name| name.contains("000000003")));
    // `--name` has the last word
    bench.train(&[&["--name", "other"], &SHORT[..]].concat()).exits(0);
    bench.train(&[&["--name", "other"], &SHORT[..]].concat()).exits(1).says("already holds a run");
}

#[test]
fn without_a_run_a_resume_is_refused_and_auto_begins_one() {
    let bench = fresh();
    bench.train(&["--resume"]).exits(1).says("runs/run` holds no run to resume");
    bench.train(&[&["--resume=auto"], &SHORT[..]].concat()).exits(0);
    assert_eq!(runs(&bench), ["run"]);
}

#[test]
fn processes_that_begin_at_once_never_share_a_folder() {
    let bench = fresh();
    let running: Vec<_> = (0..5).map(|_| bench.start(&["train", "exp.ron", "--max-iters", "1"])).collect();
    let folders: BTreeSet<String> = running
        .into_iter()
        .map(|process| {
            let ended = process.end().exits(0);
            let line = ended.stdout.lines().find_map(|line| line.strip_prefix("run folder: ").map(str::to_owned));
            line.unwrap_or_else(|| panic!("{ended}"))
        })
        .collect();
    assert_eq!(folders.len(), 5, "{folders:?}");
    assert_eq!(runs(&bench), ["run", "run-2", "run-3", "run-4", "run-5"]);
}

#[test]
fn a_date_is_that_of_the_begin() {
    let bench = Bench::by_epoch();
    bench.edit("name: \"run\"", "name: \"run-{date}\"");
    bench.train(&SHORT).exits(0);
    let name = runs(&bench).remove(0);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    assert!(name.starts_with("run-20") && name.len() == 14 && digits == 8, "{name}");
    bench.train(&SHORT).exits(1).says("already holds a run");
    // on another day the newest goes on
    let earlier = bench.path("runs/run-2001-02-03");
    std::fs::rename(bench.path(&format!("runs/{name}")), &earlier).unwrap();
    bench.train(&["--resume", "--max-iters", "3"]).exits(0);
    assert_eq!(runs(&bench), ["run-2001-02-03"]);
    bench.train(&SHORT).exits(0);
    bench.train(&[&["--set", "name=Fresh(\"run-{date}\")"], &SHORT[..]].concat()).exits(0);
    assert_eq!(runs(&bench), ["run-2001-02-03".to_owned(), name.clone(), format!("{name}-2")]);
}

#[test]
fn a_run_that_can_not_begin_takes_no_number() {
    let bench = fresh();
    bench.train(&["--set", "loaders.train.dataset.path=gone.csv"]).exits(1).says("gone.csv");
    assert!(!bench.path("runs").exists() || runs(&bench).is_empty());
    for (name, text) in [
        ("Fresh(\"\")", "is empty"),
        ("Fresh(\"a/b\")", "contains a `/`"),
        ("Fresh(\"..\")", "contains `..`"),
        ("Fresh(3)", "expected a string"),
        ("Fresh", "Fresh"),
        ("Fresh(\"a\", \"b\")", "Fresh"),
        ("Other(\"a\")", "Other"),
        ("\"{time}\"", "`{time}` in a name stands for nothing; `{date}` is the day"),
        ("\"{date\"", "stands for nothing"),
        ("Fresh(Fresh(\"a\"))", "expected a string"),
        ("[\"a\"]", "expected a string"),
    ] {
        bench.train(&["--set", &format!("name={name}")]).exits(2).says(text);
    }
}
