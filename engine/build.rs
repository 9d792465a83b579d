//! Compiles the C++ shim over libtorch (`native/`), unless only documentation is wanted.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Declarations of Gloo, of which the wheel of libtorch has no headers.
const GLOO: &str = "native/gloo_declared";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=ENGINE_RUSTC_VERSION={}", rustc_version());
    println!("cargo:rerun-if-changed=native");
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return;
    }
    // torch-sys tells where it found libtorch, whichever way that was; nobody else hears it
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Some(lib) = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        println!("cargo:warning=torch-sys did not say where libtorch lies (DEP_TCH_LIBTORCH_LIB)");
        std::process::exit(1);
    };
    compile_shim(&lib.with_file_name("include"));
    println!("cargo:rustc-link-search=native={}", lib.display());
    // named again: the shim's own references come before those of torch-sys on the linker's line
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
    println!("cargo:libtorch_lib={}", lib.display());
}

/// The compiler, for the report of every run.
fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    output.map_or_else(|_| "rustc ?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn compile_shim(include: &Path) {
    let mut build = cc::Build::new();
    // lines are enough for a backtrace; the types of libtorch's headers take half as long again to compile
    build.debug(false);
    if env::var("DEBUG").is_ok_and(|level| !matches!(level.as_str(), "false" | "0" | "none")) {
        build.flag_if_supported("-g1");
    }
    build
        .cpp(true)
        .pic(true)
        .std("c++17")
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        // as libtorch itself was built: its headers have checks, and a class a member, that only its debug builds fill
        .define("NDEBUG", None)
        // without them the headers of process groups are empty
        .define("USE_DISTRIBUTED", None)
        .define("USE_C10D_GLOO", None)
        // also in debug builds: the per-tensor loops run in every step
        .opt_level(2)
        .warnings(true)
        .include(GLOO)
        .flag("-isystem")
        .flag(include)
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        .file("native/all.cpp")
        .compile("engine_native");
}
