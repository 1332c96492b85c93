//! A drug: its kinetics, and what its concentration does.

use super::outline::Outline;
use super::part::{Part, Response, RunningPart, RunningResponse, Tumor};
use crate::kinetics::{Kinetics, RunningKinetics};
use crate::{Exposure, Given, Input, MAX_INPUTS, Scalar};

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
    /// The treatments that bring the drug in; those that it has are `Some`, in front.
    inputs: [Option<Input>; MAX_INPUTS],
    states: usize,
}

impl<K, R> RunningDrug<K, R> {
    #[inline(always)]
    fn infused<T: Scalar>(&self, exposure: &Exposure<T>) -> T {
        self.inputs.iter().map_while(|&input| input).map(|input| exposure.level(input)).sum()
    }
}

impl<K: Kinetics, R: Response> Part for Drug<K, R> {
    type Running<T: Scalar> = RunningDrug<K::Running<T>, R::Running<T>>;

    fn outline(&self) -> Outline {
        let mut outline = self.kinetics.outline();
        let name = self.kinetics.name();
        // The observables of the responses follow the concentration, so it must be there.
        let concentration = format!("{name}_concentration");
        let shown = outline.observables.first().is_some_and(|first| first.observable.as_str() == concentration);
        if !shown || outline.observables.len() > 1 {
            let fault = format!("the kinetics of `{name}` must show `{concentration}` and nothing else");
            outline.fault = outline.fault.or(Some(fault));
        }
        let of_kinetics = outline.name.clone();
        outline = outline.and(self.responses.outline(&name));
        if let Some(responses) = outline.name.strip_prefix(&format!("{of_kinetics} + ")) {
            outline.name = format!("{of_kinetics} with {responses}");
        }
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<Self::Running<T>> {
        let outline = self.kinetics.outline();
        let (of_kinetics, of_responses) = values.split_at_checked(outline.parameters.len())?;
        let mut places = [None; MAX_INPUTS];
        for (place, &input) in places.get_mut(..inputs.len())?.iter_mut().zip(inputs) {
            *place = Some(input);
        }
        let inputs = places;
        let (kinetics, responses) = (self.kinetics.bind(of_kinetics)?, self.responses.bind(of_responses)?);
        Some(RunningDrug { kinetics, responses, inputs, states: outline.states.len() })
    }
}

impl<T: Scalar, K: RunningKinetics<T>, R: RunningResponse<T>> RunningPart<T> for RunningDrug<K, R> {
    fn start(&self, x: &mut [T]) {
        self.responses.start(x.split_at_mut(self.states).1);
    }

    #[inline(always)]
    fn loss(&self, x: &[T], _exposure: &Exposure<T>, tumor: &Tumor<T>) -> T {
        self.responses.loss(self.kinetics.concentration(x.split_at(self.states).0), tumor)
    }

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        self.responses.dying(x.split_at(self.states).1)
    }

    #[inline(always)]
    fn rates(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]) {
        let ((amounts, rest), (of_amounts, of_rest)) = (x.split_at(self.states), dx.split_at_mut(self.states));
        self.kinetics.rates(amounts, self.infused(exposure), of_amounts);
        self.responses.rates(rest, self.kinetics.concentration(amounts), tumor, of_rest);
    }

    fn treat(&self, given: Given<T>, _ln_living: &mut T, x: &mut [T]) {
        if self.inputs.contains(&Some(given.input)) {
            self.kinetics.enter(given.amount, x.split_at_mut(self.states).0);
        }
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        let (amounts, rest) = x.split_at(self.states);
        if let [concentration, of_responses @ ..] = y {
            *concentration = self.kinetics.concentration(amounts);
            self.responses.observe(rest, of_responses);
        }
    }

    #[inline(always)]
    fn concentration(&self, x: &[T]) -> T {
        self.kinetics.concentration(x.split_at(self.states).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::{NoTumor, TumorModel, UpTo};
    use crate::kinetics::{Compartments, RunningCompartments, drugs};
    use crate::{Scenario, TreatmentKind, TreatmentSpec, simulate};
    use twin_core::{Agent, Observable, Quantity, Random, Time, TimedTreatment, Treatment};

    /// A drug that may be swallowed too, and that shows what it is told to.
    #[derive(Debug, Clone)]
    struct Swallowed(Compartments<0>, Option<&'static str>);

    impl Kinetics for Swallowed {
        type Running<T: Scalar> = RunningCompartments<0, T>;

        fn name(&self) -> String {
            self.0.name()
        }
        fn outline(&self) -> Outline {
            let mut outline = self.0.outline();
            let agent = Some(Agent::new("carboplatin").unwrap());
            outline.treatments.push(TreatmentSpec { kind: TreatmentKind::Oral, agent, unit: Some("mg".into()), target: None });
            match self.1 {
                None => outline.observables.clear(),
                Some(shown) => outline.observables[0].observable = Observable::new(shown).unwrap(),
            }
            outline
        }
        fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>> {
            self.0.bind(values)
        }
    }

    #[test]
    fn every_treatment_of_the_kinetics_enters() {
        let kinetics = Swallowed(drugs::carboplatin().unwrap(), Some("carboplatin_concentration"));
        let model = TumorModel::<_, _, UpTo<4>>::model("three ways", NoTumor, Drug::new(kinetics, ())).unwrap();
        let (agent, dose) = (Agent::new("carboplatin").unwrap(), Quantity::new(170.0, "mg").unwrap());
        let after = |given: Treatment| {
            let scenario = Scenario::starting(Time::ORIGIN).treated([TimedTreatment::new(Time::ORIGIN, given)]);
            let scenario = scenario.sampled([Time::from_days(0.1).unwrap()]);
            let parameters = crate::Model::spec(&model).defaults().unwrap();
            simulate(&model, &parameters, &scenario, &mut Random::new(0)).unwrap().values
        };
        let bolus = after(Treatment::bolus(agent.clone(), dose.clone()).unwrap());
        assert!(bolus[0] > 1.0, "{bolus:?}");
        assert_eq!(after(Treatment::oral(agent, dose).unwrap()), bolus);
    }

    #[test]
    fn kinetics_that_show_no_concentration_are_refused() {
        for shown in [None, Some("neutrophils")] {
            let kinetics = Swallowed(drugs::carboplatin().unwrap(), shown);
            let error = TumorModel::<_, _, UpTo<4>>::model("mute", NoTumor, Drug::new(kinetics, ())).unwrap_err().to_string();
            assert!(error.contains("carboplatin_concentration"), "{error}");
        }
    }
}
