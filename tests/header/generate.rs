//! The C header of guest programs, made from the tables of commands and errors, and from the
//! encoding of the requests themselves.
//!
//! Tags of enumerations are not counted by hand: a value is encoded, and its first byte is the tag.

#[path = "records.rs"]
mod records;

use std::fmt::Write;

use devnet_network::command::TABLE;
use devnet_network::command::address::{AddressState, Origin};
use devnet_network::command::autoconfiguration::{Identifiers, Privacy};
use devnet_network::command::capture::CaptureDirection;
use devnet_network::command::configuration::NoteKind;
use devnet_network::command::dhcp::DhcpState;
use devnet_network::command::dhcp_server::LeaseState;
use devnet_network::command::dhcp6::{Dhcp6Mode, Dhcp6State};
use devnet_network::command::dns::{RecordData, RecordKind};
use devnet_network::command::drops::DropReason;
use devnet_network::command::option::{CongestionControl, PathMtuDiscovery};
use devnet_network::command::route::{ChangeMode, Preference, RouteKind};
use devnet_network::command::socket::{Direction, SocketKind, SocketOption, SocketState};
use devnet_network::command::system::HostModel;
use devnet_network::command::wireless::{self, LeaveReason, RadioState, Security};
use devnet_virtual_file_system::{Authority, Error, OpenFlags, encode, limits};
use serde::Serialize;

/// The whole header.
pub(crate) fn header() -> String {
    let mut text = String::from(BEGINNING);
    errors(&mut text);
    commands(&mut text);
    tags(&mut text);
    text.push_str(IMPORTS);
    text
}

