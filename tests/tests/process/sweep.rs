//! A run that is killed at each of its system calls that change files, and one in which each of them fails.
//!
//! The calls are those of the thread that trains, which writes its checkpoints itself here, so that their order is always
//! the same; and those of the threads that write checkpoints while the training goes on. Needs `strace`; where it can't be had, or may trace nothing, that is said and nothing is tried.

use crate::bench::{Bench, Ended, Running, chosen};
use crate::left::{assert_same, newest, state};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command};

/// The calls that change files, and how the kernel may call them.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,mkdir,mkdirat,rmdir,unlink,unlinkat,\
                     link,linkat,symlink,openat";

/// Two iters, each with a validation, a regular checkpoint and perhaps a best one; the second replaces what it may.
const SHORT: [&str; 9] = [
    "train",
    "exp.ron",
    "--resume=auto",
    "--set",
    "train=(max_epochs: 2, accumulate: 10)",
    "--set",
    "schedule=[]",
    "--set",
    r#"hooks.checkpoint=(background: false, keep: 1, save_best: ["val/loss"])"#,
];

/// A run that goes back, lowers its rate by a metric, and is ended by patience; it goes on with another number of workers.
const ENDED: [&str; 13] = [
    "train",
    "exp.ron",
    "--resume=auto",
    "--set",
    "train=(max_epochs: 6, accumulate: 2)",
    "--set",
    r#"schedule=[Plateau(monitor: "val/loss", factor: 0.5, patience: 0, threshold: 0.9)]"#,
    "--set",
    "loaders.train.dataset.spoiled=Some(17)",
    "--set",
    r#"custom_hooks=[
        Rollback(interval: 3, back: 1, snapshot: Some(2), lr_factor: 0.5),
        EarlyStopping(monitor: "val/accuracy", patience: 2, min_delta: 2.0, threshold: Some(1.5)),
    ]"#,
    "--set",
    r#"hooks.checkpoint=(background: false, interval: 4, by: Iter, keep: 2, save_best: ["val/loss"])"#,
];

/// What a sweep looks at.
struct Sweep {
    arguments: &'static [&'static str],
    /// Workers of the run, and of the process that goes on.
    workers: [&'static str; 2],
    /// One of so many calls is taken, unless `ENGINE_SWEEP=all` asks for every one.
    every: u64,
}

/// Every call of a short run.
const EVERY_CALL: Sweep = Sweep { arguments: &SHORT, workers: ["1", "1"], every: 1 };

impl Sweep {
    fn arguments(&self, workers: &str) -> Vec<String> {
        let workers = format!("loaders.train.workers={workers}");
        let arguments = self.arguments.iter().copied().chain(["--set", &workers]);
        arguments.map(str::to_owned).collect()
    }

