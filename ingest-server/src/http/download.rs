//! The recorder's packages, which the operator lays into `downloads/` of the data folder.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{Redirect, Response};
use shared_types::api::site::{Download, Platform, SiteInfo};
use shared_types::error::ErrorCode;

use crate::app::Shared;
use crate::http::error::Answer;
use crate::http::object::answer_file;
use crate::http::route::{Route, Who, route};
use crate::objects::{ObjectsError, hash_of};

const FOLDER: &str = "downloads";

pub(super) fn routes() -> Vec<Route> {
    let get = Method::GET;
    vec![
        route(get.clone(), "/api/v1/site", Who::Anyone, "What the page for workers shows.", site).gives::<SiteInfo>(),
        route(get.clone(), "/downloads", Who::Anyone, "Where the packages are shown.", || async {
            Redirect::temporary("/#download")
        })
        .status(307),
        route(get, "/downloads/{name}", Who::Anyone, "A package of the recorder.", download),
    ]
}

async fn site(State(app): State<Shared>) -> Answer<Json<SiteInfo>> {
    let folder = app.config.data_dir.join(FOLDER);
    let listed = tokio::task::spawn_blocking(move || list(&folder)).await;
    let listed = listed.map_err(|error| ObjectsError::from(std::io::Error::other(error)))?;
    Ok(Json(SiteInfo { downloads: listed.map_err(ObjectsError::from)? }))
}

/// A file's hash, for as long as its length and its time of change stay the same.
type Known = HashMap<PathBuf, (u64, Option<SystemTime>, String)>;
static HASHES: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// By platform, then by name. A folder that is not there has nothing in it.
fn list(folder: &Path) -> std::io::Result<Vec<Download>> {
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut downloads = Vec::new();
    for file in files {
        let path = file?.path();
        let Some((name, platform)) = package(&path) else { continue };
        let meta = std::fs::metadata(&path)?;
        if meta.is_file() {
            downloads.push(Download { name, platform, bytes: meta.len(), sha256: hash(&path, &meta)? });
        }
    }
    downloads.sort_by(|one, other| (one.platform, &one.name).cmp(&(other.platform, &other.name)));
    Ok(downloads)
}

fn package(path: &Path) -> Option<(String, Platform)> {
    let name = path.file_name()?.to_str()?;
    let platform = Platform::of(name).filter(|_| !name.starts_with('.'))?;
    Some((name.to_owned(), platform))
}

fn hash(path: &Path, meta: &Metadata) -> std::io::Result<String> {
    let state = (meta.len(), meta.modified().ok());
    let known = || HASHES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((bytes, at, sha256)) = known().get(path)
        && (*bytes, *at) == state
    {
        return Ok(sha256.clone());
    }
    let sha256 = hash_of(std::fs::File::open(path)?)?;
    known().insert(path.to_owned(), (state.0, state.1, sha256.clone()));
    Ok(sha256)
}

async fn download(State(app): State<Shared>, Named(name): Named<String>, asked: HeaderMap) -> Answer<Response> {
    let path = app.config.data_dir.join(FOLDER).join(&name);
    // A name with a slash would not be its own file name.
    if package(&path).is_none_or(|(known, _)| known != name) {
        return Err(ErrorCode::NotFound.into());
    }
    let mut response = answer_file(&path, "application/octet-stream", &asked).await?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}
