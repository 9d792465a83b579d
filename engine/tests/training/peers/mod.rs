//! The same training in PyTorch, on the same machine: to the bit. `cargo xtask test --peers` brings it and runs these tests.

mod ddp;

use engine::native::Autocast;
use engine::optim::{AdamW, Clip, Optim, PassInfo, PassPlan, Precision, Updates};
use std::path::{Path, PathBuf};
use std::process::Command;
use tch::{Device, Kind, Tensor};

/// The Python of the environment that has PyTorch.
#[track_caller]
fn python() -> PathBuf {
    let path = std::env::var_os("ENGINE_PEER_PYTORCH");
    path.unwrap_or_else(|| panic!("ENGINE_PEER_PYTORCH is not set: run `cargo xtask test --peers`")).into()
}

fn filled(shape: &[i64], j: usize, factor: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    let numbers: Vec<f64> = (0..count).map(|i| factor * (1.0 + j as f64 + 0.7 * i as f64).sin()).collect();
    Tensor::from_slice(&numbers).to_kind(Kind::Float).reshape(shape)
}

fn bits(tensor: &Tensor) -> Vec<String> {
    let numbers = Vec::<f32>::try_from(tensor.detach().reshape([-1])).unwrap();
    numbers.iter().map(|number| number.to_bits().to_string()).collect()
}

/// What `precision.py` prints, line by line.
fn ours(precision: Precision) -> Vec<String> {
    tch::set_num_threads(1);
    let shapes: [&[i64]; 4] = [&[16, 8], &[16], &[3, 16], &[3]];
    let parameters: Vec<Tensor> =
        shapes.iter().enumerate().map(|(j, shape)| filled(shape, j, 0.3).set_requires_grad(true)).collect();
    let [w1, b1, w2, b2] = parameters.as_slice() else { unreachable!() };
    let (x, y) = (filled(&[32, 8], 9, 1.0), Tensor::arange(32, (Kind::Int64, Device::Cpu)).remainder(3));
    let named = parameters.iter().enumerate().map(|(j, tensor)| (format!("p{j}"), tensor.shallow_clone())).collect();
    let recipe = AdamW { weight_decay: 0.1, ..AdamW::new(0.01) };
    let mut updates = Updates::default();
    updates.add(Optim::new("opt", &recipe, named).unwrap());
    let plan = PassPlan::new(&PassInfo::PLAIN[0], 0, 1, Some(Clip::Norm(0.5)));
    updates.set_passes(PassInfo::PLAIN, vec![plan], &parameters).unwrap();
    updates.set_precision(precision, Device::Cpu).unwrap();
    let kind = precision.autocast().unwrap();
    let mut lines = Vec::new();
    for step in 0..40 {
        updates.begin(0).unwrap();
        let loss = {
            let _lower = Autocast::on(Device::Cpu, kind).unwrap();
            let hidden = x.linear(w1, Some(b1)).relu();
            hidden.linear(w2, Some(b2)).cross_entropy_for_logits(&y)
        };
        let scaled = if [7, 20].contains(&step) { &loss * f64::INFINITY } else { loss.shallow_clone() };
        updates.backward(0, &scaled, 1.0).unwrap();
        updates.finish(0).unwrap();
        let updated = updates.step(0, step).unwrap();
        let scale = updated.loss_scale.map_or(0.0, |scale| scale.read().unwrap());
        lines.push(format!("{} {}", bits(&loss)[0], (scale as f32).to_bits()));
        if kind == Kind::BFloat16 && step == 6 {
            break;
        }
    }
    lines.extend(parameters.iter().map(|parameter| bits(parameter).join(" ")));
    lines
}

#[test]
#[ignore = "needs PyTorch: `cargo xtask test --peers`"]
fn mixed_precision_and_the_scale_of_the_loss_are_those_of_pytorch() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/training/peers/precision.py");
    for (name, precision) in [("bf16", Precision::Bf16), ("f16", Precision::F16)] {
        let ended = Command::new(python()).arg(&script).arg(name).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let theirs = String::from_utf8(ended.stdout).unwrap();
        let theirs: Vec<&str> = theirs.lines().collect();
        let ours = ours(precision);
        assert!(theirs.len() > 10, "{theirs:?}");
        for (line, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "{name}, line {line}");
        }
        assert_eq!(ours.len(), theirs.len());
    }
}
