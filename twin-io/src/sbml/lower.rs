//! From the elements of a model to equations.

use super::attribute::Element;
use super::math::Functions;
use super::represent::no_value;
use super::unit::{self, Units};
use super::{Sbml, Species};
use crate::{IoError, Limits, Place};
use roxmltree::Document;
use std::collections::{BTreeMap, BTreeSet};
use twin_core::{Observable, Unit};
use twin_models::Source;
use twin_models::equations::{Equations, Expression, Function};

const CORE: [&str; 2] = ["http://www.sbml.org/sbml/level3/version1/core", "http://www.sbml.org/sbml/level3/version2/core"];
const READ: &str = "SBML Level 3 core without algebraic rules, constraints, delays in expressions and fast reactions";

/// How a symbol comes by its value.
#[derive(Debug, Clone)]
pub(super) struct Symbol<'a> {
    pub(super) element: Element<'a>,
    pub(super) unit: String,
    /// For a species.
    pub(super) species: Option<Kind>,
}

/// What is known of a species.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) compartment: String,
    pub(super) is_concentration: bool,
    /// Whether its state is its amount, and its symbol follows from it.
    pub(super) by_amount: bool,
}

/// A model under way.
#[derive(Debug)]
pub(super) struct Lowering<'a> {
    pub(super) model: Element<'a>,
    pub(super) functions: Functions<'a>,
    pub(super) units: Units,
    pub(super) symbols: BTreeMap<String, Symbol<'a>>,
    /// The symbols in the order of the file.
    pub(super) order: Vec<String>,
    pub(super) initial: BTreeMap<String, Expression>,
    pub(super) assigned: BTreeMap<String, Expression>,
    pub(super) rates: BTreeMap<String, Expression>,
    /// What reactions do to the amount of a species.
    pub(super) turnover: BTreeMap<String, Vec<Expression>>,
    /// What events change.
    pub(super) changed: BTreeSet<String>,
    pub(super) equations: Equations,
}

pub(super) fn product(factors: Vec<Expression>, at: Element<'_>) -> Result<Expression, IoError> {
    built(Function::Multiply, factors, at)
}

pub(super) fn built(function: Function, arguments: Vec<Expression>, at: Element<'_>) -> Result<Expression, IoError> {
    let most = twin_models::equations::MAX_DEPTH;
    Expression::apply(function, arguments).map_err(|_| at.place("math").over("levels of math", most, "max_depth"))
}

impl<'a> Lowering<'a> {
    pub(super) fn new(document: &'a Document<'a>, file: &'a Place, limits: &Limits) -> Result<Self, IoError> {
        let root = Element { node: document.root_element(), file };
        let place = || file.clone().field("sbml");
        if root.name() != "sbml" {
            return Err(IoError::Format { place: place(), expected: "SBML" });
        }
        if !root.node.tag_name().namespace().is_some_and(|namespace| CORE.contains(&namespace)) {
            return Err(place().unsupported("this level of SBML", "Level 3, versions 1 and 2"));
        }
        let needed = |attribute: &roxmltree::Attribute<'_, '_>| {
            attribute.name() == "required" && attribute.namespace().is_some() && matches!(attribute.value().trim(), "true" | "1")
        };
        if root.node.attributes().any(|attribute| needed(&attribute)) {
            return Err(place().unsupported("a package that the file needs", READ));
        }
        let model = root.child("model").ok_or_else(|| IoError::Empty { place: place(), what: "is no model" })?;
        for (list, what) in [("listOfConstraints", "a constraint")] {
            if let Some(first) = model.list(list).first() {
                return Err(first.place(list).unsupported(what, READ));
            }
        }
        let id = model.text("id").or(model.text("metaid")).unwrap_or("sbml");
        let title = model.text("name").unwrap_or(id);
        let source = Source::Assumed("a file of SBML".into());
        let time_unit = Unit::parse("d").map_err(|error| place().invalid(error.to_string()))?;
        Ok(Self {
            model,
            functions: Functions::new(model, limits)?,
            units: Units::new(model)?,
            symbols: BTreeMap::new(),
            order: Vec::new(),
            initial: BTreeMap::new(),
            assigned: BTreeMap::new(),
            rates: BTreeMap::new(),
            turnover: BTreeMap::new(),
            changed: BTreeSet::new(),
            equations: Equations::new(id, title, source, time_unit),
        })
    }

