//! Axes: ranges, ticks and their labels.

use super::number::{fixed, format_number, power_of_ten};
use super::svg::{Anchor, Canvas, GRAY, INK, Point, RULE, Stroke, Type};
use crate::TrialError;

/// The largest magnitude that can be drawn; nothing in a clinic comes near it.
const LIMIT: f64 = 1e100;
/// The smallest positive value on a logarithmic axis.
const LOG_FLOOR: f64 = 1e-100;

/// How values are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences take equal lengths.
    #[default]
    Linear,
    /// Equal ratios take equal lengths. Values must be above 0.
    Logarithmic,
}

/// Refuses values that cannot be placed on an axis of the given scale.
pub(super) fn drawable(what: &'static str, values: impl IntoIterator<Item = f64>, scale: Scale) -> Result<(), TrialError> {
    for (index, value) in values.into_iter().enumerate() {
        if !value.is_finite() {
            return Err(TrialError::NotFinite { what, index, value });
        }
        if value.abs() > LIMIT {
            return Err(TrialError::OutOfRange { what, index, value, valid: "within 1e100 of 0 to be drawn" });
        }
        if scale == Scale::Logarithmic && value < LOG_FLOOR {
            return Err(TrialError::OutOfRange { what, index, value, valid: "above 1e-100 to be drawn on a logarithmic axis" });
        }
    }
    Ok(())
}

/// A tick: where, and with which label; minor ticks have none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// A range of values along a stretch of the drawing.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    scale: Scale,
    from: f64,
    to: f64,
    pub(super) ticks: Vec<Tick>,
}

impl Axis {
    /// An axis over checked values, rounded outward to ticks, from `from` to `to` in the drawing, with about `count` ticks.
    pub(super) fn rounded(values: impl IntoIterator<Item = f64>, scale: Scale, (from, to): Point, count: f64) -> Self {
        let (low, high) = extent(values, scale);
        match scale {
            Scale::Linear => {
                let low = if low > 0.0 && low < 0.5 * high { 0.0 } else { low };
                let step = nice_step(low, high, count);
                let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
                Self { low, high, scale, from, to, ticks: linear_ticks(low, high, step) }
            }
            Scale::Logarithmic => {
                let (low, high) = (outward(low, false), outward(high, true));
                Self { low, high, scale, from, to, ticks: log_ticks(low, high, count) }
            }
        }
    }

    /// An axis over exactly the range of checked values, widened only if they are all equal.
    pub(super) fn exact(values: impl IntoIterator<Item = f64>, scale: Scale, (from, to): Point, count: f64) -> Self {
        let (low, high) = extent(values, scale);
        let ticks = match scale {
            Scale::Linear => linear_ticks(low, high, nice_step(low, high, count)),
            Scale::Logarithmic => log_ticks(low, high, count),
        };
        Self { low, high, scale, from, to, ticks }
    }

    /// Where a value lies in the drawing; far outside, it stops a little beyond the axis, so that coordinates stay small.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value.max(LOG_FLOOR).ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
        };
        self.from + share.clamp(-5.0, 6.0) * (self.to - self.from)
    }

    /// Whether a value lies within the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Draws the axis at the left of a plot that reaches to `right`, with rules across it.
    pub(super) fn draw_left(&self, canvas: &mut Canvas, left: f64, right: f64) {
        for Tick { value, label } in &self.ticks {
            let y = self.place(*value);
            if label.is_empty() {
                canvas.line((left - 3.0, y), (left, y), Stroke::solid(GRAY, 0.8));
            } else {
                canvas.line((left, y), (right, y), Stroke::solid(RULE, 0.8));
                canvas.line((left - 5.0, y), (left, y), Stroke::solid(INK, 0.8));
                canvas.text((left - 8.0, y + 4.0), Type::new(12.0, INK, Anchor::End), label);
            }
        }
        canvas.line((left, self.from), (left, self.to), Stroke::solid(INK, 0.8));
    }

    /// Draws the axis at height `y`, with ticks and labels below.
    pub(super) fn draw_below(&self, canvas: &mut Canvas, y: f64, size: f64) {
        canvas.line((self.from, y), (self.to, y), Stroke::solid(INK, 0.8));
        for Tick { value, label } in &self.ticks {
            let x = self.place(*value);
            let length = if label.is_empty() { 3.0 } else { 5.0 };
            canvas.line((x, y), (x, y + length), Stroke::solid(INK, 0.8));
            canvas.centered((x, y + 7.0 + size), Type::new(size, INK, Anchor::Middle), label);
        }
    }

    /// Draws days below a plot, and months or years below them when the range is long; returns the height taken.
    pub(super) fn draw_days(&self, canvas: &mut Canvas, y: f64) -> f64 {
        let head = Type::new(12.0, GRAY, Anchor::End);
        self.draw_below(canvas, y, 12.0);
        canvas.text((self.from - 14.0, y + 19.0), head, "days");
        let Some((name, ticks)) = self.calendar() else {
            return 26.0;
        };
        canvas.text((self.from - 14.0, y + 39.0), head, name);
        for Tick { value, label } in ticks {
            let x = self.place(value);
            canvas.line((x, y + 24.5), (x, y + 28.0), Stroke::solid(GRAY, 0.8));
            canvas.text((x, y + 39.0), Type::new(12.0, GRAY, Anchor::Middle), &label);
        }
        46.0
    }

    /// Months above 120 days, years above 3 years; the months and years of UCUM, of 30.4375 and 365.25 days.
    fn calendar(&self) -> Option<(&'static str, Vec<Tick>)> {
        let span = self.high - self.low;
        let (name, days) = match span {
            _ if span > 1095.75 => ("years", 365.25),
            _ if span > 120.0 => ("months", 30.4375),
            _ => return None,
        };
        let step = match span / days {
            months if name == "months" && months > 18.0 => 6.0,
            months if name == "months" && months > 9.0 => 3.0,
            months if name == "months" => (months / 6.0).ceil(),
            years => nice_step(0.0, years, 10.0).max(1.0),
        };
        let ticks = linear_ticks(self.low / days, self.high / days, step);
        Some((name, ticks.into_iter().map(|tick| Tick { value: tick.value * days, ..tick }).collect()))
    }
}

