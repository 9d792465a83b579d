//! Optimizers, and the schedules that act on them.

use super::programs::{Blind, Epochs, Iters};
use super::{experiment, read, refused};
use engine::trainer::Experiment;

#[test]
fn schedules_that_have_no_time_are_told_before_the_data_are_known() {
    refused::<Epochs>(
        "schedules_by_epoch",
        r#"    schedule: [
        Cosine(by: Epoch, begin: 2, end: 2),
        Linear(epochs: 4),
        Constant(by: Epoch, begin: 3),
        Step(every: 1, begin: 7, end: 5),
        Linear(iters: 5, setting: "momentum", begin: 0),
        Cosine(begin: 0, setting: "momentum"),
        Linear(epochs: 1, setting: "weight_decay"),
        Cosine(setting: "weight_decay", begin: 0),
        Linear(iters: 5, epochs: 1),
        MultiStep(milestones: [4, 3]),
        Poly(power: 0.0),
        Step(every: 1, gamma: inf),
    ],"#,
    );
    refused::<Iters>(
        "schedules_by_iter",
        "    schedule: [Linear(iters: 200), Poly(), Cosine(begin: 100), Constant(begin: 40, iters: 90)],",
    );
    refused::<Iters>("schedule_of_no_iters", "    schedule: [Linear(iters: 0)],");
    refused::<Iters>("schedules_left", "    schedule: [Linear(iters: 100), Cosine()],");
    // as far as the file tells how long an epoch is, or the training at most
    refused::<Epochs>(
        "schedules_with_epochs_known",
        "    train: (max_epochs: 3, batches_per_epoch: 5, accumulate: 2),\n    schedule: [Linear(iters: 10)],",
    );
    refused::<Epochs>(
        "schedules_with_a_limit",
        "    train: (max_epochs: 3, max_iters: 20),\n    schedule: [Linear(iters: 21), Cosine(begin: 20)],",
    );
    // what only the data tell
    read::<Epochs>("    schedule: [Linear(iters: 1000), Cosine(by: Epoch), Constant(begin: 2000)],");
    // one that can't be read hides no other, and is no reason to complain of those that follow it
    refused::<Iters>("schedule_unknown", "    schedule: [Lineer(iters: 5), Cosine(by: Epoch), Poly(power: 0.0)],");
}

#[test]
fn schedules_of_what_no_optimizer_has_are_told() {
    refused::<Epochs>(
        "schedules_and_optimizers",
        r#"    optimizer: AdamW(lr: 0.1, groups: [(pattern: "*.bias")], no_decay_on_bias_and_norm: true),
    schedule: [
        Cosine(setting: "lrr"),
        Cosine(groups: ["default", "*.biass", "*.bias/no_decay"]),
        Cosine(setting: "momentum", groups: ["*.bias"]),
    ],"#,
    );
    // what is not known of an optimizer is not missed
    refused::<Epochs>(
        "schedules_and_no_optimizer",
        "    optimizer: Adan(lr: 0.1),\n    schedule: [Cosine(setting: \"lrr\", groups: [\"head\"])],",
    );
}

#[test]
fn optimizers_are_looked_at_before_there_are_parameters() {
    refused::<Epochs>("optimizer_lr", "    optimizer: AdamW(lr: 0.0, weight_decay: -1.0),");
    refused::<Epochs>(
        "optimizer_groups",
        r#"    optimizer: Sgd(
        lr: inf,
        groups: [(pattern: "*", lr: 0.1, lr_mult: 2.0), (pattern: "*.bias", decay_mult: -1.0)],
    ),"#,
    );
    refused::<Epochs>("optimizer_contradiction", "    optimizer: Sgd(lr: 0.1, nesterov: true),");
    refused::<Epochs>("optimizer_infinite", "    optimizer: Adam(lr: inf),");
}

#[test]
fn a_plateau_watches_what_a_validation_measures() {
    refused::<Epochs>(
        "plateau",
        r#"    schedule: [
        Plateau(monitor: "val/los"),
        Plateau(),
        Plateau(monitor: "test/loss", factor: 1.0),
        Plateau(monitor: 3, threshold_mode: Relative),
    ],"#,
    );
    refused::<Blind>("plateau_without_val", "    schedule: [Plateau(monitor: \"val/loss\")],");
}

#[test]
fn schedules_without_end_are_refused_at_once() {
    let many = "Linear(iters: 1), ".repeat(50_000);
    let text = experiment::<Epochs>(&format!("    schedule: [{many}],"));
    let errors = Experiment::<Epochs>::parse("exp.ron", &text).err().unwrap().short();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("the list has 50000 schedules; the limit is 100"), "{errors:?}");
}
