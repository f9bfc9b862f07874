//! What programs in Rust do.

use super::c::serves_many;
use super::compiler::{c_programs, rust_programs, rust_std_programs};
use super::scene::Scene;

#[test]
fn a_guest_fetches_a_document() {
    let Some(programs) = rust_programs() else { return };
    let scene = Scene::configured(programs);
    let page = scene.says("wget -q -O - http://web.lan/");
    assert_eq!(scene.says("run $WEB /binaries/fetch.wasm http://web.lan/"), page);
    assert_eq!(
        scene.says("run --allow-connect '*' /binaries/fetch.wasm 'http://[fd00:2::4]:80/'"),
        page
    );
    scene.says(
        "run $WEB --allow-file /temporary:write \
         /binaries/fetch.wasm http://web.lan/1M /temporary/guest",
    );
    scene.says("wget -q -O /temporary/shell http://web.lan/1M");
    assert!(scene.read("/temporary/guest") == scene.read("/temporary/shell"));
    for (command, why) in [
        ("http://web.lan/none", "fetch: /none: 404 Not Found\n"),
        ("http://gateway.lan/", "fetch: gateway.lan: Permission denied\n"),
        ("ftp://web.lan/", "fetch: ftp://web.lan/: not a URL that begins with http://\n"),
    ] {
        let ran = scene.run(&format!("run $WEB /binaries/fetch.wasm {command}"));
        assert_eq!((ran.status, ran.error.as_str()), (1, why));
    }
    assert_eq!(scene.host.open_sockets(), 0);
}

#[test]
fn a_guest_serves_many_connections_at_once() {
    let Some(programs) = rust_programs() else { return };
    serves_many(
        "--allow-listen 80 --allow-file /temporary --limit-sockets 64 --limit-files 128",
        programs,
        50,
    );
    serves_many("--allow-listen 80 --allow-file /temporary --limit-sockets 9", programs, 30);
}

#[test]
fn two_guests_chat() {
    let Some(programs) = rust_programs() else { return };
    let scene = Scene::configured(programs);
    // Who waits hears until its own input ends, and has nothing to say itself.
    let (waiting, input, output, _) =
        scene.start_with_input("run --allow-listen udp:9 /binaries/chat.wasm 9");
    scene.until_open(1);
    let other = "run --allow-connect 10.0.2.15:9 /binaries/chat.wasm 10.0.2.15:9";
    scene.write("/temporary/lines", b"good day\nand good night\n");
    let said = scene.run(&format!("cat /temporary/lines | {other}"));
    assert_eq!((said.status, said.error.as_str()), (0, ""), "{}", said.output);
    scene.world.run(scene.world.sleep(std::time::Duration::from_secs(1)));
    drop(input);
    assert_eq!(scene.world.run(waiting), 0);
    let heard = scene.world.run(output.read_to_end(1000)).unwrap();
    let heard = String::from_utf8(heard).unwrap();
    let words: Vec<&str> =
        heard.lines().filter_map(|line| line.split_once(": ")).map(|(_, words)| words).collect();
    assert_eq!(words, ["good day", "and good night"], "{heard}");
}

#[test]
fn a_library_that_others_made_for_another_runtime_works_unchanged() {
    let (Some(programs), Some(c)) = (rust_std_programs(), c_programs()) else { return };
    let all: Vec<_> =
        programs.iter().chain(c.iter().filter(|(name, _)| name == "echo")).cloned().collect();
    let scene = Scene::configured(&all);
    let page = scene.says("wget -q -O - http://web.lan/");
    assert_eq!(scene.says("run $WEB /binaries/wasmedge-fetch.wasm web.lan 80 /"), page);
    let asked = "run --env DNS_SERVER=10.0.2.3:53 --allow-connect 10.0.2.0/24 \
                 $WEB /binaries/wasmedge-fetch.wasm web.lan 80 /";
    assert_eq!(scene.says(asked), page);
    let ran = scene.run("run $WEB /binaries/wasmedge-fetch.wasm gateway.lan 80 /");
    assert_eq!(ran.status, 1);
    let (server, ..) = scene.start("run --allow-listen udp:7 /binaries/echo.wasm 7");
    scene.until_open(1);
    let asked =
        "run --allow-connect 10.0.2.15:7 /binaries/wasmedge-fetch.wasm udp 10.0.2.15 7 hello";
    assert_eq!(scene.says(asked), "hello\n");
    drop(server);
}

#[test]
fn the_standard_library_and_typed_commands_work_on_the_same_devices() {
    let Some(programs) = rust_std_programs() else { return };
    let scene = Scene::configured(programs);
    let table = scene.says("run --allow-interface '*' /binaries/interfaces.wasm");
    let names: Vec<&str> =
        table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["eth0", "lo"], "{table}");
    let words: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert!(words[1] == "up" && words.contains(&"10.0.2.15/24"), "{table}");
    // It received the lease, at least.
    let received: u64 = words[words.len() - 4].parse().unwrap();
    assert!(received > 300, "{table}");
    let one = scene.says("run --allow-interface eth0 /binaries/interfaces.wasm -j");
    assert!(
        one.starts_with(r#"[{"name":"eth0","state":"up","addresses":["#) && !one.contains("lo"),
        "{one}"
    );
    for (line, why) in [
        (
            "run /binaries/interfaces.wasm",
            "interfaces: /devices/network: No such file or directory (os error 44)\n",
        ),
        (
            "run --allow-interface eth0 /binaries/interfaces.wasm lo",
            "interfaces: lo: No such file or directory\n",
        ),
        (
            "run --allow-interface eth0 --allow-command address /binaries/interfaces.wasm eth0",
            "interfaces: eth0: Operation not permitted\n",
        ),
    ] {
        let ran = scene.run(line);
        assert_eq!((ran.status, ran.error.as_str()), (1, why), "{line}");
    }
}
