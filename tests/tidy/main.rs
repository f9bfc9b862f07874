//! Rules about the tree that no compiler checks.

mod arrows;
mod imports;
mod names;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of the product.
const CRATES: [&str; 6] =
    ["virtual_file_system", "commands", "network", "drivers", "guest_programs", "shell_commands"];
/// Lines of a page of product code.
const PAGE: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != ".git") {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn product_sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    for member in CRATES {
        sources(&root().join(member).join("src"), &mut paths);
    }
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// The text before the file's own tests.
fn product_text(text: &str) -> &str {
    &text[..text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len())]
}

fn product_lines(text: &str) -> Vec<&str> {
    product_text(text).lines().collect()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("test"))
}

#[test]
fn product_files_are_pages() {
    let long: Vec<_> = product_sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .filter_map(|(path, text)| {
            Some((path, product_lines(&text).len())).filter(|(_, lines)| *lines > PAGE)
        })
        .collect();
    assert!(long.is_empty(), "more than {PAGE} lines of product code: {long:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<_> = product_sources()
        .into_iter()
        .filter(|(path, text)| !is_test(path) && !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "no module header: {silent:#?}");
}

#[test]
fn there_is_no_global_state() {
    let guilty: Vec<_> = product_sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .filter(|(_, text)| {
            product_lines(text).iter().any(|line| {
                let line = line.trim_start();
                let is_static = line.starts_with("static ")
                    || line.starts_with("pub static ")
                    || line.starts_with("pub(crate) static ");
                is_static
                    && ["Mutex", "Atomic", "Cell", "Lock", "static mut"]
                        .iter()
                        .any(|word| line.contains(word))
                    || line.starts_with("static mut ")
                    || line.contains("fn get_instance")
            })
        })
        .map(|(path, _)| path)
        .collect();
    assert!(guilty.is_empty(), "{guilty:#?}");
}

#[test]
fn dependencies_go_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output();
    let output = output.expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let allowed: &[(&str, &[&str])] = &[
        ("devnet-virtual-file-system", &[]),
        ("devnet-commands", &["devnet-virtual-file-system"]),
        ("devnet-network", &["devnet-commands", "devnet-virtual-file-system"]),
        ("devnet-drivers", &["devnet-network", "devnet-virtual-file-system"]),
        ("devnet-guest-programs", &["devnet-network", "devnet-virtual-file-system"]),
        (
            "devnet-shell-commands",
            &[
                "devnet-drivers",
                "devnet-guest-programs",
                "devnet-network",
                "devnet-virtual-file-system",
            ],
        ),
    ];
    for (name, expected) in allowed {
        let packages = metadata["packages"].as_array().expect("packages");
        let package = packages
            .iter()
            .find(|package| package["name"] == *name)
            .unwrap_or_else(|| panic!("{name} is gone"));
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        let ours: Vec<_> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| name.starts_with("devnet-"))
            .collect();
        for dependency in &ours {
            assert!(expected.contains(dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn commands_use_no_back_door_and_the_file_system_knows_no_network() {
    for (path, text) in product_sources() {
        let shown = path.display().to_string();
        if shown.contains("shell_commands/src/commands")
            || shown.contains("shell_commands/src/shell")
        {
            for word in [
                "devnet_network::Manager",
                "devnet_network::manager",
                "devnet_network::Sockets",
                "devnet_network::TcpStream",
                "devnet_network::UdpSocket",
                "devnet_network::socket",
            ] {
                assert!(
                    is_test(&path) || !text.contains(word),
                    "{shown} uses {word}: a command reaches the network by files only"
                );
            }
        }
        if shown.contains("virtual_file_system/src") {
            assert!(
                !text.contains("smoltcp") && !text.contains("IpAddr"),
                "{shown} knows of networks"
            );
        }
        if shown.contains("shell_commands/src") {
            assert!(
                !text.contains("smoltcp"),
                "{shown}: smoltcp stays inside the network and the driver seam"
            );
        }
    }
}

#[test]
fn unsafe_code_stays_in_drivers() {
    for crate_root in [
        "virtual_file_system/src/lib.rs",
        "commands/src/lib.rs",
        "network/src/lib.rs",
        "guest_programs/src/lib.rs",
        "shell_commands/src/lib.rs",
    ] {
        let text = fs::read_to_string(root().join(crate_root)).expect("a crate");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{crate_root}");
    }
}

#[test]
fn every_limit_is_named_in_a_test_or_used() {
    let all: String = product_sources().into_iter().map(|(_, text)| text).collect();
    let read = |folder: &str| {
        fs::read_to_string(root().join(folder).join("src/limits.rs")).expect("limits")
    };
    let text = read("commands") + &read("network") + &read("guest_programs");
    for line in text.lines().filter(|line| line.starts_with("pub const ")) {
        let name = line.trim_start_matches("pub const ").split(':').next().expect("a name");
        assert!(all.contains(&format!("limits::{name}")), "{name} bounds nothing");
    }
}
