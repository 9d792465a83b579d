//! What is told of ranks before any is started, and learning rates that grow with their number.

use super::{fingerprints, of, plain};
use crate::bench::Bench;

#[test]
fn learning_rates_grow_with_the_samples_of_an_update() {
    // two ranks of two samples, four batches for each update: 16 samples
    let run = |more: &[&str]| {
        let bench = plain();
        bench.train(&[&of("2", "loaders.train.batch_size=2")[..], more].concat()).exits(0);
        let lines = fingerprints(&bench.path("runs/run"), 0);
        (lines, bench.read("runs/run/log.txt"))
    };
    let (by_hand, _) = run(&["--set", "optimizer.lr=0.04"]);
    let (scaled, log) = run(&["--set", "train.scale_lr=(base_batch: 8)"]);
    assert_eq!(by_hand, scaled);
    let told = "`opt` has 2 times the learning rates of the file, as its updates have 4 × 4 samples (`scale_lr`)";
    assert!(log.contains(told), "{log}");
    // one process with the same samples in an update
    let bench = plain();
    bench.train(&["--set", "train.scale_lr=(base_batch: 8)"]).exits(0);
    assert!(bench.read("runs/run/log.txt").contains("`opt` has 2 times the learning rates"));
    // the rate of a run that goes on is not multiplied again
    let (first, whole) = (plain(), ["--set", "train.scale_lr=(base_batch: 8)"]);
    let two = of("2", "loaders.train.batch_size=2");
    first.train(&[&two[..], &whole, &["--max-iters", "4"]].concat()).exits(0);
    first.train(&[&two[..], &whole, &["--resume"]].concat()).exits(0);
    assert_eq!(fingerprints(&first.path("runs/run"), 0), scaled);
    let ended = plain().train(&["--set", "train.scale_lr=(base_batch: 0)"]).exits(2);
    assert!(ended.stderr.contains("base_batch"), "{ended}");
}

#[test]
fn a_training_in_many_ranks_is_planned_without_starting_one() {
    let bench = Bench::by_epoch();
    let ended = bench.run(&["plan", "exp.ron", "--ranks", "3"]).exits(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let has = |line: &str| assert!(lines.contains(&line), "no `{line}` in {ended}");
    has("3 ranks");
    // 40 samples: three whole batches of 12, and 4
    has("  train: batches of 12 samples, 4 on each rank; 4 in a pass, the last of 4: 1 or 2 on each rank");
    has("  val: batches of 15 samples, 5 on each rank; 1 in a pass, the last of 12: 4 on each rank");
    // four batches for each update
    has("  3 iters, 1 in an epoch");
    has("  3 at intervals, of about 1.4 kB each; the newest 2 stay");
    assert!(ended.stdout.contains("  opt, default  0: 0.002, "), "{ended}");
    assert!(!bench.path("runs").exists());
    // with the number of ranks grow rates, and what is divided shrinks
    let more = ["--set", "train.scale_lr=(base_batch: 1)", "--set", "dist.shard_optimizer=true"];
    let divided = bench.run(&[&["plan", "exp.ron", "--ranks", "64"], &more[..]].concat()).exits(0);
    assert!(divided.stdout.contains("  opt: 1024 times those of the file (`scale_lr`)"), "{divided}");
    let optimizers = |text: &str| text.lines().find(|line| line.starts_with("  optimizers")).unwrap().to_owned();
    assert_ne!(optimizers(&ended.stdout), optimizers(&divided.stdout));
    let ended = bench.run(&["plan", "exp.ron", "--ranks", "64", "--set", "loaders.train.drop_last=true"]).exits(1);
    ended.says("64");
}
