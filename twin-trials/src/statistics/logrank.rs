//! The comparison of survival between groups.

use super::survival::{FollowUp, sorted};
use crate::TrialError;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// What one group contributed to a [`LogRank`] test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupCount {
    /// Subjects in the group.
    pub subjects: usize,
    /// Events observed in the group.
    pub observed: usize,
    /// Events that would be expected if all groups shared one hazard.
    pub expected: f64,
}

/// The result of a log-rank test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRank {
    /// The test statistic: chi-squared distributed if all groups share one hazard.
    pub statistic: f64,
    /// Degrees of freedom: one less than the number of groups that were at risk while events happened.
    pub degrees_of_freedom: usize,
    /// The probability of a statistic at least this large if all groups share one hazard.
    pub p_value: f64,
    /// Observed and expected events of each group, in the order given.
    pub groups: Vec<GroupCount>,
}

/// Compares survival between two or more groups (Mantel 1966; Peto and Peto 1972, doi:10.2307/2344317).
///
/// Tied events enter with the hypergeometric variance. A group that was never at risk while an event happened carries no
/// information; it is listed, and costs no degree of freedom.
///
/// ```
/// use twin_trials::statistics::{FollowUp, log_rank};
/// let standard: Vec<_> = [30.0, 60.0, 90.0, 100.0].map(FollowUp::event).into();
/// let adaptive: Vec<_> = [80.0, 160.0, 200.0, 300.0].map(FollowUp::event).into();
/// let test = log_rank(&[&standard, &adaptive])?;
/// assert_eq!(test.degrees_of_freedom, 1);
/// assert!(test.p_value < 0.1);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Count`] for fewer than two groups, [`TrialError::Empty`] for a group without subjects, [`TrialError::NotFinite`] and
/// [`TrialError::OutOfRange`] for times that are NaN, infinite or negative, and [`TrialError::NothingToCompare`] when no event
/// happened while two groups were at risk, or the events leave nothing to vary.
pub fn log_rank(groups: &[&[FollowUp]]) -> Result<LogRank, TrialError> {
    LogRankTest::default().compare(groups)
}

/// How much the events at one time count.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weighting {
    /// All alike: most powerful against proportional hazards.
    #[default]
    Even,
    /// By the number at risk (Gehan 1965, doi:10.1093/biomet/52.1-2.203).
    AtRisk,
    /// By the square root of the number at risk (Tarone and Ware 1977, doi:10.1093/biomet/64.1.156).
    RootAtRisk,
    /// By `S^ρ (1 - S)^γ`, with the pooled survival just before (Fleming and Harrington 1991): `ρ` for early differences, `γ` for late ones.
    Survival {
        /// The power of the survival.
        rho: f64,
        /// The power of its complement.
        gamma: f64,
    },
}

impl Weighting {
    fn weight(self, at_risk: f64, survival: f64) -> f64 {
        match self {
            Self::Even => 1.0,
            Self::AtRisk => at_risk,
            Self::RootAtRisk => at_risk.sqrt(),
            Self::Survival { rho, gamma } => survival.powf(rho) * (1.0 - survival).powf(gamma),
        }
    }

    fn check(self) -> Result<(), TrialError> {
        let powers = if let Self::Survival { rho, gamma } = self { [rho, gamma] } else { [0.0; 2] };
        match powers.into_iter().enumerate().find(|(_, power)| !(power.is_finite() && *power >= 0.0)) {
            Some((index, value)) => {
                Err(TrialError::OutOfRange { what: "power of a weighting", index, value, valid: "0 or more and finite" })
            }
            None => Ok(()),
        }
    }
}

