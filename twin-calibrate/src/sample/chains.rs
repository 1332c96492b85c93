//! What a sampler hands back.

use std::fmt;

use crate::diagnostics::{Concern, Diagnosis, Draws, Thresholds};

/// Below this the energies of a chain are not explored (Betancourt 2016).
const LEAST_BFMI: f64 = 0.3;

/// Why a sampler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SampleEnd {
    /// All draws were made. Whether they are good is for [`Chains::diagnose`] to say.
    Finished,
    /// The observer asked to stop; the draws made until then are there.
    Asked,
}

impl fmt::Display for SampleEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "all draws were made",
            Self::Asked => "stopped as asked",
        })
    }
}

/// Draws (chains × draws × dimension), all chains of equal length, in groups of which only different ones are independent.
#[derive(Debug, Clone, PartialEq)]
pub struct Chains {
    pub(super) dimension: usize,
    pub(super) groups: usize,
    pub(super) chains: usize,
    pub(super) draws: usize,
    pub(super) points: Vec<f64>,
    pub(super) ln_densities: Vec<f64>,
    pub(super) acceptance: Vec<f64>,
    pub(super) evaluations: usize,
    pub(super) undefined: usize,
    pub(super) divergences: usize,
    pub(super) energy_bfmi: Vec<f64>,
    pub(super) reason: SampleEnd,
}

impl Chains {
    /// The number of coordinates of a draw.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The number of groups of chains that are independent of each other.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of chains, all groups together; those of one group follow each other.
    #[must_use]
    pub fn chains(&self) -> usize {
        self.chains
    }

    /// The number of draws of every chain.
    #[must_use]
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// One draw; `None` where there is none.
    #[must_use]
    pub fn point(&self, chain: usize, draw: usize) -> Option<&[f64]> {
        if chain >= self.chains || draw >= self.draws {
            return None;
        }
        let at = (chain * self.draws + draw) * self.dimension;
        self.points.get(at..at + self.dimension)
    }

    /// All draws, chain by chain.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.points.chunks_exact(self.dimension)
    }

    /// The draws of one chain in their order; none for a chain that is not there.
    pub fn chain(&self, chain: usize) -> impl Iterator<Item = &[f64]> {
        (0..self.draws).filter_map(move |draw| self.point(chain, draw))
    }

    /// All draws as one slice (chains × draws × dimension).
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.points
    }

    /// One coordinate of all draws (chains × draws); `None` where there is no such coordinate.
    #[must_use]
    pub fn coordinate(&self, coordinate: usize) -> Option<Vec<f64>> {
        (coordinate < self.dimension).then(|| self.points.iter().skip(coordinate).step_by(self.dimension).copied().collect())
    }

    /// The logarithm of the density at every draw (chains × draws).
    #[must_use]
    pub fn ln_densities(&self) -> &[f64] {
        &self.ln_densities
    }

    /// The draw of the highest density and the logarithm of it; `None` when there are no draws.
    #[must_use]
    pub fn best(&self) -> Option<(&[f64], f64)> {
        let pairs = self.points().zip(self.ln_densities.iter().copied());
        pairs.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// The share of proposals that each chain accepted after the warm-up; NaN when there were none.
    #[must_use]
    pub fn acceptance(&self) -> &[f64] {
        &self.acceptance
    }

    /// How often the density was evaluated, warm-up included.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// How often the density was NaN or plus infinity, and was taken for zero. More than a few mean that the model breaks down where
    /// the prior lets it go, and that the draws avoid a region which nobody excluded.
    #[must_use]
    pub fn undefined(&self) -> usize {
        self.undefined
    }

    /// How many trajectories ran off after the warm-up; 0 for samplers without trajectories.
    #[must_use]
    pub fn divergences(&self) -> usize {
        self.divergences
    }

    /// The estimated Bayesian fraction of missing information of each chain (Betancourt 2016, arXiv:1604.00695): below 0.3 fresh momenta do not
    /// carry the chain through all energies. Empty for samplers without energies.
    #[must_use]
    pub fn energy_bfmi(&self) -> &[f64] {
        &self.energy_bfmi
    }

    /// Why the sampler ended.
    #[must_use]
    pub fn reason(&self) -> SampleEnd {
        self.reason
    }

    /// Judges the draws. Chains of one group count as one voice, so at least two groups are needed for a good verdict; no trajectory may have
    /// run off, and no chain may be stuck among its energies.
    #[must_use]
    pub fn diagnose(&self, thresholds: Thresholds) -> Diagnosis {
        let coordinates: Vec<_> = (0..self.dimension).filter_map(|j| self.coordinate(j)).collect();
        let members = self.chains / self.groups.max(1);
        let draws = coordinates.iter().filter_map(|values| Draws::grouped(values, self.groups, members).ok());
        let mut diagnosis = Diagnosis::of(draws, thresholds);
        if self.divergences > 0 {
            diagnosis = diagnosis.with_concern(Concern::Divergences { count: self.divergences, of: self.chains * self.draws });
        }
        // A comparison that is false for NaN too.
        let stuck = |(chain, bfmi): (usize, &f64)| {
            (bfmi.is_nan() || *bfmi < LEAST_BFMI).then_some(Concern::LowEnergy { chain, bfmi: *bfmi })
        };
        self.energy_bfmi.iter().enumerate().filter_map(stuck).fold(diagnosis, Diagnosis::with_concern)
    }
}
