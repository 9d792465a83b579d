//! How an experiment file finds a component among those of its kind: an entry of the registry, and for most kinds the impl of
//! a trait that typetag knows.
//!
//! Both need the type without parameters. So the attribute writes them for a plain type, and `engine::register!` for each
//! type that the program makes of a generic one.

use crate::krate::Krate;
use crate::params::Owner;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// What `list` and `new` tell of a component.
pub(crate) struct Entry<'a> {
    /// The word of its kind: `hook`.
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) docs: &'a str,
    /// Those of its fields.
    pub(crate) infos: TokenStream,
}

impl Entry<'_> {
    /// The entry in the registry, and what a program does that no constant could: for a generic type, what
    /// `engine::register!` makes an entry of.
    pub(crate) fn expand(
        &self,
        krate: &Krate,
        owner: &Owner,
        conditions: &TokenStream,
        check: TokenStream,
    ) -> TokenStream {
        let private = krate.private();
        let Entry { kind, name, docs, infos } = self;
        if owner.params.is_empty() {
            return submit(&private, kind, &quote!(#name), &quote!(#docs), infos);
        }
        let declared = owner.params.declared();
        quote! {
            #[automatically_derived]
            impl #declared #private::Generic for #owner #conditions {
                const KIND: &'static str = #kind;
                const DOCS: &'static str = #docs;
                const FIELDS: &'static [#private::FieldInfo] = #infos;
                const CHECKED: () = #check;
            }
        }
    }
}

/// The entry in the registry.
pub(crate) fn submit(
    private: &TokenStream,
    kind: &str,
    name: &TokenStream,
    docs: &TokenStream,
    fields: &TokenStream,
) -> TokenStream {
    quote! {
        #private::inventory::submit! {
            #private::Component {
                kind: #kind,
                name: #name,
                docs: #docs,
                fields: #fields,
                origin: ::core::concat!(::core::file!(), ":", ::core::line!()),
            }
        }
    }
}

/// The impl by which a file chooses, of the settings of `owner`; `None`: no file chooses among components of this kind. The
/// expansion puts it into a block of its own.
pub(crate) fn by_file(
    private: &TokenStream,
    kind: &str,
    name: &str,
    owner: &impl ToTokens,
    settings: &impl ToTokens,
) -> Option<TokenStream> {
    let (of, methods) = match kind {
        "hook" => (
            quote!(HookConfig),
            quote! {
                fn build_any(&self) -> ::std::boxed::Box<dyn #private::AnyHook> {
                    #private::build_any::<#owner>(self)
                }
                fn level(&self) -> ::core::option::Option<#private::Priority> {
                    self.level
                }
            },
        ),
        "metric" => (
            quote!(MetricConfig),
            quote! {
                fn build_metric(&self) -> ::std::boxed::Box<dyn #private::Metric> {
                    #private::build_metric::<#owner>(self)
                }
            },
        ),
        "sink" => (
            quote!(SinkConfig),
            quote! {
                fn build_sink(&self) -> ::std::boxed::Box<dyn #private::Sink> {
                    #private::build_sink::<#owner>(self)
                }
                fn required(&self) -> bool {
                    self.required
                }
            },
        ),
        "model" => (
            quote!(ModelConfig),
            quote! {
                fn build_model(
                    &self,
                    vs: &#private::tch::nn::Path<'_>,
                ) -> #private::Result<::std::boxed::Box<dyn #private::Net>> {
                    #private::build_model(vs, self)
                }
                fn clone_model(&self) -> ::std::boxed::Box<dyn #private::ModelConfig> {
                    ::std::boxed::Box::new(::core::clone::Clone::clone(self))
                }
            },
        ),
        "sampler" => (
            quote!(SamplerConfig),
            quote! {
                fn clone_sampler(&self) -> ::std::boxed::Box<dyn #private::SamplerConfig> {
                    ::std::boxed::Box::new(::core::clone::Clone::clone(self))
                }
            },
        ),
        "optimizer" => (quote!(OptimizerConfig), TokenStream::new()),
        "schedule" => (quote!(ScheduleConfig), TokenStream::new()),
        "loop" => (quote!(LoopConfig), TokenStream::new()),
        "step" => (quote!(StepConfig), TokenStream::new()),
        _ => return None,
    };
    Some(quote! {
        // the attribute of `typetag` names its crate by this word
        use #private::typetag;
        #[typetag::serde(name = #name)]
        impl #private::#of for #settings {
            #methods
        }
    })
}
