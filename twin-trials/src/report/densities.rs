//! What is known about parameters: posterior distributions over their priors.

use super::axis::{Axis, Scale, drawable};
use super::forecast::{ascending, titled};
use super::number::format_number;
use super::svg::{Anchor, BLUE, BOLD, Canvas, GRAY, INK, Key, Marker, Point, Shape, Stroke, Type, VERMILION, WHITE, fit_text};
use crate::TrialError;
use crate::statistics::Spread;

const WIDTH: f64 = 860.0;
const GAP: f64 = 34.0;
const PRIOR: Stroke = Stroke::dashed("#3d3d3d", 1.5, "5 3");
const OUTLINE: Stroke = Stroke::solid(BLUE, 1.4);
const TRUTH: Marker = Marker { shape: Shape::Diamond, radius: 4.2, fill: WHITE, outline: VERMILION };

/// Posterior distributions, one panel each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DensitiesFigure {
    /// The panels, in reading order; at least one.
    pub panels: Vec<DensityPanel>,
}

/// The posterior distribution of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityPanel {
    /// The name of the parameter.
    pub label: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// The scale of its axis. On a logarithmic one, the density is per unit of the logarithm, so that areas stay comparable.
    pub scale: Scale,
    /// Equally weighted draws from the posterior; at least one.
    pub draws: Vec<f64>,
    /// The prior to lay over them.
    pub prior: Option<Density>,
    /// The true value, where it is known because the patient was simulated.
    pub truth: Option<f64>,
}

/// A distribution of one parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Density {
    /// Equally weighted draws; at least one.
    Draws(Vec<f64>),
    /// A density per unit of the parameter, at values in ascending order.
    Curve {
        /// The values; at least two.
        values: Vec<f64>,
        /// The density at each.
        density: Vec<f64>,
    },
}

impl DensitiesFigure {
    pub(super) fn draw(&self, id: usize, told: Option<&str>) -> Result<String, TrialError> {
        if self.panels.is_empty() {
            return Err(TrialError::Empty { what: "the list of panels of a figure" });
        }
        self.panels.iter().try_for_each(DensityPanel::check)?;
        let mut canvas = Canvas::new(WIDTH, id);
        let top = canvas.legend((0.0, 4.0), &self.legend()) + 12.0;
        let columns = match self.panels.len() {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        let width = if columns == 1 { 420.0 } else { (WIDTH - GAP * (columns - 1) as f64) / columns as f64 };
        let mut told_here = Vec::new();
        for (place, panel) in self.panels.iter().enumerate() {
            let (row, column) = (place / columns, place % columns);
            let corner = (column as f64 * (width + GAP), top + row as f64 * DensityPanel::HEIGHT);
            told_here.push(panel.draw(&mut canvas, corner, width)?);
        }
        let height = top + self.panels.len().div_ceil(columns) as f64 * DensityPanel::HEIGHT;
        let description = told.map_or_else(|| told_here.join(" "), str::to_owned);
        Ok(canvas.finish(height - 12.0, "Posterior distributions of parameters", &description))
    }

    fn legend(&self) -> Vec<(Key, &'static str)> {
        let median = Marker { shape: Shape::Circle, radius: 4.0, fill: WHITE, outline: BLUE };
        let mut entries = vec![
            (Key::Area(BLUE, 0.25), "posterior"),
            (Key::Marker(median), "median"),
            (Key::Line(Stroke::solid(BLUE, 5.0)), "50 % interval"),
            (Key::Line(Stroke::solid(BLUE, 1.6)), "90 % interval"),
        ];
        if self.panels.iter().any(|panel| panel.prior.is_some()) {
            entries.insert(1, (Key::Line(PRIOR), "prior"));
        }
        if self.panels.iter().any(|panel| panel.truth.is_some()) {
            entries.push((Key::Marker(TRUTH), "true value"));
        }
        entries
    }
}

impl DensityPanel {
    const HEIGHT: f64 = 206.0;
    const PLOT: f64 = 104.0;

