//! `sbom.cdx.json`: what the program `devnet` is made of, as a CycloneDX 1.5 bill of materials.
//!
//! Made from `cargo metadata` and the sums of `Cargo.lock`, without time or chance, so that it
//! changes only with them. Features that only tests ask for count too: it may name more than the
//! program links, never less.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::tree::root;

/// The package of the program, and the target that it is listed for.
const PROGRAM: &str = "devnet-shell-commands";
const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) fn path() -> PathBuf {
    root().join("sbom.cdx.json")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// The address of a package (package-url).
fn address(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version").replace('+', "%2B"))
}

/// The SHA-256 of each package of the lock file, by its name and version.
fn sums() -> BTreeMap<(String, String), String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let entries = lock.split("[[package]]").skip(1).filter_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
        };
        Some(((field("name")?, field("version")?), field("checksum")?))
    });
    entries.collect()
}

fn component(package: &Value, kind: &str, sums: &BTreeMap<(String, String), String>) -> Value {
    // Before SPDX expressions, a slash was the word for "or".
    let license = text(package, "license").replace(" / ", "/").replace('/', " OR ");
    let mut component = json!({
        "type": kind,
        "bom-ref": address(package),
        "name": text(package, "name"),
        "version": text(package, "version"),
        "licenses": [{ "expression": license }],
        "purl": address(package),
    });
    let key = (text(package, "name").to_owned(), text(package, "version").to_owned());
    if let Some(sum) = sums.get(&key) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

/// The whole bill.
pub(crate) fn page() -> String {
    let metadata = cargo(&["metadata", "--format-version", "1", "--filter-platform", TARGET]);
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata");
    let packages: BTreeMap<&str, &Value> =
        list(&metadata, "packages").iter().map(|package| (text(package, "id"), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"], "nodes").iter().map(|node| (text(node, "id"), node)).collect();
    // What is needed to build it and to run it, not to test it.
    let needs = |id: &str| -> BTreeSet<&str> {
        list(nodes[id], "deps")
            .iter()
            .filter(|dependency| {
                list(dependency, "dep_kinds").iter().any(|kind| kind["kind"] != "dev")
            })
            .map(|dependency| text(dependency, "pkg"))
            .collect()
    };
    let program = packages.iter().find(|(_, package)| text(package, "name") == PROGRAM);
    let (program, described) = program.expect("the program");
    let (mut open, mut reached) = (vec![*program], BTreeSet::new());
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(needs(id));
        }
    }
    let sums = sums();
    let parts = reached.iter().filter(|id| *id != program);
    let mut components: Vec<Value> =
        parts.map(|id| component(packages[id], "library", &sums)).collect();
    components.sort_by(|one, other| text(one, "purl").cmp(text(other, "purl")));
    let dependencies: BTreeMap<String, BTreeSet<String>> = reached
        .iter()
        .map(|id| {
            (address(packages[id]), needs(id).iter().map(|id| address(packages[id])).collect())
        })
        .collect();
    let dependencies: Vec<Value> =
        dependencies.iter().map(|(from, to)| json!({ "ref": from, "dependsOn": to })).collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": component(described, "application", &sums) },
        "components": components,
        "dependencies": dependencies,
    });
    serde_json::to_string_pretty(&bill).expect("JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_of_materials_is_current() {
        let written = std::fs::read_to_string(path()).unwrap_or_default();
        assert!(written == page(), "renew it: cargo run -p devnet-tests --bin documents");
    }

    #[test]
    fn the_bill_of_materials_is_complete_and_consistent() {
        let bill: Value = serde_json::from_str(&page()).unwrap();
        let components = list(&bill, "components");
        let known: BTreeSet<&str> = components
            .iter()
            .chain([&bill["metadata"]["component"]])
            .map(|component| text(component, "bom-ref"))
            .collect();
        assert_eq!(known.len(), components.len() + 1, "references are unique");
        // What cargo itself lists, by another way.
        let tree = ["tree", "--package", PROGRAM, "--edges", "normal,build", "--prefix", "none"];
        let tree = cargo(&[&tree[..], &["--target", TARGET, "--format", "{p}"]].concat());
        for line in tree.lines() {
            let mut words = line.split_whitespace();
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let address = format!("pkg:cargo/{name}@{}", version.trim_start_matches('v'));
            assert!(known.contains(&address.replace('+', "%2B")[..]), "{line}");
        }
        for dependency in list(&bill, "dependencies") {
            let to = list(dependency, "dependsOn").iter().map(|to| to.as_str().unwrap());
            for address in to.chain([text(dependency, "ref")]) {
                assert!(known.contains(address), "{address}");
            }
        }
        for component in components {
            let is_ours = text(component, "name").starts_with("devnet-");
            assert!(is_ours || component["hashes"][0]["content"].is_string(), "{component}");
            assert!(!text(&component["licenses"][0], "expression").contains('/'), "{component}");
        }
    }
}
