//! Which samples come in which order, and what batches they make.

use super::*;
use crate::base::state::Saved as _;
use crate::data::{Infinite, Weighted};

#[test]
fn order_and_augmentation_keep_their_values() {
    let mut loader = open(&config(numbers(10), 4, 0));
    let indices = |pass: Vec<Vec<(i64, i64)>>| pass.concat().iter().map(|(index, _)| *index).collect::<Vec<_>>();
    assert_eq!(indices(pass(&mut loader, 0)), ORDER_0);
    let second = pass(&mut loader, 1);
    assert_eq!(second.concat().iter().map(|(_, random)| *random).collect::<Vec<_>>(), RANDOM_1);
    assert_eq!(indices(second), ORDER_1);
}

#[test]
fn two_loaders_of_one_run_draw_differently() {
    let config = config(numbers(20), 20, 0);
    let mut other = Loader::open("other", &config, 42).unwrap();
    assert_ne!(pass(&mut open(&config), 0), pass(&mut other, 0));
}

#[test]
fn the_last_batch_is_smaller_or_left_out() {
    let sizes = |drop_last| {
        let mut loader = open(&LoaderConfig { drop_last, ..config(numbers(10), 4, 1) });
        assert_eq!(loader.samples(), 10);
        let sizes: Vec<usize> = pass(&mut loader, 0).iter().map(Vec::len).collect();
        assert_eq!(loader.batches(), Some(sizes.len() as u64));
        sizes
    };
    assert_eq!(sizes(false), [4, 4, 2]);
    assert_eq!(sizes(true), [4, 4]);
}

#[test]
fn a_tail_that_was_left_out_is_not_given_by_a_smaller_batch_size() {
    let mut loader = open(&LoaderConfig { drop_last: true, ..config(numbers(10), 4, 0) });
    assert_eq!(rest(&mut loader, 99).len(), 2);
    assert_eq!(loader.cursor(), Cursor { pass: 1, sample: 0 });
}

#[test]
fn an_endless_pass_goes_over_its_boundary_with_full_batches() {
    for workers in [0, 2] {
        let settings =
            LoaderConfig { shuffle: false, sampler: Some(Box::new(Infinite {})), ..config(numbers(10), 4, workers) };
        let mut loader = open(&settings);
        assert_eq!(loader.batches(), None);
        let batches = rest(&mut loader, 5);
        assert!(batches.iter().all(|batch| batch.len() == 4));
        let indices: Vec<i64> = batches.concat().iter().map(|(index, _)| *index).collect();
        assert_eq!(indices[..10], ORDER_0);
        assert_eq!(indices[10..], ORDER_1);
        let mut later = open(&settings);
        later.start(Cursor { pass: 0, sample: 8 }).unwrap();
        assert_eq!(rest(&mut later, 3), batches[2..]);
    }
}

#[test]
fn infinite_and_shuffled_passes_go_on_in_each_others_place() {
    let endless = LoaderConfig { shuffle: false, sampler: Some(Box::new(Infinite {})), ..config(numbers(10), 4, 0) };
    let finite = config(numbers(10), 3, 0);
    let mut passes = open(&config(numbers(10), 10, 0));
    let common: Vec<_> = (0..4).flat_map(|number| flat(pass(&mut passes, number))).collect();
    let mut loader = open(&endless);
    let order = loader.common_order();
    let mut seen = flat(rest(&mut loader, 4));
    assert_eq!(loader.cursor(), Cursor { pass: 1, sample: 6 });
    let mut as_finite = open(&finite);
    assert_eq!(as_finite.common_order(), order);
    as_finite.start(loader.cursor()).unwrap();
    seen.extend(flat(rest(&mut as_finite, 1)));
    let mut again = open(&endless);
    again.start(as_finite.cursor()).unwrap();
    seen.extend(flat(rest(&mut again, 5)));
    assert_eq!(seen, common[..16 + 3 + 20]);
}

