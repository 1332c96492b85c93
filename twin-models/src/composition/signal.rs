//! A signal from another scale that slows the growth of the tumor.

use super::outline::Outline;
use super::part::{Part, RunningPart, Tumor};
use crate::{Exposure, Given, Input, ParameterSet, Scalar, Source, TreatmentKind, TreatmentSpec, parameters};
use twin_core::Agent;

const BUENO: Source = Source::published(
    "Bueno et al. 2008, European Journal of Cancer 44:142: two signal transduction compartments, 6.17 d in Calu6 xenografts in mice",
);

parameters! {
    /// Parameters of [`Signal`].
    pub(crate) struct SignalParameters {
        propagation_time: "d" in 0.1..=60.0, default 6.17, "Mean time that the signal takes to the tumor", BUENO;
        effect: "1" in 0.0..=1.0, default 1.0, "Share of growth that the full signal prevents", Source::assumed("all of it; fit it to the tumor");
    }
}

/// A signal, the intensity of a continuous treatment, that passes two compartments and prevents a share of the growth of the tumor: what a
/// [`Coupled`](super::Coupled) model is driven by.
///
/// `s₁' = 2 (u - s₁)/τ`, `s₂' = 2 (s₁ - s₂)/τ`, and the tumor grows at `(1 - e s₂)` of its rate. Where it would shrink by itself, nothing
/// more is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    agent: Agent,
}

impl Signal {
    /// The signal that `agent` names.
    #[must_use]
    pub const fn new(agent: Agent) -> Self {
        Self { agent }
    }
}

/// [`Signal`] with the values of its parameters.
#[derive(Debug, Clone, Copy)]
pub struct RunningSignal<T = f64> {
    rate: T,
    effect: T,
    input: Input,
}

impl Part for Signal {
    type Running<T: Scalar> = RunningSignal<T>;

    fn outline(&self) -> Outline {
        let mut outline = Outline::new("signal").parameters::<SignalParameters>("signal");
        for stage in 1..=2 {
            outline = outline.state(format!("signal_{stage}"), "1", 1e-9);
        }
        outline.treatments.push(TreatmentSpec {
            kind: TreatmentKind::Continuous,
            agent: Some(self.agent.clone()),
            unit: None,
            target: None,
        });
        outline.needs_tumor = true;
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<RunningSignal<T>> {
        let p = SignalParameters::from_values(values)?;
        let &[input] = inputs else { return None };
        Some(RunningSignal { rate: T::from(2.0) / p.propagation_time, effect: p.effect, input })
    }
}

impl<T: Scalar> RunningPart<T> for RunningSignal<T> {
    fn start(&self, _x: &mut [T]) {}

    #[inline(always)]
    fn loss(&self, x: &[T], _exposure: &Exposure<T>, tumor: &Tumor<T>) -> T {
        let arrived = x.last().copied().unwrap_or(T::from(0.0));
        self.effect * arrived * tumor.growth_rate.max(T::from(0.0))
    }

    #[inline(always)]
    fn rates(&self, x: &[T], exposure: &Exposure<T>, _tumor: &Tumor<T>, dx: &mut [T]) {
        if let (&[first, second], [of_first, of_second]) = (x, dx) {
            *of_first = self.rate * (exposure.level(self.input) - first);
            *of_second = self.rate * (first - second);
        }
    }

    fn treat(&self, _given: Given<T>, _ln_living: &mut T, _x: &mut [T]) {}

    fn observe(&self, _x: &[T], _y: &mut [T]) {}
}
