//! EORTC 26981: radiotherapy with and without temozolomide in glioblastoma.

use super::{Estimate, Life, Study, hazard_ratio, interval, law, mean, ratio, replicates, seen_at, target};
use twin_core::Random;
use twin_models::survival::Lifetime;
use twin_trials::statistics::KaplanMeier;

const TRIALS: usize = 500;
/// Patients under radiotherapy, and with temozolomide.
const PATIENTS: [usize; 2] = [286, 287];
/// Months of accrual: August 2000 to March 2002.
const ACCRUAL: f64 = 19.0;
/// Months to the last look: a median follow-up of more than five years.
const CUTOFF: f64 = 81.0;
const MEDIANS: [f64; 2] = [12.1, 14.6];
const YEARS: [f64; 4] = [2.0, 3.0, 4.0, 5.0];
/// Alive at two to five years, with the published intervals, by arm.
const ALIVE: [[(f64, f64, f64); 4]; 2] = [
    [(0.109, 0.076, 0.148), (0.044, 0.024, 0.072), (0.030, 0.014, 0.057), (0.019, 0.006, 0.044)],
    [(0.272, 0.222, 0.325), (0.160, 0.120, 0.206), (0.121, 0.085, 0.164), (0.098, 0.064, 0.140)],
];
const METHYLATED: f64 = 0.45;
/// Medians by methylation: none and some, by arm.
const BY_MGMT: [[f64; 2]; 2] = [[11.8, 15.3], [12.7, 21.7]];

/// The log-logistic shape that comes nearest to the survival of `arm` at two to five years, in the least-squares sense of log odds.
fn shape(arm: usize) -> f64 {
    let point = |(years, (alive, ..)): (&f64, &(f64, f64, f64))| {
        let x = (12.0 * years / MEDIANS[arm]).ln();
        let y = ((1.0 - alive) / alive).ln();
        (x * y, x * x)
    };
    let (xy, xx) = YEARS.iter().zip(&ALIVE[arm]).map(point).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    xy / xx
}

/// The log-logistic shape of either group of methylation at which the mixture of the two comes nearest to the survival of `arm`, in the same
/// sense: a mixture is wider than its parts.
fn shape_within(arm: usize) -> f64 {
    let alive = |shape: f64, months: f64| {
        let one = |median: f64| 1.0 / (1.0 + (months / median).powf(shape));
        (1.0 - METHYLATED) * one(BY_MGMT[arm][0]) + METHYLATED * one(BY_MGMT[arm][1])
    };
    let odds = |share: f64| ((1.0 - share) / share).ln();
    let off = |shape: f64| -> f64 {
        let point =
            |(years, (published, ..)): (&f64, &(f64, f64, f64))| (odds(alive(shape, 12.0 * years)) - odds(*published)).powi(2);
        YEARS.iter().zip(&ALIVE[arm]).map(point).sum()
    };
    let shapes = (100..=600).map(|percent| f64::from(percent) / 100.0);
    shapes.min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(f64::NAN)
}

fn lives(draw: impl Fn(usize, &mut Random) -> f64, sizes: [usize; 2], random: &mut Random) -> Vec<Life> {
    let one = |arm: usize, random: &mut Random| Life { arm, entry: ACCRUAL * random.uniform(), time: draw(arm, random) };
    let mut lives = Vec::new();
    for (arm, size) in sizes.into_iter().enumerate() {
        lives.extend((0..size).map(|_| one(arm, random)));
    }
    lives
}

