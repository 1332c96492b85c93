//! Compartments as an ordinary differential equation: what a composed model integrates.

use crate::composition::{Drug, NoTumor, Outline, TumorModel};
use crate::{Ode, ParameterSpec, Scalar, SimulationError, Source, TreatmentKind, TreatmentSpec};
use std::fmt::Debug;
use twin_core::{Agent, Observable};

const HOURS_PER_DAY: f64 = 24.0;
/// The most compartments that a dose by mouth passes: far more than a fit can tell apart.
const MOST_TRANSITS: usize = 32;
const GENERIC: Source = Source::assumed("a generic drug; name one, or fit it");

/// The kinetics of one drug, before its parameters have values.
pub trait Kinetics: Debug + Send + Sync + 'static {
    /// The kinetics with the values of its parameters.
    type Running<T: Scalar>: RunningKinetics<T> + Clone;

    /// The drug, in snake case: what its parameters, states and observables begin with.
    fn name(&self) -> String;

    /// What it adds to a specification. The first observable is its concentration, `<name>_concentration` in mg/L.
    fn outline(&self) -> Outline;

    /// The kinetics with `values`; `None` if their number does not fit.
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>>;
}

/// Kinetics with the values of its parameters. `x` is its slice of the state.
pub trait RunningKinetics<T: Scalar>: Debug + Send + Sync + 'static {
    /// Writes the rates of the amounts, in mg per day, with `infused` mg per day going in.
    fn rates(&self, x: &[T], infused: T, dx: &mut [T]);

    /// The concentration in the central compartment, in mg/L.
    fn concentration(&self, x: &[T]) -> T;

    /// Lets a dose of `amount` mg enter at once.
    fn enter(&self, amount: T, x: &mut [T]);
}

/// How a drug enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Boluses and infusions into the central compartment.
    Intravenous,
    /// By mouth: `transits` compartments of equal rate, and then first-order absorption. Clearances and volumes are apparent ones.
    Oral {
        /// Compartments before the one that is absorbed from; none for plain first-order absorption, at most 32.
        transits: usize,
    },
}

/// How a drug leaves the central compartment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elimination {
    /// In proportion to its concentration.
    Linear,
    /// Michaelis-Menten: `max_rate C / (half_concentration + C)`.
    Saturable,
    /// In proportion, with a clearance that changes with the time `t` since the drug first came in:
    /// `clearance · exp(change t^h / (T^h + t^h))`.
    TimeVarying,
}

/// A central and `P` peripheral compartments (0 to 2 in use).
///
/// # Equation
/// `A' = input - elimination + Σ (q_k/V_k A_k - q_k/V A)`, `A_k' = q_k/V A - q_k/V_k A_k`, with the amounts `A` in mg; the elimination
/// is `CL/V A`, or as [`Elimination`] says. By mouth, `D' = -k_a D` feeds `A`, behind a chain of transit compartments.
///
/// # Source
/// Closed forms of the linear ones are [`Disposition`](super::Disposition); both agree to 1e-8. A lag time is a later dose.
#[derive(Debug, Clone, PartialEq)]
pub struct Compartments<const P: usize> {
    agent: Agent,
    route: Route,
    elimination: Elimination,
    parameters: Vec<ParameterSpec>,
}

impl<const P: usize> Compartments<P> {
    /// Compartments for `agent` with the parameters of a generic drug: `clearance` (or `max_rate` and `half_concentration`; and
    /// `clearance_change`, `clearance_half_time`, `clearance_steepness`), `volume`, `exchange_1`, `volume_1`, ..., `absorption_rate`,
    /// `transit_rate`.
    #[must_use]
    pub fn new(agent: Agent, route: Route, elimination: Elimination) -> Self {
        let mut new = Self { agent, route, elimination, parameters: Vec::new() };
        match elimination {
            Elimination::Linear | Elimination::TimeVarying => {
                new.add("clearance", "L/h", 1.0, "Clearance from the central compartment")
            }
            Elimination::Saturable => {
                new.add("max_rate", "mg/h", 50.0, "Greatest rate of elimination");
                new.add("half_concentration", "mg/L", 5.0, "Concentration at which elimination has half its greatest rate");
            }
        }
        if elimination == Elimination::TimeVarying {
            let (name, description) = ("clearance_change", "Logarithm of the factor by which clearance changes in the end");
            let (low, high) = (-1.0, 1.0);
            new.parameters.push(spec(&new.agent, name, "1", (low, -0.1, high), description));
            new.add("clearance_half_time", "h", 1000.0, "Time at which half of the change has come");
            let description = "Steepness of the change in time";
            new.parameters.push(spec(&new.agent, "clearance_steepness", "1", (1.0, 2.0, 5.0), description));
        }
        new.add("volume", "L", 20.0, "Volume of the central compartment");
        for number in 1..=P {
            new.add(&format!("exchange_{number}"), "L/h", 1.0, "Clearance between the central and a peripheral compartment");
            new.add(&format!("volume_{number}"), "L", 20.0 * number as f64, "Volume of a peripheral compartment");
        }
        if let Route::Oral { transits } = route {
            new.add("absorption_rate", "/h", 0.5, "Rate of absorption");
            if transits > 0 {
                new.add("transit_rate", "/h", 0.7, "Rate from one transit compartment to the next");
            }
        }
        new
    }

