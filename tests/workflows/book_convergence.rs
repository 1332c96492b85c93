//! The table and the picture of convergence in the book are those that are computed. `TWIN_BLESS=1` writes them; without it a page that
//! differs fails.
#![allow(clippy::unwrap_used)]

use std::path::Path;

const BEGIN: &str = "<!-- convergence -->\n";
const END: &str = "<!-- /convergence -->";

#[test]
fn the_table_and_the_picture_of_convergence_are_the_computed_ones() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let (path, drawing) = (book.join("spatial.md"), book.join("pictures/convergence.svg"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let convergence = twin_tests::convergence::Convergence::computed().unwrap();
    let (computed, drawn) = (convergence.table(), convergence.picture().unwrap());
    if std::env::var("TWIN_BLESS").as_deref() == Ok("1") {
        std::fs::write(&path, format!("{before}{BEGIN}{computed}{END}{after}")).unwrap();
        std::fs::write(&drawing, drawn).unwrap();
    } else {
        assert_eq!(found, computed, "set TWIN_BLESS=1 to write the table");
        assert!(before.contains("pictures/convergence.svg") || after.contains("pictures/convergence.svg"));
        assert_eq!(std::fs::read_to_string(&drawing).unwrap(), drawn, "set TWIN_BLESS=1 to write the picture");
    }
}
