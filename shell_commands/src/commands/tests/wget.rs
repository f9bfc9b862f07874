//! `wget` and `curl` against a server with scripted responses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use devnet_network::command::table::Request;
use devnet_virtual_file_system::{
    CharacterDevice, Error, Identifier, Lock, OpenDevice, OpenRequest, Operation, Readiness,
    Result, encode,
};

use crate::status::Status;
use crate::testing::{Ran, World};

/// `/devices/sockets` with one server behind it: the first connection gets the first response.
#[derive(Clone, Default)]
struct Host {
    state: Arc<Lock<State>>,
}

#[derive(Default)]
struct State {
    responses: Vec<Vec<u8>>,
    requests: Vec<String>,
    remotes: Vec<SocketAddr>,
    /// From this byte on a response comes byte by byte, and its end never.
    drips_from: Option<usize>,
}

struct OpenSocket {
    state: Arc<Lock<State>>,
    /// Bytes that were read.
    read: AtomicUsize,
    /// The next byte of a dripping response is there.
    has_dripped: AtomicBool,
    received: Lock<String>,
    response: Lock<Option<Vec<u8>>>,
}

impl CharacterDevice for Host {
    fn open(&self, _: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let (received, response) = (Lock::new(String::new()), Lock::new(None));
        let (read, has_dripped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let state = Arc::clone(&self.state);
        Ok(Arc::new(OpenSocket { state, read, has_dripped, received, response }))
    }
}

impl OpenSocket {
    /// True if the rest of the response comes byte by byte.
    fn drips(&self) -> bool {
        let from = self.state.with(|state| state.drips_from);
        from.is_some_and(|from| self.read.load(Ordering::SeqCst) >= from)
    }

