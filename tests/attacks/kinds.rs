//! The guests' programs: what each does in its loop.

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Instructions before the loop, and in it.
    pub(crate) before: &'static str,
    pub(crate) body: &'static str,
    /// Pages of memory.
    pub(crate) pages: u32,
    /// What stands in its memory from 256 on.
    pub(crate) text: &'static str,
}

const fn kind(name: &'static str, body: &'static str) -> Kind {
    Kind { name, before: "", body, pages: 32, text: "" }
}

/// One with a text in its memory.
const fn says(name: &'static str, text: &'static str, body: &'static str) -> Kind {
    Kind { text, ..kind(name, body) }
}

/// Those that keep the processor and the tree of files busy.
pub(crate) const LOCAL: [Kind; 16] = [
    kind("computes", ""),
    Kind {
        pages: 1000,
        ..kind("fills memory", "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3e00000))")
    },
    Kind {
        pages: 1000,
        ..kind("copies memory", "(memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3e00000))")
    },
    kind(
        "grows its memory, and ends",
        "(br_if $again (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))) unreachable",
    ),
    kind(
        "grows its table, and ends",
        "(br_if $again (i32.ge_s (table.grow (ref.null func) (i32.const 10)) (i32.const 0)))
        unreachable",
    ),
    kind("recurses, and ends", "(call $deep)"),
    kind("traps at once", "unreachable"),
    kind(
        "lists 40,000 files",
        "(drop (call $list (i32.const 16) (i32.const 14) (i32.const 4096) (i32.const 1000000)))",
    ),
    Kind {
        before: "(local.set $i (call $open (i32.const 16) (i32.const 14) (i32.const 129)))",
        ..kind(
            "reads the end of 40,000",
            "(drop (call $readdir (local.get $i) (i32.const 4096) (i32.const 64)
                (i64.const 30000) (i32.const 1000)))",
        )
    },
    kind(
        "creates files",
        "(call $name (i32.const -1))
        (drop (call $close (call $open (i32.const 32) (i32.const 20) (i32.const 10))))",
    ),
    kind(
        "creates and removes files",
        "(call $name (i32.const -1))
        (drop (call $close (call $open (i32.const 32) (i32.const 20) (i32.const 10))))
        (drop (call $remove (i32.const 32) (i32.const 20)))",
    ),
    kind(
        "appends a byte to 4,096 files",
        "(call $name (i32.const 0xfff))
        (local.set $i (call $open (i32.const 32) (i32.const 20) (i32.const 14)))
        (drop (call $write (local.get $i) (i32.const 0) (i32.const 1)))
        (drop (call $close (local.get $i)))",
    ),
    kind(
        "writes a megabyte to files",
        "(call $name (i32.const 0xff))
        (local.set $i (call $open (i32.const 32) (i32.const 20) (i32.const 10)))
        (drop (call $write (local.get $i) (i32.const 0) (i32.const 1000000)))
        (drop (call $close (local.get $i)))",
    ),
    kind("asks for random bytes", "(drop (call $random (i32.const 4096) (i32.const 1000000)))"),
    kind("polls", "(drop (call $poll (i32.const 4096) (i32.const 64) (i32.const 0)))"),
    kind("prints", "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1000000)))"),
];

/// Those that use the network.
pub(crate) const NETWORK: [Kind; 11] = [
    says(
        "opens and closes sockets",
        "socket udp",
        "(drop (call $close (call $socket (i32.const 10))))",
    ),
    says("opens sockets", "socket udp", "(drop (call $socket (i32.const 10)))"),
    Kind {
        before: "(local.set $i (call $socket (i32.const 30)))",
        ..says(
            "sends datagrams",
            "socket udp\nconnect 10.0.0.66:9",
            "(drop (call $write (local.get $i) (i32.const 4096) (i32.const 64)))",
        )
    },
    says(
        "sends to ever new neighbors",
        "socket udp\nconnect 10.111.100.100:9",
        "(call $address)
        (local.set $i (call $socket (i32.const 35)))
        (drop (call $write (local.get $i) (i32.const 4096) (i32.const 64)))
        (drop (call $close (local.get $i)))",
    ),
    says(
        "connects and closes at once",
        "socket tcp\nconnect 10.0.0.66:9",
        "(drop (call $close (call $rushed (i32.const 30))))",
    ),
    says(
        "connects and is refused",
        "socket tcp\nconnect 10.0.0.2:99",
        "(drop (call $close (call $socket (i32.const 30))))",
    ),
    says(
        "closes sockets with data in them",
        "socket tcp\nconnect 10.0.0.2:83",
        "(local.set $i (call $socket (i32.const 30)))
        (drop (call $write (local.get $i) (i32.const 4096) (i32.const 100000)))
        (drop (call $close (local.get $i)))",
    ),
    says(
        "joins and leaves groups",
        "socket udp\njoin 239.1.2.3 eth0\nleave 239.1.2.3 eth0",
        "(drop (call $close (call $socket (i32.const 51))))",
    ),
    Kind {
        before: "(call $lines)
            (local.set $i (call $open (i32.const 64) (i32.const 21) (i32.const 3)))",
        ..says(
            "writes 7,000 lines at once",
            "metric 1\n",
            "(drop (call $write (local.get $i) (i32.const 4096) (i32.const 63000)))",
        )
    },
    Kind {
        before: "(local.set $i (call $socket (i32.const 27)))",
        ..says(
            "takes offers, accepts none",
            "socket tcp\nbind *:84\nlisten",
            "(local.set $j (call $open (i32.const 96) (i32.const 16) (i32.const 3)))
            (drop (call $write (local.get $j) (i32.const 128) (i32.const 30)))
            (drop (call $control (local.get $i) (i32.const $NEXT) (i32.const 0) (i32.const 0)
                (i32.const 4096) (i32.const 1000)))
            (drop (call $close (local.get $j)))",
        )
    },
    says(
        "looks names up",
        "\\07web.lan\\00\\00",
        "(local.set $i (call $open (i32.const 96) (i32.const 16) (i32.const 3)))
        (drop (call $rush (local.get $i) (i32.const 1)))
        (drop (call $control (local.get $i) (i32.const $RESOLVE) (i32.const 256) (i32.const 10)
            (i32.const 4096) (i32.const 1000)))
        (drop (call $close (local.get $i)))",
    ),
];
