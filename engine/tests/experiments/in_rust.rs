//! Experiments that are written in Rust are those of files: as strict, printed as RON, the same when read again.

use crate::program::{Fit, LineConfig, SlopeConfig};
use engine::data::LoaderConfig;
use engine::prelude::*;
use engine::trainer::{DeviceChoice, Experiment, TrainSettings};

fn line(points: usize) -> LineConfig {
    LineConfig { points, path: None, noise: None }
}

fn small() -> engine::trainer::ExperimentBuilder<Fit> {
    Experiment::<Fit>::builder("small")
        .set("device", DeviceChoice::Cpu)
        .set("model", SlopeConfig { start: 0.5 })
        .set("optimizer", AdamW::new(0.1))
        .set("loaders.train", LoaderConfig { shuffle: true, ..LoaderConfig::new(line(8), 4) })
        .set("loaders.val", LoaderConfig::new(line(4), 4))
        .set("train", TrainSettings { max_epochs: Some(2), ..TrainSettings::default() })
}

#[test]
fn what_is_written_in_rust_is_what_a_file_says() {
    let built = small().ron("schedule", "[Cosine()]").ron("hooks.ema", "Off").build().unwrap();
    let read = Experiment::<Fit>::parse(
        "file.ron",
        "Experiment(
            name: \"small\",
            device: Cpu,
            model: (start: 0.5),
            optimizer: AdamW(lr: 0.1),
            schedule: [Cosine()],
            loaders: (
                train: (dataset: Line(points: 8), batch_size: 4, shuffle: true),
                val: (dataset: (points: 4), batch_size: 4),
            ),
            train: (max_epochs: 2),
            hooks: (ema: Off),
        )",
    )
    .unwrap();
    let text = built.print().unwrap();
    assert_eq!(text, read.print().unwrap());
    assert_eq!(Experiment::<Fit>::parse("again.ron", &text).unwrap().print().unwrap(), text);
    assert!(text.contains("optimizer: AdamW(") && text.contains("    train: (\n"), "{text}");
}

#[test]
fn single_values_are_set_over_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("base.ron");
    std::fs::write(&file, small().build().unwrap().print().unwrap()).unwrap();
    for lr in [0.25, 0.5] {
        let experiment =
            Experiment::<Fit>::builder_over(&file).set("optimizer.lr", lr).set("loaders.train.workers", 1).build();
        let text = experiment.unwrap().print().unwrap();
        assert!(text.contains(&format!("lr: {lr:?},")) && text.contains("workers: 1,"), "{text}");
    }
}

#[test]
fn mistakes_are_found_as_in_a_file_all_at_once() {
    let errors = small()
        .set("optimizer.lrr", 0.1)
        .set("train.max_epochs", "many")
        .set("loaders.train.batch_size", 0)
        .build()
        .map(|_| ())
        .unwrap_err();
    let text = errors.to_string();
    assert_eq!(errors.diagnostics.len(), 3, "{text}");
    assert!(text.contains("experiment written in Rust:") && text.contains("did you mean `lr`?"), "{text}");
    let refused =
        |builder: engine::trainer::ExperimentBuilder<Fit>| builder.build().map(|_| ()).unwrap_err().to_string();
    let two = refused(small().ron("schedule", "[Cosine(").set("optimizer.lr.value", 1));
    assert!(two.contains("schedule: [Cosine(") && two.contains("experiment written in Rust:1:19"), "{two}");
    assert!(two.contains("there is no `value` in float `0.1`") && two.contains("optimizer.lr.value: 1"), "{two}");
    let gone = Experiment::<Fit>::builder_over(std::path::Path::new("gone.ron"));
    assert!(refused(gone).contains("can't read `gone.ron`"));
}

#[test]
fn paths_lead_where_those_of_the_command_line_do() {
    let text = |builder: engine::trainer::ExperimentBuilder<Fit>| builder.build().unwrap().print().unwrap();
    let bare = small().ron("custom_hooks", "[Ema]").ron("schedule", "[Cosine(), Linear(iters: 1)]");
    let set = text(bare.set("custom_hooks.Ema.decay", 0.5).set("schedule.Linear.iters", 2));
    let whole = small().ron("custom_hooks", "[Ema(decay: 0.5)]").ron("schedule", "[Cosine(), Linear(iters: 2)]");
    assert_eq!(set, text(whole));
    let bare = small().ron("optimizer", "AdamW").set("optimizer.lr", 0.25);
    assert_eq!(text(bare), text(small().set("optimizer", AdamW::new(0.25))));
}

#[test]
fn a_file_below_keeps_its_folder_and_its_positions() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("base.ron");
    let (points, near) = ("(points: 8, path: Some(\"near.csv\"))", dir.path().join("near.csv"));
    let text = small().ron("loaders.train.dataset", points).build().unwrap().print().unwrap();
    std::fs::write(&file, text.replace(&std::path::absolute("near.csv").unwrap().display().to_string(), "near.csv"))
        .unwrap();
    let over = || Experiment::<Fit>::builder_over(&file).set("optimizer.lr", 0.5);
    let built = over().build().unwrap().print().unwrap();
    assert!(built.contains(&format!("{:?}", near.display().to_string())), "{built}");
    // what is set lies where the program is
    let far = std::path::Path::new("far.csv");
    let built = over().set("loaders.val.dataset.path", Some(far)).build().unwrap().print().unwrap();
    let far = std::path::absolute(far).unwrap();
    assert!(built.contains(&format!("{:?}", far.display().to_string())), "{built}");
    let text = std::fs::read_to_string(&file).unwrap().replace("points: 8", "pionts: 8");
    std::fs::write(&file, &text).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("pionts")).unwrap();
    let errors = over().set("seed", -1).build().map(|_| ()).unwrap_err().to_string();
    assert!(errors.contains(&format!("{}:{line}:", file.display())), "{errors}");
    assert!(errors.contains("1 | seed: -1"), "{errors}");
}

#[test]
fn it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = small().set("work_dir", dir.path()).build().unwrap();
    let summary = engine::trainer::run_train(experiment, engine::folder::Mode::New).unwrap();
    assert_eq!((summary.epoch, summary.iter), (2, 4));
    let saved = std::fs::read_to_string(dir.path().join("small/experiment.ron")).unwrap();
    assert!(Experiment::<Fit>::parse("saved", &saved).is_ok());
}
