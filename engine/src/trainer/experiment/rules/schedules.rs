//! Schedules: windows without time, contradictions, settings and groups that no optimizer has.

use crate::base::{Clock, panics};
use crate::config::{Diagnostic, Kind, Node, ValuePath};
use crate::loops::TrainPlan;
use crate::optim::schedule::Problem;
use crate::optim::{GroupName, ScheduleConfig, Schedules, TrainingLength};
use crate::trainer::experiment::facts::Facts;
use crate::trainer::experiment::rules::settings::sound;
use crate::trainer::experiment::sections::Sections;
use crate::trainer::{Build, Reader};

pub(super) type Entry = Option<Box<dyn ScheduleConfig>>;

/// The schedules of the list, each read on its own, so that one that is wrong hides nothing of the others.
pub(super) fn entries(reader: &Reader<'_>, facts: &mut Facts) -> Vec<Entry> {
    let Some(path) = facts.schedules else { return Vec::new() };
    let Some(Node { kind: Kind::Seq(nodes), .. }) = reader.root().get(path) else { return Vec::new() };
    let entries: Vec<Entry> = nodes.iter().map(|node| reader.again(node)).collect();
    if entries.iter().any(Option::is_none) {
        // the list as a whole was not seen
        entries.iter().enumerate().for_each(|(index, entry)| {
            facts.seen(&format!("{path}.{index}"), entry);
        });
    }
    entries
}

pub(super) fn check<T: Build>(reader: &mut Reader<'_>, facts: &Facts, entries: Vec<Entry>, found: &Sections<T>) {
    let path = facts.schedules.unwrap_or_default();
    let train = found.train.as_ref().filter(|train| sound(T::CLOCK, train)).zip(found.passes.as_ref());
    let length = train.map(|(train, passes)| {
        let plan = TrainPlan { passes: passes.clone(), ..train.plan() };
        plan.length(T::CLOCK, T::PASSES, None)
    });
    // a schedule of the user's that panics does so again when a run begins, and is told there
    let problems = panics::message_of(|| problems(entries, facts, length.unwrap_or_default(), T::CLOCK));
    for problem in problems.unwrap_or_default() {
        tell(reader, path, problem);
    }
}

fn problems(entries: Vec<Entry>, facts: &Facts, length: TrainingLength, clock: Clock) -> Vec<Problem> {
    let by_epoch = |entry: &Entry| entry.as_ref().is_some_and(|schedule| schedule.window().by == Clock::Epoch);
    let no_epochs: Vec<usize> = match clock {
        Clock::Epoch | Clock::Sample => Vec::new(),
        Clock::Iter => (0..entries.len()).filter(|index| by_epoch(&entries[*index])).collect(),
    };
    let lengths: Vec<Problem> = no_epochs.iter().filter_map(|index| no_epochs_of(*index, &entries)).collect();
    let mut problems = Vec::new();
    let schedules: Option<Vec<Box<dyn ScheduleConfig>>> = match entries.iter().all(Option::is_some) {
        true => Some(entries.into_iter().flatten().collect()),
        false => {
            // which schedule follows which is not known then
            let alone = entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.as_ref()?)));
            problems.extend(alone.filter_map(|(index, schedule)| Problem::of_schedule(index, schedule.as_ref())));
            None
        }
    };
    if let Some(schedules) = schedules.map(Schedules) {
        problems.extend(schedules.check(&length));
        if !facts.unknown_optimizer {
            let groups = facts.groups.iter().map(|(optimizer, group, settings)| {
                let name = GroupName { optimizer: optimizer.as_str(), group: group.as_str() };
                (name, settings.clone())
            });
            problems.extend(schedules.check_groups(&groups.collect::<Vec<_>>()));
        }
    }
    // what follows from the wrong clock says nothing more
    problems.retain(|problem| !no_epochs.contains(&problem.index));
    problems.extend(lengths);
    problems
}

/// A length in epochs; a `by: Epoch` is found among all clocks.
fn no_epochs_of(index: usize, entries: &[Entry]) -> Option<Problem> {
    let window = entries[index].as_ref()?.window();
    let text = "the trainer is `by_iter`, it has no epochs to count; use `iters`".to_owned();
    window.length.is_some().then(|| Problem { index, field: "epochs".to_owned(), text })
}

/// At the field that says it, else at the schedule's name.
fn tell(reader: &mut Reader<'_>, path: &str, problem: Problem) {
    let schedule = format!("{path}.{}", problem.index);
    let field = ValuePath::to(&format!("{schedule}.{}", problem.field)).find(reader.root());
    let mistake = Diagnostic::new(field.span, problem.text);
    reader.mistake(mistake.at(if field.given { field.path } else { schedule }));
}
