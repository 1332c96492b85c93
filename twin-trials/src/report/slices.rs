//! Slices through fields in a patient's anatomy, side by side on one scale of colors.

use super::forecast::titled;
use super::number::{coordinate, format_number};
use super::svg::{Anchor, BOLD, Canvas, GRAY, INK, Stroke, Type, fit_text};
use crate::TrialError;
use std::fmt::Write as _;
use twin_core::{Mask, ScalarField};

const WIDTH: f64 = 860.0;
const GAP: f64 = 18.0;
/// The tallest that a panel may be.
const TALLEST: f64 = 360.0;
/// What lies in the region, but shows no value.
const TISSUE: &str = "#e4e4e4";
/// From dark to light, told apart by readers of any color vision and in print (after cividis, Nuñez et al. 2018,
/// 10.1371/journal.pone.0199239).
const COLORS: [&str; 8] = ["#1b3a6b", "#3e4d6b", "#5b626f", "#777776", "#948e77", "#b3a672", "#d4c064", "#fdea45"];

/// Slices through fields, each with its own time or plan, on one scale of colors.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicesFigure {
    /// What the fields show.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// The values of the darkest and of the lightest color. Below the first, only the region is shown; above the second, the
    /// lightest color.
    pub limits: (f64, f64),
    /// The slices, in reading order; at least one.
    pub slices: Vec<Slice>,
}

/// A plane of voxels through a field, across the third axis of its grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    label: String,
    shape: [usize; 2],
    spacing: [f64; 2],
    values: Vec<f64>,
    region: Vec<bool>,
}

impl Slice {
    /// The plane number `index` along the third axis of `field`, with the region it lies in.
    ///
    /// # Errors
    /// [`TrialError::Count`] if there is no such plane; [`TrialError::Length`] if the region lies on another grid.
    pub fn of(label: impl Into<String>, field: &ScalarField, region: &Mask, index: usize) -> Result<Self, TrialError> {
        let ([nx, ny, nz], [dx, dy, _]) = (field.shape(), field.spacing_mm());
        if region.grid().shape() != field.shape() {
            let (found, expected) = (region.inside().len(), field.values().len());
            return Err(TrialError::Length { what: "the region of a slice", found, reference: "its field", expected });
        }
        if index >= nz {
            return Err(TrialError::Count {
                what: "index of a slice",
                count: index,
                valid: "below the number of planes of the grid",
            });
        }
        let plane = nx * ny * index..nx * ny * (index + 1);
        Ok(Self {
            label: label.into(),
            shape: [nx, ny],
            spacing: [dx, dy],
            values: field.values().get(plane.clone()).unwrap_or_default().to_vec(),
            region: region.inside().get(plane).unwrap_or_default().to_vec(),
        })
    }

    /// The rows of pixels whose color is chosen by `chosen`, as one path; neighbors in a row are joined.
    fn path(&self, chosen: impl Fn(f64, bool) -> bool, pixel: [f64; 2]) -> String {
        let [nx, ny] = self.shape;
        let mut out = String::new();
        for (row, (values, inside)) in self.values.chunks(nx).zip(self.region.chunks(nx)).enumerate() {
            let mut run = 0;
            // The second axis of a grid points up.
            let y = (ny - 1 - row) as f64 * pixel[1];
            for place in 0..=nx {
                let hit = values.get(place).zip(inside.get(place)).is_some_and(|(&value, &inside)| chosen(value, inside));
                if hit {
                    run += 1;
                } else if run > 0 {
                    let [x, y, width, height] =
                        [(place - run) as f64 * pixel[0], y, run as f64 * pixel[0], pixel[1]].map(coordinate);
                    let _ = write!(out, "M{x} {y}h{width}v{height}h-{width}z");
                    run = 0;
                }
            }
        }
        out
    }

    /// The share of the region in this plane that lies above the lower limit, and the largest value.
    fn describe(&self, low: f64) -> String {
        let above = self.values.iter().zip(&self.region).filter(|(value, inside)| **inside && **value >= low);
        let area = above.clone().count() as f64 * self.spacing[0] * self.spacing[1];
        let largest = above.map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
        if area > 0.0 {
            format!(
                "{}: {} mm² at or above {}, at most {}.",
                self.label,
                format_number(area, 3),
                format_number(low, 2),
                format_number(largest, 3)
            )
        } else {
            format!("{}: nothing at or above {}.", self.label, format_number(low, 2))
        }
    }
}

