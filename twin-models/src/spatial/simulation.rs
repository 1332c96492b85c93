//! One course of a spatial model.

use super::cells::{Cells, MOST, Trouble};
use super::drug::Kill;
use super::growth::Law;
use super::infusion::Infusions;
use super::number::Real;
use super::reaction_diffusion::{Prepared, Radiation};
use super::values::Values;
use crate::{Fields, Simulation, SimulationError};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{CoreError, Span, Time, Treatment};

/// The cells at one moment: what the field is after the flow that is still to be applied.
#[derive(Debug, Clone)]
pub(super) struct Moment<T> {
    pub(super) cells: Cells<T>,
    pub(super) pending: [f64; 2],
    /// What the errors of the steps come to at most, before the flow that is still to be applied, if steps adapt: a sum over voxels of
    /// squares, and its root.
    pub(super) error: f64,
}

/// One course of a [`ReactionDiffusion`](super::ReactionDiffusion) model.
///
/// It stands at the end of its last whole step; a look in between takes a shorter step on a copy, so that looks change nothing.
#[derive(Debug)]
pub struct Course<L, T = f64> {
    pub(super) prepared: Arc<Prepared<T>>,
    pub(super) values: Values<L>,
    pub(super) start: Time,
    pub(super) now: Time,
    /// Where the last step ended, in days from the start.
    pub(super) at: f64,
    /// Steps end at whole multiples of the longest one from here.
    anchor: f64,
    steps: f64,
    /// How long the next step is to be, if steps adapt.
    pub(super) pace: f64,
    pub(super) moment: Moment<T>,
    /// The cells now, unless the last step ended now.
    pub(super) between: Option<Moment<T>>,
    pub(super) neglected: f64,
    infusions: Infusions,
}

impl<L: Clone, T: Real> Clone for Course<L, T> {
    fn clone(&self) -> Self {
        Self {
            prepared: Arc::clone(&self.prepared),
            values: self.values.clone(),
            moment: self.moment.clone(),
            between: self.between.clone(),
            infusions: self.infusions.clone(),
            ..*self
        }
    }
}

impl<L: Law, T: Real> Course<L, T> {
    pub(super) fn new(prepared: Arc<Prepared<T>>, values: Values<L>, start: Time) -> Self {
        let settings = prepared.settings.clone();
        // What is neglected is counted in voxels of one volume; of shells nothing is.
        let threshold = if prepared.anatomy.is_of_shells() { 0.0 } else { settings.active_above };
        let cells = Cells::new(Arc::clone(&prepared.lattice), prepared.initial.spread(), threshold, settings.method);
        let moment = Moment { cells, pending: L::IDENTITY, error: 0.0 };
        Self {
            pace: settings.longest_step.days(),
            prepared,
            values,
            start,
            now: start,
            at: 0.0,
            anchor: 0.0,
            steps: 0.0,
            moment,
            between: None,
            neglected: 0.0,
            infusions: Infusions::default(),
        }
    }

    pub(super) fn prepared(&self) -> &Arc<Prepared<T>> {
        &self.prepared
    }

    /// Whether there is an amount of each drug, which is eliminated.
    pub(super) fn is_eliminated(&self) -> Vec<bool> {
        self.prepared.spec.treatments.iter().skip(2).map(|known| known.kind != crate::TreatmentKind::Continuous).collect()
    }

    pub(super) fn current(&self) -> (&Moment<T>, [T; 2]) {
        let moment = self.between.as_ref().unwrap_or(&self.moment);
        (moment, moment.pending.map(T::from_f64))
    }

    /// One step of `days` from the end of the last one.
    pub(super) fn step(values: &Values<L>, moment: &mut Moment<T>, days: f64) -> Result<(), Trouble> {
        let half = 0.5 * days;
        let first = L::flow(&values.of_law, &Kill { drugs: &values.drugs, from: 0.0 }, half);
        let flow = L::then(moment.pending, first);
        if moment.error > 0.0 {
            // Diffusion carries nothing apart.
            moment.error *= L::widening(flow);
        }
        let flow = flow.map(T::from_f64);
        moment.cells.each(|value| L::apply(flow, value));
        moment.pending = L::IDENTITY;
        moment.cells.diffuse(days * values.diffusivity)?;
        moment.pending = L::flow(&values.of_law, &Kill { drugs: &values.drugs, from: half }, half);
        Ok(())
    }

    pub(super) fn failure(&self, trouble: Trouble) -> SimulationError {
        Self::trouble(&self.prepared, self.start + Span::from_days(self.at).unwrap_or(Span::ZERO), trouble)
    }

