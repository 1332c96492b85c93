//! Several looks at the data, with the probability of a false alarm held over all of them.

use crate::TrialError;
use crate::statistics::{finite, open_unit};
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// How the probability of a false alarm is divided among the looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Boundary {
    /// High at first, `c √(1/tₖ)` (O'Brien and Fleming 1979, doi:10.2307/2530245).
    OBrienFleming,
    /// The same at every look (Pocock 1977, doi:10.1093/biomet/64.2.191).
    Pocock,
    /// Spent by a function of the information, whatever the number and times of looks (Lan and DeMets 1983, doi:10.1093/biomet/70.3.659).
    Spending(Spending),
}

/// How much of the two-sided probability of a false alarm may be spent by a share `t` of the information.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spending {
    /// `4 (1 - Φ(z_{1-α/4} / √t))`: close to O'Brien and Fleming's, each side spending half.
    OBrienFleming,
    /// `α ln(1 + (e - 1) t)`: close to Pocock's.
    Pocock,
    /// `α t^ρ` (Kim and DeMets 1987, doi:10.1093/biomet/74.1.149).
    Power(f64),
}

impl Spending {
    /// What may be spent of `alpha` by the share `information`, between 0 and 1.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for an alpha not strictly between 0 and 1, a share not above 0 and at most 1, or a power that is not
    /// above 0.
    pub fn spent(self, alpha: f64, information: f64) -> Result<f64, TrialError> {
        open_unit("alpha", alpha)?;
        if !(information > 0.0 && information <= 1.0) {
            let valid = "above 0 and at most 1";
            return Err(TrialError::OutOfRange { what: "share of information", index: 0, value: information, valid });
        }
        let normal = Normal::standard();
        match self {
            Self::OBrienFleming => Ok(4.0 * normal.sf(normal.inverse_cdf(1.0 - alpha / 4.0) / information.sqrt())),
            Self::Pocock => Ok(alpha * (1.0 + (std::f64::consts::E - 1.0) * information).ln()),
            Self::Power(power) if power.is_finite() && power > 0.0 => Ok(alpha * information.powf(power)),
            Self::Power(value) => {
                Err(TrialError::OutOfRange { what: "power of spending", index: 0, value, valid: "above 0 and finite" })
            }
        }
    }
}

/// A two-sided group-sequential design: at each look the trial stops if the standardized statistic lies outside `± boundary`.
///
/// ```
/// use twin_trials::design::{Boundary, GroupSequential};
/// let design = GroupSequential::equal(5, 0.05, Boundary::OBrienFleming)?;
/// assert!((design.boundaries[4] - 2.040).abs() < 5e-4); // Jennison and Turnbull 2000, table 2.3
/// assert!((design.crossing_probabilities(0.0)?.iter().sum::<f64>() - 0.05).abs() < 1e-6);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSequential {
    /// The share of the information at each look, ascending; the last is 1.
    pub information: Vec<f64>,
    /// The boundary of the standardized statistic at each look.
    pub boundaries: Vec<f64>,
    /// The probability of a false alarm over all looks.
    pub alpha: f64,
}

impl GroupSequential {
    /// The design with `looks` equally spaced looks and two-sided level `alpha`.
    ///
    /// # Errors
    /// As [`GroupSequential::new`].
    pub fn equal(looks: usize, alpha: f64, boundary: Boundary) -> Result<Self, TrialError> {
        let information: Vec<f64> = (1..=looks).map(|look| look as f64 / looks as f64).collect();
        Self::new(&information, alpha, boundary)
    }

    /// The design with looks at the given shares of the `information` (for survival: of the events) and two-sided level `alpha`.
    ///
    /// # Errors
    /// [`TrialError::Empty`] without looks; [`TrialError::OutOfRange`] for shares that do not ascend from above 0 to 1, and for an alpha
    /// not strictly between 0 and 1; [`TrialError::NotConverged`] where no boundary can be found.
    pub fn new(information: &[f64], alpha: f64, boundary: Boundary) -> Result<Self, TrialError> {
        open_unit("alpha", alpha)?;
        check(information)?;
        let boundaries = match boundary {
            Boundary::OBrienFleming => scaled(information, alpha, |t| t.sqrt().recip())?,
            Boundary::Pocock => scaled(information, alpha, |_| 1.0)?,
            Boundary::Spending(spending) => spend(information, alpha, spending)?,
        };
        Ok(Self { information: information.to_vec(), boundaries, alpha })
    }

