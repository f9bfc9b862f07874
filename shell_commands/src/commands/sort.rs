//! `sort` and `uniq`: lines in order, and lines that are the same.

use std::cmp::Ordering;

use devnet_virtual_file_system::OpenFlags;
use lexopt::prelude::*;

use super::cat::inputs;
use super::lines::{self, Lines, Output};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

#[derive(Clone, Copy, Default, PartialEq)]
struct How {
    numeric: bool,
    human: bool,
    version: bool,
    folds: bool,
    reverse: bool,
    skips_blanks: bool,
}

impl How {
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'n' | 'g' => self.numeric = true,
            'h' => self.human = true,
            'V' => self.version = true,
            'f' => self.folds = true,
            'r' => self.reverse = true,
            'b' => self.skips_blanks = true,
            _ => return false,
        }
        true
    }

    fn compare(self, left: &[u8], right: &[u8]) -> Ordering {
        if self.numeric || self.human {
            let value = |text: &[u8]| number(text, self.human);
            return value(left).total_cmp(&value(right));
        }
        if self.version {
            return versions(left, right);
        }
        let trimmed = |text| if self.skips_blanks { trim(text) } else { text };
        let (left, right) = (trimmed(left), trimmed(right));
        match self.folds {
            true => left.to_ascii_uppercase().cmp(&right.to_ascii_uppercase()),
            false => left.cmp(right),
        }
    }
}

/// `-k`: from a field and a byte to a field and a byte.
struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    how: Option<How>,
}

/// `sort`
pub(super) async fn run(context: &Context) -> Outcome {
    let (mut how, mut keys, mut separator) = (How::default(), Vec::new(), None);
    let (mut unique, mut checks, mut stable, mut end) = (false, false, false, b'\n');
    let (mut target, mut paths) = (None, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('u') => unique = true,
            Short('c' | 'C') => checks = true,
            Short('s') => stable = true,
            Short('z') => end = 0,
            Short('o') => target = Some(options.value()?.string()?),
            Short('t') => match options.value()?.string()?.as_bytes() {
                [byte] => separator = Some(*byte),
                _ => return Err(Failure::usage("-t: one character is needed")),
            },
            Short('k') => {
                let text = options.value()?.string()?;
                keys.push(key(&text).ok_or_else(|| Failure::usage(format!("{text}: bad key")))?);
            }
            Short(letter) if how.set(letter) => {}
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let by_keys = |left: &[u8], right: &[u8]| {
        for key in &keys {
            let how = key.how.unwrap_or(how);
            let order = how.compare(part(left, key, separator), part(right, key, separator));
            if order.is_ne() {
                return if how.reverse { order.reverse() } else { order };
            }
        }
        if !keys.is_empty() {
            return Ordering::Equal;
        }
        let order = how.compare(left, right);
        if how.reverse { order.reverse() } else { order }
    };
    let compare = |left: &Vec<u8>, right: &Vec<u8>| {
        let order = by_keys(left, right);
        if order.is_ne() || unique || stable {
            return order;
        }
        if how.reverse { right.cmp(left) } else { left.cmp(right) }
    };
    let mut all = lines::all(context, &paths, end).await.map_err(usage)?;
    if checks {
        return check(&all, unique, compare);
    }
    all.sort_by(compare);
    if unique {
        all.dedup_by(|left, right| by_keys(left, right).is_eq());
    }
    let inside = match &target {
        Some(path) => into_file(context, path).map_err(usage)?,
        None => context.clone(),
    };
    write(&inside, all, end).await
}

async fn write(context: &Context, lines: Vec<Vec<u8>>, end: u8) -> Outcome {
    let mut output = Output::new(context);
    for mut line in lines {
        line.push(end);
        output.write(&line).await?;
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}

/// `-c`: the first line that is out of order.
fn check(
    all: &[Vec<u8>],
    unique: bool,
    compare: impl Fn(&Vec<u8>, &Vec<u8>) -> Ordering,
) -> Outcome {
    let is_wrong = |pair: &&[Vec<u8>]| match pair {
        [left, right] => {
            let order = compare(left, right);
            order.is_gt() || (unique && order.is_eq())
        }
        _ => false,
    };
    match all.windows(2).find(is_wrong).and_then(<[_]>::last) {
        None => Ok(Status::SUCCESS),
        Some(line) => Err(Failure::of("disorder", String::from_utf8_lossy(line))),
    }
}

/// A context whose output is a file.
fn into_file(context: &Context, path: &str) -> Result<Context, Failure> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = context.files.open(path, flags).map_err(|why| Failure::of(path, why))?;
    let mut inside = context.clone();
    inside.streams.output = crate::context::Stream::new(file, path);
    Ok(inside)
}

/// Errors of files have status 2.
fn usage(why: Failure) -> Failure {
    if why.message.is_empty() { why } else { Failure { status: Status::USAGE, ..why } }
}

fn trim(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.get(blanks..).unwrap_or_default()
}

fn number(text: &[u8], human: bool) -> f64 {
    let text = String::from_utf8_lossy(trim(text));
    let is_part = |(index, character): (usize, char)| {
        character.is_ascii_digit() || character == '.' || (index == 0 && character == '-')
    };
    let end = text.char_indices().find(|found| !is_part(*found)).map_or(text.len(), |(at, _)| at);
    let (digits, rest) = text.split_at_checked(end).unwrap_or((&text, ""));
    let value: f64 = digits.parse().unwrap_or(0.0);
    let power = rest.chars().next().filter(|_| human).and_then(|unit| {
        "KMGTPE".find(unit.to_ascii_uppercase()).and_then(|index| i32::try_from(index + 1).ok())
    });
    value * 1024_f64.powi(power.unwrap_or(0))
}

/// Compares texts with numbers in them, such as versions and addresses.
fn versions(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        let (Some(first), Some(second)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len());
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (one, other) = (left.split_at(digits(left)), right.split_at(digits(right)));
            let plain = |text: &[u8]| {
                let zeros = text.iter().take_while(|byte| **byte == b'0').count();
                text.get(zeros..).unwrap_or_default().to_vec()
            };
            let (one_number, other_number) = (plain(one.0), plain(other.0));
            let order =
                one_number.len().cmp(&other_number.len()).then(one_number.cmp(&other_number));
            if order.is_ne() {
                return order;
            }
            (left, right) = (one.1, other.1);
        } else if first != second {
            return first.cmp(second);
        } else {
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
    }
}

