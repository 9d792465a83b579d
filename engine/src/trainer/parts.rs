//! The fields of a trainer as its expansion names them: one marker type for each.
//!
//! The expansion says once, in a constant, which trait the type of a field has to have. Everything else goes through
//! [`Verified`] and the marker, so that a type that does not serve is one error and stands at the field.

use crate::base::Result;
use crate::base::checked::{ConfigValue, Plain};
use crate::data::{BatchSource, Source};
use crate::hook::{EachState, HookField, HookPart, HookSetting};
use crate::loops::{EachMetric, Role};
use crate::model::Model;
use crate::optim::Schedules;
use crate::trainer::fields::{LoaderField, MetricField, OptimizerField, SchedulesField};
use crate::trainer::{Builder, Reader, Writer};
use std::marker::PhantomData;

/// A field that the experiment knows.
pub trait Part {
    /// How fields of its role are read, printed and built.
    type Kind: PartKind;
    /// The field's name.
    const NAME: &'static str;
    /// What its author says of it.
    const DOCS: &'static str;
}

/// What a role does with a field.
pub trait PartKind: 'static {
    /// The field's type.
    type Field;
    /// Its settings.
    type Config: 'static;
    /// Reads the settings; mistakes are in the reader.
    fn read(reader: &mut Reader<'_>, path: &'static str, name: &str) -> Option<Self::Config>;
    /// Prints the settings, defaults included.
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str);
    /// Builds the field.
    ///
    /// # Errors
    /// What the field finds wrong with its settings.
    fn build(config: Self::Config, builder: &mut Builder<'_>, at: FieldPath) -> Result<Self::Field>;
}

/// A field, and the path of its settings.
#[derive(Clone, Copy, Debug)]
pub struct FieldPath {
    /// Its name in the trainer.
    name: &'static str,
    /// The path of its settings in the experiment.
    path: &'static str,
}

/// The settings of one field, and where they are.
///
/// Behind a trait object, so that nothing about it depends on what the field's type can do: what is wrong with the
/// field is then said once, and not again for whatever holds the settings.
pub struct FieldSettings<P: Part> {
    settings: Box<dyn Settings<<P::Kind as PartKind>::Field>>,
    path: &'static str,
}

/// Settings that become a field.
trait Settings<F> {
    fn write(&self, writer: &mut Writer, path: &'static str);
    fn build(self: Box<Self>, builder: &mut Builder<'_>, at: FieldPath) -> Result<F>;
}

struct SettingsOf<K: PartKind>(K::Config);

impl<K: PartKind> Settings<K::Field> for SettingsOf<K> {
    fn write(&self, writer: &mut Writer, path: &'static str) {
        K::write(&self.0, writer, path);
    }
    fn build(self: Box<Self>, builder: &mut Builder<'_>, at: FieldPath) -> Result<K::Field> {
        K::build(self.0, builder, at)
    }
}

/// Reads the settings of a field.
pub fn read_part<P: Part>(reader: &mut Reader<'_>, path: &'static str) -> Option<FieldSettings<P>> {
    reader.about(P::DOCS);
    let config = P::Kind::read(reader, path, P::NAME)?;
    Some(FieldSettings { settings: Box::new(SettingsOf::<P::Kind>(config)), path })
}

/// Prints the settings of a field.
pub fn write_part<P: Part>(section: &FieldSettings<P>, writer: &mut Writer) {
    section.settings.write(writer, section.path);
}

/// Builds a field.
///
/// # Errors
/// What the field finds wrong with its settings.
pub fn build_part<P: Part>(
    section: FieldSettings<P>,
    builder: &mut Builder<'_>,
) -> Result<<P::Kind as PartKind>::Field> {
    section.settings.build(builder, FieldPath { name: P::NAME, path: section.path })
}

/// A `#[model]` field.
pub trait ModelPart: 'static {
    /// Its type.
    type Field: Model;
}

/// An `#[optimizer]` field.
pub trait OptimizerPart: 'static {
    /// Its type.
    type Field: OptimizerField;
    /// The model fields that it updates.
    const MODELS: &'static [&'static str];
}

