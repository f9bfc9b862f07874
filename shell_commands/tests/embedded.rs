//! The `devnet` program on its embedded network, as a user runs it. In real time: each run takes
//! the seconds that a lease takes.

#![expect(clippy::expect_used, reason = "a test that cannot start has failed")]

use std::process::{Command, Output, Stdio};

/// Runs commands and returns their outcome.
fn devnet(commands: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_devnet");
    Command::new(program).args(["-c", commands]).stdin(Stdio::null()).output().expect("devnet runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Runs commands that must succeed; returns their output.
#[track_caller]
fn succeeds(commands: &str) -> String {
    let output = devnet(commands);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{commands}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs commands whose last one must fail with this status and exactly this line.
#[track_caller]
fn fails(commands: &str, status: i32, line: &str) {
    let output = devnet(commands);
    assert_eq!(
        (output.status.code(), text(&output.stderr).trim_end()),
        (Some(status), line),
        "{commands}"
    );
}

#[track_caller]
fn contains(output: &str, lines: &[&str]) {
    for line in lines {
        assert!(output.contains(line), "{line:?} is missing in\n{output}");
    }
}

#[test]
fn the_first_thing_that_people_try_works() {
    let output = succeeds(
        "dhcp eth0; ifconfig; route -n; ping -c 3 gateway.lan; nslookup web.lan; wget -O - \
         http://web.lan/",
    );
    contains(
        &output,
        &[
            "eth0: bound 10.0.2.15/24 from 10.0.2.2, router 10.0.2.2, dns 10.0.2.3, lease 3600s\n",
            "          inet addr:127.0.0.1  Mask:255.0.0.0\n",
            "          inet addr:10.0.2.15  Bcast:10.0.2.255  Mask:255.255.255.0\n",
            "0.0.0.0         10.0.2.2        0.0.0.0         UG    0      0        0 eth0\n",
            "10.0.2.0        0.0.0.0         255.255.255.0   U     0      0        0 eth0\n",
            "PING gateway.lan (10.0.2.2): 56 data bytes\n",
            "64 bytes from 10.0.2.2: seq=2 ttl=64 time=",
            "3 packets transmitted, 3 packets received, 0% packet loss\n",
            "Name:\tweb.lan\nAddress: 10.0.2.4\n",
            "Address: fd00:2::4\n",
            "<h1>It works</h1>\n",
        ],
    );
}

#[test]
fn failures_are_one_line_and_a_status() {
    // Before there is a lease, 10.9.9.9 has no route. With a lease, the gateway gets the packet and
    // drops it.
    fails("ping -c 1 10.9.9.9", 1, "ping: 10.9.9.9: Network is unreachable");
    fails(
        "ifconfig nosuch",
        1,
        "ifconfig: nosuch: error fetching interface information: Device not found",
    );
    fails("ifconfig eth0 300.1.1.1", 1, "ifconfig: 300.1.1.1: bad address");
    fails("route add default gw 10.9.9.9", 1, "route: default gw 10.9.9.9: Network is unreachable");
    fails(
        "cat /devices/network/../../../etc/passwd",
        1,
        "cat: /devices/network/../../../etc/passwd: No such file or directory",
    );
    fails("nosuch", 127, "devnet: nosuch: command not found");
    fails("ping", 2, "ping: one host is needed");
    fails("ping -p xy 10.0.2.2", 2, "ping: -p xy: 1 to 16 bytes in hexadecimal digits");
    fails("ping -M maybe 10.0.2.2", 2, "ping: -M maybe: do, want, dont or probe");
    fails("ping -Q 256 10.0.2.2", 2, "ping: -Q 256: a traffic class is 0 to 255");
    fails("wget https://web.lan/", 1, "wget: https://web.lan/: not an http URL");
}

#[test]
fn a_text_that_a_device_refuses_fails_with_line_and_word() {
    let eth0 = "/devices/network/eth0";
    fails(
        &format!("echo -e 'link up\\naddress add 1.2.3' > {eth0}"),
        1,
        "echo: /devices/network/eth0: line 2: \"1.2.3\" is no prefix; address add PREFIX \
         [broadcast IPV4]",
    );
    fails(
        &format!("echo 'route add default via 10.9.9.9' > {eth0}"),
        1,
        "echo: /devices/network/eth0: line 1: route add default via 10.9.9.9: Network is \
         unreachable",
    );
    fails(
        &format!("echo 'mtu\u{202e} 7' > /temporary/text; cp /temporary/text {eth0}"),
        1,
        "cp: /devices/network/eth0: line 1: \"mtu\\u{202e}\" is none of link, mac, mtu, metric, \
         advertise, address, autoconf, route, group, dns, dhcp, neighbor, firewall, socket, bind, \
         connect, listen, accept, shutdown, disconnect, option, join, leave, system, capture, \
         export, switch, router, watch, dhcp6, cable",
    );
    let help = succeeds("help text; help text address");
    contains(&help, &["  address add PREFIX [broadcast IPV4]\n", "    example: address flush\n"]);
    fails("help text frob", 1, "help: frob: no such line");
}

#[test]
fn failures_on_a_running_network_are_one_line_and_a_status_too() {
    let up = "ifconfig eth0 10.0.2.50/24 up; dns add 10.0.2.3 eth0";
    fails(
        &format!("{up}; nslookup nosuch.lan"),
        1,
        "nslookup: can't resolve 'nosuch.lan': Non-existent domain",
    );
    fails(&format!("{up}; ping -c 1 nosuch.lan"), 1, "ping: nosuch.lan: Name or service not known");
    let refused = "wget: can't connect to remote host (10.0.2.4): Connection refused";
    fails(&format!("{up}; wget http://web.lan:81/"), 1, refused);
    let missing = "wget: server returned error: HTTP/1.1 404 Not Found";
    fails(&format!("{up}; wget -q http://web.lan/nosuch"), 1, missing);
    let closed = "nc: connect to web.lan port 81 (tcp) failed: Connection refused";
    fails(&format!("{up}; nc web.lan 81"), 1, closed);
}

#[test]
fn a_device_is_configured_and_shown_as_a_file() {
    let output = succeeds(
        "echo 'address add 192.0.2.7/24' > /devices/network/eth0; cat /devices/network/eth0",
    );
    contains(
        &output,
        &["interface eth0 index 2 kind ethernet\n", "link down\n", "address 192.0.2.7/24 "],
    );
}

#[test]
fn control_takes_the_name_of_an_interface() {
    let output = succeeds("control eth0 GetLastError; control eth0");
    contains(&output, &["null\n", "SetMtu", "SetLink"]);
    fails("control eth9", 1, "control: eth9: No such file or directory");
    fails("echo x > eth0; control eth0", 1, "control: eth0: Inappropriate ioctl for device");
}

#[test]
fn servers_and_clients_of_the_shell_reach_each_other() {
    let output = succeeds(
        "mkdir /temporary/www; echo hello > '/temporary/www/a b.txt'
        httpd -p 8080 -h /temporary/www & nc -l 9000 > /temporary/received &
        sleep 200ms
        wget -q -O - 'http://127.0.0.1:8080/a%20b.txt'
        wget -q -O - 'http://[::1]:8080/'
        wget -q --header 'Range: bytes=1-2' -O - http://localhost:8080/a%20b.txt; echo
        echo through | nc 127.0.0.1 9000; sleep 200ms; cat /temporary/received",
    );
    contains(&output, &["hello\n", "<a href=\"a%20b.txt\">a b.txt</a>", "\nel\n", "through\n"]);
}

#[test]
fn documents_arrive_whole() {
    let output = succeeds(
        "ifconfig eth0 10.0.2.50/24 up; cd /temporary; wget -q http://10.0.2.4/1M; wc -c 1M
        ping -c 1 10.0.2.4; ping -c 1 -s 4000 10.0.2.3; \
        ping -q -c 1 -s 65507 10.0.2.4; ping6 -c 1 ::1; nc -z -v 10.0.2.4 80",
    );
    contains(
        &output,
        &[
            "1048576 1M\n",
            "64 bytes from 10.0.2.4: seq=0",
            "4008 bytes from 10.0.2.3",
            "from ::1: seq=0",
        ],
    );
}

#[test]
fn a_document_is_resumed_where_it_broke_off() {
    let output = succeeds(
        "ifconfig eth0 10.0.2.50/24 up; cd /temporary; wget -q http://10.0.2.4/64K
        head -c 1000 64K > part; wget -q -c -O part http://10.0.2.4/64K; sha256sum part 64K
        wget -c -O part http://10.0.2.4/64K 2>&1; wc -c part",
    );
    let sums: Vec<&str> =
        output.lines().filter_map(|line| line.split_once("  ")).map(|(sum, _)| sum).collect();
    assert!(matches!(sums.as_slice(), [part, whole, ..] if part == whole), "{output}");
    contains(&output, &["'part' is complete\n", "65536 part\n"]);
}

#[test]
fn ip_monitor_shows_what_changes_and_nothing_of_before() {
    let output = succeeds(
        "ip link set eth0 up; ip monitor all & ip addr add 192.0.2.7/24 dev eth0; ip route add \
         default via 192.0.2.1; \
         ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0; ip neigh del 192.0.2.1 dev \
         eth0; ip link set eth0 mtu 1400; sleep 0.1",
    );
    contains(
        &output,
        &[
            "[ADDR]2: eth0    inet 192.0.2.7/24 scope global eth0\n       \
             valid_lft forever",
            "[ROUTE]192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.7 \n",
            "[ROUTE]default via 192.0.2.1 dev eth0 \n",
            "[NEIGH]192.0.2.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT \n",
            "[NEIGH]Deleted 192.0.2.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT \n",
            "[LINK]2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 ",
        ],
    );
    assert!(!output.contains("127.0.0.1") && !output.contains("mtu 1500"), "{output}");
    fails("ip monitor weather", 2, "ip: Argument \"weather\" is unknown, try \"help ip\".");
}

#[test]
fn a_lost_packet_is_found_as_the_readme_says() {
    let readme = include_str!("../../README.md");
    let section = readme.split("### A packet is lost").nth(1).expect("the section");
    let block = section.split("```text\n").nth(1).and_then(|block| block.split("```").next());
    let (mut session, mut expected, mut program) = (Vec::new(), Vec::new(), None);
    let lines = block.expect("the block").lines().filter(|line| !line.is_empty());
    for line in lines {
        if let Some(command) = line.strip_prefix("devnet:/# ") {
            session.push(command);
        } else if let Some(command) = line.strip_prefix("$ devnet ") {
            program = Some(command);
        } else {
            expected.push(line);
        }
    }
    let arguments = program.expect("the log").split_once(" -c ").expect("commands");
    let commands = arguments.1.trim_matches('\'');
    let logged = Command::new(env!("CARGO_BIN_EXE_devnet"))
        .args(arguments.0.split(' '))
        .args(["-c", commands])
        .stdin(Stdio::null())
        .output()
        .expect("devnet runs");
    let shown = succeeds(&session.join("; ")) + &text(&logged.stderr);
    assert_eq!((session.len(), expected.len()), (3, 4), "the section has changed");
    contains(&shown, &expected);
}

#[test]
fn a_web_server_serves_the_counters() {
    let output = succeeds(
        "httpd -p 8080 -h /temporary --metrics & sleep 0.2; wget -q -O - \
         http://127.0.0.1:8080/metrics; httpd -p 8081 -h /temporary & sleep 0.2; wget -q -O - \
         http://127.0.0.1:8081/metrics || echo none",
    );
    contains(&output, &["\ndevnet_received_packets_total{interface=\"lo\"} ", "# EOF\nnone\n"]);
}

/// Runs the program with files of the host in the tree.
fn with_files(files: &[(&str, &str)], commands: &str) -> Output {
    let directory = std::env::temp_dir().join(format!(
        "devnet-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&directory).expect("a directory");
    let mut program = Command::new(env!("CARGO_BIN_EXE_devnet"));
    for (place, (path, text)) in files.iter().enumerate() {
        let file = directory.join(place.to_string());
        std::fs::write(&file, text).expect("a file");
        program.arg("--import").arg(format!("{}={path}", file.display()));
    }
    let output = program.args(["-c", commands]).stdin(Stdio::null()).output().expect("devnet runs");
    std::fs::remove_dir_all(&directory).expect("an empty place");
    output
}

#[test]
fn the_configuration_is_read_at_the_start_and_written_back() {
    let network = "system\ndns host add 10.0.2.77 seven.lan\n\nmatch kind ethernet\nmtu 1400\n\
                   link up\naddress add 10.0.2.50/24\nroute add default via 10.0.2.2\n";
    let hosts = "10.0.2.4 web.example web # ours\n";
    let output = with_files(
        &[("/configuration/network", network), ("/configuration/hosts", hosts)],
        "netconfig export > /temporary/shown; netconfig save; \
         netconfig diff /configuration/network && cat /configuration/network; \
         netconfig wait eth0 --online --timeout 10 && wget -q -O - http://web.example/; \
         nslookup seven.lan",
    );
    assert_eq!(text(&output.stderr), "");
    let shown = text(&output.stdout);
    contains(
        &shown,
        &[
            "system\ndns host add 10.0.2.77 seven.lan\ndns host add 10.0.2.4 web.example\n\
             dns host add 10.0.2.4 web\n\ninterface lo\nlink up\n\ninterface eth0\nmtu 1400\n\
             link up\naddress add 10.0.2.50/24\nroute add default via 10.0.2.2\n",
            "10.0.2.77",
            "<title>web.lan</title>",
        ],
    );
}

#[test]
fn a_wrong_configuration_is_reported_and_the_program_starts() {
    let files = [
        ("/configuration/network", "interface eth0\nlink up\nmtu 9\n"),
        ("/configuration/hosts", "10.0.2.9\n"),
    ];
    let output = with_files(&files, "netconfig export eth0");
    assert_eq!(text(&output.stdout), "link down\n");
    assert_eq!(
        text(&output.stderr),
        "devnet: /configuration/network: line 3: mtu 9: Invalid argument\n\
         devnet: /configuration/hosts: line 1: 10.0.2.9: which name?\n"
    );
    fails(
        "echo 'interface eth0\nmtu 9' | netconfig apply -",
        1,
        "netconfig: -: line 2: mtu 9: Invalid argument",
    );
    let noted = devnet("echo 'interface eth9\nlink up' | netconfig check -");
    assert_eq!(
        (noted.status.code(), text(&noted.stderr)),
        (
            Some(0),
            "netconfig: -: line 1: note: matches no interface that is there now\n".to_owned()
        )
    );
    fails("netconfig wait eth0 --link --timeout 0.1", 1, "netconfig: eth0: no link in time");
}

#[test]
fn ping_says_more_when_it_is_asked_to() {
    let up = "ifconfig lo up; ifconfig eth0 10.0.2.50/24 up";
    // A capture sees pattern, class and the flag against fragments.
    let output = succeeds(&format!(
        "{up}; tcpdump -i lo -c 1 -v -x icmp > /temporary/seen & sleep 0.3
        ping -c 1 -s 8 -p ab1 -Q 0x10 -M do 127.0.0.1 > /dev/null; wait; cat /temporary/seen"
    ));
    contains(&output, &["tos 0x10", "flags [DF]", "ab01 ab01\n\t0x0020:  ab01 ab01"]);
    let output = succeeds(&format!("{up}; ping -A -D -c 20 -i 5 127.0.0.1"));
    let stamped = |line: &&str| line.starts_with("[1") && line.contains("] 64 bytes from");
    assert_eq!(output.lines().filter(stamped).count(), 20, "{output}");
    let silent = format!("{up}; ping -O -c 3 -i 0.1 -W 0.2 10.0.2.200 || true");
    contains(&succeeds(&silent), &["no answer yet for seq=0\n", "no answer yet for seq=1\n"]);
    fails(
        &format!("{up}; ping -c 1 -M do -s 3000 10.0.2.2"),
        1,
        "ping: 10.0.2.2: Message too long",
    );
}

#[test]
fn a_capture_of_any_interface_shows_which_and_which_way() {
    let up = "ifconfig lo up; ifconfig eth0 10.0.2.50/24 up";
    let output = succeeds(&format!(
        "{up}; tcpdump -t -i any -c 4 icmp > /temporary/seen & sleep 0.3
        ping -c 1 127.0.0.1 > /dev/null; ping -c 1 10.0.2.2 > /dev/null; wait; cat /temporary/seen"
    ));
    contains(
        &output,
        &[
            "lo    In  IP 127.0.0.1 > 127.0.0.1: ICMP echo request",
            "lo    In  IP 127.0.0.1 > 127.0.0.1: ICMP echo reply",
            "eth0  Out IP 10.0.2.50 > 10.0.2.2: ICMP echo request",
            "eth0  In  IP 10.0.2.2 > 10.0.2.50: ICMP echo reply",
        ],
    );
    // A file keeps the interfaces, and shows them.
    let output = succeeds(&format!(
        "{up}; tcpdump -i any -w /temporary/any -c 4 icmp & sleep 0.3
        ping -c 1 127.0.0.1 > /dev/null; ping -c 1 10.0.2.2 > /dev/null; wait
        tcpdump -t -r /temporary/any; tcpdump -t -r /temporary/any -w - src 10.0.2.2 | \
        tcpdump -t -r -"
    ));
    let answer = "eth0  In  IP 10.0.2.2 > 10.0.2.50: ICMP echo reply";
    contains(&output, &["lo    In  IP 127.0.0.1 > 127.0.0.1: ICMP echo request", answer]);
    assert_eq!(output.matches(answer).count(), 2, "{output}");
    contains(&succeeds("tcpdump -D"), &["1.lo [", "2.eth0 ["]);
}

#[test]
fn arping_asks_who_has_an_address() {
    let up = "ifconfig eth0 10.0.2.50/24 up; dns add 10.0.2.3 eth0";
    let output = succeeds(&format!("{up}; arping -c 2 -i 0.1 web.lan; arping -f -b 10.0.2.2"));
    contains(
        &output,
        &[
            "ARPING 10.0.2.4 from 10.0.2.50 eth0\n",
            "Unicast reply from 10.0.2.4 [02:00:0A:00:02:04]  ",
            "Sent 2 probes (1 broadcast(s))\nReceived 2 response(s)\n",
            "Unicast reply from 10.0.2.2 [02:00:0A:00:02:02]  ",
            "Sent 1 probes (1 broadcast(s))\nReceived 1 response(s)\n",
        ],
    );
    let output = devnet(&format!("{up}; arping -i 0.1 -c 2 10.0.2.99"));
    assert_eq!(output.status.code(), Some(1));
    contains(&text(&output.stdout), &["Sent 2 probes (2 broadcast(s))\nReceived 0 response(s)\n"]);
    // Our own address is no duplicate, that of another host is one.
    let output = succeeds(&format!("{up}; arping -D -i 0.1 -c 2 -I eth0 10.0.2.50"));
    contains(&output, &["ARPING 10.0.2.50 from 0.0.0.0 eth0\n", "Received 0 response(s)\n"]);
    let output = devnet(&format!("{up}; arping -D -q -I eth0 10.0.2.2"));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    fails("arping -I lo 127.0.0.1", 2, "arping: Interface \"lo\" is not ARPable");
    fails("arping -I nosuch 10.0.2.2", 2, "arping: nosuch: No such device");
    let other = "arping: 10.0.2.9: Address not available";
    fails(&format!("{up}; arping -s 10.0.2.9 -I eth0 10.0.2.2"), 2, other);
    // Ended early it still says what there was.
    let output = devnet(&format!("{up}; timeout 1 arping -w 60 -i 30 -I eth0 10.0.2.99"));
    assert_eq!(output.status.code(), Some(124));
    contains(&text(&output.stdout), &["Sent 1 probes (1 broadcast(s))\n"]);
}

#[test]
fn telnet_sends_lines_and_shows_what_comes() {
    let up = "ifconfig eth0 10.0.2.50/24 up; dns add 10.0.2.3 eth0";
    let request = "printf 'GET / HTTP/1.0\\nHost: web.lan\\n\\n'";
    let output = devnet(&format!("{up}; {request} | telnet -4 web.lan 80"));
    let said = text(&output.stdout);
    contains(
        &said,
        &[
            "Trying 10.0.2.4...\nConnected to web.lan.\nEscape character is '^]'.\n",
            "HTTP/1.1 200 OK\n",
            "<h1>It works</h1>\n",
        ],
    );
    // Options are refused, and what controls a terminal is made visible; the server sees CR LF.
    let server = "printf '\\377\\375\\030a\\033[2J\\r\\n' | nc -l 2323 | od -An -tx1";
    let output = succeeds(&format!(
        "({server}) & sleep 0.3; (echo hi; sleep 0.5; printf '\\035rest') | \
         telnet 127.0.0.1 2323; wait"
    ));
    contains(&output, &["a\\u001b[2J\n"]);
    let sent = output.lines().find(|line| line.contains("ff fc 18")).unwrap_or_default();
    assert!(sent.contains("68 69 0d 0a") && !sent.contains("72 65 73 74"), "{output}");
    let refused = "telnet: can't connect to remote host (10.0.2.4): Connection refused";
    fails(&format!("{up}; telnet -4 web.lan 81"), 1, refused);
    fails("telnet", 2, "telnet: a host is needed, and at most one port");
}

#[test]
fn sntp_says_why_there_is_no_time() {
    let up = "ifconfig eth0 10.0.2.50/24 up; dns add 10.0.2.3 eth0";
    fails(&format!("{up}; sntp web.lan"), 1, "sntp: 10.0.2.4: Connection refused");
    // A server that never answers, and one that answers something else.
    let server = "nc -u -l 1123 >/dev/null & sleep 0.3";
    fails(&format!("{server}; sntp -t 0.2 -p 1123 127.0.0.1"), 1, "sntp: 127.0.0.1: no answer");
    // The request is that of a client of version 4 that says nothing of itself.
    let server = "nc -u -l 1123 | od -An -tx1 -N40 & sleep 0.3";
    let output = devnet(&format!("{server}; sntp -t 0.2 -p 1123 127.0.0.1; sleep 0.1"));
    let zeros = " 00".repeat(16);
    contains(&text(&output.stdout), &[&format!(" 23{}\n{zeros}\n", " 00".repeat(15))]);
    fails("sntp -S 10.0.2.2", 1, "sntp: the clock is the host's, and cannot be set here");
    fails("sntp", 2, "sntp: a server is needed");
}
