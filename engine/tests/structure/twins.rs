//! Two components of one name: no experiment could say which it means, so nothing runs.

use crate::documents::forty_lines::Classifier;

/// Set in the process that is to be the program.
const AS_PROGRAM: &str = "ENGINE_TEST_AS_PROGRAM";

/// The two programs of the README, both of which are part of these tests, have a dataset `Spirals` each.
#[test]
fn two_components_of_one_name_are_refused_with_both_places() {
    if std::env::var_os(AS_PROGRAM).is_some() {
        println!("{:?}", engine::cli::main::<Classifier>("0", ["twins", "list"]));
        return;
    }
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "twins::two_components_of_one_name_are_refused_with_both_places", "--nocapture"];
    let ended = std::process::Command::new(this).args(arguments).env(AS_PROGRAM, "1").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(stdout.contains("(2)") && !stdout.contains("Ema"), "{stdout}");
    let programs = "engine/tests/structure/programs";
    let first = format!("error: two datasets are named `Spirals`: one at {programs}/forty_lines.rs:3");
    let second = format!("one at {programs}/spirals.rs:9; give one of them a `name = \"…\"`");
    assert!(stderr.contains(&first) && stderr.contains(&second), "{stderr}");
}
