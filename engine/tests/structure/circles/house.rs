//! The modules of a crate, read from its tokens, and which of its files needs which.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of a crate, and which of its files needs which.
#[derive(Default)]
pub(super) struct House {
    modules: BTreeMap<Module, Names>,
    /// For each file, those whose items it names.
    pub(super) needs: Needs,
}

/// The names that lead to a module from the crate's root.
type Module = Vec<String>;

/// What a module knows by name.
#[derive(Default)]
struct Names {
    file: String,
    /// Imports and re-exports by the name that they give: the path as it is written.
    imported: BTreeMap<String, Vec<String>>,
    /// The paths of `pub use path::*`.
    globs: Vec<Vec<String>>,
    /// The items that it defines.
    defined: BTreeSet<String>,
    /// The paths that it names.
    paths: Vec<Vec<String>>,
}

/// Where a path leads.
enum Target {
    Module(Module),
    /// An item that this file defines.
    Item(String),
}

impl House {
    /// Reads a crate; the sources by their paths below its `src`.
    pub(super) fn read(sources: &BTreeMap<String, String>) -> House {
        let mut house = House::default();
        let root = if sources.contains_key("lib.rs") { "lib.rs" } else { "main.rs" };
        house.file(Vec::new(), root, sources);
        let mut needs = Needs::new();
        for (module, names) in &house.modules {
            for path in &names.paths {
                let needed = match house.target(module, path, 0) {
                    Some(Target::Item(file)) => Some(file),
                    _ => None,
                };
                needs.entry(names.file.clone()).or_default().extend(needed.filter(|file| *file != names.file));
            }
        }
        house.needs = needs;
        house
    }

    fn file(&mut self, module: Module, path: &str, sources: &BTreeMap<String, String>) {
        let text = &sources[path];
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        for child in self.scope(&module, path, tokens) {
            let folder = child.join("/");
            let file = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
            let file = file.iter().find(|file| sources.contains_key(*file));
            self.file(child, file.unwrap_or_else(|| panic!("{path}: no file for `{folder}`")), sources);
        }
    }

    /// Reads what stands between two braces, or in a file; gives the modules that have files of their own.
    fn scope(&mut self, module: &Module, file: &str, tokens: TokenStream) -> Vec<Module> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        self.modules.entry(module.clone()).or_default().file = file.to_owned();
        let mut children = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let names = self.modules.get_mut(module).unwrap();
            let next = |ahead: usize| tokens.get(at + ahead);
            match &tokens[at] {
                // attributes name no items of this crate; an item for tests is left out
                TokenTree::Punct(hash) if hash.as_char() == '#' => {
                    let is_for_tests =
                        next(1).is_some_and(|attribute| attribute.to_string().replace(' ', "") == "[cfg(test)]");
                    at += 1;
                    if is_for_tests {
                        at += 1 + item_length(&tokens[at + 1..]);
                    } else if matches!(tokens.get(at), Some(TokenTree::Group(_))) {
                        at += 1;
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = at + tokens[at..].iter().position(is_semicolon).unwrap_or(tokens.len() - at);
                    let public = is_public(&tokens[..at]);
                    let mut leaves = Vec::new();
                    use_leaves(&tokens[at + 1..end], &[], &mut leaves);
                    for (path, name) in leaves {
                        if !public {
                            names.paths.push(path.clone());
                        }
                        // benches take the prelude of the engine, which is another crate there
                        let is_of_others = path.first().is_some_and(|first| first == "engine");
                        assert!(
                            name != "*" || public || is_of_others,
                            "{file}: `use ..::*` hides what is needed: name the items"
                        );
                        match name.as_str() {
                            "*" => names.globs.push(path),
                            _ => drop(names.imported.insert(name, path)),
                        }
                    }
                    at = end;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(after)) = (next(1), next(2)) {
                        let child: Module = module.iter().cloned().chain([name.to_string()]).collect();
                        match after {
                            TokenTree::Group(body) => children.extend(self.scope(&child, file, body.stream())),
                            // the source of another crate, which names nothing of this one
                            _ if has_path(&tokens[..at]) => {}
                            _ => children.push(child),
                        }
                        at += 2;
                    }
                }
                TokenTree::Ident(_) if begins_a_path(&tokens[..at]) => {
                    let (path, length) = path_at(&tokens[at..]);
                    if let ["fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"] =
                        path.iter().map(String::as_str).collect::<Vec<_>>()[..]
                        && let Some(TokenTree::Ident(name)) = next(1)
                    {
                        names.defined.insert(name.to_string());
                    }
                    if path.len() > 1 {
                        names.paths.push(path);
                    }
                    at += length - 1;
                }
                TokenTree::Group(group) => children.extend(self.scope(module, file, group.stream())),
                _ => {}
            }
            at += 1;
        }
        children
    }

    /// Where a path leads that `module` names; nothing when it leads to another crate.
    fn target(&self, module: &Module, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(Vec::new(), rest, depth),
            "self" => self.walk(module.clone(), rest, depth),
            "super" => {
                let above: Module = module[..module.len().saturating_sub(1)].to_vec();
                match rest.first().is_some_and(|next| next == "super") {
                    true => self.target(&above, rest, depth),
                    false => self.walk(above, rest, depth),
                }
            }
            _ if self.knows(module, first) => self.walk(module.clone(), path, depth),
            _ => None,
        }
    }

    fn knows(&self, module: &Module, name: &str) -> bool {
        self.modules.contains_key(&child(module, name)) || self.modules[module].imported.contains_key(name)
    }

    fn walk(&self, module: Module, rest: &[String], depth: usize) -> Option<Target> {
        // names that lead to each other lead nowhere
        if depth > 20 {
            return None;
        }
        let Some((name, rest)) = rest.split_first() else { return Some(Target::Module(module)) };
        let inner = child(&module, name);
        if self.modules.contains_key(&inner) {
            return self.walk(inner, rest, depth + 1);
        }
        let names = self.modules.get(&module)?;
        if !names.defined.contains(name) {
            if let Some(path) = names.imported.get(name) {
                return match self.target(&module, path, depth + 1)? {
                    Target::Module(module) => self.walk(module, rest, depth + 1),
                    item => Some(item),
                };
            }
            for glob in &names.globs {
                let Some(Target::Module(from)) = self.target(&module, glob, depth + 1) else { continue };
                if self.modules[&from].defined.contains(name) || self.knows(&from, name) {
                    return self.walk(from, std::slice::from_ref(name), depth + 1);
                }
            }
        }
        Some(Target::Item(names.file.clone()))
    }

    /// What the files and folders within each folder need of each other. A folder stands for all that is in it, so that it can
    /// need a file beside it, and be needed by it.
    pub(super) fn by_folder(&self) -> BTreeMap<String, Needs> {
        let mut folders: BTreeMap<String, Needs> = BTreeMap::new();
        for (from, needed) in self.needs.iter().flat_map(|(from, needs)| needs.iter().map(move |to| (from, to))) {
            let (a, b): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), needed.split('/').collect());
            let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            let part = |path: &[&str]| path[common].to_owned() + if path.len() > common + 1 { "/" } else { "" };
            folders.entry(a[..common].join("/")).or_default().entry(part(&a)).or_default().insert(part(&b));
        }
        folders
    }
}