impl SlicesFigure {
    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        let (low, high) = self.limits;
        if self.slices.is_empty() {
            return Err(TrialError::Empty { what: "the list of slices of a figure" });
        }
        for (index, value) in [low, high].into_iter().enumerate() {
            if !value.is_finite() {
                return Err(TrialError::NotFinite { what: "limit of colors", index, value });
            }
        }
        if low >= high {
            return Err(TrialError::OutOfRange { what: "limit of colors", index: 1, value: high, valid: "above the first" });
        }
        let extent = |slice: &Slice| [0, 1].map(|axis| slice.shape[axis] as f64 * slice.spacing[axis]);
        let columns = match self.slices.len() {
            few @ 1..=4 => few,
            5 | 6 | 9 => 3,
            _ => 4,
        };
        let room = (WIDTH - GAP * (columns - 1) as f64) / columns as f64;
        let widest = self.slices.iter().map(|slice| extent(slice)[0]).fold(0.0, f64::max);
        let tallest = self.slices.iter().map(|slice| extent(slice)[1]).fold(0.0, f64::max);
        let scale = (room / widest).min(TALLEST / tallest);
        let mut canvas = Canvas::new(WIDTH, id);
        let top = self.draw_key(&mut canvas);
        let row_height = tallest * scale + 26.0;
        for (place, slice) in self.slices.iter().enumerate() {
            let corner = ((place % columns) as f64 * (room + GAP), top + (place / columns) as f64 * row_height);
            let name = Type::new(13.0, INK, Anchor::Start).bold();
            canvas.text((corner.0, corner.1 + 14.0), name, &fit_text(&slice.label, 13.0 * BOLD, room));
            let pixel = slice.spacing.map(|spacing| spacing * scale);
            canvas.open_group((corner.0, corner.1 + 22.0));
            canvas.fill(&slice.path(|value, inside| inside && value < low, pixel), TISSUE);
            for (level, color) in COLORS.into_iter().enumerate() {
                let chosen = |value: f64, inside: bool| inside && value >= low && self.level(value) == level;
                canvas.fill(&slice.path(chosen, pixel), color);
            }
            canvas.close_group();
        }
        let bottom = top + self.slices.len().div_ceil(columns) as f64 * row_height + 12.0;
        let length = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0].into_iter().find(|&mm| mm <= widest / 2.0).unwrap_or(widest);
        canvas.line((0.0, bottom), (length * scale, bottom), Stroke::solid(INK, 2.0));
        canvas.text(
            (length * scale + 8.0, bottom + 4.0),
            Type::new(12.0, INK, Anchor::Start),
            &format!("{} mm", format_number(length, 1)),
        );
        let description =
            told.map_or_else(|| self.slices.iter().map(|slice| slice.describe(low)).collect::<Vec<_>>().join(" "), str::to_owned);
        Ok(canvas.finish(bottom + 10.0, &format!("{}: slices", self.label), &description))
    }

    /// Which color shows a value at or above the lower limit.
    fn level(&self, value: f64) -> usize {
        let (low, high) = self.limits;
        (((value - low) / (high - low) * COLORS.len() as f64) as usize).min(COLORS.len() - 1)
    }

    /// The scale of colors, on top; returns the height taken.
    fn draw_key(&self, canvas: &mut Canvas) -> f64 {
        const STEP: f64 = 34.0;
        let (low, high) = self.limits;
        canvas.text(
            (0.0, 16.0),
            Type::new(13.0, INK, Anchor::Start).bold(),
            &fit_text(&titled(&self.label, &self.unit), 13.0 * BOLD, 400.0),
        );
        let left = WIDTH - STEP * COLORS.len() as f64 - 12.0;
        for (place, color) in COLORS.into_iter().enumerate() {
            canvas.rectangle((left + STEP * place as f64, 4.0), (STEP, 12.0), color, 1.0, "");
        }
        for place in [0, COLORS.len() / 2, COLORS.len()] {
            let value = low + (high - low) * place as f64 / COLORS.len() as f64;
            canvas.centered((left + STEP * place as f64, 30.0), Type::new(12.0, INK, Anchor::Middle), &format_number(value, 2));
        }
        canvas.rectangle((left - 130.0, 4.0), (24.0, 12.0), TISSUE, 1.0, "");
        canvas.text((left - 100.0, 15.0), Type::new(12.0, GRAY, Anchor::Start), &format!("below {}", format_number(low, 2)));
        44.0
    }
}
