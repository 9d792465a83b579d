//! From an `impl` block to its checked passes.

use crate::args::{self, Args, CRATE, Form, Key};
use crate::diag::Diag;
use crate::krate::Krate;
use crate::method::{Wanted, quiet_signature};
use crate::passes::batch::{batch_of, becomes, is_context, is_of_trainer, is_own_batch, named_batch};
use crate::passes::correct::correct;
use crate::passes::model::{Call, Pass, Passes};
use crate::recover;
use crate::source::source_of_type;
use crate::suggest::{did_you_mean, meant_or_list};
use crate::twice;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, ExprLit, FnArg, ImplItem, ImplItemFn, Lit, Meta, Type};

const KEYS: &[Key] = &[CRATE];

const OF_PASS: &[Key] = &[
    Key { name: "times", form: Form::Expr, usage: "times = 5" },
    Key { name: "every", form: Form::Expr, usage: "every = 2" },
    Key { name: "batches", form: Form::Path, usage: "batches = Same" },
];

/// `None`: the item is no inherent `impl` block.
pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Passes> {
    let mut block = recover::item_impl(item)?;
    let item = &mut block.item;
    if let Some((_, of, _)) = &item.trait_ {
        if of.segments.last().is_none_or(|name| name.ident != "Steps") {
            return None;
        }
        let owner = source_of_type(&item.self_ty);
        diag.error(
            of,
            format!("passes are methods of the trainer's own, not of a trait; write `impl {owner} {{ … }}`"),
        );
        item.trait_ = None;
    }
    let krate = Krate::from_args(&mut args::parse("passes", args, KEYS, diag));
    twice::only("passes", &mut item.attrs, diag);
    let mut passes: Vec<Pass> = Vec::new();
    let found_errors = diag.has_errors();
    let batch = batch_of_all(&mut item.items, diag);
    let (owner, of) = (item.self_ty.as_ref(), becomes(&item.generics));
    item.items.retain_mut(|member| match method(member, owner, &passes, (&krate, of), diag) {
        Found::Pass(pass) => {
            passes.push(*pass);
            true
        }
        Found::Mistake => true,
        Found::Removed => false,
    });
    if item.items.is_empty() && !found_errors && !diag.has_errors() {
        let message = "this block has no pass; add one, such as `#[pass(opt)] fn train(&mut self, batch: &Self::Batch, cx: &mut Context<'_>) -> Result<Output>`";
        diag.error(&item.self_ty, message);
    }
    Some(Passes { item: block.with_bodies(), passes, batch, krate })
}

/// Takes `type Batch = …;` out of the block, which is no member of a block without a trait.
fn batch_of_all(members: &mut Vec<ImplItem>, diag: &mut Diag) -> Option<Type> {
    let is_batch = |member: &mut ImplItem| matches!(member, ImplItem::Type(item) if item.ident == "Batch");
    let mut found = members.extract_if(.., is_batch).filter_map(|member| match member {
        ImplItem::Type(item) => Some(item),
        _ => None,
    });
    let first = found.next()?;
    for second in found {
        diag.error(&second.ident, "the type `Batch` is in this block already, keep one of them");
    }
    Some(first.ty)
}

/// What a member of the block is.
enum Found {
    Pass(Box<Pass>),
    /// It is no pass; the error is reported.
    Mistake,
    /// The error is reported, and the compiler would complain of it once more.
    Removed,
}

fn method(member: &mut ImplItem, owner: &Type, known: &[Pass], of: (&Krate, &str), diag: &mut Diag) -> Found {
    let Some(function) = recover::without_body(member) else { return written_method(member, owner, known, of, diag) };
    let mut whole = ImplItem::Fn(function);
    let found = written_method(&mut whole, owner, known, of, diag);
    if let ImplItem::Fn(function) = &whole {
        *member = recover::bodiless(function, member);
    }
    found
}

