//! What the macros register about every component: its name, fields, defaults and documentation.
//!
//! One inventory, filled at link time, read by `list` and `new`, by messages that say what there is, and by the
//! start-up check for two components of one kind with one name.

pub use super::ser::to_node;
use super::ser::{SerializeError, TreeSerializer, Written};
pub use super::shape::Shape;
use super::tree::Node;

/// Everything known of a component without building it.
#[derive(Debug)]
pub struct Component {
    /// `hook`, `model`, `dataset`, `optimizer`, `schedule`, `sampler`, `metric`, `sink`, `loop` or `settings`.
    pub kind: &'static str,
    /// The name in experiment files.
    pub name: &'static str,
    /// The type's documentation, its lines joined by `\n`.
    pub docs: &'static str,
    /// The configured fields.
    pub fields: &'static [FieldInfo],
    /// `file:line` of the type.
    pub origin: &'static str,
}

/// One configured field of a component.
#[derive(Debug)]
pub struct FieldInfo {
    /// The key in experiment files.
    pub name: &'static str,
    /// What it accepts.
    pub shape: fn() -> Shape,
    /// What it is when a file doesn't name it; `None`: it has to.
    pub default: Option<fn() -> Result<Node, SerializeError>>,
    /// What is demanded of the value, as written in the source: a range, or `exists`.
    pub demand: Option<&'static str>,
    /// A value for those who have none yet, when there is no default.
    pub example: Option<fn() -> Result<Node, SerializeError>>,
    /// The field's documentation.
    pub docs: &'static str,
}

inventory::collect!(Component);

impl FieldInfo {
    /// A field that its author reads in a way of their own: only its name is known.
    pub const fn unknown(name: &'static str, docs: &'static str) -> Self {
        FieldInfo {
            name,
            shape: || Shape::Anything("value".to_owned()),
            default: None,
            demand: None,
            example: None,
            docs,
        }
    }
}

impl Component {
    /// The component that a struct of this name and these fields is registered as.
    pub fn of_struct<'k>(name: &str, fields: impl Iterator<Item = &'k str> + Clone) -> Option<&'static Component> {
        components().into_iter().find(|component| {
            component.name == name && component.fields.iter().map(|field| field.name).eq(fields.clone())
        })
    }

    /// The component of a kind with this name.
    pub fn find(kind: &str, name: &str) -> Option<&'static Component> {
        components().into_iter().find(|component| component.kind == kind && component.name == name)
    }
}

/// Every component that is linked in, by kind and name.
///
/// ```
/// let components = engine::config::registry::components();
/// let schedules: Vec<&str> = components.iter().filter(|found| found.kind == "schedule").map(|found| found.name).collect();
/// assert!(schedules.contains(&"Cosine"));
/// ```
pub fn components() -> Vec<&'static Component> {
    let mut all: Vec<&'static Component> = inventory::iter::<Component>.into_iter().collect();
    all.sort_by_key(|component| (component.kind, component.name, component.origin));
    all
}

/// Two components of one kind with one name: neither could be meant by a file.
pub fn duplicates() -> Vec<(&'static Component, &'static Component)> {
    let all = components();
    all.windows(2)
        // settings are private to their owner, so their names need not differ
        .filter(|pair| pair[0].kind == pair[1].kind && pair[0].name == pair[1].name && pair[0].kind != "settings")
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

/// Fields whose default their own range refuses, with why. The command line refuses such a program before anything else: a run
/// that it has saved could not be read again. A default that is a constant does not compile.
///
/// ```
/// use engine::prelude::*;
///
/// fn share() -> f64 {
///     1.5
/// }
///
/// #[component]
/// pub struct SmoothingConfig {
///     #[config(default = share(), range = 0.0..1.0)]
///     pub share: f64,
/// }
///
/// let wrong = engine::config::registry::wrong_defaults();
/// assert_eq!((wrong.len(), wrong[0].1.name), (1, "share"));
/// assert_eq!(wrong[0].2, "`share` must be in 0.0..1.0, got 1.5");
/// ```
pub fn wrong_defaults() -> Vec<(&'static Component, &'static FieldInfo, String)> {
    let wrong = |field: &FieldInfo| field.demand.and(field.default).and_then(|default| default().err());
    let of = |component: &'static Component| {
        let found = component.fields.iter().filter_map(move |field| Some((field, wrong(field)?.to_string())));
        found.map(move |(field, why)| (component, field, why))
    };
    components().into_iter().flat_map(of).collect()
}

/// As [`node_of`], of a default that is no literal and may lie outside the range of its field.
///
/// # Errors
/// When it does, or the type's `Serialize` refuses.
pub fn checked_default<T>(
    value: &T,
    check: fn(&T) -> Result<(), String>,
    write: fn(&T, TreeSerializer) -> Result<Written, SerializeError>,
) -> Result<Node, SerializeError> {
    check(value).map_err(<SerializeError as serde::ser::Error>::custom)?;
    node_of(value, write)
}

/// The field `level` that every hook has, by which it stands among others in a phase; `default` is the level of its attribute.
pub const fn level_info(default: fn() -> Result<Node, SerializeError>) -> FieldInfo {
    FieldInfo {
        name: "level",
        shape: || Shape::Anything("HIGHEST to LOWEST or 0 to 100".to_owned()),
        default: Some(default),
        demand: None,
        example: None,
        docs: "",
    }
}

/// The field `required` that every sink has.
pub const REQUIRED: FieldInfo = FieldInfo {
    name: "required",
    shape: Shape::of::<bool>,
    default: Some(|| super::to_node(&false)),
    demand: None,
    example: None,
    docs: "Whether the run ends when this sink fails; otherwise that is told once, and the run goes on without it.",
};

/// A setting as a file writes it; `write` is how its type is serialized.
///
/// # Errors
/// When the type's `Serialize` refuses.
pub fn node_of<T>(
    value: &T,
    write: fn(&T, TreeSerializer) -> Result<Written, SerializeError>,
) -> Result<Node, SerializeError> {
    Ok(write(value, TreeSerializer)?.into_node())
}
