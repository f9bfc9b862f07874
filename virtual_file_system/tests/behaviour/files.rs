//! Regular files through open descriptions: offset, append, truncate, removal, several writers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use devnet_virtual_file_system::limits::{CHUNK_OVERHEAD_BYTES, NODE_BYTES};
use devnet_virtual_file_system::{Error, Mode, OpenFlags, Stored, VirtualFileSystem};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::{READ_WRITE, create, open, path, root, user};

fn all(tree: &VirtualFileSystem, text: &str) -> Vec<u8> {
    block_on(open(tree, text, OpenFlags::READ).unwrap().read_to_end(1 << 20)).unwrap()
}

#[test]
fn clones_share_the_position_and_opens_do_not() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    file.try_write(b"abcdef").unwrap();
    let clone = file.clone();
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut buffer = [0; 2];
    file.try_read(&mut buffer).unwrap();
    clone.try_read(&mut buffer).unwrap();
    assert_eq!(&buffer, b"cd");
    let other = open(&tree, "/file", OpenFlags::READ).unwrap();
    other.try_read(&mut buffer).unwrap();
    assert_eq!(&buffer, b"ab");
    assert_eq!(file.seek(SeekFrom::Current(0)), Ok(4));
}

#[test]
fn seeking_goes_anywhere_but_before_the_start() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    file.try_write(b"abcdef").unwrap();
    assert_eq!(file.seek(SeekFrom::End(-2)), Ok(4));
    assert_eq!(file.seek(SeekFrom::Current(-3)), Ok(1));
    assert_eq!(file.seek(SeekFrom::Current(-2)), Err(Error::InvalidInput));
    assert_eq!(file.seek(SeekFrom::End(-7)), Err(Error::InvalidInput));
    assert_eq!(file.seek(SeekFrom::Start(u64::MAX)), Err(Error::InvalidInput));
    assert_eq!(file.seek(SeekFrom::Current(0)), Ok(1), "a refused seek moves nothing");
    assert_eq!(file.seek(SeekFrom::End(3)), Ok(9));
    assert_eq!(file.try_read(&mut [0]), Ok(0));
    file.try_write(b"x").unwrap();
    assert_eq!(all(&tree, "/file"), b"abcdef\0\0\0x");
}

#[test]
fn appending_goes_to_the_end_whoever_wrote_there() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    let appending = open(&tree, "/file", OpenFlags::APPEND).unwrap();
    assert!(appending.flags().contains(OpenFlags::WRITE));
    appending.try_write(b"1").unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.try_write(b"2").unwrap();
    appending.seek(SeekFrom::Start(0)).unwrap();
    appending.try_write(b"3").unwrap();
    assert_eq!(all(&tree, "/file"), b"123");
}

#[test]
fn truncating_empties_the_file_for_everybody() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    file.try_write(b"abc").unwrap();
    open(&tree, "/file", OpenFlags::WRITE | OpenFlags::TRUNCATE).unwrap();
    assert_eq!(file.stat().unwrap().size, 0);
    // The offset is unchanged, so the next write leaves a hole of zeros.
    file.try_write(b"d").unwrap();
    assert_eq!(all(&tree, "/file"), b"\0\0\0d");
    file.set_length(2).unwrap();
    file.set_length(3).unwrap();
    assert_eq!(all(&tree, "/file"), b"\0\0\0");
}

#[test]
fn a_call_needs_the_file_to_be_opened_for_it() {
    let tree = VirtualFileSystem::new();
    create(&tree, "/file").try_write(b"abc").unwrap();
    let reading = open(&tree, "/file", OpenFlags::READ).unwrap();
    let writing = open(&tree, "/file", OpenFlags::WRITE).unwrap();
    let refused = Error::BadFileDescriptor;
    assert_eq!(reading.try_write(b"x"), Err(refused));
    assert_eq!(block_on(reading.write(b"x")), Err(refused));
    assert_eq!(block_on(reading.write_all(b"x")), Err(refused));
    assert_eq!(reading.set_length(0), Err(refused));
    assert_eq!(writing.try_read(&mut [0]), Err(refused));
    assert_eq!(block_on(writing.read(&mut [0])), Err(refused));
    assert_eq!(block_on(writing.read_to_end(10)), Err(refused));
    assert_eq!(all(&tree, "/file"), b"abc");
}

