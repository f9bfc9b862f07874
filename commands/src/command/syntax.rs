//! Compares a line with the grammar, to find the word with which it leaves it.
//!
//! Called for lines that [`text`](super::text) refused, so it may cost something. A line is
//! compared with every form; the one that goes furthest is meant.

use alloc::vec;
use alloc::vec::Vec;

use super::{grammar, placeholder};

/// Where a line leaves the grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mismatch {
    /// The index of the first wrong word; the number of words if the line ends too early.
    pub(super) position: usize,
    /// What may stand there: words, and placeholders in upper case. Empty for the end of the line.
    pub(super) expected: Vec<&'static str>,
    /// The form of the line, if only one is meant.
    pub(super) form: Option<&'static str>,
}

/// Compares words with the grammar; `None` when they are a line of it.
pub(super) fn mismatch(words: &[&str]) -> Option<Mismatch> {
    let mut search = Search { words, ..Search::default() };
    let is_line = grammar::forms().any(|form| search.is_form(form.line));
    let Search { position, expected, forms, .. } = search;
    let form = if let [form] = forms.as_slice() { Some(*form) } else { None };
    (!is_line).then_some(Mismatch { position, expected, form })
}

/// A part of a form.
enum Part {
    Word(&'static str),
    Optional(Vec<Part>),
    Choice(Vec<Vec<Part>>),
    Repeated(alloc::boxed::Box<Part>),
}

const BRACKETS: [char; 5] = ['[', ']', '(', ')', '|'];

/// The words of a form, and its brackets.
fn tokens(form: &'static str) -> impl Iterator<Item = &'static str> {
    let pieces = form.split(' ').flat_map(|word| word.split_inclusive(BRACKETS));
    pieces
        .flat_map(|piece| piece.split_at_checked(piece.trim_end_matches(BRACKETS).len()))
        .flat_map(|(word, bracket)| [word, bracket])
        .filter(|token| !token.is_empty())
}

/// Reads parts up to a closing bracket or bar, and returns that.
fn sequence(tokens: &mut impl Iterator<Item = &'static str>) -> (Vec<Part>, &'static str) {
    let mut parts = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            "[" => parts.push(Part::Optional(sequence(tokens).0)),
            "(" => parts.push(choice(tokens)),
            "..." => {
                let repeated = parts.pop().map(|last| Part::Repeated(alloc::boxed::Box::new(last)));
                parts.extend(repeated);
            }
            "]" | ")" | "|" => return (parts, token),
            word => parts.push(Part::Word(word)),
        }
    }
    (parts, "")
}

fn choice(tokens: &mut impl Iterator<Item = &'static str>) -> Part {
    let mut choices = Vec::new();
    loop {
        let (parts, end) = sequence(tokens);
        choices.push(parts);
        if end != "|" {
            return Part::Choice(choices);
        }
    }
}

/// A comparison of words with forms: how far any came, and what each expected there.
#[derive(Default)]
struct Search<'a> {
    words: &'a [&'a str],
    position: usize,
    expected: Vec<&'static str>,
    forms: Vec<&'static str>,
    form: &'static str,
}

