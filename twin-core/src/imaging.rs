//! Grids of voxels, masks and fields over them.

mod field;
mod grid;
mod mask;
mod resample;

pub use field::ScalarField;
pub use grid::Grid;
pub use mask::Mask;
