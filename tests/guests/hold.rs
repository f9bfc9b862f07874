//! What a greedy guest can take from others: who causes a cost pays for it.

use guest_programs::{Exit, Programs};
use virtual_file_system::limits::NODE_BYTES;
use virtual_file_system::{Credentials, Error, Mode, OpenFlags, Path};
use world::puppet::{self, FREE, Puppet, host, program, silent};
use world::{Host, World};

fn create(host: &Host, path: &str) -> virtual_file_system::Result<virtual_file_system::File> {
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
    (func $digit (param $at i32) (param $value i32)
        (i32.store8 (local.get $at) (i32.add (i32.const 97) (local.get $value))))
    (func (export \"_start\") (local $number i32) (local $file i32)
        (loop $l
            (call $digit (i32.const 11) (i32.and (i32.shr_u (local.get $number) (i32.const 16)) (i32.const 15)))
            (call $digit (i32.const 12) (i32.and (i32.shr_u (local.get $number) (i32.const 12)) (i32.const 15)))
            (call $digit (i32.const 13) (i32.and (i32.shr_u (local.get $number) (i32.const 8)) (i32.const 15)))
            (call $digit (i32.const 14) (i32.and (i32.shr_u (local.get $number) (i32.const 4)) (i32.const 15)))
            (call $digit (i32.const 15) (i32.and (local.get $number) (i32.const 15)))
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
