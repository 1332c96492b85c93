//! What the rows of the table rest on: the publications, certified references, programs and data that their sources name.
//!
//! A row says in its `source`, in words, where its number stands and how it was come by. This catalogue finds the references in those
//! words (or by the row's id where the words name none), so that rows and references are counted by the program. Links are those of
//! the specifications of the models; a reference without one is cited by journal and page.

use super::Claim;

/// What kind of thing a reference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An article or a book: the number, the formula or the parameters stand there.
    Publication,
    /// A reference with certified or agreed answers.
    Benchmark,
    /// Another program that computed the number.
    Program,
    /// Measurements on patients or animals.
    Data,
    /// A closed form, a quadrature or an exact enumeration.
    Mathematics,
    /// A bar that this project set itself, or a value that is recalled without its publication.
    Project,
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 6] = [Self::Publication, Self::Benchmark, Self::Program, Self::Data, Self::Mathematics, Self::Project];

    /// The kind in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::Benchmark => "benchmark",
            Self::Program => "program",
            Self::Data => "data",
            Self::Mathematics => "mathematics",
            Self::Project => "of this project",
        }
    }

    /// Whether it comes from outside this project; mathematics belongs to nobody, and does not count as a source.
    #[must_use]
    pub fn is_outside(self) -> bool {
        !matches!(self, Self::Mathematics | Self::Project)
    }
}

/// Something that rows rest on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its short name, for example `Strobl 2021`.
    pub name: String,
    /// Where it stands: journal and page, publisher, or place of the program.
    pub citation: String,
    /// Its DOI, arXiv number or address; empty where none was confirmed.
    pub link: String,
}

