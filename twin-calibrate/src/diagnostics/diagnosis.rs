//! The verdict over all coordinates.

use std::fmt;

use super::effective::{Draws, bulk_ess, mcse_mean, mean, r_hat, standard_deviation, tail_ess};

/// What draws must reach to be called good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// R-hat must lie below this.
    pub r_hat: f64,
    /// The bulk and the tail effective sample size must both reach this.
    pub effective: f64,
}

impl Default for Thresholds {
    /// The published advice (doi:10.1214/20-BA1221): R-hat below 1.01, effective sizes of 400.
    fn default() -> Self {
        Self { r_hat: 1.01, effective: 400.0 }
    }
}

impl Thresholds {
    /// For a first look: R-hat below 1.05, effective sizes of 100.
    #[must_use]
    pub fn exploratory() -> Self {
        Self { r_hat: 1.05, effective: 100.0 }
    }
}

/// The measures of one coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoordinateDiagnosis {
    /// The mean of the draws.
    pub mean: f64,
    /// Their standard deviation.
    pub standard_deviation: f64,
    /// Rank-normalized split R-hat.
    pub r_hat: f64,
    /// The effective number of draws for the middle of the distribution.
    pub bulk_ess: f64,
    /// The effective number of draws for its tails.
    pub tail_ess: f64,
    /// The Monte Carlo standard error of the mean.
    pub mcse_mean: f64,
}

impl CoordinateDiagnosis {
    /// Measures the draws of one coordinate.
    #[must_use]
    pub fn of(draws: &Draws<'_>) -> Self {
        Self {
            mean: mean(draws),
            standard_deviation: standard_deviation(draws),
            r_hat: r_hat(draws),
            bulk_ess: bulk_ess(draws),
            tail_ess: tail_ess(draws),
            mcse_mean: mcse_mean(draws),
        }
    }
}

/// A reason not to trust draws.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Concern {
    /// There is nothing to judge.
    Empty,
    /// All chains depend on each other, so none can contradict another.
    OneGroup,
    /// A measure of the coordinate is not defined: too few draws, draws that are not finite or are all the same.
    Undefined {
        /// The coordinate.
        coordinate: usize,
    },
    /// R-hat is too large: chains disagree or drift.
    Disagreement {
        /// The coordinate.
        coordinate: usize,
        /// Its R-hat.
        r_hat: f64,
    },
    /// Too few effective draws for the middle of the distribution.
    FewInBulk {
        /// The coordinate.
        coordinate: usize,
        /// Its effective number of draws.
        effective: f64,
    },
    /// Too few effective draws for the tails.
    FewInTails {
        /// The coordinate.
        coordinate: usize,
        /// Its effective number of draws.
        effective: f64,
    },
    /// The distribution that was drawn from is too far from the posterior for importance weights to bridge.
    FarFromPosterior {
        /// The shape of the tail of the importance weights, at least 0.7.
        pareto_k: f64,
    },
    /// The posterior does not fall like the normal distribution, or the expansion of second order, that was drawn from.
    NotNormal {
        /// The largest difference, as a share of how far a normal one falls over two standard deviations.
        departure: f64,
    },
    /// The posterior has several peaks, of which the method took one.
    SecondPeak {
        /// The mass of another peak over that of the one taken, as far as their curvature tells.
        ratio: f64,
    },
    /// Trajectories ran off: somewhere the density is too sharp for the steps, and draws may be missing there.
    Divergences {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// Fresh momenta do not carry a chain through all energies.
    LowEnergy {
        /// The chain.
        chain: usize,
        /// Its estimated Bayesian fraction of missing information.
        bfmi: f64,
    },
    /// The draws were made from others that are not sound.
    UnsoundFormer,
    /// The method was told to end early.
    Unfinished,
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there are no draws"),
            Self::OneGroup => write!(f, "no two chains are independent"),
            Self::Undefined { coordinate } => {
                write!(f, "coordinate {coordinate} cannot be judged: too few draws, draws that are not finite, or all the same")
            }
            Self::Disagreement { coordinate, r_hat } => {
                write!(f, "the chains disagree on coordinate {coordinate} (R-hat {r_hat:.3})")
            }
            Self::FewInBulk { coordinate, effective } => {
                write!(f, "only {effective:.0} effective draws of the bulk of coordinate {coordinate}")
            }
            Self::FewInTails { coordinate, effective } => {
                write!(f, "only {effective:.0} effective draws of the tails of coordinate {coordinate}")
            }
            Self::FarFromPosterior { pareto_k } => {
                write!(f, "the approximation is too far from the posterior (Pareto shape {pareto_k:.2} of the importance weights)")
            }
            Self::NotNormal { departure } => {
                write!(
                    f,
                    "the posterior does not fall like what was drawn from, off by {:.0} % of a fall over two standard deviations",
                    100.0 * departure
                )
            }
            Self::SecondPeak { ratio } => {
                write!(f, "the posterior has another peak, of {ratio:.2} times the mass of the one taken")
            }
            Self::Divergences { count, of } => write!(f, "{count} of {of} trajectories ran off"),
            Self::LowEnergy { chain, bfmi } => {
                write!(f, "chain {chain} does not get through its energies (fraction of missing information {bfmi:.2})")
            }
            Self::UnsoundFormer => write!(f, "the former draws, from which these were made, are not sound"),
            Self::Unfinished => write!(f, "the method ended before it was done"),
        }
    }
}

