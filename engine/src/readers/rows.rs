//! The numbers of a run, as its rows tell them.

use super::line::Line;
use super::series::{Group, LONGEST_NAME, Series};
use crate::folder::METRICS;

/// All numbers of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    groups: Vec<Group>,
    /// Lines that are no rows.
    unreadable: u64,
}

/// A run has a group for each loop and loader.
const MOST_GROUPS: usize = 256;

impl Rows {
    /// The groups, in the order of their first rows.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A series by its full name: `train/loss`, `val/hard/accuracy`.
    pub fn find(&self, key: &str) -> Option<(&Group, &Series)> {
        self.groups.iter().find_map(|group| {
            let name = key.strip_prefix(&group.name)?.strip_prefix('/')?;
            Some((group, group.get(name)?))
        })
    }

    /// The full names of all series.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.groups.iter().flat_map(|group| group.series.iter().map(|series| format!("{}/{}", group.name, series.name)))
    }

    /// The iters of an epoch; `None` while no epoch has ended.
    pub fn iters_per_epoch(&self) -> Option<f64> {
        self.groups.iter().filter_map(Group::iters_per_epoch).reduce(f64::min)
    }

    /// Epoch, iter and time of the row that is farthest.
    pub fn last(&self) -> Option<(u64, u64, f64)> {
        self.groups
            .iter()
            .filter_map(Group::last)
            .max_by(|a, b| (a.1, a.2).partial_cmp(&(b.1, b.2)).unwrap_or(std::cmp::Ordering::Equal))
    }

    /// What a person has to know of the reading, one sentence each.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.unreadable > 0 {
            notices.push(format!("{} lines of `{METRICS}` are no rows, and were left out", self.unreadable));
        }
        for group in &self.groups {
            if group.left_out > 0 {
                notices.push(format!(
                    "`{}` has too many names, or too long ones: {} values were left out",
                    group.name, group.left_out
                ));
            }
        }
        notices
    }

    /// Adds a row that was read as JSON. Returns the number of its group; `None` when it was left out.
    pub(super) fn put(&mut self, line: &Line<'_>) -> Option<usize> {
        let named = |group: &Group| match &line.loader {
            None => group.name == line.phase,
            Some(loader) => {
                let rest = group.name.strip_prefix(&*line.phase).and_then(|rest| rest.strip_prefix('/'));
                rest == Some(&**loader)
            }
        };
        let place = match self.groups.iter().position(named) {
            Some(place) => place,
            None if self.groups.len() == MOST_GROUPS || too_long(line) => {
                self.unreadable += 1;
                return None;
            }
            None => {
                let name = match &line.loader {
                    None => line.phase.to_string(),
                    Some(loader) => format!("{}/{loader}", line.phase),
                };
                self.groups.push(Group { name, ..Group::default() });
                self.groups.len() - 1
            }
        };
        let group = &mut self.groups[place];
        let row = group.row((line.iter, line.epoch, line.time), line.is_train())?;
        for (hint, (name, value)) in line.values.iter().enumerate() {
            if let Some(series) = group.number_of(name, hint) {
                group.put(row, series, *value);
            }
        }
        Some(place)
    }

    /// Counts a line that is no row.
    pub(super) fn put_unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// A group by its number.
    pub(super) fn group(&mut self, place: usize) -> &mut Group {
        &mut self.groups[place]
    }
}

/// Whether the name of a row's loop or loader is none of a run's.
fn too_long(line: &Line<'_>) -> bool {
    line.phase.len() + line.loader.as_ref().map_or(0, |loader| loader.len()) > LONGEST_NAME
}
