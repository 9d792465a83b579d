//! `.cargo/libtorch.toml`: where libtorch lies on this machine, in words that cargo understands.
//!
//! `.cargo/config.toml` includes that file, so plain cargo commands and editors find libtorch with
//! no variable set. Two things are told: `LIBTORCH`, which the bindings read when they are
//! compiled, and the folder in which a program looks for `libtorch_cpu.so` when it starts (its
//! rpath, in `rustflags` for programs and tests and in `rustdocflags` for examples in documentation).
//!
//! A file is written only if its content changes, and one that somebody else wrote is left alone.

use crate::args::Device;
use crate::problem::{Doing, Problem, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Who said where libtorch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody: it lies in the user's cache.
    Cache,
    /// The variable `LIBTORCH`.
    Variable,
    /// Python's own torch, by the variable `LIBTORCH_USE_PYTORCH`.
    Python,
}

impl Source {
    /// The word in the written file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Variable => "LIBTORCH",
            Self::Python => "LIBTORCH_USE_PYTORCH",
        }
    }
}

/// What `.cargo/libtorch.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The folder with `lib` and `include`.
    pub(crate) home: PathBuf,
    /// Who chose that folder.
    pub(crate) source: Source,
    /// The device that was asked for, [`Device::Auto`] if none was.
    pub(crate) device: Device,
}

impl Settings {
    /// The settings of the checkout at `root`, if it has any.
    pub(crate) fn of(root: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(file(root)).ok()?)
    }

    /// Writes these settings for the checkout at `root`.
    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        let head = format!(
            "# Written by `cargo xtask setup`, for this machine alone; delete it to choose anew.\n# source = {}\n# device = {}\n",
            self.source.word(),
            self.device.word(),
        );
        replace(&file(root), &format!("{head}{}", flags(&self.home)?))
    }

    /// Reads the text that [`Settings::write`] writes. The two comments may be missing: then the
    /// folder counts as chosen by nobody.
    fn parse(text: &str) -> Option<Self> {
        let comment =
            |key: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(" = "));
        let home = text.lines().find_map(|line| line.strip_prefix("LIBTORCH = "))?;
        let source =
            [Source::Variable, Source::Python].into_iter().find(|source| comment("source") == Some(source.word()));
        Some(Self {
            home: PathBuf::from(unquoted(home)?),
            source: source.unwrap_or(Source::Cache),
            device: comment("device").and_then(Device::from_word).unwrap_or(Device::Auto),
        })
    }
}

/// The linker's argument by which programs find the libraries of `home`.
pub(crate) fn rpath(home: &Path) -> Result<String> {
    let home = utf8(home)?;
    // the linker driver splits `-Wl,` at commas
    if home.contains(',') {
        let text = format!("the path of libtorch holds a comma, which a linker cannot take: `{home}`");
        return Err(Problem::new(text).mended_by("move it, or set XDG_CACHE_HOME to another folder"));
    }
    Ok(format!("-Clink-arg=-Wl,-rpath,{home}/lib"))
}

/// What became of [`link`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Linked {
    /// The file was written, or said the same already.
    Done(PathBuf),
    /// The file has other content; this is to be added to it by hand.
    Refused(PathBuf, String),
}

/// Makes the package in `dir` build with the libtorch in `home`.
pub(crate) fn link(dir: &Path, home: &Path) -> Result<Linked> {
    const MARK: &str = "# Written by `cargo xtask link` of the engine: where libtorch lies on this machine.\n";
    if !dir.join("Cargo.toml").is_file() {
        let text = format!("there is no `Cargo.toml` in `{}`", dir.display());
        return Err(Problem::new(text).mended_by("cargo xtask link THE_FOLDER_OF_A_PACKAGE"));
    }
    let path = dir.join(".cargo/config.toml");
    let wanted = flags(home)?;
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).doing(|| format!("read `{}`", path.display())),
        Ok(text) if says(&text, home)? => return Ok(Linked::Done(path)),
        // one of ours, for a libtorch that has moved since, and nobody added to it
        Ok(text) if Settings::parse(&text).is_some_and(|old| is_ours(&text, MARK, &old.home)) => {}
        Ok(_) => return Ok(Linked::Refused(path, wanted)),
    }
    replace(&path, &format!("{MARK}{wanted}"))?;
    Ok(Linked::Done(path))
}

/// The settings themselves, the same for this checkout and for packages outside it.
fn flags(home: &Path) -> Result<String> {
    let rpath = quoted(&rpath(home)?);
    let home = quoted(utf8(home)?);
    Ok(format!(
        "[env]\nLIBTORCH = {home}\n\n[target.'cfg(all())']\nrustflags = [{rpath}]\n\n[build]\nrustdocflags = [{rpath}]\n"
    ))
}

