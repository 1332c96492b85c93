//! A question about treatment, as plain data.

use super::{Chance, Limits, Objective, Plan};
use crate::{Measurement, Trial};

/// Which of some plans is the most promising for a patient. Plain data: [`recommend`](super::recommend) answers it.
#[derive(Debug, Clone)]
pub struct Question {
    /// The patient and how the future is looked at: model, virtual twins (a cohort
    /// [`FromPosterior`](crate::FromPosterior)), how many at most, measurements, visits, horizon, seed. Its arms and endpoints are empty.
    pub setting: Trial,
    /// The standard of care, which every answer shows.
    pub standard: Plan,
    /// What else could be done.
    pub plans: Vec<Plan>,
    /// What no plan may do.
    pub limits: Limits,
    /// What is sought.
    pub objective: Objective,
    /// What must hold with a large enough probability.
    pub chances: Vec<Chance>,
    /// Further benefits and harms, for the reader to weigh.
    pub effects: Vec<Objective>,
    /// When an answer is called confident.
    pub confidence: Confidence,
    /// What could be measured before deciding.
    pub candidates: Vec<Candidate>,
    /// Reasons known beforehand why no answer can be confident: a posterior that failed its diagnosis, a patient unlike all those that the
    /// model was made from.
    pub reservations: Vec<String>,
}

/// When an answer is called confident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The least probability, from 0.5 to 1, that the plan is at least as good as the standard of care.
    pub better: f64,
    /// The expected regret, in the unit of the objective, that may be left by not knowing which plan is best.
    pub tolerated_regret: f64,
}

impl Confidence {
    /// Confident if the plan is at least as good as the standard with a probability of 0.8, and the expected regret is at most
    /// `tolerated_regret` in the unit of the objective. The 0.8 is a choice of this library.
    #[must_use]
    pub fn new(tolerated_regret: f64) -> Self {
        Self { better: 0.8, tolerated_regret }
    }
}

/// Something that could be measured before deciding, under the standard of care.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// What is measured, with its error.
    pub measurement: Measurement,
    /// The day, counted from now: 0 is before anything is done.
    pub day: f64,
}

impl Question {
    /// Whether anything serves `objective` better than `standard` does, in `setting`.
    #[must_use]
    pub fn new(setting: Trial, standard: Plan, objective: Objective, confidence: Confidence) -> Self {
        Self {
            setting,
            standard,
            plans: Vec::new(),
            limits: Limits::none(),
            objective,
            chances: Vec::new(),
            effects: Vec::new(),
            confidence,
            candidates: Vec::new(),
            reservations: Vec::new(),
        }
    }

    /// Adds plans.
    #[must_use]
    pub fn plans(mut self, plans: impl IntoIterator<Item = Plan>) -> Self {
        self.plans.extend(plans);
        self
    }

    /// Sets the hard limits.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds a chance constraint.
    #[must_use]
    pub fn chance(mut self, chance: Chance) -> Self {
        self.chances.push(chance);
        self
    }

    /// Adds a benefit or harm to be shown.
    #[must_use]
    pub fn effect(mut self, effect: Objective) -> Self {
        self.effects.push(effect);
        self
    }

    /// Adds something that could be measured first.
    #[must_use]
    pub fn candidate(mut self, name: impl Into<String>, measurement: Measurement, day: f64) -> Self {
        self.candidates.push(Candidate { name: name.into(), measurement, day });
        self
    }

    /// Adds a reason why no answer can be confident.
    #[must_use]
    pub fn reservation(mut self, reason: impl Into<String>) -> Self {
        self.reservations.push(reason.into());
        self
    }
}
