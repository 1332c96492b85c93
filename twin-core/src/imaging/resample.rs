//! From one grid to another without making or losing anything.

use crate::{CoreError, Grid, Mask, ScalarField};

fn conflict(what: &'static str, detail: String) -> CoreError {
    CoreError::Conflict { what, detail }
}

/// The values of the box of `shape` voxels from `from` on, and the place of the first voxel outside it that `counts`.
fn cut<V: Copy>(
    grid: &Grid,
    values: &[V],
    from: [usize; 3],
    shape: [usize; 3],
    counts: impl Fn(V) -> bool,
) -> (Vec<V>, Option<[usize; 3]>) {
    let (mut kept, mut lost) = (Vec::with_capacity(shape.iter().product()), None);
    for (index, value) in values.iter().enumerate() {
        let at = grid.voxel(index).unwrap_or_default();
        if (0..3).all(|axis| (from[axis]..from[axis] + shape[axis]).contains(&at[axis])) {
            kept.push(*value);
        } else if lost.is_none() && counts(*value) {
            lost = Some(at);
        }
    }
    (kept, lost)
}

impl Grid {
    /// The part of the grid of `shape` voxels that begins at the voxel `from`, in its place in the world.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if the part reaches beyond the grid; [`CoreError::Count`] for one without a voxel.
    pub fn cropped(&self, from: [usize; 3], shape: [usize; 3]) -> Result<Self, CoreError> {
        let fits = |axis: usize| from[axis].checked_add(shape[axis]).is_some_and(|end| end <= self.shape()[axis]);
        if !(0..3).all(fits) {
            let detail = format!("{shape:?} voxels from {from:?} on reach beyond its {:?}", self.shape());
            return Err(conflict("part of a grid", detail));
        }
        let origin = self.world_mm(from.map(|i| i as f64));
        let mut affine = self.affine();
        affine.iter_mut().zip(origin).for_each(|(row, origin)| row[3] = origin);
        Self::new(shape, self.spacing_mm())?.with_affine(affine)
    }
}

impl Mask {
    /// The first voxel of the smallest box around the region with `margin` voxels more on each side, as far as the grid goes, and how
    /// many voxels it has along each axis; `None` for a region without a voxel.
    #[must_use]
    pub fn bounds(&self, margin: usize) -> Option<([usize; 3], [usize; 3])> {
        let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
        let places = self.inside().iter().enumerate().filter(|(_, inside)| **inside);
        for at in places.filter_map(|(index, _)| self.grid().voxel(index)) {
            for axis in 0..3 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        let from = low.map(|i| i.saturating_sub(margin));
        let end = [0, 1, 2].map(|axis| high[axis].saturating_add(margin + 1).min(self.grid().shape()[axis]));
        (low[0] != usize::MAX).then(|| (from, [0, 1, 2].map(|axis| end[axis] - from[axis])))
    }

    /// The region on a part of its grid.
    ///
    /// # Errors
    /// As [`Grid::cropped`]; [`CoreError::Conflict`] if a voxel of the region would be cut off.
    pub fn cropped(&self, from: [usize; 3], shape: [usize; 3]) -> Result<Self, CoreError> {
        let grid = self.grid().cropped(from, shape)?;
        match cut(self.grid(), self.inside(), from, shape, |inside| inside) {
            (inside, None) => Self::new(grid, inside),
            (_, Some(at)) => Err(conflict("part of a mask", format!("voxel {at:?} of the region lies outside it"))),
        }
    }
}

impl ScalarField {
    /// The same field with 0 outside `region`.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] for a region on another grid.
    pub fn within(&self, region: &Mask) -> Result<Self, CoreError> {
        if region.grid() != self.grid() {
            return Err(conflict("region of a field", "it lies on another grid than the field".to_owned()));
        }
        let values = self.values().iter().zip(region.inside()).map(|(value, inside)| if *inside { *value } else { 0.0 });
        Self::on(self.grid().clone(), self.unit().clone(), values.collect())
    }