/// A log-rank test with weights and strata; [`log_rank`] is the one without either.
///
/// ```
/// use twin_trials::statistics::{FollowUp, LogRankTest, Weighting};
/// let standard: Vec<_> = [30.0, 60.0, 90.0, 100.0].map(FollowUp::event).into();
/// let adaptive: Vec<_> = [80.0, 160.0, 200.0, 300.0].map(FollowUp::event).into();
/// let late = LogRankTest { weighting: Weighting::Survival { rho: 0.0, gamma: 1.0 } }.compare(&[&standard, &adaptive])?;
/// assert!(late.p_value > 0.0);
/// // The same patients in two strata, for instance two centers.
/// let centers = [[&standard[..2], &adaptive[..2]], [&standard[2..], &adaptive[2..]]];
/// let stratified = LogRankTest::default().compare_within(&[&centers[0], &centers[1]])?;
/// assert_eq!(stratified.groups[0].subjects, 4);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LogRankTest {
    /// How much the events at one time count.
    pub weighting: Weighting,
}

impl LogRankTest {
    /// Compares survival between two or more groups.
    ///
    /// # Errors
    /// As [`log_rank`], and [`TrialError::OutOfRange`] for a power of the weighting that is negative or not finite.
    pub fn compare(&self, groups: &[&[FollowUp]]) -> Result<LogRank, TrialError> {
        self.compare_within(&[groups])
    }

    /// Compares survival between the same groups within strata (strata × groups): observed less expected events and their covariance
    /// are added over strata. A group may be empty in some strata, not in all.
    ///
    /// # Errors
    /// As [`LogRankTest::compare`]; [`TrialError::Length`] for a stratum with another number of groups than the first.
    pub fn compare_within(&self, strata: &[&[&[FollowUp]]]) -> Result<LogRank, TrialError> {
        self.weighting.check()?;
        let count = strata.first().map_or(0, |groups| groups.len());
        if count < 2 {
            return Err(TrialError::Count { what: "number of groups to compare", count, valid: "2 or more" });
        }
        if let Some(groups) = strata.iter().find(|groups| groups.len() != count) {
            let (what, reference) = ("the list of groups of a stratum", "the first stratum");
            return Err(TrialError::Length { what, found: groups.len(), reference, expected: count });
        }
        let empty = |group: usize| strata.iter().all(|groups| groups.get(group).is_none_or(|subjects| subjects.is_empty()));
        if (0..count).any(empty) {
            return Err(TrialError::Empty { what: "the list of follow-ups" });
        }
        let mut tally = Tally::of_none(count);
        for groups in strata {
            tally.add_stratum(groups, self.weighting)?;
        }
        let informative: Vec<usize> = (0..count).filter(|&group| tally.expected(group) > 0.0).collect();
        let nothing = TrialError::NothingToCompare { groups: count, events: tally.shared_events };
        let Some((_, free)) = informative.split_last() else {
            return Err(nothing);
        };
        let Some(statistic) = tally.quadratic_form(free).filter(|_| !free.is_empty()) else {
            return Err(nothing);
        };
        let p_value = ChiSquared::new(free.len() as f64).map_or(f64::NAN, |law| law.sf(statistic));
        Ok(LogRank { statistic, degrees_of_freedom: free.len(), p_value, groups: tally.counts })
    }
}

/// Observed and expected events, their weighted difference and its covariance, summed over the times at which events happened.
struct Tally {
    counts: Vec<GroupCount>,
    score: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    shared_events: usize,
}

impl Tally {
    fn of_none(groups: usize) -> Self {
        let counts = vec![GroupCount { subjects: 0, observed: 0, expected: 0.0 }; groups];
        Self { counts, score: vec![0.0; groups], covariance: vec![vec![0.0; groups]; groups], shared_events: 0 }
    }

