//! What a trainer must have, what it can have once, and what has to fit together.

use crate::diag::Diag;
use crate::fields::{is_option, refuse_reset_of_nothing};
use crate::suggest::meant_or_list;
use crate::trainer::model::{LoaderRole, Trainer, TrainerField, TrainerRole};
use crate::trainer::types;
use crate::words::ENGINE_HOOKS;
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;

/// The most `#[hook]` fields: with the engine's own hooks and the trainer they fit into the engine's `MAX_SLOTS`.
const MOST_HOOKS: usize = 200;

/// The most train loaders: a tuple of so many batches is a batch.
const MOST_TRAIN_LOADERS: usize = 8;

/// Reports what is wrong, and takes it out, so that the expansion stands on the rest.
pub(crate) fn validate(trainer: &mut Trainer, diag: &mut Diag) {
    types::are_meant(trainer, diag);
    something_is_missing(trainer, diag);
    one_of_a_kind(trainer, diag);
    train_loaders_are_there(trainer, diag);
    train_loaders_fit(trainer, diag);
    optimizers_name_models(trainer, diag);
    models_have_one_optimizer(trainer, diag);
    metrics_are_fed(trainer, diag);
    hooks_have_names_of_their_own(trainer, diag);
    hooks_fit(trainer, diag);
    state_is_there_to_reset(trainer, diag);
}

fn state_is_there_to_reset(trainer: &Trainer, diag: &mut Diag) {
    if trainer.fields.iter().any(|field| matches!(field.role, TrainerRole::Unknown)) {
        return;
    }
    let own = trainer.fields.iter().filter_map(|field| match &field.role {
        TrainerRole::Own(own) => Some(own.as_ref()),
        _ => None,
    });
    refuse_reset_of_nothing(own, diag);
}

fn something_is_missing(trainer: &mut Trainer, diag: &mut Diag) {
    // a field whose role is wrong may be the one
    if trainer.fields.iter().any(|field| matches!(field.role, TrainerRole::Unknown)) {
        return;
    }
    let name = &trainer.item.ident;
    let model = (trainer.models().next().is_some(), "model", "`#[model] net: …`");
    let optimizer = (trainer.optimizers().next().is_some(), "optimizer", "`#[optimizer] opt: Box<dyn Optimizer>`");
    let loader =
        (trainer.loaders(LoaderRole::Train).next().is_some(), "train loader", "`#[loader(train)] train: Loader<…>`");
    let missing: Vec<_> = [model, optimizer, loader].into_iter().filter(|(found, ..)| !found).collect();
    if missing.is_empty() {
        return;
    }
    if let [(_, a, x), (_, b, y), (_, c, z)] = missing[..] {
        let message = format!(
            "trainer `{name}` has no {a}, no {b} and no {c}; add fields {x}, {y} and {z}, or write `#[hook]` if it is a hook"
        );
        diag.error(name, message);
    } else {
        for (_, what, field) in missing {
            diag.error(name, format!("trainer `{name}` has no {what}; add a field {field}"));
        }
    }
    // what is missing may be one of these, under another role, and that is not asked for what it can't have
    for field in trainer.fields.iter_mut().filter(|field| matches!(field.role, TrainerRole::Own(_))) {
        field.role = TrainerRole::Unknown;
    }
}

fn one_of_a_kind(trainer: &mut Trainer, diag: &mut Diag) {
    let mut only = |is_one: fn(&TrainerRole) -> bool, what: &str, advice: &str| {
        let mut first: Option<Ident> = None;
        for field in trainer.fields.iter_mut().filter(|field| is_one(&field.role)) {
            match &first {
                None => first = Some(field.ident.clone()),
                Some(first) => {
                    diag.error_at(field.at, format!("a trainer has one {what}, and `{first}` is it; {advice}"));
                    field.role = TrainerRole::Unknown;
                }
            }
        }
    };
    only(
        |role| matches!(role, TrainerRole::Loader(LoaderRole::Predict)),
        "predict loader",
        "put the data together in one dataset",
    );
    only(
        |role| matches!(role, TrainerRole::Scheduler),
        "`#[scheduler]`",
        "it holds all schedules of the file, for every optimizer",
    );
}

/// A training has no iter without a batch of each train loader.
fn train_loaders_are_there(trainer: &mut Trainer, diag: &mut Diag) {
    for field in &mut trainer.fields {
        if matches!(field.role, TrainerRole::Loader(LoaderRole::Train)) && is_option(&field.ty) {
            diag.error(
                &field.ty,
                "a train loader can't be an `Option`: every iter takes a batch of it; only `val`, `test` and `predict` loaders can be left out",
            );
            field.role = TrainerRole::Unknown;
        }
    }
}