    fn add(&mut self, name: &str, unit: &'static str, default: f64, description: &'static str) {
        self.parameters.push(spec(&self.agent, name, unit, (0.2 * default, default, 5.0 * default), description));
    }

    /// The same with `value` for the default of the parameter `name` (without the drug), from `source`; its range becomes a fifth to five
    /// times of it, but for a change of clearance and its steepness.
    ///
    /// # Errors
    /// [`SimulationError::UnknownParameter`], listing the names; [`SimulationError::ParameterRange`] for a value that is not above 0 or
    /// beyond its range.
    pub fn with(mut self, name: &str, value: f64, source: Source) -> Result<Self, SimulationError> {
        let (model, full) = (self.name(), format!("{}_{name}", self.name()));
        let known = || self.parameters.iter().map(|spec| spec.name.to_string()).collect();
        let unknown = SimulationError::UnknownParameter { model: model.clone(), name: full.clone(), known: known() };
        let spec = self.parameters.iter_mut().find(|spec| spec.name == full).ok_or(unknown)?;
        let scales = !matches!(name, "clearance_change" | "clearance_steepness");
        let (low, high) = if scales { (5.0 * f64::MIN_POSITIVE, 0.2 * f64::MAX) } else { (spec.low, spec.high) };
        if !(low..=high).contains(&value) {
            let unit = spec.unit.to_string();
            return Err(SimulationError::ParameterRange { model, name: full, value, low, high, unit });
        }
        if scales {
            (spec.low, spec.high) = (0.2 * value, 5.0 * value);
        }
        (spec.default, spec.source) = (value, source);
        Ok(self)
    }

    fn stages(&self) -> usize {
        match self.route {
            Route::Intravenous => 0,
            Route::Oral { transits } => transits.saturating_add(1),
        }
    }
}

fn spec(agent: &Agent, name: &str, unit: &'static str, range: (f64, f64, f64), description: &'static str) -> ParameterSpec {
    let name = format!("{}_{name}", snake_case(agent)).into();
    ParameterSpec {
        name,
        unit: unit.into(),
        low: range.0,
        high: range.2,
        default: range.1,
        description: description.into(),
        source: GENERIC,
    }
}

