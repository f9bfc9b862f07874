//! Which module of a crate imports which, read from its source.
//!
//! Documentation links and tests do not count. A module is a file; `mod.rs` and `lib.rs` are the
//! page of their folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemUse, Macro, UseName, UseRename, UseTree};

/// A module by its path from the crate's root; empty for the root.
pub(crate) type Module = Vec<String>;

/// What each module of a crate imports from others of the same crate.
pub(crate) type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// Reads the modules of the crate whose sources lie in `source`.
pub(crate) fn of_crate(source: &Path, files: &[(std::path::PathBuf, String)]) -> Imports {
    let mut parsed = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with(source)) {
        let relative = path.strip_prefix(source).expect("inside").with_extension("");
        let mut module: Module =
            relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        parsed.insert(module, file);
    }
    let known: BTreeSet<Module> = parsed.keys().cloned().collect();
    let mut imports = Imports::new();
    for (module, file) in parsed {
        let mut reader = Reader { module: module.clone(), known: &known, found: BTreeSet::new() };
        reader.visit_file(&file);
        reader.found.remove(&module);
        imports.insert(module, reader.found);
    }
    imports
}

struct Reader<'a> {
    module: Module,
    known: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Reader<'_> {
    /// Adds what a path that begins with `crate`, `self` or `super` leads to.
    fn add(&mut self, path: &[String]) {
        let mut base = self.module.clone();
        let rest = match path.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                path.get(1..)
            }
            Some("self") => path.get(1..),
            Some("super") => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                base.truncate(base.len().saturating_sub(ups));
                path.get(ups..)
            }
            _ => return,
        };
        base.extend(rest.unwrap_or_default().iter().cloned());
        while !self.known.contains(&base) && !base.is_empty() {
            base.pop();
        }
        self.found.insert(base);
    }

    fn add_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before));
            }
            UseTree::Name(UseName { ident }) | UseTree::Rename(UseRename { ident, .. }) => {
                self.add(&[before.as_slice(), &[ident.to_string()]].concat());
            }
            UseTree::Glob(_) => self.add(before),
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            other => return other.path().is_ident("test"),
        };
        attribute.path().is_ident("cfg") && text == "test"
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    /// `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&parts);
        visit::visit_path(self, path);
    }

    /// What a macro is given is not parsed; paths in it are found as text.
    fn visit_macro(&mut self, item: &'ast Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::").replace(":: ", "::");
        for word in text.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)))
        {
            let parts: Vec<String> = word.split("::").map(String::from).collect();
            if parts.len() > 1 {
                self.add(&parts);
            }
        }
        visit::visit_macro(self, item);
    }
}

/// The modules that import each other, directly or through others: none if there is no circle.
pub(crate) fn circle<T: Ord + Clone>(arrows: &BTreeMap<T, BTreeSet<T>>) -> Vec<T> {
    let mut left = arrows.clone();
    loop {
        // Whoever imports only what is gone is on no circle.
        let done: Vec<T> = left
            .iter()
            .filter(|(_, targets)| !targets.iter().any(|target| left.contains_key(target)))
            .map(|(module, _)| module.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        done.iter().for_each(|module| {
            left.remove(module);
        });
    }
    // What is left imports a circle or is on one: keep who is imported by others that are left.
    loop {
        let imported: BTreeSet<T> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, _| imported.contains(module));
        if left.len() == before {
            return left.into_keys().collect();
        }
    }
}
