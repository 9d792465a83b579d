//! Tied, frozen and averaged weights in whole trainings.

use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{Experiment, Summary, run_train};
use std::collections::BTreeMap;
use std::path::Path;

/// Two layers; the second one's weight has two names.
pub struct Tied {
    first: nn::Linear,
    out: nn::Linear,
    again: Tensor,
}

/// See [`Tied`].
#[component]
pub struct TiedConfig {
    /// Whether the model freezes its first layer itself.
    #[config(default = false)]
    pub frozen: bool,
    /// Whether the second name is a tensor of its own over the same memory.
    #[config(default = false)]
    pub overlaps: bool,
}

impl Model for Tied {
    type Config = TiedConfig;
    fn build(vs: &nn::Path<'_>, config: &TiedConfig) -> Result<Self> {
        let mut first = nn::linear(vs / "first", 3, 3, Default::default());
        let out = nn::linear(vs / "out", 3, 3, Default::default());
        let other = if config.overlaps { out.ws.detach() } else { out.ws.shallow_clone() };
        let again = (vs / "tied").add("weight", other, true);
        if config.frozen {
            first.ws = first.ws.set_requires_grad(false);
        }
        Ok(Tied { first, out, again })
    }
}

/// Rows of three numbers.
#[component(dataset)]
pub struct Rows {}

impl Dataset for Rows {
    type Config = Rows;
    type Item = Vec<f32>;
    fn open(_: &Rows) -> Result<Self> {
        Ok(Rows {})
    }
    fn len(&self) -> usize {
        8
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![index as f32 * 0.25, 1.0 - index as f32 * 0.1, 0.5])
    }
}

/// Lets the first layer be trained from the second epoch on.
#[hook]
struct Thaw {}

#[phases]
impl Thaw {
    fn before_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.epoch().get() == 1 && cx.model("net")?.frozen().next().is_some() {
            cx.model("net")?.unfreeze("first.*")?;
        }
        Ok(())
    }
}

/// Two products with one weight, of which both give a gradient.
#[trainer(by_epoch)]
pub struct Ties {
    #[model]
    net: Tied,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Rows>,
    #[loader(val)]
    val: Loader<Rows>,
    #[hook]
    ema: Option<Ema>,
}

impl Ties {
    fn loss(&self, x: &Tensor) -> Tensor {
        let hidden = x.apply(&self.net.first).apply(&self.net.out).matmul(&self.net.again);
        hidden.square().mean(Kind::Float)
    }
}

impl Steps for Ties {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.loss(x).into())
    }
}

impl ValStep for Ties {
    fn val_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.loss(x).into())
    }
}

fn experiment(dir: &Path, name: &str, more: &str) -> Experiment<Ties> {
    let text = format!(
        "Experiment(
            name: {name:?}, work_dir: {:?}, device: Cpu, threads: 1, {more}
            optimizer: Adam(lr: 0.01),
            loaders: (train: (dataset: Rows(), batch_size: 4), val: (dataset: Rows(), batch_size: 8)),
            train: (max_epochs: 3, clip: Norm(1e9)),
            hooks: (logger: (interval: 1), checkpoint: (interval: 1, keep: 9)),
        )",
        dir.display().to_string()
    );
    Experiment::parse("ties.ron", &text).unwrap()
}

fn train(dir: &Path, name: &str, more: &str) -> Summary {
    run_train(experiment(dir, name, more), Mode::New).unwrap()
}

/// The trained weights of a checkpoint, by name.
fn weights(dir: &Path, name: &str, iter: u64) -> BTreeMap<String, Vec<f32>> {
    let folder = dir.join(name).join(format!("checkpoints/iter_{iter:09}"));
    let raw = folder.join("net.raw.safetensors");
    let path = if raw.exists() { raw } else { folder.join("net.safetensors") };
    let tensors = Tensor::read_safetensors(path).unwrap();
    tensors.into_iter().map(|(name, tensor)| (name, Vec::try_from(tensor.reshape([-1])).unwrap())).collect()
}