    /// The field on a part of its grid, all that is not 0 included.
    ///
    /// # Errors
    /// As [`Grid::cropped`]; [`CoreError::Conflict`] if a value other than 0 would be cut off: cut it off yourself by
    /// [`ScalarField::within`].
    #[allow(clippy::float_cmp)]
    pub fn cropped(&self, from: [usize; 3], shape: [usize; 3]) -> Result<Self, CoreError> {
        let grid = self.grid().cropped(from, shape)?;
        match cut(self.grid(), self.values(), from, shape, |value| value != 0.0) {
            (values, None) => Self::on(grid, self.unit().clone(), values),
            (_, Some(at)) => Err(conflict("part of a field", format!("voxel {at:?} lies outside it, where the field is not 0"))),
        }
    }

    /// The field on another grid: each voxel gets the mean of what it overlaps, 0 where there is nothing. The sum of value times volume stays
    /// the same.
    ///
    /// ```
    /// use twin_core::{Grid, ScalarField, Unit};
    /// let fine = Grid::new([4, 1, 1], [1.0, 1.0, 1.0])?;
    /// let coarse = Grid::new([2, 1, 1], [2.0, 1.0, 1.0])?.with_affine([
    ///     [2.0, 0.0, 0.0, 0.5], // voxel centers: the first coarse one lies between the first two fine ones
    ///     [0.0, 1.0, 0.0, 0.0],
    ///     [0.0, 0.0, 1.0, 0.0],
    /// ])?;
    /// let field = ScalarField::on(fine, Unit::dimensionless(), vec![0.0, 0.5, 1.0, 0.0])?;
    /// assert_eq!(field.resampled(&coarse)?.values(), [0.25, 0.5]);
    /// # Ok::<(), twin_core::CoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`CoreError::Conflict`] for grids whose axes are not the same, and if a value other than 0 lies where the other grid has no voxel.
    #[allow(clippy::float_cmp)]
    pub fn resampled(&self, to: &Grid) -> Result<Self, CoreError> {
        let mut values = self.values().to_vec();
        let mut shape = self.shape();
        for axis in 0..3 {
            let overlaps = overlaps(self.grid(), to, axis)?;
            let stride: usize = shape.iter().take(axis).product();
            let (count, wanted) = (shape[axis], to.shape()[axis]);
            let mut moved = vec![0.0; values.len() / count * wanted];
            for (index, value) in values.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                let (before, at, after) = (index % stride, index / stride % count, index / (stride * count));
                let Some((whole, parts)) = overlaps.get(at) else { continue };
                if !whole {
                    let detail = format!("the field is not 0 in layer {at} of axis {axis}, which the other grid does not cover");
                    return Err(conflict("grid to resample to", detail));
                }
                for (place, share) in parts {
                    moved[before + stride * (place + wanted * after)] += share * value;
                }
            }
            values = moved;
            shape[axis] = wanted;
        }
        Self::on(to.clone(), self.unit().clone(), values)
    }
}

/// A layer of one grid on another: whether it lies in it whole, and which share of each layer of the other it fills.
type Layer = (bool, Vec<(usize, f64)>);

