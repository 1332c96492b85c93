//! Search by evolution, for one objective or several.

use super::Breach;
use super::front::{Front, Point, dominates, layers, thinned};
use crate::TrialError;
use rayon::prelude::*;
use twin_core::Random;

/// What a candidate comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The objectives, each to be made small, all finite.
    pub objectives: Vec<f64>,
    /// The limits that it breaks; none for a feasible candidate.
    pub breaches: Vec<Breach>,
}

impl Scored {
    /// A candidate that breaks no limit.
    #[must_use]
    pub fn feasible(objectives: Vec<f64>) -> Self {
        Self { objectives, breaches: Vec::new() }
    }

    /// By how much it breaks limits, all together.
    pub(super) fn violation(&self) -> f64 {
        self.breaches.iter().fold(0.0, |sum, breach| sum + breach.excess)
    }
}

/// Generalized differential evolution (GDE3): candidates move by scaled differences of others, and a crowded population gives up, of the
/// last front that fits, those with the nearest neighbors.
///
/// With one objective it is differential evolution with the rules of Deb for limits: a feasible candidate beats one that is not, and of two
/// that are not the one nearer to the limits wins. Every feasible candidate that no other beats in all objectives is kept and handed back,
/// not only those of the last population.
///
/// It needs no derivative, is not fooled by steps, and takes whole numbers and choices. It does not know when it has found the best; give
/// it more generations and look whether anything changes. Kukkonen and Lampinen 2005, doi:10.1109/CEC.2005.1554717; Deb et al. 2002,
/// doi:10.1109/4235.996017.
#[derive(Debug, Clone, PartialEq)]
pub struct Evolution {
    /// How many candidates live at once; at least 4.
    pub population: usize,
    /// How many times each is varied.
    pub generations: usize,
    /// The scale of differences.
    pub scale: f64,
    /// The probability that a coordinate is varied; high where variables act together.
    pub crossover: f64,
    /// The seed.
    pub seed: u64,
    /// The share of candidates whose score may fail before the search fails.
    pub tolerated_failures: f64,
}

impl Default for Evolution {
    /// 60 candidates, 100 generations; scale 0.5 and crossover 0.9 after Storn and Price 1997, doi:10.1023/A:1008202821328; one failure in
    /// twenty is tolerated.
    fn default() -> Self {
        Self { population: 60, generations: 100, scale: 0.5, crossover: 0.9, seed: 1, tolerated_failures: 0.05 }
    }
}

/// A living candidate.
#[derive(Clone)]
pub(super) struct Living {
    pub(super) shares: Vec<f64>,
    pub(super) scored: Scored,
    violation: f64,
}

/// How the score of a point of the unit cube is computed.
pub type Score<'a> = dyn Fn(&[f64]) -> Result<Scored, TrialError> + Sync + 'a;

impl Evolution {
    /// Searches the unit cube of `dimension` coordinates; the same bits at any number of threads.
    ///
    /// # Errors
    /// [`TrialError::Count`] or [`TrialError::OutOfRange`] for settings without meaning; [`TrialError::TooManyFailures`] if more scores fail
    /// than tolerated. That nothing feasible was found is no error: the front is then empty and knows the breaches.
    pub fn minimize(&self, dimension: usize, score: &Score<'_>) -> Result<Front, TrialError> {
        self.check(dimension)?;
        let root = Random::new(self.seed);
        let mut record = Record::new(self.tolerated_failures);
        let starts: Vec<Vec<f64>> = latin_hypercube(self.population, dimension, &mut root.stream(0));
        let mut living: Vec<Living> = record.take(assess(starts, score))?.into_iter().flatten().collect();
        if living.len() < 4 {
            return Err(TrialError::Count {
                what: "number of candidates that could be scored",
                count: living.len(),
                valid: "4 or more",
            });
        }
        for generation in 1..=self.generations {
            let stream = root.stream(generation as u64);
            let varied: Vec<Vec<f64>> =
                (0..living.len()).map(|index| self.vary(&living, index, &mut stream.stream(index as u64))).collect();
            let children = record.take(assess(varied, score))?;
            let parents = std::mem::take(&mut living);
            for (parent, child) in parents.into_iter().zip(children) {
                match child {
                    None => living.push(parent),
                    Some(child) => survive(parent, child, &mut living),
                }
            }
            prune(&mut living, self.population);
        }
        Ok(record.front)
    }

    fn check(&self, dimension: usize) -> Result<(), TrialError> {
        if self.population < 4 || dimension == 0 {
            let (what, count) = ("number of candidates or of variables", self.population.min(dimension));
            return Err(TrialError::Count { what, count, valid: "at least 4 candidates and 1 variable" });
        }
        for (what, value) in [
            ("scale of differences", self.scale),
            ("crossover", self.crossover),
            ("share of tolerated failures", self.tolerated_failures),
        ] {
            if !(0.0..=2.0).contains(&value) {
                return Err(TrialError::OutOfRange { what, index: 0, value, valid: "from 0 to 1; a scale may be up to 2" });
            }
        }
        Ok(())
    }

