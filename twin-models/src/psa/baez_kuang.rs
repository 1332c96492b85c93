//! Two populations with one quota of androgen, after Baez and Kuang.

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const BAEZ_KUANG: &str = "Baez and Kuang 2016, doi:10.3390/app6110352, model 2";
/// Equations and values were taken from a catalogue of public code and from memory, not from the article's own tables.
const RECALLED: Source = Source::unconfirmed(BAEZ_KUANG);
const RANGE: Source = Source::unconfirmed("Baez and Kuang 2016, model 2: inside the range of fits in public code");
const FIT: Source = Source::assumed("mid-range; fit it to the patient");

parameters! {
    /// Parameters of [`BaezKuang`].
    pub struct BaezKuangParameters {
        division_rate: "/d" in 0.01..=0.1, default 0.03, "Greatest division rate of both populations", RANGE;
        least_quota_sensitive: "nmol/L" in 0.1..=1.0, default 0.4, "Androgen at which sensitive cells stop dividing", RANGE;
        least_quota_resistant: "nmol/L" in 0.01..=0.6, default 0.2, "Androgen at which resistant cells stop dividing", RANGE;
        most_quota: "nmol/L" in 5.0..=40.0, default 15.0, "Androgen that a saturated cell holds", FIT;
        switch_rate: "/d" in 1e-6..=1e-3, default 5e-5, "Greatest rate from sensitive to resistant, where androgen is short", RANGE;
        half_switch: "nmol/L" in 0.01..=3.0, default 1.0, "Androgen at which that rate is half", RANGE;
        death_sensitive: "/d" in 0.002..=0.09, default 0.05, "Greatest death rate of sensitive cells for want of androgen", RANGE;
        death_resistant: "/d" in 1e-6..=0.01, default 0.001, "Greatest death rate of resistant cells for want of androgen", RANGE;
        half_death: "nmol/L" in 0.01..=3.0, default 2.0, "Androgen at which these death rates are half", RANGE;
        crowding: "/d" in 1e-6..=9e-5, default 5e-5, "Death rate by crowding, per unit of the same cells", RANGE;
        androgen_inflow: "/d" in 1e-3..=20.0, default 0.08, "Rate at which androgen returns without deprivation", FIT;
        residual_inflow: "/d" in 1e-6..=1e-3, default 5e-4, "Rate at which androgen comes in under deprivation", RANGE;
        basal_release: "ng/mL/d" in 0.0..=0.0025, default 0.001, "PSA without a tumor, per nmol/L of androgen", RANGE;
        psa_release: "ng/mL/d" in 1e-4..=1.0, default 0.01, "PSA by a unit of cells, per nmol/L of androgen", RANGE;
        psa_clearance: "/d" in 0.01..=1.0, default 0.1, "Rate at which PSA is cleared", RANGE;
        initial_sensitive: "1" in 0.01..=200.0, default 15.0, "Sensitive cells at the start", FIT;
        initial_resistant: "1" in 1e-6..=50.0, default 0.01, "Resistant cells at the start", FIT;
        initial_androgen: "nmol/L" in 0.5..=40.0, default 11.0, "Androgen in the cells at the start", FIT;
        initial_psa: "ng/mL" in 0.01..=1e3, default 15.0, "PSA at the start", FIT;
    }
}

/// Sensitive and resistant cells with one quota of androgen; sensitive ones become resistant where it is short; and PSA.
///
/// # Equation
/// With the androgen `Q` in the cells and the intensity `u` of deprivation:
/// `X' = (μ (1 - q₁/Q) - d₁ R/(Q + R) - δ X - λ) X`, `Y' = (μ (1 - q₂/Q) - d₂ R/(Q + R) - δ Y) Y + λ X`, `λ = c K/(Q + K)`,
/// `Q' = (γ₁ (1 - u) + γ₂)(q_m - Q) - μ ((Q - q₁) X + (Q - q₂) Y)/(X + Y)`, `P' = b Q + σ Q (X + Y) - ε P`.
///
/// # States
/// `ln_sensitive`, `ln_resistant` (natural logarithms), `quota` in nmol/L, `psa` in ng/mL.
///
/// # Treatments
/// Continuous therapy: androgen deprivation.
///
/// # Source
/// Baez and Kuang 2016, doi:10.3390/app6110352, model 2; the simpler model 1 is [`cell_quota`](super::cell_quota).
#[derive(Debug, Clone)]
pub struct BaezKuang {
    spec: Arc<ModelSpec>,
}

/// The [`BaezKuang`] model under `deprivation`.
#[must_use]
pub fn baez_kuang(deprivation: &Agent) -> Ode<BaezKuang> {
    let title = "PSA of sensitive and resistant cells with one quota of androgen";
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec = ModelSpec::new::<BaezKuangParameters>("baez_kuang", title, RECALLED)
        .bounded_state("ln_sensitive", "1", low, high, 1e-8)
        .bounded_state("ln_resistant", "1", low, high, 1e-8)
        .state("quota", "nmol/L", 1e-9)
        .state("psa", "ng/mL", 1e-9)
        .observes_above(Observable::PSA, "ng/mL", 1e-9)
        .observes(Observable::TESTOSTERONE, "nmol/L")
        .understands_continuous(deprivation);
    Ode::new(BaezKuang { spec: Arc::new(spec) })
}

const DEPRIVATION: Input = Input::new(0);

impl Dynamics for BaezKuang {
    type State = [f64; 4];
    type Parameters = BaezKuangParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &BaezKuangParameters<T>) -> [T; 4] {
        [p.initial_sensitive.ln(), p.initial_resistant.ln(), p.initial_androgen, p.initial_psa]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 4], exposure: &Exposure<T>, p: &BaezKuangParameters<T>, dx: &mut [T; 4]) {
        let [ln_sensitive, ln_resistant, quota, psa] = *x;
        let one = T::from(1.0);
        let (sensitive, resistant) = (ln_sensitive.exp(), ln_resistant.exp());
        let switch = p.switch_rate * p.half_switch / (quota + p.half_switch);
        let want = p.half_death / (quota + p.half_death);
        let division = |least: T| p.division_rate * (one - least / quota);
        dx[0] = division(p.least_quota_sensitive) - p.death_sensitive * want - p.crowding * sensitive - switch;
        let arriving = switch * (ln_sensitive - ln_resistant).exp();
        dx[1] = division(p.least_quota_resistant) - p.death_resistant * want - p.crowding * resistant + arriving;
        let inflow = p.androgen_inflow * (one - exposure.level(DEPRIVATION)) + p.residual_inflow;
        let share = sensitive / (sensitive + resistant);
        let least = share * p.least_quota_sensitive + (one - share) * p.least_quota_resistant;
        dx[2] = inflow * (p.most_quota - quota) - p.division_rate * (quota - least);
        dx[3] = p.basal_release * quota + p.psa_release * quota * (sensitive + resistant) - p.psa_clearance * psa;
    }

    fn observe<T: Scalar>(&self, x: &[T; 4], _p: &BaezKuangParameters<T>, y: &mut [T]) {
        y[0] = x[3];
        y[1] = x[2];
    }
}
