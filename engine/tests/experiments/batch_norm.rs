//! `Ema(update_batch_norm: true)`: the statistics of batch norm for averaged weights, against those of PyTorch 2.11.0
//! (`fixtures/update_bn.py`).

use engine::checkpoint;
use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{Experiment, run_train};
use std::collections::BTreeMap;
use std::path::Path;

#[component(dataset)]
pub struct WavesConfig {
    points: usize,
}

pub struct Waves(usize);

impl Dataset for Waves {
    type Config = WavesConfig;
    type Item = (Vec<f32>, f32);

    fn open(config: &WavesConfig) -> Result<Self> {
        Ok(Waves(config.points))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, f32)> {
        let n = index as f64;
        let x = (0..3).map(|i| ((0.7 * n + f64::from(i)).cos() + 0.1 * n) as f32).collect();
        Ok((x, (0.5 * n).sin() as f32))
    }
}

#[component]
pub struct NormedNetConfig {}

#[derive(Debug)]
pub struct NormedNet {
    weight: Tensor,
    norm: nn::BatchNorm,
}

impl Model for NormedNet {
    type Config = NormedNetConfig;
    fn build(vs: &nn::Path<'_>, _: &NormedNetConfig) -> Result<Self> {
        let numbers: Vec<f32> = (0..12).map(|i| f64::from(1 + i).sin() as f32).collect();
        let mut weight = (vs / "first").var("weight", &[4, 3], nn::Init::Const(0.0));
        tch::no_grad(|| weight.copy_(&Tensor::from_slice(&numbers).reshape([4, 3])));
        Ok(NormedNet { weight, norm: nn::batch_norm1d(vs / "norm", 4, nn::BatchNormConfig::default()) })
    }
}

#[trainer(by_epoch)]
pub struct Normed {
    #[model]
    net: NormedNet,
    #[optimizer]
    opt: Sgd,
    #[loader(train)]
    train: Loader<Waves>,
    #[loader(val)]
    val: Loader<Waves>,
    #[metric]
    loss: MeanLoss,
    #[hook]
    ema: Ema,
    /// Steps in training mode.
    #[state]
    steps: u64,
}

impl Normed {
    fn loss_of(&mut self, (x, y): &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        self.steps += u64::from(cx.is_training());
        cx.log("seen", 1.0);
        let hidden = x.f_matmul(&self.net.weight.tr())?.apply_t(&self.net.norm, cx.is_training()).relu();
        let y = y.f_reshape([-1])?;
        Ok(Output::new((hidden.sum_dim_intlist(1, false, None::<Kind>) - y).square().mean(Kind::Float)))
    }
}

impl Steps for Normed {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output> {
        self.loss_of(batch, cx)
    }
}

impl ValStep for Normed {
    fn val_step(&mut self, batch: &(Tensor, Tensor), cx: &mut Context<'_>) -> Result<Output> {
        self.loss_of(batch, cx)
    }
}

fn experiment(dir: &Path, ema: &str, train: &str) -> Experiment<Normed> {
    let text = format!(
        "Experiment(
            name: \"run\", work_dir: {dir:?}, device: Cpu, threads: Some(1),
            model: NormedNet(),
            optimizer: Sgd(lr: 0.1),
            loaders: (
                train: (dataset: Waves(points: 10), batch_size: 4, sampler: Sequential()),
                val: (dataset: Waves(points: 10), batch_size: 10),
            ),
            train: (max_epochs: 3, {train}),
            hooks: (ema: (kind: Equal, begin: 0, {ema}), logger: (interval: 1)),
        )",
        dir = dir.display().to_string()
    );
    Experiment::parse("exp.ron", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The weights that the last checkpoint publishes, and the trainer's own count of steps in it.
fn published(dir: &Path) -> (BTreeMap<String, Vec<f32>>, u64) {
    let mut snapshot = checkpoint::load(&dir.join("run/checkpoints/iter_000000009")).unwrap();
    let mut own = snapshot.state.take_map("parts").unwrap().take_map("trainer").unwrap();
    let weights = snapshot.models[0].published().iter();
    let flat = |tensor: &Tensor| Vec::<f32>::try_from(tensor.reshape([-1])).unwrap();
    (weights.map(|(name, tensor)| (name.clone(), flat(tensor))).collect(), own.take("steps").unwrap())
}

#[test]
fn averaged_weights_have_the_statistics_of_pytorch() {
    let expected: BTreeMap<String, Vec<f32>> = serde_json::from_str(include_str!("fixtures/update_bn.json")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    run_train(experiment(dir.path(), "update_batch_norm: true", ""), Mode::New).unwrap();
    let (found, steps) = published(dir.path());
    assert!(found.keys().eq(expected.keys()), "{:?}", found.keys());
    for (name, expected) in &expected {
        for (ours, theirs) in found[name].iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-5, "{name}: {ours}, PyTorch has {theirs}");
        }
    }
    // the pass has left no other trace: 9 updates are 9 steps in training mode, and 9 rows
    assert_eq!(steps, 9);
    let rows = std::fs::read_to_string(dir.path().join("run/metrics.jsonl")).unwrap();
    assert_eq!(rows.lines().filter(|row| row.contains("\"train\"")).count(), 9, "{rows}");
    assert_eq!(rows.lines().filter(|row| row.contains("\"val\"")).count(), 3, "{rows}");
    let log = std::fs::read_to_string(dir.path().join("run/log.txt")).unwrap();
    assert_eq!(log.matches("the statistics of batch norm are computed").count(), 1, "{log}");
}

#[test]
fn without_the_pass_the_statistics_are_others_and_the_weights_are_the_same() {
    let run = |ema: &str| {
        let dir = tempfile::tempdir().unwrap();
        run_train(experiment(dir.path(), ema, ""), Mode::New).unwrap();
        published(dir.path()).0
    };
    let (with, without) = (run("update_batch_norm: true"), run(""));
    assert_eq!(with["first.weight"], without["first.weight"]);
    assert_ne!(with["norm.running_var"], without["norm.running_var"]);
}

#[test]
fn a_run_that_was_cut_makes_the_pass_when_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut cut = experiment(dir.path(), "update_batch_norm: true", "");
    cut.stop_after = Some(7);
    run_train(cut, Mode::New).unwrap();
    let log = std::fs::read_to_string(dir.path().join("run/log.txt")).unwrap();
    assert!(!log.contains("the statistics of batch norm are computed"), "{log}");
    run_train(experiment(dir.path(), "update_batch_norm: true", ""), Mode::Resume).unwrap();
    let whole = tempfile::tempdir().unwrap();
    run_train(experiment(whole.path(), "update_batch_norm: true", ""), Mode::New).unwrap();
    assert_eq!(published(dir.path()), published(whole.path()));
}
