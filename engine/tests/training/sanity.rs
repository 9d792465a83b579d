//! The sanity validation: what fails in a validation fails before the first iter, and nothing else changes.

use crate::support::{self, Full, Rows, Seen, Setup, Shape, Toyed as _, TwoVals, every, newest};
use engine::base::{Clock, Error, Output};
use engine::loops::ValPlan;
use engine::phase::Phase;
use engine::record::{Row, RowPhase};
use tch::{Device, Kind, Tensor};

/// Val loaders of three batches of two samples.
fn setup(sanity: u64) -> Setup {
    Setup { val_samples: 6, val: Some(ValPlan { sanity, ..every(1, Clock::Epoch) }), ..Setup::default() }
}

/// Why the run fails, and whether it had trained before.
fn failure(driver: &mut Full<TwoVals>) -> (String, bool) {
    let error = driver.train_all().unwrap_err();
    (format!("{error:#}"), !driver.toy().fed.is_empty())
}

#[test]
fn a_val_step_or_a_metric_that_fails_is_told_before_the_first_iter() {
    const BEFORE: &str = "the sanity validation before the training failed, so later validations would fail too \
                          (`val: (sanity: 0)` skips it): ";
    let mut driver = setup(2).full::<TwoVals>();
    driver.toy().on_val = Some(Box::new(|_, _| Err(Error::msg("no such column"))));
    let (error, trained) = failure(&mut driver);
    assert_eq!(error, format!("{BEFORE}`val_step` failed at iter 0, batch 0 of `val` (epoch 0): no such column"));
    assert!(!trained);

    let mut driver = setup(2).full::<TwoVals>();
    driver.toy().on_val = Some(Box::new(|output, _| {
        let target = Tensor::full([2], 9, (Kind::Int64, Device::Cpu));
        let logits = output.get("logits").unwrap().shallow_clone();
        Ok(Output::new(Tensor::from(0.5)).tensor("logits", &logits).tensor("target", &target))
    }));
    let (error, trained) = failure(&mut driver);
    assert!(error.starts_with(&format!("{BEFORE}metric `accuracy`: 4 targets are not a class")), "{error}");
    assert!(!trained);

    // what no row can hold
    let mut driver = setup(2).full::<TwoVals>();
    driver.toy().on_val = Some(Box::new(|output: Output, _| Ok(output.value("epoch", 1.0))));
    let (error, trained) = failure(&mut driver);
    assert!(error.starts_with(BEFORE) && error.contains("`epoch`"), "{error}");
    assert!(!trained);

    // without it the training begins
    let mut driver = setup(0).full::<TwoVals>();
    driver.toy().on_val = Some(Box::new(|_, _| Err(Error::msg("no such column"))));
    assert!(failure(&mut driver).1);
}

#[test]
fn so_many_batches_of_each_loader_are_tried_once_and_not_again_in_a_resumed_run() {
    let tried = |sanity: u64, dir: &std::path::Path| {
        let mut driver = setup(sanity).in_folder::<TwoVals>(dir);
        let calls = Seen::<&'static str>::default();
        let seen = calls.clone();
        driver.toy().on_val = Some(Box::new(move |output, cx| {
            seen.push(cx.loader());
            assert_eq!(cx.phase(), Phase::BeforeValIter);
            Ok(output)
        }));
        let seen = calls.clone();
        driver.at(Phase::BeforeTrainEpoch, move |_| seen.push("an epoch begins"));
        // cut in the first epoch, then in the second
        driver.plan.train.stop_after = Some(if dir.join("run/checkpoints/latest").exists() { 5 } else { 3 });
        match dir.join("run/checkpoints/latest").exists() {
            true => driver.run(|driver| driver.restore(newest(dir)).and_then(|()| driver.train())).unwrap(),
            false => driver.train_all().unwrap(),
        };
        calls.take().into_iter().take_while(|call| *call != "an epoch begins").collect::<Vec<_>>()
    };
    let dir = support::folder();
    assert_eq!(tried(2, dir.path()), ["val", "val", "hard", "hard"]);
    assert!(tried(2, dir.path()).is_empty());
    // a loader that has fewer batches is tried with those that it has
    assert_eq!(tried(99, support::folder().path()).len(), 6);
    assert!(tried(0, support::folder().path()).is_empty());
}

/// Rows without their times.
fn numbers(rows: &Rows) -> Vec<(RowPhase, Option<String>, u64, String)> {
    let timed = |name: &str| ["iter_time", "data_time", "samples_per_second", "eta"].contains(&name);
    let of = |row: &Row| {
        let values: Vec<_> = row.values.iter().filter(|(name, _)| !timed(name)).collect();
        (row.phase, row.loader.clone(), row.at.iter, format!("{values:?}"))
    };
    rows.lock().unwrap().iter().map(of).collect()
}

#[test]
fn a_sanity_validation_leaves_no_trace() {
    fn run<S: Shape>(sanity: u64) -> impl PartialEq + std::fmt::Debug {
        let dir = support::folder();
        let mut driver = Setup { ema: Some("(decay: 0.5)"), ..setup(sanity) }.in_folder::<S>(dir.path());
        let (rows, lines) = driver.keep_rows();
        let phases = driver.record_phases();
        driver.toy().on_val = Some(Box::new(|output: Output, cx| {
            cx.log("logged", 1.0);
            if cx.iter().get() == 0 {
                cx.say("nobody is to read this")?;
                cx.stop("nobody has asked for this");
                cx.validate();
            }
            Ok(output.value("said", 2.0))
        }));
        driver.train_all().unwrap();
        let newest = newest(dir.path());
        let state = newest.state.0.keys().cloned().collect::<Vec<_>>();
        let said = lines.lock().unwrap().clone();
        (numbers(&rows), said, phases.phases(), driver.weights(), newest.meta.iter, state)
    }
    assert_eq!(run::<TwoVals>(0), run::<TwoVals>(2));
}
