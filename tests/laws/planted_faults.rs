//! Each law catches the fault that it is there for: one sound model, and the same model with one fault planted.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use twin_core::{Agent, Observable, Random, Time, Treatment, Unit};
use twin_models::testing::{self, LAWS, Settings};
use twin_models::{
    Differentiable, Direction, Dynamics, Exposure, Given, Input, Model, ModelSpec, Ode, ParameterSet, Parameters, Refused, Scalar,
    Sensitivities, Simulation, SimulationError, Source, TreatmentKind, parameters,
};

/// What is wrong with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    // what it says of itself
    DefaultOutOfRange,
    DuplicateState,
    NoDescription,
    IdNotInSnakeCase,
    // what it takes and refuses
    TakesForeignParameters,
    RefusesWhatItNames,
    TakesEveryTreatment,
    TakesEveryUnit,
    DropsUnknownDoseOfNothing,
    GoesBackward,
    StandsElsewhere,
    // what it shows
    WritesTooFew,
    WritesTooMany,
    AddsToWhatIsThere,
    ShowsOneStateTooMany,
    ClaimsDerivatives,
    // what its course is
    GoesNegative,
    NanAtACorner,
    FailsAtACorner,
    CountsStarts,
    StepsWhereItStops,
    DoseNeedsALook,
    LooksCost,
    LeaksBetweenForks,
    ForkForgetsTheLevel,
    ClockStartsAtNought,
    GrowsBySeason,
    HintsMatter,
    // what a dose does
    ZeroDoseActs,
    DropsDoses,
    DropsTheDoseAtTheStart,
    DropsTheSecondAtOneTime,
    DropsTheThird,
}

parameters! {
    /// Parameters of the model that the faults are planted in.
    struct Growth {
        growth_rate: "/d" in 1e-4..=0.05, default 0.01, "Relative growth rate", Source::assumed("a test");
        kill_per_mg: "/mg" in 1e-4..=0.02, default 0.002, "Decrease of ln V for a bolus of 1 mg", Source::assumed("a test");
        slowing: "/d" in 0.0..=0.1, default 0.02, "Decrease of the growth rate at full intensity", Source::assumed("a test");
    }
}

/// `V' = (growth_rate - slowing I) V`, and each bolus leaves `exp(-kill_per_mg dose)` of `V`; in closed form between treatments.
#[derive(Debug)]
struct Planted {
    fault: Fault,
    spec: Arc<ModelSpec>,
    starts: AtomicU64,
}

fn agent(name: &str) -> Agent {
    Agent::new(name).unwrap()
}

fn planted(fault: Fault) -> Planted {
    let mut spec = ModelSpec::new::<Growth>("planted", "Exponential growth with a fault", Source::assumed("a test"))
        .state("volume", "mm3", 1e-9)
        .state("share", "1", 1e-12)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .observes(Observable::TUMOR_BURDEN, "1")
        .understands_drug(TreatmentKind::Bolus, &agent("killer"), "mg")
        .understands_continuous(&agent("slower"))
        .understands_surgery();
    match fault {
        Fault::DefaultOutOfRange => spec.parameters[0].default = 1.0,
        Fault::DuplicateState => spec.states[1].name = spec.states[0].name.clone(),
        Fault::NoDescription => spec.parameters[1].description = " ".into(),
        Fault::IdNotInSnakeCase => spec.id = "Planted".to_owned(),
        _ => {}
    }
    Planted { fault, spec: Arc::new(spec), starts: AtomicU64::new(0) }
}

impl Model for Planted {
    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn start(&self, parameters: &Parameters, at: Time, _random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        if self.fault != Fault::TakesForeignParameters {
            self.spec.accept(parameters)?;
        }
        let p = Growth::from_values(&parameters.values()[..3]).unwrap();
        let starts = self.starts.fetch_add(1, Ordering::Relaxed);
        let volume = if self.fault == Fault::CountsStarts { 100.0 + starts as f64 * 1e-9 } else { 100.0 };
        let high = self.spec.parameters[0].high;
        if self.fault == Fault::FailsAtACorner && p.growth_rate >= high {
            return Err(SimulationError::StepTooSmall { model: self.spec.id.clone(), state: "x".to_owned(), day: at.days() });
        }
        Ok(Box::new(Course {
            fault: self.fault,
            spec: Arc::clone(&self.spec),
            p,
            since: if self.fault == Fault::ClockStartsAtNought { Time::ORIGIN } else { at },
            now: if self.fault == Fault::ClockStartsAtNought { Time::ORIGIN } else { at },
            start: at,
            volume,
            level: 0.0,
            leak: Arc::new(Mutex::new(0.0)),
            last_look: Cell::new(None),
            last_dose: None,
            doses: 0,
            hint: None,
            looks: Cell::new(0),
        }))
    }
}

