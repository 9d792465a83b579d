//! Files of a run in whose place something else lies, that are gone, or that come from elsewhere.

use crate::bench::{Bench, Ended};
use crate::left::{assert_same, log, newest, rows};
use engine::base::{Epoch, Iter, StateMap};
use engine::checkpoint::{self, Meta, Snapshot, Variables, Weights};
use engine::prelude::{Kind, Tensor};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What may lie in a file's place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Odd {
    Pipe,
    Device,
    Folder,
    /// As long as a disk, and takes no place on it.
    Hole,
}

const ODD: [Odd; 4] = [Odd::Pipe, Odd::Device, Odd::Folder, Odd::Hole];

impl Odd {
    fn put(self, path: &Path) {
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.symlink_metadata().is_ok() {
            std::fs::remove_file(path).unwrap();
        }
        match self {
            Odd::Pipe => assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
            Odd::Device => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            Odd::Folder => std::fs::create_dir(path).unwrap(),
            Odd::Hole => std::fs::File::create(path).unwrap().set_len(1 << 40).unwrap(),
        }
    }
}

const SINKS: [&str; 2] = ["--set", "sinks=[TensorBoard()]"];

/// A run of one epoch of three, with every file that a run has: a copy of one that was trained once.
fn begun() -> Bench {
    static TRAINED: OnceLock<Bench> = OnceLock::new();
    let trained = TRAINED.get_or_init(|| {
        let bench = Bench::by_epoch();
        bench.train(&[&SINKS[..], &["--max-iters", "3"]].concat()).exits(0);
        bench
    });
    let bench = Bench::by_epoch();
    let copied = std::process::Command::new("cp").arg("-r").args([trained.path("runs"), bench.path("runs")]).status();
    assert!(copied.unwrap().success());
    bench
}

fn resumed(bench: &Bench) -> Ended {
    bench.train(&[&SINKS[..], &["--resume"]].concat())
}

/// The one file of this name's begin in a folder.
fn beginning(folder: &Path, begin: &str) -> PathBuf {
    let mut found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin)).unwrap()
}

#[test]
fn a_resume_never_waits_for_what_lies_in_a_files_place() {
    let names = ["lock", "log.txt", "metrics.jsonl", "experiment.ron", "checkpoints/latest", "tensorboard"];
    for (name, odd) in names.iter().flat_map(|name| ODD.map(|odd| (*name, odd))) {
        let bench = begun();
        let run = bench.path("runs/run");
        let path = match name {
            "tensorboard" => beginning(&run.join(name), "events."),
            _ => run.join(name),
        };
        odd.put(&path);
        let ended = resumed(&bench);
        let shown = path.file_name().unwrap().to_string_lossy();
        match (name, odd) {
            // it is replaced, and a hole of any length is cut or written behind
            ("checkpoints/latest", Odd::Pipe | Odd::Device | Odd::Hole) => ended.exits(0),
            ("lock" | "log.txt", Odd::Hole) => ended.exits(0),
            ("metrics.jsonl", Odd::Hole) => {
                let ended = ended.exits(0);
                assert!(ended.stdout.contains("warning: rows are missing from `"), "{ended}");
                ended
            }
            ("tensorboard", Odd::Hole) => ended.exits(0),
            // need not be there
            ("tensorboard", _) => {
                let ended = ended.exits(0);
                let told = ended.stdout.lines().find(|line| line.contains("the sink `TensorBoard` has failed"));
                assert!(told.is_some_and(|line| line.contains(&*shown)), "{ended}");
                ended
            }
            _ => ended.exits(1).says(&shown),
        };
    }
}

