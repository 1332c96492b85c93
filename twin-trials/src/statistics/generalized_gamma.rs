//! Accelerated failure times with a law whose shape is estimated too.

use super::accelerated::{AcceleratedFit, Prepared};
use super::coefficient::Coefficient;
use super::newton::{Maximum, inverse};
use super::period::Period;
use crate::TrialError;
use nalgebra::{DMatrix, DVector};
use twin_models::survival::TimeLaw;

const WHAT: &str = "generalized gamma regression";
/// Shapes that are searched.
const SHAPES: (f64, f64) = (-4.0, 4.0);
/// The step of differences along the shape.
const STEP: f64 = 1e-4;

/// What [`generalized_gamma`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneralizedGammaFit {
    /// The regression; its standard errors and its covariance allow for the shape not being known.
    pub regression: AcceleratedFit,
    /// The shape `Q`: 1 is the Weibull law, 0 the log-normal one.
    pub shape: Coefficient,
}

impl GeneralizedGammaFit {
    /// Akaike's criterion, the shape counted: smaller is better among laws fitted to the same periods.
    #[must_use]
    pub fn akaike(&self) -> f64 {
        self.regression.akaike() + 2.0
    }
}

/// [`AcceleratedRegression`](super::AcceleratedRegression) with times of the [generalized gamma law](TimeLaw::GeneralizedGamma), whose shape is
/// estimated between -4 and 4: it holds the Weibull and the log-normal law, and tells which of them the data are like.
///
/// ```
/// use twin_trials::statistics::{FollowUp, Period, generalized_gamma};
/// let times = [12.0, 25.0, 31.0, 44.0, 52.0, 67.0, 80.0, 95.0, 130.0, 210.0];
/// let periods: Vec<Period> = times.iter().map(|&time| Period::new(FollowUp::event(time), [])).collect();
/// let fit = generalized_gamma(&[], &periods)?;
/// assert!((fit.shape.estimate - 1.0).abs() < 2.0 * fit.shape.standard_error); // no evidence against the Weibull law
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// As [`AcceleratedRegression::fit`](super::AcceleratedRegression::fit); [`TrialError::NotIdentified`] where the likelihood has no maximum at a shape
/// between these.
pub fn generalized_gamma(names: &[&str], periods: &[Period]) -> Result<GeneralizedGammaFit, TrialError> {
    let prepared = Prepared::new(names, periods)?;
    let law = |shape: f64| TimeLaw::GeneralizedGamma { shape };
    let unknown = || TrialError::NotIdentified { what: WHAT, name: "shape".to_owned() };
    // How the likelihood rises along the shape where all else is at its best: by the envelope theorem its slope at that place.
    let rise = |shape: f64| -> Result<f64, TrialError> {
        let place = prepared.solve(law(shape))?.coefficients;
        let at = |shape: f64| prepared.at(law(shape), &place).ln_likelihood;
        Ok((at(shape + STEP) - at(shape - STEP)) / (2.0 * STEP))
    };
    // The most likely of a row of shapes; some may have no solution.
    let row = (0..=32).map(|step| SHAPES.0 + (SHAPES.1 - SHAPES.0) * f64::from(step) / 32.0);
    let solved = row.filter_map(|shape| Some((shape, prepared.solve(law(shape)).ok()?.ln_likelihood)));
    let (best, _) = solved.max_by(|a, b| a.1.total_cmp(&b.1)).ok_or_else(unknown)?;
    let (mut low, mut high) = (best - 0.25, best + 0.25);
    if best <= SHAPES.0 || best >= SHAPES.1 || rise(low)? < 0.0 || rise(high)? > 0.0 {
        return Err(unknown());
    }
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if rise(middle)? > 0.0 { low = middle } else { high = middle }
    }
    let shape = 0.5 * (low + high);
    let found = prepared.solve(law(shape))?;
    let size = found.coefficients.len();
    let (step, place) = (10.0 * STEP, &found.coefficients);
    let (up, here, down) =
        (prepared.at(law(shape + step), place), prepared.at(law(shape), place), prepared.at(law(shape - step), place));
    let mut information = DMatrix::zeros(size + 1, size + 1);
    information.view_mut((0, 0), (size, size)).copy_from(&here.information);
    let cross: DVector<f64> = (&down.gradient - &up.gradient) / (2.0 * step);
    information.view_mut((0, size), (size, 1)).copy_from(&cross);
    information.view_mut((size, 0), (1, size)).copy_from(&cross.transpose());
    information[(size, size)] = (2.0 * here.ln_likelihood - up.ln_likelihood - down.ln_likelihood) / (step * step);
    let name = |index: usize| prepared.names.get(index).cloned().unwrap_or_else(|| "shape".to_owned());
    let covariance = inverse(&information).map_err(|index| TrialError::NotIdentified { what: WHAT, name: name(index) })?;
    let known = Maximum { covariance: covariance.view((0, 0), (size, size)).into_owned(), ..found };
    let standard_error = covariance[(size, size)].sqrt();
    Ok(GeneralizedGammaFit {
        regression: prepared.hand_back(law(shape), &known),
        shape: Coefficient { name: "shape".to_owned(), estimate: shape, standard_error },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::statistics::FollowUp;
    use twin_core::Random;
    use twin_models::survival::Lifetime;

    fn drawn(shape: f64, count: usize) -> Vec<Period> {
        let mut random = Random::new(7);
        let one = |index: usize| {
            let x = (index % 2) as f64;
            let law = Lifetime::generalized_gamma(5.0 + 0.4 * x, 0.6, shape).unwrap();
            let (time, censored) = (law.draw(&mut random), 400.0 * random.uniform());
            Period::new(if time < censored { FollowUp::event(time) } else { FollowUp::censored(censored) }, [x])
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_shape_and_the_effect_are_recovered() {
        for shape in [0.5, 1.0, -0.7] {
            let fit = generalized_gamma(&["x"], &drawn(shape, 1500)).unwrap();
            let effect = fit.regression.coefficient("x").unwrap();
            assert!((fit.shape.estimate - shape).abs() < 3.0 * fit.shape.standard_error, "{shape}: {fit:?}");
            assert!((effect.estimate - 0.4).abs() < 3.0 * effect.standard_error, "{shape}: {fit:?}");
            assert!(fit.shape.standard_error < 0.4);
        }
    }

    #[test]
    fn it_is_no_worse_than_the_laws_it_holds() {
        use crate::statistics::AcceleratedRegression;
        let periods = drawn(0.4, 300);
        let wide = generalized_gamma(&["x"], &periods).unwrap();
        for law in [TimeLaw::Weibull, TimeLaw::LogNormal] {
            let narrow = AcceleratedRegression::new(law).fit(&["x"], &periods).unwrap();
            assert!(wide.regression.ln_likelihood >= narrow.ln_likelihood - 1e-9);
        }
    }

    #[test]
    fn data_without_a_shape_are_refused() {
        let same: Vec<Period> = (0..5).map(|_| Period::new(FollowUp::event(10.0), [])).collect();
        assert!(generalized_gamma(&[], &same).is_err());
        assert!(generalized_gamma(&[], &[]).is_err());
    }
}
