//! The server, with requests of many clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake};
use std::time::Duration;

use devnet_network::command::Shutdown;
use devnet_network::command::socket::Direction;
use devnet_virtual_file_system::{Credentials, File};
use futures_lite::future;

use crate::context::{Files, Stream};
use crate::http::server::{Connections, Server};
use crate::http::site::Site;
use crate::limits;
use crate::testing::{World, connection};

/// A world with some files below `/temporary/www`.
fn world() -> World {
    let world = World::new();
    world.clock.stop();
    world.output(
        "mkdir -p /temporary/www/dir '/temporary/www/d r+é'; cd /temporary/www; \
        echo hello > 'a b'; echo page > p.html",
    );
    world
}

fn server(world: &World) -> Server {
    let files = Files::new(world.tree.clone(), Credentials::root()).unwrap();
    let log = Stream::new(world.open("/log"), "log");
    let platform = world.platform();
    let site = Site::default().with_directory(files, "/temporary/www", &platform);
    Server::new(site, platform, Some(log))
}

/// Returns everything that the server sends to a client that sends this and then shuts down its
/// direction.
fn say_in(world: &World, server: &Server, pieces: &[&[u8]]) -> String {
    let (ours, theirs) = connection();
    let ask = async move {
        for piece in pieces {
            if ours.write_all(piece).await.is_err() {
                break;
            }
            future::yield_now().await;
        }
        let _ = ours.control::<Shutdown>(&Direction::Write).await;
        ours.read_to_end(1 << 20).await.unwrap()
    };
    let serve = async move {
        let remote = "192.0.2.1:1024".parse().unwrap();
        server.converse(theirs, remote).await;
    };
    String::from_utf8(world.block_on(future::zip(serve, ask)).1).unwrap()
}

/// Whether a task wants another turn.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn say(bytes: &[u8]) -> String {
    let world = world();
    say_in(&world, &server(&world), &[bytes])
}

fn get(target: &str, fields: &str) -> String {
    say(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes())
}

