//! The linear-quadratic model, its linear tail at high doses, and the doses that are worth the same.

use crate::check::{not_negative, positive, within};
use twin_core::{AbsorbedDose, CoreError};

/// The ratio α/β of a tissue, in Gy: low for late reactions, high for most tumors.
///
/// Fowler 1989, doi:10.1259/0007-1285-62-740-679.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct AlphaBetaRatio(f64);

impl AlphaBetaRatio {
    /// A ratio of `gray`.
    ///
    /// # Errors
    /// [`CoreError`] unless it is finite and above 0.
    pub fn from_gray(gray: f64) -> Result<Self, CoreError> {
        positive("ratio of alpha to beta in Gy", gray).map(Self)
    }

    /// The ratio in Gy.
    #[must_use]
    pub const fn gray(self) -> f64 {
        self.0
    }

    /// The biologically effective dose of `fractions` of `dose` each, in Gy: `n d (1 + d / (α/β))`.
    #[must_use]
    pub fn biologically_effective_dose_gray(self, fractions: u32, dose: AbsorbedDose) -> f64 {
        f64::from(fractions) * dose.gray() * (1.0 + dose.gray() / self.0)
    }

    /// The total dose in fractions of 2 Gy that is worth the same, in Gy: `BED / (1 + 2 / (α/β))`.
    #[must_use]
    pub fn equivalent_dose_in_2_gray_fractions(self, fractions: u32, dose: AbsorbedDose) -> f64 {
        self.equivalent_of_biologically_effective_dose(self.biologically_effective_dose_gray(fractions, dose))
    }

    /// The total dose in fractions of 2 Gy that is worth a biologically effective dose of `bed_gray`, in Gy.
    #[must_use]
    pub fn equivalent_of_biologically_effective_dose(self, bed_gray: f64) -> f64 {
        bed_gray / (1.0 + 2.0 / self.0)
    }
}

/// The linear-quadratic model: a dose `d` leaves the share `exp(-(α d + β d²))` of cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearQuadratic {
    alpha: f64,
    beta: f64,
}

impl LinearQuadratic {
    /// The model with `alpha` per Gy and `beta` per Gy².
    ///
    /// # Errors
    /// [`CoreError`] unless `alpha` is above 0 and `beta` is 0 or more, both finite.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, CoreError> {
        Ok(Self { alpha: positive("alpha per Gy", alpha)?, beta: not_negative("beta per Gy2", beta)? })
    }

    /// The model with `alpha` per Gy and the ratio of `alpha` to beta.
    ///
    /// # Errors
    /// As [`LinearQuadratic::new`].
    pub fn with_ratio(alpha: f64, ratio: AlphaBetaRatio) -> Result<Self, CoreError> {
        Self::new(alpha, alpha / ratio.gray())
    }

    /// α, per Gy.
    #[must_use]
    pub const fn alpha(self) -> f64 {
        self.alpha
    }

    /// β, per Gy².
    #[must_use]
    pub const fn beta(self) -> f64 {
        self.beta
    }

    /// The effect of one fraction, `α d + β d²`: minus the logarithm of the share that survives.
    #[must_use]
    #[inline]
    pub fn effect(self, dose: AbsorbedDose) -> f64 {
        let d = dose.gray();
        (self.alpha + self.beta * d) * d
    }

    /// The share of cells that survives `fractions` of `dose` each, with complete repair in between.
    #[must_use]
    pub fn survival(self, fractions: u32, dose: AbsorbedDose) -> f64 {
        (-f64::from(fractions) * self.effect(dose)).exp()
    }

    /// The model of cells that need `ratio` times the dose: `α / OER`, `β / OER²`.
    ///
    /// # Errors
    /// [`CoreError`] unless `ratio` is finite and at least 1.
    pub fn at_oxygen_enhancement(self, ratio: f64) -> Result<Self, CoreError> {
        let ratio = within("oxygen enhancement ratio", ratio, ratio >= 1.0, "1 or more")?;
        Self::new(self.alpha / ratio, self.beta / (ratio * ratio))
    }
}

/// The linear-quadratic-linear model: beyond a transition dose the effect goes on along its tangent, `α + 2 β D_T` per Gy.
///
/// Astrahan 2008, doi:10.1118/1.2969065 (recalled), with the slope of the tangent for its γ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearQuadraticLinear {
    below: LinearQuadratic,
    transition: AbsorbedDose,
}

impl LinearQuadraticLinear {
    /// The model that is `below` up to the dose `transition`.
    #[must_use]
    pub const fn new(below: LinearQuadratic, transition: AbsorbedDose) -> Self {
        Self { below, transition }
    }

    /// The effect of one fraction: minus the logarithm of the share that survives.
    #[must_use]
    #[inline]
    pub fn effect(self, dose: AbsorbedDose) -> f64 {
        let (d, turn) = (dose.gray(), self.transition.gray());
        if d <= turn {
            return self.below.effect(dose);
        }
        self.below.effect(self.transition) + (self.below.alpha + 2.0 * self.below.beta * turn) * (d - turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(dose: f64) -> AbsorbedDose {
        AbsorbedDose::from_gray(dose).unwrap()
    }

    #[test]
    fn equal_effect_is_equal_biologically_effective_dose() {
        let ratio = AlphaBetaRatio::from_gray(3.0).unwrap();
        let model = LinearQuadratic::with_ratio(0.2, ratio).unwrap();
        let (bed, survival) = (ratio.biologically_effective_dose_gray(16, gray(2.66)), model.survival(16, gray(2.66)));
        assert!((-survival.ln() / 0.2 - bed).abs() < 1e-10);
        let in_twos = ratio.equivalent_dose_in_2_gray_fractions(16, gray(2.66));
        assert!((in_twos * (1.0 + 2.0 / 3.0) - bed).abs() < 1e-10);
    }

    #[test]
    fn the_linear_tail_is_smooth() {
        let model = LinearQuadraticLinear::new(LinearQuadratic::new(0.3, 0.03).unwrap(), gray(6.2));
        let slope = |a: f64, b: f64| (model.effect(gray(b)) - model.effect(gray(a))) / (b - a);
        assert!((slope(6.2 - 1e-6, 6.2) - slope(6.2, 6.2 + 1e-6)).abs() < 1e-5);
    }

    #[test]
    fn what_is_no_radiosensitivity_is_refused() {
        assert!(AlphaBetaRatio::from_gray(0.0).is_err());
        assert!(LinearQuadratic::new(f64::NAN, 0.03).is_err());
        assert!(LinearQuadratic::new(0.3, -0.03).is_err());
        assert!(LinearQuadratic::new(0.3, 0.03).unwrap().at_oxygen_enhancement(0.9).is_err());
    }
}
