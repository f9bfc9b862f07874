//! Sources → modules, with the compilers that are there.
//!
//! Without one, tests of what it makes are skipped with a message, unless `DEVNET_REQUIRE_ALL` is
//! set, as in CI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Where modules are made: inside of the target directory.
fn workshop(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// What to do when a compiler is missing.
fn skip(what: &str, packages: &str) {
    assert!(
        std::env::var_os("DEVNET_REQUIRE_ALL").is_none(),
        "guests must be compiled here: {what} (apt-get install {packages})"
    );
    eprintln!("skipped: {what} (apt-get install {packages})");
}

/// Compiles C; what is wrong with it, otherwise.
fn clang(compiler: &Path, source: &Path, module: &Path, options: &[&str]) -> Result<(), String> {
    let output = Command::new(compiler)
        .args(["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("guest_programs/sdk/c"))
        .args(options)
        .arg(source)
        .arg("-o")
        .arg(module)
        .output()
        .map_err(|why| why.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The compiler for C, if there is one that makes programs with a C library.
fn c_compiler() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let folder = workshop("c");
        let trial = folder.join("trial.c");
        std::fs::write(&trial, "int main(void) { return 0; }\n").expect("a source");
        let makes =
            |name: &&Path| clang(name, &trial, &folder.join("trial.wasm"), WITH_LIBRARY).is_ok();
        let names = [
            "clang", "clang-14", "clang-15", "clang-16", "clang-17", "clang-18", "clang-19",
            "clang-20", "clang-21", "clang-22",
        ];
        names.map(Path::new).iter().copied().find(makes).map(Path::to_owned)
    });
    if found.is_none() {
        skip(
            "no clang that makes programs for wasm32-wasi",
            "clang lld wasi-libc libclang-rt-14-dev-wasm32",
        );
    }
    found.as_deref()
}

/// With the C library; its extensions are wanted.
const WITH_LIBRARY: &[&str] = &["--target=wasm32-wasi", "-D_GNU_SOURCE", "-Wno-deprecated"];
/// Without any library.
const ALONE: &[&str] = &[
    "--target=wasm32",
    "-ffreestanding",
    "-nostdlib",
    "-mbulk-memory",
    "-Wl,--no-entry",
    "-Wl,--export=_start",
];

/// Makes modules of sources, each once, and reads them; `None` without a compiler.
fn c_modules(sources: &[PathBuf], options: &[&str]) -> Option<Made> {
    let compiler = c_compiler()?;
    let made = sources.iter().map(|source| {
        let name = source.file_stem().expect("a name").to_string_lossy().into_owned();
        let module = workshop("c").join(format!("{name}.wasm"));
        if let Err(why) = clang(compiler, source, &module, options) {
            panic!("{}: {why}", source.display());
        }
        (name, std::fs::read(module).expect("a module"))
    });
    Some(made.collect())
}

/// Modules by the names of their programs.
pub(super) type Modules = [(String, Vec<u8>)];
/// The same, as they were made.
type Made = Vec<(String, Vec<u8>)>;

/// The programs of `guest_programs/examples/c`, and those in C that only test; `None` without a
/// compiler.
pub(super) fn c_programs() -> Option<&'static Modules> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let mut sources = Vec::new();
        for folder in ["guest_programs/examples/c", "tests/guests/compiled/c"] {
            let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
            sources.extend(
                entries
                    .map(|entry| entry.expect("an entry").path())
                    .filter(|path| path.extension().is_some_and(|end| end == "c")),
            );
        }
        let (alone, with_library): (Vec<_>, Vec<_>) =
            sources.into_iter().partition(|path| path.ends_with("freestanding.c"));
        let mut made = c_modules(&with_library, WITH_LIBRARY)?;
        made.extend(c_modules(&alone, ALONE)?);
        Some(made)
    });
    made.as_deref()
}

/// Builds a package of Rust for a target with Debian's compiler, which makes the library that it
/// needs itself; `None` without it.
fn cargo(package: &str, target: &str) -> Option<Made> {
    let has_sources = Path::new("/usr/src").read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("rustc-"))
        })
    });
    let cargo = Path::new("/usr/bin/cargo");
    if !has_sources
        || !succeeds(cargo, &["--version"])
        || !succeeds(Path::new("wasm-ld-22"), &["--version"])
    {
        skip(
            "no Rust that makes programs for wasm32",
            "rustc-web cargo-web rust-web-src lld-22 wasi-libc",
        );
        return None;
    }
    let folder = workshop("rust");
    let output = Command::new(cargo)
        .args(["build", "--release", "--locked"])
        .current_dir(root().join(package))
        // What the cargo that runs this test tells its children is meant for another compiler.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTFLAGS")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", &folder)
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let modules = folder.join(target).join("release").read_dir().expect("a folder");
    let modules = modules.map(|entry| entry.expect("an entry").path());
    let modules =
        modules.filter(|path| path.extension().is_some_and(|end| end == "wasm")).map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a module"))
        });
    Some(modules.collect())
}

/// The programs of `guest_programs/examples/rust`; `None` without a compiler.
pub(super) fn rust_programs() -> Option<&'static Modules> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    MADE.get_or_init(|| cargo("guest_programs/examples/rust", "wasm32-unknown-unknown")).as_deref()
}

/// The programs of `guest_programs/examples/rust_std`, with the standard library; `None` without a
/// compiler.
pub(super) fn rust_std_programs() -> Option<&'static Modules> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    MADE.get_or_init(|| cargo("guest_programs/examples/rust_std", "wasm32-wasip1")).as_deref()
}
