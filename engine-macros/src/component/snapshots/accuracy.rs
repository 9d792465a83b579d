#[derive(Debug)]
pub struct Accuracy {
    top_k: usize,
    right: u64,
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
    const SETTING_top_k: bool = {
        let _ = <usize as ::engine::__private::ConfigValue>::copied;
        true
    };
    #[derive(
        ::engine::__private::serde::Serialize,
        ::engine::__private::serde::Deserialize
    )]
    #[serde(
        crate = "::engine::__private::serde",
        rename = "Accuracy",
        deny_unknown_fields
    )]
    pub struct AccuracyConfig {
        #[serde(
            default = "AccuracyConfig::__default_top_k",
            deserialize_with = "AccuracyConfig::__read_top_k",
            serialize_with = "AccuracyConfig::__write_top_k"
        )]
        pub top_k: ::engine::__private::Known<usize, SETTING_top_k>,
    }
    #[automatically_derived]
    impl AccuracyConfig {
        fn __default_top_k() -> usize {
            1
        }
        fn __check_top_k(
            value: &usize,
        ) -> ::core::result::Result<(), ::std::string::String> {
            ::engine::__private::check_range::<usize, _>(value, "top_k", 1.., "1..")
        }
        fn __read_top_k<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<usize, __D::Error> {
            ::engine::__private::read_checked(deserializer, Self::__check_top_k)
        }
        fn __write_top_k<__S: ::engine::__private::serde::Serializer>(
            value: &usize,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                usize,
                SETTING_top_k,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
    }
    #[automatically_derived]
    impl AccuracyConfig {
        pub fn new() -> Self {
            Self {
                top_k: Self::__default_top_k(),
            }
        }
    }
    const _: () = {
        let _ = AccuracyConfig::new;
    };
    #[automatically_derived]
    impl ::core::default::Default for AccuracyConfig {
        fn default() -> Self {
            Self::new()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Keyed for AccuracyConfig {
        const KEYS: &'static [&'static str] = &["top_k"];
    }
    #[automatically_derived]
    impl ::core::clone::Clone for AccuracyConfig {
        fn clone(&self) -> Self {
            Self {
                top_k: <::engine::__private::Known<
                    usize,
                    SETTING_top_k,
                > as ::engine::__private::ConfigValue>::copied(&self.top_k),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for AccuracyConfig {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let mut shown = f.debug_struct("Accuracy");
            shown
                .field(
                    "top_k",
                    <::engine::__private::Known<
                        usize,
                        SETTING_top_k,
                    > as ::engine::__private::ConfigValue>::shown(&self.top_k),
                );
            shown.finish()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Configured for Accuracy {
        type Settings = AccuracyConfig;
    }
    ::engine::__private::inventory::submit! {
        ::engine::__private::Component { kind : "metric", name : "Accuracy", docs : "",
        fields : & [::engine::__private::FieldInfo { name : "top_k", shape : ||
        ::engine::__private::registry::Shape::of_reading(& | probe |
        AccuracyConfig::__read_top_k(probe).map(::core::mem::drop)), default :
        ::core::option::Option::Some(|| ::engine::__private::registry::node_of:: < usize
        > (& AccuracyConfig::__default_top_k(), AccuracyConfig::__write_top_k)), demand :
        ::core::option::Option::Some("1.."), example : ::core::option::Option::None, docs
        : "", },], origin : ::core::concat!(::core::file!(), ":", ::core::line!()), }
    }
    const SAVED_right: bool = {
        let _ = <u64 as ::engine::__private::Saved>::save;
        true
    };
    #[automatically_derived]
    impl ::engine::__private::State for Accuracy {
        fn save_state(&self) -> ::engine::__private::StateMap {
            let mut map = ::engine::__private::StateMap::new();
            ::engine::__private::save_field::<
                ::engine::__private::Known<u64, SAVED_right>,
            >(&mut map, "right", &self.right);
            map
        }
        fn load_state(
            &mut self,
            mut state: ::engine::__private::StateMap,
        ) -> ::core::result::Result<(), ::engine::__private::StateError> {
            ::engine::__private::load_field::<
                ::engine::__private::Known<u64, SAVED_right>,
            >(&mut state, "right", &mut self.right)?;
            ::core::result::Result::Ok(())
        }
    }
    #[automatically_derived]
    impl ::engine::__private::MetricComponent for Accuracy {
        const NAME: &'static str = "Accuracy";
        type Config = AccuracyConfig;
        #[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression)]
        fn build(config: &AccuracyConfig) -> Self {
            Self {
                top_k: <::engine::__private::Known<
                    usize,
                    SETTING_top_k,
                > as ::engine::__private::ConfigValue>::copied(&config.top_k),
                right: <::engine::__private::Known<
                    u64,
                    SAVED_right,
                > as ::engine::__private::Fresh>::fresh(),
            }
        }
    }
    use ::engine::__private::typetag;
    #[typetag::serde(name = "Accuracy")]
    impl ::engine::__private::MetricConfig for AccuracyConfig {
        fn build_metric(&self) -> ::std::boxed::Box<dyn ::engine::__private::Metric> {
            ::engine::__private::build_metric::<Accuracy>(self)
        }
    }
};
