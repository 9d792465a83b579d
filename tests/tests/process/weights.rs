//! Weights that a run starts with, and weights that are given away.

use crate::bench::Bench;
use crate::left::newest;
use engine::checkpoint::{self, TensorFile};
use engine::prelude::{Device, Kind, Tensor};

/// `name = value` lines of a validation.
fn scores(bench: &Bench, checkpoint: &str) -> Vec<String> {
    let ended = bench.run(&["val", "exp.ron", "--checkpoint", checkpoint]).exits(0);
    ended.stdout.lines().filter(|line| line.starts_with("val/")).map(str::to_owned).collect()
}

fn names(path: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_exported_has_the_scores_of_its_checkpoint_and_a_run_that_starts_from_it_says_so() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let checkpoint = newest(&bench.path("runs/run")).display().to_string();
    let ended = bench.run(&["export", "runs/run", "--to", "out/net.safetensors"]).exits(0);
    assert!(
        ended.stdout.starts_with("averaged weights of runs/run/checkpoints/iter_000000009 in out/net.safetensors: "),
        "{ended}"
    );
    assert_eq!(names(&bench.path("out")), ["README.md", "net.safetensors"]);
    assert_eq!(scores(&bench, "out/net.safetensors"), scores(&bench, &checkpoint));
    bench.run(&["export", &checkpoint, "--raw", "--to", "raw.safetensors", "--no-card"]).exits(0);
    let raw = format!("{checkpoint}/net.raw.safetensors");
    assert_eq!(scores(&bench, "raw.safetensors"), scores(&bench, &raw));
    assert_ne!(scores(&bench, "raw.safetensors"), scores(&bench, "out/net.safetensors"));
    // the scores of the checkpoint are those of the averaged weights
    let header = |file: &str| String::from_utf8_lossy(&std::fs::read(bench.path(file)).unwrap()).into_owned();
    assert!(header("out/net.safetensors").contains("\"metrics.val/"), "no scores");
    assert!(!header("raw.safetensors").contains("\"metrics."), "scores of other weights");

    let next = ["--set", "name=next", "--weights", "out/net.safetensors", "--max-iters", "1"];
    let ended = bench.train(&next).exits(0);
    let counts =
        "weights of `net` from `net.safetensors`: 15 variables loaded, 0 of them renamed; 0 left out, 0 missing";
    assert!(ended.stdout.contains(counts) && !ended.stdout.contains("loaded `net.hidden.weight`"), "{ended}");
    assert!(bench.read("runs/next/log.txt").contains("loaded `net.hidden.weight`"));
    assert!(bench.read("runs/next/experiment.ron").contains("out/net.safetensors"));
    let ended = bench.train(&[&next[..], &["--fresh", "--verbose"]].concat()).exits(0);
    assert!(ended.stdout.contains("loaded `net.hidden.weight`"), "{ended}");
    let meta = bench.read("runs/next/checkpoints/iter_000000001/meta.ron");
    assert!(meta.contains("\"weights.net\": \"`net.safetensors`, blake3 "), "{meta}");
}

#[test]
fn an_evaluation_uses_the_trained_weights_when_it_is_told_to() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let checkpoint = newest(&bench.path("runs/run")).display().to_string();
    let told = |arguments: &[&str]| {
        bench.run(&[&["val", "exp.ron", "--checkpoint", &checkpoint], arguments].concat()).exits(0)
    };
    let values = |ended: &crate::bench::Ended| -> Vec<String> {
        ended.stdout.lines().filter(|line| line.starts_with("val/")).map(str::to_owned).collect()
    };
    let (averaged, raw) = (told(&[]), told(&["--raw"]));
    assert!(averaged.stdout.contains("weights: averages; `--raw` evaluates those that were trained"), "{averaged}");
    assert!(raw.stdout.contains("weights: those that were trained, without averages"), "{raw}");
    assert_ne!(values(&averaged), values(&raw));
    assert_eq!(values(&raw), scores(&bench, &format!("{checkpoint}/net.raw.safetensors")));
    assert_eq!(values(&raw), values(&told(&["--set", "eval_weights=Trained"])));
    assert_eq!(values(&raw), values(&told(&["--raw", "--ranks", "2"])));
    // `test` and `predict` too
    for command in ["test", "predict"] {
        let run =
            |more: &[&str]| bench.run(&[&[command, "exp.ron", "--checkpoint", &checkpoint], more].concat()).exits(0);
        let (averaged, raw) = (run(&[]), run(&["--raw"]));
        assert!(
            raw.stdout.contains("without averages") && averaged.stdout.contains("weights: averages"),
            "{raw}{averaged}"
        );
    }
    // a file has one set of weights
    let file = format!("{checkpoint}/net.safetensors");
    let ended = bench.run(&["val", "exp.ron", "--checkpoint", &file, "--raw"]).exits(1);
    assert!(
        ended.stderr.contains("net.safetensors` has averaged weights, and those that were trained are asked for"),
        "{ended}"
    );
    assert!(ended.stderr.contains("net.raw.safetensors`"), "{ended}");

    // a training whose validations use them: they are what its checkpoints publish, and the average is still there
    let bench = Bench::by_epoch();
    bench.edit("    metrics:", "    eval_weights: Trained,\n    metrics:");
    bench.train(&[]).exits(0);
    let checkpoint = newest(&bench.path("runs/run"));
    assert!(!checkpoint.join("net.raw.safetensors").exists());
    let val = |more: &[&str]| {
        let checkpoint = checkpoint.display().to_string();
        bench.run(&[&["val", "exp.ron", "--checkpoint", &checkpoint], more].concat()).exits(0)
    };
    let (trained, of_hook) = (val(&[]), val(&["--set", "eval_weights=Averaged"]));
    assert_eq!(values(&trained), values(&raw));
    assert_eq!(values(&of_hook), values(&averaged));
    assert!(of_hook.stdout.contains("weights: those of the hook `Ema`"), "{of_hook}");
}

