//! An experiment with mistakes: all of them at once, before anything is opened.

use crate::bench::{Bench, golden};

const BAD: &str = r#"Experiment(
    name: "bad",
    sead: 7,
    device: Gpu,
    model: Mlpp(hidden: 8),
    optimizer: AdamW(lrr: 0.02, betas: (0.9, "high")),
    schedule: [Linear(iters: 10, start: 0.1), Cosin()],
    loaders: (
        train: (dataset: Points(samples: -40), batch_size: 0, shuffle: true),
        val: (dataset: Points(samples: 12, noise: 11.0), batch_size: 5),
        hard: (dataset: Pionts(samples: 8), batch_size: 4),
        test: (dataset: Points(samples: 9), batch_size: 4, worker: 2),
        unseen: (dataset: Points(part: 4), batch_size: 3),
    ),
    train: (max_epochs: "three", clip: Norm(-1.0)),
    val: (interval: 0),
    hooks: (
        logger: (interval: 0),
        emma: (decay: 0.8),
        witness: (scale: 1.0, level: HIHG),
    ),
    trainer: (fault: Eror),
    custom_hooks: [Speeker(word: "a"), Speaker()],
)
"#;

#[test]
fn all_mistakes_of_a_file_are_told_at_once_each_with_its_place() {
    let bench = Bench::by_epoch();
    bench.write("bad.ron", BAD);
    let ended = bench.train(&[]);
    ended.exits(0);
    let ended = bench.run(&["train", "bad.ron"]).exits(2);
    assert!(ended.stdout.is_empty() && !bench.path("runs/bad").exists());
    golden("mistakes.txt", &ended.stderr);
    // `check` and `plan` tell the same
    for command in ["check", "plan"] {
        assert_eq!(bench.run(&[command, "bad.ron"]).exits(2).stderr, ended.stderr);
    }
}

/// Nothing is wrong with any value of it alone.
const AT_ODDS: &str = r#"Experiment(
    base: "exp.ron",
    name: "../run",
    sead: 7,
    optimizer: AdamW(lr: 0.0),
    schedule: [Linear(epochs: 4)],
    train: (max_epochs: 3, accumulate: 4, batches_per_epoch: 2),
    metrics: [MeanLoss(), MeanLoss(name: "accuracy")],
    val: (dynamic_intervals: [(3, 1), (2, 1)]),
    hooks: (checkpoint: (save_best: ["val/acuracy"])),
)
"#;

#[test]
fn fields_at_odds_with_each_other_are_told_with_all_other_mistakes() {
    let bench = Bench::by_epoch();
    bench.write("odd.ron", AT_ODDS);
    let ended = bench.run(&["train", "odd.ron"]).exits(2);
    assert!(ended.stdout.is_empty() && !bench.path("runs").exists());
    golden("at_odds.txt", &ended.stderr);
    for command in [&["check", "odd.ron"][..], &["plan", "odd.ron"], &["val", "odd.ron", "--checkpoint", "."]] {
        assert_eq!(bench.run(command).exits(2).stderr, ended.stderr);
    }
}

#[test]
fn a_metric_that_nothing_produces_is_told_wherever_it_is_watched() {
    let bench = Bench::by_epoch();
    let stop = r#"custom_hooks=[EarlyStopping(monitor: "val/acuracy")]"#;
    let best = r#"hooks.checkpoint.save_best=["val/loss", "val/hard/acuracy"]"#;
    golden("metric_names.txt", &bench.train(&["--set", stop, "--set", best]).exits(2).stderr);
}

#[test]
fn plans_on_the_wrong_clock_are_refused() {
    let bench = Bench::by_iter();
    let ended = bench.train(&["--set", "train.max_epochs=3"]).exits(2);
    ended.says("the trainer is `by_iter`").says("`max_iters`");
    bench.train(&["--set", "val.by=Epoch"]).exits(2).says("no epochs to count; use `Iter`");
    let bench = Bench::by_epoch();
    bench.edit("max_epochs: 3, ", "");
    bench.train(&[]).exits(2).says("missing field `max_epochs`: the trainer is `by_epoch`");
}

