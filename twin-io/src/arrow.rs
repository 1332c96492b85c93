//! Data frames as Arrow IPC files (also known as Feather, version 2), out.
//!
//! ```
//! use twin_io::{arrow, dataframe::{Column, DataFrame, Values}};
//! let frame = DataFrame::new(vec![Column::new("patient", Values::Integer(vec![Some(1), None]))])?;
//! assert!(arrow::to_bytes(&frame)?.starts_with(b"ARROW1"));
//! # Ok::<(), twin_io::IoError>(())
//! ```

use crate::dataframe::{DataFrame, Values};
use crate::{IoError, Place, file};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The bytes of a file with this table; the unit of a column is metadata of its field, key `unit`.
///
/// # Errors
/// [`IoError::Invalid`] for a column of texts of more than 2 GiB.
pub fn to_bytes(frame: &DataFrame) -> Result<Vec<u8>, IoError> {
    let mut fields = Vec::with_capacity(frame.columns().len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(frame.columns().len());
    for column in frame.columns() {
        let (kind, array): (DataType, ArrayRef) = match &column.values {
            Values::Number(values) => (DataType::Float64, Arc::new(Float64Array::from(values.clone()))),
            Values::Integer(values) => (DataType::Int64, Arc::new(Int64Array::from(values.clone()))),
            Values::Boolean(values) => (DataType::Boolean, Arc::new(BooleanArray::from(values.clone()))),
            Values::Text(values) => {
                let bytes = values.iter().flatten().try_fold(0_i32, |sum, text| sum.checked_add(i32::try_from(text.len()).ok()?));
                if bytes.is_none() {
                    return Err(Place::default()
                        .field(&column.name)
                        .invalid("has more than 2 GiB of text, which an array cannot hold"));
                }
                (DataType::Utf8, Arc::new(StringArray::from(values.clone())))
            }
        };
        let unit = column.unit.iter().map(|unit| ("unit".to_owned(), unit.code().to_owned()));
        fields.push(Field::new(&column.name, kind, true).with_metadata(unit.collect::<HashMap<_, _>>()));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let written = || {
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(frame.rows()));
        let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)?;
        let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    written().map_err(|error: arrow_schema::ArrowError| Place::default().invalid(error.to_string()))
}

/// Writes a file that is not there yet.
///
/// # Errors
/// [`IoError::Exists`], [`IoError::Write`], and as [`to_bytes`].
pub fn write(path: impl AsRef<Path>, frame: &DataFrame) -> Result<(), IoError> {
    file::create(path.as_ref(), &to_bytes(frame)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dataframe::Column;
    use arrow_array::{Array, cast::AsArray, types::Float64Type};

    #[test]
    fn a_table_is_read_back_by_arrow_itself() {
        let frame = DataFrame::new(vec![
            Column::new("volume", Values::Number(vec![Some(1.5), None])).in_unit("mm3".parse().unwrap()),
            Column::new("arm", Values::Text(vec![Some("adaptive".to_owned()), Some(String::new())])),
            Column::new("alive", Values::Boolean(vec![None, Some(true)])),
        ])
        .unwrap();
        let bytes = to_bytes(&frame).unwrap();
        let mut reader = arrow_ipc::reader::FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
        let batch = reader.next().unwrap().unwrap();
        assert_eq!(batch.schema().field(0).metadata()["unit"], "mm3");
        let volume = batch.column(0).as_primitive::<Float64Type>();
        assert!((volume.value(0) - 1.5).abs() < f64::EPSILON && volume.is_null(1));
        assert_eq!(batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("adaptive"), Some("")]);
        assert_eq!(batch.column(2).as_boolean().iter().collect::<Vec<_>>(), [None, Some(true)]);
        assert!(reader.next().is_none());
        assert!(!to_bytes(&DataFrame::default()).unwrap().is_empty());
    }
}
