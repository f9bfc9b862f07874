//! Scripts of segments, run against the stack in virtual time: one file, one test.
//!
//! A script in [`scripts`](../scripts) tells, line by line, which segments the peer sends, what the
//! program calls, and which segments must leave and when. `README.md` in this folder has the
//! language. Run some of them with `cargo test -p devnet-tests --test segments -- NAME`.

mod kernel;
mod packet;
mod run;
mod script;
mod simulated;
mod subject;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("segments/scripts")
}

/// All scripts below a folder, in order.
fn collect(folder: &Path, all: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the folder of scripts");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "script") {
            all.push(path);
        }
    }
}

fn run(path: &Path, kernel_port: Option<u16>) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let script = script::parse(&text)?;
    let result = match kernel_port {
        Some(port) => run::run_kernel(&script, port),
        None => run::run(&script),
    };
    result.map_err(Failed::from)
}

/// True for a script that says of itself that Linux answers it in the same way.
fn is_same_on_linux(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line == "// linux: same")
}

fn main() {
    let arguments = Arguments::from_args();
    let mut paths = Vec::new();
    collect(&scripts(), &mut paths);
    // Set by tests/interop/segments.sh, in a namespace that has the device; `all` to look for more.
    let kernel = std::env::var("DEVNET_SEGMENTS_KERNEL").ok();
    if kernel.as_deref().is_some_and(|which| which != "all") {
        paths.retain(|path| is_same_on_linux(path));
    }
    let trials = (0..)
        .zip(paths)
        .map(|(number, path)| {
            let name = path.strip_prefix(scripts()).unwrap_or(&path).with_extension("");
            let kernel_port = kernel.is_some().then_some(5000 + number);
            Trial::test(name.to_string_lossy().into_owned(), move || run(&path, kernel_port))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
