//! The part of the region in which there are cells: only there is work done.
//!
//! The active region holds every voxel above a threshold, a margin that the tumor may grow into before the region must, and as many
//! voxels more as one step can reach. It only grows, so what lies outside has never been touched and stays as it was at the start.

use super::lattice::{Lattice, Run};
use super::number::Real;
use std::ops::Range;

/// Voxels that the tumor may grow by before the active region is made anew.
const SLACK: usize = 4;

/// The extent of one row: the first place and the one after the last, counted along the row; empty if the first is not below.
pub(super) type Extent = [u32; 2];
pub(super) const NOTHING: Extent = [u32::MAX, 0];

/// The active part of the region.
#[derive(Debug, Clone)]
pub(super) struct Active {
    /// Its runs, plane by plane.
    pub(super) runs: Vec<Run>,
    /// Where the runs of each plane begin, and the end of the last.
    pub(super) planes: Vec<usize>,
    /// Its voxels.
    pub(super) voxels: usize,
    /// Its voxels that no step has brought above the threshold yet.
    pub(super) shell: usize,
    /// Where cells may be before the region must grow, by row of the box.
    core: Vec<Extent>,
    /// How many voxels beyond the core it goes.
    reach: usize,
}

impl Active {
    /// Nothing.
    pub(super) fn none<T: Real>(lattice: &Lattice<T>) -> Self {
        let rows = lattice.size[1] * lattice.size[2];
        let planes = vec![0; lattice.size[2] + 1];
        Self { runs: Vec::new(), planes, voxels: 0, shell: 0, core: vec![NOTHING; rows], reach: 0 }
    }

    /// Makes sure that a step which reaches `reach` voxels far, from cells within `extents`, stays inside.
    pub(super) fn cover<T: Real>(&mut self, lattice: &Lattice<T>, extents: &[Extent], reach: usize) {
        let within = |(a, b): (&Extent, &Extent)| a[0] >= b[0] && a[1] <= b[1] || a[0] >= a[1];
        if self.voxels == lattice.voxels || (reach <= self.reach && extents.iter().zip(&self.core).all(within)) {
            return;
        }
        // What was active stays active.
        let joined: Vec<Extent> = extents.iter().zip(&self.core).map(|(a, b)| union(*a, *b)).collect();
        self.core = dilated(lattice.size, &joined, SLACK);
        self.reach = self.reach.max(reach);
        let rows = dilated(lattice.size, &self.core, self.reach);
        self.runs.clear();
        self.planes.clear();
        self.voxels = 0;
        let mut core = 0;
        for plane in lattice.planes.windows(2) {
            self.planes.push(self.runs.len());
            for run in lattice.runs.get(plane[0]..plane[1]).unwrap_or_default() {
                let row = run.start / lattice.size[0];
                let origin = row * lattice.size[0];
                if let Some(run) = clip(*run, origin, rows[row]) {
                    self.voxels += run.len;
                    self.runs.push(run);
                }
                core += clip(*run, origin, joined[row]).map_or(0, |run| run.len);
            }
        }
        self.planes.push(self.runs.len());
        self.shell = self.voxels - core;
    }

    /// The runs of one plane.
    pub(super) fn of_plane(&self, plane: usize) -> &[Run] {
        match self.planes.get(plane..plane + 2) {
            Some([from, to]) => self.runs.get(*from..*to).unwrap_or_default(),
            _ => &[],
        }
    }
}

fn union(a: Extent, b: Extent) -> Extent {
    [a[0].min(b[0]), a[1].max(b[1])]
}

/// The part of `run` within `extent` of the row that begins at `origin`.
fn clip(run: Run, origin: usize, extent: Extent) -> Option<Run> {
    let start = run.start.max(origin.saturating_add(extent[0] as usize));
    let end = (run.start + run.len).min(origin + extent[1] as usize);
    (start < end).then(|| Run { start, len: end - start })
}

/// The rows that hold something, along the second and the third axis.
fn filled([_, ny, nz]: [usize; 3], extents: &[Extent]) -> [Range<usize>; 2] {
    let (mut ys, mut zs) = (ny..0, nz..0);
    for (row, _) in extents.iter().enumerate().filter(|(_, extent)| extent[0] < extent[1]) {
        let (y, z) = (row % ny, row / ny);
        ys = ys.start.min(y)..ys.end.max(y + 1);
        zs = zs.start.min(z)..zs.end.max(z + 1);
    }
    [ys, zs]
}

/// Every extent wider by `by` voxels in all directions, diagonals included.
fn dilated(size: [usize; 3], extents: &[Extent], by: usize) -> Vec<Extent> {
    let [nx, ny, nz] = size;
    let [ys, zs] = filled(size, extents);
    let wide = |range: &Range<usize>, count: usize| range.start.saturating_sub(by)..(range.end + by).min(count);
    let near = |at: usize, range: &Range<usize>| at.saturating_sub(by).max(range.start)..(at + by + 1).min(range.end);
    let (wide_y, wide_z) = (wide(&ys, ny), wide(&zs, nz));
    let mut along_y = vec![NOTHING; extents.len()];
    for z in zs.clone() {
        for y in wide_y.clone() {
            along_y[y + ny * z] = near(y, &ys).fold(NOTHING, |joined, other| union(joined, extents[other + ny * z]));
        }
    }
    let mut wider = vec![NOTHING; extents.len()];
    for z in wide_z {
        for y in wide_y.clone() {
            wider[y + ny * z] = near(z, &zs).fold(NOTHING, |joined, other| union(joined, along_y[y + ny * other]));
        }
    }
    for extent in wider.iter_mut().filter(|extent| extent[0] < extent[1]) {
        *extent = [extent[0].saturating_sub(by as u32), (extent[1] + by as u32).min(nx as u32)];
    }
    wider
}
