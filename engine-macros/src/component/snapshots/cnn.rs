#[derive(::engine::__private::serde::Serialize)]
#[derive(::engine::__private::serde::Deserialize)]
/// A small network.
#[derive(PartialEq, Clone)]
#[serde(crate = "::engine::__private::serde")]
#[serde(rename = "Cnn")]
#[serde(deny_unknown_fields)]
pub struct CnnConfig {
    /// Channels of the first layer.
    #[serde(
        default = "CnnConfig::__default_width",
        deserialize_with = "CnnConfig::__read_width",
        serialize_with = "CnnConfig::__write_width"
    )]
    pub width: i64,
    #[serde(
        deserialize_with = "CnnConfig::__read_classes",
        serialize_with = "CnnConfig::__write_classes"
    )]
    pub classes: i64,
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
    const SETTING_width: bool = {
        let _ = <i64 as ::engine::__private::ConfigValue>::copied;
        true
    };
    const SETTING_classes: bool = {
        let _ = <i64 as ::engine::__private::ConfigValue>::copied;
        true
    };
    #[automatically_derived]
    impl CnnConfig {
        fn __default_width() -> i64 {
            32
        }
        fn __check_width(
            value: &i64,
        ) -> ::core::result::Result<(), ::std::string::String> {
            ::engine::__private::check_range::<
                i64,
                _,
            >(value, "width", 1..=1024, "1..=1024")
        }
        fn __read_width<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<i64, __D::Error> {
            ::engine::__private::read_checked(deserializer, Self::__check_width)
        }
        fn __write_width<__S: ::engine::__private::serde::Serializer>(
            value: &i64,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                i64,
                SETTING_width,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
        fn __read_classes<'de, __D: ::engine::__private::serde::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::core::result::Result<i64, __D::Error> {
            <::engine::__private::Known<
                i64,
                SETTING_classes,
            > as ::engine::__private::ConfigValue>::read(deserializer)
        }
        fn __write_classes<__S: ::engine::__private::serde::Serializer>(
            value: &i64,
            serializer: __S,
        ) -> ::core::result::Result<__S::Ok, __S::Error> {
            <::engine::__private::Known<
                i64,
                SETTING_classes,
            > as ::engine::__private::ConfigValue>::write(value, serializer)
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for CnnConfig {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let mut shown = f.debug_struct("Cnn");
            shown
                .field(
                    "width",
                    <::engine::__private::Known<
                        i64,
                        SETTING_width,
                    > as ::engine::__private::ConfigValue>::shown(&self.width),
                );
            shown
                .field(
                    "classes",
                    <::engine::__private::Known<
                        i64,
                        SETTING_classes,
                    > as ::engine::__private::ConfigValue>::shown(&self.classes),
                );
            shown.finish()
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Keyed for CnnConfig {
        const KEYS: &'static [&'static str] = &["width", "classes"];
    }
    ::engine::__private::inventory::submit! {
        ::engine::__private::Component { kind : "model", name : "Cnn", docs :
        "A small network.", fields : & [::engine::__private::FieldInfo { name : "width",
        shape : || ::engine::__private::registry::Shape::of_reading(& | probe |
        CnnConfig::__read_width(probe).map(::core::mem::drop)), default :
        ::core::option::Option::Some(|| ::engine::__private::registry::node_of:: < i64 >
        (& CnnConfig::__default_width(), CnnConfig::__write_width)), demand :
        ::core::option::Option::Some("1..=1024"), example : ::core::option::Option::None,
        docs : "Channels of the first layer.", }, ::engine::__private::FieldInfo { name :
        "classes", shape : || ::engine::__private::registry::Shape::of_reading(& | probe
        | CnnConfig::__read_classes(probe).map(::core::mem::drop)), default :
        ::core::option::Option::None, demand : ::core::option::Option::None, example :
        ::core::option::Option::None, docs : "", },], origin :
        ::core::concat!(::core::file!(), ":", ::core::line!()), }
    }
    #[automatically_derived]
    impl ::engine::__private::NetPart for CnnConfig {
        type Model = Cnn;
    }
    use ::engine::__private::typetag;
    #[typetag::serde(name = "Cnn")]
    impl ::engine::__private::ModelConfig for CnnConfig {
        fn build_model(
            &self,
            vs: &::engine::__private::tch::nn::Path<'_>,
        ) -> ::engine::__private::Result<
            ::std::boxed::Box<dyn ::engine::__private::Net>,
        > {
            ::engine::__private::build_model(vs, self)
        }
        fn clone_model(
            &self,
        ) -> ::std::boxed::Box<dyn ::engine::__private::ModelConfig> {
            ::std::boxed::Box::new(::core::clone::Clone::clone(self))
        }
    }
};
