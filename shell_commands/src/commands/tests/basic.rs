use super::{failed, world};
use crate::status::Status;

#[test]
fn files_are_made_listed_copied_and_removed() {
    let (world, _) = world();
    assert_eq!(
        world.output(
            "cd /temporary; mkdir -p a/b; echo x >a/f; cp a/f a/b; mv a/b/f a/b/g; ls a a/b"
        ),
        "a:\nb\nf\n\na/b:\ng\n"
    );
    assert_eq!(world.output("cat /temporary/a/b/g /temporary/a/f"), "x\nx\n");
    assert_eq!(failed(&world, "rm /temporary/a"), (1, "rm: /temporary/a: Is a directory\n".into()));
    assert_eq!(world.output("rm -r /temporary/a; ls /temporary"), "");
    assert_eq!(
        failed(&world, "rm /temporary/a"),
        (1, "rm: /temporary/a: No such file or directory\n".into())
    );
    assert_eq!(world.output("rm -f /temporary/a"), "");
    assert_eq!(
        failed(&world, "mkdir /a/b"),
        (1, "mkdir: /a/b: No such file or directory\n".into())
    );
    assert_eq!(failed(&world, "cp /devices/sockets /devices/sockets").0, 1);
}

#[test]
fn a_file_is_not_copied_onto_itself() {
    let (world, _) = world();
    assert_eq!(world.output("echo precious >/temporary/f"), "");
    assert_eq!(
        failed(&world, "cp /temporary/f /temporary"),
        (1, "cp: /temporary/f: is the same file\n".into())
    );
    assert_eq!(world.output("cat /temporary/f"), "precious\n");
}

#[test]
fn echo_prints_words_and_escapes_on_demand() {
    let (world, _) = world();
    assert_eq!(
        world.output(r"echo a  b; echo -n c; echo -e 'd\te\\\n'; echo -x; echo --help"),
        "a b\ncd\te\\\n\n-x\n--help\n"
    );
    assert_eq!(world.output(r"echo 'a\n'"), "a\\n\n");
}

