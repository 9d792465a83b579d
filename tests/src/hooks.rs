//! Hooks of these programs: one with state, one that speaks, one that fails.

use engine::prelude::*;

/// Adds up the losses of the whole run, and counts batches in it and in this process.
#[hook(priority = "LOW")]
pub struct Witness {
    /// What the sum is multiplied by.
    #[config(default = 1.0, range = 0.0..=1e6)]
    scale: f64,
    #[state]
    sum: f64,
    #[state]
    batches: u64,
    #[transient]
    in_this_process: u64,
}

#[phases]
impl Witness {
    fn after_train_batch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.exception().is_none() {
            self.sum += f64::try_from(cx.output()?.loss()?)?;
            self.batches += 1;
            self.in_this_process += 1;
            cx.log_last("witnessed", self.sum * self.scale);
        }
        Ok(())
    }

    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("witness: {} batches in all, {} in this process", self.batches, self.in_this_process))
    }
}

/// Says its word after every iter and validation.
#[hook]
pub struct Speaker {
    /// The word.
    #[config]
    word: String,
}

#[phases]
impl Speaker {
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        match cx.exception() {
            None => cx.say(&format!("{} speaks after iter {}", self.word, cx.iter().get())),
            Some(_) => Ok(()),
        }
    }

    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} speaks after val", self.word))
    }

    fn on_exception(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} sees the end", self.word))
    }

    fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} says goodbye", self.word))
    }
}

/// Refuses to train.
#[hook]
pub struct Picky {}

#[phases]
impl Picky {
    fn before_train(&mut self, _: &mut Context<'_>) -> Result<()> {
        Err(Error::msg("the hook does not like it here"))
    }
}

/// Fails after an iter.
#[hook(priority = "HIGH")]
pub struct Breaker {
    /// The iter.
    #[config(default = 2, range = 1..)]
    at: u64,
    /// Whether it panics instead of returning an error.
    #[config(default = false)]
    panics: bool,
}

#[phases]
impl Breaker {
    #[expect(clippy::panic, reason = "a panic is what is asked for")]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        match cx.iter().get() == self.at {
            true if self.panics => panic!("the hook fell over"),
            true => Err(Error::msg("the hook gave up")),
            false => Ok(()),
        }
    }
}

/// Records a value of each kind after every iter: some that depend on the iter alone, and how the weights are distributed.
#[hook]
pub struct Painter {
    /// Pixels on a side of its pictures.
    #[config(default = 3, range = 1..=64)]
    side: usize,
}

#[phases]
impl Painter {
    #[only_ok]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let iter = cx.iter().get();
        let side = self.side as i64;
        let pixels: Vec<u8> =
            (0..3 * side * (side + 1)).map(|place| ((place as u64 * 7 + iter * 11) % 256) as u8).collect();
        cx.log_image("picture", &Tensor::from_slice(&pixels).view([3, side, side + 1]))?;
        cx.log_figure("figure", engine::record::Image::new(2, 1, 1, vec![iter as u8, 255])?)?;
        cx.log_histogram("numbers", &Tensor::from_slice(&[-1.0, 0.0, 0.5, 2.0, iter as f32, f32::NAN]))?;
        let weights: Vec<Tensor> = cx.model("net")?.parameters().map(|(_, tensor)| tensor.reshape([-1])).collect();
        cx.log_histogram("weights", &Tensor::cat(&weights, 0))?;
        cx.log_text("word", format!("**after iter {iter}**, größer"))?;
        cx.log_table(
            "table",
            engine::record::Table::new(["iter", "even"]).row([(iter as f64).into(), iter.is_multiple_of(2).into()]),
        )
    }
}

/// Says a hash of all weights after every iter, so that ranks can be compared.
#[hook(priority = "LOW")]
pub struct Fingerprint {}

#[phases]
impl Fingerprint {
    #[only_ok]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let bits = fingerprint(cx)?;
        let text = format!("weights after iter {}: {bits:016x}", cx.iter().get());
        cx.say(&text)
    }
}

/// A hash of all weights.
///
/// # Errors
/// When a weight is no 32 bit number.
pub fn fingerprint(cx: &Context<'_>) -> Result<u64> {
    let mut bits: u64 = 0xcbf2_9ce4_8422_2325;
    for model in cx.models().iter() {
        for (_, tensor) in model.parameters() {
            for number in Vec::<f32>::try_from(tensor.detach().reshape([-1]))? {
                bits = (bits ^ u64::from(number.to_bits())).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    Ok(bits)
}

/// Asks on one rank, after its forward pass, for an update to be left out.
#[hook]
pub struct Skipper {
    /// The rank.
    #[config(default = 0)]
    rank: usize,
    /// The iter.
    #[config(default = 3, range = 1..)]
    at: u64,
}

#[phases]
impl Skipper {
    fn after_forward(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.rank() == self.rank && cx.iter().get() + 1 == self.at {
            cx.skip_update("one rank does not like it");
        }
        Ok(())
    }
}

/// Asks on one rank, at the last moment, for an update to be left out.
#[hook]
pub struct LateSkipper {
    /// The rank.
    #[config(default = 0)]
    rank: usize,
    /// The iter.
    #[config(default = 3, range = 1..)]
    at: u64,
}

#[phases]
impl LateSkipper {
    fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if cx.rank() == self.rank && cx.iter().get() + 1 == self.at {
            cx.skip_update("one rank does not like it");
        }
        Ok(())
    }
}

/// Counts the batches of its rank.
#[hook]
pub struct OwnCount {
    #[state(per_rank)]
    own: u64,
}

#[phases]
impl OwnCount {
    fn after_train_batch(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.own += 1;
        Ok(())
    }

    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.say(&format!("{} batches on this rank", self.own))
    }
}
