//! `cut`: parts of lines.

use lexopt::prelude::*;

use super::cat::inputs;
use super::lines::{Lines, Output};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Bytes,
    Characters,
    Fields,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut chosen = None;
    let (mut delimiter, mut between) = (b'\t', None);
    let (mut only, mut inverts) = (false, false);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('b') => chosen = Some((Unit::Bytes, options.value()?.string()?)),
            Short('c') => chosen = Some((Unit::Characters, options.value()?.string()?)),
            Short('f') => chosen = Some((Unit::Fields, options.value()?.string()?)),
            Short('d') => match options.value()?.string()?.as_bytes() {
                [byte] => delimiter = *byte,
                _ => return Err(Failure::new("the delimiter must be a single character")),
            },
            Short('s') => only = true,
            Short('n') => {}
            Long("output-delimiter") => between = Some(options.value()?.string()?),
            Long("complement") => inverts = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some((unit, list)) = chosen else {
        return Err(Failure::usage("-b, -c or -f is needed"));
    };
    let ranges = list.split(',').map(range).collect::<Option<Vec<_>>>();
    let ranges = ranges.ok_or_else(|| Failure::of(&list, "bad list"))?;
    let holds = |index: usize| {
        let place = index + 1;
        ranges.iter().any(|(low, high)| (*low..=*high).contains(&place)) != inverts
    };
    let mut output = Output::new(context);
    let mut status = Status::SUCCESS;
    for stream in inputs(context, &paths) {
        let stream = match stream {
            Ok(stream) => stream,
            Err(why) => {
                context.complain(&why.message).await;
                status = why.status;
                continue;
            }
        };
        let mut lines = Lines::new(stream, b'\n');
        while let Some(line) = lines.next(&mut output).await? {
            let line = line.bytes;
            if unit == Unit::Fields && !line.contains(&delimiter) {
                if !only {
                    output.line(&line).await?;
                }
                continue;
            }
            let parts = parts(&line, unit, delimiter);
            let taken: Vec<Vec<u8>> = parts
                .into_iter()
                .enumerate()
                .filter(|(index, _)| holds(*index))
                .map(|(_, part)| part)
                .collect();
            let between = match (&between, unit) {
                (Some(text), _) => text.as_bytes(),
                (None, Unit::Fields) => &[delimiter],
                (None, _) => b"",
            };
            output.line(&taken.join(between)).await?;
        }
    }
    output.flush().await?;
    Ok(status)
}

fn parts(line: &[u8], unit: Unit, delimiter: u8) -> Vec<Vec<u8>> {
    match unit {
        Unit::Bytes => line.iter().map(|byte| vec![*byte]).collect(),
        Unit::Characters => {
            let text = String::from_utf8_lossy(line);
            text.chars().map(|character| character.to_string().into_bytes()).collect()
        }
        Unit::Fields => line.split(|byte| *byte == delimiter).map(<[u8]>::to_vec).collect(),
    }
}

/// `N`, `N-`, `-M` or `N-M`
fn range(text: &str) -> Option<(usize, usize)> {
    let number = |digits: &str| digits.parse::<usize>().ok().filter(|number| *number > 0);
    match text.split_once('-') {
        None => number(text).map(|place| (place, place)),
        Some(("", "")) => None,
        Some(("", high)) => Some((1, number(high)?)),
        Some((low, "")) => Some((number(low)?, usize::MAX)),
        Some((low, high)) => Some((number(low)?, number(high)?)).filter(|(low, high)| low <= high),
    }
}
