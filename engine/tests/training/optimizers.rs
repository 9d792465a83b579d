//! Optimizers against the numbers of PyTorch 2.11.0 (`fixtures/optim.py`), and their state.

use engine::base::{State, StateMap, StateValue};
use engine::optim::{Adam, AdamW, Clip, GroupRule, Optim, Optimizer, OptimizerConfig, Sgd, clip_gradients};
use serde::Deserialize;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

const SHAPES: [(&str, &[i64]); 4] =
    [("fc1.weight", &[5, 4]), ("fc1.bias", &[5]), ("fc2.weight", &[3, 5]), ("fc2.bias", &[3])];
const SNAPSHOTS: [u64; 3] = [1, 10, 50];

/// The parameters of the fixtures: element `i` of parameter `j` is `sin(1 + j + 0.7 i)`.
pub(crate) fn parameters() -> Vec<(String, Tensor)> {
    let filled = SHAPES.iter().enumerate().map(|(j, (name, shape))| {
        let tensor = fill(shape, |i| (1.0 + j as f64 + 0.7 * i).sin());
        ((*name).to_owned(), tensor.set_requires_grad(true))
    });
    filled.collect()
}

fn fill(shape: &[i64], formula: impl Fn(f64) -> f64) -> Tensor {
    let flat: Vec<f64> = (0..shape.iter().product()).map(|i: i64| formula(i as f64)).collect();
    Tensor::from_slice(&flat).to_kind(Kind::Float).reshape(shape)
}

/// Gives every parameter that is not in `without` the gradient `cos(0.3 i + k + j)` of step `k`.
fn backward(parameters: &[(String, Tensor)], k: u64, without: &[&str]) {
    for (j, (name, parameter)) in parameters.iter().enumerate() {
        if !without.contains(&name.as_str()) {
            let gradient = fill(&parameter.size(), |i| (0.3 * i + k as f64 + j as f64).cos());
            (parameter * gradient).sum(Kind::Float).backward();
        }
    }
}

fn flat(parameters: &[(String, Tensor)]) -> Vec<f64> {
    parameters
        .iter()
        .flat_map(|(_, p)| Vec::<f64>::try_from(p.detach().to_kind(Kind::Double).flatten(0, -1)).unwrap())
        .collect()
}

fn copies(parameters: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    parameters.iter().map(|(name, p)| (name.clone(), p.detach().copy().set_requires_grad(true))).collect()
}

/// The tree as a checkpoint gives it back: tensors of its own on the CPU.
fn stored(state: StateMap) -> StateMap {
    fn value(value: StateValue) -> StateValue {
        match value {
            StateValue::Tensor(tensor) => StateValue::Tensor(tensor.to_device(Device::Cpu).copy()),
            StateValue::Map(map) => StateValue::Map(stored(map)),
            other => other,
        }
    }
    StateMap(state.0.into_iter().map(|(name, held)| (name, value(held))).collect())
}

#[derive(Deserialize)]
struct Expected {
    norms: Vec<Option<f64>>,
    snapshots: Vec<Vec<f64>>,
}

/// One case of the fixtures.
struct Case {
    recipe: Box<dyn Optimizer>,
    clip: Option<Clip>,
    late: &'static [&'static str],
}

fn case(recipe: impl Optimizer + 'static) -> Case {
    Case { recipe: Box::new(recipe), clip: None, late: &[] }
}

fn by_pattern() -> Vec<GroupRule> {
    vec![
        GroupRule { lr_mult: Some(2.0), weight_decay: Some(0.0), ..GroupRule::new("*.bias") },
        GroupRule { lr_mult: Some(0.1), decay_mult: Some(0.5), ..GroupRule::new("fc2.*") },
    ]
}

