//! The laws of ARCHITECTURE.md that can be read from the manifests and the sources, and the sizes of files and functions.
//!
//! `TWIN_BLESS=1` writes the table of dependencies; without it a table that differs fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARIES: [&str; 5] = ["twin-core", "twin-models", "twin-calibrate", "twin-trials", "twin-io"];

/// What each library may depend on within the workspace, and what only behind a feature.
const LAYERS: [(&str, &[&str], &[&str]); 5] = [
    ("twin-core", &[], &[]),
    ("twin-models", &["twin-core"], &[]),
    ("twin-calibrate", &["twin-core", "twin-models"], &[]),
    ("twin-trials", &["twin-core", "twin-models", "twin-calibrate"], &[]),
    ("twin-io", &["twin-core"], &["twin-models"]),
];

/// Crates whose names may stand in public signatures: linear algebra where it is the subject.
const PUBLIC: [&str; 1] = ["nalgebra"];

/// Where libraries touch files, and may read a clock.
const FILES: [&str; 2] = ["twin-io/src/", "twin-trials/src/batch"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).arg("--offline").current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--locked", "--all-features"])).unwrap()
}

fn package<'a>(metadata: &'a Value, name: &str) -> &'a Value {
    metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == name).unwrap()
}

fn list<'a>(value: &'a Value) -> impl Iterator<Item = &'a Value> {
    value.as_array().into_iter().flatten()
}

/// The files of Rust below `folder`, as paths from the root.
fn sources(folder: &str) -> Vec<String> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The lines of a file before its tests, without comments and with the insides of texts taken out.
fn code(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let mut in_text = false;
    let before_tests = text.lines().take_while(|line| *line != "#[cfg(test)]");
    before_tests.map(|line| without_texts(line, &mut in_text)).collect()
}

fn without_texts(line: &str, in_text: &mut bool) -> String {
    let (mut kept, mut letters) = (String::new(), line.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if *in_text => {
                letters.next();
            }
            '"' => *in_text = !*in_text,
            '\'' if !*in_text => {
                // A character, or a lifetime.
                let ahead: Vec<char> = letters.clone().take(3).collect();
                match ahead.as_slice() {
                    ['\\', ..] => {
                        while letters.next_if(|next| *next != '\'').is_some() || letters.next_if_eq(&'\'').is_none() {
                            if letters.peek().is_none() {
                                break;
                            }
                        }
                    }
                    [_, '\'', ..] => {
                        letters.nth(1);
                    }
                    _ => kept.push(letter),
                }
            }
            '/' if !*in_text && letters.peek() == Some(&'/') => break,
            _ if *in_text => {}
            _ => kept.push(letter),
        }
    }
    kept
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("fixture.rs")
}

fn library_sources() -> Vec<String> {
    LIBRARIES.iter().flat_map(|library| sources(&format!("{library}/src"))).filter(|path| !is_test(path)).collect()
}

#[test]
fn arrows_point_down_only() {
    let metadata = metadata();
    for (library, allowed, behind_a_feature) in LAYERS {
        for dependency in list(&package(&metadata, library)["dependencies"]) {
            let name = dependency["name"].as_str().unwrap();
            if name.starts_with("twin-") && dependency["kind"].is_null() {
                let optional = dependency["optional"].as_bool().unwrap();
                assert!(allowed.contains(&name) || optional && behind_a_feature.contains(&name), "{library} depends on {name}");
                assert_eq!(dependency["req"], "^0.1.0", "{library}: a dependency on {name} by path alone cannot be published");
            }
        }
    }
}

#[test]
fn there_is_one_linear_algebra_and_one_random() {
    for (name, count) in [("nalgebra", 1), ("rand", 1)] {
        let versions: BTreeSet<String> =
            LIBRARIES.iter().flat_map(|library| tree(library, true)).filter(|line| line.starts_with(&format!("{name} "))).collect();
        assert_eq!(versions.len(), count, "{versions:?}");
    }
}