#[test]
fn a_removed_file_lives_on_for_who_has_it_open() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    file.try_write(b"abc").unwrap();
    tree.remove(&root(), &path("/file")).unwrap();
    assert_eq!(open(&tree, "/file", OpenFlags::READ).map(drop), Err(Error::NotFound));
    file.try_write(b"def").unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    assert_eq!(block_on(file.read_to_end(10)), Ok(b"abcdef".to_vec()));
    assert_eq!(file.stat().unwrap().links, 0);
    // A new file with the same name is another file.
    create(&tree, "/file").try_write(b"new").unwrap();
    assert_eq!(file.stat().unwrap().size, 6);
    assert_eq!(tree.stored().nodes, 2);
    drop(file);
    assert_eq!(
        tree.stored(),
        Stored { nodes: 1, bytes: NODE_BYTES + CHUNK_OVERHEAD_BYTES + 3 },
        "the last close gives the node and the memory back"
    );
}

#[test]
fn a_replaced_file_lives_on_for_who_has_it_open() {
    let tree = VirtualFileSystem::new();
    let old = create(&tree, "/old");
    old.try_write(b"old").unwrap();
    create(&tree, "/new");
    tree.rename(&root(), &path("/new"), &path("/old")).unwrap();
    assert_eq!((old.stat().unwrap().size, old.stat().unwrap().links), (3, 0));
}

#[test]
fn reading_to_the_end_is_bounded() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    let data: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    block_on(file.write_all(&data)).unwrap();
    for (limit, expected) in
        [(data.len(), Ok(data.clone())), (data.len() - 1, Err(Error::FileTooLarge))]
    {
        file.seek(SeekFrom::Start(0)).unwrap();
        assert_eq!(block_on(file.read_to_end(limit)), expected);
    }
    file.seek(SeekFrom::End(0)).unwrap();
    assert_eq!(block_on(file.read_to_end(0)), Ok(Vec::new()));
}

#[test]
fn writers_of_one_description_do_not_interleave() {
    const WRITERS: u8 = 4;
    const ROUNDS: usize = 50;
    const BYTES: usize = 100_000;
    for flags in [READ_WRITE | OpenFlags::CREATE, OpenFlags::APPEND | OpenFlags::CREATE] {
        let tree = VirtualFileSystem::new();
        let file = open(&tree, "/file", flags).unwrap();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let file = file.clone();
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        block_on(file.write_all(&[writer; BYTES])).unwrap();
                    }
                });
            }
        });
        let reader = open(&tree, "/file", OpenFlags::READ).unwrap();
        let mut seen = BTreeMap::new();
        let mut record = vec![0; BYTES];
        while reader.try_read(&mut record).unwrap() == BYTES {
            assert!(record.iter().all(|&byte| byte == record[0]), "a record is torn");
            *seen.entry(record[0]).or_insert(0) += 1;
        }
        assert_eq!(seen, (0..WRITERS).map(|writer| (writer, ROUNDS)).collect());
    }
}

#[test]
fn a_regular_file_knows_no_command() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    let identifier = devnet_virtual_file_system::Identifier::from_raw(0x5401);
    assert_eq!(block_on(file.control_raw(identifier, &[])), Err(Error::UnknownCommand));
    assert_eq!(file.try_control_raw(identifier, &[]), Err(Error::UnknownCommand));
}

