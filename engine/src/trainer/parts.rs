//! The fields of a trainer as its expansion names them: one marker type for each, and one list of them.
//!
//! The expansion says once, in a constant, which trait the type of a field has to have. Everything else goes through
//! [`Verified`] and the marker, so that a type that does not serve is one error and stands at the field. What is done
//! with the fields is here, and knows neither their types nor the trainer.

use crate::base::{Result, State};
use crate::data::Source;
use crate::metric::Metric;
use crate::trainer::{Builder, Reader, Writer};
use std::any::Any;
use std::marker::PhantomData;

/// A field that the experiment knows.
pub trait Part: Sized + 'static {
    /// The trainer.
    type Owner;
    /// The field's type.
    type Field: 'static;
    /// How fields of its role are read, printed, built and reached.
    type Kind: PartKind<Self>;
    /// Its name, and what its author says of it.
    const INFO: PartInfo;
    /// The keys of its settings, where they are known when the program is compiled.
    const KEYS: Option<&'static [&'static str]>;
    /// Those of the dataset of a loader, likewise.
    const DATASET_KEYS: Option<&'static [&'static str]>;
}

/// The marker of a field, and the constant that asks whether the field's type can do what its role wants. Of a generic
/// trainer, whose parameters no constant can have, what the marker tells: the brackets are the parameters and the conditions.
#[doc(hidden)]
#[macro_export]
macro_rules! __part {
    (
        $marker:ident of $owner:ident: $field:ty, $checked:ident = $asked:expr;
        $kind:ident $told:tt $(reached by $reached:ident)?
    ) => {
        const $checked: bool = { let _ = $asked; true };
        struct $marker;
        $crate::__private::part! {
            [] [] $marker: $crate::__private::Known<$field, $checked>, of $owner; $kind $told
        }
        $($crate::__private::part! { [] [] [$marker] [$owner] reached by $reached })?
    };
    (
        [$($parameters:tt)*] [$($conditions:tt)*] $marker:ty: $field:ty, of $owner:ty;
        $kind:ident($name:literal, $path:literal, $docs:literal $(, $models:expr)?)
    ) => {
        impl $($parameters)* $crate::__private::Part for $marker $($conditions)* {
            type Owner = $owner;
            type Field = $field;
            type Kind = $crate::__private::$kind;
            const INFO: $crate::__private::PartInfo =
                $crate::__private::PartInfo::new($name, $path, $docs)$(.updating($models))?;
            const KEYS: ::core::option::Option<&'static [&'static str]> = {
                use $crate::__private::NoKeys as _;
                $crate::__private::KeysOf::<
                    <$crate::__private::$kind as $crate::__private::PartKind<$marker>>::Config,
                >::KEYS
            };
            const DATASET_KEYS: ::core::option::Option<&'static [&'static str]> = {
                use $crate::__private::NoKeys as _;
                $crate::__private::KeysOf::<
                    <$crate::__private::$kind as $crate::__private::PartKind<$marker>>::Config,
                >::OF_DATASET
            };
        }
    };
    (
        [$($parameters:tt)*] [$($conditions:tt)*] [$($marker:tt)*] [$($owner:tt)*] reached by $reached:ident
    ) => {
        impl $($parameters)* $crate::__private::Reached for $($marker)* $($conditions)* {
            fn of(owner: &mut $($owner)*) -> &mut Self::Field {
                &mut owner.$reached
            }
        }
    };
}

/// A field that the engine reaches in the trainer.
pub trait Reached: Part {
    /// The field.
    fn of(owner: &mut Self::Owner) -> &mut Self::Field;
}

/// What is known of a field before there is one.
#[derive(Clone, Copy, Debug)]
pub struct PartInfo {
    /// Its name.
    pub name: &'static str,
    /// Where its settings are in the experiment, and its state in checkpoints: `loaders.train`.
    pub path: &'static str,
    /// What its author says of it.
    pub docs: &'static str,
    /// Of an optimizer: the models that it updates.
    pub models: &'static [&'static str],
}

impl PartInfo {
    /// A field without more to say.
    pub const fn new(name: &'static str, path: &'static str, docs: &'static str) -> Self {
        PartInfo { name, path, docs, models: &[] }
    }

    /// An optimizer of these models.
    #[must_use]
    pub const fn updating(self, models: &'static [&'static str]) -> Self {
        PartInfo { models, ..self }
    }
}

