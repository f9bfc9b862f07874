//! Every bound of `limits.rs` is reached once; those of payloads in `control`.

use devnet_virtual_file_system::limits::{
    ACCOUNTS_SHARE, CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, FILE_BYTES, NAME_BYTES, NODE_BYTES, NODES,
    PATH_BYTES, PIPE_BYTES, STORAGE_BYTES,
};
use devnet_virtual_file_system::{Error, OpenFlags, Path, Stored, VirtualFileSystem, pipe};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::{READ_WRITE, create, octal, open, path, root};

#[test]
fn names_end_at_255_bytes() {
    let longest = "n".repeat(NAME_BYTES);
    let directory = path("/a");
    assert_eq!(directory.join(&longest).unwrap().file_name(), Some(longest.as_str()));
    directory.resolve(&longest).unwrap();
    let longer = "é".repeat(NAME_BYTES / 2 + 1);
    assert_eq!(directory.join(&longer), Err(Error::NameTooLong), "bytes count, not characters");
    assert_eq!(directory.resolve(&longer), Err(Error::NameTooLong));
    assert_eq!(Path::parse(&format!("/{longer}/..")), Err(Error::NameTooLong));
}

#[test]
fn paths_end_at_4096_bytes() {
    let longest = "/n".repeat(PATH_BYTES / 2);
    let directory = path(&longest);
    assert_eq!(directory.as_str().len(), PATH_BYTES);
    assert_eq!(
        Path::parse(&format!("{longest}/")),
        Err(Error::NameTooLong),
        "the text itself is bounded"
    );
    assert_eq!(directory.resolve("n"), Err(Error::NameTooLong));
    assert_eq!(directory.join("n"), Err(Error::NameTooLong));
    assert_eq!(directory.resolve("../n"), Ok(directory.clone()));
}

#[test]
fn a_file_ends_at_its_limit() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    assert_eq!(file.set_length(FILE_BYTES + 1), Err(Error::FileTooLarge));
    file.seek(SeekFrom::Start(FILE_BYTES - 2)).unwrap();
    assert_eq!(file.try_write(b"abc"), Ok(2), "what fits is written");
    assert_eq!(file.try_write(b"c"), Err(Error::FileTooLarge));
    assert_eq!(file.stat().unwrap().size, FILE_BYTES);
    file.seek(SeekFrom::Start(FILE_BYTES - 2)).unwrap();
    assert_eq!(block_on(file.write_all(b"abc")), Err(Error::FileTooLarge));
    assert_eq!(block_on(file.write_all(b"")), Ok(()));
}

#[test]
fn all_files_share_one_budget() {
    const OVERHEAD: usize = 2 * NODE_BYTES + 3 * CHUNK_OVERHEAD_BYTES;
    const BYTES: usize = OVERHEAD + CHUNK_BYTES + 100;
    let tree = VirtualFileSystem::with_storage(BYTES);
    let (one, two) = (create(&tree, "/one"), create(&tree, "/two"));
    block_on(one.write_all(&[1; 90])).unwrap();
    // Chunk by chunk: the first fits, nothing of the second does.
    assert_eq!(two.try_write(&[2; CHUNK_BYTES + 11]), Ok(CHUNK_BYTES));
    assert_eq!(two.try_write(&[2; 11]), Err(Error::NoSpace));
    assert_eq!(two.try_write(&[2; 10]), Ok(10));
    assert_eq!(tree.stored().bytes, BYTES);
    assert_eq!(one.try_write(&[1]), Err(Error::NoSpace));
    // Existing bytes can still be overwritten, and freed ones reused.
    one.seek(SeekFrom::Start(0)).unwrap();
    assert_eq!(one.try_write(&[3; 90]), Ok(90));
    two.set_length(CHUNK_BYTES as u64).unwrap();
    assert_eq!(one.try_write(&[1; 10]), Ok(10));
    drop(two);
    tree.remove(&root(), &path("/two")).unwrap();
    assert_eq!(tree.stored().bytes, NODE_BYTES + CHUNK_OVERHEAD_BYTES + 2 * 90);
}

#[test]
fn a_budget_may_be_nothing_and_is_one_gibibyte_unless_said() {
    // Filling it completely would need all its memory; the test above fills one file of it.
    assert_eq!(STORAGE_BYTES, 1 << 30);
    let flags = READ_WRITE | OpenFlags::CREATE;
    let nothing = VirtualFileSystem::with_storage(0);
    assert_eq!(open(&nothing, "/file", flags).map(drop), Err(Error::NoSpace));
    assert_eq!(nothing.stored(), Stored::default());
    let nodes = VirtualFileSystem::with_storage(NODE_BYTES);
    assert_eq!(create(&nodes, "/file").try_write(b"x"), Err(Error::NoSpace));
    assert_eq!(create(&VirtualFileSystem::new(), "/file").try_write(b"x"), Ok(1));
}

#[test]
fn a_tree_has_a_last_node() {
    let tree = VirtualFileSystem::new();
    // The root is a node too.
    for number in 1..NODES {
        create(&tree, &format!("/{number}"));
    }
    let caller = root();
    assert_eq!(open(&tree, "/more", READ_WRITE | OpenFlags::CREATE).map(drop), Err(Error::NoSpace));
    assert_eq!(tree.create_directory(&caller, &path("/more"), octal(0o755)), Err(Error::NoSpace));
    open(&tree, "/1", READ_WRITE | OpenFlags::CREATE).unwrap();
    tree.remove(&caller, &path("/1")).unwrap();
    create(&tree, "/more");
    // Replacing a node frees one as well.
    tree.rename(&caller, &path("/2"), &path("/3")).unwrap();
    create(&tree, "/another");
    assert_eq!(tree.create_directory(&caller, &path("/last"), octal(0o755)), Err(Error::NoSpace));
}

#[test]
fn all_accounts_together_leave_a_share_to_the_system() {
    let tree = VirtualFileSystem::new();
    let account = tree.with_account(Stored { nodes: usize::MAX, bytes: usize::MAX });
    let other = tree.with_account(Stored { nodes: usize::MAX, bytes: usize::MAX });
    let flags = READ_WRITE | OpenFlags::CREATE;
    let created = (0..).take_while(|number| open(&account, &format!("/{number}"), flags).is_ok());
    let (part, whole) = ACCOUNTS_SHARE;
    assert_eq!(created.count(), NODES / whole * part);
    assert_eq!(open(&other, "/other", flags).map(drop), Err(Error::NoSpace));
    create(&tree, "/system");
    tree.remove(&root(), &path("/1")).unwrap();
    create(&other, "/other");
}

#[test]
fn a_pipe_is_bounded_whatever_was_asked_for() {
    let (_reader, writer) = pipe(usize::MAX);
    assert_eq!(writer.try_write(&vec![0; PIPE_BYTES + 1]), Ok(PIPE_BYTES));
    assert_eq!(writer.try_write(&[0]), Err(Error::WouldBlock));
    let (_reader, writer) = pipe(0);
    assert_eq!(writer.try_write(&[0; 2]), Ok(1));
}
