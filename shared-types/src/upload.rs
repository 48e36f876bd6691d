//! An Upload: bytes on their way from a worker's disk to the server.

use crate::lifecycle::lifecycle;

lifecycle! {
    /// Life of an Upload on the server.
    UploadStage of "upload" {
        Receiving "receiving" => [Assembling, Failed, Expired, Terminated],
        /// All bytes are here; the object is being put together and its hash compared.
        Assembling "assembling" => [Ready, Failed],
        Ready "ready" => [Terminated],
        Failed "failed" => [],
        Expired "expired" => [],
        /// Ended at the worker's wish; nothing of it is kept.
        Terminated "terminated" => [],
    }
}
