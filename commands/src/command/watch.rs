//! Types of event commands: the kinds to watch, and the grammar of records.
//!
//! The command [`Watch`](super::Watch), or the line `watch`, makes an open device file a reader of
//! events: first a snapshot (`present`), then its end (`idle`), then changes. On an interface's
//! device the events are that interface's, on `/devices/sockets` those of all present and future
//! ones, and of the sockets that are bound to none. `watch link address` selects these kinds only;
//! sockets and hits of firewalls are told only to who names them, because a busy system has many.
//!
//! `watch numbered`, or [`WatchEvents`](super::WatchEvents), puts a number and a time before each
//! record: `17 4.250000s link changed eth0 …`. The number grows by one with every event of the
//! watched kinds, also with those that were lost; the records of a snapshot have that of the last
//! event before it. The time is the system's monotonic clock. `watch records` gives the same events
//! as [values](super::event) instead of lines, always with both.
//!
//! A record is a line of words. Pairs in any order follow the third word; a reader skips unknown
//! keys:
//!
//! ```text
//! record = KIND WHAT SUBJECT *( KEY VALUE )
//!        | "idle"               the snapshot is over
//!        | "lost" COUNT         so many records were lost because the reader was slow;
//!                               a snapshot and "idle" follow
//! WHAT   = "present" | "added" | "changed" | "removed"
//!        | "conflict"                                    for addresses
//!        | "stopped"                                     for leases
//!        | "failed"                                      for dns
//!        | "hit"                                         for firewalls
//!        | "loss" | "timeout" | "undo" | "ended"         for streams
//! ```
//!
//! | kind | subject | keys |
//! |---|---|---|
//! | `interface` | its name | `index`, `kind` |
//! | `link` | the interface | `state`, `carrier`, `mtu`, `metric`, `mac` |
//! | `address` | address and prefix length | `interface`, `origin`, `state`, `scope`, and more |
//! | `address conflict` | another host claims the address | `interface`, `mac` (the other's) |
//! | `route` | destination and prefix length | `interface`, `via`, `metric`, `origin`, `source` |
//! | `neighbor` | its address | `interface`, `state`, `mac`, `router` (`yes`) |
//! | `dns` | the server | `interface`, `origin` |
//! | `dns failed` | a name that was looked up in vain | `kind`, `reason`, `interface` |
//! | `dhcp` | the interface | `state`; with a lease `address`, `server`, `lease` (seconds) |
//! | `lease` | an address that our DHCP server leases | `interface`, `client`, and more |
//! | `lease stopped` | the interface, whose server stopped | none |
//! | `stream` | the local end | `remote`, `interface`, and what follows |
//! | `stream loss` | loss recovery begins | `segments`, `window`, `after`, `round-trip` |
//! | `stream timeout` | the retransmission timeout | `count`, `wait`, `window`, `round-trip` |
//! | `stream undo` | a reduction was spurious | `window`, `after` |
//! | `stream ended` | by an error | `cause` |
//! | `group` | a multicast group | `interface`, `sockets` (that joined it) |
//! | `socket` | its local address | `kind`, `state`, and more |
//! | `firewall hit` | the handle of a rule with `log` | `interface`, `chain`, `action`, and more |
//! | `service` | its name, escaped | `interface`, `type`, and more |
//!
//! * `link`: `state` is `up` or `down`, `carrier` is `yes` or `no`.
//! * `address`: also `broadcast`, and `valid` and `preferred` in seconds (none for ever).
//! * `route`: also `preference` (`high` or `low`) of one that a router advertises so.
//! * `neighbor`: `state` is `reachable`, `stale`, `failed` or `permanent`.
//! * `dns failed`: `kind` is the type of the records, or `address`; `reason` is `not-found`,
//!   `timed-out`, `refused`, `no-server` or `unreachable`; `interface` is that whose device was
//!   asked.
//! * `lease`: also `mac`, `name`, and `seconds` until it ends (none for ever); `changed` when it
//!   was renewed.
//! * `stream`: `segments` is the number marked lost; `window` and `after` are the congestion window
//!   in bytes, before and after; `round-trip` is the smoothed round-trip time in microseconds;
//!   `count` is of this stream's timeouts, `wait` the milliseconds of this one; `cause` is `reset`,
//!   `refused`, `timed-out`, `aborted`, `unreachable` or `network-down`.
//! * `socket`: also `protocol` of raw ones, `remote` of connected ones, and `interface` of those
//!   that are bound to one. A connection is told once it is established, or begins here; it is
//!   `removed` when it has ended or is in TIME-WAIT. One is known by its kind, both addresses and
//!   the interface.
//! * `firewall hit`: also `protocol` (its number), `source`, `destination` (with ports where there
//!   are), `length` in bytes. Of many packets only some are told.
//! * `service`: also `host` and `port`, once they are known; each `address` of the host; each
//!   string of its `text`, escaped as names are (RFC 1035 §5.1). A key may stand more than once.
//!   They are told by `dns watch`, or [`WatchServices`](super::WatchServices), which says of which
//!   type.
//!
//! Changes in quick succession are reported as one, with the final state. Of neighbors only lasting
//! states are reported, not that one is being probed. `removed` has the last state of the object.