#[test]
fn the_option_takes_the_place_of_the_file_and_leaves_the_rules_of_the_experiment() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    bench.run(&["export", "runs/run", "--to", "net.safetensors"]).exits(0);
    bench.edit("    optimizer", "    weights: (hf: \"org/name\", only: [\"hidden.*\"]),\n    optimizer");
    let ended = bench.train(&["--set", "name=next", "--weights", "net.safetensors", "--max-iters", "1"]).exits(0);
    assert!(ended.stdout.contains("2 variables loaded") && ended.stdout.contains("13 left out"), "{ended}");
    bench.train(&["--set", "name=other"]).exits(2).says("bring it with `hf download org/name`");
    // in the layout of the hub's own cache
    let snapshot = bench.path("hub/models--org--name/snapshots/0a1b");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(bench.path("hub/models--org--name/refs")).unwrap();
    bench.write("hub/models--org--name/refs/main", "0a1b");
    std::os::unix::fs::symlink(bench.path("net.safetensors"), snapshot.join("model.safetensors")).unwrap();
    let by_name = ["train", "exp.ron", "--set", "name=other", "--max-iters", "1"];
    let ended = bench.run_after("export HF_HUB_CACHE=hub", &by_name).exits(0);
    assert!(
        ended.stdout.contains("weights of `net` from `org/name`, `model.safetensors`: 2 variables loaded"),
        "{ended}"
    );
    let by_option = ["train", "exp.ron", "--set", "name=third", "--max-iters", "1", "--weights", "hf:org/none"];
    bench.run_after("export HF_HUB_CACHE=hub", &by_option).exits(2).says("`org/none` is not in the cache `hub`");
}

#[test]
fn an_export_writes_over_nothing_unless_told_and_never_over_a_readme_of_others() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let export = |more: &[&str]| bench.run(&[&["export", "runs/run", "--to", "out/net.safetensors"], more].concat());
    export(&[]).exits(0);
    export(&[]).exits(2).says("`out/net.safetensors` is there already; `--force` replaces a file");
    export(&["--force"]).exits(0);
    bench.write("out/README.md", "# mine\n");
    export(&["--force"]).exits(2).says("`out/README.md` is there already");
    export(&["--force", "--no-card"]).exits(0);
    assert_eq!(bench.read("out/README.md"), "# mine\n");
    // nor into a checkpoint, by whatever name
    let checkpoint = "runs/run/checkpoints/iter_000000003";
    for name in ["net.safetensors", "other.safetensors", "net.pt"] {
        let to = format!("{checkpoint}/{name}");
        bench.run(&["export", checkpoint, "--to", &to, "--force"]).exits(2).says("it belongs to the checkpoint in `");
    }
    bench.run(&["checkpoints", "verify", "runs/run"]).exits(0);
    bench.run(&["export", "runs/run", "--to", "net.bin"]).exits(2).says("has to end with `.safetensors`, or `.pt`");
    bench.run(&["export", "runs/run", "--to", "a.safetensors", "--model", "nets"]).exits(2).says("choose one of `net`");
    bench.run(&["export", "runs/none", "--to", "a.safetensors"]).exits(2).says("`runs/none` is not a folder");
    assert_eq!(names(&bench.path("")), ["exp.ron", "out", "runs"]);
}

