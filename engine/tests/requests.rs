//! What a hook can ask for and look at, and what the built-in hooks make of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use engine::base::{Clock, Error, Iter, Result};
use engine::hooks::EarlyStopping;
use engine::loops::End;
use engine::phase::Phase;
use engine::prelude::Context;
use engine::run::{Exception, Save};
use std::cell::RefCell;
use std::rc::Rc;
use support::{
    Bare, ByEpoch, ByIter, Everything, Full, Setup, Toyed as _, TwoVals, checkpoints, every, flat, from_ron, newest,
};
use tch::Tensor;

/// Runs one iter and gives what `look` returns in this phase.
fn looked<R: 'static>(at: Phase, look: impl Fn(&mut Context<'_>) -> R + 'static) -> R {
    let mut driver = Setup::default().plain::<Everything>();
    let seen = Rc::new(RefCell::new(None));
    let kept = seen.clone();
    driver.on(move |phase, cx| {
        if phase == at && kept.borrow().is_none() {
            *kept.borrow_mut() = Some(look(cx));
        }
        Ok(())
    });
    driver
        .run(|driver| {
            driver.train()?;
            driver.test()?;
            driver.predict(&mut |_| Ok(()))
        })
        .unwrap();
    seen.take().unwrap()
}

#[test]
fn an_unknown_model_or_optimizer_is_named_with_those_that_are_near() {
    let text = looked(Phase::BeforeTrain, |cx| {
        let near = cx.model("nett").map(|_| ()).unwrap_err();
        let far = cx.optimizer("generator").map(|_| ()).unwrap_err();
        [near.to_string(), far.to_string(), cx.models().get("xyz").map(|_| ()).unwrap_err().to_string()]
    });
    assert_eq!(text[0], "no model is named `nett`, did you mean `net`?");
    assert_eq!(text[1], "no optimizer is named `generator`, expected `opt`");
    assert_eq!(text[2], "no model is named `xyz`, expected `net`");
}

#[test]
fn models_and_optimizers_can_be_looked_at_in_every_phase() {
    for phase in [Phase::BeforeRun, Phase::AfterForward, Phase::BeforeValIter, Phase::AfterTest, Phase::AfterRun] {
        let (variables, lr) = looked(phase, |cx| {
            let lr = cx.optimizer("opt").unwrap().groups()[0].settings().get("lr").unwrap();
            (cx.models().get("net").unwrap().variables().len(), lr)
        });
        assert_eq!((variables, lr), (4, 0.1), "{phase}");
    }
}

#[test]
fn there_is_an_output_from_the_forward_pass_to_the_end_of_its_iter_and_no_longer() {
    use Phase::*;
    let has = |phase: Phase| looked(phase, |cx| cx.output().map(|_| ()).map_err(|error| error.to_string()));
    for phase in [AfterForward, AfterBackward, AfterTrainBatch, AfterOptimizerStep, AfterTrainIter] {
        assert!(has(phase).is_ok(), "{phase}");
    }
    for phase in [AfterValIter, AfterTestIter] {
        assert!(has(phase).is_ok(), "{phase}");
    }
    for phase in
        [BeforeTrain, BeforeTrainIter, BeforeTrainBatch, AfterTrainEpoch, BeforeValIter, AfterValEpoch, AfterVal]
    {
        let text = has(phase).unwrap_err();
        assert!(text.starts_with(&format!("there is no output in `{phase}`; take it in `after_forward`")), "{text}");
    }
}

#[test]
fn the_output_of_the_last_iter_is_gone_before_the_next_one() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if matches!(phase, Phase::BeforeTrainIter | Phase::BeforeTrainBatch) && cx.output().is_ok() {
            return Err(Error::msg("an old output"));
        }
        Ok(())
    });
    driver.train_all().unwrap();
}

#[test]
fn an_output_holds_no_graph_once_its_batch_is_done() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if phase == Phase::AfterTrainBatch {
            assert!(!cx.output()?.loss().requires_grad());
        }
        Ok(())
    });
    driver.train_all().unwrap();
}

#[test]
fn a_metric_that_nothing_produces_is_told_with_those_that_are() {
    let text = looked(Phase::BeforeTrain, |cx| {
        [cx.better("val/acuracy").unwrap_err().to_string(), cx.better("x").unwrap_err().to_string()]
    });
    assert_eq!(text[0], "nothing produces `val/acuracy`, did you mean `val/accuracy`?");
    assert!(text[1].starts_with("nothing produces `x`, expected one of `val/loss`, `val/accuracy`"), "{}", text[1]);
}

