//! A tumor that builds its own vessels.

use crate::{Dynamics, Exposure, ModelSpec, Ode, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::Observable;

const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");

parameters! {
    /// Parameters of [`dynamic_carrying_capacity`].
    pub struct DynamicCapacity {
        growth_rate: "/d" in 1e-3..=1.0, default 0.1, "Rate at which the volume approaches the capacity", CHOICE;
        stimulation: "mm/d" in 1e-3..=10.0, default 0.5, "Growth of the capacity per surface of the tumor", CHOICE;
        initial_volume: "mm3" in 1e-2..=1e5, default 100.0, "Volume at the start", CHOICE;
        initial_capacity: "mm3" in 1e-1..=1e6, default 200.0, "Capacity at the start", CHOICE;
    }
}

/// Gompertz growth towards a capacity that grows with the surface of the tumor.
///
/// # Equation
/// `V' = a V ln(K/V)`, `K' = b V^(2/3)`.
///
/// # States
/// `ln_volume`, `ln_capacity`: natural logarithms of the volumes in mm³.
///
/// # Treatments
/// None.
///
/// # Source
/// Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800, after Hahnfeldt et al. 1999.
#[derive(Debug, Clone)]
pub struct DynamicCarryingCapacity {
    spec: Arc<ModelSpec>,
}

/// The [`DynamicCarryingCapacity`] model.
#[must_use]
pub fn dynamic_carrying_capacity() -> Ode<DynamicCarryingCapacity> {
    let source = Source::published("Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800");
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let spec = ModelSpec::new::<DynamicCapacity>("dynamic_carrying_capacity", "Growth towards a capacity that grows", source)
        .bounded_state("ln_volume", "1", low, high, 1e-9)
        .bounded_state("ln_capacity", "1", low, high, 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3");
    Ode::new(DynamicCarryingCapacity { spec: Arc::new(spec) })
}

impl Dynamics for DynamicCarryingCapacity {
    type State = [f64; 2];
    type Parameters = DynamicCapacity;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &DynamicCapacity<T>) -> [T; 2] {
        [p.initial_volume.ln(), p.initial_capacity.ln()]
    }

    #[inline]
    fn rates<T: Scalar>(
        &self,
        _t: T,
        &[volume, capacity]: &[T; 2],
        _exposure: &Exposure<T>,
        p: &DynamicCapacity<T>,
        dx: &mut [T; 2],
    ) {
        *dx = [p.growth_rate * (capacity - volume), p.stimulation * (volume * (2.0 / 3.0) - capacity).exp()];
    }

    fn observe<T: Scalar>(&self, x: &[T; 2], _p: &DynamicCapacity<T>, y: &mut [T]) {
        y[0] = x[0].exp();
    }
}
