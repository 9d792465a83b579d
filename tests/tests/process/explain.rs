//! The commands that explain: `check`, `show`, `diff`, `new`, `list`, completions; and how they print.

use crate::bench::{Bench, golden};
use crate::left::rows;

#[test]
fn check_opens_nothing_and_reads_every_file() {
    let bench = Bench::by_epoch();
    bench.edit("samples: 40,", "samples: 40, path: \"gone.csv\",");
    assert_eq!(bench.run(&["check", "exp.ron"]).exits(0).stdout, "exp.ron: ok\n");
    bench.write("bad.ron", bench.read("exp.ron").replace("seed: 7", "seeed: 7"));
    bench.write("worse.ron", bench.read("exp.ron").replace("max_epochs: 3", "max_epoch: 3"));
    let ended = bench.run(&["check", "bad.ron", "exp.ron", "worse.ron"]).exits(2);
    assert_eq!(ended.stdout, "exp.ron: ok\n");
    let ended = ended.says("--> bad.ron:4:5").says("did you mean `seed`?");
    let ended = ended.says("--> worse.ron:18:13").says("did you mean `max_epochs`?");
    ended.says("error: 2 mistakes in 2 of 3 files");
}

#[test]
fn check_takes_patterns_that_no_shell_has_expanded() {
    let bench = Bench::by_epoch();
    std::fs::create_dir_all(bench.path("more/inner")).unwrap();
    bench.write("more/a.ron", "Experiment(base: \"../exp.ron\")");
    bench.write("more/inner/b.ron", "Experiment(base: \"../a.ron\", seed: 8)");
    let ended = bench.run(&["check", "exp.ron", "more/**/*.ron"]).exits(0);
    assert_eq!(ended.stdout, "exp.ron: ok\nmore/a.ron: ok\nmore/inner/b.ron: ok\n");
    assert_eq!(bench.run(&["check", "-q", "more/**/*.ron"]).exits(0).stdout, "");
    bench.run(&["check", "none/*.ron"]).exits(2).says("error: `none/*.ron` matches no file");
    bench.run(&["check", "a[.ron"]).exits(2).says("error: `a[.ron` is not a valid pattern");
    // a file may have such a name
    bench.write("a[1].ron", bench.read("exp.ron"));
    assert_eq!(bench.run(&["check", "a[1].ron"]).exits(0).stdout, "a[1].ron: ok\n");
}

#[test]
fn show_tells_where_each_value_was_written() {
    let bench = Bench::by_epoch();
    bench.write("base.ron", bench.read("exp.ron"));
    bench.write("exp.ron", "Experiment(base: \"base.ron\", seed: 9, loaders: (train: (batch_size: 5)))");
    let set = ["--set", "optimizer.lr=0.5"];
    let shown = bench.run(&[&["show", "exp.ron"], &set[..]].concat()).exits(0).stdout;
    for part in [
        "    seed: 9,  // exp.ron:1:36\n",
        "        lr: 0.5,  // --set:1:14\n",
        "            batch_size: 5,  // exp.ron:1:69\n",
        "    name: \"run\",  // base.ron:3:11\n",
    ] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    assert!(!shown.contains("// default") && !shown.contains("base:"));
    let full = bench.run(&[&["show", "--full", "exp.ron"], &set[..]].concat()).exits(0).stdout;
    for part in [
        "    seed: 9,  // exp.ron:1:36\n",
        "        amsgrad: false,  // default\n",
        "        lr: 0.5,  // --set:1:14\n",
    ] {
        assert!(full.contains(part), "no `{part}` in {full}");
    }
    // a whole experiment that stands alone
    bench.write("full.ron", full);
    bench.run(&["check", "full.ron"]).exits(0);
    let ended = bench.run(&["diff", "full.ron", "exp.ron"]).exits(0);
    assert_eq!(ended.stdout, "optimizer.lr\n  - 0.5  // full.ron:38:13\n  + 0.02  // base.ron:9:26\n");
}

#[test]
fn show_of_a_wrong_experiment_prints_it_and_its_mistakes() {
    let bench = Bench::by_epoch();
    bench.edit("seed: 7", "seeed: 7");
    let ended = bench.run(&["show", "exp.ron"]).exits(2).says("unknown field `seeed`");
    assert!(ended.stdout.contains("seeed: 7,  // exp.ron:4:12"));
    assert_eq!(bench.run(&["show", "--full", "exp.ron"]).exits(2).stdout, "");
}

