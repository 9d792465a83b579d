//! One trainer twice: the second has a component with a field more.

/// The trainer; what is given stands among the component's fields.
#[macro_export]
macro_rules! growing {
    ($($more:tt)*) => {
        use engine::prelude::*;

        /// Noise around a line.
        #[component(dataset)]
        pub struct NoiseConfig {
            /// How many samples.
            #[config(example = 8, range = 1..=1000)]
            pub samples: usize,
            /// How strong the noise is.
            #[config(default = 0.1)]
            pub level: f64,
            $($more)*
        }

        /// Points near a line.
        #[derive(Debug)]
        pub struct Noise(usize, f64);

        impl Dataset for Noise {
            type Config = NoiseConfig;
            type Item = (Vec<f32>, f32);

            fn open(config: &NoiseConfig) -> Result<Self> {
                Ok(Noise(config.samples, config.level))
            }

            fn len(&self) -> usize {
                self.0
            }

            fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, f32)> {
                Ok((vec![index as f32], (index as f64 * self.1) as f32))
            }
        }

        /// A line.
        #[component]
        pub struct LineConfig {}

        /// A line.
        #[derive(Debug)]
        pub struct Line(nn::Linear);

        impl Model for Line {
            type Config = LineConfig;

            fn build(vs: &nn::Path<'_>, _: &LineConfig) -> Result<Self> {
                Ok(Line(nn::linear(vs / "line", 1, 1, nn::LinearConfig::default())))
            }
        }

        /// Fits the line.
        #[trainer(by_epoch)]
        pub struct Fit {
            #[model]
            line: Line,
            #[optimizer]
            opt: Sgd,
            #[loader(train)]
            train: Loader<Noise>,
        }

        impl Steps for Fit {
            type Batch = (Tensor, Tensor);

            fn train_step(&mut self, (x, y): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
                let loss = x.apply(&self.line.0).squeeze_dim(-1).mse_loss(y, Reduction::Mean);
                Ok(loss.into())
            }
        }

        engine::main!(Fit);
    };
}