#[test]
fn a_resume_takes_an_older_checkpoint_whatever_lies_in_the_place_of_the_newest() {
    let whole = Bench::by_epoch();
    whole.train(&[]).exits(0);
    for odd in ODD {
        let bench = Bench::by_epoch();
        bench.train(&["--max-iters", "6", "--set", "hooks.checkpoint.save_best=[]"]).exits(0);
        odd.put(&bench.path("runs/run/checkpoints/iter_000000006"));
        let ended = bench.train(&["--resume"]).exits(0);
        assert!(ended.stdout.contains("iter_000000003 at epoch 1, iter 3"), "{odd:?}: {ended}");
        let (found, expected) = (newest(&bench.path("runs/run")), newest(&whole.path("runs/run")));
        let weights = |folder: &Path| std::fs::read(folder.join("net.safetensors")).unwrap();
        assert!(weights(&found) == weights(&expected), "{odd:?}");
    }
}

#[test]
fn an_evaluation_never_waits_for_what_lies_in_a_files_place() {
    for odd in ODD {
        let bench = begun();
        odd.put(&bench.path("weights.safetensors"));
        for command in ["val", "test", "predict"] {
            let ended = bench.run(&[command, "exp.ron", "--checkpoint", "weights.safetensors"]).exits(1);
            ended.says("weights.safetensors");
        }
        // results that can't be recorded are shown
        odd.put(&bench.path("runs/run/metrics.jsonl"));
        let ended = bench.run(&["test", "exp.ron", "--checkpoint", "runs/run"]).exits(0);
        assert_eq!(ended.stdout.contains("the run goes on without it"), odd != Odd::Hole, "{ended}");
        odd.put(&bench.path("runs/run/log.txt"));
        let ended = bench.run(&["val", "exp.ron", "--checkpoint", "runs/run"]).exits(0);
        assert_eq!(ended.stdout.contains("the results are shown, and not recorded"), odd != Odd::Hole, "{ended}");
        let latest = "runs/run/checkpoints/latest";
        odd.put(&bench.path(latest));
        bench.run(&["val", "exp.ron", "--checkpoint", "runs/run"]).exits(0);
        bench.run(&["val", "exp.ron", "--checkpoint", latest]).exits(1).says("latest");
    }
}

#[test]
fn an_experiment_is_read_from_a_plain_file_alone() {
    for odd in ODD {
        let bench = begun();
        odd.put(&bench.path("odd.ron"));
        odd.put(&bench.path("runs/run/experiment.ron"));
        for path in ["odd.ron", "runs/run", "runs/run/experiment.ron"] {
            for command in ["check", "show", "plan", "train"] {
                bench.run(&[command, path]).exits(2);
            }
            bench.run(&["diff", path, "exp.ron"]).exits(2);
            bench.run(&["diff", "exp.ron", path]).exits(2);
        }
    }
}

#[test]
fn temporary_files_of_killed_processes_are_taken_away_and_no_other_files() {
    let bench = begun();
    let left = [".experiment.ron.tmp-1", ".experiment.1.ron.tmp-17-1", ".metrics.jsonl.tmp-1", ".best.txt.tmp-4711"];
    let kept = [".best.txt.tmp-x", ".mine", "notes.txt"];
    for name in left.iter().chain(&kept) {
        bench.write(&format!("runs/run/{name}"), "");
    }
    bench.write("runs/run/checkpoints/.latest.tmp-1", "");
    // what `predict` has left goes when it writes that file again
    bench.write(".p.jsonl.tmp-1", "");
    bench.write(".q.jsonl.tmp-1", "");
    bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "p.jsonl"]).exits(0);
    assert!(!bench.path(".p.jsonl.tmp-1").exists() && bench.path(".q.jsonl.tmp-1").exists());
    resumed(&bench).exits(0);
    for name in left {
        assert!(!bench.path("runs/run").join(name).exists(), "{name}");
    }
    assert!(kept.iter().all(|name| bench.path("runs/run").join(name).exists()));
    assert!(!bench.path("runs/run/checkpoints/.latest.tmp-1").exists());
}

