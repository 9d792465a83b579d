//! A run that was stopped and goes on in another program ends as one that was never stopped: to the bit.

use crate::support::{
    self, ByEpoch, ByIter, Full, Lines, Rows, Setup, Shape, Toyed as _, TwoVals, alone, every, from_ron, newest,
};
use engine::base::{Clock, Epoch, Iter, StateMap, StateValue};
use engine::checkpoint::Snapshot;
use engine::hooks::EarlyStopping;
use engine::loops::{End, TrainPlan};
use engine::optim::schedule::Plateau;
use engine::optim::{Lbfgs, LineSearch, Precision, Schedules};
use engine::phase::Phase;
use engine::record::Row;
use engine::run::Signal;
use std::cell::RefCell;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// What the machine's speed decides.
const TIMES: [&str; 4] = ["iter_time", "data_time", "samples_per_second", "eta"];

/// Everything that a run leaves behind and that does not depend on the machine's speed.
#[derive(Debug, PartialEq)]
pub(crate) struct Left {
    state: Vec<(String, String)>,
    rows: Vec<String>,
    end: End,
}

/// A tree of states as paths and values, tensors with all their bits.
fn flatten(path: &str, value: &StateValue, out: &mut Vec<(String, String)>) {
    match value {
        StateValue::Map(map) => flatten_map(path, map, out),
        StateValue::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| flatten(&format!("{path}/{index}"), item, out));
        }
        StateValue::Tensor(tensor) => out.push((path.to_owned(), bits(tensor))),
        StateValue::Float(number) => out.push((path.to_owned(), format!("{:016x}", number.to_bits()))),
        other => out.push((path.to_owned(), format!("{other:?}"))),
    }
}

fn flatten_map(path: &str, map: &StateMap, out: &mut Vec<(String, String)>) {
    map.0.iter().for_each(|(name, value)| flatten(&format!("{path}/{name}"), value, out));
}

fn bits(tensor: &Tensor) -> String {
    let shape = tensor.size();
    match tensor.kind() {
        Kind::Float => {
            let numbers = Vec::<f32>::try_from(tensor.detach().reshape([-1])).unwrap();
            format!("{shape:?} {:?}", numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>())
        }
        kind => format!(
            "{shape:?} {kind:?} {:?}",
            Vec::<f64>::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()
        ),
    }
}

pub(crate) fn state_of(mut snapshot: Snapshot) -> Vec<(String, String)> {
    let mut out = vec![("meta".to_owned(), format!("{:?}", snapshot.meta))];
    for weights in &snapshot.models {
        let files = [("raw", &weights.trained), ("published", weights.published())];
        for (kind, variables) in files {
            let model = &weights.model;
            out.extend(variables.iter().map(|(name, tensor)| (format!("{kind} {model}.{name}"), bits(tensor))));
        }
    }
    snapshot.state.0.remove("time").unwrap();
    // a signal leaves one checkpoint more
    snapshot.state.0.remove("regular").unwrap();
    // compared row by row, where there is such a sink
    drop(snapshot.state.0.remove("sinks.kept"));
    if let Some(StateValue::Map(record)) = snapshot.state.0.get_mut("record")
        && let Some(StateValue::Map(latest)) = record.0.get_mut("latest")
    {
        TIMES.iter().for_each(|name| drop(latest.0.remove(&format!("train/{name}"))));
        if let Some(StateValue::List(series)) = record.0.get_mut("train") {
            series.retain(|entry| !TIMES.iter().any(|name| format!("{entry:?}").contains(name)));
        }
    }
    flatten_map("", &snapshot.state, &mut out);
    snapshot.ranks.iter().for_each(|part| flatten_map("rank", part, &mut out));
    out
}

fn text_of(row: &Row) -> String {
    let values = row.values.iter().filter(|(name, _)| !TIMES.contains(&name.as_str()));
    let values: Vec<String> = values.map(|(name, value)| format!("{name}={:016x}", value.to_bits())).collect();
    format!("{} {:?} epoch {} iter {}: {}", row.phase, row.loader, row.at.epoch, row.at.iter, values.join(" "))
}

