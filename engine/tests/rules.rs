//! Rules across the fields of an experiment: each is told when the experiment is read, with its place.
//!
//! What is printed is compared as a whole with `tests/golden/rules`; `OVERWRITE=1` writes the files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "the expansion of a trainer is public")]

use engine::config;
use engine::prelude::*;
use engine::trainer::{Build, Experiment, Purpose};
use std::path::{Path, PathBuf};

#[component]
pub struct EmptyConfig {}

pub struct Empty;

impl Model for Empty {
    type Config = EmptyConfig;
    fn build(_: &nn::Path<'_>, _: &EmptyConfig) -> Result<Self> {
        Ok(Empty)
    }
}

#[component(dataset)]
pub struct NothingConfig {
    /// What is looked for.
    #[config(default, exists)]
    files: Vec<PathBuf>,
    #[config(exists)]
    one: Option<PathBuf>,
}

pub struct Nothing;

impl Dataset for Nothing {
    type Config = NothingConfig;
    type Item = Tensor;
    fn open(_: &NothingConfig) -> Result<Self> {
        Ok(Nothing)
    }
    fn len(&self) -> usize {
        0
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        Err(Error::msg("there is none"))
    }
}

/// Counts samples: of what it says, nothing is better.
#[component(metric)]
#[derive(Debug)]
pub struct Samples {
    #[config(default = "samples")]
    name: String,
    #[state]
    samples: u64,
}

impl Metric for Samples {
    fn update(&mut self, _: &Output, size: usize) -> Result<()> {
        self.samples += size as u64;
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![(self.name.clone(), self.samples as f64)])
    }
    fn reset(&mut self) {
        self.samples = 0;
    }
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new(self.name.clone(), Better::Neither)]
    }
}

/// A hook as users write them: it registers nothing anywhere.
#[hook]
pub struct Watcher {
    /// What it watches.
    #[config(default = "val/loss")]
    monitor: MetricName,
    /// What it counts on.
    #[config(default = Clock::Epoch)]
    by: Clock,
}

#[phases]
impl Watcher {
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} by {}", self.monitor, self.by))
    }
}

#[trainer(by_epoch)]
pub struct Epochs {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(val)]
    val: Loader<Nothing>,
    #[loader(val)]
    hard: Loader<Nothing>,
    #[loader(test)]
    test: Loader<Nothing>,
    #[metric]
    accuracy: Accuracy,
}

#[trainer(by_iter)]
pub struct Iters {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(val)]
    val: Loader<Nothing>,
    #[metric]
    loss: MeanLoss,
}

#[trainer(by_epoch)]
pub struct Blind {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Nothing>,
    #[loader(test)]
    test: Loader<Nothing>,
    #[metric]
    accuracy: Accuracy,
}

/// Settings of its own, the required one after one that is not.
#[trainer(by_epoch)]
pub struct Owns {
    #[model]
    _net: Empty,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Nothing>,
    #[config(default = 0.1)]
    _share: f64,
    #[config]
    _count: i64,
    #[hook]
    watcher: Watcher,
}

