//! A list of schedules.

use crate::base::{Clock, panics};
use crate::optim::error::OptimError;
use crate::optim::groups::{GroupName, allowed};
use crate::optim::live::{Group, Optim};
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

/// The setting of a group that schedules change.
struct Target<'a> {
    setting: &'a str,
    group: GroupName<'a>,
    initial: f64,
}

impl Target<'_> {
    /// Whether a schedule changes it besides the setting of its window.
    fn is_beside(&self, schedule: &dyn ScheduleConfig) -> bool {
        schedule.window().setting != self.setting
    }
}

/// A schedule that has begun: its window on the clock of iters, and the moment in it.
struct Begun {
    begin: u64,
    end: u64,
    place: WindowPosition,
}

/// The factor of a schedule, which may be a function of the user's.
fn factor_in(
    schedule: &dyn ScheduleConfig,
    index: usize,
    target: &Target<'_>,
    place: WindowPosition,
) -> Result<f64, OptimError> {
    let factor = panics::message_of(|| match target.is_beside(schedule) {
        false => schedule.factor_of(target.initial, place),
        true => schedule.factor_beside(target.initial, place),
    });
    let why = match factor {
        Ok(factor) if factor.is_finite() && factor >= 0.0 => return Ok(factor),
        Ok(factor) => format!("gives the factor {factor}; a factor has to be a finite number of at least 0"),
        Err(panicked) => format!("panicked: {panicked}"),
    };
    let (schedule, setting) = (schedule.typetag_name(), target.setting.to_owned());
    Err(OptimError::Factor { index, schedule, setting, at: place.at, length: place.length, why })
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

#[cfg(test)]
mod tests {
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
        assert!(
            left[0].starts_with("1: `Cosine` has no time left: the schedule before it ends at epoch 4"),
            "{left:?}"
        );
        let twice = problems(&list([linear("(iters: Some(5), epochs: Some(1))")]));
        assert_eq!(twice, ["0: `Linear`: `iters` and `epochs` both set its length; keep one"]);
        // made in code: a file is refused before it comes to this
        let flat: Box<dyn ScheduleConfig> = Box::new(Poly { power: 0.0, ..ron::from_str("()").unwrap() });
        let range = problems(&list([flat]));
        assert_eq!(range, ["0: `power` of `Poly` must be above 0, got 0"]);
    }
}
