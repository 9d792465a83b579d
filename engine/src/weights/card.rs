//! The model card: a `README.md` beside exported weights, in the form that the Hugging Face hub reads. In a folder with the card of
//! another file it is named after its own: `net.md` for `net.safetensors`.

use crate::base::plain;
use crate::checkpoint::Variables;
use crate::weights::facts::{Exported, Facts};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tch::Kind;

/// By this line an export knows a card that it may replace.
const MARK: &str = "<!-- written by `export`; a new export of its file with `--force` replaces it -->";

/// The longest card that is looked into.
const LONGEST: u64 = 4 << 20;

/// Where the card of a file goes.
pub(super) fn place(file: &Path) -> PathBuf {
    let readme = file.with_file_name("README.md");
    match described_by(&readme) {
        Some(other) if other != name_of(file) => file.with_extension("md"),
        _ => readme,
    }
}

/// Whether what lies in the place of a file's card is its card already.
pub(super) fn is_of(card: &Path, file: &Path) -> bool {
    described_by(card).is_some_and(|known| known == name_of(file))
}

/// The name of the file whose card this is; `None` where no export has written it.
fn described_by(card: &Path) -> Option<String> {
    let bytes = plain::read(card, LONGEST).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find(|line| *line == MARK)?;
    let name = text.lines().find_map(|line| line.strip_prefix("| file | `")?.strip_suffix("` |"))?;
    Some(name.replace("\\|", "|"))
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The card's text.
pub(super) fn text(facts: &Facts, exported: &Exported, weights: &Variables) -> String {
    let Facts { name, model, meta, measured, experiment, .. } = facts;
    let file = name_of(&exported.path);
    let count: usize = weights.iter().map(|(_, tensor)| tensor.numel()).sum();
    let held = match facts.averaged {
        true => "the average that validations have used",
        false => "the weights as they were trained",
    };
    let mut text = format!("---\nlibrary_name: engine\ntags:\n- safetensors\n---\n\n{MARK}\n\n# {name}\n\n");
    let rows = [
        ("file", format!("`{file}`")),
        ("model", format!("`{model}`, {} tensors with {count} numbers", weights.len())),
        ("weights", held.to_owned()),
        ("kinds", kinds(weights)),
        ("trained for", format!("{}, {}", meta.epoch, meta.iter)),
        ("size", format!("{} bytes", exported.bytes)),
        ("blake3", format!("`{}`", exported.hash)),
        ("engine", meta.engine.clone()),
    ];
    text.push_str("| | |\n|---|---|\n");
    let starts = meta.notes.iter().map(|(key, value)| (key.as_str(), value.clone()));
    for (key, value) in rows.into_iter().chain(starts) {
        let _ = writeln!(text, "| {key} | {} |", value.replace('|', "\\|"));
    }
    text.push_str("\n## Results\n\n");
    let metrics: Vec<(&str, f64)> = facts.own_metrics().collect();
    match (metrics.is_empty(), measured.validated_at) {
        (false, _) => {
            text.push_str("Measured with these weights:\n\n| metric | value |\n|---|---|\n");
            metrics.iter().for_each(|(name, value)| {
                let _ = writeln!(text, "| {} | {value} |", name.replace('|', "\\|"));
            });
        }
        (true, Some(iter)) => {
            let _ = writeln!(text, "These weights were not measured; the last validation before them was at {iter}.");
        }
        (true, None) => text.push_str("These weights were not measured.\n"),
    }
    let _ = write!(
        text,
        "\n## Use\n\nIn an experiment of the engine:\n\n```ron\nweights: (file: \"{file}\"),\n```\n\nIn Python:\n\n```python\n\
         from safetensors.torch import load_file\n\nweights = load_file(\"{file}\")  # names to tensors\n```\n"
    );
    if let Some(experiment) = experiment {
        let _ = write!(text, "\n## Experiment\n\n```ron\n{}\n```\n", experiment.trim_end());
    }
    text
}

/// How many tensors there are of each kind.
fn kinds(weights: &Variables) -> String {
    let mut counts: Vec<(Kind, usize)> = Vec::new();
    for (_, tensor) in weights {
        match counts.iter_mut().find(|(kind, _)| *kind == tensor.kind()) {
            Some((_, count)) => *count += 1,
            None => counts.push((tensor.kind(), 1)),
        }
    }
    counts.iter().map(|(kind, count)| format!("{kind:?} ({count})")).collect::<Vec<_>>().join(", ")
}
