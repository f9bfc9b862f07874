//! The words of `dig`.

use std::net::IpAddr;

use devnet_network::command::record::RecordType;
use devnet_network::dns_message::reverse_name;

use super::Family;
use crate::failure::Failure;
use crate::render::query::Shown;

/// Everything that the words say.
pub(super) struct Words {
    /// The server, behind `@`.
    pub(super) server: Option<String>,
    pub(super) family: Family,
    pub(super) port: Option<u16>,
    /// What is asked for.
    pub(super) lookups: Vec<Lookup>,
    pub(super) options: Options,
}

/// A name and the type of its records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lookup {
    pub(super) name: String,
    pub(super) record_type: Option<RecordType>,
}

/// What words with a sign change.
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// Data only.
    pub(super) short: bool,
    pub(super) shown: Shown,
    /// Over TCP.
    pub(super) stream: bool,
    /// In the search domains too.
    pub(super) search: bool,
    pub(super) recursion: bool,
    /// Seconds for one try.
    pub(super) time: u32,
    pub(super) tries: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            short: false,
            shown: Shown::ALL,
            stream: false,
            search: false,
            recursion: true,
            time: 5,
            tries: 3,
        }
    }
}

impl Words {
    /// Parses them; status 1 for a wrong one, as of `dig`.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut words = Self {
            server: None,
            family: Family::Any,
            port: None,
            lookups: Vec::new(),
            options: Options::default(),
        };
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            if let Some(server) = word.strip_prefix('@') {
                words.server = Some(server.to_owned());
            } else if let Some(option) = word.strip_prefix('+') {
                words.options.set(option)?;
            } else if let Some(letter) = word.strip_prefix('-') {
                words.dashed(word, letter, &mut arguments)?;
            } else if let Some(record_type) = record_type(word) {
                words.set_type(record_type);
            } else if !word.eq_ignore_ascii_case("IN") {
                words.lookups.push(Lookup { name: word.clone(), record_type: None });
            }
        }
        // A type may stand before its name.
        words.lookups.dedup_by(|next, first| {
            let joins = first.name.is_empty() && next.record_type.is_none();
            if joins {
                first.name = std::mem::take(&mut next.name);
            }
            joins
        });
        if words.lookups.is_empty() {
            words.lookups.push(Lookup { name: ".".into(), record_type: Some(RecordType::NS) });
        }
        for lookup in &mut words.lookups {
            if lookup.name.is_empty() {
                lookup.name = ".".into();
            }
        }
        Ok(words)
    }

    fn set_type(&mut self, record_type: RecordType) {
        match self.lookups.last_mut() {
            Some(last) if last.record_type.is_none() => last.record_type = Some(record_type),
            _ => {
                self.lookups.push(Lookup { name: String::new(), record_type: Some(record_type) });
            }
        }
    }

    /// `-t TYPE`, `-tTYPE` and the like.
    fn dashed<'a>(
        &mut self,
        word: &str,
        letter: &'a str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Failure> {
        match letter {
            "4" => self.family = Family::Ipv4,
            "6" => self.family = Family::Ipv6,
            _ => {
                let (letter, value) = letter.split_at_checked(1).unwrap_or((letter, ""));
                if !matches!(letter, "c" | "p" | "q" | "t" | "x") {
                    return Err(Failure::new(format!("{word}: unknown option")));
                }
                let value =
                    if value.is_empty() { rest.next().map(String::as_str) } else { Some(value) };
                let value =
                    value.ok_or_else(|| Failure::new(format!("{word}: a value is missing")))?;
                self.valued(letter, value)?;
            }
        }
        Ok(())
    }

    fn valued(&mut self, letter: &str, value: &str) -> Result<(), Failure> {
        match letter {
            "c" if value.eq_ignore_ascii_case("IN") => {}
            "c" => return Err(Failure::new(format!("{value}: only the class IN"))),
            "p" => {
                let port = value.parse().map_err(|_| Failure::new(format!("{value}: no port")))?;
                self.port = Some(port);
            }
            "q" => self.lookups.push(Lookup { name: value.to_owned(), record_type: None }),
            "t" => {
                let unknown = |_| Failure::new(format!("{value}: unknown type"));
                self.set_type(value.parse().map_err(unknown)?);
            }
            _ => {
                let address: IpAddr =
                    value.parse().map_err(|_| Failure::new(format!("{value}: no address")))?;
                let record_type = Some(RecordType::PTR);
                self.lookups.push(Lookup { name: reverse_name(address), record_type });
            }
        }
        Ok(())
    }
}

