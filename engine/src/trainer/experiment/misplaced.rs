//! Keys, names and words that stand where none of them is read: what they most likely mean.

use crate::config::registry::{Component, components};
use crate::config::{Diagnostic, Kind, Node, Shape};

/// Where a key belongs that is none of an experiment itself: people know it from other engines, or from a section.
pub(super) fn elsewhere(key: &str) -> Option<String> {
    let known_as = match key {
        "epochs" | "num_epochs" | "max_epoch" => "max_epochs",
        "iters" | "steps" | "max_steps" | "max_iter" => "max_iters",
        "learning_rate" => "lr",
        "epoch_loader" => {
            return Some("only a trainer by epoch that has several train loaders chooses one of them".to_owned());
        }
        "callbacks" => return Some("hooks that a file chooses belong in `custom_hooks: [..]`".to_owned()),
        "scheduler" | "schedulers" | "lr_scheduler" | "param_scheduler" => {
            return Some("schedules belong in `schedule: [..]`".to_owned());
        }
        "num_nodes" | "nproc_per_node" | "strategy" | "launcher" => {
            return Some(
                "a training in several processes is `dist: (ranks: N)`, or `train EXP --ranks N`; a launcher such as `torchrun` needs no setting".to_owned(),
            );
        }
        "find_unused_parameters" => {
            return Some("for a model that leaves parameters out, `dist: (find_unused: true)`".to_owned());
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

/// What is written in the place of a number alone, where a name has to come first: `Norm(1.0)` for `clip: 1.0`.
pub(super) fn unnamed_number(path: &str, root: &Node) -> Option<String> {
    let number = match root.find(path)?.kind {
        Kind::Int(number) => number.to_string(),
        Kind::Float(number) => format!("{number:?}"),
        _ => return None,
    };
    let key = path.rsplit('.').next()?;
    let fields = components().into_iter().flat_map(|component| component.fields).filter(|field| field.name == key);
    fields.map(|field| (field.shape)()).find_map(|shape| {
        let shape = if let Shape::Optional(inner) = shape { *inner } else { shape };
        let Shape::Enum(variants) = shape else { return None };
        let takes_one = |payload: &Shape| matches!(payload, Shape::Float | Shape::Int(_));
        let named = variants.iter().filter(|(_, payload)| takes_one(payload));
        let named: Vec<String> = named.map(|(name, _)| format!("`{name}({number})`")).collect();
        (!named.is_empty()).then(|| format!("write {}", named.join(" or ")))
    })
}

/// The name of a variable of the environment that a text was meant to be replaced by: `${RUNS}`.
pub(super) fn variable(text: &str) -> Option<&str> {
    let (_, behind) = text.split_once("${")?;
    let (name, _) = behind.split_once('}')?;
    (!name.is_empty()).then_some(name)
}

/// `Off`, the word that switches a hook off.
pub(super) fn is_off(node: &Node) -> bool {
    node.name() == Some("Off") && matches!(node.kind, Kind::Unit)
}

/// `Off` or `None`: what a base has is left out.
pub(super) fn is_left_out(node: &Node) -> bool {
    matches!(node.name(), Some("Off" | "None")) && matches!(node.kind, Kind::Unit)
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
