//! Radios: stations and access points on one air, the commands of their controllers, and the switch
//! of a radio together with its addresses.

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::controller_commands::{GetPosition, SetAttenuation, SetPosition};
use devnet_drivers::{Air, Position, RadioNumber};
use devnet_network::address::HardwareAddress;
use devnet_network::command::dhcp::DhcpState;
use devnet_network::command::wireless::{
    AccessPoint, GetRadio, Join, JoinNetwork, KeepRole, LeaveNetwork, LeaveReason, ListNetworks,
    ListStations, RadioRole, RadioState, RadioStatus, RemoveStation, ScanNetworks, ScanOptions,
    Secret, Security, SetCountry, SetPower, SetPowerSave, SetTransmitPower, Ssid, StartAccessPoint,
    StopAccessPoint, SwitchRole,
};
use devnet_network::command::{
    ExportConfiguration, GetDhcp, GetDhcpServer, GetInterface, GetLastError, ListDhcpLeases,
};
use devnet_network::driver::{Kind, LinkState};
use devnet_network::{IcmpSocket, UdpSocket};
use devnet_virtual_file_system::{ControlCommand, Error, File, OpenFlags};
use world::{Host, World};

const KEY: &str = "devnet-home";

/// A host with a radio.
struct Wireless {
    host: Host,
    number: RadioNumber,
}

struct Scene {
    world: World,
    air: Air,
}

fn address(last: u8) -> HardwareAddress {
    HardwareAddress([2, 0, 0, 0, 0, last])
}

fn point(ssid: &str, security: Security) -> AccessPoint {
    let key = (security != Security::Open).then(|| Secret::new(KEY));
    AccessPoint { ssid: ssid.into(), security, key, channel: 0, hidden: false, stations: 0 }
}

fn join(ssid: &str, key: Option<&str>) -> Join {
    Join { ssid: ssid.into(), key: key.map(Secret::new), ..Join::default() }
}

impl Scene {
    fn new() -> Self {
        let world = World::new(7);
        let air = Air::new(Arc::new(world.clock.clone()), 1);
        world.spawn(air.runner()).detach();
        Self { world, air }
    }

    fn host(&self, last: u8, x: i32) -> Wireless {
        let radio = self.air.radio(address(last), 1500);
        let (number, controller) = (radio.number(), radio.controller());
        let host = Host::new(&self.world);
        host.manager.register("wlan0", Box::new(radio), Some(controller)).unwrap();
        host.manager.configure("wlan0", "link up").unwrap();
        assert!(self.air.set_position(number, Position { x, y: 0 }));
        Wireless { host, number }
    }

    /// An access point with an address.
    fn point(&self, last: u8, x: i32, point: &AccessPoint, prefix: &str) -> Wireless {
        let host = self.host(last, x);
        assert_eq!(host.now::<StartAccessPoint>(point), Ok(true));
        host.host.manager.configure("wlan0", &format!("address add {prefix}")).unwrap();
        host
    }

    fn call<C: ControlCommand>(
        &self,
        host: &Wireless,
        request: &C::Request,
    ) -> Result<C::Response, Error> {
        let file = host.host.open("wlan0");
        self.world.run(file.control::<C>(request))
    }

    fn write(&self, file: &File, line: &str) -> Result<(), Error> {
        self.world.run(file.write(line.as_bytes())).map(|_| ())
    }

    fn pass(&self, milliseconds: u64) {
        self.world.run(self.world.sleep(Duration::from_millis(milliseconds)));
    }

    /// The round-trip time of an echo; none if nobody replies within a second.
    fn ping(&self, from: &Wireless, to: &str) -> Option<Duration> {
        let socket = IcmpSocket::new(&from.host.sockets());
        let remote = std::net::SocketAddr::new(to.parse().unwrap(), 0);
        let mut echo = vec![8, 0, 0, 0, 0, 0, 0, 1];
        echo.resize(64, 7);
        let start = self.world.now();
        self.world.run(async {
            socket.send_to(&echo, remote).await.ok()?;
            let mut buffer = [0; 128];
            let reply = socket.receive_from(&mut buffer);
            let late = self.world.sleep(Duration::from_secs(1));
            let answer = futures_lite::future::or(async { reply.await.ok() }, async {
                late.await;
                None
            });
            answer.await.map(|_| self.world.now().since(start))
        })
    }
}

impl Wireless {
    fn now<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response, Error> {
        self.host.control::<C>("wlan0", request)
    }

    fn status(&self) -> RadioStatus {
        self.now::<GetRadio>(&()).unwrap()
    }

    fn link(&self) -> LinkState {
        self.now::<GetInterface>(&()).unwrap().link
    }

    fn exported(&self) -> String {
        self.now::<ExportConfiguration>(&false).unwrap()
    }

    /// Everything that a command could have changed.
    fn state(&self) -> (RadioStatus, String, Vec<String>) {
        let leases = self.now::<ListDhcpLeases>(&()).unwrap();
        let leases = leases.iter().map(|lease| format!("{} {}", lease.address, lease.state));
        (self.status(), self.exported(), leases.collect())
    }
}

