//! What is on this machine: programs, a C++ compiler, the NVIDIA driver, room on the disk.
//!
//! Looks only, and changes nothing.

use crate::problem::{Problem, Result};
use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest NVIDIA driver that runs CUDA 13.
pub(crate) const OLDEST_DRIVER: u32 = 580;

/// The NVIDIA driver, as far as it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// There is none.
    Missing,
    /// There is one; its major version, if it says it.
    Found(Option<u32>),
}

impl Driver {
    /// Whether the CUDA build of libtorch can use it. A driver that hides its version is trusted.
    pub(crate) fn is_usable(self) -> bool {
        match self {
            Self::Missing => false,
            Self::Found(version) => version.is_none_or(|version| version >= OLDEST_DRIVER),
        }
    }
}

/// A package that a distribution has under its own name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Package {
    /// The C++ compiler.
    Cxx,
    /// Python 3 with pip.
    Pip,
}

/// Looks for the NVIDIA driver: the kernel's module, the driver's library, or its program.
pub(crate) fn driver() -> Driver {
    if let Ok(text) = fs::read_to_string("/proc/driver/nvidia/version") {
        return Driver::Found(driver_version(&text));
    }
    let folders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64"];
    let library = folders.iter().any(|folder| Path::new(folder).join("libcuda.so.1").exists());
    if library || program("nvidia-smi").is_some() { Driver::Found(None) } else { Driver::Missing }
}

/// Where `name` lies in `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let is_program =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(is_program)
}

/// Compiles one line of C++17 that needs the standard library, as the bindings of libtorch will;
/// gives the compiler's own name and version.
pub(crate) fn cxx() -> Result<String> {
    let cxx = env::var("CXX").unwrap_or_else(|_| "c++".into());
    let mut words = cxx.split_whitespace();
    let compiler = words.next().unwrap_or("c++");
    let mend = match env::var_os("CXX") {
        Some(_) => format!("unset CXX, or {}", install(Package::Cxx)),
        None => install(Package::Cxx),
    };
    if program(compiler).is_none() && !Path::new(compiler).exists() {
        return Err(Problem::new(format!("no C++ compiler: there is no `{compiler}`")).mended_by(mend));
    }
    let args: Vec<&str> = words.collect();
    let check = Command::new(compiler)
        .args(&args)
        .args(["-std=c++17", "-x", "c++", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                // a compiler that is gone before it has read this is told by its exit status
                let _ = stdin.write_all(b"#include <optional>\nstd::optional<int> one = 1;\n");
            }
            child.wait()
        });
    if !check.is_ok_and(|status| status.success()) {
        let text = format!("the C++ compiler `{cxx}` cannot compile C++17 with its standard library");
        return Err(Problem::new(text).mended_by(mend));
    }
    Ok(first_line(Command::new(compiler).args(&args).arg("--version")).unwrap_or(cxx))
}

/// The command that installs `package` with this machine's package manager.
pub(crate) fn install(package: Package) -> String {
    let managers = [
        ("apt-get", "apt-get install -y g++", "apt-get install -y python3-pip"),
        ("dnf", "dnf install -y gcc-c++", "dnf install -y python3-pip"),
        ("zypper", "zypper install -y gcc-c++", "zypper install -y python3-pip"),
        ("pacman", "pacman -S --noconfirm gcc", "pacman -S --noconfirm python-pip"),
    ];
    let root = fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    for (manager, cxx, pip) in managers {
        if program(manager).is_some() {
            let command = match package {
                Package::Cxx => cxx,
                Package::Pip => pip,
            };
            return if root { command.into() } else { format!("sudo {command}") };
        }
    }
    match package {
        Package::Cxx => "install a C++17 compiler (g++ or clang++)".into(),
        Package::Pip => "install Python 3 with pip".into(),
    }
}

/// Free bytes on the disk that holds `folder`, if `df` can tell.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    free_of_df(&String::from_utf8_lossy(&output.stdout))
}

/// The first line that a command prints, if it ends well.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(String::from)
}

/// The major version in the text of `/proc/driver/nvidia/version`.
fn driver_version(text: &str) -> Option<u32> {
    let line = text.lines().find(|line| line.contains("NVRM"))?;
    let number = |word: &str| {
        let (major, rest) = word.split_once('.')?;
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(major)?.parse().ok()
    };
    line.split_whitespace().find_map(number)
}

/// The column "available" of `df -Pk`, in bytes.
fn free_of_df(text: &str) -> Option<u64> {
    let kib: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_the_driver_is_read_from_both_kinds_of_module() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version:  gcc 12.2.0\n";
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder)\n";
        assert_eq!(driver_version(closed), Some(535));
        assert_eq!(driver_version(open), Some(580));
        assert_eq!(driver_version("something else"), None);
    }

    #[test]
    fn driver_too_old_for_the_cuda_build_is_not_used() {
        assert!(!Driver::Found(Some(535)).is_usable());
        assert!(Driver::Found(Some(580)).is_usable());
        assert!(Driver::Found(None).is_usable());
        assert!(!Driver::Missing.is_usable());
    }

    #[test]
    fn free_room_is_read_in_bytes() {
        let text = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/vda         263174212 20508540     75476   22% /\n";
        assert_eq!(free_of_df(text), Some(75476 * 1024));
        assert_eq!(free_of_df("nonsense"), None);
    }
}
