//! Hostile guests: whatever one does, the others go on, and when it is gone everything that it held
//! is back.

use std::time::Duration;

use devnet_guest_programs::{Exit, Programs};
use devnet_network::TcpListener;
use devnet_network::command::socket::{SocketKind, SocketOption};
use devnet_network::command::{Connect, CreateSocket, SetOption};
use world::pair::hosts;
use world::puppet::{self, FREE, IMPORTS, Puppet, module, program, silent};
use world::{Host, World};

const EVERYTHING: &str =
    "allow-interface *:write\nallow-connect *\nallow-listen *\nallow-raw\nallow-file /:write";

/// Runs a module for so many turns, or to its end.
fn turns(text: &str, lines: &str, most: u32) -> Option<Exit> {
    let world = World::new(1);
    let host = Host::new(&world);
    let (process, output) = silent(&world, &host, lines, &program(text)).unwrap();
    let exit = puppet::turns(process, most);
    assert_eq!(host.open_sockets(), 0, "sockets are left");
    drop(output);
    exit
}

#[test]
fn one_that_spins_gives_way_and_others_finish() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let programs = Programs::new();
    let spinners: Vec<Puppet> =
        (0..5).map(|_| Puppet::start_listed(&world, &left, "", &programs)).collect();
    let honest = Puppet::start_listed(&world, &left, "allow-connect *", &programs);
    world.run(async {
        for spinner in &spinners {
            spinner.spin().await;
        }
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let socket = honest.open("/devices/sockets", 3).await;
        honest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
        honest.control::<Connect>(socket, &"10.0.0.2:7".parse().unwrap()).await.unwrap();
        // Time stands still while somebody computes, so nothing may wait for it.
        honest.control::<SetOption>(socket, &SocketOption::NoDelay(true)).await.unwrap();
        let server = listener.accept().await.unwrap();
        for _ in 0..10 {
            assert_eq!(honest.write(socket, b"ping").await, 4);
            assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 4);
        }
        let burnt: Vec<u64> = programs.list().iter().map(|one| one.burnt).collect();
        let (least, most) = (burnt[..5].iter().min().unwrap(), burnt[..5].iter().max().unwrap());
        assert!(*least > 0 && *most < least * 2, "turns are shared: {burnt:?}");
        for spinner in spinners {
            programs.kill(spinner.number).unwrap();
            assert_eq!(spinner.exit.await, Exit::Killed);
        }
    });
}

#[test]
fn one_that_calls_for_ever_gives_way_too() {
    // Calls that never wait: fuel runs out in them as well, and sooner the more they move.
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"clock_time_get\"
            (func $time (param i32 i64 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\") (loop $l
            (drop (call $time (i32.const 0) (i64.const 0) (i32.const 0))) (br $l))))";
    assert_eq!(turns(text, "", 50), None);
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"random_get\"
            (func $random (param i32 i32) (result i32)))
        (memory (export \"memory\") 20)
        (func (export \"_start\") (loop $l
            (drop (call $random (i32.const 0) (i32.const 1000000))) (br $l))))";
    assert_eq!(turns(text, "", 20), None);
    // Waits that are none (found by the fuzzer of modules: it never came back).
    let text =
        "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func $yield (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\") (loop $l (drop (call $yield)) (br $l))))";
    assert_eq!(turns(text, "", 50), None);
}

#[test]
fn one_that_leaks_descriptors_gets_no_more_and_returns_all() {
    let text = "(module (import \"vfs\" \"open\" (func $open (param i32 i32 i32) (result i32)))
        (import \"vfs\" \"write\" (func $write (param i32 i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (data (i32.const 0) \"/devices/sockets\") (data (i32.const 100) \"socket udp\")
        (func (export \"_start\") (loop $l
            (drop (call $write (call $open (i32.const 0) (i32.const 16) (i32.const 3))
                (i32.const 100) (i32.const 10)))
            (br $l))))";
    assert_eq!(turns(text, "allow-connect *", 200), None);
}

#[test]
fn one_that_recurses_or_grows_hits_its_limit() {
    let recursion = "(module (func $f (export \"_start\") (call $f)))";
    assert_eq!(turns(recursion, "", 1000), Some(Exit::Trapped("stack overflow".into())));
    // Grows until it may not, and then by all that is left of the address space.
    let growth = "(module (memory (export \"memory\") 1) (func (export \"_start\")
        (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (if (i32.ne (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 64)) (then unreachable))))";
    assert_eq!(turns(growth, "limit-memory 4M", 10_000), Some(Exit::Status(0)));
    let tables = "(module (table 1 funcref) (func (export \"_start\")
        (if (i32.ne (table.grow (ref.null func) (i32.const 10000000)) (i32.const -1))
            (then unreachable))))";
    assert_eq!(turns(tables, "", 100), Some(Exit::Status(0)));
}