/// `SetEnabled` as `SET_ENABLED`.
fn constant(name: &str) -> String {
    let mut text = String::new();
    let mut is_after_word = false;
    for letter in name.chars() {
        if letter.is_uppercase() && is_after_word {
            text.push('_');
        }
        is_after_word = !letter.is_uppercase();
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// A comment in lines of 100 columns.
fn comment(text: &mut String, words: &str) {
    let mut column = 2;
    text.push_str("/*");
    for word in words.split_ascii_whitespace().chain(["*/"]) {
        if column + 1 + word.len() > 100 {
            text.push_str("\n  ");
            column = 2;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + word.len();
    }
    text.push('\n');
}

fn errors(text: &mut String) {
    text.push('\n');
    comment(
        text,
        "Errors, with the numbers and words of Linux. A call that fails answers one of them, \
         negative. The order is that in which commands number them (DEVNET_TAKE_ERROR).",
    );
    text.push_str("#define DEVNET_ERRORS(ERROR) \\\n");
    for (index, error) in Error::ALL.iter().enumerate() {
        let end = if index + 1 == Error::ALL.len() { "" } else { " \\" };
        let _ = writeln!(text, "    ERROR({}, {}, \"{error}\"){end}", error.errno(), error.name());
    }
    text.push_str("enum {\n");
    for error in Error::ALL {
        let _ = writeln!(text, "    DEVNET_{} = {},", error.name(), error.errno());
    }
    text.push_str("};\n");
}

fn commands(text: &mut String) {
    text.push('\n');
    comment(
        text,
        "Commands for devnet_control. A file opened for reading is enough for those marked \
         \"read\"; the others need one opened for writing. Requests and responses are postcard: \
         https://postcard.jamesmunns.com/wire-format",
    );
    let _ = writeln!(text, "#define DEVNET_REQUEST_BYTES {}u", limits::REQUEST_BYTES);
    for entry in TABLE.iter().chain(wireless::TABLE) {
        let authority = match entry.authority {
            Authority::Read => "read",
            Authority::Write => "write",
        };
        let documentation = entry.documentation.trim();
        comment(text, &format!("{documentation} ({authority})"));
        let _ = writeln!(
            text,
            "#define DEVNET_{} 0x{:08x}u",
            constant(entry.name),
            entry.identifier.raw()
        );
    }
}

/// One enumeration: its prefix, and its values by name.
fn enumeration<T: Serialize>(text: &mut String, name: &str, values: &[(&str, T)]) {
    let _ = writeln!(text, "enum {{");
    for (value, sample) in values {
        let tag = encode(sample).expect("a value that can be encoded")[0];
        let _ = writeln!(text, "    DEVNET_{}_{value} = {tag},", name.to_uppercase());
    }
    text.push_str("};\n");
}

/// Names each value as it is in Rust, so that none can be mistaken for another.
macro_rules! values {
    ($($path:ident :: $name:ident $(($value:expr))?),+ $(,)?) => {
        &[$((constant(stringify!($name)).as_str(), $path::$name $(($value))?)),+]
    };
}

fn tags(text: &mut String) {
    text.push_str("\n/* Tags of what commands carry. */\n");
    enumeration(
        text,
        "socket",
        values![
            SocketKind::Tcp,
            SocketKind::Udp,
            SocketKind::Icmp,
            SocketKind::Raw(0),
            SocketKind::Raw6(0)
        ],
    );
    enumeration(
        text,
        "state",
        values![
            SocketState::Closed,
            SocketState::Listen,
            SocketState::SynSent,
            SocketState::SynReceived,
            SocketState::Established,
            SocketState::FinWait1,
            SocketState::FinWait2,
            SocketState::CloseWait,
            SocketState::Closing,
            SocketState::LastAck,
            SocketState::TimeWait,
        ],
    );
    enumeration(text, "shutdown", values![Direction::Read, Direction::Write, Direction::Both]);
    enumeration(
        text,
        "option",
        values![
            SocketOption::NoDelay(false),
            SocketOption::ReceiveBuffer(0),
            SocketOption::SendBuffer(0),
            SocketOption::HopLimit(0),
            SocketOption::Broadcast(false),
            SocketOption::KeepAlive(0),
            SocketOption::KeepAliveInterval(0),
            SocketOption::KeepAliveCount(0),
            SocketOption::UserTimeout(0),
            SocketOption::Linger(None),
            SocketOption::ReuseAddress(false),
            SocketOption::ReusePort(false),
            SocketOption::TrafficClass(0),
            SocketOption::DontFragment(false),
            SocketOption::MulticastInterface(String::new()),
            SocketOption::MulticastHopLimit(0),
            SocketOption::MulticastLoop(false),
            SocketOption::ReceiveErrors(false),
            SocketOption::HeaderIncluded(false),
            SocketOption::OnlyIpv6(false),
            SocketOption::BindToDevice(String::new()),
            SocketOption::CongestionControl(CongestionControl::Cubic),
            SocketOption::ExplicitCongestion(false),
            SocketOption::Timestamps(false),
            SocketOption::MaximumSegment(0),
            SocketOption::Cork(false),
            SocketOption::NotSentLowWater(0),
            SocketOption::PathMtuDiscovery(PathMtuDiscovery::Want),
            SocketOption::BlackHoleDetection(false),
        ],
    );
    enumeration(
        text,
        "path_mtu_discovery",
        values![
            PathMtuDiscovery::Never,
            PathMtuDiscovery::Want,
            PathMtuDiscovery::Always,
            PathMtuDiscovery::Probe
        ],
    );
    enumeration(
        text,
        "drop",
        values![
            DropReason::InterfaceDown,
            DropReason::Malformed,
            DropReason::Checksum,
            DropReason::NotForUs,
            DropReason::Martian,
            DropReason::UnknownProtocol,
            DropReason::NoSocket,
            DropReason::QueueFull,
            DropReason::Fragment,
            DropReason::UnacceptableSegment,
            DropReason::LinkDown,
            DropReason::NoRoute,
            DropReason::NeighborUnreachable,
            DropReason::OutputFull,
            DropReason::TooLarge,
            DropReason::Firewall,
            DropReason::FirewallOut,
        ],
    );
    enumeration(text, "security", values![Security::Open, Security::Wpa2, Security::Wpa3]);
    enumeration(
        text,
        "radio",
        values![
            RadioState::Off,
            RadioState::Idle,
            RadioState::Searching,
            RadioState::Associated,
            RadioState::AccessPoint
        ],
    );
    enumeration(
        text,
        "leave",
        values![
            LeaveReason::Requested,
            LeaveReason::OutOfRange,
            LeaveReason::AccessPointStopped,
            LeaveReason::Removed,
            LeaveReason::PoweredOff
        ],
    );
    enumeration(
        text,
        "congestion",
        values![CongestionControl::Cubic, CongestionControl::NewReno, CongestionControl::Bbr],
    );
    enumeration(
        text,
        "question",
        values![
            RecordKind::Address,
            RecordKind::A,
            RecordKind::Aaaa,
            RecordKind::Cname,
            RecordKind::Ptr
        ],
    );
    let unspecified = std::net::Ipv4Addr::UNSPECIFIED.into();
    enumeration(
        text,
        "record",
        values![
            RecordData::Address(unspecified),
            RecordData::Cname(String::new()),
            RecordData::Ptr(String::new())
        ],
    );
    records::tags(text);
    enumeration(
        text,
        "lease",
        values![
            LeaseState::Offered,
            LeaseState::Leased,
            LeaseState::Former,
            LeaseState::InUse,
            LeaseState::Reserved,
        ],
    );
    enumeration(
        text,
        "dhcp",
        values![
            DhcpState::Stopped,
            DhcpState::Init,
            DhcpState::Selecting,
            DhcpState::Requesting,
            DhcpState::Rebooting,
            DhcpState::Checking,
            DhcpState::Bound,
            DhcpState::Renewing,
            DhcpState::Rebinding,
        ],
    );
    enumeration(
        text,
        "dhcp6",
        values![
            Dhcp6State::Stopped,
            Dhcp6State::Waiting,
            Dhcp6State::Soliciting,
            Dhcp6State::Requesting,
            Dhcp6State::Confirming,
            Dhcp6State::Bound,
            Dhcp6State::Renewing,
            Dhcp6State::Rebinding,
            Dhcp6State::Informing,
            Dhcp6State::Informed,
        ],
    );
    enumeration(
        text,
        "dhcp6_mode",
        values![Dhcp6Mode::Off, Dhcp6Mode::Auto, Dhcp6Mode::Stateful, Dhcp6Mode::Stateless],
    );
    enumeration(
        text,
        "origin",
        values![Origin::Static, Origin::Dhcp, Origin::RouterAdvertisement, Origin::Kernel],
    );
    enumeration(
        text,
        "route",
        values![
            RouteKind::Unicast,
            RouteKind::Blackhole,
            RouteKind::Unreachable,
            RouteKind::Prohibit,
            RouteKind::Throw,
        ],
    );
    enumeration(
        text,
        "change",
        values![
            ChangeMode::Insert,
            ChangeMode::Append,
            ChangeMode::Prepend,
            ChangeMode::Replace,
            ChangeMode::Change,
        ],
    );
    enumeration(
        text,
        "capture_direction",
        values![CaptureDirection::Both, CaptureDirection::In, CaptureDirection::Out],
    );
    enumeration(
        text,
        "note_kind",
        values![NoteKind::MatchesNothing, NoteKind::AddressBesideDhcp, NoteKind::GatewayAwaited],
    );
    enumeration(text, "host_model", values![HostModel::Strong, HostModel::Weak]);
    enumeration(text, "preference", values![Preference::Low, Preference::Medium, Preference::High]);
    enumeration(
        text,
        "address",
        values![
            AddressState::Tentative,
            AddressState::Preferred,
            AddressState::Deprecated,
            AddressState::Duplicated,
        ],
    );
    enumeration(text, "identifiers", values![Identifiers::HardwareAddress, Identifiers::Stable]);
    enumeration(text, "privacy", values![Privacy::Off, Privacy::On, Privacy::Preferred]);
    text.push_str("\n/* How devnet_open opens. */\nenum {\n");
    for (name, flag) in OpenFlags::all().iter_names() {
        let _ = writeln!(text, "    DEVNET_{name} = {},", flag.bits());
    }
    text.push_str("};\n");
}

const BEGINNING: &str = "\
/* devnet.h: the files, devices and commands of devnet, for guest programs in C (C99, with or
   without a C library).

   Made by `cargo run -p devnet-tests --bin c-header` from the tables in the sources. Do not edit: a
   test compares. devnet_socket.h, beside it, makes sockets of this. */
#ifndef DEVNET_H
#define DEVNET_H

#include <stddef.h>
#include <stdint.h>
";

const IMPORTS: &str = r#"
/* Where devnet_seek starts. */
enum { DEVNET_FROM_START = 0, DEVNET_FROM_HERE = 1, DEVNET_FROM_END = 2 };

/* What devnet_poll asks and tells (POSIX' pollfd). A negative descriptor stands for nothing. */
struct devnet_pollfd {
    int32_t descriptor;
    uint16_t asked;
    uint16_t found;
};
enum {
    DEVNET_IN = 1,
    DEVNET_OUT = 4,
    DEVNET_FAULT = 8,
    DEVNET_HANG_UP = 16,
    DEVNET_INVALID = 32,
};

/* What devnet_stat tells. */
struct devnet_stat {
    uint64_t size;
    uint64_t inode;
    uint32_t kind;
    uint32_t mode;
};
enum { DEVNET_KIND_DIRECTORY = 0, DEVNET_KIND_FILE = 1, DEVNET_KIND_DEVICE = 2 };

/* The calls. Each answers a negative error, or what stands beside it. Descriptors are those of the
   C library too. */
#define DEVNET_IMPORT(name) __attribute__((import_module("vfs"), import_name(name))) extern

/* A descriptor. */
DEVNET_IMPORT("open") int32_t devnet_open_path(const char *path, size_t length, uint32_t flags);
/* 0. */
DEVNET_IMPORT("close") int32_t devnet_close(int32_t descriptor);
/* Bytes; 0 at the end. */
DEVNET_IMPORT("read") int32_t devnet_read(int32_t descriptor, void *buffer, size_t length);
/* Bytes. */
DEVNET_IMPORT("write") int32_t devnet_write(int32_t descriptor, const void *data, size_t length);
/* Bytes of the whole response; as many as fit were written. */
DEVNET_IMPORT("control")
int32_t devnet_control(int32_t descriptor, uint32_t command, const void *request, size_t length,
                       void *response, size_t capacity);
/* Descriptors that are ready. It waits so many milliseconds, or for ever with -1. */
DEVNET_IMPORT("poll")
int32_t devnet_poll(struct devnet_pollfd *entries, size_t count, int32_t milliseconds);
/* 0. */
DEVNET_IMPORT("seek")
int32_t devnet_seek(int32_t descriptor, int64_t offset, uint32_t whence, uint64_t *result);
/* 0. */
DEVNET_IMPORT("stat")
int32_t devnet_stat_path(const char *path, size_t length, struct devnet_stat *result);
/* 0. */
DEVNET_IMPORT("stat_open") int32_t devnet_stat_open(int32_t descriptor, struct devnet_stat *result);
/* Bytes of the whole list: kind, length of the name, name for each entry; as many bytes as fit were
   written. */
DEVNET_IMPORT("list")
int32_t devnet_list(const char *path, size_t length, void *buffer, size_t capacity);
/* 0. */
DEVNET_IMPORT("set_non_blocking")
int32_t devnet_set_non_blocking(int32_t descriptor, uint32_t is_on);
/* Another descriptor of the same open file. */
DEVNET_IMPORT("duplicate") int32_t devnet_duplicate(int32_t descriptor);
/* 0. */
DEVNET_IMPORT("create_directory") int32_t devnet_create_directory(const char *path, size_t length);
/* 0. */
DEVNET_IMPORT("remove") int32_t devnet_remove(const char *path, size_t length);
/* 0. */
DEVNET_IMPORT("rename")
int32_t devnet_rename(const char *from, size_t from_length, const char *to, size_t to_length);

/* What a guest uses of its limits, and how much it may. */
struct devnet_amount {
    uint64_t used;
    uint64_t limit;
};
struct devnet_usage {
    struct devnet_amount memory, files, sockets, buffers, storage, nodes;
};
/* Bytes of the whole answer; as many as fit were written. */
DEVNET_IMPORT("usage") int32_t devnet_usage(struct devnet_usage *result, size_t capacity);

#endif
"#;
