//! Which interface a section is for.

use alloc::string::String;

use devnet_virtual_file_system::Error;

use crate::address::HardwareAddress;
use crate::driver::Kind;

/// What an interface must have, all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Matcher {
    /// Its name, in which `*` stands for any letters.
    pub(crate) name: Option<String>,
    /// Its place among the interfaces of its kind in the order of their registration, from 1; of
    /// all interfaces if no kind is given.
    pub(crate) order: Option<u32>,
    /// The hardware address of its driver.
    pub(crate) hardware_address: Option<HardwareAddress>,
    /// Its kind.
    pub(crate) kind: Option<Kind>,
}

/// What of an interface sections match.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) hardware_address: Option<HardwareAddress>,
    /// Its place among all interfaces, and among those of its kind; both begin at 1.
    pub(crate) order: (u32, u32),
}

impl Matcher {
    /// The matcher of one name.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: Some(String::from(name)), ..Self::default() }
    }

    /// The name, if it can be that of one interface only.
    pub(crate) fn exact_name(&self) -> Option<&str> {
        let is_alone =
            self.order.is_none() && self.hardware_address.is_none() && self.kind.is_none();
        self.name.as_deref().filter(|name| is_alone && !name.contains('*'))
    }

    /// Reads the words after `match`, as pairs.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, Error> {
        let (pairs, odd) = words.as_chunks::<2>();
        let mut matcher = Self::default();
        if !odd.is_empty() || pairs.is_empty() {
            return Err(Error::InvalidInput);
        }
        for [key, word] in pairs {
            let is_again = match *key {
                "name" => matcher.name.replace((*word).into()).is_some(),
                "order" => matcher.order.replace(read(word)?).is_some(),
                "mac" => matcher.hardware_address.replace(read(word)?).is_some(),
                "kind" => matcher.kind.replace(read(word)?).is_some(),
                _ => true,
            };
            if is_again {
                return Err(Error::InvalidInput);
            }
        }
        Ok(matcher)
    }

    /// True when the interface has all of it.
    pub(crate) fn matches(&self, one: &Candidate<'_>) -> bool {
        let (of_all, of_kind) = one.order;
        let order = if self.kind.is_some() { of_kind } else { of_all };
        self.name.as_deref().is_none_or(|pattern| fits(pattern.as_bytes(), one.name.as_bytes()))
            && self.order.is_none_or(|wanted| wanted == order)
            && self.hardware_address.is_none_or(|wanted| one.hardware_address == Some(wanted))
            && self.kind.is_none_or(|wanted| wanted == one.kind)
    }
}

fn read<T: core::str::FromStr>(word: &str) -> Result<T, Error> {
    word.parse().map_err(|_| Error::InvalidInput)
}

/// True when a name fits a pattern in which `*` stands for any bytes, also none. It goes back to
/// the last star only, so the time is at most the product of the lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place, mut star) = (0, 0, None);
    while let Some(byte) = name.get(place) {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, place));
                at += 1;
            }
            (Some(wanted), _) if wanted == byte => {
                at += 1;
                place += 1;
            }
            (_, Some((back, from))) => {
                star = Some((back, from + 1));
                at = back + 1;
                place = from + 1;
            }
            (_, None) => return false,
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        let is_fit = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in
            [("eth0", "eth0"), ("eth*", "eth0"), ("*", "lo"), ("*0", "eth10"), ("e*h*1*", "eth12")]
        {
            assert!(is_fit(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("eth0", "eth1"), ("eth", "eth0"), ("*1", "eth0"), ("", "lo")] {
            assert!(!is_fit(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn everything_that_is_given_must_fit() {
        let mac = "02:00:00:00:00:01".parse().unwrap();
        let one = Candidate {
            name: "eth1",
            kind: Kind::Ethernet,
            hardware_address: Some(mac),
            order: (3, 2),
        };
        let parse = |text: &str| {
            let words: alloc::vec::Vec<_> = text.split(' ').collect();
            Matcher::parse(&words)
        };
        for text in [
            "name eth*",
            "order 3",
            "kind ethernet order 2",
            "mac 02:00:00:00:00:01",
            "mac 02:00:00:00:00:01 name eth1 kind ethernet order 2",
        ] {
            assert!(parse(text).unwrap().matches(&one), "{text}");
        }
        for text in [
            "name lo",
            "order 2",
            "kind wireless",
            "mac 02:00:00:00:00:02",
            "kind ethernet order 1",
        ] {
            assert!(!parse(text).unwrap().matches(&one), "{text}");
        }
        for text in ["", "name", "name a name b", "colour red", "order first", "order 1 2"] {
            assert_eq!(parse(text), Err(Error::InvalidInput), "{text}");
        }
    }
}
