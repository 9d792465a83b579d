//! From an `impl` block to its checked phases.

use crate::args::{self, CRATE, Key};
use crate::diag::Diag;
use crate::krate::Krate;
use crate::method::{Wanted, quiet_signature};
use crate::phases::asks::asks_nothing;
use crate::phases::correct::{correct, takes_context};
use crate::phases::names;
use crate::recover;
use crate::source::source_of_type;
use crate::suggest::did_you_mean;
use crate::twice;
use crate::words::PHASES;
use proc_macro2::{Ident, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::ext::IdentExt as _;
use syn::{Attribute, ImplItem, ImplItemFn, ItemImpl, Meta, Type};

/// A block of phases.
pub(crate) struct Phases {
    /// The block as it was written.
    pub(crate) item: ItemImpl,
    /// Its methods without mistakes.
    pub(crate) methods: Vec<Method>,
    /// The names of phases whose methods have mistakes.
    pub(crate) mistaken: Vec<Ident>,
    pub(crate) krate: Krate,
}

/// A method that a phase calls.
pub(crate) struct Method {
    pub(crate) name: Ident,
    /// Whether it has `#[only_ok]`.
    pub(crate) only_ok: bool,
    /// Whether it can't ask the loop for anything.
    pub(crate) asks_nothing: bool,
    pub(crate) cfgs: Vec<Attribute>,
    /// The type of the context parameter without `&mut`, for the span of a mismatch.
    pub(crate) context: Type,
    /// The return type, likewise.
    pub(crate) output: Type,
}

pub(super) const KEYS: &[Key] = &[CRATE];

/// `None`: the item is no inherent `impl` block.
pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Phases> {
    let mut block = recover::item_impl(item)?;
    let item = &mut block.item;
    if let Some((_, of, _)) = &item.trait_ {
        // a trait of the user's own may have methods with the names of phases
        let is = |names: &[&str]| of.segments.last().is_some_and(|name| names.iter().any(|known| name.ident == known));
        let is_phase = |member: &ImplItem| matches!(member, ImplItem::Fn(function) if PHASES.iter().any(|name| function.sig.ident == name));
        let are_phases = !item.items.is_empty() && item.items.iter().all(is_phase);
        let is_meant = is(&["Hook", "Phases"]) || (are_phases && is(&["Steps", "ValStep", "TestStep", "PredictStep"]));
        if !is_meant {
            return None;
        }
        let owner = source_of_type(&item.self_ty);
        diag.error(of, format!("phases are methods of the type itself, not of a trait; write `impl {owner} {{ … }}`"));
        item.trait_ = None;
    }
    let krate = Krate::from_args(&mut args::parse("phases", args, KEYS, diag));
    twice::only("phases", &mut item.attrs, diag);
    if item.items.is_empty() {
        let message = "this block has no phase; add one, such as `fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()>`";
        diag.error(&item.self_ty, message);
    }
    let mut seen = BTreeSet::new();
    let (mut methods, mut mistaken) = (Vec::new(), Vec::new());
    item.items.retain_mut(|member| match method(member, &mut seen, &krate, diag) {
        Found::Phase(method) => {
            methods.push(*method);
            true
        }
        Found::Mistake(name) => {
            mistaken.extend(name);
            true
        }
        Found::Removed => false,
    });
    Some(Phases { methods, mistaken, krate, item: block.with_bodies() })
}

/// What a member of the block is.
enum Found {
    Phase(Box<Method>),
    /// It can't be called as a phase; the error is reported. The name, when it is that of a phase.
    Mistake(Option<Ident>),
    /// The error is reported, and the compiler would complain of it once more.
    Removed,
}

fn method(member: &mut ImplItem, seen: &mut BTreeSet<String>, krate: &Krate, diag: &mut Diag) -> Found {
    let Some(function) = recover::without_body(member) else { return written_method(member, seen, krate, diag) };
    let mut whole = ImplItem::Fn(function);
    let found = written_method(&mut whole, seen, krate, diag);
    if let ImplItem::Fn(function) = &whole {
        *member = recover::bodiless(function, member);
    }
    found
}

fn written_method(member: &mut ImplItem, seen: &mut BTreeSet<String>, krate: &Krate, diag: &mut Diag) -> Found {
    const ELSEWHERE: &str = "move it to an `impl` block of its own";
    let function = match member {
        ImplItem::Fn(function) => function,
        ImplItem::Const(item) => {
            diag.error(&item.ident, format!("a `#[phases]` block holds phases only; {ELSEWHERE}"));
            return Found::Mistake(None);
        }
        // what the compiler has to say: a method without a body
        ImplItem::Verbatim(tokens) => return Found::Mistake(name_of_method(tokens)),
        // such a type is refused wherever it stands
        ImplItem::Type(item) => {
            diag.error(&item.ident, "a `#[phases]` block holds phases only; put the type beside it");
            return Found::Removed;
        }
        other => {
            diag.error(other, format!("a `#[phases]` block holds phases only; {ELSEWHERE}"));
            return Found::Mistake(None);
        }
    };
    let ident = function.sig.ident.clone();
    let name = ident.unraw().to_string();
    if !PHASES.contains(&name.as_str()) {
        let hint = match (names::elsewhere(&name), did_you_mean(&name, PHASES)) {
            (Some(here), _) => format!(", here it is `{here}`"),
            (None, Some(meant)) => format!(", did you mean `{meant}`?"),
            (None, None) => "; helpers go into an `impl` block of their own".to_owned(),
        };
        diag.error(&ident, format!("`{name}` is not a phase{hint}"));
        function.attrs.retain(|attr| !attr.path().is_ident(ONLY_OK));
        if takes_context(function) {
            correct(function, krate);
        }
        return Found::Mistake(None);
    }
    let only_ok = only_ok(function, &name, diag);
    // two methods under opposite `cfg`s are no duplicates; the compiler tells when they are
    let cfgs: Vec<Attribute> = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
    if cfgs.is_empty() && !seen.insert(name.clone()) {
        diag.error(&ident, format!("phase `{name}` is in this block already; make one method of the two"));
        return Found::Removed;
    }
    match signature(function, diag) {
        Some((context, output)) => {
            let asks_nothing = asks_nothing(function);
            function.attrs.push(quiet_signature());
            Found::Phase(Box::new(Method { name: ident, only_ok, asks_nothing, cfgs, context, output }))
        }
        None => {
            correct(function, krate);
            Found::Mistake(Some(ident.unraw()))
        }
    }
}

/// Takes `#[only_ok]` off a method.
fn only_ok(function: &mut ImplItemFn, name: &str, diag: &mut Diag) -> bool {
    let mut found = false;
    function.attrs.retain(|attr| {
        if looks_like_only_ok(attr) {
            let written = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            diag.error(attr.path(), format!("unknown attribute `{written}`, did you mean `{ONLY_OK}`?"));
            found = true;
            return false;
        }
        if !attr.path().is_ident(ONLY_OK) {
            return true;
        }
        if found {
            diag.error(attr, "`#[only_ok]` is here twice, keep one of them");
        } else if !matches!(attr.meta, Meta::Path(_)) {
            diag.error(attr, "`#[only_ok]` takes no arguments");
        } else if name == "on_exception" {
            diag.error(attr, "`on_exception` is called only when a run does not end well; remove `#[only_ok]`");
        } else if !names::closes(name) {
            diag.error(attr, format!("`{name}` is called only while all is well; remove `#[only_ok]`, which is for phases that close another one"));
        }
        found = true;
        false
    });
    found
}

const ONLY_OK: &str = "only_ok";

/// Whether an attribute that nobody knows was meant as `#[only_ok]`.
fn looks_like_only_ok(attr: &Attribute) -> bool {
    const WORDS: [&str; 6] = ["only_if_ok", "if_ok", "ok_only", "only_on_ok", "only_success", "on_success"];
    let Some(name) = attr.path().get_ident().map(ToString::to_string) else { return false };
    name != ONLY_OK && (WORDS.contains(&name.as_str()) || did_you_mean(&name, &[ONLY_OK]).is_some())
}

/// The name behind `fn` of a method that does not parse, when it is that of a phase.
fn name_of_method(tokens: &TokenStream) -> Option<Ident> {
    let mut tokens =
        tokens.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "fn"));
    match tokens.nth(1)? {
        TokenTree::Ident(name) if PHASES.contains(&name.unraw().to_string().as_str()) => Some(name.unraw()),
        _ => None,
    }
}

