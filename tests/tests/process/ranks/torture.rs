//! Ranks and launchers that are killed, stopped or told to end at any instant of their life, and ranks that fail at any step: all
//! processes end in time, the error names the rank, and the run goes on to the bits of one that nothing has disturbed.
//!
//! `cargo xtask torture --ranks --kills N --seed S` runs the same with other numbers.

use super::{assert_gone, errors, fingerprints, of, plain, ranks_of};
use crate::bench::{Bench, Ended, Running, chosen};
use crate::left::assert_same;
use std::path::Path;
use std::time::{Duration, Instant};

/// Until the last process has ended: ten seconds for an answer that does not come (`timeout`), three to see who is gone,
/// and fifteen in which the launcher ends those that do not end by themselves; twice, for a machine with other work.
const BOUND: Duration = Duration::from_secs(56);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    KillRank(usize),
    KillLauncher,
    StopRank(usize),
    EndRank(usize),
    EndLauncher,
    EndAll,
    Save(usize),
    /// A step of the rank does it: it returns an error, it panics, its loss is no number.
    Step(usize, &'static str),
}

const EVENTS: [Event; 15] = [
    Event::KillRank(0),
    Event::KillRank(1),
    Event::EndRank(1),
    Event::KillLauncher,
    Event::EndLauncher,
    Event::Save(1),
    Event::EndAll,
    Event::Step(1, "Error"),
    Event::Step(0, "Panic"),
    Event::KillRank(1),
    Event::EndRank(0),
    Event::Step(1, "Nan"),
    Event::Step(0, "Error"),
    // they take the time of several others
    Event::StopRank(1),
    Event::StopRank(0),
];

/// Batches of each rank in the whole run.
const BATCHES: u64 = 30;

fn start(bench: &Bench, more: &[&str]) -> Running {
    let two = of("2", "loaders.train.batch_size=2");
    let always = ["train", "exp.ron", "--resume=auto", "--set", "dist.timeout=10", "--set", "train.non_finite=Stop"];
    let checkpoint = ["--set", r#"hooks.checkpoint=(interval: 2, by: Iter, keep: 2)"#];
    bench.start(&[&always[..], &checkpoint, &two, more].concat())
}

impl Event {
    /// What makes the program itself do it, in its step of this number.
    fn settings(self, at: u64) -> Vec<String> {
        let Event::Step(rank, fault) = self else { return Vec::new() };
        let settings = [format!("fault={fault}"), format!("fault_rank={rank}"), format!("fault_at={at}")];
        settings.into_iter().flat_map(|setting| ["--set".to_owned(), format!("trainer.{setting}")]).collect()
    }
}

/// Lets it happen; the rank that it has met, and all ranks there were. What is for a rank that does not exist yet meets nobody.
fn happen(event: Event, running: &mut Running) -> (bool, Vec<u32>) {
    let ranks = ranks_of(running);
    // of a single one it is not known which it is
    let one = |rank: usize, name| ranks.len() == 2 && signal_if_there(ranks[rank], name);
    let met = match event {
        Event::KillRank(rank) => one(rank, "KILL"),
        Event::StopRank(rank) => one(rank, "STOP"),
        Event::EndRank(rank) => one(rank, "TERM"),
        Event::Save(rank) => one(rank, "USR1"),
        Event::EndAll => {
            let met = ranks.iter().filter(|rank| signal_if_there(**rank, "TERM")).count();
            signal_if_there(running.id(), "TERM") || met > 0
        }
        Event::EndLauncher => signal_if_there(running.id(), "TERM"),
        Event::KillLauncher => signal_if_there(running.id(), "KILL"),
        Event::Step(..) => true,
    };
    (met, ranks)
}

/// Whether the process was there to get it.
fn signal_if_there(process: u32, name: &str) -> bool {
    let mut shell = std::process::Command::new("sh");
    let sent = shell.args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &process.to_string()]);
    sent.output().unwrap().status.success()
}