macro_rules! steps {
    ($($trainer:ident)*) => { $(
        impl Steps for $trainer {
            type Batch = Tensor;
            fn train_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}
steps! { Epochs Iters Blind Owns }

macro_rules! val_steps {
    ($($trainer:ident)*) => { $(
        impl ValStep for $trainer {
            fn val_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}
val_steps! { Epochs Iters }

macro_rules! test_steps {
    ($($trainer:ident)*) => { $(
        impl TestStep for $trainer {
            fn test_step(&mut self, batch: &Tensor, _: &mut Context<'_>) -> Result<Output> {
                Ok(batch.shallow_clone().into())
            }
        }
    )* };
}
test_steps! { Epochs Blind }

const LOADER: &str = "(dataset: (), batch_size: 4)";

/// The experiment of a trainer with these lines; what they don't say and every experiment needs is put before them.
fn experiment<T: Build>(lines: &str) -> String {
    let loaders = |role| T::loaders(role).iter().map(|name| format!("{name}: {LOADER}"));
    let roles = [engine::loops::Role::Train, engine::loops::Role::Val, engine::loops::Role::Test];
    let loaders: Vec<String> = roles.into_iter().flat_map(loaders).collect();
    let plan = match T::CLOCK {
        Clock::Epoch => "train: (max_epochs: 3)",
        Clock::Iter => "train: (max_iters: 100)",
    };
    let needed = ["name: \"rules\"", "optimizer: Sgd(lr: 0.1)", plan];
    let says = |key: &str| lines.lines().any(|line| line.starts_with(&format!("    {key}:")));
    let unsaid = needed.iter().filter(|line| !says(line.split_once(':').unwrap().0));
    let unsaid: Vec<String> = unsaid.map(|line| format!("{line}, ")).collect();
    let loaders = match says("loaders") {
        true => String::new(),
        false => format!("loaders: ({}),", loaders.join(", ")),
    };
    format!("Experiment(\n    {}{loaders}\n{lines}\n)", unsaid.concat())
}

/// What is said of an experiment with these lines, against the file of this name.
#[track_caller]
fn refused<T: Build>(name: &str, lines: &str) {
    let Err(errors) = Experiment::<T>::parse("exp.ron", &experiment::<T>(lines)) else { panic!("it is read") };
    compared(name, &errors.to_string());
}

#[track_caller]
fn compared(name: &str, found: &str) {
    let found = format!("{found}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rules").join(format!("{name}.txt"));
    if std::env::var_os("OVERWRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is not what was said:\n{found}", path.display());
}

#[track_caller]
fn read<T: Build>(lines: &str) {
    if let Err(errors) = Experiment::<T>::parse("exp.ron", &experiment::<T>(lines)) {
        panic!("{errors}");
    }
}

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
        lr: 0.0,
        groups: [(pattern: "*", lr: 0.1, lr_mult: 2.0), (pattern: "*.bias", decay_mult: -1.0)],
    ),"#,
    );
    refused::<Epochs>("optimizer_contradiction", "    optimizer: Sgd(lr: 0.1, nesterov: true),");
    refused::<Epochs>("optimizer_infinite", "    optimizer: Adam(lr: inf),");
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
fn a_list_of_names_that_is_long_is_told_as_well() {
    let more: Vec<String> = (0..5).map(|index| format!("MeanLoss(name: \"loss{index}\")")).collect();
    let metrics = format!("    metrics: [{}],\n", more.join(", "));
    refused::<Epochs>("metric_names_many", &format!("{metrics}    custom_hooks: [EarlyStopping(monitor: \"iou\")],"));
}

#[test]
fn a_name_that_is_no_folder_is_told_with_other_mistakes() {
    refused::<Epochs>("name", "    name: \"../x\",\n    sead: 1,");
}

#[test]
fn a_device_that_is_not_there_is_told_only_to_those_who_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exp.ron");
    // a number that no machine has, so that the test is the same with and without CUDA
    std::fs::write(&path, experiment::<Epochs>("    device: Cuda(99),\n    sead: 1,")).unwrap();
    let short =
        |purpose| Experiment::<Epochs>::from_document(&config::load(&path).unwrap(), purpose).err().unwrap().short();
    let run = short(Purpose::Run);
    assert_eq!(run.len(), 2, "{run:?}");
    assert!(run[0].contains(":3:13: `Cuda(99)` is not there: libtorch sees"), "{run:?}");
    assert_eq!(short(Purpose::Look).len(), 1);
    // nor is it to the tests of a package's experiments
    std::fs::write(&path, experiment::<Epochs>("    device: Cuda(99),")).unwrap();
    engine::__private::check_experiment::<Epochs>(&dir.path().display().to_string(), "exp.ron");
}

#[test]
fn an_experiment_that_was_added_is_checked_in_a_folder_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("[wip]");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("added.ron"), experiment::<Epochs>("")).unwrap();
    std::fs::write(folder.join("known.ron"), "Experiment(sead: 1)").unwrap();
    // as `check_experiments!` writes it
    let folder = folder.display().to_string();
    let pattern = format!("{}/*.ron", glob::Pattern::escape(&folder));
    let check = |known: &[&str]| engine::__private::check_experiments_besides::<Epochs>(&folder, &pattern, known);
    check(&["known.ron"]);
    assert!(std::panic::catch_unwind(|| check(&["added.ron"])).is_err());
}

#[test]
fn paths_that_have_to_be_there_are_looked_for_from_the_file_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("digits.csv"), "").unwrap();
    let train = r#"(dataset: (files: ["digits.csv", "digts.csv"], one: "digits.csv"), batch_size: 0)"#;
    let val = r#"(dataset: (one: "dta/moons.csv"), batch_size: 4)"#;
    let plan = r#"name: "x", optimizer: Sgd(lr: 0.1), train: (max_iters: 5)"#;
    let text = format!("Experiment(\n{plan},\nloaders: (\ntrain: {train},\nval: {val},\n),\n)");
    let path = dir.path().join("exp.ron");
    std::fs::write(&path, text).unwrap();
    let errors = Experiment::<Iters>::load(&path, &[]).err().unwrap();
    let found = errors.to_string().replace(&dir.path().display().to_string(), "DIR");
    compared("paths", &found);
}

