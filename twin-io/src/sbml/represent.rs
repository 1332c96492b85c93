//! Symbols of SBML as constants, states and assignments.

use super::lower::{Kind, Lowering, Symbol, built, product};
use super::unit;
use crate::IoError;
use twin_models::equations::{Expression, Function};

impl<'a> Lowering<'a> {
    /// Makes a constant, a state or an assignment of a symbol.
    pub(super) fn represent(&mut self, id: &str) -> Result<(), IoError> {
        let Some(symbol) = self.symbols.get(id).cloned() else { return Ok(()) };
        if let Some(value) = self.assigned.get(id) {
            if self.turnover.contains_key(id) {
                return Err(symbol.element.place("id").invalid("is set by a rule and by a reaction"));
            }
            self.equations.assignment(id, value.clone());
            return Ok(());
        }
        match &symbol.species {
            Some(kind) => self.represent_species(id, &symbol, kind),
            None => self.represent_value(id, &symbol),
        }
    }

    fn represent_value(&mut self, id: &str, symbol: &Symbol<'a>) -> Result<(), IoError> {
        let attribute = match symbol.element.name() {
            "compartment" => "size",
            "parameter" => "value",
            _ => "stoichiometry",
        };
        let value = symbol.element.number(attribute)?;
        let initial = self.initial.get(id).cloned();
        let rate = self.rates.get(id).cloned();
        if rate.is_none() && initial.is_none() && !self.changed.contains(id) {
            // A constant without a value may stand there as long as nothing uses it, which is checked at the end.
            if let Some(value) = value.filter(|value| value.is_finite()) {
                self.equations.constant(id, &symbol.unit, value);
            } else if let Some(not_finite) = value {
                self.equations.assignment(id, Expression::Number(not_finite));
            }
            return Ok(());
        }
        let initial = initial.or(value.map(Expression::Number)).ok_or_else(|| no_value(symbol, attribute))?;
        self.equations.state(id, &symbol.unit, initial, rate.unwrap_or(Expression::Number(0.0)));
        Ok(())
    }

    fn represent_species(&mut self, id: &str, symbol: &Symbol<'a>, kind: &Kind) -> Result<(), IoError> {
        let at = symbol.element;
        let size = || Expression::name(&kind.compartment);
        let (amount, concentration) = (at.value("initialAmount")?, at.value("initialConcentration")?);
        // The value of the symbol at the start.
        let constant = format!("{id}.initial");
        let mut initial = self.initial.get(id).cloned();
        let mut is_amount = !kind.is_concentration;
        if initial.is_none() {
            let Some(value) = amount.or(concentration) else {
                return if self.turnover.contains_key(id) || self.rates.contains_key(id) || self.changed.contains(id) {
                    Err(no_value(symbol, "initialAmount"))
                } else {
                    Ok(()) // as above
                };
            };
            is_amount = amount.is_some();
            let unit = if is_amount == kind.is_concentration { unit::UNKNOWN } else { &symbol.unit };
            self.equations.constant(&constant, unit, value);
            initial = Some(Expression::name(&constant));
        }
        let initial = initial.ok_or_else(|| no_value(symbol, "initialAmount"))?;
        let as_amount = |value| if is_amount { Ok(value) } else { product(vec![value, size()], at) };
        let as_concentration = |value| if is_amount { built(Function::Divide, vec![value, size()], at) } else { Ok(value) };
        if let Some(rate) = self.rates.get(id).cloned() {
            if self.turnover.contains_key(id) {
                return Err(at.place("id").invalid("is set by a rule and by a reaction"));
            }
            let initial = if kind.is_concentration { as_concentration(initial)? } else { as_amount(initial)? };
            self.equations.state(id, &symbol.unit, initial, rate);
            return Ok(());
        }
        let rate = built(Function::Add, self.turnover.remove(id).unwrap_or_default(), at)?;
        if !kind.is_concentration {
            self.equations.state(id, &symbol.unit, as_amount(initial)?, rate);
            return Ok(());
        }
        let state = format!("{id}.amount");
        let unit = self.units.code(at.text("substanceUnits").or(self.model.text("substanceUnits")));
        self.equations.state(&state, &unit, as_amount(initial)?, rate);
        self.equations.assignment(id, built(Function::Divide, vec![Expression::name(&state), size()], at)?);
        if let Some(kind) = self.symbols.get_mut(id).and_then(|symbol| symbol.species.as_mut()) {
            kind.by_amount = true;
        }
        Ok(())
    }
}

pub(super) fn no_value(symbol: &Symbol<'_>, attribute: &str) -> IoError {
    symbol.element.place(attribute).invalid("is used but has no value: neither its own, nor by a rule or an initial assignment")
}
