//! Whose numbers are drawn when.

use crate::support::{self, ByEpoch, Full, Seen, Setup, Toyed as _, alone, every, newest};
use engine::base::Clock;
use engine::loops::ValPlan;
use engine::native::recomputed;
use tch::{Device, Kind, Tensor};

/// A program with dropout whose `val_step` draws from libtorch's generator; the draws come with the iter.
fn drawing(setup: &Setup, dir: &std::path::Path) -> (Full<ByEpoch>, Seen<(u64, f64)>) {
    let mut driver = Setup { dropout: 0.5, ..setup.clone() }.in_folder::<ByEpoch>(dir);
    let draws = Seen::default();
    let kept = draws.clone();
    driver.toy().on_val = Some(Box::new(move |output, cx| {
        let draw = Tensor::randn([3], (Kind::Float, Device::Cpu)).double_value(&[0]);
        kept.push((cx.iter().get(), draw));
        Ok(output)
    }));
    (driver, draws)
}

#[test]
fn a_validation_draws_no_number_of_the_training() {
    let _alone = alone();
    let weights = |val: Option<ValPlan>| {
        let mut driver = Setup { dropout: 0.5, val, ..Setup::default() }.plain::<ByEpoch>();
        support::seed(3);
        driver.train_all().unwrap();
        driver.weights()
    };
    assert_eq!(weights(None), weights(Some(every(1, Clock::Iter))));
}

#[test]
fn noise_in_a_validation_leaves_the_weights_to_the_bit_however_often_it_is_made() {
    let _alone = alone();
    let weights = |interval| {
        let dir = support::folder();
        let (mut driver, draws) =
            drawing(&Setup { val: Some(every(interval, Clock::Iter)), ..Setup::epochs(3) }, dir.path());
        support::seed(3);
        driver.train_all().unwrap();
        (driver.weights(), draws.take().len())
    };
    let ((often, many), (seldom, few)) = (weights(1), weights(3));
    assert!(many > few && few > 0, "{many}, {few}");
    assert_eq!(often, seldom);
}

#[test]
fn a_limit_and_a_resume_change_no_weight_and_no_draw_of_an_evaluation() {
    let _alone = alone();
    let setup = Setup { val: Some(every(2, Clock::Iter)), ..Setup::epochs(3) };
    let dir = support::folder();
    let (mut uncut, all) = drawing(&setup, dir.path());
    support::seed(3);
    uncut.train_all().unwrap();
    let all = all.take();

    let dir = support::folder();
    let mut limited = setup.clone();
    limited.train.stop_after = Some(5);
    let (mut driver, first) = drawing(&limited, dir.path());
    support::seed(3);
    driver.train_all().unwrap();
    drop(driver);
    // the generator of another process stands elsewhere
    support::seed(4);
    let (mut driver, rest) = drawing(&setup, dir.path());
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(driver.weights(), uncut.weights());
    let cut: Vec<_> = first.take().into_iter().chain(rest.take()).collect();
    assert!(all.iter().all(|draw| cut.contains(draw)), "{all:?}\n{cut:?}");
}

#[test]
fn a_sanity_validation_draws_no_number_of_the_training_and_changes_no_weight() {
    let _alone = alone();
    let run = |sanity| {
        let dir = support::folder();
        let val = ValPlan { sanity, ..every(2, Clock::Iter) };
        let (mut driver, draws) = drawing(&Setup { val: Some(val), ..Setup::epochs(3) }, dir.path());
        support::seed(3);
        driver.train_all().unwrap();
        let tried = draws.take().into_iter().partition::<Vec<_>, _>(|(iter, _)| *iter == 0);
        (tried.0.len(), (tried.1, driver.weights()))
    };
    let ((none, without), (some, with)) = (run(0), run(2));
    assert_eq!((none, some), (0, 2));
    assert_eq!(without, with);
}

#[test]
fn a_block_that_is_computed_again_draws_the_same_mask_and_leaves_the_generator_alone() {
    let _alone = alone();
    let run = |again: bool| {
        support::seed(5);
        let x = Tensor::ones([64, 8], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let hidden = match again {
            true => recomputed(&[&x], |inputs| Ok(inputs[0].dropout(0.5, true) * 3.0)).unwrap(),
            false => x.dropout(0.5, true) * 3.0,
        };
        let later = hidden.dropout(0.5, true);
        later.sum(Kind::Float).backward();
        (later.detach(), x.grad(), Tensor::randn([4], (Kind::Float, Device::Cpu)))
    };
    let (kept, again) = (run(false), run(true));
    assert_eq!(kept, again);
    assert!(kept.1.eq(0.0).any().int64_value(&[]) == 1, "nothing was dropped");
}
