//! What only data and parameters tell of schedules, before the first update.

use crate::base::{Clock, Error, Result};
use crate::optim::schedule::Problem;
use crate::optim::{GroupName, OptimError, TrainingLength};
use crate::trainer::run::Program;
use crate::trainer::run::scheduled_values::{moments, values};
use crate::trainer::{Build, BuildErrors, Mistake};

/// Moments at which the values of a setting are computed at most.
const MOMENTS: u64 = 1000;

/// Refuses schedules without time, of a setting or groups that are not there, and those that panic or give a factor that is
/// none, at any of many moments of the training.
pub(super) fn check_schedules<T: Build>(program: &mut Program<T>) -> Result<()> {
    let adjustable = program.adjustable()?;
    let run = &program.run;
    let mut problems = run.updates.schedules.check(&TrainingLength::from(&run.clocks.progress().planned));
    problems.extend(run.updates.schedules.check_against(run.updates.optimizers()));
    let paths: Vec<&str> = adjustable.iter().map(|(path, _)| path.as_str()).collect();
    problems.extend(run.updates.schedules.check_parts(&paths));
    if let Err(why) = run.clocks.check(Clock::Sample) {
        let by_sample =
            run.updates.schedules.0.iter().enumerate().filter(|(_, schedule)| schedule.window().by == Clock::Sample);
        let told = |(index, _)| Problem { index, field: "by".to_owned(), text: why.to_string() };
        problems.extend(by_sample.map(told));
    }
    if problems.is_empty() {
        problems.extend(of_values(program, &adjustable));
    }
    let mistakes: Vec<Mistake> = problems.into_iter().map(Mistake::from).collect();
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(Error::new(BuildErrors { mistakes })),
    }
}

/// The first value that is none.
fn of_values<T: Build>(program: &Program<T>, adjustable: &[(String, f64)]) -> Option<Problem> {
    // each value looks at every schedule and those before it
    let schedules = (program.run.updates.schedules.0.len() as u64).max(1);
    let moments = moments(program, (10 * MOMENTS / schedules.pow(2)).clamp(10, MOMENTS));
    let nobody = GroupName { optimizer: "", group: "" };
    let all = &program.run.updates.schedules;
    let groups = program.run.updates.optimizers().iter().flat_map(|optimizer| {
        optimizer.groups().iter().flat_map(|group| {
            let name = GroupName { optimizer: optimizer.name(), group: group.name() };
            // by the names of the schedules, as they are applied
            all.names().filter_map(move |setting| Some((setting, name, group.settings().initial(setting)?)))
        })
    });
    let parts = adjustable.iter().map(|(path, initial)| (path.as_str(), nobody, *initial));
    let error = groups
        .chain(parts)
        .find_map(|(setting, group, initial)| values(program, &[setting], group, initial, &moments).err())?;
    let index = match &error {
        OptimError::Factor { index, .. } | OptimError::Scheduled { index, .. } => *index,
        _ => 0,
    };
    Some(Problem { index, field: String::new(), text: error.to_string() })
}
