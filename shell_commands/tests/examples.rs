//! The examples of `help COMMAND` are run on the embedded network, and succeed.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::process::{Command, Stdio};

use devnet_shell_commands::commands::examples;
use devnet_shell_commands::commands::table::COMMANDS;

/// What is there for the examples of one command, as `examples` says.
const BEFORE: &str = "dhcp -q eth0; cd /temporary; \
    printf 'one\\ntwo\\nthree\\n' > notes; printf '10\\n9\\n10\\n' > list";

/// IPv6 has a route once a router has said so.
const WITH_IPV6: &str = "for try in $(seq 50); do \
    ip -6 route get fd00:2::2 >/dev/null 2>&1 && break; sleep 100ms; done";

/// Runs the examples of one command one after the other, each as a shell of its own.
fn run(name: &str) -> String {
    let mut script = String::from(BEFORE);
    if name.ends_with('6') {
        script.push_str(&format!("\n{WITH_IPV6}"));
    }
    for (number, (typed, _)) in examples::of(name).iter().enumerate() {
        script.push_str(&format!("\n(\n{typed}\n)\necho \"example {number}: $?\" >&2"));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .args(["-c", &script])
        .stdin(Stdio::null())
        .output()
        .expect("devnet runs");
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn the_examples_of_every_command_succeed() {
    // Two at once: most of the time they wait.
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let failed = std::thread::scope(|scope| {
        let parts = names.chunks(names.len().div_ceil(4));
        let threads: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().filter_map(|name| wrong(name)).collect()))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        joined.flat_map(|failed: Vec<String>| failed).collect::<Vec<_>>()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n----\n"));
}

/// What a command's examples printed, if one of them failed.
fn wrong(name: &str) -> Option<String> {
    let printed = run(name);
    let is_right = |number: usize| printed.contains(&format!("example {number}: 0\n"));
    let all = (0..examples::of(name).len()).all(is_right);
    (!all).then(|| format!("{name}:\n{printed}"))
}
