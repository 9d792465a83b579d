//! A run that is stopped, by a hook or by a signal, ends where no iter is half done.

use crate::support::{Bare, ByEpoch, ByIter, Everything, Log, NoHooks, Setup, Toy, Toyed as _, TwoVals, ended_by};
use engine::base::Error;
use engine::loops::{End, Program};
use engine::phase::Phase;
use engine::run::{Exception, Signal};

/// Stops in the first such phase; gives back what was gone through, how it ended, and the finished (epochs, iters).
fn with_stop(at: Phase) -> (Log, End, (u64, u64)) {
    let mut setup = Setup { samples: 10, ..Setup::default() };
    setup.train.accumulate = 2;
    let mut driver = setup.plain::<TwoVals>();
    let log = driver.record_phases();
    driver.on(move |phase, cx| {
        if phase == at {
            cx.stop(format!("enough in {phase}"));
            cx.stop("not this reason");
        }
        Ok(())
    });
    let end = driver.train_all().unwrap();
    let clocks = driver.run.clocks();
    (log, end, (clocks.epoch().get(), clocks.iter().get()))
}

#[test]
fn a_stop_in_any_phase_ends_after_the_iter_with_its_reason() {
    use Phase::*;
    let expected = [
        (BeforeRun, (0, 0)),
        (BeforeTrain, (0, 0)),
        (BeforeTrainEpoch, (0, 0)),
        (BeforeTrainIter, (0, 1)),
        (BeforeTrainBatch, (0, 1)),
        (AfterForward, (0, 1)),
        (AfterBackward, (0, 1)),
        (AfterTrainBatch, (0, 1)),
        (BeforeOptimizerStep, (0, 1)),
        (AfterOptimizerStep, (0, 1)),
        (AfterTrainIter, (0, 1)),
        (AfterTrainEpoch, (1, 3)),
        (BeforeVal, (1, 3)),
        (BeforeValIter, (1, 3)),
        (AfterValEpoch, (1, 3)),
        (AfterVal, (1, 3)),
    ];
    for (phase, counts) in expected {
        let (log, end, counted) = with_stop(phase);
        assert_eq!(end, ended_by("probe", &format!("enough in {phase}")));
        assert_eq!(counted, counts, "{phase}");
        log.assert_closed(phase.name());
        assert_eq!(log.count(OnException), 0, "{phase}");
    }
}

#[test]
fn an_epoch_that_is_stopped_within_is_closed_and_not_counted() {
    let mut driver = Setup { val: None, ..Setup::default() }.plain::<ByEpoch>();
    driver.at(Phase::AfterTrainIter, |cx| {
        if cx.iter().get() == 5 {
            cx.stop("enough");
        }
    });
    let seen =
        driver.watch_at(Phase::AfterTrainEpoch, |cx| (cx.epoch().get(), cx.iter().get(), cx.clocks().batch().get()));
    driver.train_all().unwrap();
    assert_eq!(seen.take(), [(1, 3, 0), (1, 5, 2)]);
}

#[test]
fn a_stop_at_the_last_iter_of_an_epoch_counts_the_epoch() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.at(Phase::AfterTrainIter, |cx| {
        if cx.iter().get() == 3 {
            cx.stop("enough");
        }
    });
    driver.train_all().unwrap();
    assert_eq!((driver.run.clocks().epoch().get(), driver.run.clocks().iter().get()), (1, 3));
}

/// Raises a signal when `at` is entered for the `nth` time; gives back the log and the driver.
fn with_signal(setup: &Setup, at: Phase, nth: usize) -> (Log, End, Program<NoHooks, Toy<TwoVals>>) {
    let mut driver = setup.plain::<TwoVals>();
    let log = driver.record_phases();
    let signals = driver.run.signals.clone();
    let mut times = 0;
    driver.on(move |phase, _| {
        times += usize::from(phase == at);
        if phase == at && times == nth {
            signals.raise(Signal::Terminate);
        }
        Ok(())
    });
    let end = driver.train_all().unwrap();
    (log, end, driver)
}

#[test]
fn a_signal_in_an_iter_ends_the_run_after_that_iter() {
    let (log, end, driver) = with_signal(&Setup::default(), Phase::AfterBackward, 2);
    assert_eq!(end, End::Signal(Signal::Terminate));
    log.assert_closed("signal");
    let names = log.names();
    let tail = ["after_train_iter", "on_exception", "after_train_epoch", "after_train", "after_run"];
    assert_eq!(names[names.len() - 5..], tail);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().epoch().get()), (2, 0));
}

#[test]
fn a_signal_in_the_last_iter_of_an_epoch_lets_the_epoch_end() {
    let (log, _, driver) = with_signal(&Setup::default(), Phase::AfterBackward, 3);
    log.assert_closed("signal");
    let names = log.names();
    let tail = ["after_train_iter", "after_train_epoch", "on_exception", "after_train", "after_run"];
    assert_eq!(names[names.len() - 5..], tail);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().epoch().get()), (3, 1));
}

#[test]
fn a_signal_in_a_validation_ends_it_without_numbers() {
    let (log, end, driver) = with_signal(&Setup::default(), Phase::BeforeValIter, 3);
    assert_eq!(end, End::Signal(Signal::Terminate));
    log.assert_closed("signal");
    let names = log.names();
    let at = names.iter().position(|name| *name == "on_exception").unwrap();
    // the second loader was under way
    assert_eq!(names[at - 1], "after_val_iter");
    assert_eq!(names[at + 1..], ["after_val_epoch", "after_val", "after_train", "after_run"]);
    assert_eq!(log.count(Phase::BeforeValEpoch), 2);
    assert!(driver.run.metric("val/loss").is_some());
    assert!(driver.run.metric("val/hard/loss").is_none());
}

