//! No tokens make a macro panic: programs that compile, with tokens taken away, doubled, exchanged and replaced.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::path::Path;

/// A macro, and an item of a program that has it: the arguments and what they stand on.
struct Case {
    name: &'static str,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
    args: TokenStream,
    item: TokenStream,
}

type Expand = fn(TokenStream, TokenStream) -> TokenStream;

const MACROS: [(&str, Expand); 7] = [
    ("hook", crate::hook::expand),
    ("phases", crate::phases::expand),
    ("trainer", crate::trainer::expand),
    ("component", crate::component::expand),
    ("passes", crate::passes::expand),
    ("schedule", crate::schedule::expand),
    ("Batch", crate::batch::expand),
];

/// Every item under one of our macros in the programs that must compile.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui-tests");
    for folder in ["batch", "component", "hook", "passes", "phases", "schedule", "trainer"] {
        let files = std::fs::read_dir(root.join(folder).join("pass")).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let Ok(file) = syn::parse_file(&text) else { continue };
            collect(&file.items, &mut cases);
        }
    }
    assert!(cases.len() > 60, "{}", cases.len());
    cases
}

fn collect(items: &[syn::Item], cases: &mut Vec<Case>) {
    for item in items {
        cases.extend(case(item));
        if let syn::Item::Mod(syn::ItemMod { content: Some((_, items)), .. }) = item {
            collect(items, cases);
        }
    }
}

/// The macro that an item is under, with its arguments; the item without that attribute.
fn case(item: &syn::Item) -> Option<Case> {
    let mut item = item.clone();
    let attrs = match &mut item {
        syn::Item::Struct(item) => &mut item.attrs,
        syn::Item::Enum(item) => &mut item.attrs,
        syn::Item::Fn(item) => &mut item.attrs,
        syn::Item::Impl(item) => &mut item.attrs,
        _ => return None,
    };
    let named = |attr: &syn::Attribute| attr.path().segments.last().map(|segment| segment.ident.to_string());
    for (place, attr) in attrs.iter().enumerate() {
        let Some(name) = named(attr) else { continue };
        let derives = name == "derive" && quote::ToTokens::to_token_stream(attr).to_string().contains("Batch");
        let Some((name, expand)) =
            MACROS.into_iter().find(|(known, _)| *known == name || (derives && *known == "Batch"))
        else {
            continue;
        };
        let args = match &attr.meta {
            syn::Meta::List(list) if !derives => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        attrs.remove(place);
        return Some(Case { name, expand, args, item: quote::ToTokens::into_token_stream(item) });
    }
    None
}

/// The numbers of xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }
}

/// What is put where something else has been.
fn odd(random: &mut Random) -> TokenTree {
    const WORDS: [&str; 26] = [
        "self",
        "Self",
        "fn",
        "pub",
        "crate",
        "default",
        "range",
        "name",
        "priority",
        "config",
        "state",
        "model",
        "loader",
        "train",
        "val",
        "by_epoch",
        "before_train",
        "after_val",
        "times",
        "every",
        "usize",
        "Tensor",
        "loop",
        "where",
        "impl",
        "dyn",
    ];
    let word = WORDS[random.below(WORDS.len())];
    match random.below(9) {
        0 => Ident::new(word, Span::call_site()).into(),
        1 if !["self", "Self", "crate"].contains(&word) => Ident::new_raw(word, Span::call_site()).into(),
        2 => Literal::string("odd \" text \u{0}é").into(),
        3 => Literal::f64_unsuffixed(1e300).into(),
        4 => Literal::u128_suffixed(u128::MAX).into(),
        5 => Literal::byte_string(b"\xff").into(),
        6 => Punct::new(
            *[',', ';', '=', ':', '#', '!', '\'', '<', '>', '.', '-', '?'].get(random.below(12)).unwrap_or(&','),
            Spacing::Joint,
        )
        .into(),
        7 => {
            Group::new(Delimiter::None, std::iter::once(TokenTree::from(Literal::i64_unsuffixed(-3))).collect()).into()
        }
        _ => Group::new(Delimiter::Bracket, TokenStream::new()).into(),
    }
}

/// The tokens with one change, somewhere in them.
fn mutated(tokens: TokenStream, random: &mut Random) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    if tokens.is_empty() {
        return std::iter::once(odd(random)).collect();
    }
    let place = random.below(tokens.len());
    if let TokenTree::Group(group) = &tokens[place]
        && random.below(8) > 0
    {
        let mut inner = Group::new(group.delimiter(), mutated(group.stream(), random));
        inner.set_span(group.span());
        tokens[place] = inner.into();
        return tokens.into_iter().collect();
    }
    match random.below(5) {
        0 => drop(tokens.remove(place)),
        1 => tokens.insert(place, tokens[place].clone()),
        2 => {
            let other = random.below(tokens.len());
            tokens.swap(place, other);
        }
        3 => tokens[place] = odd(random),
        _ => tokens.insert(place, odd(random)),
    }
    tokens.into_iter().collect()
}

/// What became of some of the tries.
#[derive(Default)]
struct Tried {
    by_macro: std::collections::BTreeMap<&'static str, u64>,
    panicked: Vec<String>,
}

/// Every `step`th seed from `first` on. Tokens belong to the thread that has made them.
fn tried(first: u64, step: usize, tries: u64) -> Tried {
    let cases = cases();
    let mut tried = Tried::default();
    for seed in (first..=tries).step_by(step) {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let case = &cases[random.below(cases.len())];
        let (mut args, mut item) = (case.args.clone(), case.item.clone());
        for _ in 0..=random.below(3) {
            match random.below(4) {
                0 => args = mutated(args, &mut random),
                _ => item = mutated(item, &mut random),
            }
        }
        *tried.by_macro.entry(case.name).or_default() += 1;
        let (told_args, told_item) = (args.clone(), item.clone());
        let expanded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop((case.expand)(args, item))));
        if let Err(payload) = expanded {
            let why = payload.downcast_ref::<String>().cloned();
            let why = why.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            tried.panicked.push(format!("seed {seed}, {}: {why:?}\n  #[({told_args})] {told_item}", case.name));
        }
    }
    tried
}

#[test]
fn no_tokens_make_a_macro_panic() {
    let tries = std::env::var("ENGINE_FUZZ").ok().and_then(|tries| tries.parse().ok()).unwrap_or(100_000_u64);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::panic::set_hook(Box::new(|_| {}));
    let all: Vec<Tried> = std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || tried(1 + thread as u64, threads, tries))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    drop(std::panic::take_hook());
    for (name, _) in MACROS {
        let times: u64 = all.iter().filter_map(|tried| tried.by_macro.get(name)).sum();
        assert!(times > tries / 100, "{name}: {times} of {tries}");
    }
    let panicked: Vec<&String> = all.iter().flat_map(|tried| &tried.panicked).collect();
    let shown = panicked.iter().take(5).map(|text| text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(panicked.is_empty(), "{} of {tries} panicked; the first:\n{shown}", panicked.len());
}
