//! What acts on a course from outside: treatments as amounts and levels, and infusions under way.

use crate::{Exposure, Input, MAX_INPUTS, ModelSpec, Scalar, SimulationError};
use std::sync::Arc;
use twin_core::{CoreError, Time, Treatment, Unit};

/// An infusion under way: when it ends, which input it feeds, and at which rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ending {
    day: f64,
    input: usize,
    rate: f64,
}

/// How a treatment acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Acts {
    /// At once, with this amount in the unit of the specification.
    AtOnce(Input, f64),
    /// Through the levels, which may have changed.
    OverTime,
}

/// The levels of all inputs, and when they will change by themselves.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    units: Arc<[Option<Unit>]>,
    levels: [f64; MAX_INPUTS],
    /// Infusions under way, the first to end first.
    ending: Vec<Ending>,
}

impl Events {
    /// Nothing acts yet; `units` are those of the doses, in the order of the specification.
    pub(crate) fn new(units: Arc<[Option<Unit>]>) -> Self {
        Self { units, levels: [0.0; MAX_INPUTS], ending: Vec::new() }
    }

    /// The levels now.
    pub(crate) fn exposure<T: Scalar>(&self) -> Exposure<T> {
        Exposure { levels: self.levels.map(T::from) }
    }

    /// When the next infusion ends.
    pub(crate) fn next_end(&self) -> Option<f64> {
        self.ending.first().map(|ending| ending.day)
    }

    /// Ends the infusions that are due on `day`; whether there were any.
    pub(crate) fn end_due(&mut self, day: f64) -> bool {
        let mut ended = false;
        while let Some(&Ending { input, .. }) = self.ending.first().filter(|ending| ending.day <= day) {
            self.ending.remove(0);
            self.sum(input);
            ended = true;
        }
        ended
    }

    /// Sets the level of `input` to the sum of the rates at which it is fed. Summed anew each time: taking the rate of one that ends from
    /// the sum would leave its rounding behind.
    fn sum(&mut self, input: usize) {
        let rates = self.ending.iter().filter(|under_way| under_way.input == input).map(|under_way| under_way.rate);
        let sum = rates.sum();
        if let Some(level) = self.levels.get_mut(input) {
            *level = sum;
        }
    }

    /// Takes `treatment` in at `now`.
    ///
    /// # Errors
    /// [`SimulationError::UnsupportedTreatment`]; [`SimulationError::InvalidDose`] for a dose or a duration that cannot be taken.
    pub(crate) fn take(&mut self, spec: &ModelSpec, treatment: &Treatment, now: Time) -> Result<Acts, SimulationError> {
        let (place, amount) = self.resolve(spec, treatment, now)?;
        match treatment {
            Treatment::Continuous { .. } => {
                if let Some(level) = self.levels.get_mut(place) {
                    *level = amount;
                }
            }
            Treatment::Infusion { duration, .. } => {
                let (start, day) = (now.days(), now.days() + duration.days());
                // The rate belongs to the duration that the clock can represent, so that the whole dose goes in.
                let rate = amount / (day - start);
                if !(day > start && rate.is_finite()) {
                    let valid = "long enough for the clock to tell its end from its beginning (give a bolus instead)";
                    let source = CoreError::OutOfRange { what: "infusion duration in days", value: duration.days(), valid };
                    return Err(invalid(spec, treatment, now, source));
                }
                if rate > 0.0 {
                    let at = self.ending.partition_point(|other| other.day <= day);
                    self.ending.insert(at, Ending { day, input: place, rate });
                }
                self.sum(place);
            }
            _ => return Ok(Acts::AtOnce(Input(place), amount)),
        }
        Ok(Acts::OverTime)
    }

    /// The place of `treatment` in the specification, and its amount in the unit of the specification.
    fn resolve(&self, spec: &ModelSpec, treatment: &Treatment, now: Time) -> Result<(usize, f64), SimulationError> {
        let place = spec.place_of(treatment).ok_or_else(|| spec.refusal(treatment, now))?;
        let amount = match treatment {
            Treatment::Fraction(fraction) => fraction.dose.gray(),
            Treatment::Surgery { extent, .. } => extent.value(),
            Treatment::Continuous { intensity, .. } => intensity.value(),
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => {
                let unit = self.units.get(place).and_then(Option::as_ref).unwrap_or_else(|| dose.unit());
                dose.unit().convert(dose.value(), unit).map_err(|source| invalid(spec, treatment, now, source))?
            }
            _ => return Err(spec.refusal(treatment, now)),
        };
        if amount < 0.0 {
            let source = CoreError::OutOfRange { what: "dose", value: amount, valid: "0 or more" };
            return Err(invalid(spec, treatment, now, source));
        }
        Ok((place, amount))
    }
}

/// The error for a treatment whose dose or duration cannot be taken.
fn invalid(spec: &ModelSpec, treatment: &Treatment, at: Time, source: CoreError) -> SimulationError {
    SimulationError::InvalidDose { model: spec.id.clone(), treatment: treatment.to_string(), at, source }
}
