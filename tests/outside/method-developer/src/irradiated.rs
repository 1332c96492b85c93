//! The model, whole.

use std::sync::Arc;
use twin_core::Observable;
use twin_models::{Dynamics, Exposure, Given, ModelSpec, Ode, Refused, Scalar, Source, parameters};

const LQ: Source = Source::unconfirmed("Fowler 1989, doi:10.1259/0007-1285-62-740-679 (alpha/beta of 10 Gy for tumors)");
const TWO_VOLUMES: Source = Source::assumed("clearance of killed cells in weeks, as in two-volume models of radiotherapy");
const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");

parameters! {
    /// Parameters of [`Irradiated`].
    pub struct IrradiatedParameters {
        growth_rate: "/d" in 1e-4..=0.1, default 0.02, "Relative growth rate of living cells in an empty habitat", CHOICE;
        carrying_capacity: "mm3" in 1e4..=1e7, default 1e6, "Volume of living and dying cells at which growth stops", CHOICE;
        alpha: "Gy-1" in 0.0..=1.0, default 0.3, "Radiosensitivity, linear in the dose", LQ;
        beta: "Gy-2" in 0.0..=0.1, default 0.03, "Radiosensitivity, quadratic in the dose", LQ;
        clearance: "/d" in 0.01..=1.0, default 0.07, "Rate at which killed cells vanish", TWO_VOLUMES;
        initial_volume: "mm3" in 1.0..=1e6, default 2e4, "Living cells at the start", CHOICE;
    }
}

/// Living cells `V` and killed cells `D`: `V' = r V (1 - (V + D)/K)`, `D' = -c D`; a fraction of `d` Gy moves the share
/// `1 - exp(-alpha d - beta d^2)` of the living to the killed. What is seen is their sum.
#[derive(Debug, Clone)]
pub struct Irradiated {
    spec: Arc<ModelSpec>,
}

/// The [`Irradiated`] model.
#[must_use]
pub fn irradiated() -> Ode<Irradiated> {
    let spec = ModelSpec::new::<IrradiatedParameters>("irradiated", "A tumor under radiotherapy, cleared with delay", TWO_VOLUMES)
        .state("living", "mm3", 1e-6)
        .state("killed", "mm3", 1e-6)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_fractions();
    Ode::new(Irradiated { spec: Arc::new(spec) })
}

impl Dynamics for Irradiated {
    type State = [f64; 2];
    type Parameters = IrradiatedParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &IrradiatedParameters<T>) -> [T; 2] {
        [p.initial_volume, T::from(0.0)]
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 2], _exposure: &Exposure<T>, p: &IrradiatedParameters<T>, dx: &mut [T; 2]) {
        dx[0] = p.growth_rate * x[0] * (T::from(1.0) - (x[0] + x[1]) / p.carrying_capacity);
        dx[1] = -p.clearance * x[1];
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], _p: &IrradiatedParameters<T>, y: &mut [T]) {
        y[0] = x[0] + x[1];
    }

    fn treat<T: Scalar>(&self, fraction: Given<T>, p: &IrradiatedParameters<T>, x: &mut [T; 2]) -> Result<(), Refused> {
        let killed = -(-p.alpha * fraction.amount - p.beta * fraction.amount.powi(2)).exp_m1() * x[0];
        *x = [x[0] - killed, x[1] + killed];
        Ok(())
    }
}
