//! Tasks with loaders of their own on one backbone: what the experiment says of their gradients.

use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{Experiment, run_train};

/// The same number again and again.
#[component(dataset)]
pub struct SameConfig {
    number: f32,
}

#[derive(Debug)]
pub struct Same(f32);

impl Dataset for Same {
    type Config = SameConfig;
    type Item = f32;
    fn open(config: &SameConfig) -> Result<Self> {
        Ok(Same(config.number))
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<f32> {
        Ok(self.0)
    }
}

#[component]
pub struct ThreeConfig {}

/// A backbone and two heads, of one number each.
#[derive(Debug)]
pub struct Three {
    backbone: Tensor,
    heads: [Tensor; 2],
}

impl Model for Three {
    type Config = ThreeConfig;
    fn build(vs: &nn::Path<'_>, _: &ThreeConfig) -> Result<Self> {
        let one = |name: &str, value| (vs / name).var("weight", &[1], nn::Init::Const(value));
        Ok(Three { backbone: one("backbone", 2.0), heads: [one("first", 3.0), one("second", 5.0)] })
    }
}

#[trainer(by_iter)]
pub struct Tasks {
    #[model]
    net: Three,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    left: Loader<Same>,
    #[loader(train)]
    right: Loader<Same>,
    #[config(default)]
    first: TaskScale,
    #[config(default)]
    second: TaskScale,
}

impl Steps for Tasks {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (left, right): &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        let x = Tensor::cat(&[left, right], 0);
        let features = (x * &self.net.backbone).split_with_sizes([left.size()[0], right.size()[0]], 0);
        let mut staged = cx.staged(&[&features[0], &features[1]])?;
        let [first, second] = &self.net.heads;
        staged.task("first", self.first, |features, _| Ok((&features[0] * first).mean(Kind::Float)))?;
        staged.task("second", self.second, |features, _| Ok((&features[1] * second).mean(Kind::Float)))?;
        staged.backward()
    }
}

fn experiment(trainer: &str, train: &str) -> String {
    format!(
        "(
            name: \"tasks\",
            device: Cpu,
            threads: 1,
            optimizer: (lr: 1.0),
            loaders: (
                left: (dataset: (number: 7.0), batch_size: 2),
                right: (dataset: (number: 11.0), batch_size: 4),
            ),
            trainer: ({trainer}),
            train: (max_iters: 1, {train}),
        )"
    )
}

/// What one update subtracts from the backbone and the heads: their gradients.
fn gradients(trainer: &str, train: &str) -> [f64; 3] {
    let dir = tempfile::tempdir().unwrap();
    let text = experiment(trainer, train);
    let mut experiment = Experiment::<Tasks>::parse("tasks.ron", &text).unwrap_or_else(|errors| panic!("{errors}"));
    experiment.work_dir = dir.path().to_owned();
    run_train(experiment, Mode::New).unwrap_or_else(|error| panic!("{error:#}"));
    let checkpoint = engine::checkpoint::newest_valid(&dir.path().join("tasks/checkpoints")).unwrap();
    let variables = &checkpoint.found.unwrap().1.models[0].trained;
    let step = |name: &str, start: f64| {
        let found = variables.iter().find(|(known, _)| known.split_once('.').unwrap().0 == name);
        start - found.unwrap().1.double_value(&[0])
    };
    [step("backbone", 2.0), step("first", 3.0), step("second", 5.0)]
}

#[test]
fn the_experiment_scales_gradients_by_task_and_by_module() {
    // backbone: 3 · 7 + 5 · 11; heads: 2 · 7 and 2 · 11
    assert_eq!(gradients("", ""), [21.0 + 55.0, 14.0, 22.0]);
    assert_eq!(gradients("first: (loss: 2.0), second: (features: 0.5)", ""), [42.0 + 27.5, 28.0, 22.0]);
    let scales = "gradient_scale: [(pattern: \"backbone.*\", factor: 0.5), (pattern: \"*\", factor: 2.0)]";
    assert_eq!(gradients("", scales), [38.0, 28.0, 44.0]);
    assert_eq!(gradients("first: (features: 0.0)", scales), [27.5, 28.0, 44.0]);
    // clipping comes after the factors
    let [backbone, ..] = gradients("", &format!("{scales}, clip: Value(20.0)"));
    assert_eq!(backbone, 20.0);
}

#[test]
fn a_pattern_that_matches_nothing_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = experiment("", "gradient_scale: [(pattern: \"backbon.*\", factor: 0.5)]");
    let mut experiment = Experiment::<Tasks>::parse("tasks.ron", &text).unwrap();
    experiment.work_dir = dir.path().to_owned();
    let error = format!("{:#}", run_train(experiment, Mode::New).unwrap_err());
    assert!(error.contains("train.gradient_scale.0.pattern"), "{error}");
    assert!(error.contains("`backbon.*` matches no parameter, did you mean `backbone.weight`?"), "{error}");
}

#[test]
fn a_factor_out_of_range_is_refused_when_the_file_is_read() {
    for (trainer, train) in [
        ("first: (loss: -1.0)", ""),
        ("first: (features: inf)", ""),
        ("", "gradient_scale: [(pattern: \"*\", factor: -0.5)]"),
    ] {
        let errors = Experiment::<Tasks>::parse("tasks.ron", &experiment(trainer, train)).err().unwrap().to_string();
        assert!(errors.contains("must be finite and at least 0"), "{errors}");
    }
}
