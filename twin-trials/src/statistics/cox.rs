//! Cox's regression of hazards on covariates.

use super::coefficient::{Coefficient, find};
use super::concordance::{Concordance, concordance_of};
use super::newton::{Maximum, maximize};
use super::partial_likelihood::PartialLikelihood;
use super::period::{self, Period};
use crate::TrialError;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::BTreeMap;

const WHAT: &str = "Cox regression";

/// How events at the same time share their risk set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The average over the orders in which they may have happened (Efron 1977, doi:10.1080/01621459.1977.10480613).
    #[default]
    Efron,
    /// All from the same full risk set (Breslow 1974, doi:10.2307/2529620).
    Breslow,
}

/// Cox's proportional hazards regression (Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x): the hazard of a subject is a common
/// hazard of its stratum, of any shape, times `exp(βᵀx)`.
///
/// Covariates may change over time: give a subject several [`Period`]s. Strata, late entry and weights are properties of a period.
///
/// ```
/// use twin_trials::statistics::{CoxRegression, FollowUp, Period};
/// let treated = [(80.0, true), (160.0, true), (200.0, false), (300.0, true)];
/// let control = [(30.0, true), (60.0, true), (90.0, true), (210.0, false)];
/// let arm = |rows: [(f64, bool); 4], x: f64| rows.map(|(time, event)| Period::new(FollowUp { time, event }, [x]));
/// let fit = CoxRegression::default().fit(&["treated"], &[arm(treated, 1.0), arm(control, 0.0)].concat())?;
/// assert!(fit.coefficient("treated")?.ratio() < 1.0);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoxRegression {
    /// How tied events are treated.
    pub ties: Ties,
    /// Whether standard errors are robust against a wrong model and against subjects with several periods (Lin and Wei 1989,
    /// doi:10.1080/01621459.1989.10478874): the sandwich of the score residuals, summed by [`Period::subject`].
    pub robust: bool,
}

/// What a [`CoxRegression`] found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxFit {
    /// Log hazard ratios per unit of each covariate, in the order of the names.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance (covariates × covariates), robust where that was asked for.
    pub covariance: Vec<Vec<f64>>,
    /// The log partial likelihood at the estimate.
    pub ln_likelihood: f64,
    /// The log partial likelihood without any covariate.
    pub null_ln_likelihood: f64,
    /// The number of periods.
    pub periods: usize,
    /// The number of events.
    pub events: usize,
    /// How well the fitted hazards order the subjects, pairs within strata only.
    pub concordance: Concordance,
    means: Vec<f64>,
    baseline: BTreeMap<usize, Vec<(f64, f64)>>,
}

impl CoxRegression {
    /// Fits the coefficients called `names` to `periods`.
    ///
    /// # Errors
    /// [`TrialError::Empty`], [`TrialError::NotFinite`], [`TrialError::OutOfRange`] and [`TrialError::Length`] for periods that are
    /// not valid; [`TrialError::NotIdentified`] for a covariate that does not vary, follows from the others, or separates the events;
    /// [`TrialError::NothingToCompare`] without events; [`TrialError::NotConverged`].
    pub fn fit(&self, names: &[&str], periods: &[Period]) -> Result<CoxFit, TrialError> {
        period::check(names, periods)?;
        if names.is_empty() {
            return Err(TrialError::Empty { what: "the list of covariates" });
        }
        let events = periods.iter().filter(|period| period.follow_up.event).count();
        if events == 0 {
            return Err(TrialError::NothingToCompare { groups: periods.len(), events });
        }
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let flat = |index: usize| TrialError::NotIdentified { what: WHAT, name: names.get(index).cloned().unwrap_or_default() };
        let (means, deviations) = period::moments(names.len(), periods).map_err(flat)?;
        let (likelihood, order) = PartialLikelihood::new(periods, &means, &deviations, self.ties);
        let start = DVector::zeros(names.len());
        let null = likelihood.at(&start).ok_or(TrialError::NotConverged { what: WHAT, iterations: 0 })?;
        let found = maximize(WHAT, &names, start, |place| likelihood.at(place))?;
        let covariance = if self.robust { sandwich(&likelihood, &found, periods, &order) } else { found.covariance.clone() };
        let scaled = |i: usize, j: usize| covariance[(i, j)] / (deviations[i] * deviations[j]);
        let coefficient = |(index, name): (usize, String)| Coefficient {
            estimate: found.coefficients[index] / deviations[index],
            standard_error: scaled(index, index).sqrt(),
            name,
        };
        let width = names.len();
        let coefficients: Vec<Coefficient> = names.into_iter().enumerate().map(coefficient).collect();
        let score = |period: &Period| period.covariates.iter().zip(&coefficients).map(|(x, c)| x * c.estimate).sum();
        let scores: Vec<f64> = periods.iter().map(score).collect();
        let mut baseline: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
        for increment in likelihood.baseline(&found.coefficients).into_iter().rev() {
            let steps = baseline.entry(increment.stratum).or_default();
            let before = steps.last().map_or(0.0, |(_, hazard)| *hazard);
            steps.push((increment.time, before + increment.hazard));
        }
        Ok(CoxFit {
            covariance: (0..width).map(|i| (0..width).map(|j| scaled(i, j)).collect()).collect(),
            ln_likelihood: found.ln_likelihood,
            null_ln_likelihood: null.ln_likelihood,
            periods: periods.len(),
            events,
            concordance: concordance_of(periods, &scores)?,
            coefficients,
            means,
            baseline,
        })
    }
}

