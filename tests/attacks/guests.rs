//! Hostile guests: each does one thing for ever, as fast as it may, and is started again when it
//! ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use devnet_guest_programs::{Launch, Process, Program, Supplies, limits};
use devnet_network::command::{NextConnection, Resolve};
use devnet_network::driver::FramePool;
use devnet_network::platform::Clock;
use devnet_virtual_file_system::{ControlCommand, Credentials, File, Path, pipe};
use futures_lite::future;
use world::cable;
use world::puppet::{grants, program};

use crate::attack::{Attack, NEAR, Running, Start};
use crate::floods::frame;
use crate::kinds::Kind;
use crate::scene::{ATTACKER, Scene};

/// What a guest may do. Its limits are those of every guest.
const GRANTS: &str = "allow-connect *\nallow-listen *\nallow-interface eth0:write\n\
    allow-file /temporary:write";
/// When a guest that ended is started again.
const RESTART: Duration = Duration::from_millis(10);
/// Files of the directory that some read.
const FILES: usize = 40_000;
/// What a guest may take: what the grants say, and its code.
const BOUND: usize =
    limits::MEMORY_BYTES + limits::STORAGE_BYTES + limits::BUFFER_BYTES + (4 << 20);

/// The attack of such a guest.
pub(crate) const fn attack(kind: Kind) -> Attack {
    Attack { name: kind.name, amount: "guest", bound: BOUND, start: Start::Guest(kind), ..NEAR }
}