/// An entry of the catalogue: kind, name, citation, link, words in a row's source that name it, beginnings of ids that rest on it.
type Entry = (Kind, &'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

use Kind::{Benchmark, Data, Mathematics, Program, Project, Publication};

#[rustfmt::skip]
const CATALOGUE: &[Entry] = &[
    (Publication, "Ablowitz and Zeppetella 1979", "Bull Math Biol 41:835", "", &["Ablowitz"], &[]),
    (Publication, "Avanzini 2020", "Sci Adv 6:eabc4308", "doi:10.1126/sciadv.abc4308", &["Avanzini"], &[]),
    (Publication, "Bajaj 2017", "CPT Pharmacometrics Syst Pharmacol 6:58", "doi:10.1002/psp4.12143", &["Bajaj"], &[]),
    (Publication, "Benzekry 2014", "PLoS Comput Biol 10:e1003800", "doi:10.1371/journal.pcbi.1003800", &["Benzekry"], &[]),
    (Publication, "Betts 2010", "Practical Methods for Optimal Control and Estimation, SIAM", "", &["Betts"], &[]),
    (Publication, "Bramson 1983", "Mem Am Math Soc 44:285", "", &["Bramson"], &[]),
    (Publication, "Bueno 2008", "European Journal of Cancer 44:142", "", &["Bueno"], &[]),
    (Publication, "Burman 1991", "Int J Radiat Oncol Biol Phys 21:123", "", &["Burman"], &["toxicity.lung_burman", "toxicity.brain_burman", "toxicity.spinal_cord_burman"]),
    (Publication, "Brady-Nicholls 2020", "Nat Commun 11:1750", "doi:10.1038/s41467-020-15424-4", &["Brady-Nicholls"], &[]),
    (Publication, "Calvert 1989", "J Clin Oncol 7:1748", "doi:10.1200/JCO.1989.7.11.1748", &["Calvert"], &[]),
    (Publication, "Chaudhuri 2023", "Front Artif Intell 6:1222612", "doi:10.3389/frai.2023.1222612", &["Chaudhuri"], &[]),
    (Publication, "Claret 2014", "Clin Pharmacol Ther 95:446", "doi:10.1038/clpt.2014.11", &["Claret"], &[]),
    (Publication, "cisplatin and renal function", "long-term effect; the row does not name the article", "", &["long-term effect of cisplatin"], &[]),
    (Publication, "Cockcroft and Gault 1976", "Nephron 16:31", "doi:10.1159/000180580", &["Cockcroft"], &["kinetics.cockcroft"]),
    (Publication, "Dale 1985", "Br J Radiol 58:515", "", &["Dale 1985"], &[]),
    (Publication, "de Pillis 2005", "Cancer Res 65:7950", "doi:10.1158/0008-5472.CAN-05-0564", &["de Pillis"], &[]),
    (Publication, "Deb, Thiele, Laumanns and Zitzler 2005 (DTLZ)", "Scalable test problems for evolutionary multiobjective optimization", "", &["Laumanns"], &[]),
    (Publication, "Desmée 2015", "AAPS J 17:691", "doi:10.1208/s12248-015-9745-5", &["Desmée"], &[]),
    (Publication, "DICOM PS3.15", "annex E, profiles of de-identification", "", &["DICOM PS3.15"], &[]),
    (Publication, "Dijkema 2010", "Int J Radiat Oncol Biol Phys 78:449", "", &["Dijkema"], &["toxicity.parotid_dijkema"]),
    (Publication, "Du Bois 1916", "Arch Intern Med 17:863", "doi:10.1001/archinte.1916.00080130010002", &["Du Bois"], &["kinetics.body_surface_du_bois"]),
    (Publication, "Eisenhauer 2009 (RECIST 1.1)", "Eur J Cancer 45:228", "doi:10.1016/j.ejca.2008.10.026", &["Eisenhauer"], &[]),
    (Publication, "Eschrich 2009", "Int J Radiat Oncol Biol Phys 75:489", "doi:10.1016/j.ijrobp.2009.06.014", &["Eschrich"], &[]),
    (Publication, "Fowler 1989", "Br J Radiol 62:679", "doi:10.1259/0007-1285-62-740-679", &["linear-quadratic", "BED less"], &[]),
    (Publication, "Freireich 1963", "Blood 21:699", "", &["Freireich"], &[]),
    (Publication, "Gallagher 2024", "Cancer Res 84:1929", "", &["Gallagher"], &[]),
    (Publication, "Hahnfeldt 1999", "Cancer Res 59:4770", "", &["Hahnfeldt"], &[]),
    (Publication, "Hansson 2013", "CPT Pharmacometrics Syst Pharmacol 2:e85", "doi:10.1038/psp.2013.62", &["Hansson"], &[]),
    (Publication, "Hegi 2005", "N Engl J Med 352:997", "doi:10.1056/NEJMoa043331", &["Hegi 2005"], &[]),
    (Publication, "Iwasa, Nowak and Michor 2006", "Genetics 172:2557", "doi:10.1534/genetics.105.049791", &["Iwasa", "1 - exp(-M u F)"], &[]),
    (Publication, "Hori and Gambhir 2011", "Sci Transl Med 3:109ra116", "doi:10.1126/scitranslmed.3003110", &["Hori and Gambhir"], &[]),
    (Publication, "Ishigami and Homma 1990", "the function of a test of sensitivity", "", &["Ishigami"], &[]),
    (Publication, "Jaaskelainen 1985", "growth of meningiomas after resection, as reviewed", "", &["Jaaskelainen"], &[]),
    (Publication, "Jen 2000", "Pharm Res 17:1284", "", &["Jen 2000"], &[]),
    (Publication, "Jennison and Turnbull 2000", "Group Sequential Methods with Applications to Clinical Trials, Chapman and Hall", "", &["Jennison"], &[]),
    (Publication, "Jeong 2017", "Clin Cancer Res", "", &["Jeong 2017"], &[]),
    (Publication, "Kirkpatrick 2010 (QUANTEC)", "Int J Radiat Oncol Biol Phys 76(3 Suppl):S42", "", &["Kirkpatrick"], &["toxicity.spinal_cord_quantec"]),
    (Publication, "Kloft 2006", "as in DDMODEL00000224", "", &["Kloft 2006"], &[]),
    (Publication, "Kostelich 2011", "Biol Direct 6:64", "doi:10.1186/1745-6150-6-64", &["Kostelich"], &[]),
    (Publication, "Kuznetsov 1994", "Bull Math Biol 56:295", "doi:10.1007/BF02460644", &["Kuznetsov"], &["certified.kuznetsov"]),
    (Publication, "Lan and DeMets 1983", "Biometrika 70:659", "doi:10.1093/biomet/70.3.659", &["DeMets"], &[]),
    (Publication, "Lea and Catcheside 1942", "J Genet 44:216", "doi:10.1007/BF02982830", &["Catcheside"], &[]),
    (Publication, "Ledzewicz and Schättler 2008", "J Theor Biol 252:295", "doi:10.1016/j.jtbi.2008.02.014", &["Ledzewicz"], &[]),
    (Publication, "Liu and Yuan 2015", "J R Stat Soc C 64:507", "doi:10.1111/rssc.12089", &["Liu and Yuan"], &[]),
    (Publication, "Marks 2010 (QUANTEC)", "Int J Radiat Oncol Biol Phys 76(3 Suppl):S70", "", &["Marks"], &["toxicity.lung_marks", "toxicity.lung_spread", "toxicity.lung_rows_disagree"]),
    (Publication, "Mazzocco 2015", "CPT Pharmacometrics Syst Pharmacol 4:728", "doi:10.1002/psp4.54", &["Mazzocco"], &[]),
    (Publication, "meta-analysis in Acta Radiologica 2018", "uptake and proliferation", "doi:10.1177/0284185117706609", &["Acta Radiologica"], &[]),
    (Publication, "MGMT in orthotopic xenografts 2009", "J Neurooncol 92:23", "", &["J Neurooncol 2009"], &[]),
    (Publication, "pooled analysis of MGMT methylation 2020", "survival under radiotherapy and temozolomide", "", &["pooled analysis of 2020"], &[]),
    (Publication, "Michalski 2010 (QUANTEC)", "Int J Radiat Oncol Biol Phys 76(3 Suppl):S123", "", &["Michalski"], &["toxicity.rectum"]),
    (Publication, "Moehler 2021", "J Clin Oncol 39:966", "doi:10.1200/JCO.20.00892", &["Moehler 2021"], &[]),
    (Publication, "Mosteller 1987", "N Engl J Med 317:1098", "doi:10.1056/NEJM198710223171717", &["Mosteller"], &["kinetics.body_surface_mosteller"]),
    (Publication, "Norton and Simon 1977", "Cancer Treat Rep 61:1307", "", &["Norton"], &[]),
    (Publication, "Ostermann 2004", "Clin Cancer Res 10:3728", "doi:10.1158/1078-0432.CCR-03-0807", &["Ostermann"], &[]),
    (Publication, "Pan 2010 (QUANTEC)", "Int J Radiat Oncol Biol Phys 76(3 Suppl):S94", "", &["Pan 2010"], &["toxicity.liver_pan"]),
    (Publication, "Prokopiou 2015", "Radiat Oncol 10:159", "doi:10.1186/s13014-015-0465-x", &["Prokopiou"], &[]),
    (Publication, "QUANTEC 2010", "Int J Radiat Oncol Biol Phys 76(3 Suppl): summary of doses and outcomes", "", &["QUANTEC summary"], &[]),
    (Publication, "Scher 2016 (PCWG3)", "J Clin Oncol 34:1402", "doi:10.1200/JCO.2015.64.2702", &["Scher 2016"], &[]),
    (Publication, "Schindler 2016", "as in the public model file of sunitinib in gastrointestinal stromal tumor", "", &["Schindler"], &[]),
    (Publication, "Schoenfeld 1981", "Biometrika 68:316", "doi:10.1093/biomet/68.1.316", &["Schoenfeld"], &[]),
    (Publication, "Scott 2017", "Lancet Oncol 18:202", "doi:10.1016/S1470-2045(16)30648-9", &["Scott 2017"], &[]),
    (Publication, "Scott 2021", "Lancet Oncol 22:1221", "doi:10.1016/S1470-2045(21)00347-8", &["Scott 2021"], &[]),
    (Publication, "Semenenko and Li 2008", "Phys Med Biol 53:737", "", &["Semenenko"], &["toxicity.lung_semenenko", "toxicity.lung_spread", "toxicity.lung_rows_disagree"]),
    (Publication, "Seymour 2017 (iRECIST)", "Lancet Oncol 18:e143", "doi:10.1016/S1470-2045(17)30074-8", &["Seymour 2017"], &[]),
    (Publication, "Simeoni 2004", "Cancer Res 64:1094", "doi:10.1158/0008-5472.CAN-03-2524", &["Simeoni"], &[]),
    (Publication, "Simon 1989", "Control Clin Trials 10:1", "doi:10.1016/0197-2456(89)90015-9", &["Simon 1989"], &[]),
    (Publication, "Sobol 1993", "the g function of a test of sensitivity", "", &["Sobol 1993"], &[]),
    (Publication, "Stein and Fojo 2011", "Clin Cancer Res 17:907", "doi:10.1158/1078-0432.CCR-10-1762", &["Stein"], &[]),
    (Publication, "Storer 1989", "Biometrics 45:925", "doi:10.2307/2531693", &["3+3 design"], &[]),
    (Publication, "Strobl 2021", "Cancer Res 81:1135", "doi:10.1158/0008-5472.CAN-20-0806", &["Strobl"], &[]),
    (Publication, "Stupp 2009", "Lancet Oncol 10:459", "doi:10.1016/S1470-2045(09)70025-7", &["Stupp 2009"], &[]),
    (Publication, "Swain 2003", "Cancer 97:2869", "doi:10.1002/cncr.11407", &["Swain et al. 2003, doi"], &[]),
    (Publication, "Talts 2018", "Validating Bayesian inference algorithms with simulation-based calibration", "arXiv:1804.06788", &["Talts"], &[]),
    (Publication, "Terranova 2022", "CPT Pharmacometrics Syst Pharmacol 11:333", "doi:10.1002/psp4.12754", &["Terranova 2022"], &[]),
    (Publication, "Thames 1985", "Int J Radiat Biol 47:319", "", &["Thames"], &[]),
    (Publication, "Wen 2010 (RANO)", "J Clin Oncol 28:1963", "doi:10.1200/JCO.2009.26.3541", &["Wen 2010"], &[]),
    (Publication, "Von Hoff 1979", "Ann Intern Med 91:710", "", &["Von Hoff"], &[]),
    (Publication, "Wouters and Brown 1997", "Radiat Res 147:541", "", &["Wouters"], &[]),
    (Publication, "Wu 2025", "npj Digit Med 8:195", "", &["Wu 2025"], &[]),
    (Publication, "Zecchin 2016", "Br J Clin Pharmacol 82:717", "", &["Zecchin"], &[]),
    (Publication, "Zhang 2017 (breast)", "Med Sci Monit 23", "doi:10.12659/MSM.901566", &["MSM.901566"], &[]),
    (Publication, "Zhang 2017", "Nat Commun 8:1816", "doi:10.1038/s41467-017-01968-5", &["Zhang 2017"], &[]),
    (Publication, "Zitzler, Deb and Thiele 2000 (ZDT)", "Evol Comput 8:173", "", &["Zitzler, Deb and Thiele"], &[]),
    (Publication, "HIPAA Safe Harbor", "45 CFR 164.514(b)(2)", "", &["HIPAA"], &[]),
    (Benchmark, "DDMODEL00000186", "repository of the Drug Disease Model Resources, paclitaxel and leukocytes", "", &["DDMODEL00000186"], &[]),
    (Benchmark, "NIST Statistical Reference Datasets", "nonlinear regression, certified to 11 digits", "https://www.itl.nist.gov/div898/strd/", &["NIST"], &[]),
    (Benchmark, "posteriordb", "Magnusson et al., reference draws of posteriors", "https://github.com/stan-dev/posteriordb", &["posteriordb"], &[]),
    (Benchmark, "SBML Test Suite 3.3.0", "semantic cases, with the suite's own tolerances", "", &["SBML Test Suite"], &[]),
    (Benchmark, "Test Set for IVP Solvers", "Bari and CWI", "", &["Test Set for IVP"], &[]),
    (Benchmark, "UCUM functional tests", "Unified Code for Units of Measure", "https://ucum.org", &["UCUM"], &[]),
    (Program, "cmprsk 2.2.11", "R package, competing risks", "", &["cmprsk"], &[]),
    (Program, "highdicom 0.28.2", "Python package", "", &["highdicom"], &[]),
    (Program, "nibabel 5.4", "Python package", "", &["nibabel"], &[]),
    (Program, "pydicom 3.0.2", "Python package", "", &["pydicom"], &[]),
    (Program, "scikit-survival 0.28", "Python package", "", &["scikit-survival"], &[]),
    (Program, "SciPy", "Python package; DOP853 and LSODA at tight tolerances", "", &["SciPy"], &[]),
    (Program, "SimpleITK 2.5", "Python package", "", &["SimpleITK"], &[]),
    (Program, "survival 3.5.3", "R package", "", &["R survival"], &[]),
    (Program, "TumorTwin", "fields computed with the program and written down", "", &["tumortwin"], &[]),
    (Data, "Boeckmann, Sheiner and Beal 1994", "NONMEM Users Guide part V: theophylline, 12 subjects", "", &["Boeckmann"], &[]),
    (Data, "Bruchovsky 2006", "Cancer 107:389; PSA of 37 patients", "doi:10.1002/cncr.21989", &["Bruchovsky"], &[]),
    (Data, "Ghaffari Laleh 2022", "PLoS Comput Biol 18:e1009822; target lesions of five trials", "doi:10.1371/journal.pcbi.1009822", &["Ghaffari Laleh", "313 patients"], &[]),
    (Data, "Brain-Tumor-Progression 2018", "Schmainda and Prah, TCIA; masks of four patients at two dates", "doi:10.7937/K9/TCIA.2018.15quzvnb", &["glioblastoma_masks"], &[]),
    (Data, "Kardaun 1983", "Stat Neerl 37:103; 90 laryngeal cancers", "", &[], &["survival.larynx"]),
    (Data, "Loprinzi 1994", "J Clin Oncol 12:601; 228 lung cancers of NCCTG", "", &[], &["survival.ncctg", "survival.lung"]),
    (Data, "Moertel 1990", "N Engl J Med 322:352; 929 colon cancers", "", &[], &["survival.colon"]),
    (Data, "Royston and Altman 2013", "BMC Med Res Methodol 13:33; 2982 breast cancers of Rotterdam", "", &[], &["survival.rotterdam"]),
    (Data, "T790M by digital PCR", "109 samples before treatment", "", &["digital PCR of 109"], &[]),
    (Data, "TCGA 2013", "N Engl J Med 368:2059; 200 acute myeloid leukemias", "doi:10.1056/NEJMoa1301689", &["TCGA"], &[]),
    (Data, "Zhang 2022", "eLife 11:e76284; PSA of 32 patients under abiraterone", "doi:10.7554/eLife.76284", &["Zhang 2022"], &[]),
    (Mathematics, "computed from a formula", "closed forms, quadrature, exact enumeration or series, without a publication of its own", "", &[
        "closed form", "quadrature", "ln 2 / a", "Gauss-Legendre", "exact solution", "linear map", "Taylor series", "exact binomial",
    ], &[]),
    (Project, "pooled lung data", "recalled; the publication is not known", "", &[], &["toxicity.lung_pooled"]),
    (Project, "a bar of this project", "set here, not published elsewhere", "", &["bar of this project", "bars of this project", "no datum", "the truth that made the data"], &[]),
];

/// The references that a row rests on, in the order of the catalogue; a row whose source names none of it, but an author and a year, is
/// given that, and one that names neither is given nothing.
#[must_use]
pub fn references(claim: &Claim) -> Vec<Reference> {
    let names = |words: &[&str]| words.iter().any(|word| claim.source.contains(word));
    let begins = |ids: &[&str]| ids.iter().any(|id| claim.id.starts_with(id));
    let found = CATALOGUE.iter().filter(|(.., words, ids)| names(words) || begins(ids));
    let mut found: Vec<Reference> = found.map(|&(kind, name, citation, link, ..)| of(kind, name, citation, link)).collect();
    // A formula that has an author is counted by its author.
    if found.iter().any(|reference| reference.kind != Mathematics) {
        found.retain(|reference| reference.kind != Mathematics);
    }
    if found.is_empty() {
        found.extend(author_and_year(claim.source).map(|name| of(Publication, name, "", link(claim.source))));
    }
    found
}

fn of(kind: Kind, name: &str, citation: &str, link: &str) -> Reference {
    Reference { kind, name: name.to_owned(), citation: citation.to_owned(), link: link.to_owned() }
}

/// The first year of `source` and the words before it, back to a mark of punctuation.
fn author_and_year(source: &str) -> Option<&str> {
    source.split(|c| ";,:()".contains(c)).map(str::trim).find_map(|part| {
        let year = |word: &str| word.len() == 4 && word.starts_with(['1', '2']) && word.chars().all(|c| c.is_ascii_digit());
        let mut end = 0;
        for word in part.split_inclusive(' ') {
            end += word.len();
            if year(word.trim()) && part.starts_with(char::is_uppercase) && end > 5 {
                return part.get(..end).map(str::trim);
            }
        }
        None
    })
}

/// The first DOI or arXiv number of `source`.
fn link(source: &str) -> &str {
    let marked = |word: &&str| word.starts_with("doi:") || word.starts_with("arXiv:");
    source.split([' ', ';', ',']).find(marked).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_outside_the_catalogue_is_named_by_author_and_year() {
        let row = |source| Claim::quick("some.row", "something", source, (0.0, 0.0), || Ok(0.0));
        let found = references(&row("Nobody et al. 1871, doi:10.1/x, table 2"));
        assert_eq!((found[0].name.as_str(), found[0].link.as_str()), ("Nobody et al. 1871", "doi:10.1/x"));
        assert!(references(&row("found somewhere")).is_empty());
        assert!(references(&row("year 1871 alone in a sentence")).is_empty());
    }

    #[test]
    fn a_formula_with_an_author_counts_as_its_author() {
        let row = Claim::quick("some.row", "", "Schoenfeld 1981, doi:10.1093/biomet/68.1.316; closed form", (0.0, 0.0), || Ok(0.0));
        let kinds: Vec<_> = references(&row).iter().map(|reference| reference.kind).collect();
        assert_eq!(kinds, [Publication]);
    }
}
