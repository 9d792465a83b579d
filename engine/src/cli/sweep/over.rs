//! `over: {"optimizer.lr": LogUniform(1e-4, 1e-1)}`: the settings to vary, as they are written.

use crate::cli::sweep::space::{Dimension, Values};
use crate::config::{Diagnostic, Diagnostics, Document, Kind, Node, Span};

/// `over: {"optimizer.lr": LogUniform(1e-4, 1e-1)}`
pub(super) fn space(document: &Document, diagnostics: &Diagnostics) -> Vec<Dimension> {
    let mistake = |span: Span, message: &str| diagnostics.push(Diagnostic::new(span, message).at("over"));
    let pairs = match document.root.get("over") {
        None => return Vec::new(),
        Some(Node { kind: Kind::Map(pairs), name: None, .. }) => pairs,
        Some(other) => {
            mistake(other.span, "expected a map from paths to values, `{\"optimizer.lr\": LogUniform(1e-4, 1e-1)}`");
            return Vec::new();
        }
    };
    if pairs.is_empty() {
        mistake(document.root.head(), "`over` names no setting to vary");
    }
    let mut space = Vec::new();
    for (key, value) in pairs {
        let Kind::Str(path) = &key.kind else {
            mistake(key.span, "expected a path in quotes, `\"optimizer.lr\"`");
            continue;
        };
        if ["name", "work_dir"].contains(&path.as_str()) {
            mistake(key.span, "a sweep gives each trial its own name and folder");
            continue;
        }
        // within the quotes
        let at = Span { start: key.span.start + 1, end: key.span.end.saturating_sub(1), ..key.span };
        match values(value) {
            Ok(values) => space.push(Dimension { path: path.clone(), at, values, span: value.span }),
            Err(found) => diagnostics.push(found.at(format!("over.{path}"))),
        }
    }
    space
}

const FORMS: &str = "`Choice([32, 64])`, `Uniform(0.0, 0.5)`, `LogUniform(1e-4, 1e-1)` or `Int(1, 8)`";

fn values(node: &Node) -> Result<Values, Box<Diagnostic>> {
    let wrong = |span: Span, message: String| Err(Box::new(Diagnostic::new(span, message)));
    let Kind::Tuple(items) = &node.kind else {
        return wrong(node.span, format!("expected {FORMS}, found {}", node.what()));
    };
    match (node.name(), items.as_slice()) {
        (Some("Choice"), [Node { kind: Kind::Seq(values), .. }]) if !values.is_empty() => {
            Ok(Values::Choice(values.clone()))
        }
        (Some("Choice"), _) => wrong(node.span, "`Choice` takes a list with the values: `Choice([32, 64])`".to_owned()),
        (Some("Int"), [Node { kind: Kind::Int(low), .. }, Node { kind: Kind::Int(high), .. }]) => {
            match (i64::try_from(*low), i64::try_from(*high)) {
                (Ok(low), Ok(high)) if low <= high => Ok(Values::Int(low, high)),
                _ => wrong(node.span, format!("`Int` takes a lower and an upper end, got {low} and {high}")),
            }
        }
        (Some("Int"), _) => wrong(node.span, "`Int` takes two integers: `Int(1, 8)`".to_owned()),
        (Some(name @ ("Uniform" | "LogUniform")), [low, high]) => {
            let number = |node: &Node| match node.kind {
                Kind::Int(value) => Some(value as f64),
                Kind::Float(value) if value.is_finite() => Some(value),
                _ => None,
            };
            let (Some(low), Some(high)) = (number(low), number(high)) else {
                return wrong(node.span, format!("`{name}` takes two numbers: `{name}(1e-4, 1e-1)`"));
            };
            if low > high {
                return wrong(node.span, format!("the lower end comes first, got {low:?} and {high:?}"));
            }
            match name {
                "Uniform" if (high - low).is_finite() => Ok(Values::Uniform(low, high)),
                "Uniform" => wrong(node.span, "this range is larger than any float".to_owned()),
                _ if low > 0.0 => Ok(Values::LogUniform(low, high)),
                _ => wrong(node.span, "`LogUniform` needs ends above 0, which have a logarithm".to_owned()),
            }
        }
        (Some(name @ ("Uniform" | "LogUniform")), _) => {
            wrong(node.span, format!("`{name}` takes two numbers: `{name}(1e-4, 1e-1)`"))
        }
        _ => {
            let meant = crate::base::suggest::did_you_mean(
                node.name().unwrap_or_default(),
                ["Choice", "Uniform", "LogUniform", "Int"],
            );
            let mistake = Diagnostic::new(node.head(), format!("expected {FORMS}, found {}", node.what()));
            Err(Box::new(mistake.suggest(meant)))
        }
    }
}
