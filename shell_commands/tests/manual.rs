//! The manual page and the completions, as the tools of the host read them. A tool that is missing
//! is skipped with a message, unless `DEVNET_REQUIRE_ALL` is set.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn devnet(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_devnet")).args(words).output().expect("devnet");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

/// Gives a tool a text; `None` if the tool is not there.
fn ask(tool: &str, words: &[&str], text: &str) -> Option<Output> {
    let mut child = match Command::new(tool)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(why) => {
            assert!(std::env::var_os("DEVNET_REQUIRE_ALL").is_none(), "{tool}: {why}");
            eprintln!("skipped: {tool}: {why}");
            return None;
        }
    };
    let mut input = child.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    Some(child.wait_with_output().expect("it ends"))
}

#[test]
fn groff_has_no_warning_about_the_manual_page() {
    let Some(output) = ask("groff", &["-ww", "-man", "-Tascii", "-P-c"], &devnet(&["--man"]))
    else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["OPTIONS", "COMMANDS", "ENVIRONMENT", "FILES", "traceroute6"] {
        assert!(page.contains(part) || page.contains(&bold(part)), "{part}\n{page}");
    }
}

/// As printers without bold letters get it: each letter twice.
fn bold(text: &str) -> String {
    text.chars().map(|letter| format!("{letter}\u{8}{letter}")).collect()
}

/// What bash completes behind these words.
fn completed(words: &[&str]) -> Option<Vec<String>> {
    let script = format!(
        "{}\nCOMP_WORDS=(devnet {}); COMP_CWORD={}; _devnet; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n\
         complete -p devnet >&2\n",
        devnet(&["--completions", "bash"]),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len()
    );
    let output = ask("bash", &["--norc"], &script)?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(errors, "complete -o filenames -F _devnet devnet\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[test]
fn bash_completes_the_command_line() {
    for (words, expected) in [
        (&["--ser"][..], &["--serial"][..]),
        (&["--l"], &["--listen", "--log"]),
        (&["--log", "de"], &["debug"]),
        (&["--completions", ""], &["bash", "zsh", "fish"]),
        (&["-c", "x"], &[]),
        (&["--credentials", "Cargo.to"], &["Cargo.toml"]),
        (&["ru"], &["run"]),
    ] {
        let Some(found) = completed(words) else { return };
        assert_eq!(found, expected, "{words:?}");
    }
}

#[test]
fn zsh_and_fish_read_their_completions() {
    for shell in ["zsh", "fish"] {
        let text = devnet(&["--completions", shell]);
        let Some(output) = ask(shell, &["-n"], &text) else { continue };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
        assert!(output.status.success(), "{shell}");
    }
    let text = devnet(&["--completions", "fish"]);
    let script = format!("{text}\ncomplete -C 'devnet --lo'\ncomplete -C 'devnet --log wa'\n");
    let Some(output) = ask("fish", &["--no-config"], &script) else { return };
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(found.contains("--log\t") && found.contains("warn"), "{found}");
}
