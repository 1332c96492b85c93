//! A drug: its kinetics, and what its concentration does.

use super::part::{Outline, Part, Response, RunningPart, RunningResponse, Tumor};
use crate::kinetics::{Kinetics, RunningKinetics};
use crate::{Exposure, Given, Input};

/// A drug with its kinetics `K` and the responses `R` to its concentration; `()` for none.
#[derive(Debug, Clone)]
pub struct Drug<K, R> {
    kinetics: K,
    responses: R,
}

impl<K: Kinetics, R: Response> Drug<K, R> {
    /// The drug of `kinetics`, whose concentration drives `responses`.
    #[must_use]
    pub const fn new(kinetics: K, responses: R) -> Self {
        Self { kinetics, responses }
    }
}

/// A [`Drug`] with the values of its parameters.
#[derive(Debug, Clone)]
pub struct RunningDrug<K, R> {
    kinetics: K,
    responses: R,
    inputs: [Option<Input>; 2],
    states: usize,
}

impl<K: RunningKinetics, R> RunningDrug<K, R> {
    fn infused(&self, exposure: &Exposure) -> f64 {
        self.inputs.iter().flatten().map(|&input| exposure.level(input)).sum()
    }
}

impl<K: Kinetics, R: Response> Part for Drug<K, R> {
    type Running = RunningDrug<K::Running, R::Running>;

    fn outline(&self) -> Outline {
        let mut outline = self.kinetics.outline();
        let (name, responses) = (self.kinetics.name(), self.responses.outline(&self.kinetics.name()));
        outline = outline.and(responses);
        outline.name = outline.name.replacen(" + ", " with ", 1);
        debug_assert!(outline.name.starts_with(&name));
        outline
    }

    fn bind(&self, values: &[f64], inputs: &[Input]) -> Option<Self::Running> {
        let outline = self.kinetics.outline();
        let (of_kinetics, of_responses) = values.split_at_checked(outline.parameters.len())?;
        let mut places = inputs.iter().copied();
        let inputs = [places.next(), places.next()];
        let (kinetics, responses) = (self.kinetics.bind(of_kinetics)?, self.responses.bind(of_responses)?);
        Some(RunningDrug { kinetics, responses, inputs, states: outline.states.len() })
    }
}

impl<K: RunningKinetics, R: RunningResponse> RunningPart for RunningDrug<K, R> {
    fn start(&self, x: &mut [f64]) {
        self.responses.start(x.split_at_mut(self.states).1);
    }

    #[inline]
    fn loss(&self, x: &[f64], _exposure: &Exposure, tumor: &Tumor) -> f64 {
        self.responses.loss(self.kinetics.concentration(x.split_at(self.states).0), tumor)
    }

    #[inline]
    fn dying(&self, x: &[f64]) -> f64 {
        self.responses.dying(x.split_at(self.states).1)
    }

    #[inline]
    fn rates(&self, x: &[f64], exposure: &Exposure, tumor: &Tumor, dx: &mut [f64]) {
        let ((amounts, rest), (of_amounts, of_rest)) = (x.split_at(self.states), dx.split_at_mut(self.states));
        self.kinetics.rates(amounts, self.infused(exposure), of_amounts);
        self.responses.rates(rest, self.kinetics.concentration(amounts), tumor, of_rest);
    }

    fn treat(&self, given: Given, _ln_living: &mut f64, x: &mut [f64]) {
        if self.inputs.contains(&Some(given.input)) {
            self.kinetics.enter(given.amount, x.split_at_mut(self.states).0);
        }
    }

    fn observe(&self, x: &[f64], y: &mut [f64]) {
        let (amounts, rest) = x.split_at(self.states);
        if let [concentration, of_responses @ ..] = y {
            *concentration = self.kinetics.concentration(amounts);
            self.responses.observe(rest, of_responses);
        }
    }
}
