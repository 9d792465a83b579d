//! Ranks that are told to end, fail, or are killed.

use super::{assert_gone, errors, fingerprints, of, plain, ranks_of, signal};
use crate::bench::{Bench, Running, chosen};
use crate::left::{assert_same, log, newest};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Longer than any rank waits for another one in these tests, and for the launcher to end the rest.
const BOUND: Duration = Duration::from_secs(15);
/// Where nobody waits: before the launcher would end the ranks that are left.
const AT_ONCE: Duration = Duration::from_secs(8);

/// A training in two ranks whose steps are announced and then sleep.
fn started(bench: &Bench, pause: u64, more: &[&str]) -> Running {
    let pause = format!("trainer.pause={pause}");
    let two = of("2", "loaders.train.batch_size=2");
    bench.start(&[&["train", "exp.ron", "--set", &pause, "--set", "dist.timeout=3"], &two[..], more].concat())
}

/// The run in two ranks that nothing has interrupted.
fn reference() -> &'static Path {
    static DONE: OnceLock<(Bench, PathBuf)> = OnceLock::new();
    let (_, run) = DONE.get_or_init(|| {
        let bench = plain();
        bench.train(&of("2", "loaders.train.batch_size=2")).exits(0);
        let run = bench.path("runs/run");
        (bench, run)
    });
    run
}

/// Goes on with the run, which then has to be that of the reference.
fn resumes_to_the_bit(bench: &Bench, what: &str) {
    bench.train(&[&of("2", "loaders.train.batch_size=2")[..], &["--resume"]].concat()).exits(0);
    let run = bench.path("runs/run");
    assert_same(reference(), &run, what);
    let last = |run: &Path, rank| fingerprints(run, rank).pop();
    for rank in 0..2 {
        assert_eq!(last(reference(), rank), last(&run, rank), "{what}: rank {rank}");
    }
}

#[test]
fn a_signal_to_the_launcher_or_to_one_rank_ends_all_at_one_iter() {
    for to in ["launcher", "rank 0", "rank 1", "all ranks"] {
        let bench = plain();
        let mut running = started(&bench, 25, &[]);
        running.wait_for(&format!("mark train {}", 3 + chosen(20)));
        let ranks = ranks_of(&running);
        match to {
            "launcher" => running.signal("TERM"),
            "rank 0" => signal(ranks[0], "TERM"),
            "rank 1" => signal(ranks[1], "TERM"),
            _ => ranks.iter().for_each(|rank| signal(*rank, "TERM")),
        }
        let ended = running.end().exits(143);
        assert!(errors(&ended).starts_with("stopped by SIGTERM at epoch"), "{to}: {ended}");
        let run = bench.path("runs/run");
        let (first, second) = (fingerprints(&run, 0), fingerprints(&run, 1));
        assert_eq!(first, second, "{to}: not the same iters");
        // what it has left is the state of its last iter
        let iter = first.len();
        assert_eq!(newest(&run), run.join(format!("checkpoints/iter_{iter:09}")), "{to}: {ended}");
        resumes_to_the_bit(&bench, &format!("SIGTERM to {to} at iter {iter}"));
    }
}

#[test]
fn a_signal_in_a_validation_leaves_it_out_on_all_ranks() {
    for rank in 0..2 {
        let bench = plain();
        let mut running = started(&bench, 25, &[]);
        running.wait_for(&format!("mark val {}", 1 + chosen(3)));
        signal(ranks_of(&running)[rank], "INT");
        running.end().exits(130);
        resumes_to_the_bit(&bench, &format!("SIGINT to rank {rank} in a validation"));
    }
}

#[test]
fn a_checkpoint_that_one_rank_is_asked_for_is_written_by_all_and_the_run_goes_on() {
    let bench = plain();
    let mut running = started(&bench, 40, &[]);
    running.wait_for("mark train 3");
    signal(ranks_of(&running)[1], "USR1");
    running.end().exits(0);
    let run = bench.path("runs/run");
    assert!(log(&run).iter().any(|line| line.starts_with("SIGUSR1: iter ")), "{:?}", log(&run));
    assert_same(reference(), &run, "SIGUSR1 to rank 1");
}

#[test]
fn a_rank_that_is_killed_is_named_and_the_run_goes_on_from_its_newest_checkpoint() {
    for round in 0..4 {
        let bench = plain();
        let mut running = started(&bench, 15, &[]);
        running.wait_for(&format!("mark train {}", 12 + chosen(17)));
        std::thread::sleep(Duration::from_millis(chosen(30)));
        let (ranks, rank) = (ranks_of(&running), (round % 2) as usize);
        let since = Instant::now();
        signal(ranks[rank], "KILL");
        let ended = running.end().exits(1);
        assert!(errors(&ended).starts_with(&format!("error: rank {rank}: it was killed (SIGKILL)")), "{ended}");
        assert!(since.elapsed() < BOUND, "{:?}: {ended}", since.elapsed());
        assert!(ended.stderr.contains(&format!("rank {} ended after it", 1 - rank)), "{ended}");
        assert_gone(&ranks);
        // the survivor knows which rank it was
        let log = if rank == 0 { "log.rank1.txt" } else { "log.txt" };
        let left = std::fs::read_to_string(bench.path("runs/run").join(log)).unwrap();
        assert!(left.contains(&format!("rank {rank} of 2 gives no sign of life")), "{left}");
        resumes_to_the_bit(&bench, &format!("SIGKILL to rank {rank}"));
    }
}

