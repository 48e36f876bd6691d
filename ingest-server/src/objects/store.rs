//! The one face of both stores.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt};

use shared_types::timestamp::Timestamp;

use super::folder::blocking;
use super::{Bucket, FolderObjects, Held, Incoming, ObjectsError, SignedFor, Staged, Staging, parts, upload_key};
use crate::config::{BucketConfig, Config};

/// Where objects lie, with the uploads that still grow.
#[derive(Debug)]
pub struct Objects {
    staging: Staging,
    place: Place,
    /// Where reviewers get media, where it is not the store itself.
    media_url: Option<String>,
    /// Scheme and host of what pages load media from, where it is not this server.
    media_origin: Option<String>,
}

#[derive(Debug)]
enum Place {
    Folder(FolderObjects),
    Bucket(Box<Bucket>),
}

/// What is known of an upload that may still grow.
#[derive(Debug, Clone)]
pub struct Growing {
    pub id: String,
    pub received: u64,
    pub midstate: String,
    /// Of the whole, once it is there.
    pub sha256: Option<String>,
    /// Where its committed bytes lie in a bucket ([`parts::Parts`]).
    pub parts: Option<String>,
}

/// What an object is, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub bytes: u64,
    /// An entity tag, quoted.
    pub tag: String,
    /// The word its upload gave it.
    pub(super) token: Option<String>,
}

impl View {
    /// A file is only ever replaced whole, by a newer one.
    pub fn of_file(meta: &Metadata) -> Self {
        let tag = format!("\"{:x}-{:x}-{:x}\"", meta.len(), meta.mtime(), meta.mtime_nsec());
        Self { bytes: meta.len(), tag, token: None }
    }
}

impl Objects {
    pub async fn open(config: &Config) -> Result<Self, ObjectsError> {
        let staging = Staging::open(&config.data_dir.join("uploads"))?;
        let place = match &config.bucket {
            Some(bucket) => Place::Bucket(Box::new(Self::open_bucket(bucket).await?)),
            None => Place::Folder(FolderObjects::open(&config.data_dir)?),
        };
        let media_origin = match (&config.media_url, &place) {
            (Some(url), _) => origin(url),
            (None, Place::Bucket(bucket)) => bucket.origin().await?,
            (None, Place::Folder(_)) => None,
        };
        Ok(Self { staging, place, media_url: config.media_url.clone(), media_origin })
    }

    async fn open_bucket(config: &BucketConfig) -> Result<Bucket, ObjectsError> {
        let mut bucket = Bucket::open(config)?;
        bucket.check().await?;
        Ok(bucket)
    }

