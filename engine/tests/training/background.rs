//! Checkpoints that another thread writes while the training goes on.

use crate::support::{self, ByEpoch, Full, Setup, Toyed as _, checkpoints, every, newest, with_losses};
use engine::base::{Clock, Error, Iter};
use engine::checkpoint;
use engine::loops::End;
use engine::phase::Phase;
use engine::run::{Exception, Save, Signal};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A checkpoint after each iter of two epochs, written in the background.
fn each_iter(more: &'static str) -> Setup {
    Setup { checkpoint: more, adam: true, noise: true, ..Setup::epochs(2) }
}

const EACH: &str = "(interval: 1, by: Iter, keep: 99, background: true)";

/// Every file of every checkpoint, with what it holds. Times of the machine are left out.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn add(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => add(&path, found),
                false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    add(&dir.join("run/checkpoints"), &mut found);
    let root = dir.join("run/checkpoints");
    let tensors = found.into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "safetensors"));
    tensors.map(|(path, bytes)| (path.strip_prefix(&root).unwrap().to_owned(), bytes)).collect()
}

/// Puts a folder in the place of the checkpoints in which nobody can make anything.
fn block(dir: &Path) {
    let folder = dir.join("run/checkpoints");
    fs::rename(&folder, dir.join("run/aside")).unwrap();
    std::os::unix::fs::symlink("/proc/sys", folder).unwrap();
}

/// Takes it away, if it is there.
fn unblock(dir: &Path) {
    let folder = dir.join("run/checkpoints");
    if folder.is_symlink() {
        fs::remove_file(&folder).unwrap();
        fs::rename(dir.join("run/aside"), folder).unwrap();
    }
}

/// From the checkpoint of this iter on, none can be written.
fn block_at(driver: &mut Full<ByEpoch>, iter: u64, dir: &Path) {
    let dir = dir.to_owned();
    driver.at(Phase::BeforeSaveCheckpoint, move |cx| {
        if cx.iter() == Iter(iter) {
            block(&dir);
        }
    });
}

#[test]
fn what_another_thread_writes_is_to_the_bit_what_is_written_at_once() {
    let saved = |checkpoint| {
        let dir = support::folder();
        each_iter(checkpoint).in_folder::<ByEpoch>(dir.path()).train_all().unwrap();
        files(dir.path())
    };
    let (at_once, behind) = (saved("(interval: 1, by: Iter, keep: 99)"), saved(EACH));
    assert!(at_once.len() >= 18, "{:?}", at_once.keys());
    assert_eq!(at_once, behind);
}

#[test]
fn the_end_of_a_run_waits_for_the_save_and_tells_it_before_after_run() {
    let dir = support::folder();
    let mut driver = each_iter("(background: true)").in_folder::<ByEpoch>(dir.path());
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(newest(dir.path()).meta.iter, Iter(6));
    assert_eq!(log.count(Phase::BeforeSaveCheckpoint), log.count(Phase::AfterSaveCheckpoint));
    let phases = log.phases();
    let last = phases.iter().rposition(|phase| *phase == Phase::AfterSaveCheckpoint).unwrap();
    let after_run = phases.iter().position(|phase| *phase == Phase::AfterRun).unwrap();
    assert!(last < after_run, "{phases:?}");
}

#[test]
fn every_checkpoint_that_is_told_is_on_the_disk_and_none_is_told_in_the_middle_of_an_iter() {
    let dir = support::folder();
    let mut driver = each_iter(EACH).in_folder::<ByEpoch>(dir.path());
    let told = driver.watch_at(Phase::AfterSaveCheckpoint, |cx| {
        let saved = cx.checkpoint().unwrap();
        assert_eq!(checkpoint::load(&saved.path).unwrap().meta.iter, saved.iter);
        saved.iter.get()
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(told.take(), [1, 2, 3, 4, 5, 6]);
    let mut in_iter = false;
    for phase in log.phases() {
        match phase {
            Phase::BeforeTrainIter => in_iter = true,
            Phase::AfterTrainIter => in_iter = false,
            Phase::AfterSaveCheckpoint => assert!(!in_iter),
            _ => {}
        }
    }
}

#[test]
fn a_save_that_fails_ends_the_run_with_its_cause_and_costs_no_earlier_checkpoint() {
    let dir = support::folder();
    let mut setup = each_iter(EACH);
    setup.train.max_epochs = Some(50);
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    block_at(&mut driver, 3, dir.path());
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.starts_with("the checkpoint `iter_000000003` can't be written: can't "), "{error}");
    // it is told at the latest when the next one is to be written
    assert!(driver.run.clocks().iter() <= Iter(4), "{}", driver.run.clocks().iter());
    unblock(dir.path());
    assert_eq!(newest(dir.path()).meta.iter, Iter(2));
}

#[test]
fn a_run_that_is_to_go_on_without_a_checkpoint_tells_it_and_ends_well_when_a_later_one_is_written() {
    let dir = support::folder();
    let go_on = "(interval: 1, by: Iter, keep: 99, background: true, on_save_error: Continue)";
    let mut driver = each_iter(go_on).in_folder::<ByEpoch>(dir.path());
    let (_, lines) = driver.keep_rows();
    block_at(&mut driver, 3, dir.path());
    let path = dir.path().to_owned();
    driver.on(move |phase, cx| {
        if phase == Phase::AfterTrainIter && cx.iter() == Iter(5) {
            unblock(&path);
        }
        Ok(())
    });
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let told: Vec<String> =
        lines.lock().unwrap().clone().into_iter().filter(|line| line.starts_with("warning: the run goes on")).collect();
    assert!(!told.is_empty() && told[0].contains("`iter_000000003` can't be written"), "{told:?}");
    assert_eq!(newest(dir.path()).meta.iter, Iter(6));
}

#[test]
fn a_run_whose_last_state_is_in_no_checkpoint_fails_also_when_it_was_to_go_on() {
    let dir = support::folder();
    let go_on = "(interval: 1, by: Iter, keep: 99, background: true, on_save_error: Continue)";
    let mut driver = each_iter(go_on).in_folder::<ByEpoch>(dir.path());
    block_at(&mut driver, 3, dir.path());
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.starts_with("the checkpoint `iter_000000006` can't be written"), "{error}");
    unblock(dir.path());
    assert_eq!(newest(dir.path()).meta.iter, Iter(2));
}