#[test]
fn the_models_of_a_trainer_are_known_whatever_their_attribute_says() {
    let outline = Experiment::<Epochs>::outline();
    assert_eq!(outline.models().map(|model| (model.kind, model.name)).collect::<Vec<_>>(), [("settings", "Empty")]);
}

#[test]
fn what_groups_of_settings_lack_or_are_not_is_told() {
    refused::<Owns>("groups_absent", "");
    refused::<Owns>("groups_off", "    hooks: Off,\n    trainer: Off,\n    loaders: Loaders(train: 1),");
}

#[test]
fn an_experiment_without_validation_is_read_again_as_it_is_printed() {
    let read = Experiment::<Blind>::parse("exp.ron", &experiment::<Blind>("")).unwrap();
    let printed = read.print().unwrap();
    assert!(!printed.contains("\n    val: "), "{printed}");
    let again = Experiment::<Blind>::parse("printed.ron", &printed).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.print().unwrap(), printed);
    assert!(Experiment::<Blind>::outline().sections.iter().all(|section| section.path != "val"));
}

#[test]
fn schedules_without_end_are_refused_at_once() {
    let many = "Linear(iters: 1), ".repeat(50_000);
    let text = experiment::<Epochs>(&format!("    schedule: [{many}],"));
    let errors = Experiment::<Epochs>::parse("exp.ron", &text).err().unwrap().short();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("the list has 50000 schedules, and no training needs more than 100"), "{errors:?}");
}

#[test]
fn keys_and_words_of_other_engines_are_told_where_and_how() {
    refused::<Epochs>(
        "other_engines",
        "    epochs: 3, max_iter: 4, learning_rate: 0.1, batch_size: 4, callbacks: [], lr_scheduler: [], zebra: 1,\n    custom_hooks: {0: 1},\n    schedule: Apend([]),\n    metrics: [\"Acuracy\"],",
    );
    let off = ["None", "false", "off", "\"Off\""];
    for word in off {
        let errors = Experiment::<Owns>::parse(
            "exp.ron",
            &experiment::<Owns>(&format!("    trainer: (_count: 1),\n    hooks: (watcher: {word}),")),
        );
        let told = errors.err().unwrap().to_string();
        assert!(
            told.contains("expected the settings of `Watcher` or `Off`, found") && told.contains("write `Off`"),
            "{told}"
        );
    }
}

#[test]
fn what_would_be_done_twice_or_never_is_told() {
    refused::<Epochs>(
        "twice_or_never",
        "    custom_hooks: [Ema(), Logger(interval: 5), Timer],\n    schedule: [MultiStep(milestones: [1, 3, 5], by: Epoch)],\n    hooks: (scheduler: Off),",
    );
    read::<Epochs>("    hooks: (scheduler: Off),");
}
