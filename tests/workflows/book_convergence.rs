//! The table of convergence in the book is the one that is computed. `TWIN_BLESS=1` writes it; without it a page that differs fails.
#![allow(clippy::unwrap_used)]

use std::path::Path;

const BEGIN: &str = "<!-- convergence -->\n";
const END: &str = "<!-- /convergence -->";

#[test]
fn the_table_of_convergence_is_the_computed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/spatial.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let computed = twin_tests::spatial::table().unwrap();
    if std::env::var("TWIN_BLESS").as_deref() == Ok("1") {
        std::fs::write(&path, format!("{before}{BEGIN}{computed}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, computed, "set TWIN_BLESS=1 to write the table");
    }
}
