//! Answers of the dashboard, on a running system with one interface, `lo`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::{Host, Loopback};
use devnet_network::Manager;
use devnet_network::command::socket::SocketKind;
use devnet_network::command::{AddAddress, Bind, CreateSocket, ListAddresses};
use devnet_shell_commands::context::{Files, Platform};
use devnet_shell_commands::dashboard::Dashboard;
use devnet_shell_commands::devices::{NETWORK, SOCKETS};
use devnet_shell_commands::http::answer::Answer;
use devnet_shell_commands::http::content::Source;
use devnet_shell_commands::http::pages::Pages;
use devnet_shell_commands::http::request::Request;
use devnet_shell_commands::limits;
use devnet_virtual_file_system::{Credentials, File, Mode, OpenFlags, Path, VirtualFileSystem};
use futures_lite::StreamExt;
use hyper::body::Bytes;
use serde_json::Value;

struct System {
    host: Host,
    files: Files,
    platform: Platform,
    _manager: Manager,
}

impl System {
    fn new() -> Self {
        let host = Host::new();
        let platform = Platform::of(&host);
        let tree = VirtualFileSystem::new();
        let devices = Path::parse("/devices").unwrap();
        let mode = Mode::from_bits_truncate(0o755);
        tree.create_directory(&Credentials::root(), &devices, mode).unwrap();
        let supplies = devnet_network::Platform {
            clock: Arc::clone(&platform.clock),
            entropy: Arc::clone(&platform.entropy),
            spawner: Arc::clone(&platform.spawner),
        };
        let manager = Manager::new(tree.clone(), supplies).unwrap();
        manager.register("lo", Box::new(Loopback::new(1500)), None).unwrap();
        let files = Files::new(tree, Credentials::root()).unwrap();
        let system = Self { host, files, platform, _manager: manager };
        system.open(&format!("{NETWORK}/lo")).try_write(b"link up\n").unwrap();
        system
    }

    fn open(&self, path: &str) -> File {
        self.files.open(path, OpenFlags::READ | OpenFlags::WRITE).unwrap()
    }

    fn dashboard(&self, is_writable: bool) -> Dashboard {
        Dashboard::new(self.files.clone(), self.platform.clone(), is_writable, true)
    }

    fn ask(&self, page: &Dashboard, request: &Request, body: &'static str) -> Option<Answer> {
        let remote = "192.0.2.1:1024".parse().unwrap();
        self.host.block_on(page.answer(request, Bytes::from(body), remote))
    }

    fn get(&self, page: &Dashboard, target: &str) -> Option<Answer> {
        self.ask(page, &asked(target, "GET", &[]), "")
    }

    fn post(&self, page: &Dashboard, fields: &[(&str, &str)], lines: &'static str) -> u16 {
        let request = asked("/dashboard/devices/lo", "POST", fields);
        self.ask(page, &request, lines).unwrap().status.as_u16()
    }

    fn state(&self, page: &Dashboard) -> Value {
        match self.get(page, "/dashboard/state").unwrap().into_content() {
            Source::Text(text) => serde_json::from_str(&text).unwrap(),
            _ => panic!("no text"),
        }
    }
}

fn asked(target: &str, method: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = http::Request::builder().uri(target).method(method);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "10.0.0.1");
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    Request::new(request.body(()).unwrap().into_parts().0, |_| true).unwrap()
}

#[test]
fn paths_have_their_answers() {
    let system = System::new();
    let page = system.dashboard(false);
    for (target, status) in [
        ("/", Some(302)),
        ("/dashboard", Some(302)),
        ("/dashboard/", Some(200)),
        ("/dashboard/page.js", Some(200)),
        ("/dashboard/page.css", Some(200)),
        ("/dashboard/state", Some(200)),
        ("/dashboard/frob", Some(404)),
        ("/dashboard/devices/lo", Some(405)),
        ("/dashboard/capture?interface=lo", Some(200)),
        ("/dashboard/capture", Some(400)),
        ("/dashboard/capture?interface=", Some(400)),
        ("/dashboard/capture?interface=..", Some(400)),
        ("/dashboard/capture?interface=a%2Fb", Some(400)),
        ("/dashboard/capture?interface=eth9", Some(404)),
        ("/dashboard/capture?interface=lo&seconds=0", Some(400)),
        ("/dashboard/capture?interface=lo&seconds=301", Some(400)),
        ("/dashboard/capture?interface=lo&seconds=x", Some(400)),
        ("/dashboard/capture?interface=lo&filter=frob", Some(400)),
        ("/dashboard/capture?interface=lo&frob=1", Some(400)),
        ("/dashboards", None),
        ("/other", None),
    ] {
        let answer = system.get(&page, target);
        assert_eq!(answer.map(|answer| answer.status.as_u16()), status, "{target}");
    }
}

