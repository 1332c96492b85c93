//! A model from a file of SBML: a tumor and effector cells, and what a larger dose of transferred effector cells changes.
//!
//! `cargo run --release -p twin-trials --example sbml_import [-- MODEL.xml]` writes `target/sbml_import.html`. Without a file, the model is
//! the one below; with one, its symbols are shown over 100 days.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use twin_core::{Agent, Observable, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_io::{Limits, sbml};
use twin_models::{Model, Scenario, TreatmentKind, simulate};
use twin_trials::report::{Block, Curve, CurveStyle, CurvesFigure, Figure, Plot, Report, Section};

type Failure = Box<dyn std::error::Error>;

/// Cells in millions: the tumor grows and is killed by effector cells, which die off.
const MODEL: &str = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
<model id="transfer"><listOfParameters>
  <parameter id="growth" value="0.05" constant="true"/><parameter id="kill" value="0.01" constant="true"/>
  <parameter id="loss" value="0.04" constant="true"/>
  <parameter id="tumor" value="10" constant="false"/><parameter id="effectors" value="1" constant="false"/>
</listOfParameters><listOfRules>
  <rateRule variable="tumor"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/>
    <apply><times/><ci>growth</ci><ci>tumor</ci></apply><apply><times/><ci>kill</ci><ci>tumor</ci><ci>effectors</ci></apply></apply></math></rateRule>
  <rateRule variable="effectors"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/>
    <apply><times/><ci>loss</ci><ci>effectors</ci></apply></apply></math></rateRule>
</listOfRules></model></sbml>"#;

fn main() -> Result<(), Failure> {
    let (day, limits) = ("d".parse()?, Limits::default());
    let given = std::env::args().nth(1);
    let mut file = match &given {
        Some(path) => sbml::read(path, Some(&day), &limits)?,
        None => sbml::parse(MODEL, "transfer.xml", Some(&day), &limits)?,
    };
    let mut doses = vec![None];
    let cells = Agent::new("effector_cells")?;
    if given.is_none() {
        // SBML knows no treatments: say which state a dose goes to, and in which unit it is measured.
        file.equations.dose(TreatmentKind::Bolus, cells.clone(), "effectors");
        doses.extend([Some(5.0), Some(20.0)]);
    }
    let model = file.equations.model()?;
    let spec = model.spec();
    println!("{}: {} states, {} parameters", spec.id, spec.states.len(), spec.parameters.len());
    let looks = (0..=200).map(|half| Time::from_days(0.5 * f64::from(half))).collect::<Result<Vec<_>, _>>()?;
    let shown: Vec<Observable> = spec.observables.iter().map(|known| known.observable.clone()).take(5).collect();
    let mut curves = Vec::new();
    for dose in doses {
        let mut scenario = Scenario::starting(Time::ORIGIN).sampled(looks.iter().copied());
        if let Some(amount) = dose {
            let unit = spec.treatments.first().and_then(|known| known.unit.clone()).ok_or("the dose has no unit")?;
            let bolus = Treatment::bolus(cells.clone(), Quantity::new(amount, &*unit)?)?;
            scenario = scenario.treated([TimedTreatment::new(Time::from_days(10.0)?, bolus)]);
        }
        let course = simulate(&model, &spec.defaults()?, &scenario, &mut Random::new(1))?;
        for observable in shown.iter().filter(|known| given.is_some() || known.to_string() == "tumor") {
            let values = course.column(observable).ok_or("no such symbol")?;
            let points = looks.iter().map(|look| look.days()).zip(values).collect();
            let label = dose
                .map_or_else(|| observable.to_string(), |dose| format!("{observable}, {dose} million effector cells on day 10"));
            curves.push(Curve { label, points, style: CurveStyle::Line });
        }
    }
    let axis = twin_trials::report::Quantity::linear;
    let plot = CurvesFigure { horizontal: axis("Time", "d"), vertical: axis("Value", "as the file states"), curves };
    let figure = Figure::new("The file's symbols over time, as a model like any other.", Plot::Curves(plot));
    let mut page = Report::new(format!("From SBML: {}", spec.id));
    page.sections.push(Section { heading: "The course".into(), blocks: vec![Block::Figure(figure)] });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/sbml_import.html", page.to_html()?)?;
    println!("wrote target/sbml_import.html");
    Ok(())
}
