//! A list of schedules.

mod factor;
#[cfg(test)]
mod tests;

use crate::base::Clock;
use crate::optim::error::OptimError;
use crate::optim::groups::{GroupName, allowed};
use crate::optim::live::{Group, Optim};
use crate::optim::schedule::chain::factor::{Begun, Target, factor_in};
use crate::optim::schedule::{ScheduleConfig, TrainingLength, TrainingProgress, WindowPosition};
use crate::optim::settings::Settings;
use serde::{Deserialize, Serialize};

/// A list of schedules, as `schedule: [..]` in an experiment file. Schedules whose windows overlap multiply, as in
/// `torch.optim.lr_scheduler.ChainedScheduler` and MMEngine. A schedule that begins when all earlier ones have ended
/// replaces them: its factor multiplies the initial value, not their last value. Before the first begin the setting
/// does not change. After the end of a schedule its final factor stays in effect until another one replaces it.
///
/// A schedule without `begin` begins at the end of the last schedule before it in the list with the same setting and a
/// common group. When it counts epochs and the other one iters, it counts from the epoch in which that end is.
///
/// ```
/// use engine::base::{Epoch, Iter};
/// use engine::optim::{GroupName, PlannedLength, TrainingProgress};
/// use engine::prelude::*;
///
/// // a warm-up, then down to the end; the momentum has a schedule of its own
/// let text = r#"[Linear(start: 0.1, iters: 10), Cosine(), Constant(factor: 0.5, iters: 10, setting: "momentum")]"#;
/// let schedules: Schedules = engine::config::parse_text("example", text)?.read()?;
/// let planned = PlannedLength::epochs(1, 110);
/// let at = |iter| TrainingProgress { epoch: Epoch(0), iter: Iter(iter), planned };
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(0))?.unwrap() - 0.1).abs() < 1e-9);
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(10))?.unwrap() - 1.0).abs() < 1e-9); // the cosine begins
/// assert!((schedules.value("lr", GroupName { optimizer: "opt", group: "default" }, 1.0, &at(60))?.unwrap() - 0.5).abs() < 1e-9);
/// assert_eq!(schedules.value("momentum", GroupName { optimizer: "opt", group: "default" }, 0.9, &at(3))?, Some(0.45));
/// assert_eq!(schedules.value("weight_decay", GroupName { optimizer: "opt", group: "default" }, 0.01, &at(3))?, None);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedules(pub Vec<Box<dyn ScheduleConfig>>);

/// Each schedule looks at those before it, so a list without a limit could take all time and stack.
pub(super) const MOST: usize = 100;

impl Schedules {
    /// The current value of a setting of a group; `None` when no schedule for it has begun.
    ///
    /// # Errors
    /// When a schedule panics or gives a factor that is negative or not finite, and when the value is none for the setting, as
    /// a momentum of 1.
    pub fn value(
        &self,
        setting: &str,
        group: GroupName<'_>,
        initial: f64,
        progress: &TrainingProgress,
    ) -> Result<Option<f64>, OptimError> {
        let target = Target { setting, group, initial };
        let training = TrainingLength::from(&progress.planned);
        let begun = |index| self.begun(index, &target, &training, progress);
        let count = self.0.len().min(MOST);
        // the chain in force: from the schedule that has begun last back through those that overlap it
        let Some(mut from) = (0..count).filter_map(begun).map(|begun| begun.begin).max() else { return Ok(None) };
        let mut taken: u128 = 0;
        let mut factor = 1.0;
        let mut largest: Option<(f64, usize, WindowPosition)> = None;
        loop {
            let overlaps = |index: usize| {
                let begun = begun(index).filter(|_| taken & (1 << index) == 0)?;
                // one that ends where the other begins is over
                (begun.begin >= from || begun.end > from).then_some((index, begun))
            };
            let Some((index, begun)) = (0..count).find_map(overlaps) else { break };
            taken |= 1 << index;
            from = from.min(begun.begin);
            let own = factor_in(self.0[index].as_ref(), index, &target, begun.place)?;
            factor *= own;
            if largest.is_none_or(|(factor, ..)| own > factor) {
                largest = Some((own, index, begun.place));
            }
        }
        let value = initial * factor;
        let allowed = allowed(setting);
        // factors are at least 0, so a value that is none is too large: the largest factor is to blame
        if let Some((_, index, place)) = largest
            && allowed.holds(initial)
            && !allowed.holds(value)
        {
            let (setting, allowed) = (setting.to_owned(), allowed.words(value));
            let WindowPosition { at, length, .. } = place;
            return Err(OptimError::Scheduled { index, at, length, setting, value, allowed });
        }
        Ok(Some(value))
    }

    /// Whether a schedule for a setting of a group has begun.
    pub(in crate::optim) fn has_begun(
        &self,
        setting: &str,
        group: GroupName<'_>,
        initial: f64,
        progress: &TrainingProgress,
    ) -> bool {
        let target = Target { setting, group, initial };
        let training = TrainingLength::from(&progress.planned);
        (0..self.0.len().min(MOST)).any(|index| self.begun(index, &target, &training, progress).is_some())
    }

