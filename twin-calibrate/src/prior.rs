//! What is believed of parameters before the data speak.

use crate::{CalibrationError, Transform};
use std::f64::consts::PI;
use twin_core::Random;

/// A distribution over named parameters.
pub trait Prior: Send + Sync {
    /// The parameters, in order: of the model, or of an error model.
    fn names(&self) -> &[String];

    /// How many parameters there are.
    fn dimension(&self) -> usize {
        self.names().len()
    }

    /// The logarithm of the density at `theta`, in the parameters' own units; minus infinity where it has none.
    fn ln_density(&self, theta: &[f64]) -> f64;

    /// One draw.
    fn sample(&self, random: &mut Random) -> Vec<f64>;

    /// The map of each parameter to the real line.
    fn transforms(&self) -> &[Transform];

    /// Residuals whose half sum of squares is the negative logarithm of the density on the real line, up to a constant; empty if there
    /// are none. They keep a least-squares search from running off where the data do not tell.
    fn residuals(&self, _theta: &[f64]) -> Vec<f64> {
        Vec::new()
    }
}

/// The distribution of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Marginal {
    /// Normal, with mean and standard deviation.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation, above 0.
        sd: f64,
    },
    /// Log-normal, by its median and the standard deviation of the natural logarithm.
    LogNormal {
        /// Median, above 0.
        median: f64,
        /// Standard deviation of the logarithm, above 0.
        sd: f64,
    },
    /// Uniform between two bounds.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Uniform in the logarithm between two bounds.
    LogUniform {
        /// Lower bound, above 0.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal in the logit between two bounds, by its median and the standard deviation of the logit.
    LogitNormal {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
        /// Median, strictly between the bounds.
        median: f64,
        /// Standard deviation of the logit, above 0.
        sd: f64,
    },
    /// The upper half of a Cauchy distribution around 0: heavy-tailed, for scales of which little is known.
    HalfCauchy {
        /// Median, above 0.
        scale: f64,
    },
}

fn ln_normal(z: f64, mean: f64, sd: f64) -> f64 {
    let u = (z - mean) / sd;
    -0.5 * u * u - sd.ln() - 0.5 * (2.0 * PI).ln()
}

impl Marginal {
    /// The map to the real line that suits the distribution.
    #[must_use]
    pub fn transform(self) -> Transform {
        match self {
            Self::Normal { .. } => Transform::Identity,
            Self::LogNormal { .. } | Self::HalfCauchy { .. } => Transform::Log,
            Self::Uniform { low, high } | Self::LogUniform { low, high } | Self::LogitNormal { low, high, .. } => {
                Transform::Logit { low, high }
            }
        }
    }

    /// The logarithm of the density at `x`.
    #[must_use]
    pub fn ln_density(self, x: f64) -> f64 {
        match self {
            Self::Normal { mean, sd } => ln_normal(x, mean, sd),
            Self::LogNormal { median, sd } if x > 0.0 => ln_normal(x.ln(), median.ln(), sd) - x.ln(),
            Self::Uniform { low, high } if x >= low && x <= high => -(high - low).ln(),
            Self::LogUniform { low, high } if x >= low && x <= high => -x.ln() - (high / low).ln().ln(),
            Self::LogitNormal { low, high, median, sd } if x > low && x < high => {
                let transform = self.transform();
                let z = transform.to_real(x);
                ln_normal(z, transform.to_real(median), sd) - Transform::Logit { low, high }.ln_derivative(z)
            }
            Self::HalfCauchy { scale } if x >= 0.0 => (2.0 / (PI * scale)).ln() - (x / scale).powi(2).ln_1p(),
            _ => f64::NEG_INFINITY,
        }
    }

    /// One draw.
    pub fn sample(self, random: &mut Random) -> f64 {
        match self {
            Self::Normal { mean, sd } => mean + sd * random.normal(),
            Self::LogNormal { median, sd } => median * (sd * random.normal()).exp(),
            Self::Uniform { low, high } => low + (high - low) * random.uniform(),
            Self::LogUniform { low, high } => low * ((high / low).ln() * random.uniform()).exp(),
            Self::LogitNormal { median, sd, .. } => {
                let transform = self.transform();
                transform.from_real(transform.to_real(median) + sd * random.normal())
            }
            Self::HalfCauchy { scale } => scale * (0.5 * PI * random.uniform()).tan(),
        }
    }

