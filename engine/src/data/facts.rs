//! What a dataset says of its samples, as hashes: to notice in a resume that it has changed.

use crate::base::state::{StateError, StateMap};
use crate::data::sampler::{Fact, Population};

/// Hashes of what a dataset says of its samples, as far as the sampler of its loader uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    hashes: Vec<(Fact, String)>,
}

impl Facts {
    /// The hashes of these facts, of those that the data tell.
    pub(super) fn of(data: &Population<'_>, uses: &[Fact]) -> Facts {
        let hashed = |fact: &Fact| {
            let hash = match fact {
                Fact::Weights => data.weights.map(|weights| hash_of(weights, |weight| weight.to_bits().to_le_bytes())),
                Fact::Classes => data.classes.map(|classes| hash_of(classes, |class| class.to_le_bytes())),
                Fact::Lengths => data.lengths.map(|lengths| hash_of(lengths, |length| (*length as u64).to_le_bytes())),
            };
            Some((*fact, hash?))
        };
        Facts { hashes: Fact::ALL.iter().filter(|fact| uses.contains(fact)).filter_map(hashed).collect() }
    }

    /// "the dataset has other classes", for each fact that has changed.
    pub(super) fn changes_since(&self, saved: &Facts) -> Vec<String> {
        let changed = Fact::ALL.iter().filter(|fact| self.hash(**fact) != saved.hash(**fact));
        changed.map(|fact| format!("the dataset has other {}", fact.method())).collect()
    }

    fn hash(&self, of: Fact) -> Option<&String> {
        self.hashes.iter().find(|(fact, _)| *fact == of).map(|(_, hash)| hash)
    }

    /// Adds the hashes to the map of a checkpoint.
    pub(super) fn put(&self, map: &mut StateMap) {
        for fact in Fact::ALL {
            map.put(fact.method(), &self.hash(*fact).cloned());
        }
    }

    /// Takes the hashes out of the map of a checkpoint. A fact that the map does not have was not used.
    ///
    /// # Errors
    /// When a hash is not a text.
    pub(super) fn take(map: &mut StateMap) -> Result<Facts, StateError> {
        let mut hashes = Vec::new();
        for fact in Fact::ALL {
            match map.take::<Option<String>>(fact.method()) {
                Ok(hash) => hashes.extend(hash.map(|hash| (*fact, hash))),
                Err(StateError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Facts { hashes })
    }
}

fn hash_of<T>(values: &[T], bytes: impl Fn(&T) -> [u8; 8]) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&bytes(value));
    }
    hasher.finalize().to_hex().to_string()
}
