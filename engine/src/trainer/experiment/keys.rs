//! The keys of an experiment: what each is for, and the order in which people read them.

use crate::config::{Kind, Node};
use crate::trainer::experiment::schema::Schema;
use crate::trainer::experiment::sections::KEYS;

/// What a key of an experiment is for; empty for one that only this trainer has.
pub fn docs_of(path: &str) -> &'static str {
    KEYS.iter().find(|(key, _)| *key == path).map_or("", |(_, docs)| docs.trim())
}

/// The place of a section among others: by its first key.
fn rank(path: &str) -> usize {
    let first = path.split('.').next().unwrap_or_default();
    KEYS.iter().position(|(key, _)| *key == first).unwrap_or(KEYS.len())
}

/// Puts the fields of an experiment into the order in which people read them.
pub(super) fn sort(root: &mut Node) {
    if let Kind::Struct(fields) = &mut root.kind {
        fields.sort_by_key(|field| rank(&field.key));
    }
}

/// Puts the sections into that order, and what each is for to those of which the trainer's author says nothing.
pub(super) fn describe(schema: &mut Schema) {
    for section in schema.sections.iter_mut().filter(|section| section.docs.is_empty()) {
        section.docs = docs_of(section.path);
    }
    schema.sections.sort_by_key(|section| rank(section.path));
}
