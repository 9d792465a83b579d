//! `Experiment(…)`: everything that a file contains, typed for one trainer.
//!
//! Its sections are listed once, in `sections`. `reader` reads them one by one, `rules` checks what concerns several
//! of them, `writer` prints them, `builder` builds them in Rust, and `schema` lists them without a file.

mod backend;
mod builder;
pub(crate) mod check;
mod facts;
mod keys;
pub(crate) mod known;
mod misplaced;
mod name;
mod nearest;
pub(crate) mod of_main;
mod purpose;
mod reader;
mod rules;
mod schema;
mod sections;
mod settings;
mod writer;

pub use backend::BackendSettings;
pub use builder::ExperimentBuilder;
pub use keys::docs_of;
pub use name::RunName;
pub use purpose::Purpose;
pub use reader::Reader;
pub use schema::{Schema, Section};
pub use sections::{Experiment, ModelWeights};
pub use settings::{DeviceChoice, Resume, TrainSettings, ValSettings};
pub use writer::Writer;

use crate::base::Result;
use crate::config::{self, ConfigErrors, Diagnostic, Diagnostics, Document, Kind, Node};
use crate::loops::Loaders;
use crate::metric::Better;
use crate::trainer::Build;
use sections::Sections;
use std::path::Path;

impl<T: Build> Experiment<T> {
    /// Reads an experiment file with all its bases.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn load(path: &Path, sets: &[String]) -> Result<Self, ConfigErrors> {
        Self::from_document(&config::load_with(path, sets)?, Purpose::Run)
    }

    /// Reads an experiment from a text; messages use `name` as the name of the file.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigErrors> {
        Self::from_document(&crate::config::parse_text(name, text)?.resolved(), Purpose::Run)
    }

    /// Reads an experiment whose files were already read.
    ///
    /// # Errors
    /// All mistakes at once, with their positions.
    pub fn from_document(document: &Document, purpose: Purpose) -> Result<Self, ConfigErrors> {
        let diagnostics = Diagnostics::new();
        let mut reader = Reader::new(document, &diagnostics);
        let Document { sources, root } = document;
        if let Some(mistake) = no_experiment(root) {
            if !matches!(root.kind, Kind::Struct(_)) {
                // all that is missing would say nothing more
                return Err(ConfigErrors::new(sources.clone(), vec![mistake]));
            }
            reader.mistake(mistake);
        }
        let experiment = Self::read(&mut reader, purpose);
        reader.finish();
        diagnostics.into_result(sources).map_err(|mut errors| {
            for mistake in errors.diagnostics.iter_mut().filter(|mistake| mistake.label.is_empty()) {
                mistake.label = misplaced::unnamed_number(&mistake.path, root).unwrap_or_default();
            }
            errors
        })?;
        experiment.ok_or_else(|| {
            // every section that could not be read has left its mistake: this is for one that has not
            let diagnostic = Diagnostic::new(root.head(), "the experiment could not be read");
            ConfigErrors::new(sources.clone(), vec![diagnostic])
        })
    }

    /// Which direction is better of a metric that the experiment's validations produce.
    ///
    /// # Errors
    /// A mistake without a place: none of this name can be watched.
    pub(crate) fn better_of(document: &Document, name: &str) -> Result<Better, Box<Diagnostic>> {
        let diagnostics = Diagnostics::new();
        let mut reader = Reader::new(document, &diagnostics);
        let _ = Sections::<T>::read(&mut reader);
        rules::better_of::<T>(&mut reader, name)
    }

    /// Reads every section, asks the rules across them, and only then misses those that have a mistake.
    fn read(reader: &mut Reader<'_>, purpose: Purpose) -> Option<Self> {
        let sections = Sections::read(reader);
        rules::check::<T>(reader, &sections, purpose);
        sections.complete()
    }

    /// The sections that an experiment of this trainer can contain.
    pub fn schema() -> Schema {
        let (document, diagnostics) = (Document::empty(), Diagnostics::new());
        let mut reader = Reader::of_schema(&document, &diagnostics);
        // every section is asked for, and none is there
        let _ = Self::read(&mut reader, Purpose::Inspect);
        let mut schema = reader.into_schema();
        keys::describe(&mut schema);
        schema.watchable = rules::watchable(&Loaders::new(T::INFO, Vec::new()), &schema.measures);
        schema
    }

    /// The experiment as the text of a file; reading it gives the same experiment.
    ///
    /// # Errors
    /// When a setting's type can't be serialized.
    pub fn print(&self) -> Result<String> {
        Ok(config::print(&self.to_node()?))
    }

    /// The experiment as a tree, defaults included.
    ///
    /// # Errors
    /// When a setting's type can't be serialized.
    pub fn to_node(&self) -> Result<Node> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        let mut root = writer.finish()?;
        keys::sort(&mut root);
        Ok(root)
    }
}

/// The mistake of a file that holds something else.
fn no_experiment(root: &Node) -> Option<Diagnostic> {
    let is_struct = match (&root.kind, root.name()) {
        (Kind::Struct(_), name) => name.is_none_or(|name| name == "Experiment"),
        (Kind::Unit, name) => name.is_none_or(|name| name == "Experiment"),
        (Kind::Tuple(items), None) => items.is_empty(),
        _ => false,
    };
    let message = || format!("expected `Experiment(..)`, found {}", root.what());
    (!is_struct).then(|| {
        let mistake = Diagnostic::new(root.head(), message());
        mistake.help("an experiment is `Experiment(name: \"..\", ..)`; the command `new` writes one with every setting")
    })
}
