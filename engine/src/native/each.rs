//! Arithmetic on whole lists of tensors, of which updates of optimizers are written.
//!
//! Every operation is one of libtorch's multi-tensor operators. On CUDA it is few kernels for a whole list, on the CPU one
//! call for each tensor. A *number of each* is one `Double` per tensor of a list, in one tensor of shape `[n]` on the
//! device of the list.

use crate::native::error::{NativeError, check};
use crate::native::ffi::{self, RawList};
use crate::native::foreach::{foreach_lerp_, owned};
use crate::native::tensor_list::TensorList;
use std::ffi::c_int;
use std::ptr::null_mut;
use tch::Tensor;

/// All fail when lists differ in length or in a shape, or have an undefined entry.
impl TensorList {
    /// `self += value · other`.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn add_(&mut self, other: &TensorList, value: f64) -> Result<(), NativeError> {
        self.with(0, other, value)
    }

    /// `self *= other`, element by element.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn mul_(&mut self, other: &TensorList) -> Result<(), NativeError> {
        self.with(1, other, 1.0)
    }

    /// `self /= other`, element by element.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn div_(&mut self, other: &TensorList) -> Result<(), NativeError> {
        self.with(2, other, 1.0)
    }

    /// The larger of each two elements.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn maximum_(&mut self, other: &TensorList) -> Result<(), NativeError> {
        self.with(3, other, 1.0)
    }

    /// `self += weight · (towards - self)`.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn lerp_(&mut self, towards: &TensorList, weight: f64) -> Result<(), NativeError> {
        foreach_lerp_(self, towards, weight)
    }

    /// `self += value · first · second`, element by element.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn addcmul_(&mut self, first: &TensorList, second: &TensorList, value: f64) -> Result<(), NativeError> {
        // SAFETY: all lists are borrowed for the call; the one that is written is borrowed mutably, so it is none of the others.
        check(unsafe { ffi::eng_each_product(false, self.raw_mut(), first.raw(), second.raw(), value) })
    }

    /// `self += value · first / second`, element by element.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn addcdiv_(&mut self, first: &TensorList, second: &TensorList, value: f64) -> Result<(), NativeError> {
        // SAFETY: as in `addcmul_`.
        check(unsafe { ffi::eng_each_product(true, self.raw_mut(), first.raw(), second.raw(), value) })
    }

    /// [`TensorList::addcmul_`] with a number of each.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape, or there are not as many numbers.
    pub fn addcmul_by_(&mut self, first: &TensorList, second: &TensorList, by: &Tensor) -> Result<(), NativeError> {
        // SAFETY: as in `addcmul_`; the numbers are borrowed for the call.
        check(unsafe { ffi::eng_each_product_by(false, self.raw_mut(), first.raw(), second.raw(), by.as_ptr()) })
    }

    /// [`TensorList::addcdiv_`] with a number of each.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape, or there are not as many numbers.
    pub fn addcdiv_by_(&mut self, first: &TensorList, second: &TensorList, by: &Tensor) -> Result<(), NativeError> {
        // SAFETY: as in `addcmul_by_`.
        check(unsafe { ffi::eng_each_product_by(true, self.raw_mut(), first.raw(), second.raw(), by.as_ptr()) })
    }

    /// Multiplies each tensor by its number.
    ///
    /// # Errors
    /// When there are not as many numbers.
    pub fn mul_by_(&mut self, by: &Tensor) -> Result<(), NativeError> {
        // SAFETY: the list is borrowed mutably and the numbers for the call.
        check(unsafe { ffi::eng_each_by(true, self.raw_mut(), by.as_ptr()) })
    }

    /// Adds its number to each tensor.
    ///
    /// # Errors
    /// When there are not as many numbers.
    pub fn add_by_(&mut self, by: &Tensor) -> Result<(), NativeError> {
        // SAFETY: as in `mul_by_`.
        check(unsafe { ffi::eng_each_by(false, self.raw_mut(), by.as_ptr()) })
    }

    /// Adds a number to every element.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn add_scalar_(&mut self, value: f64) -> Result<(), NativeError> {
        self.scalar(0, value)
    }

    /// Multiplies every element.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn mul_scalar_(&mut self, value: f64) -> Result<(), NativeError> {
        self.scalar(1, value)
    }

    /// Every element is at least `least`.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn clamp_min_(&mut self, least: f64) -> Result<(), NativeError> {
        self.scalar(2, least)
    }

    /// Every element is at most `most`.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn clamp_max_(&mut self, most: f64) -> Result<(), NativeError> {
        self.scalar(3, most)
    }

    /// `self + value · other`, in new tensors.
    ///
    /// # Errors
    /// When the lists differ in length or in a shape.
    pub fn plus(&self, other: &TensorList, value: f64) -> Result<TensorList, NativeError> {
        // SAFETY: both lists are borrowed for the call, which writes `out` before it reports success.
        made(|out| unsafe { ffi::eng_each_sum(self.raw(), other.raw(), value, out) })
    }

    /// The square root, in new tensors.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn sqrt(&self) -> Result<TensorList, NativeError> {
        self.function(0)
    }

    /// The absolute value, in new tensors.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn abs(&self) -> Result<TensorList, NativeError> {
        self.function(1)
    }

    /// -1, 0 or 1, in new tensors.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn sign(&self) -> Result<TensorList, NativeError> {
        self.function(2)
    }

    /// The negative, in new tensors.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn neg(&self) -> Result<TensorList, NativeError> {
        self.function(3)
    }

    /// One divided by it, in new tensors.
    ///
    /// # Errors
    /// When an entry is undefined.
    pub fn reciprocal(&self) -> Result<TensorList, NativeError> {
        self.function(4)
    }

    /// Copies in new tensors; undefined entries stay undefined.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn copied(&self) -> Result<TensorList, NativeError> {
        // SAFETY: the list is borrowed for the call, which writes `out` before it reports success.
        made(|out| unsafe { ffi::eng_each_clone(self.raw(), out) })
    }

    /// Where `flag`, one float on the device, is not 0, every tensor gets the values of `kept` back.
    ///
    /// # Errors
    /// When `kept` has fewer entries.
    pub fn restore_(&mut self, kept: &TensorList, flag: &Tensor) -> Result<(), NativeError> {
        // SAFETY: both lists are borrowed for the call and are two, for one is borrowed mutably; the flag is borrowed.
        check(unsafe { ffi::eng_each_restore(self.raw_mut(), kept.raw(), flag.as_ptr()) })
    }

    /// The orthogonal matrix next to each matrix, nearly, in new tensors: Newton-Schulz iterations
    /// `x = a·x + (b·g + c·g·g)·x` with `g = x·xᵀ` in 16 bits, from the matrix divided by its norm.
    ///
    /// # Errors
    /// When an entry is no matrix.
    pub fn orthogonal(&self, (a, b, c): (f64, f64, f64), iterations: u64, eps: f64) -> Result<TensorList, NativeError> {
        let iterations = i64::try_from(iterations).unwrap_or(i64::MAX);
        // SAFETY: the list is borrowed for the call, which writes `out` before it reports success.
        made(|out| unsafe { ffi::eng_each_orthogonal(self.raw(), a, b, c, iterations, eps, out) })
    }

    /// The entries of these indices, in their order.
    ///
    /// # Errors
    /// When an index is not below the length.
    pub fn some(&self, indices: &[usize]) -> Result<TensorList, NativeError> {
        let mut list = TensorList::undefined(indices.len())?;
        for (place, index) in indices.iter().enumerate() {
            list.set(place, self.get(*index)?.as_ref())?;
        }
        Ok(list)
    }

    /// The 2-norm of each tensor, as a number of each.
    ///
    /// # Errors
    /// When the list is empty.
    pub fn norms(&self) -> Result<Tensor, NativeError> {
        owned(|out| {
            // SAFETY: the list is borrowed for the call.
            unsafe { ffi::eng_each_norm(self.raw(), out) }
        })
    }

    /// Its tensors, which are 0-d floats, as a number of each.
    ///
    /// # Errors
    /// When the list is empty, or an entry is no 0-d float.
    pub fn numbers(&self) -> Result<Tensor, NativeError> {
        owned(|out| {
            // SAFETY: the list is borrowed for the call.
            unsafe { ffi::eng_each_number(self.raw(), out) }
        })
    }

    /// Writes a number of each into its tensors, which are 0-d.
    ///
    /// # Errors
    /// When there are not as many numbers.
    pub fn set_numbers(&mut self, numbers: &Tensor) -> Result<(), NativeError> {
        // SAFETY: the list is borrowed mutably and the numbers for the call.
        check(unsafe { ffi::eng_each_set_number(self.raw_mut(), numbers.as_ptr()) })
    }

    fn scalar(&mut self, operation: c_int, value: f64) -> Result<(), NativeError> {
        // SAFETY: the list is borrowed mutably for the call.
        check(unsafe { ffi::eng_each_scalar(operation, self.raw_mut(), value) })
    }

    fn with(&mut self, operation: c_int, other: &TensorList, value: f64) -> Result<(), NativeError> {
        // SAFETY: both lists are borrowed for the call, and they are two, for one is borrowed mutably.
        check(unsafe { ffi::eng_each_with(operation, self.raw_mut(), other.raw(), value) })
    }

    fn function(&self, operation: c_int) -> Result<TensorList, NativeError> {
        // SAFETY: the list is borrowed for the call, which writes `out` before it reports success.
        made(|out| unsafe { ffi::eng_each_function(operation, self.raw(), out) })
    }
}

