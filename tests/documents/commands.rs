//! The command table against its page, its golden file, its grammar and its errors.

use std::fs;

use devnet_network::command::errors::COMMON;
use devnet_network::command::{TABLE, table, text, wireless, wireless_text};
use devnet_virtual_file_system::{CommandVisitor, ControlCommand, File, Identifier, encode};
use world::pair::hosts;
use world::{Host, World};

use crate::control::samples::{Known, Sample, all};
use crate::control::{self, FOREVER, golden, page};
use crate::lines::{lines, words};
use crate::shell;
use crate::text as text_page;
use crate::tree::root;

fn identifier(command: &Known) -> Identifier {
    match command {
        Known::Stack(request) => request.identifier(),
        Known::Radio(request) => request.identifier(),
    }
}

/// The command of a line.
fn parse(line: &str) -> Option<Known> {
    match wireless_text::parse(line) {
        Some(request) => request.ok().map(Known::Radio),
        None => text::parse(line).ok().flatten().map(Known::Stack),
    }
}

const RENEW: &str = "run `cargo run -p devnet-tests --bin documents`";

#[test]
fn every_command_has_a_sample() {
    let names = |table: &[&str]| table.join(" ");
    let tables = TABLE.iter().chain(wireless::TABLE);
    let table: Vec<_> = tables.map(|entry| entry.name).collect();
    let sampled: Vec<_> = all().map(|sample| sample.name).collect();
    assert_eq!(
        names(&sampled),
        names(&table),
        "add a sample to tests/documents/control/samples.rs, in the order of the table"
    );
}

#[test]
fn the_page_of_commands_is_current() {
    let written = fs::read_to_string(control::page_path()).unwrap_or_default();
    assert!(written == page(), "network/CONTROL.md is not current: {RENEW}");
}

#[test]
fn the_table_of_the_shell_is_current() {
    let kept = fs::read_to_string(shell::page_path()).expect("a page");
    assert!(kept == shell::page(), "{RENEW}");
}

#[test]
fn the_page_of_lines_is_current() {
    let written = fs::read_to_string(text_page::page_path()).unwrap_or_default();
    assert!(written == text_page::page(), "network/TEXT.md is not current: {RENEW}");
}

#[test]
fn numbers_and_bytes_are_forever() {
    let written = fs::read_to_string(control::golden_path()).expect("the golden file");
    let now = golden();
    let commands = |text: &str| {
        text.split_inclusive('\n')
            .collect::<Vec<_>>()
            .chunks(3)
            .map(<[_]>::concat)
            .collect::<Vec<_>>()
    };
    let now = commands(&now);
    for former in commands(&written) {
        assert!(now.contains(&former), "{FOREVER}. No longer true:\n{former}");
    }
    assert_eq!(commands(&written).len(), now.len(), "a command is new: {RENEW}");
}

/// Through JSON and back are the same bytes, of every command.
#[test]
fn every_payload_is_json_too() {
    struct Back<'a>(&'a Sample);
    impl CommandVisitor for Back<'_> {
        type Output = [Vec<u8>; 2];

        fn visit<C: ControlCommand>(self) -> Self::Output {
            let request: C::Request = serde_json::from_str(&self.0.request.json).expect("JSON");
            let response: C::Response = serde_json::from_str(&self.0.response.json).expect("JSON");
            [encode(&request).expect("a request"), encode(&response).expect("a response")]
        }
    }
    for sample in all() {
        let known = identifier(&sample.command);
        let back = table::visit(known, Back(&sample))
            .or_else(|| wireless::visit(known, Back(&sample)))
            .expect("a command");
        assert_eq!(back, [sample.request.bytes, sample.response.bytes], "{}", sample.name);
    }
}

#[test]
fn the_line_of_a_sample_is_its_request() {
    for sample in all() {
        let has_grammar = !sample.command.lines().is_empty();
        assert_eq!(has_grammar, !sample.line.is_empty(), "{}", sample.name);
        if has_grammar {
            assert_eq!(parse(sample.line), Some(sample.command), "{}", sample.line);
        }
    }
}

#[test]
fn every_line_of_the_grammar_is_the_command() {
    for sample in all() {
        let is_of_radio = matches!(sample.command, Known::Radio(_));
        for line in sample.command.lines().into_iter().flat_map(lines) {
            assert_eq!(text::is_ours(&line), !is_of_radio, "{line}: who gets it?");
            let parsed = parse(&line).map(|command| identifier(&command));
            assert_eq!(parsed, Some(identifier(&sample.command)), "{line}");
        }
    }
}

/// A word that the parser knows and the grammar does not.
#[test]
fn the_grammar_has_every_word_of_the_parser() {
    let source = fs::read_to_string(root().join("commands/src/command/text.rs")).expect("a source");
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let known: Vec<_> = all().flat_map(|sample| sample.command.lines()).flat_map(words).collect();
    // Explained with the placeholder that they are part of.
    let explained = ["default", "0x", "*:", "#", "", " "];
    for word in product.split('"').skip(1).step_by(2) {
        let is_known = known.iter().any(|other| other == word) || explained.contains(&word);
        assert!(is_known, "the parser knows {word:?}, commands/src/command/grammar.rs does not");
    }
}

/// Device files in each mode that a file of `/devices/network/eth0` or `/devices/sockets` can be
/// brought into without a peer.
fn files(host: &Host) -> Vec<(String, File)> {
    let lines = [
        "",
        "watch",
        "socket tcp",
        "socket tcp\nbind *:0",
        "socket tcp\nlisten",
        "socket udp",
        "socket icmp",
        "socket raw 89",
        "socket udp\nbind *:0",
        "socket raw6 89",
    ];
    ["eth0", "lo", "sockets"]
        .into_iter()
        .flat_map(|name| lines.map(|lines| (name, lines)))
        .map(|(name, lines)| {
            let file = host.open(name);
            if !lines.is_empty() {
                file.try_write(lines.as_bytes()).expect("lines that the device takes");
            }
            (format!("{name} {lines:?}"), file)
        })
        .collect()
}

#[test]
fn a_command_answers_no_error_that_is_not_listed() {
    let world = World::new(1);
    for sample in all() {
        let (host, _peer) = hosts(&world);
        for (mode, file) in files(&host) {
            // Twice: adding, removing and becoming again answer something else.
            for _ in 0..2 {
                let answer =
                    file.try_control_raw(identifier(&sample.command), &sample.request.bytes);
                let Err(error) = answer else { continue };
                // None of these interfaces has a radio.
                let is_refusal = matches!(sample.command, Known::Radio(_))
                    && error == devnet_virtual_file_system::Error::UnknownCommand;
                let is_listed = is_refusal
                    || sample.command.errors().contains(&error)
                    || COMMON.iter().any(|(common, _)| *common == error);
                assert!(is_listed, "{} on {mode}: {error:?} is not listed", sample.name);
            }
        }
    }
}
