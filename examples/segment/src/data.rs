//! Pictures that are drawn when they are read: a disc, a square and a triangle, one over the other, on a noisy ground.

use engine::prelude::*;
use engine::random::Stream;

/// Height and width of a picture.
const SIZE: usize = 48;

/// Drawn pictures. Picture `index` of a part is always the same; only the noise over it may be drawn anew.
pub struct Shapes(ShapesConfig);

/// Pictures `[3, 48, 48]` in 0 to 1, and the class of each pixel `[48, 48]`: 0 ground, 1 disc, 2 square, 3 triangle.
#[component(dataset)]
pub struct ShapesConfig {
    /// How many pictures there are.
    #[config(range = 1..)]
    pub count: usize,
    /// Another number gives other pictures.
    #[config(default = 0)]
    pub part: u64,
    /// The standard deviation of the noise over each pixel; it is drawn anew whenever a picture is read.
    #[config(default = 0.15, range = 0.0..=1.0)]
    pub noise: f64,
}

impl Dataset for Shapes {
    type Config = ShapesConfig;
    type Item = (Tensor, Tensor);

    fn open(config: &ShapesConfig) -> Result<Self> {
        Ok(Shapes(config.clone()))
    }

    fn len(&self) -> usize {
        self.0.count
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Tensor, Tensor)> {
        // not from `rng`, which is another one in each pass
        let mut scene = SampleRng::new(Stream::new(0, "shapes", self.0.part, index as u64));
        let mut classes = vec![0i64; SIZE * SIZE];
        let mut colours = vec![colour(&mut scene)];
        for class in 1..=3 {
            let shape = Shape::drawn(class, &mut scene);
            colours.push(colour(&mut scene));
            for (place, pixel) in classes.iter_mut().enumerate() {
                if shape.covers((place % SIZE) as f64, (place / SIZE) as f64) {
                    *pixel = class;
                }
            }
        }
        let mut picture = vec![0.0f32; 3 * SIZE * SIZE];
        for (place, value) in picture.iter_mut().enumerate() {
            let (channel, pixel) = (place / (SIZE * SIZE), place % (SIZE * SIZE));
            let clean = colours[classes[pixel] as usize][channel];
            *value = (clean + self.0.noise * rng.normal()).clamp(0.0, 1.0) as f32;
        }
        let side = SIZE as i64;
        Ok((Tensor::from_slice(&picture).view([3, side, side]), Tensor::from_slice(&classes).view([side, side])))
    }
}

/// Any colour: the form alone tells the classes apart.
fn colour(rng: &mut SampleRng) -> [f64; 3] {
    [(); 3].map(|()| rng.between(0.1, 0.9))
}

/// A shape somewhere in the picture.
struct Shape {
    class: i64,
    x: f64,
    y: f64,
    radius: f64,
}

impl Shape {
    fn drawn(class: i64, rng: &mut SampleRng) -> Self {
        let (low, high) = (8.0, SIZE as f64 - 8.0);
        Shape { class, x: rng.between(low, high), y: rng.between(low, high), radius: rng.between(6.0, 12.0) }
    }

    fn covers(&self, x: f64, y: f64) -> bool {
        let (dx, dy) = (x - self.x, y - self.y);
        match self.class {
            1 => dx.hypot(dy) <= self.radius,
            2 => dx.abs().max(dy.abs()) <= 0.8 * self.radius,
            // the top is a point, the foot is as wide as it is high
            _ => dy.abs() <= self.radius && dx.abs() <= (dy + self.radius) / 2.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(index: usize, noise: f64, pass: u64) -> (Tensor, Tensor) {
        let mut rng = SampleRng::new(Stream::new(1, "test", pass, index as u64));
        Shapes(ShapesConfig { count: 10, part: 0, noise }).get(index, &mut rng).unwrap()
    }

    #[test]
    fn a_picture_is_the_same_in_every_pass_and_its_noise_is_not() {
        let ((one, classes), (other, same)) = (read(3, 0.1, 0), read(3, 0.1, 1));
        assert_eq!(classes, same);
        assert_ne!(one, other);
        assert_eq!(read(3, 0.0, 0).0, read(3, 0.0, 1).0);
    }

    #[test]
    fn every_class_is_in_the_pictures() {
        let all = Tensor::stack(&(0..10).map(|index| read(index, 0.0, 0).1).collect::<Vec<_>>(), 0);
        for class in 0..4 {
            assert!(all.eq(class).sum(Kind::Int64).int64_value(&[]) > 100, "class {class}");
        }
    }
}
