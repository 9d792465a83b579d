#[automatically_derived]
impl ::some::engine::__private::Batch for Scenes {
    fn visit<'__a>(
        &'__a mut self,
        each: &mut ::some::engine::__private::EachPart<'_, '__a>,
    ) -> ::some::engine::__private::Result<()> {
        <Tensor as ::some::engine::__private::Batch>::visit(&mut self.images, each)?;
        <Vec<Tensor> as ::some::engine::__private::Batch>::visit(&mut self.boxes, each)?;
        <Tensor as ::some::engine::__private::SharedField>::visit(
            &mut self.anchors,
            each,
        )?;
        <PathBuf as ::some::engine::__private::WholeField>::visit(
            &mut self.folder,
            each,
        )?;
        <Vec<
            usize,
        > as ::some::engine::__private::StatedWeight>::visit(&mut self.objects, each)?;
        ::core::result::Result::Ok(())
    }
    fn shallow_clone(&self) -> Self {
        Self {
            images: <Tensor as ::some::engine::__private::Batch>::shallow_clone(
                &self.images,
            ),
            boxes: <Vec<
                Tensor,
            > as ::some::engine::__private::Batch>::shallow_clone(&self.boxes),
            anchors: <Tensor as ::some::engine::__private::SharedField>::shallow_clone(
                &self.anchors,
            ),
            folder: <PathBuf as ::some::engine::__private::WholeField>::shallow_clone(
                &self.folder,
            ),
            objects: <Vec<
                usize,
            > as ::some::engine::__private::StatedWeight>::shallow_clone(&self.objects),
        }
    }
    fn size(&self) -> usize {
        <Tensor as ::some::engine::__private::Batch>::size(&self.images)
    }
    const STATES_WEIGHT: bool = true;
    fn stated_weight(&self) -> ::core::option::Option<f64> {
        ::core::option::Option::Some(
            <Vec<
                usize,
            > as ::some::engine::__private::StatedWeight>::stated(&self.objects),
        )
    }
}
