//! Ranks whose models differ, whose store is gone, whose disk is full: each is told, and nothing is lost.

use super::meeting::free_port;
use super::{fingerprints, of, plain};
use crate::bench::{Bench, Running};
use crate::disk::{is_possible, on_a_disk};
use crate::left::assert_same;
use std::time::{Duration, Instant};

/// Two ranks as a launcher starts them that serves no store, with these variables of rank 1.
fn started(bench: &Bench, of_rank_1: &[(&str, &str)], more: &[&str]) -> [Running; 2] {
    let port = free_port().to_string();
    ["0", "1"].map(|rank| {
        let mut variables =
            vec![("RANK", rank), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port.as_str())];
        if rank == "1" {
            variables.extend(of_rank_1);
        }
        let always = ["train", "exp.ron", "--set", "loaders.train.batch_size=2", "--set", "dist.timeout=3"];
        bench.start_with(&variables, &[&always, more].concat())
    })
}

#[test]
fn models_that_differ_are_told_by_both_ranks() {
    let bench = plain();
    let since = Instant::now();
    for running in started(&bench, &[("MLP_HAS_SPARE", "1")], &[]) {
        running
            .end()
            .exits(1)
            .says("the model of rank 1 is not that of rank 0")
            .says("only one has `net.spare` of shape [3] Float");
    }
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
}

#[test]
fn a_rank_0_that_is_killed_with_its_store_is_named() {
    let bench = plain();
    let [mut main, other] = started(&bench, &[], &["--set", "trainer.pause=20"]);
    main.wait_for("mark train 12");
    let since = Instant::now();
    main.kill();
    let ended = other.end().exits(1).says("failed because ");
    assert!(ended.stderr.contains("the store of rank 0 does not answer"), "{ended}");
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}: {ended}", since.elapsed());
    bench.train(&[&of("2", "loaders.train.batch_size=2")[..], &["--resume"]].concat()).exits(0);
    let whole = plain();
    whole.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    assert_same(&whole.path("runs/run"), &bench.path("runs/run"), "rank 0 was killed");
    let last = |bench: &Bench| fingerprints(&bench.path("runs/run"), 1).pop();
    assert_eq!(last(&whole), last(&bench));
}

#[test]
fn a_disk_that_runs_full_ends_all_ranks_and_the_run_goes_on_once_there_is_space() {
    if !is_possible() {
        return;
    }
    let whole = plain();
    let two = of("2", "loaders.train.batch_size=2");
    whole.train(&two).exits(0);
    // what is left to the run: nothing, a part of the first checkpoint, one and a part of another
    for free in [0, 24, 64, 100] {
        let bench = plain();
        let train = format!("$PROGRAM train exp.ron {} --set dist.timeout=3", two.join(" "));
        let script = format!(
            "head -c $((400000 - {free} * 1024 - 8192)) /dev/zero > runs/ballast; \
             {train}; code=$?; rm runs/ballast; echo \"first: $code\"; exec {train} --resume=auto"
        );
        let ended = on_a_disk(&bench, &script);
        assert!(ended.code == Some(0) && ended.stdout.contains("first: 1"), "{free} kB: {ended}");
        // once, although both ranks end with it
        assert_eq!(ended.stderr.matches("the disk is full").count(), 1, "{free} kB: {ended}");
        assert!(ended.stderr.contains("error: rank 0: ") && ended.stderr.contains("rank 1 ended after it"), "{ended}");
        assert_same(&whole.path("runs/run"), &bench.path("kept/run"), &format!("{free} kB"));
    }
}
