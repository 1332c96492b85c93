//! What is seen of those who entered, and what the analysis finds.

use super::{Design, Enrolled, Stopping};
use crate::TrialError;
use crate::statistics::{Coefficient, CoxRegression, FollowUp, Period, log_rank, open_unit};

/// One look at the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// When, in days after the first patient could enter.
    pub day: f64,
    /// Events seen by then, in all arms.
    pub events: usize,
    /// Patients who had entered.
    pub entered: usize,
    /// The log-rank statistic: for two arms the standardized one, above 0 where the second arm has fewer events than expected; for more
    /// arms the square root of chi-squared.
    pub statistic: f64,
    /// The size of the statistic that is needed.
    pub boundary: f64,
    /// Whether it is reached.
    pub crossed: bool,
}

/// What became of a trial of a [`Design`].
#[derive(Debug, Clone, PartialEq)]
pub struct Conducted {
    /// Those who entered by the last look, in the order of their entries.
    pub enrolled: Vec<Enrolled>,
    /// The looks, in order; the trial ended at the last.
    pub looks: Vec<Look>,
    /// What was seen by the last look, by arm.
    pub arms: Vec<Vec<FollowUp>>,
    /// Patients whose outcome is not known, because the course failed or could not be evaluated. They are in no arm.
    pub unknown: usize,
}

impl Conducted {
    /// Whether the arms differ significantly: the last look crossed its boundary.
    #[must_use]
    pub fn rejects(&self) -> bool {
        self.looks.last().is_some_and(|look| look.crossed)
    }

    /// The logarithm of the hazard ratio of the second arm to the first, by Cox regression.
    ///
    /// # Errors
    /// As [`CoxRegression::fit`]; [`TrialError::Count`] for other than two arms.
    pub fn hazard_ratio(&self) -> Result<Coefficient, TrialError> {
        if self.arms.len() != 2 {
            return Err(TrialError::Count { what: "number of arms", count: self.arms.len(), valid: "2" });
        }
        let of = |(arm, seen): (usize, &Vec<FollowUp>)| -> Vec<Period> {
            seen.iter().map(|seen| Period::new(*seen, [arm as f64])).collect()
        };
        let periods: Vec<Period> = self.arms.iter().enumerate().flat_map(of).collect();
        let fit = CoxRegression::default().fit(&["arm"], &periods)?;
        fit.coefficient("arm").cloned()
    }
}

/// What is seen by `day`, by arm, with how many are in no arm.
fn seen(enrolled: &[Enrolled], arms: usize, day: f64) -> (Vec<Vec<FollowUp>>, usize) {
    let (mut by_arm, mut unknown) = (vec![Vec::new(); arms], 0);
    for one in enrolled.iter().filter(|one| one.entry <= day) {
        match (one.seen_at(day), by_arm.get_mut(one.arm)) {
            (Some(seen), Some(arm)) => arm.push(seen),
            _ => unknown += 1,
        }
    }
    (by_arm, unknown)
}

fn look(day: f64, arms: &[Vec<FollowUp>], boundary: f64) -> Result<Look, TrialError> {
    let test = log_rank(&arms.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let root = test.statistic.sqrt();
    let fewer = test.groups.get(1).is_some_and(|group| (group.observed as f64) < group.expected);
    let statistic = if arms.len() == 2 && !fewer { -root } else { root };
    let events = arms.iter().flatten().filter(|seen| seen.event).count();
    let entered = arms.iter().map(Vec::len).sum();
    Ok(Look { day, events, entered, statistic, boundary, crossed: statistic.abs() >= boundary })
}

/// The size of a standardized statistic that is significant at the two-sided level, for a chi-squared one of `arms` groups its root.
fn critical(alpha: f64, arms: usize) -> Result<f64, TrialError> {
    use statrs::distribution::{ChiSquared, ContinuousCDF};
    open_unit("alpha", alpha)?;
    let freedom = arms.saturating_sub(1).max(1) as f64;
    let chi_squared = ChiSquared::new(freedom).map_err(|_| TrialError::OutOfRange {
        what: "degrees of freedom",
        index: 0,
        value: freedom,
        valid: "above 0",
    })?;
    Ok(chi_squared.inverse_cdf(1.0 - alpha).sqrt())
}

/// The days of the looks with their boundaries.
fn schedule(design: &Design, arms: usize, enrolled: &[Enrolled]) -> Result<Vec<(f64, f64)>, TrialError> {
    let mut days: Vec<f64> =
        enrolled.iter().filter_map(|one| one.observed().filter(|(_, event)| *event).map(|(time, _)| one.entry + time)).collect();
    days.sort_by(f64::total_cmp);
    let of_event = |number: usize| {
        let none =
            TrialError::Count { what: "events that the design waits for", count: number, valid: "at most those that happen" };
        number.checked_sub(1).and_then(|place| days.get(place)).copied().ok_or(none)
    };
    match &design.stopping {
        Stopping::At(span) => Ok(vec![(span.days(), critical(design.alpha, arms)?)]),
        Stopping::Events(number) => Ok(vec![(of_event(*number)?, critical(design.alpha, arms)?)]),
        Stopping::Looks { boundaries, events } => {
            if arms != 2 {
                return Err(TrialError::Design { what: "the number of arms for several looks", valid: "2" });
            }
            if boundaries.boundaries.len() != events.len() || !events.is_sorted_by(|a, b| a < b) {
                let valid = "ascending, one for each boundary";
                return Err(TrialError::Design { what: "the events at the looks", valid });
            }
            events.iter().zip(&boundaries.boundaries).map(|(number, boundary)| Ok((of_event(*number)?, *boundary))).collect()
        }
    }
}

/// Looks at the data as the design says, until a boundary is crossed.
pub(super) fn analyze(design: &Design, arms: usize, enrolled: Vec<Enrolled>) -> Result<Conducted, TrialError> {
    let mut looks: Vec<Look> = Vec::new();
    let mut last = None;
    for (day, boundary) in schedule(design, arms, &enrolled)? {
        let (by_arm, unknown) = seen(&enrolled, arms, day);
        let found = look(day, &by_arm, boundary)?;
        looks.push(found);
        last = Some((by_arm, unknown));
        if found.crossed {
            break;
        }
    }
    let Some((arms, unknown)) = last else { return Err(TrialError::Empty { what: "the list of looks" }) };
    let end = looks.last().map_or(f64::NAN, |look| look.day);
    let enrolled = enrolled.into_iter().filter(|one| one.entry <= end).collect();
    Ok(Conducted { enrolled, looks, arms, unknown })
}