/// Whether `text` says all that is needed, perhaps among other things: the folder for the build, and
/// the rpath for programs and for examples in documentation.
fn says(text: &str, home: &Path) -> Result<bool> {
    let live: String = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let folder = format!("LIBTORCH = {}", quoted(utf8(home)?));
    Ok(live.contains(&folder) && live.matches(&quoted(&rpath(home)?)).count() >= 2)
}

fn is_ours(text: &str, mark: &str, home: &Path) -> bool {
    flags(home).is_ok_and(|flags| text == format!("{mark}{flags}"))
}

fn file(root: &Path) -> PathBuf {
    root.join(".cargo/libtorch.toml")
}

/// Puts `text` into `path` in one go, so that a cargo that starts meanwhile never reads half of it.
fn replace(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!(".libtorch-{}.tmp", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&draft, text))
        .and_then(|()| fs::rename(&draft, path))
        .doing(|| format!("write `{}`", path.display()))
}

fn utf8(path: &Path) -> Result<&str> {
    let plain = path.to_str().filter(|text| !text.contains(char::is_control));
    plain.ok_or_else(|| {
        let text = format!("the path of libtorch cannot stand in a text file: `{}`", path.display());
        Problem::new(text).mended_by("move it, or set XDG_CACHE_HOME to another folder")
    })
}

/// `text` as a TOML string; control characters are refused before.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn unquoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const HOME: &str = "/home/me/.cache/engine/libtorch/1.2.3-cpu";

    #[test]
    fn written_settings_are_read_back() {
        let scratch = Scratch::new("settings");
        for (home, source, device) in [
            (HOME, Source::Cache, Device::Auto),
            ("/opt/a \"quoted\" \\ place", Source::Variable, Device::Cuda),
            ("/venv/torch", Source::Python, Device::Cpu),
        ] {
            let settings = Settings { home: home.into(), source, device };
            settings.write(scratch.path()).unwrap();
            assert_eq!(Settings::of(scratch.path()), Some(settings));
        }
    }

    #[test]
    fn settings_name_the_folder_for_the_build_and_for_the_programs() {
        let text = flags(Path::new(HOME)).unwrap();
        assert!(text.contains(&format!("LIBTORCH = \"{HOME}\"")), "{text}");
        assert!(text.contains(&format!("rustflags = [\"-Clink-arg=-Wl,-rpath,{HOME}/lib\"]")), "{text}");
        assert!(text.contains(&format!("rustdocflags = [\"-Clink-arg=-Wl,-rpath,{HOME}/lib\"]")), "{text}");
    }

    #[test]
    fn path_that_a_linker_would_split_is_refused() {
        assert!(flags(Path::new("/home/a,b")).is_err());
    }

    #[test]
    fn unchanged_settings_are_not_written_again() {
        let scratch = Scratch::new("unchanged");
        let settings = Settings { home: HOME.into(), source: Source::Cache, device: Device::Auto };
        settings.write(scratch.path()).unwrap();
        let written = fs::metadata(file(scratch.path())).unwrap().modified().unwrap();
        settings.write(scratch.path()).unwrap();
        assert_eq!(fs::metadata(file(scratch.path())).unwrap().modified().unwrap(), written);
    }

    #[test]
    fn link_writes_once_and_follows_a_libtorch_that_moves() {
        let scratch = Scratch::new("link");
        fs::write(scratch.path().join("Cargo.toml"), "").unwrap();
        let path = scratch.path().join(".cargo/config.toml");
        for home in [HOME, HOME, "/elsewhere"] {
            assert_eq!(link(scratch.path(), Path::new(home)), Ok(Linked::Done(path.clone())));
            assert!(fs::read_to_string(&path).unwrap().contains(home));
        }
    }

    #[test]
    fn link_leaves_the_content_of_others_alone() {
        let scratch = Scratch::new("link-refused");
        fs::write(scratch.path().join("Cargo.toml"), "").unwrap();
        let path = scratch.path().join(".cargo/config.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "[alias]\nb = \"build\"\n").unwrap();
        let Linked::Refused(_, add) = link(scratch.path(), Path::new(HOME)).unwrap() else {
            panic!("the file was taken over");
        };
        assert_eq!(fs::read_to_string(&path).unwrap(), "[alias]\nb = \"build\"\n");
        let merged = add.replace("flags = [", "flags = [\"-Dwarnings\", ");
        fs::write(&path, format!("[alias]\nb = \"build\"\n{merged}")).unwrap();
        assert_eq!(link(scratch.path(), Path::new(HOME)), Ok(Linked::Done(path)));
    }

    #[test]
    fn link_of_a_folder_that_is_no_package_is_refused() {
        let scratch = Scratch::new("link-no-package");
        assert!(link(scratch.path(), Path::new(HOME)).is_err());
    }
}
