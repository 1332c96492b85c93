//! Variant call format, versions 4.1 to 4.5, plain or in BGZF.
//!
//! A file may hold several samples, and which of them is the tumor differs from caller to caller: where there is more than one, the
//! caller of [`parse`] names it. Genes come from the annotation of VEP (`CSQ`) or SnpEff (`ANN`), if there is one.
//!
//! The allele fraction is, of these the first that the sample states: `AF`; `FREQ` (VarScan, in percent); `AD` (reads of each
//! allele); `AO` and `RO` (FreeBayes); `AU`, `CU`, `GU`, `TU`, or `TAR` and `TIR`, first tier (Strelka).

use super::{Drivers, Lines, Note, Variant, read_text};
use crate::{IoError, Limits, Place};
use std::path::Path;
use twin_core::{Alteration, CodingChange, GeneSymbol, Proportion, ProteinChange, Recorded};

/// The calls of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Vcf {
    /// The calls, one for each alternative allele, in the order of the file.
    pub variants: Vec<Variant>,
    /// For each call, whether it passed its filters: `None` where none were applied.
    pub passed: Vec<Option<bool>>,
    /// What was not carried over.
    pub notes: Vec<Note>,
    source: String,
}

impl Vcf {
    /// The calls in genes, those that failed a filter left out, as alterations.
    #[must_use]
    pub fn alterations(&self, drivers: &Drivers) -> Vec<Recorded<Alteration>> {
        let kept = self.variants.iter().zip(&self.passed).filter(|(_, passed)| **passed != Some(false));
        kept.filter_map(|(variant, _)| variant.alteration(drivers, &self.source)).collect()
    }
}

/// Reads the calls of one sample from a file, compressed or not.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], [`IoError::Truncated`] for a BGZF file without its end, and as
/// [`parse`].
pub fn read(path: impl AsRef<Path>, sample: Option<&str>, limits: &Limits) -> Result<Vcf, IoError> {
    let path = path.as_ref();
    parse(&read_text(path, limits)?, &path.to_string_lossy(), sample, limits)
}

/// Reads the calls of one sample from the text of a file named `name`. Without a `sample`, the file must hold one at most.
///
/// # Errors
/// [`IoError::Format`] without the line of the format, [`IoError::Syntax`] and [`IoError::Invalid`] with the line and the column,
/// [`IoError::Limit`].
pub fn parse(text: &str, name: &str, sample: Option<&str>, limits: &Limits) -> Result<Vcf, IoError> {
    let mut lines = Lines::new(text, Place::of(Some(Path::new(name))), limits)?;
    let format = |place: &Place| IoError::Format { place: place.clone().line(1), expected: "VCF 4" };
    let (_, first) = lines.next_line()?.ok_or_else(|| format(&lines.place))?;
    if !first.starts_with("##fileformat=VCFv4.") {
        return Err(format(&lines.place));
    }
    let source = Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    let mut vcf = Vcf { variants: Vec::new(), passed: Vec::new(), notes: Vec::new(), source };
    let mut annotation = None;
    let mut header: Option<(usize, Option<usize>)> = None;
    let mut records = 0;
    while let Some((line, content)) = lines.next_line()? {
        if let Some(meta) = content.strip_prefix("##") {
            if header.is_some() {
                return Err(lines.place.line(line).syntax("a line of the header after the first record"));
            }
            annotation = annotation.or_else(|| Annotation::declared(meta));
            continue;
        }
        if content.starts_with('#') {
            header = Some(columns(content, sample, &lines.place.clone().line(line))?);
            continue;
        }
        if content.is_empty() {
            continue;
        }
        let place = || lines.place.clone().line(line);
        let (count, column) = header.ok_or_else(|| place().syntax("a record before the line of the columns"))?;
        records += 1;
        if records > limits.max_records {
            return Err(place().over("records", limits.max_records, "max_records"));
        }
        Record::of(content, count, &place)?.variants(column, annotation.as_ref(), line, &place, &mut vcf)?;
    }
    match header {
        Some(_) => Ok(vcf),
        None => Err(lines.place.truncated("the line of the columns, `#CHROM` and so on")),
    }
}

const FIXED: [&str; 8] = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"];

/// How many columns there are, and the one of the sample.
fn columns(header: &str, sample: Option<&str>, place: &Place) -> Result<(usize, Option<usize>), IoError> {
    let names: Vec<&str> = header.split('\t').collect();
    if !names.starts_with(&FIXED) || names.get(8).is_some_and(|name| *name != "FORMAT") {
        return Err(place
            .clone()
            .syntax("the columns must be #CHROM, POS, ID, REF, ALT, QUAL, FILTER, INFO, FORMAT and the samples"));
    }
    let samples = names.get(9..).unwrap_or_default();
    let found = match (sample, samples) {
        (None, []) => None,
        (None, [_]) => Some(9),
        (None, several) => return Err(place.clone().invalid(format!("there are {} samples: name the one to read", several.len()))),
        (Some(name), _) => {
            let at = samples.iter().position(|other| *other == name);
            let missing = || place.clone().invalid(format!("the sample asked for is not among the {} there", samples.len()));
            Some(9 + at.ok_or_else(missing)?)
        }
    };
    Ok((names.len(), found))
}

