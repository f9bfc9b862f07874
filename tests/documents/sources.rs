//! Every Rust source of the repository.

use std::fs;
use std::path::Path;

use crate::tree::root;

fn collect(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, into);
            }
        } else if name.ends_with(".rs") {
            let shown = path.strip_prefix(root()).expect("inside").display().to_string();
            into.push((shown, fs::read_to_string(&path).expect("text")));
        }
    }
}

/// Path and text of each.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut all = Vec::new();
    collect(&root(), &mut all);
    all.sort();
    all
}
