use super::{Equations, Event, Expression, Function};
use crate::{Model, Scenario, SimulationError, Source, TreatmentKind, simulate, testing};
use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};

fn parsed(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

/// The value of an expression over `time`, at 2.
fn value(text: &str) -> f64 {
    super::program::Program::new(&parsed(text), &|name| (name == "x").then_some(1)).unwrap().value(&[2.0, 3.0])
}

#[test]
fn expressions_have_the_usual_precedence() {
    for (text, expected) in [
        ("1 + 2 * 3 ^ 2 ^ 0.5 - 4 / 2 / 2", 1.0 + 2.0 * 3.0_f64.powf(2.0_f64.sqrt()) - 1.0),
        ("-x^2 + 2^-1", -8.5),
        ("(1 - 2) - (3 - 4) - 5", -5.0),
        ("1e-3 + 1.5E+2 + .5", 150.501),
        ("x > time > 1 && !(x == 2)", 1.0),
        ("x < 1 || 2 < time", 0.0),
        ("piecewise(1, x > 5, 2, x > 2, 3)", 2.0),
        ("piecewise(1 / 0, false, 7)", 7.0),
        ("max(1, x, 2) + min(x, 2) + abs(-1) + factorial(4) + rem(-7, 3) + quotient(-7, 3)", 3.0 + 2.0 + 1.0 + 24.0 - 1.0 - 2.0),
        ("log(2, 8) + root(3, 27) + log10(1000) + ln(exp(2)) + sqrt(4)", 3.0 + 3.0 + 3.0 + 2.0 + 2.0),
        (
            "plus() + times() + xor(1, 1, 1) + implies(0, 0) + sin(0) + ceil(0.5) + floor(0.5)",
            0.0 + 1.0 + 1.0 + 1.0 + 0.0 + 1.0 + 0.0,
        ),
    ] {
        assert!((value(text) - expected).abs() < 1e-12, "{text} is {}", value(text));
    }
    assert!(value("piecewise(1, false)").is_nan() && value("factorial(1.5)").is_nan() && value("factorial(-1)").is_nan());
}

#[test]
fn what_is_no_expression_is_refused() {
    let deep = "(".repeat(5000) + "1" + &")".repeat(5000);
    for text in ["", "1 +", "2 x", "sin(1, 2)", "unknown(1)", "(1", "f(", "1 < 2 > 3", "a..b", "1.2.3", "é+", "pow(1)", &deep] {
        assert!(matches!(Expression::parse(text), Err(SimulationError::Expression { .. })), "{text}");
    }
    assert!(Expression::apply(Function::Power, vec![Expression::Time]).is_err());
    assert!(matches!(Expression::parse(&"-".repeat(5000)), Err(SimulationError::Expression { .. })));
    assert_eq!(parsed("f + g").replace(&|name| (name == "f").then(|| parsed("2 * h"))).unwrap(), parsed("2 * h + g"));
}

fn empty(id: &str) -> Equations {
    Equations::new(id, "A test", Source::assumed("a test"), "d".parse().unwrap())
}

fn shown(equations: &Equations, days: &[f64], treatments: Vec<TimedTreatment>) -> Vec<f64> {
    let model = equations.model().unwrap();
    let sampling = days.iter().map(|day| Time::from_days(10.0 + day).unwrap());
    let scenario = Scenario::starting(Time::from_days(10.0).unwrap()).sampled(sampling).treated(treatments);
    simulate(&model, &model.spec().defaults().unwrap(), &scenario, &mut Random::new(1)).unwrap().values
}

fn event(trigger: &str, state: &str, becomes: &str) -> Event {
    Event {
        name: trigger.to_owned(),
        trigger: parsed(trigger),
        true_before: true,
        persistent: true,
        delay: None,
        priority: None,
        values_from_trigger: true,
        assignments: vec![(state.to_owned(), parsed(becomes))],
    }
}

fn observed(id: &str, state: &str) -> Equations {
    let mut equations = empty(id);
    equations.observe(Observable::new("seen").unwrap(), "1", Expression::name(state));
    equations
}

#[test]
fn assignments_are_put_in_order_and_time_has_its_unit() {
    let mut equations = Equations::new("hours", "A test", Source::assumed("a test"), "h".parse().unwrap());
    equations.constant("k", "/h", 0.5).assignment("b", parsed("2 * a")).assignment("a", parsed("x + 1"));
    equations.state("x", "1", parsed("a0"), parsed("-k * x")).assignment("a0", parsed("k * 8"));
    equations.observe(Observable::new("b").unwrap(), "1", parsed("b + time"));
    let seen = shown(&equations, &[0.0, 0.5], Vec::new());
    assert!((seen[0] - 10.0).abs() < 1e-9);
    assert!((seen[1] - (2.0 * (4.0 * (-6.0_f64).exp() + 1.0) + 12.0)).abs() < 1e-6, "{seen:?}");
}

#[test]
fn an_event_happens_at_the_moment_of_its_trigger() {
    let mut equations = observed("sawtooth", "x");
    equations.state("x", "1", parsed("0"), parsed("1"));
    equations.events.push(event("x >= 1", "x", "0"));
    let seen = shown(&equations, &[0.25, 0.999_999, 1.5, 7.75], Vec::new());
    for (seen, expected) in seen.iter().zip([0.25, 0.999_999, 0.5, 0.75]) {
        assert!((seen - expected).abs() < 1e-9, "{seen}, not {expected}");
    }
}

#[test]
fn a_condition_that_holds_for_a_moment_is_not_stepped_over() {
    let mut equations = observed("moment", "x");
    equations.state("x", "1", parsed("0"), parsed("1")).state("y", "1", parsed("0"), parsed("0"));
    equations.events.push(event("x > 50 && x < 50.0001", "x", "0"));
    assert!((shown(&equations, &[60.0], Vec::new())[0] - 10.0).abs() < 1e-6);
}

#[test]
fn delays_priorities_and_persistence_are_kept() {
    // Two events of one moment: the one with the larger priority first, and the other sees its work.
    let mut equations = observed("priority", "x");
    equations.state("x", "1", parsed("1"), parsed("0"));
    let rank = |rank: &str, event: Event| Event { priority: Some(parsed(rank)), values_from_trigger: false, ..event };
    equations.events = vec![rank("1", event("time > 1", "x", "x + 1")), rank("2", event("time > 1", "x", "x * 10"))];
    assert_eq!(shown(&equations, &[0.5, 2.0], Vec::new()), [1.0, 11.0]);
    // An event that waits is dropped if its condition does not last, unless it is persistent.
    for (persistent, last) in [(true, 5.0), (false, 1.0)] {
        equations.events = vec![Event { delay: Some(parsed("1")), persistent, ..event("time > 1 && time < 1.5", "x", "5") }];
        assert_eq!(shown(&equations, &[1.9, 2.1], Vec::new()), [1.0, last]);
    }
    // One that counts as false before the start happens at the start, and one may trigger the next.
    equations.events = vec![Event { true_before: false, ..event("x < 2", "x", "2") }, event("x > 1.5", "x", "3")];
    equations.events[1].true_before = false;
    assert_eq!(shown(&equations, &[0.0, 1.0], Vec::new()), [3.0, 3.0]);
    // Two that trigger each other for ever are an error.
    equations.events = vec![event("x < 2", "x", "3"), event("x > 2", "x", "1")];
    equations.events[0].true_before = false;
    let model = equations.model().unwrap();
    let started = model.start(&model.spec().defaults().unwrap(), Time::ORIGIN, &mut Random::new(1));
    assert!(matches!(started, Err(SimulationError::TooManySteps { .. })));
}

#[test]
fn doses_go_into_their_state() {
    let drug = || Agent::new("drug").unwrap();
    let mut equations = observed("dosed", "amount");
    equations.constant("k", "/d", 1.0).state("amount", "mg", parsed("0"), parsed("-k * amount"));
    equations.dose(TreatmentKind::Bolus, drug(), "amount").dose(TreatmentKind::Infusion, drug(), "amount");
    let at = |day: f64, treatment| TimedTreatment::new(Time::from_days(day).unwrap(), treatment);
    let dose = |value| Quantity::new(value, "g").unwrap();
    let bolus = at(11.0, Treatment::bolus(drug(), dose(0.1)).unwrap());
    let infusion = at(12.0, Treatment::infusion(drug(), dose(0.05), Span::from_days(0.5).unwrap()).unwrap());
    let seen = shown(&equations, &[1.0, 2.0, 3.0], vec![bolus, infusion]);
    let infused = 100.0 * (1.0 - (-0.5_f64).exp()) * (-0.5_f64).exp();
    for (seen, expected) in seen.iter().zip([0.0, 100.0 * (-1.0_f64).exp(), 100.0 * (-2.0_f64).exp() + infused]) {
        assert!((seen - expected).abs() < 1e-5, "{seen}, not {expected}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused = |change: &dyn Fn(&mut Equations)| {
        let mut equations = observed("faulty", "x");
        equations.state("x", "1", parsed("1"), parsed("0"));
        change(&mut equations);
        assert!(matches!(equations.model(), Err(SimulationError::Specification { .. } | SimulationError::Core(_))));
    };
    refused(&|equations| {
        equations.constant("x", "1", 1.0);
    });
    refused(&|equations| {
        equations.assignment("a", parsed("b")).assignment("b", parsed("a + x"));
    });
    refused(&|equations| {
        equations.assignment("a", parsed("nothing"));
    });
    refused(&|equations| equations.events.push(event("time > 1", "y", "1")));
    refused(&|equations| {
        equations.dose(TreatmentKind::Bolus, Agent::new("drug").unwrap(), "y");
    });
    refused(&|equations| {
        equations.dose(TreatmentKind::Continuous, Agent::new("drug").unwrap(), "x");
    });
    refused(&|equations| equations.observables.clear());
    refused(&|equations| equations.states[0].spec.absolute_tolerance = 0.0);
    let mut undefined = observed("undefined", "x");
    undefined.state("x", "1", parsed("1 / 0"), parsed("0"));
    let model = undefined.model().unwrap();
    let started = model.start(&model.spec().defaults().unwrap(), Time::ORIGIN, &mut Random::new(1));
    assert!(matches!(started, Err(SimulationError::NotFinite { .. })));
}

/// Growth with an event that halves the tumor, under a drug that is given in all ways.
fn dosed_growth() -> Equations {
    let drug = || Agent::new("drug").unwrap();
    let mut equations = empty("equations_under_test");
    equations.constant("growth_rate", "/d", 0.05).constant("elimination", "/d", 0.5).constant("kill", "/(mg.d)", 1e-3);
    for (constant, (low, high)) in equations.constants.iter_mut().zip([(0.01, 0.1), (0.1, 1.0), (1e-4, 1e-2)]) {
        (constant.low, constant.high) = (low, high);
    }
    equations.state("amount", "mg", parsed("0"), parsed("-elimination * amount"));
    equations.state("volume", "mm3", parsed("100"), parsed("growth_rate * volume * (1 - volume / 5000) - kill * amount * volume"));
    equations.states.iter_mut().for_each(|state| (state.spec.low, state.spec.absolute_tolerance) = (0.0, 1e-9));
    equations.states[0].spec.absolute_tolerance = 1e-6;
    equations.events.push(event("time >= 200", "volume", "volume / 2"));
    for kind in [TreatmentKind::Bolus, TreatmentKind::Oral, TreatmentKind::Infusion] {
        equations.dose(kind, drug(), "amount");
    }
    equations.observe(Observable::TUMOR_VOLUME, "mm3", Expression::name("volume"));
    equations
}

#[test]
fn the_laws_hold() {
    let settings = testing::Settings { cases: 8, ..testing::Settings::default() };
    testing::check_with(&dosed_growth().model().unwrap(), &settings).unwrap();
}
