//! When a training validates, and what it measures.

use crate::support::{self, ByEpoch, ByIter, Everything, Setup, Shape, Toyed as _, TwoVals, every};
use engine::base::{Clock, Error, Output};
use engine::loops::ValPlan;
use engine::phase::Phase;
use engine::record::{Row, RowPhase};
use engine::run::Context;
use tch::{Device, Kind, Tensor};

/// The finished (epochs, iters) at each validation.
fn validated_at<S: Shape>(setup: &Setup, ask: impl Fn(Phase, u64) -> bool + 'static) -> Vec<(u64, u64)> {
    let mut driver = setup.plain::<S>();
    let seen = driver.watch_at(Phase::BeforeVal, |cx| (cx.epoch().get(), cx.iter().get()));
    driver.on(move |phase, cx| {
        if ask(phase, cx.iter().get()) {
            cx.validate();
        }
        Ok(())
    });
    driver.train_all().unwrap();
    seen.take()
}

fn never(_: Phase, _: u64) -> bool {
    false
}

fn with_plan(max_epochs: u64, plan: ValPlan) -> Setup {
    Setup { val: Some(plan), ..Setup::epochs(max_epochs) }
}

#[test]
fn validation_follows_begin_interval_and_milestones() {
    let plan = ValPlan { begin: 3, dynamic_intervals: vec![(6, 1)], at_end: false, ..every(2, Clock::Epoch) };
    let epochs: Vec<u64> =
        validated_at::<ByEpoch>(&with_plan(8, plan), never).iter().map(|(epoch, _)| *epoch).collect();
    assert_eq!(epochs, [4, 6, 7, 8]);
}

#[test]
fn the_last_weights_are_validated_once() {
    let at_end = every(3, Clock::Epoch);
    assert_eq!(validated_at::<ByEpoch>(&with_plan(4, at_end.clone()), never), [(3, 9), (4, 12)]);
    assert_eq!(validated_at::<ByEpoch>(&with_plan(3, at_end.clone()), never), [(3, 9)]);
    let not_at_end = ValPlan { at_end: false, ..at_end };
    assert_eq!(validated_at::<ByEpoch>(&with_plan(4, not_at_end), never), [(3, 9)]);
}

#[test]
fn the_last_weights_of_a_training_that_is_stopped_are_validated_too() {
    let mut driver = with_plan(4, every(3, Clock::Epoch)).plain::<ByEpoch>();
    driver.at(Phase::AfterTrainIter, |cx| {
        if cx.iter().get() == 5 {
            cx.stop("enough");
        }
    });
    let log = driver.record_phases();
    driver.train_all().unwrap();
    assert_eq!(log.count(Phase::BeforeVal), 1);
}

#[test]
fn by_iter_validates_on_its_own_clock() {
    let setup = Setup { val: Some(every(2, Clock::Iter)), ..Setup::iters(5) };
    assert_eq!(validated_at::<ByIter>(&setup, never), [(0, 2), (0, 4), (1, 5)]);
}

#[test]
fn a_request_is_answered_after_the_iter_and_never_for_weights_that_were_validated() {
    let setup = with_plan(2, ValPlan { at_end: false, ..every(100, Clock::Epoch) });
    let asked = |phase, iter| phase == Phase::AfterForward && iter == 1;
    assert_eq!(validated_at::<ByEpoch>(&setup, asked), [(0, 2)]);
    // asked for again by what the validation itself calls
    let again = |phase, iter| (phase == Phase::AfterForward && iter == 1) || phase == Phase::AfterVal;
    assert_eq!(validated_at::<ByEpoch>(&setup, again), [(0, 2)]);
    // due by plan and by request
    let every_epoch = with_plan(2, every(1, Clock::Epoch));
    let asked = |phase, _| phase == Phase::AfterTrainEpoch;
    assert_eq!(validated_at::<ByEpoch>(&every_epoch, asked), [(1, 3), (2, 6)]);
}

#[test]
fn a_request_before_the_training_validates_the_first_weights() {
    let setup = with_plan(1, every(1, Clock::Epoch));
    assert_eq!(validated_at::<ByEpoch>(&setup, |phase, _| phase == Phase::BeforeTrain), [(0, 0), (1, 3)]);
}