    /// The candidate number `index`, with some coordinates moved from a third candidate by a difference of two others.
    fn vary(&self, living: &[Living], index: usize, random: &mut Random) -> Vec<f64> {
        let mut others = [index; 3];
        for place in 0..3 {
            loop {
                let pick = random.below(living.len());
                if pick != index && others.iter().take(place).all(|other| *other != pick) {
                    if let Some(other) = others.get_mut(place) {
                        *other = pick;
                    }
                    break;
                }
            }
        }
        let coordinate = |who: usize, place: usize| living.get(who).and_then(|one| one.shares.get(place)).copied().unwrap_or(0.5);
        let dimension = living.get(index).map_or(0, |one| one.shares.len());
        let forced = random.below(dimension);
        let [a, b, base] = others;
        (0..dimension)
            .map(|place| {
                if random.uniform() >= self.crossover && place != forced {
                    return coordinate(index, place);
                }
                bounded(coordinate(base, place) + self.scale * (coordinate(a, place) - coordinate(b, place)))
            })
            .collect()
    }
}

/// A move beyond the unit interval ends on its border: the best plans often lie there, at a greatest dose or at none.
pub(super) fn bounded(share: f64) -> f64 {
    share.clamp(0.0, 1.0)
}

/// Points that fill each coordinate evenly.
pub(super) fn latin_hypercube(count: usize, dimension: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let mut points = vec![Vec::with_capacity(dimension); count];
    for _ in 0..dimension {
        let mut strata: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            strata.swap(last, random.below(last + 1));
        }
        for (point, stratum) in points.iter_mut().zip(strata) {
            point.push((stratum as f64 + random.uniform()) / count as f64);
        }
    }
    points
}

pub(super) type Assessed = (Vec<f64>, Result<Scored, TrialError>);

pub(super) fn assess(points: Vec<Vec<f64>>, score: &Score<'_>) -> Vec<Assessed> {
    let one = |shares: Vec<f64>| {
        let scored = score(&shares).and_then(|scored| {
            crate::statistics::finite("objective", &scored.objectives)?;
            Ok(scored)
        });
        (shares, scored)
    };
    points.into_par_iter().map(one).collect()
}

/// What the search has seen.
pub(super) struct Record {
    pub(super) front: Front,
    tolerated: f64,
    first: Option<TrialError>,
}

impl Record {
    pub(super) fn new(tolerated: f64) -> Self {
        Self { front: Front::default(), tolerated, first: None }
    }

    /// Takes candidates in, in order; `None` where the score failed.
    pub(super) fn take(&mut self, assessed: Vec<Assessed>) -> Result<Vec<Option<Living>>, TrialError> {
        let mut living = Vec::with_capacity(assessed.len());
        for (shares, scored) in assessed {
            self.front.evaluations += 1;
            living.push(match scored {
                Err(error) => {
                    self.front.failures += 1;
                    self.first.get_or_insert(error);
                    None
                }
                Ok(scored) => {
                    if scored.breaches.is_empty() {
                        self.front.offer(Point { shares: shares.clone(), objectives: scored.objectives.clone() });
                    } else {
                        self.front.infeasible += 1;
                        if self.front.points.is_empty() {
                            self.front.breaches.push(scored.breaches.clone());
                        }
                    }
                    let violation = scored.violation();
                    Some(Living { shares, scored, violation })
                }
            });
        }
        match self.first.take() {
            Some(source) if self.front.failures as f64 > self.tolerated * self.front.evaluations as f64 => {
                let (failed, of) = (self.front.failures, self.front.evaluations);
                Err(TrialError::TooManyFailures { failed, of, source: Box::new(source) })
            }
            first => {
                self.first = first;
                Ok(living)
            }
        }
    }
}

/// Parent, child, or both live on.
fn survive(parent: Living, child: Living, living: &mut Vec<Living>) {
    let feasible = |one: &Living| one.scored.breaches.is_empty();
    match (feasible(&parent), feasible(&child)) {
        (true, false) => living.push(parent),
        (false, true) => living.push(child),
        (false, false) => living.push(if child.violation <= parent.violation { child } else { parent }),
        (true, true) => {
            let (old, new) = (&parent.scored.objectives, &child.scored.objectives);
            if dominates(old, new) {
                living.push(parent);
            } else if dominates(new, old) || old == new {
                living.push(child);
            } else {
                living.push(parent);
                living.push(child);
            }
        }
    }
}

/// Keeps `count`: whole fronts first, then of the front that does not fit those with room around them; those beyond the limits come last.
fn prune(living: &mut Vec<Living>, count: usize) {
    if living.len() <= count {
        return;
    }
    let objectives: Vec<&[f64]> = living.iter().map(|one| one.scored.objectives.as_slice()).collect();
    let feasible: Vec<usize> =
        (0..living.len()).filter(|index| living.get(*index).is_some_and(|one| one.scored.breaches.is_empty())).collect();
    let mut kept: Vec<usize> = Vec::with_capacity(count);
    for layer in layers(&objectives, feasible) {
        let room = count - kept.len();
        kept.extend(if layer.len() > room { thinned(&objectives, layer, room) } else { layer });
    }
    let mut beyond: Vec<usize> =
        (0..living.len()).filter(|index| living.get(*index).is_some_and(|one| !one.scored.breaches.is_empty())).collect();
    beyond.sort_by(|a, b| {
        let violation = |index: &usize| living.get(*index).map_or(f64::INFINITY, |one| one.violation);
        violation(a).total_cmp(&violation(b)).then(a.cmp(b))
    });
    kept.extend(beyond.into_iter().take(count.saturating_sub(kept.len())));
    kept.sort_unstable();
    let mut place = 0;
    living.retain(|_| {
        place += 1;
        kept.binary_search(&(place - 1)).is_ok()
    });
}