/// What is to be thought of a set of draws. It is good only if nothing speaks against it.
///
/// ```
/// use twin_calibrate::diagnostics::{Diagnosis, Draws, Thresholds};
/// use twin_core::Random;
/// let mut random = Random::new(1);
/// let mut values: Vec<f64> = (0..4000).map(|_| random.normal()).collect();
/// let good = Diagnosis::of([Draws::independent(&values, 4)?], Thresholds::default());
/// assert!(good.is_good());
///
/// for value in &mut values[..1000] { *value += 1.0; } // one of the four chains has found another place
/// let bad = Diagnosis::of([Draws::independent(&values, 4)?], Thresholds::default());
/// assert!(!bad.is_good());
/// assert!(bad.concerns()[0].to_string().starts_with("the chains disagree on coordinate 0"));
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    coordinates: Vec<CoordinateDiagnosis>,
    thresholds: Thresholds,
    concerns: Vec<Concern>,
}

impl Diagnosis {
    /// Judges the draws of every coordinate by `thresholds`.
    pub fn of<'a>(coordinates: impl IntoIterator<Item = Draws<'a>>, thresholds: Thresholds) -> Self {
        let mut this = Self { coordinates: Vec::new(), thresholds, concerns: Vec::new() };
        let mut fewest_groups = usize::MAX;
        for (coordinate, draws) in coordinates.into_iter().enumerate() {
            fewest_groups = fewest_groups.min(draws.groups());
            let measures = CoordinateDiagnosis::of(&draws);
            this.judge(coordinate, &measures);
            this.coordinates.push(measures);
        }
        match fewest_groups {
            usize::MAX => this.concerns.push(Concern::Empty),
            1 => this.concerns.push(Concern::OneGroup),
            _ => {}
        }
        this
    }

    fn judge(&mut self, coordinate: usize, measures: &CoordinateDiagnosis) {
        let CoordinateDiagnosis { r_hat, bulk_ess, tail_ess, .. } = *measures;
        if [r_hat, bulk_ess, tail_ess].iter().any(|m| m.is_nan()) {
            self.concerns.push(Concern::Undefined { coordinate });
        }
        if r_hat >= self.thresholds.r_hat {
            self.concerns.push(Concern::Disagreement { coordinate, r_hat });
        }
        if bulk_ess < self.thresholds.effective {
            self.concerns.push(Concern::FewInBulk { coordinate, effective: bulk_ess });
        }
        if tail_ess < self.thresholds.effective {
            self.concerns.push(Concern::FewInTails { coordinate, effective: tail_ess });
        }
    }

    /// The same verdict with one more concern.
    #[must_use]
    pub fn with_concern(mut self, concern: Concern) -> Self {
        self.concerns.push(concern);
        self
    }

    /// Whether nothing speaks against the draws.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.concerns.is_empty()
    }

    /// What speaks against them.
    #[must_use]
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// The measures, by coordinate.
    #[must_use]
    pub fn coordinates(&self) -> &[CoordinateDiagnosis] {
        &self.coordinates
    }

    /// What was asked of the draws.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_core::Random;

    fn diagnose(values: &[f64], chains: usize) -> Diagnosis {
        Diagnosis::of([Draws::independent(values, chains).unwrap()], Thresholds::default())
    }

    fn normal(draws: usize) -> Vec<f64> {
        let mut random = Random::new(12);
        (0..draws).map(|_| random.normal()).collect()
    }

    #[test]
    fn good_draws_raise_no_concern() {
        let verdict = diagnose(&normal(4000), 4);
        assert!(verdict.is_good(), "{verdict:?}");
        assert_eq!(verdict.coordinates().len(), 1);
    }

    #[test]
    fn a_constant_is_not_called_good() {
        assert_eq!(diagnose(&[1.0; 4000], 4).concerns(), [Concern::Undefined { coordinate: 0 }]);
    }

    #[test]
    fn one_chain_alone_is_not_called_good() {
        assert_eq!(diagnose(&normal(4000), 1).concerns(), [Concern::OneGroup]);
    }

    #[test]
    fn no_coordinates_are_not_called_good() {
        assert_eq!(Diagnosis::of([], Thresholds::default()).concerns(), [Concern::Empty]);
    }

    #[test]
    fn few_draws_are_not_called_good() {
        let values = normal(200);
        let concerns = diagnose(&values, 4).concerns().to_vec();
        assert!(concerns.iter().any(|c| matches!(c, Concern::FewInBulk { coordinate: 0, .. })), "{concerns:?}");
        assert!(concerns.iter().any(|c| matches!(c, Concern::FewInTails { coordinate: 0, .. })), "{concerns:?}");
    }

    #[test]
    fn the_bad_coordinate_is_named() {
        let good = normal(4000);
        let mut bad = good.clone();
        bad[..1000].iter_mut().for_each(|v| *v += 1.0);
        let draws = [Draws::independent(&good, 4).unwrap(), Draws::independent(&bad, 4).unwrap()];
        let verdict = Diagnosis::of(draws, Thresholds::exploratory());
        assert!(matches!(verdict.concerns(), [Concern::Disagreement { coordinate: 1, .. }, ..]), "{verdict:?}");
    }
}
