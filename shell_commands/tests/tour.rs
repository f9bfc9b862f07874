//! The tour of the README is what happens: its `console` blocks are typed into one session of the
//! program, and each command prints what stands there.
//!
//! Numbers that differ from run to run are compared up to the word before them, and the lines with
//! which only an interactive shell announces jobs are left out.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::io::{Read, pipe};
use std::process::{Command, Stdio};

const PROMPT: &str = "devnet:/# ";
/// What a command prints behind itself.
const END: &str = "this command of the tour is over";

/// Up to these words lines are compared; what follows is a time or a counter.
const VOLATILE: [&str; 8] = [
    " time=",
    "round-trip min/avg/max = ",
    "RX packets:",
    "TX packets:",
    "RX bytes:",
    " remaining ",
    "received packets ",
    "sent packets ",
];

/// A command and what it prints.
struct Step<'a> {
    command: &'a str,
    output: Vec<&'a str>,
}

/// The commands of the blocks that begin so.
fn steps<'a>(page: &'a str, beginning: &str) -> Vec<Step<'a>> {
    let blocks = page.split(beginning).skip(1);
    let mut steps: Vec<Step<'_>> = Vec::new();
    for line in blocks.flat_map(|block| block.lines().take_while(|line| *line != "```")) {
        match line.strip_prefix(PROMPT) {
            Some(command) => steps.push(Step { command, output: Vec::new() }),
            None => steps.last_mut().expect("a command before its output").output.push(line),
        }
    }
    steps
}

/// A line as it is compared.
fn comparable(line: &str) -> &str {
    let end = VOLATILE.iter().find_map(|words| line.find(words).map(|at| at + words.len()));
    end.and_then(|end| line.get(..end)).unwrap_or(line).trim_end()
}

fn comparable_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.map(comparable).filter(|line| !line.starts_with('[')).collect()
}

/// What the program prints, errors included, when these commands are its script.
fn run(options: &[&str], script: &str) -> String {
    let (mut reader, writer) = pipe().expect("a pipe");
    let mut program = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .args(options)
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(writer.try_clone().expect("a second end"))
        .stderr(writer)
        .spawn()
        .expect("devnet runs");
    let mut output = String::new();
    reader.read_to_string(&mut output).expect("text");
    program.wait().expect("devnet ends");
    output
}

/// The commands print what stands behind them.
fn compare(options: &[&str], steps: &[Step<'_>]) {
    let script: String =
        steps.iter().map(|step| format!("{}\necho '{END}'\n", step.command)).collect();
    let output = run(options, &script);
    let printed: Vec<_> = output.split(&format!("{END}\n")).collect();
    assert_eq!(printed.len(), steps.len() + 1, "{output}");
    for (step, printed) in steps.iter().zip(printed) {
        let expected = comparable_lines(step.output.iter().copied());
        assert_eq!(comparable_lines(printed.lines()), expected, "{}", step.command);
    }
}

/// A package has no page of the repository.
fn readme() -> Option<String> {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).ok()
}

#[test]
fn the_tour_of_the_readme_is_what_happens() {
    let Some(page) = readme() else { return };
    let steps = steps(&page, "\n```console\n");
    assert!(steps.len() > 15, "only {} commands", steps.len());
    compare(&[], &steps);
}

#[test]
fn the_wireless_tour_of_the_readme_is_what_happens() {
    let Some(page) = readme() else { return };
    let (_, page) = page.split_once("\n### Wireless\n").expect("the section");
    let (page, _) = page.split_once("\n`devnet --help` tells").expect("its end");
    let page = page.replace("$ devnet --interface wlan0=wifi\n", "");
    let steps = steps(&page, "\n```text\n");
    assert!(steps.len() > 4, "only {} commands", steps.len());
    compare(&["--interface", "lo=loopback", "--interface", "wlan0=wifi"], &steps);
}
