//! Schedules one after the other.

use crate::base::Clock;
use crate::optim::error::OptimError;
use crate::optim::groups::GroupName;
use crate::optim::live::{Group, Optim};
use crate::optim::schedule::{ScheduleConfig, TrainingLength, TrainingProgress, Window, WindowPosition};
use crate::optim::settings::Settings;
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
///
/// ```
/// use engine::base::{Epoch, Iter};
/// use engine::optim::{GroupName, PlannedLength, TrainingProgress};
/// use engine::prelude::*;
///
/// // a warm-up, then down to the end; the momentum has a schedule of its own
/// let text = r#"[Linear(start: 0.1, iters: 10), Cosine(), Constant(factor: 0.5, iters: 10, setting: "momentum")]"#;
/// let schedules: Schedules = engine::config::parse_text("example", text)?.read()?;
/// let planned = PlannedLength { max_epochs: 1, max_iters: 110, iters_per_epoch: 110 };
/// let at = |iter| TrainingProgress { epoch: Epoch(0), iter: Iter(iter), planned };
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(0)).unwrap() - 0.1).abs() < 1e-9);
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(10)).unwrap() - 1.0).abs() < 1e-9); // the cosine begins
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(60)).unwrap() - 0.5).abs() < 1e-9);
/// assert_eq!(schedules.value("momentum", GroupName { optimizer: "opt", group: "default" }, 0.9, &at(3)), Some(0.45));
/// assert_eq!(schedules.value("weight_decay", GroupName { optimizer: "opt", group: "default" }, 0.01, &at(3)), None);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedules(pub Vec<Box<dyn ScheduleConfig>>);

/// What is wrong with one schedule of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its index in the list.
    pub index: usize,
    /// The field that says it, as the file may name it; empty when it is the whole schedule.
    pub field: String,
    /// What is wrong, and what to do.
    pub text: String,
}

/// Each schedule looks at those before it, so a list without a limit could take all time and stack.
const MOST: usize = 100;

impl Schedules {
    /// What a setting of a group is now; `None` when no schedule for it has begun.
    pub fn value(&self, setting: &str, group: GroupName<'_>, initial: f64, progress: &TrainingProgress) -> Option<f64> {
        let training = TrainingLength::from(&progress.planned);
        let mut in_force: Option<(u64, f64)> = None;
        for (index, schedule) in self.0.iter().enumerate() {
            if !governs(&schedule.window(), setting, group) {
                continue;
            }
            let span = self.span(index, &training);
            // a training that is under way knows its length, and so where each schedule begins and ends
            let (Some(takes_over), Some(place)) = (span.takes_over, span.place(progress)) else { continue };
            let begins = training.convert(takes_over, Clock::Iter).unwrap_or_default();
            let has_begun = progress.on(takes_over.0) >= takes_over.1;
            if has_begun && in_force.is_none_or(|(latest, _)| begins >= latest) {
                in_force = Some((begins, schedule.factor(place)));
            }
        }
        in_force.map(|(_, factor)| initial * factor)
    }

    /// Sets every scheduled setting of these optimizers to what it is now. To be called before each update;
    /// nothing is allocated, read from a device or rebuilt.
    ///
    /// A setting that an optimizer doesn't have is passed over: see [`Schedules::check_against`].
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{Optim, PlannedLength, TrainingProgress};
    /// use engine::prelude::*;
    ///
    /// let parameters = vec![("weight".to_owned(), Tensor::from(1.0f32).set_requires_grad(true))];
    /// let mut optims = [Optim::new("opt", &Sgd::new(0.1), parameters)?];
    /// let schedules: Schedules = engine::config::parse_text("example", "[Poly()]")?.read()?;
    /// let planned = PlannedLength { max_epochs: 1, max_iters: 4, iters_per_epoch: 4 };
    /// let mut lrs = Vec::new();
    /// for iter in 0..4 {
    ///     schedules.apply(&mut optims, &TrainingProgress { epoch: Epoch(0), iter: Iter(iter), planned })?;
    ///     lrs.extend(optims[0].groups()[0].settings().get("lr"));
    ///     optims[0].step()?;
    /// }
    /// assert_eq!(lrs, [0.1, 0.1 * 0.75, 0.1 * 0.5, 0.1 * 0.25]);
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a schedule gives a value that is not finite.
    pub fn apply(&self, optims: &mut [Optim], progress: &TrainingProgress) -> Result<(), OptimError> {
        for optim in optims {
            let (optimizer, groups) = optim.name_and_groups_mut();
            groups.iter_mut().try_for_each(|group| self.apply_to(optimizer, group, progress))?;
        }
        Ok(())
    }

