//! `printf`: texts and numbers in a format, which is used again while there are arguments.

use std::iter::Peekable;
use std::str::Chars;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let words = match context.arguments.as_slice() {
        [first, rest @ ..] if first == "--" => rest,
        words => words,
    };
    let Some((format, arguments)) = words.split_first() else {
        return Err(Failure::usage("a format is missing"));
    };
    let mut printer =
        Printer { arguments: arguments.iter(), output: Vec::new(), wrong: None, stopped: false };
    loop {
        let left = printer.arguments.len();
        printer.pass(format)?;
        let used = printer.arguments.len() < left;
        if printer.stopped || !used || printer.arguments.len() == 0 {
            break;
        }
    }
    context.print_bytes(&printer.output).await?;
    match printer.wrong {
        Some(why) => Err(Failure::new(why)),
        None => Ok(Status::SUCCESS),
    }
}

struct Printer<'a> {
    arguments: std::slice::Iter<'a, String>,
    output: Vec<u8>,
    /// The last argument that was no number; the others are printed nevertheless.
    wrong: Option<String>,
    /// After `\c`.
    stopped: bool,
}

/// Flags, width and precision of a conversion.
#[derive(Default)]
struct Layout {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternative: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer<'_> {
    /// Prints the format once.
    fn pass(&mut self, format: &str) -> Result<(), Failure> {
        let mut rest = format.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '%' if rest.next_if_eq(&'%').is_some() => self.output.push(b'%'),
                '%' => self.conversion(&mut rest)?,
                '\\' => {
                    if escape(&mut rest, &mut self.output, false) {
                        self.stopped = true;
                    }
                }
                character => push(&mut self.output, character),
            }
            if self.output.len() > limits::WORD_BYTES {
                return Err(Failure::new("the output is too long"));
            }
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    fn conversion(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), Failure> {
        let mut layout = Layout::default();
        while let Some(flag) = rest.next_if(|character| "-0+ #".contains(*character)) {
            match flag {
                '-' => layout.left = true,
                '0' => layout.zero = true,
                '+' => layout.plus = true,
                ' ' => layout.space = true,
                _ => layout.alternative = true,
            }
        }
        if let Some(width) = self.count(rest)? {
            layout.left |= width < 0;
            layout.width = usize::try_from(width.unsigned_abs()).unwrap_or_default();
        }
        if rest.next_if_eq(&'.').is_some() {
            layout.precision = match self.count(rest)? {
                Some(count) => usize::try_from(count).ok(),
                None => Some(0),
            };
        }
        let conversion = rest.next();
        match conversion {
            Some('s' | 'b' | 'c') => {
                let text = self.arguments.next().map_or("", String::as_str);
                let mut bytes = Vec::new();
                if conversion == Some('b') {
                    let mut characters = text.chars().peekable();
                    while let Some(character) = characters.next() {
                        if character != '\\' {
                            push(&mut bytes, character);
                        } else if escape(&mut characters, &mut bytes, true) {
                            self.stopped = true;
                            break;
                        }
                    }
                } else {
                    let most = if conversion == Some('c') { Some(1) } else { layout.precision };
                    let cut = text.chars().take(most.unwrap_or(usize::MAX));
                    cut.for_each(|character| push(&mut bytes, character));
                }
                let length = String::from_utf8_lossy(&bytes).chars().count();
                self.pad(&bytes, length, &layout);
            }
            Some(kind @ ('d' | 'i' | 'u' | 'x' | 'X' | 'o')) => {
                let number = self.number();
                self.integer(number, kind, &layout);
            }
            Some(other) => return Err(Failure::usage(format!("%{other}: bad conversion"))),
            None => return Err(Failure::usage("%: a conversion is missing")),
        }
        Ok(())
    }

