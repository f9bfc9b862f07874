//! Commands on text: what `transcripts/text.txt` says is what dash 0.5.12 with GNU's tools (grep
//! 3.8, sed 4.9, coreutils 9.1, findutils 4.9, diffutils 3.8) prints, with its status. A `\` stands
//! for a missing end of line.

use crate::status::Status;
use crate::testing::{Silent, World};

/// Scripts with their output and status.
fn cases(text: &str) -> Vec<(String, String, u8)> {
    let mut cases: Vec<(String, String, u8)> = Vec::new();
    for line in text.lines() {
        if let Some(script) = line.strip_prefix("$ ") {
            cases.push((script.to_owned(), String::new(), 0));
            continue;
        }
        let case = cases.last_mut().unwrap();
        // Before any output: the output of `diff` has such lines too.
        if let Some(more) = line.strip_prefix("> ").filter(|_| case.1.is_empty()) {
            case.0.push('\n');
            case.0.push_str(more);
        } else if let Some(status) = line.strip_prefix("= ") {
            case.2 = status.parse().unwrap();
        } else if let Some(open) = line.strip_suffix('\\') {
            case.1.push_str(open);
        } else {
            case.1.push_str(line);
            case.1.push('\n');
        }
    }
    cases
}

#[test]
fn commands_on_text_are_as_elsewhere() {
    let cases = cases(include_str!("transcripts/text.txt"));
    assert!(cases.len() > 150, "{}", cases.len());
    let mut wrong = Vec::new();
    for (script, output, status) in cases {
        let ran = World::new().run(&format!("cd /temporary; {script}"));
        if (&ran.output, ran.status.0) != (&output, status) {
            wrong.push(format!("{script}\n{ran:?}\nnot {output:?} {status}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn commands_that_take_too_long_end() {
    let world = World::new();
    let silent = Silent::default();
    let open = std::sync::Arc::clone(&silent.open);
    world.mount("/devices/silent", std::sync::Arc::new(silent));
    assert_eq!(world.run("timeout 3 cat /devices/silent").status, Status(124));
    assert_eq!(world.run("timeout -s KILL 3 cat /devices/silent").status, Status(137));
    assert_eq!(world.run("timeout 3 frob").status, Status::NOT_FOUND);
    assert_eq!(world.run("timeout x true").status, Status(125));
    assert_eq!(open.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_has_no_meaning_here_is_refused() {
    let world = World::new();
    for (script, status, error) in [
        ("date -s 12:00", 1, "date: the clock is the host's, and cannot be set here\n"),
        ("find / -newer x", 1, "find: x: No such file or directory\n"),
        ("find / -atime 1", 1, "find: -atime: when is known of changes only\n"),
        ("grep '\\(a\\)\\1' x", 2, "grep: \\1: references to groups are not supported\n"),
        ("grep 'a\\{2' x", 2, "grep: unmatched \\{\n"),
        ("grep -E 'a{60000}{60000}' x", 2, "grep: the expression is too large\n"),
        ("sed 'w x'", 1, "sed: w: files are not supported in scripts\n"),
        ("sed 'k'", 1, "sed: unknown command k\n"),
        ("sed -n '{p'", 1, "sed: unmatched {\n"),
        ("cut -f0", 1, "cut: 0: bad list\n"),
        ("xargs -Z", 2, "xargs: invalid option '-Z'\n"),
        ("diff x", 2, "diff: two files are needed\n"),
        ("diff -y x x", 2, "diff: invalid option '-y'\n"),
        ("diff /devices x", 2, "diff: /devices/x: No such file or directory\n"),
        ("chmod u+q /", 1, "chmod: u+q: bad mode\n"),
        ("nl -w 4097", 2, "nl: 4097: the width is 1 to 4096\n"),
        ("nl -b x", 2, "nl: invalid numbering style: x\n"),
        ("od -w4098", 2, "od: -w 4098: the width is a multiple of 2, at most 4096\n"),
        ("od -w3 -x", 2, "od: -w 3: the width is a multiple of 2, at most 4096\n"),
        ("od -t xxxxxxxxxxxxxxxxx", 2, "od: there are at most 16 types\n"),
        ("od -t f4", 2, "od: -t f: there are no floating-point numbers here\n"),
        ("od -t x3", 2, "od: -t x3: numbers have 1, 2, 4 or 8 bytes, not 3\n"),
        ("od -A q", 2, "od: invalid output address radix 'q'\n"),
    ] {
        let ran = world.run(script);
        assert_eq!((ran.status.0, ran.error.as_str()), (status, error), "{script}");
    }
    assert_eq!(world.output("chown 5:6 /temporary; ls -l / | grep -c '5 6 .*temporary'"), "1\n");
}

#[test]
fn a_line_that_is_too_long_is_an_error_and_endless_input_ends() {
    let world = World::new();
    let long = vec![b'x'; crate::limits::LINE_BYTES + crate::limits::COPY_BYTES + 1];
    world.block_on(world.open("/temporary/long").write_all(&long)).unwrap();
    for command in ["grep x", "sed p", "cut -c1", "sort", "uniq", "tail"] {
        let ran = world.run(&format!("{command} /temporary/long"));
        assert!(ran.error.contains("a line is too long"), "{command}: {ran:?}");
        assert_ne!(ran.status, Status::SUCCESS, "{command}");
    }
    // Each gives way and ends when it is dropped.
    for script in [
        "yes >/dev/null",
        "yes | tr y n >/dev/null",
        "yes | sed -n p >/dev/null",
        "sed -n ':a;ba' </temporary/short",
        "yes | grep -v y",
    ] {
        world.run("echo a >/temporary/short");
        let mut shell = world.shell();
        let mut running = Box::pin(shell.run(script));
        for _ in 0..50 {
            let polled = world.block_on(futures_lite::future::poll_once(&mut running));
            assert_eq!(polled, None, "{script}");
        }
    }
}

#[test]
fn files_that_are_too_long_are_not_compared() {
    let world = World::new();
    let long = world.open("/temporary/long");
    long.set_length(crate::limits::DIFFERENCE_BYTES as u64 + 1).unwrap();
    let ran = world.run("echo a >/temporary/short; diff /temporary/short /temporary/long");
    assert_eq!(ran.error, "diff: /temporary/long: is too long to be compared\n");
    assert_eq!(ran.status, Status(2));
}

#[test]
fn diff_shows_when_files_were_changed() {
    let world = World::new();
    let script = "cd /temporary; echo a >a; echo b >b; touch -d '2020-02-03 04:05:06' a b; \
                  diff -u a b";
    let ran = world.run(script);
    let head = "--- a\t2020-02-03 04:05:06.000000000 +0000\n\
                +++ b\t2020-02-03 04:05:06.000000000 +0000\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!((ran.output.as_str(), ran.status), (head, Status::FAILURE));
}