    /// Removes what was on its way when a server ended: it is sent again, or lies in the bucket. Not for a command that
    /// runs beside the server.
    pub async fn forget_incoming(&self) -> Result<(), ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.forget_incoming().await,
            Place::Bucket(_) => {
                let staging = self.staging.clone();
                blocking(move || staging.clear()).await
            }
        }
    }

    /// Where pages load media from, besides the server itself.
    pub fn media_origin(&self) -> Option<&str> {
        self.media_origin.as_deref()
    }

    /// The files of growing uploads.
    pub fn staging(&self) -> &Staging {
        &self.staging
    }

    /// The folder, if objects lie in one.
    pub fn folder(&self) -> Option<&FolderObjects> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Bucket(_) => None,
        }
    }

    /// The bucket, if objects lie in one.
    pub fn bucket(&self) -> Option<&Bucket> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(bucket),
        }
    }

    /// An address that may be read for `ttl_secs`: relative to this server, or the bucket's.
    pub async fn signed_get(&self, key: &str, now: Timestamp, ttl_secs: i64) -> Result<String, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.signed_get(key, now, ttl_secs)),
            Place::Bucket(bucket) => bucket.signed_get(key, ttl_secs).await,
        }
    }

    /// The same for people's browsers, who get media where `COLLECTOR_MEDIA_URL` says.
    pub async fn signed_media(&self, key: &str, now: Timestamp, ttl_secs: i64) -> Result<String, ObjectsError> {
        let signed = self.signed_get(key, now, ttl_secs).await?;
        let Some(media_url) = &self.media_url else { return Ok(signed) };
        let path = origin(&signed).map_or(signed.as_str(), |origin| &signed[origin.len()..]);
        Ok(format!("{media_url}{path}"))
    }

    /// An address that may be written for `ttl_secs`.
    pub async fn signed_put(&self, key: &str, now: Timestamp, ttl_secs: i64) -> Result<String, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.signed_put(key, now, ttl_secs)),
            Place::Bucket(bucket) => bucket.signed_put(key, ttl_secs).await,
        }
    }

    /// Whether this server signed that address and it has not run out; with a bucket it signs none of its own.
    pub fn allows(&self, allows: SignedFor, key: &str, expires: i64, signature: &str, now: Timestamp) -> bool {
        match &self.place {
            Place::Folder(folder) => folder.allows(allows, key, expires, signature, now),
            Place::Bucket(_) => false,
        }
    }

    /// What an object is; none if there is no such.
    pub async fn view(&self, key: &str) -> Result<Option<View>, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.view(key).await,
            Place::Bucket(bucket) => bucket.stat(key).await,
        }
    }

    /// Bytes of an object; none if there is no such.
    pub async fn stat(&self, key: &str) -> Result<Option<u64>, ObjectsError> {
        Ok(self.view(key).await?.map(|view| view.bytes))
    }

    /// The bytes of an object from `from` up to `to`, not included; none if it has gone.
    pub async fn stream(
        &self,
        key: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<Box<dyn AsyncRead + Send + Unpin>>, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => {
                let mut file = match tokio::fs::File::open(folder.path(key)?).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    opened => opened?,
                };
                file.seek(io::SeekFrom::Start(from)).await?;
                Ok(Some(Box::new(file.take(to - from))))
            }
            Place::Bucket(bucket) => bucket.stream(key, from, to).await,
        }
    }

    /// SHA-256 of an object as it lies there now; none if there is no such.
    pub async fn hash(&self, key: &str) -> Result<Option<String>, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.hash(key).await,
            Place::Bucket(bucket) => bucket.hash(key).await,
        }
    }

    /// A small object as a whole; none if there is no such or it is longer than `most`.
    pub async fn read(&self, key: &str, most: u64) -> Result<Option<Vec<u8>>, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.read(key, most).await,
            Place::Bucket(bucket) => bucket.read(key, most).await,
        }
    }

    /// Stores a small object whole.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.put(key, bytes).await,
            Place::Bucket(bucket) => bucket.put(key, bytes.into()).await,
        }
    }

    /// Removes an object; one that is not there is fine.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.remove(key).await,
            Place::Bucket(bucket) => bucket.remove(key).await,
        }
    }

    /// Begins to write an object into the folder; with a bucket nobody sends objects through the server.
    pub fn incoming(&self, key: &str) -> Result<Incoming, ObjectsError> {
        match &self.place {
            Place::Folder(folder) => folder.incoming(key),
            Place::Bucket(_) => Err(ObjectsError::NotHere),
        }
    }

    /// Takes an upload over ([`Staging::hold`]). Holders in other replicas are fenced by the row's generation.
    pub async fn hold(&self, id: &str) -> Held {
        self.staging.hold(id).await
    }

    /// Opens an upload at its received bytes.
    pub async fn stage(&self, growing: &Growing) -> Result<Staged, ObjectsError> {
        match &self.place {
            Place::Folder(_) => {
                let (staging, growing) = (self.staging.clone(), growing.clone());
                let staged = move || Ok(staging.staged(&growing.id, growing.received, &growing.midstate));
                Ok(blocking(staged).await??)
            }
            Place::Bucket(bucket) => parts::open(bucket, &self.staging, growing).await,
        }
    }

    /// Whether committed bytes have to be looked for before an offset is told: a file may be gone or torn.
    pub fn may_be_torn(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// Whether bytes lie behind the committed ones, which opening cuts off. A bucket's row names all that counts.
    pub async fn overhangs(&self, growing: &Growing) -> Result<bool, ObjectsError> {
        Ok(self.may_be_torn() && self.staging.stat(&growing.id).await?.is_some_and(|bytes| bytes > growing.received))
    }

    /// Makes what was written durable; `ends` if no byte follows. Gives what the row must say of the parts.
    pub async fn keep(
        &self,
        growing: &Growing,
        staged: Staged,
        ends: bool,
    ) -> Result<(Staged, Option<String>), ObjectsError> {
        match &self.place {
            Place::Folder(_) => blocking(move || staged.sync().map(|()| (staged, None))).await,
            Place::Bucket(bucket) => {
                let (mut staged, parts, sent) = parts::keep(bucket, growing, staged, ends).await?;
                let staged = blocking(move || staged.rebase(sent).map(|()| staged)).await?;
                Ok((staged, Some(parts)))
            }
        }
    }

    /// Whether making what was written durable is worth it while more comes: a file is only synced, but a tail in a
    /// bucket is written anew each time, so it must have doubled.
    pub fn is_worth_keeping(&self, staged: &Staged) -> bool {
        match self.place {
            Place::Folder(_) => true,
            Place::Bucket(_) => parts::is_worth_keeping(staged),
        }
    }

    /// After a row was written: what it named `earlier` and does not name now may go.
    pub async fn kept(&self, earlier: Option<&str>, now: Option<&str>) {
        if let Place::Bucket(bucket) = &self.place {
            parts::drop_tail(bucket, earlier, now).await;
        }
    }

    /// Makes an object of an upload whose bytes are all here; `false` if they are gone. May be repeated.
    pub async fn assemble(&self, growing: &Growing) -> Result<bool, ObjectsError> {
        let folder = match &self.place {
            Place::Folder(folder) => folder,
            Place::Bucket(bucket) => {
                let whole = parts::assemble(bucket, growing).await?;
                self.staging.remove(&growing.id).await?;
                return Ok(whole);
            }
        };
        if self.overhangs(growing).await? {
            // A later write that was never committed; opening cuts it off.
            drop(self.stage(growing).await?);
        }
        let key = upload_key(&growing.id);
        folder.adopt(self.staging.path(&growing.id)?, &key).await?;
        Ok(self.stat(&key).await? == Some(growing.received))
    }

    /// Removes what is there of an upload that does not go on; nothing there is fine.
    pub async fn discard(&self, growing: &Growing) -> Result<(), ObjectsError> {
        if let Place::Bucket(bucket) = &self.place {
            parts::discard(bucket, growing).await?;
        }
        self.staging.remove(&growing.id).await
    }
}

/// Scheme and host of an address that has them.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    Some(format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest)))
}
