//! Makes a file of byte tokens from texts: `tokens TEXT… TO`.
//!
//! Each byte becomes a token of 16 bits, the least significant byte first, which is what the dataset `Text` reads with its
//! setting `tokens`. The texts are read and written piece by piece, so they may be larger than the memory.

use engine::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

fn main() -> std::process::ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let made = match arguments.split_last() {
        Some((to, texts)) if !texts.is_empty() => write(texts, to),
        _ => Err(Error::msg("write `tokens TEXT… TO`: one or more texts, and the file to write")),
    };
    match made {
        Ok(tokens) => {
            println!("{tokens} tokens");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Writes the bytes of all texts as tokens; gives their number. A file that is there already is not replaced.
fn write(texts: &[PathBuf], to: &Path) -> Result<u64> {
    // what is half written has another name, so that no training takes it for the whole
    let unfinished = to.with_extension("unfinished");
    let written = |path: &Path| format!("`{}` can't be written", path.display());
    if to.exists() {
        return Err(Error::msg(format!("`{}` is there already; delete it, or choose another name", to.display())));
    }
    let mut out = BufWriter::new(File::create(&unfinished).with_context(|| written(&unfinished))?);
    let (mut tokens, mut piece) = (0, vec![0; 1 << 16]);
    for text in texts {
        let read = || format!("`{}` can't be read", text.display());
        let mut from = File::open(text).with_context(read)?;
        loop {
            let length = from.read(&mut piece).with_context(read)?;
            if length == 0 {
                break;
            }
            let wide: Vec<u8> = piece[..length].iter().flat_map(|byte| u16::from(*byte).to_le_bytes()).collect();
            out.write_all(&wide).with_context(|| written(&unfinished))?;
            tokens += length as u64;
        }
    }
    out.into_inner()
        .map_err(|error| Error::new(error.into_error()))?
        .sync_all()
        .with_context(|| written(&unfinished))?;
    std::fs::rename(&unfinished, to).with_context(|| written(to))?;
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_tokens_one_after_the_other() {
        let dir = std::env::temp_dir().join(format!("char_lm_tokens_{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = |name: &str| dir.join(name);
        std::fs::write(path("a.txt"), "ab").unwrap();
        std::fs::write(path("b.txt"), "ü").unwrap();
        let made = write(&[path("a.txt"), path("b.txt")], &path("all.bin"));
        let refused = write(&[path("a.txt")], &path("all.bin"));
        let missing = write(&[path("no.txt")], &path("other.bin"));
        let bytes = std::fs::read(path("all.bin"));
        let other = path("other.bin").exists();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!((made.unwrap(), bytes.unwrap()), (4, vec![97, 0, 98, 0, 0xc3, 0, 0xbc, 0]));
        assert!(refused.unwrap_err().to_string().contains("is there already"));
        assert!(missing.unwrap_err().to_string().contains("no.txt` can't be read") && !other);
    }
}
