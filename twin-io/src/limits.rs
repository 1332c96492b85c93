//! How much of a file is read.

/// How much of a file is read, at most. The defaults are small, since a file may be hostile: raise a limit for a file you trust.
///
/// ```
/// use twin_io::Limits;
/// let mut limits = Limits::default();
/// limits.max_bytes = 256 * 1024 * 1024;
/// assert_eq!(limits.max_depth, 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the file, and of a compressed text once it is inflated. Default 16 MiB.
    pub max_bytes: usize,
    /// Arrays and objects inside each other, in JSON. Default 64; beyond 127 the JSON parser has its own limit.
    pub max_depth: usize,
    /// Rows of a table; in JSON the elements of all arrays, numbers not counted, and the members of any one object. Default 100,000.
    pub max_records: usize,
    /// Bytes of one row of a table. Default 64 KiB. JSON may stand on a single line, so it is not counted by lines.
    pub max_line: usize,
    /// Voxels of a volume, all its time points together. They are counted from the header, before anything is inflated or decoded.
    /// Default 32 Mi, about 256 MiB as numbers.
    pub max_voxels: usize,
    /// Frames of a multi-frame image, and files of a series. Default 4,096.
    pub max_frames: usize,
    /// How many times larger a compressed text may become. Default 100. An image says how large it is, so `max_voxels` bounds it:
    /// a mask that is empty but for a tumor shrinks more than 900 times.
    pub max_ratio: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 16 * 1024 * 1024,
            max_depth: 64,
            max_records: 100_000,
            max_line: 64 * 1024,
            max_voxels: 32 * 1024 * 1024,
            max_frames: 4096,
            max_ratio: 100,
        }
    }
}
