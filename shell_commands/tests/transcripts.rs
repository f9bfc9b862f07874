//! Sessions with the tools as they stand in `transcripts`: every command, what it prints, and its
//! status if it fails. Layouts and refusals are those of Linux (iproute2 6.1, net-tools 2.10) but
//! for the differences in `network/DIFFERENCES.md`.
//!
//! `DEVNET_TRANSCRIPTS=write` writes what is printed instead of comparing it.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// A first line that begins so has the options of the program.
const PROGRAM: &str = "# devnet ";

/// The commands of a transcript, one line each.
fn commands(transcript: &str) -> impl Iterator<Item = &str> {
    transcript.lines().filter_map(|line| line.strip_prefix("$ "))
}

/// Runs the commands in one shell; returns the transcript of it.
fn session(transcript: &str) -> String {
    let mut script = String::new();
    for command in commands(transcript) {
        // Single quotes in a command end the quotes of `echo`.
        let quoted = command.replace('\'', "'\\''");
        writeln!(script, "echo '$ {quoted}'\n{command}\necho \"= $?\"").expect("a string");
    }
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let head = transcript.lines().next().and_then(|line| line.strip_prefix(PROGRAM));
    let mut child = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .args(head.unwrap_or_default().split_whitespace())
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(writer.try_clone().expect("a second end"))
        .stderr(writer)
        .spawn()
        .expect("devnet runs");
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    child.wait().expect("an end");
    let text = text.replace("= 0\n", "");
    head.map_or(text.clone(), |options| format!("{PROGRAM}{options}\n{text}"))
}

#[test]
fn sessions_print_what_their_transcripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let expected = fs::read_to_string(&path).expect("a transcript");
        let printed = session(&expected);
        if env::var_os("DEVNET_TRANSCRIPTS").is_some_and(|word| word == "write") {
            fs::write(&path, &printed).expect("a file");
        } else {
            assert_eq!(printed, expected, "{}", path.display());
        }
        count += 1;
    }
    assert!(count >= 3, "only {count} transcripts");
}