#[derive(Debug, Clone)]
struct Course {
    fault: Fault,
    spec: Arc<ModelSpec>,
    p: Growth,
    /// When the volume was `volume`.
    since: Time,
    now: Time,
    start: Time,
    volume: f64,
    level: f64,
    leak: Arc<Mutex<f64>>,
    last_look: Cell<Option<Time>>,
    last_dose: Option<Time>,
    doses: usize,
    hint: Option<Time>,
    looks: Cell<u32>,
}

impl Course {
    fn rate(&self) -> f64 {
        let high = self.spec.parameters[0].high;
        match self.fault {
            Fault::NanAtACorner => self.p.growth_rate * (high * (1.0 - 1e-9) - self.p.growth_rate).sqrt(),
            Fault::LeaksBetweenForks => self.p.growth_rate - *self.leak.lock().unwrap(),
            _ => self.p.growth_rate - self.p.slowing * self.level,
        }
    }

    fn volume_now(&self) -> f64 {
        let days = (self.now - self.since).days();
        let grown = match self.fault {
            Fault::GoesNegative => self.volume - 2.0 * days,
            Fault::StepsWhereItStops => self.volume,
            Fault::GrowsBySeason => self.volume * (self.rate() * days).exp() * (1.0 + 0.1 * (self.now.days() / 50.0).sin()),
            Fault::HintsMatter if self.hint.is_some() => self.volume * (1.01 * self.rate() * days).exp(),
            _ => self.volume * (self.rate() * days).exp(),
        };
        if self.fault == Fault::LooksCost { grown * (1.0 - 1e-12 * f64::from(self.looks.get())) } else { grown }
    }

    fn kill(&mut self, share: f64) {
        let (first, repeated) = (self.now == self.start, self.last_dose == Some(self.now));
        self.doses += 1;
        let dropped = match self.fault {
            Fault::DropsDoses => true,
            Fault::DropsTheDoseAtTheStart => first,
            Fault::DropsTheSecondAtOneTime => repeated,
            Fault::DropsTheThird => self.doses == 3,
            Fault::DoseNeedsALook => self.last_look.get() != Some(self.now),
            _ => false,
        };
        self.last_dose = Some(self.now);
        if !dropped {
            self.volume = self.volume_now() * share;
            self.since = self.now;
        }
    }
}

impl Simulation for Course {
    fn now(&self) -> Time {
        if self.fault == Fault::StandsElsewhere { self.since } else { self.now }
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.now && self.fault != Fault::GoesBackward {
            return Err(SimulationError::Backward { model: self.spec.id.clone(), now: self.now, to });
        }
        if self.fault == Fault::StepsWhereItStops {
            self.volume *= 1.0 + self.rate() * (to - self.now).days();
        }
        self.now = to;
        Ok(())
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        match treatment {
            Treatment::Bolus { agent, dose, .. } if agent.as_str() == "killer" => {
                let mg: Unit = "mg".parse()?;
                let unit = if self.fault == Fault::TakesEveryUnit { dose.unit().clone() } else { mg };
                let dose = dose.unit().convert(dose.value(), &unit)?;
                let toll = if self.fault == Fault::ZeroDoseActs { 0.01 } else { 0.0 };
                if self.fault == Fault::LeaksBetweenForks {
                    *self.leak.lock().unwrap() += 1e-5 * dose;
                }
                self.kill((-self.p.kill_per_mg * dose - toll).exp());
                Ok(())
            }
            Treatment::Continuous { agent, intensity } if agent.as_str() == "slower" => {
                self.volume = self.volume_now();
                self.since = self.now;
                self.level = intensity.value();
                Ok(())
            }
            Treatment::Surgery { extent, .. } if self.fault != Fault::RefusesWhatItNames => {
                self.kill(1.0 - extent.value());
                Ok(())
            }
            _ if self.fault == Fault::TakesEveryTreatment => Ok(()),
            Treatment::Continuous { intensity, .. }
                if self.fault == Fault::DropsUnknownDoseOfNothing && intensity.value() <= 0.0 =>
            {
                Ok(())
            }
            _ => Err(self.spec.refusal(treatment, self.now)),
        }
    }

