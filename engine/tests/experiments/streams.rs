//! Trainings on data without a length.

use engine::checkpoint;
use engine::data::StreamLoader;
use engine::data::files::{Lines, LinesConfig};
use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{Experiment, run_train, run_val};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

#[component]
pub struct BagConfig {}

/// A weight for each byte.
#[derive(Debug)]
pub struct Bag(nn::Embedding);

impl Model for Bag {
    type Config = BagConfig;
    fn build(vs: &nn::Path<'_>, _: &BagConfig) -> Result<Self> {
        Ok(Bag(nn::embedding(vs / "bytes", 256, 4, Default::default())))
    }
}

impl Bag {
    /// The mean of the weights of each text, `[n, 4]`.
    fn forward(&self, texts: &[String]) -> Result<Tensor> {
        let means = texts.iter().map(|text| {
            let bytes: Vec<i64> = text.bytes().map(i64::from).collect();
            Tensor::from_slice(&bytes).apply(&self.0).mean_dim(0, false, Kind::Float)
        });
        Ok(Tensor::f_stack(&means.collect::<Vec<_>>(), 0)?)
    }
}

macro_rules! trainer {
    ($name:ident, $clock:ident) => {
        #[trainer($clock)]
        pub struct $name {
            #[model]
            net: Bag,
            #[optimizer]
            opt: AdamW,
            #[loader(train)]
            train: StreamLoader<Lines>,
            #[loader(val)]
            val: Option<StreamLoader<Lines>>,
        }

        impl Steps for $name {
            type Batch = Vec<String>;
            fn train_step(&mut self, texts: &Vec<String>, _: &mut Context<'_>) -> Result<Output> {
                // slow enough to be killed, in the process that is
                if std::env::var_os(FOLDER).is_some() {
                    std::thread::sleep(Duration::from_millis(15));
                }
                Ok((self.net.forward(texts)? - 1.0).square().mean(Kind::Float).into())
            }
        }

        impl ValStep for $name {
            fn val_step(&mut self, texts: &Vec<String>, _: &mut Context<'_>) -> Result<Output> {
                let loss = (self.net.forward(texts)? - 1.0).square().mean(Kind::Float);
                Ok(Output::new(loss).value("first", f64::from(texts[0].as_bytes()[0])))
            }
        }
    };
}

trainer!(ByIter, by_iter);
trainer!(ByEpoch, by_epoch);

/// Where the process that is killed finds its experiment.
const FOLDER: &str = "ENGINE_TEST_STREAM";

/// Files with 60 lines of different lengths.
fn texts(dir: &Path) -> PathBuf {
    let folder = dir.join("texts");
    std::fs::create_dir_all(&folder).unwrap();
    for file in 0..4 {
        let lines: String =
            (0..15).map(|line| format!("{}\n", format!("{file} {line} ").repeat(1 + line % 4))).collect();
        std::fs::write(folder.join(format!("{file}.txt")), lines).unwrap();
    }
    folder
}

fn text(dir: &Path, train: &str, val: &str, plan: &str) -> String {
    let lines = format!("Lines(paths: [{:?}], shuffle_files: true, length: 6)", texts(dir));
    format!(
        "Experiment(name: \"stream\", seed: 3, device: Cpu, threads: 1, optimizer: (lr: 0.01),
            loaders: (train: (dataset: {lines}, batch_size: 4, {train}), {val}),
            train: ({plan}), hooks: (checkpoint: (interval: 1, by: Iter, keep: 2)))"
    )
}

fn by_iter(dir: &Path) -> Experiment<ByIter> {
    let text = text(dir, "buffer: 9, workers: Auto", "", "max_iters: 40");
    let mut experiment = Experiment::parse("stream.ron", &text).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = dir.join("runs");
    experiment
}

/// The weights of the newest checkpoint of a run.
fn weights(dir: &Path, run: &str) -> Vec<f32> {
    let newest = checkpoint::newest_valid(&dir.join("runs").join(run).join("checkpoints")).unwrap().found.unwrap().0;
    let models = checkpoint::load_models(&newest).unwrap();
    Vec::try_from(models[0].1[0].1.reshape([-1])).unwrap()
}

