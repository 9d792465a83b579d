//! Images as tensors, from the bytes of a JPEG or PNG file.

use crate::base::error::Result;
use crate::data::augment::Resize;
use engine_macros::component;
use image::{ImageReader, Limits};
use std::io::{BufRead, Seek};
use tch::{Kind, Tensor};

/// What such a file is called in messages.
pub(super) const FORMAT: &str = "an image";

/// The ends of names that are taken for images.
pub(super) const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The most pixels along a side, and the most bytes of a decoded image: a small file may unpack without an end.
const LONGEST_SIDE: u32 = 1 << 15;
const MOST_BYTES: u64 = 1 << 30;

/// How an image of another shape is brought to a size.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Fit {
    /// Scaled alike in both directions until it covers the size; what is outside of the middle is cut off.
    Cover,
    /// Scaled in each direction for itself, so that nothing is lost and shapes change.
    Stretch,
}

/// The image in these bytes, whatever its name says: `[1, 3, h, w]` of floats from 0 to 1.
pub(super) fn decoded(bytes: impl BufRead + Seek) -> Result<Tensor> {
    let mut reader = ImageReader::new(bytes).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let image = reader.decode()?.into_rgb8();
    let shape = [1, i64::from(image.height()), i64::from(image.width()), 3];
    let bytes = Tensor::f_from_slice(image.as_raw())?.f_reshape(shape)?;
    Ok(bytes.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?.f_contiguous()?)
}

/// `[1, 3, h, w]` to `[3, height, width]`.
pub(super) fn fitted(image: &Tensor, size: Resize, fit: Fit) -> Result<Tensor> {
    let (_, _, h, w) = image.size4()?;
    let scaled = match fit {
        Fit::Stretch => size,
        Fit::Cover => {
            let scale = (size.height as f64 / h as f64).max(size.width as f64 / w as f64);
            let along = |from: i64, to: i64| ((from as f64 * scale).round() as i64).max(to);
            Resize { height: along(h, size.height), width: along(w, size.width) }
        }
    };
    let image = scaled.apply(image)?.f_squeeze_dim(0)?.f_clamp(0.0, 1.0)?;
    let middle = |along: i64, from: i64, to: i64, image: &Tensor| image.f_narrow(along, (from - to) / 2, to);
    let image = middle(1, scaled.height, size.height, &image)?;
    Ok(middle(2, scaled.width, size.width, &image)?.f_contiguous()?)
}