/// Whether the processes have ended as they have to.
fn judge(event: Event, ended: &Ended) -> Result<(), &'static str> {
    let text = errors(ended);
    let names = |rank: usize| text.contains(&format!("rank {rank}"));
    match (event, ended.code, ended.signal) {
        (Event::Step(..), Some(0), _) => Err("the fault was passed over"),
        // it was over before
        (_, Some(0), _) => Ok(()),
        (Event::KillRank(rank), Some(1), _) if text.starts_with(&format!("error: rank {rank}: it was killed")) => {
            Ok(())
        }
        (Event::StopRank(rank), Some(1), _) if names(rank) => Ok(()),
        (Event::Step(_, "Nan"), Some(1), _) if text.contains(" was not finite in iter ") => Ok(()),
        (Event::Step(rank, fault), Some(1), _)
            if fault != "Nan" && text.starts_with(&format!("error: rank {rank}: ")) =>
        {
            match text.contains(if fault == "Error" { "the step gave up" } else { "the step fell over" }) {
                true => Ok(()),
                false => Err("the cause is not told"),
            }
        }
        (Event::EndRank(_) | Event::EndLauncher | Event::EndAll, Some(143), _) => Ok(()),
        // before it listened to signals
        (Event::EndLauncher | Event::EndAll, None, Some(15)) | (Event::KillLauncher, None, Some(9)) => Ok(()),
        _ => Err("it did not end as it has to"),
    }
}

fn last(run: &Path) -> Vec<Option<String>> {
    (0..2).map(|rank| fingerprints(run, rank).pop()).collect()
}

#[test]
fn whatever_meets_a_rank_at_any_instant_all_end_in_time_and_the_run_goes_on_to_the_same_bits() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    // in every run of the tests only a few
    let kills = number("ENGINE_TORTURE_KILLS").unwrap_or(5);
    let seed = number("ENGINE_TORTURE_SEED").unwrap_or_else(|| chosen(1 << 32));
    println!("torture of ranks: {kills} events, seed {seed}");
    let whole = plain();
    let begun = Instant::now();
    start(&whole, &[]).end().exits(0);
    let life = begun.elapsed();
    let (mut draws, mut slowest, mut over) = (seed, Duration::ZERO, 0);
    let mut draw = |below: u64| {
        // a linear congruence is enough to choose instants
        draws = draws.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draws >> 33) % below.max(1)
    };
    let mut failed = Vec::new();
    let fails = |failed: &mut Vec<String>, text: String| {
        // who waits for many events wants to know
        println!("{text}");
        failed.push(text);
    };
    for place in 0..kills {
        let event = EVENTS[((place + seed) % EVENTS.len() as u64) as usize];
        let at = Duration::from_micros(draw(life.as_micros() as u64));
        let settings = event.settings(1 + draw(BATCHES));
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let bench = plain();
        let mut running = start(&bench, &settings);
        if settings.is_empty() {
            std::thread::sleep(at);
        }
        let happens = running.is_alive() || matches!(event, Event::Step(..));
        let (met, ranks) = if happens { happen(event, &mut running) } else { (false, Vec::new()) };
        let since = Instant::now();
        let ended = running.end();
        assert_gone(&ranks);
        let took = since.elapsed();
        let what = format!("seed {seed}, event {place}: {event:?} at {} ms {settings:?}", at.as_millis());
        if met {
            slowest = slowest.max(took);
            if let Err(why) = judge(event, &ended) {
                fails(&mut failed, format!("{what}: {why}: {ended}"));
            }
            if took > BOUND {
                fails(&mut failed, format!("{what}: all had ended after {took:?}: {ended}"));
            }
        } else if ended.code != Some(0) {
            fails(&mut failed, format!("{what}: it met nobody: {ended}"));
        }
        over += u64::from(ended.code == Some(0));
        let ended = start(&bench, &[]).end();
        assert!(ended.code == Some(0), "{what}, then resumed: {ended}");
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), &what);
        let (ours, theirs) = (last(&whole.path("runs/run")), last(&bench.path("runs/run")));
        // a run that was over logs no iter when it goes on
        assert!(theirs.iter().zip(&ours).all(|(theirs, ours)| theirs == ours), "{what}: {theirs:?} {ours:?}");
        if (place + 1).is_multiple_of(20) {
            println!("{} events, {} failed, the slowest end after {slowest:?}", place + 1, failed.len());
        }
    }
    println!("{kills} events, {over} of them after the run was over; the slowest end after {slowest:?}");
    assert!(failed.is_empty(), "{} of {kills} events:\n{}", failed.len(), failed.join("\n"));
}