#[test]
fn only_local_names_are_answered() {
    let system = System::new();
    let page = system.dashboard(false);
    for (host, status) in [
        ("10.0.0.1:80", 200),
        ("[fe80::1]:80", 200),
        ("[fe80::1]", 200),
        ("box", 200),
        ("web.lan", 200),
        ("Box.Local.", 200),
        ("localhost:8080", 200),
        ("example.com", 421),
        ("example.com:80", 421),
        ("10.0.0.1.example.com", 421),
        ("lan.example", 421),
    ] {
        let request = asked("/dashboard/state", "GET", &[("host", host)]);
        let answer = system.ask(&page, &request, "").unwrap();
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
}

#[test]
fn changes_need_their_type_and_our_own_page() {
    let system = System::new();
    let page = system.dashboard(true);
    let kind = ("content-type", "text/x-devnet");
    assert_eq!(system.post(&page, &[kind], "address add 10.8.0.1/24\n"), 204);
    let device = system.open(&format!("{NETWORK}/lo"));
    let addresses = system.host.block_on(device.control::<ListAddresses>(&())).unwrap();
    assert!(addresses.iter().any(|entry| entry.prefix.to_string() == "10.8.0.1/24"));
    for (fields, status) in [
        (&[][..], 403),
        (&[("content-type", "text/plain")], 403),
        (&[kind, ("origin", "http://example.com")], 403),
        (&[kind, ("origin", "null")], 403),
        // There it is already.
        (&[kind, ("origin", "http://10.0.0.1")], 422),
        (&[kind], 422),
    ] {
        assert_eq!(system.post(&page, fields, "address add 10.8.0.1/24"), status, "{fields:?}");
    }
    assert!(page.takes_changes("dashboard/devices/lo"));
    assert!(!page.takes_changes("dashboard/state") && !page.takes_changes("dashboards/devices/x"));
    assert!(!system.dashboard(false).takes_changes("dashboard/devices/lo"));
}

#[test]
fn the_state_is_that_of_the_devices_and_bounded() {
    let system = System::new();
    let page = system.dashboard(false);
    let device = system.open(&format!("{NETWORK}/lo"));
    let new = devnet_network::command::address::NewAddress {
        prefix: "10.8.0.1/24".parse().unwrap(),
        broadcast: None,
    };
    system.host.block_on(device.control::<AddAddress>(&new)).unwrap();
    let open: Vec<File> = (0..limits::DASHBOARD_ROWS + 5)
        .map(|_| {
            let file = system.open(SOCKETS);
            let bound = async {
                file.control::<CreateSocket>(&SocketKind::Udp).await?;
                file.control::<Bind>(&"0.0.0.0:0".parse().unwrap()).await
            };
            system.host.block_on(bound).unwrap();
            file
        })
        .collect();
    let state = system.state(&page);
    assert_eq!(state["sockets"]["total"], open.len());
    let shown = state["sockets"]["shown"].as_array().unwrap();
    assert_eq!(shown.len(), limits::DASHBOARD_ROWS);
    assert!(state["routes"]["shown"].to_string().contains("10.8.0.0/24"));
    assert_eq!(state["interfaces"][0]["status"]["name"], "lo");
    assert!(state["interfaces"].to_string().contains("10.8.0.1/24"));
    assert!(state.get("error").is_none());
    drop(open);
    // Of a moment there is one state.
    let clock = Arc::clone(&system.platform.clock);
    system.host.block_on(clock.sleep_until(clock.now().after(Duration::from_millis(600))));
    assert_eq!(system.state(&page)["sockets"]["total"], 0);
}

/// Reads pieces of a stream until they contain something.
fn until(system: &System, answer: Answer, wanted: &str) -> String {
    let Source::Live(mut live) = answer.into_content() else { panic!("no stream") };
    let mut text = String::new();
    while !text.contains(wanted) {
        let piece = system.host.block_on(live.next()).unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    text
}

#[test]
fn changes_come_as_events_after_a_state() {
    let system = System::new();
    let page = system.dashboard(false);
    let answer = system.get(&page, "/dashboard/events").unwrap();
    // It is one among others that change something meanwhile.
    let file = system.open(&format!("{NETWORK}/lo"));
    let clock = Arc::clone(&system.platform.clock);
    let change = async move {
        for number in 1..=200 {
            let line = format!("address add 10.8.{number}.1/24\n");
            file.try_write(line.as_bytes()).unwrap();
            clock.sleep_until(clock.now().after(Duration::from_millis(50))).await;
        }
    };
    system.platform.spawner.spawn(Box::pin(change)).unwrap();
    let text = until(&system, answer, "event: change");
    assert!(text.starts_with("event: state\ndata: {\""), "{text}");
    let change = text.split("event: change\ndata: ").nth(1).unwrap().lines().next().unwrap();
    let change: Value = serde_json::from_str(change).unwrap();
    let line = change["line"].as_str().unwrap();
    assert!(line.contains("added 10.8."), "{line}");
    // Of the snapshot nothing is told: that is the state's.
    assert!(!text.contains("present"), "{text}");
}

#[test]
fn so_many_streams_live_at_once() {
    let system = System::new();
    let page = system.dashboard(false);
    let mut streams: Vec<_> = (0..limits::DASHBOARD_STREAMS)
        .map(|_| system.get(&page, "/dashboard/events").unwrap())
        .collect();
    assert!(streams.iter().all(|answer| answer.status == 200 && answer.length().is_none()));
    for target in ["/dashboard/events", "/dashboard/capture?interface=lo"] {
        assert_eq!(system.get(&page, target).unwrap().status, 503, "{target}");
    }
    streams.pop();
    assert_eq!(system.get(&page, "/dashboard/events").unwrap().status, 200);
}
