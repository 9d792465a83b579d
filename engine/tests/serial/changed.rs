//! A run that goes on with other settings: each sample of the common order comes once, or the run is refused.

use crate::support::{self, ByEpoch, ByIter, Full, Lines, Setup, Shape, Toyed as _, alone, newest};
use engine::base::{Clock, Epoch, Iter};
use engine::loops::TrainPlan;

/// 10 shuffled samples in batches of two; `iters` iters are made, then the run goes on as `changed`. Gives back what was fed in
/// both parts, and the second program.
fn gone_on<S: Shape>(first: &Setup, iters: u64, changed: &Setup) -> (Vec<i64>, Full<S>, Lines) {
    let dir = support::folder();
    let mut limited = first.clone();
    limited.train.stop_after = Some(iters);
    let mut driver = limited.in_folder::<S>(dir.path());
    driver.train_all().unwrap();
    let mut fed = driver.toy().fed.clone();
    drop(driver);
    let mut driver = changed.in_folder::<S>(dir.path());
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    fed.extend(&driver.toy().fed);
    (fed, driver, lines)
}

fn shuffled() -> Setup {
    Setup { samples: 10, shuffle: true, ..Setup::epochs(3) }
}

fn uncut<S: Shape>(setup: &Setup) -> Vec<i64> {
    let mut driver = setup.full::<S>();
    driver.train_all().unwrap();
    driver.toy().fed.clone()
}

fn places(driver: &Full<ByEpoch>) -> (Epoch, Iter, Option<u64>) {
    let clocks = driver.run.clocks();
    (clocks.epoch(), clocks.iter(), clocks.max_iters())
}

#[test]
fn with_another_batch_size_each_sample_comes_once_and_the_planned_epoch_is_the_last() {
    let _alone = alone();
    let whole = uncut::<ByEpoch>(&shuffled());
    // 5 iters an epoch; in the middle of the first, and between two epochs
    for (iters, batch_size, left) in [(2, 3, 2 + 4 + 4), (5, 3, 4 + 4), (7, 1, 6 + 10), (3, 99, 1 + 1 + 1)] {
        let changed = Setup { batch_size, ..shuffled() };
        let (fed, driver, lines) = gone_on::<ByEpoch>(&shuffled(), iters, &changed);
        assert_eq!(fed, whole, "{iters} iters, then batches of {batch_size}");
        assert_eq!(places(&driver), (Epoch(3), Iter(iters + left), Some(iters + left)), "batches of {batch_size}");
        assert!(lines.lock().unwrap().iter().all(|line| !line.contains("another order")), "{lines:?}");
    }
}

#[test]
fn with_other_workers_and_another_accumulate_each_sample_comes_once() {
    let _alone = alone();
    let whole = uncut::<ByEpoch>(&shuffled());
    for (iters, accumulate, left) in [(2, 2, 2 + 3 + 3), (5, 2, 3 + 3), (1, 4, 1 + 2 + 2)] {
        let mut changed = Setup { workers: 2, ..shuffled() };
        changed.train.accumulate = accumulate;
        let (fed, driver, _) = gone_on::<ByEpoch>(&shuffled(), iters, &changed);
        assert_eq!(fed, whole, "{iters} iters, then {accumulate} batches an iter");
        assert_eq!(places(&driver), (Epoch(3), Iter(iters + left), Some(iters + left)));
    }
}

#[test]
fn with_another_length_of_an_epoch_the_samples_go_on_where_they_were() {
    let _alone = alone();
    let of = |batches| {
        let mut setup = Setup { samples: 10, shuffle: true, ..Setup::epochs(4) };
        setup.train.batches_per_epoch = batches;
        setup
    };
    // the order of more passes than any of these runs has
    let order = uncut::<ByEpoch>(&Setup { samples: 10, shuffle: true, ..Setup::epochs(9) });
    for (first, iters, then, left) in [
        // in epoch 0, whose third batch is left, then three epochs of the whole pass; and the other way
        (Some(3), 2, None, 3 + 5 + 5 + 5),
        (None, 2, Some(3), 1 + 3 + 3 + 3),
        // one epoch is done
        (Some(3), 3, Some(4), 4 + 4 + 4),
        // the epoch has more batches behind it than it now has
        (Some(4), 3, Some(2), 2 + 2 + 2),
    ] {
        let (fed, driver, _) = gone_on::<ByEpoch>(&of(first), iters, &of(then));
        assert!(order.starts_with(&fed), "{first:?}, {iters} iters, {then:?}: {fed:?} of {order:?}");
        assert_eq!(places(&driver), (Epoch(4), Iter(iters + left), Some(iters + left)), "{first:?}, {then:?}");
    }
}

