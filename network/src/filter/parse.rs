//! Parses a filter.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

use super::lexer::{Token, tokens};
use super::names::{NUMBERS, PROTOCOLS, is_protocol, named, network, number, port, ports};
use super::view::ethertype;
use super::{End, Expression, FilterError, Layer, Relation, SCTP, TCP, Test, UDP};
use crate::address::{HardwareAddress, Prefix};
use crate::command::capture::CaptureDirection;
use crate::limits;

/// The words before a value that say what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Qualifiers<'a> {
    protocol: Option<&'a str>,
    end: End,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kind {
    #[default]
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
    length: usize,
    /// Parentheses, `not`, `and` and `or` so far.
    operators: usize,
    /// Of the primitive before.
    last: Option<Qualifiers<'a>>,
}

type Outcome<T> = Result<T, FilterError>;

/// The filter of a text; `None` for an empty one.
pub(super) fn parse(text: &str) -> Outcome<Option<Expression>> {
    let mut parser =
        Parser { tokens: Vec::new(), position: 0, length: text.len(), operators: 0, last: None };
    if text.len() > limits::FILTER_BYTES {
        return Err(FilterError { word: "…".into(), at: 0, expected: "short enough" });
    }
    parser.tokens = tokens(text).map_err(|at| FilterError {
        word: text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('?').into(),
        at,
        expected: "a sign of filters",
    })?;
    if parser.tokens.is_empty() {
        return Ok(None);
    }
    let root = parser.alternatives()?;
    if parser.peek().is_some() {
        return Err(parser.wrong("`and` or `or`"));
    }
    Ok(Some(root))
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.position).map(|token| token.text)
    }

    fn take(&mut self, words: &[&str]) -> bool {
        let is_it = self.peek().is_some_and(|word| words.contains(&word));
        self.position += usize::from(is_it);
        is_it
    }

    /// The present token is wrong.
    fn wrong(&self, expected: &'static str) -> FilterError {
        match self.tokens.get(self.position) {
            Some(token) => FilterError { word: token.text.into(), at: token.at, expected },
            None => FilterError { word: "".into(), at: self.length, expected },
        }
    }

    fn value<T>(
        &mut self,
        expected: &'static str,
        read: impl Fn(&'a str) -> Option<T>,
    ) -> Outcome<T> {
        let value = self.peek().and_then(read).ok_or_else(|| self.wrong(expected))?;
        self.position += 1;
        Ok(value)
    }

    /// Terms with `and` and `or` between them, which bind equally.
    fn alternatives(&mut self) -> Outcome<Expression> {
        let mut left = self.term()?;
        loop {
            let make = if self.take(&["and", "&&"]) {
                Expression::And
            } else if self.take(&["or", "||"]) {
                Expression::Or
            } else {
                return Ok(left);
            };
            self.count()?;
            left = make(Box::new(left), Box::new(self.term()?));
        }
    }

    /// Parsing and evaluation recurse at most once for each of these.
    fn count(&mut self) -> Outcome<()> {
        self.operators += 1;
        if self.operators > limits::FILTER_OPERATORS {
            return Err(self.wrong("allowed: there are too many words"));
        }
        Ok(())
    }

    fn term(&mut self) -> Outcome<Expression> {
        if self.take(&["not", "!"]) {
            self.count()?;
            let inner = self.term()?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.take(&["("]) {
            self.count()?;
            let inner = self.alternatives()?;
            if !self.take(&[")"]) {
                return Err(self.wrong("`)`"));
            }
            return Ok(inner);
        }
        self.primitive().map(Expression::Test)
    }

    fn primitive(&mut self) -> Outcome<Test> {
        let start = self.position;
        let protocol = self.peek().filter(|word| is_protocol(word));
        if protocol.is_some() {
            self.position += 1;
        }
        if let Some(word) = protocol
            && self.peek() == Some("[")
        {
            return self.bytes(word);
        }
        if let Some(test) = self.whole(protocol)? {
            return Ok(test);
        }
        let end = self.end();
        let kind = self.kind();
        let mut qualifiers =
            Qualifiers { protocol, end: end.unwrap_or_default(), kind: kind.unwrap_or_default() };
        // A value alone is as the one before it; a protocol alone is a test of its own.
        if self.position == start {
            qualifiers = self.last.unwrap_or_default();
        } else if let Some(word) = protocol.filter(|_| end.is_none() && kind.is_none()) {
            return self.protocol_alone(word);
        }
        let test = self.qualified(qualifiers)?;
        self.last = Some(qualifiers);
        Ok(test)
    }

    /// Tests without a value, and of the length and the VLAN.
    fn whole(&mut self, protocol: Option<&str>) -> Outcome<Option<Test>> {
        let is_ether = matches!(protocol, None | Some("ether"));
        let test = match self.peek() {
            Some("broadcast") if is_ether => Test::EtherBroadcast,
            Some("multicast") if is_ether => Test::EtherMulticast,
            Some("multicast") => match protocol.and_then(ethertype) {
                Some(ethertype) => Test::IpMulticast(ethertype),
                None => return Err(self.wrong("something of this protocol")),
            },
            Some("inbound") if protocol.is_none() => Test::Direction(CaptureDirection::In),
            Some("outbound") if protocol.is_none() => Test::Direction(CaptureDirection::Out),
            Some(word @ ("less" | "greater")) if protocol.is_none() => {
                self.position += 1;
                let relation = if word == "less" { Relation::AtMost } else { Relation::AtLeast };
                return Ok(Some(Test::Length(relation, self.number()?)));
            }
            Some("len") if protocol.is_none() => {
                self.position += 1;
                let relation = self.relation()?;
                return Ok(Some(Test::Length(relation, self.number()?)));
            }
            Some("vlan") if protocol.is_none() => {
                self.position += 1;
                let number = self.peek().and_then(|word| word.parse().ok());
                self.position += usize::from(number.is_some());
                return Ok(Some(Test::Vlan(number)));
            }
            _ => return Ok(None),
        };
        self.position += 1;
        Ok(Some(test))
    }

    /// `src`, `dst`, `src or dst`, `src and dst`.
    fn end(&mut self) -> Option<End> {
        let first = match self.peek()? {
            "src" => End::Source,
            "dst" => End::Destination,
            _ => return None,
        };
        self.position += 1;
        let word =
            |distance: usize| self.tokens.get(self.position + distance).map(|token| token.text);
        let both = match (word(0), word(1)) {
            (Some("or" | "||"), Some("src" | "dst")) => End::Either,
            (Some("and" | "&&"), Some("src" | "dst")) => End::Both,
            _ => return Some(first),
        };
        self.position += 2;
        Some(both)
    }

    fn kind(&mut self) -> Option<Kind> {
        let kind = match self.peek()? {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Protocol,
            _ => return None,
        };
        self.position += 1;
        Some(kind)
    }

    fn protocol_alone(&self, word: &str) -> Outcome<Test> {
        if let Some(ethertype) = ethertype(word) {
            return Ok(Test::EtherType(ethertype));
        }
        match named(&PROTOCOLS, word) {
            // ICMP is of one family each.
            Some(1) => Ok(Test::Protocol(ethertype("ip"), 1)),
            Some(58) => Ok(Test::Protocol(ethertype("ip6"), 58)),
            Some(protocol) => Ok(Test::Protocol(None, protocol)),
            None => Err(self.wrong("`src`, `dst`, `host`, `proto`, `broadcast` or `multicast`")),
        }
    }

    fn qualified(&mut self, qualifiers: Qualifiers<'_>) -> Outcome<Test> {
        let Qualifiers { protocol, end, kind } = qualifiers;
        let (family, transport) =
            (protocol.and_then(ethertype), protocol.and_then(|word| named(&PROTOCOLS, word)));
        let has_ports = matches!(transport, None | Some(TCP | UDP | SCTP)) && family.is_none();
        match kind {
            Kind::Host if protocol == Some("ether") => {
                let address = |word: &str| HardwareAddress::from_str(word).ok();
                let address = self.value("a hardware address", address)?;
                Ok(Test::Hardware(end, address.0))
            }
            Kind::Host | Kind::Net if transport.is_some() || protocol == Some("ether") => {
                Err(self.wrong("something of this protocol"))
            }
            Kind::Host => {
                let address = |word: &str| word.parse::<IpAddr>().ok().map(Prefix::host);
                let prefix = self.value("an address", address)?;
                self.address(end, family, prefix)
            }
            Kind::Net => {
                let prefix = self.value("a network", network)?;
                if self.take(&["mask"]) {
                    return self.masked(end, prefix);
                }
                self.address(end, family, prefix)
            }
            Kind::Port | Kind::PortRange if !has_ports || protocol == Some("ether") => {
                Err(self.wrong("something of this protocol"))
            }
            Kind::Port => {
                let port = self.value("a port", port)?;
                Ok(Test::Port(end, transport, port..=port))
            }
            Kind::PortRange => {
                let range = self.value("a range of ports", ports)?;
                Ok(Test::Port(end, transport, range))
            }
            Kind::Protocol if protocol == Some("ether") => {
                let number = |word: &str| ethertype(word).or_else(|| number(word)?.try_into().ok());
                self.value("an EtherType", number).map(Test::EtherType)
            }
            Kind::Protocol => {
                let number =
                    |word: &str| named(&PROTOCOLS, word).or_else(|| number(word)?.try_into().ok());
                let number = self.value("a protocol", number)?;
                Ok(Test::Protocol(family, number))
            }
        }
    }

    fn address(&self, end: End, family: Option<u16>, prefix: Prefix) -> Outcome<Test> {
        let is_ipv6 = family == ethertype("ip6");
        if family.is_some() && is_ipv6 != prefix.address().is_ipv6() {
            return Err(FilterError {
                word: alloc::format!("{}", prefix.address()),
                at: self.tokens.get(self.position - 1).map_or(0, |token| token.at),
                expected: "an address of this protocol",
            });
        }
        Ok(Test::Address(end, family, prefix))
    }

    /// `net ADDRESS mask MASK`.
    fn masked(&mut self, end: End, prefix: Prefix) -> Outcome<Test> {
        let IpAddr::V4(address) = prefix.address() else {
            self.position -= 1;
            return Err(self.wrong("for IPv6"));
        };
        let mask = self.value("a mask", |word| word.parse::<Ipv4Addr>().ok())?;
        Ok(Test::Masked(end, address.to_bits() & mask.to_bits(), mask.to_bits()))
    }

    /// `PROTOCOL[OFFSET:SIZE] & MASK = VALUE`, from the bracket on.
    fn bytes(&mut self, word: &str) -> Outcome<Test> {
        let layer = match (word, ethertype(word), named(&PROTOCOLS, word)) {
            ("ether", ..) => Layer::Frame,
            (_, Some(ethertype), _) => Layer::Network(ethertype),
            (_, _, Some(protocol)) => Layer::Transport(protocol),
            _ => return Err(self.wrong("something of this protocol")),
        };
        self.position += 1;
        let offset = self.number()? as usize;
        let mut size = 1;
        if self.take(&[":"]) {
            let sizes = |word: &str| word.parse().ok().filter(|size| [1, 2, 4].contains(size));
            size = self.value("1, 2 or 4", sizes)?;
        }
        if !self.take(&["]"]) {
            return Err(self.wrong("`]`"));
        }
        let mask = if self.take(&["&"]) { self.numbers()? } else { u32::MAX };
        let relation = self.relation()?;
        let value = self.numbers()?;
        Ok(Test::Bytes { layer, offset, size, mask, relation, value })
    }

    fn relation(&mut self) -> Outcome<Relation> {
        self.value("a comparison", |word| {
            Some(match word {
                "=" | "==" => Relation::Equal,
                "!=" => Relation::NotEqual,
                "<" => Relation::Less,
                "<=" => Relation::AtMost,
                ">" => Relation::Greater,
                ">=" => Relation::AtLeast,
                _ => return None,
            })
        })
    }

    fn number(&mut self) -> Outcome<u32> {
        self.value("a number", |word| named(&NUMBERS, word).or_else(|| number(word)))
    }

    /// A number, or several in parentheses with `|` between them.
    fn numbers(&mut self) -> Outcome<u32> {
        let is_open = self.take(&["("]);
        let mut sum = self.number()?;
        while is_open && self.take(&["|"]) {
            sum |= self.number()?;
        }
        if is_open && !self.take(&[")"]) {
            return Err(self.wrong("`)`"));
        }
        Ok(sum)
    }
}
