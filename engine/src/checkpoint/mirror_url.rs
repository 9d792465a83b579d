//! The address of a mirror of checkpoints: `s3://bucket/prefix`. The mirror itself takes the feature `s3`.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Where a mirror is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MirrorUrl(String);

impl MirrorUrl {
    /// Reads `s3://bucket` or `s3://bucket/prefix`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<MirrorUrl, String> {
        let wrong =
            |why: &str| Err(format!("`{text}` is not the address of a mirror: {why}; write `s3://bucket/prefix`"));
        let Some(rest) = text.strip_prefix("s3://") else { return wrong("it does not begin with `s3://`") };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let in_bucket = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(in_bucket) {
            return wrong("a bucket has letters, digits, `.`, `-` and `_`, at least one of them");
        }
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(char::is_control);
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return wrong("a part of the prefix is empty, `.` or `..`");
        }
        Ok(MirrorUrl(text.to_owned()))
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        self.parts().0
    }

    /// What comes before the run's name in the keys, without `/` at its end.
    pub fn prefix(&self) -> &str {
        self.parts().1.trim_end_matches('/')
    }

    fn parts(&self) -> (&str, &str) {
        let rest = self.0.strip_prefix("s3://").unwrap_or(&self.0);
        rest.split_once('/').unwrap_or((rest, ""))
    }
}

impl fmt::Display for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MirrorUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if cfg!(not(feature = "s3")) {
            return Err(serde::de::Error::custom(
                "a mirror takes the feature `s3` of the engine: set `features = [\"s3\"]` for `engine` in `Cargo.toml`",
            ));
        }
        MirrorUrl::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_a_prefix() {
        for (text, bucket, prefix) in
            [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://my.b/a/b c/", "my.b", "a/b c"), ("s3://b/ä", "b", "ä")]
        {
            let url = MirrorUrl::new(text).unwrap();
            assert_eq!((url.bucket(), url.prefix()), (bucket, prefix), "{text}");
        }
        for text in ["", "b/a", "s3:/b/a", "s3://", "s3:///a", "s3://b//a", "s3://b/../a", "s3://b?x/a", "gs://b/a"] {
            assert!(MirrorUrl::new(text).is_err(), "{text}");
        }
    }
}
