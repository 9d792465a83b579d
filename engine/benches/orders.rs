//! What it costs to find out which sample comes when.
//!
//! `cargo bench --workspace --bench orders` prints the median time for an index: one by one, as `Order::get` gives it, and
//! in runs of 256, as a loader takes the samples of a batch; and how the two compare.

#![allow(missing_docs, reason = "a program")]

use engine::data::{Order, Pass, Population, Sampler as _, Weighted};
use std::hint::black_box;
use std::time::Instant;

const PASS: Pass = Pass { seed: 42, number: 3 };
const ROUNDS: usize = 401;
const RUN: usize = 256;

fn main() {
    println!("{:<32}{:>12}{:>12}{:>8}", "ns an index, median", "one by one", "in runs", "ratio");
    show("list of 10^6", &Order::shuffled(1_000_000, &PASS));
    show("computed, of 10^6 + 1", &Order::shuffled(1_000_001, &PASS));
    show("computed, of 3·10^9", &Order::shuffled(3_000_000_000, &PASS));
    let weights: Vec<f64> = (0..1_000_000).map(|sample| f64::from(sample % 7)).collect();
    match Weighted::default().order(&Population::new(weights.len(), Some(&weights)), &PASS) {
        Ok(order) => show("draws by 10^6 weights", &order),
        Err(error) => println!("{error:#}"),
    }
}

fn show(name: &str, order: &Order) {
    let mut indices = Vec::with_capacity(RUN);
    // runs from all over the order
    let first = |round: usize| (round * 7919 * RUN) % (order.len() - RUN);
    let one_by_one = median_ns(|round| {
        for position in first(round)..first(round) + RUN {
            black_box(order.get(position));
        }
    });
    let in_runs = median_ns(|round| {
        indices.clear();
        order.extend(first(round)..first(round) + RUN, &mut indices);
        black_box(&indices);
    });
    println!("{name:<32}{one_by_one:>12.1}{in_runs:>12.1}{:>8.2}", in_runs / one_by_one);
}

fn median_ns(mut run: impl FnMut(usize)) -> f64 {
    let mut times: Vec<f64> = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let began = Instant::now();
        run(round);
        times.push(began.elapsed().as_secs_f64() * 1e9 / RUN as f64);
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
