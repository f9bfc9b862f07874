//! The command line of the `devnet` program, as typed values.
//!
//! Defines the options and their errors. Called by `main.rs`; `system.rs` builds the network from
//! the interface arguments. Nothing is opened or started here.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use devnet_network::address::HardwareAddress;
use lexopt::prelude::*;
use log::LevelFilter;

use crate::manual::HostShell;
use crate::sockets::Family;

/// The whole command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// The mode of operation.
    pub mode: Mode,
    /// `-e`: stop at the first command that fails.
    pub stop_on_failure: bool,
    /// Interfaces that replace the embedded network; empty for the embedded network.
    pub interfaces: Vec<InterfaceArgument>,
    /// Files of the host to copy into the tree, as `FROM` or `FROM=TO`.
    pub imports: Vec<String>,
    /// Where the shell is served by telnet.
    pub listen: Option<SocketAddr>,
    /// The file of the host with names and hashes of passwords.
    pub credentials: Option<OsString>,
    /// Where the dashboard is served.
    pub dashboard: Option<SocketAddr>,
    /// Terminals of the host on which the shell is served.
    pub serial: Vec<OsString>,
    /// What is logged to standard error; as `DEVNET_LOG` says if not given.
    pub log: Option<LevelFilter>,
}

/// A mode of operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Read commands from standard input; interactively if it is a terminal.
    StandardInput,
    /// Run these commands with these arguments (`-c`).
    Commands(String, Vec<String>),
    /// Run the script in this file of the host with these arguments.
    Script(OsString, Vec<String>),
    /// Run one command of the shell with these arguments (`devnet run …`).
    Command(Vec<String>),
    /// `--help`
    Help,
    /// `--man`
    Manual,
    /// `--completions SHELL`
    Completions(HostShell),
    /// `--version`
    Version,
}

/// One `--interface`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceArgument {
    /// The interface's name.
    pub name: String,
    /// The driver.
    pub kind: InterfaceKind,
    /// The name of the host's interface, for TAP and TUN.
    pub argument: Option<String>,
    /// The hardware address; random by default.
    pub mac: Option<HardwareAddress>,
    /// The MTU in bytes; the driver's by default.
    pub mtu: Option<u32>,
    /// A host file for a pcapng capture of all frames.
    pub capture: Option<String>,
}

/// The driver of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InterfaceKind {
    /// The loopback.
    Loopback,
    /// The switch of the embedded network.
    Lan,
    /// A simulated radio, with networks to join around it.
    Wifi,
    /// The host's TAP interface of that name.
    Tap,
    /// The host's TUN interface of that name.
    Tun,
}

/// An error in an interface argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceArgumentError(String);

impl fmt::Display for InterfaceArgumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InterfaceArgumentError {}

impl Arguments {
    /// Parses the arguments after the program's name.
    ///
    /// # Errors
    /// The error, in one line.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut result = Self {
            mode: Mode::StandardInput,
            stop_on_failure: false,
            interfaces: Vec::new(),
            imports: Vec::new(),
            listen: None,
            credentials: None,
            dashboard: None,
            serial: Vec::new(),
            log: None,
        };
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('c') => {
                    let commands = parser.value()?.string()?;
                    // Options may still follow the commands; the first operand begins the
                    // arguments.
                    result.mode = Mode::Commands(commands, Vec::new());
                }
                Short('e') => result.stop_on_failure = true,
                Long("interface") => {
                    let text = parser.value()?.string()?;
                    let interface: InterfaceArgument =
                        text.parse().map_err(|why| format!("{text}: {why}"))?;
                    if result.interfaces.iter().any(|other| other.name == interface.name) {
                        return Err(format!("{text}: the name is taken").into());
                    }
                    result.interfaces.push(interface);
                }
                Long("log") => result.log = Some(level(&parser.value()?.string()?)?),
                Long("listen") => {
                    let text = parser.value()?.string()?;
                    let bad = |_| format!("{text}: not ADDRESS:PORT, such as 10.0.2.15:23");
                    result.listen = Some(text.parse().map_err(bad)?);
                }
                Long("dashboard") => {
                    result.dashboard = Some(match parser.optional_value() {
                        None => SocketAddr::new(Family::Any.unspecified(), 80),
                        Some(value) => {
                            let text = value.string()?;
                            let bad = |_| format!("{text}: not ADDRESS:PORT, such as 10.0.2.15:80");
                            text.parse().map_err(bad)?
                        }
                    });
                }
                Long("credentials") => result.credentials = Some(parser.value()?),
                Long("serial") => result.serial.push(parser.value()?),
                Long("import") => result.imports.push(parser.value()?.string()?),
                Short('v' | 'V') | Long("version") => {
                    return Ok(Self { mode: Mode::Version, ..result });
                }
                Long("man") => return Ok(Self { mode: Mode::Manual, ..result }),
                Long("completions") => {
                    let shell: HostShell = parser.value()?.string()?.parse()?;
                    return Ok(Self { mode: Mode::Completions(shell), ..result });
                }
                Short('h') | Long("help") => return Ok(Self { mode: Mode::Help, ..result }),
                Value(first) => {
                    let rest = parser.raw_args()?;
                    let rest = rest.map(|word| word.string()).collect::<Result<Vec<_>, _>>()?;
                    result.mode = with_words(result.mode, first, rest)?;
                    return result.checked();
                }
                other => return Err(other.unexpected()),
            }
        }
        result.checked()
    }

    /// Options that need one another.
    fn checked(self) -> Result<Self, lexopt::Error> {
        if self.listen.is_some() && self.credentials.is_none() {
            return Err("--listen needs --credentials FILE: without it nobody could log in".into());
        }
        if self.credentials.is_some() && self.listen.is_none() && self.serial.is_empty() {
            return Err("--credentials is for --listen or --serial".into());
        }
        Ok(self)
    }
}

