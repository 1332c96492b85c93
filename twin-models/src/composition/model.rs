//! A growth law and parts, made one model.

use super::outline::Outline;
use super::part::{Part, RunningPart, Tumor};
use super::state::States;
use crate::dynamics::ParametersOf;
use crate::growth::GrowthLaw;
use crate::{
    Dynamics, Exposure, Given, Input, MAX_INPUTS, MAX_OBSERVABLES, ModelSpec, ObservableSpec, Ode, ParameterSet, ParameterSpec,
    Refused, Scalar, SimulationError, Source, StateSpace, StateSpec, TreatmentSpec,
};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;
use twin_core::Observable;

/// How a tumor grows without treatment, before its parameters have values; or that there is [none](NoTumor).
pub trait TumorGrowth: Debug + Send + Sync + 'static {
    /// The law with the values of its parameters.
    type Running<T: Scalar>: Clone + Debug + Send + Sync + 'static;
    /// Whether there is a tumor.
    const TUMOR: bool;

    /// Whether the relative rate rises as a power of a shrinking volume; see [`GrowthLaw::RISES_AS_POWER`].
    fn rises_as_power(&self) -> bool {
        false
    }

    /// The name of the law, for the title.
    fn name(&self) -> String;
    /// The parameters.
    fn parameters(&self) -> Vec<ParameterSpec>;
    /// The law with `values`; `None` if their number does not fit.
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>>;
    /// The volume at the start, in mm³.
    fn initial_volume<T: Scalar>(running: &Self::Running<T>) -> T;
    /// The relative growth rate, per day, at the volume `exp(ln_volume)` mm³.
    fn relative_rate<T: Scalar>(running: &Self::Running<T>, ln_volume: T) -> T;
}

/// The growth law `L`, known when the program is compiled.
#[derive(Debug, Clone, Copy)]
pub struct Law<L>(PhantomData<fn() -> L>);

impl<L> Law<L> {
    /// The law.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L> Default for Law<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: GrowthLaw> TumorGrowth for Law<L> {
    type Running<T: Scalar> = L::Of<T>;
    const TUMOR: bool = true;

    fn rises_as_power(&self) -> bool {
        L::RISES_AS_POWER
    }
    fn name(&self) -> String {
        L::ID.to_owned()
    }
    fn parameters(&self) -> Vec<ParameterSpec> {
        L::specs()
    }
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<L::Of<T>> {
        L::from_values(values)
    }
    fn initial_volume<T: Scalar>(law: &L::Of<T>) -> T {
        L::initial_volume(law)
    }
    #[inline(always)]
    fn relative_rate<T: Scalar>(law: &L::Of<T>, ln_volume: T) -> T {
        L::relative_rate(law, ln_volume)
    }
}

/// No tumor: a body under treatment, for kinetics and toxicity alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTumor;

impl TumorGrowth for NoTumor {
    type Running<T: Scalar> = ();
    const TUMOR: bool = false;

    fn name(&self) -> String {
        "no tumor".to_owned()
    }
    fn parameters(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<()> {
        values.is_empty().then_some(())
    }
    fn initial_volume<T: Scalar>((): &()) -> T {
        T::from(1.0)
    }
    #[inline(always)]
    fn relative_rate<T: Scalar>((): &(), _ln_volume: T) -> T {
        T::from(0.0)
    }
}

/// A tumor that grows by the law `G` and the parts `P` under one schedule, with the room `S` for its states.
///
/// # Equation
/// `(ln V)' = g(V + dead) - Σ loss`, with `V` the living cells, `dead` the dying cells that the parts still count, `g` the growth law
/// and a loss of each part; and the equations of the parts. The tumor volume observed is `V + dead`.
///
/// # States
/// `ln_living`, the natural logarithm of the living volume in mm³ (absent without a tumor), and those of the parts, in order.
///
/// # Treatments
/// Those of the parts. One that several parts understand acts in all of them.
///
/// # Assumptions
/// Losses add: they are independent unless a part says otherwise. Dying cells take room, and do not divide.
///
/// # Valid for
/// What all of its parts are valid for.
///
/// # Source
/// The structure is this library's; growth laws and parts have theirs.
///
/// # Example
/// See [the module](super).
#[derive(Debug)]
pub struct TumorModel<G, P, S: StateSpace> {
    spec: Arc<ModelSpec>,
    growth: G,
    parts: P,
    inputs: Vec<Input>,
    /// Room for all states, all 0.
    empty: S::Of<f64>,
}

/// A composed model with the values of its parameters.
#[derive(Debug, Clone)]
pub struct Running<G, P> {
    growth: G,
    parts: P,
}

/// The parameters of a composition; it tells them itself, see [`Dynamics::parameters`].
#[derive(Debug, Clone, Copy)]
pub struct Composed<G, P>(PhantomData<fn() -> (G, P)>);

impl<G: TumorGrowth, P: Part> ParameterSet for Composed<G, P> {
    type Of<T: Scalar> = Running<G::Running<T>, P::Running<T>>;

