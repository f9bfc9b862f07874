//! Patterns: `*`, `?`, `[…]`, and `\` before what is literal (POSIX 2.13).
//!
//! Pure functions over text and the file system. The work is bounded by
//! [`limits::PATTERN_STEPS`], because patterns with many stars take long to fail.

use devnet_virtual_file_system::NodeKind;

use crate::context::Files;
use crate::limits;

/// Matches against one pattern with a bound on the work of all.
pub(super) struct Matcher {
    pattern: Vec<char>,
    steps: usize,
}

impl Matcher {
    pub(super) fn new(pattern: &str) -> Self {
        Self { pattern: pattern.chars().collect(), steps: limits::PATTERN_STEPS }
    }

    /// True if the pattern matches the whole text.
    pub(super) fn matches(&mut self, text: &[char]) -> Result<bool, String> {
        let (mut at, mut place) = (0_usize, 0_usize);
        // The last star, and the text that it takes so far.
        let mut star: Option<(usize, usize)> = None;
        loop {
            self.steps = self.steps.checked_sub(1).ok_or("the pattern takes too long")?;
            let character = text.get(at).copied();
            match (self.pattern.get(place), character) {
                (Some('*'), _) => {
                    place = place.saturating_add(1);
                    star = Some((place, at));
                    continue;
                }
                (None, None) => return Ok(true),
                (Some(_), Some(character)) => {
                    if let Some(next) = self.one(place, character) {
                        place = next;
                        at = at.saturating_add(1);
                        continue;
                    }
                }
                _ => {}
            }
            match star {
                Some((after, taken)) if taken < text.len() => {
                    let taken = taken.saturating_add(1);
                    star = Some((after, taken));
                    (place, at) = (after, taken);
                }
                _ => return Ok(false),
            }
        }
    }

    /// Matches one character; returns the place behind what matched.
    fn one(&mut self, place: usize, character: char) -> Option<usize> {
        let next = place.saturating_add(1);
        match self.pattern.get(place)? {
            '?' => Some(next),
            '[' => match self.bracket(next, character) {
                Some((end, found)) => found.then_some(end),
                None => (character == '[').then_some(next),
            },
            '\\' => {
                let literal = self.pattern.get(next).copied().unwrap_or('\\');
                (literal == character).then_some(next.saturating_add(1))
            }
            literal => (*literal == character).then_some(next),
        }
    }

    /// Matches the bracket expression that starts at `place`; `None` if it has no end.
    fn bracket(&mut self, place: usize, character: char) -> Option<(usize, bool)> {
        let mut at = place;
        let negated = matches!(self.pattern.get(at), Some('!' | '^'));
        at = at.saturating_add(usize::from(negated));
        let (mut found, mut first) = (false, true);
        loop {
            self.steps = self.steps.saturating_sub(1);
            let mut low = *self.pattern.get(at)?;
            at = at.saturating_add(1);
            if low == ']' && !first {
                return Some((at, found != negated));
            }
            first = false;
            if low == '[' && self.pattern.get(at) == Some(&':') {
                let name: String = self
                    .pattern
                    .get(at.saturating_add(1)..)?
                    .iter()
                    .take_while(|character| character.is_ascii_lowercase())
                    .collect();
                let end = at.saturating_add(1).saturating_add(name.len());
                if self.pattern.get(end..end.saturating_add(2)) == Some(&[':', ']']) {
                    found |= is_of_class(&name, character);
                    at = end.saturating_add(2);
                    continue;
                }
            }
            if low == '\\' {
                low = *self.pattern.get(at)?;
                at = at.saturating_add(1);
            }
            let mut high = low;
            if self.pattern.get(at) == Some(&'-')
                && self.pattern.get(at.saturating_add(1)).is_some_and(|next| *next != ']')
            {
                at = at.saturating_add(1);
                if self.pattern.get(at) == Some(&'\\') {
                    at = at.saturating_add(1);
                }
                high = *self.pattern.get(at)?;
                at = at.saturating_add(1);
            }
            found |= (low..=high).contains(&character);
        }
    }
}

fn is_of_class(name: &str, character: char) -> bool {
    match name {
        "alpha" => character.is_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_alphanumeric(),
        "upper" => character.is_uppercase(),
        "lower" => character.is_lowercase(),
        "space" => character.is_whitespace(),
        "blank" => matches!(character, ' ' | '\t'),
        "punct" => character.is_ascii_punctuation(),
        "cntrl" => character.is_control(),
        "xdigit" => character.is_ascii_hexdigit(),
        "print" => !character.is_control(),
        "graph" => !character.is_control() && !character.is_whitespace(),
        _ => false,
    }
}

/// What is left of `text` without the start or the end that matches.
pub(super) fn remove(
    text: &str,
    pattern: &str,
    suffix: bool,
    longest: bool,
) -> Result<String, String> {
    let characters: Vec<char> = text.chars().collect();
    let mut matcher = Matcher::new(pattern);
    let count = characters.len();
    for index in 0..=count {
        // The length of the part that is tried.
        let length = if longest { count.saturating_sub(index) } else { index };
        let at = if suffix { count.saturating_sub(length) } else { length };
        let (head, tail) = characters.split_at_checked(at).unwrap_or((&characters, &[]));
        let (part, left) = if suffix { (tail, head) } else { (head, tail) };
        if matcher.matches(part)? {
            return Ok(left.iter().collect());
        }
    }
    Ok(text.to_owned())
}

/// The names of files that the pattern matches, sorted; a leading dot must be named.
pub(super) fn paths(files: &Files, pattern: &str) -> Result<Vec<String>, String> {
    let mut found = vec![String::new()];
    let mut parts = pattern.split('/').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let mut matcher = Matcher::new(part);
        let mut next = Vec::new();
        for base in found {
            let base = if first { base } else { base + "/" };
            if !part.contains(['*', '?', '[']) {
                let path = base + &part.replace('\\', "");
                if part.is_empty() || !is_last || files.stat(&path).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let directory = if base.is_empty() { "." } else { base.as_str() };
            for entry in files.list(directory).unwrap_or_default() {
                let name: Vec<char> = entry.name.chars().collect();
                let hidden = entry.name.starts_with('.') && !part.starts_with(['.', '\\']);
                let fits = is_last || entry.kind == NodeKind::Directory;
                if fits && !hidden && matcher.matches(&name)? {
                    next.push(format!("{base}{}", entry.name));
                }
                if next.len() > limits::ARGUMENTS {
                    return Err(String::from("the pattern matches too many files"));
                }
            }
        }
        found = next;
        first = false;
    }
    found.retain(|path| files.stat(path).is_ok());
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Matcher::new(pattern).matches(&text.chars().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("a*c", "abbc"),
            ("*.sh", "x.sh"),
            ("?b[!a-c]", "ab-"),
            ("[]]", "]"),
            ("[a-]", "-"),
            ("\\*", "*"),
            ("[[:digit:]]*", "9x"),
            ("[", "["),
            ("[ab", "[ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", "ab"), ("\\*", "x"), ("[!a]", "a"), ("?", ""), ("a*b", "abc")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn the_work_is_bounded() {
        let text: Vec<char> = "a".repeat(1 << 20).chars().collect();
        let pattern = "*".to_owned() + &"a".repeat(1 << 10) + "b";
        assert!(Matcher::new(&pattern).matches(&text).is_err());
    }
}
