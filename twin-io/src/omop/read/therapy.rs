//! Drugs and procedures.

use super::{Reader, later};
use crate::IoError;
use crate::omop::row::Row;
use std::collections::{BTreeMap, HashMap};
use twin_core::*;

/// A number that says more of a procedure.
pub(super) struct Modifier {
    /// Its code in the vocabulary of this project.
    pub(super) name: String,
    pub(super) quantity: Quantity,
    pub(super) path: String,
}

impl Reader<'_> {
    /// Doses, and continuous therapy over the union of the exposures of each agent.
    pub(super) fn drugs(&mut self, rows: &[Row<'_>]) -> Result<(), IoError> {
        let mut continuous: BTreeMap<Agent, Vec<(Time, Option<Time>, String)>> = BTreeMap::new();
        for row in rows {
            self.others(row);
            let Some(concept) = self.concept(row, "drug_concept_id")? else {
                self.leave_out_row(row, "the concept is 0 or not in the table of concepts");
                continue;
            };
            let Ok(agent) = Agent::new(&concept.name.to_lowercase()) else {
                self.leave_out_row(
                    row,
                    "the name of the concept is not the name of an agent: 1 to 64 letters, digits, `_`, `-`, `.` or spaces",
                );
                continue;
            };
            let (first, last) = ("drug_exposure_start_date", "drug_exposure_end_date");
            let origin = self.identity.origin;
            let start = row.time(first, "drug_exposure_start_datetime", origin)?;
            let start = start.ok_or_else(|| row.place(first).invalid("must not be empty"))?;
            // The last day is a day of the exposure, unless its end is stated to the second.
            let end = match (row.day(last, origin)?, row.text("drug_exposure_end_datetime")) {
                (_, Some(_)) => row.time(last, "drug_exposure_end_datetime", origin)?,
                (Some(day), None) => Some(later(day, 1.0, row, last)?),
                (None, None) => None,
            };
            if end.is_some_and(|end| end < start) {
                return Err(row.place(last).invalid("must not lie before the start"));
            }
            match (row.number("quantity")?, row.text("dose_unit_source_value")) {
                (Some(quantity), Some(unit)) => {
                    let dose = Quantity::new(quantity, unit.as_str());
                    let dose = dose.map_err(|_| row.place("dose_unit_source_value").invalid("the unit is not UCUM"))?;
                    self.dose(row, agent, dose, start, end)?;
                    continue;
                }
                (Some(_), None) => {
                    self.leave_out(
                        format!("{} quantity", row.path()),
                        row.table,
                        "a quantity without the unit of a dose: the exposure is carried over as continuous therapy",
                    );
                }
                _ => {}
            }
            continuous.entry(agent).or_default().push((start, end, row.path()));
        }
        continuous.into_iter().for_each(|(agent, exposures)| self.unite(&agent, exposures));
        Ok(())
    }

    /// Continuous therapy over the union of the exposures to an agent.
    fn unite(&mut self, agent: &Agent, mut exposures: Vec<(Time, Option<Time>, String)>) {
        exposures.sort_by_key(|(start, ..)| *start);
        let mut exposures = exposures.into_iter();
        let Some(mut present) = exposures.next() else { return };
        for next in exposures {
            match present.1 {
                Some(end) if end < next.0 => {
                    self.interval(agent, &present);
                    present = next;
                }
                // One without an end lasts.
                Some(end) => present.1 = next.1.map(|other| other.max(end)),
                None => {}
            }
        }
        self.interval(agent, &present);
    }

    fn interval(&mut self, agent: &Agent, (start, end, path): &(Time, Option<Time>, String)) {
        let provenance = Provenance::reported("drug_exposure").at(path.clone());
        let timeline = &mut self.record.patient.timeline;
        timeline.record(*start, Event::Treatment(Treatment::on(agent.clone())), provenance.clone());
        if let Some(end) = end {
            timeline.record(*end, Event::Treatment(Treatment::off(agent.clone())), provenance);
        }
    }

    fn dose(&mut self, row: &Row<'_>, agent: Agent, dose: Quantity, start: Time, end: Option<Time>) -> Result<(), IoError> {
        let route = self.concept(row, "route_concept_id")?.filter(|route| route.vocabulary == "SNOMED").map(|route| route.code);
        let is_timed = row.text("drug_exposure_end_datetime").is_some();
        let span = end.filter(|_| is_timed).map(|end| end.days() - start.days());
        let days = end.map_or(0.0, |end| end.days() - start.days());
        let treatment = match (route.as_deref(), span) {
            _ if days > 1.0 => {
                self.leave_out_row(row, "a dose spread over several days: state each day in a row of its own");
                return Ok(());
            }
            (Some("26643006"), _) => Treatment::oral(agent, dose),
            (Some("47625008"), Some(span)) if span > 0.0 => {
                Span::from_days(span).and_then(|span| Treatment::infusion(agent, dose, span))
            }
            (Some("47625008"), _) => Treatment::bolus(agent, dose),
            _ => {
                self.leave_out_row(row, "a dose needs an oral or intravenous route");
                return Ok(());
            }
        };
        let treatment = treatment.map_err(|_| row.place("quantity").invalid("a dose must be 0 or more"))?;
        self.record.patient.timeline.record(start, Event::Treatment(treatment), Self::provenance(row, Origin::Reported));
        Ok(())
    }

    pub(super) fn procedure(&mut self, row: &Row<'_>, modifiers: &mut HashMap<i64, Vec<Modifier>>) -> Result<(), IoError> {
        self.others(row);
        let own = row.integer("procedure_occurrence_id")?.and_then(|key| modifiers.remove(&key)).unwrap_or_default();
        let target = self.concept(row, "modifier_concept_id")?.and_then(|site| Target::new(&site.name.to_lowercase()).ok());
        let ([modifier], Some(target)) = (&own[..], target) else {
            self.leave_out_row(
                row,
                "a procedure needs a target and one measurement: the dose of a fraction or the extent of surgery",
            );
            return Ok(());
        };
        let time = row.time("procedure_date", "procedure_datetime", self.identity.origin)?;
        let time = time.ok_or_else(|| row.place("procedure_date").invalid("must not be empty"))?;
        let treatment = match modifier.name.as_str() {
            "fraction dose" => {
                modifier.quantity.value_in("Gy").and_then(AbsorbedDose::from_gray).map(|dose| Treatment::fraction(dose, target))
            }
            "surgery extent" => {
                modifier.quantity.value_in("1").and_then(Proportion::new).map(|extent| Treatment::surgery(target, extent))
            }
            _ => {
                self.leave_out_row(row, "of a procedure the dose of a fraction and the extent of surgery are read");
                return Ok(());
            }
        };
        let rule = "the measurement of the procedure must be a dose of 0 Gy or more, or an extent from 0 to 1";
        let treatment = treatment.map_err(|_| row.place("procedure_occurrence_id").invalid(rule))?;
        self.record.patient.timeline.record(time, Event::Treatment(treatment), Self::provenance(row, Origin::Reported));
        Ok(())
    }
}
