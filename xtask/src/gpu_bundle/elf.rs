//! What a program asks of the machine that runs it: libraries, and versions of the C and C++ libraries' symbols.

use crate::problem::{Doing, Problem, Result};
use std::path::Path;
use std::process::Command;

/// What programs need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The libraries, by the names that the loader looks for.
    pub(super) libraries: Vec<String>,
    /// The newest version of glibc's symbols, and of the two that libstdc++ has.
    pub(super) versions: [Option<Version>; 3],
}

/// Numbers apart by dots, in the order of versions.
pub(crate) type Version = Vec<u32>;

/// The marks of versions, as they stand in a program.
const MARKS: [&str; 3] = ["GLIBC_", "GLIBCXX_", "CXXABI_"];

/// What the program at `path` needs, by `readelf` and `objdump`, which come with the linker.
pub(super) fn needs(path: &Path) -> Result<Needs> {
    let printed = |program: &str, option: &str| -> Result<String> {
        let output = Command::new(program).arg(option).arg(path).output().doing(|| format!("run `{program}`"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Problem::new(format!("`{program} {option} {}` failed", path.display()))),
        }
    };
    Ok(Needs { libraries: libraries(&printed("readelf", "-d")?), versions: versions(&printed("objdump", "-T")?) })
}

/// What all of them need together.
pub(super) fn all(needs: &[Needs]) -> Needs {
    let mut libraries: Vec<String> = needs.iter().flat_map(|needs| needs.libraries.clone()).collect();
    libraries.sort();
    libraries.dedup();
    let newest = |n: usize| needs.iter().filter_map(|needs| needs.versions[n].clone()).max();
    Needs { libraries, versions: [newest(0), newest(1), newest(2)] }
}

impl Needs {
    /// In one line.
    pub(super) fn describe(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (mark, version) in MARKS.iter().zip(&self.versions) {
            if let Some(version) = version {
                let numbers: Vec<String> = version.iter().map(u32::to_string).collect();
                parts.push(format!("{mark}{}", numbers.join(".")));
            }
        }
        parts.push(self.libraries.join(", "));
        parts.join(", ")
    }
}

/// The libraries in what `readelf -d` prints.
fn libraries(text: &str) -> Vec<String> {
    let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
    needed.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned())).collect()
}

/// The newest version of each mark in what `objdump -T` prints.
fn versions(text: &str) -> [Option<Version>; 3] {
    MARKS.map(|mark| {
        let words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
        words.filter_map(|word| version(word.strip_prefix(mark)?)).max()
    })
}

/// `2.34` as numbers; private ones have no numbers.
fn version(text: &str) -> Option<Version> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.34) __libc_start_main
0000000000000000      DF *UND*  0000000000000000 (GLIBC_2.9)  pipe2
0000000000000000      DF *UND*  0000000000000000 (GLIBCXX_3.4.30) _ZSt28__throw_bad_array_new_lengthv
0000000000000000      DO *UND*  0000000000000000 (CXXABI_1.3) _ZTVN10__cxxabiv117__class_type_infoE
0000000000000000      DF *UND*  0000000000000000 (GLIBC_PRIVATE) __something
";

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let found = versions(SYMBOLS);
        assert_eq!(found, [Some(vec![2, 34]), Some(vec![3, 4, 30]), Some(vec![1, 3])]);
        assert_eq!(versions("nothing"), [None, None, None]);
    }

    #[test]
    fn needs_of_several_programs_are_the_newest_of_each() {
        let one = Needs { libraries: vec!["libc.so.6".into()], versions: [Some(vec![2, 9]), None, None] };
        let other = Needs {
            libraries: vec!["libm.so.6".into(), "libc.so.6".into()],
            versions: [Some(vec![2, 34]), Some(vec![3, 4]), None],
        };
        assert_eq!(all(&[one, other]).describe(), "GLIBC_2.34, GLIBCXX_3.4, libc.so.6, libm.so.6");
    }

    #[test]
    fn libraries_are_those_that_the_loader_looks_for() {
        let text = " 0x01 (NEEDED)  Shared library: [libtorch_cpu.so]\n 0x1d (RUNPATH) Library runpath: [/a]\n";
        assert_eq!(libraries(text), ["libtorch_cpu.so"]);
    }
}
