//! A tumor and the vessels that feed it.

use crate::{Dynamics, Exposure, Given, Input, ModelSpec, Ode, Refused, Scalar, Source, TreatmentKind, parameters};
use std::sync::Arc;
use twin_core::{Agent, Observable};

const HAHNFELDT: Source = Source::published("Hahnfeldt et al. 1999, Cancer Research 59:4770");
const RECALLED: Source = Source::unconfirmed("Hahnfeldt et al. 1999, endostatin, recalled");
const LEDZEWICZ: &str = "Ledzewicz and Schättler 2008, doi:10.1016/j.jtbi.2008.02.014";

parameters! {
    /// Parameters of [`hahnfeldt`].
    pub struct HahnfeldtParameters {
        growth_rate: "/d" in 0.01..=1.0, default 0.192, "Rate at which the volume approaches the capacity", HAHNFELDT;
        stimulation: "/d" in 0.5..=20.0, default 5.85, "Stimulation of vessels per volume", HAHNFELDT;
        stimulation_exponent: "1" in 0.0..=1.0, default 1.0, "Share of the tumor, in the exponent, in that stimulation; 0 for the vessels alone, as in the optimal control problem", HAHNFELDT;
        inhibition: "/(mm2.d)" in 1e-3..=0.05, default 0.00873, "Inhibition of vessels by the tumor", HAHNFELDT;
        capacity_loss: "/d" in 0.0..=0.1, default 0.0, "Spontaneous loss of vessels; 0.02 in the optimal control problem", Source::published(LEDZEWICZ);
        full_dose_effect: "/d" in 0.0..=15.0, default 11.25, "Loss of vessels under continuous therapy at full dose", Source::published(LEDZEWICZ);
        bolus_effect: "kg/(mg.d)" in 1e-3..=2.0, default 0.66, "Loss of vessels per concentration of a bolus", RECALLED;
        clearance_rate: "/d" in 0.1..=15.0, default 1.7, "Clearance rate of a bolus", RECALLED;
        initial_volume: "mm3" in 10.0..=2e4, default 200.0, "Volume at the start", HAHNFELDT;
        initial_capacity: "mm3" in 10.0..=2e4, default 625.0, "Capacity at the start", HAHNFELDT;
    }
}

/// A tumor that grows towards the capacity of its vessels, which it stimulates and inhibits.
///
/// # Equation
/// `V' = -λ V ln(V/K)`, `K' = b V^s K^(1-s) - (μ + d V^(2/3)) K - (e g + G u) K`, `g' = -c g`, with the concentration `g` of boluses and
/// the intensity `u` of continuous therapy; `s` is 1 in Hahnfeldt et al. and 0 in the optimal control problem.
///
/// # States
/// `ln_volume`, `ln_capacity`: natural logarithms of volumes in mm³; `inhibitor` in mg/kg.
///
/// # Treatments
/// Boluses of an inhibitor in mg/kg, and continuous therapy with it.
///
/// # Source
/// Hahnfeldt, Panigrahy, Folkman and Hlatky 1999, Cancer Research 59:4770; the optimal control problem (`growth_rate` 0.084,
/// `stimulation_exponent` 0, `capacity_loss` 0.02, at most 0.2 days at full dose) Ledzewicz and Schättler 2008.
#[derive(Debug, Clone)]
pub struct Hahnfeldt {
    spec: Arc<ModelSpec>,
}

/// The [`Hahnfeldt`] model for the inhibitor `agent`.
#[must_use]
pub fn hahnfeldt(agent: &Agent) -> Ode<Hahnfeldt> {
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec = ModelSpec::new::<HahnfeldtParameters>("hahnfeldt", "A tumor and the capacity of its vessels", HAHNFELDT)
        .bounded_state("ln_volume", "1", low, high, 1e-9)
        .bounded_state("ln_capacity", "1", low, high, 1e-9)
        .state("inhibitor", "mg/kg", 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_drug(TreatmentKind::Bolus, agent, "mg/kg")
        .understands_continuous(agent);
    Ode::new(Hahnfeldt { spec: Arc::new(spec) })
}

/// The volume and capacity at rest without treatment, `((b - μ)/d)^(3/2)` in mm³; nothing if vessels are lost faster than they grow.
#[must_use]
pub fn hahnfeldt_equilibrium(p: &HahnfeldtParameters) -> Option<f64> {
    let ratio = (p.stimulation - p.capacity_loss) / p.inhibition;
    (ratio > 0.0).then(|| ratio.powf(1.5))
}

const CONTINUOUS: Input = Input::new(1);

impl Dynamics for Hahnfeldt {
    type State = [f64; 3];
    type Parameters = HahnfeldtParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &HahnfeldtParameters<T>) -> [T; 3] {
        [p.initial_volume.ln(), p.initial_capacity.ln(), T::from(0.0)]
    }

    #[inline]
    fn rates<T: Scalar>(
        &self,
        _t: T,
        &[volume, capacity, inhibitor]: &[T; 3],
        exposure: &Exposure<T>,
        p: &HahnfeldtParameters<T>,
        dx: &mut [T; 3],
    ) {
        let lost = p.capacity_loss + p.inhibition * (volume * (2.0 / 3.0)).exp();
        let treated = p.bolus_effect * inhibitor + p.full_dose_effect * exposure.level(CONTINUOUS);
        *dx = [
            p.growth_rate * (capacity - volume),
            p.stimulation * (p.stimulation_exponent * (volume - capacity)).exp() - lost - treated,
            -p.clearance_rate * inhibitor,
        ];
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], _p: &HahnfeldtParameters<T>, y: &mut [T]) {
        y[0] = x[0].exp();
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &HahnfeldtParameters<T>, x: &mut [T; 3]) -> Result<(), Refused> {
        x[2] += given.amount;
        Ok(())
    }
}