/// The list that an entry writes to its `out` argument.
fn made(entry: impl FnOnce(*mut *mut RawList) -> c_int) -> Result<TensorList, NativeError> {
    let mut raw = null_mut();
    check(entry(&mut raw))?;
    // SAFETY: an entry that reports success has written a list of its own that nobody else frees.
    unsafe { TensorList::from_raw(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tensors: &[&[f32]]) -> TensorList {
        let tensors: Vec<Tensor> = tensors.iter().map(|values| Tensor::from_slice(values)).collect();
        TensorList::new(&tensors).unwrap()
    }

    fn values(list: &TensorList) -> Vec<Vec<f32>> {
        (0..list.len()).map(|index| Vec::try_from(list.get(index).unwrap().unwrap()).unwrap()).collect()
    }

    #[test]
    fn lists_are_changed_element_by_element() {
        let (mut into, other) = (list(&[&[1.0, -2.0], &[3.0]]), list(&[&[4.0, 2.0], &[2.0]]));
        into.add_(&other, 0.5).unwrap();
        assert_eq!(values(&into), [vec![3.0, -1.0], vec![4.0]]);
        into.mul_(&other).unwrap();
        into.div_(&list(&[&[2.0, 1.0], &[8.0]])).unwrap();
        assert_eq!(values(&into), [vec![6.0, -2.0], vec![1.0]]);
        into.maximum_(&list(&[&[0.0, 0.0], &[0.0]])).unwrap();
        into.addcmul_(&other, &other, 1.0).unwrap();
        assert_eq!(values(&into), [vec![22.0, 4.0], vec![5.0]]);
        into.addcdiv_(&list(&[&[8.0, 8.0], &[8.0]]), &other, -1.0).unwrap();
        assert_eq!(values(&into), [vec![20.0, 0.0], vec![1.0]]);
        into.clamp_max_(10.0).unwrap();
        into.clamp_min_(0.5).unwrap();
        into.add_scalar_(-1.0).unwrap();
        into.mul_scalar_(2.0).unwrap();
        assert_eq!(values(&into), [vec![18.0, -1.0], vec![0.0]]);
    }

    #[test]
    fn functions_make_new_tensors() {
        let list = list(&[&[4.0, 0.0], &[-16.0]]);
        assert_eq!(values(&list.abs().unwrap().sqrt().unwrap()), [vec![2.0, 0.0], vec![4.0]]);
        assert_eq!(values(&list.sign().unwrap()), [vec![1.0, 0.0], vec![-1.0]]);
        assert_eq!(values(&list.neg().unwrap()), [vec![-4.0, 0.0], vec![16.0]]);
        assert_eq!(values(&list.plus(&list, 1.0).unwrap()), [vec![8.0, 0.0], vec![-32.0]]);
        assert_eq!(values(&list.plus(&list, 1.0).unwrap().reciprocal().unwrap())[1], [-1.0 / 32.0]);
        assert_eq!(values(&list), [vec![4.0, 0.0], vec![-16.0]]);
        assert!(TensorList::undefined(1).unwrap().copied().unwrap().get(0).unwrap().is_none());
    }

    #[test]
    fn numbers_of_each_scale_their_tensors() {
        let mut into = list(&[&[1.0, 2.0], &[3.0]]);
        let numbers = Tensor::from_slice(&[2.0f64, -1.0]);
        into.mul_by_(&numbers).unwrap();
        into.add_by_(&numbers).unwrap();
        assert_eq!(values(&into), [vec![4.0, 6.0], vec![-4.0]]);
        let other = list(&[&[1.0, 2.0], &[4.0]]);
        into.addcmul_by_(&other, &other, &numbers).unwrap();
        into.addcdiv_by_(&other, &other, &numbers).unwrap();
        assert_eq!(values(&into), [vec![8.0, 16.0], vec![-21.0]]);
        assert_eq!(Vec::<f64>::try_from(list(&[&[3.0, 4.0], &[2.0]]).norms().unwrap()).unwrap(), [5.0, 2.0]);
        let mut counts = TensorList::new([&Tensor::from(0.0f32), &Tensor::from(0.0f32)]).unwrap();
        counts.set_numbers(&numbers).unwrap();
        assert_eq!(Vec::<f64>::try_from(counts.numbers().unwrap()).unwrap(), [2.0, -1.0]);
    }

    #[test]
    fn the_flag_on_the_device_decides_which_values_stay() {
        for (flag, expected) in [(1.0f32, vec![1.0, 2.0]), (0.0, vec![f32::INFINITY, 4.0])] {
            let kept = list(&[&[1.0, 2.0]]);
            let mut changed = list(&[&[f32::INFINITY, 4.0]]);
            changed.restore_(&kept, &Tensor::from(flag)).unwrap();
            assert_eq!(values(&changed), [expected]);
        }
    }

    #[test]
    fn an_orthogonal_matrix_has_singular_values_near_one() {
        for size in [[4, 3], [3, 4]] {
            let matrix = (Tensor::arange(12, (tch::Kind::Float, tch::Device::Cpu)).square() * 1.7).sin().reshape(size);
            let made = TensorList::new([&matrix]).unwrap().orthogonal((3.4445, -4.775, 2.0315), 5, 1e-7).unwrap();
            let made = made.get(0).unwrap().unwrap();
            assert_eq!((made.size(), made.kind()), (size.to_vec(), tch::Kind::Float));
            // the squares of the singular values
            let wide = if size[0] > size[1] { made.tr() } else { made };
            let squares = wide.matmul(&wide.tr()).linalg_eigvalsh("L");
            let values: Vec<f32> = Vec::<f32>::try_from(squares).unwrap().into_iter().map(f32::sqrt).collect();
            assert!(values.iter().all(|value| (0.6..1.3).contains(value)), "{values:?}");
        }
        let vector = list(&[&[1.0]]).orthogonal((1.0, 1.0, 1.0), 1, 1e-7).unwrap_err().text;
        assert_eq!(vector, "tensor 0 of shape [1] (Float, cpu) is no matrix");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut into = list(&[&[1.0, 2.0]]);
        let shape = into.add_(&list(&[&[1.0]]), 1.0).unwrap_err().text;
        assert_eq!(
            shape,
            "tensor 0 of shape [2] (Float, cpu) has another shape than its partner 0 of shape [1] (Float, cpu)"
        );
        let undefined = into.mul_(&TensorList::undefined(1).unwrap()).unwrap_err().text;
        assert_eq!(undefined, "tensor 0 of a list is not defined");
        let numbers = into.mul_by_(&Tensor::from_slice(&[1.0f64, 2.0])).unwrap_err().text;
        assert!(numbers.ends_with("must be 1 doubles, one for each tensor"), "{numbers}");
    }
}
