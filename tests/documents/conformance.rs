//! `network/TCP_CONFORMANCE.md` has a table for each RFC: every row has a test that exists, or a
//! reason why there is none.
//!
//! A test is a code span: `segments: folder/name`, `scenarios: file::function` or
//! `network: module::function`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::tree::root;

/// The rows of all tables, cell by cell.
fn rows(page: &str) -> Vec<Vec<&str>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .filter(|cells| cells[0] != "clause")
        .collect()
}

/// The tests that a cell names.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    let spans = cell.split('`').skip(1).step_by(2);
    spans.filter_map(|span| span.split_once(": ")).collect()
}

/// Whether one of these files defines a test of that name.
fn is_defined(files: &[PathBuf], function: &str) -> bool {
    let definition = format!("fn {function}(");
    files.iter().filter_map(|path| fs::read_to_string(path).ok()).any(|source| {
        source.match_indices(&definition).any(|(at, _)| {
            let before = source[..at].lines().rev().find(|line| !line.trim().is_empty());
            before.is_some_and(|line| line.trim() == "#[test]")
        })
    })
}

/// Why a named test does not exist.
fn fault(kind: &str, name: &str) -> Option<String> {
    let exists = match kind {
        "segments" => root().join(format!("tests/segments/scripts/{name}.script")).is_file(),
        "scenarios" | "network" => {
            let Some((module, function)) = name.rsplit_once("::") else {
                return Some(format!("{name} is no path of a function"));
            };
            let folder = if kind == "network" { "network/src" } else { "tests/scenarios" };
            let place = root().join(folder).join(module.replace("::", "/"));
            is_defined(&[place.with_extension("rs"), place.join("mod.rs")], function)
        }
        _ => return Some(format!("{kind} is no kind of tests")),
    };
    (!exists).then(|| format!("there is no {kind}: {name}"))
}

fn page() -> String {
    fs::read_to_string(root().join("network/TCP_CONFORMANCE.md")).expect("the page")
}

#[test]
fn every_test_of_the_tables_exists() {
    let page = page();
    let rows = rows(&page);
    assert!(rows.len() > 200, "only {} rows", rows.len());
    let named = rows.iter().flat_map(|cells| tests(cells[cells.len() - 1]));
    let faults: Vec<_> = named.filter_map(|(kind, name)| fault(kind, name)).collect();
    assert!(faults.is_empty(), "network/TCP_CONFORMANCE.md names what is not there: {faults:#?}");
}

#[test]
fn every_row_has_a_test_or_a_reason() {
    let levels = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "–"];
    let page = page();
    for cells in rows(&page) {
        let [clause, level, summary, test] = cells[..] else { panic!("four cells: {cells:?}") };
        assert!(levels.contains(&level), "{clause}: {level} is no level");
        assert!(!summary.is_empty(), "{clause} says nothing");
        let is_reason = test.split_whitespace().count() > 1;
        assert!(!tests(test).is_empty() || is_reason, "{clause} has neither test nor reason");
    }
}

#[test]
fn every_must_and_should_of_rfc_9293_has_a_row() {
    let page = page();
    let clauses: BTreeSet<_> = rows(&page).into_iter().map(|cells| cells[0].to_owned()).collect();
    let musts = (1..=69).map(|number| format!("MUST-{number}"));
    let shoulds = (1..=31).map(|number| format!("SHLD-{number}"));
    let missing: Vec<_> = musts.chain(shoulds).filter(|id| !clauses.contains(id)).collect();
    assert!(missing.is_empty(), "network/TCP_CONFORMANCE.md lacks {missing:?}");
}

#[test]
fn faults_of_the_tables_are_found() {
    let here = "no_such_test";
    assert_eq!(rows("| clause | b |\n|---|---|\n| a | b |\ntext\n"), [["a", "b"]]);
    assert_eq!(
        tests("`segments: a/b`, `kind: c::d`. Why: `plain`"),
        [("segments", "a/b"), ("kind", "c::d")]
    );
    assert_eq!(fault("segments", "basic/passive-open"), None);
    assert!(fault("segments", here).is_some());
    assert!(fault("network", &format!("stack::tcp::machine::{here}")).is_some());
    // A function that is no test.
    assert!(fault("network", "stack::tcp::machine::next_state").is_some());
    assert_eq!(fault("network", "stack::tcp::machine::a_reset_closes_every_state"), None);
    assert!(fault("other", "a::b").is_some());
}