/// A program that draws from libtorch's generator wherever a resumed one draws once more, and has asked for something
/// that the next iter has to answer.
fn program<S: Shape>(setup: &Setup, dir: &std::path::Path) -> Full<S> {
    let mut driver = setup.in_folder::<S>(dir);
    driver.on(|phase, cx| {
        if matches!(phase, Phase::BeforeRun | Phase::BeforeTrain | Phase::BeforeTrainEpoch | Phase::BeforeVal) {
            let _ = Tensor::rand([3], (Kind::Float, tch::Device::Cpu));
        }
        if phase == Phase::AfterTrainIter && cx.iter().get() == 2 {
            cx.skip_update("to see whether the request lives on");
        }
        Ok(())
    });
    driver
}

pub(crate) fn uninterrupted<S: Shape>(setup: &Setup, change: impl Fn(&mut Full<S>)) -> Left {
    let dir = support::folder();
    support::seed(11);
    let mut driver = program::<S>(setup, dir.path());
    change(&mut driver);
    let (rows, _) = driver.keep_rows();
    let end = driver.train_all().unwrap();
    let rows = rows.lock().unwrap().iter().map(text_of).collect();
    Left { state: state_of(newest(dir.path())), rows, end }
}

/// The same run, told to end by a signal in the `nth` such phase and gone on with in another program, as often as
/// there are interruptions; `None` when the last one never came.
pub(crate) fn interrupted<S: Shape>(
    setup: &Setup,
    interruptions: &[(Phase, usize)],
    change: impl Fn(&mut Full<S>),
) -> Option<Left> {
    let dir = support::folder();
    let (kept, lines) = (Rows::default(), Lines::default());
    for (part, interruption) in interruptions.iter().map(Some).chain([None]).enumerate() {
        // only the first program's generator starts as that of the whole run
        support::seed(11 + part as i64);
        let mut driver = program::<S>(setup, dir.path());
        change(&mut driver);
        driver.keep_rows_in(&kept, &lines);
        if let Some(&(at, nth)) = interruption {
            let (signals, mut times) = (driver.run.signals.clone(), 0);
            driver.on(move |phase, _| {
                times += usize::from(phase == at);
                if phase == at && times == nth {
                    signals.raise(Signal::Terminate);
                }
                Ok(())
            });
        }
        let resumed = (part > 0).then(|| newest(dir.path()));
        let end = driver
            .run(|driver| {
                resumed.map_or(Ok(()), |snapshot| driver.restore(snapshot))?;
                driver.train()
            })
            .unwrap();
        match interruption {
            Some(_) if end != End::Signal(Signal::Terminate) => return None,
            Some(_) => {}
            None => {
                let rows = kept.lock().unwrap().iter().map(text_of).collect();
                return Some(Left { state: state_of(newest(dir.path())), rows, end });
            }
        }
    }
    None
}

pub(crate) fn assert_same(left: &Left, right: &Left, what: &str) {
    for ((name, a), (other, b)) in left.state.iter().zip(&right.state) {
        assert_eq!(name, other, "{what}");
        assert_eq!(a, b, "{what}: `{name}`");
    }
    assert_eq!(left.rows, right.rows, "{what}");
    assert_eq!(left, right, "{what}");
}

/// Interrupts after every iter there is, and compares.
fn assert_resumes_after_every_iter<S: Shape>(setup: &Setup, iters: usize) {
    let whole = uninterrupted::<S>(setup, |_| ());
    assert!(whole.rows.len() > 2, "{:?}", whole.rows);
    for nth in 1..=iters {
        let resumed = interrupted::<S>(setup, &[(Phase::AfterBackward, nth)], |_| ()).unwrap();
        assert_same(&resumed, &whole, &format!("interrupted in batch {nth}"));
    }
}

/// Everything at once: shuffled and noisy data, dropout, AdamW, an average, a tail, a logger between rows.
pub(crate) fn rich() -> Setup {
    let mut setup = Setup {
        samples: 10,
        shuffle: true,
        noise: true,
        dropout: 0.3,
        adam: true,
        lr: 0.01,
        ema: Some("(decay: 0.9, kind: Ramp)"),
        logger: "(interval: 2)",
        checkpoint: r#"(save_best: ["val/loss"])"#,
        ..Setup::default()
    };
    setup.train.accumulate = 2;
    setup
}

