//! The chores: demo, test, ci and link, each a short list of steps.

use crate::args::{Bench, Device, Peers, Torture};
use crate::cargo::Cargo;
use crate::cargo_config::{self, Linked};
use crate::libtorch::Libtorch;
use crate::peers;
use crate::problem::{Doing, Problem, Result};
use crate::setup;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Brings libtorch and says what can be done next.
pub(crate) fn setup(root: &Path, device: Option<Device>) -> Result<()> {
    let libtorch = setup::set_up(root, device)?;
    println!("ready: libtorch {} ({}) in `{}`", libtorch.version, libtorch.kind.word(), libtorch.home.display());
    println!("plain `cargo build`, `cargo test`, `cargo run` and an editor work now");
    println!("next: `cargo xtask demo` trains an example, `cargo xtask test` runs all tests");
    Ok(())
}

/// What the digits example reaches on its validation set, with room to spare.
const DEMO_ACCURACY: f64 = 0.98;

/// Trains the digits example, and says how good it got and where to look.
pub(crate) fn demo(root: &Path, device: Option<Device>) -> Result<()> {
    let (_, cargo) = ready(root, device)?;
    // the dev profile: the bindings of libtorch, which take most of the time, are then compiled
    // once for the demo, the tests and the editor, and a step spends its time in libtorch anyway
    cargo.run("run -p digits -- train examples/digits/experiments/digits.ron --fresh")?;
    let run = latest_run(&root.join("runs"))?;
    let shown = run.strip_prefix(root).unwrap_or(&run).display();
    let lines = fs::read_to_string(run.join("metrics.jsonl")).doing(|| format!("read `{shown}/metrics.jsonl`"))?;
    println!();
    let accuracy = last_accuracy(&lines).unwrap_or("not measured");
    let rounded = accuracy.parse::<f64>().map_or(accuracy.to_owned(), |share| format!("{share:.4}"));
    println!("accuracy on the validation set: {rounded}");
    println!("where to look:");
    println!("  {shown}/log.txt          what was printed");
    println!("  {shown}/metrics.jsonl    every number, one object a line");
    println!("  {shown}/experiment.ron   the whole experiment; it runs again as it is");
    println!("  {shown}/checkpoints/     what was saved");
    println!("  examples/digits/         the code, to be copied and changed");
    println!("  cargo run -p digits -- board   all runs, in a browser");
    match accuracy.parse::<f64>() {
        Ok(value) if value >= DEMO_ACCURACY => Ok(()),
        _ => {
            Err(Problem::new(format!("the demo reached an accuracy of {accuracy}, expected at least {DEMO_ACCURACY}")))
        }
    }
}

/// Runs all tests; the later parts also when an earlier one failed.
pub(crate) fn test(root: &Path, device: Option<Device>, peers: Peers) -> Result<()> {
    let (_, cargo) = ready(root, device)?;
    all_tests(&cargo, peers)
}

/// All that must pass before a change lands.
///
/// The cheap checks come first. All steps use the dev profile and the same flags for rustc, so that
/// the bindings of libtorch are compiled by the first of them alone.
pub(crate) fn ci(root: &Path, peers: Peers) -> Result<()> {
    let (libtorch, cargo) = ready(root, None)?;
    cargo.run("fmt --all --check")?;
    cargo.run("clippy --workspace --all-targets -- -D warnings")?;
    // the packages above have every feature
    cargo.run("check -p engine --no-default-features")?;
    cargo.strict_docs(&libtorch)?.run("doc --workspace --no-deps")?;
    all_tests(&cargo, peers)
}

/// Kills trainings and resumes them.
pub(crate) fn torture(root: &Path, Torture { ranks, kills, seed }: Torture) -> Result<()> {
    let (_, cargo) = ready(root, None)?;
    let numbers = [("ENGINE_TORTURE_KILLS", kills), ("ENGINE_TORTURE_SEED", seed)];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name, number?.to_string())));
    // the selection of packages is that of all tests, so that nothing is compiled twice
    let tests = if ranks { "ranks::torture" } else { "torture::sigkill" };
    cargo.with(numbers.collect()).run(&format!("test --workspace --test process {tests} -- --nocapture"))
}

/// Measures what the engine costs.
pub(crate) fn bench(root: &Path, bench: &Bench) -> Result<()> {
    let (_, cargo) = ready(root, None)?;
    crate::bench::run(root, &cargo, bench)
}

