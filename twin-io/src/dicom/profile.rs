//! What may stay of a DICOM file that is handed on. Whatever is not listed goes.

use super::parse::Tag;

/// What is done with an element that is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Numbers in binary form stay.
    Binary,
    /// The pixels stay.
    Pixels,
    /// Numbers in text stay, if they are numbers.
    Numbers,
    /// Words stay that stand in [`WORDS`].
    Words,
    /// A unique identifier of the standard itself stays.
    Class,
    /// A unique identifier becomes another.
    Uid,
    /// A code of one of the [`SCHEMES`] stays.
    Code,
    /// The name of one of the [`SCHEMES`] stays.
    Scheme,
    /// A name stays if the caller lists it, else it becomes a number.
    Named,
    /// A sequence stays, with what is listed of its items.
    Items,
}

/// (0028,0301): whether something is burned into the pixels.
pub(super) const BURNED_IN: Tag = 0x0028_0301;

/// Elements that must be there, and may be empty.
pub(super) const EMPTIED: [Tag; 7] = [0x0008_0020, 0x0008_0030, 0x0008_0050, 0x0008_0090, 0x0010_0030, 0x0010_0040, 0x0020_0010];

/// Vocabularies whose codes stay.
pub(super) const SCHEMES: [&str; 9] = ["SCT", "SRT", "SNM3", "DCM", "LN", "UCUM", "FMA", "NCIt", "RADLEX"];

/// Words that the standard defines for the elements that are listed as [`Action::Words`].
pub(super) const WORDS: [&str; 79] = [
    "",
    "AX",
    "BQML",
    "BINARY",
    "BIOLOGICAL",
    "BEAM",
    "BRACHY",
    "CNTS",
    "CONTOUR",
    "CLOSED_PLANAR",
    "CLOSEDPLANAR_XOR",
    "CM2ML",
    "CONTROL_POINT",
    "COORDINATES",
    "CR",
    "CT",
    "DERIVED",
    "DX",
    "EFFECTIVE",
    "ELECTRON",
    "ERROR",
    "FRACTION",
    "FRACTIONAL",
    "FRACTION_SESSION",
    "GML",
    "GY",
    "INDEXED",
    "ISO_IR 100",
    "ISO_IR 192",
    "LABELMAP",
    "MG",
    "MONOCHROME1",
    "MONOCHROME2",
    "MR",
    "MULTI_PLAN",
    "NM",
    "NEUTRON",
    "NONE",
    "OBJECT",
    "OCCUPANCY",
    "OPEN_NONPLANAR",
    "OPEN_PLANAR",
    "ORGAN_AT_RISK",
    "ORIGINAL",
    "PALETTE COLOR",
    "PHOTON",
    "PHYSICAL",
    "PLAN",
    "PLAN_OVERVIEW",
    "POINT",
    "PRIMARY",
    "PROBABILITY",
    "PROTON",
    "PT",
    "RECORD",
    "RELATIVE",
    "RGB",
    "RTDOSE",
    "RTPLAN",
    "RTSTRUCT",
    "SC",
    "SECONDARY",
    "SEG",
    "SEMIAUTOMATIC",
    "MANUAL",
    "AUTOMATIC",
    "SITE",
    "SM",
    "START",
    "TARGET",
    "TREATMENT",
    "US",
    "VOLUME",
    "XA",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
    "ADMIN",
];

use Action::{Binary, Class, Code, Items, Named, Numbers, Pixels, Scheme, Uid, Words};

