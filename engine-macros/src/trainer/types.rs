//! Types of fields that can't be meant as they are written, told before the compiler asks which traits they have.

use crate::diag::Diag;
use crate::source::source_of_type;
use crate::trainer::model::{Trainer, TrainerField, TrainerRole};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{GenericArgument, PathArguments, Type, TypePath, parse_quote};

/// The layers of libtorch's `nn`, none of which is a model by itself.
const LAYERS: [&str; 22] = [
    "Linear",
    "Sequential",
    "SequentialT",
    "Func",
    "FuncT",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvTranspose1D",
    "ConvTranspose2D",
    "ConvTranspose3D",
    "BatchNorm",
    "LayerNorm",
    "GroupNorm",
    "Embedding",
    "LSTM",
    "GRU",
    "LSTMState",
    "GRUState",
    "Id",
    "VarStore",
    "Path",
];

/// Single schedules, by the names that they have here and in PyTorch and MMEngine.
const SCHEDULES: [&str; 31] = [
    "Constant",
    "ConstantLR",
    "Cosine",
    "CosineAnnealing",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CosineRestartLR",
    "CosineRestarts",
    "Cyclic",
    "CyclicLR",
    "Exponential",
    "ExponentialLR",
    "InverseSqrt",
    "LRScheduler",
    "LambdaLR",
    "Linear",
    "LinearLR",
    "MultiStep",
    "MultiStepLR",
    "Noam",
    "OneCycle",
    "OneCycleLR",
    "Poly",
    "PolyLR",
    "ReduceLROnPlateau",
    "Schedule",
    "Scheduler",
    "Step",
    "StepLR",
    "WarmUpStableDecay",
    "Warmup",
];

/// Reports them; what was meant takes their place, where it is clear.
pub(crate) fn are_meant(trainer: &mut Trainer, diag: &mut Diag) {
    let private = trainer.krate.private();
    for (field, written) in trainer.fields.iter_mut().zip(&mut trainer.item.fields) {
        match field.role {
            TrainerRole::Model => model(field, &private, diag),
            TrainerRole::Optimizer { .. } => optimizer(field, diag),
            TrainerRole::Scheduler => scheduler(field, &private, diag),
            TrainerRole::Hook => {
                hook(field, diag);
                settings("hook", field, diag);
            }
            TrainerRole::Metric => settings("metric", field, diag),
            TrainerRole::Loader(_) => loader(field, &private, diag),
            TrainerRole::Own(_) => own(field, diag),
            _ => {}
        }
        written.ty = field.ty.clone();
    }
}

/// `Loader`, `Loader<Flowers, 32>`, `Loader<dyn Dataset>`, `Loader<Box<dyn Dataset>>`.
fn loader(field: &mut TrainerField, private: &TokenStream, diag: &mut Diag) {
    let Type::Path(TypePath { qself: None, path }) = &field.ty else { return };
    let Some(last) = path.segments.last() else { return };
    // an alias of the user's own has no parameters
    let has_parameters = !last.arguments.is_empty();
    if has_parameters && ["DataLoader", "Dataloader"].iter().any(|name| last.ident == name) {
        let message =
            format!("the type of a loader is `Loader` here: write `Loader<YourDataset>` in place of `{}`", last.ident);
        diag.error(&field.ty, message);
        field.ty = parse_quote!(());
        field.role = TrainerRole::Unknown;
        return;
    }
    if last.ident != "Loader" {
        return;
    }
    let of: Vec<&GenericArgument> = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    };
    let [GenericArgument::Type(dataset)] = of[..] else {
        let message = "a loader has one type argument, its dataset: write `Loader<YourDataset>`, and the batch size and all other settings into the experiment file";
        diag.error(&field.ty, message);
        match of[..] {
            [GenericArgument::Type(dataset), ..] => field.ty = parse_quote!(#private::Loader<#dataset>),
            _ => {
                field.ty = parse_quote!(());
                field.role = TrainerRole::Unknown;
            }
        }
        return;
    };
    if is_dyn(dataset) {
        let message = "the dataset of a loader has one type; write `Loader<YourDataset>`, and let an enum of its settings choose among several";
        diag.error(dataset, message);
        field.ty = parse_quote!(());
        field.role = TrainerRole::Unknown;
    }
}

