//! Names of metrics.

use super::programs::{Blind, Epochs};
use super::{read, refused};

#[test]
fn a_metric_that_can_not_be_watched_is_told_at_its_name() {
    refused::<Epochs>(
        "metric_names",
        r#"    metrics: [Samples(), MeanLoss()],
    hooks: (checkpoint: (save_best: ["val/loss", "val/acuracy", "val/samples"])),
    custom_hooks: [
        EarlyStopping(monitor: "test/loss"),
        Watcher(monitor: "val/hard/acuracy"),
        EarlyStopping(monitor: "iou"),
    ],"#,
    );
    // what a user's hook watches by default, and nothing produces
    refused::<Epochs>("metric_name_by_default", "    custom_hooks: [Watcher(), Watcher(monitor: \"val/accuracy\")],");
    read::<Epochs>(
        r#"    metrics: [MeanLoss()],
    custom_hooks: [Watcher(), EarlyStopping(monitor: "val/hard/accuracy")],"#,
    );
    // a hook that is off watches nothing
    read::<Blind>("    hooks: (checkpoint: Off),");
}

#[test]
fn no_metric_is_missed_while_one_is_not_known() {
    refused::<Epochs>(
        "metric_unknown",
        "    metrics: [MeanLos()],\n    custom_hooks: [EarlyStopping(monitor: \"val/loss\")],",
    );
}

#[test]
fn without_a_val_loader_there_is_nothing_to_watch_or_to_validate() {
    refused::<Blind>(
        "no_val_loader",
        "    val: (interval: 0),\n    hooks: (checkpoint: (save_best: [\"val/accuracy\"])),",
    );
}

#[test]
fn two_metrics_of_one_name_are_told_at_the_second() {
    refused::<Epochs>(
        "metrics_twice",
        r#"    metrics: [Accuracy(), MeanLoss(), Samples(name: "loss"), Samples(name: "accuracy")],
    custom_hooks: [EarlyStopping(monitor: "val/nothing")],"#,
    );
    refused::<Epochs>("metric_twice_in_a_field", "    metrics: [Samples(name: \"accuracy\")],");
}

#[test]
fn a_list_of_names_that_is_long_is_told_as_well() {
    let more: Vec<String> = (0..5).map(|index| format!("MeanLoss(name: \"loss{index}\")")).collect();
    let metrics = format!("    metrics: [{}],\n", more.join(", "));
    refused::<Epochs>("metric_names_many", &format!("{metrics}    custom_hooks: [EarlyStopping(monitor: \"iou\")],"));
}
