//! `engine::register!(hook Worst<f32>)`: a type that a program makes of a generic component, which files can then name.

use crate::args::{self, CRATE, NAME};
use crate::chosen;
use crate::diag::Diag;
use crate::krate::Krate;
use crate::suggest::meant_or_list;
use crate::verified::{block, path, verified};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Token, Type};

/// The kinds of components, as `list` prints them.
const KINDS: [&str; 11] =
    ["hook", "metric", "sink", "model", "dataset", "optimizer", "schedule", "sampler", "loop", "step", "settings"];

/// What a call says.
struct Call {
    kind: Ident,
    component: Type,
    more: TokenStream,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const USAGE: &str = "say what is registered, and its type: `engine::register!(hook Worst<f32>);`";
        if input.is_empty() {
            return Err(syn::Error::new(Span::call_site(), USAGE));
        }
        let start = input.fork();
        let kind = start.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), USAGE))?;
        if !KINDS.iter().any(|known| kind == known) {
            let is_kind =
                !start.is_empty() && !start.peek(Token![<]) && !start.peek(Token![::]) && !start.peek(Token![,]);
            let message = match is_kind {
                true => format!("unknown kind `{kind}`{}", meant_or_list(&kind.to_string(), &KINDS)),
                false => USAGE.to_owned(),
            };
            return Err(syn::Error::new(kind.span(), message));
        }
        input.call(Ident::parse_any)?;
        if input.is_empty() {
            return Err(syn::Error::new(kind.span(), USAGE));
        }
        let component: Type = input.parse().map_err(|error| syn::Error::new(error.span(), USAGE))?;
        if !has_arguments(&component) {
            let message = "this type has no parameters; its attribute has registered it, and a generic type is written with its parameters: `Worst<f32>`";
            return Err(syn::Error::new_spanned(component, message));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Call { kind, component, more: input.parse()? })
    }
}

/// `Worst<f32>`. Of a plain type there is an entry, and a second impl would be told in the compiler's words.
fn has_arguments(component: &Type) -> bool {
    matches!(component, Type::Path(path) if path.path.segments.last().is_some_and(|last| !last.arguments.is_empty()))
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    Call::parse.parse2(input).map_or_else(|error| error.to_compile_error(), |call| registered(&call))
}

fn registered(call: &Call) -> TokenStream {
    let Call { kind, component, more } = call;
    let mut diag = Diag::new();
    let mut args = args::parse("register!", more.clone(), &[NAME, CRATE], &mut diag);
    let word = kind.to_string();
    let short = short_name(component, &word);
    let name = args.name_or(&short, &Ident::new("register", component.span()), &mut diag);
    let (krate, errors) = (Krate::from_args(&mut args), diag.into_tokens());
    let private = krate.private();
    // an error about the type is reported at the type, and an error about the kind at the word of the kind
    let asked = path(&krate, component, "Generic", "KIND");
    let told = format!("this is not of the kind `{word}`, but of ");
    let text = Ident::new("text", Span::mixed_site().located_at(kind.span()));
    let refuse = quote_spanned!(kind.span()=> ::core::panic!("{}", #text.as_str()));
    let known = verified(&krate, component, &Ident::new("IS_KIND", Span::call_site()));
    let settings = match word.as_str() {
        "hook" | "metric" | "sink" => quote!(<#component as #private::Configured>::Settings),
        _ => quote!(#component),
    };
    let by_file = chosen::by_file(&private, &word, &name, &known, &settings);
    let named = matches!(word.as_str(), "hook" | "metric" | "sink").then(|| {
        quote! {
            impl #private::Registered for #settings {
                const NAME: &'static str = #name;
            }
        }
    });
    // what follows from the one error is noted at the type, and not at the whole call
    let told_of = |what: &str| {
        let what = Ident::new(what, component.span());
        quote_spanned!(component.span()=> <#known as #private::Generic>::#what)
    };
    let (docs, fields, checked) = (told_of("DOCS"), told_of("FIELDS"), told_of("CHECKED"));
    let entry = chosen::submit(&private, &word, &quote!(#name), &docs, &fields);
    let other_name = (name != short).then(|| quote!(#private::inventory::submit! { #private::OtherName(#name) }));
    let block = block(quote! {
        const IS_KIND: bool = {
            let kind = #asked;
            let #text = #private::ConstText::list(#told, &[kind]);
            if !#private::is_one_of(kind, &[#word]) {
                #refuse
            }
            true
        };
        #named
        #entry
        #other_name
        const _: () = #checked;
        #by_file
    });
    quote!(#errors #block)
}

/// The default name in files: the name of the type, without `Config` where the type is the settings themselves.
fn short_name(component: &Type, kind: &str) -> String {
    let name = match component {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.unraw().to_string()),
        _ => None,
    };
    let name = name.unwrap_or_default();
    match name.strip_suffix("Config") {
        Some(short) if !short.is_empty() && !matches!(kind, "hook" | "metric" | "sink") => short.to_owned(),
        _ => name,
    }
}
