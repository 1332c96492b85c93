#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]

use super::*;
use twin_core::{CopyNumber, ExpressionMeasure};

fn vcf(text: &str) -> Result<vcf::Vcf, IoError> {
    vcf::parse(text, "calls.vcf", None, &Limits::default())
}

fn one(format: &str, sample: &str) -> Result<(Option<f64>, Option<u32>), IoError> {
    let text = format!("{HEAD}{COLUMNS}\tFORMAT\tS\n1\t10\t.\tA\tC\t.\tPASS\t.\t{format}\t{sample}\n");
    vcf(&text).map(|calls| (calls.variants[0].allele_fraction.map(Proportion::value), calls.variants[0].depth))
}

const HEAD: &str = "##fileformat=VCFv4.2\n";
const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

#[test]
fn allele_fractions_of_six_callers() {
    for (format, sample, expected) in [
        ("GT:AF:AD:DP", "0/1:0.25:60,20:81", (Some(0.25), Some(81))), // Mutect2
        ("GT:FREQ:DP", "0/1:12.5%:40", (Some(0.125), Some(40))),      // VarScan
        ("GT:AD", "0/1:30,10", (Some(0.25), Some(40))),               // GATK
        ("GT:RO:AO:DP", "0/1:30:10:44", (Some(0.25), Some(44))),      // FreeBayes
        ("DP:AU:CU:GU:TU", "40:30,31:10,11:0,0:0,0", (Some(0.25), Some(40))), // Strelka
        ("DP:TAR:TIR", "40:30,31:10,11", (Some(0.25), Some(40))),
        ("GT", "0/1", (None, None)),
        ("GT:AD:DP", "./.:.:.", (None, None)),
    ] {
        assert_eq!(one(format, sample).unwrap(), expected, "{format}");
    }
    for (format, sample) in [("AF", "1.5"), ("AF", "NaN"), ("AD", "30,-1"), ("AD", "x,1"), ("FREQ", "101%"), ("DP", "1e9")] {
        assert!(matches!(one(format, sample), Err(IoError::Invalid { .. })), "{format} {sample}");
    }
}

#[test]
fn each_allele_of_a_record_is_a_call_with_its_own_annotation() {
    let text = format!(
        "{HEAD}##INFO=<ID=CSQ,Number=.,Type=String,Description=\"VEP. Format: Allele|Consequence|SYMBOL|HGVSc|HGVSp\">\n{COLUMNS}\tFORMAT\tS\n\
         7\t140453136\t.\tA\tT,C\t50\tPASS\tDP=9;CSQ=C|missense_variant|BRAF|ENST1:c.1799T>G|ENSP1:p.Val600Gly,T|missense_variant|BRAF|ENST1:c.1799T>A|ENSP1:p.Val600Glu\tAD\t60,30,10\n\
         1\t5\t.\tN\t<DEL>\t.\tLowQual\t.\tAD\t.\n"
    );
    let calls = vcf(&text).unwrap();
    let proteins: Vec<_> = calls.variants.iter().map(|variant| variant.protein.as_ref().map(ProteinChange::as_str)).collect();
    assert_eq!(proteins, [Some("p.Val600Glu"), Some("p.Val600Gly"), None]);
    let shares: Vec<_> = calls.variants.iter().map(|variant| variant.allele_fraction.map(Proportion::value)).collect();
    assert_eq!((shares, calls.passed.clone()), (vec![Some(0.3), Some(0.1), None], vec![Some(true), Some(true), Some(false)]));
    let alterations = calls.alterations(&Drivers::default());
    assert_eq!(alterations.len(), 2);
    assert_eq!(alterations[1].provenance, Provenance::measured("calls.vcf").at("line 4"));
}

