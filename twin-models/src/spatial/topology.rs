//! What a segmentation should not look like.

use super::anatomy::Anatomy;
use crate::SimulationError;
use twin_core::Mask;

fn fault(detail: String) -> SimulationError {
    SimulationError::Anatomy { what: "region", detail }
}

/// The neighbors of the voxel number `index` of `mask` through its faces, axis by axis, before and after; `None` beyond the grid.
fn neighbors(mask: &Mask, index: usize) -> [[Option<usize>; 2]; 3] {
    let (grid, shape) = (mask.grid(), mask.grid().shape());
    let at = grid.voxel(index).unwrap_or_default();
    let strides = [1, shape[0], shape[0] * shape[1]];
    [0, 1, 2].map(|axis| {
        let before = (at[axis] > 0).then(|| index - strides[axis]);
        let after = (at[axis] + 1 < shape[axis]).then(|| index + strides[axis]);
        [before, after]
    })
}

/// The voxels that are connected with `seed` through faces among those that are as `inside` says, marked in `seen`.
fn flood(mask: &Mask, seed: usize, inside: bool, seen: &mut [bool]) -> Vec<usize> {
    let mut found = vec![seed];
    if let Some(seen) = seen.get_mut(seed) {
        *seen = true;
    }
    let mut next = 0;
    while let Some(&index) = found.get(next) {
        for neighbor in neighbors(mask, index).into_iter().flatten().flatten() {
            if let Some(seen) = seen.get_mut(neighbor)
                && !*seen
                && mask.contains(neighbor) == inside
            {
                *seen = true;
                found.push(neighbor);
            }
        }
        next += 1;
    }
    found
}

impl Anatomy {
    /// The same anatomy, if its region is one piece, solid, and nowhere held together by a single voxel.
    ///
    /// The engine computes on any region; ventricles are holes and rightly so. But islands, small holes and bridges of one voxel are most
    /// often faults of a segmentation, and cells neither cross to an island nor pass a bridge as they would pass the tissue. Holes of more than
    /// `largest_hole` voxels are taken for anatomy.
    ///
    /// # Errors
    /// [`SimulationError::Anatomy`] naming a voxel of the smaller piece, of the hole, or the bridge: a voxel of the region with
    /// exactly two neighbors in it, on opposite sides, along an axis next to which the grid has other voxels.
    pub fn without_flaws(self, largest_hole: usize) -> Result<Self, SimulationError> {
        let mask = self.region();
        let voxel = |index: usize| mask.grid().voxel(index).unwrap_or_default();
        let mut seen = vec![false; mask.grid().voxels()];
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        for index in 0..seen.len() {
            if seen.get(index) == Some(&false) && mask.contains(index) {
                pieces.push(flood(mask, index, true, &mut seen));
            }
        }
        if let (2.., Some(least)) = (pieces.len(), pieces.iter().min_by_key(|piece| piece.len())) {
            let at = least.first().map(|index| voxel(*index)).unwrap_or_default();
            let detail =
                format!("it is in {} pieces, one of {} voxels with voxel {at:?}, but must be one", pieces.len(), least.len());
            return Err(fault(detail));
        }
        for index in 0..seen.len() {
            if seen.get(index) == Some(&false) {
                let hole = flood(mask, index, false, &mut seen);
                // Along an axis of one voxel the border of the grid is no way out.
                let open = |index: &usize| {
                    let of_axis = neighbors(mask, *index).into_iter().zip(mask.grid().shape());
                    of_axis.into_iter().any(|(sides, count)| count > 1 && sides.contains(&None))
                };
                if hole.len() <= largest_hole && !hole.iter().any(open) {
                    let detail = format!("it has a hole of {} voxels at voxel {:?}, but must be solid", hole.len(), voxel(index));
                    return Err(fault(detail));
                }
            }
        }
        let dimensions = mask.grid().shape().iter().filter(|count| **count > 1).count();
        let is_bridge = |index: &usize| {
            let inside = neighbors(mask, *index).map(|sides| sides.map(|side| side.is_some_and(|side| mask.contains(side))));
            let through = inside.iter().filter(|sides| **sides == [true; 2]).count();
            let any = inside.iter().flatten().filter(|inside| **inside).count();
            through == 1 && any == 2
        };
        let bridge = (0..seen.len()).filter(|index| mask.contains(*index)).find(is_bridge);
        match bridge {
            Some(index) if dimensions > 1 => {
                Err(fault(format!("voxel {:?} alone holds two parts of it together, but must have more beside it", voxel(index))))
            }
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::{Grid, ScalarField, Unit};

    fn checked(inside: impl Fn([usize; 3]) -> bool, largest_hole: usize) -> Result<Anatomy, SimulationError> {
        let grid = Grid::new([9, 7, 7], [1.0; 3]).unwrap();
        let region = (0..grid.voxels()).map(|index| inside(grid.voxel(index).unwrap())).collect();
        let cells = ScalarField::on(grid.clone(), Unit::dimensionless(), vec![0.0; grid.voxels()]).unwrap();
        Anatomy::new(Mask::new(grid, region).unwrap(), &cells).unwrap().without_flaws(largest_hole)
    }

    #[test]
    fn flaws_of_a_segmentation_are_named() {
        assert!(checked(|_| true, 100).is_ok());
        let refused = |result: Result<Anatomy, SimulationError>, word: &str| {
            let found = matches!(&result, Err(SimulationError::Anatomy { what: "region", detail }) if detail.contains(word));
            assert!(found, "{word}: {result:?}");
        };
        refused(checked(|[i, ..]| i != 4, 100), "pieces");
        refused(checked(|at| at != [4, 3, 3], 100), "hole");
        // A large hole is anatomy, and what opens to the border is none.
        assert!(checked(|[i, j, k]| !((3..6).contains(&i) && (2..5).contains(&j) && (2..5).contains(&k)), 20).is_ok());
        assert!(checked(|[i, j, k]| !((3..6).contains(&i) && j == 3 && k < 4), 20).is_ok());
        refused(checked(|[i, j, k]| i != 4 || (j == 3 && k == 3), 100), "alone");
        assert!(checked(|[i, j, k]| i != 4 || (j == 3 && k < 5), 100).is_ok());
    }
}
