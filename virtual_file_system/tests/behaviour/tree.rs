//! Names: creating, listing, moving and removing them.

use std::sync::Arc;

use devnet_virtual_file_system::{
    DirectoryEntry, Error, NodeKind, OpenFlags, Path, VirtualFileSystem,
};

use crate::support::{LineDevice, READ_WRITE, create, octal, open, path, root, tree_with_line};

fn directory(tree: &VirtualFileSystem, text: &str) {
    tree.create_directory(&root(), &path(text), octal(0o755)).unwrap();
}

fn rename(
    tree: &VirtualFileSystem,
    from: &str,
    to: &str,
) -> devnet_virtual_file_system::Result<()> {
    tree.rename(&root(), &path(from), &path(to))
}

fn content(tree: &VirtualFileSystem, text: &str) -> Vec<u8> {
    let mut buffer = [0; 64];
    let count = open(tree, text, OpenFlags::READ).unwrap().try_read(&mut buffer).unwrap();
    buffer[..count].to_vec()
}

#[test]
fn a_directory_lists_its_names_sorted_with_their_kinds() {
    let (tree, _line) = tree_with_line();
    create(&tree, "/zebra");
    directory(&tree, "/apple");
    create(&tree, "/apple/hidden");
    let entry = |name: &str, kind| DirectoryEntry { name: name.into(), kind };
    let expected = vec![
        entry("apple", NodeKind::Directory),
        entry("line", NodeKind::CharacterDevice),
        entry("zebra", NodeKind::Regular),
    ];
    assert_eq!(tree.list(&root(), &Path::root()), Ok(expected));
    assert_eq!(tree.list(&root(), &path("/zebra")), Err(Error::NotADirectory));
    assert_eq!(tree.list(&root(), &path("/none")), Err(Error::NotFound));
}

#[test]
fn attributes_tell_kind_size_and_a_number_of_their_own() {
    let (tree, _line) = tree_with_line();
    create(&tree, "/file").try_write(b"12345").unwrap();
    let file = tree.stat(&root(), &path("/file")).unwrap();
    assert_eq!(
        (file.kind, file.size, file.links, file.mode),
        (NodeKind::Regular, 5, 1, octal(0o644))
    );
    let device = tree.stat(&root(), &path("/line")).unwrap();
    assert_eq!((device.kind, device.size), (NodeKind::CharacterDevice, 0));
    let top = tree.stat(&root(), &Path::root()).unwrap();
    assert_eq!((top.kind, top.mode), (NodeKind::Directory, octal(0o755)));
    assert!(file.inode != device.inode && device.inode != top.inode && top.inode != file.inode);
    // A name that is reused gets a new node.
    tree.remove(&root(), &path("/file")).unwrap();
    create(&tree, "/file");
    assert_ne!(tree.stat(&root(), &path("/file")).unwrap().inode, file.inode);
}

#[test]
fn creating_needs_a_free_name_in_a_directory() {
    let tree = VirtualFileSystem::new();
    create(&tree, "/file");
    let make = |text: &str| tree.create_directory(&root(), &path(text), octal(0o755));
    assert_eq!(make("/file"), Err(Error::AlreadyExists));
    assert_eq!(make("/"), Err(Error::AlreadyExists));
    assert_eq!(make("/none/new"), Err(Error::NotFound));
    assert_eq!(make("/file/new"), Err(Error::NotADirectory));
    assert_eq!(
        open(&tree, "/none/new", READ_WRITE | OpenFlags::CREATE).map(drop),
        Err(Error::NotFound)
    );
    assert_eq!(
        open(&tree, "/file/new", READ_WRITE | OpenFlags::CREATE).map(drop),
        Err(Error::NotADirectory)
    );
}

#[test]
fn create_opens_what_is_there_and_exclusive_refuses_it() {
    let tree = VirtualFileSystem::new();
    assert_eq!(open(&tree, "/file", READ_WRITE).map(drop), Err(Error::NotFound));
    let exclusive = READ_WRITE | OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    open(&tree, "/file", exclusive).unwrap().try_write(b"kept").unwrap();
    assert_eq!(open(&tree, "/file", exclusive).map(drop), Err(Error::AlreadyExists));
    assert_eq!(open(&tree, "/", exclusive).map(drop), Err(Error::AlreadyExists));
    drop(create(&tree, "/file"));
    assert_eq!(content(&tree, "/file"), b"kept");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let tree = VirtualFileSystem::new();
    create(&tree, "/file").try_write(b"kept").unwrap();
    for flags in [
        OpenFlags::empty(),
        OpenFlags::CREATE,
        OpenFlags::DIRECTORY,
        OpenFlags::READ | OpenFlags::TRUNCATE,
        OpenFlags::READ | OpenFlags::CREATE | OpenFlags::DIRECTORY,
    ] {
        assert_eq!(open(&tree, "/file", flags).map(drop), Err(Error::InvalidInput), "{flags:?}");
    }
    assert_eq!(content(&tree, "/file"), b"kept");
}

