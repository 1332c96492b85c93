//! Scott 2021: the dose that a tumor feels tells, the dose that is given does not.

use super::{Estimate, Study, interval, mean, ratio, replicates, target};
use twin_core::{AbsorbedDose, Random};
use twin_models::molecular::GenomicRadiosensitivity;
use twin_trials::statistics::{CoxRegression, FollowUp, Period};

const TRIALS: usize = 300;
/// Patients of the eleven cohorts together, and the doses at which they are treated, in fractions of 2 Gy.
const COHORTS: [(usize, [u32; 2]); 11] = [
    (263, [25, 33]),
    (104, [30, 35]),
    (180, [28, 33]),
    (92, [33, 35]),
    (60, [30, 35]),
    (98, [23, 28]),
    (40, [25, 28]),
    (142, [30, 30]),
    (309, [25, 33]),
    (268, [33, 35]),
    (59, [25, 30]),
];
/// Spread of radiosensitivity indices: median, standard deviation of the logarithm.
const INDEX: (f64, f64) = (0.40, 0.35);
/// Doublings per day of what survives, median and spread; and its number at the start as a logarithm, mean and spread.
const GROWTH: (f64, f64) = (0.01, 0.9);
const CLONOGENS: (f64, f64) = (18.4, 9.0);
/// The largest clonogen number, as a logarithm, that goes unseen: about 1 mm³.
const SEEN: f64 = 13.8;
/// First recurrences that radiotherapy does not prevent, elsewhere in the body: how many a day.
const ELSEWHERE: f64 = 2.5e-4;
/// The spread of the logarithm with which an index is measured.
const MEASURED: f64 = 0.25;
/// Days of follow-up, uniform.
const FOLLOW_UP: (f64, f64) = (700.0, 3000.0);

/// A log-normal number, drawn again until it is an index: below 1.
fn below_one(median: f64, spread: f64, random: &mut Random) -> f64 {
    loop {
        let index = median * (spread * random.normal()).exp();
        if index < 1.0 {
            return index;
        }
    }
}

/// What is left after treatment regrows until it is seen: a patient in whom less than one cell is left is cured.
fn patient(cohort: usize, fractions: [u32; 2], random: &mut Random) -> Result<Period, String> {
    let index = below_one(INDEX.0, INDEX.1, random);
    let count = fractions[0] + random.below((fractions[1] - fractions[0] + 1) as usize) as u32;
    let dose = AbsorbedDose::from_gray(2.0).map_err(|error| error.to_string())?;
    let sensitivity = GenomicRadiosensitivity::new(index).map_err(|error| error.to_string())?;
    let felt = sensitivity.adjusted_dose(count, dose);
    let left = CLONOGENS.0 + CLONOGENS.1 * random.normal() - felt;
    let rate = std::f64::consts::LN_2 * GROWTH.0 * (GROWTH.1 * random.normal()).exp();
    let follow_up = FOLLOW_UP.0 + (FOLLOW_UP.1 - FOLLOW_UP.0) * random.uniform();
    let local = if left <= 0.0 { f64::INFINITY } else { ((SEEN - left) / rate).max(1.0) };
    let seen = local.min(random.exponential() / ELSEWHERE);
    let measured = below_one(index, MEASURED, random);
    let felt = GenomicRadiosensitivity::new(measured).map_err(|error| error.to_string())?.adjusted_dose(count, dose);
    let seen = if seen <= follow_up { FollowUp::event(seen) } else { FollowUp::censored(follow_up) };
    Ok(Period::new(seen, [felt, 2.0 * f64::from(count)]).within(cohort))
}

/// The study.
#[must_use]
pub fn study() -> Study {
    Study {
        id: "scott2021",
        title: "Genomic adjusted and physical dose of radiotherapy, eleven cohorts",
        source: "Scott 2021, doi:10.1016/S1470-2045(21)00347-8",
        given: "linear-quadratic killing by the index and regrowth of what is left; recurrence elsewhere whatever the dose; an index measured with \
                error. Assumed: the spread of the index, of its error, of clonogens and of growth, the rate elsewhere, and the range of doses in \
                each cohort; the number of patients of all cohorts is the published one",
        targets: vec![
            interval("genomic_dose", "hazard ratio of recurrence by unit; published interval 0.97 to 0.99", 0.98, [0.97, 0.99]),
            target("genomic_dose_tells", "share of trials in which it is significant; within 0.05", 1.0, 0.05),
            target("physical_dose", "hazard ratio of recurrence by gray: not associated; within 0.02", 1.0, 0.02),
            target("physical_dose_does_not", "share of trials in which it is not significant: at least three in four", 1.0, 0.25),
            target("recur", "share of patients who recur in the follow-up; assumed between 0.3 and 0.6", 0.45, 0.15),
        ],
        run,
    }
}

fn run() -> Result<Option<Vec<Estimate>>, String> {
    let columns = replicates(TRIALS, 2021, |random| {
        let mut periods = Vec::new();
        for (cohort, (size, fractions)) in COHORTS.into_iter().enumerate() {
            for _ in 0..size {
                periods.push(patient(cohort, fractions, random)?);
            }
        }
        let alone = |place: usize, name: &str| -> Result<(f64, f64), String> {
            let one: Vec<Period> =
                periods.iter().map(|p| Period::new(p.follow_up, [p.covariates[place]]).within(p.stratum)).collect();
            let fit = CoxRegression::default().fit(&[name], &one).map_err(|error| error.to_string())?;
            let effect = fit.coefficient(name).map_err(|error| error.to_string())?;
            Ok((effect.estimate, effect.p_value()))
        };
        let (felt, given) = (alone(0, "felt")?, alone(1, "given")?);
        let flag = |holds: bool| f64::from(u8::from(holds));
        let events = periods.iter().filter(|period| period.follow_up.event).count() as f64;
        Ok([felt.0, flag(felt.1 < 0.05 && felt.0 < 0.0), given.0, flag(given.1 >= 0.05), events / periods.len() as f64])
    })?;
    let [felt, felt_tells, given, given_does_not, events] = &columns;
    Ok(Some(vec![ratio(felt)?, mean(felt_tells)?, ratio(given)?, mean(given_does_not)?, mean(events)?]))
}
