//! The types that are batches: tensors, lists, options and tuples.

use crate::base::error::Result;
use crate::data::batch::Batch;
use crate::data::batch::part::{self, EachPart, Part};
use tch::Tensor;

/// `[n, …]`: the first dimension counts the samples.
#[diagnostic::do_not_recommend]
impl Batch for Tensor {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        each(Part::Tensor(self))
    }
    fn shallow_clone(&self) -> Self {
        Tensor::shallow_clone(self)
    }
    fn size(&self) -> usize {
        part::rows(self)
    }
}

/// One tensor for each sample, each of its own shape.
#[diagnostic::do_not_recommend]
impl Batch for Vec<Tensor> {
    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        each(Part::Tensors(self))
    }
    fn shallow_clone(&self) -> Self {
        self.iter().map(Tensor::shallow_clone).collect()
    }
    fn size(&self) -> usize {
        self.len()
    }
}

macro_rules! host_batch {
    ($($type:ty)*) => { $(
        /// One value for each sample; it stays on the host.
        #[diagnostic::do_not_recommend]
        impl Batch for Vec<$type> {
            fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
                each(Part::Rows(self))
            }
            fn shallow_clone(&self) -> Self {
                self.clone()
            }
            fn size(&self) -> usize {
                self.len()
            }
        }
    )* };
}
host_batch!(String bool i64 i32 u64 u32 usize f32 f64);

/// A part that only some batches have; `None` shows no part.
#[diagnostic::do_not_recommend]
impl<B: Batch> Batch for Option<B> {
    const STATES_WEIGHT: bool = B::STATES_WEIGHT;

    fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
        self.iter_mut().try_for_each(|batch| batch.visit(each))
    }
    fn shallow_clone(&self) -> Self {
        self.as_ref().map(Batch::shallow_clone)
    }
    fn size(&self) -> usize {
        self.as_ref().map_or(0, Batch::size)
    }
    fn stated_weight(&self) -> Option<f64> {
        self.as_ref().and_then(Batch::stated_weight)
    }
}

