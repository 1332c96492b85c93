#![no_main]
//! An audit log: one that is sound stays so.

use twin_io::governance::Audit;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(audit) = Audit::verify(text) {
        assert_eq!(audit.to_text(), text);
    }
});