/// The level of messages that are logged.
///
/// # Errors
/// The word, in one line.
pub fn level(word: &str) -> Result<LevelFilter, String> {
    let unknown = |_| format!("{word}: unknown level, not off, error, warn, info, debug or trace");
    word.parse().map_err(unknown)
}

/// The first operand is a script unless `-c` came before it; it and the rest are arguments then.
fn with_words(mode: Mode, first: OsString, rest: Vec<String>) -> Result<Mode, lexopt::Error> {
    if let Mode::Commands(commands, _) = mode {
        let mut arguments = vec![first.string()?];
        arguments.extend(rest);
        return Ok(Mode::Commands(commands, arguments));
    }
    if first == "run" {
        let mut words = vec![first.string()?];
        words.extend(rest);
        return Ok(Mode::Command(words));
    }
    Ok(Mode::Script(first, rest))
}

impl FromStr for InterfaceArgument {
    type Err = InterfaceArgumentError;

    /// `NAME=KIND[:ARG][,KEY=VALUE…]`
    fn from_str(text: &str) -> Result<Self, InterfaceArgumentError> {
        let wrong = |why: &str| InterfaceArgumentError(why.to_owned());
        let (name, rest) = text.split_once('=').ok_or_else(|| wrong("NAME=KIND is needed"))?;
        if name.is_empty() || name.len() > devnet_network::limits::NAME_BYTES {
            return Err(wrong("the name must have 1 to 15 bytes"));
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
            || name.starts_with('.')
        {
            return Err(wrong("the name may have letters, digits, '_', '-' and '.'"));
        }
        let mut parts = rest.split(',');
        let kind = parts.next().unwrap_or_default();
        let (kind, argument) = match kind.split_once(':') {
            Some((kind, argument)) => {
                (kind, Some(argument.to_owned()).filter(|argument| !argument.is_empty()))
            }
            None => (kind, None),
        };
        let kind = kind.parse()?;
        if matches!(kind, InterfaceKind::Tap | InterfaceKind::Tun) != argument.is_some() {
            return Err(wrong(
                "tap and tun need the name of a host interface, the others take none",
            ));
        }
        let mut result =
            Self { name: name.to_owned(), kind, argument, mac: None, mtu: None, capture: None };
        for part in parts {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| wrong(&format!("{part}: KEY=VALUE is needed")))?;
            result.set(key, value)?;
        }
        Ok(result)
    }
}

impl InterfaceArgument {
    fn set(&mut self, key: &str, value: &str) -> Result<(), InterfaceArgumentError> {
        let bad = || InterfaceArgumentError(format!("{value}: bad {key}"));
        match key {
            "mac" => {
                let address: HardwareAddress = value.parse().map_err(|_| bad())?;
                self.mac = Some(address).filter(|address| address.is_unicast());
                self.mac.ok_or_else(bad)?;
            }
            "mtu" => {
                let mtu: u32 = value.parse().map_err(|_| bad())?;
                let fits = (devnet_network::limits::MTU_MINIMUM as u32..=65535).contains(&mtu);
                self.mtu = Some(mtu).filter(|_| fits);
                self.mtu.ok_or_else(bad)?;
            }
            "capture" if !value.is_empty() => self.capture = Some(value.to_owned()),
            "capture" => return Err(bad()),
            _ => return Err(InterfaceArgumentError(format!("{key}: unknown key"))),
        }
        Ok(())
    }
}

impl FromStr for InterfaceKind {
    type Err = InterfaceArgumentError;

