//! Where commands write what they are asked for: never over their own inputs, nor over what belongs to a run.

use crate::bench::Bench;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run of three iters.
fn trained() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    bench
}

/// Every file below a folder, with its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(contents(&entry)),
            false => drop(found.insert(entry.clone(), std::fs::read(&entry).unwrap())),
        }
    }
    found
}

/// The commands that write a file to a path.
const WRITERS: [&[&str]; 5] = [
    &["predict", "exp.ron", "--checkpoint", "runs/run", "--out"],
    &["schedule", "exp.ron", "--svg"],
    &["plot", "runs/run", "train/loss", "--svg"],
    &["lr-find", "exp.ron", "--updates", "12", "--svg"],
    &["export", "runs/run", "--no-card", "--force", "--to"],
];

#[test]
fn no_output_takes_the_place_of_what_belongs_to_a_run() {
    let bench = trained();
    std::os::unix::fs::symlink("runs/run/plan.json", bench.path("link.json")).unwrap();
    let before = contents(&bench.path(""));
    let own =
        ["experiment.ron", "metrics.jsonl", "log.txt", "plan.json", "lock", "tensorboard/new", "checkpoints/latest"];
    for (place, name) in own.iter().enumerate() {
        let to = format!("runs/../runs/run/{name}");
        bench
            .run(&[WRITERS[place % WRITERS.len()], &[&to]].concat())
            .exits(2)
            .says(&format!("`{to}` can't be written: it belongs to the run in `"));
    }
    bench.run(&[WRITERS[1], &["link.json"]].concat()).exits(2).says("it belongs to the run in `");
    for writer in WRITERS {
        let to = "runs/run/checkpoints/iter_000000003/net.safetensors";
        bench.run(&[writer, &[to]].concat()).exits(2).says("it belongs to the checkpoint in `");
    }
    bench.run(&["new", "runs/run/log.rank1.txt"]).exits(2).says("it belongs to the run in `");
    let images = ["--out", "runs/run/x.jsonl", "--images", "profile"];
    let images = bench.run(&[&WRITERS[0][..4], &images].concat());
    images.exits(2).says("`runs/run/profile` can't be written: it belongs to the run in `");
    assert_eq!(contents(&bench.path("")), before);
}

#[test]
fn a_report_takes_the_place_of_nothing_of_a_run() {
    let bench = trained();
    let before = contents(&bench.path("runs"));
    bench.run(&["report", "runs", "--to", "runs/run/metrics.jsonl"]).exits(2).says("it belongs to the run in `");
    assert_eq!(contents(&bench.path("runs")), before);
}

#[test]
fn no_output_takes_the_place_of_an_input() {
    let bench = Bench::by_epoch();
    bench.write("base.ron", bench.read("exp.ron"));
    bench.write("exp.ron", "Experiment(base: [\"base.ron\"], weights: (file: \"w.safetensors\"))");
    bench.write("lr.ron", "0.01");
    bench.write("w.safetensors", "what the experiment names");
    std::os::unix::fs::symlink("base.ron", bench.path("link.ron")).unwrap();
    let before = contents(&bench.path(""));
    for input in ["exp.ron", "./base.ron", "link.ron", "lr.ron", "w.safetensors"] {
        bench
            .run(&["schedule", "exp.ron", "--with", "optimizer.lr=lr.ron", "--svg", input])
            .exits(2)
            .says(&format!("`{input}` can't be written: the command reads this file; write to another one"));
    }
    bench.run(&["lr-find", "exp.ron", "--svg", "exp.ron"]).exits(2).says("the command reads this file");
    assert_eq!(contents(&bench.path("")), before);
    // another file is replaced, as the help says
    bench.write("old.svg", "old");
    bench.run(&["schedule", "exp.ron", "--svg", "old.svg"]).exits(0);
    assert!(bench.read("old.svg").starts_with("<svg "));
}

#[test]
fn an_output_makes_its_folder_and_what_is_no_file_is_refused_before_the_work() {
    let bench = trained();
    for (place, writer) in WRITERS[..4].iter().copied().enumerate() {
        let to = format!("made/for/{place}.svg");
        bench.run(&[writer, &[&to[..]]].concat()).exits(0);
        assert!(bench.path(&to).is_file(), "{writer:?}");
        for (odd, what) in [("runs", "is a folder"), ("/dev/null", "is a device or pipe")] {
            bench.run(&[writer, &[odd]].concat()).exits(2).says(what);
        }
        let ended = bench.run(&[writer, &["exp.ron/x.svg"]].concat()).exits(1).says("can't make `exp.ron`");
        // nothing was done for it
        assert!(!ended.stdout.contains("suggestion"), "{ended}");
    }
}

#[test]
fn a_schedule_of_momentum_is_seen_on_the_first_beta_that_it_means() {
    let bench = Bench::panicking();
    bench.edit("Sgd(lr: 0.1)", "Adam(lr: 0.1)");
    bench.edit("[InHalves()]", "[Linear(setting: \"momentum\", begin: 2, start: 1.0, finish: 0.5)]");
    bench.train(&[]).exits(0);
    let plan: serde_json::Value = serde_json::from_str(&bench.read("runs/run/plan.json")).unwrap();
    let settings = plan["groups"][0]["settings"].as_array().unwrap();
    let beta: Vec<f64> = serde_json::from_value(settings.iter().find(|s| s[0] == "beta1").unwrap()[1].clone()).unwrap();
    assert_eq!((beta.len(), beta[0], beta[1], beta[2]), (8, 0.9, 0.9, 0.9));
    assert!((beta[5] - 0.675).abs() < 1e-9, "{beta:?}");
    let tables =
        ["beta1", "momentum"].map(|name| bench.run(&["schedule", "exp.ron", "--setting", name]).exits(0).stdout);
    assert!(tables.iter().all(|table| table.contains("0.675")), "{tables:?}");
}
