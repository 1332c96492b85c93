#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::dataframe::{Column, Values};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::record::Field;
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use std::sync::Arc;

fn read(bytes: &[u8]) -> Result<DataFrame, IoError> {
    parse(bytes, "table.parquet", &Limits::default())
}

fn any_frame() -> impl Strategy<Value = DataFrame> {
    use proptest::collection::vec;
    use proptest::option::of;
    (0..40_usize).prop_flat_map(|rows| {
        let texts = vec(of(".{0,12}"), rows);
        (
            vec(of(any::<f64>().prop_filter("NaN is not itself", |x| !x.is_nan())), rows),
            vec(of(any::<i64>()), rows),
            texts,
            vec(of(any::<bool>()), rows),
        )
            .prop_map(|(numbers, integers, texts, flags)| {
                DataFrame::new(vec![
                    Column::new("number", Values::Number(numbers)).in_unit("mg/L".parse().unwrap()),
                    Column::new("whole", Values::Integer(integers)),
                    Column::new("text, with \"comma\"", Values::Text(texts)),
                    Column::new("flag", Values::Boolean(flags)),
                ])
                .unwrap()
            })
    })
}

proptest! {
    #[test]
    fn what_is_written_comes_back(frame in any_frame()) {
        prop_assert_eq!(read(&to_bytes(&frame).unwrap()).unwrap(), frame);
    }

    #[test]
    fn another_reader_agrees(frame in any_frame()) {
        let reader = SerializedFileReader::new(bytes::Bytes::from(to_bytes(&frame).unwrap())).unwrap();
        prop_assert_eq!(reader.metadata().file_metadata().num_rows() as usize, frame.rows());
        for (row, theirs) in reader.get_row_iter(None).unwrap().enumerate() {
            let theirs = theirs.unwrap();
            for (column, (name, field)) in frame.columns().iter().zip(theirs.get_column_iter()) {
                prop_assert_eq!(name, &column.name);
                let text = match field {
                    Field::Null => None,
                    Field::Double(value) => Some(value.to_string()),
                    Field::Long(value) => Some(value.to_string()),
                    Field::Str(value) => Some(value.clone()),
                    Field::Bool(value) => Some(value.to_string()),
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(text, column.values.text(row));
            }
        }
    }

    #[test]
    fn damage_is_an_error_or_another_table(frame in any_frame(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = to_bytes(&frame).unwrap();
        let _ = read(&bytes[..cut.index(bytes.len())]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}

/// A file of the crate `parquet`: dates, timestamps, whole numbers, texts that repeat.
fn foreign(properties: WriterProperties) -> Vec<u8> {
    let schema = "message schema {
        required int32 day (DATE);
        optional int64 at (TIMESTAMP(MICROS,true));
        optional int32 count (INTEGER(32,false));
        optional binary drug (STRING);
        required double dose;
    }";
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(parse_message_type(schema).unwrap()), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let levels: Vec<i16> = (0..1000).map(|row| i16::from(row % 3 != 0)).collect();
    let there: Vec<i64> = (0..1000).filter(|row| row % 3 != 0).collect();
    let mut index = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match index {
            0 => {
                let days: Vec<i32> = (0..1000).map(|row| 19_782 + row % 10).collect();
                column.typed::<Int32Type>().write_batch(&days, None, None).unwrap();
            }
            1 => {
                let times: Vec<i64> = there.iter().map(|row| 1_709_164_800_000_000 + row * 500_000).collect();
                column.typed::<Int64Type>().write_batch(&times, Some(&levels), None).unwrap();
            }
            2 => {
                let counts: Vec<i32> = there.iter().map(|row| -(*row as i32)).collect();
                column.typed::<Int32Type>().write_batch(&counts, Some(&levels), None).unwrap();
            }
            3 => {
                let drugs: Vec<_> = there.iter().map(|row| ["temozolomide", "cisplatin"][*row as usize % 2].into()).collect();
                column.typed::<ByteArrayType>().write_batch(&drugs, Some(&levels), None).unwrap();
            }
            _ => {
                let doses: Vec<f64> = (0..1000).map(|row| f64::from(row) / 7.0).collect();
                column.typed::<DoubleType>().write_batch(&doses, None, None).unwrap();
            }
        }
        column.close().unwrap();
        index += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn files_of_another_writer_are_read() {
    let properties = || WriterProperties::builder().set_data_page_row_count_limit(100).set_write_batch_size(50);
    for (name, properties) in [
        ("dictionaries", properties().set_compression(Compression::SNAPPY)),
        ("plain", properties().set_dictionary_enabled(false)),
        (
            "version 2",
            properties()
                .set_writer_version(WriterVersion::PARQUET_2_0)
                .set_compression(Compression::SNAPPY)
                .set_encoding(Encoding::PLAIN),
        ),
    ] {
        let frame = read(&foreign(properties.build())).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = |column: &str, row| frame.column(column).unwrap().values.text(row);
        assert_eq!(frame.rows(), 1000, "{name}");
        assert_eq!(text("day", 0).unwrap(), "2024-02-29", "{name}");
        assert_eq!(text("day", 999).unwrap(), "2024-03-09", "{name}");
        assert_eq!(text("at", 3), None, "{name}");
        assert_eq!(text("at", 1).unwrap(), "2024-02-29T00:00:00.5", "{name}");
        assert_eq!(text("at", 998).unwrap(), "2024-02-29T00:08:19", "{name}");
        assert_eq!(text("count", 1).unwrap(), u32::MAX.to_string(), "{name}");
        assert_eq!(text("drug", 2).unwrap(), "temozolomide", "{name}");
        assert_eq!(text("drug", 997).unwrap(), "cisplatin", "{name}");
        assert_eq!(text("dose", 21).unwrap(), "3", "{name}");
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let delta = WriterProperties::builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BINARY_PACKED);
    let delta =
        delta.set_column_encoding("drug".into(), Encoding::PLAIN).set_column_encoding("dose".into(), Encoding::PLAIN).build();
    assert!(read(&foreign(delta)).unwrap_err().to_string().contains("this encoding of values is not read"));
    let nested = "message schema { required group g { required int32 x; } }";
    let mut bytes = Vec::new();
    SerializedFileWriter::new(&mut bytes, Arc::new(parse_message_type(nested).unwrap()), Arc::default()).unwrap().close().unwrap();
    assert!(read(&bytes).unwrap_err().to_string().contains("a column of columns"), "{}", read(&bytes).unwrap_err());
    assert!(matches!(read(b"PAR1PAR1"), Err(IoError::Format { .. })));
}

#[test]
fn a_file_cannot_take_more_than_it_may() {
    let long = "x".repeat(1000);
    let column = |rows: usize| Column::new("text", Values::Text(vec![Some(long.clone()); rows]));
    let bytes = to_bytes(&DataFrame::new(vec![column(5000)]).unwrap()).unwrap();
    assert!(bytes.len() < 1 << 20);
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(parse(&bytes, "bomb", &limits), Err(IoError::Limit { .. })));
    let limits = Limits { max_records: 4999, ..Limits::default() };
    assert!(matches!(parse(&bytes, "long", &limits), Err(IoError::Limit { raise: "max_records", .. })));
}
