//! The living twin: its speed, and its agreement with calibrating afresh.

use super::{Claim, Ours, words};
use crate::sbc::design;
use twin_calibrate::living::{Particles, Twin, Updater};
use twin_calibrate::testing::Design;
use twin_calibrate::{Calibrator, Posterior, Tempered};
use twin_core::{Entry, Patient, Random};

const BAR: &str = "a bar of this project";

fn follow(design: &Design, patient: &Patient, method: &dyn Updater, random: &mut Random) -> Result<Twin, String> {
    let nobody = Patient { timeline: Default::default(), ..patient.clone() };
    let begun = Twin::unseen(design.assumptions.clone(), nobody, 1000, random).map_err(words)?;
    let next = |twin: Twin, entry: &Entry| {
        twin.update(entry.time, entry.event.clone(), entry.provenance.clone(), method, random).map_err(words)
    };
    patient.timeline.entries().iter().try_fold(begun, next)
}

/// Ten patients followed reading by reading and calibrated afresh: the largest distance of the means in standard deviations, and the
/// largest logarithm of a ratio of standard deviations.
fn agreement() -> Result<[f64; 2], String> {
    let design = design("gompertz", true)?;
    let root = Random::new(6);
    let moments = |posterior: &Posterior, name: &str| -> Result<(f64, f64), String> {
        // All parameters of the design are log-normal.
        let column: Vec<f64> = posterior.column(name).map_err(words)?.iter().map(|x| x.ln()).collect();
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        Ok((mean, (column.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt()))
    };
    let mut largest = [0.0_f64; 2];
    for index in 0..10 {
        let mut random = root.stream(index);
        let (_, patient) = design.draw(&mut random).map_err(words)?;
        let followed = follow(&design, &patient, &Particles::default(), &mut random)?;
        let afresh = Tempered { particles: 1000, ..Tempered::default() };
        let afresh = afresh.calibrate(&design.assumptions.problem(&patient), &mut random).map_err(words)?;
        for name in afresh.names() {
            let (ours, reference) = (moments(followed.posterior(), name)?, moments(&afresh, name)?);
            largest[0] = largest[0].max(((ours.0 - reference.0) / reference.1).abs());
            largest[1] = largest[1].max((ours.1 / reference.1).ln().abs());
        }
    }
    Ok(largest)
}

pub(super) fn claims() -> Vec<Claim> {
    let slow = |id: &str, claim: &str, (expected, tolerance), run: fn() -> Ours| Claim {
        id: format!("posterior.{id}"),
        claim: claim.to_owned(),
        source: BAR,
        expected,
        tolerance,
        quick: false,
        run: Box::new(move || run().map(Some)),
    };
    vec![
        slow(
            "filter_against_refit_mean",
            "ten patients followed by 1000 particles against a refit: largest distance of means in sd (below 0.3)",
            (0.15, 0.15),
            || agreement().map(|largest| largest[0]),
        ),
        slow("filter_against_refit_spread", "the same: largest logarithm of a ratio of sd (below 0.25)", (0.125, 0.125), || {
            agreement().map(|largest| largest[1])
        }),
    ]
}
