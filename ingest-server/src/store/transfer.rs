//! From SQLite to PostgreSQL, table by table, in one transaction that is compared before it is committed.
//!
//! The statements are put together from the tables as SQLite describes them, so that no list of columns can go stale.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row};

use super::{StoreError, Tx, row};

const PAGE: i64 = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Float,
    Bytes,
}

/// Rows, and a sum of their hashes that their order does not change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub rows: u64,
    sum: u128,
}

/// All tables with data of ours, those that others refer to first.
pub async fn tables(from: &mut Tx) -> Result<Vec<Table>, StoreError> {
    let names = sqlx::query(include_str!("sql/transfer/tables_sqlite.sql")).fetch_all(&mut **from).await?;
    let mut waiting = BTreeMap::new();
    for name in &names {
        let name = row::text(name, "name")?;
        let needs = sqlx::query(include_str!("sql/transfer/references_sqlite.sql")).bind(&name);
        let needs = needs.fetch_all(&mut **from).await?;
        let needs: Result<BTreeSet<String>, _> = needs.iter().map(|found| row::text(found, "name")).collect();
        waiting.insert(name, needs?);
    }
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_done =
            |needs: &BTreeSet<String>| needs.iter().all(|needed| ordered.iter().any(|done| done.name == *needed));
        let Some(name) = waiting.iter().find(|(_, needs)| is_done(needs)).map(|(name, _)| name.clone()) else {
            let names = waiting.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(StoreError::Value { column: "references between tables", value: names });
        };
        waiting.remove(&name);
        ordered.push(Table { columns: columns(from, &name).await?, name });
    }
    Ok(ordered)
}

async fn columns(from: &mut Tx, table: &str) -> Result<Vec<Column>, StoreError> {
    let found = sqlx::query(include_str!("sql/transfer/columns_sqlite.sql")).bind(table).fetch_all(&mut **from).await?;
    let column = |found: &AnyRow| {
        let declared = row::text(found, "declared")?.to_lowercase();
        let kind = match declared.as_str() {
            "text" => Kind::Text,
            "bigint" | "smallint" | "integer" => Kind::Number,
            "double precision" | "real" => Kind::Float,
            "blob" => Kind::Bytes,
            _ => return Err(StoreError::Value { column: "type of a column", value: declared }),
        };
        Ok(Column { name: row::text(found, "name")?, kind })
    };
    found.iter().map(column).collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Float(Option<f64>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    fn read(found: &AnyRow, column: &Column) -> Result<Self, StoreError> {
        let name = column.name.as_str();
        Ok(match column.kind {
            Kind::Text => Self::Text(found.try_get(name)?),
            Kind::Number => Self::Number(found.try_get(name)?),
            Kind::Float => Self::Float(found.try_get(name)?),
            Kind::Bytes => Self::Bytes(found.try_get(name)?),
        })
    }

    fn hash(&self, hash: &mut Sha256) {
        let (mark, bytes) = match self {
            Self::Text(value) => (b't', value.as_ref().map(|text| text.as_bytes().to_vec())),
            Self::Number(value) => (b'n', value.map(|number| number.to_be_bytes().to_vec())),
            Self::Float(value) => (b'f', value.map(|float| float.to_be_bytes().to_vec())),
            Self::Bytes(value) => (b'b', value.clone()),
        };
        hash.update([mark, u8::from(bytes.is_some())]);
        let bytes = bytes.unwrap_or_default();
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(&bytes);
    }
}

impl Tally {
    fn add(&mut self, values: &[Value]) {
        let mut hash = Sha256::new();
        for value in values {
            value.hash(&mut hash);
        }
        let digest = hash.finalize();
        let first = digest.first_chunk::<16>().copied().unwrap_or_default();
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
        self.rows += 1;
    }
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
    }

    /// Whether there is no row.
    pub async fn is_empty(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let text = AssertSqlSafe(format!("select count(*) as found from \"{}\"", self.name));
        Ok(row::number(&sqlx::query(text).fetch_one(&mut **tx).await?, "found")? == 0)
    }

    /// Copies every row. `parts` says where the received bytes of growing uploads lie from now on.
    pub async fn copy(
        &self,
        from: &mut Tx,
        to: &mut Tx,
        parts: &BTreeMap<String, String>,
    ) -> Result<Tally, StoreError> {
        let (table, names) = (&self.name, self.names());
        let places = (1..=self.columns.len()).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
        let insert = format!("insert into \"{table}\" ({names}) values ({places})");
        let select = format!(
            "select rowid as row_number, {names} from \"{table}\" where rowid > $1 order by rowid limit {PAGE}"
        );
        let (mut tally, mut after) = (Tally::default(), i64::MIN);
        loop {
            let page = sqlx::query(AssertSqlSafe(select.clone())).bind(after).fetch_all(&mut **from).await?;
            let Some(last) = page.last() else { return Ok(tally) };
            after = row::number(last, "row_number")?;
            for found in &page {
                let values = self.values(found, parts)?;
                tally.add(&values);
                let query = values.into_iter().fold(sqlx::query(AssertSqlSafe(insert.clone())), bound);
                query.execute(&mut **to).await?;
            }
        }
    }

    fn values(&self, found: &AnyRow, parts: &BTreeMap<String, String>) -> Result<Vec<Value>, StoreError> {
        let values: Result<Vec<Value>, _> = self.columns.iter().map(|column| Value::read(found, column)).collect();
        let mut values = values?;
        if self.name == "upload"
            && let Some(at) = self.columns.iter().position(|column| column.name == "parts")
            && let Some(text) = parts.get(&row::text(found, "id")?)
        {
            values[at] = Value::Text(Some(text.clone()));
        }
        Ok(values)
    }

    /// What lies in the table now.
    pub async fn tally(&self, tx: &mut Tx) -> Result<Tally, StoreError> {
        use futures_util::TryStreamExt;
        let text = AssertSqlSafe(format!("select {} from \"{}\"", self.names(), self.name));
        let mut rows = sqlx::query(text).fetch(&mut **tx);
        let mut tally = Tally::default();
        while let Some(found) = rows.try_next().await? {
            tally.add(&self.values(&found, &BTreeMap::new())?);
        }
        Ok(tally)
    }
}

fn bound(
    query: Query<'_, Any, <Any as sqlx::Database>::Arguments>,
    value: Value,
) -> Query<'_, Any, <Any as sqlx::Database>::Arguments> {
    match value {
        Value::Text(value) => query.bind(value),
        Value::Number(value) => query.bind(value),
        Value::Float(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    }
}

/// SHA-256 of every object that a row tells of, by its key; not of media whose time was over.
pub async fn told_hashes(from: &mut Tx) -> Result<BTreeMap<String, String>, StoreError> {
    let found = sqlx::query(include_str!("sql/transfer/told_hashes.sql")).fetch_all(&mut **from).await?;
    found.iter().map(|found| Ok((row::text(found, "object_key")?, row::text(found, "sha256")?))).collect()
}

/// Uploads that still grow and have bytes.
pub async fn growing(from: &mut Tx) -> Result<Vec<super::upload::Upload>, StoreError> {
    let found = sqlx::query(include_str!("sql/transfer/growing.sql")).fetch_all(&mut **from).await?;
    found.iter().map(super::upload::upload).collect()
}
