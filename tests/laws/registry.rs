//! Every model of the standard registry obeys every law, in its own ranges.
#![allow(clippy::unwrap_used, clippy::panic)]

use twin_models::{Registry, testing};

#[test]
fn every_registered_model_obeys_every_law() {
    let registry = Registry::standard().unwrap();
    let checked: Vec<_> = registry.iter().map(|model| testing::check(model.as_ref())).collect();
    let broken: Vec<_> = checked.iter().filter_map(|result| result.as_ref().err()).map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{} of {} models break a law:\n{}", broken.len(), checked.len(), broken.join("\n"));
    assert!(checked.len() >= 7);
    for report in checked.into_iter().flatten() {
        assert_eq!(report.laws.len(), testing::LAWS.len(), "{report}");
    }
}