/// `V DᵀD V`, where the rows of `D` are the score residuals, summed by subject.
fn sandwich(likelihood: &PartialLikelihood, found: &Maximum, periods: &[Period], order: &[usize]) -> DMatrix<f64> {
    let residuals = likelihood.score_residuals(&found.coefficients);
    let mut by_subject: BTreeMap<(bool, usize), DVector<f64>> = BTreeMap::new();
    for (row, &index) in order.iter().enumerate() {
        let subject = periods[index].subject.map_or((false, index), |subject| (true, subject));
        let sum = by_subject.entry(subject).or_insert_with(|| DVector::zeros(residuals.ncols()));
        *sum += residuals.row(row).transpose();
    }
    let width = residuals.ncols();
    let meat = by_subject.values().fold(DMatrix::<f64>::zeros(width, width), |sum, score| sum + score * score.transpose());
    &found.covariance * meat * &found.covariance
}

impl CoxFit {
    /// The coefficient called `name`.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`].
    pub fn coefficient(&self, name: &str) -> Result<&Coefficient, TrialError> {
        find(&self.coefficients, name)
    }

    /// The statistic of the likelihood-ratio test against no effect of any covariate, its degrees of freedom and its p-value.
    #[must_use]
    pub fn likelihood_ratio(&self) -> (f64, usize, f64) {
        let (statistic, degrees) = (2.0 * (self.ln_likelihood - self.null_ln_likelihood), self.coefficients.len());
        (statistic, degrees, ChiSquared::new(degrees as f64).map_or(f64::NAN, |law| law.sf(statistic)))
    }

