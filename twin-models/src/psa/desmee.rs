//! PSA under chemotherapy that escapes, and its hazard.

use crate::check::{not_negative, positive, within};
use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, CoreError, Observable};

const DESMEE: Source = Source::published("Desmée et al. 2015, doi:10.1208/s12248-015-9745-5, simulation scenarios");

parameters! {
    /// Parameters of [`escape`].
    pub struct EscapeParameters {
        growth_rate: "/d" in 0.01..=0.06, default 0.05, "Division rate of cells without treatment", DESMEE;
        death_rate: "/d" in 0.01..=0.06, default 0.046, "Death rate of cells", DESMEE;
        efficacy: "1" in 0.0..=1.0, default 0.3, "Share of divisions that treatment prevents until escape", DESMEE;
        escape_time: "d" in 5.0..=1000.0, default 140.0, "Time under treatment until escape", DESMEE;
        psa_clearance: "/d" in 0.05..=1.0, default 0.23, "Rate at which PSA is cleared", DESMEE;
        initial_psa: "ng/mL" in 0.1..=1e3, default 80.0, "PSA at the start", DESMEE;
    }
}

/// Cells that divide and die, PSA that they make, and a treatment that prevents divisions until they escape it.
///
/// # Equation
/// `C' = r (1 - ε u) C - d C`, `P' = δ (C - P)`, in units in which `C` starts at the PSA; `u` is the intensity of treatment, 0 after the
/// time to escape under treatment. For survival see [`LinkedHazard`].
///
/// # States
/// `elapsed` in days, `psa` in ng/mL, `treated` in days at full dose. The cells follow from the two times in closed form, so that no step
/// of the integrator passes over the escape.
///
/// # Treatments
/// Continuous therapy.
///
/// # Source
/// Desmée, Mentré, Veyrat-Follet and Guedj 2015, doi:10.1208/s12248-015-9745-5.
#[derive(Debug, Clone)]
pub struct Escape {
    spec: Arc<ModelSpec>,
}

/// The [`Escape`] model under `agent`.
#[must_use]
pub fn escape(agent: &Agent) -> Ode<Escape> {
    let spec = ModelSpec::new::<EscapeParameters>("psa_escape", "PSA under a treatment that tumor cells escape", DESMEE)
        .state("elapsed", "d", 1e-9)
        .state("psa", "ng/mL", 1e-9)
        .state("treated", "d", 1e-9)
        .observes_above(Observable::PSA, "ng/mL", 1e-9)
        .understands_continuous(agent);
    Ode::new(Escape { spec: Arc::new(spec) })
}

const DRUG: Input = Input::new(0);

impl Dynamics for Escape {
    type State = [f64; 3];
    type Parameters = EscapeParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &EscapeParameters<T>) -> [T; 3] {
        [T::from(0.0), p.initial_psa, T::from(0.0)]
    }

    #[inline]
    fn rates<T: Scalar>(
        &self,
        _t: T,
        &[elapsed, psa, treated]: &[T; 3],
        exposure: &Exposure<T>,
        p: &EscapeParameters<T>,
        dx: &mut [T; 3],
    ) {
        let prevented = p.growth_rate * p.efficacy * treated.min(p.escape_time);
        let cells = p.initial_psa * ((p.growth_rate - p.death_rate) * elapsed - prevented).exp();
        *dx = [T::from(1.0), p.psa_clearance * (cells - psa), exposure.level(DRUG)];
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], _p: &EscapeParameters<T>, y: &mut [T]) {
        y[0] = x[1];
    }
}

/// A Weibull hazard of death that a marker raises: `h(t) = k/λ (t/λ)^(k-1) exp(β M(t))`.
///
/// Defaults of the scenarios of Desmée et al. 2015: shape 1.5; (link, scale) of (0, 580), (0.005, 765), (0.02, 2150) and (0.02, 580).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkedHazard {
    shape: f64,
    scale: f64,
    link: f64,
}

impl LinkedHazard {
    /// A hazard of `shape` and `scale_days`, which one unit of the marker multiplies by `exp(link)`.
    ///
    /// # Errors
    /// [`CoreError`] unless shape and scale are above 0 and the link is finite.
    pub fn new(shape: f64, scale_days: f64, link: f64) -> Result<Self, CoreError> {
        let link = within("link of a marker to a hazard", link, true, "finite")?;
        Ok(Self { shape: positive("shape of a hazard", shape)?, scale: positive("scale of a hazard in days", scale_days)?, link })
    }

    /// The probability to survive until the last of `days`, the first of which is 0, with the course `marker` (one value for each day): by
    /// the trapezoidal rule in `(t/λ)^k`, exact for a marker that does not change.
    ///
    /// # Errors
    /// [`CoreError`] for lists of different lengths or without a value, days that do not rise from 0, or values that are not finite.
    pub fn survival(&self, days: &[f64], marker: &[f64]) -> Result<f64, CoreError> {
        if days.len() != marker.len() || days.is_empty() {
            return Err(CoreError::Count {
                what: "values of a marker",
                count: marker.len(),
                valid: "one for each day, at least one",
            });
        }
        let mut points = days.iter().zip(marker);
        let mut last: Option<(f64, f64)> = None;
        let mut hazard = 0.0;
        for (&day, &value) in &mut points {
            let value = within("value of a marker", value, true, "finite")?;
            let holds = last.map_or(day.abs() <= 0.0, |_| day >= 0.0);
            let day = within("day of a marker", day, holds, "0 first, and rising")?;
            let (warped, risk) = ((day / self.scale).powf(self.shape), (self.link * value).exp());
            if let Some((before, risk_before)) = last {
                let step = not_negative("rise of the days of a marker", warped - before)?;
                hazard += 0.5 * step * (risk + risk_before);
            }
            last = Some((warped, risk));
        }
        Ok((-hazard).exp())
    }
}
