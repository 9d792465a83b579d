//! The names of checkpoints, and of the files in them.

use super::CheckpointError;
use crate::base::units::Iter;

/// The file beside checkpoints that names the one that was written last.
pub(crate) const LATEST: &str = "latest";
pub(super) const META: &str = "meta.ron";
pub(super) const MANIFEST: &str = "manifest";
pub(super) const TENSORS: &str = ".safetensors";
/// What is between the model and `.safetensors` in the name of the weights that are trained.
pub(super) const RAW: &str = ".raw";
/// The folder of the state that is the same on every rank.
pub(super) const RUN: &str = "run";
pub(super) const STATE_TREE: &str = "state.ron";
pub(super) const STATE_TENSORS: &str = "state.safetensors";

/// How the name of a folder that is not yet, or no longer, a checkpoint begins.
pub(super) const BEING_WRITTEN: &str = ".tmp-";
pub(super) const BEING_REPLACED: &str = ".old-";
pub(super) const BEING_DELETED: &str = ".gone-";
/// How the name of a checkpoint begins that a failed training has left: no resume takes it unless it is named.
pub const FAILED: &str = "failed-";
/// How the name of a checkpoint begins that was left behind: the run has gone on from an older one.
pub(super) const LEFT: &str = "left-";
/// How the name of a checkpoint begins that could not be read and was set aside.
pub(super) const DAMAGED: &str = "damaged-";

/// The name of the checkpoint after so many iters: `iter_000000123`, so that names sort as iters do.
///
/// ```
/// use engine::base::Iter;
///
/// assert_eq!(engine::checkpoint::iter_name(Iter(123)), "iter_000000123");
/// ```
pub fn iter_name(iter: Iter) -> String {
    format!("iter_{:09}", iter.get())
}

/// The iter in a name made by [`iter_name`].
pub(super) fn iter_of_name(name: &str) -> Option<Iter> {
    let digits = name.strip_prefix("iter_")?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Iter)).flatten()
}

/// The folder of what a rank has of its own.
pub(super) fn rank_folder(rank: usize) -> String {
    format!("ranks/{rank}")
}

/// Refuses a checkpoint's name that is no plain file name, or that means something else.
pub(super) fn check_checkpoint(name: &str) -> Result<(), CheckpointError> {
    let why = match name {
        LATEST => Some("is the name of a file of the engine's own"),
        _ if name.starts_with(DAMAGED) || name.starts_with(LEFT) => Some("is that of a checkpoint that was set aside"),
        _ => not_plain(name),
    };
    refuse("checkpoint", name, why)
}

/// Refuses a model's name that can't be that of a file. A field of a struct always can.
pub(super) fn check_model(name: &str) -> Result<(), CheckpointError> {
    let why = match name.ends_with(RAW) {
        true => Some("ends with `.raw`, which marks the weights that are trained"),
        false => not_plain(name),
    };
    refuse("model", name, why)
}

/// The longest name: a file's name has at most 255 bytes, and some get others in front.
const LONGEST: usize = 200;

/// Why a name is not one that no tool hides or misreads.
fn not_plain(name: &str) -> Option<&'static str> {
    let letter = |c: char| !c.is_ascii() && !c.is_control() && !c.is_whitespace();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') || letter(c);
    match name {
        "" => Some("is empty"),
        _ if name.starts_with('.') => Some("begins with a `.`"),
        _ if name.len() > LONGEST => Some("is longer than 200 bytes"),
        _ if !name.chars().all(plain) => Some("has other characters than letters, digits, `_`, `-` and `.`"),
        _ => None,
    }
}

fn refuse(what: &'static str, name: &str, why: Option<&'static str>) -> Result<(), CheckpointError> {
    why.map_or(Ok(()), |why| Err(CheckpointError::Name { what, name: name.to_owned(), why }))
}
