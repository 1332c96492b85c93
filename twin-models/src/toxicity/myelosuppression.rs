//! Blood counts under a drug, and their grades.

use crate::composition::{Outline, Response, RunningResponse, Tumor};
use crate::{ParameterSet, ParameterSpec, Scalar, Source, parameters};
use twin_core::{CoreError, Observable};

const FRIBERG: Source = Source::assumed("replaced by the constructor");

parameters! {
    /// Parameters of [`Friberg`].
    pub(crate) struct FribergParameters {
        baseline: "10*9/L" in 1.0..=20.0, default 5.0, "Count without the drug", FRIBERG;
        transit_time: "h" in 40.0..=300.0, default 90.0, "Mean time from the marrow to the blood", FRIBERG;
        feedback: "1" in 0.05..=0.5, default 0.16, "Exponent of the feedback of the count on the marrow", FRIBERG;
        slope: "L/umol" in 0.01..=100.0, default 10.0, "Inhibition of the marrow per concentration", FRIBERG;
    }
}

/// Myelosuppression after Friberg: proliferating cells in the marrow, three stages of maturation, circulating cells, and a feedback.
///
/// `P' = k P ((1 - s C) (B/N)^γ - 1)`, `T₁' = k (P - T₁)`, ..., `N' = k (T₃ - N)`, with `k = 4 / MTT` and the concentration in µmol/L.
/// Integrated in logarithms, so that a count never becomes negative.
///
/// A body has one marrow: a second one, of another drug, is refused.
///
/// Friberg et al. 2002, doi:10.1200/JCO.2002.02.140.
#[derive(Debug, Clone, PartialEq)]
pub struct Friberg {
    cells: Observable,
    molar_mass: f64,
    defaults: [f64; 4],
    source: Source,
}

impl Friberg {
    /// The counts of `cells` under a drug of `molar_mass_g_per_mol`, with `defaults` for baseline (10⁹/L), transit time (h), feedback and
    /// slope (L/µmol), from `source`.
    ///
    /// # Errors
    /// [`CoreError`] for a molar mass that is not above 0, or defaults outside the ranges: baseline 1 to 20, transit time 40 to 300,
    /// feedback 0.05 to 0.5, slope 0.01 to 100.
    pub fn new(cells: Observable, molar_mass_g_per_mol: f64, defaults: [f64; 4], source: Source) -> Result<Self, CoreError> {
        let molar_mass = crate::check::positive("molar mass in g/mol", molar_mass_g_per_mol)?;
        for (spec, &value) in FribergParameters::specs().iter().zip(&defaults) {
            let holds = (spec.low..=spec.high).contains(&value);
            crate::check::within("default of myelosuppression", value, holds, "in the range of its parameter")?;
        }
        Ok(Self { cells, molar_mass, defaults, source })
    }

    /// Leukocytes under paclitaxel (DDMODEL00000186).
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn paclitaxel() -> Result<Self, CoreError> {
        let source = Source::published("DDMODEL00000186, leukocytes under paclitaxel");
        Self::new(Observable::new("leukocytes")?, 853.9, [7.21, 124.0, 0.239, 28.9], source)
    }

    /// Neutrophils under docetaxel (Kloft et al. 2006, as in DDMODEL00000224).
    ///
    /// # Errors
    /// None for the values as they stand.
    pub fn docetaxel() -> Result<Self, CoreError> {
        let source = Source::published("Kloft et al. 2006, as in DDMODEL00000224, neutrophils under docetaxel");
        Self::new(Observable::NEUTROPHILS, 807.9, [5.22, 84.2, 0.145, 15.6], source)
    }
}

/// [`Friberg`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningFriberg<T = f64> {
    ln_baseline: T,
    rate: T,
    feedback: T,
    /// Per mg/L.
    slope: T,
}

impl Response for Friberg {
    type Running<T: Scalar> = RunningFriberg<T>;

