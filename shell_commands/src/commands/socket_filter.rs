//! The filter of `ss`: which sockets are shown.

use std::net::{IpAddr, SocketAddr};

use devnet_network::address::Prefix;
use devnet_network::command::socket::SocketStatus;

use crate::failure::Failure;

/// Operators nest so deep.
const DEPTH: usize = 32;

/// An expression over one socket.
pub(super) enum Filter {
    All,
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Address { is_local: bool, prefix: Option<Prefix>, port: Option<u16> },
    Port { is_local: bool, relation: fn(&u16, &u16) -> bool, port: u16 },
    Device(String),
}

struct Parser<'a> {
    words: &'a [String],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn peek(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    fn whole(mut self) -> Result<Filter, Failure> {
        if self.words.is_empty() {
            return Ok(Filter::All);
        }
        let filter = self.either()?;
        match self.next() {
            None => Ok(filter),
            Some(word) => Err(Failure::usage(format!("filter: unexpected {word}"))),
        }
    }

    fn either(&mut self) -> Result<Filter, Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Failure::usage("filter: too long"));
        }
        let mut left = self.both()?;
        while matches!(self.peek(), Some("or" | "||" | "|")) {
            self.next();
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    /// Terms with or without `and` between them.
    fn both(&mut self) -> Result<Filter, Failure> {
        let mut left = self.term()?;
        while !matches!(self.peek(), None | Some("or" | "||" | "|" | ")")) {
            if matches!(self.peek(), Some("and" | "&&" | "&")) {
                self.next();
            }
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Failure::usage("filter: too long"));
        }
        let missing = || Failure::usage("filter: a value is missing at the end");
        let word = self.next().ok_or_else(missing)?.to_owned();
        match word.as_str() {
            "not" | "!" => Ok(Filter::Not(Box::new(self.term()?))),
            "(" => {
                let inner = self.either()?;
                if self.next() != Some(")") {
                    return Err(Failure::usage("filter: ) is missing"));
                }
                Ok(inner)
            }
            "src" | "dst" => {
                let value = self.value().ok_or_else(missing)?;
                let (prefix, port) = end(&value).ok_or_else(|| {
                    Failure::usage(format!("{word} {value}: ADDRESS[/LENGTH][:PORT] is expected"))
                })?;
                Ok(Filter::Address { is_local: word == "src", prefix, port })
            }
            "sport" | "dport" => {
                let operator = self.next().ok_or_else(missing)?.to_owned();
                let relation = relation(&operator);
                let value = match relation {
                    Some(_) => self.next().ok_or_else(missing)?.to_owned(),
                    None => operator,
                };
                let port = value.trim_start_matches(':').parse();
                let port =
                    port.map_err(|_| Failure::usage(format!("{word} {value}: not a port")))?;
                let relation = relation.unwrap_or(u16::eq);
                Ok(Filter::Port { is_local: word == "sport", relation, port })
            }
            "dev" => Ok(Filter::Device(self.value().ok_or_else(missing)?)),
            word => Err(Failure::usage(format!("filter: unexpected {word}"))),
        }
    }

    /// A value, with or without a sign of equality before it.
    fn value(&mut self) -> Option<String> {
        if matches!(self.peek(), Some("=" | "==" | "eq")) {
            self.next();
        }
        self.next().map(str::to_owned)
    }
}

fn relation(word: &str) -> Option<fn(&u16, &u16) -> bool> {
    Some(match word {
        "=" | "==" | "eq" => u16::eq,
        "!=" | "ne" | "neq" => u16::ne,
        "<" | "lt" => u16::lt,
        "<=" | "le" | "leq" => u16::le,
        ">" | "gt" => u16::gt,
        ">=" | "ge" | "geq" => u16::ge,
        _ => return None,
    })
}

/// `ADDRESS[/LENGTH][:PORT]`, `[ADDRESS]:PORT`, `:PORT`, `*`.
fn end(text: &str) -> Option<(Option<Prefix>, Option<u16>)> {
    let prefix = |text: &str| match text {
        "" | "*" => Some(None),
        text => text
            .parse::<Prefix>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(Prefix::host))
            .map(Some),
    };
    if let Some(prefix) = prefix(text.trim_matches(['[', ']'])) {
        return Some((prefix, None));
    }
    let (address, port) = text.rsplit_once(':')?;
    let port = if port == "*" { None } else { Some(port.parse().ok()?) };
    Some((prefix(address.trim_matches(['[', ']']))?, port))
}

impl Filter {
    /// Parses the words of an expression; without one everything is wanted.
    pub(super) fn parse(words: &[String]) -> Result<Self, Failure> {
        Parser { words, depth: 0 }.whole()
    }

    /// True for a socket that is shown.
    pub(super) fn wants(&self, socket: &SocketStatus) -> bool {
        let end = |is_local: bool| {
            if is_local { Some(socket.local) } else { socket.remote }
        };
        match self {
            Self::All => true,
            Self::Not(inner) => !inner.wants(socket),
            Self::And(left, right) => left.wants(socket) && right.wants(socket),
            Self::Or(left, right) => left.wants(socket) || right.wants(socket),
            Self::Address { is_local, prefix, port } => {
                end(*is_local).is_some_and(|end: SocketAddr| {
                    prefix.is_none_or(|prefix| prefix.contains(end.ip()))
                        && port.is_none_or(|port| port == end.port())
                })
            }
            Self::Port { is_local, relation, port } => {
                let own = end(*is_local).map_or(0, |end| end.port());
                relation(&own, port)
            }
            Self::Device(name) => socket.interface == *name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn wanted(text: &str) -> Result<Vec<u16>, String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let filter = Filter::parse(&words).map_err(|why| why.message)?;
        let sockets = samples::sockets();
        let kept = sockets.iter().filter(|socket| filter.wants(socket));
        Ok(kept.map(|socket| socket.local.port()).collect())
    }

    #[test]
    fn filters_are_those_of_ss() {
        for (text, expected) in [
            ("src 127.0.0.1", &[8080][..]),
            ("src 127.0.0.0/8", &[8080]),
            ("src :22", &[22]),
            ("dst 192.0.2.1", &[40000]),
            ("dst = 192.0.2.1:80", &[40000]),
            ("dst 192.0.2.1:81", &[]),
            ("sport = :8080", &[8080]),
            ("sport gt 1000", &[8080, 40000]),
            ("dport 80", &[40000]),
            ("sport = :22 or sport = :53", &[22, 53]),
            ("not ( sport = :22 or sport = :53 )", &[8080, 40000]),
            ("src 127.0.0.1 sport = :8080", &[8080]),
            ("src 127.0.0.1 and sport = :22", &[]),
        ] {
            assert_eq!(wanted(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("dst foo", "dst foo: ADDRESS[/LENGTH][:PORT] is expected"),
            ("dport = http", "dport http: not a port"),
            ("( sport 1", "filter: ) is missing"),
            ("foo", "filter: unexpected foo"),
            ("dst", "filter: a value is missing at the end"),
        ] {
            assert_eq!(wanted(text), Err(expected.to_owned()), "{text}");
        }
        assert!(wanted(&"( ".repeat(100_000)).is_err());
    }
}
