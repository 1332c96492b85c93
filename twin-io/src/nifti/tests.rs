#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]

use super::*;
use crate::volume::Mask;
use proptest::prelude::*;

/// A file of `shape` in either version and byte order, with the sform `2 3 4` on its diagonal and `data` as given.
fn file(second: bool, big: bool, kind: Kind, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let layout = Layout { second, big };
    let mut bytes = vec![0; layout.length() + 4];
    let offset = bytes.len();
    layout.put(&mut bytes, 0, &i32::try_from(layout.length()).unwrap().to_le_bytes());
    let (magic, at): (&[u8], usize) = if second { (b"n+2\0\r\n\x1a\n", 4) } else { (b"n+1\0", 344) };
    bytes[at..at + magic.len()].copy_from_slice(magic);
    let code = Kind::CODES.iter().find(|entry| entry.1 == kind).unwrap().0 as i16;
    layout.put(&mut bytes, layout.at("datatype"), &code.to_le_bytes());
    layout.put(&mut bytes, layout.at("bitpix"), &(8 * kind.bytes() as i16).to_le_bytes());
    for (index, size) in std::iter::once(&shape.len()).chain(shape).enumerate() {
        match second {
            true => layout.put(&mut bytes, layout.at("dim") + 8 * index, &(*size as i64).to_le_bytes()),
            false => layout.put(&mut bytes, layout.at("dim") + 2 * index, &(*size as i16).to_le_bytes()),
        }
        layout.put_float(&mut bytes, "pixdim", index, 1.0);
    }
    match second {
        true => layout.put(&mut bytes, layout.at("vox_offset"), &(offset as i64).to_le_bytes()),
        false => layout.put_float(&mut bytes, "vox_offset", 0, offset as f64),
    }
    bytes[layout.at("xyzt_units") + if second && big { 3 } else { 0 }] = 2;
    set_code(&mut bytes, layout, "sform_code", 1);
    for (index, value) in [(0, 2.0), (5, 3.0), (10, 4.0)] {
        layout.put_float(&mut bytes, "srow", index, value);
    }
    bytes.extend(data);
    bytes
}

fn set_code(bytes: &mut [u8], layout: Layout, field: &str, code: i16) {
    match layout.second {
        true => layout.put(bytes, layout.at(field), &i32::from(code).to_le_bytes()),
        false => layout.put(bytes, layout.at(field), &code.to_le_bytes()),
    }
}

fn parse(bytes: &[u8]) -> Result<Image, IoError> {
    Image::parse(bytes, "x.nii", &Limits::default())
}

fn message(bytes: &[u8]) -> String {
    parse(bytes).unwrap_err().to_string()
}

const LITTLE: Layout = Layout { second: false, big: false };

fn small() -> Vec<u8> {
    file(false, false, Kind::I16, &[2, 1, 1], &[1, 0, 0xff, 0xff])
}

