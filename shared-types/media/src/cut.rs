//! Takes a stretch of time out of a recording's file, packet by packet, without encoding anything anew.
//!
//! Whole fragments go, so that what remains still begins with a key picture each second. Sound does not lie with its
//! picture: a fragment holds the packets that were ready when it was closed. So sound is told apart by its own times:
//! packets of the removed time go wherever they lie, others stay. Picture and sound behind the cut are moved by the
//! same length of time. What lies before the cut is copied byte for byte, but for the last fragment where sound is
//! added to it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use shared_types::quality::measurements::Span;
use shared_types::recording::{FileHash, Fragment};

use crate::fragment::{ForeignFile, Piece, Run, TrackHead, tracks};
use crate::journal::{Journal, whole_fragments};

/// A packet of sound carries something of its neighbours too: the encoder looks ahead, and pieces overlap.
const SOUND_MARGIN_SECS: f64 = 0.02;

#[derive(Debug, thiserror::Error)]
pub enum CutError {
    #[error(
        "the recording is only {secs:.1} s long, so there is nothing to cut from {from:.1} s on. Nothing was changed"
    )]
    Outside { from: f64, secs: f64 },
    #[error(
        "this would remove the whole recording, since cuts go to the next whole second. Nothing was changed; delete the recording instead"
    )]
    Everything,
    #[error("{0}. Nothing was changed")]
    Foreign(#[from] ForeignFile),
    #[error(
        "the recording could not be read or written: {0}. Nothing was changed; check that the disk has room for a second copy"
    )]
    Disk(#[from] io::Error),
}

/// What [`cut`] made.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// What was removed, in the file's time as it was.
    pub removed: Span,
    pub fragments: Vec<Fragment>,
    pub file: FileHash,
}

/// Writes `path` without the fragments that the time from `from` to `to` touches into the new file `into`.
pub fn cut(path: &Path, into: &Path, from: f64, to: f64) -> Result<Cut, CutError> {
    let mut source = Source::open(path)?;
    let pieces = source.picture_times()?;
    let Some((_, length)) = pieces.last().copied() else { return Err(ForeignFile::without_picture().into()) };
    let per_sec = f64::from(source.video.ticks_per_sec);
    let touched = |&(begins, ends): &(u64, u64)| begins as f64 / per_sec < to && ends as f64 / per_sec > from;
    let first = pieces.iter().position(touched);
    let Some(first) = first else { return Err(CutError::Outside { from, secs: length as f64 / per_sec }) };
    let behind = pieces.iter().rposition(touched).map_or(first, |last| last + 1);
    if first == 0 && behind == pieces.len() {
        return Err(CutError::Everything);
    }
    let gone = Gone { from: pieces[first].0, to: pieces.get(behind).map_or(length, |&(begins, _)| begins) };
    let gone_secs = Span::new(gone.from as f64 / per_sec, gone.to as f64 / per_sec);

    let mut journal = Journal::create(into)?;
    journal.append(&source.head, None)?;
    for (index, (begins, _)) in pieces.iter().enumerate().take(first) {
        let bytes = source.read(index)?;
        let t = Some(*begins as f64 / per_sec);
        let late = if index + 1 == first { source.sound_before(first, &gone_secs)? } else { Vec::new() };
        if late.is_empty() {
            journal.append(&bytes, t)?;
        } else {
            let mut piece = Piece::parse(&bytes)?;
            for run in late {
                append(&mut piece, run);
            }
            journal.append(&piece.write(index as u32 + 1), t)?;
        }
    }
    for (number, index) in (first..).zip(behind..pieces.len()) {
        let piece = Piece::parse(&source.read(index)?)?;
        let begins = pieces[index].0 - (gone.to - gone.from);
        let moved = source.moved(piece, &gone, &gone_secs);
        journal.append(&moved.write(number as u32 + 1), Some(begins as f64 / per_sec))?;
    }
    let (fragments, file) = journal.finish()?;
    Ok(Cut { removed: gone_secs, fragments, file })
}

/// The removed time in ticks of the picture.
struct Gone {
    from: u64,
    to: u64,
}

