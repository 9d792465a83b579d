//! Several processes that share a loader.

use super::*;
use crate::data::Infinite;

/// What each process of `world` reads of the next batches: `[batch][rank]`.
pub(super) fn dealt(
    settings: &LoaderConfig<Numbers>,
    world: usize,
    batches: usize,
    from: Cursor,
) -> Vec<Vec<Vec<(i64, i64)>>> {
    let of_rank = |rank: usize| {
        let mut loader = open(settings);
        loader.deal(rank, world).unwrap();
        loader.start(from).unwrap();
        let mut read = Vec::new();
        while read.len() < batches && loader.batches_left() != Some(0) {
            let own = loader.own_samples() as usize;
            read.push(match own {
                0 => {
                    loader.skip().unwrap();
                    Vec::new()
                }
                _ => seen(&loader.next_batch().unwrap().unwrap()),
            });
            assert_eq!(read.last().unwrap().len(), own);
        }
        (read, loader.cursor())
    };
    let ranks: Vec<_> = (0..world).map(of_rank).collect();
    assert!(ranks.iter().all(|(read, cursor)| (read.len(), *cursor) == (ranks[0].0.len(), ranks[0].1)));
    (0..ranks[0].0.len()).map(|batch| ranks.iter().map(|(read, _)| read[batch].clone()).collect()).collect()
}

#[test]
fn the_batches_of_all_processes_together_are_those_of_one_with_a_larger_batch_size() {
    for (world, batch_size, workers) in [(2, 3, 0), (3, 2, 2), (4, 1, 0), (2, 3, 3)] {
        for samples in [12, 13, 17, 23] {
            let single = pass(&mut open(&config(numbers(samples), world * batch_size, 0)), 1);
            let from = Cursor { pass: 1, sample: 0 };
            let dealt = dealt(&config(numbers(samples), batch_size, workers), world, usize::MAX, from);
            let together: Vec<_> = dealt.iter().map(|batch| batch.concat()).collect();
            assert_eq!(together, single, "{samples} samples on {world} ranks");
            let full = &dealt[..dealt.len() - 1];
            assert!(full.iter().flatten().all(|part| part.len() == batch_size));
        }
    }
}

#[test]
fn a_tail_with_fewer_samples_than_processes_leaves_some_without_any() {
    let dealt = dealt(&config(numbers(9), 2, 2), 4, usize::MAX, Cursor::default());
    let sizes: Vec<Vec<usize>> = dealt.iter().map(|batch| batch.iter().map(Vec::len).collect()).collect();
    assert_eq!(sizes, [[2, 2, 2, 2], [1, 0, 0, 0]]);
}

#[test]
fn an_endless_loader_gives_every_process_full_batches_over_the_end_of_a_pass() {
    let endless = |batch_size, workers| LoaderConfig {
        shuffle: false,
        sampler: Some(Box::new(Infinite {})),
        ..config(numbers(10), batch_size, workers)
    };
    let mut single = open(&endless(8, 0));
    single.start(Cursor { pass: 0, sample: 6 }).unwrap();
    let single = rest(&mut single, 4);
    for workers in [0, 2] {
        let dealt = dealt(&endless(4, workers), 2, 4, Cursor { pass: 0, sample: 6 });
        assert_eq!(dealt.iter().map(|batch| batch.concat()).collect::<Vec<_>>(), single);
        assert!(dealt.iter().flatten().all(|part| part.len() == 4));
    }
}

#[test]
fn a_tail_that_is_left_out_is_left_out_for_all_and_too_few_samples_are_refused() {
    let settings = LoaderConfig { drop_last: true, ..config(numbers(11), 3, 0) };
    assert_eq!(dealt(&settings, 2, usize::MAX, Cursor::default()).len(), 1);
    let error = open(&settings).deal(0, 4).unwrap_err().to_string();
    assert!(error.contains("4 ranks take `batch_size` 3 samples each") && error.contains("a pass has 11"), "{error}");
}
