//! The page around the figures.

use super::{Block, Figure, Report, Section, Table};
use crate::TrialError;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
/// What a drawing needs of the style where it stands alone.
pub(super) const SVG_STYLE: &str = "svg { font-family: system-ui, -apple-system, \"Segoe UI\", Roboto, \"Noto Sans\", \"Liberation Sans\", Arial, sans-serif; \
    font-variant-numeric: tabular-nums; background: #fff; } .halo { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; }";

/// A text with everything that HTML could read as markup turned into references, and control characters into U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// A text as the contents of a quoted CSS string: all but letters, digits and spaces as code points.
fn escape_style(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == ' ' {
            out.push(letter);
        } else {
            let _ = write!(out, "\\{:x} ", if letter.is_control() { 0xfffd } else { u32::from(letter) });
        }
    }
    out
}

/// The whole document.
pub(super) fn page(report: &Report) -> Result<String, TrialError> {
    for (what, text) in [("the title of the report", &report.title), ("the notice of the report", &report.notice)] {
        not_blank(what, text)?;
    }
    let mut writer = Writer { out: String::new(), figures: 0, tables: 0 };
    writer.head(report);
    writer.title_block(report);
    writer.contents(report);
    writer.out.push_str("<main>\n");
    for (place, section) in report.sections.iter().enumerate() {
        writer.section(place + 1, section)?;
    }
    let _ = writeln!(writer.out, "</main>\n<footer><p>{}</p></footer>\n</body>\n</html>", escape(&report.notice));
    Ok(writer.out)
}

fn not_blank(what: &'static str, text: &str) -> Result<(), TrialError> {
    if text.trim().is_empty() { Err(TrialError::Empty { what }) } else { Ok(()) }
}

struct Writer {
    out: String,
    figures: usize,
    tables: usize,
}

impl Writer {
    fn head(&mut self, report: &Report) {
        let notice = escape_style(&report.notice);
        let _ = writeln!(
            self.out,
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<style>
{STYLE}@page {{ @bottom-left {{ content: "{notice}"; font: 8pt sans-serif; }} @bottom-right {{ content: counter(page) " / " counter(pages); font: 8pt sans-serif; }} }}
</style>
</head>
<body>"#,
            escape(&report.title)
        );
    }

    fn title_block(&mut self, report: &Report) {
        let _ = writeln!(self.out, "<header>\n<h1>{}</h1>", escape(&report.title));
        if !report.subtitle.trim().is_empty() {
            let _ = writeln!(self.out, r#"<p class="subtitle">{}</p>"#, escape(&report.subtitle));
        }
        self.pairs("facts", &report.facts);
        let notice = escape(&report.notice);
        let _ = writeln!(self.out, "</header>\n<aside class=\"notice\" aria-label=\"Notice\"><p>{notice}</p></aside>");
    }

    fn pairs(&mut self, class: &str, pairs: &[(String, String)]) {
        if pairs.is_empty() {
            return;
        }
        let _ = writeln!(self.out, r#"<dl class="{class}">"#);
        for (name, value) in pairs {
            let _ = writeln!(self.out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
        }
        self.out.push_str("</dl>\n");
    }

    /// A list of the sections, where there are enough of them to need one.
    fn contents(&mut self, report: &Report) {
        if report.sections.len() < 3 {
            return;
        }
        self.out.push_str("<nav aria-label=\"Contents\"><ol>\n");
        for (place, section) in report.sections.iter().enumerate() {
            let _ = writeln!(self.out, "<li><a href=\"#section-{}\">{}</a></li>", place + 1, escape(&section.heading));
        }
        self.out.push_str("</ol></nav>\n");
    }

    fn section(&mut self, number: usize, section: &Section) -> Result<(), TrialError> {
        not_blank("the heading of a section", &section.heading)?;
        let heading = escape(&section.heading);
        let _ = writeln!(
            self.out,
            "<section id=\"section-{number}\" aria-labelledby=\"heading-{number}\">\n<h2 id=\"heading-{number}\">{heading}</h2>"
        );
        section.blocks.iter().try_for_each(|block| self.block(block))?;
        self.out.push_str("</section>\n");
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), TrialError> {
        match block {
            Block::Paragraph(text) => {
                let _ = writeln!(self.out, "<p>{}</p>", escape(text));
            }
            Block::List(items) if items.is_empty() => {}
            Block::List(items) => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escape(item))).collect();
                let _ = writeln!(self.out, "<ul>\n{items}</ul>");
            }
            Block::KeyFigures(figures) => self.pairs("key", figures),
            Block::Table(table) => self.table(table)?,
            Block::Figure(figure) => self.figure(figure)?,
        }
        Ok(())
    }

    fn table(&mut self, table: &Table) -> Result<(), TrialError> {
        if table.columns.is_empty() {
            return Err(TrialError::Empty { what: "the list of columns of a table" });
        }
        self.tables += 1;
        let class = |numeric: bool| if numeric { " class=\"number\"" } else { "" };
        let _ = writeln!(
            self.out,
            "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption><b>Table {}.</b> {}</caption>\n<thead><tr>",
            self.tables,
            escape(&table.caption)
        );
        for column in &table.columns {
            let _ = writeln!(self.out, "<th scope=\"col\"{}>{}</th>", class(column.numeric), escape(&column.heading));
        }
        self.out.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            if row.len() != table.columns.len() {
                return Err(TrialError::Length {
                    what: "a row of a table",
                    found: row.len(),
                    reference: "the list of its columns",
                    expected: table.columns.len(),
                });
            }
            self.out.push_str("<tr>");
            for (place, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                let (open, close) = if place == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                let _ = write!(self.out, "<{open}{}>{}</{close}>", class(column.numeric), escape(cell));
            }
            self.out.push_str("</tr>\n");
        }
        self.out.push_str("</tbody>\n</table></div>\n");
        Ok(())
    }

    fn figure(&mut self, figure: &Figure) -> Result<(), TrialError> {
        self.figures += 1;
        let drawing = figure.draw(self.figures)?;
        let _ = writeln!(
            self.out,
            "<figure>\n<div class=\"scroll\" tabindex=\"0\">{drawing}</div>\n<figcaption><b>Figure {}.</b> {}</figcaption>\n</figure>",
            self.figures,
            escape(&figure.caption)
        );
        Ok(())
    }
}