/// Where an annotation keeps its parts.
struct Annotation {
    key: &'static str,
    gene: usize,
    effect: usize,
    coding: Option<usize>,
    protein: Option<usize>,
    allele: usize,
}

impl Annotation {
    /// The annotation that a line of the header declares.
    fn declared(meta: &str) -> Option<Self> {
        if meta.starts_with("INFO=<ID=ANN,") {
            // The order is fixed by the standard of ANN, version 1.0.
            return Some(Self { key: "ANN", allele: 0, effect: 1, gene: 3, coding: Some(9), protein: Some(10) });
        }
        let parts: Vec<&str> =
            meta.strip_prefix("INFO=<ID=CSQ,")?.split("Format: ").nth(1)?.trim_end_matches(['"', '>']).split('|').collect();
        let place = |name: &str| parts.iter().position(|part| *part == name);
        Some(Self {
            key: "CSQ",
            allele: place("Allele")?,
            effect: place("Consequence")?,
            gene: place("SYMBOL")?,
            coding: place("HGVSc"),
            protein: place("HGVSp"),
        })
    }
}

struct Record<'a> {
    fields: Vec<&'a str>,
    position: u64,
    alternatives: Vec<&'a str>,
}

impl<'a> Record<'a> {
    fn of(content: &'a str, count: usize, place: &impl Fn() -> Place) -> Result<Self, IoError> {
        let fields: Vec<&str> = content.split('\t').collect();
        if fields.len() != count {
            return Err(place().syntax(format!("{} fields, but the header has {count}", fields.len())));
        }
        let record = Self { position: 0, alternatives: Vec::new(), fields };
        if record.field(0).is_empty() || record.field(0).contains(char::is_whitespace) {
            return Err(place().field("CHROM").invalid("must be a name without spaces"));
        }
        let position = record.field(1).parse().map_err(|_| place().field("POS").invalid("must be a whole number"))?;
        let is_bases = |text: &str| !text.is_empty() && text.bytes().all(|base| b"ACGTNacgtn".contains(&base));
        if !is_bases(record.field(3)) {
            return Err(place().field("REF").invalid("must be bases"));
        }
        let alternatives: Vec<&str> = match record.field(4) {
            "." => Vec::new(),
            text => text.split(',').collect(),
        };
        let is_symbol = |text: &str| {
            text == "*"
                || text.starts_with('<') && text.ends_with('>')
                || text.contains(['[', ']'])
                || text.starts_with('.')
                || text.ends_with('.')
        };
        if alternatives.iter().any(|allele| !is_bases(allele) && !is_symbol(allele)) || alternatives.contains(&"") {
            return Err(place().field("ALT").invalid("must be bases, a symbol such as <DEL>, or a breakend"));
        }
        if record.field(5) != "." && record.field(5).parse::<f64>().ok().is_none_or(|quality| !quality.is_finite()) {
            return Err(place().field("QUAL").invalid("must be a finite number"));
        }
        Ok(Self { position, alternatives, ..record })
    }

    fn field(&self, index: usize) -> &'a str {
        self.fields.get(index).copied().unwrap_or_default()
    }

    /// The value of a key of the sample.
    fn sample(&self, column: Option<usize>, key: &str) -> Option<&'a str> {
        let at = self.field(8).split(':').position(|name| name == key)?;
        self.field(column?).split(':').nth(at).filter(|value| *value != ".")
    }

    fn variants(
        &self,
        column: Option<usize>,
        annotation: Option<&Annotation>,
        line: usize,
        place: &impl Fn() -> Place,
        vcf: &mut Vcf,
    ) -> Result<(), IoError> {
        let passed = match self.field(6) {
            "." => None,
            "PASS" => Some(true),
            _ => Some(false),
        };
        for (index, allele) in self.alternatives.iter().enumerate() {
            let reads = |key: &str| self.sample(column, key);
            let invalid = |key: &str| {
                place().field(key).invalid("is not what the format asks for: finite, not negative, one for each allele")
            };
            let (share, depth) = share(index, self.field(3), allele, &reads).map_err(invalid)?;
            let mut variant = Variant {
                gene: None,
                chromosome: self.field(0).to_owned(),
                position: self.position,
                reference: self.field(3).to_owned(),
                alternative: (*allele).to_owned(),
                effect: String::new(),
                coding: None,
                protein: None,
                allele_fraction: share,
                depth,
                line,
            };
            if let Some(annotation) = annotation {
                self.annotate(annotation, &mut variant, vcf);
            }
            vcf.variants.push(variant);
            vcf.passed.push(passed);
        }
        Ok(())
    }

    /// Takes gene and changes from the first annotation of the allele; with one alternative allele, from the first of all.
    fn annotate(&self, annotation: &Annotation, variant: &mut Variant, vcf: &mut Vcf) {
        let info = self.field(7).split(';').find_map(|part| part.strip_prefix(annotation.key)?.strip_prefix('='));
        let mut entries = info.into_iter().flat_map(|info| info.split(',')).map(|entry| entry.split('|').collect::<Vec<_>>());
        let is_only = self.alternatives.len() == 1;
        let of_allele = |entry: &Vec<&str>| is_only || entry.get(annotation.allele) == Some(&variant.alternative.as_str());
        let Some(entry) = entries.find(of_allele) else { return };
        let part = |index: Option<usize>| {
            index.and_then(|index| entry.get(index)).map_or("", |part| part.rsplit(':').next().unwrap_or_default())
        };
        let line = variant.line;
        let mut note = |column, what| vcf.notes.push(Note { line, column, what });
        variant.effect = part(Some(annotation.effect)).to_owned();
        let gene = part(Some(annotation.gene));
        variant.gene = if gene.is_empty() {
            None
        } else {
            GeneSymbol::new(gene).inspect_err(|_| note("INFO", "not a gene symbol: the call has no gene")).ok()
        };
        let coding = part(annotation.coding);
        variant.coding = if coding.is_empty() {
            None
        } else {
            CodingChange::new(coding).inspect_err(|_| note("INFO", "the DNA change is not HGVS")).ok()
        };
        let protein = part(annotation.protein).replace("%3D", "=");
        variant.protein = if protein.is_empty() {
            None
        } else {
            ProteinChange::new(&protein).inspect_err(|_| note("INFO", "the protein change is not HGVS")).ok()
        };
    }
}

