//! A preprocessor of a trainer: fitted once, and in everything that comes of the training.

use engine::checkpoint::TensorFile;
use engine::data::preprocess::{Categories, CategoriesConfig, Fitted, Standardize, StandardizeConfig};
use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{DeviceChoice, Experiment, Predictor, run_train};
use engine::weights::{Export, WeightsFrom, export};
use std::path::Path;

/// Numbers from `first` on, and their kind.
#[component(dataset)]
pub struct SizesConfig {
    first: f32,
}

#[derive(Debug)]
pub struct Sizes(f32);

impl Dataset for Sizes {
    type Config = SizesConfig;
    type Item = (Vec<f32>, String);
    fn open(config: &SizesConfig) -> Result<Self> {
        Ok(Sizes(config.first))
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
        Ok((vec![self.0 + index as f32], ["small", "large"][index / 2].to_owned()))
    }
}

#[component]
pub struct LineConfig {}

#[derive(Debug)]
pub struct Line(nn::Linear);

impl Model for Line {
    type Config = LineConfig;
    fn build(vs: &nn::Path<'_>, _: &LineConfig) -> Result<Self> {
        Ok(Line(nn::linear(vs / "out", 1, 1, Default::default())))
    }
}

#[trainer(by_epoch)]
pub struct Scaled {
    #[model]
    net: Line,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    train: Loader<Sizes>,
    #[loader(val)]
    val: Loader<Sizes>,
    #[config(default)]
    scaling: StandardizeConfig,
    #[config(default)]
    kinds: CategoriesConfig,
    #[state]
    scale: Fitted<Standardize>,
    #[state]
    kind: Fitted<Categories>,
    #[state]
    iters: u64,
}

impl Scaled {
    fn answer(&self, (sizes, kinds): &(Tensor, Vec<String>)) -> Result<Tensor> {
        let kinds = self.kind.get()?.apply(kinds)?.to_kind(Kind::Float).unsqueeze(-1);
        Ok(self.scale.get()?.apply(sizes)?.apply(&self.net.0) + kinds)
    }
}

impl Steps for Scaled {
    type Batch = (Tensor, Vec<String>);
    fn train_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        self.iters += 1;
        Ok((self.answer(batch)? - 1.0).square().mean(Kind::Float).into())
    }
}

impl ValStep for Scaled {
    fn val_step(&mut self, batch: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.answer(batch)?.square().mean(Kind::Float).into())
    }
}

impl PredictStep for Scaled {
    type Prompt = (Tensor, Vec<String>);
    fn predict_step(&mut self, batch: &Self::Prompt, _: &mut Context<'_>) -> Result<Prediction> {
        Ok(Prediction::new().tensor("answer", &self.answer(batch)?))
    }
}

#[phases]
impl Scaled {
    fn before_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        let train = &self.train;
        let all = || {
            let data = train.open_dataset()?;
            let sample = |index| data.get(index, &mut Samples::new(0, vec![index]).rng(0));
            (0..data.len()).map(sample).collect::<Result<Vec<_>>>()
        };
        self.scale.fit(&self.scaling, || {
            let sizes = all()?.into_iter().flat_map(|(size, _)| size).collect::<Vec<f32>>();
            Ok(Tensor::f_from_slice(&sizes)?.f_reshape([-1, 1])?)
        })?;
        self.kind.fit(&self.kinds, || Ok(all()?.into_iter().map(|(_, kind)| kind).collect::<Vec<String>>()))
    }
}

/// The training on numbers from `first` on, for so many epochs.
fn read(dir: &Path, first: f32, epochs: u64) -> Experiment<Scaled> {
    let data = |first: f32| format!("(dataset: (first: {first:?}), batch_size: 2)");
    let text = format!(
        "Experiment(name: \"scaled\", device: Cpu, optimizer: (lr: 0.01), train: (max_epochs: {epochs}),
            loaders: (train: {}, val: {}), trainer: (scaling: (deviation: false)))",
        data(first),
        data(100.0)
    );
    let mut experiment = Experiment::parse("scaled.ron", &text).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = dir.join("runs");
    experiment
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape([-1])).unwrap()
}