#[test]
fn a_tensor_under_two_names_is_one_parameter_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let program = engine::trainer::build(experiment(dir, "x", ""), &[]).unwrap();
    let model = program.run.models.get("net").unwrap();
    assert_eq!(model.parameter_count(), 3 * 3 + 3 + 3 * 3 + 3);
    let groups = program.run.updates.optimizers()[0].groups();
    assert_eq!(groups.iter().flat_map(|group| group.parameter_names()).count(), 4);
    let before: BTreeMap<String, Vec<f32>> = model
        .variables()
        .iter()
        .map(|(name, tensor)| (name.clone(), Vec::try_from(tensor.detach().reshape([-1])).unwrap()))
        .collect();

    // the first update of Adam moves each element by its learning rate, whatever its gradient
    let mut one = experiment(dir, "one", "");
    one.stop_after = Some(1);
    run_train(one, Mode::New).unwrap();
    let after = weights(dir, "one", 1);
    assert_eq!(after["out.weight"], after["tied.weight"]);
    for (old, new) in before["tied.weight"].iter().zip(&after["tied.weight"]) {
        assert!(((old - new).abs() - 0.01).abs() < 1e-4, "{old} became {new}");
    }

    // its gradient counts once in the norm
    let rows = std::fs::read_to_string(dir.join("one/metrics.jsonl")).unwrap();
    let row: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    let program = engine::trainer::build(experiment(dir, "y", ""), &[engine::loops::Role::Train]).unwrap();
    let x = Tensor::from_slice(&[0.0f32, 1.0, 0.5, 0.25, 0.9, 0.5, 0.5, 0.8, 0.5, 0.75, 0.7, 0.5]).reshape([4, 3]);
    program.trainer.loss(&x).backward();
    let squares = program
        .run
        .models
        .get("net")
        .unwrap()
        .distinct()
        .map(|(_, tensor)| tensor.grad().square().sum(Kind::Double).double_value(&[]));
    let norm = squares.sum::<f64>().sqrt();
    let told = row["grad_norm"].as_f64().unwrap();
    assert!((norm - told).abs() < 1e-5 * norm, "{norm} and {told}");
}

#[test]
fn averages_and_their_nesting_change_nothing_of_the_training() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "plain", "");
    train(dir, "one", "custom_hooks: [Ema(decay: 0.5)],");
    train(dir, "two", "custom_hooks: [Ema(decay: 0.5), Ema(decay: 0.9)],");
    for name in ["one", "two"] {
        assert_eq!(weights(dir, "plain", 6), weights(dir, name, 6), "{name}");
        let published = dir.join(name).join("checkpoints/iter_000000006/net.safetensors");
        let published: BTreeMap<String, Tensor> = Tensor::read_safetensors(published).unwrap().into_iter().collect();
        assert!(published["out.weight"].equal(&published["tied.weight"]), "{name}");
    }
}

#[test]
fn parameters_that_share_memory_without_being_tied_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = experiment(dir.path(), "x", "model: (overlaps: true),");
    let Err(error) = engine::trainer::build(experiment, &[]) else { panic!("it was built") };
    let error = error.to_string();
    assert!(error.contains("`out.weight` and `tied.weight` of the model `net` share their memory"), "{error}");
}

