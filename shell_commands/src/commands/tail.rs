//! `tail`: the end of files.

use std::collections::VecDeque;
use std::time::Duration;

use lexopt::prelude::*;

use super::cat::inputs;
use super::head;
use super::lines::{Lines, Output};
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// How long `-f` waits before it looks for more.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Part {
    count: usize,
    /// `+N`: from there on.
    from_start: bool,
    bytes: bool,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut part = Part { count: 10, from_start: false, bytes: false };
    let (mut follows, mut titles, mut paths) = (false, None, Vec::new());
    let words = head::without_numbers(&context.arguments);
    let mut options = lexopt::Parser::from_args(words);
    while let Some(argument) = options.next()? {
        match argument {
            Short(letter @ ('n' | 'c')) => {
                let text = options.value()?.string()?;
                let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
                let bad = || Failure::of(&text, "bad number");
                part.count = digits.parse().map_err(|_| bad())?;
                part.from_start = text.starts_with('+');
                part.bytes = letter == 'c';
            }
            Short('f' | 'F') => follows = true,
            Short('q') => titles = Some(false),
            Short('v') => titles = Some(true),
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let titles = titles.unwrap_or(paths.len() > 1);
    let mut output = Output::new(context);
    let (mut status, mut is_first, mut last) = (Status::SUCCESS, true, None);
    for stream in inputs(context, &paths) {
        match stream {
            Ok(stream) => {
                if titles {
                    output.write(head::title(&stream.name, is_first).as_bytes()).await?;
                }
                is_first = false;
                print(&mut output, &stream, part).await?;
                last = Some(stream);
            }
            Err(why) => {
                output.flush().await?;
                context.complain(&why.message).await;
                status = why.status;
            }
        }
    }
    output.flush().await?;
    match last.filter(|_| follows) {
        Some(stream) => follow(context, &stream).await,
        None => Ok(status),
    }
}

async fn print(output: &mut Output<'_>, stream: &Stream, part: Part) -> Result<(), Failure> {
    let skipped = part.count.saturating_sub(1);
    if part.bytes {
        let mut held: VecDeque<u8> = VecDeque::new();
        let (mut buffer, mut seen) = (vec![0; limits::COPY_BYTES], 0_usize);
        loop {
            let count = stream.file.read(&mut buffer).await;
            let count = count.map_err(|why| Failure::of(&stream.name, why))?;
            let data = buffer.get(..count).unwrap_or_default();
            if data.is_empty() {
                break;
            }
            if part.from_start {
                let skip = skipped.saturating_sub(seen).min(count);
                output.write(data.get(skip..).unwrap_or_default()).await?;
            } else {
                held.extend(data);
                let excess = held.len().saturating_sub(part.count);
                held.drain(..excess);
                bounded(held.len(), stream)?;
            }
            seen = seen.saturating_add(count);
            futures_lite::future::yield_now().await;
        }
        return output.write(held.make_contiguous()).await;
    }
    let mut lines = Lines::new(stream.clone(), b'\n');
    let (mut held, mut bytes, mut number) = (VecDeque::new(), 0_usize, 0_usize);
    while let Some(line) = lines.next(output).await? {
        number = number.saturating_add(1);
        let mut text = line.bytes;
        if line.has_end {
            text.push(b'\n');
        }
        if part.from_start {
            if number > skipped {
                output.write(&text).await?;
            }
            continue;
        }
        bytes = bytes.saturating_add(text.len());
        held.push_back(text);
        if held.len() > part.count {
            bytes = bytes.saturating_sub(held.pop_front().map_or(0, |line| line.len()));
        }
        bounded(bytes, stream)?;
    }
    for line in held {
        output.write(&line).await?;
    }
    Ok(())
}

fn bounded(bytes: usize, stream: &Stream) -> Result<(), Failure> {
    match bytes > limits::TEXT_BYTES {
        true => Err(Failure::of(&stream.name, "the end is too long to be held in memory")),
        false => Ok(()),
    }
}

/// `-f`: prints what is added, until it is ended.
async fn follow(context: &Context, stream: &Stream) -> Outcome {
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let count = stream.file.read(&mut buffer).await;
        match count.map_err(|why| Failure::of(&stream.name, why))? {
            0 => {
                let clock = &context.platform.clock;
                clock.sleep_until(clock.now().after(PAUSE)).await;
            }
            count => context.print_bytes(buffer.get(..count).unwrap_or_default()).await?,
        }
    }
}
