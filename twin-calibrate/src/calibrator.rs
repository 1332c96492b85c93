//! Calibrators: from a problem to a posterior.

use crate::control::Observer;
use crate::diagnostics::Thresholds;
use crate::optimize::{Derivatives, Differences, Fit, LevenbergMarquardt, MultiStart, NelderMead, Residuals, multi_start};
use crate::sample::{AdaptiveMetropolis, Chains, Ensemble, Gradient, LnDensity, Nuts, SampleEnd};
use crate::{CalibrationError, DerivativesBy, Posterior, Problem, Record, Target};
use twin_core::Random;

/// A method that solves a [`Problem`].
pub trait Calibrator: Send + Sync {
    /// The posterior of `problem`. What is random comes from `random` alone.
    ///
    /// # Errors
    /// What makes the problem unsolvable, or the method unfit for it. A poor posterior is not an error: its record says so.
    fn calibrate(&self, problem: &Problem<'_>, random: &mut Random) -> Result<Posterior, CalibrationError> {
        self.calibrate_observed(problem, random, &())
    }

    /// As [`Calibrator::calibrate`], with an observer that is told how far the method is and can stop it.
    ///
    /// # Errors
    /// As [`Calibrator::calibrate`].
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError>;
}

impl LnDensity for Target<'_> {
    fn dimension(&self) -> usize {
        self.dimension()
    }

    fn ln_density(&self, point: &[f64]) -> f64 {
        self.ln_posterior(point)
    }

    fn gradient(&self) -> Option<&dyn Gradient> {
        (self.derivatives_by() == DerivativesBy::Sensitivities).then_some(self)
    }
}

impl Gradient for Target<'_> {
    fn ln_density_and_gradient(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        self.ln_posterior_gradient(point, gradient)
    }
}

/// The parameters of the model as a least-squares problem on the real line, with the error parameters held fixed.
pub(crate) struct ModelResiduals<'a> {
    target: &'a Target<'a>,
    free: Vec<usize>,
    point: Vec<f64>,
    prior: usize,
}

impl<'a> ModelResiduals<'a> {
    pub(crate) fn new(target: &'a Target<'a>, point: &[f64]) -> Self {
        let free = target.of_model().iter().enumerate().filter_map(|(index, of_model)| of_model.then_some(index)).collect();
        let prior = target.problem().prior.residuals(&target.parameters_at(point)).len();
        Self { target, free, point: point.to_vec(), prior }
    }

    fn whole(&self, part: &[f64]) -> Vec<f64> {
        let mut whole = self.point.clone();
        for (&index, &value) in self.free.iter().zip(part) {
            whole[index] = value;
        }
        whole
    }

    /// How many residuals are the prior's.
    pub(crate) fn of_prior(&self) -> usize {
        self.prior
    }

    pub(crate) fn part(&self) -> Vec<f64> {
        self.free.iter().map(|&index| self.point[index]).collect()
    }
}

impl Residuals for ModelResiduals<'_> {
    fn dimension(&self) -> usize {
        self.free.len()
    }

    fn count(&self) -> usize {
        self.target.residual_count() + self.prior
    }

    fn residuals(&self, point: &[f64], residuals: &mut [f64]) -> bool {
        let theta = self.target.parameters_at(&self.whole(point));
        let mut all = Vec::with_capacity(residuals.len());
        if !self.target.residuals(&theta, &mut all) {
            return false;
        }
        let scale = self.target.problem().weight.sqrt();
        all.iter_mut().for_each(|residual| *residual *= scale);
        all.extend(self.target.problem().prior.residuals(&theta));
        all.len() == residuals.len() && {
            residuals.copy_from_slice(&all);
            true
        }
    }

    fn typical(&self, _coordinate: usize) -> f64 {
        1.0
    }

    fn derivatives(&self) -> Option<&dyn Derivatives> {
        (self.target.derivatives_by() == DerivativesBy::Sensitivities).then_some(self)
    }
}

