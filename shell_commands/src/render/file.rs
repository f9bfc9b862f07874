//! `ls -l` and `stat`, in the layouts of GNU's coreutils.

use std::time::Duration;

use devnet_virtual_file_system::{Attributes, NodeKind};

use super::units::bytes_for_people;
use super::{append, calendar, color};
use crate::shown;

/// How entries are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Type, mode, links, owner, group, size and time too.
    pub long: bool,
    /// Sizes with units.
    pub units: bool,
    /// Inode numbers.
    pub inodes: bool,
    /// `/` behind directories, and with `classes` what else is no regular file.
    pub slashes: bool,
    /// Names in the colours of their kinds.
    pub colors: bool,
    /// `*` behind programs.
    pub classes: bool,
    /// The time since 1970: what is older than half a year has its year.
    pub now: Duration,
}

/// One line per entry.
#[must_use]
pub fn listing(entries: &[(String, Attributes)], layout: Layout) -> String {
    let size = |attributes: &Attributes| match attributes.kind {
        NodeKind::CharacterDevice => device(attributes, ", "),
        _ if layout.units => bytes_for_people(attributes.size),
        _ => attributes.size.to_string(),
    };
    let widest = |cell: &dyn Fn(&Attributes) -> String| {
        entries.iter().map(|(_, attributes)| cell(attributes).len()).max().unwrap_or(0)
    };
    let [inode, links, owner, group] = [
        widest(&|one| one.inode.to_string()),
        widest(&|one| one.links.to_string()),
        widest(&|one| one.owner.0.to_string()),
        widest(&|one| one.group.0.to_string()),
    ];
    let width = widest(&size);
    let mut text = String::new();
    for (name, attributes) in entries {
        if layout.inodes {
            append(&mut text, format_args!("{:>inode$} ", attributes.inode));
        }
        if layout.long {
            append(
                &mut text,
                format_args!(
                    "{} {:>links$} {:<owner$} {:<group$} {:>width$} {} ",
                    permissions(attributes),
                    attributes.links,
                    attributes.owner.0,
                    attributes.group.0,
                    size(attributes),
                    time_of_listing(attributes.modified, layout.now)
                ),
            );
        }
        let name = shown::line(name);
        text.push_str(&if layout.colors { color::name(name, attributes) } else { name });
        match attributes.kind {
            NodeKind::Directory if layout.slashes || layout.classes => text.push('/'),
            NodeKind::Regular if layout.classes && attributes.mode.bits() & 0o111 != 0 => {
                text.push('*');
            }
            _ => {}
        }
        text.push('\n');
    }
    text
}

/// The major and the minor number of a device: there is one driver of all, and each file of it is
/// another device.
fn device(attributes: &Attributes, between: &str) -> String {
    format!("0{between}{}", attributes.inode)
}

/// The line above a long listing of a directory: the kibibytes in it.
#[must_use]
pub fn total(entries: &[(String, Attributes)]) -> String {
    let blocks: u64 = entries.iter().map(|(_, one)| one.size.div_ceil(1024)).sum();
    format!("total {blocks}\n")
}

/// A time as `ls -l` has it: with the hour for half a year, else with the year.
fn time_of_listing(modified: Duration, now: Duration) -> String {
    const HALF_A_YEAR: Duration = Duration::from_secs(31_556_952 / 2);
    let is_recent = modified <= now && now - modified < HALF_A_YEAR;
    calendar::format(modified, if is_recent { "%b %e %H:%M" } else { "%b %e  %Y" })
}

/// The kind in words.
const fn kind(attributes: &Attributes) -> &'static str {
    match attributes.kind {
        NodeKind::Directory => "directory",
        NodeKind::Regular if attributes.size == 0 => "regular empty file",
        NodeKind::Regular => "regular file",
        NodeKind::CharacterDevice => "character special file",
    }
}

const BLOCK: u64 = 512;

/// The output of `stat` for one file. When it was read last, created, or its mode changed is not
/// known.
#[must_use]
pub fn status(path: &str, attributes: &Attributes) -> String {
    let links = match attributes.kind {
        NodeKind::CharacterDevice => {
            format!("{:<5} Device type: {}", attributes.links, device(attributes, ","))
        }
        _ => attributes.links.to_string(),
    };
    format!(
        "  File: {}\n  Size: {:<10}\tBlocks: {:<10} IO Block: 4096   {}\nDevice: 0,1\tInode: \
         {:<11} Links: {}\nAccess: ({:04o}/{})  Uid: ({:>5}/ UNKNOWN)   Gid: ({:>5}/ UNKNOWN)\n\
         Access: -\nModify: {}\nChange: -\n Birth: -\n",
        shown::line(path),
        attributes.size,
        attributes.size.div_ceil(BLOCK),
        kind(attributes),
        attributes.inode,
        links,
        attributes.mode.bits(),
        permissions(attributes),
        attributes.owner.0,
        attributes.group.0,
        calendar::format(attributes.modified, "%F %T.%N %z"),
    )
}

