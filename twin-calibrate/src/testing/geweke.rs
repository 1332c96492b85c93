//! The joint distribution test.

use super::{Design, Method};
use crate::CalibrationError;
use crate::diagnostics::{Draws, mcse_mean, mean};
use rayon::prelude::*;
use twin_core::Random;

/// A moment of a parameter under the prior, and after many ways from parameters to data and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The parameter.
    pub parameter: String,
    /// 1 for the mean, 2 for the mean square, on the real line around the mean of the prior and in its standard deviations.
    pub order: u8,
    /// The moment under the prior.
    pub prior: f64,
    /// The moment of the successive draws.
    pub successive: f64,
    /// Their difference in standard errors: a standard normal number if the method is right.
    pub score: f64,
}

/// The test of Geweke (2004, doi:10.1198/016214504000001132): parameters are drawn from the prior, then in turn data given parameters and
/// parameters given data, by one draw of the posterior that `method` makes. The parameters must keep to their prior.
///
/// `chains` chains of `steps` steps each, with one inference for each step.
///
/// # Errors
/// [`CalibrationError::Setting`] for fewer than 8 steps or no chain; what the design or the method finds wrong.
pub fn geweke(
    design: &Design,
    method: Method<'_>,
    chains: usize,
    steps: usize,
    random: &Random,
) -> Result<Vec<Moment>, CalibrationError> {
    for (setting, value, least, valid) in [("steps", steps, 8, "at least 8"), ("chains", chains, 1, "at least 1")] {
        if value < least {
            return Err(CalibrationError::Setting { method: "geweke", setting, value: value as f64, valid });
        }
    }
    let prior = design.assumptions.prior.as_ref();
    let real = |theta: &[f64]| prior.transforms().iter().zip(theta).map(|(t, x)| t.to_real(*x)).collect::<Vec<f64>>();
    let walk = |chain: usize| {
        let mut own = random.stream(chain as u64);
        let (mut theta, _) = design.draw(&mut own)?;
        let mut path = Vec::with_capacity(steps);
        for step in 0..steps {
            let patient = design.patient(&theta, &mut own)?;
            let posterior = method.infer(&design.assumptions, &patient, &mut own.stream(step as u64))?;
            theta = posterior.draw(own.below(posterior.count()))?.to_vec();
            path.push(real(&theta));
        }
        Ok(path)
    };
    let paths = (0..chains).into_par_iter().map(walk).collect::<Result<Vec<_>, CalibrationError>>()?;
    let mut own = random.stream(u64::MAX);
    let direct = (0..4000).map(|_| design.draw(&mut own).map(|(theta, _)| real(&theta))).collect::<Result<Vec<_>, _>>()?;
    let column =
        |points: &mut dyn Iterator<Item = &Vec<f64>>, j: usize| -> Vec<f64> { points.filter_map(|z| z.get(j).copied()).collect() };
    let mut moments = Vec::new();
    for (j, name) in prior.names().iter().enumerate() {
        let mut before = column(&mut direct.iter(), j);
        let mut after = column(&mut paths.iter().flatten(), j);
        let center = before.iter().sum::<f64>() / before.len() as f64;
        let width = (before.iter().map(|z| (z - center).powi(2)).sum::<f64>() / before.len() as f64).sqrt();
        before.iter_mut().chain(&mut after).for_each(|z| *z = (*z - center) / width);
        for order in [1, 2] {
            let power = |values: &[f64]| values.iter().map(|z| z.powi(order)).collect::<Vec<f64>>();
            let (before, after) = (power(&before), power(&after));
            let (direct, successive) = (Draws::independent(&before, 1)?, Draws::independent(&after, chains)?);
            let error = mcse_mean(&direct).hypot(mcse_mean(&successive));
            let (prior, successive) = (mean(&direct), mean(&successive));
            let score = (successive - prior) / error;
            moments.push(Moment { parameter: name.clone(), order: order as u8, prior, successive, score });
        }
    }
    Ok(moments)
}
