//! The order of the phases.

use crate::support::{self, Bare, ByEpoch, ByIter, Everything, Setup, Toyed as _, TwoVals, every};
use engine::base::Clock;
use engine::loops::{End, TrainPlan};
use engine::phase::Phase;

const BATCH: [&str; 4] = ["before_train_batch", "after_forward", "after_backward", "after_train_batch"];
const UPDATE: [&str; 2] = ["before_optimizer_step", "after_optimizer_step"];

/// One iter of so many batches.
fn iter(batches: usize) -> Vec<&'static str> {
    let mut names = vec!["before_train_iter"];
    (0..batches).for_each(|_| names.extend(BATCH));
    names.extend(UPDATE);
    names.push("after_train_iter");
    names
}

/// One evaluation; the number of batches of each loader.
fn evaluation(stage: &'static str, loaders: &[usize]) -> Vec<&'static str> {
    let [before, before_epoch, before_iter, after_iter, after_epoch, after] = match stage {
        "val" => {
            ["before_val", "before_val_epoch", "before_val_iter", "after_val_iter", "after_val_epoch", "after_val"]
        }
        _ => [
            "before_test",
            "before_test_epoch",
            "before_test_iter",
            "after_test_iter",
            "after_test_epoch",
            "after_test",
        ],
    };
    let mut names = vec![before];
    for batches in loaders {
        names.push(before_epoch);
        (0..*batches).for_each(|_| names.extend([before_iter, after_iter]));
        names.push(after_epoch);
    }
    names.push(after);
    names
}

/// A whole training around its epochs.
fn run(inner: Vec<Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = vec!["before_run", "before_train"];
    names.extend(inner.into_iter().flatten());
    names.extend(["after_train", "after_run"]);
    names
}

fn epoch(inner: Vec<Vec<&'static str>>) -> Vec<&'static str> {
    let mut names = vec!["before_train_epoch"];
    names.extend(inner.into_iter().flatten());
    names.push("after_train_epoch");
    names
}

const SAVE: [&str; 2] = ["before_save_checkpoint", "after_save_checkpoint"];

#[test]
fn by_epoch_validates_after_each_epoch() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    assert_eq!(driver.train_all().unwrap(), End::Finished);
    let one = epoch(vec![iter(1), iter(1), iter(1)]);
    let val = evaluation("val", &[2]);
    assert_eq!(log.names(), run(vec![one.clone(), val.clone(), one, val]));
}

#[test]
fn by_iter_is_one_epoch_around_the_whole_training() {
    let mut setup = Setup::iters(4);
    setup.val = Some(every(2, Clock::Iter));
    let mut driver = setup.plain::<ByIter>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let val = evaluation("val", &[2]);
    // the last safe point is behind the epoch
    let whole = epoch(vec![iter(1), iter(1), val.clone(), iter(1), iter(1)]);
    assert_eq!(log.names(), run(vec![whole, val]));
}

#[test]
fn the_tail_of_an_epoch_is_an_iter_of_its_own() {
    let mut setup = Setup { samples: 10, val: None, ..Setup::default() };
    setup.train.accumulate = 2;
    let mut driver = setup.plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let one = epoch(vec![iter(2), iter(2), iter(1)]);
    assert_eq!(log.names(), run(vec![one.clone(), one]));
}

#[test]
fn a_validation_by_iter_lies_inside_the_epoch_but_after_its_last_iter() {
    let mut setup = Setup { val: Some(every(2, Clock::Iter)), ..Setup::default() };
    setup.train.max_epochs = Some(2);
    let mut driver = setup.plain::<ByEpoch>();
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let val = || evaluation("val", &[2]);
    let first = epoch(vec![iter(1), iter(1), val(), iter(1)]);
    let second = epoch(vec![iter(1), val(), iter(1), iter(1)]);
    assert_eq!(log.names(), run(vec![first, second, val()]));
}

#[test]
fn several_val_loaders_come_one_after_the_other_within_one_validation() {
    let mut setup = Setup::default();
    setup.train.max_epochs = Some(1);
    let mut driver = setup.plain::<TwoVals>();
    let log = driver.record_phases();
    let loaders = driver.watch_at(Phase::BeforeValEpoch, |cx| cx.loader());
    driver.train_all().unwrap();
    assert_eq!(log.names(), run(vec![epoch(vec![iter(1), iter(1), iter(1)]), evaluation("val", &[2, 2])]));
    assert_eq!(loaders.take(), ["val", "hard"]);
}

#[test]
fn test_and_predict_have_their_own_phases() {
    let mut driver = Setup::default().plain::<Everything>();
    let log = driver.record_phases();
    let mut predictions = 0;
    let end = driver.run(|driver| {
        driver.test()?;
        driver.predict(&mut |_| {
            predictions += 1;
            Ok(())
        })
    });
    assert_eq!(end.unwrap(), End::Finished);
    let mut expected = vec!["before_run"];
    expected.extend(evaluation("test", &[2]));
    expected.push("before_predict");
    (0..2).for_each(|_| expected.extend(["before_predict_iter", "after_predict_iter"]));
    expected.extend(["after_predict", "after_run"]);
    assert_eq!(log.names(), expected);
    assert_eq!(predictions, 2);
}

#[test]
fn checkpoints_are_written_after_the_validation_of_a_safe_point() {
    let dir = support::folder();
    let mut driver = Setup::default().in_folder::<ByEpoch>(dir.path());
    let log = driver.record_phases();
    driver.train_all().unwrap();
    let one = epoch(vec![iter(1), iter(1), iter(1)]);
    let val = evaluation("val", &[2]);
    let save = SAVE.to_vec();
    assert_eq!(log.names(), run(vec![one.clone(), val.clone(), save.clone(), one, val, save]));
}

#[test]
fn a_training_without_a_val_loader_never_validates() {
    let mut setup = Setup::default();
    setup.train = TrainPlan { max_epochs: Some(1), ..setup.train };
    let mut driver = setup.plain::<Bare>();
    driver.on(|_, cx| {
        cx.validate();
        Ok(())
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(log.names(), run(vec![epoch(vec![iter(1), iter(1), iter(1)])]));
}

#[test]
fn a_loop_of_ones_own_from_the_parts_of_the_training_goes_through_the_same_phases() {
    let gone_through = |own: bool| {
        let mut driver = Setup { samples: 10, ..Setup::default() }.plain::<ByEpoch>();
        let log = driver.record_phases();
        let end = driver.run(|program| match own {
            false => program.train(),
            true => program.train_with(|program| {
                while !program.is_over() {
                    program.epoch_with(|program| {
                        while program.has_iter_left() {
                            program.iter()?;
                            program.safe_point_in_epoch()?;
                        }
                        Ok(())
                    })?;
                    program.safe_point()?;
                }
                Ok(())
            }),
        });
        assert_eq!(end.unwrap(), End::Finished);
        (log.names(), driver.weights())
    };
    assert_eq!(gone_through(true), gone_through(false));
}

#[test]
fn a_loop_of_ones_own_asks_as_hooks_do_and_is_told_as_the_program() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let log = driver.record_phases();
    let end = driver.run(|program| {
        program.train_with(|program| {
            program.epoch_with(|program| {
                while program.has_iter_left() {
                    program.iter()?;
                    program.context().validate();
                    program.context().stop("one is enough");
                    program.safe_point_in_epoch()?;
                }
                Ok(())
            })
        })
    });
    assert_eq!(end.unwrap(), support::ended_by("the program", "one is enough"));
    assert_eq!((log.count(Phase::AfterTrainIter), log.count(Phase::AfterVal)), (1, 1));
    log.assert_closed("a loop of one's own");
}
