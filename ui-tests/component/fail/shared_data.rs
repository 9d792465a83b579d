//! A dataset is read by several workers at once.

use engine::prelude::*;
use std::rc::Rc;

#[component(dataset)]
pub struct DataConfig {}

pub struct Held {
    images: Tensor,
}

// mistake: a tensor, which is held as a `SharedTensor`
impl Dataset for Held {
    type Config = DataConfig;
    type Item = Tensor;
    fn open(_: &DataConfig) -> Result<Self> {
        Ok(Held { images: Tensor::new() })
    }
    fn len(&self) -> usize {
        1
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
        Ok(self.images.get(index as i64))
    }
}

pub struct Counted {
    names: Rc<Vec<i64>>,
}

// mistake: a counter of references that belongs to one thread
impl Dataset for Counted {
    type Config = DataConfig;
    type Item = i64;
    fn open(_: &DataConfig) -> Result<Self> {
        Ok(Counted { names: Rc::new(vec![1]) })
    }
    fn len(&self) -> usize {
        self.names.len()
    }
    fn get(&self, index: usize, _: &mut SampleRng) -> Result<i64> {
        Ok(self.names[index])
    }
}

fn main() {}
