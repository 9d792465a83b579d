//! One update: its gradient, what becomes of a loss that is no number, and skipped updates.

use crate::support::{ByEpoch, Plain, Setup, Shape, Toyed as _};
use engine::base::{Error, Output};
use engine::loops::End;
use engine::optim::Clip;
use engine::phase::Phase;
use tch::{Kind, Tensor};

/// A learning rate that moves no weight, so that every update sees the same ones.
const STILL: f64 = 1e-30;

/// The gradients of every update, as the optimizer finds them.
fn gradients<S: Shape>(setup: &Setup) -> Vec<Vec<f32>> {
    let mut driver: Plain<S> = setup.plain();
    let seen = driver.watch_at(Phase::BeforeOptimizerStep, |cx| {
        let model = cx.models().get("net").unwrap();
        let all: Vec<Tensor> = model.parameters().map(|(_, tensor)| tensor.grad().reshape([-1])).collect();
        Vec::<f32>::try_from(Tensor::cat(&all, 0)).unwrap()
    });
    driver.train_all().unwrap();
    seen.take()
}

fn assert_near(left: &[f32], right: &[f32]) {
    assert_eq!(left.len(), right.len());
    for (a, b) in left.iter().zip(right) {
        assert!((a - b).abs() < 1e-6, "{a} and {b}");
    }
}

#[test]
fn an_accumulated_gradient_is_that_of_one_big_batch() {
    let small = Setup { samples: 12, lr: STILL, ..Setup::epochs(1) };
    let mut accumulated = small.clone();
    accumulated.train.accumulate = 3;
    let big = Setup { batch_size: 6, ..small };
    let (accumulated, big) = (gradients::<ByEpoch>(&accumulated), gradients::<ByEpoch>(&big));
    assert_eq!(accumulated.len(), 2);
    accumulated.iter().zip(&big).for_each(|(a, b)| assert_near(a, b));
    assert!(big[0].iter().any(|gradient| gradient.abs() > 1e-3));
}

#[test]
fn the_tail_of_an_epoch_is_averaged_over_its_own_batches() {
    // five batches: an update of three, and one of two
    let mut setup = Setup { samples: 10, lr: STILL, ..Setup::epochs(1) };
    setup.train.accumulate = 3;
    let accumulated = gradients::<ByEpoch>(&setup);
    let single = gradients::<ByEpoch>(&Setup { samples: 10, lr: STILL, ..Setup::epochs(1) });
    let mean = |batches: &[Vec<f32>]| -> Vec<f32> {
        (0..batches[0].len()).map(|at| batches.iter().map(|b| b[at]).sum::<f32>() / batches.len() as f32).collect()
    };
    assert_eq!(accumulated.len(), 2);
    assert_near(&accumulated[0], &mean(&single[..3]));
    assert_near(&accumulated[1], &mean(&single[3..]));
}

#[test]
fn a_single_batch_is_not_scaled_at_all() {
    let mut setup = Setup { samples: 2, lr: STILL, ..Setup::epochs(1) };
    let plain = gradients::<ByEpoch>(&setup);
    setup.train.accumulate = 4;
    assert_eq!(plain, gradients::<ByEpoch>(&setup));
}

#[test]
fn gradients_are_clipped_together_and_their_norm_is_recorded() {
    let mut setup = Setup::epochs(1);
    setup.lr = 1.0;
    setup.train.clip = Some(Clip::Norm(1e-3));
    let mut driver = setup.full::<ByEpoch>();
    let (rows, _) = driver.keep_rows();
    let [before, after] = [Phase::BeforeOptimizerStep, Phase::AfterOptimizerStep]
        .map(|phase| driver.watch_at(phase, |cx| cx.model("net").unwrap().copied()));
    driver.train_all().unwrap();
    let (before, after) = (before.take(), after.take());
    assert_eq!((before.len(), after.len()), (3, 3));
    for (before, after) in before.iter().zip(&after) {
        let squares = after.iter().zip(before).map(|((_, a), (_, b))| (a - b).square().sum(Kind::Double));
        let moved = squares.map(|square| f64::try_from(square).unwrap()).sum::<f64>().sqrt();
        assert!((moved - 1e-3).abs() < 1e-5, "{moved}");
    }
    let rows = rows.lock().unwrap();
    let norm = rows[0].values.iter().find(|(name, _)| name == "grad_norm").unwrap().1;
    assert!(norm > 1e-2, "the norm before clipping, {norm}");
}

