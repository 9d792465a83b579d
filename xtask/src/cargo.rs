//! Runs cargo on this checkout as a person would who has no variable set.

use crate::cargo_config::rpath;
use crate::libtorch::Libtorch;
use crate::problem::{Doing, Problem, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// cargo, with the variables that make it find a libtorch.
#[derive(Debug, Clone)]
pub(crate) struct Cargo {
    root: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// Whether what is built runs on another machine.
    elsewhere: bool,
}

impl Cargo {
    /// cargo in the checkout at `root`, building with `libtorch`.
    ///
    /// xtask itself was started by cargo, with the settings of that moment in its environment,
    /// where they win over the files that a set-up has written since: so they are said again.
    /// Flags that somebody gives in `RUSTFLAGS` replace those of the files; the one by which
    /// programs find libtorch is added to them.
    pub(crate) fn new(root: &Path, libtorch: &Libtorch) -> Result<Self> {
        let home = libtorch.home.to_str().unwrap_or_default().to_owned();
        let rpath = rpath(&libtorch.home)?;
        let mut environment = vec![("LIBTORCH", home)];
        for (encoded, plain) in [FLAGS, DOC_FLAGS] {
            if let Some(given) = given(encoded, plain) {
                environment.push((encoded, extended(given, &rpath)));
            }
        }
        Ok(Self { root: root.to_path_buf(), environment, elsewhere: false })
    }

    /// cargo that builds programs for another machine, in a target folder of their own: stripped, and without the path
    /// by which programs of this machine find their libtorch.
    pub(crate) fn for_elsewhere(root: &Path, libtorch: &Libtorch, target: &Path) -> Self {
        let word = |path: &Path| path.to_str().unwrap_or_default().to_owned();
        let environment = vec![
            ("LIBTORCH", word(&libtorch.home)),
            ("CARGO_TARGET_DIR", word(target)),
            // empty is not absent: it replaces the flags of cargo's files, which hold that path
            (FLAGS.0, String::new()),
            ("CARGO_PROFILE_RELEASE_STRIP", "symbols".to_owned()),
            ("CARGO_PROFILE_RELEASE_DEBUG", "0".to_owned()),
        ];
        Self { root: root.to_path_buf(), environment, elsewhere: true }
    }

    /// The same, with warnings of rustdoc as errors.
    pub(crate) fn strict_docs(&self, libtorch: &Libtorch) -> Result<Self> {
        let mut strict = self.clone();
        let mut flags = given(DOC_FLAGS.0, DOC_FLAGS.1).unwrap_or_default();
        flags.extend(["-D".to_owned(), "warnings".to_owned()]);
        strict.environment.retain(|(name, _)| *name != DOC_FLAGS.0);
        strict.environment.push((DOC_FLAGS.0, extended(flags, &rpath(&libtorch.home)?)));
        Ok(strict)
    }

    /// The same, with more variables for what it runs.
    pub(crate) fn with(&self, variables: Vec<(&'static str, String)>) -> Self {
        let mut more = self.clone();
        more.environment.extend(variables);
        more
    }

    /// Runs cargo with `args`, a line of words that hold no space. What it prints is shown as it
    /// comes.
    pub(crate) fn run(&self, args: &str) -> Result<()> {
        let status = self.command(args).status().doing(|| "run cargo".into())?;
        if status.success() { Ok(()) } else { Err(Problem::new(format!("`cargo {args}` failed"))) }
    }

    /// As [`Cargo::run`]; gives what cargo prints to its standard output, which is not shown.
    pub(crate) fn output_of(&self, args: &str) -> Result<String> {
        let output = self.command(args).stderr(Stdio::inherit()).output().doing(|| "run cargo".into())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Problem::new(format!("`cargo {args}` failed"))),
        }
    }

    fn command(&self, args: &str) -> Command {
        eprintln!("==> cargo {args}");
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(args.split(' '))
            .current_dir(&self.root)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if self.elsewhere {
            // the bindings would ask it before `LIBTORCH`
            command.env_remove("LIBTORCH_USE_PYTORCH");
        }
        command
    }
}

/// The name of a variable that replaces the flags of cargo's files and lacks the one by which
/// programs find libtorch, if there is one.
pub(crate) fn in_the_way(rpath: &str) -> Option<&'static str> {
    let lacks = |(encoded, plain): &(&str, &str)| {
        given(encoded, plain).is_some_and(|flags| !flags.iter().any(|flag| flag == rpath))
    };
    let (encoded, plain) = [FLAGS, DOC_FLAGS].into_iter().find(lacks)?;
    Some(if env::var_os(encoded).is_some() { encoded } else { plain })
}

/// Where cargo looks for flags, the first one first: words apart by `\x1f`, or by spaces.
const FLAGS: (&str, &str) = ("CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS");
const DOC_FLAGS: (&str, &str) = ("CARGO_ENCODED_RUSTDOCFLAGS", "RUSTDOCFLAGS");

fn given(encoded: &str, plain: &str) -> Option<Vec<String>> {
    let words = |text: String, separator: char| {
        text.split(separator).filter(|word| !word.is_empty()).map(String::from).collect()
    };
    match env::var(encoded) {
        Ok(text) => Some(words(text, '\x1f')),
        Err(_) => env::var(plain).ok().map(|text| words(text, ' ')),
    }
}

fn extended(mut flags: Vec<String>, rpath: &str) -> String {
    if !flags.iter().any(|flag| flag == rpath) {
        flags.push(rpath.to_owned());
    }
    flags.join("\x1f")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_environment_keep_their_place_and_get_the_rpath_once() {
        let flags = || vec!["-D".to_owned(), "warnings".to_owned()];
        let rpath = "-Clink-arg=-Wl,-rpath,/a b/lib";
        assert_eq!(extended(flags(), rpath), "-D\x1fwarnings\x1f-Clink-arg=-Wl,-rpath,/a b/lib");
        let with = [flags(), vec![rpath.to_owned()]].concat();
        assert_eq!(extended(with.clone(), rpath), with.join("\x1f"));
    }
}
