//! `chmod` and `chown`: modes and owners of files.

use devnet_virtual_file_system::{GroupIdentifier, Mode, NodeKind, UserIdentifier};

use super::tree;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

/// The first word that is no option, the paths behind it, and whether `-R` was there.
fn arguments(context: &Context) -> Result<(&str, Vec<String>), Failure> {
    let (mut recursive, mut words) = (false, context.arguments.as_slice());
    while let Some((word, rest)) = words.split_first().filter(|(word, _)| *word == "-R") {
        recursive |= word == "-R";
        words = rest;
    }
    let Some((what, paths)) = words.split_first().filter(|(_, paths)| !paths.is_empty()) else {
        return Err(Failure::usage("what, and of which file?"));
    };
    let mut all = Vec::new();
    for path in paths {
        let mut waiting = vec![tree::start(context, path)?];
        while let Some(found) = waiting.pop() {
            if recursive && found.node.kind == NodeKind::Directory {
                waiting.extend(tree::children(context, &found)?);
            }
            all.push(found.path);
        }
    }
    Ok((what, all))
}

/// `chmod`
pub(super) async fn run(context: &Context) -> Outcome {
    let (change, paths) = arguments(context)?;
    for path in &paths {
        let node = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
        let is_directory = node.kind == NodeKind::Directory;
        let mode = changed(change, node.mode.bits(), is_directory);
        let mode = mode.ok_or_else(|| Failure::of(change, "bad mode"))?;
        let done = context.files.set_mode(path, Mode::from_bits_truncate(mode));
        done.map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
}

/// A mode after a change such as `755` or `u+x,go-w`.
fn changed(change: &str, mut mode: u16, is_directory: bool) -> Option<u16> {
    if let Ok(mode) = u16::from_str_radix(change, 8) {
        return (mode <= 0o7777).then_some(mode);
    }
    for clause in change.split(',') {
        let start = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at_checked(start)?;
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        // Without a class, all but what the mask of new files says.
        let mask = if who.is_empty() { 0o7755 } else { mask };
        let mut letters = rest.chars();
        let operator = letters.next()?;
        let mut bits = 0;
        for letter in letters {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if is_directory || mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        let bits = bits & mask;
        mode = match operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => (mode & !(mask & 0o777)) | bits,
        };
    }
    Some(mode)
}

/// `chown`
pub(super) async fn owner(context: &Context) -> Outcome {
    let (change, paths) = arguments(context)?;
    let (user, group) = match change.split_once(':') {
        Some((user, group)) => (user, group),
        None => (change, ""),
    };
    let number = |name: &str| match name {
        "" => Ok(None),
        "root" => Ok(Some(0)),
        name => name.parse::<u32>().map(Some).map_err(|_| Failure::of(name, "unknown user")),
    };
    let (user, group) = (number(user)?, number(group)?);
    for path in &paths {
        let node = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
        let user = user.map_or(node.owner, UserIdentifier);
        let group = group.map_or(node.group, GroupIdentifier);
        context.files.set_owner(path, user, group).map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
}
