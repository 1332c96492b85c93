//! Hand-foot syndrome under sunitinib.

use crate::Source;
use crate::check::{not_negative, positive, within};
use twin_core::{CoreError, Random};

/// Grades of hand-foot syndrome: none, 1, 2, and 3 or more.
const GRADES: usize = 4;

/// Hand-foot syndrome from one assessment to the next: a Markov chain of first order over the grades 0 to 3 (3 stands for 3 or more), each
/// row of it a model of proportional odds that is moved by a biomarker.
///
/// From grade `i`, with the biomarker at the relative change `c` from its baseline, the log odds of grade `j` or more at the next
/// assessment are `b(i,1) + ... + b(i,j) + s(i) c`.
///
/// ```
/// use twin_models::toxicity::{HandFootSyndrome, soluble_receptor_change};
/// // Four weeks of treatment and two without, assessed week by week; exposure in mg·h/L a day.
/// let daily: Vec<f64> = (0..42).map(|day| if day < 28 { 2.0 } else { 0.0 }).collect();
/// let changes: Vec<f64> = soluble_receptor_change(&daily, 16.7, 1.0)?.into_iter().skip(6).step_by(7).collect();
/// let shares = HandFootSyndrome::sunitinib().shares(0, &changes)?;
/// assert!(shares.len() == 6 && shares[3][0] < shares[0][0]);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HandFootSyndrome {
    /// `b(i,j)`: row by row the grade now, then the grade 1, 2 and 3 to be reached.
    pub thresholds: [[f64; 3]; GRADES],
    /// `s(i)`: by the grade now, how much the log odds change when the biomarker doubles.
    pub slopes: [f64; GRADES],
    /// Where the values come from.
    pub source: Source,
}

impl HandFootSyndrome {
    /// The typical patient under sunitinib; the biomarker is the soluble receptor 3 of the vascular endothelial growth factor. 303 patients with
    /// gastrointestinal stromal tumors.
    ///
    /// The interval between assessments is not part of what was at hand, so time is counted in assessments: the implementation from which
    /// the values were taken makes it a week, and what it says of persistence would fit a day better. Left out are the differences
    /// between patients (the first log odds from grade 0 have a variance of 9.4), which spread the risk far more widely than one typical
    /// patient shows.
    #[must_use]
    pub const fn sunitinib() -> Self {
        Self {
            thresholds: [[-10.4, -0.974, -1.59], [2.29, -9.53, -1.33], [3.04, -0.747, -9.09], [3.4, -1.65, -0.453]],
            slopes: [-8.0, -6.05, -3.23, -4.75],
            source: Source::published(
                "Hansson et al. 2013, doi:10.1038/psp.2013.62, Table 3, as in a public implementation of it; the interval between assessments is not confirmed",
            ),
        }
    }

    /// The probabilities of the grades at the next assessment: by the grade now (rows) and the grade then, at the relative change `change` of
    /// the biomarker.
    ///
    /// # Errors
    /// [`CoreError`] for a change that is not finite or below -1, or thresholds after the first of a row that are above 0: a higher grade
    /// would be likelier to be reached than a lower one.
    pub fn transition(&self, change: f64) -> Result<[[f64; GRADES]; GRADES], CoreError> {
        let change = within("relative change of a biomarker", change, change >= -1.0, "-1 or more")?;
        let mut rows = [[0.0; GRADES]; GRADES];
        for ((row, thresholds), slope) in rows.iter_mut().zip(&self.thresholds).zip(&self.slopes) {
            let mut log_odds = slope * change;
            let mut at_least = 1.0;
            let (last, others) = row.split_last_mut().map_or((None, [].as_mut_slice()), |(last, others)| (Some(last), others));
            for (number, (share, threshold)) in others.iter_mut().zip(thresholds).enumerate() {
                let holds = number == 0 || *threshold <= 0.0;
                log_odds += within("threshold of a higher grade", *threshold, holds, "0 or less, after the first of a row")?;
                let higher = 1.0 / (1.0 + (-log_odds).exp());
                *share = at_least - higher;
                at_least = higher;
            }
            if let Some(last) = last {
                *last = at_least;
            }
        }
        Ok(rows)
    }

    /// The shares of patients at each grade, at each of the assessments at which the biomarker has the relative `changes`, of patients that start
    /// at `grade`: (assessments × grades).
    ///
    /// # Errors
    /// [`CoreError`] for a grade above 3, and as [`HandFootSyndrome::transition`].
    pub fn shares(&self, grade: u8, changes: &[f64]) -> Result<Vec<[f64; GRADES]>, CoreError> {
        let mut shares = [0.0; GRADES];
        *shares.get_mut(usize::from(grade)).ok_or_else(|| beyond(grade))? = 1.0;
        let next = |&change: &f64| {
            let mut then = [0.0; GRADES];
            for (row, share) in self.transition(change)?.iter().zip(shares) {
                then.iter_mut().zip(row).for_each(|(sum, probability)| *sum += share * probability);
            }
            shares = then;
            Ok(then)
        };
        changes.iter().map(next).collect()
    }

