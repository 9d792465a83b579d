//! From tokens to a checked component.

use crate::args::{self, Args, CRATE, Key, NAME};
use crate::component::kind::Kind;
use crate::component::serde_attrs::{Named, refuse_buffering, refuse_defaults, refuse_names, serde_words};
use crate::component::unsaid;
use crate::diag::Diag;
use crate::fields::{Field, ROLES, Role, borrows, docs, is_one_of, refuse_reset_of_nothing};
use crate::krate::Krate;
use crate::params::{Params, borrow};
use crate::recover;
use crate::settings::Settings;
use crate::trainer::is_layer;
use crate::twice;
use crate::words::{EXPRESSIONS, OPERATORS};
use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Fields, Item, ItemEnum, ItemStruct, Type, Variant};

/// A component, checked.
pub(crate) struct Component {
    pub(crate) item: Shape,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) docs: String,
    /// Configured, for a metric and a sink also state and transient.
    pub(crate) fields: Vec<Field>,
    /// The type of `model = Type`, or what the name of the struct says.
    pub(crate) model: Option<Type>,
    /// It has state, and no kind says whose; the error is reported.
    pub(crate) is_unsaid: bool,
    pub(crate) krate: Krate,
}

impl Component {
    /// Its configured fields, as the struct `ident` holds them.
    pub(crate) fn settings<'a>(&'a self, ident: &'a Ident, params: &'a Params) -> Settings<'a> {
        Settings { krate: &self.krate, ident, params, name: &self.name, fields: &self.fields, is_written: false }
    }
}

/// What the component is written as, without helper attributes.
pub(crate) enum Shape {
    Struct(ItemStruct),
    Enum(ItemEnum),
}

/// `None`: the item is none that can be a component.
pub(crate) fn parse(args: TokenStream, item: TokenStream, diag: &mut Diag) -> Option<Component> {
    let mut found = recover::item_struct(item.clone());
    let parsed = match &found {
        Some(found) => Item::Struct(found.item.clone()),
        None => syn::parse2(item).ok()?,
    };
    let item = match parsed {
        Item::Struct(item) if !matches!(item.fields, Fields::Unnamed(_)) && !borrow(&item.generics) => {
            Shape::Struct(item)
        }
        Item::Enum(item) if item.generics.params.is_empty() => Shape::Enum(item),
        _ => return None,
    };
    let keys: Vec<Key> = Kind::keys().chain([NAME, CRATE]).collect();
    let args = args::parse("component", args, &keys, diag);
    if let Some(found) = &mut found {
        found.mistakes.drain(..).for_each(|mistake| diag.add(mistake));
    }
    let unfinished = found.map_or_else(Vec::new, |found| found.unfinished);
    Some(match item {
        Shape::Struct(item) => from_struct(item, &unfinished, args, diag),
        Shape::Enum(item) => from_enum(item, args, diag),
    })
}

fn from_struct(mut item: ItemStruct, unfinished: &[Ident], mut args: Args, diag: &mut Diag) -> Component {
    twice::only("component", &mut item.attrs, diag);
    let (kind, model) = Kind::from_args(&mut args, diag);
    let name = name(&item.ident, kind, &mut args, diag);
    refuse_buffering(&item.attrs, diag);
    refuse_defaults(&item.attrs, diag);
    refuse_names(&item.attrs, Named::Struct, diag);
    if kind == Kind::Settings && unsaid::has_state(&item) {
        unsaid::refuse(&mut item, diag);
        return Component {
            item: Shape::Struct(item),
            kind,
            name,
            docs: String::new(),
            fields: Vec::new(),
            model: None,
            is_unsaid: true,
            krate: Krate::from_args(&mut args),
        };
    }
    let fields = item.fields.iter_mut().filter_map(|field| {
        if is_one_of(unfinished, field) {
            return Field::unfinished(field);
        }
        refuse_buffering(&field.attrs, diag);
        refuse_defaults(&field.attrs, diag);
        refuse_names(&field.attrs, Named::Field, diag);
        match kind.owner() {
            Some(owner) => Field::with_role(field, owner, diag),
            None => configured(field, diag),
        }
    });
    let mut fields: Vec<Field> = fields.collect();
    if kind == Kind::Sink {
        reserve_required(&mut fields, diag);
    }
    let model = match (kind, model) {
        (Kind::Model, None) => model_of(&item, diag),
        (_, model) => model,
    };
    if kind.owner().is_some() {
        refuse_reset_of_nothing(fields.iter(), diag);
    }
    if kind == Kind::Model && model.is_none() {
        // the model itself, most likely, whose layers are no settings
        fields.iter_mut().for_each(|field| field.role = Role::Unknown);
    }
    if kind == Kind::Settings && item.fields.iter().any(|field| is_layer(&field.ty) && !is_tensor(&field.ty)) {
        let message = format!(
            "`{}` holds layers, which no file can; `#[component]` belongs on the struct of its settings, `{}Config`",
            item.ident, item.ident
        );
        diag.error(&item.ident, message);
        fields.iter_mut().for_each(|field| field.role = Role::Unknown);
    }
    let is_data = |field: &syn::Field| is_layer(&field.ty) || is_shared_tensor(&field.ty);
    if kind == Kind::Dataset && item.fields.iter().any(is_data) {
        let message = format!(
            "`{}` holds data, which no experiment file can; `#[component(dataset)]` belongs on the struct of its settings, `{}Config`",
            item.ident, item.ident
        );
        diag.error(&item.ident, message);
        fields.iter_mut().for_each(|field| field.role = Role::Unknown);
    }
    let docs = docs(&item.attrs);
    let krate = Krate::from_args(&mut args);
    Component { item: Shape::Struct(item), kind, name, docs, fields, model, is_unsaid: false, krate }
}