#[test]
fn flags_forget_what_concerned_the_open_alone() {
    let tree = VirtualFileSystem::new();
    let asked = READ_WRITE
        | OpenFlags::CREATE
        | OpenFlags::EXCLUSIVE
        | OpenFlags::TRUNCATE
        | OpenFlags::NON_BLOCKING;
    let file = open(&tree, "/file", asked).unwrap();
    assert_eq!(file.flags(), READ_WRITE | OpenFlags::NON_BLOCKING);
    file.clone().set_non_blocking(false);
    assert_eq!(file.flags(), READ_WRITE);
}

#[test]
fn the_version_grows_with_every_change_and_with_nothing_else() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    let mut versions = vec![file.version().unwrap()];
    file.try_write(b"abc").unwrap();
    versions.push(file.version().unwrap());
    file.seek(SeekFrom::Start(0)).unwrap();
    file.try_write(b"abd").unwrap();
    versions.push(file.version().unwrap());
    file.set_length(1).unwrap();
    versions.push(file.version().unwrap());
    assert!(versions.is_sorted_by(|earlier, later| earlier < later), "{versions:?}");
    let other = open(&tree, "/file", OpenFlags::READ).unwrap();
    other.try_read(&mut [0; 9]).unwrap();
    assert_eq!(other.version(), Ok(versions[3]));
    let directory = open(&tree, "/", OpenFlags::READ | OpenFlags::DIRECTORY).unwrap();
    assert_eq!(directory.version(), Err(Error::IsADirectory));
}

/// A tree with a clock knows when bytes and names were last changed.
#[test]
fn changes_have_times() {
    let tree = VirtualFileSystem::new();
    let [now, other] = [root(), user(7)];
    let time = Arc::new(AtomicUsize::new(0));
    let clock = Arc::clone(&time);
    tree.set_time_source(Arc::new(move || {
        Duration::from_secs(clock.load(Ordering::Relaxed) as u64)
    }));
    let at = |seconds| time.store(seconds, Ordering::Relaxed);
    let modified = |text: &str| tree.stat(&now, &path(text)).unwrap().modified.as_secs();
    at(1);
    tree.create_directory(&now, &path("/d"), Mode::from_octal(0o755)).unwrap();
    at(2);
    let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE;
    let file = tree.open(&now, &path("/d/f"), flags, Mode::from_octal(0o644)).unwrap();
    assert_eq!((modified("/"), modified("/d"), modified("/d/f")), (1, 2, 2));
    at(3);
    assert_eq!(file.try_write(b"abc"), Ok(3));
    at(4);
    assert_eq!(file.try_write(b""), Ok(0));
    let _ = file.try_read(&mut [0; 3]);
    tree.set_mode(&now, &path("/d/f"), Mode::from_octal(0o600)).unwrap();
    assert_eq!((modified("/d"), modified("/d/f")), (2, 3), "nothing changed");
    file.set_length(1).unwrap();
    assert_eq!((modified("/d/f"), file.stat().unwrap().modified.as_secs()), (4, 4));
    at(5);
    drop(tree.open(&now, &path("/d/f"), flags | OpenFlags::TRUNCATE, Mode::from_octal(0)).unwrap());
    assert_eq!(modified("/d/f"), 5);
    at(6);
    tree.rename(&now, &path("/d/f"), &path("/g")).unwrap();
    assert_eq!((modified("/"), modified("/d"), modified("/g")), (6, 6, 5));
    at(7);
    let set = |caller, time: Option<u64>| {
        tree.set_modified(caller, &path("/g"), time.map(Duration::from_secs))
    };
    assert_eq!(set(&other, Some(1)), Err(Error::PermissionDenied));
    assert_eq!(set(&other, None), Err(Error::AccessDenied), "who may not write");
    assert_eq!((set(&now, Some(100)), modified("/g")), (Ok(()), 100));
    assert_eq!((set(&now, None), modified("/g")), (Ok(()), 7));
    tree.set_mode(&now, &path("/g"), Mode::from_octal(0o666)).unwrap();
    at(8);
    assert_eq!((set(&other, None), modified("/g")), (Ok(()), 8));
    tree.remove(&now, &path("/g")).unwrap();
    assert_eq!(modified("/"), 8);
}
