//! A neural network on the CPU: one file of weights, one input, one output, run by rten.
//!
//! Loading reads the whole file (2 to 22 MB) into memory. Each network owns a small pool of threads, because the
//! pipeline runs other work beside it and a pool as large as the machine would fight with that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use thiserror::Error;

use crate::usage;

#[derive(Debug, Error)]
pub enum NetError {
    #[error("the model {} is not there; run `./dev setup` or `pipeline models fetch` to get it", path.display())]
    Missing { path: PathBuf },
    #[error(
        "the model {} cannot be used ({reason}); delete it and run `./dev setup` or `pipeline models fetch` to get it again",
        path.display()
    )]
    Unusable { path: PathBuf, reason: String },
    #[error(
        "the model {} failed while it ran ({reason}); it may not be the model that was asked for: delete it and run \
         `./dev setup` or `pipeline models fetch` to get it again",
        path.display()
    )]
    Failed { path: PathBuf, reason: String },
    #[error("the voice cannot be read: {0}")]
    Voice(#[from] io::Error),
}

/// The threads that networks run on; shared by all that are given the same one.
#[derive(Clone)]
pub struct Threads {
    pool: Arc<ThreadPool>,
    ids: Arc<[u64]>,
}

impl Threads {
    pub fn new(count: usize) -> Self {
        let others = usage::thread_ids();
        let pool = Arc::new(ThreadPool::with_num_threads(count.max(1)));
        let ids = usage::thread_ids().into_iter().filter(|id| !others.contains(id)).collect();
        Self { pool, ids }
    }

    /// CPU seconds that these threads have used.
    pub fn cpu_secs(&self) -> f64 {
        self.ids.iter().map(|id| usage::thread_cpu_secs(*id)).sum()
    }
}

pub(crate) struct Net {
    path: PathBuf,
    model: Model,
    options: RunOptions,
}

impl Net {
    pub(crate) fn load(path: &Path, threads: &Threads) -> Result<Self, NetError> {
        if !path.is_file() {
            return Err(NetError::Missing { path: path.to_owned() });
        }
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load_file(path)
            .map_err(|error| NetError::Unusable { path: path.to_owned(), reason: error.to_string() })?;
        let options = RunOptions::default().with_thread_pool(Some(threads.pool.clone()));
        Ok(Self { path: path.to_owned(), model, options })
    }

    /// Runs the network on one input of `N` dimensions and gives its first output, of `M` dimensions.
    pub(crate) fn run<const N: usize, const M: usize>(
        &self,
        input: NdTensor<f32, N>,
    ) -> Result<NdTensor<f32, M>, NetError> {
        let output =
            self.model.run_one(input.into(), Some(self.options.clone())).map_err(|error| self.failed(&error))?;
        let output: Tensor<f32> = output.try_into().map_err(|error| self.failed(&error))?;
        let shape = output.shape().to_vec();
        output.try_into().map_err(|_| self.failed(&format!("its answer has the shape {shape:?}")))
    }

    pub(crate) fn failed(&self, reason: &dyn std::fmt::Display) -> NetError {
        NetError::Failed { path: self.path.clone(), reason: reason.to_string() }
    }
}
