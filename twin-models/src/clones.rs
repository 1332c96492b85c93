//! Clones that compete: drug-sensitive and resistant cells.

mod resistance;
mod three_species;

pub use resistance::{BirthDeathMutation, BirthDeathMutationParameters, resistance_at_size, resistance_probability};
pub use three_species::{ThreeSpecies, ThreeSpeciesParameters, three_species};

use crate::{Dynamics, Exposure, Input, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

/// A setting that Strobl et al. compare, not a value that they propose.
const COMPARED: Source = Source::assumed("one of the settings compared by Strobl et al. 2021");
const STROBL: &str = "Strobl et al. 2021, doi:10.1158/0008-5472.CAN-20-0806";

parameters! {
    /// Parameters of [`SensitiveResistant`].
    pub struct Competition {
        growth_rate: "/d" in 1e-4..=1.0, default 0.027, "Division rate of sensitive cells in an empty habitat", Source::published(STROBL);
        relative_fitness: "1" in 0.01..=3.0, default 1.0, "Division rate of resistant cells relative to sensitive ones; 1 less the cost of resistance", COMPARED;
        turnover: "1" in 0.0..=2.0, default 0.0, "Death rate of both clones as a share of the sensitive division rate", COMPARED;
        kill: "1" in 0.0..=20.0, default 1.5, "Divisions of sensitive cells killed per division, at full dose", Source::published(STROBL);
        initial_burden: "1" in 1e-4..=0.999, default 0.75, "Both clones at the start, as a share of the carrying capacity", COMPARED;
        initial_resistance: "1" in 1e-9..=0.999, default 0.001, "Resistant cells at the start, as a share of all cells", COMPARED;
        initial_psa: "ng/mL" in 1e-3..=1e5, default 20.0, "Serum PSA at the start; it stays proportional to the burden", Source::assumed("a scale, to be fitted");
    }
}

/// Sensitive and resistant cells that compete for one habitat (Lotka-Volterra), under a drug that kills dividing sensitive cells.
///
/// # Equation
/// `S' = r (1 - N) (1 - kill D) S - d S`, `R' = f r (1 - N) R - d R`, with `N = S + R`, `d = turnover r`, in units of the carrying
/// capacity; `D` is the intensity of the drug and `f` the relative fitness. PSA is proportional to `N`.
///
/// # States
/// `ln_sensitive`, `ln_resistant`, `ln_room`: the natural logarithms of `S`, `R` and `1 - N`. In logarithms a clone that is far below
/// any tolerance still regrows as it should, and the room in a crowded habitat is not lost to cancellation.
///
/// # Treatments
/// Continuous therapy with the one drug that the model was made for.
///
/// # Assumptions
/// Well mixed; no mutation after the start; the drug acts at once and only on dividing sensitive cells.
///
/// # Valid for
/// Comparing schedules of one drug while no new resistance arises.
///
/// # Source
/// Strobl et al. 2021, doi:10.1158/0008-5472.CAN-20-0806, equations 1 and 2; rates of the "no cost, no turnover" reference.
///
/// # Example
/// ```
/// use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
/// use twin_models::{Model, Scenario, clones, simulate};
/// let drug = Agent::new("abiraterone")?;
/// let model = clones::sensitive_resistant(drug.clone());
/// let scenario = Scenario::starting(Time::ORIGIN)
///     .treated([TimedTreatment::new(Time::ORIGIN, Treatment::on(drug))])
///     .sampled([Time::ORIGIN, Time::from_days(100.0)?]);
/// let burden = simulate(&model, &model.spec().defaults()?, &scenario, &mut Random::new(1))?.column(&Observable::TUMOR_BURDEN);
/// assert!(burden.is_some_and(|burden| burden[1] < burden[0]));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SensitiveResistant {
    spec: Arc<ModelSpec>,
}

/// The [`SensitiveResistant`] model for `drug`.
#[must_use]
pub fn sensitive_resistant(drug: Agent) -> Ode<SensitiveResistant> {
    let title = "Sensitive and resistant cells competing under a drug that is on or off";
    let spec = ModelSpec::new::<Competition>("sensitive_resistant", title, Source::published(STROBL))
        .bounded_state("ln_sensitive", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .bounded_state("ln_resistant", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .bounded_state("ln_room", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .observes(Observable::TUMOR_BURDEN, "1")
        .observes(Observable::PSA, "ng/mL")
        .understands_continuous(&drug);
    Ode::new(SensitiveResistant { spec: Arc::new(spec) })
}

const DRUG: Input = Input::new(0);

impl Dynamics for SensitiveResistant {
    type State = [f64; 3];
    type Parameters = Competition;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &Competition<T>) -> [T; 3] {
        let burden = p.initial_burden;
        [(burden * (T::from(1.0) - p.initial_resistance)).ln(), (burden * p.initial_resistance).ln(), (T::from(1.0) - burden).ln()]
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 3], exposure: &Exposure<T>, p: &Competition<T>, dx: &mut [T; 3]) {
        let [sensitive, resistant, room] = x.map(T::exp);
        let death = p.turnover * p.growth_rate;
        let of_sensitive = p.growth_rate * (T::from(1.0) - p.kill * exposure.level(DRUG));
        let of_resistant = p.growth_rate * p.relative_fitness;
        dx[0] = of_sensitive * room - death;
        dx[1] = of_resistant * room - death;
        dx[2] = death * (sensitive + resistant) / room - of_sensitive * sensitive - of_resistant * resistant;
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], p: &Competition<T>, y: &mut [T]) {
        let burden = x[0].exp() + x[1].exp();
        y[0] = burden;
        y[1] = p.initial_psa * burden / p.initial_burden;
    }
}
