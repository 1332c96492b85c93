//! The voxels of the region, boxed in with a border of empty voxels, and the faces between them.

use super::anatomy::Anatomy;
use super::links::{Oblique, reach};
use super::number::Real;

/// Voxels in a row, along the first axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The place of the first voxel in the box.
    pub(super) start: usize,
    /// How many.
    pub(super) len: usize,
}

/// The box around the region, wider on each side, so that every voxel of the region has all its neighbors.
#[derive(Debug)]
pub(super) struct Lattice<T> {
    /// Voxels of the box along each axis.
    pub(super) size: [usize; 3],
    /// The voxel of the grid at the box's own first inner voxel.
    corner: [usize; 3],
    pub(super) shape: [usize; 3],
    /// By how many voxels the box is wider on each side: how far links reach.
    pub(super) border: usize,
    /// For each axis the conductance of the face between a voxel and the one before it, per mm² for a relative diffusivity of 1; 0 at
    /// the walls.
    pub(super) faces: [Vec<T>; 3],
    /// The links that are not along an axis, where cells diffuse by tensors.
    pub(super) oblique: Vec<Oblique<T>>,
    /// By what the flows through the faces of each voxel are multiplied, where voxels are shells: 1 over its volume.
    pub(super) inverse_volumes: Option<Vec<T>>,
    /// The runs of the region, plane by plane.
    pub(super) runs: Vec<Run>,
    /// Where the runs of each plane begin, and the end of the last.
    pub(super) planes: Vec<usize>,
    /// Voxels of the region.
    pub(super) voxels: usize,
    /// The largest sum of the conductances of one voxel, per mm²: a step of Euler's method is positive up to the inverse.
    pub(super) bound: f64,
}

/// A field of the box that is 0 in most places.
#[derive(Debug)]
pub(super) struct Sparse<T> {
    len: usize,
    /// Where it is not 0, and its values there, run after run.
    runs: Vec<Run>,
    values: Vec<T>,
}

impl<T: Real> Sparse<T> {
    /// The field, one value for each voxel of the box. What is 0 is never written, so the memory for it is never fetched.
    pub(super) fn spread(&self) -> Vec<T> {
        let mut field = vec![T::ZERO; self.len];
        let mut rest = self.values.as_slice();
        for run in &self.runs {
            let (values, later) = rest.split_at(run.len);
            field[run.start..run.start + run.len].copy_from_slice(values);
            rest = later;
        }
        field
    }
}

impl<T: Real> Lattice<T> {
    pub(super) fn new(anatomy: &Anatomy) -> Self {
        let (grid, inside) = (anatomy.grid(), anatomy.region().inside());
        let (shape, spacing) = (grid.shape(), grid.spacing_mm());
        let tensors = anatomy.relative_tensors();
        let border = tensors.map_or(1, |tensors| reach(tensors, inside, shape, spacing));
        let (corner, size) = bounding_box(shape, inside, border);
        let mut lattice = Self {
            size,
            corner,
            shape,
            border,
            oblique: Vec::new(),
            inverse_volumes: None,
            faces: [Vec::new(), Vec::new(), Vec::new()],
            runs: Vec::new(),
            planes: vec![0],
            voxels: 0,
            bound: 0.0,
        };
        lattice.find_runs(inside);
        if let Some(tensors) = tensors {
            lattice.link(tensors, inside, spacing);
            lattice.bound = lattice.largest_sum(f64::INFINITY);
            return lattice;
        }
        if anatomy.is_of_shells() {
            lattice.stack_shells(anatomy);
            return lattice;
        }
        let relative = anatomy.relative_diffusivity();
        let along = |axis: usize| lattice.conductances(axis, spacing[axis], inside, relative);
        let (x, (y, z)) = rayon::join(|| along(0), || rayon::join(|| along(1), || along(2)));
        lattice.faces = [x, y, z];
        // Where all voxels are alike none has more than one whose faces are all open.
        let most = spacing.iter().map(|h| 2.0 / (h * h)).sum::<f64>() * (1.0 - 1e-6);
        lattice.bound = lattice.largest_sum(if relative.is_none() { most } else { f64::INFINITY });
        lattice
    }