fn key(text: &str) -> Option<Key> {
    let mut how = How::default();
    let mut place = |text: &str| {
        let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (numbers, letters) = text.split_at_checked(end)?;
        if !letters.chars().all(|letter| how.set(letter)) {
            return None;
        }
        let (field, byte) = numbers.split_once('.').unwrap_or((numbers, "0"));
        Some((field.parse::<usize>().ok().filter(|field| *field > 0)?, byte.parse().ok()?))
    };
    let (from, to) = match text.split_once(',') {
        Some((from, to)) => (place(from)?, Some(place(to)?)),
        None => (place(text)?, None),
    };
    Some(Key { from, to, how: (how != How::default()).then_some(how) })
}

/// The part of a line that a key names.
fn part<'l>(line: &'l [u8], key: &Key, separator: Option<u8>) -> &'l [u8] {
    // Where each field begins and ends; without a separator, blanks lead a field.
    let mut fields = Vec::new();
    let mut start = 0;
    for index in 0..=line.len() {
        let byte = line.get(index);
        let is_end = match (byte, separator) {
            (None, _) => true,
            (Some(byte), Some(separator)) => *byte == separator,
            (Some(byte), None) => {
                let before = index.checked_sub(1).and_then(|before| line.get(before));
                matches!(byte, b' ' | b'\t') && before.is_some_and(|b| !matches!(b, b' ' | b'\t'))
            }
        };
        if is_end {
            fields.push((start, index));
            start = if separator.is_some() { index + 1 } else { index };
        }
    }
    let field = |number: usize| fields.get(number - 1).copied();
    let from = match field(key.from.0) {
        Some((start, end)) => (start + key.from.1.saturating_sub(1)).min(end),
        None => line.len(),
    };
    let to = match key.to.map(|(number, byte)| (field(number), byte)) {
        None | Some((None, _)) => line.len(),
        Some((Some((_, end)), 0)) => end,
        Some((Some((start, end)), byte)) => (start + byte).min(end),
    };
    line.get(from..to).unwrap_or_default()
}

/// `uniq`
pub(super) async fn unique(context: &Context) -> Outcome {
    let (mut counts, mut repeated, mut single, mut folds) = (false, false, false, false);
    let (mut fields, mut bytes, mut width) = (0, 0, usize::MAX);
    let mut paths = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') => counts = true,
            Short('d') => repeated = true,
            Short('u') => single = true,
            Short('i') => folds = true,
            Short('f') => fields = options.value()?.parse()?,
            Short('s') => bytes = options.value()?.parse()?,
            Short('w') => width = options.value()?.parse()?,
            Value(path) => paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut inside = context.clone();
    if paths.len() > 2 {
        return Err(Failure::usage("too many files"));
    }
    if let Some(path) = paths.get(1) {
        inside = into_file(context, path)?;
        paths.truncate(1);
    }
    let compared = |line: &[u8]| {
        let mut rest = line;
        for _ in 0..fields {
            rest = trim(rest);
            let end = rest.iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
            rest = rest.get(end..).unwrap_or_default();
        }
        let rest = rest.get(bytes..).unwrap_or_default();
        let rest = rest.get(..width.min(rest.len())).unwrap_or_default();
        if folds { rest.to_ascii_lowercase() } else { rest.to_vec() }
    };
    let mut output = Output::new(&inside);
    let mut held: Option<(Vec<u8>, Vec<u8>, u64)> = None;
    for stream in inputs(context, &paths) {
        let mut lines = Lines::new(stream?, b'\n');
        loop {
            let line = lines.next(&mut output).await?;
            if let (Some(line), Some((_, key, count))) = (&line, &mut held)
                && compared(&line.bytes) == *key
            {
                *count += 1;
                continue;
            }
            if let Some((text, _, count)) = held.take()
                && (!repeated || count > 1)
                && (!single || count == 1)
            {
                if counts {
                    output.write(format!("{count:7} ").as_bytes()).await?;
                }
                output.line(&text).await?;
            }
            match line {
                Some(line) => {
                    let key = compared(&line.bytes);
                    held = Some((line.bytes, key, 1));
                }
                None => break,
            }
        }
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}
