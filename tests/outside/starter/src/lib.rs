//! A model of your own. Replace the equations, the parameters and their sources by yours; keep the shape.

use std::sync::Arc;
use twin_core::{Agent, Observable};
use twin_models::{Dynamics, Exposure, Input, ModelSpec, Ode, Source, parameters};

// Say where equations and values come from: `published` what you read, `unconfirmed` what you recall, `assumed` what you choose.
const CHOICE: Source = Source::assumed("an example; cite your source here");

parameters! {
    /// Parameters of [`Turnover`].
    pub struct TurnoverParameters {
        growth_rate: "/d" in 1e-3..=0.1, default 0.03, "Growth rate of a small tumor", CHOICE;
        carrying_capacity: "mm3" in 1e4..=1e6, default 1e5, "Volume at which growth stops", CHOICE;
        kill_rate: "/d" in 0.0..=0.2, default 0.06, "Loss at full dose, before resistance", CHOICE;
        resistance_rate: "/d" in 0.0..=0.05, default 0.01, "Rate at which the drug loses its effect while it is given", CHOICE;
        initial_volume: "mm3" in 10.0..=5e4, default 5e3, "Volume at the start", CHOICE;
    }
}

/// Logistic growth under a drug that wears out: `V' = V (r (1 - V/K) - k e u)`, `e' = -c e u`, with the intensity `u` of the therapy.
#[derive(Debug, Clone)]
pub struct Turnover {
    spec: Arc<ModelSpec>,
}

/// The place of the drug among the treatments of the specification.
const DRUG: Input = Input::new(0);

/// The model under `drug`.
#[must_use]
pub fn turnover(drug: &Agent) -> Ode<Turnover> {
    let spec = ModelSpec::new::<TurnoverParameters>("turnover", "Logistic growth under a drug that wears out", CHOICE)
        // The logarithm of the volume, so that it stays positive.
        .bounded_state("ln_volume", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .bounded_state("effect", "1", 0.0, 1.0, 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_continuous(drug);
    Ode::new(Turnover { spec: Arc::new(spec) })
}

impl Dynamics for Turnover {
    type State = [f64; 2];
    type Parameters = TurnoverParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial(&self, p: &TurnoverParameters) -> [f64; 2] {
        [p.initial_volume.ln(), 1.0]
    }

    fn rates(&self, _t: f64, &[ln_volume, effect]: &[f64; 2], exposure: &Exposure, p: &TurnoverParameters, dx: &mut [f64; 2]) {
        let given = exposure.level(DRUG);
        let growth = p.growth_rate * (1.0 - ln_volume.exp() / p.carrying_capacity);
        *dx = [growth - p.kill_rate * effect * given, -p.resistance_rate * effect * given];
    }

    fn observe(&self, &[ln_volume, _]: &[f64; 2], _p: &TurnoverParameters, y: &mut [f64]) {
        y[0] = ln_volume.exp();
    }
}
