//! `head`: the beginning of files.

use lexopt::prelude::*;

use super::cat::inputs;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::shown;
use crate::status::Status;

#[derive(Clone, Copy)]
enum Limit {
    Lines(u64),
    Bytes(u64),
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut limit = Limit::Lines(10);
    let mut paths = Vec::new();
    let mut titles = None;
    let words = without_numbers(&context.arguments);
    let mut options = lexopt::Parser::from_args(words);
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => limit = Limit::Lines(options.value()?.parse()?),
            Short('c') => limit = Limit::Bytes(options.value()?.parse()?),
            Short('q') => titles = Some(false),
            Short('v') => titles = Some(true),
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let titles = titles.unwrap_or(paths.len() > 1);
    let (mut status, mut is_first) = (Status::SUCCESS, true);
    for stream in inputs(context, &paths) {
        match stream {
            Ok(stream) => {
                if titles {
                    context.print(&title(&stream.name, is_first)).await?;
                }
                is_first = false;
                print(context, &stream, limit).await?;
            }
            Err(why) => {
                context.complain(&why.message).await;
                status = why.status;
            }
        }
    }
    Ok(status)
}

/// The line above a file's part, if there are several.
pub(super) fn title(name: &str, is_first: bool) -> String {
    let before = if is_first { "" } else { "\n" };
    format!("{before}==> {} <==\n", shown::line(name))
}

/// `-5` as `-n 5`.
pub(super) fn without_numbers(words: &[String]) -> Vec<String> {
    let number = |word: &String| {
        let digits = word.strip_prefix('-')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("-n{digits}"))
    };
    // A number behind an option is its value.
    let after = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        matches!(before.map(String::as_str), Some("-n" | "-c"))
    };
    let change = |(index, word): (usize, &String)| match number(word) {
        Some(short) if !after(index) => short,
        _ => word.clone(),
    };
    words.iter().enumerate().map(change).collect()
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
