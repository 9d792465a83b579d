use super::*;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor, nn};

fn tensor(value: f64, shape: &[i64], kind: Kind) -> Tensor {
    Tensor::full(shape, value, (kind, Device::Cpu))
}

/// Zeros, but for a buffer of ones: `net.weight` [2, 3], `net.bias` [2], `head.weight` [3, 2], also as `tied.weight`.
fn model() -> ModelEntry {
    let store = nn::VarStore::new(Device::Cpu);
    let zeros = |name: &str, shape: &[i64]| (store.root() / name).var("weight", shape, nn::Init::Const(0.0));
    let _ = zeros("net", &[2, 3]);
    let _ = (store.root() / "net").var("bias", &[2], nn::Init::Const(0.0));
    let head = zeros("head", &[3, 2]);
    let _ = (store.root() / "tied").add("weight", head.shallow_clone(), true);
    ModelEntry::new("model", store)
}

fn sum(model: &ModelEntry, variable: &str) -> f64 {
    let (_, found) = model.variables().iter().find(|(name, _)| name == variable).unwrap();
    found.sum(Kind::Double).double_value(&[])
}

fn total(model: &ModelEntry) -> f64 {
    model.variables().iter().map(|(name, _)| sum(model, name)).sum()
}

/// A file of ones, of these names and shapes.
fn file(dir: &Path, name: &str, tensors: &[(&str, &[i64])]) -> PathBuf {
    let path = dir.join(name);
    let ones: Vec<_> = tensors.iter().map(|(name, shape)| (*name, tensor(1.0, shape, Kind::Float))).collect();
    Tensor::write_safetensors(&ones, &path).unwrap();
    path
}

const WHOLE: [(&str, &[i64]); 3] = [("net.weight", &[2, 3]), ("net.bias", &[2]), ("head.weight", &[3, 2])];

fn renames(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_file_of_the_same_names_is_loaded_and_tied_weights_need_one_of_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model();
    let report = load(&mut model, &WeightsFrom::file(file(dir.path(), "a.safetensors", &WHOLE))).unwrap();
    assert_eq!(report.loaded, ["head.weight", "net.bias", "net.weight"]);
    assert_eq!(
        ["net.weight", "net.bias", "head.weight", "tied.weight"].map(|name| sum(&model, name)),
        [6.0, 2.0, 6.0, 6.0]
    );
    assert_eq!(
        report.counts(),
        "weights of `model` from `a.safetensors`: 3 variables loaded, 0 of them renamed; 0 left out, 0 missing, 0 of another shape"
    );
    assert_eq!((report.lines().len(), report.hash.len()), (1, 16));
}

#[test]
fn renames_go_one_after_the_other_and_only_leaves_the_rest_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model();
    let names: [(&str, &[i64]); 4] =
        [("module.backbone.w", &[2, 3]), ("module.backbone.b", &[2]), ("module.fc.w", &[9, 9]), ("step", &[])];
    let from = WeightsFrom {
        rename: renames(&[
            ("^module\\.", ""),
            ("^backbone\\.(.)$", "net.$1"),
            ("\\.w$", ".weight"),
            ("\\.b$", ".bias"),
        ]),
        only: owned(&["net.*"]),
        ..WeightsFrom::file(file(dir.path(), "a.safetensors", &names))
    };
    let report = load(&mut model, &from).unwrap();
    assert_eq!((sum(&model, "net.weight"), sum(&model, "net.bias"), sum(&model, "head.weight")), (6.0, 2.0, 0.0));
    assert_eq!(report.renamed[0], ("module.backbone.b".to_owned(), "net.bias".to_owned()));
    assert_eq!(report.left_out.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["module.fc.w", "step"]);
    assert_eq!(report.not_wanted, ["head.weight", "tied.weight"]);
    assert!(report.counts().ends_with(
        "2 variables loaded, 2 of them renamed; 2 left out, 0 missing, 0 of another shape, 2 not asked for"
    ));
    assert!(report.details().contains(&"loaded `model.net.bias` from `module.backbone.b`".to_owned()));
}

