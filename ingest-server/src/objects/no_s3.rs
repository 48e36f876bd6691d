//! Without the feature `s3` there is no bucket: the type has no value, so nothing behind it is ever reached.

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::sync::mpsc::Sender;

use super::lying::Lying;
use super::store::View;
use super::sweep::Left;
use super::{ObjectsError, PART_BYTES};
use crate::config::BucketConfig;

/// Behind a private field, so that the compiler takes what follows a bucket elsewhere for code that may run.
#[derive(Debug, Clone)]
pub struct Bucket {
    never: Never,
}

#[derive(Debug, Clone)]
enum Never {}

type Done<T> = Result<T, ObjectsError>;

#[expect(clippy::unused_async, reason = "the same form as with the feature")]
impl Bucket {
    pub fn open(_: &BucketConfig) -> Done<Self> {
        Err(ObjectsError::NoS3)
    }

    pub async fn check(&mut self) -> Done<()> {
        match self.never {}
    }

    pub fn name(&self) -> &str {
        match self.never {}
    }

    pub(super) fn part_bytes(&self) -> u64 {
        PART_BYTES
    }

    pub(super) async fn slot(&self) {
        match self.never {}
    }

    pub async fn origin(&self) -> Done<Option<String>> {
        match self.never {}
    }

    pub async fn signed_get(&self, _: &str, _: i64) -> Done<String> {
        match self.never {}
    }

    pub async fn signed_put(&self, _: &str, _: i64) -> Done<String> {
        match self.never {}
    }

    pub async fn put(&self, _: &str, _: Bytes) -> Done<()> {
        match self.never {}
    }

    pub async fn stat(&self, _: &str) -> Done<Option<View>> {
        match self.never {}
    }

    pub async fn stream(&self, _: &str, _: u64, _: u64) -> Done<Option<Box<dyn AsyncRead + Send + Unpin>>> {
        match self.never {}
    }

    pub async fn hash(&self, _: &str) -> Done<Option<String>> {
        match self.never {}
    }

    pub async fn read(&self, _: &str, _: u64) -> Done<Option<Vec<u8>>> {
        match self.never {}
    }

    pub(super) async fn copy(&self, _: &str, _: &str) -> Done<()> {
        match self.never {}
    }

    pub async fn remove(&self, _: &str) -> Done<()> {
        match self.never {}
    }

    pub(super) async fn hide(&self, _: &str) -> Done<()> {
        match self.never {}
    }

    pub(super) async fn begin(&self, _: &str, _: &str) -> Done<String> {
        match self.never {}
    }

    pub(super) async fn send_part(&self, _: &str, _: &str, _: u64, _: Bytes) -> Done<String> {
        match self.never {}
    }

    pub(super) async fn complete(&self, _: &str, _: &str, _: &[String]) -> Done<()> {
        match self.never {}
    }

    pub(super) async fn abort(&self, _: &str, _: &str) -> Done<()> {
        match self.never {}
    }

    pub(super) async fn parts(&self, _: &str, _: &str) -> Done<Vec<String>> {
        match self.never {}
    }

    pub(super) async fn unfinished(&self) -> Done<Vec<Left>> {
        match self.never {}
    }

    pub(super) async fn lying(&self, _: &str, _: &Sender<Done<Vec<Lying>>>) -> Done<()> {
        match self.never {}
    }

    pub(super) async fn list(&self, _: &str) -> Done<Vec<Left>> {
        match self.never {}
    }
}
