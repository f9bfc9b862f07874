//! HTTP both ways. How the bytes are cut must not matter; responses are whole and bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use devnet_guest_programs::Programs;
use devnet_shell_commands::context::Files;
use devnet_shell_commands::http::client;
use devnet_shell_commands::http::server::Server;
use devnet_shell_commands::http::site::Site;
use devnet_virtual_file_system::{
    Credentials, File, Identifier, Mode, OpenDevice, OpenFlags, Operation, Path, Readiness,
    VirtualFileSystem,
};
use world::World;

use super::{Trace, size};

pub(crate) const REQUEST_TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b": ",
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"OPTIONS ",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"Host: x\r\n",
    b"Host: y\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Range: bytes=0-1\r\n",
    b"Range: bytes=-2",
    b"Range: bytes=9-",
    b"If-None-Match: *\r\n",
    b"If-Match: \"x\"\r\n",
    b"If-Modified-Since: ",
    b"If-Range: ",
    b"Upgrade: h2c\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"/a",
    b"/dir/",
    b"/dir",
    b"..",
    b"%2e",
    b"%00",
    b"%",
    b"?x",
    b"http://x/",
    b"*",
    b"\0",
    b"\xff",
    b" ",
    b"\t",
    b",",
];

pub(crate) const RESPONSE_TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b": ",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 x\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 3, 3\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Connection: close\r\n",
    b"Location: /x\r\n",
    b"5;x=y\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"HTTP/2 ",
    b"ICY 200",
    b" 099 ",
    b"\0",
    b"\xff",
    b" ",
    b"\t",
    b",",
    b"-1",
];

/// The most bytes of one response: the files are small, and lists of them too.
const RESPONSE_BYTES: usize = 4096;

/// A stream that has everything to read and takes everything.
struct Scripted {
    input: Mutex<VecDeque<u8>>,
    piece: usize,
    output: Arc<Mutex<Vec<u8>>>,
}

impl OpenDevice for Scripted {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let count = input.len().min(buffer.len()).min(self.piece);
        for (place, byte) in buffer.iter_mut().zip(input.drain(..count)) {
            *place = byte;
        }
        Operation::done(Ok(count))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(data);
        Operation::done(Ok(data.len()))
    }

    /// The only command ends a direction.
    fn control<'a>(&'a self, _: Identifier, _: &'a [u8]) -> Operation<'a, Vec<u8>> {
        Operation::done(Ok(Vec::new()))
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest)
    }
}

/// A stream of these bytes in pieces, and what is written to it.
fn stream(bytes: &[u8], piece: usize) -> (File, Arc<Mutex<Vec<u8>>>) {
    let output = Arc::new(Mutex::new(Vec::new()));
    let input = Mutex::new(bytes.iter().copied().collect());
    let device = Scripted { input, piece, output: Arc::clone(&output) };
    (File::from_device(Arc::new(device), OpenFlags::READ | OpenFlags::WRITE), output)
}

/// A tree with a file, an empty file and a directory.
fn files(world: &World) -> Files {
    let (tree, root) = (VirtualFileSystem::new(), Credentials::root());
    let path = |text| Path::parse(text).unwrap();
    for directory in ["/www", "/www/dir"] {
        tree.create_directory(&root, &path(directory), Mode::from_octal(0o755)).unwrap();
    }
    for (name, text) in [("/www/a", "hello\n"), ("/www/dir/b c", "")] {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE;
        let file = tree.open(&root, &path(name), flags, Mode::from_octal(0o644)).unwrap();
        world.run(file.write_all(text.as_bytes())).unwrap();
    }
    Files::new(tree, root).unwrap()
}

fn serve(bytes: &[u8], piece: usize) -> Vec<u8> {
    let world = World::new(1);
    let platform = world::shell::platform(&world, Programs::new());
    let site = Site::default().with_directory(files(&world), "/www", &platform);
    let server = Server::new(site, platform, None);
    let (file, output) = stream(bytes, piece);
    world.run(server.converse(file, "192.0.2.1:1024".parse().unwrap()));
    drop(server);
    Arc::into_inner(output).unwrap().into_inner().unwrap()
}

