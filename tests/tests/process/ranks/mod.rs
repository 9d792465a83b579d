//! Several processes that train one model.

mod early;
mod endings;
mod evaluating;
mod meeting;
mod planning;
mod streams;
mod telling;
mod torture;
mod training;
mod trouble;

use crate::bench::{Bench, Ended, Running};
use crate::left::newest;
use engine::checkpoint;
use engine::prelude::{Kind, Tensor};
use std::path::Path;
use std::time::{Duration, Instant};

/// A training in which the gradient over a batch is the mean of those over its parts: without batch norm and dropout.
fn plain() -> Bench {
    let bench = Bench::by_epoch();
    bench.edit("Mlp(hidden: 8, dropout: 0.3)", "Mlp(hidden: 8, dropout: 0.0, norm: false)");
    bench.edit("metrics: [MeanLoss()],", "metrics: [MeanLoss()], custom_hooks: [Fingerprint()],");
    bench
}

/// The arguments of a training in this many ranks, each with this part of a batch.
fn of<'a>(ranks: &'a str, batch_size: &'a str) -> Vec<&'a str> {
    vec!["--ranks", ranks, "--set", batch_size]
}

/// The weights of the newest checkpoint, by name.
fn weights(run: &Path) -> Vec<(String, Tensor)> {
    let snapshot = checkpoint::load(&newest(run)).unwrap();
    snapshot.models.into_iter().flat_map(|weights| weights.trained).collect()
}

/// The largest difference between the weights of two runs.
fn distance(one: &Path, other: &Path) -> f64 {
    let (one, other) = (weights(one), weights(other));
    assert!(one.iter().map(|(name, _)| name).eq(other.iter().map(|(name, _)| name)));
    let differences =
        one.iter().zip(&other).filter(|((_, tensor), _)| tensor.kind() == Kind::Float && tensor.numel() > 0);
    differences.map(|((_, one), (_, other))| (one - other).abs().max().double_value(&[])).fold(0.0, f64::max)
}

/// What each rank has said of its weights after each iter.
fn fingerprints(run: &Path, rank: usize) -> Vec<String> {
    let name = if rank == 0 { "log.txt".to_owned() } else { format!("log.rank{rank}.txt") };
    let log = std::fs::read_to_string(run.join(name)).unwrap();
    let found = log.lines().filter_map(|line| line.split_once(" weights after ").map(|(_, rest)| rest.to_owned()));
    found.collect()
}

/// What was printed on standard error, but for what the steps of other ranks have announced.
fn errors(ended: &Ended) -> String {
    let is_mark = |line: &&str| line.starts_with("rank ") && line.contains(": mark ");
    ended.stderr.lines().filter(|line| !is_mark(line)).map(|line| format!("{line}\n")).collect()
}

/// The process ids of the ranks that a launcher has started.
fn ranks_of(launcher: &Running) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", launcher.id());
    // none when it has just ended
    let children = std::fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn signal(process: u32, name: &str) {
    let mut shell = std::process::Command::new("sh");
    let sent = shell.args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Waits until the last of these processes is gone.
fn assert_gone(processes: &[u32]) {
    let until = Instant::now() + Duration::from_secs(10);
    let is_alive = |id: &u32| {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    };
    while processes.iter().any(is_alive) {
        assert!(Instant::now() < until, "a rank is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}
