//! Variants, copy numbers and expression of tumors: MAF, VCF, and the tables of cBioPortal.
//!
//! ```
//! use twin_io::Limits;
//! use twin_io::genomics::{Drivers, maf};
//! let text = "Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\tHGVSp_Short\tt_alt_count\tt_ref_count\n\
//!             BRAF\tS1\tMissense_Mutation\tp.V600E\t31\t69\n";
//! let calls = maf::parse(text, "calls.maf", &Limits::default())?;
//! let drivers = Drivers::parse("gene\tprotein\tsignificance\nBRAF\tp.V600E\tdriver\n", "drivers.tsv", &Limits::default())?;
//! let alterations = calls.alterations("S1", &drivers)?;
//! assert_eq!(alterations[0].value.allele_fraction.map(|fraction| fraction.value()), Some(0.31));
//! # Ok::<(), twin_io::IoError>(())
//! ```
//!
//! Readers take text or files, plain or in gzip and BGZF. Columns are found by name, in the spellings of the common dialects. What
//! a call states but the patient state cannot hold (a protein change that is not HGVS, a place without a gene) is listed in the
//! notes of the reader with its line, and the call itself is kept.

pub mod maf;
pub mod matrix;
pub mod vcf;

use crate::{IoError, Limits, Place, file, inflate};
use std::collections::BTreeMap;
use std::path::Path;
use twin_core::{
    Alteration, AlterationKind, CodingChange, GeneSymbol, Proportion, ProteinChange, Provenance, Recorded, Significance,
};

/// Something a reader could not carry over from a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: usize,
    /// The column.
    pub column: &'static str,
    /// What was not carried over, and why; never with the value.
    pub what: &'static str,
}

/// One call in one sample: an alternative allele at a place of the genome.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The gene, if one is named.
    pub gene: Option<GeneSymbol>,
    /// The chromosome, as the file names it.
    pub chromosome: String,
    /// The first base, from 1, as the file states it; 0 if it does not.
    pub position: u64,
    /// The reference allele.
    pub reference: String,
    /// The alternative allele.
    pub alternative: String,
    /// What the variant does, in the words of the file: `Missense_Mutation`, `missense_variant`.
    pub effect: String,
    /// The change of DNA.
    pub coding: Option<CodingChange>,
    /// The change of protein.
    pub protein: Option<ProteinChange>,
    /// The share of reads with the alternative allele.
    pub allele_fraction: Option<Proportion>,
    /// Reads at the place.
    pub depth: Option<u32>,
    /// The line of the file, from 1.
    pub line: usize,
}

impl Variant {
    /// The variant as an alteration of its gene, from `source`, with the significance that `drivers` gives it; `None` without a gene.
    #[must_use]
    pub fn alteration(&self, drivers: &Drivers, source: &str) -> Option<Recorded<Alteration>> {
        let kind = if self.alternative.starts_with('<') || self.alternative.contains(['[', ']']) {
            AlterationKind::StructuralOther
        } else {
            AlterationKind::SmallVariant { coding: self.coding.clone(), protein: self.protein.clone() }
        };
        let mut alteration = Alteration::new(self.gene.clone()?, kind);
        alteration.allele_fraction = self.allele_fraction;
        alteration.depth = self.depth;
        alteration.significance = drivers.significance(&alteration.gene, self.protein.as_ref());
        Some(Recorded::new(alteration, Provenance::measured(source).at(format!("line {}", self.line))))
    }
}

/// Which alterations drive a tumor: a table that the caller supplies, since what is known changes and licenses differ.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drivers {
    by_change: BTreeMap<(GeneSymbol, Option<String>), Significance>,
}

impl Drivers {
    /// Reads a table with the columns `gene`, `protein` (empty for every change of the gene) and `significance` (`driver`,
    /// `likely_driver`, `passenger`, `unknown`), separated by tabs.
    ///
    /// # Errors
    /// [`IoError::MissingColumns`], [`IoError::Syntax`], [`IoError::Invalid`] with line and column.
    pub fn parse(text: &str, name: &str, limits: &Limits) -> Result<Self, IoError> {
        let mut table = Table::new(text, Place::of(Some(Path::new(name))), limits)?;
        let [gene, protein, significance] = table.needed(["gene", "protein", "significance"])?;
        let mut drivers = Self::default();
        while let Some(row) = table.next_row()? {
            let change = row.field(protein);
            let change = if change.is_empty() {
                None
            } else {
                Some(ProteinChange::new(change).map_err(|_| row.invalid("protein", "must be HGVS, such as p.V600E"))?)
            };
            let symbol = GeneSymbol::new(row.field(gene)).map_err(|_| row.invalid("gene", "must be a gene symbol"))?;
            let significance = match row.field(significance) {
                "driver" => Significance::Driver,
                "likely_driver" => Significance::LikelyDriver,
                "passenger" => Significance::Passenger,
                "unknown" => Significance::Unknown,
                _ => return Err(row.invalid("significance", "must be driver, likely_driver, passenger or unknown")),
            };
            if drivers.by_change.insert((symbol, change.map(String::from)), significance).is_some() {
                return Err(row.invalid("gene", "the gene and the change are there twice"));
            }
        }
        Ok(drivers)
    }

