//! Fronts of Pareto: what no other candidate beats in everything.

use super::Breach;

/// A candidate that is feasible.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Where it lies in the unit cube of the decision variables.
    pub shares: Vec<f64>,
    /// Its objectives, each to be made small.
    pub objectives: Vec<f64>,
}

/// What a search found: every feasible candidate that no other one beats, and what it took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Front {
    /// The candidates, in the order of their objectives, the first one first.
    pub points: Vec<Point>,
    /// How many candidates were scored.
    pub evaluations: usize,
    /// How many scores failed.
    pub failures: usize,
    /// How many candidates broke a limit.
    pub infeasible: usize,
    /// What was broken by each candidate before the first feasible one was found.
    pub breaches: Vec<Vec<Breach>>,
}

impl Front {
    /// Takes `point` in unless it is beaten, or equal to one that is there; what it beats goes.
    pub fn offer(&mut self, point: Point) {
        let beaten = |other: &Point| dominates(&other.objectives, &point.objectives) || other.objectives == point.objectives;
        if self.points.iter().any(beaten) {
            return;
        }
        self.points.retain(|other| !dominates(&point.objectives, &other.objectives));
        let place = self.points.partition_point(|other| {
            let pairs = other.objectives.iter().zip(&point.objectives).map(|(a, b)| a.total_cmp(b));
            pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).is_lt()
        });
        self.points.insert(place, point);
    }

    /// The volume that the front dominates below `reference`.
    #[must_use]
    pub fn hypervolume(&self, reference: &[f64]) -> f64 {
        let points: Vec<Vec<f64>> = self.points.iter().map(|point| point.objectives.clone()).collect();
        hypervolume(&points, reference)
    }
}

/// Whether `a` is nowhere worse and somewhere better than `b`, when little is wanted of everything.
#[must_use]
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// The volume dominated by `points` below `reference`: how good a front is, in one number (Zitzler and Thiele 1999,
/// doi:10.1109/4235.797969). Points that do not lie below the reference in every objective add nothing.
///
/// Exact, by slices along the last objective; meant for two to four objectives.
#[must_use]
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let within = |point: &&Vec<f64>| point.len() == reference.len() && point.iter().zip(reference).all(|(x, r)| x < r);
    sliced(points.iter().filter(within).map(Vec::as_slice).collect(), reference)
}

fn sliced(mut points: Vec<&[f64]>, reference: &[f64]) -> f64 {
    let Some((&bottom, rest)) = reference.split_last() else {
        return 0.0;
    };
    let last = |point: &[f64]| point.last().copied().unwrap_or(bottom);
    points.sort_by(|a, b| last(a).total_cmp(&last(b)));
    if rest.is_empty() {
        return points.first().map_or(0.0, |point| bottom - last(point));
    }
    let (mut volume, mut below) = (0.0, Vec::<&[f64]>::new());
    for (place, point) in points.iter().enumerate() {
        let Some((_, shadow)) = point.split_last() else { continue };
        if !below.iter().any(|other| other.iter().zip(shadow).all(|(a, b)| a <= b)) {
            below.retain(|other| !dominates(shadow, other));
            below.push(shadow);
        }
        let depth = points.get(place + 1).map_or(bottom, |next| last(next)) - last(point);
        if depth > 0.0 {
            volume += depth * if rest.len() == 2 { area(&mut below, rest) } else { sliced(below.clone(), rest) };
        }
    }
    volume
}

/// The area dominated by points of which none dominates another; sorts them.
fn area(points: &mut [&[f64]], reference: &[f64]) -> f64 {
    let at = |point: &[f64], place: usize| point.get(place).copied().unwrap_or(f64::NAN);
    points.sort_by(|a, b| at(a, 0).total_cmp(&at(b, 0)));
    let (mut sum, mut top) = (0.0, at(reference, 1));
    for point in points.iter() {
        sum += (at(reference, 0) - at(point, 0)) * (top - at(point, 1));
        top = at(point, 1);
    }
    sum
}

/// The candidates in `rest` by fronts: those that none beats, those that only the first beat, and so on.
pub(super) fn layers(objectives: &[&[f64]], mut rest: Vec<usize>) -> Vec<Vec<usize>> {
    let at = |index: usize| objectives.get(index).copied().unwrap_or_default();
    let mut layers = Vec::new();
    while !rest.is_empty() {
        let (layer, others): (Vec<usize>, Vec<usize>) =
            rest.iter().partition(|index| !rest.iter().any(|other| dominates(at(*other), at(**index))));
        layers.push(layer);
        rest = others;
    }
    layers
}