fn written_method(
    member: &mut ImplItem,
    owner: &Type,
    known: &[Pass],
    (krate, of): (&Krate, &str),
    diag: &mut Diag,
) -> Found {
    let function = match member {
        ImplItem::Fn(function) => function,
        ImplItem::Type(item) => {
            diag.error(&item.ident, "a `#[passes]` block holds passes and the type `Batch` only; move this out of it");
            return Found::Removed;
        }
        ImplItem::Const(item) => {
            diag.error(&item.ident, "a `#[passes]` block holds passes only; move it to an `impl` block of its own");
            return Found::Mistake;
        }
        // what the compiler has to say: a method without a body
        ImplItem::Verbatim(_) => return Found::Mistake,
        other => {
            diag.error(other, "a `#[passes]` block holds passes only; move it to an `impl` block of its own");
            return Found::Mistake;
        }
    };
    let name = function.sig.ident.clone();
    let marks: Vec<Attribute> = function.attrs.extract_if(.., |attr| attr.path().is_ident("pass")).collect();
    let Some(mark) = marks.first() else {
        let misspelt = function.attrs.iter().position(looks_like_pass);
        match misspelt {
            Some(at) => {
                let attr = function.attrs.remove(at);
                diag.error(attr.path(), "a method of a `#[passes]` block is marked `#[pass(…)]`");
            }
            None => diag.error(
                &name,
                format!("`{name}` is not a pass: mark it `#[pass(opt)]` with the optimizers that it steps, or move it to an `impl` block of its own"),
            ),
        }
        return Found::Mistake;
    };
    if let Some(second) = marks.get(1) {
        diag.error(second.path(), format!("`{name}` is marked `#[pass]` twice, keep one of them"));
    }
    if let Some(cfg) = function.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        diag.error(cfg, "a pass can't be under `#[cfg]`; put the attribute on the whole block");
    }
    if known.iter().any(|pass| pass.name == name) {
        diag.error(&name, format!("pass `{name}` is in this block already; give one of the two another name"));
        return Found::Removed;
    }
    let mut pass = marked(name, mark, diag);
    pass.call = signature(function, owner, diag);
    match pass.call {
        Some(_) => function.attrs.push(quiet_signature()),
        None => correct(function, krate, of),
    }
    pass.batch = named_batch(function, owner, krate, of);
    Found::Pass(Box::new(pass))
}

/// `#[passes]` on a method, `#[Pass]` or `#[paas]`.
fn looks_like_pass(attr: &Attribute) -> bool {
    const OF_THE_LANGUAGE: [&str; 9] =
        ["doc", "cfg", "cfg_attr", "allow", "warn", "deny", "expect", "inline", "must_use"];
    let Some(name) = attr.path().get_ident().map(ToString::to_string) else { return false };
    name == "passes" || (!OF_THE_LANGUAGE.contains(&name.as_str()) && did_you_mean(&name, &["pass"]).is_some())
}

/// Reads `#[pass(opt_c, times = 5)]`.
fn marked(name: Ident, mark: &Attribute, diag: &mut Diag) -> Pass {
    let tokens = match &mark.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(pair) => {
            diag.error(&pair.value, "`pass` takes its arguments in parentheses: `#[pass(opt, times = 5)]`");
            return Pass { name, optimizers: vec![], times: None, every: None, batches: None, batch: None, call: None };
        }
    };
    let errors_before = diag.has_errors();
    let (mut optimizers, mut args) = args::parse_with_names("pass", tokens, OF_PASS, diag);
    let mut seen: Vec<Ident> = Vec::new();
    optimizers.retain(|optimizer| {
        let twice = seen.contains(optimizer);
        if twice {
            diag.error(optimizer, format!("`{optimizer}` is named twice, keep one of them"));
        }
        seen.push(optimizer.clone());
        !twice
    });
    // what was not understood may be an optimizer
    if optimizers.is_empty() && (errors_before || !diag.has_errors()) {
        diag.error(
            mark.path(),
            format!("the pass `{name}` names no optimizer, so it would change nothing; write `#[pass(opt)]` with the `#[optimizer]` fields that it steps"),
        );
    }
    let times = count(&mut args, "times", diag);
    let every = count(&mut args, "every", diag);
    let batches = batches(&mut args, diag);
    Pass { name, optimizers, times, every, batches, batch: None, call: None }
}

/// Takes a count that is at least 1, as far as it is a literal.
fn count(args: &mut Args, key: &str, diag: &mut Diag) -> Option<Expr> {
    let expr = args.expr(key)?;
    let problem = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<u64>() {
            Ok(0) => format!("`{key}` must be at least 1"),
            Ok(_) if number.suffix().is_empty() || number.suffix() == "u64" => return Some(expr),
            _ => format!("`{key}` is a count, a `u64`: write `{key} = 5`"),
        },
        Expr::Lit(_) | Expr::Unary(_) => format!("`{key}` is a count: write `{key} = 5`"),
        _ => return Some(expr),
    };
    diag.error(&expr, problem);
    None
}

fn batches(args: &mut Args, diag: &mut Diag) -> Option<Ident> {
    const WORDS: &[&str] = &["Fresh", "Same"];
    let path = args.path("batches")?;
    match path.get_ident() {
        Some(word) if WORDS.contains(&word.to_string().as_str()) => Some(word.clone()),
        Some(word) => {
            diag.error(word, format!("unknown `batches = {word}`{}", meant_or_list(&word.to_string(), WORDS)));
            None
        }
        None => {
            diag.error(&path, "`batches` is one word: `batches = Fresh` or `batches = Same`");
            None
        }
    }
}

