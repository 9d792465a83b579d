//! The values of a scheduled setting at some moments of a training.

use crate::base::{Clock, Epoch, Iter};
use crate::optim::{GroupName, OptimError, TrainingProgress};
use crate::trainer::Build;
use crate::trainer::run::Program;

/// At most `most` moments of a training, evenly spread: finished updates and epochs.
pub(super) fn moments<T: Build>(program: &Program<T>, most: u64) -> Vec<(u64, u64)> {
    let planned = program.run.clocks.progress().planned;
    let per_epoch = planned.iters_per_epoch.max(1);
    let epoch = |iter| if T::CLOCK == Clock::Epoch { iter / per_epoch } else { 0 };
    spread(planned.max_iters, most).into_iter().map(|iter| (iter, epoch(iter))).collect()
}

/// The values of a setting of a group at these moments; `None` where it has no schedule. `names` are those that schedules
/// have for it, in the order in which they are applied.
///
/// # Errors
/// When a schedule gives no factor.
pub(super) fn values<T: Build>(
    program: &Program<T>,
    names: &[&str],
    group: GroupName<'_>,
    initial: f64,
    moments: &[(u64, u64)],
) -> Result<Option<Vec<f64>>, OptimError> {
    let planned = program.run.clocks.progress().planned;
    let at = |(iter, epoch): &(u64, u64)| {
        let progress = TrainingProgress { epoch: Epoch(*epoch), iter: Iter(*iter), planned };
        names.iter().try_fold(None, |held, name| {
            Ok(program.run.updates.schedules.value(name, group, initial, &progress)?.or(held))
        })
    };
    let values = moments.iter().map(at).collect::<Result<Vec<Option<f64>>, OptimError>>()?;
    // a schedule with a window has no value outside of it, where the initial one holds
    let is_scheduled = values.iter().any(Option::is_some);
    Ok(is_scheduled.then(|| values.into_iter().map(|value| value.unwrap_or(initial)).collect()))
}

/// At most `most` numbers below `end`, evenly spread, the first and the last among them.
fn spread(end: u64, most: u64) -> Vec<u64> {
    let (last, count) = (end.saturating_sub(1), end.min(most.max(1)));
    let at = |place: u64| (u128::from(last) * u128::from(place) / u128::from(count.saturating_sub(1).max(1))) as u64;
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_from_the_first_to_the_last() {
        assert_eq!(spread(5, 10), [0, 1, 2, 3, 4]);
        assert_eq!(spread(101, 5), [0, 25, 50, 75, 100]);
        assert_eq!((spread(1, 5), spread(0, 5), spread(9, 0)), (vec![0], vec![], vec![0]));
        assert_eq!(spread(u64::MAX, 2), [0, u64::MAX - 1]);
    }
}
