//! Draws text from the network, one byte after the other.

use crate::gpt::Gpt;
use engine::prelude::*;
use engine::random::Stream;

/// The prompt and `tokens` more bytes. What is no text (half a character at the end, say) is shown as `�`.
///
/// # Errors
/// When the network can't take the prompt.
pub fn after(
    gpt: &Gpt,
    prompt: &str,
    tokens: usize,
    temperature: f64,
    draws: &mut Stream,
    device: Device,
) -> Result<String> {
    let mut text = prompt.as_bytes().to_vec();
    for _ in 0..tokens {
        let seen = &text[text.len().saturating_sub(gpt.block())..];
        let seen: Vec<i64> = seen.iter().map(|byte| i64::from(*byte)).collect();
        let logits = gpt.forward(&Tensor::from_slice(&seen).unsqueeze(0).to_device(device), false)?;
        text.push(drawn(&logits.get(0).get(-1), temperature, draws)?);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// One of the bytes, each as probable as its logit says: `[256]`.
fn drawn(logits: &Tensor, temperature: f64, draws: &mut Stream) -> Result<u8> {
    if temperature == 0.0 {
        return Ok(u8::try_from(i64::try_from(logits.argmax(0, false))?)?);
    }
    // in double precision and on the host: the draw is then a function of the logits and the generator alone
    let chances = Vec::<f64>::try_from((logits.to_kind(Kind::Double) / temperature).softmax(0, None))?;
    let mut left = draws.unit();
    for (byte, chance) in chances.iter().enumerate() {
        left -= chance;
        if left < 0.0 {
            return Ok(u8::try_from(byte)?);
        }
    }
    // the chances sum to 1 but for their last bits
    Ok(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_drawn_as_often_as_their_logits_say() {
        let logits = Tensor::full([256], f64::NEG_INFINITY, (Kind::Float, Device::Cpu));
        let (mut a, mut b) = (logits.get(7), logits.get(200));
        let _ = (a.fill_(0.0), b.fill_(3f64.ln()));
        let mut draws = Stream::new(1, "test", 0, 0);
        let bytes: Vec<u8> = (0..4000).map(|_| drawn(&logits, 1.0, &mut draws).unwrap()).collect();
        let share = bytes.iter().filter(|byte| **byte == 7).count();
        // expected 1,000 with a standard deviation of 27
        assert!((880..1120).contains(&share) && bytes.iter().all(|byte| [7, 200].contains(byte)), "{share}");
        assert_eq!(drawn(&logits, 0.0, &mut draws).unwrap(), 200);
    }
}