#[test]
fn a_station_joins_by_each_protection_and_frames_pass() {
    for (security, key) in
        [(Security::Open, None), (Security::Wpa2, Some(KEY)), (Security::Wpa3, Some(KEY))]
    {
        let scene = Scene::new();
        let home = scene.point(1, 0, &point("home", security), "10.0.0.1/24");
        let station = scene.host(2, 10);
        station.host.manager.configure("wlan0", "address add 10.0.0.2/24").unwrap();
        assert_eq!((station.link(), station.status().state), (LinkState::Down, RadioState::Idle));
        assert_eq!(scene.ping(&station, "10.0.0.1"), None, "not associated");
        let begin = scene.world.now();
        let joined = scene.call::<JoinNetwork>(&station, &join("home", key)).unwrap();
        assert_eq!(scene.world.now().since(begin), Duration::from_millis(150));
        let expected = RadioStatus {
            state: RadioState::Associated,
            ssid: Some("home".into()),
            bssid: Some(address(1)),
            channel: Some(1),
            security: Some(security),
            signal: Some(-50),
            rate: Some(65_000),
            stations: 0,
            reason: None,
            country: "00".into(),
            power_save: false,
            transmit_power: 20,
        };
        assert_eq!(joined, expected);
        scene.pass(10);
        assert_eq!(station.link(), LinkState::Up);
        assert_eq!(station.now::<GetInterface>(&()).unwrap().kind, Kind::Wireless);
        let trip = scene.ping(&station, "10.0.0.1").expect("a reply");
        assert!(trip < Duration::from_millis(5), "{trip:?}");
        let stations = home.now::<ListStations>(&()).unwrap();
        assert_eq!((stations.len(), stations[0].address), (1, address(2)));
        assert_eq!((stations[0].signal, stations[0].rate), (-50, 65_000));
        assert_eq!(home.status().stations, 1);
    }
}

#[test]
fn stations_of_one_access_point_reach_each_other_and_nobody_else() {
    let scene = Scene::new();
    let _home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let _other = scene.point(2, 5, &point("other", Security::Wpa2), "10.0.0.9/24");
    let [one, two, three] = [3, 4, 5].map(|last| scene.host(last, i32::from(last)));
    for (station, ssid, prefix) in [
        (&one, "home", "10.0.0.3/24"),
        (&two, "home", "10.0.0.4/24"),
        (&three, "other", "10.0.0.5/24"),
    ] {
        station.host.manager.configure("wlan0", &format!("address add {prefix}")).unwrap();
        scene.call::<JoinNetwork>(station, &join(ssid, Some(KEY))).unwrap();
    }
    scene.pass(10);
    assert!(scene.ping(&one, "10.0.0.4").is_some());
    assert!(scene.ping(&one, "10.0.0.5").is_none(), "of another network");
    assert!(scene.ping(&three, "10.0.0.1").is_none(), "of another network");
    assert!(scene.ping(&three, "10.0.0.9").is_some());
}

#[test]
fn a_join_that_fails_says_why_and_changes_nothing() {
    let scene = Scene::new();
    let full = AccessPoint { stations: 1, ..point("full", Security::Wpa2) };
    let _home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let _full = scene.point(2, 0, &full, "10.0.1.1/24");
    let _far = scene.point(3, 1000, &point("far", Security::Open), "10.0.2.1/24");
    let (guest, station) = (scene.host(4, 1), scene.host(5, 2));
    scene.call::<JoinNetwork>(&guest, &join("full", Some(KEY))).unwrap();
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    scene.pass(10);
    let before = station.state();
    let other = Join { bssid: Some(address(2)), ..join("home", Some(KEY)) };
    let wpa3 = Join { security: Some(Security::Wpa3), ..join("home", Some(KEY)) };
    let quick = Join { milliseconds: 20, ..join("home", Some(KEY)) };
    for (request, error) in [
        (join("home", Some("wrong-key")), Error::AccessDenied),
        (join("home", None), Error::Protocol),
        (wpa3, Error::Protocol),
        (join("nowhere", Some(KEY)), Error::NotFound),
        (join("far", None), Error::NotFound),
        (other, Error::NotFound),
        (join("full", Some(KEY)), Error::NoBufferSpace),
        (quick, Error::TimedOut),
        (join("", None), Error::InvalidInput),
        (join(&"x".repeat(33), None), Error::InvalidInput),
        (join("home", Some("short")), Error::InvalidInput),
        (join("home", Some(&"x".repeat(64))), Error::InvalidInput),
        (join("home", Some("schlüssel")), Error::InvalidInput),
    ] {
        let outcome = scene.call::<JoinNetwork>(&station, &request);
        assert_eq!(outcome, Err(error), "{request:?}");
        assert_eq!(station.state(), before, "{request:?}");
        let known = devnet_network::command::wireless::Request::JoinNetwork(request);
        assert!(known.errors().contains(&error), "{error:?} is documented");
    }
}

#[test]
fn a_newer_join_takes_the_place_of_one_that_waits() {
    let scene = Scene::new();
    let _home = scene.point(1, 0, &point("home", Security::Open), "10.0.0.1/24");
    let station = scene.host(2, 1);
    let (first, second) = (station.host.open("wlan0"), station.host.open("wlan0"));
    let earlier =
        scene.world.spawn(async move { first.control::<JoinNetwork>(&join("home", None)).await });
    scene.pass(50);
    let later = scene.world.run(second.control::<JoinNetwork>(&join("home", None)));
    assert_eq!(scene.world.run(earlier), Err(Error::Cancelled));
    assert_eq!(later.unwrap().state, RadioState::Associated);
    let waiting = scene.world.spawn({
        let file = station.host.open("wlan0");
        async move { file.control::<JoinNetwork>(&join("home", None)).await }
    });
    scene.pass(50);
    assert_eq!(station.now::<LeaveNetwork>(&()), Ok(true));
    assert_eq!(scene.world.run(waiting), Err(Error::Cancelled));
    assert_eq!(station.status().state, RadioState::Idle);
}