/// The crates that `library` brings, itself among them, with default features or with all.
fn tree(library: &str, all: bool) -> BTreeSet<String> {
    let features: &[&str] = if all { &["--all-features"] } else { &[] };
    let base = ["tree", "-p", library, "-e", "normal", "--prefix", "none", "--locked", "--target", "x86_64-unknown-linux-gnu"];
    let text = cargo(&[base.as_slice(), features].concat());
    let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    text.lines().map(name).filter(|name| !name.is_empty()).collect()
}

fn table() -> String {
    let mut table =
        String::from("\n| crate | of this workspace | crates with default features | with all features |\n|---|---|---|---|\n");
    for (library, allowed, behind_a_feature) in LAYERS {
        let behind = behind_a_feature.iter().map(|name| format!("{name} (by feature)"));
        let below: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).chain(behind).collect();
        let below = if below.is_empty() { "–".to_owned() } else { below.join(", ") };
        table += &format!("| `{library}` | {below} | {} | {} |\n", tree(library, false).len(), tree(library, true).len());
    }
    let both: BTreeSet<_> = tree("twin-core", false).into_iter().chain(tree("twin-models", false)).collect();
    assert!(both.len() < 60, "twin-core and twin-models bring {} crates", both.len());
    table
        + &format!(
            "\n`twin-core` and `twin-models` together, with default features: {} crates, themselves among them.\n\n",
            both.len()
        )
}

#[test]
fn the_table_of_dependencies_is_that_of_the_manifests() {
    const BEGIN: &str = "<!-- dependencies -->\n";
    const END: &str = "<!-- /dependencies -->";
    let path = root().join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.lines().count() <= 150, "ARCHITECTURE.md has {} lines", page.lines().count());
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", table());
    if std::env::var_os("TWIN_BLESS").is_some() {
        std::fs::write(path, wanted).unwrap();
    } else {
        assert!(page == wanted, "the table of dependencies is out of date: TWIN_BLESS=1 writes it");
    }
}

/// What a public item shows of itself: for an enum its variants too, else all up to its body.
fn signatures(lines: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let item = line.trim_start();
        if !item.starts_with("pub ") || item.starts_with("pub mod") {
            continue;
        }
        let (mut text, mut depth) = (String::new(), 0_i32);
        let whole = item.starts_with("pub enum");
        'item: for line in &lines[place..] {
            for letter in line.chars() {
                match letter {
                    '{' if !whole && !item.starts_with("pub use") => break 'item,
                    ';' if depth == 0 => break 'item,
                    ',' if depth == 0 && !whole && item.contains(':') && !item.contains(" fn ") => break 'item,
                    '{' | '(' | '<' | '[' => depth += 1,
                    '}' | ')' | ']' => depth -= 1,
                    '>' if !text.ends_with(['-', '=']) => depth -= 1,
                    _ => {}
                }
                text.push(letter);
                if whole && letter == '}' && depth == 0 {
                    break 'item;
                }
            }
            text.push(' ');
        }
        found.push(text);
    }
    found
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect()
}

/// The names that a file takes from crates of others, and those crates.
fn foreign(lines: &[String], crates: &BTreeSet<String>) -> BTreeSet<String> {
    let text = lines.join(" ");
    let mut names = BTreeSet::new();
    for statement in text.split(';').map(str::trim).filter_map(|statement| statement.rsplit_once("use ").map(|(_, path)| path)) {
        let head = statement.split("::").next().unwrap_or_default().trim();
        if crates.contains(head) {
            let taken = words(statement).into_iter().filter(|word| word.starts_with(char::is_uppercase));
            names.extend(taken.map(str::to_owned));
            names.insert(head.to_owned());
        }
    }
    names.extend(crates.iter().cloned());
    names
}

