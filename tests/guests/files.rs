//! Module `vfs` on regular files, directories and pipes.

use devnet_virtual_file_system::Error;
use world::World;
use world::puppet::{FREE, Puppet, host};

use super::error;

const READ: u32 = 1;
const WRITE: u32 = 2;
const APPEND: u32 = 4;
const CREATE: u32 = 8;
const EXCLUSIVE: u32 = 16;
const TRUNCATE: u32 = 32;
const NON_BLOCKING: u32 = 64;
const DIRECTORY: u32 = 128;
const EVERYTHING: &str = "allow-file /temporary:write";

#[test]
fn files_are_made_written_read_moved_and_removed() {
    let world = World::new(1);
    let host = host(&world);
    let before = host.files.stored();
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        let file = guest.open("/temporary/a", READ | WRITE | CREATE).await;
        assert_eq!(file, 4);
        assert_eq!(guest.write(file, b"hello").await, 5);
        let guest = &guest;
        let seek = async |offset: u64, whence: u64| {
            guest.call("seek", &[file as u64, offset, whence, u64::from(FREE)]).await
        };
        assert_eq!(seek(1, 0).await, 0);
        assert_eq!(guest.number_at(FREE).await, 1);
        assert_eq!(guest.read(file, 100).await.unwrap(), b"ello");
        assert_eq!(guest.read(file, 100).await.unwrap(), b"");
        assert_eq!(seek(u64::MAX, 0).await, error(Error::InvalidInput));
        assert_eq!(seek(0, 3).await, error(Error::InvalidInput));
        assert_eq!(guest.call("stat_open", &[file as u64, u64::from(FREE)]).await, 0);
        assert_eq!((guest.number_at(FREE).await, guest.number_at(FREE + 16).await), (5, 1));
        let copy = guest.call("duplicate", &[file as u64]).await;
        assert_eq!(copy, 5);
        assert_eq!(guest.call("close", &[file as u64]).await, 0);
        assert_eq!(guest.call("close", &[file as u64]).await, error(Error::BadFileDescriptor));
        assert_eq!(guest.read(file, 1).await, Err(error(Error::BadFileDescriptor)));
        // The copy shares the position.
        assert_eq!(guest.write(copy, b"!").await, 1);
        assert_eq!(
            guest.open("/temporary/a", WRITE | CREATE | EXCLUSIVE).await,
            error(Error::AlreadyExists)
        );
        let appended = guest.open("/temporary/a", APPEND).await;
        assert_eq!((appended, guest.write(appended, b"?").await), (4, 1));
        guest.poke(FREE, b"/temporary/a/temporary/b").await;
        let names = [u64::from(FREE), 12, u64::from(FREE) + 12, 12];
        assert_eq!(guest.call("rename", &names).await, 0);
        assert_eq!(guest.open("/temporary/a", READ).await, error(Error::NotFound));
        let renamed = guest.open("/temporary/b", READ).await;
        assert_eq!(guest.read(renamed, 100).await.unwrap(), b"hello!?");
        assert_eq!(guest.open("/temporary/b", WRITE | TRUNCATE).await, 7);
        assert_eq!(guest.read(renamed, 100).await.unwrap(), b"");
        guest.poke(FREE, b"/temporary/b").await;
        assert_eq!(guest.call("remove", &[u64::from(FREE), 12]).await, 0);
        assert_eq!(guest.call("remove", &[u64::from(FREE), 12]).await, error(Error::NotFound));
        assert_eq!(guest.open("/temporary/b", 0).await, error(Error::InvalidInput));
        assert_eq!(guest.open("/temporary/b", 1 << 20).await, error(Error::InvalidInput));
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
    assert_eq!(host.files.stored(), before, "what was removed is held by nobody");
}

#[test]
fn directories_are_made_and_listed() {
    let world = World::new(1);
    let host = host(&world);
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        guest.poke(FREE, b"/temporary/d").await;
        assert_eq!(guest.call("create_directory", &[u64::from(FREE), 12]).await, 0);
        assert_eq!(
            guest.call("create_directory", &[u64::from(FREE), 12]).await,
            error(Error::AlreadyExists)
        );
        assert!(guest.open("/temporary/file", WRITE | CREATE).await > 0);
        assert_eq!(guest.open("/temporary/d", READ).await, error(Error::IsADirectory));
        assert!(guest.open("/temporary/d", READ | DIRECTORY).await > 0);
        let list = |path: &'static str, room: u64| {
            let guest = &guest;
            async move {
                guest.poke(FREE, path.as_bytes()).await;
                let buffer = u64::from(FREE) + 1000;
                guest.call("list", &[u64::from(FREE), path.len() as u64, buffer, room]).await
            }
        };
        let expected = b"\x00\x01d\x01\x04file";
        assert_eq!(list("/temporary", 100).await, expected.len() as i64);
        assert_eq!(guest.peek(FREE + 1000, expected.len()).await, expected);
        // The whole length, also of a list that does not fit.
        guest.poke(FREE + 1000, &[9; 10]).await;
        assert_eq!(list("/temporary", 3).await, expected.len() as i64);
        assert_eq!(guest.peek(FREE + 1000, 4).await, b"\x00\x01d\x09");
        assert_eq!(list("/temporary/file", 10).await, error(Error::NotADirectory));
        // The root shows what leads somewhere.
        assert_eq!(list("/", 100).await, 2 + 9);
        assert_eq!(guest.peek(FREE + 1000, 11).await, b"\x00\x09temporary");
        assert_eq!(guest.end(3).await.status(), 3);
    });
}