    pub(super) fn finish(mut self, time_unit: Option<&Unit>) -> Result<Sbml, IoError> {
        self.equations.time_unit = self.time(time_unit)?;
        self.declare()?;
        self.definitions()?;
        self.reactions()?;
        for event in self.model.list("listOfEvents") {
            for assignment in event.list("listOfEventAssignments") {
                let target = assignment.symbol("variable")?;
                self.known(assignment, "variable", target)?;
                if self.assigned.contains_key(target) {
                    return Err(assignment.place("variable").invalid("is set by a rule and by an event"));
                }
                self.changed.insert(target.to_owned());
            }
        }
        for symbol in self.order.clone() {
            self.represent(&symbol)?;
        }
        for (index, event) in self.model.list("listOfEvents").into_iter().enumerate() {
            let event = self.event(event, index)?;
            self.equations.events.push(event);
        }
        self.show()?;
        self.check()?;
        let kinds = self.symbols.iter().filter_map(|(id, symbol)| Some((id, symbol.species.as_ref()?)));
        let species = kinds
            .map(|(id, kind)| Species {
                id: id.clone(),
                compartment: kind.compartment.clone(),
                is_concentration: kind.is_concentration,
            })
            .collect();
        Ok(Sbml { equations: self.equations, species })
    }

    fn time(&self, otherwise: Option<&Unit>) -> Result<Unit, IoError> {
        let place = || self.model.place("timeUnits");
        let Some(symbol) = self.model.text("timeUnits") else {
            return otherwise.cloned().ok_or_else(|| place().invalid("the file states no unit of time: name the one it means"));
        };
        let day = Unit::parse("d").map_err(|error| place().invalid(error.to_string()))?;
        let unit = Unit::parse(&self.units.code(Some(symbol))).ok().filter(|unit| unit.is_commensurable_with(&day));
        match (unit, otherwise) {
            (Some(unit), _) => Ok(unit),
            // Time without dimension: how long a unit of it is, the file does not say.
            (None, Some(otherwise)) => Ok(otherwise.clone()),
            (None, None) => Err(place().invalid("the unit of time is no time: name the one it means")),
        }
    }

