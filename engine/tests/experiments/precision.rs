//! `train: (precision: …, step: …)` and `backend: (…)` of an experiment.

use crate::program::Fit;
use engine::base::{StateMap, StateValue};
use engine::checkpoint;
use engine::folder::Mode;
use engine::trainer::{Experiment, run_train};
use std::collections::BTreeSet;
use std::path::Path;
use tch::Kind;

fn experiment(dir: &Path, train: &str, lines: &str) -> Result<Experiment<Fit>, String> {
    let text = format!(
        "Experiment(
            name: \"run\", work_dir: {dir:?}, device: Cpu, {lines}
            optimizer: AdamW(lr: 0.1),
            loaders: (
                train: (dataset: Line(points: 16), batch_size: 4),
                val: (dataset: (points: 4), batch_size: 4),
            ),
            train: (max_epochs: 3, {train}),
            hooks: (ema: (decay: 0.5)),
        )",
        dir = dir.display().to_string()
    );
    Experiment::parse("exp.ron", &text).map_err(|errors| errors.to_string())
}

/// The kinds of all tensors of a state, without repetition.
fn kinds_in(state: &StateMap) -> BTreeSet<String> {
    let kinds = state.0.values().flat_map(|value| match value {
        StateValue::Tensor(tensor) => BTreeSet::from([format!("{:?}", tensor.kind())]),
        StateValue::Map(map) => kinds_in(map),
        _ => BTreeSet::new(),
    });
    kinds.collect()
}

/// The kinds of the weights and of what optimizers keep, in the last checkpoint.
fn kinds(train: &str) -> (Vec<Kind>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let summary = run_train(experiment(dir.path(), train, "").unwrap(), Mode::New).unwrap();
    assert!(summary.metrics.iter().any(|(_, value)| value.is_finite()), "{:?}", summary.metrics);
    let mut snapshot = checkpoint::load(&dir.path().join("run/checkpoints/iter_000000012")).unwrap();
    let kinds = snapshot.models[0].trained.iter().map(|(_, tensor)| tensor.kind()).collect();
    let optimizers = snapshot.state.take_map("updates").unwrap().take_map("optimizers").unwrap();
    (kinds, kinds_in(&optimizers).into_iter().collect())
}

#[test]
fn pure_keeps_weights_and_the_state_of_the_optimizer_in_16_bits() {
    let (weights, state) = kinds("precision: Pure(Bf16)");
    assert_eq!(weights, [Kind::BFloat16]);
    // the count of updates stays exact
    assert_eq!(state, ["BFloat16", "Float"]);
}

#[test]
fn mixed_keeps_weights_and_the_state_of_the_optimizer_in_float() {
    for precision in ["Bf16", "F16", "Mixed(Bf16)", "Mixed(F16)"] {
        let (weights, state) = kinds(&format!("precision: {precision}"));
        assert_eq!(weights, [Kind::Float], "{precision}");
        assert_eq!(state, ["Float"], "{precision}");
    }
}

#[test]
fn a_pure_run_goes_on_to_the_same_bits() {
    let weights = |cut: Option<u64>| {
        let dir = tempfile::tempdir().unwrap();
        let read = || experiment(dir.path(), "precision: Pure(Bf16)", "").unwrap();
        let mut first = read();
        first.stop_after = cut;
        run_train(first, Mode::New).unwrap();
        if cut.is_some() {
            run_train(read(), Mode::Resume).unwrap();
        }
        std::fs::read(dir.path().join("run/checkpoints/iter_000000012/slope.safetensors")).unwrap()
    };
    assert_eq!(weights(Some(5)), weights(None));
}

#[test]
fn what_does_not_go_together_is_refused_at_its_place() {
    let errors = experiment(Path::new("runs"), "precision: F16, non_finite: Stop", "").err().unwrap();
    assert!(errors.contains("`Stop` does not go with `precision: F16`"), "{errors}");
    let errors = experiment(Path::new("runs"), "precision: Pure(F16)", "").err().unwrap();
    assert!(errors.contains("F16") && errors.contains("Bf16"), "{errors}");
    let errors = experiment(Path::new("runs"), "precision: Bf32", "").err().unwrap();
    assert!(errors.contains("did you mean `F32`"), "{errors}");
}

#[test]
fn the_section_backend_is_read_and_printed() {
    let read = experiment(Path::new("runs"), "", "backend: (matmul: High, flush_denormals: true),").unwrap();
    assert!(read.backend.flush_denormals && read.backend.keep_memory && !read.backend.channels_last);
    let text = read.print().unwrap();
    assert!(text.contains("matmul: High"), "{text}");
}

#[test]
fn without_a_cuda_device_steps_run_eagerly_and_a_line_says_so() {
    let weights = |step: &str| {
        let dir = tempfile::tempdir().unwrap();
        run_train(experiment(dir.path(), step, "").unwrap(), Mode::New).unwrap();
        let log = std::fs::read_to_string(dir.path().join("run/log.txt")).unwrap();
        let said = log.matches("CUDA graphs: all steps run eagerly: the device is no CUDA device").count();
        (std::fs::read(dir.path().join("run/checkpoints/iter_000000012/slope.safetensors")).unwrap(), said)
    };
    let (eager, said) = weights("step: Eager");
    assert_eq!(said, 0);
    for step in ["step: CudaGraph()", "step: CudaGraph(warmup: 5)"] {
        assert_eq!(weights(step), (eager.clone(), 1), "{step}");
    }
    let errors = experiment(Path::new("runs"), "step: CudaGraph(warmup: 2)", "").err().unwrap();
    assert!(errors.contains("`warmup` must be at least 3, got 2"), "{errors}");
}
