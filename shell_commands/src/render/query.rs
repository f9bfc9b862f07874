//! Answers of name servers: the layouts of `dig` and `host` of BIND, and of `getent` of glibc.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bitflags::bitflags;
use devnet_network::command::dns::Reply;
use devnet_network::command::record::{RecordType, ResourceData, ResourceRecord};
use devnet_network::dns_message::ResponseCode;
use devnet_virtual_file_system::Error;

use super::{append, calendar};
use crate::shown::line;

bitflags! {
    /// The parts of an answer that `dig` shows.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Shown: u16 {
        /// The command line.
        const COMMAND = 1 << 0;
        /// The head and the titles of sections.
        const COMMENTS = 1 << 1;
        /// The question.
        const QUESTION = 1 << 2;
        /// The answer.
        const ANSWER = 1 << 3;
        /// What is said of the zone.
        const AUTHORITY = 1 << 4;
        /// Addresses of hosts that other records name.
        const ADDITIONAL = 1 << 5;
        /// Time, server and size.
        const STATISTICS = 1 << 6;
        /// The time to live of records.
        const TIME_TO_LIVE = 1 << 7;
        /// The class of records.
        const CLASS = 1 << 8;
    }
}

impl Shown {
    /// Everything.
    pub const ALL: Self = Self::all();
}

/// What was asked, and how.
pub struct Asking<'a> {
    /// The words of the command.
    pub arguments: &'a str,
    /// The type.
    pub record_type: RecordType,
    /// What carried the messages: UDP, TCP or TLS.
    pub over: &'a str,
    /// How long the answer took.
    pub took: Duration,
    /// When, since 1970.
    pub at: Duration,
}

/// The data of each record of the answer.
#[must_use]
pub fn short(reply: &Reply) -> String {
    let mut text = String::new();
    for record in &reply.answers {
        append(&mut text, format_args!("{}\n", line(&record.data.to_string())));
    }
    text
}

/// The whole answer.
#[must_use]
pub fn reply(reply: &Reply, asking: &Asking<'_>, shown: Shown) -> String {
    let mut text = String::new();
    if shown.contains(Shown::COMMAND) {
        command(&mut text, asking.arguments);
    }
    if shown.contains(Shown::COMMENTS) {
        head(&mut text, reply);
    }
    if shown.contains(Shown::QUESTION) {
        title(&mut text, "QUESTION", shown);
        let mut columns = Columns { text: &mut text, column: 0 };
        columns.cell(&format!(";{}.", line(&reply.name)), 0);
        columns.cell("IN", 32);
        columns.cell(&asking.record_type.to_string(), 40);
        text.push_str("\n\n");
    }
    for (part, name, records) in [
        (Shown::ANSWER, "ANSWER", &reply.answers),
        (Shown::AUTHORITY, "AUTHORITY", &reply.authority),
        (Shown::ADDITIONAL, "ADDITIONAL", &reply.additional),
    ] {
        if shown.contains(part) && !records.is_empty() {
            title(&mut text, name, shown);
            records.iter().for_each(|record| row(&mut text, record, shown));
            if shown.contains(Shown::COMMENTS) {
                text.push('\n');
            }
        }
    }
    if shown.contains(Shown::STATISTICS) {
        statistics(&mut text, reply, asking);
    }
    text
}

fn command(text: &mut String, arguments: &str) {
    append(
        text,
        format_args!(
            "\n; <<>> DiG of devnet {} <<>> {}\n;; global options: +cmd\n",
            env!("CARGO_PKG_VERSION"),
            line(arguments)
        ),
    );
}

fn title(text: &mut String, name: &str, shown: Shown) {
    if shown.contains(Shown::COMMENTS) {
        append(text, format_args!(";; {name} SECTION:\n"));
    }
}

/// The flags of a header (RFC 1035 §4.1.1, RFC 4035 §3).
const FLAGS: [(u16, &str); 7] = [
    (1 << 15, "qr"),
    (1 << 10, "aa"),
    (1 << 9, "tc"),
    (1 << 8, "rd"),
    (1 << 7, "ra"),
    (1 << 5, "ad"),
    (1 << 4, "cd"),
];

fn head(text: &mut String, reply: &Reply) {
    let flags: Vec<_> =
        FLAGS.iter().filter(|(bit, _)| reply.flags & bit != 0).map(|(_, name)| *name).collect();
    let [answers, authority, additional] =
        [&reply.answers, &reply.authority, &reply.additional].map(Vec::len);
    append(
        text,
        format_args!(
            ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {}, id: {}\n;; flags: {}; \
             QUERY: 1, ANSWER: {answers}, AUTHORITY: {authority}, ADDITIONAL: {}\n\n",
            ResponseCode::from(reply.code),
            reply.identifier,
            flags.join(" "),
            additional + usize::from(reply.payload.is_some())
        ),
    );
    if let Some(payload) = reply.payload {
        append(
            text,
            format_args!(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: {payload}\n"),
        );
    }
}

/// A line with columns, as BIND has them: tabs as far as they lead, else one blank.
struct Columns<'a> {
    text: &'a mut String,
    column: usize,
}

