//! Files that are none, and texts that are as large as a file may be: refused or read, never waited for.

use super::super::{ConfigErrors, Document, load, parse_text, print};
use super::*;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A folder with an experiment of this text, `exp.ron`.
fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("exp.ron"), text).unwrap();
    folder
}

fn loaded(folder: &TempDir) -> Result<Document, ConfigErrors> {
    load(&folder.path().join("exp.ron"))
}

fn refused(folder: &TempDir) -> String {
    let errors = loaded(folder).expect_err("no mistake was found").short();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn devices_and_pipes_are_refused_unopened() {
    let folder = folder("(base: [\"pipe\"])");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    assert!(refused(&folder).contains("can't read the base `pipe`: it is a device or pipe, not a file"));
    for device in ["/dev/zero", "/dev/null", "/dev/urandom", "/dev/tty", "/dev/stdin"] {
        std::fs::write(folder.path().join("exp.ron"), format!("(base: [\"{device}\"])")).unwrap();
        let refused = refused(&folder);
        assert!(refused.starts_with(&format!("exp.ron:1:9: can't read the base `{device}`: ")), "{refused}");
    }
}

#[test]
fn links_in_a_circle_and_files_that_may_not_be_read_are_refused() {
    let folder = folder("(base: [\"a\"])");
    std::os::unix::fs::symlink("b", folder.path().join("a")).unwrap();
    std::os::unix::fs::symlink("a", folder.path().join("b")).unwrap();
    assert!(refused(&folder).contains("can't read the base `a`: Too many levels of symbolic links"));
    let secret = folder.path().join("secret.ron");
    std::fs::write(&secret, "()").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    std::fs::write(folder.path().join("exp.ron"), "(base: [\"secret.ron\"])").unwrap();
    // root may read everything
    if std::fs::read(&secret).is_err() {
        assert!(refused(&folder).contains("can't read the base `secret.ron`: Permission denied"));
    }
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let long = "a".repeat(5_000);
    for (name, expected) in [("", "it is a folder"), ("a\\0b", "nul byte"), (&long, "name too long")] {
        let refused = refused(&folder(&format!("(base: [\"{name}\"])"))).to_lowercase();
        assert!(refused.contains("can't read the base") && refused.contains(expected), "{name}: {refused}");
    }
}

#[test]
fn a_base_may_be_reached_by_two_ways_and_lie_anywhere() {
    let elsewhere = folder("(seed: 1, train: (milestones: Append([1])))");
    let base = elsewhere.path().join("exp.ron");
    let folder = folder("(base: [\"a.ron\", \"b.ron\"])");
    let text = format!("(base: {base:?}, train: (milestones: Append([2])))");
    std::fs::write(folder.path().join("a.ron"), &text).unwrap();
    std::fs::write(folder.path().join("b.ron"), &text).unwrap();
    let document = loaded(&folder).unwrap();
    assert_eq!(document.root.find("seed").unwrap().what(), "integer `1`");
    assert_eq!(document.root.find("train.milestones").map(print).as_deref(), Some("[1, 2, 1, 2]\n"));
}

#[test]
fn a_byte_order_mark_is_skipped_and_positions_count_from_it() {
    let folder = folder("\u{feff}(base: [\"base.ron\"], seed: 2)");
    std::fs::write(folder.path().join("base.ron"), "\u{feff}(seed: 1, seed: 3)").unwrap();
    // an editor does not show the mark, and counts none
    assert_eq!(refused(&folder), "base.ron:1:11: field `seed` is given twice");
    std::fs::write(folder.path().join("base.ron"), "\u{feff}(seed: 1)").unwrap();
    assert_eq!(loaded(&folder).unwrap().root.find("seed").unwrap().what(), "integer `2`");
}

/// Each is a few hundred KiB of one thing, which took minutes where the time was the square of it.
#[test]
fn large_texts_of_one_thing_are_read_or_refused() {
    const COUNT: usize = 40_000;
    let list = |item: &str| vec![item; COUNT].join(",");
    let numbered = |item: &dyn Fn(usize) -> String| (0..COUNT).map(item).collect::<Vec<_>>().join(",");
    let texts = [
        format!("({})", numbered(&|index| format!("a{index}:1"))),
        format!("({})", list("a:1")),
        format!("(tags: {{{}}})", numbered(&|index| format!("\"{index}\":{index}"))),
        format!("(tags: {{{}}})", list("\"a\":\"b\"")),
        format!("(custom_hooks: [{}])", list("Ema(x:1)")),
        format!("(custom_hooks: [{}])", list("Emma")),
        format!("(custom_hooks: [{}])", list("Sgd()")),
        format!("(train: (milestones: [{}]))", list("\"x\"")),
        format!("({}: 1)", "ab".repeat(COUNT)),
        format!("(seed: {})", "1".repeat(COUNT)),
        format!("(custom_hooks: [{}])", "ab".repeat(COUNT)),
        format!("(name: \"{}\")", "\\q".repeat(COUNT)),
        "/*".repeat(COUNT),
        "(a".repeat(COUNT),
        format!("(a{}", "/* */".repeat(COUNT)),
        format!("({}x: 1)", "\n".repeat(COUNT)),
        format!("(name: '{}", "x".repeat(COUNT)),
    ];
    for text in texts {
        let errors = parse_text("large.ron", &text).and_then(|document| document.read::<Experiment>()).unwrap_err();
        assert!(errors.diagnostics.len() <= 501, "{} mistakes of {}", errors.diagnostics.len(), &text[..40]);
        assert!(errors.to_string().starts_with("error: ") && !errors.short().is_empty());
    }
}

#[test]
fn large_files_over_each_other_are_merged_and_bounded_together() {
    let pairs = |value: u32| {
        let pairs: Vec<String> = (0..20_000).map(|key| format!("\"{key}\":\"{value}\"")).collect();
        format!("tags: {{{}}}", pairs.join(","))
    };
    let folder = folder(&format!("(base: [\"base.ron\"], {})", pairs(2)));
    std::fs::write(folder.path().join("base.ron"), format!("({})", pairs(1))).unwrap();
    let document = loaded(&folder).unwrap();
    assert_eq!(document.root.find("tags.19999").unwrap().what(), "string `\"2\"`");
    let large = format!("(train: (milestones: Append([{}])))", "1,".repeat(200_000));
    std::fs::write(folder.path().join("large.ron"), large).unwrap();
    let bases = "\"large.ron\",".repeat(200);
    std::fs::write(folder.path().join("exp.ron"), format!("(base: [{bases}])")).unwrap();
    assert!(refused(&folder).contains("the files of the experiment have more than 4 MiB together"));
    let shown = document.show();
    assert!(shown.len() > 400_000 && shown.contains("exp.ron:1:"));
}

#[test]
fn a_path_without_a_folder_is_read() {
    let absent = load(Path::new("no such file.ron")).unwrap_err().to_string();
    assert!(absent.contains("can't read `no such file.ron`"), "{absent}");
}
