//! Files of `torch.save`: how they are told apart, and what is said of them.
//!
//! Reading such a file means running code that it contains (Python's pickle), so only its first bytes are read here.

use crate::base::plain;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Whether a file was written by `torch.save`, now or in former times, by its name or its first bytes.
pub(super) fn is_pickled(path: &Path) -> bool {
    let of_name =
        ["pt", "pth", "bin", "ckpt"].iter().any(|known| path.extension().is_some_and(|found| found == *known));
    let mut first = [0; 4];
    let mut of_content = || {
        plain::check(path).ok()?;
        File::open(path).ok()?.read_exact(&mut first).ok()?;
        Some(first == *b"PK\x03\x04" || first[..2] == *b"\x80\x02")
    };
    of_name || of_content().unwrap_or(false)
}

/// The command that makes a file of it that can be read here.
pub(super) fn conversion(path: &Path) -> String {
    let mut to = path.with_extension("safetensors");
    if to == path {
        to = path.with_extension("converted.safetensors");
    }
    // the paths are arguments, so that none of their characters means anything to Python
    format!(
        "python -c 'import sys, torch; from safetensors.torch import save_file; \
         d = torch.load(sys.argv[1], map_location=\"cpu\", weights_only=True); \
         d = next((d[k] for k in (\"state_dict\", \"model_state_dict\", \"model\") if k in d), d); \
         save_file({{k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}}, sys.argv[2])' {} {}",
        quoted(path),
        quoted(&to)
    )
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_converted_is_not_written_over() {
        assert!(conversion(Path::new("a/net.pth")).ends_with(" 'a/net.pth' 'a/net.safetensors'"));
        let told = conversion(Path::new("net.safetensors"));
        assert!(told.ends_with(" 'net.safetensors' 'net.converted.safetensors'"), "{told}");
    }

    #[test]
    fn any_path_is_one_word_of_a_shell() {
        for name in ["it's.pth", "a b.pt", "$(x)`y`\";.ckpt"] {
            let script = format!("printf %s {}", quoted(Path::new(name)));
            let said = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), name);
        }
    }
}