impl Columns<'_> {
    fn cell(&mut self, word: &str, at: usize) {
        if self.column < at {
            self.text.extend(std::iter::repeat_n('\t', at / 8 - self.column / 8));
            self.column = at;
        } else if self.column > 0 {
            self.text.push(' ');
            self.column += 1;
        }
        self.text.push_str(word);
        self.column += word.chars().count();
    }
}

fn row(text: &mut String, record: &ResourceRecord, shown: Shown) {
    let mut columns = Columns { text, column: 0 };
    columns.cell(&format!("{}.", line(&record.name)), 0);
    let seconds = shown.contains(Shown::TIME_TO_LIVE).then(|| record.time_to_live.to_string());
    let class = shown.contains(Shown::CLASS).then(|| String::from("IN"));
    let kind = Some(record.record_type.to_string());
    let data = Some(line(&record.data.to_string()).into_owned());
    for (place, word) in [seconds, class, kind, data].iter().flatten().enumerate() {
        columns.cell(word, 24 + 8 * place);
    }
    text.push('\n');
}

fn statistics(text: &mut String, reply: &Reply, asking: &Asking<'_>) {
    let Reply { server, bytes, .. } = reply;
    let at = calendar::format(asking.at, "%a %b %d %T %Z %Y");
    append(
        text,
        format_args!(
            ";; Query time: {} msec\n;; SERVER: {}#{}({}) ({})\n;; WHEN: {at}\n\
             ;; MSG SIZE  rcvd: {bytes}\n\n",
            asking.took.as_millis(),
            server.ip(),
            server.port(),
            server.ip(),
            asking.over
        ),
    );
}

/// No server answered a command with these words.
#[must_use]
pub fn no_reply(server: Option<SocketAddr>, why: Error, arguments: &str, shown: Shown) -> String {
    let why = match why {
        Error::TimedOut => "timed out".to_owned(),
        other => other.to_string(),
    };
    let to = server.map(|server| format!(" to {}#{}", server.ip(), server.port()));
    let what = format!(";; communications error{}: {why}", to.unwrap_or_default());
    let mut text = what + "\n";
    if shown.contains(Shown::COMMAND) {
        command(&mut text, arguments);
    }
    text + ";; no servers could be reached\n"
}

/// The server that `host` was told to ask.
#[must_use]
pub fn named_server(name: &str, server: SocketAddr) -> String {
    let (address, port) = (server.ip(), server.port());
    format!("Using domain server:\nName: {}\nAddress: {address}#{port}\nAliases: \n\n", line(name))
}

/// One sentence for each record, as `host` has them.
#[must_use]
pub fn sentences(reply: &Reply) -> String {
    let mut text = String::new();
    for ResourceRecord { name, record_type, data, .. } in &reply.answers {
        let (name, shown) = (line(name), data.to_string());
        let shown = line(&shown);
        match (*record_type, data) {
            (_, ResourceData::Address(IpAddr::V4(address))) => {
                append(&mut text, format_args!("{name} has address {address}\n"));
            }
            (_, ResourceData::Address(IpAddr::V6(address))) => {
                append(&mut text, format_args!("{name} has IPv6 address {address}\n"));
            }
            (RecordType::CNAME, _) => {
                append(&mut text, format_args!("{name} is an alias for {shown}\n"));
            }
            (RecordType::PTR, _) => {
                append(&mut text, format_args!("{name} domain name pointer {shown}\n"));
            }
            (RecordType::NS, _) => append(&mut text, format_args!("{name} name server {shown}\n")),
            (RecordType::MX, _) => {
                append(&mut text, format_args!("{name} mail is handled by {shown}\n"));
            }
            (RecordType::TXT, _) => {
                append(&mut text, format_args!("{name} descriptive text {shown}\n"));
            }
            (other, _) => append(&mut text, format_args!("{name} has {other} record {shown}\n")),
        }
    }
    text
}

/// A host as in `/etc/hosts`.
#[must_use]
pub fn host(address: IpAddr, names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| line(name)).collect();
    format!("{:<15} {}\n", address.to_string(), names.join(" "))
}