/// What a training with this loss ends with.
fn with_loss(change: impl FnMut(Tensor) -> Tensor + 'static) -> Result<End, Error> {
    let mut change = change;
    let mut driver = Setup::default().full::<ByEpoch>();
    driver.toy().on_train = Some(Box::new(move |output: Output, _| Ok(change(output.loss()?.shallow_clone()).into())));
    driver.train_all()
}

#[test]
fn a_loss_of_several_numbers_is_refused_with_its_shape() {
    let error = with_loss(|loss| Tensor::stack(&[&loss, &loss], 0)).unwrap_err().to_string();
    assert!(error.contains("has shape [2], it must be one number"), "{error}");
    let error = with_loss(|loss| loss.reshape([1]).slice(0, 0, 0, 1)).unwrap_err().to_string();
    assert!(error.contains("has shape [0]"), "{error}");
    assert_eq!(with_loss(|loss| loss.reshape([1, 1])).unwrap(), End::Finished);
}

#[test]
fn a_loss_without_a_gradient_is_refused_with_the_likely_reasons() {
    let error = with_loss(|loss| loss.detach()).unwrap_err().to_string();
    assert!(error.contains("has no gradient") && error.contains("was detached"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_is_warned_of_in_its_row_and_never_read_before() {
    let mut driver = Setup { logger: "(interval: 2)", ..Setup::epochs(2) }.full::<ByEpoch>();
    let (rows, lines) = driver.keep_rows();
    driver.toy().on_train = Some(Box::new(|output: Output, cx| {
        Ok(match cx.iter().get() {
            0..2 => output,
            _ => (output.loss()? * f64::NAN).into(),
        })
    }));
    let reads = driver.watch_at(Phase::BeforeTrainIter, |cx| cx.record().device_reads());
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    // rows at 2, at 3 (the end of an epoch), 4 and 6
    assert_eq!(reads.take(), [0, 0, 1, 2, 3, 3]);
    let rows = rows.lock().unwrap();
    let losses: Vec<bool> =
        rows.iter().filter_map(|row| row.values.iter().find(|(n, _)| n == "loss")).map(|(_, v)| v.is_nan()).collect();
    assert!(losses.starts_with(&[false, true]) && losses.ends_with(&[true]), "{losses:?}");
    let lines = lines.lock().unwrap();
    let warnings: Vec<&String> = lines.iter().filter(|line| line.starts_with("warning: the loss is NaN")).collect();
    assert_eq!(warnings.len(), 1, "{lines:?}");
    assert!(warnings[0].contains("iter 3"), "{warnings:?}");
}

#[test]
fn a_skipped_update_changes_no_weight_is_counted_and_told() {
    let mut setup = Setup::epochs(1);
    setup.adam = true;
    let mut driver = setup.plain::<ByEpoch>();
    let (_, lines) = driver.keep_rows();
    let before = driver.weights();
    let told = driver.watch_at(Phase::AfterOptimizerStep, |cx| cx.is_update_skipped().known() == Some(true));
    driver.on(|phase, cx| {
        match phase {
            Phase::AfterBackward if cx.iter().get() < 2 => cx.skip_update("the gradient explodes"),
            Phase::AfterTrainIter if cx.iter().get() == 2 => cx.stop("seen enough"),
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert_eq!(driver.weights(), before);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.updates.skipped().unwrap().read().unwrap()), (2, 2.0));
    assert_eq!(told.take(), [true, true]);
    let lines = lines.lock().unwrap();
    assert_eq!(*lines, ["update 1 skipped: the gradient explodes", "update 2 skipped: the gradient explodes"]);
}

#[test]
fn a_skipped_gradient_does_not_leak_into_the_next_update() {
    let run = |skip: bool| {
        let mut driver = Setup { lr: STILL, ..Setup::epochs(1) }.plain::<ByEpoch>();
        driver.at(Phase::AfterTrainBatch, move |cx| {
            if skip && cx.iter().get() == 0 {
                cx.skip_update("to see");
            }
        });
        let seen = driver.watch_at(Phase::BeforeOptimizerStep, |cx| {
            cx.optimizer("opt").unwrap().grad_norm().unwrap().read().unwrap()
        });
        driver.train_all().unwrap();
        seen.take()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_skip_asked_for_after_the_update_is_that_of_the_next_one() {
    let mut driver = Setup::epochs(1).plain::<ByEpoch>();
    driver.at(Phase::AfterOptimizerStep, |cx| {
        if cx.iter().get() == 0 {
            cx.skip_update("later");
        }
    });
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    assert_eq!(*lines.lock().unwrap(), ["update 2 skipped: later"]);
}
