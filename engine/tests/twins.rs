//! A program that has two hooks of one name: no experiment could say which it means, so nothing runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "the program is that of a test")]

mod program {
    include!("documents/forty_lines.rs");
}

mod one {
    use engine::prelude::*;

    #[hook]
    pub struct Twin {}

    #[phases]
    impl Twin {
        fn before_run(&mut self, _: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
    }
}

mod two {
    use engine::prelude::*;

    #[hook]
    pub struct Twin {}

    #[phases]
    impl Twin {
        fn before_run(&mut self, _: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
    }
}

/// Set in the process that is to be the program.
const AS_PROGRAM: &str = "ENGINE_TEST_AS_PROGRAM";

#[test]
fn two_components_of_one_name_are_refused_with_both_places() {
    if std::env::var_os(AS_PROGRAM).is_some() {
        println!("{:?}", engine::cli::main::<program::Classifier>("0", ["twins", "list"]));
        return;
    }
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "two_components_of_one_name_are_refused_with_both_places", "--nocapture"];
    let ended = std::process::Command::new(this).args(arguments).env(AS_PROGRAM, "1").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(stdout.contains("(2)") && !stdout.contains("Ema"), "{stdout}");
    assert!(stderr.contains("error: two hooks are named `Twin`: one at engine/tests/twins.rs:13"), "{stderr}");
    assert!(stderr.contains("one at engine/tests/twins.rs:27") && stderr.contains("name = "), "{stderr}");
}