/// The responses, without that to a head that cannot be read: whether there is one, and what it
/// blames, depends on how much of the head comes at once.
fn understood(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut responses: Vec<String> = text.split("HTTP/1.1 ").skip(1).map(str::to_owned).collect();
    let is_unreadable = |response: &String| {
        ["400", "414", "431", "505"].iter().any(|code| response.starts_with(code))
    };
    responses.pop_if(|response| is_unreadable(response));
    responses
}

/// Requests of a client that says everything and then waits.
pub(crate) fn requests(bytes: &[u8], trace: &mut Trace) {
    let whole = serve(bytes, usize::MAX);
    for piece in [1, 7] {
        let cut = serve(bytes, piece);
        assert_eq!(understood(&whole), understood(&cut), "in pieces of {piece}");
    }
    let mut rest = whole.as_slice();
    let mut count = 0;
    while !rest.is_empty() {
        let end = rest.windows(4).position(|end| end == b"\r\n\r\n").expect("a whole head") + 4;
        let (head, body) = rest.split_at(end);
        let head = std::str::from_utf8(head).expect("a head is text");
        let code = head.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3));
        let code: u16 = code.and_then(|code| code.parse().ok()).expect("a status");
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut length = 0;
        for (name, value) in fields {
            assert!(!name.is_empty() && !value.contains(char::is_control), "{head:?}");
            trace.note((code, name));
            if name == "Content-Length" {
                length = value.parse().expect("a length");
            }
        }
        trace.note((code, size(length), size(count)));
        // A response to HEAD has no body.
        let has_body = !body.is_empty() && !body.starts_with(b"HTTP/1.1 ");
        let length = if has_body { length } else { 0 };
        assert!(length <= RESPONSE_BYTES && (!has_body || length > 0), "{head}");
        rest = body.get(length..).expect("a whole body");
        count += 1;
    }
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(count <= lines + 1, "{count} responses to {lines} lines");
}

/// What a client makes of a response: its head and body, or why not.
type Received = Result<(u16, String, String, Vec<u8>, String), String>;

fn receive(bytes: &[u8], piece: usize, method: &str) -> Received {
    let (file, _) = stream(bytes, piece);
    let request = ::http::Request::builder()
        .method(method)
        .uri("/")
        .body(http_body_util::Full::default())
        .unwrap();
    World::new(1).run(async move {
        let mut response = client::send(file, request).await.map_err(|why| format!("{why:?}"))?;
        let mut body = Vec::new();
        let end = loop {
            match response.next().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break String::from("end"),
                Err(why) => break format!("{why:?}"),
            }
        };
        let fields = format!("{:?}", response.fields);
        Ok((response.status.as_u16(), response.line.clone(), fields, body, end))
    })
}

/// Responses of a server that says everything and then closes.
pub(crate) fn responses(bytes: &[u8], trace: &mut Trace) {
    for method in ["GET", "HEAD"] {
        let whole = receive(bytes, usize::MAX, method);
        for piece in [1, 7] {
            assert_eq!(whole, receive(bytes, piece, method), "in pieces of {piece}");
        }
        match whole {
            Ok((code, line, fields, body, end)) => {
                assert!(body.len() <= bytes.len(), "more than was sent");
                assert!(method == "GET" || body.is_empty(), "a body after HEAD");
                assert!(!line.contains('\n'), "{line:?}");
                trace.note((method, code / 100, size(body.len()), end));
                trace.note((method, size(fields.len()), line.len() > 16));
                trace.note((code % 100 != 0, line.split(' ').next().map(str::to_owned)));
            }
            Err(why) => trace.note((method, why)),
        }
    }
}
