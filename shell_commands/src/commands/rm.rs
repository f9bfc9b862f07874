//! `rm`: removes files, and with `-r` directories with their contents.

use devnet_virtual_file_system::{Error, NodeKind};
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut recursive, mut force) = (false, false);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('r' | 'R') => recursive = true,
            Short('f') => force = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() && !force {
        return Err(Failure::usage("which file?"));
    }
    for path in &paths {
        match remove(context, path, recursive, limits::DEPTH) {
            Err((_, Error::NotFound)) if force => {}
            Err((path, why)) => return Err(Failure::of(path, why)),
            Ok(()) => {}
        }
    }
    Ok(Status::SUCCESS)
}

fn remove(
    context: &Context,
    path: &str,
    recursive: bool,
    depth: usize,
) -> Result<(), (String, Error)> {
    let failed = |why| (path.to_owned(), why);
    if context.files.stat(path).map_err(failed)?.kind == NodeKind::Directory {
        if !recursive {
            return Err(failed(Error::IsADirectory));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| failed(Error::NameTooLong))?;
        for entry in context.files.list(path).map_err(failed)? {
            remove(context, &format!("{path}/{}", entry.name), recursive, depth)?;
        }
    }
    context.files.remove(path).map_err(failed)
}
