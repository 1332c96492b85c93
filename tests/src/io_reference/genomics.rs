//! MAF of acute myeloid leukemia: counts made with awk from the file, not with this library.

use super::Tally;
use std::path::Path;
use twin_core::{GeneSymbol, Proportion};
use twin_io::genomics::{Variant, maf};
use twin_io::{IoError, Limits};

/// For each gene the samples with a call that is not silent and lies in an exon or at a splice site. Published for the same file in
/// the vignette of maftools (`getGeneSummary`), but for what it counts as silent.
const SAMPLES: [(&str, usize); 6] = [("FLT3", 52), ("DNMT3A", 48), ("NPM1", 33), ("IDH2", 20), ("IDH1", 18), ("TP53", 15)];

/// Holds the file in `folder` against the counts.
///
/// # Errors
/// If the file cannot be read.
pub fn tally(folder: &Path) -> Result<Tally, IoError> {
    let mut tally = Tally::default();
    let calls = maf::read(folder.join("tcga_laml.maf.gz"), &Limits::default())?;
    tally.same("samples", &calls.samples.len(), &193);
    tally.same("calls", &calls.variants(), &2207);
    let with = |fraction: bool| {
        calls
            .samples
            .iter()
            .flat_map(|(_, variants)| variants)
            .filter(|variant| variant.allele_fraction.is_some() == fraction)
            .count()
    };
    tally.same("calls without an allele fraction", &with(false), &93);
    let all = calls
        .samples
        .iter()
        .flat_map(|(_, variants)| variants)
        .filter_map(|variant| variant.allele_fraction.map(Proportion::value));
    tally.same("calls with an allele fraction of zero", &all.filter(|fraction| *fraction <= 0.0).count(), &22);
    for (gene, expected) in SAMPLES {
        let changes = |variant: &Variant| {
            variant.gene.as_ref().map(GeneSymbol::as_str) == Some(gene) && !SILENT.contains(&variant.effect.as_str())
        };
        let ours = calls.samples.iter().filter(|(_, variants)| variants.iter().any(changes)).count();
        tally.same(&format!("samples with {gene}"), &ours, &expected);
    }
    Ok(tally)
}

const SILENT: [&str; 5] = ["Silent", "Intron", "IGR", "RNA", "5'Flank"];
