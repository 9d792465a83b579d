//! The roles of fields: one line for each says who can have it, and what the engine makes of it in a trainer.
//!
//! A new role is a line here, an arm of `read_role` in `trainer/parse.rs` that reads its arguments, and in
//! `engine/src/trainer` a trait for what the field's type has to be (`fields.rs`) and a kind that reads, prints and builds
//! it (`kinds.rs`).

use crate::fields::owner::OwnerKind;

/// A role; each is a helper attribute that only the macros know.
pub(crate) struct RoleInfo {
    /// The attribute.
    pub(crate) name: &'static str,
    /// How it is written, for messages.
    pub(crate) usage: &'static str,
    /// Whose fields can have it.
    pub(crate) owners: &'static [OwnerKind],
    /// What it is in the experiment file, when that knows it.
    pub(crate) part: Option<PartInfo>,
}

/// A role that the experiment file knows, in a trainer.
pub(crate) struct PartInfo {
    /// Where the settings of a field are.
    pub(crate) section: Section,
    /// The trait of the engine that the type of a field has to have, and a member of it.
    pub(crate) demands: (&'static str, &'static str),
    /// The type of the engine that reads, prints and builds fields of this role.
    pub(crate) kind: &'static str,
}

/// Where the settings of a field are in the experiment file.
pub(crate) enum Section {
    /// Under this key; of several fields, each under its own name below it.
    OneOrSeveral(&'static str),
    /// Under this key.
    One(&'static str),
    /// Under the field's name below this key.
    Below(&'static str),
    /// In a list under this key, among others.
    InList(&'static str),
}

const TRAINER: &[OwnerKind] = &[OwnerKind::Trainer];
const WITH_STATE: &[OwnerKind] = &[OwnerKind::Hook, OwnerKind::Metric, OwnerKind::Sink, OwnerKind::Trainer];
const ALL: &[OwnerKind] =
    &[OwnerKind::Hook, OwnerKind::Metric, OwnerKind::Sink, OwnerKind::Component, OwnerKind::Trainer];

/// Every role there is.
pub(crate) static ROLES: [RoleInfo; 9] = [
    RoleInfo {
        name: "model",
        usage: "#[model]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::OneOrSeveral("model"),
            demands: ("Model", "build"),
            kind: "ModelKind",
        }),
    },
    RoleInfo {
        name: "optimizer",
        usage: "#[optimizer]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::OneOrSeveral("optimizer"),
            demands: ("OptimizerField", "from_config"),
            kind: "OptimizerKind",
        }),
    },
    RoleInfo {
        name: "scheduler",
        usage: "#[scheduler]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::One("schedule"),
            demands: ("SchedulesField", "from_schedules"),
            kind: "SchedulesKind",
        }),
    },
    RoleInfo {
        name: "loader",
        usage: "#[loader(train)]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::Below("loaders"),
            // it names the batches, so that samples that make none are told here and not for each use
            demands: ("LoaderField", "source"),
            kind: "LoaderKind",
        }),
    },
    RoleInfo {
        name: "metric",
        usage: "#[metric]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::InList("metrics"),
            demands: ("MetricField", "from_config"),
            kind: "MetricKind",
        }),
    },
    RoleInfo {
        name: "hook",
        usage: "#[hook]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::Below("hooks"),
            demands: ("HookField", "from_hook"),
            kind: "HookKind",
        }),
    },
    RoleInfo {
        name: "config",
        usage: "#[config]",
        owners: ALL,
        part: Some(PartInfo {
            section: Section::Below("trainer"),
            demands: ("ConfigValue", "copied"),
            kind: "ConfigKind",
        }),
    },
    RoleInfo { name: "state", usage: "#[state]", owners: WITH_STATE, part: None },
    RoleInfo { name: "transient", usage: "#[transient]", owners: WITH_STATE, part: None },
];

/// The roles that fields of an owner can have.
pub(crate) fn roles_of(owner: OwnerKind) -> impl Iterator<Item = &'static RoleInfo> {
    ROLES.iter().filter(move |role| role.owners.contains(&owner))
}

/// What the experiment file knows of a role, by its name.
pub(crate) fn part_of(name: &str) -> Option<&'static PartInfo> {
    ROLES.iter().find(|role| role.name == name)?.part.as_ref()
}
