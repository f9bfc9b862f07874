//! Every example of the grammar of lines, executed on the embedded network.

use std::sync::Arc;

use devnet_drivers::{Air, Lan, Position};
use devnet_guest_programs::Programs;
use devnet_network::command::grammar::ROWS;
use devnet_network::command::text;
use devnet_network::driver::Driver;
use devnet_shell_commands::embedded::{self, Network};
use world::{Host, World};

/// A system whose `eth0` is down on the embedded network.
fn system() -> (World, Host, Network) {
    let world = World::new(1);
    let host = Host::new(&world);
    let platform = world::shell::platform(&world, Programs::new());
    let lan = Lan::new(Arc::clone(&platform.clock), 0);
    platform.spawner.spawn(Box::pin(lan.runner())).expect("a runner");
    let end = Box::new(lan.port(embedded::USER, 1500));
    host.manager.register("eth0", end, None).expect("an interface");
    let others = embedded::start(&platform, |address| Box::new(lan.port(address, 1500)));
    let network = world.run(others).expect("a network");
    (world, host, network)
}

/// A system whose `wlan0` is a radio with networks around it.
fn radio() -> (World, Host) {
    let world = World::new(1);
    let host = Host::new(&world);
    let platform = world::shell::platform(&world, Programs::new());
    let air = Air::new(Arc::clone(&platform.clock), 0);
    platform.spawner.spawn(Box::pin(air.runner())).expect("a runner");
    let connect = |hardware, (x, y), wire| {
        let radio = air.radio(hardware, 1500);
        let (number, controller) = (radio.number(), radio.controller());
        air.set_position(number, Position { x, y });
        air.set_distribution(number, wire);
        (Box::new(radio) as Box<dyn Driver>, controller)
    };
    let networks = embedded::wireless::start(&platform, |place| {
        connect(place.hardware, place.position, place.wire)
    });
    world.run(networks).expect("networks");
    let (driver, controller) = connect(embedded::USER, (0, 0), None);
    host.manager.register("wlan0", driver, Some(controller)).expect("an interface");
    (world, host)
}

/// Lines that must come before an example, in the same text.
fn before(example: &str) -> &'static str {
    const UP: &str = "link up\naddress add 10.0.2.15/24\n";
    const SERVER: &str = "link up\naddress add 10.0.2.15/24\n\
                          dhcp server start 10.0.2.100-10.0.2.199\n\
                          dhcp server reserve 10.0.2.50 02:00:00:00:00:09\n\
                          dhcp server lease 10.0.2.100 02:00:00:00:00:08 60\n";
    let three: Vec<_> = example.split(' ').take(3).collect();
    match three.as_slice() {
        ["dhcp", "server", "start" | "stop"] => return UP,
        ["dhcp", "server", _] => return SERVER,
        ["dns", "tls", "remove"] => return "dns tls add 1.1.1.1 one.one.one.one\n",
        _ => {}
    }
    let two: Vec<_> = example.split(' ').take(2).collect();
    match two.as_slice() {
        ["route", "replace" | "insert" | "prepend" | "append"] => UP,
        ["route", "flush"] => "link up\naddress add 10.0.2.15/24\nroute add default via 10.0.2.2\n",
        ["address", "remove" | "flush"] => "address add 10.0.2.20/24\n",
        ["route", "add"] => UP,
        ["route", "remove"] => {
            "link up\naddress add 10.0.2.15/24\nroute add default via 10.0.2.2\n"
        }
        ["dns", "watch"] => "link up\ndns multicast resolve\n",
        ["dns", "host"] => "dns host add 10.0.2.9 before.lan\n",
        ["router", "remove"] => {
            "router prefix fd00:3::/64\nrouter dns fd00:3::53\nrouter domain lan\n"
        }
        ["firewall", "replace" | "remove"] => "firewall add in drop filter udp\n",
        ["dns", "withdraw"] => "dns publish My\\032page _http._tcp 80\n",
        ["dns", "remove"] => "dns add 10.0.2.3\n",
        ["dhcp", "stop"] => "dhcp start\n",
        ["dhcp", "renew"] => "link up\ndhcp start\ndhcp wait 20000\n",
        ["dhcp6", "renew"] => "link up\ndhcp6 client stateless\ndhcp6 wait 20000\n",
        ["dhcp6", "wait"] => "link up\ndhcp6 client stateless\n",
        ["dhcp", "wait"] => "link up\ndhcp start\n",
        ["group", "remove"] => "group add 239.1.2.3\n",
        ["neighbor", "proxy"] => "neighbor proxy add 10.0.2.60\n",
        ["neighbor", "remove"] => "neighbor add 10.0.2.9 02:00:00:00:00:09\n",
        ["bind" | "listen", _] => "socket tcp\n",
        ["option", "receive-errors"] => "socket udp\n",
        ["option", _] => "socket tcp\n",
        ["connect", _] => "link up\naddress add 10.0.2.15/24\nsocket tcp\n",
        ["shutdown", _] => "link up\naddress add 10.0.2.15/24\nsocket tcp\nconnect 10.0.2.4:80\n",
        ["join", _] => "link up\naddress add 10.0.2.15/24\nsocket udp\n",
        ["leave", _] => "link up\naddress add 10.0.2.15/24\nsocket udp\njoin 239.1.2.3 eth0\n",
        _ => "",
    }
}

