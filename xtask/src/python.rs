//! Python 3 with pip, which brings the wheels that libtorch lies in, and makes the environments of peers.
//!
//! Nothing is installed into anyone's Python, so the mark by which a distribution forbids that ("externally managed")
//! does not matter.

use crate::machine::{self, Package};
use crate::problem::{Doing, Problem, Result};
use std::env;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a download that is not watched on a terminal says how far it is.
const REPORT: Duration = Duration::from_secs(5);

/// What to do when pip has failed.
const PIP_FAILED: &str = "where it speaks of the network, look at that (and at PIP_INDEX_URL, if you use a mirror); \
                          where of room on the device, free some; then run this again";

/// A Python 3 with pip and all that is needed to unpack wheels.
#[derive(Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// The first Python 3 in `PATH` that has pip; a distribution's own comes last, for people whose
    /// environment has none.
    pub(crate) fn find() -> Result<Self> {
        let mend = machine::install(Package::Pip);
        let found = machine::program("python3")
            .ok_or_else(|| Problem::new("there is no `python3`").mended_by(mend.as_str()))?;
        let system = PathBuf::from("/usr/bin/python3");
        let candidates = [found.clone(), system];
        let works = |python: &&PathBuf| succeeds(Command::new(python).args(["-c", "import pip, zipfile, zlib"]));
        match candidates.iter().find(works) {
            Some(python) => Ok(Self(python.clone())),
            None => Err(Problem::new(format!("`{}` has no pip", found.display())).mended_by(mend)),
        }
    }

    /// The first Python of the versions 3.`oldest` to 3.`newest` that has pip and can make environments.
    pub(crate) fn between(oldest: u32, newest: u32) -> Result<Self> {
        let check =
            format!("import sys, pip, venv; sys.exit(not (3, {oldest}) <= sys.version_info[:2] <= (3, {newest}))");
        let named = (oldest..=newest).rev().map(|minor| format!("python3.{minor}"));
        let named = ["python3".to_owned()].into_iter().chain(named).filter_map(|name| machine::program(&name));
        let mut candidates = named.chain([PathBuf::from("/usr/bin/python3")]);
        let found = candidates.find(|python| succeeds(Command::new(python).args(["-c", &check])));
        found.map(Self).ok_or_else(|| {
            Problem::new(format!("there is no Python 3.{oldest} to 3.{newest} with pip and venv in PATH"))
                .mended_by(machine::install(Package::Pip))
        })
    }

    /// The version of Python, and where it lies.
    pub(crate) fn describe(&self) -> String {
        let version = machine::first_line(Command::new(&self.0).arg("--version")).unwrap_or_default();
        let pip = machine::first_line(Command::new(&self.0).args(["-m", "pip", "--version"])).unwrap_or_default();
        let pip = pip.split(" from ").next().unwrap_or_default().to_owned();
        format!("{version}, {pip} ({})", self.0.display())
    }

    /// Downloads the wheels of `requirements` into `folder`, through temporary files in `temporary`.
    ///
    /// Only the libraries in the wheels matter, so they are asked for one fixed interpreter,
    /// whichever runs pip: the same wheels on every machine.
    pub(crate) fn download(&self, requirements: &[String], what: With, folder: &Path, temporary: &Path) -> Result<()> {
        fs::create_dir_all(temporary).doing(|| format!("create `{}`", temporary.display()))?;
        let mut pip = Command::new(&self.0);
        pip.args(["-m", "pip", "download", "--no-input", "--no-cache-dir", "--disable-pip-version-check"])
            .args(["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.12"])
            .args(platforms().iter().flat_map(|platform| ["--platform", platform]))
            .arg("--dest")
            .arg(folder)
            .env("TMPDIR", temporary)
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .stdin(Stdio::null());
        if what == With::ThemAlone {
            pip.arg("--no-deps");
        }
        pip.args(requirements);
        // a file is copied from the temporary folder when it is complete; the larger counts
        let status = watched(pip, || size(temporary).max(size(folder)))?;
        if status.success() {
            return Ok(());
        }
        let text = format!("pip could not download `{}`; its own words are above", requirements.join("` `"));
        Err(Problem::new(text).mended_by(PIP_FAILED))
    }

    /// Makes an environment in `folder` with the packages of the file `pins` and nothing else.
    ///
    /// This pip installs into the environment from outside: a pip of its own would need `ensurepip`, which Debian
    /// packs apart from Python.
    pub(crate) fn environment(&self, folder: &Path, pins: &Path) -> Result<()> {
        let made = Command::new(&self.0)
            .args(["-m", "venv", "--without-pip"])
            .arg(folder)
            .stdin(Stdio::null())
            .status()
            .doing(|| format!("run `{}`", self.0.display()))?;
        if !made.success() {
            return Err(Problem::new(format!("`{} -m venv` failed; its own words are above", self.0.display())));
        }
        let mut pip = Command::new(&self.0);
        pip.args(["-m", "pip", "--python"])
            .arg(folder.join("bin/python"))
            .args(["install", "--no-input", "--disable-pip-version-check", "--only-binary=:all:"])
            // the list is complete, and each file in it is known
            .args(["--no-deps", "--require-hashes", "--requirement"])
            .arg(pins)
            .env_remove("PYTHONPATH")
            .env("PIP_USER", "0")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .stdin(Stdio::null());
        if watched(pip, || size(folder))?.success() {
            return Ok(());
        }
        let text = format!("pip could not install what `{}` lists; its own words are above", pins.display());
        Err(Problem::new(text).mended_by(PIP_FAILED))
    }

    /// The metadata of a wheel, as its text.
    pub(crate) fn metadata(&self, wheel: &Path) -> Result<String> {
        let output =
            self.script().arg("metadata").arg(wheel).output().doing(|| format!("run `{}`", self.0.display()))?;
        if !output.status.success() {
            let text = format!(
                "cannot read the wheel `{}`: {}",
                wheel.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
            return Err(Problem::new(text));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Unpacks what a build needs of `wheel` into `home`.
    pub(crate) fn unpack(&self, wheel: &Path, home: &Path, with_cuda: bool) -> Result<()> {
        let kind = if with_cuda { "cuda" } else { "cpu" };
        let output =
            self.script().arg(kind).arg(wheel).arg(home).output().doing(|| format!("run `{}`", self.0.display()))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let problem = Problem::new(format!(
                "cannot unpack `{}`: {}",
                wheel.display(),
                words.lines().last().unwrap_or_default()
            ));
            return Err(if words.contains("No space left") {
                problem.mended_by("free some disk space")
            } else {
                problem
            });
        }
        Ok(())
    }

    fn script(&self) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["-c", include_str!("unpack.py")]).stdin(Stdio::null());
        command
    }
}

