//! `--weights`: what stands over the section `weights` of an experiment.

use crate::cli::failure::Failure;
use crate::config::{Given, Kind, Node};

/// What the options give, for the models of a trainer with the paths of their weights. The other settings of the section
/// stay as the file says.
///
/// # Errors
/// When it is not clear which model is meant.
pub(super) fn given(options: &[String], models: &[(&str, &str)]) -> Result<Vec<Given>, Failure> {
    let mut given = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for option in options {
        let named = option.split_once('=').and_then(|(name, from)| {
            let (_, path) = models.iter().find(|(model, _)| *model == name)?;
            Some((*path, from))
        });
        let (path, from) = match (named, models) {
            (Some(found), _) => found,
            (None, [(_, path)]) => (*path, option.as_str()),
            (None, _) => {
                let names = models.iter().map(|(model, _)| format!("`{model}=FILE`")).collect::<Vec<_>>().join(" or ");
                return Err(Failure::Usage(format!(
                    "`--weights {option}` does not say for which model: write {names}"
                )));
            }
        };
        if seen.contains(&path) {
            return Err(Failure::Usage(format!(
                "`--weights {option}`: the model has its weights from another file already"
            )));
        }
        seen.push(path);
        let text = |text: &str| Node::new(Kind::Str(text.to_owned()));
        let nothing = || Node::named("None", Kind::Unit);
        let (file, hf) = match from.strip_prefix("hf:") {
            Some(name) => (nothing(), text(name)),
            None => (text(from), nothing()),
        };
        for (key, value) in [("file", file), ("hf", hf)] {
            given.push(Given { option: "--weights", text: option.clone(), path: format!("{path}.{key}"), value });
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(options: &[&str], models: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        match given(&options, models) {
            Ok(given) => {
                let text = |given: Given| format!("{}: {}", given.path, crate::config::print_line(&given.value));
                Ok(given.into_iter().map(text).collect())
            }
            Err(Failure::Usage(text)) => Err(text),
            Err(_) => Err("another failure".to_owned()),
        }
    }

    #[test]
    fn each_model_has_its_weights_by_its_name_and_the_only_one_without() {
        let one = [("net", "weights")];
        let two = [("critic", "weights.critic"), ("generator", "weights.generator")];
        let only = ["weights.file: \"a=b.safetensors\"".to_owned(), "weights.hf: None".to_owned()];
        assert_eq!(paths(&["a=b.safetensors"], &one), Ok(only.to_vec()));
        assert_eq!(paths(&["net=a"], &one).unwrap()[0], "weights.file: \"a\"");
        assert_eq!(paths(&["hf:org/name"], &one).unwrap(), ["weights.file: None", "weights.hf: \"org/name\""]);
        assert_eq!(paths(&["generator=a", "critic=b"], &two).unwrap()[2], "weights.critic.file: \"b\"");
        assert!(paths(&["a"], &two).unwrap_err().contains("write `critic=FILE` or `generator=FILE`"));
        assert!(paths(&["a", "b"], &one).unwrap_err().contains("from another file already"));
    }
}