/// What a role does with a field.
pub trait PartKind<P: Part> {
    /// Fields are built in the order of their ranks.
    const RANK: u8;
    /// The settings.
    type Config: 'static;
    /// Reads the settings; mistakes are in the reader.
    fn read(reader: &mut Reader<'_>) -> Option<Self::Config>;
    /// Prints the settings, defaults included.
    fn write(config: &Self::Config, writer: &mut Writer);
    /// Builds the field.
    ///
    /// # Errors
    /// What the field finds wrong with its settings.
    fn build(config: Self::Config, builder: &mut Builder<'_>) -> Result<P::Field>;
    /// What the loops reach of the field.
    fn live(owner: &mut P::Owner) -> Live<'_> {
        let _ = owner;
        Live::Nothing
    }
}

/// What the loops reach of a field, whatever its type is.
pub enum Live<'a> {
    /// It is none of the others.
    Nothing,
    /// A loader, when the experiment has it.
    Loader(Option<&'a mut dyn Source>),
    /// A metric.
    Metric(&'a mut dyn Metric),
    /// A hook, when it is there.
    Hook(Option<&'a mut dyn State>),
}

/// A field of the trainer `T`, whatever its type is.
pub struct PartOf<T> {
    /// What concerns no trainer of it.
    pub(crate) part: AnyPart,
    /// Reaches it.
    pub(super) live: for<'a> fn(&'a mut T) -> Live<'a>,
}

/// A field of any trainer.
#[derive(Clone, Copy)]
pub(crate) struct AnyPart {
    pub(super) info: PartInfo,
    /// [`Part::KEYS`].
    pub(super) keys: Option<&'static [&'static str]>,
    /// [`Part::DATASET_KEYS`].
    pub(super) dataset_keys: Option<&'static [&'static str]>,
    rank: u8,
    read: fn(&mut Reader<'_>) -> Option<Box<dyn Settings>>,
}

impl<T> PartOf<T> {
    /// The field of a marker.
    pub const fn new<P: Part<Owner = T>>() -> Self {
        PartOf {
            part: AnyPart {
                info: P::INFO,
                keys: P::KEYS,
                dataset_keys: P::DATASET_KEYS,
                rank: <P::Kind as PartKind<P>>::RANK,
                read: read::<P>,
            },
            live: P::Kind::live,
        }
    }
}

/// Settings that become a field.
///
/// Behind a trait object, so that nothing about it depends on what the field's type can do: what is wrong with the
/// field is then said once, and not again for whatever holds the settings.
trait Settings {
    fn write(&self, writer: &mut Writer);
    fn build(self: Box<Self>, builder: &mut Builder<'_>) -> Result<Box<dyn Any>>;
}

struct SettingsOf<P: Part>(<P::Kind as PartKind<P>>::Config);

impl<P: Part> Settings for SettingsOf<P> {
    fn write(&self, writer: &mut Writer) {
        P::Kind::write(&self.0, writer);
    }
    fn build(self: Box<Self>, builder: &mut Builder<'_>) -> Result<Box<dyn Any>> {
        Ok(Box::new(P::Kind::build(self.0, builder)?))
    }
}

fn read<P: Part>(reader: &mut Reader<'_>) -> Option<Box<dyn Settings>> {
    Some(Box::new(SettingsOf::<P>(P::Kind::read(reader)?)))
}

/// The settings of all fields of a trainer, in field order.
pub struct FieldSettings(Vec<(AnyPart, Box<dyn Settings>)>);

impl FieldSettings {
    /// Reads the settings of every field. Mistakes are in the reader; `None` when there are any.
    pub(crate) fn read(parts: &mut dyn Iterator<Item = AnyPart>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = |part: AnyPart| {
            reader.about(part.info.docs);
            Some((part, (part.read)(reader)?))
        };
        // all are read before the first is missed, so that all mistakes are found
        let read: Vec<Option<_>> = parts.map(read).collect();
        read.into_iter().collect::<Option<_>>().map(FieldSettings)
    }

    /// Prints the settings of every field, defaults included.
    pub(crate) fn write(&self, writer: &mut Writer) {
        self.0.iter().for_each(|(_, settings)| settings.write(writer));
    }

    /// Builds the fields: models, optimizers, schedules, loaders, metrics, hooks, in this order.
    ///
    /// # Errors
    /// What a field finds wrong with its settings.
    pub(crate) fn build(mut self, builder: &mut Builder<'_>) -> Result<Built> {
        self.0.sort_by_key(|(part, _)| part.rank);
        let build = |(part, settings): (AnyPart, Box<dyn Settings>)| Ok((part.info.name, settings.build(builder)?));
        self.0.into_iter().map(build).collect::<Result<_>>().map(Built)
    }
}

/// The fields of a trainer that is being put together.
pub struct Built(Vec<(&'static str, Box<dyn Any>)>);

impl Built {
    /// The field of a marker, once.
    ///
    /// # Panics
    /// When the trainer does not list the field, or it is taken twice; expansions do neither.
    #[expect(clippy::expect_used, reason = "the expansion lists the field that it takes")]
    pub fn take<P: Part>(&mut self) -> P::Field {
        let place = self.0.iter().position(|(name, _)| *name == P::INFO.name);
        let field = place.and_then(|place| self.0.swap_remove(place).1.downcast().ok());
        *field.expect("each field is built, and taken once")
    }
}

/// A type, and a constant that has a value only when the type can do what it has to do.
///
/// When it can't, the one error stands in the constant. The compiler then takes [`VerifiedType::Type`] for a type that it has
/// complained of already, and everything that is made of it passes in silence.
pub struct Verified<T, const OK: bool>(PhantomData<T>);

/// The type of a `Verified`, which the constant vouches for.
pub type Known<T, const OK: bool> = <Verified<T, OK> as VerifiedType>::Type;

/// Gives a [`Verified`] type back.
pub trait VerifiedType {
    /// The type.
    type Type;
}

impl<T, const OK: bool> VerifiedType for Verified<T, OK> {
    type Type = T;
}
