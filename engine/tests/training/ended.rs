//! A training that a hook or a step has ended stays ended when it is resumed, unless somebody has changed that.

use crate::support::{self, ByEpoch, ByIter, Full, Lines, Setup, Toyed as _, ended_by, from_ron, newest, with_losses};
use engine::base::{Error, Output, Result, State, StateError, StateMap};
use engine::hooks::EarlyStopping;
use engine::loops::End;
use engine::metric::{Better, Measure, Metric};
use engine::phase::Phase;
use engine::run::Signal;

/// Asks for an end in this phase of iter 2.
fn stopping(setup: &Setup, at: Phase, dir: &std::path::Path) -> Full<ByEpoch> {
    let mut driver = setup.in_folder::<ByEpoch>(dir);
    driver.at(at, |cx| {
        if cx.iter().get() == 2 {
            cx.stop("enough");
        }
    });
    driver
}

/// Goes on with the run in a folder; how it ended, at which iter, and what was told.
fn resumed(mut driver: Full<ByEpoch>, dir: &std::path::Path) -> (End, u64, Vec<String>) {
    let lines = Lines::default();
    driver.keep_rows_in(&Default::default(), &lines);
    let end = driver.run(|driver| driver.restore(newest(dir)).and_then(|()| driver.train())).unwrap();
    let told = lines.lock().unwrap().clone();
    (end, driver.run.clocks().iter().get(), told)
}

#[test]
fn a_training_that_a_hook_has_ended_says_so_and_trains_nothing_when_it_is_resumed() {
    // decided after an iter, before an epoch, after a validation, and when the checkpoint of the iter is written already
    for (at, setup) in [
        (Phase::AfterTrainIter, Setup::epochs(3)),
        (Phase::BeforeTrainEpoch, Setup { samples: 4, ..Setup::epochs(3) }),
        (Phase::AfterVal, Setup { samples: 4, ..Setup::default() }),
        (Phase::AfterSaveCheckpoint, Setup { checkpoint: "(interval: 1, by: Iter)", ..Setup::epochs(3) }),
    ] {
        let dir = support::folder();
        assert_eq!(stopping(&setup, at, dir.path()).train_all().unwrap(), ended_by("probe", "enough"), "{at}");
        for _ in 0..2 {
            let mut driver = setup.in_folder::<ByEpoch>(dir.path());
            let log = driver.record_phases();
            let (end, iter, told) = resumed(driver, dir.path());
            assert_eq!((end, iter), (ended_by("probe", "enough"), 2), "{at}");
            assert_eq!(log.count(Phase::BeforeTrainIter), 0, "{at}");
            let text = "the training was ended at iter 2 by `probe`: enough; nothing is trained: a longer plan, other settings of `probe` or `--continue` let it go on";
            assert_eq!(told, [text], "{at}");
        }
    }
}

#[test]
fn a_step_that_has_ended_a_training_is_told_as_a_hook_is() {
    let dir = support::folder();
    let mut driver = Setup::epochs(2).in_folder::<ByEpoch>(dir.path());
    driver.toy().on_train = Some(Box::new(|output, cx| {
        cx.stop("the step has seen enough");
        Ok(output)
    }));
    driver.train_all().unwrap();
    drop(driver);
    let (end, iter, told) = resumed(Setup::epochs(2).in_folder(dir.path()), dir.path());
    assert_eq!((end, iter), (ended_by("train_step", "the step has seen enough"), 1));
    assert!(told[0].starts_with("the training was ended at iter 1 by `train_step`: the step has seen enough; nothing"));
}

#[test]
fn a_longer_plan_the_command_line_or_other_settings_let_it_go_on() {
    let ended = || {
        let dir = support::folder();
        let mut driver = stopping(&Setup::epochs(2), Phase::AfterTrainIter, dir.path());
        driver.run.settings.insert("hooks.probe".into(), "(at: 2)".into());
        driver.train_all().unwrap();
        dir
    };
    let goes_on = |change: &dyn Fn(&mut Full<ByEpoch>), iters: u64, why: &str| {
        let dir = ended();
        let mut driver = Setup::epochs(2).in_folder::<ByEpoch>(dir.path());
        driver.run.settings.insert("hooks.probe".into(), "(at: 2)".into());
        change(&mut driver);
        let (end, iter, told) = resumed(driver, dir.path());
        assert_eq!((end, iter), (End::Finished, iters), "{why}");
        assert_eq!(told, [format!("the training was ended at iter 2 by `probe`: enough; it goes on, for {why}")]);
    };
    goes_on(&|driver| driver.plan.train.max_epochs = Some(3), 9, "its plan is longer now");
    goes_on(&|driver| driver.plan.train.past_end = true, 6, "`--continue` asks for it");
    let other = |driver: &mut Full<ByEpoch>| drop(driver.run.settings.insert("hooks.probe".into(), "(at: 3)".into()));
    goes_on(&other, 6, "the settings of `probe` have changed");
    goes_on(&|driver| drop(driver.run.settings.remove("hooks.probe")), 6, "the settings of `probe` have changed");
    // a shorter plan, or the settings of another hook, are no reason
    let dir = ended();
    let mut driver = Setup::epochs(1).in_folder::<ByEpoch>(dir.path());
    driver.run.settings.insert("hooks.probe".into(), "(at: 2)".into());
    driver.run.settings.insert("hooks.logger".into(), "(interval: 3)".into());
    assert_eq!(resumed(driver, dir.path()).0, ended_by("probe", "enough"));
}

