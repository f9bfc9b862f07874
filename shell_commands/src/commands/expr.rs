//! `expr`: computes, compares and cuts words (POSIX).

use std::cmp::Ordering;

use super::expression::{Dialect, Expression, translate};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// A wrong expression, as POSIX has it.
const WRONG: Status = Status(2);

pub(super) async fn run(context: &Context) -> Outcome {
    let mut words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    if words.first() == Some(&"--") {
        words.remove(0);
    }
    let mut parser = Parser { words: &words, depth: 0 };
    let value = parser.any()?;
    if let Some(word) = parser.words.first() {
        return Err(wrong(format!("syntax error: unexpected argument '{word}'")));
    }
    context.print(&format!("{value}\n")).await?;
    Ok(Status::from_success(!is_null(&value)))
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure { status: WRONG, message: message.into() }
}

/// Nothing, or a number that is 0.
fn is_null(value: &str) -> bool {
    value.is_empty() || number(value) == Some(0)
}

fn number(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_number)
}

struct Parser<'w> {
    words: &'w [&'w str],
    depth: usize,
}

impl<'w> Parser<'w> {
    fn next(&mut self) -> Result<&'w str, Failure> {
        let (word, rest) = self
            .words
            .split_first()
            .ok_or_else(|| wrong("syntax error: an argument is missing"))?;
        self.words = rest;
        Ok(word)
    }

    fn operator(&mut self, known: &[&str]) -> Option<&'w str> {
        let (word, rest) = self.words.split_first().filter(|(word, _)| known.contains(word))?;
        self.words = rest;
        Some(word)
    }

    fn any(&mut self) -> Result<String, Failure> {
        let mut value = self.all()?;
        while self.operator(&["|"]).is_some() {
            let other = self.all()?;
            if is_null(&value) {
                value = if is_null(&other) { "0".into() } else { other };
            }
        }
        Ok(value)
    }

    fn all(&mut self) -> Result<String, Failure> {
        let mut value = self.comparison()?;
        while self.operator(&["&"]).is_some() {
            let other = self.comparison()?;
            if is_null(&value) || is_null(&other) {
                value = "0".into();
            }
        }
        Ok(value)
    }

    fn comparison(&mut self) -> Result<String, Failure> {
        let mut value = self.sum()?;
        while let Some(operator) = self.operator(&["=", "==", "!=", "<", "<=", ">", ">="]) {
            let other = self.sum()?;
            let order = match (number(&value), number(&other)) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => value.cmp(&other),
            };
            let holds = match operator {
                "=" | "==" => order == Ordering::Equal,
                "!=" => order != Ordering::Equal,
                "<" => order == Ordering::Less,
                "<=" => order != Ordering::Greater,
                ">" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            };
            value = u8::from(holds).to_string();
        }
        Ok(value)
    }

    fn sum(&mut self) -> Result<String, Failure> {
        let mut value = self.product()?;
        while let Some(operator) = self.operator(&["+", "-"]) {
            let other = self.product()?;
            let compute = if operator == "+" { i64::checked_add } else { i64::checked_sub };
            value = calculated(&value, &other, compute)?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<String, Failure> {
        let mut value = self.matching()?;
        while let Some(operator) = self.operator(&["*", "/", "%"]) {
            let other = self.matching()?;
            if operator != "*" && number(&other) == Some(0) {
                return Err(wrong("division by zero"));
            }
            let compute = match operator {
                "*" => i64::checked_mul,
                "/" => i64::checked_div,
                _ => i64::checked_rem,
            };
            value = calculated(&value, &other, compute)?;
        }
        Ok(value)
    }

    fn matching(&mut self) -> Result<String, Failure> {
        let mut value = self.primary()?;
        while self.operator(&[":"]).is_some() {
            value = matched(&value, &self.primary()?)?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<String, Failure> {
        let word = self.next()?;
        let is_alone = self.words.is_empty();
        match word {
            "(" => {
                self.depth += 1;
                if self.depth > limits::NESTING {
                    return Err(wrong("too deep"));
                }
                let value = self.any()?;
                if self.operator(&[")"]).is_none() {
                    return Err(wrong("syntax error: expecting ')'"));
                }
                self.depth -= 1;
                Ok(value)
            }
            // A word that would be an operator otherwise.
            "+" if !is_alone => Ok(self.next()?.into()),
            "length" if !is_alone => Ok(self.primary()?.chars().count().to_string()),
            "match" if !is_alone => {
                let (text, pattern) = (self.primary()?, self.primary()?);
                matched(&text, &pattern)
            }
            "index" if !is_alone => {
                let (text, set) = (self.primary()?, self.primary()?);
                let place = text.chars().position(|character| set.contains(character));
                Ok(place.map_or(0, |place| place + 1).to_string())
            }
            "substr" if !is_alone => {
                let (text, first, length) = (self.primary()?, self.primary()?, self.primary()?);
                let part = |first: i64, length: i64| {
                    let skipped = usize::try_from(first - 1).ok()?;
                    let length = usize::try_from(length).ok()?;
                    Some(text.chars().skip(skipped).take(length).collect())
                };
                let (first, length) = (number(&first), number(&length));
                Ok(first
                    .zip(length)
                    .and_then(|(first, length)| part(first, length))
                    .unwrap_or_default())
            }
            word => Ok(word.into()),
        }
    }
}

fn calculated(
    left: &str,
    right: &str,
    compute: fn(i64, i64) -> Option<i64>,
) -> Result<String, Failure> {
    let (Some(left), Some(right)) = (number(left), number(right)) else {
        return Err(wrong("non-integer argument"));
    };
    compute(left, right).map(|value| value.to_string()).ok_or_else(|| wrong("number out of range"))
}

/// What the first group of the expression matches from the beginning on, or how many characters the
/// whole does.
fn matched(text: &str, pattern: &str) -> Result<String, Failure> {
    let translated = translate(pattern, Dialect::Basic).map_err(wrong)?;
    let expression = Expression::new(&format!("\\A(?:{translated})"), false).map_err(wrong)?;
    let has_group = pattern.contains("\\(");
    let Some(whole) = expression.find(text.as_bytes(), 0) else {
        return Ok(if has_group { String::new() } else { "0".into() });
    };
    let part = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
    if has_group {
        let groups = expression.groups(text.as_bytes(), whole);
        let first = groups.get(1).copied().flatten();
        return Ok(first.map_or("", |span| part(span.start, span.end)).into());
    }
    Ok(part(whole.0, whole.1).chars().count().to_string())
}
