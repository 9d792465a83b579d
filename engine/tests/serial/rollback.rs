//! A training that goes back to an earlier state goes on as if the batches that led there did not exist: to the bit.

use crate::resume::{Left, assert_same, interrupted, rich, state_of, uninterrupted};
use crate::support::{
    self, ByEpoch, ByIter, Full, Setup, Shape, Toyed as _, alone, checkpoints, every, from_ron, newest,
};
use engine::base::{Clock, Output};
use engine::hooks::Rollback;
use engine::loops::{End, TrainPlan};
use engine::phase::Phase;
use tch::Tensor;

/// A program whose loss in these batches (counted from 0, in these epochs) is multiplied by a factor.
fn spoiled<S: Shape>(driver: &mut Full<S>, bad: &'static [(u64, u64)], factor: f64) {
    driver.toy().on_train = Some(Box::new(move |output, cx| {
        let place = (cx.epoch().get(), cx.clocks().batch().get());
        match bad.contains(&place) {
            true => Ok(Output::new(output.loss()? * factor)),
            false => Ok(output),
        }
    }));
}

/// Everything at once, in twelve iters.
fn by_iter() -> Setup {
    let train = TrainPlan { max_iters: Some(12), accumulate: 1, ..TrainPlan::default() };
    Setup { train, val: Some(every(5, Clock::Iter)), checkpoint: "(interval: 4)", ..rich() }
}

/// The weights at the end, and what was said of going back.
fn ended<S: Shape>(
    setup: &Setup,
    rollback: Option<&str>,
    bad: &'static [(u64, u64)],
    factor: f64,
) -> (Vec<(String, Vec<f32>)>, Vec<String>) {
    let dir = support::folder();
    support::seed(11);
    let mut driver = setup.in_folder::<S>(dir.path());
    spoiled(&mut driver, bad, factor);
    if let Some(settings) = rollback {
        driver.add(from_ron::<Rollback>(settings));
    }
    let (_, lines) = driver.keep_rows();
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let told = lines.lock().unwrap().iter().filter(|line| line.contains("goes back")).cloned().collect();
    (driver.weights(), told)
}

/// The weights of a training without these batches, each of which is the only one of its iter.
fn without<S: Shape>(setup: &Setup, left_out: &'static [(u64, u64)]) -> Vec<(String, Vec<f32>)> {
    let dir = support::folder();
    support::seed(11);
    let mut driver = setup.in_folder::<S>(dir.path());
    driver
        .run(|driver| {
            driver.train_with(|driver| {
                while !driver.is_over() {
                    let (epoch, mut batch) = (driver.run.clocks().epoch().get(), 0);
                    driver.epoch_with(|driver| {
                        while driver.has_iter_left() {
                            while left_out.contains(&(epoch, batch)) {
                                let train = &mut driver.toy().train;
                                if train.batches_left() == Some(0) {
                                    train.start(train.cursor())?;
                                }
                                train.next_batch()?;
                                batch += 1;
                            }
                            if driver.has_iter_left() {
                                driver.iter()?;
                                batch += 1;
                                driver.safe_point_in_epoch()?;
                            }
                        }
                        Ok(())
                    })?;
                    driver.safe_point()?;
                }
                Ok(())
            })
        })
        .unwrap();
    driver.weights()
}

#[test]
fn a_spike_is_undone_and_its_batches_are_skipped() {
    let _alone = alone();
    // batch 6 is that of iter 7; two iters before it are undone too
    let expected = without::<ByIter>(&by_iter(), &[(0, 4), (0, 5), (0, 6)]);
    for settings in [
        "(factor: 50, window: 3, interval: 5, back: 2, snapshot: Some(1))",
        // nothing in memory: the checkpoint of iter 4 is just there, and without it that of the start is not
        "(factor: 50, window: 3, interval: 1, back: 2, snapshot: None)",
        // found at once, or only where the loss is read next
        "(factor: 50, window: 3, interval: 1, back: 2)",
        "(factor: 50, window: 3, interval: 100, back: 2)",
    ] {
        let (weights, told) = ended::<ByIter>(&by_iter(), Some(settings), &[(0, 6)], 1e4);
        assert_eq!(told.len(), 1, "{settings}: {told:?}");
        assert!(told[0].contains("more than 50 times the median") && told[0].contains("in iter 7"), "{}", told[0]);
        assert!(weights == expected, "{settings}: {}", told[0]);
    }
    // the test can fail
    assert!(ended::<ByIter>(&by_iter(), None, &[(0, 6)], 1e4).0 != expected);
    assert!(without::<ByIter>(&by_iter(), &[(0, 5), (0, 6)]) != expected);
}