#[test]
fn a_mistake_in_a_base_points_into_the_base() {
    let bench = Bench::by_epoch();
    std::fs::create_dir(bench.path("base")).unwrap();
    bench.write("base/opt.ron", "Experiment(\n    optimizer: AdamW(lr: \"fast\"),\n)\n");
    bench.edit("    optimizer: AdamW(lr: 0.02, weight_decay: 0.01),\n", "    base: [\"base/opt.ron\"],\n");
    bench.train(&[]).exits(2).says("--> base/opt.ron:2:26");
    bench.edit("base/opt.ron", "base/opr.ron");
    bench.train(&[]).exits(2).says("can't read the base `base/opr.ron`").says("did you mean `opt.ron`?");
    bench.write("loop.ron", "Experiment(base: \"loop.ron\")");
    bench.run(&["train", "loop.ron"]).exits(2).says("is its own base");
}

#[test]
fn a_hook_is_switched_off_by_the_command_line_and_by_a_file_over_its_base() {
    let bench = Bench::by_epoch();
    bench.write("off.ron", "Experiment(base: \"exp.ron\", hooks: (ema: Off))");
    let by_base = bench.run(&["plan", "off.ron"]).exits(0).stdout;
    let by_set = bench.run(&["plan", "exp.ron", "--set", "hooks.ema=Off"]).exits(0).stdout;
    assert_eq!(by_base, by_set);
    assert!(!by_base.contains("ema") && bench.run(&["plan", "exp.ron"]).exits(0).stdout.contains("ema"));
}

#[test]
fn what_only_the_data_tell_of_schedules_is_a_mistake_of_the_experiment_too() {
    let bench = Bench::by_epoch();
    // ten batches by four make three updates an epoch
    let ended = bench.train(&["--set", "schedule.Linear.iters=10"]).exits(2);
    let told = "error: `Linear` would end at iter 10, but the training ends at iter 9\n --> --set:1:23\n";
    assert!(ended.stderr.starts_with(told), "{ended}");
    // a run that never began leaves no folder, nor one that was made for it
    assert!(!bench.path("runs").exists());
    bench.train(&[]).exits(0);
}

#[test]
fn a_last_batch_of_one_sample_is_told_at_start_where_batch_norm_would_fail_on_it() {
    let bench = Bench::by_epoch();
    bench.edit("schedule: [Linear(iters: 3, start: 0.1), Cosine()],", "");
    let nine = ["--set", "loaders.train.dataset.samples=9", "--set", "loaders.train.batch_size=4"];
    let ended = bench.train(&nine).exits(1);
    let warning = "warning: the last batch of each pass of `train` has one sample";
    assert!(ended.stdout.contains(warning) && ended.stderr.contains("`drop_last: true`"), "{ended}");
    let dropped = bench.train(&[&nine[..], &["--fresh", "--set", "loaders.train.drop_last=true"]].concat()).exits(0);
    assert!(!dropped.stdout.contains(warning), "{dropped}");
}

#[test]
fn two_sinks_with_one_folder_are_refused() {
    let bench = Bench::by_epoch();
    let ended = bench.train(&["--set", "sinks=[TensorBoard(), TensorBoard()]"]).exits(1);
    ended.says("two sinks, `TensorBoard` and `TensorBoard`, would write into");
    bench.train(&["--fresh", "--set", "sinks=[TensorBoard(), TensorBoard(folder: \"boards\")]"]).exits(0);
}

#[test]
fn check_reads_files_one_by_one_or_as_one_experiment() {
    let bench = Bench::by_epoch();
    bench.write("wide.ron", "(model: (hidden: 16))");
    bench.write("lr.ron", "0.01");
    bench.write("wrong.ron", "-1.0");
    // alone it is no experiment
    bench.run(&["check", "exp.ron", "wide.ron"]).exits(2);
    let ended = bench.run(&["check", "--together", "exp.ron", "wide.ron", "--with", "optimizer.lr=lr.ron"]).exits(0);
    assert_eq!(ended.stdout, "exp.ron wide.ron: ok\n");
    assert_eq!(bench.run(&["check", "exp.ron", "--with", "optimizer.lr=lr.ron"]).exits(0).stdout, "exp.ron: ok\n");
    bench.run(&["check", "exp.ron", "--with", "optimizer.lr=wrong.ron"]).exits(2).says("must be above 0");
    bench.write("wide.ron", "(model: (hiden: 16))");
    bench.run(&["check", "--together", "exp.ron", "wide.ron"]).exits(2).says("`hiden`");
}
