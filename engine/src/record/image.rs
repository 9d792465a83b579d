//! Images on the host.

use super::RecordError;
use tch::{Device, Kind, Tensor};

/// An image with 8 bits per channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    channels: u8,
    pixels: Vec<u8>,
}

/// More pixels than any screen has; a mistake in a shape should not fill the disk.
const MOST_PIXELS: i64 = 1 << 26;

/// Between the images of a batch.
const GAP: i64 = 2;

impl Image {
    /// An image from its pixels, row by row from the top, with the channels of a pixel next to each other: 1 (grey), 3
    /// (red, green, blue) or 4 (and opacity) channels.
    ///
    /// # Errors
    /// When there are not `width * height * channels` bytes, or another number of channels.
    pub fn new(width: u32, height: u32, channels: u8, pixels: Vec<u8>) -> Result<Image, RecordError> {
        let fits = [1, 3, 4].contains(&channels)
            && pixels.len() as u64 == u64::from(width) * u64::from(height) * u64::from(channels);
        match fits && width > 0 && height > 0 {
            true => Ok(Image { width, height, channels, pixels }),
            false => Err(RecordError::ImageShape(vec![channels.into(), height.into(), width.into()])),
        }
    }

    /// The image as the content of a PNG file.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[cfg(feature = "png")]
    pub fn png(&self) -> crate::base::Result<Vec<u8>> {
        let mut encoded = Vec::new();
        let mut encoder = png::Encoder::new(&mut encoded, self.width, self.height);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            3 => png::ColorType::Rgb,
            _ => png::ColorType::Rgba,
        });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(encoded)
    }

    /// An image from a tensor `[h, w]`, `[c, h, w]`, or `[n, c, h, w]`, whose images are arranged in a square grid.
    /// `c` is 1 (grey), 3 (red, green, blue) or 4 (and opacity).
    ///
    /// `Uint8` is used directly, and `Bool` becomes black and white. Floats range from 0 to 1; values outside are
    /// clamped, and NaN is black. The image is computed on the tensor's device and read with one copy: this waits for
    /// the device.
    ///
    /// # Errors
    /// When the shape or kind is not that of an image, or it has more than 2²⁶ pixels.
    pub fn from_tensor(tensor: &Tensor) -> Result<Image, RecordError> {
        tch::no_grad(|| {
            let picture = grid(tensor)?;
            let (channels, height, width) = picture.size3()?;
            if width.saturating_mul(height) > MOST_PIXELS {
                return Err(RecordError::ImageSize { width, height, most: MOST_PIXELS });
            }
            let bytes = bytes(&picture)?.f_permute([1, 2, 0])?.f_reshape([-1])?.f_to_device(Device::Cpu)?;
            Ok(Image {
                width: width as u32,
                height: height as u32,
                channels: channels as u8,
                pixels: Vec::<u8>::try_from(&bytes)?,
            })
        })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes of a pixel: 1, 3 or 4.
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// The bytes, row by row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// One picture `[c, h, w]` of all that the tensor holds.
fn grid(tensor: &Tensor) -> Result<Tensor, RecordError> {
    let shape = tensor.size();
    let fits = |channels: i64| [1, 3, 4].contains(&channels) && !shape.contains(&0);
    match shape[..] {
        [_, _] if fits(1) => Ok(tensor.f_unsqueeze(0)?),
        [channels, _, _] if fits(channels) => Ok(tensor.shallow_clone()),
        [1, channels, _, _] if fits(channels) => Ok(tensor.f_squeeze_dim(0)?),
        [n, channels, height, width] if fits(channels) => {
            let columns = (1..=n).find(|columns| columns.saturating_mul(*columns) >= n).unwrap_or(n);
            let rows = (n + columns - 1) / columns;
            let (height, width) = (height + GAP, width + GAP);
            if rows.saturating_mul(height).saturating_mul(columns.saturating_mul(width)) > MOST_PIXELS {
                let (width, height) = (columns.saturating_mul(width), rows.saturating_mul(height));
                return Err(RecordError::ImageSize { width, height, most: MOST_PIXELS });
            }
            let missing = rows * columns - n;
            let padded = tensor.f_constant_pad_nd([0, GAP, 0, GAP, 0, 0, 0, missing])?;
            let tiles = padded.f_reshape([rows, columns, channels, height, width])?.f_permute([2, 0, 3, 1, 4])?;
            let whole = tiles.f_reshape([channels, rows * height, columns * width])?;
            Ok(whole.f_narrow(1, 0, rows * height - GAP)?.f_narrow(2, 0, columns * width - GAP)?)
        }
        _ => Err(RecordError::ImageShape(shape)),
    }
}

/// Colours from 0 to 255, on the same device.
fn bytes(picture: &Tensor) -> Result<Tensor, RecordError> {
    Ok(match picture.kind() {
        Kind::Uint8 => picture.shallow_clone(),
        Kind::Bool => picture.f_to_kind(Kind::Uint8)?.f_mul_scalar(255)?,
        Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double => {
            let within = picture.f_to_kind(Kind::Float)?.f_nan_to_num(0.0, 1.0, 0.0)?.f_clamp(0.0, 1.0)?;
            within.f_mul_scalar(255.0)?.f_round()?.f_to_kind(Kind::Uint8)?
        }
        other => return Err(RecordError::ImageKind(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_a_pixel_lie_together_and_colours_are_cut_off_at_the_ends() {
        let tensor = Tensor::from_slice(&[0.0f32, 1.0, 0.5, 2.0, -1.0, f32::NAN]).reshape([3, 1, 2]);
        let image = Image::from_tensor(&tensor).unwrap();
        assert_eq!((image.width(), image.height(), image.channels()), (2, 1, 3));
        assert_eq!(image.pixels(), [0, 128, 0, 255, 255, 0]);
    }

    #[test]
    fn bytes_and_truth_values_are_taken_as_they_are() {
        let bytes = Image::from_tensor(&Tensor::from_slice(&[0u8, 7, 255, 1]).reshape([2, 2])).unwrap();
        assert_eq!((bytes.channels(), bytes.pixels()), (1, &[0, 7, 255, 1][..]));
        let mask = Image::from_tensor(&Tensor::from_slice(&[true, false]).reshape([1, 2])).unwrap();
        assert_eq!(mask.pixels(), [255, 0]);
    }

    #[test]
    fn a_batch_is_a_grid_in_reading_order_with_gaps() {
        // five images of one pixel: three a row, two rows, two pixels between
        let tensor = Tensor::from_slice(&[1u8, 2, 3, 4, 5]).reshape([5, 1, 1, 1]);
        let image = Image::from_tensor(&tensor).unwrap();
        assert_eq!((image.width(), image.height()), (7, 4));
        assert_eq!(image.pixels()[..7], [1, 0, 0, 2, 0, 0, 3]);
        assert_eq!(image.pixels()[21..], [4, 0, 0, 5, 0, 0, 0]);
    }

    #[test]
    fn what_is_no_image_is_refused_with_what_one_is() {
        let refused = |tensor: Tensor| Image::from_tensor(&tensor).unwrap_err().to_string();
        let f32s = (Kind::Float, Device::Cpu);
        for shape in [vec![5], vec![28, 28, 3], vec![0, 4], vec![2, 2, 4, 4], vec![1, 1, 1, 4, 4]] {
            let text = refused(Tensor::zeros(&shape, f32s));
            assert!(
                text.starts_with(&format!("a tensor of shape {shape:?} is not an image; expected `[h, w]`")),
                "{text}"
            );
        }
        assert!(refused(Tensor::zeros([2, 2], (Kind::Int64, Device::Cpu))).contains("Int64 is not an image"));
        let huge = Tensor::zeros([1, 1], f32s).expand([1 << 14, 1 << 13], false);
        assert!(refused(huge).contains("is too large"));
        assert!(refused(Tensor::zeros([1, 1, 1, 1], f32s).expand([1 << 30, 1, 1, 1], false)).contains("is too large"));
        assert!(Image::new(2, 2, 3, vec![0; 11]).is_err() && Image::new(2, 2, 2, vec![0; 8]).is_err());
    }
}