#[test]
fn metrics_are_those_of_the_whole_loader_weighted_by_batch() {
    let mut driver = Setup { val_samples: 3, ..Setup::epochs(1) }.plain::<ByEpoch>();
    driver.plan.val = Some(every(1, Clock::Epoch));
    // batches of two samples and of one: losses 1 and 4, so (2 · 1 + 4) / 3
    let mut losses = [1.0, 4.0].into_iter().cycle();
    driver.toy().on_val = Some(Box::new(move |output: Output, _| {
        let loss = Output::new(tch::Tensor::from(losses.next().unwrap()));
        Ok(["logits", "target"].into_iter().fold(loss, |loss, name| loss.tensor(name, output.get(name).unwrap())))
    }));
    driver.train_all().unwrap();
    assert_eq!(driver.run.metric("val/loss"), Some(2.0));
}

#[test]
fn each_of_several_loaders_gives_its_name_and_the_plain_name_stands_for_the_first() {
    let mut driver = Setup { val_samples: 3, ..Setup::default() }.full::<TwoVals>();
    let (rows, _) = driver.keep_rows();
    let measured = driver.run.seen.results.measures.iter().map(|measure| measure.name.clone()).collect::<Vec<_>>();
    let full = ["val/val/loss", "val/val/accuracy", "val/hard/loss", "val/hard/accuracy"];
    assert_eq!(measured, [&["val/loss", "val/accuracy"], &full[..]].concat());
    driver.train_all().unwrap();
    for name in full {
        assert!(driver.run.metric(name).is_some(), "{name}");
        // what is monitored and what is written have one name
        assert_eq!(driver.run.record().latest(name), driver.run.metric(name), "{name}");
    }
    assert_eq!(driver.run.metric("val/accuracy"), driver.run.metric("val/val/accuracy"));
    let rows = rows.lock().unwrap();
    let loaders: Vec<_> = rows.iter().filter(|row| row.phase == RowPhase::Val).map(|row| row.loader.clone()).collect();
    assert_eq!(loaders[..2], [Some("val".to_owned()), Some("hard".to_owned())]);
}

#[test]
fn what_a_val_step_says_is_in_the_val_row_by_the_samples_of_its_batches_and_not_in_a_train_row() {
    // batches of two and of one
    let mut driver = Setup { val_samples: 3, ..Setup::default() }.full::<ByEpoch>();
    let (rows, _) = driver.keep_rows();
    driver.toy().on_val = Some(Box::new(|output: Output, cx| {
        let samples = cx.batch_size() as f64;
        cx.log("logged", Tensor::from(samples));
        Ok(output.value("said", samples))
    }));
    driver.on(|phase, cx| {
        if phase == Phase::AfterVal {
            cx.log("afterwards", 7.0);
        }
        Ok(())
    });
    driver.train_all().unwrap();
    let rows = rows.lock().unwrap();
    let value = |row: &Row, name: &str| row.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let vals: Vec<&Row> = rows.iter().filter(|row| row.phase == RowPhase::Val).collect();
    // two epochs: a row of the loader, and one of what came after it
    assert_eq!(vals.len(), 4);
    let mean = (2.0 * 2.0 + 1.0) / 3.0;
    for name in ["logged", "said"] {
        assert_eq!((value(vals[0], name), value(vals[1], name)), (Some(mean), None), "{name}");
    }
    assert_eq!((value(vals[1], "afterwards"), vals[1].at.iter), (Some(7.0), vals[0].at.iter));
    let trained = rows.iter().filter(|row| row.phase == RowPhase::Train);
    trained.for_each(|row| assert!(["logged", "said", "afterwards"].iter().all(|name| value(row, name).is_none())));
    assert_eq!(driver.run.record().latest("val/said"), Some(mean));
}

#[test]
fn a_value_under_the_name_of_a_metric_is_left_out_and_told_once() {
    let mut driver = Setup::default().full::<ByEpoch>();
    let (rows, lines) = driver.keep_rows();
    driver.toy().on_val = Some(Box::new(|output: Output, _| Ok(output.value("loss", 99.0))));
    driver.train_all().unwrap();
    let told = "warning: `val/loss` is logged and measured by a metric too; rows show the metric's value";
    assert_eq!(lines.lock().unwrap().iter().filter(|line| line.as_str() == told).count(), 1);
    assert!(rows.lock().unwrap().iter().all(|row| row.values.iter().all(|(_, value)| *value != 99.0)));
}

