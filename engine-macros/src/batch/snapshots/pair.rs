#[automatically_derived]
impl<A: Batch, B> ::engine::__private::Batch for Pair<A, B>
where
    B: Batch,
{
    fn visit<'__a>(
        &'__a mut self,
        each: &mut ::engine::__private::EachPart<'_, '__a>,
    ) -> ::engine::__private::Result<()> {
        <i64 as ::engine::__private::WholeField>::visit(&mut self.0, each)?;
        <A as ::engine::__private::Batch>::visit(&mut self.1, each)?;
        <B as ::engine::__private::Batch>::visit(&mut self.2, each)?;
        ::core::result::Result::Ok(())
    }
    fn shallow_clone(&self) -> Self {
        Self {
            0: <i64 as ::engine::__private::WholeField>::shallow_clone(&self.0),
            1: <A as ::engine::__private::Batch>::shallow_clone(&self.1),
            2: <B as ::engine::__private::Batch>::shallow_clone(&self.2),
        }
    }
    fn size(&self) -> usize {
        <B as ::engine::__private::Batch>::size(&self.2)
    }
    const STATES_WEIGHT: bool = true;
    fn stated_weight(&self) -> ::core::option::Option<f64> {
        let stated: fn(&Self) -> f64 = Self::tokens;
        ::core::option::Option::Some(stated(self))
    }
}
