//! The language of scripts: text to events.

use std::time::Duration;

/// A script.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) settings: Settings,
    pub(crate) events: Vec<Event>,
}

/// What holds for the whole script.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) is_ipv6: bool,
    /// The MTU of the interface in bytes.
    pub(crate) mtu: usize,
    /// The peer's initial sequence number.
    pub(crate) peer_iss: u32,
    /// How far a segment may be off its time.
    pub(crate) tolerance: Duration,
    /// Options of every socket, as the device takes them.
    pub(crate) options: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            is_ipv6: false,
            mtu: 1500,
            peer_iss: 0,
            tolerance: Duration::from_millis(2),
            options: Vec::new(),
        }
    }
}

/// A line: when, counted from the line before, and what.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) line: usize,
    /// The earliest and the latest time after the event before.
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) action: Action,
}

/// What happens, or must happen.
#[derive(Debug)]
pub(crate) enum Action {
    /// The peer sends a segment.
    Inject(Segment),
    /// A segment must leave.
    Expect(Segment),
    /// A router sends an ICMP error.
    Icmp(Icmp),
    /// Further segments are of the connection with this port of the peer.
    PeerPort(u16),
    /// The program calls, and nothing comes between; what each call must give.
    Calls(Vec<(String, Option<String>)>),
    /// Nothing left since the event before.
    Silence,
    /// The next segment of ours begins another connection of the same ports.
    Renew,
}

/// A segment as scripts write it: numbers count from the initial ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Segment {
    /// As RFC 9293 §3.1 and RFC 3168 name them: F S R P . (ACK) U E (ECE) W (CWR).
    pub(crate) flags: String,
    pub(crate) start: u32,
    pub(crate) length: u32,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) window: Option<u16>,
    /// None when the script does not say.
    pub(crate) options: Option<Vec<TcpOption>>,
    /// The ECN field of the IP header.
    pub(crate) ecn: Option<u8>,
    /// Its checksum is wrong.
    pub(crate) is_damaged: bool,
}

/// An option of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TcpOption {
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    Sack(Vec<(u32, u32)>),
    /// Value and echo; none where any of ours will do. An echo of the peer's may count back from
    /// our last value.
    Timestamps(Option<u32>, Echo),
    NoOperation,
    /// Any bytes.
    Raw(Vec<u8>),
}

/// The echo of a timestamps option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Echo {
    Any,
    Value(u32),
    /// So many milliseconds before our last timestamp.
    Before(u32),
}

/// An ICMP error that quotes a segment of ours.
#[derive(Debug)]
pub(crate) struct Icmp {
    pub(crate) kind: IcmpKind,
    /// The quoted segment's first number.
    pub(crate) sequence: u32,
}

/// The kinds of ICMP errors that scripts use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IcmpKind {
    /// The packet is longer than this MTU.
    TooBig(u16),
    HostUnreachable,
    PortUnreachable,
    TimeExceeded,
    ParameterProblem,
    /// Of IPv4 only, and obsolete (RFC 6633).
    SourceQuench,
}

/// Reads a script.
///
/// # Errors
/// The line and what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let number = index + 1;
        let at = |error: String| format!("line {number}: {error}");
        match line.strip_prefix("set ") {
            Some(setting) => script.settings.set(setting.trim()).map_err(at)?,
            None => script.events.push(event(number, line).map_err(at)?),
        }
    }
    Ok(script)
}

