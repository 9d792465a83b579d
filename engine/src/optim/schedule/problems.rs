//! Checks of a list of schedules.

use crate::base::Clock;
use crate::base::suggest::meant;
use crate::optim::groups::GroupName;
use crate::optim::live::Optim;
use crate::optim::schedule::chain::{MOST, Schedules};
use crate::optim::schedule::{ScheduleConfig, TrainingLength, Window};
use crate::optim::settings::Settings;
use std::fmt;

/// A mistake in one schedule of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its index in the list.
    pub index: usize,
    /// The field with the mistake, with its name in the file; empty when it is the whole schedule.
    pub field: String,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Schedules {
    /// The mistakes that the list and the length of the training show: numbers out of range, empty windows, windows
    /// past the end, schedules that are never active. Lengths that are not known are not checked.
    pub fn check(&self, training: &TrainingLength) -> Vec<Problem> {
        if self.0.len() > MOST {
            let text = format!("the list has {} schedules; the limit is {MOST}", self.0.len());
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
            (None, Clock::Sample) => "samples",
        };
        if span.by == Clock::Sample && window.end.or(window.length).is_none() {
            // the training may come to another end than is known now
            return None;
        }
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
        if let (Some(begin), Some(end)) = (span.begin, span.end)
            && let (needed, length) = (schedule.shortest(), end - begin)
            && needed > length
        {
            let text = format!("the parts of `{name}` take {needed} {}s, and its window has {length}", span.by);
            return problem("", text);
        }
        if let Some(last) = training.latest(span.by)
            && let Some(late) = schedule.milestones().iter().position(|milestone| *milestone >= last)
        {
            let (moment, last) = (Moment(span.by, schedule.milestones()[late]), Moment(span.by, last));
            let text = format!("`{name}` would change at {moment}, but the training ends at {last}");
            return problem(&format!("milestones.{late}"), text);
        }
        None
    }

    /// Schedules whose setting no optimizer has, or whose groups no optimizer has.
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

    /// Schedules of a setting that no hook, no metric and not the trainer lets schedules change. `known` are the paths of
    /// those settings.
    pub(crate) fn check_parts(&self, known: &[&str]) -> Vec<Problem> {
        let settings = self.0.iter().map(|schedule| schedule.window().setting).enumerate();
        let unknown = settings.filter(|(_, setting)| is_of_part(setting) && !known.contains(setting));
        let problem = |(index, setting): (usize, &str)| {
            let hint = match known.is_empty() {
                true => "; none of the hooks and of the trainer's settings is marked `#[config(scheduled)]`".to_owned(),
                false => meant(setting, known),
            };
            let text = format!("there is no setting `{setting}` that a schedule can change{hint}");
            Problem { index, field: "setting".to_owned(), text }
        };
        unknown.map(problem).collect()
    }

    /// As [`Schedules::check_against`], for all groups that there can be.
    pub(crate) fn check_groups(&self, groups: &[(GroupName<'_>, Settings)]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let several = groups.iter().any(|(name, _)| name.optimizer != groups[0].0.optimizer);
        for (index, schedule) in self.0.iter().enumerate() {
            let window = schedule.window();
            if is_of_part(window.setting) {
                if !window.groups.is_empty() {
                    let text =
                        format!("`{}` is no setting of optimizers, so it has no groups; remove this", window.setting);
                    problems.push(Problem { index, field: "groups".to_owned(), text });
                }
                continue;
            }
            if let Some((_, first)) = groups.first()
                && groups.iter().all(|(_, settings)| settings.get(window.setting).is_none())
            {
                let text = first.unknown(window.setting).to_string();
                problems.push(Problem { index, field: "setting".to_owned(), text });
            }
            problems.extend(without_beside(index, schedule.as_ref(), groups));
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
}

impl Problem {
    /// What is wrong with the numbers of a schedule, whatever else is in the list.
    pub(crate) fn of_schedule(index: usize, schedule: &dyn ScheduleConfig) -> Option<Problem> {
        let error = schedule.check().err()?;
        Some(Problem { index, field: error.field().unwrap_or_default(), text: error.to_string() })
    }
}

/// A second setting that none of the groups has, or only with the value 0.
fn without_beside(
    index: usize,
    schedule: &dyn ScheduleConfig,
    groups: &[(GroupName<'_>, Settings)],
) -> Option<Problem> {
    let setting = schedule.beside()?;
    let meant = schedule.window().groups;
    let mut own = groups
        .iter()
        .filter(|(name, _)| meant.is_empty() || meant.iter().any(|listed| name.is_meant_by(listed)))
        .peekable();
    own.peek()?;
    if own.any(|(_, settings)| settings.initial(setting).is_some_and(|initial| initial != 0.0)) {
        return None;
    }
    let name = schedule.typetag_name();
    let text = format!(
        "`{name}` would change `{setting}`, and no optimizer has one above 0; set it in the optimizer, or remove this"
    );
    Some(Problem { index, field: setting.to_owned(), text })
}

/// Whether a setting is one of a hook, a metric or the trainer, `hooks.ema.decay`, and not one of optimizers.
pub(crate) fn is_of_part(setting: &str) -> bool {
    setting.contains('.')
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
            "`{name}` has no time left: the schedule before it ends at {begin}, and it would end at {end}; change the window of one of them"
        ),
    }
}
