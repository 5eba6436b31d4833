//! The walls between the modules, held by reading the sources.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("a folder");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push((name(&root, &path), code(&path)));
            }
        }
    }
    assert!(sources.len() > 15, "the sources were found");
    sources
}

fn name(root: &Path, path: &Path) -> String {
    let relative: PathBuf = path.strip_prefix(root).expect("below the root").into();
    relative.to_string_lossy().into_owned()
}

/// A file without its comments and its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_pure_crate_depends_on_nothing_that_talks_or_waits() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/core/Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("a manifest");
    let names = section(&manifest, "[dependencies]").into_iter().filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && !name.starts_with('#')).collect();
    let allowed = [
        "base64",
        "maud",
        "percent-encoding",
        "regex-lite",
        "schemars",
        "serde",
        "serde_json",
        "serde_json_canonicalizer",
        "sha2",
        "textwrap",
        "time",
    ];
    assert_eq!(names, allowed);
    for (name, code) in sources("crates/core/src") {
        for word in ["SystemTime::now", "Instant::now", "std::env", "std::fs", "std::net", "std::thread", "async "] {
            assert!(!code.contains(word), "crates/core/src/{name} is pure and must not contain `{word}`");
        }
    }
}

#[test]
fn each_sdk_crate_is_named_in_one_place() {
    for (sdk, home) in [
        ("aws_sdk_macie2", "collect/"),
        ("aws_sdk_organizations", "collect/roster.rs"),
        ("aws_sdk_sns", "outlets/sns.rs"),
        ("aws_sdk_account", "collect/targets.rs"),
        ("aws_sdk_sts", "client/"),
        ("aws_smithy_runtime::", "store.rs"),
        ("lambda_runtime", ""),
    ] {
        for (name, code) in sources("src") {
            let at_home = match sdk {
                "lambda_runtime" => ["main.rs", "handler.rs", "error.rs"].contains(&name.as_str()),
                _ => name.starts_with(home),
            };
            assert!(at_home || !code.contains(sdk), "src/{name} names {sdk}, which belongs elsewhere");
        }
    }
}

/// Lints are inherited only where a manifest says so. One that forgets it may hold unsafe code.
#[test]
fn every_crate_forbids_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = |folder: &str| {
        let path = root.join(folder).join("Cargo.toml");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let workspace = manifest("");
    assert!(section(&workspace, "[workspace.lints.rust]").contains(&"unsafe_code = \"forbid\""));
    let members = section(&workspace, "[workspace]").into_iter().find_map(|line| line.strip_prefix("members = "));
    let members: Vec<&str> = members.expect("a list of members on one line").split('"').skip(1).step_by(2).collect();
    assert!(members.len() > 1, "{members:?}");
    for member in members.into_iter().chain([""]) {
        assert!(section(&manifest(member), "[lints]").contains(&"workspace = true"), "{member}/Cargo.toml");
    }
}

/// The lines of a section of a manifest.
fn section<'a>(manifest: &'a str, header: &str) -> Vec<&'a str> {
    let lines = manifest.lines().map(str::trim);
    lines.skip_while(|line| *line != header).skip(1).take_while(|line| !line.starts_with('[')).collect()
}
