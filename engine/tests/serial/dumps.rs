//! Dumps of updates, and the same updates again alone: the same bits.

use crate::support::{self, ByIter, Full, Seen, Setup, Toyed as _, alone, from_ron, seed};
use engine::base::Output;
use engine::checkpoint;
use engine::hooks::{Anomaly, GradientCheck};
use engine::loops::Replayed;
use engine::phase::Phase;
use std::path::Path;
use tch::{Kind, Tensor};

/// Five iters with everything that draws random numbers.
fn setup(accumulate: u64) -> Setup {
    let mut setup = Setup { shuffle: true, noise: true, dropout: 0.5, adam: true, samples: 12, ..Setup::iters(5) };
    setup.train.accumulate = accumulate;
    setup
}

/// In this iter, counted from 0, the loss is multiplied by a factor.
fn spoil(driver: &mut Full<ByIter>, bad: u64, factor: f64) {
    driver.toy().on_train = Some(Box::new(move |output: Output, cx| match cx.iter().get() == bad {
        true => Ok(Output::new(output.loss()? * factor).value("noise", cx.generator("noise").unit())),
        false => Ok(output),
    }));
}

/// What the steps of an iter have computed, and the norm of its gradient.
fn watched(driver: &mut Full<ByIter>, iter: u64) -> (Seen<u64>, Seen<u64>) {
    let losses = driver.watch(move |phase, cx| {
        let is_it = phase == Phase::AfterForward && cx.iter().get() == iter;
        is_it.then(|| cx.output().unwrap().loss().unwrap().double_value(&[]).to_bits())
    });
    let norms = driver.watch(move |phase, cx| {
        let is_it = phase == Phase::BeforeOptimizerStep && cx.iter().get() == iter;
        is_it.then(|| cx.grad_norm().unwrap().read().unwrap().to_bits())
    });
    (losses, norms)
}

/// The dump, again in a new program.
fn replayed(setup: &Setup, dump: &Path, change: impl FnOnce(&mut Full<ByIter>)) -> Replayed {
    // wherever the generator of the process stands
    seed(99);
    let mut driver = setup.full::<ByIter>();
    change(&mut driver);
    let weights = driver.weights();
    let replayed = driver.replay(checkpoint::load(dump).unwrap()).unwrap();
    assert_ne!(driver.weights(), weights, "the weights are those of the dump");
    replayed
}

fn losses(replayed: &Replayed) -> Vec<u64> {
    let of_step = |values: &Vec<(String, f64)>| {
        assert_eq!(values[0].0, "loss");
        values[0].1.to_bits()
    };
    replayed.values.iter().map(of_step).collect()
}

#[test]
fn an_update_that_is_replayed_has_the_same_bits() {
    let _alone = alone();
    for accumulate in [1, 3] {
        let dir = support::folder();
        seed(5);
        let setup = setup(accumulate);
        let mut driver = setup.in_folder::<ByIter>(dir.path());
        driver.add(from_ron::<GradientCheck>("(interval: 1, large: 1e6, dumps: 3)"));
        spoil(&mut driver, 3, 1e9);
        let (seen_losses, norms) = watched(&mut driver, 3);
        let (_, lines) = driver.keep_rows();
        driver.train_all().unwrap();
        let dump = dir.path().join("run/dumps/iter_000000004");
        let told = format!("run it again alone: `replay {}`", dump.display());
        assert!(lines.lock().unwrap().iter().any(|line| line.contains(&told)), "{told}");
        let same = |driver: &mut Full<ByIter>| {
            driver.add(from_ron::<GradientCheck>("()"));
            spoil(driver, 3, 1e9);
        };
        let replayed = replayed(&setup, &dump, same);
        assert_eq!((replayed.iter.get(), replayed.pass), (4, "train"));
        assert!(
            replayed.reason.contains("gradients of iter 4 are very large: `net.first.bias`"),
            "{}",
            replayed.reason
        );
        assert_eq!(losses(&replayed), seen_losses.take(), "{accumulate} batches");
        assert_eq!(replayed.values.len() as u64, accumulate);
        assert!(replayed.values.iter().all(|values| values[1].0 == "noise"));
        assert_eq!(vec![replayed.grad_norm.unwrap().to_bits()], norms.take());
        assert_eq!((&replayed.told, &replayed.failed), (&vec![], &None));
        assert_eq!(replayed.gradients.len(), 4);
        let squares: f64 = replayed.gradients.iter().map(|(_, norm)| norm.unwrap().powi(2)).sum();
        let norm = replayed.grad_norm.unwrap();
        assert!((squares.sqrt() - norm).abs() < 1e-6 * norm, "{squares} and {norm}");
        // what does not change the step makes no difference: another augmentation gives way to the dump's batches
        let other = Setup { noise: false, ..setup };
        let again = self::replayed(&other, &dump, same);
        assert_eq!(losses(&again), losses(&replayed));
        assert!(
            again.told.iter().any(|text| text.contains("other batches than those of the dump")),
            "{:?}",
            again.told
        );
    }
}

