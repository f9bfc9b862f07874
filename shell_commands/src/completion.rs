//! Completion of the word under the cursor: a command, an option, a word of a command, an
//! interface, a host, an address, a path.
//!
//! A function of a line, the commands' table and what the devices answer at once. Options and words
//! come from the usage that `--help` prints. The [`terminal`](crate::terminal) calls it.

use std::net::IpAddr;

use devnet_network::command::{
    ListAddresses, ListDnsCache, ListDnsServers, ListHosts, ListNeighbors, ListRoutes,
};
use devnet_virtual_file_system::{ControlCommand, File, NodeKind, OpenFlags};

use crate::commands::table::COMMANDS;
use crate::context::Files;
use crate::devices::{NETWORK, SOCKETS};
use crate::shell::command;
use crate::shell::usage;
use crate::shown;

/// Commands that take a host.
const WITH_HOST: [&str; 18] = [
    "arping",
    "curl",
    "dig",
    "getent",
    "host",
    "iperf3",
    "mtr",
    "nc",
    "nslookup",
    "ping",
    "ping6",
    "sntp",
    "telnet",
    "tracepath",
    "traceroute",
    "traceroute6",
    "wget",
    "tcpdump",
];
/// Commands with words of their own.
const WITH_WORDS: [&str; 8] =
    ["dhcp", "dhcpd", "dns", "getent", "ifconfig", "ip", "netconfig", "route"];

/// Returns the start of the last word of `line`, and its completions.
#[must_use]
pub fn complete(files: &Files, line: &str) -> (usize, Vec<String>) {
    // Words with quotes are not completed.
    let start = line
        .rfind([' ', '\t', ';', '|', '&', '<', '>', '\n'])
        .map_or(0, |index| index.saturating_add(1));
    let (before, word) = line.split_at_checked(start).unwrap_or(("", line));
    let command = before.rsplit([';', '|', '&', '\n']).next().unwrap_or_default();
    let words: Vec<&str> = command.split_whitespace().collect();
    let names = || COMMANDS.iter().map(|command| command.name.to_owned());
    let candidates = match words.split_first() {
        _ if before.trim_end().ends_with(['<', '>']) => paths(files, word),
        None => matching(word, names()),
        Some((&("help" | "command" | "type" | "time" | "watch" | "xargs" | "timeout"), []))
            if !word.starts_with('-') =>
        {
            matching(word, names())
        }
        Some((first, rest)) => arguments(files, first, rest, word),
    };
    (start, candidates)
}

/// The completions of a command's argument.
fn arguments(files: &Files, name: &str, words: &[&str], word: &str) -> Vec<String> {
    let command = command::find(COMMANDS, name);
    if let Some(command) = command.filter(|_| word.starts_with('-')) {
        let options = matching(word, usage::options(command.name, command.usage));
        // What ends in `=` goes on.
        return options
            .into_iter()
            .map(|option| option.strip_suffix("= ").map(|it| format!("{it}=")).unwrap_or(option))
            .collect();
    }
    let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let last = words.last().copied();
    if name == "wifi" && !wants_interface(name, last) {
        return matching(word, wifi(words.iter().copied()).iter().map(|word| (*word).to_owned()));
    }
    let mut found = Vec::new();
    if wants_interface(name, last) {
        found.extend(interfaces(files));
    }
    found.extend(addresses(files, name, &plain));
    // An interface comes before the words of `ifconfig`.
    let words_begin = name != "ifconfig" || !plain.is_empty();
    if WITH_WORDS.contains(&name)
        && words_begin
        && !matches!(last, Some("dev" | "-i" | "-I"))
        && let Some(command) = command
    {
        found.extend(usage::keywords(command.usage, &plain));
    }
    if WITH_HOST.contains(&name) {
        if let Some(host) = word.strip_prefix("http://") {
            let urls = hosts(files).into_iter().filter(|name| name.starts_with(host));
            return urls.map(|name| format!("http://{name}/")).collect();
        }
        found.extend(hosts(files));
    }
    let mut found = matching(word, found);
    found.sort();
    found.dedup();
    if found.is_empty() { paths(files, word) } else { found }
}

