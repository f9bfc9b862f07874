//! Walks through directories, for `grep -r` and `find`.

use devnet_virtual_file_system::{Attributes, NodeKind};

use crate::context::Context;
use crate::failure::Failure;
use crate::limits;

/// A node that was found.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) depth: usize,
    pub(super) node: Attributes,
}

/// A name in a directory.
pub(super) fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// Adds the regular files below `root`, or `root` itself.
pub(super) fn files(context: &Context, root: &str, into: &mut Vec<String>) -> Result<(), Failure> {
    let mut waiting = vec![start(context, root)?];
    while let Some(found) = waiting.pop() {
        if found.node.kind == NodeKind::Regular {
            into.push(found.path);
        } else if found.node.kind == NodeKind::Directory {
            waiting.extend(children(context, &found)?);
        }
        if into.len() > limits::ARGUMENTS {
            return Err(Failure::of(root, "too many files"));
        }
    }
    Ok(())
}

/// The node where a walk starts.
pub(super) fn start(context: &Context, path: &str) -> Result<Found, Failure> {
    let node = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
    Ok(Found { path: path.to_owned(), depth: 0, node })
}

/// What is in a directory, the last first. What is removed meanwhile is skipped.
pub(super) fn children(context: &Context, directory: &Found) -> Result<Vec<Found>, Failure> {
    if directory.depth >= limits::DEPTH {
        return Err(Failure::of(&directory.path, "too deep"));
    }
    let entries = context.files.list(&directory.path);
    let entries = entries.map_err(|why| Failure::of(&directory.path, why))?;
    let found = entries.into_iter().rev().filter_map(|entry| {
        let path = join(&directory.path, &entry.name);
        let node = context.files.stat(&path).ok()?;
        Some(Found { path, depth: directory.depth.saturating_add(1), node })
    });
    Ok(found.collect())
}
