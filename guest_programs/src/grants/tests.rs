//! Valid and invalid grants.

use alloc::string::ToString;

use super::*;

fn granted(lines: &str) -> Grants {
    let mut grants = Grants::default();
    grants.add_manifest(lines).unwrap();
    grants
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn nothing_is_granted_by_default() {
    let none = Grants::default();
    assert_eq!(none.interface("eth0"), None);
    assert!(!none.has_sockets() && !none.raw);
    assert!(
        !none.remote(address("127.0.0.1"), Some(80))
            && !none.name("web.lan")
            && !none.local(Transport::Tcp, 80)
    );
    assert_eq!(none.file(&Path::parse("/temporary").unwrap()), None);
}

#[test]
fn hosts_are_addresses_prefixes_names_and_suffixes() {
    let grants = granted(
        "allow-connect 10.0.2.0/24:80\nallow-connect web.lan:443\n\
         allow-connect *.example\nallow-connect [fd00::1]:7-9",
    );
    assert!(
        grants.remote(address("10.0.2.4"), Some(80))
            && grants.remote(address("::ffff:10.0.2.4"), Some(80))
    );
    assert!(
        !grants.remote(address("10.0.2.4"), Some(81)) && !grants.remote(address("10.0.2.4"), None)
    );
    assert!(!grants.remote(address("10.0.3.4"), Some(80)));
    assert!(
        grants.remote(address("fd00::1"), Some(8)) && !grants.remote(address("fd00::1"), Some(10))
    );
    assert!(
        grants.name("WEB.lan.")
            && grants.name("a.b.example")
            && !grants.name("example")
            && !grants.name("xweb.lan")
    );
    assert!(!grants.name("web.lan.evil"));
}

#[test]
fn nowhere_is_this_system() {
    let grants = granted("allow-connect 127.0.0.0/8");
    assert!(
        grants.remote(address("0.0.0.0"), Some(1))
            && grants.remote(address("::ffff:127.0.0.1"), None)
    );
    assert!(!grants.remote(address("::1"), Some(1)));
}

#[test]
fn interfaces_files_ports_and_correspondents() {
    let grants = granted(
        "# a comment\n\nallow-interface eth0\nallow-interface eth1:write\n\
         allow-file /temporary:write\nallow-file /configuration/a\n\
         allow-listen tcp:80\nallow-listen 5000-5001\nallow-from 10.0.0.0/8",
    );
    assert_eq!(
        (grants.interface("eth0"), grants.interface("eth1")),
        (Some(Access::Read), Some(Access::Write))
    );
    assert_eq!((grants.interface("lo"), grants.all_interfaces()), (None, None));
    let file = |text| grants.file(&Path::parse(text).unwrap());
    assert_eq!(
        (file("/temporary"), file("/temporary/a/b")),
        (Some(Access::Write), Some(Access::Write))
    );
    assert_eq!(
        (file("/configuration/a"), file("/configuration/ab"), file("/")),
        (Some(Access::Read), None, None)
    );
    assert!(
        grants.local(Transport::Tcp, 80)
            && !grants.local(Transport::Udp, 80)
            && grants.local(Transport::Udp, 5001)
    );
    assert!(!grants.local(Transport::Tcp, 0));
    assert!(
        grants.reachable_from(address("10.1.2.3")) && !grants.reachable_from(address("11.1.2.3"))
    );
}

#[test]
fn limits_are_numbers_with_units() {
    let grants = granted(
        "limit-files 3\nlimit-memory 2M\nlimit-bandwidth 64K\n\
         limit-fuel 5\nlimit-buffers 1G\nlimit-sockets 0",
    );
    let limits = &grants.limits;
    assert_eq!((limits.files, limits.memory_bytes, limits.bandwidth), (3, 2 << 20, Some(64 << 10)));
    assert_eq!(
        (limits.fuel_per_second, limits.buffer_bytes, limits.sockets),
        (Some(5), 1 << 30, 0)
    );
}

#[test]
fn commands_are_names_or_nouns() {
    let grants = granted("allow-command GetInterface\nallow-command address");
    assert!(grants.command("GetInterface", "interface") && grants.command("AddAddress", "address"));
    assert!(
        !grants.command("SetEnabled", "interface")
            && Grants::default().command("SetEnabled", "interface")
    );
}

#[test]
fn a_wrong_manifest_grants_nothing() {
    let mut grants = Grants::default();
    for (text, part) in [
        ("allow-connect web.lan:80\nallow-nonsense x", "line 2: allow-nonsense: not a grant"),
        ("allow-connect", "not a host"),
        ("allow-connect 10.0.0.1/24", "not a host"),
        ("allow-connect 300.1.1.1", "not a host"),
        ("allow-connect a:99999", "not a port"),
        ("allow-connect a:9-8", "not a port"),
        ("allow-connect [::1", "bracket"),
        ("allow-connect *lan", "not a host"),
        ("allow-connect a..b", "not a host"),
        ("allow-listen sctp:80", "neither tcp nor udp"),
        ("allow-listen", "not a port"),
        ("allow-from 10.0.0.1/8", "prefix"),
        ("allow-interface a/b", "not an interface"),
        ("allow-interface aaaaaaaaaaaaaaaaaaaa", "not an interface"),
        ("allow-command Nonsense", "not a command"),
        ("allow-file relative", "relative"),
        ("allow-raw yes", "takes no value"),
        ("limit-files 5000", "not a number up to"),
        ("limit-memory 1T", "not a number"),
        ("limit-memory 99999999999G", "not a number"),
        ("limit-fuel -1", "not a number"),
    ] {
        let why = grants.add_manifest(text).expect_err(text).to_string();
        assert!(why.contains(part), "{text}: {why}");
        assert_eq!(grants, Grants::default(), "{text}");
    }
}

#[test]
fn there_is_an_end_to_grants() {
    let mut grants = Grants::default();
    for _ in 0..limits::GRANTS {
        grants.add("allow-connect", "a").unwrap();
    }
    assert!(grants.add("allow-connect", "a").is_err());
    assert!(grants.add_manifest(&"#".repeat(limits::MANIFEST_BYTES + 1)).is_err());
}
