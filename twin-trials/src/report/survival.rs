//! Kaplan-Meier curves of several arms.

use super::axis::{Axis, Scale, Tick, drawable};
use super::number::{format_number, format_p_value};
use super::svg::{Anchor, Canvas, GRAY, INK, Point, RULE, Stroke, Type};
use super::svg::{BOLD, series_color, series_dash, spread_apart, wrap_text};
use crate::TrialError;
use crate::statistics::{KaplanMeier, LogRank};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 156.0;
const RIGHT: f64 = WIDTH - 214.0;
const TOP: f64 = 34.0;
/// Where the names of the curves begin.
const TEXT: f64 = RIGHT + 36.0;
/// The distance between lines of a label.
const LINE: f64 = 15.0;

/// Survival of several arms, with numbers at risk.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SurvivalFigure {
    /// What the curves give the probability of, for example `Free of progression`.
    pub label: String,
    /// The arms, with follow-up in days; at least one.
    pub curves: Vec<SurvivalCurve>,
    /// A test of the difference between them, to be shown with them.
    pub comparison: Option<LogRank>,
}

/// Survival of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct SurvivalCurve {
    /// The arm.
    pub label: String,
    /// Its estimate, with follow-up in days.
    pub estimate: KaplanMeier,
}

impl SurvivalFigure {
    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        if self.curves.is_empty() {
            return Err(TrialError::Empty { what: "the list of curves of a figure" });
        }
        let ends: Vec<f64> = self.curves.iter().map(|curve| curve.estimate.last_follow_up()).collect();
        drawable("follow-up", ends.iter().copied(), Scale::Linear)?;
        let mut canvas = Canvas::new(WIDTH, id);
        let names = self.names();
        let bottom = TOP + 300_f64.max(names.iter().map(|lines| LINE * (lines.len() as f64 + 1.5)).sum());
        let days = Axis::exact(ends.into_iter().chain([0.0]), Scale::Linear, (LEFT, RIGHT), 7.0);
        let mut shares = Axis::exact([0.0, 1.0], Scale::Linear, (bottom, TOP), 5.0);
        let percent = |tick: Tick| Tick { label: format!("{} %", format_number(100.0 * tick.value, 2)), ..tick };
        shares.ticks = std::mem::take(&mut shares.ticks).into_iter().map(percent).collect();
        shares.draw_left(&mut canvas, LEFT, RIGHT);
        canvas.text((LEFT - 50.0, TOP - 15.0), Type::new(13.0, INK, Anchor::Start).bold(), &self.label);
        canvas.line((LEFT, shares.place(0.5)), (RIGHT, shares.place(0.5)), Stroke::dashed("#8a8a8a", 0.9, "2 3"));
        for (place, curve) in self.curves.iter().enumerate() {
            curve.draw_band(&mut canvas, &days, &shares, series_color(place));
        }
        for (place, curve) in self.curves.iter().enumerate() {
            curve.draw(&mut canvas, &days, &shares, Stroke::dashed(series_color(place), 2.2, series_dash(place)));
        }
        if let Some(test) = &self.comparison {
            canvas.text((RIGHT, TOP - 15.0), Type::new(12.0, INK, Anchor::End), &in_words(test));
        }
        self.draw_labels(&mut canvas, &days, &shares, &names);
        let below = bottom + days.draw_days(&mut canvas, bottom) + 14.0;
        let height = self.draw_at_risk(&mut canvas, &days, below);
        let description = told.map_or_else(|| self.describe(), str::to_owned);
        Ok(canvas.finish(height, &format!("{}: Kaplan-Meier curves", self.label), &description))
    }

    /// The names of the arms, broken into lines.
    fn names(&self) -> Vec<Vec<String>> {
        self.curves.iter().map(|curve| wrap_text(&curve.label, 13.0 * BOLD, WIDTH - TEXT, 2)).collect()
    }

    /// Names the curves at their ends, with their medians.
    fn draw_labels(&self, canvas: &mut Canvas, days: &Axis, shares: &Axis, names: &[Vec<String>]) {
        let longest = names.iter().map(Vec::len).max().unwrap_or(1) as f64;
        let ends: Vec<Point> = self.curves.iter().map(|curve| curve.end(days, shares)).collect();
        let mut heights: Vec<f64> = ends.iter().map(|&(_, y)| y).collect();
        spread_apart(&mut heights, LINE * (longest + 1.3), TOP + 6.0, shares.place(0.0) - 4.0 - LINE * longest);
        for (place, ((curve, (x, y)), height)) in self.curves.iter().zip(ends).zip(heights).enumerate() {
            let color = series_color(place);
            canvas.line((x + 2.0, y), (RIGHT + 8.0, height), Stroke::solid(color, 0.7));
            canvas.line((RIGHT + 8.0, height), (TEXT - 5.0, height), Stroke::dashed(color, 2.2, series_dash(place)));
            let mut baseline = height + 4.5;
            for line in names.get(place).into_iter().flatten() {
                canvas.text((TEXT, baseline), Type::new(13.0, color, Anchor::Start).bold(), line);
                baseline += LINE;
            }
            canvas.text((TEXT, baseline), Type::new(12.0, GRAY, Anchor::Start), &curve.median_in_words());
        }
    }

    /// Writes how many are at risk at each tick, a row for each arm; returns where the drawing ends.
    fn draw_at_risk(&self, canvas: &mut Canvas, days: &Axis, top: f64) -> f64 {
        let name = |curve: &SurvivalCurve| wrap_text(&curve.label, 12.0 * BOLD, LEFT - 26.0, 2);
        canvas.text((0.0, top + 12.0), Type::new(12.0, GRAY, Anchor::Start), "Number at risk");
        canvas.line((0.0, top + 18.0), (RIGHT + 20.0, top + 18.0), Stroke::solid(RULE, 0.8));
        let mut y = top + 34.0;
        for (place, curve) in self.curves.iter().enumerate() {
            let lines = name(curve);
            for (line, text) in lines.iter().enumerate() {
                let at = (0.0, y + 14.0 * line as f64);
                canvas.text(at, Type::new(12.0, series_color(place), Anchor::Start).bold(), text);
            }
            for tick in days.ticks.iter().filter(|tick| !tick.label.is_empty() && tick.value >= 0.0) {
                let count = curve.estimate.at_risk(tick.value).to_string();
                canvas.text((days.place(tick.value), y), Type::new(12.0, INK, Anchor::Middle), &count);
            }
            y += 5.0 + 14.0 * lines.len().max(1) as f64;
        }
        y
    }

    fn describe(&self) -> String {
        let mut told: Vec<String> = self
            .curves
            .iter()
            .map(|curve| {
                let (subjects, events) = (curve.estimate.subjects(), curve.estimate.events());
                format!("{}: {events} of {subjects} had the event, {}.", curve.label, curve.median_in_words())
            })
            .collect();
        told.extend(self.comparison.as_ref().map(|test| format!("{}.", in_words(test))));
        told.join(" ")
    }
}

