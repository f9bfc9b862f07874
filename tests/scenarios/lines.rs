//! Texts that fail: where and why, what happened to the lines before, and where the error is read
//! afterwards.

use devnet_network::command::GetLastError;
use devnet_network::command::line_error::LastError;
use devnet_network::limits::TEXT_BYTES;
use devnet_virtual_file_system::{Credentials, Error, File, Mode, OpenFlags, Path};
use world::{Host, World};

use crate::pair::{connection, hosts};

const SERVER: &str = "10.0.0.2:80";

fn last(file: &File) -> Option<LastError> {
    file.try_control::<GetLastError>(&()).unwrap()
}

/// Writes a text that fails; why, in words.
fn failed(file: &File, text: &[u8]) -> String {
    let error = file.try_write(text).unwrap_err();
    let last = last(file).unwrap();
    assert_eq!(last.error, error, "{last:?}");
    assert!(last.message.starts_with(&format!("line {}: ", last.line)), "{last:?}");
    last.message
}

fn addresses(host: &Host) -> Vec<String> {
    let all = host.control::<devnet_network::command::ListAddresses>("eth0", &()).unwrap();
    all.iter()
        .map(|entry| entry.prefix.to_string())
        .filter(|text| text.starts_with("10."))
        .collect()
}

#[test]
fn a_failed_write_is_explained_on_its_file() {
    let world = World::new(1);
    let (host, _peer) = hosts(&world);
    let file = host.open("eth0");
    assert_eq!(last(&file), None);
    for (text, expected) in [
        ("mtu", "line 1: BYTES is missing; mtu BYTES"),
        (
            "mtu 1400\r\n\r\n# a comment\r\naddress add 1.2.3\r\nmtu 1300",
            "line 4: \"1.2.3\" is no prefix; address add PREFIX [broadcast IPV4]",
        ),
        ("mtu 1400\n\nmtu 1", "line 3: mtu 1: Invalid argument"),
        ("address add 10.0.0.1/24", "line 1: address add 10.0.0.1/24: File exists"),
        (
            "route add default via 10.9.9.9",
            "line 1: route add default via 10.9.9.9: Network is unreachable",
        ),
        ("\nroute remove 192.0.2.0/24", "line 2: route remove 192.0.2.0/24: No such process"),
        ("connect 10.0.0.2:80", "line 1: connect 10.0.0.2:80: Invalid argument"),
        ("connect [fe80::1%eth9]:80", "line 1: connect [fe80::1%eth9]:80: No such device"),
        ("connect [fe80::1%eth0]:80 now", "line 1: \"now\" is one word too many; connect ENDPOINT"),
        (
            "connect [fe80::1%eth0]:99999",
            "line 1: \"[fe80::1%eth0]:99999\" is no address with a port; connect ENDPOINT",
        ),
        (
            "socket tcp\noption no-delay maybe",
            "line 2: \"maybe\" is none of on, off; option (no-delay | broadcast | reuse-address | \
             reuse-port | dont-fragment) (on | off)",
        ),
        (
            "link \u{7}up",
            "line 1: \"\\u{7}up\" is none of up, down, name, description, promiscuous, \
             all-multicast, arp, queue, reachable, retransmit, probes",
        ),
    ] {
        assert_eq!(failed(&file, text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(failed(&file, b"mtu 1400\nlink \xff\nlink up"), "line 2: not UTF-8");
    let long = [b"mtu 1400\n", "#".repeat(5000).as_bytes()].concat();
    assert_eq!(failed(&file, &long), "line 2: longer than 4096 bytes");
    let long = "# 456789\n".repeat(TEXT_BYTES / 9 + 1);
    let expected = format!("line {}: the text is longer than 65536 bytes", TEXT_BYTES / 9 + 1);
    assert_eq!(failed(&file, long.as_bytes()), expected);
    assert!(failed(&file, b"frob").starts_with("line 1: \"frob\" is none of link, mac, mtu, "));
    // It is this file's, it lasts, and the next text that succeeds ends it.
    assert_eq!(last(&host.open("eth0")), None);
    assert!(last(&file).is_some() && last(&file).is_some());
    file.try_write(b"mtu 1400").unwrap();
    assert_eq!(last(&file), None);
}

#[test]
fn an_error_in_the_middle_leaves_what_stood_before_it() {
    let world = World::new(2);
    let (host, _peer) = hosts(&world);
    let file = host.open("eth0");
    let before = addresses(&host);
    // A text that cannot be parsed is not executed at all.
    let text = "address add 10.0.1.1/24\naddress add 10.0.2.1/99\naddress add 10.0.3.1/24";
    failed(&file, text.as_bytes());
    assert_eq!(addresses(&host), before);
    // One that can be is executed up to the line that is refused.
    let text = "address add 10.0.1.1/24\naddress add 10.0.1.1/24\naddress add 10.0.3.1/24";
    assert_eq!(failed(&file, text.as_bytes()), "line 2: address add 10.0.1.1/24: File exists");
    let after = [before, vec!["10.0.1.1/24".to_owned()]].concat();
    assert_eq!(addresses(&host), after);
}

#[test]
fn a_file_that_may_only_be_written_or_read_tells_its_error_too() {
    let world = World::new(3);
    let (host, _peer) = hosts(&world);
    let open = |flags| {
        let path = Path::parse("/devices/network/eth0").unwrap();
        host.files.open(&Credentials::root(), &path, flags, Mode::empty()).unwrap()
    };
    let writable = open(OpenFlags::WRITE);
    assert_eq!(
        failed(&writable, b"mtu x"),
        "line 1: \"x\" is no number of bytes from 0 to \
                4,294,967,295; mtu BYTES"
    );
    let readable = open(OpenFlags::READ);
    assert_eq!(readable.try_write(b"mtu x"), Err(Error::BadFileDescriptor));
    assert_eq!(last(&readable), None);
}

#[test]
fn a_write_that_waits_is_explained_when_it_ends_and_data_is_no_text() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let file = left.open("eth0");
        let outcome = file.write(b"socket tcp\nconnect 10.0.0.2:9").await;
        assert_eq!(outcome, Err(Error::ConnectionRefused));
        let last_error = last(&file).unwrap();
        assert_eq!(last_error.message, "line 2: connect 10.0.0.2:9: Connection refused");
        // The streams of other files have no lines, and so no error of one.
        let (client, server) = connection(&left, &right, SERVER).await;
        drop(server);
        drop(client);
        let file = left.open("eth0");
        let outcome = file.write(b"socket udp\nbind *:9").await;
        assert_eq!(outcome, Ok(19));
        assert!(file.try_write(b"data").is_err());
        assert_eq!(last(&file), None);
    });
}