#[test]
fn by_epoch_a_run_goes_on_to_the_bit_from_every_iter() {
    let _alone = alone();
    // two epochs of five batches
    assert_resumes_after_every_iter::<ByEpoch>(&rich(), 10);
}

#[test]
fn by_iter_a_run_goes_on_to_the_bit_from_every_iter() {
    let _alone = alone();
    let setup = Setup {
        train: TrainPlan { max_iters: Some(5), accumulate: 2, ..TrainPlan::default() },
        val: Some(every(2, Clock::Iter)),
        ..rich()
    };
    assert_resumes_after_every_iter::<ByIter>(&setup, 10);
}

/// A schedule that lowers the learning rate after almost every validation.
fn with_plateau<S: Shape>(driver: &mut Full<S>) {
    let plateau = Plateau { patience: 0, cooldown: 1, factor: 0.5, threshold: 0.5, ..Plateau::new("val/loss") };
    driver.run.updates.schedules = Schedules(vec![Box::new(plateau)]);
}

fn assert_a_plateau_resumes_after_every_iter<S: Shape>(setup: &Setup, iters: usize) {
    let whole = uninterrupted::<S>(setup, with_plateau);
    let reductions = whole.state.iter().find(|(name, _)| name == "/parts/schedule.Plateau/reductions");
    assert!(reductions.is_some_and(|(_, count)| count != "Int(0)"), "{reductions:?}");
    for nth in 1..=iters {
        let resumed = interrupted::<S>(setup, &[(Phase::AfterBackward, nth)], with_plateau).unwrap();
        assert_same(&resumed, &whole, &format!("interrupted in batch {nth}"));
    }
    let in_val = interrupted::<S>(setup, &[(Phase::BeforeValIter, 3)], with_plateau).unwrap();
    assert_same(&in_val, &whole, "interrupted in a validation");
}

#[test]
fn a_plateau_goes_on_to_the_bit_from_every_iter() {
    let _alone = alone();
    // validated in the middle of epochs: each has three iters
    assert_a_plateau_resumes_after_every_iter::<ByEpoch>(&Setup { val: Some(every(2, Clock::Iter)), ..rich() }, 10);
    let setup = Setup {
        train: TrainPlan { max_iters: Some(5), accumulate: 2, ..TrainPlan::default() },
        val: Some(every(1, Clock::Iter)),
        ..rich()
    };
    assert_a_plateau_resumes_after_every_iter::<ByIter>(&setup, 10);
}

#[test]
fn the_scale_of_a_loss_goes_on_with_its_count() {
    let _alone = alone();
    let setup = Setup { precision: Precision::F16, ..rich() };
    assert!(format!("{:?}", uninterrupted::<ByEpoch>(&setup, |_| ()).state).contains("updates/scales/train/tracker"));
    assert_resumes_after_every_iter::<ByEpoch>(&setup, 10);
}

/// Few steps, each along a direction that the ones before have shaped.
fn lbfgs(line_search: Option<LineSearch>) -> Lbfgs {
    Lbfgs { max_iter: 3, history: 4, line_search, ..Lbfgs::new(0.1) }
}

#[test]
fn what_lbfgs_remembers_goes_on_to_the_bit_from_every_iter() {
    let _alone = alone();
    for line_search in [None, Some(LineSearch::StrongWolfe)] {
        let setup = Setup { lbfgs: Some(lbfgs(line_search)), ..rich() };
        let whole = format!("{:?}", uninterrupted::<ByEpoch>(&setup, |_| ()).state);
        assert!(whole.contains("minimizer/state/pair_"), "{whole}");
        assert_resumes_after_every_iter::<ByEpoch>(&setup, 10);
    }
}

