//! A bucket of S3, at AWS or at any server that speaks its protocol. The only file that names the SDK.
//!
//! Checksums of the SDK's own are sent only where S3 demands them, because other servers refuse them; the hash that
//! counts is the upload's SHA-256. Its watch over slow bodies is off for uploads: it ends healthy slow ones. Anything
//! that is not AWS is addressed by path, for few of them have a host name for each bucket.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Object};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use shared_types::timestamp::Timestamp;
use tokio::io::AsyncRead;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lying::Lying;
use super::store::View;
use super::sweep::Left;
use super::{LONGEST_OBJECT, ObjectsError, PART_BYTES, is_key, kind};
use crate::config::BucketConfig;
use crate::secret::hex;

/// Parts of all uploads that are on their way at once; each is held in memory.
const MOST_PARTS: usize = 16;
/// Of one attempt, until the answer begins.
const PATIENCE: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 4;
/// S3 copies no more than 5 GiB in one request.
const MOST_COPIED: u64 = 5 << 30;
const COPIED_AT_ONCE: u64 = 1 << 30;
/// In the metadata of an object that was an upload.
const TOKEN: &str = "upload-token";

#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    slots: Arc<Semaphore>,
    part_bytes: u64,
    /// What is removed or written over stays there as an earlier version, unless that is removed too.
    keeps_versions: bool,
}

