//! Lines of source that are of use to who has written a program: not those of the engine, of tch, or of Rust's library.

use std::backtrace::Backtrace;

/// Whether a file is of the engine's own.
pub(crate) fn is_of_engine(file: &str) -> bool {
    // this file, as the compiler calls it
    let folder = file!().trim_end_matches("base/lines.rs");
    file.starts_with(folder) || file.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/src/"))
}

/// Whether a file is of Rust's library, of a package from a registry, or of the engine's own.
fn is_of_library(file: &str) -> bool {
    file.starts_with("/rustc/") || file.contains("/.cargo/") || file.contains("/registry/src/") || is_of_engine(file)
}

/// The user's line that has called into a library that panics there: `src/main.rs:41`. `None` when `file` is the user's
/// own, or the program was built without line numbers.
pub(crate) fn caller_of(file: &str) -> Option<String> {
    if !is_of_library(file) {
        return None;
    }
    first_of_user(&Backtrace::force_capture().to_string())
}

/// The first line of a backtrace that is the user's. They are printed as `at ./src/main.rs:41:9`.
fn first_of_user(backtrace: &str) -> Option<String> {
    let places = backtrace.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    places.map(|place| place.strip_prefix("./").unwrap_or(place)).find_map(|place| {
        let (line, _column) = place.rsplit_once(':')?;
        let (file, _) = line.rsplit_once(':')?;
        (!is_of_library(file)).then(|| line.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_of_no_library_is_the_users() {
        let backtrace = "   0: core::panicking::panic_fmt
             at /rustc/59807616/library/core/src/panicking.rs:80:14
   1: tch::wrappers::tensor_generated::<impl tch::Tensor>::matmul
             at /root/.cargo/registry/src/index.crates.io-1/tch-0.20.0/src/wrappers/tensor_generated.rs:13:9
   2: spirals::train_step
             at ./src/main.rs:41:17
   3: main
             at ./src/main.rs:90:1";
        assert_eq!(first_of_user(backtrace).as_deref(), Some("src/main.rs:41"));
        assert_eq!(first_of_user("   0: no lines"), None);
        assert_eq!(caller_of("src/main.rs"), None);
        assert!(is_of_engine(file!()) && !is_of_engine("src/main.rs"));
    }
}
