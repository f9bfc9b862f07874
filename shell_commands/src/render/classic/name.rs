//! `nslookup`: the layout of BusyBox.

use std::net::SocketAddr;

use devnet_network::command::dns::{Answer, RecordData, Reply};
use devnet_network::command::record::{RecordType, ResourceData, ResourceRecord};

use crate::render::append;
use crate::shown::line;

/// The response; `asked` is the server that was named, if any, and `zone` the interface of a
/// link-local one.
#[must_use]
pub fn answer(answer: &Answer, asked: Option<SocketAddr>, zone: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(server) = answer.server.or(asked) {
        head(&mut text, server, zone);
    }
    for record in &answer.records {
        match &record.data {
            RecordData::Address(address) => {
                append(
                    &mut text,
                    format_args!("Name:\t{}\nAddress: {address}\n", line(&record.name)),
                );
            }
            RecordData::Cname(name) => {
                append(
                    &mut text,
                    format_args!("{}\tcanonical name = {}\n", line(&record.name), line(name)),
                );
            }
            RecordData::Ptr(name) => {
                append(&mut text, format_args!("{}\tname = {}\n", line(&record.name), line(name)));
            }
        }
    }
    text
}

fn head(text: &mut String, server: SocketAddr, zone: Option<&str>) {
    let (name, whole) = match zone {
        Some(zone) => {
            let name = format!("{}%{zone}", server.ip());
            let whole = format!("[{name}]:{}", server.port());
            (name, whole)
        }
        None => (server.ip().to_string(), server.to_string()),
    };
    append(text, format_args!("Server:\t\t{name}\nAddress:\t{whole}\n\n"));
}

/// Records of any type.
#[must_use]
pub fn records(reply: &Reply, zone: Option<&str>) -> String {
    let mut text = String::new();
    head(&mut text, reply.server, zone);
    for record in &reply.answers {
        one(&mut text, record);
    }
    text
}

fn one(text: &mut String, record: &ResourceRecord) {
    let ResourceRecord { record_type, data, .. } = record;
    let name = line(&record.name);
    match data {
        ResourceData::Address(address) => {
            append(text, format_args!("Name:\t{name}\nAddress: {address}\n"));
        }
        ResourceData::Name(target) => {
            let what = match *record_type {
                RecordType::CNAME => "canonical name",
                RecordType::NS => "nameserver",
                RecordType::DNAME => "dname",
                _ => "name",
            };
            append(text, format_args!("{name}\t{what} = {}\n", line(target)));
        }
        ResourceData::MailExchange(mail) => {
            let target = line(&mail.exchange);
            append(text, format_args!("{name}\tmail exchanger = {} {target}\n", mail.preference));
        }
        ResourceData::Service(service) => {
            let (priority, weight, port) = (service.priority, service.weight, service.port);
            let target = line(&service.target);
            append(text, format_args!("{name}\tservice = {priority} {weight} {port} {target}\n"));
        }
        ResourceData::Authority(zone) => {
            append(
                text,
                format_args!(
                    "{name}\n\torigin = {}\n\tmail addr = {}\n\tserial = {}\n\trefresh = {}\n\
                     \tretry = {}\n\texpire = {}\n\tminimum = {}\n",
                    line(&zone.primary),
                    line(&zone.mailbox),
                    zone.serial,
                    zone.refresh,
                    zone.retry,
                    zone.expire,
                    zone.minimum
                ),
            );
        }
        ResourceData::Text(_) => append(text, format_args!("{name}\ttext = {data}\n")),
        ResourceData::Binding(_) | ResourceData::Raw(_) => {
            append(text, format_args!("{name}\trdata_{} = {data}\n", record_type.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_network::command::dns::Record;

    fn record(name: &str, data: RecordData) -> Record {
        Record { name: name.into(), data, time_to_live: 60 }
    }

    #[test]
    fn an_answer_looks_as_in_busybox() {
        let found = Answer {
            server: Some("192.0.2.53:53".parse().unwrap()),
            records: vec![
                record("www.example.org", RecordData::Cname("example.org".into())),
                record("example.org", RecordData::Address("192.0.2.80".parse().unwrap())),
                record("80.2.0.192.in-addr.arpa", RecordData::Ptr("evil\u{1b}[2J.org".into())),
            ],
        };
        assert_eq!(
            answer(&found, None, None),
            "Server:\t\t192.0.2.53\n\
             Address:\t192.0.2.53:53\n\
             \n\
             www.example.org\tcanonical name = example.org\n\
             Name:\texample.org\n\
             Address: 192.0.2.80\n\
             80.2.0.192.in-addr.arpa\tname = evil\\u001b[2J.org\n"
        );
    }

    #[test]
    fn records_of_other_types_have_a_line_each() {
        use devnet_network::command::record::{MailExchange, Service};
        let of = |record_type, data| ResourceRecord {
            name: "example.org".into(),
            record_type,
            time_to_live: 60,
            data,
        };
        let mail = MailExchange { preference: 10, exchange: "mail.example.org".into() };
        let service = Service { priority: 1, weight: 2, port: 80, target: "web".into() };
        let reply = Reply {
            server: "192.0.2.53:53".parse().unwrap(),
            identifier: 1,
            flags: 0x8180,
            code: 0,
            name: "example.org".into(),
            payload: None,
            bytes: 100,
            answers: vec![
                of(RecordType::MX, ResourceData::MailExchange(mail)),
                of(RecordType::TXT, ResourceData::Text(vec![b"a\x1b b".to_vec(), vec![]])),
                of(RecordType::SRV, ResourceData::Service(service)),
                of(RecordType::NS, ResourceData::Name("ns\u{1b}".into())),
                of(RecordType(4000), ResourceData::Raw(vec![1, 2])),
            ],
            authority: vec![],
            additional: vec![],
        };
        assert_eq!(
            records(&reply, None),
            "Server:\t\t192.0.2.53\n\
             Address:\t192.0.2.53:53\n\
             \n\
             example.org\tmail exchanger = 10 mail.example.org\n\
             example.org\ttext = \"a\\027 b\" \"\"\n\
             example.org\tservice = 1 2 80 web\n\
             example.org\tnameserver = ns\\u001b\n\
             example.org\trdata_4000 = \\# 2 0102\n"
        );
    }

    #[test]
    fn an_answer_without_a_server_has_no_head() {
        let found = Answer {
            server: None,
            records: vec![record("x", RecordData::Address("::1".parse().unwrap()))],
        };
        assert_eq!(answer(&found, None, None), "Name:\tx\nAddress: ::1\n");
        let server = "[fd00::1]:53".parse().unwrap();
        assert!(
            answer(&found, Some(server), None)
                .starts_with("Server:\t\tfd00::1\nAddress:\t[fd00::1]:53\n\n")
        );
    }
}
