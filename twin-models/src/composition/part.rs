//! What a part of a model is, and how parts are joined.

use super::outline::Outline;
use crate::{Exposure, Given, Input, Scalar};
use std::fmt::Debug;

/// What parts see of the tumor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tumor<T = f64> {
    /// The natural logarithm of the volume of living cells, in mm³.
    pub ln_living: T,
    /// Relative growth rate without treatment at its present volume, per day.
    pub growth_rate: T,
}

/// A part of a model that understands treatments, before its parameters have values.
pub trait Part: Debug + Send + Sync + 'static {
    /// The part with the values of its parameters.
    type Running<T: Scalar>: RunningPart<T> + Clone;

    /// What it adds to the specification.
    fn outline(&self) -> Outline;

    /// The part with `values` for its parameters, its treatments being the `inputs` of the whole; `None` if the numbers do not fit.
    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<Self::Running<T>>;
}

/// A part with the values of its parameters. `x` is always its own slice of the state.
pub trait RunningPart<T: Scalar>: Debug + Send + Sync + 'static {
    /// Writes the state at the start.
    fn start(&self, x: &mut [T]);

    /// Relative rate at which living cells of the tumor are lost, per day.
    fn loss(&self, _x: &[T], _exposure: &Exposure<T>, _tumor: &Tumor<T>) -> T {
        T::from(0.0)
    }

    /// The volume of dying cells that is still there, in mm³.
    fn dying(&self, _x: &[T]) -> T {
        T::from(0.0)
    }

    /// Writes the rates of its states, per day.
    fn rates(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]);

    /// Lets a treatment act that may be its own or another part's.
    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]);

    /// Writes its observables.
    fn observe(&self, x: &[T], y: &mut [T]);

    /// The concentration of its drug, in mg/L; 0 for a part that is none.
    fn concentration(&self, _x: &[T]) -> T {
        T::from(0.0)
    }
}

/// What a concentration does to the tumor or to the body, before its parameters have values.
pub trait Response: Debug + Send + Sync + 'static {
    /// The response with the values of its parameters.
    type Running<T: Scalar>: RunningResponse<T> + Clone;

    /// What it adds to the specification, for the drug `drug`.
    fn outline(&self, drug: &str) -> Outline;

    /// The response with `values` for its parameters; `None` if their number does not fit.
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>>;
}

/// A response with the values of its parameters. Concentrations are in mg/L; `x` is its own slice of the state.
pub trait RunningResponse<T: Scalar>: Debug + Send + Sync + 'static {
    /// Writes the state at the start.
    fn start(&self, _x: &mut [T]) {}

    /// Relative rate at which living cells of the tumor are lost, per day.
    fn loss(&self, _concentration: T, _tumor: &Tumor<T>) -> T {
        T::from(0.0)
    }

    /// The volume of dying cells that is still there, in mm³.
    fn dying(&self, _x: &[T]) -> T {
        T::from(0.0)
    }

    /// Writes the rates of its states, per day.
    fn rates(&self, _x: &[T], _concentration: T, _tumor: &Tumor<T>, _dx: &mut [T]) {}

    /// Writes its observables.
    fn observe(&self, _x: &[T], _y: &mut [T]) {}
}

/// Two parts, or two responses, with the place where the second one's states and observables begin.
#[derive(Debug, Clone)]
pub struct Both<A, B> {
    first: A,
    second: B,
    states: usize,
    observables: usize,
}

impl<A, B> Both<A, B> {
    /// The concentrations of two drugs.
    #[inline(always)]
    pub(super) fn concentrations<T: Scalar>(&self, x: &[T]) -> (T, T)
    where
        A: RunningPart<T>,
        B: RunningPart<T>,
    {
        let (a, b) = x.split_at(self.states);
        (self.first.concentration(a), self.second.concentration(b))
    }
}

impl Part for () {
    type Running<T: Scalar> = ();

    fn outline(&self) -> Outline {
        Outline::default()
    }

    fn bind<T: Scalar>(&self, values: &[T], _inputs: &[Input]) -> Option<()> {
        values.is_empty().then_some(())
    }
}

