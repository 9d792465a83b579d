//! A schedule that follows a metric: against the numbers of PyTorch 2.11.0 (`fixtures/plateau.py`), and in a training.

use crate::support::{self, Everything, Full, Setup, Shape, Toyed as _, newest, with_losses};
use engine::base::{Epoch, Iter};
use engine::loops::End;
use engine::metric::Better;
use engine::optim::schedule::{Linear, Plateau, ThresholdMode};
use engine::optim::{GroupName, PlannedLength, Schedules, TrainingProgress};
use engine::phase::Phase;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    settings: Settings,
    values: Vec<f64>,
    lrs: Vec<[f64; 2]>,
}

/// The settings of `ReduceLROnPlateau`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    mode: Option<String>,
    factor: Option<f64>,
    patience: Option<u64>,
    threshold: Option<f64>,
    threshold_mode: Option<String>,
    cooldown: Option<u64>,
    min_lr: Option<f64>,
    eps: Option<f64>,
}

impl Settings {
    fn plateau(&self) -> Plateau {
        let default = Plateau::new("val/loss");
        Plateau {
            factor: self.factor.unwrap_or(default.factor),
            patience: self.patience.unwrap_or(default.patience),
            threshold: self.threshold.unwrap_or(default.threshold),
            threshold_mode: match self.threshold_mode.as_deref() {
                Some("abs") => ThresholdMode::Abs,
                _ => ThresholdMode::Rel,
            },
            cooldown: self.cooldown.unwrap_or(default.cooldown),
            floor: self.min_lr.unwrap_or(default.floor),
            eps: self.eps.unwrap_or(default.eps),
            ..default
        }
    }
}

#[test]
fn sixty_validations_have_the_learning_rates_of_pytorch() {
    let cases: BTreeMap<String, Case> = serde_json::from_str(include_str!("fixtures/plateau.json")).unwrap();
    assert_eq!(cases.len(), 11);
    for (name, Case { settings, values, lrs }) in cases {
        let better = if settings.mode.as_deref() == Some("max") { Better::Higher } else { Better::Lower };
        let mut schedules = Schedules(vec![Box::new(settings.plateau())]);
        let planned = PlannedLength::epochs(60, 1);
        assert!(lrs.last() != lrs.first(), "{name}: nothing was lowered");
        for (place, (value, theirs)) in values.into_iter().zip(lrs).enumerate() {
            schedules.0[0].watching().unwrap().take(value, better);
            let now = TrainingProgress { epoch: Epoch(place as u64), iter: Iter(place as u64), planned };
            for (initial, theirs) in [0.1, 0.02].into_iter().zip(theirs) {
                let group = GroupName { optimizer: "opt", group: "default" };
                let ours = schedules.value("lr", group, initial, &now).unwrap().unwrap();
                assert!((ours - theirs).abs() <= 1e-12 * theirs, "{name} after {place}: {ours} {theirs}");
            }
        }
    }
}

/// Goes down by a tenth whenever the loss does not fall.
fn impatient() -> Plateau {
    Plateau { patience: 0, ..Plateau::new("val/loss") }
}

fn schedule<S: Shape>(driver: &mut Full<S>, schedules: Vec<Box<dyn engine::optim::ScheduleConfig>>) {
    driver.run.updates.schedules = Schedules(schedules);
}

/// The learning rate of the first update of each epoch.
fn lrs(mut driver: Full<support::ByEpoch>, resumed: Option<engine::checkpoint::Snapshot>) -> Vec<f64> {
    let seen = driver.watch(|phase, cx| {
        let is_first = phase == Phase::BeforeOptimizerStep && cx.iter().get() % 3 == 0;
        is_first.then(|| cx.optimizers()[0].groups()[0].settings().get("lr").unwrap())
    });
    let end = driver.run(|driver| {
        resumed.map_or(Ok(()), |snapshot| driver.restore(snapshot))?;
        driver.train()
    });
    assert_eq!(end.unwrap(), End::Finished);
    seen.take()
}

fn near(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
}

#[test]
fn the_validation_after_a_warm_up_does_not_count_and_those_after_it_do() {
    let dir = support::folder();
    let mut driver = with_losses(Setup::default(), &[1.0, 5.0, 5.0, 5.0, 4.0, 4.5], dir.path());
    let warm_up: Linear = ron::from_str("(start: 0.1, epochs: Some(1))").unwrap();
    schedule(&mut driver, vec![Box::new(warm_up), Box::new(impatient())]);
    let (_, lines) = driver.keep_rows();
    let found = lrs(driver, None);
    assert!(near(&found, &[0.01, 0.1, 0.1, 0.01, 0.001, 0.001]), "{found:?}");
    let told = "`val/loss` has not become better than 5 for 1 validations: `lr` is multiplied by 0.1";
    let lines = lines.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| line.contains(told)).count(), 2, "{lines:?}");
}

#[test]
fn a_resumed_training_goes_on_with_the_lowered_rate_and_the_best_value() {
    let dir = support::folder();
    let mut driver = with_losses(Setup::default(), &[1.0, 2.0], dir.path());
    schedule(&mut driver, vec![Box::new(impatient())]);
    assert!(near(&lrs(driver, None), &[0.1, 0.1]));
    let mut driver = with_losses(Setup::default(), &[1.5, 0.5], dir.path());
    driver.plan.train.max_epochs = Some(4);
    schedule(&mut driver, vec![Box::new(impatient())]);
    let found = lrs(driver, Some(newest(dir.path())));
    // 2.0 and 1.5 are not better than 1.0
    assert!(near(&found, &[0.01, 0.001]), "{found:?}");
}

#[test]
fn a_plateau_of_a_metric_that_nothing_measures_is_refused_before_the_first_iter() {
    for (name, why) in [("val/los", "did you mean `val/loss`?"), ("test/loss", "is not produced while training")] {
        let mut driver = Setup::default().full::<Everything>();
        schedule(&mut driver, vec![Box::new(Plateau::new(name))]);
        let log = driver.record_phases();
        let error = format!("{:#}", driver.train_all().unwrap_err());
        assert!(error.contains("failed in `before_train`") && error.contains(why), "{error}");
        assert_eq!(log.count(Phase::BeforeTrainEpoch), 0);
    }
}

#[test]
fn an_evaluation_alone_changes_no_schedule() {
    let dir = support::folder();
    let mut driver = with_losses(Setup::default(), &[3.0], dir.path());
    schedule(&mut driver, vec![Box::new(impatient())]);
    let before = format!("{:?}", driver.run.updates.schedules);
    driver.run(|driver| driver.val().map(|_| ())).unwrap();
    assert_eq!(format!("{:?}", driver.run.updates.schedules), before);
}