#[test]
fn diff_tells_what_differs_and_where_it_was_written() {
    let bench = Bench::by_epoch();
    bench.write(
        "other.ron",
        "Experiment(
    base: \"exp.ron\",
    optimizer: Sgd(lr: 0.1),
    train: (accumulate: 1, max_epochs: 4),
    hooks: (ema: Off),
    custom_hooks: [EarlyStopping(monitor: \"val/loss\")],
)
",
    );
    golden("diff.txt", &bench.run(&["diff", "exp.ron", "other.ron"]).exits(0).stdout);
    assert_eq!(bench.run(&["diff", "exp.ron", "exp.ron"]).exits(0).stdout, "no difference: both give the same run\n");
    let coloured = bench.run(&["diff", "exp.ron", "other.ron", "--color", "always"]).exits(0).stdout;
    assert!(coloured.contains("\u{1b}[31m-\u{1b}[0m 3"), "{coloured:?}");
    bench.run(&["diff", "exp.ron", "gone.ron"]).exits(2).says("can't read `gone.ron`");
}

#[test]
fn a_runs_folder_stands_for_its_experiment() {
    let bench = Bench::by_epoch();
    bench.train(&["--max-iters", "2", "--set", "seed=3"]).exits(0);
    let ended = bench.run(&["diff", "exp.ron", "runs/run"]).exits(0);
    assert!(
        ended.stdout.starts_with("seed\n  - 7  // exp.ron:4:11\n  + 3  // runs/run/experiment.ron:3:11\n"),
        "{ended}"
    );
    bench.run(&["check", "runs/run"]).exits(0);
    bench.run(&["show", "runs/run"]).exits(0);
    bench.run(&["val", "runs/run", "--checkpoint", "runs/run"]).exits(0);
}

#[test]
fn a_new_experiment_has_every_setting_and_trains() {
    // the trainer by iter has a val loader that may be left out, and so is the section `val`
    for (bench, validates) in [(Bench::by_epoch(), true), (Bench::by_iter(), false)] {
        let ended = bench.run(&["new", "fresh.ron"]).exits(0);
        assert!(ended.stdout.starts_with("wrote fresh.ron; "), "{ended}");
        bench.run(&["check", "fresh.ron"]).exits(0);
        // nothing is left to a default
        let full = bench.run(&["show", "--full", "fresh.ron"]).exits(0).stdout;
        let left: Vec<&str> = full.lines().filter(|line| line.ends_with("// default")).collect();
        assert_eq!(left.is_empty(), validates, "{left:?}");
        assert!(bench.read("fresh.ron").contains("\n    val: (") == validates);
        let small = ["--max-iters", "2"];
        bench.run(&[&["train", "fresh.ron"], &small[..]].concat()).exits(0);
        // never over something that is there
        let before = bench.read("fresh.ron");
        bench.run(&["new", "fresh.ron"]).exits(1).says("`fresh.ron` exists already");
        assert_eq!(bench.read("fresh.ron"), before);
        // the file's name is the run's
        assert_eq!(bench.run(&["new"]).exits(0).stdout, before.replace("\"fresh\"", "\"experiment\""));
        bench.run(&["new", "no/such/folder.ron"]).exits(1).says("`no/such/folder.ron` can't be written");
    }
    golden("new.ron", &Bench::by_epoch().run(&["new"]).exits(0).stdout);
}

#[test]
fn a_hook_that_need_not_be_there_is_written_as_a_comment() {
    let text = Bench::by_epoch().run(&["new"]).exits(0).stdout;
    let lines = ["// off unless you write it\n        // speaker: (", "        //     word: "];
    lines.iter().for_each(|line| assert!(text.contains(line), "no `{line}` in {text}"));
}

#[test]
fn colours_are_where_they_are_asked_for() {
    let bench = Bench::by_epoch();
    bench.edit("seed: 7", "seeed: 7");
    let coloured = |arguments: &[&str]| bench.run(arguments).exits(2).stderr.contains("\u{1b}[");
    assert!(!coloured(&["check", "exp.ron"]));
    assert!(coloured(&["check", "exp.ron", "--color", "always"]));
    assert!(coloured(&["--color=always", "check", "exp.ron"]));
    assert!(!coloured(&["check", "exp.ron", "--color", "never"]));
    // asked for by name, it wins over the variable
    let ended = bench.run_after("export NO_COLOR=1", &["check", "exp.ron", "--color", "always"]).exits(2);
    assert!(ended.stderr.contains("\u{1b}["));
}

#[test]
fn every_shell_gets_its_completions() {
    let bench = Bench::by_epoch();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.run(&["completions", shell]).exits(0).stdout;
        for word in ["train", "completions", "max-iters", "by_epoch"] {
            assert!(script.contains(word), "no `{word}` for {shell}");
        }
    }
    // bash takes it, and knows what follows `by_epoch tr`
    bench.write("complete.sh", bench.run(&["completions", "bash"]).exits(0).stdout);
    let asked = "source ./complete.sh; COMP_WORDS=(by_epoch tr); COMP_CWORD=1; _by_epoch by_epoch tr by_epoch; echo ${COMPREPLY[@]}";
    let output = std::process::Command::new("bash").args(["-c", asked]).current_dir(bench.path(".")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "train", "{output:?}");
}

