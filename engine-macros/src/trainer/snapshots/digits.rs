pub struct Digits {
    net: Cnn,
    #[allow(dead_code)]
    opt: Box<dyn Optimizer>,
    #[allow(dead_code)]
    schedule: Schedules,
    train: Loader<DigitsSet>,
    val: Loader<DigitsSet>,
    prompts: Loader<Images>,
    accuracy: Accuracy,
    ema: Ema,
    smoothing: f64,
    seen: u64,
    scratch: Option<Tensor>,
}
const _: () = {
    #[allow(unused_imports)]
    use ::engine::__private::{NoPhases as _, Unloaded as _};
    #[allow(non_camel_case_types)]
    pub struct Field_net;
    #[automatically_derived]
    impl ::engine::__private::ModelPart for Field_net {
        type Field = Cnn;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_net {
        type Kind = ::engine::__private::ModelOf<Self>;
        const NAME: &'static str = "net";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_opt;
    #[automatically_derived]
    impl ::engine::__private::OptimizerPart for Field_opt {
        type Field = Box<dyn Optimizer>;
        const MODELS: &'static [&'static str] = &["net"];
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_opt {
        type Kind = ::engine::__private::OptimizerOf<Self>;
        const NAME: &'static str = "opt";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_schedule;
    #[automatically_derived]
    impl ::engine::__private::SchedulesPart for Field_schedule {
        type Field = Schedules;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_schedule {
        type Kind = ::engine::__private::SchedulesOf<Self>;
        const NAME: &'static str = "schedule";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_train;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_train {
        type Field = Loader<DigitsSet>;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Train;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_train {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "train";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_val;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_val {
        type Field = Loader<DigitsSet>;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Val;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_val {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "val";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_prompts;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_prompts {
        type Field = Loader<Images>;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Predict;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_prompts {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "prompts";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_accuracy;
    #[automatically_derived]
    impl ::engine::__private::MetricPart for Field_accuracy {
        type Field = Accuracy;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_accuracy {
        type Kind = ::engine::__private::MetricOf<Self>;
        const NAME: &'static str = "accuracy";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_ema;
    #[automatically_derived]
    impl ::engine::__private::HookPart for Field_ema {
        type Field = Ema;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_ema {
        type Kind = ::engine::__private::HookOf<Self>;
        const NAME: &'static str = "ema";
        const DOCS: &'static str = "";
    }
    #[allow(non_camel_case_types)]
    pub struct Field_smoothing;
    #[automatically_derived]
    impl ::engine::__private::ConfigPart for Field_smoothing {
        type Field = f64;
        fn default() -> ::core::option::Option<f64> {
            fn __default_smoothing() -> f64 {
                0.1
            }
            ::core::option::Option::Some(__default_smoothing())
        }
        fn check(value: &f64) -> ::core::result::Result<(), ::std::string::String> {
            fn __check_smoothing(
                value: &f64,
            ) -> ::core::result::Result<(), ::std::string::String> {
                ::engine::__private::check_range::<
                    f64,
                    _,
                >(value, "smoothing", 0.0..1.0, "0.0..1.0")
            }
            __check_smoothing(value)
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_smoothing {
        type Kind = ::engine::__private::ConfigOf<Self>;
        const NAME: &'static str = "smoothing";
        const DOCS: &'static str = "";
    }
    pub struct Sections {
        net: ::engine::__private::Section<Field_net>,
        opt: ::engine::__private::Section<Field_opt>,
        schedule: ::engine::__private::Section<Field_schedule>,
        train: ::engine::__private::Section<Field_train>,
        val: ::engine::__private::Section<Field_val>,
        prompts: ::engine::__private::Section<Field_prompts>,
        accuracy: ::engine::__private::Section<Field_accuracy>,
        ema: ::engine::__private::Section<Field_ema>,
        smoothing: ::engine::__private::Section<Field_smoothing>,
    }
    #[automatically_derived]
    #[allow(unused_variables, unreachable_code, clippy::diverging_sub_expression)]
    impl ::engine::__private::Fields for Digits {
        const NAME: &'static str = "Digits";
        type Sections = Sections;
        fn read(
            reader: &mut ::engine::__private::Reader<'_>,
        ) -> ::core::option::Option<Sections> {
            let of_net = ::engine::__private::read_part::<Field_net>(reader, "model");
            let of_opt = ::engine::__private::read_part::<
                Field_opt,
            >(reader, "optimizer");
            let of_schedule = ::engine::__private::read_part::<
                Field_schedule,
            >(reader, "schedule");
            let of_train = ::engine::__private::read_part::<
                Field_train,
            >(reader, "loaders.train");
            let of_val = ::engine::__private::read_part::<
                Field_val,
            >(reader, "loaders.val");
            let of_prompts = ::engine::__private::read_part::<
                Field_prompts,
            >(reader, "loaders.prompts");
            let of_accuracy = ::engine::__private::read_part::<
                Field_accuracy,
            >(reader, "");
            let of_ema = ::engine::__private::read_part::<
                Field_ema,
            >(reader, "hooks.ema");
            let of_smoothing = ::engine::__private::read_part::<
                Field_smoothing,
            >(reader, "trainer.smoothing");
            ::core::option::Option::Some(Sections {
                net: of_net?,
                opt: of_opt?,
                schedule: of_schedule?,
                train: of_train?,
                val: of_val?,
                prompts: of_prompts?,
                accuracy: of_accuracy?,
                ema: of_ema?,
                smoothing: of_smoothing?,
            })
        }
        fn write(sections: &Sections, writer: &mut ::engine::__private::Writer) {
            ::engine::__private::write_part(&sections.net, writer, "model");
            ::engine::__private::write_part(&sections.opt, writer, "optimizer");
            ::engine::__private::write_part(&sections.schedule, writer, "schedule");
            ::engine::__private::write_part(&sections.train, writer, "loaders.train");
            ::engine::__private::write_part(&sections.val, writer, "loaders.val");
            ::engine::__private::write_part(
                &sections.prompts,
                writer,
                "loaders.prompts",
            );
            ::engine::__private::write_part(&sections.accuracy, writer, "");
            ::engine::__private::write_part(&sections.ema, writer, "hooks.ema");
            ::engine::__private::write_part(
                &sections.smoothing,
                writer,
                "trainer.smoothing",
            );
        }
        fn build(
            sections: Sections,
            builder: &mut ::engine::__private::Builder<'_>,
        ) -> ::engine::__private::Result<Self> {
            let of_net = ::engine::__private::build_part(sections.net, builder)?;
            let of_opt = ::engine::__private::build_part(sections.opt, builder)?;
            let of_schedule = ::engine::__private::build_part(
                sections.schedule,
                builder,
            )?;
            let of_train = ::engine::__private::build_part(sections.train, builder)?;
            let of_val = ::engine::__private::build_part(sections.val, builder)?;
            let of_prompts = ::engine::__private::build_part(sections.prompts, builder)?;
            let of_accuracy = ::engine::__private::build_part(
                sections.accuracy,
                builder,
            )?;
            let of_ema = ::engine::__private::build_part(sections.ema, builder)?;
            let of_smoothing = ::engine::__private::build_part(
                sections.smoothing,
                builder,
            )?;
            ::core::result::Result::Ok(Self {
                net: of_net,
                opt: of_opt,
                schedule: of_schedule,
                train: of_train,
                val: of_val,
                prompts: of_prompts,
                accuracy: of_accuracy,
                ema: of_ema,
                smoothing: of_smoothing,
                seen: <u64 as ::engine::__private::Fresh>::fresh(),
                scratch: <Option<Tensor> as ::engine::__private::Fresh>::fresh(),
            })
        }
    }
    #[automatically_derived]
    #[allow(unused_variables, unreachable_code)]
    impl ::engine::__private::Trainer for Digits {
        const CLOCK: ::engine::__private::Clock = ::engine::__private::Clock::Epoch;
        fn loaders(role: ::engine::__private::Role) -> &'static [&'static str] {
            match role {
                ::engine::__private::Role::Train => &["train"],
                ::engine::__private::Role::Val => &["val"],
                ::engine::__private::Role::Test => &[],
                ::engine::__private::Role::Predict => &["prompts"],
            }
        }
        fn train_loader(&mut self) -> &mut dyn ::engine::__private::Feed<Self> {
            ::engine::__private::SourceOf::<_, Self>::new(&mut self.train).source()
        }
        fn eval_loader(
            &mut self,
            role: ::engine::__private::Role,
            index: usize,
        ) -> ::core::option::Option<&mut dyn ::engine::__private::Feed<Self>> {
            match (role, index) {
                (::engine::__private::Role::Val, 0usize) => {
                    ::core::option::Option::Some(
                        ::engine::__private::SourceOf::<_, Self>::new(&mut self.val)
                            .source(),
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        fn val_step(
            &mut self,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Output> {
            <Self as ::engine::__private::ValStep>::val_step(self, batch, cx)
        }
        fn predict_start(&mut self) -> ::engine::__private::Result<u64> {
            ::engine::__private::start_prompts::<Field_prompts>(&mut self.prompts)
        }
        fn predict_next(
            &mut self,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<
            ::core::option::Option<::engine::__private::Prediction>,
        > {
            ::engine::__private::predict_next::<
                Self,
            >(
                self,
                |trainer| {
                    ::engine::__private::PromptsOf::<_, Self>::new(&mut trainer.prompts)
                        .source()
                },
                cx,
            )
        }
        fn metrics(
            &mut self,
            each: &mut ::engine::__private::EachMetric<'_>,
        ) -> ::engine::__private::Result<()> {
            ::engine::__private::visit_metric::<
                Field_accuracy,
            >(&mut self.accuracy, each)?;
            ::core::result::Result::Ok(())
        }
        fn states(
            &mut self,
            each: &mut ::engine::__private::EachState<'_>,
        ) -> ::engine::__private::Result<()> {
            ::engine::__private::visit_hook_state::<
                Field_ema,
            >(&mut self.ema, "hooks.ema", each)?;
            ::engine::__private::visit_metric_state::<
                Field_accuracy,
            >(&mut self.accuracy, "metrics.accuracy", each)?;
            each("trainer", self)
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Slots for Digits {
        const SLOTS: &'static [::engine::__private::SlotInfo] = &[
            ::engine::__private::slot_of::<Field_ema>("ema"),
            ::engine::__private::SlotInfo {
                name: "Digits",
                priority: ::engine::__private::Priority::HIGH,
                phases: <Digits>::__ENGINE_PHASES,
            },
        ];
        #[inline(always)]
        fn call(
            &mut self,
            slot: usize,
            phase: ::engine::__private::Phase,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<()> {
            match slot {
                0usize => {
                    ::engine::__private::call_field::<
                        Field_ema,
                    >(&mut self.ema, phase, cx)
                }
                1usize => self.__engine_call(phase, cx),
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
    #[automatically_derived]
    impl ::engine::__private::State for Digits {
        fn save_state(&self) -> ::engine::__private::StateMap {
            #[allow(unused_mut)]
            let mut map = ::engine::__private::StateMap::new();
            map.0
                .insert(
                    ::core::convert::From::from("seen"),
                    <u64 as ::engine::__private::Saved>::save(&self.seen),
                );
            map
        }
        #[allow(unused_mut, unused_variables)]
        fn load_state(
            &mut self,
            mut state: ::engine::__private::StateMap,
        ) -> ::core::result::Result<(), ::engine::__private::StateError> {
            {
                self.seen = ::engine::__private::take_field(
                    &mut state,
                    "seen",
                    <u64 as ::engine::__private::Saved>::restore,
                )?;
            }
            ::core::result::Result::Ok(())
        }
    }
};