fn cases() -> BTreeMap<&'static str, Case> {
    let momentum = Sgd { momentum: 0.9, ..Sgd::new(0.05) };
    BTreeMap::from([
        ("adam", case(Adam::new(0.01))),
        ("adam_decay", case(Adam { weight_decay: 0.1, betas: (0.8, 0.95), eps: 1e-6, ..Adam::new(0.01) })),
        ("adam_amsgrad", case(Adam { amsgrad: true, ..Adam::new(0.01) })),
        ("adamw", case(AdamW::new(0.01))),
        ("adamw_maximize", case(AdamW { weight_decay: 0.2, maximize: true, ..AdamW::new(0.01) })),
        ("adamw_late", Case { late: &["fc2.bias"], ..case(AdamW::new(0.01)) }),
        ("adamw_groups", case(AdamW { weight_decay: 0.1, groups: by_pattern(), ..AdamW::new(0.01) })),
        ("adamw_no_decay", case(AdamW { weight_decay: 0.1, no_decay_on_bias_and_norm: true, ..AdamW::new(0.01) })),
        ("adamw_clip_norm", Case { clip: Some(Clip::Norm(1.0)), ..case(AdamW::new(0.01)) }),
        ("sgd", case(Sgd::new(0.05))),
        ("sgd_decay", case(Sgd { weight_decay: 0.1, ..Sgd::new(0.05) })),
        ("sgd_momentum", case(Sgd { weight_decay: 0.01, ..momentum.clone() })),
        ("sgd_dampening", case(Sgd { dampening: 0.3, ..momentum.clone() })),
        ("sgd_nesterov", case(Sgd { nesterov: true, ..momentum.clone() })),
        ("sgd_late", Case { late: &["fc1.weight", "fc2.bias"], ..case(momentum.clone()) }),
        ("sgd_groups", case(Sgd { weight_decay: 0.1, groups: by_pattern(), ..momentum.clone() })),
        ("sgd_clip_norm", Case { clip: Some(Clip::Norm(4.7)), ..case(momentum) }),
        ("sgd_clip_value", Case { clip: Some(Clip::Value(0.5)), ..case(Sgd::new(0.05)) }),
    ])
}

#[test]
fn fifty_updates_end_where_those_of_pytorch_end() {
    let expected: BTreeMap<String, Expected> = serde_json::from_str(include_str!("fixtures/optim.json")).unwrap();
    let cases = cases();
    assert!(expected.keys().map(String::as_str).eq(cases.keys().copied()), "fixtures and cases differ");
    for (name, case) in cases {
        let parameters = parameters();
        let mut optim = Optim::new("opt", &*case.recipe, handles(&parameters)).unwrap();
        let expected = &expected[name];
        let mut snapshots = expected.snapshots.iter();
        for k in 0..SNAPSHOTS[2] {
            optim.zero_grad().unwrap();
            backward(&parameters, k, if k < 10 { case.late } else { &[] });
            if let Some(clip) = &case.clip {
                let norm = optim.clip(clip).unwrap().map(|norm| norm.read().unwrap());
                match (norm, expected.norms[k as usize]) {
                    (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < 1e-5, "{name}: norm {ours} {theirs}"),
                    (ours, theirs) => assert_eq!(ours, theirs.filter(|_| matches!(clip, Clip::Norm(_))), "{name}"),
                }
            }
            optim.step().unwrap();
            if SNAPSHOTS.contains(&(k + 1)) {
                let theirs = snapshots.next().unwrap();
                let furthest = flat(&parameters)
                    .iter()
                    .zip(theirs)
                    .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
                    .fold(0.0, f64::max);
                assert!(furthest < 1e-6, "{name}: {furthest} away after step {}", k + 1);
            }
        }
        assert!(snapshots.next().is_none());
    }
}

/// The same tensors under the same names, as a model hands its variables over.
fn handles(parameters: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    parameters.iter().map(|(name, p)| (name.clone(), p.shallow_clone())).collect()
}

#[test]
fn a_restored_optimizer_goes_on_to_the_bit() {
    for (name, case) in cases() {
        let original = parameters();
        let mut optim = Optim::new("opt", &*case.recipe, handles(&original)).unwrap();
        let run = |optim: &mut Optim, parameters: &[(String, Tensor)], steps: std::ops::Range<u64>| {
            for k in steps {
                optim.zero_grad().unwrap();
                backward(parameters, k, if k < 10 { case.late } else { &[] });
                if let Some(clip) = &case.clip {
                    optim.clip(clip).unwrap();
                }
                optim.step().unwrap();
            }
        };
        // within the steps in which the late parameters have no state yet
        run(&mut optim, &original, 0..5);
        for group in optim.groups_mut() {
            let lr = group.settings().get("lr").unwrap();
            group.settings_mut().set("lr", lr * 0.7).unwrap();
        }
        let saved = stored(optim.save_state());
        let restored = copies(&original);
        run(&mut optim, &original, 5..15);
        let mut again = Optim::new("opt", &*case.recipe, handles(&restored)).unwrap();
        again.load_state(saved).unwrap();
        run(&mut again, &restored, 5..15);
        let bits = |parameters: &[(String, Tensor)]| flat(parameters).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(&original), bits(&restored), "{name}");
    }
}