#[test]
fn a_signal_before_the_training_ends_it_before_its_first_iter() {
    let (log, end, _) = with_signal(&Setup::default(), Phase::BeforeTrain, 1);
    assert_eq!(end, End::Signal(Signal::Terminate));
    assert_eq!(log.names(), ["before_run", "before_train", "on_exception", "after_train", "after_run"]);
}

#[test]
fn a_failure_after_a_signal_is_the_error_of_the_run_and_told_once() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    let signals = driver.run.signals.clone();
    driver.on(move |phase, _| match phase {
        Phase::AfterTrainIter => {
            signals.raise(Signal::Interrupt);
            Ok(())
        }
        Phase::AfterTrainEpoch => Err(Error::msg("the fault")),
        _ => Ok(()),
    });
    let error = driver.train_all().unwrap_err();
    assert!(format!("{error:#}").ends_with("the fault"));
    assert_eq!(log.count(Phase::OnException), 1);
}

#[test]
fn a_signal_ends_test_and_predict_early() {
    let mut driver = Setup::default().plain::<Everything>();
    let log = driver.record_phases();
    let signals = driver.run.signals.clone();
    driver.at(Phase::BeforePredictIter, move |_| signals.raise(Signal::Interrupt));
    let end = driver.run(|driver| driver.predict(&mut |_| Ok(()))).unwrap();
    assert_eq!(end, End::Signal(Signal::Interrupt));
    assert_eq!(log.count(Phase::BeforePredictIter), 1);
    log.assert_closed("predict");
}

#[test]
fn a_stop_asked_for_by_a_step_is_one_by_a_hook() {
    let mut driver = Setup::iters(9).plain::<ByIter>();
    driver.toy().on_train = Some(Box::new(|output, cx| {
        cx.stop("the step has seen enough");
        Ok(output)
    }));
    assert_eq!(driver.train_all().unwrap(), ended_by("train_step", "the step has seen enough"));
    assert_eq!(driver.run.clocks().iter().get(), 1);
}

#[test]
fn hooks_tell_a_failure_from_a_signal() {
    let mut driver = Setup::epochs(1).plain::<Bare>();
    let signals = driver.run.signals.clone();
    driver.at(Phase::AfterForward, move |_| signals.raise(Signal::Interrupt));
    let seen = driver.watch(|phase, cx| Some((phase, matches!(cx.exception()?, Exception::Signal(_)))));
    driver.train_all().unwrap();
    let expected = [Phase::OnException, Phase::AfterTrainEpoch, Phase::AfterTrain, Phase::AfterRun];
    assert_eq!(seen.take(), expected.map(|phase| (phase, true)));
}

#[test]
fn a_request_is_seen_only_when_it_is_decided() {
    let mut driver = Setup::iters(9).plain::<ByIter>();
    driver.at(Phase::BeforeTrainIter, |cx| {
        if cx.iter().get() == 1 {
            cx.stop("enough");
        }
    });
    let seen = driver.watch(|phase, cx| (cx.iter().get() > 0).then(|| (phase, cx.stopping().is_some())));
    driver.train_all().unwrap();
    let seen = seen.take();
    let undecided = seen.iter().rposition(|(_, decided)| !decided).unwrap();
    assert_eq!(seen[undecided].0, Phase::AfterTrainIter);
    let after: Vec<Phase> = seen[undecided + 1..].iter().map(|(phase, _)| *phase).collect();
    assert_eq!(after, [Phase::AfterTrainEpoch, Phase::AfterTrain, Phase::AfterRun]);
}

#[test]
fn the_last_iter_and_the_last_epoch_are_known_from_their_begin() {
    let last = |setup: Setup| {
        let mut driver = setup.plain::<ByEpoch>();
        let iters = driver.watch_at(Phase::BeforeTrainIter, |cx| cx.is_last_iter());
        let epochs = driver.watch_at(Phase::BeforeTrainEpoch, |cx| cx.is_last_epoch());
        driver.train_all().unwrap();
        (iters.take(), epochs.take())
    };
    let (iters, epochs) = last(Setup::epochs(2));
    assert_eq!(iters, [false, false, false, false, false, true]);
    assert_eq!(epochs, [false, true]);
    // the limit lies within the second of three epochs
    let mut setup = Setup::epochs(3);
    setup.train.stop_after = Some(5);
    let (iters, epochs) = last(setup);
    assert_eq!(iters, [false, false, false, false, true]);
    assert_eq!(epochs, [false, true]);
}

#[test]
fn a_stop_asked_for_where_nothing_trains_ends_nothing() {
    let mut driver = Setup::default().plain::<Everything>();
    driver.at(Phase::BeforePredictIter, |cx| cx.stop("enough"));
    let mut predictions = 0;
    let end = driver.run(|driver| {
        driver.predict(&mut |_| {
            predictions += 1;
            Ok(())
        })
    });
    assert_eq!(end.unwrap(), End::Finished);
    assert!(predictions > 1);
}

#[test]
fn after_train_epoch_tells_an_epoch_without_a_batch() {
    let iters = |stop_in: u64| {
        let mut driver = Setup::epochs(3).plain::<ByEpoch>();
        driver.at(Phase::BeforeTrainEpoch, move |cx| {
            if cx.epoch().get() == stop_in {
                cx.stop("enough");
            }
        });
        let seen = driver.watch_at(Phase::AfterTrainEpoch, |cx| cx.iters_of_epoch());
        driver.train_all().unwrap();
        seen.take()
    };
    assert_eq!(iters(9), [3, 3, 3]);
    assert_eq!(iters(1), [3, 0]);
    assert_eq!(iters(0), [0]);
}