    /// The probability to stop at each look, if the statistic at full information has mean `drift`: at 0 the false alarms, else the power.
    /// For a log-rank test the drift is `|ln HR| √(d p (1-p))` with `d` events at the end and a share `p` in one arm.
    ///
    /// # Errors
    /// [`TrialError::NotFinite`] for a drift or a boundary that is not finite; [`TrialError::Length`] and [`TrialError::OutOfRange`] for
    /// looks that were changed into something that is not a design.
    pub fn crossing_probabilities(&self, drift: f64) -> Result<Vec<f64>, TrialError> {
        if !drift.is_finite() {
            return Err(TrialError::NotFinite { what: "drift", index: 0, value: drift });
        }
        check(&self.information)?;
        finite("boundary", &self.boundaries)?;
        if self.boundaries.len() != self.information.len() {
            let (what, reference) = ("the list of boundaries", "the list of looks");
            return Err(TrialError::Length { what, found: self.boundaries.len(), reference, expected: self.information.len() });
        }
        let mut process = Process::new(drift);
        Ok(self.information.iter().zip(&self.boundaries).map(|(&t, &z)| process.step(t, z)).collect())
    }

    /// The probability to stop at any look, if the statistic at full information has mean `drift`.
    ///
    /// # Errors
    /// As [`GroupSequential::crossing_probabilities`].
    pub fn power(&self, drift: f64) -> Result<f64, TrialError> {
        Ok(self.crossing_probabilities(drift)?.iter().sum())
    }

    /// By how much the information at the end must exceed that of a trial with a single look, for the same `power`.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a power not between alpha and 1; [`TrialError::NotConverged`].
    pub fn inflation(&self, power: f64) -> Result<f64, TrialError> {
        open_unit("power", power)?;
        if power <= self.alpha {
            return Err(TrialError::OutOfRange { what: "power", index: 0, value: power, valid: "above alpha" });
        }
        let total = |design: &Self| root(0.0, 20.0, |drift| Ok(design.power(drift)? - power));
        let single = Self {
            information: vec![1.0],
            boundaries: vec![Normal::standard().inverse_cdf(1.0 - self.alpha / 2.0)],
            alpha: self.alpha,
        };
        Ok((total(self)? / total(&single)?).powi(2))
    }
}

fn check(information: &[f64]) -> Result<(), TrialError> {
    let what = "share of information";
    let Some(&last) = information.last() else { return Err(TrialError::Empty { what: "the list of looks" }) };
    let mut before = 0.0;
    for (index, &value) in information.iter().enumerate() {
        if !(value > before && value <= 1.0) {
            return Err(TrialError::OutOfRange { what, index, value, valid: "above the one before and at most 1" });
        }
        before = value;
    }
    if (last - 1.0).abs() > 1e-12 {
        return Err(TrialError::OutOfRange { what, index: information.len() - 1, value: last, valid: "1 at the last look" });
    }
    Ok(())
}

/// Boundaries `c · shape(t)` with the constant that gives `alpha` in all.
fn scaled(information: &[f64], alpha: f64, shape: impl Fn(f64) -> f64) -> Result<Vec<f64>, TrialError> {
    let of = |constant: f64| information.iter().map(|&t| constant * shape(t)).collect::<Vec<_>>();
    let excess = |constant: f64| {
        let mut process = Process::new(0.0);
        let crossed: f64 = information.iter().zip(of(constant)).map(|(&t, z)| process.step(t, z)).sum();
        Ok(alpha - crossed)
    };
    root(0.1, 12.0, excess).map(of)
}

/// Boundaries that spend what is allowed at each look.
fn spend(information: &[f64], alpha: f64, spending: Spending) -> Result<Vec<f64>, TrialError> {
    let (mut process, mut before, mut boundaries) = (Process::new(0.0), 0.0, Vec::with_capacity(information.len()));
    for &share in information {
        let total = spending.spent(alpha, share)?;
        let boundary = root(0.01, 38.0, |z| Ok(total - before - process.clone().step(share, z)))?;
        process.step(share, boundary);
        boundaries.push(boundary);
        before = total;
    }
    Ok(boundaries)
}

/// The zero of a rising function between two numbers, by false position that halves a stale end (the Illinois rule).
fn root(mut low: f64, mut high: f64, rising: impl Fn(f64) -> Result<f64, TrialError>) -> Result<f64, TrialError> {
    let (mut below, mut above) = (rising(low)?, rising(high)?);
    let failed = Err(TrialError::NotConverged { what: "search for a boundary", iterations: 200 });
    if !(below <= 0.0 && above >= 0.0) {
        return failed;
    }
    let mut last = 0;
    for step in 0..200 {
        // A bisection now and then, as the function may be flat at its ends.
        let middle =
            if step % 3 == 2 || above <= below { 0.5 * (low + high) } else { (low * above - high * below) / (above - below) };
        let value = rising(middle)?;
        if value.abs() < 1e-14 || high - low < 1e-13 * high.abs().max(1.0) {
            return Ok(middle);
        }
        if value > 0.0 {
            below *= if last == 1 { 0.5 } else { 1.0 };
            (high, above, last) = (middle, value, 1);
        } else {
            above *= if last == -1 { 0.5 } else { 1.0 };
            (low, below, last) = (middle, value, -1);
        }
    }
    failed
}

