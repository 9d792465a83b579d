//! Whatever fails, every phase that opens something is closed, and the error says where it came from.

use crate::support::{self, ByEpoch, ByIter, Everything, Full, Log, Setup, Toyed as _, every};
use engine::base::{Clock, Error, Output, Result, StateError, StateMap};
use engine::loops::{End, TrainPlan};
use engine::metric::{Measure, Metric};
use engine::phase::Phase;
use engine::run::{Context, Exception};

/// Everything that a run can go through: training with validation and checkpoints, test, predict.
fn whole(driver: &mut Full<Everything>) -> Result<End> {
    driver.run(|driver| {
        driver.train()?;
        driver.test()?;
        driver.predict(&mut |_| Ok(()))
    })
}

fn everything(dir: &std::path::Path) -> Full<Everything> {
    let mut setup = Setup { samples: 10, ..Setup::default() };
    setup.train = TrainPlan { max_epochs: Some(1), accumulate: 2, ..setup.train };
    setup.in_folder::<Everything>(dir)
}

/// The phases of [`whole`]; only a resumed run loads a checkpoint, only a failed one has an exception.
fn phases_of_a_whole_run() -> Vec<Phase> {
    let rare = [Phase::AfterLoadCheckpoint, Phase::OnException];
    Phase::ALL.iter().copied().filter(|phase| !rare.contains(phase)).collect()
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
    log.assert_closed("no fault");
}

#[test]
fn whatever_phase_fails_every_before_that_ran_has_its_after() {
    for fault in [Fault::Fails, Fault::Panics] {
        for phase in phases_of_a_whole_run() {
            let (log, error) = with_fault(phase, fault);
            let what = format!("{fault:?} in {phase}");
            log.assert_closed(&what);
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
    log.assert_closed("failing on the way out");
    let lines = lines.lock().unwrap();
    let told = lines.iter().filter(|line| line.starts_with("an error while the run was ending: ")).count();
    assert_eq!(told, 2, "{lines:?}");
}

#[test]
fn hooks_see_what_has_failed_and_cannot_hide_it() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let seen = driver.watch(|phase, cx| match cx.exception() {
        Some(Exception::Failed(error)) => Some((phase.name(), format!("{error:#}"))),
        _ => None,
    });
    driver.toy().on_train = Some(Box::new(|_, _| Err(Error::msg("no batch fits"))));
    let error = driver.train_all().unwrap_err();
    let why = "`train_step` failed at iter 0, batch 0 (epoch 0): no batch fits";
    assert_eq!(format!("{error:#}"), why);
    let seen = seen.take();
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
        let panicked = format!(": {what} panicked at {}:", file!());
        assert!(text.starts_with(&failed) && text.contains(&panicked), "{text}");
        assert!(text.ends_with(": shapes differ"), "{text}");
        log.assert_closed(what);
    }
}

#[test]
fn a_metric_that_panics_ends_the_run_in_good_order() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.run.seen.results.file_metrics.push(Box::new(Broken));
    let text = format!("{:#}", driver.train_all().unwrap_err());
    assert!(text.starts_with(concat!("`val_iter` panicked at ", file!(), ":")), "{text}");
    log.assert_closed("metric");
}

#[derive(Debug)]
struct Broken;

impl engine::base::State for Broken {
    fn save_state(&self) -> StateMap {
        StateMap::new()
    }
    fn load_state(&mut self, _: StateMap) -> Result<(), StateError> {
        Ok(())
    }
}

impl Metric for Broken {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        panic!("no such tensor")
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok(vec![])
    }
    fn reset(&mut self) {}
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Ok(())
    }
    fn measures(&self) -> Vec<Measure> {
        vec![]
    }
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

#[test]
fn a_prediction_that_fails_is_told_with_its_batch_and_a_loader_for_itself() {
    let failed = |panics: bool| {
        let mut driver = Setup::default().plain::<Everything>();
        let mut given = 0;
        driver.toy().on_predict = Some(Box::new(move |prediction, _| {
            given += 1;
            match given {
                1 => Ok(prediction),
                _ if panics => panic!("the step fell over"),
                _ => Err(Error::msg("the step gave up")),
            }
        }));
        let mut written = 0;
        let result = driver.run(|driver| {
            driver.predict(&mut |_| {
                written += 1;
                Ok(())
            })
        });
        assert_eq!(written, 1);
        format!("{:#}", result.unwrap_err())
    };
    let at = "`predict_step` failed at iter 0, batch 1 of `cases` (epoch 0): ";
    assert_eq!(failed(false), format!("{at}the step gave up"));
    let panicked = failed(true);
    assert!(panicked.starts_with(&format!("{at}`predict_step` panicked at ")), "{panicked}");
}
