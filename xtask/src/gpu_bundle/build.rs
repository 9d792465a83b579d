//! Builds the programs of the bundle.

use crate::cargo::Cargo;
use crate::libtorch::Libtorch;
use crate::problem::{Problem, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// Its name in the bundle.
    pub(crate) name: &'static str,
    /// Where cargo has put it.
    pub(crate) path: PathBuf,
}

/// The names of the programs: the example, through which the engine is used as people use it, and the bench of steps.
const NAMES: [&str; 2] = ["digits", "step"];

/// Builds them in release, stripped, without a path to this machine's libtorch.
pub(super) fn programs(root: &Path, libtorch: &Libtorch, target: &Path) -> Result<Vec<Program>> {
    let cargo = Cargo::for_elsewhere(root, libtorch, target);
    let messages = cargo.output_of(
        "build --release -p digits -p engine --bin digits --bench step --message-format=json-render-diagnostics",
    )?;
    NAMES
        .into_iter()
        .map(|name| match executable(&messages, name) {
            Some(path) => Ok(Program { name, path }),
            None => Err(Problem::new(format!("cargo has built no program `{name}`"))),
        })
        .collect()
}

/// The commit of the checkout, and whether something was changed since.
pub(super) fn commit(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["log", "-1", "--format=%h of %cs"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?.lines().count();
    Some(if changed == 0 { commit } else { format!("{commit}, {changed} files changed since") })
}

/// Where cargo's messages say that the program `name` was put. They are JSON, one object a line, and of that only two
/// plain strings are looked for.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    const KEY: &str = r#""executable":""#;
    let target = format!(r#""name":"{name}""#);
    let line = messages.lines().rfind(|line| {
        line.contains(r#""reason":"compiler-artifact""#) && line.contains(&target) && line.contains(KEY)
    })?;
    let (_, rest) = line.split_once(KEY)?;
    let (path, _) = rest.split_once('"')?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_what_cargo_says() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"engine"},"executable":null,"fresh":true}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"step"},"executable":"/t/release/deps/step-0a1b"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"digits"},"executable":"/t/release/digits","fresh":false}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n",
        );
        assert_eq!(executable(messages, "step"), Some("/t/release/deps/step-0a1b".into()));
        assert_eq!(executable(messages, "digits"), Some("/t/release/digits".into()));
        assert_eq!(executable(messages, "engine"), None);
        assert_eq!(executable(messages, "other"), None);
    }
}
