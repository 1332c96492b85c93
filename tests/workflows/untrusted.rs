//! Files of strangers, read in a process of its own.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use twin_io::IoError;
use twin_io::child::{Cap, run};
use twin_io::nifti::Image;
use twin_io::volume::{Lattice, Volume};

struct File(PathBuf);

impl File {
    fn of(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("twin-untrusted-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    /// What the child says of it.
    fn read(&self) -> Result<Vec<u8>, IoError> {
        let cap = Cap { max_memory: 256 << 20, ..Cap::default() };
        run(&mut Command::new(env!("CARGO_BIN_EXE_untrusted")), self.0.to_str().unwrap().as_bytes(), &cap)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const HEAD: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

#[test]
fn a_sound_file_is_read() {
    let file = File::of("sound.vcf", format!("{HEAD}1\t5\t.\tA\tC\t.\tPASS\t.\n").as_bytes());
    assert_eq!(file.read().unwrap(), b"1");
}

#[test]
fn what_the_reader_finds_is_reported() {
    let file = File::of("damaged.vcf", format!("{HEAD}1\tSECRET\t.\tA\tC\t.\tPASS\t.\n").as_bytes());
    let error = file.read().unwrap_err();
    assert!(
        matches!(&error, IoError::Reported { message } if message.contains("line 3") && !message.contains("SECRET")),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_bomb_that_a_reader_notices_is_reported() {
    // 16 KiB that become 16 MiB, 256 times: 4 GiB out of 4 MiB.
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&vec![b'A'; 16 << 20]).unwrap();
    let bomb = File::of("bomb.vcf.gz", &member.finish().unwrap().repeat(256));
    let start = Instant::now();
    let error = bomb.read().unwrap_err();
    assert!(matches!(&error, IoError::Reported { message } if message.contains("more than there is memory for")), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[cfg(target_os = "linux")]
#[test]
fn a_bomb_ends_the_child_and_not_the_parent() {
    // An image of 60 MiB in 60 KiB, whose numbers take 480 MiB.
    let lattice = Lattice::from_ras([1; 3], [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]).unwrap();
    let volume = Volume::new(lattice, "1".parse().unwrap(), vec![0.0]).unwrap();
    let mut header = Image::from_volume(&volume).unwrap().to_bytes();
    // The header of NIfTI-2: type and bits of a voxel, and the sizes along three axes.
    header.truncate(544);
    for (at, size) in [(12, 2_u16), (14, 8), (24, 1024), (32, 1024), (40, 60)] {
        header[at..at + 2].copy_from_slice(&size.to_le_bytes());
    }
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    file.write_all(&header).unwrap();
    file.write_all(&vec![0; 60 << 20]).unwrap();
    let bomb = File::of("bomb.nii.gz", &file.finish().unwrap());
    let start = Instant::now();
    let error = bomb.read().unwrap_err();
    assert!(matches!(&error, IoError::Child { max_memory, .. } if *max_memory == 256 << 20), "{error}");
    assert!(error.to_string().contains("raise the cap"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}
