//! Schedules one after the other.

use crate::base::Clock;
use crate::optim::error::OptimError;
use crate::optim::groups::means_group;
use crate::optim::live::Optim;
use crate::optim::schedule::{Place, Planned, Progress, ScheduleConfig, Window};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A list of schedules, as `schedule: [..]` in an experiment file.
///
/// Each setting of each group follows one schedule at a time: of those that have begun, the one that began
/// last (of two that began together, the later in the list). Before the first begin the setting is left
/// alone. After a schedule's end its final factor stays until another one begins. Factors multiply the
/// initial value, never each other.
///
/// A schedule without `begin` takes over where the last one before it in the list that has its setting and
/// shares a group with it ends; on a coarser clock it then counts from the epoch in which that is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedules(pub Vec<Box<dyn ScheduleConfig>>);

/// What is wrong with one schedule of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its index in the list.
    pub index: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Schedules {
    /// What a setting of a group is now; `None` when no schedule for it has begun.
    pub fn value(&self, setting: &str, group: &str, initial: f64, progress: &Progress) -> Option<f64> {
        let planned = &progress.planned;
        let mut in_force: Option<(u64, f64)> = None;
        for (index, schedule) in self.0.iter().enumerate() {
            if !governs(&schedule.window(), setting, group) {
                continue;
            }
            let span = self.span(index, planned);
            let begins = planned.convert(span.takes_over, Clock::Iter);
            let has_begun = progress.on(span.takes_over.0) >= span.takes_over.1;
            if has_begun && in_force.is_none_or(|(latest, _)| begins >= latest) {
                in_force = Some((begins, schedule.factor(span.place(progress))));
            }
        }
        in_force.map(|(_, factor)| initial * factor)
    }

    /// Sets every scheduled setting of these optimizers to what it is now. To be called before each update;
    /// nothing is allocated, read from a device or rebuilt.
    ///
    /// A setting that an optimizer doesn't have is passed over: see [`Schedules::check_against`].
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub fn apply(&self, optims: &mut [Optim], progress: &Progress) -> Result<(), OptimError> {
        for group in optims.iter_mut().flat_map(Optim::groups_mut) {
            for (index, schedule) in self.0.iter().enumerate() {
                let setting = schedule.window().setting;
                // the first schedule of a setting stands for all of them
                if self.0[..index].iter().any(|earlier| earlier.window().setting == setting) {
                    continue;
                }
                let Some(initial) = group.settings().initial(setting) else { continue };
                if let Some(value) = self.value(setting, group.name(), initial, progress) {
                    group.settings_mut().set(setting, value)?;
                }
            }
        }
        Ok(())
    }

    /// What can be wrong with the list alone and the length of the training: numbers out of range, empty
    /// windows, windows past the end, schedules that never hold.
    pub fn check(&self, planned: &Planned) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, schedule) in self.0.iter().enumerate() {
            let mut report = |text: String| problems.push(Problem { index, text });
            if let Err(error) = schedule.check() {
                report(error.to_string());
                // a window of numbers that make no sense says nothing more
                continue;
            }
            let name = schedule.typetag_name();
            let span = self.span(index, planned);
            let last = planned.end(span.by);
            if span.end <= span.begin {
                report(empty_window(name, &schedule.window(), &span));
            } else if span.end > last {
                let (end, last) = (Moment(span.by, span.end), Moment(span.by, last));
                report(format!("`{name}` would end at {end}, but the training ends at {last}"));
            } else if let Some(other) = self.hidden_by(index, planned) {
                let by = self.0[other].typetag_name();
                let begin = Moment(span.takes_over.0, span.takes_over.1);
                report(format!(
                    "`{name}` never holds: `{by}` later in the list begins at {begin} too; give it a later `begin`"
                ));
            }
        }
        problems
    }

    /// Schedules whose setting no optimizer has, or whose groups are none of theirs.
    pub fn check_against(&self, optims: &[Optim]) -> Vec<Problem> {
        let groups = || optims.iter().flat_map(Optim::groups);
        let mut problems = Vec::new();
        for (index, schedule) in self.0.iter().enumerate() {
            let window = schedule.window();
            if let Some(first) = groups().next()
                && groups().all(|group| group.settings().get(window.setting).is_none())
            {
                problems.push(Problem { index, text: first.settings().unknown(window.setting).to_string() });
            }
            for listed in window.groups {
                if !groups().any(|group| means_group(listed, group.name())) {
                    let known: Vec<String> = groups().map(|group| format!("`{}`", group.name())).collect();
                    let text = format!("there is no parameter group `{listed}`, only {}", known.join(", "));
                    problems.push(Problem { index, text });
                }
            }
        }
        problems
    }

    /// The window of a schedule, its defaults filled in.
    fn span(&self, index: usize, planned: &Planned) -> Span {
        let window = self.0[index].window();
        let by = window.by;
        let takes_over = match window.begin {
            Some(begin) => (by, begin),
            None => self.previous(index).map_or((by, 0), |previous| {
                let previous = self.span(previous, planned);
                (previous.by, previous.end)
            }),
        };
        let begin = planned.convert(takes_over, by);
        let end = match (window.end, window.length) {
            (Some(end), _) => end,
            (None, Some(length)) => begin.saturating_add(length),
            (None, None) => planned.end(by),
        };
        Span { by, takes_over, begin, end }
    }

    /// The last schedule before this one that it could follow.
    fn previous(&self, index: usize) -> Option<usize> {
        let window = self.0[index].window();
        self.0[..index].iter().rposition(|earlier| {
            let earlier = earlier.window();
            earlier.setting == window.setting && share_a_group(earlier.groups, window.groups)
        })
    }

    /// A later schedule that begins at the same moment, for the same setting and at least the same groups.
    fn hidden_by(&self, index: usize, planned: &Planned) -> Option<usize> {
        let window = self.0[index].window();
        let begin = planned.convert(self.span(index, planned).takes_over, Clock::Iter);
        (index + 1..self.0.len()).find(|later| {
            let other = self.0[*later].window();
            other.setting == window.setting
                && (other.groups.is_empty() || other.groups == window.groups)
                && planned.convert(self.span(*later, planned).takes_over, Clock::Iter) == begin
        })
    }
}

