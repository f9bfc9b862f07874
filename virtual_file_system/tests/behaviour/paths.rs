//! Paths are normalised, and cannot escape.

use devnet_virtual_file_system::{Error, Path};

use crate::support::path;

#[test]
fn parents_of_the_root_are_the_root() {
    assert_eq!(path("/devices/network/../../../etc/passwd").as_str(), "/etc/passwd");
}

#[test]
fn hostile_paths_are_normalised() {
    for (text, normal) in [
        ("/..", "/"),
        ("/../../../..", "/"),
        ("//", "/"),
        ("/./.././/", "/"),
        ("/a/b/../../../c", "/c"),
        ("/a//b///c/", "/a/b/c"),
        ("/a/./b/.", "/a/b"),
        ("/a/...", "/a/..."),
        ("/a/..b/.c", "/a/..b/.c"),
        ("/a/b/..", "/a"),
        ("/ä/..", "/"),
        ("/a\\..\\b", "/a\\..\\b"),
        ("/%2e%2e/x", "/%2e%2e/x"),
    ] {
        assert_eq!(path(text).as_str(), normal, "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    for text in [
        "",
        "etc",
        "./etc",
        "../etc",
        "/a\0b",
        "/a\nb",
        "/\x1b[31m",
        "/a\u{7f}",
        "/a\u{85}b",
        "/..\0/x",
    ] {
        assert_eq!(Path::parse(text), Err(Error::InvalidInput), "{text:?}");
    }
}

#[test]
fn relative_paths_start_at_the_directory() {
    let directory = path("/devices/network");
    for (text, normal) in [
        ("eth0", "/devices/network/eth0"),
        (".", "/devices/network"),
        ("..", "/devices"),
        ("../../../../etc", "/etc"),
        ("../sockets/", "/devices/sockets"),
        ("/etc", "/etc"),
    ] {
        assert_eq!(directory.resolve(text).unwrap().as_str(), normal, "{text}");
    }
    assert_eq!(Path::root().resolve("etc").unwrap().as_str(), "/etc");
    assert_eq!(directory.resolve(""), Err(Error::NotFound));
}

#[test]
fn a_path_comes_apart() {
    let file = path("/devices/network/eth0");
    assert_eq!(file.components().collect::<Vec<_>>(), ["devices", "network", "eth0"]);
    assert_eq!(file.file_name(), Some("eth0"));
    assert_eq!(file.parent(), Some(path("/devices/network")));
    assert_eq!(path("/devices").parent(), Some(Path::root()));
    assert_eq!(Path::root().parent(), None);
    assert_eq!(Path::root().file_name(), None);
    assert_eq!(Path::root().components().count(), 0);
    assert_eq!(file.to_string(), "/devices/network/eth0");
}

#[test]
fn joining_takes_one_plain_name() {
    assert_eq!(Path::root().join("a").unwrap().join("b").unwrap().as_str(), "/a/b");
    for name in ["", ".", "..", "a/b", "/", "a\0"] {
        assert_eq!(path("/a").join(name), Err(Error::InvalidInput), "{name:?}");
    }
}

#[test]
fn below_means_below() {
    assert!(path("/a/b").is_below(&path("/a")));
    assert!(path("/a").is_below(&Path::root()));
    assert!(!path("/ab").is_below(&path("/a")));
    assert!(!path("/a").is_below(&path("/a")));
    assert!(!path("/a").is_below(&path("/a/b")));
    assert!(!Path::root().is_below(&Path::root()));
}
