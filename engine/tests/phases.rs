//! The order of the phases, and that every one that opens something is closed, whatever happens.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and some do on purpose")]

mod support;

use engine::base::{Clock, Error, Result};
use engine::loops::{Driver, End, TrainPlan};
use engine::phase::Phase;
use engine::run::{Context, Exception, Signal};
use std::cell::RefCell;
use std::rc::Rc;
use support::{Bare, ByEpoch, ByIter, Everything, Log, NoHooks, Setup, Toy, Toyed as _, TwoVals, every};

const BATCH: [&str; 4] = ["before_train_batch", "after_forward", "after_backward", "after_train_batch"];
const UPDATE: [&str; 2] = ["before_optimizer_step", "after_optimizer_step"];

/// One iter of so many batches.
fn iter(batches: usize) -> Vec<&'static str> {
    let mut names = vec!["before_train_iter"];
    (0..batches).for_each(|_| names.extend(BATCH));
    names.extend(UPDATE);
    names.push("after_train_iter");
    names
}

/// One evaluation; the number of batches of each loader.
fn evaluation(stage: &'static str, loaders: &[usize]) -> Vec<&'static str> {
    let [before, before_epoch, before_iter, after_iter, after_epoch, after] = match stage {
        "val" => {
            ["before_val", "before_val_epoch", "before_val_iter", "after_val_iter", "after_val_epoch", "after_val"]
        }
        _ => [
            "before_test",
            "before_test_epoch",
            "before_test_iter",
            "after_test_iter",
            "after_test_epoch",
            "after_test",
        ],
    };
    let mut names = vec![before];
    for batches in loaders {
        names.push(before_epoch);
        (0..*batches).for_each(|_| names.extend([before_iter, after_iter]));
        names.push(after_epoch);
    }
    names.push(after);
    names
}

/// A whole training around its epochs.
fn run(inner: Vec<Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = vec!["before_run", "before_train"];
    names.extend(inner.into_iter().flatten());
    names.extend(["after_train", "after_run"]);
    names
}

fn epoch(inner: Vec<Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = vec!["before_train_epoch"];
    names.extend(inner.into_iter().flatten());
    names.push("after_train_epoch");
    names
}

const SAVE: [&str; 2] = ["before_save_checkpoint", "after_save_checkpoint"];

#[test]
fn by_epoch_validates_after_each_epoch() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let one = epoch(vec![iter(1), iter(1), iter(1)]);
    let val = evaluation("val", &[2]);
    assert_eq!(log.names(), run(vec![one.clone(), val.clone(), one, val]));
}

#[test]
fn by_iter_is_one_epoch_around_the_whole_training() {
    let mut setup = Setup::iters(4);
    setup.val = Some(every(2, Clock::Iter));
    let mut driver = setup.plain::<ByIter>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let val = evaluation("val", &[2]);
    // the last safe point is behind the epoch
    let whole = epoch(vec![iter(1), iter(1), val.clone(), iter(1), iter(1)]);
    assert_eq!(log.names(), run(vec![whole, val]));
}

#[test]
fn the_tail_of_an_epoch_is_an_iter_of_its_own() {
    let mut setup = Setup { samples: 10, val: None, ..Setup::default() };
    setup.train.accumulate = 2;
    let mut driver = setup.plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let one = epoch(vec![iter(2), iter(2), iter(1)]);
    assert_eq!(log.names(), run(vec![one.clone(), one]));
}

#[test]
fn a_validation_by_iter_lies_inside_the_epoch_but_after_its_last_iter() {
    let mut setup = Setup { val: Some(every(2, Clock::Iter)), ..Setup::default() };
    setup.train.max_epochs = Some(2);
    let mut driver = setup.plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let val = || evaluation("val", &[2]);
    let first = epoch(vec![iter(1), iter(1), val(), iter(1)]);
    let second = epoch(vec![iter(1), val(), iter(1), iter(1)]);
    assert_eq!(log.names(), run(vec![first, second, val()]));
}

