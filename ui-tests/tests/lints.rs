//! Clippy has nothing to say of what the macros write, whichever of its lints a package turns on.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Lints of a signature that its author can't choose: the macros allow them, and what they point at is the user's own code.
const OF_SIGNATURES: [&str; 6] = [
    "clippy::missing_const_for_fn",
    "clippy::needless_pass_by_ref_mut",
    "clippy::ptr_arg",
    "clippy::trivially_copy_pass_by_ref",
    "clippy::unnecessary_wraps",
    "clippy::unused_self",
];

/// Whether a place is in an expansion of one of the engine's macros, and not only of a `macro_rules!` of the case.
fn is_written_by_a_macro(place: &Value) -> bool {
    let mut expansion = &place["expansion"];
    while !expansion.is_null() {
        let name = expansion["macro_decl_name"].as_str().unwrap_or_default();
        if name.starts_with("#[") || name.contains("::") {
            return true;
        }
        expansion = &expansion["span"]["expansion"];
    }
    false
}

/// There, all functions are phases and passes.
fn is_in_the_library(place: &Value) -> bool {
    place["file_name"].as_str().is_some_and(|name| name.ends_with("strict/src/lib.rs"))
}

/// `strict` uses every macro. A lint whose place is in an expansion would be one that no user can mend.
#[test]
fn no_lint_of_any_group_points_into_what_a_macro_writes() {
    let groups = ["all", "pedantic", "nursery", "cargo", "restriction"];
    let lints = groups.iter().flat_map(|group| ["-W".to_owned(), format!("clippy::{group}")]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("../target/ui");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["clippy", "--package", "strict", "--message-format", "json", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .arg("--")
        // the lints are what is told, not what stops the compiler
        .args(["--cap-lints", "warn"])
        .args(lints)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut told = 0;
    let mut wrong = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).expect("a line of JSON");
        if message["reason"] != "compiler-message" || message["target"]["name"] != "strict" {
            continue;
        }
        let diagnostic = &message["message"];
        let Some(lint) = diagnostic["code"]["code"].as_str() else { continue };
        told += 1;
        let places = diagnostic["spans"].as_array().into_iter().flatten().filter(|span| span["is_primary"] == true);
        let in_expansion = places.clone().any(is_written_by_a_macro);
        let of_signature = OF_SIGNATURES.contains(&lint) && places.clone().any(is_in_the_library);
        if in_expansion || of_signature {
            wrong.push(diagnostic["rendered"].as_str().unwrap_or_default().to_owned());
        }
    }
    // restriction has much to say of any code, so that silence is no good sign
    assert!(told > 50, "clippy told {told} warnings");
    assert!(wrong.is_empty(), "{} lints:\n{}", wrong.len(), wrong.join("\n"));
}
