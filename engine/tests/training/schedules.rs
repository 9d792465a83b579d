//! Schedules against the numbers of PyTorch 2.11.0 (`fixtures/optim.py`), and what they act on.

use crate::optimizers::parameters;
use engine::base::{Epoch, Iter};
use engine::optim::schedule::{
    Constant, Cosine, CosineRestarts, Cyclic, Exponential, InverseSqrt, Linear, MultiStep, Noam, OneCycle, Poly, Step,
    WarmUpStableDecay,
};
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

const PLANNED: PlannedLength = PlannedLength::epochs(10, 10);

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
        ("restarts", vec![read::<CosineRestarts>("(periods: [15], growth: Some(1), finish: 0.1)")]),
        ("restarts_growing", vec![read::<CosineRestarts>("(periods: [7], growth: Some(2))")]),
        ("restarts_by_epoch", vec![read::<CosineRestarts>("(periods: [3], growth: Some(1), by: Epoch)")]),
        (
            "restarts_of_mmengine",
            vec![read::<CosineRestarts>("(periods: [10, 30, 60], weights: [1.0, 0.5, 0.25], finish: 0.1)")],
        ),
        ("one_cycle", vec![read::<OneCycle>("()")]),
        ("one_cycle_linear", vec![read::<OneCycle>("(rise: 0.25, curve: Linear, start: 0.1, finish: 0.001)")]),
        ("one_cycle_three_phase", vec![read::<OneCycle>("(rise: 0.4, three_phase: true)")]),
        ("one_cycle_momentum", vec![read::<OneCycle>("(momentum: Some((0.85, 0.95)))")]),
        ("cyclic", vec![read::<Cyclic>("(start: 0.1, up: 16)")]),
        ("cyclic_halved", vec![read::<Cyclic>("(start: 0.1, up: 8, down: Some(24), height: Halved)")]),
        ("cyclic_decayed", vec![read::<Cyclic>("(start: 0.1, up: 16, height: Decayed(gamma: 0.98))")]),
        ("cyclic_momentum", vec![read::<Cyclic>("(start: 0.1, up: 16, momentum: Some((0.76, 0.95)))")]),
        ("noam", vec![read::<Noam>("(d_model: 64, warm_up: 30)")]),
        ("inverse_sqrt", vec![read::<InverseSqrt>("(warm_up: 20)")]),
        ("inverse_sqrt_timescale", vec![read::<InverseSqrt>("(warm_up: 10, timescale: Some(40))")]),
        ("stable_cosine", vec![read::<WarmUpStableDecay>("(warm_up: 10, decay: 40, start: 0.1, finish: 0.1)")]),
        ("stable_linear", vec![read::<WarmUpStableDecay>("(warm_up: 20, decay: 20, curve: Linear)")]),
        ("stable_square_root", vec![read::<WarmUpStableDecay>("(warm_up: 5, decay: 50, curve: SquareRoot)")]),
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
            // what the file says of the momentum has no part in it
            let (setting, initial) = if name.ends_with("momentum") { ("momentum", 0.3) } else { ("lr", 0.05) };
            let ours = schedules.value(setting, DEFAULT, initial, &at(iter as u64)).unwrap().unwrap();
            // PyTorch multiplies its way from step to step, so it is the one that is a little off
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1e-3), "{name} at {iter}: {ours} {theirs}");
        }
    }
}

#[test]
fn a_cycle_takes_the_momentum_with_it() {
    let mut optims = [
        Optim::new("sgd", &Sgd { momentum: 0.9, ..Sgd::new(0.1) }, parameters()).unwrap(),
        Optim::new("adam", &AdamW::new(0.1), parameters()).unwrap(),
        Optim::new("plain", &Sgd::new(0.1), parameters()).unwrap(),
    ];
    for (cycle, alone) in [
        (
            read::<OneCycle>("(rise: 0.2, momentum: Some((0.8, 0.9)))"),
            read::<OneCycle>("(rise: 0.2, setting: \"momentum\", start: 1.0, peak: 0.8888888888888889, finish: 1.0)"),
        ),
        (
            read::<Cyclic>("(start: 0.1, up: 7, momentum: Some((0.45, 0.9)), height: Halved)"),
            read::<Cyclic>("(start: 1.0, peak: 0.5, up: 7, setting: \"momentum\", height: Halved)"),
        ),
    ] {
        let (cycle, alone) = (Schedules(vec![cycle]), Schedules(vec![alone]));
        assert_eq!(cycle.check_against(&optims), []);
        for iter in 0..100 {
            cycle.apply(&mut optims, &at(iter)).unwrap();
            let expected = alone.value("momentum", DEFAULT, 0.9, &at(iter)).unwrap().unwrap();
            let now = |index: usize, name: &str| optims[index].groups()[0].settings().get(name).unwrap();
            // the second with its first beta; one without momentum goes on without
            assert!((now(0, "momentum") - expected).abs() < 1e-12, "{iter}");
            assert!((now(1, "beta1") - expected).abs() < 1e-12, "{iter}");
            assert_eq!((now(1, "beta2"), now(2, "momentum")), (0.999, 0.0));
        }
    }
    // a schedule of the momentum that comes later begins where the cycle ends
    let schedules = Schedules(vec![
        read::<OneCycle>("(momentum: Some((0.8, 0.9)), end: Some(50))"),
        read::<Constant>("(factor: 0.5, setting: \"momentum\")"),
    ]);
    let momentum = |iter| schedules.value("momentum", DEFAULT, 0.9, &at(iter)).unwrap().unwrap();
    assert!((momentum(49) - 0.9).abs() < 1e-12 && (momentum(50) - 0.45).abs() < 1e-12);
}

#[test]
fn a_momentum_that_makes_no_sense_is_told_at_its_field() {
    let optims = [Optim::new("opt", &Sgd::new(0.1), parameters()).unwrap()];
    let told = |ron: &str| {
        let schedules = Schedules(vec![read::<OneCycle>(ron)]);
        let problems = schedules.check(&TrainingLength::from(&PLANNED)).into_iter();
        problems.chain(schedules.check_against(&optims)).map(|problem| problem.text).collect::<Vec<_>>()
    };
    let none =
        "`OneCycle` would change `momentum`, and no optimizer has one above 0; set it in the optimizer, or remove this";
    assert_eq!(told("(momentum: Some((0.85, 0.95)))"), [none]);
    assert!(told("(momentum: Some((0.95, 0.85)))")[0].contains("the first at most the second"));
    assert!(told("(momentum: Some((-0.1, 0.85)))")[0].contains("`momentum.0` of `OneCycle` must be at least 0"));
    assert!(told("(momentum: Some((0.8, 0.9)), setting: \"weight_decay\")")[0].contains("keep one"));
}

#[test]
fn a_window_without_room_for_all_parts_is_reported() {
    let parts = || read::<WarmUpStableDecay>("(warm_up: 20, decay: 90)");
    let problems = |schedule| Schedules(vec![schedule]).check(&TrainingLength::from(&PLANNED));
    assert_eq!(problems(parts())[0].text, "the parts of `WarmUpStableDecay` take 110 iters, and its window has 100");
    let restarts = problems(read::<CosineRestarts>("(by: Epoch, periods: [8, 4])"));
    assert_eq!(restarts[0].text, "the parts of `CosineRestarts` take 12 epochs, and its window has 10");
    // before the data are opened, the length of the window is not known
    assert_eq!(Schedules(vec![parts()]).check(&TrainingLength::default()), []);
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
