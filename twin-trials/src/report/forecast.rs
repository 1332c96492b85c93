//! An observable over time: what was measured, what the twin forecasts, and which treatment was or would be given.

use super::axis::{Axis, Scale, drawable};
use super::number::format_number;
use super::svg::{Anchor, BLUE, Canvas, INK, Key, Marker, Point, RULE, Shape, Stroke, Type, VERMILION, WHITE};
use super::svg::{fit_text, spread_apart, text_width};
use crate::TrialError;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 112.0;
const HEIGHT: f64 = 300.0;
const LANE: f64 = 33.0;
const FORWARD: Stroke = Stroke::dashed("#3d3d3d", 1.6, "8 3 1.5 3");
const MEDIAN: Stroke = Stroke::solid("#004f7d", 2.2);

/// An observable over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForecastFigure {
    /// What is observed, for example `PSA`.
    pub label: String,
    /// Its unit, for example `ng/mL`; may be empty.
    pub unit: String,
    /// The scale of its axis.
    pub scale: Scale,
    /// The limits of its axis; `None` shows all values. What lies outside is cut off.
    pub limits: Option<(f64, f64)>,
    /// What was measured.
    pub observations: Vec<ObservedPoint>,
    /// Days at which the forecast is known, in ascending order.
    pub times: Vec<f64>,
    /// The 5, 25, 50, 75 and 95 % quantiles of the forecast (times × 5).
    pub bands: Vec<[f64; 5]>,
    /// The day after which nothing was used for calibration.
    pub calibration_end: Option<f64>,
    /// When which treatment was, or would be, given; one lane per label.
    pub treatment_periods: Vec<TreatmentPeriod>,
    /// What one would expect without a model.
    pub carried_forward: Option<CarriedForward>,
}

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObservedPoint {
    /// The day.
    pub day: f64,
    /// The value, or the limit that was not reached or was exceeded.
    pub value: f64,
    /// What the value says.
    pub reading: Reading,
    /// What the value was used for.
    pub used_for: Use,
}

/// What a measured value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The value was measured.
    Measured,
    /// The true value is below the one given.
    Below,
    /// The true value is above the one given.
    Above,
}

/// What a measured value was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The twin was calibrated to it.
    Calibration,
    /// It was held out to judge the forecast.
    HeldOut,
}

/// A stretch of time on a treatment.
#[derive(Debug, Clone, PartialEq)]
pub struct TreatmentPeriod {
    /// The first day.
    pub from: f64,
    /// The last day.
    pub to: f64,
    /// The treatment.
    pub label: String,
    /// How intense it was, from 0, in one unit for all periods with this label; drawn as the height of the bar.
    pub intensity: f64,
}

/// The last measured value, carried forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CarriedForward {
    /// The day of the last value.
    pub from: f64,
    /// The day up to which it is carried.
    pub to: f64,
    /// The value.
    pub value: f64,
}

