//! Datasets made of other datasets.

use super::*;
use crate::data::{
    Cached, ClassBalanced, Concat, Oversampled, OversampledConfig, Repeated, RepeatedConfig, Samples, Subset,
    SubsetConfig, Weighted,
};

// the first three of the samples in the order of seed 3
const SUBSET_OF_SEED_3: [i64; 3] = [2, 5, 9];

/// The indices in the innermost dataset of all samples, in order.
fn indices<D: Dataset<Item = (i64, i64, Tensor)>>(dataset: &D) -> Vec<i64> {
    let rng = |place: usize| Samples::new(7, vec![0; dataset.len()]).rng(place);
    (0..dataset.len()).map(|index| dataset.get(index, &mut rng(index)).unwrap().0).collect()
}

fn subset(fraction: Option<f64>, first: Option<usize>, indices: Option<Vec<usize>>) -> SubsetConfig<Numbers> {
    SubsetConfig { dataset: numbers(10), fraction, seed: 3, first, indices, rest: false }
}

fn opened(config: &SubsetConfig<Numbers>) -> Vec<i64> {
    indices(&Subset::<Numbers>::open(config).unwrap())
}

#[test]
fn a_subset_is_a_share_the_first_ones_or_a_list_and_the_rest_is_all_others() {
    for (config, expected) in [
        // by an independent program
        (subset(Some(0.3), None, None), &SUBSET_OF_SEED_3[..]),
        (subset(None, Some(4), None), &[0, 1, 2, 3][..]),
        (subset(None, Some(99), None), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (subset(None, None, Some(vec![7, 2, 7])), &[7, 2, 7]),
        (subset(Some(0.0), None, None), &[]),
    ] {
        assert_eq!(opened(&config), expected, "{config:?}");
        let rest = opened(&SubsetConfig { rest: true, ..config });
        let others: Vec<i64> = (0..10).filter(|index| !expected.contains(index)).collect();
        assert_eq!(rest, others);
    }
    // a larger share of one seed contains a smaller one
    let larger = opened(&subset(Some(0.7), None, None));
    assert!(larger.len() == 7 && SUBSET_OF_SEED_3.iter().all(|index| larger.contains(index)), "{larger:?}");
}

#[test]
fn a_subset_that_asks_for_nothing_for_two_things_or_for_samples_that_are_not_there_is_refused() {
    let refused = |config: &SubsetConfig<Numbers>| Subset::<Numbers>::open(config).err().unwrap().to_string();
    for config in [subset(None, None, None), subset(Some(0.1), Some(1), None), subset(None, Some(1), Some(vec![1]))] {
        assert_eq!(refused(&config), "a subset needs exactly one of `fraction`, `first` and `indices`");
    }
    for rest in [false, true] {
        let outside = SubsetConfig { rest, ..subset(None, None, Some(vec![1, 10])) };
        assert_eq!(refused(&outside), "`indices` of a subset contains 10, and the dataset has 10 samples");
    }
}

#[test]
fn a_repeated_dataset_gives_each_sample_so_often_and_augments_it_anew() {
    let config = RepeatedConfig { dataset: numbers(3), times: 2 };
    let mut loader = Loader::<Repeated<Numbers>>::open("train", &LoaderConfig::new(config, 6), 42).unwrap();
    let batch = seen(&loader.next_batch().unwrap().unwrap());
    assert_eq!(batch.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    assert!(batch[..3].iter().zip(&batch[3..]).all(|((_, first), (_, second))| first != second), "{batch:?}");
    let none = Repeated::new(numbers(0), 5).unwrap();
    assert!(none.is_empty());
    for times in [0, usize::MAX] {
        let error = Repeated::new(numbers(3), times).err().unwrap().to_string();
        assert!(error.contains(&format!("3 samples can't be repeated {times} times")), "{error}");
    }
}

#[test]
fn rare_classes_occur_as_often_as_the_rule_of_lvis_says() {
    // shares 0.7, 0.2, 0.1; √(0.4 / 0.2) = 1.4 and √(0.4 / 0.1) = 2
    let data = Numbers { classes: Some(vec![5, 5, 5, 9, 5, 5, 5, 5, 1, 9]), ..numbers(10) };
    let config = OversampledConfig { dataset: data, threshold: 0.4 };
    let dataset = Oversampled::<Numbers>::open(&config).unwrap();
    assert_eq!(indices(&dataset), [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 9, 9]);
    assert_eq!(dataset.classes().unwrap()[7..], [5, 5, 1, 1, 9, 9]);
    let error = Oversampled::new(numbers(2), 0.1).err().unwrap().to_string();
    assert!(error.ends_with("implement `Dataset::classes`"), "{error}");
    let few = Numbers { classes: Some(vec![1]), ..numbers(2) };
    assert!(Oversampled::new(few, 0.1).err().unwrap().to_string().starts_with("the dataset has 1 classes for 2"));
}

#[test]
fn datasets_one_after_the_other_keep_what_they_tell_and_are_drawn_by_their_weights() {
    let told = |len: usize, class: i64, weights: Option<Vec<f64>>| Numbers {
        classes: Some(vec![class; len]),
        weights,
        ..numbers(len)
    };
    let joined = Concat::new(vec![told(3, 0, None), numbers(0), told(2, 1, None)], None).unwrap();
    assert_eq!((joined.len(), indices(&joined)), (5, vec![0, 1, 2, 0, 1]));
    assert_eq!((joined.classes(), joined.weights()), (None, None), "the empty one tells none");
    let weights = [3.0, 1.0];
    let datasets = || vec![told(3, 0, Some(vec![1.0, 2.0, 0.0])), told(100, 1, None)];
    let joined = Concat::new(datasets(), Some(&weights)).unwrap();
    assert_eq!(joined.classes().unwrap()[2..4], [0, 1]);
    assert_eq!(joined.weights().unwrap()[..4], [1.0, 2.0, 0.0, 0.01]);
    // three quarters of the draws are of the small dataset: expected 3,000 with a standard deviation of 27
    let config = crate::data::ConcatConfig { datasets: Vec::new(), weights: None };
    let sampler = Some(Box::new(Weighted { samples: Some(4000) }) as Box<dyn crate::data::SamplerConfig>);
    let config = LoaderConfig { sampler, ..LoaderConfig::new(config, 4000) };
    let mut loader = Loader::with_dataset("train", joined, &config, 42).unwrap();
    let drawn = seen(&loader.next_batch().unwrap().unwrap());
    let small = drawn.iter().filter(|(index, _)| *index < 2).count();
    // two samples of the large one have such indices too: 20 draws
    assert!((2_890..3_150).contains(&small), "{small}");

    let refused = |weights: &[f64]| Concat::new(datasets(), Some(weights)).err().unwrap().to_string();
    assert_eq!(refused(&[1.0]), "`weights` has 1 numbers for 2 `datasets`");
    assert_eq!(refused(&[1.0, -1.0]), "`weights[1]` is -1, expected a finite number of at least 0");
    let none = Concat::new(vec![told(1, 0, Some(vec![0.0]))], Some(&[1.0])).err().unwrap().to_string();
    assert_eq!(none, "the weights of `datasets[0]` add up to 0, expected a number above 0");
}

#[test]
fn a_failing_sample_of_a_joined_dataset_is_named_with_its_dataset() {
    let broken = Numbers { fails_at: Some(1), ..numbers(2) };
    let joined = Concat::new(vec![numbers(3), broken], None).unwrap();
    let config = crate::data::ConcatConfig { datasets: Vec::new(), weights: None };
    let mut loader = Loader::with_dataset("train", joined, &LoaderConfig::new(config, 5), 42).unwrap();
    assert_eq!(
        loader.next_batch().err().unwrap().to_string(),
        "loader `train` can't read sample 4 in pass 0: sample 1 of `datasets[1]`: the file is cut short"
    );
}

#[test]
fn a_cached_dataset_reads_each_sample_once_and_gives_the_same_whoever_reads_first() {
    let read = |workers: usize, samples: Option<usize>| {
        let data = numbers(20);
        let gets = data.gets.clone();
        let config = crate::data::CachedConfig { dataset: numbers(0), samples };
        let config = LoaderConfig { workers: workers.into(), shuffle: true, ..LoaderConfig::new(config, 4) };
        let mut loader = Loader::with_dataset("train", Cached::new(data, samples).unwrap(), &config, 42).unwrap();
        let mut all = Vec::new();
        for pass in 0..3 {
            loader.start(Cursor { pass, sample: 0 }).unwrap();
            let mut samples = Vec::new();
            while let Some(batch) = loader.next_batch().unwrap() {
                samples.extend(seen(&batch));
            }
            samples.sort_unstable();
            all.push(samples);
        }
        assert!(
            all.iter().all(|pass| *pass == all[0]),
            "the random numbers of a sample are those of its first reading"
        );
        (all.swap_remove(0), gets.load(Ordering::SeqCst))
    };
    let (kept, gets) = read(0, None);
    assert_eq!(gets, 20);
    assert_eq!(read(3, None), (kept.clone(), 20));
    // 5 once, 15 in each of three passes
    assert_eq!(read(2, Some(5)), (kept, 5 + 3 * 15));
}

#[test]
fn a_sample_that_failed_or_panicked_in_a_cached_dataset_is_read_again() {
    for broken in [Numbers { fails_at: Some(2), ..numbers(4) }, Numbers { panics_at: Some(2), ..numbers(4) }] {
        let gets = broken.gets.clone();
        let config = crate::data::CachedConfig { dataset: numbers(0), samples: None };
        let config = LoaderConfig { workers: 1.into(), ..LoaderConfig::new(config, 4) };
        let mut loader = Loader::with_dataset("train", Cached::new(broken, None).unwrap(), &config, 42).unwrap();
        for gets_then in [3, 4] {
            assert!(loader.next_batch().err().unwrap().to_string().contains("sample 2"));
            loader.stop();
            assert_eq!(gets.load(Ordering::SeqCst), gets_then, "samples 0 and 1 are kept");
        }
    }
}

#[test]
fn wrappers_of_wrappers_tell_classes_to_the_sampler() {
    let data = Numbers { classes: Some((0..20).map(|n| i64::from(n % 10 == 0)).collect()), ..numbers(20) };
    let inner = SubsetConfig { dataset: data, fraction: None, seed: 0, first: Some(11), indices: None, rest: false };
    let config = RepeatedConfig { dataset: inner, times: 2 };
    let sampler = Some(Box::new(ClassBalanced::default()) as Box<dyn crate::data::SamplerConfig>);
    let config = LoaderConfig { sampler, ..LoaderConfig::new(config, 22) };
    let mut loader = Loader::<Repeated<Subset<Numbers>>>::open("train", &config, 42).unwrap();
    let batch = seen(&loader.next_batch().unwrap().unwrap());
    assert_eq!(batch.iter().filter(|(index, _)| index % 10 == 0).count(), 11);
}