#[test]
fn weights_swapped_in_and_out_are_the_same_bits() {
    let driver = Setup::default().plain::<ByEpoch>();
    let mut driver = driver;
    let before = driver.weights();
    let model = driver.run.models.get_mut("net").unwrap();
    let handle = model.variables()[0].1.shallow_clone();
    let mut others: Vec<(String, Tensor)> =
        model.copied().into_iter().map(|(name, tensor)| (name, tensor * 0.1 + 0.3)).collect();
    let theirs = flat(&others);
    model.exchange(&mut others).unwrap();
    assert_eq!(flat(model.variables()), theirs);
    assert_eq!(flat(&others), before);
    // whoever held the tensor sees the new values: layers, optimizers
    assert_eq!(Vec::<f32>::try_from(handle.detach()).unwrap(), theirs[0].1);
    model.exchange(&mut others).unwrap();
    assert_eq!(flat(model.variables()), before);
    assert_eq!(flat(&others), theirs);
    assert!(model.variables().iter().all(|(_, tensor)| tensor.requires_grad()));
}

#[test]
fn weights_that_do_not_fit_are_refused_and_nothing_is_exchanged() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let before = driver.weights();
    let model = driver.run.models.get_mut("net").unwrap();
    let mut fewer = model.copied();
    drop(fewer.remove(1));
    let error = model.exchange(&mut fewer).unwrap_err().to_string();
    assert!(error.contains("missing `first.weight`"), "{error}");
    let mut other = model.copied();
    other[3].1 = Tensor::from_slice(&[1.0f32]);
    let error = model.exchange(&mut other).unwrap_err().to_string();
    assert!(error.contains("`net.second.weight` has shape [3, 8], the given weights have [1]"), "{error}");
    let mut unsorted = model.copied();
    unsorted.swap(0, 2);
    let error = model.load(&unsorted).unwrap_err().to_string();
    assert!(error.contains("not sorted by name"), "{error}");
    assert_eq!(driver.weights(), before);
}

// --- saving