#[test]
fn the_tumor_is_named_and_never_guessed() {
    let text = format!("{HEAD}{COLUMNS}\tFORMAT\tNORMAL\tTUMOR\n1\t10\t.\tA\tC\t.\t.\t.\tAD\t50,0\t30,10\n");
    assert!(vcf(&text).unwrap_err().to_string().ends_with("there are 2 samples: name the one to read"));
    let of = |sample| vcf::parse(&text, "x", Some(sample), &Limits::default());
    assert_eq!(of("TUMOR").unwrap().variants[0].allele_fraction.unwrap().value(), 0.25);
    let refused = of("Jane Doe").unwrap_err().to_string();
    assert!(refused.ends_with("not among the 2 there") && !refused.contains("Jane"));
}

#[test]
fn records_that_break_the_format_are_refused_with_line_and_column() {
    let record = |line: &str| vcf(&format!("{HEAD}{COLUMNS}\n{line}\n")).unwrap_err().to_string();
    for (line, said) in [
        ("1\tx\t.\tA\tC\t.\t.\t.", "line 3, field `POS`"),
        ("1\t-5\t.\tA\tC\t.\t.\t.", "line 3, field `POS`"),
        ("1\t5\t.\t\tC\t.\t.\t.", "line 3, field `REF`"),
        ("1\t5\t.\tA\tC,,G\t.\t.\t.", "line 3, field `ALT`"),
        ("1\t5\t.\tA\tU\t.\t.\t.", "line 3, field `ALT`"),
        ("1\t5\t.\tA\tC\tNaN\t.\t.", "line 3, field `QUAL`"),
        ("1\t5\t.\tA\tC\t.\t.", "line 3: 7 fields, but the header has 8"),
        ("a b\t5\t.\tA\tC\t.\t.\t.", "line 3, field `CHROM`"),
    ] {
        assert!(record(line).contains(said), "{} instead of {said}", record(line));
    }
    assert!(matches!(vcf("##fileformat=VCFv3.3\n"), Err(IoError::Format { .. })));
    assert!(matches!(vcf(HEAD), Err(IoError::Truncated { .. })));
    assert!(matches!(vcf(&format!("{HEAD}1\t5\n")), Err(IoError::Syntax { .. })));
    let long = format!("{HEAD}##{}\n", "x".repeat(70_000));
    assert!(matches!(vcf(&long), Err(IoError::Limit { raise: "max_line", .. })));
}

#[test]
fn blocked_gzip_without_its_end_is_found() {
    use std::io::Write as _;
    let mut encoder = flate2::GzBuilder::new().extra(vec![66, 67, 2, 0, 0, 0]).write(Vec::new(), flate2::Compression::default());
    encoder.write_all(format!("{HEAD}{COLUMNS}\n1\t5\t.\tA\tC\t.\t.\t.\n").as_bytes()).unwrap();
    let block = encoder.finish().unwrap();
    let path = std::env::temp_dir().join(format!("twin-io-{}-blocked.vcf.gz", std::process::id()));
    std::fs::write(&path, [&block[..], &BGZF_END].concat()).unwrap();
    assert_eq!(vcf::read(&path, None, &Limits::default()).unwrap().variants.len(), 1);
    std::fs::write(&path, &block).unwrap();
    assert!(matches!(vcf::read(&path, None, &Limits::default()), Err(IoError::Truncated { .. })));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'#'; 8 << 20]).unwrap();
    std::fs::write(&path, encoder.finish().unwrap()).unwrap();
    assert!(matches!(vcf::read(&path, None, &Limits::default()), Err(IoError::Limit { raise: "max_ratio", .. })));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn dialects_of_maf_agree() {
    let read = |header: &str, row: &str| {
        let text = format!(
            "#version 2.4\nHugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\t{header}\nTP53\tS\tMissense_Mutation\t{row}\n"
        );
        let calls = maf::parse(&text, "x.maf", &Limits::default())?;
        let variant = calls.samples[0].1[0].clone();
        Ok::<_, IoError>((variant.protein.map(String::from), variant.allele_fraction.map(Proportion::value), calls.notes.len()))
    };
    let expected = (Some("p.R175H".to_owned()), Some(0.25), 0);
    assert_eq!(read("HGVSp_Short\tt_alt_count\tt_ref_count", "p.R175H\t10\t30").unwrap(), expected);
    assert_eq!(read("protein_change\tt_alt_count\tt_depth", "p.R175H\t10\t40").unwrap(), expected);
    assert_eq!(read("amino_acid_change\ttumor_f", "p.R175H\t0.25").unwrap(), expected);
    assert_eq!(read("Protein_Change\ti_TumorVAF_WU", "p.R175H\t25").unwrap(), expected);
    assert_eq!(read("HGVSp_Short\ttumor_f", "p.-7fs\tNA").unwrap(), (None, None, 1));
    for (header, row) in [
        ("tumor_f", "25"),
        ("i_TumorVAF_WU", "101"),
        ("t_alt_count\tt_depth", "5\t4"),
        ("t_alt_count", "-1"),
        ("Start_Position", "1.5"),
    ] {
        assert!(matches!(read(header, row), Err(IoError::Invalid { .. })), "{header} {row}");
    }
    assert!(matches!(maf::parse("a\tb\n", "x", &Limits::default()), Err(IoError::MissingColumns { .. })));
}

