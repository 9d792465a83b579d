//! Every command besides `train`.

use crate::bench::{Bench, golden};
use crate::left::newest;
use engine::prelude::{Kind, Tensor};
use std::collections::BTreeMap;

/// A finished run.
fn trained() -> Bench {
    let bench = Bench::by_epoch();
    bench.train(&[]).exits(0);
    bench
}

/// `name = value` lines.
fn values(stdout: &str, prefix: &str) -> Vec<String> {
    stdout.lines().filter(|line| line.starts_with(prefix)).map(str::to_owned).collect()
}

#[test]
fn val_and_test_take_a_run_a_checkpoint_or_a_file_of_weights() {
    let bench = Bench::by_epoch();
    let trained = bench.train(&["--set", "hooks.ema=Off"]).exits(0);
    let measured = values(&trained.stdout, "val/");
    assert_eq!(measured.len(), 6);
    let checkpoint = newest(&bench.path("runs/run")).display().to_string();
    let weights = format!("{checkpoint}/net.safetensors");
    for given in ["runs/run", &checkpoint, &weights] {
        let ended = bench.run(&["val", "exp.ron", "--set", "hooks.ema=Off", "--checkpoint", given]).exits(0);
        // what the training measured last, of the same weights; `hard` draws its noise anew
        let first =
            |values: &[String]| values.iter().filter(|value| !value.contains("hard")).cloned().collect::<Vec<_>>();
        assert_eq!(first(&values(&ended.stdout, "val/")), first(&measured), "{given}: {ended}");
        let ended = bench.run(&["test", "exp.ron", "--set", "hooks.ema=Off", "--checkpoint", given]).exits(0);
        assert_eq!(values(&ended.stdout, "test/").len(), 3, "{given}: {ended}");
    }
    // the run's own checkpoint was tested twice; a bare file of weights tells no iter
    assert_eq!(bench.read("runs/run/metrics.jsonl").matches("\"phase\":\"test\",\"epoch\":3,\"iter\":9").count(), 2);
}

#[test]
fn a_checkpoint_and_its_published_weights_alone_give_the_same_score_and_the_raw_ones_another() {
    let bench = trained();
    let checkpoint = newest(&bench.path("runs/run")).display().to_string();
    let val =
        |given: &str| values(&bench.run(&["val", "exp.ron", "--checkpoint", given]).exits(0).stdout, "val/val/loss");
    // the published weights are the averages that the training validated with
    assert_eq!(val(&checkpoint), val(&format!("{checkpoint}/net.safetensors")));
    assert_ne!(val(&checkpoint), val(&format!("{checkpoint}/net.raw.safetensors")));
}

#[test]
fn eval_computes_metrics_over_written_predictions_and_tells_what_it_leaves_out() {
    let bench = Bench::by_epoch();
    // right, wrong, right
    let lines = "{\"index\":0,\"logits\":[2.0,1.0,0.0],\"target\":0}\n{\"index\":1,\"logits\":[2.0,1.0,0.0],\"target\":2}\n{\"index\":2,\"logits\":[0.0,1.0,0.5],\"target\":1}\n";
    std::fs::write(bench.path("written.jsonl"), lines).unwrap();
    let eval = ["eval", "exp.ron", "--predictions", "written.jsonl"];
    let ended = bench.run(&[&eval[..], &["--set", "metrics=[Recall(), Mae()]"]].concat()).exits(0);
    assert!(ended.stdout.contains("accuracy = 0.6667\n") && ended.stdout.contains("recall = 0.6667\n"), "{ended}");
    assert!(ended.stderr.contains("`mae` is left out: metric `mae` needs the tensor `prediction`"), "{ended}");
    // a metric of the program's own, whose error is its own
    bench.write("written.jsonl", "{\"prediction\":1.5,\"target\":1.0}\n");
    let ended = bench.run(&[&eval[..], &["--set", "metrics=[Mae()]"]].concat()).exits(0);
    assert_eq!(ended.stdout, "mae = 0.5000\n");
    assert!(ended.stderr.contains("`confidence` is left out: `Confidence` needs the tensors"), "{ended}");
    // and another error of its own is told
    bench.write("written.jsonl", "{\"logits\":1.0,\"target\":1}\n");
    bench.run(&[&eval[..], &["--set", "metrics=[]"]].concat()).exits(1);
    // samples of another shape than those before: which they are, and what they have
    let two = "{\"logits\":[2.0,1.0,0.0],\"target\":0}\n{\"logits\":[[2.0,1.0]],\"target\":1}\n";
    bench.write("written.jsonl", two);
    let ended = bench.run(&[&eval[..], &["--set", "metrics=[]"]].concat()).exits(1);
    let told = "can't be computed over sample 1: `logits` is Double [1, 1, 2], `target` is Int64 [1]";
    assert!(ended.stderr.contains(told), "{ended}");
    std::fs::write(bench.path("written.jsonl"), "{\"logits\":[2.0,[1.0]]}\n").unwrap();
    let refused = bench.run(&eval);
    assert!(refused.stderr.contains("`logits` in line 1 of `written.jsonl` has lists of several lengths"), "{refused}");
}

