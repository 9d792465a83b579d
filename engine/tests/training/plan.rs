//! How long a training is, and what its clocks say on the way.

use crate::support::{self, ByEpoch, ByIter, Plain, Setup, Shape, Toyed as _};
use engine::loops::End;
use engine::phase::Phase;
use engine::run::StopKind;

/// (phase, epoch, iter, batch) at each of these phases.
fn clocks_at<S: Shape>(setup: &Setup, phases: &'static [Phase]) -> Vec<(&'static str, u64, u64, u64)> {
    let mut driver: Plain<S> = setup.plain();
    let seen = driver.watch(|phase, cx| {
        let clocks = cx.clocks();
        let found = (phase.name(), clocks.epoch().get(), clocks.iter().get(), clocks.batch().get());
        phases.contains(&phase).then_some(found)
    });
    driver.train_all().unwrap();
    seen.take()
}

#[test]
fn an_after_phase_sees_its_clock_counted() {
    let mut setup = Setup::epochs(1);
    setup.train.accumulate = 2;
    let phases = &[Phase::AfterTrainBatch, Phase::AfterOptimizerStep, Phase::AfterTrainIter, Phase::AfterTrainEpoch];
    let expected = [
        ("after_train_batch", 0, 0, 1),
        ("after_train_batch", 0, 0, 2),
        ("after_optimizer_step", 0, 0, 2),
        ("after_train_iter", 0, 1, 2),
        ("after_train_batch", 0, 1, 3),
        ("after_optimizer_step", 0, 1, 3),
        ("after_train_iter", 0, 2, 3),
        ("after_train_epoch", 1, 2, 0),
    ];
    assert_eq!(clocks_at::<ByEpoch>(&setup, phases), expected);
}

#[test]
fn by_iter_counts_one_epoch_when_all_is_done() {
    let phases = &[Phase::BeforeTrainEpoch, Phase::AfterTrainIter, Phase::AfterTrainEpoch];
    let expected = [
        ("before_train_epoch", 0, 0, 0),
        ("after_train_iter", 0, 1, 1),
        ("after_train_iter", 0, 2, 2),
        ("after_train_epoch", 1, 2, 0),
    ];
    assert_eq!(clocks_at::<ByIter>(&Setup::iters(2), phases), expected);
}

#[test]
fn the_plan_is_known_before_the_first_iter() {
    let mut setup = Setup { samples: 10, ..Setup::epochs(3) };
    setup.train.accumulate = 2;
    let mut driver = setup.plain::<ByEpoch>();
    driver.prepare_train().unwrap();
    let clocks = driver.run.clocks();
    assert_eq!((clocks.max_epochs(), clocks.max_iters(), clocks.iters_per_epoch()), (Some(3), Some(9), 3));
}

#[test]
fn a_limit_of_iters_below_that_of_epochs_wins() {
    let mut setup = Setup::epochs(3);
    setup.train.max_iters = Some(4);
    let mut driver = setup.plain::<ByEpoch>();
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let clocks = driver.run.clocks();
    assert_eq!((clocks.epoch().get(), clocks.iter().get(), clocks.batch().get()), (1, 4, 1));
}

#[test]
fn a_limit_of_iters_alone_ends_a_training_by_epoch() {
    let mut setup = Setup::iters(4);
    setup.train.max_epochs = None;
    let mut driver = setup.plain::<ByEpoch>();
    driver.train_all().unwrap();
    assert_eq!(driver.run.clocks().iter().get(), 4);
}

#[test]
fn a_limit_of_the_command_line_stops_there_and_leaves_the_plan_as_it_is() {
    let dir = support::folder();
    let mut setup = Setup::epochs(3);
    setup.train.stop_after = Some(2);
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let End::Stopped(stop) = driver.train_all().unwrap() else { panic!("it went on") };
    assert_eq!((stop.kind, stop.to_string()), (StopKind::Limit, "the limit of 2 iters".to_owned()));
    assert_eq!((driver.run.clocks().iter().get(), driver.run.clocks().max_iters()), (2, Some(9)));
    drop(driver);
    // a run that is resumed at its limit does no iter more
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let end = driver.run(|driver| driver.restore(support::newest(dir.path())).and_then(|()| driver.train()));
    assert_eq!((end.unwrap(), driver.run.clocks().iter().get()), (End::Stopped(stop), 2));
}

#[test]
fn a_training_without_an_end_is_refused() {
    let mut setup = Setup::iters(1);
    setup.train.max_iters = None;
    for error in [setup.plain::<ByIter>().train_all().unwrap_err(), setup.plain::<ByEpoch>().train_all().unwrap_err()] {
        assert_eq!(
            error.to_string(),
            "the training has no end; set `max_epochs`, `max_iters` or `max_samples` in `train`"
        );
    }
}

#[test]
fn an_endless_loader_needs_a_length_of_an_epoch() {
    let mut setup = Setup { endless: true, ..Setup::epochs(2) };
    let error = setup.plain::<ByEpoch>().train_all().unwrap_err().to_string();
    assert!(error.contains("set `batches_per_epoch`"), "{error}");
    setup.train.batches_per_epoch = Some(4);
    let mut driver = setup.plain::<ByEpoch>();
    driver.train_all().unwrap();
    assert_eq!(driver.run.clocks().iter().get(), 8);
}

/// Where a training leaves its loader: (pass, sample).
fn loader_after<S: Shape>(setup: &Setup) -> (u64, u64) {
    let mut driver: Plain<S> = setup.plain();
    driver.train_all().unwrap();
    let cursor = driver.toy().train.cursor();
    (cursor.pass, cursor.sample)
}

#[test]
fn with_batches_per_epoch_the_stream_goes_on_where_the_last_epoch_left_it() {
    // three batches a pass, two an epoch: four epochs are two passes and two batches
    let mut setup = Setup::epochs(4);
    setup.train.batches_per_epoch = Some(2);
    assert_eq!(loader_after::<ByEpoch>(&setup), (2, 4));
    // more than a pass
    setup.train.batches_per_epoch = Some(4);
    assert_eq!(loader_after::<ByEpoch>(&setup), (5, 2));
}

#[test]
fn by_iter_the_loader_starts_over_in_the_next_epochs_order() {
    let mut setup = Setup { shuffle: true, ..Setup::iters(7) };
    assert_eq!(loader_after::<ByIter>(&setup), (2, 2));
    // an iter may lie across the end of a pass
    setup.train.accumulate = 2;
    assert_eq!(loader_after::<ByIter>(&setup), (4, 4));
}