#[test]
fn a_limit_and_a_signal_interrupt_a_training_and_do_not_end_it() {
    let dir = support::folder();
    let mut limited = Setup::epochs(2);
    limited.train.stop_after = Some(2);
    limited.in_folder::<ByEpoch>(dir.path()).train_all().unwrap();
    let driver = Setup::epochs(2).in_folder::<ByEpoch>(dir.path());
    driver.run.signals.raise(Signal::Terminate);
    assert_eq!(resumed(driver, dir.path()).0, End::Signal(Signal::Terminate));
    assert_eq!(resumed(Setup::epochs(2).in_folder(dir.path()), dir.path()), (End::Finished, 6, vec![]));
}

#[test]
fn a_signal_or_a_limit_in_the_same_iter_does_not_hide_the_end() {
    for limit in [false, true] {
        let dir = support::folder();
        let mut setup = Setup::epochs(2);
        setup.train.stop_after = limit.then_some(2);
        let mut driver = stopping(&setup, Phase::AfterTrainIter, dir.path());
        let signals = driver.run.signals.clone();
        driver.at(Phase::AfterTrainIter, move |cx| {
            if cx.iter().get() == 2 && !limit {
                signals.raise(Signal::Interrupt);
            }
        });
        driver.train_all().unwrap();
        drop(driver);
        let (end, iter, _) = resumed(Setup::epochs(2).in_folder(dir.path()), dir.path());
        assert_eq!((end, iter), (ended_by("probe", "enough"), 2), "limit: {limit}");
    }
}