    /// Only the first thread is traced.
    fn traced(&self, bench: &Bench, options: &[&str]) -> Ended {
        let arguments = self.arguments(self.workers[0]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        bench.run_by("strace", &[&["-qq", "-y"], options].concat(), &arguments)
    }

    /// The run that goes on, or one that nothing disturbs.
    fn run(&self, bench: &Bench) -> Ended {
        let arguments = self.arguments(self.workers[1]);
        bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The calls that are taken, each with its place among all of them.
    fn taken<'a, C>(&self, calls: &'a [C]) -> impl Iterator<Item = (usize, &'a C)> + use<'a, C> {
        let every = if std::env::var_os("ENGINE_SWEEP").is_some_and(|sweep| sweep == "all") { 1 } else { self.every };
        let first = chosen(every);
        println!("{} calls, every {every}. of them from {first} on", calls.len());
        calls.iter().enumerate().filter(move |(index, _)| *index as u64 % every == first)
    }
}

/// Whether calls can be traced here, and injected into.
pub(crate) fn is_possible() -> bool {
    let tried =
        Command::new("strace").args(["-qq", "-o", "/dev/null", "-e", "inject=mkdir:error=EIO:when=1", "true"]).output();
    let possible = tried.as_ref().is_ok_and(|tried| tried.status.success());
    if !possible {
        println!("left out: strace can't trace a process here: {tried:?}");
    }
    possible
}

/// The calls of the first thread that change something in the folder of the runs: name and place among its calls of that
/// name, in order.
fn changes(sweep: &Sweep, bench: &Bench) -> Vec<(String, usize)> {
    let trace = bench.path("trace");
    let trace_option = format!("trace={CALLS}");
    sweep.traced(bench, &["-o", trace.to_str().unwrap(), "-e", &trace_option]).exits(0);
    let text = std::fs::read_to_string(trace).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((name, arguments)) = line.split_once('(') else { continue };
        let count = counts.entry(name).or_default();
        *count += 1;
        let changes = name != "openat" || arguments.contains("O_CREAT");
        // the lock is written again when the process ends in good order
        if changes && arguments.contains("runs") && !arguments.contains("/runs/run/lock") {
            found.push((name.to_owned(), *count));
        }
    }
    found
}

/// Resumes a run until it is done, and compares it.
fn assert_goes_on(sweep: &Sweep, bench: &Bench, whole: &Path, what: &str) {
    assert_trains_on(sweep, bench, whole, what);
    let run = bench.path("runs/run");
    assert!(state(&newest(whole)) == state(&newest(&run)), "{what}: the states differ");
    let left = std::fs::read_dir(run.join("checkpoints")).unwrap().flatten();
    let left: Vec<_> =
        left.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{what}: {left:?} is left");
}

/// As [`assert_goes_on`], but what is remembered of checkpoints may differ: a best value is forgotten when its checkpoint could not
/// be written.
fn assert_trains_on(sweep: &Sweep, bench: &Bench, whole: &Path, what: &str) {
    let ended = sweep.run(bench);
    assert!(ended.code == Some(0), "{what}, then resumed: {ended}");
    assert_same(whole, &bench.path("runs/run"), what);
}

/// Runs with a fault at calls that change files, which `judge` looks at, and lets each go on from there.
fn at_calls(sweep: &Sweep, fault: impl Fn(&str) -> Option<&'static str>, mut judge: impl FnMut(&Ended) -> bool) {
    if !is_possible() {
        return;
    }
    let reference = Bench::by_epoch();
    sweep.run(&reference).exits(0);
    let whole = reference.path("runs/run");
    let calls = changes(sweep, &Bench::by_epoch());
    let counted = |name: &str| calls.iter().filter(|(call, _)| call == name).count();
    println!(
        "{} calls that change files, {} of them fsync, {} rename",
        calls.len(),
        counted("fsync"),
        counted("rename")
    );
    // otherwise the trace is not what it seems
    assert!(calls.len() > 100 && counted("fsync") > 20 && counted("rename") > 5, "{calls:?}");
    for (index, (call, when)) in sweep.taken(&calls) {
        let Some(fault) = fault(call) else { continue };
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{fault}:when={when}"));
        let bench = Bench::by_epoch();
        let ended = sweep.traced(&bench, &["-o", "/dev/null", "-e", &trace, "-e", &inject]);
        let what = format!("{call} {when}, change {index} of {}, {fault}", calls.len());
        assert!(judge(&ended), "{what}: {ended}");
        assert_goes_on(sweep, &bench, &whole, &what);
    }
}

#[test]
fn a_kill_at_every_call_that_changes_a_file_loses_nothing() {
    at_calls(&EVERY_CALL, |_| Some("signal=KILL"), |ended| ended.signal == Some(9));
}

#[test]
fn a_kill_at_calls_of_a_run_that_goes_back_and_ends_early_loses_nothing_with_other_workers() {
    let sweep = Sweep { arguments: &ENDED, workers: ["1", "2"], every: 12 };
    let reference = Bench::by_epoch();
    sweep.run(&reference).exits(0);
    let log = crate::left::log(&reference.path("runs/run")).join("\n");
    assert!(log.contains("the run goes back to") && log.contains("EarlyStopping"), "{log}");
    at_calls(&sweep, |_| Some("signal=KILL"), |ended| ended.signal == Some(9));
}

#[test]
fn a_quota_that_is_used_up_at_calls_is_told_and_loses_nothing() {
    // a quota stops what takes space or makes a file, and the system says `EDQUOT` then
    let sweep = Sweep { every: 8, ..EVERY_CALL };
    let error = |call: &str| match call {
        "write" | "openat" | "mkdir" | "link" | "linkat" => Some("error=EDQUOT"),
        _ => None,
    };
    at_calls(&sweep, error, |ended| match ended.code {
        Some(1) => ended.stderr.contains("error: "),
        code => code == Some(0),
    });
}

#[test]
fn an_error_at_every_call_that_changes_a_file_is_told_and_loses_nothing() {
    let (mut told, mut gone_on) = (0, 0);
    let error = |call: &str| match call {
        "write" | "openat" | "mkdir" | "link" | "linkat" => Some("error=ENOSPC"),
        _ => Some("error=EIO"),
    };
    at_calls(&EVERY_CALL, error, |ended| match ended.code {
        Some(1) => {
            told += 1;
            ended.stderr.contains("error: ")
        }
        // an old checkpoint that stays, a link that became a copy
        Some(0) => {
            gone_on += 1;
            true
        }
        _ => false,
    });
    println!("{told} errors ended the run, with {gone_on} it went on");
    assert!(told == 0 || told > 2 * gone_on, "{told} told, {gone_on} not");
}

/// The same run with its checkpoints written by another thread, and steps that leave time to attach to the process.
const BACKGROUND: [&str; 11] = [
    "train",
    "exp.ron",
    "--resume=auto",
    "--set",
    "train=(max_epochs: 2, accumulate: 10)",
    "--set",
    "schedule=[]",
    "--set",
    r#"hooks.checkpoint=(keep: 1, save_best: ["val/loss"])"#,
    "--set",
    "trainer.pause=30",
];

/// Runs in the background way, traced from the first batch on. Every thread counts its calls by itself, and each save has a
/// thread of its own, so a fault at the call `n` meets the first save that has so many.
fn attached(bench: &Bench, more: &[&str], options: &[&str]) -> Option<Ended> {
    let mut running = bench.start(&[&BACKGROUND, more].concat());
    running.wait_for("mark train 1");
    let strace = attach(&running, options);
    let ended = running.end();
    strace.map(|mut strace| {
        strace.wait().unwrap();
        ended
    })
}

/// Traces a process from now on, until it ends; `None` when that can't be done.
pub(crate) fn attach(running: &Running, options: &[&str]) -> Option<Child> {
    let id = running.id().to_string();
    let mut strace = Command::new("strace")
        .args([&["-f", "-y", "-p", &id], options].concat())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
    let is_attached = lines.next().and_then(Result::ok).is_some_and(|line| line.contains("attached"));
    // what it says later must not fill the pipe
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    if !is_attached {
        strace.wait().unwrap();
    }
    is_attached.then_some(strace)
}

/// The calls of the threads that write checkpoints that change something: name and place among the calls of that name of the
/// thread, each once.
fn changes_of_writers(bench: &Bench) -> Option<Vec<(String, usize)>> {
    let trace = bench.path("trace");
    let trace_option = format!("trace={CALLS}");
    attached(bench, &[], &["-o", trace.to_str().unwrap(), "-e", &trace_option])?.exits(0);
    let text = std::fs::read_to_string(trace).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        let count = counts.entry((thread, name)).or_default();
        *count += 1;
        if arguments.contains("/checkpoints") && (name != "openat" || arguments.contains("O_CREAT")) {
            found.insert((name.to_owned(), *count));
        }
    }
    Some(found.into_iter().collect())
}

