//! Every quick claim of the validation table, as a test.

#[test]
fn every_quick_claim_holds() {
    let verdicts: Vec<_> = twin_tests::claims::all().into_iter().filter(|claim| claim.quick).map(|claim| claim.check()).collect();
    assert!(verdicts.len() > 20, "only {} claims", verdicts.len());
    let bad: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict == "fail").collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
