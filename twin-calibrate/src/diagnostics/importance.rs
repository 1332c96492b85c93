//! Importance weights that say when they cannot be trusted.

/// Importance weights smoothed by a generalized Pareto tail, with the shape of that tail.
///
/// Vehtari, Simpson, Gelman, Yao and Gabry (2024, JMLR 25:72): the largest weights are replaced by the expected order statistics of a Pareto
/// distribution fitted to them. Its shape `pareto_k` says whether the weights have a variance that sample averages can rely on.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// The logarithms of the weights, whose sum of exponentials is one.
    pub ln_weights: Vec<f64>,
    /// The shape of the tail: below 0.7 averages can be trusted; infinite where there are too few draws to tell.
    pub pareto_k: f64,
    /// The number of equal weights that would estimate as well.
    pub effective: f64,
}

/// The shape of the tail up to which weighted averages are reliable, for a few thousand draws.
pub const RELIABLE_PARETO_K: f64 = 0.7;

impl Smoothed {
    /// Smooths the logarithms of importance ratios, each up to one common constant. A ratio of minus infinity has no weight.
    ///
    /// ```
    /// use twin_calibrate::diagnostics::Smoothed;
    /// use twin_core::Random;
    /// // Draws of a normal of width 1 for one of width 0.8: reliable; for one of width 3: not.
    /// let mut random = Random::new(1);
    /// let draws: Vec<f64> = (0..4000).map(|_| random.normal()).collect();
    /// let ratios = |sd: f64| draws.iter().map(|x| 0.5 * x * x * (1.0 - 1.0 / (sd * sd))).collect::<Vec<_>>();
    /// assert!(Smoothed::of(&ratios(0.8)).pareto_k < 0.5);
    /// assert!(Smoothed::of(&ratios(3.0)).pareto_k > 0.7);
    /// ```
    #[must_use]
    pub fn of(ln_ratios: &[f64]) -> Self {
        let most = ln_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let clean = |ratio: &f64| if ratio.is_nan() || !most.is_finite() { f64::NEG_INFINITY } else { ratio - most };
        let mut ln_weights: Vec<f64> = ln_ratios.iter().map(clean).collect();
        let mut order: Vec<usize> = (0..ln_weights.len()).collect();
        order.sort_by(|a, b| ln_weights[*a].total_cmp(&ln_weights[*b]));
        let count = ln_weights.len() as f64;
        let tail = (0.2 * count).min(3.0 * count.sqrt()).ceil() as usize;
        let pareto_k = match order.len().checked_sub(tail + 1) {
            Some(below) if tail >= 5 && most.is_finite() => smooth_tail(&mut ln_weights, &order, below),
            _ => f64::INFINITY,
        };
        let total = crate::numeric::ln_sum_exp(ln_weights.iter().copied());
        ln_weights.iter_mut().for_each(|weight| *weight -= total);
        let effective = 1.0 / ln_weights.iter().map(|weight| (2.0 * weight).exp()).sum::<f64>();
        Self { ln_weights, pareto_k, effective }
    }

    /// Whether averages under these weights can be trusted.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        self.pareto_k < RELIABLE_PARETO_K
    }
}

/// Replaces the weights beyond place `below` of `order` by order statistics of the fitted tail; the shape of it.
fn smooth_tail(ln_weights: &mut [f64], order: &[usize], below: usize) -> f64 {
    let cutoff = ln_weights[order[below]].exp();
    let places = &order[below + 1..];
    let exceedances: Vec<f64> = places.iter().map(|&place| ln_weights[place].exp() - cutoff).collect();
    let spread = exceedances.last().copied().unwrap_or(0.0);
    // All weights equal: there is no tail.
    if spread <= 1e-12 {
        return f64::NEG_INFINITY;
    }
    let (shape, scale) = fit_pareto(&exceedances);
    if shape.is_finite() && scale.is_finite() {
        for (rank, &place) in places.iter().enumerate() {
            let probability = (rank as f64 + 0.5) / places.len() as f64;
            let beyond = scale * (-shape * (-probability).ln_1p()).exp_m1() / shape;
            ln_weights[place] = (cutoff + beyond).ln().min(0.0);
        }
        return shape;
    }
    f64::INFINITY
}

/// Shape and scale of the generalized Pareto distribution of `sorted` exceedances (Zhang and Stephens 2009,
/// doi:10.1198/tech.2009.08017), the shape drawn to 0.5 with the weight of ten observations.
fn fit_pareto(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len() as f64;
    let grid = 30 + n.sqrt().floor() as usize;
    let quartile = sorted.get(((n / 4.0 + 0.5).floor() as usize).saturating_sub(1)).copied().unwrap_or(f64::NAN);
    let largest = sorted.last().copied().unwrap_or(f64::NAN);
    let shape_at = |theta: f64| sorted.iter().map(|x| (-theta * x).ln_1p()).sum::<f64>() / n;
    let profile = |theta: f64| {
        let shape = shape_at(theta);
        n * ((-theta / shape).ln() - shape - 1.0)
    };
    let theta_at = |j: usize| 1.0 / largest + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / (3.0 * quartile);
    let thetas: Vec<f64> = (1..=grid).map(theta_at).collect();
    let heights: Vec<f64> = thetas.iter().map(|theta| profile(*theta)).collect();
    let total = crate::numeric::ln_sum_exp(heights.iter().copied().filter(|height| height.is_finite()));
    let terms = thetas.iter().zip(&heights).filter(|(_, height)| height.is_finite());
    let theta: f64 = terms.map(|(theta, height)| theta * (height - total).exp()).sum();
    let shape = shape_at(theta);
    let scale = -shape / theta;
    ((n * shape + 5.0) / (n + 10.0), scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_core::Random;

    #[test]
    fn the_shape_of_a_pareto_tail_is_found() {
        for shape in [0.2, 0.5, 0.9] {
            let mut random = Random::new(3);
            let mut sample: Vec<f64> = (0..4000).map(|_| ((-shape * random.uniform().ln()).exp_m1()) / shape).collect();
            sample.sort_by(f64::total_cmp);
            let (found, scale) = fit_pareto(&sample);
            assert!((found - shape).abs() < 0.06 && (scale - 1.0).abs() < 0.1, "{shape}: {found} {scale}");
        }
    }

    #[test]
    fn equal_ratios_have_equal_weights() {
        let smoothed = Smoothed::of(&[-7.0; 1000]);
        assert!((smoothed.effective - 1000.0).abs() < 1e-6 && smoothed.is_reliable(), "{smoothed:?}");
    }

    #[test]
    fn few_or_empty_ratios_are_not_called_reliable() {
        assert!(!Smoothed::of(&[0.0, 1.0, 2.0]).is_reliable());
        assert!(!Smoothed::of(&[f64::NEG_INFINITY; 500]).is_reliable());
        assert!(!Smoothed::of(&[]).is_reliable());
    }

    #[test]
    fn smoothing_keeps_the_mean_of_a_heavy_weight() {
        // The mean of x under a normal of mean 1, from draws of a normal of mean 0.
        let mut random = Random::new(5);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let smoothed = Smoothed::of(&draws.iter().map(|x| x - 0.5).collect::<Vec<_>>());
        let mean: f64 = smoothed.ln_weights.iter().zip(&draws).map(|(w, x)| w.exp() * x).sum();
        assert!((mean - 1.0).abs() < 0.05 && smoothed.is_reliable(), "{mean} {}", smoothed.pareto_k);
    }
}