#[test]
fn a_directory_opens_only_as_a_directory() {
    let tree = VirtualFileSystem::new();
    directory(&tree, "/a");
    create(&tree, "/file");
    assert_eq!(open(&tree, "/a", OpenFlags::READ).map(drop), Err(Error::IsADirectory));
    assert_eq!(
        open(&tree, "/a", OpenFlags::READ | OpenFlags::CREATE).map(drop),
        Err(Error::IsADirectory)
    );
    assert_eq!(
        open(&tree, "/a", READ_WRITE | OpenFlags::DIRECTORY).map(drop),
        Err(Error::IsADirectory)
    );
    assert_eq!(
        open(&tree, "/file", OpenFlags::READ | OpenFlags::DIRECTORY).map(drop),
        Err(Error::NotADirectory)
    );
    let opened = open(&tree, "/a", OpenFlags::READ | OpenFlags::DIRECTORY).unwrap();
    assert_eq!(opened.try_read(&mut [0]), Err(Error::IsADirectory));
    assert_eq!(opened.try_write(&[0]), Err(Error::BadFileDescriptor));
    assert_eq!(opened.stat().unwrap().kind, NodeKind::Directory);
}

#[test]
fn removing_spares_full_directories_devices_and_the_root() {
    let (tree, _line) = tree_with_line();
    directory(&tree, "/a");
    create(&tree, "/a/file");
    let remove = |text: &str| tree.remove(&root(), &path(text));
    assert_eq!(remove("/a"), Err(Error::DirectoryNotEmpty));
    assert_eq!(remove("/line"), Err(Error::Busy));
    assert_eq!(remove("/"), Err(Error::Busy));
    assert_eq!(remove("/none"), Err(Error::NotFound));
    assert_eq!(remove("/a/file"), Ok(()));
    assert_eq!(remove("/a"), Ok(()));
    assert_eq!(tree.stat(&root(), &path("/a")), Err(Error::NotFound));
}

#[test]
fn renaming_moves_a_node_and_all_below_it() {
    let tree = VirtualFileSystem::new();
    directory(&tree, "/a");
    directory(&tree, "/a/b");
    create(&tree, "/a/b/file").try_write(b"moved").unwrap();
    let inode = tree.stat(&root(), &path("/a/b/file")).unwrap().inode;
    rename(&tree, "/a/b", "/c").unwrap();
    assert_eq!(tree.stat(&root(), &path("/a/b")), Err(Error::NotFound));
    assert_eq!(tree.stat(&root(), &path("/c/file")).unwrap().inode, inode);
    assert_eq!(content(&tree, "/c/file"), b"moved");
    rename(&tree, "/c/file", "/c/file").unwrap();
    assert_eq!(content(&tree, "/c/file"), b"moved");
}

#[test]
fn renaming_replaces_only_its_own_kind() {
    let (tree, _line) = tree_with_line();
    for name in ["/full", "/full/sub", "/empty"] {
        directory(&tree, name);
    }
    create(&tree, "/one").try_write(b"one").unwrap();
    create(&tree, "/two").try_write(b"two").unwrap();
    assert_eq!(rename(&tree, "/one", "/empty"), Err(Error::IsADirectory));
    assert_eq!(rename(&tree, "/empty", "/one"), Err(Error::NotADirectory));
    assert_eq!(rename(&tree, "/empty", "/full"), Err(Error::DirectoryNotEmpty));
    assert_eq!(rename(&tree, "/full/sub", "/full"), Err(Error::DirectoryNotEmpty));
    assert_eq!(rename(&tree, "/one", "/line"), Err(Error::Busy));
    assert_eq!(rename(&tree, "/line", "/other"), Err(Error::Busy));
    assert_eq!(rename(&tree, "/", "/other"), Err(Error::Busy));
    assert_eq!(rename(&tree, "/empty", "/"), Err(Error::Busy));
    assert_eq!(rename(&tree, "/none", "/other"), Err(Error::NotFound));
    assert_eq!(rename(&tree, "/one", "/none/other"), Err(Error::NotFound));
    rename(&tree, "/one", "/two").unwrap();
    assert_eq!(content(&tree, "/two"), b"one");
    rename(&tree, "/full", "/empty").unwrap();
    tree.stat(&root(), &path("/empty/sub")).unwrap();
}