    /// The significance of a change, else of any change of the gene, else unknown.
    #[must_use]
    pub fn significance(&self, gene: &GeneSymbol, protein: Option<&ProteinChange>) -> Significance {
        let of = |change: Option<String>| self.by_change.get(&(gene.clone(), change)).copied();
        let exact = protein.and_then(|change| of(Some(change.as_str().to_owned())));
        exact.or_else(|| of(None)).unwrap_or_default()
    }
}

/// The text of a file, inflated if it is compressed.
fn read_text(path: &Path, limits: &Limits) -> Result<String, IoError> {
    let bytes = file::read_bytes(path, limits)?;
    let place = Place::of(Some(path));
    if !inflate::is_gzip(&bytes) {
        return file::text(bytes, Some(path));
    }
    // A file in BGZF ends in an empty block: without it, whole blocks may be missing, which no checksum tells.
    let is_blocked = bytes.get(12..14) == Some(b"BC");
    if is_blocked && !bytes.ends_with(&BGZF_END) {
        return Err(place.truncated("the empty block that ends a BGZF file"));
    }
    file::text(inflate::gunzip_text(&bytes, limits, &place)?, Some(path))
}

/// The empty block at the end of a BGZF file (SAM specification, 4.1.2).
const BGZF_END: [u8; 28] = [31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0, 27, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The rows of a table with tabs, below a header, comments with `#` before it left out.
struct Table<'a> {
    lines: Lines<'a>,
    header: Vec<&'a str>,
    records: usize,
}

/// A row, with as many fields as the header.
struct Row<'a, 'b> {
    fields: Vec<&'a str>,
    line: usize,
    place: &'b Place,
}

impl<'a> Table<'a> {
    fn new(text: &'a str, place: Place, limits: &Limits) -> Result<Self, IoError> {
        let mut lines = Lines::new(text, place, limits)?;
        while let Some((line, content)) = lines.next_line()? {
            if content.starts_with('#') || content.is_empty() {
                continue;
            }
            let header: Vec<&str> = content.split('\t').map(str::trim).collect();
            for (at, name) in header.iter().enumerate() {
                if !name.is_empty() && header.iter().take(at).any(|other| other.eq_ignore_ascii_case(name)) {
                    return Err(IoError::RepeatedColumn { place: lines.place.line(line).field(name) });
                }
            }
            return Ok(Self { lines, header, records: 0 });
        }
        Err(IoError::Empty { place: lines.place, what: "is no header" })
    }

    /// The column of the first of `names` that is there, whatever its case.
    fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|column| column.eq_ignore_ascii_case(name)))
    }

    /// The columns of `names`, which must all be there.
    fn needed<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N], IoError> {
        let missing: Vec<String> =
            names.iter().filter(|name| self.column(&[name]).is_none()).map(|name| (*name).to_owned()).collect();
        if missing.is_empty() {
            return Ok(names.map(|name| self.column(&[name]).unwrap_or_default()));
        }
        let known = missing.len() < N;
        let present = self.header.iter().filter(|_| known).map(|name| (*name).to_owned()).collect();
        Err(IoError::MissingColumns { place: self.lines.place.clone(), missing, present })
    }

    fn next_row(&mut self) -> Result<Option<Row<'a, '_>>, IoError> {
        loop {
            let Some((line, content)) = self.lines.next_line()? else { return Ok(None) };
            if content.is_empty() {
                continue;
            }
            let place = || self.lines.place.clone().line(line);
            let fields: Vec<&str> = content.split('\t').collect();
            if fields.len() != self.header.len() {
                return Err(place().syntax(format!("{} fields, but the header has {}", fields.len(), self.header.len())));
            }
            self.records += 1;
            if self.records > self.lines.limits.max_records {
                return Err(place().over("rows", self.lines.limits.max_records, "max_records"));
            }
            return Ok(Some(Row { fields, line, place: &self.lines.place }));
        }
    }
}

impl<'a> Row<'a, '_> {
    /// A field without spaces around it; empty for one that says in one of the usual ways that nothing is known.
    fn field(&self, column: usize) -> &'a str {
        match self.fields.get(column).map_or("", |field| field.trim()) {
            "." | "NA" | "na" | "N/A" | "NaN" | "[Not Available]" => "",
            field => field,
        }
    }

    fn invalid(&self, column: &str, rule: &str) -> IoError {
        self.place.clone().line(self.line).field(column).invalid(rule)
    }

    fn number<T: std::str::FromStr>(&self, column: Option<usize>, name: &str, rule: &str) -> Result<Option<T>, IoError> {
        match column.map_or("", |column| self.field(column)) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.invalid(name, rule)),
        }
    }
}

/// The lines of a text with their numbers, none longer than allowed, without their ends.
struct Lines<'a> {
    lines: std::str::Split<'a, char>,
    line: usize,
    place: Place,
    limits: Limits,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, place: Place, limits: &Limits) -> Result<Self, IoError> {
        if text.len() > limits.max_bytes {
            return Err(place.over("bytes", limits.max_bytes, "max_bytes"));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Self { lines: text.split('\n'), line: 0, place, limits: *limits })
    }

    fn next_line(&mut self) -> Result<Option<(usize, &'a str)>, IoError> {
        let Some(content) = self.lines.next() else { return Ok(None) };
        self.line += 1;
        if content.len() > self.limits.max_line {
            return Err(self.place.clone().line(self.line).over("bytes in a line", self.limits.max_line, "max_line"));
        }
        Ok(Some((self.line, content.strip_suffix('\r').unwrap_or(content))))
    }
}

#[cfg(test)]
mod tests;
