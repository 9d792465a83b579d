//! Looks over the machine and this checkout: what is there, what is missing, what mends it.
//!
//! Changes nothing, and brings nothing.

use crate::bring;
use crate::cache;
use crate::cargo;
use crate::cargo_config::{Settings, rpath};
use crate::libtorch::{self, Kind, Libtorch};
use crate::machine::{self, Driver, OLDEST_DRIVER};
use crate::problem::{Problem, Result};
use crate::python::Python;
use crate::setup::{FORGET, Variables};
use std::path::Path;
use std::process::Command;

/// The oldest Rust that the workspace is written for, as in its `Cargo.toml`.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    state: State,
}

#[derive(Debug)]
enum State {
    /// As it should be.
    Good(String),
    /// Works, but somebody may wonder.
    Note(Problem),
    /// Something needed is missing or wrong.
    Bad(Problem),
}

/// Prints everything that was looked at; an error if something needed is missing.
pub(crate) fn report(root: &Path) -> Result<()> {
    let findings = look(root);
    for finding in &findings {
        println!("{}", shown(finding));
    }
    match findings.iter().filter(|finding| matches!(finding.state, State::Bad(_))).count() {
        0 => Ok(()),
        1 => Err(Problem::new("1 thing that is needed is missing or wrong")),
        several => Err(Problem::new(format!("{several} things that are needed are missing or wrong"))),
    }
}

fn look(root: &Path) -> Vec<Finding> {
    let settings = Settings::of(root);
    let variables = Variables::read();
    let libtorch = settings.as_ref().map(|settings| libtorch::inspect(&settings.home, variables.any_version));
    let present = libtorch.as_ref().and_then(|found| found.as_ref().ok());
    let mut findings = vec![
        Finding { what: "rust", state: rust() },
        Finding { what: "C++ compiler", state: needed(machine::cxx()) },
        Finding { what: "Python and pip", state: python(present.is_some()) },
        Finding { what: "NVIDIA driver", state: driver(machine::driver(), present) },
        Finding { what: "checkout", state: checkout(settings.as_ref()) },
        Finding { what: "libtorch", state: libtorch_state(libtorch.clone()) },
        Finding { what: "cache", state: cache() },
    ];
    if let (Some(settings), Some(libtorch)) = (&settings, present) {
        findings.push(Finding { what: "its libraries", state: loadable(libtorch) });
        findings.push(Finding { what: "variables", state: variables_state(settings, &variables) });
    }
    findings
}

fn shown(finding: &Finding) -> String {
    let (mark, text, mend) = match &finding.state {
        State::Good(text) => ("ok     ", text.as_str(), None),
        State::Note(problem) => ("note   ", problem.text(), problem.mend()),
        State::Bad(problem) => ("PROBLEM", problem.text(), problem.mend()),
    };
    let line = format!("{mark}  {:<15}{text}", finding.what);
    match mend {
        Some(mend) => format!("{line}\n{:24}to mend it: {mend}", ""),
        None => line,
    }
}

fn needed(found: Result<String>) -> State {
    match found {
        Ok(text) => State::Good(text),
        Err(problem) => State::Bad(problem),
    }
}

fn rust() -> State {
    let mend = format!("rustup update stable    (Rust {OLDEST_RUST} or newer)");
    match machine::first_line(Command::new("rustc").arg("--version")) {
        None => State::Bad(Problem::new("`rustc --version` does not work").mended_by(mend)),
        Some(version) if is_old(&version) => State::Bad(Problem::new(format!("too old: {version}")).mended_by(mend)),
        Some(version) => State::Good(version),
    }
}

/// Whether a line like `rustc 1.95.0 (59807616e 2026-04-14)` is of an older Rust than is needed.
fn is_old(version: &str) -> bool {
    let numbers = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    };
    match (version.split(' ').nth(1).and_then(numbers), numbers(OLDEST_RUST)) {
        (Some(present), Some(oldest)) => present < oldest,
        _ => false,
    }
}

/// Python is needed to bring libtorch, and no more once it is there.
fn python(libtorch_is_there: bool) -> State {
    match Python::find() {
        Ok(python) => State::Good(python.describe()),
        Err(problem) if libtorch_is_there => State::Note(problem),
        Err(problem) => State::Bad(problem),
    }
}

fn driver(driver: Driver, libtorch: Option<&Libtorch>) -> State {
    let is_cpu = libtorch.is_some_and(|libtorch| libtorch.kind == Kind::Cpu);
    match driver {
        Driver::Missing => State::Good("none: training runs on the CPU".into()),
        Driver::Found(Some(version)) if version < OLDEST_DRIVER => {
            let text = format!("version {version} is too old for CUDA 13: training runs on the CPU");
            State::Note(
                Problem::new(text).mended_by(format!(
                    "install driver {OLDEST_DRIVER} or newer, then `cargo xtask setup --device cuda`"
                )),
            )
        }
        Driver::Found(_) if is_cpu => State::Note(
            Problem::new("there is one, but this libtorch is for the CPU only")
                .mended_by("cargo xtask setup --device cuda"),
        ),
        Driver::Found(Some(version)) => State::Good(format!("version {version}")),
        Driver::Found(None) => State::Good("there is one; it does not tell its version".into()),
    }
}