/// The layers of `from` along `axis`, on those of `to`.
fn overlaps(from: &Grid, to: &Grid, axis: usize) -> Result<Vec<Layer>, CoreError> {
    let column = |grid: &Grid| grid.affine().map(|row| row[axis] / grid.spacing_mm()[axis]);
    let (here, there) = (column(from), column(to));
    if here.iter().zip(there).any(|(a, b)| (a - b).abs() > 1e-6) {
        let detail = format!("axis {axis} points along {there:?}, but must point along {here:?}");
        return Err(conflict("grid to resample to", detail));
    }
    let (wide, narrow) = (to.spacing_mm()[axis], from.spacing_mm()[axis]);
    let origin = |grid: &Grid| grid.affine().iter().zip(here).map(|(row, direction)| row[3] * direction).sum::<f64>();
    // Where the first layer begins, in layers of the other grid, whose first begins at 0.
    let begin = (origin(from) - origin(to) - 0.5 * narrow) / wide + 0.5;
    let (thickness, count) = (narrow / wide, to.shape()[axis]);
    // Rounding of world coordinates does not count as reaching over the edge.
    let slack = 1e-6 * thickness.min(1.0);
    let layer = |at: usize| {
        let (low, high) = (begin + at as f64 * thickness, begin + (at + 1) as f64 * thickness);
        let whole = low >= -slack && high <= count as f64 + slack;
        let (low, high) = (low.clamp(0.0, count as f64), high.clamp(0.0, count as f64));
        let share = |place: usize| (place, (high.min((place + 1) as f64) - low.max(place as f64)).max(0.0));
        let mut parts: Vec<_> = (low as usize..count.min(high.ceil() as usize)).map(share).filter(|part| part.1 > 0.0).collect();
        // The shares add up to the layer whole, whatever rounding did at the edges.
        let sum: f64 = parts.iter().map(|part| part.1).sum();
        parts.iter_mut().for_each(|part| part.1 *= thickness / sum);
        (whole, parts)
    };
    Ok((0..from.shape()[axis]).map(layer).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Random, Unit};

    fn placed(shape: [usize; 3], spacing: [f64; 3], corner: [f64; 3]) -> Grid {
        let row = |axis: usize| {
            let mut row = [0.0; 4];
            row[axis] = spacing[axis];
            // The corner is where the first voxel begins, half a voxel before its center.
            row[3] = corner[axis] + 0.5 * spacing[axis];
            row
        };
        Grid::new(shape, spacing).unwrap().with_affine([row(0), row(1), row(2)]).unwrap()
    }

    fn mass(field: &ScalarField) -> f64 {
        field.values().iter().sum::<f64>() * field.grid().voxel_volume_mm3()
    }

    #[test]
    fn resampling_conserves_mass_and_constants() {
        let mut random = Random::new(3);
        let from = placed([7, 5, 6], [1.0, 1.5, 2.0], [-3.0, 2.0, 10.0]);
        let values = (0..from.voxels()).map(|_| random.uniform()).collect();
        let field = ScalarField::on(from.clone(), Unit::dimensionless(), values).unwrap();
        for to in [
            placed([9, 9, 9], [1.3, 1.1, 1.7], [-4.0, 1.0, 9.5]),
            placed([3, 3, 3], [3.1, 3.3, 5.5], [-3.7, 1.0, 9.0]),
            placed([21, 15, 18], [1.0 / 3.0, 0.5, 2.0 / 3.0], [-3.0, 2.0, 10.0]),
        ] {
            let moved = field.resampled(&to).unwrap();
            assert!((mass(&moved) / mass(&field) - 1.0).abs() < 1e-12, "{}", mass(&moved) / mass(&field));
        }
        // On a finer grid of the same extent a constant stays one.
        let one = ScalarField::on(from.clone(), Unit::dimensionless(), vec![0.7; from.voxels()]).unwrap();
        let fine = one.resampled(&placed([14, 10, 12], [0.5, 0.75, 1.0], [-3.0, 2.0, 10.0])).unwrap();
        assert!(fine.values().iter().all(|value| (value - 0.7).abs() < 1e-12));
        let itself = field.resampled(&from).unwrap();
        assert!(itself.values().iter().zip(field.values()).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn what_would_lose_mass_is_refused() {
        let grid = placed([4, 4, 1], [1.0; 3], [0.0; 3]);
        let mut values = vec![0.0; 16];
        values[5] = 1.0;
        let field = ScalarField::on(grid.clone(), Unit::dimensionless(), values).unwrap();
        let kept = field.cropped([1, 1, 0], [2, 3, 1]).unwrap();
        assert_eq!((kept.values()[0], mass(&kept)), (1.0, mass(&field)));
        assert_eq!(kept.grid().world_mm([0.0; 3]), grid.world_mm([1.0, 1.0, 0.0]));
        for (from, shape) in [([2, 0, 0], [2, 4, 1]), ([1, 1, 0], [4, 1, 1]), ([0, 0, 0], [2, 0, 1])] {
            assert!(field.cropped(from, shape).is_err(), "{from:?} {shape:?}");
        }
        assert!(field.resampled(&placed([2, 4, 1], [1.0; 3], [2.0, 0.0, 0.0])).is_err());
        let turned = grid.clone().with_affine([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]).unwrap();
        assert!(field.resampled(&turned).is_err());
        let mask = Mask::above(&field, 0.5);
        assert_eq!(mask.bounds(1), Some(([0, 0, 0], [3, 3, 1])));
        assert_eq!(mask.cropped([1, 1, 0], [1, 1, 1]).unwrap().count(), 1);
        assert!(mask.cropped([2, 1, 0], [1, 1, 1]).is_err());
        assert_eq!(Mask::new(grid, vec![false; 16]).unwrap().bounds(2), None);
    }
}
