//! How far the next step goes: proportional and integral control (Gustafsson 1991, doi:10.1145/210232.210242), without a logarithm or a
//! power of the platform.

#![allow(clippy::unreadable_literal)]

/// The weights of the last error and of the one before it in the step control: growth by `error^-0.14 * before^0.08`.
const PROPORTIONAL: f64 = 0.7 / 5.0;
const INTEGRAL: f64 = 0.4 / 5.0;
/// Natural logarithms of the safety factor (0.95: errors settle at `0.95^(1 / 0.06)`, 0.43), of the least growth (0.2) and of the
/// most (10).
const LN_SAFETY: f64 = -0.05129329438755058;
const LN_LEAST: f64 = -1.6094379124341003;
const LN_MOST: f64 = std::f64::consts::LN_10;
/// The square of the least error that counts in the step control after the next step, and of the error before the first step.
pub(super) const SMALL: f64 = 1e-8;

/// The factor by which the step should change after an error with the square `error`, when the error before had the square `before`.
///
/// It is `safety * error^(-PROPORTIONAL/2) * before^(INTEGRAL/2)`, kept between the least and the most. Within a few percent (a
/// tenth at the bounds) is exact enough for a step, and the next step waits for it.
#[inline(always)]
pub(super) fn growth(error: f64, before: f64) -> f64 {
    use std::f64::consts::{FRAC_1_SQRT_2, LN_2};
    // e^z is nearly ((1 + (1 + z/4)^2) / 2)^4; `part` is (1 + z/4) / sqrt 2.
    const SCALE: f64 = FRAC_1_SQRT_2 / 4.0;
    const ERROR: f64 = SCALE * LN_2 * 0.5 * PROPORTIONAL;
    const BEFORE: f64 = SCALE * LN_2 * 0.5 * INTEGRAL;
    const LEAST: f64 = FRAC_1_SQRT_2 + SCALE * LN_LEAST;
    const MOST: f64 = FRAC_1_SQRT_2 + SCALE * LN_MOST;
    const REST: f64 = FRAC_1_SQRT_2 + SCALE * LN_SAFETY + BIAS * (ERROR - BEFORE);
    // The bits of a number that is not negative, read as an integer, are 2^52 (1023 + its binary logarithm), less at most 0.09 of it.
    const BIAS: f64 = 1023.0;
    const BIT: f64 = 1.0 / (1_u64 << 52) as f64;
    let bits = |x: f64| x.to_bits() as i64 as f64;
    let part = (REST + BEFORE * BIT * bits(before)) - ERROR * BIT * bits(error);
    let part = part.clamp(LEAST, MOST);
    let root = part * part + 0.5;
    let square = root * root;
    square * square
}

/// The fifth root of a number that is neither negative nor NaN, within a few percent.
pub(super) fn fifth_root(x: f64) -> f64 {
    f64::from_bits(x.to_bits() / 5 + 4 * (1.0_f64.to_bits() / 5))
}
