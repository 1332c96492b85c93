//! Reports for clinicians: plain data in, one self-contained page out.
//!
//! A [`Report`] is made of sections of paragraphs, lists, tables, key figures and [`Figure`]s, and becomes one HTML document that
//! needs no network, no script and no other file. Every text is escaped. Figures are vector drawings with a title and a description
//! for readers who cannot see them; no distinction rests on color alone. The same report gives the same bytes.
//!
//! ```
//! use twin_trials::report::{Block, Report, Section};
//! let mut report = Report::new("Forecast of a digital twin");
//! report.sections.push(Section {
//!     heading: "Summary".to_owned(),
//!     blocks: vec![Block::Paragraph("No progression is expected within a year.".to_owned())],
//! });
//! let page = report.to_html()?;
//! assert!(page.starts_with("<!doctype html>"));
//! assert!(page.contains("Not for clinical use without review."));
//! # Ok::<(), twin_trials::TrialError>(())
//! ```

mod axis;
mod briefing;
mod curves;
mod densities;
mod forecast;
mod html;
mod intervals;
mod number;
mod slices;
mod survival;
mod svg;

pub use axis::Scale;
pub use briefing::{Briefing, Wording};
pub use curves::{Curve, CurveStyle, CurvesFigure, Quantity};
pub use densities::{DensitiesFigure, Density, DensityPanel};
pub use forecast::{CarriedForward, ForecastFigure, ObservedPoint, Reading, TreatmentPeriod, Use};
pub use intervals::{IntervalRow, IntervalsFigure, ReferenceLine};
pub use number::{format_number, format_p_value};
pub use slices::{Slice, SlicesFigure};
pub use survival::{SurvivalCurve, SurvivalFigure};

use crate::TrialError;

/// A report, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The title; must not be empty.
    pub title: String,
    /// A line below the title; may be empty.
    pub subtitle: String,
    /// Facts of the title block in order, for example `("Patient", "P-0042")`; may be empty.
    pub facts: Vec<(String, String)>,
    /// What the reader must know before anything else, shown on top and at the foot of every printed page; must not be empty.
    pub notice: String,
    /// The sections, in reading order.
    pub sections: Vec<Section>,
}

impl Report {
    /// The notice that a new report carries.
    pub const NOTICE: &'static str = "For research. Not for clinical use without review.";

    /// A report without sections, with the usual notice.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            facts: Vec::new(),
            notice: Self::NOTICE.to_owned(),
            sections: Vec::new(),
        }
    }

    /// Writes the report as one HTML document.
    ///
    /// # Errors
    /// [`TrialError::Empty`] for an empty title, notice or heading, or a table without columns; [`TrialError::Length`] for a table row
    /// that does not match the columns, and for lists of a figure that do not match; [`TrialError::NotFinite`] and
    /// [`TrialError::OutOfRange`] for values of a figure that cannot be drawn.
    pub fn to_html(&self) -> Result<String, TrialError> {
        html::page(self)
    }
}

/// A section of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The heading; must not be empty.
    pub heading: String,
    /// The contents, in reading order.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Block {
    /// A paragraph of plain text.
    Paragraph(String),
    /// A list of plain texts.
    List(Vec<String>),
    /// A few results worth large type: `(name, value)`.
    KeyFigures(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
}

/// A table of texts. The first cell of each row is the heading of the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The caption, set after `Table 1.`
    pub caption: String,
    /// The columns; at least one.
    pub columns: Vec<Column>,
    /// The rows (rows × columns).
    pub rows: Vec<Vec<String>>,
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The heading, with the unit where there is one.
    pub heading: String,
    /// Whether the cells are numbers, which are aligned at the right.
    pub numeric: bool,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub fn text(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numeric: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numeric: true }
    }
}

/// A figure: a plot with its caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The caption, set after `Figure 1.`
    pub caption: String,
    /// What the figure shows, for readers who cannot see it; `None` has it told from the data.
    pub alternative: Option<String>,
    /// What is drawn.
    pub plot: Plot,
}

impl Figure {
    /// A figure whose description is told from its data.
    #[must_use]
    pub fn new(caption: impl Into<String>, plot: Plot) -> Self {
        Self { caption: caption.into(), alternative: None, plot }
    }

    /// Draws the figure alone, without its caption, as one SVG document that needs no other file.
    ///
    /// # Errors
    /// As [`Report::to_html`], for what cannot be drawn.
    pub fn to_svg(&self) -> Result<String, TrialError> {
        let drawing = self.draw(1)?;
        let (head, body) = drawing.split_once('\n').unwrap_or((&drawing, ""));
        Ok(format!("{head}\n<style>{}</style>\n{body}", html::SVG_STYLE))
    }

    /// The drawing, as the figure number `id` of its document.
    fn draw(&self, id: usize) -> Result<String, TrialError> {
        let told = self.alternative.as_deref();
        match &self.plot {
            Plot::Forecast(plot) => plot.draw(id, told),
            Plot::Densities(plot) => plot.draw(id, told),
            Plot::Intervals(plot) => plot.draw(id, told),
            Plot::Survival(plot) => plot.draw(id, told),
            Plot::Curves(plot) => plot.draw(id, told),
            Plot::Slices(plot) => plot.draw(id, told),
        }
    }
}

/// What a [`Figure`] draws.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Plot {
    /// An observable over time: measurements, forecast bands and treatment.
    Forecast(ForecastFigure),
    /// Posterior distributions of parameters, over their priors.
    Densities(DensitiesFigure),
    /// One outcome of several policies or patients, as medians with intervals.
    Intervals(IntervalsFigure),
    /// Kaplan-Meier curves of several arms.
    Survival(SurvivalFigure),
    /// Curves or clouds of points on common axes.
    Curves(CurvesFigure),
    /// Slices through fields in a patient's anatomy.
    Slices(SlicesFigure),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