#[test]
fn every_type_in_both_versions_and_byte_orders() {
    type Case<'a> = (Kind, [&'a [u8]; 2], [f64; 2]);
    let cases: [Case<'_>; 10] = [
        (Kind::U8, [&[7], &[255]], [7.0, 255.0]),
        (Kind::I8, [&[7], &[255]], [7.0, -1.0]),
        (Kind::U16, [&[1, 2], &[255, 255]], [513.0, 65535.0]),
        (Kind::I16, [&[1, 2], &[255, 255]], [513.0, -1.0]),
        (Kind::U32, [&[0, 0, 1, 0], &[255; 4]], [65536.0, 4_294_967_295.0]),
        (Kind::I32, [&[0, 0, 1, 0], &[255; 4]], [65536.0, -1.0]),
        (Kind::F32, [&1.5_f32.to_le_bytes(), &f32::MAX.to_le_bytes()], [1.5, f64::from(f32::MAX)]),
        (Kind::F64, [&1.5_f64.to_le_bytes(), &f64::MIN.to_le_bytes()], [1.5, f64::MIN]),
        (Kind::U64, [&9_u64.to_le_bytes(), &(1_u64 << 53).to_le_bytes()], [9.0, 9_007_199_254_740_992.0]),
        (Kind::I64, [&9_i64.to_le_bytes(), &(-1_i64).to_le_bytes()], [9.0, -1.0]),
    ];
    for (kind, numbers, expected) in cases {
        for (second, big) in [(false, false), (false, true), (true, false), (true, true)] {
            let ordered = |number: &[u8]| if big { number.iter().rev().copied().collect() } else { number.to_vec() };
            let data: Vec<u8> = numbers.iter().flat_map(|number| ordered(number)).collect();
            let bytes = file(second, big, kind, &[2, 1, 1], &data);
            let image = parse(&bytes).unwrap();
            assert_eq!((image.kind(), image.values().unwrap()), (kind, expected.to_vec()), "{second} {big}");
            assert_eq!(image.affine_ras().unwrap()[1], [0.0, 3.0, 0.0, 0.0]);
            assert_eq!((image.to_bytes(), image.notes()), (bytes, vec![]));
        }
    }
    let colors = parse(&file(false, false, Kind::Rgb, &[1, 1, 1], &[1, 2, 250])).unwrap();
    assert_eq!(colors.values().unwrap(), [253.0]);
    assert!(colors.volume(0, Unit::dimensionless()).is_err());
    let large = parse(&file(false, false, Kind::I64, &[1, 1, 1], &i64::MIN.to_le_bytes())).unwrap();
    assert_eq!(large.values().unwrap_err().to_string(), "x.nii, byte 352: a whole number of more than 53 bits");
}

#[test]
fn scaling_units_and_time_points() {
    let mut bytes = file(false, true, Kind::U8, &[1, 1, 1, 2], &[3, 4]);
    let layout = Layout { second: false, big: true };
    layout.put_float(&mut bytes, "scl_slope", 0, 0.5);
    layout.put_float(&mut bytes, "scl_inter", 0, -1.0);
    bytes[123] = 1; // meters
    let image = parse(&bytes).unwrap();
    let second = image.volume(1, Unit::dimensionless()).unwrap();
    assert_eq!((second.values(), second.lattice().spacing_mm()), (&[1.0][..], [2000.0, 3000.0, 4000.0]));
    assert!(
        image
            .volume(2, Unit::dimensionless())
            .unwrap_err()
            .to_string()
            .ends_with("there is no volume 2; volumes there are: 0 to 1")
    );
    layout.put_float(&mut bytes, "scl_slope", 0, f64::NAN);
    bytes[123] = 0;
    let image = parse(&bytes).unwrap();
    assert_eq!((image.values().unwrap(), image.notes()), (vec![3.0, 4.0], vec![Note::LengthUnitUnstated]));
    layout.put_float(&mut bytes, "scl_slope", 0, f64::INFINITY);
    assert!(message(&bytes).contains("scl_slope"));
}

#[test]
fn orientation_is_that_of_the_sform_then_of_the_qform_and_never_invented() {
    let mut bytes = small();
    // A rotation by 90 degrees about z: (b, c, d) = (0, 0, sqrt(1/2)).
    LITTLE.put_float(&mut bytes, "quatern", 2, 0.5_f64.sqrt());
    LITTLE.put_float(&mut bytes, "pixdim", 0, -1.0);
    set_code(&mut bytes, LITTLE, "qform_code", 2);
    let both = parse(&bytes).unwrap();
    assert_eq!(both.orientation(), Orientation::Sform(1));
    assert!(matches!(both.notes()[..], [Note::FormsDisagree(apart)] if (apart - 5.0_f64.sqrt()).abs() < 1e-6));
    set_code(&mut bytes, LITTLE, "sform_code", 0);
    let image = parse(&bytes).unwrap();
    let expected = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]];
    for (row, expected) in image.affine_ras().unwrap().iter().zip(expected) {
        assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7), "{row:?}");
    }
    assert_eq!(image.orientation(), Orientation::Qform(2));
    set_code(&mut bytes, LITTLE, "qform_code", 0);
    let neither = parse(&bytes).unwrap();
    assert_eq!((neither.orientation(), neither.affine_ras()), (Orientation::Unstated, None));
    assert!(neither.volume(0, Unit::dimensionless()).unwrap_err().to_string().contains("neither sform nor qform"));
    assert!(neither.volume_at(both.sform().unwrap(), 0, Unit::dimensionless()).is_ok());
}