#[test]
fn each_export_into_one_folder_keeps_a_card_of_its_own() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let export = |name: &str, more: &[&str]| {
        let to = format!("out/{name}");
        bench.run(&[&["export", "runs/run", "--to", &to], more].concat())
    };
    export("net.safetensors", &[]).exits(0);
    let first = bench.read("out/README.md");
    assert!(export("half.safetensors", &["--kind", "f16"]).exits(0).stdout.contains("card: out/half.md\n"));
    assert_eq!(names(&bench.path("out")), ["README.md", "half.md", "half.safetensors", "net.safetensors"]);
    assert_eq!(bench.read("out/README.md"), first);
    let second = bench.read("out/half.md");
    assert!(first.contains("| file | `net.safetensors` |") && second.contains("| file | `half.safetensors` |"));
    // again: each replaces its own, when that is said
    export("half.safetensors", &["--no-card"]).exits(2).says("`out/half.safetensors` is there already");
    std::fs::remove_file(bench.path("out/half.safetensors")).unwrap();
    export("half.safetensors", &[])
        .exits(2)
        .says("`out/half.md` is there already; `--force` replaces the card of this file");
    export("half.safetensors", &["--force"]).exits(0);
    export("net.safetensors", &["--force"]).exits(0);
    assert_eq!((bench.read("out/README.md"), bench.read("out/half.md").contains("`half.safetensors`")), (first, true));
    // names with the hash are files of their own
    for kind in ["f32", "bf16"] {
        export("x-{hash}.safetensors", &["--kind", kind, "--force"]).exits(0);
    }
    let cards = names(&bench.path("out")).into_iter().filter(|name| name.ends_with(".md")).count();
    assert_eq!(cards, 4);
    bench.write("out/mine.md", "# mine\n");
    export("mine.safetensors", &["--force"]).exits(2).says("`out/mine.md` is there already");
    assert!(!bench.path("out/mine.safetensors").exists());
}

#[test]
fn a_program_gives_what_predict_writes_and_serves_for_any_number_of_samples() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    bench.run(&["export", "runs/run", "--to", "net.pt"]).exits(1).says("choose one of them with `--output`");
    let ended = bench.run(&["export", "runs/run", "--to", "net.pt", "--output", "logits"]).exits(0);
    assert!(ended.stdout.contains("takes: Float [3, 4], Int64 [3]\ngives: logits\n"), "{ended}");
    assert!(ended.stdout.contains("left out: target, picture, name") && ended.stderr.is_empty(), "{ended}");
    bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "p.jsonl"]).exits(0);
    let module = engine::tch::CModule::load(bench.path("net.pt")).unwrap();
    // of another number of samples than the one that it was recorded with
    let points = engine_tests::data::points(4, 7);
    let found = module.forward_ts(&[&points, &Tensor::zeros([7], (Kind::Int64, Device::Cpu))]).unwrap();
    for (row, line) in bench.read("p.jsonl").lines().enumerate() {
        let written: serde_json::Value = serde_json::from_str(line).unwrap();
        for (column, logit) in written["logits"].as_array().unwrap().iter().enumerate() {
            let difference = found.double_value(&[row as i64, column as i64]) - logit.as_f64().unwrap();
            assert!(difference.abs() < 1e-5, "{line}\n{found}");
        }
    }
    bench
        .run(&["export", "runs/run", "--to", "net.pt", "--output", "logits"])
        .exits(2)
        .says("`net.pt` is there already");
    bench.run(&["export", "runs/run", "--to", "net.pt", "--raw"]).exits(2).says("are for weights");
    bench
        .run(&["export", "runs/run", "--to", "a.safetensors", "--set", "seed=1"])
        .exits(2)
        .says("weights need no experiment");
    assert_eq!(names(&bench.path("")), ["exp.ron", "net.pt", "p.jsonl", "runs"]);
}

