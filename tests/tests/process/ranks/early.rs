//! Signals to ranks that have only just been started: the launcher starts them with their signals blocked.

use super::{assert_gone, errors, of, plain, ranks_of};
use crate::bench::{Bench, Running, chosen};
use crate::early::{blocked, has};
use crate::left::{assert_same, log};
use std::time::{Duration, Instant};

fn started(bench: &Bench) -> Running {
    let two = of("2", "loaders.train.batch_size=2");
    let paused = ["train", "exp.ron", "--set", "trainer.pause=25", "--set", "dist.timeout=20"];
    blocked(bench, &[&paused[..], &two].concat())
}

/// The rank, once its process is there.
fn rank_of(running: &Running, rank: usize) -> u32 {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let is_safe = |rank: &&u32| has(**rank, "SigBlk:", 15) || has(**rank, "SigCgt:", 15);
        if let Some(found) = ranks_of(running).get(rank).filter(is_safe) {
            return *found;
        }
        assert!(Instant::now() < until, "rank {rank} is not started with its signals blocked");
        std::thread::yield_now();
    }
}

fn kill(process: u32, name: &str) {
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", &format!("kill -s {name} {process}")]).status().unwrap().success());
}

#[test]
fn a_signal_to_a_rank_or_its_launcher_at_any_instant_ends_all_in_good_order() {
    let whole = plain();
    whole.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    for (place, wait) in [0, 60, 150, 300, 450].into_iter().enumerate() {
        let wait = wait + chosen(60);
        let to = ["rank 0", "launcher", "rank 1"][(place + chosen(3) as usize) % 3];
        let bench = plain();
        let running = started(&bench);
        let process = match to {
            "rank 0" => rank_of(&running, 0),
            "rank 1" => rank_of(&running, 1),
            _ => running.id(),
        };
        std::thread::sleep(Duration::from_millis(wait));
        kill(process, "TERM");
        let ranks = ranks_of(&running);
        let ended = running.end().exits(143);
        assert!(errors(&ended).contains("stopped by SIGTERM "), "{to} after {wait} ms: {ended}");
        assert_gone(&ranks);
        bench.train(&[&of("2", "loaders.train.batch_size=2")[..], &["--resume=auto"]].concat()).exits(0);
        assert_same(&whole.path("runs/run"), &bench.path("runs/run"), &format!("{to} after {wait} ms"));
    }
}

#[test]
fn a_checkpoint_that_a_starting_rank_or_its_launcher_is_asked_for_comes() {
    for to in ["rank 0", "launcher", "rank 1"] {
        let bench = plain();
        bench.edit("checkpoint: (interval: 1, keep: 2,", "checkpoint: (interval: 1000, save_last: false, keep: 2,");
        let running = started(&bench);
        let process = match to {
            "rank 0" => rank_of(&running, 0),
            "rank 1" => rank_of(&running, 1),
            _ => running.id(),
        };
        std::thread::sleep(Duration::from_millis(chosen(200)));
        kill(process, "USR1");
        let ended = running.end().exits(0);
        let said = log(&bench.path("runs/run"));
        assert!(said.iter().any(|line| line.starts_with("SIGUSR1: iter ")), "{to}: {said:?} {ended}");
    }
}
