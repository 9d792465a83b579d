//! Going on under changed settings: exact, told, or refused while every file is as it was.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, log};
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
        (1, "optimizer=Sgd(lr: 0.1)", "it was saved by `AdamW`, and the experiment now names `Sgd`"),
        (1, "loaders.train.dataset.path=nowhere.csv", "nowhere.csv"),
        (2, "optimizer.lr=-1.0", "must be above 0"),
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

const THRESHOLD: &str = r#"custom_hooks=[EarlyStopping(monitor: "val/accuracy", threshold: 0.0)]"#;

#[test]
fn a_training_that_was_ended_stays_ended_until_somebody_lets_it_go_on() {
    let bench = Bench::by_epoch();
    let ended = bench.train(&["--set", THRESHOLD]).exits(0);
    assert!(
        ended.stdout.contains("stopped at epoch 1, iter 3: `EarlyStopping`: `val/accuracy` has reached"),
        "{ended}"
    );
    let before = checkpoints(&bench.path("runs/run"));
    let again = bench.train(&["--resume", "--set", THRESHOLD]).exits(0);
    assert!(again.stdout.contains("the training was ended at iter 3 by `EarlyStopping`: "), "{again}");
    assert!(again.stdout.contains("; nothing is trained: "), "{again}");
    assert!(again.stdout.contains("stopped at epoch 1, iter 3: `EarlyStopping`: "), "{again}");
    assert_eq!(checkpoints(&bench.path("runs/run")), before);
    // a setting that has nothing to do with it does not let it go on, and is not taken over
    let other = bench.train(&["--resume", "--set", THRESHOLD, "--set", "hooks.logger.interval=3"]).exits(0);
    assert!(other.stdout.contains("changed: `hooks.logger.interval`: 2 -> 3\n"), "{other}");
    assert!(other.stdout.contains("; nothing is trained: "), "{other}");
    assert!(bench.read("runs/run/experiment.ron").contains("interval: 2"));
    // each of the three ways
    let past = bench.train(&["--resume", "--continue", "--set", THRESHOLD]).exits(0);
    assert!(past.stdout.contains("it goes on, for `--continue` asks for it"), "{past}");
    assert!(past.stdout.contains("stopped at epoch 2, iter 6: `EarlyStopping`: "), "{past}");
    let longer = bench.train(&["--resume", "--set", THRESHOLD, "--set", "train.max_epochs=4"]).exits(0);
    assert!(longer.stdout.contains("it goes on, for its plan is longer now"), "{longer}");
    assert!(longer.stdout.contains("stopped at epoch 3, iter 9: `EarlyStopping`: "), "{longer}");
    let higher = THRESHOLD.replace("0.0", "2.0");
    let changed = bench.train(&["--resume", "--set", &higher, "--set", "train.max_epochs=4"]).exits(0);
    assert!(changed.stdout.contains("it goes on, for the settings of `EarlyStopping` have changed"), "{changed}");
    assert!(bench.path("runs/run/checkpoints/iter_000000012").is_dir(), "{changed}");
    bench.train(&["--continue"]).exits(2).says("--resume");
}

#[test]
fn a_hook_removed_or_moved_in_the_list_hands_its_state_to_no_other() {
    let bench = Bench::by_epoch();
    let hook = |monitor: &str| format!(r#"EarlyStopping(monitor: "{monitor}", patience: 90)"#);
    let (accuracy, loss) = (hook("val/accuracy"), hook("val/loss"));
    let set = |hooks: &[&str]| format!("custom_hooks=[{}]", hooks.join(", "));
    bench.train(&["--max-iters", "3", "--set", &set(&[&accuracy, &loss])]).exits(0);
    // the other order: both keep their states, and there is nothing to tell
    let moved = bench.train(&["--resume", "--max-iters", "4", "--set", &set(&[&loss, &accuracy])]).exits(0);
    assert!(!moved.stdout.contains("anew") && !moved.stdout.contains("unknown state"), "{moved}");
    // the first is gone, and the second is not taken for it
    let removed = bench.train(&["--resume", "--max-iters", "5", "--set", &set(&[&accuracy])]).exits(0);
    assert!(!removed.stdout.contains("anew"), "{removed}");
    assert!(
        removed.stdout.contains("ignored: unknown state `custom_hooks.EarlyStopping` in the checkpoint"),
        "{removed}"
    );
    let back = bench.train(&["--resume", "--set", &set(&[&loss, &accuracy])]).exits(0);
    assert!(
        back.stdout.contains("the checkpoint has no state of `custom_hooks.EarlyStopping`: it starts anew"),
        "{back}"
    );
}

#[test]
fn a_run_cut_again_and_again_by_max_iters_ends_with_the_rows_and_bytes_of_one_that_was_not() {
    let whole = Bench::by_epoch();
    let stop = r#"custom_hooks=[EarlyStopping(monitor: "val/accuracy", patience: 2, min_delta: 2.0)]"#;
    whole.train(&["--set", stop, "--set", "train.max_epochs=9"]).exits(0);
    let bench = Bench::by_epoch();
    for (limit, resume) in [("1", &[][..]), ("3", &["--resume"]), ("4", &["--resume"]), ("8", &["--resume"])] {
        let cut =
            bench.train(&[&["--set", stop, "--set", "train.max_epochs=9", "--max-iters", limit], resume].concat());
        let cut = cut.exits(0);
        // it shows what the last weights are worth
        assert!(cut.stdout.contains(&format!("iter {limit}")) && cut.stdout.contains("val/val/accuracy = "), "{cut}");
    }
    let ended = bench.train(&["--resume", "--set", stop, "--set", "train.max_epochs=9"]).exits(0);
    assert!(ended.stdout.contains("stopped at epoch 3, iter 9: `EarlyStopping`: "), "{ended}");
    assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "cut four times");
}

