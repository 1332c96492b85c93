//! Values against values: several curves or clouds of points on common axes.

use super::axis::{Axis, Scale, drawable};
use super::forecast::titled;
use super::number::format_number;
use super::svg::{Anchor, Canvas, GRAY, INK, Key, Marker, Point, Stroke, Type, WHITE, fit_text};
use super::svg::{BOLD, series_color, series_dash, series_shape};
use crate::TrialError;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 24.0;
const PLOT: f64 = 340.0;

/// Several curves or clouds of points on common axes: a front of compromises, a curve of work against precision, a dose response.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CurvesFigure {
    /// The quantity from left to right.
    pub horizontal: Quantity,
    /// The quantity from below to above.
    pub vertical: Quantity,
    /// The curves; at least one.
    pub curves: Vec<Curve>,
}

/// What an axis of a [`CurvesFigure`] shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantity {
    /// Its name.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// How its values are laid out.
    pub scale: Scale,
}

impl Quantity {
    /// A quantity on a linear axis.
    #[must_use]
    pub fn linear(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), scale: Scale::Linear }
    }

    /// A quantity on a logarithmic axis.
    #[must_use]
    pub fn logarithmic(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), scale: Scale::Logarithmic }
    }
}

/// A curve, or a cloud of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub label: String,
    /// Its points `(horizontal, vertical)`, joined in this order where they are joined; at least one.
    pub points: Vec<(f64, f64)>,
    /// How they are drawn.
    pub style: CurveStyle,
}

/// How the points of a [`Curve`] are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CurveStyle {
    /// Joined by a line.
    #[default]
    Line,
    /// A marker at each.
    Markers,
    /// Joined by a line, with a marker at each.
    MarkedLine,
}

impl CurvesFigure {
    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        if self.curves.is_empty() {
            return Err(TrialError::Empty { what: "the list of curves of a figure" });
        }
        for curve in &self.curves {
            if curve.points.is_empty() {
                return Err(TrialError::Empty { what: "the list of points of a curve" });
            }
            drawable("horizontal value of a curve", curve.points.iter().map(|point| point.0), self.horizontal.scale)?;
            drawable("vertical value of a curve", curve.points.iter().map(|point| point.1), self.vertical.scale)?;
        }
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let mut canvas = Canvas::new(WIDTH, id);
        let entries: Vec<(Key, &str)> =
            self.curves.iter().enumerate().map(|(place, curve)| (curve.style.key(place), curve.label.as_str())).collect();
        let top = canvas.legend((0.0, 4.0), &entries) + 30.0;
        let bottom = top + PLOT;
        let across = Axis::rounded(points().map(|point| point.0), self.horizontal.scale, (LEFT, RIGHT), 7.0);
        let up = Axis::rounded(points().map(|point| point.1), self.vertical.scale, (bottom, top), 6.0);
        up.draw_left(&mut canvas, LEFT, RIGHT);
        across.draw_below(&mut canvas, bottom, 12.0);
        let bold = Type::new(13.0, INK, Anchor::Start).bold();
        canvas.text((0.0, top - 12.0), bold, &fit_text(&self.vertical.titled(), 13.0 * BOLD, WIDTH));
        let below = Type { anchor: Anchor::Middle, ..bold };
        canvas.centered(
            (f64::midpoint(LEFT, RIGHT), bottom + 42.0),
            below,
            &fit_text(&self.horizontal.titled(), 13.0 * BOLD, WIDTH),
        );
        for (place, curve) in self.curves.iter().enumerate() {
            let drawn: Vec<Point> = curve.points.iter().map(|&(x, y)| (across.place(x), up.place(y))).collect();
            if curve.style != CurveStyle::Markers {
                canvas.polyline(&drawn, line(place));
            }
            if curve.style != CurveStyle::Line {
                for (&at, &(x, y)) in drawn.iter().zip(&curve.points) {
                    let text = format!("{}: {}, {}", curve.label, format_number(x, 3), format_number(y, 3));
                    canvas.marker(at, marker(place), &text);
                }
            }
        }
        canvas.line((LEFT, bottom), (RIGHT, bottom), Stroke::solid(GRAY, 0.8));
        let title = format!("{} against {}", self.vertical.label, self.horizontal.label);
        let description = told.map_or_else(|| self.describe(), str::to_owned);
        Ok(canvas.finish(bottom + 50.0, &title, &description))
    }

    fn describe(&self) -> String {
        let told = self.curves.iter().map(|curve| {
            let ends = [curve.points.first(), curve.points.last()].into_iter().flatten();
            let ends: Vec<String> = ends.map(|&(x, y)| format!("{} at {}", format_number(y, 3), format_number(x, 3))).collect();
            format!("{}: {} points, from {}.", curve.label, curve.points.len(), ends.join(" to "))
        });
        told.collect::<Vec<_>>().join(" ")
    }
}

impl Quantity {
    fn titled(&self) -> String {
        titled(&self.label, &self.unit)
    }
}

impl CurveStyle {
    fn key(self, place: usize) -> Key {
        if self == Self::Markers { Key::Marker(marker(place)) } else { Key::Line(line(place)) }
    }
}

fn line(place: usize) -> Stroke {
    Stroke::dashed(series_color(place), 2.0, series_dash(place))
}

fn marker(place: usize) -> Marker {
    Marker { shape: series_shape(place), radius: 3.6, fill: WHITE, outline: series_color(place) }
}