    fn add_stratum(&mut self, groups: &[&[FollowUp]], weighting: Weighting) -> Result<(), TrialError> {
        let mut pooled: Vec<(FollowUp, usize)> = Vec::new();
        let mut at_risk = Vec::with_capacity(groups.len());
        for (group, follow_ups) in groups.iter().enumerate() {
            at_risk.push(follow_ups.len());
            if !follow_ups.is_empty() {
                pooled.extend(sorted(follow_ups)?.into_iter().map(|subject| (subject, group)));
            }
        }
        self.counts.iter_mut().zip(&at_risk).for_each(|(count, subjects)| count.subjects += subjects);
        pooled.sort_by(|(a, _), (b, _)| a.time.total_cmp(&b.time));
        let mut survival = 1.0;
        for tied in pooled.chunk_by(|(a, _), (b, _)| a.time.total_cmp(&b.time).is_eq()) {
            let (n, d) = (at_risk.iter().sum::<usize>() as f64, tied.iter().filter(|(subject, _)| subject.event).count() as f64);
            self.add(tied, &at_risk, weighting.weight(n, survival));
            survival *= (n - d) / n;
            for (_, group) in tied {
                if let Some(left) = at_risk.get_mut(*group) {
                    *left -= 1;
                }
            }
        }
        Ok(())
    }

    fn expected(&self, group: usize) -> f64 {
        self.counts.get(group).map_or(0.0, |count| count.expected)
    }

    /// Adds the subjects whose follow-up ends at one time, when `at_risk` of each group were still under observation.
    fn add(&mut self, tied: &[(FollowUp, usize)], at_risk: &[usize], weight: f64) {
        let events = tied.iter().filter(|(subject, _)| subject.event).count();
        if events == 0 {
            return;
        }
        for (_, group) in tied.iter().filter(|(subject, _)| subject.event) {
            if let (Some(count), Some(score)) = (self.counts.get_mut(*group), self.score.get_mut(*group)) {
                count.observed += 1;
                *score += weight;
            }
        }
        if at_risk.iter().filter(|&&left| left > 0).count() > 1 {
            self.shared_events += events;
        }
        let total: usize = at_risk.iter().sum();
        let (n, d) = (total as f64, events as f64);
        let ties = if total > 1 { weight * weight * d * (n - d) / (n - 1.0) } else { 0.0 };
        let groups = self.counts.iter_mut().zip(&mut self.score).zip(&mut self.covariance);
        for ((i, ((count, score), row)), &mine) in groups.enumerate().zip(at_risk) {
            let share = mine as f64 / n;
            count.expected += d * share;
            *score -= weight * d * share;
            for ((j, cell), &other) in row.iter_mut().enumerate().zip(at_risk) {
                let same = if i == j { 1.0 } else { 0.0 };
                *cell += ties * share * (same - other as f64 / n);
            }
        }
    }

