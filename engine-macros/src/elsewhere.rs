//! What other engines call things, and where they say what an experiment says here.
//!
//! The names of phases are in `phases/names.rs`.

/// Roles of a trainer's fields.
const ROLES: &[(&str, &str)] = &[
    ("net", "model"),
    ("network", "model"),
    ("module", "model"),
    ("optim", "optimizer"),
    ("lr_scheduler", "scheduler"),
    ("param_scheduler", "scheduler"),
    ("schedule", "scheduler"),
    ("data", "loader"),
    ("dataset", "loader"),
    ("dataloader", "loader"),
    ("data_loader", "loader"),
    ("train_loader", "loader"),
    ("train_dataloader", "loader"),
    ("val_loader", "loader"),
    ("val_dataloader", "loader"),
    ("test_loader", "loader"),
    ("predict_loader", "loader"),
    ("callback", "hook"),
    ("callbacks", "hook"),
    ("evaluator", "metric"),
    ("hparam", "config"),
    ("param", "config"),
    ("arg", "config"),
    ("setting", "config"),
    ("buffer", "state"),
    ("persistent", "state"),
    ("skip", "transient"),
    ("ignore", "transient"),
    ("cache", "transient"),
];

/// Levels, those of MMEngine and of others that took them over.
const LEVELS: &[(&str, &str)] =
    &[("VERY_HIGH", "HIGHER"), ("ABOVE_NORMAL", "HIGH"), ("BELOW_NORMAL", "LOW"), ("VERY_LOW", "LOWER")];

/// Arguments that an attribute does not take, and what to write instead: attribute, words, sentence.
const ARGUMENTS: &[(&str, &[&str], &str)] = &[
    (
        "trainer",
        &["max_epochs", "epochs", "num_epochs", "max_iters", "iters", "max_steps", "accumulate", "clip"],
        "the length of a training and its steps are settings of the experiment: `train: (max_epochs: 30)`",
    ),
    (
        "trainer",
        &["lr", "learning_rate", "optimizer"],
        "the optimizer and its settings belong in the experiment: `optimizer: AdamW(lr: 1e-3)`",
    ),
    (
        "trainer",
        &["callbacks", "callback", "hook", "custom_hooks"],
        "a hook is a field of the trainer, `#[hook] guard: GradientGuard`, or an entry of `custom_hooks` in the experiment file",
    ),
    (
        "trainer",
        &["by", "clock", "by_step", "by_steps", "unit"],
        "the clock of a training stands alone: `#[trainer(by_epoch)]` or `#[trainer(by_iter)]`",
    ),
    ("trainer", &["device", "seed", "batch_size", "workers"], "this belongs in the experiment, not in the program"),
    (
        "passes",
        &["times", "every", "batches"],
        "how often a pass runs is said of its method: `#[pass(opt, times = 5)]`",
    ),
    (
        "phases",
        &["priority", "name", "level"],
        "the priority and the name of a hook belong in `#[hook(…)]`, those of a trainer in `#[trainer(…)]`",
    ),
    (
        "hook",
        &["HIGHEST", "HIGHER", "HIGH", "NORMAL", "LOW", "LOWER", "LOWEST"],
        "the level of a hook is its `priority`: `priority = \"HIGH\"`",
    ),
    ("hook", &["level", "order"], "the level of a hook is its `priority`: `priority = \"HIGH\"`"),
    (
        "hook",
        &["every", "interval", "every_n_epochs", "every_n_iters"],
        "an interval is a setting of the hook: add a field `#[config(default = 1, range = 1..)] interval: u64`",
    ),
    (
        "config",
        &["min", "max", "ge", "le", "gt", "lt", "bounds", "validate"],
        "limits are a range: `range = 1..=8`, `range = 0.0..`",
    ),
    ("config", &["required"], "a setting without `default` has to be named by the file; leave this out"),
    ("config", &["optional"], "a setting that may be missing is an `Option`, or has a `default`"),
    ("config", &["help", "doc", "docs", "description"], "describe a setting in its doc comment: `/// How many.`"),
    ("config", &["choices", "values", "one_of"], "a setting with a few values is an enum under `#[component]`"),
    ("config", &["rename", "name", "key", "alias"], "the key of a setting is the name of its field; rename the field"),
    (
        "component",
        &["type", "kind"],
        "the kind of a component stands alone: `#[component(dataset)]`, `#[component(metric)]`",
    ),
    (
        "pass",
        &["lr", "learning_rate"],
        "an optimizer and its settings belong in the experiment: `optimizer: (opt_g: AdamW(lr: 1e-3))`",
    ),
    (
        "pass",
        &["clip", "accumulate"],
        "clipping and accumulation belong in the experiment: `passes: (critic: (clip: Norm(1.0)))`",
    ),
    (
        "pass",
        &["optimizer", "optimizers", "opt", "optim", "steps"],
        "the optimizers of a pass stand alone, by the names of their fields: `#[pass(opt_g, times = 2)]`",
    ),
    ("component", &["hook"], "a hook is a struct under `#[hook]`"),
    ("component", &["trainer"], "a trainer is a struct under `#[trainer(by_epoch)]`"),
    ("component", &["batch"], "a batch is a struct under `#[derive(Batch)]`"),
    (
        "component",
        &["loader"],
        "a loader is a field of the trainer, `#[loader(train)] train: Loader<…>`; a component can be its `dataset`",
    ),
    ("component", &["scheduler", "lr_scheduler"], "the kind is called `schedule` here"),
    ("component", &["callback"], "a callback is a hook here: a struct under `#[hook]`"),
    (
        "component",
        &["loss", "criterion"],
        "a loss needs no component: compute it in `train_step`, and put its settings under plain `#[component]`",
    ),
    ("component", &["net", "network", "backbone"], "the kind is called `model` here"),
];

/// What to say of a value that a key can't have.
const VALUES: &[(&str, &str, &str)] = &[(
    "trainer",
    "hooks",
    ", the name of a set made by `engine::hook_set!`; a single hook is a field, `#[hook] guard: GradientGuard`",
)];

/// The role that others call so.
pub(crate) fn role(name: &str) -> Option<&'static str> {
    ROLES.iter().find(|(there, _)| *there == name).map(|(_, here)| *here)
}

/// The level that others call so.
pub(crate) fn level(name: &str) -> Option<&'static str> {
    LEVELS.iter().find(|(there, _)| *there == name).map(|(_, here)| *here)
}

/// What to write instead of an argument.
pub(crate) fn argument(attribute: &str, name: &str) -> Option<&'static str> {
    let found = ARGUMENTS.iter().find(|(of, words, _)| *of == attribute && words.contains(&name));
    found.map(|(_, _, sentence)| *sentence)
}

/// What to add where the value of a key has a wrong form.
pub(crate) fn value(attribute: &str, key: &str) -> Option<&'static str> {
    VALUES.iter().find(|(of, known, _)| *of == attribute && *known == key).map(|(_, _, sentence)| *sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn words_of_others_lead_to_words_of_this_engine() {
        let roles: Vec<&str> = crate::fields::ROLES.iter().map(|role| role.name).collect();
        for (there, here) in ROLES {
            assert!(roles.contains(here) && !roles.contains(there), "{there}");
        }
        let levels = words::LEVELS.map(|(name, _)| name);
        for (there, here) in LEVELS {
            assert!(levels.contains(here) && !levels.contains(there), "{there}");
        }
    }
}