    /// The residual of `x`, as in [`Prior::residuals`].
    fn residual(self, x: f64) -> f64 {
        let z = self.transform().to_real(x);
        match self {
            Self::Normal { mean, sd } => (z - mean) / sd,
            Self::LogNormal { median, sd } => (z - median.ln()) / sd,
            Self::LogitNormal { median, sd, .. } => (z - self.transform().to_real(median)) / sd,
            // A uniform parameter is logistic on the real line; that of a log-uniform one is close to it.
            Self::Uniform { .. } | Self::LogUniform { .. } => {
                let fall = z.abs() + 2.0 * (-z.abs()).exp().ln_1p() - 4.0_f64.ln();
                z.signum() * (2.0 * fall.max(0.0)).sqrt()
            }
            // The logarithm of the hyperbolic cosine of the logarithm.
            Self::HalfCauchy { scale } => {
                let w = z - scale.ln();
                let fall = w.abs() + (-2.0 * w.abs()).exp().ln_1p() - 2.0_f64.ln();
                w.signum() * (2.0 * fall.max(0.0)).sqrt()
            }
        }
    }

    fn is_valid(self) -> bool {
        let spread = |sd: f64| sd > 0.0 && sd.is_finite();
        match self {
            Self::Normal { mean, sd } => mean.is_finite() && spread(sd),
            Self::LogNormal { median, sd } => median > 0.0 && median.is_finite() && spread(sd),
            Self::Uniform { low, high } => low < high && (high - low).is_finite(),
            Self::LogUniform { low, high } => low > 0.0 && low < high && (high / low).is_finite(),
            Self::LogitNormal { low, high, median, sd } => low < median && median < high && (high - low).is_finite() && spread(sd),
            Self::HalfCauchy { scale } => spread(scale),
        }
    }
}

fn check_names(names: &[String]) -> Result<(), CalibrationError> {
    if names.is_empty() {
        let detail = "a prior must name at least one parameter".to_owned();
        return Err(CalibrationError::Prior { parameter: "nothing".to_owned(), detail });
    }
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            return Err(CalibrationError::Prior { parameter: name.clone(), detail: "it is named twice".to_owned() });
        }
    }
    Ok(())
}

/// A prior under which parameters are independent.
///
/// ```
/// use twin_calibrate::{IndependentPrior, Marginal, Prior};
/// let prior = IndependentPrior::new([
///     ("growth_rate", Marginal::LogNormal { median: 0.02, sd: 0.5 }),
///     ("kill", Marginal::Uniform { low: 1.0, high: 3.0 }),
/// ])?;
/// assert_eq!(prior.dimension(), 2);
/// assert_eq!(prior.ln_density(&[0.02, 5.0]), f64::NEG_INFINITY);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IndependentPrior {
    names: Vec<String>,
    marginals: Vec<Marginal>,
    transforms: Vec<Transform>,
}

impl IndependentPrior {
    /// A prior from a name and a distribution for each parameter.
    ///
    /// # Errors
    /// [`CalibrationError::Prior`] for a distribution with impossible numbers, a name given twice, or no parameter at all.
    pub fn new<N: Into<String>>(marginals: impl IntoIterator<Item = (N, Marginal)>) -> Result<Self, CalibrationError> {
        let (names, marginals): (Vec<String>, Vec<Marginal>) = marginals.into_iter().map(|(name, m)| (name.into(), m)).unzip();
        check_names(&names)?;
        if let Some((name, marginal)) = names.iter().zip(&marginals).find(|(_, marginal)| !marginal.is_valid()) {
            return Err(CalibrationError::Prior { parameter: name.clone(), detail: format!("{marginal:?} is not a distribution") });
        }
        let transforms = marginals.iter().map(|marginal| marginal.transform()).collect();
        Ok(Self { names, marginals, transforms })
    }

