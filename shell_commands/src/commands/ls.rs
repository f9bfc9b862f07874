//! `ls`: lists directories.

use devnet_virtual_file_system::{Attributes, NodeKind};
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::file;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut long, mut all) = (false, false);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('l') => long = true,
            Short('a' | 'A') => all = true,
            Short('1') => {}
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let many = paths.len() > 1;
    if paths.is_empty() {
        paths.push(String::from("."));
    }
    let mut status = Status::SUCCESS;
    for path in &paths {
        match list(context, path, all) {
            Ok(entries) => {
                let title = if many { format!("{path}:\n") } else { String::new() };
                context.print(&(title + &file::listing(&entries, long))).await?;
            }
            Err(failure) => {
                context.complain(&failure.message).await;
                status = failure.status;
            }
        }
    }
    Ok(status)
}

/// Returns the entries of a directory, or the file itself. An entry that is removed meanwhile is
/// skipped.
fn list(context: &Context, path: &str, all: bool) -> Result<Vec<(String, Attributes)>, Failure> {
    let attributes = context.files.stat(path).map_err(|why| Failure::of(path, why))?;
    if attributes.kind != NodeKind::Directory {
        return Ok(vec![(path.to_owned(), attributes)]);
    }
    let entries = context.files.list(path).map_err(|why| Failure::of(path, why))?;
    Ok(entries
        .into_iter()
        .filter(|entry| all || !entry.name.starts_with('.'))
        .filter_map(|entry| {
            let attributes = context.files.stat(&format!("{path}/{}", entry.name)).ok()?;
            Some((entry.name, attributes))
        })
        .collect())
}