#[test]
fn all_points_of_an_update_have_the_random_numbers_of_the_first() {
    let _alone = alone();
    // a step of no length: all points are one
    let recipe = Lbfgs { max_iter: 4, tolerance_change: 0.0, ..Lbfgs::new(0.0) };
    let setup = Setup { lbfgs: Some(recipe), dropout: 0.5, shuffle: false, noise: false, ..rich() };
    let seen = Rc::new(RefCell::new(Vec::new()));
    let kept = seen.clone();
    let whole = uninterrupted::<ByEpoch>(&setup, |driver| {
        let kept = kept.clone();
        driver.toy().on_train = Some(Box::new(move |output, cx| {
            kept.borrow_mut().push((cx.iter().get(), f64::try_from(output.loss()?)?.to_bits()));
            Ok(output)
        }));
    });
    let of = |iter| seen.borrow().iter().filter(|(at, _)| *at == iter).map(|(_, loss)| *loss).collect::<Vec<_>>();
    // two batches at each of two points: where nothing moves an update ends
    let (first, second) = (of(0), of(1));
    assert_eq!((first.len(), second.len()), (4, 4));
    assert!(first.chunks(2).all(|point| point == &first[..2]), "{first:?}");
    assert!(second.chunks(2).all(|point| point == &second[..2]), "{second:?}");
    assert_ne!(first[..2], second[..2]);
    // the generators stand where the first point has left them, as with an optimizer that computes nothing more
    let plain = uninterrupted::<ByEpoch>(&Setup { lbfgs: None, ..setup }, |_| ());
    let generators = |left: &Left| left.state.iter().find(|(name, _)| name.contains("generators")).cloned().unwrap();
    assert_eq!(generators(&whole), generators(&plain));
}

#[test]
fn an_endless_loader_goes_on_where_it_stood() {
    let _alone = alone();
    let mut setup = Setup { endless: true, shuffle: false, ..rich() };
    setup.train.batches_per_epoch = Some(3);
    assert_resumes_after_every_iter::<ByEpoch>(&setup, 6);
}

#[test]
fn epochs_of_a_fixed_length_go_on_in_the_middle_of_a_pass() {
    let _alone = alone();
    let mut setup = rich();
    setup.train.batches_per_epoch = Some(3);
    assert_resumes_after_every_iter::<ByEpoch>(&setup, 6);
}

#[test]
fn workers_change_nothing() {
    let _alone = alone();
    let setup = Setup { workers: 2, ..rich() };
    assert_eq!(uninterrupted::<ByEpoch>(&setup, |_| ()), uninterrupted::<ByEpoch>(&rich(), |_| ()));
    let resumed = interrupted::<ByEpoch>(&setup, &[(Phase::AfterBackward, 3)], |_| ()).unwrap();
    assert_same(&resumed, &uninterrupted::<ByEpoch>(&rich(), |_| ()), "workers");
}

#[test]
fn a_run_goes_on_from_within_a_validation() {
    let _alone = alone();
    let setup = Setup { val: Some(every(2, Clock::Iter)), val_samples: 5, ..rich() };
    let whole = uninterrupted::<TwoVals>(&setup, |_| ());
    let mut came = 0;
    for phase in [Phase::BeforeVal, Phase::BeforeValEpoch, Phase::BeforeValIter, Phase::AfterValEpoch, Phase::AfterVal]
    {
        for nth in [1, 2, 4] {
            let Some(resumed) = interrupted::<TwoVals>(&setup, &[(phase, nth)], |_| ()) else { continue };
            came += 1;
            assert_same(&resumed, &whole, &format!("{nth}. {phase}"));
        }
    }
    assert!(came >= 10, "only {came} of the interruptions came");
}

#[test]
fn a_run_goes_on_from_any_phase_between_iters() {
    let _alone = alone();
    let whole = uninterrupted::<ByEpoch>(&rich(), |_| ());
    use Phase::*;
    let mut came = 0;
    for phase in
        [BeforeTrainEpoch, BeforeTrainIter, AfterTrainIter, AfterTrainEpoch, BeforeSaveCheckpoint, AfterSaveCheckpoint]
    {
        for nth in [1, 2] {
            let Some(resumed) = interrupted::<ByEpoch>(&rich(), &[(phase, nth)], |_| ()) else { continue };
            came += 1;
            assert_same(&resumed, &whole, &format!("{nth}. {phase}"));
        }
    }
    assert!(came >= 9, "only {came} of the interruptions came");
}

#[test]
fn a_run_can_be_interrupted_again_and_again() {
    let _alone = alone();
    let batch = |nth| (Phase::AfterBackward, nth);
    let resumed = interrupted::<ByEpoch>(&rich(), &[batch(1), batch(1), (Phase::BeforeValIter, 1), batch(2)], |_| ());
    assert_same(&resumed.unwrap(), &uninterrupted::<ByEpoch>(&rich(), |_| ()), "four times");
}

