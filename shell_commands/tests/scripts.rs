//! Scripts as people write them for BusyBox, OpenWrt, Alpine and NuttX: each of `scripts/*.sh` is
//! run on the embedded network, and its output and its status are those in `NAME.out`.
//!
//! Those that begin with `# On BusyBox too.` have the output of BusyBox: `tests/interop/busybox.sh`
//! runs them there. `DEVNET_SCRIPTS=write` writes what is printed instead of comparing it.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Standard output of a script, and its status.
fn run(path: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .expect("devnet runs");
    let status = output.status.code().map_or_else(|| "ended".to_owned(), |code| code.to_string());
    format!("{}= {status}\n", String::from_utf8_lossy(&output.stdout))
}

#[test]
fn scripts_print_what_they_do_elsewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut scripts: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "sh"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 60, "only {} scripts", scripts.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        let mut wrong = Vec::new();
        while let Some(path) = scripts.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        {
            let (printed, kept) = (run(path), path.with_extension("out"));
            if env::var_os("DEVNET_SCRIPTS").is_some_and(|word| word == "write") {
                fs::write(&kept, &printed).expect("a file");
            }
            let expected = fs::read_to_string(&kept).unwrap_or_default();
            if printed != expected {
                wrong.push(format!("{}: {printed}instead of: {expected}", path.display()));
            }
        }
        wrong
    };
    // They mostly wait.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
