//! Dose that is delivered over hours and months: continuous irradiation and decaying sources.

use super::{AlphaBetaRatio, RepairHalfTime, lea_catcheside};
use crate::check::{not_negative, positive};
use twin_core::{CoreError, Span};

/// The biologically effective dose, in Gy, of irradiation at a constant `gray_per_hour` over `duration`: `R T (1 + G R T / (α/β))` with the
/// factor `G` of [`lea_catcheside`].
///
/// Dale 1985, British Journal of Radiology 58:515 (recalled), in the form `R T (1 + 2 R / (μ α/β) (1 - (1 - exp(-μ T)) / (μ T)))`.
///
/// ```
/// use twin_core::Span;
/// use twin_models::radiation::{AlphaBetaRatio, RepairHalfTime, continuous_dose};
/// let late = AlphaBetaRatio::from_gray(3.0)?;
/// let half_time = RepairHalfTime::from_hours(1.5)?;
/// // 60 Gy in 120 hours spares late reactions against 60 Gy in an instant.
/// let slow = continuous_dose(late, half_time, 0.5, Span::from_hours(120.0)?)?;
/// assert!(slow < 110.0);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a rate or a duration that is negative or not finite.
pub fn continuous_dose(
    ratio: AlphaBetaRatio,
    half_time: RepairHalfTime,
    gray_per_hour: f64,
    duration: Span,
) -> Result<f64, CoreError> {
    let rate = not_negative("dose rate in Gy/h", gray_per_hour)?;
    let dose = rate * not_negative("duration of delivery in hours", duration.days() * 24.0)?;
    Ok(dose * (1.0 + lea_catcheside(half_time, duration)? * dose / ratio.gray()))
}

/// The biologically effective dose, in Gy, of a permanent source that starts at `gray_per_hour` and decays with `source_half_life`:
/// `D (1 + R₀ / ((μ + λ) α/β))` with the dose `D = R₀/λ`. Repopulation is not in it.
///
/// Dale 1985, British Journal of Radiology 58:515 (recalled).
///
/// # Errors
/// [`CoreError`] for a rate that is negative or a half-life that is not above 0.
pub fn decaying_source_dose(
    ratio: AlphaBetaRatio,
    half_time: RepairHalfTime,
    gray_per_hour: f64,
    source_half_life: Span,
) -> Result<f64, CoreError> {
    let rate = not_negative("dose rate in Gy/h", gray_per_hour)?;
    let decay = std::f64::consts::LN_2 / positive("half-life of a source in hours", source_half_life.days() * 24.0)?;
    let repair = std::f64::consts::LN_2 / half_time.hours();
    Ok(rate / decay * (1.0 + rate / ((repair + decay) * ratio.gray())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radiation::Tissue;
    use twin_core::{AbsorbedDose, Target, Time, TimedTreatment, Treatment};

    fn late() -> (AlphaBetaRatio, RepairHalfTime) {
        (AlphaBetaRatio::from_gray(3.0).unwrap(), RepairHalfTime::from_hours(1.5).unwrap())
    }

    #[test]
    fn many_small_fractions_are_continuous_irradiation() {
        let (ratio, half_time) = late();
        let tumor = Target::new("tumor").unwrap();
        let n = 4000;
        let each = Treatment::fraction(AbsorbedDose::from_gray(12.0 / f64::from(n)).unwrap(), tumor.clone());
        let at = |i: i32| Time::from_days((f64::from(i) + 0.5) / f64::from(n)).unwrap();
        let course: Vec<_> = (0..n).map(|i| TimedTreatment::new(at(i), each.clone())).collect();
        let pulses = Tissue::new(ratio).repairing(half_time).biological_dose(&course, &tumor).unwrap().bed_gray;
        let continuous = continuous_dose(ratio, half_time, 0.5, Span::DAY).unwrap();
        assert!((pulses / continuous - 1.0).abs() < 1e-4, "{pulses} and {continuous}");
    }

    #[test]
    fn a_source_that_hardly_decays_is_a_constant_rate_and_one_that_decays_at_once_an_instant() {
        let (ratio, half_time) = late();
        // At a constant rate over long T, BED per dose tends to 1 + 2 R/(mu ratio); a decaying source has half of that, R0 on average R0/2.
        let long = Span::from_days(1e5).unwrap();
        let repair = std::f64::consts::LN_2 / 1.5;
        let source = decaying_source_dose(ratio, half_time, 0.07, long).unwrap();
        let dose = 0.07 / (std::f64::consts::LN_2 / (24.0 * 1e5));
        assert!((source / dose - (1.0 + 0.07 / (repair * 3.0))).abs() < 1e-6);
        // 10 Gy within a moment: 10 (1 + 10/3).
        let moment = Span::from_hours(1e-6).unwrap();
        let rate = 10.0 * std::f64::consts::LN_2 / 1e-6;
        assert!((decaying_source_dose(ratio, half_time, rate, moment).unwrap() - 10.0 * (1.0 + 10.0 / 3.0)).abs() < 1e-4);
        assert!((continuous_dose(ratio, half_time, 1e7, moment).unwrap() - 10.0 * (1.0 + 10.0 / 3.0)).abs() < 1e-4);
    }

    #[test]
    fn what_is_no_irradiation_is_refused() {
        let (ratio, half_time) = late();
        assert!(continuous_dose(ratio, half_time, -1.0, Span::DAY).is_err());
        assert!(decaying_source_dose(ratio, half_time, 1.0, Span::ZERO).is_err());
    }
}
