//! `cat`: files and devices, until their end.

use devnet_virtual_file_system::OpenFlags;

use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let mut status = Status::SUCCESS;
    for stream in inputs(context, &context.arguments) {
        match stream {
            Ok(stream) => print(context, &stream).await?,
            Err(failure) => {
                context.complain(&failure.message).await;
                status = failure.status;
            }
        }
    }
    Ok(status)
}

/// Opens `paths` one by one as they are taken; none, and `-`, mean the input.
pub(super) fn inputs<'a>(
    context: &'a Context,
    paths: &'a [String],
) -> impl Iterator<Item = Result<Stream, Failure>> + Send + 'a {
    let paths =
        if paths.is_empty() { vec!["-"] } else { paths.iter().map(String::as_str).collect() };
    paths.into_iter().map(|path| match path {
        "-" => Ok(context.streams.input.clone()),
        path => {
            let file =
                context.files.open(path, OpenFlags::READ).map_err(|why| Failure::of(path, why))?;
            Ok(Stream::new(file, path))
        }
    })
}

async fn print(context: &Context, stream: &Stream) -> Result<(), Failure> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let count =
            stream.file.read(&mut buffer).await.map_err(|why| Failure::of(&stream.name, why))?;
        if count == 0 {
            return Ok(());
        }
        context.print_bytes(buffer.get(..count).unwrap_or_default()).await?;
    }
}
