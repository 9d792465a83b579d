//! Expansions as text files, so that a change of what users compile is seen in review.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p engine-macros` writes them anew.

use proc_macro2::TokenStream;
use std::path::Path;

/// Compares an expansion with `src/<name>.expanded.rs`, where `name` is `macro/case`.
pub(crate) fn check(name: &str, expansion: &TokenStream) {
    let (folder, case) = name.split_once('/').unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder).join(format!("snapshots/{case}.rs"));
    let text = prettyplease::unparse(&syn::parse2(expansion.clone()).unwrap());
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = text.lines().zip(expected.lines()).position(|(now, then)| now != then);
    assert!(
        text == expected,
        "the expansion differs from {} from line {} on; when it should, run the tests with UPDATE_SNAPSHOTS=1\n{text}",
        path.display(),
        differs.unwrap_or(text.lines().count().min(expected.lines().count())) + 1,
    );
}