    /// What `trouble` at a time is called.
    pub(super) fn trouble(prepared: &Prepared<T>, at: Time, trouble: Trouble) -> SimulationError {
        let (model, state, day) = (prepared.spec.id.clone(), "cellularity".to_owned(), at.days());
        match trouble {
            Trouble::NotFinite => SimulationError::NotFinite { model, state, value: f64::NAN, day },
            Trouble::TooMany => SimulationError::TooManySteps { model, limit: MOST, day },
            Trouble::Negative(value) => SimulationError::OutOfBounds { model, state, value, low: 0.0, high: f64::INFINITY, day },
        }
    }

    /// What was neglected, grown over `days`.
    pub(super) fn grown(&self, neglected: f64, days: f64) -> f64 {
        if neglected > 0.0 && days > 0.0 { neglected * (self.values.law.fastest() * days).exp() } else { neglected }
    }

    /// What was neglected until `moment`, a step of `days` after the last one.
    pub(super) fn neglected_after(&self, moment: &Moment<T>, days: f64) -> f64 {
        let more = moment.cells.neglected - self.moment.cells.neglected;
        self.grown(self.neglected, days) + more
    }

    /// The drugs `days` after the end of the last step.
    pub(super) fn clear(&mut self, days: f64) {
        self.values.drugs.iter_mut().for_each(|drug| drug.amount = drug.amount_after(days));
    }

    fn go(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.now {
            let model = self.prepared.spec.id.clone();
            return Err(SimulationError::Backward { model, now: self.now, to });
        }
        let target = (to - self.start).days();
        while let Some((end, drug)) = self.infusions.next_to_end(target) {
            self.step_to(end)?;
            self.settle_at(end);
            let rate = self.infusions.end_first(drug);
            if let Some(drug) = self.values.drugs.get_mut(drug) {
                drug.rate = rate;
            }
        }
        self.step_to(target)?;
        self.now = to;
        // Diffusion finds what is not finite, but after the last one there was growth, and without movement there is none.
        let (moment, flow) = self.current();
        let cells = moment.cells.operator().sum(&moment.cells.field.values, |_, value| L::apply(flow, value).to_f64());
        if cells.is_finite() { Ok(()) } else { Err(self.failure(Trouble::NotFinite)) }
    }

    /// Takes all whole steps up to `target`, and the rest of the way on a copy.
    fn step_to(&mut self, target: f64) -> Result<(), SimulationError> {
        if let Some(tolerated) = self.prepared.settings.error_per_step {
            return self.step_adaptively(target, tolerated).map_err(|trouble| self.failure(trouble));
        }
        let longest = self.prepared.settings.longest_step.days();
        if (target - self.at) / longest > MOST as f64 {
            return Err(self.failure(Trouble::TooMany));
        }
        let mut next = self.anchor + (self.steps + 1.0) * longest;
        while next <= target {
            let days = next - self.at;
            let before = self.moment.cells.neglected;
            Self::step(&self.values, &mut self.moment, days).map_err(|trouble| self.failure(trouble))?;
            self.neglected = self.grown(self.neglected, days) + self.moment.cells.neglected - before;
            self.clear(days);
            self.at = next;
            self.steps += 1.0;
            next = self.anchor + (self.steps + 1.0) * longest;
        }
        self.between = None;
        if target > self.at {
            let mut moment = self.moment.clone();
            Self::step(&self.values, &mut moment, target - self.at).map_err(|trouble| self.failure(trouble))?;
            self.between = Some(moment);
        }
        Ok(())
    }

    /// Ends the last step now, so that what is done now has the field to work on.
    fn settle(&mut self) {
        self.settle_at((self.now - self.start).days());
    }

    fn settle_at(&mut self, target: f64) {
        if let Some(moment) = self.between.take() {
            self.neglected = self.neglected_after(&moment, target - self.at);
            self.moment = moment;
            self.clear(target - self.at);
            self.at = target;
        }
        self.anchor = self.at;
        self.steps = 0.0;
    }

