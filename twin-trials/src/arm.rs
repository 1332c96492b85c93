//! Arms: policies with names, and what they get to see.

use crate::Policy;
use std::sync::Arc;
use twin_calibrate::ErrorModel;
use twin_core::Observable;

/// One arm: a policy with a name.
#[derive(Clone)]
pub struct Arm {
    /// Its name, as it stands in a report.
    pub name: String,
    /// What is done.
    pub policy: Arc<dyn Policy>,
}

impl Arm {
    /// The arm `name`, treated by `policy`.
    #[must_use]
    pub fn new(name: impl Into<String>, policy: impl Policy + 'static) -> Self {
        Self { name: name.into(), policy: Arc::new(policy) }
    }
}

impl std::fmt::Debug for Arm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arm({})", self.name)
    }
}

/// How an observable is measured at visits: with an error, or, without one, as it is.
#[derive(Clone)]
pub struct Measurement {
    /// What is measured, in the unit of the model.
    pub observable: Observable,
    /// How it scatters; `None` for a perfect instrument.
    pub error: Option<Arc<dyn ErrorModel>>,
}

impl std::fmt::Debug for Measurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measurement({}, {})", self.observable, if self.error.is_some() { "with error" } else { "exact" })
    }
}
