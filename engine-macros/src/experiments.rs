//! `check_experiments!`: one test for each experiment file that a pattern matches.
//!
//! The tests are made when the package is compiled. A file that is added later has no test of its own until then, so
//! one more test checks all that the pattern matches at that time.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::path::{Path, PathBuf};
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token, Type};

/// `engine, Trainer, "pattern"`.
struct Call {
    krate: syn::Path,
    trainer: Type,
    pattern: LitStr,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.call(syn::Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let trainer = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Call { krate, trainer, pattern: input.parse()? })
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let expanded = syn::parse2::<Call>(input).and_then(|call| tests(&call, &folder));
    expanded.unwrap_or_else(|error| error.to_compile_error())
}

fn tests(call: &Call, folder: &Path) -> syn::Result<TokenStream> {
    let Call { krate, trainer, pattern } = call;
    let private = quote!(#krate::__private);
    let wanted = pattern.value();
    let wrong = |message: String| syn::Error::new(pattern.span(), message);
    let whole = folder.join(&wanted);
    let found = glob::glob(&whole.to_string_lossy()).map_err(|error| wrong(format!("no pattern: {}", error.msg)))?;
    let files: Vec<PathBuf> = found.flatten().filter(|path| path.is_file()).collect();
    if files.is_empty() {
        return Err(wrong(format!("no file matches `{wanted}`; patterns are relative to the package's `Cargo.toml`")));
    }
    let names: Vec<String> = files.iter().map(|file| relative(file, folder)).collect();
    let tests = names.iter().enumerate().map(|(index, name)| {
        let test = format_ident!("check_{}{}", identifier(name), again(&names, index));
        quote! {
            #[test]
            fn #test() {
                #private::check_experiment::<#trainer>(::core::env!("CARGO_MANIFEST_DIR"), #name);
            }
        }
    });
    let rest = format_ident!("check_what_was_added_to_{}", identifier(&wanted));
    Ok(quote! {
        #(#tests)*
        #[test]
        fn #rest() {
            #private::check_experiments_besides::<#trainer>(
                ::core::env!("CARGO_MANIFEST_DIR"),
                #wanted,
                &[#(#names),*],
            );
        }
    })
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

/// Tells names apart that give one identifier.
fn again(names: &[String], index: usize) -> String {
    let same = |name: &&String| identifier(name) == identifier(&names[index]);
    match names[..index].iter().filter(same).count() {
        0 => String::new(),
        earlier => format!("_{}", earlier + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_test_of_its_own_name() {
        let names = ["experiments/a-b.ron", "experiments/a_b.ron", "A.ron"].map(str::to_owned);
        let tests: Vec<String> =
            (0..3).map(|index| format!("{}{}", identifier(&names[index]), again(&names, index))).collect();
        assert_eq!(tests, ["experiments_a_b", "experiments_a_b_2", "a"]);
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
