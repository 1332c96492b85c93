//! Plans: ways to treat that can be compared.

use crate::{Arm, Planned, Policy};
use std::fmt;
use std::sync::Arc;
use twin_core::{CoreError, Regimen, Time, TimedTreatment};

/// A way to treat, with a name.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name, as it stands in a recommendation.
    pub name: String,
    /// What is done.
    pub strategy: Strategy,
}

/// What a [`Plan`] does.
#[derive(Clone)]
#[non_exhaustive]
pub enum Strategy {
    /// Fixed in advance; times count from when the plan takes over.
    Fixed(Arc<[TimedTreatment]>),
    /// Decided at each visit from what has been seen.
    Adaptive(Arc<dyn Policy>),
}

impl fmt::Debug for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(treatments) => write!(f, "Fixed({} treatments)", treatments.len()),
            Self::Adaptive(_) => f.write_str("Adaptive"),
        }
    }
}

impl Plan {
    /// The plan `name` that gives `treatments`, whose times count from when the plan takes over, in any order.
    #[must_use]
    pub fn fixed(name: impl Into<String>, treatments: impl IntoIterator<Item = TimedTreatment>) -> Self {
        let mut treatments: Vec<_> = treatments.into_iter().collect();
        treatments.sort_by_key(|treatment| treatment.time);
        Self { name: name.into(), strategy: Strategy::Fixed(treatments.into()) }
    }

    /// The plan `name` that gives `regimen` from when it takes over.
    ///
    /// # Errors
    /// As [`Regimen::starting`].
    pub fn regimen(name: impl Into<String>, regimen: &Regimen) -> Result<Self, CoreError> {
        Ok(Self::fixed(name, regimen.starting(Time::ORIGIN)?))
    }

    /// The plan `name` that decides by `policy`.
    #[must_use]
    pub fn adaptive(name: impl Into<String>, policy: impl Policy + 'static) -> Self {
        Self { name: name.into(), strategy: Strategy::Adaptive(Arc::new(policy)) }
    }

    /// What is given, in the order of time, if that is fixed in advance.
    #[must_use]
    pub fn treatments(&self) -> Option<&[TimedTreatment]> {
        match &self.strategy {
            Strategy::Fixed(treatments) => Some(treatments),
            Strategy::Adaptive(_) => None,
        }
    }

    /// The arm of a trial in which everyone is treated so.
    #[must_use]
    pub fn arm(&self) -> Arm {
        match &self.strategy {
            Strategy::Fixed(treatments) => Arm::new(&*self.name, Planned { treatments: Arc::clone(treatments) }),
            Strategy::Adaptive(policy) => Arm { name: self.name.clone(), policy: Arc::clone(policy) },
        }
    }
}
