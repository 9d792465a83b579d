//! The local cache of the Hugging Face hub, in the layout that its own library writes. Nothing is downloaded.
//!
//! `models--ORG--NAME/refs/main` holds a commit, `models--ORG--NAME/snapshots/COMMIT` links to the files of it.

use crate::base::plain;
use crate::weights::error::WeightsError;
use std::ffi::OsString;
use std::path::PathBuf;

/// The folder with the files of a model: `org/name`, or `org/name@revision`.
///
/// # Errors
/// When it is not the name of a model, or the cache does not hold it.
pub(super) fn locate(name: &str) -> Result<PathBuf, WeightsError> {
    locate_in(name, cache(&|variable| std::env::var_os(variable).filter(|value| !value.is_empty())))
}

fn locate_in(name: &str, cache: Option<PathBuf>) -> Result<PathBuf, WeightsError> {
    let failed = |why: String| WeightsError::Hub { name: name.to_owned(), why };
    let (model, revision) = name.split_once('@').unwrap_or((name, "main"));
    if !is_name(model) || !is_revision(revision) {
        return Err(failed(
            "is not the name of a model on the hub: it is `org/name` or `org/name@revision`".to_owned(),
        ));
    }
    let Some(cache) = cache else {
        return Err(failed("can't be looked for: neither `HF_HOME` nor `HOME` says where the cache is".to_owned()));
    };
    let folder = cache.join(format!("models--{}", model.replace('/', "--")));
    if !folder.is_dir() {
        let what = format!("is not in the cache `{}`; bring it with `hf download {model}`", cache.display());
        return Err(failed(format!("{what}, or set `HF_HOME` or `HF_HUB_CACHE`")));
    }
    let commit = plain::read(&folder.join("refs").join(revision), 1024).ok();
    let commit = commit.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned());
    // a commit may be named itself
    let commit = commit.filter(|commit| is_revision(commit)).unwrap_or_else(|| revision.to_owned());
    let snapshot = folder.join("snapshots").join(&commit);
    match snapshot.is_dir() {
        true => Ok(snapshot),
        false => {
            let what = format!("has no revision `{revision}` in `{}`", folder.display());
            Err(failed(format!("{what}; bring it with `hf download {model} --revision {revision}`")))
        }
    }
}

/// Where the cache is, by the variables of the hub's own library.
fn cache(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).map(PathBuf::from);
    path("HF_HUB_CACHE")
        .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| path("HF_HOME").map(|home| home.join("hub")))
        .or_else(|| path("XDG_CACHE_HOME").map(|caches| caches.join("huggingface/hub")))
        .or_else(|| path("HOME").map(|home| home.join(".cache/huggingface/hub")))
}

fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
    };
    name.split('/').count() <= 2 && name.split('/').all(part)
}

/// A branch may have a `/` in it, but leads nowhere else.
fn is_revision(revision: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(plain);
    revision.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_model_is_found_by_its_branch_and_by_its_commit_and_what_is_not_there_says_how_to_bring_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("models--org--tiny.gpt");
        fs::create_dir_all(folder.join("refs")).unwrap();
        fs::create_dir_all(folder.join("snapshots/0a1b")).unwrap();
        fs::write(folder.join("refs/main"), "0a1b\n").unwrap();
        let find = |name: &str| locate_in(name, Some(dir.path().to_owned())).map_err(|error| error.to_string());
        let found = Ok(folder.join("snapshots/0a1b"));
        for name in ["org/tiny.gpt", "org/tiny.gpt@main", "org/tiny.gpt@0a1b"] {
            assert_eq!(find(name), found, "{name}");
        }
        assert!(find("org/other").unwrap_err().contains("bring it with `hf download org/other`"));
        assert!(find("org/tiny.gpt@v2").unwrap_err().contains("has no revision `v2`"));
        for name in ["", "org/../x", "a/b/c", "org/name@../../x", "/org/name", "org/name@"] {
            assert!(find(name).unwrap_err().contains("is not the name of a model"), "{name}");
        }
    }

    #[test]
    fn the_cache_is_where_the_variables_of_the_hub_say() {
        let with = |pairs: &[(&str, &str)]| {
            cache(&|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        let home = ("HOME", "/home/me");
        assert_eq!(with(&[home]), Some("/home/me/.cache/huggingface/hub".into()));
        assert_eq!(with(&[home, ("XDG_CACHE_HOME", "/caches")]), Some("/caches/huggingface/hub".into()));
        assert_eq!(with(&[home, ("HF_HOME", "/hf")]), Some("/hf/hub".into()));
        assert_eq!(with(&[home, ("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/models")]), Some("/models".into()));
        assert_eq!(with(&[]), None);
    }
}
