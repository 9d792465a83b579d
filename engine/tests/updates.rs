//! One update: what its gradient is, what it counts, and what becomes of a loss that is none.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use engine::base::{Error, Output};
use engine::loops::End;
use engine::optim::Clip;
use engine::phase::Phase;
use std::cell::RefCell;
use std::rc::Rc;
use support::{ByEpoch, ByIter, Plain, Setup, Shape, Toyed as _};
use tch::{Kind, Tensor};

/// A learning rate that moves no weight, so that every update sees the same ones.
const STILL: f64 = 1e-30;

/// The gradients of every update, as the optimizer finds them.
fn gradients<S: Shape>(setup: &Setup) -> Vec<Vec<f32>> {
    let mut driver: Plain<S> = setup.plain();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeOptimizerStep {
            let model = cx.models().get("net")?;
            let all: Vec<Tensor> = model.parameters().map(|(_, tensor)| tensor.grad().reshape([-1])).collect();
            kept.borrow_mut().push(Vec::<f32>::try_from(Tensor::cat(&all, 0)).unwrap());
        }
        Ok(())
    });
    driver.train_all().unwrap();
    drop(driver);
    Rc::try_unwrap(seen).unwrap().into_inner()
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
    let moved = Rc::new(RefCell::new(Vec::new()));
    let (kept, mut before) = (moved.clone(), Vec::new());
    driver.on(move |phase, cx| {
        match phase {
            Phase::BeforeOptimizerStep => before = cx.model("net")?.copied(),
            Phase::AfterOptimizerStep => {
                let now = cx.model("net")?.copied();
                let squares = now.iter().zip(&before).map(|((_, a), (_, b))| (a - b).square().sum(Kind::Double));
                kept.borrow_mut().push(squares.map(|s| f64::try_from(s).unwrap()).sum::<f64>().sqrt());
            }
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert!(moved.borrow().iter().all(|norm| (norm - 1e-3).abs() < 1e-5), "{moved:?}");
    let rows = rows.lock().unwrap();
    let norm = rows[0].values.iter().find(|(name, _)| name == "grad_norm").unwrap().1;
    assert!(norm > 1e-2, "the norm before clipping, {norm}");
}

/// (phase, epoch, iter, batch) at each of these phases.
fn clocks_at<S: Shape>(setup: &Setup, phases: &'static [Phase]) -> Vec<(&'static str, u64, u64, u64)> {
    let mut driver: Plain<S> = setup.plain();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if phases.contains(&phase) {
            let clocks = cx.clocks();
            kept.borrow_mut().push((phase.name(), clocks.epoch().get(), clocks.iter().get(), clocks.batch().get()));
        }
        Ok(())
    });
    driver.train_all().unwrap();
    drop(driver);
    Rc::try_unwrap(seen).unwrap().into_inner()
}

#[test]
fn an_after_phase_sees_its_clock_counted() {
    let mut setup = Setup::epochs(1);
    setup.train.accumulate = 2;
    let phases = &[Phase::AfterTrainBatch, Phase::AfterOptimizerStep, Phase::AfterTrainIter, Phase::AfterTrainEpoch];
    let expected = [
        ("after_train_batch", 0, 0, 1),
        ("after_train_batch", 0, 0, 2),
        ("after_optimizer_step", 0, 0, 2),
        ("after_train_iter", 0, 1, 2),
        ("after_train_batch", 0, 1, 3),
        ("after_optimizer_step", 0, 1, 3),
        ("after_train_iter", 0, 2, 3),
        ("after_train_epoch", 1, 2, 0),
    ];
    assert_eq!(clocks_at::<ByEpoch>(&setup, phases), expected);
}

#[test]
fn by_iter_counts_one_epoch_when_all_is_done() {
    let phases = &[Phase::BeforeTrainEpoch, Phase::AfterTrainIter, Phase::AfterTrainEpoch];
    let expected = [
        ("before_train_epoch", 0, 0, 0),
        ("after_train_iter", 0, 1, 1),
        ("after_train_iter", 0, 2, 2),
        ("after_train_epoch", 1, 2, 0),
    ];
    assert_eq!(clocks_at::<ByIter>(&Setup::iters(2), phases), expected);
}

#[test]
fn the_plan_is_known_before_the_first_iter() {
    let mut setup = Setup { samples: 10, ..Setup::epochs(3) };
    setup.train.accumulate = 2;
    let mut driver = setup.plain::<ByEpoch>();
    driver.prepare_train().unwrap();
    let clocks = driver.run.clocks();
    assert_eq!((clocks.max_epochs(), clocks.max_iters(), clocks.iters_per_epoch()), (Some(3), Some(9), 3));
}

#[test]
fn a_limit_of_iters_below_that_of_epochs_wins() {
    let mut setup = Setup::epochs(3);
    setup.train.max_iters = Some(4);
    let mut driver = setup.plain::<ByEpoch>();
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let clocks = driver.run.clocks();
    assert_eq!((clocks.epoch().get(), clocks.iter().get(), clocks.batch().get()), (1, 4, 1));
}

#[test]
fn a_limit_of_iters_alone_ends_a_training_by_epoch() {
    let mut setup = Setup::iters(4);
    setup.train.max_epochs = None;
    let mut driver = setup.plain::<ByEpoch>();
    driver.train_all().unwrap();
    assert_eq!(driver.run.clocks().iter().get(), 4);
}

