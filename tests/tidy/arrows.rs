//! Imports go one way: the table of allowed arrows beside this file, and no circles.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::imports::{self, Imports, Module};
use super::{CRATES, is_test, product_sources, root};

const TABLE: &str = include_str!("arrows.txt");

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The imports of every crate.
fn imports_of_crates() -> impl Iterator<Item = (&'static str, Imports)> {
    let files: Vec<(PathBuf, String)> =
        product_sources().into_iter().filter(|(path, _)| !is_test(path)).collect();
    CRATES
        .into_iter()
        .map(move |name| (name, imports::of_crate(&root().join(name).join("src"), &files)))
}

/// The line of the table that a module belongs to: the file or folder in `src`, and of the
/// network's stack the file or folder in `src/stack`. The crate's own page imports everything.
fn unit(module: &Module) -> Option<String> {
    match module.as_slice() {
        [] => None,
        [stack, part, ..] if stack == "stack" => Some(format!("{stack}::{part}")),
        [first, ..] => Some(first.clone()),
    }
}

fn units(imports: &Imports) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, targets) in imports {
        let Some(from) = unit(module) else { continue };
        let targets = targets.iter().filter_map(unit).filter(|to| *to != from);
        arrows.entry(from.clone()).or_default().extend(targets);
    }
    arrows
}

/// The table: `[crate]`, then `module: what it may import`; a line goes on with an indented one.
fn table() -> BTreeMap<String, Arrows> {
    let mut tables = BTreeMap::new();
    let mut current = String::new();
    let joined = TABLE.replace("\n  ", " ");
    for line in joined.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            current = name.to_owned();
            tables.insert(current.clone(), Arrows::new());
            continue;
        }
        let (module, targets) = match line.split_once(": ") {
            Some(parts) => parts,
            None => (line.strip_suffix(':').expect("module: what it may import"), ""),
        };
        let targets = targets.split_whitespace().map(str::to_owned).collect();
        tables.get_mut(&current).expect("a crate first").insert(module.to_owned(), targets);
    }
    tables
}

fn differences(found: &Arrows, allowed: &Arrows) -> Vec<String> {
    let pairs = |arrows: &Arrows| -> BTreeSet<(String, String)> {
        let pair = |(from, to): (&String, &String)| (from.clone(), to.clone());
        arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| pair((from, to)))).collect()
    };
    let (found_pairs, allowed_pairs) = (pairs(found), pairs(allowed));
    let forbidden = found_pairs
        .difference(&allowed_pairs)
        .map(|(from, to)| format!("{from} imports {to}, which the table does not allow"));
    let stale = allowed_pairs
        .difference(&found_pairs)
        .map(|(from, to)| format!("{from} does not import {to} any more"));
    let new = found
        .keys()
        .filter(|module| !allowed.contains_key(*module))
        .map(|module| format!("{module} is not in the table"));
    forbidden.chain(stale).chain(new).collect()
}

#[test]
fn modules_import_what_the_table_allows_and_the_table_has_no_circles() {
    let tables = table();
    for (name, imports) in imports_of_crates() {
        let allowed = tables.get(name).unwrap_or_else(|| panic!("{name} has no table"));
        let found = units(&imports);
        let wrong = differences(&found, allowed);
        assert!(wrong.is_empty(), "{name}: {wrong:#?}\nthe table would be:\n{}", written(&found));
        let circle = imports::circle(allowed);
        assert!(circle.is_empty(), "{name}: the table has a circle: {circle:?}");
    }
}

fn written(arrows: &Arrows) -> String {
    let line = |(module, targets): (&String, &BTreeSet<String>)| {
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        format!("{module}: {}\n", targets.join(" "))
    };
    arrows.iter().map(line).collect()
}

#[test]
fn no_two_files_import_each_other_except_a_folder_and_its_own() {
    for (name, mut imports) in imports_of_crates() {
        for (module, targets) in &mut imports {
            // A file sees what its folder's page declares.
            targets.retain(|target| !module.starts_with(target));
        }
        let circle = imports::circle(&imports);
        assert!(circle.is_empty(), "{name}: {circle:#?}");
    }
}

#[test]
fn a_forbidden_import_is_found() {
    let files = [
        ("/c/src/lib.rs", "mod low; mod high;"),
        ("/c/src/low.rs", "//! [`crate::high`]\nuse crate::high::{Thing as Other, self};"),
        ("/c/src/high.rs", "fn f() { super::low::g(vec![crate::low::h()]) }"),
        ("/c/src/tested.rs", "#[cfg(test)] mod tests { use crate::high::Thing; }"),
    ];
    let files: Vec<(PathBuf, String)> =
        files.into_iter().map(|(path, text)| (path.into(), text.to_owned())).collect();
    let found = units(&imports::of_crate("/c/src".as_ref(), &files));
    let allowed: Arrows = [("high", &["low"][..]), ("low", &[]), ("tested", &[])]
        .into_iter()
        .map(|(from, to)| (from.to_owned(), to.iter().map(|to| (*to).to_owned()).collect()))
        .collect();
    assert_eq!(differences(&found, &allowed), ["low imports high, which the table does not allow"]);
    assert_eq!(imports::circle(&found), ["high", "low"]);
}
