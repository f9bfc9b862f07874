//! What programs in C do: the C library on devices, and the SDK's sockets.

use devnet_network::command::{GetInterface, ListAddresses};
use devnet_network::{TcpStream, UdpSocket};

use super::compiler::c_programs;
use super::scene::Scene;

#[test]
fn the_c_library_reads_and_writes_devices() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::new(programs);
    let shown = scene.says("run --allow-interface eth0 /binaries/ifconfig.wasm eth0");
    assert!(
        shown.starts_with("eth0\n    interface eth0 ") && shown.contains("\n    link down\n"),
        "{shown}"
    );
    let ifconfig = "run --allow-interface eth0:write /binaries/ifconfig.wasm";
    assert_eq!(scene.says(&format!("{ifconfig} eth0 up")), "");
    assert!(scene.host.control::<GetInterface>("eth0", &()).unwrap().enabled);
    scene.says(&format!(
        "{ifconfig} eth0 10.0.2.77/24; {ifconfig} eth0 add fd00:9::1/64; {ifconfig} eth0 mtu 1400"
    ));
    let addresses = scene.host.control::<ListAddresses>("eth0", &()).unwrap();
    let texts: Vec<String> = addresses.iter().map(|entry| entry.prefix.to_string()).collect();
    assert!(
        texts.contains(&"10.0.2.77/24".into()) && texts.contains(&"fd00:9::1/64".into()),
        "{texts:?}"
    );
    assert_eq!(scene.host.control::<GetInterface>("eth0", &()).unwrap().mtu, 1400);
    scene.says(&format!("{ifconfig} eth0 del 10.0.2.77/24"));
    let ran = scene.run(&format!("{ifconfig} eth0 del 10.0.2.77/24"));
    assert_eq!(
        (ran.status, ran.error.as_str()),
        (1, "ifconfig: address remove 10.0.2.77/24: Address not available\n")
    );
    // All that was granted, and nothing else.
    let shown = scene.says("run --allow-interface '*' /binaries/ifconfig.wasm");
    assert!(shown.contains("\nlo\n") && shown.starts_with("eth0\n"), "{shown}");
    let ran = scene.run("run --allow-interface lo:write /binaries/ifconfig.wasm eth0 down");
    assert_eq!(
        (ran.status, ran.error.as_str()),
        (1, "ifconfig: eth0: No such file or directory\n")
    );
}

#[test]
fn a_guest_gets_a_lease_by_typed_commands() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::new(programs);
    let said = scene.says("run --allow-interface eth0:write /binaries/ifconfig.wasm eth0 dhcp");
    assert_eq!(said, "eth0: bound 10.0.2.15/24\n");
    assert!(scene.says("ifconfig eth0").contains("inet addr:10.0.2.15"));
    // Without the grant to change, nothing is begun.
    let other = Scene::new(programs);
    let ran = other.run("run --allow-interface eth0 /binaries/ifconfig.wasm eth0 dhcp");
    assert_eq!((ran.status, ran.error.as_str()), (1, "ifconfig: eth0: Permission denied\n"));
    assert!(!other.host.control::<GetInterface>("eth0", &()).unwrap().enabled);
}

#[test]
fn every_function_of_the_sockets_does_what_it_says() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::configured(programs);
    let grants = "--allow-interface eth0 --allow-connect '*' --allow-listen 0";
    assert_eq!(scene.run(&format!("run {grants} /binaries/sockets.wasm")).output, "0\n");
    assert_eq!(scene.host.open_sockets(), 0);
}

#[test]
fn a_guest_looks_a_name_up_and_fetches_a_document() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::configured(programs);
    let page = scene.says("wget -q -O - http://web.lan/");
    assert_eq!(scene.says("run $WEB /binaries/fetch.wasm http://web.lan/"), page);
    // Without any library too.
    let whole = scene.says("run $WEB /binaries/freestanding.wasm");
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with(&page), "{whole}");
    scene.says(
        "run $WEB --allow-file /temporary:write \
         /binaries/fetch.wasm http://web.lan/1M /temporary/guest; \
         wget -q -O /temporary/shell http://web.lan/1M",
    );
    assert!(scene.read("/temporary/guest") == scene.read("/temporary/shell"));
    assert_eq!(scene.read("/temporary/guest").len(), 1 << 20);
    for (command, why) in [
        ("run $WEB /binaries/fetch.wasm http://web.lan/none", "fetch: /none: 404 Not Found\n"),
        (
            "run $WEB /binaries/fetch.wasm http://gateway.lan/",
            "fetch: gateway.lan: Permission denied\n",
        ),
        (
            "run --allow-connect '*' /binaries/fetch.wasm http://nowhere.lan/",
            "fetch: nowhere.lan: No such file or directory\n",
        ),
        (
            "run --allow-connect '*' /binaries/fetch.wasm http://10.0.2.2:81/",
            "fetch: 10.0.2.2: Connection refused\n",
        ),
        (
            "run --allow-connect '*' /binaries/fetch.wasm 'http://[fd00:2::4]:81/'",
            "fetch: fd00:2::4: Connection refused\n",
        ),
    ] {
        let ran = scene.run(command);
        assert_eq!(
            (ran.status, ran.error.lines().next().unwrap_or_default()),
            (1, why.trim_end()),
            "{command}"
        );
    }
    assert_eq!(scene.host.open_sockets(), 0);
}

