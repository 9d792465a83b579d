//! Ranks that train on data without a length: each record goes to one of them.

use super::{distance, fingerprints, of};
use crate::bench::Bench;
use crate::left::assert_same;
use std::collections::BTreeMap;
use std::path::Path;

/// Thirty-eight records in three files.
fn flow() -> Bench {
    let bench = Bench::flow();
    std::fs::create_dir(bench.path("records")).unwrap();
    for (file, numbers) in [(0, 0..17), (1, 17..20), (2, 20..38)] {
        let line = |number: usize| {
            let at =
                |axis: usize| ((number * 7 + axis * 13) as f64 * 0.37).sin() + f64::from(u8::from(axis == number % 3));
            format!("{number} {} {} {} {} {}\n", number % 3, at(0), at(1), at(2), at(3))
        };
        bench.write(&format!("records/{file}.txt"), numbers.map(line).collect::<String>());
    }
    bench
}

/// The numbers of the records that a rank was fed in each iter, in order.
fn fed(run: &Path, rank: usize) -> BTreeMap<u64, Vec<u64>> {
    let name = if rank == 0 { "log.txt".to_owned() } else { format!("log.rank{rank}.txt") };
    let mut iters = BTreeMap::<u64, Vec<u64>>::new();
    for line in std::fs::read_to_string(run.join(name)).unwrap().lines() {
        let Some((iter, numbers)) = line.split_once("fed in iter ").and_then(|(_, rest)| rest.split_once(": ")) else {
            continue;
        };
        let numbers = numbers.trim_matches(['[', ']']).split(", ").map(|number| number.parse::<u64>().unwrap());
        iters.entry(iter.parse().unwrap()).or_default().extend(numbers);
    }
    iters
}

/// The records of each batch of four, from the halves that two ranks were fed.
fn joined(run: &Path) -> Vec<u64> {
    let (first, second) = (fed(run, 0), fed(run, 1));
    assert!(first.keys().eq(second.keys()));
    let mut all = Vec::new();
    for (one, other) in first.values().zip(second.values()) {
        assert_eq!((one.len(), other.len()), (4, 4));
        one.chunks(2).zip(other.chunks(2)).for_each(|(one, other)| all.extend(one.iter().chain(other)));
    }
    all
}

#[test]
fn two_ranks_are_dealt_the_records_of_one_process_and_come_to_its_weights() {
    let (alone, group) = (flow(), flow());
    alone.train(&[]).exits(0);
    group.train(&of("2", "loaders.train.batch_size=2")).exits(0);
    let (alone, group) = (alone.path("runs/run"), group.path("runs/run"));
    let whole: Vec<u64> = fed(&alone, 0).into_values().flatten().collect();
    assert_eq!(whole.len(), 96);
    // each round has every record once
    for round in whole.chunks(38).take(2) {
        let mut sorted = round.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..38).collect::<Vec<u64>>());
    }
    assert_ne!(whole[..38], whole[38..76]);
    assert_eq!(joined(&group), whole);
    assert_eq!(fingerprints(&group, 0), fingerprints(&group, 1));
    let distance = distance(&alone, &group);
    assert!(distance < 1e-6, "{distance:e}");
}

#[test]
fn a_stream_goes_on_with_the_next_record_on_as_many_ranks_and_on_others() {
    let whole = flow();
    let two = of("2", "loaders.train.batch_size=2");
    whole.train(&two).exits(0);
    let expected = joined(&whole.path("runs/run"));
    for stop in ["1", "5", "7"] {
        let again = flow();
        again.train(&[&two[..], &["--max-iters", stop]].concat()).exits(0);
        again.train(&[&two[..], &["--resume"]].concat()).exits(0);
        let run = again.path("runs/run");
        assert_eq!(joined(&run), expected, "stopped after {stop}");
        assert_same(&whole.path("runs/run"), &run, "a stream of two ranks");
        assert_eq!(fingerprints(&run, 1), fingerprints(&whole.path("runs/run"), 1), "stopped after {stop}");
    }
    // one process goes on with what two have begun
    let alone = flow();
    alone.train(&[&two[..], &["--max-iters", "5"]].concat()).exits(0);
    let before = joined(&alone.path("runs/run"));
    alone.train(&["--resume"]).exits(0);
    let run = alone.path("runs/run");
    let later: Vec<u64> =
        fed(&run, 0).into_iter().filter(|(iter, _)| *iter >= 5).flat_map(|(_, numbers)| numbers).collect();
    assert_eq!([before, later].concat(), expected);
    assert!(distance(&whole.path("runs/run"), &run) < 1e-6);
}

#[test]
fn files_that_have_changed_are_refused_by_all_ranks() {
    let bench = flow();
    let two = of("2", "loaders.train.batch_size=2");
    bench.train(&[&two[..], &["--max-iters", "5"]].concat()).exits(0);
    bench.write("records/3.txt", "38 0 0 0 0 0\n");
    let ended = bench.train(&[&two[..], &["--resume"]].concat());
    assert_ne!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("train"), "{ended}");
}