/// A loader under `#[config]` or `#[state]`.
fn own(field: &mut TrainerField, diag: &mut Diag) {
    let is_loader =
        matches!(&field.ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Loader"));
    if is_loader {
        let message = "the role of a loader says what it is for: `#[loader(train)]`, `#[loader(val)]`, `#[loader(test)]` or `#[loader(predict)]`";
        diag.error_at(field.at, message);
        field.role = TrainerRole::Unknown;
    }
}

fn model(field: &mut TrainerField, private: &TokenStream, diag: &mut Diag) {
    const CHOSEN: &str = "a model that the file chooses has the type `Box<dyn Net>`: `Model` makes one, `Net` runs it";
    if is_dyn(&field.ty) {
        let written = source_of_type(&field.ty);
        if written.contains("dyn Module") || written.contains("dyn nn::Module") {
            // what the steps do with it is not known: a type that is itself the error is in no second one
            let error = syn::Error::new_spanned(&field.ty, CHOSEN).into_compile_error();
            field.ty = Type::Verbatim(quote!(#private::Known<(), { #error }>));
            field.role = TrainerRole::Unknown;
        } else if written.contains("dyn Model") {
            diag.error(&field.ty, CHOSEN);
            field.ty = parse_quote!(::std::boxed::Box<dyn #private::Net>);
        }
        return;
    }
    if let Type::Reference(reference) = &field.ty {
        let inner = reference.elem.as_ref().clone();
        diag.error(&field.ty, format!("a `#[model]` field is the model itself; write `{}`", source_of_type(&inner)));
        field.ty = inner;
        return;
    }
    if let Some((wrapper, inner)) = wrapped(&field.ty) {
        let name = source_of_type(inner);
        let message = match wrapper.as_str() {
            "Option" => format!("a model can't be left out; write `{name}`"),
            "Vec" => format!(
                "a `#[model]` field is one model; write a field for each `{name}`, or one struct that holds them all and implements `Model`"
            ),
            _ => format!("a `#[model]` field is the model itself; write `{name}`"),
        };
        diag.error(&field.ty, message);
        match wrapper.as_str() {
            // what uses the field goes through its elements
            "Vec" => field.role = TrainerRole::Unknown,
            _ => field.ty = inner.clone(),
        }
    } else if let Some(model) = model_of(&field.ty) {
        let settings = source_of_type(&field.ty);
        let name = source_of_type(&model);
        let message = format!("a `#[model]` field is the model, and `{settings}` are its settings; write `{name}`");
        diag.error(&field.ty, message);
        // nothing is asked of the type: the model may have another name
        field.ty = model;
        field.role = TrainerRole::Unknown;
    } else if is_layer(&field.ty) {
        let layer = source_of_type(&field.ty);
        let message = format!(
            "`{layer}` is a part of a model; put it into a struct of your own and write `impl Model for` that struct"
        );
        diag.error(&field.ty, message);
        field.role = TrainerRole::Unknown;
    }
}

fn optimizer(field: &mut TrainerField, diag: &mut Diag) {
    if let Type::TraitObject(object) = &field.ty {
        let boxed: Type = parse_quote!(::std::boxed::Box<#object>);
        diag.error(&field.ty, "a `dyn` type has no size of its own; write `Box<dyn Optimizer>`");
        field.ty = boxed;
    } else if is_optimizer_trait(&field.ty) {
        diag.error(
            &field.ty,
            "an optimizer that the file chooses has the type `Box<dyn Optimizer>`; one that is fixed is named, such as `AdamW`",
        );
        let ty = &field.ty;
        field.ty = parse_quote!(::std::boxed::Box<dyn #ty>);
    }
}

/// `Optimizer`, the trait in the place of a type.
fn is_optimizer_trait(ty: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path }) = ty else { return false };
    path.segments.last().is_some_and(|last| last.ident == "Optimizer" && last.arguments.is_empty())
}

fn scheduler(field: &mut TrainerField, private: &TokenStream, diag: &mut Diag) {
    let in_box = wrapped(&field.ty).map_or(&field.ty, |(_, inner)| inner);
    let name = match in_box {
        Type::Path(TypePath { qself: None, path }) => path.segments.last().map(|last| last.ident.to_string()),
        Type::TraitObject(_) => Some(source_of_type(in_box).trim_start_matches("dyn ").to_owned()),
        _ => None,
    };
    let Some(name) = name else { return };
    if SCHEDULES.iter().any(|known| name == *known) {
        let message = format!(
            "`{name}` is a schedule, and a `#[scheduler]` field holds all that the experiment lists; write `Schedules`"
        );
        diag.error(&field.ty, message);
        field.ty = parse_quote!(#private::Schedules);
    }
}

fn hook(field: &mut TrainerField, diag: &mut Diag) {
    if is_dyn(&field.ty) {
        let message = "the type of a `#[hook]` field is concrete; a hook that the file chooses needs no field, list it under `custom_hooks`";
        diag.error(&field.ty, message);
        field.role = TrainerRole::Unknown;
        // traits of hooks can't be made into objects
        field.ty = parse_quote!(());
    }
}

/// `GuardConfig` in the place of `Guard`.
fn settings(role: &str, field: &mut TrainerField, diag: &mut Diag) {
    if let Some(meant) = model_of(&field.ty) {
        let (written, name) = (source_of_type(&field.ty), source_of_type(&meant));
        let message = format!(
            "a `#[{role}]` field is the {role} itself: write `{name}` instead of `{written}`, and its settings into the experiment file"
        );
        diag.error(&field.ty, message);
        field.ty = meant;
    }
}

/// `Mlp` of `MlpConfig`.
fn model_of(ty: &Type) -> Option<Type> {
    let mut ty = ty.clone();
    let Type::Path(TypePath { qself: None, path }) = &mut ty else { return None };
    let last = &mut path.segments.last_mut()?.ident;
    let name = last.unraw().to_string();
    let model = name.strip_suffix("Config").filter(|model| !model.is_empty())?;
    *last = Ident::new(model, last.span());
    Some(ty)
}

/// `Option`, `Mlp` of `Option<Mlp>`.
fn wrapped(ty: &Type) -> Option<(String, &Type)> {
    let Type::Path(TypePath { qself: None, path }) = ty else { return None };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let is_wrapper = ["Option", "Vec", "Box", "Rc", "Arc", "RefCell", "Mutex"].iter().any(|name| last.ident == name);
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if is_wrapper => Some((last.ident.to_string(), inner)),
        _ => None,
    }
}

/// `nn::Linear`, and a `Tensor`.
pub(crate) fn is_layer(ty: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path }) = ty else { return false };
    let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["Tensor"] | [.., "tch", "Tensor"] => true,
        [.., "nn", last] => LAYERS.contains(&last),
        _ => false,
    }
}

/// `dyn …`, also within `Box<…>` or `Option<…>`.
fn is_dyn(ty: &Type) -> bool {
    match ty {
        Type::TraitObject(_) => true,
        _ => wrapped(ty).is_some_and(|(_, inner)| is_dyn(inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::parse;
    use quote::quote;

    fn told(field: TokenStream) -> (Vec<String>, String) {
        let mut diag = Diag::new();
        let mut trainer = parse::parse(quote!(by_epoch), quote!(struct Digits { #field }), &mut diag).unwrap();
        are_meant(&mut trainer, &mut diag);
        let ty = source_of_type(&trainer.fields[0].ty);
        (diag.into_messages(), ty)
    }

    #[test]
    fn what_a_model_is_wrapped_in_is_taken_off() {
        for (written, meant) in
            [(quote!(Box<Mlp>), "Mlp"), (quote!(Option<Arc<Mlp>>), "Arc<Mlp>"), (quote!(Vec<Mlp>), "Vec<Mlp>")]
        {
            let (errors, ty) = told(quote!(#[model] net: #written));
            assert_eq!((errors.len(), ty.as_str()), (1, meant), "{errors:?}");
        }
        for right in [quote!(Mlp), quote!(my::nn::Cnn), quote!(Box<dyn Net>), quote!(Stack<Mlp>)] {
            assert_eq!(told(quote!(#[model] net: #right)).0, Vec::<String>::new());
        }
    }

    #[test]
    fn the_settings_of_a_model_are_told_from_it() {
        let (errors, ty) = told(quote!(#[model] net: nets::MlpConfig));
        assert_eq!(
            errors,
            ["a `#[model]` field is the model, and `nets::MlpConfig` are its settings; write `nets::Mlp`"]
        );
        assert_eq!(ty, "nets::Mlp");
    }

    #[test]
    fn a_schedule_is_not_all_of_them() {
        let (errors, ty) = told(quote!(#[scheduler] schedule: Cosine));
        assert!(errors.len() == 1 && ty.ends_with("Schedules"), "{errors:?} {ty}");
        assert_eq!(told(quote!(#[scheduler] schedule: Schedules)).0, Vec::<String>::new());
    }

    #[test]
    fn a_layer_is_no_model() {
        for layer in [quote!(nn::Linear), quote!(tch::nn::SequentialT), quote!(Tensor)] {
            let (errors, _) = told(quote!(#[model] net: #layer));
            assert!(errors.len() == 1 && errors[0].contains("is a part of a model"), "{errors:?}");
        }
    }

    #[test]
    fn a_hook_that_the_file_chooses_needs_no_field() {
        for ty in [quote!(Box<dyn AnyHook>), quote!(Option<Box<dyn AnyHook>>)] {
            let (errors, left) = told(quote!(#[hook] any: #ty));
            assert_eq!((errors.len(), left.as_str()), (1, "()"), "{errors:?}");
        }
    }
}