use core::str::SplitAsciiWhitespace;

use bitflags::bitflags;
use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use crate::time::Instant;

bitflags! {
    /// Kinds of events.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Kinds: u16 {
        /// Added and removed interfaces.
        const INTERFACE = 1 << 0;
        /// State, carrier, MTU, metric and hardware address.
        const LINK = 1 << 1;
        /// Addresses and their states.
        const ADDRESS = 1 << 2;
        /// Routes.
        const ROUTE = 1 << 3;
        /// Lasting states of neighbors.
        const NEIGHBOR = 1 << 4;
        /// Name servers, and lookups that fail.
        const DNS = 1 << 5;
        /// The DHCP client.
        const DHCP = 1 << 6;
        /// Loss, timeouts and ends of TCP connections.
        const STREAM = 1 << 7;
        /// Leases of the DHCP server.
        const LEASE = 1 << 8;
        /// Multicast groups.
        const GROUP = 1 << 9;
        /// Sockets that begin, change their state and end. Only who names it gets it.
        const SOCKET = 1 << 10;
        /// Packets that matched rules of the firewall with `log`. Only who names it gets it.
        const FIREWALL = 1 << 11;
        /// Services of the link that come, change and go. Of which type they are
        /// [`WatchServices`](super::WatchServices) says; the other commands refuse this kind.
        const SERVICE = 1 << 12;
    }
}

/// What a watching file tells, and in which form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WatchOptions {
    /// The kinds of events.
    pub kinds: Kinds,
    /// Lines begin with a number and a time.
    pub numbered: bool,
    /// Records are [values](super::event::EventRecord) instead of lines.
    pub records: bool,
}

impl WatchOptions {
    /// Lines of these kinds.
    #[must_use]
    pub const fn lines(kinds: Kinds) -> Self {
        Self { kinds, numbered: false, records: false }
    }

    /// Values of these kinds.
    #[must_use]
    pub const fn records(kinds: Kinds) -> Self {
        Self { kinds, numbered: true, records: true }
    }
}

/// The first word of the records of each kind.
const WORDS: [(&str, Kinds); 13] = [
    ("interface", Kinds::INTERFACE),
    ("link", Kinds::LINK),
    ("address", Kinds::ADDRESS),
    ("route", Kinds::ROUTE),
    ("neighbor", Kinds::NEIGHBOR),
    ("dns", Kinds::DNS),
    ("dhcp", Kinds::DHCP),
    ("stream", Kinds::STREAM),
    ("lease", Kinds::LEASE),
    ("group", Kinds::GROUP),
    ("socket", Kinds::SOCKET),
    ("firewall", Kinds::FIREWALL),
    ("service", Kinds::SERVICE),
];

impl Kinds {
    /// Every kind but sockets and hits of firewalls, which only who names them gets, and services.
    pub const USUAL: Self =
        Self::all().difference(Self::SOCKET.union(Self::FIREWALL).union(Self::SERVICE));

