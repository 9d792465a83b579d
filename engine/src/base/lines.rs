//! Lines of source that are of use to who has written a program: not those of the engine, of tch, or of Rust's library.

use std::backtrace::Backtrace;
use std::path::Path;

/// Whether a file is of the engine's own.
fn is_of_engine(file: &str) -> bool {
    // this file, as the compiler calls it
    let folder = file!().trim_end_matches("base/lines.rs");
    file.starts_with(folder) || file.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/src/"))
}

/// Whether a file is of Rust's library, or of a package from a registry.
fn is_foreign(file: &str) -> bool {
    file.starts_with("/rustc/") || file.contains("/registry/src/")
}

/// Whether a file is of none that who writes a program looks into.
pub(crate) fn is_of_library(file: &str) -> bool {
    is_foreign(file) || is_of_engine(file)
}

/// The user's line that has called into a package where something panics: `src/main.rs:41`. `None` when `file`, where it
/// panics, is of no such package, or the program was built without line numbers.
pub(crate) fn caller_of(file: &str) -> Option<String> {
    if !is_foreign(file) {
        return None;
    }
    let folder = std::env::current_dir().ok()?;
    first_of_user(&Backtrace::force_capture().to_string(), &folder)
}

/// The first line of a backtrace that is the user's, before the engine's call of the user's code. Lines are printed as
/// `at /path/main.rs:41:9`, and as `at ./main.rs:41:9` below the current folder.
fn first_of_user(backtrace: &str, folder: &Path) -> Option<String> {
    let mut panicking = false;
    for place in backtrace.lines().filter_map(|line| line.trim_start().strip_prefix("at ")) {
        let (line, _column) = place.rsplit_once(':')?;
        let (file, number) = line.rsplit_once(':')?;
        let whole = match file.strip_prefix("./") {
            Some(file) => folder.join(file).display().to_string(),
            None => file.to_owned(),
        };
        // above it is what looks at the panic
        panicking |= is_foreign(&whole) && whole.ends_with("/panicking.rs");
        if panicking && is_of_engine(&whole) && whole.ends_with("/base/panics.rs") {
            return None;
        }
        if panicking && !is_of_library(&whole) {
            return Some(format!("{}:{number}", file.trim_start_matches("./")));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_of_no_library_is_the_users() {
        let backtrace = |user: &str| {
            format!(
                "   0: engine::base::panics::listen
             at {engine}/base/panics.rs:120:1
   1: core::panicking::panic_fmt
             at /rustc/59807616/library/core/src/panicking.rs:80:14
   2: tch::wrappers::tensor_generated::<impl tch::Tensor>::matmul
             at /root/.cargo/registry/src/index.crates.io-1/tch-0.24.0/src/wrappers/tensor_generated.rs:13:9
   3: engine::nn::linear
             at {engine}/nn/linear.rs:30:1
{user}   5: engine::base::panics::catch_in_bracket
             at {engine}/base/panics.rs:80:1
   6: main
             at ./src/main.rs:90:1",
                engine = concat!(env!("CARGO_MANIFEST_DIR"), "/src")
            )
        };
        let found = |user: &str| first_of_user(&backtrace(user), Path::new("/home/me/spirals"));
        let step = "   4: spirals::train_step\n             at ./src/main.rs:41:17\n";
        assert_eq!(found(step).as_deref(), Some("src/main.rs:41"));
        // nothing of the user's has called it
        assert_eq!(found(""), None);
        assert_eq!(first_of_user("   0: no lines", Path::new("/")), None);
        assert_eq!(caller_of("src/main.rs"), None);
        assert!(is_of_library(file!()) && !is_of_library("src/main.rs"));
    }
}
