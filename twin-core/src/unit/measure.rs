//! What a unit code means: an exact factor, a dimension and, for special units, a law.

use super::exact::{Fraction, Whole};

/// The most bits of a numerator or denominator.
const MOST_BITS: usize = 1024;
/// The largest power of ten of a factor, either way.
const MOST_TENS: u32 = 1000;
/// The largest power of pi of a factor, either way.
const MOST_PI: u32 = 16;
/// Pi to 36 digits, in units of 10^-35.
const PI: u128 = 314_159_265_358_979_323_846_264_338_327_950_288;
const PI_TENS: i32 = -35;

/// An exact factor: `numerator / denominator * 10^tens * pi^pi`, above zero.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    numerator: Whole,
    denominator: Whole,
    tens: i32,
    pi: i32,
}

impl Factor {
    pub(super) fn one() -> Self {
        Self::of(1, 0)
    }

    /// `number * 10^tens`.
    pub(super) fn of(number: u128, tens: i32) -> Self {
        Self { numerator: Whole::new(number), denominator: Whole::new(1), tens, pi: 0 }
    }

    pub(super) fn pi() -> Self {
        Self { pi: 1, ..Self::one() }
    }

    /// `None` when the product is beyond the limits of a factor.
    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        Self {
            numerator: self.numerator.times(&other.numerator),
            denominator: self.denominator.times(&other.denominator),
            tens: self.tens.checked_add(other.tens)?,
            pi: self.pi.checked_add(other.pi)?,
        }
        .limited()
    }

    pub(super) fn inverse(&self) -> Self {
        Self { numerator: self.denominator.clone(), denominator: self.numerator.clone(), tens: -self.tens, pi: -self.pi }
    }

    /// `None` when the power is beyond the limits of a factor.
    pub(super) fn power(&self, exponent: i32) -> Option<Self> {
        let size = exponent.unsigned_abs();
        let power = Self {
            numerator: self.numerator.power(size, MOST_BITS)?,
            denominator: self.denominator.power(size, MOST_BITS)?,
            tens: self.tens.checked_mul(i32::try_from(size).ok()?)?,
            pi: self.pi.checked_mul(i32::try_from(size).ok()?)?,
        };
        if exponent < 0 { power.inverse().limited() } else { power.limited() }
    }

    fn limited(self) -> Option<Self> {
        let fits = self.numerator.bits() <= MOST_BITS
            && self.denominator.bits() <= MOST_BITS
            && self.tens.unsigned_abs() <= MOST_TENS
            && self.pi.unsigned_abs() <= MOST_PI;
        fits.then_some(self)
    }

    /// `self / other`, whatever its size.
    fn per(&self, other: &Self) -> Self {
        Self {
            numerator: self.numerator.times(&other.denominator),
            denominator: self.denominator.times(&other.numerator),
            tens: self.tens - other.tens,
            pi: self.pi - other.pi,
        }
    }

    fn is_one(&self) -> bool {
        let plain = self.fraction();
        self.pi == 0 && plain.numerator == plain.denominator
    }

    /// The factor as numerator and denominator, with pi to 36 digits.
    fn fraction(&self) -> Fraction {
        let (mut numerator, mut denominator) = (self.numerator.clone(), self.denominator.clone());
        let mut scale = |base: u128, exponent: i32| {
            let power = Whole::new(base).power(exponent.unsigned_abs(), usize::MAX).unwrap_or(Whole::new(1));
            let side = if exponent < 0 { &mut denominator } else { &mut numerator };
            *side = side.times(&power);
        };
        scale(10, self.tens + self.pi * PI_TENS);
        scale(PI, self.pi);
        Fraction { negative: false, numerator, denominator }
    }

    /// The factor as one whole number to multiply by and one to divide by, where both are small.
    fn plain(&self) -> Option<(u64, u64)> {
        let power = 10u64.checked_pow(self.tens.unsigned_abs())?;
        let (up, down) = if self.tens < 0 { (1, power) } else { (power, 1) };
        let up = u128::from(self.numerator.to_u64()?) * u128::from(up);
        let down = u128::from(self.denominator.to_u64()?) * u128::from(down);
        let common = common_divisor(up, down).max(1);
        let (up, down) = (up / common, down / common);
        (self.pi == 0).then_some((u64::try_from(up).ok()?, u64::try_from(down).ok()?))
    }

    /// `value` times the factor, correctly rounded.
    fn apply(&self, value: f64) -> f64 {
        const WHOLE: u64 = 1 << 53; // up to here every whole number is exactly a number
        #[allow(clippy::cast_precision_loss)]
        match self.plain() {
            Some((1, 1)) => value,
            Some((up @ ..=WHOLE, 1)) => value * up as f64,
            Some((1, down @ ..=WHOLE)) => value / down as f64,
            _ if value.abs() > 0.0 => self.fraction_of(value).nearest(),
            _ => value,
        }
    }

    fn fraction_of(&self, value: f64) -> Fraction {
        let (factor, value) = (self.fraction(), Fraction::of(value));
        Fraction {
            negative: value.negative,
            numerator: value.numerator.times(&factor.numerator),
            denominator: value.denominator.times(&factor.denominator),
        }
    }
}

fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Powers of base units and of arbitrary units, in order of their index, without zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dimension(Vec<(usize, i32)>);

impl Dimension {
    pub(super) fn base(index: usize) -> Self {
        Self(vec![(index, 1)])
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        let mut sum = self.0.clone();
        for (index, exponent) in &other.0 {
            match sum.iter_mut().find(|(at, _)| at == index) {
                Some((_, total)) => *total = total.checked_add(*exponent)?,
                None => sum.push((*index, *exponent)),
            }
        }
        sum.retain(|(_, exponent)| *exponent != 0);
        sum.sort_unstable();
        Some(Self(sum))
    }

    pub(super) fn power(&self, exponent: i32) -> Option<Self> {
        if exponent == 0 {
            return Some(Self::default());
        }
        self.0.iter().map(|(index, power)| Some((*index, power.checked_mul(exponent)?))).collect::<Option<_>>().map(Self)
    }
}

/// How a special unit counts, where `r` is the value in its reference unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// `x = r - offset`, the offset in hundredths.
    Offset(u32),
    /// `x = times * log(r)` to the base.
    Logarithm {
        /// The base of the logarithm.
        base: u32,
        /// What the logarithm is multiplied by.
        times: i32,
    },
    /// `x = ln(r)`.
    Natural,
    /// `x = 100 tan(r)`, `r` in radians.
    Tangent,
    /// `x = sqrt(r)`.
    Root,
}

impl Law {
    fn reference_of(self, x: f64) -> f64 {
        match self {
            Self::Offset(hundredths) => x + f64::from(hundredths) / 100.0,
            Self::Logarithm { base, times } => f64::from(base).powf(x / f64::from(times)),
            Self::Natural => x.exp(),
            Self::Tangent => (x / 100.0).atan(),
            Self::Root => x * x,
        }
    }

    fn count_of(self, r: f64) -> f64 {
        match self {
            Self::Offset(hundredths) => r - f64::from(hundredths) / 100.0,
            Self::Logarithm { base: 2, times } => r.log2() * f64::from(times),
            Self::Logarithm { base, times } => r.log10() / f64::from(base).log10() * f64::from(times),
            Self::Natural => r.ln(),
            Self::Tangent => r.tan() * 100.0,
            Self::Root => r.sqrt(),
        }
    }
}

/// A special unit: its law, and how many of the law's counts one unit is (its prefix).
#[derive(Debug, Clone)]
pub(super) struct Special {
    pub(super) law: Law,
    pub(super) step: Factor,
}

/// The meaning of a unit code. For a special unit, the factor is that of its reference unit.
#[derive(Debug, Clone)]
pub(super) struct Measure {
    pub(super) factor: Factor,
    pub(super) dimension: Dimension,
    pub(super) special: Option<Special>,
}

impl Measure {
    pub(super) fn of(factor: Factor) -> Self {
        Self { factor, dimension: Dimension::default(), special: None }
    }

    fn is_number(&self) -> bool {
        self.special.is_none() && self.dimension.is_none()
    }