#[test]
fn paths_are_checked_and_cannot_escape() {
    let world = World::new(1);
    let host = host(&world);
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        assert!(guest.open("/temporary/../temporary/./x", WRITE | CREATE).await > 0);
        // Relative paths start at the guest's directory.
        assert!(guest.open("temporary/x", READ).await > 0);
        for (path, why) in [
            ("", Error::NotFound),
            ("/../../etc/passwd", Error::NotFound),
            ("/temporary/../devices/sockets", Error::NotFound),
            ("/temporary/a\0b", Error::InvalidInput),
        ] {
            assert_eq!(guest.open(path, READ).await, error(why), "{path:?}");
        }
        guest.poke(FREE, &[0xff, 0xfe]).await;
        assert_eq!(guest.call("open", &[u64::from(FREE), 2, 1]).await, error(Error::InvalidInput));
        assert_eq!(
            guest.call("open", &[u64::from(FREE), 5000, 1]).await,
            error(Error::NameTooLong)
        );
        assert_eq!(guest.call("open", &[0xffff_fff0, 100, 1]).await, error(Error::BadAddress));
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn a_poll_waits_for_many_files_and_for_time() {
    let world = World::new(1);
    let host = host(&world);
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        let file = guest.open("/temporary/x", READ | WRITE | CREATE | NON_BLOCKING).await;
        let entry = |number: i32, asked: u16| {
            [&number.to_le_bytes()[..], &asked.to_le_bytes(), &[0xaa, 0xaa]].concat()
        };
        let polled = |entries: Vec<u8>, milliseconds: i32| {
            let guest = &guest;
            async move {
                guest.poke(FREE, &entries).await;
                let count = entries.len() as u64 / 8;
                let ready = guest
                    .call("poll", &[u64::from(FREE), count, u64::from(milliseconds as u32)])
                    .await;
                let found = guest.peek(FREE, entries.len()).await;
                let events: Vec<u16> =
                    found.chunks(8).map(|one| u16::from_le_bytes([one[6], one[7]])).collect();
                (ready, events)
            }
        };
        // A regular file is always ready; nothing stands for nothing; what is not open is told at
        // once.
        assert_eq!(
            polled([entry(file as i32, 5), entry(-1, 5)].concat(), -1).await,
            (1, vec![5, 0])
        );
        assert_eq!(
            polled([entry(file as i32, 0), entry(99, 1)].concat(), -1).await,
            (1, vec![0, 32])
        );
        let before = world.now();
        assert_eq!(polled(vec![], 1500).await, (0, vec![]));
        assert_eq!(world.now().since(before).as_millis(), 1500);
        assert_eq!(polled(entry(-5, 1), 0).await, (0, vec![0]));
        assert_eq!(
            guest.call("poll", &[u64::from(FREE), 1 << 29, 0]).await,
            error(Error::InvalidInput)
        );
        assert_eq!(guest.call("poll", &[0xffff_f000, 1024, 0]).await, error(Error::BadAddress));
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn a_non_blocking_read_does_not_wait() {
    let world = World::new(1);
    let host = host(&world);
    let guest = Puppet::start(&world, &host, EVERYTHING);
    world.run(async {
        assert_eq!(guest.call("set_non_blocking", &[99, 1]).await, error(Error::BadFileDescriptor));
        assert_eq!(guest.call("set_non_blocking", &[2, 2]).await, error(Error::InvalidInput));
        assert_eq!(guest.call("set_non_blocking", &[2, 1]).await, 0);
        // The error stream is full after so much.
        let mut written = 0;
        let full = loop {
            match guest.call("write", &[2, u64::from(FREE), 50_000]).await {
                error @ ..0 => break error,
                count => written += count,
            }
        };
        assert_eq!((written, full), (1 << 16, error(Error::WouldBlock)));
        assert_eq!(guest.error.read(&mut [0; 1 << 16]).await.unwrap(), 1 << 16);
        assert_eq!(guest.end(0).await.status(), 0);
    });
}