#[test]
fn what_does_not_fit_is_refused_with_what_and_how_to_mend_it_and_no_value_changes() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, tensors: &[(&str, &[i64])]| WeightsFrom::file(file(dir.path(), name, tensors));
    let whole = || at("whole.safetensors", &WHOLE);
    let backbone: [(&str, &[i64]); 3] =
        [("backbone.net.weight", &[2, 3]), ("backbone.net.bias", &[2]), ("backbone.head.weight", &[3, 2])];
    let cases = [
        (
            at("lacks.safetensors", &WHOLE[..2]),
            "",
            "the file lacks `head.weight`, `tied.weight`; `strict: false` loads",
        ),
        (
            at("more.safetensors", &[WHOLE[0], WHOLE[1], WHOLE[2], ("fc.weight", &[2])]),
            "",
            "the model lacks `fc.weight`",
        ),
        (
            at("shape.safetensors", &[WHOLE[0], WHOLE[1], ("head.weight", &[5, 2])]),
            "",
            "`head.weight` has shape [3, 2] in the model and [5, 2] in the file; `skip_shape_mismatch: true`",
        ),
        (
            WeightsFrom { strict: false, ..at("prefix.safetensors", &backbone) },
            "",
            "do you mean `rename: [(\"^backbone\\\\.\", \"\")]`?",
        ),
        (
            at("stripped.safetensors", &[("weight", &[2, 3]), ("bias", &[2])]),
            "",
            "none of its names is one of the model",
        ),
        (
            WeightsFrom { rename: renames(&[("^net", "net"), ("^nets", "")]), ..whole() },
            "rename.1",
            "matches no name in",
        ),
        (WeightsFrom { rename: renames(&[("(", "")]), ..whole() }, "rename.0", "is not a regular expression"),
        // a name that the model lacks too
        (
            WeightsFrom { rename: renames(&[("^(net|head)\\.weight", "x.w")]), ..whole() },
            "",
            "`head.weight` and `net.weight` both become `x.w`; narrow the renames",
        ),
        (
            WeightsFrom { rename: renames(&[("weight$|bias$", "weight")]), only: owned(&["net.*"]), ..whole() },
            "",
            "`net.bias` and `net.weight` both become `net.weight`",
        ),
        (
            WeightsFrom { only: owned(&["*", "nets.*"]), ..whole() },
            "only.1",
            "the pattern `nets.*` matches no variable",
        ),
        (WeightsFrom::file(dir.path().join("nowhere.safetensors")), "file", "is not there; name a `.safetensors` file"),
        (WeightsFrom::file(dir.path()), "file", "holds neither `model.safetensors` nor"),
        (WeightsFrom::hf("nobody/nothing"), "hf", "bring it with `hf download nobody/nothing`"),
    ];
    for (from, field, text) in cases {
        let mut model = model();
        let error = load(&mut model, &from).unwrap_err();
        assert!(error.to_string().contains(text), "{error}\nlacks: {text}");
        assert_eq!((error.field().as_str(), total(&model)), (field, 0.0), "{error}");
    }
}

#[test]
fn what_may_stay_as_it_was_is_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut model = model();
    let path = file(dir.path(), "a.safetensors", &[WHOLE[0], ("net.bias", &[7]), ("fc.weight", &[2])]);
    let from = WeightsFrom { strict: false, skip_shape_mismatch: true, ..WeightsFrom::file(path) };
    let report = load(&mut model, &from).unwrap();
    assert_eq!((report.loaded.len(), total(&model)), (1, 6.0));
    assert_eq!(report.missing, ["head.weight", "tied.weight"]);
    assert_eq!(report.other_shape, [("net.bias".to_owned(), vec![2], vec![7])]);
    assert_eq!(report.lines()[1], "not loaded, and as the model starts them: `head.weight`, `tied.weight`, `net.bias`");
    assert_eq!(report.left_out, [("fc.weight".to_owned(), "the model has no variable of this name")]);
}

#[test]
fn another_precision_is_converted_and_what_is_no_weight_is_left_out_by_its_look() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let mut tensors: Vec<_> = WHOLE.iter().map(|(name, shape)| (*name, tensor(1.5, shape, Kind::BFloat16))).collect();
    tensors.extend([
        ("norm.num_batches_tracked", tensor(3.0, &[], Kind::Int64)),
        ("h.0.attn.bias", tensor(1.0, &[1, 1, 4, 4], Kind::Float)),
        ("h.0.attn.masked_bias", tensor(-1e4, &[], Kind::Float)),
        ("embeddings.position_ids", tensor(0.0, &[1, 5], Kind::Int64)),
    ]);
    Tensor::write_safetensors(&tensors, &path).unwrap();
    let mut into = model();
    let report = load(&mut into, &WeightsFrom::file(&path)).unwrap();
    assert_eq!((report.loaded.len(), report.left_out.len(), sum(&into, "net.weight")), (3, 4, 9.0));
    assert_eq!(
        report.lines()[1],
        "converted from BFloat16 to Float, the kind of the model: `model.head.weight` and 2 more"
    );
    // of another look they are what somebody may have meant
    let path = file(dir.path(), "b.safetensors", &[WHOLE[0], WHOLE[1], WHOLE[2], ("h.0.attn.bias", &[6])]);
    assert!(load(&mut model(), &WeightsFrom::file(path)).unwrap_err().to_string().contains("lacks `h.0.attn.bias`"));
}

