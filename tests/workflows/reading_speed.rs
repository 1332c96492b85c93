//! How long large files take to read, beside pydicom and nibabel where they are installed:
//! `cargo test -p twin-tests --test workflows_reading_speed -- --ignored --nocapture`, with `TWIN_PYTHON` naming the interpreter.

#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use twin_io::genomics::vcf;
use twin_io::nifti::Image;
use twin_io::{Limits, dicom};

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
    bytes.extend(u16::try_from(tag >> 16).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(tag & 0xffff).unwrap().to_le_bytes());
    bytes.extend(representation.as_bytes());
    if representation == "OW" {
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(value.len() + odd).unwrap().to_le_bytes());
    } else {
        bytes.extend(u16::try_from(value.len() + odd).unwrap().to_le_bytes());
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

/// Seconds of `work`, the best of three.
fn seconds<T>(work: impl Fn() -> T) -> f64 {
    let run = || {
        let start = Instant::now();
        let _ = work();
        start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Seconds that a Python program prints, if it can run.
fn python(program: &str, path: &Path) -> Option<f64> {
    let interpreter = std::env::var("TWIN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(interpreter).arg("-c").arg(program).arg(path).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

const TIMED: &str = "
import time
best = 1e9
for _ in range(3):
    start = time.perf_counter(); work(); best = min(best, time.perf_counter() - start)
print(best)";

fn report(what: &str, ours: f64, rival: &str, theirs: Option<f64>) {
    match theirs {
        Some(theirs) => println!("{what}: ours {ours:.3} s, {rival} {theirs:.3} s, ratio {:.2}", theirs / ours),
        None => println!("{what}: ours {ours:.3} s; {rival} is not installed"),
    }
}

#[test]
#[ignore = "writes some 300 MB to the folder for temporary files"]
fn large_files() {
    let folder = std::env::temp_dir().join(format!("twin-speed-{}", std::process::id()));
    let series: PathBuf = folder.join("ct");
    std::fs::create_dir_all(&series).unwrap();
    for index in 0..200 {
        std::fs::write(series.join(format!("{index:03}.dcm")), slice(index)).unwrap();
    }
    let read = dicom::read_folder(&series, &limits()).unwrap();
    assert_eq!(read.volume.lattice().shape(), [512, 512, 200]);
    assert_eq!(read.volume.value([3, 0, 5]), Some(f64::from((3 * 31 + 35) as i16 & 0x0fff) - 1024.0));
    drop(read);
    let program = format!(
        "
import sys, os, pydicom, numpy
def work():
    files = [pydicom.dcmread(os.path.join(sys.argv[1], name)) for name in os.listdir(sys.argv[1])]
    files.sort(key=lambda file: float(file.ImagePositionPatient[2]))
    return numpy.stack([file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept) for file in files])
{TIMED}"
    );
    report("CT, 512 x 512 x 200", seconds(|| dicom::read_folder(&series, &limits())), "pydicom", python(&program, &series));

    let path = folder.join("256.nii");
    let lattice =
        twin_io::volume::Lattice::from_ras([256; 3], [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]).unwrap();
    let values = (0..256_usize.pow(3)).map(|at| ((at % 256) as f64 / 20.0).sin() + ((at / 65536) as f64 / 9.0).cos()).collect();
    let volume = twin_io::volume::Volume::new(lattice, "1".parse().unwrap(), values).unwrap();
    let zipped = path.with_extension("nii.gz");
    Image::from_volume(&volume).unwrap().write(&zipped).unwrap();
    let unit = || "1".parse().unwrap();
    assert_eq!(Image::read(&zipped, &limits()).unwrap().volume(0, unit()).unwrap(), volume);
    drop(volume);
    let program = format!(
        "
import sys, nibabel
def work(): return nibabel.load(sys.argv[1]).get_fdata()
{TIMED}"
    );
    let ours = seconds(|| Image::read(&zipped, &limits()).unwrap().volume(0, unit()));
    report("NIfTI.gz, 256^3 of 64 bits", ours, "nibabel", python(&program, &zipped));

    let path = folder.join("calls.vcf");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    file.write_all(b"##fileformat=VCFv4.2\n##contig=<ID=1>\n##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n").unwrap();
    file.write_all(b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tT\n").unwrap();
    let mut written = 0;
    let mut records = 0;
    while written < 100 << 20 {
        let line = format!(
            "1\t{}\t.\tA\tC\t50\tPASS\t.\tAD:DP\t{},{}:{}\n",
            records * 3 + 1,
            60 + records % 40,
            records % 50,
            60 + records % 40 + records % 50
        );
        written += line.len();
        records += 1;
        file.write_all(line.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    drop(file);
    assert_eq!(vcf::read(&path, None, &limits()).unwrap().variants.len(), records);
    let program = format!(
        "
import sys, pysam
def work(): return [(r.chrom, r.pos, r.ref, r.alts, r.samples[0]['AD'], r.samples[0]['DP']) for r in pysam.VariantFile(sys.argv[1])]
{TIMED}"
    );
    report(
        &format!("VCF, 100 MB, {records} records"),
        seconds(|| vcf::read(&path, None, &limits())),
        "pysam",
        python(&program, &path),
    );
    std::fs::remove_dir_all(folder).unwrap();
}
