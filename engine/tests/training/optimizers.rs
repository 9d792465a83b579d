//! Optimizers against the numbers of PyTorch 2.11.0 (`fixtures/optim.py`), and their state.

use engine::base::{State, StateMap, StateValue};
use engine::native::Scaling;
use engine::optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Clip, ClipTogether, GroupRule, Lamb, Lars, Lion, Muon, MuonRate,
    NAdam, Optim, Optimizer, OptimizerConfig, RAdam, RmsProp, Rprop, Sgd, clip_gradients,
};
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

/// Every tensor of the tree, as bits, in the order of the names.
fn values(state: &StateMap) -> Vec<u64> {
    let of = |value: &StateValue| match value {
        StateValue::Tensor(tensor) => {
            let all = Vec::<f64>::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).unwrap();
            all.into_iter().map(f64::to_bits).collect()
        }
        StateValue::Map(map) => values(map),
        _ => Vec::new(),
    };
    state.0.values().flat_map(of).collect()
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
    let clipped = |clip| Case { clip: Some(clip), ..case(Sgd::new(0.05)) };
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
        ("sgd_clip_one_norm", clipped(Clip::Norms { max: 4.0, p: 1.0, of: ClipTogether::All })),
        ("sgd_clip_largest", clipped(Clip::Norms { max: 0.5, p: f64::INFINITY, of: ClipTogether::Optimizer })),
        ("sgd_clip_parameters", clipped(Clip::Norms { max: 1.0, p: 2.0, of: ClipTogether::Parameter })),
        ("sgd_clip_adaptive", clipped(Clip::Adaptive { factor: 0.1, eps: 1e-3 })),
        ("sgd_clip_value", Case { clip: Some(Clip::Value(0.5)), ..case(Sgd::new(0.05)) }),
    ])
}

