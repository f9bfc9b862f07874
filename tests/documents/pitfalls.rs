//! The codes of pitfalls: those in the sources are explained in `network/PITFALLS.md`, and those in
//! there are used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::sources::sources;
use crate::tree::root;

/// What looks like a code and is none.
const OTHERS: [&str; 1] = ["EUI-64"];

/// The codes that have an entry.
fn explained() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("network/PITFALLS.md")).expect("the page");
    let entries: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .map(|(code, _)| code.to_owned())
        .collect();
    let all: BTreeSet<_> = entries.iter().cloned().collect();
    assert_eq!(all.len(), entries.len(), "two entries have the same code");
    all
}

/// Whether a text is a code such as `TCP-R-04` or `IP4-08`.
fn is_code(text: &str) -> bool {
    let Some((group, number)) = text.rsplit_once('-') else { return false };
    let is_number = number.len() == 2 && number.bytes().all(|digit| digit.is_ascii_digit());
    let is_group = match group.strip_prefix("TCP-") {
        Some(part) => part.len() == 1 && part.bytes().all(|letter| letter.is_ascii_uppercase()),
        None => {
            let letters = group.trim_end_matches(|letter: char| letter.is_ascii_digit());
            (2..=3).contains(&letters.len())
                && group.len() - letters.len() <= 1
                && letters.bytes().all(|letter| letter.is_ascii_uppercase())
        }
    };
    is_number && is_group
}

/// Codes in comments and strings, as in "(TCP-R-04)".
fn written(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .filter(|word| is_code(word) && !OTHERS.contains(word))
        .map(str::to_owned)
}

/// Codes in the name of a function, as in `tcp_r_04_a_fin_ends_the_stream`. A name that begins like
/// a code has one; further ones count if their group is known.
fn named(name: &str, groups: &BTreeSet<String>) -> Vec<String> {
    let words: Vec<_> = name.split('_').collect();
    (0..words.len())
        .filter_map(|start| {
            let length = if words[start] == "tcp" { 3 } else { 2 };
            let code = words.get(start..start + length)?.join("-").to_uppercase();
            let (group, _) = code.rsplit_once('-')?;
            Some(code.clone()).filter(|_| is_code(&code) && (start == 0 || groups.contains(group)))
        })
        .collect()
}

#[test]
fn every_code_is_explained_and_every_explanation_is_used() {
    let explained = explained();
    let groups: BTreeSet<_> = explained
        .iter()
        .filter_map(|code| code.rsplit_once('-'))
        .map(|(group, _)| group.to_owned())
        .collect();
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in sources() {
        let names = text.split("fn ").skip(1).map(|rest| {
            rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .next()
                .unwrap_or_default()
        });
        let codes = written(&text).chain(names.flat_map(|name| named(name, &groups)));
        used.extend(codes.map(|code| (code, path.clone())));
    }
    let unexplained: Vec<_> = used.iter().filter(|(code, _)| !explained.contains(*code)).collect();
    assert!(unexplained.is_empty(), "network/PITFALLS.md lacks {unexplained:#?}");
    let unused: Vec<_> = explained.iter().filter(|code| !used.contains_key(*code)).collect();
    assert!(unused.is_empty(), "no source uses what network/PITFALLS.md explains: {unused:#?}");
}

#[test]
fn codes_are_told_from_other_words() {
    for code in ["TCP-R-04", "NBR-15", "IP4-08", "MC-12"] {
        assert!(is_code(code), "{code}");
    }
    for other in ["MUST-15", "UTF-8", "RFC-9293", "SYN-SENT", "x-01", "-01"] {
        assert!(!is_code(other), "{other}");
    }
    let groups = ["SRC", "TCP-R"].map(str::to_owned).into();
    assert_eq!(named("src_02_and_src_03_are_refused", &groups), ["SRC-02", "SRC-03"]);
    assert_eq!(named("tcp_r_04_a_fin", &groups), ["TCP-R-04"]);
    assert_eq!(named("a_backlog_of_64_takes_64", &groups), [""; 0]);
}
