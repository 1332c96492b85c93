//! The cases of `reference/tumortwin`: a plain reference of its rules, and ours beside it.

use super::{Claim, words};
use crate::data;
use crate::npz;
use crate::tumortwin::{Kinetics, solve};
use crate::tumortwin_cases::{Inputs, column, far_from_walls, ours};
use std::path::PathBuf;

const SOURCE: &str = "reference/tumortwin/SOURCE.md (fields computed with the program)";
const FOLDER: &str = "reference/tumortwin";

fn claim(
    id: String,
    claim: String,
    (expected, tolerance): (f64, f64),
    quick: bool,
    run: impl Fn(PathBuf, Inputs) -> Result<f64, String> + Send + Sync + 'static,
) -> Claim {
    let name = id.clone();
    let run = move || match data(&name, FOLDER) {
        Some(folder) => Inputs::read(&folder).and_then(|inputs| run(folder, inputs)).map(Some),
        None => Ok(None),
    };
    Claim { id, claim, source: SOURCE, expected, tolerance, quick, run: Box::new(run) }
}

fn sum(fields: &[Vec<f64>]) -> f64 {
    fields.last().map_or(f64::NAN, |field| field.iter().sum())
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    let files = [
        ("A", "A_growth", 120.0),
        ("B", "B_growth_rt", 120.0),
        ("C1", "C1_growth_fastdrug", 120.0),
        ("C2", "C2_growth_slowdrug", 120.0),
        ("D", "D_growth_rt_fastdrug", 120.0),
        ("E", "E_hetero_d", 120.0),
        ("F", "F_diffusion_only", 300.0),
    ];
    for (name, file, end) in files {
        let id = format!("tumortwin.rules_{name}");
        let what = format!("case {name}: largest difference of the field by a plain reference of its rules");
        claims.push(claim(id, what, (0.0, 1.1e-6), matches!(name, "A" | "C1"), move |folder, inputs| {
            let fields = solve(&inputs.case(name), 0.5, Kinetics::AtStages, &[end]);
            let arrays = npz::read(&folder.join(format!("{file}_dt0.5_final.npz")))?;
            let theirs = arrays.get("cellularity").ok_or("no field")?.first_axis_fastest();
            let field = fields.last().ok_or("no field of ours")?;
            Ok(field.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
        }));
    }
    for (name, file) in [("C1", "C1_growth_fastdrug"), ("C2", "C2_growth_slowdrug"), ("D", "D_growth_rt_fastdrug")] {
        let id = format!("tumortwin.exact_in_time_{name}");
        let what = format!("case {name}: the same reference with the drug exact in time, relative to the sum on day 120");
        claims.push(claim(id, what, (1.0, 1e-4), false, move |folder, inputs| {
            let fields = solve(&inputs.case(name), 0.25, Kinetics::Exact, &[120.0]);
            let days = column(&folder.join("time_exact_drug_sum_cellularity.csv"), file)?;
            Ok(sum(&fields) / days.last().ok_or("no day")?)
        }));
    }
    for (name, tolerance) in [("A", 1e-4), ("B", 1e-4), ("C1", 1e-3), ("C2", 1e-3), ("D", 1e-3)] {
        let id = format!("tumortwin.ours_{name}");
        let what = format!("case {name} far from walls: cells by ours at half a day, relative to the reference exact in time");
        claims.push(claim(id, what, (1.0, tolerance), false, move |_, inputs| {
            let case = far_from_walls(&inputs.case(name));
            let reference = solve(&case, 0.5, Kinetics::Exact, &[120.0]);
            Ok(sum(&ours(&case, 0.5, &[120.0]).map_err(words)?) / sum(&reference))
        }));
    }
    claims.push(claim(
        "tumortwin.walls_shrink".to_owned(),
        "case A: how much of the difference at the walls is left at half the spacing".to_owned(),
        (0.5, 0.2),
        false,
        |_, inputs| {
            let difference = |case: &crate::tumortwin::Case| -> Result<f64, String> {
                let theirs = solve(case, 0.5, Kinetics::Exact, &[120.0]);
                Ok((sum(&ours(case, 0.5, &[120.0]).map_err(words)?) / sum(&theirs) - 1.0).abs())
            };
            let case = inputs.case("A");
            Ok(difference(&case.refined())? / difference(&case)?)
        },
    ));
    claims
}