impl ForecastFigure {
    fn check(&self) -> Result<(), TrialError> {
        if self.bands.len() != self.times.len() {
            let (found, expected) = (self.bands.len(), self.times.len());
            return Err(TrialError::Length { what: "the forecast bands", found, reference: "the forecast times", expected });
        }
        drawable("observed value", self.observations.iter().map(|point| point.value), self.scale)?;
        drawable("observation day", self.observations.iter().map(|point| point.day), Scale::Linear)?;
        drawable("forecast time", self.times.iter().copied(), Scale::Linear)?;
        drawable("forecast quantile", self.bands.iter().flatten().copied(), self.scale)?;
        drawable("end of calibration", self.calibration_end, Scale::Linear)?;
        drawable("treatment day", self.treatment_periods.iter().flat_map(|period| [period.from, period.to]), Scale::Linear)?;
        drawable("treatment intensity", self.treatment_periods.iter().map(|period| period.intensity), Scale::Linear)?;
        drawable("axis limit", self.limits.iter().flat_map(|&(low, high)| [low, high]), self.scale)?;
        if let Some(last) = self.carried_forward {
            drawable("day of the value carried forward", [last.from, last.to], Scale::Linear)?;
            drawable("value carried forward", [last.value], self.scale)?;
        }
        ascending("forecast time", &self.times)?;
        self.bands.iter().try_for_each(|band| ascending("forecast quantile", band))?;
        for (index, period) in self.treatment_periods.iter().enumerate() {
            ascending("treatment day", &[period.from, period.to])?;
            if period.intensity < 0.0 {
                let value = period.intensity;
                return Err(TrialError::OutOfRange { what: "treatment intensity", index, value, valid: "0 or more" });
            }
        }
        match self.limits {
            Some((low, high)) if low >= high => {
                Err(TrialError::OutOfRange { what: "axis limit", index: 1, value: high, valid: "above the lower limit" })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        self.check()?;
        let mut canvas = Canvas::new(WIDTH, id);
        let mut y = canvas.legend((LEFT, 4.0), &self.legend()) + 14.0;
        let days = Axis::exact(self.days(), Scale::Linear, (LEFT, RIGHT), 8.0);
        let lanes = self.lanes();
        let lanes_top = y;
        y += lanes.len() as f64 * LANE + 36.0;
        let (top, bottom) = (y, y + HEIGHT);
        let values = match self.limits {
            Some((low, high)) => Axis::exact([low, high], self.scale, (bottom, top), 6.0),
            None => Axis::rounded(self.values(), self.scale, (bottom, top), 6.0),
        };
        if let [only] = lanes.as_slice() {
            self.shade(&mut canvas, &days, only, (top, bottom));
        }
        for (place, label) in lanes.iter().enumerate() {
            self.draw_lane(&mut canvas, &days, label, lanes_top + place as f64 * LANE);
        }
        values.draw_left(&mut canvas, LEFT, RIGHT);
        canvas.text((LEFT - 52.0, top - 11.0), Type::new(13.0, INK, Anchor::Start).bold(), &titled(&self.label, &self.unit));
        self.draw_calibration_end(&mut canvas, &days, (top, bottom));
        canvas.open_clip((LEFT - 6.0, top - 6.0), (RIGHT - LEFT + 12.0, HEIGHT + 12.0));
        self.draw_bands(&mut canvas, &days, &values);
        self.draw_observations(&mut canvas, &days, &values);
        canvas.close_clip();
        self.draw_last_values(&mut canvas, &values, (top, bottom));
        let axis_height = days.draw_days(&mut canvas, bottom);
        let title = format!("{} over time", self.label);
        Ok(canvas.finish(bottom + axis_height + 2.0, &title, &told.map_or_else(|| self.describe(), str::to_owned)))
    }

    fn days(&self) -> Vec<f64> {
        let mut days = self.times.clone();
        days.extend(self.observations.iter().map(|point| point.day));
        days.extend(self.treatment_periods.iter().flat_map(|period| [period.from, period.to]));
        days.extend(self.carried_forward.iter().flat_map(|last| [last.from, last.to]));
        days.extend(self.calibration_end);
        days
    }

    fn values(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.bands.iter().flatten().copied().collect();
        values.extend(self.observations.iter().map(|point| point.value));
        values.extend(self.carried_forward.map(|last| last.value));
        values
    }

    /// The labels of treatments, in the order in which they first appear.
    fn lanes(&self) -> Vec<&str> {
        let mut lanes: Vec<&str> = Vec::new();
        for period in &self.treatment_periods {
            if !lanes.contains(&period.label.as_str()) {
                lanes.push(&period.label);
            }
        }
        lanes
    }

    fn legend(&self) -> Vec<(Key, &'static str)> {
        let has = |reading, used_for| self.observations.iter().any(|point| point.reading == reading && point.used_for == used_for);
        let mut entries = Vec::new();
        for (reading, used_for, label) in [
            (Reading::Measured, Use::Calibration, "measured, used for calibration"),
            (Reading::Measured, Use::HeldOut, "measured, held out"),
            (Reading::Below, Use::Calibration, "below this limit"),
            (Reading::Below, Use::HeldOut, "below this limit, held out"),
            (Reading::Above, Use::Calibration, "above this limit"),
            (Reading::Above, Use::HeldOut, "above this limit, held out"),
        ] {
            if has(reading, used_for) {
                entries.push((Key::Marker(marker(reading, used_for)), label));
            }
        }
        if !self.times.is_empty() {
            entries.push((Key::Line(MEDIAN), "forecast median"));
            entries.push((Key::Area(BLUE, 0.42), "50 % of the forecast"));
            entries.push((Key::Area(BLUE, 0.17), "90 % of the forecast"));
        }
        if self.carried_forward.is_some() {
            entries.push((Key::Line(FORWARD), "last value carried forward"));
        }
        entries
    }

    /// Shades the plot where the only treatment is given.
    fn shade(&self, canvas: &mut Canvas, days: &Axis, label: &str, (top, bottom): Point) {
        for period in self.treatment_periods.iter().filter(|period| period.label == label && period.intensity > 0.0) {
            let (from, to) = (days.place(period.from), days.place(period.to));
            canvas.rectangle((from, top), (to - from, bottom - top), INK, 0.045, "");
        }
    }

    fn draw_lane(&self, canvas: &mut Canvas, days: &Axis, label: &str, y: f64) {
        const BAR: f64 = 11.0;
        let floor = y + 17.0 + BAR;
        canvas.line((LEFT, floor), (RIGHT, floor), Stroke::solid(RULE, 1.0));
        let periods: Vec<_> = self.treatment_periods.iter().filter(|period| period.label == label).collect();
        let largest = periods.iter().fold(0.0_f64, |largest, period| largest.max(period.intensity));
        for period in periods {
            let height = if largest > 0.0 { BAR * period.intensity / largest } else { 0.0 };
            let (from, to) = (days.place(period.from), days.place(period.to));
            let [start, end] = [period.from, period.to].map(|day| format_number(day, 3));
            let tooltip = format!("{label}: day {start} to {end}, intensity {}", format_number(period.intensity, 3));
            canvas.rectangle((from, floor - height), ((to - from).max(1.2), height), "#4a4a4a", 1.0, &tooltip);
        }
        canvas.text((LEFT, y + 12.0), Type::new(12.0, INK, Anchor::Start), &fit_text(label, 12.0, WIDTH - LEFT));
    }

    fn draw_calibration_end(&self, canvas: &mut Canvas, days: &Axis, (top, bottom): Point) {
        let Some(x) = self.calibration_end.map(|day| days.place(day)) else {
            return;
        };
        canvas.line((x, top - 18.0), (x, bottom), Stroke::dashed(INK, 1.1, "4 3"));
        let (anchor, offset) = if x > RIGHT - 110.0 { (Anchor::End, -6.0) } else { (Anchor::Start, 6.0) };
        canvas.text((x + offset, top - 9.0), Type::new(12.0, INK, anchor).bold(), "forecast begins");
    }

    fn draw_bands(&self, canvas: &mut Canvas, days: &Axis, values: &Axis) {
        let curve = |quantile: fn(&[f64; 5]) -> f64| -> Vec<Point> {
            let place = |(&time, band): (&f64, &[f64; 5])| (days.place(time), values.place(quantile(band)));
            self.times.iter().zip(&self.bands).map(place).collect()
        };
        let curves = [curve(|b| b[0]), curve(|b| b[1]), curve(|b| b[2]), curve(|b| b[3]), curve(|b| b[4])];
        let [p5, p25, median, p75, p95] = &curves;
        if let [only] = median.as_slice() {
            for (low, high, width) in [(p5, p95, 1.5), (p25, p75, 5.0)] {
                if let (Some(&low), Some(&high)) = (low.first(), high.first()) {
                    canvas.line(low, high, Stroke::solid(BLUE, width));
                }
            }
            canvas.marker(*only, Marker { shape: Shape::Circle, radius: 4.0, fill: WHITE, outline: MEDIAN.color }, "");
        } else if !median.is_empty() {
            for (low, high, opacity) in [(p5, p95, 0.17), (p25, p75, 0.30)] {
                let outline: Vec<Point> = low.iter().chain(high.iter().rev()).copied().collect();
                canvas.area(&outline, BLUE, opacity);
                canvas.polyline(low, Stroke::solid("#7fb6d6", 0.7));
                canvas.polyline(high, Stroke::solid("#7fb6d6", 0.7));
            }
            canvas.polyline(median, MEDIAN);
        }
        if let Some(last) = self.carried_forward {
            let y = values.place(last.value);
            canvas.line((days.place(last.from), y), (days.place(last.to), y), FORWARD);
        }
    }

    fn draw_observations(&self, canvas: &mut Canvas, days: &Axis, values: &Axis) {
        for point in &self.observations {
            let sign = match point.reading {
                Reading::Measured => "",
                Reading::Below => "< ",
                Reading::Above => "> ",
            };
            let value = with_unit(&format_number(point.value, 3), &self.unit);
            let tooltip = format!("day {}: {sign}{value}", format_number(point.day, 3));
            let at = (days.place(point.day), values.place(point.value));
            canvas.marker(at, marker(point.reading, point.used_for), &tooltip);
        }
    }

    /// Labels the ends of the forecast with their values, at the right of the plot.
    fn draw_last_values(&self, canvas: &mut Canvas, values: &Axis, (top, bottom): Point) {
        let Some(band) = self.bands.last() else {
            return;
        };
        let rows = [("95 %:", band[4], false), ("median:", band[2], true), ("5 %:", band[0], false)];
        let shown: Vec<_> = rows.into_iter().filter(|(_, value, _)| values.holds(*value)).collect();
        let mut heights: Vec<f64> = shown.iter().map(|(_, value, _)| values.place(*value)).collect();
        // equal values keep the order from high to low
        heights.iter_mut().zip(0..).for_each(|(height, place)| *height += f64::from(place) * 1e-3);
        spread_apart(&mut heights, 15.0, top + 4.0, bottom - 4.0);
        for ((name, value, bold), height) in shown.into_iter().zip(heights) {
            let kind = Type::new(12.0, MEDIAN.color, Anchor::Start);
            let kind = if bold { kind.bold() } else { kind };
            canvas.line((RIGHT + 2.0, values.place(value)), (RIGHT + 8.0, height), Stroke::solid("#7fb6d6", 0.8));
            let (number, at) = (format_number(value, 3), RIGHT + 11.0);
            let text = format!("{name} {number}");
            let fits = at + text_width(&text, 12.0) <= WIDTH;
            canvas.text((at, height + 4.0), kind, if fits { &text } else { &number });
        }
    }

    fn describe(&self) -> String {
        let number = |value: f64| with_unit(&format_number(value, 3), &self.unit);
        let held_out = self.observations.iter().filter(|point| point.used_for == Use::HeldOut).count();
        let mut told = format!("{}: {} observations, {held_out} of them held out.", self.label, self.observations.len());
        if let (Some(time), Some(band)) = (self.times.last(), self.bands.last()) {
            told += &format!(
                " On day {} the forecast median is {}, and 90 % of the forecast lies between {} and {}.",
                format_number(*time, 3),
                number(band[2]),
                number(band[0]),
                number(band[4])
            );
        }
        if let Some(day) = self.calibration_end {
            told += &format!(" The forecast begins on day {}.", format_number(day, 3));
        }
        for lane in self.lanes() {
            let count = self.treatment_periods.iter().filter(|period| period.label == lane && period.intensity > 0.0).count();
            told += &format!(" {lane} is given in {count} periods.");
        }
        told
    }
}

/// A name with its unit in brackets, if it has one.
pub(super) fn titled(name: &str, unit: &str) -> String {
    if unit.trim().is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
}

fn marker(reading: Reading, used_for: Use) -> Marker {
    let shape = match reading {
        Reading::Measured => Shape::Circle,
        Reading::Below => Shape::Down,
        Reading::Above => Shape::Up,
    };
    match used_for {
        Use::Calibration => Marker { shape, radius: 3.6, fill: INK, outline: INK },
        Use::HeldOut => Marker { shape, radius: 4.1, fill: WHITE, outline: VERMILION },
    }
}

/// A name or a number with its unit, if it has one.
pub(super) fn with_unit(text: &str, unit: &str) -> String {
    if unit.trim().is_empty() { text.to_owned() } else { format!("{text} {unit}") }
}

pub(super) fn ascending(what: &'static str, values: &[f64]) -> Result<(), TrialError> {
    match values.windows(2).enumerate().find(|(_, pair)| matches!(pair, [before, after] if before > after)) {
        Some((index, pair)) => Err(TrialError::OutOfRange {
            what,
            index: index + 1,
            value: pair.last().copied().unwrap_or(f64::NAN),
            valid: "at least as large as the one before",
        }),
        None => Ok(()),
    }
}
