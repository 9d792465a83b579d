//! Brings libtorch into the user's cache, once for all checkouts.
//!
//! Everything is made in a folder beside the final one and moved there as the last step: what
//! carries the final name is complete, whenever and however an earlier set-up was stopped. Set-ups
//! that run at the same time wait for each other at a lock, which the system opens when its owner
//! dies; so whoever holds it may clear away what others left behind.

use crate::cache;
use crate::libtorch::{Kind, Libtorch, TORCH_VERSION, inspect};
use crate::machine;
use crate::problem::{Doing, Problem, Result};
use crate::python::{Python, With};
use std::fs;
use std::path::{Path, PathBuf};

/// The libtorch of `kind` in the folder `cache`; brings it if it is not there.
pub(crate) fn libtorch(cache: &Path, kind: Kind) -> Result<Libtorch> {
    let home = home(cache, kind);
    if let Ok(present) = complete(&home) {
        return Ok(present);
    }
    let python = ready_to_bring()?;
    let _lock = cache::lock(cache)?;
    // another set-up may have brought it while this one waited
    if let Ok(present) = complete(&home) {
        return Ok(present);
    }
    sweep(cache, None);
    enough_room(cache, kind)?;
    let staging = Staging::new(cache)?;
    fill(&python, &staging, kind)?;
    let fresh = staging.0.join("home");
    finish(&fresh)?;
    complete(&fresh)?;
    if home.exists() {
        // something damaged: `complete` refused it above
        fs::rename(&home, staging.0.join("damaged")).doing(|| format!("move `{}` away", home.display()))?;
    }
    fs::rename(&fresh, &home).doing(|| format!("move libtorch to `{}`", home.display()))?;
    // again: a child of a stopped set-up may have gone on writing for a moment
    sweep(cache, Some(&staging.0));
    eprintln!("    libtorch {TORCH_VERSION} ({}) is in `{}`", kind.word(), home.display());
    complete(&home)
}

/// Where the libtorch of `kind` lies in `cache`.
pub(crate) fn home(cache: &Path, kind: Kind) -> PathBuf {
    cache.join(format!("{TORCH_VERSION}-{}", kind.word()))
}

/// What else a program needs at run time, besides what [`inspect`] asks of any libtorch.
fn complete(home: &Path) -> Result<Libtorch> {
    let found = inspect(home, false)?;
    let names: Vec<String> = fs::read_dir(home.join("lib"))
        .doing(|| format!("read `{}`", home.join("lib").display()))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    for stem in ["libtorch.so", "libc10.so", "libgomp.so", "libcudart.so", "libcupti.so"] {
        if !names.iter().any(|name| name.starts_with(stem)) {
            return Err(Problem::new(format!("`{}` has no `{stem}`", home.join("lib").display())));
        }
    }
    Ok(found)
}

/// Downloads the wheels and unpacks them into `home` of the staging folder.
fn fill(python: &Python, staging: &Staging, kind: Kind) -> Result<()> {
    let (wheels, temporary, home) = (staging.0.join("wheels"), staging.0.join("tmp"), staging.0.join("home"));
    let size = if kind == Kind::Cuda { "2.5 GB" } else { "0.6 GB" };
    eprintln!("==> downloading libtorch {TORCH_VERSION} ({}, about {size}) with pip", kind.word());
    let torch = format!("torch=={TORCH_VERSION}");
    python.download(&[torch], With::ThemAlone, &wheels, &temporary)?;
    let torch = files(&wheels)?.pop().ok_or_else(|| Problem::new("pip downloaded no wheel of torch"))?;
    let needed = needed(&python.metadata(&torch)?, kind);
    unpack(python, &torch, &home, kind)?;
    python.download(&needed, With::WhatTheyNeed, &wheels, &temporary)?;
    for wheel in files(&wheels)? {
        unpack(python, &wheel, &home, kind)?;
    }
    Ok(())
}

/// Unpacks a wheel and removes it, so that the room it takes is free for the next.
fn unpack(python: &Python, wheel: &Path, home: &Path, kind: Kind) -> Result<()> {
    let name = wheel.file_name().unwrap_or_default();
    eprintln!("    unpacking {}", name.display());
    python.unpack(wheel, home, kind == Kind::Cuda)?;
    fs::remove_file(wheel).doing(|| format!("remove `{}`", wheel.display()))
}

/// The wheels of NVIDIA's libraries that the metadata of torch names, without its other needs.
///
/// For the CPU these are the two that `libtorch_cpu.so` is linked to: the CUDA runtime and the
/// profiler's interface.
fn needed(metadata: &str, kind: Kind) -> Vec<String> {
    let lines = metadata.lines().filter_map(|line| line.strip_prefix("Requires-Dist: "));
    let plain =
        lines.filter(|line| !line.contains("extra ==")).map(|line| line.split(';').next().unwrap_or(line).trim());
    plain
        .filter_map(|requirement| match kind {
            Kind::Cuda => ["cuda-toolkit", "nvidia-"]
                .iter()
                .any(|name| requirement.starts_with(name))
                .then(|| requirement.to_owned()),
            Kind::Cpu if requirement.starts_with("cuda-toolkit[") => {
                requirement.split_once(']').map(|(_, version)| format!("cuda-toolkit[cudart,cupti]{version}"))
            }
            Kind::Cpu => ["nvidia-cuda-runtime", "nvidia-cuda-cupti"]
                .iter()
                .any(|name| requirement.starts_with(name))
                .then(|| requirement.to_owned()),
        })
        .collect()
}

