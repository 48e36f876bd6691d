//! Answers that were paid once. A file for each, named by the SHA-256 of everything that was asked: model, prompt with
//! its version, form, texts and pictures. The same question, by whichever run, is answered from here.
//!
//! Only what was said in answer lies in the files, and questions hold redacted data alone. The folder may be deleted at
//! any time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use media::journal::hex;
use sha2::{Digest, Sha256};

#[derive(Debug, Clone)]
pub struct Answers {
    folder: PathBuf,
}

impl Answers {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn path(&self, question: &[u8]) -> PathBuf {
        self.folder.join(format!("{}.json", hex(&Sha256::digest(question))))
    }

    /// A file that cannot be read is asked for again.
    pub fn get(&self, question: &[u8]) -> Option<String> {
        fs::read_to_string(self.path(question)).ok()
    }

    pub fn keep(&self, question: &[u8], answer: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        io::Write::write_all(&mut file, answer.as_bytes())?;
        file.persist(self.path(question)).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_by_its_question_alone() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::new(&folder.path().join("deep"));
        assert_eq!(answers.get(b"a"), None);
        answers.keep(b"a", "{}").unwrap();
        assert_eq!((answers.get(b"a").as_deref(), answers.get(b"b")), (Some("{}"), None));
    }
}
