//! Segmentations (SEG): which voxels were marked as what.

use super::image::{Plane, checked_modality, planes};
use super::parse::{Dataset, Loaded};
use super::pixels::{self, Layout};
use super::tag;
use crate::volume::{Lattice, Mask};
use crate::{IoError, Limits, Place};
use std::path::Path;

/// A coded concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub value: String,
    /// The scheme it is of, such as `SCT`.
    pub scheme: String,
    /// What it means.
    pub meaning: String,
}

/// What was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number in the file.
    pub number: usize,
    /// Its label.
    pub label: String,
    /// What class of thing it is.
    pub category: Option<Code>,
    /// What it is.
    pub kind: Option<Code>,
}

/// How voxels are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentationKind {
    /// In or out.
    Binary,
    /// By a share or a probability, where this number is the whole.
    Fractional(usize),
}

/// A segmentation: frames of marks, each of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// How voxels are marked.
    pub kind: SegmentationKind,
    /// What was marked.
    pub segments: Vec<Segment>,
    columns: usize,
    rows: usize,
    frames: Vec<Frame>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq)]
struct Frame {
    segment: usize,
    plane: Option<Plane>,
    marks: Vec<f64>,
}

impl Segmentation {
    /// Reads a SEG file.
    ///
    /// # Errors
    /// As [`read_frames`](super::read_frames), and [`IoError::Invalid`] for a frame without its segment, or a segment given twice;
    /// [`IoError::Unsupported`] for a label map.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::load(path.as_ref(), limits)?, limits)
    }

    /// As [`Segmentation::read`], from the bytes of a file named `name`.
    ///
    /// # Errors
    /// As [`Segmentation::read`].
    pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<Self, IoError> {
        Self::of(&super::loaded(bytes, name, limits)?, limits)
    }

    /// For each frame, in the order of the file, the number of its segment and the sum of its marks.
    #[must_use]
    pub fn sums(&self) -> Vec<(usize, f64)> {
        self.frames.iter().map(|frame| (frame.segment, frame.marks.iter().sum())).collect()
    }

    /// For each frame, in the order of the file, the number of its segment and how many pixels are marked at all.
    #[must_use]
    pub fn counts(&self) -> Vec<(usize, usize)> {
        self.frames.iter().map(|frame| (frame.segment, frame.marks.iter().filter(|mark| **mark > 0.0).count())).collect()
    }

    /// The voxels of segment `number` that are marked with at least `share` of the whole, on a grid that spans the planes of all
    /// segments. Planes that the file leaves out are empty.
    ///
    /// # Errors
    /// [`IoError::Invalid`] if there is no such segment, if frames have no place, differ in direction, are given twice for one plane,
    /// or do not lie on a grid that is evenly spaced to 1 %; if the share is not in (0, 1]. [`IoError::Limit`] for a grid of more
    /// voxels than `limits` allow.
    pub fn mask(&self, number: usize, share: f64, limits: &Limits) -> Result<Mask, IoError> {
        let invalid = |rule: &str| self.place.clone().field("(5200,9230)").invalid(rule);
        if !self.segments.iter().any(|segment| segment.number == number) {
            return Err(invalid(&format!("there is no segment {number}")));
        }
        if !(share > 0.0 && share <= 1.0) {
            return Err(invalid("the share must be above 0, up to 1"));
        }
        let planes: Option<Vec<Plane>> = self.frames.iter().map(|frame| frame.plane).collect();
        let planes = planes.ok_or_else(|| invalid("the frames have no place in the patient"))?;
        let by_depth = |a: &&Plane, b: &&Plane| a.depth().total_cmp(&b.depth());
        let (Some(first), Some(last)) = (planes.iter().min_by(by_depth), planes.iter().max_by(by_depth)) else {
            return Err(invalid("there are no frames"));
        };
        if planes.iter().any(|plane| !plane.matches(first)) {
            return Err(invalid("the frames differ in direction or spacing"));
        }
        let step = self.step(&planes)?;
        let slices = ((last.depth() - first.depth()) / step).round() as usize + 1;
        let frame_voxels = self.columns * self.rows;
        if slices.saturating_mul(frame_voxels) > limits.max_voxels {
            return Err(self.place.clone().field("(5200,9230)").over("voxels", limits.max_voxels, "max_voxels"));
        }
        let lattice = Lattice::from_lps([self.columns, self.rows, slices], first.affine_lps(step));
        let lattice = lattice.map_err(|error| invalid(&error.to_string()))?;
        let threshold = match self.kind {
            SegmentationKind::Binary => 1.0,
            SegmentationKind::Fractional(whole) => share * whole as f64,
        };
        let mut voxels = vec![false; lattice.voxels()];
        let mut filled = vec![false; slices];
        for (frame, plane) in self.frames.iter().zip(&planes).filter(|(frame, _)| frame.segment == number) {
            let place = (plane.depth() - first.depth()) / step;
            let slice = place.round() as usize;
            if (place - place.round()).abs() > 0.01 {
                return Err(invalid("the frames do not lie on an evenly spaced grid"));
            }
            if filled.get_mut(slice).is_none_or(|filled| std::mem::replace(filled, true)) {
                return Err(invalid("two frames of one segment lie in the same place"));
            }
            let target = voxels.iter_mut().skip(slice * frame_voxels);
            target.zip(&frame.marks).for_each(|(voxel, mark)| *voxel = *mark >= threshold);
        }
        Mask::new(lattice, voxels).map_err(|error| invalid(&error.to_string()))
    }

    /// The smallest distance between planes; with a single plane, the step that the file states.
    fn step(&self, planes: &[Plane]) -> Result<f64, IoError> {
        let mut depths: Vec<f64> = planes.iter().map(Plane::depth).collect();
        depths.sort_by(f64::total_cmp);
        let gaps = depths.iter().zip(depths.iter().skip(1)).map(|(a, b)| b - a).filter(|gap| *gap > 1e-3);
        let stated = planes.first().and_then(|plane| plane.step);
        gaps.min_by(f64::total_cmp)
            .or(stated)
            .ok_or_else(|| self.place.clone().field("(0018,0050)").invalid("a single plane needs a thickness"))
    }

    fn of(loaded: &Loaded, limits: &Limits) -> Result<Self, IoError> {
        let place = &loaded.place;
        let dataset = loaded.dataset(limits)?;
        checked_modality(&dataset, loaded, "SEG")?;
        let layout = Layout::of(&dataset, limits, place)?.gray(&dataset, place)?;
        let kind = match dataset.needed_text(tag::SEGMENTATION_TYPE, place)? {
            "BINARY" => SegmentationKind::Binary,
            "FRACTIONAL" => SegmentationKind::Fractional(dataset.needed_short(tag::MAXIMUM_FRACTIONAL, place)?),
            _ => return Err(dataset.place(tag::SEGMENTATION_TYPE, place).unsupported("a label map", "BINARY and FRACTIONAL")),
        };
        let mut segments: Vec<Segment> = Vec::new();
        for item in dataset.items(tag::SEGMENTS) {
            let number = item.needed_short(tag::SEGMENT_NUMBER, place)?;
            if segments.iter().any(|segment| segment.number == number) {
                return Err(item.place(tag::SEGMENT_NUMBER, place).invalid("two segments have the same number"));
            }
            let label = item.text(tag::SEGMENT_LABEL).unwrap_or_default().to_owned();
            segments.push(Segment {
                number,
                label,
                category: code(item, tag::SEGMENT_CATEGORY),
                kind: code(item, tag::SEGMENT_TYPE),
            });
        }
        // A segmentation of a projection, such as a radiograph, has no place in the patient.
        let has_place = dataset.items(tag::FRAME_GROUPS).iter().any(|group| group.item(tag::PLANE_POSITION).is_some());
        let planes: Vec<Option<Plane>> = if has_place {
            planes(&dataset, layout.frames, place)?.into_iter().map(Some).collect()
        } else {
            vec![None; layout.frames]
        };
        let values = pixels::stored(&dataset, loaded, &layout)?;
        let shared = dataset.item(tag::SHARED_GROUPS);
        let groups = dataset.items(tag::FRAME_GROUPS);
        let mut frames = Vec::with_capacity(layout.frames);
        for (at, (marks, plane)) in values.chunks(layout.frame_values()).zip(planes).enumerate() {
            let identified =
                [groups.get(at), shared].into_iter().flatten().find_map(|group| group.item(tag::SEGMENT_IDENTIFICATION));
            let segment = identified.map_or(Ok(None), |item| item.short(tag::REFERENCED_SEGMENT, place))?;
            let known = segment.filter(|number| segments.iter().any(|segment| segment.number == *number));
            let segment = known.ok_or_else(|| {
                dataset.place(tag::FRAME_GROUPS, place).invalid(format!("frame {at} is of no segment in the file"))
            })?;
            frames.push(Frame { segment, plane, marks: marks.to_vec() });
        }
        let Layout { columns, rows, .. } = layout;
        Ok(Self { kind, segments, columns, rows, frames, place: place.clone() })
    }
}

fn code(item: &Dataset<'_>, sequence: u32) -> Option<Code> {
    let item = item.item(sequence)?;
    let text = |tag| item.text(tag).unwrap_or_default().to_owned();
    Some(Code { value: text(tag::CODE_VALUE), scheme: text(tag::CODE_SCHEME), meaning: text(tag::CODE_MEANING) })
}
