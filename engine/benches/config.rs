//! What it costs to read an experiment of 500 lines over three bases.
//!
//! `cargo bench -p engine --bench config` prints the median of loading the files with two values of the command line,
//! and of loading them and reading every section into the types of a program.

#![allow(clippy::expect_used, missing_docs, unreachable_pub, reason = "a bench ends when something is wrong")]

#[path = "../tests/experiments/program.rs"]
mod program;

use engine::config::load_with;
use engine::trainer::Experiment;
use program::{EXPERIMENT, Fit};
use std::time::Instant;

const ROUNDS: usize = 101;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
    // each base patches the one below it
    write("a.ron", EXPERIMENT);
    write("b.ron", "(base: \"a.ron\", optimizer: (lr: 1e-3), hooks: (ema: (decay: 0.99)), train: (accumulate: 4))");
    write("c.ron", "(base: \"b.ron\", custom_hooks: Append([Ema]), schedule: Prepend([Step(every: 30)]))");
    let hook = "        // keeps the worst cases\n        Worst(\n            keep: 10,\n            by: \"val/loss\",\n        ),\n";
    let text =
        format!("Experiment(\n    base: \"c.ron\",\n    custom_hooks: Append([\n{}    ]),\n)\n", hook.repeat(99));
    write("exp.ron", &text);
    let path = folder.path().join("exp.ron");
    let sets = ["optimizer.lr=3e-4".to_owned(), "train.max_epochs=7".to_owned()];

    let loading = median_ms(|| drop(load_with(&path, &sets).expect("it is sound")));
    let reading = median_ms(|| {
        if let Err(errors) = Experiment::<Fit>::load(&path, &sets) {
            eprintln!("{errors}");
            std::process::exit(1);
        }
    });
    println!("{} lines over three bases: loaded in {loading:.2} ms, read in {reading:.2} ms", text.lines().count());
}

fn median_ms(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        run();
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