#[test]
fn sums_and_counts() {
    let (world, _) = world();
    assert_eq!(
        world.output("echo -n abc | sha256sum"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n"
    );
    assert_eq!(world.output("echo -e 'a b\\nc' | wc"), "2 3 6\n");
    assert_eq!(
        world.output("echo -e 'a\\nb\\nc' | head -n 2; echo abcdef | head -c 3"),
        "a\nb\nabc"
    );
}

#[test]
fn help_tells_everything() {
    let (world, _) = world();
    assert!(world.output("help").contains("\nifconfig   Shows or configures interfaces.\n"));
    assert_eq!(
        world.output("help pwd"),
        "usage: pwd\nPrints the current directory.\nexamples:\n  pwd\n"
    );
    assert_eq!(
        world.output("pwd --help; jobs --help"),
        "usage: pwd\nPrints the current directory.\nusage: jobs\nLists what runs in the \
         background.\n"
    );
    assert_eq!(failed(&world, "help frob"), (1, "help: frob: no such command\n".into()));
}

#[test]
fn usage_errors_are_status_2() {
    let (world, _) = world();
    for script in [
        "ls -Z",
        "sleep",
        "sleep x",
        "mkdir",
        "rm",
        "cp a",
        "stat",
        "cd a b",
        "netstat -Z",
        "ip",
        "ip frob",
        "ip addr frob",
        "ip -Z a",
        "route frob",
        "arp -s 1.2.3.4",
        "dhcp",
        "dhcp frob eth0",
        "dhcp -s script eth0",
        "dhcp -T 3 eth0",
        "dhcpd",
        "dhcpd eth0",
        "dhcpd frob eth0",
        "dhcpd --color blue eth0",
        "dns frob",
        "dns add",
        "ping -s 65508 127.0.0.1",
        "ping -s -1 127.0.0.1",
        "nslookup",
        "nslookup -type=NOPE x",
        "control",
        "ifconfig -Z",
        "ip link set eth0",
        "ip addr add 10.0.0.1/8",
        "kill",
        "shift x",
    ] {
        assert_eq!(failed(&world, script).0, 2, "{script}");
    }
}

/// Times as GNU's tools show and compare them; the clock began at 2001-09-09 01:46:40.
#[test]
fn files_know_when_they_were_changed() {
    let (world, _) = world();
    world.output("mkdir -p /temporary/t/d; cd /temporary/t; echo 1 > a; sleep 60; echo 22 > d/b");
    let list = |words: &str| world.output(&format!("cd /temporary/t; ls {words}"));
    assert_eq!(
        list("-l"),
        "total 1\n-rw-r--r-- 1 0 0 2 Sep  9 01:46 a\ndrwxr-xr-x 1 0 0 0 Sep  9 01:47 d\n"
    );
    assert_eq!((list("-t"), list("-tr")), ("d\na\n".into(), "a\nd\n".into()));
    assert_eq!(list("-ld d"), "drwxr-xr-x 1 0 0 0 Sep  9 01:47 d\n");
    assert_eq!(list("-Rp"), ".:\na\nd/\n\n./d:\nb\n");
    for (script, expected) in [
        ("[ d/b -nt a ] && [ a -ot d/b ] && [ a -nt none ] && echo yes", "yes\n"),
        ("find . -newer a", "./d\n./d/b\n"),
        ("find . -mmin +0 -type f", "./a\n"),
        (
            "touch -d '2020-02-29 12:00:01' a; stat -c '%n %s %Y %y' a",
            "a 2 1582977601 2020-02-29 12:00:01.000000000 +0000\n",
        ),
        ("ls -l a", "-rw-r--r-- 1 0 0 2 Feb 29  2020 a\n"),
        ("touch -t 202102030405.06 a; date -r a -Iseconds", "2021-02-03T04:05:06+00:00\n"),
        ("touch -r a d/b; [ a -nt d/b ] || [ a -ot d/b ] || echo same", "same\n"),
        ("find . -mtime -1 -type f", "./a\n./d/b\n"),
        ("touch a; find . -newer a -type f", "./d/b\n"),
        ("cat a > /dev/null; stat -c %y a", "2001-09-09 01:47:40.000000000 +0000\n"),
        ("echo x >> a; : > d/b; stat -c %F d/b", "regular empty file\n"),
    ] {
        assert_eq!(world.output(&format!("cd /temporary/t; {script}")), expected, "{script}");
    }
    for (script, why) in [
        ("touch -d 2021-02-29 a", "touch: 2021-02-29: bad time, or before 1970\n"),
        ("touch -t 13010000 a", "touch: 13010000: bad time, or before 1970\n"),
        ("touch -r none a", "touch: none: No such file or directory\n"),
        ("stat none", "stat: none: No such file or directory\n"),
    ] {
        assert_eq!(failed(&world, &format!("cd /temporary/t; {script}")), (1, why.into()));
    }
    assert_eq!(failed(&world, "stat -c %k /temporary").0, 2);
}

#[test]
fn the_machine_is_known_as_far_as_it_is() {
    let (world, _) = world();
    assert_eq!(world.output("id; id -u; id -g"), "uid=0 gid=0 groups=0\n0\n0\n");
    assert_eq!(failed(&world, "id -un"), (1, "id: -n: users have no names here\n".into()));
    assert_eq!(world.output("uptime; uptime -s"), " 01:46:40 up 0 min\n2001-09-09 01:46:40\n");
    assert_eq!(world.output("sleep 5400; uptime"), " 03:16:40 up  1:30\n");
    assert_eq!(world.output("sleep 86400; uptime"), " 03:16:40 up 1 day,  1:30\n");
    assert_eq!(world.output("clear"), "\x1b[H\x1b[2J\x1b[3J");
    let screen = "\x1b[H\x1b[2J";
    assert_eq!(
        world.output("i=0; watch -n 60 -c 2 date +%M"),
        format!("{screen}Every 60.0s: date +%M\n\n16\n{screen}Every 60.0s: date +%M\n\n17\n")
    );
    assert_eq!(world.output("watch -t -c 1 echo a 'b  c'"), format!("{screen}a b  c\n"));
    assert_eq!(world.run("watch -e -t false").status, Status(1));
    assert_eq!(failed(&world, "watch -n x true").0, 2);
}

#[test]
fn devices_are_files() {
    let (world, network) = world();
    assert_eq!(world.output("cat /devices/network/eth0"), "name eth0\n");
    assert_eq!(world.output("echo 'link up' > /devices/network/eth0"), "");
    assert_eq!(network.changes(), ["text link up"]);
    assert_eq!(
        failed(&world, "echo 'address add 192.0.2.7/24' > /devices/network/eth0"),
        (1, "echo: /devices/network/eth0: Invalid argument\n".into())
    );
    assert_eq!(world.output("ls /devices/network"), "eth0\nlo\n");
    assert_eq!(
        world.output("ls -l /devices/network"),
        "total 0\ncrw-rw-rw- 1 0 0 0, 6 Sep  9 01:46 eth0\ncrw-rw-rw- 1 0 0 0, 5 Sep  9 01:46 lo\n"
    );
    // Mounted devices are known by their path.
    for place in ["/devices", "/devices/network", "/devices/network/eth0"] {
        assert_eq!(failed(&world, &format!("mv {place} /elsewhere")).0, 1, "{place}");
    }
    assert_eq!(world.output("ls /devices/network"), "eth0\nlo\n");
    assert!(world.output("stat /devices/sockets").contains("character special file"));
}

#[test]
fn control_sends_json_or_raw_bytes() {
    let (world, network) = world();
    assert_eq!(world.output("control eth0 SetMtu 1400"), "true\n");
    assert_eq!(network.eth0.with(|state| state.status.mtu), 1400);
    assert_eq!(world.output("control --hex /devices/network/eth0 SetMtu 8005"), "01\n");
    assert_eq!(network.eth0.with(|state| state.status.mtu), 640);
    let status = world.output("control -r eth0 GetInterface");
    assert!(status.starts_with('{') && status.contains(",\"name\":\"eth0\","), "{status}");
    let pretty = world.output("control --read-only --pretty eth0 GetInterface null");
    assert!(pretty.contains("\n  \"name\": \"eth0\",\n"), "{pretty}");
    let address = r#"'{"prefix": "192.0.2.9/24"}'"#;
    assert_eq!(world.output(&format!("control eth0 AddAddress {address}")), "");
    assert!(network.changes().last().unwrap().contains("prefix: 192.0.2.9/24"));
    for (script, status, why) in [
        ("-r eth0 SetMtu 1400", 1, "eth0: Operation not permitted"),
        ("eth0 0x12345678", 1, "eth0: Inappropriate ioctl for device"),
        ("--hex eth0 SetMtu 800500", 1, "eth0: Bad message"),
        ("--hex eth0 SetMtu 8", 2, "8: bad hexadecimal bytes"),
        ("eth0 SetMtu", 2, "SetMtu: invalid type: null, expected u32 at line 1 column 4"),
        ("eth0 SetMtu -1", 2, "SetMtu: invalid value: integer `-1`, expected u32 at line 1"),
        ("eth0 NoSuch", 2, "NoSuch: bad identifier"),
    ] {
        let (code, message) = failed(&world, &format!("control {script}"));
        assert_eq!(code, status, "{script}");
        assert!(message.starts_with(&format!("control: {why}")), "{script}: {message}");
    }
    assert!(world.output("control /devices/network/eth0").contains(" read  GetInterface "));
    world.output("echo x > /temporary/file");
    for (path, why) in
        [("/temporary/file", "Inappropriate ioctl for device"), ("/devices", "Is a directory")]
    {
        let answer = failed(&world, &format!("control {path}"));
        assert_eq!(answer, (1, format!("control: {path}: {why}\n")));
    }
}

#[test]
fn a_zone_names_an_interface_of_an_ipv6_address() {
    let (world, _) = world();
    let missing = "No such device";
    for (command, message) in [
        ("ping -c1 fe80::9%nope", format!("ping: fe80::9%nope: {missing}")),
        ("ping -c1 fe80::9%", format!("ping: fe80::9%: {missing}")),
        ("ping -c1 -I lo fe80::9%eth0", "ping: fe80::9%eth0: bad address".into()),
        ("ping -c1 10.77.0.9%eth0", "ping: 10.77.0.9%eth0: bad address".into()),
        ("ping -c1 host%eth0", "ping: host%eth0: bad address".into()),
        ("nc fe80::9%nope 7", format!("nc: fe80::9%nope: {missing}")),
        ("iperf3 -c fe80::9%nope", format!("iperf3: fe80::9%nope: {missing}")),
        ("nslookup x fe80::53%nope", format!("nslookup: fe80::53%nope: {missing}")),
        ("dns add fe80::53%nope", format!("dns: nope: {missing}")),
        ("dns add 10.0.0.1%eth0", "dns: 10.0.0.1%eth0: bad address".into()),
        (
            "wget -O - http://[fe80::9%25nope]/",
            format!("wget: can't resolve 'fe80::9%nope': {missing}"),
        ),
    ] {
        assert_eq!(failed(&world, command), (1, message + "\n"), "{command}");
    }
}