/// Asks for a checkpoint in this phase of this iter.
fn saved_in(at: Phase, iter: u64) -> (Vec<String>, tempfile::TempDir) {
    let dir = support::folder();
    let mut driver =
        Setup { checkpoint: "(interval: 1000, save_last: false)", ..Setup::epochs(2) }.in_folder::<ByEpoch>(dir.path());
    driver.on(move |phase, cx| {
        if phase == at && cx.iter().get() == iter {
            cx.save(Save { name: "mine".into(), latest: true });
            cx.save(Save { name: "mine".into(), latest: true });
        }
        Ok(())
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(log.count(Phase::BeforeSaveCheckpoint), 1, "{at}");
    (checkpoints(dir.path()), dir)
}

#[test]
fn a_checkpoint_is_written_only_where_no_iter_is_half_done() {
    let expected = [
        (Phase::BeforeTrain, 0, 0),
        (Phase::BeforeTrainIter, 1, 2),
        (Phase::AfterForward, 1, 2),
        (Phase::AfterTrainIter, 2, 2),
        (Phase::AfterTrainEpoch, 3, 3),
        (Phase::AfterTrain, 6, 6),
    ];
    for (phase, asked, written) in expected {
        let (names, dir) = saved_in(phase, asked);
        assert_eq!(names, ["mine"], "{phase}");
        assert_eq!(newest(dir.path()).meta.iter, Iter(written), "{phase}");
    }
}

#[test]
fn a_failed_run_writes_nothing_that_was_asked_for_before() {
    let dir = support::folder();
    let mut driver = Setup::epochs(1).in_folder::<ByEpoch>(dir.path());
    driver.on(|phase, cx| match phase {
        Phase::AfterBackward => {
            cx.save(Save { name: "mine".into(), latest: true });
            Err(Error::msg("the fault"))
        }
        _ => Ok(()),
    });
    driver.train_all().unwrap_err();
    assert!(checkpoints(dir.path()).is_empty());
}

#[test]
fn an_unfit_name_of_a_checkpoint_ends_the_run_with_the_reason() {
    let dir = support::folder();
    let mut driver = Setup::epochs(1).in_folder::<ByEpoch>(dir.path());
    driver.on(|phase, cx| {
        if phase == Phase::AfterTrainIter {
            cx.save(Save { name: "a/b".into(), latest: true });
        }
        Ok(())
    });
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.starts_with("the checkpoint `a/b` can't be written"), "{error}");
}

/// The names of the checkpoints that a training leaves.
fn kept(setup: &Setup) -> Vec<String> {
    let dir = support::folder();
    setup.in_folder::<ByEpoch>(dir.path()).train_all().unwrap();
    checkpoints(dir.path())
}

#[test]
fn checkpoints_come_at_their_interval_on_either_clock_and_the_newest_are_kept() {
    let setup = |checkpoint| Setup { checkpoint, ..Setup::epochs(5) };
    let names = |iters: &[u64]| iters.iter().map(|iter| format!("iter_{iter:09}")).collect::<Vec<_>>();
    assert_eq!(kept(&setup("()")), names(&[9, 12, 15]));
    assert_eq!(kept(&setup("(interval: 2, keep: 9, save_last: false)")), names(&[6, 12]));
    assert_eq!(kept(&setup("(interval: 2, keep: 9)")), names(&[6, 12, 15]));
    assert_eq!(kept(&setup("(interval: 4, by: Iter, keep: 9)")), names(&[4, 8, 12, 15]));
    assert_eq!(kept(&setup("(interval: 4, by: Iter, begin: 9, keep: 9, save_last: false)")), names(&[12]));
    assert_eq!(kept(&setup("(keep: 1)")), names(&[15]));
}

#[test]
fn the_last_state_is_saved_wherever_the_stop_was_asked_for() {
    use Phase::*;
    for phase in [BeforeTrainIter, AfterTrainIter, AfterTrainEpoch, AfterVal, AfterSaveCheckpoint] {
        let dir = support::folder();
        let mut setup = Setup { checkpoint: "(interval: 7, by: Iter)", ..Setup::default() };
        setup.train.max_epochs = Some(9);
        let mut driver = setup.in_folder::<ByEpoch>(dir.path());
        // behind the hook that saves
        let mut late = support::probe(move |now, cx| {
            if now == phase && cx.iter().get() >= 8 {
                cx.stop("enough");
            }
            Ok(())
        });
        late.action.push(Box::new(|_, _| Ok(())));
        driver.hooks.add(engine::hook::CustomHook {
            origin: "custom_hooks.0".into(),
            priority: engine::base::Priority::new(100).unwrap(),
            hook: Box::new(late),
        });
        assert!(matches!(driver.train_all().unwrap(), End::Stopped { .. }));
        let at = driver.run.clocks().iter();
        assert_eq!(newest(dir.path()).meta.iter, at, "{phase}");
    }
}

#[test]
fn the_best_checkpoint_is_that_of_the_best_value_and_holds_the_whole_run() {
    let dir = support::folder();
    let setup =
        Setup { checkpoint: r#"(keep: 1, save_best: ["val/loss"])"#, ema: Some("()"), adam: true, ..Setup::default() };
    let mut driver = with_losses(setup, &[3.0, 1.0, f64::NAN, 2.0], dir.path());
    driver.train_all().unwrap();
    assert_eq!(checkpoints(dir.path()), ["best_val_loss", "iter_000000012"]);
    let best = engine::checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter, Iter(6));
    for part in ["optimizers.opt", "cursor", "generators", "hooks.ema", "hooks.checkpoint", "record"] {
        assert!(best.state.0.contains_key(part), "{part}");
    }
}

#[test]
fn a_value_that_is_no_number_is_never_the_best() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    with_losses(setup, &[f64::NAN], dir.path()).train_all().unwrap();
    assert_eq!(checkpoints(dir.path()), ["iter_000000003"]);
}

#[test]
fn of_several_checkpoints_of_one_iter_the_regular_one_is_the_latest() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    with_losses(setup, &[2.0, 1.0], dir.path()).train_all().unwrap();
    let latest = std::fs::read_to_string(dir.path().join("run/checkpoints/latest")).unwrap();
    assert_eq!(latest, "iter_000000006\n");
}

#[test]
fn a_signal_saves_what_a_validation_has_added_to_a_saved_iter() {
    let dir = support::folder();
    let checkpoint = "(interval: 2, by: Iter, save_last: false)";
    let mut driver =
        Setup { checkpoint, val: Some(every(100, Clock::Epoch)), ..Setup::default() }.in_folder::<ByEpoch>(dir.path());
    let signals = driver.signals.clone();
    driver.on(move |phase, cx| {
        match phase {
            // then the last weights are validated, although they are saved already
            Phase::AfterSaveCheckpoint => cx.stop("enough"),
            Phase::AfterVal => signals.raise(engine::run::Signal::Interrupt),
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    let mut saved = newest(dir.path());
    assert_eq!(saved.meta.iter, Iter(2));
    assert_eq!(saved.state.take::<Option<Iter>>("last_val").unwrap(), Some(Iter(2)));
}

#[test]
fn a_resumed_run_knows_its_best_value() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    with_losses(setup.clone(), &[1.0, 2.0], dir.path()).train_all().unwrap();
    let mut driver = with_losses(setup, &[1.5, 1.4, 1.3], dir.path());
    driver.train_plan.max_epochs = Some(4);
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    let best = engine::checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter, Iter(3));
}

/// A program whose validation losses are these, epoch by epoch.
fn with_losses(mut setup: Setup, losses: &'static [f64], dir: &std::path::Path) -> Full<ByEpoch> {
    setup.train.max_epochs = Some(losses.len() as u64);
    let mut driver = setup.in_folder::<ByEpoch>(dir);
    let epoch = Rc::new(RefCell::new(0));
    let current = epoch.clone();
    let first = std::cell::Cell::new(None);
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeVal {
            let start = first.get().unwrap_or(cx.epoch().get());
            first.set(Some(start));
            *current.borrow_mut() = (cx.epoch().get() - start) as usize;
        }
        Ok(())
    });
    driver.toy().on_val = Some(Box::new(move |output, _| {
        let loss = engine::base::Output::new(Tensor::from(losses[*epoch.borrow()]));
        Ok(["logits", "target"].into_iter().fold(loss, |loss, name| loss.tensor(name, output.get(name).unwrap())))
    }));
    driver
}

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