    /// The distribution of each parameter, in order.
    #[must_use]
    pub fn marginals(&self) -> &[Marginal] {
        &self.marginals
    }
}

impl Prior for IndependentPrior {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn ln_density(&self, theta: &[f64]) -> f64 {
        if theta.len() != self.marginals.len() {
            return f64::NEG_INFINITY;
        }
        self.marginals.iter().zip(theta).map(|(marginal, x)| marginal.ln_density(*x)).sum()
    }

    fn sample(&self, random: &mut Random) -> Vec<f64> {
        self.marginals.iter().map(|marginal| marginal.sample(random)).collect()
    }

    fn transforms(&self) -> &[Transform] {
        &self.transforms
    }

    fn residuals(&self, theta: &[f64]) -> Vec<f64> {
        self.marginals.iter().zip(theta).map(|(marginal, x)| marginal.residual(*x)).collect()
    }
}

/// A prior that is jointly normal once every parameter is mapped to the real line: what a population of earlier patients teaches.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationPrior {
    names: Vec<String>,
    transforms: Vec<Transform>,
    mean: Vec<f64>,
    /// Lower-triangular square root of the covariance, row by row.
    root: Vec<f64>,
}

impl PopulationPrior {
    /// A prior with `mean` and `covariance` (dimension × dimension, row by row) of the transformed parameters.
    ///
    /// # Errors
    /// [`CalibrationError::Prior`] for names given twice, numbers that do not fit the dimension or are not finite, or a covariance
    /// that is not positive definite.
    pub fn new(
        names: Vec<String>,
        transforms: Vec<Transform>,
        mean: Vec<f64>,
        covariance: &[f64],
    ) -> Result<Self, CalibrationError> {
        check_names(&names)?;
        let n = names.len();
        let fault = |detail: String| CalibrationError::Prior { parameter: names.join(", "), detail };
        if transforms.len() != n || mean.len() != n || covariance.len() != n * n {
            return Err(fault(format!("{n} names need {n} transforms, {n} means and {} covariances", n * n)));
        }
        if !mean.iter().chain(covariance).all(|value| value.is_finite()) {
            return Err(fault("mean and covariance must be finite".to_owned()));
        }
        let matrix = nalgebra::DMatrix::from_row_slice(n, n, covariance);
        let scale = |i: usize, j: usize| (matrix[(i, i)] * matrix[(j, j)]).abs().sqrt();
        if let Some((i, j)) = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .find(|&(i, j)| (matrix[(i, j)] - matrix[(j, i)]).abs() > 1e-12 * scale(i, j))
        {
            return Err(fault(format!(
                "the covariance must be symmetric, but has {} in row {i}, column {j} and {} opposite",
                matrix[(i, j)],
                matrix[(j, i)]
            )));
        }
        let root = matrix.cholesky().ok_or_else(|| fault("the covariance must be positive definite".to_owned()))?.l();
        let root = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|place| root[place]).collect();
        Ok(Self { names, transforms, mean, root })
    }

    /// The prior that fits `individuals` (one vector of parameters for each earlier patient): their mean and covariance on the real
    /// line, the correlations shrunk by `shrinkage` (0 keeps them, 1 drops them), the spread widened by the share `1 + 1/n` that
    /// the unknown mean of `n` individuals adds for the next one.
    ///
    /// # Errors
    /// As [`PopulationPrior::new`]; with fewer than two individuals, or one outside the range of a transform, there is no covariance.
    pub fn from_individuals(
        names: Vec<String>,
        transforms: Vec<Transform>,
        individuals: &[Vec<f64>],
        shrinkage: f64,
    ) -> Result<Self, CalibrationError> {
        let n = names.len();
        let fault = |detail: String| CalibrationError::Prior { parameter: names.join(", "), detail };
        if transforms.len() != n {
            return Err(fault(format!("{n} names need {n} transforms, but there are {}", transforms.len())));
        }
        if individuals.len() < 2 || individuals.iter().any(|individual| individual.len() != n) {
            return Err(fault(format!("{} individuals of {n} parameters do not make a population", individuals.len())));
        }
        if !(0.0..=1.0).contains(&shrinkage) {
            return Err(fault(format!("shrinkage is {shrinkage}, but must lie between 0 and 1")));
        }
        let real = |individual: &Vec<f64>| -> Vec<f64> { transforms.iter().zip(individual).map(|(t, x)| t.to_real(*x)).collect() };
        let real: Vec<Vec<f64>> = individuals.iter().map(real).collect();
        let count = real.len() as f64;
        let mean: Vec<f64> = (0..n).map(|j| real.iter().map(|z| z[j]).sum::<f64>() / count).collect();
        let widen = (1.0 + 1.0 / count) / (count - 1.0);
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let sum: f64 = real.iter().map(|z| (z[i] - mean[i]) * (z[j] - mean[j])).sum();
                covariance[i * n + j] = widen * sum * if i == j { 1.0 } else { 1.0 - shrinkage };
            }
        }
        Self::new(names, transforms, mean, &covariance)
    }

    /// The mean of the transformed parameters.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The covariance of the transformed parameters (dimension × dimension, row by row).
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        let n = self.mean.len();
        let at = |i: usize, j: usize| (0..n).map(|k| self.root[i * n + k] * self.root[j * n + k]).sum();
        (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
    }
}