    fn apply_to(&self, optimizer: &str, group: &mut Group, progress: &TrainingProgress) -> Result<(), OptimError> {
        for (index, schedule) in self.0.iter().enumerate() {
            let setting = schedule.window().setting;
            // the first schedule of a setting stands for all of them
            if self.0[..index].iter().any(|earlier| earlier.window().setting == setting) {
                continue;
            }
            let Some(initial) = group.settings().initial(setting) else { continue };
            let name = GroupName { optimizer, group: group.name() };
            if let Some(value) = self.value(setting, name, initial, progress) {
                group.settings_mut().set(setting, value)?;
            }
        }
        Ok(())
    }

    /// What can be wrong with the list alone and the length of the training: numbers out of range, empty
    /// windows, windows past the end, schedules that are never active. What isn't known is not complained of.
    pub fn check(&self, training: &TrainingLength) -> Vec<Problem> {
        if self.0.len() > MOST {
            let text = format!("the list has {} schedules, and no training needs more than {MOST}", self.0.len());
            return vec![Problem { index: MOST, field: String::new(), text }];
        }
        let mut problems = Vec::new();
        // those whose end is wrong, or follows from one that is: a window that begins there says nothing more
        let mut doubtful = Vec::new();
        for (index, schedule) in self.0.iter().enumerate() {
            let begins_there = schedule.window().begin.is_none()
                && self.previous(index).is_some_and(|previous| doubtful.contains(&previous));
            let problem = Problem::of_schedule(index, schedule.as_ref());
            let problem = problem.or_else(|| self.of_window(index, training).filter(|_| !begins_there));
            if problem.is_some() || begins_there {
                doubtful.push(index);
            }
            problems.extend(problem);
        }
        problems
    }

    /// What is wrong with the window of a schedule.
    fn of_window(&self, index: usize, training: &TrainingLength) -> Option<Problem> {
        let schedule = &self.0[index];
        let (name, window) = (schedule.typetag_name(), schedule.window());
        let span = self.span(index, training);
        let problem = |field: &str, text| Some(Problem { index, field: field.to_owned(), text });
        let length = match (window.end, window.by) {
            (Some(_), _) => "end",
            _ if window.length.is_none() => "begin",
            (None, Clock::Iter) => "iters",
            (None, Clock::Epoch) => "epochs",
        };
        if let (Some(begin), Some(end)) = (span.begin, span.end)
            && end <= begin
        {
            return problem(length, empty_window(name, &window, (Moment(span.by, begin), Moment(span.by, end))));
        }
        // whoever says no end, ends with the training
        let said = span.end.filter(|_| window.end.or(window.length).is_some());
        if let (Some(end), Some(last)) = (said, training.latest(span.by))
            && end > last
        {
            let (end, last) = (Moment(span.by, end), Moment(span.by, last));
            return problem(length, format!("`{name}` would end at {end}, but the training ends at {last}"));
        }
        if let (Some(begin), Some(last)) = (span.begin, training.latest(span.by))
            && begin >= last
            && said.is_none()
        {
            let (begin, last) = (Moment(span.by, begin), Moment(span.by, last));
            return problem("begin", format!("`{name}` would begin at {begin}, but the training ends at {last}"));
        }
        if let Some(last) = training.latest(span.by)
            && let Some(late) = schedule.milestones().iter().position(|milestone| *milestone >= last)
        {
            let (moment, last) = (Moment(span.by, schedule.milestones()[late]), Moment(span.by, last));
            let text = format!("`{name}` would change at {moment}, but the training ends at {last}");
            return problem(&format!("milestones.{late}"), text);
        }
        let other = self.0[self.hidden_by(index, training)?].typetag_name();
        let begin = span.takes_over.map(|(by, count)| Moment(by, count))?;
        let text = format!(
            "`{name}` is never active: `{other}` later in the list begins at {begin} too; give it a later `begin`"
        );
        problem("begin", text)
    }

    /// Schedules whose setting no optimizer has, or whose groups are none of theirs.
    ///
    /// ```
    /// use engine::optim::Optim;
    /// use engine::prelude::*;
    ///
    /// let optim = Optim::new("opt", &Sgd::new(0.1), vec![("w".to_owned(), Tensor::from(1.0f32))])?;
    /// let schedules: Schedules = engine::config::parse_text("example", "[Cosine(setting: \"momentm\")]")?.read()?;
    /// let problems = schedules.check_against(&[optim]);
    /// assert_eq!(problems[0].text, "there is no setting `momentm`, did you mean `momentum`?");
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub fn check_against(&self, optims: &[Optim]) -> Vec<Problem> {
        let groups = optims.iter().flat_map(|optim| {
            let name = |group| GroupName { optimizer: optim.name(), group };
            optim.groups().iter().map(move |group| (name(group.name()), group.settings().clone()))
        });
        self.check_groups(&groups.collect::<Vec<_>>())
    }

