//! `export`: the weights of a checkpoint, for others.

use crate::cli::args::{ExportArgs, WeightKind};
use crate::cli::failure::Failure;
use crate::cli::{checkpoint, out};
use crate::folder::CHECKPOINTS;
use crate::weights::{Export, ExportKind, WeightsError, export};

/// Writes the file and its card.
pub(super) fn run(args: ExportArgs) -> Result<(), Failure> {
    let given = &args.checkpoint;
    let path = match given.join(CHECKPOINTS).is_dir() {
        true => checkpoint::newest(given)?,
        false if given.is_dir() => given.clone(),
        false => {
            let text = format!("`{}` is no folder; name that of a checkpoint, or of a run", given.display());
            return Err(Failure::Usage(text));
        }
    };
    let kind = args.kind.map(|kind| match kind {
        WeightKind::F32 => ExportKind::F32,
        WeightKind::F16 => ExportKind::F16,
        WeightKind::Bf16 => ExportKind::Bf16,
    });
    let ExportArgs { to, model, raw, no_card, force, .. } = args;
    let what = Export { to, model, raw, kind, card: !no_card, force };
    let done = export(&path, &what).map_err(|error| match error.downcast_ref::<WeightsError>() {
        // what the command line asks for can't be
        Some(wrong @ WeightsError::Path { .. }) => Failure::Usage(wrong.to_string()),
        _ => Failure::Run(error),
    })?;
    let held = if done.averaged { "averaged weights" } else { "trained weights" };
    out::line(format_args!("{held} of {} in {}: {} bytes, blake3 {}", path.display(), done.path.display(), done.bytes, done.hash))?;
    if let Some(card) = &done.card {
        out::line(format_args!("card: {}", card.display()))?;
    }
    Ok(())
}