#[test]
fn an_endless_sampler_and_a_shuffled_one_follow_each_other_in_any_place() {
    let _alone = alone();
    let shuffled = Setup { samples: 10, shuffle: true, ..Setup::iters(12) };
    let endless = Setup { endless: true, shuffle: false, ..shuffled.clone() };
    let whole = uncut::<ByIter>(&shuffled);
    assert_eq!(uncut::<ByIter>(&endless), whole);
    for iters in [3, 5, 7] {
        for (first, then) in [(&shuffled, &endless), (&endless, &shuffled)] {
            let (fed, driver, _) = gone_on::<ByIter>(first, iters, then);
            assert_eq!((fed, driver.run.clocks().iter()), (whole.clone(), Iter(12)), "after {iters}");
        }
    }
}

/// Why the run is refused that goes on as `changed` after so many iters.
fn refused<S: Shape>(first: &Setup, iters: u64, changed: Full<S>) -> String {
    let dir = support::folder();
    let mut limited = first.clone();
    limited.train.stop_after = Some(iters);
    limited.in_folder::<S>(dir.path()).train_all().unwrap();
    let mut changed = changed;
    changed.run(|driver| driver.restore(newest(dir.path()))).unwrap_err().to_string()
}

#[test]
fn another_order_in_the_middle_of_a_pass_is_refused_with_what_where_and_what_to_do() {
    let _alone = alone();
    let changes = [
        (Setup { shuffle: false, ..shuffled() }, "the sampler is `Sequential()`, it was `Shuffled()`"),
        (Setup { samples: 11, ..shuffled() }, "the number of samples is 11, it was 10"),
    ];
    for (changed, what) in changes {
        let error = refused::<ByEpoch>(&shuffled(), 2, changed.full());
        let place = "the checkpoint stands at sample 4 of 10 in pass 0";
        assert!(error.contains(what) && error.contains(place) && error.contains("`train`"), "{error}");
        assert!(error.contains("undo the change until the pass is over, or begin a new run with `--fresh`"), "{error}");
    }
}

#[test]
fn another_order_between_two_passes_is_told_and_holds_from_there_on() {
    let _alone = alone();
    let changed = Setup { samples: 8, ..shuffled() };
    let (fed, driver, lines) = gone_on::<ByEpoch>(&shuffled(), 5, &changed);
    // as the run has begun, then two passes of the new data, the second and third of their order
    assert_eq!(fed[..10], uncut::<ByEpoch>(&shuffled())[..10]);
    assert_eq!(fed[10..], uncut::<ByEpoch>(&changed)[8..]);
    assert_eq!(places(&driver), (Epoch(3), Iter(5 + 4 + 4), Some(13)));
    let told =
        "the loader `train` gives its samples in another order from pass 1 on: the number of samples is 8, it was 10";
    assert_eq!(lines.lock().unwrap()[0], told);
}

#[test]
fn another_seed_is_refused_in_any_place() {
    let _alone = alone();
    let plan = || TrainPlan { max_epochs: Some(3), accumulate: 1, ..TrainPlan::default() };
    for iters in [2, 5] {
        let setup = Setup { train: plan(), val: Some(support::every(1, Clock::Epoch)), ..shuffled() };
        let error = refused::<ByEpoch>(&setup, iters, setup.seeded(8));
        assert_eq!(
            error,
            "the seed is 8, it was 7 when the run began, and all random numbers of the run follow from it; set `seed: 7`, or begin a new run with `--fresh`"
        );
    }
}
