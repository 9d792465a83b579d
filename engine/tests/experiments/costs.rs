//! What a step costs, by module.

use engine::loops::ModuleCosts;
use engine::prelude::*;
use engine::trainer::{Experiment, run_costs};

/// Pictures of one channel with a class.
#[component(dataset)]
pub struct PicturesConfig {}

#[derive(Debug)]
pub struct Pictures;

impl Dataset for Pictures {
    type Config = PicturesConfig;
    type Item = (Vec<f32>, i64);
    fn open(_: &PicturesConfig) -> Result<Self> {
        Ok(Pictures)
    }
    fn len(&self) -> usize {
        8
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
        Ok((vec![index as f32; 64], (index % 3) as i64))
    }
}

#[component]
pub struct MixedConfig {}

/// A convolution, attention over its positions, and a head.
#[derive(Debug)]
pub struct Mixed {
    conv: nn::Conv2D,
    qkv: nn::Linear,
    head: nn::Linear,
    scale: Tensor,
}

impl Model for Mixed {
    type Config = MixedConfig;
    fn build(vs: &nn::Path<'_>, _: &MixedConfig) -> Result<Self> {
        Ok(Mixed {
            conv: nn::conv2d(vs / "conv", 1, 6, 3, Default::default()),
            qkv: nn::linear(vs / "block" / "qkv", 6, 18, Default::default()),
            head: nn::linear(vs / "head", 6, 3, Default::default()),
            scale: vs.var("scale", &[1], nn::Init::Const(1.0)),
        })
    }
}

#[trainer(by_epoch)]
pub struct Classify {
    #[model]
    net: Mixed,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    train: Loader<Pictures>,
}

impl Steps for Classify {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let net = &self.net;
        // [n, 36, 6]
        let x = x.view([-1, 1, 8, 8]).apply(&net.conv).flatten(2, 3).transpose(1, 2).contiguous();
        let parts = x.apply(&net.qkv).chunk(3, -1);
        let scores = parts[0].bmm(&parts[1].transpose(1, 2)).softmax(-1, Kind::Float);
        let x = scores.bmm(&parts[2]).mean_dim(1, false, Kind::Float) * &net.scale;
        Ok(x.apply(&net.head).cross_entropy_for_logits(y).into())
    }
}

#[test]
fn operations_belong_to_the_module_whose_weights_they_multiply_with() {
    let text = r#"(
        name: "costs", device: Cpu, threads: 1,
        optimizer: (lr: 0.1),
        freeze: ["conv.*"],
        loaders: (train: (dataset: (), batch_size: 4)),
        train: (max_epochs: 1, precision: Bf16),
    )"#;
    let experiment = Experiment::<Classify>::parse("costs.ron", text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut costs = run_costs(experiment).unwrap_or_else(|error| panic!("{error:#}"));
    costs.modules.sort_by(|a, b| a.name.cmp(&b.name));
    let module =
        |name: &str, parameters, trained, forward| ModuleCosts { name: name.into(), parameters, trained, forward };
    let (samples, positions) = (4, 36);
    let (conv, qkv, head) = (2 * samples * positions * 6 * 9, 2 * samples * positions * 6 * 18, 2 * samples * 6 * 3);
    assert_eq!(
        costs.modules,
        [
            module("net", 1, 1, 0),
            module("net.block.qkv", 6 * 18 + 18, 6 * 18 + 18, qkv),
            module("net.conv", 6 * 9 + 6, 0, conv),
            module("net.head", 6 * 3 + 3, 6 * 3 + 3, head),
        ]
    );
    let scores = 2 * 2 * samples * positions * positions * 6;
    assert_eq!(costs.others, [("aten::bmm".to_owned(), scores)]);
    assert_eq!((costs.samples, costs.forward, costs.is_mixed), (4, conv + qkv + head + scores, false));
    // each product has two gradients; the frozen convolution is the first, so nothing goes back through the first layer
    assert_eq!(costs.backward, 2 * head + 2 * scores + qkv);
    let trained = 1 + 126 + 21;
    assert_eq!((costs.weights, costs.gradients), ((trained + 60) * 4, trained * 4));
    // two moments of each, and a count for each of the five tensors
    assert_eq!(costs.optimizers, (2 * trained + 5) * 4);
}