/// Which wheels to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// The named ones alone.
    ThemAlone,
    /// The named ones, and what they need.
    WhatTheyNeed,
}

/// The folder of the torch that the Python in use has, which the bindings would take by themselves
/// if `LIBTORCH_USE_PYTORCH` is set.
pub(crate) fn torch_home() -> Result<PathBuf> {
    const FIND: &str =
        "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
    let name = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    let python = machine::program(name).ok_or_else(|| {
        let problem = Problem::new(format!("LIBTORCH_USE_PYTORCH is set, but there is no `{name}`"));
        problem.mended_by(format!("{}, or unset LIBTORCH_USE_PYTORCH", machine::install(Package::Pip)))
    })?;
    let folder = machine::first_line(Command::new(&python).args(["-c", FIND])).filter(|folder| !folder.is_empty());
    folder.map(PathBuf::from).ok_or_else(|| {
        let problem = Problem::new(format!("LIBTORCH_USE_PYTORCH is set, but `{}` has no torch", python.display()));
        let version = crate::libtorch::TORCH_VERSION;
        problem.mended_by(format!("{name} -m pip install torch=={version}, or unset LIBTORCH_USE_PYTORCH"))
    })
}

/// The platforms that a wheel may be for. pip compares them letter by letter, so all the older ones
/// that the newest can stand for are named.
fn platforms() -> Vec<String> {
    let newer = (5..=28).rev().map(|minor| format!("manylinux_2_{minor}_x86_64"));
    let older = ["2014", "2010", "1"].iter().map(|name| format!("manylinux{name}_x86_64"));
    newer.chain(older).collect()
}

