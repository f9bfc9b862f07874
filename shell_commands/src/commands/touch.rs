//! `touch`: creates files. They have no times, so those that are there stay as they are.

use devnet_virtual_file_system::OpenFlags;
use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut creates, mut paths) = (true, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') => creates = false,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        return Err(Failure::usage("which file?"));
    }
    for path in &paths {
        if context.files.stat(path).is_ok() || !creates {
            continue;
        }
        let flags = OpenFlags::WRITE | OpenFlags::CREATE;
        context.files.open(path, flags).map_err(|why| Failure::of(path, why))?;
    }
    Ok(Status::SUCCESS)
}