/// Runs with a fault at calls of the threads that write checkpoints, while the training goes on; then lets each go on from
/// there. A few of the calls in each run of the tests; with `ENGINE_SWEEP=all` every one.
fn at_calls_of_writers(
    more: &[&str],
    fault: impl Fn(&str) -> Option<&'static str>,
    mut judge: impl FnMut(&Ended) -> bool,
) {
    let reference = Bench::by_epoch();
    let sweep = Sweep { every: 8, ..EVERY_CALL };
    sweep.run(&reference).exits(0);
    let whole = reference.path("runs/run");
    let Some(calls) = is_possible().then(|| changes_of_writers(&Bench::by_epoch())).flatten() else { return };
    assert!(calls.len() > 40, "{calls:?}");
    for (index, (call, when)) in sweep.taken(&calls) {
        let Some(fault) = fault(call) else { continue };
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{fault}:when={when}"));
        let bench = Bench::by_epoch();
        let ended = attached(&bench, more, &["-o", "/dev/null", "-e", &trace, "-e", &inject]).unwrap();
        let what = format!("{call} {when}, change {index} of a writer, {fault}");
        assert!(judge(&ended), "{what}: {ended}");
        match more {
            [] => assert_goes_on(&sweep, &bench, &whole, &what),
            _ => assert_trains_on(&sweep, &bench, &whole, &what),
        }
    }
}

#[test]
fn a_kill_at_calls_of_the_thread_that_writes_loses_nothing() {
    at_calls_of_writers(&[], |_| Some("signal=KILL"), |ended| ended.signal == Some(9));
}

#[test]
fn an_error_at_calls_of_the_thread_that_writes_is_told_and_loses_nothing() {
    let error = |call: &str| match call {
        "write" | "openat" | "mkdir" | "link" | "linkat" => Some("error=ENOSPC"),
        _ => Some("error=EIO"),
    };
    at_calls_of_writers(&[], error, |ended| match ended.code {
        Some(1) => ended.stderr.contains("error: "),
        code => code == Some(0),
    });
    // with leave to go on, every save fails at the same call, and the run ends with the error of its last state. Where the
    // thread that trains can't write, it does not print any more either
    let error = |call: &str| error(call).filter(|_| call != "write");
    let on = ["--set", "hooks.checkpoint.on_save_error=Continue"];
    at_calls_of_writers(&on, error, |ended| match ended.code {
        Some(1) => ended.stdout.contains("the run goes on without a checkpoint") && ended.stderr.contains("error: "),
        code => code == Some(0),
    });
}