macro_rules! tuple_batch {
    ($($part:ident $at:tt),+) => {
        /// The size and weight are those of the first part.
        impl<$($part: Batch),+> Batch for ($($part,)+) {
            const STATES_WEIGHT: bool = A::STATES_WEIGHT;

            fn visit<'a>(&'a mut self, each: &mut EachPart<'_, 'a>) -> Result<()> {
                $(self.$at.visit(each)?;)+
                Ok(())
            }
            fn shallow_clone(&self) -> Self {
                ($(Batch::shallow_clone(&self.$at),)+)
            }
            fn size(&self) -> usize {
                self.0.size()
            }
            fn stated_weight(&self) -> Option<f64> {
                self.0.stated_weight()
            }
        }
    };
}
tuple_batch!(A 0);
tuple_batch!(A 0, B 1);
tuple_batch!(A 0, B 1, C 2);
tuple_batch!(A 0, B 1, C 2, D 3);
tuple_batch!(A 0, B 1, C 2, D 3, E 4);
tuple_batch!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_batch!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_batch!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::BatchError;
    use tch::{Device, Kind};

    fn numbers(first: i64, n: i64) -> Tensor {
        Tensor::arange_start(first, first + n, (Kind::Int64, Device::Cpu))
    }

    fn values(tensor: &Tensor) -> Vec<i64> {
        tensor.flatten(0, -1).try_into().unwrap()
    }

    /// Three samples of every kind of part.
    #[derive(engine_macros::Batch)]
    struct Everything {
        x: Tensor,
        boxes: Vec<Tensor>,
        names: Vec<String>,
        mask: Option<Tensor>,
        #[batch(shared)]
        table: Tensor,
        #[batch(whole)]
        width: i64,
        #[batch(weight)]
        tokens: Vec<usize>,
    }

    fn everything(first: i64) -> Everything {
        Everything {
            x: numbers(first, 6).view([3, 2]),
            boxes: (0..3).map(|at| numbers(first, at)).collect(),
            names: (0..3).map(|at| format!("{}", first + at)).collect(),
            mask: Some(numbers(first, 3)),
            table: numbers(first, 5),
            width: first,
            tokens: vec![4, 0, 7],
        }
    }

    #[test]
    fn a_batch_has_the_size_of_its_first_part() {
        let tensor = || Tensor::zeros([3, 2], (Kind::Float, Device::Cpu));
        assert_eq!((tensor(), vec!["a".to_owned(); 3], tensor()).size(), 3);
        assert_eq!((vec![tensor(), tensor()],).size(), 2);
        assert_eq!((everything(0).size(), everything(0).weight()), (3, 11.0));
        assert_eq!((everything(0), tensor()).weight(), 11.0);
    }

    #[test]
    fn every_tensor_of_a_batch_goes_to_the_device() {
        if !cfg!(target_os = "macos") {
            assert!(everything(0).onto(Device::Mps).is_err(), "nothing was asked to move");
        }
        let mut batch = everything(0);
        let mut seen = 0;
        batch
            .each_tensor(&mut |_| {
                seen += 1;
                Ok(())
            })
            .unwrap();
        // x, three boxes, the mask, the table
        assert_eq!(seen, 6);
        let pointer = batch.x.data_ptr();
        assert_eq!(batch.onto(Device::Cpu).unwrap().x.data_ptr(), pointer, "a tensor was copied to where it was");
    }

    #[test]
    fn samples_taken_out_are_those_of_the_range_in_every_part() {
        let taken = everything(10).samples(1..3).unwrap();
        assert_eq!(values(&taken.x), [12, 13, 14, 15]);
        assert_eq!(taken.boxes.iter().map(values).collect::<Vec<_>>(), [vec![10], vec![10, 11]]);
        assert_eq!(
            (taken.names, taken.mask.map(|mask| values(&mask))),
            (vec!["11".to_owned(), "12".into()], Some(vec![11, 12]))
        );
        assert_eq!((taken.table.size(), taken.width, taken.tokens), (vec![5], 10, vec![0, 7]));
        let split = everything(0).split(2).unwrap();
        assert_eq!(split.iter().map(Batch::size).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(split.iter().map(Batch::weight).sum::<f64>(), 11.0);
    }

    #[test]
    fn what_has_no_row_for_each_sample_can_not_be_taken_apart() {
        let error = (numbers(0, 3), numbers(0, 5)).samples(0..1).err().unwrap();
        assert!(matches!(error.downcast_ref(), Some(BatchError::Rows { part: 1, rows: 5, size: 3 })), "{error}");
        let error = numbers(0, 3).samples(2..4).err().unwrap().to_string();
        assert_eq!(error, "samples 2 to 4 can't be selected: the batch has 3");
    }

    #[test]
    fn a_batch_copied_into_another_fills_its_memory() {
        let (mut into, mut from) = (everything(0), everything(20));
        from.boxes = (0..3).map(|at| numbers(30, at)).collect();
        let places = [into.x.data_ptr(), into.boxes[2].data_ptr(), into.table.data_ptr()];
        into.copy_from(&mut from).unwrap();
        assert_eq!([into.x.data_ptr(), into.boxes[2].data_ptr(), into.table.data_ptr()], places);
        assert_eq!(values(&into.x), values(&from.x));
        assert_eq!((values(&into.boxes[2]), values(&into.table)), (vec![30, 31], values(&from.table)));
        assert_eq!((into.names, into.width), (from.names, 20));
    }

    #[test]
    fn batches_of_other_shapes_are_not_copied_into_each_other() {
        let refused = |from: &mut Everything| everything(0).copy_from(from).unwrap_err().to_string();
        let mut other = everything(0);
        other.x = numbers(0, 8).view([4, 2]);
        assert_eq!(refused(&mut other), "part 0 of the batch is Int64 [4, 2], and its copy must go into Int64 [3, 2]");
        let mut other = everything(0);
        other.mask = None;
        assert_eq!(refused(&mut other), "part 3 of the batch differs in type from the same part of the other batch");
    }
}