#[test]
fn early_stopping_ends_a_training_for_good_by_each_of_its_reasons() {
    let cases: [(&str, &'static [f64], &str); 3] = [
        (r#"(monitor: "val/loss", threshold: 2.5)"#, &[3.0, 2.0, 2.0], "`val/loss` has reached 2"),
        (r#"(monitor: "val/loss")"#, &[3.0, f64::NAN, 2.0], "`val/loss` is NaN"),
        (
            r#"(monitor: "val/loss", patience: 1)"#,
            &[2.0, 3.0, 2.0],
            "`val/loss` has not become better than 2 for 1 validations",
        ),
    ];
    for (settings, losses, reason) in cases {
        let dir = support::folder();
        let driver = |losses| {
            let mut driver = with_losses(Setup::default(), losses, dir.path());
            driver.plan.train.max_epochs = Some(3);
            driver.add(from_ron::<EarlyStopping>(settings));
            driver
        };
        assert_eq!(driver(losses).train_all().unwrap(), ended_by("EarlyStopping", reason));
        let (end, iter, _) = resumed(driver(&[1.0]), dir.path());
        assert_eq!((end, iter), (ended_by("EarlyStopping", reason), 6));
        // with leave to go on, it has its patience anew
        let mut past = driver(&[1.0]);
        past.plan.train.past_end = true;
        assert_eq!(resumed(past, dir.path()).1, 9);
    }
}

/// `score`, which is 1 whenever it is measured: in every second validation.
#[derive(Debug, Default)]
struct Seldom {
    validations: u64,
}

impl State for Seldom {
    fn save_state(&self) -> StateMap {
        let mut map = StateMap::new();
        map.put("validations", &self.validations);
        map
    }
    fn load_state(&mut self, mut state: StateMap) -> std::result::Result<(), StateError> {
        self.validations = state.take("validations")?;
        Ok(())
    }
}

impl Metric for Seldom {
    fn update(&mut self, _: &Output, _: usize) -> Result<()> {
        Ok(())
    }
    fn compute(&self) -> Result<Vec<(String, f64)>> {
        Ok((self.validations % 2 == 1).then(|| ("score".to_owned(), 1.0)).into_iter().collect())
    }
    fn reset(&mut self) {
        self.validations += 1;
    }
    fn merge(&mut self, _: StateMap) -> Result<()> {
        Err(Error::msg("this test has one process"))
    }
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new("score", Better::Higher)]
    }
}

#[test]
fn a_validation_without_the_metric_is_none_that_patience_counts_or_a_best_is_kept_of() {
    let dir = support::folder();
    let checkpoint = r#"(interval: 99, save_last: false, save_best: ["val/score"])"#;
    let mut driver = Setup { checkpoint, ..Setup::epochs(9) }.in_folder::<ByEpoch>(dir.path());
    driver.plan.val = Some(support::every(1, engine::base::Clock::Epoch));
    driver.run.seen.results.file_metrics.push(Box::new(Seldom::default()));
    driver.run.seen.results.measures = driver.measures().unwrap();
    driver.add(from_ron::<EarlyStopping>(r#"(monitor: "val/score", patience: 2)"#));
    let told = driver.watch_at(Phase::AfterVal, |cx| (cx.new_metric("val/score"), cx.metric("val/score")));
    let end = driver.train_all().unwrap();
    // measured after epochs 1, 3 and 5: the first value, then two that are not better
    assert_eq!(end, ended_by("EarlyStopping", "`val/score` has not become better than 1 for 2 validations"));
    assert_eq!(driver.run.clocks().epoch().get(), 5);
    let (some, none) = ((Some(1.0), Some(1.0)), (None, Some(1.0)));
    assert_eq!(told.take(), [some, none, some, none, some]);
}

#[test]
fn a_limit_validates_to_show_it_and_leaves_patience_and_best_as_they_are() {
    let patience = |stop_after| {
        let mut setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::iters(9) };
        setup.val = Some(support::every(2, engine::base::Clock::Iter));
        setup.lr = 1e-30;
        setup.train.stop_after = stop_after;
        setup
    };
    let driver = |setup: Setup, dir: &std::path::Path| {
        let mut driver = setup.in_folder::<ByIter>(dir);
        driver.add(from_ron::<EarlyStopping>(r#"(monitor: "val/loss", patience: 2)"#));
        driver
    };
    let uncut = support::folder();
    let mut whole = driver(patience(None), uncut.path());
    whole.train_all().unwrap();
    assert_eq!(whole.run.clocks().iter().get(), 6);

    let dir = support::folder();
    for limit in [1, 3, 5] {
        let mut cut = driver(patience(Some(limit)), dir.path());
        let shown = cut.watch_at(Phase::AfterVal, |cx| cx.iter().get());
        let resume = limit > 1;
        cut.run(|program| {
            if resume {
                program.restore(newest(dir.path()))?
            }
            program.train()
        })
        .unwrap();
        // the last weights are validated, whether or not the plan says so
        assert_eq!(shown.last(), Some(limit));
    }
    let mut last = driver(patience(None), dir.path());
    last.run(|program| program.restore(newest(dir.path())).and_then(|()| program.train())).unwrap();
    assert_eq!(last.run.clocks().iter().get(), 6);
    assert!(support::checkpoints(dir.path()).contains(&"best_val_loss".to_owned()));
    let best = engine::checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter.get(), 2);
}

#[test]
fn the_learning_rate_of_a_schedule_that_was_removed_is_that_of_the_file() {
    let lr = |driver: &Full<ByEpoch>| driver.run.updates.optimizers()[0].groups()[0].settings().get("lr").unwrap();
    let dir = support::folder();
    let mut setup = Setup::epochs(2);
    setup.train.stop_after = Some(2);
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let schedules = engine::config::parse_text("test", "[Linear(start: 0.1, iters: 4)]").unwrap();
    driver.run.updates.schedules = schedules.read().unwrap();
    driver.train_all().unwrap();
    let scheduled = lr(&driver);
    assert!(scheduled < 0.09, "{scheduled}");
    drop(driver);
    let mut driver = Setup::epochs(2).in_folder::<ByEpoch>(dir.path());
    let seen =
        driver.watch_at(Phase::BeforeTrainIter, |cx| cx.optimizers()[0].groups()[0].settings().get("lr").unwrap());
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(seen.take(), [0.1; 4]);
}

#[test]
fn a_learning_rate_that_a_hook_has_set_stays_set_after_a_resume() {
    let dir = support::folder();
    let mut setup = Setup::epochs(2);
    setup.train.stop_after = Some(2);
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    driver.at(Phase::BeforeTrain, |cx| cx.optimizers_mut()[0].groups_mut()[0].settings_mut().set("lr", 0.03).unwrap());
    driver.train_all().unwrap();
    drop(driver);
    let mut driver = Setup::epochs(2).in_folder::<ByEpoch>(dir.path());
    let seen =
        driver.watch_at(Phase::BeforeTrainIter, |cx| cx.optimizers()[0].groups()[0].settings().get("lr").unwrap());
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(seen.take(), [0.03; 4]);
}
