//! Going on under changed settings: exact, told, or refused while every file is as it was.

use crate::bench::Bench;
use crate::left::log;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

/// Every file and folder below a run: its content, and when it was changed. The lock is of whoever had the folder last.
fn everything(run: &Path) -> BTreeMap<String, (Vec<u8>, Option<SystemTime>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().display().to_string();
            let changed = Some(path.metadata().unwrap().modified().unwrap()).filter(|_| name != "lock");
            match path.is_dir() {
                true => {
                    found.insert(name, (Vec::new(), changed));
                    folders.push(path);
                }
                false => {
                    found.insert(name, (std::fs::read(&path).unwrap(), changed));
                }
            }
        }
    }
    found
}

#[test]
fn a_resume_that_is_refused_leaves_every_file_of_the_run_as_it_was() {
    let bench = Bench::by_epoch();
    // in the middle of the first of three epochs
    bench.train(&["--max-iters", "2", "--set", "sinks=[TensorBoard()]"]).exits(0);
    let run = bench.path("runs/run");
    // what a kill leaves: a checkpoint half written, and one that was being replaced
    std::fs::create_dir(run.join("checkpoints/.tmp-1-iter_000000003")).unwrap();
    let newest = run.join("checkpoints/iter_000000002");
    std::fs::rename(&newest, run.join("checkpoints/.old-iter_000000002")).unwrap();
    let before = everything(&run);
    let refused = [
        (1, "seed=8", "the seed is 8, it was 7"),
        (1, "loaders.train.dataset.samples=50", "the number of samples is 50, it was 40"),
        (1, "loaders.train.shuffle=false", "the sampler is `Sequential()`, it was `Shuffled()`"),
        (1, "model.hidden=16", "can't be resumed"),
        (1, "optimizer=Sgd(lr: 0.1)", "it was saved by `AdamW`, and the experiment asks for `Sgd`"),
        (1, "loaders.train.dataset.path=nowhere.csv", "nowhere.csv"),
        (2, "optimizer.lr=-1.0", "must be at least 0.0"),
        (2, "schedule=[Cosine(begin: 90)]", "would begin at iter 90"),
    ];
    for (code, set, why) in refused {
        let sinks = "sinks=[TensorBoard()]";
        bench.train(&["--resume", "--set", sinks, "--set", set]).exits(code).says(why);
        let after = everything(&run);
        let names = |found: &BTreeMap<String, _>| found.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&before), names(&after), "{set}");
        let other: Vec<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
        assert!(other.is_empty(), "{set} has changed {other:?}");
    }
    // with nothing changed it goes on, from the checkpoint that was being replaced
    bench.train(&["--resume"]).exits(0);
    assert!(newest.is_dir() || run.join("checkpoints/iter_000000009").is_dir());
    let left = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let hidden: Vec<_> =
        left.map(|entry| entry.unwrap().file_name()).filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_run_whose_checkpoints_are_all_damaged_is_refused_and_left_as_it_is() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "4"]).exits(0);
    let run = bench.path("runs/run");
    for entry in std::fs::read_dir(run.join("checkpoints")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::write(path.join("manifest"), "").unwrap();
        }
    }
    let before = everything(&run);
    bench.train(&["--resume"]).exits(1).says("none of");
    assert_eq!(everything(&run), before);
}

#[test]
fn a_resume_tells_each_setting_that_has_changed_in_console_and_log() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let sets = ["optimizer.lr=0.01", "loaders.train.batch_size=8", "custom_hooks=[Speaker(word: \"new\")]"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let ended = bench.train(&[&["--resume"], &sets[..]].concat()).exits(0);
    let told = [
        "changed: `optimizer.lr`: 0.02 -> 0.01",
        "changed: `loaders.train.batch_size`: 4 -> 8",
        "changed: `custom_hooks.Speaker`: nothing -> Speaker(word: \"new\")",
    ];
    let log = log(&bench.path("runs/run"));
    let place =
        |line: &str| log.iter().rposition(|said| said == line).unwrap_or_else(|| panic!("no `{line}` in {log:#?}"));
    let resumed = log.iter().rposition(|line| line.starts_with("resumed from ")).unwrap();
    let first_row = resumed + log[resumed..].iter().position(|line| line.starts_with("train ")).unwrap();
    for line in told {
        assert!(ended.stdout.contains(&format!("{line}\n")), "{ended}");
        assert!((resumed..first_row).contains(&place(line)), "{line}");
    }
    assert_eq!(log.iter().filter(|line| line.starts_with("changed: ")).count(), 3, "{log:#?}");
    // with the same settings there is nothing to tell
    let same = bench.train(&[&["--resume"], &sets[..]].concat()).exits(0);
    assert!(!same.stdout.contains("changed: "), "{same}");
}

#[test]
fn other_data_between_two_epochs_are_told_and_the_run_ends_at_its_planned_epoch() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let ended = bench.train(&["--resume", "--set", "loaders.train.dataset.samples=80"]).exits(0);
    let told =
        "the loader `train` gives its samples in another order from pass 1 on: the number of samples is 80, it was 40";
    assert!(ended.stdout.contains(told), "{ended}");
    // 20 batches by four are five updates an epoch
    assert!(bench.path("runs/run/checkpoints/iter_000000013").is_dir(), "{ended}");
}

#[test]
fn a_hook_that_refuses_its_settings_leaves_the_experiment_of_the_run() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let before = bench.read("runs/run/experiment.ron");
    bench.train(&["--resume", "--set", "custom_hooks=[Picky()]"]).exits(1).says("the hook does not like it here");
    assert_eq!(bench.read("runs/run/experiment.ron"), before);
    assert!(!bench.path("runs/run/experiment.1.ron").exists());
    bench.train(&["--resume"]).exits(0);
}
