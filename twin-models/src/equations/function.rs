//! The functions of expressions.

use std::ops::RangeInclusive;

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $arity:expr;)*) => {
        /// A function of an expression, as MathML has it. Angles are in radians.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Function {
            $($(#[$doc])* $variant,)*
        }

        impl Function {
            /// Its name in [`Expression::parse`](super::Expression::parse); operators have names too.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The function of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            const fn arity(self) -> RangeInclusive<usize> {
                match self { $(Self::$variant => $arity,)* }
            }
        }
    };
}

const MANY: usize = 1 << 16;

functions! {
    /// The sum; of nothing it is 0.
    Add "plus" 0..=MANY;
    /// The first less the second.
    Subtract "minus" 2..=2;
    /// The negative.
    Negate "negate" 1..=1;
    /// The product; of nothing it is 1.
    Multiply "times" 0..=MANY;
    /// The first over the second.
    Divide "divide" 2..=2;
    /// The first to the power of the second.
    Power "pow" 2..=2;
    /// The root of the degree of the first of the second.
    Root "root" 2..=2;
    /// The square root.
    SquareRoot "sqrt" 1..=1;
    /// The absolute value.
    Absolute "abs" 1..=1;
    /// The exponential.
    Exponential "exp" 1..=1;
    /// The natural logarithm.
    NaturalLogarithm "ln" 1..=1;
    /// The logarithm to the base of the first of the second.
    Logarithm "log" 2..=2;
    /// The decimal logarithm.
    DecimalLogarithm "log10" 1..=1;
    /// The largest whole number not above it.
    Floor "floor" 1..=1;
    /// The least whole number not below it.
    Ceiling "ceil" 1..=1;
    /// The factorial; only whole numbers from 0 have one.
    Factorial "factorial" 1..=1;
    /// The quotient, cut towards 0.
    Quotient "quotient" 2..=2;
    /// What is left after the quotient; it has the sign of the first.
    Remainder "rem" 2..=2;
    /// The largest.
    Maximum "max" 1..=MANY;
    /// The least.
    Minimum "min" 1..=MANY;
    /// Sine.
    Sine "sin" 1..=1;
    /// Cosine.
    Cosine "cos" 1..=1;
    /// Tangent.
    Tangent "tan" 1..=1;
    /// Secant.
    Secant "sec" 1..=1;
    /// Cosecant.
    Cosecant "csc" 1..=1;
    /// Cotangent.
    Cotangent "cot" 1..=1;
    /// Hyperbolic sine.
    HyperbolicSine "sinh" 1..=1;
    /// Hyperbolic cosine.
    HyperbolicCosine "cosh" 1..=1;
    /// Hyperbolic tangent.
    HyperbolicTangent "tanh" 1..=1;
    /// Inverse sine.
    InverseSine "asin" 1..=1;
    /// Inverse cosine.
    InverseCosine "acos" 1..=1;
    /// Inverse tangent.
    InverseTangent "atan" 1..=1;
    /// Inverse hyperbolic sine.
    InverseHyperbolicSine "asinh" 1..=1;
    /// Inverse hyperbolic cosine.
    InverseHyperbolicCosine "acosh" 1..=1;
    /// Inverse hyperbolic tangent.
    InverseHyperbolicTangent "atanh" 1..=1;
    /// Whether each is below the next.
    Less "lt" 1..=MANY;
    /// Whether each is at most the next.
    AtMost "leq" 1..=MANY;
    /// Whether each is above the next.
    Greater "gt" 1..=MANY;
    /// Whether each is at least the next.
    AtLeast "geq" 1..=MANY;
    /// Whether all are equal.
    Equal "eq" 1..=MANY;
    /// Whether two differ.
    Differ "neq" 2..=2;
    /// Whether all are true.
    All "and" 0..=MANY;
    /// Whether any is true.
    Any "or" 0..=MANY;
    /// Whether an odd number is true.
    Odd "xor" 0..=MANY;
    /// Whether it is false.
    Not "not" 1..=1;
    /// Whether the second is true, or the first is not.
    Implies "implies" 2..=2;
    /// Pairs of a value and its condition: the value of the first condition that is true, or what stands alone at the end. Without
    /// either it has no value: it is not a number.
    Piecewise "piecewise" 1..=MANY;
}

