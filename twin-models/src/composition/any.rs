//! Laws, parts and responses whose types are known at run time only.
//!
//! A table of functions holds none that is generic over the kind of numbers, so it holds one for each kind, and [`Erased`] picks it.

use super::model::{Law, TumorGrowth};
use super::outline::Outline;
use super::part::{Part, Response, RunningPart, RunningResponse, Tumor};
use crate::growth::GrowthLaw;
use crate::{Dual, Exposure, Given, Input, Lanes, ParameterSet, ParameterSpec, Scalar};
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

/// A growth law whose type is known at run time only.
#[derive(Debug, Clone)]
pub(crate) struct AnyGrowth(Arc<dyn ErasedGrowth>);

impl AnyGrowth {
    /// The law `L` without its type.
    pub(crate) fn of<L: GrowthLaw>() -> Self {
        Self(Arc::new(Law::<L>::new()))
    }
}

/// The kinds of numbers that a part of unknown type can be bound to: those of [`Scalar`], and no others.
#[allow(unreachable_pub)]
pub trait Erased: Sized {
    #[doc(hidden)]
    fn bind_part(part: &dyn ErasedPart, values: &[Self], inputs: &[Input]) -> Option<Arc<dyn RunningPart<Self>>>;
    #[doc(hidden)]
    fn bind_response(response: &dyn ErasedResponse, values: &[Self]) -> Option<Arc<dyn RunningResponse<Self>>>;
    #[doc(hidden)]
    fn bind_growth(growth: &dyn ErasedGrowth, values: &[Self]) -> Option<Arc<dyn RunningGrowth<Self>>>;
}

macro_rules! erased {
    ($($number:ident)*) => {$(
        impl Erased for $number {
            fn bind_part(part: &dyn ErasedPart, values: &[Self], inputs: &[Input]) -> Option<Arc<dyn RunningPart<Self>>> {
                BindPart::<Self>::bind(part, values, inputs)
            }
            fn bind_response(response: &dyn ErasedResponse, values: &[Self]) -> Option<Arc<dyn RunningResponse<Self>>> {
                BindResponse::<Self>::bind(response, values)
            }
            fn bind_growth(growth: &dyn ErasedGrowth, values: &[Self]) -> Option<Arc<dyn RunningGrowth<Self>>> {
                BindGrowth::<Self>::bind(growth, values)
            }
        }
    )*};
}

erased! { f64 Dual Lanes }

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait BindPart<T> {
    fn bind(&self, values: &[T], inputs: &[Input]) -> Option<Arc<dyn RunningPart<T>>>;
}

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait BindResponse<T> {
    fn bind(&self, values: &[T]) -> Option<Arc<dyn RunningResponse<T>>>;
}

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait BindGrowth<T> {
    fn bind(&self, values: &[T]) -> Option<Arc<dyn RunningGrowth<T>>>;
}

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait ErasedPart: BindPart<f64> + BindPart<Dual> + BindPart<Lanes> + Debug + Send + Sync {
    fn outline(&self) -> Outline;
}

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait ErasedResponse: BindResponse<f64> + BindResponse<Dual> + BindResponse<Lanes> + Debug + Send + Sync {
    fn outline(&self, drug: &str) -> Outline;
}

#[doc(hidden)]
#[allow(unreachable_pub)]
pub trait ErasedGrowth: BindGrowth<f64> + BindGrowth<Dual> + BindGrowth<Lanes> + Debug + Send + Sync {
    fn rises_as_power(&self) -> bool;
    fn name(&self) -> String;
    fn parameters(&self) -> Vec<ParameterSpec>;
}

/// A growth law with the values of its parameters.
#[allow(unreachable_pub)]
pub trait RunningGrowth<T>: Debug + Send + Sync {
    #[doc(hidden)]
    fn initial_volume(&self) -> T;
    #[doc(hidden)]
    fn relative_rate(&self, ln_volume: T) -> T;
}

impl<T: Scalar, P: Part> BindPart<T> for P {
    fn bind(&self, values: &[T], inputs: &[Input]) -> Option<Arc<dyn RunningPart<T>>> {
        Part::bind(self, values, inputs).map(|running| Arc::new(running) as _)
    }
}

impl<P: Part> ErasedPart for P {
    fn outline(&self) -> Outline {
        Part::outline(self)
    }
}

