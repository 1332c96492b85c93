//! Reading large files: ours beside pydicom, nibabel, pysam and cyvcf2, where an interpreter has them.

use super::{Row, duel};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use twin_io::genomics::vcf;
use twin_io::nifti::Image;
use twin_io::volume::{Lattice, Volume};
use twin_io::{Limits, dicom};

type Failure = Box<dyn std::error::Error>;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_bytes = 256 << 20;
    limits.max_voxels = 64 << 20;
    limits.max_records = 10_000_000;
    limits
}

/// An element in explicit little endian.
fn element(bytes: &mut Vec<u8>, tag: u32, representation: &str, value: &[u8]) {
    let odd = value.len() % 2;
    bytes.extend(((tag >> 16) as u16).to_le_bytes());
    bytes.extend(((tag & 0xffff) as u16).to_le_bytes());
    bytes.extend(representation.as_bytes());
    if representation == "OW" {
        bytes.extend([0, 0]);
        bytes.extend(((value.len() + odd) as u32).to_le_bytes());
    } else {
        bytes.extend(((value.len() + odd) as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes.extend(vec![if representation == "UI" { 0 } else { b' ' }; odd]);
}

fn slice(index: usize) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    element(&mut bytes, 0x0002_0010, "UI", b"1.2.840.10008.1.2.1");
    for (tag, representation, text) in [
        (0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.2".to_owned()),
        (0x0008_0060, "CS", "CT".to_owned()),
        (0x0020_000D, "UI", "1.2".to_owned()),
        (0x0020_000E, "UI", "1.2.3".to_owned()),
        (0x0020_0032, "DS", format!("-200\\-200\\{index}")),
        (0x0020_0037, "DS", "1\\0\\0\\0\\1\\0".to_owned()),
        (0x0020_0052, "UI", "1.9".to_owned()),
    ] {
        element(&mut bytes, tag, representation, text.as_bytes());
    }
    element(&mut bytes, 0x0028_0002, "US", &1_u16.to_le_bytes());
    element(&mut bytes, 0x0028_0004, "CS", b"MONOCHROME2");
    element(&mut bytes, 0x0028_0010, "US", &512_u16.to_le_bytes());
    element(&mut bytes, 0x0028_0011, "US", &512_u16.to_le_bytes());
    element(&mut bytes, 0x0028_0030, "DS", b"0.8\\0.8");
    for (tag, value) in [(0x0028_0100, 16_u16), (0x0028_0101, 16), (0x0028_0102, 15), (0x0028_0103, 1)] {
        element(&mut bytes, tag, "US", &value.to_le_bytes());
    }
    element(&mut bytes, 0x0028_1052, "DS", b"-1024");
    element(&mut bytes, 0x0028_1053, "DS", b"1");
    let pixels: Vec<u8> = (0..512 * 512_usize).flat_map(|at| ((at * 31 + index * 7) as i16 & 0x0fff).to_le_bytes()).collect();
    element(&mut bytes, 0x7fe0_0010, "OW", &pixels);
    bytes
}

/// Seconds that a Python program takes to `work`, the best of three; `None` where it cannot run.
fn python(program: &str, path: &Path) -> Option<f64> {
    const TIMED: &str = "
import time
best = 1e9
for _ in range(3):
    start = time.perf_counter(); kept = work(); best = min(best, time.perf_counter() - start); del kept
print(best)";
    let interpreter = std::env::var("TWIN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(interpreter).arg("-c").arg(format!("{program}{TIMED}")).arg(path).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn row(id: &str, what: &str, path: &Path, program: &str, mut ours: impl FnMut()) -> Row {
    let (ours_s, _) = duel(3, 1, &mut ours, &mut || {});
    let rival_s = python(program, path);
    Row { id: id.to_owned(), ours_s, rival_s, ratio: rival_s.map(|rival| rival / ours_s), what: what.to_owned() }
}

/// Races of readers, on files made for them: some 300 MB in the folder for temporary files.
///
/// # Errors
/// What keeps a file from being written or read.
pub fn rows() -> Result<Vec<Row>, Failure> {
    let folder = std::env::temp_dir().join(format!("twin-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let rows = timed(&folder);
    std::fs::remove_dir_all(&folder)?;
    rows
}

fn timed(folder: &Path) -> Result<Vec<Row>, Failure> {
    let series = series(folder)?;
    let image = image(folder)?;
    let calls = calls(folder)?;
    let lock = std::sync::Mutex::new(None);
    let keep = |result: Result<(), twin_io::IoError>| {
        if let (Err(error), Ok(mut first)) = (result, lock.lock()) {
            first.get_or_insert(error);
        }
    };
    let rows = vec![
        row(
            "io.dicom_series",
            "CT of 512 x 512 x 200 in 200 files to Hounsfield units; pydicom and numpy",
            &series,
            PYDICOM,
            || {
                keep(dicom::read_folder(&series, &limits()).map(|_| ()));
            },
        ),
        row("io.nifti_gz", "256^3 of 16 bits in gzip, scaled to 64 bits; nibabel", &image, NIBABEL, || {
            keep(Image::read(&image, &limits()).and_then(|image| image.values()).map(|_| ()));
        }),
        row("io.vcf_pysam", "100 MB of calls with depths; pysam", &calls, PYSAM, || {
            keep(vcf::read(&calls, None, &limits()).map(|_| ()));
        }),
        row("io.vcf_cyvcf2", "the same; cyvcf2", &calls, CYVCF2, || keep(vcf::read(&calls, None, &limits()).map(|_| ()))),
    ];
    match lock.into_inner() {
        Ok(None) => Ok(rows),
        Ok(Some(error)) => Err(error.into()),
        Err(_) => Err("a race was broken off".into()),
    }
}

const PYDICOM: &str = "
import sys, os, pydicom, numpy
def work():
    files = [pydicom.dcmread(os.path.join(sys.argv[1], name)) for name in os.listdir(sys.argv[1])]
    files.sort(key=lambda file: float(file.ImagePositionPatient[2]))
    return numpy.stack([file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept) for file in files])
";

const NIBABEL: &str = "
import sys, nibabel
def work(): return nibabel.load(sys.argv[1]).get_fdata()
";

const PYSAM: &str = "
import sys, pysam
def work(): return [(r.chrom, r.pos, r.ref, r.alts, r.samples[0]['AD'], r.samples[0]['DP']) for r in pysam.VariantFile(sys.argv[1])]
";

const CYVCF2: &str = "
import sys, cyvcf2
def work(): return [(r.CHROM, r.POS, r.REF, r.ALT, r.gt_ref_depths[0], r.gt_alt_depths[0], r.gt_depths[0]) for r in cyvcf2.VCF(sys.argv[1])]
";

fn series(folder: &Path) -> Result<PathBuf, Failure> {
    let series = folder.join("ct");
    std::fs::create_dir_all(&series)?;
    for index in 0..200 {
        std::fs::write(series.join(format!("{index:03}.dcm")), slice(index))?;
    }
    let read = dicom::read_folder(&series, &limits())?;
    let expected = f64::from((3 * 31 + 35) as i16 & 0x0fff) - 1024.0;
    if read.volume.lattice().shape() != [512, 512, 200] || read.volume.value([3, 0, 5]) != Some(expected) {
        return Err("the series is not read as it was written".into());
    }
    Ok(series)
}

fn image(folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("256.nii.gz");
    let ras = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    let value = |at: usize| {
        (100.0 * ((at % 256) as f64 / 20.0).sin() + 90.0 * ((at / 65536) as f64 / 9.0).cos() + (at * 7919 % 61) as f64).round()
    };
    let volume = Volume::new(Lattice::from_ras([256; 3], ras)?, "1".parse()?, (0..256_usize.pow(3)).map(value).collect())?;
    let mut bytes = Image::from_volume(&volume)?.to_bytes();
    // The writer keeps numbers of 64 bits; scanners give 16.
    let (header, values) = bytes.split_at_mut(544); // NIfTI-2
    let short: Vec<u8> = values
        .chunks_exact(8)
        .flat_map(|value| (f64::from_le_bytes(value.try_into().unwrap_or_default()) as i16).to_le_bytes())
        .collect();
    header[12..16].copy_from_slice(&[4, 0, 16, 0]);
    header[176..184].copy_from_slice(&0.5_f64.to_le_bytes());
    let mut file = flate2::write::GzEncoder::new(std::fs::File::create(&path)?, flate2::Compression::default());
    file.write_all(header)?;
    file.write_all(&short)?;
    file.finish()?;
    let read = Image::read(&path, &limits())?.values()?;
    if read.len() != 256_usize.pow(3) || read.get(12345) != Some(&(0.5 * value(12345))) {
        return Err("the image is not read as it was written".into());
    }
    Ok(path)
}

fn calls(folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("calls.vcf");
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    file.write_all(b"##fileformat=VCFv4.2\n##contig=<ID=1>\n##FILTER=<ID=PASS,Description=\"All\">\n")?;
    file.write_all(
        b"##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n",
    )?;
    file.write_all(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tT\n")?;
    let (mut written, mut records) = (0, 0);
    while written < 100 << 20 {
        let (reference, other) = (60 + records % 40, records % 50);
        let line = format!("1\t{}\t.\tA\tC\t50\tPASS\t.\tAD:DP\t{reference},{other}:{}\n", records * 3 + 1, reference + other);
        written += line.len();
        records += 1;
        file.write_all(line.as_bytes())?;
    }
    file.flush()?;
    drop(file);
    if vcf::read(&path, None, &limits())?.variants.len() != records {
        return Err("the calls are not read as they were written".into());
    }
    Ok(path)
}
