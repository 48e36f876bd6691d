//! A fragment of the recording's file, taken apart into packets and put together again. Nothing is decoded.
//!
//! Read are the boxes that [`crate::mux`] lets FFmpeg write (ISO/IEC 14496-12, 8.8): a `moof` with one `traf` a track
//! and the `mdat` behind it. Written is the same in its plainest form, with length, duration and flags of every packet
//! told one by one.

/// A fragment cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("the file is not one that the recorder wrote: {0}")]
pub struct ForeignFile(&'static str);

impl ForeignFile {
    pub(crate) fn without_picture() -> Self {
        Self("it holds no picture")
    }
}

/// A track, as the file's head declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrackHead {
    pub(crate) id: u32,
    pub(crate) ticks_per_sec: u32,
    pub(crate) is_video: bool,
}

/// The packets of one fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) runs: Vec<Run>,
}

/// Consecutive packets of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) track: u32,
    /// When the first packet begins, in ticks of the track.
    pub(crate) begins: u64,
    pub(crate) packets: Vec<Packet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) ticks: u32,
    flags: u32,
    data: Vec<u8>,
}

impl Run {
    pub(crate) fn ends(&self) -> u64 {
        self.begins + self.packets.iter().map(|packet| u64::from(packet.ticks)).sum::<u64>()
    }

    /// The packets with the times at which they begin.
    pub(crate) fn timed(self) -> impl Iterator<Item = (u64, Packet)> {
        let mut at = self.begins;
        self.packets.into_iter().map(move |packet| {
            let begins = at;
            at += u64::from(packet.ticks);
            (begins, packet)
        })
    }

    /// Adds a packet; the one before it lasts until then.
    pub(crate) fn push(&mut self, begins: u64, packet: Packet) {
        let hole = begins.saturating_sub(self.ends());
        match self.packets.last_mut() {
            Some(last) => last.ticks += u32::try_from(hole).unwrap_or(0),
            None => self.begins = begins,
        }
        self.packets.push(packet);
    }
}

/// The tracks of the file's head: `ftyp` and `moov`.
pub(crate) fn tracks(head: &[u8]) -> Result<Vec<TrackHead>, ForeignFile> {
    let moov = child(head, *b"moov").ok_or(ForeignFile("it has no head"))?;
    let tracks: Vec<_> = boxes(moov).filter(|(name, _)| name == b"trak").map(|(_, trak)| track(trak)).collect();
    tracks.into_iter().collect::<Option<_>>().ok_or(ForeignFile("its head is cut short"))
}

fn track(trak: &[u8]) -> Option<TrackHead> {
    let tkhd = child(trak, *b"tkhd")?;
    let mdia = child(trak, *b"mdia")?;
    let mdhd = child(mdia, *b"mdhd")?;
    // Version 1 has the two times before these fields in 64 bits.
    let behind_times = |data: &[u8]| Some(if *data.first()? == 1 { 20 } else { 12 });
    let id = word(tkhd, behind_times(tkhd)?)?;
    let ticks_per_sec = word(mdhd, behind_times(mdhd)?)?;
    let is_video = child(mdia, *b"hdlr")?.get(8..12)? == b"vide";
    Some(TrackHead { id, ticks_per_sec, is_video })
}

impl Piece {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ForeignFile> {
        let moof = child(bytes, *b"moof").ok_or(ForeignFile("a piece of it has no table"))?;
        let at = bytes.windows(4).position(|name| name == b"moof").map_or(0, |name| name.saturating_sub(4));
        let from_moof = &bytes[at..];
        let runs: Vec<_> =
            boxes(moof).filter(|(name, _)| name == b"traf").map(|(_, traf)| run(traf, from_moof)).collect();
        let runs = runs.into_iter().collect::<Option<Vec<_>>>().ok_or(ForeignFile("the table of a piece is broken"))?;
        Ok(Self { runs })
    }

    pub(crate) fn run(&self, track: u32) -> Option<&Run> {
        self.runs.iter().find(|run| run.track == track)
    }

    /// The fragment as bytes; `number` counts fragments from 1.
    pub(crate) fn write(&self, number: u32) -> Vec<u8> {
        let runs = || self.runs.iter().filter(|run| !run.packets.is_empty());
        let table_bytes = 8 + 16 + runs().map(|run| 8 + 16 + 20 + 20 + 12 * run.packets.len()).sum::<usize>();
        let data_bytes = runs().flat_map(|run| &run.packets).map(|packet| packet.data.len()).sum::<usize>();
        let mut out = Vec::with_capacity(table_bytes + 8 + data_bytes);
        let put = |out: &mut Vec<u8>, word: usize| out.extend_from_slice(&(word as u32).to_be_bytes());
        let open = |out: &mut Vec<u8>, bytes: usize, name: &[u8; 4]| {
            put(out, bytes);
            out.extend_from_slice(name);
        };
        open(&mut out, table_bytes, b"moof");
        open(&mut out, 16, b"mfhd");
        put(&mut out, 0);
        put(&mut out, number as usize);
        let mut data_at = table_bytes + 8;
        for run in runs() {
            open(&mut out, 8 + 16 + 20 + 20 + 12 * run.packets.len(), b"traf");
            open(&mut out, 16, b"tfhd");
            put(&mut out, BASE_IS_MOOF as usize);
            put(&mut out, run.track as usize);
            open(&mut out, 20, b"tfdt");
            put(&mut out, 1 << 24);
            out.extend_from_slice(&run.begins.to_be_bytes());
            open(&mut out, 20 + 12 * run.packets.len(), b"trun");
            put(&mut out, (HAS_OFFSET | HAS_TICKS | HAS_BYTES | HAS_FLAGS) as usize);
            put(&mut out, run.packets.len());
            put(&mut out, data_at);
            for packet in &run.packets {
                put(&mut out, packet.ticks as usize);
                put(&mut out, packet.data.len());
                put(&mut out, packet.flags as usize);
                data_at += packet.data.len();
            }
        }
        open(&mut out, 8 + data_bytes, b"mdat");
        for packet in runs().flat_map(|run| &run.packets) {
            out.extend_from_slice(&packet.data);
        }
        out
    }
}

