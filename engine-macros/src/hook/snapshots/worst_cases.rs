/// Keeps the worst cases.
#[derive(Debug)]
pub struct WorstCases {
    /// How many are kept.
    keep: usize,
    title: Option<String>,
    seen: Vec<f64>,
    scratch: Option<Tensor>,
}
#[allow(
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_code,
    unused_imports,
    unused_mut,
    unused_variables,
    clippy::diverging_sub_expression
)]
const _: () = {
    const SETTING_keep: bool = {
        let _ = <usize as ::engine::__private::ConfigValue>::copied;
        true
    };
    const SETTING_title: bool = {
        let _ = <Option<String> as ::engine::__private::ConfigValue>::copied;
        true
    };
    #[derive(
        ::engine::__private::serde::Serialize,
        ::engine::__private::serde::Deserialize
    )]
    #[serde(
        crate = "::engine::__private::serde",
        rename = "WorstCases",
        deny_unknown_fields
    )]
    pub struct WorstCasesConfig {
        #[serde(
            default = "WorstCasesConfig::__default_keep",
            deserialize_with = "WorstCasesConfig::__read_keep",
            serialize_with = "WorstCasesConfig::__write_keep"
        )]
        pub keep: ::engine::__private::Known<usize, SETTING_keep>,
        #[serde(
            default = "WorstCasesConfig::__default_title",
            deserialize_with = "WorstCasesConfig::__read_title",
            serialize_with = "WorstCasesConfig::__write_title"
        )]
        pub title: ::engine::__private::Known<Option<String>, SETTING_title>,
        #[serde(default, skip_serializing_if = "::core::option::Option::is_none")]
        pub level: ::core::option::Option<::engine::__private::Priority>,
    }
    #[automatically_derived]
    impl WorstCasesConfig {
        fn __default_keep() -> usize {
            8
        }
        fn __check_keep(
            value: &usize,
        ) -> ::core::result::Result<(), ::std::string::String> {
            ::engine::__private::check_range::<
                usize,
                _,
            >(value, "keep", 1..=100, "1..=100")
        }
        fn __read_keep<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<usize, __D::Error> {
            ::engine::__private::read_checked(deserializer, Self::__check_keep)
        }
        fn __write_keep<__S: ::engine::__private::serde::Serializer>(
            value: &usize,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                usize,
                SETTING_keep,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
        fn __default_title() -> Option<String> {
            <Option<String> as ::engine::__private::HasDefault>::own_default()
        }
        fn __read_title<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<Option<String>, __D::Error> {
            <::engine::__private::Known<
                Option<String>,
                SETTING_title,
            > as ::engine::__private::ConfigValue>::read(deserializer)
        }
        fn __write_title<__S: ::engine::__private::serde::Serializer>(
            value: &Option<String>,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                Option<String>,
                SETTING_title,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
    }
    #[automatically_derived]
    impl WorstCasesConfig {
        pub fn new() -> Self {
            Self {
                keep: Self::__default_keep(),
                title: Self::__default_title(),
                level: ::core::default::Default::default(),
            }
        }
    }
    const _: () = {
        let _ = WorstCasesConfig::new;
    };
    #[automatically_derived]
    impl ::core::default::Default for WorstCasesConfig {
        fn default() -> Self {
            Self::new()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Keyed for WorstCasesConfig {
        const KEYS: &'static [&'static str] = &["keep", "title", "level"];
    }
    #[automatically_derived]
    impl ::core::clone::Clone for WorstCasesConfig {
        fn clone(&self) -> Self {
            Self {
                keep: <::engine::__private::Known<
                    usize,
                    SETTING_keep,
                > as ::engine::__private::ConfigValue>::copied(&self.keep),
                title: <::engine::__private::Known<
                    Option<String>,
                    SETTING_title,
                > as ::engine::__private::ConfigValue>::copied(&self.title),
                level: ::core::clone::Clone::clone(&self.level),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for WorstCasesConfig {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let mut shown = f.debug_struct("WorstCases");
            shown
                .field(
                    "keep",
                    <::engine::__private::Known<
                        usize,
                        SETTING_keep,
                    > as ::engine::__private::ConfigValue>::shown(&self.keep),
                );
            shown
                .field(
                    "title",
                    <::engine::__private::Known<
                        Option<String>,
                        SETTING_title,
                    > as ::engine::__private::ConfigValue>::shown(&self.title),
                );
            shown.field("level", &self.level);
            shown.finish()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Configured for WorstCases {
        type Settings = WorstCasesConfig;
    }
    ::engine::__private::inventory::submit! {
        ::engine::__private::Component { kind : "hook", name : "WorstCases", docs :
        "Keeps the worst cases.", fields : & [::engine::__private::FieldInfo { name :
        "keep", shape : || ::engine::__private::registry::Shape::of_reading(& | probe |
        WorstCasesConfig::__read_keep(probe).map(::core::mem::drop)), default :
        ::core::option::Option::Some(|| ::engine::__private::registry::node_of:: < usize
        > (& WorstCasesConfig::__default_keep(), WorstCasesConfig::__write_keep)), demand
        : ::core::option::Option::Some("1..=100"), example :
        ::core::option::Option::None, docs : "How many are kept.", },
        ::engine::__private::FieldInfo { name : "title", shape : ||
        ::engine::__private::registry::Shape::of_reading(& | probe |
        WorstCasesConfig::__read_title(probe).map(::core::mem::drop)), default :
        ::core::option::Option::Some(|| ::engine::__private::registry::node_of:: < Option
        < String > > (& WorstCasesConfig::__default_title(),
        WorstCasesConfig::__write_title)), demand : ::core::option::Option::None, example
        : ::core::option::Option::None, docs : "", },
        ::engine::__private::registry::level_info(||
        ::engine::__private::registry::to_node(& ::engine::__private::Priority::LOW))],
        origin : ::core::concat!(::core::file!(), ":", ::core::line!()), }
    }
    const SAVED_seen: bool = {
        let _ = <Vec<f64> as ::engine::__private::Saved>::save;
        true
    };
    #[automatically_derived]
    impl ::engine::__private::State for WorstCases {
        fn save_state(&self) -> ::engine::__private::StateMap {
            let mut map = ::engine::__private::StateMap::new();
            ::engine::__private::save_field::<
                ::engine::__private::Known<Vec<f64>, SAVED_seen>,
            >(&mut map, "seen", &self.seen);
            map
        }
        fn load_state(
            &mut self,
            mut state: ::engine::__private::StateMap,
        ) -> ::core::result::Result<(), ::engine::__private::StateError> {
            ::engine::__private::load_field::<
                ::engine::__private::Known<Vec<f64>, SAVED_seen>,
            >(&mut state, "seen", &mut self.seen)?;
            ::core::result::Result::Ok(())
        }
    }
    #[automatically_derived]
    impl ::engine::__private::PhasesOwner for WorstCases {}
    #[automatically_derived]
    impl ::engine::__private::Hook for WorstCases {
        const NAME: &'static str = "WorstCases";
        const PRIORITY: ::engine::__private::Priority = ::engine::__private::Priority::LOW;
        type Config = WorstCasesConfig;
        #[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression)]
        fn build(config: &WorstCasesConfig) -> Self {
            Self {
                keep: <::engine::__private::Known<
                    usize,
                    SETTING_keep,
                > as ::engine::__private::ConfigValue>::copied(&config.keep),
                title: <::engine::__private::Known<
                    Option<String>,
                    SETTING_title,
                > as ::engine::__private::ConfigValue>::copied(&config.title),
                seen: <::engine::__private::Known<
                    Vec<f64>,
                    SAVED_seen,
                > as ::engine::__private::Fresh>::fresh(),
                scratch: <Option<Tensor> as ::engine::__private::Fresh>::fresh(),
            }
        }
    }
    const _: () = {
        if let ::core::option::Option::Some(text) = ::engine::__private::phase_outside!(
            WorstCases, "WorstCases", .or_all(), BeforeRun before_run,
            AfterLoadCheckpoint after_load_checkpoint, BeforeTrain before_train,
            BeforeTrainEpoch before_train_epoch, BeforeTrainIter before_train_iter,
            BeforeTrainBatch before_train_batch, AfterForward after_forward,
            AfterBackward after_backward, AfterTrainBatch after_train_batch,
            BeforeOptimizerStep before_optimizer_step, AfterOptimizerStep
            after_optimizer_step, AfterTrainIter after_train_iter, AfterTrainEpoch
            after_train_epoch, BeforeVal before_val, BeforeValEpoch before_val_epoch,
            BeforeValIter before_val_iter, AfterValIter after_val_iter, AfterValEpoch
            after_val_epoch, AfterVal after_val, BeforeSaveCheckpoint
            before_save_checkpoint, AfterSaveCheckpoint after_save_checkpoint, AfterTrain
            after_train, BeforeTest before_test, BeforeTestEpoch before_test_epoch,
            BeforeTestIter before_test_iter, AfterTestIter after_test_iter,
            AfterTestEpoch after_test_epoch, AfterTest after_test, BeforePredict
            before_predict, BeforePredictIter before_predict_iter, AfterPredictIter
            after_predict_iter, AfterPredict after_predict, OnException on_exception,
            AfterRun after_run,
        ) {
            ::core::panic!("{}", text)
        }
    };
    use ::engine::__private::typetag;
    #[typetag::serde(name = "WorstCases")]
    impl ::engine::__private::HookConfig for WorstCasesConfig {
        fn build_any(&self) -> ::std::boxed::Box<dyn ::engine::__private::AnyHook> {
            ::engine::__private::build_any::<WorstCases>(self)
        }
        fn level(&self) -> ::core::option::Option<::engine::__private::Priority> {
            self.level
        }
    }
};
