//! Under which name a package has the engine, by its `Cargo.toml`.
//!
//! A dependency is renamed by `package = "engine"`, in the forms that Cargo's documentation shows. Reading these lines here
//! costs nothing; a parser of TOML would be compiled before any program of the engine.

use std::path::Path;

/// The name of the engine in the package that is being compiled, when it is not `engine`.
pub(crate) fn renamed() -> Option<String> {
    // an editor expands the macros of many packages in one process, and sets the variable for each
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    in_folder(Path::new(&folder))
}

fn in_folder(folder: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let dependencies = dependencies(&manifest);
    if dependencies.iter().any(|found| found.name == "engine") {
        return None;
    }
    let own = dependencies.iter().find(|found| found.is_engine);
    let name = match own {
        Some(own) => own.name.clone(),
        None => of_workspace(folder, &dependencies)?,
    };
    Some(name.replace('-', "_"))
}

/// The dependency that the workspace declares as the engine.
fn of_workspace(folder: &Path, dependencies: &[Dependency]) -> Option<String> {
    let inherited = || dependencies.iter().filter(|found| found.is_inherited);
    inherited().next()?;
    // the package itself may be the root
    let mut manifests = folder.ancestors().filter_map(|folder| std::fs::read_to_string(folder.join("Cargo.toml")).ok());
    let root = manifests.find(|manifest| manifest.lines().any(|line| line.trim_start().starts_with("[workspace")))?;
    let declared: Vec<Dependency> = self::dependencies(&root).into_iter().filter(|found| found.is_engine).collect();
    inherited().find(|found| declared.iter().any(|of| of.name == found.name)).map(|found| found.name.clone())
}

/// A dependency, as far as it is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Dependency {
    name: String,
    /// `package = "engine"`.
    is_engine: bool,
    /// `workspace = true`.
    is_inherited: bool,
}

/// The dependencies of every kind and target.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    // the table that the lines belong to: `dependencies`, or one dependency of it
    let (mut within, mut of) = (false, None);
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.split(']').next().unwrap_or_default().trim();
            within = table.ends_with("dependencies");
            of = table.rsplit_once("dependencies.").map(|(_, name)| unquoted(name));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (name, setting) = match (&of, within) {
            (Some(name), _) => (name.clone(), line.to_owned()),
            (None, true) => match key.split_once('.') {
                // `engine.workspace = true`
                Some((name, key)) => (unquoted(name), format!("{key}={value}")),
                None => (unquoted(key), value.to_owned()),
            },
            (None, false) => continue,
        };
        let setting: String = setting.split_whitespace().collect();
        let (is_engine, is_inherited) = (setting.contains("package=\"engine\""), setting.contains("workspace=true"));
        match found.iter_mut().find(|known| known.name == name) {
            Some(known) => {
                known.is_engine |= is_engine;
                known.is_inherited |= is_inherited;
            }
            None => found.push(Dependency { name, is_engine, is_inherited }),
        }
    }
    found
}

fn unquoted(name: &str) -> String {
    name.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a package in a workspace calls the engine.
    fn name(package: &str, workspace: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let member = folder.path().join("crates/spirals");
        std::fs::create_dir_all(&member).unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), workspace).unwrap();
        std::fs::write(member.join("Cargo.toml"), package).unwrap();
        in_folder(&member)
    }

    #[test]
    fn a_renamed_engine_is_found_in_every_form_of_a_dependency() {
        for package in [
            "[dependencies]\nserde = \"1\"\nml-engine = { path = \"../engine\", package = \"engine\" }",
            "[dependencies]\nml-engine={package=\"engine\",version=\"1\"}",
            "[dependencies.ml-engine]\npath = \"../engine\"\npackage = \"engine\"\n[dependencies.serde]\nversion = \"1\"",
            "[dependencies]\nml-engine.package = \"engine\"\nml-engine.path = \"../engine\"",
            "[dev-dependencies]\n\"ml-engine\" = { package = \"engine\" }",
            "[target.'cfg(unix)'.dependencies]\nml-engine = { package = \"engine\" } # ours",
        ] {
            assert_eq!(name(package, "").as_deref(), Some("ml_engine"), "{package}");
        }
    }

    #[test]
    fn a_dependency_of_the_workspace_is_looked_up_there() {
        let workspace = "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\nml = { path = \"e\", package = \"engine\" }";
        for package in [
            "[dependencies]\nml.workspace = true",
            "[dependencies]\nml = { workspace = true }",
            "[dependencies.ml]\nworkspace = true",
        ] {
            assert_eq!(name(package, workspace).as_deref(), Some("ml"), "{package}");
        }
        assert_eq!(name("[dependencies]\nserde.workspace = true", workspace), None);
    }

    #[test]
    fn an_engine_under_its_own_name_is_no_renamed_one() {
        for package in [
            "[dependencies]\nengine = { path = \"../engine\" }",
            "[dependencies]\nengine.workspace = true",
            "[dependencies]\nserde = \"1\"\n[package.metadata]\nml = { package = \"engine\" }",
            "[package]\nname = \"engine\"",
        ] {
            assert_eq!(name(package, ""), None, "{package}");
        }
    }
}
