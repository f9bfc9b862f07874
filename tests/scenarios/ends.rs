//! Connections by name: what they do, and the end of them.

use devnet_network::TcpListener;
use devnet_network::command::socket::ConnectionName;
use devnet_network::command::{Bind, EndConnection, GetConnection, GetSocket};
use devnet_virtual_file_system::{Error, OpenFlags};
use world::World;
use world::shell::output;

use crate::pair::{connection, hosts, pattern};

#[test]
fn a_bound_socket_tells_its_address_before_it_is_connected() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let file = left.open("eth0");
    left.write(&file, "socket tcp").unwrap();
    assert_eq!(file.try_control::<GetSocket>(&()).unwrap().local.to_string(), "0.0.0.0:0");
    let bound = file.try_control::<Bind>(&"10.0.0.1:0".parse().unwrap()).unwrap();
    assert!(bound.port() > 0);
    assert_eq!(file.try_control::<GetSocket>(&()).unwrap().local, bound);
    let routed = left.open("sockets");
    left.write(&routed, "socket tcp\noption bind-to-device eth0\nbind 0.0.0.0:77").unwrap();
    let status = routed.try_control::<GetSocket>(&()).unwrap();
    assert_eq!(
        (status.local.to_string().as_str(), status.interface.as_str()),
        ("0.0.0.0:77", "eth0")
    );
}

#[test]
fn a_connection_is_measured_and_ended_by_its_name() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (client, server) = world.run(connection(&left, &right, "10.0.0.2:80"));
    let (other, _kept) = world.run(connection(&left, &right, "10.0.0.2:81"));
    world.run(client.write_all(&pattern(1000))).unwrap();
    let mut buffer = [0; 2000];
    assert_eq!(world.run(server.read(&mut buffer)), Ok(1000));
    let name = ConnectionName { local: client.local_addr(), remote: client.peer_addr() };
    let reversed = ConnectionName { local: name.remote, remote: name.local };
    for device in ["sockets", "eth0"] {
        let statistics = left.control::<GetConnection>(device, &name).unwrap();
        assert_eq!((statistics.bytes_sent, statistics.segment), (1000, 1448));
        assert_eq!(left.control::<GetConnection>(device, &reversed), Err(Error::NotFound));
    }
    assert_eq!(right.control::<GetConnection>("eth0", &reversed).unwrap().bytes_received, 1000);
    assert_eq!(left.control::<GetConnection>("lo", &name), Err(Error::NotFound));

    // Reading is no right to end it.
    let reader = left.open_as("sockets", OpenFlags::READ).unwrap();
    assert_eq!(reader.try_control::<EndConnection>(&name), Err(Error::PermissionDenied));
    assert_eq!(left.control::<EndConnection>("lo", &name), Err(Error::NotFound));
    let shown = output(&world, &left, "ss -K -tn dport = :80; ss -tn; ss -tn dport = :80");
    let rows: Vec<&str> = shown.lines().filter(|line| line.starts_with("ESTAB")).collect();
    assert_eq!(rows.len(), 2, "{shown}");
    assert!(rows[0].contains(" 10.0.0.2:80 ") && rows[1].contains(" 10.0.0.2:81 "), "{shown}");
    assert_eq!(world.run(client.read(&mut buffer)), Err(Error::ConnectionAborted));
    assert_eq!(world.run(server.read(&mut buffer)), Err(Error::ConnectionReset));
    assert_eq!(left.control::<EndConnection>("sockets", &name), Err(Error::NotFound));
    world.run(other.write_all(b"x")).unwrap();
    // The address is free again.
    drop(server);
    TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 1).unwrap();
}

#[test]
fn ss_tells_how_connections_do() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (client, _server) = world.run(connection(&left, &right, "10.0.0.2:80"));
    world.run(client.write_all(&pattern(1000))).unwrap();
    world.run(world.sleep(std::time::Duration::from_secs(1)));
    let port = client.local_addr().port();
    let text = output(&world, &left, "ss -tinH");
    let lines: Vec<&str> = text.lines().collect();
    let [row, details] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(*row, format!("ESTAB 0      0      10.0.0.1:{port} 10.0.0.2:80"));
    assert!(details.starts_with("\t cubic rto:2"), "{text}");
    for word in [" mss:1448 ", " cwnd:1", " bytes_sent:1000 ", " bytes_acked:1000 ", " snd_wnd:"] {
        assert!(details.contains(word), "{word}: {text}");
    }
    let text = output(&world, &left, "ss -s");
    assert!(text.contains("\nTCP:   1 (estab 1, closed 0, orphaned 0, timewait 0)\n"), "{text}");
    assert_eq!(output(&world, &left, "ss -xa 2>&1; ss -t foo 2>&1").lines().count(), 2);
}
