//! `cp` and `mv`: one or more sources to a target, which is a directory if there are several.

use devnet_virtual_file_system::{Error, NodeKind, OpenFlags};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// `cp`
pub(super) async fn copy(context: &Context) -> Outcome {
    for (from, to) in pairs(context)? {
        copy_file(context, &from, &to).await?;
    }
    Ok(Status::SUCCESS)
}

/// `mv`
pub(super) async fn rename(context: &Context) -> Outcome {
    for (from, to) in pairs(context)? {
        context.files.rename(&from, &to).map_err(|why| Failure::of(&from, why))?;
    }
    Ok(Status::SUCCESS)
}

fn pairs(context: &Context) -> Result<Vec<(String, String)>, Failure> {
    let (target, sources) = match context.arguments.split_last() {
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
            Some(name) if into_directory => Ok((source.clone(), format!("{target}/{name}"))),
            _ => Ok((source.clone(), target.clone())),
        }
    };
    sources.iter().map(pair).collect()
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
