pub struct Digits {
    net: Cnn,
    opt: Box<dyn Optimizer>,
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
    use ::engine::__private::NoPhases as _;
    #[allow(non_upper_case_globals)]
    const CHECKED_net: bool = {
        let _ = <Cnn as ::engine::__private::Model>::build;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_net;
    #[automatically_derived]
    impl ::engine::__private::ModelPart for Field_net {
        type Field = <::engine::__private::Verified<
            Cnn,
            CHECKED_net,
        > as ::engine::__private::VerifiedType>::Type;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_net {
        type Kind = ::engine::__private::ModelOf<Self>;
        const NAME: &'static str = "net";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_opt: bool = {
        let _ = <Box<dyn Optimizer> as ::engine::__private::OptimizerField>::from_config;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_opt;
    #[automatically_derived]
    impl ::engine::__private::OptimizerPart for Field_opt {
        type Field = <::engine::__private::Verified<
            Box<dyn Optimizer>,
            CHECKED_opt,
        > as ::engine::__private::VerifiedType>::Type;
        const MODELS: &'static [&'static str] = &["net"];
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_opt {
        type Kind = ::engine::__private::OptimizerOf<Self>;
        const NAME: &'static str = "opt";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_schedule: bool = {
        let _ = <Schedules as ::engine::__private::SchedulesField>::from_schedules;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_schedule;
    #[automatically_derived]
    impl ::engine::__private::SchedulesPart for Field_schedule {
        type Field = <::engine::__private::Verified<
            Schedules,
            CHECKED_schedule,
        > as ::engine::__private::VerifiedType>::Type;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_schedule {
        type Kind = ::engine::__private::SchedulesOf<Self>;
        const NAME: &'static str = "schedule";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_train: bool = {
        let _ = <Loader<DigitsSet> as ::engine::__private::LoaderField>::source;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_train;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_train {
        type Field = <::engine::__private::Verified<
            Loader<DigitsSet>,
            CHECKED_train,
        > as ::engine::__private::VerifiedType>::Type;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Train;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_train {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "train";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_val: bool = {
        let _ = <Loader<DigitsSet> as ::engine::__private::LoaderField>::source;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_val;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_val {
        type Field = <::engine::__private::Verified<
            Loader<DigitsSet>,
            CHECKED_val,
        > as ::engine::__private::VerifiedType>::Type;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Val;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_val {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "val";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_prompts: bool = {
        let _ = <Loader<Images> as ::engine::__private::LoaderField>::source;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_prompts;
    #[automatically_derived]
    impl ::engine::__private::LoaderPart for Field_prompts {
        type Field = <::engine::__private::Verified<
            Loader<Images>,
            CHECKED_prompts,
        > as ::engine::__private::VerifiedType>::Type;
        const ROLE: ::engine::__private::Role = ::engine::__private::Role::Predict;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_prompts {
        type Kind = ::engine::__private::LoaderOf<Self>;
        const NAME: &'static str = "prompts";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_accuracy: bool = {
        let _ = <Accuracy as ::engine::__private::MetricField>::from_config;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_accuracy;
    #[automatically_derived]
    impl ::engine::__private::MetricPart for Field_accuracy {
        type Field = <::engine::__private::Verified<
            Accuracy,
            CHECKED_accuracy,
        > as ::engine::__private::VerifiedType>::Type;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_accuracy {
        type Kind = ::engine::__private::MetricOf<Self>;
        const NAME: &'static str = "accuracy";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_ema: bool = {
        let _ = <Ema as ::engine::__private::HookField>::from_hook;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_ema;
    #[automatically_derived]
    impl ::engine::__private::HookPart for Field_ema {
        type Field = <::engine::__private::Verified<
            Ema,
            CHECKED_ema,
        > as ::engine::__private::VerifiedType>::Type;
    }
    #[automatically_derived]
    impl ::engine::__private::Part for Field_ema {
        type Kind = ::engine::__private::HookOf<Self>;
        const NAME: &'static str = "ema";
        const DOCS: &'static str = "";
    }
    #[allow(non_upper_case_globals)]
    const CHECKED_smoothing: bool = {
        let _ = <f64 as ::engine::__private::ConfigValue>::copied;
        true
    };
    #[allow(non_camel_case_types)]
    struct Field_smoothing;
    #[automatically_derived]
    impl ::engine::__private::ConfigPart for Field_smoothing {
        type Field = <::engine::__private::Verified<
            f64,
            CHECKED_smoothing,
        > as ::engine::__private::VerifiedType>::Type;
        const DEMAND: ::core::option::Option<&'static str> = ::core::option::Option::Some(
            "0.0..1.0",
        );
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
    const HAS_PASSES: bool = {
        #[allow(unused_imports)]
        use ::engine::__private::NoSteps as _;
        ::engine::__private::StepsOf::<Digits>::HAS_PASSES
    };
    const HAS_STEPS: bool = {
        let _ = <Digits as ::engine::__private::TrainStep<HAS_PASSES>>::train_step;
        true
    };
    #[allow(non_upper_case_globals)]
    const FITS_train: bool = {
        let _ = <<<Field_train as ::engine::__private::LoaderPart>::Field as ::engine::__private::LoaderField>::Batch as ::engine::__private::SameBatch<
            <<::engine::__private::Verified<
                Digits,
                HAS_STEPS,
            > as ::engine::__private::VerifiedType>::Type as ::engine::__private::TrainStep<
                HAS_PASSES,
            >>::Batch,
        >>::SAME;
        HAS_STEPS
    };
    #[automatically_derived]
    impl ::engine::__private::Batches for Digits {
        type Batch = <<::engine::__private::Verified<
            Digits,
            FITS_train,
        > as ::engine::__private::VerifiedType>::Type as ::engine::__private::TrainStep<
            HAS_PASSES,
        >>::Batch;
    }
    #[allow(non_upper_case_globals)]
    const FITS_val: bool = {
        let _ = <Digits as ::engine::__private::ValStep<
            <<Field_val as ::engine::__private::LoaderPart>::Field as ::engine::__private::LoaderField>::Batch,
        >>::val_step;
        true
    };
    const HAS_PREDICT_STEP: bool = {
        let _ = <Digits as ::engine::__private::PredictStep>::predict_step;
        true
    };
    #[allow(non_upper_case_globals)]
    const FITS_prompts: bool = {
        let _ = <<<Field_prompts as ::engine::__private::LoaderPart>::Field as ::engine::__private::LoaderField>::Batch as ::engine::__private::SameBatch<
            <<::engine::__private::Verified<
                Digits,
                HAS_PREDICT_STEP,
            > as ::engine::__private::VerifiedType>::Type as ::engine::__private::PredictStep>::Prompt,
        >>::SAME;
        HAS_PREDICT_STEP
    };
    pub struct Sections {
        net: ::engine::__private::FieldSettings<Field_net>,
        opt: ::engine::__private::FieldSettings<Field_opt>,
        schedule: ::engine::__private::FieldSettings<Field_schedule>,
        train: ::engine::__private::FieldSettings<Field_train>,
        val: ::engine::__private::FieldSettings<Field_val>,
        prompts: ::engine::__private::FieldSettings<Field_prompts>,
        accuracy: ::engine::__private::FieldSettings<Field_accuracy>,
        ema: ::engine::__private::FieldSettings<Field_ema>,
        smoothing: ::engine::__private::FieldSettings<Field_smoothing>,
    }
    #[automatically_derived]
    #[allow(unused_variables, unreachable_code, clippy::diverging_sub_expression)]
    impl ::engine::__private::Fields for Digits {
        const NAME: &'static str = "Digits";
        const MODELS: &'static [(&'static str, &'static str)] = &[("net", "weights")];
        type Sections = Sections;
        type Bundle = ();
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
            ::engine::__private::write_part(&sections.net, writer);
            ::engine::__private::write_part(&sections.opt, writer);
            ::engine::__private::write_part(&sections.schedule, writer);
            ::engine::__private::write_part(&sections.train, writer);
            ::engine::__private::write_part(&sections.val, writer);
            ::engine::__private::write_part(&sections.prompts, writer);
            ::engine::__private::write_part(&sections.accuracy, writer);
            ::engine::__private::write_part(&sections.ema, writer);
            ::engine::__private::write_part(&sections.smoothing, writer);
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
                net: ::core::convert::identity(of_net),
                opt: ::core::convert::identity(of_opt),
                schedule: ::core::convert::identity(of_schedule),
                train: ::core::convert::identity(of_train),
                val: ::core::convert::identity(of_val),
                prompts: ::core::convert::identity(of_prompts),
                accuracy: ::core::convert::identity(of_accuracy),
                ema: ::core::convert::identity(of_ema),
                smoothing: ::core::convert::identity(of_smoothing),
                seen: <<::engine::__private::Verified<
                    u64,
                    SAVED_seen,
                > as ::engine::__private::VerifiedType>::Type as ::engine::__private::Fresh>::fresh(),
                scratch: <Option<Tensor> as ::engine::__private::Fresh>::fresh(),
            })
        }
    }
    #[automatically_derived]
    #[allow(unused_variables, unreachable_code)]
    impl ::engine::__private::Trainer for Digits {
        const CLOCK: ::engine::__private::Clock = ::engine::__private::Clock::Epoch;
        const PASSES: &'static [::engine::__private::PassInfo] = <<::engine::__private::Verified<
            Digits,
            FITS_train,
        > as ::engine::__private::VerifiedType>::Type as ::engine::__private::TrainStep<
            HAS_PASSES,
        >>::PASSES;
        fn loaders(role: ::engine::__private::Role) -> &'static [&'static str] {
            match role {
                ::engine::__private::Role::Train => &["train"],
                ::engine::__private::Role::Val => &["val"],
                ::engine::__private::Role::Test => &[],
                ::engine::__private::Role::Predict => &["prompts"],
            }
        }
        fn train_loader(
            &mut self,
            index: usize,
        ) -> ::core::option::Option<&mut dyn ::engine::__private::Source> {
            match index {
                0usize => {
                    ::core::option::Option::Some(
                        ::engine::__private::source::<Field_train>(&mut self.train),
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        fn next_train_batch(
            &mut self,
        ) -> ::engine::__private::Result<::core::option::Option<Self::Batch>> {
            ::engine::__private::next_batch::<Field_train>(&mut self.train)
        }
        fn evaluated<
            V: ::engine::__private::VisitLoader<Self, ::engine::__private::Output>,
        >(
            role: ::engine::__private::Role,
            index: usize,
            visitor: V,
        ) -> ::core::option::Option<V::Value> {
            match (role, index) {
                (::engine::__private::Role::Val, 0usize) => {
                    ::core::option::Option::Some(visitor.visit(Field_val))
                }
                _ => ::core::option::Option::None,
            }
        }
        fn predicted<
            V: ::engine::__private::VisitLoader<Self, ::engine::__private::Prediction>,
        >(visitor: V) -> ::core::option::Option<V::Value> {
            ::core::option::Option::Some(visitor.visit(Field_prompts))
        }
        fn train_step(
            &mut self,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Output> {
            <<::engine::__private::Verified<
                Digits,
                FITS_train,
            > as ::engine::__private::VerifiedType>::Type as ::engine::__private::TrainStep<
                HAS_PASSES,
            >>::train_step(self, batch, cx)
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
            let _ = (&self.opt, &self.schedule);
            each("trainer", self)
        }
    }
    #[automatically_derived]
    impl ::engine::__private::FedStep<Digits> for Field_val {
        type Batch = <<Field_val as ::engine::__private::LoaderPart>::Field as ::engine::__private::LoaderField>::Batch;
        type Answer = ::engine::__private::Output;
        fn loader<'t>(
            &self,
            trainer: &'t mut Digits,
        ) -> &'t mut dyn ::engine::__private::BatchSource<Self::Batch> {
            ::engine::__private::batches::<Field_val>(&mut trainer.val)
        }
        fn step(
            &self,
            trainer: &mut Digits,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Output> {
            <<::engine::__private::Verified<
                Digits,
                FITS_val,
            > as ::engine::__private::VerifiedType>::Type as ::engine::__private::ValStep<
                Self::Batch,
            >>::val_step(trainer, batch, cx)
        }
    }
    #[automatically_derived]
    impl ::engine::__private::FedStep<Digits> for Field_prompts {
        type Batch = <<Field_prompts as ::engine::__private::LoaderPart>::Field as ::engine::__private::LoaderField>::Batch;
        type Answer = ::engine::__private::Prediction;
        fn loader<'t>(
            &self,
            trainer: &'t mut Digits,
        ) -> &'t mut dyn ::engine::__private::BatchSource<Self::Batch> {
            ::engine::__private::batches::<Field_prompts>(&mut trainer.prompts)
        }
        fn step(
            &self,
            trainer: &mut Digits,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Prediction> {
            <<::engine::__private::Verified<
                Digits,
                FITS_prompts,
            > as ::engine::__private::VerifiedType>::Type as ::engine::__private::PredictStep>::predict_step(
                trainer,
                batch,
                cx,
            )
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Slots for Digits {
        const SLOTS: &'static [::engine::__private::SlotInfo] = &[
            ::engine::__private::slot_of::<Field_ema>("ema"),
            ::engine::__private::SlotInfo {
                name: "Digits",
                priority: ::engine::__private::Priority::HIGH,
                phases: <::engine::__private::PhasesOf<Digits>>::PHASES,
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
                1usize => <::engine::__private::PhasesOf<Digits>>::call(self, phase, cx),
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
    #[allow(non_upper_case_globals)]
    const SAVED_seen: bool = {
        let _ = <u64 as ::engine::__private::Saved>::save;
        true
    };
    #[automatically_derived]
    impl ::engine::__private::State for Digits {
        fn save_state(&self) -> ::engine::__private::StateMap {
            #[allow(unused_mut)]
            let mut map = ::engine::__private::StateMap::new();
            map.0
                .insert(
                    ::core::convert::From::from("seen"),
                    <<::engine::__private::Verified<
                        u64,
                        SAVED_seen,
                    > as ::engine::__private::VerifiedType>::Type as ::engine::__private::Saved>::save(
                        &self.seen,
                    ),
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
                    <<::engine::__private::Verified<
                        u64,
                        SAVED_seen,
                    > as ::engine::__private::VerifiedType>::Type as ::engine::__private::Saved>::restore,
                )?;
            }
            ::core::result::Result::Ok(())
        }
    }
    #[automatically_derived]
    impl ::engine::__private::HasOptimizers for Digits {
        const OPTIMIZERS: &'static [&'static str] = &["opt"];
    }
    const _: () = {
        let passes = <<::engine::__private::Verified<
            Digits,
            FITS_train,
        > as ::engine::__private::VerifiedType>::Type as ::engine::__private::TrainStep<
            HAS_PASSES,
        >>::PASSES;
        if !::engine::__private::is_stepped(
            "opt",
            passes,
            <Digits as ::engine::__private::HasOptimizers>::OPTIMIZERS,
        ) {
            ::core::panic!(
                "optimizer `opt` is in no pass, so it would never step; name it in one: `#[pass(opt)]`"
            )
        }
    };
    #[automatically_derived]
    impl ::engine::__private::PhasesOwner for Digits {}
    const _: () = {
        if let ::core::option::Option::Some(text) = ::engine::__private::phase_outside!(
            Digits, BeforeRun before_run AfterLoadCheckpoint after_load_checkpoint
            BeforeTrain before_train BeforeTrainEpoch before_train_epoch BeforeTrainIter
            before_train_iter BeforeTrainBatch before_train_batch AfterForward
            after_forward AfterBackward after_backward AfterTrainBatch after_train_batch
            BeforeOptimizerStep before_optimizer_step AfterOptimizerStep
            after_optimizer_step AfterTrainIter after_train_iter AfterTrainEpoch
            after_train_epoch BeforeVal before_val BeforeValEpoch before_val_epoch
            BeforeValIter before_val_iter AfterValIter after_val_iter AfterValEpoch
            after_val_epoch AfterVal after_val BeforeSaveCheckpoint
            before_save_checkpoint AfterSaveCheckpoint after_save_checkpoint AfterTrain
            after_train BeforeTest before_test BeforeTestEpoch before_test_epoch
            BeforeTestIter before_test_iter AfterTestIter after_test_iter AfterTestEpoch
            after_test_epoch AfterTest after_test BeforePredict before_predict
            BeforePredictIter before_predict_iter AfterPredictIter after_predict_iter
            AfterPredict after_predict OnException on_exception AfterRun after_run
        ) {
            ::core::panic!("{}", text)
        }
    };
};
