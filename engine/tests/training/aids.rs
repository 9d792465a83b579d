//! Hooks that change how a model is trained: what they do to its weights, and that a resume changes nothing.

use crate::support::{self, ByEpoch, Full, Setup, Toyed as _, from_ron};
use engine::base::{Output, Result};
use engine::hooks::{ActivationStatistics, DeviceMemory, EmptyCache, Freeze, MeanTeacher, Mfu, ParameterStatistics};
use engine::loops::End;
use engine::model::ModelEntry;
use engine::phase::Phase;
use engine::run::{Context, Signal};
use tch::{Tensor, nn};

type Weights = Vec<(String, Vec<f32>)>;

fn weights(cx: &mut Context<'_>) -> Weights {
    support::flat(cx.models().get("net").unwrap().variables())
}

/// The weights that a pattern matches.
fn part(weights: &Weights, begin: &str) -> Weights {
    weights.iter().filter(|(name, _)| name.starts_with(begin)).cloned().collect()
}

#[test]
fn what_is_frozen_changes_only_outside_of_its_window() {
    let setup = Setup::epochs(3);
    let mut driver = setup.full::<ByEpoch>();
    let before = driver.weights();
    driver.add(from_ron::<Freeze>(r#"(patterns: ["first.*"], from: 1, until: 2)"#));
    let seen = driver.watch_at(Phase::AfterTrainEpoch, weights);
    driver.train_all().unwrap();
    let seen: Vec<Weights> = seen.take();
    assert_ne!(part(&seen[0], "first"), part(&before, "first"));
    assert_eq!(part(&seen[1], "first"), part(&seen[0], "first"));
    assert_ne!(part(&seen[2], "first"), part(&seen[1], "first"));
    // the others are trained all the time
    assert!(seen[1].iter().zip(&seen[0]).any(|(now, then)| !now.0.starts_with("first") && now != then));
}

#[test]
fn by_iters_it_begins_and_ends_within_an_epoch() {
    let mut driver = Setup::epochs(2).full::<ByEpoch>();
    driver.add(from_ron::<Freeze>(r#"(patterns: ["first.*"], until: 4, by: Iter)"#));
    let seen = driver.watch_at(Phase::AfterTrainIter, move |cx| cx.models().get("net").unwrap().frozen().count());
    driver.train_all().unwrap();
    let frozen: Vec<bool> = seen.take().into_iter().map(|count| count > 0).collect();
    assert_eq!(frozen, [true, true, true, true, false, false]);
}

#[test]
fn a_freeze_that_means_nothing_is_told() {
    let refused = |settings: &str| {
        let mut driver = Setup::epochs(1).full::<ByEpoch>();
        driver.add(from_ron::<Freeze>(settings));
        format!("{:#}", driver.train_all().unwrap_err())
    };
    let empty = refused(r#"(patterns: ["*"], from: 2, until: 2)"#);
    assert!(empty.contains("`until` is 2, and must be above `from`, which is 2"), "{empty}");
    let none = refused("(patterns: [])");
    assert!(none.contains("`patterns` is empty, so nothing would be frozen; name parameters"), "{none}");
    // at the start, also where it is due later
    for settings in [r#"(patterns: ["nowhere.*"])"#, r#"(patterns: ["nowhere.*"], from: 5)"#] {
        let mut driver = Setup::epochs(6).full::<ByEpoch>();
        driver.add(from_ron::<Freeze>(settings));
        let iters = driver.watch_at(Phase::AfterTrainIter, |cx| cx.iter().get());
        let nothing = format!("{:#}", driver.train_all().unwrap_err());
        assert!(nothing.contains("`nowhere.*`"), "{nothing}");
        assert_eq!(iters.take(), Vec::<u64>::new(), "{settings}");
    }
}

#[test]
fn a_model_that_is_its_own_teacher_is_refused() {
    let mut driver = Setup::epochs(1).full::<ByEpoch>();
    driver.add(from_ron::<MeanTeacher>(r#"(student: "net", teacher: "net")"#));
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`student` and `teacher` are both `net`; the teacher is a model of its own"), "{error}");
}

/// A run of three epochs with hooks, stopped by a signal in this iter and gone on with, or not stopped.
fn cut(stop_at: Option<u64>, add: fn(&mut Full<ByEpoch>)) -> Vec<(String, Weights)> {
    let dir = support::folder();
    let program = || {
        let setup = Setup { adam: true, shuffle: true, noise: true, ..Setup::epochs(3) };
        let mut driver = setup.in_folder::<ByEpoch>(dir.path());
        add(&mut driver);
        driver
    };
    let all = |driver: &Full<ByEpoch>| {
        driver.run.models.iter().map(|model| (model.name().to_owned(), support::flat(model.variables()))).collect()
    };
    let mut driver = program();
    let Some(iter) = stop_at else {
        assert_eq!(driver.train_all().unwrap(), End::Finished);
        return all(&driver);
    };
    let signals = driver.run.signals.clone();
    driver.at(Phase::AfterTrainIter, move |cx| {
        if cx.iter().get() == iter {
            signals.raise(Signal::Terminate);
        }
    });
    driver.train_all().unwrap();
    drop(driver);
    let mut resumed = program();
    let snapshot = support::newest(dir.path());
    let end = resumed.run(|driver| driver.restore(snapshot).and_then(|()| driver.train())).unwrap();
    assert_eq!(end, End::Finished);
    all(&resumed)
}

fn with_teacher(driver: &mut Full<ByEpoch>) {
    let store = nn::VarStore::new(tch::Device::Cpu);
    let copies: Vec<(String, Tensor)> = driver.run.models.get("net").unwrap().copied();
    for (name, tensor) in copies {
        let (path, last) = name.rsplit_once('.').map_or((None, name.as_str()), |(path, last)| (Some(path), last));
        let at = path.map_or(store.root(), |path| path.split('.').fold(store.root(), |at, part| at / part));
        let _ = at.add(last, tensor.zeros_like(), true);
    }
    driver.run.models.push(ModelEntry::new("teacher", store));
    driver.add(from_ron::<MeanTeacher>(r#"(student: "net", decay: 0.9, ramp: false)"#));
}

#[test]
fn a_teacher_is_the_average_of_its_student() {
    let mut driver = Setup::epochs(2).full::<ByEpoch>();
    let mut average = driver.weights();
    with_teacher(&mut driver);
    let by_hand = driver.watch_at(Phase::AfterOptimizerStep, move |cx| {
        for ((_, average), (_, now)) in average.iter_mut().zip(weights(cx)) {
            average.iter_mut().zip(now).for_each(|(average, now)| *average = 0.9 * *average + 0.1 * now);
        }
        average.clone()
    });
    driver.train_all().unwrap();
    let teacher = driver.run.models.get("teacher").unwrap();
    assert_eq!(teacher.frozen().count(), teacher.parameters().count());
    for ((name, found), (_, expected)) in support::flat(teacher.variables()).iter().zip(by_hand.last().unwrap()) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{name}: {found} and {expected}");
        }
    }
}

#[test]
fn a_run_that_was_cut_and_resumed_has_the_same_bits() {
    let freeze = |driver: &mut Full<ByEpoch>| {
        driver.add(from_ron::<Freeze>(r#"(patterns: ["first.*"], from: 1, until: 2)"#));
        driver.add(from_ron::<EmptyCache>("(after_iter: true)"));
        driver.add(from_ron::<ParameterStatistics>("(interval: 2)"));
    };
    for add in [freeze as fn(&mut Full<ByEpoch>), with_teacher] {
        let whole = cut(None, add);
        for iter in [2, 4, 7] {
            assert_eq!(cut(Some(iter), add), whole, "stopped after iter {iter}");
        }
    }
}

#[test]
fn statistics_are_in_the_rows_of_their_iters() -> Result<()> {
    let mut driver = Setup { logger: "(interval: 1)", ..Setup::epochs(1) }.full::<ByEpoch>();
    driver.add(from_ron::<ParameterStatistics>(r#"(interval: 2)"#));
    let (rows, _) = driver.keep_rows();
    driver.train_all()?;
    let rows = rows.lock().unwrap();
    let of_row = |row: usize| rows[row].values.iter().filter(|(name, _)| name.ends_with("/std")).count();
    let parameters = driver.run.models.get("net")?.parameters().count();
    assert_eq!([of_row(0), of_row(1)], [0, 2 * parameters]);
    Ok(())
}

#[test]
fn rows_show_memory_and_how_fast_the_training_computes() -> Result<()> {
    let mut driver = Setup { logger: "(interval: 1)", ..Setup::epochs(1) }.full::<ByEpoch>();
    driver.add(from_ron::<DeviceMemory>("(interval: 1)"));
    driver.add(from_ron::<Mfu>("(interval: 1, peak_tflops: Some(0.5))"));
    let (rows, _) = driver.keep_rows();
    driver.train_all()?;
    let rows = rows.lock().unwrap();
    let of = |row: usize, name: &str| rows[row].values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    // libtorch alone takes more than that
    assert!(of(0, "memory").unwrap() > 50.0);
    assert_eq!(of(0, "tflops"), None, "before the second iter begins, nothing is known");
    let tflops = of(1, "tflops").unwrap();
    assert!(tflops > 0.0);
    assert_eq!(of(1, "mfu"), Some(tflops / 0.5));
    Ok(())
}

/// A program whose step hands over its loss, times two, under a name.
fn with_endpoint() -> Full<ByEpoch> {
    let mut driver = Setup { logger: "(interval: 1)", ..Setup::epochs(1) }.full::<ByEpoch>();
    driver.toy().on_train = Some(Box::new(|output, cx| {
        let twice = output.loss()? * 2.0;
        cx.endpoint("twice", &twice)?;
        Ok(Output::new(&twice / 4.0))
    }));
    driver
}

#[test]
fn an_endpoint_is_there_when_it_was_asked_for_and_until_the_end_of_its_iter() {
    let mut driver = with_endpoint();
    driver.at(Phase::BeforeTrainIter, |cx| {
        // of the iter before nothing is left
        assert!(cx.endpoints().is_empty());
        if cx.iter().get() == 1 {
            cx.ask_endpoints("tw*", true);
        }
    });
    let seen = driver.watch_at(Phase::AfterBackward, |cx| {
        let found = cx.endpoint_of("twice").map(|tensor| (tensor.double_value(&[]), tensor.grad().double_value(&[])));
        found.map_err(|error| error.to_string())
    });
    let losses = driver.watch_at(Phase::AfterBackward, |cx| cx.output().unwrap().loss().unwrap().double_value(&[]));
    driver.train_all().unwrap();
    let (seen, losses) = (seen.take(), losses.take());
    let missing = seen[0].as_ref().unwrap_err();
    assert!(missing.starts_with("there is no endpoint `twice`: ask for it in `before_train_iter`"), "{missing}");
    let (value, gradient) = *seen[1].as_ref().unwrap();
    assert!((value - 4.0 * losses[1]).abs() < 1e-5);
    assert_eq!(gradient, 0.25);
    assert!(seen[2].is_err());
}

#[test]
fn statistics_of_endpoints_are_in_the_rows_of_their_iters_and_change_no_weight() {
    let mut plain = with_endpoint();
    plain.train_all().unwrap();
    let mut driver = with_endpoint();
    driver.add(from_ron::<ActivationStatistics>("(interval: 2)"));
    let (rows, _) = driver.keep_rows();
    driver.train_all().unwrap();
    let named = |row: usize| -> Vec<String> {
        let rows = rows.lock().unwrap();
        let names = rows[row].values.iter().map(|(name, _)| name.clone());
        names.filter(|name| name.contains("twice")).collect()
    };
    assert!(named(0).is_empty());
    assert_eq!(named(1).len(), 8, "{:?}", named(1));
    assert_eq!(driver.weights(), plain.weights());
}

#[test]
fn statistics_without_an_endpoint_say_so_once() {
    let mut driver = Setup::epochs(1).full::<ByEpoch>();
    driver.add(from_ron::<ActivationStatistics>("(interval: 1)"));
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| line.contains("records nothing")).count(), 1, "{lines:?}");
}