/// Those that are written with operations on lists, and Adagrad.
fn further_cases() -> BTreeMap<&'static str, Case> {
    let late = |late, case| Case { late, ..case };
    let adamw = GroupRule { set: BTreeMap::from([("adamw".to_owned(), 1.0)]), ..GroupRule::new("fc2.weight") };
    BTreeMap::from([
        ("rmsprop", case(RmsProp::new(0.01))),
        ("rmsprop_centered", case(RmsProp { alpha: 0.9, centered: true, weight_decay: 0.1, ..RmsProp::new(0.01) })),
        ("rmsprop_momentum", case(RmsProp { eps: 1e-6, momentum: 0.9, centered: true, ..RmsProp::new(0.01) })),
        ("rmsprop_late", late(&["fc2.bias"], case(RmsProp { maximize: true, ..RmsProp::new(0.01) }))),
        ("adagrad", case(Adagrad::new(0.1))),
        (
            "adagrad_decay",
            case(Adagrad { lr_decay: 0.01, weight_decay: 0.1, initial_sum: 0.2, eps: 1e-8, ..Adagrad::new(0.1) }),
        ),
        (
            "adagrad_groups",
            late(
                &["fc1.bias"],
                case(Adagrad { weight_decay: 0.1, maximize: true, groups: by_pattern(), ..Adagrad::new(0.1) }),
            ),
        ),
        ("adadelta", case(Adadelta::new(1.0))),
        ("adadelta_decay", case(Adadelta { rho: 0.8, eps: 1e-5, weight_decay: 0.1, ..Adadelta::new(0.5) })),
        ("adamax", case(Adamax::new(0.01))),
        (
            "adamax_decay",
            late(&["fc2.weight"], case(Adamax { betas: (0.8, 0.95), weight_decay: 0.1, ..Adamax::new(0.01) })),
        ),
        ("nadam", case(NAdam::new(0.01))),
        (
            "nadam_decay",
            late(&["fc2.weight"], case(NAdam { weight_decay: 0.1, momentum_decay: 0.01, ..NAdam::new(0.01) })),
        ),
        ("nadam_decoupled", case(NAdam { weight_decay: 0.1, decoupled: true, ..NAdam::new(0.01) })),
        ("radam", case(RAdam::new(0.01))),
        (
            "radam_decay",
            late(&["fc2.weight"], case(RAdam { betas: (0.8, 0.95), weight_decay: 0.1, ..RAdam::new(0.01) })),
        ),
        ("radam_decoupled", case(RAdam { weight_decay: 0.1, decoupled: true, ..RAdam::new(0.01) })),
        ("rprop", case(Rprop::new(0.01))),
        ("rprop_etas", case(Rprop { etas: (0.7, 1.1), step_sizes: (1e-3, 0.05), maximize: true, ..Rprop::new(0.01) })),
        ("lion", case(Lion::new(0.001))),
        ("lion_decay", late(&["fc2.bias"], case(Lion { betas: (0.95, 0.98), weight_decay: 0.5, ..Lion::new(0.001) }))),
        ("lamb", case(Lamb::new(0.01))),
        ("lamb_no_decay", late(&["fc2.bias"], case(Lamb { weight_decay: 0.0, ..Lamb::new(0.01) }))),
        ("lamb_always", case(Lamb { weight_decay: 0.0, always_adapt: true, ..Lamb::new(0.01) })),
        ("lars", case(Lars { weight_decay: 0.1, ..Lars::new(0.5) })),
        ("lars_nesterov", late(&["fc1.bias"], case(Lars { weight_decay: 0.1, nesterov: true, ..Lars::new(0.5) }))),
        ("lars_no_decay", case(Lars::new(0.01))),
        ("adafactor", case(Adafactor::new(0.01))),
        (
            "adafactor_decay",
            late(
                &["fc2.weight"],
                case(Adafactor {
                    beta2_decay: -0.5,
                    eps: Some(1e-5),
                    scale_eps: 1e-2,
                    clip: 1.05,
                    weight_decay: 0.1,
                    ..Adafactor::new(0.05)
                }),
            ),
        ),
        ("muon", case(Muon::new(0.02))),
        (
            "muon_match",
            case(Muon {
                adjust: MuonRate::MatchAdamW,
                nesterov: false,
                momentum: 0.9,
                weight_decay: 0.0,
                ..Muon::new(0.02)
            }),
        ),
        ("muon_adamw", late(&["fc2.weight", "fc2.bias"], case(Muon { groups: vec![adamw], ..Muon::new(0.02) }))),
    ])
}

fn all_cases() -> BTreeMap<&'static str, Case> {
    cases().into_iter().chain(further_cases()).collect()
}