/// `accept`, with the token of a connection that a listener offers.
fn accept(world: &World, host: &Host, example: &str) {
    let (listener, client) = (host.open("sockets"), host.open("sockets"));
    world.run(async {
        listener.write(b"socket tcp\nbind *:7\nlisten").await.expect("a listener");
        client.write(b"socket tcp\nconnect 127.0.0.1:7").await.expect("a connection");
        let mut line = [0; 200];
        let length = listener.read(&mut line).await.expect("an offer");
        let offer = String::from_utf8_lossy(line.get(..length).expect("a line")).into_owned();
        let token = offer.split_whitespace().find(|word| word.parse::<u64>().is_ok());
        let placeholder = example.split(' ').next_back().expect("a token");
        let line = example.replace(placeholder, token.expect("a token in the offer"));
        host.open("sockets").write(line.as_bytes()).await.expect("an accepted connection");
    });
}

/// `disconnect`, of the connection that the example names.
fn disconnect(world: &World, host: &Host, example: &str) {
    let (listener, client) = (host.open("sockets"), host.open("sockets"));
    world.run(async {
        listener.write(b"socket tcp\nbind *:7\nlisten").await.expect("a listener");
        let words: Vec<_> = example.split(' ').collect();
        let [_, local, remote] = words.as_slice() else { panic!("{example}") };
        let lines = format!("socket tcp\nbind {local}\nconnect {remote}");
        client.write(lines.as_bytes()).await.expect("a connection");
        host.open("sockets").write(example.as_bytes()).await.expect("the end of it");
        let ended = client.read(&mut [0]).await;
        assert_eq!(ended, Err(devnet_virtual_file_system::Error::ConnectionAborted));
        let again = host.open("sockets").write(example.as_bytes()).await;
        assert_eq!(again, Err(devnet_virtual_file_system::Error::NotFound));
    });
}

#[test]
fn every_example_of_the_grammar_does_what_it_says_on_a_live_system() {
    for row in ROWS {
        for form in row.forms {
            let example = form.example;
            let parsed = text::parse(example).expect(example).expect(example);
            assert_eq!(parsed.identifier(), row.identifier, "{example}");
            assert_eq!(example.split(' ').next(), form.line.split(' ').next(), "{example}");
            let (world, host, _network) = system();
            if example.starts_with("accept") {
                accept(&world, &host, example);
                continue;
            }
            if example.starts_with("disconnect") {
                disconnect(&world, &host, example);
                continue;
            }
            if example.starts_with("switch") {
                let (world, host) = radio();
                let outcome = world.run(host.open("wlan0").write(example.as_bytes()));
                assert_eq!(outcome, Ok(example.len()), "{example}");
                continue;
            }
            let lines = format!("{}{example}\n", before(example));
            let is_of_system = form.note.contains("On `/devices/sockets`.");
            let file = host.open(if is_of_system { "sockets" } else { "eth0" });
            let outcome = world.run(file.write(lines.as_bytes()));
            assert_eq!(outcome, Ok(lines.len()), "{lines}");
        }
    }
}
