//! Permission checks.

use devnet_virtual_file_system::{
    Access, Credentials, Error, GroupIdentifier, OpenFlags, UserIdentifier, VirtualFileSystem,
    permitted,
};

use crate::support::{READ_WRITE, create, octal, path, root, tree_with_line, user};

const OWNER: UserIdentifier = UserIdentifier(10);
const GROUP: GroupIdentifier = GroupIdentifier(20);

fn may(caller: &Credentials, mode: u16, access: Access) -> bool {
    match permitted(caller, OWNER, GROUP, octal(mode), access) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, Error::AccessDenied);
            false
        }
    }
}

#[test]
fn exactly_one_class_decides_about_every_bit() {
    let owner = Credentials::new(OWNER, GroupIdentifier(1));
    let owner_in_group = Credentials::new(OWNER, GROUP);
    let member = Credentials::new(UserIdentifier(11), GROUP);
    let mut further = user(12);
    further.groups = vec![GroupIdentifier(7), GROUP];
    let other = user(13);
    for (bit, access) in [(4, Access::READ), (2, Access::WRITE), (1, Access::EXECUTE)] {
        for (caller, shift) in
            [(&owner, 6), (&owner_in_group, 6), (&member, 3), (&further, 3), (&other, 0)]
        {
            assert!(may(caller, bit << shift, access), "{caller:?} {access:?}");
            // Every other bit is set and must not grant access.
            assert!(!may(caller, 0o777 & !(bit << shift), access), "{caller:?} {access:?}");
        }
    }
}

#[test]
fn all_wanted_bits_must_be_granted() {
    assert!(may(&user(13), 0o006, Access::READ | Access::WRITE));
    assert!(!may(&user(13), 0o004, Access::READ | Access::WRITE));
    assert!(may(&user(13), 0o000, Access::empty()));
}

#[test]
fn user_zero_may_everything() {
    assert!(may(&root(), 0, Access::all()));
    let no_superuser = Credentials::new(UserIdentifier(1), GroupIdentifier(0));
    assert!(!may(&no_superuser, 0, Access::READ));
}

#[test]
fn opening_needs_the_access_it_asks_for() {
    let tree = VirtualFileSystem::new();
    create(&tree, "/file");
    tree.set_mode(&root(), &path("/file"), octal(0o604)).unwrap();
    let attempt = |flags| tree.open(&user(1), &path("/file"), flags, octal(0)).map(drop);
    assert_eq!(attempt(OpenFlags::READ), Ok(()));
    assert_eq!(attempt(OpenFlags::WRITE), Err(Error::AccessDenied));
    assert_eq!(attempt(READ_WRITE), Err(Error::AccessDenied));
    assert_eq!(attempt(OpenFlags::APPEND), Err(Error::AccessDenied));
}