#[test]
fn fields_out_of_range_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = small();
        change(&mut bytes);
        message(&bytes)
    };
    let short = |field: &'static str, index: usize, value: i16| {
        move |bytes: &mut Vec<u8>| LITTLE.put(bytes, LITTLE.at(field) + 2 * index, &value.to_le_bytes())
    };
    let float =
        |field: &'static str, index: usize, value: f64| move |bytes: &mut Vec<u8>| LITTLE.put_float(bytes, field, index, value);
    for (change, said) in [
        (&short("dim", 0, 0) as &dyn Fn(&mut Vec<u8>), "dim[0] must be 1 to 7"),
        (&short("dim", 0, 8), "dim[0] must be 1 to 7"),
        (&short("dim", 2, -1), "dim[2] must be 1 or more"),
        (&short("dim", 3, 0), "dim[3] must be 1 or more"),
        (&short("datatype", 0, 32), "data type 32 is not read"),
        (&short("bitpix", 0, 8), "must be 16 for data type 4"),
        (&short("sform_code", 0, 9), "must be 0 to 5"),
        (&float("pixdim", 1, 0.0), "the spacing of axis 1"),
        (&float("pixdim", 2, -1.0), "the spacing of axis 2"),
        (&float("pixdim", 3, f64::NAN), "the spacing of axis 3"),
        (&float("srow", 3, f64::INFINITY), "every number of the affine must be finite"),
        (&float("vox_offset", 0, 0.0), "a whole number after the header"),
        (&float("vox_offset", 0, 352.5), "a whole number after the header"),
        (&float("vox_offset", 0, -1.0), "a whole number after the header"),
        (&float("vox_offset", 0, 2f64.powi(31)), "a whole number after the header"),
        (&|bytes| bytes[123] = 6, "6 is not a unit of length"),
        (&|bytes| bytes.push(0), "byte 356: the file goes on after the last voxel"),
        (&|bytes| bytes.truncate(355), "byte 355: ends before it is complete (the voxels, 356 bytes"),
        (&|bytes| bytes.truncate(300), "byte 300: ends before it is complete (the header)"),
        (&|bytes| bytes[345] = b'i', "not a file of format"),
        (&|bytes| bytes[0] = 0, "not a file of format"),
        (&|bytes| bytes.clear(), "not a file of format"),
    ] {
        assert!(refused(change).contains(said), "{} instead of {said}", refused(change));
    }
    let mut bytes = small();
    set_code(&mut bytes, LITTLE, "qform_code", 1);
    for (field, index, value) in [("quatern", 0, 1.1), ("quatern", 1, f64::NAN), ("qoffset", 2, f64::INFINITY), ("pixdim", 0, 0.3)]
    {
        let mut changed = bytes.clone();
        LITTLE.put_float(&mut changed, field, index, value);
        assert!(message(&changed).contains("quatern"), "{field}");
    }
    let mut flat = small();
    LITTLE.put_float(&mut flat, "srow", 10, 0.0);
    assert!(parse(&flat).unwrap().volume(0, Unit::dimensionless()).unwrap_err().to_string().contains("voxel spacing"));
}

