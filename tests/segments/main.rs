//! Scripts of segments, run against the stack in virtual time: one file, one test.
//!
//! A script in [`scripts`](../scripts) tells, line by line, which segments the peer sends, what the
//! program calls, and which segments must leave and when. `README.md` in this folder has the
//! language. Run some of them with `cargo test -p devnet-tests --test segments -- NAME`.

mod packet;
mod run;
mod script;
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

fn run(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let script = script::parse(&text)?;
    run::run(&script).map_err(Failed::from)
}

fn main() {
    let arguments = Arguments::from_args();
    let mut paths = Vec::new();
    collect(&scripts(), &mut paths);
    let trials = paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(scripts()).unwrap_or(&path).with_extension("");
            Trial::test(name.to_string_lossy().into_owned(), move || run(&path))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
