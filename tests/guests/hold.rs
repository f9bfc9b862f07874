//! What a greedy guest can take from others: who causes a cost pays for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::compiled::scene::Scene;
use devnet_guest_programs::{Exit, Idle, Process, Programs, give_way};
use devnet_virtual_file_system::limits::NODE_BYTES;
use devnet_virtual_file_system::{
    Credentials, Disposer, Error, Lock, Mode, OpenFlags, Path, VirtualFileSystem, pipe,
};
use futures_lite::future;
use world::pair::hosts;
use world::puppet::{self, FREE, Puppet, host, launch, program, silent};
use world::{Host, World};

/// The longest turn that a guest may take: a millisecond where it is optimised.
const TURN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 1 });

fn create(
    host: &Host,
    path: &str,
) -> devnet_virtual_file_system::Result<devnet_virtual_file_system::File> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let path = Path::parse(path).unwrap();
    host.files.open(&Credentials::root(), &path, flags, Mode::from_octal(0o644))
}

const APPEND: u32 = 4;

/// Makes files `/temporary/xxxx` until it may not.
const MAKER: &str = "(module
    (import \"vfs\" \"open\" (func $open (param i32 i32 i32) (result i32)))
    (import \"vfs\" \"close\" (func $close (param i32) (result i32)))
    (memory (export \"memory\") 1)
    (data (i32.const 0) \"/temporary/aaaaa\")
    (func $four (param i32) (result i32) (i32.and (local.get 0) (i32.const 15)))
    (func $digit (param $at i32) (param $value i32)
        (i32.store8 (local.get $at) (i32.add (i32.const 97) (local.get $value))))
    (func (export \"_start\") (local $number i32) (local $file i32)
        (loop $l
            (call $digit (i32.const 11) (call $four (i32.shr_u (local.get $number) (i32.const 16))))
            (call $digit (i32.const 12) (call $four (i32.shr_u (local.get $number) (i32.const 12))))
            (call $digit (i32.const 13) (call $four (i32.shr_u (local.get $number) (i32.const 8))))
            (call $digit (i32.const 14) (call $four (i32.shr_u (local.get $number) (i32.const 4))))
            (call $digit (i32.const 15) (call $four (local.get $number)))
            (local.set $number (i32.add (local.get $number) (i32.const 1)))
            (local.set $file (call $open (i32.const 0) (i32.const 16) (i32.const 10)))
            (br_if $l (i32.ge_s (call $close (local.get $file)) (i32.const 0))))))";

#[test]
fn hold_2_no_guest_takes_the_last_nodes() {
    let world = World::new(1);
    let host = host(&world);
    let (process, _output) =
        silent(&world, &host, "allow-file /temporary:write", &program(MAKER)).unwrap();
    assert!(puppet::turns(process, 100_000).is_some(), "it is refused at last");
    create(&host, "/temporary/another").unwrap();
}

#[test]
fn hold_2_storage_and_nodes_of_a_guest_have_limits_of_their_own() {
    let world = World::new(1);
    let host = host(&world);
    let programs = Programs::new();
    let lines = "allow-file /temporary:write\nlimit-nodes 3\nlimit-storage 100K";
    let guest = Puppet::start_listed(&world, &host, lines, &programs);
    let used = || {
        let all = programs.list();
        (all[0].nodes, all[0].storage_bytes)
    };
    world.run(async {
        for name in ["a", "b", "c"] {
            let file = guest.open(&format!("/temporary/{name}"), 10).await;
            assert!(file > 0 && guest.call("close", &[file as u64]).await == 0);
        }
        assert_eq!(guest.open("/temporary/d", 10).await, super::error(Error::NoSpace));
        assert_eq!(used(), (3, 3 * NODE_BYTES));
        // What somebody else removes is free again; what is open is not.
        let file = guest.open("/temporary/a", 2).await;
        host.files.remove(&Credentials::root(), &Path::parse("/temporary/a").unwrap()).unwrap();
        assert_eq!(guest.open("/temporary/d", 10).await, super::error(Error::NoSpace));
        assert_eq!(guest.call("close", &[file as u64]).await, 0);
        let file = guest.open("/temporary/d", 10).await;
        guest.poke(FREE, &[1; 60_000]).await;
        let write = [file as u64, u64::from(FREE), 60_000];
        assert_eq!(guest.call("write", &write).await, 60_000);
        assert_eq!(guest.call("write", &write).await, 5536);
        assert_eq!(guest.call("write", &write).await, super::error(Error::NoSpace));
        assert!(used().1 <= 100 << 10 && used().0 == 3, "{:?}", used());
        // The guest sees its account, too.
        assert_eq!(guest.call("usage", &[u64::from(FREE), 96]).await, 96);
        let storage = [guest.number_at(FREE + 64).await, guest.number_at(FREE + 72).await];
        assert_eq!((storage[0] as usize, storage[1]), (used().1, 100 << 10));
        let nodes = [guest.number_at(FREE + 80).await, guest.number_at(FREE + 88).await];
        assert_eq!(nodes, [3, 3]);
        // Files of others grow at the cost of whoever writes to them.
        create(&host, "/temporary/system").unwrap();
        let file = guest.open("/temporary/system", APPEND).await;
        guest.poke(FREE, &[1; 60_000]).await;
        let write = [file as u64, u64::from(FREE), 60_000];
        assert_eq!(guest.call("write", &write).await, super::error(Error::NoSpace));
    });
    // A guest that is killed leaves files behind, which count for all guests until they are gone.
    let left = host.files.stored();
    programs.kill(guest.number).unwrap();
    assert_eq!(world.run(guest.exit), Exit::Killed);
    assert_eq!(host.files.stored(), left);
    for name in ["b", "c", "d", "system"] {
        let path = Path::parse(&format!("/temporary/{name}")).unwrap();
        host.files.remove(&Credentials::root(), &path).unwrap();
    }
    assert_eq!(host.files.stored(), world::puppet::host(&world).files.stored());
}

/// The processor time of this thread, which other programs do not change.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_ascii_whitespace().next().unwrap().parse().unwrap())
}

/// What a guest did in its turns.
struct Watched {
    exit: Option<Exit>,
    turns: u32,
    longest: Duration,
}

/// Gives a guest so many turns, and measures them.
fn watch(world: &World, host: &Host, lines: &str, text: &str, most: u32) -> Watched {
    let (process, _output) = silent(world, host, lines, &program(text)).unwrap();
    let mut running = Box::pin(process.run());
    let mut watched = Watched { exit: None, turns: 0, longest: Duration::ZERO };
    while watched.turns < most && watched.exit.is_none() {
        watched.turns += 1;
        let before = processor_time();
        if let Poll::Ready(exit) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            watched.exit = Some(exit);
        }
        watched.longest = watched.longest.max(processor_time() - before);
    }
    watched
}

/// Runs a body in a module with a memory of some pages.
fn body(pages: &str, body: &str) -> String {
    format!(
        "(module
        (import \"vfs\" \"open\" (func $open (param i32 i32 i32) (result i32)))
        (import \"vfs\" \"write\" (func $write (param i32 i32 i32) (result i32)))
        (import \"vfs\" \"list\" (func $list (param i32 i32 i32 i32) (result i32)))
        (import \"vfs\" \"stat\" (func $stat (param i32 i32 i32) (result i32)))
        (import \"vfs\" \"poll\" (func $poll (param i32 i32 i32) (result i32)))
        (import \"wasi_snapshot_preview1\" \"fd_readdir\"
            (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
        (import \"wasi_snapshot_preview1\" \"random_get\"
            (func $random (param i32 i32) (result i32)))
        (memory (export \"memory\") {pages})
        (data $text \"/temporary\")
        (data (i32.const 16) \"/temporary\")
        (data (i32.const 32) \"/temporary/file\")
        (data (i32.const 64) \"/devices/network/eth0\")
        (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
        (func (export \"_start\") (local $i i32) (local $j i32) {body}))"
    )
}

#[test]
fn hold_1_instructions_that_move_much_memory_are_cut() {
    let world = World::new(1);
    let host = host(&world);
    // Each moves 32 MiB at 64 bytes for a unit of fuel: 65 turns.
    for text in [
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x2000000))",
        "(memory.copy (i32.const 0) (i32.const 0x2000000) (i32.const 0x2000000))",
        "(memory.copy (i32.const 0x1000000) (i32.const 0) (i32.const 0x2000000))",
    ] {
        let watched = watch(&world, &host, "", &body("1024", text), 10_000);
        assert_eq!(watched.exit, Some(Exit::Status(0)), "{text}");
        assert!(watched.turns > 60, "{text}: {} turns", watched.turns);
        assert!(watched.longest < TURN, "{text}: {:?}", watched.longest);
    }
    let text = "(call $check (i32.eq (memory.grow (i32.const 512)) (i32.const 1)))
        (call $check (i32.eq (memory.size) (i32.const 513)))";
    let watched = watch(&world, &host, "", &body("1", text), 10_000);
    assert_eq!(watched.exit, Some(Exit::Status(0)));
    assert!(watched.turns > 60 && watched.longest < TURN, "{:?}", watched.longest);
}

#[test]
fn hold_14_the_memory_that_a_module_declares_is_made_in_turns() {
    let (world, turns) = (World::new(1), Arc::new(AtomicUsize::new(0)));
    let host = host(&world);
    let idle: Idle = {
        let turns = Arc::clone(&turns);
        Arc::new(move || {
            turns.fetch_add(1, Ordering::Relaxed);
            give_way()()
        })
    };
    let text = "(module
        (memory (export \"memory\") 1000 1010)
        (data (i32.const 0x3e70000) \"there\")
        (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
        (func $begin (call $check (i32.eq (i32.load8_u (i32.const 0x3e70000)) (i32.const 116))))
        (start $begin)
        (func (export \"_start\")
            (call $check (i32.eq (memory.size) (i32.const 1000)))
            (call $check (i32.eq (memory.grow (i32.const 11)) (i32.const -1)))
            (call $check (i32.eq (memory.grow (i32.const 10)) (i32.const 1000)))))";
    let mut launch = launch(&world, &host, "", &program(text), [pipe(1).0, pipe(1).1, pipe(1).1]);
    launch.supplies.idle = idle;
    let (mut starting, mut longest) = (Box::pin(Process::new(launch)), Duration::ZERO);
    let process = loop {
        let before = processor_time();
        let outcome = starting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        longest = longest.max(processor_time() - before);
        if let Poll::Ready(process) = outcome {
            break process.unwrap();
        }
    };
    // Each 256 KiB takes as long as 17 turns, which others have in between.
    assert_eq!(turns.load(Ordering::Relaxed), 250 * 17);
    assert!(longest < TURN, "{longest:?}");
    assert_eq!(puppet::turns(process, 1000), Some(Exit::Status(0)));
    // What does not fit is refused before any of it is made.
    let (start, before) = ("(module (memory 2000) (func (export \"_start\")))", processor_time());
    silent(&world, &host, "", &program(start)).unwrap_err();
    assert!(processor_time() - before < TURN);
}

#[test]
fn hold_14_the_memory_of_a_guest_ends_at_its_disposer() {
    let world = World::new(1);
    let disposed = Arc::new(Lock::new(Vec::new()));
    let disposer: Disposer = {
        let disposed = Arc::clone(&disposed);
        Arc::new(move |large| disposed.with(|all| all.push(large)))
    };
    let host = Host::with_files(&world, VirtualFileSystem::with_disposer(disposer));
    let (ours, theirs) = pipe(1);
    let end = |text: &str| {
        let streams = [pipe(1).0, theirs.clone(), theirs.clone()];
        let launch = launch(&world, &host, "", &program(text), streams);
        let process = future::block_on(Process::new(launch)).unwrap();
        assert!(puppet::turns(process, 100).is_some());
        disposed.with(|all| all.len())
    };
    assert_eq!(end("(module (memory (export \"memory\") 16) (func (export \"_start\")))"), 0);
    assert_eq!(end("(module (memory (export \"memory\") 17) (func (export \"_start\")))"), 1);
    assert_eq!(
        end("(module (memory (export \"memory\") 17) (func (export \"_start\") unreachable))"),
        2
    );
    // Its files are closed at once.
    drop(theirs);
    assert_eq!(world.run(ours.read(&mut [0; 1])), Ok(0));
}

#[test]
fn hold_1_instructions_that_are_cut_do_the_same() {
    let world = World::new(1);
    let host = host(&world);
    let run = |pages: &str, text: &str| {
        let watched = watch(&world, &host, "limit-memory 4M", &body(pages, text), 1_000_000);
        watched.exit.unwrap()
    };
    // A pattern of 140,000 bytes at 1000, moved down, up, and by more than its length.
    let pattern = "(loop $l
            (i32.store8 (i32.add (local.get $i) (i32.const 1000))
                (i32.mul (local.get $i) (i32.const 7919)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 140000))))";
    let same = |to: u32| {
        format!(
            "(memory.copy (i32.const {to}) (i32.const 1000) (i32.const 140000))
            (local.set $i (i32.const 0))
            (loop $l
                (call $check (i32.eq (i32.load8_u (i32.add (local.get $i) (i32.const {to})))
                    (i32.and (i32.const 255) (i32.mul (local.get $i) (i32.const 7919)))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get $i) (i32.const 140000))))"
        )
    };
    for to in [3, 1001, 70_000, 400_000] {
        assert_eq!(run("16", &format!("{pattern}{}", same(to))), Exit::Status(0), "to {to}");
    }
    let filled = "(memory.fill (i32.const 10) (i32.const 0x1ff) (i32.const 200000))
        (call $check (i32.eqz (i32.load8_u (i32.const 9))))
        (call $check (i32.eq (i32.load8_u (i32.const 10)) (i32.const 255)))
        (call $check (i32.eq (i32.load8_u (i32.const 65546)) (i32.const 255)))
        (call $check (i32.eq (i32.load8_u (i32.const 200009)) (i32.const 255)))
        (call $check (i32.eqz (i32.load8_u (i32.const 200010))))
        (memory.init $text (i32.const 5000) (i32.const 1) (i32.const 9))
        (call $check (i32.eq (i32.load8_u (i32.const 5000)) (i32.const 116)))";
    assert_eq!(run("16", filled), Exit::Status(0));
    let outside = Exit::Trapped("memory access out of bounds".into());
    for text in [
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 1048577))",
        "(memory.fill (i32.const -1) (i32.const 1) (i32.const 200000))",
        "(memory.fill (i32.const 1048577) (i32.const 1) (i32.const 0))",
        "(memory.copy (i32.const 0) (i32.const 1) (i32.const 1048576))",
        "(memory.copy (i32.const 1) (i32.const 0) (i32.const 1048576))",
        "(memory.copy (i32.const -100000) (i32.const 0) (i32.const 200000))",
        "(memory.copy (i32.const 0) (i32.const -100000) (i32.const 200000))",
        "(memory.init $text (i32.const 0) (i32.const 0) (i32.const 200000))",
        "(memory.init $text (i32.const 0) (i32.const -1) (i32.const 200000))",
    ] {
        assert_eq!(run("16", text), outside, "{text}");
    }
    let limits = "(call $check (i32.eq (memory.grow (i32.const 0)) (i32.const 1)))
        (call $check (i32.eq (memory.grow (i32.const 64)) (i32.const -1)))
        (call $check (i32.eq (memory.size) (i32.const 1)))
        (call $check (i32.eq (memory.grow (i32.const 2)) (i32.const 1)))
        (call $check (i32.eq (memory.grow (i32.const -1)) (i32.const -1)))
        (call $check (i32.eq (memory.grow (i32.const 61)) (i32.const 3)))
        (call $check (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (call $check (i32.eq (memory.size) (i32.const 64)))";
    assert_eq!(run("1", limits), Exit::Status(0));
    let declared = "(call $check (i32.eq (memory.grow (i32.const 20)) (i32.const -1)))
        (call $check (i32.eq (memory.size) (i32.const 1)))
        (call $check (i32.eq (memory.grow (i32.const 19)) (i32.const 1)))";
    assert_eq!(run("1 20", declared), Exit::Status(0));
}

#[test]
fn hold_1_no_call_of_an_import_takes_longer_than_a_turn() {
    let world = World::new(1);
    let (host, _peer) = hosts(&world);
    let directory = Path::parse("/temporary").unwrap();
    let mode = Mode::from_octal(0o777);
    host.files.create_directory(&Credentials::root(), &directory, mode).unwrap();
    for number in 0..40_000 {
        create(&host, &format!("/temporary/{number}")).unwrap();
    }
    // A path of 2,048 directories, of which the last is the guest's to find.
    let mut deep = String::from("/temporary");
    while deep.len() < 4095 - 2 {
        deep.push_str("/d");
        host.files
            .create_directory(&Credentials::root(), &Path::parse(&deep).unwrap(), mode)
            .unwrap();
    }
    let lines = "allow-file /temporary:write\nallow-interface eth0:write\nlimit-memory 64M";
    let again = |text: &str| format!("(loop $again {text} (br $again))");
    let straight = "(drop (call $random (i32.const 1024) (i32.const 1000000)))".repeat(100);
    let data = |at: u32, text: &str, times: u32| {
        format!(
            "(loop $l (memory.copy (i32.add (i32.const {at}) (local.get $j)) (i32.const {})
                (i32.const {length}))
            (local.set $j (i32.add (local.get $j) (i32.const {length})))
            (br_if $l (i32.lt_u (local.get $j) (i32.const {}))))",
            1000,
            times * text.len() as u32,
            length = text.len()
        )
    };
    let stored = |text: &str| {
        let store = |(at, byte): (usize, u8)| {
            format!("(i32.store8 (i32.const {}) (i32.const {byte}))", 1000 + at)
        };
        text.bytes().enumerate().map(store).collect::<String>()
    };
    let cases = [
        (
            "list",
            again(
                "(drop (call $list (i32.const 16) (i32.const 10) (i32.const 1024) (i32.const 0)))",
            ),
        ),
        (
            "list all",
            again(
                "(drop (call $list (i32.const 16) (i32.const 10) (i32.const 1024)
                    (i32.const 1000000)))",
            ),
        ),
        (
            "readdir",
            "(local.set $i (call $open (i32.const 16) (i32.const 10) (i32.const 129)))
            (loop $again (call $check (i32.eqz (call $readdir (local.get $i) (i32.const 1024)
                (i32.const 64) (i64.const 30000) (i32.const 0)))) (br $again))"
                .to_owned(),
        ),
        ("random", again("(drop (call $random (i32.const 1024) (i32.const 1000000)))")),
        ("random in a row", again(&straight)),
        (
            "deep path",
            format!(
                "(memory.copy (i32.const 4096) (i32.const 16) (i32.const 10)) {} {} {}",
                stored("/d"),
                data(4106, "/d", 2040),
                again(
                    "(call $check (i32.eqz (call $stat (i32.const 4096) (i32.const 4088)
                        (i32.const 0))))"
                )
            ),
        ),
        (
            "large write",
            "(local.set $i (call $open (i32.const 32) (i32.const 15) (i32.const 14)))
            (loop $again (drop (call $write (local.get $i) (i32.const 0) (i32.const 10000000)))
                (br $again))"
                .to_owned(),
        ),
        (
            "lines",
            format!(
                "(local.set $i (call $open (i32.const 64) (i32.const 21) (i32.const 3))) {} {}
                (loop $again (drop (call $write (local.get $i) (i32.const 4096) (i32.const 63000)))
                    (br $again))",
                stored("metric 1\n"),
                data(4096, "metric 1\n", 7000),
            ),
        ),
        ("poll", again("(drop (call $poll (i32.const 1024) (i32.const 64) (i32.const 0)))")),
    ];
    for (what, text) in cases {
        let watched = watch(&world, &host, lines, &body("200", &text), 2000);
        assert_eq!(watched.exit, None, "{what}");
        assert!(watched.longest < TURN, "{what}: a turn of {:?}", watched.longest);
    }
}

#[test]
fn hold_1_a_directory_is_read_on_where_it_was_while_it_changes() {
    let world = World::new(1);
    let host = host(&world);
    for number in 100..400 {
        create(&host, &format!("/temporary/{number}")).unwrap();
    }
    let guest = Puppet::start(&world, &host, "allow-file /temporary:write");
    world.run(async {
        let directory = guest.open("/temporary", 129).await;
        let (mut cookie, mut names) = (0, Vec::new());
        for round in 0.. {
            let numbers = [directory as u64, u64::from(FREE), 100, cookie, u64::from(FREE) + 4096];
            assert_eq!(guest.call("fd_readdir", &numbers).await, 0);
            let length = guest.number_at(FREE + 4096).await as usize;
            let text = guest.peek(FREE, length).await;
            let mut rest = text.as_slice();
            while rest.len() >= 24 {
                let size = rest[16] as usize;
                let Some(name) = rest.get(24..24 + size) else { break };
                cookie = u64::from_le_bytes(rest[..8].try_into().unwrap());
                names.push(String::from_utf8(name.to_vec()).unwrap());
                rest = &rest[24 + size..];
            }
            if length < 100 {
                break;
            }
            // What was read goes away, what comes before is new, as for `rm -r`.
            let path = format!("/temporary/{}", names.last().unwrap());
            if round > 1 && names.last().unwrap() != ".." {
                host.files.remove(&Credentials::root(), &Path::parse(&path).unwrap()).unwrap();
                create(&host, &format!("/temporary/0{round}")).unwrap();
            }
        }
        let expected: Vec<String> = (100..400).map(|number| number.to_string()).collect();
        assert_eq!(names[2..], expected);
    });
}

#[test]
fn hold_10_a_call_that_costs_more_than_a_turn_is_paid_in_full() {
    let world = World::new(1);
    let host = host(&world);
    let programs = Programs::new();
    let guest = Puppet::start_program(
        &world,
        &host,
        "limit-fuel 1M",
        &programs,
        &program(&puppet::module(20)),
    );
    world.run(async {
        let before = world.now();
        for _ in 0..10 {
            let length = 1 << 20;
            assert_eq!(guest.call("random_get", &[u64::from(FREE), length]).await, 0);
        }
        let took = world.now().since(before);
        assert!(took > Duration::from_millis(9500), "{took:?} for ten times the fuel of a second");
        assert!(programs.list()[0].burnt > 10 << 20);
    });
}

#[test]
fn hold_16_tables_and_what_a_module_holds_count_for_the_memory_limit() {
    let world = World::new(1);
    let host = host(&world);
    let start = |text: &str| silent(&world, &host, "limit-memory 1M", &program(text)).map(drop);
    let module = |what: &str| format!("(module (memory 4) {what} (func (export \"_start\")))");
    start(&module("(table 1000 funcref)")).unwrap();
    start(&module(&"(table 100000 funcref)".repeat(16))).unwrap_err();
    start(&module("(table 100000 funcref)")).unwrap_err();
    start(&module(&"(global i32 (i32.const 1))".repeat(1000))).unwrap();
    start(&module(&"(global i32 (i32.const 1))".repeat(30_000))).unwrap_err();
    start(&module(&format!("(func $f) (elem func {})", "$f ".repeat(30_000)))).unwrap_err();
    start(&module(&"(func (drop (i32.const 1)) (drop (i32.const 1)))".repeat(30_000))).unwrap_err();
    // A table that grows counts, too.
    let growing = "(module (memory (export \"memory\") 8) (table 1 funcref)
        (func (export \"_start\")
            (loop $l (br_if $l (i32.ne (table.grow (ref.null func) (i32.const 10)) (i32.const -1))))
            (if (i32.gt_u (table.size) (i32.const 70000)) (then unreachable))
            (if (i32.ne (memory.grow (i32.const 8)) (i32.const -1)) (then unreachable))))";
    let watched = watch(&world, &host, "limit-memory 1M", growing, 1_000_000);
    assert_eq!(watched.exit, Some(Exit::Status(0)));
}

#[test]
fn hold_9_what_leaves_because_of_commands_counts_for_the_bandwidth() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let lines = "allow-connect *\nallow-interface eth0\nlimit-bandwidth 1000";
    let guest = Puppet::start(&world, &left, lines);
    world.run(async {
        let socket = guest.open("/devices/sockets", 3).await;
        let before = world.now();
        let text = "join 239.1.2.3 eth0\nleave 239.1.2.3 eth0\n".repeat(25);
        let text = format!("socket udp\n{text}");
        assert_eq!(guest.write(socket, text.as_bytes()).await, text.len() as i64);
        let took = world.now().since(before);
        assert!(took > Duration::from_secs(9), "25 reports of joining and leaving in {took:?}");
        let before = world.now();
        for _ in 0..25 {
            let socket = guest.open("/devices/sockets", 3).await;
            assert_eq!(guest.write(socket, b"socket tcp").await, 10);
            assert_eq!(guest.call("set_non_blocking", &[socket as u64, 1]).await, 0);
            let connect = guest.write(socket, b"connect 10.0.0.2:9").await;
            assert_eq!(connect, super::error(Error::InProgress));
            // Until it is refused.
            guest.poke(FREE, &[socket as u8, 0, 0, 0, 4, 0, 0, 0]).await;
            assert_eq!(guest.call("poll", &[u64::from(FREE), 1, 60_000]).await, 1);
            assert_eq!(guest.call("close", &[socket as u64]).await, 0);
        }
        let took = world.now().since(before);
        assert!(took > Duration::from_secs(5), "25 connections in {took:?}");
    });
}

/// A guest that ends with 0 if it can open `/temporary/secret`.
const READER: &str = "(module
    (import \"vfs\" \"open\" (func $open (param i32 i32 i32) (result i32)))
    (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
    (memory (export \"memory\") 1)
    (data (i32.const 0) \"/temporary/secret\")
    (func (export \"_start\")
        (call $exit (i32.lt_s (call $open (i32.const 0) (i32.const 17) (i32.const 1))
            (i32.const 0)))))";

#[test]
fn hold_12_a_manifest_counts_only_if_whoever_runs_the_guest_says_so() {
    let scene = Scene::new(&[]);
    scene.write("/binaries/tool.wasm", &wat::parse_str(READER).unwrap());
    scene.write("/temporary/secret", b"secret");
    let missing = scene.run("run --manifest /binaries/tool.wasm");
    assert_eq!((missing.status, missing.error.contains("tool.grants")), (1, true), "{missing:?}");
    scene.write("/binaries/tool.grants", b"allow-file /temporary");
    assert_eq!(scene.run("run /binaries/tool.wasm").status, 1, "it was not asked for");
    assert_eq!(scene.run("run --manifest /binaries/tool.wasm").status, 0);
    assert_eq!(scene.run("run --no-manifest /binaries/tool.wasm").status, 2);
}

#[test]
fn hold_15_no_text_of_others_controls_the_terminal() {
    let scene = Scene::new(&[]);
    let text = "(module (import \"e\\u{9b}2Jnv\" \"x\\1b\\u{202e}\\n\" (func))
        (func (export \"_start\")))";
    scene.write("/binaries/evil.wasm", &wat::parse_str(text).unwrap());
    scene.write("/temporary/a\u{202e}fake", b"");
    for commands in [
        "run /binaries/evil.wasm",
        "ls /temporary",
        "ls -l /temporary",
        "stat /temporary/*",
        "cat '/none\u{9b}\u{1b}'",
        "nslookup '\u{9b}.lan' 10.0.2.3",
        "wget -O - 'http://a\u{9b}b/'",
        "ping 'a\u{9b}b'",
        "'\u{9b}'",
        "cat < '/none\u{9b}'",
        "run '/none\u{202e}'",
    ] {
        let ran = scene.run(commands);
        let shown = ran.output.clone() + &ran.error;
        assert!(!shown.is_empty(), "{commands}");
        let controls = |letter: char| {
            (letter.is_control() && letter != '\n' && letter != '\t') || letter == '\u{202e}'
        };
        assert!(!shown.contains(controls), "{commands}: {ran:?}");
    }
    // What a program outputs is data.
    assert_eq!(scene.run("echo '\u{9b}'").output, "\u{9b}\n");
}