    fn observe(&self, y: &mut [f64]) {
        self.last_look.set(Some(self.now));
        self.looks.set(self.looks.get() + 1);
        let volume = self.volume_now();
        let shown = match self.fault {
            Fault::WritesTooFew => vec![volume],
            Fault::WritesTooMany => vec![volume, volume / 1e4, self.level],
            _ => vec![volume, volume / 1e4],
        };
        for (place, value) in y.iter_mut().zip(shown) {
            *place = if self.fault == Fault::AddsToWhatIsThere { *place + value } else { value };
        }
    }

    fn fork(&self) -> Box<dyn Simulation> {
        let mut fork = self.clone();
        if self.fault == Fault::ForkForgetsTheLevel {
            fork.level = 0.0;
        }
        Box::new(fork)
    }

    fn expect_stop(&mut self, stop: Time) {
        self.hint = Some(stop);
    }

    fn sensitivities(&self) -> Option<&dyn Sensitivities> {
        (self.fault == Fault::ClaimsDerivatives).then_some(self)
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        let volume = self.volume_now();
        let mut state = vec![volume, volume / 1e4];
        if self.fault == Fault::ShowsOneStateTooMany {
            state.push(self.level);
        }
        Some(state.into())
    }
}

impl Sensitivities for Course {
    fn directions(&self) -> usize {
        0
    }
    fn observe(&self, _dy: &mut [f64]) {}
    fn state(&self, _dx: &mut [f64]) {}
}

/// Every fault, with the law that must catch it first.
const CAUGHT: &[(Fault, &str)] = &[
    (Fault::DefaultOutOfRange, "specification"),
    (Fault::DuplicateState, "specification"),
    (Fault::NoDescription, "specification"),
    (Fault::IdNotInSnakeCase, "specification"),
    (Fault::TakesForeignParameters, "foreign_parameters_are_refused"),
    (Fault::RefusesWhatItNames, "understood_treatments_are_accepted"),
    (Fault::TakesEveryTreatment, "unsupported_treatments_are_refused"),
    (Fault::TakesEveryUnit, "unsupported_treatments_are_refused"),
    (Fault::DropsUnknownDoseOfNothing, "unsupported_treatments_are_refused"),
    (Fault::GoesBackward, "time_goes_forward"),
    (Fault::StandsElsewhere, "time_goes_forward"),
    (Fault::WritesTooFew, "observation_is_of_the_course_alone"),
    (Fault::WritesTooMany, "observation_is_of_the_course_alone"),
    (Fault::AddsToWhatIsThere, "observation_is_of_the_course_alone"),
    (Fault::ShowsOneStateTooMany, "observation_is_of_the_course_alone"),
    (Fault::LooksCost, "observation_is_of_the_course_alone"),
    (Fault::GoesNegative, "in_bounds"),
    (Fault::NanAtACorner, "finite"),
    (Fault::FailsAtACorner, "finite"),
    (Fault::CountsStarts, "repeatable"),
    (Fault::StepsWhereItStops, "stopping_changes_nothing"),
    (Fault::DoseNeedsALook, "sampling_changes_nothing"),
    (Fault::LeaksBetweenForks, "forks_are_independent"),
    (Fault::ForkForgetsTheLevel, "forks_are_independent"),
    (Fault::ClockStartsAtNought, "origin_shifts_the_result"),
    (Fault::GrowsBySeason, "origin_shifts_the_result"),
    (Fault::HintsMatter, "no_treatment_is_an_empty_list"),
    (Fault::ZeroDoseActs, "zero_dose_is_no_dose"),
    (Fault::DropsDoses, "treatments_act"),
    (Fault::DropsTheDoseAtTheStart, "treatments_act"),
    (Fault::DropsTheSecondAtOneTime, "every_dose_acts"),
    (Fault::DropsTheThird, "every_dose_acts"),
];