    /// The log hazard ratio of a subject against one with all covariates at 0.
    ///
    /// # Errors
    /// [`TrialError::Length`] for another number of covariates than the fit has.
    pub fn linear_predictor(&self, covariates: &[f64]) -> Result<f64, TrialError> {
        if covariates.len() != self.coefficients.len() {
            return Err(TrialError::Length {
                what: "the list of covariates",
                found: covariates.len(),
                reference: "the list of coefficients",
                expected: self.coefficients.len(),
            });
        }
        Ok(covariates.iter().zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.estimate).sum())
    }

    /// The probability that a subject of `stratum` with constant `covariates` is free of the event at `time`: `exp(-Λ₀(t) exp(βᵀx))`
    /// with Breslow's cumulative hazard (Efron's where ties are Efron's).
    ///
    /// # Errors
    /// [`TrialError::Length`] as in [`CoxFit::linear_predictor`]; [`TrialError::NotFinite`] for a time that is not finite;
    /// [`TrialError::Count`] for a stratum without events.
    pub fn survival(&self, stratum: usize, covariates: &[f64], time: f64) -> Result<f64, TrialError> {
        if !time.is_finite() {
            return Err(TrialError::NotFinite { what: "time of survival", index: 0, value: time });
        }
        let mean: f64 = self.means.iter().zip(&self.coefficients).map(|(x, coefficient)| x * coefficient.estimate).sum();
        let relative = (self.linear_predictor(covariates)? - mean).exp();
        let Some(steps) = self.baseline.get(&stratum) else {
            return Err(TrialError::Count { what: "stratum", count: stratum, valid: "one in which events happened" });
        };
        let passed = steps.partition_point(|(at, _)| *at <= time);
        let hazard = passed.checked_sub(1).and_then(|last| steps.get(last)).map_or(0.0, |(_, hazard)| *hazard);
        Ok((-hazard * relative).exp())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::statistics::FollowUp;

    /// Weeks in remission (Freireich 1963): placebo and 6-mercaptopurine.
    fn freireich() -> Vec<Period> {
        let placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];
        let events = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
        let mut periods: Vec<Period> = placebo.map(|week| Period::new(FollowUp::event(f64::from(week)), [1.0])).into();
        periods.extend(events.map(|week| Period::new(FollowUp::event(f64::from(week)), [0.0])));
        periods.extend(censored.map(|week| Period::new(FollowUp::censored(f64::from(week)), [0.0])));
        periods
    }

    #[test]
    fn freireich1963_with_either_ties() {
        for (ties, beta, error, value) in [
            (Ties::Breslow, 1.509_191_412_585_878, 0.409_564_406_366_741, -86.379_622_071_145_5),
            (Ties::Efron, 1.572_125_148_829_067, 0.412_396_717_709_456, -85.008_424_577_371_6),
        ] {
            let fit = CoxRegression { ties, robust: false }.fit(&["placebo"], &freireich()).unwrap();
            let found = fit.coefficient("placebo").unwrap();
            assert!((found.estimate - beta).abs() < 1e-9, "{ties:?}: {}", found.estimate);
            assert!((found.standard_error - error).abs() < 1e-9, "{ties:?}: {}", found.standard_error);
            assert!((fit.ln_likelihood - value).abs() < 1e-9, "{ties:?}: {}", fit.ln_likelihood);
        }
    }

    #[test]
    fn splitting_follow_ups_changes_nothing() {
        let whole = CoxRegression { robust: true, ..CoxRegression::default() };
        let periods = freireich();
        let mut split = Vec::new();
        for (subject, period) in periods.iter().enumerate() {
            let end = period.follow_up.time;
            split.push(Period { follow_up: FollowUp::censored(end / 3.0), ..period.clone() }.of(subject));
            split.push(period.clone().from(end / 3.0).of(subject));
        }
        let (a, b) = (whole.fit(&["placebo"], &periods).unwrap(), whole.fit(&["placebo"], &split).unwrap());
        assert!((a.coefficients[0].estimate - b.coefficients[0].estimate).abs() < 1e-10);
        assert!((a.coefficients[0].standard_error - b.coefficients[0].standard_error).abs() < 1e-10);
        assert_eq!(a.concordance, b.concordance);
    }

    #[test]
    fn a_shifted_and_scaled_covariate_is_the_same_covariate() {
        let shifted: Vec<Period> = freireich()
            .into_iter()
            .map(|period| Period { covariates: vec![1e6 + 1e-3 * period.covariates[0]], ..period })
            .collect();
        let fit = CoxRegression::default().fit(&["placebo"], &shifted).unwrap();
        assert!((fit.coefficients[0].estimate * 1e-3 - 1.572_125_148_829).abs() < 1e-6);
    }

    #[test]
    fn what_the_data_cannot_tell_is_refused_by_name() {
        let separated: Vec<Period> = (1..=20)
            .map(|day| Period::new(FollowUp { time: f64::from(day), event: day <= 10 }, [if day <= 10 { 1.0 } else { 0.0 }]))
            .collect();
        let name = |result: Result<CoxFit, TrialError>| match result {
            Err(TrialError::NotIdentified { name, .. }) => name,
            other => format!("{other:?}"),
        };
        assert_eq!(name(CoxRegression::default().fit(&["x"], &separated)), "x");
        let mut twice = freireich();
        twice.iter_mut().for_each(|period| period.covariates.push(2.0 * period.covariates[0] - 1.0));
        assert_eq!(name(CoxRegression::default().fit(&["x", "again"], &twice)), "again");
        twice.iter_mut().for_each(|period| period.covariates[1] = 7.0);
        assert_eq!(name(CoxRegression::default().fit(&["x", "flat"], &twice)), "flat");
    }

    #[test]
    fn bad_periods_are_refused() {
        let fit = |periods: &[Period]| CoxRegression::default().fit(&["x"], periods);
        assert!(fit(&[]).is_err());
        let good = Period::new(FollowUp::event(2.0), [1.0]);
        let other = Period::new(FollowUp::censored(3.0), [0.0]);
        for bad in [
            good.clone().from(2.0),
            good.clone().from(f64::NAN),
            good.clone().weighing(0.0),
            Period::new(FollowUp::event(-1.0), [1.0]),
            Period::new(FollowUp::event(2.0), [f64::INFINITY]),
            Period::new(FollowUp::event(2.0), [1.0, 2.0]),
        ] {
            assert!(fit(&[bad.clone(), other.clone()]).is_err(), "{bad:?}");
        }
        assert!(matches!(fit(&[other.clone(), other]), Err(TrialError::NothingToCompare { .. })));
    }
}