    /// The grades of one patient that starts at `grade`, drawn at each of the assessments.
    ///
    /// # Errors
    /// As [`HandFootSyndrome::shares`].
    pub fn draw(&self, grade: u8, changes: &[f64], random: &mut Random) -> Result<Vec<u8>, CoreError> {
        let mut now = grade;
        let next = |&change: &f64| {
            let rows = self.transition(change)?;
            let row = rows.get(usize::from(now)).ok_or_else(|| beyond(now))?;
            let (drawn, mut at_most) = (random.uniform(), 0.0);
            now = 0;
            for share in row.split_last().map_or([].as_slice(), |(_, others)| others) {
                at_most += share;
                now += u8::from(drawn >= at_most);
            }
            Ok(now)
        };
        changes.iter().map(next).collect()
    }
}

fn beyond(grade: u8) -> CoreError {
    CoreError::OutOfRange { what: "grade of hand-foot syndrome", value: f64::from(grade), valid: "0, 1, 2 or 3" }
}

/// The relative change of the soluble receptor 3 of the vascular endothelial growth factor at the end of each day, by the exposure of the day
/// (area under the curve of sunitinib and its active metabolite, in mg·h/L): the receptor is produced the slower, down to nothing, the higher
/// the exposure, to the half of it at `half_exposure`, and lost with `residence_days`. 16.7 days and 1 mg·h/L in a typical patient:
/// Hansson et al. 2013, doi:10.1038/psp.2013.61, as in a public implementation of it.
///
/// # Errors
/// [`CoreError`] for an exposure that is negative, or a residence time or half exposure that is not above 0.
pub fn soluble_receptor_change(daily_exposure: &[f64], residence_days: f64, half_exposure: f64) -> Result<Vec<f64>, CoreError> {
    let residence = positive("residence time in d", residence_days)?;
    let half = positive("exposure of half the inhibition in mg.h/L", half_exposure)?;
    let mut change = 0.0;
    let day = |&exposure: &f64| {
        let exposure = not_negative("daily exposure in mg.h/L", exposure)?;
        let limit = -exposure / (half + exposure);
        change = limit + (change - limit) * (-1.0 / residence).exp();
        Ok(change)
    };
    daily_exposure.iter().map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_probabilities_and_a_lower_receptor_means_higher_grades() {
        let model = HandFootSyndrome::sunitinib();
        for change in [-0.9, -0.5, 0.0, 0.4] {
            for row in model.transition(change).unwrap() {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-14 && row.iter().all(|share| (0.0..=1.0).contains(share)));
            }
        }
        let (low, none) = (model.transition(-0.6).unwrap(), model.transition(0.0).unwrap());
        assert!(low.iter().zip(&none).all(|(low, none)| low[0] < none[0] && low[3] > none[3]));
        assert!(model.transition(-1.1).is_err() && model.transition(f64::NAN).is_err() && model.shares(4, &[0.0]).is_err());
        let mut wrong = model;
        wrong.thresholds[2][1] = 0.1;
        assert!(wrong.transition(0.0).is_err());
    }

    #[test]
    fn drawn_grades_have_the_shares() {
        let (model, changes) = (HandFootSyndrome::sunitinib(), [-0.8; 8]);
        let shares = model.shares(1, &changes).unwrap();
        let root = Random::new(3);
        let (mut counts, patients) = ([[0.0_f64; GRADES]; 8], 20_000);
        for patient in 0..patients {
            let grades = model.draw(1, &changes, &mut root.stream(patient)).unwrap();
            grades.iter().zip(&mut counts).for_each(|(&grade, counts)| counts[usize::from(grade)] += 1.0);
        }
        for (counts, shares) in counts.iter().zip(&shares) {
            for (count, share) in counts.iter().zip(shares) {
                let spread = (share * (1.0 - share) / patients as f64).sqrt();
                assert!((count / patients as f64 - share).abs() < 5.0 * spread + 1e-12, "{count} and {share}");
            }
        }
    }

    #[test]
    fn the_receptor_falls_under_exposure_and_comes_back() {
        let daily: Vec<f64> = (0..400).map(|day| if day < 200 { 3.0 } else { 0.0 }).collect();
        let changes = soluble_receptor_change(&daily, 16.7, 1.0).unwrap();
        assert!((changes[199] + 0.75).abs() < 1e-4 && changes[399].abs() < 1e-4);
        assert!(soluble_receptor_change(&[-1.0], 16.7, 1.0).is_err() && soluble_receptor_change(&[1.0], 0.0, 1.0).is_err());
    }
}
