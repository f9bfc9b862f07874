//! `tee`: the input to the output and to files.

use devnet_virtual_file_system::OpenFlags;
use lexopt::prelude::*;

use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut appends, mut paths) = (false, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('a') => appends = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let how = if appends { OpenFlags::APPEND } else { OpenFlags::TRUNCATE };
    let (mut targets, mut status) = (Vec::new(), Status::SUCCESS);
    for path in &paths {
        match context.files.open(path, OpenFlags::WRITE | OpenFlags::CREATE | how) {
            Ok(file) => targets.push(Stream::new(file, path)),
            Err(why) => {
                context.complain(&format!("{path}: {why}")).await;
                status = Status::FAILURE;
            }
        }
    }
    let input = &context.streams.input;
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let count = input.file.read(&mut buffer).await;
        let count = count.map_err(|why| Failure::of(&input.name, why))?;
        let Some(data) = buffer.get(..count).filter(|data| !data.is_empty()) else {
            return Ok(status);
        };
        for Stream { file, name, .. } in &targets {
            file.write_all(data).await.map_err(|why| Failure::of_write_to(file, name, why))?;
        }
        context.print_bytes(data).await?;
        futures_lite::future::yield_now().await;
    }
}
