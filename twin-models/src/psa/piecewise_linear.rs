//! PSA under intermittent androgen deprivation, piecewise linear.

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const HIRATA: &str = "Hirata et al. 2010, doi:10.1016/j.jtbi.2010.02.027";
const RANGE: Source = Source::assumed("inside the range of fits in public code");

parameters! {
    /// Parameters of [`hirata`]: rates of change of three kinds of cells, in units of the PSA that they make.
    pub struct HirataParameters {
        dependent_on: "/d" in -0.15..=-0.015, default -0.05, "Rate of dependent cells under deprivation", RANGE;
        to_reversible_on: "/d" in 0.0006..=0.002, default 0.001, "From dependent to reversible cells under deprivation", RANGE;
        reversible_on: "/d" in -0.015..=0.0009, default -0.005, "Rate of reversible cells under deprivation", RANGE;
        to_irreversible_on: "/d" in 0.0003..=0.001, default 0.0005, "From dependent to irreversible cells under deprivation", RANGE;
        reversible_to_irreversible_on: "/d" in 0.0..=0.001, default 0.0001, "From reversible to irreversible cells under deprivation", RANGE;
        irreversible_on: "/d" in 0.002..=0.003, default 0.0025, "Rate of irreversible cells under deprivation", RANGE;
        dependent_off: "/d" in 0.001..=0.003, default 0.002, "Rate of dependent cells without deprivation", RANGE;
        to_dependent_off: "/d" in 0.049..=0.18, default 0.1, "From reversible to dependent cells without deprivation", RANGE;
        reversible_off: "/d" in 0.002..=0.008, default 0.004, "Rate of reversible cells without deprivation", RANGE;
        irreversible_off: "/d" in -0.13..=-0.0044, default -0.05, "Rate of irreversible cells without deprivation", RANGE;
        initial_dependent: "ng/mL" in 0.1..=500.0, default 15.0, "Dependent cells at the start", RANGE;
        initial_reversible: "ng/mL" in 1e-3..=50.0, default 0.1, "Reversible cells at the start", RANGE;
        initial_irreversible: "ng/mL" in 1e-4..=50.0, default 0.01, "Irreversible cells at the start", RANGE;
    }
}

/// Androgen-dependent cells, and independent ones of a reversible and an irreversible kind; each makes PSA.
///
/// # Equation
/// On: `x₁' = w₁₁ x₁`, `x₂' = w₂₁ x₁ + w₂₂ x₂`, `x₃' = w₃₁ x₁ + w₃₂ x₂ + w₃₃ x₃`; off: `x₁' = v₁₁ x₁ + v₁₂ x₂`, `x₂' = v₂₂ x₂`,
/// `x₃' = v₃₃ x₃`; at an intensity in between, the mean of both with that weight. `PSA = x₁ + x₂ + x₃`.
///
/// # States
/// `dependent`, `reversible`, `irreversible` in ng/mL of PSA.
///
/// # Treatments
/// Continuous therapy: androgen deprivation.
///
/// # Source
/// Hirata, Bruchovsky and Aihara 2010, doi:10.1016/j.jtbi.2010.02.027; ranges from public code.
#[derive(Debug, Clone)]
pub struct Hirata {
    spec: Arc<ModelSpec>,
}

/// The [`Hirata`] model under `deprivation`.
#[must_use]
pub fn hirata(deprivation: &Agent) -> Ode<Hirata> {
    let title = "PSA of three kinds of cells under intermittent androgen deprivation";
    let spec = ModelSpec::new::<HirataParameters>("hirata", title, Source::unconfirmed(HIRATA))
        .state("dependent", "ng/mL", 1e-9)
        .state("reversible", "ng/mL", 1e-9)
        .state("irreversible", "ng/mL", 1e-9)
        .observes(Observable::PSA, "ng/mL")
        .understands_continuous(deprivation);
    Ode::new(Hirata { spec: Arc::new(spec) })
}

const DEPRIVATION: Input = Input::new(0);

impl Dynamics for Hirata {
    type State = [f64; 3];
    type Parameters = HirataParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &HirataParameters<T>) -> [T; 3] {
        [p.initial_dependent, p.initial_reversible, p.initial_irreversible]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, &[x1, x2, x3]: &[T; 3], exposure: &Exposure<T>, p: &HirataParameters<T>, dx: &mut [T; 3]) {
        let on = [
            p.dependent_on * x1,
            p.to_reversible_on * x1 + p.reversible_on * x2,
            p.to_irreversible_on * x1 + p.reversible_to_irreversible_on * x2 + p.irreversible_on * x3,
        ];
        let off = [p.dependent_off * x1 + p.to_dependent_off * x2, p.reversible_off * x2, p.irreversible_off * x3];
        let level = exposure.level(DEPRIVATION);
        *dx = std::array::from_fn(|i| level * on[i] + (T::from(1.0) - level) * off[i]);
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], _p: &HirataParameters<T>, y: &mut [T]) {
        y[0] = x[0] + x[1] + x[2];
    }
}