    /// True once the whole request is there; then there is a response.
    fn is_asked(&self) -> bool {
        let Some(text) =
            self.received.with(|received| is_whole(received).then(|| received.clone()))
        else {
            return false;
        };
        self.response.with(|response| {
            response.get_or_insert_with(|| {
                self.state.with(|state| {
                    state.requests.push(text);
                    if state.responses.is_empty() { Vec::new() } else { state.responses.remove(0) }
                })
            });
        });
        true
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

impl OpenDevice for OpenSocket {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        if !self.is_asked() || (self.drips() && !self.has_dripped.swap(false, Ordering::SeqCst)) {
            return Operation::waiting(std::future::pending());
        }
        let most = match self.state.with(|state| state.drips_from) {
            Some(from) => from.saturating_sub(self.read.load(Ordering::SeqCst)).max(1),
            None => buffer.len(),
        };
        Operation::done(Ok(self.response.with(|response| {
            let rest = response.as_mut().unwrap();
            let count = rest.len().min(buffer.len()).min(most);
            self.read.fetch_add(count, Ordering::SeqCst);
            buffer[..count].copy_from_slice(&rest[..count]);
            rest.drain(..count);
            count
        })))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        self.received.with(|received| received.push_str(std::str::from_utf8(data).unwrap()));
        Operation::done(Ok(data.len()))
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        Operation::done(match Request::decode(identifier, request) {
            Some(Ok(Request::Connect(remote))) => {
                self.state.with(|state| state.remotes.push(remote));
                encode(&SocketAddr::from(([10, 77, 0, 2], 1024)))
            }
            Some(Ok(Request::CreateSocket(_) | Request::SetOption(_))) => encode(&()),
            _ => Err(Error::UnknownCommand),
        })
    }

    fn poll_ready(
        &self,
        context: &mut std::task::Context<'_>,
        interest: Readiness,
    ) -> std::task::Poll<Readiness> {
        let is_due = self.has_dripped.load(Ordering::SeqCst) || !self.drips();
        if interest.contains(Readiness::READABLE) && !(self.is_asked() && is_due) {
            let has_more = self
                .response
                .with(|response| response.as_ref().is_none_or(|response| !response.is_empty()));
            self.has_dripped.store(self.is_asked() && has_more, Ordering::SeqCst);
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(interest)
    }
}

/// The outcome of a script against a server with these responses.
struct Fetched {
    world: World,
    ran: Ran,
    requests: Vec<String>,
    remotes: Vec<SocketAddr>,
}

fn fetch(script: &str, responses: &[&str]) -> Fetched {
    let responses: Vec<&[u8]> = responses.iter().map(|response| response.as_bytes()).collect();
    fetch_bytes(script, &responses)
}

fn fetch_bytes(script: &str, responses: &[&[u8]]) -> Fetched {
    let (world, host) = (World::new(), Host::default());
    world.clock.stop();
    host.state.with(|state| {
        state.responses = responses.iter().map(|response| response.to_vec()).collect();
    });
    world.mount("/devices/sockets", Arc::new(host.clone()));
    let ran = world.run(&format!("cd /temporary; {script}"));
    let (requests, remotes) =
        host.state.with(|state| (state.requests.clone(), state.remotes.clone()));
    Fetched { world, ran, requests, remotes }
}

impl Fetched {
    /// The first lines of the requests.
    fn lines(&self) -> Vec<&str> {
        self.requests.iter().filter_map(|request| request.lines().next()).collect()
    }

    fn succeeded(&self) -> bool {
        self.ran.status == Status::SUCCESS
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

fn redirect(status: &str, location: &str) -> String {
    format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn a_document_is_saved_under_its_name() {
    let fetched = fetch("wget http://10.77.0.9:8000/d/file?x", &[OK]);
    assert!(fetched.succeeded(), "{:?}", fetched.ran);
    assert_eq!(fetched.world.text("/temporary/file"), "hi");
    let request = "GET /d/file?x HTTP/1.1\r\nHost: 10.77.0.9:8000\r\nUser-Agent: devnet\r\n\
        Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
    assert_eq!(fetched.requests, [request]);
    assert_eq!(fetched.remotes, ["10.77.0.9:8000".parse().unwrap()]);
    assert!(fetched.ran.error.starts_with("Connected to 10.77.0.9 (10.77.0.9:8000)\n"));
    let quiet = fetch("wget -q -O - http://10.77.0.9/", &[OK]);
    assert_eq!((quiet.ran.output.as_str(), quiet.ran.error.as_str()), ("hi", ""));
}

#[test]
fn fields_replace_ours_but_not_the_framing() {
    let fetched = fetch(
        "wget -q -O - --header 'Host: h' --header 'user-agent: x' \
         --header 'X: 1' --header 'X: 2' --post-data a=b 10.77.0.9",
        &[OK],
    );
    let request = "POST / HTTP/1.1\r\nHost: h\r\n";
    assert!(fetched.requests[0].starts_with(request), "{}", fetched.requests[0]);
    for line in [
        "\r\nUser-Agent: x\r\n",
        "\r\nX: 1\r\nX: 2\r\n",
        "\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        "\r\nContent-Length: 3\r\n",
        "\r\n\r\na=b",
    ] {
        assert!(fetched.requests[0].contains(line), "{line:?} in {}", fetched.requests[0]);
    }
    for field in ["x", "a b: c", ": c", "a: b\\\nc"] {
        let bad = fetch(&format!("wget --header '{field}' 10.77.0.9"), &[OK]);
        assert_eq!(bad.ran.status, Status::USAGE, "{field}");
    }
    let twice = fetch("wget --header 'Host: a' --header 'host: b' 10.77.0.9", &[OK]);
    assert_eq!(twice.ran.status, Status::USAGE);
    for name in ["Content-Length", "transfer-encoding"] {
        let bad = fetch(&format!("wget --header '{name}: 9' 10.77.0.9"), &[OK]);
        assert_eq!(bad.ran.status, Status::USAGE, "{name}");
        let why = format!("wget: {}: follows from the body\n", name.to_lowercase());
        assert!(bad.ran.error.starts_with(&why), "{}", bad.ran.error);
    }
}

#[test]
fn relative_location() {
    for (location, target) in [
        ("/login?next=http://a/b", "/login?next=http://a/b"),
        ("login?u=a://b", "/d/login?u=a://b"),
        ("?page=2", "/d/f?page=2"),
        ("../c", "/c"),
        ("./e/./g", "/d/e/g"),
        ("../../../c", "/c"),
        ("//10.77.0.9:8000/p", "/p"),
        ("/p#frag", "/p"),
        ("HTTP://10.77.0.9:8000/q", "/q"),
        ("HTTP://10.77.0.9:8000/q/../r", "/r"),
        (".", "/d/"),
        ("..", "/"),
        ("#frag", "/d/f?old"),
        ("/a\r\n\t b", "/a%20b"),
    ] {
        let moved = redirect("302 Found", location);
        let fetched = fetch("wget -q -O - http://10.77.0.9:8000/d/f?old", &[&moved, OK]);
        assert_eq!(fetched.ran.output, "hi", "{location} {:?}", fetched.ran);
        assert_eq!(fetched.lines()[1], format!("GET {target} HTTP/1.1"), "{location}");
    }
}

#[test]
fn location_with_a_space_or_raw_utf8() {
    for (location, target) in [
        (&b"/a b"[..], "/a%20b"),
        (b"/caf\xc3\xa9", "/caf%C3%A9"),
        (b"/caf\xe9", "/caf%E9"),
        (b"  /x ", "/x"),
        (b"/a%20b", "/a%20b"),
        (b"/a\tb", "/a%09b"),
        (b"/a b?c d=\xe9#e f", "/a%20b?c%20d=%E9"),
        (b"/%zz%4", "/%25zz%254"),
        (b"/x HTTP/1.1", "/x%20HTTP/1.1"),
        (b"http://10.77.0.9/\"<>\\^`{|}", "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
    ] {
        let moved = [b"HTTP/1.1 302 Found\r\nLocation: ", location, b"\r\n\r\n"].concat();
        let fetched = fetch_bytes("wget -q -O - 10.77.0.9", &[&moved, OK.as_bytes()]);
        let location = location.escape_ascii();
        assert!(fetched.succeeded(), "{location} {:?}", fetched.ran);
        assert_eq!(fetched.lines()[1], format!("GET {target} HTTP/1.1"), "{location}");
    }
    for location in [&b"/a\tb\0"[..], b"/a\x01", b"/a\rX: y"] {
        let moved = [b"HTTP/1.1 302 Found\r\nLocation: ", location, b"\r\n\r\n"].concat();
        let fetched = fetch_bytes("wget -q -O - 10.77.0.9", &[&moved, OK.as_bytes()]);
        assert_eq!(fetched.ran.error, "wget: 10.77.0.9: the answer is not HTTP\n");
        assert_eq!(fetched.requests.len(), 1);
    }
}

#[test]
fn a_typed_url_is_encoded() {
    for (url, target) in [
        ("http://10.77.0.9/a b", "/a%20b"),
        ("10.77.0.9/café?x y#z", "/caf%C3%A9?x%20y"),
        ("10.77.0.9/a%20b%zz", "/a%20b%25zz"),
        ("10.77.0.9/d/../e/./f", "/e/f"),
        ("10.77.0.9?x", "/?x"),
    ] {
        let fetched = fetch(&format!("wget -q -O - '{url}'"), &[OK]);
        assert_eq!(fetched.ran.output, "hi", "{url} {:?}", fetched.ran);
        assert_eq!(fetched.lines(), [format!("GET {target} HTTP/1.1")], "{url}");
    }
}

#[test]
fn redirects_that_lead_nowhere_are_failures() {
    for (location, message) in [
        ("ftp://x/", "wget: ftp://x/: not an http URL\n"),
        ("https://x/", "wget: https://x/: not an http URL\n"),
        ("http:g", "wget: http:g: bad URL\n"),
        ("http://a%1b[31m/", "wget: http://a%1b[31m/: bad URL\n"),
    ] {
        let moved = redirect("302 Found", location);
        let fetched = fetch("wget -q -O - 10.77.0.9", &[&moved, OK]);
        assert_eq!((fetched.ran.error.as_str(), fetched.requests.len()), (message, 1));
    }
    let same = redirect("302 Found", "");
    let fetched = fetch("wget -q -O - 10.77.0.9", &[same.as_str(); 20]);
    assert_eq!(fetched.ran.error, "wget: too many redirections\n");
    assert_eq!(fetched.requests.len(), 11);
    let fetched =
        fetch("wget -q -O - 10.77.0.9", &["HTTP/1.1 302 Found\r\nLocation: /a\0b\r\n\r\n"]);
    assert!(!fetched.succeeded());
}

#[test]
fn post_and_redirects() {
    let script = "wget -q -O - --post-data x=1 --header 'Content-Type: a/b' 10.77.0.9/f";
    for status in ["301 Moved Permanently", "302 Found", "303 See Other"] {
        let fetched = fetch(script, &[&redirect(status, "/done"), OK]);
        assert_eq!(fetched.lines(), ["POST /f HTTP/1.1", "GET /done HTTP/1.1"], "{status}");
        let second = fetched.requests[1].to_ascii_lowercase();
        assert!(!second.contains("content-") && second.ends_with("\r\n\r\n"), "{second}");
    }
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let fetched = fetch(script, &[&redirect(status, "/done"), OK]);
        assert_eq!(fetched.lines(), ["POST /f HTTP/1.1", "POST /done HTTP/1.1"], "{status}");
        assert!(fetched.requests[1].ends_with("\r\n\r\nx=1"));
        assert!(fetched.requests[1].contains("\r\nContent-Type: a/b\r\n"));
    }
}

#[test]
fn secrets_do_not_follow_a_redirect_to_another_server() {
    let script = "wget -q -O - --header 'Authorization: a' --header 'Cookie: b' \
        --header 'Proxy-Authorization: c' --header 'Host: d' --header 'X-E: e' \
        --header 'X-Auth-Token: f' --header 'X-Api-Key: g' 10.77.0.9";
    let elsewhere = redirect("302 Found", "http://10.77.0.8/x");
    let back = redirect("302 Found", "http://10.77.0.9/y");
    let port = redirect("307 Temporary Redirect", "//10.77.0.9:81/x");
    assert!(!fetch(script, &[&port, OK]).requests[1].contains("Authorization"));
    let stays = redirect("302 Found", "http://10.77.0.9:80/x");
    assert!(fetch(script, &[&stays, OK]).requests[1].contains("\r\nAuthorization: a\r\n"));
    let fetched = fetch(script, &[&elsewhere, &back, OK]);
    assert!(fetched.requests[0].contains("\r\nHost: d\r\n"));
    for request in &fetched.requests[1..] {
        for name in ["Authorization", "Cookie", "Host: d", "Token", "Key"] {
            assert!(!request.contains(name), "{request}");
        }
        assert!(request.contains("\r\nX-E: e\r\n"), "{request}");
    }
}

#[test]
fn resuming_never_corrupts_the_file() {
    let part = |range: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: {range}\r\nContent-Length: \
             {length}\r\n\r\n{body}"
        )
    };
    let complete = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */3\r\n\r\n";
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nABCD";
    for (response, succeeds, text) in [
        (part("bytes 3-5/6", "def"), true, "abcdef"),
        (part("bytes 3-5/*", "def"), true, "abcdef"),
        (part("bytes 0-5/6", "abcdef"), false, "abc"),
        (part("bytes 4-5/6", "ef"), false, "abc"),
        (part("bytes 3-9/6", "defghij"), false, "abc"),
        (part("rubbish", "def"), false, "abc"),
        (part("items 3-5/6", "def"), false, "abc"),
        (part("bytes 3-4/6", "def"), false, "abc"),
        ("HTTP/1.1 206 Partial Content\r\n\r\ndef".to_owned(), false, "abc"),
        // A part of the rest is written, and is not all.
        (part("bytes 3-4/6", "de"), false, "abcde"),
        // The part breaks off, or goes on.
        (part("bytes 3-5/6", "def").replace("def", "de"), false, "abcde"),
        (part("bytes 3-5/6", "de").replace("Content-Length: 2\r\n", ""), false, "abcde"),
        (part("bytes 3-5/6", "defg").replace("Content-Length: 4\r\n", ""), false, "abc"),
        (
            part("bytes 3-5/6", "").replace("Content-Length: 0", "Transfer-Encoding: chunked")
                + "2\r\nde\r\n1\r\nf\r\n0\r\n\r\n",
            true,
            "abcdef",
        ),
        (part("bytes 3-5/6\r\nContent-Encoding: gzip", "def"), false, "abc"),
        (part("bytes 3-5/6\r\nContent-Type: multipart/byteranges", "def"), false, "abc"),
        (part("bytes 3-5/6\r\nContent-Range: bytes 0-2/6", "def"), false, "abc"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nABCD".to_owned(), false, "abc"),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), false, "abc"),
        ("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(), false, "abc"),
        ("HTTP/1.1 416 Range Not Satisfiable\r\n\r\n".to_owned(), true, "abc"),
        (complete.replace("*/3", "*/4"), false, "abc"),
        (complete.to_owned(), true, "abc"),
        (complete.replace("*/3", "*/2"), false, "abc"),
        (whole.to_owned(), true, "ABCD"),
        (whole.replace("ABCD", "abcd"), true, "abcd"),
        (whole.replace("ABCD", "ab").replace("4", "2"), true, "ab"),
        // The document breaks off: what was there of it stays.
        (whole.replace("ABCD", "ab"), false, "abc"),
        (whole.replace("ABCD", ""), false, "abc"),
        (whole.replace("ABCD", "aB"), false, "aB"),
        ("HTTP/1.1 404 Not Found\r\n\r\nno".to_owned(), false, "abc"),
    ] {
        let fetched = fetch("echo -n abc > f; wget -c -q -O f 10.77.0.9", &[&response]);
        assert_eq!(fetched.succeeded(), succeeds, "{response} {:?}", fetched.ran);
        assert_eq!(fetched.world.text("/temporary/f"), text, "{response}");
        assert!(fetched.requests[0].contains("\r\nRange: bytes=3-\r\n"));
    }
}

#[test]
fn a_part_that_nobody_asked_for_is_refused() {
    let begin = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/6\r\n\r\nde";
    let fetched = fetch("wget -q -O f 10.77.0.9", &[begin]);
    let message = "wget: the server sent 2 of 6 bytes: not complete\n";
    assert_eq!(fetched.ran.error, message);
    let posted = fetch("echo -n abc > f; wget -q -c -O f --post-data x 10.77.0.9", &[OK]);
    assert!(posted.succeeded() && !posted.requests[0].contains("Range"), "{:?}", posted.ran);
    let part = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 3-4/6\r\n\r\nde";
    let fetched = fetch("wget -q -O f 10.77.0.9; ls", &[part]);
    assert_eq!(fetched.ran.output, "");
    let asked = fetch("wget -q -O - --header 'Range: bytes=3-4' 10.77.0.9", &[part]);
    assert_eq!(asked.ran.output, "de");
}

#[test]
fn heads_are_shown_and_failures_say_why() {
    let shown =
        fetch("wget -q -S -O - 10.77.0.9", &["HTTP/1.1 200 OK\r\nx-frame-a: b\x1bc\r\n\r\nhi"]);
    assert!(
        !shown.succeeded() || shown.ran.error.contains("X-Frame-A: b\\x1bc"),
        "{:?}",
        shown.ran
    );
    let shown =
        fetch("wget -q -S -O - 10.77.0.9", &["HTTP/1.0 200 Fine\r\nx-frame-a: ä\r\n\r\nhi"]);
    assert_eq!(shown.ran.error, "  HTTP/1.0 200 Fine\n  X-Frame-A: \\xc3\\xa4\n");
    for (response, message) in [
        ("", "10.77.0.9: the answer is not HTTP"),
        ("SSH-2.0-x\r\n", "10.77.0.9: the answer is not HTTP"),
        ("HTTP/1.1 200 O", "10.77.0.9: Connection reset by peer"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "server returned error: HTTP/1.1 404 Not Found"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
            "connection closed prematurely: Connection reset by peer",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            "10.77.0.9: the answer has an unknown transfer coding",
        ),
    ] {
        let fetched = fetch("wget -q -O - 10.77.0.9", &[response]);
        assert_eq!(fetched.ran.error, format!("wget: {message}\n"), "{response:?}");
    }
}

#[test]
fn interim_responses_without_end_are_given_up() {
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1 << 16);
    let fetched = fetch("wget -q -T 3 -O - 10.77.0.9", &[&endless]);
    assert_eq!(fetched.ran.error, "wget: 10.77.0.9: the head of the answer is too long\n");
}

/// The outcome and the time of a fetch from a server that sends a part of its response at once and
/// the rest byte by byte, without an end.
fn fetch_dripping(script: &str, at_once: &str, rest: &str) -> (Ran, Duration) {
    let (world, host) = (World::new(), Host::default());
    host.state.with(|state| {
        state.responses = vec![format!("{at_once}{rest}").into_bytes()];
        state.drips_from = Some(at_once.len());
    });
    world.mount("/devices/sockets", Arc::new(host));
    let ran = world.run(script);
    let elapsed = world.elapsed();
    (ran, elapsed)
}

#[test]
fn wget_t_3_ends() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let head = "wget: 10.77.0.9: Connection timed out\n";
    let body = "wget: connection closed prematurely: Connection timed out\n";
    for (at_once, rest, message) in [
        ("", "", head),
        ("", &"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)[..], head),
        ("HTTP/1.1 100 Continue\r\n\r\n", "", head),
        ("HTTP/1.1 200 OK\r\n", &"X: y\r\n".repeat(90), head),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "", body),
        (chunked, &format!("1;{}", "a".repeat(9000)), body),
        (chunked, &"0".repeat(9000), body),
        (chunked, &format!("0\r\n{}", "X: y\r\n".repeat(90)), body),
    ] {
        let (ran, elapsed) = fetch_dripping("wget -q -T 3 -O - 10.77.0.9", at_once, rest);
        assert_eq!(ran.error, message, "{at_once:?} {rest:.40?}");
        assert!(elapsed <= Duration::from_secs(6), "{elapsed:?} {at_once:?} {rest:.40?}");
    }
    // Controls: a body that is whole needs no end of the connection.
    for whole in [OK, &format!("{chunked}2;x\r\nhi\r\n0\r\nX: y\r\n\r\n")] {
        let (ran, _) = fetch_dripping("wget -q -T 3 -O - 10.77.0.9", whole, "");
        assert_eq!((ran.output.as_str(), ran.error.as_str()), ("hi", ""), "{whole}");
    }
}

#[test]
fn curl_asks_and_shows_as_the_original() {
    let request = "GET /d/f?x HTTP/1.1\r\nHost: 10.77.0.9:8000\r\n\
        User-Agent: curl/7.88 (devnet 0.1.0)\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    let request = request.replace("0.1.0", env!("CARGO_PKG_VERSION"));
    let fetched = fetch("curl http://10.77.0.9:8000/d/f?x", &[OK]);
    assert_eq!((fetched.ran.output.as_str(), fetched.ran.error.as_str()), ("hi", ""));
    assert_eq!(fetched.requests, [request]);
    let moved = redirect("302 Found", "/there");
    let told = fetch(
        "curl -sL -w '%{http_code} %{num_redirects} %{size_download} %{url}\\n' 10.77.0.9/f",
        &[&moved, OK],
    );
    assert_eq!(told.ran.output, "hi200 1 2 http://10.77.0.9/there\n");
    assert_eq!(told.lines(), ["GET /f HTTP/1.1", "GET /there HTTP/1.1"]);
    assert_eq!(fetch("curl -s 10.77.0.9/f", &[&moved]).ran.output, "", "-L is not given");
    let head = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(fetch("curl -si 10.77.0.9/f", &[&moved]).ran.output, head);
    assert_eq!(fetch("curl -I 10.77.0.9/f", &[&moved]).lines(), ["HEAD /f HTTP/1.1"]);
    let files = fetch("curl -sO 10.77.0.9/name -o other 10.77.0.9/x; cat name other", &[OK, OK]);
    assert_eq!(files.ran.output, "hihi");
    let posted = fetch("curl -s -d a=b -d 'c d' -H 'X-Y: 1' -H 'Accept:' 10.77.0.9", &[OK]);
    let sent = &posted.requests[0];
    assert!(sent.starts_with("POST / HTTP/1.1\r\n") && sent.ends_with("\r\n\r\na=b&c d"), "{sent}");
    for line in ["Content-Length: 7", "X-Y: 1", "Content-Type: application/x-www-form-urlencoded"] {
        assert!(sent.contains(&format!("\r\n{line}\r\n")), "{line} in {sent}");
    }
    assert!(!sent.contains("Accept:"), "{sent}");
    let asked = fetch("curl -s -G -d a=b -u u:p -A me -e from -r 0-4 10.77.0.9/q?z", &[OK]);
    let sent = &asked.requests[0];
    assert!(sent.starts_with("GET /q?z&a=b HTTP/1.1\r\n"), "{sent}");
    for line in ["Authorization: Basic dTpw", "User-Agent: me", "Referer: from", "Range: bytes=0-4"]
    {
        assert!(sent.contains(&format!("\r\n{line}\r\n")), "{line} in {sent}");
    }
    // What names a secret stays with its server, and is not shown.
    let away = redirect("302 Found", "http://10.77.0.8/");
    let told = fetch("curl -sL -v -u u:p 10.77.0.9", &[&away, OK]);
    assert!(!told.requests[1].contains("Authorization"), "{}", told.requests[1]);
    assert!(told.ran.error.contains("> Authorization: (secret)\n"), "{}", told.ran.error);
    assert!(told.ran.error.contains("< HTTP/1.1 302 Found\n"), "{}", told.ran.error);
}

#[test]
fn curl_fails_with_the_numbers_of_the_original() {
    let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
    let there = redirect("301 Moved Permanently", "/again");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi";
    for (script, responses, status, output, error) in [
        ("curl 10.77.0.9", &[missing][..], 0, "none", ""),
        (
            "curl -f 10.77.0.9",
            &[missing],
            22,
            "",
            "curl: (22) The requested URL returned error: 404\n",
        ),
        ("curl -sf 10.77.0.9", &[missing], 22, "", ""),
        (
            "curl -sSf 10.77.0.9",
            &[missing],
            22,
            "",
            "curl: (22) The requested URL returned error: 404\n",
        ),
        (
            "curl -sSL --max-redirs 1 10.77.0.9",
            &[&there, &there],
            47,
            "",
            "curl: (47) Maximum (1) redirects followed\n",
        ),
        (
            "curl 10.77.0.9",
            &[cut],
            18,
            "hi",
            "curl: (18) transfer closed with outstanding read data remaining\n",
        ),
        ("curl https://10.77.0.9", &[], 1, "", "curl: (1) Protocol not supported: only http is\n"),
        (
            "curl 'http://a b/'",
            &[],
            3,
            "",
            "curl: (3) URL using bad/illegal format or missing URL\n",
        ),
        (
            "curl -o /none/f 10.77.0.9",
            &[OK],
            23,
            "",
            "curl: (23) Failed writing /none/f: No such file or directory\n",
        ),
        ("curl", &[], 2, "", "curl: no URL specified\n"),
        ("curl -k 10.77.0.9", &[], 2, "", "curl: invalid option '-k'\n"),
        (
            "curl -H 'Content-Length: 9' 10.77.0.9",
            &[],
            2,
            "",
            "curl: Content-Length: 9: bad value of H\n",
        ),
        ("curl -u name 10.77.0.9", &[], 2, "", "curl: -u: a password is needed: USER:PASSWORD\n"),
        ("curl -d @none 10.77.0.9", &[], 26, "", "curl: (26) none: No such file or directory\n"),
    ] {
        let ran = fetch(script, responses).ran;
        assert_eq!((ran.status.0, ran.output.as_str()), (status, output), "{script} {}", ran.error);
        assert!(
            ran.error.starts_with(error) && ran.error.is_empty() == error.is_empty(),
            "{script}: {}",
            ran.error
        );
    }
}

/// What stands on standard error, which is a terminal, and standard output too if it is said.
fn shown_on_a_terminal(script: &str, output_too: bool) -> String {
    let (world, host) = (World::new(), Host::default());
    world.clock.stop();
    host.state.with(|state| state.responses = vec![OK.as_bytes().to_vec()]);
    world.mount("/devices/sockets", Arc::new(host));
    let mut shell = world.shell();
    shell.streams.error.terminal = Some(crate::window::Window::default());
    if output_too {
        shell.streams.output.terminal = Some(crate::window::Window::default());
    }
    world.run_in(&mut shell, &format!("cd /temporary; {script}")).error
}

#[test]
fn progress_is_for_a_terminal() {
    let bar = "\rx                    100% |******************************|";
    assert!(shown_on_a_terminal("wget -O x http://10.77.0.9/x", true).contains(bar));
    assert_eq!(shown_on_a_terminal("wget -q -O x http://10.77.0.9/x", true), "");
    assert!(!fetch("wget -O x http://10.77.0.9/x", &[OK]).ran.error.contains('|'));
    let shown = shown_on_a_terminal("curl -o x http://10.77.0.9/x", true);
    assert!(shown.starts_with("  % Total    % Received % Xferd"), "{shown}");
    assert!(shown.contains("\r100     2  100     2    0     0"), "{shown}");
    // The document itself comes to the terminal: nothing may stand in it.
    assert_eq!(shown_on_a_terminal("curl http://10.77.0.9/x", true), "");
    assert!(shown_on_a_terminal("curl http://10.77.0.9/x", false).contains("% Total"));
    assert_eq!(shown_on_a_terminal("curl -s -o x http://10.77.0.9/x", true), "");
    assert_eq!(fetch("curl -o x http://10.77.0.9/x", &[OK]).ran.error, "");
}