#[test]
fn the_sound_model_obeys_every_law() {
    let report = testing::check(&planted(Fault::None)).unwrap();
    assert_eq!(
        report.laws.iter().map(|passed| passed.law).collect::<Vec<_>>(),
        LAWS.iter().map(|law| law.name).collect::<Vec<_>>()
    );
    assert!(report.laws.iter().all(|passed| passed.cases > 0), "{report}");
}

#[test]
fn every_fault_is_caught_by_its_law() {
    let wrong: Vec<_> = CAUGHT
        .iter()
        .filter_map(|&(fault, law)| match testing::check(&planted(fault)) {
            Ok(_) => Some(format!("{fault:?} is not caught")),
            Err(violation) if violation.law == law => None,
            Err(violation) => Some(format!("{fault:?} is caught by another law than `{law}`: {violation}")),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_law_has_a_fault_that_it_catches_by_itself() {
    // The laws that only a fault caught by an earlier one breaks.
    let also = [(Fault::HintsMatter, "hints_change_nothing"), (Fault::HintsMatter, "replay_agrees")];
    for law in LAWS {
        let (fault, _) =
            CAUGHT.iter().chain(&also).find(|(_, name)| *name == law.name).unwrap_or_else(|| panic!("{law:?} has no fault"));
        let violation = (law.check)(&planted(*fault), &Settings::default()).unwrap_err();
        assert_eq!(violation.law, law.name, "{violation}");
    }
}

#[test]
fn a_violation_says_where_and_repeats() {
    let violation = testing::check(&planted(Fault::FailsAtACorner)).unwrap_err();
    assert_eq!(violation.model, "planted");
    assert_eq!(violation.parameters[0], ("growth_rate".to_owned(), 0.05));
    assert!(violation.treatments.is_empty(), "the simplest case comes first");
    assert!(violation.to_string().contains("growth_rate = 0.05"), "{violation}");
    assert_eq!(testing::check(&planted(Fault::FailsAtACorner)).unwrap_err(), violation);
}

#[test]
fn a_random_case_is_shrunk_to_what_matters() {
    // Fails at no corner: only where two parameters are both away from their defaults and ends.
    let violation = testing::finite(&Inside(planted(Fault::None)), &Settings { cases: 400, ..Settings::default() }).unwrap_err();
    assert!(violation.treatments.is_empty(), "{violation}");
    let values: Vec<_> = violation.parameters.iter().map(|(_, value)| *value).collect();
    assert!(values[0] > 0.01 && values[0] < 0.05 && values[2] > 0.02 && values[2] < 0.1, "{violation}");
    assert_eq!(values[1].to_bits(), 0.002_f64.to_bits(), "the parameter that does not matter is at its default");
}

/// A model that cannot be started in the inside of its range.
struct Inside(Planted);

impl Model for Inside {
    fn spec(&self) -> &Arc<ModelSpec> {
        self.0.spec()
    }

    fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        let (growth, slowing) = (parameters.get("growth_rate")?, parameters.get("slowing")?);
        if growth > 0.012 && growth < 0.05 && slowing > 0.03 && slowing < 0.1 {
            return Err(SimulationError::StepTooSmall { model: self.spec().id.clone(), state: "x".to_owned(), day: at.days() });
        }
        self.0.start(parameters, at, random)
    }
}

parameters! {
    /// Parameters of [`Depot`].
    struct Kinetics {
        absorption: "/d" in 0.1..=5.0, default 1.0, "Rate from depot to blood", Source::assumed("a test");
        loss: "/d" in 0.0..=1.0, default 0.1, "Rate out of the blood", Source::assumed("a test");
        kill: "L/mg/d" in 0.0..=0.01, default 0.001, "Kill of the tumor", Source::assumed("a test");
    }
}

/// A drug that is swallowed or infused, is collected where it ends, and kills a tumor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leak {
    None,
    Mass,
    Helps,
}

struct Depot {
    leak: Leak,
    spec: Arc<ModelSpec>,
}

fn depot(leak: Leak) -> Ode<Depot> {
    let spec = ModelSpec::new::<Kinetics>("depot", "A drug on its way through the body", Source::assumed("a test"))
        .state("depot", "mg", 1e-6)
        .state("blood", "mg", 1e-6)
        .state("gone", "mg", 1e-6)
        .bounded_state("ln_volume", "1", f64::NEG_INFINITY, f64::INFINITY, 1e-9)
        .observes(Observable::TUMOR_VOLUME, "mm3")
        .understands_drug(TreatmentKind::Oral, &agent("tablet"), "mg")
        .understands_drug(TreatmentKind::Infusion, &agent("drip"), "mg");
    Ode::new(Depot { leak, spec: Arc::new(spec) })
}

impl Dynamics for Depot {
    type State = [f64; 4];
    type Parameters = Kinetics;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Kinetics<T>) -> [T; 4] {
        [0.0, 0.0, 0.0, 5.0].map(T::from)
    }

    fn rates<T: Scalar>(&self, _t: T, &[depot, blood, _, _]: &[T; 4], exposure: &Exposure<T>, p: &Kinetics<T>, dx: &mut [T; 4]) {
        let (absorbed, lost) = (p.absorption * depot, p.loss * blood);
        let gained = if self.leak == Leak::Mass { absorbed * 0.99 } else { absorbed };
        let sign = if self.leak == Leak::Helps { 1.0 } else { -1.0 };
        *dx = [-absorbed, gained - lost + exposure.level(Input::new(1)), lost, p.kill * blood * sign + 0.002];
    }

    fn observe<T: Scalar>(&self, x: &[T; 4], _p: &Kinetics<T>, y: &mut [T]) {
        y[0] = x[3].exp();
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &Kinetics<T>, x: &mut [T; 4]) -> Result<(), Refused> {
        x[0] += given.amount;
        Ok(())
    }
}