/// `layer` thinned out to `count`: again and again the candidate with the least room goes. Room is the product of the distances to as many
/// nearest neighbors as there are objectives, in objectives scaled to the front (Kukkonen and Deb 2006,
/// doi:10.1109/CEC.2006.1688335); the best of each objective has infinite room.
pub(super) fn thinned(objectives: &[&[f64]], layer: Vec<usize>, count: usize) -> Vec<usize> {
    let at = |index: usize| objectives.get(index).copied().unwrap_or_default();
    let width = layer.first().map_or(0, |index| at(*index).len());
    let range = |place: usize| {
        let values = layer.iter().filter_map(|index| at(*index).get(place).copied());
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ranges: Vec<(f64, f64)> = (0..width).map(range).collect();
    // One candidate for each objective, the first of those that are least by it.
    let least = |place: usize| {
        let by = |index: &usize| at(*index).get(place).copied().unwrap_or(f64::INFINITY);
        layer.iter().copied().min_by(|a, b| by(a).total_cmp(&by(b)))
    };
    let extremes: Vec<usize> = (0..width).filter_map(least).collect();
    let squared = |a: usize, b: usize| {
        let scaled =
            at(a).iter().zip(at(b)).zip(&ranges).map(|((x, y), (low, high))| (x - y) / (high - low).max(f64::MIN_POSITIVE));
        scaled.fold(0.0, |sum, distance| sum + distance * distance)
    };
    // Each candidate with its room and the neighbors that it was measured by.
    let measured = |index: usize, alive: &[Neighbored]| {
        let mut nearest = vec![(f64::INFINITY, index); width];
        for other in alive.iter().filter(|other| other.index != index) {
            let mut here = (squared(index, other.index), other.index);
            for slot in &mut nearest {
                if here.0 < slot.0 {
                    std::mem::swap(slot, &mut here);
                }
            }
        }
        let room = if extremes.contains(&index) { f64::INFINITY } else { nearest.iter().map(|(distance, _)| distance).product() };
        Neighbored { index, room, neighbors: nearest.into_iter().map(|(_, other)| other).collect() }
    };
    let unmeasured = |index: usize| Neighbored { index, room: 0.0, neighbors: Vec::new() };
    let mut alive: Vec<Neighbored> = layer.into_iter().map(unmeasured).collect();
    alive = alive.iter().map(|one| measured(one.index, &alive)).collect();
    while alive.len() > count {
        let least = alive.iter().enumerate().min_by(|a, b| a.1.room.total_cmp(&b.1.room).then(b.0.cmp(&a.0)));
        let Some((place, _)) = least else { break };
        let gone = alive.remove(place).index;
        let affected: Vec<usize> =
            (0..alive.len()).filter(|k| alive.get(*k).is_some_and(|one| one.neighbors.contains(&gone))).collect();
        for place in affected {
            let again = alive.get(place).map(|one| measured(one.index, &alive));
            if let (Some(slot), Some(again)) = (alive.get_mut(place), again) {
                *slot = again;
            }
        }
    }
    alive.into_iter().map(|one| one.index).collect()
}

/// A candidate with the room around it.
struct Neighbored {
    index: usize,
    room: f64,
    neighbors: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hypervolume_of_boxes() {
        assert_eq!(hypervolume(&[vec![0.0, 0.5], vec![0.5, 0.0], vec![2.0, 0.0]], &[1.0, 1.0]), 0.75);
        // three boxes that overlap: inclusion and exclusion give 3/4 - 3/8 + 1/8 ... each takes half of one edge
        let points = [vec![0.5, 0.0, 0.0], vec![0.0, 0.5, 0.0], vec![0.0, 0.0, 0.5]];
        assert_eq!(hypervolume(&points, &[1.0, 1.0, 1.0]), 1.5 - 0.75 + 0.125);
        let four: Vec<Vec<f64>> = points.iter().map(|point| [point.as_slice(), &[0.5]].concat()).collect();
        assert_eq!(hypervolume(&four, &[1.0; 4]), 0.5 * (1.5 - 0.75 + 0.125));
        assert_eq!(hypervolume(&[], &[1.0, 1.0]), 0.0);
    }

    #[test]
    fn a_front_keeps_what_nothing_beats() {
        let mut front = Front::default();
        for objectives in [[1.0, 1.0], [0.5, 2.0], [2.0, 2.0], [0.5, 2.0], [0.4, 1.5]] {
            front.offer(Point { shares: vec![], objectives: objectives.to_vec() });
        }
        let kept: Vec<&[f64]> = front.points.iter().map(|point| &*point.objectives).collect();
        assert_eq!(kept, [[0.4, 1.5], [1.0, 1.0]]);
    }
}
