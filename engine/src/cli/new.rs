//! `new`: an experiment with every setting of a trainer, each with what it is for.

use crate::base::{Clock, Error, ErrorContext as _, Result};
use crate::cli::describe::{MakeUp, first_paragraph, plural, type_of, type_with, wrapped};
use crate::cli::failure::Failure;
use crate::cli::{out, target};
use crate::config::registry::{Component, FieldInfo};
use crate::config::{Kind, Node, Shape, print_line};
use crate::hook::HookSet as _;
use crate::loops::Role;
use crate::trainer::{Build, EngineHooksOf, Experiment, Section, docs_of};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Writes it to a file that is not there yet, or prints it.
pub(super) fn write<T: Build>(path: Option<&Path>, program: &str) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(out::text(text::<T>("experiment"))?);
    };
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("experiment");
    let text = text::<T>(name);
    let shown = path.display();
    target::check(path, &[])?;
    let mut file = match std::fs::File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::msg(format!("`{shown}` exists already; choose another file, or remove it")).into());
        }
        Err(error) => return Err(error).with_context(|| format!("`{shown}` can't be written"))?,
    };
    if let Err(error) = file.write_all(text.as_bytes()) {
        // best effort: half an experiment would be in the way of the next try
        let _ = std::fs::remove_file(path);
        return Err(error).with_context(|| format!("`{shown}` can't be written"))?;
    }
    Ok(out::line(format_args!("wrote {shown}; look through it, then run `{program} check {shown}`"))?)
}

/// The experiment as a text.
fn text<T: Build>(name: &str) -> String {
    let schema = Experiment::<T>::schema();
    let metric = schema.watchable.first().map(String::as_str);
    let is_off = |name: &&str| {
        schema.sections.iter().any(|section| section.absent && section.path.strip_prefix("loaders.") == Some(*name))
    };
    let mut page = Page {
        text: String::new(),
        trainer: T::NAME,
        name,
        clock: T::CLOCK,
        train_loaders: T::loaders(Role::Train),
        has_validation: !T::loaders(Role::Val).iter().all(is_off),
        metric,
        key_of: EngineHooksOf::<T>::key_of,
    };
    page.head();
    let mut sections = schema.sections.iter().peekable();
    while let Some(first) = sections.next() {
        let (group, nested) = match first.path.split_once('.') {
            Some((group, _)) => (group, true),
            None => (first.path, false),
        };
        let mut members = vec![first];
        let belongs =
            |section: &&Section| section.path.split('.').next() == Some(group) && (nested || group == "metrics");
        while let Some(section) = sections.next_if(|section| belongs(section)) {
            members.push(section);
        }
        match (nested, group) {
            (true, _) => page.group(group, &members),
            (false, "metrics") => page.metrics(&members),
            _ => page.section(group, first, 1),
        }
    }
    page.text.push_str(")\n");
    page.text
}

/// The text while it grows.
struct Page<'a> {
    text: String,
    trainer: &'static str,
    name: &'a str,
    clock: Clock,
    /// The loaders that are trained on.
    train_loaders: &'a [&'static str],
    /// Whether a loader is written on which the experiment validates.
    has_validation: bool,
    /// A metric that hooks can watch.
    metric: Option<&'a str>,
    /// The key of a hook that the program has anyway.
    key_of: fn(&str) -> Option<&'static str>,
}