#[test]
fn a_fit_is_in_resumed_runs_predictors_and_exports() {
    let dir = tempfile::tempdir().unwrap();
    run_train(read(dir.path(), 10.0, 1), Mode::New).unwrap();
    // what is resumed keeps its fit, whatever the data are now
    run_train(read(dir.path(), 50.0, 2), Mode::Resume).unwrap();
    let run = dir.path().join("runs/scaled");
    let batch = || (Tensor::from_slice2(&[[11.5f32], [0.0]]), vec!["large".to_owned(), "huge".to_owned()]);
    let mut predictor = Predictor::<Scaled>::load(&run, DeviceChoice::Cpu).unwrap();
    assert_eq!(floats(predictor.trainer().scale.get().unwrap().mean()), [11.5]);
    assert_eq!(floats(predictor.trainer().scale.get().unwrap().scale()), [1.0]);
    assert_eq!(predictor.trainer().kind.get().unwrap().number("small"), 2);
    let answers = floats(predictor.predict(batch()).unwrap().get("answer").unwrap());

    let to = dir.path().join("scaled.safetensors");
    let what = Export { to: to.clone(), model: None, raw: false, kind: None, card: false, force: false };
    export(&run.join("checkpoints/iter_000000004"), &what).unwrap();
    let mut exported = Predictor::<Scaled>::of(read(dir.path(), 10.0, 1), &to, DeviceChoice::Cpu).unwrap();
    assert_eq!(floats(exported.predict(batch()).unwrap().get("answer").unwrap()), answers);
    // a state that is no preprocessor stays behind
    assert_eq!((predictor.trainer().iters, exported.trainer().iters), (4, 0));
    // weights begin a training: the preprocessor is fitted on its data
    let names: Vec<String> =
        engine::checkpoint::load_models(&to).unwrap().remove(0).1.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["out.bias", "out.weight"]);
    let file = TensorFile::open(&to).unwrap();
    let names: Vec<&str> = file.tensors().iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names[..2], ["/trainer.scale/preprocessor/0/mean", "/trainer.scale/preprocessor/0/scale"]);
}

#[test]
fn exported_weights_begin_a_training_that_fits_its_own_preprocessor() {
    let dir = tempfile::tempdir().unwrap();
    run_train(read(dir.path(), 10.0, 1), Mode::New).unwrap();
    let to = dir.path().join("scaled.safetensors");
    let what = Export { to: to.clone(), model: None, raw: false, kind: None, card: false, force: false };
    export(&dir.path().join("runs/scaled/checkpoints/iter_000000002"), &what).unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut next = read(other.path(), 50.0, 1);
    next.weights[0].from = Some(WeightsFrom::file(&to));
    run_train(next, Mode::New).unwrap();
    let run = other.path().join("runs/scaled");
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    assert!(log.contains("2 variables loaded"), "{log}");
    assert!(
        log.contains("the preprocessors in `scaled.safetensors` are not taken: this training fits its own on its data"),
        "{log}"
    );
    let predictor = Predictor::<Scaled>::load(&run, DeviceChoice::Cpu).unwrap();
    assert_eq!(floats(predictor.trainer().scale.get().unwrap().mean()), [51.5]);
}

#[test]
fn weights_without_a_fit_are_told_and_a_damaged_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("bare.safetensors");
    let weights = [("out.weight", Tensor::from_slice2(&[[1.0f32]])), ("out.bias", Tensor::from_slice(&[0.0f32]))];
    Tensor::write_safetensors(&weights, &to).unwrap();
    let of = |path: &Path| Predictor::<Scaled>::of(read(dir.path(), 10.0, 1), path, DeviceChoice::Cpu);
    let error = of(&to).unwrap().predict((Tensor::from_slice2(&[[1.0f32]]), vec!["small".to_owned()])).unwrap_err();
    assert!(
        format!("{error:#}").contains("the preprocessor `Categories` is not fitted: call `fit` in `before_train`"),
        "{error:#}"
    );

    let write = |note: &str| {
        let held: Vec<(&str, &Tensor)> = weights.iter().map(|(name, tensor)| (*name, tensor)).collect();
        let mut bytes = Vec::new();
        engine::checkpoint::write_tensors(&mut bytes, &held, &[("preprocessors".to_owned(), note.to_owned())]).unwrap();
        std::fs::write(&to, bytes).unwrap();
        of(&to).map(|_| ()).map_err(|error| format!("{error:#}"))
    };
    let error = write("{\"trainer.scale\": Map({\"preprocessor\": Map({\"mean\": Tensor(\"/a\")})})}").unwrap_err();
    assert!(
        error.contains("its note `preprocessors` can't be read: it refers to the tensor `/a`, which is not there"),
        "{error}"
    );
    let error = write("nonsense").unwrap_err();
    assert!(error.contains("its note `preprocessors` can't be read"), "{error}");
    let error = write("{\"trainer.kind\": Map({\"preprocessor\": Int(3)})}").unwrap_err();
    assert!(error.contains("trainer.kind") && error.contains("is an integer, expected"), "{error}");
    // of another program: told, and no reason to stop
    write("{\"trainer.other\": Map({\"preprocessor\": Int(3)})}").unwrap();
}