#[test]
fn a_save_that_can_not_even_be_begun_is_an_error_like_any_other() {
    for (on_error, fails) in [("Stop", true), ("Continue", false)] {
        let dir = support::folder();
        let checkpoint = format!("(interval: 1, by: Iter, keep: 99, background: true, on_save_error: {on_error})");
        let mut driver = each_iter(checkpoint.leak()).in_folder::<ByEpoch>(dir.path());
        let (folder, aside) = (dir.path().join("run/checkpoints"), dir.path().join("run/aside"));
        driver.on(move |phase, cx| {
            match (phase, cx.iter().get()) {
                (Phase::BeforeSaveCheckpoint, 3) => {
                    fs::rename(&folder, &aside).unwrap();
                    fs::write(&folder, "").unwrap();
                }
                (Phase::BeforeSaveCheckpoint, 4) => {
                    fs::remove_file(&folder).unwrap();
                    fs::rename(&aside, &folder).unwrap();
                }
                _ => {}
            }
            Ok(())
        });
        let ended = driver.train_all();
        assert_eq!(ended.is_err(), fails, "{on_error}: {ended:?}");
        if let Err(error) = ended {
            assert!(format!("{error:#}").starts_with("the checkpoint `iter_000000003` can't be written"), "{error:#}");
        } else {
            let expected: Vec<String> = [1, 2, 4, 5, 6].map(|iter| format!("iter_{iter:09}")).into();
            assert_eq!(checkpoints(dir.path()), expected);
        }
    }
}

#[test]
fn after_a_best_checkpoint_that_was_not_written_the_best_is_the_one_on_the_disk() {
    let dir = support::folder();
    let checkpoint =
        r#"(save_best: ["val/loss"], background: false, on_save_error: Continue, interval: 99, save_last: false)"#;
    let setup = Setup { checkpoint, ..Setup::default() };
    let mut driver = with_losses(setup, &[3.0, 1.0, 2.0, 4.0], dir.path());
    // the second validation is of iter 6; its checkpoint can't be written
    let path = dir.path().to_owned();
    driver.on(move |phase, cx| {
        if phase == Phase::BeforeSaveCheckpoint && cx.iter() == Iter(6) {
            block(&path);
        }
        if phase == Phase::BeforeVal && cx.iter() == Iter(9) {
            unblock(&path);
        }
        Ok(())
    });
    driver.train_all().unwrap();
    // 2.0 is worse than the lost 1.0 and better than 3.0
    let best = checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter, Iter(9));
}

#[test]
fn the_best_of_several_are_kept_as_regular_checkpoints_and_the_others_go() {
    let dir = support::folder();
    let checkpoint = r#"(save_best: ["val/loss"], keep_best: 2, keep: 1, background: true)"#;
    let mut driver = with_losses(Setup { checkpoint, ..Setup::default() }, &[2.0, 1.0, 3.0, 1.0, 4.0], dir.path());
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    assert_eq!(checkpoints(dir.path()), ["best_val_loss", "iter_000000006", "iter_000000012", "iter_000000015"]);
    let best = checkpoint::load(&dir.path().join("run/checkpoints/best_val_loss")).unwrap();
    assert_eq!(best.meta.iter, Iter(6));
    let told = lines
        .lock()
        .unwrap()
        .clone()
        .into_iter()
        .find(|line| line.starts_with("best `val/loss`: 1.0000 at epoch 2, iter 6"))
        .unwrap();
    assert!(
        told.contains("; a later value is the same, and the first one is kept; then 1.0000 at epoch 4, iter 12"),
        "{told}"
    );
}

