//! The same number of several patients.

use super::{Scalar, functions, operators};
use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The number of patients in one [`Lanes`].
pub const LANES: usize = 8;

/// The same number of [`LANES`] patients; each operation acts on all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub struct Lanes(pub(crate) [f64; LANES]);

impl Lanes {
    /// The number of the patient at `lane`; not a number if there is no such lane.
    #[must_use]
    #[inline(always)]
    pub fn lane(self, lane: usize) -> f64 {
        self.0.get(lane).copied().unwrap_or(f64::NAN)
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mut all = [0.0; LANES];
        for (to, from) in all.iter_mut().zip(self.0) {
            *to = f(from);
        }
        Self(all)
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut all = [0.0; LANES];
        for (to, (a, b)) in all.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            *to = f(a, b);
        }
        Self(all)
    }
}

impl From<f64> for Lanes {
    #[inline(always)]
    fn from(value: f64) -> Self {
        Self([value; LANES])
    }
}

impl From<[f64; LANES]> for Lanes {
    #[inline(always)]
    fn from(values: [f64; LANES]) -> Self {
        Self(values)
    }
}

macro_rules! lanewise {
    ($($trait:ident $name:ident $operator:tt;)*) => {$(
        impl $trait for Lanes {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.zip(other, |a, b| a $operator b)
            }
        }
        impl $trait<f64> for Lanes {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: f64) -> Self {
                self.map(|a| a $operator other)
            }
        }
    )*};
}

lanewise! { Add add +; Sub sub -; Mul mul *; Div div /; }

impl Neg for Lanes {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

operators!(Lanes);

impl Scalar for Lanes {
    #[inline(always)]
    fn exp(self) -> Self {
        self.map(functions::exp)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.map(functions::exp_m1)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        self.map(functions::ln)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.map(functions::ln_1p)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }

    fn sin(self) -> Self {
        self.map(f64::sin)
    }

    fn cos(self) -> Self {
        self.map(f64::cos)
    }

    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        self.zip(exponent, functions::powf)
    }

    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        self.map(|a| a.powi(exponent))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f64::abs)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a >= b || b.is_nan() { a } else { b })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a <= b || b.is_nan() { a } else { b })
    }

    #[inline(always)]
    fn if_positive(self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        let (then, otherwise) = (then(), otherwise());
        Self(from_fn(|k| if self.0[k] > 0.0 { then.0[k] } else { otherwise.0[k] }))
    }
}

/// Runs `work` with the widest registers that the machine has, if the feature `simd` is on; the results are the same bits either way.
#[cfg(feature = "simd")]
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

#[cfg(not(feature = "simd"))]
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_do_not_see_each_other() {
        let x = Lanes::from([0.5, 1.0, 2.0, 4.0, -1.0, 0.0, f64::NAN, 8.0]);
        let chosen = (x - 1.0).if_positive(|| x.ln(), || x * 2.0);
        for lane in 0..LANES {
            let alone = (x.lane(lane) - 1.0).if_positive(|| x.lane(lane).ln(), || x.lane(lane) * 2.0);
            let same = chosen.lane(lane) == alone || (alone.is_nan() && chosen.lane(lane).is_nan());
            assert!(same || (chosen.lane(lane) / alone - 1.0).abs() < 1e-15, "lane {lane}");
        }
        assert!(x.lane(LANES).is_nan());
    }
}
