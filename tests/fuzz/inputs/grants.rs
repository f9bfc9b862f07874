//! Manifests of guests: a refused one changes nothing, an accepted one is bounded.

use devnet_guest_programs::grants::Grants;
use devnet_guest_programs::limits;

use super::{Trace, size};

pub(crate) const TOKENS: &[&[u8]] = &[
    b"\n",
    b" ",
    b"#",
    b"allow-interface ",
    b"allow-command ",
    b"allow-connect ",
    b"allow-listen ",
    b"allow-from ",
    b"allow-raw",
    b"allow-file ",
    b"limit-files ",
    b"limit-sockets ",
    b"limit-buffers ",
    b"limit-memory ",
    b"limit-storage ",
    b"limit-nodes ",
    b"limit-bandwidth ",
    b"limit-fuel ",
    b"eth0",
    b"*",
    b":read",
    b":write",
    b":80",
    b":0-65535",
    b"10.0.0.0/8",
    b"[::]",
    b"[fd00::/8]:53",
    b"web.lan",
    b"*.lan",
    b"tcp:",
    b"udp:",
    b"4G",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"route",
    b"controller",
    b"/temporary",
    b"/..",
];

/// Adds the text as a manifest.
pub(crate) fn check(bytes: &[u8], trace: &mut Trace) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut before = Grants::default();
    before.add("allow-connect", "10.0.0.1:80").unwrap();
    let mut after = before.clone();
    if let Err(why) = after.add_manifest(text) {
        assert_eq!(after, before, "a refused manifest changed something");
        // Without the number of the line and the value.
        let why = why.to_string();
        return trace.note(why.rsplit(':').next().map(str::to_owned));
    }
    let counts = [
        after.interfaces.len(),
        after.connect.len(),
        after.listen.len(),
        after.from.len(),
        after.files.len(),
        after.commands.as_ref().map_or(0, Vec::len),
    ];
    assert!(counts.iter().sum::<usize>() <= limits::GRANTS);
    assert!(counts.iter().sum::<usize>() <= text.lines().count() + 1, "more than one a line");
    assert!(after.limits.files <= limits::FILES_MAXIMUM);
    for (which, count) in counts.iter().enumerate() {
        trace.note((which, size(*count)));
    }
    for remote in &after.connect {
        trace.note((std::mem::discriminant(&remote.host), remote.ports.is_some()));
    }
    for ports in &after.listen {
        trace.note((ports.transport.is_some(), *ports.ports.start() == 0));
    }
    for interface in &after.interfaces {
        trace.note((
            interface.name == "*",
            interface.access == devnet_guest_programs::grants::Access::Read,
        ));
    }
    trace.note((after.raw, after.limits == before.limits, after.limits.bandwidth.is_some()));
    // Remarks and empty lines are nothing, and a manifest says the same each time.
    let mut again = before.clone();
    again.add_manifest(&format!("# remark\n\n{text}\n  \n#")).expect("remarks add nothing");
    assert_eq!(again, after);
}
