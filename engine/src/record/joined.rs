//! Numbers of a row that several processes have logged, each a part.

/// A number of a row, as one process has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// Its name.
    pub name: String,
    /// The mean of the values that were logged, or the last one.
    pub value: f64,
    /// What the mean counts for; `None` when it is the last value.
    pub weight: Option<f64>,
}

/// The numbers of all processes as those of one, in the order of processes: means by their weights; of last values that of
/// the first process that has one. Of the timer's numbers the sum of `samples_per_second`, and the largest `iter_time`,
/// `data_time` and `comm_time`. After `comm_time` comes `slowest_rank`, the number of the process that has waited least:
/// the others have waited for it.
///
/// ```
/// use engine::record::{Logged, joined};
///
/// let loss = |value, weight| Logged { name: "loss".into(), value, weight: Some(weight) };
/// let row = joined(vec![vec![loss(1.0, 30.0)], vec![loss(3.0, 10.0)], vec![]]);
/// assert_eq!(row, [("loss".to_owned(), 1.5)]);
/// ```
pub fn joined(processes: Vec<Vec<Logged>>) -> Vec<(String, f64)> {
    let slowest = slowest(&processes);
    let mut row: Vec<(Logged, f64)> = Vec::new();
    for logged in processes.into_iter().flatten() {
        // nothing times a value that is no number is none either
        let sum = logged.weight.filter(|weight| *weight != 0.0).map_or(0.0, |weight| logged.value * weight);
        match row.iter_mut().find(|(known, _)| known.name == logged.name) {
            None => row.push((logged, sum)),
            Some((known, sums)) => match (&mut known.weight, logged.weight) {
                (Some(_), Some(0.0)) => {}
                (Some(weight), Some(more)) => {
                    *weight += more;
                    *sums += sum;
                    known.value = *sums / *weight;
                }
                _ => match known.name.as_str() {
                    "samples_per_second" => known.value += logged.value,
                    "iter_time" | "data_time" | WAITED => known.value = known.value.max(logged.value),
                    _ => {}
                },
            },
        }
    }
    let mut row: Vec<(String, f64)> = row.into_iter().map(|(logged, _)| (logged.name, logged.value)).collect();
    if let (Some(rank), Some(place)) = (slowest, row.iter().position(|(name, _)| name == WAITED)) {
        row.insert(place + 1, ("slowest_rank".to_owned(), rank as f64));
    }
    row
}

/// How long a process has waited for the others.
const WAITED: &str = "comm_time";

/// The process that has waited least, when several say how long they have.
fn slowest(processes: &[Vec<Logged>]) -> Option<usize> {
    let waited = |logged: &Vec<Logged>| logged.iter().find(|logged| logged.name == WAITED).map(|logged| logged.value);
    let waits: Vec<(usize, f64)> =
        processes.iter().enumerate().filter_map(|(rank, logged)| Some((rank, waited(logged)?))).collect();
    let least = waits.iter().min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (waits.len() > 1).then_some(least.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(name: &str, value: f64) -> Logged {
        Logged { name: name.to_owned(), value, weight: None }
    }

    fn mean(name: &str, value: f64, weight: f64) -> Logged {
        Logged { name: name.to_owned(), value, weight: Some(weight) }
    }

    #[test]
    fn means_are_joined_by_weight_and_times_are_those_of_the_slowest() {
        let first =
            vec![mean("loss", 0.5, 3.0), last("lr", 0.1), last("iter_time", 1.0), last("samples_per_second", 8.0)];
        let second = vec![
            last("iter_time", 2.0),
            last("samples_per_second", 6.0),
            last("lr", 0.2),
            mean("loss", 2.5, 1.0),
            mean("rare", 7.0, 2.0),
        ];
        let expected = [("loss", 1.0), ("lr", 0.1), ("iter_time", 2.0), ("samples_per_second", 14.0), ("rare", 7.0)];
        let row = joined(vec![first, second]);
        assert_eq!(row, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn the_process_that_has_waited_least_is_the_slowest() {
        let of = |waited: f64| vec![last("comm_time", waited), last("eta", 9.0)];
        let row = joined(vec![of(0.25), of(0.5), of(0.125)]);
        let expected = [("comm_time", 0.5), ("slowest_rank", 2.0), ("eta", 9.0)];
        assert_eq!(row, expected.map(|(name, value)| (name.to_owned(), value)));
        // one alone is not slower than another
        assert_eq!(joined(vec![of(0.25)]).len(), 2);
    }

    #[test]
    fn a_part_that_counts_nothing_changes_nothing_and_a_nan_stays() {
        assert_eq!(joined(vec![vec![mean("loss", 0.1, 3.0)], vec![mean("loss", f64::NAN, 0.0)]])[0].1, 0.1);
        assert!(joined(vec![vec![mean("loss", 0.1, 3.0)], vec![mean("loss", f64::NAN, 1.0)]])[0].1.is_nan());
    }
}
