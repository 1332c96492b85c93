//! Dose-volume histograms.

use super::Dose;
use super::structures::{Structure, crossings};
use crate::IoError;

/// How much of a structure receives how much dose.
///
/// Each plane of contours stands for the smallest distance between planes, as in dicompyler-core; on it, points are laid out evenly,
/// a whole number for each voxel of the dose grid and at least some 20,000 for the structure, and the dose at a point is linear
/// between the centers of voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct DoseVolume {
    /// The doses of the points, in Gy, from the lowest.
    gray: Vec<f64>,
    /// The volume of a point, in mm3.
    point_mm3: f64,
    outside: usize,
}

/// The fewest points of a structure, unless each voxel would need more than 8 x 8.
const POINTS: f64 = 20_000.0;

impl DoseVolume {
    /// The histogram of `structure` in `dose`.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for a relative dose, fewer than two planes, or a structure that lies outside the dose;
    /// [`IoError::Unsupported`] for contours or a dose that are not axial.
    pub fn of(dose: &Dose, structure: &Structure) -> Result<Self, IoError> {
        let pixel = dose.volume.lattice().spacing_mm();
        let area: f64 = structure.contours.iter().map(super::Contour::area_mm2).sum();
        Self::with_points(dose, structure, (POINTS * pixel[0] * pixel[1] / area.max(1e-9)).sqrt().ceil().clamp(1.0, 8.0))
    }

    /// As [`DoseVolume::of`], but of the centers of voxels alone, as dicompyler-core has it: coarse for structures of a few voxels.
    ///
    /// # Errors
    /// As [`DoseVolume::of`].
    pub fn of_centers(dose: &Dose, structure: &Structure) -> Result<Self, IoError> {
        Self::with_points(dose, structure, 1.0)
    }

    /// The histogram of `parts` points along each side of a voxel.
    fn with_points(dose: &Dose, structure: &Structure, parts: f64) -> Result<Self, IoError> {
        let invalid = |rule: &str| dose.place.clone().invalid(rule);
        if !dose.is_in_gray() {
            return Err(invalid("a relative dose has no histogram in Gy: scale it by the prescription first"));
        }
        let lattice = dose.volume.lattice();
        let [[a, b, e, x], [c, d, f, y], [p, q, slice, first]] = lattice.affine_lps();
        if [b, c, e, f, p, q].iter().any(|value| value.abs() > 1e-4 * lattice.spacing_mm()[0]) {
            return Err(dose
                .place
                .clone()
                .unsupported("a histogram of a dose that is not axial", "axial doses along the axes of the patient"));
        }
        let sections = structure.sections()?;
        let thickness = structure.plane_distance_mm()?.ok_or_else(|| invalid("the structure has fewer than two planes"))?;
        let mut gray = Vec::new();
        let mut outside = 0;
        for section in &sections {
            let k = (section.z - first) / slice;
            let in_grid = |point: &[f64; 3]| [(point[0] - x) / a, (point[1] - y) / d];
            let polygons: Vec<Vec<[f64; 2]>> =
                section.contours.iter().map(|contour| contour.points.iter().map(in_grid).collect()).collect();
            let rows = || polygons.iter().flatten().map(|point| point[1]);
            let (low, high) = (rows().fold(f64::INFINITY, f64::min), rows().fold(f64::NEG_INFINITY, f64::max));
            // Points at (n + 1/2) / parts: symmetric about the centers of the voxels.
            let place = |n: f64| (n + 0.5) / parts - 0.5;
            let number = |place: f64| (place + 0.5) * parts - 0.5;
            let mut row = number(low).ceil();
            while row <= number(high) {
                for span in crossings(&polygons, place(row)).chunks_exact(2) {
                    let mut column = number(span[0]).ceil();
                    while column <= number(span[1]) {
                        match dose.volume.at(lattice.ras([place(column), place(row), k])) {
                            Some(value) => gray.push(value),
                            None => outside += 1,
                        }
                        column += 1.0;
                    }
                }
                row += 1.0;
            }
        }
        if gray.is_empty() {
            return Err(invalid("no point of the structure lies in the dose"));
        }
        gray.sort_by(f64::total_cmp);
        Ok(Self { gray, point_mm3: (a * d).abs() / (parts * parts) * thickness, outside })
    }

    /// The volume that lies in the dose, in mm3.
    #[must_use]
    pub fn volume_mm3(&self) -> f64 {
        self.gray.len() as f64 * self.point_mm3
    }

    /// The volume that lies outside of the dose grid, in mm3, of which nothing is known.
    #[must_use]
    pub fn uncovered_mm3(&self) -> f64 {
        self.outside as f64 * self.point_mm3
    }

    /// The lowest dose, in Gy.
    #[must_use]
    pub fn min_gy(&self) -> f64 {
        self.gray.first().copied().unwrap_or_default()
    }

    /// The highest dose, in Gy.
    #[must_use]
    pub fn max_gy(&self) -> f64 {
        self.gray.last().copied().unwrap_or_default()
    }

    /// The mean dose, in Gy.
    #[must_use]
    pub fn mean_gy(&self) -> f64 {
        self.gray.iter().sum::<f64>() / self.gray.len() as f64
    }

    /// Dx: the dose that at least `percent` of the volume receives, in Gy; `None` outside 0 to 100.
    #[must_use]
    pub fn dose_at_percent(&self, percent: f64) -> Option<f64> {
        (0.0..=100.0).contains(&percent).then(|| self.dose_at_points(percent / 100.0 * self.gray.len() as f64))
    }

    /// Dx cc: the dose that at least `mm3` of the volume receives, in Gy; `None` if the volume is smaller.
    #[must_use]
    pub fn dose_at_mm3(&self, mm3: f64) -> Option<f64> {
        (mm3 >= 0.0 && mm3 <= self.volume_mm3()).then(|| self.dose_at_points(mm3 / self.point_mm3))
    }

    fn dose_at_points(&self, points: f64) -> f64 {
        let above = (points.ceil() as usize).clamp(1, self.gray.len());
        self.gray.get(self.gray.len() - above).copied().unwrap_or_default()
    }

    /// Vx: the share of the volume that receives at least `gy`.
    #[must_use]
    pub fn share_at(&self, gy: f64) -> f64 {
        let below = self.gray.partition_point(|dose| *dose < gy);
        (self.gray.len() - below) as f64 / self.gray.len() as f64
    }

    /// The cumulative histogram: the share that receives at least 0, `step_gy`, 2 · `step_gy` and so on up to the highest dose, and
    /// once more, where it is 0. Empty for a step that is not above 0, or that would make more than a million of them.
    #[must_use]
    pub fn cumulative(&self, step_gy: f64) -> Vec<f64> {
        let bins = self.max_gy() / step_gy;
        if !(step_gy > 0.0 && bins < 1e6) {
            return Vec::new();
        }
        (0..=bins as usize + 1).map(|bin| self.share_at(bin as f64 * step_gy)).collect()
    }
}
