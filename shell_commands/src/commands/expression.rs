//! Regular expressions of POSIX (XBD 9), basic and extended, with GNU's additions.
//!
//! They are translated for `regex-automata`, whose matching takes time in proportion to the text
//! whatever the expression. As POSIX demands, the leftmost match is taken, and the longest there.
//! What would need backtracking, a reference to a group in the expression, is refused.

use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, Span};

use crate::limits;

/// How an expression is written.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dialect {
    /// Basic.
    #[default]
    Basic,
    /// Extended (`-E`).
    Extended,
    /// No expression but a text (`-F`).
    Fixed,
}

/// A compiled expression.
pub(super) struct Expression {
    first: Regex,
    longest: Regex,
    /// Finds groups in a match that is known.
    groups: Regex,
}

impl Expression {
    /// Compiles the translation of one or more expressions.
    pub(super) fn new(translated: &str, ignores_case: bool) -> Result<Self, String> {
        let compile = |text: &str, kind: MatchKind| {
            let syntax = syntax::Config::new()
                .utf8(false)
                .case_insensitive(ignores_case)
                .dot_matches_new_line(true)
                .nest_limit(u32::try_from(limits::NESTING).unwrap_or(u32::MAX));
            let config = meta::Config::new()
                .match_kind(kind)
                .utf8_empty(false)
                .nfa_size_limit(Some(limits::EXPRESSION_BYTES));
            let built = Regex::builder().syntax(syntax).configure(config).build(text);
            built.map_err(|why| match why.size_limit() {
                Some(_) => String::from("the expression is too large"),
                None => String::from("bad regular expression"),
            })
        };
        Ok(Self {
            first: compile(translated, MatchKind::LeftmostFirst)?,
            longest: compile(translated, MatchKind::All)?,
            groups: compile(&format!("(?:{translated})\\z"), MatchKind::LeftmostFirst)?,
        })
    }

    /// True if some part of the text matches.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.first.is_match(text)
    }

    /// The first match from a place on.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from > text.len() {
            return None;
        }
        let start = self.first.find(Input::new(text).range(from..))?.start();
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let end = self.longest.find(input)?.end();
        Some((start, end))
    }

    /// The groups of a match.
    pub(super) fn groups(&self, text: &[u8], (start, end): (usize, usize)) -> Vec<Option<Span>> {
        let mut captures = self.groups.create_captures();
        let text = text.get(..end).unwrap_or(text);
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        self.groups.search_captures(&input, &mut captures);
        captures.iter().collect()
    }
}

/// Translates an expression.
pub(super) fn translate(text: &str, dialect: Dialect) -> Result<String, String> {
    if dialect == Dialect::Fixed {
        let mut result = String::new();
        text.chars().for_each(|character| literal(&mut result, character));
        return Ok(result);
    }
    let extended = dialect == Dialect::Extended;
    Translation {
        rest: text.chars().peekable(),
        extended,
        result: String::new(),
        ..Default::default()
    }
    .run()
}

/// Adds a character that means itself. `\<` and `\>` would be the ends of a word.
fn literal(result: &mut String, character: char) {
    if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
        result.push('\\');
    }
    result.push(character);
}

impl Default for Translation<'_> {
    fn default() -> Self {
        Self {
            rest: "".chars().peekable(),
            extended: false,
            result: String::new(),
            open: Vec::new(),
            atom: None,
            repeated: false,
        }
    }
}

struct Translation<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    extended: bool,
    result: String,
    /// Where open groups begin.
    open: Vec<usize>,
    /// Where the last atom begins; none where an expression begins.
    atom: Option<usize>,
    /// It has a repetition already.
    repeated: bool,
}

