//! Structures of radiotherapy (RTSTRUCT): contours, areas, masks.

use super::image::checked_modality;
use super::parse::{Dataset, Loaded};
use super::tag;
use crate::volume::{Lattice, Mask};
use crate::{IoError, Limits, Place};
use std::path::Path;

/// A contour in the patient, in mm LPS.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// Its points, in order.
    pub points: Vec<[f64; 3]>,
    /// Whether it encloses an area; points and open lines do not.
    pub is_closed: bool,
}

impl Contour {
    /// Twice the area, as a vector at right angles to the plane.
    fn twice_area(&self) -> [f64; 3] {
        let mut sum = [0.0; 3];
        let Some(origin) = self.points.first() else { return sum };
        let from_origin = |point: &[f64; 3]| -> [f64; 3] { std::array::from_fn(|axis| point[axis] - origin[axis]) };
        for (a, b) in self.points.iter().zip(self.points.iter().skip(1)) {
            let ([a, b, c], [d, e, f]) = (from_origin(a), from_origin(b));
            sum = [sum[0] + b * f - c * e, sum[1] + c * d - a * f, sum[2] + a * e - b * d];
        }
        sum
    }

    /// The area it encloses, in mm2; 0 unless it is closed.
    #[must_use]
    pub fn area_mm2(&self) -> f64 {
        let [x, y, z] = self.twice_area();
        if self.is_closed { x.hypot(y).hypot(z) / 2.0 } else { 0.0 }
    }
}

/// A region of interest.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Its number in the file.
    pub number: usize,
    /// Its name, as the planner wrote it.
    pub name: String,
    /// Its contours, in the order of the file.
    pub contours: Vec<Contour>,
    place: Place,
}

/// The contours of one axial plane.
pub(super) struct Section<'a> {
    /// The z of the plane, in mm.
    pub(super) z: f64,
    pub(super) contours: Vec<&'a Contour>,
}

impl Structure {
    /// The closed contours by axial plane, from the feet up. Contours within 0.01 mm are of one plane.
    pub(super) fn sections(&self) -> Result<Vec<Section<'_>>, IoError> {
        let mut flat: Vec<(f64, &Contour)> = Vec::new();
        for contour in self.contours.iter().filter(|contour| contour.is_closed) {
            let z = contour.points.first().map_or(0.0, |point| point[2]);
            if contour.points.iter().any(|point| (point[2] - z).abs() > 0.01) {
                return Err(self
                    .place
                    .clone()
                    .field("(3006,0050)")
                    .unsupported("a contour that is not axial", "contours with one z"));
            }
            flat.push((z, contour));
        }
        flat.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sections: Vec<Section<'_>> = Vec::new();
        for (z, contour) in flat {
            match sections.last_mut() {
                Some(section) if z - section.z <= 0.01 => section.contours.push(contour),
                _ => sections.push(Section { z, contours: vec![contour] }),
            }
        }
        Ok(sections)
    }

    /// The smallest distance between planes with contours, in mm; `None` with fewer than two planes.
    ///
    /// # Errors
    /// [`IoError::Unsupported`] for contours that are not axial.
    pub fn plane_distance_mm(&self) -> Result<Option<f64>, IoError> {
        let sections = self.sections()?;
        Ok(sections.iter().zip(sections.iter().skip(1)).map(|(a, b)| b.z - a.z).min_by(f64::total_cmp))
    }

    /// The voxels of `lattice`, an axial grid, whose centers lie inside.
    ///
    /// Where contours overlap on a plane, a point is inside if it lies in an odd number of them, so that an inner contour is a hole.
    /// A slice takes the contours of the nearest plane within half the distance between planes; planes that are up to twice that
    /// distance apart leave no gap between them, so that every slice between two neighboring planes is filled.
    ///
    /// # Errors
    /// [`IoError::Unsupported`] for contours or a grid that are not axial, [`IoError::Invalid`] if nothing lies in the grid.
    pub fn mask(&self, lattice: &Lattice) -> Result<Mask, IoError> {
        let invalid = |rule: &str| self.place.clone().invalid(rule);
        let [[a, b, e, x], [c, d, f, y], [p, q, slice, first]] = lattice.affine_lps();
        if [e, f, p, q].iter().any(|value| value.abs() > 1e-4 * lattice.spacing_mm()[2]) {
            return Err(self.place.clone().unsupported("a mask on a grid that is not axial", "grids whose slices are axial"));
        }
        let sections = self.sections()?;
        let distance = self.plane_distance_mm()?.unwrap_or(slice.abs());
        let reach = 0.5 * distance.max(slice.abs()) + 1e-6;
        let [columns, rows, slices] = lattice.shape();
        let mut voxels = vec![false; lattice.voxels()];
        let determinant = a * d - b * c;
        let in_grid = |point: &[f64; 3]| {
            let (u, v) = (point[0] - x, point[1] - y);
            [(d * u - b * v) / determinant, (a * v - c * u) / determinant]
        };
        for (k, plane) in voxels.chunks_mut(columns * rows).enumerate().take(slices) {
            let z = first + slice * k as f64;
            let nearest = sections.iter().min_by(|a, b| (a.z - z).abs().total_cmp(&(b.z - z).abs()));
            let Some(section) = nearest.filter(|section| (section.z - z).abs() <= reach) else { continue };
            let edges: Vec<Vec<[f64; 2]>> =
                section.contours.iter().map(|contour| contour.points.iter().map(in_grid).collect()).collect();
            for (j, row) in plane.chunks_mut(columns).enumerate() {
                for span in crossings(&edges, j as f64).chunks_exact(2) {
                    let (from, to) = (span[0].ceil().max(0.0), span[1].min(columns as f64 - 1.0));
                    if to >= from {
                        row.iter_mut().take(to as usize + 1).skip(from as usize).for_each(|voxel| *voxel = !*voxel);
                    }
                }
            }
        }
        let mask = Mask::new(*lattice, voxels).map_err(|error| invalid(&error.to_string()))?;
        if mask.count() == 0 { Err(invalid("no voxel of the grid lies inside this structure")) } else { Ok(mask) }
    }
}