    /// Which treatment of the specification it is, and how much of it.
    pub(super) fn resolve(&self, treatment: &Treatment) -> Result<(usize, f64), SimulationError> {
        let spec = &self.prepared.spec;
        let place = spec.place_of(treatment).ok_or_else(|| spec.refusal(treatment, self.now))?;
        let amount = match treatment {
            Treatment::Fraction(fraction) => fraction.dose.gray(),
            Treatment::Continuous { intensity, .. } => intensity.value(),
            Treatment::Surgery { extent, .. } => extent.value(),
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } => {
                let unit = self.prepared.units.get(place).and_then(Option::as_ref).unwrap_or_else(|| dose.unit());
                dose.unit().convert(dose.value(), unit).map_err(|source| self.invalid(treatment, source))?
            }
            _ => return Err(spec.refusal(treatment, self.now)),
        };
        if amount < 0.0 {
            return Err(self.invalid(treatment, CoreError::OutOfRange { what: "dose", value: amount, valid: "0 or more" }));
        }
        Ok((place, amount))
    }

    fn invalid(&self, treatment: &Treatment, source: CoreError) -> SimulationError {
        let model = self.prepared.spec.id.clone();
        SimulationError::InvalidDose { model, treatment: treatment.to_string(), at: self.now, source }
    }

    /// What is left of the cells, by voxel of the box or everywhere alike.
    fn survive(&mut self, everywhere: f64, map: Option<&[T]>, share: impl Fn(f64) -> f64 + Send + Sync) {
        self.settle();
        let Some(map) = map else {
            self.moment.pending = L::survived(self.moment.pending, everywhere);
            return;
        };
        if self.moment.error > 0.0 {
            self.moment.error *= L::widening(self.moment.pending);
        }
        let flow = self.moment.pending.map(T::from_f64);
        self.moment.pending = L::IDENTITY;
        self.moment.cells.each_with(map, |value, at| L::apply(flow, value) * T::from_f64(share(at.to_f64())));
    }

    fn give(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        let (place, amount) = self.resolve(treatment)?;
        let prepared = Arc::clone(&self.prepared);
        match treatment {
            Treatment::Fraction(_) => {
                let Radiation { radiosensitivity: alpha, alpha_beta_ratio: ratio } = self.values.radiation;
                let survival = move |gray: f64| (-alpha * gray * (1.0 + gray / ratio)).exp();
                if alpha * amount > 0.0 {
                    let by_oxygen = self.dose_by_oxygen()?;
                    let map = by_oxygen.as_deref().or(prepared.dose.as_deref());
                    self.survive(survival(amount), map, |relative| survival(relative * amount));
                }
            }
            Treatment::Surgery { .. } => {
                if amount > 0.0 {
                    self.survive(1.0 - amount, prepared.cavity.as_deref(), |inside| 1.0 - amount * inside);
                }
            }
            _ => {
                // Fractions and surgery come first in the specification, then one treatment for each drug.
                let drug = place.checked_sub(2).and_then(|drug| self.values.drugs.get(drug)).copied();
                let Some(mut drug) = drug else { return Err(prepared.spec.refusal(treatment, self.now)) };
                if let Treatment::Infusion { duration, .. } = treatment {
                    if amount > 0.0 {
                        self.settle();
                        let end = (self.now - self.start).days() + duration.days();
                        let rate = self.infusions.begin(end, place - 2, amount / duration.days());
                        if let Some(drug) = self.values.drugs.get_mut(place - 2) {
                            drug.rate = rate;
                        }
                    }
                    return Ok(());
                }
                let bolus = matches!(treatment, Treatment::Bolus { .. });
                let changes = if bolus { amount > 0.0 } else { amount.to_bits() != drug.level.to_bits() };
                if changes {
                    self.settle();
                    if let Some(place) = self.values.drugs.get_mut(place - 2) {
                        drug = *place;
                        let (amount_before, level_before) = (drug.amount, drug.level);
                        drug.amount = if bolus { amount_before + amount } else { amount_before };
                        drug.level = if bolus { level_before } else { amount };
                        *place = drug;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<L: Law, T: Real> Simulation for Course<L, T> {
    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        self.go(to)
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        self.give(treatment)
    }

    fn observe(&self, y: &mut [f64]) {
        let (settings, anatomy) = (&self.prepared.settings, &self.prepared.anatomy);
        let (moment, flow) = self.current();
        let (mut cells, mut visible, mut enhancing) = (0.0, 0.0, 0.0);
        for run in &moment.cells.active.runs {
            // Sums of shares of one volume where that is the same everywhere.
            let from = self.prepared.lattice.of_grid(run.start);
            let share = |q: usize| if anatomy.is_of_shells() { anatomy.volume_mm3(from + q) } else { 1.0 };
            for (q, value) in moment.cells.field.values.get(run.start..run.start + run.len).unwrap_or_default().iter().enumerate() {
                let (cellularity, share) = (L::apply(flow, *value).to_f64(), share(q));
                cells += cellularity * share;
                visible += if cellularity > settings.visible_on_flair { share } else { 0.0 };
                enhancing += if cellularity > settings.visible_on_t1_gd { share } else { 0.0 };
            }
        }
        let volume = if anatomy.is_of_shells() { 1.0 } else { anatomy.grid().voxel_volume_mm3() };
        let values = [cells * volume * settings.cells_per_mm3, visible * volume, enhancing * volume];
        y.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        let inside = self.prepared.anatomy.region().inside();
        let of_region =
            |field: Vec<f64>| field.into_iter().zip(inside).filter(|(_, inside)| **inside).map(|(value, _)| value).collect();
        self.prepared.offers_voxels.then(|| Cow::Owned(of_region(self.cellularity())))
    }

    fn fields(&self) -> Option<&dyn Fields> {
        Some(self)
    }
}