    /// `zᵀ V⁻¹ z` over the groups in `free`, where `z` is the weighted observed less expected; `None` when `V` is singular.
    fn quadratic_form(&self, free: &[usize]) -> Option<f64> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(free.len());
        for &group in free {
            let mut row: Vec<f64> = free.iter().filter_map(|&other| self.covariance.get(group)?.get(other).copied()).collect();
            row.push(*self.score.get(group)?);
            rows.push(row);
        }
        // Elimination without pivoting, as the matrix is a covariance: each pivot is a variance given the groups before.
        let mut sum = 0.0;
        for step in 0..free.len() {
            let (done, rest) = rows.split_at_mut(step + 1);
            let pivot_row = done.last()?;
            let (pivot, rhs) = (*pivot_row.get(step)?, *pivot_row.last()?);
            let own = *free.get(step)?;
            let scale = *self.covariance.get(own)?.get(own)?;
            if pivot.is_nan() || pivot <= scale * 1e-12 {
                return None;
            }
            sum += rhs * rhs / pivot;
            for row in rest {
                let factor = row.get(step)? / pivot;
                row.iter_mut().zip(pivot_row).for_each(|(cell, above)| *cell -= factor * above);
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    fn events(times: &[f64]) -> Vec<FollowUp> {
        times.iter().copied().map(FollowUp::event).collect()
    }

    #[test]
    fn freireich1963_log_rank() {
        // 6-mercaptopurine against placebo, weeks in remission, with many ties: chi-squared 16.79 on 1 degree of freedom, observed
        // 9 and 21, expected 19.25 and 10.75 (Cox and Oakes 1984, section 7.3; Kleinbaum and Klein 2012, chapter 2).
        let mut treated = events(&[6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0]);
        let censored = [6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0];
        treated.extend(censored.map(FollowUp::censored));
        let placebo = events(&[
            1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 5.0, 8.0, 8.0, 8.0, 8.0, 11.0, 11.0, 12.0, 12.0, 15.0, 17.0, 22.0, 23.0,
        ]);
        let test = log_rank(&[&treated, &placebo]).unwrap();
        close(test.statistic, 16.79, 0.005);
        assert_eq!(test.degrees_of_freedom, 1);
        close(test.p_value, 4.17e-5, 5e-7);
        let [treated, placebo] = [test.groups.first().unwrap(), test.groups.last().unwrap()];
        assert_eq!((treated.observed, placebo.observed), (9, 21));
        close(treated.expected, 19.25, 0.005);
        close(placebo.expected, 10.75, 0.005);
    }

    #[test]
    fn a_hand_computed_test() {
        // Events of a at 1 and 2, of b at 3 and 4. E_a = 2/4 + 1/3, V = 1/4 + 2/9; (2 - 5/6)² / (17/36) = 49/17.
        let test = log_rank(&[&events(&[1.0, 2.0]), &events(&[3.0, 4.0])]).unwrap();
        close(test.statistic, 49.0 / 17.0, 1e-12);
        close(test.groups.first().unwrap().expected, 5.0 / 6.0, 1e-12);
    }

    #[test]
    fn tied_events_take_the_hypergeometric_variance() {
        // One time, 2 events of 4 at risk, both in a: E = 1, V = 2 · 2/3 · 1/4 = 1/3; (2 - 1)² · 3 = 3.
        let mut b = events(&[]);
        b.extend([FollowUp::censored(2.0), FollowUp::censored(2.0)]);
        close(log_rank(&[&events(&[1.0, 1.0]), &b]).unwrap().statistic, 3.0, 1e-12);
    }

    #[test]
    fn the_order_of_groups_does_not_matter() {
        let groups = [events(&[1.0, 5.0, 9.0]), events(&[2.0, 3.0, 8.0]), events(&[4.0, 9.0, 12.0])];
        let [a, b, c] = groups.each_ref().map(Vec::as_slice);
        let (forward, backward) = (log_rank(&[a, b, c]).unwrap(), log_rank(&[c, a, b]).unwrap());
        close(forward.statistic, backward.statistic, 1e-12);
        assert_eq!(forward.degrees_of_freedom, 2);
    }

    #[test]
    fn identical_groups_do_not_differ() {
        let group = events(&[1.0, 2.0, 3.0]);
        let test = log_rank(&[&group, &group]).unwrap();
        close(test.statistic, 0.0, 1e-12);
        close(test.p_value, 1.0, 1e-6);
    }

    #[test]
    fn a_group_that_left_before_the_first_event_costs_no_degree_of_freedom() {
        let gone = [FollowUp::censored(0.5)];
        let test = log_rank(&[&gone, &events(&[1.0, 2.0]), &events(&[3.0, 4.0])]).unwrap();
        assert_eq!(test.degrees_of_freedom, 1);
        close(test.statistic, 49.0 / 17.0, 1e-12);
    }

    #[test]
    fn refuses_what_cannot_be_compared() {
        let group = events(&[1.0, 2.0]);
        assert!(matches!(log_rank(&[&group]), Err(TrialError::Count { count: 1, .. })));
        assert!(matches!(log_rank(&[&group, &[]]), Err(TrialError::Empty { .. })));
        assert!(matches!(log_rank(&[&group, &[FollowUp::event(f64::NAN)]]), Err(TrialError::NotFinite { .. })));
        let quiet = [FollowUp::censored(3.0)];
        assert!(matches!(log_rank(&[&quiet, &quiet]), Err(TrialError::NothingToCompare { events: 0, .. })));
        // everybody has the event at once: the numbers of events cannot vary
        let at_once = events(&[1.0, 1.0]);
        assert!(matches!(log_rank(&[&at_once, &at_once]), Err(TrialError::NothingToCompare { groups: 2, events: 4 })));
    }
}