#[test]
fn the_name_has_the_hash_of_the_content_and_header_and_card_tell_what_it_is() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let to = ["--to", "net-{hash}.safetensors", "--kind", "bf16"];
    let ended = bench.run(&[&["export", "runs/run"], &to[..]].concat()).exits(0);
    let hash = ended.stdout.lines().next().unwrap().rsplit(' ').next().unwrap();
    let name = format!("net-{}.safetensors", &hash[..8]);
    assert_eq!(blake3::hash(&std::fs::read(bench.path(&name)).unwrap()).to_hex().as_str(), hash);
    // the same content has the same name
    bench.run(&[&["export", "runs/run"], &to[..]].concat()).exits(2).says(&format!("`{name}` is there already"));

    let file = TensorFile::open(&bench.path(&name)).unwrap();
    let kinds = |wanted| file.tensors().iter().filter(|tensor| tensor.kind == wanted).count();
    assert_eq!((kinds(Kind::Float), kinds(Kind::BFloat16), kinds(Kind::Bool)), (0, 13, 1));
    let note = |key: &str| file.notes().iter().find(|(known, _)| known == key).map(|(_, text)| text.clone()).unwrap();
    let of = ["format", "iter", "epoch", "name", "model", "weights"].map(note);
    assert_eq!(of, ["pt", "9", "3", "run", "net", "averaged"]);
    assert!(note("experiment").contains("Mlp(hidden: 8") && !note("experiment").contains("work_dir"));
    let card = bench.read("README.md");
    let score = note("metrics.val/val/accuracy");
    for text in [&format!("| val/val/accuracy | {score} |"), "# run\n", &name, hash, "BFloat16 (13)", "Mlp(hidden: 8"] {
        assert!(card.contains(text), "{card}\nlacks {text}");
    }
    // and what was converted can be loaded again
    let ended = bench.train(&["--set", "name=next", "--weights", &name, "--max-iters", "1"]).exits(0);
    assert!(ended.stdout.contains("converted from BFloat16 to Float"), "{ended}");
}

#[test]
fn checkpoints_are_listed_by_state_and_damage_is_told_by_name() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let list = || bench.run(&["checkpoints", "list", "runs/run"]).exits(0).stdout;
    let listed = list();
    let states = listed.lines().filter(|line| line.contains(" whole ")).count();
    let distinct: std::collections::BTreeSet<u64> = names(&bench.path("runs/run/checkpoints"))
        .iter()
        .filter(|name| *name != "latest")
        .map(|name| checkpoint::load(&bench.path(&format!("runs/run/checkpoints/{name}"))).unwrap().meta.iter.get())
        .collect();
    assert_eq!(states, distinct.len(), "{listed}");
    assert!(
        listed.contains("iter_000000009") && listed.contains("3, 9") && listed.contains("val/val/accuracy"),
        "{listed}"
    );
    let verify = |path: &str| bench.run(&["checkpoints", "verify", path]);
    assert!(verify("runs/run").exits(0).stdout.lines().all(|line| line.ends_with(": whole")));
    let shown = bench.run(&["checkpoints", "show", "runs/run"]).exits(0).stdout;
    for text in ["epoch 3, iter 9; format ", "model `net`: 15 tensors", "validated with an average", "run/state.ron: "]
    {
        assert!(shown.contains(text), "{shown}\nlacks {text}");
    }
    // one bit, which no size tells
    let path = bench.path("runs/run/checkpoints/iter_000000009/net.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let ended = verify("runs/run").exits(1);
    assert!(ended.stdout.contains("net.safetensors` is damaged: its content is not what was written"), "{ended}");
    std::fs::write(&path, &bytes[1..]).unwrap();
    assert!(list().contains("damaged: "), "{}", list());
    verify("runs").exits(2).says("holds no checkpoint");
    verify("nowhere").exits(2).says("is not a folder");
}

#[test]
fn two_checkpoints_are_compared_tensor_by_tensor_and_the_exit_code_says_whether_they_differ() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let diff = |a: &str, b: &str| bench.run(&["checkpoints", "diff", a, b]);
    let (six, nine) = ("runs/run/checkpoints/iter_000000006", "runs/run/checkpoints/iter_000000009");
    assert_eq!(diff(nine, nine).exits(0).stdout, "no difference\n");
    let ended = diff(six, nine).exits(1);
    for text in [
        "epoch 2, iter 6 -> epoch 3, iter 9",
        "net.raw.safetensors: ",
        "out.weight [3, 8]: 24 of 24 values differ, by at most ",
    ] {
        assert!(ended.stdout.contains(text), "{ended}\nlacks {text}");
    }
    let weights = |of: &str| format!("{of}/net.safetensors");
    assert_eq!(diff(&weights(nine), &weights(nine)).exits(0).stdout, "no difference\n");
    assert!(diff(&weights(six), &weights(nine)).exits(1).stdout.starts_with("weights: "));
    diff(six, &weights(nine)).exits(2).says("a checkpoint is compared with another one");
    diff(six, "nowhere").exits(2).says("`nowhere` is not there");
}

