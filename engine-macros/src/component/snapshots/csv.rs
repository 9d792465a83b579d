/// Numbers in a file.
pub struct Csv {
    /// How many digits each has.
    digits: usize,
    position: u64,
    out: Option<std::fs::File>,
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
    const SETTING_digits: bool = {
        let _ = <usize as ::engine::__private::ConfigValue>::copied;
        true
    };
    #[derive(
        ::engine::__private::serde::Serialize,
        ::engine::__private::serde::Deserialize
    )]
    #[serde(crate = "::engine::__private::serde", rename = "Csv", deny_unknown_fields)]
    pub struct CsvConfig {
        #[serde(
            default = "CsvConfig::__default_digits",
            deserialize_with = "CsvConfig::__read_digits",
            serialize_with = "CsvConfig::__write_digits"
        )]
        pub digits: ::engine::__private::Known<usize, SETTING_digits>,
        #[serde(default)]
        pub required: bool,
    }
    #[automatically_derived]
    impl CsvConfig {
        fn __default_digits() -> usize {
            6
        }
        fn __check_digits(
            value: &usize,
        ) -> ::core::result::Result<(), ::std::string::String> {
            ::engine::__private::check_range::<
                usize,
                _,
            >(value, "digits", 1..=17, "1..=17")
        }
        fn __read_digits<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<usize, __D::Error> {
            ::engine::__private::read_checked(deserializer, Self::__check_digits)
        }
        fn __write_digits<__S: ::engine::__private::serde::Serializer>(
            value: &usize,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                usize,
                SETTING_digits,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
    }
    #[automatically_derived]
    impl CsvConfig {
        pub fn new() -> Self {
            Self {
                digits: Self::__default_digits(),
                required: ::core::default::Default::default(),
            }
        }
    }
    const _: () = {
        let _ = CsvConfig::new;
    };
    #[automatically_derived]
    impl ::core::default::Default for CsvConfig {
        fn default() -> Self {
            Self::new()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Keyed for CsvConfig {
        const KEYS: &'static [&'static str] = &["digits", "required"];
    }
    #[automatically_derived]
    impl ::core::clone::Clone for CsvConfig {
        fn clone(&self) -> Self {
            Self {
                digits: <::engine::__private::Known<
                    usize,
                    SETTING_digits,
                > as ::engine::__private::ConfigValue>::copied(&self.digits),
                required: ::core::clone::Clone::clone(&self.required),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CsvConfig {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let mut shown = f.debug_struct("Csv");
            shown
                .field(
                    "digits",
                    <::engine::__private::Known<
                        usize,
                        SETTING_digits,
                    > as ::engine::__private::ConfigValue>::shown(&self.digits),
                );
            shown.field("required", &self.required);
            shown.finish()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Configured for Csv {
        type Settings = CsvConfig;
    }
    ::engine::__private::inventory::submit! {
        ::engine::__private::Component { kind : "sink", name : "Csv", docs :
        "Numbers in a file.", fields : & [::engine::__private::FieldInfo { name :
        "digits", shape : || ::engine::__private::registry::Shape::of_reading(& | probe |
        CsvConfig::__read_digits(probe).map(::core::mem::drop)), default :
        ::core::option::Option::Some(|| ::engine::__private::registry::node_of:: < usize
        > (& CsvConfig::__default_digits(), CsvConfig::__write_digits)), demand :
        ::core::option::Option::Some("1..=17"), example : ::core::option::Option::None,
        docs : "How many digits each has.", }, ::engine::__private::registry::REQUIRED],
        origin : ::core::concat!(::core::file!(), ":", ::core::line!()), }
    }
    const SAVED_position: bool = {
        let _ = <u64 as ::engine::__private::Saved>::save;
        true
    };
    #[automatically_derived]
    impl ::engine::__private::State for Csv {
        fn save_state(&self) -> ::engine::__private::StateMap {
            let mut map = ::engine::__private::StateMap::new();
            ::engine::__private::save_field::<
                ::engine::__private::Known<u64, SAVED_position>,
            >(&mut map, "position", &self.position);
            map
        }
        fn load_state(
            &mut self,
            mut state: ::engine::__private::StateMap,
        ) -> ::core::result::Result<(), ::engine::__private::StateError> {
            ::engine::__private::load_field::<
                ::engine::__private::Known<u64, SAVED_position>,
            >(&mut state, "position", &mut self.position)?;
            ::core::result::Result::Ok(())
        }
    }
    #[automatically_derived]
    impl ::engine::__private::SinkComponent for Csv {
        const NAME: &'static str = "Csv";
        type Config = CsvConfig;
        #[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression)]
        fn build(config: &CsvConfig) -> Self {
            Self {
                digits: <::engine::__private::Known<
                    usize,
                    SETTING_digits,
                > as ::engine::__private::ConfigValue>::copied(&config.digits),
                position: <::engine::__private::Known<
                    u64,
                    SAVED_position,
                > as ::engine::__private::Fresh>::fresh(),
                out: <Option<std::fs::File> as ::engine::__private::Fresh>::fresh(),
            }
        }
    }
    use ::engine::__private::typetag;
    #[typetag::serde(name = "Csv")]
    impl ::engine::__private::SinkConfig for CsvConfig {
        fn build_sink(&self) -> ::std::boxed::Box<dyn ::engine::__private::Sink> {
            ::engine::__private::build_sink::<Csv>(self)
        }
        fn required(&self) -> bool {
            self.required
        }
    }
};