#[test]
fn a_training_on_a_stream_killed_at_any_instant_goes_on_to_the_bit() {
    let whole = tempfile::tempdir().unwrap();
    run_train(by_iter(whole.path()), Mode::New).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for wait in [700, 450, 900] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "streams::the_process_that_is_killed", "--ignored"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    run_train(by_iter(dir.path()), Mode::Auto).unwrap();
    assert_eq!(weights(dir.path(), "stream"), weights(whole.path(), "stream"));
}

#[test]
#[ignore = "another test starts it and kills it"]
fn the_process_that_is_killed() {
    if let Some(dir) = std::env::var_os(FOLDER) {
        run_train(by_iter(Path::new(&dir)), Mode::Auto).unwrap();
    }
}

fn by_epoch(dir: &Path, train: &str, plan: &str) -> Result<Experiment<ByEpoch>, String> {
    let mut experiment =
        Experiment::parse("stream.ron", &text(dir, train, "", plan)).map_err(|errors| errors.to_string())?;
    experiment.work_dir = dir.join("runs");
    Ok(experiment)
}

#[test]
fn an_epoch_of_a_stream_is_as_many_samples_or_batches_as_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let iters = |train: &str, plan: &str| {
        let mut experiment = by_epoch(dir.path(), train, plan).unwrap_or_else(|errors| panic!("{errors}"));
        experiment.work_dir = dir.path().join(train.len().to_string());
        run_train(experiment, Mode::New).unwrap().iter
    };
    assert_eq!(iters("samples: 10, buffer: 5", "max_epochs: 3"), 9);
    assert_eq!(iters("workers: 1", "max_epochs: 3, batches_per_epoch: 4"), 12);
    let error = by_epoch(dir.path(), "buffer: 5", "max_epochs: 3").err().unwrap();
    assert!(
        error.contains("the train loader never ends, so an epoch has no end; set `batches_per_epoch` in `train`"),
        "{error}"
    );
    assert!(error.contains("`samples`"), "{error}");
}

#[test]
fn a_stream_for_validation_needs_its_samples_and_begins_at_the_first_one_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let of = |val: &str| {
        let lines = format!("Lines(paths: [{:?}])", texts(dir.path()));
        let val = format!("val: (dataset: {lines}, batch_size: 4{val})");
        let text = text(dir.path(), "buffer: 5", &val, "max_iters: 4").replace("hooks:", "val: (interval: 2), hooks:");
        let mut experiment = Experiment::<ByIter>::parse("stream.ron", &text).map_err(|errors| errors.to_string())?;
        experiment.work_dir = dir.path().join("runs");
        Ok::<_, String>(experiment)
    };
    let error = of("").err().unwrap();
    assert!(error.contains("the val loader never ends") && error.contains("`samples`"), "{error}");
    run_train(of(", samples: 8").unwrap(), Mode::New).unwrap();
    let newest = checkpoint::newest_valid(&dir.path().join("runs/stream/checkpoints")).unwrap().found.unwrap().0;
    run_val(of(", samples: 8").unwrap(), &newest, engine::sinks::Verbosity::Quiet).unwrap();
    let rows = std::fs::read_to_string(dir.path().join("runs/stream/metrics.jsonl")).unwrap();
    // each validation begins with the lines of file 0, whose first byte is 48
    let val: Vec<&str> = rows.lines().filter(|row| row.contains("\"phase\":\"val\"")).collect();
    assert!(val.len() >= 2 && val.iter().all(|row| row.contains("\"first\":48")), "{rows}");
}

/// The settings of lines are found by their name in files.
#[test]
fn lines_are_listed_by_their_name() {
    let config: LinesConfig = engine::config::parse_text("example", "Lines(paths: [])").unwrap().read().unwrap();
    assert!(!config.shuffle_files && config.length.is_none());
}
