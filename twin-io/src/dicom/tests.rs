#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;
use std::path::PathBuf;

/// Writes data sets in explicit little endian.
#[derive(Clone, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn put(mut self, tag: u32, representation: &str, value: &[u8]) -> Self {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(if representation == "UI" { 0 } else { b' ' });
        }
        self.0.extend(u16::try_from(tag >> 16).unwrap().to_le_bytes());
        self.0.extend(u16::try_from(tag & 0xffff).unwrap().to_le_bytes());
        self.0.extend(representation.as_bytes());
        if ["OB", "OW", "SQ", "UC", "UN", "UR", "UT"].contains(&representation) {
            self.0.extend([0, 0]);
            self.0.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        } else {
            self.0.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        }
        self.0.extend(value);
        self
    }

    pub(super) fn text(self, tag: u32, representation: &str, text: &str) -> Self {
        self.put(tag, representation, text.as_bytes())
    }

    pub(super) fn short(self, tag: u32, value: u16) -> Self {
        self.put(tag, "US", &value.to_le_bytes())
    }

    pub(super) fn items(self, tag: u32, items: &[Self]) -> Self {
        let bytes: Vec<u8> = items
            .iter()
            .flat_map(|item| {
                let length = u32::try_from(item.0.len()).unwrap().to_le_bytes();
                [&[0xfe, 0xff, 0, 0xe0], &length[..], &item.0].concat()
            })
            .collect();
        self.put(tag, "SQ", &bytes)
    }

    /// The bytes of a file.
    pub(super) fn file(&self, syntax: &str) -> Vec<u8> {
        let meta = Self::default().text(tag::TRANSFER_SYNTAX, "UI", syntax);
        [&[0; 128][..], b"DICM", &meta.0, &self.0].concat()
    }
}

pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// A slice of two by three pixels, 16 bits, whose position along z is `z`; each element may be replaced.
pub(super) fn slice(z: f64, replaced: &[(u32, &str)]) -> Writer {
    let of = |tag: u32, usual: &str| {
        let text = replaced.iter().find(|(other, _)| *other == tag).map_or(usual, |(_, text)| text);
        (tag, text.to_owned())
    };
    let position = format!("-10\\-20\\{z}");
    let texts = [
        (of(tag::MODALITY, "CT"), "CS"),
        (of(tag::PATIENT_ID, "SECRET-1"), "LO"),
        (of(tag::STUDY, "1.2.3"), "UI"),
        (of(tag::SERIES, "1.2.3.4"), "UI"),
        (of(tag::POSITION, &position), "DS"),
        (of(tag::ORIENTATION, "1\\0\\0\\0\\1\\0"), "DS"),
        (of(tag::FRAME_OF_REFERENCE, "1.9"), "UI"),
        (of(tag::PIXEL_SPACING, "0.5\\0.75"), "DS"),
        (of(tag::SLICE_THICKNESS, "2"), "DS"),
        (of(tag::RESCALE_INTERCEPT, "-1000"), "DS"),
        (of(tag::RESCALE_SLOPE, "2"), "DS"),
    ];
    let writer =
        texts.into_iter().fold(Writer::default(), |writer, ((tag, text), representation)| writer.text(tag, representation, &text));
    let pixels: Vec<u8> = (0..6_i16).flat_map(|pixel| (pixel + z as i16 * 10).to_le_bytes()).collect();
    writer
        .short(tag::ROWS, 2)
        .short(tag::COLUMNS, 3)
        .short(tag::BITS_ALLOCATED, 16)
        .short(tag::BITS_STORED, 16)
        .short(tag::HIGH_BIT, 15)
        .short(tag::PIXEL_REPRESENTATION, 1)
        .put(tag::PIXEL_DATA, "OW", &pixels)
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("twin-io-{}-dicom-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn with(self, slices: &[Writer]) -> Self {
        for (index, slice) in slices.iter().enumerate() {
            std::fs::write(self.0.join(format!("{index}.dcm")), slice.file(EXPLICIT)).unwrap();
        }
        self
    }

    fn series(&self) -> Result<Series, IoError> {
        read_folder(&self.0, &Limits::default())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn slices_are_sorted_by_place_and_rescaled() {
    let folder = Folder::new("sorted").with(&[slice(4.0, &[]), slice(0.0, &[]), slice(2.0, &[])]);
    let series = folder.series().unwrap();
    let lattice = series.volume.lattice();
    assert_eq!((lattice.shape(), series.modality.as_str()), ([3, 2, 3], "CT"));
    assert_eq!(lattice.affine_lps(), [[0.75, 0.0, 0.0, -10.0], [0.0, 0.5, 0.0, -20.0], [0.0, 0.0, 2.0, 0.0]]);
    assert_eq!(series.volume.value([1, 0, 0]), Some(-998.0));
    assert_eq!(series.volume.value([2, 1, 2]), Some(2.0 * 45.0 - 1000.0));
}

/// A slice of positron emission, in Bq/mL; `stated` is what it says of the injection, `more` what it says beside.
fn emission(stated: &[(u32, &str)], more: &[(u32, &str, &str)]) -> Result<Series, IoError> {
    let plain = [(tag::MODALITY, "PT"), (tag::RESCALE_INTERCEPT, "0"), (tag::RESCALE_SLOPE, "100")];
    let injection = stated.iter().fold(Writer::default(), |writer, (tag, text)| writer.text(*tag, "DS", text));
    let file = more.iter().fold(slice(0.0, &plain).text(tag::UNITS, "CS", "BQML"), |file, (tag, representation, text)| {
        file.text(*tag, representation, text)
    });
    parse_series(&[("pt", &file.items(tag::RADIOPHARMACEUTICAL, &[injection]).file(EXPLICIT))], &Limits::default())
}

#[test]
fn an_uptake_value_is_that_of_its_definition() {
    // 370 MBq of fluorine-18 in 70 kg, an hour before the series: 600 Bq/mL are 600 * 70000 / (3.7e8 * 2^(-3600 / 6586.2)).
    let dose = (tag::RADIONUCLIDE_TOTAL_DOSE, "3.7E8");
    let half_life = (tag::RADIONUCLIDE_HALF_LIFE, "6586.2");
    let injected = (tag::RADIOPHARMACEUTICAL_START_TIME, "093000.00");
    let weight = (tag::PATIENT_WEIGHT, "DS", "70");
    let day = [(tag::SERIES_DATE, "DA", "20200229"), (tag::SERIES_TIME, "TM", "103000")];
    let corrected = |to| (tag::DECAY_CORRECTION, "CS", to);
    let per_activity = 70_000.0 / 3.7e8;
    for (stated, to, expected) in [
        (vec![dose, half_life, injected], "START", per_activity * (3600.0_f64 / 6586.2).exp2()),
        (
            vec![dose, half_life, (tag::RADIOPHARMACEUTICAL_START, "20200228233000.0")],
            "START",
            per_activity * (39_600.0_f64 / 6586.2).exp2(),
        ),
        (vec![dose, half_life], "ADMIN", per_activity),
    ] {
        let series = emission(&stated, &[weight, day[0], day[1], corrected(to)]).unwrap();
        assert!(series.is_uptake);
        let (ours, theirs) = (series.volume.value([2, 1, 0]).unwrap(), 500.0 * expected);
        assert!((ours / theirs - 1.0).abs() < 1e-12, "{ours}, not {theirs}");
    }
    // Without weight, dose or time it stays an activity; a series before its injection is refused.
    for (stated, more) in [
        (vec![dose, half_life, injected], vec![day[0], day[1], corrected("START")]),
        (vec![half_life, injected], vec![weight, day[0], day[1], corrected("START")]),
        (vec![dose, half_life], vec![weight, day[0], day[1], corrected("START")]),
        (vec![dose, half_life, injected], vec![weight, day[0], day[1], corrected("NONE")]),
    ] {
        let series = emission(&stated, &more).unwrap();
        assert_eq!((series.is_uptake, series.volume.value([2, 1, 0])), (false, Some(500.0)));
        assert_eq!(series.volume.unit().code(), "Bq/mL");
    }
    let late = (tag::RADIOPHARMACEUTICAL_START_TIME, "113000");
    assert!(emission(&[dose, half_life, late], &[weight, day[0], day[1], corrected("START")]).is_err());
    assert!(
        emission(&[(tag::RADIONUCLIDE_TOTAL_DOSE, "0"), half_life, injected], &[weight, day[0], day[1], corrected("START")])
            .is_err()
    );
}

#[test]
fn gaps_and_mixtures_are_refused_without_a_word_of_the_patient() {
    let refused = |name: &str, slices: &[Writer]| {
        let message = Folder::new(name).with(slices).series().unwrap_err().to_string();
        assert!(!message.contains("SECRET"), "{message}");
        message
    };
    let three = |tag: u32, text: &str| [slice(0.0, &[]), slice(2.0, &[(tag, text)]), slice(4.0, &[])];
    for (tag, text, said) in [
        (tag::PATIENT_ID, "SECRET-2", "several patients"),
        (tag::STUDY, "1.2.9", "several studies"),
        (tag::SERIES, "1.2.9", "several series"),
        (tag::FRAME_OF_REFERENCE, "1.8", "several frames of reference"),
        (tag::MODALITY, "MR", "several modalities"),
        (tag::POSITION, "-10\\-20\\2.1", "a gap of"),
        (tag::POSITION, "-10\\-20\\0", "in the same place"),
        (tag::POSITION, "-10\\-19\\2", "shifted against each other"),
        (tag::POSITION, "-10\\-20", "must be 3 numbers"),
        (tag::POSITION, "-10\\-20\\NaN", "must be finite decimal numbers"),
        (tag::POSITION, "-10\\-20\\1e999", "must be finite decimal numbers"),
        (tag::ORIENTATION, "1\\0\\0\\0\\0.999\\0", "two directions of length 1"),
        (tag::ORIENTATION, "0\\1\\0\\1\\0\\0", "differ in direction"),
        (tag::PIXEL_SPACING, "0\\1", "must be above 0"),
        (tag::PIXEL_SPACING, "-1\\1", "must be above 0"),
        (tag::PIXEL_SPACING, "0.5\\0.76", "differ in direction or spacing"),
        (tag::RESCALE_SLOPE, "0", "the slope not 0"),
    ] {
        let message = refused("mixed", &three(tag, text));
        assert!(message.contains(said), "{message} instead of {said}");
    }
    assert!(refused("gap", &[slice(0.0, &[]), slice(2.0, &[]), slice(6.0, &[])]).contains("slices are missing"));
    assert!(refused("thin", &[slice(0.0, &[(tag::SLICE_THICKNESS, "0")])]).contains("a single slice needs"));
    assert!(matches!(Folder::new("empty").series(), Err(IoError::Empty { .. })));
}

fn frames(bytes: &[u8]) -> Result<Frames, IoError> {
    let folder = Folder::new("frames");
    let path = folder.0.join("x.dcm");
    std::fs::write(&path, bytes).unwrap();
    read_frames(&path, &Limits::default())
}

#[test]
fn pixels_that_do_not_fit_their_description_are_refused() {
    let whole = slice(0.0, &[]).file(EXPLICIT);
    assert_eq!(frames(&whole).unwrap().values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let base = slice(0.0, &[]).0;
    let description = base.len() - 24;
    let with = |columns: u16, allocated: u16, stored: u16, high: u16| {
        let mut bytes = base.clone();
        // Rows, columns, allocated, stored, high, representation: 10 bytes each, before the 12 and the 12 bytes of the pixels.
        let at = |index: usize| description - 60 + 10 * index + 8;
        for (index, value) in [(1, columns), (2, allocated), (3, stored), (4, high)] {
            bytes[at(index)..at(index) + 2].copy_from_slice(&value.to_le_bytes());
        }
        frames(&Writer(bytes).file(EXPLICIT))
    };
    assert!(with(3, 16, 16, 15).is_ok());
    for (columns, allocated, stored, high) in
        [(4, 16, 16, 15), (65535, 16, 16, 15), (0, 16, 16, 15), (3, 8, 8, 7), (3, 32, 32, 31), (3, 64, 8, 7)]
    {
        assert!(with(columns, allocated, stored, high).is_err(), "{columns} {allocated}");
    }
    for (stored, high) in [(17, 16), (0, 0), (16, 14), (12, 16)] {
        assert!(with(3, 16, stored, high).is_err(), "{stored} {high}");
    }
    // Twelve bits, the highest of them bit 13: the lowest two fall away.
    assert_eq!(with(3, 16, 12, 13).unwrap().values, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let signs: Vec<u8> = [-1_i16, 2047, -2048, 0, 1, 2].iter().flat_map(|pixel| (pixel & 0xfff).to_le_bytes()).collect();
    let mut bytes = base.clone();
    let start = bytes.len() - 12;
    bytes[start..].copy_from_slice(&signs);
    bytes[description - 60 + 38..][..2].copy_from_slice(&12_u16.to_le_bytes());
    bytes[description - 60 + 48..][..2].copy_from_slice(&11_u16.to_le_bytes());
    assert_eq!(frames(&Writer(bytes).file(EXPLICIT)).unwrap().values, [-1.0, 2047.0, -2048.0, 0.0, 1.0, 2.0]);
}

#[test]
fn lengths_beyond_the_file_deep_nesting_and_doubles_are_refused() {
    let base = slice(0.0, &[]);
    let message = |bytes: &[u8]| frames(bytes).unwrap_err().to_string();
    let unknown = |length: u32| [&base.0[..], &[0xe1, 0x7f, 0x10, 0, b'O', b'B', 0, 0], &length.to_le_bytes()].concat();
    for length in [1, 1 << 31, u32::MAX - 1] {
        assert!(
            message(&Writer(unknown(length)).file(EXPLICIT)).contains(&format!("an element of {length} bytes where 0 are left"))
        );
    }
    assert!(message(&Writer(unknown(u32::MAX)).file(EXPLICIT)).contains("only a sequence may have no length"));
    let mut nested = Writer::default();
    for _ in 0..70 {
        nested = Writer::default().items(0x0008_1140, &[nested]);
    }
    assert!(message(&nested.file(EXPLICIT)).contains("sequences inside each other"));
    // The same without lengths: twenty thousand items that are never closed.
    let open =
        [0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff].repeat(20_000);
    assert!(message(&Writer(open).file(EXPLICIT)).contains("sequences inside each other"));
    assert!(message(&base.clone().short(tag::ROWS, 2).file(EXPLICIT)).contains("the element is there twice"));
    assert!(message(&base.file("1.2.840.10008.1.2.4.201")).contains("pixels in high-throughput JPEG 2000 lossless is not read"));
    assert!(message(&base.file("9.9")).contains("a transfer syntax that is not known"));
    assert!(message(b"nothing of the kind").contains("not a file of format `DICOM`"));
}

#[test]
fn a_deflated_bomb_is_stopped() {
    use std::io::Write as _;
    let meta = Writer::default().text(tag::TRANSFER_SYNTAX, "UI", "1.2.840.10008.1.2.1.99");
    let deflated = |bytes: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        [&[0; 128][..], b"DICM", &meta.0, &encoder.finish().unwrap()].concat()
    };
    assert_eq!(frames(&deflated(&slice(1.0, &[]).0)).unwrap().values[0], 10.0);
    let bomb = deflated(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    assert!(matches!(frames(&bomb), Err(IoError::Limit { .. })));
}

fn square(center: [f64; 2], half: f64, z: f64) -> Writer {
    let [x, y] = center;
    let corners = [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)];
    let data: Vec<String> = corners.iter().map(|(x, y)| format!("{x}\\{y}\\{z}")).collect();
    Writer::default().text(tag::CONTOUR_TYPE, "CS", "CLOSED_PLANAR").text(tag::CONTOUR_POINTS, "IS", "4").text(
        tag::CONTOUR_DATA,
        "DS",
        &data.join("\\"),
    )
}

fn structures(contours: &[Writer]) -> Result<Structures, IoError> {
    let roi = Writer::default().text(tag::ROI_NUMBER, "IS", "1").text(tag::ROI_FRAME_OF_REFERENCE, "UI", "1.9").text(
        tag::ROI_NAME,
        "LO",
        "GTV",
    );
    let drawn = Writer::default().items(tag::CONTOURS, contours).text(tag::REFERENCED_ROI, "IS", "1");
    let writer =
        Writer::default().text(tag::MODALITY, "CS", "RTSTRUCT").items(tag::ROIS, &[roi]).items(tag::ROI_CONTOURS, &[drawn]);
    Structures::parse(&writer.file(EXPLICIT), "s.dcm", &Limits::default())
}

#[test]
fn a_mask_has_holes_and_fills_between_planes() {
    // A square of 20 mm with a hole of 8 mm, every 4 mm over 5 planes; slices every 2 mm.
    let contours: Vec<Writer> =
        (0..5).flat_map(|k| [square([0.5, 0.5], 10.0, 4.0 * f64::from(k)), square([0.5, 0.5], 4.0, 4.0 * f64::from(k))]).collect();
    let set = structures(&contours).unwrap();
    let structure = set.named("GTV").unwrap();
    assert_eq!(
        (structure.contours.len(), structure.contours[0].area_mm2(), structure.plane_distance_mm().unwrap()),
        (10, 400.0, Some(4.0))
    );
    let lattice =
        crate::volume::Lattice::from_lps([60, 60, 20], [[1.0, 0.0, 0.0, -30.0], [0.0, 1.0, 0.0, -30.0], [0.0, 0.0, 2.0, -8.0]])
            .unwrap();
    let mask = structure.mask(&lattice).unwrap();
    let by_slice: Vec<usize> = mask.voxels().chunks(3600).map(|slice| slice.iter().filter(|voxel| **voxel).count()).collect();
    // From z = -2 to z = 18: the half distance beyond the outermost planes belongs to them.
    assert_eq!(by_slice, [vec![0; 3], vec![336; 11], vec![0; 6]].concat());
    let far =
        crate::volume::Lattice::from_lps([2, 2, 2], [[1.0, 0.0, 0.0, 500.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]).unwrap();
    assert!(structure.mask(&far).unwrap_err().to_string().contains("no voxel of the grid"));
    assert!(set.named("PTV").unwrap_err().to_string().contains("structures there are: GTV"));
}

fn dose(units: &str, offsets: &str, slope: f64) -> Result<Dose, IoError> {
    // 0.01 Gy for each step along x; 20 x 20 x 3 voxels of 2 mm, 3 mm apart.
    let pixels: Vec<u8> = (0..1200).flat_map(|at: u32| (100 * (at % 20)).to_le_bytes()).collect();
    let writer = Writer::default()
        .text(tag::MODALITY, "CS", "RTDOSE")
        .text(tag::POSITION, "DS", "-19\\-19\\0")
        .text(tag::ORIENTATION, "DS", "1\\0\\0\\0\\1\\0")
        .text(tag::FRAMES, "IS", "3")
        .text(tag::PIXEL_SPACING, "DS", "2\\2")
        .short(tag::ROWS, 20)
        .short(tag::COLUMNS, 20)
        .short(tag::BITS_ALLOCATED, 32)
        .text(tag::DOSE_UNITS, "CS", units)
        .text(tag::DOSE_SUMMATION, "CS", "PLAN")
        .text(tag::GRID_OFFSETS, "DS", offsets)
        .text(tag::DOSE_SCALING, "UN", &slope.to_string())
        .put(tag::PIXEL_DATA, "OW", &pixels);
    Dose::parse(&writer.file(EXPLICIT), "d.dcm", &Limits::default())
}

#[test]
fn a_histogram_of_a_linear_dose_is_that_of_geometry() {
    let dose = dose("GY", "0\\3\\6", 0.0005).unwrap(); // the scaling stands as UN, and is read as the text it is
    assert!(dose.volume.value([19, 3, 2]).is_some_and(|gy| (gy - 0.95).abs() < 1e-12));
    let set = structures(&[0.0, 3.0, 6.0].map(|z| square([0.0, 0.0], 8.0, z))).unwrap();
    let histogram = DoseVolume::of(&dose, set.named("GTV").unwrap()).unwrap();
    assert!((histogram.volume_mm3() - 2304.0).abs() < 2304.0 * 1e-9 && histogram.uncovered_mm3() == 0.0);
    // The dose rises by 0.025 Gy/mm from 0 at x = -19; the square lies from -8 to 8.
    assert!((histogram.mean_gy() - 0.475).abs() < 1e-9, "{}", histogram.mean_gy());
    assert!((histogram.dose_at_percent(95.0).unwrap() - 0.295).abs() < 0.01);
    assert!((histogram.dose_at_mm3(1152.0).unwrap() - 0.475).abs() < 0.01 && histogram.dose_at_mm3(1e6).is_none());
    assert!((histogram.share_at(0.575) - 0.25).abs() < 0.02);
    let cumulative = histogram.cumulative(0.1);
    assert!((cumulative[0], cumulative[cumulative.len() - 1]) == (1.0, 0.0) && cumulative.is_sorted_by(|a, b| a >= b));
    assert!(dose.plus(&dose).unwrap().volume.value([19, 0, 0]).is_some_and(|gy| (gy - 1.9).abs() < 1e-12));
}

#[test]
fn a_dose_that_is_not_in_gray_is_not_taken_for_it() {
    let relative = dose("RELATIVE", "0\\3\\6", 0.001).unwrap();
    assert!(!relative.is_in_gray());
    let set = structures(&[0.0, 3.0].map(|z| square([0.0, 0.0], 8.0, z))).unwrap();
    assert!(DoseVolume::of(&relative, &set.structures[0]).unwrap_err().to_string().contains("relative dose"));
    assert!(relative.plus(&relative).is_err());
    for (units, offsets, slope) in [
        ("CGY", "0\\3\\6", 0.1),
        ("GY", "0\\3\\7", 0.1),
        ("GY", "0\\0\\0", 0.1),
        ("GY", "0\\3", 0.1),
        ("GY", "9\\12\\15", 0.1),
        ("GY", "0\\3\\6", 0.0),
        ("GY", "0\\3\\6", -1.0),
    ] {
        assert!(dose(units, offsets, slope).is_err(), "{units} {offsets} {slope}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_panic(changes in prop::collection::vec((132..540_usize, any::<u8>()), 1..4), cut in 0..600_usize) {
        let mut bytes = slice(0.0, &[]).file(EXPLICIT);
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut.max(140));
        for read in [Structures::parse(&bytes, "x", &Limits::default()).err(), Dose::parse(&bytes, "x", &Limits::default()).err()] {
            prop_assert!(read.is_some());
        }
        let loaded = loaded(&bytes, "x", &Limits::default());
        if let Ok(loaded) = loaded && let Ok(dataset) = loaded.dataset(&Limits::default()) && let Ok(layout) = pixels::Layout::of(&dataset, &Limits::default(), &loaded.place) {
            let _ = pixels::stored(&dataset, &loaded, &layout);
        }
    }
}
