//! `head`: the beginning of files.

use lexopt::prelude::*;

use super::cat::inputs;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

#[derive(Clone, Copy)]
enum Limit {
    Lines(u64),
    Bytes(u64),
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut limit = Limit::Lines(10);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => limit = Limit::Lines(options.value()?.parse()?),
            Short('c') => limit = Limit::Bytes(options.value()?.parse()?),
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    for stream in inputs(context, &paths) {
        print(context, &stream?, limit).await?;
    }
    Ok(Status::SUCCESS)
}

async fn print(context: &Context, stream: &Stream, mut limit: Limit) -> Result<(), Failure> {
    let mut buffer = vec![0; limits::COPY_BYTES];
    while !matches!(limit, Limit::Lines(0) | Limit::Bytes(0)) {
        let count =
            stream.file.read(&mut buffer).await.map_err(|why| Failure::of(&stream.name, why))?;
        let read = buffer.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        let (taken, left) = cut(read, limit);
        limit = left;
        context.print_bytes(taken).await?;
    }
    Ok(())
}

/// Returns the part of `data` within the limit, and the remaining limit.
fn cut(data: &[u8], limit: Limit) -> (&[u8], Limit) {
    match limit {
        Limit::Bytes(bytes) => {
            let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(data.len());
            (
                data.get(..length).unwrap_or_default(),
                Limit::Bytes(bytes.saturating_sub(length as u64)),
            )
        }
        Limit::Lines(mut lines) => {
            for (index, byte) in data.iter().enumerate() {
                if *byte == b'\n' {
                    lines = lines.saturating_sub(1);
                    if lines == 0 {
                        return (data.get(..=index).unwrap_or_default(), Limit::Lines(0));
                    }
                }
            }
            (data, Limit::Lines(lines))
        }
    }
}
