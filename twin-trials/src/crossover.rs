//! Crossing over to another treatment after progression.

use crate::{Decision, History, Policy};
use std::sync::Arc;
use twin_core::{Observable, Time};

/// Progression as a policy may see it: the observed marker exceeds a multiple of its least value since the policy took over, at so many visits
/// in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What is watched, as the [`History`] shows it.
    pub marker: Observable,
    /// The multiple of the least value that must be exceeded.
    pub factor: f64,
    /// How many values in a row must exceed it.
    pub confirmations: usize,
}

impl Trigger {
    /// `marker` above `factor` times its least value, once.
    #[must_use]
    pub const fn new(marker: Observable, factor: f64) -> Self {
        Self { marker, factor, confirmations: 1 }
    }

    /// When it first holds among `values`, in order; the last of the values that confirm it counts.
    pub(crate) fn first(&self, values: impl Iterator<Item = (Time, f64)>) -> Option<Time> {
        let (mut nadir, mut run) = (f64::INFINITY, 0);
        for (time, value) in values {
            run = if value > self.factor * nadir { run + 1 } else { 0 };
            if run >= self.confirmations.max(1) {
                return Some(time);
            }
            nadir = nadir.min(value);
        }
        None
    }
}

/// One policy until a trigger, another from then on: rescue, or crossover to the other arm.
///
/// It keeps no state: the trigger is looked for in the whole history at each visit. The second policy sees the same history; it takes the
/// patient as it finds one, so a treatment of the first that must end, the second ends.
///
/// ```
/// use twin_core::{Agent, Observable};
/// use twin_trials::{Continuous, Crossover, Trigger, Withheld};
/// let drug = Agent::new("enzalutamide")?;
/// let control = Withheld { agent: drug.clone() };
/// let rescue = Continuous { agent: drug };
/// let arm = Crossover::new(control, Trigger::new(Observable::PSA, 1.5), rescue);
/// assert_eq!(arm.trigger.factor, 1.5);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Clone)]
pub struct Crossover {
    /// What is done until the trigger.
    pub before: Arc<dyn Policy>,
    /// When patients cross over.
    pub trigger: Trigger,
    /// What is done from then on.
    pub after: Arc<dyn Policy>,
}

impl std::fmt::Debug for Crossover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crossover({:?})", self.trigger)
    }
}

impl Crossover {
    /// `before` until `trigger`, then `after`.
    #[must_use]
    pub fn new(before: impl Policy + 'static, trigger: Trigger, after: impl Policy + 'static) -> Self {
        Self { before: Arc::new(before), trigger, after: Arc::new(after) }
    }
}

impl Policy for Crossover {
    fn decide(&self, history: &History<'_>) -> Decision {
        let since = history.numbers(&self.trigger.marker).filter(|(time, _)| *time >= history.since);
        let policy = if self.trigger.first(since).is_some() { &self.after } else { &self.before };
        policy.decide(history)
    }
}