impl Bucket {
    pub fn open(config: &BucketConfig) -> Result<Self, ObjectsError> {
        let http = aws_smithy_http_client::Builder::new();
        let http = http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let credentials = Credentials::new(
            &config.access_key,
            &config.secret_key,
            config.session_token.clone(),
            None,
            "the environment",
        );
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(PATIENCE).build();
        let mut settings = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .http_client(http)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().upload_enabled(false).build())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        if let Some(endpoint) = &config.endpoint {
            settings = settings.endpoint_url(endpoint).force_path_style(!is_aws(endpoint));
        }
        let (client, slots) = (Client::from_conf(settings.build()), Arc::new(Semaphore::new(MOST_PARTS)));
        Ok(Self { client, name: config.name.clone(), slots, part_bytes: PART_BYTES, keeps_versions: false })
    }

    /// That the bucket is there and these credentials open it; learns whether it keeps versions.
    pub async fn check(&mut self) -> Result<(), ObjectsError> {
        self.client.head_bucket().bucket(&self.name).send().await.map_err(told("be opened"))?;
        match self.client.get_bucket_versioning().bucket(&self.name).send().await {
            // Also where it was suspended: what was kept before that is still there.
            Ok(found) => self.keeps_versions = found.status().is_some(),
            // Not every server has versions.
            Err(error) if [Some(404), Some(405), Some(501)].contains(&status(&error)) => {}
            Err(error) => {
                let error = told("tell whether it keeps versions")(error);
                tracing::warn!(%error, "if it does, what is removed stays; allow s3:GetBucketVersioning");
            }
        }
        Ok(())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn part_bytes(&self) -> u64 {
        self.part_bytes
    }

    /// A place among the parts that are on their way.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// Scheme and host of its signed addresses.
    pub async fn origin(&self) -> Result<Option<String>, ObjectsError> {
        let signed = self.signed_get("origin", 1).await?;
        Ok(super::store::origin(&signed))
    }

    pub async fn signed_get(&self, key: &str, ttl_secs: i64) -> Result<String, ObjectsError> {
        let request = self.client.get_object().bucket(&self.name).key(checked(key)?).response_content_type(kind(key));
        let signed = request.presigned(expiry(ttl_secs)?).await.map_err(told("sign"))?;
        Ok(signed.uri().to_owned())
    }

    pub async fn signed_put(&self, key: &str, ttl_secs: i64) -> Result<String, ObjectsError> {
        let request = self.client.put_object().bucket(&self.name).key(checked(key)?);
        let signed = request.presigned(expiry(ttl_secs)?).await.map_err(told("sign"))?;
        Ok(signed.uri().to_owned())
    }

    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectsError> {
        let request = self.client.put_object().bucket(&self.name).key(checked(key)?);
        let length = bytes.len() as i64;
        let sent = request.content_length(length).body(ByteStream::from(bytes)).send().await;
        sent.map(drop).map_err(told("store an object"))
    }

    /// What an object is; none if there is no such.
    pub async fn stat(&self, key: &str) -> Result<Option<View>, ObjectsError> {
        let view = |found: HeadObjectOutput| View {
            bytes: found.content_length().unwrap_or_default() as u64,
            tag: found.e_tag().unwrap_or_default().to_owned(),
            token: found.metadata().and_then(|metadata| metadata.get(TOKEN)).cloned(),
        };
        match self.client.head_object().bucket(&self.name).key(checked(key)?).send().await {
            Ok(found) => Ok(Some(view(found))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(told("look for an object")(error)),
        }
    }

    /// The bytes from `from` up to `to`, not included; none if there is no such object.
    pub async fn stream(
        &self,
        key: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<Box<dyn AsyncRead + Send + Unpin>>, ObjectsError> {
        if from >= to {
            return Ok(Some(Box::new(tokio::io::empty())));
        }
        let request = self.client.get_object().bucket(&self.name).key(checked(key)?);
        match request.range(format!("bytes={from}-{}", to - 1)).send().await {
            Ok(found) => Ok(Some(Box::new(found.body.into_async_read()))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(told("read an object")(error)),
        }
    }

    async fn whole(&self, key: &str) -> Result<Option<ByteStream>, ObjectsError> {
        match self.client.get_object().bucket(&self.name).key(checked(key)?).send().await {
            Ok(found) => Ok(Some(found.body)),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(told("read an object")(error)),
        }
    }

    /// SHA-256 of an object; all of it comes here for that.
    pub async fn hash(&self, key: &str) -> Result<Option<String>, ObjectsError> {
        let Some(mut body) = self.whole(key).await? else { return Ok(None) };
        let mut hash = Sha256::new();
        while let Some(piece) = body.next().await {
            hash.update(piece.map_err(std::io::Error::other)?);
        }
        Ok(Some(hex(&hash.finalize())))
    }

    /// A small object as a whole; none if there is no such or it is longer than `most`.
    pub async fn read(&self, key: &str, most: u64) -> Result<Option<Vec<u8>>, ObjectsError> {
        let Some(mut body) = self.whole(key).await? else { return Ok(None) };
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(std::io::Error::other)?);
            if bytes.len() as u64 > most.min(LONGEST_OBJECT) {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }

    /// Removes an object for good; one that is not there is fine.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectsError> {
        if self.keeps_versions {
            return self.remove_versions(key).await;
        }
        self.hide(key).await
    }

    /// Removes an object; where versions are kept they are, behind a mark.
    pub(super) async fn hide(&self, key: &str) -> Result<(), ObjectsError> {
        let removed = self.client.delete_object().bucket(&self.name).key(checked(key)?).send().await;
        removed.map(drop).map_err(told("remove an object"))
    }

    /// Also the marks that tell of a removal, so that nothing at all is left of the key.
    async fn remove_versions(&self, key: &str) -> Result<(), ObjectsError> {
        loop {
            let request = self.client.list_object_versions().bucket(&self.name).prefix(checked(key)?);
            let page = request.send().await.map_err(told("list an object's versions"))?;
            let versions = page.versions().iter().map(|found| (found.key(), found.version_id()));
            let marks = page.delete_markers().iter().map(|found| (found.key(), found.version_id()));
            // Keys are told in order, and no other that begins like it comes before it.
            let own: Vec<_> = versions.chain(marks).filter(|(found, _)| *found == Some(key)).collect();
            if own.is_empty() {
                return Ok(());
            }
            for (_, version) in own {
                let request = self.client.delete_object().bucket(&self.name).key(key);
                let removed = request.set_version_id(version.map(str::to_owned)).send().await;
                removed.map_err(told("remove an object's version"))?;
            }
        }
    }

    pub(super) async fn begin(&self, key: &str, token: &str) -> Result<String, ObjectsError> {
        let request = self.client.create_multipart_upload().bucket(&self.name).key(checked(key)?);
        let begun = request.metadata(TOKEN, token).send().await.map_err(told("begin an upload"))?;
        begun.upload_id.ok_or_else(|| wrong("begin an upload", "it gave no id"))
    }

    /// Sends a part and gives its tag.
    pub(super) async fn send_part(
        &self,
        key: &str,
        multipart: &str,
        number: u64,
        bytes: Bytes,
    ) -> Result<String, ObjectsError> {
        let request = self.client.upload_part().bucket(&self.name).key(checked(key)?).upload_id(multipart);
        let request = request.part_number(number as i32).content_length(bytes.len() as i64);
        let sent = request.body(ByteStream::from(bytes)).send().await.map_err(told("store a part"))?;
        sent.e_tag.ok_or_else(|| wrong("store a part", "it gave no tag"))
    }

    pub(super) async fn complete(&self, key: &str, multipart: &str, tags: &[String]) -> Result<(), ObjectsError> {
        let part = |(at, tag): (usize, &String)| CompletedPart::builder().part_number(at as i32 + 1).e_tag(tag).build();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(tags.iter().enumerate().map(part).collect()));
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(checked(key)?);
        let done = request.upload_id(multipart).multipart_upload(parts.build()).send().await;
        done.map(drop).map_err(told("complete an upload"))
    }

    /// Ends an upload and forgets its parts; one that it does not know is fine.
    pub(super) async fn abort(&self, key: &str, multipart: &str) -> Result<(), ObjectsError> {
        let request = self.client.abort_multipart_upload().bucket(&self.name).key(checked(key)?);
        match request.upload_id(multipart).send().await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) || error.code() == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(told("end an upload")(error)),
        }
    }

    /// The tags of the parts that lie there, in order.
    pub(super) async fn parts(&self, key: &str, multipart: &str) -> Result<Vec<String>, ObjectsError> {
        let request = self.client.list_parts().bucket(&self.name).key(checked(key)?).upload_id(multipart);
        let mut pages = request.into_paginator().send();
        let mut tags = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(told("list an upload's parts"))?;
            tags.extend(page.parts().iter().filter_map(|part| part.e_tag().map(str::to_owned)));
        }
        Ok(tags)
    }

    /// Multipart uploads that nobody completed or ended.
    pub(super) async fn unfinished(&self) -> Result<Vec<Left>, ObjectsError> {
        let (mut found, mut after) = (Vec::new(), (None, None));
        loop {
            let request = self.client.list_multipart_uploads().bucket(&self.name);
            let request = request.set_key_marker(after.0).set_upload_id_marker(after.1);
            let page = request.send().await.map_err(told("list unfinished uploads"))?;
            found.extend(page.uploads().iter().filter_map(|upload| {
                let since = Timestamp::from_millis(upload.initiated()?.to_millis().ok()?);
                Some(Left { key: upload.key()?.to_owned(), multipart: Some(upload.upload_id()?.to_owned()), since })
            }));
            if !page.is_truncated().unwrap_or(false) {
                return Ok(found);
            }
            after = (page.next_key_marker, page.next_upload_id_marker);
        }
    }

    /// Sends the objects whose keys begin with `prefix` as they are listed, until nobody receives them any more.
    pub(super) async fn lying(
        &self,
        prefix: &str,
        to: &Sender<Result<Vec<Lying>, ObjectsError>>,
    ) -> Result<(), ObjectsError> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(told("list objects"))?;
            let lying = |object: &Object| {
                let since = Timestamp::from_millis(object.last_modified()?.to_millis().ok()?);
                let bytes = object.size().unwrap_or_default() as u64;
                // What is not of our form is not of our making.
                let key = object.key().filter(|key| is_key(key))?.to_owned();
                Some(Lying { key, bytes, since })
            };
            if to.send(Ok(page.contents().iter().filter_map(lying).collect())).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Copies an object inside the bucket.
    pub(super) async fn copy(&self, from: &str, to: &str) -> Result<(), ObjectsError> {
        let source = format!("{}/{}", self.name, checked(from)?);
        let bytes = self.stat(from).await?.map_or(0, |found| found.bytes);
        if bytes <= MOST_COPIED {
            let request = self.client.copy_object().bucket(&self.name).key(checked(to)?).copy_source(source);
            return request.send().await.map(drop).map_err(told("copy an object"));
        }
        let multipart = self.begin(to, "").await?;
        let copied = self.copy_parts(&source, bytes, to, &multipart).await;
        if copied.is_err() {
            // The error tells more than whether this succeeds; what stays is swept.
            let _ = self.abort(to, &multipart).await;
        }
        copied
    }

    async fn copy_parts(&self, source: &str, bytes: u64, to: &str, multipart: &str) -> Result<(), ObjectsError> {
        let mut tags = Vec::new();
        for from in (0..bytes).step_by(COPIED_AT_ONCE as usize) {
            let range = format!("bytes={from}-{}", (from + COPIED_AT_ONCE).min(bytes) - 1);
            let request = self.client.upload_part_copy().bucket(&self.name).key(to).upload_id(multipart);
            let request = request.part_number(tags.len() as i32 + 1).copy_source(source).copy_source_range(range);
            let copied = request.send().await.map_err(told("copy a part"))?.copy_part_result;
            let tag = copied.and_then(|copied| copied.e_tag);
            tags.push(tag.ok_or_else(|| wrong("copy a part", "it gave no tag"))?);
        }
        self.complete(to, multipart, &tags).await
    }

    /// The objects whose keys begin with `prefix`.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Left>, ObjectsError> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(told("list objects"))?;
            found.extend(page.contents().iter().filter_map(|object| {
                let since = Timestamp::from_millis(object.last_modified()?.to_millis().ok()?);
                Some(Left { key: object.key()?.to_owned(), multipart: None, since })
            }));
        }
        Ok(found)
    }
}