impl Part for AnyPart {
    type Running<T: Scalar> = Arc<dyn RunningPart<T>>;

    fn outline(&self) -> Outline {
        self.0.outline()
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<Self::Running<T>> {
        T::bind_part(self.0.as_ref(), values, inputs)
    }
}

impl<T: Scalar> RunningPart<T> for Arc<dyn RunningPart<T>> {
    fn start(&self, x: &mut [T]) {
        (**self).start(x);
    }
    fn loss(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>) -> T {
        (**self).loss(x, exposure, tumor)
    }
    fn dying(&self, x: &[T]) -> T {
        (**self).dying(x)
    }
    fn rates(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]) {
        (**self).rates(x, exposure, tumor, dx);
    }
    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]) {
        (**self).treat(given, ln_living, x);
    }
    fn observe(&self, x: &[T], y: &mut [T]) {
        (**self).observe(x, y);
    }
    fn concentration(&self, x: &[T]) -> T {
        (**self).concentration(x)
    }
}

impl<T: Scalar, R: Response> BindResponse<T> for R {
    fn bind(&self, values: &[T]) -> Option<Arc<dyn RunningResponse<T>>> {
        Response::bind(self, values).map(|running| Arc::new(running) as _)
    }
}

impl<R: Response> ErasedResponse for R {
    fn outline(&self, drug: &str) -> Outline {
        Response::outline(self, drug)
    }
}

impl Response for AnyResponse {
    type Running<T: Scalar> = Arc<dyn RunningResponse<T>>;

    fn outline(&self, drug: &str) -> Outline {
        self.0.outline(drug)
    }

    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>> {
        T::bind_response(self.0.as_ref(), values)
    }
}

impl<T: Scalar> RunningResponse<T> for Arc<dyn RunningResponse<T>> {
    fn start(&self, x: &mut [T]) {
        (**self).start(x);
    }
    fn loss(&self, concentration: T, tumor: &Tumor<T>) -> T {
        (**self).loss(concentration, tumor)
    }
    fn dying(&self, x: &[T]) -> T {
        (**self).dying(x)
    }
    fn rates(&self, x: &[T], concentration: T, tumor: &Tumor<T>, dx: &mut [T]) {
        (**self).rates(x, concentration, tumor, dx);
    }
    fn observe(&self, x: &[T], y: &mut [T]) {
        (**self).observe(x, y);
    }
}

/// The parameters of the law `L` in numbers of the kind `T`.
struct Bound<L: ParameterSet, T: Scalar>(L::Of<T>);

impl<L: ParameterSet, T: Scalar> Debug for Bound<L, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Scalar, L: GrowthLaw> RunningGrowth<T> for Bound<L, T> {
    fn initial_volume(&self) -> T {
        L::initial_volume(&self.0)
    }
    fn relative_rate(&self, ln_volume: T) -> T {
        L::relative_rate(&self.0, ln_volume)
    }
}

impl<T: Scalar, L: GrowthLaw> BindGrowth<T> for Law<L> {
    fn bind(&self, values: &[T]) -> Option<Arc<dyn RunningGrowth<T>>> {
        L::from_values(values).map(|p| Arc::new(Bound::<L, T>(p)) as _)
    }
}

impl<L: GrowthLaw> ErasedGrowth for Law<L> {
    fn rises_as_power(&self) -> bool {
        L::RISES_AS_POWER
    }
    fn name(&self) -> String {
        L::ID.to_owned()
    }
    fn parameters(&self) -> Vec<ParameterSpec> {
        L::specs()
    }
}

impl TumorGrowth for AnyGrowth {
    type Running<T: Scalar> = Arc<dyn RunningGrowth<T>>;
    const TUMOR: bool = true;

    fn rises_as_power(&self) -> bool {
        self.0.rises_as_power()
    }
    fn name(&self) -> String {
        self.0.name()
    }
    fn parameters(&self) -> Vec<ParameterSpec> {
        self.0.parameters()
    }
    fn bind<T: Scalar>(&self, values: &[T]) -> Option<Self::Running<T>> {
        T::bind_growth(self.0.as_ref(), values)
    }
    fn initial_volume<T: Scalar>(law: &Self::Running<T>) -> T {
        law.initial_volume()
    }
    fn relative_rate<T: Scalar>(law: &Self::Running<T>, ln_volume: T) -> T {
        law.relative_rate(ln_volume)
    }
}