// --- early stopping

/// How a training ends whose validation losses are these, with these settings; and after how many epochs.
fn stopped(settings: &str, losses: &'static [f64]) -> (End, u64) {
    let dir = support::folder();
    let mut driver = with_losses(Setup { checkpoint: "(interval: 99)", ..Setup::default() }, losses, dir.path());
    driver.add(from_ron::<EarlyStopping>(settings));
    let end = driver.train_all().unwrap();
    (end, driver.run.clocks().epoch().get())
}

fn reason(text: &str) -> End {
    End::Stopped { reason: text.to_owned() }
}

#[test]
fn early_stopping_waits_for_its_patience() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", patience: 2)"#, &[3.0, 2.0, 2.0, 2.5, 1.0]);
    assert_eq!(end, reason("`val/loss` has not become better than 2 for 2 validations"));
    assert_eq!(epochs, 4);
    let (end, _) = stopped(r#"(monitor: "val/loss", patience: 2)"#, &[3.0, 2.0, 2.5, 1.0, 1.5]);
    assert_eq!(end, End::Finished);
}

#[test]
fn early_stopping_takes_no_smaller_change_than_its_delta_for_one() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", patience: 1, min_delta: 0.5)"#, &[3.0, 2.0, 1.6, 0.1]);
    assert_eq!((end, epochs), (reason("`val/loss` has not become better than 2 for 1 validations"), 3));
}

#[test]
fn early_stopping_ends_where_its_threshold_is_reached() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss", threshold: 1.0)"#, &[3.0, 1.0, 0.5]);
    assert_eq!((end, epochs), (reason("`val/loss` has reached 1"), 2));
}

#[test]
fn early_stopping_ends_at_a_value_that_is_no_number_unless_told_otherwise() {
    let (end, epochs) = stopped(r#"(monitor: "val/loss")"#, &[3.0, f64::NAN, 0.5]);
    assert_eq!((end, epochs), (reason("`val/loss` is NaN"), 2));
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
    driver.train_plan.max_epochs = Some(6);
    driver.add(from_ron::<EarlyStopping>(settings));
    let end = driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(end, reason("`val/loss` has not become better than 1 for 3 validations"));
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

// --- averages

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

#[test]
fn two_metrics_of_one_name_are_refused() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.file_metrics.push(support::metric::<engine::metric::MeanLoss>());
    let error = driver.measures().unwrap_err().to_string();
    assert_eq!(error, "two metrics produce `loss`; give one of them a `name`");
}

#[test]
fn a_stop_asked_for_by_a_step_is_one_by_a_hook() {
    let mut driver = Setup::iters(9).plain::<ByIter>();
    driver.toy().on_train = Some(Box::new(|output, cx| {
        cx.stop("the step has seen enough");
        Ok(output)
    }));
    assert_eq!(driver.train_all().unwrap(), reason("the step has seen enough"));
    assert_eq!(driver.run.clocks().iter().get(), 1);
}

#[test]
fn hooks_tell_a_failure_from_a_signal() {
    let mut driver = Setup::epochs(1).plain::<Bare>();
    let signals = driver.signals.clone();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    driver.on(move |phase, cx| -> Result<()> {
        if phase == Phase::AfterForward {
            signals.raise(engine::run::Signal::Interrupt);
        }
        if let Some(exception) = cx.exception() {
            kept.borrow_mut().push((phase, matches!(exception, Exception::Signal(_))));
        }
        Ok(())
    });
    driver.train_all().unwrap();
    let expected = [Phase::OnException, Phase::AfterTrainEpoch, Phase::AfterTrain, Phase::AfterRun];
    assert_eq!(seen.take(), expected.map(|phase| (phase, true)));
}
