//! L-BFGS against the numbers of PyTorch 2.11.0 (`fixtures/lbfgs.py`), and as the optimizer of a training.

use crate::support::{ByEpoch, ByIter, Plain, Setup, Toyed as _};
use engine::base::{Output, Result, State as _};
use engine::optim::{Clip, Lbfgs, LineSearch, NonFinite, Optim, Optimizer, Precision, Sgd};
use engine::phase::Phase;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

const SHAPES: [(&str, &[i64]); 4] =
    [("first.weight", &[5, 4]), ("first.bias", &[5]), ("second.weight", &[3, 5]), ("second.bias", &[3])];

/// The net of the fixtures.
struct Net {
    parameters: Vec<(String, Tensor)>,
    points: Tensor,
    classes: Tensor,
}

impl Net {
    fn new(kind: Kind) -> Net {
        let filled = |shape: &[i64], formula: &dyn Fn(f64) -> f64| {
            let flat: Vec<f64> = (0..shape.iter().product()).map(|i: i64| formula(i as f64)).collect();
            Tensor::from_slice(&flat).to_kind(kind).reshape(shape)
        };
        let parameters = SHAPES.iter().enumerate().map(|(j, (name, shape))| {
            let tensor = filled(shape, &|i| 0.5 * (1.0 + j as f64 + 0.7 * i).sin());
            ((*name).to_owned(), tensor.set_requires_grad(true))
        });
        Net {
            parameters: parameters.collect(),
            points: filled(&[12, 4], &|i| (0.4 * i).cos() + (0.03 * i * i).sin()),
            classes: Tensor::arange(12, (Kind::Int64, Device::Cpu)).remainder(3),
        }
    }

    /// Its parameters now, in a net of their own.
    fn copy(&self) -> Net {
        let copied = |(name, p): &(String, Tensor)| (name.clone(), p.detach().copy().set_requires_grad(true));
        let (points, classes) = (self.points.shallow_clone(), self.classes.shallow_clone());
        Net { parameters: self.parameters.iter().map(copied).collect(), points, classes }
    }

    fn optim(&self, recipe: &dyn Optimizer) -> Optim {
        let handles = self.parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        Optim::new("opt", recipe, handles.collect()).unwrap()
    }

    /// The loss and its gradient.
    fn evaluate(&self) -> Result<f64> {
        let [first, first_bias, second, second_bias] = [0, 1, 2, 3].map(|index| &self.parameters[index].1);
        self.parameters.iter().for_each(|(_, tensor)| tensor.shallow_clone().zero_grad());
        let hidden = (self.points.matmul(&first.tr()) + first_bias).tanh();
        // `cross_entropy_for_logits` computes in single precision
        let logits = hidden.matmul(&second.tr()) + second_bias;
        let loss = logits.log_softmax(-1, logits.kind()).nll_loss(&self.classes);
        let decay: Tensor = self.parameters.iter().map(|(_, tensor)| tensor.square().sum(tensor.kind())).sum();
        let loss = loss + decay * 0.01;
        loss.backward();
        Ok(f64::try_from(loss)?)
    }

    fn flat(&self) -> Vec<f64> {
        let of = |tensor: &Tensor| Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).flatten(0, -1)).unwrap();
        self.parameters.iter().flat_map(|(_, tensor)| of(tensor)).collect()
    }
}

#[derive(Deserialize)]
struct Update {
    loss: f64,
    computed: u64,
    parameters: Vec<f64>,
}

fn cases() -> BTreeMap<&'static str, Lbfgs> {
    let wolfe = Lbfgs { line_search: Some(LineSearch::StrongWolfe), ..Lbfgs::new(1.0) };
    BTreeMap::from([
        ("plain", Lbfgs::new(0.5)),
        ("plain_short", Lbfgs { max_iter: 4, history: 2, ..Lbfgs::new(0.3) }),
        ("plain_to_the_end", Lbfgs { max_iter: 200, tolerance_change: 1e-12, ..Lbfgs::new(1.0) }),
        ("wolfe", Lbfgs { max_iter: 6, ..wolfe.clone() }),
        ("wolfe_short", Lbfgs { max_iter: 10, max_eval: Some(7), history: 3, ..wolfe.clone() }),
        ("wolfe_far", Lbfgs { lr: 40.0, max_iter: 5, ..wolfe.clone() }),
        ("wolfe_near", Lbfgs { lr: 1e-3, max_iter: 5, ..wolfe.clone() }),
        ("wolfe_one_eval", Lbfgs { max_iter: 3, max_eval: Some(1), ..wolfe.clone() }),
        ("wolfe_to_the_end", Lbfgs { max_iter: 200, tolerance_grad: 1e-5, ..wolfe.clone() }),
        ("wolfe_float", Lbfgs { max_iter: 6, ..wolfe }),
        ("plain_float", Lbfgs { max_iter: 5, ..Lbfgs::new(0.3) }),
    ])
}

