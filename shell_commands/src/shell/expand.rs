//! Expansion: words → the arguments of a command.
//!
//! Expands variables and splits unquoted values at white space (POSIX 2.6.5).
//! [`execute`](super::execute) calls it right before a command starts, so that `$?` is the status
//! of the previous one.

use super::Shell;
use super::lexer::{Piece, Word};
use crate::limits;

/// Expands `words` to fields; an unquoted variable may give none or many.
///
/// # Errors
/// A message if a field would be longer than [`limits::WORD_BYTES`].
pub fn fields(shell: &Shell, words: &[Word]) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    for word in words {
        Fields { done: &mut fields, open: None }.word(shell, word)?;
    }
    Ok(fields)
}

/// Expands `word` without field splitting: values of assignments and targets of redirections.
///
/// # Errors
/// A message if the result would be longer than [`limits::WORD_BYTES`].
pub fn single(shell: &Shell, word: &Word) -> Result<String, &'static str> {
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Literal(literal) => append(&mut text, literal)?,
            Piece::Variable { name, .. } => append(&mut text, &value(shell, name))?,
        }
    }
    Ok(text)
}

/// Returns the value of `$name`; empty if it is unset.
fn value(shell: &Shell, name: &str) -> String {
    let arguments = shell.parameters.get(1..).unwrap_or_default();
    match name {
        "?" => shell.status.to_string(),
        "#" => arguments.len().to_string(),
        "@" | "*" => arguments.join(" "),
        number if number.bytes().all(|digit| digit.is_ascii_digit()) => number
            .parse()
            .ok()
            .and_then(|index: usize| shell.parameters.get(index))
            .cloned()
            .unwrap_or_default(),
        name => shell.variables.get(name).cloned().unwrap_or_default(),
    }
}

/// The fields of one word; the next piece may extend the `open` one.
struct Fields<'a> {
    done: &'a mut Vec<String>,
    open: Option<String>,
}

impl Fields<'_> {
    fn word(mut self, shell: &Shell, word: &Word) -> Result<(), &'static str> {
        for piece in &word.pieces {
            match piece {
                Piece::Literal(literal) => append(self.open.get_or_insert_default(), literal)?,
                Piece::Variable { name, quoted: true } if name == "@" => {
                    let arguments = shell.parameters.get(1..).unwrap_or_default();
                    // A word that is only "$@" expands to no field if there are no arguments.
                    if arguments.is_empty() && word.pieces.iter().all(is_nothing) {
                        return Ok(());
                    }
                    self.separate(arguments.iter().map(String::as_str))?;
                }
                Piece::Variable { name, quoted: true } => {
                    append(self.open.get_or_insert_default(), &value(shell, name))?;
                }
                Piece::Variable { name, quoted: false } => self.cut(&value(shell, name))?,
            }
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Adds each of `parts` as a field; the first extends the open field, the last stays open.
    fn separate<'b>(&mut self, parts: impl Iterator<Item = &'b str>) -> Result<(), &'static str> {
        for (index, part) in parts.enumerate() {
            if index > 0 {
                self.close();
            }
            append(self.open.get_or_insert_default(), part)?;
        }
        Ok(())
    }

    fn cut(&mut self, text: &str) -> Result<(), &'static str> {
        if text.starts_with(char::is_whitespace) {
            self.close();
        }
        self.separate(text.split_whitespace())?;
        if text.ends_with(char::is_whitespace) {
            self.close();
        }
        Ok(())
    }
}

fn is_nothing(piece: &Piece) -> bool {
    match piece {
        Piece::Literal(text) => text.is_empty(),
        Piece::Variable { name, .. } => name == "@",
    }
}

fn append(text: &mut String, more: &str) -> Result<(), &'static str> {
    if text.len().saturating_add(more.len()) > limits::WORD_BYTES {
        return Err("a word is too long");
    }
    text.push_str(more);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::parser::parse;
    use crate::status::Status;
    use crate::testing::World;

    fn expanded(shell: &Shell, text: &str) -> Vec<String> {
        fields(shell, &parse(text).unwrap().lists[0].first.commands[0].words).unwrap()
    }

    fn shell() -> Shell {
        let mut shell = World::new().shell();
        shell.parameters = ["script", "one", "two words"].map(String::from).to_vec();
        shell.variables.insert("v".into(), " a  b ".into());
        shell.variables.insert("w".into(), "x".into());
        shell.status = Status(7);
        shell
    }

    #[test]
    fn values_are_put_in_and_cut() {
        let shell = shell();
        assert_eq!(
            expanded(&shell, "e $w$w ${w}y $? $# $0 $1 ${2} $3"),
            ["e", "xx", "xy", "7", "2", "script", "one", "two", "words"]
        );
        assert_eq!(expanded(&shell, "e c$v'd'"), ["e", "c", "a", "b", "d"]);
        assert_eq!(expanded(&shell, "e \"c$v\" $none \"$none\" ''"), ["e", "c a  b ", "", ""]);
    }

    #[test]
    fn at_keeps_arguments_apart() {
        let mut shell = shell();
        assert_eq!(expanded(&shell, "e \"$@\""), ["e", "one", "two words"]);
        assert_eq!(expanded(&shell, "e \"a$@b\""), ["e", "aone", "two wordsb"]);
        assert_eq!(expanded(&shell, "e $@ \"$*\""), ["e", "one", "two", "words", "one two words"]);
        shell.parameters.truncate(1);
        assert_eq!(expanded(&shell, "e \"$@\" \"\""), ["e", ""]);
    }

    #[test]
    fn growth_is_bounded() {
        let mut shell = shell();
        shell.variables.insert("big".into(), "x".repeat(limits::WORD_BYTES));
        let words = &parse("e a\"$big\"").unwrap().lists[0].first.commands[0].words;
        assert_eq!(fields(&shell, words), Err("a word is too long"));
        assert_eq!(single(&shell, &words[1]), Err("a word is too long"));
    }
}