#[test]
fn eval_never_waits_for_what_lies_in_a_files_place() {
    let bench = Bench::by_epoch();
    let made = std::process::Command::new("mkfifo").args([bench.path("a.jsonl"), bench.path("a.safetensors")]).status();
    assert!(made.unwrap().success());
    for (path, what) in
        [("a.jsonl", "a pipe"), ("a.safetensors", "a pipe"), ("/dev/zero", "a device"), (".", "a folder")]
    {
        let ended = bench.run(&["eval", "exp.ron", "--predictions", path]).exits(1);
        assert!(ended.stderr.contains(path) && ended.stderr.contains(&format!("it is {what}, not a")), "{ended}");
    }
}

#[test]
fn predict_writes_one_object_for_each_sample_in_order() {
    let bench = trained();
    let ended = bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run"]).exits(0);
    let path = bench.path("runs/run/predictions.jsonl").display().to_string();
    let checkpoint = "the checkpoint runs/run/checkpoints/iter_000000009, of epoch 3, iter 9";
    let weights = "weights: averages; `--raw` evaluates those that were trained";
    assert_eq!(ended.stdout, format!("{weights}\n{checkpoint}\n7 predictions in {path}\n"));
    // the file that names the newest checkpoint stands for it
    let latest = ["predict", "exp.ron", "--checkpoint", "runs/run/checkpoints/latest"];
    assert_eq!(bench.run(&latest).exits(0).stdout, ended.stdout);
    assert_eq!(bench.run(&[&latest[..], &["--quiet"]].concat()).exits(0).stdout, format!("7 predictions in {path}\n"));
    let text = bench.read("runs/run/predictions.jsonl");
    for (index, line) in text.lines().enumerate() {
        // in the order in which the step names them
        assert!(line.starts_with(&format!("{{\"index\":{index},\"name\":\"heap ")), "{line}");
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        let logits: Vec<f64> =
            parsed["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap()).collect();
        let best = (0..3).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
        assert_eq!(parsed["name"], format!("heap {best}"));
    }
    assert_eq!(text.lines().count(), 7);
    // elsewhere, the same
    bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "other.jsonl"]).exits(0);
    assert_eq!(bench.read("other.jsonl"), text);
}

#[test]
fn tensors_and_images_of_predictions_are_those_of_the_lines() {
    let bench = trained();
    let predict = |more: &[&str]| bench.run(&[&["predict", "exp.ron", "--checkpoint", "runs/run"], more].concat());
    predict(&["--out", "p.jsonl"]).exits(0);
    let ended = predict(&["--out", "p.safetensors", "--images", "picture"]).exits(0);
    assert!(ended.stdout.ends_with("7 predictions in p.safetensors\n"), "{ended}");
    let tensors: BTreeMap<String, Tensor> =
        Tensor::read_safetensors(bench.path("p.safetensors")).unwrap().into_iter().collect();
    assert!(tensors.keys().eq(["logits", "picture", "target"]), "{:?}", tensors.keys());
    let shapes: Vec<(Vec<i64>, Kind)> = tensors.values().map(|tensor| (tensor.size(), tensor.kind())).collect();
    assert_eq!(shapes, [(vec![7, 3], Kind::Float), (vec![7, 2, 2], Kind::Float), (vec![7], Kind::Int64)]);
    let text = bench.read("p.jsonl");
    for (index, line) in text.lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for name in ["logits", "picture", "target"] {
            let numbers =
                Vec::<f64>::try_from(tensors[name].get(index as i64).to_kind(Kind::Double).reshape([-1])).unwrap();
            let shown = numbers_of(&line[name]);
            assert_eq!(shown.len(), numbers.len(), "{name}");
            // the shortest text that names the same number in 32 bits
            assert!(shown.iter().zip(&numbers).all(|(a, b)| *a as f32 == *b as f32), "{name}: {shown:?} {numbers:?}");
        }
        // a PNG of two by two pixels
        let image = std::fs::read(bench.path(&format!("picture/{index:08}.png"))).unwrap();
        assert_eq!((&image[..8], &image[16..24]), (&b"\x89PNG\r\n\x1a\n"[..], &[0, 0, 0, 2, 0, 0, 0, 2][..]));
    }
    assert_eq!(std::fs::read_dir(bench.path("picture")).unwrap().count(), 7);
    // the same scores of both files
    let eval = |file: &str| bench.run(&["eval", "exp.ron", "--predictions", file]).exits(0).stdout;
    let scores = eval("p.safetensors");
    assert!(scores.contains("accuracy = "), "{scores}");
    assert_eq!(scores.replace("p.safetensors", "p.jsonl"), eval("p.jsonl"));
}

