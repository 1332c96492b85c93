//! The header of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes).

use super::Kind;
use crate::volume::Affine;
use crate::{IoError, Limits, Place};

/// The bytes of a NIfTI-1 header.
pub(super) const FIRST: usize = 348;
/// The bytes of a NIfTI-2 header.
pub(super) const SECOND: usize = 540;

/// Reads and writes numbers of a header at the places of its version and in its byte order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) second: bool,
    pub(super) big: bool,
}

/// Where the fields stand in the two versions.
const PLACES: [(&str, usize, usize); 13] = [
    ("dim", 40, 16),
    ("datatype", 70, 12),
    ("bitpix", 72, 14),
    ("pixdim", 76, 104),
    ("vox_offset", 108, 168),
    ("scl_slope", 112, 176),
    ("scl_inter", 116, 184),
    ("xyzt_units", 123, 500),
    ("qform_code", 252, 344),
    ("sform_code", 254, 348),
    ("quatern", 256, 352),
    ("qoffset", 268, 376),
    ("srow", 280, 400),
];

impl Layout {
    /// The version and the byte order of a header, from its first eight bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let size: [u8; 4] = start.first_chunk().copied()?;
        [false, true].into_iter().find_map(|big| {
            let size = if big { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
            match usize::try_from(size) {
                Ok(FIRST) => Some(Self { second: false, big }),
                Ok(SECOND) => Some(Self { second: true, big }),
                _ => None,
            }
        })
    }

    pub(super) fn length(self) -> usize {
        if self.second { SECOND } else { FIRST }
    }

    pub(super) fn at(self, field: &str) -> usize {
        let place = PLACES.iter().find(|place| place.0 == field);
        place.map_or(0, |place| if self.second { place.2 } else { place.1 })
    }

    /// `N` bytes in little-endian order; zero beyond the end, which the caller has excluded by the length of the header.
    fn bytes<const N: usize>(self, header: &[u8], at: usize) -> [u8; N] {
        let mut bytes: [u8; N] = header.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N]);
        if self.big {
            bytes.reverse();
        }
        bytes
    }

    fn short(self, header: &[u8], at: usize) -> i64 {
        i16::from_le_bytes(self.bytes(header, at)).into()
    }

    fn int(self, header: &[u8], at: usize) -> i64 {
        i32::from_le_bytes(self.bytes(header, at)).into()
    }

    fn long(self, header: &[u8], at: usize) -> i64 {
        i64::from_le_bytes(self.bytes(header, at))
    }

    /// The floating-point number `index` places after `field`.
    fn float(self, header: &[u8], field: &str, index: usize) -> f64 {
        let at = self.at(field);
        if self.second {
            f64::from_le_bytes(self.bytes(header, at + 8 * index))
        } else {
            f32::from_le_bytes(self.bytes(header, at + 4 * index)).into()
        }
    }

    pub(super) fn put(self, header: &mut [u8], at: usize, little_endian: &[u8]) {
        for (index, byte) in little_endian.iter().enumerate() {
            let offset = if self.big { little_endian.len() - 1 - index } else { index };
            if let Some(place) = header.get_mut(at + offset) {
                *place = *byte;
            }
        }
    }

    /// Sets the floating-point number `index` places after `field`.
    pub(super) fn put_float(self, header: &mut [u8], field: &str, index: usize, value: f64) {
        let at = self.at(field);
        if self.second {
            self.put(header, at + 8 * index, &value.to_le_bytes());
        } else {
            self.put(header, at + 4 * index, &(value as f32).to_le_bytes());
        }
    }
}

/// What a header says, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    pub(super) data_at: usize,
    pub(super) scale: Option<(f64, f64)>,
    pub(super) spacing: Vec<f64>,
    /// Millimeters in the unit of length; `None` if it is not stated.
    pub(super) millimeters: Option<f64>,
    pub(super) qform: Option<Affine>,
    pub(super) qform_code: i64,
    pub(super) sform: Option<Affine>,
    pub(super) sform_code: i64,
}

impl Header {
    pub(super) fn parse(header: &[u8], layout: Layout, limits: &Limits, place: &Place) -> Result<Self, IoError> {
        let in_field = |field: &str| place.clone().byte(layout.at(field)).field(field);
        let shape = shape(header, layout, limits, place)?;
        let code = layout.short(header, layout.at("datatype"));
        let kind = Kind::of(code).ok_or_else(|| in_field("datatype").unsupported(format!("data type {code}"), Kind::READ))?;
        if layout.short(header, layout.at("bitpix")) != 8 * kind.bytes() as i64 {
            return Err(in_field("bitpix").invalid(format!("must be {} for data type {code}", 8 * kind.bytes())));
        }
        let spacing: Vec<f64> = (1..=shape.len()).map(|axis| layout.float(header, "pixdim", axis)).collect();
        for (axis, value) in spacing.iter().enumerate().take(3) {
            if !(value.is_finite() && *value > 0.0) {
                return Err(in_field("pixdim").invalid(format!("the spacing of axis {} must be finite and above 0", axis + 1)));
            }
        }
        let units =
            if layout.second { layout.int(header, layout.at("xyzt_units")) } else { layout.bytes::<1>(header, 123)[0].into() };
        let millimeters = match units & 7 {
            0 => None,
            1 => Some(1000.0),
            2 => Some(1.0),
            3 => Some(1e-3),
            other => return Err(in_field("xyzt_units").invalid(format!("{other} is not a unit of length; 0, 1, 2 and 3 are"))),
        };
        let read_code = |field| {
            let at = layout.at(field);
            let code = if layout.second { layout.int(header, at) } else { layout.short(header, at) };
            if (0..=5).contains(&code) { Ok(code) } else { Err(in_field(field).invalid("must be 0 to 5")) }
        };
        let (qform_code, sform_code) = (read_code("qform_code")?, read_code("sform_code")?);
        let qform = if qform_code > 0 {
            Some(qform(header, layout, &spacing).map_err(|rule| in_field("quatern").invalid(rule))?)
        } else {
            None
        };
        let row = |row: usize| std::array::from_fn(|column| layout.float(header, "srow", 4 * row + column));
        let sform = (sform_code > 0).then(|| [row(0), row(1), row(2)]);
        if sform.iter().flatten().flatten().any(|value| !value.is_finite()) {
            return Err(in_field("srow").invalid("every number of the affine must be finite"));
        }
        let data_at =
            data_offset(header, layout).ok_or_else(|| in_field("vox_offset").invalid("must be a whole number after the header"))?;
        let scale = scale(header, layout).map_err(|rule| in_field("scl_slope").invalid(rule))?;
        Ok(Self { shape, kind, data_at, scale, spacing, millimeters, qform, qform_code, sform, sform_code })
    }

