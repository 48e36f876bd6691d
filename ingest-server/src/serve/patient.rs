//! A connection that gives up on a reader who does not read, or who takes an answer in drops.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Reading waits as long as it likes: the head of a request and its body have time-outs of their own, and a machine
/// that waits for work sends nothing. An answer that nobody takes holds memory and a place, so writing does not.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Bytes that must be taken within that time while more wait.
    least_bytes: usize,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Since when it waits.
    taken_bytes: usize,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration, least_bytes: usize) -> Self {
        Self { stream, patience, least_bytes, waiting: None, taken_bytes: 0 }
    }

    /// How many bytes were taken, or that too few were for too long.
    fn within(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = &written {
            self.taken_bytes += done.as_ref().map_or(0, |bytes| *bytes);
            if self.taken_bytes >= self.least_bytes {
                self.rest();
            }
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        waiting.as_mut().reset(Instant::now() + patience);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn rest(&mut self) {
        (self.waiting, self.taken_bytes) = (None, 0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // Nothing waits any more: what comes later is waited for anew.
        if flushed.is_ready() {
            self.rest();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.within(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const EACH: Duration = Duration::from_millis(10);

    /// Sends 4000 bytes to one who takes so many of them at a time.
    async fn send(at_a_time: usize) -> io::Result<()> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut ours = Patient::new(ours, Duration::from_millis(500), 1000);
        let reader = tokio::spawn(async move {
            let (mut pace, mut some) = (tokio::time::interval(EACH), vec![0; at_a_time]);
            loop {
                pace.tick().await;
                if theirs.read(&mut some).await.is_ok_and(|read| read == 0) {
                    return;
                }
            }
        });
        let sent = ours.write_all(&[0; 4000]).await;
        drop(ours);
        reader.await.unwrap();
        sent
    }

    #[tokio::test]
    async fn who_takes_drops_is_left_and_who_is_slow_is_not() {
        assert_eq!(
            send(1).await.unwrap_err().kind(),
            io::ErrorKind::TimedOut,
            "it takes some each time, and too little"
        );
        send(64).await.unwrap();
    }
}
