//! The part of the [`Parser`] that reads compound commands.

use super::super::syntax::{Kind, Script, SyntaxError, is_name};
use super::lexer::Token;
use super::{CLOSERS, Parser};

impl Parser<'_> {
    pub(super) fn compound(&mut self) -> Result<Option<Kind>, SyntaxError> {
        if self.takes("(")? {
            let body = self.body()?;
            if !self.takes(")")? {
                return Err(self.unexpected());
            }
            return Ok(Some(Kind::Subshell(body)));
        }
        let Some(word) = self.reserved() else { return Ok(None) };
        let word = word.to_owned();
        match word.as_str() {
            "{" | "if" | "while" | "until" | "for" | "case" => self.advance()?,
            // Words of bash that begin what POSIX does not have: its parts would be run as
            // commands.
            "[[" | "function" | "select" | "coproc" => {
                let message = format!("{word}: there is no such compound command");
                return Err(self.lexer.error_at(self.start, message));
            }
            _ if CLOSERS.contains(&word.as_str()) => return Err(self.unexpected()),
            _ => return Ok(None),
        };
        Ok(Some(match word.as_str() {
            "{" => {
                let body = self.body()?;
                self.expect("}")?;
                Kind::Group(body)
            }
            "if" => self.conditions()?,
            "for" => self.for_loop()?,
            "case" => self.case()?,
            _ => {
                let condition = self.body()?;
                Kind::Loop { until: word == "until", condition, body: self.loop_body()? }
            }
        }))
    }

    fn loop_body(&mut self) -> Result<Script, SyntaxError> {
        self.expect("do")?;
        let body = self.body()?;
        self.expect("done")?;
        Ok(body)
    }

    fn conditions(&mut self) -> Result<Kind, SyntaxError> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body()?;
            self.expect("then")?;
            branches.push((condition, self.body()?));
            if self.takes_reserved("elif")? {
                continue;
            }
            if self.takes_reserved("else")? {
                otherwise = Some(self.body()?);
            }
            self.expect("fi")?;
            return Ok(Kind::If(branches, otherwise));
        }
    }

    fn for_loop(&mut self) -> Result<Kind, SyntaxError> {
        let name = self.reserved().filter(|name| is_name(name)).map(ToOwned::to_owned);
        let Some(name) = name else { return Err(self.unexpected()) };
        self.advance()?;
        self.newlines()?;
        let mut words = None;
        if self.takes_reserved("in")? {
            let mut list = Vec::new();
            while let Token::Word(_) = self.token {
                if let Token::Word(word) = self.advance()? {
                    list.push(word);
                }
            }
            words = Some(list);
            if self.token != Token::Newline && !self.takes(";")? {
                return Err(self.unexpected());
            }
        } else {
            self.takes(";")?;
        }
        self.newlines()?;
        Ok(Kind::For(name, words, self.loop_body()?))
    }

    fn case(&mut self) -> Result<Kind, SyntaxError> {
        let subject = self.word()?;
        self.newlines()?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.newlines()?;
            if self.takes_reserved("esac")? {
                return Ok(Kind::Case(subject, arms));
            }
            self.takes("(")?;
            let mut patterns = vec![self.word()?];
            while self.takes("|")? {
                patterns.push(self.word()?);
            }
            if !self.takes(")")? {
                return Err(self.unexpected());
            }
            arms.push((patterns, self.script()?));
            if !self.takes(";;")? {
                self.expect("esac")?;
                return Ok(Kind::Case(subject, arms));
            }
        }
    }
}
