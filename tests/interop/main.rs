//! The real world: the Linux kernel over TAP, dnsmasq, Unbound, Avahi, udhcpc, dhclient, kea,
//! nginx, curl, iperf3, tshark; loss by nft, queues by tc; the terminal in tmux and by telnet.
//!
//! Every scenario is a shell script in this folder that runs in a network namespace of its own
//! (`unshare -n`), so that nothing outside can be touched and everything is gone afterwards.
//! Scenarios need root, `/dev/net/tun` and tools; without them they are skipped with a message,
//! unless `DEVNET_REQUIRE_ALL` is set, as in CI.

#[path = "../guests/compiled/compiler.rs"]
#[expect(dead_code, reason = "the tests of guests use more of it")]
mod compiler;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{OnceLock, PoisonError, RwLock};

/// Why scenarios cannot run here, if they cannot.
fn missing(tools: &[&str]) -> Option<String> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        return Some("root".into());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("/dev/net/tun".into());
    }
    let has = |tool: &str| {
        Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    tools.iter().find(|tool| !has(tool)).map(|tool| (*tool).to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The program, built as users run it.
fn devnet() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "-p", "devnet-shell-commands"])
            .current_dir(root())
            .status();
        assert!(built.expect("cargo").success(), "devnet does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root().join("target"), PathBuf::from);
        target.join("release/devnet")
    })
}

/// Scripts that compare speeds, or wait for much work.
const MEASURED: [&str; 6] =
    ["transfer.sh", "loss.sh", "fairness.sh", "crowd.sh", "iperf3.sh", "segments.sh"];

fn run(script: &str, tools: &[&str]) {
    run_with(script, tools, || Vec::from([("DEVNET", devnet().to_owned())]));
}