#[test]
fn leaving_and_an_access_point_that_stops_take_the_link_down() {
    let scene = Scene::new();
    let home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let station = scene.host(2, 5);
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    scene.pass(10);
    assert_eq!(station.now::<LeaveNetwork>(&()), Ok(true));
    assert_eq!(station.now::<LeaveNetwork>(&()), Ok(false));
    scene.pass(10);
    assert_eq!(
        (station.link(), station.status().reason),
        (LinkState::Down, Some(LeaveReason::Requested))
    );
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    scene.pass(10);
    assert_eq!((station.link(), station.status().reason), (LinkState::Up, None));
    assert_eq!(home.now::<StopAccessPoint>(&()), Ok(true));
    assert_eq!(home.now::<StopAccessPoint>(&()), Ok(false));
    scene.pass(10);
    let status = station.status();
    assert_eq!((status.state, status.ssid), (RadioState::Searching, Some("home".into())));
    assert_eq!(status.reason, Some(LeaveReason::AccessPointStopped));
    assert_eq!((station.link(), home.link()), (LinkState::Down, LinkState::Down));
    // What was asked for comes back by itself, but only with the same key.
    let strange =
        AccessPoint { key: Some(Secret::new("another-key")), ..point("home", Security::Wpa2) };
    assert_eq!(home.now::<StartAccessPoint>(&strange), Ok(true));
    assert_eq!(station.status().state, RadioState::Searching);
    assert_eq!(home.now::<StartAccessPoint>(&point("home", Security::Wpa2)), Ok(true));
    assert_eq!(home.now::<StartAccessPoint>(&point("home", Security::Wpa2)), Ok(false));
    assert_eq!(station.status().state, RadioState::Associated);
    scene.pass(10);
    assert_eq!(station.link(), LinkState::Up);
    assert_eq!(home.now::<RemoveStation>(&address(2)), Ok(()));
    assert_eq!(home.now::<RemoveStation>(&address(2)), Err(Error::NotFound));
    assert_eq!(station.status().reason, Some(LeaveReason::Removed));
    assert_eq!(home.now::<ListStations>(&()).unwrap(), []);
    drop(home);
}

#[test]
fn distance_and_walls_weaken_the_signal_until_the_link_ends() {
    let scene = Scene::new();
    let home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let station = scene.host(2, 10);
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    let mut former = (i8::MAX, u32::MAX);
    for x in [10, 40, 80, 120, 200] {
        assert_eq!(station.now::<SetPosition>(&Position { x, y: 0 }), Ok(()));
        let status = station.status();
        assert_eq!(status.state, RadioState::Associated, "{x} m");
        let present = (status.signal.unwrap(), status.rate.unwrap());
        assert!(present.0 < former.0 && present.1 <= former.1, "{x} m: {present:?}");
        former = present;
    }
    assert_eq!(station.now::<GetPosition>(&()), Ok(Position { x: 200, y: 0 }));
    assert!(scene.air.set_position(station.number, Position { x: 300, y: 0 }));
    scene.pass(10);
    assert_eq!(station.status().reason, Some(LeaveReason::OutOfRange));
    assert_eq!(station.link(), LinkState::Down);
    assert!(scene.air.set_position(station.number, Position { x: 30, y: 0 }));
    scene.pass(10);
    assert_eq!((station.link(), station.status().reason), (LinkState::Up, None));
    assert_eq!(home.now::<SetAttenuation>(&60), Ok(()));
    scene.pass(10);
    assert_eq!(station.link(), LinkState::Down, "behind walls");
    assert_eq!(home.now::<SetAttenuation>(&0), Ok(()));
    assert_eq!(station.now::<SetTransmitPower>(&Some(0)), Ok(true));
    assert!(scene.air.set_position(station.number, Position { x: 100, y: 0 }));
    assert_eq!(station.status().state, RadioState::Searching, "it is not heard");
    assert_eq!(station.now::<SetTransmitPower>(&None), Ok(true));
    assert_eq!(station.status().state, RadioState::Associated);
}

#[test]
fn a_station_roams_between_access_points_of_one_network() {
    let scene = Scene::new();
    let near = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    // The second one has no addresses: it is wired to the first.
    let far = scene.host(2, 100);
    assert_eq!(far.now::<StartAccessPoint>(&point("home", Security::Wpa2)), Ok(true));
    for host in [&near, &far] {
        assert!(scene.air.set_distribution(host.number, Some(1)));
    }
    let station = scene.host(3, 10);
    station.host.manager.configure("wlan0", "address add 10.0.0.3/24").unwrap();
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    scene.pass(10);
    assert_eq!(station.status().bssid, Some(address(1)));
    assert!(scene.ping(&station, "10.0.0.1").is_some());
    // Between them it stays where it is, however often it is moved.
    for x in [45, 50, 55, 45] {
        assert!(scene.air.set_position(station.number, Position { x, y: 0 }));
        assert_eq!(station.status().bssid, Some(address(1)), "{x} m");
    }
    assert!(scene.air.set_position(station.number, Position { x: 85, y: 0 }));
    assert_eq!(station.status().bssid, Some(address(2)));
    scene.pass(10);
    assert_eq!(station.link(), LinkState::Up);
    assert!(scene.ping(&station, "10.0.0.1").is_some(), "over the wire between them");
    assert_eq!(near.now::<ListStations>(&()).unwrap(), []);
    assert_eq!(far.now::<ListStations>(&()).unwrap().len(), 1);
    // Only the access point that was asked for.
    let only = Join { bssid: Some(address(2)), ..join("home", Some(KEY)) };
    scene.call::<JoinNetwork>(&station, &only).unwrap();
    assert!(scene.air.set_position(station.number, Position { x: 5, y: 0 }));
    assert_eq!(station.status().bssid, Some(address(2)));
}

