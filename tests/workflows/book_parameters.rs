//! The book's pages of models: one page for each registered model, with the fixed headings and the table of its parameters.
//!
//! The tables are generated from the specifications. `TWIN_BLESS=1` writes them; without it a page that differs fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use twin_models::{Model, ParameterSpec, Registry};

const BEGIN: &str = "<!-- parameters -->\n";
const END: &str = "<!-- /parameters -->";
const HEADINGS: [&str; 8] = ["Equation", "States", "Parameters", "Treatments", "Assumptions", "Valid for", "Source", "Example"];

fn book() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

fn number(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-3..1e5).contains(&size) { format!("{value:e}") } else { value.to_string() }
}

fn row(parameter: &ParameterSpec) -> String {
    let text = |text: &str| text.replace('|', "\\|");
    format!(
        "| `{}` | `{}` | {} to {} | {} | {} | {} |",
        parameter.name,
        parameter.unit,
        number(parameter.low),
        number(parameter.high),
        number(parameter.default),
        text(&parameter.description),
        text(&parameter.source.to_string()),
    )
}

fn table(model: &dyn Model) -> String {
    let mut table =
        String::from("\n| name | unit | range | default | meaning | source of the default |\n|---|---|---|---|---|---|\n");
    for parameter in &model.spec().parameters {
        writeln!(table, "{}", row(parameter)).unwrap();
    }
    table.push('\n'); // tables and comments are told apart by blank lines
    table
}

/// What is wrong with the page of `model`; with `bless`, its table is written first.
fn faults(model: &dyn Model, bless: bool) -> Vec<String> {
    let id = &model.spec().id;
    let path = book().join(format!("models/{id}.md"));
    let Ok(page) = std::fs::read_to_string(&path) else {
        return vec![format!("the registered model `{id}` has no page docs/src/models/{id}.md")];
    };
    let mut faults = Vec::new();
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    if headings != HEADINGS {
        faults.push(format!("{id}.md has the headings {headings:?}, but must have {HEADINGS:?}"));
    }
    if !std::fs::read_to_string(book().join("SUMMARY.md")).unwrap().contains(&format!("(models/{id}.md)")) {
        faults.push(format!("SUMMARY.md does not list models/{id}.md"));
    }
    let place = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let expected = table(model);
    match place {
        None => faults.push(format!("{id}.md has no place for its parameters: a line {} and a line {END}", BEGIN.trim())),
        Some((_, (found, _))) if found == expected => {}
        Some((before, (_, after))) if bless => std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap(),
        Some((_, (found, _))) => faults.push(format!("{id}.md: set TWIN_BLESS=1 to write its table\n{found}\nis not\n{expected}")),
    }
    faults
}

#[test]
fn every_registered_model_has_a_page_with_its_parameters() {
    let bless = std::env::var("TWIN_BLESS").as_deref() == Ok("1");
    let registry = Registry::standard().unwrap();
    let faults: Vec<String> = registry.iter().flat_map(|model| faults(model.as_ref(), bless)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_of_a_model_is_of_a_registered_one() {
    let registered: BTreeSet<String> = Registry::standard().unwrap().iter().map(|model| model.spec().id.clone()).collect();
    let pages = std::fs::read_dir(book().join("models")).unwrap().map(|entry| entry.unwrap().path());
    let described: BTreeSet<String> = pages.map(|page| page.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(described, registered);
}

#[test]
fn every_page_with_a_snippet_is_compiled() {
    let modules = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/book.rs")).unwrap();
    let mut folders = vec![book()];
    let mut missing = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let place = path.strip_prefix(book()).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if place.ends_with(".md") {
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains("```rust") && !modules.contains(&format!("docs/src/{place}\"")) {
                    missing.push(place);
                }
            }
        }
    }
    assert!(missing.is_empty(), "tests/src/book.rs does not compile the snippets of {missing:?}");
}