/// A window with its defaults filled in.
struct Span {
    by: Clock,
    // the moment it takes over, which may be counted on the clock of the schedule before it
    takes_over: (Clock, u64),
    begin: u64,
    end: u64,
}

impl Span {
    fn place(&self, progress: &Progress) -> Place {
        let length = self.end.saturating_sub(self.begin);
        let at = progress.on(self.by).saturating_sub(self.begin).min(length);
        Place { begin: self.begin, at, length }
    }
}

/// `iter 100`, `epoch 3`.
struct Moment(Clock, u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

fn empty_window(name: &str, window: &Window<'_>, span: &Span) -> String {
    let (begin, end) = (Moment(span.by, span.begin), Moment(span.by, span.end));
    match (window.begin, window.end.or(window.length)) {
        (Some(_), Some(_)) => format!("`{name}` would begin at {begin} and end at {end}; it must end after it begins"),
        (Some(_), None) => format!("`{name}` would begin at {begin}, but the training ends at {end}"),
        (None, _) => format!(
            "`{name}` has no time left: it follows a schedule that ends at {begin}, and would itself end at {end}; give one of them another window"
        ),
    }
}

fn governs(window: &Window<'_>, setting: &str, group: &str) -> bool {
    window.setting == setting
        && (window.groups.is_empty() || window.groups.iter().any(|listed| means_group(listed, group)))
}

fn share_a_group(one: &[String], other: &[String]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|group| other.contains(group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Epoch, Iter};
    use crate::optim::schedule::{Constant, Cosine, Linear, MultiStep, Poly};

    const PLANNED: Planned = Planned { max_epochs: 4, max_iters: 40, iters_per_epoch: 10 };

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
        let progress = Progress { epoch: Epoch(iter / 10), iter: Iter(iter), planned: PLANNED };
        schedules.value("lr", "default", 1.0, &progress)
    }

    fn problems(schedules: &Schedules) -> Vec<String> {
        schedules.check(&PLANNED).into_iter().map(|problem| format!("{}: {}", problem.index, problem.text)).collect()
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
    fn of_two_that_have_begun_the_one_that_began_last_holds_whatever_their_order() {
        let (early, late) = ("(factor: 0.5, begin: Some(0))", "(factor: 0.25, begin: Some(10), end: Some(40))");
        for schedules in [list([constant(early), constant(late)]), list([constant(late), constant(early)])] {
            assert_eq!([9, 10, 39].map(|iter| factor(&schedules, iter)), [Some(0.5), Some(0.25), Some(0.25)]);
        }
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
        assert!(
            left[0].starts_with("1: `Cosine` has no time left: it follows a schedule that ends at epoch 4"),
            "{left:?}"
        );
        let hidden = problems(&list([linear("(iters: Some(5))"), cosine("(begin: Some(0))")]));
        assert_eq!(
            hidden,
            ["0: `Linear` never holds: `Cosine` later in the list begins at iter 0 too; give it a later `begin`"]
        );
        let twice = problems(&list([linear("(iters: Some(5), epochs: Some(1))")]));
        assert_eq!(twice, ["0: `Linear`: `iters` and `epochs` both say how long it is; keep one"]);
        // made in code: a file is refused before it comes to this
        let flat: Box<dyn ScheduleConfig> = Box::new(Poly { power: 0.0, ..ron::from_str("()").unwrap() });
        let range = problems(&list([flat]));
        assert_eq!(range, ["0: `power` of `Poly` must be above 0, got 0"]);
    }
}
