//! A glioma in a brain, left alone and irradiated: what the scan shows, and what lies beyond it.
//!
//! `cargo run --release -p twin-trials --example glioma_radiotherapy [-- WHITE.nii.gz GRAY.nii.gz]`, probability maps of white and gray
//! matter on one grid (as of the ICBM 152 template); without them in a made-up head. Writes `target/glioma_radiotherapy.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use twin_core::{AbsorbedDose, Grid, Mask, Observable, Random, ScalarField, Target, Time, TimedTreatment, Treatment, Unit};
use twin_io::{Limits, nifti::Image};
use twin_models::Model;
use twin_models::spatial::{Anatomy, LogisticGrowth, ReactionDiffusion, Tissue};
use twin_trials::report::{Block, Figure, Plot, Report, Section, Slice, SlicesFigure};

type Failure = Box<dyn std::error::Error>;

/// White and gray matter.
fn brain(files: &[String]) -> Result<[Mask; 2], Failure> {
    if let [white, gray] = files {
        let read = |path: &String| -> Result<ScalarField, Failure> {
            Ok(Image::read(path, &Limits::default())?.volume(0, Unit::dimensionless())?.to_scalar_field()?)
        };
        let (white, gray) = (read(white)?, read(gray)?);
        let highest = white.values().iter().fold(0.0_f64, |high, value| high.max(*value));
        let pairs = || white.values().iter().zip(gray.values());
        let is_white = pairs().map(|(w, g)| w >= g && w + g > 0.5 * highest).collect();
        let is_gray = pairs().map(|(w, g)| w < g && w + g > 0.5 * highest).collect();
        return Ok([Mask::new(white.grid().clone(), is_white)?, Mask::new(gray.grid().clone(), is_gray)?]);
    }
    let grid = Grid::new([72, 88, 70], [2.0; 3])?;
    let radius = |index: usize, radii: [f64; 3]| {
        let [i, j, k] = grid.voxel(index).unwrap_or_default().map(|n| n as f64);
        [(i - 35.5) / radii[0], (j - 43.5) / radii[1], (k - 34.5) / radii[2]].iter().map(|x| x * x).sum::<f64>()
    };
    let ventricle = |index| radius(index, [6.0, 13.0, 8.0]) < 1.0;
    let white = |index| radius(index, [26.0, 34.0, 25.0]) < 1.0 && !ventricle(index);
    let gray = |index| radius(index, [33.0, 41.0, 32.0]) < 1.0 && !white(index) && !ventricle(index);
    let mask = |inside: &dyn Fn(usize) -> bool| Mask::new(grid.clone(), (0..grid.voxels()).map(inside).collect());
    Ok([mask(&white)?, mask(&gray)?])
}

fn main() -> Result<(), Failure> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [white, gray] = brain(&files)?;
    let grid = white.grid().clone();
    let region = Mask::new(grid.clone(), white.inside().iter().zip(gray.inside()).map(|(a, b)| *a || *b).collect())?;
    // A tumor of some millimeters, in the white matter of one side.
    let center = grid.shape().map(|n| n as f64).iter().zip([0.66, 0.55, 0.55]).map(|(n, share)| n * share).collect::<Vec<_>>();
    let seed = (0..grid.voxels()).map(|index| {
        let at = grid.voxel(index).unwrap_or_default().map(|n| n as f64);
        let squares = (0..3).map(|axis| ((at[axis] - center[axis]) * grid.spacing_mm()[axis]).powi(2));
        if region.inside()[index] { 0.9 * (-squares.sum::<f64>() / 30.0).exp() } else { 0.0 }
    });
    let seed = ScalarField::on(grid.clone(), Unit::dimensionless(), seed.map(|c| if c < 1e-3 { 0.0 } else { c }).collect())?;
    let tissues = [Tissue { region: white, relative_diffusivity: 1.0 }, Tissue { region: gray, relative_diffusivity: 0.2 }];
    let model = ReactionDiffusion::<LogisticGrowth>::new(Anatomy::new(region.clone(), &seed)?.with_tissues(&tissues)?);

    let cellularity = Observable::new("cellularity")?;
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
    let weekdays = (0..42).filter(|day| day % 7 < 5).map(f64::from);
    let fractions = weekdays.map(|day| Ok(TimedTreatment::new(Time::from_days(60.0 + day)?, fraction.clone())));
    let fractions = fractions.collect::<Result<Vec<_>, twin_core::CoreError>>()?;
    let mut slices = Vec::new();
    for (label, treatments) in [("untreated", &[][..]), ("30 x 2 Gy", &fractions[..])] {
        let mut course = model.start(&model.spec().defaults()?, Time::ORIGIN, &mut Random::new(1))?;
        let mut due = treatments.iter().peekable();
        for day in [60.0, 105.0, 180.0] {
            let look = Time::from_days(day)?;
            while let Some(next) = due.next_if(|next| next.time < look) {
                course.advance(next.time)?;
                course.treat(&next.treatment)?;
            }
            course.advance(look)?;
            let field = course.fields().and_then(|fields| fields.observe_field(&cellularity)).ok_or("the model shows no field")?;
            slices.push(Slice::of(format!("{label}, day {day}"), &field, &region, center[2] as usize)?);
            let seen = field.values().iter().filter(|c| **c >= 0.16).count() as f64 * grid.voxel_volume_mm3() / 1000.0;
            println!("{label}, day {day}: {seen:.1} mL visible on FLAIR");
        }
    }
    let plot = Plot::Slices(SlicesFigure { label: "Cellularity".into(), unit: String::new(), limits: (0.01, 0.81), slices });
    let caption = "Share of the densest packing of cells. A scan shows what lies above 0.16 (FLAIR) and 0.8 (contrast).";
    let mut report = Report::new("A glioma, left alone and irradiated");
    report
        .sections
        .push(Section { heading: "What lies beyond the scan".into(), blocks: vec![Block::Figure(Figure::new(caption, plot))] });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/glioma_radiotherapy.html", report.to_html()?)?;
    println!("wrote target/glioma_radiotherapy.html");
    Ok(())
}