/// Each element that stays, in the order of tags, with its value representation (PS3.6).
const LISTED: &[(Tag, &[u8; 2], Action)] = &[
    (0x0008_0005, b"CS", Words),
    (0x0008_0008, b"CS", Words),
    (0x0008_0016, b"UI", Class),
    (0x0008_0018, b"UI", Uid),
    (0x0008_0060, b"CS", Words),
    (0x0008_0100, b"SH", Code),
    (0x0008_0102, b"SH", Scheme),
    (0x0008_0104, b"LO", Named),
    (0x0008_1140, b"SQ", Items),
    (0x0008_1150, b"UI", Class),
    (0x0008_1155, b"UI", Uid),
    (0x0008_1160, b"IS", Numbers),
    (0x0018_0050, b"DS", Numbers),
    (0x0018_0060, b"DS", Numbers),
    (0x0018_0080, b"DS", Numbers),
    (0x0018_0081, b"DS", Numbers),
    (0x0018_0088, b"DS", Numbers),
    (0x0018_1100, b"DS", Numbers),
    (0x0018_1120, b"DS", Numbers),
    (0x0018_1314, b"DS", Numbers),
    (0x0020_000D, b"UI", Uid),
    (0x0020_000E, b"UI", Uid),
    (0x0020_0011, b"IS", Numbers),
    (0x0020_0013, b"IS", Numbers),
    (0x0020_0032, b"DS", Numbers),
    (0x0020_0037, b"DS", Numbers),
    (0x0020_0052, b"UI", Uid),
    (0x0020_1041, b"DS", Numbers),
    (0x0020_9113, b"SQ", Items),
    (0x0020_9116, b"SQ", Items),
    (0x0028_0002, b"US", Binary),
    (0x0028_0004, b"CS", Words),
    (0x0028_0006, b"US", Binary),
    (0x0028_0008, b"IS", Numbers),
    (0x0028_0009, b"AT", Binary),
    (0x0028_0010, b"US", Binary),
    (0x0028_0011, b"US", Binary),
    (0x0028_0030, b"DS", Numbers),
    (0x0028_0100, b"US", Binary),
    (0x0028_0101, b"US", Binary),
    (0x0028_0102, b"US", Binary),
    (0x0028_0103, b"US", Binary),
    (0x0028_1050, b"DS", Numbers),
    (0x0028_1051, b"DS", Numbers),
    (0x0028_1052, b"DS", Numbers),
    (0x0028_1053, b"DS", Numbers),
    (0x0028_9110, b"SQ", Items),
    (0x0028_9145, b"SQ", Items),
    (0x0054_1001, b"CS", Words),
    (0x0062_0001, b"CS", Words),
    (0x0062_0002, b"SQ", Items),
    (0x0062_0003, b"SQ", Items),
    (0x0062_0004, b"US", Binary),
    (0x0062_0005, b"LO", Named),
    (0x0062_0008, b"CS", Words),
    (0x0062_000A, b"SQ", Items),
    (0x0062_000B, b"US", Binary),
    (0x0062_000E, b"US", Binary),
    (0x0062_000F, b"SQ", Items),
    (0x0062_0010, b"CS", Words),
    (0x3004_0002, b"CS", Words),
    (0x3004_0004, b"CS", Words),
    (0x3004_000A, b"CS", Words),
    (0x3004_000C, b"DS", Numbers),
    (0x3004_000E, b"DS", Numbers),
    (0x3006_0020, b"SQ", Items),
    (0x3006_0022, b"IS", Numbers),
    (0x3006_0024, b"UI", Uid),
    (0x3006_0026, b"LO", Named),
    (0x3006_0039, b"SQ", Items),
    (0x3006_0040, b"SQ", Items),
    (0x3006_0042, b"CS", Words),
    (0x3006_0046, b"IS", Numbers),
    (0x3006_0050, b"DS", Numbers),
    (0x3006_0084, b"IS", Numbers),
    (0x300A_0010, b"SQ", Items),
    (0x300A_0012, b"IS", Numbers),
    (0x300A_0014, b"CS", Words),
    (0x300A_0020, b"CS", Words),
    (0x300A_0026, b"DS", Numbers),
    (0x300A_0070, b"SQ", Items),
    (0x300A_0071, b"IS", Numbers),
    (0x300A_0078, b"IS", Numbers),
    (0x300A_0080, b"IS", Numbers),
    (0x300A_0084, b"DS", Numbers),
    (0x300A_0086, b"DS", Numbers),
    (0x300A_00B0, b"SQ", Items),
    (0x300A_00C0, b"IS", Numbers),
    (0x300A_00C6, b"CS", Words),
    (0x300A_0111, b"SQ", Items),
    (0x300A_0112, b"IS", Numbers),
    (0x300A_0114, b"DS", Numbers),
    (0x300C_0004, b"SQ", Items),
    (0x300C_0006, b"IS", Numbers),
    (0x5200_9229, b"SQ", Items),
    (0x5200_9230, b"SQ", Items),
    (0x7FE0_0010, b"OW", Pixels),
];

/// What is done with an element; `None` for one that goes.
pub(super) fn action(tag: Tag) -> Option<Action> {
    let index = LISTED.binary_search_by_key(&tag, |(tag, ..)| *tag).ok()?;
    LISTED.get(index).map(|(_, _, action)| *action)
}

/// The value representation of an element that is written.
pub(super) fn representation(tag: Tag) -> [u8; 2] {
    let index = LISTED.binary_search_by_key(&tag, |(tag, ..)| *tag);
    let listed = index.ok().and_then(|index| LISTED.get(index)).map(|(_, representation, _)| **representation);
    listed.unwrap_or(match tag {
        0x0002_0000 => *b"UL",
        0x0002_0001 => *b"OB",
        0x0002_0002 | 0x0002_0003 | 0x0002_0010 | 0x0002_0012 => *b"UI",
        0x0008_0020 | 0x0010_0030 => *b"DA",
        0x0008_0030 => *b"TM",
        0x0008_0050 | 0x0020_0010 => *b"SH",
        0x0008_0090 | 0x0010_0010 => *b"PN",
        0x0010_0040 | 0x0012_0062 => *b"CS",
        0x0012_0064 => *b"SQ",
        _ => *b"LO",
    })
}

#[cfg(test)]
mod tests {
    use super::LISTED;

    #[test]
    fn tags_stand_in_order() {
        assert!(LISTED.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