/// An address for each type of socket.
#[must_use]
pub fn socket_types(address: IpAddr, name: &str) -> String {
    let address = address.to_string();
    format!("{address:<15} STREAM {}\n{address:<15} DGRAM  \n{address:<15} RAW    \n", line(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_network::command::record::MailExchange;

    fn record(name: &str, record_type: RecordType, data: ResourceData) -> ResourceRecord {
        ResourceRecord { name: name.into(), record_type, time_to_live: 300, data }
    }

    fn example() -> Reply {
        let mail = MailExchange { preference: 10, exchange: "mail.lan".into() };
        Reply {
            server: "127.0.0.1:5353".parse().unwrap(),
            identifier: 21576,
            flags: 0x8580,
            code: 0,
            name: "www.lan".into(),
            payload: Some(1232),
            bytes: 52,
            answers: vec![
                record("www.lan", RecordType::CNAME, ResourceData::Name("web.lan".into())),
                record(
                    "web.lan",
                    RecordType::A,
                    ResourceData::Address("10.0.2.4".parse().unwrap()),
                ),
                record(
                    "averyveryveryverylongname.lan",
                    RecordType::AAAA,
                    ResourceData::Address("fd00::1".parse().unwrap()),
                ),
            ],
            authority: vec![record("lan", RecordType::MX, ResourceData::MailExchange(mail))],
            additional: vec![],
        }
    }

    const ASKING: Asking<'_> = Asking {
        arguments: "www.lan @127.0.0.1",
        record_type: RecordType::A,
        over: "UDP",
        took: Duration::from_micros(3_900),
        at: Duration::from_secs(1_796_005_466),
    };

    /// Laid out as by BIND 9.18.
    #[test]
    fn a_reply_looks_as_in_bind() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "\n; <<>> DiG of devnet {version} <<>> www.lan @127.0.0.1\n\
             ;; global options: +cmd\n\
             ;; Got answer:\n\
             ;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 21576\n\
             ;; flags: qr aa rd ra; QUERY: 1, ANSWER: 3, AUTHORITY: 1, ADDITIONAL: 1\n\
             \n\
             ;; OPT PSEUDOSECTION:\n\
             ; EDNS: version: 0, flags:; udp: 1232\n\
             ;; QUESTION SECTION:\n\
             ;www.lan.\t\t\tIN\tA\n\
             \n\
             ;; ANSWER SECTION:\n\
             www.lan.\t\t300\tIN\tCNAME\tweb.lan.\n\
             web.lan.\t\t300\tIN\tA\t10.0.2.4\n\
             averyveryveryverylongname.lan. 300 IN\tAAAA\tfd00::1\n\
             \n\
             ;; AUTHORITY SECTION:\n\
             lan.\t\t\t300\tIN\tMX\t10 mail.lan.\n\
             \n\
             ;; Query time: 3 msec\n\
             ;; SERVER: 127.0.0.1#5353(127.0.0.1) (UDP)\n\
             ;; WHEN: Mon Nov 30 02:24:26 UTC 2026\n\
             ;; MSG SIZE  rcvd: 52\n\
             \n"
        );
        assert_eq!(reply(&example(), &ASKING, Shown::ALL), expected);
        let parts = |shown| reply(&example(), &ASKING, shown);
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        assert_eq!(first(parts(Shown::ANSWER | Shown::CLASS)), "www.lan.\t\tIN\tCNAME\tweb.lan.");
        let seconds = Shown::ANSWER | Shown::TIME_TO_LIVE;
        assert_eq!(first(parts(seconds)), "www.lan.\t\t300\tCNAME\tweb.lan.");
        assert_eq!(short(&example()), "web.lan.\n10.0.2.4\nfd00::1\n");
        let server = Some("127.0.0.9:53".parse().unwrap());
        assert_eq!(
            no_reply(server, Error::TimedOut, "x", Shown::ANSWER),
            ";; communications error to 127.0.0.9#53: timed out\n;; no servers could be reached\n"
        );
    }

    #[test]
    fn what_a_server_says_controls_no_terminal() {
        let mut evil = example();
        evil.answers = vec![record(
            "a\u{1b}[2J",
            RecordType::CNAME,
            ResourceData::Name("b\nweb.lan. 1 IN A 6.6.6.6".into()),
        )];
        for text in [short(&evil), reply(&evil, &ASKING, Shown::ALL), sentences(&evil)] {
            assert!(!text.contains('\u{1b}') && !text.contains("\nweb.lan"), "{text}");
        }
    }

    #[test]
    fn sentences_are_those_of_host() {
        let mut found = example();
        found.answers.extend(found.authority.clone());
        let text = ResourceData::Text(vec![b"v=spf1 -all".to_vec()]);
        found.answers.push(record("lan", RecordType::TXT, text));
        let next = ResourceData::Name("web.lan".into());
        found.answers.push(record("4.2.0.10.in-addr.arpa", RecordType::PTR, next));
        assert_eq!(
            sentences(&found),
            "www.lan is an alias for web.lan.\n\
             web.lan has address 10.0.2.4\n\
             averyveryveryverylongname.lan has IPv6 address fd00::1\n\
             lan mail is handled by 10 mail.lan.\n\
             lan descriptive text \"v=spf1 -all\"\n\
             4.2.0.10.in-addr.arpa domain name pointer web.lan.\n"
        );
    }
}