#[test]
fn version_tells_program_engine_and_libtorch() {
    let told = Bench::by_epoch().run(&["--version"]).exits(0).stdout;
    assert!(told.starts_with("by_epoch 0.1.0 (engine 0.1.0, libtorch 2."), "{told}");
}

/// A component of two programs, in one of them with a field more: a doc comment and the field, no other edit.
#[test]
fn a_new_field_of_a_component_is_known_everywhere() {
    let (before, after) = (Bench::small(), Bench::grown());
    let told = |bench: &Bench, arguments: &[&str]| bench.run(arguments).exits(0).stdout;
    let added = |arguments: &[&str]| -> Vec<String> {
        let (before, after) = (told(&before, arguments), told(&after, arguments));
        let known: Vec<&str> = before.lines().collect();
        after.lines().filter(|line| !known.contains(line)).map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(added(&["list", "Noise"]), ["power: f64, in 1.0..=4.0 = 2.0", "How the noise grows."]);
    assert_eq!(added(&["new"]), ["// How the noise grows.", "power: 2.0,  // f64, in 1.0..=4.0"]);
    assert_eq!(added(&["show", "--full", "exp.ron"]), ["power: 2.0,  // default"]);
    let refused = |bench: &Bench, set: &str| bench.run(&["check", "exp.ron", "--set", set]).exits(2).stderr;
    let set = "loaders.train.dataset.powr=3.0";
    assert!(refused(&before, set).contains("unknown field `powr`, expected one of `samples`, `level`"));
    let text = refused(&after, set);
    assert!(
        text.contains("expected one of `samples`, `level`, `power`") && text.contains("did you mean `power`?"),
        "{text}"
    );
    let text = refused(&after, "loaders.train.dataset.power=9.0");
    assert!(text.contains("`power` must be in 1.0..=4.0, got 9"), "{text}");
}

#[test]
fn schedule_tells_the_learning_rates_that_the_training_then_has() {
    let bench = Bench::by_epoch();
    let told = bench.run(&["schedule", "exp.ron", "--svg", "lr.svg"]).exits(0).stdout;
    golden("schedule.txt", &told);
    assert_eq!(bench.read("lr.svg").matches("<polyline").count(), 1);
    assert!(!bench.path("runs").exists());
    // rows of the table, behind the line of its header: iter, epoch, value
    let table: Vec<Vec<f64>> = told
        .lines()
        .skip_while(|line| !line.contains("iter  epoch"))
        .skip(1)
        .map_while(|line| line.split_whitespace().map(|cell| cell.parse().ok()).collect())
        .collect();
    bench.train(&[]).exits(0);
    let trained: Vec<(usize, f64)> = rows(&bench.path("runs/run"))
        .into_iter()
        .filter(|row| row["phase"] == "train")
        .map(|row| (row["iter"].as_u64().unwrap() as usize, row["lr"].as_f64().unwrap()))
        .collect();
    assert_eq!(trained.len(), 6);
    for (iter, lr) in trained {
        // a row tells the rate of the update that made it
        let planned = &table[iter - 1];
        assert!((planned[2] - lr).abs() <= 5e-4 * lr, "iter {iter}: {planned:?}, trained with {lr}");
    }
}

#[test]
fn schedule_says_what_only_a_training_tells() {
    let bench = Bench::by_epoch();
    let set = "schedule=[Plateau(monitor: \"val/loss\")]";
    let told = bench.run(&["schedule", "exp.ron", "--set", set]).exits(0).stdout;
    let note = "`Plateau` follows `val/loss`: what it will change is not known before the training";
    assert!(told.contains(note) && told.contains("0.02 to 0.02"), "{told}");
    let other = bench.run(&["schedule", "exp.ron", "--set", set, "--setting", "weight_decay"]).exits(0).stdout;
    assert!(!other.contains("Plateau"), "{other}");
}

#[test]
fn a_setting_that_no_optimizer_has_is_told_its_neighbour() {
    let bench = Bench::by_iter();
    bench.run(&["schedule", "exp.ron", "--setting", "weight_deca"]).exits(1).says("did you mean `weight_decay`?");
    let ended = bench.run(&["schedule", "exp.ron", "--svg", "exp.ron/lr.svg"]).exits(1);
    ended.says("can't make `exp.ron`");
}