/// Runs a script with an environment that is made only if it runs.
fn run_with(script: &str, tools: &[&str], made: impl Fn() -> Vec<(&'static str, PathBuf)>) {
    if let Some(what) = missing(tools) {
        assert!(
            std::env::var_os("DEVNET_REQUIRE_ALL").is_none(),
            "{script} must run here and needs {what}"
        );
        eprintln!("skipped: {script} needs {what}");
        return;
    }
    // Those that measure speed have the machine for themselves.
    static TURN: RwLock<()> = RwLock::new(());
    let (_alone, _beside) = match MEASURED.contains(&script) {
        true => (Some(TURN.write().unwrap_or_else(PoisonError::into_inner)), None),
        false => (None, Some(TURN.read().unwrap_or_else(PoisonError::into_inner))),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(script);
    let output = Command::new("timeout")
        .args(["--kill-after=5", "240", "unshare", "-n", "bash"])
        .arg(&path)
        .envs(made())
        .output()
        .expect("unshare");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(output.status.success(), "{script} failed: {}\n{text}", output.status);
}

#[test]
fn the_kernel_pings_us_and_every_checksum_is_right() {
    run("ping.sh", &["ip", "ping", "tshark", "dnsmasq"]);
}

#[test]
fn the_kernel_meets_what_our_rules_say() {
    run("firewall.sh", &["ip", "ping", "python3", "dnsmasq"]);
}

#[test]
fn traceroute_finds_the_routers_of_the_kernel() {
    run("traceroute.sh", &["ip", "nsenter", "sysctl"]);
}

#[test]
fn tshark_reads_what_a_device_captures() {
    run("capture.sh", &["ip", "ping", "curl", "tshark"]);
}

#[test]
fn routes_and_names_are_those_that_dnsmasq_gives() {
    run("names.sh", &["ip", "dnsmasq"]);
}

#[test]
fn avahi_and_we_find_each_other() {
    let tools = ["ip", "dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish"];
    run("multicast_dns.sh", &tools);
}

#[test]
fn unbound_answers_in_every_way() {
    run("unbound.sh", &["ip", "unbound"]);
}

#[test]
fn udhcpc_and_dhclient_get_leases_from_us() {
    run("dhcp_server.sh", &["ip", "udhcpc", "dhclient"]);
}

#[test]
fn a_lease_of_kea_is_renewed_and_ends_with_it() {
    run("dhcp_client.sh", &["ip", "kea-dhcp4"]);
}

#[test]
fn kea_dnsmasq_and_dhclient_speak_dhcpv6_with_us() {
    run("dhcp6.sh", &["ip", "sysctl", "kea-dhcp6", "dnsmasq", "dhclient"]);
}

#[test]
fn routers_advertise_to_each_other_and_the_kernel() {
    run("routers.sh", &["ip", "radvd", "rdisc6"]);
}

#[test]
fn a_hundred_megabytes_each_way_are_intact() {
    run("transfer.sh", &["ip", "curl", "nginx", "dnsmasq"]);
}

#[test]
fn redirects_ranges_and_conditions_agree() {
    run("http.sh", &["ip", "curl", "nginx"]);
}

#[test]
fn iperf3_speaks_with_itself() {
    run("iperf3.sh", &["ip", "iperf3"]);
}

#[test]
fn a_bad_path_is_fast_enough_and_loses_nothing() {
    run("loss.sh", &["ip", "nft", "tc", "nsenter", "curl", "nginx", "iperf3"]);
}

#[test]
fn our_cubic_and_that_of_the_kernel_share_a_link() {
    run("fairness.sh", &["ip", "tc", "nsenter", "ping", "iperf3"]);
}

#[test]
fn five_thousand_clients_at_once_are_served() {
    run_with("crowd.sh", &["ip", "curl"], || {
        let crowd = PathBuf::from(env!("CARGO_BIN_EXE_crowd"));
        Vec::from([("DEVNET", devnet().to_owned()), ("CROWD", crowd)])
    });
}

#[test]
fn the_terminal_is_as_it_looks_in_tmux() {
    run("terminal.sh", &["tmux"]);
}

#[test]
fn the_telnet_of_others_has_a_shell_of_ours() {
    run("telnet.sh", &["ip", "ping", "telnet", "tmux", "openssl"]);
}

#[test]
fn busybox_prints_what_our_shell_prints() {
    run("busybox.sh", &["ip", "unshare", "busybox"]);
}

#[test]
fn parsers_of_the_tools_read_ours() {
    run("jc.sh", &["jc", "python3"]);
}

#[test]
fn a_browser_shows_what_the_stack_says() {
    run("dashboard.sh", &["ip", "curl", "ping", "dnsmasq", "tshark", "python3", "chromedriver"]);
}

#[test]
fn a_serial_line_has_a_shell() {
    run("serial.sh", &["python3"]);
}

#[test]
fn an_idle_program_makes_no_wake_ups() {
    run("idle.sh", &["ip"]);
}

/// The test of scripts of segments, which can run them against the kernel.
fn segments() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["test", "--no-run", "--quiet", "-p", "devnet-tests", "--test", "segments"])
        .arg("--message-format=json")
        .current_dir(root())
        .output()
        .expect("cargo");
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(executable).next_back().expect("segments do not build")
}

#[test]
fn the_kernel_keeps_scripts_of_segments_too() {
    run_with("segments.sh", &["ip", "sysctl"], || Vec::from([("SEGMENTS", segments())]));
}

#[test]
fn guests_talk_with_the_kernel() {
    // In C, and on a library that others made. They are made here, since the script's namespace
    // reaches no registry.
    let (Some(c), Some(rust)) = (compiler::c_programs(), compiler::rust_std_programs()) else {
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, module) in c.iter().chain(rust) {
        std::fs::write(folder.join(format!("{name}.wasm")), module).expect("a module");
    }
    let tools = ["ip", "curl", "nginx", "dnsmasq"];
    run_with("guests.sh", &tools, || {
        Vec::from([("DEVNET", devnet().to_owned()), ("GUESTS", folder.clone())])
    });
}
