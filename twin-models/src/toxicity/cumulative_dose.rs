//! Risks that follow the cumulative dose of a drug.

use crate::Source;
use crate::check::{open_proportion, positive, within};
use twin_core::{Agent, CoreError, Quantity, Time, TimedTreatment, Treatment};

/// One row of the literature: the probability of a complication by the cumulative dose of a drug per body surface.
///
/// Rows disagree: show them side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct CumulativeDoseRisk {
    /// The drug.
    pub agent: &'static str,
    /// What is counted.
    pub endpoint: &'static str,
    /// Cumulative dose in mg/m² and probability, both rising; two or more.
    pub points: &'static [(f64, f64)],
    /// Where the points come from.
    pub source: Source,
}

/// The rows at hand.
pub const CUMULATIVE_DOSE_RISKS: &[CumulativeDoseRisk] = &[
    CumulativeDoseRisk {
        agent: "doxorubicin",
        endpoint: "congestive heart failure, three prospective trials",
        points: &[(400.0, 0.05), (500.0, 0.16), (550.0, 0.26), (700.0, 0.48)],
        source: Source::published("Swain et al. 2003, doi:10.1002/cncr.11407: 630 patients"),
    },
    CumulativeDoseRisk {
        agent: "doxorubicin",
        endpoint: "congestive heart failure, retrospective",
        points: &[(400.0, 0.03), (550.0, 0.07), (700.0, 0.18)],
        source: Source::unconfirmed(
            "Von Hoff et al. 1979, doi:10.7326/0003-4819-91-5-710: 4018 patients; 7 % at 550 mg/m2 confirmed, the others recalled",
        ),
    },
];

impl CumulativeDoseRisk {
    /// The probability after `mg_per_m2`. The cumulative hazard, `-ln(1 - p)`, is a power of the dose between two points, and below the first
    /// point that of the first two: a Weibull law of the dose. No dose has no risk.
    ///
    /// # Errors
    /// [`CoreError`] for a dose that is negative or beyond the last point, where nothing is known; or for points that do not rise.
    pub fn probability(&self, mg_per_m2: f64) -> Result<f64, CoreError> {
        let (first, rest) = self.points.split_first().ok_or_else(|| too_few(0))?;
        let (mut before, mut after) = (*first, *rest.first().ok_or_else(|| too_few(1))?);
        let last = rest.last().map_or(first.0, |last| last.0);
        let holds = mg_per_m2 >= 0.0 && mg_per_m2 <= last;
        let dose = within("cumulative dose in mg/m2", mg_per_m2, holds, "from 0 to the last dose of the row")?;
        if dose <= 0.0 {
            return Ok(0.0);
        }
        for pair in self.points.windows(2) {
            if let &[low, high] = pair
                && dose > low.0
            {
                (before, after) = (low, high);
            }
        }
        let ln_hazard = |p: f64| open_proportion("probability of a complication", p).map(|p| (-(-p).ln_1p()).ln());
        let apart = positive("ratio of two doses of a row, less one", after.0 / before.0 - 1.0)?.ln_1p();
        let slope = positive("rise of a risk with the dose", (ln_hazard(after.1)? - ln_hazard(before.1)?) / apart)?;
        Ok(-(-(ln_hazard(before.1)? + slope * (dose / before.0).ln()).exp()).exp_m1())
    }

    /// The cumulative dose in mg/m² at which the probability is `risk`: a limit.
    ///
    /// # Errors
    /// [`CoreError`] for a risk that is not between 0 and that of the last point, and as [`CumulativeDoseRisk::probability`].
    pub fn limit(&self, risk: f64) -> Result<f64, CoreError> {
        let (last, most) = self.points.last().copied().ok_or_else(|| too_few(0))?;
        let risk =
            within("risk that limits a dose", risk, risk > 0.0 && risk <= most, "above 0 and at most that of the last dose")?;
        let (mut low, mut high) = (0.0, last);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.probability(middle)? < risk { low = middle } else { high = middle }
        }
        Ok(0.5 * (low + high))
    }
}

fn too_few(count: usize) -> CoreError {
    CoreError::Count { what: "points of a risk by cumulative dose", count, valid: "2 or more" }
}

/// The cumulative dose of `agent` in mg/m² among `treatments` up to and at `until`, for a body surface of `area`. An infusion counts from its
/// start.
///
/// # Errors
/// [`CoreError`] for an area that is not above 0 or a dose that is no mass.
pub fn cumulative_dose(treatments: &[TimedTreatment], agent: &Agent, area: &Quantity, until: Time) -> Result<f64, CoreError> {
    let area = positive("body surface in m2", area.value_in("m2")?)?;
    let mut total = 0.0;
    for timed in treatments.iter().filter(|timed| timed.time <= until && timed.treatment.agent() == Some(agent)) {
        match &timed.treatment {
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => {
                total += dose.value_in("mg")?;
            }
            other => {
                let detail = format!("{other} has no dose in mg; state it as boluses, infusions or oral doses");
                return Err(CoreError::Conflict { what: "cumulative dose", detail });
            }
        }
    }
    Ok(total / area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_rise_through_their_points_and_end_with_them() {
        for row in CUMULATIVE_DOSE_RISKS {
            for &(dose, risk) in row.points {
                assert!((row.probability(dose).unwrap() / risk - 1.0).abs() < 1e-12, "{} at {dose}", row.endpoint);
                assert!((row.limit(risk).unwrap() / dose - 1.0).abs() < 1e-9);
            }
            let risks: Vec<f64> = (0..=70).map(|step| row.probability(10.0 * f64::from(step)).unwrap()).collect();
            assert!(risks.windows(2).all(|pair| pair[0] < pair[1]) && risks[0] == 0.0);
            assert!(row.probability(701.0).is_err() && row.probability(-1.0).is_err() && row.limit(0.9).is_err());
        }
    }

    #[test]
    fn a_schedule_adds_up_until_a_day() {
        let agent = Agent::new("doxorubicin").unwrap();
        let dose = Quantity::new(108.0, "mg").unwrap();
        let at = |day: f64| Time::from_days(day).unwrap();
        let one = |day: f64| TimedTreatment::new(at(day), Treatment::bolus(agent.clone(), dose.clone()).unwrap());
        let schedule = [one(0.0), one(21.0), one(42.0)];
        let area = Quantity::new(1.8, "m2").unwrap();
        assert!((cumulative_dose(&schedule, &agent, &area, at(21.0)).unwrap() - 120.0).abs() < 1e-12);
        let continuous = [TimedTreatment::new(at(0.0), Treatment::on(agent.clone()))];
        assert!(cumulative_dose(&continuous, &agent, &area, at(1.0)).is_err());
    }
}
