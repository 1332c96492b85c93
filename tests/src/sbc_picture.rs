//! The picture of simulation-based calibration in the book: a histogram of ranks for every method and model, from a table of counts.
//!
//! A line of the table: method, model, parameter, replicates, and the count of each bin, with commas between.

use crate::sbc::{BINS, METHODS, MODELS, run};
use std::fmt::Write;

/// The histograms of one method on one model, one line for each parameter.
///
/// # Errors
/// In words; also if a replicate has no posterior.
pub fn rows(method: &str, model: &str, replicates: usize) -> Result<String, String> {
    let ranks = run(model, method, replicates, 2018)?;
    if let Some((index, error)) = ranks.failures.first() {
        return Err(format!("{} of {replicates} failed, number {index} because: {error}", ranks.failures.len()));
    }
    let mut table = String::new();
    for (place, parameter) in ranks.parameters.iter().enumerate() {
        let counts: Vec<String> = ranks.histogram(place, BINS).iter().map(ToString::to_string).collect();
        let _ = writeln!(table, "{method},{model},{parameter},{replicates},{}", counts.join(","));
    }
    Ok(table)
}

/// One line of the table.
struct Row<'a> {
    method: &'a str,
    model: &'a str,
    replicates: f64,
    counts: Vec<f64>,
}

fn parse(line: &str) -> Option<Row<'_>> {
    let mut fields = line.split(',');
    let (method, model, _parameter) = (fields.next()?, fields.next()?, fields.next()?);
    let replicates = fields.next()?.parse().ok()?;
    let counts = fields.map(|count| count.parse().ok()).collect::<Option<Vec<f64>>>()?;
    (!counts.is_empty()).then_some(Row { method, model, replicates, counts })
}

/// The picture of a table: a panel for each method (down) and model (across), a line for each parameter, and the band that holds 99 % of the bins of a right method.
#[must_use]
pub fn draw(table: &str) -> String {
    const PANEL: [f64; 2] = [190.0, 74.0];
    const CORNER: [f64; 2] = [110.0, 40.0];
    const COLORS: [&str; 4] = ["#1b6ca8", "#d1495b", "#66a182", "#8d6a9f"];
    let rows: Vec<Row<'_>> = table.lines().filter_map(parse).collect();
    let shown: Vec<&str> = METHODS.into_iter().filter(|method| rows.iter().any(|row| row.method == *method)).collect();
    let (width, height) = (CORNER[0] + 3.0 * (PANEL[0] + 12.0), CORNER[1] + shown.len() as f64 * (PANEL[1] + 12.0) + 34.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n"
    );
    svg.push_str("<title>Ranks of the truth among draws of the posterior</title>\n");
    let _ = writeln!(svg, "<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"white\"/>");
    for (column, model) in MODELS.iter().enumerate() {
        let x = CORNER[0] + column as f64 * (PANEL[0] + 12.0) + 0.5 * PANEL[0];
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"28\" text-anchor=\"middle\">{}</text>", model.replace('_', " "));
    }
    for (line, method) in shown.iter().enumerate() {
        let top = CORNER[1] + line as f64 * (PANEL[1] + 12.0);
        let _ = writeln!(svg, "<text x=\"8\" y=\"{:.1}\">{method}</text>", top + 0.5 * PANEL[1] + 4.0);
        for (column, model) in MODELS.iter().enumerate() {
            let left = CORNER[0] + column as f64 * (PANEL[0] + 12.0);
            let own: Vec<&Row<'_>> = rows.iter().filter(|row| row.method == *method && row.model == *model).collect();
            panel(&mut svg, [left, top], PANEL, &own, &COLORS);
        }
    }
    let y = height - 14.0;
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{y:.1}\">rank of the truth, low to high; lines: parameters; band: 99 % of the bins of a right method</text>",
        CORNER[0]
    );
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, [left, top]: [f64; 2], [width, height]: [f64; 2], rows: &[&Row<'_>], colors: &[&str]) {
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"none\" stroke=\"#999\"/>"
    );
    let Some(first) = rows.first() else {
        let (x, y) = (left + 0.5 * width, top + 0.5 * height + 4.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"#999\">not run</text>");
        return;
    };
    let bins = first.counts.len() as f64;
    let even = 1.0 / bins;
    let spread = 2.576 * (even * (1.0 - even) / first.replicates).sqrt();
    // Twice the even share fills the panel.
    let y = |share: f64| top + height * (1.0 - (share / (2.0 * even)).clamp(0.0, 1.0));
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"#e6e6e6\"/>",
        y(even + spread),
        y(even - spread) - y(even + spread)
    );
    for (row, color) in rows.iter().zip(colors.iter().cycle()) {
        let mut path = String::new();
        for (bin, count) in row.counts.iter().enumerate() {
            let (x0, x1) = (left + width * bin as f64 / bins, left + width * (bin as f64 + 1.0) / bins);
            let at = y(count / row.replicates);
            let _ = write!(path, "{}{x0:.1} {at:.1}H{x1:.1}", if bin == 0 { "M" } else { "L" });
        }
        let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.2\"/>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is written by the program `sbc`, together with the picture; before its first run there is neither.
    #[test]
    fn the_picture_in_the_book_is_that_of_its_table() {
        let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/pictures");
        let read = |name: &str| std::fs::read_to_string(book.join(name)).ok();
        assert!(read("sbc.svg") == read("sbc.csv").map(|table| draw(&table)), "draw it again: cargo run --release --bin sbc");
    }

    #[test]
    fn a_table_becomes_panels_and_lines() {
        let table = "ensemble,exponential,a,40,20,20\nensemble,exponential,b,40,10,30\n";
        let svg = draw(table);
        assert_eq!(svg.matches("<path").count(), 2);
        assert_eq!(svg.matches("not run").count(), 2);
    }
}
