//! How long large files take to read, beside the readers of Python:
//! `cargo test -p twin-tests --test workflows_reading_speed -- --ignored --nocapture`, with `TWIN_PYTHON` naming an interpreter that has
//! pydicom, numpy, nibabel, pysam and cyvcf2. The runner `race` has the same rows.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[test]
#[ignore = "writes some 300 MB to the folder for temporary files"]
fn large_files() {
    for row in twin_tests::races::reading::rows().unwrap() {
        match (row.rival_s, row.ratio) {
            (Some(rival), Some(ratio)) => {
                println!("{}: ours {:.3} s, rival {rival:.3} s, ratio {ratio:.2}; {}", row.id, row.ours_s, row.what);
                assert!(ratio > 1.0, "{}", row.id);
            }
            _ => println!("{}: ours {:.3} s, rival absent; {}", row.id, row.ours_s, row.what),
        }
    }
}