#[test]
fn a_guest_pings() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::configured(programs);
    let said = scene.says(
        "run --allow-connect gateway.lan --allow-connect 10.0.2.2 \
         /binaries/ping.wasm -c 3 gateway.lan",
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "PING gateway.lan (10.0.2.2): 56 data bytes"));
    assert!(lines[2].starts_with("64 bytes from 10.0.2.2: seq=1 ttl=64 time="), "{said}");
    let said = scene.says("run --allow-connect fd00:2::/64 /binaries/ping.wasm -c 1 fd00:2::3");
    assert!(said.ends_with("1 packets transmitted, 1 received\n"), "{said}");
    let ran = scene.run("run --allow-connect 10.0.2.0/24 /binaries/ping.wasm -c 1 10.0.2.99");
    assert_eq!(ran.status, 1);
    let ran = scene.run("run --allow-connect gateway.lan:7 /binaries/ping.wasm gateway.lan");
    assert_eq!((ran.status, ran.error.as_str()), (1, "ping: socket: Operation not permitted\n"));
}

#[test]
fn a_guest_answers_datagrams() {
    let Some(programs) = c_programs() else { return };
    let scene = Scene::configured(programs);
    let server = scene.start("run --allow-listen udp:7 /binaries/echo.wasm 7");
    scene.until_open(1);
    assert_eq!(
        scene.says("run --allow-connect 10.0.2.15:7 /binaries/echo.wasm 10.0.2.15 7 'good day'"),
        "good day\n"
    );
    let other = UdpSocket::new(&scene.network.web.manager.sockets());
    other.bind("0.0.0.0:0".parse().unwrap()).unwrap();
    scene.world.run(async {
        for length in [0, 1, 1400, 4000] {
            other.send_to(&vec![7; length], "10.0.2.15:7".parse().unwrap()).await.unwrap();
            let mut heard = [0; 5000];
            let (count, from) = other.receive_from(&mut heard).await.unwrap();
            assert_eq!((count, from.port()), (length, 7));
        }
    });
    drop(server);
    scene.world.run(scene.world.sleep(std::time::Duration::from_secs(1)));
    assert_eq!(scene.host.open_sockets(), 0);
}

#[test]
fn a_guest_serves_many_connections_at_once() {
    let Some(programs) = c_programs() else { return };
    serves_many(
        "--allow-listen 80 --allow-file /temporary --limit-sockets 64 --limit-files 128",
        programs,
        50,
    );
}

#[test]
fn a_guest_serves_more_connections_than_it_has_sockets() {
    let Some(programs) = c_programs() else { return };
    serves_many("--allow-listen 80 --allow-file /temporary --limit-sockets 9", programs, 30);
}

/// A server answers so many clients of another host at once, each of which asks twice on one
/// connection.
pub(super) fn serves_many(grants: &str, programs: &super::compiler::Modules, clients: usize) {
    let scene = Scene::configured(programs);
    let content: Vec<u8> =
        (0..100_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    scene.write("/temporary/file", &content);
    let (server, output, _) =
        scene.start(&format!("run {grants} /binaries/httpd.wasm 80 /temporary"));
    let mut greeting = [0; 64];
    let count = scene.world.run(output.read(&mut greeting)).unwrap();
    assert_eq!(&greeting[..count], b"serving at port 80\n");
    let sockets = scene.network.web.manager.sockets();
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (sockets, content) = (sockets.clone(), content.clone());
        tasks.push(scene.world.spawn(async move {
            let stream = TcpStream::connect(&sockets, "10.0.2.15:80").await.unwrap();
            assert_eq!(ask(&stream, "/file").await, content);
            assert!(ask(&stream, "/").await.starts_with(b"<!DOCTYPE html>"));
        }));
    }
    for task in tasks {
        scene.world.run(task);
    }
    assert!(!server.is_finished());
    drop(server);
    scene.world.run(scene.world.sleep(std::time::Duration::from_secs(120)));
    assert_eq!(scene.host.open_sockets(), 0);
}

/// Asks for a document on a connection that stays; tells its body.
async fn ask(stream: &TcpStream, path: &str) -> Vec<u8> {
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: guest\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the connection ended");
        all.extend_from_slice(&buffer[..count]);
        let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..end]);
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .unwrap()
            .parse()
            .unwrap();
        if all.len() - end - 4 == length {
            return all.split_off(end + 4);
        }
    }
}
