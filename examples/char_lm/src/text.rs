//! Text as bytes: windows to learn from, and prompts to go on with.
//!
//! The vocabulary is the 256 bytes. It depends on no text, so a checkpoint fits any other text too, and there is no
//! character that the model has no number for.

use crate::gpt::VOCABULARY;
use engine::data::files::{TokenKind, Tokens};
use engine::prelude::*;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Windows of a text as bytes: `Text(part: Train, paths: ["poems"], extension: "txt", block: 128)`.
#[component(dataset)]
pub struct TextConfig {
    /// Which part of the text.
    pub part: Part,
    /// Files, and folders that are searched with all their folders; by default this project's own sources.
    #[config(default = own_sources(), exists)]
    pub paths: Vec<PathBuf>,
    /// A file of byte tokens of 16 bits in place of `paths`, as the program `tokens` writes it. It may be larger than the
    /// memory: only the windows that are wanted are read.
    #[config(default)]
    pub tokens: Option<PathBuf>,
    /// Which files of a folder are taken.
    #[config(default = "rs")]
    pub extension: String,
    /// Bytes in a window.
    #[config(default = 128, range = 1..=65_536)]
    pub block: usize,
}

/// The two parts of the text.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum Part {
    /// The first nine tenths, to learn from.
    Train,
    /// The last tenth, to be judged by.
    Val,
}

/// A part of a text.
pub struct Text {
    source: Source,
    block: usize,
    part: Part,
}

/// Where the bytes of a part are.
enum Source {
    Memory(Vec<u8>),
    /// These tokens of a file.
    File(Tokens, Range<usize>),
}

impl Source {
    /// The whole text of the settings.
    fn open(config: &TextConfig) -> Result<Source> {
        if let Some(path) = &config.tokens {
            let tokens = Tokens::open(path, TokenKind::U16)
                .context("no file of tokens could be opened; the program `tokens` writes one")?;
            let all = 0..tokens.len();
            return Ok(Source::File(tokens, all));
        }
        let mut files = Vec::new();
        for path in &config.paths {
            find(path, &config.extension, &mut files).with_context(|| format!("`{}` can't be read", path.display()))?;
        }
        let mut whole = Vec::new();
        for file in &files {
            let bytes = std::fs::read(file).with_context(|| format!("`{}` can't be read", file.display()))?;
            whole.extend(bytes);
        }
        Ok(Source::Memory(whole))
    }

    fn len(&self) -> usize {
        match self {
            Source::Memory(bytes) => bytes.len(),
            Source::File(_, range) => range.len(),
        }
    }

    /// These bytes of it alone.
    fn part(self, part: Range<usize>) -> Source {
        match self {
            Source::Memory(bytes) => Source::Memory(bytes[part].to_vec()),
            Source::File(tokens, all) => Source::File(tokens, all.start + part.start..all.start + part.end),
        }
    }

    /// Bytes as numbers, from a place on.
    fn read(&self, from: usize, count: usize) -> Result<Vec<i64>> {
        match self {
            Source::Memory(bytes) => Ok(bytes[from..from + count].iter().map(|byte| i64::from(*byte)).collect()),
            Source::File(tokens, range) => {
                let read = tokens.read(range.start + from, count)?;
                match read.iter().find(|token| **token >= VOCABULARY) {
                    None => Ok(read),
                    Some(token) => Err(Error::msg(format!(
                        "the file of tokens has a token {token} behind token {}, and bytes are below {VOCABULARY}; make it with the program `tokens`",
                        range.start + from
                    ))),
                }
            }
        }
    }
}

impl Dataset for Text {
    type Config = TextConfig;
    /// A window of the text, and the same window one byte on; each `[block]`.
    type Item = (Vec<i64>, Vec<i64>);

    fn open(config: &TextConfig) -> Result<Self> {
        let whole = Source::open(config)?;
        let cut = whole.len() / 10 * 9;
        let part = match config.part {
            Part::Train => 0..cut,
            Part::Val => cut..whole.len(),
        };
        let source = whole.part(part);
        if source.len() <= config.block {
            return Err(Error::msg(format!(
                "this part of the text has {} bytes, a window takes {}; name other `paths`, another `extension` (`.{}`) or a smaller `block`",
                source.len(),
                config.block + 1,
                config.extension
            )));
        }
        Ok(Text { source, block: config.block, part: config.part })
    }

    /// As many windows as lie side by side.
    fn len(&self) -> usize {
        (self.source.len() - 1) / self.block
    }

    fn get(&self, index: usize, rng: &mut SampleRng) -> Result<(Vec<i64>, Vec<i64>)> {
        // in training a window begins anywhere in its stretch, so that the cuts are not always at the same bytes
        let moved = match self.part {
            Part::Train => rng.index(self.block),
            Part::Val => 0,
        };
        let begin = (index * self.block + moved).min(self.source.len() - 1 - self.block);
        let mut input = self.source.read(begin, self.block + 1)?;
        let next = input[1..].to_vec();
        input.truncate(self.block);
        Ok((input, next))
    }
}

