//! Conducting a trial: what a clinic would see of a trial in which every virtual patient lives through every arm.
//!
//! [`run`](crate::run) gives the outcome of each patient in each arm, so that arms can be compared in pairs. A [`Design`] looks at the same
//! report as a real trial would: patients enter one after the other, each is allocated to one arm, some drop out, and the data are analyzed
//! when enough events have happened. Its estimate can be held against the paired truth, and its power against that of theory.
//!
//! | question | answer |
//! |---|---|
//! | what would one trial of this design find? | [`Design::conduct`] |
//! | how often would it succeed, when, and with how many events? | [`Design::characteristics`] |
//! | in whom does it work? | [`Conducted::subgroups`] |
//! | which dose would an escalation choose, with toxicity by the model? | [`escalate`] |
//!
//! Visits that are missed or come early or late, and rescue after progression, change the courses themselves: see
//! [`Attendance`](crate::Attendance) and [`Crossover`](crate::Crossover).

mod analysis;
mod characteristics;
mod enrollment;
mod escalation;
mod subgroups;

pub use analysis::{Conducted, Look};
pub use characteristics::Characteristics;
pub use enrollment::{Accrual, Enrolled, Factor};
pub use escalation::{Escalated, escalate};
pub use subgroups::Subgroup;

use crate::design::{Allocation, GroupSequential};
use crate::{Outcome, Trial, TrialError, TrialReport};
use std::ops::Range;
use std::sync::Arc;
use twin_core::{Random, Span};
use twin_models::survival::Lifetime;

/// When a trial is analyzed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Stopping {
    /// Once, this long after the first patient could enter.
    At(Span),
    /// Once, with the event that completes this number.
    Events(usize),
    /// At each of these numbers of events, ascending, until the statistic of the log-rank test lies outside the boundary of that look.
    Looks {
        /// The boundaries, one for each look.
        boundaries: GroupSequential,
        /// The events at each look.
        events: Vec<usize>,
    },
}

/// A rule of allocation, made anew for each trial.
pub type Allocator = Arc<dyn Fn() -> Result<Box<dyn Allocation>, TrialError> + Send + Sync>;

/// A design: who enters when, goes to which arm, is seen for how long, and when the data are analyzed. The first arm of the trial is the
/// control.
///
/// ```
/// use std::sync::Arc;
/// use twin_core::{Agent, Observable, Random, Span};
/// use twin_models::{Model, clones};
/// use twin_trials::conduct::{Design, Stopping};
/// use twin_trials::design::PermutedBlocks;
/// use twin_trials::{Adaptive, Continuous, FromPrior, TimeToProgression, Trial, run};
/// # use twin_calibrate::{IndependentPrior, Marginal};
/// let drug = Agent::new("abiraterone")?;
/// let model = Arc::new(clones::sensitive_resistant(drug.clone()));
/// let prior = IndependentPrior::new([("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 1e-2 })])?;
/// let trial = Trial::new(model.clone(), FromPrior::new(model, Arc::new(prior)), 80)
///     .arm("continuous", Continuous { agent: drug.clone() })
///     .arm("adaptive", Adaptive::half(drug, Observable::PSA))
///     .measure(Observable::PSA)
///     .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
///     .visits(Span::from_weeks(4.0)?, Span::from_years(4.0)?);
/// let report = run(&trial)?; // every patient in both arms
/// let design = Design::new("time to progression", || Ok(Box::new(PermutedBlocks::new(&[1, 1], &[2])?)))
///     .recruiting(Span::from_years(1.0)?)
///     .stopping(Stopping::Events(40));
/// let found = design.conduct(&trial, &report, &Random::new(7))?; // every patient in one of them
/// assert_eq!(found.looks[0].events, 40);
/// assert!(found.hazard_ratio()?.ratio() < 1.0); // fewer progress under adaptive therapy
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Clone)]
pub struct Design {
    /// The endpoint that is analyzed: a time to an event.
    pub endpoint: String,
    /// The rule of allocation.
    pub allocation: Allocator,
    /// What allocation looks at, in the order of the rule's levels.
    pub factors: Vec<Factor>,
    /// How patients enter.
    pub accrual: Accrual,
    /// The law of the time in days after which a patient drops out; `None` if nobody does.
    pub dropout: Option<Lifetime>,
    /// When the data are analyzed.
    pub stopping: Stopping,
    /// The two-sided level of the test at a single look.
    pub alpha: f64,
    /// After how long without an event a patient counts as a success for a rule that learns; `None` if nothing is told to the rule.
    pub success_after: Option<Span>,
}