#[test]
fn a_limit_of_the_command_line_stops_there_and_leaves_the_plan_as_it_is() {
    let dir = support::folder();
    let mut setup = Setup::epochs(3);
    setup.train.stop_after = Some(2);
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let reason = "the limit of 2 iters".to_owned();
    assert_eq!(driver.train_all().unwrap(), End::Stopped { reason: reason.clone() });
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().max_iters()), (2, Some(9)));
    drop(driver);
    // a run that is resumed at its limit does no iter more
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let end = driver.run(|driver| driver.restore(support::newest(dir.path())).and_then(|()| driver.train()));
    assert_eq!((end.unwrap(), driver.run.clocks().iter().get()), (End::Stopped { reason }, 2));
}

#[test]
fn a_training_without_an_end_is_refused() {
    let mut setup = Setup::iters(1);
    setup.train.max_iters = None;
    for error in [setup.plain::<ByIter>().train_all().unwrap_err(), setup.plain::<ByEpoch>().train_all().unwrap_err()] {
        assert_eq!(error.to_string(), "the training has no end; set `max_epochs` or `max_iters` in `train`");
    }
}

#[test]
fn an_endless_loader_needs_a_length_of_an_epoch() {
    let mut setup = Setup { endless: true, ..Setup::epochs(2) };
    let error = setup.plain::<ByEpoch>().train_all().unwrap_err().to_string();
    assert!(error.contains("set `batches_per_epoch`"), "{error}");
    setup.train.batches_per_epoch = Some(4);
    let mut driver = setup.plain::<ByEpoch>();
    driver.train_all().unwrap();
    assert_eq!(driver.run.clocks().iter().get(), 8);
}

/// The first feature of the first sample of each batch, which tells samples apart.
fn batches_seen<S: Shape>(setup: &Setup) -> Vec<(u64, u64)> {
    let mut driver: Plain<S> = setup.plain();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| {
        kept.borrow_mut().push(cx.clocks().batch().get());
        Ok(output)
    }));
    driver.train_all().unwrap();
    let cursor = driver.toy().train.cursor();
    drop(driver);
    assert!(!seen.borrow().is_empty());
    vec![(cursor.epoch, cursor.batch)]
}

#[test]
fn with_batches_per_epoch_the_stream_goes_on_where_the_last_epoch_left_it() {
    // three batches a pass, two an epoch: four epochs are two passes and two batches
    let mut setup = Setup::epochs(4);
    setup.train.batches_per_epoch = Some(2);
    assert_eq!(batches_seen::<ByEpoch>(&setup), [(2, 2)]);
    // more than a pass
    setup.train.batches_per_epoch = Some(4);
    assert_eq!(batches_seen::<ByEpoch>(&setup), [(5, 1)]);
}

#[test]
fn by_iter_the_loader_starts_over_in_the_next_epochs_order() {
    let mut setup = Setup { shuffle: true, ..Setup::iters(7) };
    assert_eq!(batches_seen::<ByIter>(&setup), [(2, 1)]);
    // an iter may lie across the end of a pass
    setup.train.accumulate = 2;
    assert_eq!(batches_seen::<ByIter>(&setup), [(4, 2)]);
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
    let reads = Rc::new(RefCell::new(Vec::new()));
    let kept = reads.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeTrainIter {
            kept.borrow_mut().push(cx.record().device_reads());
        }
        Ok(())
    });
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    // rows at 2, at 3 (the end of an epoch), 4 and 6
    assert_eq!(*reads.borrow(), [0, 0, 1, 2, 3, 3]);
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
    let told = Rc::new(RefCell::new(Vec::new()));
    let kept = told.clone();
    driver.on(move |phase, cx| {
        match phase {
            Phase::AfterBackward if cx.iter().get() < 2 => cx.skip_update("the gradient explodes"),
            Phase::AfterOptimizerStep => kept.borrow_mut().push(cx.is_update_skipped().known().unwrap()),
            Phase::AfterTrainIter if cx.iter().get() == 2 => cx.stop("seen enough"),
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert_eq!(driver.weights(), before);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.updates.skipped().unwrap().read().unwrap()), (2, 2.0));
    assert_eq!(*told.borrow(), [true, true]);
    let lines = lines.lock().unwrap();
    assert_eq!(*lines, ["update 1 skipped: the gradient explodes", "update 2 skipped: the gradient explodes"]);
}

#[test]
fn a_skipped_gradient_does_not_leak_into_the_next_update() {
    let run = |skip: bool| {
        let mut driver = Setup { lr: STILL, ..Setup::epochs(1) }.plain::<ByEpoch>();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let kept = seen.clone();
        driver.on(move |phase, cx| {
            if phase == Phase::AfterTrainBatch && skip && cx.iter().get() == 0 {
                cx.skip_update("to see");
            }
            if phase == Phase::BeforeOptimizerStep {
                kept.borrow_mut().push(cx.optimizer("opt")?.grad_norm()?.read()?);
            }
            Ok(())
        });
        driver.train_all().unwrap();
        seen.take()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_skip_asked_for_after_the_update_is_that_of_the_next_one() {
    let mut driver = Setup::epochs(1).plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if phase == Phase::AfterOptimizerStep && cx.iter().get() == 0 {
            cx.skip_update("later");
        }
        Ok(())
    });
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    assert_eq!(*lines.lock().unwrap(), ["update 2 skipped: later"]);
}