#[test]
fn a_device_node_has_permissions_too() {
    let (tree, line) = tree_with_line();
    tree.set_mode(&root(), &path("/line"), octal(0o600)).unwrap();
    let attempt = tree.open(&user(1), &path("/line"), OpenFlags::READ, octal(0));
    assert_eq!(attempt.map(drop), Err(Error::AccessDenied));
    assert_eq!(line.opened.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn every_directory_on_the_way_must_be_searchable() {
    let tree = VirtualFileSystem::new();
    for directory in ["/a", "/a/b"] {
        tree.create_directory(&root(), &path(directory), octal(0o777)).unwrap();
    }
    create(&tree, "/a/b/file");
    let caller = user(1);
    for closed in ["/a", "/a/b"] {
        // Readable and writable, but not searchable.
        tree.set_mode(&root(), &path(closed), octal(0o776)).unwrap();
        assert_eq!(tree.stat(&caller, &path("/a/b/file")), Err(Error::AccessDenied));
        let opened = tree.open(&caller, &path("/a/b/file"), OpenFlags::READ, octal(0));
        assert_eq!(opened.map(drop), Err(Error::AccessDenied));
        assert_eq!(tree.remove(&caller, &path("/a/b/file")), Err(Error::AccessDenied));
        assert_eq!(
            tree.create_directory(&caller, &path("/a/b/new"), octal(0o777)),
            Err(Error::AccessDenied)
        );
        // An unsearchable directory does not reveal whether a name exists.
        assert_eq!(tree.stat(&caller, &path("/a/b/none")), Err(Error::AccessDenied));
        tree.set_mode(&root(), &path(closed), octal(0o771)).unwrap();
        tree.stat(&caller, &path("/a/b/file")).unwrap();
        tree.set_mode(&root(), &path(closed), octal(0o777)).unwrap();
    }
}

#[test]
fn listing_needs_read_access_and_searching_does_not_give_it() {
    let tree = VirtualFileSystem::new();
    tree.create_directory(&root(), &path("/a"), octal(0o711)).unwrap();
    assert_eq!(tree.list(&user(1), &path("/a")), Err(Error::AccessDenied));
    let opened = tree.open(&user(1), &path("/a"), OpenFlags::READ | OpenFlags::DIRECTORY, octal(0));
    assert_eq!(opened.map(drop), Err(Error::AccessDenied));
    tree.set_mode(&root(), &path("/a"), octal(0o755)).unwrap();
    assert_eq!(tree.list(&user(1), &path("/a")), Ok(vec![]));
}

#[test]
fn changing_names_needs_write_access_to_the_parent() {
    let (tree, _line) = tree_with_line();
    create(&tree, "/file");
    tree.create_directory(&root(), &path("/mine"), octal(0o777)).unwrap();
    let caller = user(1);
    let denied = Err(Error::AccessDenied);
    let device = || std::sync::Arc::new(crate::support::LineDevice(std::sync::Arc::default()));
    assert_eq!(tree.create_directory(&caller, &path("/new"), octal(0o777)), denied);
    let created = tree.open(&caller, &path("/new"), READ_WRITE | OpenFlags::CREATE, octal(0o666));
    assert_eq!(created.map(drop), denied);
    assert_eq!(tree.remove(&caller, &path("/file")), denied);
    assert_eq!(tree.rename(&caller, &path("/file"), &path("/mine/file")), denied);
    assert_eq!(tree.mount(&caller, &path("/new"), device(), octal(0o666)), denied);
    assert_eq!(tree.unmount(&caller, &path("/line")), denied);
    // In their own directory they may, and own what they create.
    tree.mount(&caller, &path("/mine/line"), device(), octal(0o600)).unwrap();
    assert_eq!(tree.stat(&caller, &path("/mine/line")).unwrap().owner, UserIdentifier(1));
    assert_eq!(tree.rename(&caller, &path("/mine/line"), &path("/line2")), Err(Error::Busy));
    tree.create_directory(&caller, &path("/mine/a"), octal(0o700)).unwrap();
    assert_eq!(tree.rename(&caller, &path("/mine/a"), &path("/a")), denied);
    // A device has another name where it is, and nowhere else.
    assert_eq!(tree.rename_device(&caller, &path("/line"), "other"), denied);
    assert_eq!(tree.rename_device(&caller, &path("/mine/a"), "b"), Err(Error::InvalidInput));
    for (name, error) in [
        ("a", Error::AlreadyExists),
        ("line", Error::AlreadyExists),
        ("", Error::InvalidInput),
        ("..", Error::InvalidInput),
        ("../line2", Error::InvalidInput),
    ] {
        let renamed = tree.rename_device(&caller, &path("/mine/line"), name);
        assert_eq!(renamed, Err(error), "{name}");
    }
    let open = tree.open(&caller, &path("/mine/line"), READ_WRITE, octal(0)).unwrap();
    tree.rename_device(&caller, &path("/mine/line"), "new").unwrap();
    assert_eq!(tree.stat(&caller, &path("/mine/line")).map(drop), Err(Error::NotFound));
    assert_ne!(open.try_read(&mut [0; 4]), Err(Error::NoDevice));
    // The directory still knows that a device is below it.
    assert_eq!(tree.rename(&root(), &path("/mine"), &path("/ours")), Err(Error::Busy));
    tree.unmount(&caller, &path("/mine/new")).unwrap();
    tree.rename(&root(), &path("/mine"), &path("/ours")).unwrap();
}

#[test]
fn whoever_creates_a_file_has_it_open_whatever_its_mode() {
    let tree = VirtualFileSystem::new();
    tree.set_mode(&root(), &path("/"), octal(0o777)).unwrap();
    let file =
        tree.open(&user(1), &path("/file"), READ_WRITE | OpenFlags::CREATE, octal(0)).unwrap();
    assert_eq!(file.try_write(b"mine"), Ok(4));
    let again = tree.open(&user(1), &path("/file"), OpenFlags::READ, octal(0));
    assert_eq!(again.map(drop), Err(Error::AccessDenied));
}

#[test]
fn in_a_sticky_directory_only_owners_remove_and_rename() {
    let tree = VirtualFileSystem::new();
    tree.create_directory(&root(), &path("/temporary"), octal(0o1777)).unwrap();
    tree.set_owner(&root(), &path("/temporary"), UserIdentifier(3), GroupIdentifier(3)).unwrap();
    let (file, other) = (path("/temporary/file"), path("/temporary/other"));
    let make = |caller: &Credentials, at: &_| {
        tree.open(caller, at, READ_WRITE | OpenFlags::CREATE, octal(0o666)).map(drop).unwrap();
    };
    let refused = Err(Error::PermissionDenied);
    make(&user(1), &file);
    make(&user(2), &other);
    assert_eq!(tree.remove(&user(2), &file), refused);
    assert_eq!(tree.rename(&user(2), &file, &path("/temporary/new")), refused);
    // Nor by renaming one's own file over it.
    assert_eq!(tree.rename(&user(2), &other, &file), refused);
    // The owner of the entry, the owner of the directory, and user 0.
    for remover in [user(1), user(3), root()] {
        tree.remove(&remover, &file).unwrap();
        make(&user(1), &file);
    }
    // Without the sticky bit, write access is enough.
    tree.set_mode(&root(), &path("/temporary"), octal(0o777)).unwrap();
    tree.remove(&user(2), &file).unwrap();
}

#[test]
fn only_the_owner_changes_the_mode_and_only_user_zero_the_owner() {
    let tree = VirtualFileSystem::new();
    create(&tree, "/file");
    let at = path("/file");
    tree.set_owner(&root(), &at, UserIdentifier(1), GroupIdentifier(1)).unwrap();
    assert_eq!(tree.set_mode(&user(2), &at, octal(0o777)), Err(Error::PermissionDenied));
    tree.set_mode(&user(1), &at, octal(0o640)).unwrap();
    assert_eq!(tree.stat(&root(), &at).unwrap().mode, octal(0o640));

    let mut owner = user(1);
    owner.groups.push(GroupIdentifier(5));
    let give = |caller: &Credentials, to: u32, group: u32| {
        tree.set_owner(caller, &at, UserIdentifier(to), GroupIdentifier(group))
    };
    assert_eq!(give(&owner, 2, 1), Err(Error::PermissionDenied));
    assert_eq!(give(&owner, 1, 6), Err(Error::PermissionDenied));
    assert_eq!(give(&user(2), 2, 2), Err(Error::PermissionDenied));
    assert_eq!(give(&owner, 1, 5), Ok(()));
    assert_eq!(give(&root(), 2, 6), Ok(()));
    let attributes = tree.stat(&root(), &at).unwrap();
    assert_eq!((attributes.owner, attributes.group), (UserIdentifier(2), GroupIdentifier(6)));
}

#[test]
fn an_open_file_stays_open_when_its_mode_changes() {
    let tree = VirtualFileSystem::new();
    tree.set_mode(&root(), &path("/"), octal(0o777)).unwrap();
    let file =
        tree.open(&user(1), &path("/file"), READ_WRITE | OpenFlags::CREATE, octal(0o600)).unwrap();
    tree.set_mode(&root(), &path("/file"), octal(0)).unwrap();
    assert_eq!(file.try_write(b"still"), Ok(5));
}
