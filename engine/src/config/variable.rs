//! `Env("NAME")` and `Env("NAME", default)`: values from environment variables.

use super::diagnostic::Diagnostic;
use super::parse;
use super::tree::{Kind, Node, Span};

/// How a variable is written.
pub(super) const HELP: &str =
    "`Env(\"NAME\")` and `Env(\"NAME\", default)` stand for a text, a path, a number, `true` or `false`";

/// What stands for a variable.
pub(super) enum Variable<'n> {
    /// It is set to this.
    Text(String),
    /// It is not set; the file has this for it.
    Default(&'n Node),
}

impl<'n> Variable<'n> {
    /// None for another value.
    ///
    /// # Errors
    /// It is not set and has no default, or is not written as it should be.
    pub(super) fn of(node: &'n Node) -> Option<Result<Self, Box<Diagnostic>>> {
        let Kind::Tuple(items) = &node.kind else { return None };
        (node.name() == Some("Env")).then(|| Self::read(node, items))
    }

    fn read(node: &Node, items: &'n [Node]) -> Result<Self, Box<Diagnostic>> {
        let (name, default) = match items {
            [name] => (name, None),
            [name, default] => (name, Some(default)),
            _ => {
                let message = format!("expected `Env(\"NAME\")` or `Env(\"NAME\", default)`, found {}", node.what());
                return Err(Box::new(Diagnostic::new(node.span, message).help(HELP)));
            }
        };
        let Kind::Str(name) = &name.kind else { return Err(Box::new(no_string("the name", name))) };
        match (std::env::var(name), default) {
            (Ok(value), _) => Ok(Variable::Text(value)),
            (Err(std::env::VarError::NotPresent), Some(default)) => Ok(Variable::Default(default)),
            (Err(error), _) => {
                let problem = match error {
                    std::env::VarError::NotPresent => "is not set",
                    std::env::VarError::NotUnicode(_) => "is not UTF-8",
                };
                let help = format!("set it, or give a default: `Env({name:?}, \"..\")`");
                let message = format!("the environment variable `{name}` {problem}");
                Err(Box::new(Diagnostic::new(node.span, message).help(help)))
            }
        }
    }

    /// The text, of which the default is one too.
    ///
    /// # Errors
    /// The default is another value.
    pub(super) fn text(self) -> Result<String, Box<Diagnostic>> {
        match self {
            Variable::Text(text) => Ok(text),
            Variable::Default(Node { kind: Kind::Str(text), .. }) => Ok(text.clone()),
            Variable::Default(other) => Err(Box::new(no_string("the default", other))),
        }
    }

    /// The number, `true` or `false` that the text is, at the place of the variable.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn scalar(self, at: Span, expected: &str) -> Result<Node, Box<Diagnostic>> {
        let text = match self {
            Variable::Default(default) => return Ok(default.clone()),
            Variable::Text(text) => text,
        };
        match parse::parse(Span::NONE.file, text.trim()) {
            Ok(Node { name: None, kind: kind @ (Kind::Bool(_) | Kind::Int(_) | Kind::Float(_)), .. }) => {
                Ok(Node { span: at, name: None, kind })
            }
            _ => {
                let found = Node::new(Kind::Str(text)).what();
                let message = format!("expected {expected}, found {found} in the environment variable");
                Err(Box::new(Diagnostic::new(at, message)))
            }
        }
    }
}

fn no_string(what: &str, found: &Node) -> Diagnostic {
    let message = format!("{what} of an environment variable is a string here, found {}", found.what());
    let wrong = Diagnostic::new(found.span, message);
    match (&found.kind, found.name()) {
        (Kind::Unit, Some(name)) => wrong.label(format!("write `{name:?}`")),
        _ => wrong,
    }
}