/// Adds the two files that no wheel has.
fn finish(home: &Path) -> Result<()> {
    // The wheel's own `libtorch.so` is empty but for needing the CUDA libraries too. A linker that
    // is asked for `-ltorch` reads this instead; the CUDA part is loaded at run time, so that one
    // program serves machines of both kinds.
    fs::write(home.join("lib/libtorch.so"), "INPUT(-ltorch_cpu)\n")
        .and_then(|()| fs::write(home.join("build-version"), format!("{TORCH_VERSION}\n")))
        .doing(|| format!("write to `{}`", home.display()))
}

/// Refuses machines that the wheels are not for, and finds the Python that brings them.
fn ready_to_bring() -> Result<Python> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        let text = "libtorch can be brought only for Linux on x86-64 with the GNU C library";
        return Err(
            Problem::new(text).mended_by(format!("export LIBTORCH=DIR with a libtorch {TORCH_VERSION} of your own"))
        );
    }
    Python::find()
}

/// Removes what set-ups left that were stopped, but not `own`. What cannot be removed is in nobody's
/// way.
fn sweep(cache: &Path, own: Option<&Path>) {
    for path in files(cache).unwrap_or_default() {
        let is_staging = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(STAGING));
        if is_staging && Some(path.as_path()) != own && fs::remove_dir_all(&path).is_ok() {
            eprintln!("    cleared away what a stopped set-up left in `{}`", path.display());
        }
    }
}

/// Asks for the room that the download, its copy and the unpacked files take at the worst moment.
fn enough_room(cache: &Path, kind: Kind) -> Result<()> {
    const GB: u64 = 1_000_000_000;
    let wanted = if kind == Kind::Cuda { 9 * GB } else { 3 * GB / 2 };
    match machine::free_bytes(cache) {
        Some(free) if free < wanted => {
            let tenths = |bytes: u64| format!("{}.{}", bytes / GB, bytes % GB / (GB / 10));
            let text = format!(
                "too little room in `{}`: {} GB are free, {} GB are needed to bring libtorch",
                cache.display(),
                tenths(free),
                tenths(wanted)
            );
            Err(Problem::new(text).mended_by("free some disk space, or set XDG_CACHE_HOME to a folder on another disk"))
        }
        _ => Ok(()),
    }
}

/// The entries of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).doing(|| format!("read `{}`", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

const STAGING: &str = ".staging-";

/// A folder beside the final one, gone at the end whatever happened.
struct Staging(PathBuf);

impl Staging {
    fn new(cache: &Path) -> Result<Self> {
        let path = cache.join(format!("{STAGING}{}", std::process::id()));
        fs::create_dir_all(path.join("home")).doing(|| format!("create `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const METADATA: &str = "\
Name: torch
Requires-Dist: filelock
Requires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.0.2; platform_system == \"Linux\"
Requires-Dist: cuda-bindings<14,>=13.0.3; platform_system == \"Linux\"
Requires-Dist: nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"
Requires-Dist: triton==3.6.0; platform_system == \"Linux\"
Requires-Dist: nvidia-something; extra == \"something\"
";

    #[test]
    fn for_cuda_all_libraries_that_torch_names_are_needed_and_nothing_else() {
        let wanted = ["cuda-toolkit[cublas,cudart,cupti]==13.0.2", "nvidia-cudnn-cu13==9.19.0.56"];
        assert_eq!(needed(METADATA, Kind::Cuda), wanted);
    }

    #[test]
    fn for_the_cpu_the_two_linked_libraries_are_needed_in_the_version_torch_names() {
        assert_eq!(needed(METADATA, Kind::Cpu), ["cuda-toolkit[cudart,cupti]==13.0.2"]);
        let older = "Requires-Dist: nvidia-cuda-runtime==13.0.96; a\nRequires-Dist: nvidia-cuda-cupti==13.0.85; a\nRequires-Dist: nvidia-cublas==13.1; a\n";
        assert_eq!(needed(older, Kind::Cpu), ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]);
    }

    #[test]
    fn what_a_stopped_set_up_left_is_swept_and_nothing_else() {
        let scratch = Scratch::new("sweep");
        scratch.file(".staging-1/wheels/half.whl", "");
        scratch.file("2.0.0-cpu/lib/libtorch_cpu.so", "");
        sweep(scratch.path(), None);
        assert!(!scratch.path().join(".staging-1").exists());
        assert!(scratch.path().join("2.0.0-cpu/lib/libtorch_cpu.so").exists());
    }

    #[test]
    fn cache_folder_that_lost_a_library_is_not_complete() {
        let scratch = Scratch::new("complete");
        let libraries =
            ["libtorch.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13", "libtorch_cpu.so"];
        for name in libraries {
            scratch.file(&format!("lib/{name}"), "");
        }
        scratch.file("include/ATen/ATen.h", "");
        scratch.file("build-version", TORCH_VERSION);
        assert!(complete(scratch.path()).is_ok());
        for name in libraries {
            let path = scratch.path().join("lib").join(name);
            fs::remove_file(&path).unwrap();
            assert!(complete(scratch.path()).is_err(), "complete without `{name}`");
            fs::write(&path, "").unwrap();
        }
    }

    #[test]
    fn staging_folder_is_gone_after_a_failure() {
        let scratch = Scratch::new("staging");
        let path = Staging::new(scratch.path()).unwrap().0.clone();
        assert!(!path.exists());
    }
}
