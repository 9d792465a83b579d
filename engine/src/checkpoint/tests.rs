//! What a checkpoint promises, tried on real folders.

mod faults;

use super::*;
use crate::base::state::{State, StateError, StateValue};
use std::fs;
use std::path::{Path, PathBuf};
use tch::{Device, Kind};

const KINDS: [Kind; 10] = [
    Kind::Bool,
    Kind::Uint8,
    Kind::Int8,
    Kind::Int16,
    Kind::Int,
    Kind::Int64,
    Kind::Half,
    Kind::BFloat16,
    Kind::Float,
    Kind::Double,
];

fn tensor(kind: Kind) -> Tensor {
    Tensor::arange(12, (Kind::Int64, Device::Cpu)).reshape([3, 4]).to_kind(kind)
}

fn bits(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}

fn snapshot(iter: u64) -> Snapshot {
    let mut state = StateMap::new();
    state.put("seen", &vec![0.5, -0.0]);
    state.put("step", &Tensor::from_slice(&[iter as f32]));
    let net = vec![("fc.weight".to_owned(), tensor(Kind::Float)), ("fc.bias".to_owned(), tensor(Kind::Half))];
    Snapshot { meta: Meta::new(Epoch(1), Iter(iter)), models: vec![("net".to_owned(), net)], state }
}

fn save_at(dir: &Path, iter: u64) -> PathBuf {
    save(dir, &iter_name(Iter(iter)), &snapshot(iter)).unwrap()
}

fn saved_and_loaded(snapshot: &Snapshot) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    load(&save(dir.path(), "one", snapshot).unwrap()).unwrap()
}

fn with_state(state: StateMap) -> Snapshot {
    Snapshot { meta: Meta::new(Epoch(0), Iter(0)), models: Vec::new(), state }
}

/// Equal to the bit, so that NaN equals itself and `-0.0` differs from `0.0`.
fn same(a: &StateValue, b: &StateValue) -> bool {
    match (a, b) {
        (StateValue::None, StateValue::None) => true,
        (StateValue::Bool(a), StateValue::Bool(b)) => a == b,
        (StateValue::Int(a), StateValue::Int(b)) => a == b,
        (StateValue::Float(a), StateValue::Float(b)) => a.to_bits() == b.to_bits(),
        (StateValue::Text(a), StateValue::Text(b)) => a == b,
        (StateValue::List(a), StateValue::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (StateValue::Map(a), StateValue::Map(b)) => {
            a.0.len() == b.0.len() && a.0.iter().zip(&b.0).all(|((ka, a), (kb, b))| ka == kb && same(a, b))
        }
        (StateValue::Tensor(a), StateValue::Tensor(b)) => {
            a.kind() == b.kind() && a.size() == b.size() && bits(a) == bits(b)
        }
        _ => false,
    }
}

fn listing(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn every_kind_of_tensor_comes_back_with_its_bits() {
    let mut models: Vec<(String, Tensor)> = KINDS.iter().map(|kind| (format!("{kind:?}"), tensor(*kind))).collect();
    models.push(("transposed".to_owned(), tensor(Kind::Float).transpose(0, 1)));
    models.push(("strided".to_owned(), tensor(Kind::Double).slice(1, 0, 4, 2)));
    models.push(("expanded".to_owned(), Tensor::from(1.5).expand([4, 2], false)));
    models.push(("scalar".to_owned(), Tensor::from(3.25f64)));
    models.push(("empty".to_owned(), Tensor::zeros([0, 3], (Kind::Int64, Device::Cpu))));
    models.push(("odd".to_owned(), Tensor::from_slice(&[true, false, true])));
    models.push(("with_gradient".to_owned(), tensor(Kind::Float).set_requires_grad(true)));
    models.push(("nan".to_owned(), Tensor::from_slice(&[f32::from_bits(0xffc0_0001), f32::INFINITY, -0.0])));
    let expected: BTreeMap<String, Tensor> = models.iter().map(|(n, t)| (n.clone(), t.shallow_clone())).collect();
    let snapshot = Snapshot {
        meta: Meta::new(Epoch(0), Iter(0)),
        models: vec![("net".to_owned(), models)],
        state: StateMap::new(),
    };
    let back = saved_and_loaded(&snapshot);
    assert_eq!(back.models[0].1.len(), expected.len());
    for ((name, got), (expected_name, expected)) in back.models[0].1.iter().zip(&expected) {
        assert_eq!(name, expected_name);
        assert!(
            same(&StateValue::Tensor(got.shallow_clone()), &StateValue::Tensor(expected.contiguous())),
            "{name}: {got:?} from {expected:?}"
        );
        assert!(got.is_contiguous() && !got.requires_grad());
    }
}

#[test]
fn every_value_and_nesting_comes_back_to_the_bit() {
    let mut state = StateMap::new();
    let floats = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001), f64::INFINITY, f64::NEG_INFINITY, -0.0];
    let edges = [0.1 + 0.2, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 1e15, 1e16, 1e300, f64::from(0.1f32)];
    let all: Vec<StateValue> = floats.into_iter().chain(edges).map(StateValue::Float).collect();
    state.0.insert("floats".to_owned(), StateValue::List(all));
    let integers = [0, i128::from(u64::MAX), i128::from(i64::MIN), i128::MAX, i128::MIN];
    state.0.insert("integers".to_owned(), StateValue::List(integers.into_iter().map(StateValue::Int).collect()));
    state.put(
        "texts",
        &["", "a\"b\\c", "line\nand\r\nmore\t\0", "é 🦀 \u{202e}", "None", "#\"raw\"#"].map(str::to_owned),
    );
    state.put("options", &vec![None, Some(None), Some(Some(true))]);
    let mut inner = StateMap::new();
    inner.put("", &Vec::<f64>::new());
    inner.put("a/b~c.d \"quoted\"", &Tensor::from_slice(&[1i64, 2]));
    inner.0.insert("map".to_owned(), StateValue::Map(StateMap::new()));
    state.0.insert("a/b".to_owned(), StateValue::Tensor(tensor(Kind::Half)));
    let mut other = StateMap::new();
    other.0.insert("b".to_owned(), StateValue::Tensor(tensor(Kind::Bool)));
    state.0.insert("a".to_owned(), StateValue::Map(other));
    state.0.insert("__metadata__".to_owned(), StateValue::Tensor(Tensor::from(7i64)));
    let list = StateValue::List(vec![StateValue::Map(inner), StateValue::Tensor(Tensor::from(2.5f32))]);
    state.0.insert("nested".to_owned(), list);
    let original = StateValue::Map(StateMap(state.0.iter().map(|(k, v)| (k.clone(), v.copied())).collect()));
    let back = saved_and_loaded(&with_state(state));
    assert!(same(&StateValue::Map(back.state), &original));
}