    /// Compartments, species, parameters and named references to species.
    fn declare(&mut self) -> Result<(), IoError> {
        let sizes = ["", "lengthUnits", "areaUnits", "volumeUnits"];
        for element in self.model.list("listOfCompartments") {
            let dimensions = element.number("spatialDimensions")?.unwrap_or(3.0);
            let default = sizes.get(dimensions as usize).and_then(|attribute| self.model.text(attribute));
            let unit = self.units.code(element.text("units").or(default));
            self.add(element, unit, None)?;
        }
        for element in self.model.list("listOfSpecies") {
            let compartment = element.symbol("compartment")?;
            let Some(held_in) = self.symbols.get(compartment).filter(|symbol| symbol.element.name() == "compartment") else {
                return Err(element.place("compartment").invalid("must be a compartment"));
            };
            let dimensions = held_in.element.number("spatialDimensions")?;
            let is_concentration =
                !element.flag("hasOnlySubstanceUnits", false)? && !dimensions.is_some_and(|dimensions| dimensions == 0.0);
            let amount = self.units.code(element.text("substanceUnits").or(self.model.text("substanceUnits")));
            let unit = if is_concentration { unit::ratio(&amount, &held_in.unit) } else { amount };
            let kind = Kind { compartment: compartment.to_owned(), is_concentration, by_amount: false };
            self.add(element, unit, Some(kind))?;
        }
        for element in self.model.list("listOfParameters") {
            let unit = self.units.code(element.text("units"));
            self.add(element, unit, None)?;
        }
        for reaction in self.model.list("listOfReactions") {
            for list in ["listOfReactants", "listOfProducts"] {
                for element in reaction.list(list).into_iter().filter(|element| element.text("id").is_some()) {
                    self.add(element, "1".to_owned(), None)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, element: Element<'a>, unit: String, species: Option<Kind>) -> Result<(), IoError> {
        let id = element.symbol("id")?;
        if self.symbols.insert(id.to_owned(), Symbol { element, unit, species }).is_some() {
            return Err(element.place("id").invalid("is given twice"));
        }
        self.order.push(id.to_owned());
        Ok(())
    }

    fn known(&self, of: Element<'_>, attribute: &str, symbol: &str) -> Result<(), IoError> {
        if self.symbols.contains_key(symbol) {
            Ok(())
        } else {
            Err(of.place(attribute).invalid("names a symbol that is not there"))
        }
    }

    /// Initial assignments and rules.
    fn definitions(&mut self) -> Result<(), IoError> {
        for element in self.model.list("listOfInitialAssignments") {
            let symbol = element.symbol("symbol")?;
            self.known(element, "symbol", symbol)?;
            if self.initial.insert(symbol.to_owned(), self.functions.math(element)?).is_some() {
                return Err(element.place("symbol").invalid("is given twice"));
            }
        }
        for element in self.model.list("listOfRules") {
            if element.name() == "algebraicRule" {
                return Err(element.place("math").unsupported("an algebraic rule", READ));
            }
            let symbol = element.symbol("variable")?;
            self.known(element, "variable", symbol)?;
            let taken = self.assigned.contains_key(symbol) || self.rates.contains_key(symbol);
            if taken || (element.name() == "assignmentRule" && self.initial.contains_key(symbol)) {
                return Err(element.place("variable").invalid("is defined twice"));
            }
            let math = self.functions.math(element)?;
            let rules = if element.name() == "assignmentRule" { &mut self.assigned } else { &mut self.rates };
            rules.insert(symbol.to_owned(), math);
        }
        Ok(())
    }

    fn reactions(&mut self) -> Result<(), IoError> {
        for reaction in self.model.list("listOfReactions") {
            let id = reaction.symbol("id")?;
            if self.symbols.contains_key(id) || self.equations.assignments.iter().any(|assignment| assignment.name == id) {
                return Err(reaction.place("id").invalid("is given twice"));
            }
            if reaction.flag("fast", false)? {
                return Err(reaction.place("fast").unsupported("a fast reaction", READ));
            }
            let law = reaction.child("kineticLaw");
            let law = law.ok_or_else(|| reaction.place("kineticLaw").unsupported("a reaction without a kinetic law", READ))?;
            let mut local = BTreeMap::new();
            for parameter in law.list("listOfLocalParameters") {
                let (name, scoped) = (parameter.symbol("id")?, format!("{id}.{}", parameter.symbol("id")?));
                let value = parameter.value("value")?.ok_or_else(|| parameter.place("value").invalid("has no value"))?;
                if local.insert(name, Expression::name(&scoped)).is_some() {
                    return Err(parameter.place("id").invalid("is given twice"));
                }
                let unit = self.units.code(parameter.text("units"));
                self.equations.constant(&scoped, &unit, value);
            }
            let rate = self.functions.math(law)?.replace(&|name| local.get(name).cloned());
            self.equations.assignment(id, rate.map_err(|_| law.place("math").over("levels of math", 0, "max_depth"))?);
            for (list, sign) in [("listOfReactants", -1.0), ("listOfProducts", 1.0)] {
                for reference in reaction.list(list) {
                    self.turn_over(reference, sign, id)?;
                }
            }
        }
        Ok(())
    }

    fn turn_over(&mut self, reference: Element<'a>, sign: f64, reaction: &str) -> Result<(), IoError> {
        let id = reference.symbol("species")?;
        let species = self.symbols.get(id).filter(|symbol| symbol.species.is_some());
        let species = species.ok_or_else(|| reference.place("species").invalid("must be a species"))?.element;
        if species.flag("boundaryCondition", false)? || species.flag("constant", false)? {
            return Ok(());
        }
        let stoichiometry = match (reference.text("id"), reference.value("stoichiometry")?) {
            (Some(symbol), _) => Expression::name(symbol),
            (None, Some(number)) => Expression::Number(number),
            (None, None) => return Err(reference.place("stoichiometry").invalid("has no value")),
        };
        let mut factors = vec![Expression::Number(sign), stoichiometry, Expression::name(reaction)];
        if let Some(factor) = species.text("conversionFactor").or(self.model.text("conversionFactor")) {
            self.known(species, "conversionFactor", factor)?;
            factors.push(Expression::name(factor));
        }
        let term = product(factors, reference)?;
        self.turnover.entry(id.to_owned()).or_default().push(term);
        Ok(())
    }

    /// Makes an observable of every symbol that has a value.
    fn show(&mut self) -> Result<(), IoError> {
        let (constants, states) = (&self.equations.constants, &self.equations.states);
        let has = |id: &str| {
            states.iter().any(|state| state.spec.name == id)
                || constants.iter().any(|constant| constant.name == id)
                || self.equations.assignments.iter().any(|assignment| assignment.name == id)
        };
        let shown: Vec<_> =
            self.order.iter().filter(|id| has(id)).filter_map(|id| Some((id.clone(), self.symbols.get(id)?.clone()))).collect();
        for (id, symbol) in shown {
            let observable =
                Observable::new(&id).map_err(|_| symbol.element.place("id").invalid("must be at most 64 characters"))?;
            self.equations.observe(observable, &symbol.unit, Expression::name(&id));
        }
        Ok(())
    }

    /// Everything that is used must have a value.
    fn check(&self) -> Result<(), IoError> {
        let equations = &self.equations;
        let names: BTreeSet<&str> = (equations.constants.iter().map(|constant| constant.name.as_ref()))
            .chain(equations.states.iter().map(|state| state.spec.name.as_ref()))
            .chain(equations.assignments.iter().map(|assignment| assignment.name.as_str()))
            .collect();
        let events = equations.events.iter().flat_map(|event| {
            let optional = event.delay.iter().chain(&event.priority);
            event.assignments.iter().map(|(_, value)| value).chain(optional).chain([&event.trigger])
        });
        let used = (equations.states.iter().flat_map(|state| [&state.initial, &state.rate]))
            .chain(equations.assignments.iter().map(|assignment| &assignment.value))
            .chain(events);
        for name in used.flat_map(Expression::names) {
            if !names.contains(name) {
                return Err(match self.symbols.get(name) {
                    Some(symbol) => no_value(symbol, "value"),
                    None => self.model.place("math").invalid("names a symbol that is not there"),
                });
            }
        }
        Ok(())
    }
}