/// The smallest and the largest value, moved apart when they are (nearly) equal, and 0 to 1 when there are none.
fn extent(values: impl IntoIterator<Item = f64>, scale: Scale) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = values.into_iter().fold(none, |(low, high), value| (low.min(value), high.max(value)));
    match scale {
        Scale::Linear if low > high => (0.0, 1.0),
        Scale::Logarithmic if low > high => (1.0, 10.0),
        Scale::Linear => {
            let size = low.abs().max(high.abs());
            let margin = if size > 1e-90 { size * 0.1 } else { 1.0 };
            if high - low > size * 1e-9 && high - low > 1e-90 { (low, high) } else { (low - margin, high + margin) }
        }
        Scale::Logarithmic if high > low * 1.000_001 => (low, high),
        Scale::Logarithmic => (low / 2.0, high * 2.0),
    }
}

/// The step of 1, 2 or 5 times a power of ten that comes nearest to cutting the range into `count` parts.
fn nice_step(low: f64, high: f64, count: f64) -> f64 {
    let raw = (high - low) / count;
    let power = 10_f64.powf(raw.log10().floor());
    // the borders are the geometric means of neighbors
    let factor = match raw / power {
        ratio if ratio < 2_f64.sqrt() => 1.0,
        ratio if ratio < 10_f64.sqrt() => 2.0,
        ratio if ratio < 50_f64.sqrt() => 5.0,
        _ => 10.0,
    };
    factor * power
}

fn linear_ticks(low: f64, high: f64, step: f64) -> Vec<Tick> {
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    let magnitude = step.log10().floor();
    let largest = low.abs().max(high.abs());
    let label = |value: f64| {
        if (1e-4..1e7).contains(&largest) && magnitude > -7.0 {
            fixed(value, (-magnitude).max(0.0) as usize)
        } else {
            // as many digits as tell neighbors apart
            let digits = (largest.log10().floor() - magnitude).clamp(0.0, 14.0) as usize + 1;
            format_number(value, digits)
        }
    };
    let count = (last - first).clamp(0.0, 60.0) as usize;
    (0..=count).map(|place| (first + place as f64) * step).map(|value| Tick { value, label: label(value) }).collect()
}

/// The nearest 1, 2 or 5 times a power of ten at or beyond a positive value.
fn outward(value: f64, up: bool) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let fits = |step: &f64| if up { *step >= value * 0.999_999 } else { *step <= value * 1.000_001 };
    let found = if up { steps.into_iter().find(fits) } else { steps.into_iter().rev().find(fits) };
    found.unwrap_or(value)
}

