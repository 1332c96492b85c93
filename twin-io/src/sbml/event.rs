//! Events of SBML.

use super::attribute::Element;
use super::lower::{Lowering, built, product};
use crate::IoError;
use twin_models::equations::{Event, Expression, Function};

impl<'a> Lowering<'a> {
    pub(super) fn event(&self, of: Element<'a>, index: usize) -> Result<Event, IoError> {
        let trigger = of.child("trigger").ok_or_else(|| of.place("trigger").unsupported("an event without a trigger", "events"))?;
        let optional = |name: &str| of.child(name).map(|child| self.functions.math(child)).transpose();
        let mut given: Vec<(&str, Expression, Element<'a>)> = Vec::new();
        for element in of.list("listOfEventAssignments") {
            let target = element.symbol("variable")?;
            if given.iter().any(|(known, ..)| *known == target) {
                return Err(element.place("variable").invalid("is set twice by one event"));
            }
            given.push((target, self.functions.math(element)?, element));
        }
        // A size that the same event changes counts as it is afterwards.
        let size = |compartment: &str| {
            let changed = given.iter().find(|(target, ..)| *target == compartment);
            changed.map_or_else(|| Expression::name(compartment), |(_, value, _)| value.clone())
        };
        let mut assignments = Vec::new();
        for (target, value, element) in &given {
            let species = self.symbols.get(*target).and_then(|symbol| symbol.species.as_ref());
            assignments.push(match species.filter(|kind| kind.by_amount) {
                Some(kind) => (format!("{target}.amount"), product(vec![value.clone(), size(&kind.compartment)], *element)?),
                None => ((*target).to_owned(), value.clone()),
            });
        }
        // What has a concentration for a state keeps its amount when the size of its compartment jumps.
        for (id, symbol) in &self.symbols {
            let Some(kind) = symbol.species.as_ref().filter(|kind| kind.is_concentration && !kind.by_amount) else { continue };
            let is_state = self.equations.states.iter().any(|state| state.spec.name == id.as_str());
            let set = |name: &str| given.iter().any(|(target, ..)| *target == name);
            if is_state && set(&kind.compartment) && !set(id) {
                let amount = product(vec![Expression::name(id), Expression::name(&kind.compartment)], of)?;
                assignments.push((id.clone(), built(Function::Divide, vec![amount, size(&kind.compartment)], of)?));
            }
        }
        Ok(Event {
            name: of.text("id").map_or_else(|| format!("event {}", index + 1), str::to_owned),
            trigger: self.functions.math(trigger)?,
            true_before: trigger.flag("initialValue", true)?,
            persistent: trigger.flag("persistent", true)?,
            delay: optional("delay")?,
            priority: optional("priority")?,
            values_from_trigger: of.flag("useValuesFromTriggerTime", true)?,
            assignments,
        })
    }
}
