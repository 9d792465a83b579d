//! What the macros register about every component: its name, fields, defaults and documentation.
//!
//! One inventory, filled at link time, read by `list`, by messages that say what there is, and by the
//! start-up check for two components of one kind with one name.

/// Everything known of a component without building it.
#[derive(Debug)]
pub struct Component {
    /// `hook`, `model`, `dataset`, `optimizer`, `schedule`, `metric` or `settings`.
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
    /// The type as written in the source.
    pub ty: &'static str,
    /// The default as written in the source; `None`: the key is required.
    pub default: Option<&'static str>,
    /// What is demanded of the value, as written in the source: a range, `exists`.
    pub range: Option<&'static str>,
    /// The field's documentation.
    pub docs: &'static str,
}

inventory::collect!(Component);

/// Every component that is linked in, by kind and name.
pub fn components() -> Vec<&'static Component> {
    let mut all: Vec<&'static Component> = inventory::iter::<Component>.into_iter().collect();
    all.sort_by_key(|component| (component.kind, component.name, component.origin));
    all
}

/// The names of one kind, sorted.
pub fn names(kind: &str) -> Vec<&'static str> {
    components().into_iter().filter(|component| component.kind == kind).map(|component| component.name).collect()
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
