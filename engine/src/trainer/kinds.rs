//! What each role makes of a trainer's field: how it is read, printed, built and reached by the loops.

use crate::base::Result;
use crate::base::checked::{ConfigValue, Plain};
use crate::hook::{HookField, HookSetting};
use crate::model::Model;
use crate::optim::Schedules;
use crate::trainer::fields::{LoaderField, MetricField, OptimizerField, SchedulesField};
use crate::trainer::parts::{Live, Part, PartKind, Reached};
use crate::trainer::{Builder, Reader, Writer};

/// `#[model]`.
pub struct ModelKind;

impl<P: Part<Field: Model>> PartKind<P> for ModelKind {
    const RANK: u8 = 0;
    type Config = Plain<<P::Field as Model>::Config>;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        reader.model::<P::Field>(P::INFO.path).map(Plain)
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        writer.component(P::INFO.path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>) -> Result<P::Field> {
        builder.model(P::INFO.name, &config.0)
    }
}

/// `#[optimizer]`.
pub struct OptimizerKind;

impl<P: Part<Field: OptimizerField>> PartKind<P> for OptimizerKind {
    const RANK: u8 = 1;
    type Config = <P::Field as OptimizerField>::Config;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        reader.optimizer::<P::Field>(P::INFO.path)
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        writer.component(P::INFO.path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>) -> Result<P::Field> {
        builder.optimizer(P::INFO.name, P::INFO.path, P::INFO.models, config)
    }
}

/// `#[scheduler]`.
pub struct SchedulesKind;

impl<P: Part<Field: SchedulesField>> PartKind<P> for SchedulesKind {
    const RANK: u8 = 2;
    type Config = Schedules;
    fn read(reader: &mut Reader<'_>) -> Option<Schedules> {
        reader.schedules(P::INFO.path)
    }
    fn write(config: &Schedules, writer: &mut Writer) {
        writer.put(P::INFO.path, config);
    }
    fn build(config: Schedules, builder: &mut Builder<'_>) -> Result<P::Field> {
        Ok(builder.schedules(config))
    }
}

/// `#[loader(…)]`.
pub struct LoaderKind;

impl<P: Reached<Field: LoaderField>> PartKind<P> for LoaderKind {
    const RANK: u8 = 3;
    /// `None`: the experiment leaves it out.
    type Config = Option<<P::Field as LoaderField>::Config>;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        reader.loader::<P::Field>(P::INFO.path)
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        if let Some(config) = config {
            writer.loader::<P::Field>(P::INFO.path, config);
        }
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>) -> Result<P::Field> {
        builder.loader(P::INFO.name, config)
    }
    fn live(owner: &mut P::Owner) -> Live<'_> {
        Live::Loader(P::of(owner).source().map(|loader| loader as _))
    }
}

/// `#[metric]`.
pub struct MetricKind;

impl<P: Reached<Field: MetricField>> PartKind<P> for MetricKind {
    const RANK: u8 = 4;
    type Config = <P::Field as MetricField>::Config;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        reader.metric::<P::Field>(P::INFO.name)
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        writer.metric(<P::Field as MetricField>::NAME, config);
    }
    fn build(config: Self::Config, _: &mut Builder<'_>) -> Result<P::Field> {
        Ok(P::Field::from_config(&config))
    }
    fn live(owner: &mut P::Owner) -> Live<'_> {
        Live::Metric(P::of(owner).metric())
    }
}

/// `#[hook]`.
pub struct HookKind;

impl<P: Reached<Field: HookField>> PartKind<P> for HookKind {
    const RANK: u8 = 5;
    type Config = HookSetting<P::Field>;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        reader.hook::<P::Field>(P::INFO.path)
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        writer.hook::<P::Field>(P::INFO.path, config);
    }
    fn build(config: Self::Config, builder: &mut Builder<'_>) -> Result<P::Field> {
        builder.hook(P::INFO.name, config)
    }
    fn live(owner: &mut P::Owner) -> Live<'_> {
        Live::Hook(P::of(owner).hook_mut().map(|hook| hook as _))
    }
}

/// `#[config]` of the trainer itself.
pub struct ConfigKind;

/// What its author says of such a field.
pub trait OwnSetting: Part<Field: ConfigValue> {
    /// What is demanded of a value, as written in the source.
    const DEMAND: Option<&'static str> = None;
    /// The value when the file doesn't name it; `None`: it has to.
    fn own_default() -> Option<Self::Field> {
        None
    }
    /// What is wrong with a value.
    ///
    /// # Errors
    /// A text for the one who wrote the file.
    fn own_check(value: &Self::Field) -> Result<(), String> {
        let _ = value;
        Ok(())
    }
}

impl<P: OwnSetting> PartKind<P> for ConfigKind {
    const RANK: u8 = 6;
    type Config = Plain<P::Field>;
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config> {
        let check = |value: &Plain<P::Field>| P::own_check(&value.0);
        reader.demanded(P::DEMAND);
        // a path by default need not be there
        let bounded = P::DEMAND.is_some_and(|demand| demand != "exists");
        match P::own_default() {
            Some(value) if bounded && P::own_check(&value).is_err() => {
                let why = P::own_check(&value).err().unwrap_or_default();
                let text = format!("the default is one that no file could name: {why}; change it in the program");
                reader.error(P::INFO.path, text);
                None
            }
            Some(value) => reader.config(P::INFO.path, Some(&|| Plain(value.copied())), Some(&check)),
            None => reader.config(P::INFO.path, None, Some(&check)),
        }
    }
    fn write(config: &Self::Config, writer: &mut Writer) {
        writer.put(P::INFO.path, config);
    }
    fn build(config: Self::Config, _: &mut Builder<'_>) -> Result<P::Field> {
        Ok(config.0)
    }
}