/// The law of the score process of trials that go on: Brownian motion with drift, absorbed outside the boundaries at each look
/// (Armitage, McPherson and Rowe 1969, doi:10.2307/2343787), as weights on the nodes of Simpson's rule.
#[derive(Clone)]
struct Process {
    drift: f64,
    at: f64,
    /// Values of the process, and the probability that each stands for.
    nodes: Vec<(f64, f64)>,
}

/// Intervals of Simpson's rule at each look.
const INTERVALS: usize = 240;

impl Process {
    fn new(drift: f64) -> Self {
        Self { drift, at: 0.0, nodes: vec![(0.0, 1.0)] }
    }

    /// The probability to be outside `± boundary` (standardized) at the share `information`, not having been outside before.
    fn step(&mut self, information: f64, boundary: f64) -> f64 {
        let (normal, elapsed) = (Normal::standard(), information - self.at);
        let (limit, spread) = (boundary * information.sqrt(), elapsed.sqrt());
        let center = |from: f64| from + self.drift * elapsed;
        let outside = |from: f64| normal.sf((limit - center(from)) / spread) + normal.cdf((-limit - center(from)) / spread);
        let crossed = self.nodes.iter().map(|&(from, weight)| weight * outside(from)).sum();
        // Beyond eight standard deviations nothing is left to integrate.
        let middle = self.drift * information;
        let (low, high) = ((-limit).max(middle - 8.0 * information.sqrt()), limit.min(middle + 8.0 * information.sqrt()));
        let width = (high - low) / INTERVALS as f64;
        let node = |index: usize| {
            let to = low + width * index as f64;
            let simpson = if index == 0 || index == INTERVALS { 1.0 } else { 2.0 + 2.0 * (index % 2) as f64 };
            let density: f64 = self.nodes.iter().map(|&(from, weight)| weight * normal.pdf((to - center(from)) / spread)).sum();
            (to, density / spread * simpson * width / 3.0)
        };
        let nodes = if width > 0.0 { (0..=INTERVALS).map(node).collect() } else { Vec::new() };
        (self.at, self.nodes) = (information, nodes);
        crossed
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn jennison2000_constants() {
        let expected = [
            (2, Boundary::OBrienFleming, 1.977_430_959_294_143),
            (3, Boundary::OBrienFleming, 2.004_035_578_616_407),
            (5, Boundary::OBrienFleming, 2.040_073_174_802_29),
            (2, Boundary::Pocock, 2.178_272_088_784_337),
            (3, Boundary::Pocock, 2.289_478_060_818_834),
            (5, Boundary::Pocock, 2.413_176_220_101_373),
        ];
        for (looks, kind, constant) in expected {
            let design = GroupSequential::equal(looks, 0.05, kind).unwrap();
            let last = *design.boundaries.last().unwrap();
            assert!((last - constant).abs() < 1e-6, "{looks} {kind:?}: {last}");
        }
        let first = GroupSequential::equal(5, 0.05, Boundary::OBrienFleming).unwrap().boundaries[0];
        assert!((first - 4.561_742_297_931_732).abs() < 1e-5, "{first}");
    }

    #[test]
    fn one_look_is_the_fixed_design() {
        for kind in [Boundary::Pocock, Boundary::OBrienFleming, Boundary::Spending(Spending::Pocock)] {
            let design = GroupSequential::equal(1, 0.05, kind).unwrap();
            assert!((design.boundaries[0] - 1.959_963_984_540).abs() < 1e-8);
            assert!((design.inflation(0.9).unwrap() - 1.0).abs() < 1e-8);
        }
    }

    #[test]
    fn spending_spends_what_it_may() {
        for spending in [Spending::OBrienFleming, Spending::Pocock, Spending::Power(2.0)] {
            let looks = [0.3, 0.55, 0.9, 1.0];
            let design = GroupSequential::new(&looks, 0.05, Boundary::Spending(spending)).unwrap();
            let mut sum = 0.0;
            for (probability, share) in design.crossing_probabilities(0.0).unwrap().into_iter().zip(looks) {
                sum += probability;
                assert!((sum - spending.spent(0.05, share).unwrap()).abs() < 1e-8, "{spending:?} {share}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for looks in [vec![], vec![0.5], vec![0.5, 0.4, 1.0], vec![0.0, 1.0], vec![f64::NAN, 1.0], vec![0.5, 1.5]] {
            assert!(GroupSequential::new(&looks, 0.05, Boundary::Pocock).is_err(), "{looks:?}");
        }
        assert!(GroupSequential::equal(3, 1.5, Boundary::Pocock).is_err());
        assert!(Spending::Power(-1.0).spent(0.05, 0.5).is_err());
    }
}