fn is_aws(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

fn checked(key: &str) -> Result<&str, ObjectsError> {
    if is_key(key) { Ok(key) } else { Err(ObjectsError::Key(key.to_owned())) }
}

fn expiry(ttl_secs: i64) -> Result<PresigningConfig, ObjectsError> {
    let ttl = Duration::from_secs(u64::try_from(ttl_secs).unwrap_or_default());
    PresigningConfig::expires_in(ttl).map_err(|error| wrong("sign", &error.to_string()))
}

fn wrong(what: &'static str, detail: &str) -> ObjectsError {
    ObjectsError::Bucket { what, code: String::new(), detail: detail.to_owned(), passes: false }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// The SDK's error in the bucket's own words, or why it could not be asked.
fn told<E>(what: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> ObjectsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| {
        let code = error.code().unwrap_or_default().to_owned();
        let detail = match (status(&error), error.code(), error.message()) {
            (_, Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(403), ..) => {
                "it refused the key; look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and its policy".to_owned()
            }
            (Some(404), ..) => {
                "there is no such bucket or object; look at S3_BUCKET and AWS_ENDPOINT_URL_S3".to_owned()
            }
            (Some(301), ..) => "it lies in another region; look at AWS_REGION".to_owned(),
            (Some(status), ..) => format!("it answered with the status {status}"),
            (None, ..) => DisplayErrorContext(&error).to_string(),
        };
        // Out of reach, in trouble, or asked too often.
        let passes = status(&error).is_none_or(|status| status >= 500 || status == 429);
        ObjectsError::Bucket { what, code, detail, passes }
    }
}

#[cfg(test)]
mod tests {
    use super::is_aws;

    #[test]
    fn only_aws_has_a_host_for_each_bucket() {
        for endpoint in ["https://s3.eu-central-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn/"] {
            assert!(is_aws(endpoint), "{endpoint}");
        }
        for endpoint in ["http://127.0.0.1:9000", "https://x.r2.cloudflarestorage.com", "https://amazonaws.com.example"]
        {
            assert!(!is_aws(endpoint), "{endpoint}");
        }
    }
}