    /// As [`Schedules::check_against`], for all groups that there can be.
    pub(crate) fn check_groups(&self, groups: &[(GroupName<'_>, Settings)]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let several = groups.iter().any(|(name, _)| name.optimizer != groups[0].0.optimizer);
        for (index, schedule) in self.0.iter().enumerate() {
            let window = schedule.window();
            if let Some((_, first)) = groups.first()
                && groups.iter().all(|(_, settings)| settings.get(window.setting).is_none())
            {
                let text = first.unknown(window.setting).to_string();
                problems.push(Problem { index, field: "setting".to_owned(), text });
            }
            for (place, listed) in window.groups.iter().enumerate() {
                if !groups.iter().any(|(name, _)| name.is_meant_by(listed)) {
                    let known = groups.iter().map(|(name, _)| match several {
                        true => format!("`{name}`"),
                        false => format!("`{}`", name.group),
                    });
                    let known: Vec<String> = known.collect();
                    let text = format!("there is no parameter group `{listed}`, only {}", known.join(", "));
                    problems.push(Problem { index, field: format!("groups.{place}"), text });
                }
            }
        }
        problems
    }

    /// The window of a schedule, its defaults filled in as far as they are known.
    fn span(&self, index: usize, training: &TrainingLength) -> Span {
        let window = self.0[index].window();
        let by = window.by;
        let takes_over = match window.begin {
            Some(begin) => Some((by, begin)),
            None => match self.previous(index) {
                None => Some((by, 0)),
                Some(previous) => {
                    let previous = self.span(previous, training);
                    previous.end.map(|end| (previous.by, end))
                }
            },
        };
        let begin = takes_over.and_then(|moment| training.convert(moment, by));
        let end = match (window.end, window.length) {
            (Some(end), _) => Some(end),
            (None, Some(length)) => begin.map(|begin| begin.saturating_add(length)),
            (None, None) => training.end(by),
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
    fn hidden_by(&self, index: usize, training: &TrainingLength) -> Option<usize> {
        let window = self.0[index].window();
        let takes_over = self.span(index, training).takes_over?;
        (index + 1..self.0.len()).find(|later| {
            let other = self.0[*later].window();
            let begins = || self.span(*later, training).takes_over;
            other.setting == window.setting
                && (other.groups.is_empty() || other.groups == window.groups)
                && begins().is_some_and(|begins| training.is_same(begins, takes_over))
        })
    }
}

impl Problem {
    /// What is wrong with the numbers of a schedule, whatever else is in the list.
    pub(crate) fn of_schedule(index: usize, schedule: &dyn ScheduleConfig) -> Option<Problem> {
        let error = schedule.check().err()?;
        Some(Problem { index, field: error.field().unwrap_or_default(), text: error.to_string() })
    }
}

/// A window with its defaults filled in, as far as they are known.
struct Span {
    by: Clock,
    // the moment it takes over, which may be counted on the clock of the schedule before it
    takes_over: Option<(Clock, u64)>,
    begin: Option<u64>,
    end: Option<u64>,
}

impl Span {
    fn place(&self, progress: &TrainingProgress) -> Option<WindowPosition> {
        let (begin, end) = (self.begin?, self.end?);
        let length = end.saturating_sub(begin);
        let at = progress.on(self.by).saturating_sub(begin).min(length);
        Some(WindowPosition { begin, at, length })
    }
}

/// `iter 100`, `epoch 3`.
struct Moment(Clock, u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

fn empty_window(name: &str, window: &Window<'_>, (begin, end): (Moment, Moment)) -> String {
    match (window.begin, window.end.or(window.length)) {
        (Some(_), Some(_)) => format!("`{name}` would begin at {begin} and end at {end}; it must end after it begins"),
        (Some(_), None) => format!("`{name}` would begin at {begin}, but the training ends at {end}"),
        (None, _) => format!(
            "`{name}` has no time left: it follows a schedule that ends at {begin}, and would itself end at {end}; give one of them another window"
        ),
    }
}

fn governs(window: &Window<'_>, setting: &str, group: GroupName<'_>) -> bool {
    window.setting == setting
        && (window.groups.is_empty() || window.groups.iter().any(|listed| group.is_meant_by(listed)))
}

fn share_a_group(one: &[String], other: &[String]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|group| other.contains(group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Epoch, Iter};
    use crate::optim::schedule::{Constant, Cosine, Linear, MultiStep, PlannedLength, Poly};

    const PLANNED: PlannedLength = PlannedLength { max_epochs: 4, max_iters: 40, iters_per_epoch: 10 };

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
        schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &progress)
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
            ["0: `Linear` is never active: `Cosine` later in the list begins at iter 0 too; give it a later `begin`"]
        );
        let twice = problems(&list([linear("(iters: Some(5), epochs: Some(1))")]));
        assert_eq!(twice, ["0: `Linear`: `iters` and `epochs` both say how long it is; keep one"]);
        // made in code: a file is refused before it comes to this
        let flat: Box<dyn ScheduleConfig> = Box::new(Poly { power: 0.0, ..ron::from_str("()").unwrap() });
        let range = problems(&list([flat]));
        assert_eq!(range, ["0: `power` of `Poly` must be above 0, got 0"]);
    }
}