    /// A schedule that has begun, if it is one for this setting.
    fn begun(
        &self,
        index: usize,
        target: &Target<'_>,
        training: &TrainingLength,
        progress: &TrainingProgress,
    ) -> Option<Begun> {
        let schedule = self.0.get(index).filter(|schedule| governs(schedule.as_ref(), target.setting, target.group))?;
        if target.is_beside(schedule.as_ref()) && target.initial == 0.0 {
            return None;
        }
        let span = self.span(index, training);
        // a training that is under way knows its length, and so where each schedule begins and ends
        let (takes_over, place) = (span.takes_over?, span.place(progress)?);
        let begin = training.convert(takes_over, Clock::Iter).unwrap_or_default();
        let end = span.end.and_then(|end| training.convert((span.by, end), Clock::Iter)).unwrap_or(u64::MAX);
        (progress.on(takes_over.0) >= takes_over.1).then_some(Begun { begin, end, place })
    }

    /// Sets every scheduled setting of these optimizers to its current value. Call it before each update. It does not
    /// allocate or read from a device.
    ///
    /// Settings that an optimizer doesn't have are ignored: see [`Schedules::check_against`].
    ///
    /// ```
    /// use engine::base::{Epoch, Iter};
    /// use engine::optim::{Optim, PlannedLength, TrainingProgress};
    /// use engine::prelude::*;
    ///
    /// let parameters = vec![("weight".to_owned(), Tensor::from(1.0f32).set_requires_grad(true))];
    /// let mut optims = [Optim::new("opt", &Sgd::new(0.1), parameters)?];
    /// let schedules: Schedules = engine::config::parse_text("example", "[Poly()]")?.read()?;
    /// let planned = PlannedLength::epochs(1, 4);
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
    /// Those of [`Schedules::value`].
    pub fn apply(&self, optims: &mut [Optim], progress: &TrainingProgress) -> Result<(), OptimError> {
        for optim in optims {
            let (optimizer, groups) = optim.name_and_groups_mut();
            groups.iter_mut().try_for_each(|group| self.apply_to(optimizer, group, progress))?;
        }
        Ok(())
    }

    fn apply_to(&self, optimizer: &str, group: &mut Group, progress: &TrainingProgress) -> Result<(), OptimError> {
        for setting in self.names() {
            let Some(initial) = group.settings().initial(setting) else { continue };
            let name = GroupName { optimizer, group: group.name() };
            if let Some(value) = self.value(setting, name, initial, progress)? {
                group.settings_mut().set(setting, value)?;
            }
        }
        Ok(())
    }

    /// The settings as the schedules name them, each once. A group may know one by another name: the `momentum` of a
    /// schedule is the `beta1` of Adam.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().enumerate().flat_map(move |(index, schedule)| {
            // the first schedule of a setting stands for all of them
            let is_new =
                move |setting: &&str| !self.0[..index].iter().any(|earlier| changes(earlier.as_ref(), setting));
            settings(schedule.as_ref()).filter(is_new)
        })
    }

    /// The names that schedules have for a setting of a group, in the order in which they are applied.
    pub(crate) fn names_of(&self, setting: &str, group: &Settings) -> Vec<&str> {
        let meant = |name: &str| group.find(name).map(|setting| setting.name);
        self.names().filter(|name| meant(name).is_some() && meant(name) == meant(setting)).collect()
    }

    /// The window of a schedule, its defaults filled in as far as they are known.
    pub(super) fn span(&self, index: usize, training: &TrainingLength) -> Span {
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
    pub(super) fn previous(&self, index: usize) -> Option<usize> {
        let window = self.0[index].window();
        self.0[..index].iter().rposition(|earlier| {
            changes(earlier.as_ref(), window.setting) && share_a_group(earlier.window().groups, window.groups)
        })
    }
}

/// A window with its defaults filled in, as far as they are known.
pub(super) struct Span {
    pub(super) by: Clock,
    // the moment it takes over, which may be counted on the clock of the schedule before it
    pub(super) takes_over: Option<(Clock, u64)>,
    pub(super) begin: Option<u64>,
    pub(super) end: Option<u64>,
}

impl Span {
    fn place(&self, progress: &TrainingProgress) -> Option<WindowPosition> {
        let (begin, end) = (self.begin?, self.end?);
        let length = end.saturating_sub(begin);
        let at = progress.on(self.by).saturating_sub(begin).min(length);
        Some(WindowPosition { begin, at, length })
    }
}

/// The settings that a schedule changes.
fn settings(schedule: &dyn ScheduleConfig) -> impl Iterator<Item = &str> {
    std::iter::once(schedule.window().setting).chain(schedule.beside())
}

fn changes(schedule: &dyn ScheduleConfig, setting: &str) -> bool {
    settings(schedule).any(|changed| changed == setting)
}

fn governs(schedule: &dyn ScheduleConfig, setting: &str, group: GroupName<'_>) -> bool {
    let window = schedule.window();
    changes(schedule, setting)
        && (window.groups.is_empty() || window.groups.iter().any(|listed| group.is_meant_by(listed)))
}

fn share_a_group(one: &[String], other: &[String]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|group| other.contains(group))
}
