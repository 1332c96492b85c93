//! The SBML Test Suite, semantic cases of the core with ordinary differential equations.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use twin_tests::data;
use twin_tests::sbml::{self, Outcome, cases, run_raw};

#[test]
fn flattened_cases_are_within_the_tolerances_of_the_suite() {
    let Some(path) = data("sbml flattened", "reference/sbml_semantic/sbml_core_ode_cases.json") else { return };
    let cases = cases(&path).unwrap();
    let mut failed = Vec::new();
    let mut largest: f64 = 0.0;
    for case in &cases {
        match case.worst() {
            Ok(worst) if worst <= 1.0 => largest = largest.max(worst),
            Ok(worst) => failed.push(format!("{}: {worst} times the tolerance", case.id)),
            Err(why) => failed.push(format!("{}: {why}", case.id)),
        }
    }
    let (passed, uncompared) = (cases.len() - failed.len(), cases.iter().map(sbml::Case::uncompared).sum::<usize>());
    println!("flattened: {passed} of {} pass, the largest error {largest:.2e} of the tolerance", cases.len());
    println!("flattened: {uncompared} values are not compared: the table has no finite one for them");
    assert_eq!(cases.len(), 344);
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn raw_cases_pass_or_are_refused_and_none_is_wrong() {
    let Some(root) = data("sbml raw", "reference/sbml_semantic/raw") else { return };
    let mut folders: Vec<_> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut passed, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    let mut by_tag: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for folder in &folders {
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (tags, outcome) = run_raw(folder).unwrap();
        let counts = match outcome {
            Outcome::Passed(_) => (1, 0),
            Outcome::Refused(why) => {
                refused.push(why);
                (0, 1)
            }
            Outcome::Wrong(why) => {
                wrong.push(format!("{id}: {why} ({tags:?})"));
                (0, 0)
            }
        };
        passed += counts.0;
        for tag in tags {
            let entry = by_tag.entry(tag).or_default();
            *entry = (entry.0 + counts.0, entry.1 + counts.1);
        }
    }
    println!("raw: {passed} of {} pass, {} refused, {} wrong", folders.len(), refused.len(), wrong.len());
    for (tag, (passed, refused)) in by_tag {
        println!("  {tag}: {passed} pass, {refused} refused");
    }
    refused.iter().for_each(|why| println!("  refused: {why}"));
    wrong.iter().for_each(|why| println!("  wrong: {why}"));
    assert_eq!(folders.len(), 79);
    assert_eq!(wrong, Vec::<String>::new());
    assert!(passed >= 77, "{passed} pass");
}
