//! The average of the weights: its formula, and that validations see it and nothing else does.

use crate::support::{self, ByEpoch, ByIter, Setup, Toyed as _, TwoVals, flat};
use engine::base::{Error, Output};
use engine::optim::Precision;
use engine::optim::update::Half;
use engine::phase::Phase;
use engine::run::Context;
use std::collections::BTreeMap;
use tch::Tensor;

type Weights = Vec<(String, Vec<f32>)>;

/// Trains with an average and, beside it, the same average by hand; gives both at the end.
fn averaged(settings: &'static str, decay: impl Fn(u64) -> Option<f64> + 'static) -> [Weights; 2] {
    let mut driver = Setup { ema: Some(settings), ..Setup::default() }.plain::<ByEpoch>();
    let mut average = driver.weights();
    let by_hand = driver.watch_at(Phase::AfterOptimizerStep, move |cx| {
        // None: not an averaging; 0: a copy
        if let Some(decay) = decay(cx.iter().get() + 1) {
            for ((_, average), (_, now)) in average.iter_mut().zip(weights(cx)) {
                for (average, now) in average.iter_mut().zip(now) {
                    *average = (decay * f64::from(*average) + (1.0 - decay) * f64::from(now)) as f32;
                }
            }
        }
        average.clone()
    });
    let in_val = driver.watch_at(Phase::BeforeValIter, weights);
    driver.train_all().unwrap();
    [in_val, by_hand].map(|seen| seen.last().unwrap())
}

/// The weights that the model has now.
fn weights(cx: &mut Context<'_>) -> Weights {
    flat(cx.models().get("net").unwrap().variables())
}

