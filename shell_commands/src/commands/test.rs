//! `test` and `[`: conditions on texts, numbers and files.
//!
//! The number of words decides what they mean, as POSIX says; more than four are an expression with
//! `!`, `-a`, `-o` and brackets.

use devnet_virtual_file_system::{NodeKind, OpenFlags};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let mut words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    if context.name == "[" && words.pop() != Some("]") {
        return Err(Failure::usage("] is missing"));
    }
    Ok(Status::from_success(decide(context, &words)?))
}

fn decide(context: &Context, words: &[&str]) -> Result<bool, Failure> {
    match words {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        ["!", word] => Ok(word.is_empty()),
        [left, operator, right] if is_binary(operator) => binary(context, left, operator, right),
        ["!", rest @ ..] if rest.len() <= 3 => Ok(!decide(context, rest)?),
        ["(", inside @ .., ")"] if inside.len() <= 2 => decide(context, inside),
        words => {
            let mut expression = Expression { context, words, depth: 0 };
            let holds = expression.any()?;
            match expression.words.first() {
                None => Ok(holds),
                Some(word) => Err(Failure::usage(format!("{word}: unexpected"))),
            }
        }
    }
}

/// An expression; the tightest binding is that of `!`, then `-a`, then `-o`.
struct Expression<'a> {
    context: &'a Context,
    words: &'a [&'a str],
    depth: usize,
}

impl Expression<'_> {
    fn eat(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any(&mut self) -> Result<bool, Failure> {
        let mut holds = self.all()?;
        while self.eat("-o") {
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Result<bool, Failure> {
        let mut holds = self.one()?;
        while self.eat("-a") {
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Result<bool, Failure> {
        self.depth += 1;
        if self.depth > limits::NESTING {
            return Err(Failure::usage("too deeply nested"));
        }
        let holds = match self.words {
            [left, operator, right, rest @ ..] if is_binary(operator) => {
                self.words = rest;
                binary(self.context, left, operator, right)?
            }
            ["!", ..] => {
                self.eat("!");
                !self.one()?
            }
            ["(", ..] => {
                self.eat("(");
                let holds = self.any()?;
                if !self.eat(")") {
                    return Err(Failure::usage(") is missing"));
                }
                holds
            }
            [operator, word, rest @ ..] if is_unary(operator) => {
                self.words = rest;
                unary(self.context, operator, word)
            }
            [word, rest @ ..] => {
                self.words = rest;
                !word.is_empty()
            }
            [] => return Err(Failure::usage("a condition is missing")),
        };
        self.depth -= 1;
        Ok(holds)
    }
}

fn is_binary(word: &str) -> bool {
    matches!(
        word,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "-eq"
            | "-ne"
            | "-lt"
            | "-le"
            | "-gt"
            | "-ge"
            | "-ef"
            | "-nt"
            | "-ot"
    )
}

fn binary(context: &Context, left: &str, operator: &str, right: &str) -> Result<bool, Failure> {
    Ok(match operator {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        // A file that is missing is older than one that is there.
        "-nt" | "-ot" => {
            let modified = |path| context.files.stat(path).ok().map(|node| node.modified);
            let (left, right) = (modified(left), modified(right));
            if operator == "-nt" { left > right } else { left < right }
        }
        "-ef" => {
            let paths = (context.files.resolve(left), context.files.resolve(right));
            matches!(paths, (Ok(left), Ok(right)) if left.as_str() == right.as_str())
        }
        _ => {
            let order = number(left)?.cmp(&number(right)?);
            match operator {
                "-eq" => order.is_eq(),
                "-ne" => order.is_ne(),
                "-lt" => order.is_lt(),
                "-le" => order.is_le(),
                "-gt" => order.is_gt(),
                _ => order.is_ge(),
            }
        }
    })
}

fn number(text: &str) -> Result<i64, Failure> {
    text.trim().parse().map_err(|_| Failure::usage(format!("{text}: bad number")))
}

fn is_unary(word: &str) -> bool {
    matches!(
        word,
        "-n" | "-z" | "-e" | "-f" | "-d" | "-c" | "-s" | "-r" | "-w" | "-x" | "-h" | "-L" | "-t"
    )
}

fn unary(context: &Context, operator: &str, word: &str) -> bool {
    let opens = |flags| context.files.open(word, flags).is_ok();
    let stat = context.files.stat(word);
    let is = |kind| stat.as_ref().is_ok_and(|node| node.kind == kind);
    match operator {
        "-n" => !word.is_empty(),
        "-z" => word.is_empty(),
        "-e" => stat.is_ok(),
        "-f" => is(NodeKind::Regular),
        "-d" => is(NodeKind::Directory),
        "-c" => is(NodeKind::CharacterDevice),
        "-s" => stat.is_ok_and(|node| node.size > 0),
        // Opening a device can have an effect; its permissions are asked only for files.
        "-r" if is(NodeKind::Regular) => opens(OpenFlags::READ),
        "-w" if is(NodeKind::Regular) => opens(OpenFlags::WRITE),
        "-r" | "-w" => stat.is_ok(),
        "-x" => is(NodeKind::Directory),
        // There are no symbolic links, and no command sees a terminal.
        _ => false,
    }
}
