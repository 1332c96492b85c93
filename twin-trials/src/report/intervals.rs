//! One outcome of several policies, arms or patients, as medians with intervals.

use super::axis::{Axis, Scale, drawable};
use super::forecast::{ascending, titled, with_unit};
use super::number::format_number;
use super::svg::{Anchor, Canvas, GRAY, INK, Marker, RULE, Stroke, Type, WHITE};
use super::svg::{BOLD, series_color, series_shape, wrap_text};
use crate::TrialError;
use crate::statistics::Spread;

const WIDTH: f64 = 860.0;
const LABELS: f64 = 214.0;
const NUMBERS: f64 = 186.0;
const ROW: f64 = 40.0;

/// One outcome, a row for each policy, arm or patient.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IntervalsFigure {
    /// The outcome, for example `Time to progression`.
    pub label: String,
    /// Its unit, for example `days`; may be empty.
    pub unit: String,
    /// The scale of its axis.
    pub scale: Scale,
    /// The rows, from top to bottom; at least one.
    pub rows: Vec<IntervalRow>,
    /// A line to compare with, for example no difference.
    pub reference: Option<ReferenceLine>,
}

/// One row of an [`IntervalsFigure`].
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    /// The policy, the arm or the patient.
    pub label: String,
    /// The median with its 50 % and 90 % intervals.
    pub spread: Spread,
}

/// A vertical line at a value worth comparing with.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceLine {
    /// The value.
    pub value: f64,
    /// What it stands for.
    pub label: String,
}

impl IntervalsFigure {
    fn values(&self) -> Vec<f64> {
        let row = |row: &IntervalRow| {
            let Spread { median, half, ninety } = row.spread;
            [ninety.0, half.0, median, half.1, ninety.1]
        };
        self.rows.iter().flat_map(row).collect()
    }

    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        if self.rows.is_empty() {
            return Err(TrialError::Empty { what: "the list of rows of a figure" });
        }
        let mut values = self.values();
        drawable("interval", values.iter().copied(), self.scale)?;
        values.chunks(5).try_for_each(|row| ascending("interval", row))?;
        drawable("reference line", self.reference.iter().map(|line| line.value), self.scale)?;
        values.extend(self.reference.iter().map(|line| line.value));

        let mut canvas = Canvas::new(WIDTH, id);
        let axis = Axis::rounded(values, self.scale, (LABELS, WIDTH - NUMBERS), 6.0);
        let top = 34.0;
        let bottom = top + ROW * self.rows.len() as f64;
        for tick in axis.ticks.iter().filter(|tick| !tick.label.is_empty()) {
            canvas.line((axis.place(tick.value), top), (axis.place(tick.value), bottom), Stroke::solid(RULE, 0.8));
        }
        canvas.text((WIDTH, top - 12.0), Type::new(12.0, GRAY, Anchor::End), "median (90 % interval)");
        self.draw_reference(&mut canvas, &axis, (top, bottom));
        for (place, row) in self.rows.iter().enumerate() {
            row.draw(&mut canvas, &axis, place, top + ROW * (place as f64 + 0.5));
            let y = top + ROW * (place as f64 + 1.0);
            canvas.line((0.0, y), (WIDTH, y), Stroke::solid("#ececec", 0.8));
        }
        axis.draw_below(&mut canvas, bottom, 12.0);
        let name = titled(&self.label, &self.unit);
        let middle = LABELS + (WIDTH - NUMBERS - LABELS) / 2.0;
        canvas.text((middle, bottom + 41.0), Type::new(13.0, INK, Anchor::Middle).bold(), &name);
        let description = told.map_or_else(|| self.describe(), str::to_owned);
        Ok(canvas.finish(bottom + 48.0, &format!("{} compared", self.label), &description))
    }

    fn draw_reference(&self, canvas: &mut Canvas, axis: &Axis, (top, bottom): (f64, f64)) {
        if let Some(line) = &self.reference {
            let x = axis.place(line.value);
            canvas.line((x, top - 8.0), (x, bottom), Stroke::dashed(INK, 1.2, "4 3"));
            canvas.centered((x.min(WIDTH - NUMBERS - 30.0), top - 12.0), Type::new(12.0, INK, Anchor::Middle), &line.label);
        }
    }

    fn describe(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let [median, low, high] =
                [row.spread.median, row.spread.ninety.0, row.spread.ninety.1].map(|value| format_number(value, 3));
            format!("{}: median {}, 90 % between {low} and {high}.", row.label, with_unit(&median, &self.unit))
        });
        rows.collect::<Vec<_>>().join(" ")
    }
}

impl IntervalRow {
    fn draw(&self, canvas: &mut Canvas, axis: &Axis, place: usize, y: f64) {
        let lines = wrap_text(&self.label, 13.0 * BOLD, LABELS - 18.0, 2);
        let first = y + 4.5 - 8.0 * (lines.len().saturating_sub(1)) as f64;
        for (line, text) in lines.iter().enumerate() {
            canvas.text((0.0, first + 16.0 * line as f64), Type::new(13.0, INK, Anchor::Start).bold(), text);
        }
        let Spread { median, half, ninety } = self.spread;
        let color = series_color(place);
        for ((low, high), width) in [(ninety, 1.8), (half, 6.0)] {
            canvas.line((axis.place(low), y), (axis.place(high), y), Stroke::solid(color, width));
        }
        let [middle, low, high] = [median, ninety.0, ninety.1].map(|value| format_number(value, 3));
        let marker = Marker { shape: series_shape(place), radius: 5.2, fill: WHITE, outline: color };
        canvas.marker((axis.place(median), y), marker, &format!("{}: median {middle}", self.label));
        canvas.text((WIDTH, y + 4.5), Type::new(12.5, INK, Anchor::End), &format!("{middle} ({low} to {high})"));
    }
}