    fn outline(&self, drug: &str) -> Outline {
        let mut outline = Outline::new("friberg");
        let named = |(mut spec, &default): (ParameterSpec, &f64)| {
            spec.name = format!("{drug}_marrow_{}", spec.name).into();
            (spec.default, spec.source) = (default, self.source.clone());
            spec
        };
        outline.parameters.extend(FribergParameters::specs().into_iter().zip(&self.defaults).map(named));
        // Without the name of the drug: two drugs that each have a marrow of their own would be two bodies.
        outline = outline.unbounded_state("marrow_ln_proliferating".to_owned(), "1", 1e-9);
        for stage in 1..=3 {
            outline = outline.unbounded_state(format!("marrow_ln_maturing_{stage}"), "1", 1e-9);
        }
        outline = outline.unbounded_state("marrow_ln_circulating".to_owned(), "1", 1e-9);
        outline.observes(self.cells.clone(), "10*9/L", 0.0)
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<RunningFriberg<T>> {
        let p = FribergParameters::from_values(values)?;
        let slope = p.slope * 1000.0 / self.molar_mass;
        Some(RunningFriberg {
            ln_baseline: p.baseline.ln(),
            rate: T::from(4.0 * 24.0) / p.transit_time,
            feedback: p.feedback,
            slope,
        })
    }
}

impl<T: Scalar> RunningResponse<T> for RunningFriberg<T> {
    fn start(&self, x: &mut [T]) {
        x.fill(self.ln_baseline);
    }

    #[inline(always)]
    fn rates(&self, x: &[T], concentration: T, _tumor: &Tumor<T>, dx: &mut [T]) {
        if let (&[_, .., circulating], [of_proliferating, ..]) = (x, &mut *dx) {
            let feedback = (self.feedback * (self.ln_baseline - circulating)).exp();
            *of_proliferating = self.rate * ((T::from(1.0) - self.slope * concentration) * feedback - 1.0);
        }
        for (pair, of_later) in x.windows(2).zip(dx.iter_mut().skip(1)) {
            if let &[before, later] = pair {
                *of_later = self.rate * (before - later).exp_m1();
            }
        }
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        if let (Some(ln_count), Some(count)) = (x.last(), y.first_mut()) {
            *count = ln_count.exp();
        }
    }
}

/// The CTCAE grade (version 5) of a neutrophil count in 10⁹/L: 4 below 0.5, 3 below 1.0, 2 below 1.5, 1 below `lower_limit` of normal,
/// 0 otherwise.
///
/// ```
/// use twin_models::toxicity::neutropenia_grade;
/// assert_eq!(neutropenia_grade(0.7, 2.0)?, 3);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a count that is negative or not finite, or a lower limit that is not finite or below 1.5.
pub fn neutropenia_grade(count: f64, lower_limit: f64) -> Result<u8, CoreError> {
    let count = crate::check::not_negative("neutrophil count in 10*9/L", count)?;
    let what = "lower limit of normal neutrophils in 10*9/L";
    let limit = crate::check::within(what, lower_limit, lower_limit >= 1.5, "1.5 or more")?;
    Ok([limit, 1.5, 1.0, 0.5].iter().map(|&below| u8::from(count < below)).sum())
}

/// The CTCAE grade (version 5, "white blood cell decreased") of a leukocyte count in 10⁹/L: 4 below 1.0, 3 below 2.0, 2 below 3.0, 1 below
/// `lower_limit` of normal, 0 otherwise.
///
/// ```
/// use twin_models::toxicity::leukopenia_grade;
/// assert_eq!(leukopenia_grade(2.995, 4.0)?, 2);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a count that is negative or not finite, or a lower limit that is not finite or below 3.
pub fn leukopenia_grade(count: f64, lower_limit: f64) -> Result<u8, CoreError> {
    let count = crate::check::not_negative("leukocyte count in 10*9/L", count)?;
    let what = "lower limit of normal leukocytes in 10*9/L";
    let limit = crate::check::within(what, lower_limit, lower_limit >= 3.0, "3 or more")?;
    Ok([limit, 3.0, 2.0, 1.0].iter().map(|&below| u8::from(count < below)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_of_leukocytes_are_not_those_of_neutrophils() {
        let grades = [4.0, 3.99, 2.99, 1.99, 0.99].map(|count| leukopenia_grade(count, 4.0).unwrap());
        assert_eq!(grades, [0, 1, 2, 3, 4]);
        assert_eq!(neutropenia_grade(2.995, 2.0).unwrap(), 0);
        assert_eq!(leukopenia_grade(2.995, 4.0).unwrap(), 2);
        assert!(leukopenia_grade(-1.0, 4.0).is_err() && leukopenia_grade(1.0, 2.0).is_err());
    }
}
