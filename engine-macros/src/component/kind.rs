//! What a component is: the flag of the attribute.

use crate::args::{Args, Form, Key, Value};
use crate::diag::Diag;
use crate::elsewhere;
use crate::fields::OwnerKind;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Type;

/// The kinds of components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No flag: settings that others hold.
    Settings,
    Model,
    Dataset,
    Optimizer,
    Schedule,
    Sampler,
    Metric,
    Sink,
    Loop,
    Step,
}

/// Each kind by its flag.
const FLAGS: &[(Kind, Key)] = &[
    (Kind::Model, Key { name: "model", form: Form::FlagOrType, usage: "model" }),
    (Kind::Dataset, flag("dataset")),
    (Kind::Optimizer, flag("optimizer")),
    (Kind::Schedule, flag("schedule")),
    (Kind::Sampler, flag("sampler")),
    (Kind::Metric, flag("metric")),
    (Kind::Sink, flag("sink")),
    (Kind::Loop, flag("loop")),
    (Kind::Step, flag("step")),
];

impl Kind {
    /// Takes the kind's flag, with the type of `model = Type`; without a flag, the component is settings.
    pub(crate) fn from_args(args: &mut Args, diag: &mut Diag) -> (Kind, Option<Type>) {
        let mut found: Option<(Kind, Option<Type>)> = None;
        let mut several = false;
        for (kind, key) in FLAGS {
            let Some((written, value)) = args.take(key.name) else { continue };
            match &found {
                Some((first, _)) => {
                    let (first, second) = (first.word(), key.name);
                    diag.error(written, format!("a component has one kind, `{first}` and `{second}` are two"));
                    several = true;
                }
                None => {
                    let model = match value {
                        Value::Type(model) => Some(model),
                        _ => None,
                    };
                    found = Some((*kind, model));
                }
            }
        }
        match found {
            // which one was meant is not known: settings ask nothing more of the type
            Some((kind, _)) if several && kind.owner().is_none() => (Kind::Settings, None),
            found => found.unwrap_or((Kind::Settings, None)),
        }
    }

    /// The word in the registry.
    pub(crate) fn word(self) -> &'static str {
        match FLAGS.iter().find(|(kind, _)| *kind == self) {
            Some((_, key)) => key.name,
            None => "settings",
        }
    }

    /// What the component is when it lives on as itself, with state, and its settings are a struct of their own; `None`:
    /// the component is its settings.
    pub(crate) fn owner(self) -> Option<OwnerKind> {
        match self {
            Kind::Metric => Some(OwnerKind::Metric),
            Kind::Sink => Some(OwnerKind::Sink),
            _ => None,
        }
    }

    /// The flags, as arguments of the attribute.
    pub(crate) fn keys() -> impl Iterator<Item = Key> {
        FLAGS.iter().map(|(_, key)| Key { ..*key })
    }
}

/// `hook` of `#[component(hook)]`, what to say of it, and the arguments behind it.
pub(crate) fn of_hook(args: &TokenStream) -> Option<(Ident, &'static str, TokenStream)> {
    let mut tokens = args.clone().into_iter();
    let TokenTree::Ident(word) = tokens.next()? else { return None };
    let is_hook = word == "hook" || word == "callback";
    let message = elsewhere::argument("component", &word.to_string()).filter(|_| is_hook)?;
    // behind the comma
    tokens.next();
    Some((word, message, tokens.collect()))
}

const fn flag(name: &'static str) -> Key {
    Key { name, form: Form::Flag, usage: name }
}
