//! Numbers that carry derivatives.

use super::{Real, Scalar, operators};
use std::array::from_fn;
use std::borrow::Cow;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The number of directions that a [`Dual`] carries.
pub const TANGENTS: usize = 4;

/// A number with its derivatives in [`TANGENTS`] directions (forward differentiation). Its value is the same, to the bit, as that of the
/// same computation with `f64`.
///
/// Where a function has no finite slope, what does not move still has the derivative 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))] // the derivatives in whole registers: a quarter less time
pub struct Dual {
    tangents: [f64; TANGENTS],
    value: f64,
}

impl Dual {
    /// The number `value`, which moves by itself in the direction at `place` and stands still in the others; in all of them if there is
    /// no such direction.
    #[must_use]
    pub fn seed(value: f64, place: usize) -> Self {
        Self { value, tangents: from_fn(|k| if k == place { 1.0 } else { 0.0 }) }
    }

    /// The same number, that moves in the direction at `place` by itself, on top of what it does.
    #[must_use]
    pub(crate) fn moved(mut self, place: usize) -> Self {
        if let Some(tangent) = self.tangents.get_mut(place) {
            *tangent += 1.0;
        }
        self
    }

    /// The derivative in the direction at `place`; 0 if there is none.
    #[must_use]
    #[inline(always)]
    pub fn tangent(self, place: usize) -> f64 {
        self.tangents.get(place).copied().unwrap_or(0.0)
    }

    /// The function value `value` of this number, where the function has the slope `slope`.
    #[inline(always)]
    fn chain(self, value: f64, slope: f64) -> Self {
        Self { value, tangents: self.scaled(slope) }
    }

    #[inline(always)]
    fn scaled(self, slope: f64) -> [f64; TANGENTS] {
        if slope.is_finite() { from_fn(|k| slope * self.tangents[k]) } else { self.steep(slope) }
    }

    #[cold]
    fn steep(self, slope: f64) -> [f64; TANGENTS] {
        self.tangents.map(|tangent| if tangent == 0.0 { 0.0 } else { slope * tangent })
    }
}

impl From<f64> for Dual {
    #[inline(always)]
    fn from(value: f64) -> Self {
        Self { value, tangents: [0.0; TANGENTS] }
    }
}

impl Neg for Dual {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { value: -self.value, tangents: self.tangents.map(|tangent| -tangent) }
    }
}

impl Add for Dual {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, tangents: from_fn(|k| self.tangents[k] + other.tangents[k]) }
    }
}

impl Sub for Dual {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, tangents: from_fn(|k| self.tangents[k] - other.tangents[k]) }
    }
}

#[allow(clippy::suspicious_arithmetic_impl)] // the rule of products has a sum in it
impl Mul for Dual {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangents = from_fn(|k| self.tangents[k] * other.value + self.value * other.tangents[k]);
        Self { value: self.value * other.value, tangents }
    }
}

impl Div for Dual {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let (value, inverse) = (self.value / other.value, 1.0 / other.value);
        Self { value, tangents: from_fn(|k| (self.tangents[k] - value * other.tangents[k]) * inverse) }
    }
}

impl Add<f64> for Dual {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Self { value: self.value + other, ..self }
    }
}

impl Sub<f64> for Dual {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Self { value: self.value - other, ..self }
    }
}

impl Mul<f64> for Dual {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        Self { value: self.value * other, tangents: self.tangents.map(|tangent| tangent * other) }
    }
}

impl Div<f64> for Dual {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        let inverse = 1.0 / other;
        Self { value: self.value / other, tangents: self.tangents.map(|tangent| tangent * inverse) }
    }
}

operators!(Dual);

impl Scalar for Dual {
    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        let value = self.value.exp_m1();
        self.chain(value, value + 1.0)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), 1.0 / self.value)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), 1.0 / (1.0 + self.value))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, 0.5 / value)
    }

    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }

    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }

    #[inline]
    fn powf(self, exponent: Self) -> Self {
        let value = self.value.powf(exponent.value);
        // Above 0 without a second power, which would cost more than all the rest.
        let per_unit = if self.value > 0.0 { value / self.value } else { self.value.powf(exponent.value - 1.0) };
        let of_base = self.scaled(exponent.value * per_unit);
        if exponent.tangents.iter().all(|&tangent| tangent == 0.0) {
            return Self { value, tangents: of_base };
        }
        // Of a base of 0, the limit from above.
        let slope = if self.value > 0.0 { value * self.value.ln() } else { 0.0 };
        let of_exponent = exponent.scaled(slope);
        Self { value, tangents: from_fn(|k| of_base[k] + of_exponent[k]) }
    }

    #[inline]
    fn powi(self, exponent: i32) -> Self {
        if exponent == 0 {
            return Self::from(self.value.powi(0));
        }
        self.chain(self.value.powi(exponent), f64::from(exponent) * self.value.powi(exponent - 1))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        if self.value.is_sign_negative() { -self } else { self }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.value >= other.value || other.value.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self.value <= other.value || other.value.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn if_positive(self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        if self.value > 0.0 { then() } else { otherwise() }
    }
}

impl Real for Dual {
    const CARRIES_DERIVATIVES: bool = true;

    #[inline(always)]
    fn derivatives(self) -> Self {
        Self { value: 0.0, ..self }
    }

    fn values(numbers: &[Self]) -> Cow<'_, [f64]> {
        numbers.iter().map(|number| number.value).collect()
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<T: Scalar>(x: T, y: T) -> Vec<T> {
        vec![
            x + y,
            x - y,
            x * y,
            x / y,
            -x,
            x + 2.0,
            x - 2.0,
            x * 2.0,
            x / 2.0,
            x.exp(),
            x.exp_m1(),
            x.ln(),
            x.ln_1p(),
            x.sqrt(),
            x.sin(),
            x.cos(),
            x.powf(y),
            x.powi(3),
            (-x).abs(),
            x.max(y),
            x.min(y),
            (x - y).if_positive(|| x * y, || x / y),
            [x, y, x].into_iter().sum(),
        ]
    }

    #[test]
    fn every_function_has_the_value_of_the_plain_one_and_the_slope_of_a_difference() {
        for (x, y) in [(0.3, 1.7), (2.4, 0.6), (1.1, 3.0)] {
            let found = all(Dual::seed(x, 0), Dual::seed(y, 3));
            let (h, plain) = (1e-6, all(x, y));
            let (left, right) = (all(x - h, y), all(x + h, y));
            let (below, above) = (all(x, y - h), all(x, y + h));
            for i in 0..plain.len() {
                assert_eq!(found[i].value(), plain[i], "function {i}");
                assert!((found[i].tangent(0) - (right[i] - left[i]) / (2.0 * h)).abs() < 1e-8, "function {i}");
                assert!((found[i].tangent(3) - (above[i] - below[i]) / (2.0 * h)).abs() < 1e-8, "function {i}");
                assert_eq!((found[i].tangent(1), found[i].tangent(4)), (0.0, 0.0));
            }
        }
    }

    #[test]
    fn what_stands_still_has_no_slope_even_where_there_is_no_finite_one() {
        for still in [Dual::from(0.0).ln(), Dual::from(0.0).sqrt(), Dual::from(0.0).powf(Dual::seed(0.5, 1))] {
            assert_eq!(still.tangents, [0.0; TANGENTS]);
        }
        assert_eq!(Dual::seed(0.0, 2).sqrt().tangent(2), f64::INFINITY);
    }
}
