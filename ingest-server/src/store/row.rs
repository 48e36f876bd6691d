//! From columns to types and back.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shared_types::timestamp::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::StoreError;

fn wrong(column: &'static str, value: &str) -> StoreError {
    StoreError::Value { column, value: value.to_owned() }
}

pub fn text(row: &AnyRow, column: &'static str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

pub fn maybe_text(row: &AnyRow, column: &'static str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

pub fn number(row: &AnyRow, column: &'static str) -> Result<i64, StoreError> {
    Ok(row.try_get(column)?)
}

pub fn maybe_number(row: &AnyRow, column: &'static str) -> Result<Option<i64>, StoreError> {
    Ok(row.try_get(column)?)
}

pub fn maybe_float(row: &AnyRow, column: &'static str) -> Result<Option<f64>, StoreError> {
    Ok(row.try_get(column)?)
}

/// An id of any noun.
pub fn id<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    let value = text(row, column)?;
    value.parse().map_err(|_| wrong(column, &value))
}

pub fn maybe_id<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<Option<T>, StoreError> {
    maybe_text(row, column)?.map(|value| value.parse().map_err(|_| wrong(column, &value))).transpose()
}

pub fn at(row: &AnyRow, column: &'static str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(number(row, column)?))
}

pub fn maybe_at(row: &AnyRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(maybe_number(row, column)?.map(Timestamp::from_millis))
}

/// A stage, a role or a kind, by its one string.
pub fn word<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    of_word(column, &text(row, column)?)
}

/// A word of an enumeration, as a column has it.
pub fn of_word<T: DeserializeOwned>(column: &'static str, value: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(value.to_owned())).map_err(|_| wrong(column, value))
}

pub fn json<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    let value = text(row, column)?;
    serde_json::from_str(&value).map_err(|error| wrong(column, &error.to_string()))
}

pub fn maybe_json<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<Option<T>, StoreError> {
    let value = maybe_text(row, column)?;
    value.map(|value| serde_json::from_str(&value).map_err(|error| wrong(column, &error.to_string()))).transpose()
}

/// What a JSON column is given; types of ours always serialise.
pub fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The one string of a stage, a role or a kind.
pub fn to_word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
