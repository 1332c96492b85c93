//! A tumor under fractions, of which only the proliferating share dies.

use crate::{Dynamics, Exposure, Given, ModelSpec, Ode, Refused, Scalar, Source, parameters};
use std::sync::Arc;
use twin_core::Observable;

const PROKOPIOU: &str = "Prokopiou et al. 2015, doi:10.1186/s13014-015-0465-x, figure 1";
const CHOICE: Source = Source::assumed("a mid-range value; fit it to the patient");

parameters! {
    /// Parameters of [`proliferation_saturation`].
    pub struct ProliferationSaturationParameters {
        growth_rate: "/d" in 1e-4..=1.0, default 0.1, "Relative growth rate of a small tumor", Source::published(PROKOPIOU);
        saturation_index: "1" in 0.01..=0.999, default 0.7, "Volume at the start as a share of the carrying capacity", CHOICE;
        death_at_2_gray: "1" in 0.01..=0.9, default 0.25, "Share of proliferating cells that a fraction of 2 Gy kills", Source::published(PROKOPIOU);
        alpha_beta_ratio: "Gy" in 1.0..=30.0, default 10.0, "Ratio of alpha to beta, which tells the share at other doses", Source::assumed("the customary value for tumors");
        initial_volume: "mm3" in 1.0..=1e6, default 1e4, "Volume at the start", CHOICE;
    }
}

/// Logistic growth of which a fraction kills proliferating cells alone; their share is what is left to the carrying capacity.
///
/// # Equation
/// `V' = λ V (1 - V/K)`; a fraction of `d` takes `V` to `V - γ(d) V (1 - V/K)`, with `γ(d) = 1 - exp(-α d - β d²)` and `K` the volume
/// at the start over the index.
///
/// # States
/// `ln_share`, the natural logarithm of `V/K`.
///
/// # Treatments
/// Fractions.
///
/// # Assumptions
/// Cells that do not proliferate are spared; what dies is gone at once.
///
/// # Valid for
/// Response during fractionated radiotherapy from two images before it.
///
/// # Source
/// Prokopiou et al. 2015, doi:10.1186/s13014-015-0465-x.
///
/// # Example
/// ```
/// use twin_models::{Model, radiation};
/// let model = radiation::proliferation_saturation();
/// assert_eq!(model.spec().understood(), "fraction to tumor");
/// ```
#[derive(Debug, Clone)]
pub struct ProliferationSaturation {
    spec: Arc<ModelSpec>,
}

/// The [`ProliferationSaturation`] model.
#[must_use]
pub fn proliferation_saturation() -> Ode<ProliferationSaturation> {
    let title = "Logistic growth of which radiotherapy kills proliferating cells";
    let spec = ModelSpec::new::<ProliferationSaturationParameters>("proliferation_saturation", title, Source::published(PROKOPIOU))
        .bounded_state("ln_share", "1", f64::NEG_INFINITY, 0.0, 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_fractions_to(&twin_core::Target::TUMOR);
    Ode::new(ProliferationSaturation { spec: Arc::new(spec) })
}

impl Dynamics for ProliferationSaturation {
    type State = [f64; 1];
    type Parameters = ProliferationSaturationParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, p: &ProliferationSaturationParameters<T>) -> [T; 1] {
        [p.saturation_index.ln()]
    }

    #[inline]
    fn rates<T: Scalar>(
        &self,
        _t: T,
        x: &[T; 1],
        _exposure: &Exposure<T>,
        p: &ProliferationSaturationParameters<T>,
        dx: &mut [T; 1],
    ) {
        dx[0] = -p.growth_rate * x[0].exp_m1();
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], p: &ProliferationSaturationParameters<T>, y: &mut [T]) {
        y[0] = p.initial_volume * x[0].exp() / p.saturation_index;
    }

    fn treat<T: Scalar>(&self, given: Given<T>, p: &ProliferationSaturationParameters<T>, x: &mut [T; 1]) -> Result<(), Refused> {
        let d = given.amount;
        let relative_effect = d * (T::from(1.0) + d / p.alpha_beta_ratio) / ((T::from(2.0) / p.alpha_beta_ratio + 1.0) * 2.0);
        let death = -((-p.death_at_2_gray).ln_1p() * relative_effect).exp_m1();
        x[0] += (death * x[0].exp_m1()).ln_1p();
        Ok(())
    }
}
