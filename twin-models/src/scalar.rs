//! The numbers that equations are written in: plain ones, ones that carry derivatives, and many patients at once.
//!
//! The author of a model writes its equations once, over any [`Scalar`]. The plain course computes with `f64`; sensitivities and the
//! Jacobian of a stiff system come from [`Dual`], and an ensemble computes with [`Lanes`], from the same lines.
//!
//! ```
//! use twin_models::{Dual, Scalar};
//! fn growth<T: Scalar>(volume: T, capacity: T) -> T {
//!     volume * (T::from(1.0) - volume / capacity)
//! }
//! assert_eq!(growth(20.0, 100.0), 16.0);
//! // By the volume, at the volume 20: 1 - 2 V/K.
//! let seeded = growth(Dual::seed(20.0, 0), Dual::from(100.0));
//! assert!((seeded.tangent(0) - 0.6).abs() < 1e-15 && seeded.tangent(1) == 0.0);
//! ```

mod dual;
mod functions;
mod lanes;

pub use dual::{Dual, TANGENTS};
pub(crate) use lanes::wide;
pub use lanes::{LANES, Lanes};

use crate::composition::Erased;
use std::borrow::Cow;
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A number that an equation can be written in: `f64`, [`Dual`] or [`Lanes`].
///
/// A constant may stand on the right of an operator as it is (`x * 2.0`), and anywhere as `T::from(2.0)`. Several patients may be
/// computed at once, so there is no comparison and no `if`: a choice is [`Scalar::if_positive`], [`Scalar::max`] or [`Scalar::min`].
///
/// No other types can implement it.
pub trait Scalar:
    Erased
    + Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + 'static
{
    /// The exponential.
    #[must_use]
    fn exp(self) -> Self;
    /// The exponential less 1, exact near 0.
    #[must_use]
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// The natural logarithm of one more, exact near 0.
    #[must_use]
    fn ln_1p(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The sine.
    #[must_use]
    fn sin(self) -> Self;
    /// The cosine.
    #[must_use]
    fn cos(self) -> Self;
    /// The power `exponent`.
    #[must_use]
    fn powf(self, exponent: Self) -> Self;
    /// The power `exponent`, a whole number.
    #[must_use]
    fn powi(self, exponent: i32) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// The greater of both.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// The lesser of both.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// `then` where the number is above 0, `otherwise` where it is not (or not a number). Both may be computed.
    #[must_use]
    fn if_positive(self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self;
}

/// A [`Scalar`] with one value: `f64` or [`Dual`]. Steps of an integrator are chosen by values, so derivatives change none of them.
pub trait Real: Scalar {
    /// Whether derivatives come with the value.
    const CARRIES_DERIVATIVES: bool;

    /// The value, without derivatives.
    #[must_use]
    fn value(self) -> f64;

    /// The derivatives with the value 0.
    #[must_use]
    fn derivatives(self) -> Self;

    /// The values of `numbers`.
    #[must_use]
    fn values(numbers: &[Self]) -> Cow<'_, [f64]>;
}

impl Real for f64 {
    const CARRIES_DERIVATIVES: bool = false;

    #[inline(always)]
    fn derivatives(self) -> Self {
        0.0
    }

    fn values(numbers: &[Self]) -> Cow<'_, [f64]> {
        Cow::Borrowed(numbers)
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
}

macro_rules! plain {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Scalar for f64 {
            $(#[inline(always)] fn $name(self, $($argument: $type),*) -> Self { Self::$name(self, $($argument),*) })*

            #[inline(always)]
            fn if_positive(self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
                if self > 0.0 { then() } else { otherwise() }
            }
        }
    };
}

plain! {
    exp(); exp_m1(); ln(); ln_1p(); sqrt(); sin(); cos(); abs();
    powf(exponent: Self); powi(exponent: i32); max(other: Self); min(other: Self);
}

/// The operators that follow from those between two numbers and with a constant.
macro_rules! operators {
    ($type:ident) => {
        impl std::ops::AddAssign for $type {
            #[inline(always)]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl std::ops::SubAssign for $type {
            #[inline(always)]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl std::ops::MulAssign for $type {
            #[inline(always)]
            fn mul_assign(&mut self, other: Self) {
                *self = *self * other;
            }
        }
        impl std::ops::DivAssign for $type {
            #[inline(always)]
            fn div_assign(&mut self, other: Self) {
                *self = *self / other;
            }
        }
        impl std::iter::Sum for $type {
            #[inline]
            fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
                numbers.fold(Self::from(-0.0), |sum, number| sum + number)
            }
        }
    };
}
use operators;