#[test]
fn a_parameter_without_a_gradient_is_left_alone_with_its_state() {
    let parameters = parameters();
    let mut optim = Optim::new("opt", &AdamW::new(0.1), handles(&parameters)).unwrap();
    backward(&parameters, 0, &["fc1.bias"]);
    optim.step().unwrap();
    let kept = |name: &str| {
        let mut state = optim.save_state().take_map("parameters").unwrap();
        state.take_map(name).unwrap().0.len()
    };
    assert_eq!((kept("fc1.bias"), kept("fc1.weight")), (0, 3));
    let before = flat(&parameters);
    optim.zero_grad().unwrap();
    optim.step().unwrap();
    assert_eq!(flat(&parameters), before);
    assert_eq!(f64::try_from(&parameters[1].1.get(0)).unwrap(), f64::from(2f64.sin() as f32));
}

#[test]
fn several_optimizers_are_clipped_as_one() {
    let parameters = parameters();
    let (first, second) = parameters.split_at(2);
    let mut optims = [
        Optim::new("generator", &Sgd::new(0.1), handles(first)).unwrap(),
        Optim::new("critic", &Sgd::new(0.1), handles(second)).unwrap(),
    ];
    backward(&parameters, 0, &[]);
    let together = {
        let squares = optims.iter().map(|optim| optim.grad_norm().unwrap().read().unwrap().powi(2));
        squares.sum::<f64>().sqrt()
    };
    let norm = clip_gradients(&mut optims, &Clip::Norm(1.0)).unwrap().unwrap().read().unwrap();
    assert!((norm - together).abs() < 1e-6);
    optims[0].scale_grads(2.0).unwrap();
    let scaled = optims[0].grad_norm().unwrap().read().unwrap();
    let rest = optims[1].grad_norm().unwrap().read().unwrap();
    assert!(((scaled / 2.0).powi(2) + rest.powi(2) - 1.0).abs() < 1e-5);
}

#[test]
fn parameters_of_two_kinds_share_a_group_and_are_both_updated() {
    let parameters: Vec<(String, Tensor)> = [("a", Kind::Float), ("b", Kind::Double)]
        .map(|(name, kind)| (name.to_owned(), Tensor::ones([2], (kind, Device::Cpu)).set_requires_grad(true)))
        .into();
    let mut optim = Optim::new("opt", &Sgd::new(0.5), handles(&parameters)).unwrap();
    for (_, parameter) in &parameters {
        parameter.sum(parameter.kind()).backward();
    }
    assert!((optim.grad_norm().unwrap().read().unwrap() - 2.0).abs() < 1e-6);
    optim.step().unwrap();
    assert_eq!(flat(&parameters), [0.5; 4]);
    assert_eq!(optim.groups().len(), 1);
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let parameters = parameters();
    let adamw = |parameters: &[(String, Tensor)]| Optim::new("opt", &AdamW::new(0.1), handles(parameters)).unwrap();
    let mut trained = adamw(&parameters);
    backward(&parameters, 0, &[]);
    trained.step().unwrap();
    let refused = |optim: &mut Optim, change: &dyn Fn(&mut StateMap)| {
        let mut state = stored(trained.save_state());
        change(&mut state);
        optim.load_state(state).unwrap_err().to_string()
    };
    let parameter = |state: &mut StateMap, name: &str| -> StateMap {
        let StateValue::Map(all) = state.0.get_mut("parameters").unwrap() else { unreachable!() };
        all.take_map(name).unwrap()
    };
    let put = |state: &mut StateMap, name: &str, map: StateMap| {
        let StateValue::Map(all) = state.0.get_mut("parameters").unwrap() else { unreachable!() };
        all.put(name, &map);
    };
    let mut fresh = adamw(&parameters);
    let untouched = format!("{:?}", fresh.save_state());
    let missing = refused(&mut fresh, &|state| drop(parameter(state, "fc1.bias")));
    assert!(missing.contains("has no `parameters.fc1.bias`"), "{missing}");
    let shape = refused(&mut fresh, &|state| {
        let mut held = parameter(state, "fc1.bias");
        held.put("exp_avg", &Tensor::zeros([6], (Kind::Float, Device::Cpu)));
        put(state, "fc1.bias", held);
    });
    let expected = "the saved state of `parameters.fc1.bias.exp_avg` does not fit: it has shape [6] and kind Float, expected [5] and Float";
    assert_eq!(shape, expected);
    let unknown = refused(&mut fresh, &|state| {
        let held = parameter(state, "fc1.bias");
        put(state, "fc1.bias", held);
        put(state, "fc3.bias", StateMap::new());
    });
    assert!(unknown.contains("`parameters.fc3.bias`") && unknown.contains("nearest name is `fc"), "{unknown}");
    assert_eq!(format!("{:?}", fresh.save_state()), untouched);
    let other = refused(&mut Optim::new("opt", &Sgd::new(0.1), handles(&parameters)).unwrap(), &|_| {});
    assert!(other.contains("saved by `AdamW`, and the experiment now names `Sgd`"), "{other}");
}