    fn check(&self) -> Result<(), TrialError> {
        if self.draws.is_empty() {
            return Err(TrialError::Empty { what: "the list of posterior draws" });
        }
        drawable("posterior draw", self.draws.iter().copied(), self.scale)?;
        drawable("true value", self.truth, self.scale)?;
        match &self.prior {
            None => Ok(()),
            Some(Density::Draws(draws)) if draws.is_empty() => Err(TrialError::Empty { what: "the list of prior draws" }),
            Some(Density::Draws(draws)) => drawable("prior draw", draws.iter().copied(), self.scale),
            Some(Density::Curve { values, density }) => {
                if values.len() != density.len() {
                    let (found, expected) = (density.len(), values.len());
                    return Err(TrialError::Length { what: "the prior density", found, reference: "its values", expected });
                }
                if values.len() < 2 {
                    return Err(TrialError::Count { what: "number of points of a prior", count: values.len(), valid: "2 or more" });
                }
                drawable("value of the prior", values.iter().copied(), self.scale)?;
                drawable("prior density", density.iter().copied(), Scale::Linear)?;
                match density.iter().enumerate().find(|(_, height)| **height < 0.0) {
                    Some((index, &value)) => {
                        Err(TrialError::OutOfRange { what: "prior density", index, value, valid: "0 or more" })
                    }
                    None => ascending("value of the prior", values),
                }
            }
        }
    }

    /// Draws the panel and tells what it shows.
    fn draw(&self, canvas: &mut Canvas, (left, top): Point, width: f64) -> Result<String, TrialError> {
        let spread = Spread::of(&self.draws)?;
        let name = fit_text(&titled(&self.label, &self.unit), 13.0 * BOLD, width);
        canvas.text((left, top + 13.0), Type::new(13.0, INK, Anchor::Start).bold(), &name);
        let [median, low, high] = [spread.median, spread.ninety.0, spread.ninety.1].map(|value| format_number(value, 3));
        let summary = format!("{median}  (90 %: {low} to {high})");
        canvas.text((left, top + 30.0), Type::new(12.0, GRAY, Anchor::Start), &summary);

        let bottom = top + 40.0 + Self::PLOT;
        let axis = Axis::exact(self.shown(), self.scale, (left + 4.0, left + width - 4.0), 3.5);
        let posterior = Histogram::of(&self.draws, self.scale, &axis);
        let prior = self.prior.as_ref().map(|prior| prior.outline(self.scale, &axis));
        let highest = prior.iter().flatten().map(|&(x, height)| if axis.holds(x) { height } else { 0.0 });
        let highest = highest.fold(posterior.highest(), f64::max).max(f64::MIN_POSITIVE);
        let place = |&(value, height): &Point| (axis.place(value), bottom - (height / highest).min(2.0) * Self::PLOT);
        canvas.open_clip((left, top + 36.0), (width, Self::PLOT + 6.0));
        let outline: Vec<Point> = posterior.outline().iter().map(place).collect();
        canvas.area(&outline, BLUE, 0.25);
        canvas.polyline(&outline, OUTLINE);
        if let Some(prior) = prior {
            canvas.polyline(&prior.iter().map(place).collect::<Vec<_>>(), PRIOR);
        }
        canvas.close_clip();
        if let Some(truth) = self.truth {
            let (x, ceiling) = (axis.place(truth), bottom - Self::PLOT + 4.0);
            canvas.line((x, ceiling), (x, bottom), Stroke::dashed(VERMILION, 1.4, "1.5 2.5"));
            canvas.marker((x, ceiling), TRUTH, &format!("true value {}", format_number(truth, 3)));
        }
        self.draw_marks(canvas, &axis, &spread, bottom + 9.0);
        axis.draw_below(canvas, bottom + 18.0, 11.0);
        let truth = self.truth.map_or_else(String::new, |value| format!(", true value {}", format_number(value, 3)));
        Ok(format!("{name}: median {median}, 90 % between {low} and {high}{truth}."))
    }

    /// The median and the intervals, on a line of their own between the density and its axis.
    fn draw_marks(&self, canvas: &mut Canvas, axis: &Axis, spread: &Spread, y: f64) {
        for ((low, high), width) in [(spread.ninety, 1.6), (spread.half, 5.0)] {
            canvas.line((axis.place(low), y), (axis.place(high), y), Stroke::solid(BLUE, width));
        }
        let median = Marker { shape: Shape::Circle, radius: 4.0, fill: WHITE, outline: BLUE };
        canvas.marker((axis.place(spread.median), y), median, &format!("median {}", format_number(spread.median, 3)));
    }

