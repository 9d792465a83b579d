//! Tensors made of rows that lie apart in memory.

use crate::native::error::NativeError;
use tch::kind::Element;
use tch::{Device, Tensor};

/// Rows of the same length as one tensor `[rows, length]` on the host. Each number is copied once, and no memory is taken
/// but the tensor's.
///
/// ```
/// use engine::native::tensor_of_rows;
/// use engine::prelude::*;
///
/// let tensor = tensor_of_rows(&[vec![1i64, 2, 3], vec![4, 5, 6]])?;
/// assert_eq!(tensor, Tensor::from_slice(&[1i64, 2, 3, 4, 5, 6]).reshape([2, 3]));
/// assert!(tensor_of_rows(&[vec![1i64], vec![]]).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// When the rows differ in length, or there is no memory.
pub fn tensor_of_rows<T: Element + Copy>(rows: &[Vec<T>]) -> Result<Tensor, NativeError> {
    let length = rows.first().map_or(0, Vec::len);
    if let Some(place) = rows.iter().position(|row| row.len() != length) {
        let found = rows[place].len();
        return Err(NativeError::argument(format!("row {place} has {found} values, row 0 has {length}")));
    }
    let shape = [rows.len() as i64, length as i64];
    let made = Tensor::f_empty(shape, (T::KIND, Device::Cpu));
    let tensor = made.map_err(|error| NativeError::argument(error.to_string()))?;
    if length == 0 {
        return Ok(tensor);
    }
    let mut place = tensor.data_ptr().cast::<T>();
    for row in rows {
        // SAFETY: the tensor has room for `rows` times `length` elements of the kind of `T`, one after the other, and is
        // not shared yet; each row has `length` of them.
        unsafe {
            std::ptr::copy_nonoverlapping(row.as_ptr(), place, length);
            place = place.add(length);
        }
    }
    Ok(tensor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn rows_of_each_kind_come_one_after_the_other() {
        let doubles = tensor_of_rows(&[vec![0.5f64], vec![-1.5], vec![f64::INFINITY]]).unwrap();
        assert_eq!((doubles.size(), doubles.kind()), (vec![3, 1], Kind::Double));
        assert_eq!(Vec::<f64>::try_from(doubles.reshape([3])).unwrap(), [0.5, -1.5, f64::INFINITY]);
        let truths = tensor_of_rows(&[vec![true, false], vec![true, true]]).unwrap();
        assert_eq!((truths.kind(), truths.sum(Kind::Int64).int64_value(&[])), (Kind::Bool, 3));
        for (rows, size) in [(vec![], [0, 0]), (vec![vec![], vec![]], [2, 0])] {
            assert_eq!(tensor_of_rows::<f32>(&rows).unwrap().size(), size);
        }
    }
}
