//! Claret 2014: from tumor size to survival, and the power of a trial in Asian patients.

use super::{Estimate, Life, Study, hazard_ratio, interval, mean, median, ratio, replicates, seen_at, target, time_of_event};
use twin_core::Random;
use twin_models::SimulationError;
use twin_models::effect::{Claret, claret_time_to_growth};
use twin_models::survival::ClaretSurvival;

const TRIALS: usize = 1000;
/// Standard deviations of the logarithms between patients: baseline, growth, kill, waning.
const SPREAD: [f64; 4] = [0.683, 1.18, 0.679, 0.797];
/// Patients of the trial, all comers.
const ALL: usize = 1090;

/// A population with an effect of the drug: how much longer than in the population at large tumors take to grow again, by arm.
struct Population {
    asian: f64,
    smokers: f64,
    stretch: [f64; 2],
}

/// One patient's tumor: typical rates times its own factors.
fn tumor(random: &mut Random) -> Claret {
    let mut typical = Claret { baseline: 90.0, growth_rate: 0.00107, kill_rate: 0.0103, waning_rate: 0.0193 };
    let [baseline, growth, kill, waning] = SPREAD.map(|sd| (sd * random.normal()).exp());
    typical.baseline *= baseline;
    typical.growth_rate *= growth;
    typical.kill_rate *= kill;
    typical.waning_rate *= waning;
    typical
}

impl Population {
    fn life(&self, arm: usize, accrual: f64, random: &mut Random) -> Result<Life, SimulationError> {
        let tumor = tumor(random);
        let patient = ClaretSurvival {
            baseline_mm: tumor.baseline,
            time_to_growth_days: self.stretch[arm] * claret_time_to_growth(&tumor)?,
            asian: random.uniform() < self.asian,
            ever_smoker: random.uniform() < self.smokers,
        };
        let entry = accrual * random.uniform();
        Ok(Life { arm, entry, time: patient.lifetime()?.draw(random) })
    }

    fn lives(&self, patients: usize, random: &mut Random) -> Result<Vec<Life>, String> {
        const ACCRUAL: f64 = 547.0;
        (0..patients).map(|patient| self.life(patient % 2, ACCRUAL, random)).collect::<Result<_, _>>().map_err(|e| e.to_string())
    }

    /// The median survival of `arm` on many patients.
    fn median(&self, arm: usize) -> Result<f64, String> {
        let mut random = Random::new(11);
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..40_000 {
            times.push(self.life(arm, 0.0, &mut random).map_err(|error| error.to_string())?.time);
        }
        times.sort_by(f64::total_cmp);
        Ok(twin_calibrate::sorted_quantile(&times, 0.5))
    }
}

/// The stretch of the time to growth at which the median survival is `target`: by halving.
fn calibrated(target: f64, smokers: f64) -> Result<f64, String> {
    let (mut low, mut high) = (0.05, 20.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let population = Population { asian: 1.0, smokers, stretch: [middle; 2] };
        if population.median(0)? < target { low = middle } else { high = middle }
    }
    Ok(f64::midpoint(low, high))
}

/// The median time to growth over patients, at the typical rates of the population at large.
fn median_time_to_growth() -> Result<f64, String> {
    let mut random = Random::new(12);
    let times: Result<Vec<f64>, _> = (0..40_000).map(|_| claret_time_to_growth(&tumor(&mut random))).collect();
    let mut times = times.map_err(|error| error.to_string())?;
    times.sort_by(f64::total_cmp);
    Ok(twin_calibrate::sorted_quantile(&times, 0.5))
}

/// The study.
#[must_use]
pub fn study() -> Study {
    Study {
        id: "claret2014",
        title: "Motesanib in lung cancer: tumor size, survival, and a trial in Asian patients",
        source: "Claret 2014, doi:10.1038/clpt.2014.11",
        given: "the model of tumor size and that of survival with their spreads; for all patients the medians of the time to growth by arm, 93 \
                and 125 days; for Asian patients the median survivals, 450 and 594 days. Assumed: three in four patients ever smoked, one in \
                two of the Asian ones; accrual in 18 months; a look when three in four (of all patients four in five) have died. The table \
                printed with the model has the columns of kill and waning rate swapped: they stand here as the medians of its text ask",
        targets: vec![
            interval("hazard_ratio_all", "hazard ratio in all patients; predicted 0.78 to 0.99", 0.88, [0.78, 0.99]),
            target("hazard_ratio_asian", "hazard ratio in 500 Asian patients; within 0.05", 0.74, 0.05),
            target("median_control", "median survival of the control, days; calibrated, within 3 %", 450.0, 14.0),
            target("median_motesanib", "median survival with motesanib, days; calibrated, within 3 %", 594.0, 18.0),
            target("power_400", "power with 400 patients; within 6 points", 0.72, 0.06),
            target("power_500", "power with 500 patients; within 6 points", 0.81, 0.06),
            target("power_600", "power with 600 patients; within 6 points", 0.88, 0.06),
        ],
        run,
    }
}

fn run() -> Result<Option<Vec<Estimate>>, String> {
    let typical = median_time_to_growth()?;
    let all = Population { asian: 227.0 / 1090.0, smokers: 0.75, stretch: [93.0 / typical, 125.0 / typical] };
    let [full] = replicates(TRIALS / 4, 2014, |random| {
        let lives = all.lives(ALL, random)?;
        Ok([hazard_ratio(&seen_at(&lives, time_of_event(&lives, 4 * ALL / 5)))?.0])
    })?;
    const SMOKERS: f64 = 0.5;
    let asian = Population { asian: 1.0, smokers: SMOKERS, stretch: [calibrated(450.0, SMOKERS)?, calibrated(594.0, SMOKERS)?] };
    let trial = |patients: usize| {
        replicates(TRIALS, patients as u64, |random| {
            let lives = asian.lives(patients, random)?;
            let arms = seen_at(&lives, time_of_event(&lives, 3 * patients / 4));
            let (ln_ratio, p_value) = hazard_ratio(&arms)?;
            Ok([ln_ratio, f64::from(u8::from(ln_ratio < 0.0 && p_value < 0.05)), median(&arms[0])?, median(&arms[1])?])
        })
    };
    let [four, five, six] = [trial(400)?, trial(500)?, trial(600)?];
    Ok(Some(vec![
        ratio(&full)?,
        ratio(&five[0])?,
        mean(&five[2])?,
        mean(&five[3])?,
        mean(&four[1])?,
        mean(&five[1])?,
        mean(&six[1])?,
    ]))
}