impl Text {
    /// The whole part, when it is in memory.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Memory(bytes) => Some(bytes),
            Source::File(..) => None,
        }
    }
}

/// The sources of the project that this program was built in.
fn own_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ["engine", "engine-macros", "xtask"].map(|package| root.join(package)).into()
}

/// Adds a file, or the files below a folder that have this extension, in an order that is the same everywhere.
fn find(path: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|found| found == extension) {
            find(&entry, extension, found)?;
        }
    }
    Ok(())
}

/// Texts to go on with: `Prompts(texts: ["fn main"])`.
#[component(dataset)]
pub struct PromptsConfig {
    /// The texts to go on with, each of at least one byte.
    pub texts: Vec<String>,
}

/// Texts to go on with.
pub struct Prompts {
    texts: Vec<String>,
}

impl Dataset for Prompts {
    type Config = PromptsConfig;
    type Item = String;

    fn open(config: &PromptsConfig) -> Result<Self> {
        if config.texts.iter().any(String::is_empty) {
            return Err(Error::msg("a prompt is empty; give it at least one character"));
        }
        Ok(Prompts { texts: config.texts.clone() })
    }

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn get(&self, index: usize, _rng: &mut SampleRng) -> Result<String> {
        Ok(self.texts[index].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(part: Part, block: usize) -> Text {
        Text::open(&TextConfig { part, paths: own_sources(), tokens: None, extension: "rs".into(), block }).unwrap()
    }

    #[test]
    fn the_parts_are_the_text_in_order() {
        let (train, val) = (open(Part::Train, 8), open(Part::Val, 8));
        let (train, val) = (train.bytes().unwrap(), val.bytes().unwrap());
        assert!(train.len() / 9 <= val.len() && val.len() <= train.len() / 9 + 10);
        let mut files = Vec::new();
        own_sources().iter().for_each(|path| find(path, "rs", &mut files).unwrap());
        let whole: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
        assert_eq!([train, val].concat(), whole);
    }

    #[test]
    fn the_target_is_the_byte_that_comes_next() {
        let text = Text { source: Source::Memory((0..=255).collect()), block: 10, part: Part::Train };
        assert_eq!(text.len(), 25);
        let (input, next) = text.batch(&Samples::new(1, vec![0, 7, 24])).unwrap();
        assert_eq!((input.size(), input.kind()), (vec![3, 10], Kind::Int64));
        assert_eq!(&input + 1, next);
        // moved by less than a window, and never past the end
        let begins = Vec::<i64>::try_from(input.select(1, 0)).unwrap();
        assert!((0..10).contains(&begins[0]) && (70..80).contains(&begins[1]) && (240..=245).contains(&begins[2]));
    }

    #[test]
    fn the_windows_of_the_validation_lie_side_by_side() {
        let text = Text { source: Source::Memory((0..=255).collect()), block: 10, part: Part::Val };
        let (input, _) = text.batch(&Samples::new(1, (0..text.len()).collect())).unwrap();
        assert_eq!(Vec::<i64>::try_from(input.flatten(0, 1)).unwrap(), (0..250).collect::<Vec<i64>>());
    }

    #[test]
    fn a_text_that_is_too_short_or_not_there_is_refused() {
        let refused = |paths: Vec<PathBuf>, extension: &str| {
            let config = TextConfig { part: Part::Val, paths, tokens: None, extension: extension.into(), block: 128 };
            format!("{:#}", Text::open(&config).err().unwrap())
        };
        assert!(
            refused(own_sources(), "poem")
                .contains("has 0 bytes, a window takes 129; name other `paths`, another `extension` (`.poem`)")
        );
        assert!(
            refused(vec!["no/such/folder".into()], "rs").starts_with("`no/such/folder` can't be read: No such file")
        );
    }

    #[test]
    fn a_file_of_tokens_gives_the_windows_of_its_text() {
        let path = std::env::temp_dir().join(format!("char_lm_text_{}.bin", std::process::id()));
        let write = |tokens: &[u16]| {
            std::fs::write(&path, tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
        };
        let open = |part| {
            let config =
                TextConfig { part, paths: Vec::new(), tokens: Some(path.clone()), extension: "rs".into(), block: 4 };
            Text::open(&config).unwrap()
        };
        let read = |text: &Text| {
            let (input, next) = text.batch(&Samples::new(1, (0..text.len()).collect())).unwrap();
            assert_eq!(&input + 1, next);
            Vec::<i64>::try_from(input.flatten(0, 1)).unwrap()
        };
        write(&(0..100).collect::<Vec<u16>>());
        let (train, val) = (open(Part::Train), open(Part::Val));
        assert_eq!((train.len(), read(&val)), (22, (90..98).collect()));
        assert!(read(&train).iter().all(|byte| *byte < 90));
        write(&[300; 100]);
        let error = open(Part::Val).get(0, &mut Samples::new(1, vec![0]).rng(0)).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains("a token 300 behind token 90, and bytes are below 256"), "{error}");
    }
}
