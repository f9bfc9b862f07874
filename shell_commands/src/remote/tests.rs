//! Sessions by telnet and on a line, in memory.

use devnet_network::platform::{BoxFuture, Clock, Instant};
use devnet_virtual_file_system::File;
use futures_lite::future;

use super::*;
use crate::commands::table::COMMANDS;
use crate::testing::{World, connection};

/// `openssl passwd -6 -salt saltsalt secret`
const ADMIN: &str = "admin:$6$saltsalt$\
    TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1";

/// Sleeps of two seconds, of a wrong password, end at once; longer ones not in this test.
struct ShortSleeps(Arc<dyn Clock>);

impl Clock for ShortSleeps {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        if deadline.since(self.now()) > WRONG_PASSWORD {
            return Box::pin(future::pending());
        }
        self.0.sleep_until(deadline)
    }
}

struct Peer(File, String);

impl Peer {
    async fn types(&self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until a text is there, and forgets what was before its end.
    async fn sees(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.1.contains(text) {
            let count = self.0.read(&mut buffer).await.unwrap();
            assert!(count > 0, "not shown: {text:?} in {:?}", self.1);
            let bytes: Vec<u8> =
                buffer[..count].iter().filter(|byte| byte.is_ascii()).copied().collect();
            self.1.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        let end = self.1.find(text).unwrap() + text.len();
        self.1.drain(..end);
    }

    async fn ends(&mut self) {
        let mut buffer = [0; 4096];
        while self.0.read(&mut buffer).await.unwrap() > 0 {}
    }
}

fn serve<W: Future<Output = ()>>(
    is_telnet: bool,
    credentials: Option<&str>,
    peer: impl FnOnce(Peer) -> W,
) -> bool {
    let world = World::new();
    let mut platform = world.platform();
    platform.clock = Arc::new(ShortSleeps(platform.clock));
    let system = System {
        commands: COMMANDS,
        files: world.shell().files,
        platform,
        credentials: credentials.map(|text| Credentials::parse(text).unwrap()),
    };
    let (ours, theirs) = connection();
    let served = async move {
        let is_there = session(&system, &ours, is_telnet, "peer").await;
        drop(ours);
        is_there
    };
    world.block_on(future::zip(served, peer(Peer(theirs, String::new())))).0
}

#[test]
fn telnet_gives_a_shell_after_a_login() {
    let is_there = serve(true, Some(ADMIN), async |mut peer| {
        // WILL ECHO and its kin are no text; the window has 100 columns.
        peer.types([255, 251, 31, 255, 250, 31, 0, 100, 0, 40, 255, 240]).await;
        peer.sees("devnet login: ").await;
        peer.types("admin\r\n").await;
        peer.sees("admin\r\nPassword: ").await;
        peer.types("wrong\r\0").await;
        peer.sees("\r\nLogin incorrect\r\ndevnet login: ").await;
        peer.types("admin\r\nsecret\r\n").await;
        peer.sees("devnet:/# ").await;
        peer.types("echo o''ne\r\necho tw\x1b[D\x1b[Co | cat\r\0").await;
        peer.sees("\r\none\r\n").await;
        peer.sees("\r\ntwo\r\n").await;
        peer.types("cat\r").await;
        peer.sees("cat\r").await;
        peer.types("heard\r").await;
        peer.sees("heard\r\nheard\r\n").await;
        peer.types("\x03").await;
        peer.sees("^C\r\n").await;
        peer.types("\x1b[A\x1b[A\x1b[A\r").await;
        peer.sees("\r\none\r\n").await;
        peer.types("echo /tempo\t\r").await;
        peer.sees("\r\n/temporary/\r\n").await;
        peer.types([&[255, 244], "exit\r".as_bytes()].concat()).await;
        peer.ends().await;
    });
    assert!(is_there);
}

#[test]
fn wrong_passwords_end_the_session() {
    serve(true, Some(ADMIN), async |mut peer| {
        for _ in 0..limits::REMOTE_PASSWORDS {
            peer.sees("devnet login: ").await;
            peer.types("admin\rguess\r").await;
            peer.sees("Login incorrect\r\n").await;
        }
        peer.ends().await;
        assert!(!peer.1.contains("devnet:"));
    });
}

#[test]
fn jobs_end_with_the_peer() {
    let is_there = serve(true, None, async |mut peer| {
        peer.sees("devnet:/# ").await;
        peer.types("trap 'touch /temporary/ended' EXIT; cat /devices/nothing; cat\r").await;
        peer.sees("No such file").await;
    });
    assert!(!is_there);
}

#[test]
fn a_serial_line_has_no_protocol_and_needs_no_login() {
    serve(false, None, async |mut peer| {
        peer.sees("devnet:/# ").await;
        peer.types("echo a''b\r\nexit\r\n").await;
        peer.sees("\r\nab\r\n").await;
        peer.ends().await;
    });
}

#[test]
fn sessions_are_bounded_each_source_by_itself() {
    let sessions = Sessions::default();
    let source = |last| IpAddr::from([10, 0, 0, last]);
    let mut places: Vec<_> = (0..limits::REMOTE_SESSIONS_PER_SOURCE)
        .map(|_| sessions.enter(source(1)).unwrap())
        .collect();
    assert!(sessions.enter(source(1)).is_none());
    for last in 2..255 {
        places.extend(sessions.enter(source(last)));
    }
    assert_eq!(places.len(), limits::REMOTE_SESSIONS);
    places.clear();
    assert!(sessions.enter(source(1)).is_some());
}
