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

/// The one registered model whose rate has a corner, and so derivatives that jump.
const CORNERED: &str = "exponential_linear";

#[test]
fn every_registered_model_without_a_corner_has_the_derivatives_of_its_differences() {
    let registry = Registry::standard().unwrap();
    let settings = testing::Settings::default();
    let smooth = registry.iter().filter(|model| model.spec().id != CORNERED);
    let broken: Vec<_> = smooth.filter_map(|model| testing::sensitivities_agree(model.as_ref(), &settings).err()).collect();
    assert!(broken.is_empty(), "{}", broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}
