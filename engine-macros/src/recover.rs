//! Items that are being written: the fields and methods that parse, and what is left of the others.
//!
//! The compiler parses an item before it hands it to an attribute macro, and has told what does not parse. So nothing is
//! reported here; but what can't be Rust in any version is all that is left out, so that no code is lost in silence.

mod correct;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Token, Type, Visibility, parse_quote};

/// A struct, and the names of those of its fields that are not written to their end.
pub(crate) struct Struct {
    pub(crate) item: ItemStruct,
    pub(crate) unfinished: Vec<Ident>,
    /// The fields that do not parse, as they were written.
    written: Vec<Written>,
    /// What the compiler does not tell, or tells without saying what to do.
    pub(crate) mistakes: Vec<syn::Error>,
}

/// A field that does not parse.
struct Written {
    name: Ident,
    tokens: TokenStream,
}

/// Parses a struct. A field without a type has the type `()`, and one whose type does not parse keeps its tokens.
pub(crate) fn item_struct(item: TokenStream) -> Option<Struct> {
    let mut found = match syn::parse2(item.clone()) {
        Ok(item) => Struct { item, unfinished: Vec::new(), written: Vec::new(), mistakes: Vec::new() },
        Err(_) => {
            let (head, body) = split(item)?;
            let mut item: ItemStruct = syn::parse2(quote!(#head {})).ok()?;
            let mut found = Found::default();
            let fields = (|input: ParseStream<'_>| fields(input, &mut found)).parse2(body.stream()).ok()?;
            if let Fields::Named(named) = &mut item.fields {
                named.named = fields;
            }
            let Found { unfinished, written, mistakes } = found;
            Struct { item, unfinished, written, mistakes }
        }
    };
    correct::fields(&mut found.item, &mut found.mistakes);
    Some(found)
}

/// What is found beside the fields.
#[derive(Default)]
struct Found {
    unfinished: Vec<Ident>,
    written: Vec<Written>,
    mistakes: Vec<syn::Error>,
}

impl Struct {
    /// The struct for the compiler, which stops at the first field that does not parse, says the same of it once more at the same
    /// place, and is silent wherever such a struct lacks a field. So this field comes last.
    pub(crate) fn as_written(&self, mut item: ItemStruct) -> ItemStruct {
        let Fields::Named(named) = &mut item.fields else { return item };
        let Some(first) = self.written.first() else { return item };
        let is_written = |field: &Field| self.written.iter().any(|written| field.ident.as_ref() == Some(&written.name));
        let kept = std::mem::take(&mut named.named).into_iter().filter(|field| !is_written(field));
        named.named = kept.collect();
        if !named.named.empty_or_trailing() {
            named.named.push_punct(Default::default());
        }
        named.named.push_value(Field {
            attrs: Vec::new(),
            vis: Visibility::Inherited,
            mutability: syn::FieldMutability::None,
            ident: None,
            colon_token: None,
            ty: Type::Verbatim(first.tokens.clone()),
        });
        item
    }
}

/// Parses an `impl` block. A method whose body does not parse is there twice: as its signature, and as it was written.
pub(crate) fn item_impl(item: TokenStream) -> Option<Impl> {
    if let Ok(item) = syn::parse2(item.clone()) {
        return Some(Impl { item, unfinished: Vec::new() });
    }
    let (head, body) = split(item)?;
    let mut item: ItemImpl = syn::parse2(quote!(#head {})).ok()?;
    let mut unfinished = Vec::new();
    item.items = (|input: ParseStream<'_>| members(input, &mut unfinished)).parse2(body.stream()).ok()?;
    Some(Impl { item, unfinished })
}

/// `fn critic(&mut self);` as a method with a body, for a member of a block that has none: the compiler tells of that.
pub(crate) fn without_body(member: &ImplItem) -> Option<ImplItemFn> {
    let ImplItem::Verbatim(tokens) = member else { return None };
    let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';');
    tokens.pop().filter(is_end)?;
    syn::parse2(quote!(#(#tokens)* { ::core::unreachable!() })).ok()
}

/// The method as it was written, of [`without_body`].
pub(crate) fn bodiless(function: &ImplItemFn, member: &ImplItem) -> ImplItem {
    let (attrs, vis, signature) = (&function.attrs, &function.vis, &function.sig);
    // the place of the sign is where the compiler has missed the body
    let end = member.to_token_stream().into_iter().last();
    ImplItem::Verbatim(quote!(#(#attrs)* #vis #signature #end))
}

/// An `impl` block, and the methods of it whose bodies are not written to their end.
pub(crate) struct Impl {
    pub(crate) item: ItemImpl,
    unfinished: Vec<Unfinished>,
}

struct Unfinished {
    name: Ident,
    body: Group,
}

impl Impl {
    /// Puts the bodies as they were written in the place of those that stand for them.
    pub(crate) fn with_bodies(mut self) -> ItemImpl {
        for member in &mut self.item.items {
            let ImplItem::Fn(function) = member else { continue };
            let Some(written) = self.unfinished.iter().find(|written| written.name == function.sig.ident) else {
                continue;
            };
            let (attrs, vis, signature, body) = (&function.attrs, &function.vis, &function.sig, &written.body);
            // the compiler parses the body again and says nothing new; it does not look at what is left of it. Should it
            // have nothing against the body, the program must not go on without it
            *member = ImplItem::Verbatim(quote! {
                #[allow(unused)]
                #(#attrs)* #vis #signature {
                    #[cfg(any())]
                    #body
                    const { ::core::panic!("the engine's macros can't read the body of this method") }
                    ::core::unreachable!()
                }
            });
        }
        self.item
    }
}

/// What stands before the braces of an item, and the braces.
fn split(item: TokenStream) -> Option<(TokenStream, Group)> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    match tokens.pop()? {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => Some((tokens.into_iter().collect(), body)),
        _ => None,
    }
}

fn fields(input: ParseStream<'_>, of: &mut Found) -> syn::Result<Punctuated<Field, Token![,]>> {
    let mut found = Punctuated::new();
    while !input.is_empty() {
        let is_marked = attributes(input)?;
        let (ahead, start) = (input.fork(), input.fork());
        if is_marked && let Some(field) = field(input)? {
            of.unfinished.extend(field.ident.clone());
            found.push(field);
        } else if ahead.call(Field::parse_named).is_ok()
            && (ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![=]) || is_field(&ahead))
        {
            // where only the comma is missing, the compiler has told of it, and both fields are there
            let mut field = input.call(Field::parse_named)?;
            if input.peek(Token![=]) {
                let value = skip(input, |input| input.peek(Token![,]) && begins_field(input))?;
                of.mistakes.push(correct::default(&mut field, value));
            }
            found.push(field);
        } else if let Some(field) = field(input)? {
            of.unfinished.extend(field.ident.clone());
            if let Some(name) = field.ident.clone()
                && input.peek(Token![,])
            {
                of.written.push(Written { name, tokens: between(&start, input)? });
            }
            found.push(field);
        }
        if input.peek(Token![,]) {
            // the compiler looks at it once more, and says the same at the same place
            let comma = input.parse()?;
            if !found.empty_or_trailing() {
                found.push_punct(comma);
            }
        }
    }
    Ok(found)
}

/// The tokens from `start` to the comma at `end`, with it and without attributes.
fn between(start: ParseStream<'_>, end: ParseStream<'_>) -> syn::Result<TokenStream> {
    start.call(Attribute::parse_outer)?;
    let mut tokens = TokenStream::new();
    let left = |input: ParseStream<'_>| input.fork().parse::<TokenStream>().map(|rest| rest.into_iter().count());
    let behind = left(end)?;
    while left(start)? >= behind {
        tokens.extend([start.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

/// Takes the attributes off a field when one of them does not parse, such as `#[]`. Whether there was one.
fn attributes(input: ParseStream<'_>) -> syn::Result<bool> {
    let ahead = input.fork();
    let mut all_parse = true;
    while ahead.peek(Token![#]) {
        // by itself: what is left of `#[loader: train]` would count as left of all fields
        let (sign, attribute): (TokenTree, TokenTree) = (ahead.parse()?, ahead.parse()?);
        all_parse &= Attribute::parse_outer.parse2(quote!(#sign #attribute)).is_ok();
    }
    if all_parse {
        return Ok(false);
    }
    while input.peek(Token![#]) {
        input.parse::<TokenTree>()?;
        if input.peek(syn::token::Bracket) {
            input.parse::<TokenTree>()?;
        }
    }
    Ok(true)
}

/// A field that does not parse, up to the next one; `None` when there is no name yet.
fn field(input: ParseStream<'_>) -> syn::Result<Option<Field>> {
    let ahead = input.fork();
    let name = (|| -> syn::Result<Ident> {
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.call(Ident::parse_any)
    })();
    let Ok(name) = name else {
        skip(input, |input| input.peek(Token![,]))?;
        return Ok(None);
    };
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    input.call(Ident::parse_any)?;
    if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
    }
    let ty = skip(input, |input| input.peek(Token![,]) && begins_field(input))?;
    let ty = before_semicolon(ty);
    let ty = if ty.is_empty() { parse_quote!(()) } else { Type::Verbatim(ty) };
    // a word of the language may be the beginning of a name
    let usable = syn::parse_str::<Ident>(&name.to_string()).is_ok();
    Ok(usable.then_some(Field {
        attrs,
        vis,
        mutability: syn::FieldMutability::None,
        ident: Some(name),
        colon_token: Some(Default::default()),
        ty,
    }))
}

/// What stands before a semicolon, which is no part of a type.
fn before_semicolon(tokens: TokenStream) -> TokenStream {
    let is_semicolon = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';');
    tokens.into_iter().take_while(|token| !is_semicolon(token)).collect()
}

/// Whether a field, or nothing, is behind the comma.
fn begins_field(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Token![,]>().is_ok() && (ahead.is_empty() || is_field(&ahead))
}

/// Whether a field begins here.
fn is_field(input: ParseStream<'_>) -> bool {
    input.peek(Token![#])
        || input.peek(Token![pub])
        || (input.peek(syn::Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]))
}

fn members(input: ParseStream<'_>, unfinished: &mut Vec<Unfinished>) -> syn::Result<Vec<ImplItem>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        if input.fork().parse::<ImplItem>().is_ok() {
            found.push(input.parse()?);
            continue;
        }
        let mut tokens: Vec<TokenTree> =
            input.call(Attribute::parse_outer)?.iter().flat_map(ToTokens::to_token_stream).collect();
        let mut body = None;
        let mut first = true;
        while !input.is_empty() && body.is_none() && (first || !begins_member(input)) {
            match input.parse::<TokenTree>()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => body = Some(group),
                token => {
                    // `pub` and `async` stand before `fn`
                    first = matches!(&token, TokenTree::Ident(word) if word == "pub" || word == "async");
                    tokens.push(token);
                }
            }
        }
        let Some(body) = body else { continue };
        let head: TokenStream = tokens.iter().cloned().collect();
        match syn::parse2::<ImplItemFn>(quote!(#head { ::core::panic!() })) {
            Ok(function) => {
                unfinished.push(Unfinished { name: function.sig.ident.clone(), body });
                found.push(ImplItem::Fn(function));
            }
            // it may be right in a newer Rust
            Err(_) => found.push(ImplItem::Verbatim(quote!(#head #body))),
        }
    }
    Ok(found)
}

fn begins_member(input: ParseStream<'_>) -> bool {
    input.peek(Token![#]) || input.peek(Token![pub]) || input.peek(Token![fn]) || input.peek(Token![async])
}

/// Takes tokens up to a place.
fn skip(input: ParseStream<'_>, end: impl Fn(ParseStream<'_>) -> bool) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !end(input) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(item: TokenStream) -> (Vec<String>, Vec<String>) {
        let Struct { item, unfinished, .. } = item_struct(item).unwrap();
        let name = |field: &Field| field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        (item.fields.iter().map(name).collect(), unfinished.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_fields_around_an_unfinished_one_are_there() {
        for middle in [quote!(opt: ,), quote!(opt,), quote!(#[optimizer] opt: Box<dyn,), quote!(pub opt: Vec<,)] {
            let (fields, unfinished) = names(quote!(struct T { #[model] net: Mlp, #middle #[metric] acc: Accuracy }));
            assert_eq!(
                (fields, unfinished),
                (vec!["net".into(), "opt".into(), "acc".into()], vec!["opt".into()]),
                "{middle}"
            );
        }
        let (fields, unfinished) = names(quote!(struct T { a: u8, #[state] #[] b: u8, c: u8 }));
        assert_eq!((fields, unfinished), (vec!["a".into(), "b".into(), "c".into()], vec!["b".into()]));
        let (fields, unfinished) = names(quote!(struct T { a: u8, #[config] }));
        assert_eq!((fields, unfinished), (vec!["a".to_owned()], vec![]));
        assert!(item_struct(quote!(struct T<)).is_none());
    }

    #[test]
    fn a_field_with_an_attribute_that_does_not_parse_is_unfinished() {
        let item =
            item_struct(quote!(struct T { #[model] net: Mlp, #[loader: train] train: Loader<S>, last: u8 })).unwrap();
        assert_eq!((item.item.fields.len(), item.unfinished.len()), (3, 1));
    }

    #[test]
    fn where_a_comma_is_missing_both_fields_are_there() {
        let item = item_struct(quote!(struct T { #[hook] first: A #[hook] second: B<C> third: D, })).unwrap();
        assert_eq!((item.item.fields.len(), item.unfinished.len()), (3, 0));
    }

    #[test]
    fn what_the_compiler_can_not_say_is_told_and_goes_on_as_it_was_meant() {
        let found = item_struct(quote!(
            struct T { name: str, width: i64 = 64, #[state] seen: u64 = 0, width: i64 }
        ))
        .unwrap();
        let mut told: Vec<String> = found.mistakes.iter().map(ToString::to_string).collect();
        told.sort();
        assert_eq!(
            told,
            [
                "a `#[state]` field starts from the `Default` of its type; leave this out",
                "a default is written `#[config(default = 64)]`, above the field",
                "a field owns its value; write `String` for a text",
                "the field `width` is in this struct already; rename one of the two",
            ]
        );
        let written = found.item.to_token_stream().to_string();
        assert!(written.contains("# [config (default = 64)] width : i64 , # [state] seen : u64"), "{written}");
        let both = item_struct(quote!(
            struct T {
                #[cfg(a)]
                width: i64,
                #[cfg(not(a))]
                width: f64,
            }
        ))
        .unwrap();
        assert!(both.mistakes.is_empty());
    }

    #[test]
    fn the_field_that_stops_the_compiler_comes_last_as_it_was_written() {
        let written = |item: TokenStream| {
            let found = item_struct(item).unwrap();
            found.as_written(found.item.clone()).to_token_stream().to_string()
        };
        assert_eq!(
            written(quote!(struct T { #[model] net, seen: , #[hook] last: u8 })),
            quote!(struct T { #[hook] last: u8, net, }).to_string()
        );
        // the compiler would miss the type at a place that the macro can't name
        assert_eq!(
            written(quote!(struct T { net })),
            quote!(
                struct T {
                    net: (),
                }
            )
            .to_string()
        );
    }

    #[test]
    fn the_methods_around_an_unfinished_one_are_there() {
        let block =
            quote!(impl T { fn first(&self) {} fn after_  fn last(&self) -> u8 { self. } #[cfg(test)] fn more() {} });
        let block = item_impl(block).unwrap();
        let names: Vec<String> = block
            .item
            .items
            .iter()
            .map(|member| match member {
                ImplItem::Fn(function) => function.sig.ident.to_string(),
                other => other.to_token_stream().to_string(),
            })
            .collect();
        assert_eq!(names, ["first", "last", "more"]);
        let written = block.with_bodies().to_token_stream().to_string();
        assert!(written.contains("# [cfg (any ())] { self . }"), "{written}");
    }

    #[test]
    fn what_may_be_right_in_a_newer_rust_is_kept() {
        let block = item_impl(quote!(impl T { fn odd(&self) -> u8 @ 3 { 1 } })).unwrap();
        assert!(block.with_bodies().to_token_stream().to_string().contains("@ 3"));
    }
}