impl Derivatives for ModelResiduals<'_> {
    fn derivatives(&self, point: &[f64], columns: &mut [f64]) -> bool {
        let whole = self.whole(point);
        let theta = self.target.parameters_at(&whole);
        let (readings, mut by_theta) = (self.target.residual_count(), Vec::new());
        if !self.target.residual_derivatives(&theta, &mut by_theta) {
            return false;
        }
        let scale = self.target.problem().weight.sqrt();
        let (transforms, prior) = (self.target.problem().prior.transforms(), self.target.problem().prior);
        for (column, &index) in columns.chunks_exact_mut(self.count()).zip(&self.free) {
            let slope = transforms[index].ln_derivative(whole[index]).exp();
            let (of_readings, of_prior) = column.split_at_mut(readings);
            for (entry, by) in of_readings.iter_mut().zip(&by_theta[index * readings..]) {
                *entry = scale * by * slope;
            }
            // Those of a prior are closed forms, and next to linear on the real line.
            let at = |offset: f64| {
                let mut moved = whole.clone();
                moved[index] += offset;
                prior.residuals(&self.target.parameters_at(&moved))
            };
            let [far_below, below, above, far_above] = [-2.0, -1.0, 1.0, 2.0].map(|steps| at(steps * PRIOR_STEP));
            for (i, entry) in of_prior.iter_mut().enumerate() {
                *entry = (8.0 * (above[i] - below[i]) - (far_above[i] - far_below[i])) / (12.0 * PRIOR_STEP);
            }
        }
        true
    }
}

/// The step of differences of the residuals of a prior, on the real line.
const PRIOR_STEP: f64 = 1e-3;

/// The search for the maximum of the posterior: many starts drawn from the prior, least squares for the parameters of the model from
/// each, then a simplex over all parameters from the best.
///
/// Requires a prior that can be sampled; local optima between which no start falls are missed.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// How many starts are drawn.
    pub starts: usize,
    /// How many of the best fits the simplex goes on from.
    pub polished: usize,
    /// The least-squares method.
    pub least_squares: LevenbergMarquardt,
    /// The simplex method.
    pub simplex: NelderMead,
}

impl Default for Search {
    fn default() -> Self {
        let least_squares = LevenbergMarquardt {
            max_iterations: 60,
            gradient_tolerance: 1e-4,
            step_tolerance: 1e-5,
            differences: Differences::central(1e-7),
            ..LevenbergMarquardt::default()
        };
        let simplex = NelderMead { max_iterations: 3000, cost_tolerance: 1e-5, restarts: 1 };
        Self { starts: 12, polished: 3, least_squares, simplex }
    }
}

impl Search {
    /// How many draws from the prior are tried for each start.
    const ATTEMPTS: usize = 50;

    /// The fits of `target`, best first, each with its whole point on the real line and the negative logarithm of the posterior density
    /// as its cost; the covariance is that of the least squares, over the parameters of the model.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] without starts or fits to polish; [`CalibrationError::NoStart`] if no draw from the prior has a positive density; [`CalibrationError::AllStarts`] if no fit came
    /// about from any of them.
    pub fn run(&self, target: &Target<'_>, random: &Random, observer: &dyn Observer) -> Result<MultiStart, CalibrationError> {
        self.run_all(target, random, observer).map(|(fits, _)| fits)
    }

