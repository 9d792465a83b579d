//! When checkpoints are written, which are kept, and which is the best.

use crate::support::{self, ByEpoch, Setup, Toyed as _, checkpoints, every, newest, with_losses};
use engine::base::{Clock, Error, Iter, Priority, Saved as _, StateMap};
use engine::hook::CustomHook;
use engine::loops::End;
use engine::metric::MeanLoss;
use engine::phase::Phase;
use engine::run::{Save, Signal};

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
        let late = support::probe(move |now, cx| {
            if now == phase && cx.iter().get() >= 8 {
                cx.stop("enough");
            }
            Ok(())
        });
        driver.hooks.add(CustomHook {
            origin: "custom_hooks.0".into(),
            priority: Priority::new(100).unwrap(),
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
    let map = |name: &str| StateMap::restore(best.state.0[name].copied()).unwrap().0;
    for (group, entry) in
        [("updates", "optimizers"), ("loaders", "train"), ("parts", "hooks.ema"), ("parts", "hooks.checkpoint")]
    {
        assert!(map(group).contains_key(entry), "{group}: {entry}");
    }
    assert!(best.state.0.contains_key("record") && best.ranks[0].0.contains_key("generators"));
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
    let signals = driver.run.signals.clone();
    driver.on(move |phase, cx| {
        match phase {
            // then the last weights are validated, although they are saved already
            Phase::AfterSaveCheckpoint => cx.stop("enough"),
            Phase::AfterVal => signals.raise(Signal::Interrupt),
            _ => {}
        }
        Ok(())
    });
    driver.train_all().unwrap();
    let mut saved = newest(dir.path());
    assert_eq!(saved.meta.iter, Iter(2));
    assert_eq!(saved.state.take_map("clocks").unwrap().take::<Option<Iter>>("last_val").unwrap(), Some(Iter(2)));
}

#[test]
fn what_was_saved_last_is_kept_beside_folders_that_seem_to_be_newer() {
    let dir = support::folder();
    let setup = Setup { checkpoint: "(keep: 1)", ..Setup::default() };
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    std::fs::create_dir(dir.path().join("run/checkpoints/iter_000000099")).unwrap();
    driver.train_all().unwrap();
    assert_eq!(checkpoints(dir.path()), ["iter_000000006", "iter_000000099"]);
}

#[test]
fn a_resumed_run_knows_its_best_value() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    with_losses(setup.clone(), &[1.0, 2.0], dir.path()).train_all().unwrap();
    let mut driver = with_losses(setup, &[1.5, 1.4, 1.3], dir.path());
    driver.plan.train.max_epochs = Some(4);
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    let best = engine::checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter, Iter(3));
}

#[test]
fn after_save_checkpoint_tells_each_name_that_is_on_the_disk() {
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    let mut driver = with_losses(setup, &[2.0, 3.0], dir.path());
    let told = driver.watch(|phase, cx| match (phase, cx.checkpoint()) {
        (Phase::AfterSaveCheckpoint, Some(saved)) => {
            assert_eq!(engine::checkpoint::load(&saved.path).unwrap().meta.iter, saved.iter);
            Some((saved.name.clone(), saved.iter.get()))
        }
        (Phase::AfterSaveCheckpoint, None) => panic!("no checkpoint in {phase}"),
        (_, saved) => {
            assert_eq!(saved, None, "{phase}");
            None
        }
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let expected = [("iter_000000003", 3), ("best_val_loss", 3), ("iter_000000006", 6)];
    assert_eq!(told.take(), expected.map(|(name, iter)| (name.to_owned(), iter)));
    // one state is gathered once, whatever it is called
    assert_eq!((log.count(Phase::BeforeSaveCheckpoint), log.count(Phase::AfterSaveCheckpoint)), (2, 3));
}

#[test]
fn a_checkpoint_that_was_not_written_is_not_told() {
    let dir = support::folder();
    let mut driver = Setup::epochs(1).in_folder::<ByEpoch>(dir.path());
    let log = driver.record_phases();
    driver.on(|phase, _| match phase {
        Phase::BeforeSaveCheckpoint => Err(Error::msg("the fault")),
        _ => Ok(()),
    });
    driver.train_all().unwrap_err();
    assert_eq!((log.count(Phase::BeforeSaveCheckpoint), log.count(Phase::AfterSaveCheckpoint)), (1, 0));
    assert_eq!(log.count(Phase::AfterTrain), 1);
    assert!(checkpoints(dir.path()).is_empty());
}

#[test]
fn the_best_and_the_regular_checkpoint_of_one_iter_are_one_state() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = support::folder();
    let setup = Setup { checkpoint: r#"(save_best: ["val/loss"])"#, ..Setup::default() };
    with_losses(setup, &[2.0], dir.path()).train_all().unwrap();
    let inode = |name: &str| {
        let file = dir.path().join("run/checkpoints").join(name).join("net.safetensors");
        std::fs::metadata(file).unwrap().ino()
    };
    assert_eq!(inode("best_val_loss"), inode("iter_000000003"));
}

/// What a metric has counted when a signal comes is worth nothing: the whole validation is done again.
#[test]
fn what_a_metric_has_counted_in_an_interrupted_validation_is_not_saved() {
    let state = |interrupt: bool| {
        let dir = support::folder();
        let setup = Setup { val_samples: 8, val: Some(every(1, Clock::Epoch)), ..Setup::epochs(1) };
        let mut driver = setup.in_folder::<ByEpoch>(dir.path());
        driver.run.seen.results.file_metrics.push(support::metric::<MeanLoss>());
        let signals = driver.run.signals.clone();
        driver.at(if interrupt { Phase::AfterValIter } else { Phase::AfterTrainEpoch }, move |_| {
            signals.raise(Signal::Terminate);
        });
        driver.train_all().unwrap();
        let parts = newest(dir.path()).state.take_map("parts").unwrap();
        let metrics = parts.0.into_iter().filter(|(name, _)| name.starts_with("metrics."));
        metrics.map(|(name, state)| format!("{name}: {state:?}")).collect::<Vec<_>>()
    };
    let interrupted = state(true);
    assert!(!interrupted.is_empty());
    assert_eq!(interrupted, state(false));
}
