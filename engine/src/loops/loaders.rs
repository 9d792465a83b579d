//! The loaders of a program: those of the trainer's fields, without the optional ones that the file leaves out.

use crate::loops::trainer::{Role, TrainerInfo};

/// The loaders that there are.
#[derive(Clone, Debug)]
pub(crate) struct Loaders {
    info: TrainerInfo,
    /// Names of fields that are `None`.
    absent: Vec<&'static str>,
}

impl Loaders {
    pub(crate) fn new(info: TrainerInfo, absent: Vec<&'static str>) -> Self {
        Loaders { info, absent }
    }

    /// The loaders of a role, each with its place among the trainer's fields of that role.
    pub(crate) fn of(&self, role: Role) -> impl Iterator<Item = (usize, &'static str)> {
        let fields = self.info.loaders(role).iter().copied().enumerate();
        fields.filter(|(_, name)| !self.absent.contains(name))
    }

    /// Whether there is one of this role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.of(role).next().is_some()
    }

    /// Whether the trainer has a field of this role.
    pub(crate) fn are_declared(&self, role: Role) -> bool {
        !self.info.loaders(role).is_empty()
    }

    /// Whether names of values tell the loader: where the trainer has several of the role, whichever of them are left out.
    pub(crate) fn are_named(&self, role: Role) -> bool {
        self.info.loaders(role).len() > 1
    }

    /// Whether `val/x` stands for the value `x` of this loader: that of the first one.
    pub(crate) fn is_first(&self, role: Role, name: &str) -> bool {
        self.of(role).next().is_some_and(|(_, first)| first == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::optim::PassInfo;

    #[test]
    fn what_is_left_out_moves_no_place_and_no_name() {
        let loaders = [&["train"][..], &["val", "hard"], &[], &["prompts"]];
        let info = TrainerInfo { clock: Clock::Epoch, passes: PassInfo::PLAIN, loaders };
        let loaders = Loaders::new(info, vec!["val", "prompts"]);
        assert_eq!(loaders.of(Role::Val).collect::<Vec<_>>(), [(1, "hard")]);
        assert!(loaders.is_first(Role::Val, "hard") && loaders.are_named(Role::Val));
        assert!(loaders.has(Role::Train) && !loaders.has(Role::Test) && !loaders.has(Role::Predict));
    }
}
