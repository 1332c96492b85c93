//! JAVELIN Gastric 100: a negative trial with crossing hazards.

use super::{Estimate, Life, Study, hazard_ratio, interval, law, mean, median, ratio, replicates, seen_at, target, time_of_event};
use twin_core::Random;
use twin_models::survival::{Lifetime, TimeLaw};
use twin_trials::design::schoenfeld_power;
use twin_trials::statistics::{AcceleratedRegression, KaplanMeier, Period};

const PATIENTS: usize = 499;
const TRIALS: usize = 1000;
/// Months in which patients were randomized: December 2015 to November 2017.
const ACCRUAL: f64 = 23.0;
/// Months from the first patient to the last look: December 2015 to September 2019.
const CUTOFF: f64 = 45.0;
/// The one-sided level for overall survival in all patients.
const ALPHA: f64 = 0.02;
/// Deaths at which the design looks, and the hazard ratio that it is to find.
const DESIGN: (usize, f64) = (356, 0.7);

fn lives(laws: [Lifetime; 2], random: &mut Random) -> Vec<Life> {
    let one = |patient: usize| {
        let arm = patient % 2;
        Life { arm, entry: ACCRUAL * random.uniform(), time: laws[arm].draw(random) }
    };
    (0..PATIENTS).map(one).collect()
}

/// Whether the second arm is better at the one-sided level.
fn positive((ln_ratio, p_value): (f64, f64)) -> f64 {
    f64::from(u8::from(ln_ratio < 0.0 && p_value < 2.0 * ALPHA))
}

/// The study.
#[must_use]
pub fn study() -> Study {
    let (events, planned) = DESIGN;
    let theory = schoenfeld_power(planned, 2.0 * ALPHA, events as f64, 0.5).unwrap_or(f64::NAN);
    Study {
        id: "javelin",
        title: "Avelumab maintenance against chemotherapy in gastric cancer",
        source: "Moehler 2021, doi:10.1200/JCO.20.00892; Terranova 2022, doi:10.1002/psp4.12754",
        given: "medians 10.9 and 10.4 months, log-logistic shapes 2.25 and 1.63 (Terranova 2022); 499 patients in 23 months, last look at \
                month 45; one-sided level 0.02. Recalled, not read again: a look at 356 deaths for a hazard ratio of 0.7",
        targets: vec![
            target(
                "negative",
                "share of trials without significant superiority; the published one is one of them, and so should most be",
                1.0,
                0.2,
            ),
            interval("hazard_ratio", "hazard ratio by Cox; published interval 0.74 to 1.11", 0.91, [0.74, 1.11]),
            interval(
                "arm_effect",
                "ratio of the odds of death by log-logistic regression; published interval 0.935 to 1.32",
                1.10,
                [0.935, 1.32],
            ),
            interval(
                "median_chemotherapy",
                "median survival under chemotherapy, months; published interval 9.6 to 12.4",
                10.9,
                [9.6, 12.4],
            ),
            interval(
                "median_avelumab",
                "median survival under avelumab, months; published interval 9.1 to 12.0",
                10.4,
                [9.1, 12.0],
            ),
            target("late_chemotherapy", "alive at 24 months under chemotherapy; within 4 points", 0.155, 0.04),
            target("late_avelumab", "alive at 24 months under avelumab; within 4 points", 0.221, 0.04),
            target("crossing", "month at which the curves cross; published: avelumab is above after 12 months", 12.0, 2.0),
            target("power", "power of the design where its assumption holds, by Schoenfeld's formula", theory, 0.02),
        ],
        run,
    }
}

fn run() -> Result<Option<Vec<Estimate>>, String> {
    let chemotherapy = law(Lifetime::log_logistic(10.9, 2.25))?;
    let avelumab = law(Lifetime::log_logistic(10.4, 1.63))?;
    let columns = replicates(TRIALS, 2022, |random| {
        let lives = lives([chemotherapy, avelumab], random);
        let arms = seen_at(&lives, CUTOFF);
        let cox = hazard_ratio(&arms)?;
        let periods: Vec<Period> =
            arms.iter().enumerate().flat_map(|(arm, seen)| seen.iter().map(move |seen| Period::new(*seen, [arm as f64]))).collect();
        let fit = AcceleratedRegression::new(TimeLaw::LogLogistic).fit(&["arm"], &periods).map_err(|error| error.to_string())?;
        let effect = fit.coefficient("arm").map_err(|error| error.to_string())?.estimate;
        let scale = fit.coefficient("ln scale").map_err(|error| error.to_string())?.estimate.exp();
        let late = |arm: usize| {
            KaplanMeier::estimate(&arms[arm]).and_then(|curve| curve.survival_at(24.0)).map_err(|error| error.to_string())
        };
        Ok([cox.0, positive(cox), -effect / scale, median(&arms[0])?, median(&arms[1])?, late(0)?.survival, late(1)?.survival])
    })?;
    let [hazard, significant, odds, control, treated, late_control, late_treated] = &columns;
    // The design's own assumption: exponential survival at the planned hazard ratio.
    let (events, planned) = DESIGN;
    let (exponential, better) = (law(Lifetime::weibull(15.0, 1.0))?, law(Lifetime::weibull(15.0 / planned, 1.0))?);
    let [power] = replicates(TRIALS, 2015, |random| {
        let lives = lives([exponential, better], random);
        Ok([positive(hazard_ratio(&seen_at(&lives, time_of_event(&lives, events)))?)])
    })?;
    let crossing = ((2.25 * 10.9_f64.ln() - 1.63 * 10.4_f64.ln()) / (2.25 - 1.63)).exp();
    let negative: Vec<f64> = significant.iter().map(|positive| 1.0 - positive).collect();
    Ok(Some(vec![
        mean(&negative)?,
        ratio(hazard)?,
        ratio(odds)?,
        mean(control)?,
        mean(treated)?,
        mean(late_control)?,
        mean(late_treated)?,
        (crossing, 0.0),
        mean(&power)?,
    ]))
}
