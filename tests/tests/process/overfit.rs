//! `train --overfit`: the same batches again and again.

use crate::bench::Bench;
use crate::left::{assert_same, log, rows};

#[test]
fn a_run_on_the_same_batches_learns_them_by_heart_and_keeps_its_plan() {
    let bench = Bench::by_epoch();
    // without dropout, so that a batch that comes again has another loss only because the weights have changed
    let still = ["--set", "model.dropout=0.0", "--set", "hooks.logger.interval=1", "--set", "train.accumulate=1"];
    let ended = bench.train(&[&["--overfit", "2", "--set", "train.max_epochs=8"], &still[..]].concat()).exits(0);
    let told = "overfit: the first 2 batches of `train` again and again, with the same random numbers; the plan stays";
    assert!(ended.stdout.contains(told), "{ended}");
    let run = bench.path("runs/run");
    let losses: Vec<f64> =
        rows(&run).iter().filter(|row| row["phase"] == "train").map(|row| row["loss"].as_f64().unwrap()).collect();
    // eight epochs of ten batches, as without it
    assert_eq!(losses.len(), 80);
    let (first, last) = (losses[..2].iter().sum::<f64>(), losses[78..].iter().sum::<f64>());
    assert!(last < 0.2 * first, "from {first} to {last}");
    // the first two batches are those of any run
    bench.train(&[&["--fresh", "--max-iters", "2"], &still[..]].concat()).exits(0);
    let of_any: Vec<f64> =
        rows(&run).iter().filter(|row| row["phase"] == "train").map(|row| row["loss"].as_f64().unwrap()).collect();
    assert_eq!(losses[..2], of_any[..2]);
}

#[test]
fn a_run_on_the_same_batches_goes_on_to_the_bit_and_knows_that_it_is_one() {
    for (whole, cut) in [(Bench::by_epoch(), Bench::by_epoch()), (Bench::by_iter(), Bench::by_iter())] {
        whole.train(&["--overfit", "3"]).exits(0);
        cut.train(&["--overfit", "3", "--max-iters", "4"]).exits(0);
        // the run's own experiment says it
        cut.run(&["train", "runs/run", "--resume"]).exits(0);
        assert_same(&whole.path("runs/run"), &cut.path("runs/run"), "overfit");
        assert!(log(&cut.path("runs/run")).iter().filter(|line| line.contains("overfit: the first 3")).count() == 2);
    }
}

#[test]
fn what_is_not_the_same_run_is_refused() {
    let bench = Bench::by_epoch();
    bench.train(&["--overfit", "11"]).exits(1).says("can't give the same 11 batches again and again: a pass has 10");
    bench.train(&["--overfit", "0"]).exits(2).says("0 is not in 1..");
    bench.train(&["--set", "train.overfit=0"]).exits(2).says("`overfit` must be at least 1");
    bench.train(&["--overfit", "3", "--smoke"]).exits(2).says("cannot be used with");
    assert!(!bench.path("runs/run/metrics.jsonl").exists());
    // in the middle of an epoch
    bench.train(&["--overfit", "3", "--max-iters", "4"]).exits(0);
    let before = std::fs::read(bench.path("runs/run/metrics.jsonl")).unwrap();
    bench.train(&["--resume"]).exits(1).says("the first 3 batches again and again");
    bench.train(&["--resume", "--overfit", "2"]).exits(1).says("the first 2 batches again and again");
    assert_eq!(std::fs::read(bench.path("runs/run/metrics.jsonl")).unwrap(), before);
}