fn log_ticks(low: f64, high: f64, count: f64) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = (high / low).log10();
    let labeled: &[i32] = match decades {
        d if d <= 2.0 => &[1, 2, 5],
        _ => &[1],
    };
    let stride = (decades / count).ceil().max(1.0) as i32;
    let mut ticks = Vec::new();
    for exponent in first..=last {
        let minor = if stride == 1 { 1..=9 } else { 1..=1 };
        for factor in minor {
            let value = f64::from(factor) * 10_f64.powi(exponent);
            if value < low * 0.999_999 || value > high * 1.000_001 {
                continue;
            }
            let named = labeled.contains(&factor) && exponent.rem_euclid(stride) == 0;
            ticks.push(Tick { value, label: if named { log_label(value, factor, exponent) } else { String::new() } });
        }
    }
    if ticks.iter().filter(|tick| !tick.label.is_empty()).count() < 2 {
        return linear_ticks(low, high, nice_step(low, high, count.min(4.0)));
    }
    ticks
}

fn log_label(value: f64, factor: i32, exponent: i32) -> String {
    match (exponent, factor) {
        (-4..=5, _) => fixed(value, usize::try_from(-exponent).unwrap_or(0)),
        (_, 1) => power_of_ten(exponent),
        _ => format!("{factor} × {}", power_of_ten(exponent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let axis = Axis::rounded([3.0, 97.0], Scale::Linear, (100.0, 0.0), 5.0);
        assert_eq!(labels(&axis), ["0", "20", "40", "60", "80", "100"]);
        let axis = Axis::exact([-0.31, 0.27], Scale::Linear, (0.0, 100.0), 5.0);
        assert_eq!(labels(&axis), ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2"]);
    }

    #[test]
    fn decades_on_a_logarithmic_axis() {
        let axis = Axis::rounded([0.03, 450.0], Scale::Logarithmic, (100.0, 0.0), 6.0);
        assert_eq!(labels(&axis), ["0.1", "1", "10", "100"]);
        assert_eq!((axis.low, axis.high), (0.02, 500.0));
        let short = Axis::rounded([4.0, 9.0], Scale::Logarithmic, (100.0, 0.0), 6.0);
        assert_eq!(labels(&short), ["2", "5", "10"]);
        let long = Axis::rounded([1e-9, 1e12], Scale::Logarithmic, (100.0, 0.0), 6.0);
        assert_eq!(labels(&long), ["10⁻⁸", "0.0001", "1", "10\u{202f}000", "10⁸", "10¹²"]);
    }

    #[test]
    fn degenerate_ranges_still_have_room_and_ticks() {
        let cases: [&[f64]; 9] = [
            &[],
            &[0.0],
            &[5.0, 5.0, 5.0],
            &[-3.0],
            &[1e-95],
            &[1e15, 1e15 + 1.0],
            &[-1e100, 1e100],
            &[0.0, 5e-324],
            &[1e-300, 2e-300],
        ];
        for values in cases {
            for axis in [
                Axis::rounded(values.iter().copied(), Scale::Linear, (0.0, 100.0), 5.0),
                Axis::exact(values.iter().copied(), Scale::Linear, (0.0, 100.0), 5.0),
            ] {
                assert!(axis.low < axis.high, "{values:?}");
                assert!((2..=61).contains(&axis.ticks.len()), "{values:?} has {} ticks", axis.ticks.len());
                assert!(values.iter().all(|&value| axis.place(value).is_finite()));
            }
        }
        for values in [&[][..], &[1e-100], &[7.0, 7.0], &[1e-100, 1e100], &[6.0, 6.1]] {
            let axis = Axis::rounded(values.iter().copied(), Scale::Logarithmic, (0.0, 100.0), 5.0);
            assert!(labels(&axis).len() >= 2, "{values:?}: {:?}", axis.ticks);
            assert!(values.iter().all(|&value| (-1.0..=101.0).contains(&axis.place(value))), "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(drawable("x", [1.0, f64::NAN], Scale::Linear), Err(TrialError::NotFinite { index: 1, .. })));
        assert!(matches!(drawable("x", [0.0], Scale::Logarithmic), Err(TrialError::OutOfRange { .. })));
        assert!(matches!(drawable("x", [1e101], Scale::Linear), Err(TrialError::OutOfRange { .. })));
        assert!(drawable("x", [0.0, -4.0], Scale::Linear).is_ok());
    }

    #[test]
    fn long_ranges_of_days_carry_months_or_years() {
        let calendar = |days: f64| Axis::exact([0.0, days], Scale::Linear, (0.0, 600.0), 8.0).calendar();
        assert!(calendar(100.0).is_none());
        let (name, ticks) = calendar(400.0).unwrap_or(("", Vec::new()));
        assert_eq!((name, ticks.len()), ("months", 5));
        let (name, ticks) = calendar(1500.0).unwrap_or(("", Vec::new()));
        assert_eq!((name, ticks.len()), ("years", 5));
    }
}
