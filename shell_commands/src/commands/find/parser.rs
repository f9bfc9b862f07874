//! The expressions of `find`: words → conditions and actions.

use devnet_virtual_file_system::NodeKind;

use super::{Count, Test};
use crate::context::Context;
use crate::failure::Failure;
use crate::limits;

pub(super) struct Parser<'w> {
    pub(super) context: &'w Context,
    pub(super) words: &'w [String],
    pub(super) depth: (usize, usize),
    pub(super) deepest_first: bool,
    pub(super) acts: bool,
    pub(super) level: usize,
}

impl Parser<'_> {
    fn eat(&mut self, names: &[&str]) -> bool {
        match self.words.split_first() {
            Some((word, rest)) if names.contains(&word.as_str()) => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn value(&mut self, name: &str) -> Result<String, Failure> {
        let (word, rest) = self
            .words
            .split_first()
            .ok_or_else(|| Failure::new(format!("{name}: a value is missing")))?;
        self.words = rest;
        Ok(word.clone())
    }

    pub(super) fn any(&mut self) -> Result<Test, Failure> {
        let mut tests = vec![self.all()?];
        while self.eat(&["-o", "-or"]) {
            tests.push(self.all()?);
        }
        Ok(Test::Any(tests))
    }

    fn all(&mut self) -> Result<Test, Failure> {
        let mut tests = vec![self.one()?];
        loop {
            self.eat(&["-a", "-and"]);
            match self.words.first().map(String::as_str) {
                None | Some(")" | "-o" | "-or") => return Ok(Test::All(tests)),
                Some(_) => tests.push(self.one()?),
            }
        }
    }

    fn one(&mut self) -> Result<Test, Failure> {
        self.level += 1;
        if self.level > limits::NESTING {
            return Err(Failure::new("too deeply nested"));
        }
        let word = self.value("expression")?;
        let test = match word.as_str() {
            "!" | "-not" => Test::Not(Box::new(self.one()?)),
            "(" => {
                let inside = self.any()?;
                if !self.eat(&[")"]) {
                    return Err(Failure::new(") is missing"));
                }
                inside
            }
            _ => self.primary(&word)?,
        };
        self.level -= 1;
        Ok(test)
    }

    fn primary(&mut self, word: &str) -> Result<Test, Failure> {
        let bad = |text: &str| Failure::new(format!("{word}: {text}: bad value"));
        Ok(match word {
            "-name" => Test::Name(self.value(word)?, false),
            "-iname" => Test::Name(self.value(word)?.to_lowercase(), true),
            "-path" => Test::Path(self.value(word)?),
            "-type" => match self.value(word)?.as_str() {
                "f" => Test::Kind(NodeKind::Regular),
                "d" => Test::Kind(NodeKind::Directory),
                "c" => Test::Kind(NodeKind::CharacterDevice),
                // What the tree does not have.
                "b" | "l" | "p" | "s" => Test::Constant(false),
                text => return Err(bad(text)),
            },
            "-maxdepth" | "-mindepth" => {
                let text = self.value(word)?;
                let depth = text.parse().map_err(|_| bad(&text))?;
                match word {
                    "-maxdepth" => self.depth.1 = depth,
                    _ => self.depth.0 = depth,
                }
                Test::Constant(true)
            }
            "-depth" => {
                self.deepest_first = true;
                Test::Constant(true)
            }
            "-size" => {
                let text = self.value(word)?;
                let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let unit = match text.get(digits.len()..).unwrap_or_default() {
                    "" | "b" => 512,
                    "c" => 1,
                    "k" => 1024,
                    "M" => 1024 * 1024,
                    _ => return Err(bad(&text)),
                };
                Test::Size(count(digits).ok_or_else(|| bad(&text))?, unit)
            }
            "-empty" => Test::Empty,
            "-perm" => {
                let text = self.value(word)?;
                let digits = text.strip_prefix('-').unwrap_or(&text);
                let mode = u16::from_str_radix(digits, 8).map_err(|_| bad(&text))?;
                Test::Permissions(mode, text.starts_with('-'))
            }
            "-user" => {
                let text = self.value(word)?;
                Test::Owner(if text == "root" {
                    0
                } else {
                    text.parse().map_err(|_| bad(&text))?
                })
            }
            "-true" => Test::Constant(true),
            "-false" => Test::Constant(false),
            "-prune" => Test::Prune,
            "-print" | "-print0" | "-exec" | "-delete" => return self.action(word),
            "-newer" | "-mtime" | "-mmin" | "-atime" | "-ctime" => return self.time(word),
            _ => return Err(Failure::new(format!("{word}: unknown condition"))),
        })
    }

    /// When a node was last changed.
    fn time(&mut self, word: &str) -> Result<Test, Failure> {
        let unit = match word {
            "-mtime" => 86_400,
            "-mmin" => 60,
            "-newer" => {
                let path = self.value(word)?;
                let node = self.context.files.stat(&path).map_err(|why| Failure::of(&path, why))?;
                return Ok(Test::Newer(node.modified));
            }
            _ => return Err(Failure::new(format!("{word}: when is known of changes only"))),
        };
        let text = self.value(word)?;
        let count = count(&text).ok_or_else(|| Failure::new(format!("{word}: {text}: bad value")));
        Ok(Test::Age(count?, unit))
    }

    fn action(&mut self, word: &str) -> Result<Test, Failure> {
        self.acts = true;
        Ok(match word {
            "-print" => Test::Print(b'\n'),
            "-print0" => Test::Print(0),
            "-delete" => {
                self.deepest_first = true;
                Test::Delete
            }
            _ => {
                let end = self.words.iter().position(|word| word == ";" || word == "+");
                let (command, rest) = end
                    .and_then(|end| self.words.split_at_checked(end))
                    .filter(|(command, _)| !command.is_empty())
                    .ok_or_else(|| Failure::new("-exec: a command up to ; or + is missing"))?;
                let at_once = rest.first().is_some_and(|word| word == "+");
                self.words = rest.get(1..).unwrap_or_default();
                Test::Execute(command.to_vec(), at_once)
            }
        })
    }
}

fn count(text: &str) -> Option<Count> {
    let number = |digits: &str| digits.parse().ok();
    match text.split_at_checked(1)? {
        ("+", digits) => number(digits).map(Count::Over),
        ("-", digits) => number(digits).map(Count::Under),
        _ => number(text).map(Count::Is),
    }
}
