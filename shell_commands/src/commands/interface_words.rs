//! Parses the arguments of `ifconfig IF …` into settings, in their order.
//!
//! All arguments are parsed before the first setting is applied, so that an invalid argument
//! changes nothing. [`interface`](super::interface) applies the settings.

use std::net::{IpAddr, Ipv4Addr};

use devnet_network::address::{HardwareAddress, Prefix};
use devnet_network::command::interface::InterfaceOption;

use super::words::{self, Words};
use crate::failure::Failure;

/// One setting, independent of the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Setting {
    /// Sets the first IPv4 address and brings the interface up; without a length the class decides.
    Address(Ipv4Addr, Option<u8>),
    /// Adds an address.
    Add(Prefix),
    /// Removes an address; without a length, one of any length.
    Remove(IpAddr, Option<u8>),
    /// The prefix length of the first IPv4 address.
    Netmask(u8),
    /// The broadcast address of the first IPv4 address.
    Broadcast(Ipv4Addr),
    /// The hardware address.
    Hardware(HardwareAddress),
    /// The MTU in bytes.
    Mtu(u32),
    /// The metric of the interface's routes.
    Metric(u32),
    /// The default router.
    Gateway(IpAddr),
    /// DNS servers.
    Dns(Vec<IpAddr>),
    /// The DHCP client.
    Dhcp,
    /// Up or down.
    Enabled(bool),
    /// Another setting.
    Option(InterfaceOption),
}

/// Parses all arguments.
pub(super) fn parse(arguments: &[String]) -> Result<Vec<(String, Setting)>, Failure> {
    let mut words = Words::new(arguments);
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word {
            // The address itself shows the family.
            "inet" | "inet6" => continue,
            "up" => Setting::Enabled(true),
            "down" => Setting::Enabled(false),
            "dhcp" | "auto" => Setting::Dhcp,
            "add" => Setting::Add(prefix(words.value(word)?)?),
            "del" | "delete" => {
                let (address, length) = address_and_length(words.value(word)?)?;
                Setting::Remove(address, length)
            }
            "netmask" => Setting::Netmask(netmask(words.value(word)?)?),
            "prefixlen" => Setting::Netmask(length(words.value(word)?)?),
            "broadcast" => Setting::Broadcast(words.parsed(word, "address")?),
            "promisc" => Setting::Option(InterfaceOption::Promiscuous(true)),
            "-promisc" => Setting::Option(InterfaceOption::Promiscuous(false)),
            "allmulti" => Setting::Option(InterfaceOption::AllMulticast(true)),
            "-allmulti" => Setting::Option(InterfaceOption::AllMulticast(false)),
            "arp" => Setting::Option(InterfaceOption::Arp(true)),
            "-arp" => Setting::Option(InterfaceOption::Arp(false)),
            // It cannot be switched off here.
            "multicast" => continue,
            "-multicast" => return Err(Failure::of(word, "groups are always received")),
            "txqueuelen" => {
                let frames = words.parsed(word, "number of frames")?;
                Setting::Option(InterfaceOption::TransmitQueue(frames))
            }
            "mtu" => Setting::Mtu(words.parsed(word, "MTU")?),
            "metric" => Setting::Metric(words.parsed(word, "metric")?),
            "gw" | "gateway" => Setting::Gateway(words::address(words.value(word)?)?),
            "dns" => Setting::Dns(servers(&mut words)?),
            "hw" => {
                if words.peek() == Some("ether") {
                    words.next();
                }
                Setting::Hardware(words.parsed(word, "hardware address")?)
            }
            text => address(text)?,
        };
        settings.push((word.to_owned(), setting));
    }
    Ok(settings)
}

fn address(text: &str) -> Result<Setting, Failure> {
    Ok(match address_and_length(text)? {
        (IpAddr::V4(address), length) => Setting::Address(address, length),
        (address @ IpAddr::V6(_), None) => Setting::Add(Prefix::host(address)),
        (IpAddr::V6(_), Some(_)) => Setting::Add(prefix(text)?),
    })
}

fn prefix(text: &str) -> Result<Prefix, Failure> {
    words::parse(text, "address")
}

fn address_and_length(text: &str) -> Result<(IpAddr, Option<u8>), Failure> {
    let prefix = prefix(text)?;
    Ok((prefix.address(), text.contains('/').then_some(prefix.length())))
}

