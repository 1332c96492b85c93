//! What the author of an ordinary differential equation writes.

use crate::{ModelSpec, ParameterSet, Scalar};
use std::fmt::Debug;
use std::sync::Arc;

/// The largest number of treatments that one ordinary differential equation can understand.
pub const MAX_INPUTS: usize = 8;
/// The largest number of observables that one ordinary differential equation can show.
pub const MAX_OBSERVABLES: usize = 16;

/// The place of a treatment in [`ModelSpec::treatments`], as a named constant of the model's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(pub(crate) usize);

impl Input {
    /// The treatment number `place`, from 0.
    #[must_use]
    pub const fn new(place: usize) -> Self {
        Self(place)
    }
}

/// What acts continuously on the system: intensities of continuous therapy and rates of infusions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure<T = f64> {
    pub(crate) levels: [T; MAX_INPUTS],
}

impl<T: Scalar> Default for Exposure<T> {
    fn default() -> Self {
        Self { levels: [T::from(0.0); MAX_INPUTS] }
    }
}

impl<T: Scalar> Exposure<T> {
    /// The level of `input`: for continuous therapy its intensity (0 to 1), for an infusion its rate (dose unit per day), else 0.
    #[must_use]
    #[inline]
    pub fn level(&self, input: Input) -> T {
        self.levels.get(input.0).copied().unwrap_or(T::from(0.0))
    }
}

/// A treatment that acts at once: which one of the specification, and how much, in the unit of the specification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given<T = f64> {
    /// Which treatment of the specification.
    pub input: Input,
    /// How much: Gy for a fraction, the share removed for surgery, the dose in the unit of the specification for a drug.
    pub amount: T,
}

/// The state of a system, an array such as `[f64; 3]`, in numbers of any kind.
pub trait StateSpace: Send + Sync + 'static {
    /// The same state as numbers of the kind `T`: for `[f64; 3]` it is `[T; 3]`.
    type Of<T: Scalar>: Clone + AsRef<[T]> + AsMut<[T]> + Debug + Send + Sync + 'static;

    /// A state of as many numbers as `other` has, that at each place being told by `value`.
    fn like<T: Scalar, U: Scalar>(other: &Self::Of<U>, value: impl Fn(usize) -> T) -> Self::Of<T>;
}

impl<const N: usize> StateSpace for [f64; N] {
    type Of<T: Scalar> = [T; N];

    fn like<T: Scalar, U: Scalar>(_other: &[U; N], value: impl Fn(usize) -> T) -> [T; N] {
        std::array::from_fn(value)
    }
}

/// An ordinary differential equation under treatment: static, inlined, without indices into tables and without strings.
///
/// Wrapped in [`Ode`](crate::Ode) it is a [`Model`](crate::Model). Its equations are written once, over any kind of number `T`
/// ([`Scalar`]): the same lines give the course, its exact sensitivities, the Jacobian where the system is stiff, and the courses of many
/// patients at once.
pub trait Dynamics: Send + Sync {
    /// The state, an array such as `[f64; 3]`.
    type State: StateSpace;
    /// The parameters, a struct made by [`parameters!`](crate::parameters!).
    type Parameters: ParameterSet;

    /// What the model is; the same value at every call.
    fn spec(&self) -> &Arc<ModelSpec>;

    /// The parameters from one value for each, in the order of the specification; `None` if their number does not fit. Only a model
    /// whose specification is made at run time needs its own.
    fn parameters<T: Scalar>(&self, values: &[T]) -> Option<ParametersOf<Self, T>> {
        Self::Parameters::from_values(values)
    }

    /// The state at the start of a course.
    fn initial<T: Scalar>(&self, p: &ParametersOf<Self, T>) -> StateOf<Self, T>;

    /// Writes the rate of change of `x`, per day, at `t` days to `dx`.
    fn rates<T: Scalar>(
        &self,
        t: T,
        x: &StateOf<Self, T>,
        exposure: &Exposure<T>,
        p: &ParametersOf<Self, T>,
        dx: &mut StateOf<Self, T>,
    );

    /// Writes the observables, in the order and the units of the specification, to `y`, which has one place for each.
    fn observe<T: Scalar>(&self, x: &StateOf<Self, T>, p: &ParametersOf<Self, T>, y: &mut [T]);

    /// Lets a treatment that acts at once change the state: a bolus, an oral dose, a fraction, surgery. Continuous therapy and
    /// infusions never come here: they are levels of the [`Exposure`]. Only needed if the specification names such treatments.
    ///
    /// # Errors
    /// The default refuses, with an empty error that is filled in on the way out.
    fn treat<T: Scalar>(&self, _given: Given<T>, _p: &ParametersOf<Self, T>, _x: &mut StateOf<Self, T>) -> Result<(), Refused> {
        Err(Refused)
    }
}

/// The state of `D` in numbers of the kind `T`.
pub type StateOf<D, T> = <<D as Dynamics>::State as StateSpace>::Of<T>;

/// The parameters of `D` in numbers of the kind `T`.
pub type ParametersOf<D, T> = <<D as Dynamics>::Parameters as ParameterSet>::Of<T>;

/// A treatment named in the specification, but refused in [`Dynamics::treat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;