#[test]
fn voxels_are_counted_before_anything_is_inflated() {
    // One megabyte of zeros packed into a kilobyte, whose header claims 32767 cubed voxels.
    let mut bytes = file(false, false, Kind::U8, &[1, 1, 1], &[]);
    for axis in 1..=3 {
        LITTLE.put(&mut bytes, LITTLE.at("dim") + 2 * axis, &i16::MAX.to_le_bytes());
    }
    bytes.resize(1 << 20, 0);
    let zipped = zip(&bytes);
    assert!(matches!(parse(&zipped), Err(IoError::Limit { raise: "max_voxels", .. })));
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    assert!(matches!(Image::parse(&zipped, "x", &limits), Err(IoError::Limit { raise: "max_bytes", .. })));
    // A bomb behind an honest header is inflated to what the header needs, and no further.
    let mut honest = small();
    honest.resize(1 << 20, 0);
    assert!(message(&zip(&honest)).contains("byte 356: the file goes on"));
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_damaged_checksum_is_found() {
    let bytes = small();
    let zipped = zip(&bytes);
    assert_eq!(parse(&zipped).unwrap().to_bytes(), bytes);
    let mut damaged = zipped.clone();
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    assert!(matches!(parse(&damaged), Err(IoError::Syntax { .. })));
    assert!(matches!(parse(&zipped[..zipped.len() - 2]), Err(IoError::Truncated { .. })));
}

#[test]
fn values_that_are_not_finite_stop_a_volume_but_not_an_image() {
    let data = [1.0_f32, f32::NAN].map(f32::to_le_bytes).concat();
    let image = parse(&file(false, false, Kind::F32, &[1, 2, 1], &data)).unwrap();
    assert!(image.values().unwrap()[1].is_nan());
    let refused = image.volume(0, Unit::dimensionless()).unwrap_err().to_string();
    assert_eq!(refused, "x.nii: voxel (0, 1, 0) of volume 0 is not finite; see `values`");
}

#[test]
fn a_mask_and_a_volume_are_written_to_files() {
    let lattice = Lattice::from_ras([2, 1, 2], [[0.0, 1.5, 0.0, 9.0], [1.0, 0.0, 0.0, 0.1], [0.0, 0.0, 2.5, -3.0]]).unwrap();
    let mask = Mask::new(lattice, vec![true, false, false, true]).unwrap();
    let folder = std::env::temp_dir().join(format!("twin-io-{}-nifti", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["mask.nii", "mask.nii.gz"] {
        let path = folder.join(name);
        Image::from_mask(&mask).unwrap().write(&path).unwrap();
        let back = Image::read(&path, &Limits::default()).unwrap();
        assert_eq!(back.volume(0, Unit::dimensionless()).unwrap().above(0.5), mask);
        assert!(matches!(Image::from_mask(&mask).unwrap().write(&path), Err(IoError::Exists { .. })));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

proptest! {
    #[test]
    fn a_volume_comes_back_bit_for_bit(
        values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 6),
        shift in prop::array::uniform3(-1e3..1e3_f64),
    ) {
        let ras = [[-1.1, 0.2, 0.0, shift[0]], [0.1, 0.9, 0.0, shift[1]], [0.0, 0.3, 2.0, shift[2]]];
        let volume = Volume::new(Lattice::from_ras([1, 2, 3], ras).unwrap(), Unit::dimensionless(), values).unwrap();
        let image = Image::from_volume(&volume).unwrap();
        let read = parse(&zip(&image.to_bytes())).unwrap();
        prop_assert_eq!(read.to_bytes(), image.to_bytes());
        let back = read.volume(0, Unit::dimensionless()).unwrap();
        prop_assert!(back.values().iter().zip(volume.values()).all(|(a, b)| a.to_bits() == b.to_bits()));
        prop_assert_eq!(back.lattice(), volume.lattice());
    }

    #[test]
    fn no_header_panics(changes in prop::collection::vec((0..356_usize, any::<u8>()), 0..6), zipped: bool) {
        let mut bytes = small();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Ok(image) = parse(&if zipped { zip(&bytes) } else { bytes }) {
            let _ = (image.notes(), image.values(), image.volume(0, Unit::dimensionless()));
        }
    }
}