#[test]
fn updates_end_where_those_of_pytorch_end_after_as_many_computations() {
    let expected: BTreeMap<String, Vec<Update>> = serde_json::from_str(include_str!("fixtures/lbfgs.json")).unwrap();
    assert!(expected.keys().map(String::as_str).eq(cases().into_keys()), "fixtures and cases differ");
    for (name, recipe) in cases() {
        let (kind, bound) = if name.ends_with("_float") { (Kind::Float, 2e-5) } else { (Kind::Double, 1e-9) };
        let net = Net::new(kind);
        let (mut optim, mut computed) = (net.optim(&recipe), 0);
        for (index, update) in expected[name].iter().enumerate() {
            let mut first = None;
            let evaluate = &mut || {
                computed += 1;
                let loss = net.evaluate()?;
                first.get_or_insert(loss);
                Ok(loss)
            };
            optim.minimize(evaluate).unwrap();
            let of = format!("{name}, update {}", index + 1);
            assert_eq!(computed, update.computed, "{of}");
            assert!((first.unwrap() - update.loss).abs() < bound, "{of}: {first:?}, expected {}", update.loss);
            let pairs = net.flat().into_iter().zip(&update.parameters);
            let furthest = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max);
            assert!(furthest < bound, "{of}: {furthest} away");
        }
    }
}

#[test]
fn a_restored_memory_goes_on_to_the_bit() {
    for (name, recipe) in cases() {
        let net = Net::new(Kind::Double);
        let mut optim = net.optim(&recipe);
        for _ in 0..2 {
            optim.minimize(&mut || net.evaluate()).unwrap();
        }
        let (copy, saved) = (net.copy(), optim.save_state());
        let mut again = copy.optim(&recipe);
        again.load_state(saved).unwrap();
        for _ in 0..2 {
            optim.minimize(&mut || net.evaluate()).unwrap();
            again.minimize(&mut || copy.evaluate()).unwrap();
        }
        let bits = |net: &Net| net.flat().into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(&net), bits(&copy), "{name}");
    }
}

#[test]
fn a_memory_of_other_parameters_is_refused_with_the_one_that_is_gone() {
    let net = Net::new(Kind::Double);
    let mut optim = net.optim(&Lbfgs::new(1.0));
    optim.minimize(&mut || net.evaluate()).unwrap();
    let mut other = net.copy();
    other.parameters[1].0 = "first.offset".to_owned();
    let refused = other.optim(&Lbfgs::new(1.0)).load_state(optim.save_state()).unwrap_err();
    assert!(refused.to_string().contains("first."), "{refused}");
    // the same names in another order
    let mut turned = net.copy();
    turned.parameters.reverse();
    let refused = turned.optim(&Lbfgs::new(1.0)).load_state(optim.save_state()).unwrap_err().to_string();
    assert!(refused.contains("in another order"), "{refused}");
}

#[test]
fn a_point_whose_loss_is_no_number_is_too_far() {
    let at = Tensor::from(1.0f64).set_requires_grad(true);
    let recipe = Lbfgs { line_search: Some(LineSearch::StrongWolfe), ..Lbfgs::new(100.0) };
    let mut optim = Optim::new("opt", &recipe, vec![("at".to_owned(), at.shallow_clone())]).unwrap();
    let mut evaluate = || {
        at.shallow_clone().zero_grad();
        // lowest at 0.5; no number at and below 0
        let loss = &at * 2.0 - at.log();
        loss.backward();
        Ok(f64::try_from(loss)?)
    };
    optim.minimize(&mut evaluate).unwrap();
    assert!((at.double_value(&[]) - 0.5).abs() < 1e-6, "{at:?}");
}

#[test]
fn it_steps_neither_by_a_gradient_alone_nor_over_two_kinds() {
    let net = Net::new(Kind::Double);
    let error = net.optim(&Lbfgs::new(1.0)).step().unwrap_err();
    assert!(format!("{error:?}").contains("Optim::minimize"), "{error:?}");
    let error = net.optim(&Sgd::new(0.1)).minimize(&mut || Ok(0.0)).unwrap_err().to_string();
    assert!(error.contains("call `Optim::step`"), "{error}");
    let mut mixed = net.copy();
    mixed.parameters[2].1 = mixed.parameters[2].1.detach().to_kind(Kind::Float).set_requires_grad(true);
    let handles = mixed.parameters.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    let error = Optim::new("opt", &Lbfgs::new(1.0), handles).unwrap_err().to_string();
    assert!(error.contains("`first.weight` is Double on Cpu, `second.weight` is Float on Cpu"), "{error}");
}

