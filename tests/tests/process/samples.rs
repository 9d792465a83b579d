//! A training that counts in samples goes on right with another batch size.

use crate::bench::Bench;
use crate::left::{assert_same, checkpoints, rows};

/// A training by samples, whose data have no end.
fn by_sample() -> Bench {
    let bench = Bench::by_iter();
    bench.edit("max_iters: 12, accumulate: 2", "max_samples: 96, accumulate: 2");
    bench.edit("[Linear(iters: 3, start: 0.1), Cosine()]", "[Linear(samples: 24, start: 0.1), Cosine(by: Sample)]");
    bench.edit("logger: (interval: 3)", "logger: (interval: 1)");
    bench
}

/// The iters of the rows of training, each with its learning rate.
fn rates(bench: &Bench) -> Vec<(u64, f64)> {
    let rows = rows(&bench.path("runs/run"));
    let of_training = rows.iter().filter(|row| row["phase"] == "train");
    of_training.map(|row| (row["iter"].as_u64().unwrap(), row["lr"].as_f64().unwrap())).collect()
}

/// The learning rate before an update that follows on so many samples.
fn expected(samples: u64) -> f64 {
    match samples {
        0..24 => 0.02 * (0.1 + 0.9 * samples as f64 / 24.0),
        _ => 0.02 * (1.0 + (std::f64::consts::PI * (samples - 24) as f64 / 72.0).cos()) / 2.0,
    }
}

#[test]
fn a_run_with_another_batch_size_goes_on_from_its_samples() {
    let whole = by_sample();
    whole.train(&[]).exits(0);
    let rates_of = rates(&whole);
    assert_eq!(rates_of.len(), 12);
    for (iter, rate) in &rates_of {
        assert!((rate - expected((iter - 1) * 8)).abs() < 1e-9, "{iter}: {rate}");
    }
    // five updates of eight samples, and then fourteen of four
    let smaller = by_sample();
    smaller.train(&["--max-iters", "5"]).exits(0);
    let half = ["--set", "loaders.train.batch_size=2"];
    smaller.train(&[&["--resume"], &half[..]].concat()).exits(0);
    let rates_of = rates(&smaller);
    assert_eq!(rates_of.len(), 19);
    for (iter, rate) in &rates_of {
        let samples = if *iter <= 5 { (iter - 1) * 8 } else { 40 + (iter - 6) * 4 };
        assert!((rate - expected(samples)).abs() < 1e-9, "{iter}: {rate}");
    }
    // to the bit with the same one, also behind a change
    for (stops, more) in [(vec!["7"], &[][..]), (vec!["5", "9", "14"], &half[..])] {
        let again = by_sample();
        for (place, stop) in stops.iter().enumerate() {
            let resume = if place == 0 { &[][..] } else { &["--resume"] };
            let more = if place == 0 { &[][..] } else { more };
            again.train(&[&["--max-iters", stop], resume, more].concat()).exits(0);
        }
        again.train(&[&["--resume"], more].concat()).exits(0);
        let other = if more.is_empty() { &whole } else { &smaller };
        assert_same(&other.path("runs/run"), &again.path("runs/run"), "counted in samples");
    }
}

#[test]
fn samples_are_counted_where_it_makes_sense() {
    let bench = by_sample();
    bench.run(&["check", "exp.ron"]).exits(0);
    let refused = |set: &str, text: &str| {
        bench.run(&["check", "exp.ron", "--set", set]).exits(2).says(text);
    };
    refused("train.max_iters=12", "`max_iters` and `max_samples` both set the length; keep one");
    refused("train.max_samples=0", "`max_samples` must be at least 1, got 0");
    refused("schedule=[Linear(samples: 24, iters: 3)]", "`iters` and `samples` both set its length; keep one");
    refused("schedule=[Linear(samples: 24, by: Iter)]", "`samples` and `by: Iter` contradict each other");
    let shown = bench.run(&["schedule", "exp.ron"]).exits(0);
    assert!(shown.stdout.contains("`lr` over 12 iters"), "{shown}");
    // eight samples in an update: due after the updates that come to 20, 40, 60 and 80 samples, or past them
    let by = [
        "hooks.checkpoint.by=Sample",
        "hooks.checkpoint.interval=20",
        "hooks.checkpoint.keep=9",
        "val.by=Sample",
        "val.interval=40",
    ];
    let settings: Vec<&str> = by.iter().flat_map(|set| ["--set", *set]).collect();
    bench.train(&settings).exits(0);
    let run = bench.path("runs/run");
    let names = checkpoints(&run).into_iter().filter(|name| name.starts_with("iter_")).collect::<Vec<_>>();
    assert_eq!(names, [3, 5, 8, 10, 12].map(|iter| format!("iter_{iter:09}")));
    let validated: Vec<u64> =
        rows(&run).iter().filter(|row| row["phase"] == "val").map(|row| row["iter"].as_u64().unwrap()).collect();
    assert_eq!(validated, [5, 10, 12]);
    let by_epoch = Bench::by_epoch();
    by_epoch.run(&["check", "exp.ron", "--set", "train.max_samples=100"]).exits(2).says("use `max_epochs`");
}
