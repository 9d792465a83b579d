//! Lists of schedules: what holds when, and what is wrong with a list.

use super::*;
use crate::base::{Epoch, Iter};
use crate::optim::schedule::{Constant, Cosine, Exponential, Linear, MultiStep, PlannedLength, Poly, Step};

const PLANNED: PlannedLength = PlannedLength::epochs(4, 10);

fn list(schedules: impl IntoIterator<Item = Box<dyn ScheduleConfig>>) -> Schedules {
    Schedules(schedules.into_iter().collect())
}

fn linear(ron: &str) -> Box<dyn ScheduleConfig> {
    Box::new(ron::from_str::<Linear>(ron).unwrap())
}

fn cosine(ron: &str) -> Box<dyn ScheduleConfig> {
    Box::new(ron::from_str::<Cosine>(ron).unwrap())
}

fn constant(ron: &str) -> Box<dyn ScheduleConfig> {
    Box::new(ron::from_str::<Constant>(ron).unwrap())
}

/// The factor before update `iter`.
fn factor(schedules: &Schedules, iter: u64) -> Option<f64> {
    let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned: PLANNED };
    schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &progress).unwrap()
}

fn problems(schedules: &Schedules) -> Vec<String> {
    schedules
        .check(&TrainingLength::from(&PLANNED))
        .into_iter()
        .map(|problem| format!("{}: {}", problem.index, problem.text))
        .collect()
}

#[test]
fn before_its_begin_nothing_holds_and_after_its_end_its_final_factor_stays() {
    let schedules = list([linear("(start: 1.0, finish: 0.5, begin: Some(10), end: Some(20))")]);
    assert_eq!(factor(&schedules, 9), None);
    assert_eq!(factor(&schedules, 10), Some(1.0));
    assert_eq!(factor(&schedules, 15), Some(0.75));
    assert_eq!([20, 39, 400].map(|iter| factor(&schedules, iter)), [Some(0.5); 3]);
}

#[test]
fn a_schedule_by_epoch_takes_over_at_the_very_iter_at_which_the_warm_up_ends() {
    let schedules = list([linear("(start: 0.0, iters: Some(15))"), cosine("(by: Epoch)")]);
    assert_eq!(problems(&schedules), Vec::<String>::new());
    assert!(factor(&schedules, 14).unwrap() < 0.94);
    // it counts from epoch 1, in which the warm-up ends, to epoch 4
    assert_eq!(factor(&schedules, 15), Some(1.0));
    assert_eq!(factor(&schedules, 19), Some(1.0));
    assert!((factor(&schedules, 20).unwrap() - 0.75).abs() < 1e-12);
    assert!((factor(&schedules, 30).unwrap() - 0.25).abs() < 1e-12);
}

#[test]
fn a_schedule_by_iter_follows_one_by_epoch() {
    let schedules = list([linear("(start: 0.5, epochs: Some(2))"), linear("(start: 1.0, finish: 0.0)")]);
    assert_eq!([0, 9, 10, 20, 30].map(|iter| factor(&schedules, iter).unwrap()), [0.5, 0.5, 0.75, 1.0, 0.5]);
}

#[test]
fn schedules_that_overlap_multiply_whatever_their_order() {
    let (early, late) = ("(factor: 0.5, begin: Some(0))", "(factor: 0.25, begin: Some(10), end: Some(40))");
    for schedules in [list([constant(early), constant(late)]), list([constant(late), constant(early)])] {
        assert_eq!([9, 10, 39].map(|iter| factor(&schedules, iter)), [Some(0.5), Some(0.125), Some(0.125)]);
    }
    // a warm-up beside steps by epoch, as MMEngine's experiments have it
    let steps = ron::from_str::<MultiStep>("(by: Epoch, milestones: [2, 3], gamma: 0.5, begin: Some(0))").unwrap();
    let schedules = list([linear("(start: 0.0, begin: Some(0), end: Some(25))"), Box::new(steps)]);
    assert_eq!(problems(&schedules), Vec::<String>::new());
    assert_eq!([0, 10, 20, 25, 30].map(|iter| factor(&schedules, iter).unwrap()), [0.0, 0.4, 0.4, 0.5, 0.25]);
}

#[test]
fn a_schedule_takes_over_from_those_that_have_ended() {
    let line = |ron: &str| linear(&format!("(start: 1.0, finish: 0.5, {ron})"));
    let schedules = list([
        line("begin: Some(0), end: Some(10)"),
        // these three are a chain: the first and the last of them overlap through the second
        line("begin: Some(10), end: Some(14)"),
        line("begin: Some(12), end: Some(18)"),
        line("begin: Some(16), end: Some(20)"),
        line("begin: Some(30), end: Some(40)"),
    ]);
    let expected = [0.75, 0.5, 1.0, 0.75, 0.5 * 0.75, 0.125, 0.125, 1.0, 0.75];
    let found = [5, 9, 10, 12, 15, 20, 29, 30, 35].map(|iter| factor(&schedules, iter).unwrap());
    for ((iter, expected), found) in [5, 9, 10, 12, 15, 20, 29, 30, 35].into_iter().zip(expected).zip(found) {
        // at iter 9 the first line is not quite at its end
        let near = if iter == 9 { 0.06 } else { 1e-12 };
        assert!((expected - found).abs() < near, "iter {iter}: {found}, expected {expected}");
    }
}