    /// The kind of a word; `streams` means `stream` too, and `sockets` `socket`.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = match word {
            "streams" => "stream",
            "sockets" => "socket",
            word => word,
        };
        WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// The kinds of some words; the [usual](Self::USUAL) ones without a word.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown word.
    pub fn parse(words: &[&str]) -> Result<Self, Error> {
        if words.is_empty() {
            return Ok(Self::USUAL);
        }
        let named = |kinds: Self, word: &&str| Self::named(word).map(|kind| kinds | kind);
        words.iter().try_fold(Self::empty(), named).ok_or(Error::InvalidInput)
    }
}

/// The number and the time before a line of `watch numbered`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// See [`EventRecord`](super::event::EventRecord).
    pub sequence: u64,
    /// When it happened, by the system's monotonic clock.
    pub time: Instant,
}

/// A line read from a watching file.
#[derive(Clone, Debug)]
pub enum Line<'a> {
    /// The snapshot is over.
    Idle,
    /// So many records were lost; a snapshot follows.
    Lost(u64),
    /// An object of the snapshot, or a change.
    Record(Record<'a>),
}

/// A parsed record.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The kind of object.
    pub kind: &'a str,
    /// What happened to it; `present` in the snapshot.
    pub what: &'a str,
    /// The object.
    pub subject: &'a str,
    pairs: SplitAsciiWhitespace<'a>,
}

impl<'a> Line<'a> {
    /// Parses a line of `watch numbered`.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid line, also for one without a number.
    pub fn parse_numbered(line: &'a str) -> Result<(Stamp, Self), Error> {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().ok_or(Error::InvalidInput);
        let (sequence, time) = (next()?, next()?);
        let stamp = Stamp {
            sequence: sequence.parse().map_err(|_| Error::InvalidInput)?,
            time: time.parse()?,
        };
        Ok((stamp, Self::parse(next()?)?))
    }

    /// Parses a line.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid line.
    pub fn parse(line: &'a str) -> Result<Self, Error> {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("idle"), None, _) => Ok(Self::Idle),
            (Some("lost"), Some(count), None) => {
                count.parse().map(Self::Lost).map_err(|_| Error::InvalidInput)
            }
            (Some("idle" | "lost"), ..) => Err(Error::InvalidInput),
            (Some(kind), Some(what), Some(subject)) if words.clone().count().is_multiple_of(2) => {
                Ok(Self::Record(Record { kind, what, subject, pairs: words }))
            }
            _ => Err(Error::InvalidInput),
        }
    }
}

impl<'a> Record<'a> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.pairs().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// All keys with their values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut words = self.pairs.clone();
        core::iter::from_fn(move || Some((words.next()?, words.next()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_kinds() {
        assert_eq!(Kinds::parse(&[]), Ok(Kinds::USUAL));
        assert_eq!(Kinds::parse(&["link", "streams"]), Ok(Kinds::LINK | Kinds::STREAM));
        assert_eq!(Kinds::parse(&["link", "weather"]), Err(Error::InvalidInput));
        let all = WORDS.iter().fold(Kinds::empty(), |kinds, (_, kind)| kinds | *kind);
        assert_eq!(all, Kinds::all());
    }

    #[test]
    fn lines_are_records_of_pairs() {
        let Ok(Line::Record(record)) = Line::parse("route added ::/0 interface eth0 via fe80::1")
        else {
            panic!()
        };
        assert_eq!((record.kind, record.what, record.subject), ("route", "added", "::/0"));
        assert_eq!(
            (record.get("via"), record.get("interface"), record.get("eth0")),
            (Some("fe80::1"), Some("eth0"), None)
        );
        assert!(matches!(Line::parse("idle"), Ok(Line::Idle)));
        assert!(matches!(Line::parse("lost 7"), Ok(Line::Lost(7))));
        for line in [
            "",
            "lost",
            "lost many",
            "lost 7 8",
            "idle now",
            "link changed",
            "link changed eth0 state",
        ] {
            assert!(Line::parse(line).is_err(), "{line:?}");
        }
        let (stamp, line) = Line::parse_numbered("17 4.250000s lost 3").unwrap();
        assert_eq!((stamp.sequence, stamp.time), (17, Instant::from_micros(4_250_000)));
        assert!(matches!(line, Line::Lost(3)));
        for line in ["lost 3", "17 lost 3", "17 4.25", "17 4.250000s", "x 4.250000s idle"] {
            assert!(Line::parse_numbered(line).is_err(), "{line:?}");
        }
    }
}