/// Flags of `tfhd`.
const HAS_BASE: u32 = 0x1;
const HAS_ENTRY: u32 = 0x2;
const USUAL_TICKS: u32 = 0x8;
const USUAL_BYTES: u32 = 0x10;
const USUAL_FLAGS: u32 = 0x20;
const BASE_IS_MOOF: u32 = 0x2_0000;
/// Flags of `trun`.
const HAS_OFFSET: u32 = 0x1;
const FIRST_FLAGS: u32 = 0x4;
const HAS_TICKS: u32 = 0x100;
const HAS_BYTES: u32 = 0x200;
const HAS_FLAGS: u32 = 0x400;
const HAS_SHIFT: u32 = 0x800;

/// The packets that a `traf` tells of; `from_moof` is the file from the fragment's table on.
fn run(traf: &[u8], from_moof: &[u8]) -> Option<Run> {
    let tfhd = child(traf, *b"tfhd")?;
    let says = word(tfhd, 0)?;
    let track = word(tfhd, 4)?;
    if says & HAS_BASE != 0 {
        return None;
    }
    let mut at = 8;
    let mut usual = |flag: u32| -> Option<u32> {
        if says & flag == 0 {
            return Some(0);
        }
        at += 4;
        word(tfhd, at - 4)
    };
    usual(HAS_ENTRY)?;
    let (ticks, bytes, flags) = (usual(USUAL_TICKS)?, usual(USUAL_BYTES)?, usual(USUAL_FLAGS)?);
    let tfdt = child(traf, *b"tfdt")?;
    let begins = match tfdt.first()? {
        0 => u64::from(word(tfdt, 4)?),
        _ => u64::from(word(tfdt, 4)?) << 32 | u64::from(word(tfdt, 8)?),
    };
    let mut packets = Vec::new();
    let mut data_at = 0;
    for (_, trun) in boxes(traf).filter(|(name, _)| name == b"trun") {
        let says = word(trun, 0)?;
        let count = word(trun, 4)?;
        let mut at = 8;
        let mut next = || -> Option<u32> {
            at += 4;
            word(trun, at - 4)
        };
        if says & HAS_OFFSET != 0 {
            data_at = next()? as usize;
        }
        let first_flags = if says & FIRST_FLAGS != 0 { Some(next()?) } else { None };
        for index in 0..count {
            let ticks = if says & HAS_TICKS != 0 { next()? } else { ticks };
            let bytes = if says & HAS_BYTES != 0 { next()? } else { bytes } as usize;
            let own_flags = if says & HAS_FLAGS != 0 { next()? } else { flags };
            if says & HAS_SHIFT != 0 && next()? != 0 {
                return None;
            }
            let flags = first_flags.filter(|_| index == 0).unwrap_or(own_flags);
            let data = from_moof.get(data_at..data_at.checked_add(bytes)?)?.to_vec();
            data_at += bytes;
            packets.push(Packet { ticks, flags, data });
        }
    }
    Some(Run { track, begins, packets })
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// Names and contents of the boxes that lie whole in `data`.
fn boxes(mut data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let bytes = word(data, 0)? as usize;
        let name = data.get(4..8)?.try_into().ok()?;
        let content = data.get(8..bytes)?;
        data = &data[bytes..];
        Some((name, content))
    })
}

fn child(data: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    boxes(data).find(|(found, _)| *found == name).map(|(_, content)| content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ticks: u32, flags: u32, data: &[u8]) -> Packet {
        Packet { ticks, flags, data: data.to_vec() }
    }

    #[test]
    fn what_is_written_is_what_is_read_and_a_damaged_piece_is_refused() {
        let piece = Piece {
            runs: vec![
                Run {
                    track: 1,
                    begins: 1 << 33,
                    packets: vec![packet(6000, 0x200_0000, b"key"), packet(6001, 7, b"")],
                },
                Run { track: 2, begins: 960, packets: vec![packet(960, 0, b"sound"), packet(960, 0, b"s")] },
            ],
        };
        let bytes = piece.write(3);
        assert_eq!(Piece::parse(&bytes).unwrap(), piece);
        for end in 0..bytes.len() {
            assert!(Piece::parse(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_packet_lasts_until_one_that_is_put_behind_it() {
        let mut run = Run { track: 2, begins: 0, packets: Vec::new() };
        run.push(480, packet(960, 0, b"a"));
        run.push(2400, packet(960, 0, b"b"));
        assert_eq!((run.begins, run.ends()), (480, 3360));
        assert_eq!(run.timed().map(|(at, _)| at).collect::<Vec<_>>(), [480, 2400]);
    }
}
