//! Parts and responses whose types are known at run time only.

use super::part::{Outline, Part, Response, RunningPart, RunningResponse, Tumor};
use crate::{Exposure, Given, Input};
use std::fmt::Debug;
use std::sync::Arc;

/// A part whose type is known at run time only.
#[derive(Debug, Clone)]
pub struct AnyPart(Arc<dyn ErasedPart>);

impl AnyPart {
    /// Forgets the type of `part`.
    #[must_use]
    pub fn new(part: impl Part) -> Self {
        Self(Arc::new(part))
    }
}

trait ErasedPart: Debug + Send + Sync {
    fn outline(&self) -> Outline;
    fn bind(&self, values: &[f64], inputs: &[Input]) -> Option<Arc<dyn RunningPart>>;
}

impl<P: Part> ErasedPart for P {
    fn outline(&self) -> Outline {
        Part::outline(self)
    }

    fn bind(&self, values: &[f64], inputs: &[Input]) -> Option<Arc<dyn RunningPart>> {
        Part::bind(self, values, inputs).map(|running| Arc::new(running) as _)
    }
}

impl Part for AnyPart {
    type Running = Arc<dyn RunningPart>;

    fn outline(&self) -> Outline {
        self.0.outline()
    }

    fn bind(&self, values: &[f64], inputs: &[Input]) -> Option<Self::Running> {
        self.0.bind(values, inputs)
    }
}

impl RunningPart for Arc<dyn RunningPart> {
    fn start(&self, x: &mut [f64]) {
        (**self).start(x);
    }
    fn loss(&self, x: &[f64], exposure: &Exposure, tumor: &Tumor) -> f64 {
        (**self).loss(x, exposure, tumor)
    }
    fn dying(&self, x: &[f64]) -> f64 {
        (**self).dying(x)
    }
    fn rates(&self, x: &[f64], exposure: &Exposure, tumor: &Tumor, dx: &mut [f64]) {
        (**self).rates(x, exposure, tumor, dx);
    }
    fn treat(&self, given: Given, ln_living: &mut f64, x: &mut [f64]) {
        (**self).treat(given, ln_living, x);
    }
    fn observe(&self, x: &[f64], y: &mut [f64]) {
        (**self).observe(x, y);
    }
}

/// A response whose type is known at run time only.
#[derive(Debug, Clone)]
pub struct AnyResponse(Arc<dyn ErasedResponse>);

impl AnyResponse {
    /// Forgets the type of `response`.
    #[must_use]
    pub fn new(response: impl Response) -> Self {
        Self(Arc::new(response))
    }
}

trait ErasedResponse: Debug + Send + Sync {
    fn outline(&self, drug: &str) -> Outline;
    fn bind(&self, values: &[f64]) -> Option<Arc<dyn RunningResponse>>;
}

impl<R: Response> ErasedResponse for R {
    fn outline(&self, drug: &str) -> Outline {
        Response::outline(self, drug)
    }

    fn bind(&self, values: &[f64]) -> Option<Arc<dyn RunningResponse>> {
        Response::bind(self, values).map(|running| Arc::new(running) as _)
    }
}

impl Response for AnyResponse {
    type Running = Arc<dyn RunningResponse>;

    fn outline(&self, drug: &str) -> Outline {
        self.0.outline(drug)
    }

    fn bind(&self, values: &[f64]) -> Option<Self::Running> {
        self.0.bind(values)
    }
}

impl RunningResponse for Arc<dyn RunningResponse> {
    fn start(&self, x: &mut [f64]) {
        (**self).start(x);
    }
    fn loss(&self, concentration: f64, tumor: &Tumor) -> f64 {
        (**self).loss(concentration, tumor)
    }
    fn dying(&self, x: &[f64]) -> f64 {
        (**self).dying(x)
    }
    fn rates(&self, x: &[f64], concentration: f64, tumor: &Tumor, dx: &mut [f64]) {
        (**self).rates(x, concentration, tumor, dx);
    }
    fn observe(&self, x: &[f64], y: &mut [f64]) {
        (**self).observe(x, y);
    }
}
