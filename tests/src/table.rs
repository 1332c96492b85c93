//! A table of numbers and words with a header, as the tables of the data collection are written.

use std::path::Path;

/// A comma-separated table without quotes.
#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads the table at `path`.
    ///
    /// # Errors
    /// In words, if the file cannot be read or a row has another number of cells than the header.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = text.lines().map(cells);
        let header = lines.next().unwrap_or_default();
        let rows: Vec<_> = lines.collect();
        match rows.iter().position(|row| row.len() != header.len()) {
            Some(row) => Err(format!("{}: row {} does not have {} cells", path.display(), row + 1, header.len())),
            None => Ok(Self { header, rows }),
        }
    }

    /// The words of column `name`.
    ///
    /// # Errors
    /// In words, if there is no such column.
    pub fn words(&self, name: &str) -> Result<Vec<&str>, String> {
        let place = self.header.iter().position(|column| column == name).ok_or_else(|| format!("no column {name}"))?;
        Ok(self.rows.iter().filter_map(|row| row.get(place)).map(String::as_str).collect())
    }

    /// The numbers of column `name`.
    ///
    /// # Errors
    /// In words, if there is no such column, or a cell is not a number.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, String> {
        self.words(name)?.iter().map(|cell| cell.parse().map_err(|_| format!("column {name}: `{cell}` is not a number"))).collect()
    }

    /// The rows whose cell in column `name` satisfies `keep`.
    ///
    /// # Errors
    /// In words, if there is no such column.
    pub fn retain(mut self, name: &str, keep: impl Fn(&str) -> bool) -> Result<Self, String> {
        let kept: Vec<bool> = self.words(name)?.into_iter().map(keep).collect();
        let mut kept = kept.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(false));
        Ok(self)
    }
}
