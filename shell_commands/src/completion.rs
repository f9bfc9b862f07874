//! Completion of the word under the cursor: a command, an interface, a path.
//!
//! A pure function of a line and the file system; [`terminal`](crate::terminal) calls it on the
//! line editor's thread.

use devnet_virtual_file_system::NodeKind;

use crate::commands::table::COMMANDS;
use crate::context::Files;
use crate::devices::NETWORK;
use crate::shown;

/// Returns the start of the last word of `line`, and its completions.
#[must_use]
pub fn complete(files: &Files, line: &str) -> (usize, Vec<String>) {
    // Words with quotes are not completed.
    let start = line
        .rfind([' ', '\t', ';', '|', '&', '<', '>', '\n'])
        .map_or(0, |index| index.saturating_add(1));
    let (before, word) = line.split_at_checked(start).unwrap_or(("", line));
    let command = before.rsplit([';', '|', '&', '\n']).next().unwrap_or_default();
    let mut words = command.split_whitespace();
    let candidates = match words.next() {
        None if !before.ends_with(['<', '>']) => {
            matching(word, COMMANDS.iter().map(|command| command.name.to_owned()))
        }
        Some("help") => matching(word, COMMANDS.iter().map(|command| command.name.to_owned())),
        Some("netconfig") if words.clone().next().is_none() => {
            let verbs = ["export", "apply", "check", "diff", "save", "wait"];
            matching(word, verbs.map(str::to_owned))
        }
        Some("netconfig") if word.starts_with('-') => {
            let options = ["--link", "--address", "--dns", "--online", "--timeout"];
            matching(word, options.map(str::to_owned))
        }
        Some("wifi") if !wants_interface("wifi", words.clone().last()) => {
            matching(word, wifi(words.clone()).iter().map(|word| (*word).to_owned()))
        }
        Some(first) if wants_interface(first, words.last()) => matching(word, interfaces(files)),
        _ => paths(files, word),
    };
    (start, candidates)
}

/// True after commands and arguments that an interface's name follows.
fn wants_interface(command: &str, last: Option<&str>) -> bool {
    match (command, last) {
        ("ifconfig", None) => true,
        ("dhcp" | "dhcpd", _) | (_, Some("dev" | "-i" | "-I")) => true,
        ("ip", Some("set" | "show")) | ("netconfig", Some("export" | "wait")) => true,
        ("dns", Some(address)) => address.contains(['.', ':']),
        _ => false,
    }
}

/// The words that follow those of `wifi`.
fn wifi<'a>(words: impl Iterator<Item = &'a str>) -> &'static [&'static str] {
    let mut words = words.peekable();
    if words.next_if_eq(&"-i").is_some() {
        words.next();
    }
    match words.last() {
        None => &[
            "status",
            "scan",
            "list",
            "connect",
            "disconnect",
            "ap",
            "switch",
            "on",
            "off",
            "ps",
            "power",
            "country",
        ],
        Some("ap") => &["start", "stop", "stations", "remove"],
        Some("switch") => &["station", "access-point"],
        Some("ps") => &["on", "off"],
        Some("power") => &["auto"],
        Some("-S") => &["open", "wpa2", "wpa3"],
        Some(_) => &[],
    }
}

fn matching(word: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().filter(|name| name.starts_with(word)).map(|name| name + " ").collect()
}

fn interfaces(files: &Files) -> Vec<String> {
    let entries = files.list(NETWORK).unwrap_or_default();
    entries.into_iter().map(|entry| entry.name).collect()
}

/// Completed directories end in a slash.
fn paths(files: &Files, word: &str) -> Vec<String> {
    let (directory, name) =
        word.rfind('/').map_or(("", word), |index| word.split_at(index.saturating_add(1)));
    let entries =
        files.list(if directory.is_empty() { "." } else { directory }).unwrap_or_default();
    entries
        .into_iter()
        .filter(|entry| entry.name.starts_with(name))
        // The line editor shows what it completes.
        .filter(|entry| shown::line(&entry.name) == entry.name)
        .map(|entry| {
            let end = if entry.kind == NodeKind::Directory { '/' } else { ' ' };
            format!("{directory}{}{end}", entry.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Silent, World};
    use std::sync::Arc;

    fn completed(line: &str) -> (usize, Vec<String>) {
        let world = World::new();
        for name in ["lo", "eth0"] {
            world.mount(&format!("{NETWORK}/{name}"), Arc::new(Silent::default()));
        }
        complete(&world.shell().files, line)
    }

    #[test]
    fn the_first_word_is_a_command() {
        assert_eq!(completed("ifc"), (0, vec!["ifconfig ".to_owned()]));
        assert_eq!(completed("true; nsl"), (6, vec!["nslookup ".to_owned()]));
        assert_eq!(completed("a|nets"), (2, vec!["netstat ".to_owned()]));
        assert_eq!(completed("").1.len(), COMMANDS.len());
        assert_eq!(completed("help slee"), (5, vec!["sleep ".to_owned()]));
    }

    #[test]
    fn interfaces_follow_their_commands() {
        assert_eq!(completed("ifconfig e"), (9, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("dhcp "), (5, vec!["eth0 ".to_owned(), "lo ".to_owned()]));
        assert_eq!(completed("netconfig wait e"), (15, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("netconfig ex"), (10, vec!["export ".to_owned()]));
        assert_eq!(completed("netconfig wait eth0 --t"), (20, vec!["--timeout ".to_owned()]));
        assert_eq!(completed("wifi disc"), (5, vec!["disconnect ".to_owned()]));
        assert_eq!(completed("wifi -i e"), (8, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("wifi -i eth0 ap sta").1, ["start ", "stations "]);
        assert_eq!(completed("wifi switch a"), (12, vec!["access-point ".to_owned()]));
        assert_eq!(completed("dhcpd stop e"), (11, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("ip addr add 10.0.0.1/8 dev l"), (27, vec!["lo ".to_owned()]));
    }

    #[test]
    fn other_words_are_paths() {
        assert_eq!(completed("cat /devi"), (4, vec!["/devices/".to_owned()]));
        assert_eq!(
            completed("echo x >/devices/network/e"),
            (8, vec!["/devices/network/eth0 ".to_owned()])
        );
        assert_eq!(completed("cat devi"), (4, vec!["devices/".to_owned()]));
        assert_eq!(completed("cat /none/"), (4, vec![]));
        assert_eq!(completed("cat é"), (4, vec![]));
    }
}
