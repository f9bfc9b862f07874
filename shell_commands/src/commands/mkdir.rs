//! `mkdir` and `rmdir`: create and remove directories.

use devnet_virtual_file_system::{Error, NodeKind};
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (parents, paths) = parse(context)?;
    for path in &paths {
        let created =
            if parents { create_all(context, path) } else { context.files.create_directory(path) };
        created.map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
}

/// `rmdir`: removes empty directories, and with `-p` those above them too.
pub(super) async fn remove(context: &Context) -> Outcome {
    let (parents, paths) = parse(context)?;
    for path in &paths {
        let mut path = path.trim_end_matches('/');
        loop {
            match context.files.stat(path).map_err(|why| Failure::of(path, why))?.kind {
                NodeKind::Directory => context.files.remove(path),
                _ => Err(Error::NotADirectory),
            }
            .map_err(|why| Failure::of(path, why))?;
            match path.rsplit_once('/') {
                Some((above, _)) if parents && !above.is_empty() => path = above,
                _ => break,
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// Whether parents are meant too, and the directories.
fn parse(context: &Context) -> Result<(bool, Vec<String>), Failure> {
    let (mut parents, mut paths) = (false, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('p') | Long("parents") => parents = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        return Err(Failure::usage("which directory?"));
    }
    Ok((parents, paths))
}

/// Creates the directory and its parents; existing ones are no error.
fn create_all(context: &Context, path: &str) -> Result<(), Error> {
    let path = context.files.resolve(path)?;
    let mut walked = String::new();
    for component in path.components() {
        walked.push('/');
        walked.push_str(component);
        match context.files.create_directory(&walked) {
            Err(Error::AlreadyExists)
                if context.files.stat(&walked)?.kind == NodeKind::Directory => {}
            Err(Error::AlreadyExists) => return Err(Error::NotADirectory),
            created => created?,
        }
    }
    Ok(())
}
