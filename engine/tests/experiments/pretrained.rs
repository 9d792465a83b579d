//! Trainings that start with weights from elsewhere.

use engine::checkpoint;
use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{BuildErrors, Experiment, Summary, run_train};
use std::collections::BTreeMap;
use std::path::Path;

/// A backbone and a head.
pub struct Small {
    net: nn::Linear,
    head: nn::Linear,
}

/// See [`Small`].
#[component]
pub struct SmallConfig {
    /// Outputs of the head.
    #[config(default = 2)]
    pub classes: i64,
}

impl Model for Small {
    type Config = SmallConfig;
    fn build(vs: &nn::Path<'_>, config: &SmallConfig) -> Result<Self> {
        let net = nn::linear(vs / "net", 3, 4, Default::default());
        Ok(Small { net, head: nn::linear(vs / "head", 4, config.classes, Default::default()) })
    }
}

/// Rows of three numbers.
#[component(dataset)]
pub struct Triples {}

impl Dataset for Triples {
    type Config = Triples;
    type Item = Vec<f32>;
    fn open(_: &Triples) -> Result<Self> {
        Ok(Triples {})
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![index as f32, 1.0, 0.5])
    }
}

#[trainer(by_epoch)]
pub struct One {
    #[model]
    small: Small,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Triples>,
}

impl Steps for One {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.small.net).apply(&self.small.head).square().mean(Kind::Float).into())
    }
}

#[trainer(by_epoch)]
pub struct Two {
    #[model]
    critic: Small,
    #[model]
    generator: Small,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Triples>,
}

impl Steps for Two {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        let one = x.apply(&self.critic.net).apply(&self.critic.head);
        let other = x.apply(&self.generator.net).apply(&self.generator.head);
        Ok((one + other).square().mean(Kind::Float).into())
    }
}

/// Two updates that change nothing, and a checkpoint after each.
fn text(dir: &Path, name: &str, more: &str) -> String {
    format!(
        "Experiment(
            name: {name:?}, device: Cpu, threads: 1, work_dir: {:?}, {more}
            optimizer: Sgd(lr: 1e-30),
            loaders: (train: (dataset: Triples(), batch_size: 4)),
            train: (max_epochs: 2),
            hooks: (checkpoint: (interval: 1)),
        )",
        dir.display().to_string()
    )
}

fn train(dir: &Path, name: &str, more: &str) -> Result<Summary> {
    run_train(Experiment::<One>::parse("one.ron", &text(dir, name, more)).unwrap(), Mode::New)
}

fn log(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name).join("log.txt")).unwrap()
}

/// The sum of each variable of a model in the checkpoint after an iter.
fn sums(dir: &Path, name: &str, iter: u64, model: &str) -> BTreeMap<String, f64> {
    let path = dir.join(name).join(format!("checkpoints/iter_{iter:09}"));
    let (_, weights) = checkpoint::load_models(&path).unwrap().into_iter().find(|(name, _)| name == model).unwrap();
    weights.into_iter().map(|(name, tensor)| (name, tensor.sum(Kind::Double).double_value(&[]))).collect()
}

/// A file of ones.
fn ones(dir: &Path, name: &str, tensors: &[(&str, &[i64])]) -> String {
    let path = dir.join(name);
    let ones = |shape: &[i64]| Tensor::ones(shape, (Kind::Float, Device::Cpu));
    let tensors: Vec<_> = tensors.iter().map(|(name, shape)| (*name, ones(shape))).collect();
    Tensor::write_safetensors(&tensors, &path).unwrap();
    path.display().to_string()
}

const BACKBONE: [(&str, &[i64]); 3] =
    [("backbone.weight", &[4, 3]), ("backbone.bias", &[4]), ("fc.weight", &[1000, 4])];

