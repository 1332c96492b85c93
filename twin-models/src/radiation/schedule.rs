//! What a list of timed fractions is worth, gaps, weekends and twice-daily sessions included.

use super::{AlphaBetaRatio, RepairHalfTime};
use crate::check::{not_negative, positive};
use twin_core::{AbsorbedDose, CoreError, Span, Target, Time, TimedTreatment, Treatment};

/// Repopulation after a kick-off time: the biologically effective dose loses `ln 2 / (α T_p)` Gy a day.
///
/// Fowler 1989, doi:10.1259/0007-1285-62-740-679.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repopulation {
    /// Dose lost per day, in Gy.
    loss: f64,
    /// Days from the first fraction until it sets in.
    kick_off: f64,
}

impl Repopulation {
    /// Repopulation of cells with `alpha` per Gy that double every `doubling_time`, from `kick_off` after the first fraction.
    ///
    /// # Errors
    /// [`CoreError`] unless `alpha` and the doubling time are above 0 and the kick-off is not negative.
    pub fn new(alpha: f64, doubling_time: Span, kick_off: Span) -> Result<Self, CoreError> {
        let alpha = positive("alpha per Gy", alpha)?;
        let doubling = positive("doubling time in days", doubling_time.days())?;
        let kick_off = not_negative("kick-off time in days", kick_off.days())?;
        Ok(Self { loss: std::f64::consts::LN_2 / (alpha * doubling), kick_off })
    }

    /// The dose lost per day after the kick-off, in Gy.
    #[must_use]
    pub const fn daily_loss_gray(self) -> f64 {
        self.loss
    }

    /// The dose lost by a schedule that lasts `overall` from its first to its last fraction, in Gy.
    #[must_use]
    pub fn lost_gray(self, overall: Span) -> f64 {
        self.loss * (overall.days() - self.kick_off).max(0.0)
    }
}

/// How a tissue answers to a schedule.
///
/// ```
/// use twin_core::{AbsorbedDose, Regimen, Span, Target, Time, TimedTreatment, Treatment};
/// use twin_models::radiation::{AlphaBetaRatio, RepairHalfTime, Tissue};
/// let (ptv, dose) = (Target::new("ptv")?, AbsorbedDose::from_gray(1.5)?);
/// let session = |hours: f64| Ok::<_, twin_core::CoreError>(Time::ORIGIN + Span::from_hours(hours)?);
/// let times = [session(0.0)?, session(6.0)?, session(24.0)?];
/// let course: Vec<_> = times.map(|time| TimedTreatment::new(time, Treatment::fraction(dose, ptv.clone()))).into();
/// let slow = Tissue::new(AlphaBetaRatio::from_gray(3.0)?).repairing(RepairHalfTime::from_hours(4.0)?);
/// let quick = Tissue::new(AlphaBetaRatio::from_gray(3.0)?);
/// assert!(slow.biological_dose(&course, &ptv)?.bed_gray > quick.biological_dose(&course, &ptv)?.bed_gray);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tissue {
    ratio: AlphaBetaRatio,
    repair: Option<RepairHalfTime>,
    repopulation: Option<Repopulation>,
}

/// What a schedule is worth in one tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiologicalDose {
    /// The number of fractions.
    pub fractions: usize,
    /// The total dose, in Gy.
    pub total_gray: f64,
    /// From the first fraction to the last.
    pub overall: Span,
    /// The biologically effective dose, in Gy, less what repopulation takes.
    pub bed_gray: f64,
    /// The total dose in fractions of 2 Gy, with complete repair and no repopulation, that is worth the same, in Gy.
    pub eqd2_gray: f64,
    /// What repopulation takes of the biologically effective dose, in Gy.
    pub lost_gray: f64,
}

impl Tissue {
    /// A tissue of the ratio α/β, with complete repair between fractions and without repopulation.
    #[must_use]
    pub const fn new(ratio: AlphaBetaRatio) -> Self {
        Self { ratio, repair: None, repopulation: None }
    }

    /// The same tissue with incomplete repair: every pair of fractions shares damage that was not repaired in between.
    #[must_use]
    pub const fn repairing(mut self, half_time: RepairHalfTime) -> Self {
        self.repair = Some(half_time);
        self
    }

    /// The same tissue with repopulation.
    #[must_use]
    pub const fn repopulating(mut self, repopulation: Repopulation) -> Self {
        self.repopulation = Some(repopulation);
        self
    }