    /// The same with the points that least squares led the starts to, and the starts: they may lie on peaks that least squares leave.
    pub(crate) fn run_all(
        &self,
        target: &Target<'_>,
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<(MultiStart, Vec<Vec<f64>>), CalibrationError> {
        for (setting, value) in [("the number of starts", self.starts), ("the number of polished fits", self.polished)] {
            if value == 0 {
                return Err(CalibrationError::Setting { method: "search", setting, value: 0.0, valid: "at least 1" });
            }
        }
        let starts = self.draw_starts(target, random)?;
        let cost = |point: &[f64]| -target.ln_posterior(point);
        let coarse = multi_start(&starts, |start| {
            let problem = ModelResiduals::new(target, start);
            if problem.free.is_empty() {
                return self.simplex.minimize(&cost, start, &vec![0.5; start.len()], observer);
            }
            let fit = self.least_squares.minimize(&problem, &problem.part(), observer)?;
            let point = problem.whole(&fit.point);
            Ok(Fit { cost: cost(&point), point, ..fit })
        })?;
        let best: Vec<Vec<f64>> = coarse.fits.iter().take(self.polished).map(|found| found.fit.point.clone()).collect();
        let mut fine = multi_start(&best, |start| {
            let fit = self.simplex.minimize(&cost, start, &vec![0.2; start.len()], observer)?;
            let covariance =
                coarse.fits.iter().find(|found| found.fit.point == start).and_then(|found| found.fit.covariance.clone());
            Ok(Fit { covariance, ..fit })
        })?;
        fine.failures.extend(coarse.failures);
        Ok((fine, coarse.fits.into_iter().map(|found| found.fit.point).chain(starts).collect()))
    }

    fn draw_starts(&self, target: &Target<'_>, random: &Random) -> Result<Vec<Vec<f64>>, CalibrationError> {
        let prior = target.problem().prior;
        let draw = |start: usize| {
            let mut stream = random.stream(start as u64);
            (0..Self::ATTEMPTS).find_map(|_| {
                let point = target.point_of(&prior.sample(&mut stream));
                target.ln_posterior(&point).is_finite().then_some(point)
            })
        };
        let starts: Vec<_> = (0..self.starts).filter_map(draw).collect();
        if starts.is_empty() {
            let source = target.failure().map(|(_, source)| Box::new(source));
            return Err(CalibrationError::NoStart { attempts: self.starts * Self::ATTEMPTS, source });
        }
        Ok(starts)
    }
}

/// How the posterior is drawn from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// That many adaptive Metropolis chains.
    Chains(usize, AdaptiveMetropolis),
    /// Groups of walkers.
    Ensemble(Ensemble),
    /// That many chains of the no-U-turn sampler.
    Nuts(usize, Nuts),
}

impl Sampler {
    /// The same, with as many walkers as `dimension` needs.
    fn for_dimension(&self, dimension: usize) -> Self {
        match self {
            Self::Ensemble(ensemble) => {
                Self::Ensemble(Ensemble { walkers: ensemble.walkers.max(2 * (dimension + 1)), ..ensemble.clone() })
            }
            Self::Chains(..) | Self::Nuts(..) => self.clone(),
        }
    }

    /// The same, with draws twice as far apart, or of the no-U-turn sampler twice as many by shorter steps.
    fn twice_as_long(self) -> Self {
        match self {
            Self::Ensemble(ensemble) => Self::Ensemble(Ensemble { thin: 2 * ensemble.thin, ..ensemble }),
            Self::Chains(chains, sampler) => Self::Chains(chains, AdaptiveMetropolis { thin: 2 * sampler.thin, ..sampler }),
            Self::Nuts(chains, sampler) => {
                let acceptance = 0.5 * (1.0 + sampler.acceptance);
                Self::Nuts(chains, Nuts { draws: 2 * sampler.draws, acceptance, ..sampler })
            }
        }
    }

    /// How many starts it needs.
    fn starts(&self) -> usize {
        match self {
            Self::Chains(chains, _) | Self::Nuts(chains, _) => *chains,
            Self::Ensemble(ensemble) => ensemble.starts(),
        }
    }

    fn run(
        &self,
        target: &Target<'_>,
        starts: &[Vec<f64>],
        scales: Vec<f64>,
        random: &Random,
        observer: &dyn Observer,
    ) -> Result<Chains, CalibrationError> {
        match self {
            Self::Chains(_, sampler) => {
                let scales = sampler.scales.clone().or(Some(scales));
                AdaptiveMetropolis { scales, ..sampler.clone() }.run(target, starts, random, observer)
            }
            Self::Ensemble(ensemble) => ensemble.run(target, starts, random, observer),
            Self::Nuts(_, sampler) => {
                let scales = sampler.scales.clone().or(Some(scales));
                Nuts { scales, ..sampler.clone() }.run(target, starts, random, observer)
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Chains(..) => "adaptive Metropolis chains",
            Self::Ensemble(_) => "walkers of an ensemble",
            Self::Nuts(..) => "chains of the no-U-turn sampler",
        }
    }
}

/// Draws from the posterior by a sampler that begins around the best fits of a [`Search`].
///
/// Requires only that the posterior density can be computed; suited to some ten parameters. The record of the posterior holds the
/// diagnosis, and a run that fails it is not called sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The search that comes first.
    pub search: Search,
    /// The sampler.
    pub sampler: Sampler,
    /// How many rounds it may take: after a round that fails its diagnosis another begins where it ended, twice as long. Only the last
    /// round is kept.
    pub rounds: usize,
    /// What the diagnosis demands.
    pub thresholds: Thresholds,
    /// The share of evaluations that may fail before the calibration fails.
    pub tolerated_failures: f64,
}

