//! The slope of a density: known, or by differences.

use super::walker::LnDensity;

/// A density whose gradient is known.
pub trait Gradient: Sync {
    /// Writes the gradient of the logarithm of the density at `point` into `gradient` (both `dimension`), and returns that logarithm.
    ///
    /// Where there is no density the logarithm is minus infinity or NaN, and what stands in `gradient` is not looked at.
    fn ln_density_and_gradient(&self, point: &[f64], gradient: &mut [f64]) -> f64;
}

/// Writes the gradient of `target` at `point` into `gradient`; returns the logarithm of the density and how many evaluations that took:
/// one where the target knows its gradient, else central differences over `steps`, one-sided next to an edge. The point stays as it is.
pub(crate) fn slope(target: &dyn LnDensity, point: &mut [f64], steps: &[f64], gradient: &mut [f64]) -> (f64, usize) {
    if let Some(known) = target.gradient() {
        return (known.ln_density_and_gradient(point, gradient), 1);
    }
    let here = target.ln_density(point);
    if !here.is_finite() {
        return (here, 1);
    }
    for (j, (slope, &step)) in gradient.iter_mut().zip(steps).enumerate() {
        let Some(center) = point.get(j).copied() else { continue };
        let mut at = |x: f64| {
            point[j] = x;
            target.ln_density(point)
        };
        let (up, down) = (at(center + step), at(center - step));
        point[j] = center;
        *slope = match (up.is_finite(), down.is_finite()) {
            (true, true) => (up - down) / (2.0 * step),
            (true, false) => (up - here) / step,
            (false, true) => (here - down) / step,
            // An isolated point: any slope serves, as the steps are corrected by the density itself.
            (false, false) => 0.0,
        };
    }
    (here, 1 + 2 * steps.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exponential above 0, and `-x²` along the other coordinate.
    struct Edge;
    impl LnDensity for Edge {
        fn dimension(&self) -> usize {
            2
        }
        fn ln_density(&self, x: &[f64]) -> f64 {
            if x[0] < 0.0 { f64::NEG_INFINITY } else { -3.0 * x[0] - x[1] * x[1] }
        }
    }

    #[test]
    fn differences_are_exact_for_parabolas_and_one_sided_at_an_edge() {
        for x in [0.5, 0.001] {
            let (mut point, mut gradient) = ([x, 2.0], [0.0; 2]);
            let (value, evaluations) = slope(&Edge, &mut point, &[0.01, 0.01], &mut gradient);
            assert_eq!((point, evaluations), ([x, 2.0], 5));
            assert!((value + 3.0 * x + 4.0).abs() < 1e-12);
            assert!((gradient[0] + 3.0).abs() < 1e-9 && (gradient[1] + 4.0).abs() < 1e-9, "{gradient:?}");
        }
        assert_eq!(slope(&Edge, &mut [-1.0, 0.0], &[0.1; 2], &mut [0.0; 2]), (f64::NEG_INFINITY, 1));
    }
}