#[test]
fn what_is_frozen_is_trained_once_it_is_unfrozen_and_a_resume_knows_what_is_frozen() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (name, frozen) in [("by_model", "model: (frozen: true),"), ("by_file", "freeze: [\"first.*\"],")] {
        let whole = format!("{name}_whole");
        let thaw = format!("{frozen} custom_hooks: [Thaw()],");
        train(dir, &whole, &thaw);
        // frozen in the first epoch, trained in the others
        let first = |iter| weights(dir, &whole, iter)["first.weight"].clone();
        let start = engine::trainer::build(experiment(dir, "x", ""), &[]).unwrap();
        let start = start.run.models.get("net").unwrap().variables()[1].1.detach().reshape([-1]);
        assert_eq!(first(2), Vec::<f32>::try_from(start).unwrap(), "{name}");
        assert_ne!(first(4), first(2), "{name}");
        assert_ne!(first(6), first(4), "{name}");
        // cut where it was unfrozen by this process, and where it is still frozen
        for stop in [1, 3] {
            let cut = format!("{name}_{stop}");
            let mut begun = experiment(dir, &cut, &thaw);
            begun.stop_after = Some(stop);
            run_train(begun, Mode::New).unwrap();
            run_train(experiment(dir, &cut, &thaw), Mode::Resume).unwrap();
            assert_eq!(weights(dir, &cut, 6), weights(dir, &whole, 6), "{name}, cut after {stop}");
        }
    }
    train(dir, "frozen", "freeze: [\"first.*\"],");
    let log = std::fs::read_to_string(dir.join("frozen/log.txt")).unwrap();
    assert!(log.contains("`net` with 24 parameters, 12 of them frozen"), "{log}");
    assert_eq!(weights(dir, "frozen", 2)["first.weight"], weights(dir, "frozen", 6)["first.weight"]);
    assert_ne!(weights(dir, "frozen", 2)["out.weight"], weights(dir, "frozen", 6)["out.weight"]);
}

#[test]
fn a_pattern_that_freezes_nothing_is_told_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = experiment(dir.path(), "x", "freeze: [\"out.*\", \"frist.*\"],");
    let Err(error) = engine::trainer::build(experiment, &[]) else { panic!("it was built") };
    let mistakes = &error.downcast_ref::<engine::trainer::BuildErrors>().unwrap().mistakes;
    assert_eq!(mistakes[0].path, "freeze.1");
    assert!(mistakes[0].text.contains("`frist.*` matches no parameter; there are `first.bias`"), "{mistakes:?}");
}

#[test]
fn weights_start_as_the_file_says_by_the_first_pattern_that_fits() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let start = |init: &str| {
        let program = engine::trainer::build(experiment(dir, "x", init), &[]).unwrap();
        let variables = program.run.models.get("net").unwrap().variables();
        let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.detach().reshape([-1])).unwrap();
        variables.iter().map(|(name, tensor)| (name.clone(), numbers(tensor))).collect::<BTreeMap<_, _>>()
    };
    let plain = start("");
    let rules = "init: [
        (pattern: \"first.bias\", with: Constant(value: 0.5)),
        (pattern: \"*.bias\", with: Constant(value: 0.25)),
        (pattern: \"out.weight\", with: XavierUniform(gain: 1.0)),
    ],";
    let started = start(rules);
    assert_eq!(started["first.bias"], [0.5; 3]);
    assert_eq!(started["out.bias"], [0.25; 3]);
    assert_eq!(started["out.weight"], started["tied.weight"]);
    assert_ne!(started["out.weight"], plain["out.weight"]);
    // what no pattern names, and every number in every process
    assert_eq!(started["first.weight"], plain["first.weight"]);
    assert_eq!(started, start(rules));
    for (rules, place, text) in [
        ("(pattern: \"*.bias\", with: KaimingNormal(gain: 1.4, fan: In))", "init.0", "at least two dimensions"),
        (
            "(pattern: \"*\", with: Constant(value: 0.0)), (pattern: \"nothing.*\", with: Constant(value: 0.0))",
            "init.1",
            "`nothing.*` matches no parameter",
        ),
    ] {
        let experiment = experiment(dir, "x", &format!("init: [{rules}],"));
        let Err(error) = engine::trainer::build(experiment, &[]) else { panic!("it was built") };
        let mistakes = &error.downcast_ref::<engine::trainer::BuildErrors>().unwrap().mistakes;
        assert!(mistakes[0].path == place && mistakes[0].text.contains(text), "{mistakes:?}");
    }
}