#[test]
fn wild_pointers_and_lengths_are_refused_by_every_import() {
    let world = World::new(1);
    let host = Host::new(&world);
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        for (index, (module, name, parameters)) in IMPORTS.iter().enumerate() {
            // What closes or moves a stream of the puppet is not asked for here.
            if matches!(*name, "close" | "fd_close" | "fd_renumber") {
                continue;
            }
            for wild in [0xffff_ffff_u64, 0x8000_0000, 131_071, 131_072] {
                for first in [4, wild] {
                    let mut numbers = vec![wild; parameters.len()];
                    if let Some(number) = numbers.first_mut() {
                        *number = first;
                    }
                    guest.begin_numbered(index, &numbers).await;
                    let result = guest.finish().await;
                    let is_refused = if *module == "vfs" { result < 0 } else { result > 0 };
                    let is_harmless = matches!(*name, "sched_yield" | "poll");
                    assert!(is_refused || is_harmless, "{name}({numbers:?}) is {result}");
                }
            }
        }
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn one_that_is_killed_in_the_middle_of_any_import_leaves_nothing() {
    let program = program(&module(2));
    for (index, (_, name, parameters)) in IMPORTS.iter().enumerate() {
        let world = World::new(index as u64);
        let (left, right) = hosts(&world);
        let programs = Programs::new();
        let guest = Puppet::start_program(&world, &left, EVERYTHING, &programs, &program);
        let _listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let before = left.files.stored();
        world.run(async {
            let socket = guest.open("/devices/sockets", 3).await;
            assert_eq!(guest.write(socket, b"socket tcp\nconnect 10.0.0.2:7").await, 29);
            let listener = guest.open("/devices/sockets", 3).await;
            let line = b"socket tcp\nbind *:80\nlisten";
            assert_eq!(guest.write(listener, line).await, line.len() as i64);
            // The stream is 4, the listener 5: whatever waits, waits there.
            let numbers: Vec<u64> = (0..parameters.len())
                .map(|at| if at == 0 { 4 + index as u64 % 2 } else { u64::from(FREE) })
                .collect();
            guest.begin_numbered(index, &numbers).await;
            for _ in 0..index % 7 {
                futures_lite::future::yield_now().await;
            }
            programs.kill(guest.number).unwrap();
            let Puppet { exit, .. } = guest;
            assert!(matches!(exit.await, Exit::Killed), "{name}");
        });
        assert!(programs.list().is_empty());
        assert_eq!(left.files.stored(), before, "{name}");
        world.run(world.sleep(Duration::from_secs(200)));
        assert_eq!(left.open_sockets(), 0, "{name}: sockets are left");
    }
}

#[test]
fn a_thousand_guests_with_ten_sockets_each_share_a_thread() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let program = program(&module(2));
    let programs = Programs::new();
    let guests: Vec<Puppet> = (0..1000)
        .map(|_| {
            Puppet::start_program(
                &world,
                &left,
                "allow-connect *\nlimit-files 20",
                &programs,
                &program,
            )
        })
        .collect();
    let listener =
        TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4096).unwrap();
    world.run(async {
        let mut streams = Vec::new();
        for _ in 0..10 {
            for guest in &guests {
                let socket = guest.open("/devices/sockets", 3).await;
                assert_eq!(guest.write(socket, b"socket tcp\nconnect 10.0.0.2:7").await, 29);
                streams.push(listener.accept().await.unwrap());
            }
        }
        assert_eq!(left.open_sockets(), 10_000);
        assert!(programs.list().iter().all(|one| one.sockets == 10 && one.files == 14));
        // Each is answered on its last socket.
        for (guest, stream) in guests.iter().zip(&streams[9000..]) {
            guest.begin("read", &[13, u64::from(FREE), 10]).await;
            stream.write_all(b"hello").await.unwrap();
        }
        for guest in &guests {
            assert_eq!(guest.finish().await, 5);
        }
        for guest in guests {
            assert_eq!(guest.end(0).await.status(), 0);
        }
    });
    drop(listener);
    world.run(world.sleep(Duration::from_secs(200)));
    assert_eq!((left.open_sockets(), right.open_sockets()), (0, 0));
}
