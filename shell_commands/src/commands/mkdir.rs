//! `mkdir`: creates directories.

use devnet_virtual_file_system::{Error, NodeKind};
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let mut parents = false;
    let mut paths = Vec::new();
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
    for path in &paths {
        let created =
            if parents { create_all(context, path) } else { context.files.create_directory(path) };
        created.map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
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