#[test]
fn several_val_loaders_come_one_after_the_other_within_one_validation() {
    let mut setup = Setup::default();
    setup.train.max_epochs = Some(1);
    let mut driver = setup.plain::<TwoVals>();
    let log = driver.record_phases();
    let loaders = Rc::new(RefCell::new(Vec::new()));
    let seen = loaders.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeValEpoch {
            seen.borrow_mut().push(cx.loader());
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert_eq!(log.names(), run(vec![epoch(vec![iter(1), iter(1), iter(1)]), evaluation("val", &[2, 2])]));
    assert_eq!(*loaders.borrow(), ["val", "hard"]);
}

#[test]
fn test_and_predict_have_their_own_phases() {
    let mut driver = Setup::default().plain::<Everything>();
    let log = driver.record_phases();
    let mut predictions = 0;
    let end = driver.run(|driver| {
        driver.test()?;
        driver.predict(&mut |_| {
            predictions += 1;
            Ok(())
        })
    });
    assert_eq!(end.unwrap(), End::Finished);
    let mut expected = vec!["before_run"];
    expected.extend(evaluation("test", &[2]));
    expected.push("before_predict");
    (0..2).for_each(|_| expected.extend(["before_predict_iter", "after_predict_iter"]));
    expected.extend(["after_predict", "after_run"]);
    assert_eq!(log.names(), expected);
    assert_eq!(predictions, 2);
}

#[test]
fn checkpoints_are_written_after_the_validation_of_a_safe_point() {
    let dir = support::folder();
    let mut driver = Setup::default().in_folder::<ByEpoch>(dir.path());
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let one = epoch(vec![iter(1), iter(1), iter(1)]);
    let val = evaluation("val", &[2]);
    let save = SAVE.to_vec();
    assert_eq!(log.names(), run(vec![one.clone(), val.clone(), save.clone(), one, val, save]));
}

/// Everything that a run can go through: training with validation and checkpoints, test, predict.
fn whole(driver: &mut support::Full<Everything>) -> Result<End> {
    driver.run(|driver| {
        driver.train()?;
        driver.test()?;
        driver.predict(&mut |_| Ok(()))
    })
}

fn everything(dir: &std::path::Path) -> support::Full<Everything> {
    let mut setup = Setup { samples: 10, ..Setup::default() };
    setup.train = TrainPlan { max_epochs: Some(1), accumulate: 2, ..setup.train };
    setup.in_folder::<Everything>(dir)
}

/// The phases of [`whole`]; only a resumed run loads a checkpoint, only a failed one has an exception.
fn phases_of_a_whole_run() -> Vec<Phase> {
    let rare = [Phase::AfterLoadCheckpoint, Phase::OnException];
    Phase::ALL.iter().copied().filter(|phase| !rare.contains(phase)).collect()
}

/// Checks that phases nest like brackets.
fn assert_closed(log: &Log, what: &str) {
    let mut open: Vec<Phase> = Vec::new();
    for phase in log.phases() {
        if let Some(before) = phase.closes() {
            assert_eq!(open.pop(), Some(before), "{what}: `{phase}` closes what is not open, in {:?}", log.names());
        } else if phase.name().starts_with("before_") {
            open.push(phase);
        }
    }
    assert!(open.is_empty(), "{what}: {open:?} were not closed");
    assert_eq!(log.phases().last(), Some(&Phase::AfterRun), "{what}");
    assert!(log.count(Phase::OnException) <= 1, "{what}");
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Fails,
    Panics,
}

/// Lets the probe fail in the first such phase; gives back what was gone through before, and the run's error.
fn with_fault(at: Phase, fault: Fault) -> (Log, Error) {
    let dir = support::folder();
    let mut driver = everything(dir.path());
    let log = driver.record_phases();
    let mut done = false;
    driver.on(move |phase, _| {
        if phase == at && !std::mem::replace(&mut done, true) {
            match fault {
                Fault::Fails => return Err(Error::msg("the fault")),
                // as `panic!`, without a backtrace for each
                Fault::Panics => std::panic::resume_unwind(Box::new("the fault")),
            }
        }
        Ok(())
    });
    let error = whole(&mut driver).unwrap_err();
    (log, error)
}

#[test]
fn a_whole_run_goes_through_every_phase() {
    let dir = support::folder();
    let mut driver = everything(dir.path());
    let log = driver.record_phases();
    whole(&mut driver).unwrap();
    for phase in phases_of_a_whole_run() {
        assert!(log.count(phase) > 0, "{phase}");
    }
    assert_closed(&log, "no fault");
}

#[test]
fn whatever_phase_fails_every_before_that_ran_has_its_after() {
    for fault in [Fault::Fails, Fault::Panics] {
        for phase in phases_of_a_whole_run() {
            let (log, error) = with_fault(phase, fault);
            let what = format!("{fault:?} in {phase}");
            assert_closed(&log, &what);
            // nothing comes after `after_run`, not even this
            assert_eq!(log.count(Phase::OnException), usize::from(phase != Phase::AfterRun), "{what}");
            let text = format!("{error:#}");
            assert!(text.starts_with(&format!("`probe` failed in `{phase}`: ")), "{what}: {text}");
            assert!(text.ends_with("the fault"), "{what}: {text}");
            assert_eq!(text.contains("it panicked"), fault == Fault::Panics, "{text}");
        }
    }
}

#[test]
fn on_exception_comes_before_all_closing_phases() {
    let (log, _) = with_fault(Phase::AfterForward, Fault::Fails);
    let names = log.names();
    let at = names.iter().position(|name| *name == "after_forward").unwrap();
    let expected =
        ["on_exception", "after_train_batch", "after_train_iter", "after_train_epoch", "after_train", "after_run"];
    assert_eq!(names[at + 1..], expected);
}

#[test]
fn a_hook_that_fails_in_a_closing_phase_does_not_keep_the_others_from_it() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = Log::default();
    let (seen, later) = (log.clone(), log.clone());
    driver.add(support::probe(move |phase, _| {
        seen.push(phase);
        match phase {
            Phase::AfterVal => panic!("the second fault"),
            _ => Ok(()),
        }
    }));
    driver.add(support::probe(move |phase, _| {
        later.push(phase);
        Ok(())
    }));
    driver.on(|phase, _| match phase {
        Phase::AfterVal => Err(Error::msg("the first fault")),
        _ => Ok(()),
    });
    let (_, lines) = driver.keep_rows();
    let error = driver.train_all().unwrap_err();
    assert_eq!(format!("{error:#}"), "`probe` failed in `after_val`: the first fault");
    assert_eq!(log.count(Phase::AfterVal), 2);
    let told = lines.lock().unwrap().join("\n");
    assert!(
        told.contains("`Probe` failed in `after_val`: it panicked at") && told.contains("the second fault"),
        "{told}"
    );
}

