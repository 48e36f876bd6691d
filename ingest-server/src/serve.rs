//! `ingest-server serve`: answers until it is told to stop, then lets running requests end.

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

use crate::app::Shared;
use crate::http;

pub async fn serve(
    app: Shared,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let store = app.clone();
    axum::serve(listener, http::router(app)).with_graceful_shutdown(stop).await?;
    store.store.close().await;
    Ok(())
}