/// The study.
#[must_use]
pub fn study() -> Study {
    let mut targets = vec![
        interval("hazard_ratio", "hazard ratio by Cox; published interval 0.5 to 0.7", 0.6, [0.5, 0.7]),
        interval("significant", "share of trials with p < 0.0001, as was published: more likely than not", 1.0, [0.5, 1.0]),
    ];
    const IDS: [[&str; 4]; 2] = [
        ["radiotherapy_2_years", "radiotherapy_3_years", "radiotherapy_4_years", "radiotherapy_5_years"],
        ["temozolomide_2_years", "temozolomide_3_years", "temozolomide_4_years", "temozolomide_5_years"],
    ];
    for (id, (published, lower, upper)) in IDS.iter().flatten().zip(ALIVE.into_iter().flatten()) {
        let what = format!("alive; published interval {lower} to {upper}");
        targets.push(interval(id, what, published, [lower, upper]));
    }
    targets.extend([
        interval("mgmt", "hazard ratio of methylation in either arm; published interval 0.32 to 0.61", 0.45, [0.32, 0.61]),
        interval("methylated", "hazard ratio of temozolomide if methylated; recalled interval 0.31 to 0.84", 0.51, [0.31, 0.84]),
        interval("unmethylated", "hazard ratio of temozolomide if not; recalled interval 0.47 to 1.02", 0.69, [0.47, 1.02]),
        target("interaction", "ratio of the two: the benefit is greater if methylated", 0.74, 0.25),
    ]);
    Study {
        id: "eortc26981",
        title: "Radiotherapy with and without temozolomide in glioblastoma, and methylation of MGMT",
        source: "Stupp 2009, doi:10.1016/S1470-2045(09)70025-7; Hegi 2005, doi:10.1056/NEJMoa043331",
        given: "log-logistic survival: medians 12.1 and 14.6 months (recalled), shapes fitted to survival at two to five years; of methylation \
                its share of 45 % and the medians 15.3 and 21.7 months (Hegi 2005), 11.8 and 12.7 without (recalled)",
        targets,
        run,
    }
}

fn run() -> Result<Option<Vec<Estimate>>, String> {
    let shapes = [shape(0), shape(1)];
    let laws = [law(Lifetime::log_logistic(MEDIANS[0], shapes[0]))?, law(Lifetime::log_logistic(MEDIANS[1], shapes[1]))?];
    let columns = replicates(TRIALS, 26981, |random| {
        let arms = seen_at(&lives(|arm, random| laws[arm].draw(random), PATIENTS, random), CUTOFF);
        let (ln_ratio, p_value) = hazard_ratio(&arms)?;
        let mut row = [0.0; 10];
        (row[0], row[1]) = (ln_ratio, f64::from(u8::from(p_value < 1e-4)));
        for (arm, seen) in arms.iter().enumerate() {
            let curve = KaplanMeier::estimate(seen).map_err(|error| error.to_string())?;
            for (place, years) in YEARS.iter().enumerate() {
                row[2 + 4 * arm + place] = curve.survival_at(12.0 * years).map_err(|error| error.to_string())?.survival;
            }
        }
        Ok(row)
    })?;
    // The subset whose tumor was tested: 206 patients, 106 with temozolomide.
    let within = [shape_within(0), shape_within(1)];
    let split = replicates(TRIALS, 2005, |random| {
        let mut groups: [Vec<Life>; 2] = [Vec::new(), Vec::new()];
        for (arm, size) in [100, 106].into_iter().enumerate() {
            for _ in 0..size {
                let methylated = usize::from(random.uniform() < METHYLATED);
                let law = law(Lifetime::log_logistic(BY_MGMT[arm][methylated], within[arm]))?;
                groups[methylated].push(Life { arm, entry: ACCRUAL * random.uniform(), time: law.draw(random) });
            }
        }
        let effect = groups.each_ref().map(|group| hazard_ratio(&seen_at(group, CUTOFF)));
        let [none, some] = [effect[0].clone()?, effect[1].clone()?];
        let by_methylation: Vec<Life> =
            groups.iter().enumerate().flat_map(|(arm, group)| group.iter().map(move |life| Life { arm, ..*life })).collect();
        let prognosis = hazard_ratio(&seen_at(&by_methylation, CUTOFF))?.0;
        Ok([prognosis, some.0, none.0, some.0 - none.0])
    })?;
    let mut estimates = vec![ratio(&columns[0])?, mean(&columns[1])?];
    for column in columns.iter().skip(2) {
        estimates.push(mean(column)?);
    }
    for column in &split {
        estimates.push(ratio(column)?);
    }
    Ok(Some(estimates))
}