impl SurvivalCurve {
    fn draw_band(&self, canvas: &mut Canvas, days: &Axis, shares: &Axis, color: &'static str) {
        let (mut lower, mut upper) = (vec![(0.0, 1.0)], vec![(0.0, 1.0)]);
        let known = self.estimate.steps().iter().map_while(|step| Some((step.time, step.interval?)));
        for (time, limits) in known {
            for (edge, limit) in [(&mut lower, limits.0), (&mut upper, limits.1)] {
                let before = edge.last().map_or(1.0, |&(_, height)| height);
                edge.extend([(time, before), (time, limit)]);
            }
        }
        let unknown = self.estimate.steps().iter().find(|step| step.interval.is_none()).map(|step| step.time);
        let end = unknown.unwrap_or_else(|| self.estimate.last_follow_up());
        for edge in [&mut lower, &mut upper] {
            edge.extend(edge.last().map(|&(_, height)| (end, height)));
        }
        let outline: Vec<Point> =
            upper.iter().chain(lower.iter().rev()).map(|&(day, share)| (days.place(day), shares.place(share))).collect();
        canvas.area(&outline, color, 0.11);
    }

    fn draw(&self, canvas: &mut Canvas, days: &Axis, shares: &Axis, stroke: Stroke) {
        let mut points = vec![(days.place(0.0), shares.place(1.0))];
        for step in self.estimate.steps() {
            let x = days.place(step.time);
            points.extend(points.last().map(|&(_, before)| (x, before)));
            points.push((x, shares.place(step.survival)));
        }
        points.push(self.end(days, shares));
        canvas.polyline(&points, stroke);
        self.draw_censored(canvas, days, shares, stroke);
    }

    /// Ticks where follow-up ended without the event; ticks that would fall on the same spot are drawn once.
    fn draw_censored(&self, canvas: &mut Canvas, days: &Axis, shares: &Axis, stroke: Stroke) {
        let (mut steps, mut survival, mut last_x) = (self.estimate.steps().iter().peekable(), 1.0, f64::NEG_INFINITY);
        for subject in self.estimate.follow_ups().iter().filter(|subject| !subject.event) {
            while let Some(step) = steps.next_if(|step| step.time <= subject.time) {
                survival = step.survival;
            }
            let (x, y) = (days.place(subject.time), shares.place(survival));
            if x - last_x >= 0.5 {
                canvas.line((x, y - 4.5), (x, y + 4.5), Stroke::solid(stroke.color, 1.3));
                last_x = x;
            }
        }
    }

    fn end(&self, days: &Axis, shares: &Axis) -> Point {
        let survival = self.estimate.steps().last().map_or(1.0, |step| step.survival);
        (days.place(self.estimate.last_follow_up()), shares.place(survival))
    }

    fn median_in_words(&self) -> String {
        let median = self.estimate.median();
        let limit = |limit: Option<f64>| limit.map_or_else(|| "?".to_owned(), |day| format_number(day, 3));
        match (median.time, median.lower, median.upper) {
            (None, _, _) => "median not reached".to_owned(),
            (Some(day), lower, None) => format!("median {} d (from {})", format_number(day, 3), limit(lower)),
            (Some(day), lower, upper) => format!("median {} d ({} to {})", format_number(day, 3), limit(lower), limit(upper)),
        }
    }
}

fn in_words(test: &LogRank) -> String {
    let degrees = test.degrees_of_freedom;
    let unit = if degrees == 1 { "degree" } else { "degrees" };
    format!("log-rank χ² = {}, {degrees} {unit} of freedom, {}", format_number(test.statistic, 3), format_p_value(test.p_value))
}
