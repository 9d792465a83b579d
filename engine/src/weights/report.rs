//! What became of weights from elsewhere.

/// Why a tensor of a preprocessor is left out.
pub(super) const OF_PREPROCESSOR: &str = "it belongs to a preprocessor, which is fitted on the data of this training";

/// What was loaded into a model, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The model.
    pub model: String,
    /// Where the weights are from: the file's name.
    pub from: String,
    /// The beginning of the blake3 hash of all its files.
    pub hash: String,
    /// The variables of the model that have new values.
    pub loaded: Vec<String>,
    /// Which of these have another name in the file: that one, and the model's.
    pub renamed: Vec<(String, String)>,
    /// The tensors of the file that were not used, with the reason.
    pub left_out: Vec<(String, &'static str)>,
    /// The variables of the model that `only` leaves as they were.
    pub not_wanted: Vec<String>,
    /// The variables of the model that were looked for and are not in the file.
    pub missing: Vec<String>,
    /// The variables that have another shape in the file, after the model's shape.
    pub other_shape: Vec<(String, Vec<i64>, Vec<i64>)>,
    /// What was converted, as sentences.
    pub converted: Vec<String>,
}

impl Report {
    /// Everything in one sentence, in numbers.
    pub fn counts(&self) -> String {
        let Report { model, from, .. } = self;
        let several = if self.loaded.len() == 1 { "variable" } else { "variables" };
        let mut text = format!(
            "weights of `{model}` from {from}: {} {several} loaded, {} of them renamed; {} left out, {} missing, {} of another shape",
            self.loaded.len(),
            self.renamed.len(),
            self.left_out.len(),
            self.missing.len(),
            self.other_shape.len(),
        );
        if !self.not_wanted.is_empty() {
            text.push_str(&format!(", {} not asked for", self.not_wanted.len()));
        }
        text
    }

    /// Where the weights are from, for a checkpoint.
    pub fn origin(&self) -> String {
        format!("{}, blake3 {}: {} loaded, {} missing", self.from, self.hash, self.loaded.len(), self.missing.len())
    }

    /// What a person has to know: [`Report::counts`], and what stays as it was although it was looked for.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.counts()];
        lines.extend(self.converted.iter().cloned());
        if self.left_out.iter().any(|(_, why)| *why == OF_PREPROCESSOR) {
            lines.push(format!(
                "the preprocessors in {} are not taken: this training fits its own on its data",
                self.from
            ));
        }
        let stays: Vec<&str> = self
            .missing
            .iter()
            .map(String::as_str)
            .chain(self.other_shape.iter().map(|(name, ..)| name.as_str()))
            .collect();
        if !stays.is_empty() {
            lines.push(format!("not loaded, and as the model starts them: {}", listed(&stays)));
        }
        lines
    }

    /// Every name, a line each, for the log.
    pub fn details(&self) -> Vec<String> {
        let model = &self.model;
        let mut lines = vec![format!("weights of `{model}`: {}", self.origin())];
        for name in &self.loaded {
            lines.push(match self.renamed.iter().find(|(_, own)| own == name) {
                Some((given, _)) => format!("loaded `{model}.{name}` from `{given}`"),
                None => format!("loaded `{model}.{name}`"),
            });
        }
        lines.extend(self.missing.iter().map(|name| format!("missing `{model}.{name}`: it starts as the model says")));
        lines.extend(self.other_shape.iter().map(|(name, own, given)| {
            format!("other shape: `{model}.{name}` has {own:?}, the file {given:?}: it starts as the model says")
        }));
        lines.extend(self.left_out.iter().map(|(name, why)| format!("left out `{name}`: {why}")));
        lines.extend(self.not_wanted.iter().map(|name| format!("not asked for: `{model}.{name}`")));
        lines
    }
}

/// The first names, quoted, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len() > SHOWN {
        true => format!("{shown} and {} more", names.len() - SHOWN),
        false => shown,
    }
}
