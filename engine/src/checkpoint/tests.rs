//! What a checkpoint promises, tried on real folders.

mod background;
mod faults;
mod layout;
mod names;

use super::host::{HostCopy, HostMemory};
use super::names::{LATEST, MANIFEST, META, iter_of_name};
use super::*;
use crate::base::state::{State, StateError, StateMap, StateValue};
use crate::base::units::{Epoch, Iter};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

const KINDS: [Kind; 13] = [
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
    Kind::ComplexFloat,
    Kind::Float8e5m2,
    Kind::Float8e4m3fn,
];

fn tensor(kind: Kind) -> Tensor {
    Tensor::arange(12, (Kind::Int64, Device::Cpu)).reshape([3, 4]).to_kind(kind)
}

/// The same values in memory of their own, in order.
fn own(tensor: &Tensor) -> Tensor {
    tensor.resolve_conj().resolve_neg().contiguous()
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
    let mut part = StateMap::new();
    part.put("generator", &Tensor::from_slice(&[iter as i64]));
    Snapshot { meta: Meta::new(Epoch(1), Iter(iter)), models: vec![Weights::new("net", net)], state, ranks: vec![part] }
}

fn save_as(dir: &Path, name: &str, snapshot: &Snapshot) -> PathBuf {
    save(dir, &[name], snapshot).unwrap().remove(0)
}

fn save_at(dir: &Path, iter: u64) -> PathBuf {
    save_as(dir, &iter_name(Iter(iter)), &snapshot(iter))
}

fn saved_and_loaded(snapshot: &Snapshot) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    load(&save_as(dir.path(), "one", snapshot)).unwrap()
}

fn with_state(state: StateMap) -> Snapshot {
    Snapshot { state, ..with_models(Vec::new()) }
}

fn with_models(models: Vec<Weights>) -> Snapshot {
    Snapshot { meta: Meta::new(Epoch(0), Iter(0)), models, state: StateMap::new(), ranks: vec![StateMap::new()] }
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

/// The files of a checkpoint, by their path in it.
fn files(checkpoint: &Path) -> Vec<String> {
    let mut found = vec![MANIFEST.to_owned(), META.to_owned(), "net.safetensors".to_owned()];
    for folder in ["run", "ranks/0"] {
        found.extend(listing(&checkpoint.join(folder)).into_iter().map(|name| format!("{folder}/{name}")));
    }
    found
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
    let complex = Tensor::complex(&tensor(Kind::Float), &(tensor(Kind::Float) + 0.5));
    models.push(("conjugated".to_owned(), complex.conj()));
    models.push(("imaginary".to_owned(), complex.conj().imag()));
    models.push(("scalar".to_owned(), Tensor::from(3.25f64)));
    models.push(("empty".to_owned(), Tensor::zeros([0, 3], (Kind::Int64, Device::Cpu))));
    models.push(("odd".to_owned(), Tensor::from_slice(&[true, false, true])));
    models.push(("with_gradient".to_owned(), tensor(Kind::Float).set_requires_grad(true)));
    models.push(("nan".to_owned(), Tensor::from_slice(&[f32::from_bits(0xffc0_0001), f32::INFINITY, -0.0])));
    let expected: BTreeMap<String, Tensor> = models.iter().map(|(n, t)| (n.clone(), t.shallow_clone())).collect();
    let given = with_models(vec![Weights::new("net", models)]);
    let (back, by_host) = (saved_and_loaded(&given), saved_and_loaded(&given.to_host().unwrap()));
    assert_eq!(back.models[0].trained.len(), expected.len());
    for ((_, one), (name, other)) in back.models[0].trained.iter().zip(&by_host.models[0].trained) {
        assert_eq!(bits(one), bits(other), "{name}");
    }
    for ((name, got), (expected_name, expected)) in back.models[0].trained.iter().zip(&expected) {
        assert_eq!(name, expected_name);
        assert!(
            same(&StateValue::Tensor(got.shallow_clone()), &StateValue::Tensor(own(expected))),
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
        let error = save(dir.path(), &["deep"], &deep(levels)).unwrap_err();
        assert!(error.to_string().contains("`/deep/0/0"), "{error}");
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn equal_snapshots_are_equal_folders() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let (a, b) = (save_as(&a, "one", &snapshot(3)), save_as(&b, "one", &snapshot(3)));
    for name in files(&a) {
        assert_eq!(fs::read(a.join(&name)).unwrap(), fs::read(b.join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn a_tensor_that_no_file_can_hold_is_named_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let complex = Tensor::zeros([2], (Kind::ComplexDouble, Device::Cpu));
    let sparse = tensor(Kind::Float).to_sparse_sparse_dim(2);
    let one = || Tensor::from(1.0);
    let cases = [
        vec![("odd", complex)],
        vec![("odd", sparse)],
        vec![("odd", tensor(Kind::Float).to_sparse_csr(None))],
        vec![("odd", tensor(Kind::Float).to_mkldnn())],
        vec![("odd", Tensor::new())],
        vec![("odd", one()), ("odd", one())],
        vec![("__metadata__", one())],
    ];
    for variables in cases {
        let variables = variables.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        // as a save in the background does, from a copy
        let given = with_models(vec![Weights::new("net", variables)]).to_host().unwrap();
        let error = save(dir.path(), &["one"], &given).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Tensor { file, name, .. } if file == "net.safetensors" && (name == "odd" || name == "__metadata__")),
            "{error}"
        );
    }
    assert_eq!(listing(dir.path()), Vec::<String>::new());
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