#[test]
fn a_scan_lists_who_is_heard_and_asks_for_hidden_ones() {
    let scene = Scene::new();
    let hidden = AccessPoint { hidden: true, channel: 11, ..point("secret", Security::Wpa3) };
    let _home = scene.point(1, 10, &point("home", Security::Wpa2), "10.0.0.1/24");
    let _cafe = scene.point(2, 50, &point("cafe", Security::Open), "10.0.1.1/24");
    let _hidden = scene.point(3, 20, &hidden, "10.0.2.1/24");
    let _far = scene.point(4, 999, &point("far", Security::Open), "10.0.3.1/24");
    let station = scene.host(5, 0);
    assert_eq!(station.now::<ListNetworks>(&()).unwrap(), []);
    let begin = scene.world.now();
    assert_eq!(scene.call::<ScanNetworks>(&station, &ScanOptions::default()), Ok(3));
    assert_eq!(scene.world.now().since(begin), Duration::from_millis(11 * 40));
    scene.pass(100);
    let listed = || {
        let networks = station.now::<ListNetworks>(&()).unwrap();
        let entry = |entry: &devnet_network::command::wireless::NetworkEntry| {
            format!(
                "{} {} {} {} {} {}",
                entry.ssid,
                entry.bssid,
                entry.channel,
                entry.signal,
                entry.security,
                entry.age_milliseconds
            )
        };
        networks.iter().map(entry).collect::<Vec<_>>()
    };
    assert_eq!(
        listed(),
        [
            "home 02:00:00:00:00:01 1 -50 wpa2 100",
            " 02:00:00:00:00:03 11 -59 wpa3 100",
            "cafe 02:00:00:00:00:02 6 -71 open 100",
        ]
    );
    let named = ScanOptions { ssid: Some("secret".into()), channels: vec![11] };
    assert_eq!(scene.call::<ScanNetworks>(&station, &named), Ok(1));
    assert_eq!(listed(), ["secret 02:00:00:00:00:03 11 -59 wpa3 0"]);
    let forbidden = ScanOptions { ssid: None, channels: vec![13] };
    assert_eq!(scene.call::<ScanNetworks>(&station, &forbidden), Err(Error::InvalidInput));
    scene.call::<JoinNetwork>(&station, &join("secret", Some(KEY))).unwrap();
    assert_eq!(station.now::<SetPower>(&false), Ok(true));
    let off = scene.call::<ScanNetworks>(&station, &ScanOptions::default());
    assert_eq!(off, Err(Error::NetworkDown));
}

#[test]
fn settings_have_effects_and_bounds() {
    let scene = Scene::new();
    let home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let station = scene.host(2, 10);
    station.host.manager.configure("wlan0", "address add 10.0.0.2/24").unwrap();
    scene.call::<JoinNetwork>(&station, &join("home", Some(KEY))).unwrap();
    scene.pass(10);
    scene.ping(&station, "10.0.0.1");
    // A station that saves power listens only after a beacon.
    assert_eq!(station.now::<SetPowerSave>(&true), Ok(true));
    assert_eq!(station.now::<SetPowerSave>(&true), Ok(false));
    scene.pass(33);
    let saving = scene.ping(&station, "10.0.0.1").unwrap();
    assert_eq!(station.now::<SetPowerSave>(&false), Ok(true));
    let awake = scene.ping(&station, "10.0.0.1").unwrap();
    assert!(saving > awake * 5 && saving <= Duration::from_millis(110), "{saving:?} {awake:?}");
    // Power off and on.
    assert_eq!(station.now::<SetPower>(&false), Ok(true));
    assert_eq!(station.now::<SetPower>(&false), Ok(false));
    let status = station.status();
    assert_eq!((status.state, status.reason), (RadioState::Off, Some(LeaveReason::PoweredOff)));
    let refused = scene.call::<JoinNetwork>(&station, &join("home", Some(KEY)));
    assert_eq!(refused, Err(Error::NetworkDown));
    assert_eq!(
        station.now::<StartAccessPoint>(&point("x", Security::Open)),
        Err(Error::NetworkDown)
    );
    assert_eq!(station.now::<SetPower>(&true), Ok(true));
    assert_eq!(station.status().state, RadioState::Associated, "what was asked for comes back");
    // Country and transmit power.
    for (country, outcome) in [
        ("DE", Ok(true)),
        ("DE", Ok(false)),
        ("ZZ", Err(Error::Unsupported)),
        ("de", Err(Error::InvalidInput)),
        ("GER", Err(Error::InvalidInput)),
        ("", Err(Error::InvalidInput)),
    ] {
        assert_eq!(home.now::<SetCountry>(&country.into()), outcome, "{country}");
    }
    for (power, outcome) in [
        (Some(10), Ok(true)),
        (Some(10), Ok(false)),
        (Some(21), Err(Error::InvalidInput)),
        (Some(-1), Err(Error::InvalidInput)),
        (None, Ok(true)),
    ] {
        assert_eq!(home.now::<SetTransmitPower>(&power), outcome, "{power:?}");
    }
    let thirteen = AccessPoint { channel: 13, ..point("home", Security::Wpa2) };
    assert_eq!(home.now::<StartAccessPoint>(&thirteen), Ok(true), "allowed in Germany");
    assert_eq!(station.status().state, RadioState::Searching, "not allowed everywhere");
    assert_eq!(home.now::<SetCountry>(&"US".into()), Err(Error::AlreadyConnected));
    let fifteen = AccessPoint { channel: 15, ..point("home", Security::Wpa2) };
    assert_eq!(home.now::<StartAccessPoint>(&fifteen), Err(Error::InvalidInput));
    let keyless = AccessPoint { key: None, ..point("home", Security::Wpa2) };
    assert_eq!(home.now::<StartAccessPoint>(&keyless), Err(Error::InvalidInput));
    assert_eq!(station.now::<SetCountry>(&"FR".into()), Ok(true));
    assert_eq!(station.status().channel, Some(13));
    // One radio is one thing.
    let refused = station.now::<StartAccessPoint>(&point("x", Security::Open));
    assert_eq!(refused, Err(Error::AlreadyConnected));
    let refused = scene.call::<JoinNetwork>(&home, &join("home", Some(KEY)));
    assert_eq!(refused, Err(Error::AlreadyConnected));
}