    /// Digits, or `*` for an argument.
    fn count(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<Option<i64>, Failure> {
        let mut digits = String::new();
        let count = if rest.next_if_eq(&'*').is_some() {
            self.number()
        } else {
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            if digits.is_empty() {
                return Ok(None);
            }
            digits.parse().unwrap_or(i64::MAX)
        };
        if count.unsigned_abs() > limits::WORD_BYTES as u64 {
            return Err(Failure::new("the output is too long"));
        }
        Ok(Some(count))
    }

    /// The next argument as a number; 0 if it is none.
    fn number(&mut self) -> i64 {
        let text = self.arguments.next().map_or("", String::as_str);
        // A quote gives the code of the character behind it.
        if let Some(code) = text.strip_prefix(['\'', '"']) {
            return code.chars().next().map_or(0, |character| i64::from(u32::from(character)));
        }
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))
        {
            Some(digits) => (16, digits),
            None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
            None => (10, digits),
        };
        match i64::from_str_radix(digits, radix) {
            Ok(number) if !digits.starts_with(['+', '-']) => {
                if negative {
                    number.wrapping_neg()
                } else {
                    number
                }
            }
            _ => {
                if !text.is_empty() {
                    self.wrong = Some(format!("{text}: bad number"));
                }
                0
            }
        }
    }

    fn integer(&mut self, number: i64, kind: char, layout: &Layout) {
        let signed = matches!(kind, 'd' | 'i');
        let mut digits = match kind {
            'x' => format!("{number:x}"),
            'X' => format!("{number:X}"),
            'o' => format!("{number:o}"),
            'u' => number.cast_unsigned().to_string(),
            _ => number.unsigned_abs().to_string(),
        };
        let least = layout.precision.unwrap_or_default();
        digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
        let sign = match kind {
            'x' if layout.alternative && number != 0 => "0x",
            'X' if layout.alternative && number != 0 => "0X",
            'o' if layout.alternative && number != 0 => "0",
            _ if signed && number < 0 => "-",
            _ if signed && layout.plus => "+",
            _ if signed && layout.space => " ",
            _ => "",
        };
        if layout.zero && !layout.left && layout.precision.is_none() {
            let missing = layout.width.saturating_sub(digits.len().saturating_add(sign.len()));
            digits = "0".repeat(missing) + &digits;
        }
        let text = format!("{sign}{digits}");
        self.pad(text.as_bytes(), text.len(), layout);
    }

    fn pad(&mut self, bytes: &[u8], length: usize, layout: &Layout) {
        let blanks = " ".repeat(layout.width.saturating_sub(length));
        if !layout.left {
            self.output.extend_from_slice(blanks.as_bytes());
        }
        self.output.extend_from_slice(bytes);
        if layout.left {
            self.output.extend_from_slice(blanks.as_bytes());
        }
    }
}

fn push(output: &mut Vec<u8>, character: char) {
    output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What follows `\`; true for `\c`, which ends the output. In `%b`, octal numbers begin with 0.
fn escape(rest: &mut Peekable<Chars<'_>>, output: &mut Vec<u8>, in_argument: bool) -> bool {
    let octal = |first: u32, rest: &mut Peekable<Chars<'_>>, most: usize| {
        let mut value = first;
        for _ in 0..most {
            let Some(digit) = rest.next_if(|next| next.is_digit(8)) else { break };
            value = value * 8 + digit.to_digit(8).unwrap_or_default();
        }
        u8::try_from(value & 0xff).unwrap_or_default()
    };
    let Some(character) = rest.next() else {
        output.push(b'\\');
        return false;
    };
    match character {
        'n' => output.push(b'\n'),
        't' => output.push(b'\t'),
        'r' => output.push(b'\r'),
        'a' => output.push(7),
        'b' => output.push(8),
        'f' => output.push(12),
        'v' => output.push(11),
        'e' => output.push(27),
        '\\' => output.push(b'\\'),
        '"' if !in_argument => output.push(b'"'),
        '\'' if !in_argument => output.push(b'\''),
        'c' if in_argument => return true,
        '0' if in_argument => output.push(octal(0, rest, 3)),
        digit if digit.is_digit(8) => {
            output.push(octal(digit.to_digit(8).unwrap_or_default(), rest, 2));
        }
        other => {
            output.push(b'\\');
            push(output, other);
        }
    }
    false
}