impl Default for Sampled {
    fn default() -> Self {
        let sampler = Sampler::Ensemble(Ensemble { groups: 4, walkers: 24, warmup: 400, draws: 400, ..Ensemble::default() });
        Self { search: Search::default(), sampler, rounds: 3, thresholds: Thresholds::exploratory(), tolerated_failures: 0.5 }
    }
}

impl Sampled {
    /// `count` starts: the fits in turn, each shifted a little.
    fn starts(target: &Target<'_>, fits: &MultiStart, count: usize, random: &Random) -> Vec<Vec<f64>> {
        let begin = |chain: usize| {
            let fit = fits.fits.get(chain % fits.fits.len().max(1)).map(|found| found.fit.point.clone()).unwrap_or_default();
            let mut stream = random.stream(chain as u64);
            let mut shifted = (0..50).map(|attempt| {
                let reach = 0.2 * 0.8_f64.powi(attempt);
                fit.iter().map(|z| z + reach * stream.normal()).collect::<Vec<f64>>()
            });
            let found = shifted.find(|point| target.ln_posterior(point).is_finite());
            found.unwrap_or(fit)
        };
        (0..count).map(begin).collect()
    }

    /// The first steps of the chains: the standard errors of the least squares where there are any, else a modest step.
    fn scales(target: &Target<'_>, fits: &MultiStart) -> Vec<f64> {
        let of_model = target.of_model();
        let count = of_model.iter().filter(|of_model| **of_model).count();
        let covariance = fits.best().and_then(|fit| fit.covariance.as_ref());
        let mut place = 0;
        let scale = |of_model: &bool| {
            if !of_model {
                return 0.2;
            }
            let variance = covariance.and_then(|covariance| covariance.get(place * (count + 1)).copied());
            place += 1;
            variance.map_or(0.2, |variance| variance.sqrt().clamp(1e-3, 1.0))
        };
        of_model.iter().map(scale).collect()
    }
}

impl Calibrator for Sampled {
    fn calibrate_observed(
        &self,
        problem: &Problem<'_>,
        random: &mut Random,
        observer: &dyn Observer,
    ) -> Result<Posterior, CalibrationError> {
        let target = Target::new(problem)?;
        let root = random.stream(random.clone().bits());
        random.bits(); // a second calibration with the same stream is another one
        let fits = self.search.run(&target, &root.stream(0), observer)?;
        let mut sampler = self.sampler.for_dimension(target.dimension());
        let mut starts = Self::starts(&target, &fits, sampler.starts(), &root.stream(1));
        let scales = Self::scales(&target, &fits);
        let (mut round, mut chains) = (1, sampler.run(&target, &starts, scales.clone(), &root.stream(2), observer)?);
        let mut diagnosis = chains.diagnose(self.thresholds);
        while !diagnosis.is_good() && chains.reason() == SampleEnd::Finished && round < self.rounds {
            starts =
                (0..chains.chains()).filter_map(|chain| chains.point(chain, chains.draws() - 1)).map(<[f64]>::to_vec).collect();
            sampler = sampler.twice_as_long();
            round += 1;
            chains = sampler.run(&target, &starts, scales.clone(), &root.stream(1 + round as u64), observer)?;
            diagnosis = chains.diagnose(self.thresholds);
        }
        let (failed, of) = (target.failures(), target.evaluations());
        if let Some((_, source)) = target.failure()
            && failed as f64 > self.tolerated_failures * of as f64
        {
            return Err(CalibrationError::TooManyFailures { failed, of, source: Box::new(source) });
        }
        let draws: Vec<f64> = chains.points().flat_map(|point| target.parameters_at(point)).collect();
        let method = format!(
            "{} {} around the best of {} fits (derivatives by {}), {round} rounds",
            sampler.starts(),
            sampler.name(),
            fits.fits.len(),
            target.derivatives_by()
        );
        let record = Record::of(&target, method, chains.reason().to_string(), Some(diagnosis));
        Posterior::new(problem.prior.names().to_vec(), draws, chains.ln_densities().to_vec(), problem.base.clone(), record)
    }
}
