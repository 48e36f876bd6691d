//! What the running hash of an upload costs by itself, for bench/upload.sh: SHA-256 over a GiB, in the server's pieces and
//! built as the server is.

use sha2::{Digest, Sha256};

const PIECE: usize = 1 << 20;
const PIECES: usize = 1024;

fn main() {
    // What is hashed does not matter to its cost.
    let piece: Vec<u8> = (0..PIECE).map(|at| (at * 31 % 251) as u8).collect();
    let mut hash = Sha256::new();
    for _ in 0..PIECES {
        hash.update(&piece);
    }
    // So that it is not left out as useless.
    std::hint::black_box(hash.finalize());
}
