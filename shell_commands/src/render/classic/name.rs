//! `nslookup`: the layout of BusyBox.

use std::net::SocketAddr;

use devnet_network::command::dns::{Answer, RecordData};

use crate::render::append;
use crate::shown::line;

/// The response; `asked` is the server that was named, if any, and `zone` the interface of a
/// link-local one.
#[must_use]
pub fn answer(answer: &Answer, asked: Option<SocketAddr>, zone: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(server) = answer.server.or(asked) {
        let (name, whole) = match zone {
            Some(zone) => {
                let name = format!("{}%{zone}", server.ip());
                let whole = format!("[{name}]:{}", server.port());
                (name, whole)
            }
            None => (server.ip().to_string(), server.to_string()),
        };
        append(&mut text, format_args!("Server:\t\t{name}\nAddress:\t{whole}\n\n"));
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