#[test]
fn the_operator_is_named_that_is_not_finite_first() {
    let _alone = alone();
    let dir = support::folder();
    let setup = setup(1);
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    driver.add(from_ron::<GradientCheck>("(interval: 1, dumps: 1)"));
    let spoil = |driver: &mut Full<ByIter>| {
        driver.toy().on_train = Some(Box::new(|output: Output, cx| {
            let loss = output.loss()?;
            // in the third iter the root of a negative number, times something that depends on it
            Ok(if cx.iter().get() == 2 { (loss + (loss - 1e3).sqrt().tanh()).into() } else { output })
        }));
    };
    spoil(&mut driver);
    driver.train_all().unwrap();
    // weights are not finite from then on, but one dump is enough
    let names: Vec<_> = std::fs::read_dir(dir.path().join("run/dumps")).unwrap().map(|entry| entry.unwrap()).collect();
    let names: Vec<String> = names.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("iter_")).count(), 1, "{names:?}");
    let replayed = replayed(&setup, &dir.path().join("run/dumps/iter_000000003"), spoil);
    assert_eq!(replayed.not_finite_before, [""; 0]);
    assert_eq!(replayed.forward.nan.as_deref(), Some("`aten::sqrt` with a result of shape []"));
    assert!(replayed.values[0][0].1.is_nan() && replayed.grad_norm.unwrap().is_nan());
    assert!(replayed.gradients.iter().all(|(_, norm)| norm.unwrap().is_nan()));
}

#[test]
fn an_update_that_fails_is_dumped_and_fails_again() {
    let _alone = alone();
    let dir = support::folder();
    let setup = setup(2);
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    driver.add(from_ron::<Anomaly>("()"));
    let spoil = |driver: &mut Full<ByIter>| {
        driver.toy().on_train = Some(Box::new(|output: Output, cx| {
            if cx.iter().get() == 1 {
                // shapes that don't fit
                let _ = Tensor::ones([2, 3], (Kind::Float, cx.device())).f_matmul(output.get("logits").unwrap())?;
            }
            Ok(output)
        }));
    };
    spoil(&mut driver);
    let error = format!("{:#}", driver.train_all().unwrap_err());
    assert!(error.contains("shapes"), "{error}");
    let replayed = replayed(&setup, &dir.path().join("run/dumps/iter_000000002"), spoil);
    assert_eq!((replayed.reason.as_str(), replayed.grad_norm), ("the update has failed", None));
    assert!(replayed.failed.unwrap().contains("shapes"));
}

#[test]
fn enough_dumps_are_enough_and_a_checkpoint_is_none() {
    let _alone = alone();
    let dir = support::folder();
    let setup = Setup { checkpoint: "(interval: 5)", ..setup(1) };
    let mut driver = setup.in_folder::<ByIter>(dir.path());
    driver.at(Phase::BeforeTrain, |cx| cx.allow_dumps(2, false));
    driver.at(Phase::BeforeOptimizerStep, |cx| {
        cx.dump("each one").unwrap();
        cx.dump("a second reason").unwrap();
    });
    let (_, lines) = driver.keep_rows();
    driver.train_all().unwrap();
    let dumps = checkpoint::list(&dir.path().join("run/dumps")).unwrap();
    assert_eq!(dumps.len(), 2);
    let full = lines.lock().unwrap().iter().filter(|line| line.contains("no further dump is written")).count();
    assert_eq!(full, 1);
    let mut driver = setup.full::<ByIter>();
    assert_eq!(driver.replay(checkpoint::load(&dumps[0]).unwrap()).unwrap().reason, "each one");
    let mut driver = setup.full::<ByIter>();
    let error = driver.replay(support::newest(dir.path())).unwrap_err().to_string();
    assert!(error.contains("a checkpoint and no dump"), "{error}");
}

#[test]
fn a_run_with_dumps_trains_to_the_same_weights() {
    let _alone = alone();
    let weights = |dumps: bool| {
        let dir = support::folder();
        seed(5);
        let mut driver = setup(2).in_folder::<ByIter>(dir.path());
        if dumps {
            driver.add(from_ron::<GradientCheck>("(interval: 1, large: 1e-9, dumps: 9)"));
        }
        driver.train_all().unwrap();
        driver.weights()
    };
    assert_eq!(weights(true), weights(false));
}

#[test]
fn a_dump_that_can_not_be_made_is_refused() {
    let _alone = alone();
    let told = |phase: Phase, allowed: bool| {
        let mut driver = setup(1).full::<ByIter>();
        driver.on(move |now, cx| match now {
            Phase::BeforeTrain if allowed => {
                cx.allow_dumps(1, false);
                Ok(())
            }
            now if now == phase => cx.dump("why not"),
            _ => Ok(()),
        });
        format!("{:#}", driver.train_all().unwrap_err())
    };
    assert!(told(Phase::BeforeOptimizerStep, false).contains("call `cx.allow_dumps` in `before_train`"));
    assert!(told(Phase::AfterTrainIter, true).contains("in `after_train_iter` none is under way"));
}
