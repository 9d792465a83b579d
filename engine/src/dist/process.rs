//! This process among others.

use crate::dist::group::Group;
use std::sync::Arc;

/// Whether this process trains alone or as one of several.
#[derive(Clone, Debug, Default)]
pub enum Process {
    /// It trains alone.
    #[default]
    Alone,
    /// It is a rank of a group.
    Group(Arc<Group>),
}

impl Process {
    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.group().map_or(0, Group::rank)
    }

    /// How many processes train together.
    pub fn world(&self) -> usize {
        self.group().map_or(1, Group::world)
    }

    /// Whether this is the process that writes files and shows rows: rank 0.
    pub fn is_main(&self) -> bool {
        self.rank() == 0
    }

    /// The number of this process among those of its machine.
    pub fn local_rank(&self) -> usize {
        self.group().map_or(0, |group| group.launched().local_rank)
    }

    /// How many of the processes are on this machine.
    pub fn local_world(&self) -> usize {
        self.group().map_or(1, |group| group.launched().local_world)
    }

    /// How often the launcher has started the processes again.
    pub fn attempt(&self) -> u64 {
        self.group().map_or(0, |group| group.launched().attempt)
    }

    /// The group, if there is one.
    pub fn group(&self) -> Option<&Group> {
        match self {
            Process::Alone => None,
            Process::Group(group) => Some(group),
        }
    }
}
