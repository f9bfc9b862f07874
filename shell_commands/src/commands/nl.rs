//! `nl`: numbers lines, in the sections of logical pages (POSIX `nl`).

use lexopt::prelude::*;

use super::cat::inputs;
use super::expression::{Dialect, Expression, translate};
use super::lines::{Lines, Output};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Which lines of a section get a number.
enum Style {
    All,
    NotEmpty,
    No,
    Matching(Expression),
}

/// How a number is laid out.
#[derive(Clone, Copy)]
enum Format {
    Left,
    Right,
    Zeros,
}

/// The sections of a page, with the place of their style in [`Options::styles`].
const HEADER: usize = 0;
const BODY: usize = 1;
const FOOTER: usize = 2;

struct Options {
    styles: [Style; 3],
    format: Format,
    width: usize,
    separator: String,
    first: i64,
    step: i64,
    /// Of so many empty lines in a row the last one gets a number.
    blanks: u64,
    /// Begins a section: once for a footer, twice for a body, three times for a header.
    delimiter: String,
    restarts: bool,
    paths: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let mut output = Output::new(context);
    let mut numbering = Numbering { section: BODY, next: Some(options.first), blanks: 0 };
    let mut status = Status::SUCCESS;
    for stream in inputs(context, &options.paths) {
        let mut lines = match stream {
            Ok(stream) => Lines::new(stream, b'\n'),
            Err(why) => {
                output.flush().await?;
                context.complain(&why.message).await;
                status = Status::FAILURE;
                continue;
            }
        };
        while let Some(line) = lines.next(&mut output).await? {
            if let Some(section) = section(&line.bytes, &options.delimiter) {
                numbering.section = section;
                if options.restarts {
                    numbering.next = Some(options.first);
                }
                output.line(b"").await?;
                continue;
            }
            let Some(label) = numbering.label(&options, &line.bytes) else {
                output.flush().await?;
                return Err(Failure::new("line number overflow"));
            };
            output.write(label.as_bytes()).await?;
            output.line(&line.bytes).await?;
        }
    }
    output.flush().await?;
    Ok(status)
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        styles: [Style::No, Style::NotEmpty, Style::No],
        format: Format::Right,
        width: 6,
        separator: "\t".into(),
        first: 1,
        step: 1,
        blanks: 1,
        delimiter: "\\:".into(),
        restarts: true,
        paths: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('h') | Long("header-numbering") => {
                chosen.styles[HEADER] = style(&options.value()?.string()?)?;
            }
            Short('b') | Long("body-numbering") => {
                chosen.styles[BODY] = style(&options.value()?.string()?)?;
            }
            Short('f') | Long("footer-numbering") => {
                chosen.styles[FOOTER] = style(&options.value()?.string()?)?;
            }
            Short('n') | Long("number-format") => {
                chosen.format = match options.value()?.string()?.as_str() {
                    "ln" => Format::Left,
                    "rn" => Format::Right,
                    "rz" => Format::Zeros,
                    other => {
                        let message = format!("invalid line numbering format: {other}");
                        return Err(Failure::usage(message));
                    }
                };
            }
            Short('w') | Long("number-width") => {
                let width = options.value()?.parse()?;
                if !(1..=limits::NUMBER_WIDTH).contains(&width) {
                    let message = format!("{width}: the width is 1 to {}", limits::NUMBER_WIDTH);
                    return Err(Failure::usage(message));
                }
                chosen.width = width;
            }
            Short('s') | Long("number-separator") => {
                chosen.separator = options.value()?.string()?
            }
            Short('v') | Long("starting-line-number") => chosen.first = options.value()?.parse()?,
            Short('i') | Long("line-increment") => chosen.step = options.value()?.parse()?,
            Short('l') | Long("join-blank-lines") => {
                chosen.blanks = options.value()?.parse()?;
                if chosen.blanks == 0 {
                    return Err(Failure::usage("-l 0: the number of lines is at least 1"));
                }
            }
            Short('d') | Long("section-delimiter") => {
                let word = options.value()?.string()?;
                // The second character is a colon, if it is not said.
                let is_short = word.chars().count() == 1;
                chosen.delimiter = if is_short { format!("{word}:") } else { word };
            }
            Short('p') | Long("no-renumber") => chosen.restarts = false,
            Value(path) => chosen.paths.push(path.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

fn style(word: &str) -> Result<Style, Failure> {
    let named = |why: String| Failure::usage(why);
    match (word, word.strip_prefix('p')) {
        ("a", _) => Ok(Style::All),
        ("t", _) => Ok(Style::NotEmpty),
        ("n", _) => Ok(Style::No),
        (_, Some(pattern)) => {
            let translated = translate(pattern, Dialect::Basic).map_err(named)?;
            Expression::new(&translated, false).map(Style::Matching).map_err(named)
        }
        _ => Err(Failure::usage(format!("invalid numbering style: {word}"))),
    }
}

/// The section that a line begins, if that is all it does.
fn section(line: &[u8], delimiter: &str) -> Option<usize> {
    let delimiter = delimiter.as_bytes();
    if delimiter.is_empty() || line.is_empty() || !line.len().is_multiple_of(delimiter.len()) {
        return None;
    }
    let is_whole = line.chunks(delimiter.len()).all(|part| part == delimiter);
    match line.len() / delimiter.len() {
        1 if is_whole => Some(FOOTER),
        2 if is_whole => Some(BODY),
        3 if is_whole => Some(HEADER),
        _ => None,
    }
}

/// Where the numbering is.
struct Numbering {
    section: usize,
    /// The next number; none when there is none left.
    next: Option<i64>,
    /// Empty lines in a row without a number.
    blanks: u64,
}

impl Numbering {
    /// What stands before a line; none if there is no number left for it.
    fn label(&mut self, options: &Options, line: &[u8]) -> Option<String> {
        let has_number = match options.styles.get(self.section) {
            Some(Style::All) if line.is_empty() => {
                self.blanks += 1;
                self.blanks == options.blanks
            }
            Some(Style::All) => true,
            Some(Style::NotEmpty) => !line.is_empty(),
            Some(Style::Matching(expression)) => expression.is_match(line),
            Some(Style::No) | None => false,
        };
        if has_number || !line.is_empty() {
            self.blanks = 0;
        }
        let (width, separator) = (options.width, &options.separator);
        if !has_number {
            return Some(" ".repeat(width.saturating_add(separator.len())));
        }
        let number = self.next?;
        self.next = number.checked_add(options.step);
        Some(match options.format {
            Format::Left => format!("{number:<width$}{separator}"),
            Format::Right => format!("{number:>width$}{separator}"),
            Format::Zeros => format!("{number:0width$}{separator}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_begin_with_whole_delimiters() {
        for (line, expected) in [
            ("\\:", Some(FOOTER)),
            ("\\:\\:", Some(BODY)),
            ("\\:\\:\\:", Some(HEADER)),
            ("\\:\\:\\:\\:", None),
            ("\\: ", None),
            ("", None),
            ("\\:\\", None),
        ] {
            assert_eq!(section(line.as_bytes(), "\\:"), expected, "{line}");
        }
        assert_eq!(section(b"x", ""), None);
    }
}