#[test]
fn fifty_updates_end_where_those_of_pytorch_end() {
    let expected: BTreeMap<String, Expected> = serde_json::from_str(include_str!("fixtures/optim.json")).unwrap();
    let cases = all_cases();
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
                    (ours, theirs) => assert_eq!(ours, theirs.filter(|_| !matches!(clip, Clip::Value(_))), "{name}"),
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
    for (name, case) in all_cases() {
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
fn an_update_that_must_not_happen_changes_nothing_and_a_scaled_one_is_that_of_the_true_gradient() {
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let state = |optim: &Optim| values(&optim.save_state());
    for (name, case) in all_cases().into_iter().filter(|(_, case)| case.clip.is_none()) {
        let (left, right) = (parameters(), parameters());
        let optim = |parameters: &[(String, Tensor)]| Optim::new("opt", &*case.recipe, handles(parameters)).unwrap();
        let (mut plain, mut scaled) = (optim(&left), optim(&right));
        let scale = Tensor::from(8.0f32);
        for k in 0..6 {
            plain.zero_grad().unwrap();
            backward(&left, k, &[]);
            plain.step().unwrap();
            // an update between two that happen, the first of all too, whose gradient is not finite
            for found in [1.0f32, 0.0] {
                scaled.zero_grad().unwrap();
                backward(&right, k, &[]);
                scaled.scale_grads(if found == 1.0 { f64::INFINITY } else { 8.0 }).unwrap();
                let before = (bits(flat(&right)), state(&scaled));
                let found_inf = Tensor::from(found);
                let scaling = Scaling { grad_scale: Some(&scale), found_inf: Some(&found_inf), rate: None };
                scaled.step_scaled(scaling).unwrap();
                // SGD and Adam make their state in an update that does not happen: zeros
                if found == 1.0 {
                    assert_eq!(before.0, bits(flat(&right)), "{name}");
                    assert!(k == 0 || before.1 == state(&scaled), "{name}");
                }
            }
        }
        assert_eq!(bits(flat(&left)), bits(flat(&right)), "{name}");
    }
}

#[test]
fn a_group_can_have_other_values_of_every_setting() {
    let rule =
        |name: &str, value| GroupRule { set: BTreeMap::from([(name.to_owned(), value)]), ..GroupRule::new("*.bias") };
    let settings = |rule| {
        let optim = Optim::new("opt", &AdamW { groups: vec![rule], ..AdamW::new(0.1) }, parameters());
        optim.map(|optim| (optim.groups()[0].settings().clone(), optim.groups()[1].settings().clone()))
    };
    for (name, value) in [("beta1", 0.5), ("momentum", 0.5), ("beta2", 0.9), ("eps", 1e-3), ("lr", 0.2)] {
        let (biases, rest) = settings(rule(name, value)).unwrap();
        assert_eq!((biases.get(name), biases.initial(name)), (Some(value), Some(value)), "{name}");
        assert_ne!(rest.get(name), Some(value), "{name}");
    }
    let refused = |rule| settings(rule).unwrap_err().to_string();
    assert_eq!(refused(rule("beta2", 1.0)), "`set.beta2` of `*.bias` must be at least 0 and below 1, got 1");
    assert_eq!(refused(rule("betta2", 0.9)), "there is no setting `betta2`, did you mean `beta2`?");
    let twice = refused(GroupRule { lr_mult: Some(2.0), ..rule("lr", 0.1) });
    assert_eq!(twice, "`*.bias`: `lr` is in `set` and beside it; keep one");
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
fn each_optimizer_and_each_group_can_be_clipped_by_itself() {
    let parameters = parameters();
    let norm_of = |names: &[&str]| {
        let mine = parameters.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let squares = mine.map(|(_, p)| f64::try_from(p.grad().square().sum(Kind::Double)).unwrap());
        squares.sum::<f64>().sqrt()
    };
    let (first, second) = parameters.split_at(2);
    for (of, parts) in [
        (ClipTogether::Optimizer, vec![vec!["fc1.weight", "fc1.bias"], vec!["fc2.weight", "fc2.bias"]]),
        (ClipTogether::Group, vec![vec!["fc1.weight"], vec!["fc1.bias"], vec!["fc2.weight", "fc2.bias"]]),
    ] {
        let biases = Sgd { groups: vec![GroupRule::new("*.bias")], ..Sgd::new(0.1) };
        let mut optims = [
            Optim::new("generator", &biases, handles(first)).unwrap(),
            Optim::new("critic", &Sgd::new(0.1), handles(second)).unwrap(),
        ];
        optims.iter_mut().for_each(|optim| optim.zero_grad().unwrap());
        backward(&parameters, 0, &[]);
        let before = norm_of(&["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
        let norm = clip_gradients(&mut optims, &Clip::Norms { max: 0.1, p: 2.0, of }).unwrap().unwrap();
        assert!((norm.read().unwrap() - before).abs() < 1e-5, "{of:?}");
        for part in parts {
            assert!((norm_of(&part) - 0.1).abs() < 1e-5, "{of:?} {part:?}");
        }
    }
    let wrong = Clip::Norms { max: 1.0, p: 0.0, of: ClipTogether::All }.check().unwrap_err().to_string();
    assert_eq!(wrong, "`Norms.p` of `clip` must be above 0, got 0");
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