    /// The number of voxels of the box.
    pub(super) fn len(&self) -> usize {
        self.size.iter().product()
    }

    /// Voxels of one plane of the box.
    pub(super) fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The distance of neighbors along each axis in the box.
    pub(super) fn strides(&self) -> [usize; 3] {
        [1, self.size[0], self.plane()]
    }

    /// The place in the box of a voxel of the grid that lies in it.
    pub(super) fn place(&self, at: [i64; 3]) -> usize {
        let [i, j, k] = [0, 1, 2].map(|axis| at[axis] as usize + self.border - self.corner[axis]);
        i + self.size[0] * (j + self.size[1] * k)
    }

    /// The number in the grid of the voxel at a place of the box that is not in its border.
    pub(super) fn of_grid(&self, place: usize) -> usize {
        let (row, plane) = (place / self.size[0], place / self.plane());
        let at = [place % self.size[0], row % self.size[1], plane];
        let [i, j, k] = [0, 1, 2].map(|axis| self.corner[axis] + at[axis] - self.border);
        i + self.shape[0] * (j + self.shape[1] * k)
    }

    /// How many places a voxel is behind that from which it is `offset` away, which points forward.
    pub(super) fn stride(&self, offset: [i64; 3]) -> usize {
        let strides = self.strides();
        (0..3).map(|axis| offset[axis] * strides[axis] as i64).sum::<i64>().unsigned_abs() as usize
    }

