//! Shortens error texts of libtorch for messages.
//!
//! An error of libtorch contains C++ frames, which hide the sentence before them. They are removed, unless `--verbose`
//! or, as in PyTorch, `TORCH_SHOW_CPP_STACKTRACES=1` is set.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// What comes before the frames, in a text and in a text that was printed with `{:?}`.
const FRAMES: [&str; 4] = ["\nException raised from ", "\\nException raised from ", "\nframe #0: ", "\\nframe #0: "];

/// What tch puts before libtorch's words.
const BEFORE: &str = "Internal torch error: ";

/// What a panic of tch puts around libtorch's words.
const UNWRAPPED: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"";

/// What follows the sentence that an operator has no kernel for a device, for some kilobytes.
const NO_KERNEL: &str = ". This could be because the operator doesn't exist for this backend";

static SHOWN: AtomicBool = AtomicBool::new(false);

/// Sets whether C++ frames are shown from now on.
pub fn show_frames(shown: bool) {
    SHOWN.store(shown, Ordering::Relaxed);
}

/// The text without C++ frames, and without the text that a panic of tch adds.
pub fn plain(text: &str) -> Cow<'_, str> {
    let wanted = || std::env::var_os("TORCH_SHOW_CPP_STACKTRACES").is_some_and(|wanted| wanted == "1");
    match SHOWN.load(Ordering::Relaxed) || wanted() {
        true => Cow::Borrowed(text),
        false => without_frames(text),
    }
}

/// Whether a text is an error of libtorch about not enough memory, of a CUDA device or of the host.
pub fn is_out_of_memory(text: &str) -> bool {
    text.contains("CUDA out of memory") || text.contains("DefaultCPUAllocator: can't allocate memory")
}

fn without_frames(text: &str) -> Cow<'_, str> {
    let end = FRAMES.iter().chain([&NO_KERNEL]).filter_map(|frames| text.find(frames)).min();
    let Some((before, quoted)) = text.split_once(UNWRAPPED) else {
        let words = &text[..end.unwrap_or(text.len())];
        return Cow::Borrowed(words.strip_prefix(BEFORE).unwrap_or(words));
    };
    let end = end.map_or(quoted.len(), |end| end.saturating_sub(before.len() + UNWRAPPED.len()));
    // what `{:?}` has escaped, of which libtorch's sentences use these
    let words = quoted[..end].trim_end_matches("\")").replace("\\n", "\n").replace("\\\"", "\"").replace("\\'", "'");
    Cow::Owned(format!("{before}{words}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    fn mismatch() -> (Tensor, Tensor) {
        let ones = |n: i64| Tensor::ones([n], (Kind::Float, tch::Device::Cpu));
        (ones(2), ones(3))
    }

    #[test]
    fn an_error_of_libtorch_is_its_sentence_without_frames() {
        let (two, three) = mismatch();
        let error = two.f_dot(&three).unwrap_err().to_string();
        assert!(error.contains("frame #0"), "libtorch has changed its texts: {error}");
        let plain = without_frames(&error);
        assert!(plain.starts_with("inconsistent tensor size, expected tensor [2] and src [3]"), "{plain}");
        assert!(plain.ends_with("3 elements respectively"), "{plain}");
    }

    #[test]
    fn a_panic_of_tch_is_the_sentence_of_libtorch() {
        let (two, three) = mismatch();
        let said = crate::base::panics::message_of(|| two.dot(&three)).unwrap_err();
        assert!(said.starts_with("inconsistent tensor size, expected tensor [2] and src [3]"), "{said}");
        assert!(!said.contains("frame #"), "{said}");
    }

    #[test]
    fn an_operator_without_a_device_is_told_in_one_sentence() {
        // on a machine with CUDA there is nothing to be told
        if tch::Cuda::is_available() {
            return;
        }
        let (two, _) = mismatch();
        for said in [
            two.f_to_device(tch::Device::Cuda(0)).unwrap_err().to_string(),
            Tensor::f_zeros([1], (Kind::Float, tch::Device::Cuda(0))).unwrap_err().to_string(),
        ] {
            let plain = without_frames(&said);
            assert!(plain.len() < 300 && !plain.contains("registered at") && !plain.contains('\n'), "{plain}");
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in ["", "a step gave up", "called `Result::unwrap()` on an `Err` value: Io(\"gone\")"] {
            assert_eq!(without_frames(text), text);
        }
    }

    #[test]
    fn memory_that_the_host_has_not_is_told_apart_from_other_errors() {
        let (two, three) = mismatch();
        assert!(!is_out_of_memory(&two.f_dot(&three).unwrap_err().to_string()));
        // no machine has 2^60 bytes to address
        let error = Tensor::f_empty([1 << 58], (Kind::Float, tch::Device::Cpu)).unwrap_err().to_string();
        assert!(is_out_of_memory(&error), "{error}");
    }
}
