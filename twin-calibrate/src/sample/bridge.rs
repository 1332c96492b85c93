//! Particles that are led from one density to another through tempered ones between.

use nalgebra::DMatrix;
use rayon::prelude::*;
use twin_core::Random;

use crate::control::{Flow, Observer, Progress};
use crate::numeric::{displace, ln_sum_exp, moments, root, systematic};

/// The two densities at the ends of the way, both up to the same or to different constants.
pub(crate) trait Ends: Sync {
    /// The number of coordinates.
    fn dimension(&self) -> usize;
    /// The logarithm of the density that the particles follow at first.
    fn ln_from(&self, point: &[f64]) -> f64;
    /// The logarithm of the density that they are to follow.
    fn ln_to(&self, point: &[f64]) -> f64;
}

/// How the particles are led.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bridge {
    /// The name under which progress is reported.
    pub stage: &'static str,
    /// The share of the particles that must stay effective from one tempered density to the next.
    pub effective: f64,
    /// Moves go on until no coordinate correlates with its place before them by more than this.
    pub correlation: f64,
    /// Sweeps of moves at most, per tempered density.
    pub sweeps: usize,
}

/// One particle.
#[derive(Debug, Clone)]
pub(crate) struct Particle {
    pub point: Vec<f64>,
    pub from: f64,
    pub to: f64,
}

/// Where the particles came to.
#[derive(Debug, Clone)]
pub(crate) struct Led {
    pub particles: Vec<Particle>,
    /// The logarithm of the ratio of the integrals of the two densities.
    pub ln_ratio: f64,
    /// How many tempered densities there were, the last included.
    pub stages: usize,
    /// Sweeps of moves, all stages together.
    pub sweeps: usize,
    /// The share of the particles that stayed effective at the first step had it been the only one.
    pub first_effective: f64,
    /// Whether the observer asked to stop before the end.
    pub stopped: bool,
}

/// A difference of the ends that is minus infinity where the aim has no density.
fn gain(particle: &Particle) -> f64 {
    let gain = particle.to - particle.from;
    if gain.is_nan() || particle.to == f64::NEG_INFINITY { f64::NEG_INFINITY } else { gain }
}

/// The effective share of equal particles once each is weighted by `share` of its gain.
fn effective(gains: &[f64], share: f64) -> f64 {
    let weights = gains.iter().map(|gain| if *gain == f64::NEG_INFINITY { *gain } else { share * gain });
    let squares = weights.clone().map(|weight| 2.0 * weight);
    let effective = (2.0 * ln_sum_exp(weights) - ln_sum_exp(squares)).exp() / gains.len() as f64;
    if effective.is_finite() { effective } else { 0.0 }
}

/// What mixes the two ends at the temperature `share`, without a product of zero and infinity.
fn mixed(from: f64, to: f64, share: f64) -> f64 {
    if share >= 1.0 { to } else { (1.0 - share) * from + share * to }
}

impl Bridge {
    /// Leads `particles`, each of equal weight, to the aim of `ends`. `None` if the aim has no density at any of them.
    pub(crate) fn lead(
        &self,
        ends: &dyn Ends,
        mut particles: Vec<Particle>,
        random: &Random,
        observer: &dyn Observer,
    ) -> Option<Led> {
        let first_effective = effective(&particles.iter().map(gain).collect::<Vec<_>>(), 1.0);
        let (mut share, mut ln_ratio, mut stages, mut sweeps) = (0.0, 0.0, 0, 0);
        let mut stopped = false;
        while share < 1.0 {
            let gains: Vec<f64> = particles.iter().map(gain).collect();
            let next = self.next(&gains, share)?;
            let step = next - share;
            let weights = gains.iter().map(|gain| if *gain == f64::NEG_INFINITY { *gain } else { step * gain });
            let total = ln_sum_exp(weights.clone());
            if !total.is_finite() {
                return None;
            }
            ln_ratio += total - (particles.len() as f64).ln();
            let weights: Vec<f64> = weights.map(|weight| (weight - total).exp()).collect();
            share = next;
            stages += 1;
            let mut stream = random.stream(stages as u64);
            let points: Vec<f64> = particles.iter().flat_map(|particle| particle.point.iter().copied()).collect();
            let (_, covariance) = moments(&points, ends.dimension(), &weights);
            let chosen = systematic(&weights, particles.len(), stream.uniform());
            particles = chosen.iter().filter_map(|&place| particles.get(place).cloned()).collect();
            sweeps += self.rejuvenate(ends, &mut particles, &root(&covariance), share, &stream);
            let best = particles.iter().map(|particle| particle.to).fold(f64::NEG_INFINITY, f64::max);
            let progress = Progress { stage: self.stage, done: (share * 1000.0) as usize, total: 1000, best };
            if observer.progress(&progress) == Flow::Stop && share < 1.0 {
                stopped = true;
                break;
            }
        }
        Some(Led { particles, ln_ratio, stages, sweeps, first_effective, stopped })
    }