/// Checks the shape of the signature; its types are checked by the compiler, in the expansion.
fn signature(function: &ImplItemFn, owner: &Type, diag: &mut Diag) -> Option<Call> {
    let name = &function.sig.ident;
    let batch = match function.sig.inputs.iter().find_map(batch_of) {
        Some(batch) if !is_of_trainer(batch) => source_of_type(batch),
        _ => "Self::Batch".to_owned(),
    };
    let signature = format!("fn {name}(&mut self, batch: &{batch}, cx: &mut Context<'_>) -> Result<Output>");
    let wanted = Wanted { what: "a pass", owner: "its trainer", signature };
    let parameters = wanted.parameters(function, diag)?;
    match parameters.first() {
        Some(FnArg::Typed(argument)) => match argument.ty.as_ref() {
            Type::Reference(reference) if reference.mutability.is_some() && is_context(&reference.elem) => {
                wanted.refuse(name, "a pass takes the batch, and then the context", diag);
                return None;
            }
            Type::Reference(reference) if reference.mutability.is_none() => {
                let batch = reference.elem.as_ref();
                if is_of_trainer(batch) && !is_own_batch(batch, owner) {
                    let problem = "a pass takes `&Self::Batch`, or names the type of the batch";
                    wanted.refuse(batch, problem, diag);
                    return None;
                }
            }
            other => {
                wanted.refuse(other, "a pass borrows its batch", diag);
                return None;
            }
        },
        _ => {
            wanted.refuse(name, "a pass takes the batch", diag);
            return None;
        }
    }
    let context = wanted.context(parameters.get(1).copied(), function, diag)?;
    if let Some(more) = parameters.get(2) {
        wanted.refuse(more, "a pass takes the batch, the context and nothing else", diag);
        return None;
    }
    Some(Call { context, output: wanted.output(function, "Result<Output>", diag)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn errors(methods: TokenStream) -> Vec<String> {
        let mut diag = Diag::new();
        let block = parse(TokenStream::new(), quote!(impl Gan { #methods }), &mut diag);
        assert!(block.is_some());
        diag.into_messages()
    }

    #[test]
    fn a_right_pass_may_use_other_names_patterns_and_lifetimes() {
        let errors = errors(quote!(
            #[pass(opt_c, opt_e, times = N, every = 2, batches = Same,)]
            pub fn critic<'a>(&'a mut self, (x, _): &'a (Tensor, Tensor), _: &mut Cx<'a>) -> Outcome {
                ok(x)
            }
        ));
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn each_wrong_signature_is_one_error() {
        for signature in [
            quote!((&self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output>),
            quote!((batch: &Tensor, cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, cx: &mut Context<'_>, batch: &Tensor) -> Result<Output>),
            quote!((&mut self, batch: Tensor, cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, batch: &mut Tensor, cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, batch: &Self::Item, cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, batch: &(Self::Batch, Tensor), cx: &mut Context<'_>) -> Result<Output>),
            quote!((&mut self, batch: &Tensor) -> Result<Output>),
            quote!((&mut self, batch: &Tensor, cx: &Context<'_>) -> Result<Output>),
            quote!((&mut self, batch: &Tensor, cx: &mut Context<'_>, n: u64) -> Result<Output>),
            quote!((&mut self, batch: &Tensor, cx: &mut Context<'_>)),
            quote!(<T>(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output>),
        ] {
            let errors = errors(quote!(#[pass(opt)] fn critic #signature { Ok(x.into()) }));
            assert_eq!(errors.len(), 1, "{signature}: {errors:?}");
            assert!(errors[0].contains("expected `fn critic(&mut self, batch: &"), "{errors:?}");
        }
    }

    #[test]
    fn each_wrong_argument_is_one_error_that_says_what_to_do() {
        let rest = quote!(
            fn critic(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
                Ok(x.into())
            }
        );
        for (mark, expected) in [
            (quote!(#[pass]), "the pass `critic` names no optimizer, so it would change nothing"),
            (quote!(#[pass(times = 5)]), "the pass `critic` names no optimizer, so it would change nothing"),
            (quote!(#[pass(opt, tmes = 5)]), "unknown argument `tmes` of the `pass` attribute, did you mean `times`?"),
            (quote!(#[pass(opt, times)]), "`times` needs a value, write `times = 5`"),
            (quote!(#[pass(opt, times = 0)]), "`times` must be at least 1"),
            (quote!(#[pass(opt, every = -1)]), "`every` is a count: write `every = 5`"),
            (quote!(#[pass(opt, every = 1.5)]), "`every` is a count: write `every = 5`"),
            (quote!(#[pass(opt, batches = Smae)]), "unknown `batches = Smae`, did you mean `Same`?"),
            (quote!(#[pass(opt, batches = "same")]), "`batches` takes no quotes; write `batches = same`"),
            (quote!(#[pass(opt, opt)]), "`opt` is named twice, keep one of them"),
            (quote!(#[pass("opt")]), "write `opt` without quotes: it is the name of a field"),
            (quote!(#[pass = "opt"]), "`pass` takes its arguments in parentheses"),
            (quote!(), "`critic` is not a pass: mark it `#[pass(opt)]`"),
            (quote!(#[Pass(opt)]), "a method of a `#[passes]` block is marked `#[pass(…)]`"),
        ] {
            let errors = errors(quote!(#mark #rest));
            assert_eq!(errors.len(), 1, "{mark}: {errors:?}");
            assert!(errors[0].starts_with(expected), "{mark}: {errors:?}");
        }
    }
}