fn assert_near([hook, hand]: [Weights; 2]) {
    assert_eq!(hook.len(), 4);
    for ((name, hook), (_, hand)) in hook.iter().zip(&hand) {
        for (a, b) in hook.iter().zip(hand) {
            assert!((a - b).abs() < 1e-6, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn a_constant_average_is_that_of_its_formula() {
    assert_near(averaged("(decay: 0.9, kind: Constant, begin: 0)", |_| Some(0.9)));
    // by default the first update is followed, as by PyTorch's `AveragedModel`
    assert_near(averaged("(decay: 0.9, kind: Constant)", |update| Some(if update == 1 { 0.0 } else { 0.9 })));
}

#[test]
fn a_ramped_average_is_that_of_its_formula() {
    assert_near(averaged("(decay: 0.2, begin: 0)", |update| {
        let done = (update - 1) as f64;
        Some(f64::min(0.2, (1.0 + done) / (10.0 + done)))
    }));
}

#[test]
fn an_annealed_average_is_that_of_its_formula() {
    // MMEngine's `MomentumAnnealingEMA(momentum=0.1, gamma=4)`: its momentum is max(0.1, 4 / (4 + step)), and step 0 copies
    assert_near(averaged("(decay: 0.9, kind: Annealing(gamma: 4))", |update| {
        let step = (update - 1) as f64;
        Some(1.0 - f64::max(0.1, 4.0 / (4.0 + step)))
    }));
}

#[test]
fn an_exponential_average_is_that_of_its_formula() {
    // `ExpMomentumEMA(momentum=0.1, gamma=4)`: its momentum is (1 - 0.1) * exp(-(1 + step) / 4) + 0.1
    assert_near(averaged("(decay: 0.9, kind: Exponential(base: 4), begin: 0)", |update| {
        Some(1.0 - ((1.0 - 0.1) * (-(update as f64) / 4.0).exp() + 0.1))
    }));
}

#[test]
fn an_average_keeps_to_its_interval_and_begin() {
    assert_near(averaged("(decay: 0.9, kind: Constant, interval: 2, begin: 0)", |update| {
        update.is_multiple_of(2).then_some(0.9)
    }));
    assert_near(averaged("(decay: 0.9, kind: Constant, begin: 4)", |update| Some(if update <= 4 { 0.0 } else { 0.9 })));
    // the ramp counts averagings, and following the weights is none
    assert_near(averaged("(decay: 0.9, begin: 4)", |update| match update {
        0..=4 => Some(0.0),
        update => Some((1.0 + (update - 5) as f64) / (10.0 + (update - 5) as f64)),
    }));
}

#[test]
fn before_the_first_averaging_evaluations_use_the_weights_themselves() {
    // six updates, so that no averaging is due
    for settings in ["(decay: 0.9, interval: 100)", "(decay: 0.9, interval: 100, begin: 0)", "(begin: 50)"] {
        let mut driver = Setup { ema: Some(settings), ..Setup::default() }.plain::<ByEpoch>();
        let trained = driver.watch_at(Phase::AfterTrainEpoch, weights);
        let in_val = driver.watch_at(Phase::BeforeValIter, weights);
        driver.train_all().unwrap();
        assert_eq!(in_val.last().unwrap(), trained.last().unwrap(), "{settings}");
    }
    // the first averaging is one with the weights after update `begin`, also where the interval does not come to it
    assert_near(averaged("(decay: 0.9, kind: Constant, interval: 3, begin: 1)", |update| match update {
        1 => Some(0.0),
        update => update.is_multiple_of(3).then_some(0.9),
    }));
}

#[test]
fn a_skipped_update_leaves_the_average_alone() {
    let mut driver =
        Setup { ema: Some("(decay: 0.5, kind: Constant, begin: 0)"), ..Setup::default() }.plain::<ByEpoch>();
    driver.at(Phase::BeforeOptimizerStep, |cx| {
        // the first moves the weights away from the average
        if cx.iter().get() > 0 {
            cx.skip_update("to see");
        }
    });
    let first = driver.weights();
    let seen = driver.watch_at(Phase::BeforeValIter, weights);
    driver.train_all().unwrap();
    let half: Weights = first
        .iter()
        .zip(driver.weights())
        .map(|((name, a), (_, b))| (name.clone(), a.iter().zip(&b).map(|(a, b)| (a + b) / 2.0).collect()))
        .collect();
    assert_near([seen.last().unwrap(), half]);
}

#[test]
fn the_average_begins_with_the_first_update_that_is_not_skipped() {
    // whatever the interval is, the copy is made at update 3
    let mut driver =
        Setup { ema: Some("(decay: 0.9, kind: Constant, interval: 4)"), ..Setup::default() }.plain::<ByEpoch>();
    driver.at(Phase::BeforeOptimizerStep, |cx| {
        if cx.iter().get() < 2 {
            cx.skip_update("to see");
        }
    });
    let seen = driver.watch_at(Phase::AfterOptimizerStep, weights);
    let in_val = driver.watch_at(Phase::BeforeValIter, weights);
    driver.train_all().unwrap();
    let seen = seen.take();
    let mix = |(a, b): (&f32, &f32)| 0.9 * a + 0.1 * b;
    let of_three_and_four = seen[2].iter().zip(&seen[3]);
    let expected = of_three_and_four.map(|((name, a), (_, b))| (name.clone(), a.iter().zip(b).map(mix).collect()));
    assert_near([in_val.last().unwrap(), expected.collect()]);
}

#[test]
fn the_average_begins_when_the_scale_of_the_loss_is_found() {
    // the device leaves updates 1 and 2 out, and the host does not know
    let average = |iters| {
        let setup = Setup {
            ema: Some("(decay: 0.5, kind: Constant)"),
            precision: Precision::Mixed(Half::F16),
            ..Setup::iters(iters)
        };
        let mut driver = setup.full::<ByIter>();
        driver.toy().on_train = Some(Box::new(|output: Output, cx| match cx.iter().get() {
            0 | 1 => Ok((output.loss()? * f64::INFINITY).into()),
            _ => Ok(output),
        }));
        let first = driver.weights();
        driver.train_all().unwrap();
        let mut state = engine::base::State::save_state(driver.toy().ema.as_ref().unwrap());
        let mut averages = state.take_map("averages").unwrap();
        let average: BTreeMap<String, Tensor> = averages.take("net").unwrap();
        let average: Weights = driver
            .weights()
            .into_iter()
            .map(|(name, _)| {
                let values = Vec::try_from(average[&name].flatten(0, -1)).unwrap();
                (name, values)
            })
            .collect();
        (first, average, driver.weights())
    };
    let (first, before, weights) = average(2);
    assert!(before == first && weights == first);
    let (_, at_three, third) = average(3);
    assert!(at_three == third && third != first);
    let (_, at_four, fourth) = average(4);
    let half = |(a, b): (&f32, &f32)| (a + b) / 2.0;
    let expected = third.iter().zip(&fourth);
    let expected = expected.map(|((name, a), (_, b))| (name.clone(), a.iter().zip(b).map(half).collect()));
    assert_near([at_four, expected.collect()]);
}

#[test]
fn the_weights_come_back_to_the_bit_after_an_evaluation_also_when_it_fails() {
    for fails in [false, true] {
        let mut setup = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() };
        setup.train.max_epochs = Some(1);
        let mut driver = setup.plain::<TwoVals>();
        if fails {
            driver.toy().on_val = Some(Box::new(|_, _| Err(Error::msg("the fault"))));
        }
        let seen = [Phase::AfterTrainEpoch, Phase::BeforeValEpoch, Phase::AfterTrain]
            .map(|phase| driver.watch_at(phase, weights));
        assert_eq!(driver.train_all().is_err(), fails);
        let [before, within, after] = seen.map(|seen| seen.last().unwrap());
        assert_eq!(before, after);
        assert_ne!(before, within);
    }
}

#[test]
fn the_weights_come_back_when_another_hook_fails_around_them() {
    for at in [Phase::BeforeVal, Phase::AfterVal] {
        let mut driver = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() }.plain::<ByEpoch>();
        let trained = driver.watch_at(Phase::AfterTrainEpoch, weights);
        driver.on(move |phase, _| if phase == at { Err(Error::msg("the fault")) } else { Ok(()) });
        driver.train_all().unwrap_err();
        assert_eq!(driver.weights(), trained.last().unwrap(), "{at}");
    }
}

#[test]
fn an_evaluation_of_a_checkpoint_uses_the_average_that_training_has_used() {
    let dir = support::folder();
    let setup = Setup { ema: Some("(decay: 0.9)"), ..Setup::default() };
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    driver.train_all().unwrap();
    let measured = driver.run.metric("val/loss");
    let path = dir.path().join("run/checkpoints/iter_000000006");
    let evaluated = |setup: &Setup, path: &std::path::Path| {
        let mut alone = setup.full::<ByEpoch>();
        alone.run(|driver| driver.load_for_evaluation(path).and_then(|()| driver.val().map(|_| ()))).unwrap();
        (alone.run.metric("val/loss"), alone.weights())
    };
    let without = Setup { ema: None, ..setup.clone() };
    let (whole, average) = evaluated(&setup, &path);
    assert_eq!(whole, measured);
    assert_ne!(average, driver.weights());
    // its weights are those that were scored, as a file alone and in a program without the hook too
    assert_eq!(evaluated(&without, &path), (measured, average.clone()));
    assert_eq!(evaluated(&without, &path.join("net.safetensors")), (measured, average));
    // those that were trained lie beside them
    let (raw, trained) = evaluated(&without, &path.join("net.raw.safetensors"));
    assert_ne!(raw, measured);
    assert_eq!(trained, driver.weights());
}

#[test]
fn the_best_checkpoint_holds_the_weights_that_were_scored() {
    let dir = support::folder();
    let setup = Setup {
        ema: Some("(decay: 0.5)"),
        checkpoint: r#"(save_best: ["val/loss"])"#,
        train: engine::loops::TrainPlan { max_epochs: Some(5), ..Setup::default().train },
        ..Setup::default()
    };
    let mut driver = setup.in_folder::<ByEpoch>(dir.path());
    let losses = driver.watch_at(Phase::AfterVal, |cx| cx.metric("val/loss").unwrap());
    driver.train_all().unwrap();
    let best = losses.take().into_iter().min_by(f64::total_cmp);
    let mut alone = Setup { ema: None, ..setup }.full::<ByEpoch>();
    let file = dir.path().join("run/checkpoints/best_val_loss/net.safetensors");
    alone.run(|driver| driver.load_for_evaluation(&file).and_then(|()| driver.val().map(|_| ()))).unwrap();
    assert_eq!(alone.run.metric("val/loss"), best);
}

#[test]
fn weights_that_do_not_fit_the_model_are_not_published() {
    let dir = support::folder();
    let mut driver = Setup::epochs(1).in_folder::<ByEpoch>(dir.path());
    driver.on(|phase, cx| match phase {
        Phase::BeforeSaveCheckpoint => cx.publish("net", Vec::new()),
        _ => Ok(()),
    });
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("`before_save_checkpoint`") && error.contains("do not fit the model `net`"), "{error}");
    assert!(support::checkpoints(dir.path()).is_empty());
}
