//! SBML Level 3 core, the subset of ordinary differential equations, as [`Equations`] that make a model.
//!
//! ```
//! use twin_core::{Observable, Random, Time};
//! use twin_io::{Limits, sbml};
//! use twin_models::{Model, Scenario, simulate};
//! let text = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="decay">
//!   <listOfParameters><parameter id="k" value="0.5" constant="true"/><parameter id="x" value="8" constant="false"/></listOfParameters>
//!   <listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML">
//!     <apply><times/><apply><minus/><ci>k</ci></apply><ci>x</ci></apply></math></rateRule></listOfRules>
//! </model></sbml>"#;
//! assert!(sbml::parse(text, "decay.xml", None, &Limits::default()).is_err()); // it states no unit of time
//! let file = sbml::parse(text, "decay.xml", Some(&"d".parse()?), &Limits::default())?;
//! let model = file.equations.model()?;
//! let look = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(2.0)?]);
//! let course = simulate(&model, &model.spec().defaults()?, &look, &mut Random::new(1))?;
//! let x = course.column(&Observable::new("x")?).unwrap_or_default();
//! assert!((x[0] / (8.0 * (-1.0_f64).exp()) - 1.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Read**: compartments, species, parameters, reactions with kinetic laws and local parameters, conversion factors, variable
//! stoichiometry, initial assignments, assignment and rate rules, function definitions, events with delays, priorities and
//! persistence, unit definitions as far as UCUM can say them.
//!
//! **Named and refused**: algebraic rules, delays in expressions (`delay`), `rateOf`, fast reactions, constraints, reactions without a
//! kinetic law, elements without their math, packages that the file says it needs, other levels.
//!
//! Each symbol becomes an observable of the same name, as the file means it: a species is a concentration unless
//! `hasOnlySubstanceUnits`. Constants become parameters of the model; so do local parameters, as `reaction.name`, and the initial
//! values of species, as `species.initial`. The amount behind a concentration is the state `species.amount`: doses go there, see
//! [`Equations::dose`]. A unit that the file does not state, or that UCUM cannot say, is `[arb'U]`, which nothing converts to.

mod attribute;
mod event;
mod lower;
mod math;
mod represent;
mod unit;

#[cfg(test)]
mod tests;

use crate::{IoError, Limits, Place, file};
use std::path::Path;
use twin_core::Unit;
use twin_models::equations::Equations;

/// What a file of SBML states.
#[derive(Debug, Clone, PartialEq)]
pub struct Sbml {
    /// The equations, ready for [`Equations::model`], or to be changed before.
    pub equations: Equations,
    /// The species.
    pub species: Vec<Species>,
}

/// A species, and what its symbol means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Species {
    /// Its symbol.
    pub id: String,
    /// The symbol of its compartment.
    pub compartment: String,
    /// Whether its symbol is a concentration; else it is an amount.
    pub is_concentration: bool,
}

/// Reads a file.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`parse`].
pub fn read(path: impl AsRef<Path>, time_unit: Option<&Unit>, limits: &Limits) -> Result<Sbml, IoError> {
    let path = path.as_ref();
    of(&file::text(file::read_bytes(path, limits)?, Some(path))?, path, time_unit, limits)
}

/// Reads the text of a file named `name`. `time_unit` is the unit of time where the file states none.
///
/// # Errors
/// [`IoError::Syntax`] for what is not XML, has a document type, or is not as SBML has it; [`IoError::Format`] for another language;
/// [`IoError::Unsupported`] for what is refused; [`IoError::Invalid`] for a symbol that is missing, given twice or without a value,
/// and for a file without a unit of time; [`IoError::Limit`] for more elements than `max_records` or more levels than `max_depth`.
pub fn parse(text: &str, name: &str, time_unit: Option<&Unit>, limits: &Limits) -> Result<Sbml, IoError> {
    of(text, Path::new(name), time_unit, limits)
}

fn of(text: &str, path: &Path, time_unit: Option<&Unit>, limits: &Limits) -> Result<Sbml, IoError> {
    file::checked_size(text.len(), Some(path), limits)?;
    let place = Place::of(Some(path));
    let most = u32::try_from(limits.max_records).unwrap_or(u32::MAX);
    let options = roxmltree::ParsingOptions { nodes_limit: most, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|error| {
        if matches!(error, roxmltree::Error::NodesLimitReached) {
            return place.clone().over("elements", limits.max_records, "max_records");
        }
        let at = error.pos();
        // The parser's own words may quote the file.
        place.clone().line(at.row as usize).column(at.col as usize).syntax("must be well-formed XML, without a document type")
    })?;
    lower::Lowering::new(&document, &place, limits)?.finish(time_unit)
}