impl Settings {
    fn set(&mut self, setting: &str) -> Result<(), String> {
        let (name, value) = setting.split_once(' ').ok_or("a setting has a value")?;
        match name {
            "family" => self.is_ipv6 = value == "ipv6",
            "mtu" => self.mtu = number(value)?,
            "peer-iss" => self.peer_iss = number(value)?,
            "tolerance" => self.tolerance = seconds(value)?,
            "option" => self.options.push(value.to_owned()),
            _ => return Err(format!("no setting {name}")),
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = number(text)?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{text}: {error}"))
}

fn event(line: usize, text: &str) -> Result<Event, String> {
    let (time, rest) = text.split_once(char::is_whitespace).ok_or("a line has a time")?;
    let time = time.strip_prefix('+').ok_or("a time begins with +")?;
    let (from, to) = match time.split_once('~') {
        Some((from, to)) => (seconds(from)?, seconds(to)?),
        None => (seconds(time)?, seconds(time)?),
    };
    let rest = rest.trim();
    let action = if let Some(rest) = rest.strip_prefix('<') {
        let rest = rest.trim();
        match rest.strip_prefix("icmp ") {
            Some(rest) => Action::Icmp(icmp(rest)?),
            None => Action::Inject(segment(rest)?),
        }
    } else if let Some(rest) = rest.strip_prefix('>') {
        Action::Expect(segment(rest.trim())?)
    } else if rest == "silence" {
        Action::Silence
    } else if rest == "renew" {
        Action::Renew
    } else if let Some(port) = rest.strip_prefix("peer-port ") {
        Action::PeerPort(number(port)?)
    } else {
        let calls = rest.split(';').map(|call| match call.split_once(" = ") {
            Some((call, result)) => (call.trim().to_owned(), Some(result.trim().to_owned())),
            None => (call.trim().to_owned(), None),
        });
        Action::Calls(calls.collect())
    };
    Ok(Event { line, from, to, action })
}

fn icmp(text: &str) -> Result<Icmp, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (kind, sequence) = match words.as_slice() {
        ["too-big", mtu, sequence] => (IcmpKind::TooBig(number(mtu)?), sequence),
        ["host-unreachable", sequence] => (IcmpKind::HostUnreachable, sequence),
        ["port-unreachable", sequence] => (IcmpKind::PortUnreachable, sequence),
        ["time-exceeded", sequence] => (IcmpKind::TimeExceeded, sequence),
        ["parameter-problem", sequence] => (IcmpKind::ParameterProblem, sequence),
        ["source-quench", sequence] => (IcmpKind::SourceQuench, sequence),
        _ => return Err(format!("no such ICMP error: {text}")),
    };
    Ok(Icmp { kind, sequence: number(sequence)? })
}

fn segment(text: &str) -> Result<Segment, String> {
    let mut segment = Segment::default();
    let (fields, options) = match text.split_once('<') {
        Some((fields, rest)) => (fields, Some(rest.strip_suffix('>').ok_or("options end by >")?)),
        None => (text, None),
    };
    let mut words = fields.split_whitespace().peekable();
    if let Some(mark) = words.next_if(|word| word.starts_with('[')) {
        match mark {
            "[not-ect]" => segment.ecn = Some(0),
            "[ect1]" => segment.ecn = Some(1),
            "[ect0]" => segment.ecn = Some(2),
            "[ce]" => segment.ecn = Some(3),
            "[damaged]" => segment.is_damaged = true,
            _ => return Err(format!("no such mark: {mark}")),
        }
    }
    words.next().ok_or("a segment has flags")?.clone_into(&mut segment.flags);
    let numbers = words.next().ok_or("a segment has numbers")?;
    let (start, rest) = numbers.split_once(':').ok_or("numbers are START:END(LENGTH)")?;
    let (end, length) = rest.split_once('(').ok_or("numbers are START:END(LENGTH)")?;
    (segment.start, segment.length) = (number(start)?, number(length.trim_end_matches(')'))?);
    if segment.start.wrapping_add(segment.length) != number::<u32>(end)? {
        return Err(format!("{numbers}: the numbers contradict each other"));
    }
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} has a value"))?;
        match word {
            "ack" => segment.acknowledgment = Some(number(value)?),
            "win" => segment.window = Some(number(value)?),
            _ => return Err(format!("no field {word}")),
        }
    }
    if let Some(options) = options {
        let options = options.split(',').map(str::trim).filter(|option| !option.is_empty());
        segment.options = Some(options.map(option).collect::<Result<_, _>>()?);
    }
    Ok(segment)
}

fn option(text: &str) -> Result<TcpOption, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let any = |text: &str| if text == "*" { Ok(None) } else { number(text).map(Some) };
    let echo = |text: &str| match text.strip_prefix("last") {
        Some("") => Ok(Echo::Before(0)),
        Some(rest) => number(rest.trim_start_matches('-')).map(Echo::Before),
        None if text == "*" => Ok(Echo::Any),
        None => number(text).map(Echo::Value),
    };
    Ok(match words.as_slice() {
        ["mss", bytes] => TcpOption::Mss(number(bytes)?),
        ["wscale", shift] => TcpOption::WindowScale(number(shift)?),
        ["sackOK"] => TcpOption::SackPermitted,
        ["nop"] => TcpOption::NoOperation,
        ["TS", "val", value, "ecr", text] => TcpOption::Timestamps(any(value)?, echo(text)?),
        ["sack", ranges @ ..] => {
            let range = |range: &&str| {
                let (first, end) = range.split_once(':').ok_or("a range is FIRST:END")?;
                Ok::<_, String>((number(first)?, number(end)?))
            };
            TcpOption::Sack(ranges.iter().map(range).collect::<Result<_, _>>()?)
        }
        ["raw", bytes @ ..] => {
            let byte = |byte: &&str| {
                u8::from_str_radix(byte, 16).map_err(|_| format!("not a byte: {byte}"))
            };
            TcpOption::Raw(bytes.iter().map(byte).collect::<Result<_, _>>()?)
        }
        _ => return Err(format!("no option {text}")),
    })
}
