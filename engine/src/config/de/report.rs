//! From serde's errors to diagnostics: one wording for all of them.

use super::super::diagnostic::Diagnostic;
use super::super::tree::{Kind, Span};
use super::super::variable;
use super::De;
use super::error::{Error, Result};
use super::place::join;
use crate::base::suggest::{did_you_mean, expected_one_of};
use crate::base::words::{EXPRESSIONS, OPERATORS};

impl De<'_, '_> {
    /// Records a mistake of this value.
    pub(super) fn record(self, diagnostic: Diagnostic) -> Error {
        self.cx.found.push(diagnostic.at(self.place.path()));
        Error::Recorded
    }

    /// Records a mistake of a field or a name within this value.
    pub(super) fn record_within(self, segment: &str, diagnostic: Diagnostic) -> Error {
        let mut path = self.place.path();
        join(&mut path, segment);
        self.cx.found.push(diagnostic.at(path));
        Error::Recorded
    }

    /// Records that the value is not what was expected.
    pub(super) fn wrong<T>(self, expected: &str) -> Result<T> {
        Err(self.record(self.not(expected)))
    }

    /// The value is not what was expected.
    pub(super) fn not(self, expected: &str) -> Diagnostic {
        let message = match (self.body, self.node.name()) {
            (true, Some(name)) => format!("expected {expected} in `{name}(..)`, found {}", self.node.what_inside()),
            _ => format!("expected {expected}, found {}", self.node.what()),
        };
        let wrong = Diagnostic::new(self.node.span, message);
        match self.name().and_then(word_of_the_format) {
            Some(help) => wrong.help(help),
            None => wrong.suggest(self.meant_expression()),
        }
    }

    /// The word of the format that a misspelt one may have been: `ref("model.width")`.
    fn meant_expression(self) -> Option<&'static str> {
        let name = self.name().filter(|_| matches!(self.node.kind, Kind::Tuple(_)))?;
        did_you_mean(name, EXPRESSIONS.iter().map(|(word, _)| *word))
    }

    /// Records an error that has no place yet, at `span`.
    pub(super) fn locate(self, error: Error, span: Span) -> Error {
        // what is left of a value without its wrong parts may be refused for their absence
        let follows = !matches!(error, Error::Missing(_)) && self.cx.retry.has_failed(self.node);
        if follows {
            return Error::Recorded;
        }
        let diagnostic = match error {
            Error::Recorded => return error,
            Error::Custom(message) => Diagnostic::new(self.whole(span), message),
            Error::Type { expected } => Diagnostic { span, ..self.not(&expected) },
            Error::Variant { name, known } => unknown(span, &format!("unknown variant `{name}`"), &name, known),
            Error::Field { name, known } => return self.unknown_field(&name, span, known),
            Error::Missing(name) => return self.missing_field(name),
            Error::Duplicate(name) => Diagnostic::new(span, format!("field `{name}` is given twice")),
            Error::Length { found, expected } => {
                Diagnostic::new(span, format!("expected {expected}, found {found} values"))
            }
        };
        self.record(diagnostic)
    }

    /// A field that the struct doesn't have.
    pub(super) fn unknown_field(self, name: &str, span: Span, known: &[&str]) -> Error {
        let diagnostic = match (known, self.node.name()) {
            ([], Some(owner)) => Diagnostic::new(span, format!("unknown field `{name}`, `{owner}` has no fields")),
            ([], None) => Diagnostic::new(span, format!("unknown field `{name}`, there are no fields here")),
            _ => unknown(span, &format!("unknown field `{name}`"), name, known),
        };
        self.record_within(name, diagnostic)
    }

    /// A field that the struct needs.
    fn missing_field(self, name: &'static str) -> Error {
        let mut path = self.place.path();
        join(&mut path, name);
        self.record(missing_field(self.head(), name, self.node.name(), self.cx.sources.taken_back(&path)))
    }

    /// A name that no component of the trait has.
    pub(super) fn unknown_component(self, noun: &str, name: &str, span: Span, known: &[&str]) -> Error {
        let problem = format!("no {noun} is named `{name}`");
        if known.is_empty() {
            let help = "a crate's components are known only when the program uses the crate: `use its_name as _;`";
            return self.record(Diagnostic::new(span, format!("{problem}, there is none in this program")).help(help));
        }
        let diagnostic = unknown(span, &problem, name, known);
        if matches!(self.node.kind, Kind::Map(_)) && diagnostic.label.is_empty() {
            return self.record(diagnostic.help(BRACKETS));
        }
        if let Some(help) = word_of_the_format(name) {
            return self.record(diagnostic.help(help));
        }
        self.record(diagnostic)
    }

    /// The value has no fields by name.
    pub(super) fn not_fields<T>(self, known: Option<&[&str]>) -> Result<T> {
        let name = self.node.name().unwrap_or_default();
        let form = match known.and_then(<[&str]>::first) {
            Some(first) => format!("fields by name, `{name}({first}: ..)`"),
            None => format!("`{name}()`"),
        };
        match self.node.kind {
            Kind::Tuple(_) => {
                let message = format!("expected {form}, found a value without a name");
                Err(self.record(Diagnostic::new(self.node.span, message)))
            }
            Kind::Map(_) => Err(self.record(self.not(&form).help(BRACKETS))),
            _ => self.wrong(&form),
        }
    }

    /// The value is to be a component and has no name that could be one.
    pub(super) fn nameless(self, noun: &str, known: &[&str]) -> Diagnostic {
        let meant = match &self.node.kind {
            Kind::Str(text) => Some(text.as_str()),
            // as configurations of Python programs have it
            Kind::Struct(fields) => fields.iter().find_map(|field| match &field.value.kind {
                Kind::Str(text) if matches!(field.key.as_str(), "name" | "type") => Some(text.as_str()),
                _ => None,
            }),
            _ => None,
        };
        let mistake = self.not(&format!("{} by its name, `Name(..)`", with_article(noun)));
        match meant.and_then(|meant| did_you_mean(meant, known.iter().copied())) {
            Some(name) => mistake.label(format!("write `{name}(..)`")),
            None if known.is_empty() => mistake,
            None => mistake.help(format!("there are `{}`", known.join("`, `"))),
        }
    }

    /// The value is to be a list; whoever writes something else may know the words for it only half.
    pub(super) fn not_a_list(self) -> Diagnostic {
        let mistake = self.not("a list `[..]`");
        match (&self.node.kind, self.name()) {
            (Kind::Tuple(_) | Kind::Map(_), Some(name)) | (Kind::Unit, Some(name)) if !OPERATORS.contains(&name) => mistake
                .suggest(did_you_mean(name, OPERATORS))
                .help("to change the list of a base, write `Append([..])`, `Prepend([..])`, `Patch({..})` or `Replace([..])`"),
            (Kind::Struct(_), None) => mistake.help("a list that no base has is written whole: `[Name(..)]`"),
            (Kind::Map(_), None) => mistake.help("single elements of the list of a base are changed by `Patch({..})`"),
            _ => mistake,
        }
    }

    /// The name that owns this value: its own, else the key it is set to, else where it begins.
    fn head(self) -> Span {
        match &self.node.name {
            Some(name) => name.span,
            None => self.place.key_span().unwrap_or(self.node.span.first()),
        }
    }

    /// Where the message of a validator points: the value, but only the name of a struct.
    fn whole(self, span: Span) -> Span {
        let structured = matches!(self.node.kind, Kind::Struct(_)) && span == self.node.span;
        if structured { self.head() } else { span }
    }
}