#[test]
fn images_and_histograms_are_read_when_they_are_logged_and_not_at_all_where_no_sink_takes_them() {
    let log = |phase: Phase, cx: &mut Context<'_>| {
        if phase == Phase::AfterValIter {
            let before = cx.record().device_reads();
            cx.log_image("picture", &Tensor::zeros([1, 2, 2], (Kind::Float, Device::Cpu)))?;
            cx.log_histogram("weights", &Tensor::zeros([4], (Kind::Float, Device::Cpu)))?;
            cx.log_last("reads", (cx.record().device_reads() - before) as f64);
        }
        Ok(())
    };
    for takes in [false, true] {
        let mut driver = Setup::default().full::<ByEpoch>();
        let (_, lines) = driver.keep_rows();
        if takes {
            driver.run.seen.sinks.push("all", support::TakesAll);
        }
        driver.on(log);
        driver.train_all().unwrap();
        assert_eq!(driver.run.record().latest("val/reads"), Some(if takes { 2.0 } else { 0.0 }));
        let lines = lines.lock().unwrap();
        let told = lines.iter().filter(|line| line.contains("are not recorded (`val/")).count();
        assert_eq!(told, if takes { 0 } else { 2 }, "{lines:?}");
    }
}

#[test]
fn test_metrics_have_their_own_names() {
    let mut driver = Setup::default().full::<Everything>();
    let (rows, _) = driver.keep_rows();
    driver.run(|driver| driver.test().map(|report| assert_eq!(report[0].0, "test/loss"))).unwrap();
    assert!(driver.run.metric("test/accuracy").is_some() && driver.run.metric("val/accuracy").is_none());
    assert_eq!(rows.lock().unwrap()[0].phase, RowPhase::Test);
}

#[test]
fn an_evaluation_runs_without_gradients_and_in_its_mode_and_restores_both() {
    let mut driver = Setup { dropout: 0.5, ..Setup::default() }.plain::<ByEpoch>();
    let seen = driver.watch(|phase, cx| {
        let looked = matches!(phase, Phase::BeforeTrainIter | Phase::BeforeValIter | Phase::AfterTrain);
        looked.then(|| (phase.name(), cx.is_training(), cx.model("net").unwrap().is_training()))
    });
    driver.toy().on_val = Some(Box::new(|output: Output, cx| {
        assert!(!cx.is_training() && !output.loss().unwrap().requires_grad());
        Ok(output)
    }));
    driver.train_all().unwrap();
    for (phase, step, model) in seen.take() {
        let training = phase != "before_val_iter";
        assert_eq!((step, model), (training, training), "{phase}");
    }
    assert!(tch::Tensor::from(1.0).set_requires_grad(true).g_add_scalar(1.0).requires_grad());
}

#[test]
fn the_mode_a_hook_has_set_for_one_model_is_restored() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.at(Phase::BeforeTrainEpoch, |cx| cx.model("net").unwrap().set_training(false));
    let seen = driver.watch_at(Phase::AfterTrain, |cx| (cx.is_training(), cx.model("net").unwrap().is_training()));
    driver.train_all().unwrap();
    assert_eq!(seen.take(), [(true, false)]);
}

#[test]
fn the_mode_is_restored_when_a_validation_fails() {
    let mut driver = Setup::default().plain::<ByEpoch>();
    driver.toy().on_val = Some(Box::new(|_, _| Err(Error::msg("the fault"))));
    let seen = driver.watch_at(Phase::AfterTrain, |cx| (cx.is_training(), cx.model("net").unwrap().is_training()));
    driver.train_all().unwrap_err();
    assert_eq!(seen.take(), [(true, true)]);
    assert!(tch::Tensor::from(1.0).set_requires_grad(true).g_add_scalar(1.0).requires_grad());
}

#[test]
fn a_metric_that_is_no_number_is_told_with_the_weights_that_are_none() {
    let told = |spoil: bool| {
        let mut driver = Setup { val: Some(every(1, Clock::Epoch)), ..Setup::epochs(1) }.plain::<ByEpoch>();
        let (_, lines) = driver.keep_rows();
        driver.at(Phase::BeforeVal, move |cx| {
            if spoil {
                let (_, weight) = &cx.models().get("net").unwrap().variables()[0];
                let _ = tch::no_grad(|| weight.shallow_clone().fill_(f64::NAN));
            }
        });
        driver.toy().on_val = Some(Box::new(move |output: Output, _| match spoil {
            true => Ok(output),
            false => {
                let loss = output.loss()? * f64::INFINITY;
                let part = |name: &str| output.get(name).unwrap();
                Ok(Output::new(loss).tensor("logits", part("logits")).tensor("target", part("target")))
            }
        }));
        driver.train_all().unwrap();
        let lines = lines.lock().unwrap();
        lines.iter().filter(|line| line.contains("finite")).cloned().collect::<Vec<String>>()
    };
    assert_eq!(told(true), ["`val/loss` is NaN; not finite in the model: `first.bias`"]);
    assert_eq!(told(false), ["`val/loss` is inf; all weights and buffers are finite"]);
}
