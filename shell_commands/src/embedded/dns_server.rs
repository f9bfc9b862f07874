//! The name server of `dns.lan`, for the hosts of the embedded network only.
//!
//! [`answer`] is pure: a query in bytes → a response in bytes. UDP and TCP only carry it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_executor::Executor;
use async_lock::Semaphore;
use devnet_network::command::dns::{Record, RecordData};
use devnet_network::command::socket::SocketKind;
use devnet_network::dns_message::{DnsMessage, PORT, QueryKind, ResponseCode, reverse_name};
use devnet_virtual_file_system::{Error, File, Result};

use super::{DOMAIN, HOSTS};
use crate::context::{Files, Platform};
use crate::limits;
use crate::sockets::{Family, Listener, Sockets, read_exact, receive_from, send_to, within};

/// The TTL of a record in seconds.
const TIME_TO_LIVE: u32 = 300;
/// Bytes of a UDP response without EDNS (RFC 1035 §4.2.1).
const DATAGRAM: usize = 512;
/// Bytes of a query by TCP; names have 255.
const QUESTION: usize = 4096;
/// The idle timeout of a connection (RFC 7766 §6.2.3).
const IDLE: Duration = Duration::from_secs(10);
/// The delay after an error that affects every query.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens the sockets for [`serve_datagrams`] and [`serve_streams`].
///
/// # Errors
/// Errors of binding them.
pub async fn bind(files: &Files) -> Result<(File, Listener)> {
    let (sockets, local) =
        (Sockets::routed(files), SocketAddr::new(Family::Any.unspecified(), PORT));
    Ok((sockets.bind(SocketKind::Udp, local).await?, sockets.listen(local).await?))
}

/// Answers queries by UDP.
///
/// # Errors
/// `NetworkDown` once the interface is gone.
pub async fn serve_datagrams(socket: File, platform: Platform) -> Result<()> {
    loop {
        match receive_from(&socket).await {
            Ok(datagram) => {
                if let Some(bytes) = answer(&datagram.data, Some(DATAGRAM)) {
                    // A client without a response retransmits.
                    let _ = send_to(&socket, bytes, datagram.remote).await;
                }
            }
            Err(why @ (Error::NetworkDown | Error::NoDevice)) => return Err(why),
            Err(_) => platform.clock.sleep_until(platform.clock.now().after(PAUSE)).await,
        }
    }
}

/// Answers queries by TCP, each message with a length prefix (RFC 1035 §4.2.2).
///
/// # Errors
/// Errors of the listener.
pub async fn serve_streams(listener: Listener, platform: Platform) -> Result<()> {
    let (places, connections) = (Semaphore::new(limits::DNS_CONNECTIONS), Executor::new());
    let (places, platform) = (&places, &platform);
    let accept = async {
        loop {
            let place = places.acquire().await;
            let connection = listener.accept().await?;
            let serve = async move {
                let _place = place;
                // A broken connection affects no others.
                let _ = converse(&connection.file, platform).await;
            };
            connections.spawn(serve).detach();
        }
    };
    connections.run(accept).await
}

async fn converse(stream: &File, platform: &Platform) -> Result<()> {
    let clock = platform.clock.as_ref();
    loop {
        let mut length = [0; 2];
        if !within(clock, Some(IDLE), read_exact(stream, &mut length)).await? {
            return Ok(());
        }
        let length = usize::from(u16::from_be_bytes(length));
        if length > QUESTION {
            return Err(Error::MessageTooLong);
        }
        let mut question = vec![0; length];
        within(clock, Some(IDLE), read_exact(stream, &mut question)).await?;
        let Some(bytes) = answer(&question, None) else { return Err(Error::BadMessage) };
        let mut message =
            u16::try_from(bytes.len()).map_err(|_| Error::MessageTooLong)?.to_be_bytes().to_vec();
        message.extend_from_slice(&bytes);
        within(clock, Some(IDLE), stream.write_all(&message)).await?;
    }
}

/// Returns the response to a message; `None` for a message that is not a query.
#[must_use]
pub fn answer(bytes: &[u8], limit: Option<usize>) -> Option<Vec<u8>> {
    let Ok(question) = DnsMessage::parse(bytes) else { return not_understood(bytes) };
    if question.is_response {
        return None;
    }
    let (code, answers) = look_up(&question.name, question.kind);
    let mut answer =
        DnsMessage { is_response: true, is_truncated: false, code, answers, ..question };
    let bytes = answer.to_bytes().ok()?;
    if limit.is_none_or(|limit| bytes.len() <= limit) {
        return Some(bytes);
    }
    answer.answers.clear();
    answer.is_truncated = true;
    answer.to_bytes().ok()
}

