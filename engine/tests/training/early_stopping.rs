//! A training ends early when its metric says so.

use crate::support::{self, Everything, Setup, Toyed as _, checkpoints, ended_by, from_ron, newest, with_losses};
use engine::hooks::EarlyStopping;
use engine::loops::End;
use engine::phase::Phase;

#[test]
fn a_metric_that_can_not_be_watched_is_refused_before_the_first_iter() {
    for (name, why) in [("val/los", "did you mean `val/loss`?"), ("test/loss", "is not produced while training")] {
        let stopping = format!(r#"(monitor: "{name}")"#);
        let mut driver = Setup::default().full::<Everything>();
        driver.add(from_ron::<EarlyStopping>(&stopping));
        let log = driver.record_phases();
        let error = format!("{:#}", driver.train_all().unwrap_err());
        assert!(error.starts_with("`EarlyStopping` failed in `before_train`") && error.contains(why), "{error}");
        assert_eq!(log.count(Phase::BeforeTrainEpoch), 0);
    }
}

/// How a training ends whose validation losses are these, with these settings; and after how many epochs.
fn stopped(settings: &str, losses: &'static [f64]) -> (End, u64) {
    let dir = support::folder();
    let mut driver = with_losses(Setup { checkpoint: "(interval: 99)", ..Setup::default() }, losses, dir.path());
    driver.add(from_ron::<EarlyStopping>(settings));
    let end = driver.train_all().unwrap();
    (end, driver.run.clocks().epoch().get())
}

#[test]
fn early_stopping_waits_for_its_patience() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", patience: 2)"#, &[3.0, 2.0, 2.0, 2.5, 1.0]);
    assert_eq!(end, ended_by("EarlyStopping", "`val/loss` has not become better than 2 for 2 validations"));
    assert_eq!(epochs, 4);
    let (end, _) = stopped(r#"(monitor: "val/loss", patience: 2)"#, &[3.0, 2.0, 2.5, 1.0, 1.5]);
    assert_eq!(end, End::Finished);
}

#[test]
fn early_stopping_takes_no_smaller_change_than_its_delta_for_one() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", patience: 1, min_delta: 0.5)"#, &[3.0, 2.0, 1.6, 0.1]);
    assert_eq!(
        (end, epochs),
        (ended_by("EarlyStopping", "`val/loss` has not become better than 2 for 1 validations"), 3)
    );
}

#[test]
fn early_stopping_ends_where_its_threshold_is_reached() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", threshold: 1.0)"#, &[3.0, 1.0, 0.5]);
    assert_eq!((end, epochs), (ended_by("EarlyStopping", "`val/loss` has reached 1"), 2));
}

#[test]
fn early_stopping_ends_at_a_value_that_is_no_number_unless_told_otherwise() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss")"#, &[3.0, f64::NAN, 0.5]);
    assert_eq!((end, epochs), (ended_by("EarlyStopping", "`val/loss` is NaN"), 2));
    let (end, _) = stopped(r#"(monitor: "val/loss", check_finite: false)"#, &[3.0, f64::NAN, 0.5]);
    assert_eq!(end, End::Finished);
}

#[test]
fn early_stopping_goes_on_counting_after_a_resume() {
    let dir = support::folder();
    let settings = r#"(monitor: "val/loss", patience: 3)"#;
    let mut driver = with_losses(Setup::default(), &[1.0, 2.0, 2.0], dir.path());
    driver.add(from_ron::<EarlyStopping>(settings));
    driver.train_all().unwrap();
    drop(driver);
    let mut driver = with_losses(Setup::default(), &[2.0, 2.0, 2.0], dir.path());
    driver.plan.train.max_epochs = Some(6);
    driver.add(from_ron::<EarlyStopping>(settings));
    let end = driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(end, ended_by("EarlyStopping", "`val/loss` has not become better than 1 for 3 validations"));
    assert_eq!(driver.run.clocks().epoch().get(), 4);
}

#[test]
fn an_evaluation_alone_stops_and_saves_nothing() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    let mut driver = with_losses(setup, &[f64::NAN], dir.path());
    driver.add(from_ron::<EarlyStopping>(r#"(monitor: "val/loss")"#));
    assert_eq!(driver.run(|driver| driver.val().map(|_| ())).unwrap(), End::Finished);
    assert!(checkpoints(dir.path()).is_empty());
}