#[test]
fn the_only_good_checkpoint_is_deleted_only_when_that_is_said() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "hooks.checkpoint.save_best=[]"]).exits(0);
    let at = |name: &str| format!("runs/run/checkpoints/{name}");
    let rm = |names: &[&str]| bench.run(&[&["checkpoints", "rm"], names].concat());
    let (six, nine) = (at("iter_000000006"), at("iter_000000009"));
    rm(&[&six, &nine]).exits(2).says("would leave the run without a checkpoint that can be read");
    // the older one is no good one any more
    std::fs::write(bench.path(&format!("{six}/net.safetensors")), "").unwrap();
    rm(&[&nine]).exits(2).says("`--last` deletes it all the same");
    rm(&["runs/run"]).exits(2).says("is not a checkpoint");
    rm(&["exp.ron"]).exits(2).says("is not a checkpoint");
    // what is not of a run is never deleted, whatever it is called
    std::fs::create_dir_all(bench.path("mine/checkpoints/best")).unwrap();
    rm(&["mine"]).exits(2).says("is not a checkpoint");
    rm(&["mine/checkpoints/best"]).exits(2).says("is not a checkpoint of a run; delete it with `rm`");
    assert!(bench.path("mine/checkpoints/best").is_dir());
    assert_eq!(names(&bench.path("runs/run/checkpoints")), ["iter_000000006", "iter_000000009", "latest"]);
    rm(&[&six]).exits(0);
    rm(&[&nine, "--last"]).exits(0);
    assert_eq!(names(&bench.path("runs/run/checkpoints")), ["latest"]);
}

#[test]
fn a_name_whose_files_have_another_one_is_deleted_and_the_other_is_told() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "3"]).exits(0);
    let at = |name: &str| format!("runs/run/checkpoints/{name}");
    let ended = bench.run(&["checkpoints", "rm", &at("iter_000000003")]).exits(0);
    assert!(
        ended.stdout.starts_with("deleted the name ") && ended.stdout.ends_with(", stay as `best_val_accuracy`\n"),
        "{ended}"
    );
    bench.run(&["checkpoints", "verify", &at("best_val_accuracy")]).exits(0);
    // together they are gone
    let ended = bench.run(&["checkpoints", "rm", &at("best_val_accuracy"), "--last"]).exits(0);
    assert!(ended.stdout.starts_with("deleted /") && !ended.stdout.contains("stay"), "{ended}");
}

#[test]
fn what_is_left_after_a_deletion_is_the_latest_and_a_running_training_is_not_disturbed() {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    let nine = "runs/run/checkpoints/iter_000000009";
    bench.run(&["checkpoints", "rm", nine]).exits(0);
    let latest = bench.read("runs/run/checkpoints/latest");
    assert!(
        latest.trim() != "iter_000000009" && bench.path("runs/run/checkpoints").join(latest.trim()).is_dir(),
        "{latest}"
    );
    // what a run has set aside can be deleted too
    std::fs::create_dir(bench.path("runs/run/checkpoints/left-iter_000000003")).unwrap();
    bench.run(&["checkpoints", "rm", "runs/run/checkpoints/left-iter_000000003"]).exits(0);
    assert!(!bench.path("runs/run/checkpoints/left-iter_000000003").exists());
    let mut running = bench.start_paused(200, &["--resume"]);
    running.wait_for("mark train");
    let kept = format!("runs/run/checkpoints/{}", latest.trim());
    bench.run(&["checkpoints", "rm", &kept]).exits(1).says("is in use by process");
    running.kill();
    running.end();
}

#[test]
fn a_file_of_torch_save_is_refused_with_its_conversion_wherever_it_is_named() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "1"]).exits(0);
    // the format of today, by its content, and one that only its name tells
    bench.write("zip.safetensors", b"PK\x03\x04 and so on");
    bench.write("it's.pth", b"anything");
    for name in ["zip.safetensors", "it's.pth"] {
        let commands: [&[&str]; 9] = [
            &["train", "exp.ron", "--set", "name=\"other\"", "--weights", name],
            &["train", "exp.ron", "--set", "name=\"other\"", "--set", &format!("weights=(file: \"{name}\")")],
            &["train", "exp.ron", &format!("--resume={name}")],
            &["train", "exp.ron", "--fork", name, "--name", "other"],
            &["val", "exp.ron", "--checkpoint", name],
            &["test", "exp.ron", "--checkpoint", name],
            &["predict", "exp.ron", "--checkpoint", name],
            &["checkpoints", "show", name],
            &["checkpoints", "diff", name, name],
        ];
        for command in commands {
            let ended = bench.run(command);
            assert!(matches!(ended.code, Some(1 | 2)), "{command:?}: {ended}");
            let told = "is a file of `torch.save` or a TorchScript program, which only Python can read safely; if it holds a state_dict, convert it once: python -c '";
            assert!(ended.stderr.contains(told), "{command:?}: {ended}");
        }
    }
    assert!(!bench.path("runs/other").exists());
}
