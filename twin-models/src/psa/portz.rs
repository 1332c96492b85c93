//! Two populations of prostate cancer cells that live on androgen, after Portz, Kuang and Nagy.

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const PORTZ: &str = "Portz, Kuang and Nagy 2012, doi:10.1063/1.3697848";
/// Equations and values were taken from a catalogue of public code and from memory, not from the article's own tables.
const RECALLED: Source = Source::unconfirmed(PORTZ);
const RANGE: Source = Source::unconfirmed("Portz, Kuang and Nagy 2012: inside the range of fits in public code");
const CLOSURE: Source = Source::assumed("the article takes measured androgen; here it relaxes to a level");

parameters! {
    /// Parameters of [`PortzKuangNagy`].
    pub struct PortzKuangNagyParameters {
        division_rate: "/d" in 0.01..=0.1, default 0.025, "Greatest division rate of both populations", RANGE;
        least_quota_dependent: "nmol/L" in 0.175..=0.29, default 0.175, "Androgen at which dependent cells stop dividing", RANGE;
        least_quota_independent: "nmol/L" in 0.1..=0.21, default 0.1, "Androgen at which independent cells stop dividing", RANGE;
        death_dependent: "/d" in 1e-3..=0.1, default 0.015, "Death rate of dependent cells", RECALLED;
        death_independent: "/d" in 1e-3..=0.1, default 0.015, "Death rate of independent cells", RECALLED;
        switch_to_independent: "/d" in 1e-6..=0.015, default 1.5e-4, "Greatest rate from dependent to independent, where androgen is short", RECALLED;
        switch_to_dependent: "/d" in 1e-6..=0.015, default 1.5e-4, "Greatest rate from independent to dependent, where androgen abounds", RECALLED;
        half_switch_to_independent: "nmol/L" in 0.1..=3.0, default 0.8, "Androgen in the cells at which the first rate is half", RECALLED;
        half_switch_to_dependent: "nmol/L" in 0.1..=5.0, default 1.7, "Androgen in the cells at which the second rate is half", RECALLED;
        most_quota: "nmol/L" in 2.0..=5.0, default 5.0, "Androgen that a saturated cell holds", RANGE;
        uptake_rate: "nmol/(L.d)" in 0.075..=0.275, default 0.275, "Greatest uptake of androgen", RANGE;
        half_uptake: "nmol/L" in 2.0..=4.0, default 4.0, "Serum androgen of half the uptake", RANGE;
        degradation_rate: "/d" in 0.02..=0.09, default 0.09, "Rate at which androgen in cells is degraded", RANGE;
        psa_baseline: "ng/mL/d" in 0.0..=0.04, default 0.004, "PSA by a unit of cells whatever their androgen", RANGE;
        psa_dependent: "ng/mL/d" in 1e-4..=2.0, default 0.05, "Most PSA by a unit of dependent cells beyond that", RECALLED;
        psa_independent: "ng/mL/d" in 1e-4..=2.0, default 0.05, "Most PSA by a unit of independent cells beyond that", RECALLED;
        half_psa_dependent: "nmol/L" in 0.3..=1.3, default 1.3, "Androgen in dependent cells of half that PSA", RANGE;
        half_psa_independent: "nmol/L" in 0.3..=1.3, default 1.1, "Androgen in independent cells of half that PSA", RANGE;
        psa_clearance: "/d" in 0.008..=0.08, default 0.08, "Rate at which PSA is cleared", RANGE;
        androgen_off: "nmol/L" in 5.0..=40.0, default 15.0, "Serum androgen without deprivation", CLOSURE;
        androgen_on: "nmol/L" in 0.1..=3.0, default 0.5, "Serum androgen under deprivation", CLOSURE;
        androgen_rate: "/d" in 0.01..=0.5, default 0.08, "Rate at which serum androgen relaxes", CLOSURE;
        initial_dependent: "10*6" in 0.1..=100.0, default 15.0, "Dependent cells at the start", RECALLED;
        initial_independent: "10*6" in 1e-4..=10.0, default 0.1, "Independent cells at the start", RECALLED;
        initial_psa: "ng/mL" in 0.1..=500.0, default 7.0, "PSA at the start", Source::assumed("near the steady PSA of the other defaults; fit it to the patient");
    }
}