#[test]
fn a_state_nested_too_deeply_is_an_error_before_anything_is_visible() {
    let deep = |levels: usize| {
        let mut state = StateMap::new();
        let value = (0..levels).fold(StateValue::Int(1), |value, _| StateValue::List(vec![value]));
        state.0.insert("deep".to_owned(), value);
        with_state(state)
    };
    let back = saved_and_loaded(&deep(100));
    assert!(same(&StateValue::Map(back.state), &StateValue::Map(deep(100).state)));
    let dir = tempfile::tempdir().unwrap();
    for levels in [101, 2000] {
        let error = save(dir.path(), "deep", &deep(levels)).unwrap_err();
        assert!(error.to_string().contains("`/deep/0/0"), "{error}");
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn equal_snapshots_are_equal_folders() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (save(dir.path(), "a", &snapshot(3)).unwrap(), save(dir.path(), "b", &snapshot(3)).unwrap());
    for name in listing(&a) {
        assert_eq!(fs::read(a.join(&name)).unwrap(), fs::read(b.join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn the_weights_are_a_plain_safetensors_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1).join("net.safetensors");
    let read = Tensor::read_safetensors(&path).unwrap();
    assert_eq!(read.len(), 2);
    let header = fs::read(&path).unwrap();
    assert_eq!(u64::from_le_bytes(header[..8].try_into().unwrap()) % 8, 0);
    let models = load_models(&path).unwrap();
    assert_eq!(models[0].0, "net");
    assert_eq!(models[0].1[1].0, "fc.weight");
    assert_eq!(load_models(path.parent().unwrap()).unwrap()[0].1.len(), 2);
}

#[test]
fn meta_and_notes_come_back() {
    let mut snapshot = snapshot(7);
    snapshot.meta.notes.insert("trainer".to_owned(), "Digits".to_owned());
    let back = saved_and_loaded(&snapshot);
    assert_eq!(back.meta, snapshot.meta);
    assert_eq!((back.meta.epoch, back.meta.iter), (Epoch(1), Iter(7)));
}

#[test]
fn the_newest_that_verifies_is_taken_and_the_broken_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let paths = [2, 10, 9].map(|iter| save_at(dir.path(), iter));
    assert_eq!(newest_valid(dir.path()).unwrap().found.unwrap().0, paths[1]);
    let weights = paths[1].join("net.safetensors");
    fs::write(&weights, &fs::read(&weights).unwrap()[..20]).unwrap();
    let newest = newest_valid(dir.path()).unwrap();
    let (path, snapshot) = newest.found.unwrap();
    assert_eq!((path, snapshot.meta.iter), (paths[2].clone(), Iter(9)));
    assert_eq!(newest.warnings.len(), 1);
    assert!(newest.warnings[0].to_string().contains("iter_000000010/net.safetensors"));
}

#[test]
fn no_checkpoint_is_nothing_and_only_broken_ones_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(newest_valid(&dir.path().join("not there")).unwrap().found.is_none());
    assert!(newest_valid(dir.path()).unwrap().found.is_none());
    for iter in [1, 2] {
        fs::remove_file(save_at(dir.path(), iter).join(MANIFEST)).unwrap();
    }
    let error = newest_valid(dir.path()).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::NoneValid { count: 2, newest, .. } if newest.to_string().contains("iter_000000002"))
    );
}

