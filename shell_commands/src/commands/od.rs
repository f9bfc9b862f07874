//! `od`: bytes as numbers and characters (POSIX `od`, with the types of coreutils).

use lexopt::prelude::*;

use super::bytes::fill;
use super::cat::inputs;
use super::lines::Output;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::dump::{Dump, Kind, Radix, Type};
use crate::status::Status;

/// Bytes of a row, unless `-w` or a type says something else.
const ROW: usize = 16;
/// Bytes of a row of `-w` without a number.
const WIDE: usize = 32;

struct Options {
    radix: Radix,
    types: Vec<Type>,
    skipped: u64,
    most: u64,
    all: bool,
    row: usize,
    paths: Vec<String>,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        radix: Radix::Octal,
        types: Vec::new(),
        skipped: 0,
        most: u64::MAX,
        all: false,
        row: ROW,
        paths: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        let letter = match argument {
            Short(letter) => letter,
            Long("address-radix") => 'A',
            Long("format") => 't',
            Long("skip-bytes") => 'j',
            Long("read-bytes") => 'N',
            Long("output-duplicates") => 'v',
            Long("width") => 'w',
            Value(path) => {
                chosen.paths.push(path.string()?);
                continue;
            }
            other @ Long(_) => return Err(other.unexpected().into()),
        };
        match letter {
            'A' => {
                chosen.radix = radix(&options.value()?.string()?)?;
            }
            't' => chosen.types.extend(types(&options.value()?.string()?)?),
            'j' => chosen.skipped = amount(&options.value()?.string()?)?,
            'N' => chosen.most = amount(&options.value()?.string()?)?,
            'v' => chosen.all = true,
            'w' => {
                chosen.row = match options.optional_value() {
                    Some(value) => value.parse()?,
                    None => WIDE,
                };
            }
            letter => match short(letter) {
                Some(kind) => chosen.types.push(kind),
                None => return Err(Short(letter).unexpected().into()),
            },
        }
    }
    if chosen.types.is_empty() {
        chosen.types.push(Type::new(Kind::Octal, 2));
    }
    // Sizes are powers of two, so the largest is a multiple of all.
    let unit = chosen.types.iter().map(|kind| kind.size).max().unwrap_or(1);
    let is_row = (1..=limits::DUMP_ROW_BYTES).contains(&chosen.row);
    if !is_row || !chosen.row.is_multiple_of(unit) {
        let message = format!(
            "-w {}: the width is a multiple of {unit}, at most {}",
            chosen.row,
            limits::DUMP_ROW_BYTES
        );
        return Err(Failure::usage(message));
    }
    if chosen.types.len() > limits::DUMP_TYPES {
        return Err(Failure::usage(format!("there are at most {} types", limits::DUMP_TYPES)));
    }
    Ok(chosen)
}

fn radix(word: &str) -> Result<Radix, Failure> {
    match word {
        "o" => Ok(Radix::Octal),
        "d" => Ok(Radix::Decimal),
        "x" => Ok(Radix::Hexadecimal),
        "n" => Ok(Radix::No),
        other => Err(Failure::usage(format!("invalid output address radix '{other}'"))),
    }
}

/// The type of an option of one letter.
fn short(letter: char) -> Option<Type> {
    Some(match letter {
        'a' => Type::new(Kind::Name, 1),
        'b' => Type::new(Kind::Octal, 1),
        'c' => Type::new(Kind::Character, 1),
        'd' => Type::new(Kind::Unsigned, 2),
        'i' => Type::new(Kind::Signed, 4),
        'l' => Type::new(Kind::Signed, 8),
        'o' => Type::new(Kind::Octal, 2),
        's' => Type::new(Kind::Signed, 2),
        'x' => Type::new(Kind::Hexadecimal, 2),
        _ => return None,
    })
}

