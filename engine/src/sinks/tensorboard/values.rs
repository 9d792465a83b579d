//! Recorded values as TensorBoard's summaries.

use super::proto::{Dim, Held, Histogram, Image, PluginData, Shape, SummaryMetadata, Tensor, Value};
use crate::base::error::Result;
use crate::record;

/// `DT_STRING` of TensorFlow's `types.proto`.
const DT_STRING: i32 = 7;

/// What a value is in TensorBoard, under its tag; nothing for what TensorBoard can't show.
///
/// # Errors
/// When an image can't be compressed.
pub(super) fn summaries(tag: &str, value: &record::Value) -> Result<Vec<Value>> {
    Ok(match value {
        record::Value::Number(number) => vec![scalar(tag, *number)],
        record::Value::Image(image) | record::Value::Figure(record::Figure::Image(image)) => {
            vec![held(tag, Held::Image(compressed(image)?))]
        }
        record::Value::Figure(record::Figure::Svg(_)) => Vec::new(),
        record::Value::Histogram(histogram) => histogram_of(tag, histogram),
        record::Value::Text(text) => vec![self::text(tag, text)],
        record::Value::Table(table) => vec![self::text(tag, &table.to_markdown())],
    })
}

/// A number in single precision, which is all that TensorBoard's scalars have.
pub(super) fn scalar(tag: &str, number: f64) -> Value {
    held(tag, Held::Simple(number as f32))
}

/// A text in Markdown.
pub(super) fn text(tag: &str, text: &str) -> Value {
    let shape = Shape { dim: vec![Dim { size: 1 }] };
    let tensor = Tensor { dtype: DT_STRING, shape: Some(shape), string_val: vec![text.as_bytes().to_vec()] };
    Value { metadata: Some(plugin("text", Vec::new())), ..held(tag, Held::Tensor(tensor)) }
}

/// Whose business a value is.
pub(super) fn plugin(name: &str, content: Vec<u8>) -> SummaryMetadata {
    SummaryMetadata { plugin_data: Some(PluginData { plugin_name: name.to_owned(), content }) }
}

pub(super) fn held(tag: &str, held: Held) -> Value {
    Value { tag: tag.to_owned(), metadata: None, held: Some(held) }
}

/// Elements that are not finite have no place in a histogram: how many there are is a number beside it.
fn histogram_of(tag: &str, histogram: &record::Histogram) -> Vec<Value> {
    let mut values = Vec::new();
    if histogram.count() > 0 {
        let (mut bucket_limit, mut bucket) = (Vec::new(), Vec::new());
        for of in &histogram.buckets {
            if bucket_limit.last() != Some(&of.low) {
                // a bucket begins where the one before it ends
                bucket_limit.push(of.low);
                bucket.push(0.0);
            }
            bucket_limit.push(of.high);
            bucket.push(of.count as f64);
        }
        let histogram = Histogram {
            min: histogram.min,
            max: histogram.max,
            num: histogram.count() as f64,
            sum: histogram.sum,
            sum_squares: histogram.sum_of_squares,
            bucket_limit,
            bucket,
        };
        values.push(held(tag, Held::Histogram(histogram)));
    }
    if histogram.not_finite > 0 {
        values.push(scalar(&format!("{tag}/not_finite"), histogram.not_finite as f64));
    }
    values
}

/// A picture as PNG.
fn compressed(image: &record::Image) -> Result<Image> {
    let encoded = image.png()?;
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    Ok(Image { height: side(image.height()), width: side(image.width()), colorspace: image.channels().into(), encoded })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Bucket;

    #[test]
    fn a_picture_is_a_png_of_the_same_pixels() {
        for channels in [1u8, 3, 4] {
            let pixels: Vec<u8> = (0..6 * channels).map(|n| n * 9).collect();
            let image = record::Image::new(3, 2, channels, pixels.clone()).unwrap();
            let png = compressed(&image).unwrap();
            assert_eq!((png.width, png.height, png.colorspace), (3, 2, channels.into()));
            let mut reader = png::Decoder::new(std::io::Cursor::new(png.encoded)).read_info().unwrap();
            let mut read = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut read).unwrap();
            assert_eq!(read, pixels);
        }
    }

    #[test]
    fn a_gap_between_buckets_is_an_empty_bucket() {
        let bucket = |low, high, count| Bucket { low, high, count };
        let histogram = record::Histogram {
            min: -1.5,
            max: 5.0,
            sum: 0.0,
            sum_of_squares: 0.0,
            buckets: vec![bucket(-2.0, -1.0, 3), bucket(-1.0, 0.0, 1), bucket(4.0, 8.0, 2)],
            not_finite: 7,
        };
        let values = histogram_of("w", &histogram);
        let Some(Held::Histogram(histogram)) = &values[0].held else { panic!("{values:?}") };
        assert_eq!(histogram.bucket_limit, [-2.0, -1.0, 0.0, 4.0, 8.0]);
        assert_eq!(histogram.bucket, [0.0, 3.0, 1.0, 0.0, 2.0]);
        assert_eq!(values[1], scalar("w/not_finite", 7.0));
    }
}
