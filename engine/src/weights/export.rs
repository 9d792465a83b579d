//! Weights that are given away: one file of a model, and a card that says what they are.

use crate::base::disk::{make_folder, parent, write_atomic, write_atomic_by};
use crate::base::{ErrorContext as _, Result, plain};
use crate::checkpoint::{Checkpoint, Variables, write_tensors, written_preprocessors};
use crate::config::{self, Kind as NodeKind, MAX_FILE};
use crate::folder::{EXPERIMENT, FinishedRun};
use crate::weights::card;
use crate::weights::error::WeightsError;
use crate::weights::facts::{Exported, Facts};
use crate::weights::free::{check_free, named};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// What is to be given away, and how.
#[derive(Clone, Debug)]
pub struct Export {
    /// The file to write. `{hash}` in its name becomes the first eight digits of the blake3 hash of its content.
    pub to: PathBuf,
    /// The model, where the checkpoint holds several.
    pub model: Option<String>,
    /// The weights that are trained, also where evaluations use an average of them.
    pub raw: bool,
    /// The precision of floating-point weights; `None` leaves it.
    pub kind: Option<ExportKind>,
    /// Whether a card beside the file says what it is: `README.md`, or `net.md` where that is the card of another file.
    pub card: bool,
    /// Whether files of an earlier export are replaced.
    pub force: bool,
}

/// The precision of weights that are given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// 32 bits.
    F32,
    /// 16 bits, five of them for the exponent: at most 65504.
    F16,
    /// 16 bits, eight of them for the exponent.
    Bf16,
}

/// Writes the weights of a checkpoint for others: those that evaluations use, which its scores were measured with.
///
/// The file is a `.safetensors` file with notes in its header: model, experiment, epoch, iter, metrics, version. It is
/// there whole or not at all.
///
/// # Errors
/// When the checkpoint is damaged, a file is there already, a weight has no finite value in the wanted precision, or the
/// disk fails.
pub fn export(checkpoint: &Path, what: &Export) -> Result<Exported> {
    let found = Checkpoint::open(checkpoint)?;
    let model = choose(&found, what.model.as_deref())?;
    if what.to.extension().is_none_or(|extension| extension != "safetensors") {
        let why = "has to end with `.safetensors`, or `.pt` for a program".to_owned();
        return Err(WeightsError::Path { path: what.to.clone(), why }.into());
    }
    let (weights, unconverted) = converted(found.weights(&model, what.raw)?, what.kind)?;
    let run = FinishedRun::of_checkpoint(checkpoint);
    let experiment = run.as_ref().and_then(|run| experiment_of(run.path()));
    let name = run.as_ref().and_then(|run| run.path().file_name()?.to_str().map(str::to_owned));
    let facts = Facts {
        name: name.unwrap_or_else(|| model.clone()),
        averaged: found.has_raw(&model) && !what.raw,
        evaluated: !(found.has_raw(&model) && what.raw),
        meta: found.meta()?,
        measured: found.measured()?,
        model,
        experiment,
    };
    let preprocessors = found.preprocessors()?;
    let (note, more) = written_preprocessors(&preprocessors)?;
    let (mut notes, mut held) = (facts.notes(), held(&weights));
    notes.extend(note);
    notes.sort();
    held.extend(more.iter().map(|(name, tensor)| (name.as_str(), *tensor)));
    // once for the hash, which is part of the name, and once for the disk
    let mut hashed = Hashed::default();
    write_tensors(&mut hashed, &held, &notes).with_context(|| format!("{} can't be exported", checkpoint.display()))?;
    let hash = hashed.hasher.finalize().to_hex().to_string();
    let path = named(&what.to, &hash);
    let card_path = card::place(&path);
    check_free(&path, what.force, false)?;
    if what.card {
        check_free(&card_path, what.force && card::is_of(&card_path, &path), true)?;
    }
    make_folder(parent(&path))?;
    write_atomic_by(&path, |file| {
        let mut out = BufWriter::with_capacity(256 << 10, file);
        write_tensors(&mut out, &held, &notes)?;
        out.flush()
    })?;
    let averaged = facts.averaged;
    let mut exported = Exported { path, card: None, hash, bytes: hashed.bytes, averaged, unconverted };
    if what.card {
        write_atomic(&card_path, card::text(&facts, &exported, &weights).as_bytes())?;
        exported.card = Some(card_path);
    }
    Ok(exported)
}

/// The model that is meant.
fn choose(checkpoint: &Checkpoint, asked: Option<&str>) -> Result<String, WeightsError> {
    let models = checkpoint.models();
    let names = || models.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (asked, models.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (Some(asked), _) if models.iter().any(|name| name == asked) => Ok(asked.to_owned()),
        (asked, _) => {
            let what = asked.map_or("holds several models".to_owned(), |asked| format!("holds no model `{asked}`"));
            let why = format!("{what}: choose one of {} with `--model`", names());
            Err(WeightsError::Path { path: checkpoint.path().to_owned(), why })
        }
    }
}

/// The experiment of a run as others may read it.
fn experiment_of(run: &Path) -> Option<String> {
    let bytes = plain::read(&run.join(EXPERIMENT), MAX_FILE).ok()?;
    let mut root = config::parse_text(EXPERIMENT, std::str::from_utf8(&bytes).ok()?).ok()?.root;
    if let NodeKind::Struct(fields) = &mut root.kind {
        fields.retain(|field| field.key != "work_dir");
    }
    Some(config::print(&root))
}

/// The weights in the wanted precision, and those that have none.
fn converted(weights: Variables, kind: Option<ExportKind>) -> Result<(Variables, Vec<(String, Kind)>)> {
    let Some(kind) = kind else { return Ok((weights, Vec::new())) };
    let others = weights.iter().filter(|(_, tensor)| !tensor.is_floating_point());
    let others = others.map(|(name, tensor)| (name.clone(), tensor.kind())).collect();
    let to = match kind {
        ExportKind::F32 => Kind::Float,
        ExportKind::F16 => Kind::Half,
        ExportKind::Bf16 => Kind::BFloat16,
    };
    let convert = |(name, tensor): (String, Tensor)| {
        if !tensor.is_floating_point() || tensor.kind() == to {
            return Ok((name, tensor));
        }
        let new = tensor.f_to_kind(to)?;
        let lost = new.f_isfinite()?.f_ne_tensor(&tensor.f_isfinite()?)?.f_any()?;
        match lost.f_int64_value(&[])? {
            0 => Ok((name, new)),
            _ => Err(crate::base::Error::msg(format!(
                "`{name}` has values that {to:?} can't hold; export another precision"
            ))),
        }
    };
    Ok((weights.into_iter().map(convert).collect::<Result<_>>()?, others))
}

fn held(weights: &Variables) -> Vec<(&str, &Tensor)> {
    weights.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
}

/// Counts and hashes what is written.
#[derive(Default)]
struct Hashed {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl std::io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hasher.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