#[test]
fn tied_weights_that_differ_in_the_file_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let write = |tied: f64| {
        let mut tensors: Vec<_> = WHOLE.iter().map(|(name, shape)| (*name, tensor(1.0, shape, Kind::Float))).collect();
        tensors.push(("tied.weight", tensor(tied, &[3, 2], Kind::Float)));
        Tensor::write_safetensors(&tensors, &path).unwrap();
        let mut model = model();
        load(&mut model, &WeightsFrom::file(&path)).map(|report| report.loaded.len()).map_err(|error| error.to_string())
    };
    assert_eq!(write(1.0), Ok(4));
    assert!(write(2.0).unwrap_err().contains("`head.weight` and `tied.weight` are one tensor in the model and two"));
}

#[test]
fn a_sharded_file_is_read_by_its_index_and_what_the_index_says_has_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("model.safetensors.index.json");
    file(dir.path(), "one.safetensors", &WHOLE[..1]);
    file(dir.path(), "two.safetensors", &WHOLE[1..]);
    let write = |map: &str| std::fs::write(&index, format!("{{\"weight_map\": {{{map}}}}}")).unwrap();
    let good = r#""net.weight": "one.safetensors", "net.bias": "two.safetensors", "head.weight": "two.safetensors""#;
    write(good);
    // by itself, and by its folder
    for path in [index.clone(), dir.path().to_owned()] {
        let mut model = model();
        let report = load(&mut model, &WeightsFrom::file(path)).unwrap();
        assert_eq!((report.loaded.len(), total(&model)), (3, 20.0));
        assert_eq!(report.from, "`model.safetensors.index.json` (2 files)");
    }
    let cases = [
        (good.replace("\"net.weight\"", "\"net.w\""), "`one.safetensors` holds `net.w`, which is not in it"),
        (good.replace("one.safetensors", "../one.safetensors"), "each has to be a `.safetensors` file beside it"),
        (good.replace("one.safetensors", "gone.safetensors"), "can't read"),
        (String::new(), "names no tensor"),
        ("nonsense".to_owned(), "is not an index: "),
    ];
    for (map, text) in cases {
        write(&map);
        let error = load(&mut model(), &WeightsFrom::file(&index)).unwrap_err().to_string();
        assert!(error.contains(text), "{error}\nlacks: {text}");
    }
}

#[test]
fn a_file_of_pythons_pickle_is_told_how_to_convert_it_whatever_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [("a.pth", "anything"), ("b.weights", "PK\u{3}\u{4} a zip"), ("pytorch_model.bin", "x")] {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = load(&mut model(), &WeightsFrom::file(&path)).unwrap_err().to_string();
        let to = path.with_extension("safetensors");
        assert!(error.contains("torch.load(") && error.ends_with(&format!(" '{}'", to.display())), "{error}");
    }
    // what this command writes is found in the folder, before the file it was made of
    let error = load(&mut model(), &WeightsFrom::file(dir.path())).unwrap_err().to_string();
    std::fs::write(dir.path().join("pytorch_model.safetensors"), "no weights").unwrap();
    let converted = load(&mut model(), &WeightsFrom::file(dir.path())).unwrap_err().to_string();
    assert!(converted.contains("pytorch_model.safetensors") && !converted.contains("convert it once"), "{converted}");
    assert!(error.contains("pytorch_model.bin") && error.contains("convert it once"), "{error}");
}

#[test]
fn what_has_no_precision_stays_as_it_is_and_is_told() {
    use crate::base::{Epoch, Iter, StateMap};
    use crate::checkpoint::{Meta, Snapshot, Weights, save};
    let dir = tempfile::tempdir().unwrap();
    let held = [("count", Kind::Int64), ("mask", Kind::Bool), ("weight", Kind::Float), ("wide", Kind::Double)];
    let held = held.map(|(name, kind)| (name.to_owned(), tensor(1.0, &[2], kind))).into();
    let snapshot = Snapshot {
        meta: Meta::new(Epoch(0), Iter(1)),
        models: vec![Weights::new("net", held)],
        state: StateMap::new(),
        ranks: vec![StateMap::new()],
    };
    let saved = save(dir.path(), &["it"], &snapshot).unwrap().remove(0);
    for (kind, expected) in [
        (None, [Kind::Int64, Kind::Bool, Kind::Float, Kind::Double]),
        (Some(ExportKind::F16), [Kind::Int64, Kind::Bool, Kind::Half, Kind::Half]),
        (Some(ExportKind::F32), [Kind::Int64, Kind::Bool, Kind::Float, Kind::Float]),
    ] {
        let to = dir.path().join("net.safetensors");
        let what = Export { to: to.clone(), model: None, raw: false, kind, card: false, force: true };
        let done = export(&saved, &what).unwrap();
        let told = [("count".to_owned(), Kind::Int64), ("mask".to_owned(), Kind::Bool)];
        assert_eq!(done.unconverted, if kind.is_some() { told.to_vec() } else { Vec::new() });
        let written = Tensor::read_safetensors(to).unwrap();
        let found = ["count", "mask", "weight", "wide"]
            .map(|name| written.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor.kind()).unwrap());
        assert_eq!(found, expected, "{kind:?}");
    }
}