/// Allele fraction and depth of one alternative allele, from the values of a sample.
///
/// # Errors
/// The key whose value is not what the format asks for.
fn share<'a>(
    index: usize,
    reference: &str,
    allele: &str,
    value: &impl Fn(&str) -> Option<&'a str>,
) -> Result<(Option<Proportion>, Option<u32>), &'static str> {
    let counts = |key: &'static str| -> Result<Option<Vec<u32>>, &'static str> {
        let Some(text) = value(key) else { return Ok(None) };
        if text.split(',').any(|part| part == ".") {
            return Ok(None);
        }
        text.split(',').map(|part| part.parse().map_err(|_| key)).collect::<Result<_, _>>().map(Some)
    };
    let stated = counts("DP")?.and_then(|depth| depth.first().copied());
    let proportion = |key: &'static str, share: f64| Proportion::new(share).map(Some).map_err(|_| key);
    let of_reads = |key, alternative: u32, depth: u64| -> Result<(Option<Proportion>, Option<u32>), &'static str> {
        let share = if depth == 0 { None } else { proportion(key, f64::from(alternative) / depth as f64)? };
        Ok((share, stated.or(u32::try_from(depth).ok())))
    };
    let reads = counts("AD")?;
    let depth = stated.or_else(|| u32::try_from(reads.as_ref()?.iter().map(|reads| u64::from(*reads)).sum::<u64>()).ok());
    if let Some(text) = value("AF") {
        match text.split(',').nth(index).ok_or("AF")? {
            "." => {}
            share => return Ok((proportion("AF", share.parse().map_err(|_| "AF")?)?, depth)),
        }
    }
    if let Some(text) = value("FREQ") {
        let percent: f64 = text.trim_end_matches('%').parse().map_err(|_| "FREQ")?;
        return Ok((Proportion::from_percent(percent).map(Some).map_err(|_| "FREQ")?, depth));
    }
    if let Some(reads) = reads.filter(|reads| reads.len() > 1) {
        let alternative = *reads.get(index + 1).ok_or("AD")?;
        return of_reads("AD", alternative, reads.iter().map(|reads| u64::from(*reads)).sum());
    }
    if let (Some(alternatives), Some(reference)) = (counts("AO")?, counts("RO")?) {
        let alternative = *alternatives.get(index).ok_or("AO")?;
        let total = alternatives.iter().chain(&reference).map(|reads| u64::from(*reads)).sum();
        return of_reads("AO", alternative, total);
    }
    strelka(reference, allele, &counts, &of_reads, stated)
}

type Share = Result<(Option<Proportion>, Option<u32>), &'static str>;

fn strelka(
    reference: &str,
    allele: &str,
    counts: &impl Fn(&'static str) -> Result<Option<Vec<u32>>, &'static str>,
    of_reads: &impl Fn(&'static str, u32, u64) -> Share,
    stated: Option<u32>,
) -> Share {
    let first = |key: &'static str| Ok::<_, &'static str>(counts(key)?.and_then(|tiers| tiers.first().copied()));
    let of_base = |base: &str| match base {
        "A" => first("AU"),
        "C" => first("CU"),
        "G" => first("GU"),
        "T" => first("TU"),
        _ => Ok(None),
    };
    if let (Some(other), Some(same)) = (of_base(allele)?, of_base(reference)?) {
        return of_reads("AU", other, u64::from(other) + u64::from(same));
    }
    if let (Some(other), Some(same)) = (first("TIR")?, first("TAR")?) {
        return of_reads("TIR", other, u64::from(other) + u64::from(same));
    }
    Ok((None, stated))
}