    /// What the fractions to `target` among `treatments` are worth: `Σ d + Σᵢ Σⱼ dᵢ dⱼ exp(-μ |tᵢ - tⱼ|) / (α/β)`, less repopulation.
    /// Fractions to other targets, fractions of 0 Gy and other treatments do not count.
    ///
    /// The double sum is that of Lea and Catcheside for fractions of no duration; without a half-time of repair only equal indices
    /// count. It takes the time of one pass over the fractions in order.
    ///
    /// # Errors
    /// [`CoreError::Count`] if no fraction above 0 Gy goes to `target`; [`CoreError::OutOfRange`] for a list that is out of order.
    pub fn biological_dose(&self, treatments: &[TimedTreatment], target: &Target) -> Result<BiologicalDose, CoreError> {
        let mut fractions = treatments.iter().filter_map(|timed| match &timed.treatment {
            Treatment::Fraction(fraction) if fraction.target == *target && fraction.dose.gray() > 0.0 => {
                Some((timed.time, fraction.dose))
            }
            _ => None,
        });
        let (first, dose) = fractions.next().ok_or(CoreError::Count {
            what: "fractions above 0 Gy to the target",
            count: 0,
            valid: "1 or more",
        })?;
        let mut sum = Sum::of(first, dose);
        for (time, dose) in fractions {
            sum.add(time, dose, self.repair)?;
        }
        let overall = sum.last - first;
        let lost_gray = self.repopulation.map_or(0.0, |repopulation| repopulation.lost_gray(overall));
        let bed_gray = sum.total + sum.pairs / self.ratio.gray() - lost_gray;
        let eqd2_gray = self.ratio.equivalent_of_biologically_effective_dose(bed_gray);
        Ok(BiologicalDose { fractions: sum.count, total_gray: sum.total, overall, bed_gray, eqd2_gray, lost_gray })
    }
}

/// The sums over the fractions so far.
struct Sum {
    count: usize,
    last: Time,
    total: f64,
    pairs: f64,
    /// The dose whose damage is not repaired yet.
    unrepaired: f64,
}

impl Sum {
    fn of(first: Time, dose: AbsorbedDose) -> Self {
        let dose = dose.gray();
        Self { count: 1, last: first, total: dose, pairs: dose * dose, unrepaired: dose }
    }

    fn add(&mut self, time: Time, dose: AbsorbedDose, repair: Option<RepairHalfTime>) -> Result<(), CoreError> {
        let (gap, dose) = (time - self.last, dose.gray());
        not_negative("days from one fraction to the next", gap.days())?;
        self.unrepaired *= repair.map_or(0.0, |half_time| half_time.unrepaired(gap));
        self.pairs += dose * dose + 2.0 * dose * self.unrepaired;
        self.unrepaired += dose;
        self.total += dose;
        self.last = time;
        self.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fractions(hours: &[f64], gray: f64) -> Vec<TimedTreatment> {
        let one = |&hours: &f64| {
            let fraction = Treatment::fraction(AbsorbedDose::from_gray(gray).unwrap(), Target::new("ptv").unwrap());
            TimedTreatment::new(Time::from_days(hours / 24.0).unwrap(), fraction)
        };
        hours.iter().map(one).collect()
    }

    #[test]
    fn one_pass_is_the_double_sum() {
        let hours = [0.0, 6.0, 24.0, 31.0, 72.0, 72.0];
        let half_time = RepairHalfTime::from_hours(4.0).unwrap();
        let tissue = Tissue::new(AlphaBetaRatio::from_gray(3.0).unwrap()).repairing(half_time);
        let found = tissue.biological_dose(&fractions(&hours, 1.5), &Target::new("ptv").unwrap()).unwrap();
        let mut double = 0.0;
        for a in hours {
            for b in hours {
                double += 1.5 * 1.5 * (-std::f64::consts::LN_2 * (a - b).abs() / 4.0).exp();
            }
        }
        assert!((found.bed_gray - (9.0 + double / 3.0)).abs() < 1e-12);
        assert_eq!(found.fractions, 6);
    }

    #[test]
    fn a_gap_costs_dose_only_after_the_kick_off() {
        let repopulation = Repopulation::new(0.3, Span::from_days(3.0).unwrap(), Span::from_days(21.0).unwrap()).unwrap();
        let tissue = Tissue::new(AlphaBetaRatio::from_gray(10.0).unwrap()).repopulating(repopulation);
        let of = |days: f64| {
            tissue.biological_dose(&fractions(&[0.0, days * 24.0], 2.0), &Target::new("ptv").unwrap()).unwrap().bed_gray
        };
        assert_eq!(of(2.0), of(21.0));
        assert!((of(21.0) - of(22.0) - repopulation.daily_loss_gray()).abs() < 1e-12);
    }

    #[test]
    fn fractions_of_no_dose_change_nothing() {
        let repopulation = Repopulation::new(0.3, Span::from_days(3.0).unwrap(), Span::from_days(21.0).unwrap()).unwrap();
        let tissue = Tissue::new(AlphaBetaRatio::from_gray(10.0).unwrap()).repopulating(repopulation);
        let ptv = Target::new("ptv").unwrap();
        let course = fractions(&[0.0, 24.0], 2.0);
        let with_none = [fractions(&[-720.0], 0.0), course.clone(), fractions(&[2160.0], 0.0)].concat();
        assert_eq!(tissue.biological_dose(&with_none, &ptv).unwrap(), tissue.biological_dose(&course, &ptv).unwrap());
        assert!(tissue.biological_dose(&fractions(&[0.0], 0.0), &ptv).is_err());
    }

    #[test]
    fn no_fraction_and_wrong_order_are_refused() {
        let tissue = Tissue::new(AlphaBetaRatio::from_gray(10.0).unwrap());
        let (ptv, other) = (Target::new("ptv").unwrap(), Target::new("other").unwrap());
        assert!(tissue.biological_dose(&fractions(&[0.0], 2.0), &other).is_err());
        assert!(tissue.biological_dose(&fractions(&[24.0, 0.0], 2.0), &ptv).is_err());
    }
}