#[test]
fn named_checkpoints_are_ordered_by_their_iter_and_latest_decides_among_equals() {
    let dir = tempfile::tempdir().unwrap();
    save_at(dir.path(), 5);
    let best = save(dir.path(), "best_accuracy", &snapshot(8)).unwrap();
    assert_eq!(list(dir.path()).unwrap()[0], best);
    let by_iter = save_at(dir.path(), 8);
    assert_eq!(list(dir.path()).unwrap()[..2], [by_iter, best]);
}

#[test]
fn saving_under_a_name_again_replaces_it() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "last", &snapshot(1)).unwrap();
    let path = save(dir.path(), "last", &snapshot(2)).unwrap();
    assert_eq!(load(&path).unwrap().meta.iter, Iter(2));
    assert_eq!(listing(dir.path()), ["last", "latest"]);
}

#[test]
fn retain_keeps_the_newest_the_protected_and_the_named() {
    let dir = tempfile::tempdir().unwrap();
    for iter in 1..=6 {
        save_at(dir.path(), iter);
    }
    save(dir.path(), "best", &snapshot(2)).unwrap();
    let removed = retain(dir.path(), 2, &["iter_000000003"]).unwrap();
    assert_eq!(removed.len(), 3);
    assert_eq!(listing(dir.path()), ["best", "iter_000000003", "iter_000000005", "iter_000000006", "latest"]);
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", "..", "a/b", ".hidden", "latest", "a\nb"] {
        let error = save(dir.path(), name, &snapshot(1)).unwrap_err();
        assert!(matches!(error, CheckpointError::Name { what: "checkpoint", .. }), "{name:?}: {error}");
    }
    for models in [vec!["state"], vec!["../net"], vec!["net", "net"]] {
        let models = models.into_iter().map(|model| (model.to_owned(), Vec::new())).collect();
        let error = save(dir.path(), "one", &Snapshot { models, ..snapshot(1) }).unwrap_err();
        assert!(matches!(error, CheckpointError::Name { what: "model", .. }), "{error}");
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn a_tensor_that_no_file_can_hold_is_named_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let complex = Tensor::zeros([2], (Kind::ComplexFloat, Device::Cpu));
    let sparse = tensor(Kind::Float).to_sparse_sparse_dim(2);
    let one = || Tensor::from(1.0);
    let cases = [
        vec![("odd", complex)],
        vec![("odd", sparse)],
        vec![("odd", Tensor::new())],
        vec![("odd", one()), ("odd", one())],
        vec![("__metadata__", one())],
    ];
    for variables in cases {
        let variables = variables.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        let error = save(dir.path(), "one", &Snapshot { models: vec![("net".to_owned(), variables)], ..snapshot(1) });
        let error = error.unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Tensor { file, name, .. } if file == "net.safetensors" && (name == "odd" || name == "__metadata__")),
            "{error}"
        );
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_at(dir.path(), 1);
    fs::write(path.join(MANIFEST), "engine checkpoint 99\n…").unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("format 99") && error.contains("up to 1"), "{error}");
}

/// A hook's state, through the trait that hooks use.
#[test]
fn a_state_goes_through_a_checkpoint_into_its_owner() {
    #[derive(Default, PartialEq, Debug)]
    struct Worst {
        seen: Vec<f64>,
        best: Option<u64>,
    }
    impl State for Worst {
        fn save_state(&self) -> StateMap {
            let mut map = StateMap::new();
            map.put("seen", &self.seen);
            map.put("best", &self.best);
            map
        }
        fn load_state(&mut self, mut state: StateMap) -> Result<(), StateError> {
            self.seen = state.take("seen")?;
            self.best = state.take("best")?;
            Ok(())
        }
    }
    let worst = Worst { seen: vec![0.1, f64::MAX], best: Some(u64::MAX) };
    let mut back = Worst::default();
    back.load_state(saved_and_loaded(&with_state(worst.save_state())).state).unwrap();
    assert_eq!(back, worst);
}