#[test]
fn who_shares_a_channel_shares_its_time() {
    /// Frames of one second that two stations bring to their access points.
    fn throughput(channels: [u8; 2]) -> u64 {
        let scene = Scene::new();
        let mut all = Vec::new();
        for (index, channel) in channels.into_iter().enumerate() {
            let last = index as u8 * 10 + 1;
            let settings = AccessPoint { channel, ..point(&format!("net{index}"), Security::Open) };
            let home = scene.point(last, 0, &settings, "10.0.0.1/24");
            let station = scene.host(last + 1, 5);
            station.host.manager.configure("wlan0", "address add 10.0.0.2/24").unwrap();
            scene.call::<JoinNetwork>(&station, &join(&settings.ssid.to_string(), None)).unwrap();
            all.push((home, station));
        }
        scene.pass(10);
        for (_, station) in &all {
            scene.ping(station, "10.0.0.1");
        }
        let sockets: Vec<_> =
            all.iter().map(|(_, station)| UdpSocket::new(&station.host.sockets())).collect();
        scene.world.run(async {
            for _ in 0..1000 {
                for socket in &sockets {
                    for _ in 0..8 {
                        let _ = socket.send_to(&[0; 1400], "10.0.0.1:9".parse().unwrap()).await;
                    }
                }
                scene.world.sleep(Duration::from_millis(1)).await;
            }
        });
        let received = |host: &Wireless| {
            host.now::<devnet_network::command::GetStatistics>(&()).unwrap().received_packets
        };
        all.iter().map(|(home, _)| received(home)).sum()
    }
    let (apart, together) = (throughput([1, 6]), throughput([6, 6]));
    assert!((3000..4200).contains(&together), "{together} frames of 1,400 bytes");
    assert!((together * 19 / 10..together * 21 / 10).contains(&apart), "{apart} {together}");
}

#[test]
fn a_weak_signal_loses_frames_as_its_seed_says() {
    let replies = || {
        let scene = Scene::new();
        let _home = scene.point(1, 0, &point("home", Security::Open), "10.0.0.1/24");
        let station = scene.host(2, 150);
        station.host.manager.configure("wlan0", "address add 10.0.0.2/24").unwrap();
        scene.call::<JoinNetwork>(&station, &join("home", None)).unwrap();
        scene.pass(10);
        (0..40).map(|_| scene.ping(&station, "10.0.0.1").is_some()).collect::<Vec<_>>()
    };
    let first = replies();
    let lost = first.iter().filter(|reply| !**reply).count();
    assert!((5..30).contains(&lost), "{lost} of 40 lost at -85 dBm");
    assert_eq!(first, replies());
}

/// A station with a lease of an access point, and an access point elsewhere that it can be.
fn leased() -> (Scene, Wireless, Wireless) {
    let scene = Scene::new();
    let home = scene.point(1, 0, &point("home", Security::Wpa2), "10.0.0.1/24");
    let serve = "dhcp server start 10.0.0.50-10.0.0.99 router 10.0.0.1 check off";
    home.host.manager.configure("wlan0", serve).unwrap();
    let radio = scene.host(2, 5);
    let file = radio.host.open("wlan0");
    scene.write(&file, "switch station home key devnet-home wait 5000").unwrap();
    let lease = radio.now::<GetDhcp>(&()).unwrap();
    assert_eq!(
        (lease.state, lease.lease.unwrap().address.to_string().as_str()),
        (DhcpState::Bound, "10.0.0.50/24")
    );
    (scene, home, radio)
}

const TO_POINT: &str =
    "switch access-point mine 10.9.0.1/24 key devnet-mine clients 10.9.0.10-10.9.0.20 channel 6";

