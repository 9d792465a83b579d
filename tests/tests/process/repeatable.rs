//! The same experiment gives the same bits.

use crate::bench::Bench;
use crate::left::{assert_same, rows, tensors};
use std::path::PathBuf;

/// A finished run, and the bench that keeps its folder alive.
fn finished(bench: Bench, more: &[&str]) -> (Bench, PathBuf) {
    bench.train(more).exits(0);
    let run = bench.path("runs/run");
    (bench, run)
}

#[test]
fn the_same_experiment_gives_the_same_bytes() {
    let (_one, first) = finished(Bench::by_epoch(), &[]);
    let (_two, second) = finished(Bench::by_epoch(), &[]);
    assert_same(&first, &second, "by epoch");
    let (_one, first) = finished(Bench::by_iter(), &[]);
    let (_two, second) = finished(Bench::by_iter(), &[]);
    assert_same(&first, &second, "by iter");
}

#[test]
fn the_number_of_workers_changes_no_bit() {
    let (_one, first) = finished(Bench::by_epoch(), &["--set", "loaders.train.workers=0"]);
    for workers in ["1", "3"] {
        let set = format!("loaders.train.workers={workers}");
        let all = format!("loaders.hard.workers={workers}");
        let (_other, run) = finished(Bench::by_epoch(), &["--set", &set, "--set", &all]);
        assert_same(&first, &run, &set);
    }
}

#[test]
fn a_sanity_validation_changes_no_bit() {
    let (_one, first) = finished(Bench::by_epoch(), &[]);
    let (_two, second) = finished(Bench::by_epoch(), &["--set", "val.sanity=2"]);
    assert_same(&first, &second, "by epoch");
    let (_one, first) = finished(Bench::by_iter(), &[]);
    let (_two, second) = finished(Bench::by_iter(), &["--set", "val.sanity=9"]);
    assert_same(&first, &second, "by iter");
}

#[test]
fn another_seed_gives_other_weights() {
    let (_one, first) = finished(Bench::by_epoch(), &[]);
    let (_two, second) = finished(Bench::by_epoch(), &["--set", "seed=8"]);
    assert_ne!(tensors(&first)["net.safetensors"], tensors(&second)["net.safetensors"]);
    assert_ne!(rows(&first)[0]["loss"], rows(&second)[0]["loss"]);
}

#[test]
fn each_source_of_chance_has_its_part_in_the_result() {
    // without this, the tests above would pass with a seed that reaches nothing
    let (_one, first) = finished(Bench::by_epoch(), &[]);
    for without in ["model.dropout=0.0", "loaders.train.shuffle=false", "loaders.train.dataset.noise=0.0"] {
        let (_other, run) = finished(Bench::by_epoch(), &["--set", without]);
        assert_ne!(tensors(&first)["net.safetensors"], tensors(&run)["net.safetensors"], "{without}");
    }
}