/// The run, cut by a limit after each of these iters and gone on with each time, ends as one that was never cut; its rows
/// and its state are the same, whatever was shown at the cuts.
#[test]
fn a_run_cut_by_limits_goes_on_as_if_it_had_never_been_cut() {
    let _alone = alone();
    let setup = Setup { val: Some(every(2, Clock::Iter)), ..rich() };
    let whole = uninterrupted::<ByEpoch>(&setup, |_| ());
    // three iters an epoch: within one, at its end, where a validation is due and where none is
    for limits in [&[1][..], &[2], &[3], &[5], &[1, 2, 3, 4, 5]] {
        let dir = support::folder();
        let (kept, lines) = (Rows::default(), Lines::default());
        let mut end = End::Finished;
        for (part, limit) in limits.iter().map(|limit| Some(*limit)).chain([None]).enumerate() {
            support::seed(11 + part as i64);
            let mut limited = setup.clone();
            limited.train.stop_after = limit;
            let mut driver = program::<ByEpoch>(&limited, dir.path());
            driver.keep_rows_in(&kept, &lines);
            let resumed = (part > 0).then(|| newest(dir.path()));
            let ended = driver.run(|driver| {
                resumed.map_or(Ok(()), |snapshot| driver.restore(snapshot))?;
                driver.train()
            });
            end = ended.unwrap();
        }
        let rows = kept.lock().unwrap().iter().map(text_of).collect();
        assert_same(&Left { state: state_of(newest(dir.path())), rows, end }, &whole, &format!("cut at {limits:?}"));
    }
}

#[test]
fn a_longer_plan_goes_on_from_a_run_that_was_over() {
    let _alone = alone();
    let short = rich();
    let mut long = rich();
    long.train.max_epochs = Some(3);
    let whole = uninterrupted::<ByEpoch>(&long, |_| ());
    let dir = support::folder();
    support::seed(11);
    program::<ByEpoch>(&short, dir.path()).train_all().unwrap();
    support::seed(12);
    let mut driver = program::<ByEpoch>(&long, dir.path());
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    let state = state_of(newest(dir.path()));
    // the rows are kept by the other run alone
    let others = |(path, _): &&(String, String)| !path.starts_with("/sinks");
    assert!(state.iter().filter(others).eq(whole.state.iter().filter(others)));
}

#[test]
fn a_run_that_goes_on_with_another_accumulate_ends_at_its_planned_epoch() {
    let _alone = alone();
    // 5 batches an epoch, 3 epochs; cut after 2 iters of one batch each
    let plan = |accumulate, stop_after| {
        let mut setup = Setup { checkpoint: "(interval: 1, by: Iter)", ..rich() };
        setup.train = TrainPlan { max_epochs: Some(3), accumulate, stop_after, ..TrainPlan::default() };
        setup
    };
    let dir = support::folder();
    program::<ByEpoch>(&plan(1, Some(2)), dir.path()).train_all().unwrap();
    let mut program = program::<ByEpoch>(&plan(2, None), dir.path());
    program.run(|program| program.restore(newest(dir.path())).and_then(|()| program.train())).unwrap();
    let clocks = program.run.clocks();
    // 2 are done, 3 batches of the epoch are left, and two epochs follow: 2 + 2 + 3 + 3
    assert_eq!((clocks.epoch(), clocks.iter(), clocks.max_iters()), (Epoch(3), Iter(10), Some(10)));
}

#[test]
fn a_finished_run_that_is_resumed_does_nothing() {
    let _alone = alone();
    let dir = support::folder();
    program::<ByEpoch>(&rich(), dir.path()).train_all().unwrap();
    let before = state_of(newest(dir.path()));
    let mut driver = program::<ByEpoch>(&rich(), dir.path());
    let log = driver.record_phases();
    let (rows, _) = driver.keep_rows();
    let end = driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    assert_eq!(end, End::Finished);
    assert_eq!(log.names(), ["before_run", "after_load_checkpoint", "before_train", "after_train", "after_run"]);
    assert!(rows.lock().unwrap().is_empty());
    assert_eq!(state_of(newest(dir.path())), before);
}