/// Checks the shape of the signature; its types are checked by the compiler, in the expansion.
fn signature(function: &ImplItemFn, diag: &mut Diag) -> Option<(Type, Type)> {
    let name = &function.sig.ident;
    let signature = format!("fn {name}(&mut self, cx: &mut Context<'_>) -> Result<()>");
    let wanted = Wanted { what: "a phase", owner: "its hook", signature };
    let parameters = wanted.parameters(function, diag)?;
    let context = wanted.context(parameters.first().copied(), function, diag)?;
    if let Some(more) = parameters.get(1) {
        wanted.refuse(more, "a phase takes the context and nothing else", diag);
        return None;
    }
    Some((context, wanted.output(function, "Result<()>", diag)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn errors(methods: TokenStream) -> Vec<String> {
        let mut diag = Diag::new();
        let block = parse(TokenStream::new(), quote!(impl H { #methods }), &mut diag);
        assert!(block.is_some());
        diag.into_messages()
    }

    #[test]
    fn a_right_signature_may_use_other_names_and_lifetimes() {
        let none: [&str; 0] = [];
        assert_eq!(
            errors(quote!(
                fn after_val(&mut self, _: &mut Cx) -> Outcome {
                    ok()
                }
            )),
            none
        );
        assert_eq!(
            errors(quote!(
                fn after_val(self: &mut Self, cx: &mut Context<'_>) -> Result<()> {
                    ok()
                }
            )),
            none
        );
        assert_eq!(
            errors(quote!(
                pub fn after_run<'a>(&'a mut self, cx: &'a mut Context<'a>) -> Result<()> {
                    ok()
                }
            )),
            none
        );
    }

    #[test]
    fn each_wrong_signature_is_one_error() {
        for method in [
            quote!(
                fn after_val(&self, cx: &mut Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val(self, cx: &mut Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val(cx: &mut Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val(&mut self) -> Result<()> {}
            ),
            quote!(
                fn after_val(&mut self, cx: &Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val(&mut self, cx: Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val(&mut self, cx: &mut Context<'_>, n: usize) -> Result<()> {}
            ),
            quote!(
                fn after_val(&mut self, cx: &mut Context<'_>) {}
            ),
            quote!(
                async fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {}
            ),
            quote!(
                unsafe fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {}
            ),
            quote!(
                fn after_val<T>(&mut self, cx: &mut Context<'_>) -> Result<()> {}
            ),
        ] {
            let errors = errors(method);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].ends_with("expected `fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()>`"));
        }
    }

    #[test]
    fn what_is_no_phase_is_told_what_to_do() {
        for (method, expected) in [
            (
                quote!(
                    fn after_val_itr(&mut self) {}
                ),
                "`after_val_itr` is not a phase, did you mean `after_val_iter`?",
            ),
            (
                quote!(
                    fn on_step_begin(&mut self) {}
                ),
                "`on_step_begin` is not a phase, here it is `before_train_iter`",
            ),
            (
                quote!(
                    fn update(&mut self) {}
                ),
                "`update` is not a phase; helpers go into an `impl` block of their own",
            ),
        ] {
            assert_eq!(errors(method), [expected]);
        }
    }
}