/// Several train loaders are joined. One error, on the first that is too many.
fn train_loaders_fit(trainer: &mut Trainer, diag: &mut Diag) {
    let loaders =
        trainer.fields.iter_mut().filter(|field| matches!(field.role, TrainerRole::Loader(LoaderRole::Train)));
    for (index, field) in loaders.skip(MOST_TRAIN_LOADERS).enumerate() {
        if index == 0 {
            let message = format!(
                "a trainer can have at most {MOST_TRAIN_LOADERS} train loaders; put some of the data together in one dataset"
            );
            diag.error_at(field.at, message);
        }
        field.role = TrainerRole::Unknown;
    }
}

fn optimizers_name_models(trainer: &mut Trainer, diag: &mut Diag) {
    let models: Vec<String> = trainer.models().map(|field| field.ident.unraw().to_string()).collect();
    let known: Vec<&str> = models.iter().map(String::as_str).collect();
    // the field of a model with a mistake
    let unknown = trainer.fields.iter().filter(|field| matches!(field.role, TrainerRole::Unknown));
    let unknown: Vec<String> = unknown.map(|field| field.ident.unraw().to_string()).collect();
    let several = trainer.optimizers().count() > 1 && models.len() > 1;
    let named: Vec<String> = trainer
        .optimizers()
        .flat_map(|field| match &field.role {
            TrainerRole::Optimizer { models } => models.iter().map(|model| model.unraw().to_string()).collect(),
            _ => Vec::new(),
        })
        .collect();
    // one mistake, however many optimizers it concerns
    let mut told = false;
    for field in &mut trainer.fields {
        let TrainerRole::Optimizer { models } = &mut field.role else { continue };
        if models.is_empty() && several && !std::mem::replace(&mut told, true) {
            let free = known.iter().find(|model| !named.iter().any(|taken| taken == *model));
            let message = format!(
                "which models does `{}` update? several optimizers name theirs: `#[optimizer({})]`",
                field.ident,
                free.unwrap_or(&known[0])
            );
            diag.error_at(field.at, message);
        }
        let mut seen: Vec<Ident> = Vec::new();
        models.retain(|model| {
            let name = model.to_string();
            if unknown.contains(&name) {
                return true;
            }
            if !known.contains(&name.as_str()) {
                let hint = match known.is_empty() {
                    true => String::new(),
                    false => meant_or_list(&name, &known),
                };
                diag.error(model, format!("`{name}` is no `#[model]` field{hint}"));
                return false;
            }
            if seen.contains(model) {
                diag.error(model, format!("`{name}` is named twice, keep one of them"));
                return false;
            }
            seen.push(model.clone());
            true
        });
    }
}

/// Every optimizer steps in every iter: two of them would update a model twice.
fn models_have_one_optimizer(trainer: &Trainer, diag: &mut Diag) {
    let mut updated: Vec<(&Ident, &Ident)> = Vec::new();
    for field in trainer.optimizers() {
        let TrainerRole::Optimizer { models: named } = &field.role else { continue };
        let all = trainer.models().map(|model| (&model.ident, field.at));
        let its: Vec<(&Ident, Span)> = match (named.is_empty(), trainer.models().count()) {
            (false, _) => named.iter().map(|model| (model, model.span())).collect(),
            (true, 1) => all.collect(),
            // of several models it does not name its own; that is reported when there are other optimizers
            (true, _) => Vec::new(),
        };
        for (model, at) in its {
            match updated.iter().find(|(known, _)| *known == model) {
                None => updated.push((model, &field.ident)),
                Some((_, first)) => {
                    let message = format!(
                        "`{first}` updates `{model}` already, and a model has one optimizer; other settings for some of its parameters go into the `groups` of `{first}`"
                    );
                    diag.error_at(at, message);
                }
            }
        }
    }
}

fn metrics_are_fed(trainer: &Trainer, diag: &mut Diag) {
    let feeds = |field: &TrainerField| {
        matches!(field.role, TrainerRole::Loader(LoaderRole::Val | LoaderRole::Test) | TrainerRole::Unknown)
    };
    if trainer.fields.iter().any(feeds) {
        return;
    }
    // of several it is one mistake
    if let Some(metric) = trainer.metrics().next() {
        diag.error_at(metric.at, "no loader feeds this metric; add a `#[loader(val)]` or a `#[loader(test)]` field");
    }
}

fn hooks_have_names_of_their_own(trainer: &mut Trainer, diag: &mut Diag) {
    for field in trainer.fields.iter_mut().filter(|field| matches!(field.role, TrainerRole::Hook)) {
        if ENGINE_HOOKS.iter().any(|name| field.ident == name) {
            let name = &field.ident;
            let message =
                format!("`hooks.{name}` are the settings of the engine's own `{name}`; give this field another name");
            diag.error(name, message);
            field.role = TrainerRole::Unknown;
        }
    }
}