#[test]
fn an_edited_file_wins_over_the_settings_of_a_checkpoint() {
    let parameters = parameters();
    let new = |lr: f64| Optim::new("opt", &Sgd { momentum: 0.9, ..Sgd::new(lr) }, handles(&parameters)).unwrap();
    let mut first = new(0.1);
    first.groups_mut()[0].settings_mut().set("lr", 0.03).unwrap();
    first.groups_mut()[0].settings_mut().set("momentum", 0.5).unwrap();
    let settings = |mut optim: Optim| {
        optim.load_state(stored(first.save_state())).unwrap();
        let settings = optim.groups()[0].settings();
        (settings.get("lr").unwrap(), settings.get("momentum").unwrap())
    };
    assert_eq!(settings(new(0.1)), (0.03, 0.5));
    assert_eq!(settings(new(0.2)), (0.2, 0.5));
}

#[test]
fn what_cannot_be_optimized_is_refused() {
    let new = |parameters| Optim::new("opt", &Sgd::new(0.1), parameters).unwrap_err().to_string();
    assert!(new(Vec::new()).contains("`opt` has no parameters"));
    let twice = vec![("w".to_owned(), Tensor::from(1f32)), ("w".to_owned(), Tensor::from(1f32))];
    assert!(new(twice).contains("two parameters named `w`"));
    assert!(new(vec![("count".to_owned(), Tensor::from(1i64))]).contains("`count` has kind Int64"));
    let parameters = parameters();
    let mut optim = Optim::new("opt", &Sgd::new(0.1), handles(&parameters)).unwrap();
    let error = optim.clip(&Clip::Norm(0.0)).unwrap_err().to_string();
    assert_eq!(error, "`Norm` of `clip` must be above 0, got 0");
}

#[test]
fn an_update_that_libtorch_refuses_names_the_parameter() {
    let words = Tensor::ones([10, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let parameters = vec![("head".to_owned(), Tensor::from(1f32)), ("words".to_owned(), words.shallow_clone())];
    let mut optim = Optim::new("opt", &Sgd::new(0.1), parameters).unwrap();
    Tensor::embedding(&words, &Tensor::from_slice(&[1i64]), -1, false, true).sum(Kind::Float).backward();
    let error = engine::base::Error::new(optim.step().unwrap_err());
    let expected = "optimizer `opt` failed in the update of `words`: the gradient of parameter 1 of shape [10, 3] (Float, cpu) is sparse";
    assert!(format!("{error:#}").starts_with(expected), "{error:#}");
}

#[test]
fn a_recipe_is_read_by_its_name() {
    let recipe: Box<dyn OptimizerConfig> =
        serde_json::from_str(r#"{"AdamW": {"lr": 0.001, "groups": [{"pattern": "*.bias", "weight_decay": 0.0}]}}"#)
            .unwrap();
    let optim = Optim::new("opt", &*recipe, parameters()).unwrap();
    let names: Vec<&str> = optim.groups().iter().map(|group| group.name()).collect();
    assert_eq!(names, ["*.bias", "default"]);
    let members: Vec<&str> = optim.groups()[0].parameter_names().collect();
    assert_eq!(members, ["fc1.bias", "fc2.bias"]);
}
