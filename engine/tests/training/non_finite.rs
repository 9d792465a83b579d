//! Updates whose gradient is not finite: taken, left out, or the end of the training.

use crate::support::{ByEpoch, ByIter, Full, Setup, Shape, Toyed as _};
use engine::base::Output;
use engine::optim::{Clip, NonFinite};
use engine::phase::Phase;
use std::cell::RefCell;
use std::rc::Rc;

/// A training whose loss is NaN in these iters, counted from 0.
fn exploding<S: Shape>(setup: &Setup, then: NonFinite, iters: &'static [u64]) -> Full<S> {
    let mut setup = setup.clone();
    setup.train.non_finite = then;
    let mut driver = setup.full::<S>();
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| match iters.contains(&cx.iter().get()) {
        true => Ok((output.loss()? * f64::NAN).into()),
        false => Ok(output),
    }));
    driver
}

#[test]
fn skip_goes_on_as_if_the_update_had_been_skipped_on_request() {
    for clip in [None, Some(Clip::Norm(0.1)), Some(Clip::Value(0.01))] {
        let mut setup = Setup { adam: true, ..Setup::iters(6) };
        setup.train.clip = clip;
        let mut by_device = exploding::<ByIter>(&setup, NonFinite::Skip, &[0, 3]);
        by_device.train_all().unwrap();
        let mut on_request = exploding::<ByIter>(&setup, NonFinite::Apply, &[0, 3]);
        on_request.on(|phase, cx| {
            if phase == Phase::BeforeOptimizerStep && [0, 3].contains(&cx.iter().get()) {
                cx.skip_update("it is no number");
            }
            Ok(())
        });
        on_request.train_all().unwrap();
        assert_eq!(by_device.weights(), on_request.weights(), "{clip:?}");
        for driver in [&by_device, &on_request] {
            assert_eq!(driver.run.updates.skipped().unwrap().read().unwrap(), 2.0);
        }
    }
}

#[test]
fn rows_tell_how_many_updates_were_left_out() {
    let setup = Setup { logger: "(interval: 4)", ..Setup::iters(8) };
    let mut driver = exploding::<ByIter>(&setup, NonFinite::Skip, &[1, 5, 6]);
    let (rows, _) = driver.keep_rows();
    driver.train_all().unwrap();
    let rows = rows.lock().unwrap();
    let skipped = rows.iter().map(|row| row.values.iter().find(|(name, _)| name == "skipped_updates").unwrap().1);
    assert_eq!(skipped.collect::<Vec<_>>(), [1.0, 3.0]);
}

#[test]
fn whether_an_update_was_skipped_is_lazy_where_only_the_device_knows() {
    for (then, expected) in [(NonFinite::Apply, [Some(false); 3]), (NonFinite::Skip, [None; 3])] {
        let mut driver = exploding::<ByIter>(&Setup::iters(3), then, &[1]);
        let seen = Rc::new(RefCell::new((Vec::new(), Vec::new())));
        let kept = seen.clone();
        driver.on(move |phase, cx| {
            if phase == Phase::AfterOptimizerStep {
                kept.borrow_mut().0.push(cx.is_update_skipped().known());
                kept.borrow_mut().1.push(cx.is_update_skipped().read()?);
            }
            Ok(())
        });
        driver.train_all().unwrap();
        let (known, read) = seen.take();
        assert_eq!(known, expected);
        assert_eq!(read, [false, then == NonFinite::Skip, false]);
    }
}

#[test]
fn an_average_takes_nothing_in_of_an_update_that_the_device_leaves_out() {
    // the first one too, at which the average would have begun
    for left_out in [&[0], &[1]] {
        takes_nothing_in(left_out);
    }
}

/// Iters 0 to 2 without one of them: nothing is averaged twice, and the two others alone move weights and average.
fn takes_nothing_in(left_out: &'static [u64; 1]) {
    let averaged = |then, iters| {
        let setup = Setup { ema: Some("(decay: 0.5, kind: Constant)"), ..Setup::iters(3) };
        let mut driver = exploding::<ByIter>(&setup, then, iters);
        driver.train_all().unwrap();
        let state = engine::base::State::save_state(driver.toy().ema.as_ref().unwrap());
        format!("{:?}", crate::support::flat(&tensors(state)))
    };
    let skipping = averaged(NonFinite::Skip, left_out);
    assert!(!skipping.contains("NaN"));
    let mut on_request = {
        let setup = Setup { ema: Some("(decay: 0.5, kind: Constant)"), ..Setup::iters(3) };
        setup.full::<ByIter>()
    };
    on_request.on(|phase, cx| {
        if phase == Phase::BeforeOptimizerStep && cx.iter().get() == left_out[0] {
            cx.skip_update("as the device does");
        }
        Ok(())
    });
    on_request.train_all().unwrap();
    let state = engine::base::State::save_state(on_request.toy().ema.as_ref().unwrap());
    assert_eq!(skipping, format!("{:?}", crate::support::flat(&tensors(state))));
}

/// Every tensor of a state, by its path.
fn tensors(state: engine::base::StateMap) -> Vec<(String, tch::Tensor)> {
    use engine::base::StateValue;
    let entries = state.0.into_iter().flat_map(|(name, value)| match value {
        StateValue::Tensor(tensor) => vec![(name, tensor)],
        StateValue::Map(map) => {
            tensors(map).into_iter().map(|(inner, tensor)| (format!("{name}.{inner}"), tensor)).collect()
        }
        _ => Vec::new(),
    });
    entries.collect()
}

#[test]
fn stop_fails_at_the_next_row_with_the_weights_of_before() {
    let setup = Setup { logger: "(interval: 4)", ..Setup::iters(12) };
    let mut driver = exploding::<ByIter>(&setup, NonFinite::Stop, &[5]);
    let kept = Rc::new(RefCell::new(Vec::new()));
    let before = kept.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeTrainIter && cx.iter().get() == 5 {
            *before.borrow_mut() = crate::support::flat(cx.models().get("net")?.variables());
        }
        Ok(())
    });
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert_eq!(
        error,
        "the gradient was not finite in iter 6; the weights are those before that update (`non_finite: Stop`)"
    );
    assert_eq!(driver.run.clocks().iter().get(), 8);
    assert_eq!(driver.weights(), *kept.borrow());
}

#[test]
fn stop_is_seen_at_a_validation_and_at_the_end_without_any_row() {
    let quiet = Setup { logger: "(interval: 100, tail: false)", ..Setup::default() };
    let mut driver = exploding::<ByEpoch>(&quiet, NonFinite::Stop, &[1]);
    assert!(driver.train_all().is_err());
    assert_eq!((driver.run.clocks().iter().get(), driver.run.metric("val/loss")), (3, None));
    let mut driver = exploding::<ByIter>(&Setup { logger: quiet.logger, ..Setup::iters(3) }, NonFinite::Stop, &[2]);
    assert!(driver.train_all().is_err());
    let mut driver = exploding::<ByIter>(&Setup { logger: quiet.logger, ..Setup::iters(3) }, NonFinite::Stop, &[]);
    driver.train_all().unwrap();
}
