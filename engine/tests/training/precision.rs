//! Mixed precision, scaled losses and 16 bits throughout, on the CPU.

use crate::support::{ByEpoch, ByIter, Full, Setup, Shape, Toyed as _, every};
use engine::base::{Clock, Output};
use engine::optim::Precision;
use engine::optim::update::Half;
use engine::phase::Phase;
use engine::record::RowPhase;
use tch::{Kind, Tensor};

fn with_precision<S: Shape>(setup: &Setup, precision: Precision) -> Full<S> {
    Setup { precision, ..setup.clone() }.full::<S>()
}

/// The kinds of logits and loss in each step of training and validation.
fn kinds(precision: Precision) -> Vec<(Phase, Kind, Kind)> {
    let setup = Setup { val: Some(every(1, Clock::Epoch)), ..Setup::epochs(1) };
    let mut driver = with_precision::<ByEpoch>(&setup, precision);
    let seen = driver.watch(|phase, cx| {
        if !matches!(phase, Phase::AfterForward | Phase::AfterValIter) {
            return None;
        }
        let output = cx.output().unwrap();
        Some((phase, output.get("logits").unwrap().kind(), output.loss().unwrap().kind()))
    });
    driver.train_all().unwrap();
    let weights = driver.run.models.get("net").unwrap();
    assert!(weights.variables().iter().all(|(_, tensor)| tensor.kind() == Kind::Float));
    let mut kinds = seen.take();
    kinds.dedup();
    kinds
}

#[test]
fn steps_of_training_and_validation_compute_in_the_lower_kind_and_losses_in_float() {
    for (precision, kind) in [
        (Precision::F32, Kind::Float),
        (Precision::Tf32, Kind::Float),
        (Precision::Bf16, Kind::BFloat16),
        (Precision::Mixed(Half::F16), Kind::Half),
    ] {
        let expected = [(Phase::AfterForward, kind, Kind::Float), (Phase::AfterValIter, kind, Kind::Float)];
        assert_eq!(kinds(precision), expected, "{precision:?}");
    }
}

#[test]
fn autocast_is_off_in_hooks_and_after_a_step_that_has_failed() {
    let x = || Tensor::ones([2, 2], (Kind::Float, tch::Device::Cpu));
    let mut driver = with_precision::<ByIter>(&Setup::iters(2), Precision::Bf16);
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| {
        assert_eq!(x().matmul(&x()).kind(), Kind::BFloat16);
        assert_eq!(cx.full_precision(|| x().matmul(&x()).kind())?, Kind::Float);
        match cx.iter().get() {
            0 => Ok(output),
            _ => panic!("on purpose"),
        }
    }));
    driver.on(move |_, _| {
        assert_eq!(x().matmul(&x()).kind(), Kind::Float);
        Ok(())
    });
    assert!(driver.train_all().is_err());
    assert_eq!(x().matmul(&x()).kind(), Kind::Float);
}

/// A training with a scaled loss, whose loss is infinite in these iters.
fn scaled(setup: &Setup, infinite: &'static [u64]) -> Full<ByIter> {
    let mut driver = with_precision::<ByIter>(setup, Precision::F16);
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| match infinite.contains(&cx.iter().get()) {
        true => Ok((output.loss()? * f64::INFINITY).into()),
        false => Ok(output),
    }));
    driver
}

#[test]
fn an_update_with_an_infinite_gradient_is_left_out_and_halves_the_scale() {
    let setup = Setup { logger: "(interval: 1)", adam: true, ..Setup::iters(4) };
    let mut driver = scaled(&setup, &[1, 2]);
    let weights = driver.watch_at(Phase::AfterTrainIter, |cx| {
        let model = cx.models().get("net").unwrap();
        model.variables().iter().map(|(_, tensor)| tensor.abs().sum(Kind::Double).double_value(&[])).sum::<f64>()
    });
    let (rows, _) = driver.keep_rows();
    driver.train_all().unwrap();
    let weights = weights.take();
    assert!(weights[0] == weights[1] && weights[1] == weights[2] && weights[2] != weights[3], "{weights:?}");
    let rows = rows.lock().unwrap();
    let column = |name: &str| -> Vec<f64> {
        let rows = rows.iter().filter(|row| row.phase == RowPhase::Train);
        rows.map(|row| row.values.iter().find(|(known, _)| known == name).unwrap().1).collect()
    };
    assert_eq!(column("loss_scale"), [65536.0, 32768.0, 16384.0, 16384.0]);
    assert_eq!(column("skipped_updates"), [0.0, 1.0, 2.0, 2.0]);
    assert!(column("loss")[0] < 10.0, "the loss of a row is not scaled");
}

#[test]
fn hooks_see_the_gradient_without_the_scale() {
    let norm = |precision| {
        let mut driver = with_precision::<ByIter>(&Setup::iters(1), precision);
        let norms = driver.watch_at(Phase::BeforeOptimizerStep, |cx| cx.grad_norm().unwrap().read().unwrap());
        driver.train_all().unwrap();
        norms.take()[0]
    };
    let (full, half) = (norm(Precision::F32), norm(Precision::F16));
    assert!((half / full - 1.0).abs() < 5e-3, "{half} and {full}");
}

#[test]
fn a_scaled_loss_of_several_batches_gives_the_mean_gradient() {
    let mut setup = Setup::iters(3);
    setup.train.accumulate = 3;
    let weights = |precision| {
        let mut driver = with_precision::<ByIter>(&setup, precision);
        driver.train_all().unwrap();
        driver.weights()
    };
    let (full, half) = (weights(Precision::F32), weights(Precision::F16));
    for ((name, full), (_, half)) in full.iter().zip(&half) {
        for (full, half) in full.iter().zip(half) {
            assert!((full - half).abs() < 1e-3, "{name}: {full} and {half}");
        }
    }
}

#[test]
fn going_backward_by_hand_is_scaled_alike() {
    let run = |by_hand: bool| {
        let mut driver = with_precision::<ByIter>(&Setup::iters(3), Precision::F16);
        if by_hand {
            driver.toy().on_train = Some(Box::new(|output: Output, cx| {
                cx.backward(output.loss()?)?;
                Ok(Output::without_loss())
            }));
        }
        driver.train_all().unwrap();
        driver.weights()
    };
    assert_eq!(run(true), run(false));
}
