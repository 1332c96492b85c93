//! A molecular pathway that a drug inhibits.

use crate::composition::{Outline, Response, RunningResponse, Tumor};
use crate::{ParameterSet, Scalar, Source, parameters};
use twin_core::Observable;

const BUENO: Source = Source::published(
    "Bueno et al. 2008, European Journal of Cancer 44:142: pSmad turns over with a half-time of 18.6 min in Calu6 xenografts",
);
const FIT: Source = Source::assumed("a mid-range value; fit it to the drug and its target");

parameters! {
    /// Parameters of [`Pathway`].
    pub(crate) struct PathwayParameters {
        turnover_half_time: "h" in 0.05..=24.0, default 0.31, "Half-time in which the active form turns over", BUENO;
        half_concentration: "mg/L" in 1e-3..=1e3, default 1.0, "Concentration that halves the activation", FIT;
        steepness: "1" in 0.5..=4.0, default 1.0, "Hill exponent", FIT;
    }
}

/// A pathway whose activation a drug inhibits, up to all of it: an indirect response over minutes to hours.
///
/// With `a` the active form relative to that without the drug: `a' = k (1 - C^h/(IC50^h + C^h) - a)`. Observed is the inhibition `1 - a`,
/// which drives a tumor on its own scale in a [`Coupled`](crate::composition::Coupled) model.
///
/// Bueno et al. 2008: a kinase antagonist (LY2157299, galunisertib) that completely inhibits the phosphorylation of Smad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pathway;

/// [`Pathway`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningPathway<T = f64> {
    rate: T,
    p: PathwayParameters<T>,
}

impl Pathway {
    /// The name of the observable for the drug `drug`: the inhibition, 0 to 1.
    #[must_use]
    pub fn signal(drug: &str) -> String {
        format!("{drug}_pathway_inhibition")
    }
}

impl Response for Pathway {
    type Running<T: Scalar> = RunningPathway<T>;

    fn outline(&self, drug: &str) -> Outline {
        // The state is the inhibited share, so that nothing given is nothing, exactly.
        let outline = Outline::new("pathway").parameters::<PathwayParameters>(&format!("{drug}_pathway")).state(
            format!("{drug}_pathway_inhibited"),
            "1",
            1e-9,
        );
        match Observable::new(&Self::signal(drug)) {
            Ok(inhibition) => outline.observes(inhibition, "1", 1e-9),
            Err(error) => Outline { fault: Some(format!("the drug `{drug}` has no name for its signal: {error}")), ..outline },
        }
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<RunningPathway<T>> {
        let p = PathwayParameters::from_values(values)?;
        Some(RunningPathway { rate: T::from(24.0 * std::f64::consts::LN_2) / p.turnover_half_time, p })
    }
}

impl<T: Scalar> RunningResponse<T> for RunningPathway<T> {
    #[inline]
    fn rates(&self, x: &[T], concentration: T, _tumor: &Tumor<T>, dx: &mut [T]) {
        if let (&[inhibited], [rate]) = (x, dx) {
            let ratio = (concentration.max(T::from(0.0)) / self.p.half_concentration).powf(self.p.steepness).min(T::from(f64::MAX));
            *rate = self.rate * (ratio / (T::from(1.0) + ratio) - inhibited);
        }
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        if let (Some(inhibited), Some(seen)) = (x.first(), y.first_mut()) {
            *seen = *inhibited;
        }
    }
}
