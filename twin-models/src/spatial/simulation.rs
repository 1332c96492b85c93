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
use twin_core::{CoreError, Observable, ScalarField, Span, Time, Treatment, Unit};

/// The cells at one moment: what the field is after the flow that is still to be applied.
#[derive(Debug, Clone)]
struct Moment<T> {
    cells: Cells<T>,
    pending: [f64; 2],
}

/// One course of a [`ReactionDiffusion`](super::ReactionDiffusion) model.
///
/// It stands at the end of its last whole step; a look in between takes a shorter step on a copy, so that looks change nothing.
#[derive(Debug)]
pub struct Course<L, T = f64> {
    prepared: Arc<Prepared<T>>,
    values: Values<L>,
    start: Time,
    now: Time,
    /// Where the last step ended, in days from the start.
    at: f64,
    /// Steps end at whole multiples of the longest one from here.
    anchor: f64,
    steps: f64,
    moment: Moment<T>,
    /// The cells now, unless the last step ended now.
    between: Option<Moment<T>>,
    neglected: f64,
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
        let settings = &prepared.settings;
        let cells = Cells::new(Arc::clone(&prepared.lattice), prepared.initial.clone(), settings.active_above, settings.method);
        let moment = Moment { cells, pending: L::IDENTITY };
        Self {
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

    /// How many times the diffusion operator has been applied to the active voxels.
    #[must_use]
    pub fn sweeps(&self) -> usize {
        self.moment.cells.sweeps
    }

    /// How many voxels are active.
    #[must_use]
    pub fn active_voxels(&self) -> usize {
        self.moment.cells.active.voxels
    }

    /// A bound, to first order, on the share of the cells that was neglected outside the active region, grown to now.
    ///
    /// It is infinite under [`GompertzGrowth`](super::GompertzGrowth) as soon as anything is neglected: the fewer cells there are, the faster
    /// they grow, so nothing bounds what a neglected one would have become. Set [`Settings::active_above`](super::Settings) to 0 there to
    /// neglect nothing.
    #[must_use]
    pub fn neglected(&self) -> f64 {
        let moment = self.between.as_ref().unwrap_or(&self.moment);
        let cells = moment.cells.operator().sum(&moment.cells.field.values, |_, value| value.to_f64());
        let days = (self.now - self.start).days() - self.at;
        if cells > 0.0 { self.neglected_after(moment, days) / cells } else { 0.0 }
    }

    /// The cellularity in every voxel of the grid.
    #[must_use]
    pub fn cellularity(&self) -> Vec<f64> {
        let lattice = &self.prepared.lattice;
        let (moment, flow) = self.current();
        let mut of_box = vec![T::ZERO; lattice.len()];
        for run in &lattice.runs {
            let at = run.start..run.start + run.len;
            let values = moment.cells.field.values.get(at.clone()).unwrap_or_default();
            let places = of_box.get_mut(at).unwrap_or_default();
            places.iter_mut().zip(values).for_each(|(place, value)| *place = L::apply(flow, *value));
        }
        let mut field = vec![0.0; self.prepared.anatomy.grid().voxels()];
        lattice.scatter(&of_box, &mut field);
        field
    }

    pub(super) fn prepared(&self) -> &Arc<Prepared<T>> {
        &self.prepared
    }

    /// Whether there is an amount of each drug, which is eliminated.
    pub(super) fn is_eliminated(&self) -> Vec<bool> {
        self.prepared.spec.treatments.iter().skip(2).map(|known| known.kind != crate::TreatmentKind::Continuous).collect()
    }

    fn current(&self) -> (&Moment<T>, [T; 2]) {
        let moment = self.between.as_ref().unwrap_or(&self.moment);
        (moment, moment.pending.map(T::from_f64))
    }

    /// One step of `days` from the end of the last one.
    fn step(values: &Values<L>, moment: &mut Moment<T>, days: f64) -> Result<(), Trouble> {
        let half = 0.5 * days;
        let first = L::flow(&values.of_law, &Kill { drugs: &values.drugs, from: 0.0 }, half);
        let flow = L::then(moment.pending, first).map(T::from_f64);
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
    fn grown(&self, neglected: f64, days: f64) -> f64 {
        if neglected > 0.0 && days > 0.0 { neglected * (self.values.law.fastest() * days).exp() } else { neglected }
    }

    /// What was neglected until `moment`, a step of `days` after the last one.
    fn neglected_after(&self, moment: &Moment<T>, days: f64) -> f64 {
        let more = moment.cells.neglected - self.moment.cells.neglected;
        self.grown(self.neglected, days) + more
    }

    /// The drugs `days` after the end of the last step.
    fn clear(&mut self, days: f64) {
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
                    self.survive(survival(amount), prepared.dose.as_deref(), |relative| survival(relative * amount));
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
        let (settings, volume) = (&self.prepared.settings, self.prepared.anatomy.grid().voxel_volume_mm3());
        let (moment, flow) = self.current();
        let (mut cells, mut visible, mut enhancing) = (0.0, 0_usize, 0_usize);
        for run in &self.prepared.lattice.runs {
            for value in moment.cells.field.values.get(run.start..run.start + run.len).unwrap_or_default() {
                let cellularity = L::apply(flow, *value).to_f64();
                cells += cellularity;
                visible += usize::from(cellularity > settings.visible_on_flair);
                enhancing += usize::from(cellularity > settings.visible_on_t1_gd);
            }
        }
        let values = [cells * volume * settings.cells_per_mm3, visible as f64 * volume, enhancing as f64 * volume];
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

impl<L: Law, T: Real> Fields for Course<L, T> {
    fn observe_field(&self, observable: &Observable) -> Option<ScalarField> {
        if *observable != Observable::CELLULARITY {
            return None;
        }
        ScalarField::on(self.prepared.anatomy.grid().clone(), Unit::dimensionless(), self.cellularity()).ok()
    }
}