fn checkout(settings: Option<&Settings>) -> State {
    match settings {
        Some(settings) => State::Good(format!(
            "`.cargo/libtorch.toml` points to `{}` (source: {}, device: {})",
            settings.home.display(),
            settings.source.word(),
            settings.device.word(),
        )),
        None => {
            State::Bad(Problem::new("not set up: there is no `.cargo/libtorch.toml`").mended_by("cargo xtask setup"))
        }
    }
}

fn libtorch_state(found: Option<Result<Libtorch>>) -> State {
    match found {
        Some(Ok(libtorch)) => State::Good(format!("{} ({})", libtorch.version, libtorch.kind.word())),
        Some(Err(problem)) => State::Bad(Problem::new(problem.text()).mended_by(FORGET)),
        None => State::Bad(Problem::new("none was brought or chosen").mended_by("cargo xtask setup")),
    }
}

fn cache() -> State {
    let cache = match cache::folder("libtorch") {
        Ok(cache) => cache,
        Err(problem) => return State::Bad(problem),
    };
    let kinds = [Kind::Cpu, Kind::Cuda].into_iter().filter(|kind| bring::home(&cache, *kind).exists());
    let kinds: Vec<_> = kinds.map(Kind::word).collect();
    let held = if kinds.is_empty() { "nothing of this version".into() } else { kinds.join(", ") };
    State::Good(format!("`{}` holds: {held}", cache.display()))
}

/// Asks the system's loader whether everything that libtorch is linked to is found.
fn loadable(libtorch: &Libtorch) -> State {
    let library = libtorch.home.join("lib/libtorch_cpu.so");
    let Ok(output) = Command::new("ldd").arg(&library).output() else {
        return State::Good("not checked: there is no `ldd`".into());
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let missing: Vec<_> = text.lines().filter(|line| line.contains("not found")).map(str::trim).collect();
    if output.status.success() && missing.is_empty() {
        return State::Good("all found".into());
    }
    let words =
        if missing.is_empty() { String::from_utf8_lossy(&output.stderr).trim().to_owned() } else { missing.join("; ") };
    State::Bad(Problem::new(format!("`{}` cannot be loaded: {words}", library.display())).mended_by(FORGET))
}

fn variables_state(settings: &Settings, variables: &Variables) -> State {
    if variables.libtorch.as_ref().is_some_and(|home| *home != settings.home) {
        let text = "LIBTORCH names another folder than `.cargo/libtorch.toml`: what is built is not what is run";
        return State::Bad(Problem::new(text).mended_by("unset LIBTORCH, or `cargo xtask setup` to use its folder"));
    }
    if let Ok(rpath) = rpath(&settings.home)
        && let Some(name) = cargo::in_the_way(&rpath)
    {
        let text =
            format!("{name} is set, so cargo ignores the flags of its files, and programs will not find libtorch");
        return State::Bad(Problem::new(text).mended_by(format!("unset {name}, or add this to it: {rpath}")));
    }
    State::Good("none is in the way".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Device;
    use crate::cargo_config::Source;

    #[test]
    fn old_rust_is_recognised() {
        assert!(is_old("rustc 1.80.1 (abc 2024-01-01)"));
        assert!(!is_old("rustc 1.95.0 (59807616e 2026-04-14)"));
        assert!(!is_old("rustc 2.0.0 (abc 2030-01-01)"));
        assert!(!is_old("rustc 1.100.0-nightly (abc 2027-01-01)"));
    }

    #[test]
    fn finding_names_what_mends_it() {
        let finding = Finding { what: "libtorch", state: libtorch_state(None) };
        let text = shown(&finding);
        assert!(text.starts_with("PROBLEM  libtorch") && text.ends_with("to mend it: cargo xtask setup"), "{text}");
    }

    #[test]
    fn libtorch_of_a_variable_that_differs_from_the_recorded_one_is_a_problem() {
        let settings = Settings { home: "/a".into(), source: Source::Cache, device: Device::Auto };
        let differs = Variables { libtorch: Some("/b".into()), ..Variables::default() };
        assert!(matches!(variables_state(&settings, &differs), State::Bad(_)));
    }

    #[test]
    fn driver_without_a_libtorch_that_can_use_it_is_noted() {
        let libtorch = |kind| Libtorch { home: "/a".into(), kind, version: "1".into() };
        assert!(matches!(driver(Driver::Found(Some(600)), Some(&libtorch(Kind::Cpu))), State::Note(_)));
        assert!(matches!(driver(Driver::Found(Some(600)), Some(&libtorch(Kind::Cuda))), State::Good(_)));
        assert!(matches!(driver(Driver::Found(Some(470)), Some(&libtorch(Kind::Cuda))), State::Note(_)));
        assert!(matches!(driver(Driver::Missing, Some(&libtorch(Kind::Cpu))), State::Good(_)));
    }
}