/// All numbers of lists within lists.
fn numbers_of(value: &serde_json::Value) -> Vec<f64> {
    match value {
        serde_json::Value::Array(all) => all.iter().flat_map(numbers_of).collect(),
        one => one.as_f64().into_iter().collect(),
    }
}

#[test]
fn images_that_are_none_and_files_that_are_none_are_refused_and_leave_nothing() {
    let bench = trained();
    let predict = |more: &[&str]| bench.run(&[&["predict", "exp.ron", "--checkpoint", "runs/run"], more].concat());
    let out = ["--out", "p.safetensors", "--images"];
    predict(&[&out[..], &["logits"]].concat()).exits(1).says("`logits` of sample 0 is no image");
    predict(&[&out[..], &["picure"]].concat()).exits(1).says("picture");
    predict(&[&out[..], &["../picture"]].concat()).exits(1).says("can't name a folder");
    let left = || {
        let names = std::fs::read_dir(bench.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(left(), ["exp.ron", "runs"]);
    std::fs::create_dir(bench.path("picture")).unwrap();
    predict(&[&out[..], &["picture"]].concat()).exits(1).says("is there already; delete it");
    assert_eq!(left(), ["exp.ron", "picture", "runs"]);
    let eval = |file: &str| bench.run(&["eval", "exp.ron", "--predictions", file]);
    eval("gone.safetensors").exits(1).says("gone.safetensors");
    bench.write("cut.safetensors", [9, 0, 0, 0, 0, 0, 0, 0, b'{']);
    eval("cut.safetensors").exits(1).says("cut.safetensors");
}

#[test]
fn predict_needs_neither_the_training_data_nor_leaves_half_a_file() {
    let bench = trained();
    let gone = [
        "--set",
        "loaders.train.dataset.path=gone",
        "--set",
        "loaders.val.dataset.path=gone",
        "--set",
        "loaders.hard.dataset.path=gone",
    ];
    bench.run(&[&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", "p.jsonl"], &gone[..]].concat()).exits(0);
    bench.run(&[&["test", "exp.ron", "--checkpoint", "runs/run"], &gone[..]].concat()).exits(0);
    let broken = ["--set", "loaders.unseen.dataset.broken=5", "--out", "half.jsonl"];
    let ended = bench.run(&[&["predict", "exp.ron", "--checkpoint", "runs/run"], &broken[..]].concat()).exits(1);
    ended.says("loader `unseen` can't read sample 5");
    let files = std::fs::read_dir(bench.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(files.into_iter().all(|name| !name.to_string_lossy().contains("half")));
}

#[test]
fn weights_of_another_shape_are_refused_with_both_shapes() {
    let bench = trained();
    for command in ["val", "test", "predict"] {
        let wide = ["--set", "model.hidden=16", "--checkpoint", "runs/run"];
        let ended = bench.run(&[&[command, "exp.ron"], &wide[..]].concat()).exits(1);
        ended.says("`net.hidden.bias` has shape [16], the given weights have [8]");
    }
    bench.train(&["--resume", "--set", "model.hidden=16"]).exits(1).says("can't be resumed");
}

#[test]
fn a_checkpoint_that_is_not_there_is_wrong_usage() {
    let bench = trained();
    for command in ["val", "test", "predict"] {
        bench
            .run(&[command, "exp.ron", "--checkpoint", "runs/nowhere"])
            .exits(2)
            .says("the checkpoint `runs/nowhere` can't be read");
        bench.run(&[command, "exp.ron"]).exits(2).says("--checkpoint");
    }
    // there, and no checkpoint
    bench.run(&["val", "exp.ron", "--checkpoint", "."]).exits(1).says("is not a checkpoint: it has no file `manifest`");
    bench
        .run(&["val", "exp.ron", "--checkpoint", "exp.ron"])
        .exits(1)
        .says("`exp.ron` is not a checkpoint: a file has to");
    std::fs::write(bench.path("cut.safetensors"), "cut").unwrap();
    bench.run(&["val", "exp.ron", "--checkpoint", "cut.safetensors"]).exits(1).says("`cut.safetensors` is damaged");
    std::fs::create_dir_all(bench.path("begun/checkpoints")).unwrap();
    bench.run(&["val", "exp.ron", "--checkpoint", "begun"]).exits(1).says("`begun` has no checkpoint yet");
}

#[test]
fn a_command_for_which_the_trainer_has_no_loader_is_wrong_usage() {
    let bench = Bench::by_iter();
    bench.run(&["test", "exp.ron", "--checkpoint", "."]).exits(2).says("`Stream` has no `#[loader(test)]`");
    bench.run(&["predict", "exp.ron", "--checkpoint", "."]).exits(2).says("`Stream` has no `#[loader(predict)]`");
}

#[test]
fn list_tells_components_with_their_settings() {
    let bench = Bench::by_epoch();
    golden("list_hooks.txt", &bench.run(&["list", "hooks"]).exits(0).stdout);
    let hook = bench.run(&["list", "hook"]).exits(0);
    assert_eq!(hook.stdout, bench.run(&["list", "hooks"]).exits(0).stdout);
    let all = bench.run(&["list"]).exits(0).stdout;
    for part in [
        "datasets\n  ImageFolder\n",
        "\n  Points\n",
        "\nmodels\n  Mlp\n",
        "\noptimizers\n  Adadelta\n",
        "\nschedules\n",
        "\nsamplers\n",
        "\nmetrics\n  Accuracy\n",
    ] {
        assert!(all.contains(part), "no `{part}` in {all}");
    }
    let one = bench.run(&["list", "ema"]).exits(0).stdout;
    assert!(one.starts_with("hooks\n  Ema\n") && !one.contains("Timer"), "{one}");
    bench.run(&["list", "hoks"]).exits(2).says("no kind and no component is called `hoks`, did you mean `hooks`?");
}

#[test]
fn predictions_replace_no_device_and_go_where_a_link_leads() {
    let bench = trained();
    let predict = |out: &str| bench.run(&["predict", "exp.ron", "--checkpoint", "runs/run", "--out", out]);
    std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();
    for device in ["socket", "/dev/null"] {
        predict(device).exits(2).says("is a device or pipe; give the path of the file to write");
    }
    bench.write("there.jsonl", "");
    std::os::unix::fs::symlink("there.jsonl", bench.path("link.jsonl")).unwrap();
    predict("link.jsonl").exits(0);
    assert!(bench.path("link.jsonl").is_symlink());
    assert_eq!(bench.read("there.jsonl").lines().count(), 7);
}

#[test]
fn a_pattern_that_fits_no_parameter_is_shown_at_its_place_when_the_model_is_built() {
    let bench = Bench::by_epoch();
    let groups = "optimizer.groups=[(pattern: \"*.bias\", lr: 0.1), (pattern: \"hiden.*\", lr: 0.1)]";
    bench.run(&["check", "exp.ron", "--set", groups]).exits(0);
    for command in [&["train", "exp.ron"][..], &["plan", "exp.ron"]] {
        bench
            .run(&[command, &["--set", groups]].concat())
            .exits(2)
            .says("error: the pattern `hiden.*` matches no parameter, did you mean")
            .says("--set:1:59\n")
            .says("= note: at `optimizer.groups.1.pattern`");
    }
}

#[test]
fn a_plan_needs_no_device() {
    let bench = Bench::by_epoch();
    let here = bench.run(&["plan", "exp.ron"]).exits(0).stdout;
    assert_eq!(bench.run(&["plan", "exp.ron", "--device", "cuda:99"]).exits(0).stdout, here);
}

#[test]
fn help_is_no_error_and_names_every_command_and_option() {
    let bench = Bench::by_epoch();
    let help = bench.run(&["--help"]).exits(0);
    golden("help.txt", &help.stdout);
    golden("help_train.txt", &bench.run(&["train", "--help"]).exits(0).stdout);
    // without a command the same is shown, as a mistake
    let none = bench.run(&[]).exits(2);
    assert!(none.stderr.contains("Usage: by_epoch [OPTIONS] <COMMAND>"), "{none}");
    bench.run(&["trian", "exp.ron"]).exits(2).says("a similar subcommand exists: 'train'");
    bench.train(&["--sett", "seed=1"]).exits(2).says("--set");
}

#[test]
fn set_merges_in_order_and_its_mistakes_point_into_the_command_line() {
    let bench = Bench::by_epoch();
    bench.train(&["--set", "seed=1", "--set", "seed=2", "--set", "name=other", "--max-iters", "1"]).exits(0);
    assert!(bench.read("runs/other/experiment.ron").contains("seed: 2,"));
    let ended = bench.train(&["--set", "optimizer.lrr=0.1", "--set", "train.max_epochs=many"]).exits(2);
    let ended = ended.says("--> --set:1:11").says("did you mean `lr`?").says("optimizer.lrr=0.1");
    ended.says("train.max_epochs=many");
    bench.train(&["--set", "optimizer"]).exits(2).says("expected `path=value`");
}

#[test]
fn who_writes_a_setting_alone_is_told_of_set() {
    let bench = Bench::by_epoch();
    for command in ["train", "show", "plan"] {
        bench.run(&[command, "exp.ron", "optimizer.lr=0.1"]).exits(2).says("write `--set optimizer.lr=0.1`");
    }
    for arguments in [&["check", "exp.ron", "optimizer.lr=0.1"][..], &["train", "optimizer.lr=0.1"]] {
        bench.run(arguments).exits(2).says("write `--set optimizer.lr=0.1`");
    }
    // no setting was meant
    let ended = bench.run(&["train", "exp.ron", "--lr=0.1"]).exits(2);
    assert!(!ended.stderr.contains("--set --lr"), "{ended}");
    bench.run(&["check", "exp.ron", "--set", "name=${RUN}"]).exits(2).says("`Env(\"RUN\")`");
}

#[test]
fn the_end_of_a_training_tells_the_best_checkpoint_and_evaluations_take_it_by_that_word() {
    let bench = Bench::by_epoch();
    let none = ["val", "exp.ron", "--checkpoint", "best", "--set", "hooks.checkpoint.save_best=[]"];
    let set = ["--set", "hooks.checkpoint.save_best=[\"val/accuracy\", \"val/loss\"]"];
    let told = bench.train(&set).exits(0).stdout;
    let line = told.lines().find(|line| line.starts_with("best `val/accuracy`: ")).unwrap_or_else(|| panic!("{told}"));
    let (value, rest) = line.trim_start_matches("best `val/accuracy`: ").split_once(" at epoch ").unwrap();
    // behind it, whether later values were the same
    let path = rest.split(';').next().unwrap();
    assert!(path.ends_with("runs/run/checkpoints/best_val_accuracy"), "{line}");
    let val = |checkpoint: &str| bench.run(&["val", "exp.ron", "--checkpoint", checkpoint]);
    assert!(val("best:val/accuracy").exits(0).stdout.contains(&format!("val/accuracy = {value}")), "{line}");
    let newest = val("runs/run").exits(0).stdout;
    let metrics = |text: &str| text.lines().filter(|line| line.contains(" = ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(metrics(&val("last").exits(0).stdout), metrics(&newest));
    // which of the two is not said
    val("best").exits(2).says("`best` could be any of");
    val("best:val/recall").exits(2).says("none is that of `val/recall`");
    let other = Bench::by_epoch();
    other.train(&["--set", "hooks.checkpoint.save_best=[]"]).exits(0);
    other.run(&none).exits(2).says("keeps no best checkpoint");
    val("newest").exits(2).says("`last` or `best`");
}
