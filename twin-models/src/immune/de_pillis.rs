//! A tumor, natural killer cells and CD8+ T cells.

use crate::{Dynamics, Exposure, ModelSpec, Ode, Parameters, Scalar, SimulationError, Source, parameters};
use std::sync::Arc;
use twin_core::{CoreError, Observable};

const DE_PILLIS: Source =
    Source::published("de Pillis et al. 2005, doi:10.1158/0008-5472.CAN-05-0564, as in public code; mouse, nn");
const CHOICE: Source = Source::assumed("the start of the simulations of the publication's figures");

parameters! {
    /// Parameters of [`de_pillis`], in cells; the defaults are those of mice, unligated tumor before and after (`nn`).
    pub struct DePillisParameters {
        growth_rate: "/d" in 0.1..=1.0, default 0.514, "Growth rate a of the tumor", DE_PILLIS;
        crowding: "1" in 5e-10..=1e-8, default 1.02e-9, "Inverse b of the carrying capacity, per cell", DE_PILLIS;
        natural_kill: "/d" in 1e-9..=1e-5, default 3.23e-7, "Kill c by natural killer cells, per cell", DE_PILLIS;
        specific_kill: "/d" in 0.1..=20.0, default 1.43, "Greatest kill d by CD8+ T cells", DE_PILLIS;
        kill_exponent: "1" in 0.2..=2.0, default 0.58, "Exponent l of the ratio of T cells to tumor cells", DE_PILLIS;
        kill_steepness: "1" in 0.05..=10.0, default 2.73, "Power s of the ratio at half the greatest kill", DE_PILLIS;
        natural_supply: "/d" in 1e2..=1e6, default 1.3e4, "Supply of natural killer cells, cells per day", DE_PILLIS;
        natural_death: "/d" in 1e-3..=1.0, default 0.0412, "Death rate f of natural killer cells", DE_PILLIS;
        natural_recruitment: "/d" in 0.0..=0.5, default 0.025, "Greatest recruitment g of natural killer cells", DE_PILLIS;
        natural_half: "1" in 1e5..=1e9, default 2.02e7, "Tumor of half that recruitment, cells", DE_PILLIS;
        natural_inactivation: "/d" in 0.0..=2e-7, default 1e-7, "Inactivation p of natural killer cells, per tumor cell", DE_PILLIS;
        specific_death: "/d" in 1e-3..=1.0, default 0.02, "Death rate m of CD8+ T cells", DE_PILLIS;
        specific_recruitment: "/d" in 0.0..=2.0, default 0.0375, "Greatest recruitment j of CD8+ T cells", DE_PILLIS;
        specific_half: "1" in 1e5..=1e9, default 2.02e7, "Killed tumor of half that recruitment, cells", DE_PILLIS;
        specific_inactivation: "/d" in 0.0..=2e-9, default 3.42e-10, "Inactivation q of CD8+ T cells, per tumor cell", DE_PILLIS;
        priming: "/d" in 1e-9..=1e-5, default 1.1e-7, "CD8+ T cells r made per encounter of tumor and natural killer cells", DE_PILLIS;
        initial_tumor: "1" in 1.0..=1e8, default 1e5, "Tumor cells at the start", CHOICE;
        initial_natural: "1" in 1.0..=1e7, default 3e5, "Natural killer cells at the start", CHOICE;
        initial_specific: "1" in 0.0..=1e7, default 0.0, "CD8+ T cells at the start", CHOICE;
    }
}

/// A set of values of the publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DePillisSet {
    /// Mice, tumor without ligand, then challenged without: the defaults.
    Unligated,
    /// Mice, with ligand both times.
    Ligated,
}