/// What needs which.
pub(super) type Needs = BTreeMap<String, BTreeSet<String>>;

/// The circles, each as the files in it.
pub(super) fn circles(needs: &Needs) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = needs.keys().map(|file| (file, reached(needs, file))).collect();
    let both = |a: &String, b: &String| reached[a].contains(b) && reached.get(b).is_some_and(|back| back.contains(a));
    let circles: BTreeSet<Vec<String>> = (needs.keys())
        .map(|file| reached[file].iter().filter(|other| both(file, other)).map(|file| file.to_string()).collect())
        .filter(|circle: &Vec<String>| !circle.is_empty())
        .collect();
    circles.into_iter().collect()
}

/// All that a file needs, directly or through others; itself only when it is in a circle.
fn reached<'n>(needs: &'n Needs, from: &'n String) -> BTreeSet<&'n String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(needs.get(file).into_iter().flatten().filter(|file| seen.insert(*file)));
    }
    seen
}

/// Which file of a circle needs which.
pub(super) fn shown(needs: &Needs, circle: &[String]) -> String {
    let within =
        |file: &String| needs[file].iter().filter(|needed| circle.contains(needed)).cloned().collect::<Vec<_>>();
    circle.iter().map(|file| format!("  {file} needs {}\n", within(file).join(", "))).collect()
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';')
}

/// Whether an item after these tokens is `pub`, or `pub(..)`.
fn is_public(before: &[TokenTree]) -> bool {
    let is_pub = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(word)) if word == "pub");
    match before.split_last() {
        Some((TokenTree::Group(group), before)) if group.delimiter() == Delimiter::Parenthesis => is_pub(before.last()),
        Some((last, _)) => is_pub(Some(last)),
        None => false,
    }
}

/// Whether a word after these tokens is the first of its path: neither a field, nor a method, nor a later segment.
fn begins_a_path(before: &[TokenTree]) -> bool {
    let is_field = matches!(before.last(), Some(TokenTree::Punct(sign)) if ".$".contains(sign.as_char()));
    !is_field && !is_double_colon(&before[before.len().saturating_sub(2)..])
}

/// Whether a module after these tokens says which file it is in.
fn has_path(before: &[TokenTree]) -> bool {
    let path = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.stream().to_string().starts_with("path ="));
    before.last().is_some_and(path)
}

/// The tokens of the next item, up to its `;` or its body.
fn item_length(tokens: &[TokenTree]) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_semicolon(token),
    };
    tokens.iter().position(ends).map_or(tokens.len(), |last| last + 1)
}

/// `a::b::c`, and how many tokens it is.
fn path_at(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
        path.push(segment.to_string());
        at += 1;
        match is_double_colon(&tokens[at..]) && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_))) {
            true => at += 2,
            false => break,
        }
    }
    (path, at)
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
    colon(tokens.first()) && colon(tokens.get(1))
}

/// The paths of a `use`, each with the name that it gives; `*` for all.
fn use_leaves(tokens: &[TokenTree], before: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
    for tree in tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
        let (segments, length) = path_at(tree);
        if tree.is_empty() {
            continue;
        }
        let mut path = before.to_vec();
        path.extend(segments);
        let after = &tree[length..];
        match after.iter().find(|token| !matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':')) {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                use_leaves(&inner, &path, leaves);
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => leaves.push((path, "*".to_owned())),
            // `use #private::typetag` in a macro's `quote!`
            Some(TokenTree::Punct(_)) => {}
            // `as name`, which `path_at` has not taken: a path ends before a word
            Some(TokenTree::Ident(_)) => leaves.push((path, after.last().unwrap().to_string())),
            _ => {
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let name = path.last().cloned().unwrap_or_default();
                leaves.push((path, name));
            }
        }
    }
}