#[test]
fn a_hook_that_fails_in_an_opening_phase_keeps_the_others_from_it() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = Log::default();
    let later = log.clone();
    driver.add(support::probe(move |phase, _| {
        later.push(phase);
        Ok(())
    }));
    driver.on(|phase, _| match phase {
        Phase::BeforeTrainEpoch => Err(Error::msg("the fault")),
        _ => Ok(()),
    });
    driver.train_all().unwrap_err();
    assert_eq!(
        log.names(),
        ["before_run", "before_train", "on_exception", "after_train_epoch", "after_train", "after_run"]
    );
}

#[test]
fn errors_on_the_way_out_are_told_and_hide_nothing() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, _| match phase {
        Phase::AfterBackward => Err(Error::msg("the fault")),
        Phase::OnException | Phase::AfterRun => Err(Error::msg("not this one")),
        _ => Ok(()),
    });
    let log = driver.record_phases();
    let (_, lines) = driver.keep_rows();
    let error = driver.train_all().unwrap_err();
    assert_eq!(format!("{error:#}"), "`probe` failed in `after_backward`: the fault");
    assert_closed(&log, "failing on the way out");
    let lines = lines.lock().unwrap();
    let told = lines.iter().filter(|line| line.starts_with("while the run was ending: ")).count();
    assert_eq!(told, 2, "{lines:?}");
}