#[test]
fn weights_start_what_they_name_init_the_rest_and_what_is_frozen_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = ones(dir, "backbone.safetensors", &BACKBONE);
    let more = format!(
        "weights: (file: {file:?}, rename: [(\"^backbone\\\\.\", \"net.\")], only: [\"net.*\"]),
        init: [(pattern: \"*\", with: Constant(value: 0.5))], freeze: [\"net.*\"],"
    );
    train(dir, "run", &more).unwrap();
    let found = sums(dir, "run", 2, "small");
    assert_eq!(["net.weight", "net.bias", "head.weight", "head.bias"].map(|name| found[name]), [12.0, 4.0, 4.0, 1.0]);
    let log = log(dir, "run");
    let counts = "weights of `small` from `backbone.safetensors`: 2 variables loaded, 2 of them renamed; 1 left out, \
                  0 missing, 0 of another shape, 2 not asked for";
    for line in [counts, "left out `fc.weight`: `only` does not name it", "16 of them frozen"] {
        assert!(log.contains(line), "{log}\nlacks {line}");
    }
}

#[test]
fn a_checkpoint_tells_where_its_weights_are_from_and_a_resume_goes_on_with_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let tensors: [(&str, &[i64]); 4] =
        [("net.weight", &[4, 3]), ("net.bias", &[4]), ("head.weight", &[2, 4]), ("head.bias", &[2])];
    let file = ones(dir, "whole.safetensors", &tensors);
    let more = format!("weights: (file: {file:?}),");
    let experiment = || Experiment::<One>::parse("one.ron", &text(dir, "run", &more)).unwrap();
    let mut first = experiment();
    first.stop_after = Some(1);
    run_train(first, Mode::New).unwrap();
    // a resume needs the file no more
    std::fs::remove_file(&file).unwrap();
    run_train(experiment(), Mode::Resume).unwrap();
    assert_eq!(sums(dir, "run", 2, "small")["net.weight"], 12.0);
    assert!(log(dir, "run").contains("`weights` not read: the run goes on with the weights of its checkpoint"));
    for iter in [1, 2] {
        let path = dir.join(format!("run/checkpoints/iter_{iter:09}"));
        let origin = checkpoint::load(&path).unwrap().meta.notes["weights.small"].clone();
        assert!(
            origin.starts_with("`whole.safetensors`, blake3 ") && origin.ends_with(": 4 loaded, 0 missing"),
            "{origin}"
        );
    }
    // the weights of a checkpoint start another run
    let from = dir.join("run/checkpoints/iter_000000002").display().to_string();
    train(dir, "next", &format!("weights: (file: {from:?}),")).unwrap();
    assert_eq!(sums(dir, "next", 1, "small"), sums(dir, "run", 2, "small"));
    assert!(log(dir, "next").contains("weights of `small` from the checkpoint `iter_000000002`: 4 variables loaded"));
}

#[test]
fn each_of_several_models_has_weights_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = ones(dir, "backbone.safetensors", &BACKBONE);
    let critic = format!("(file: {file:?}, rename: [(\"backbone\", \"net\")], only: [\"net.*\"])");
    let text = text(dir, "two", &format!("weights: (critic: {critic}),"));
    let experiment = Experiment::<Two>::parse("two.ron", &text).unwrap();
    let printed = experiment.print().unwrap();
    assert_eq!(Experiment::<Two>::parse("printed.ron", &printed).unwrap().print().unwrap(), printed);
    run_train(experiment, Mode::New).unwrap();
    assert_eq!(sums(dir, "two", 1, "critic")["net.weight"], 12.0);
    assert_ne!(sums(dir, "two", 1, "generator")["net.weight"], 12.0);
}

#[test]
fn weights_that_do_not_fit_are_refused_at_their_place_before_any_file_of_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = ones(dir, "backbone.safetensors", &BACKBONE);
    let rename = "rename: [(\"^backbone\\\\.\", \"net.\"), (\"^head\", \"x\")]";
    for (more, place, text) in [
        (format!("weights: (file: {file:?}),"), "weights", "none of its names is one of the model"),
        (format!("weights: (file: {file:?}, {rename}),"), "weights.rename.1", "the rename `^head` matches no name"),
        (
            "weights: (file: \"gone.safetensors\"),".to_owned(),
            "weights.file",
            "is not there; name a `.safetensors` file",
        ),
        ("weights: (hf: \"org/gone\"),".to_owned(), "weights.hf", "bring it with `hf download org/gone`"),
    ] {
        let error = train(dir, "refused", &more).unwrap_err();
        let mistakes = &error.downcast_ref::<BuildErrors>().unwrap().mistakes;
        assert!(mistakes[0].path == place && mistakes[0].text.contains(text), "{mistakes:?}");
        assert!(!dir.join("refused/experiment.ron").exists(), "{more}");
    }
    for (more, text) in [
        ("weights: (strict: false),", "no weights are named"),
        ("weights: (file: \"a\", hf: \"b/c\"),", "`file` and `hf` both say where the weights are"),
        ("weights: (file: \"a\", rename: [(\"(\", \"\")]),", "the rename `(` is not a regular expression"),
    ] {
        let errors = Experiment::<One>::parse("one.ron", &super::pretrained::text(dir, "x", more)).err().unwrap();
        assert!(errors.to_string().contains(text), "{errors}");
    }
}