#[test]
fn a_damaged_newer_checkpoint_is_set_aside_and_takes_no_place_of_those_that_are_kept() {
    let bench = Bench::by_epoch();
    let every = ["--set", "hooks.checkpoint.by=Iter", "--set", "hooks.checkpoint.keep=1"];
    bench.train(&[&every[..], &["--max-iters", "6"]].concat()).exits(0);
    let run = bench.path("runs/run");
    // the best one of epoch 1 or 2 is whole; what is behind it is cut short
    bench.train(&[&every[..], &["--resume", "--max-iters", "8"]].concat()).exits(0);
    std::fs::write(run.join("checkpoints/iter_000000008/net.safetensors"), "").unwrap();
    let best = checkpoints(&run).into_iter().find(|name| name.starts_with("best")).unwrap();
    let meta = bench.read(&format!("runs/run/checkpoints/{best}/meta.ron"));
    let from: u64 = if meta.contains("iter: 6") { 6 } else { 3 };
    let limit = (from + 1).to_string();
    let ended = bench.train(&[&every[..], &["--resume", "--max-iters", &limit]].concat()).exits(0);
    assert!(ended.stdout.contains("warning: a checkpoint can't be used: "), "{ended}");
    let newest = format!("iter_{:09}", from + 1);
    assert_eq!(checkpoints(&run), [best, "damaged-iter_000000008".to_owned(), newest.clone()]);
    assert_eq!(bench.read("runs/run/checkpoints/latest"), format!("{newest}\n"));
    bench.train(&[&every[..], &["--resume"]].concat()).exits(0);
}

#[test]
fn a_kill_between_the_names_of_the_last_checkpoint_is_made_good_though_nothing_is_left_to_train() {
    // the last iter of the plan is the best one: one state, two names
    for gone in ["iter_000000003", "best_val_accuracy"] {
        let bench = Bench::by_epoch();
        let short = ["--set", "train.max_epochs=1", "--set", "schedule=[]"];
        bench.train(&short).exits(0);
        let run = bench.path("runs/run");
        assert_eq!(checkpoints(&run), ["best_val_accuracy", "iter_000000003"]);
        std::fs::remove_dir_all(run.join("checkpoints").join(gone)).unwrap();
        let ended = bench.train(&[&short[..], &["--resume"]].concat()).exits(0);
        assert!(ended.stdout.contains("the plan of this run is finished: there is nothing left to train"), "{ended}");
        assert_eq!(checkpoints(&run), ["best_val_accuracy", "iter_000000003"], "without {gone}");
    }
}

#[test]
fn a_sink_that_writes_elsewhere_starts_anew_and_cuts_no_file_of_another_run() {
    let bench = Bench::by_epoch();
    let sink = |folder: &str| format!(r#"sinks=[TensorBoard(folder: Some("{}"))]"#, bench.path(folder).display());
    // two runs of one name, and the newer one writes elsewhere
    bench.train(&["--set", &sink("old")]).exits(0);
    let of = |folder: &str| everything(&bench.path(folder)).into_iter().filter(|(_, (bytes, _))| !bytes.is_empty());
    let before: Vec<_> = of("old").collect();
    bench.train(&["--fresh", "--max-iters", "3", "--set", &sink("new")]).exits(0);
    let ended = bench.train(&["--resume", "--set", &sink("old")]).exits(0);
    assert!(ended.stdout.contains("`sinks.TensorBoard` starts anew: `folder` was Some("), "{ended}");
    let after: Vec<_> = of("old").collect();
    assert!(before.iter().all(|file| after.contains(file)), "a file of the first run was cut");
}

#[test]
fn a_checkpoint_that_can_not_be_evaluated_leaves_every_file_of_its_run_as_it_was() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let before = everything(&bench.path("runs/run"));
    for command in ["val", "test"] {
        let other = &["--set", "model.hidden=16", "--checkpoint", "runs/run"];
        bench
            .run(&[&[command, "exp.ron"], &other[..]].concat())
            .exits(1)
            .says("has shape [16], the given weights have [8]");
        assert_eq!(everything(&bench.path("runs/run")), before, "{command}");
    }
}

#[test]
fn a_best_value_of_another_metric_of_the_same_name_is_forgotten_and_told() {
    let bench = Bench::by_epoch();
    let stop = r#"custom_hooks=[EarlyStopping(monitor: "val/score", patience: 3, min_delta: 9.0)]"#;
    let best = r#"hooks.checkpoint.save_best=["val/score"]"#;
    // an accuracy is at most 1, and higher is better; of a perplexity, which is at least 1, lower is
    let (accuracy, perplexity) = (r#"Accuracy(name: "score")"#, r#"Perplexity(name: "score")"#);
    let train = |metric: &str, more: &[&str]| {
        let metrics = format!("metrics=[MeanLoss(), {metric}]");
        let sets = ["--set", stop, "--set", best, "--set", &metrics, "--set", "train.max_epochs=6"];
        bench.train(&[&sets[..], more].concat())
    };
    train(accuracy, &["--max-iters", "6"]).exits(0);
    let told = "`val/score` is now measured by another metric or with other weights, so its best value starts over";
    let same = train(accuracy, &["--resume", "--max-iters", "7"]).exits(0);
    assert!(!same.stdout.contains(told), "{same}");
    let other = train(perplexity, &["--resume"]).exits(0);
    // once by each of the two hooks
    assert_eq!(other.stdout.matches(told).count(), 2, "{other}");
    // its first value comes with epoch 3, and three more are not better; the count of before would end at epoch 4
    assert!(other.stdout.contains("stopped at epoch 6, iter 18: `EarlyStopping`: "), "{other}");
}
