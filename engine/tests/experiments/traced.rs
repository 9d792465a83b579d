//! Recording `predict_step` as a program.

use engine::folder::Mode;
use engine::prelude::*;
use engine::trainer::{Experiment, run_script, run_train};
use std::path::Path;

/// One layer.
pub struct Layer(nn::Linear);

/// See [`Layer`].
#[component]
pub struct LayerConfig {}

impl Model for Layer {
    type Config = LayerConfig;
    fn build(vs: &nn::Path<'_>, _: &LayerConfig) -> Result<Self> {
        Ok(Layer(nn::linear(vs / "layer", 3, 2, Default::default())))
    }
}

/// Rows of three numbers.
#[component(dataset)]
pub struct Numbers {}

impl Dataset for Numbers {
    type Config = Numbers;
    type Item = Vec<f32>;
    fn open(_: &Numbers) -> Result<Self> {
        Ok(Numbers {})
    }
    fn len(&self) -> usize {
        4
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Vec<f32>> {
        Ok(vec![index as f32, 1.0, 0.5])
    }
}

/// Predicts in a way that its settings choose.
#[trainer(by_epoch)]
pub struct Recorded {
    #[model]
    net: Layer,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    train: Loader<Numbers>,
    #[loader(predict)]
    unseen: Loader<Numbers>,
    /// What the step does besides.
    #[config(default = "nothing")]
    besides: String,
}

impl Steps for Recorded {
    type Batch = Tensor;
    fn train_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(x.apply(&self.net.0).square().mean(Kind::Float).into())
    }
}

impl PredictStep for Recorded {
    type Prompt = Tensor;
    fn predict_step(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Prediction> {
        let y = x.apply(&self.net.0);
        Ok(match self.besides.as_str() {
            "draws" => Prediction::new().tensor("y", &(&y + y.rand_like())),
            "reads" => Prediction::new().tensor("y", &(&y * f64::try_from(x.sum(Kind::Double))?)),
            "splits" => Prediction::new().tensor("y", &y.reshape([4, 2])),
            "gives two" => Prediction::new().tensor("y", &y).tensor("class", &y.argmax(1, false)),
            "gives none" => Prediction::new().texts("name", vec![String::new(); 4]),
            "fails" => return Err(Error::msg("no luck")),
            _ => Prediction::new().tensor("y", &y),
        })
    }
}

fn experiment(dir: &Path, besides: &str) -> Experiment<Recorded> {
    let text = format!(
        "Experiment(
            name: \"run\", device: Cpu, threads: 1, work_dir: {:?}, trainer: (besides: {besides:?}),
            optimizer: Sgd(lr: 0.1),
            loaders: (
                train: (dataset: Numbers(), batch_size: 4),
                unseen: (dataset: Numbers(), batch_size: 4),
            ),
            train: (max_epochs: 1),
        )",
        dir.display().to_string()
    );
    Experiment::parse("recorded.ron", &text).unwrap()
}

#[test]
fn a_program_that_would_compute_something_else_is_refused_or_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    run_train(experiment(dir, "nothing"), Mode::New).unwrap();
    let checkpoint = dir.join("run/checkpoints/iter_000000001");
    let record_one = |besides: &str, output: Option<&str>| run_script(experiment(dir, besides), &checkpoint, output);
    let record = |besides: &str| record_one(besides, None);
    let plain = record("nothing").unwrap();
    assert_eq!((plain.inputs, plain.output, plain.fixed), (vec!["Float [4, 3]".to_owned()], "y", None));
    // other rows than those of the recording, and the weights of the checkpoint
    let x = Tensor::from_slice(&[0.3f32, -1.0, 2.0]).reshape([1, 3]);
    let found = plain.module.forward_ts(&[&x]).unwrap();
    let file = checkpoint.join("net.safetensors");
    let weights: std::collections::BTreeMap<String, Tensor> =
        Tensor::read_safetensors(file).unwrap().into_iter().collect();
    let expected = x.matmul(&weights["layer.weight"].tr()) + &weights["layer.bias"];
    assert!(found.allclose(&expected, 1e-6, 1e-6, false), "{found} {expected}");
    let two = record_one("gives two", Some("class")).unwrap();
    assert_eq!(
        (two.output, two.left_out, two.module.forward_ts(&[&x]).unwrap().kind()),
        ("class", vec!["y"], Kind::Int64)
    );
    let none = format!("{:#}", record_one("gives two", Some("classes")).unwrap_err());
    assert!(none.contains("no tensor `classes`: it has `y`, `class`"), "{none}");
    for besides in ["reads", "splits"] {
        let fixed = record(besides).unwrap().fixed;
        assert!(fixed.is_some(), "{besides}");
    }
    for (besides, text) in [
        ("draws", "does not compute what `predict_step` does: the output has other values"),
        ("gives none", "gives no tensor, so there is nothing to record"),
        ("gives two", "the prediction has `y`, `class`: choose one of them"),
        ("fails", "no luck"),
    ] {
        let error = format!("{:#}", record(besides).unwrap_err());
        assert!(error.contains(text), "{error}");
        // the failed recording leaves nothing behind
        record("nothing").unwrap();
    }
}