/// Where the line `v` crosses closed polygons, sorted: from each odd crossing to the next even one lies the inside.
pub(super) fn crossings(polygons: &[Vec<[f64; 2]>], v: f64) -> Vec<f64> {
    let mut crossings = Vec::new();
    for polygon in polygons {
        for (a, b) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
            // Half open, so that a corner on the line counts once.
            if (a[1] <= v) != (b[1] <= v) {
                crossings.push(a[0] + (v - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
            }
        }
    }
    crossings.sort_by(f64::total_cmp);
    crossings
}

/// A set of structures.
#[derive(Debug, Clone, PartialEq)]
pub struct Structures {
    /// The structures, in the order of the file, those without contours included.
    pub structures: Vec<Structure>,
}

impl Structures {
    /// Reads an RTSTRUCT file.
    ///
    /// # Errors
    /// As [`read_frames`](super::read_frames), and [`IoError::Invalid`] for structures of several frames of reference, a number that
    /// is given twice, a contour without its structure, or with other than the declared points.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::load(path.as_ref(), limits)?, limits)
    }

    /// As [`Structures::read`], from the bytes of a file named `name`.
    ///
    /// # Errors
    /// As [`Structures::read`].
    pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::loaded(bytes, name, limits)?, limits)
    }

    /// The structure of that name.
    ///
    /// # Errors
    /// [`IoError::Invalid`] if there is none, or more than one.
    pub fn named(&self, name: &str) -> Result<&Structure, IoError> {
        let mut named = self.structures.iter().filter(|structure| structure.name == name);
        let place =
            || self.structures.first().map_or_else(Place::default, |structure| structure.place.clone()).field("(3006,0026)");
        let names = || self.structures.iter().map(|structure| structure.name.as_str()).collect::<Vec<_>>().join(", ");
        match (named.next(), named.next()) {
            (Some(structure), None) => Ok(structure),
            (None, _) => Err(place().invalid(format!("there is no structure `{name}`; structures there are: {}", names()))),
            (Some(_), Some(_)) => Err(place().invalid(format!("there are several structures `{name}`: choose by number"))),
        }
    }

    fn of(loaded: &Loaded, limits: &Limits) -> Result<Self, IoError> {
        let place = &loaded.place;
        let dataset = loaded.dataset(limits)?;
        checked_modality(&dataset, loaded, "RTSTRUCT")?;
        let mut structures: Vec<Structure> = Vec::new();
        let mut frame = None;
        for roi in dataset.items(tag::ROIS) {
            let number = roi.needed_count(tag::ROI_NUMBER, place)?;
            if structures.iter().any(|structure| structure.number == number) {
                return Err(roi.place(tag::ROI_NUMBER, place).invalid("two structures have the same number"));
            }
            let reference = roi.text(tag::ROI_FRAME_OF_REFERENCE);
            if *frame.get_or_insert(reference) != reference {
                return Err(roi
                    .place(tag::ROI_FRAME_OF_REFERENCE, place)
                    .invalid("the structures are of several frames of reference"));
            }
            let name = roi.text(tag::ROI_NAME).unwrap_or_default().to_owned();
            structures.push(Structure { number, name, contours: Vec::new(), place: place.clone() });
        }
        for item in dataset.items(tag::ROI_CONTOURS) {
            let number = item.needed_count(tag::REFERENCED_ROI, place)?;
            let missing = || item.place(tag::REFERENCED_ROI, place).invalid("contours of a structure that is not in the file");
            let structure = structures.iter_mut().find(|structure| structure.number == number).ok_or_else(missing)?;
            for contour in item.items(tag::CONTOURS) {
                structure.contours.push(contour_of(contour, place)?);
            }
        }
        Ok(Self { structures })
    }
}

fn contour_of(contour: &Dataset<'_>, place: &Place) -> Result<Contour, IoError> {
    let numbers = contour.numbers(tag::CONTOUR_DATA, place)?;
    let (points, rest) = numbers.as_chunks::<3>();
    let declared = contour.count(tag::CONTOUR_POINTS, place)?.unwrap_or(points.len());
    if !rest.is_empty() || declared != points.len() {
        let rule = format!("{} numbers are not the {declared} points declared", numbers.len());
        return Err(contour.place(tag::CONTOUR_DATA, place).invalid(rule));
    }
    let is_closed = match contour.text(tag::CONTOUR_TYPE) {
        Some("CLOSED_PLANAR" | "CLOSEDPLANAR_XOR") => true,
        Some("POINT" | "OPEN_PLANAR" | "OPEN_NONPLANAR") => false,
        _ => {
            return Err(contour
                .place(tag::CONTOUR_TYPE, place)
                .invalid("must be a type of PS3.3, C.8.8.6.3, such as CLOSED_PLANAR"));
        }
    };
    Ok(Contour { points: points.to_vec(), is_closed })
}
