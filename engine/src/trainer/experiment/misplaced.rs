//! Keys, names and words that stand where none of them is read: what they most likely mean.

use crate::config::registry::{Component, components};
use crate::config::{Diagnostic, Kind, Node};

/// Where a key belongs that is none of an experiment itself: people know it from other engines, or from a section.
pub(super) fn elsewhere(key: &str) -> Option<String> {
    let known_as = match key {
        "epochs" | "num_epochs" | "max_epoch" => "max_epochs",
        "iters" | "steps" | "max_steps" | "max_iter" => "max_iters",
        "learning_rate" => "lr",
        "epoch_loader" => {
            return Some("only a trainer by epoch that has several train loaders chooses one of them".to_owned());
        }
        "callbacks" => return Some("hooks that a file chooses stand in `custom_hooks: [..]`".to_owned()),
        "scheduler" | "schedulers" | "lr_scheduler" | "param_scheduler" => {
            return Some("schedules stand in `schedule: [..]`".to_owned());
        }
        key => key,
    };
    let has = |component: &&Component| component.fields.iter().any(|field| field.name == known_as);
    let owner = components().into_iter().filter(|component| match component.kind {
        "settings" => ["train", "val", "loader"].contains(&component.name),
        kind => kind == "optimizer",
    });
    let owner = owner.filter(has).max_by_key(|component| component.kind == "settings")?;
    Some(match (owner.kind, owner.name) {
        ("optimizer", name) => {
            format!("`{known_as}` is a setting of the optimizer: `optimizer: {name}({known_as}: ..)`")
        }
        (_, "loader") => format!("`{known_as}` is a setting of each loader: `loaders: (train: ({known_as}: ..))`"),
        (_, section) => format!("`{known_as}` is a setting of `{section}`: `{section}: ({known_as}: ..)`"),
    })
}

/// The mistake of `optimizer: AdamW(..)` where the trainer has several optimizers.
pub(super) fn one_for_several(section: &str, node: &Node, keys: Vec<&str>) -> Option<Diagnostic> {
    let (one, several) = match section {
        "optimizer" => ("an optimizer", "optimizers"),
        "model" => ("a model", "models"),
        _ => return None,
    };
    let name = node.name()?;
    if !matches!(node.kind, Kind::Struct(_) | Kind::Unit) || keys.iter().any(|key| node.get(key).is_some()) {
        return None;
    }
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let written: Vec<String> = keys.iter().map(|key| format!("{key}: {name}(..)")).collect();
    let message = format!("`{name}` is {one}, and the trainer has {} {several}: {}", keys.len(), quoted.join(", "));
    let help = format!("write `{section}: ({})`", written.join(", "));
    Some(Diagnostic::new(node.head(), message).help(help).at(section))
}

/// The mistake of `hooks: Off` and of a name before settings that have none.
pub(super) fn named_group(section: &str, node: &Node) -> Option<Diagnostic> {
    let name = node.name().filter(|name| *name != "None")?;
    let mistake = Diagnostic::new(node.head(), format!("expected `{section}: (..)` without a name, found `{name}`"));
    let mistake = match (section, is_off(node)) {
        ("hooks", true) => mistake.help("hooks are switched off one by one: `hooks: (logger: Off)`"),
        _ => mistake,
    };
    Some(mistake.at(section))
}

/// `Off`, the word that switches a hook off.
pub(super) fn is_off(node: &Node) -> bool {
    node.name() == Some("Off") && matches!(node.kind, Kind::Unit)
}

/// What people write who do not know the word for it yet.
pub(super) fn means_off(node: &Node) -> bool {
    let no = |word: &str| ["none", "off", "false", "no", "null", "disabled"].contains(&word.to_lowercase().as_str());
    match &node.kind {
        Kind::Bool(on) => !on,
        Kind::Unit => node.name().is_some_and(no),
        Kind::Str(text) => no(text),
        _ => false,
    }
}
