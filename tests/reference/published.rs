//! Every quick row of the validation table, as a test, and the pages of the book that are made from it.

use twin_tests::claims::{self, Outcome, record, table};

#[test]
fn every_quick_claim_holds() {
    let verdicts: Vec<_> = claims::all().into_iter().filter(|claim| claim.quick).map(|claim| claim.check()).collect();
    assert!(verdicts.len() > 20, "only {} claims", verdicts.len());
    let bad: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict == Outcome::Fail).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn every_row_names_its_source() {
    let all = claims::all();
    assert_eq!(table::faults(&all), Vec::<String>::new());
    assert!(all.len() >= 300 && table::sources(&all) >= 40, "{}", table::tally(&all));
}

/// What the book says of the rows is what was recorded of the rows that there are.
#[test]
fn the_book_says_what_was_recorded() {
    let (all, record) = (claims::all(), record::read().unwrap());
    for (page, text) in table::pages(&all, &record).unwrap() {
        let found = std::fs::read_to_string(record::book().join(page)).unwrap_or_default();
        assert!(found == text, "docs/src/{page} is out of date: run validate --quick --record (new slow rows: --only ID --record)");
    }
    let fails: Vec<_> = record.values().filter(|recorded| recorded.outcome == Outcome::Fail).map(|recorded| &recorded.id).collect();
    assert!(fails.is_empty(), "recorded as failing: {fails:?}");
}
