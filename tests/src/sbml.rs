//! The SBML Test Suite, semantic cases: the flattened ones as equations, and the raw files through the reader.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use twin_core::{Observable, Random, Time};
use twin_io::sbml::{self, Sbml};
use twin_io::{IoError, Limits};
use twin_models::equations::{Equations, Expression, Function};
use twin_models::{Model, Scenario, Source, simulate};

/// One flattened case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its number in the suite.
    pub id: String,
    /// What the case uses.
    pub component_tags: Vec<String>,
    abs_tol: f64,
    rel_tol: f64,
    constants: BTreeMap<String, f64>,
    states: Vec<CaseState>,
    assignments: Vec<Named>,
    outputs: Vec<Named>,
    times: Vec<f64>,
    /// `None` for a value that is not finite, which JSON cannot say: it is not compared.
    expected: Vec<Vec<Option<f64>>>,
}

#[derive(Debug, Deserialize)]
struct CaseState {
    name: String,
    initial: f64,
    rhs: String,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    expr: String,
}

/// The flattened cases.
///
/// # Errors
/// In words, if the file cannot be read.
pub fn cases(path: &Path) -> Result<Vec<Case>, String> {
    #[derive(Deserialize)]
    struct Suite {
        cases: Vec<Case>,
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str::<Suite>(&text).map(|suite| suite.cases).map_err(|error| error.to_string())
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Case {
    fn equations(&self) -> Result<Equations, String> {
        let unit = "d".parse().map_err(words)?;
        let mut equations = Equations::new("case", "A case of the SBML Test Suite", Source::assumed("the suite"), unit);
        let parse = |text: &str| Expression::parse(text).map_err(words);
        for (name, value) in &self.constants {
            equations.constant(name, "1", *value);
        }
        for state in &self.states {
            equations.state(&state.name, "1", Expression::Number(state.initial), parse(&state.rhs)?);
        }
        for assignment in &self.assignments {
            equations.assignment(&assignment.name, parse(&assignment.expr)?);
        }
        for output in &self.outputs {
            equations.observe(Observable::new(&output.name).map_err(words)?, "1", parse(&output.expr)?);
        }
        Ok(equations)
    }

    /// The largest error of a value, as a multiple of what the suite allows.
    ///
    /// # Errors
    /// In words, why the case could not be run.
    pub fn worst(&self) -> Result<f64, String> {
        let expected: Vec<Option<f64>> = self.expected.iter().flatten().copied().collect();
        worst(&self.equations()?, &self.times, &expected, (self.abs_tol, self.rel_tol))
    }

    /// Values that are not compared, for want of a finite one in the table.
    #[must_use]
    pub fn uncompared(&self) -> usize {
        self.expected.iter().flatten().filter(|value| value.is_none()).count()
    }
}

/// The largest error of the observables of a model, (times × observables), as a multiple of what is allowed.
fn worst(equations: &Equations, times: &[f64], expected: &[Option<f64>], (absolute, relative): (f64, f64)) -> Result<f64, String> {
    let model = equations.model().map_err(words)?.with_relative_tolerance(1e-9).map_err(words)?;
    let day = twin_core::Unit::parse("d").map_err(words)?;
    let unit = equations.time_unit.convert(1.0, &day).map_err(words)?;
    let times: Result<Vec<_>, _> = times.iter().map(|time| Time::from_days(time * unit)).collect();
    let scenario = Scenario::starting(Time::ORIGIN).sampled(times.map_err(words)?);
    let parameters = model.spec().defaults().map_err(words)?;
    let course = simulate(&model, &parameters, &scenario, &mut Random::new(1)).map_err(words)?;
    if course.values.len() != expected.len() {
        return Err(format!("{} values, but {} are expected", course.values.len(), expected.len()));
    }
    let excess = |(ours, expected): (&f64, &Option<f64>)| {
        let Some(expected) = expected else { return 0.0 };
        let same = ours.is_nan() && expected.is_nan() || ours.is_infinite() && ours.to_bits() == expected.to_bits();
        let excess = (ours - expected).abs() / (absolute + relative * expected.abs());
        if same {
            0.0
        } else if excess.is_nan() {
            f64::INFINITY
        } else {
            excess
        }
    };
    Ok(course.values.iter().zip(expected).map(excess).fold(0.0, f64::max))
}

/// How a raw case came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Within the tolerances of the suite; the largest error as a share of them.
    Passed(f64),
    /// The reader refuses it, and says why.
    Refused(String),
    /// It was read, and is wrong.
    Wrong(String),
}

/// Runs the raw case in a folder, and tells what the file uses.
///
/// # Errors
/// In words, if the folder does not hold a case.
pub fn run_raw(folder: &Path) -> Result<(BTreeSet<String>, Outcome), String> {
    let id = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let read = |name: &str| std::fs::read_to_string(folder.join(format!("{id}-{name}"))).map_err(words);
    let text = read("sbml-l3v2.xml").or_else(|_| read("sbml-l3v1.xml"))?;
    let settings = read("settings.txt")?;
    let setting = |name: &str| {
        let line = settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    let list = |name: &str| setting(name).split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>();
    let number = |name: &str| setting(name).parse::<f64>().map_err(|_| format!("{id}: no setting `{name}`"));
    let tolerance = (number("absolute")?, number("relative")?);
    // The suite counts time in the unit of the file; where it states none, any will do.
    let day = twin_core::Unit::parse("d").map_err(words)?;
    let outcome = match sbml::parse(&text, &format!("{id}.xml"), Some(&day), &Limits::default()) {
        Err(error @ (IoError::Unsupported { .. } | IoError::Invalid { .. })) => Outcome::Refused(error.to_string()),
        Err(error) => Outcome::Wrong(error.to_string()),
        Ok(file) => match compare(file, &read("results.csv")?, &list("amount"), tolerance) {
            Ok(worst) if worst <= 1.0 => Outcome::Passed(worst),
            Ok(worst) => Outcome::Wrong(format!("{worst} times the tolerance")),
            Err(why) => Outcome::Wrong(why),
        },
    };
    Ok((tags(&text), outcome))
}

fn compare(mut file: Sbml, results: &str, amounts: &[String], tolerance: (f64, f64)) -> Result<f64, String> {
    let mut lines = results.lines().filter(|line| !line.trim().is_empty());
    let columns: Vec<&str> =
        lines.next().unwrap_or_default().split(',').skip(1).map(|name| name.trim().trim_matches('"')).collect();
    let (mut times, mut expected) = (Vec::new(), Vec::new());
    for line in lines {
        let mut row = line.split(',').map(|value| match value.trim() {
            "INF" => Ok(f64::INFINITY),
            "-INF" => Ok(f64::NEG_INFINITY),
            "NaN" => Ok(f64::NAN),
            value => value.parse::<f64>().map_err(words),
        });
        times.extend(row.next().transpose()?);
        for value in row {
            expected.push(Some(value?));
        }
    }
    file.equations.observables.clear();
    for name in columns {
        let species = file.species.iter().find(|species| species.id == name);
        let value = match species.filter(|species| species.is_concentration == amounts.iter().any(|amount| amount == name)) {
            None => Expression::name(name),
            Some(species) => {
                let function = if species.is_concentration { Function::Multiply } else { Function::Divide };
                let arguments = vec![Expression::name(name), Expression::name(&species.compartment)];
                Expression::apply(function, arguments).map_err(words)?
            }
        };
        file.equations.observe(Observable::new(name).map_err(words)?, "1", value);
    }
    worst(&file.equations, &times, &expected, tolerance)
}

/// What a file uses, in the manner of the suite's tags.
fn tags(text: &str) -> BTreeSet<String> {
    let uses = [
        ("<reaction ", "Reaction"),
        ("<rateRule ", "RateRule"),
        ("<assignmentRule ", "AssignmentRule"),
        ("<algebraicRule", "AlgebraicRule"),
        ("<initialAssignment ", "InitialAssignment"),
        ("<functionDefinition ", "FunctionDefinition"),
        ("<event", "EventNoDelay"),
        ("<delay>", "EventWithDelay"),
        ("<priority>", "EventPriority"),
        ("symbols/delay", "CSymbolDelay"),
        ("symbols/rateOf", "CSymbolRateOf"),
        ("persistent=\"false\"", "EventIsNotPersistent"),
        ("useValuesFromTriggerTime=\"false\"", "EventUsesAssignmentTimeValues"),
        ("<localParameter ", "LocalParameters"),
        ("<piecewise", "Piecewise"),
        ("hasOnlySubstanceUnits=\"true\"", "HasOnlySubstanceUnits"),
        ("boundaryCondition=\"true\"", "BoundaryCondition"),
        ("conversionFactor", "ConversionFactor"),
        ("<constraint", "Constraint"),
        ("fast=\"true\"", "FastReaction"),
    ];
    uses.iter().filter(|(mark, _)| text.contains(mark)).map(|(_, tag)| (*tag).to_owned()).collect()
}
