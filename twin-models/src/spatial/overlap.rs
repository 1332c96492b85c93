//! How well two regions agree: overlap, and the distance of their surfaces.

use crate::SimulationError;
use twin_core::Mask;

/// The overlap of two regions after Dice: twice the common voxels over the sum of both; 1 for the same region, 0 for disjoint ones.
///
/// ```
/// use twin_core::{Grid, Mask};
/// use twin_models::spatial::dice;
/// let grid = Grid::new([4, 1, 1], [1.0; 3])?;
/// let one = Mask::new(grid.clone(), vec![true, true, false, false])?;
/// let other = Mask::new(grid, vec![false, true, true, true])?;
/// assert_eq!(dice(&one, &other)?, 0.4);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
///
/// # Errors
/// [`SimulationError::Anatomy`] for regions on different grids, and for two without a voxel, whose overlap means nothing.
pub fn dice(one: &Mask, other: &Mask) -> Result<f64, SimulationError> {
    check(one, other)?;
    let both = one.inside().iter().zip(other.inside()).filter(|(a, b)| **a && **b).count();
    let sum = one.count() + other.count();
    if sum == 0 {
        return Err(fault("neither has a voxel".to_owned()));
    }
    Ok(2.0 * both as f64 / sum as f64)
}

/// The distance, in mm, that 95 % of the voxels on the surface of one region do not exceed from the surface of the other, the larger of
/// both ways (HD95). A surface is made of the voxels with a neighbor outside, the border of the grid included.
///
/// # Errors
/// [`SimulationError::Anatomy`] for regions on different grids, and if one has no voxel.
pub fn surface_distance_95(one: &Mask, other: &Mask) -> Result<f64, SimulationError> {
    check(one, other)?;
    if one.count() == 0 || other.count() == 0 {
        return Err(fault("one has no voxel, so it has no surface".to_owned()));
    }
    let (a, b) = (surface(one), surface(other));
    let ((shape, spacing), of) = ((one.grid().shape(), one.grid().spacing_mm()), |at: &[bool], squares: &[f64]| -> Vec<f64> {
        at.iter().zip(squares).filter(|(on, _)| **on).map(|(_, square)| square.sqrt()).collect()
    });
    let there = percentile_95(of(&a, &squared_distances(shape, spacing, &b)));
    let back = percentile_95(of(&b, &squared_distances(shape, spacing, &a)));
    Ok(there.max(back))
}

fn fault(detail: String) -> SimulationError {
    SimulationError::Anatomy { what: "regions to compare", detail }
}

fn check(one: &Mask, other: &Mask) -> Result<(), SimulationError> {
    if one.grid() == other.grid() { Ok(()) } else { Err(fault("they lie on different grids".to_owned())) }
}

fn surface(mask: &Mask) -> Vec<bool> {
    let grid = mask.grid();
    let inside = |at: [usize; 3]| grid.index(at).is_some_and(|index| mask.contains(index));
    let on_surface = |index: usize| {
        let at = grid.voxel(index).unwrap_or_default();
        let open = |axis: usize| {
            let (mut before, mut after) = (at, at);
            before[axis] = at[axis].wrapping_sub(1);
            after[axis] = at[axis] + 1;
            // An axis of a single voxel has no surface of its own.
            grid.shape()[axis] > 1 && !(inside(before) && inside(after))
        };
        mask.contains(index) && (0..3).any(open)
    };
    (0..grid.voxels()).map(on_surface).collect()
}

/// The smallest value that 95 % do not exceed, between ranks linearly.
fn percentile_95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = 0.95 * (values.len().max(1) - 1) as f64;
    let (below, share) = (rank.floor() as usize, rank.fract());
    match (values.get(below), values.get(below + 1)) {
        (Some(a), Some(b)) => a + share * (b - a),
        (Some(a), None) => *a,
        _ => 0.0,
    }
}