/// True after commands and arguments that an interface's name follows.
fn wants_interface(command: &str, last: Option<&str>) -> bool {
    match (command, last) {
        ("ifconfig", None) => true,
        ("dhcp" | "dhcpd", _) | (_, Some("dev" | "-i" | "-I")) => true,
        ("ip", Some("set" | "show")) | ("netconfig", Some("export" | "wait")) => true,
        ("dns", Some(address)) => address.contains(['.', ':']) || address == "show",
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
    let names = names.into_iter().filter(|name| name.starts_with(word));
    // The line editor shows what it completes, and what the network says may be anything.
    names.filter(|name| is_plain(name)).map(|name| name + " ").collect()
}

/// True if a name is one word to the shell and harmless to the terminal.
fn is_plain(name: &str) -> bool {
    shown::line(name) == name && !name.contains([' ', '\'', '"', '\\', '$', '`', ';', '&', '|'])
}

fn interfaces(files: &Files) -> Vec<String> {
    let entries = files.list(NETWORK).unwrap_or_default();
    entries.into_iter().map(|entry| entry.name).collect()
}

/// What a device answers at once; nothing if it does not.
fn ask<C: ControlCommand<Request = ()>>(files: &Files, path: &str) -> C::Response
where
    C::Response: Default,
{
    let file: Option<File> = files.open(path, OpenFlags::READ).ok();
    file.and_then(|file| file.try_control::<C>(&()).ok()).unwrap_or_default()
}

/// The names of the hosts table and of the answers that are kept, and the neighbors' addresses.
fn hosts(files: &Files) -> Vec<String> {
    let table = ask::<ListHosts>(files, SOCKETS).into_iter().flat_map(|entry| entry.names);
    let kept = ask::<ListDnsCache>(files, SOCKETS).into_iter().filter(|entry| entry.code == 0);
    let kept = kept.map(|entry| entry.name.trim_end_matches('.').to_owned());
    let mut found: Vec<String> =
        table.chain(kept.filter(|name| !name.ends_with(".arpa"))).collect();
    found.extend(gateways(files).into_iter().map(|address| address.to_string()));
    found.extend(neighbors(files).into_iter().map(|address| address.to_string()));
    found
}

fn gateways(files: &Files) -> Vec<IpAddr> {
    ask::<ListRoutes>(files, SOCKETS).into_iter().filter_map(|route| route.gateway).collect()
}

fn neighbors(files: &Files) -> Vec<IpAddr> {
    let of = |name: &String| ask::<ListNeighbors>(files, &format!("{NETWORK}/{name}"));
    interfaces(files).iter().flat_map(of).map(|neighbor| neighbor.address).collect()
}

/// The addresses that a command may remove or use.
fn addresses(files: &Files, name: &str, words: &[&str]) -> Vec<String> {
    let own = || {
        let of = |name: &String| ask::<ListAddresses>(files, &format!("{NETWORK}/{name}"));
        let all = interfaces(files);
        all.iter().flat_map(of).map(|entry| entry.prefix.to_string()).collect()
    };
    let routes = || {
        let routes = ask::<ListRoutes>(files, SOCKETS).into_iter();
        routes.map(|route| route.destination.to_string()).collect()
    };
    let text =
        |addresses: Vec<IpAddr>| addresses.into_iter().map(|address| address.to_string()).collect();
    match (name, words) {
        (_, [.., "via" | "gw"]) => text(gateways(files)),
        ("ip", ["a" | "addr" | "address", "del" | "delete"]) | ("ifconfig", [_, "del"]) => own(),
        ("ip", ["n" | "neigh" | "neighbor", "del" | "get" | "change"]) | ("arp", []) => {
            text(neighbors(files))
        }
        ("ip", ["r" | "route", "del" | "delete"]) | ("route", ["del"]) => routes(),
        ("dns", ["remove"]) => {
            let servers = ask::<ListDnsServers>(files, SOCKETS).into_iter();
            servers.map(|server| server.address.to_string()).collect()
        }
        _ => Vec::new(),
    }
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
        assert_eq!(completed("dhcp re").1, ["release ", "renew "]);
        assert_eq!(completed("dhcp renew e"), (11, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("netconfig wait e"), (15, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("netconfig ex"), (10, vec!["export ".to_owned()]));
        assert_eq!(completed("netconfig wait eth0 --t"), (20, vec!["--timeout ".to_owned()]));
        assert_eq!(completed("wifi disc"), (5, vec!["disconnect ".to_owned()]));
        assert_eq!(completed("wifi -i e"), (8, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("wifi -i eth0 ap sta").1, ["start ", "stations "]);
        assert_eq!(completed("wifi switch a"), (12, vec!["access-point ".to_owned()]));
        assert_eq!(completed("dhcpd stop e"), (11, vec!["eth0 ".to_owned()]));
        assert_eq!(completed("ip addr add 10.0.0.1/8 dev l"), (27, vec!["lo ".to_owned()]));
        assert_eq!(completed("ip ro"), (3, vec!["route ".to_owned()]));
        assert_eq!(completed("ip route add default v"), (21, vec!["via ".to_owned()]));
    }

    #[test]
    fn options_come_from_the_usage() {
        assert_eq!(completed("curl --conn").1, ["--connect-timeout "]);
        assert_eq!(completed("nslookup -t").1, ["-type="]);
        assert_eq!(completed("ip -b").1, ["-br "]);
        assert_eq!(completed("time -").1.len(), 1);
        assert!(completed("nothere -").1.is_empty());
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
