//! Dose-volume histograms.

use crate::check::{not_negative, positive};
use twin_core::CoreError;

/// How much of an organ received how much dose: shares of the volume by dose.
///
/// ```
/// use twin_models::toxicity::DoseVolume;
/// let rectum = DoseVolume::differential([(10.0, 0.3), (30.0, 0.3), (50.0, 0.2), (70.0, 0.15), (76.0, 0.05)])?;
/// assert!((rectum.equivalent_uniform_dose(1.0 / 0.09)? - 62.4119).abs() < 1e-4);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DoseVolume {
    /// Dose in Gy and share of the volume; shares sum to 1.
    bins: Vec<(f64, f64)>,
    /// The greatest dose, which may lie above the middle of the last bin.
    greatest: f64,
}

impl DoseVolume {
    /// From a differential histogram: (dose in Gy, volume) of each bin, volumes in any one unit.
    ///
    /// # Errors
    /// [`CoreError`] for a dose or a volume that is negative or not finite, or without any volume.
    pub fn differential(bins: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, CoreError> {
        let check = |(dose, volume)| Ok((not_negative("dose of a bin in Gy", dose)?, not_negative("volume of a bin", volume)?));
        let mut bins = bins.into_iter().map(check).collect::<Result<Vec<_>, CoreError>>()?;
        let total = positive("volume of the organ", bins.iter().map(|(_, volume)| volume).sum())?;
        bins.iter_mut().for_each(|(_, volume)| *volume /= total);
        let greatest = bins.iter().filter(|(_, share)| *share > 0.0).fold(0.0_f64, |most, (dose, _)| most.max(*dose));
        Ok(Self { bins, greatest })
    }

    /// From a cumulative histogram: (dose in Gy, volume that receives at least that), doses rising from 0. The volume between two doses
    /// counts at their middle, that beyond the last dose at the last. The greatest dose is the upper one of the last two between which
    /// the volume falls, not their middle. Give doses 1 Gy apart or less: an equivalent uniform dose of a large exponent hangs on where in
    /// a wide bin its volume lies.
    ///
    /// # Errors
    /// [`CoreError`] for doses that do not rise from 0, volumes that rise, or no volume at all.
    pub fn cumulative(points: &[(f64, f64)]) -> Result<Self, CoreError> {
        let first =
            points.first().ok_or(CoreError::Count { what: "points of a cumulative histogram", count: 0, valid: "1 or more" })?;
        if first.0.abs() > 0.0 {
            return Err(CoreError::OutOfRange { what: "first dose of a cumulative histogram in Gy", value: first.0, valid: "0" });
        }
        let mut bins = Vec::with_capacity(points.len());
        for pair in points.windows(2) {
            if let &[(dose, volume), (next, rest)] = pair {
                positive("rise of dose in a cumulative histogram in Gy", next - dose)?;
                bins.push((0.5 * (dose + next), not_negative("fall of volume in a cumulative histogram", volume - rest)?));
            }
        }
        bins.extend(points.last());
        let filled = points.windows(2).rev().find_map(|pair| match pair {
            &[(_, volume), (next, rest)] if volume > rest => Some(next),
            _ => None,
        });
        let beyond = points.last().filter(|(_, rest)| *rest > 0.0).map(|(dose, _)| *dose);
        let mut histogram = Self::differential(bins)?;
        histogram.greatest = beyond.or(filled).unwrap_or(histogram.greatest);
        Ok(histogram)
    }

    /// The whole organ at `gray`.
    ///
    /// # Errors
    /// [`CoreError`] for a dose that is negative or not finite.
    pub fn uniform(gray: f64) -> Result<Self, CoreError> {
        Self::differential([(gray, 1.0)])
    }

    /// The mean dose, in Gy.
    #[must_use]
    pub fn mean_dose(&self) -> f64 {
        self.bins.iter().map(|(dose, share)| dose * share).sum()
    }

    /// The greatest dose that any volume receives, in Gy.
    #[must_use]
    pub const fn greatest_dose(&self) -> f64 {
        self.greatest
    }

    /// The generalized equivalent uniform dose, in Gy: `(Σ v D^a)^(1/a)`. Niemierko 1999.
    ///
    /// # Errors
    /// [`CoreError`] unless `a` is finite and above 0.
    pub fn equivalent_uniform_dose(&self, a: f64) -> Result<f64, CoreError> {
        let a = positive("exponent of the equivalent uniform dose", a)?;
        let most = self.greatest_dose();
        if most <= 0.0 {
            return Ok(0.0);
        }
        // Relative to the greatest dose, so that a large exponent does not overflow.
        let sum: f64 = self.bins.iter().map(|(dose, share)| share * (dose / most).powf(a)).sum();
        Ok(most * sum.powf(1.0 / a))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_histogram_tell_the_same() {
        let differential = DoseVolume::differential([(5.0, 2.0), (15.0, 1.0), (20.0, 1.0)]).unwrap();
        let cumulative = DoseVolume::cumulative(&[(0.0, 4.0), (10.0, 2.0), (20.0, 1.0)]).unwrap();
        assert_eq!(differential, cumulative);
        assert!((cumulative.mean_dose() - 11.25).abs() < 1e-12);
        assert!((cumulative.equivalent_uniform_dose(1.0).unwrap() - 11.25).abs() < 1e-12);
        assert!(cumulative.equivalent_uniform_dose(200.0).unwrap() > 19.0);
    }

    #[test]
    fn wide_bins_keep_the_greatest_dose() {
        let wide = DoseVolume::cumulative(&[(0.0, 1.0), (40.0, 1.0), (60.0, 0.0), (80.0, 0.0)]).unwrap();
        assert_eq!((wide.greatest_dose(), wide.mean_dose()), (60.0, 50.0));
        assert!((wide.equivalent_uniform_dose(3.0).unwrap() - 50.0).abs() < 1e-12);
        assert_eq!(DoseVolume::cumulative(&[(0.0, 1.0), (40.0, 0.2)]).unwrap().greatest_dose(), 40.0);
        assert_eq!(DoseVolume::cumulative(&[(0.0, 1.0)]).unwrap().greatest_dose(), 0.0);
    }

    #[test]
    fn broken_histograms_are_refused() {
        assert!(DoseVolume::differential([]).is_err());
        assert!(DoseVolume::differential([(10.0, -1.0)]).is_err());
        assert!(DoseVolume::cumulative(&[(0.0, 1.0), (10.0, 2.0)]).is_err());
        assert!(DoseVolume::cumulative(&[(1.0, 1.0)]).is_err());
        assert!(DoseVolume::cumulative(&[(0.0, 1.0), (0.0, 0.5)]).is_err());
    }
}
