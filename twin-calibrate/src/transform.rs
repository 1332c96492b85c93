//! Maps between a parameter's own range and the whole real line, where searches and samplers work.

/// A smooth, strictly increasing map from a range to the real line.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// The real line itself.
    Identity,
    /// Positive numbers, by the natural logarithm.
    Log,
    /// Numbers between two bounds, by the logit of their relative place.
    Logit {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
}

impl Transform {
    /// The place of `x` on the real line; NaN or infinite outside the range.
    #[must_use]
    pub fn to_real(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Log => x.ln(),
            Self::Logit { low, high } => ((x - low) / (high - x)).ln(),
        }
    }

    /// The number at the place `z` of the real line.
    #[must_use]
    pub fn from_real(self, z: f64) -> f64 {
        match self {
            Self::Identity => z,
            Self::Log => z.exp(),
            // Both forms avoid the overflow of the other; each keeps the result inside the bounds.
            Self::Logit { low, high } if z < 0.0 => {
                let e = z.exp();
                (low + high * e) / (1.0 + e)
            }
            Self::Logit { low, high } => {
                let e = (-z).exp();
                (low * e + high) / (1.0 + e)
            }
        }
    }

    /// The logarithm of the derivative of [`Transform::from_real`] at `z`.
    #[must_use]
    pub fn ln_derivative(self, z: f64) -> f64 {
        match self {
            Self::Identity => 0.0,
            Self::Log => z,
            Self::Logit { low, high } => (high - low).ln() - z.abs() - 2.0 * (-z.abs()).exp().ln_1p(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Transform; 3] = [Transform::Identity, Transform::Log, Transform::Logit { low: 0.2, high: 3.0 }];

    proptest! {
        #[test]
        fn there_and_back(z in -20.0..20.0_f64) {
            for transform in ALL {
                let back = transform.to_real(transform.from_real(z));
                prop_assert!((back - z).abs() < 1e-6 * z.abs().max(1.0), "{transform:?}: {z} became {back}");
            }
        }

        #[test]
        fn the_derivative_is_the_slope(z in -8.0..8.0_f64) {
            for transform in ALL {
                let slope = (transform.from_real(z + 1e-5) - transform.from_real(z - 1e-5)) / 2e-5;
                prop_assert!((slope.ln() - transform.ln_derivative(z)).abs() < 1e-5, "{transform:?} at {z}");
            }
        }
    }
}