/// The types of `-t`: letters with sizes, each perhaps with a `z`.
fn types(word: &str) -> Result<Vec<Type>, Failure> {
    let mut found = Vec::new();
    let mut rest = word.chars().peekable();
    while let Some(letter) = rest.next() {
        let kind = match letter {
            'a' => Kind::Name,
            'c' => Kind::Character,
            'd' => Kind::Signed,
            'o' => Kind::Octal,
            'u' => Kind::Unsigned,
            'x' => Kind::Hexadecimal,
            'f' => return Err(Failure::usage("-t f: there are no floating-point numbers here")),
            other => {
                let message = format!("invalid character '{other}' in type string '{word}'");
                return Err(Failure::usage(message));
            }
        };
        let mut size = 4;
        if matches!(kind, Kind::Name | Kind::Character) {
            size = 1;
        } else if let Some(letter) = rest.next_if(|letter| "CSIL".contains(*letter)) {
            size = match letter {
                'C' => 1,
                'S' => 2,
                'I' => 4,
                _ => 8,
            };
        } else {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            if !digits.is_empty() {
                size = match digits.as_str() {
                    "1" => 1,
                    "2" => 2,
                    "4" => 4,
                    "8" => 8,
                    other => {
                        let message = format!(
                            "-t {word}: numbers have 1, 2, 4 or 8 bytes, not \
                            {other}"
                        );
                        return Err(Failure::usage(message));
                    }
                };
            }
        }
        let mut one = Type::new(kind, size);
        one.with_text = rest.next_if_eq(&'z').is_some();
        found.push(one);
    }
    if found.is_empty() {
        return Err(Failure::usage("-t: a type is needed"));
    }
    Ok(found)
}

/// A number of bytes: decimal, octal after `0`, hexadecimal after `0x`, with a unit.
fn amount(word: &str) -> Result<u64, Failure> {
    let wrong = || Failure::usage(format!("{word}: bad number of bytes"));
    let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if word.len() > 1 && word.starts_with('0') => (word, 8),
        None => (word, 10),
    };
    let end = digits.find(|letter: char| !letter.is_digit(radix)).unwrap_or(digits.len());
    let (digits, unit) = digits.split_at_checked(end).ok_or_else(wrong)?;
    let unit: u64 = match unit {
        "" => 1,
        "b" => 512,
        "kB" | "KB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number = u64::from_str_radix(digits, radix).map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let mut dump = Dump::new(options.radix, options.types, options.row, options.all);
    dump.skip(options.skipped);
    let (mut skipped, mut left) = (options.skipped, options.most);
    let mut status = Status::SUCCESS;
    let mut output = Output::new(context);
    let mut buffer = vec![0; limits::DUMP_PIECE_BYTES];
    for stream in inputs(context, &options.paths) {
        let stream = match stream {
            Ok(stream) => stream,
            Err(why) => {
                output.flush().await?;
                context.complain(&why.message).await;
                status = Status::FAILURE;
                continue;
            }
        };
        while left > 0 {
            // Nothing is read beyond what is wanted: the rest may be for the next command.
            let wanted = usize::try_from(skipped.saturating_add(left)).unwrap_or(usize::MAX);
            let part = wanted.min(buffer.len());
            let count = fill(&stream, buffer.get_mut(..part).unwrap_or_default()).await?;
            if count == 0 {
                break;
            }
            let passed = usize::try_from(skipped).unwrap_or(usize::MAX).min(count);
            skipped = skipped.saturating_sub(passed as u64);
            let bytes = buffer.get(passed..count).unwrap_or_default();
            left = left.saturating_sub(bytes.len() as u64);
            let mut text = String::new();
            dump.push(bytes, &mut text);
            output.write(text.as_bytes()).await?;
        }
    }
    if skipped > 0 && left > 0 {
        return Err(Failure::new("cannot skip past end of combined input"));
    }
    output.write(dump.end().as_bytes()).await?;
    output.flush().await?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_radixes_and_units() {
        for (word, expected) in [
            ("0", Some(0)),
            ("010", Some(8)),
            ("0x1F", Some(31)),
            ("1k", Some(1024)),
            ("2b", Some(1024)),
            ("1MB", Some(1_000_000)),
            ("", None),
            ("0x", None),
            ("-1", None),
            ("9z", None),
            ("99999999999999999999", None),
            ("18446744073709551615k", None),
        ] {
            assert_eq!(amount(word).ok(), expected, "{word}");
        }
    }
}