/// A field that its struct needs; perhaps because a `Default` took it back.
pub(in crate::config) fn missing_field(
    span: Span,
    name: &str,
    owner: Option<&str>,
    taken_back: Option<Span>,
) -> Diagnostic {
    let owner = owner.map(|owner| format!(" of `{owner}`")).unwrap_or_default();
    let missing = Diagnostic::new(span, format!("missing field `{name}`{owner}"));
    match taken_back {
        Some(at) => {
            missing.note(at, "taken back here").help(format!("`{name}` has no default that it could have again"))
        }
        None => missing,
    }
}

/// For those who wrote curly brackets.
pub(in crate::config) const BRACKETS: &str =
    "settings are written in round brackets, with names without quotes: `(lr: 0.1)`";

/// How a word of the format is used, where it does not stand as it should.
pub(super) fn word_of_the_format(name: &str) -> Option<&'static str> {
    Some(match name {
        "Append" => "`Append` takes one list: `Append([..])`",
        "Prepend" => "`Prepend` takes one list: `Prepend([..])`",
        "Patch" => "`Patch` takes one map from names or indices: `Patch({\"Name\": (..), 0: (..)})`",
        "Replace" => "`Replace` takes one value: `Replace([..])`, `Replace((..))`",
        "Ref" => "`Ref` takes one path of the experiment: `Ref(\"model.width\")`",
        "Add" | "Sub" | "Mul" | "Div" => {
            "`Add`, `Sub`, `Mul` and `Div` take two numbers: `Mul(Ref(\"model.width\"), 4)`"
        }
        "Include" => "`Include` takes the path of one file: `Include(\"parts/adamw.ron\")`",
        "Default" => "`Default` takes back what earlier files say of a setting: `optimizer: (lr: Default)`",
        "Env" => variable::HELP,
        _ => return None,
    })
}

/// The noun for the components of a trait: `HookConfig` is a `hook`, `LrSchedule` an `lr schedule`.
pub(in crate::config) fn noun(trait_name: &str) -> String {
    let name = trait_name.rsplit("::").next().unwrap_or(trait_name);
    let name = name.strip_suffix("Config").filter(|rest| !rest.is_empty()).unwrap_or(name);
    let mut noun = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !noun.is_empty() {
            noun.push(' ');
        }
        noun.extend(c.to_lowercase());
    }
    noun
}

/// `a hook`, `an optimizer`.
pub(super) fn with_article(noun: &str) -> String {
    match noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => format!("an {noun}"),
        false => format!("a {noun}"),
    }
}

/// `problem, expected one of ..` with the nearest name as label; a list that is too long for a sentence is the help.
pub(crate) fn unknown(span: Span, problem: &str, name: &str, known: &[&str]) -> Diagnostic {
    let meant = did_you_mean(name, known.iter().copied());
    match (expected_one_of(known), meant) {
        (Some(expected), meant) => Diagnostic::new(span, format!("{problem}, {expected}")).suggest(meant),
        // a long list is shown only to those who need it
        (None, None) if !known.is_empty() => {
            Diagnostic::new(span, problem).help(format!("there are `{}`", known.join("`, `")))
        }
        (None, meant) => Diagnostic::new(span, problem).suggest(meant),
    }
}
