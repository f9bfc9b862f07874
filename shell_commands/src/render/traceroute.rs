//! The layout of `traceroute` 2.1.

use std::net::IpAddr;
use std::time::Duration;

use super::append;
use crate::shown::line;

/// What became of a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Somebody answered.
    Reply(Reply),
    /// Nobody answered in time.
    Lost,
    /// It could not be sent.
    Refused(String),
}

/// An answer to a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Who answered.
    pub from: IpAddr,
    /// The round trip.
    pub time: Duration,
    /// What else there is to say of it, as `!H`.
    pub mark: Option<String>,
}

/// The first line.
#[must_use]
pub fn header(host: &str, address: IpAddr, hops: u8, bytes: usize) -> String {
    format!("traceroute to {} ({address}), {hops} hops max, {bytes} byte packets\n", line(host))
}

/// The line of a hop; `name` is what an address is called.
#[must_use]
pub fn hop(number: u8, outcomes: &[Outcome], name: impl Fn(IpAddr) -> String) -> String {
    let mut text = format!("{number:2} ");
    let mut last = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Reply(Reply { from, time, mark }) => {
                if last != Some(*from) {
                    append(&mut text, format_args!(" {}", name(*from)));
                    last = Some(*from);
                }
                let micros = time.as_micros();
                append(&mut text, format_args!("  {}.{:03} ms", micros / 1000, micros % 1000));
                if let Some(mark) = mark {
                    append(&mut text, format_args!(" {mark}"));
                }
            }
            Outcome::Lost => text.push_str(" *"),
            Outcome::Refused(why) => append(&mut text, format_args!(" {why}")),
        }
    }
    text.push('\n');
    text
}

/// What an unreachable destination is marked with (traceroute(8)); `None` for an error that says
/// nothing else than that the destination is reached.
#[must_use]
pub fn mark(is_ipv4: bool, kind: u8, code: u8, information: u32) -> Option<String> {
    let mark = match (is_ipv4, kind, code) {
        (true, 3, 3) | (false, 1, 4) => return None,
        (true, 3, 0 | 6 | 11) | (false, 1, 0) => "!N",
        (true, 3, 1 | 7 | 12) | (false, 1, 3) => "!H",
        (true, 3, 2) => "!P",
        (true, 3, 4) | (false, 2, _) => return Some(format!("!F-{information}")),
        (true, 3, 5) => "!S",
        (true, 3, 9 | 10 | 13) | (false, 1, 1) => "!X",
        (true, 3, 14) => "!V",
        (true, 3, 15) => "!C",
        _ => return Some(format!("!<{code}>")),
    };
    Some(mark.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_as_in_traceroute() {
        let address: IpAddr = "10.0.2.4".parse().unwrap();
        assert_eq!(
            header("web.lan", address, 30, 60),
            "traceroute to web.lan (10.0.2.4), 30 hops max, 60 byte packets\n"
        );
        let reply = |from: &str, micros, mark: Option<&str>| {
            let time = Duration::from_micros(micros);
            Outcome::Reply(Reply { from: from.parse().unwrap(), time, mark: mark.map(Into::into) })
        };
        let name = |address: IpAddr| format!("host ({address})");
        let outcomes = [
            reply("10.0.2.2", 1234, None),
            Outcome::Lost,
            reply("10.0.2.2", 99, None),
            reply("10.0.2.3", 12_000, Some("!H")),
        ];
        assert_eq!(
            hop(7, &outcomes, name),
            " 7  host (10.0.2.2)  1.234 ms *  0.099 ms host (10.0.2.3)  12.000 ms !H\n"
        );
        assert_eq!(hop(12, &[Outcome::Lost, Outcome::Lost], name), "12  * *\n");
    }

    #[test]
    fn errors_have_their_marks() {
        let of = |is_ipv4, kind, code| mark(is_ipv4, kind, code, 1400);
        assert_eq!((of(true, 3, 3), of(false, 1, 4)), (None, None), "no port: it is reached");
        assert_eq!(of(true, 3, 1).as_deref(), Some("!H"));
        assert_eq!(of(false, 1, 1).as_deref(), Some("!X"));
        assert_eq!(of(true, 3, 4).as_deref(), Some("!F-1400"));
        assert_eq!(of(false, 2, 0).as_deref(), Some("!F-1400"));
        assert_eq!(of(true, 12, 1).as_deref(), Some("!<1>"));
    }
}
