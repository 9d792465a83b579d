//! `Predictor`: what `predict` writes, in another program, without the data of the training.

use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{DeviceChoice, Experiment, Predictor, run_predict, run_train};
use std::path::{Path, PathBuf};

/// Numbers, as long as there is a file.
#[component(dataset)]
pub struct NumbersConfig {
    samples: usize,
    /// It has to be there.
    #[config(exists)]
    file: PathBuf,
}

#[derive(Debug)]
pub struct Numbers(usize);

impl Dataset for Numbers {
    type Config = NumbersConfig;
    type Item = Vec<f32>;
    fn open(config: &NumbersConfig) -> Result<Self> {
        std::fs::read(&config.file)?;
        Ok(Numbers(config.samples))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![index as f32, 1.0])
    }
}

#[component]
pub struct PlaneConfig {}

#[derive(Debug)]
pub struct Plane(nn::Linear);

impl Model for Plane {
    type Config = PlaneConfig;
    fn build(vs: &nn::Path<'_>, _: &PlaneConfig) -> Result<Self> {
        Ok(Plane(nn::linear(vs / "out", 2, 3, Default::default())))
    }
}

#[trainer(by_epoch)]
pub struct Judge {
    #[model]
    net: Plane,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    train: Loader<Numbers>,
    #[loader(predict)]
    cases: Loader<Numbers>,
    #[hook]
    ema: Ema,
}

impl Steps for Judge {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok((x.apply(&self.net.0) - 1.0).square().mean(Kind::Float).into())
    }
}

impl PredictStep for Judge {
    type Prompt = Tensor;
    fn predict_step(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Prediction> {
        if cx.is_training() || self.net.0.ws.requires_grad() && x.apply(&self.net.0).requires_grad() {
            return Err(Error::msg("a prediction is no training"));
        }
        Ok(Prediction::new().tensor("score", &x.apply(&self.net.0)))
    }
}

fn read(dir: &Path) -> Experiment<Judge> {
    let data = format!("(samples: 4, file: {:?})", dir.join("data.txt"));
    let text = format!(
        "Experiment(name: \"judge\", device: Cpu, optimizer: (lr: 0.01), train: (max_epochs: 2), hooks: (ema: (decay: 0.5)),
            loaders: (train: (dataset: {data}, batch_size: 2), cases: (dataset: {data}, batch_size: 4)))"
    );
    let mut experiment = Experiment::parse("judge.ron", &text).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = dir.join("runs");
    experiment
}

/// The experiment, when the data are gone.
fn read_without_data(dir: &Path) -> Experiment<Judge> {
    std::fs::write(dir.join("data.txt"), "").unwrap();
    let experiment = read(dir);
    std::fs::remove_file(dir.join("data.txt")).unwrap();
    experiment
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape([-1])).unwrap()
}

#[test]
fn a_predictor_gives_what_predict_writes_and_needs_no_data() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("data.txt"), "").unwrap();
    run_train(read(dir.path()), Mode::New).unwrap();
    let run = dir.path().join("runs/judge");
    let mut written = Vec::new();
    let checkpoint = run.join("checkpoints/iter_000000004");
    run_predict(read(dir.path()), &checkpoint, engine::sinks::Verbosity::Quiet, &mut |prediction| {
        written.extend(numbers(&prediction.named_tensors()[0].1));
        Ok(())
    })
    .unwrap();
    std::fs::remove_file(dir.path().join("data.txt")).unwrap();
    let batch = || Tensor::from_slice2(&[[0.0f32, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]);
    for path in [&run, &checkpoint, &run.join("checkpoints/latest")] {
        let mut predictor = Predictor::<Judge>::load(path, DeviceChoice::Cpu).unwrap();
        for _ in 0..2 {
            let prediction = predictor.predict(batch()).unwrap();
            assert_eq!(numbers(prediction.get("score").unwrap()), written, "{}", path.display());
            assert_eq!(
                prediction.get("scores").unwrap_err().to_string(),
                "the prediction has no tensor `scores`, did you mean `score`?"
            );
        }
        // the weights that were trained are others than their average
        let mut raw = Predictor::<Judge>::load_raw(path, DeviceChoice::Cpu).unwrap();
        let mut of_file = Predictor::<Judge>::of(
            read_without_data(dir.path()),
            &checkpoint.join("net.raw.safetensors"),
            DeviceChoice::Cpu,
        )
        .unwrap();
        let [raw, of_file] = [&mut raw, &mut of_file].map(|predictor| {
            let prediction = predictor.predict(batch()).unwrap();
            numbers(prediction.get("score").unwrap())
        });
        assert_eq!(raw, of_file);
        assert_ne!(raw, written);
    }
}

#[test]
fn a_predictor_without_its_experiment_or_checkpoint_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |path: &Path| format!("{:#}", Predictor::<Judge>::load(path, DeviceChoice::Cpu).unwrap_err());
    let absent = refused(&dir.path().join("nowhere"));
    assert!(absent.contains("nowhere` can't be read"), "{absent}");
    let bare = refused(dir.path());
    assert!(bare.contains("is not in the folder of a run") && bare.contains("`Predictor::of`"), "{bare}");
}