    pub(super) fn voxels(&self) -> usize {
        self.shape.iter().product()
    }
}

fn shape(header: &[u8], layout: Layout, limits: &Limits, place: &Place) -> Result<Vec<usize>, IoError> {
    let at = layout.at("dim");
    let dim = |index: usize| if layout.second { layout.long(header, at + 8 * index) } else { layout.short(header, at + 2 * index) };
    let in_dim = || place.clone().byte(at).field("dim");
    let axes = usize::try_from(dim(0))
        .ok()
        .filter(|axes| (1..=7).contains(axes))
        .ok_or_else(|| in_dim().invalid("dim[0] must be 1 to 7"))?;
    let mut shape = Vec::with_capacity(axes);
    let mut voxels = 1_usize;
    for axis in 1..=axes {
        let size = usize::try_from(dim(axis)).ok().filter(|size| *size > 0);
        let size = size.ok_or_else(|| in_dim().invalid(format!("dim[{axis}] must be 1 or more")))?;
        voxels = voxels.saturating_mul(size);
        shape.push(size);
    }
    if voxels > limits.max_voxels {
        return Err(in_dim().over("voxels", limits.max_voxels, "max_voxels"));
    }
    Ok(shape)
}

fn data_offset(header: &[u8], layout: Layout) -> Option<usize> {
    let offset = if layout.second {
        layout.long(header, layout.at("vox_offset"))
    } else {
        let offset = layout.float(header, "vox_offset", 0);
        (offset.fract() == 0.0 && offset.abs() < 1e9).then_some(offset as i64)?
    };
    usize::try_from(offset).ok().filter(|offset| *offset >= layout.length() + 4 && *offset <= 1 << 30)
}

/// Slope and intercept; `None` where there is no scaling, which a slope of zero says, or of NaN in files of nibabel.
fn scale(header: &[u8], layout: Layout) -> Result<Option<(f64, f64)>, &'static str> {
    let (slope, intercept) = (layout.float(header, "scl_slope", 0), layout.float(header, "scl_inter", 0));
    if slope.is_nan() || slope.abs() < f64::MIN_POSITIVE {
        return Ok(None);
    }
    if !(slope.is_finite() && intercept.is_finite()) {
        return Err("slope and intercept must be finite");
    }
    Ok(Some((slope, intercept)))
}

/// The affine of the quaternion, in the unit of length of the file (nifti1.h, method 2).
fn qform(header: &[u8], layout: Layout, spacing: &[f64]) -> Result<Affine, &'static str> {
    let [b, c, d] = [0, 1, 2].map(|index| layout.float(header, "quatern", index));
    let offset = [0, 1, 2].map(|index| layout.float(header, "qoffset", index));
    let rest = 1.0 - (b * b + c * c + d * d);
    if !(rest.is_finite() && rest > -1e-6) || offset.iter().any(|value| !value.is_finite()) {
        return Err("must be finite and of length 1 at most");
    }
    let handedness = match layout.float(header, "pixdim", 0) {
        sign if sign.abs() < f64::MIN_POSITIVE => 1.0, // as nifti1.h has it
        sign if (sign.abs() - 1.0).abs() < f64::EPSILON => sign,
        _ => return Err("pixdim[0] must be 1, -1 or 0"),
    };
    // As nifti1_io.c: a remainder that the precision of the file cannot tell from zero is a rotation by 180 degrees.
    let is_half_turn = rest < if layout.second { 1e-15 } else { 1e-7 };
    let length = if is_half_turn { (b * b + c * c + d * d).sqrt() } else { 1.0 };
    let [a, b, c, d] = [if is_half_turn { 0.0 } else { rest.sqrt() }, b / length, c / length, d / length];
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let zoom = |axis: usize| spacing.get(axis).copied().unwrap_or(1.0) * if axis == 2 { handedness } else { 1.0 };
    Ok(std::array::from_fn(|row| {
        std::array::from_fn(|column| if column == 3 { offset[row] } else { rotation[row][column] * zoom(column) })
    }))
}