#[test]
fn one_command_switches_from_station_to_access_point_and_back() {
    let (scene, home, radio) = leased();
    assert!(scene.ping(&radio, "10.0.0.1").is_some());
    let file = radio.host.open("wlan0");
    scene.write(&file, TO_POINT).unwrap();
    scene.pass(100);
    assert_eq!((radio.status().state, radio.link()), (RadioState::AccessPoint, LinkState::Up));
    assert_eq!(radio.now::<GetDhcp>(&()).unwrap().state, DhcpState::Stopped);
    assert_eq!(
        radio.exported(),
        "link up\naddress add 10.9.0.1/24\n\
         dhcp server start 10.9.0.10-10.9.0.20 lease 3600 router 10.9.0.1\n"
    );
    assert_eq!(home.status().stations, 0);
    // Another one becomes its client, by one command as well.
    let client = scene.host(3, 6);
    let line = "switch station mine key devnet-mine wait 9000";
    scene.write(&client.host.open("wlan0"), line).unwrap();
    let lease = client.now::<GetDhcp>(&()).unwrap().lease.unwrap();
    assert_eq!(lease.address.to_string(), "10.9.0.10/24");
    assert!(scene.ping(&client, "10.9.0.1").is_some());
    assert!(scene.ping(&radio, "10.9.0.10").is_some());
    // The same again changes nothing, and leases stay.
    scene.write(&file, TO_POINT).unwrap();
    assert_eq!(radio.now::<ListDhcpLeases>(&()).unwrap().len(), 1);
    // Back to a station: the server, its leases and the address go.
    scene.write(&file, "switch station home key devnet-home wait 5000").unwrap();
    assert_eq!(radio.exported(), "link up\ndhcp start\n");
    assert_eq!(radio.now::<GetDhcpServer>(&()).unwrap().server, None);
    assert!(scene.ping(&radio, "10.0.0.1").is_some());
    scene.pass(100);
    assert_eq!(client.link(), LinkState::Down);
}

#[test]
fn a_switch_that_fails_leaves_everything_as_it_was() {
    let (scene, home, radio) = leased();
    let file = radio.host.open("wlan0");
    let before = radio.state();
    for (line, error) in [
        // The link layer.
        ("switch station home key wrong-key1", Error::AccessDenied),
        ("switch station nowhere", Error::NotFound),
        ("switch station home", Error::Protocol),
        ("switch station home key devnet-home timeout 10", Error::TimedOut),
        ("switch access-point mine 10.9.0.1/24 key short", Error::InvalidInput),
        ("switch access-point mine 10.9.0.1/24 channel 13", Error::InvalidInput),
        // Addresses, when the radio has switched already.
        ("switch access-point mine fd00::1/64", Error::InvalidInput),
        ("switch access-point mine 10.0.0.50/24", Error::AlreadyExists),
        ("switch access-point mine 224.0.0.1/24", Error::InvalidInput),
        ("switch access-point mine 10.9.0.1/24 clients 10.8.0.1", Error::AddressNotAvailable),
        ("switch access-point mine 10.9.0.1/24 clients 10.9.0.5 lease 0", Error::InvalidInput),
    ] {
        assert_eq!(scene.write(&file, line), Err(error), "{line}");
        scene.pass(6000);
        assert_eq!(radio.state(), before, "{line}");
        assert_eq!(radio.link(), LinkState::Up, "{line}");
        assert!(scene.ping(&radio, "10.0.0.1").is_some(), "{line}");
        let request = devnet_network::command::text::parse(line).unwrap().unwrap();
        assert!(request.errors().contains(&error), "{line}: {error:?} is documented");
    }
    assert_eq!(home.status().stations, 1);
    // The other way: an access point with a lease stays one when no server answers the station.
    let _silent = scene.point(7, 8, &point("silent", Security::Open), "10.7.0.1/24");
    scene.write(&file, TO_POINT).unwrap();
    let client = scene.host(3, 6);
    scene.write(&client.host.open("wlan0"), "switch station mine key devnet-mine").unwrap();
    scene.pass(100);
    let before = radio.state();
    assert_eq!(before.2, ["10.9.0.10 leased"]);
    let begin = scene.world.now();
    let outcome = scene.write(&file, "switch station silent wait 3000");
    assert_eq!(outcome, Err(Error::TimedOut));
    assert_eq!(scene.world.now().since(begin), Duration::from_millis(3150));
    scene.pass(9000);
    assert_eq!(radio.state(), before);
    assert_eq!(client.status().state, RadioState::Associated, "it came back");
    assert!(scene.ping(&client, "10.9.0.1").is_some());
    // So it is when nobody waits for the end of the command.
    let dropped = scene.world.spawn({
        let file = radio.host.open("wlan0");
        async move { file.write(b"switch station silent").await }
    });
    scene.pass(1000);
    assert_eq!(radio.status().state, RadioState::Associated);
    drop(dropped);
    scene.pass(9000);
    assert_eq!(radio.state(), before);
    assert!(scene.ping(&client, "10.9.0.1").is_some());
}