    /// `self` times a number; the number scales the count of a special unit.
    pub(super) fn scaled(&self, by: &Factor) -> Result<Self, &'static str> {
        let mut scaled = self.clone();
        let target = scaled.special.as_mut().map_or(&mut scaled.factor, |special| &mut special.step);
        *target = target.times(by).ok_or(TOO_LARGE)?;
        Ok(scaled)
    }

    pub(super) fn times(&self, other: &Self) -> Result<Self, &'static str> {
        if other.is_number() {
            return self.scaled(&other.factor);
        }
        if self.is_number() {
            return other.scaled(&self.factor);
        }
        if self.special.is_some() || other.special.is_some() {
            return Err(SPECIAL);
        }
        let factor = self.factor.times(&other.factor).ok_or(TOO_LARGE)?;
        let dimension = self.dimension.times(&other.dimension).ok_or(TOO_LARGE)?;
        Ok(Self { factor, dimension, special: None })
    }

    pub(super) fn power(&self, exponent: i32) -> Result<Self, &'static str> {
        if exponent == 1 {
            return Ok(self.clone());
        }
        if self.special.is_some() {
            return Err(SPECIAL);
        }
        let factor = self.factor.power(exponent).ok_or(TOO_LARGE)?;
        let dimension = self.dimension.power(exponent).ok_or(TOO_LARGE)?;
        Ok(Self { factor, dimension, special: None })
    }

    pub(super) fn same_as(&self, other: &Self) -> bool {
        let specials = match (&self.special, &other.special) {
            (None, None) => true,
            (Some(a), Some(b)) => a.law == b.law && a.step.per(&b.step).is_one(),
            _ => false,
        };
        specials && self.dimension == other.dimension && self.factor.per(&other.factor).is_one()
    }

    /// `value` of `self` counted in `to`, which must have the same dimension. Not finite where the law of `to` has no value.
    pub(super) fn convert(&self, value: f64, to: &Self) -> f64 {
        let ratio = self.factor.per(&to.factor);
        match (&self.special, &to.special) {
            (None, None) => ratio.apply(value),
            (Some(a), Some(b)) if a.law == b.law && ratio.is_one() => a.step.per(&b.step).apply(value),
            (from, into) => {
                let offset = |side: &Option<Special>| match side {
                    None => Some((Factor::one(), 0)),
                    Some(Special { law: Law::Offset(hundredths), step }) => Some((step.clone(), *hundredths)),
                    Some(_) => None,
                };
                match (offset(from), offset(into)) {
                    (Some(a), Some(b)) => shift(value, &ratio, &a, &b),
                    _ => {
                        let r = from.as_ref().map_or(value, |special| special.law.reference_of(special.step.apply(value)));
                        let r = ratio.apply(r);
                        into.as_ref().map_or(r, |special| special.step.inverse().apply(special.law.count_of(r)))
                    }
                }
            }
        }
    }

    /// As [`Measure::convert`] between an amount of substance and a mass of `molar_mass` grams per mole, either way; `None` when
    /// the two differ by something other than one power of mass.
    pub(super) fn convert_through_mass(&self, value: f64, to: &Self, gram: &Self, mole: &Self, molar_mass: f64) -> Option<f64> {
        if self.special.is_some() || to.special.is_some() {
            return None;
        }
        let ratio = self.factor.per(&to.factor);
        let grams_per_mole = gram.factor.per(&mole.factor);
        let mut fraction;
        let mass = Fraction::of(molar_mass);
        if self.dimension == to.dimension.times(&gram.dimension)? {
            fraction = ratio.per(&grams_per_mole).fraction_of(value);
            fraction.numerator = fraction.numerator.times(&mass.denominator);
            fraction.denominator = fraction.denominator.times(&mass.numerator);
        } else if to.dimension == self.dimension.times(&gram.dimension)? {
            fraction = ratio.per(&grams_per_mole.inverse()).fraction_of(value);
            fraction.numerator = fraction.numerator.times(&mass.numerator);
            fraction.denominator = fraction.denominator.times(&mass.denominator);
        } else {
            return None;
        }
        Some(fraction.nearest())
    }
}

/// `(value * from.step + from.offset) * ratio`, counted by `into`: exact until the one rounding at the end.
fn shift(value: f64, ratio: &Factor, from: &(Factor, u32), into: &(Factor, u32)) -> f64 {
    let per_step = |factor: &Factor| factor.per(&into.0);
    let scaled = |by: u32| Factor::of(u128::from(by), -2);
    let slope = per_step(ratio).per(&from.0.inverse());
    let rise = per_step(&ratio.per(&scaled(from.1).inverse())).fraction();
    let mut fall = per_step(&scaled(into.1)).fraction();
    fall.negative = true;
    slope.fraction_of(value).plus(&rise).plus(&fall).nearest()
}

pub(super) const TOO_LARGE: &str = "its factor or an exponent is too large";
pub(super) const SPECIAL: &str = "a special unit such as Cel combines with numbers only";
