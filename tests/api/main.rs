//! The public API of each crate, as text in this folder, so that a change of it is seen.
//!
//! `cargo run -p devnet-tests --bin api` writes the files; `-- --check` compares and fails when one
//! differs. A line that went away or changed breaks programs of others: it needs a line in
//! CHANGELOG.md and, after 1.0, a new major version. The list is read from rustdoc's output, whose
//! format belongs to one compiler: with another one there is nothing to compare, and the program
//! says so.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

/// The crates that others add.
const CRATES: [&str; 6] = [
    "devnet-virtual-file-system",
    "devnet-commands",
    "devnet-network",
    "devnet-drivers",
    "devnet-guest-programs",
    "devnet-shell-commands",
];
/// The compiler whose format is read.
const COMPILER: &str = "rustc 1.95.";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let is_check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("{other}: --check or nothing").into()),
    };
    let version = Command::new("rustc").arg("--version").output()?.stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(COMPILER) {
        println!("skipped: the files are of {COMPILER}x, this is {}", version.trim());
        return Ok(ExitCode::SUCCESS);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let mut is_same = true;
    for name in CRATES {
        let file = root.join("tests/api").join(format!("{name}.txt"));
        let current = public_api(root, name)?;
        if !is_check {
            fs::write(&file, current)?;
            continue;
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        is_same &= kept == current;
        report(name, &kept, &current);
    }
    if !is_same {
        println!("cargo run -p devnet-tests --bin api renews the files");
    }
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the lines that only one of the two has.
fn report(name: &str, kept: &str, current: &str) {
    let [kept, current] = [kept, current].map(|text| text.lines().collect::<BTreeSet<_>>());
    for line in kept.difference(&current) {
        println!("{name}: - {line}");
    }
    for line in current.difference(&kept) {
        println!("{name}: + {line}");
    }
}

/// The public items of a crate with all its features, one in a line.
fn public_api(root: &Path, name: &str) -> Result<String, Box<dyn Error>> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let target = target.join("api");
    let status = Command::new("cargo")
        .current_dir(root)
        // The format is not stable, so stable compilers hide it.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "--package", name, "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .status()?;
    if !status.success() {
        return Err(format!("cargo rustdoc --package {name}: {status}").into());
    }
    let json = target.join("doc").join(name.replace('-', "_")).with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    Ok(api.to_string())
}
