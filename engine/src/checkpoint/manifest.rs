//! What a checkpoint consists of: one line a file, sealed by the hash of all lines.
//!
//! ```text
//! engine checkpoint 2
//! 7c3f… 14232 net.safetensors
//! 51d0… 310 ranks/0/state.ron
//! seal 09ab…
//! ```

use super::FORMAT;

/// One file of a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path within the folder.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) size: u64,
    /// The blake3 hash of its content.
    pub(super) hash: blake3::Hash,
}

/// What is wrong with a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Another version of the layout than this engine reads.
    Version(u32),
    /// Not what was written.
    Damaged(&'static str),
}

/// The manifest's text.
pub(super) fn render(entries: &[Entry]) -> String {
    let mut text = format!("{TITLE}{FORMAT}\n");
    for Entry { name, size, hash } in entries {
        text.push_str(&format!("{hash} {size} {name}\n"));
    }
    let seal = blake3::hash(text.as_bytes());
    text.push_str(&format!("{SEAL}{seal}\n"));
    text
}

/// The files that a manifest lists.
///
/// # Errors
/// When a byte of it was changed, or it was cut at any place.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Damaged("it is not UTF-8 text"))?;
    // the version first: another engine may seal in another way
    let version = text.lines().next().and_then(|line| line.strip_prefix(TITLE)?.parse().ok());
    match version {
        Some(FORMAT) => {}
        Some(other) => return Err(Flaw::Version(other)),
        None => return Err(Flaw::Damaged("its first line is not that of a checkpoint")),
    }
    let (body, seal) = text
        .strip_suffix('\n')
        .and_then(|text| text.rfind('\n').map(|end| text.split_at(end + 1)))
        .ok_or(Flaw::Damaged("it is cut short"))?;
    let seal = seal.strip_prefix(SEAL).ok_or(Flaw::Damaged("it is cut short"))?;
    if seal != blake3::hash(body.as_bytes()).to_hex().as_str() {
        return Err(Flaw::Damaged("its lines are not the ones that were sealed"));
    }
    body.lines().skip(1).map(|line| entry(line).ok_or(Flaw::Damaged("it has a line of another form"))).collect()
}

const TITLE: &str = "engine checkpoint ";
const SEAL: &str = "seal ";

fn entry(line: &str) -> Option<Entry> {
    let mut parts = line.splitn(3, ' ');
    let hash = blake3::Hash::from_hex(parts.next()?).ok()?;
    let size = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    plain.then(|| Entry { name: name.to_owned(), size, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, content: &[u8]| Entry {
            name: name.to_owned(),
            size: content.len() as u64,
            hash: blake3::hash(content),
        };
        vec![entry("meta.ron", b"()"), entry("net.safetensors", b"12345678"), entry("ranks/0/state.ron", b"{}")]
    }

    #[test]
    fn a_manifest_comes_back_and_no_part_of_it_does() {
        let text = render(&entries());
        assert_eq!(parse(text.as_bytes()).unwrap(), entries());
        for end in 0..text.len() {
            assert!(matches!(parse(&text.as_bytes()[..end]), Err(Flaw::Damaged(_))), "cut at {end}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let text = render(&entries());
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                assert!(parse(&bytes).is_err(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn another_format_is_told_apart_from_damage() {
        assert_eq!(parse(b"engine checkpoint 3\nwhatever").unwrap_err(), Flaw::Version(3));
        assert_eq!(parse(b"engine checkpoint 1\nwhatever").unwrap_err(), Flaw::Version(1));
    }
}
