//! What a hook can look at and change through its context.

use crate::support::{ByEpoch, Everything, Setup, Toyed as _, flat, metric};
use engine::base::Error;
use engine::metric::MeanLoss;
use engine::phase::Phase;
use engine::run::Context;
use tch::Tensor;

/// Runs one iter and gives what `look` returns in this phase.
fn looked<R: 'static>(at: Phase, look: impl Fn(&mut Context<'_>) -> R + 'static) -> R {
    let mut driver = Setup::default().plain::<Everything>();
    let seen = driver.watch_at(at, look);
    driver
        .run(|driver| {
            driver.train()?;
            driver.test()?;
            driver.predict(&mut |_| Ok(()))
        })
        .unwrap();
    seen.take().swap_remove(0)
}

#[test]
fn an_unknown_model_or_optimizer_is_named_with_those_that_are_near() {
    let text = looked(Phase::BeforeTrain, |cx| {
        let near = cx.model("nett").map(|_| ()).unwrap_err();
        let far = cx.optimizer("generator").map(|_| ()).unwrap_err();
        [near.to_string(), far.to_string(), cx.models().get("xyz").map(|_| ()).unwrap_err().to_string()]
    });
    assert_eq!(text[0], "no model is named `nett`, did you mean `net`?");
    assert_eq!(text[1], "no optimizer is named `generator`, expected `opt`");
    assert_eq!(text[2], "no model is named `xyz`, expected `net`");
}

#[test]
fn models_and_optimizers_can_be_looked_at_in_every_phase() {
    for phase in [Phase::BeforeRun, Phase::AfterForward, Phase::BeforeValIter, Phase::AfterTest, Phase::AfterRun] {
        let (variables, lr) = looked(phase, |cx| {
            let lr = cx.optimizer("opt").unwrap().groups()[0].settings().get("lr").unwrap();
            (cx.models().get("net").unwrap().variables().len(), lr)
        });
        assert_eq!((variables, lr), (4, 0.1), "{phase}");
    }
}

#[test]
fn there_is_an_output_from_the_forward_pass_to_the_end_of_its_iter_and_no_longer() {
    use Phase::*;
    let has = |phase: Phase| looked(phase, |cx| cx.output().map(|_| ()).map_err(|error| error.to_string()));
    for phase in [AfterForward, AfterBackward, AfterTrainBatch, AfterOptimizerStep, AfterTrainIter] {
        assert!(has(phase).is_ok(), "{phase}");
    }
    for phase in [AfterValIter, AfterTestIter] {
        assert!(has(phase).is_ok(), "{phase}");
    }
    for phase in
        [BeforeTrain, BeforeTrainIter, BeforeTrainBatch, AfterTrainEpoch, BeforeValIter, AfterValEpoch, AfterVal]
    {
        let text = has(phase).unwrap_err();
        assert!(text.starts_with(&format!("there is no output in `{phase}`; read it in `after_forward`")), "{text}");
    }
}

#[test]
fn the_output_of_the_last_iter_is_gone_before_the_next_one() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if matches!(phase, Phase::BeforeTrainIter | Phase::BeforeTrainBatch) && cx.output().is_ok() {
            return Err(Error::msg("an old output"));
        }
        Ok(())
    });
    driver.train_all().unwrap();
}

#[test]
fn an_output_holds_no_graph_once_its_batch_is_done() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.on(|phase, cx| {
        if phase == Phase::AfterTrainBatch {
            assert!(!cx.output()?.loss()?.requires_grad());
        }
        Ok(())
    });
    driver.train_all().unwrap();
}

#[test]
fn a_metric_that_nothing_produces_is_told_with_those_that_are() {
    let text = looked(Phase::BeforeTrain, |cx| {
        [cx.better("val/acuracy").unwrap_err().to_string(), cx.better("x").unwrap_err().to_string()]
    });
    assert_eq!(text[0], "nothing produces `val/acuracy`, did you mean `val/accuracy`?");
    assert!(text[1].starts_with("nothing produces `x`, expected one of `val/loss`, `val/accuracy`"), "{}", text[1]);
}

#[test]
fn weights_swapped_in_and_out_are_the_same_bits() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let before = driver.weights();
    let model = driver.run.models.get_mut("net").unwrap();
    let handle = model.variables()[0].1.shallow_clone();
    let others: Vec<(String, Tensor)> =
        model.copied().into_iter().map(|(name, tensor)| (name, tensor * 0.1 + 0.3)).collect();
    let theirs = flat(&others);
    let kept: Vec<(String, Tensor)> =
        others.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    let others = model.swap_in("Others", others).unwrap();
    assert_eq!(flat(model.variables()), theirs);
    assert_eq!(flat(&kept), before);
    assert_eq!(model.works_with(), Some("Others"));
    // whoever held the tensor sees the new values: layers, optimizers
    assert_eq!(Vec::<f32>::try_from(handle.detach()).unwrap(), theirs[0].1);
    model.swap_out(others);
    assert_eq!(flat(model.variables()), before);
    assert_eq!(flat(&kept), theirs);
    assert!(model.variables().iter().all(|(_, tensor)| tensor.requires_grad()));
}

#[test]
fn weights_that_do_not_fit_are_refused_and_nothing_is_exchanged() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    let before = driver.weights();
    let model = driver.run.models.get_mut("net").unwrap();
    let mut fewer = model.copied();
    drop(fewer.remove(1));
    let error = model.swap_in("Others", fewer).unwrap_err().to_string();
    assert!(error.contains("missing `first.weight`"), "{error}");
    let mut other = model.copied();
    other[3].1 = Tensor::from_slice(&[1.0f32]);
    let error = model.swap_in("Others", other).unwrap_err().to_string();
    assert!(error.contains("`net.second.weight` has shape [3, 8], the given weights have [1]"), "{error}");
    let mut unsorted = model.copied();
    unsorted.swap(0, 2);
    let error = model.load(&unsorted).unwrap_err().to_string();
    assert!(error.contains("the names must be sorted"), "{error}");
    assert_eq!(driver.weights(), before);
}

#[test]
fn two_metrics_of_one_name_are_refused() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.run.seen.results.file_metrics.push(metric::<MeanLoss>());
    let error = driver.measures().unwrap_err().to_string();
    assert_eq!(error, "two metrics produce `loss`; give one of them a `name`");
}

#[test]
fn every_batch_of_every_loader_has_a_generator_of_its_own() {
    const BATCHES: [Phase; 4] =
        [Phase::BeforeTrainBatch, Phase::BeforeValIter, Phase::BeforeTestIter, Phase::BeforePredictIter];
    let drawn = || {
        let mut driver = Setup { val_samples: 5, ..Setup::default() }.plain::<Everything>();
        driver.plan.train.accumulate = 2;
        let draws = driver.watch(|phase, cx| {
            BATCHES.contains(&phase).then(|| {
                let draw = cx.generator("noise").next_u64();
                assert_eq!(cx.generator("noise").next_u64(), draw);
                (phase, draw)
            })
        });
        let end = driver.run(|driver| {
            driver.train()?;
            driver.test()?;
            driver.predict(&mut |_| Ok(()))
        });
        end.unwrap();
        draws.take()
    };
    let draws = drawn();
    for phase in BATCHES {
        assert!(draws.iter().filter(|(drawn_in, _)| *drawn_in == phase).count() > 1, "{phase}");
    }
    let mut different: Vec<u64> = draws.iter().map(|(_, draw)| *draw).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), draws.len());
    assert_eq!(drawn(), draws);
}