#[test]
fn a_sound_differential_equation_obeys_every_law() {
    let model = depot(Leak::None);
    testing::check(&model).unwrap();
    let settings = Settings::default();
    assert!(testing::more_dose_never_more_tumor(&model, &settings, &Observable::TUMOR_VOLUME).is_ok_and(|cases| cases > 20));
    let drug = |x: &[f64]| x[0] + x[1] + x[2];
    assert!(testing::mass_balance(&model, &settings, drug).is_ok_and(|cases| cases > 20));
}

/// A sound model but for its derivatives, which are a thousandth too large.
struct Steep(Ode<Depot>);

impl Model for Steep {
    fn spec(&self) -> &Arc<ModelSpec> {
        self.0.spec()
    }
    fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        self.0.start(parameters, at, random)
    }
    fn differentiable(&self) -> Option<&dyn Differentiable> {
        Some(self)
    }
}

impl Differentiable for Steep {
    fn start_differentiated(
        &self,
        parameters: &Parameters,
        at: Time,
        by: &[Direction],
    ) -> Result<Box<dyn Simulation>, SimulationError> {
        Ok(Box::new(SteepCourse(self.0.start_differentiated(parameters, at, by)?)))
    }
}

struct SteepCourse(Box<dyn Simulation>);

impl Simulation for SteepCourse {
    fn now(&self) -> Time {
        self.0.now()
    }
    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.0.advance(to)
    }
    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        self.0.treat(treatment)
    }
    fn observe(&self, y: &mut [f64]) {
        self.0.observe(y);
    }
    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(Self(self.0.fork()))
    }
    fn state(&self) -> Option<Cow<'_, [f64]>> {
        self.0.state()
    }
    fn sensitivities(&self) -> Option<&dyn Sensitivities> {
        self.0.sensitivities().is_some().then_some(self)
    }
}

impl Sensitivities for SteepCourse {
    fn directions(&self) -> usize {
        self.0.sensitivities().map_or(0, Sensitivities::directions)
    }
    fn observe(&self, dy: &mut [f64]) {
        self.0.sensitivities().unwrap().observe(dy);
        dy.iter_mut().for_each(|slope| *slope *= 1.001);
    }
    fn state(&self, dx: &mut [f64]) {
        self.0.sensitivities().unwrap().state(dx);
    }
}

#[test]
fn a_course_that_claims_derivatives_which_its_model_denies_is_found() {
    let settings = Settings::default();
    assert!(testing::sensitivities_agree(&planted(Fault::None), &settings).is_ok_and(|cases| cases > 20));
    let violation = testing::sensitivities_agree(&planted(Fault::ClaimsDerivatives), &settings).unwrap_err();
    assert_eq!(violation.law, "sensitivities_agree");
}