impl Prior for PopulationPrior {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn ln_density(&self, theta: &[f64]) -> f64 {
        let n = self.mean.len();
        if theta.len() != n {
            return f64::NEG_INFINITY;
        }
        let mut ln_density = -0.5 * n as f64 * (2.0 * PI).ln();
        for (i, u) in self.residuals(theta).into_iter().enumerate() {
            let z = self.transforms[i].to_real(theta[i]);
            ln_density -= 0.5 * u * u + self.root[i * n + i].ln() + self.transforms[i].ln_derivative(z);
        }
        if ln_density.is_nan() { f64::NEG_INFINITY } else { ln_density }
    }

    fn sample(&self, random: &mut Random) -> Vec<f64> {
        let n = self.mean.len();
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let place = |i: usize| self.mean[i] + (0..=i).map(|j| self.root[i * n + j] * normals[j]).sum::<f64>();
        self.transforms.iter().enumerate().map(|(i, transform)| transform.from_real(place(i))).collect()
    }

    fn transforms(&self) -> &[Transform] {
        &self.transforms
    }

    fn residuals(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.mean.len();
        let mut whitened: Vec<f64> = Vec::with_capacity(n);
        for (i, (transform, x)) in self.transforms.iter().zip(theta).enumerate() {
            let known: f64 = self.root[i * n..i * n + i].iter().zip(&whitened).map(|(a, b)| a * b).sum();
            whitened.push((transform.to_real(*x) - self.mean[i] - known) / self.root[i * n + i]);
        }
        whitened
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MARGINALS: [Marginal; 5] = [
        Marginal::Normal { mean: 0.4, sd: 0.3 },
        Marginal::LogNormal { median: 0.5, sd: 0.4 },
        Marginal::Uniform { low: 0.1, high: 2.0 },
        Marginal::LogUniform { low: 0.1, high: 2.0 },
        Marginal::LogitNormal { low: 0.1, high: 2.0, median: 0.7, sd: 0.8 },
    ];

    #[test]
    fn densities_integrate_to_one_and_agree_with_the_draws() {
        for marginal in MARGINALS {
            let (mut mass, mut mean) = (0.0, 0.0);
            let step = 1e-4;
            for k in -20_000..80_000 {
                let x = (f64::from(k) + 0.5) * step;
                let density = marginal.ln_density(x).exp() * step;
                mass += density;
                mean += density * x;
            }
            assert!((mass - 1.0).abs() < 1e-3, "{marginal:?} has mass {mass}");
            let mut random = Random::new(5);
            let drawn = (0..100_000).map(|_| marginal.sample(&mut random)).sum::<f64>() / 1e5;
            assert!((drawn - mean).abs() < 6e-3, "{marginal:?}: {drawn} against {mean}");
        }
    }

    #[test]
    fn a_half_cauchy_has_its_median_at_its_scale_and_all_its_mass() {
        let marginal = Marginal::HalfCauchy { scale: 2.5 };
        let transform = marginal.transform();
        let step = 1e-3;
        let mass = |from: i32, to: i32| -> f64 {
            let at = |k: i32| (f64::from(k) + 0.5) * step;
            (from..to)
                .map(|k| (marginal.ln_density(transform.from_real(at(k))) + transform.ln_derivative(at(k))).exp() * step)
                .sum()
        };
        let middle = (2.5_f64.ln() / step) as i32;
        assert!((mass(-20_000, middle) - 0.5).abs() < 1e-3 && (mass(middle, 20_000) - 0.5).abs() < 1e-3);
        let mut random = Random::new(3);
        let below = (0..20_000).filter(|_| marginal.sample(&mut random) < 2.5).count();
        assert!((9700..10_300).contains(&below), "{below}");
        // The half square of the residual is the fall of the density on the real line.
        let ln = |z: f64| marginal.ln_density(transform.from_real(z)) + transform.ln_derivative(z);
        for z in [-3.0, 0.2, 4.0] {
            let fall = 0.5 * marginal.residual(transform.from_real(z)).powi(2);
            assert!((ln(2.5_f64.ln()) - ln(z) - fall).abs() < 1e-9, "{z}");
        }
        assert!(IndependentPrior::new([("a", Marginal::HalfCauchy { scale: 0.0 })]).is_err());
    }

    #[test]
    fn a_population_of_independent_parameters_is_the_product_of_its_marginals() {
        let names: Vec<String> = ["a", "b"].map(String::from).to_vec();
        let joint = PopulationPrior::new(
            names,
            vec![Transform::Log, Transform::Identity],
            vec![0.5_f64.ln(), 0.4],
            &[0.16, 0.0, 0.0, 0.09],
        )
        .unwrap();
        let apart = IndependentPrior::new([("a", MARGINALS[1]), ("b", MARGINALS[0])]).unwrap();
        for theta in [[0.5, 0.4], [1.3, -0.2], [0.01, 2.0]] {
            assert!((joint.ln_density(&theta) - apart.ln_density(&theta)).abs() < 1e-10);
        }
        assert_eq!(joint.ln_density(&[-1.0, 0.0]), f64::NEG_INFINITY);
    }

    #[test]
    fn a_population_is_recovered_from_its_draws() {
        let names: Vec<String> = ["a", "b"].map(String::from).to_vec();
        let transforms = vec![Transform::Log, Transform::Logit { low: 0.0, high: 1.0 }];
        let truth = PopulationPrior::new(names.clone(), transforms.clone(), vec![0.3, -1.0], &[0.5, 0.2, 0.2, 0.3]).unwrap();
        let mut random = Random::new(11);
        let draws: Vec<_> = (0..20_000).map(|_| truth.sample(&mut random)).collect();
        let again = PopulationPrior::from_individuals(names, transforms, &draws, 0.0).unwrap();
        for (a, b) in again.mean().iter().chain(&again.covariance()).zip(truth.mean().iter().chain(&truth.covariance())) {
            assert!((a - b).abs() < 0.02, "{a} against {b}");
        }
    }

    #[test]
    fn impossible_priors_are_refused() {
        assert!(IndependentPrior::new([("a", Marginal::Normal { mean: 0.0, sd: -1.0 })]).is_err());
        assert!(IndependentPrior::new([("a", Marginal::Uniform { low: f64::NAN, high: 1.0 })]).is_err());
        assert!(IndependentPrior::new([("a", MARGINALS[0]), ("a", MARGINALS[0])]).is_err());
        let names: Vec<String> = ["a", "b"].map(String::from).to_vec();
        assert!(PopulationPrior::new(names, vec![Transform::Log; 2], vec![0.0; 2], &[1.0, 2.0, 2.0, 1.0]).is_err());
    }
}