impl Function {
    /// Whether it takes `count` arguments.
    #[must_use]
    pub fn takes(self, count: usize) -> bool {
        self.arity().contains(&count)
    }

    /// Whether it compares numbers.
    pub(super) const fn compares(self) -> bool {
        matches!(self, Self::Less | Self::AtMost | Self::Greater | Self::AtLeast | Self::Equal | Self::Differ)
    }

    /// The value for these arguments. [`Function::Piecewise`] and a number of arguments that it does not take have none.
    pub(super) fn of(self, arguments: &[f64]) -> f64 {
        let chain = |holds: fn(f64, f64) -> bool| truth(arguments.windows(2).all(|pair| holds(pair[0], pair[1])));
        match (self, arguments) {
            (Self::Add, _) => arguments.iter().sum(),
            (Self::Multiply, _) => arguments.iter().product(),
            (Self::Maximum, _) => arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            (Self::Minimum, _) => arguments.iter().copied().fold(f64::INFINITY, f64::min),
            (Self::All, _) => truth(arguments.iter().all(|value| is_true(*value))),
            (Self::Any, _) => truth(arguments.iter().any(|value| is_true(*value))),
            (Self::Odd, _) => truth(arguments.iter().filter(|value| is_true(**value)).count() % 2 == 1),
            (Self::Less, _) => chain(|a, b| a < b),
            (Self::AtMost, _) => chain(|a, b| a <= b),
            (Self::Greater, _) => chain(|a, b| a > b),
            (Self::AtLeast, _) => chain(|a, b| a >= b),
            (Self::Equal, _) => chain(same),
            (_, [a]) => self.of_one(*a),
            (_, [a, b]) => self.of_two(*a, *b),
            _ => f64::NAN,
        }
    }

    fn of_one(self, a: f64) -> f64 {
        match self {
            Self::Negate => -a,
            Self::SquareRoot => a.sqrt(),
            Self::Absolute => a.abs(),
            Self::Exponential => a.exp(),
            Self::NaturalLogarithm => a.ln(),
            Self::DecimalLogarithm => a.log10(),
            Self::Floor => a.floor(),
            Self::Ceiling => a.ceil(),
            Self::Factorial => factorial(a),
            Self::Sine => a.sin(),
            Self::Cosine => a.cos(),
            Self::Tangent => a.tan(),
            Self::Secant => a.cos().recip(),
            Self::Cosecant => a.sin().recip(),
            Self::Cotangent => a.tan().recip(),
            Self::HyperbolicSine => a.sinh(),
            Self::HyperbolicCosine => a.cosh(),
            Self::HyperbolicTangent => a.tanh(),
            Self::InverseSine => a.asin(),
            Self::InverseCosine => a.acos(),
            Self::InverseTangent => a.atan(),
            Self::InverseHyperbolicSine => a.asinh(),
            Self::InverseHyperbolicCosine => a.acosh(),
            Self::InverseHyperbolicTangent => a.atanh(),
            Self::Not => truth(!is_true(a)),
            _ => f64::NAN,
        }
    }

    fn of_two(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Subtract => a - b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
            Self::Root => b.powf(a.recip()),
            Self::Logarithm => b.ln() / a.ln(),
            Self::Quotient => (a / b).trunc(),
            Self::Remainder => a % b,
            Self::Differ => truth(!same(a, b)),
            Self::Implies => truth(!is_true(a) || is_true(b)),
            _ => f64::NAN,
        }
    }
}

/// Whether a value is taken for true.
pub(super) fn is_true(value: f64) -> bool {
    !same(value, 0.0)
}

const fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// Equality as the format means it: of the numbers, to the bit.
#[allow(clippy::float_cmp)]
fn same(a: f64, b: f64) -> bool {
    a == b
}

/// The factorial of a whole number up to 170, beyond which it is infinite; of any other number there is none.
fn factorial(n: f64) -> f64 {
    if n < 0.0 || !same(n.fract(), 0.0) || n.is_nan() {
        return f64::NAN;
    }
    if n > 170.0 {
        return f64::INFINITY;
    }
    (1..=n as u32).map(f64::from).product()
}
