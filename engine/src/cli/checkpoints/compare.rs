//! `checkpoints diff`: which tensors of two checkpoints differ, and by how much.

use super::text::{counted, kind_and_shape};
use crate::base::Result;
use crate::checkpoint::{Checkpoint, TensorFile, Variables};
use crate::cli::failure::Failure;
use crate::cli::out;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use tch::{Kind, Tensor};

/// How many tensors of a file are shown without `--verbose`: those that differ most.
const SHOWN: usize = 10;

/// Prints the differences; the exit code is that of `diff`.
pub(super) fn print(before: &Path, after: &Path, verbose: bool) -> Result<ExitCode, Failure> {
    let equal = match (before.is_dir(), after.is_dir()) {
        (true, true) => checkpoints(before, after, verbose)?,
        (false, false) => tensors("weights", &read(before)?, &read(after)?, verbose)?,
        _ => {
            let text =
                "a checkpoint is compared with another one, and a file such as `net.safetensors` with another file";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    if equal {
        out::line("no difference")?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Compares two checkpoints file by file; whether they are equal.
fn checkpoints(before: &Path, after: &Path, verbose: bool) -> Result<bool> {
    let (before, after) = (Checkpoint::open(before)?, Checkpoint::open(after)?);
    let (one, other) = (before.meta()?, after.meta()?);
    let mut equal = (one.epoch, one.iter) == (other.epoch, other.iter);
    if !equal {
        out::line(format_args!("{}, {} -> {}, {}", one.epoch, one.iter, other.epoch, other.iter))?;
    }
    let hashes = |of: &Checkpoint| of.files().map(|(name, _)| (name.to_owned(), of.hash(name))).collect();
    let (one, other): (BTreeMap<String, _>, BTreeMap<String, _>) = (hashes(&before), hashes(&after));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for file in names {
        let only = match (one.get(file), other.get(file)) {
            (first, second) if first == second => continue,
            (Some(_), None) => "only in the first",
            (None, _) => "only in the second",
            _ if file.ends_with(".safetensors") => {
                equal &= tensors(file, &before.tensors(file)?, &after.tensors(file)?, verbose)?;
                continue;
            }
            // epoch and iter were compared, and the names are where it lies
            _ if file == "meta.ron" => continue,
            _ => "differs",
        };
        equal = false;
        out::line(format_args!("{file}: {only}"))?;
    }
    Ok(equal)
}

fn read(path: &Path) -> Result<Variables> {
    let file = TensorFile::open(path)?;
    let read = file.tensors().iter().map(|place| Ok((place.name.clone(), file.read(place)?)));
    read.collect()
}

/// Compares two files of tensors; whether they are equal.
fn tensors(file: &str, before: &Variables, after: &Variables, verbose: bool) -> Result<bool> {
    let find = |variables: &Variables, name: &str| {
        variables.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor.shallow_clone())
    };
    let names: BTreeSet<&str> = before.iter().chain(after).map(|(name, _)| name.as_str()).collect();
    // by how much, and the text
    let mut found: Vec<(f64, String)> = Vec::new();
    for name in &names {
        match (find(before, name), find(after, name)) {
            (Some(one), Some(other)) if (one.size(), one.kind()) != (other.size(), other.kind()) => {
                let text = format!("{name}: {} -> {}", kind_and_shape(&one), kind_and_shape(&other));
                found.push((f64::INFINITY, text));
            }
            (Some(one), Some(other)) => found.extend(values(name, &one, &other)?),
            (Some(_), None) => found.push((f64::INFINITY, format!("{name}: only in the first"))),
            (None, _) => found.push((f64::INFINITY, format!("{name}: only in the second"))),
        }
    }
    if found.is_empty() {
        return Ok(true);
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    out::line(format_args!("{file}: {} of {} differ", found.len(), counted(names.len(), "tensor")))?;
    let shown = if verbose { found.len() } else { SHOWN };
    found.iter().take(shown).try_for_each(|(_, text)| out::line(format_args!("  {text}")))?;
    if found.len() > shown {
        out::line(format_args!("  … and {} that differ less; `--verbose` shows them", found.len() - shown))?;
    }
    Ok(false)
}

/// By how much the values of two tensors of one kind and shape differ; `None` when they do not. Two NaNs are equal.
fn values(name: &str, one: &Tensor, other: &Tensor) -> Result<Option<(f64, String)>> {
    let wide = |tensor: &Tensor| match tensor.is_complex() {
        true => tensor.f_resolve_conj()?.f_view_as_real()?.f_to_kind(Kind::Double),
        false => tensor.f_to_kind(Kind::Double),
    };
    let (one_wide, other_wide) = (wide(one)?, wide(other)?);
    let both_nan = one_wide.f_isnan()?.f_logical_and(&other_wide.f_isnan()?)?;
    let differs = one_wide.f_ne_tensor(&other_wide)?.f_logical_and(&both_nan.f_logical_not()?)?;
    let count = differs.f_sum(Kind::Int64)?.f_int64_value(&[])?;
    if count == 0 {
        return Ok(None);
    }
    let largest = |tensor: Tensor| tensor.f_abs()?.f_max()?.f_double_value(&[]);
    let most = largest((&one_wide - &other_wide).f_masked_select(&differs)?)?;
    let scale = largest(one_wide.f_masked_select(&differs)?)?;
    let of = one_wide.numel();
    let text = match most.is_finite() && scale.is_finite() {
        true => format!(
            "{name} {:?}: {count} of {of} values differ, by at most {most:.3e} (the largest of them is {scale:.3e})",
            one.size()
        ),
        false => format!("{name} {:?}: {count} of {of} values differ, some are not finite", one.size()),
    };
    Ok(Some((if most.is_finite() { most } else { f64::MAX }, text)))
}
