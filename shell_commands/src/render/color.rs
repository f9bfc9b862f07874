//! Colours, as the reference tools have them on a terminal (ECMA-48 §8.3.117).
//!
//! They go around text that is shown already: nothing that others said becomes one.

use std::borrow::Cow;

use devnet_virtual_file_system::{Attributes, NodeKind};

/// A name in the colour of its kind, as GNU's `ls` has it.
#[must_use]
pub fn name<'a>(name: Cow<'a, str>, attributes: &Attributes) -> Cow<'a, str> {
    let code = match attributes.kind {
        NodeKind::Directory => "01;34",
        NodeKind::CharacterDevice => "40;33;01",
        NodeKind::Regular if attributes.mode.bits() & 0o111 != 0 => "01;32",
        _ => return name,
    };
    Cow::Owned(painted(code, &name))
}

fn painted(code: &str, text: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

const INTERFACE: &str = "36";
const HARDWARE: &str = "33";
const IPV4: &str = "35";
const IPV6: &str = "34";
const UP: &str = "32";
const DOWN: &str = "31";

/// An answer of `ip` in iproute2's colours: names of interfaces, addresses and states.
#[must_use]
pub fn iproute(text: &str) -> String {
    let mut result = String::with_capacity(text.len().saturating_mul(2));
    for line in text.split_inclusive('\n') {
        let mut previous = "";
        let mut is_first = true;
        for word in line.split_inclusive([' ', '\n', '\t']) {
            let bare = word.trim_end();
            match code(previous, bare, is_first) {
                Some(code) if !bare.is_empty() => {
                    result.push_str(&painted(code, bare));
                    result.push_str(word.get(bare.len()..).unwrap_or_default());
                }
                _ => result.push_str(word),
            }
            if !bare.is_empty() {
                (previous, is_first) = (bare, false);
            }
        }
    }
    result
}

fn code(previous: &str, word: &str, is_first: bool) -> Option<&'static str> {
    let address = |word: &str| {
        let host = word.split('/').next().unwrap_or_default();
        match host.parse::<std::net::IpAddr>().ok()? {
            std::net::IpAddr::V4(_) => Some(IPV4),
            std::net::IpAddr::V6(_) => Some(IPV6),
        }
    };
    let number = |word: &str| word.strip_suffix(':').is_some_and(|it| it.parse::<u32>().is_ok());
    match previous {
        "dev" | "oif" | "iif" => Some(INTERFACE),
        "lladdr" | "link/ether" | "link/loopback" => Some(HARDWARE),
        "state" if word == "UP" => Some(UP),
        "state" if word == "DOWN" => Some(DOWN),
        previous if number(previous) && word.ends_with(':') => Some(INTERFACE),
        _ if word == "brd" || is_first && word.ends_with(':') => None,
        _ => address(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_ip_has_colours_where_iproute2_has_them() {
        let text = "2: eth0: <UP> mtu 1500 state UP\n    link/ether 02:00:00:00:00:01 brd ff\n    \
                    inet 10.0.0.1/8 scope global\n    inet6 fe80::1/64\n";
        assert_eq!(
            iproute(text),
            "2: \u{1b}[36meth0:\u{1b}[0m <UP> mtu 1500 state \u{1b}[32mUP\u{1b}[0m\n    \
             link/ether \u{1b}[33m02:00:00:00:00:01\u{1b}[0m brd ff\n    \
             inet \u{1b}[35m10.0.0.1/8\u{1b}[0m scope global\n    \
             inet6 \u{1b}[34mfe80::1/64\u{1b}[0m\n"
        );
        assert_eq!(
            iproute("default via 10.0.0.2 dev eth0\n"),
            "default via \u{1b}[35m10.0.0.2\u{1b}[0m dev \u{1b}[36meth0\u{1b}[0m\n"
        );
    }
}
