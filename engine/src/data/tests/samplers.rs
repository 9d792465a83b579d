//! Every built-in sampler in a loader: from any position, with workers, on several ranks.

use super::shares::dealt;
use super::*;
use crate::data::{ByLength, ClassBalanced, SamplerConfig, Sequential, Shuffled, Weighted};

/// 23 samples with weights, classes and lengths.
fn told() -> Numbers {
    Numbers {
        weights: Some((0..23).map(|n| f64::from(n % 4)).collect()),
        classes: Some((0..23).map(|n| if n < 15 { 0 } else { n % 3 }).collect()),
        lengths: Some((0..23).map(|n| 1 + n * 7 % 10).collect()),
        ..numbers(23)
    }
}

fn settings(sampler: &dyn SamplerConfig, batch_size: usize, workers: usize) -> LoaderConfig<Numbers> {
    LoaderConfig { shuffle: false, sampler: Some(sampler.clone_sampler()), ..config(told(), batch_size, workers) }
}

fn samplers() -> [Box<dyn SamplerConfig>; 6] {
    [
        Box::new(Sequential {}),
        Box::new(Shuffled {}),
        Box::new(Weighted { samples: Some(30) }),
        Box::new(ClassBalanced::default()),
        Box::new(ClassBalanced { samples: Some(31) }),
        Box::new(ByLength { group: 4, groups: 3 }),
    ]
}

#[test]
fn a_pass_goes_on_from_any_sample_with_any_batch_size_and_workers() {
    for sampler in samplers() {
        let whole = flat(pass(&mut open(&settings(sampler.as_ref(), 4, 0)), 2));
        assert_eq!(whole.len(), open(&settings(sampler.as_ref(), 4, 0)).samples(), "{sampler:?}");
        for sample in 0..whole.len() {
            let (batch_size, workers) = (1 + sample % 5, sample % 3);
            let mut later = open(&settings(sampler.as_ref(), batch_size, workers));
            later.start(Cursor { pass: 2, sample: sample as u64 }).unwrap();
            assert_eq!(flat(rest(&mut later, usize::MAX)), whole[sample..], "{sampler:?} from {sample} on");
        }
    }
}

#[test]
fn the_ranks_read_the_batches_of_one_process_with_a_larger_batch_size() {
    for sampler in samplers() {
        let single = pass(&mut open(&settings(sampler.as_ref(), 6, 0)), 1);
        let from = Cursor { pass: 1, sample: 0 };
        let dealt = dealt(&settings(sampler.as_ref(), 2, 1), 3, usize::MAX, from);
        assert_eq!(dealt.iter().map(|batch| batch.concat()).collect::<Vec<_>>(), single, "{sampler:?}");
    }
}

#[test]
fn a_sampler_that_misses_something_of_the_dataset_says_what_to_implement() {
    for (sampler, method) in [
        (Box::new(ClassBalanced::default()) as Box<dyn SamplerConfig>, "Dataset::classes"),
        (Box::new(ByLength { group: 4, groups: 3 }), "Dataset::lengths"),
    ] {
        let data = Numbers { classes: None, lengths: None, ..told() };
        let mut loader = open(&LoaderConfig { shuffle: false, sampler: Some(sampler), ..config(data, 4, 0) });
        let error = loader.next_batch().err().unwrap().to_string();
        assert!(
            error.starts_with("the sampler of loader `train` failed in pass 0") && error.contains(method),
            "{error}"
        );
    }
}