#[test]
fn hooks_see_what_has_failed_and_cannot_hide_it() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if let Some(Exception::Failed(error)) = cx.exception() {
            kept.borrow_mut().push((phase.name(), format!("{error:#}")));
        }
        Ok(())
    });
    driver.toy().on_train = Some(Box::new(|_, _| Err(Error::msg("no batch fits"))));
    let error = driver.train_all().unwrap_err();
    let why = "`train_step` failed at iter 0, batch 0 (epoch 0): no batch fits";
    assert_eq!(format!("{error:#}"), why);
    let seen = seen.borrow();
    assert_eq!(seen[0], ("on_exception", why.to_owned()));
    assert_eq!(seen.len(), 6);
}

#[test]
fn a_step_that_panics_is_an_error_with_its_place() {
    for (training, what) in [(true, "`train_step`"), (false, "`val_step`")] {
        let mut driver = Setup::default().plain::<ByEpoch>();
        let log = driver.record_phases();
        let fault: support::OnStep = Box::new(|_, _| panic!("shapes differ"));
        match training {
            true => driver.toy().on_train = Some(fault),
            false => driver.toy().on_val = Some(fault),
        }
        let text = format!("{:#}", driver.train_all().unwrap_err());
        let failed = format!("{what} failed at iter ");
        let panicked = format!(": {what} panicked at engine/tests/phases.rs:");
        assert!(text.starts_with(&failed) && text.contains(&panicked), "{text}");
        assert!(text.ends_with(": shapes differ"), "{text}");
        assert_closed(&log, what);
    }
}

#[test]
fn a_metric_that_panics_ends_the_run_in_good_order() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.file_metrics.push(Box::new(Broken));
    let text = format!("{:#}", driver.train_all().unwrap_err());
    assert!(text.starts_with("`val_iter` panicked at engine/tests/phases.rs:"), "{text}");
    assert_closed(&log, "metric");
}

#[derive(Debug)]
struct Broken;

impl engine::base::State for Broken {
    fn save_state(&self) -> engine::base::StateMap {
        engine::base::StateMap::new()
    }
    fn load_state(&mut self, _: engine::base::StateMap) -> Result<(), engine::base::StateError> {
        Ok(())
    }
}

impl engine::metric::Metric for Broken {
    fn update(&mut self, _: &engine::base::Output, _: usize) -> Result<()> {
        panic!("no such tensor")
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![])
    }
    fn reset(&mut self) {}
    fn merge(&mut self, _: engine::base::StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<engine::metric::Measure> {
        vec![]
    }
}

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
        assert_eq!(end, End::Stopped { reason: format!("enough in {phase}") });
        assert_eq!(counted, counts, "{phase}");
        assert_closed(&log, phase.name());
        assert_eq!(log.count(OnException), 0, "{phase}");
    }
}

#[test]
fn an_epoch_that_is_stopped_within_is_closed_and_not_counted() {
    let mut driver = Setup { val: None, ..Setup::default() }.plain::<ByEpoch>();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if phase == Phase::AfterTrainIter && cx.iter().get() == 5 {
            cx.stop("enough");
        }
        if phase == Phase::AfterTrainEpoch {
            kept.borrow_mut().push((cx.epoch().get(), cx.iter().get(), cx.clocks().batch().get()));
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert_eq!(*seen.borrow(), [(1, 3, 0), (1, 5, 2)]);
}

#[test]
fn a_stop_at_the_last_iter_of_an_epoch_counts_the_epoch() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if phase == Phase::AfterTrainIter && cx.iter().get() == 3 {
            cx.stop("enough");
        }
        Ok(())
    });
    driver.train_all().unwrap();
    assert_eq!((driver.run.clocks().epoch().get(), driver.run.clocks().iter().get()), (1, 3));
}

/// Raises a signal when `at` is entered for the `nth` time; gives back the log and the driver.
fn with_signal(setup: &Setup, at: Phase, nth: usize) -> (Log, End, Driver<NoHooks, Toy<TwoVals>>) {
    let mut driver = setup.plain::<TwoVals>();
    let log = driver.record_phases();
    let signals = driver.signals.clone();
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
    assert_closed(&log, "signal");
    let names = log.names();
    let tail = ["after_train_iter", "on_exception", "after_train_epoch", "after_train", "after_run"];
    assert_eq!(names[names.len() - 5..], tail);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().epoch().get()), (2, 0));
}

