//! `check_experiments!`: one test for each experiment file that a pattern matches.
//!
//! The tests are made when the package is compiled, which a change of one of the files brings about. A file that is
//! added later has no test of its own until then, so one more test checks all that the pattern matches at that time.

use crate::trainer_and_files::TrainerAndFiles;
use glob::Pattern;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::path::{Path, PathBuf};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let expanded = syn::parse2::<TrainerAndFiles>(input).and_then(|call| tests(&call, &folder));
    expanded.unwrap_or_else(|error| error.to_compile_error())
}

fn tests(call: &TrainerAndFiles, folder: &Path) -> syn::Result<TokenStream> {
    let TrainerAndFiles { krate, files: pattern, .. } = call;
    let private = quote!(#krate::__private);
    let wanted = pattern.value();
    let wrong = |message: String| syn::Error::new(pattern.span(), message);
    let whole = whole_pattern(folder, &wanted);
    let files = files(&whole).map_err(wrong)?;
    if files.is_empty() {
        return Err(wrong(format!("no file matches `{wanted}`; patterns are relative to the package's `Cargo.toml`")));
    }
    let names: Vec<String> = files.iter().map(|file| relative(file, folder)).collect();
    let mut taken = Vec::new();
    let of = call.of();
    let rest = free(format!("check_what_was_added_to_{}", identifier(&wanted)), &mut taken);
    let tests = files.iter().zip(&names).map(|(file, name)| {
        let test = free(format!("check_{}", identifier(name)), &mut taken);
        let file = file.to_string_lossy();
        let check = call.among(
            "not_beside_main",
            &quote!(#private::check_experiment(#of, ::core::env!("CARGO_MANIFEST_DIR"), #name);),
        );
        quote! {
            // the compiler is told of the file: one that is renamed or deleted takes its test along
            const _: &[u8] = ::core::include_bytes!(#file);
            #[test]
            fn #test() #check
        }
    });
    let tests: Vec<_> = tests.collect();
    let check = call.among(
        "not_beside_main",
        &quote! {
            #private::check_experiments_besides(#of, ::core::env!("CARGO_MANIFEST_DIR"), #whole, &[#(#names),*]);
        },
    );
    Ok(quote! {
        #(#tests)*
        #[test]
        fn #rest() #check
    })
}

/// The pattern below the package's folder, in whose own name no character means anything.
fn whole_pattern(folder: &Path, wanted: &str) -> String {
    match Path::new(wanted).is_absolute() {
        true => wanted.to_owned(),
        false => format!("{}/{wanted}", Pattern::escape(&folder.to_string_lossy())),
    }
}

/// All files that match, sorted. A folder that can't be read is an error: files in it would go unchecked.
fn files(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for found in glob::glob(pattern).map_err(|error| format!("no pattern: {}", error.msg))? {
        let path = found
            .map_err(|unread| format!("can't look for files in `{}`: {}", unread.path().display(), unread.error()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// The file as the package sees it.
fn relative(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned()
}

/// `experiments/digits-cnn.ron` → `experiments_digits_cnn`.
fn identifier(name: &str) -> String {
    let stem = name.strip_suffix(".ron").unwrap_or(name);
    let mut identifier = String::new();
    for c in stem.chars() {
        match c.is_ascii_alphanumeric() {
            true => identifier.push(c.to_ascii_lowercase()),
            false if identifier.ends_with('_') => {}
            false => identifier.push('_'),
        }
    }
    identifier.trim_matches('_').to_owned()
}

/// The name of a test that no other has: `check_a`, `check_a_2`, …
fn free(name: String, taken: &mut Vec<String>) -> Ident {
    let mut free = name.clone();
    let mut count = 1;
    while taken.contains(&free) {
        count += 1;
        free = format!("{name}_{count}");
    }
    let ident = format_ident!("{free}");
    taken.push(free);
    ident
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The names of the tests that a package of these files has.
    fn tests_of(folder: &Path, files: &[&str], pattern: &str) -> (Vec<String>, String) {
        fs::create_dir_all(folder).unwrap();
        files.iter().for_each(|file| fs::write(folder.join(file), "").unwrap());
        let pattern = proc_macro2::Literal::string(pattern);
        let call = syn::parse2(quote!(engine, Digits, #pattern)).unwrap();
        let tokens = tests(&call, folder).unwrap();
        let functions: syn::File = syn::parse2(tokens.clone()).unwrap();
        let names = functions.items.iter().filter_map(|item| match item {
            syn::Item::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        });
        (names.collect(), tokens.to_string())
    }

    #[test]
    fn every_file_has_a_test_of_its_own_name() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["A.ron", "a-2.ron", "a.ron", "what-was-added-to-aaw.ron"];
        let (names, _) = tests_of(dir.path(), &files, "[Aaw]*.ron");
        let of_files = ["check_a", "check_a_2", "check_a_3", "check_what_was_added_to_aaw_2"];
        assert_eq!(names, [&of_files[..], &["check_what_was_added_to_aaw"]].concat());
    }

    #[test]
    fn the_compiler_is_told_of_every_file() {
        let dir = tempfile::tempdir().unwrap();
        let (_, tokens) = tests_of(dir.path(), &["a.ron"], "*.ron");
        let file = dir.path().join("a.ron").display().to_string();
        assert!(tokens.contains(&format!("include_bytes ! ({file:?})")), "{tokens}");
    }

    #[test]
    fn a_folder_may_be_called_as_a_pattern_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("[wip] *?");
        let (names, tokens) = tests_of(&folder, &["a.ron"], "*.ron");
        assert_eq!(names, ["check_a", "check_what_was_added_to_"]);
        assert!(tokens.contains("\"a.ron\""), "{tokens}");
        let whole = format!("{}/*.ron", folder.display());
        assert_eq!(tests_of(&folder, &[], &whole.replace("[wip] *?", "[[]wip[]] [*][?]")).0.len(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let locked = dir.path().join("locked");
        fs::create_dir(&locked).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        // nothing is locked for root
        if fs::read_dir(&locked).is_err() {
            let error = files(&whole_pattern(dir.path(), "*/*.ron")).unwrap_err();
            assert!(error.starts_with(&format!("can't look for files in `{}`: ", locked.display())), "{error}");
        }
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused() {
        let tokens = expand(quote!(engine, Digits, "nowhere/*.ron")).to_string();
        assert!(tokens.contains("compile_error") && tokens.contains("no file matches `nowhere/*.ron`"), "{tokens}");
        let tokens = expand(quote!(engine, Digits, "src/*[.rs")).to_string();
        assert!(tokens.contains("compile_error") && tokens.contains("no pattern"), "{tokens}");
    }

    #[test]
    fn every_match_is_checked_and_so_is_what_comes_later() {
        let tokens = expand(quote!(engine, Digits, "src/experiments.r*")).to_string();
        assert!(
            tokens.contains("fn check_src_experiments_rs") && tokens.contains("\"src/experiments.rs\""),
            "{tokens}"
        );
        assert!(tokens.contains("fn check_what_was_added_to_src_experiments_r"), "{tokens}");
    }
}
