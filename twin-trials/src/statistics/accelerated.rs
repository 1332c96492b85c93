//! Parametric regression of times on covariates.

use super::coefficient::{Coefficient, find};
use super::newton::{Maximum, Point, maximize};
use super::period::{self, Period};
use crate::TrialError;
use nalgebra::{DMatrix, DVector};
use twin_models::survival::{Lifetime, TimeLaw};

const WHAT: &str = "accelerated failure time regression";

/// Accelerated failure time regression (Kalbfleisch and Prentice 2002, chapter 3): `ln T = β₀ + βᵀx + σ W`, with `W` of a
/// [`TimeLaw`]. A covariate multiplies times by `exp(β)` per unit.
///
/// A period with a start counts as late entry, and weights count. Strata are refused.
///
/// ```
/// use twin_models::survival::TimeLaw;
/// use twin_trials::statistics::{AcceleratedRegression, FollowUp, Period};
/// let treated = [(80.0, true), (160.0, true), (200.0, false), (300.0, true)];
/// let control = [(30.0, true), (60.0, true), (90.0, true), (210.0, false)];
/// let arm = |rows: [(f64, bool); 4], x: f64| rows.map(|(time, event)| Period::new(FollowUp { time, event }, [x]));
/// let periods = [arm(treated, 1.0), arm(control, 0.0)].concat();
/// let fit = AcceleratedRegression::new(TimeLaw::Weibull).fit(&["treated"], &periods)?;
/// assert!(fit.coefficient("treated")?.ratio() > 1.0); // times are longer
/// assert!(fit.lifetime(&[1.0])?.median() > fit.lifetime(&[0.0])?.median());
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcceleratedRegression {
    /// The law of the times.
    pub law: TimeLaw,
}

/// What an [`AcceleratedRegression`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceleratedFit {
    /// The law of the times.
    pub law: TimeLaw,
    /// The intercept (called `intercept`), the effects of the covariates in the order of their names, and the logarithm of the scale
    /// (called `ln scale`).
    pub coefficients: Vec<Coefficient>,
    /// Their covariance (coefficients × coefficients).
    pub covariance: Vec<Vec<f64>>,
    /// The log-likelihood of the times.
    pub ln_likelihood: f64,
}

impl AcceleratedRegression {
    /// Regression on times of `law`.
    #[must_use]
    pub const fn new(law: TimeLaw) -> Self {
        Self { law }
    }

    /// Fits the intercept, the coefficients called `names`, and the scale to `periods`.
    ///
    /// # Errors
    /// As [`CoxRegression::fit`](super::CoxRegression::fit); [`TrialError::OutOfRange`] also for a period that ends at 0 and for a
    /// stratum other than 0. `names` may be empty.
    pub fn fit(&self, names: &[&str], periods: &[Period]) -> Result<AcceleratedFit, TrialError> {
        let prepared = Prepared::new(names, periods)?;
        Ok(prepared.hand_back(self.law, &prepared.solve(self.law)?))
    }
}

/// Periods ready for a likelihood: covariates centered and scaled.
pub(super) struct Prepared {
    /// The intercept, the covariates, the logarithm of the scale.
    pub(super) names: Vec<String>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    rows: Vec<Row>,
}

impl Prepared {
    pub(super) fn new(names: &[&str], periods: &[Period]) -> Result<Self, TrialError> {
        period::check(names, periods)?;
        for (index, period) in periods.iter().enumerate() {
            if period.follow_up.time <= 0.0 {
                return Err(TrialError::OutOfRange {
                    what: "end of period",
                    index,
                    value: period.follow_up.time,
                    valid: "above 0",
                });
            }
            if period.stratum != 0 {
                let (what, value, valid) = ("stratum of period", period.stratum as f64, "0: this regression has no strata");
                return Err(TrialError::OutOfRange { what, index, value, valid });
            }
        }
        let events = periods.iter().filter(|period| period.follow_up.event).count();
        if events == 0 {
            return Err(TrialError::NothingToCompare { groups: periods.len(), events });
        }
        let width = names.len();
        let inner = names.iter().copied().map(str::to_owned);
        let names: Vec<String> = std::iter::once("intercept".to_owned()).chain(inner).chain(["ln scale".to_owned()]).collect();
        let flat = |index: usize| TrialError::NotIdentified { what: WHAT, name: names.get(index + 1).cloned().unwrap_or_default() };
        let (means, deviations) = period::moments(width, periods).map_err(flat)?;
        let row = |period: &Period| {
            let scaled = period.covariates.iter().zip(means.iter().zip(&deviations)).map(|(x, (m, s))| (x - m) / s);
            Row {
                ln_start: period.start.filter(|start| *start > 0.0).map(f64::ln),
                ln_end: period.follow_up.time.ln(),
                event: period.follow_up.event,
                weight: period.weight,
                design: std::iter::once(1.0).chain(scaled).collect(),
            }
        };
        let rows = periods.iter().map(row).collect();
        Ok(Self { names, means, deviations, rows })
    }

    /// The most likely coefficients of the scaled covariates, with times of `law`.
    pub(super) fn solve(&self, law: TimeLaw) -> Result<Maximum, TrialError> {
        maximize(WHAT, &self.names, self.start(), |place| Some(self.at(law, place)))
    }