#[test]
fn a_signal_in_the_last_iter_of_an_epoch_lets_the_epoch_end() {
    let (log, _, driver) = with_signal(&Setup::default(), Phase::AfterBackward, 3);
    assert_closed(&log, "signal");
    let names = log.names();
    let tail = ["after_train_iter", "after_train_epoch", "on_exception", "after_train", "after_run"];
    assert_eq!(names[names.len() - 5..], tail);
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().epoch().get()), (3, 1));
}

#[test]
fn a_signal_in_a_validation_ends_it_without_numbers() {
    let (log, end, driver) = with_signal(&Setup::default(), Phase::BeforeValIter, 3);
    assert_eq!(end, End::Signal(Signal::Terminate));
    assert_closed(&log, "signal");
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
    let signals = driver.signals.clone();
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
    let signals = driver.signals.clone();
    driver.on(move |phase, _| {
        if phase == Phase::BeforePredictIter {
            signals.raise(Signal::Interrupt);
        }
        Ok(())
    });
    let end = driver.run(|driver| driver.predict(&mut |_| Ok(()))).unwrap();
    assert_eq!(end, End::Signal(Signal::Interrupt));
    assert_eq!(log.count(Phase::BeforePredictIter), 1);
    assert_closed(&log, "predict");
}

#[test]
fn a_training_without_a_val_loader_never_validates() {
    let mut setup = Setup::default();
    setup.train = TrainPlan { max_epochs: Some(1), ..setup.train };
    let mut driver = setup.plain::<Bare>();
    driver.on(|_, cx| {
        cx.validate();
        Ok(())
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(log.names(), run(vec![epoch(vec![iter(1), iter(1), iter(1)])]));
}

#[test]
fn every_batch_of_every_loader_has_a_generator_of_its_own() {
    let drawn = || {
        let mut driver = Setup { val_samples: 5, ..Setup::default() }.plain::<Everything>();
        driver.train_plan.accumulate = 2;
        let draws = Rc::new(RefCell::new(Vec::new()));
        let kept = draws.clone();
        driver.on(move |phase, cx| {
            use Phase::{BeforePredictIter, BeforeTestIter, BeforeTrainBatch, BeforeValIter};
            if matches!(phase, BeforeTrainBatch | BeforeValIter | BeforeTestIter | BeforePredictIter) {
                let draw = cx.generator("noise").next_u64();
                assert_eq!(cx.generator("noise").next_u64(), draw);
                kept.borrow_mut().push((phase, draw));
            }
            Ok(())
        });
        let end = driver.run(|driver| {
            driver.train()?;
            driver.test()?;
            driver.predict(&mut |_| Ok(()))
        });
        end.unwrap();
        draws.take()
    };
    let draws = drawn();
    for phase in [Phase::BeforeTrainBatch, Phase::BeforeValIter, Phase::BeforeTestIter, Phase::BeforePredictIter] {
        assert!(draws.iter().filter(|(drawn_in, _)| *drawn_in == phase).count() > 1, "{phase}");
    }
    let mut different: Vec<u64> = draws.iter().map(|(_, draw)| *draw).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), draws.len());
    assert_eq!(drawn(), draws);
}

#[test]
fn a_step_that_fails_is_told_with_its_iter_batch_and_epoch() {
    let failing = |number: u64| {
        let mut seen = 0;
        move |output, _: &mut Context<'_>| {
            seen += 1;
            if seen == number { Err(Error::msg("the step gave up")) } else { Ok(output) }
        }
    };
    let mut driver = Setup::epochs(2).plain::<ByEpoch>();
    driver.toy().on_train = Some(Box::new(failing(5)));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert_eq!(error, "`train_step` failed at iter 4, batch 1 (epoch 1): the step gave up");
    let val = Some(every(1, Clock::Epoch));
    let mut driver = Setup { val, val_samples: 3, ..Setup::epochs(2) }.plain::<ByEpoch>();
    driver.toy().on_val = Some(Box::new(failing(2)));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert_eq!(error, "`val_step` failed at iter 3, batch 1 of `val` (epoch 1): the step gave up");
    let mut driver = Setup::iters(5).plain::<ByIter>();
    driver.toy().on_train = Some(Box::new(failing(3)));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert_eq!(error, "`train_step` failed at iter 2, batch 2: the step gave up");
}