#[test]
fn matrices_of_expression_and_copy_number() {
    let text = "Hugo_Symbol\tEntrez_Gene_Id\tS1\tS2\nTP53\t7157\t1.5\t0\nALK\t238\t9\tNA\nnot a gene\t1\t1\t1\n";
    let expression = matrix::parse_expression(text, "x", ExpressionMeasure::Tpm, &Limits::default()).unwrap();
    assert_eq!((expression.profiles.len(), expression.left_out.len()), (2, 2));
    assert_eq!(expression.profiles[0].1.value(&GeneSymbol::new("TP53").unwrap()), Some(1.5));
    let negative = text.replace("1.5", "-1.5");
    assert!(matrix::parse_expression(&negative, "x", ExpressionMeasure::Tpm, &Limits::default()).is_err());
    assert!(matrix::parse_expression(&negative, "x", ExpressionMeasure::Log2, &Limits::default()).is_ok());
    let twice = text.replace("ALK\t238\t9\tNA", "TP53\t238\t9\t8");
    assert!(
        matrix::parse_expression(&twice, "x", ExpressionMeasure::Tpm, &Limits::default())
            .unwrap_err()
            .to_string()
            .contains("there twice")
    );
    let copies =
        matrix::parse_copy_numbers("Hugo_Symbol\tS1\nERBB2\t2\nTP53\t-2\nALK\t0\nKRAS\t1\nPTEN\t-1\n", "x", &Limits::default())
            .unwrap();
    let kinds: Vec<_> = copies[0].1.iter().map(|alteration| alteration.kind.clone()).collect();
    let expected = [CopyNumber::Amplification, CopyNumber::DeepDeletion, CopyNumber::Gain, CopyNumber::Loss];
    assert_eq!(kinds, expected.map(AlterationKind::CopyNumber));
    assert!(matrix::parse_copy_numbers("Hugo_Symbol\tS1\nERBB2\t3\n", "x", &Limits::default()).is_err());
}

#[test]
fn drivers_are_found_by_change_then_by_gene() {
    let text = "gene\tprotein\tsignificance\nBRAF\tp.V600E\tdriver\nBRAF\t\tlikely_driver\nTTN\t\tpassenger\n";
    let drivers = Drivers::parse(text, "d", &Limits::default()).unwrap();
    let of = |gene: &str, protein: &str| {
        drivers.significance(&GeneSymbol::new(gene).unwrap(), ProteinChange::new(protein).ok().as_ref())
    };
    assert_eq!(
        [of("BRAF", "p.V600E"), of("BRAF", "p.G469A"), of("TTN", ""), of("ALK", "")],
        [Significance::Driver, Significance::LikelyDriver, Significance::Passenger, Significance::Unknown]
    );
    assert!(Drivers::parse(&format!("{text}TTN\t\tdriver\n"), "d", &Limits::default()).is_err());
    assert!(Drivers::parse(&text.replace("likely_driver", "maybe"), "d", &Limits::default()).is_err());
}