/// The `#[scheduler]` field.
pub trait SchedulesPart: 'static {
    /// Its type.
    type Field: SchedulesField;
}

/// A `#[loader(…)]` field.
pub trait LoaderPart: 'static {
    /// Its type.
    type Field: LoaderField;
    /// What it is for.
    const ROLE: Role;
}

/// A `#[metric]` field.
pub trait MetricPart: 'static {
    /// Its type.
    type Field: MetricField;
}

/// A `#[config]` field of the trainer itself.
pub trait ConfigPart: 'static {
    /// Its type.
    type Field: ConfigValue + 'static;
    /// What is demanded of a value, as written in the source.
    const DEMAND: Option<&'static str> = None;
    /// The value when the file doesn't name it; `None`: it has to.
    fn default() -> Option<Self::Field> {
        None
    }
    /// What is wrong with a value.
    ///
    /// # Errors
    /// A text for the one who wrote the file.
    fn check(value: &Self::Field) -> Result<(), String> {
        let _ = value;
        Ok(())
    }
}

/// The kind of [`ModelPart`]s.
pub struct ModelOf<P>(PhantomData<P>);

impl<P: ModelPart> PartKind for ModelOf<P> {
    type Field = P::Field;
    type Config = Plain<<P::Field as Model>::Config>;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Self::Config> {
        reader.model::<P::Field>(path).map(Plain)
    }
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str) {
        writer.component(path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>, at: FieldPath) -> Result<P::Field> {
        builder.model(at.name, &config.0)
    }
}

/// The kind of [`OptimizerPart`]s.
pub struct OptimizerOf<P>(PhantomData<P>);

impl<P: OptimizerPart> PartKind for OptimizerOf<P> {
    type Field = P::Field;
    type Config = <P::Field as OptimizerField>::Config;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Self::Config> {
        reader.optimizer::<P::Field>(path)
    }
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str) {
        writer.component(path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>, at: FieldPath) -> Result<P::Field> {
        builder.optimizer(at.name, at.path, P::MODELS, config)
    }
}

/// The kind of [`SchedulesPart`]s.
pub struct SchedulesOf<P>(PhantomData<P>);

impl<P: SchedulesPart> PartKind for SchedulesOf<P> {
    type Field = P::Field;
    type Config = Schedules;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Schedules> {
        reader.schedules::<P::Field>(path)
    }
    fn write(config: &Schedules, writer: &mut Writer, path: &'static str) {
        writer.put(path, config);
    }
    fn build(config: Schedules, builder: &mut Builder<'_>, _: FieldPath) -> Result<P::Field> {
        Ok(builder.schedules(config))
    }
}

/// The kind of [`LoaderPart`]s.
pub struct LoaderOf<P>(PhantomData<P>);

impl<P: LoaderPart> PartKind for LoaderOf<P> {
    type Field = P::Field;
    type Config = <P::Field as LoaderField>::Config;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Self::Config> {
        reader.loader::<P::Field>(path)
    }
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str) {
        writer.loader::<P::Field>(path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>, at: FieldPath) -> Result<P::Field> {
        builder.loader(P::ROLE, at.name, config)
    }
}

/// The kind of [`MetricPart`]s.
pub struct MetricOf<P>(PhantomData<P>);

impl<P: MetricPart> PartKind for MetricOf<P> {
    type Field = P::Field;
    type Config = <P::Field as MetricField>::Config;
    fn read(reader: &mut Reader<'_>, _: &str, name: &str) -> Option<Self::Config> {
        reader.metric::<P::Field>(name)
    }
    fn write(config: &Self::Config, writer: &mut Writer, _: &str) {
        writer.metric(<P::Field as MetricField>::NAME, config);
    }
    fn build(config: Self::Config, _: &mut Builder<'_>, _: FieldPath) -> Result<P::Field> {
        Ok(P::Field::from_config(&config))
    }
}

