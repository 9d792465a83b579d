//! The roles of fields: one line for each says who can have it, and what the engine makes of it in a trainer.
//!
//! A new role is a line here, an arm of `read_role` in `trainer/parse.rs` that reads its arguments, and its two traits in
//! `engine/src/trainer`: one for what the field's type has to be, one (`…Of`) that reads, prints and builds it.

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
    /// The order of building: models first, hooks late.
    pub(crate) rank: usize,
    /// The trait of the engine that the type of a field has to have, and a member of it.
    pub(crate) demands: (&'static str, &'static str),
    /// The trait of the engine that the marker of a field implements.
    pub(crate) marker: &'static str,
    /// The type of the engine that reads, prints and builds fields of this role.
    pub(crate) wrapper: &'static str,
}

/// Where the settings of a field are in the experiment file.
pub(crate) enum Section {
    /// Under this key; of several fields, each under its own name below it.
    OneOrSeveral(&'static str),
    /// Under this key.
    One(&'static str),
    /// Under the field's name below this key.
    Below(&'static str),
    /// In a list that no field has for itself.
    InList,
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
            rank: 0,
            demands: ("Model", "build"),
            marker: "ModelPart",
            wrapper: "ModelOf",
        }),
    },
    RoleInfo {
        name: "optimizer",
        usage: "#[optimizer]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::OneOrSeveral("optimizer"),
            rank: 1,
            demands: ("OptimizerField", "from_config"),
            marker: "OptimizerPart",
            wrapper: "OptimizerOf",
        }),
    },
    RoleInfo {
        name: "scheduler",
        usage: "#[scheduler]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::One("schedule"),
            rank: 2,
            demands: ("SchedulesField", "from_schedules"),
            marker: "SchedulesPart",
            wrapper: "SchedulesOf",
        }),
    },
    RoleInfo {
        name: "loader",
        usage: "#[loader(train)]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::Below("loaders"),
            rank: 3,
            // it names the batches, so that samples that make none are told here and not for each use
            demands: ("LoaderField", "source"),
            marker: "LoaderPart",
            wrapper: "LoaderOf",
        }),
    },
    RoleInfo {
        name: "metric",
        usage: "#[metric]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::InList,
            rank: 4,
            demands: ("MetricField", "from_config"),
            marker: "MetricPart",
            wrapper: "MetricOf",
        }),
    },
    RoleInfo {
        name: "hook",
        usage: "#[hook]",
        owners: TRAINER,
        part: Some(PartInfo {
            section: Section::Below("hooks"),
            rank: 5,
            demands: ("HookField", "from_hook"),
            marker: "HookPart",
            wrapper: "HookOf",
        }),
    },
    RoleInfo {
        name: "config",
        usage: "#[config]",
        owners: ALL,
        part: Some(PartInfo {
            section: Section::Below("trainer"),
            rank: 6,
            demands: ("ConfigValue", "copied"),
            marker: "ConfigPart",
            wrapper: "ConfigOf",
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
