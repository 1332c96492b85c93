//! A small writer of vector drawings: lines, areas, markers, text, legends.

use super::html::escape;
use super::number::coordinate;
use std::fmt::Write as _;

/// A point of the drawing, in its own units: to the right, then down.
pub(super) type Point = (f64, f64);

/// Colors after Okabe and Ito (2008), told apart by readers of any color vision; those that fade on white are darkened.
pub(super) const BLUE: &str = "#0072B2";
pub(super) const VERMILION: &str = "#D55E00";
pub(super) const GREEN: &str = "#007A5A";
pub(super) const INK: &str = "#1a1a1a";
pub(super) const GRAY: &str = "#5c5c5c";
pub(super) const RULE: &str = "#d9d9d9";
pub(super) const WHITE: &str = "#ffffff";
const SERIES: [&str; 6] = [BLUE, VERMILION, GREEN, "#A84C82", "#9A6A00", INK];
const DASHES: [&str; 5] = ["", "7 3", "2 2.5", "9 3 2 3", "4 2"];

/// The color of series number `index`.
pub(super) fn series_color(index: usize) -> &'static str {
    SERIES.get(index % SERIES.len()).copied().unwrap_or(INK)
}

/// The dash pattern of series number `index`; the empty pattern is a solid line.
pub(super) fn series_dash(index: usize) -> &'static str {
    DASHES.get(index % DASHES.len()).copied().unwrap_or("")
}

/// The marker of series number `index`.
pub(super) fn series_shape(index: usize) -> Shape {
    [Shape::Circle, Shape::Square, Shape::Diamond, Shape::Up, Shape::Down].get(index % 5).copied().unwrap_or(Shape::Circle)
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) color: &'static str,
    pub(super) width: f64,
    pub(super) dash: &'static str,
}

impl Stroke {
    pub(super) const fn solid(color: &'static str, width: f64) -> Self {
        Self { color, width, dash: "" }
    }

    pub(super) const fn dashed(color: &'static str, width: f64, dash: &'static str) -> Self {
        Self { color, width, dash }
    }

    fn attributes(&self) -> String {
        let dash = if self.dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{}""#, self.dash) };
        format!(r#"fill="none" stroke="{}" stroke-width="{}"{dash}"#, self.color, coordinate(self.width))
    }
}

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
}

/// A marker: its shape, its radius, and the colors of its inside and of its outline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker {
    pub(super) shape: Shape,
    pub(super) radius: f64,
    pub(super) fill: &'static str,
    pub(super) outline: &'static str,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) color: &'static str,
    pub(super) bold: bool,
    pub(super) anchor: Anchor,
}