fn snake_case(agent: &Agent) -> String {
    agent.as_str().to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

impl<const P: usize> Kinetics for Compartments<P> {
    type Running<T: Scalar> = RunningCompartments<P, T>;

    fn name(&self) -> String {
        snake_case(&self.agent)
    }

    fn outline(&self) -> Outline {
        let name = self.name();
        let mut outline = Outline::new(name.clone());
        if self.stages() > MOST_TRANSITS + 1 {
            let transits = self.stages() - 1;
            outline.fault =
                Some(format!("`{name}` passes {transits} transit compartments, but at most {MOST_TRANSITS} are possible"));
            return outline;
        }
        outline.parameters.clone_from(&self.parameters);
        let amount = |what: String| format!("{name}_{what}");
        outline = outline.state(amount("central".to_owned()), "mg", 1e-9);
        for number in 1..=P {
            outline = outline.state(amount(format!("peripheral_{number}")), "mg", 1e-9);
        }
        for stage in 1..=self.stages() {
            outline = outline.state(amount(format!("absorption_{stage}")), "mg", 1e-9);
        }
        if self.elimination == Elimination::TimeVarying {
            outline = outline.state(amount("elapsed".to_owned()), "d", 1e-9);
        }
        let kinds: &[TreatmentKind] = match self.route {
            Route::Intravenous => &[TreatmentKind::Bolus, TreatmentKind::Infusion],
            Route::Oral { .. } => &[TreatmentKind::Oral],
        };
        let taken =
            |&kind: &TreatmentKind| TreatmentSpec { kind, agent: Some(self.agent.clone()), unit: Some("mg".into()), target: None };
        outline.treatments.extend(kinds.iter().map(taken));
        match Observable::new(&format!("{name}_concentration")) {
            Ok(concentration) => outline.observes(concentration, "mg/L", 1e-9),
            Err(error) => {
                outline.fault = Some(format!("the drug `{name}` has no name for its concentration: {error}"));
                outline
            }
        }
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<RunningCompartments<P, T>> {
        let mut next = {
            let mut values = values.iter().copied();
            move || values.next()
        };
        let elimination = match self.elimination {
            Elimination::Linear => RunningElimination::Linear(next()? * HOURS_PER_DAY),
            Elimination::Saturable => RunningElimination::Saturable(next()? * HOURS_PER_DAY, next()?),
            Elimination::TimeVarying => RunningElimination::TimeVarying {
                clearance: next()? * HOURS_PER_DAY,
                change: next()?,
                half_time: next()? / HOURS_PER_DAY,
                steepness: next()?,
            },
        };
        let volume = next()?;
        let zero = T::from(0.0);
        let mut exchange = [(zero, zero); P];
        for pair in &mut exchange {
            let between = next()? * HOURS_PER_DAY;
            *pair = (between / volume, between / next()?);
        }
        let absorption = if self.stages() > 0 { next()? * HOURS_PER_DAY } else { zero };
        let transit = if self.stages() > 1 { next()? * HOURS_PER_DAY } else { zero };
        if next().is_some() {
            return None;
        }
        Some(RunningCompartments { elimination, volume, exchange, stages: self.stages(), absorption, transit })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum RunningElimination<T> {
    /// Clearance in L/d.
    Linear(T),
    /// Greatest rate in mg/d, and the concentration of half of it in mg/L.
    Saturable(T, T),
    TimeVarying {
        clearance: T,
        change: T,
        half_time: T,
        steepness: T,
    },
}

/// [`Compartments`] with the values of their parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningCompartments<const P: usize, T = f64> {
    elimination: RunningElimination<T>,
    volume: T,
    /// For each peripheral compartment the rate to it and the rate back, per day.
    exchange: [(T, T); P],
    stages: usize,
    absorption: T,
    transit: T,
}

impl<const P: usize, T: Scalar> RunningCompartments<P, T> {
    #[inline(always)]
    fn eliminated(&self, concentration: T, elapsed: T) -> T {
        match self.elimination {
            RunningElimination::Linear(clearance) => clearance * concentration,
            RunningElimination::Saturable(greatest, half) => greatest * concentration / (half + concentration),
            RunningElimination::TimeVarying { clearance, change, half_time, steepness } => {
                let share = (elapsed.max(T::from(0.0)) / half_time).powf(steepness);
                clearance * (change * share / (T::from(1.0) + share)).exp() * concentration
            }
        }
    }
}

impl<const P: usize, T: Scalar> RunningKinetics<T> for RunningCompartments<P, T> {
    #[inline(always)]
    fn rates(&self, x: &[T], infused: T, dx: &mut [T]) {
        let (Some((&central, rest)), Some((of_central, of_rest))) = (x.split_first(), dx.split_first_mut()) else { return };
        let (Some((peripheral, rest)), Some((of_peripheral, of_rest))) =
            (rest.split_at_checked(P), of_rest.split_at_mut_checked(P))
        else {
            return;
        };
        let (Some((chain, clock)), Some((of_chain, of_clock))) =
            (rest.split_at_checked(self.stages), of_rest.split_at_mut_checked(self.stages))
        else {
            return;
        };
        let elapsed = clock.first().copied().unwrap_or(T::from(0.0));
        let mut rate = infused - self.eliminated(central / self.volume, elapsed);
        for ((&(to, back), &amount), of_amount) in self.exchange.iter().zip(peripheral).zip(of_peripheral) {
            let net = to * central - back * amount;
            rate -= net;
            *of_amount = net;
        }
        let mut arriving = T::from(0.0);
        for (stage, (&amount, of_amount)) in chain.iter().zip(of_chain).enumerate() {
            let leaving = amount * if stage + 1 == self.stages { self.absorption } else { self.transit };
            *of_amount = arriving - leaving;
            arriving = leaving;
        }
        *of_central = rate + arriving;
        if let Some(tick) = of_clock.first_mut() {
            // The clock itself is among the states: once it runs, it goes on.
            let most = x.iter().fold(infused, |most, &amount| most.max(amount));
            *tick = most.if_positive(|| T::from(1.0), || T::from(0.0));
        }
    }

    #[inline(always)]
    fn concentration(&self, x: &[T]) -> T {
        x.first().map_or(T::from(0.0), |&central| central / self.volume)
    }

    fn enter(&self, amount: T, x: &mut [T]) {
        let place = if self.stages == 0 { 0 } else { P + 1 };
        if let Some(entered) = x.get_mut(place) {
            *entered += amount;
        }
    }
}

/// The kinetics of `kinetics` as a model by itself; its observable is the concentration.
type Alone<const P: usize, const N: usize> = Ode<TumorModel<NoTumor, Drug<Compartments<P>, ()>, [f64; N]>>;

fn alone<const P: usize, const N: usize>(id: &str, agent: Agent) -> Result<Alone<P, N>, SimulationError> {
    TumorModel::model(id, NoTumor, Drug::new(Compartments::new(agent, Route::Intravenous, Elimination::Linear), ()))
}

/// One compartment with linear elimination, for boluses and infusions of `agent`, as a model by itself.
///
/// # Errors
/// [`SimulationError::Specification`] for a drug whose name leaves no room for that of its concentration.
pub fn one_compartment(agent: Agent) -> Result<Alone<0, 1>, SimulationError> {
    alone("one_compartment", agent)
}

/// Two compartments with linear elimination, for boluses and infusions of `agent`, as a model by itself.
///
/// # Errors
/// As [`one_compartment`].
pub fn two_compartments(agent: Agent) -> Result<Alone<1, 2>, SimulationError> {
    alone("two_compartments", agent)
}

/// Three compartments with linear elimination, for boluses and infusions of `agent`, as a model by itself.
///
/// # Errors
/// As [`one_compartment`].
pub fn three_compartments(agent: Agent) -> Result<Alone<2, 3>, SimulationError> {
    alone("three_compartments", agent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::UpTo;
    use crate::{Model, Scenario, kinetics::drugs, simulate};
    use twin_core::{Quantity, Random, Span, Time, TimedTreatment, Treatment};

    fn agent(name: &str) -> Agent {
        Agent::new(name).unwrap()
    }

    #[test]
    fn clearance_changes_with_the_time_since_the_first_amount() {
        let model = TumorModel::<_, _, UpTo<4>>::model("n", NoTumor, Drug::new(drugs::nivolumab().unwrap(), ())).unwrap();
        let parameters = model.spec().defaults().unwrap();
        let dose = || Quantity::new(240.0, "mg").unwrap();
        let infused = Treatment::infusion(agent("nivolumab"), dose(), Span::from_hours(1.0).unwrap()).unwrap();
        for first in [Treatment::bolus(agent("nivolumab"), dose()).unwrap(), infused] {
            let seen = |start: f64| {
                let at = |day: f64| Time::from_days(start + day).unwrap();
                let scenario = Scenario::starting(Time::ORIGIN)
                    .treated([TimedTreatment::new(at(0.0), first.clone()), TimedTreatment::new(at(42.0), first.clone())])
                    .sampled([at(14.0), at(56.0), at(140.0)]);
                simulate(&model, &parameters, &scenario, &mut Random::new(0)).unwrap().values
            };
            for (now, later) in seen(0.0).into_iter().zip(seen(365.0)) {
                assert!((now / later - 1.0).abs() < 1e-6, "{now} and {later}");
            }
        }
    }

    #[test]
    fn what_no_model_can_hold_is_refused_by_name() {
        let refusal = |drug: Compartments<0>| {
            TumorModel::<_, _, UpTo<64>>::model("x", NoTumor, Drug::new(drug, ())).map(|_| ()).unwrap_err().to_string()
        };
        let long = "a".repeat(56);
        let error = refusal(Compartments::new(agent(&long), Route::Intravenous, Elimination::Linear));
        assert!(error.contains(&long) && error.contains("concentration"), "{error}");
        for transits in [usize::MAX, MOST_TRANSITS + 1] {
            let error = refusal(Compartments::new(agent("drug"), Route::Oral { transits }, Elimination::Linear));
            assert!(error.contains("`drug`") && error.contains("transit compartments"), "{error}");
        }
        let most = Compartments::<0>::new(agent("drug"), Route::Oral { transits: MOST_TRANSITS }, Elimination::Linear);
        assert!(TumorModel::<_, _, UpTo<64>>::model("x", NoTumor, Drug::new(most, ())).is_ok());
    }

    #[test]
    fn a_default_must_be_above_zero() {
        let with = |value: f64| {
            let drug = Compartments::<0>::new(agent("drug"), Route::Intravenous, Elimination::Linear);
            drug.with("clearance", value, Source::assumed("a test")).map(|drug| (drug.parameters[0].low, drug.parameters[0].high))
        };
        assert_eq!(with(2.0).unwrap(), (0.4, 10.0));
        for value in [-5.0, 0.0, f64::NAN, f64::INFINITY, 1e308] {
            let found = with(value);
            let sound = |error: &SimulationError| match error {
                SimulationError::ParameterRange { low, high, .. } => *low > 0.0 && low < high && high.is_finite(),
                _ => false,
            };
            assert!(found.as_ref().is_err_and(sound), "{value}: {found:?}");
        }
    }
}
