//! New images, and images as files.

use super::header::{Layout, SECOND};
use super::{Image, Kind};
use crate::volume::{Lattice, Mask, Volume};
use crate::{IoError, Limits, Place, file};
use std::path::Path;

impl Image {
    /// A new image of a volume: NIfTI-2, floating point of 64 bits, the place as sform, in mm. Reading it back gives the same bits.
    ///
    /// # Errors
    /// [`IoError::Unwritable`] for a shape that the format cannot hold.
    pub fn from_volume(volume: &Volume) -> Result<Self, IoError> {
        let data = volume.values().iter().flat_map(|value| value.to_le_bytes());
        Self::new(volume.lattice(), Kind::F64, data.collect())
    }

    /// A new image of a mask: NIfTI-2, 1 inside and 0 outside, the place as sform, in mm.
    ///
    /// # Errors
    /// As [`Image::from_volume`].
    pub fn from_mask(mask: &Mask) -> Result<Self, IoError> {
        Self::new(mask.lattice(), Kind::U8, mask.voxels().iter().map(|inside| u8::from(*inside)).collect())
    }

    /// The bytes of the file, not compressed: what was read, bit for bit.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Writes a file that is not there yet, compressed if its name ends in `.gz`.
    ///
    /// # Errors
    /// [`IoError::Exists`], [`IoError::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), IoError> {
        use std::io::Write as _;
        let path = path.as_ref();
        if path.extension().is_none_or(|extension| extension != "gz") {
            return file::create(path, &self.bytes);
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let zipped = encoder.write_all(&self.bytes).and_then(|()| encoder.finish());
        file::create(path, &zipped.map_err(|source| IoError::Write { file: path.to_owned(), source })?)
    }

    fn new(lattice: &Lattice, kind: Kind, data: Vec<u8>) -> Result<Self, IoError> {
        let layout = Layout { second: true, big: false };
        let mut bytes = vec![0; SECOND + 4];
        let code = Kind::CODES.iter().find(|entry| entry.1 == kind).map_or(0, |entry| entry.0);
        layout.put(&mut bytes, 0, &540_i32.to_le_bytes());
        layout.put(&mut bytes, 4, b"n+2\0\r\n\x1a\n");
        layout.put(&mut bytes, layout.at("datatype"), &(code as i16).to_le_bytes());
        layout.put(&mut bytes, layout.at("bitpix"), &(8 * kind.bytes() as i16).to_le_bytes());
        for (index, size) in [3, lattice.shape()[0], lattice.shape()[1], lattice.shape()[2], 1, 1, 1, 1].into_iter().enumerate() {
            layout.put(&mut bytes, layout.at("dim") + 8 * index, &(size as i64).to_le_bytes());
        }
        for (index, spacing) in [&[1.0][..], &lattice.spacing_mm(), &[1.0; 4]].concat().into_iter().enumerate() {
            layout.put_float(&mut bytes, "pixdim", index, spacing);
        }
        layout.put(&mut bytes, layout.at("vox_offset"), &(SECOND as i64 + 4).to_le_bytes());
        layout.put(&mut bytes, layout.at("xyzt_units"), &2_i32.to_le_bytes());
        layout.put(&mut bytes, layout.at("sform_code"), &1_i32.to_le_bytes());
        for (index, value) in lattice.affine_ras().into_iter().flatten().enumerate() {
            layout.put_float(&mut bytes, "srow", index, value);
        }
        bytes.extend(data);
        let unlimited = Limits { max_voxels: usize::MAX, ..Limits::default() };
        let unwritable = |error: IoError| IoError::Unwritable { field: None, rule: error.to_string() };
        Self::of(bytes, Place::default(), &unlimited).map_err(unwritable)
    }
}
