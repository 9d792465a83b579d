//! Schedules against the numbers of PyTorch 2.11.0 (`fixtures/optim.py`), and what they act on.

use crate::optimizers::parameters;
use engine::base::{Epoch, Iter};
use engine::optim::schedule::{Constant, Cosine, Exponential, Linear, MultiStep, Poly, Step};
use engine::optim::{
    AdamW, GroupName, GroupRule, Optim, PlannedLength, ScheduleConfig, Schedules, Sgd, TrainingLength, TrainingProgress,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[test]
fn a_list_of_schedules_is_read_by_their_names() {
    let file = r#"[{"Linear": {"iters": 100, "start": 0.01}}, {"Cosine": {"by": "Epoch", "finish": 0.1}}]"#;
    let schedules: Schedules = serde_json::from_str(file).unwrap();
    let names: Vec<&str> = schedules.0.iter().map(|schedule| schedule.typetag_name()).collect();
    assert_eq!(names, ["Linear", "Cosine"]);
    let again: Schedules = serde_json::from_str(&serde_json::to_string(&schedules).unwrap()).unwrap();
    assert_eq!(format!("{schedules:?}"), format!("{again:?}"));
    assert!(serde_json::from_str::<Schedules>(r#"[{"Cosine": {"min": 0.1}}]"#).is_err());
}

const DEFAULT: GroupName<'_> = GroupName { optimizer: "opt", group: "default" };

const PLANNED: PlannedLength = PlannedLength { max_epochs: 10, max_iters: 100, iters_per_epoch: 10 };

fn at(iter: u64) -> TrainingProgress {
    TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned: PLANNED }
}

fn read<S: ScheduleConfig + for<'de> Deserialize<'de> + 'static>(ron: &str) -> Box<dyn ScheduleConfig> {
    Box::new(ron::from_str::<S>(ron).unwrap())
}

#[test]
fn a_hundred_updates_have_the_learning_rates_of_pytorch() {
    let expected: BTreeMap<String, Vec<f64>> = serde_json::from_str(include_str!("fixtures/schedules.json")).unwrap();
    let cases: BTreeMap<&str, Vec<Box<dyn ScheduleConfig>>> = BTreeMap::from([
        ("constant", vec![read::<Constant>("(factor: 0.3, iters: Some(20))")]),
        ("linear", vec![read::<Linear>("(start: 0.01, iters: Some(30))")]),
        ("linear_down", vec![read::<Linear>("(start: 1.0, finish: 0.2, end: Some(30))")]),
        ("step", vec![read::<Step>("(every: 15, gamma: 0.5)")]),
        ("multi_step", vec![read::<MultiStep>("(milestones: [10, 40, 80])")]),
        ("exponential", vec![read::<Exponential>("(gamma: 0.97)")]),
        ("poly", vec![read::<Poly>("(power: 2.0)")]),
        ("poly_short", vec![read::<Poly>("(power: 0.9, end: Some(60))")]),
        ("cosine", vec![read::<Cosine>("()")]),
        ("cosine_finish", vec![read::<Cosine>("(finish: 0.1)")]),
        ("cosine_by_epoch", vec![read::<Cosine>("(by: Epoch)")]),
        ("step_by_epoch", vec![read::<Step>("(by: Epoch, every: 3)")]),
        ("warm_up_cosine", vec![read::<Linear>("(start: 0.01, iters: Some(10))"), read::<Cosine>("()")]),
        ("warm_up_step", vec![read::<Linear>("(start: 0.1, iters: Some(5))"), read::<Step>("(every: 20, gamma: 0.5)")]),
        (
            "warm_up_exponential",
            vec![read::<Linear>("(start: 0.2, iters: Some(20))"), read::<Exponential>("(gamma: 0.9)")],
        ),
    ]);
    assert!(expected.keys().map(String::as_str).eq(cases.keys().copied()), "fixtures and cases differ");
    for (name, schedules) in cases {
        let schedules = Schedules(schedules);
        assert_eq!(schedules.check(&TrainingLength::from(&PLANNED)), [], "{name}");
        assert_eq!(expected[name].len(), 100);
        for (iter, theirs) in expected[name].iter().enumerate() {
            let ours = schedules.value("lr", DEFAULT, 0.05, &at(iter as u64)).unwrap();
            // PyTorch multiplies its way from step to step, so it is the one that is a little off
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1e-3), "{name} at {iter}: {ours} {theirs}");
        }
    }
}

#[test]
fn schedules_set_what_they_are_for_and_leave_the_rest() {
    let recipe = AdamW { groups: vec![GroupRule { lr_mult: Some(0.5), ..GroupRule::new("fc1.*") }], ..AdamW::new(0.1) };
    let mut optims = [Optim::new("opt", &recipe, parameters()).unwrap()];
    let schedules = Schedules(vec![
        read::<Linear>("(start: 0.0, iters: Some(10))"),
        read::<Constant>("(factor: 0.5, begin: Some(4), setting: \"momentum\", groups: [\"default\"])"),
    ]);
    assert_eq!(schedules.check_against(&optims), []);
    let now = |optims: &[Optim], name: &str| {
        optims[0].groups().iter().map(|g| g.settings().get(name).unwrap()).collect::<Vec<_>>()
    };
    schedules.apply(&mut optims, &at(2)).unwrap();
    assert_eq!((now(&optims, "lr"), now(&optims, "beta1")), (vec![0.05 * 0.2, 0.1 * 0.2], vec![0.9, 0.9]));
    schedules.apply(&mut optims, &at(5)).unwrap();
    assert_eq!((now(&optims, "lr"), now(&optims, "beta1")), (vec![0.05 * 0.5, 0.1 * 0.5], vec![0.9, 0.45]));
    assert_eq!(now(&optims, "weight_decay"), [0.01, 0.01]);
}

#[test]
fn a_setting_or_group_that_nobody_has_is_reported() {
    let optims = [Optim::new("opt", &Sgd::new(0.1), parameters()).unwrap()];
    let schedules = Schedules(vec![read::<Cosine>("(setting: \"momentm\")"), read::<Cosine>("(groups: [\"head\"])")]);
    let texts: Vec<String> = schedules.check_against(&optims).into_iter().map(|problem| problem.text).collect();
    let expected = [
        "there is no setting `momentm`, did you mean `momentum`?",
        "there is no parameter group `head`, only `default`",
    ];
    assert_eq!(texts, expected);
}