#[test]
fn a_role_that_is_not_kept_goes_with_its_file() {
    let scene = Scene::new();
    let radio = scene.host(1, 0);
    let mine = RadioRole::AccessPoint(point("mine", Security::Wpa2));
    let file = radio.host.open("wlan0");
    let status = scene.world.run(file.control::<SwitchRole>(&mine)).unwrap();
    assert_eq!(status.state, RadioState::AccessPoint);
    drop(file);
    assert_eq!(radio.status().state, RadioState::Idle);
    let file = radio.host.open("wlan0");
    scene.world.run(file.control::<SwitchRole>(&mine)).unwrap();
    assert_eq!(file.try_control::<KeepRole>(&()), Ok(true));
    assert_eq!(file.try_control::<KeepRole>(&()), Ok(false));
    drop(file);
    assert_eq!(radio.status().state, RadioState::AccessPoint);
    // What somebody else asked for meanwhile stays.
    let file = radio.host.open("wlan0");
    let other = RadioRole::AccessPoint(point("other", Security::Wpa2));
    scene.world.run(file.control::<SwitchRole>(&other)).unwrap();
    assert_eq!(radio.now::<StopAccessPoint>(&()), Ok(true));
    drop(file);
    assert_eq!(radio.status().state, RadioState::Idle);
}

#[test]
fn nothing_shows_a_key() {
    let (scene, home, radio) = leased();
    let file = radio.host.open("wlan0");
    let mut shown = Vec::new();
    for line in [
        "wifi connect home key devnet-wrong",
        "wifi connect home devnet-wrong",
        "wifi ap start home key devnet-wrong",
        "switch station home key devnet-wrong",
        "switch station home devnet-wrong",
        "switch access-point x 10.9.0.1/24 key devnet-wrong clients 10.8.0.1",
    ] {
        assert!(scene.write(&file, line).is_err(), "{line}");
        let last = file.try_control::<GetLastError>(&()).unwrap().expect("an error");
        shown.push(format!("{last:?}"));
    }
    for host in [&home, &radio] {
        shown.push(host.exported());
        shown.push(format!("{:?}", host.status()));
        let mut text = vec![0; 4096];
        let length = host.host.open("wlan0").try_read(&mut text).unwrap();
        shown.push(String::from_utf8_lossy(&text[..length]).into_owned());
    }
    shown.push(format!("{:?}", join("home", Some(KEY))));
    shown.push(format!("{:?}", point("home", Security::Wpa2)));
    for text in shown {
        assert!(!text.contains("wrong") && !text.contains("devnet-home"), "{text}");
    }
}

#[test]
fn lines_and_commands_mean_the_same() {
    let scene = Scene::new();
    let (home, station) = (scene.host(1, 0), scene.host(2, 3));
    let (point_file, file) = (home.host.open("wlan0"), station.host.open("wlan0"));
    scene
        .write(&point_file, "wifi country DE\nwifi ap start my\\x20home key 12345678 channel 13")
        .unwrap();
    scene.write(&file, "wifi country FR\nwifi transmit-power 15\nposition 4 3").unwrap();
    scene.write(&file, "wifi scan\nwifi connect my\\x20home key 12345678").unwrap();
    let status = station.status();
    assert_eq!((status.ssid, status.channel), (Some("my home".into()), Some(13)));
    assert_eq!((status.transmit_power, status.security), (15, Some(Security::Wpa2)));
    assert_eq!(station.now::<ListNetworks>(&()).unwrap().len(), 1);
    scene.write(&file, "wifi power-save on\nwifi disconnect\nwifi power off").unwrap();
    assert_eq!((station.status().state, station.status().power_save), (RadioState::Off, true));
    scene.write(&point_file, "wifi ap stop").unwrap();
    assert_eq!(scene.write(&point_file, "wifi ap remove 02:00:00:00:00:02"), Err(Error::NotFound));
    assert_eq!(scene.write(&file, "wifi fly"), Err(Error::InvalidInput));
    let last = file.try_control::<GetLastError>(&()).unwrap().unwrap();
    assert_eq!(last.message, "line 1: wifi fly: Invalid argument");
}

#[test]
fn an_interface_without_a_radio_says_so() {
    let scene = Scene::new();
    let lan = devnet_drivers::Lan::new(Arc::new(scene.world.clock.clone()), 1);
    let port = lan.port(address(9), 1500);
    let controller = port.controller();
    let host = Host::new(&scene.world);
    host.manager.register("eth0", Box::new(port), Some(controller)).unwrap();
    for name in ["lo", "eth0", "sockets"] {
        let file = host.open(name);
        assert_eq!(file.try_control::<GetRadio>(&()), Err(Error::UnknownCommand), "{name}");
        let outcome = scene.world.run(file.control::<ScanNetworks>(&ScanOptions::default()));
        assert_eq!(outcome, Err(Error::UnknownCommand), "{name}");
        assert_eq!(scene.write(&file, "wifi scan"), Err(Error::UnknownCommand), "{name}");
        let last = file.try_control::<GetLastError>(&()).unwrap().unwrap();
        assert_eq!(last.message, "line 1: wifi scan: Inappropriate ioctl for device", "{name}");
        let expected = if name == "sockets" { Error::Unsupported } else { Error::UnknownCommand };
        assert_eq!(scene.write(&file, TO_POINT), Err(expected), "{name}");
    }
}