impl Type {
    pub(super) const fn new(size: f64, color: &'static str, anchor: Anchor) -> Self {
        Self { size, color, bold: false, anchor }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// The symbol of a legend entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Marker(Marker),
    Line(Stroke),
    Area(&'static str, f64),
}

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Canvas {
    body: String,
    width: f64,
    id: usize,
    clips: usize,
}

impl Canvas {
    /// An empty drawing of the given width; `id` tells it from the others in the document.
    pub(super) fn new(width: f64, id: usize) -> Self {
        Self { body: String::new(), width, id, clips: 0 }
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    pub(super) fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(coordinate);
        self.push(&format!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {}/>"#, stroke.attributes()));
    }

    pub(super) fn polyline(&mut self, points: &[Point], stroke: Stroke) {
        self.push(&format!(r#"<path d="{}" stroke-linejoin="round" {}/>"#, path(points), stroke.attributes()));
    }

    pub(super) fn area(&mut self, points: &[Point], fill: &str, opacity: f64) {
        self.push(&format!(r#"<path d="{}Z" fill="{fill}" fill-opacity="{}"/>"#, path(points), coordinate(opacity)));
    }

    pub(super) fn rectangle(&mut self, (x, y): Point, (width, height): Point, fill: &str, opacity: f64, tooltip: &str) {
        let [x, y, width, height, opacity] = [x, y, width.max(0.0), height.max(0.0), opacity].map(coordinate);
        let open = format!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" fill-opacity="{opacity}""#);
        self.close_with_tooltip(&open, "rect", tooltip);
    }

    pub(super) fn marker(&mut self, (x, y): Point, marker: Marker, tooltip: &str) {
        let Marker { shape, radius, fill, outline } = marker;
        let paint = format!(r#"fill="{fill}" stroke="{outline}" stroke-width="1.6""#);
        let polygon = |corners: &[Point]| {
            let corners: Vec<Point> = corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect();
            format!(r#"<path d="{}Z" {paint}"#, path(&corners))
        };
        let (open, name) = match shape {
            Shape::Circle => {
                let [x, y, radius] = [x, y, radius].map(coordinate);
                (format!(r#"<circle cx="{x}" cy="{y}" r="{radius}" {paint}"#), "circle")
            }
            Shape::Square => (polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]), "path"),
            Shape::Diamond => (polygon(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]), "path"),
            Shape::Up => (polygon(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]), "path"),
            Shape::Down => (polygon(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]), "path"),
        };
        self.close_with_tooltip(&open, name, tooltip);
    }

    fn close_with_tooltip(&mut self, open: &str, name: &str, tooltip: &str) {
        if tooltip.is_empty() {
            self.push(&format!("{open}/>"));
        } else {
            self.push(&format!("{open}><title>{}</title></{name}>", escape(tooltip)));
        }
    }

    /// Writes a line of text whose baseline starts, ends or is centered at a point; a white halo keeps it readable on lines.
    pub(super) fn text(&mut self, (x, y): Point, kind: Type, text: &str) {
        let anchor = match kind.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if kind.bold { r#" font-weight="600""# } else { "" };
        let [x, y, size] = [x, y, kind.size].map(coordinate);
        self.push(&format!(
            r#"<text x="{x}" y="{y}" font-size="{size}" fill="{}" text-anchor="{anchor}"{weight} class="halo">{}</text>"#,
            kind.color,
            escape(text)
        ));
    }

    /// Writes a line of text centered at a point, or as near to it as the edges of the drawing allow.
    pub(super) fn centered(&mut self, (x, y): Point, kind: Type, text: &str) {
        let half = text_width(text, kind.size) / 2.0;
        let x = if half * 2.0 < self.width { x.clamp(half, self.width - half) } else { x };
        self.text((x, y), kind, text);
    }

    /// Opens a group that shows only what lies inside the rectangle from `corner`, `size` wide and high.
    pub(super) fn open_clip(&mut self, corner: Point, size: Point) {
        self.clips += 1;
        let name = format!("figure-{}-clip-{}", self.id, self.clips);
        let [x, y, width, height] = [corner.0, corner.1, size.0, size.1].map(coordinate);
        self.push(&format!(
            r##"<clipPath id="{name}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath><g clip-path="url(#{name})">"##
        ));
    }

    pub(super) fn close_clip(&mut self) {
        self.push("</g>");
    }

    /// Opens a group whose origin is `corner`.
    pub(super) fn open_group(&mut self, corner: Point) {
        let [x, y] = [corner.0, corner.1].map(coordinate);
        self.push(&format!(r#"<g transform="translate({x} {y})" shape-rendering="crispEdges">"#));
    }

    pub(super) fn close_group(&mut self) {
        self.push("</g>");
    }

    /// Fills a path given as SVG writes it; nothing for an empty one.
    pub(super) fn fill(&mut self, path: &str, color: &str) {
        if !path.is_empty() {
            self.push(&format!(r#"<path d="{path}" fill="{color}"/>"#));
        }
    }

    /// Writes legend entries from left to right, in as many rows as they need, from `corner`; returns the height taken.
    pub(super) fn legend(&mut self, corner: Point, entries: &[(Key, &str)]) -> f64 {
        const ROW: f64 = 19.0;
        if entries.is_empty() {
            return 0.0;
        }
        let (mut x, mut y) = (corner.0, corner.1 + 12.0);
        for (key, label) in entries {
            let width = 30.0 + text_width(label, 12.0) + 18.0;
            if x > corner.0 && x + width > self.width {
                x = corner.0;
                y += ROW;
            }
            let middle = y - 4.0;
            match *key {
                Key::Marker(marker) => self.marker((x + 12.0, middle), marker, ""),
                Key::Line(stroke) => self.line((x, middle), (x + 24.0, middle), stroke),
                Key::Area(fill, opacity) => self.rectangle((x, middle - 5.0), (24.0, 10.0), fill, opacity, ""),
            }
            self.text((x + 30.0, y), Type::new(12.0, INK, Anchor::Start), label);
            x += width;
        }
        y - corner.1 + 7.0
    }

    /// The finished drawing, `height` high, with its title and its description for readers who cannot see it.
    pub(super) fn finish(self, height: f64, title: &str, description: &str) -> String {
        let (id, width, height) = (self.id, coordinate(self.width), coordinate(height));
        let mut out = String::new();
        let _ = writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="figure-{id}-title figure-{id}-text">"#
        );
        let _ = writeln!(out, r#"<title id="figure-{id}-title">{}</title>"#, escape(title));
        let _ = writeln!(out, r#"<desc id="figure-{id}-text">{}</desc>"#, escape(description));
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

fn path(points: &[Point]) -> String {
    let mut out = String::new();
    for (place, &(x, y)) in points.iter().enumerate() {
        let verb = if place == 0 { 'M' } else { 'L' };
        let _ = write!(out, "{verb}{} {}", coordinate(x), coordinate(y));
    }
    out
}

/// The width of a text, estimated from the widest of the common sans-serif typefaces, so that it fits in any of them.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|letter| match letter {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '\u{202f}' => 0.32,
            'f' | 'r' | 't' | '(' | ')' | '/' | '-' => 0.39,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
            'A'..='Z' => 0.7,
            '\u{2e80}'..='\u{ffff}' => 1.0,
            _ => 0.62,
        })
        .sum();
    em * size
}

/// How much wider bold text is.
pub(super) const BOLD: f64 = 1.14;

/// A text cut to a width, with an ellipsis where something is missing.
pub(super) fn fit_text(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if text_width(&kept, size) + size > width {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

/// A text broken between words into at most `rows` lines of a width; the last is cut if even that is too little.
pub(super) fn wrap_text(text: &str, size: f64, width: f64, rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let full = lines.len() >= rows;
        match lines.last_mut() {
            Some(last) if full || text_width(&format!("{last} {word}"), size) <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| fit_text(&line, size, width)).collect()
}

/// Moves heights apart to at least `gap`, keeping their order, and into `low..=high` as far as they fit.
pub(super) fn spread_apart(heights: &mut [f64], gap: f64, low: f64, high: f64) {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    let value = |heights: &[f64], index: usize| heights.get(index).copied().unwrap_or(low);
    order.sort_by(|&a, &b| value(heights, a).total_cmp(&value(heights, b)));
    let mut floor = low;
    for &index in &order {
        if let Some(height) = heights.get_mut(index) {
            *height = height.max(floor);
            floor = *height + gap;
        }
    }
    let mut ceiling = high;
    for &index in order.iter().rev() {
        if let Some(height) = heights.get_mut(index) {
            *height = height.min(ceiling);
            ceiling = *height - gap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_in_order() {
        let mut heights = [50.0, 52.0, 51.0, 99.0];
        spread_apart(&mut heights, 12.0, 0.0, 100.0);
        assert_eq!(heights, [50.0, 74.0, 62.0, 99.0]);
        let mut low = [98.0, 99.0];
        spread_apart(&mut low, 12.0, 0.0, 100.0);
        assert_eq!(low, [88.0, 100.0]);
    }

    #[test]
    fn long_texts_are_broken_and_then_cut() {
        assert_eq!(wrap_text("one two three", 10.0, 60.0, 2), ["one two", "three"]);
        let cut = wrap_text("a policy with a very long name indeed", 10.0, 60.0, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut.last().is_some_and(|line| line.ends_with('…')));
        assert_eq!(fit_text("short", 10.0, 100.0), "short");
    }

    #[test]
    fn text_in_a_drawing_is_escaped() {
        let mut canvas = Canvas::new(100.0, 1);
        canvas.text((0.0, 0.0), Type::new(10.0, INK, Anchor::Start), "<script>");
        canvas.marker((0.0, 0.0), Marker { shape: Shape::Up, radius: 3.0, fill: INK, outline: INK }, "\"<b>");
        let out = canvas.finish(10.0, "<i>", "</desc>");
        assert!(!out.contains("<script>") && !out.contains("<b>") && !out.contains("<i>"));
    }
}