/// The squared distance of every voxel to the nearest one of `to`, exactly, axis by axis (Felzenszwalb and Huttenlocher 2012,
/// doi:10.4086/toc.2012.v008a019).
fn squared_distances(shape: [usize; 3], spacing: [f64; 3], to: &[bool]) -> Vec<f64> {
    let mut squares: Vec<f64> = to.iter().map(|on| if *on { 0.0 } else { f64::INFINITY }).collect();
    let strides = [1, shape[0], shape[0] * shape[1]];
    for axis in 0..3 {
        let (n, stride, h) = (shape[axis], strides[axis], spacing[axis]);
        let mut line = vec![0.0; n];
        for first in (0..squares.len()).filter(|index| index / stride % n == 0) {
            for (i, place) in line.iter_mut().enumerate() {
                *place = squares[first + i * stride];
            }
            for (i, square) in lower_envelope(&line, h).into_iter().enumerate() {
                squares[first + i * stride] = square;
            }
        }
    }
    squares
}

/// The least of the parabolas `f(j) + (h (i − j))²` at every `i`.
fn lower_envelope(f: &[f64], h: f64) -> Vec<f64> {
    let mut parabolas: Vec<(usize, f64)> = Vec::new();
    for (j, &value) in f.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let height = |j: usize, value: f64| value / (h * h) + (j * j) as f64;
        // Where this parabola begins to be the lowest.
        let begin = loop {
            let Some(&(last, from)) = parabolas.last() else { break f64::NEG_INFINITY };
            let crossing = (height(j, value) - height(last, f[last])) / (2.0 * (j - last) as f64);
            if crossing > from {
                break crossing;
            }
            parabolas.pop();
        };
        parabolas.push((j, begin));
    }
    let mut at = 0;
    let least = |i: usize| {
        while parabolas.get(at + 1).is_some_and(|next| next.1 <= i as f64) {
            at += 1;
        }
        parabolas.get(at).map_or(f64::INFINITY, |(j, _)| f[*j] + (h * (i as f64 - *j as f64)).powi(2))
    };
    (0..f.len()).map(least).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::{Grid, Random};

    #[test]
    fn distances_are_those_of_a_search_through_all_voxels() {
        let grid = Grid::new([7, 6, 5], [1.0, 1.5, 2.5]).unwrap();
        let mut random = Random::new(4);
        let to: Vec<bool> = (0..grid.voxels()).map(|_| random.uniform() < 0.05).collect();
        let found = squared_distances(grid.shape(), grid.spacing_mm(), &to);
        for (index, square) in found.iter().enumerate() {
            let here = grid.world_mm(grid.voxel(index).unwrap().map(|i| i as f64));
            let away = |other: usize| {
                let there = grid.world_mm(grid.voxel(other).unwrap().map(|i| i as f64));
                here.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
            };
            let nearest = (0..to.len()).filter(|&other| to[other]).map(away).fold(f64::INFINITY, f64::min);
            assert!((square - nearest).abs() < 1e-9, "{index}");
        }
    }

    #[test]
    fn shifted_cubes_are_as_far_apart_as_they_were_shifted() {
        let grid = Grid::new([20, 12, 12], [0.5, 1.0, 1.0]).unwrap();
        let cube = |from: usize| {
            let inside = |index: usize| {
                let [i, j, k] = grid.voxel(index).unwrap();
                (from..from + 8).contains(&i) && (2..8).contains(&j) && (2..8).contains(&k)
            };
            Mask::new(grid.clone(), (0..grid.voxels()).map(inside).collect()).unwrap()
        };
        assert_eq!(surface_distance_95(&cube(2), &cube(2)).unwrap(), 0.0);
        assert_eq!(surface_distance_95(&cube(2), &cube(6)).unwrap(), 2.0);
        assert_eq!(dice(&cube(2), &cube(6)).unwrap(), 0.5);
        let nothing = Mask::new(grid.clone(), vec![false; grid.voxels()]).unwrap();
        assert!(surface_distance_95(&cube(2), &nothing).is_err() && dice(&nothing, &nothing).is_err());
    }
}
