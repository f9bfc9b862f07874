//! `stat`: shows the attributes of files.

use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::file;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut format, mut paths) = (None, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') | Long("format") => format = Some(options.value()?.string()?),
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.is_empty() {
        return Err(Failure::usage("which file?"));
    }
    let mut status = Status::SUCCESS;
    for path in &paths {
        let node = match context.files.stat(path) {
            Ok(node) => node,
            Err(why) => {
                context.complain(&Failure::of(path, why).message).await;
                status = Status::FAILURE;
                continue;
            }
        };
        let text = match &format {
            None => file::status(path, &node),
            Some(format) => {
                let text = file::formatted(format, path, &node);
                text.map_err(|what| Failure::usage(format!("{what}: unknown format")))? + "\n"
            }
        };
        context.print(&text).await?;
    }
    Ok(status)
}