impl<T: Scalar> RunningPart<T> for () {
    fn start(&self, _x: &mut [T]) {}
    fn rates(&self, _x: &[T], _exposure: &Exposure<T>, _tumor: &Tumor<T>, _dx: &mut [T]) {}
    fn treat(&self, _given: Given<T>, _ln_living: &mut T, _x: &mut [T]) {}
    fn observe(&self, _x: &[T], _y: &mut [T]) {}
}

impl Response for () {
    type Running<T: Scalar> = ();

    fn outline(&self, _drug: &str) -> Outline {
        Outline::default()
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<()> {
        values.is_empty().then_some(())
    }
}

impl<T: Scalar> RunningResponse<T> for () {}

impl<A: Part, B: Part> Part for (A, B) {
    type Running<T: Scalar> = Both<A::Running<T>, B::Running<T>>;

    fn outline(&self) -> Outline {
        self.0.outline().and(self.1.outline())
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<Self::Running<T>> {
        let outline = self.0.outline();
        let (of_first, of_second) = values.split_at_checked(outline.parameters.len())?;
        let (to_first, to_second) = inputs.split_at_checked(outline.treatments.len())?;
        let (first, second) = (self.0.bind(of_first, to_first)?, self.1.bind(of_second, to_second)?);
        Some(Both { first, second, states: outline.states.len(), observables: outline.observables.len() })
    }
}

impl<T: Scalar, A: RunningPart<T>, B: RunningPart<T>> RunningPart<T> for Both<A, B> {
    #[inline]
    fn start(&self, x: &mut [T]) {
        let (a, b) = x.split_at_mut(self.states);
        self.first.start(a);
        self.second.start(b);
    }

    #[inline(always)]
    fn loss(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>) -> T {
        let (a, b) = x.split_at(self.states);
        self.first.loss(a, exposure, tumor) + self.second.loss(b, exposure, tumor)
    }

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        let (a, b) = x.split_at(self.states);
        self.first.dying(a) + self.second.dying(b)
    }

    #[inline(always)]
    fn rates(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]) {
        let ((a, b), (da, db)) = (x.split_at(self.states), dx.split_at_mut(self.states));
        self.first.rates(a, exposure, tumor, da);
        self.second.rates(b, exposure, tumor, db);
    }

    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]) {
        let (a, b) = x.split_at_mut(self.states);
        self.first.treat(given, ln_living, a);
        self.second.treat(given, ln_living, b);
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        let ((a, b), (ya, yb)) = (x.split_at(self.states), y.split_at_mut(self.observables));
        self.first.observe(a, ya);
        self.second.observe(b, yb);
    }
}

impl<A: Response, B: Response> Response for (A, B) {
    type Running<T: Scalar> = Both<A::Running<T>, B::Running<T>>;

    fn outline(&self, drug: &str) -> Outline {
        self.0.outline(drug).and(self.1.outline(drug))
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>> {
        let outline = self.0.outline("");
        let (of_first, of_second) = values.split_at_checked(outline.parameters.len())?;
        let (first, second) = (self.0.bind(of_first)?, self.1.bind(of_second)?);
        Some(Both { first, second, states: outline.states.len(), observables: outline.observables.len() })
    }
}

impl<T: Scalar, A: RunningResponse<T>, B: RunningResponse<T>> RunningResponse<T> for Both<A, B> {
    #[inline]
    fn start(&self, x: &mut [T]) {
        let (a, b) = x.split_at_mut(self.states);
        self.first.start(a);
        self.second.start(b);
    }

    #[inline(always)]
    fn loss(&self, concentration: T, tumor: &Tumor<T>) -> T {
        self.first.loss(concentration, tumor) + self.second.loss(concentration, tumor)
    }

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        let (a, b) = x.split_at(self.states);
        self.first.dying(a) + self.second.dying(b)
    }

    #[inline(always)]
    fn rates(&self, x: &[T], concentration: T, tumor: &Tumor<T>, dx: &mut [T]) {
        let ((a, b), (da, db)) = (x.split_at(self.states), dx.split_at_mut(self.states));
        self.first.rates(a, concentration, tumor, da);
        self.second.rates(b, concentration, tumor, db);
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        let ((a, b), (ya, yb)) = (x.split_at(self.states), y.split_at_mut(self.observables));
        self.first.observe(a, ya);
        self.second.observe(b, yb);
    }
}