impl Translation<'_> {
    fn run(mut self) -> Result<String, String> {
        while let Some(character) = self.rest.next() {
            let escaped = character == '\\';
            let character = match escaped {
                true => self.rest.next().ok_or("trailing backslash")?,
                false => character,
            };
            let is_operator = match character {
                '(' | ')' | '{' | '|' | '+' | '?' => escaped != self.extended,
                '*' | '.' | '[' | '^' | '$' => !escaped,
                _ => false,
            };
            match (is_operator, escaped) {
                (true, _) => self.operator(character)?,
                (false, true) => self.escape(character)?,
                (false, false) => self.plain(character),
            }
        }
        if self.open.is_empty() { Ok(self.result) } else { Err(String::from("unmatched (")) }
    }

    fn begin(&mut self) {
        self.atom = Some(self.result.len());
        self.repeated = false;
    }

    fn plain(&mut self, character: char) {
        self.begin();
        literal(&mut self.result, character);
    }

    fn operator(&mut self, operator: char) -> Result<(), String> {
        match operator {
            '(' => {
                self.open.push(self.result.len());
                self.result.push('(');
                self.atom = None;
            }
            ')' => match self.open.pop() {
                Some(start) => {
                    self.result.push(')');
                    self.atom = Some(start);
                    self.repeated = false;
                }
                None if self.extended => self.plain(')'),
                None => return Err(String::from("unmatched )")),
            },
            '|' => {
                self.result.push('|');
                self.atom = None;
            }
            '.' => {
                self.begin();
                self.result.push('.');
            }
            '[' => self.bracket()?,
            '^' if self.extended || self.atom.is_none() => self.result.push('^'),
            '$' if self.extended || self.is_at_end() => {
                self.result.push('$');
            }
            '^' | '$' => self.plain(operator),
            _ => self.repetition(operator)?,
        }
        Ok(())
    }

    /// True if a `$` is an anchor of a basic expression here.
    fn is_at_end(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        match ahead.next() {
            None => true,
            Some('\\') => matches!(ahead.next(), Some(')' | '|')),
            Some(_) => false,
        }
    }

    fn repetition(&mut self, operator: char) -> Result<(), String> {
        let Some(start) = self.atom else {
            if operator == '{' && !self.extended {
                return Err(String::from("nothing before \\{"));
            }
            // At the start of an expression it is a character.
            self.plain(operator);
            return Ok(());
        };
        let mut bounds = String::from(operator);
        if operator == '{' {
            let Some(text) = self.bounds()? else {
                self.plain('{');
                return Ok(());
            };
            bounds = text;
        }
        // A second sign would make the first lazy.
        if self.repeated {
            self.result.insert_str(start, "(?:");
            self.result.push(')');
        }
        self.result.push_str(&bounds);
        self.repeated = true;
        Ok(())
    }

    /// `{n}`, `{n,}`, `{,m}` and `{n,m}`; none if a brace of an extended expression is none.
    fn bounds(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let mut text = String::new();
        loop {
            match ahead.next() {
                Some(digit) if digit.is_ascii_digit() || digit == ',' => text.push(digit),
                Some('}') if self.extended => break,
                Some('\\') if !self.extended && ahead.next() == Some('}') => break,
                _ if self.extended => return Ok(None),
                _ => return Err(String::from("unmatched \\{")),
            }
        }
        self.rest = ahead;
        let (low, high) =
            text.split_once(',').map_or((&*text, None), |(low, high)| (low, Some(high)));
        let bad = || format!("{{{text}}}: bad bounds");
        let number = |digits: &str| digits.parse::<u16>().map_err(|_| bad());
        let least = if low.is_empty() && high.is_some() { 0 } else { number(low)? };
        match high {
            None => Ok(Some(format!("{{{least}}}"))),
            Some("") => Ok(Some(format!("{{{least},}}"))),
            Some(high) if number(high)? >= least => {
                Ok(Some(format!("{{{least},{}}}", number(high)?)))
            }
            Some(_) => Err(bad()),
        }
    }

    fn escape(&mut self, character: char) -> Result<(), String> {
        let text = match character {
            '1'..='9' => {
                return Err(format!("\\{character}: references to groups are not supported"));
            }
            'n' => "\\n",
            't' => "\\t",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' => "[[:space:]]",
            'S' => "[^[:space:]]",
            'b' => "(?-u:\\b)",
            'B' => "(?-u:\\B)",
            '<' => "(?-u:\\b{start})",
            '>' => "(?-u:\\b{end})",
            character => {
                self.plain(character);
                return Ok(());
            }
        };
        self.begin();
        self.result.push_str(text);
        Ok(())
    }

    fn bracket(&mut self) -> Result<(), String> {
        self.begin();
        self.result.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.result.push('^');
        }
        let mut is_first = true;
        loop {
            match self.rest.next().ok_or("unmatched [")? {
                ']' if !is_first => break,
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => self.class()?,
                '-' if !is_first && self.rest.peek() != Some(&']') => self.result.push('-'),
                character => literal(&mut self.result, character),
            }
            is_first = false;
        }
        self.result.push(']');
        Ok(())
    }

    /// `[:alpha:]`, `[.x.]` and `[=x=]`
    fn class(&mut self) -> Result<(), String> {
        let kind = self.rest.next().unwrap_or(':');
        let mut name = String::new();
        loop {
            match self.rest.next().ok_or("unmatched [")? {
                found if found == kind && self.rest.next_if_eq(&']').is_some() => break,
                found => name.push(found),
            }
        }
        if kind == ':' {
            self.result.push_str(&format!("[:{name}:]"));
        } else {
            name.chars().for_each(|character| literal(&mut self.result, character));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_ascii_can_mean_itself() {
        for sign in (33_u8..127).map(char::from).filter(char::is_ascii_punctuation) {
            let matches = |text: &str, dialect| {
                let translated = translate(text, dialect).unwrap();
                let expression = Expression::new(&translated, false).unwrap();
                let whole = format!("ab{sign}");
                (expression.find(b"ab", 0), expression.find(whole.as_bytes(), 0))
            };
            let itself = (None, Some((2, 3)));
            assert_eq!(matches(&sign.to_string(), Dialect::Fixed), itself, "{sign}");
            if !matches!(sign, '^' | '[' | '\\') {
                assert_eq!(matches(&format!("[{sign}]"), Dialect::Basic), itself, "[{sign}]");
                assert_eq!(matches(&format!("[{sign}]"), Dialect::Extended), itself, "[{sign}]");
            }
            if !".[]*^$\\".contains(sign) {
                assert_eq!(matches(&sign.to_string(), Dialect::Basic), itself, "{sign}");
            }
            if !".[]*^$\\(){}|+?".contains(sign) {
                assert_eq!(matches(&sign.to_string(), Dialect::Extended), itself, "{sign}");
            }
        }
    }
}
