//! Clocks, counts, and loaders without end.

use super::programs::{Blind, Epochs, Iters, Joined};
use super::{LOADER, experiment, read, refused};
use engine::trainer::Experiment;

#[test]
fn epochs_are_nothing_to_count_by_iter() {
    refused::<Iters>(
        "by_iter",
        r#"    optimizer: Sgd(lr: 0.1),
    schedule: [Linear(epochs: 2), Cosine(by: Epoch), Step(every: 0)],
    train: (max_iters: 100, batches_per_epoch: 10),
    val: (interval: 5, by: Epoch),
    hooks: (checkpoint: (by: Epoch)),
    custom_hooks: [Watcher(), Watcher(by: Epoch), Watcher(by: Iter)],"#,
    );
    refused::<Iters>("by_iter_schedules", "    schedule: [Linear(epochs: 2), Cosine(by: Epoch, end: 200)],");
    refused::<Iters>("by_iter_plan", "    train: (max_epochs: 3),");
    read::<Epochs>("    metrics: [MeanLoss()],\n    custom_hooks: [Watcher()],");
}

#[test]
fn intervals_and_counts_are_told_each_at_its_number() {
    refused::<Epochs>(
        "counts",
        r#"    threads: 0,
    train: (max_epochs: 0, accumulate: 0, max_iters: 0, batches_per_epoch: 0),
    val: (interval: 0, dynamic_intervals: [(10, 2), (5, 0), (5, 1)]),"#,
    );
    // a plan of no length is no reason to complain of schedules
    refused::<Iters>("no_iters", "    train: (max_iters: 0),\n    schedule: [Linear(iters: 5)],");
    refused::<Epochs>("accumulate", "    train: (max_epochs: 3, accumulate: 8, batches_per_epoch: 4),");
    refused::<Iters>("accumulate_huge", "    train: (max_iters: 100, accumulate: 1000000000000),");
}

#[test]
fn absurd_numbers_of_a_loader_are_told_each_at_its_number() {
    let loader = |numbers: &str| format!("(dataset: (), {numbers})");
    let loaders = format!(
        "    loaders: (\n        train: {},\n        val: {},\n        hard: {},\n        test: {},\n    ),",
        loader("batch_size: 18446744073709551615"),
        loader("batch_size: 1000000000000, workers: 1000000"),
        loader("batch_size: 4, workers: 1, prefetch: 1000000000"),
        loader("batch_size: 99999999999999999999, sampler: Weighted(samples: 0)"),
    );
    refused::<Epochs>("absurd_loaders", &loaders);
}

#[test]
fn loaders_that_never_end_are_told_where_all_of_their_batches_are_taken() {
    let endless = "(dataset: (), batch_size: 4, sampler: Infinite())";
    let of_epochs =
        [format!("train: {endless}"), format!("val: {endless}"), format!("hard: {LOADER}"), format!("test: {endless}")];
    let of_epochs = format!("    loaders: (\n        {},\n    ),", of_epochs.join(",\n        "));
    refused::<Epochs>("endless", &of_epochs);
    let plan = "    train: (max_epochs: 3, batches_per_epoch: 5),\n";
    refused::<Epochs>("endless_but_for_training", &format!("{plan}{of_epochs}"));
    read::<Iters>(&format!("    loaders: (train: {endless}, val: {LOADER}),"));
}

#[test]
fn the_loader_that_makes_the_epoch_is_one_that_ends_and_is_there() {
    let endless = "(dataset: (), batch_size: 4, sampler: Infinite())";
    let loaders = |boxes: &str, masks: &str| format!("    loaders: (boxes: {boxes}, masks: {masks}),");
    refused::<Joined>("epoch_loader_unknown", "    epoch_loader: Named(\"mask\"),");
    let named = format!("    epoch_loader: Named(\"boxes\"),\n{}", loaders(endless, LOADER));
    refused::<Joined>("epoch_loader_endless", &named);
    refused::<Joined>("epoch_loaders_endless", &loaders(endless, endless));
    read::<Joined>(&loaders(endless, LOADER));
    read::<Joined>(&format!("    train: (max_epochs: 3, batches_per_epoch: 5),\n{named}"));
    refused::<Epochs>("epoch_loader_of_one", "    epoch_loader: Shortest,");
    let printed = Experiment::<Joined>::parse("exp.ron", &experiment::<Joined>("")).unwrap().print().unwrap();
    assert!(printed.contains("\n    epoch_loader: Longest,\n"), "{printed}");
    let printed = Experiment::<Blind>::parse("exp.ron", &experiment::<Blind>("")).unwrap().print().unwrap();
    assert!(!printed.contains("epoch_loader"), "{printed}");
}

#[test]
fn an_experiment_without_validation_is_read_again_as_it_is_printed() {
    let read = Experiment::<Blind>::parse("exp.ron", &experiment::<Blind>("")).unwrap();
    let printed = read.print().unwrap();
    assert!(!printed.contains("\n    val: "), "{printed}");
    let again = Experiment::<Blind>::parse("printed.ron", &printed).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.print().unwrap(), printed);
    assert!(Experiment::<Blind>::schema().sections.iter().all(|section| section.path != "val"));
}

#[test]
fn what_an_optimizer_that_computes_the_loss_again_does_not_go_with_is_told_there() {
    refused::<Epochs>(
        "lbfgs",
        r#"    optimizer: Lbfgs(lr: 1.0),
    train: (max_epochs: 3, clip: Norm(1.0), precision: F16),
    dist: (ranks: 2),"#,
    );
    refused::<Epochs>("lbfgs_settings", "    optimizer: Lbfgs(lr: -1.0, history: 0, line_search: Wolfe),");
    read::<Epochs>("    optimizer: Lbfgs(lr: 1.0, line_search: StrongWolfe),\n    step_processor: FitMemory(),");
}
