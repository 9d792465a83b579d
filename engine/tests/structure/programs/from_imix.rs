use engine::prelude::*;

/// Answers from an image and a question, each as a vector.
pub struct Answerer {
    image: nn::Linear,
    question: nn::Embedding,
    answer: nn::Linear,
}

#[component]
pub struct AnswererConfig {
    /// Features of the joint space.
    #[config(range = 1..)]
    width: i64,
}

impl Model for Answerer {
    type Config = AnswererConfig;

    fn build(vs: &nn::Path<'_>, config: &AnswererConfig) -> Result<Self> {
        let width = config.width;
        Ok(Answerer {
            image: nn::linear(vs / "image", 3, width, Default::default()),
            question: nn::embedding(vs / "question", 2, width, Default::default()),
            answer: nn::linear(vs / "answer", width, 3, Default::default()),
        })
    }
}

/// Three colours, and two questions about them: which is strongest, which is weakest.
pub struct Colours(usize);

#[component(dataset)]
pub struct ColoursConfig {
    /// How many images there are; each has both questions.
    images: usize,
}

impl Dataset for Colours {
    type Config = ColoursConfig;
    type Item = (Vec<f32>, i64, i64);

    fn open(config: &ColoursConfig) -> Result<Self> {
        Ok(Colours(config.images))
    }

    fn len(&self) -> usize {
        2 * self.0
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<(Vec<f32>, i64, i64)> {
        let (image, question) = (index / 2, index % 2);
        let mut colours = vec![0.5; 3];
        let (strongest, weakest) = (image % 3, (image + 1) % 3);
        (colours[strongest], colours[weakest]) = (1.0, 0.0);
        let answer = if question == 0 { strongest } else { weakest };
        Ok((colours, question as i64, answer as i64))
    }
}

#[trainer(by_iter)]
pub struct Vqa {
    #[model]
    net: Answerer,
    #[optimizer]
    opt: Box<dyn Optimizer>,
    #[scheduler]
    schedule: Schedules,
    #[loader(train)]
    train: Loader<Colours>,
    #[loader(val)]
    val: Loader<Colours>,
    #[metric]
    accuracy: Accuracy,
    #[hook]
    ema: Ema,
}

impl Vqa {
    fn logits(&self, image: &Tensor, question: &Tensor) -> Tensor {
        let joint = image.apply(&self.net.image).tanh() * question.apply(&self.net.question);
        joint.apply(&self.net.answer)
    }
}

impl Steps for Vqa {
    type Batch = (Tensor, Tensor, Tensor);

    fn train_step(&mut self, (image, question, answer): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok(self.logits(image, question).cross_entropy_for_logits(answer).into())
    }
}

impl ValStep for Vqa {
    fn val_step(&mut self, (image, question, answer): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        let logits = self.logits(image, question);
        let loss = logits.cross_entropy_for_logits(answer);
        Ok(Output::new(loss).tensor("logits", &logits).tensor("target", answer))
    }
}

engine::main!(Vqa);