/// A malformed query gets the response FORMERR (RFC 1035 §4.1.1: code 1) if its header is one of a
/// query.
fn not_understood(bytes: &[u8]) -> Option<Vec<u8>> {
    let [high, low, flags, _, ..] = bytes.get(..12)? else { return None };
    if flags & 0x80 != 0 {
        return None;
    }
    Some(vec![*high, *low, 0x80 | (flags & 0x79), 1, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn look_up(name: &str, kind: QueryKind) -> (ResponseCode, Vec<Record>) {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let record = |data| Record { name: name.clone(), data, time_to_live: TIME_TO_LIVE };
    // `www.web.lan` is an alias, so that aliases can be tried.
    if name == format!("www.web.{DOMAIN}") {
        let target = format!("web.{DOMAIN}");
        let mut records = vec![record(RecordData::Cname(target.clone()))];
        if kind != QueryKind::Cname {
            records.extend(look_up(&target, kind).1);
        }
        return (ResponseCode::NoError, records);
    }
    let named: Vec<IpAddr> =
        HOSTS.iter().filter(|(host, _)| *host == name).map(|(_, address)| *address).collect();
    let pointed: Vec<&str> = HOSTS
        .iter()
        .filter(|(_, address)| reverse_name(*address) == name)
        .map(|(host, _)| *host)
        .collect();
    let records = match kind {
        QueryKind::A => named
            .iter()
            .filter(|address| address.is_ipv4())
            .map(|a| record(RecordData::Address(*a)))
            .collect(),
        QueryKind::Aaaa => named
            .iter()
            .filter(|address| address.is_ipv6())
            .map(|a| record(RecordData::Address(*a)))
            .collect(),
        QueryKind::Ptr => {
            pointed.iter().map(|host| record(RecordData::Ptr((*host).to_owned()))).collect()
        }
        QueryKind::Cname | QueryKind::Other(_) => Vec::new(),
    };
    // The domain itself exists, without records.
    let exists = !named.is_empty() || !pointed.is_empty() || name == DOMAIN;
    (if exists { ResponseCode::NoError } else { ResponseCode::NameError }, records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str, kind: QueryKind) -> DnsMessage {
        let question = DnsMessage::query(7, name.to_owned(), kind).to_bytes().unwrap();
        let answer = DnsMessage::parse(&answer(&question, Some(DATAGRAM)).unwrap()).unwrap();
        assert!(answer.is_response && answer.identifier == 7 && answer.name == name);
        answer
    }

    fn data(name: &str, kind: QueryKind) -> Vec<RecordData> {
        let answer = ask(name, kind);
        assert_eq!(answer.code, ResponseCode::NoError);
        answer.answers.into_iter().map(|record| record.data).collect()
    }

    #[test]
    fn hosts_have_addresses_and_addresses_have_names() {
        assert_eq!(
            data("web.lan", QueryKind::A),
            [RecordData::Address("10.0.2.4".parse().unwrap())]
        );
        assert_eq!(
            data("web.lan", QueryKind::Aaaa),
            [RecordData::Address("fd00:2::4".parse().unwrap())]
        );
        for (host, address) in HOSTS {
            assert_eq!(
                data(&reverse_name(address), QueryKind::Ptr),
                [RecordData::Ptr(host.to_owned())]
            );
        }
        let alias = data("www.web.lan", QueryKind::A);
        assert_eq!(alias[0], RecordData::Cname("web.lan".to_owned()));
        assert_eq!(alias.len(), 2);
    }

    #[test]
    fn other_kinds_are_empty_and_other_names_do_not_exist() {
        assert_eq!(data("web.lan", QueryKind::Other(16)), []);
        assert_eq!(data("lan", QueryKind::A), []);
        for name in ["nosuch.lan", "example.org", "1.2.0.10.in-addr.arpa"] {
            let answer = ask(name, QueryKind::A);
            assert_eq!((answer.code, answer.answers.len()), (ResponseCode::NameError, 0), "{name}");
        }
    }

    #[test]
    fn hostile_messages_get_a_refusal_or_silence() {
        let question = DnsMessage::query(7, "web.lan".to_owned(), QueryKind::A).to_bytes().unwrap();
        let reply = answer(&question, None).unwrap();
        // Responses get no response: two servers would loop for ever.
        assert_eq!(answer(&reply, None), None);
        assert_eq!(answer(&[], None), None);
        assert_eq!(answer(&question[..11], None), None);
        for length in 12..question.len() {
            assert_eq!(answer(&question[..length], None).unwrap()[3], 1, "{length}");
        }
        for place in 0..question.len() {
            let mut damaged = question.clone();
            damaged[place] ^= 0xff;
            let _ = answer(&damaged, None);
        }
    }

    #[test]
    fn what_does_not_fit_is_asked_for_by_tcp() {
        let question = DnsMessage::query(7, "web.lan".to_owned(), QueryKind::A).to_bytes().unwrap();
        let cut = DnsMessage::parse(&answer(&question, Some(30)).unwrap()).unwrap();
        assert!(cut.is_truncated && cut.answers.is_empty());
    }
}