#[test]
fn derivatives_that_are_a_thousandth_off_are_found() {
    let violation = testing::sensitivities_agree(&Steep(depot(Leak::None)), &Settings::default()).unwrap_err();
    assert_eq!(violation.law, "sensitivities_agree");
    assert!(violation.detail.contains("derivative"), "{violation}");
}

#[test]
fn a_leak_breaks_the_mass_balance() {
    let violation = testing::mass_balance(&depot(Leak::Mass), &Settings::default(), |x| x[0] + x[1] + x[2]).unwrap_err();
    assert_eq!(violation.law, "mass_balance");
    assert!(!violation.treatments.is_empty(), "nothing leaks where nothing was given");
}

#[test]
fn a_drug_that_helps_the_tumor_is_found() {
    let settings = Settings::default();
    let violation = testing::more_dose_never_more_tumor(&depot(Leak::Helps), &settings, &Observable::TUMOR_VOLUME).unwrap_err();
    assert_eq!(violation.law, "more_dose_never_more_tumor");
    let unknown = testing::more_dose_never_more_tumor(&depot(Leak::None), &settings, &Observable::PSA).unwrap_err();
    assert!(unknown.detail.contains("no observable `psa`"), "{unknown}");
    let growth = twin_models::growth::gompertz();
    let vacuous = testing::more_dose_never_more_tumor(&growth, &settings, &Observable::TUMOR_VOLUME).unwrap_err();
    assert!(vacuous.detail.contains("no treatment"), "{vacuous}");
}

#[test]
fn release_of_resistant_clones_breaks_the_law_of_more_dose() {
    let model = twin_models::clones::sensitive_resistant(agent("abiraterone"));
    let violation = testing::more_dose_never_more_tumor(&model, &Settings::default(), &Observable::TUMOR_BURDEN).unwrap_err();
    assert_eq!(violation.law, "more_dose_never_more_tumor");
}

#[test]
fn a_wrong_closed_form_is_found() {
    let (model, settings) = (planted(Fault::None), Settings::default());
    let parameters = model.spec().defaults().unwrap();
    let held = |rate: f64| {
        testing::analytic_limit(&model, &settings, &parameters, &Observable::TUMOR_VOLUME, |day| 100.0 * (rate * day).exp(), 1e-9)
    };
    assert_eq!(held(0.01).unwrap(), 13);
    assert_eq!(held(0.010_001).unwrap_err().law, "analytic_limit");
}

#[test]
fn a_differential_equation_that_breaks_down_is_caught() {
    for (fault, law) in [("nan", "finite"), ("negative", "in_bounds"), ("dropped", "treatments_act")] {
        let violation =
            testing::check(&Ode::new(Broken { fault, spec: Arc::clone(&depot(Leak::None).spec().clone()) })).unwrap_err();
        assert_eq!(violation.law, law, "{violation}");
    }
}

/// A differential equation with a fault that the integrator meets first.
struct Broken {
    fault: &'static str,
    spec: Arc<ModelSpec>,
}

impl Dynamics for Broken {
    type State = [f64; 4];
    type Parameters = Kinetics;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Kinetics<T>) -> [T; 4] {
        [0.0, 1.0, 0.0, 5.0].map(T::from)
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 4], exposure: &Exposure<T>, p: &Kinetics<T>, dx: &mut [T; 4]) {
        let (drip, zero) = (exposure.level(Input::new(1)), T::from(0.0));
        *dx = match self.fault {
            "nan" => [zero, drip, zero, (T::from(0.99) - p.loss).sqrt()],
            "negative" => [zero, drip - p.loss, zero, zero],
            _ => [zero, drip - p.loss * x[1], zero, zero],
        };
    }

    fn observe<T: Scalar>(&self, x: &[T; 4], _p: &Kinetics<T>, y: &mut [T]) {
        y[0] = x[3];
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &Kinetics<T>, x: &mut [T; 4]) -> Result<(), Refused> {
        x[0] += if self.fault == "dropped" { T::from(0.0) } else { given.amount };
        Ok(())
    }
}