    /// The next temperature: the highest at which enough of the particles that can live at all stay effective.
    fn next(&self, gains: &[f64], share: f64) -> Option<f64> {
        let alive = gains.iter().filter(|gain| **gain > f64::NEG_INFINITY).count() as f64 / gains.len() as f64;
        if alive == 0.0 {
            return None;
        }
        let wanted = self.effective * alive;
        if effective(gains, 1.0 - share) >= wanted {
            return Some(1.0);
        }
        let (mut low, mut high) = (0.0, 1.0 - share);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if effective(gains, middle) >= wanted { low = middle } else { high = middle }
        }
        // The lower end has enough, but must move: steps below rounding would never arrive.
        Some((share + low.max(1e-12)).min(1.0))
    }

    /// Moves every particle by random walks that leave the tempered density as it is. How many sweeps it took.
    fn rejuvenate(&self, ends: &dyn Ends, particles: &mut [Particle], root: &DMatrix<f64>, share: f64, stream: &Random) -> usize {
        let dimension = ends.dimension();
        let before: Vec<f64> = particles.iter().flat_map(|particle| particle.point.iter().copied()).collect();
        let mut scale = 2.38 / (dimension as f64).sqrt();
        for sweep in 0..self.sweeps {
            let walk = |(index, particle): (usize, &mut Particle)| {
                let mut own = stream.stream(index as u64).stream(sweep as u64);
                // Steps of several lengths, so that one of them fits where the density is narrower than the particles.
                let length = scale * (0.1 + own.uniform());
                let normals: Vec<f64> = (0..dimension).map(|_| own.normal()).collect();
                let mut point = particle.point.clone();
                displace(&mut point, root, length, &normals);
                let to = ends.ln_to(&point);
                let from = if share < 1.0 { ends.ln_from(&point) } else { f64::NAN };
                let ln_probability = mixed(from, to, share) - mixed(particle.from, particle.to, share);
                let accepted = own.uniform().ln() < ln_probability;
                if accepted {
                    *particle = Particle { point, from, to };
                }
                accepted
            };
            let accepted: usize = particles.par_iter_mut().enumerate().map(|each| usize::from(walk(each))).sum();
            let rate = accepted as f64 / particles.len() as f64;
            scale *= (1.5 * (rate - 0.25)).exp();
            if largest_correlation(&before, particles, dimension) <= self.correlation {
                return sweep + 1;
            }
        }
        self.sweeps
    }
}

/// The largest correlation of a coordinate with its place `before` (particles × dimension).
fn largest_correlation(before: &[f64], particles: &[Particle], dimension: usize) -> f64 {
    let count = particles.len() as f64;
    let along = |j: usize| {
        let pairs = || {
            let earlier = before.iter().skip(j).step_by(dimension).copied();
            earlier.zip(particles.iter().filter_map(move |particle| particle.point.get(j).copied()))
        };
        let (mean_a, mean_b) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
        let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
        for (x, y) in pairs() {
            aa += (x - mean_a) * (x - mean_a);
            bb += (y - mean_b) * (y - mean_b);
            ab += (x - mean_a) * (y - mean_b);
        }
        ab / (aa * bb).sqrt()
    };
    // A coordinate without any spread has no correlation, and cannot be waited for.
    (0..dimension).map(along).filter(|correlation| correlation.is_finite()).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a standard normal in two dimensions to a narrow one that is tilted, far off and not normalized.
    struct Away;
    const LN_FACTOR: f64 = 3.0;

    impl Ends for Away {
        fn dimension(&self) -> usize {
            2
        }
        fn ln_from(&self, p: &[f64]) -> f64 {
            -0.5 * (p[0] * p[0] + p[1] * p[1]) - (2.0 * std::f64::consts::PI).ln()
        }
        fn ln_to(&self, p: &[f64]) -> f64 {
            let (u, v) = ((p[0] - 3.0) / 0.1, (p[1] - p[0]) / 0.5);
            -0.5 * (u * u + v * v) - (2.0 * std::f64::consts::PI * 0.05).ln() + LN_FACTOR
        }
    }

    fn led(threads: usize) -> Led {
        let mut random = Random::new(3);
        let mut start = || {
            let point = vec![random.normal(), random.normal()];
            Particle { from: Away.ln_from(&point), to: Away.ln_to(&point), point }
        };
        let particles = (0..2000).map(|_| start()).collect();
        let bridge = Bridge { stage: "test", effective: 0.5, correlation: 0.2, sweeps: 40 };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bridge.lead(&Away, particles, &Random::new(4), &())).unwrap()
    }

    #[test]
    fn the_aim_and_the_ratio_of_integrals_are_reached() {
        let led = led(2);
        let mean = |j: usize| led.particles.iter().map(|p| p.point[j]).sum::<f64>() / 2000.0;
        assert!((mean(0) - 3.0).abs() < 0.02 && (mean(1) - 3.0).abs() < 0.08, "{} {}", mean(0), mean(1));
        assert!((led.ln_ratio - LN_FACTOR).abs() < 0.3, "{}", led.ln_ratio);
        assert!(led.stages > 2 && led.first_effective < 0.1);
    }

    #[test]
    fn threads_change_nothing() {
        let points = |led: Led| led.particles.into_iter().map(|p| p.point).collect::<Vec<_>>();
        assert_eq!(points(led(1)), points(led(5)));
    }

    #[test]
    fn an_aim_without_density_is_not_reached() {
        let nowhere = vec![Particle { point: vec![0.0, 0.0], from: 0.0, to: f64::NEG_INFINITY }; 10];
        let bridge = Bridge { stage: "test", effective: 0.5, correlation: 0.2, sweeps: 4 };
        assert!(bridge.lead(&Away, nowhere, &Random::new(4), &()).is_none());
    }
}
