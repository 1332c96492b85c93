//! Fractions that kill, at once or with a delay.

use super::part::{Outline, Part, RunningPart, Tumor};
use crate::{Exposure, Given, Input, ParameterSet, Scalar, Source, TreatmentKind, TreatmentSpec, parameters};

parameters! {
    /// Parameters of [`Radiotherapy`].
    pub(crate) struct RadiotherapyParameters {
        alpha: "/Gy" in 0.0..=1.0, default 0.3, "Linear radiosensitivity", Source::assumed("a customary value for carcinoma; fit it to the patient");
        alpha_beta_ratio: "Gy" in 1.0..=30.0, default 10.0, "Ratio of alpha to beta", Source::assumed("the customary value for tumors");
        oxygen_enhancement: "1" in 1.0..=3.5, default 1.0, "Factor by which hypoxia raises the dose that is needed", Source::assumed("no hypoxia");
    }
}

parameters! {
    /// The parameter of [`Radiotherapy::clearing`].
    pub(crate) struct ClearanceParameters {
        clearance_half_time: "d" in 0.5..=60.0, default 10.0, "Half-time in which killed cells are cleared", Source::assumed("mid-range; fit it to the patient");
    }
}

/// Radiotherapy by the linear-quadratic model: a fraction of `d` leaves `exp(-α d/OER - β (d/OER)²)` of the living cells. What it kills
/// vanishes at once, or keeps its room and is [cleared](Radiotherapy::clearing) with a half-time.
///
/// # Assumptions
/// Every fraction hits the tumor, whatever target it names: give it the fractions to the tumor alone. Sublethal damage is repaired between
/// sessions, however close they are.
///
/// # Valid for
/// Sessions that repair parts (about six hours and more), and a tumor of many cells: a share of it always survives, so it may become
/// smaller than one cell, but is never extinct. For control use [`poisson_control`](crate::radiation::poisson_control).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Radiotherapy {
    clearing: bool,
}

impl Radiotherapy {
    /// Killed cells keep their room and are cleared exponentially.
    #[must_use]
    pub const fn clearing() -> Self {
        Self { clearing: true }
    }
}

/// [`Radiotherapy`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningRadiotherapy<T = f64> {
    p: RadiotherapyParameters<T>,
    fraction: Input,
    clearance_per_day: Option<T>,
}

impl Part for Radiotherapy {
    type Running<T: Scalar> = RunningRadiotherapy<T>;

    fn outline(&self) -> Outline {
        let mut outline = Outline::new("lq").parameters::<RadiotherapyParameters>("radiation");
        if self.clearing {
            outline = outline.parameters::<ClearanceParameters>("radiation").state("radiation_killed".to_owned(), "mm3", 1e-9);
        }
        outline.treatments.push(TreatmentSpec { kind: TreatmentKind::Fraction, agent: None, unit: None });
        outline.needs_tumor = true;
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<RunningRadiotherapy<T>> {
        let (of_kill, of_clearance) = values.split_at_checked(RadiotherapyParameters::specs().len())?;
        let clearance_per_day = if self.clearing {
            Some(T::from(std::f64::consts::LN_2) / ClearanceParameters::from_values(of_clearance)?.clearance_half_time)
        } else {
            None
        };
        let &[fraction] = inputs else { return None };
        Some(RunningRadiotherapy { p: RadiotherapyParameters::from_values(of_kill)?, fraction, clearance_per_day })
    }
}

impl<T: Scalar> RunningPart<T> for RunningRadiotherapy<T> {
    fn start(&self, _x: &mut [T]) {}

    #[inline]
    fn dying(&self, x: &[T]) -> T {
        x.first().copied().unwrap_or(T::from(0.0))
    }

    #[inline]
    fn rates(&self, x: &[T], _exposure: &Exposure<T>, _tumor: &Tumor<T>, dx: &mut [T]) {
        if let (Some(clearance), [killed], [rate]) = (self.clearance_per_day, x, dx) {
            *rate = -clearance * *killed;
        }
    }

    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]) {
        if given.input != self.fraction {
            return;
        }
        let dose = given.amount / self.p.oxygen_enhancement;
        let effect = self.p.alpha * dose * (T::from(1.0) + dose / self.p.alpha_beta_ratio);
        if let [killed] = x {
            *killed -= ln_living.exp() * (-effect).exp_m1();
        }
        *ln_living -= effect;
    }

    fn observe(&self, _x: &[T], _y: &mut [T]) {}
}
