//! What shells complete behind `--set`: paths and values, by the types of the trainer and the experiment in the line.

use crate::bench::Bench;
use std::process::Command;

fn candidates(bench: &Bench, word: &str, line: &[&str]) -> Vec<String> {
    let ended = bench.run(&[&["candidates", word, "--"], line].concat()).exits(0);
    assert_eq!(ended.stderr, "", "a shell would show it in the line");
    ended.stdout.lines().map(str::to_owned).collect()
}

const LINE: [&str; 3] = ["train", "exp.ron", "--set"];

#[test]
fn paths_are_completed_segment_by_segment() {
    let bench = Bench::by_epoch();
    let of = |word| candidates(&bench, word, &LINE);
    assert_eq!(of("optimizer.l"), ["optimizer.layer_decay=", "optimizer.lr="]);
    assert_eq!(of("mod"), ["model.", "model="]);
    assert_eq!(of("model.h"), ["model.hidden="]);
    assert_eq!(of("schedule.Lin"), ["schedule.Linear.", "schedule.Linear="]);
    assert_eq!(of("schedule.Linear.st"), ["schedule.Linear.start="]);
    assert_eq!(of("metrics.MeanL").last().map(String::as_str), Some("metrics.MeanLoss="));
    assert!(of("hooks.e").contains(&"hooks.ema.".to_owned()), "{:?}", of("hooks.e"));
    assert_eq!(of("loaders.train.dataset.sam"), ["loaders.train.dataset.samples="]);
    assert!(of("").len() > 15, "{:?}", of(""));
    for none in [
        "nothing",
        "model.hidden.",
        ".model",
        "model..",
        "optimizer.lr.x",
        "..",
        "schedule.7.",
        "ä",
        "=",
        "a=b=c",
        "model.=",
        "-",
    ] {
        assert_eq!(of(none), Vec::<String>::new(), "`{none}`");
    }
}

#[test]
fn values_are_those_that_the_type_knows_and_the_one_that_is_there() {
    let bench = Bench::by_epoch();
    let of = |word| candidates(&bench, word, &LINE);
    assert_eq!(of("device="), ["device=Auto", "device=Cpu", "device=Cuda("]);
    assert_eq!(of("device=C"), ["device=Cpu", "device=Cuda("]);
    assert_eq!(of("model.hidden="), ["model.hidden=8"]);
    assert_eq!(of("loaders.train.shuffle="), ["loaders.train.shuffle=false", "loaders.train.shuffle=true"]);
    assert_eq!(
        of("train.clip=N"),
        ["train.clip=None", "train.clip=Norm(", "train.clip=Norm(1.0)", "train.clip=Norms("]
    );
    assert!(of("optimizer=").contains(&"optimizer=Sgd(".to_owned()), "{:?}", of("optimizer="));
    assert!(of("custom_hooks.0=").contains(&"custom_hooks.0=EarlyStopping(".to_owned()));
}

#[test]
fn without_an_experiment_or_with_a_broken_one_paths_are_those_of_any() {
    let bench = Bench::by_epoch();
    for line in [&["train"][..], &["train", "gone.ron", "--set"], &[], &["train", "broken.ron"], &["train", "."]] {
        bench.write("broken.ron", "Experiment(name: ");
        assert_eq!(candidates(&bench, "model.h", line), ["model.hidden="], "{line:?}");
        assert!(candidates(&bench, "train.max_", line).contains(&"train.max_epochs=".to_owned()), "{line:?}");
    }
    // one with a mistake has its components
    bench.edit("lr: 0.02", "lr: \"fast\"");
    assert_eq!(candidates(&bench, "schedule.Lin", &LINE), ["schedule.Linear.", "schedule.Linear="]);
}

/// What bash would put into its line.
fn in_bash(bench: &Bench, word: &str) -> Vec<String> {
    bench.write("complete.sh", bench.run(&["completions", "bash"]).exits(0).stdout);
    // bash has broken the line at `=`, and `compopt` works only while it completes
    let last = word.rsplit(['=', ':']).next().unwrap();
    let asked = format!(
        "source ./complete.sh; compopt() {{ :; }}; COMP_LINE=\"$PROGRAM train exp.ron --set {word}\"; COMP_POINT=${{#COMP_LINE}}; \
         COMP_WORDS=(\"$PROGRAM\" train exp.ron --set '{last}'); COMP_CWORD=4; \
         _by_epoch_with_settings by_epoch '{last}' --set; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    bench.run_script(&["bash", "-c", &asked]).exits(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_settings_and_all_else_as_before() {
    let bench = Bench::by_epoch();
    assert_eq!(in_bash(&bench, "optimizer.l"), ["optimizer.layer_decay=", "optimizer.lr="]);
    // what stands before the `=` is in the line already
    assert_eq!(in_bash(&bench, "device=C"), ["Cpu", "Cuda("]);
    assert_eq!(in_bash(&bench, "device="), ["Auto", "Cpu", "Cuda("]);
    let asked = "source ./complete.sh; compopt() { :; }; COMP_LINE='by_epoch tr'; COMP_POINT=11; COMP_WORDS=(by_epoch tr); COMP_CWORD=1; \
                 _by_epoch_with_settings by_epoch tr by_epoch; echo ${COMPREPLY[@]}";
    assert_eq!(bench.run_script(&["bash", "-c", asked]).exits(0).stdout.trim(), "train");
}

#[test]
fn zsh_and_fish_ask_the_program_where_they_are_installed() {
    let bench = Bench::by_epoch();
    let script = |shell: &str| bench.run(&["completions", shell]).exits(0).stdout;
    let zsh = script("zsh");
    assert!(zsh.starts_with("#compdef by_epoch\n"), "{}", &zsh[..200]);
    assert!(zsh.matches(":PATH=VALUE:_by_epoch_settings'").count() > 5 && !zsh.contains(":PATH=VALUE:_default'"));
    assert!(zsh.contains("'*:experiments") && !zsh.contains("'*::experiments"));
    bench.write("complete.zsh", &zsh);
    bench.write("complete.fish", script("fish"));
    let has = |shell: &str| Command::new(shell).arg("--version").output().is_ok_and(|tried| tried.status.success());
    if has("zsh") {
        bench.run_script(&["zsh", "-n", "complete.zsh"]).exits(0);
    } else {
        println!("left out: there is no zsh");
    }
    if has("fish") {
        let asked = "set -x PATH (dirname $PROGRAM) $PATH; source complete.fish; complete -C 'by_epoch train exp.ron --set device=C'";
        assert_eq!(bench.run_script(&["fish", "-c", asked]).exits(0).stdout, "device=Cpu\ndevice=Cuda(\n");
    } else {
        println!("left out: there is no fish");
    }
}