#[test]
fn what_changes_by_steps_changes_no_more_at_its_end() {
    // MMEngine's StepLR(step_size=1, gamma=0.5, begin=1, end=3) over four epochs: 1, 1, 0.5, 0.5
    let by_epoch = |ron: &str| format!("(by: Epoch, begin: Some(1), end: Some(3), gamma: 0.5{ron})");
    let step: Step = ron::from_str(&by_epoch(", every: 1")).unwrap();
    let exponential: Exponential = ron::from_str(&by_epoch("")).unwrap();
    let milestones: MultiStep = ron::from_str(&by_epoch(", milestones: [2, 3]")).unwrap();
    let all: [Box<dyn ScheduleConfig>; 3] = [Box::new(step), Box::new(exponential), Box::new(milestones)];
    for schedule in all {
        let schedules = list([schedule]);
        let found = [5, 10, 20, 30, 39].map(|iter| factor(&schedules, iter));
        assert_eq!(found, [None, Some(1.0), Some(0.5), Some(0.5), Some(0.5)], "{schedules:?}");
    }
}

#[test]
fn a_floor_is_a_value_and_the_same_for_every_initial_value() {
    for ron in ["[Cosine(floor: 0.01)]", "[Poly(floor: 0.01, power: 2.0)]"] {
        let schedules: Schedules = crate::config::parse_text("x", ron).unwrap().read().unwrap();
        let end = TrainingProgress { epoch: Epoch(4), iter: Iter(40), planned: PLANNED };
        let name = GroupName { optimizer: "opt", group: "default" };
        for initial in [0.1, 0.02] {
            let value = schedules.value("lr", name, initial, &end).unwrap().unwrap();
            assert!((value - 0.01).abs() < 1e-15, "{ron}: {value}");
        }
    }
    let twice: Schedules =
        crate::config::parse_text("x", "[Cosine(floor: 0.01, finish: 0.1)]").unwrap().read().unwrap();
    assert_eq!(problems(&twice), ["0: `Cosine`: `finish` and `floor` both set its last value; keep one"]);
}

#[test]
fn schedules_of_other_settings_or_groups_do_not_follow_each_other() {
    let schedules = list([
        linear("(iters: Some(10), setting: \"momentum\")"),
        linear("(start: 0.0, iters: Some(10), groups: [\"head\"])"),
        linear("(start: 0.0, iters: Some(20), groups: [\"default\"])"),
    ]);
    assert_eq!(problems(&schedules), Vec::<String>::new());
    assert_eq!(factor(&schedules, 10), Some(0.5));
}

#[test]
fn a_value_that_is_none_is_told_with_the_schedule_of_the_largest_factor() {
    let momentum = |ron: &str| linear(&format!("({ron}, begin: Some(0), end: Some(20), setting: \"momentum\")"));
    let schedules = list([
        momentum("start: 2.0, finish: 2.0, groups: [\"head\"]"),
        momentum("start: 1.0, finish: 2.0"),
        momentum("start: 1.0, finish: 1.0"),
    ]);
    let at = |iter| {
        let progress = TrainingProgress { epoch: Epoch(iter / 10), iter: Iter(iter), planned: PLANNED };
        schedules.value("momentum", GroupName { optimizer: "opt", group: "default" }, 0.9, &progress)
    };
    assert!(at(1).is_ok());
    let error = at(4).unwrap_err();
    assert!(matches!(error, OptimError::Scheduled { index: 1, at: 4, length: 20, .. }), "{error:?}");
    assert!(error.to_string().ends_with("(at 4 of 20 counts of its window)"), "{error}");
}

#[test]
fn a_schedule_of_momentum_is_one_of_the_first_beta_where_there_is_no_momentum() {
    let schedules = list([linear("(setting: \"momentum\")"), linear("(setting: \"lr\")")]);
    let adam = Settings::new([("lr", 0.1), ("beta1", 0.9), ("beta2", 0.9)]);
    let of = |setting| schedules.names_of(setting, &adam);
    assert_eq!((of("beta1"), of("momentum")), (vec!["momentum"], vec!["momentum"]));
    assert_eq!((of("lr"), of("beta2")), (vec!["lr"], vec![]));
    let both = Settings::new([("momentum", 0.9), ("beta1", 0.9)]);
    assert_eq!(schedules.names_of("beta1", &both), Vec::<&str>::new());
}

#[test]
fn milestones_are_moments_of_the_training() {
    let steps = ron::from_str::<MultiStep>("(by: Epoch, milestones: [2], gamma: 0.5)").unwrap();
    let schedules = list([linear("(start: 0.0, iters: Some(12))"), Box::new(steps)]);
    assert_eq!([12, 19, 20].map(|iter| factor(&schedules, iter).unwrap()), [1.0, 1.0, 0.5]);
}

#[test]
fn what_is_wrong_with_a_list_is_reported_with_its_place() {
    let past = "`Linear` would end at iter 50, but the training ends at iter 40";
    assert_eq!(problems(&list([linear("(iters: Some(50))")])), [format!("0: {past}")]);
    let empty = "`Cosine` would begin at iter 7 and end at iter 7; it must end after it begins";
    assert_eq!(problems(&list([cosine("(begin: Some(7), end: Some(7))")])), [format!("0: {empty}")]);
    let late = "`Cosine` would begin at epoch 9, but the training ends at epoch 4";
    assert_eq!(problems(&list([cosine("(by: Epoch, begin: Some(9))")])), [format!("0: {late}")]);
    let left = problems(&list([cosine("()"), cosine("(by: Epoch)")]));
    assert!(left[0].starts_with("1: `Cosine` has no time left: the schedule before it ends at epoch 4"), "{left:?}");
    let twice = problems(&list([linear("(iters: Some(5), epochs: Some(1))")]));
    assert_eq!(twice, ["0: `Linear`: `iters` and `epochs` both set its length; keep one"]);
    // made in code: a file is refused before it comes to this
    let flat: Box<dyn ScheduleConfig> = Box::new(Poly { power: 0.0, ..ron::from_str("()").unwrap() });
    let range = problems(&list([flat]));
    assert_eq!(range, ["0: `power` of `Poly` must be above 0, got 0"]);
}
