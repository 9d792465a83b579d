//! A hook of this program's own.

use engine::folder::write_atomic;
use engine::prelude::*;
use std::fmt::Write as _;

/// Shows the validation samples that the model gets most wrong: in `worst_cases.txt` of the run's folder, and on the
/// console when only a validation runs.
///
/// A sample is known by its place in the validation loader, which therefore must not be shuffled.
#[hook(priority = "LOW")]
pub struct WorstCases {
    /// How many samples are shown.
    #[config(default = 5, range = 1..=100)]
    keep: usize,
    /// How often each sample was judged wrongly. Saved, so that a resumed run goes on counting.
    #[state]
    times_wrong: Vec<u64>,
    /// Validations that were counted.
    #[state]
    validations: u64,
    /// What the current validation has judged, batch by batch. Rebuilt by every validation, so it is never saved.
    #[transient]
    judged: Vec<Judged>,
}

/// A batch after its step.
struct Judged {
    images: Tensor,
    logits: Tensor,
    target: Tensor,
}

// a misspelt phase in this block does not compile; helpers are in a block of their own
#[phases]
impl WorstCases {
    fn before_val(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.judged.clear();
        Ok(())
    }

    // phases that end something run also when an error or a signal is on its way out, unless they are only for good ends
    #[only_ok]
    fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let output = cx.output()?;
        let tensor = |name: &str| output.get(name).map(Tensor::shallow_clone);
        let (Some(images), Some(logits), Some(target)) = (tensor("image"), tensor("logits"), tensor("target")) else {
            return Err(Error::msg("`WorstCases` needs the tensors `image`, `logits` and `target` of `val_step`"));
        };
        // kept where they lie: they are read once, after the validation, and not in every iter
        self.judged.push(Judged { images, logits, target });
        Ok(())
    }

    // half a validation shows nothing
    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.collect(cx)?;
        if self.judged.is_empty() || !cx.is_main() {
            return Ok(());
        }
        let report = self.report()?;
        match cx.folder() {
            Some(folder) => Ok(write_atomic(&folder.path().join("worst_cases.txt"), report.as_bytes())?),
            None => cx.say(&report),
        }
    }
}

impl WorstCases {
    /// Of several ranks each has judged its part of every batch: rank 0 the first part, and so on. Puts the parts of all in
    /// the order of the data.
    fn collect(&mut self, cx: &Context<'_>) -> Result<()> {
        let of_all =
            |part: fn(&Judged) -> &Tensor| self.judged.iter().map(|j| part(j).shallow_clone()).collect::<Vec<_>>();
        let mut own = StateMap::new();
        own.put("images", &of_all(|j| &j.images));
        own.put("logits", &of_all(|j| &j.logits));
        own.put("target", &of_all(|j| &j.target));
        let mut ranks = Vec::new();
        for mut state in cx.gather(own)? {
            let mut part = |name: &str| state.take::<Vec<Tensor>>(name);
            let parts = part("images")?.into_iter().zip(part("logits")?).zip(part("target")?);
            ranks.push(parts.map(|((images, logits), target)| Judged { images, logits, target }));
        }
        self.judged.clear();
        loop {
            // at the end of the data some ranks have no part of the last batch
            let batch: Vec<Judged> = ranks.iter_mut().filter_map(Iterator::next).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.judged.extend(batch);
        }
    }

    /// Counts what is wrong, and draws the worst.
    fn report(&mut self) -> Result<String> {
        let joined = |part: fn(&Judged) -> &Tensor| Tensor::cat(&self.judged.iter().map(part).collect::<Vec<_>>(), 0);
        let (images, logits, target) = (joined(|j| &j.images), joined(|j| &j.logits), joined(|j| &j.target));
        let losses = logits.cross_entropy_loss::<Tensor>(&target, None, Reduction::None, -100, 0.0);
        let (_, worst) = losses.topk((self.keep as i64).min(losses.size1()?), 0, true, true);
        let judged = Vec::<i64>::try_from(logits.argmax(1, false))?;
        let target = Vec::<i64>::try_from(target)?;

        self.times_wrong.resize(target.len(), 0);
        self.validations += 1;
        for (times, (judged, target)) in self.times_wrong.iter_mut().zip(judged.iter().zip(&target)) {
            *times += u64::from(judged != target);
        }

        let mut text = String::new();
        for case in Vec::<i64>::try_from(worst)? {
            let n = case as usize;
            let verdict = match judged[n] == target[n] {
                true => "judged right, but barely".to_owned(),
                false => format!("judged {}", judged[n]),
            };
            let (times, of) = (self.times_wrong[n], self.validations);
            // writing to a String can't fail
            let _ = writeln!(text, "sample {n}, a {}: {verdict}; wrong in {times} of {of} validations", target[n]);
            text.push_str(&drawing(&images.get(case).get(0))?);
            text.push('\n');
        }
        Ok(text)
    }
}

/// An image `[h, w]` in 0 to 1 as lines of text. Each pixel is two characters wide, about as wide as a line is high.
fn drawing(image: &Tensor) -> Result<String> {
    const SHADES: [char; 8] = [' ', '.', ':', '-', '=', '+', '#', '@'];
    let mut text = String::new();
    for row in Vec::<Vec<f32>>::try_from(image)? {
        for pixel in row {
            let shade = SHADES[((pixel * 8.0) as usize).min(7)];
            text.extend([shade, shade]);
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_come_first_and_wrong_ones_are_counted_over_validations() {
        let judged = || Judged {
            images: Tensor::ones([3, 1, 8, 8], (Kind::Float, Device::Cpu)),
            // right with a large margin, wrong with a large one, wrong with a small one
            logits: Tensor::from_slice2(&[[9f32, 0.], [0., 9.], [0., 1.]]),
            target: Tensor::from_slice(&[0i64, 0, 0]),
        };
        let mut hook = WorstCases { keep: 2, times_wrong: vec![], validations: 0, judged: vec![judged()] };
        hook.report().unwrap();
        let report = hook.report().unwrap();
        let headings: Vec<&str> = report.lines().filter(|line| line.starts_with("sample")).collect();
        assert_eq!(
            headings,
            [
                "sample 1, a 0: judged 1; wrong in 2 of 2 validations",
                "sample 2, a 0: judged 1; wrong in 2 of 2 validations"
            ]
        );
        assert_eq!(hook.times_wrong, [0, 2, 2]);
    }
}