fn netmask(text: &str) -> Result<u8, Failure> {
    let mask: Ipv4Addr = words::parse(text, "netmask")?;
    Prefix::length_of_netmask(mask).map_err(|_| Failure::of(text, "bad netmask"))
}

fn length(text: &str) -> Result<u8, Failure> {
    let length: u8 = words::parse(text, "prefix length")?;
    if length <= 32 { Ok(length) } else { Err(Failure::of(text, "bad prefix length")) }
}

/// Parses one or more addresses.
fn servers(words: &mut Words<'_>) -> Result<Vec<IpAddr>, Failure> {
    let mut servers = vec![words::address(words.value("dns")?)?];
    while let Some(server) = words.peek().and_then(|word| word.parse().ok()) {
        servers.push(server);
        words.next();
    }
    Ok(servers)
}

/// The prefix length of the address' class, as in net-tools.
pub(super) fn class_length(address: Ipv4Addr) -> u8 {
    match address.octets() {
        [0..128, ..] => 8,
        [128..192, ..] => 16,
        [192..224, ..] => 24,
        _ => 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Vec<Setting>, Failure> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        Ok(parse(&words)?.into_iter().map(|(_, setting)| setting).collect())
    }

    #[test]
    fn words_become_settings_in_order() {
        let line = "inet 10.0.0.5/24 netmask 255.255.0.0 broadcast 10.0.255.255 hw ether \
            02:00:00:00:00:01 mtu 1400 metric 3 dns 1.1.1.1 8.8.8.8 gw 10.0.0.1 up";
        assert_eq!(
            parsed(line).unwrap(),
            [
                Setting::Address(Ipv4Addr::new(10, 0, 0, 5), Some(24)),
                Setting::Netmask(16),
                Setting::Broadcast(Ipv4Addr::new(10, 0, 255, 255)),
                Setting::Hardware(HardwareAddress([2, 0, 0, 0, 0, 1])),
                Setting::Mtu(1400),
                Setting::Metric(3),
                Setting::Dns(vec!["1.1.1.1".parse().unwrap(), "8.8.8.8".parse().unwrap()]),
                Setting::Gateway("10.0.0.1".parse().unwrap()),
                Setting::Enabled(true),
            ]
        );
        assert_eq!(
            parsed("promisc -allmulti multicast -arp txqueuelen 77").unwrap(),
            [
                InterfaceOption::Promiscuous(true),
                InterfaceOption::AllMulticast(false),
                InterfaceOption::Arp(false),
                InterfaceOption::TransmitQueue(77),
            ]
            .map(Setting::Option)
        );
        assert_eq!(
            parsed("inet6 add fd00::1/64 del fd00::2 down dhcp").unwrap(),
            [
                Setting::Add("fd00::1/64".parse().unwrap()),
                Setting::Remove("fd00::2".parse().unwrap(), None),
                Setting::Enabled(false),
                Setting::Dhcp,
            ]
        );
        assert_eq!(parsed("fd00::1/64").unwrap(), [Setting::Add("fd00::1/64".parse().unwrap())]);
    }

    #[test]
    fn wrong_words_are_named() {
        for (line, message) in [
            ("300.1.1.1", "300.1.1.1: bad address"),
            ("10.0.0.1/33", "10.0.0.1/33: bad address"),
            ("frobnicate", "frobnicate: bad address"),
            ("netmask 255.0.255.0", "255.0.255.0: bad netmask"),
            ("mtu abc", "abc: bad MTU"),
            ("mtu -1", "-1: bad MTU"),
            ("hw ether 02:00:00:00:00", "02:00:00:00:00: bad hardware address"),
            ("mtu", "mtu: a value is missing"),
            ("-multicast", "-multicast: groups are always received"),
            ("txqueuelen -1", "-1: bad number of frames"),
            ("dns", "dns: a value is missing"),
            ("add fd00::/129", "fd00::/129: bad address"),
        ] {
            assert_eq!(parsed(line).unwrap_err().message, message, "{line}");
        }
    }

    #[test]
    fn classes_have_lengths() {
        for (address, length) in [
            ("10.1.2.3", 8),
            ("127.0.0.1", 8),
            ("128.0.0.1", 16),
            ("192.0.2.1", 24),
            ("223.1.1.1", 24),
            ("240.0.0.1", 32),
        ] {
            assert_eq!(class_length(address.parse().unwrap()), length, "{address}");
        }
    }
}