/// The codes of the responses.
fn codes(answer: &str) -> Vec<&str> {
    let lines = answer.lines().filter(|line| line.starts_with("HTTP/1."));
    lines.filter_map(|line| line.get(9..12)).collect()
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[test]
fn requests_are_understood() {
    let answer = get("/a%20b", "");
    assert_eq!(codes(&answer), ["200"]);
    assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
    assert_eq!(field(&answer, "Content-Length"), Some("6"));
    assert_eq!(field(&answer, "Accept-Ranges"), Some("bytes"));
    assert_eq!(field(&answer, "Date"), Some("Sun, 09 Sep 2001 01:46:40 GMT"));
    assert_eq!(field(&answer, "Connection"), None);
    let closing =
        ["Connection: foo, Close\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"];
    for fields in closing {
        let twice = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").repeat(2);
        assert_eq!(codes(&say(twice.as_bytes())), ["200"], "{fields}");
    }
    let twice = "GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    assert_eq!(codes(&say(twice.as_bytes())), ["200", "200"]);
    let old = say(b"HEAD /a%20b HTTP/1.0\r\n\r\nHEAD / HTTP/1.0\r\n\r\n");
    assert_eq!(codes(&old), ["200"]);
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n"), "{old}");
    assert!(old.ends_with("\r\n\r\n") && field(&old, "Content-Length") == Some("6"), "{old}");
    let kept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".repeat(2);
    assert_eq!(codes(&say(kept.as_bytes())).len(), 2);
}

#[test]
fn the_empty_line_ends_the_head() {
    for (text, expected) in [
        ("GET / HTTP/1.0\r\n\r\nrest", &["200"][..]),
        ("GET / HTTP/1.0\n\nrest", &["200"]),
        ("\r\n\r\nGET / HTTP/1.0\r\n\r\n", &["200"]),
        ("GET / HTTP/1.0\r\n", &[]),
        ("", &[]),
    ] {
        assert_eq!(codes(&say(text.as_bytes())), expected, "{text:?}");
    }
    let world = world();
    let server = server(&world);
    let bytes = b"GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n";
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(codes(&say_in(&world, &server, &single)), ["200"]);
}

#[test]
fn hostile_requests_are_refused() {
    let target = "a".repeat(limits::HTTP_TARGET_BYTES);
    let long = format!("GET /{target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let longer = format!("GET /{}", "a".repeat(2 * limits::HTTP_HEAD_BYTES));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(limits::HTTP_HEADERS + 1));
    let large = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(2 * limits::HTTP_HEAD_BYTES));
    for (text, code) in [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\n\r\n", "505"),
        ("POST / HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("GET /../etc HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET ? HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET http://x/ HTTP/1.1\r\n\r\n", "400"),
        ("GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\nHost: x:abc\r\n\r\n", "400"),
        ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("GET / HTTP/0.9\r\n\r\n", "505"),
        ("\0\0\0\0\r\n\r\n", "400"),
        ("GET\r\n\r\n", "400"),
        (&long, "414"),
        (&longer, "414"),
        (&many, "431"),
        (&large, "431"),
    ] {
        let answer = say(format!("{text}GET / HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(codes(&answer), [code], "{text:.40} {answer}");
        assert_eq!(field(&answer, "Connection").map(str::to_lowercase).as_deref(), Some("close"));
        assert!(field(&answer, "Date").is_some() && answer.contains(&format!("\r\n\r\n{code} ")));
    }
}

/// A field line folded behind its length, and everything else that two parsers read differently.
#[test]
fn httpd_request_smuggling() {
    let second = "GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n";
    for (fields, code) in [
        (&b"Content-Length: 0\r\n 30\r\n"[..], "400"),
        (b"Content-Length: 0\r\n\t30\r\n", "400"),
        (b"Content-Length:\r\n 0\r\n", "400"),
        (b"Transfer-Encoding:\r\n chunked\r\n", "400"),
        (b"Transfer-Encoding: chunked\xff\r\n", "400"),
        (b"Transfer-Encoding: \x0bchunked\r\n", "400"),
        (b"Transfer-Encoding: chunked;a=b\r\n", "400"),
        (b"Transfer-Encoding: \"chunked\"\r\n", "400"),
        (b"Transfer-Encoding: xchunked\r\n", "400"),
        (b"Transfer-Encoding: identity\r\n", "400"),
        (b"Transfer-Encoding: chunked, identity\r\n", "400"),
        (b"Transfer-Encoding:\r\n", "400"),
        (b"Transfer-Encoding : chunked\r\n", "400"),
        (b"Transfer-Encoding: gzip\r\n", "400"),
        (b"Transfer-Encoding: chunked, chunked\r\n", "400"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400"),
        (b"Transfer-Encoding: gzip, chunked\r\n", "501"),
        (b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "501"),
        (b"Content-Length: 30\xff\r\n", "400"),
        (b"Content-Length : 30\r\n", "400"),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", "400"),
        (b"Content-Length: 3, 4\r\n", "400"),
        (b"Content-Length: 3, 3\r\n", "400"),
        (b"Content-Length: +3\r\n", "400"),
        (b"Content-Length: -3\r\n", "400"),
        (b"Content-Length: 0x3\r\n", "400"),
        (b"Content-Length: 3 3\r\n", "400"),
        (b"Content-Length:\r\n", "400"),
        (b"Content-Length: 99999999999999999999\r\n", "400"),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "400"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "400"),
        (b"transfer-encoding:chunked\nCONTENT-LENGTH:0\n", "400"),
        (b"X: a\rContent-Length: 3\r\n", "400"),
        (b"X: a\0\r\n", "400"),
        (b"X y: a\r\n", "400"),
        (b"X\r\n", "400"),
        (b": a\r\n", "400"),
    ] {
        let first = [b"GET / HTTP/1.1\r\nHost: x\r\n", fields, b"\r\n", second.as_bytes()].concat();
        let answer = say(&first);
        assert_eq!(codes(&answer), [code], "{}", fields.escape_ascii());
        assert_eq!(field(&answer, "Connection").map(str::to_lowercase).as_deref(), Some("close"));
        // After a good request too.
        let answer = say(&[second.as_bytes(), &first].concat());
        assert_eq!(codes(&answer), ["200", code], "{}", fields.escape_ascii());
    }
    for first in [
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n Content-Length: 3\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\rHost: x\r\n\r\n",
        "GET /\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / http/1.1\r\nHost: x\r\n\r\n",
    ] {
        assert_eq!(codes(&say(format!("{first}{second}").as_bytes())), ["400"], "{first:?}");
    }
    // Controls: equal lengths are one, and a body that is not read ends the connection.
    for fields in ["Content-Length: 0\r\nContent-Length: 0\r\n", "Content-Length: 00\r\n"] {
        let text = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n{second}");
        assert_eq!(codes(&say(text.as_bytes())), ["200", "200"], "{fields}");
    }
    for fields in ["Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"] {
        let text = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n{second}");
        assert_eq!(codes(&say(text.as_bytes())), ["200"], "{fields}");
    }
}

#[test]
fn every_damaged_request_gets_an_answer_and_no_panic() {
    let good = b"GET /a%20b?c HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n";
    let world = world();
    let server = server(&world);
    for place in 0..good.len() {
        for byte in [0, b'%', b'\n', b' ', 0xff] {
            let mut damaged = good.to_vec();
            damaged[place] = byte;
            say_in(&world, &server, &[&damaged]);
        }
        assert_eq!(say_in(&world, &server, &[&good[..place]]), "", "{place}");
    }
}

#[test]
fn directory_redirect_keeps_the_query() {
    for (target, location) in [
        ("/dir", "/dir/"),
        ("/dir?x=1", "/dir/?x=1"),
        ("//dir", "/dir/"),
        ("//dir?//evil", "/dir/?//evil"),
        ("/dir%2f", "/dir/"),
        ("/./di%72", "/dir/"),
        ("http://x/dir?a", "/dir/?a"),
        ("/dir?", "/dir/?"),
        ("/dir?a=/../b&c=%2f%20?d", "/dir/?a=/../b&c=%2f%20?d"),
        ("/dir?é", "/dir/?%C3%A9"),
        ("///dir", "/dir/"),
        ("/x/..//dir", "/dir/"),
        ("/d%20r+%C3%A9", "/d%20r%2B%C3%A9/"),
    ] {
        let answer = get(target, "");
        assert_eq!(codes(&answer), ["301"], "{target}");
        assert_eq!(field(&answer, "Location"), Some(location), "{target}");
    }
    assert!(get("/", "").contains("<a href=\"a%20b\">a b</a>"));
    assert_eq!(codes(&get("/p.html/", "")), ["404"]);
    assert_eq!(field(&get("/p.html", ""), "Content-Type"), Some("text/html; charset=utf-8"));
    let plain = get("/a%20b", "");
    assert_eq!(field(&plain, "Content-Type"), Some("application/octet-stream"));
}

#[test]
fn httpd_and_if_range() {
    let world = world();
    let server = server(&world);
    let ask = |method: &str, fields: &str| {
        let text = format!("{method} /a%20b HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        say_in(&world, &server, &[text.as_bytes()])
    };
    let tag = field(&ask("GET", ""), "Etag").unwrap().to_owned();
    let part = ask("GET", &format!("Range: bytes=3-\r\nIf-Range: {tag}\r\n"));
    assert_eq!((codes(&part), field(&part, "Content-Range")), (vec!["206"], Some("bytes 3-5/6")));
    assert!(part.ends_with("\r\n\r\nlo\n"), "{part}");
    let plain = ask("GET", "Range: bytes=3-\r\n");
    assert_eq!((codes(&plain), field(&plain, "Content-Range")), (vec!["206"], Some("bytes 3-5/6")));
    let weak = format!("W/{tag}");
    for other in ["\"x\"", "W/\"x\"", "Mon, 01 Jan 1990 00:00:00 GMT", "rubbish", "\"a b\"", &weak]
    {
        let whole = ask("GET", &format!("Range: bytes=3-\r\nIf-Range: {other}\r\n"));
        assert_eq!((codes(&whole), field(&whole, "Content-Range")), (vec!["200"], None), "{other}");
        assert!(whole.ends_with("\r\n\r\nhello\n"), "{whole}");
    }
    let beyond = ask("GET", "Range: bytes=9-\r\n");
    assert_eq!((codes(&beyond), field(&beyond, "Content-Range")), (vec!["416"], Some("bytes */6")));
    let same = ask("GET", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((codes(&same), field(&same, "Etag")), (vec!["304"], Some(tag.as_str())));
    assert!(field(&same, "Content-Length").is_none() && same.ends_with("\r\n\r\n"), "{same}");
    assert_eq!(codes(&ask("HEAD", "If-Match: \"x\"\r\n")), ["412"]);
    world.output("echo jello > '/temporary/www/a b'");
    assert_eq!(codes(&ask("GET", &format!("If-None-Match: {tag}\r\n"))), ["200"]);
    assert_eq!(codes(&ask("GET", &format!("Range: bytes=3-\r\nIf-Range: {tag}\r\n"))), ["200"]);
}

#[test]
fn every_request_is_logged_once() {
    let world = world();
    let server = server(&world);
    for text in [
        "GET /a%20b?x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        say_in(&world, &server, &[text.as_bytes()]);
    }
    let lines = [
        "192.0.2.1:1024 /a%20b?x 200 OK 6\n",
        "192.0.2.1:1024 - 400 Bad Request 16\n",
        "192.0.2.1:1024 - 405 Method Not Allowed 23\n",
    ];
    assert_eq!(world.text("/log"), lines.concat());
}

/// Clients that ask at once, or are idle for too long at once, do not keep the thread.
#[test]
fn a_turn_serves_a_share_of_a_crowd() {
    // Its clock runs ahead to whoever sleeps, so that the idle ones end soon.
    let world = World::new();
    let server = server(&world);
    let mut connections = Connections::new(&server);
    let mut clients: Vec<File> = (0..3 * limits::HTTP_TURN)
        .map(|_| {
            let (ours, theirs) = connection();
            assert_eq!(ours.try_write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Ok(27));
            connections.enter(theirs, "192.0.2.1:1024".parse().unwrap()).unwrap();
            ours
        })
        .collect();
    let (mut answered, mut turns) = (0, 0);
    while !clients.is_empty() {
        let woken = Arc::new(Woken::default());
        connections.poll(&mut Context::from_waker(&Arc::clone(&woken).into()));
        let (before, mut now) = (clients.len(), 0);
        clients.retain(|client| match client.try_read(&mut [0; 4096]) {
            Ok(0) => false,
            read => {
                now += usize::from(read.is_ok());
                true
            }
        });
        let ended = before - clients.len();
        assert!(now + ended <= limits::HTTP_TURN, "{now} answers, {ended} ends in a turn");
        assert!(woken.0.load(Ordering::Relaxed) || clients.is_empty(), "nobody goes on");
        (answered, turns) = (answered + now, turns + 1);
    }
    assert_eq!(answered, 3 * limits::HTTP_TURN);
    assert!((6..50).contains(&turns), "{turns}");
}

#[test]
fn a_head_that_does_not_come_ends_the_connection_in_time() {
    for (start, seconds) in [("", 60), ("GET / HTTP/1.1\r\nHost: x\r\n", 30)] {
        let world = World::new();
        let server = server(&world);
        let (ours, theirs) = connection();
        let exchange = async {
            ours.write_all(start.as_bytes()).await.unwrap();
            let remote = "192.0.2.1:1024".parse().unwrap();
            server.converse(theirs, remote).await;
        };
        world.block_on(exchange);
        // An idle client sees the end of our direction, and has 2 s to react.
        let limit = Duration::from_secs(seconds)..=Duration::from_secs(seconds + 2);
        assert!(limit.contains(&world.elapsed()), "{start:?} {:?}", world.elapsed());
    }
}