    /// The rows of the grid that lie in the box: where the row begins in the grid, where in the box, and how long it is.
    fn rows(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<T> {
        let ([sx, sy, sz], [nx, ny, _], [cx, cy, cz]) = (self.size, self.shape, self.corner);
        let border = self.border;
        (border..sz - border).flat_map(move |z| {
            (border..sy - border).map(move |y| {
                let of_grid = cx + nx * (cy + y - border + ny * (cz + z - border));
                (of_grid, border + sx * (y + sy * z), sx - 2 * border)
            })
        })
    }

    fn find_runs(&mut self, inside: &[bool]) {
        let rows: Vec<_> = self.rows().collect();
        let plane = self.plane();
        let mut planes = vec![0];
        for (of_grid, of_box, len) in rows {
            // Every plane before this row's is closed: the empty border too.
            while planes.len() <= of_box / plane {
                planes.push(self.runs.len());
            }
            let row = inside.get(of_grid..of_grid + len).unwrap_or_default();
            let mut at = 0;
            while let Some(skip) = row[at..].iter().position(|inside| *inside) {
                let start = at + skip;
                let len = row[start..].iter().take_while(|inside| **inside).count();
                self.runs.push(Run { start: of_box + start, len });
                self.voxels += len;
                at = start + len;
            }
        }
        planes.resize(self.size[2] + 1, self.runs.len());
        self.planes = planes;
    }

    /// The values of `field` (of the grid) in the box, 0 in its border.
    pub(super) fn gather(&self, field: &[f64]) -> Vec<T> {
        let mut values = vec![T::ZERO; self.len()];
        for (of_grid, of_box, len) in self.rows() {
            if let (Some(from), Some(to)) = (field.get(of_grid..of_grid + len), values.get_mut(of_box..of_box + len)) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = T::from_f64(*from));
            }
        }
        values
    }

    /// The values of `field` (of the grid) in the box where they are not 0.
    pub(super) fn gather_sparse(&self, field: &[f64]) -> Sparse<T> {
        let mut sparse = Sparse { len: self.len(), runs: Vec::new(), values: Vec::new() };
        for (of_grid, of_box, len) in self.rows() {
            let row = field.get(of_grid..of_grid + len).unwrap_or_default();
            let filled = |value: &f64| *value != 0.0;
            if let Some(first) = row.iter().position(filled) {
                let last = row.iter().rposition(filled).unwrap_or(first);
                sparse.runs.push(Run { start: of_box + first, len: last + 1 - first });
                sparse.values.extend(row[first..=last].iter().map(|value| T::from_f64(*value)));
            }
        }
        sparse
    }

    /// Writes the values of the box to `field` (of the grid).
    pub(super) fn scatter(&self, values: &[T], field: &mut [f64]) {
        for (of_grid, of_box, len) in self.rows() {
            if let (Some(to), Some(from)) = (field.get_mut(of_grid..of_grid + len), values.get(of_box..of_box + len)) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from.to_f64());
            }
        }
    }

    fn conductances(&self, axis: usize, spacing: f64, inside: &[bool], relative: Option<&[f64]>) -> Vec<T> {
        let per_mm2 = 1.0 / (spacing * spacing);
        let mut faces = vec![T::ZERO; self.len()];
        let step = [1, self.shape[0], self.shape[0] * self.shape[1]][axis];
        for (of_grid, of_box, len) in self.rows() {
            // Before the first layer of the box there is nothing of the region, or no voxel of the grid.
            if axis > 0 && self.is_first(axis, of_box) {
                continue;
            }
            let skip = usize::from(axis == 0);
            let (here, before) = (of_grid + skip..of_grid + len, of_grid + skip - step..of_grid + len - step);
            let places = faces.get_mut(of_box + skip..of_box + len).unwrap_or_default();
            let (now, then) = (inside.get(here.clone()).unwrap_or_default(), inside.get(before.clone()).unwrap_or_default());
            let both = now.iter().zip(then).map(|(a, b)| *a && *b);
            match relative {
                None => {
                    let open = T::from_f64(per_mm2);
                    places.iter_mut().zip(both).for_each(|(place, both)| *place = if both { open } else { T::ZERO });
                }
                Some(relative) => {
                    let (a, b) = (relative.get(before).unwrap_or_default(), relative.get(here).unwrap_or_default());
                    for ((place, both), (a, b)) in places.iter_mut().zip(both).zip(a.iter().zip(b)) {
                        if both {
                            *place = T::from_f64(per_mm2 * harmonic_mean(*a, *b));
                        }
                    }
                }
            }
        }
        faces
    }

    /// Whether the row at `of_box` is the first of the box's inner rows along `axis`.
    fn is_first(&self, axis: usize, of_box: usize) -> bool {
        match axis {
            1 => of_box / self.size[0] % self.size[1] == self.border,
            _ => of_box / self.plane() == self.border,
        }
    }

    /// The largest sum of the conductances of one voxel, or one that is not below `enough`.
    fn largest_sum(&self, enough: f64) -> f64 {
        let strides = self.strides();
        let mut largest = T::ZERO;
        let mut sums = vec![T::ZERO; self.size[0]];
        for run in &self.runs {
            let Some(sums) = sums.get_mut(..run.len) else { continue };
            sums.fill(T::ZERO);
            let oblique = self.oblique.iter().map(|links| (&links.conductance, links.stride));
            for (faces, stride) in self.faces.iter().zip(strides).chain(oblique) {
                let (near, far) = (faces.get(run.start..), faces.get(run.start + stride..));
                let pairs = near.unwrap_or_default().iter().zip(far.unwrap_or_default());
                sums.iter_mut().zip(pairs).for_each(|(sum, (near, far))| *sum = *sum + *near + *far);
            }
            largest = sums.iter().fold(largest, |largest, sum| if *sum > largest { *sum } else { largest });
            if largest.to_f64() >= enough {
                break;
            }
        }
        largest.to_f64()
    }
}

/// Between two voxels the resistances add up; nothing passes where one of them lets nothing through.
pub(super) fn harmonic_mean(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
}

/// The first voxel of the region along each axis, and the size of the box around it with its border.
fn bounding_box([nx, ny, nz]: [usize; 3], inside: &[bool], border: usize) -> ([usize; 3], [usize; 3]) {
    let (mut low, mut high) = ([nx, ny, nz], [0, 0, 0]);
    for z in 0..nz {
        for y in 0..ny {
            let row = inside.get(nx * (y + ny * z)..nx * (y + 1 + ny * z)).unwrap_or_default();
            if let Some(first) = row.iter().position(|inside| *inside) {
                let last = row.iter().rposition(|inside| *inside).unwrap_or(first);
                for (axis, (a, b)) in [(first, last), (y, y), (z, z)].into_iter().enumerate() {
                    low[axis] = low[axis].min(a);
                    high[axis] = high[axis].max(b);
                }
            }
        }
    }
    (low, [0, 1, 2].map(|axis| high[axis] + 1 + 2 * border - low[axis].min(high[axis])))
}