/// What a format of `stat -c` says of a file.
///
/// # Errors
/// The sequence that is not known.
pub fn formatted(format: &str, path: &str, attributes: &Attributes) -> Result<String, String> {
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let Attributes { size, mode, owner, group, inode, links, modified, .. } = attributes;
        match characters.next() {
            Some('n') => text.push_str(&shown::line(path)),
            Some('s') => append(&mut text, format_args!("{size}")),
            Some('b') => append(&mut text, format_args!("{}", size.div_ceil(BLOCK))),
            Some('B') => append(&mut text, format_args!("{BLOCK}")),
            Some('a') => append(&mut text, format_args!("{:o}", mode.bits())),
            Some('A') => text.push_str(&permissions(attributes)),
            Some('F') => text.push_str(kind(attributes)),
            Some('u') => append(&mut text, format_args!("{}", owner.0)),
            Some('g') => append(&mut text, format_args!("{}", group.0)),
            Some('U' | 'G') => text.push_str("UNKNOWN"),
            Some('i') => append(&mut text, format_args!("{inode}")),
            Some('h') => append(&mut text, format_args!("{links}")),
            Some('y') => text.push_str(&calendar::format(*modified, "%F %T.%N %z")),
            Some('Y') => append(&mut text, format_args!("{}", modified.as_secs())),
            Some('%') => text.push('%'),
            Some(other) => return Err(format!("%{other}")),
            None => return Err("%".into()),
        }
    }
    Ok(text)
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
            modified: Duration::from_secs(1_796_005_466),
        }
    }

    #[test]
    fn listings_are_short_or_long() {
        let entries = [
            ("eth0".to_owned(), attributes(NodeKind::CharacterDevice, 0o644, 0)),
            ("big".to_owned(), attributes(NodeKind::Regular, 0o755, 12345)),
            ("tmp".to_owned(), attributes(NodeKind::Directory, 0o1777, 0)),
        ];
        let plain = Layout::default();
        assert_eq!(listing(&entries, plain), "eth0\nbig\ntmp\n");
        let now = Duration::from_secs(1_796_010_000);
        assert_eq!(
            listing(&entries, Layout { long: true, now, ..plain }),
            "crw-r--r-- 1 1000 100  0, 7 Nov 30 02:24 eth0\n\
             -rwxr-xr-x 1 1000 100 12345 Nov 30 02:24 big\n\
             drwxrwxrwt 1 1000 100     0 Nov 30 02:24 tmp\n"
        );
        let later = Duration::from_secs(1_896_010_000);
        let classes = Layout { classes: true, inodes: true, ..plain };
        assert_eq!(listing(&entries, classes), "7 eth0\n7 big*\n7 tmp/\n");
        let units = Layout { long: true, units: true, now: later, ..plain };
        assert_eq!(listing(&entries[1..2], units), "-rwxr-xr-x 1 1000 100 13K Nov 30  2026 big\n");
        assert_eq!(total(&entries), "total 13\n");
    }

    /// As by GNU's coreutils 9.1, but for the times that are not known here.
    #[test]
    fn stat_tells_all() {
        let file = attributes(NodeKind::Regular, 0o640, 5);
        assert_eq!(
            status("/x", &file),
            "  File: /x\n  Size: 5         \tBlocks: 1          IO Block: 4096   regular file\n\
             Device: 0,1\tInode: 7           Links: 1\n\
             Access: (0640/-rw-r-----)  Uid: ( 1000/ UNKNOWN)   Gid: (  100/ UNKNOWN)\n\
             Access: -\nModify: 2026-11-30 02:24:26.000000000 +0000\nChange: -\n Birth: -\n"
        );
        let device = attributes(NodeKind::CharacterDevice, 0o600, 0);
        let text = status("/y", &device);
        assert_eq!(
            text.lines().nth(2),
            Some("Device: 0,1\tInode: 7           Links: 1     Device type: 0,7")
        );
        let format = |format| formatted(format, "/x", &file);
        assert_eq!(
            format("%n %s %a %A %u:%g %F %h %i %Y%%").unwrap(),
            "/x 5 640 -rw-r----- 1000:100 regular file 1 7 1796005466%"
        );
        assert_eq!((format("%k"), format("5%")), (Err("%k".into()), Err("%".into())));
    }
}