impl Options {
    fn set(&mut self, word: &str) -> Result<(), Failure> {
        let unknown = || Failure::new(format!("+{word}: unknown option"));
        if let Some((name, value)) = word.split_once('=') {
            let number = value.parse().ok().filter(|number| (1..=600).contains(number));
            let number =
                number.ok_or_else(|| Failure::new(format!("+{word}: no number to 600")))?;
            match name {
                "time" | "timeout" => self.time = number,
                "tries" => self.tries = number,
                _ => return Err(unknown()),
            }
            return Ok(());
        }
        let (name, on) = match word.strip_prefix("no") {
            Some(name) => (name, false),
            None => (word, true),
        };
        let switch = match name {
            "short" => Some(&mut self.short),
            "tcp" | "vc" => Some(&mut self.stream),
            "search" | "defname" => Some(&mut self.search),
            "recurse" | "rec" | "rdflag" => Some(&mut self.recursion),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = on;
            return Ok(());
        }
        let shown = match name {
            "all" => Shown::ALL,
            "cmd" => Shown::COMMAND,
            "comments" => Shown::COMMENTS,
            "question" => Shown::QUESTION,
            "answer" => Shown::ANSWER,
            "authority" => Shown::AUTHORITY,
            "additional" => Shown::ADDITIONAL,
            "stats" => Shown::STATISTICS,
            "ttlid" | "ttl" => Shown::TIME_TO_LIVE,
            "class" | "cl" => Shown::CLASS,
            _ => return Err(unknown()),
        };
        // What a line consists of is not a part of the answer.
        let shown = if name == "all" { shown - Shown::TIME_TO_LIVE - Shown::CLASS } else { shown };
        self.shown.set(shown, on);
        Ok(())
    }
}

/// The type that a word names; a bare number is a name.
fn record_type(word: &str) -> Option<RecordType> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| !is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Words, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Words::parse(&words).map_err(|why| why.message)
    }

    fn lookups(line: &str) -> Vec<(String, String)> {
        let shown =
            |kind: Option<RecordType>| kind.map_or_else(String::new, |kind| kind.to_string());
        let all = parse(line).unwrap().lookups;
        all.into_iter().map(|lookup| (lookup.name, shown(lookup.record_type))).collect()
    }

    #[test]
    fn words_come_in_any_order() {
        let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        for (line, expected) in [
            ("", vec![pair(".", "NS")]),
            ("web.lan", vec![pair("web.lan", "")]),
            ("web.lan mx", vec![pair("web.lan", "MX")]),
            ("MX web.lan", vec![pair("web.lan", "MX")]),
            ("-t TYPE99 web.lan in", vec![pair("web.lan", "TYPE99")]),
            ("-tAAAA -q web.lan", vec![pair("web.lan", "AAAA")]),
            ("a.lan b.lan txt", vec![pair("a.lan", ""), pair("b.lan", "TXT")]),
            ("-x 10.0.2.4", vec![pair("4.2.0.10.in-addr.arpa", "PTR")]),
            ("53", vec![pair("53", "")]),
            ("soa", vec![pair(".", "SOA")]),
        ] {
            assert_eq!(lookups(line), expected, "{line}");
        }
        let words =
            parse("@10.0.2.3 -p 5353 -6 web.lan +short +tcp +norec +time=2 +tries=1").unwrap();
        assert_eq!((words.server.as_deref(), words.port), (Some("10.0.2.3"), Some(5353)));
        assert!(words.family == Family::Ipv6 && words.options.short && words.options.stream);
        assert!(!words.options.recursion && words.options.time * words.options.tries == 2);
        let shown = parse("web.lan +noall +answer").unwrap().options.shown;
        assert_eq!(shown, Shown::ANSWER | Shown::TIME_TO_LIVE | Shown::CLASS);
    }

    #[test]
    fn wrong_words_are_refused() {
        for (line, expected) in [
            ("-z", "-z: unknown option"),
            ("-t", "-t: a value is missing"),
            ("-t nope", "nope: unknown type"),
            ("-c CH web.lan", "CH: only the class IN"),
            ("-p 70000", "70000: no port"),
            ("-x web", "web: no address"),
            ("+trace", "+trace: unknown option"),
            ("+time=0", "+time=0: no number to 600"),
            ("+bufsize=512", "+bufsize=512: unknown option"),
            ("-é", "-é: unknown option"),
        ] {
            assert_eq!(parse(line).err().as_deref(), Some(expected), "{line}");
        }
    }
}
