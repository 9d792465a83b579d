//! Whoever needs a save that is under way waits for it: on a disk on which each rename takes most of a second, so that the
//! checkpoint is not there yet when it is asked for.
//!
//! `strace` slows the renames of a process in which such a test runs once more, alone. Where it can't be had, or may trace
//! nothing, that is said and nothing is tried.

use crate::support::{self, ByEpoch, Full, Setup, Toyed as _, newest};
use engine::base::Iter;
use engine::checkpoint;
use engine::loops::End;
use engine::phase::Phase;
use engine::run::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a rename takes.
const RENAME: Duration = Duration::from_millis(700);

/// Set in the process whose disk is slow.
const SLOW: &str = "ENGINE_TEST_DISK_IS_SLOW";

/// Whether this process has the slow disk. Otherwise the test of this name runs in one that has, if there can be one.
fn is_slow(test: &str) -> bool {
    if std::env::var_os(SLOW).is_some() {
        return true;
    }
    let calls = "rename,renameat,renameat2";
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:delay_enter={}", RENAME.as_micros()));
    let strace = |program: &Path, arguments: &[&str]| {
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        Command::new("strace").args(options).arg(program).args(arguments).env(SLOW, "yes").output()
    };
    let possible = strace(Path::new("true"), &[]);
    if !possible.as_ref().is_ok_and(|tried| tried.status.success()) {
        println!("left out: strace can't slow a process here: {possible:?}");
        return false;
    }
    let test = format!("slow_disk::{test}");
    let ended = strace(&std::env::current_exe().unwrap(), &["--exact", &test, "--nocapture"]).unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    false
}

/// A checkpoint after each of three epochs of three iters, written in the background.
fn each_epoch(dir: &Path) -> Full<ByEpoch> {
    let checkpoint = "(interval: 1, keep: 99, background: true)";
    Setup { checkpoint, adam: true, ..Setup::epochs(3) }.in_folder::<ByEpoch>(dir)
}

fn at_iter(dir: &Path, iter: u64) -> PathBuf {
    dir.join(format!("run/checkpoints/iter_{iter:09}"))
}

#[test]
fn an_evaluation_in_the_process_that_trains_waits_for_the_checkpoint_it_reads() {
    if !is_slow("an_evaluation_in_the_process_that_trains_waits_for_the_checkpoint_it_reads") {
        return;
    }
    let dir = support::folder();
    let path = at_iter(dir.path(), 3);
    let mut driver = each_epoch(dir.path());
    driver
        .run(|driver| {
            driver.train_with(|driver| {
                driver.epoch()?;
                driver.safe_point()?;
                // its save has begun and can't be done
                assert!(!path.exists());
                driver.load_for_evaluation(&path)?;
                assert_eq!(checkpoint::load(&path)?.meta.iter, Iter(3));
                driver.val()?;
                driver.epoch()?;
                driver.safe_point()?;
                assert!(!at_iter(dir.path(), 6).exists());
                driver.finish_saves()?;
                assert!(at_iter(dir.path(), 6).exists());
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn the_end_of_a_run_waits_for_its_last_checkpoint() {
    if !is_slow("the_end_of_a_run_waits_for_its_last_checkpoint") {
        return;
    }
    let dir = support::folder();
    let mut driver = each_epoch(dir.path());
    let last = at_iter(dir.path(), 9);
    let there = last.clone();
    // whoever comes after the run finds it
    let seen = driver.watch_at(Phase::AfterRun, move |_| there.exists());
    let began = driver.watch_at(Phase::BeforeSaveCheckpoint, |_| Instant::now());
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let took = began.take().last().unwrap().elapsed();
    assert_eq!(seen.take(), [true]);
    assert!(took >= RENAME, "{took:?}: the disk was not slow");
    assert_eq!(checkpoint::load(&last).unwrap().meta.iter, Iter(9));
}

#[test]
fn a_run_that_fails_waits_for_the_checkpoint_under_way() {
    if !is_slow("a_run_that_fails_waits_for_the_checkpoint_under_way") {
        return;
    }
    let dir = support::folder();
    let mut driver = each_epoch(dir.path());
    let path = at_iter(dir.path(), 3);
    let there = path.clone();
    driver.on(move |phase, cx| match (phase, cx.iter()) {
        (Phase::BeforeTrainBatch, Iter(3)) => {
            assert!(!there.exists());
            Err(engine::base::Error::msg("the fault"))
        }
        _ => Ok(()),
    });
    assert!(format!("{:#}", driver.train_all().unwrap_err()).ends_with("the fault"));
    assert_eq!(checkpoint::load(&path).unwrap().meta.iter, Iter(3));
}

#[test]
fn a_signal_waits_for_the_checkpoint_under_way_and_then_for_its_own() {
    if !is_slow("a_signal_waits_for_the_checkpoint_under_way_and_then_for_its_own") {
        return;
    }
    let dir = support::folder();
    let mut driver = each_epoch(dir.path());
    let signals = driver.run.signals.clone();
    let path = at_iter(dir.path(), 3);
    let there = path.clone();
    driver.at(Phase::BeforeTrainBatch, move |cx| {
        if cx.iter() == Iter(3) {
            assert!(!there.exists());
            signals.raise(Signal::Terminate);
        }
    });
    assert_eq!(driver.train_all().unwrap(), End::Signal(Signal::Terminate));
    assert_eq!(checkpoint::load(&path).unwrap().meta.iter, Iter(3));
    assert_eq!(newest(dir.path()).meta.iter, Iter(4));
}
