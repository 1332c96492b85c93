//! Whole numbers of any size, and the correctly rounded quotient of two of them.

use std::cmp::Ordering;

/// A whole number, at least zero, as 32-bit digits with the least significant first and no leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole(Vec<u32>);

impl Whole {
    pub(super) fn new(mut value: u128) -> Self {
        let mut digits = Vec::new();
        while value != 0 {
            digits.push(low(value));
            value >>= 32;
        }
        Self(digits)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_one(&self) -> bool {
        self.0 == [1]
    }

    /// The number of bits up to the highest one that is set.
    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |top| self.0.len() * 32 - top.leading_zeros() as usize)
    }

    pub(super) fn to_u64(&self) -> Option<u64> {
        match self.0.as_slice() {
            [] => Some(0),
            [a] => Some(u64::from(*a)),
            [a, b] => Some(u64::from(*a) | u64::from(*b) << 32),
            _ => None,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let mut product = vec![0u32; self.0.len() + other.0.len()];
        for (shift, a) in self.0.iter().enumerate() {
            let mut carry = 0u128;
            let padded = other.0.iter().chain(std::iter::repeat(&0));
            for (digit, b) in product.iter_mut().skip(shift).zip(padded).take(other.0.len() + 1) {
                let sum = u128::from(*digit) + u128::from(*a) * u128::from(*b) + carry;
                *digit = low(sum);
                carry = sum >> 32;
            }
        }
        Self(product).trimmed()
    }

    /// `self` to the power of `exponent`, or `None` when the result would have more than `limit` bits.
    pub(super) fn power(&self, mut exponent: u32, limit: usize) -> Option<Self> {
        let mut result = Self::new(1);
        if self.is_one() {
            return Some(result);
        }
        let mut square = self.clone();
        while exponent != 0 {
            if exponent & 1 == 1 {
                result = result.times(&square);
                if result.bits() > limit {
                    return None;
                }
            }
            exponent >>= 1;
            if exponent != 0 {
                if square.bits() > limit {
                    return None;
                }
                square = square.times(&square);
            }
        }
        Some(result)
    }

    pub(super) fn shifted(&self, bits: usize) -> Self {
        if self.is_zero() {
            return self.clone();
        }
        let mut digits = vec![0u32; bits / 32];
        let mut carry = 0u64;
        for digit in &self.0 {
            let wide = u64::from(*digit) << (bits % 32) | carry;
            digits.push(low(u128::from(wide)));
            carry = wide >> 32;
        }
        digits.push(low(u128::from(carry)));
        Self(digits).trimmed()
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() >= other.0.len() { (self, other) } else { (other, self) };
        let mut digits = Vec::with_capacity(long.0.len() + 1);
        let mut carry = 0u64;
        for (a, b) in long.0.iter().zip(short.0.iter().chain(std::iter::repeat(&0))) {
            let sum = u64::from(*a) + u64::from(*b) + carry;
            digits.push(low(u128::from(sum)));
            carry = sum >> 32;
        }
        digits.push(low(u128::from(carry)));
        Self(digits).trimmed()
    }

    /// Takes `other` away. `other` must not be the larger of the two.
    pub(super) fn take(&mut self, other: &Self) {
        let mut borrow = 0i64;
        for (a, b) in self.0.iter_mut().zip(other.0.iter().chain(std::iter::repeat(&0))) {
            let difference = i64::from(*a) - i64::from(*b) - borrow;
            borrow = i64::from(difference < 0);
            *a = low(difference.rem_euclid(1 << 32).unsigned_abs().into());
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn double(&mut self) {
        let mut carry = 0u32;
        for digit in &mut self.0 {
            let next = *digit >> 31;
            *digit = *digit << 1 | carry;
            carry = next;
        }
        if carry != 0 {
            self.0.push(carry);
        }
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

impl Ord for Whole {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Whole {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest 32 bits.
#[allow(clippy::cast_possible_truncation)] // the bits above are the carry, which the caller keeps
fn low(value: u128) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// A fraction with a sign: zero has an empty numerator.
#[derive(Debug, Clone)]
pub(super) struct Fraction {
    pub(super) negative: bool,
    pub(super) numerator: Whole,
    pub(super) denominator: Whole,
}

impl Fraction {
    /// Exactly the value of a finite number.
    pub(super) fn of(value: f64) -> Self {
        let bits = value.to_bits();
        let field = (bits >> 52) & 0x7ff;
        let stored = bits & ((1 << 52) - 1);
        let (mantissa, field) = if field == 0 { (stored, 1) } else { (stored | 1 << 52, field) };
        let one = Whole::new(1);
        let mantissa = Whole::new(u128::from(mantissa));
        let zero_shift = 1075; // the field of a mantissa that counts ones
        let (numerator, denominator) = if field >= zero_shift {
            (mantissa.shifted((field - zero_shift) as usize), one)
        } else {
            (mantissa, one.shifted((zero_shift - field) as usize))
        };
        Self { negative: value.is_sign_negative(), numerator, denominator }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut a = self.numerator.times(&other.denominator);
        let mut b = other.numerator.times(&self.denominator);
        let denominator = self.denominator.times(&other.denominator);
        if self.negative == other.negative {
            Self { negative: self.negative, numerator: a.plus(&b), denominator }
        } else if a >= b {
            a.take(&b);
            Self { negative: self.negative, numerator: a, denominator }
        } else {
            b.take(&a);
            Self { negative: other.negative, numerator: b, denominator }
        }
    }

    /// The nearest number (ties to even); infinite when the fraction is beyond the range of numbers.
    pub(super) fn nearest(&self) -> f64 {
        if self.numerator.is_zero() || self.denominator.is_zero() {
            return 0.0;
        }
        let magnitude = nearest_quotient(&self.numerator, &self.denominator);
        if self.negative { -magnitude } else { magnitude }
    }
}

/// Bits of the quotient that are found before rounding: more than the 53 that are kept, so that one sticky bit stands for the rest.
const QUOTIENT_BITS: i64 = 66;

fn nearest_quotient(numerator: &Whole, denominator: &Whole) -> f64 {
    let scale = signed(numerator.bits()) - signed(denominator.bits());
    let lift = |by: i64| usize::try_from(by).unwrap_or(0);
    let mut rest = numerator.shifted(lift(-scale));
    let divisor = denominator.shifted(lift(scale));
    // both now have as many bits, so the quotient lies between 1/2 and 2
    let mut quotient = 0u128;
    for _ in 0..QUOTIENT_BITS {
        quotient <<= 1;
        if rest >= divisor {
            rest.take(&divisor);
            quotient |= 1;
        }
        rest.double();
    }
    rounded(quotient, scale - (QUOTIENT_BITS - 1), !rest.is_zero())
}

/// `quotient * 2^exponent` (and a little more, if `sticky`) as the nearest number. The quotient has 64 bits or more.
fn rounded(quotient: u128, exponent: i64, sticky: bool) -> f64 {
    let width = 128 - i64::from(quotient.leading_zeros());
    let highest = width - 1 + exponent;
    if highest > 1023 {
        return f64::INFINITY;
    }
    let kept_bits = (highest + 1075).min(53);
    if kept_bits < 0 {
        return 0.0;
    }
    let dropped = width - kept_bits;
    let mut kept = quotient >> dropped;
    let rest = quotient & ((1 << dropped) - 1);
    let half = 1u128 << (dropped - 1);
    if rest > half || (rest == half && (sticky || kept & 1 == 1)) {
        kept += 1;
    }
    let power = exponent + dropped;
    let step = if power >= -1022 { (power + 1023).unsigned_abs() << 52 } else { 1u64 << (power + 1074).clamp(0, 51) };
    #[allow(clippy::cast_precision_loss)] // at most 2^53
    let kept = kept as f64;
    kept * f64::from_bits(step)
}

fn signed(bits: usize) -> i64 {
    i64::try_from(bits).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(value: u128) -> Whole {
        Whole::new(value)
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_machine_words(a in any::<u64>(), b in any::<u64>(), s in 0usize..64) {
            let (x, y) = (u128::from(a), u128::from(b));
            prop_assert_eq!(whole(x).times(&whole(y)), whole(x * y));
            prop_assert_eq!(whole(x).plus(&whole(y)), whole(x + y));
            prop_assert_eq!(whole(x).shifted(s), whole(x << s));
            prop_assert_eq!(whole(x).cmp(&whole(y)), x.cmp(&y));
            prop_assert_eq!(whole(x).to_u64(), Some(a));
            let mut difference = whole(x.max(y));
            difference.take(&whole(x.min(y)));
            prop_assert_eq!(difference, whole(x.abs_diff(y)));
        }

        #[test]
        fn every_number_survives_as_a_fraction(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite() && value != 0.0);
            prop_assert_eq!(Fraction::of(value).nearest().to_bits(), bits);
        }

        #[test]
        fn quotients_and_sums_round_as_the_machine_does(a in any::<u64>(), b in any::<u64>()) {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            prop_assume!(x.is_finite() && y.is_finite() && x != 0.0 && y != 0.0);
            let (p, q) = (Fraction::of(x), Fraction::of(y));
            let quotient = Fraction {
                negative: p.negative != q.negative,
                numerator: p.numerator.times(&q.denominator),
                denominator: p.denominator.times(&q.numerator),
            };
            prop_assert_eq!(quotient.nearest().to_bits(), (x / y).to_bits());
            prop_assert_eq!(p.plus(&q).nearest().abs().to_bits(), (x + y).abs().to_bits());
        }
    }

    #[test]
    fn powers_stop_at_their_limit() {
        assert_eq!(whole(10).power(19, 64), Some(whole(10_000_000_000_000_000_000)));
        assert_eq!(whole(10).power(20, 64), None);
        assert_eq!(whole(3).power(u32::MAX, 1024), None);
        assert_eq!(whole(1).power(u32::MAX, 1), Some(whole(1)));
        assert_eq!(whole(7).power(0, 1), Some(whole(1)));
    }

    #[test]
    fn the_smallest_numbers_round_to_even() {
        let tiny = Fraction::of(f64::from_bits(1));
        let part = |n: u128, d: u128| Fraction {
            negative: false,
            numerator: tiny.numerator.times(&whole(n)),
            denominator: tiny.denominator.times(&whole(d)),
        };
        assert_eq!(part(1, 2).nearest().to_bits(), 0);
        assert_eq!(part(51, 100).nearest().to_bits(), 1);
        assert_eq!(part(3, 2).nearest().to_bits(), 2);
        assert_eq!(part(1, 5).nearest().to_bits(), 0);
    }
}