/// Makes the package in `dir` build with this checkout's libtorch.
pub(crate) fn link(root: &Path, dir: &Path) -> Result<()> {
    let dir = fs::canonicalize(dir).doing(|| format!("open the folder `{}`", dir.display()))?;
    let libtorch = setup::of_checkout(root)?;
    if dir.starts_with(root) {
        println!("`{}` lies in this checkout, whose settings already hold for it", dir.display());
        return Ok(());
    }
    match cargo_config::link(&dir, &libtorch.home)? {
        Linked::Done(path) => println!("`{}` tells cargo where libtorch lies", path.display()),
        Linked::Refused(path, add) => {
            let problem = Problem::new(format!("`{}` has content of its own, which is left alone", path.display()));
            return Err(problem
                .mended_by(format!("add this to it, and to a list that is there already its one entry:\n\n{add}")));
        }
    }
    Ok(())
}

fn ready(root: &Path, device: Option<Device>) -> Result<(Libtorch, Cargo)> {
    let libtorch = setup::set_up(root, device)?;
    let cargo = Cargo::new(root, &libtorch)?;
    Ok((libtorch, cargo))
}

fn all_tests(cargo: &Cargo, peers: Peers) -> Result<()> {
    // first: what can't be brought is told before the long part
    let with_peers = match peers {
        Peers::Wanted => Some(cargo.with(peers::bring()?)),
        Peers::LeftOut => None,
    };
    let done = [
        cargo.run("test --workspace --no-fail-fast"),
        cargo.run("test --manifest-path ui-tests/Cargo.toml --target-dir target/ui"),
        with_peers.map_or(Ok(()), |cargo| tests_with_peers(&cargo)),
    ];
    let failed: Vec<&str> = done.iter().filter_map(|part| part.as_ref().err()).map(Problem::text).collect();
    if failed.is_empty() { Ok(()) } else { Err(Problem::new(failed.join(", and "))) }
}

/// The tests that plain `cargo test` ignores: those in a module `peers`, whichever program it is in.
fn tests_with_peers(cargo: &Cargo) -> Result<()> {
    const TESTS: &str = "test --workspace --tests --no-fail-fast peers:: -- --ignored";
    // a filter that fits nothing is no failure to cargo
    if !cargo.output_of(&format!("{TESTS} --list"))?.lines().any(|line| line.ends_with(": test")) {
        return Err(Problem::new("no test compares with a peer: is there no module `peers` any more?"));
    }
    cargo.run(TESTS)
}

/// The folder of the run whose numbers were written last.
fn latest_run(runs: &Path) -> Result<PathBuf> {
    let written = |run: &Path| fs::metadata(run.join("metrics.jsonl")).and_then(|meta| meta.modified()).ok();
    let entries = fs::read_dir(runs).doing(|| format!("read `{}`", runs.display()))?;
    let run = entries.flatten().filter_map(|entry| written(&entry.path()).map(|time| (time, entry.path())));
    let latest: Option<(SystemTime, PathBuf)> = run.max();
    latest.map(|(_, run)| run).ok_or_else(|| Problem::new(format!("the training left no run in `{}`", runs.display())))
}

/// The accuracy in the last line of the phase `val`, as it is written there.
fn last_accuracy(lines: &str) -> Option<&str> {
    let line = lines.lines().rfind(|line| line.contains(r#""phase":"val""#))?;
    let (_, value) = line.split_once(r#""accuracy":"#)?;
    value.split([',', '}']).next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn accuracy_is_that_of_the_last_validation() {
        let lines = concat!(
            r#"{"phase":"val","epoch":1,"iter":23,"time":1.5,"accuracy":0.5,"loss":1.0}"#,
            "\n",
            r#"{"phase":"val","epoch":2,"iter":46,"time":2.5,"loss":0.1,"accuracy":0.975}"#,
            "\n",
            r#"{"phase":"train","epoch":2,"iter":50,"time":2.6,"loss":0.2,"accuracy":0.1}"#,
            "\n",
        );
        assert_eq!(last_accuracy(lines), Some("0.975"));
        assert_eq!(last_accuracy(""), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the times of files are what is tested")]
    fn latest_run_is_the_one_written_last_not_the_one_named_last() {
        let scratch = Scratch::new("latest");
        scratch.file("zebra/metrics.jsonl", "");
        let hour = std::time::Duration::from_secs(3600);
        let old = fs::File::options().write(true).open(scratch.path().join("zebra/metrics.jsonl")).unwrap();
        old.set_modified(SystemTime::now() - hour).unwrap();
        scratch.file("ant/metrics.jsonl", "");
        assert_eq!(latest_run(scratch.path()), Ok(scratch.path().join("ant")));
    }
}
