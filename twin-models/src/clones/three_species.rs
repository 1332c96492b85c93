//! Three species of prostate cancer cells that compete.

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const ZHANG: Source = Source::unconfirmed("Zhang et al. 2017, doi:10.1038/s41467-017-01968-5, recalled");
const DRAWN: Source = Source::published("Zhang et al. 2017, doi:10.1038/s41467-017-01968-5: drawn between 0.4 and 0.9");

parameters! {
    /// Parameters of [`three_species`]. `competition_x_y` is the effect of `y` on `x`; of a species on itself it is 1.
    pub struct ThreeSpeciesParameters {
        growth_dependent: "/d" in 0.01..=1.0, default 0.277_258_872_223_978, "Growth rate of cells that need testosterone (doubling time of LNCaP, 60 h)", ZHANG;
        growth_producing: "/d" in 0.01..=1.0, default 0.346_573_590_279_973, "Growth rate of cells that make it (doubling time of H295R, 48 h)", ZHANG;
        growth_independent: "/d" in 0.01..=1.0, default 0.665_421_293_337_547, "Growth rate of cells that do without (doubling time of PC-3, 25 h)", ZHANG;
        competition_dependent_producing: "1" in 0.4..=0.9, default 0.7, "Competition of producing with dependent cells", DRAWN;
        competition_dependent_independent: "1" in 0.4..=0.9, default 0.8, "Competition of independent with dependent cells", DRAWN;
        competition_producing_dependent: "1" in 0.4..=0.9, default 0.4, "Competition of dependent with producing cells", DRAWN;
        competition_producing_independent: "1" in 0.4..=0.9, default 0.5, "Competition of independent with producing cells", DRAWN;
        competition_independent_dependent: "1" in 0.4..=0.9, default 0.6, "Competition of dependent with independent cells", DRAWN;
        competition_independent_producing: "1" in 0.4..=0.9, default 0.5, "Competition of producing with independent cells", DRAWN;
        capacity: "1" in 1e3..=1e5, default 1e4, "Carrying capacity of producing and of independent cells", ZHANG;
        treated_capacity: "1" in 10.0..=1e3, default 100.0, "Carrying capacity of producing cells at full dose", ZHANG;
        least_supply: "1" in 0.1..=10.0, default 1.0, "Capacity of dependent cells without any producing ones", Source::assumed("one cell: without it they would be gone in finite time");
        psa_clearance: "/d" in 0.05..=2.0, default 0.5, "Rate at which PSA is cleared", ZHANG;
        initial_dependent: "1" in 1.0..=1e4, default 2000.0, "Dependent cells at the start", ZHANG;
        initial_producing: "1" in 1.0..=1e3, default 100.0, "Producing cells at the start", ZHANG;
        initial_independent: "1" in 1e-4..=1e3, default 1.0, "Independent cells at the start", ZHANG;
        initial_psa: "ng/mL" in 1.0..=1e5, default 4200.0, "PSA at the start, in the units of cells", ZHANG;
    }
}

/// Cells that need testosterone (`T⁺`), that make it (`Tᴾ`), and that do without (`T⁻`), competing after Lotka and Volterra.
///
/// # Equation
/// `x_i' = r_i x_i (1 - Σ_j a_ij x_j / K_i)`; the capacity of `T⁺` is 1.5 times the number of `Tᴾ` without the drug and 0.5 times with it, and a least one,
/// that of `Tᴾ` falls from its capacity to the treated one; in between, linearly by intensity. `PSA' = Σ x - c PSA`.
///
/// # States
/// `ln_dependent`, `ln_producing`, `ln_independent` (natural logarithms), `psa`.
///
/// # Treatments
/// Continuous therapy with an inhibitor of androgen synthesis.
///
/// # Source
/// Zhang, Cunningham, Brown and Gatenby 2017, doi:10.1038/s41467-017-01968-5; structure confirmed, values recalled as marked.
#[derive(Debug, Clone)]
pub struct ThreeSpecies {
    spec: Arc<ModelSpec>,
}

/// The [`ThreeSpecies`] model under `agent`.
#[must_use]
pub fn three_species(agent: &Agent) -> Ode<ThreeSpecies> {
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec =
        ModelSpec::new::<ThreeSpeciesParameters>("three_species", "Three species of prostate cancer cells that compete", ZHANG)
            .bounded_state("ln_dependent", "1", low, high, 1e-9)
            .bounded_state("ln_producing", "1", low, high, 1e-9)
            .bounded_state("ln_independent", "1", low, high, 1e-9)
            .state("psa", "ng/mL", 1e-7)
            .observes(Observable::PSA, "ng/mL")
            .understands_continuous(agent);
    Ode::new(ThreeSpecies { spec: Arc::new(spec) })
}

const DRUG: Input = Input::new(0);

impl Dynamics for ThreeSpecies {
    type State = [f64; 4];
    type Parameters = ThreeSpeciesParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &ThreeSpeciesParameters<T>) -> [T; 4] {
        [p.initial_dependent.ln(), p.initial_producing.ln(), p.initial_independent.ln(), p.initial_psa]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 4], exposure: &Exposure<T>, p: &ThreeSpeciesParameters<T>, dx: &mut [T; 4]) {
        let level = exposure.level(DRUG);
        let [dependent, producing, independent] = [x[0].exp(), x[1].exp(), x[2].exp()];
        let supply = p.least_supply + (T::from(1.5) - level) * producing;
        let capacity = p.capacity + level * (p.treated_capacity - p.capacity);
        let load = [
            dependent + p.competition_dependent_producing * producing + p.competition_dependent_independent * independent,
            p.competition_producing_dependent * dependent + producing + p.competition_producing_independent * independent,
            p.competition_independent_dependent * dependent + p.competition_independent_producing * producing + independent,
        ];
        dx[0] = p.growth_dependent * (T::from(1.0) - load[0] / supply);
        dx[1] = p.growth_producing * (T::from(1.0) - load[1] / capacity);
        dx[2] = p.growth_independent * (T::from(1.0) - load[2] / p.capacity);
        dx[3] = dependent + producing + independent - p.psa_clearance * x[3];
    }

    fn observe<T: Scalar>(&self, x: &[T; 4], _p: &ThreeSpeciesParameters<T>, y: &mut [T]) {
        y[0] = x[3];
    }
}