#[test]
fn a_loss_that_is_not_finite_is_undone_from_the_first_iter_on() {
    let _alone = alone();
    for (bad, left_out) in [(&[(0, 0)], &[(0, 0)][..]), (&[(0, 2)], &[(0, 0), (0, 1), (0, 2)])] {
        let (weights, told) = ended::<ByIter>(&by_iter(), Some("(back: 2)"), bad, f64::NAN);
        assert!(told.len() == 1 && told[0].contains("the loss is NaN"), "{told:?}");
        assert!(weights == without::<ByIter>(&by_iter(), left_out), "{told:?}");
    }
}

#[test]
fn several_spikes_are_undone_one_by_one_also_over_the_end_of_an_epoch() {
    let _alone = alone();
    let mut setup = rich();
    setup.train.accumulate = 1;
    setup.train.max_epochs = Some(3);
    // five batches an epoch. The first of an epoch undoes two iters of the one before, which are repeated: only batches
    // of its own epoch are skipped
    let (weights, told) = ended::<ByEpoch>(&setup, Some("(back: 2, interval: 3)"), &[(0, 3), (1, 0), (2, 4)], f64::NAN);
    assert_eq!(told.len(), 3, "{told:?}");
    let left_out = &[(0, 1), (0, 2), (0, 3), (1, 0), (2, 2), (2, 3), (2, 4)];
    assert!(weights == without::<ByEpoch>(&setup, left_out), "{told:#?}");
}

#[test]
fn learning_rates_are_lower_from_there_on() {
    let _alone = alone();
    let rates = |settings: &str| {
        let mut driver = by_iter().full::<ByIter>();
        spoiled(&mut driver, &[(0, 5)], f64::NAN);
        driver.add(from_ron::<Rollback>(settings));
        let seen = driver.watch_at(Phase::AfterTrainIter, |cx| {
            (cx.iter().get(), cx.optimizers()[0].groups()[0].settings().get("lr").unwrap())
        });
        driver.train_all().unwrap();
        seen.take()
    };
    let rates = rates("(back: 2, interval: 4, lr_factor: 0.5)");
    let (before, after) = rates.split_at(rates.len() - 9);
    // looked at after the iter 8, and gone back to the iter 3
    assert!(before.iter().all(|(_, lr)| *lr == 0.01), "{rates:?}");
    assert_eq!(after.first(), Some(&(4, 0.005)), "{rates:?}");
    assert!(after.iter().all(|(_, lr)| *lr == 0.005) && after.last() == Some(&(12, 0.005)), "{rates:?}");
}

#[test]
fn it_gives_up_where_it_does_not_get_past_a_place() {
    let _alone = alone();
    let dir = support::folder();
    let mut driver = by_iter().in_folder::<ByIter>(dir.path());
    let times = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = times.clone();
    driver.toy().on_train = Some(Box::new(move |output, cx| {
        if cx.iter().get() < 6 {
            return Ok(output);
        }
        counted.set(counted.get() + 1);
        Ok(Output::new(output.loss()? * f64::NAN))
    }));
    driver.add(from_ron::<Rollback>("(back: 1, interval: 1, give_up: 2)"));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("the loss is NaN in iter 7; the run went back 2 times"), "{error}");
    assert_eq!(times.get(), 3);
    // what is on the disk is good
    let weights = &newest(dir.path()).models[0].trained;
    assert!(weights.iter().all(|(_, tensor)| tensor.isfinite().all().int64_value(&[]) == 1));
}