/// The kind of [`HookPart`]s.
pub struct HookOf<P>(PhantomData<P>);

impl<P: HookPart> PartKind for HookOf<P> {
    type Field = P::Field;
    type Config = HookSetting<P::Field>;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Self::Config> {
        reader.hook::<P::Field>(path)
    }
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str) {
        writer.hook::<P::Field>(path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>, at: FieldPath) -> Result<P::Field> {
        builder.hook(at.name, config)
    }
}

/// The kind of [`ConfigPart`]s.
pub struct ConfigOf<P>(PhantomData<P>);

impl<P: ConfigPart> PartKind for ConfigOf<P> {
    type Field = P::Field;
    type Config = Plain<P::Field>;
    fn read(reader: &mut Reader<'_>, path: &'static str, _: &str) -> Option<Self::Config> {
        let check = |value: &Plain<P::Field>| P::check(&value.0);
        reader.demanded(P::DEMAND);
        // a path by default need not be there
        let bounded = P::DEMAND.is_some_and(|demand| demand != "exists");
        match P::default() {
            Some(value) if bounded && P::check(&value).is_err() => {
                let why = P::check(&value).err().unwrap_or_default();
                reader.error(
                    path,
                    format!("the default is one that no file could name: {why}; change it in the program"),
                );
                None
            }
            Some(value) => reader.config(path, Some(&|| Plain(value.copied())), Some(&check)),
            None => reader.config(path, None, Some(&check)),
        }
    }
    fn write(config: &Self::Config, writer: &mut Writer, path: &'static str) {
        writer.put(path, config);
    }
    fn build(config: Self::Config, _: &mut Builder<'_>, _: FieldPath) -> Result<P::Field> {
        Ok(config.0)
    }
}

/// A type, and a constant that has a value only when the type can do what it has to do.
///
/// When it can't, the one error stands in the constant. The compiler then takes [`VerifiedType::Type`] for a type that it has
/// complained of already, and everything that is made of it passes in silence.
pub struct Verified<T, const OK: bool>(PhantomData<T>);

/// Gives a [`Verified`] type back.
pub trait VerifiedType {
    /// The type.
    type Type;
}

impl<T, const OK: bool> VerifiedType for Verified<T, OK> {
    type Type = T;
}

/// A loader's field, whatever its batches are.
pub fn source<P: LoaderPart>(field: &mut P::Field) -> &mut dyn Source {
    field.source()
}

/// A loader's field, as the step that it feeds takes it.
pub fn batches<P: LoaderPart>(field: &mut P::Field) -> &mut dyn BatchSource<<P::Field as LoaderField>::Batch> {
    field.source()
}

/// The next batch of a loader's field.
///
/// # Errors
/// What went wrong with a sample.
pub fn next_batch<P: LoaderPart>(field: &mut P::Field) -> Result<Option<<P::Field as LoaderField>::Batch>> {
    field.source().next_batch()
}

/// Hands a metric's field to `each`.
///
/// # Errors
/// Those of `each`.
pub fn visit_metric<P: MetricPart + Part>(field: &mut P::Field, each: &mut EachMetric<'_>) -> Result<()> {
    each(P::NAME, field.metric())
}

/// Hands the state of a metric's field to `each`.
///
/// # Errors
/// Those of `each`.
pub fn visit_metric_state<P: MetricPart>(field: &mut P::Field, name: &str, each: &mut EachState<'_>) -> Result<()> {
    each(name, field.metric())
}

/// Hands the state of a hook's field to `each`, when the hook is there.
///
/// # Errors
/// Those of `each`.
pub fn visit_hook_state<P: HookPart>(field: &mut P::Field, name: &str, each: &mut EachState<'_>) -> Result<()> {
    match field.hook_mut() {
        Some(hook) => each(name, hook),
        None => Ok(()),
    }
}