#[test]
fn rows_and_values_that_are_missing_are_told_on_resume() {
    let bench = begun();
    let run = bench.path("runs/run");
    std::fs::remove_file(run.join("metrics.jsonl")).unwrap();
    std::fs::remove_file(beginning(&run.join("tensorboard"), "events.")).unwrap();
    let ended = resumed(&bench).exits(0);
    for what in ["warning: rows are missing from `", "warning: values are missing from `"] {
        assert!(ended.stdout.contains(what), "{ended}");
        assert!(log(&run).iter().any(|line| line.starts_with(what)), "{what}");
    }
    assert!(rows(&run).iter().all(|row| row["iter"].as_u64() > Some(3)));
    // and nothing is, where nothing is missing
    let bench = begun();
    let ended = resumed(&bench).exits(0);
    assert!(!ended.stdout.contains("missing"), "{ended}");
}

#[test]
fn a_folder_that_goes_while_the_run_writes_to_it_ends_the_run_and_is_not_made_anew() {
    for moved in [false, true] {
        let bench = Bench::by_epoch();
        let mut running = bench.start_paused(30, &[]);
        running.wait_for("mark train 1");
        let run = bench.path("runs/run");
        match moved {
            true => std::fs::rename(&run, bench.path("elsewhere")).unwrap(),
            false => std::fs::remove_dir_all(&run).unwrap(),
        }
        running.end().exits(1).says("/runs/run` was moved or deleted while the run was writing to it");
        assert!(!run.exists());
        if moved {
            let whole = Bench::by_epoch();
            whole.train(&[]).exits(0);
            std::fs::rename(bench.path("elsewhere"), &run).unwrap();
            bench.train(&["--resume"]).exits(0);
            assert_same(&whole.path("runs/run"), &run, "moved and moved back");
        }
    }
}

#[test]
fn weights_as_pytorch_writes_them_are_loaded_and_what_was_done_is_told() {
    let bench = begun();
    let own = newest(&bench.path("runs/run")).join("net.safetensors");
    let mut weights = checkpoint::load_models(&own).unwrap().remove(0).1;
    weights.push(("norm.num_batches_tracked".to_owned(), Tensor::from(20i64)));
    let write = |weights: Variables| {
        let models = vec![Weights::new("torch", weights)];
        let meta = Meta::new(Epoch(0), Iter(0));
        let snapshot = Snapshot { meta, models, state: StateMap::new(), ranks: vec![StateMap::new()] };
        checkpoint::save(&bench.path("other"), &["one"], &snapshot).unwrap().remove(0).join("torch.safetensors")
    };
    let score = |given: &Path| {
        let ended = bench.run(&["val", "exp.ron", "--checkpoint", given.to_str().unwrap()]).exits(0);
        let loss = ended.stdout.lines().find(|line| line.starts_with("val/val/loss")).unwrap().to_owned();
        (loss, ended)
    };
    let with = |change: &dyn Fn(&str, &Tensor) -> Option<Kind>| -> Variables {
        let changed = |name: &str, tensor: &Tensor| match change(name, tensor) {
            Some(kind) => tensor.to_kind(kind),
            None => tensor.shallow_clone(),
        };
        weights.iter().map(|(name, tensor)| (name.clone(), changed(name, tensor))).collect()
    };
    let (loss, ended) = score(&write(with(&|_, _| None)));
    assert_eq!(loss, score(&own).0);
    assert_eq!(ended.stdout.matches("ignored: `norm.num_batches_tracked`").count(), 1, "{ended}");
    let half = with(&|_, tensor| (tensor.kind() == Kind::Float).then_some(Kind::Half));
    let ended = score(&write(half)).1;
    assert!(ended.stdout.contains("converted from Half to Float, the kind of the model: `net.hidden.bias`"), "{ended}");
    let whole = with(&|name, _| (name == "hidden.bias").then_some(Kind::Int64));
    let path = write(whole);
    let ended = bench.run(&["val", "exp.ron", "--checkpoint", path.to_str().unwrap()]).exits(1);
    ended.says("`net.hidden.bias` is of kind Float, the given weights are of kind Int64");
}