#[test]
fn no_checkpoint_holds_a_loss_that_was_not_looked_at() {
    let _alone = alone();
    let dir = support::folder();
    let mut setup = by_iter();
    setup.checkpoint = "(interval: 1, keep: 20)";
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    spoiled(&mut driver, &[(0, 6)], f64::NAN);
    driver.add(from_ron::<Rollback>("(back: 3, interval: 100)"));
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    // those of the iters 4 to 6 were undone, and there are new ones
    let left: Vec<String> = lines.lock().unwrap().iter().filter(|line| line.contains("left behind")).cloned().collect();
    assert_eq!(left.len(), 3, "{left:?}");
    for name in checkpoints(dir.path()) {
        let snapshot = engine::checkpoint::load(&dir.path().join("run/checkpoints").join(&name)).unwrap();
        let finite = |tensor: &Tensor| tensor.isfinite().all().int64_value(&[]) == 1;
        assert!(snapshot.models[0].trained.iter().all(|(_, tensor)| finite(tensor)), "{name}");
    }
}

#[test]
fn a_run_that_goes_back_is_resumed_to_the_bit_from_every_iter() {
    let _alone = alone();
    let hook = |driver: &mut Full<ByIter>| {
        spoiled(driver, &[(0, 3), (0, 8)], f64::NAN);
        driver.add(from_ron::<Rollback>("(back: 0, interval: 3, lr_factor: 0.7, snapshot: Some(1))"));
    };
    let whole: Left = uninterrupted::<ByIter>(&by_iter(), hook);
    for nth in 1..=16 {
        let Some(resumed) = interrupted::<ByIter>(&by_iter(), &[(Phase::AfterBackward, nth)], hook) else { continue };
        assert_same(&resumed, &whole, &format!("interrupted in batch {nth}"));
    }
    let state = format!("{:?}", state_of(newest_of(&by_iter(), hook)));
    assert!(state.contains("rollbacks/1/lr_scale"), "{state}");
}

#[test]
fn a_state_in_memory_of_iters_that_are_undone_is_not_gone_back_to() {
    let _alone = alone();
    // a process that is resumed at iter 5 keeps its state, goes back behind it after iter 6, and to iter 5 after iter 7
    let hook = |driver: &mut Full<ByIter>| {
        spoiled(driver, &[(0, 5), (0, 8)], f64::NAN);
        driver.add(from_ron::<Rollback>("(back: 1, interval: 1, snapshot: Some(100))"));
    };
    let whole: Left = uninterrupted::<ByIter>(&by_iter(), hook);
    for nth in 1..=16 {
        let Some(resumed) = interrupted::<ByIter>(&by_iter(), &[(Phase::AfterBackward, nth)], hook) else { continue };
        assert_same(&resumed, &whole, &format!("interrupted in batch {nth}"));
    }
}

fn newest_of(setup: &Setup, hook: impl Fn(&mut Full<ByIter>)) -> engine::checkpoint::Snapshot {
    let dir = support::folder();
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    hook(&mut driver);
    driver.train_all().unwrap();
    newest(dir.path())
}

#[test]
fn a_damaged_checkpoint_is_told_and_an_older_one_is_gone_back_to() {
    let _alone = alone();
    let setup = Setup { checkpoint: "(interval: 2, keep: 3)", ..by_iter() };
    let dir = support::folder();
    support::seed(11);
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    spoiled(&mut driver, &[(0, 6)], f64::NAN);
    driver.add(from_ron::<Rollback>("(back: 2, interval: 3, snapshot: None)"));
    let damaged = dir.path().join("run/checkpoints/iter_000000004/net.safetensors");
    driver.at(Phase::AfterTrainIter, move |cx| {
        if cx.iter().get() == 6 {
            std::fs::write(&damaged, "cut").unwrap();
        }
    });
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    let told = |text: &str| lines.lock().unwrap().iter().any(|line| line.contains(text));
    assert!(told("iter_000000004/net.safetensors` is damaged") && told("by repeating it from iter 2"));
    assert!(driver.weights() == without::<ByIter>(&setup, &[(0, 4), (0, 5), (0, 6)]));
}
