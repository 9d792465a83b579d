//! Several train loaders, and a val step for each type of batch.

use engine::prelude::*;

/// A model without weights.
#[derive(Debug)]
pub struct Cnn;

/// Its settings: none.
#[component]
pub struct JoinedConfig {}

impl Model for Cnn {
    type Config = JoinedConfig;
    fn build(_: &nn::Path<'_>, _: &JoinedConfig) -> Result<Self> {
        Ok(Cnn)
    }
}

/// The settings of both datasets: none.
#[component(dataset)]
pub struct JoinedDataConfig {}

/// Images with classes.
#[derive(Debug)]
pub struct Digits;

/// Images alone.
#[derive(Debug)]
pub struct Images;

impl Dataset for Digits {
    type Config = JoinedDataConfig;
    type Item = (Tensor, i64);
    fn open(_: &JoinedDataConfig) -> Result<Self> {
        Ok(Digits)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<(Tensor, i64)> {
        Ok((Tensor::new(), 0))
    }
}

impl Dataset for Images {
    type Config = JoinedDataConfig;
    type Item = Tensor;
    fn open(_: &JoinedDataConfig) -> Result<Self> {
        Ok(Images)
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, _: usize, _: &mut SampleRng) -> Result<Tensor> {
        Ok(Tensor::new())
    }
}

/// By epoch, with metrics.
#[trainer(by_epoch)]
pub struct Scenes {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[loader(train)]
    digits: Loader<Digits>,
    #[loader(val)]
    val_digits: Loader<Digits>,
    #[loader(train)]
    images: Loader<Images>,
    #[loader(train)]
    more: Loader<Digits>,
    #[loader(val)]
    val_images: Loader<Images>,
    #[loader(test)]
    test_images: Loader<Images>,
    #[metric]
    loss: MeanLoss,
}

impl Steps for Scenes {
    type Batch = ((Tensor, Tensor), Tensor, (Tensor, Tensor));
    fn train_step(&mut self, ((x, _), images, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok((x.mean(Kind::Float) + images.mean(Kind::Float)).into())
    }
}

impl ValStep<(Tensor, Tensor)> for Scenes {
    fn val_step(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
        Ok(x.mean(Kind::Float).into())
    }
}

impl ValStep<Tensor> for Scenes {
    fn val_step(&mut self, images: &Tensor, _: &mut Context<'_>) -> Result<Output> {
        Ok(images.mean(Kind::Float).into())
    }
}

impl TestStep<Tensor> for Scenes {
    fn test_step(&mut self, images: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        self.val_step(images, cx)
    }
}

/// By iter, with passes.
#[trainer(by_iter)]
pub struct Stream {
    #[model]
    net: Cnn,
    #[optimizer]
    opt: AdamW,
    #[loader(train)]
    digits: Loader<Digits>,
    #[loader(train)]
    images: Loader<Images>,
}

#[passes]
impl Stream {
    #[pass(opt)]
    fn both(&mut self, (_, images): &((Tensor, Tensor), Tensor), _: &mut Context<'_>) -> Result<Output> {
        let _ = &self.net;
        Ok(images.mean(Kind::Float).into())
    }
}
