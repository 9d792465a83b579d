//! Signals that come before a command listens to them: from the first line of `main` on none is lost, and none ends the
//! process. Before that only the system can hold them back.

use crate::bench::{Bench, Ended, Running, chosen};
use crate::left::{assert_same, checkpoints, log};
use std::time::{Duration, Instant};

/// How long after its start a process gets its signal: every so many milliseconds up to the last.
const EVERY: u64 = 50;
const LAST: u64 = 600;

/// The steps of a training are slow enough that none of the instants comes after its end.
const PAUSED: [&str; 4] = ["train", "exp.ron", "--set", "trainer.pause=25"];

/// What a process does about a signal: a line of its status.
pub(crate) fn has(process: u32, line: &str, number: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|found| found.strip_prefix(line)).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> (number - 1) & 1 == 1)
}

/// A training that is started with its signals blocked, as `env --block-signal` does it.
pub(crate) fn blocked(bench: &Bench, arguments: &[&str]) -> Running {
    let running = bench.start_by("env", &["--block-signal=INT,TERM,USR1"], arguments);
    let until = Instant::now() + Duration::from_secs(10);
    // `env` itself has to come so far
    while !has(running.id(), "SigBlk:", 15) && !has(running.id(), "SigCgt:", 15) {
        assert!(Instant::now() < until, "`env` blocks no signals");
        std::thread::yield_now();
    }
    running
}

fn after(wait: u64, running: Running, signal: &str) -> Ended {
    std::thread::sleep(Duration::from_millis(wait));
    running.signal(signal);
    running.end()
}

#[test]
fn a_process_that_is_started_with_its_signals_blocked_loses_none_at_any_instant() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    let mut before_anything = 0;
    for (place, wait) in (0..=LAST).step_by(EVERY as usize).enumerate() {
        let wait = wait + chosen(EVERY);
        let (signal, code) = if place % 2 == 0 { ("TERM", 143) } else { ("INT", 130) };
        let bench = Bench::by_epoch();
        let ended = after(wait, blocked(&bench, &PAUSED), signal).exits(code);
        assert!(ended.stderr.starts_with(&format!("stopped by SIG{signal} ")), "{wait} ms: {ended}");
        let run = bench.path("runs/run");
        if ended.stderr.contains("before anything was written") {
            before_anything += 1;
            assert!(!bench.path("runs").exists(), "{wait} ms: {ended}");
        }
        bench.train(&["--resume=auto"]).exits(0);
        assert_same(&whole.path("runs/run"), &run, &format!("SIG{signal} after {wait} ms"));
    }
    assert!(before_anything > 0, "no signal came before the run's folder was made");
}

#[test]
fn a_checkpoint_that_is_asked_for_before_the_first_iter_comes_after_it() {
    for wait in (0..=LAST).step_by(2 * EVERY as usize) {
        let wait = wait + chosen(2 * EVERY);
        let bench = Bench::by_epoch();
        let never = ["--set", "hooks.checkpoint=(interval: 1000, save_last: false, save_best: [])"];
        let ended = after(wait, blocked(&bench, &[&PAUSED[..], &never].concat()), "USR1").exits(0);
        let run = bench.path("runs/run");
        let said = log(&run);
        let told = said.iter().filter(|line| line.starts_with("SIGUSR1: iter ")).count();
        assert_eq!((told, checkpoints(&run).len()), (1, 1), "{wait} ms: {ended}");
    }
}

#[test]
fn a_process_with_its_handlers_is_never_ended_by_its_first_signal() {
    let (mut early, mut caught) = (0, 0);
    for wait in (0..=LAST).step_by(EVERY as usize) {
        let wait = wait + chosen(EVERY);
        let bench = Bench::by_epoch();
        let running = bench.start(&PAUSED);
        std::thread::sleep(Duration::from_millis(wait));
        let is_caught = has(running.id(), "SigCgt:", 15);
        running.signal("TERM");
        let ended = running.end();
        match (is_caught, ended.signal) {
            // the system still loaded libtorch
            (false, Some(15)) => early += 1,
            (is_caught, _) => {
                caught += u32::from(is_caught);
                ended.exits(143);
            }
        }
    }
    assert!(caught > 0, "no signal met a process with its handlers");
    println!("{early} of {} signals came before `main`", LAST / EVERY + 1);
}

