//! The average of the weights: its formula, and that validations see it and nothing else does.

use crate::support::{self, ByEpoch, Setup, Toyed as _, TwoVals, flat};
use engine::base::Error;
use engine::phase::Phase;
use std::cell::RefCell;
use std::rc::Rc;

/// Trains with an average and, beside it, the same average by hand; gives both at the end.
fn averaged(settings: &'static str, decay: impl Fn(u64) -> Option<f64> + 'static) -> [Vec<(String, Vec<f32>)>; 2] {
    let mut driver = Setup { ema: Some(settings), ..Setup::default() }.plain::<ByEpoch>();
    let hand = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (by_hand, in_val) = (hand.clone(), seen.clone());
    *hand.borrow_mut() = driver.weights();
    driver.on(move |phase, cx| {
        let now = flat(cx.models().get("net")?.variables());
        match phase {
            Phase::AfterOptimizerStep => {
                // None: not an averaging; 0: a copy
                if let Some(decay) = decay(cx.iter().get() + 1) {
                    for ((_, average), (_, now)) in by_hand.borrow_mut().iter_mut().zip(now) {
                        for (average, now) in average.iter_mut().zip(now) {
                            *average = (decay * f64::from(*average) + (1.0 - decay) * f64::from(now)) as f32;
                        }
                    }
                }
            }
            Phase::BeforeValIter => *in_val.borrow_mut() = now,
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    [seen.take(), hand.take()]
}

fn assert_near([hook, hand]: [Vec<(String, Vec<f32>)>; 2]) {
    assert_eq!(hook.len(), 4);
    for ((name, hook), (_, hand)) in hook.iter().zip(&hand) {
        for (a, b) in hook.iter().zip(hand) {
            assert!((a - b).abs() < 1e-6, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn a_constant_average_is_that_of_its_formula() {
    assert_near(averaged("(decay: 0.9, kind: Constant)", |_| Some(0.9)));
}

#[test]
fn a_ramped_average_is_that_of_its_formula() {
    assert_near(averaged("(decay: 0.2)", |update| {
        let done = (update - 1) as f64;
        Some(f64::min(0.2, (1.0 + done) / (10.0 + done)))
    }));
}

#[test]
fn an_average_keeps_to_its_interval_and_begin() {
    assert_near(averaged("(decay: 0.9, kind: Constant, interval: 2)", |update| {
        update.is_multiple_of(2).then_some(0.9)
    }));
    assert_near(averaged("(decay: 0.9, kind: Constant, begin: 4)", |update| Some(if update <= 4 { 0.0 } else { 0.9 })));
    // the ramp counts averagings, and following the weights is none
    assert_near(averaged("(decay: 0.9, begin: 4)", |update| match update {
        0..=4 => Some(0.0),
        update => Some((1.0 + (update - 5) as f64) / (10.0 + (update - 5) as f64)),
    }));
}

#[test]
fn a_skipped_update_leaves_the_average_alone() {
    let mut driver = Setup { ema: Some("(decay: 0.5, kind: Constant)"), ..Setup::default() }.plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if phase == Phase::BeforeOptimizerStep {
            // the first moves the weights away from the average
            if cx.iter().get() > 0 {
                cx.skip_update("to see");
            }
        }
        Ok(())
    });
    let first = driver.weights();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeValIter {
            *kept.borrow_mut() = flat(cx.models().get("net")?.variables());
        }
        Ok(())
    });
    driver.train_all().unwrap();
    let half: Vec<(String, Vec<f32>)> = first
        .iter()
        .zip(driver.weights())
        .map(|((name, a), (_, b))| (name.clone(), a.iter().zip(&b).map(|(a, b)| (a + b) / 2.0).collect()))
        .collect();
    assert_near([seen.take(), half]);
}

#[test]
fn the_weights_come_back_to_the_bit_after_an_evaluation_also_when_it_fails() {
    for fails in [false, true] {
        let mut setup = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() };
        setup.train.max_epochs = Some(1);
        let mut driver = setup.plain::<TwoVals>();
        if fails {
            driver.toy().on_val = Some(Box::new(|_, _| Err(Error::msg("the fault"))));
        }
        let seen = Rc::new(RefCell::new([Vec::new(), Vec::new(), Vec::new()]));
        let kept = seen.clone();
        driver.on(move |phase, cx| {
            let now = flat(cx.models().get("net")?.variables());
            match phase {
                Phase::AfterTrainEpoch => kept.borrow_mut()[0] = now,
                Phase::BeforeValEpoch => kept.borrow_mut()[1] = now,
                Phase::AfterTrain => kept.borrow_mut()[2] = now,
                _ => {}
            }
            Ok(())
        });
        assert_eq!(driver.train_all().is_err(), fails);
        let [before, within, after] = seen.take();
        assert_eq!(before, after);
        assert_ne!(before, within);
    }
}

#[test]
fn the_weights_come_back_when_another_hook_fails_around_them() {
    for at in [Phase::BeforeVal, Phase::AfterVal] {
        let mut driver = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() }.plain::<ByEpoch>();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let kept = seen.clone();
        driver.on(move |phase, cx| {
            if phase == Phase::AfterTrainEpoch {
                *kept.borrow_mut() = flat(cx.models().get("net")?.variables());
            }
            if phase == at { Err(Error::msg("the fault")) } else { Ok(()) }
        });
        driver.train_all().unwrap_err();
        assert_eq!(driver.weights(), seen.take(), "{at}");
    }
}

#[test]
fn an_evaluation_of_a_checkpoint_uses_the_average_that_training_has_used() {
    let dir = support::folder();
    let setup = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() };
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    driver.train_all().unwrap();
    let measured = driver.run.metric("val/loss");
    let path = dir.path().join("run/checkpoints/iter_000000006");
    let mut alone = setup.full::<ByEpoch>();
    alone.run(|driver| driver.load_for_evaluation(&path).and_then(|()| driver.val().map(|_| ()))).unwrap();
    assert_eq!(alone.run.metric("val/loss"), measured);
    assert_eq!(alone.weights(), driver.weights());
    // the weights alone, as a file
    let mut bare = setup.full::<ByEpoch>();
    let file = path.join("net.safetensors");
    bare.run(|driver| driver.load_for_evaluation(&file).and_then(|()| driver.val().map(|_| ()))).unwrap();
    assert_ne!(bare.run.metric("val/loss"), measured);
    assert_eq!(bare.weights(), driver.weights());
}