#[test]
fn a_directory_cannot_move_into_itself() {
    let tree = VirtualFileSystem::new();
    directory(&tree, "/a");
    directory(&tree, "/a/b");
    assert_eq!(rename(&tree, "/a", "/a/b/c"), Err(Error::InvalidInput));
    assert_eq!(rename(&tree, "/a", "/a/c"), Err(Error::InvalidInput));
    // A name with the same prefix is a different name.
    rename(&tree, "/a", "/ab").unwrap();
    tree.stat(&root(), &path("/ab/b")).unwrap();
}

#[test]
fn a_mount_needs_a_free_name_and_a_parent() {
    let (tree, _line) = tree_with_line();
    let mount = |text: &str| {
        tree.mount(&root(), &path(text), Arc::new(LineDevice(Arc::default())), octal(0o600))
    };
    assert_eq!(mount("/line"), Err(Error::AlreadyExists));
    assert_eq!(mount("/"), Err(Error::AlreadyExists));
    assert_eq!(mount("/none/line"), Err(Error::NotFound));
    assert_eq!(mount("/line/line"), Err(Error::NotADirectory));
    assert_eq!(mount("/line2"), Ok(()));
    assert_eq!(tree.unmount(&root(), &path("/")), Err(Error::InvalidInput));
    assert_eq!(tree.unmount(&root(), &path("/none")), Err(Error::NotFound));
    create(&tree, "/file");
    assert_eq!(tree.unmount(&root(), &path("/file")), Err(Error::InvalidInput));
    assert_eq!(tree.unmount(&root(), &path("/line2")), Ok(()));
    assert_eq!(tree.stat(&root(), &path("/line2")), Err(Error::NotFound));
}

#[test]
fn clones_are_the_same_tree_and_trees_share_nothing() {
    let (one, two) = (VirtualFileSystem::new(), VirtualFileSystem::new());
    create(&one, "/file");
    one.clone().stat(&root(), &path("/file")).unwrap();
    assert_eq!(two.stat(&root(), &path("/file")), Err(Error::NotFound));
}

#[test]
fn a_directory_is_listed_in_pieces_while_it_changes() {
    let tree = VirtualFileSystem::new();
    for name in ["a", "c", "e", "g"] {
        create(&tree, &format!("/{name}"));
    }
    let names = |after: Option<&str>, most| {
        let entries = tree.list_after(&root(), &Path::root(), after, most).unwrap();
        entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 2), ["a", "c"]);
    tree.remove(&root(), &path("/c")).unwrap();
    create(&tree, "/b");
    create(&tree, "/d");
    assert_eq!(names(Some("c"), 2), ["d", "e"]);
    assert_eq!(names(Some("e"), 2), ["g"]);
    assert!(names(Some("g"), 2).is_empty());
    assert!(names(None, 0).is_empty());
}

#[test]
fn a_directory_is_free_to_move_once_its_devices_are_gone() {
    let tree = VirtualFileSystem::new();
    directory(&tree, "/a");
    directory(&tree, "/a/b");
    let device = || Arc::new(LineDevice(Arc::default()));
    tree.mount(&root(), &path("/a/b/one"), device(), octal(0o666)).unwrap();
    tree.mount(&root(), &path("/a/b/two"), device(), octal(0o666)).unwrap();
    assert_eq!(rename(&tree, "/a", "/c"), Err(Error::Busy));
    tree.unmount(&root(), &path("/a/b/one")).unwrap();
    assert_eq!(rename(&tree, "/a/b", "/c"), Err(Error::Busy));
    tree.unmount(&root(), &path("/a/b/two")).unwrap();
    assert_eq!(rename(&tree, "/a/b", "/a/c"), Ok(()));
    assert_eq!(rename(&tree, "/a", "/d"), Ok(()));
}
