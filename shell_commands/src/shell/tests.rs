//! Whole scripts on in-memory files.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_lite::future;

use crate::status::Status;
use crate::testing::{Ran, Silent, World};

fn ran(status: u8, output: &str, error: &str) -> Ran {
    Ran { status: Status(status), output: output.into(), error: error.into() }
}

#[test]
fn lists_run_in_order_and_the_last_status_counts() {
    let world = World::new();
    assert_eq!(world.run("echo a; echo b\necho c"), ran(0, "a\nb\nc\n", ""));
    assert_eq!(world.run("true; false"), ran(1, "", ""));
    assert_eq!(world.run("false; echo $?; echo $?"), ran(0, "1\n0\n", ""));
    assert_eq!(world.run(""), ran(0, "", ""));
}

#[test]
fn connectors_look_at_the_status() {
    let world = World::new();
    assert_eq!(world.run("true && echo a || echo b"), ran(0, "a\n", ""));
    assert_eq!(world.run("false && echo a || echo b"), ran(0, "b\n", ""));
    assert_eq!(world.run("false || false && echo a"), ran(1, "", ""));
    assert_eq!(world.run("! true; echo $?; ! false"), ran(0, "1\n", ""));
}

#[test]
fn a_syntax_error_runs_nothing() {
    let world = World::new();
    assert_eq!(
        world.run("echo a; echo 'b"),
        ran(2, "", "devnet: line 1, column 14: syntax error: unterminated '\n")
    );
    assert_eq!(
        world.run("echo a | | echo b"),
        ran(2, "", "devnet: line 1, column 10: syntax error: unexpected |\n")
    );
}

#[test]
fn an_unknown_command_is_127_and_does_not_stop_the_rest() {
    let world = World::new();
    assert_eq!(world.run("frob; echo $?"), ran(0, "127\n", "devnet: frob: command not found\n"));
    assert_eq!(
        world.run("frob 2>/temporary/e; cat /temporary/e"),
        ran(0, "devnet: frob: command not found\n", "")
    );
}

#[test]
fn stop_on_failure_spares_tested_commands() {
    let world = World::new();
    for (script, expected) in [
        ("echo a; false; echo b", ran(1, "a\n", "")),
        ("false || echo a; false && echo b; echo c", ran(0, "a\nc\n", "")),
        ("! true; echo a", ran(0, "a\n", "")),
        ("true && false; echo a", ran(1, "", "")),
        ("set +e; false; echo a", ran(0, "a\n", "")),
    ] {
        let mut shell = world.shell();
        shell.stop_on_failure = true;
        assert_eq!(world.run_in(&mut shell, script), expected, "{script}");
    }
    assert_eq!(world.run("set -e; false; echo a"), ran(1, "", ""));
}

#[test]
fn redirections_go_to_files() {
    let world = World::new();
    assert_eq!(
        world.output("echo a >/temporary/f; echo b >>/temporary/f; cat </temporary/f"),
        "a\nb\n"
    );
    assert_eq!(world.output("echo c >/temporary/f; cat /temporary/f"), "c\n");
    assert_eq!(world.output(">/temporary/empty; wc -c </temporary/empty"), "0\n");
    assert_eq!(world.run("cat /none 2>/temporary/e"), ran(1, "", ""));
    assert_eq!(world.text("/temporary/e"), "cat: /none: No such file or directory\n");
    assert_eq!(
        world.output("cat /none >/temporary/e 2>&1 || cat /temporary/e"),
        "cat: /none: No such file or directory\n"
    );
    assert_eq!(
        world.output("cat /none 2>&1 >/temporary/x || true"),
        "cat: /none: No such file or directory\n"
    );
    assert_eq!(
        world.run("echo a >/none/f; echo $?"),
        ran(0, "1\n", "devnet: /none/f: No such file or directory\n")
    );
    assert_eq!(world.run("cat </none"), ran(1, "", "devnet: /none: No such file or directory\n"));
    assert_eq!(world.run("echo oops >&2"), ran(0, "", "oops\n"));
}

#[test]
fn stages_of_a_pipeline_run_at_once() {
    let world = World::new();
    assert_eq!(world.output("echo a b | cat | wc -w"), "2\n");
    assert_eq!(world.run("true | false"), ran(1, "", ""));
    assert_eq!(world.run("false | true"), ran(0, "", ""));
    // This exceeds the pipe's capacity: both ends must make progress together.
    let line = "x".repeat(999);
    world
        .block_on(
            world.open("/temporary/big").write_all(format!("{line}\n").repeat(1000).as_bytes()),
        )
        .unwrap();
    assert_eq!(world.output("cat /temporary/big | cat | wc -c"), "1000000\n");
    // The writer ends without a message when there is no reader any more.
    assert_eq!(world.output("cat /temporary/big | head -n 1 | wc -c"), "1000\n");
}