#[test]
fn a_sample_drawn_twice_is_augmented_twice() {
    let data = Numbers { weights: Some(vec![1.0, 3.0, 0.0]), ..numbers(3) };
    let sampler = Some(Box::new(Weighted { samples: Some(400) }) as Box<dyn crate::data::SamplerConfig>);
    let mut loader = open(&LoaderConfig { shuffle: false, sampler, ..config(data, 400, 0) });
    assert_eq!((loader.samples(), loader.batches()), (400, Some(1)));
    let drawn = pass(&mut loader, 0).concat();
    let of_second: Vec<i64> = drawn.iter().filter(|(index, _)| *index == 1).map(|(_, random)| *random).collect();
    // expected 300 with a standard deviation of 9
    assert!((260..340).contains(&of_second.len()), "{}", of_second.len());
    assert!(drawn.iter().all(|(index, _)| *index != 2));
    assert!(of_second.iter().any(|random| *random != of_second[0]));
}

#[test]
fn a_loader_tells_what_its_order_depends_on_and_what_has_changed() {
    let order = |config: &LoaderConfig<Numbers>, seed| {
        Loader::<Numbers>::open("train", config, seed).unwrap().common_order().unwrap()
    };
    let saved = order(&config(numbers(10), 4, 0), 42);
    let saved = crate::data::CommonOrder::restore(saved.save()).unwrap();
    assert_eq!(saved.sampler, "Shuffled()");
    assert!(order(&LoaderConfig { drop_last: true, ..config(numbers(10), 2, 3) }, 42).changes_since(&saved).is_empty());
    let weighted = Weighted { samples: Some(5) };
    let data = Numbers { weights: Some(vec![1.0; 11]), ..numbers(11) };
    let other = LoaderConfig { shuffle: false, sampler: Some(Box::new(weighted)), ..config(data, 4, 0) };
    assert_eq!(
        order(&other, 43).changes_since(&saved),
        [
            "the seed is 43, it was 42",
            "the sampler is `Weighted(samples: 5)`, it was `Shuffled()`",
            "the number of samples is 11, it was 10"
        ]
    );
}

#[test]
fn repeated_batches_are_those_of_pass_0_in_every_pass() {
    for workers in [0, 3] {
        let settings = config(numbers(10), 3, workers);
        let first = pass(&mut open(&settings), 0);
        let mut loader = open(&settings);
        let order = loader.common_order().unwrap();
        loader.repeat(2).unwrap();
        assert_eq!((loader.batches(), loader.samples(), loader.last_batch()), (Some(2), 6, Some(3)));
        for number in [0, 1, 7] {
            assert_eq!(pass(&mut loader, number), first[..2], "pass {number}");
            assert_eq!(loader.cursor(), Cursor { pass: number + 1, sample: 0 });
        }
        loader.start(Cursor { pass: 4, sample: 3 }).unwrap();
        assert_eq!(rest(&mut loader, 1), first[1..2]);
        assert_eq!(
            loader.common_order().unwrap().changes_since(&order),
            ["the sampler is `Shuffled(), the first 2 batches again and again`, it was `Shuffled()`"]
        );
        // all of them, the short one too
        loader.repeat(4).unwrap();
        assert_eq!(pass(&mut loader, 3), first);
        let text = "loader `train` can't give the same 5 batches again and again: a pass has 4; ask for at most 4";
        assert_eq!(loader.repeat(5).unwrap_err().to_string(), text);
    }
}

#[test]
fn an_endless_loader_repeats_whole_batches_of_its_first_pass() {
    let settings = LoaderConfig { shuffle: false, sampler: Some(Box::new(Infinite {})), ..config(numbers(10), 3, 0) };
    let mut loader = open(&settings);
    assert!(loader.repeat(4).unwrap_err().to_string().ends_with("a pass has 3; ask for at most 3"));
    loader.repeat(2).unwrap();
    assert_eq!(loader.batches(), Some(2));
    for number in 0..3 {
        let indices: Vec<i64> = pass(&mut loader, number).concat().iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, ORDER_0[..6]);
    }
}