/// Androgen-dependent and -independent cells with the androgen in each (cell quota, after Droop), switching into each other; and PSA.
///
/// # Equation
/// With the quotas `Q` and `P` of the dependent cells `X` and of the independent ones `Y`, serum androgen `A`, and the intensity `u` of
/// deprivation:
/// `X' = (μ (1 - q_x/Q) - d_x - λ₁) X + λ₂ Y`, `Y' = (μ (1 - q_y/P) - d_y - λ₂) Y + λ₁ X`,
/// `λ₁ = c₁ K₁³/(Q³ + K₁³)`, `λ₂ = c₂ P³/(P³ + K₂³)`,
/// `Q' = v (q_m - Q)/(q_m - q_x) A/(A + v_h) - μ (Q - q_x) - b Q`, and so for `P` with `q_y`,
/// `PSA' = σ₀ (X + Y) + σ₁ X Q³/(Q³ + ρ₁³) + σ₂ Y P³/(P³ + ρ₂³) - δ PSA`, `A' = γ (A_off + u (A_on - A_off) - A)`.
///
/// # States
/// `ln_dependent`, `ln_independent` (natural logarithms of 10⁶ cells), `quota_dependent`, `quota_independent`, `androgen` in nmol/L, `psa` in ng/mL.
///
/// # Treatments
/// Continuous therapy: androgen deprivation.
///
/// # Assumptions
/// Serum androgen relaxes to a level of each phase; the article takes its measurements instead.
///
/// # Valid for
/// PSA and testosterone over cycles of intermittent deprivation.
///
/// # Source
/// Portz, Kuang and Nagy 2012, doi:10.1063/1.3697848. Public code of it has the quota of dependent cells in the PSA of independent ones; here
/// each population has its own.
#[derive(Debug, Clone)]
pub struct PortzKuangNagy {
    spec: Arc<ModelSpec>,
}

/// The [`PortzKuangNagy`] model under `deprivation`.
#[must_use]
pub fn portz_kuang_nagy(deprivation: &Agent) -> Ode<PortzKuangNagy> {
    let title = "PSA of androgen-dependent and -independent cells with quotas of androgen";
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec = ModelSpec::new::<PortzKuangNagyParameters>("portz_kuang_nagy", title, RECALLED)
        .bounded_state("ln_dependent", "1", low, high, 1e-8)
        .bounded_state("ln_independent", "1", low, high, 1e-8)
        .state("quota_dependent", "nmol/L", 1e-9)
        .state("quota_independent", "nmol/L", 1e-9)
        .state("androgen", "nmol/L", 1e-9)
        .state("psa", "ng/mL", 1e-9)
        .observes_above(Observable::PSA, "ng/mL", 1e-9)
        .observes(Observable::TESTOSTERONE, "nmol/L")
        .understands_continuous(deprivation);
    Ode::new(PortzKuangNagy { spec: Arc::new(spec) })
}

const DEPRIVATION: Input = Input::new(0);

/// `x³ / (x³ + half³)`.
#[inline]
fn saturation<T: Scalar>(x: T, half: T) -> T {
    let ratio = (half / x).powi(3);
    T::from(1.0) / (T::from(1.0) + ratio)
}

impl Dynamics for PortzKuangNagy {
    type State = [f64; 6];
    type Parameters = PortzKuangNagyParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    /// The quotas start where they rest at the androgen of the start.
    fn initial<T: Scalar>(&self, p: &PortzKuangNagyParameters<T>) -> [T; 6] {
        let rest = |least: T| {
            let uptake = p.uptake_rate / (p.most_quota - least) * p.androgen_off / (p.androgen_off + p.half_uptake);
            (uptake * p.most_quota + p.division_rate * least) / (uptake + p.division_rate + p.degradation_rate)
        };
        let (dependent, independent) = (rest(p.least_quota_dependent), rest(p.least_quota_independent));
        [p.initial_dependent.ln(), p.initial_independent.ln(), dependent, independent, p.androgen_off, p.initial_psa]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 6], exposure: &Exposure<T>, p: &PortzKuangNagyParameters<T>, dx: &mut [T; 6]) {
        let [ln_dependent, ln_independent, quota, other_quota, androgen, psa] = *x;
        let one = T::from(1.0);
        let to_independent = p.switch_to_independent * (one - saturation(quota, p.half_switch_to_independent));
        let to_dependent = p.switch_to_dependent * saturation(other_quota, p.half_switch_to_dependent);
        let division = |quota: T, least: T| p.division_rate * (one - least / quota);
        let apart = ln_independent - ln_dependent;
        dx[0] = division(quota, p.least_quota_dependent) - p.death_dependent - to_independent + to_dependent * apart.exp();
        dx[1] =
            division(other_quota, p.least_quota_independent) - p.death_independent - to_dependent + to_independent * (-apart).exp();
        let uptake = p.uptake_rate * androgen / (androgen + p.half_uptake);
        let change = |quota: T, least: T| {
            uptake * (p.most_quota - quota) / (p.most_quota - least)
                - p.division_rate * (quota - least)
                - p.degradation_rate * quota
        };
        dx[2] = change(quota, p.least_quota_dependent);
        dx[3] = change(other_quota, p.least_quota_independent);
        dx[4] = p.androgen_rate * (p.androgen_off + exposure.level(DEPRIVATION) * (p.androgen_on - p.androgen_off) - androgen);
        let (dependent, independent) = (ln_dependent.exp(), ln_independent.exp());
        let by_dependent = p.psa_baseline + p.psa_dependent * saturation(quota, p.half_psa_dependent);
        let by_independent = p.psa_baseline + p.psa_independent * saturation(other_quota, p.half_psa_independent);
        dx[5] = by_dependent * dependent + by_independent * independent - p.psa_clearance * psa;
    }

    fn observe<T: Scalar>(&self, x: &[T; 6], _p: &PortzKuangNagyParameters<T>, y: &mut [T]) {
        y[0] = x[5];
        y[1] = x[4];
    }
}