#[test]
fn a_rank_that_is_stopped_is_missed_when_the_time_is_up() {
    let bench = plain();
    let mut running = started(&bench, 15, &[]);
    running.wait_for("mark train 12");
    let ranks = ranks_of(&running);
    let since = Instant::now();
    signal(ranks[1], "STOP");
    let ended = running.end().exits(1);
    // three seconds for the missing answer, three to see who it is, and the launcher's patience with the stopped one
    assert!(since.elapsed() < Duration::from_secs(40), "{:?}: {ended}", since.elapsed());
    let errors = errors(&ended);
    assert!(errors.starts_with("error: rank 0: ") && errors.contains("rank 1 of 2 gives no sign of life"), "{ended}");
    assert_gone(&ranks);
}

#[test]
fn a_rank_that_is_stopped_while_it_exits_does_not_keep_its_launcher() {
    let bench = plain();
    let mut running = started(&bench, 1, &[]);
    running.wait_for("mark train 20");
    let ranks = ranks_of(&running);
    running.wait_for("run folder: ");
    // it may be gone by now
    let stop = format!("kill -s STOP {} || true", ranks[0]);
    assert!(std::process::Command::new("sh").args(["-c", &stop]).output().unwrap().status.success());
    let ended = running.end();
    let killed = "error: rank 0: it did not end when another rank had, and was killed";
    assert!(ended.code == Some(0) || errors(&ended).starts_with(killed), "{ended}");
    assert_gone(&ranks);
}

#[test]
fn the_error_of_the_rank_that_has_failed_comes_first() {
    for (fault, rank, text) in
        [("Error", 0, "the step gave up"), ("Error", 1, "the step gave up"), ("Panic", 1, "the step fell over")]
    {
        let bench = plain();
        let (fault, rank_setting) = (format!("trainer.fault={fault}"), format!("trainer.fault_rank={rank}"));
        let ended = started(&bench, 0, &["--set", &fault, "--set", "trainer.fault_at=5", "--set", &rank_setting]).end();
        let ended = ended.exits(1);
        assert!(ended.stderr.starts_with(&format!("error: rank {rank}: ")) && ended.stderr.contains(text), "{ended}");
        assert!(ended.stderr.ends_with(&format!("rank {} ended after it\n", 1 - rank)), "{ended}");
        let other = if rank == 0 { "log.rank1.txt" } else { "log.txt" };
        let left = std::fs::read_to_string(bench.path("runs/run").join(other)).unwrap();
        assert!(left.contains(&format!("because rank {rank} of 2 has ended")) && left.contains(text), "{left}");
    }
}

#[test]
fn ranks_end_in_good_order_when_their_launcher_is_killed() {
    let bench = plain();
    let mut running = started(&bench, 25, &[]);
    running.wait_for("mark train 7");
    let ranks = ranks_of(&running);
    running.kill();
    assert_gone(&ranks);
    resumes_to_the_bit(&bench, "the launcher was killed");
}

#[test]
fn the_launcher_starts_all_ranks_again_from_the_newest_checkpoint() {
    let bench = plain();
    let mut running = started(&bench, 15, &["--restarts", "2"]);
    running.wait_for("mark train 14");
    signal(ranks_of(&running)[1], "KILL");
    running.wait_for("resumed from");
    let ended = running.end().exits(0);
    let errors = errors(&ended);
    assert!(errors.contains("error: rank 1: it was killed (SIGKILL)"), "{ended}");
    assert!(
        errors.contains("the ranks are started again, from the newest checkpoint (restart 1 of at most 2)"),
        "{ended}"
    );
    let run = bench.path("runs/run");
    assert_same(reference(), &run, "a restart");
    // a fault that comes again ends the run when all restarts are used up
    let bench = plain();
    let fault = ["--set", "trainer.fault=Error", "--set", "trainer.fault_at=15", "--restarts", "2"];
    let ended = started(&bench, 0, &fault).end().exits(1);
    assert_eq!(ended.stderr.matches("the ranks are started again").count(), 2, "{ended}");
    let ended = bench.train(&["--restarts", "2"]).exits(2);
    assert!(ended.stderr.contains("use it with `--ranks N`"), "{ended}");
}

/// The processes of both ranks, as soon as the launcher has started them.
fn both_ranks(running: &Running) -> Vec<u32> {
    let until = Instant::now() + BOUND;
    loop {
        let ranks = ranks_of(running);
        if ranks.len() == 2 {
            return ranks;
        }
        assert!(Instant::now() < until, "no ranks were started");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_rank_that_is_killed_before_all_have_met_is_told_and_nobody_waits_for_it() {
    for rank in 0..2 {
        let bench = plain();
        let running = bench.start(&[&["train", "exp.ron"][..], &of("2", "loaders.train.batch_size=2")].concat());
        let ranks = both_ranks(&running);
        let since = Instant::now();
        signal(ranks[rank], "KILL");
        // they would wait for ten minutes, and the launcher for ten seconds
        let ended = running.end().exits(1);
        assert!(since.elapsed() < AT_ONCE, "{:?}: {ended}", since.elapsed());
        let expected = format!("error: rank {rank}: it was killed (SIGKILL)");
        assert!(ended.stderr.starts_with(&expected), "{ended}");
        assert!(ended.stderr.ends_with(&format!("rank {} ended after it\n", 1 - rank)), "{ended}");
        assert_gone(&ranks);
    }
}

#[test]
fn a_signal_straight_to_a_rank_that_still_loads_ends_all_in_good_order() {
    for (rank, name, code) in [(0, "TERM", 143), (1, "INT", 130), (0, "INT", 130)] {
        let bench = plain();
        let running = started(&bench, 25, &[]);
        let ranks = both_ranks(&running);
        let since = Instant::now();
        signal(ranks[rank], name);
        let ended = running.end().exits(code);
        assert!(since.elapsed() < AT_ONCE, "{:?}: {ended}", since.elapsed());
        assert!(!errors(&ended).contains("error"), "{ended}");
        assert_gone(&ranks);
    }
}
