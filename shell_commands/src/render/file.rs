//! `ls -l` and `stat`.

use devnet_virtual_file_system::{Attributes, NodeKind};

use super::append;
use crate::shown;

/// One line per entry: the name, or with `long` type, mode, links, owner, group, size and name.
#[must_use]
pub fn listing(entries: &[(String, Attributes)], long: bool) -> String {
    let width =
        entries.iter().map(|(_, attributes)| attributes.size.to_string().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, attributes) in entries {
        if long {
            append(
                &mut text,
                format_args!(
                    "{} {} {} {} {:>width$} ",
                    permissions(attributes),
                    attributes.links,
                    attributes.owner.0,
                    attributes.group.0,
                    attributes.size
                ),
            );
        }
        text.push_str(&shown::line(name));
        text.push('\n');
    }
    text
}

/// The output of `stat` for one file.
#[must_use]
pub fn status(path: &str, attributes: &Attributes) -> String {
    let kind = match attributes.kind {
        NodeKind::Directory => "directory",
        NodeKind::Regular if attributes.size == 0 => "regular empty file",
        NodeKind::Regular => "regular file",
        NodeKind::CharacterDevice => "character special file",
    };
    format!(
        "  File: {}\n  Size: {:<10} {kind}\n Inode: {:<10} Links: {}\nAccess: ({:04o}/{})  \
         Uid: {}  Gid: {}\n",
        shown::line(path),
        attributes.size,
        attributes.inode,
        attributes.links,
        attributes.mode.bits(),
        permissions(attributes),
        attributes.owner.0,
        attributes.group.0
    )
}

/// Type and permissions as `ls -l` shows them: `crw-r--r--`.
fn permissions(attributes: &Attributes) -> String {
    let kind = match attributes.kind {
        NodeKind::Directory => 'd',
        NodeKind::Regular => '-',
        NodeKind::CharacterDevice => 'c',
    };
    let mode = u32::from(attributes.mode.bits());
    let mut text = String::from(kind);
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        text.push(if mode >> bit & 1 == 1 { letter } else { '-' });
    }
    if mode & 0o1000 != 0 {
        let last = text.pop();
        text.push(if last == Some('x') { 't' } else { 'T' });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_virtual_file_system::{GroupIdentifier, Mode, UserIdentifier};

    fn attributes(kind: NodeKind, mode: u16, size: u64) -> Attributes {
        Attributes {
            kind,
            mode: Mode::from_bits_truncate(mode),
            owner: UserIdentifier(1000),
            group: GroupIdentifier(100),
            size,
            inode: 7,
            links: 1,
        }
    }

    #[test]
    fn listings_are_short_or_long() {
        let entries = [
            ("eth0".to_owned(), attributes(NodeKind::CharacterDevice, 0o644, 0)),
            ("big".to_owned(), attributes(NodeKind::Regular, 0o755, 12345)),
            ("tmp".to_owned(), attributes(NodeKind::Directory, 0o1777, 0)),
        ];
        assert_eq!(listing(&entries, false), "eth0\nbig\ntmp\n");
        assert_eq!(
            listing(&entries, true),
            "crw-r--r-- 1 1000 100     0 eth0\n-rwxr-xr-x 1 1000 100 12345 big\ndrwxrwxrwt 1 1000 \
             100     0 tmp\n"
        );
    }

    #[test]
    fn stat_tells_all() {
        assert_eq!(
            status("/x", &attributes(NodeKind::Regular, 0o640, 5)),
            "  File: /x\n  Size: 5          regular file\n Inode: 7          Links: 1\nAccess: \
             (0640/-rw-r-----)  Uid: 1000  Gid: 100\n"
        );
    }
}