/// One update of all six samples.
fn whole(recipe: Lbfgs) -> Setup {
    Setup { lbfgs: Some(recipe), batch_size: 6, ..Setup::epochs(3) }
}

fn wolfe() -> Lbfgs {
    Lbfgs { line_search: Some(LineSearch::StrongWolfe), max_iter: 5, ..Lbfgs::new(1.0) }
}

#[test]
fn batches_of_one_update_are_one_function() {
    let in_one = |batch_size, accumulate| {
        let mut setup = Setup { batch_size, ..whole(wolfe()) };
        setup.train.accumulate = accumulate;
        let mut driver = setup.plain::<ByEpoch>();
        driver.train_all().unwrap();
        driver.weights()
    };
    let (whole, parts) = (in_one(6, 1), in_one(4, 2));
    for ((name, one), (_, other)) in whole.iter().zip(&parts) {
        let furthest = one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest < 2e-3, "{name}: {furthest}");
    }
    assert_ne!(whole, Setup { batch_size: 6, ..Setup::epochs(3) }.plain::<ByEpoch>().weights());
}

#[test]
fn hooks_clocks_and_rows_see_the_first_point_alone() {
    let setup = Setup { logger: "(interval: 1)", ..whole(wolfe()) };
    let mut driver = setup.full::<ByEpoch>();
    let losses = Rc::new(RefCell::new(Vec::new()));
    let kept = losses.clone();
    driver.toy().on_train = Some(Box::new(move |output, cx| {
        let loss = f64::try_from(output.loss()?)?;
        let is_first = kept.borrow().iter().all(|(iter, _)| *iter != cx.iter().get());
        kept.borrow_mut().push((cx.iter().get(), loss));
        cx.log("own", loss);
        if !is_first {
            cx.skip_update("at a point that is only tried");
        }
        Ok(output)
    }));
    let phases = driver.record_phases();
    let (rows, _) = driver.keep_rows();
    driver.train_all().unwrap();
    for phase in [Phase::BeforeTrainBatch, Phase::AfterForward, Phase::AfterBackward, Phase::AfterOptimizerStep] {
        assert_eq!(phases.count(phase), 3, "{phase:?}");
    }
    assert_eq!(driver.run.clocks().iter().get(), 3);
    assert_eq!(driver.run.updates.skipped().unwrap().read().unwrap(), 0.0);
    let losses = losses.borrow();
    assert!(losses.len() > 9, "{losses:?}");
    let firsts: Vec<f64> =
        (0..3).map(|iter| losses.iter().find(|(at, _)| *at == iter).map(|(_, loss)| *loss).unwrap()).collect();
    assert!(firsts.windows(2).all(|pair| pair[1] < pair[0]), "{firsts:?}");
    for name in ["loss", "own"] {
        let rows = rows.lock().unwrap();
        let shown = rows.iter().filter_map(|row| row.values.iter().find(|(key, _)| key == name));
        assert_eq!(shown.map(|(_, value)| *value).collect::<Vec<_>>(), firsts, "{name}");
    }
}

#[test]
fn a_gradient_that_is_not_finite_leaves_the_update_out() {
    let mut setup = whole(wolfe());
    setup.train.non_finite = NonFinite::Skip;
    let run = |poisoned: Option<u64>| {
        let mut driver: Plain<ByEpoch> = setup.plain();
        driver.toy().on_train = Some(Box::new(move |output, cx| match Some(cx.iter().get()) == poisoned {
            true => Ok((output.loss()? * f64::NAN).into()),
            false => Ok(output),
        }));
        driver.train_all().unwrap();
        (driver.weights(), driver.run.updates.skipped().unwrap().read().unwrap())
    };
    let (weights, skipped) = run(Some(0));
    assert_eq!(skipped, 1.0);
    assert!(weights.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())));
    assert_ne!(weights, run(None).0);
}

#[test]
fn what_it_does_not_go_with_is_refused_before_the_training() {
    let refused = |setup: &Setup| setup.plain::<ByIter>().train_all().unwrap_err().to_string();
    let setup = Setup { lbfgs: Some(wolfe()), ..Setup::iters(2) };
    let mut clipped = setup.clone();
    clipped.train.clip = Some(Clip::Norm(1.0));
    assert!(refused(&clipped).contains("remove `clip`"), "{}", refused(&clipped));
    let scaled = refused(&Setup { precision: Precision::F16, ..setup.clone() });
    assert!(scaled.contains("scaled loss"), "{scaled}");
    let mut driver = setup.plain::<ByIter>();
    driver.toy().on_train = Some(Box::new(|output, cx| {
        cx.backward(output.loss()?)?;
        Ok(Output::without_loss())
    }));
    let own = format!("{:#}", driver.train_all().unwrap_err());
    assert!(own.contains("has to return the loss"), "{own}");
}