    /// Empty: they depend on the composition.
    fn specs() -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// `None`: it takes the composition.
    fn from_values<T: Scalar>(_values: &[T]) -> Option<Self::Of<T>> {
        None
    }
}

impl<G: TumorGrowth, P: Part, S: States> TumorModel<G, P, S> {
    /// The model `id` of `growth` and `parts`.
    ///
    /// # Errors
    /// [`SimulationError::Specification`] that names what does not fit: an empty id, a part that acts on a tumor where there is none or
    /// kills in proportion to a growth rate that rises as a power of a shrinking volume, two parts with the same parameter, state or
    /// observable, too many treatments, observables or states.
    pub fn model(id: &str, growth: G, parts: P) -> Result<Ode<Self>, SimulationError> {
        let outline = parts.outline();
        let fault = |detail: String| SimulationError::Specification { model: id.to_owned(), detail };
        if id.trim().is_empty() {
            return Err(fault("an empty id; a model needs one".to_owned()));
        }
        if let Some(detail) = &outline.fault {
            return Err(fault(detail.clone()));
        }
        if outline.kills_by_growth && growth.rises_as_power() {
            return Err(fault(format!(
                "`{}` kills in proportion to growth, but by `{}` a tumor grows the faster the smaller it is, without bound, and would \
                 end in finite time; kill by log_kill or emax, or grow by another law",
                outline.name,
                growth.name()
            )));
        }
        if outline.needs_tumor && !G::TUMOR {
            return Err(fault(format!("`{}` acts on a tumor, but there is none", outline.name)));
        }
        let (spec, inputs) = specification(id, &growth, outline);
        check(&spec).map_err(&fault)?;
        let count = spec.states.len();
        let empty = S::zeros(count).ok_or_else(|| {
            fault(format!("{count} states, but there is room for {}{}", if S::EXACTLY { "exactly " } else { "up to " }, S::ROOM))
        })?;
        Ok(Ode::new(Self { spec: Arc::new(spec), growth, parts, inputs, empty }))
    }
}

/// The specification of the whole, and for each treatment of the parts, in their order, its place in it.
fn specification<G: TumorGrowth>(id: &str, growth: &G, outline: Outline) -> (ModelSpec, Vec<Input>) {
    let title = if outline.name.is_empty() { growth.name() } else { format!("{} + {}", growth.name(), outline.name) };
    let mut parameters = growth.parameters();
    parameters.extend(outline.parameters);
    let (mut states, mut observables) = (Vec::new(), Vec::new());
    if G::TUMOR {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        states.push(StateSpec { name: "ln_living".into(), unit: "1".into(), low, high, absolute_tolerance: 1e-9 });
        observables.push(ObservableSpec { observable: Observable::TUMOR_VOLUME, unit: "mm3".into(), absolute_tolerance: 1e-6 });
    }
    states.extend(outline.states);
    observables.extend(outline.observables);
    let mut treatments: Vec<TreatmentSpec> = Vec::new();
    let place = |treatment: TreatmentSpec| {
        let known = treatments.iter().position(|known| *known == treatment);
        Input::new(known.unwrap_or_else(|| {
            treatments.push(treatment);
            treatments.len() - 1
        }))
    };
    let inputs = outline.treatments.into_iter().map(place).collect();
    let source = Source::assumed("a composition; its parts have their sources");
    (ModelSpec { id: id.to_owned(), title, source, parameters, states, observables, treatments }, inputs)
}

fn check(spec: &ModelSpec) -> Result<(), String> {
    let unique = |what: &str, names: &mut dyn Iterator<Item = String>| {
        let mut seen = BTreeSet::new();
        let mut twice = names.filter(|name| !seen.insert(name.clone()));
        twice.next().map_or(Ok(()), |name| Err(format!("two parts have the {what} `{name}`")))
    };
    unique("parameter", &mut spec.parameters.iter().map(|parameter| parameter.name.to_string()))?;
    unique("state", &mut spec.states.iter().map(|state| state.name.to_string()))?;
    unique("observable", &mut spec.observables.iter().map(|known| known.observable.to_string()))?;
    let of_drug = |known: &TreatmentSpec| format!("{:?} {}", known.kind, known.agent.as_ref().map_or("", |agent| agent.as_str()));
    unique("treatment in two units,", &mut spec.treatments.iter().map(of_drug))?;
    let few = |what: &str, count: usize, most: usize| {
        if count > most { Err(format!("{count} {what}, but at most {most} are possible")) } else { Ok(()) }
    };
    few("treatments", spec.treatments.len(), MAX_INPUTS)?;
    few("observables", spec.observables.len(), MAX_OBSERVABLES)?;
    if spec.observables.is_empty() { Err("there is nothing to observe: neither a tumor nor a part".to_owned()) } else { Ok(()) }
}

/// The logarithm of the sum of two numbers given by theirs; neither overflows.
#[inline(always)]
fn ln_sum<T: Scalar>(a: T, b: T) -> T {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

/// The first state and the rest where there is a tumor; a constant and all of them where there is none.
#[inline(always)]
fn living<G: TumorGrowth, T: Scalar>(x: &[T]) -> (T, &[T]) {
    match x {
        [ln_living, rest @ ..] if G::TUMOR => (*ln_living, rest),
        all => (T::from(0.0), all),
    }
}

impl<G: TumorGrowth, P: Part, S: States> Dynamics for TumorModel<G, P, S> {
    type State = S;
    type Parameters = Composed<G, P>;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn parameters<T: Scalar>(&self, values: &[T]) -> Option<ParametersOf<Self, T>> {
        let (of_growth, of_parts) = values.split_at_checked(self.growth.parameters().len())?;
        Some(Running { growth: self.growth.bind(of_growth)?, parts: self.parts.bind(of_parts, &self.inputs)? })
    }

    fn initial<T: Scalar>(&self, p: &ParametersOf<Self, T>) -> S::Of<T> {
        let mut state = S::like(&self.empty, |_| T::from(0.0));
        match state.as_mut() {
            [ln_living, rest @ ..] if G::TUMOR => {
                *ln_living = G::initial_volume::<T>(&p.growth).ln();
                p.parts.start(rest);
            }
            all => p.parts.start(all),
        }
        state
    }

    #[inline(always)]
    fn rates<T: Scalar>(&self, _t: T, x: &S::Of<T>, exposure: &Exposure<T>, p: &ParametersOf<Self, T>, dx: &mut S::Of<T>) {
        let (ln_living, rest) = living::<G, T>(x.as_ref());
        let dying = p.parts.dying(rest);
        let ln_volume = dying.if_positive(|| ln_sum(ln_living, dying.ln()), || ln_living);
        let growth_rate = G::relative_rate::<T>(&p.growth, ln_volume);
        let tumor = Tumor { ln_living, growth_rate };
        match dx.as_mut() {
            [ln_living, of_parts @ ..] if G::TUMOR => {
                *ln_living = growth_rate - p.parts.loss(rest, exposure, &tumor);
                p.parts.rates(rest, exposure, &tumor, of_parts);
            }
            of_parts => p.parts.rates(rest, exposure, &tumor, of_parts),
        }
    }

    fn observe<T: Scalar>(&self, x: &S::Of<T>, p: &ParametersOf<Self, T>, y: &mut [T]) {
        let (ln_living, rest) = living::<G, T>(x.as_ref());
        match y {
            [volume, of_parts @ ..] if G::TUMOR => {
                *volume = ln_living.exp() + p.parts.dying(rest);
                p.parts.observe(rest, of_parts);
            }
            of_parts => p.parts.observe(rest, of_parts),
        }
    }

    fn treat<T: Scalar>(&self, given: Given<T>, p: &ParametersOf<Self, T>, x: &mut S::Of<T>) -> Result<(), Refused> {
        match x.as_mut() {
            [ln_living, rest @ ..] if G::TUMOR => p.parts.treat(given, ln_living, rest),
            all => p.parts.treat(given, &mut T::from(0.0), all),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::{Description, Drug, Law, UpTo};
    use crate::growth::Gompertz;
    use crate::kinetics::drugs;

    fn refusal(text: &str, id: &str) -> String {
        text.parse::<Description>().and_then(|description| description.build(id).map(|_| ())).unwrap_err().to_string()
    }

    #[test]
    fn a_kill_by_growth_needs_a_growth_that_a_small_tumor_bounds() {
        for law in ["bertalanffy", "bertalanffy_putter", "power_law"] {
            let error = refusal(&format!("{law} + norton_simon(nivolumab)"), "pair");
            assert!(error.contains("norton_simon") && error.contains(law), "{error}");
        }
        for law in ["exponential", "logistic", "generalized_logistic", "gompertz", "exponential_linear", "reduced_gompertz"] {
            assert!(format!("{law} + norton_simon(nivolumab)").parse::<Description>().unwrap().build("pair").is_ok(), "{law}");
        }
    }

    #[test]
    fn an_empty_id_a_second_marrow_and_the_wrong_room_are_refused() {
        assert!(refusal("gompertz", " ").contains("empty id"));
        let error = refusal("friberg(paclitaxel) + friberg(docetaxel)", "marrows");
        assert!(error.contains("`marrow_ln_proliferating`"), "{error}");
        let drug = || Drug::new(drugs::carboplatin().unwrap(), ());
        let exactly = TumorModel::<_, _, [f64; 3]>::model("room", Law::<Gompertz>::new(), drug()).unwrap_err().to_string();
        assert!(exactly.contains("exactly 3"), "{exactly}");
        let up_to = TumorModel::<_, _, UpTo<1>>::model("room", Law::<Gompertz>::new(), drug()).unwrap_err().to_string();
        assert!(up_to.contains("up to 1"), "{up_to}");
    }
}
