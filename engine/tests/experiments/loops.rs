//! Training loops that an experiment chooses.

use crate::program::Fit;
use engine::folder::Mode;
use engine::loops::{TrainLoop, Training};
use engine::prelude::*;
use engine::trainer::{Experiment, Summary, run_train};
use std::path::Path;

/// Validates after each iter of the first epochs; from then on as planned.
#[component(loop)]
struct WatchTheStart {
    /// How many epochs are watched.
    #[config(default = 1)]
    epochs: u64,
}

impl TrainLoop for WatchTheStart {
    fn train(&self, training: &mut dyn Training) -> Result<()> {
        while !training.is_over() {
            if training.clocks().epoch().get() >= self.epochs {
                training.epoch()?;
            } else {
                training.epoch_with(&mut |training| {
                    while training.has_iter_left() {
                        training.iter()?;
                        training.context().validate();
                        training.safe_point_in_epoch()?;
                    }
                    Ok(())
                })?;
            }
            training.safe_point()?;
        }
        Ok(())
    }
}

/// One epoch, then no more.
#[component(loop)]
struct OneEpoch {
    /// Whether it says that the training is to end.
    stops: bool,
}

impl TrainLoop for OneEpoch {
    fn train(&self, training: &mut dyn Training) -> Result<()> {
        training.epoch()?;
        if self.stops {
            training.context().stop("one epoch is enough");
        }
        Ok(())
    }
}

/// Makes iters and never asks whether one is left.
#[component(loop)]
struct Tireless {}

impl TrainLoop for Tireless {
    fn train(&self, training: &mut dyn Training) -> Result<()> {
        training.epoch_with(&mut |training| {
            loop {
                training.iter()?;
            }
        })
    }
}

/// Three epochs of four iters, by this loop.
fn experiment(dir: &Path, name: &str, train_loop: &str, stop_after: Option<u64>) -> Experiment<Fit> {
    let text = format!(
        "Experiment(
            name: {name:?}, work_dir: {dir:?}, device: Cpu,
            {train_loop}
            optimizer: AdamW(lr: 0.1),
            loaders: (
                train: (dataset: Line(points: 16), batch_size: 4, shuffle: true),
                val: (dataset: (points: 4), batch_size: 4),
            ),
            train: (max_epochs: 3),
            hooks: (logger: (interval: 1)),
        )",
        dir = dir.display().to_string()
    );
    let mut experiment = Experiment::parse("loops.ron", &text).unwrap();
    experiment.stop_after = stop_after;
    experiment
}

fn train(dir: &Path, name: &str, train_loop: &str) -> Result<Summary> {
    run_train(experiment(dir, name, train_loop, None), Mode::New)
}

/// The iters of the rows of validations, and the bytes of the final weights.
fn seen(dir: &Path, name: &str) -> (Vec<u64>, Vec<u8>) {
    let rows = std::fs::read_to_string(dir.join(name).join("metrics.jsonl")).unwrap();
    let rows = rows.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let validations = rows.filter(|row| row["phase"] == "val").map(|row| row["iter"].as_u64().unwrap()).collect();
    let weights = dir.join(name).join("checkpoints/iter_000000012/slope.safetensors");
    (validations, std::fs::read(weights).unwrap())
}

#[test]
fn a_chosen_loop_validates_where_it_says_and_trains_to_the_same_weights() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(train(dir, "plain", "").unwrap().iter, 12);
    assert_eq!(train(dir, "watched", "train_loop: WatchTheStart(),").unwrap().iter, 12);
    let (plain, watched) = (seen(dir, "plain"), seen(dir, "watched"));
    assert_eq!(plain.0, [4, 8, 12]);
    assert_eq!(watched.0, [1, 2, 3, 4, 8, 12]);
    assert_eq!(plain.1, watched.1);
    // stopped in the middle of a watched epoch, and gone on with
    let watch = "train_loop: WatchTheStart(epochs: 2),";
    run_train(experiment(dir, "cut", watch, Some(6)), Mode::New).unwrap();
    run_train(experiment(dir, "cut", watch, None), Mode::Resume).unwrap();
    train(dir, "uncut", watch).unwrap();
    assert_eq!(seen(dir, "cut"), seen(dir, "uncut"));
    assert_eq!(seen(dir, "uncut").0, [1, 2, 3, 4, 5, 6, 7, 8, 12]);
}

#[test]
fn a_loop_that_returns_early_has_to_say_that_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let error = train(dir.path(), "early", "train_loop: OneEpoch(stops: false),").unwrap_err().to_string();
    assert!(error.contains("`OneEpoch` has returned after iter 4 of 12") && error.contains("stop("), "{error}");
    assert_eq!(train(dir.path(), "stopped", "train_loop: OneEpoch(stops: true),").unwrap().iter, 4);
}

#[test]
fn a_loop_that_asks_for_an_iter_where_none_is_left_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = train(dir.path(), "tireless", "train_loop: Tireless(),").unwrap_err().to_string();
    assert!(error.contains("no iter is left after iter 4;"), "{error}");
}

/// Calls the parts of a training where they do not belong.
#[component(loop)]
struct Misplaced {
    /// Whether an epoch is begun within an epoch; else an iter outside of one.
    epoch: bool,
}

impl TrainLoop for Misplaced {
    fn train(&self, training: &mut dyn Training) -> Result<()> {
        match self.epoch {
            true => training.epoch_with(&mut |training| training.epoch()),
            false => training.iter(),
        }
    }
}

#[test]
fn a_loop_can_not_nest_epochs_nor_make_iters_outside_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let error = |train_loop: &str| train(dir.path(), "x", train_loop).unwrap_err().to_string();
    assert!(error("train_loop: Misplaced(epoch: true),").contains("an epoch is running"));
    let dir = tempfile::tempdir().unwrap();
    let outside = train(dir.path(), "x", "train_loop: Misplaced(epoch: false),").unwrap_err().to_string();
    assert!(outside.contains("call `iter` in the body of `epoch_with`"), "{outside}");
}

#[test]
fn the_loop_of_an_experiment_is_checked_and_printed_like_its_other_parts() {
    let dir = tempfile::tempdir().unwrap();
    let text = experiment(dir.path(), "x", "train_loop: WatchTheStart(),", None).print().unwrap();
    assert!(text.contains("train_loop: WatchTheStart(epochs: 1),"), "{text}");
    let misspelt = text.replace("WatchTheStart", "WatchTheStrat");
    let errors = Experiment::<Fit>::parse("x.ron", &misspelt).map(|_| ()).unwrap_err().to_string();
    assert!(errors.contains("did you mean `WatchTheStart`?"), "{errors}");
}