/// A training that opens its data, each of its two sets for so many milliseconds.
fn opening(bench: &mut Bench, milliseconds: u64) -> Running {
    bench.set_env("SLOW_OPEN", milliseconds.to_string());
    let mut running = bench.start(&["train", "exp.ron"]);
    running.wait_for("opening");
    running
}

#[test]
fn a_signal_while_data_are_opened_ends_the_command_before_anything_is_written() {
    let mut bench = Bench::panicking();
    let running = opening(&mut bench, 3000);
    running.signal("TERM");
    let ended = running.end().exits(143);
    let told = "SIGTERM: the command ends before it begins; it is waiting for ";
    assert!(ended.stderr.starts_with(told), "{ended}");
    assert!(ended.stderr.ends_with("stopped by SIGTERM before anything was written\n"), "{ended}");
    assert!(!bench.path("runs").exists(), "{ended}");
    // an old run stays where it is, also where a new one was to take its place
    bench.set_env("SLOW_OPEN", "0");
    bench.train(&[]).exits(0);
    let before = (log(&bench.path("runs/run")), std::fs::read_dir(bench.path("runs")).unwrap().count());
    bench.set_env("SLOW_OPEN", "500");
    let mut running = bench.start(&["train", "exp.ron", "--fresh"]);
    running.wait_for("opening");
    running.signal("INT");
    let ended = running.end().exits(130);
    assert!(ended.stderr.ends_with("stopped by SIGINT before anything was written\n"), "{ended}");
    assert_eq!(before, (log(&bench.path("runs/run")), std::fs::read_dir(bench.path("runs")).unwrap().count()));
}

#[test]
fn a_second_signal_ends_a_command_that_is_still_being_set_up() {
    let mut bench = Bench::panicking();
    let mut running = opening(&mut bench, 20_000);
    let since = Instant::now();
    running.signal("TERM");
    // two of a kind that wait are one, so the second comes when the first was taken
    while has(running.id(), "ShdPnd:", 15) {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.is_alive(), "the first signal has ended it");
    running.signal("TERM");
    let ended = running.end().exits(143);
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}: {ended}", since.elapsed());
    // at once: the empty folder is left, and hinders no later run
    bench.set_env("SLOW_OPEN", "0");
    bench.train(&[]).exits(0);
}

#[test]
fn a_signal_that_a_process_was_started_to_ignore_counts_only_while_a_command_listens() {
    // a script starts a process in the background so that Ctrl-C is not for it
    let bench = Bench::panicking();
    let ignored = |arguments: &[&str]| {
        let script = ["sh", "-c", "trap '' INT; SLOW_OPEN=2000 exec \"$PROGRAM\" \"$@\"", "sh"];
        let mut running = bench.start_script(&[&script[..], arguments].concat());
        running.wait_for("opening");
        (has(running.id(), "SigIgn:", 2), running)
    };
    // `summary` opens data too, and listens to nothing
    let (is_ignored, running) = ignored(&["summary", "exp.ron"]);
    assert!(is_ignored);
    running.signal("INT");
    running.end().exits(0);
    let (is_ignored, running) = ignored(&["train", "exp.ron"]);
    assert!(!is_ignored);
    running.signal("INT");
    running.end().exits(130);
}

#[test]
fn a_command_that_listens_to_nothing_is_ended_by_a_signal_that_came_early() {
    let bench = Bench::by_epoch();
    for (signal, number) in [("TERM", 15), ("INT", 2), ("USR1", 10)] {
        let running = blocked(&bench, &["show", "--full", "exp.ron"]);
        running.signal(signal);
        let ended = running.end();
        assert_eq!((ended.signal, ended.stdout.as_str()), (Some(number), ""), "{ended}");
    }
}

#[test]
fn a_command_that_waits_for_others_is_ended_by_a_signal_at_once() {
    let bench = Bench::by_epoch();
    let slow = ["batch-find", "exp.ron", "--memory", "2GB", "--set", "trainer.pause=5000"];
    let running = bench.start(&slow);
    // it has come so far that a process of its own tries a size
    let children = format!("/proc/{0}/task/{0}/children", running.id());
    let until = Instant::now() + Duration::from_secs(30);
    while std::fs::read_to_string(&children).unwrap_or_default().is_empty() {
        assert!(Instant::now() < until, "no size is tried");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("TERM");
    assert_eq!(running.end().signal, Some(15));
}
