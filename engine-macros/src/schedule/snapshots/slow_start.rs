/// Half of it every ten counts.
#[cfg(feature = "slow")]
pub fn slow_start(position: WindowPosition) -> f64 {
    0.5f64.powf((position.at / 10) as f64)
}
#[cfg(feature = "slow")]
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
    const __SCHEDULE_FITS: bool = {
        let _ = <WindowPosition as ::some::engine::__private::PositionArgument>::FITS;
        let _ = <f64 as ::some::engine::__private::FactorResult>::FITS;
        true
    };
    const __SCHEDULE: fn(
        ::some::engine::__private::Known<
            ::some::engine::__private::WindowPosition,
            __SCHEDULE_FITS,
        >,
    ) -> ::some::engine::__private::Known<f64, __SCHEDULE_FITS> = slow_start;
    ::some::engine::__private::windowed! {
        #[doc = r" Half of it every ten counts."]
        #[::some::engine::__private::component(schedule, name = "SlowStart", crate =
        ::some::engine)] pub struct SlowStart {}
    }
    #[automatically_derived]
    impl ::some::engine::__private::Schedule for SlowStart {
        fn window(&self) -> ::some::engine::__private::Window<'_> {
            self.fields_window()
        }
        fn factor(&self, position: ::some::engine::__private::WindowPosition) -> f64 {
            __SCHEDULE(position)
        }
        fn check(
            &self,
        ) -> ::core::result::Result<(), ::some::engine::__private::OptimError> {
            ::core::result::Result::Ok(())
        }
    }
};