#[test]
fn every_nth_regular_checkpoint_is_kept_for_good_also_after_a_resume() {
    let dir = support::folder();
    let mut setup =
        Setup { checkpoint: "(interval: 1, by: Iter, keep: 1, keep_every: 4, background: true)", ..Setup::epochs(5) };
    setup.train.stop_after = Some(6);
    setup.in_folder::<ByEpoch>(dir.path()).train_all().unwrap();
    assert_eq!(checkpoints(dir.path()), ["iter_000000004", "iter_000000006"]);
    setup.train.stop_after = None;
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(checkpoints(dir.path()), ["iter_000000004", "iter_000000008", "iter_000000012", "iter_000000015"]);
}

#[test]
fn checkpoints_come_by_the_minute_and_then_not_at_the_default_interval() {
    let saved = |checkpoint| {
        let dir = support::folder();
        Setup { checkpoint, ..Setup::epochs(2) }.in_folder::<ByEpoch>(dir.path()).train_all().unwrap();
        checkpoints(dir.path()).len()
    };
    assert_eq!(saved("(minutes: 0.0, keep: 99)"), 6);
    assert_eq!(saved("(minutes: 1000.0, keep: 99)"), 1);
    assert_eq!(saved("(minutes: 1000.0, interval: 1, keep: 99)"), 2);
}

#[test]
fn who_asks_for_a_save_from_outside_gets_the_iter_under_way_and_the_run_goes_on() {
    let dir = support::folder();
    let mut driver = each_iter("(interval: 99, background: true)").in_folder::<ByEpoch>(dir.path());
    let signals = driver.run.signals.clone();
    driver.on(move |phase, cx| {
        // once before the first iter, where there is nothing to save, and once within one
        if phase == Phase::BeforeTrain || phase == Phase::AfterForward && cx.iter() == Iter(3) {
            signals.ask_to_save();
        }
        Ok(())
    });
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    assert_eq!(checkpoints(dir.path()), ["iter_000000001", "iter_000000004", "iter_000000006"]);
}

#[test]
fn a_failed_training_saves_itself_where_it_was_asked_to_and_no_resume_takes_that_unless_it_is_named() {
    let dir = support::folder();
    let checkpoint = "(interval: 1, by: Iter, save_on_exception: true, background: true)";
    let mut driver = each_iter(checkpoint).in_folder::<ByEpoch>(dir.path());
    driver.on(|phase, cx| match (phase, cx.iter().get()) {
        (Phase::AfterBackward, 4) => Err(Error::msg("the fault")),
        (Phase::OnException, _) => {
            assert!(matches!(cx.exception(), Some(Exception::Failed(_))));
            Ok(())
        }
        _ => Ok(()),
    });
    assert!(format!("{:#}", driver.train_all().unwrap_err()).ends_with("the fault"));
    let folder = dir.path().join("run/checkpoints");
    assert_eq!(checkpoint::load(&folder.join("failed-iter_000000004")).unwrap().meta.iter, Iter(4));
    assert_eq!(checkpoints(dir.path()), ["iter_000000002", "iter_000000003", "iter_000000004"]);
    assert_eq!(fs::read_to_string(folder.join("latest")).unwrap(), "iter_000000004\n");
}

#[test]
fn a_signal_while_a_save_is_under_way_loses_neither() {
    let dir = support::folder();
    let setup = Setup { val: Some(every(100, Clock::Epoch)), ..each_iter(EACH) };
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let signals = driver.run.signals.clone();
    driver.at(Phase::BeforeTrainBatch, move |cx| {
        if cx.iter() == Iter(4) {
            signals.raise(Signal::Terminate);
        }
    });
    assert_eq!(driver.train_all().unwrap(), End::Signal(Signal::Terminate));
    let expected: Vec<String> = (1..=5).map(|iter| format!("iter_{iter:09}")).collect();
    assert_eq!(checkpoints(dir.path()), expected);
}

#[test]
fn what_a_hook_reads_of_the_run_waits_for_the_save() {
    let dir = support::folder();
    let mut driver = each_iter("(interval: 1, by: Iter, background: true)").in_folder::<ByEpoch>(dir.path());
    driver.on(|phase, cx| {
        if phase == Phase::AfterTrain {
            cx.save(Save { name: "mine".to_owned(), latest: true });
        }
        Ok(())
    });
    driver.run(|driver| driver.train()).unwrap();
    driver.finish_saves().unwrap();
    assert!(checkpoints(dir.path()).contains(&"mine".to_owned()));
}