#[test]
fn no_type_of_others_stands_in_a_public_signature() {
    let metadata = metadata();
    let mut found = Vec::new();
    for library in LIBRARIES {
        let crates: BTreeSet<String> = list(&package(&metadata, library)["dependencies"])
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().replace('-', "_"))
            .filter(|name| !name.starts_with("twin_") && !PUBLIC.contains(&name.as_str()))
            .collect();
        for path in sources(&format!("{library}/src")).into_iter().filter(|path| !is_test(path)) {
            let lines = code(&path);
            let foreign = foreign(&lines, &crates);
            for signature in signatures(&lines) {
                let named: Vec<_> = words(&signature).into_iter().filter(|word| foreign.contains(*word)).collect();
                // Derives of serde are the nouns' own; their traits stand in bounds of readers and writers alone.
                if !named.is_empty() && named.iter().any(|name| !["serde", "Serialize", "Deserialize"].contains(name)) {
                    found.push(format!("{path}: {named:?} in `{}`", signature.chars().take(100).collect::<String>()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_signature_of_others_would_be_found() {
    let lines: Vec<String> = [
        "use rand::{Rng, rngs::StdRng};",
        "pub fn draw(",
        "    random: &mut StdRng,",
        ") -> f64 {",
        "pub enum E {",
        " A { of: Rng },",
        "}",
    ]
    .map(str::to_owned)
    .to_vec();
    let foreign = foreign(&lines, &["rand".to_owned()].into());
    let hits = signatures(&lines).iter().filter(|signature| words(signature).iter().any(|word| foreign.contains(*word))).count();
    assert_eq!(hits, 2);
}

#[test]
fn libraries_do_not_panic_print_or_look_around() {
    let never = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
        "println!(",
        "eprintln!(",
        "print!(",
        "dbg!(",
        "std::env",
        "static mut",
        "unsafe ",
        "process::exit",
        "process::abort",
        "Command::new",
        "set_hook",
    ];
    let mut found = Vec::new();
    for path in library_sources() {
        // The law kit is for tests: a broken law panics there, as documented.
        let kit = path.contains("/testing");
        for (number, line) in code(&path).iter().enumerate() {
            let mut hits: Vec<&str> = never.iter().copied().filter(|word| line.contains(word)).collect();
            if !FILES.iter().any(|folder| path.starts_with(folder)) {
                hits.extend(["std::fs", "SystemTime", "Instant::now"].into_iter().filter(|word| line.contains(word)));
            }
            if !hits.is_empty() && !kit {
                found.push(format!("{path}:{}: {hits:?}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for lint in ["unwrap_used", "expect_used", "panic", "float_cmp", "print_stdout", "unsafe_code", "missing_docs"] {
        assert!(manifest.contains(&format!("{lint} = ")), "the lint {lint} is not asked for");
    }
    for library in LIBRARIES {
        let manifest = std::fs::read_to_string(root().join(library).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{library} does not take the lints of the workspace");
    }
}

/// The functions of a file with their lengths, tests left out.
fn functions(lines: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        if !before.trim_start().is_empty() && !before.ends_with(' ') || before.contains("impl") || before.contains('(') {
            continue;
        }
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let (mut depth, mut opened) = (0_i32, false);
        for (length, line) in lines[place..].iter().enumerate() {
            let ends = line.contains(';') && !opened && depth == 0 && !line.contains('[');
            for letter in line.chars() {
                match letter {
                    '{' => (depth, opened) = (depth + 1, true),
                    '}' => depth -= 1,
                    _ => {}
                }
            }
            if ends || opened && depth == 0 {
                found.push((name, length + 1));
                break;
            }
        }
    }
    found
}

/// The pieces that are longer than the house allows, and why, as the page of decisions lists them.
fn excused() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(root().join("docs/src/decisions/size.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert!(cells.len() == 4 && !cells[2].is_empty(), "a row without a reason: {line}");
        (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
    };
    rows.map(row).collect()
}

#[test]
fn what_is_long_is_justified() {
    let mut long = BTreeSet::new();
    let (mut lengths, mut sizes) = (Vec::new(), Vec::new());
    let shared = sources("tests/src").into_iter().filter(|path| !is_test(path));
    for path in library_sources().into_iter().chain(shared) {
        let lines = code(&path);
        sizes.push(lines.len());
        if lines.len() > 400 {
            long.insert(path.clone());
        }
        // A function of the claims is a table: its rows are numbers, and belong together.
        let functions = if path.starts_with("tests/src/claims/") { Vec::new() } else { functions(&lines) };
        for (name, length) in functions {
            lengths.push(length);
            if length > 60 {
                long.insert(format!("{path}: {name}"));
            }
        }
    }
    sizes.sort_unstable();
    let short = lengths.iter().filter(|length| **length <= 25).count();
    println!(
        "{} files, median {} lines; {} functions, {short} of at most 25 lines",
        sizes.len(),
        sizes[sizes.len() / 2],
        lengths.len()
    );
    assert!(lengths.len() > 1500 && short * 10 > lengths.len() * 9, "{short} of {} functions are short", lengths.len());
    let excused: BTreeSet<String> = excused().into_keys().collect();
    let (missing, stale): (Vec<_>, Vec<_>) = (long.difference(&excused).collect(), excused.difference(&long).collect());
    assert!(
        missing.is_empty() && stale.is_empty(),
        "long and not in docs/src/decisions/size.md: {missing:#?}; in it and not long: {stale:#?}"
    );
}

#[test]
fn a_long_function_would_be_found() {
    let body = vec!["    x += 1;".to_owned(); 70];
    let lines: Vec<String> = ["    pub(super) fn long(x: &mut [f64; 3]) -> Result<(), Error> {".to_owned()]
        .into_iter()
        .chain(body)
        .chain(["}".to_owned()])
        .collect();
    assert_eq!(functions(&lines), [("long".to_owned(), 72)]);
    assert_eq!(functions(&["fn short(x: fn(f64) -> f64) -> f64;".to_owned()]), [("short".to_owned(), 1)]);
}

/// Whether a license expression can be met with licenses that may be passed on with this code.
fn may_be_used(expression: &str) -> bool {
    const ALLOWED: [&str; 9] =
        ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0", "Unlicense", "CC0-1.0"];
    let expression = expression.trim();
    let parts = |word: &str| {
        let (mut depth, mut parts, mut from) = (0_i32, Vec::new(), 0);
        for (place, letter) in expression.char_indices() {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            if depth == 0 && expression[place..].starts_with(word) {
                parts.push(&expression[from..place]);
                from = place + word.len();
            }
        }
        parts.push(&expression[from..]);
        parts
    };
    let ands = parts(" AND ");
    if ands.len() > 1 {
        return ands.into_iter().all(may_be_used);
    }
    let ors = if expression.contains('/') { expression.split('/').collect() } else { parts(" OR ") };
    if ors.len() > 1 {
        return ors.into_iter().any(may_be_used);
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => may_be_used(inner),
        None => ALLOWED.contains(&expression),
    }
}

#[test]
fn every_license_may_be_passed_on() {
    assert!(
        may_be_used("(MIT OR GPL-3.0) AND Unicode-3.0") && !may_be_used("MIT AND GPL-3.0") && !may_be_used("GPL-3.0 OR LGPL-2.1")
    );
    let metadata = metadata();
    let refused: Vec<_> = list(&metadata["packages"])
        .filter(|package| !package["license"].as_str().is_some_and(may_be_used))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_library_says_what_a_registry_asks() {
    let metadata = metadata();
    for library in LIBRARIES {
        let package = package(&metadata, library);
        for field in ["description", "license", "readme", "rust_version"] {
            assert!(package[field].as_str().is_some_and(|text| !text.is_empty()), "{library} has no {field}");
        }
        let count = |field: &str| list(&package[field]).count();
        assert!((1..=5).contains(&count("keywords")) && count("categories") >= 1, "{library} has no keywords or categories");
    }
}