#[test]
fn a_stage_changes_only_itself() {
    let world = World::new();
    assert_eq!(world.output("cd /devices | cat; pwd; v=1 | cat; echo -$v-"), "/\n--\n");
    assert_eq!(world.output("exit 3 | true; echo on"), "on\n");
    assert_eq!(world.output("cd /devices; pwd; cd ..; pwd; v=1; echo $v"), "/devices\n/\n1\n");
}

#[test]
fn exit_ends_the_script() {
    let world = World::new();
    assert_eq!(world.run("echo a; exit 3; echo b"), ran(3, "a\n", ""));
    assert_eq!(world.run("false; exit"), ran(1, "", ""));
    assert_eq!(world.run("exit 256").status, Status::USAGE);
    assert_eq!(world.run("true && exit 4 || echo b; echo c"), ran(4, "", ""));
}

#[test]
fn parameters_reach_the_script() {
    let world = World::new();
    let mut shell = world.shell();
    shell.parameters.extend(["eth0", "a b"].map(String::from));
    assert_eq!(
        world.run_in(&mut shell, "echo $1 $# $0; shift; echo \"$1\"; set -- x y; echo $2").output,
        "eth0 2 devnet\na b\ny\n"
    );
}

#[test]
fn jobs_run_beside_the_script() {
    let world = World::new();
    assert_eq!(world.output("echo a >/temporary/f & wait; cat /temporary/f"), "a\n");
    assert_eq!(world.run("false & wait %1"), ran(1, "", ""));
    assert_eq!(world.run("exit 7 & wait %1; echo $?").output, "7\n");
    assert_eq!(world.run("wait %3"), ran(127, "", "wait: %3: no such job\n"));
    assert_eq!(world.output("cat & wait"), "", "a job has nothing to read");
}

#[test]
fn kill_ends_a_job_and_closes_its_files() {
    let world = World::new();
    let silent = Silent::default();
    let open = Arc::clone(&silent.open);
    world.mount("/devices/silent", Arc::new(silent));
    let mut shell = world.shell();
    assert_eq!(
        world.run_in(&mut shell, "cat /devices/silent & jobs").output,
        "[1]  Running     cat /devices/silent\n"
    );
    world.block_on(future::yield_now());
    while open.load(Ordering::SeqCst) == 0 {
        assert!(world.executor.try_tick(), "the job never opened the device");
    }
    assert_eq!(world.run_in(&mut shell, "kill %1; wait %1").status, Status::KILLED);
    assert_eq!(open.load(Ordering::SeqCst), 0);
    assert_eq!(world.run_in(&mut shell, "kill %1").error, "kill: %1: no such job\n");
}

#[test]
fn the_end_of_the_shell_ends_its_jobs() {
    let world = World::new();
    let silent = Silent::default();
    let open = Arc::clone(&silent.open);
    world.mount("/devices/silent", Arc::new(silent));
    let mut shell = world.shell();
    world.run_in(&mut shell, "cat /devices/silent &");
    while open.load(Ordering::SeqCst) == 0 {
        assert!(world.executor.try_tick(), "the job never opened the device");
    }
    drop(shell);
    while world.executor.try_tick() {}
    assert_eq!(open.load(Ordering::SeqCst), 0);
}

#[test]
fn cancelling_a_script_closes_everything_and_leaves_the_shell_usable() {
    let world = World::new();
    let silent = Silent::default();
    let open = Arc::clone(&silent.open);
    world.mount("/devices/silent", Arc::new(silent));
    let mut shell = world.shell();
    {
        let mut running = Box::pin(shell.run("cat /devices/silent | cat; echo never"));
        assert_eq!(world.block_on(future::poll_once(&mut running)), None);
        assert_eq!(open.load(Ordering::SeqCst), 1);
    }
    assert_eq!(open.load(Ordering::SeqCst), 0);
    assert_eq!(world.run_in(&mut shell, "echo on").output, "on\n");
}

#[test]
fn there_is_an_end_to_jobs() {
    let world = World::new();
    let script = "true & ".repeat(crate::limits::JOBS + 1);
    assert_eq!(world.run(&script).error, "devnet: true &: too many jobs\n");
}

#[test]
fn time_passes_on_the_clock_of_the_context() {
    let world = World::new();
    let ran = world.run("time sleep 1500ms");
    assert_eq!((ran.status, ran.error.as_str()), (Status::SUCCESS, "real\t0m1.500s\n"));
    assert_eq!(world.elapsed(), Duration::from_millis(1500));
    assert_eq!(world.run("time false").status, Status::FAILURE);
}
