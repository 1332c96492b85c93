//! The numbers of the engine: `f32` and `f64` in voxels, and scalars that carry a derivative.

use std::ops::{Add, Div, Mul, Neg, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The number in a voxel: `f32` or `f64`.
pub trait Real:
    sealed::Sealed
    + Copy
    + Send
    + Sync
    + PartialOrd
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The nearest value.
    fn from_f64(value: f64) -> Self;
    /// The value, exactly.
    fn to_f64(self) -> f64;
    /// Raised to a power.
    #[must_use]
    fn power(self, exponent: Self) -> Self;
    /// The exponential.
    #[must_use]
    fn exponential(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn logarithm(self) -> Self;
}

macro_rules! real {
    ($($type:ident)*) => {$(
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline]
            #[allow(clippy::cast_possible_truncation)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn power(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            #[inline]
            fn exponential(self) -> Self {
                self.exp()
            }
            #[inline]
            fn logarithm(self) -> Self {
                self.ln()
            }
        }
    )*};
}
real!(f32 f64);

/// A scalar of the growth laws and the drugs: `f64`, or one that carries its derivative with respect to one parameter.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// A constant.
    fn constant(value: f64) -> Self;
    /// The value.
    fn value(self) -> f64;
    /// The exponential.
    #[must_use]
    fn exponential(self) -> Self;
    /// The exponential less one, accurate near 0.
    #[must_use]
    fn exponential_less_one(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn logarithm(self) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }
    fn value(self) -> f64 {
        self
    }
    fn exponential(self) -> Self {
        self.exp()
    }
    fn exponential_less_one(self) -> Self {
        self.exp_m1()
    }
    fn logarithm(self) -> Self {
        self.ln()
    }
}
/// A value and its derivative with respect to one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dual {
    pub(super) value: f64,
    pub(super) derivative: f64,
}

impl Add for Dual {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, derivative: self.derivative + other.derivative }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, derivative: self.derivative - other.derivative }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, derivative: self.derivative * other.value + self.value * other.derivative }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, derivative: (self.derivative - value * other.derivative) / other.value }
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, derivative: -self.derivative }
    }
}

impl Number for Dual {
    fn constant(value: f64) -> Self {
        Self { value, derivative: 0.0 }
    }
    fn value(self) -> f64 {
        self.value
    }
    fn exponential(self) -> Self {
        let value = self.value.exp();
        Self { value, derivative: value * self.derivative }
    }
    fn exponential_less_one(self) -> Self {
        Self { value: self.value.exp_m1(), derivative: self.value.exp() * self.derivative }
    }
    fn logarithm(self) -> Self {
        Self { value: self.value.ln(), derivative: self.derivative / self.value }
    }
}
