//! `wc`: counts lines, words and bytes.

use lexopt::prelude::*;

use super::cat::inputs;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;

#[derive(Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
    in_word: bool,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut lines, mut words, mut bytes) = (false, false, false);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('l') => lines = true,
            Short('w') => words = true,
            Short('c') => bytes = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let all = !(lines || words || bytes);
    let mut text = String::new();
    for stream in inputs(context, &paths) {
        let stream = stream?;
        let counts = count(&stream).await?;
        let chosen = [(lines, counts.lines), (words, counts.words), (bytes, counts.bytes)];
        let mut columns: Vec<String> = chosen
            .iter()
            .filter(|(wanted, _)| all || *wanted)
            .map(|(_, count)| count.to_string())
            .collect();
        if !paths.is_empty() {
            columns.push(stream.name.to_string());
        }
        text.push_str(&columns.join(" "));
        text.push('\n');
    }
    context.answer(&text).await
}

async fn count(stream: &Stream) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let read =
            stream.file.read(&mut buffer).await.map_err(|why| Failure::of(&stream.name, why))?;
        if read == 0 {
            return Ok(counts);
        }
        for byte in buffer.get(..read).unwrap_or_default() {
            counts.bytes = counts.bytes.saturating_add(1);
            counts.lines = counts.lines.saturating_add(u64::from(*byte == b'\n'));
            let in_word = !byte.is_ascii_whitespace();
            counts.words = counts.words.saturating_add(u64::from(in_word && !counts.in_word));
            counts.in_word = in_word;
        }
    }
}