struct Source {
    file: File,
    head: Vec<u8>,
    spans: Vec<(u64, u64)>,
    video: TrackHead,
    sounds: Vec<TrackHead>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, CutError> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut spans = whole_fragments(&mut file, length)?;
        if spans.len() < 2 {
            return Err(ForeignFile::without_picture().into());
        }
        let head = read(&mut file, spans.remove(0))?;
        let tracks = tracks(&head)?;
        let video = tracks.iter().copied().find(|track| track.is_video && track.ticks_per_sec > 0);
        let video = video.ok_or_else(ForeignFile::without_picture)?;
        let sounds = tracks.into_iter().filter(|track| !track.is_video && track.ticks_per_sec > 0).collect();
        Ok(Self { file, head, spans, video, sounds })
    }

    fn read(&mut self, index: usize) -> io::Result<Vec<u8>> {
        read(&mut self.file, self.spans[index])
    }

    /// When each fragment's picture begins and ends.
    fn picture_times(&mut self) -> Result<Vec<(u64, u64)>, CutError> {
        let mut times = Vec::new();
        for index in 0..self.spans.len() {
            let piece = Piece::parse(&self.read(index)?)?;
            let run = piece.run(self.video.id).ok_or_else(ForeignFile::without_picture)?;
            times.push((run.begins, run.ends()));
        }
        // A fragment ends where the next begins, also where the two do not quite agree.
        for index in 1..times.len() {
            times[index - 1].1 = times[index].0;
        }
        Ok(times)
    }

    /// The sound that belongs before the removed time but lies in fragments from `first` on.
    fn sound_before(&mut self, first: usize, gone: &Span) -> Result<Vec<Run>, CutError> {
        let mut late: Vec<Run> =
            self.sounds.iter().map(|sound| Run { track: sound.id, begins: 0, packets: Vec::new() }).collect();
        for index in first..self.spans.len() {
            let piece = Piece::parse(&self.read(index)?)?;
            let mut is_past = true;
            for run in piece.runs {
                let Some(sound) = self.sounds.iter().find(|sound| sound.id == run.track) else { continue };
                let per_sec = f64::from(sound.ticks_per_sec);
                let Some(into) = late.iter_mut().find(|into| into.track == run.track) else { continue };
                for (begins, packet) in run.timed() {
                    let ends = (begins + u64::from(packet.ticks)) as f64 / per_sec;
                    if ends <= gone.start - SOUND_MARGIN_SECS {
                        is_past = false;
                        into.push(begins, packet);
                    }
                }
            }
            if is_past {
                break;
            }
        }
        late.retain(|run| !run.packets.is_empty());
        Ok(late)
    }

    /// A fragment behind the cut at its new time, without sound of the removed time.
    fn moved(&self, piece: Piece, gone: &Gone, gone_secs: &Span) -> Piece {
        let length = gone.to - gone.from;
        let video = self.video;
        let runs = piece.runs.into_iter().map(|mut run| {
            let Some(sound) = self.sounds.iter().find(|sound| sound.id == run.track) else {
                run.begins = run.begins.saturating_sub(length);
                return run;
            };
            let per_sec = f64::from(sound.ticks_per_sec);
            let moved_by = (length as f64 / f64::from(video.ticks_per_sec) * per_sec).round() as u64;
            let mut kept = Run { track: run.track, begins: 0, packets: Vec::new() };
            for (begins, packet) in run.timed() {
                if begins as f64 / per_sec >= gone_secs.end + SOUND_MARGIN_SECS {
                    kept.push(begins.saturating_sub(moved_by), packet);
                }
            }
            kept
        });
        Piece { runs: runs.collect() }
    }
}

/// Adds packets to the track they belong to.
fn append(piece: &mut Piece, run: Run) {
    match piece.runs.iter_mut().find(|known| known.track == run.track) {
        Some(known) => run.timed().for_each(|(begins, packet)| known.push(begins, packet)),
        None => piece.runs.push(run),
    }
}

fn read(file: &mut File, (offset, bytes): (u64, u64)) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; bytes as usize];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut piece)?;
    Ok(piece)
}
