//! No two files of a crate need each other, directly or through others, and no file and a folder beside it.
//!
//! A file needs another when it names an item of it, in a `use` or in a path. Re-exports are followed to the file that
//! defines the item; a `pub use` itself is no need, or each folder that re-exports its files would need them all. Tests
//! are left out.

mod house;

use house::{House, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders whose files belong to a type of a file beside them, and which that file needs.
const APART: [(&str, &[&str]); 2] = [
    // the part of `Program` that deals with other ranks, and what it remembers of them
    ("loops", &["checkpoint.rs", "program.rs", "ranks/"]),
    // an experiment has the settings of a trainer's fields, which are read by its reader
    ("trainer", &["build.rs", "experiment/", "parts.rs"]),
];

#[test]
fn no_files_of_a_crate_need_each_other() {
    for (folder, at_least) in [("src", 1000), ("../engine-macros/src", 100), ("../xtask/src", 30), ("benches/step", 20)]
    {
        let house = House::read(&sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)));
        let needs: usize = house.needs.values().map(BTreeSet::len).sum();
        assert!(needs > at_least, "`{folder}`: only {needs} needs found: does this test still read its files?");
        let mut told = Vec::new();
        for (within, needs) in [("each other".to_owned(), house.needs.clone())].into_iter().chain(house.by_folder()) {
            let apart = |circle: &Vec<String>| {
                folder == "src" && APART.iter().any(|(of, known)| *of == within && known == circle)
            };
            let circles = house::circles(&needs).into_iter().filter(|circle| !apart(circle));
            told.extend(circles.map(|circle| format!("{within}:\n{}", shown(&needs, &circle))));
        }
        assert!(told.is_empty(), "files and folders of `{folder}` need each other:\n\n{}", told.join("\n"));
    }
}

#[test]
fn a_folder_and_a_file_beside_it_do_not_need_each_other() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod merge; mod reference; mod tree;"),
        // two files of the folder, neither of which needs the other
        ("a/merge.rs", "use super::reference::waits; pub fn merge() {}"),
        ("a/reference/mod.rs", "mod rules; mod resolver; pub(super) use rules::waits;"),
        ("a/reference/rules.rs", "use super::super::tree::Tree; pub fn waits() {}"),
        ("a/reference/resolver.rs", "use super::super::merge; pub fn resolve() { merge::merge() }"),
        ("a/tree.rs", "pub struct Tree;"),
    ];
    assert_eq!(circles(&files), Vec::<Vec<String>>::new());
    let found = by_folder(&files);
    assert_eq!(found, [("a".to_owned(), vec![vec!["merge.rs".to_owned(), "reference/".to_owned()]])]);
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    // a `use`, a path in a body, `super`, an alias, a name that the folder re-exports, a group, a module in the file
    for back in [
        "use crate::b::one::B;",
        "fn f() { crate::b::one::B::new() }",
        "use super::super::b::one::B as Other;",
        "use crate::b; fn f() -> b::B { b::make() }",
        "use crate::{b::{self, B}, Root};",
        "mod inner { fn f() { super::super::super::b::one::B::new() } }",
        "macro_rules! m { () => { crate::b::B::new() } }",
    ] {
        let told = circles(&[
            ("lib.rs", "mod a; mod b; pub use b::B; pub struct Root;"),
            ("a/mod.rs", "mod one; pub use one::A;"),
            ("a/one.rs", &format!("pub struct A; {back}")),
            ("b/mod.rs", "mod one; pub use one::{B, make};"),
            ("b/one.rs", "use crate::a::A; pub struct B; pub fn make() {}"),
        ]);
        assert_eq!(told, [["a/one.rs", "b/one.rs"]], "{back}");
    }
}

#[test]
fn what_is_no_need_makes_no_circle() {
    // a comment, a text, a test, a re-export of the folder, another crate, a field and a method of the same name
    for back in [
        "/// [`B`](crate::b::B)\nfn f() {} // crate::b::B",
        "fn f() { \"crate::b::B\" }",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(test)]\n#[expect(dead_code)]\nfn f() -> crate::b::B {}",
        "use b::B;",
        "fn f() { self.b::<B>(); x.b }",
        "fn f() { $crate::b::B }",
    ] {
        let told = circles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", &format!("pub struct A; {back}")),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ]);
        assert_eq!(told, Vec::<Vec<String>>::new(), "{back}");
    }
    let reexported = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod one; pub use one::A; pub struct B;"),
        ("a/one.rs", "use super::B; pub struct A;"),
    ];
    assert_eq!(circles(&reexported), Vec::<Vec<String>>::new());
}

#[test]
fn a_circle_of_several_files_is_one() {
    let told = circles(&[
        ("main.rs", "mod a; mod b; mod c; mod d; fn main() { a::run() }"),
        ("a.rs", "use crate::b::B; pub fn run() {}"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::{a::run, d::D}; pub struct C;"),
        ("d.rs", "pub struct D;"),
    ]);
    assert_eq!(told, [["a.rs", "b.rs", "c.rs"]]);
}

fn read(files: &[(&str, &str)]) -> House {
    House::read(&files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
}

fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    house::circles(&read(files).needs)
}

/// The folders with circles in them.
fn by_folder(files: &[(&str, &str)]) -> Vec<(String, Vec<Vec<String>>)> {
    let folders = read(files).by_folder().into_iter().map(|(folder, needs)| (folder, house::circles(&needs)));
    folders.filter(|(_, circles)| !circles.is_empty()).collect()
}

/// The sources below a folder, by their paths in it.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}