#[test]
fn who_may_only_read_changes_nothing() {
    let (scene, home, radio) = leased();
    for host in [&home, &radio] {
        let before = host.state();
        let reader = host.host.open_as("wlan0", OpenFlags::READ).unwrap();
        macro_rules! refused {
            ($($command:ident($request:expr)),+ $(,)?) => {$(
                let outcome = scene.world.run(reader.control::<$command>(&$request));
                assert_eq!(outcome, Err(Error::PermissionDenied), stringify!($command));
            )+};
        }
        refused!(
            ScanNetworks(ScanOptions::default()),
            JoinNetwork(join("", None)),
            LeaveNetwork(()),
            StartAccessPoint(point("x", Security::Open)),
            StopAccessPoint(()),
            RemoveStation(address(2)),
            SetPower(false),
            SetPowerSave(true),
            SetTransmitPower(Some(1)),
            SetCountry("DE".to_owned()),
            SwitchRole(RadioRole::Station(join("x", None))),
            KeepRole(()),
        );
        let switch = devnet_network::command::wireless::RadioSwitch::Station(Box::default());
        let outcome =
            scene.world.run(reader.control::<devnet_network::command::SwitchRadio>(&switch));
        assert_eq!(outcome, Err(Error::PermissionDenied));
        assert!(reader.try_control::<GetRadio>(&()).is_ok());
        assert!(reader.try_control::<ListNetworks>(&()).is_ok());
        assert!(reader.try_control::<ListStations>(&()).is_ok());
        assert_eq!(host.state(), before);
    }
}

#[test]
fn random_payloads_are_answered() {
    let scene = Scene::new();
    let radio = scene.host(1, 0);
    let file = radio.host.open("wlan0");
    let known = devnet_network::command::wireless::TABLE;
    for round in 0..1000_u32 {
        let entry = &known[round as usize % known.len()];
        let length = (scene.world.random() % 40) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| (scene.world.random() >> 60) as u8).collect();
        let outcome = scene.world.run(file.control_raw(entry.identifier, &bytes));
        let request = devnet_network::command::wireless::Request::decode(entry.identifier, &bytes);
        match (request.expect("a command of the table"), outcome) {
            (Err(_), outcome) => assert_eq!(outcome, Err(Error::BadMessage), "{}", entry.name),
            (Ok(request), Err(error)) => {
                assert!(request.errors().contains(&error), "{request:?}: {error:?}");
            }
            (Ok(_), Ok(_)) => {}
        }
    }
}

#[test]
fn a_full_air_and_a_radio_that_is_gone() {
    let scene = Scene::new();
    let all: Vec<_> = (0..devnet_drivers::limits::RADIOS)
        .map(|number| scene.air.radio(HardwareAddress([2, 0, 0, 0, 1, number as u8]), 1500))
        .collect();
    let host = Host::new(&scene.world);
    let late = scene.air.radio(address(1), 1500);
    let controller = late.controller();
    host.manager.register("late", Box::new(late), Some(controller)).unwrap();
    let outcome = host.control::<GetRadio>("late", &());
    assert_eq!(outcome, Err(Error::NoDevice), "it hears nobody");
    assert_eq!(host.control::<GetInterface>("late", &()).unwrap().link, LinkState::Down);
    drop(all);
    let radio = scene.air.radio(address(2), 1500);
    let controller = radio.controller();
    let number = radio.number();
    host.manager.register("wlan0", Box::new(radio), Some(controller)).unwrap();
    let file = host.open("wlan0");
    assert!(file.try_control::<GetRadio>(&()).is_ok());
    host.manager.unregister("wlan0").unwrap();
    scene.pass(10);
    assert!(!scene.air.set_position(number, Position::default()));
    assert!(file.try_control::<GetRadio>(&()).is_err());
}

#[test]
fn names_have_bytes_of_any_value() {
    let scene = Scene::new();
    let (home, station) = (scene.host(1, 0), scene.host(2, 3));
    let name = Ssid::from(&[0xff, 0, b' ', b'\n', b'\\', 0xc3, 0xbc, b' '][..]);
    let shown = "\\xff\\x00 \\x0a\\x5cü\\x20";
    assert_eq!(name.to_string(), shown);
    let written = shown.replace(' ', "\\x20");
    let (point_file, file) = (home.host.open("wlan0"), station.host.open("wlan0"));
    scene.write(&point_file, &format!("wifi ap start {written} key 12345678")).unwrap();
    assert_eq!(home.status().ssid, Some(name.clone()));
    scene.write(&file, &format!("wifi scan\nwifi connect {written} key 12345678")).unwrap();
    assert_eq!(station.status().ssid, Some(name.clone()));
    assert_eq!(station.now::<ListNetworks>(&()).unwrap()[0].ssid, name);
    // The shell shows it so, and takes what it shows.
    let output = |line: &str| world::shell::output(&scene.world, &station.host, line);
    assert!(output("wifi -i wlan0 list").contains(&format!("  {shown}  ")));
    assert!(
        output("wifi -i wlan0").contains(&format!("associated with {shown},")) || {
            output("wifi -i wlan0").contains(shown)
        }
    );
    station.host.manager.configure("wlan0", "wifi disconnect").unwrap();
    let joined = output(&format!("wifi -i wlan0 connect -p 12345678 '{shown}'"));
    assert!(joined.contains(shown), "{joined}");
    // 32 bytes are the most, also of those that take four characters each.
    let most = "\\xfe".repeat(32);
    scene.write(&point_file, &format!("wifi ap start {most}")).unwrap();
    let over = scene.write(&point_file, &format!("wifi ap start {most}\\xfe"));
    assert_eq!(over, Err(Error::InvalidInput));
}