    /// The values that the axis must hold: all draws, and as much of the prior as lies within half their range on either side.
    fn shown(&self) -> Vec<f64> {
        let forward = |value: f64| if self.scale == Scale::Logarithmic { value.ln() } else { value };
        let backward = |value: f64| if self.scale == Scale::Logarithmic { value.exp() } else { value };
        let mut shown = self.draws.clone();
        shown.extend(self.truth);
        let (low, high) = range(shown.iter().map(|&value| forward(value)));
        let margin = (high - low) * 0.5;
        let prior = match &self.prior {
            Some(Density::Draws(values) | Density::Curve { values, .. }) => values.as_slice(),
            None => &[],
        };
        if !prior.is_empty() {
            let (prior_low, prior_high) = range(prior.iter().map(|&value| forward(value)));
            // what was checked is kept as it is; only margins go through the logarithm and back
            if prior_low < low {
                shown.push(backward(prior_low.max(low - margin)));
            }
            if prior_high > high {
                shown.push(backward(prior_high.min(high + margin)));
            }
        }
        shown
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

impl Density {
    /// The density per unit of the axis, as points to join.
    fn outline(&self, scale: Scale, axis: &Axis) -> Vec<Point> {
        match self {
            Self::Draws(draws) => Histogram::of(draws, scale, axis).outline(),
            Self::Curve { values, density } => {
                // a density per unit of ln x is x times the density per unit of x
                let factor = |value: f64| if scale == Scale::Logarithmic { value } else { 1.0 };
                let points = values.iter().zip(density).map(|(&value, &height)| (value, height * factor(value)));
                let ends = [values.first(), values.last()].map(|end| end.map(|&value| (value, 0.0)));
                let [first, last] = ends;
                first.into_iter().chain(points).chain(last).collect()
            }
        }
    }
}

/// Draws counted in bins of equal length along the axis.
struct Histogram {
    /// Edges of the bins, one more than heights.
    edges: Vec<f64>,
    /// Densities per unit of the axis.
    heights: Vec<f64>,
}

impl Histogram {
    fn of(draws: &[f64], scale: Scale, axis: &Axis) -> Self {
        let logarithmic = scale == Scale::Logarithmic;
        let forward = |value: f64| if logarithmic { value.ln() } else { value };
        let backward = |value: f64| if logarithmic { value.exp() } else { value };
        let (mut low, mut high) = range(draws.iter().map(|&value| forward(value)));
        let shortest = (forward(axis.high) - forward(axis.low)) / 60.0;
        let mut count = bin_count(draws.len());
        if high - low < shortest {
            let middle = low + (high - low) / 2.0;
            (low, high, count) = (middle - shortest / 2.0, middle + shortest / 2.0, 1);
        }
        let width = (high - low) / count as f64;
        let mut counts = vec![0_usize; count];
        for &draw in draws {
            let bin = (((forward(draw) - low) / width) as usize).min(count - 1);
            if let Some(hits) = counts.get_mut(bin) {
                *hits += 1;
            }
        }
        Self {
            edges: (0..=count).map(|edge| backward(low + edge as f64 * width)).collect(),
            heights: counts.into_iter().map(|hits| hits as f64 / (draws.len() as f64 * width)).collect(),
        }
    }

    fn highest(&self) -> f64 {
        self.heights.iter().copied().fold(0.0, f64::max)
    }

    fn outline(&self) -> Vec<Point> {
        let mut points = Vec::with_capacity(2 * self.edges.len());
        points.extend(self.edges.first().map(|&edge| (edge, 0.0)));
        for (pair, &height) in self.edges.windows(2).zip(&self.heights) {
            points.extend(pair.iter().map(|&edge| (edge, height)));
        }
        points.extend(self.edges.last().map(|&edge| (edge, 0.0)));
        points
    }
}

/// Rice's rule, `2 n^(1/3)` bins, at least 8 and at most 36.
fn bin_count(draws: usize) -> usize {
    (2.0 * (draws as f64).cbrt()).ceil().clamp(8.0, 36.0) as usize
}