fn is_shared_tensor(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "SharedTensor"))
}

/// Of a single tensor it is told at its field.
fn is_tensor(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Tensor"))
}

/// `required` is a key of every sink.
fn reserve_required(fields: &mut [Field], diag: &mut Diag) {
    for field in fields {
        if field.config().is_some() && field.key() == "required" {
            diag.error(
                &field.ident,
                "`required` is the key by which a file says whether a run ends with its sink; give this field another name",
            );
            field.role = Role::Unknown;
        }
    }
}

fn from_enum(mut item: ItemEnum, mut args: Args, diag: &mut Diag) -> Component {
    twice::only("component", &mut item.attrs, diag);
    let (kind, _) = Kind::from_args(&mut args, diag);
    if kind != Kind::Settings {
        diag.error(item.enum_token, format!("a component of kind `{}` is a struct, not an enum", kind.word()));
    }
    let name = name(&item.ident, Kind::Settings, &mut args, diag);
    refuse_buffering(&item.attrs, diag);
    for variant in &mut item.variants {
        refuse_operator(variant, diag);
        refuse_roles(variant, diag);
        refuse_buffering(&variant.attrs, diag);
        variant.fields.iter_mut().for_each(|field| own_the_value(field, diag));
        variant.fields.iter().for_each(|field| refuse_buffering(&field.attrs, diag));
    }
    let docs = docs(&item.attrs);
    Component {
        item: Shape::Enum(item),
        kind: Kind::Settings,
        name,
        docs,
        fields: Vec::new(),
        model: None,
        is_unsaid: false,
        krate: Krate::from_args(&mut args),
    }
}

/// Refuses a type that borrows; a text takes its place, of which nothing more is to be said.
fn own_the_value(field: &mut syn::Field, diag: &mut Diag) {
    if borrows(&field.ty) {
        diag.error(&field.ty, "a setting owns its value, no experiment file can lend it; write `String` for a text");
        field.ty = syn::parse_quote!(::std::string::String);
    }
}

/// Refuses roles of a variant's fields: nothing would read their defaults and ranges.
fn refuse_roles(variant: &mut Variant, diag: &mut Diag) {
    let name = &variant.ident;
    for field in &mut variant.fields {
        for attr in field.attrs.extract_if(.., |attr| ROLES.iter().any(|role| attr.path().is_ident(role.name))) {
            let role = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "`#[{role}]` is for the fields of a struct; put those of `{name}` into a struct under `#[component]`, and that into the variant: `{name}({name}Config)`"
            );
            diag.error(attr.path(), message);
        }
    }
}

/// `Append(3)` in a file says how layers are merged, whatever the type is.
fn refuse_operator(variant: &Variant, diag: &mut Diag) {
    let name = variant.ident.unraw().to_string();
    let values = match &variant.fields {
        Fields::Unnamed(fields) => fields.unnamed.len(),
        Fields::Unit if name == "Default" => {
            let message = "`Default` in an experiment file takes a setting back; give the variant another name";
            return diag.error(&variant.ident, message);
        }
        _ => return,
    };
    let does = if values == 1 && OPERATORS.contains(&name.as_str()) {
        "says how values are merged"
    } else if EXPRESSIONS.contains(&(name.as_str(), values)) {
        "stands for another value"
    } else {
        return;
    };
    let message = format!("`{name}(…)` in an experiment file {does}; give the variant another name");
    diag.error(&variant.ident, message);
}

/// What says how serde reads a field.
pub(crate) const BY_SERDE: &[&str] = &["with", "serialize_with", "deserialize_with", "skip", "skip_deserializing"];

/// A field of a component: configured, with or without the attribute.
fn configured(field: &mut syn::Field, diag: &mut Diag) -> Option<Field> {
    let mut parsed = Field::of_component(field, diag)?;
    let words = serde_words(&field.attrs);
    if words.iter().any(|word| BY_SERDE.contains(&word.as_str())) {
        if let Role::Config(config) = &parsed.role
            && config.written
        {
            diag.error(
                &field.ident,
                "`#[config(…)]` and `#[serde(…)]` both say how this field is read; keep one of them",
            );
        }
        parsed.role = Role::BySerde { skipped: words.iter().any(|word| word.starts_with("skip")) };
    }
    Some(parsed)
}

/// The name in experiment files: `name = "…"`, else the struct's without `Config`.
fn name(ident: &Ident, kind: Kind, args: &mut Args, diag: &mut Diag) -> String {
    let name = ident.unraw().to_string();
    let short = match name.strip_suffix("Config") {
        Some(short) if !short.is_empty() && kind.owner().is_none() => short,
        _ => name.as_str(),
    };
    args.name_or(short, ident, diag)
}

/// `CnnConfig` builds a `Cnn`, `StackConfig<B>` a `Stack<B>`.
fn model_of(item: &ItemStruct, diag: &mut Diag) -> Option<Type> {
    let ident = &item.ident;
    let name = ident.unraw().to_string();
    let Some(model) = name.strip_suffix("Config").filter(|model| !model.is_empty()) else {
        let message = format!(
            "which model does `{name}` build? the attribute is for the settings of a model: name them `…Config`, or write `model = …`"
        );
        diag.error(ident, message);
        return None;
    };
    let model = Ident::new(model, ident.span());
    let (_, named, _) = item.generics.split_for_impl();
    Some(syn::parse_quote!(#model #named))
}