    /// From centered and scaled covariates back to the given ones.
    pub(super) fn hand_back(&self, law: TimeLaw, found: &Maximum) -> AcceleratedFit {
        let size = self.names.len();
        let mut back = DMatrix::<f64>::identity(size, size);
        for (i, (mean, deviation)) in self.means.iter().zip(&self.deviations).enumerate() {
            back[(i + 1, i + 1)] = 1.0 / deviation;
            back[(0, i + 1)] = -mean / deviation;
        }
        let (estimates, covariance) = (&back * &found.coefficients, &back * &found.covariance * back.transpose());
        let coefficient = |(index, name): (usize, &String)| Coefficient {
            name: name.clone(),
            estimate: estimates[index],
            standard_error: covariance[(index, index)].sqrt(),
        };
        AcceleratedFit {
            law,
            coefficients: self.names.iter().enumerate().map(coefficient).collect(),
            covariance: (0..size).map(|i| (0..size).map(|j| covariance[(i, j)]).collect()).collect(),
            ln_likelihood: found.ln_likelihood,
        }
    }

    /// Mean and spread of the logarithms of the times, no effects.
    fn start(&self) -> DVector<f64> {
        let count = self.rows.len() as f64;
        let mean = self.rows.iter().map(|row| row.ln_end).sum::<f64>() / count;
        let variance = self.rows.iter().map(|row| (row.ln_end - mean).powi(2)).sum::<f64>() / count;
        let mut start = DVector::zeros(self.names.len());
        let last = start.len() - 1;
        start[0] = mean;
        start[last] = if variance > 0.0 { 0.5 * variance.ln() } else { 0.0 };
        start
    }

    /// The likelihood at a place, with its derivatives.
    pub(super) fn at(&self, law: TimeLaw, place: &DVector<f64>) -> Point {
        let (last, width) = (place.len() - 1, place.len());
        let (ln_scale, scale) = (place[last], place[last].exp());
        let mut point = Point { ln_likelihood: 0.0, gradient: DVector::zeros(width), information: DMatrix::zeros(width, width) };
        for row in &self.rows {
            let location: f64 = row.design.iter().zip(place.iter()).map(|(x, beta)| x * beta).sum();
            let end = (row.ln_end - location) / scale;
            let term = if row.event { law.ln_density(end) } else { law.ln_survival(end) };
            add(&mut point, row, row.weight, scale, end, term);
            if row.event {
                point.ln_likelihood -= row.weight * (ln_scale + row.ln_end);
                point.gradient[last] -= row.weight;
            }
            if let Some(ln_start) = row.ln_start {
                let start = (ln_start - location) / scale;
                add(&mut point, row, -row.weight, scale, start, law.ln_survival(start));
            }
        }
        point.information.fill_upper_triangle_with_lower_triangle();
        point
    }
}

/// One period: logarithms of its times, and 1 followed by its scaled covariates.
struct Row {
    ln_start: Option<f64>,
    ln_end: f64,
    event: bool,
    weight: f64,
    design: Vec<f64>,
}

/// Adds `weight` times a term that depends on `w = (ln t - location) / scale`, given as value, first and second derivative.
fn add(point: &mut Point, row: &Row, weight: f64, scale: f64, w: f64, [value, slope, curvature]: [f64; 3]) {
    let last = row.design.len();
    point.ln_likelihood += weight * value;
    point.gradient[last] -= weight * slope * w;
    point.information[(last, last)] -= weight * (curvature * w * w + slope * w);
    for (i, x) in row.design.iter().enumerate() {
        point.gradient[i] -= weight * slope * x / scale;
        point.information[(last, i)] -= weight * (curvature * w + slope) * x / scale;
        for (j, y) in row.design.iter().enumerate().take(i + 1) {
            point.information[(i, j)] -= weight * curvature * x * y / (scale * scale);
        }
    }
}

impl AcceleratedFit {
    /// The coefficient called `name`.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`].
    pub fn coefficient(&self, name: &str) -> Result<&Coefficient, TrialError> {
        find(&self.coefficients, name)
    }

    /// Akaike's criterion: smaller is better among laws fitted to the same periods.
    #[must_use]
    pub fn akaike(&self) -> f64 {
        2.0 * self.coefficients.len() as f64 - 2.0 * self.ln_likelihood
    }

    /// The law of the times of a subject with constant `covariates`.
    ///
    /// # Errors
    /// [`TrialError::Length`] for another number of covariates than the fit has; [`TrialError::Simulation`] for covariates that give no
    /// finite location.
    pub fn lifetime(&self, covariates: &[f64]) -> Result<Lifetime, TrialError> {
        let expected = self.coefficients.len().saturating_sub(2);
        if covariates.len() != expected {
            return Err(TrialError::Length {
                what: "the list of covariates",
                found: covariates.len(),
                reference: "the list of names",
                expected,
            });
        }
        let effects = std::iter::once(&1.0).chain(covariates).zip(&self.coefficients);
        let location = effects.map(|(x, coefficient)| x * coefficient.estimate).sum();
        let scale = self.coefficients.last().map_or(f64::NAN, |coefficient| coefficient.estimate.exp());
        Ok(Lifetime::new(self.law, location, scale)?)
    }
}