fn module(kind: &Kind) -> Program {
    let Kind { before, body, pages, text, .. } = kind;
    let body = body
        .replace("$NEXT", &(NextConnection::IDENTIFIER.raw() as i32).to_string())
        .replace("$RESOLVE", &(Resolve::IDENTIFIER.raw() as i32).to_string());
    program(&format!(
        "(module {FUNCTIONS}
        (memory (export \"memory\") {pages})
        (table 1 funcref)
        (data (i32.const 256) \"{}\")
        (func (export \"_start\") (local $i i32) (local $j i32)
            {before} (loop $again {body} (br $again))))",
        text.replace('\n', "\\n")
    ))
}

/// Imports, paths, and what several guests do.
const FUNCTIONS: &str = r#"
    (import "vfs" "open" (func $open (param i32 i32 i32) (result i32)))
    (import "vfs" "close" (func $close (param i32) (result i32)))
    (import "vfs" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "vfs" "list" (func $list (param i32 i32 i32 i32) (result i32)))
    (import "vfs" "poll" (func $poll (param i32 i32 i32) (result i32)))
    (import "vfs" "remove" (func $remove (param i32 i32) (result i32)))
    (import "vfs" "set_non_blocking" (func $rush (param i32 i32) (result i32)))
    (import "vfs" "control" (func $control (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir"
        (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (data (i32.const 16) "/temporary/big")
    (data (i32.const 32) "/temporary/xaaaaaaaa")
    (data (i32.const 64) "/devices/network/eth0")
    (data (i32.const 96) "/devices/sockets")
    (data (i32.const 128) "socket tcp\nconnect 10.0.0.1:84")
    (global $count (mut i32) (i32.const 0))
    (func $deep (call $deep))
    ;; The next of so many names, at 32.
    (func $name (param $mask i32) (local $rest i32) (local $at i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (local.set $rest (i32.and (global.get $count) (local.get $mask)))
        (local.set $at (i32.const 51))
        (loop $l
            (i32.store8 (local.get $at)
                (i32.add (i32.const 97) (i32.and (local.get $rest) (i32.const 15))))
            (local.set $rest (i32.shr_u (local.get $rest) (i32.const 4)))
            (local.set $at (i32.sub (local.get $at) (i32.const 1)))
            (br_if $l (i32.gt_u (local.get $at) (i32.const 43)))))
    ;; A digit of the count.
    (func $digit (param $at i32) (param $unit i32)
        (i32.store8 (local.get $at) (i32.add (i32.const 48)
            (i32.rem_u (i32.div_u (global.get $count) (local.get $unit)) (i32.const 10)))))
    ;; The next address.
    (func $address
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (call $digit (i32.const 283) (i32.const 1000))
        (call $digit (i32.const 284) (i32.const 100))
        (call $digit (i32.const 287) (i32.const 10))
        (call $digit (i32.const 288) (i32.const 1)))
    ;; Sockets that are given so much of the text; one that waits, and one that does not.
    (func $socket (param $length i32) (result i32) (local $file i32)
        (local.set $file (call $open (i32.const 96) (i32.const 16) (i32.const 3)))
        (drop (call $write (local.get $file) (i32.const 256) (local.get $length)))
        (local.get $file))
    (func $rushed (param $length i32) (result i32) (local $file i32)
        (local.set $file (call $open (i32.const 96) (i32.const 16) (i32.const 3)))
        (drop (call $rush (local.get $file) (i32.const 1)))
        (drop (call $write (local.get $file) (i32.const 256) (local.get $length)))
        (local.get $file))
    ;; 63,000 bytes of lines of nine bytes, at 4096.
    (func $lines (local $at i32)
        (loop $l
            (memory.copy (i32.add (i32.const 4096) (local.get $at)) (i32.const 256) (i32.const 9))
            (local.set $at (i32.add (local.get $at) (i32.const 9)))
            (br_if $l (i32.lt_u (local.get $at) (i32.const 63000)))))"#;

/// Runs the guest, again and again.
pub(crate) async fn start(scene: &Scene, kind: &Kind) -> Running {
    scene.meter.uncounted(|| {
        scene.create_directory("/temporary");
        scene.create_directory("/temporary/big");
        for number in 0..FILES {
            scene.create(&format!("/temporary/big/{number}"));
        }
    });
    let running = Running::default();
    let (meter, clock, ended) =
        (scene.meter.clone(), scene.world.clock.clone(), running.ended.clone());
    let mut port = scene.port();
    // Somebody is behind the gateway, so that what goes there does not go everywhere.
    let sink = scene.world.spawn(async move {
        let mut pool = FramePool::new();
        cable::put(&mut port, &mut pool, &frame(ATTACKER, &[0x45; 20]));
        while !ended.load(Ordering::Relaxed) {
            meter.uncounted(|| while cable::take(&mut port, &mut pool).is_some() {});
            clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
        }
    });
    let (program, programs, platform) =
        (module(kind), scene.programs.clone(), scene.world.platform());
    let files = scene.host.files.clone();
    let supplies = Supplies::new(Arc::clone(&platform.clock), Arc::clone(&platform.entropy))
        .started(Duration::from_secs(1_700_000_000));
    let launch = move |output: File| {
        let streams = [pipe(1).0, output.clone(), output];
        let (files, supplies) = (files.clone(), supplies.clone());
        Launch::new(program.clone(), streams, files, Credentials::root(), supplies)
            .arguments(vec!["guest".into()])
            .grants(grants(GRANTS))
    };
    let clock = scene.world.clock.clone();
    let guest = scene.world.spawn(async move {
        loop {
            let (ours, theirs) = pipe(1 << 16);
            let read = async {
                let mut buffer = vec![0; 1 << 16];
                while matches!(ours.read(&mut buffer).await, Ok(1..)) {}
                future::pending().await
            };
            let process = Process::new(launch(theirs)).await.expect("a process");
            let entry = programs.enter("guest").expect("a number");
            future::or(async { drop(process.run_listed(entry).await) }, read).await;
            clock.sleep_until(clock.now().after(RESTART)).await;
        }
    });
    scene.world.sleep(Duration::from_millis(300)).await;
    Running { tasks: vec![sink, guest], ..running }
}

/// Removes what guests had and left in the tree.
pub(crate) fn clean(scene: &Scene) {
    remove(scene, &Path::parse("/temporary").expect("a path"));
}

fn remove(scene: &Scene, path: &Path) {
    let (root, files) = (Credentials::root(), &scene.host.files);
    if files.remove(&root, path).is_err() {
        for entry in files.list(&root, path).expect("a directory") {
            remove(scene, &path.resolve(&entry.name).expect("a path"));
        }
        files.remove(&root, path).expect("an empty directory");
    }
}