/// A tumor `T`, natural killer cells `N` and CD8+ T cells `L`.
///
/// # Equation
/// With `D = d (L/T)^l / (s + (L/T)^l)`: `T' = a T (1 - b T) - c N T - D T`, `N' = σ - f N + g T²/(h + T²) N - p N T`,
/// `L' = -m L + j (D T)²/(k + (D T)²) L - q L T + r N T`; `h` and `k` enter as they stand in the publication, as squares of cells.
///
/// # States
/// `ln_tumor`, natural logarithm; `natural_killer` and `cd8_t` in cells.
///
/// # Treatments
/// None.
///
/// # Source
/// de Pillis, Radunskaya and Wiseman 2005, doi:10.1158/0008-5472.CAN-05-0564.
#[derive(Debug, Clone)]
pub struct DePillis {
    spec: Arc<ModelSpec>,
}

/// The [`DePillis`] model.
///
/// # Errors
/// None: the names of the observables are valid.
pub fn de_pillis() -> Result<Ode<DePillis>, CoreError> {
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec = ModelSpec::new::<DePillisParameters>("de_pillis", "A tumor, natural killer and CD8+ T cells", DE_PILLIS)
        .bounded_state("ln_tumor", "1", low, high, 1e-8)
        .state("natural_killer", "1", 1e-3)
        .state("cd8_t", "1", 1e-3)
        .observes_above(Observable::new("tumor_cells")?, "1", 1e-3)
        .observes_above(Observable::new("natural_killer_cells")?, "1", 1e-3)
        .observes_above(Observable::new("cd8_t_cells")?, "1", 1e-3);
    Ok(Ode::new(DePillis { spec: Arc::new(spec) }))
}

impl DePillisParameters {
    /// `parameters` with the values of `set`.
    ///
    /// # Errors
    /// [`SimulationError::UnknownParameter`] for parameters of another model.
    pub fn of_set(parameters: Parameters, set: DePillisSet) -> Result<Parameters, SimulationError> {
        let [c, g, d, l, s, j] = match set {
            DePillisSet::Unligated => [3.23e-7, 0.025, 1.43, 0.58, 2.73, 0.0375],
            DePillisSet::Ligated => [3.5e-6, 0.2, 7.17, 0.75, 0.4, 0.3],
        };
        let values = [
            ("natural_kill", c),
            ("natural_recruitment", g),
            ("specific_kill", d),
            ("kill_exponent", l),
            ("kill_steepness", s),
            ("specific_recruitment", j),
        ];
        values.iter().try_fold(parameters, |parameters, &(name, value)| parameters.with(name, value))
    }
}

impl Dynamics for DePillis {
    type State = [f64; 3];
    type Parameters = DePillisParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &DePillisParameters<T>) -> [T; 3] {
        [p.initial_tumor.ln(), p.initial_natural, p.initial_specific]
    }

    #[inline]
    fn rates<T: Scalar>(
        &self,
        _t: T,
        &[ln_tumor, natural, specific]: &[T; 3],
        _exposure: &Exposure<T>,
        p: &DePillisParameters<T>,
        dx: &mut [T; 3],
    ) {
        let tumor = ln_tumor.exp();
        // The ratio to the power, in logarithms; without T cells it is nothing, and without a tumor the kill is at its greatest.
        let ln_power = || p.kill_exponent * (specific.ln() - ln_tumor);
        let present = || p.specific_kill / (T::from(1.0) + p.kill_steepness * (-ln_power()).exp());
        let kill = specific.if_positive(present, || T::from(0.0));
        let killed = (kill * tumor).powi(2);
        let tumor_2 = tumor * tumor;
        *dx = [
            p.growth_rate * (T::from(1.0) - p.crowding * tumor) - p.natural_kill * natural - kill,
            p.natural_supply
                + natural
                    * (p.natural_recruitment * tumor_2 / (p.natural_half + tumor_2)
                        - p.natural_inactivation * tumor
                        - p.natural_death),
            specific
                * (p.specific_recruitment * killed / (p.specific_half + killed)
                    - p.specific_death
                    - p.specific_inactivation * tumor)
                + p.priming * natural * tumor,
        ];
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], _p: &DePillisParameters<T>, y: &mut [T]) {
        y[0] = x[0].exp();
        y[1] = x[1];
        y[2] = x[2];
    }
}