/// Runs pip to its end. On a terminal it shows its own progress; elsewhere this says how many bytes are there so far.
fn watched(mut pip: Command, so_far: impl Fn() -> u64) -> Result<ExitStatus> {
    let on_terminal = std::io::stdout().is_terminal();
    if !on_terminal {
        pip.args(["--quiet", "--progress-bar", "off"]);
    }
    let mut child = pip.spawn().doing(|| format!("run `{}`", pip.get_program().display()))?;
    let mut reported = Instant::now();
    loop {
        match child.try_wait().doing(|| "wait for pip".into())? {
            Some(status) => return Ok(status),
            None => std::thread::sleep(Duration::from_millis(100)),
        }
        if !on_terminal && reported.elapsed() >= REPORT {
            reported = Instant::now();
            eprintln!("    {} MB so far", so_far() / 1_000_000);
        }
    }
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The bytes in all files below `folder`; files that vanish meanwhile count nothing.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    /// Packs a wheel with the members that matter, and some that do not.
    fn wheel(scratch: &Scratch) -> PathBuf {
        const PACK: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for name in sys.argv[2:]:
        wheel.writestr(name, name)
";
        let path = scratch.path().join("some-1-py3-none-any.whl");
        let names = [
            "torch/lib/libtorch_cpu.so",
            "torch/lib/libtorch_cuda.so",
            "torch/lib/libtorch_python.so",
            "torch/lib/libtorch.so",
            "torch/include/ATen/ATen.h",
            "torch/nn/modules/linear.py",
            "nvidia/cu13/lib/libcudart.so.13",
            "nvidia/cu13/lib/libnvperf_host.so",
            "nvidia/cudnn/lib/libcudnn.so.9",
            "some-1.dist-info/METADATA",
            "torch/lib/../../../escaped.so",
        ];
        let packed = Command::new("python3").args(["-c", PACK]).arg(&path).args(names).status().unwrap();
        assert!(packed.success());
        path
    }

    fn unpacked(with_cuda: bool) -> Vec<String> {
        let scratch = Scratch::new(if with_cuda { "unpack-cuda" } else { "unpack-cpu" });
        let home = scratch.path().join("home");
        Python::find().unwrap().unpack(&wheel(&scratch), &home, with_cuda).unwrap();
        assert!(!scratch.path().join("escaped.so").exists());
        let mut names: Vec<_> = ["lib", "include/ATen"]
            .iter()
            .flat_map(|folder| fs::read_dir(home.join(folder)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn for_the_cpu_only_what_the_cpu_needs_is_unpacked() {
        assert_eq!(unpacked(false), ["ATen.h", "libcudart.so.13", "libtorch_cpu.so"]);
    }

    #[test]
    fn for_cuda_every_library_but_pythons_own_is_unpacked() {
        let names =
            ["ATen.h", "libcudart.so.13", "libcudnn.so.9", "libnvperf_host.so", "libtorch_cpu.so", "libtorch_cuda.so"];
        assert_eq!(unpacked(true), names);
    }

    #[test]
    fn metadata_of_a_wheel_is_found_by_its_place() {
        let scratch = Scratch::new("metadata");
        let text = Python::find().unwrap().metadata(&wheel(&scratch)).unwrap();
        assert_eq!(text, "some-1.dist-info/METADATA");
    }
}
