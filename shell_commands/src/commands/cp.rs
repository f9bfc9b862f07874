//! `cp` and `mv`: one or more sources to a target, which is a directory if there are several.

use devnet_virtual_file_system::{Attributes, Error, NodeKind, OpenFlags};
use lexopt::prelude::*;

use super::tree;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

#[derive(Clone, Copy, Default)]
struct Options {
    recursive: bool,
    /// Mode, owner and time too.
    preserves: bool,
    /// Nothing is replaced.
    keeps: bool,
    /// Says what is done.
    tells: bool,
}

/// `cp`
pub(super) async fn copy(context: &Context) -> Outcome {
    let mut chosen = Options::default();
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('r' | 'R') => chosen.recursive = true,
            Short('a') => (chosen.recursive, chosen.preserves) = (true, true),
            Short('p') => chosen.preserves = true,
            Short('n') => chosen.keeps = true,
            Short('v') => chosen.tells = true,
            // It replaces what is there anyway, and there are no links.
            Short('f' | 'd') => {}
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    for (from, to) in pairs(context, &paths)? {
        copy_any(context, from, to, chosen).await?;
    }
    Ok(Status::SUCCESS)
}

/// `mv`
pub(super) async fn rename(context: &Context) -> Outcome {
    let (mut keeps, mut tells, mut paths) = (false, false, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => keeps = true,
            Short('f') => keeps = false,
            Short('v') => tells = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    for (from, to) in pairs(context, &paths)? {
        if keeps && context.files.stat(&to).is_ok() {
            continue;
        }
        context.files.rename(&from, &to).map_err(|why| Failure::of(&from, why))?;
        if tells {
            context.print(&format!("renamed '{from}' -> '{to}'\n")).await?;
        }
    }
    Ok(Status::SUCCESS)
}

fn pairs(context: &Context, paths: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let (target, sources) = match paths.split_last() {
        Some((target, sources)) if !sources.is_empty() => (target, sources),
        _ => return Err(Failure::usage("a source and a target are needed")),
    };
    let into_directory =
        context.files.stat(target).is_ok_and(|target| target.kind == NodeKind::Directory);
    if sources.len() > 1 && !into_directory {
        return Err(Failure::of(target, Error::NotADirectory));
    }
    let pair = |source: &String| {
        let path = context.files.resolve(source).map_err(|why| Failure::of(source, why))?;
        match path.file_name() {
            Some(name) if into_directory => Ok((source.clone(), tree::join(target, name))),
            _ => Ok((source.clone(), target.clone())),
        }
    };
    sources.iter().map(pair).collect()
}

/// Copies a file, or a directory with what was in it when the copy began.
async fn copy_any(
    context: &Context,
    from: String,
    to: String,
    options: Options,
) -> Result<(), Failure> {
    let files = &context.files;
    let resolve = |path: &str| files.resolve(path).map_err(|why| Failure::of(path, why));
    let (source, target) = (resolve(&from)?, resolve(&to)?);
    if target.is_below(&source) && options.recursive {
        return Err(Failure::of(from, format!("cannot be copied into itself, {to}")));
    }
    // Directories get their mode and time when everything is in them.
    let mut made = Vec::new();
    let mut waiting = vec![(from, to, 0_usize)];
    while let Some((from, to, depth)) = waiting.pop() {
        let node = files.stat(&from).map_err(|why| Failure::of(&from, why))?;
        if node.kind == NodeKind::Directory {
            if !options.recursive {
                return Err(Failure::of(from, "is a directory, and -r is not given"));
            }
            if depth == limits::DEPTH {
                return Err(Failure::of(from, "too deep"));
            }
            match files.create_directory(&to) {
                Err(Error::AlreadyExists)
                    if files.stat(&to).is_ok_and(|node| node.kind == NodeKind::Directory) => {}
                created => created.map_err(|why| Failure::of(&to, why))?,
            }
            let entries = files.list(&from).map_err(|why| Failure::of(&from, why))?;
            waiting.extend(entries.iter().rev().map(|entry| {
                (tree::join(&from, &entry.name), tree::join(&to, &entry.name), depth + 1)
            }));
            made.push((to.clone(), node));
        } else {
            if options.keeps && files.stat(&to).is_ok() {
                continue;
            }
            copy_file(context, &from, &to).await?;
            if options.preserves {
                preserve(context, &to, &node)?;
            }
        }
        if options.tells {
            context.print(&format!("'{from}' -> '{to}'\n")).await?;
        }
    }
    for (to, node) in made.iter().rev().filter(|_| options.preserves) {
        preserve(context, to, node)?;
    }
    Ok(())
}

/// Gives a copy the mode, the owner, if that is permitted, and the time of what was copied.
fn preserve(context: &Context, to: &str, node: &Attributes) -> Result<(), Failure> {
    let files = &context.files;
    let failed = |why| Failure::of(to, why);
    match files.set_owner(to, node.owner, node.group) {
        Err(Error::PermissionDenied) => {}
        changed => changed.map_err(failed)?,
    }
    files.set_mode(to, node.mode).map_err(failed)?;
    files.set_modified(to, Some(node.modified)).map_err(failed)
}

async fn copy_file(context: &Context, from: &str, to: &str) -> Result<(), Failure> {
    let files = &context.files;
    let source = files.open(from, OpenFlags::READ).map_err(|why| Failure::of(from, why))?;
    // The target is emptied when it is opened: a file must not be copied onto itself.
    let identity = files.stat(from).map_err(|why| Failure::of(from, why))?.inode;
    if files.stat(to).is_ok_and(|target| target.inode == identity) {
        return Err(Failure::of(to, "is the same file"));
    }
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let target = files.open(to, flags).map_err(|why| Failure::of(to, why))?;
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let count = source.read(&mut buffer).await.map_err(|why| Failure::of(from, why))?;
        if count == 0 {
            return Ok(());
        }
        let data = buffer.get(..count).unwrap_or_default();
        target.write_all(data).await.map_err(|why| Failure::of_write_to(&target, to, why))?;
    }
}
