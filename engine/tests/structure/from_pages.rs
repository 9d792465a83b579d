//! The pages for people who come from another engine: the program and the experiment of each are shown as they are here, and
//! train.

use crate::documents::{alone, blocks, document};
use engine::folder::Mode;
use engine::trainer::{DeviceChoice, Experiment, Summary, run_train};

/// The test of a page: its program, its trainer, and what is to be checked of the training.
macro_rules! page {
    ($page:ident, $file:literal, $program:literal, $trainer:ident, $check:expr) => {
        mod $page {
            #![allow(
                dead_code,
                reason = "its `main` is not called, and its trainer's fields are read by the engine alone"
            )]
            #![allow(unreachable_pub, missing_docs, reason = "a program's items, in the middle of a test")]
            include!($program);

            #[test]
            fn its_program_and_its_experiment_train() {
                let page = super::document($file);
                let shown = super::blocks(&page, "rust").remove(0).1;
                assert_eq!(shown, include_str!($program), "the page shows another program");
                let text = super::blocks(&page, "ron").remove(0).1;
                let experiment = super::Experiment::<$trainer>::parse($file, &text);
                let (summary, folder) = super::trained(experiment.unwrap_or_else(|errors| panic!("{errors}")));
                let check: fn(&super::Summary, &std::path::Path) = $check;
                check(&summary, folder.path());
            }
        }
    };
}

fn trained<T: engine::trainer::Build>(mut experiment: Experiment<T>) -> (Summary, tempfile::TempDir) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    experiment.work_dir = folder.path().to_owned();
    experiment.device = DeviceChoice::Cpu;
    experiment.threads = Some(1);
    let summary = run_train(experiment, Mode::New).unwrap_or_else(|error| panic!("{error:#}"));
    (summary, folder)
}

fn metric(summary: &Summary, name: &str) -> f64 {
    let found = summary.metrics.iter().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("no metric `{name}` in {:?}", summary.metrics)).1
}

page!(mmengine, "docs/from-mmengine.md", "programs/from_mmengine.rs", Train, |summary, folder| {
    // 64 samples in batches of 8, two for each update
    assert_eq!((summary.epoch, summary.iter), (4, 16));
    assert!(super::metric(summary, "val/accuracy") > 0.9, "{summary:?}");
    assert!(folder.join("points/checkpoints/best_val_accuracy").is_dir());
});

page!(lightning, "docs/from-lightning.md", "programs/from_lightning.rs", Fit, |summary, folder| {
    assert!(super::metric(summary, "val/loss") < 0.1, "{summary:?}");
    assert!(folder.join("sine/checkpoints/best_val_loss").is_dir());
});

page!(imix, "docs/from-imix.md", "programs/from_imix.rs", Vqa, |summary, _| {
    assert_eq!(summary.iter, 120);
    assert!(super::metric(summary, "val/accuracy") > 0.9, "{summary:?}");
});

page!(hat, "docs/from-hat.md", "programs/from_hat.rs", MultiTask, |summary, _| {
    assert_eq!(summary.epoch, 3);
    assert!(super::metric(summary, "val/val_depths/loss") < 1.0, "{summary:?}");
});

page!(vision3d, "docs/from-vision3d.md", "programs/from_vision3d.rs", Locate, |summary, folder| {
    assert_eq!(summary.epoch, 4);
    assert!(super::metric(summary, "val/loss") < 0.1, "{summary:?}");
    assert!(folder.join("locate/checkpoints/best_val_loss").is_dir());
});
