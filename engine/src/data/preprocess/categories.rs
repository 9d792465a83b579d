//! Numbers for texts.

use crate::base::state::{Saved, StateError, StateValue};
use crate::base::{Error, Result};
use crate::data::preprocess::Preprocessor;
use std::collections::BTreeMap;
use tch::Tensor;

/// Settings of [`Categories`].
#[engine_macros::component]
pub struct CategoriesConfig {
    /// A text that occurs less often than this is unknown.
    #[config(default = 1, range = 1..)]
    pub at_least: usize,
    /// At most so many texts are known, those that occur most often; of equally frequent ones the first by their bytes.
    #[config(default)]
    pub most: Option<usize>,
}

impl Default for CategoriesConfig {
    fn default() -> Self {
        CategoriesConfig { at_least: 1, most: None }
    }
}

/// A number for each text that occurs in the samples that it was fitted on, from 1 in the order of their bytes; 0 is for
/// all others.
#[derive(Debug)]
pub struct Categories {
    /// Sorted, each once.
    known: Vec<String>,
}

impl Categories {
    /// The numbers of texts, i64 `[n]` on the CPU.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn apply(&self, texts: &[String]) -> Result<Tensor> {
        let numbers: Vec<i64> = texts.iter().map(|text| self.number(text)).collect();
        Ok(Tensor::f_from_slice(&numbers)?)
    }

    /// The number of a text; 0 when it is not known.
    pub fn number(&self, text: &str) -> i64 {
        self.known.binary_search_by(|known| known.as_str().cmp(text)).map_or(0, |place| place as i64 + 1)
    }

    /// The text of a number; `None` for 0 and numbers that no text has.
    pub fn text(&self, number: i64) -> Option<&str> {
        self.known.get(usize::try_from(number.checked_sub(1)?).ok()?).map(String::as_str)
    }

    /// The known texts, in the order of their numbers from 1 on.
    pub fn texts(&self) -> &[String] {
        &self.known
    }

    /// How many numbers there are, with that of unknown texts: the rows of an embedding.
    #[expect(clippy::len_without_is_empty, reason = "the number of unknown texts is always there")]
    pub fn len(&self) -> usize {
        self.known.len() + 1
    }
}

impl Preprocessor<Vec<String>> for Categories {
    type Config = CategoriesConfig;

    fn fit(config: &CategoriesConfig, texts: &Vec<String>) -> Result<Self> {
        let mut counts = BTreeMap::<&str, usize>::new();
        texts.iter().for_each(|text| *counts.entry(text).or_default() += 1);
        let mut chosen: Vec<(&str, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= config.at_least).collect();
        if let Some(most) = config.most {
            // stable: equally frequent ones stay in the order of their bytes
            chosen.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            chosen.truncate(most);
            chosen.sort_unstable();
        }
        if chosen.is_empty() {
            return Err(Error::msg(format!(
                "none of the {} texts would be known (`at_least: {}`, `most: {:?}`)",
                texts.len(),
                config.at_least,
                config.most
            )));
        }
        Ok(Categories { known: chosen.into_iter().map(|(text, _)| text.to_owned()).collect() })
    }
}

#[diagnostic::do_not_recommend]
impl Saved for Categories {
    fn save(&self) -> StateValue {
        self.known.save()
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        let known = Vec::<String>::restore(value)?;
        match known.is_sorted_by(|a, b| a < b) {
            true => Ok(Categories { known }),
            false => Err(StateError::Unfit { name: String::new(), why: "its texts are not sorted".to_owned() }),
        }
    }
}