#[test]
fn a_hook_that_was_added_starts_anew_and_is_told() {
    let _alone = alone();
    let dir = support::folder();
    program::<ByEpoch>(&rich(), dir.path()).train_all().unwrap();
    let mut longer = rich();
    longer.train.max_epochs = Some(3);
    let mut driver = program::<ByEpoch>(&longer, dir.path());
    driver.add(from_ron::<EarlyStopping>(r#"(monitor: "val/loss")"#));
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    let lines = lines.lock().unwrap();
    assert!(
        lines.contains(&"the checkpoint has no state of `custom_hooks.EarlyStopping`: it starts anew".to_owned()),
        "{lines:?}"
    );
    drop(lines);
    drop(driver);
    // and one that was taken away is told too
    let mut driver = program::<ByEpoch>(&Setup { ema: None, ..longer }, dir.path());
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path())).and_then(|()| driver.train())).unwrap();
    let told = lines.lock().unwrap().join("\n");
    assert!(told.contains("ignored: unknown state `custom_hooks.EarlyStopping`"), "{told}");
    assert!(told.contains("ignored: unknown state `hooks.ema`"), "{told}");
}

#[test]
fn a_hook_that_watches_another_metric_starts_anew_and_is_told() {
    let _alone = alone();
    let dir = support::folder();
    let with = |settings: &str| {
        let mut driver = program::<ByEpoch>(&rich(), dir.path());
        driver.add(from_ron::<EarlyStopping>(settings));
        driver
    };
    with(r#"(monitor: "val/accuracy", patience: 9)"#).train_all().unwrap();
    let mut driver = with(r#"(monitor: "val/loss", patience: 9)"#);
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path()))).unwrap();
    let told = r#"`custom_hooks.EarlyStopping` starts anew: `monitor` was "val/accuracy" and is now "val/loss""#;
    assert_eq!(*lines.lock().unwrap(), [told]);
    assert!(format!("{:?}", driver.hooks.custom[0].hook.save_state()).contains(r#""value": None"#));
    drop(driver);
    // another patience is no other metric
    let mut driver = with(r#"(monitor: "val/accuracy", patience: 5)"#);
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path()))).unwrap();
    assert!(lines.lock().unwrap().is_empty());
    assert!(!format!("{:?}", driver.hooks.custom[0].hook.save_state()).contains(r#""value": None"#));
}

#[test]
fn a_state_of_a_custom_hook_is_found_by_name_when_another_is_put_before_it() {
    let _alone = alone();
    let dir = support::folder();
    let stopping = || from_ron::<EarlyStopping>(r#"(monitor: "val/loss", patience: 99)"#);
    let mut driver = program::<ByEpoch>(&rich(), dir.path());
    driver.add(stopping());
    driver.train_all().unwrap();
    drop(driver);
    let mut driver = program::<ByEpoch>(&rich(), dir.path());
    driver.add(support::probe(|_, _| Ok(())));
    driver.add(stopping());
    let (_, lines) = driver.keep_rows();
    driver.run(|driver| driver.restore(newest(dir.path()))).unwrap();
    assert_eq!(*lines.lock().unwrap(), ["the checkpoint has no state of `custom_hooks.Probe`: it starts anew"]);
}

#[test]
fn a_checkpoint_of_another_model_is_refused_with_the_reason() {
    let _alone = alone();
    let dir = support::folder();
    program::<ByEpoch>(&rich(), dir.path()).train_all().unwrap();
    let mut snapshot = newest(dir.path());
    snapshot.models[0].trained.pop();
    let mut driver = Setup::default().full::<ByEpoch>();
    let error = driver.run(|driver| driver.restore(snapshot)).unwrap_err();
    assert!(
        error.to_string().contains("unfit")
            || error.to_string().contains("do not fit the model `net`: missing `second.weight`"),
        "{error}"
    );
    let error = driver_with_sgd(dir.path());
    assert!(error.contains("it was saved by `AdamW`, and the experiment now names `Sgd`"), "{error}");
}

fn driver_with_sgd(dir: &std::path::Path) -> String {
    let mut driver = Setup::default().full::<ByEpoch>();
    format!("{:#}", driver.run(|driver| driver.restore(newest(dir))).unwrap_err())
}
