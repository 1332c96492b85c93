//! Posteriors of posteriordb, against its reference draws.

use twin_tests::posteriordb::{METHODS, POSTERIORS, agreement};

/// Means within 0.1 standard deviations, standard deviations within a tenth, and a good verdict of the draws themselves.
fn check(posterior: usize) {
    for (place, method) in METHODS.iter().enumerate() {
        let Some(agreement) = agreement(posterior, place).unwrap() else { return };
        let reference = POSTERIORS[posterior];
        assert_eq!(agreement.len(), reference.parameters.len());
        for (parameter, [shift, ratio]) in reference.parameters.iter().zip(agreement) {
            assert!(
                shift.abs() <= 0.1 && (0.9..=1.1).contains(&ratio),
                "{}, {method}, {}: mean off by {shift:.3} sd, sd ratio {ratio:.3}",
                reference.name,
                parameter.name
            );
        }
    }
}

#[test]
fn posteriordb_eight_schools_noncentered() {
    check(0);
}

#[test]
fn posteriordb_kidscore_momiq() {
    check(1);
}
