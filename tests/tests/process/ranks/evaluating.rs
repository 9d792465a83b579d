//! Evaluations in several ranks have the results of one process.

use super::{errors, of, plain, ranks_of, signal};
use crate::bench::Bench;
use crate::left::rows;
use engine::checkpoint;
use std::path::Path;

/// A finished training of one process, whose loaders have these samples.
fn trained(val: usize, unseen: usize) -> Bench {
    let bench = plain();
    bench.edit("val: (dataset: Points(samples: 12,", &format!("val: (dataset: Points(samples: {val},"));
    bench.edit("unseen: (dataset: Points(samples: 7,", &format!("unseen: (dataset: Points(samples: {unseen},"));
    bench.train(&["--max-iters", "3"]).exits(0);
    bench
}

/// The values that a command prints or records, with their names.
fn values(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    lines.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

/// What the last command has recorded, without what depends on the clock.
fn recorded(bench: &Bench, phase: &str) -> Vec<(String, f64)> {
    let rows = rows(&bench.path("runs/run"));
    let last = rows.iter().rfind(|row| row["phase"] == phase).unwrap().as_object().unwrap();
    let measured = last.iter().filter(|(name, _)| !["wall_time", "time"].contains(&name.as_str()));
    measured.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

fn assert_close(ours: &[(String, f64)], theirs: &[(String, f64)], what: &str) {
    assert!(!ours.is_empty() && ours.len() == theirs.len(), "{what}: {ours:?}\n{theirs:?}");
    for ((name, ours), (other, theirs)) in ours.iter().zip(theirs) {
        assert_eq!(name, other, "{what}");
        assert!((ours - theirs).abs() < 1e-5 * (1.0 + ours.abs()), "{what}: {name}: {ours} {theirs}");
    }
}

fn predictions(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn val_test_and_predict_of_several_ranks_have_the_results_of_one_process() {
    // val: 7 samples in batches of 5 for each rank leave three ranks parts of 3, 2 and 2; 1 sample leaves all but one none.
    // unseen: 7 samples in batches of 3 for two ranks leave a tail of one; 2 samples are fewer than three ranks
    for (val, unseen, ranks) in [(7, 7, "2"), (1, 2, "3")] {
        let bench = trained(val, unseen);
        let checkpoint = ["--checkpoint", "runs/run"];
        for command in ["val", "test"] {
            let case = format!("{command} in {ranks} ranks");
            let alone = bench.run(&[&[command, "exp.ron"], &checkpoint[..]].concat()).exits(0);
            let alone_row = recorded(&bench, command);
            let group = bench.run(&[&[command, "exp.ron", "--ranks", ranks], &checkpoint[..]].concat()).exits(0);
            assert_close(&values(&alone.stdout), &values(&group.stdout), &case);
            assert_close(&alone_row, &recorded(&bench, command), &case);
        }
        let predict = |file, ranks: &[&str]| {
            let always = ["predict", "exp.ron", "--out", file];
            let ended = bench.run(&[&always, &checkpoint[..], ranks].concat()).exits(0);
            assert!(ended.stdout.contains(&format!("{unseen} predictions in ")), "{ended}");
            predictions(&bench.path(file))
        };
        let (alone, group) = (predict("alone.jsonl", &[]), predict("group.jsonl", &["--ranks", ranks]));
        assert_eq!((alone.len(), group.len()), (unseen, unseen));
        for (ours, theirs) in alone.iter().zip(&group) {
            assert_eq!((&ours["index"], &ours["name"]), (&theirs["index"], &theirs["name"]));
            let logits = |line: &serde_json::Value| {
                let logits = line["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap());
                logits.collect::<Vec<_>>()
            };
            assert!(logits(ours).iter().zip(logits(theirs)).all(|(a, b)| (a - b).abs() < 1e-5), "{ours} {theirs}");
        }
    }
}

#[test]
fn early_stopping_and_the_best_checkpoint_are_those_of_one_process() {
    let bench = || {
        let bench = plain();
        // five samples for three ranks, and one sample: two ranks have none of it
        bench.edit("samples: 12, part: 1", "samples: 5, part: 1");
        bench.edit("samples: 8, part: 2", "samples: 1, part: 2");
        bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 12, accumulate: 2");
        let stops = "custom_hooks: [Fingerprint(), EarlyStopping(monitor: \"val/loss\", patience: 2, min_delta: 0.05)]";
        bench.edit("custom_hooks: [Fingerprint()]", stops);
        bench
    };
    let (one, three) = (bench(), bench());
    let alone = one.train(&["--set", "loaders.train.batch_size=6"]).exits(0);
    let group = three.train(&of("3", "loaders.train.batch_size=2")).exits(0);
    let stopped = |text: &str| text.lines().find(|line| line.starts_with("stopped at ")).map(str::to_owned);
    assert!(stopped(&alone.stdout).is_some(), "{alone}");
    assert_eq!(
        stopped(&alone.stdout).unwrap().split(':').next(),
        stopped(&group.stdout).unwrap().split(':').next(),
        "{alone}\n{group}"
    );
    let kept = |bench: &Bench| {
        let folder = std::fs::read_dir(bench.path("runs/run/checkpoints")).unwrap();
        let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let iter_of = |name: &String| {
            let path = bench.path(&format!("runs/run/checkpoints/{name}"));
            checkpoint::load(&path).unwrap().meta.iter.get()
        };
        let best: Vec<u64> = names.iter().filter(|name| name.starts_with("best")).map(iter_of).collect();
        (names, best)
    };
    let (names, best) = kept(&one);
    assert!(!best.is_empty(), "{names:?}");
    assert_eq!((names, best), kept(&three));
}

#[test]
fn a_signal_to_one_rank_ends_an_evaluation_on_all() {
    let bench = trained(12, 7);
    let mut running =
        bench.start(&["val", "exp.ron", "--ranks", "2", "--checkpoint", "runs/run", "--set", "trainer.pause=200"]);
    running.wait_for("mark val 1");
    signal(ranks_of(&running)[1], "TERM");
    let ended = running.end().exits(143);
    assert!(errors(&ended).starts_with("stopped by SIGTERM at "), "{ended}");
}

#[test]
fn a_rank_that_fails_in_an_evaluation_is_named_and_no_predictions_are_left() {
    let bench = trained(12, 7);
    let arguments = ["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "p.jsonl", "--ranks", "2"];
    // the fourth sample is the first of rank 1
    let ended = bench.run(&[&arguments[..], &["--set", "loaders.unseen.dataset.broken=Some(3)"]].concat()).exits(1);
    let ended = ended.says("error: rank 1: ").says("the point is broken").says("rank 0 ended after it");
    assert!(!bench.path("p.jsonl").exists(), "{ended}");
}
