//! `ARCHITECTURE.md` names places in the sources, hop by hop: each must exist.
//!
//! A place is a code span such as `network/src/control/open.rs: write` or
//! `network/src/control/open.rs: OpenFile::execute`.

use std::fs;

use syn::{ImplItem, Item, TraitItem, Type};

use crate::tree::root;

/// The code spans of a page, each in one line; fenced blocks are left out.
fn spans(page: &str) -> Vec<String> {
    let text: String = page.split("```").step_by(2).collect();
    let is_outside_of_blocks = |line: &&str| !line.starts_with("    ");
    let text: Vec<_> = text.lines().filter(is_outside_of_blocks).collect();
    text.join(" ")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Every function that a file defines: bare, and with the type or trait that it belongs to.
fn functions(items: &[Item], into: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Fn(function) => into.push(function.sig.ident.to_string()),
            Item::Impl(block) => {
                let Type::Path(path) = &*block.self_ty else { continue };
                let owner = path.path.segments.last().map(|last| last.ident.to_string());
                for function in &block.items {
                    let ImplItem::Fn(function) = function else { continue };
                    add(owner.as_deref(), &function.sig.ident.to_string(), into);
                }
            }
            Item::Trait(block) => {
                let owner = block.ident.to_string();
                for function in &block.items {
                    let TraitItem::Fn(function) = function else { continue };
                    add(Some(&owner), &function.sig.ident.to_string(), into);
                }
            }
            Item::Mod(module) => {
                let inside = module.content.as_ref().map(|(_, items)| items.as_slice());
                functions(inside.unwrap_or_default(), into);
            }
            _ => {}
        }
    }
}

fn add(owner: Option<&str>, function: &str, into: &mut Vec<String>) {
    into.push(function.to_owned());
    into.extend(owner.map(|owner| format!("{owner}::{function}")));
}

/// Why a place does not exist.
fn fault(path: &str, function: &str) -> Option<String> {
    let Ok(source) = fs::read_to_string(root().join(path)) else {
        return Some(format!("there is no file {path}"));
    };
    let mut defined = Vec::new();
    functions(&syn::parse_file(&source).expect("Rust").items, &mut defined);
    let function = function.trim_end_matches("()");
    let is_defined = defined.iter().any(|known| known == function);
    (!is_defined).then(|| format!("{path} defines no function {function}"))
}

#[test]
fn every_place_of_the_architecture_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let places: Vec<_> = spans(&page)
        .into_iter()
        .filter_map(|span| {
            let (path, function) = span.split_once(": ")?;
            path.ends_with(".rs").then(|| (path.to_owned(), function.to_owned()))
        })
        .collect();
    assert!(!places.is_empty(), "ARCHITECTURE.md names no `path/file.rs: function`");
    let faults: Vec<_> =
        places.iter().filter_map(|(path, function)| fault(path, function)).collect();
    assert!(faults.is_empty(), "ARCHITECTURE.md names what is not there: {faults:#?}");
}

#[test]
fn places_are_found_and_their_faults_too() {
    let page = "Look at `a/b.rs: Open::read`, then at\n`c.rs:\nwrite`.\n```\n`d.rs: not`\n```\n";
    assert_eq!(spans(page), ["a/b.rs: Open::read", "c.rs: write"]);
    let here = "tests/documents/architecture.rs";
    assert_eq!(fault(here, "fault"), None);
    assert_eq!(fault(here, "fault()"), None);
    assert!(fault(here, "Type::fault").is_some());
    assert!(fault("tests/documents/nowhere.rs", "fault").is_some());
    assert_eq!(fault("network/src/control/open.rs", "OpenFile::request"), None);
}
