//! Bounds of numbers and names, and hints that mend what is often written otherwise.

use super::programs::Epochs;
use super::{compared, experiment, read, refused};
use engine::trainer::Experiment;

/// What is said of an experiment with these lines.
#[track_caller]
fn told(lines: &str) -> String {
    match Experiment::<Epochs>::parse("exp.ron", &experiment::<Epochs>(lines)) {
        Err(errors) => errors.to_string(),
        Ok(_) => panic!("it is read: {lines}"),
    }
}

#[test]
fn numbers_that_nothing_could_serve_are_refused() {
    refused::<Epochs>(
        "numbers",
        r#"    threads: 100000,
    metrics: [Accuracy(top_k: 9223372036854775808), ConfusionMatrix(classes: 1000000)],"#,
    );
    read::<Epochs>("    threads: 1024,\n    metrics: [ConfusionMatrix(classes: 10000)],");
    assert!(told("    threads: 0,").contains("`threads` must be at least 1, got 0"));
    refused::<Epochs>(
        "numbers_of_init",
        r#"    init: [
        (pattern: "a", with: Normal(mean: 0.0, std: -1.0)),
        (pattern: "b", with: Uniform(low: 1.0, high: 0.0)),
        (pattern: "c", with: XavierUniform(gain: NaN)),
        (pattern: "d", with: Constant(value: inf)),
        (pattern: "e", with: Normal(mean: 0.0, std: 0.0)),
    ],"#,
    );
    let stopping = |keys: &str| told(&format!("    custom_hooks: [EarlyStopping(monitor: \"val/accuracy\", {keys})],"));
    assert!(stopping("min_delta: inf").contains("`min_delta` must be finite and at least 0.0, got inf"));
    assert!(stopping("threshold: NaN").contains("`threshold` must be finite, got NaN"));
    let loader = |keys: &str| {
        let lines = ["train", "val", "hard", "test"].map(|name| match name {
            "train" => format!("train: (dataset: (), batch_size: 4, {keys})"),
            _ => format!("{name}: (dataset: (), batch_size: 4)"),
        });
        told(&format!("    loaders: ({}),", lines.join(", ")))
    };
    assert!(loader("workers: 1, timeout: 0.0").contains("`timeout` must be above 0 and at most 1000000, got 0"));
    assert!(loader("timeout: 5.0").contains("`timeout` needs `workers` of at least 1"));
    assert!(loader("transfer_ahead: true").contains("`transfer_ahead` needs `workers` of at least 1"));
    let pageable = loader("workers: 2, transfer_ahead: true, pin_memory: false");
    assert!(pageable.contains("`transfer_ahead` needs `pin_memory: true`: a copy from pageable memory"), "{pageable}");
    let number = loader("pin_memory: 1");
    assert!(number.contains("expected `true` or `false`") || number.contains("bool"), "{number}");
}

#[test]
fn a_name_of_a_metric_that_no_row_can_hold_is_refused_where_it_stands() {
    let long = "m".repeat(101);
    refused::<Epochs>(
        "names_of_metrics",
        &format!(
            r#"    metrics: [
        MeanLoss(name: ""),
        MeanLoss(name: "epoch"),
        Samples(name: "iter"),
        Perplexity(name: "two\nlines"),
        Samples(name: "{long}"),
    ],"#
        ),
    );
    read::<Epochs>(&format!("    metrics: [MeanLoss(name: \"{}\"), Samples(name: \"epochs\")],", &long[1..]));
}

#[test]
fn an_entry_that_measures_something_else_than_the_field_of_its_type_is_one_more() {
    let names = |lines: &str| {
        let experiment = Experiment::<Epochs>::parse("exp.ron", &experiment::<Epochs>(lines)).ok().unwrap();
        let others: Vec<String> =
            experiment.metrics.iter().flat_map(|metric| metric.build_metric().measures()).map(|one| one.name).collect();
        (others, experiment.print().unwrap())
    };
    // the field's `accuracy` stays
    let (others, printed) = names("    metrics: [Accuracy(top_k: 5)],");
    assert_eq!(others, ["accuracy_top5"]);
    assert_eq!(printed.matches("Accuracy(").count(), 2, "{printed}");
    // what gives `accuracy` sets the field
    let (others, printed) = names("    metrics: [Accuracy(top_k: 5), Accuracy(ignore_index: -100)],");
    assert_eq!(others, ["accuracy_top5"]);
    assert!(printed.contains("ignore_index: -100"), "{printed}");
    let again = Experiment::<Epochs>::parse("again.ron", &printed).ok().unwrap();
    assert_eq!(again.print().unwrap(), printed);
}

#[test]
fn a_metric_that_is_only_missing_is_said_to_be_added() {
    refused::<Epochs>(
        "metric_to_be_added",
        r#"    custom_hooks: [
        EarlyStopping(monitor: "val/loss"),
        EarlyStopping(monitor: "val/hard/perplexity"),
        EarlyStopping(monitor: "val/hard/acuracy"),
    ],"#,
    );
}

#[test]
fn who_waits_for_a_validation_that_never_comes_is_told() {
    const WATCHING: &str = "    custom_hooks: [EarlyStopping(monitor: \"val/accuracy\")],\n";
    refused::<Epochs>(
        "no_validation",
        &format!(
            "{WATCHING}    hooks: (checkpoint: (save_best: [\"val/hard/accuracy\"])),\n    val: (begin: 4, at_end: false),"
        ),
    );
    assert!(told(&format!("{WATCHING}    val: (interval: 4, at_end: false),")).contains("is never measured"));
    read::<Epochs>(&format!("{WATCHING}    val: (begin: 4),"));
    read::<Epochs>(&format!("{WATCHING}    val: (begin: 3, at_end: false),"));
    read::<Epochs>(&format!("{WATCHING}    val: (interval: 9, dynamic_intervals: [(2, 3)], at_end: false),"));
    // nobody waits
    read::<Epochs>("    val: (begin: 4, at_end: false),");
    // how many iters there are is not known yet
    read::<Epochs>(&format!("{WATCHING}    val: (interval: 4000, by: Iter, at_end: false),"));
}

#[test]
fn what_is_nearly_right_is_told_with_what_to_write() {
    refused::<Epochs>(
        "nearly_right",
        r#"    name: "${RUN}",
    work_dir: "runs/${USER}",
    train: (max_epochs: 1, clip: 1.0),
    val: Replce((interval: 2)),
    hooks: (ema: Off),"#,
    );
}

#[test]
fn a_file_that_holds_something_else_is_one_mistake() {
    let said = |text: &str| match Experiment::<Epochs>::parse("exp.ron", text) {
        Err(errors) => errors.short(),
        Ok(_) => panic!("it is read: {text}"),
    };
    for text in ["x", "\"x\"", "3", "[]", "Sgd(1)", "{}"] {
        let said = said(text);
        assert!(said.len() == 1 && said[0].contains("expected `Experiment(..)`, found "), "{text}: {said:?}");
    }
    compared("no_experiment", &Experiment::<Epochs>::parse("exp.ron", "x").err().unwrap().to_string());
    // without a name it is one
    assert!(said("()").iter().all(|mistake| !mistake.contains("expected `Experiment(..)`")));
}
