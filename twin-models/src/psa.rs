//! Prostate-specific antigen under androgen deprivation.

mod baez_kuang;
mod desmee;
mod piecewise_linear;
mod portz;

pub use baez_kuang::{BaezKuang, BaezKuangParameters, baez_kuang};
pub use desmee::{Escape, EscapeParameters, LinkedHazard, escape};
pub use piecewise_linear::{Hirata, HirataParameters, hirata};
pub use portz::{PortzKuangNagy, PortzKuangNagyParameters, portz_kuang_nagy};

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const BAEZ_KUANG: &str = "Baez and Kuang 2016, doi:10.3390/app6110352, model 1";
/// The equations and fixed values were taken from public code and a catalogue, not from the article's own tables.
const RECALLED: Source = Source::unconfirmed(BAEZ_KUANG);
const FITTED: Source = Source::assumed("mid-range of fits to intermittent androgen deprivation");

/// Androgen that a saturated cell holds, nmol/L.
const MOST_ANDROGEN: f64 = 15.0;
/// Androgen at which cells stop dividing, nmol/L.
const LEAST_ANDROGEN: f64 = 0.5;
/// Androgen at which androgen-dependent death is halved, nmol/L.
const HALF_DEATH: f64 = 2.0;
/// Androgen inflow that deprivation does not stop, 1/d.
const RESIDUAL_INFLOW: f64 = 5e-4;
/// PSA released without tumor, per androgen, ng/mL/d per nmol/L.
const BASAL_RELEASE: f64 = 1.25e-3;

parameters! {
    /// Parameters of [`CellQuota`].
    pub struct Quota {
        growth_rate: "/d" in 2e-3..=0.3, default 0.03, "Greatest division rate", RECALLED;
        death_rate: "/d" in 1e-3..=0.5, default 0.03, "Greatest death rate for want of androgen, at the start", RECALLED;
        adaptation_rate: "/d" in 1e-6..=0.05, default 5e-4, "Rate at which that death rate decays: resistance", RECALLED;
        androgen_inflow: "/d" in 1e-3..=0.5, default 0.02, "Rate at which androgen returns without deprivation", FITTED;
        psa_release: "ng/mL/d" in 1e-4..=5.0, default 0.05, "PSA released by one unit of tumor per nmol/L of androgen", FITTED;
        psa_clearance: "/d" in 5e-3..=0.5, default 0.05, "Rate at which PSA is cleared", RECALLED;
        crowding_rate: "/d" in 1e-5..=0.2, default 5e-3, "Death rate by crowding, per unit of tumor", FITTED;
        initial_psa: "ng/mL" in 1e-2..=1e4, default 15.0, "PSA at the start", Source::assumed("fit it to the patient");
        initial_androgen: "nmol/L" in 0.5..=15.0, default 12.0, "Androgen in the cells at the start", FITTED;
    }
}

/// Tumor cells that need androgen to divide and to live, and that slowly learn to live without (cell-quota model, one population).
///
/// # Equation
/// With `Q` the androgen in the cells, `X` the tumor in units of its start, `ν` the death rate for want of androgen, `P` the PSA, and
/// `u` the intensity of deprivation:
/// `Q' = (γ (1 - u) + 0.0005) (15 - Q) - μ (Q - 0.5)`,
/// `X' = (μ (1 - 0.5/Q) - 2 ν / (Q + 2) - δ X) X`, `ν' = -d ν`,
/// `P' = 0.00125 Q + σ X Q - ε P`.
///
/// # States
/// `androgen` in nmol/L, `ln_tumor` and `ln_death_rate` (natural logarithms), `psa` in ng/mL.
///
/// # Treatments
/// Continuous therapy: androgen deprivation, on or off.
///
/// # Assumptions
/// One kind of cell; androgen in cells follows serum at once; resistance is a steady loss of sensitivity that never returns.
///
/// # Valid for
/// PSA over a few cycles of intermittent deprivation. Its testosterone is the androgen in the cells, not a fitted serum level.
///
/// # Source
/// Baez and Kuang 2016, doi:10.3390/app6110352, model 1; fixed values unconfirmed against the article's tables.
///
/// # Example
/// ```
/// use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
/// use twin_models::{Model, Scenario, psa, simulate};
/// let deprivation = Agent::new("androgen deprivation")?;
/// let model = psa::cell_quota(deprivation.clone());
/// let scenario = Scenario::starting(Time::ORIGIN)
///     .treated([TimedTreatment::new(Time::ORIGIN, Treatment::on(deprivation))])
///     .sampled([Time::ORIGIN, Time::from_days(200.0)?]);
/// let psa = simulate(&model, &model.spec().defaults()?, &scenario, &mut Random::new(1))?.column(&Observable::PSA);
/// assert!(psa.is_some_and(|psa| psa[1] < 0.2 * psa[0]));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CellQuota {
    spec: Arc<ModelSpec>,
}

/// The [`CellQuota`] model under `deprivation`.
#[must_use]
pub fn cell_quota(deprivation: Agent) -> Ode<CellQuota> {
    let spec = ModelSpec::new::<Quota>("cell_quota", "PSA of tumor cells that need androgen, under androgen deprivation", RECALLED)
        .state("androgen", "nmol/L", 1e-8)
        .bounded_state("ln_tumor", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-8)
        .bounded_state("ln_death_rate", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-8)
        .state("psa", "ng/mL", 1e-10)
        .observes(Observable::PSA, "ng/mL")
        .observes(Observable::TESTOSTERONE, "nmol/L")
        .understands_continuous(&deprivation);
    Ode::new(CellQuota { spec: Arc::new(spec) })
}

const DEPRIVATION: Input = Input::new(0);

impl Dynamics for CellQuota {
    type State = [f64; 4];
    type Parameters = Quota;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &Quota<T>) -> [T; 4] {
        [p.initial_androgen, T::from(0.0), p.death_rate.ln(), p.initial_psa]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 4], exposure: &Exposure<T>, p: &Quota<T>, dx: &mut [T; 4]) {
        let [androgen, ln_tumor, ln_death, psa] = *x;
        let (tumor, death) = (ln_tumor.exp(), ln_death.exp());
        let inflow = p.androgen_inflow * (T::from(1.0) - exposure.level(DEPRIVATION)) + RESIDUAL_INFLOW;
        dx[0] = inflow * (T::from(MOST_ANDROGEN) - androgen) - p.growth_rate * (androgen - LEAST_ANDROGEN);
        let division = p.growth_rate * (T::from(1.0) - T::from(LEAST_ANDROGEN) / androgen);
        dx[1] = division - death * HALF_DEATH / (androgen + HALF_DEATH) - p.crowding_rate * tumor;
        dx[2] = -p.adaptation_rate;
        dx[3] = androgen * BASAL_RELEASE + p.psa_release * tumor * androgen - p.psa_clearance * psa;
    }

    fn observe<T: Scalar>(&self, x: &[T; 4], _p: &Quota<T>, y: &mut [T]) {
        y[0] = x[3];
        y[1] = x[0];
    }
}