/// One error, on the first field that is too many.
fn hooks_fit(trainer: &mut Trainer, diag: &mut Diag) {
    let hooks = trainer.fields.iter_mut().filter(|field| matches!(field.role, TrainerRole::Hook));
    for (index, field) in hooks.skip(MOST_HOOKS).enumerate() {
        if index == 0 {
            let message = format!(
                "a trainer can have at most {MOST_HOOKS} `#[hook]` fields; put the others into `custom_hooks` of the experiment"
            );
            diag.error_at(field.at, message);
        }
        field.role = TrainerRole::Unknown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn errors(fields: TokenStream) -> Vec<String> {
        let mut diag = Diag::new();
        let item = quote!(struct Digits { #fields });
        if let Some(mut trainer) = parse::parse(quote!(by_epoch), item, &mut diag) {
            validate(&mut trainer, &mut diag);
        }
        diag.into_messages()
    }

    #[test]
    fn what_a_trainer_lacks_is_told_with_the_field_to_add() {
        let errors = errors(quote!(#[transient] x: u8));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("trainer `Digits` has no model, no optimizer and no train loader; add fields"));
        let errors = self::errors(quote!(#[loader(train)] train: L));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert_eq!(errors[0], "trainer `Digits` has no model; add a field `#[model] net: …`");
    }

    #[test]
    fn a_wrong_role_is_not_reported_as_a_missing_one() {
        let errors = errors(quote!(#[model] net: Cnn, #[optimizer] opt: O, #[loader(trian)] train: L));
        assert_eq!(errors, ["unknown loader role `trian`, did you mean `train`?"]);
    }

    #[test]
    fn optimizers_of_several_models_name_theirs() {
        let rest = quote!(#[loader(train)] train: L, #[model] net: A, #[model] disc: B);
        let ok = errors(quote!(#rest, #[optimizer(net)] a: O, #[optimizer(disc)] b: O));
        assert!(ok.is_empty(), "{ok:?}");
        let one = errors(quote!(#rest, #[optimizer] a: O));
        assert!(one.is_empty(), "{one:?}");
        let unnamed = errors(quote!(#rest, #[optimizer(net)] a: O, #[optimizer] b: O));
        assert_eq!(unnamed.len(), 1, "{unnamed:?}");
        let wrong = errors(quote!(#rest, #[optimizer(disk)] a: O));
        assert_eq!(wrong, ["`disk` is no `#[model]` field, did you mean `disc`?"]);
    }

    #[test]
    fn an_optimizer_may_name_a_model_with_a_mistake() {
        for model in [quote!(#[model] net: nn::Linear), quote!(#[model] net: NetConfig)] {
            let errors = errors(quote!(#[loader(train)] train: L, #model, #[optimizer(net)] opt: O));
            assert_eq!(errors.len(), 1, "{errors:?}");
        }
    }

    #[test]
    fn a_model_has_one_optimizer() {
        let rest = quote!(#[loader(train)] train: L, #[model] net: A);
        let twice = errors(quote!(#rest, #[optimizer] a: O, #[optimizer] b: O));
        assert_eq!(twice.len(), 1, "{twice:?}");
        assert!(twice[0].starts_with("`a` updates `net` already, and a model has one optimizer"), "{twice:?}");
        let named = errors(quote!(#rest, #[optimizer(net)] a: O, #[optimizer] b: O));
        assert_eq!(named.len(), 1, "{named:?}");
        let rest = quote!(#rest, #[model] disc: B);
        let overlap = errors(quote!(#rest, #[optimizer(net, disc)] a: O, #[optimizer(disc)] b: O));
        assert_eq!(overlap.len(), 1, "{overlap:?}");
        assert!(overlap[0].starts_with("`a` updates `disc` already"), "{overlap:?}");
    }

    #[test]
    fn more_train_loaders_than_a_batch_has_parts_are_one_error() {
        let rest = quote!(#[model] net: A, #[optimizer] opt: O);
        let loaders = |count: usize| (0..count).map(|index| quote::format_ident!("loader{index}")).collect::<Vec<_>>();
        let fit = loaders(8);
        assert!(errors(quote!(#rest, #(#[loader(train)] #fit: L,)*)).is_empty());
        let many = loaders(10);
        let message = "a trainer can have at most 8 train loaders; put some of the data together in one dataset";
        assert_eq!(errors(quote!(#rest, #(#[loader(train)] #many: L,)*)), [message]);
    }

    #[test]
    fn more_hooks_than_fit_are_one_error() {
        let rest = quote!(#[loader(train)] train: L, #[model] net: A, #[optimizer] opt: O);
        let hooks = |count: usize| (0..count).map(|index| quote::format_ident!("hook{index}")).collect::<Vec<_>>();
        let fit = hooks(MOST_HOOKS);
        assert!(errors(quote!(#rest, #(#[hook] #fit: H,)*)).is_empty());
        let many = hooks(MOST_HOOKS + 3);
        let errors = errors(quote!(#rest, #(#[hook] #many: H,)*));
        let message =
            "a trainer can have at most 200 `#[hook]` fields; put the others into `custom_hooks` of the experiment";
        assert_eq!(errors, [message]);
    }
}