impl std::fmt::Debug for Design {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Design")
            .field("endpoint", &self.endpoint)
            .field("factors", &self.factors)
            .field("accrual", &self.accrual)
            .field("dropout", &self.dropout)
            .field("stopping", &self.stopping)
            .finish_non_exhaustive()
    }
}

impl Design {
    /// A design on `endpoint` with a rule of allocation: all patients enter at once, nobody drops out, one analysis after ten years at the
    /// two-sided level 0.05.
    #[must_use]
    pub fn new(
        endpoint: impl Into<String>,
        allocation: impl Fn() -> Result<Box<dyn Allocation>, TrialError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            endpoint: endpoint.into(),
            allocation: Arc::new(allocation),
            factors: Vec::new(),
            accrual: Accrual::Uniform(Span::ZERO),
            dropout: None,
            stopping: Stopping::At(Span::from_years(10.0).unwrap_or(Span::WEEK)),
            alpha: 0.05,
            success_after: None,
        }
    }

    /// Patients enter at random times within `span`.
    #[must_use]
    pub fn recruiting(mut self, span: Span) -> Self {
        self.accrual = Accrual::Uniform(span);
        self
    }

    /// The times in days after which patients drop out have this law.
    #[must_use]
    pub fn dropping_out(mut self, law: Lifetime) -> Self {
        self.dropout = Some(law);
        self
    }

    /// Allocation looks at the `parameter` of each patient, in levels between `cuts`.
    #[must_use]
    pub fn by(mut self, parameter: impl Into<String>, cuts: impl Into<Vec<f64>>) -> Self {
        self.factors.push(Factor { parameter: parameter.into(), cuts: cuts.into() });
        self
    }

    /// Sets when the data are analyzed.
    #[must_use]
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// Conducts one trial on all patients of `report`, which must be that of `trial`.
    ///
    /// Entries, allocation and dropout draw from streams 0, 1 and 2 of `random`.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`] for an endpoint that the trial does not have, [`TrialError::Simulation`] for a factor that is no parameter;
    /// [`TrialError::Design`] for an endpoint whose outcomes are not times, several looks at more than two arms, or looks that do not match
    /// their boundaries; [`TrialError::Count`] for a design that asks for more events than there are; what the rule of allocation and the
    /// log-rank test refuse.
    pub fn conduct(&self, trial: &Trial, report: &TrialReport, random: &Random) -> Result<Conducted, TrialError> {
        self.conduct_part(trial, report, 0..report.size, random)
    }

    fn conduct_part(
        &self,
        trial: &Trial,
        report: &TrialReport,
        patients: Range<usize>,
        random: &Random,
    ) -> Result<Conducted, TrialError> {
        let outcomes = self.outcomes(report)?;
        let enrollment = enrollment::enroll(self, trial, &outcomes, patients, random)?;
        analysis::analyze(self, report.arms.len(), enrollment)
    }

    /// The outcomes of the endpoint (arms × patients); `None` for a course that failed.
    fn outcomes(&self, report: &TrialReport) -> Result<Vec<Vec<Option<Outcome>>>, TrialError> {
        let known = || TrialError::UnknownName { name: self.endpoint.clone(), known: report.endpoints.clone() };
        let place = report.endpoints.iter().position(|name| *name == self.endpoint).ok_or_else(known)?;
        let of_arm = |arm: &crate::ArmReport| {
            arm.outcomes.iter().map(|outcomes| outcomes.as_ref().and_then(|outcomes| outcomes.get(place).copied())).collect()
        };
        Ok(report.arms.iter().map(of_arm).collect())
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests;
