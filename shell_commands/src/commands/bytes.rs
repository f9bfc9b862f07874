//! `base64`, `cmp`, `hexdump`, `rev` and `tac`: files byte by byte, and lines turned around.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_lite::future;
use lexopt::prelude::*;

use super::cat::inputs;
use super::lines::{self, Lines, Output};
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Bytes that are encoded or shown at once; a multiple of three and of a row.
const PIECE: usize = 48 * 1024;
/// Bytes of a row of `hexdump`.
const ROW: usize = 16;

/// Reads until the buffer is full, or the file ends.
pub(super) async fn fill(stream: &Stream, buffer: &mut [u8]) -> Result<usize, Failure> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let read = stream.file.read(rest).await;
        match read.map_err(|why| Failure::of(&stream.name, why))? {
            0 => break,
            count => filled += count,
        }
    }
    future::yield_now().await;
    Ok(filled)
}

/// The only file, or the input.
fn single(context: &Context, paths: &[String]) -> Result<Stream, Failure> {
    if paths.len() > 1 {
        return Err(Failure::usage("at most one file"));
    }
    inputs(context, paths).next().unwrap_or_else(|| Ok(context.streams.input.clone()))
}

/// `base64`: encodes and decodes (RFC 4648 §4).
pub(super) async fn base64(context: &Context) -> Outcome {
    let (mut decodes, mut ignores, mut width, mut paths) = (false, false, 76_usize, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('d' | 'D') | Long("decode") => decodes = true,
            Short('i') | Long("ignore-garbage") => ignores = true,
            Short('w') | Long("wrap") => width = options.value()?.parse()?,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let stream = single(context, &paths)?;
    let mut output = Output::new(context);
    let mut buffer = vec![0; PIECE];
    if decodes {
        let mut digits = Vec::new();
        loop {
            let count = fill(&stream, &mut buffer).await?;
            let piece = buffer.get(..count).unwrap_or_default();
            let kept = piece
                .iter()
                .copied()
                .filter(|byte| if ignores { is_digit(*byte) } else { *byte != b'\n' });
            digits.extend(kept);
            // Whole groups of four digits.
            let whole = if count == 0 { digits.len() } else { digits.len() / 4 * 4 };
            let group: Vec<u8> = digits.drain(..whole).collect();
            let Ok(bytes) = STANDARD.decode(&group) else {
                output.write(&before_the_wrong(&group)).await?;
                output.flush().await?;
                return Err(Failure::new("invalid input"));
            };
            output.write(&bytes).await?;
            if count == 0 {
                output.flush().await?;
                return Ok(Status::SUCCESS);
            }
        }
    }
    let mut column = 0;
    loop {
        let count = fill(&stream, &mut buffer).await?;
        if count == 0 {
            break;
        }
        let text = STANDARD.encode(buffer.get(..count).unwrap_or_default());
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let room = if width == 0 { rest.len() } else { width - column };
            let (part, behind) = rest.split_at(room.min(rest.len()));
            output.write(part).await?;
            (rest, column) = (behind, column + part.len());
            if width > 0 && column == width {
                output.write(b"\n").await?;
                column = 0;
            }
        }
    }
    if column > 0 && width > 0 {
        output.write(b"\n").await?;
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What whole groups say before the first that is wrong.
fn before_the_wrong(digits: &[u8]) -> Vec<u8> {
    digits.chunks(4).map_while(|group| STANDARD.decode(group).ok()).flatten().collect()
}

/// `cmp`: compares two files; status 2 when that cannot be done.
pub(super) async fn compare(context: &Context) -> Outcome {
    compared(context).await.map_err(|why| Failure { status: Status(2), ..why })
}

async fn compared(context: &Context) -> Outcome {
    let (mut silent, mut lists, mut paths) = (false, false, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('s') => silent = true,
            Short('l') => lists = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if paths.len() == 1 {
        paths.push("-".into());
    }
    let streams: Vec<Stream> = inputs(context, &paths).collect::<Result<_, _>>()?;
    let [left, right] = streams.as_slice() else {
        return Err(Failure::usage("two files are needed"));
    };
    let name = |place: usize| paths.get(place).map_or("-", String::as_str);
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    let (mut before, mut line, mut differs) = (0_u64, 1_u64, false);
    let mut output = Output::new(context);
    loop {
        let (length, other) = (fill(left, &mut ours).await?, fill(right, &mut theirs).await?);
        let pairs = ours.iter().zip(&theirs).take(length.min(other));
        for (place, (one, two)) in pairs.enumerate() {
            let place = before + place as u64 + 1;
            if one != two {
                differs = true;
                if lists && !silent {
                    output.write(format!("{place} {one:3o} {two:3o}\n").as_bytes()).await?;
                } else {
                    let what =
                        format!("{} {} differ: byte {place}, line {line}\n", name(0), name(1));
                    if !silent {
                        context.print(&what).await?;
                    }
                    return Ok(Status::FAILURE);
                }
            }
            line += u64::from(*one == b'\n');
        }
        before += length.min(other) as u64;
        if length != other {
            output.flush().await?;
            if !silent {
                let name = name(usize::from(length > other));
                context.complain(&format!("EOF on {name} after byte {before}")).await;
            }
            return Ok(Status::FAILURE);
        }
        if length == 0 {
            output.flush().await?;
            return Ok(Status::from_success(!differs));
        }
    }
}

/// `hexdump`: bytes in hexadecimal digits, with `-C` as text too.
pub(super) async fn hexdump(context: &Context) -> Outcome {
    let (mut canonical, mut most, mut skipped, mut all) = (false, u64::MAX, 0_u64, false);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('C') => canonical = true,
            Short('n') => most = options.value()?.parse()?,
            Short('s') => skipped = options.value()?.parse()?,
            Short('v') => all = true,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut output = Output::new(context);
    let (mut place, mut left, mut last, mut repeats) = (0_u64, most, None, false);
    let mut row = Vec::with_capacity(ROW);
    let mut buffer = vec![0; limits::COPY_BYTES];
    for stream in inputs(context, &paths) {
        let stream = stream?;
        while left > 0 {
            let count = fill(&stream, &mut buffer).await?;
            if count == 0 {
                break;
            }
            for byte in buffer.iter().take(count) {
                if skipped > 0 {
                    (skipped, place) = (skipped - 1, place + 1);
                    continue;
                }
                if left == 0 {
                    break;
                }
                left -= 1;
                row.push(*byte);
                if row.len() == ROW {
                    let is_same = !all && last.as_ref() == Some(&row);
                    if !is_same {
                        output.write(dumped(place, &row, canonical).as_bytes()).await?;
                    } else if !repeats {
                        output.write(b"*\n").await?;
                    }
                    repeats = is_same;
                    place += ROW as u64;
                    last = Some(std::mem::take(&mut row));
                }
            }
        }
    }
    if !row.is_empty() {
        output.write(dumped(place, &row, canonical).as_bytes()).await?;
        place += row.len() as u64;
    }
    let end = if canonical { format!("{place:08x}\n") } else { format!("{place:07x}\n") };
    if place > 0 {
        output.write(end.as_bytes()).await?;
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}

fn dumped(place: u64, row: &[u8], canonical: bool) -> String {
    if !canonical {
        // Words of two bytes as a machine of the other order has them.
        let words = row.chunks(2).map(|pair| match pair {
            [low, high] => format!(" {high:02x}{low:02x}"),
            [low] => format!(" 00{low:02x}"),
            _ => String::new(),
        });
        return format!("{place:07x}{:<40}\n", words.collect::<String>());
    }
    let mut digits = String::new();
    for (column, byte) in row.iter().enumerate() {
        let gap = if column == 0 || column == ROW / 2 { "  " } else { " " };
        digits.push_str(&format!("{gap}{byte:02x}"));
    }
    let shown = row.iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    });
    format!("{place:08x}{digits:<50}  |{}|\n", shown.collect::<String>())
}

/// `rev`: lines with their characters in reverse order.
pub(super) async fn reverse(context: &Context) -> Outcome {
    let mut output = Output::new(context);
    for stream in inputs(context, &context.arguments) {
        let mut lines = Lines::new(stream?, b'\n');
        while let Some(line) = lines.next(&mut output).await? {
            let text = String::from_utf8_lossy(&line.bytes);
            let text: String = text.chars().rev().collect();
            output.write(text.as_bytes()).await?;
            if line.has_end {
                output.write(b"\n").await?;
            }
        }
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}

/// `tac`: the last line first.
pub(super) async fn last_first(context: &Context) -> Outcome {
    let mut output = Output::new(context);
    for line in lines::all(context, &context.arguments, b'\n').await?.iter().rev() {
        output.line(line).await?;
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}
