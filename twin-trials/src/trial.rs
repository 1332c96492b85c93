//! A trial in silico, as plain data.

use crate::{Arm, Attendance, Cohort, Endpoint, Measurement, Policy, TrialError, VirtualPatient};
use std::sync::Arc;
use twin_calibrate::ErrorModel;
use twin_core::{Observable, Random, Span};
use twin_models::Model;

/// A trial in silico. Plain data: [`run`](crate::run) runs it.
#[derive(Clone)]
pub struct Trial {
    /// The model of every virtual patient.
    pub model: Arc<dyn Model>,
    /// Where virtual patients come from.
    pub cohort: Arc<dyn Cohort>,
    /// How many there are; every one goes through every arm.
    pub size: usize,
    /// The arms.
    pub arms: Vec<Arm>,
    /// What is assessed.
    pub endpoints: Vec<Arc<dyn Endpoint>>,
    /// What is measured at visits, for the policy to see.
    pub measurements: Vec<Measurement>,
    /// The time between visits.
    pub visit_interval: Span,
    /// How long a course lasts unless its policy ends it: its last visit is the last one within that.
    pub horizon: Span,
    /// How well visits are kept.
    pub attendance: Attendance,
    /// The seed of everything random.
    pub seed: u64,
    /// The share of courses that may fail before the trial fails.
    pub tolerated_failures: f64,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial")
            .field("model", &self.model.spec().id)
            .field("size", &self.size)
            .field("arms", &self.arms)
            .field("endpoints", &self.endpoints.iter().map(|endpoint| endpoint.name()).collect::<Vec<_>>())
            .field("measurements", &self.measurements)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Trial {
    /// The virtual patient number `index`, as every arm meets it.
    ///
    /// # Errors
    /// What keeps that patient from being drawn.
    pub fn patient(&self, index: usize) -> Result<VirtualPatient, TrialError> {
        self.cohort.draw(index, &mut Random::new(self.seed).stream(index as u64).stream(0))
    }

    /// A trial of `model` on `size` patients of `cohort`, still without arms, endpoints and measurements: daily visits for a year,
    /// seed 1, one course in a hundred may fail.
    #[must_use]
    pub fn new(model: Arc<dyn Model>, cohort: impl Cohort + 'static, size: usize) -> Self {
        Self {
            model,
            cohort: Arc::new(cohort),
            size,
            arms: Vec::new(),
            endpoints: Vec::new(),
            measurements: Vec::new(),
            visit_interval: Span::DAY,
            horizon: Span::from_days(365.0).unwrap_or(Span::WEEK),
            attendance: Attendance::default(),
            seed: 1,
            tolerated_failures: 0.01,
        }
    }

    /// Adds an arm.
    #[must_use]
    pub fn arm(mut self, name: impl Into<String>, policy: impl Policy + 'static) -> Self {
        self.arms.push(Arm::new(name, policy));
        self
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Endpoint + 'static) -> Self {
        self.endpoints.push(Arc::new(endpoint));
        self
    }

    /// Measures `observable` at visits, without error.
    #[must_use]
    pub fn measure(mut self, observable: Observable) -> Self {
        self.measurements.push(Measurement { observable, error: None });
        self
    }

    /// Measures `observable` at visits, with `error`.
    #[must_use]
    pub fn measure_with(mut self, observable: Observable, error: impl ErrorModel + 'static) -> Self {
        self.measurements.push(Measurement { observable, error: Some(Arc::new(error)) });
        self
    }

    /// Visits every `interval`, for `horizon`.
    #[must_use]
    pub fn visits(mut self, interval: Span, horizon: Span) -> Self {
        (self.visit_interval, self.horizon) = (interval, horizon);
        self
    }

    /// Sets how well visits are kept.
    #[must_use]
    pub fn attended(mut self, attendance: Attendance) -> Self {
        self.attendance = attendance;
        self
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(crate) fn check(&self) -> Result<(), TrialError> {
        let fault = |what: &'static str, valid: &'static str| Err(TrialError::Design { what, valid });
        if self.size == 0 {
            return fault("the number of virtual patients", "at least 1");
        }
        if self.arms.is_empty() || self.endpoints.is_empty() {
            return fault("the list of arms or of endpoints", "not empty");
        }
        for (index, arm) in self.arms.iter().enumerate() {
            if self.arms.iter().take(index).any(|earlier| earlier.name == arm.name) {
                return Err(TrialError::DuplicateArm { name: arm.name.clone() });
            }
        }
        if !self.visit_interval.is_positive() || !self.horizon.is_positive() {
            return fault("the visit interval or the horizon", "longer than nothing");
        }
        if self.horizon.days() / self.visit_interval.days() > 1e6 {
            return fault("the number of visits of a course", "at most a million");
        }
        self.attendance.check()?;
        if !(0.0..=1.0).contains(&self.tolerated_failures) {
            return fault("the share of tolerated failures", "between 0 and 1");
        }
        for measurement in &self.measurements {
            self.model.spec().index_of(&measurement.observable)?;
        }
        let of_model = self.model.spec().parameters.iter().map(|parameter| &*parameter.name);
        let of_errors = self.measurements.iter().filter_map(|measurement| measurement.error.as_ref());
        let known: Vec<&str> = of_model.chain(of_errors.flat_map(|error| error.parameters()).map(|p| &*p.name)).collect();
        match self.cohort.parameters().iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let known = known.into_iter().map(str::to_owned).collect();
                Err(TrialError::UnknownParameter { name: name.clone(), known })
            }
            None => Ok(()),
        }
    }
}
