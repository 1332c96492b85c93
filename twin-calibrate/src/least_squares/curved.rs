//! A posterior whose residuals bend: the residuals to second order around the peak, and draws from what that makes of the density.

use crate::calibrator::ModelResiduals;
use crate::diagnostics::Smoothed;
use crate::numeric::systematic;
use crate::optimize::Residuals;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use twin_core::Random;

/// How far from the peak the residuals are looked at, in standard deviations.
const AWAY: f64 = 2.0;
/// Proposals for each draw.
const PROPOSALS: usize = 20;
/// Degrees of freedom of the proposals: tails that hold those of a posterior that bends.
const FREEDOM: usize = 5;

/// The residuals to second order in `s`, with `point = peak + axes s`, axes of one standard deviation: half their sum of squares is a
/// polynomial of `s`.
pub(super) struct Curved {
    /// Products of the vectors of the expansion with each other: the residuals at the peak, their slopes, their curvatures.
    gram: DMatrix<f64>,
    dimension: usize,
}

/// Draws in `s`.
pub(super) struct Drawn {
    pub(super) points: Vec<DVector<f64>>,
    /// By how much the logarithm of the density lies below the peak, at each.
    pub(super) falls: Vec<f64>,
    /// The shape of the tail of the weights.
    pub(super) pareto_k: f64,
}

impl Curved {
    /// Looks at the residuals along each of the `axes` both ways, and along both of each pair; `None` where the model cannot go.
    pub(super) fn around(peak: &[f64], axes: &DMatrix<f64>, problem: &ModelResiduals<'_>) -> Option<Self> {
        let n = peak.len();
        let at = |s: &[(usize, f64)]| -> Option<Vec<f64>> {
            let moved = (0..n).map(|i| peak[i] + s.iter().map(|(axis, by)| axes[(i, *axis)] * by).sum::<f64>());
            let mut residuals = vec![0.0; problem.count()];
            problem.residuals(&moved.collect::<Vec<_>>(), &mut residuals).then_some(residuals)
        };
        let mut along: Vec<Vec<f64>> = (0..2 * n + 1)
            .into_par_iter()
            .map(|probe| match probe.checked_sub(1) {
                None => at(&[]),
                Some(probe) => at(&[(probe / 2, if probe % 2 == 0 { AWAY } else { -AWAY })]),
            })
            .collect::<Option<_>>()?;
        // A residual that none of the probes changes adds a constant, so it is left out.
        let changing: Vec<usize> =
            (0..problem.count()).filter(|&row| along.iter().any(|probe| probe[row].to_bits() != along[0][row].to_bits())).collect();
        along.iter_mut().for_each(|probe| *probe = changing.iter().map(|&row| probe[row]).collect());
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
        let both: Vec<Vec<f64>> = pairs
            .par_iter()
            .map(|&(i, j)| at(&[(i, AWAY), (j, AWAY)]).map(|found| changing.iter().map(|&row| found[row]).collect()))
            .collect::<Option<_>>()?;
        let combined = |parts: &[(&Vec<f64>, f64)]| -> Vec<f64> {
            (0..changing.len()).map(|row| parts.iter().map(|(vector, factor)| factor * vector[row]).sum()).collect()
        };
        let (center, square) = (&along[0], AWAY * AWAY);
        let mut vectors = vec![center.clone()];
        vectors.extend((0..n).map(|i| combined(&[(&along[1 + 2 * i], 0.5 / AWAY), (&along[2 + 2 * i], -0.5 / AWAY)])));
        let own = |i: usize| [(&along[1 + 2 * i], 0.5 / square), (&along[2 + 2 * i], 0.5 / square), (center, -1.0 / square)];
        vectors.extend((0..n).map(|i| combined(&own(i))));
        vectors.extend(pairs.iter().zip(&both).map(|(&(i, j), both)| {
            combined(&[
                (both, 1.0 / square),
                (&along[1 + 2 * i], -1.0 / square),
                (&along[1 + 2 * j], -1.0 / square),
                (center, 1.0 / square),
            ])
        }));
        let product = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let gram = DMatrix::from_fn(vectors.len(), vectors.len(), |i, j| product(&vectors[i], &vectors[j]));
        Some(Self { gram, dimension: n })
    }

    /// By how much the logarithm of the density lies below the peak.
    pub(super) fn fall(&self, s: &DVector<f64>) -> f64 {
        let n = self.dimension;
        let mut monomials = vec![1.0];
        monomials.extend(s.iter().copied());
        monomials.extend(s.iter().map(|s| s * s));
        monomials.extend((0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| s[i] * s[j]));
        let monomials = DVector::from_vec(monomials);
        0.5 * ((&self.gram * &monomials).dot(&monomials) - self.gram[(0, 0)])
    }

    /// Draws by importance resampling, of proposals with the tails of Student's distribution.
    pub(super) fn draw(&self, count: usize, random: &Random) -> Drawn {
        let n = self.dimension;
        let propose = |number: usize| {
            let mut stream = random.stream(number as u64);
            let scale = (FREEDOM as f64 / (0..FREEDOM).map(|_| stream.normal().powi(2)).sum::<f64>()).sqrt();
            DVector::from_fn(n, |_, _| scale * stream.normal())
        };
        let proposals: Vec<DVector<f64>> = (0..PROPOSALS * count).map(propose).collect();
        let falls: Vec<f64> = proposals.iter().map(|s| self.fall(s)).collect();
        let ln_proposal = |s: &DVector<f64>| -0.5 * (FREEDOM + n) as f64 * (s.norm_squared() / FREEDOM as f64).ln_1p();
        let ratios: Vec<f64> = proposals.iter().zip(&falls).map(|(s, fall)| -fall - ln_proposal(s)).collect();
        let smoothed = Smoothed::of(&ratios);
        let weights: Vec<f64> = smoothed.ln_weights.iter().map(|weight| weight.exp()).collect();
        let mut places = systematic(&weights, count, random.stream(u64::MAX).uniform());
        shuffle(&mut places, &mut random.stream(u64::MAX - 1));
        let kept = |place: &usize| (proposals[*place].clone(), falls[*place]);
        let (points, falls) = places.iter().map(kept).unzip();
        Drawn { points, falls, pareto_k: smoothed.pareto_k }
    }
}

/// Puts draws in an order that tells nothing.
fn shuffle(places: &mut [usize], random: &mut Random) {
    for last in (1..places.len()).rev() {
        let other = (random.uniform() * (last + 1) as f64) as usize;
        places.swap(last, other.min(last));
    }
}
