//! Settings without `#[component]`: one error where they are named, which says the attribute.

use engine::prelude::*;

pub struct SizeConfig {
    pub width: i64,
}

pub struct Mlp;

impl Model for Mlp {
    // mistake: the settings of a model
    type Config = SizeConfig;
    fn build(_: &nn::Path<'_>, config: &SizeConfig) -> Result<Self> {
        let _ = config.width;
        Ok(Mlp)
    }
}

pub struct FolderConfig {
    pub images: usize,
}

pub struct Folder(usize);

impl Dataset for Folder {
    // mistake: the settings of a dataset
    type Config = FolderConfig;
    type Item = f32;
    fn open(config: &FolderConfig) -> Result<Self> {
        Ok(Folder(config.images))
    }
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<f32> {
        Ok(index as f32)
    }
}

#[component]
// mistake: a tuple, and not a second time where it is named
pub struct DepthConfig(i64);

pub struct Deep(i64);

impl Model for Deep {
    type Config = DepthConfig;
    fn build(_: &nn::Path<'_>, config: &DepthConfig) -> Result<Self> {
        Ok(Deep(config.0))
    }
}

fn main() {
    let _ = |deep: Deep| deep.0;
}
