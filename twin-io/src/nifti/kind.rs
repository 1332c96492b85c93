//! What can be said of a file beside its numbers.

/// The type of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole, 8 bits, not negative.
    U8,
    /// Whole, 16 bits.
    I16,
    /// Whole, 32 bits.
    I32,
    /// Floating point, 32 bits.
    F32,
    /// Floating point, 64 bits.
    F64,
    /// Three colors of 8 bits.
    Rgb,
    /// Whole, 8 bits.
    I8,
    /// Whole, 16 bits, not negative.
    U16,
    /// Whole, 32 bits, not negative.
    U32,
    /// Whole, 64 bits.
    I64,
    /// Whole, 64 bits, not negative.
    U64,
}

impl Kind {
    pub(super) const READ: &'static str = "integers of 8 to 64 bits, floating-point numbers of 32 and 64 bits, RGB";
    pub(super) const CODES: [(i64, Self, usize); 11] = [
        (2, Self::U8, 1),
        (4, Self::I16, 2),
        (8, Self::I32, 4),
        (16, Self::F32, 4),
        (64, Self::F64, 8),
        (128, Self::Rgb, 3),
        (256, Self::I8, 1),
        (512, Self::U16, 2),
        (768, Self::U32, 4),
        (1024, Self::I64, 8),
        (1280, Self::U64, 8),
    ];

    pub(super) fn of(code: i64) -> Option<Self> {
        Self::CODES.iter().find(|entry| entry.0 == code).map(|entry| entry.1)
    }

    pub(super) fn bytes(self) -> usize {
        Self::CODES.iter().find(|entry| entry.1 == self).map_or(1, |entry| entry.2)
    }
}

/// Something about a file that a user should know, but that does not stop it from being read.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The unit of length is not stated; it is taken as the millimeter.
    LengthUnitUnstated,
    /// The sform and the qform put a corner of the grid this far apart, in mm; the sform is used.
    FormsDisagree(f64),
}

/// Which map of the file says where its voxels lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// The sform, with its code: 1 scanner, 2 another image, 3 Talairach, 4 MNI 152, 5 a template.
    Sform(u8),
    /// The qform, with its code, as above.
    Qform(u8),
    /// Neither is set.
    Unstated,
}
