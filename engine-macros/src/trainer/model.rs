//! What the macro knows of a trainer.

use crate::fields::{Field, PartInfo, part_of};
use crate::krate::Krate;
use crate::params::Owner;
use crate::priority::Level;
use crate::recover;
use proc_macro2::{Ident, Span};
use syn::{ItemStruct, Path, Type};

/// A trainer.
pub(crate) struct Trainer {
    /// The struct without helper attributes.
    pub(crate) item: ItemStruct,
    /// What it was written as.
    pub(crate) written: recover::Struct,
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) clock: Clock,
    /// The set of hooks of `hooks = Bundle`.
    pub(crate) bundle: Option<Path>,
    /// A generic trainer says that it has a `#[phases]` block.
    pub(crate) has_phases: bool,
    pub(crate) fields: Vec<TrainerField>,
    pub(crate) krate: Krate,
    /// Whether no mistake was found.
    pub(crate) is_whole: bool,
}

/// What a training is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Epoch,
    Iter,
}

/// A field with its role.
pub(crate) struct TrainerField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) role: TrainerRole,
    /// Its doc comment.
    pub(crate) docs: String,
    /// Where the role is written; for a loader, its `train`, `val`, ….
    pub(crate) at: Span,
}

/// What a trainer's field is for.
pub(crate) enum TrainerRole {
    Model,
    Optimizer {
        /// The model fields it updates; none are named: all.
        models: Vec<Ident>,
    },
    Scheduler,
    Loader(LoaderRole),
    Metric,
    Hook,
    /// The trainer's own `#[config]`, `#[state]` or `#[transient]`.
    Own(Box<Field>),
    /// Its role is wrong; the error is reported.
    Unknown,
}

impl TrainerRole {
    /// What the experiment file knows of it.
    pub(crate) fn part(&self) -> Option<&'static PartInfo> {
        part_of(match self {
            TrainerRole::Model => "model",
            TrainerRole::Optimizer { .. } => "optimizer",
            TrainerRole::Scheduler => "scheduler",
            TrainerRole::Loader(_) => "loader",
            TrainerRole::Metric => "metric",
            TrainerRole::Hook => "hook",
            TrainerRole::Own(own) if own.config().is_some() => "config",
            TrainerRole::Own(_) | TrainerRole::Unknown => return None,
        })
    }
}

/// What a loader is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoaderRole {
    Train,
    Val,
    Test,
    Predict,
}

impl LoaderRole {
    pub(crate) const ALL: [LoaderRole; 4] = [LoaderRole::Train, LoaderRole::Val, LoaderRole::Test, LoaderRole::Predict];

    /// The word of the attribute.
    pub(crate) fn word(self) -> &'static str {
        match self {
            LoaderRole::Train => "train",
            LoaderRole::Val => "val",
            LoaderRole::Test => "test",
            LoaderRole::Predict => "predict",
        }
    }

    /// The variant of the engine's `Role`.
    pub(crate) fn variant(self) -> Ident {
        let name = match self {
            LoaderRole::Train => "Train",
            LoaderRole::Val => "Val",
            LoaderRole::Test => "Test",
            LoaderRole::Predict => "Predict",
        };
        Ident::new(name, Span::call_site())
    }
}

impl Trainer {
    /// Its type.
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(&self.item.ident, &self.item.generics)
    }

    pub(crate) fn models(&self) -> impl Iterator<Item = &TrainerField> {
        self.fields.iter().filter(|field| matches!(field.role, TrainerRole::Model))
    }

    pub(crate) fn optimizers(&self) -> impl Iterator<Item = &TrainerField> {
        self.fields.iter().filter(|field| matches!(field.role, TrainerRole::Optimizer { .. }))
    }

    pub(crate) fn loaders(&self, role: LoaderRole) -> impl Iterator<Item = &TrainerField> {
        self.fields.iter().filter(move |field| matches!(field.role, TrainerRole::Loader(of) if of == role))
    }

    pub(crate) fn metrics(&self) -> impl Iterator<Item = &TrainerField> {
        self.fields.iter().filter(|field| matches!(field.role, TrainerRole::Metric))
    }

    pub(crate) fn hooks(&self) -> impl Iterator<Item = &TrainerField> {
        self.fields.iter().filter(|field| matches!(field.role, TrainerRole::Hook))
    }
}