impl Search<'_> {
    /// True if the words are a line of this form.
    fn is_form(&mut self, form: &'static str) -> bool {
        self.form = form;
        let parts = sequence(&mut tokens(form)).0;
        let ends = self.sequence(&parts, 0);
        let length = self.words.len();
        ends.iter().filter(|end| **end < length).for_each(|end| self.miss(*end, None));
        ends.contains(&length)
    }

    /// Notes what this form expected at a position; nothing for the end of the line.
    fn miss(&mut self, position: usize, expected: Option<&'static str>) {
        if position > self.position {
            self.position = position;
            self.expected.clear();
            self.forms.clear();
        }
        if position == self.position {
            self.expected.extend(expected.filter(|word| !self.expected.contains(word)));
            if !self.forms.contains(&self.form) {
                self.forms.push(self.form);
            }
        }
    }

    /// The positions at which these parts may end that begin at a position.
    fn sequence(&mut self, parts: &[Part], start: usize) -> Vec<usize> {
        let (mut ends, mut rest) = (vec![start], parts);
        while let Some((first, others)) = rest.split_first() {
            let mut options: Vec<&[Part]> = Vec::new();
            if !matches!(first, Part::Optional(_)) {
                ends = ends.into_iter().flat_map(|at| self.part(first, at)).collect();
                rest = others;
            }
            while let Some((Part::Optional(inner), others)) = rest.split_first() {
                options.push(inner);
                rest = others;
            }
            ends = ends.into_iter().flat_map(|at| self.optional(&options, at)).collect();
            ends.sort_unstable();
            ends.dedup();
        }
        ends
    }

    /// Parts that may be left out, in any order.
    fn optional(&mut self, options: &[&[Part]], at: usize) -> Vec<usize> {
        let mut ends = vec![at];
        for (index, taken) in options.iter().enumerate() {
            let mut others = options.to_vec();
            others.remove(index);
            for end in self.sequence(taken, at) {
                ends.extend(self.optional(&others, end));
            }
        }
        ends
    }

    fn part(&mut self, part: &Part, at: usize) -> Vec<usize> {
        match part {
            Part::Word(expected) => {
                let word = self.words.get(at);
                if word.is_some_and(|word| accepts(expected, word)) {
                    return vec![at + 1];
                }
                self.miss(at, Some(expected));
                Vec::new()
            }
            Part::Optional(parts) => self.optional(&[parts], at),
            Part::Choice(choices) => {
                choices.iter().flat_map(|parts| self.sequence(parts, at)).collect()
            }
            Part::Repeated(part) => {
                let (mut all, mut ends) = (Vec::new(), self.part(part, at));
                while !ends.is_empty() {
                    all.extend_from_slice(&ends);
                    ends = ends.into_iter().flat_map(|end| self.part(part, end)).collect();
                }
                all
            }
        }
    }
}

fn accepts(expected: &str, word: &str) -> bool {
    match placeholder::find(expected) {
        Some(placeholder) => (placeholder.accepts)(word),
        None => expected == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(usize, Vec<&'static str>, Option<&'static str>)> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        mismatch(&words).map(|found| (found.position, found.expected, found.form))
    }

    #[test]
    fn the_first_wrong_word_is_found() {
        const ADD: &str = "address add PREFIX [broadcast IPV4]";
        const ROUTE: &str = "route (add | append) DESTINATION [via ADDRESS] [metric NUMBER] \
                             [interface INTERFACE]";
        for (line, expected) in [
            ("address add 10.0.0.1/24 broadcast 10.0.0.255", None),
            ("route add default metric 5 via 10.0.0.1", None),
            ("advertise fd00::/64 fd00::1 fd00::2 fd00::3", None),
            ("address add 1.2.3", Some((2, vec!["PREFIX"], Some(ADD)))),
            ("address add", Some((2, vec!["PREFIX"], Some(ADD)))),
            ("address add 1.2.3.4 brodcast", Some((3, vec!["broadcast"], Some(ADD)))),
            ("address", Some((1, vec!["add", "remove", "flush", "replace", "set"], None))),
            ("link up now", Some((2, vec![], Some("link (up | down)")))),
            ("route add default via", Some((4, vec!["ADDRESS"], Some(ROUTE)))),
            (
                "route add default via 1.2.3.4 via 1.2.3.4",
                Some((5, vec!["metric", "interface"], Some(ROUTE))),
            ),
            ("advertise x", Some((1, vec!["off", "PREFIX"], None))),
            ("watch link x", Some((2, vec!["KIND"], Some("watch [KIND ...]")))),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
        let (position, expected, form) = found("linkup").unwrap();
        assert_eq!((position, form), (0, None));
        assert!(expected.contains(&"link") && expected.contains(&"watch"));
    }
}
