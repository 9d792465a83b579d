//! `experiment!`: an experiment file that is looked at when the package is compiled.
//!
//! The macro reads the file and refuses what is no tree. Which keys there are only the types know, so it lists the keys of
//! the file with their places, and the engine compares them in a constant (`trainer/experiment/known.rs`).

use crate::ron::{self, Kind, Node};
use crate::trainer_and_files::TrainerAndFiles;
use crate::words::OPERATORS;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::path::{Path, PathBuf};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let expanded = syn::parse2::<TrainerAndFiles>(input).and_then(|call| checks(&call, &folder));
    expanded.unwrap_or_else(|error| error.to_compile_error())
}

fn checks(call: &TrainerAndFiles, folder: &Path) -> syn::Result<TokenStream> {
    let TrainerAndFiles { krate, files: file, .. } = call;
    let private = quote!(#krate::__private);
    let name = file.value();
    let wrong = |message: String| syn::Error::new(file.span(), message);
    let path = folder.join(&name);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        wrong(format!("can't read `{name}`: {error}; the path is relative to the package's `Cargo.toml`"))
    })?;
    let path = path.to_string_lossy();
    // the compiler is told of the file: a change of it compiles the package again
    let depends = quote!(
        const _: &[u8] = ::core::include_bytes!(#path);
    );
    let root = match ron::read(&text) {
        Ok(root) => root,
        Err(mistakes) => {
            let errors = mistakes.iter().map(|mistake| wrong(format!("{name}:{}: {}", mistake.place, mistake.message)));
            let errors: TokenStream = errors.map(|error| error.to_compile_error()).collect();
            return Ok(quote!(#depends #errors));
        }
    };
    let braced = braced(&root).map(|(key, at)| {
        let place = ron::place(&text, at);
        wrong(format!("{name}:{place}: the settings of `{key}` are written in parentheses, `{key}: (key: value)`"))
            .to_compile_error()
    });
    let braced: TokenStream = braced.collect();
    let mut keys = Vec::new();
    collect("", &root, 0, &mut |under, key, at| keys.push((under.to_owned(), key.to_owned(), ron::place(&text, at))));
    let keys = keys.iter().map(|(under, key, place)| {
        let place = format!("{name}:{place}");
        quote!((#under, #key, #place))
    });
    let span = file.span();
    let text = Ident::new("text", Span::mixed_site().located_at(span));
    let refuse = quote_spanned!(span=> ::core::panic!("{}", #text.as_str()));
    let of = call.of();
    let compare = call.among(
        elsewhere(),
        &quote! {
            if let ::core::option::Option::Some(#text) = &#private::unknown_keys(#of, &[#(#keys),*]) {
                #refuse
            }
        },
    );
    Ok(quote! {
        #depends
        #braced
        const _: () = #compare;
    })
}

/// The module of `__private` whose `main` is taken where neither the module nor the crate has one. In a program, the compiler
/// says that `main` is missing, so nothing is added; cargo sets this variable for programs.
fn elsewhere() -> &'static str {
    match std::env::var_os("CARGO_BIN_NAME") {
        Some(_) => "no_main",
        None => "not_beside_main",
    }
}

/// The sections of an experiment that are written as a map, `train: {"max_epochs": 30}`. No section is one.
fn braced(root: &Node) -> impl Iterator<Item = (&str, u32)> {
    let fields = if let Kind::Struct(fields) = &root.kind { fields.as_slice() } else { &[] };
    let is_map = |field: &&ron::Field| matches!(field.value.kind, Kind::Map(_));
    fields.iter().filter(is_map).map(|field| (field.key.as_str(), field.value.span.start))
}

/// Reports the keys of an experiment, of its sections, and of named values in them: `loaders.train.batch_size`.
fn collect(under: &str, node: &Node, depth: usize, found: &mut impl FnMut(&str, &str, u32)) {
    // a component that replaces that of a base has keys of its own
    let operator = node.name().is_some_and(|name| OPERATORS.contains(&name));
    let Kind::Struct(fields) = &node.kind else { return };
    // `loaders.train.dataset.points` is the deepest
    if operator || depth > 3 {
        return;
    }
    for field in fields {
        found(under, &field.key, field.key_span.start);
        let path = if under.is_empty() { field.key.clone() } else { format!("{under}.{}", field.key) };
        collect(&path, &field.value, depth + 1, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let Ok(root) = ron::read(text) else { panic!("{text} is read") };
        let mut keys = Vec::new();
        collect("", &root, 0, &mut |under, key, at| keys.push(format!("{under}/{key} {}", ron::place(text, at))));
        keys
    }

    #[test]
    fn keys_are_listed_with_what_they_are_in_and_their_places() {
        let text = "Experiment(\n    loaders: (\n        train: (workers: 2),\n    ),\n    seed: 3,\n)";
        assert_eq!(keys(text), ["/loaders 2:5", "loaders/train 3:9", "loaders.train/workers 3:17", "/seed 5:5"]);
        assert_eq!(
            keys("(hooks: Replace((timer: Off)), model: Cnn(width: 3))"),
            ["/hooks 1:2", "/model 1:32", "model/width 1:43"]
        );
    }

    #[test]
    fn a_section_in_braces_is_found() {
        let text = "(name: \"a\", train: {\"max_epochs\": 3}, model: Cnn(table: {\"a\": 1}))";
        let Ok(root) = ron::read(text) else { panic!("it is read") };
        assert_eq!(braced(&root).collect::<Vec<_>>(), [("train", 19)]);
    }

    #[test]
    fn a_text_that_is_no_tree_is_refused_with_its_place_in_the_words_of_the_engine() {
        let Err(mistakes) = ron::read("(\n    seed: 3\n    name: \"a\",\n)") else { panic!("it is refused") };
        assert_eq!(mistakes.len(), 1);
        assert_eq!(
            (mistakes[0].place.as_str(), mistakes[0].message.as_str()),
            ("2:12", "expected `,` or `)`, found `name`; missing `,`?")
        );
    }
}
