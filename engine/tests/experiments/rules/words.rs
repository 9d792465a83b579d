//! Sections and words: what is missing, what other engines call otherwise, what would be done twice or never.

use super::programs::{Epochs, Owns};
use super::{experiment, read, refused};
use engine::trainer::Experiment;

#[test]
fn the_models_of_a_trainer_are_known_whatever_their_attribute_says() {
    let schema = Experiment::<Epochs>::schema();
    assert_eq!(schema.models().map(|model| (model.kind, model.name)).collect::<Vec<_>>(), [("settings", "Empty")]);
}

#[test]
fn what_groups_of_settings_lack_or_are_not_is_told() {
    refused::<Owns>("groups_absent", "");
    refused::<Owns>("groups_off", "    hooks: Off,\n    trainer: Off,\n    loaders: Loaders(train: 1),");
}

#[test]
fn keys_and_words_of_other_engines_are_told_where_and_how() {
    refused::<Epochs>(
        "other_engines",
        "    epochs: 3, max_iter: 4, learning_rate: 0.1, batch_size: 4, callbacks: [], lr_scheduler: [], strategy: Ddp, find_unused_parameters: true, zebra: 1,\n    custom_hooks: {0: 1},\n    schedule: Apend([]),\n    metrics: [\"Acuracy\"],",
    );
    let off = ["None", "false", "off", "\"Off\""];
    for word in off {
        let errors = Experiment::<Owns>::parse(
            "exp.ron",
            &experiment::<Owns>(&format!("    trainer: (_count: 1),\n    hooks: (watcher: {word}),")),
        );
        let told = errors.err().unwrap().to_string();
        assert!(
            told.contains("expected the settings of `Watcher` or `Off`, found") && told.contains("write `Off`"),
            "{told}"
        );
    }
}

#[test]
fn what_would_be_done_twice_or_never_is_told() {
    refused::<Epochs>(
        "twice_or_never",
        "    custom_hooks: [Ema(), Logger(interval: 5), Timer],\n    schedule: [MultiStep(milestones: [1, 3, 5], by: Epoch)],\n    hooks: (scheduler: Off),",
    );
    read::<Epochs>("    hooks: (scheduler: Off),");
}
