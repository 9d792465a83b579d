//! PyTorch: models that it has written give the same here, and what is written here gives the same there.

use super::networks::{Gpt2, ResNet18};
use crate::bench::Bench;
use engine::base::{Epoch, Iter, StateMap};
use engine::checkpoint::{self, Meta, Snapshot, TensorFile, Weights};
use engine::model::ModelEntry;
use engine::prelude::*;
use engine::weights::{Export, WeightsFrom, export, load};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

fn run(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/peers/torch_models.py");
    let status = Command::new(super::python("pytorch")).arg("-I").arg(script).args(arguments).status().unwrap();
    assert!(status.success(), "the script failed; its own words are above");
}

/// The folder with PyTorch's files, written once.
fn written() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run(&["write", folder.path().to_str().unwrap()]);
        folder
    });
    folder.path()
}

fn tensor(file: &Path, name: &str) -> Tensor {
    let file = TensorFile::open(file).unwrap();
    let place = file.tensors().iter().find(|tensor| tensor.name == name).unwrap().clone();
    file.read(&place).unwrap()
}

/// The largest difference of two tensors, as a share of the largest value.
fn difference(one: &Tensor, other: &Tensor) -> f64 {
    assert_eq!(one.size(), other.size());
    let scale = one.abs().max().double_value(&[]);
    assert!(scale > 0.1, "nothing to compare: {scale}");
    (one - other).abs().max().double_value(&[]) / scale.max(1.0)
}

fn resnet() -> (ResNet18, ModelEntry) {
    let store = nn::VarStore::new(Device::Cpu);
    let net = ResNet18::new(&store.root());
    (net, ModelEntry::new("net", store))
}

/// What the network makes of PyTorch's input, held against PyTorch's output.
fn compare(net: &ResNet18, output: &Tensor) -> f64 {
    let input = tensor(&written().join("resnet18-io.safetensors"), "input");
    difference(&tch::no_grad(|| net.forward(&input)), output)
}

use engine::tch;

#[test]
#[ignore = "needs PyTorch: cargo xtask test --peers"]
fn a_resnet_of_pytorch_gives_the_same_outputs_here() {
    let output = tensor(&written().join("resnet18-io.safetensors"), "output");
    let (net, mut model) = resnet();
    assert!(compare(&net, &output) > 1e-2, "without the weights it can't be the same");
    let report = load(&mut model, &WeightsFrom::file(written().join("resnet18.safetensors"))).unwrap();
    // the counters of its 20 batch norm layers are no weights
    assert_eq!((report.loaded.len(), report.left_out.len(), report.missing.len()), (102, 20, 0));
    let found = compare(&net, &output);
    assert!(found < 1e-5, "{found}");
    println!("resnet18: largest difference {found:.1e}");
    // in half the precision, converted
    let report = load(&mut model, &WeightsFrom::file(written().join("resnet18-bf16.safetensors"))).unwrap();
    assert!(report.converted[0].starts_with("converted from BFloat16 to Float"), "{report:?}");
    let found = compare(&net, &output);
    assert!(found > 1e-5 && found < 0.1, "{found}");
}

#[test]
#[ignore = "needs PyTorch: cargo xtask test --peers"]
fn a_sharded_gpt2_of_pytorch_gives_the_same_outputs_here() {
    let store = nn::VarStore::new(Device::Cpu);
    let net = Gpt2::new(&store.root());
    let mut model = ModelEntry::new("net", store);
    let from = WeightsFrom {
        rename: vec![("^".to_owned(), "transformer.".to_owned())],
        ..WeightsFrom::file(written().join("gpt2/model.safetensors.index.json"))
    };
    let report = load(&mut model, &from).unwrap();
    // the masks of three blocks are no weights, and the last layer has the weight of the first
    assert_eq!((report.loaded.len(), report.left_out.len(), report.missing.len()), (40, 6, 0));
    let io = written().join("gpt2-io.safetensors");
    let found = difference(&tch::no_grad(|| net.forward(&tensor(&io, "input"))), &tensor(&io, "output"));
    assert!(found < 1e-5, "{found}");
    println!("gpt2: largest difference {found:.1e}");
}

#[test]
#[ignore = "needs PyTorch: cargo xtask test --peers"]
fn the_command_that_is_told_for_a_file_of_torch_save_converts_it() {
    let output = tensor(&written().join("resnet18-io.safetensors"), "output");
    for name in ["resnet18.pth", "wrapped.pth"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::copy(written().join(name), &path).unwrap();
        let (net, mut model) = resnet();
        let told = load(&mut model, &WeightsFrom::file(&path)).unwrap_err().to_string();
        // as a shell takes it
        let command = told.split_once("convert it once: python ").unwrap().1;
        let command = format!("\"$PYTHON\" -I {command}");
        let python = super::python("pytorch");
        assert!(Command::new("sh").args(["-c", &command]).env("PYTHON", python).status().unwrap().success());
        load(&mut model, &WeightsFrom::file(path.with_extension("safetensors"))).unwrap();
        assert!(compare(&net, &output) < 1e-5);
    }
}

#[test]
#[ignore = "needs PyTorch: cargo xtask test --peers"]
fn an_exported_program_gives_in_pytorch_what_predict_writes() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    bench.run(&["export", "runs/run", "--to", "net.pt", "--output", "logits"]).exits(0);
    bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "p.jsonl"]).exits(0);
    let inputs = bench.path("inputs.safetensors");
    let labels = Tensor::zeros([7], (Kind::Int64, Device::Cpu));
    Tensor::write_safetensors(&[("0", &engine_tests::data::points(4, 7)), ("1", &labels)], &inputs).unwrap();
    let [folder, module] = ["", "net.pt"].map(|name| bench.path(name).display().to_string());
    run(&["script", &folder, &module, inputs.to_str().unwrap()]);
    let written: Vec<f64> = bench
        .read("p.jsonl")
        .lines()
        .flat_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap()).collect::<Vec<_>>()
        })
        .collect();
    let written = Tensor::from_slice(&written).reshape([7, 3]).to_kind(Kind::Float);
    let found = difference(&tensor(&bench.path("answer.safetensors"), "output0"), &written);
    assert!(found < 1e-5, "{found}");
}

#[test]
#[ignore = "needs PyTorch: cargo xtask test --peers"]
fn exported_weights_give_the_same_outputs_in_pytorch() {
    let (net, mut model) = resnet();
    load(&mut model, &WeightsFrom::file(written().join("resnet18.safetensors"))).unwrap();
    // as a training has changed them
    tch::no_grad(|| model.parameters().for_each(|(_, tensor)| drop(tensor.shallow_clone().g_mul_scalar_(1.02))));
    let dir = tempfile::tempdir().unwrap();
    let meta = Meta::new(Epoch(1), Iter(7));
    let snapshot = Snapshot {
        meta,
        models: vec![Weights::new("net", model.copied())],
        state: StateMap::new(),
        ranks: vec![StateMap::new()],
    };
    let path = checkpoint::save(dir.path(), &["best"], &snapshot).unwrap().remove(0);
    let to: PathBuf = dir.path().join("out.safetensors");
    let what = Export { to: to.clone(), model: None, raw: false, kind: None, card: false, force: false };
    export(&path, &what).unwrap();
    std::fs::copy(written().join("resnet18-io.safetensors"), dir.path().join("resnet18-io.safetensors")).unwrap();
    run(&["resnet", dir.path().to_str().unwrap(), to.to_str().unwrap()]);
    let found = compare(&net, &tensor(&dir.path().join("answer.safetensors"), "output"));
    assert!(found < 1e-5, "{found}");
}
