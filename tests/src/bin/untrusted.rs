//! Counts the calls of a VCF file, or the voxels of an image, in a process with a cap on its memory; the file is named on the standard input.
//!
//! It is run by the test `workflows_untrusted`, and takes its limits off on purpose: the cap is all that is left.

use twin_io::genomics::vcf;
use twin_io::nifti::Image;
use twin_io::{IoError, Limits, child};

fn main() -> Result<(), IoError> {
    let mut limits = Limits::default();
    (limits.max_bytes, limits.max_ratio, limits.max_line, limits.max_records) = (usize::MAX, usize::MAX, usize::MAX, usize::MAX);
    limits.max_voxels = usize::MAX;
    child::serve(|path| {
        let path = String::from_utf8_lossy(path);
        let count = match path.contains(".nii") {
            true => Image::read(path.as_ref(), &limits)?.values()?.len(),
            false => vcf::read(path.as_ref(), None, &limits)?.variants.len(),
        };
        Ok(count.to_string().into_bytes())
    })
}