    fn from_str(text: &str) -> Result<Self, InterfaceArgumentError> {
        match text {
            "loopback" => Ok(Self::Loopback),
            "lan" => Ok(Self::Lan),
            "wifi" => Ok(Self::Wifi),
            "tap" => Ok(Self::Tap),
            "tun" => Ok(Self::Tun),
            _ => Err(InterfaceArgumentError(format!(
                "{text}: unknown kind, not loopback, lan, wifi, tap or tun"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(words.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn mode(words: &[&str]) -> Mode {
        parse(words).unwrap().mode
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn modes_follow_from_the_words() {
        assert_eq!(mode(&[]), Mode::StandardInput);
        assert_eq!(mode(&["-c", "a; b"]), Mode::Commands("a; b".into(), vec![]));
        assert_eq!(
            mode(&["-c", "a", "x", "-e"]),
            Mode::Commands("a".into(), strings(&["x", "-e"]))
        );
        assert_eq!(
            mode(&["-e", "s.sh", "-c", "x"]),
            Mode::Script("s.sh".into(), strings(&["-c", "x"]))
        );
        assert_eq!(
            mode(&["run", "g.wasm", "--allow-connect", "x"]),
            Mode::Command(strings(&["run", "g.wasm", "--allow-connect", "x"]))
        );
        assert_eq!(mode(&["--help"]), Mode::Help);
        assert_eq!(mode(&["-v"]), Mode::Version);
        assert_eq!(mode(&["--man"]), Mode::Manual);
        assert_eq!(mode(&["--completions", "zsh"]), Mode::Completions(HostShell::Zsh));
        let remote = parse(&["--listen", "[::]:23", "--credentials=c", "--serial", "/dev/ttyS0"]);
        let remote = remote.unwrap();
        assert_eq!(remote.listen, Some("[::]:23".parse().unwrap()));
        assert_eq!((remote.credentials, remote.serial.len()), (Some("c".into()), 1));
        let page = |word: &str| parse(&[word]).unwrap().dashboard;
        assert_eq!(page("--dashboard"), Some("[::]:80".parse().unwrap()));
        assert_eq!(page("--dashboard=10.0.2.15:81"), Some("10.0.2.15:81".parse().unwrap()));
        assert_eq!(parse(&["--log=debug"]).unwrap().log, Some(LevelFilter::Debug));
        assert!(
            parse(&["-ec", "a"]).unwrap().stop_on_failure
                && parse(&["-c", "a", "-e"]).unwrap().stop_on_failure
        );
    }

    #[test]
    fn interfaces_are_typed() {
        let words = [
            "--interface",
            "eth0=tap:tap0,mac=02:00:00:00:00:01,mtu=1400,capture=x.pcapng",
            "--interface=l=loopback",
            "--interface=wlan0=wifi",
        ];
        let interfaces = parse(&words).unwrap().interfaces;
        assert_eq!(
            interfaces[0],
            InterfaceArgument {
                name: "eth0".into(),
                kind: InterfaceKind::Tap,
                argument: Some("tap0".into()),
                mac: Some(HardwareAddress([2, 0, 0, 0, 0, 1])),
                mtu: Some(1400),
                capture: Some("x.pcapng".into()),
            }
        );
        assert_eq!(
            (interfaces[1].name.as_str(), interfaces[1].kind),
            ("l", InterfaceKind::Loopback)
        );
        assert_eq!(interfaces[2].kind, InterfaceKind::Wifi);
    }

    #[test]
    fn wrong_words_are_named() {
        for (words, part) in [
            (&["-x"][..], "-x"),
            (&["-c"], "-c"),
            (&["--listen", "23"], "23: not ADDRESS:PORT"),
            (&["--dashboard=80"], "80: not ADDRESS:PORT"),
            (&["--listen", "10.0.2.15:23"], "--listen needs --credentials"),
            (&["--credentials", "x", "s.sh"], "is for --listen or --serial"),
            (&["--log", "loud"], "loud: unknown level"),
            (&["--completions", "csh"], "csh: unknown shell"),
            (&["--interface", "eth0"], "eth0: NAME=KIND is needed"),
            (&["--interface", "=lan"], "1 to 15 bytes"),
            (&["--interface", "abcdefghijklmnop=lan"], "1 to 15 bytes"),
            (&["--interface", "a/b=lan"], "letters"),
            (&["--interface", "..=lan"], "letters"),
            (&["--interface", "e=foo"], "foo: unknown kind"),
            (&["--interface", "e=tap"], "need the name"),
            (&["--interface", "e=tap:"], "need the name"),
            (&["--interface", "e=lan:x"], "take none"),
            (&["--interface", "e=wifi:x"], "take none"),
            (&["--interface", "e=lan,mtu=67"], "67: bad mtu"),
            (&["--interface", "e=lan,mtu=65536"], "65536: bad mtu"),
            (&["--interface", "e=lan,mac=01:00:00:00:00:00"], "bad mac"),
            (&["--interface", "e=lan,mac"], "mac: KEY=VALUE is needed"),
            (&["--interface", "e=lan,foo=1"], "foo: unknown key"),
            (&["--interface", "e=lan,capture="], "bad capture"),
            (&["--interface", "e=lan", "--interface", "e=loopback"], "the name is taken"),
        ] {
            let error = parse(words).expect_err(&words.join(" "));
            assert!(error.contains(part), "{words:?}: {error}");
        }
    }
}
