//! Elementary functions without branches and tables, so that a loop over patients becomes a loop over registers. Exact to about one unit in
//! the last place (two for [`exp_m1`] and [`ln_1p`]).
//!
//! Reduction and coefficients of the logarithm: fdlibm (Sun Microsystems 1993); the exponential is the Taylor series on half an octave.

// The coefficients keep the digits of their source, and 0 and 1 are compared with exactly, as the standard demands of these functions.
#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::float_cmp)]

const LN_2_HIGH: f64 = 6.93147180369123816490e-01;
const LN_2_LOW: f64 = 1.90821492927058770002e-10;
/// Adding it rounds to a whole number, which then stands in the last bits.
const ROUND: f64 = 6755399441055744.0;
const MOST: f64 = 709.782712893384;
/// Below it the exponential, next to the least normal number, is taken for 0.
const LEAST: f64 = -708.0;

/// The exponential of the rest of `x` less 1, and half the power of two that it is multiplied by: the whole of it may be beyond the
/// largest number.
#[inline(always)]
fn reduced(x: f64) -> (f64, f64) {
    let x = if x > MOST { MOST } else { x };
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let square = r * r;
    let mut p = 1.0 / 6227020800.0;
    for factorial in [479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0] {
        p = p * r + 1.0 / factorial;
    }
    let less_one = r + square * (0.5 + r * p);
    (less_one, f64::from_bits(shifted.to_bits().wrapping_add(1022) << 52))
}

#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let (less_one, half_power) = reduced(x);
    let value = half_power * (1.0 + less_one) * 2.0;
    let value = if x > MOST { f64::INFINITY } else { value };
    let value = if x < LEAST { 0.0 } else { value };
    if x.is_nan() { x } else { value }
}

#[inline(always)]
pub(super) fn exp_m1(x: f64) -> f64 {
    let (less_one, half_power) = reduced(x);
    let value = (half_power * less_one + (half_power - 0.5)) * 2.0;
    let value = if x > MOST { f64::INFINITY } else { value };
    let value = if x < LEAST { -1.0 } else { value };
    if x.is_nan() { x } else { value }
}

#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    // A subnormal number is made a normal one first.
    let tiny = x < f64::MIN_POSITIVE;
    let (scaled, shift) = if tiny { (x * 18014398509481984.0, 54.0) } else { (x, 0.0) };
    let bits = scaled.to_bits();
    // The exponent as a number, without a conversion that few registers have.
    let exponent = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000) - 4503599627370496.0 - 1023.0 - shift;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let large = mantissa > std::f64::consts::SQRT_2;
    let (mantissa, k) = if large { (0.5 * mantissa, exponent + 1.0) } else { (mantissa, exponent) };
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut p = 1.479819860511658591e-01;
    for coefficient in [
        1.531383769920937332e-01,
        1.818357216161805012e-01,
        2.222219843214978396e-01,
        2.857142874366239149e-01,
        3.999999999940941908e-01,
        6.666666666666735130e-01,
    ] {
        p = p * z + coefficient;
    }
    let half_square = 0.5 * f * f;
    let value = k * LN_2_HIGH - ((half_square - (s * (half_square + z * p) + k * LN_2_LOW)) - f);
    let value = if x > f64::MAX { f64::INFINITY } else { value };
    let value = if x < 0.0 { f64::NAN } else { value };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

/// After Kahan: the rounding of `1 + x` is put right by the ratio.
#[inline(always)]
pub(super) fn ln_1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    let value = ln(sum) * (x / (sum - 1.0));
    let value = if sum == 1.0 { x } else { value };
    if x > f64::MAX { f64::INFINITY } else { value }
}

#[inline(always)]
pub(super) fn powf(base: f64, exponent: f64) -> f64 {
    let value = exp(exponent * ln(base));
    if exponent == 0.0 { 1.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, exact: f64, units: f64) -> bool {
        ours.to_bits() == exact.to_bits()
            || (ours.is_nan() && exact.is_nan())
            || (ours - exact).abs() <= units * f64::EPSILON * exact.abs()
    }

    #[test]
    fn functions_are_those_of_the_platform() {
        for step in -30_000..30_000 {
            let x = f64::from(step) * 0.0235 + 1e-5 * f64::from(step);
            assert!(close(exp(x), x.exp(), 1.5) || x.exp() < 4e-308, "exp {x}");
            assert!(close(exp_m1(x), x.exp_m1(), 3.0), "exp_m1 {x}");
            let y = 1.01_f64.powf(x);
            assert!(close(ln(y), y.ln(), 1.5) || (y - 1.0).abs() < 1e-3, "ln {y}");
            let small = x * 1e-3;
            assert!(small <= -1.0 || close(ln_1p(small), small.ln_1p(), 3.0), "ln_1p {small}");
            assert!(close(exp_m1(1e-6 * x), (1e-6 * x).exp_m1(), 3.0), "exp_m1 {x}");
            assert!(close(powf(y, 0.7), y.powf(0.7), 1000.0), "powf {y}");
        }
    }

    #[test]
    fn edges_are_those_of_the_platform() {
        for x in [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, 1e-320, 800.0, -800.0] {
            assert!(close(exp(x), x.exp(), 1.5), "exp {x}");
            assert!(close(exp_m1(x), x.exp_m1(), 1.5) || x == 0.0, "exp_m1 {x}");
            assert!(close(ln(x), x.ln(), 1.5), "ln {x}");
            assert!(close(ln_1p(x), x.ln_1p(), 1.5) || x == 0.0, "ln_1p {x}");
        }
        assert_eq!((powf(0.0, 2.0), powf(0.0, 0.0), powf(3.0, 0.0)), (0.0, 1.0, 1.0));
    }
}