impl<'a> Page<'a> {
    /// Makes up what nobody has set; `like` as in [`MakeUp`].
    fn make_up(&self, like: &'a str) -> MakeUp<'a> {
        MakeUp { like, metric: self.metric }
    }

    fn head(&mut self) {
        let trainer = self.trainer;
        let told = [
            format!("// An experiment of `{trainer}`, with every setting and its default."),
            "//".to_owned(),
            "// Settings that are not required may be left out; they then have the value shown. Keep what you want to change.".to_owned(),
            "//".to_owned(),
            "// Another file builds on this one by `base: [\"this.ron\"]` and says only what differs: a `(..)` changes single"
                .to_owned(),
            "// settings, another name replaces; `Append([..])`, `Prepend([..])` and `Patch({\"Name\": (..)})` change a list.".to_owned(),
            "// `show` prints the result, and where each value was written; see `--help`.".to_owned(),
            "Experiment(".to_owned(),
        ];
        for line in told {
            let _ = writeln!(self.text, "{line}");
        }
    }

    fn line(&mut self, depth: usize, text: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{:1$}{text}", "", depth * 4);
    }

    fn comment(&mut self, depth: usize, docs: &str) {
        for line in wrapped(&first_paragraph(docs), depth * 4 + 3) {
            self.line(depth, format_args!("// {line}"));
        }
    }

    /// `loaders: (train: .., val: ..)`.
    fn group(&mut self, key: &str, members: &[&Section]) {
        self.comment(1, docs_of(key));
        self.line(1, format_args!("{key}: ("));
        for section in members {
            let key = section.path.split_once('.').map_or(section.path, |(_, key)| key);
            self.section(key, section, 2);
        }
        self.line(1, "),");
    }

    /// The list of metrics: those of the trainer's fields, and what else there is.
    fn metrics(&mut self, members: &[&Section]) {
        self.comment(1, docs_of("metrics"));
        let of_fields: Vec<&&Section> = members.iter().filter(|section| !is_list(&section.shape)).collect();
        let used: Vec<&str> = of_fields.iter().filter_map(|section| struct_name(&section.shape)).collect();
        for section in members.iter().filter(|section| is_list(&section.shape)) {
            self.choices(&section.shape, &used);
        }
        if of_fields.is_empty() {
            self.line(1, "metrics: [],");
            return;
        }
        self.line(1, "metrics: [");
        for section in of_fields {
            let value = under_name(section, &self.make_up(""));
            self.value(None, &value, &section.shape, &told_of(section), 2);
        }
        self.line(1, "],");
    }

    /// One section under its key.
    fn section(&mut self, key: &'a str, section: &Section, depth: usize) {
        let docs = match (section.docs, struct_name(&section.shape)) {
            ("", Some(name)) => Component::find("hook", name).map_or("", |hook| hook.docs),
            (docs, _) => docs,
        };
        let required = if is_required(section) { " Required." } else { "" };
        self.comment(depth, format!("{}{required}", first_paragraph(docs)).trim_start());
        if section.absent || (section.path == "val" && !self.has_validation) {
            self.line(depth, "// off unless you write it");
            let begin = self.text.len();
            let value = self.make_up(key).value(&section.shape);
            self.value(Some(key), &value, &section.shape, &told_of(section), depth);
            let lines: Vec<String> = self.text.split_off(begin).lines().map(|line| commented(line, depth)).collect();
            lines.iter().for_each(|line| self.line(0, line));
            return;
        }
        if is_list(&section.shape) {
            self.choices(&section.shape, &[]);
        }
        let told = match key {
            "name" => Some(Node::new(Kind::Str(self.name.to_owned()))),
            _ => section.default.clone(),
        };
        let mut value = told.unwrap_or_else(|| self.make_up(key).value(&section.shape));
        if section.path == "train" {
            self.plan(&mut value);
        }
        if self.train_loaders.iter().any(|name| section.path.strip_prefix("loaders.") == Some(name))
            && let Some(shuffle) = value.get_mut("shuffle")
        {
            *shuffle = Node::new(Kind::Bool(true));
        }
        if let (None, true, Some(name)) = (value.name(), section.is_model(), struct_name(&section.shape)) {
            value = Node::named(name, value.kind);
        }
        self.value(Some(key), &value, &section.shape, &told_of(section), depth);
    }

    /// How long the training is must be said, on the trainer's clock.
    fn plan(&self, train: &mut Node) {
        let (key, count) = match self.clock {
            Clock::Epoch => ("max_epochs", 10),
            Clock::Iter | Clock::Sample => ("max_iters", 1000),
        };
        if let Some(value) = train.get_mut(key) {
            *value = Node::new(Kind::Int(count));
        }
    }

    /// What a list of components can hold, with an example.
    fn choices(&mut self, shape: &Shape, besides: &[&str]) {
        let Shape::List(item) = shape else { return };
        let Shape::Component(kind, names) = item.as_ref() else { return };
        let of_every_run = |name: &str| kind == "hook" && (self.key_of)(name).is_some();
        let names: Vec<&str> =
            names.iter().copied().filter(|name| !besides.contains(name) && !of_every_run(name)).collect();
        if names.is_empty() {
            return;
        }
        self.comment(1, &format!("To choose from (see `list {}`), with what each needs:", plural(kind)));
        for component in names.iter().filter_map(|name| Component::find(kind, name)) {
            self.line(1, format_args!("//     {},", print_line(&self.make_up("").least_of(component))));
        }
    }

    /// `key: value,` with its type, or with what its fields are for.
    fn value(&mut self, key: Option<&str>, value: &Node, shape: &Shape, told: &str, depth: usize) {
        let key = key.map_or(String::new(), |key| format!("{key}: "));
        let name = value.name().unwrap_or_default();
        let fields = value.fields();
        let component = match shape {
            Shape::Component(kind, _) => Component::find(kind, name),
            Shape::Struct(name, fields) => Component::of_struct(name, fields.iter().map(|(key, _)| *key)),
            _ => None,
        };
        let Some(component) = component.filter(|_| !fields.is_empty()) else {
            let gap = if told.is_empty() { "" } else { "  // " };
            self.line(depth, format_args!("{key}{},{gap}{told}", print_line(value)));
            return;
        };
        let others = match shape {
            Shape::Component(_, names) if names.len() > 1 => format!("  // one of {}", names.join(", ")),
            _ => String::new(),
        };
        self.line(depth, format_args!("{key}{name}({others}"));
        for field in fields {
            let Some(info) = component.fields.iter().find(|info| info.name == field.key) else { continue };
            self.comment(depth + 1, info.docs);
            let required = if info.default.is_none() { "; required" } else { "" };
            let told = format!("{}{required}", type_of(info));
            self.value(Some(&field.key), &field.value, &inner_shape(shape, info), &told, depth + 1);
        }
        self.line(depth, "),");
    }
}

/// The shape of a field: that of the value itself knows more than what is registered for all values of a type.
fn inner_shape(shape: &Shape, info: &FieldInfo) -> Shape {
    match shape {
        Shape::Struct(_, fields) => {
            fields.iter().find(|(key, _)| *key == info.name).map_or_else(|| (info.shape)(), |(_, shape)| shape.clone())
        }
        _ => (info.shape)(),
    }
}

/// What is said behind the value of a section: its type, if there is anything to set.
fn told_of(section: &Section) -> String {
    match &section.shape {
        Shape::Struct(..) => String::new(),
        shape => type_with(shape, section.demand),
    }
}

/// Whether an experiment has to say it: a model whose settings all have defaults may be left out.
fn is_required(section: &Section) -> bool {
    let all_by_default = match &section.shape {
        Shape::Struct(name, fields) if section.is_model() => {
            Component::of_struct(name, fields.iter().map(|(key, _)| *key))
                .is_some_and(|component| component.fields.iter().all(|field| field.default.is_some()))
        }
        _ => false,
    };
    section.default.is_none() && !section.absent && !all_by_default
}

fn is_list(shape: &Shape) -> bool {
    matches!(shape, Shape::List(_))
}

fn struct_name(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Struct(name, _) => Some(name),
        _ => None,
    }
}

/// A metric's settings under its name, as an entry of the list.
fn under_name(section: &Section, make_up: &MakeUp<'_>) -> Node {
    let value = section.default.clone().unwrap_or_else(|| match struct_name(&section.shape) {
        Some(name) => Component::find("metric", name)
            .map_or_else(|| make_up.value(&section.shape), |component| make_up.component(component)),
        None => make_up.value(&section.shape),
    });
    match (value.name(), struct_name(&section.shape)) {
        (None, Some(name)) => Node::named(name, value.kind),
        _ => value,
    }
}

fn commented(line: &str, depth: usize) -> String {
    let indent = depth * 4;
    let (before, rest) = line.split_at(indent.min(line.len()));
    format!("{before}// {rest}")
}
