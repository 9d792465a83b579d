//! Where weights come from: what tensors are there, and each of them when it is asked for.

use crate::base::disk::DiskContext as _;
use crate::checkpoint::{self, CheckpointError, TensorFile, TensorPlace};
use crate::weights::error::WeightsError;
use crate::weights::section::WeightsFrom;
use crate::weights::{hub, shards};
use std::fs::File;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// Weights whose names, shapes and kinds are known.
#[derive(Debug)]
pub(super) struct Source {
    /// What messages call it: the file's name.
    pub(super) shown: String,
    /// The weights that are there, sorted by name.
    pub(super) tensors: Vec<Given>,
    /// The names of tensors that belong to preprocessors and not to a model.
    pub(super) of_preprocessors: Vec<String>,
    files: Vec<TensorFile>,
    /// The files that it consists of, to be told apart from others of the same names.
    paths: Vec<PathBuf>,
}

/// One tensor of a source.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) shape: Vec<i64>,
    pub(super) kind: Kind,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Here(Tensor),
    /// In a file of the source, by its place in the list.
    In(usize, TensorPlace),
}

/// Opens what the section names, for a model of this name.
///
/// # Errors
/// When it is not there, or holds no weights of the model.
pub(super) fn open(from: &WeightsFrom, model: &str) -> Result<Source, WeightsError> {
    match (&from.hf, &from.file) {
        (Some(name), _) => {
            let source = of_folder(&hub::locate(name)?)?;
            Ok(Source { shown: format!("`{name}`, {}", source.shown), ..source })
        }
        (None, Some(path)) => of_path(path, model),
        (None, None) => {
            Err(WeightsError::Path { path: PathBuf::new(), why: "names no weights: give `file` or `hf`".to_owned() })
        }
    }
}

impl Source {
    /// The tensor, on the CPU.
    ///
    /// # Errors
    /// When its file can't be read.
    pub(super) fn tensor(&self, given: &Given) -> Result<Tensor, WeightsError> {
        match &given.held {
            Held::Here(tensor) => Ok(tensor.shallow_clone()),
            Held::In(file, place) => Ok(self.files[*file].read(place)?),
        }
    }

    /// The hash of all its files.
    ///
    /// # Errors
    /// When one can't be read.
    pub(super) fn hash(&self) -> Result<blake3::Hash, WeightsError> {
        let mut hasher = blake3::Hasher::new();
        for path in &self.paths {
            let file = File::open(path).while_trying("read", path)?;
            hasher.update_reader(file).while_trying("read", path)?;
        }
        Ok(hasher.finalize())
    }

    fn of_files(shown: String, files: Vec<(PathBuf, TensorFile)>) -> Source {
        let (paths, files): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let given = |(index, file): (usize, &TensorFile)| {
            let places = file.tensors().iter().filter(|place| file.is_weight(place)).cloned();
            let given = places.map(move |place| Given {
                name: place.name.clone(),
                shape: place.shape.clone(),
                kind: place.kind,
                held: Held::In(index, place),
            });
            given.collect::<Vec<_>>()
        };
        let mut tensors: Vec<Given> = files.iter().enumerate().flat_map(given).collect();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let others = |file: &TensorFile| {
            let others = file.tensors().iter().filter(|place| !file.is_weight(place));
            others.map(|place| place.name.clone()).collect::<Vec<_>>()
        };
        let of_preprocessors = files.iter().flat_map(others).collect();
        Source { shown, tensors, of_preprocessors, files, paths }
    }
}

fn of_path(path: &Path, model: &str) -> Result<Source, WeightsError> {
    if path.is_dir() {
        return match path.join("manifest").symlink_metadata().is_ok() {
            true => of_checkpoint(path, model),
            false => of_folder(path),
        };
    }
    if path.extension().is_some_and(|extension| extension == "json") {
        return of_index(path);
    }
    if path.symlink_metadata().is_err() {
        let why = "is not there; name a `.safetensors` file, a folder that holds one, or a checkpoint".to_owned();
        return Err(WeightsError::Path { path: path.to_owned(), why });
    }
    let file = TensorFile::open(path)?;
    Ok(Source::of_files(format!("`{}`", name_of(path)), vec![(path.to_owned(), file)]))
}

/// The weights of a checkpoint that evaluations use, verified.
fn of_checkpoint(path: &Path, model: &str) -> Result<Source, WeightsError> {
    let mut models = checkpoint::load_models(path)?;
    let place = match models.iter().position(|(name, _)| name == model) {
        Some(place) => place,
        None if models.len() == 1 => 0,
        None => {
            let held = models.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let from = path.display().to_string();
            return Err(WeightsError::OfOtherModels { from, model: model.to_owned(), held });
        }
    };
    let (name, variables) = models.swap_remove(place);
    let given = |(name, tensor): (String, Tensor)| Given {
        name,
        shape: tensor.size(),
        kind: tensor.kind(),
        held: Held::Here(tensor),
    };
    Ok(Source {
        shown: format!("the checkpoint `{}`", name_of(path)),
        tensors: variables.into_iter().map(given).collect(),
        of_preprocessors: Vec::new(),
        files: Vec::new(),
        paths: vec![path.join(format!("{name}.safetensors"))],
    })
}

/// A folder as models are published in: an index, or one file.
fn of_folder(folder: &Path) -> Result<Source, WeightsError> {
    let (index, single) = (folder.join("model.safetensors.index.json"), folder.join("model.safetensors"));
    // what the conversion of `pytorch_model.bin` writes, as a message says
    let converted = folder.join("pytorch_model.safetensors");
    if single.exists() {
        return of_path(&single, "");
    }
    if index.exists() {
        return of_index(&index);
    }
    if converted.exists() {
        return of_path(&converted, "");
    }
    let pickled = folder.join("pytorch_model.bin");
    let why = match () {
        () if pickled.exists() => {
            return Err(CheckpointError::Pickled(pickled).into());
        }
        () if folder.join("checkpoints").is_dir() => "is the folder of a run; name one of its `checkpoints/`",
        () => {
            "holds neither `model.safetensors` nor `model.safetensors.index.json`, and is not a checkpoint; name a file"
        }
    };
    Err(WeightsError::Path { path: folder.to_owned(), why: why.to_owned() })
}

fn of_index(index: &Path) -> Result<Source, WeightsError> {
    let mut files = Vec::new();
    for (path, wanted) in shards::read(index)? {
        let file = TensorFile::open(&path)?;
        let missing = wanted.iter().find(|name| file.tensors().iter().all(|tensor| tensor.name != **name));
        if let Some(missing) = missing {
            let why = format!("says that `{}` holds `{missing}`, which is not in it", name_of(&path));
            return Err(WeightsError::Index { path: index.to_owned(), why });
        }
        files.push((path, file));
    }
    let plural = if files.len() == 1 { "" } else { "s" };
    let shown = format!("`{}` ({} file{plural})", name_of(index), files.len());
    let source = Source::of_files(shown, files);
    if let Some(twice) = source.tensors.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let why = format!("names files of which two hold `{}`", twice[0].name);
        return Err(WeightsError::Index { path: index.to_owned(), why });
    }
    Ok(source)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
