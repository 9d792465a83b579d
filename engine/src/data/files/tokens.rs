//! Files of token numbers, for language models.

use super::error::FileError;
use crate::base::error::{Error, Result};
use crate::base::plain;
use crate::data::dataset::Dataset;
use crate::random::SampleRng;
use engine_macros::component;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const FORMAT: &str = "tokens";

/// How a token is written in a file.
#[component]
#[derive(Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// 16 bits, for vocabularies of up to 65,536.
    U16,
    /// 32 bits.
    U32,
}

impl TokenKind {
    fn width(self) -> usize {
        match self {
            TokenKind::U16 => 2,
            TokenKind::U32 => 4,
        }
    }
}

/// A file of nothing but token numbers, the least significant byte first: what `numpy.array(tokens, "uint16").tofile(path)`
/// writes. It may be larger than the memory: only what is asked for is read, and the system keeps what is read often.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    file: File,
    kind: TokenKind,
    len: usize,
}

impl Tokens {
    /// Opens the file.
    ///
    /// # Errors
    /// When it can't be opened, or its length is not a multiple of that of a token.
    pub fn open(path: &Path, kind: TokenKind) -> Result<Self, FileError> {
        let file = plain::open(path, OpenOptions::new().read(true)).map_err(FileError::read(path))?;
        let (bytes, width) = (file.metadata().map_err(FileError::read(path))?.len(), kind.width() as u64);
        if bytes % width != 0 {
            let what = format!("it has {bytes} bytes, and a token of kind {kind:?} has {width}");
            return Err(FileError::content(path, FORMAT, what));
        }
        let len = usize::try_from(bytes / width).unwrap_or(usize::MAX);
        Ok(Tokens { path: path.to_owned(), file, kind, len })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// So many tokens from this one on.
    ///
    /// # Errors
    /// When the file has not so many, also when it was cut after it was opened, or the disk fails.
    pub fn read(&self, from: usize, count: usize) -> Result<Vec<i64>, FileError> {
        if from.checked_add(count).is_none_or(|end| end > self.len) {
            let what = format!("{count} tokens from {from} on are asked for, and it has {}", self.len);
            return Err(FileError::content(&self.path, FORMAT, what));
        }
        let width = self.kind.width();
        let mut bytes = vec![0; count * width];
        let at = (from * width) as u64;
        self.file.read_exact_at(&mut bytes, at).map_err(FileError::read(&self.path))?;
        let tokens = bytes.chunks_exact(width).map(|token| match *token {
            [low, high] => i64::from(u16::from_le_bytes([low, high])),
            [a, b, c, d] => i64::from(u32::from_le_bytes([a, b, c, d])),
            _ => 0,
        });
        Ok(tokens.collect())
    }
}

/// Windows of a file of tokens, for a model that predicts the next token: batches of inputs `[n, length]` and targets
/// `[n, length]`, i64, where the targets are the tokens behind the inputs.
#[derive(Debug)]
pub struct TokenWindows {
    tokens: Tokens,
    length: usize,
    stride: usize,
    vocabulary: Option<i64>,
}

/// Windows of a file of tokens: `TokenWindows(path: "train.bin", kind: U16, length: 1024)`.
#[component(dataset)]
pub struct TokenWindowsConfig {
    /// The file.
    #[config(exists)]
    pub path: PathBuf,
    /// How a token is written in it.
    pub kind: TokenKind,
    /// Tokens of an input.
    #[config(range = 1..=16_777_216, example = 1024)]
    pub length: usize,
    /// Tokens from the beginning of a window to that of the next one; as many as `length` when it is not given.
    #[config(default, range = 1..)]
    pub stride: Option<usize>,
    /// Tokens of this number and above are refused with their place. Without it a model sees them, and on CUDA ends in an
    /// error that names nothing.
    #[config(default, range = 1..)]
    pub vocabulary: Option<i64>,
}

#[diagnostic::do_not_recommend]
impl Dataset for TokenWindows {
    type Config = TokenWindowsConfig;
    type Item = (Vec<i64>, Vec<i64>);

    fn open(config: &TokenWindowsConfig) -> Result<Self> {
        let tokens = Tokens::open(&config.path, config.kind)?;
        let TokenWindowsConfig { length, stride, vocabulary, .. } = *config;
        let stride = stride.unwrap_or(length);
        if length == 0 || stride == 0 {
            return Err(Error::msg("`length` and `stride` of token windows must be at least 1"));
        }
        if tokens.len() <= length {
            let what = format!(
                "it has {} tokens, and a window of `length` {length} needs {}: the target is one behind the input",
                tokens.len(),
                length + 1
            );
            return Err(FileError::content(&config.path, FORMAT, what).into());
        }
        Ok(TokenWindows { tokens, length, stride, vocabulary })
    }

    fn len(&self) -> usize {
        (self.tokens.len() - self.length - 1) / self.stride + 1
    }

    fn get(&self, index: usize, _: &mut SampleRng) -> Result<Self::Item> {
        let from = index * self.stride;
        let mut input = self.tokens.read(from, self.length + 1)?;
        if let Some(vocabulary) = self.vocabulary
            && let Some(place) = input.iter().position(|token| *token >= vocabulary)
        {
            let what = format!("token {} is {}, and `vocabulary` is {vocabulary}", from + place, input[place]);
            return Err(FileError::content(&self.tokens.path, FORMAT, what).into());
        }
        let target = input[1..].to_vec();
        input.truncate(self.length);
        Ok((input, target))
    }
}
