//! `tr`: replaces, deletes or squeezes bytes.

use lexopt::prelude::*;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut inverts, mut deletes, mut squeezes) = (false, false, false);
    let mut sets = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c' | 'C') => inverts = true,
            Short('d') => deletes = true,
            Short('s') => squeezes = true,
            Value(set) => sets.push(set.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if !(1..=2).contains(&sets.len()) || (sets.len() < 2 && !deletes && !squeezes) {
        return Err(Failure::usage("two sets are needed, or one with -d or -s"));
    }
    let parsed: Result<Vec<Vec<u8>>, Failure> = sets.iter().map(|set| bytes(set)).collect();
    let parsed = parsed?;
    let mut first = parsed.first().cloned().unwrap_or_default();
    if inverts {
        first = (0..=u8::MAX).filter(|byte| !first.contains(byte)).collect();
    }
    let second = parsed.get(1);
    let mut map: Vec<Option<u8>> = (0..=u8::MAX).map(Some).collect();
    for (index, byte) in first.iter().enumerate() {
        let target = match second {
            _ if deletes => None,
            None => Some(*byte),
            // The last byte of the second set stands for all that are missing.
            Some(second) => Some(*second.get(index).or(second.last()).unwrap_or(byte)),
        };
        if let Some(entry) = map.get_mut(usize::from(*byte)) {
            *entry = target;
        }
    }
    let squeezed = if squeezes { second.unwrap_or(&first).clone() } else { Vec::new() };
    let mut buffer = vec![0; limits::COPY_BYTES];
    let mut last = None;
    loop {
        let input = &context.streams.input;
        let count = input.file.read(&mut buffer).await;
        let count = count.map_err(|why| Failure::of(&input.name, why))?;
        if count == 0 {
            return Ok(Status::SUCCESS);
        }
        let mut result = Vec::with_capacity(count);
        for byte in buffer.get(..count).unwrap_or_default() {
            let Some(target) = map.get(usize::from(*byte)).copied().flatten() else { continue };
            if last != Some(target) || !squeezed.contains(&target) {
                result.push(target);
            }
            last = Some(target);
        }
        context.print_bytes(&result).await?;
        futures_lite::future::yield_now().await;
    }
}

/// The bytes of a set: ranges, classes, and escapes as in C.
fn bytes(set: &str) -> Result<Vec<u8>, Failure> {
    let text = set.as_bytes();
    let (mut result, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at).copied() {
        let rest = set.get(at..).unwrap_or_default();
        if let Some((name, _)) = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
            let class = class(name).ok_or_else(|| Failure::of(name, "unknown class"))?;
            result.extend((0..=u8::MAX).filter(class));
            at += name.len() + 4;
            continue;
        }
        let (low, length) = one(text, at, byte);
        at += length;
        if let (Some(b'-'), Some(end)) = (text.get(at), text.get(at + 1).copied()) {
            let (high, length) = one(text, at + 1, end);
            if low > high {
                return Err(Failure::of(set, "a range goes backwards"));
            }
            result.extend(low..=high);
            at += 1 + length;
        } else {
            result.push(low);
        }
    }
    Ok(result)
}

fn class(name: &str) -> Option<fn(&u8) -> bool> {
    Some(match name {
        "alpha" => u8::is_ascii_alphabetic,
        "digit" => u8::is_ascii_digit,
        "alnum" => u8::is_ascii_alphanumeric,
        "upper" => u8::is_ascii_uppercase,
        "lower" => u8::is_ascii_lowercase,
        "space" => |byte| matches!(byte, b' ' | 9..=13),
        "blank" => |byte| matches!(byte, b' ' | b'\t'),
        "punct" => u8::is_ascii_punctuation,
        "cntrl" => u8::is_ascii_control,
        "xdigit" => u8::is_ascii_hexdigit,
        "print" => |byte| matches!(byte, 32..=126),
        "graph" => u8::is_ascii_graphic,
        _ => return None,
    })
}

/// One byte of a set and how many bytes say it.
fn one(text: &[u8], at: usize, byte: u8) -> (u8, usize) {
    if byte != b'\\' {
        return (byte, 1);
    }
    match text.get(at + 1).copied() {
        Some(b'n') => (b'\n', 2),
        Some(b't') => (b'\t', 2),
        Some(b'r') => (b'\r', 2),
        Some(b'a') => (7, 2),
        Some(b'b') => (8, 2),
        Some(b'v') => (11, 2),
        Some(b'f') => (12, 2),
        Some(b'0'..=b'7') => {
            let digits = text.get(at + 1..).unwrap_or_default();
            let count =
                digits.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
            let add = |sum: u8, digit: &u8| sum.wrapping_mul(8).wrapping_add(digit - b'0');
            (digits.iter().take(count).fold(0, add), count + 1)
        }
        Some(other) => (other, 2),
        None => (b'\\', 1),
    }
}
