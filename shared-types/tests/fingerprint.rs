//! Which recordings count as one: copies, however they were re-encoded, cut or shifted; and never two takes that show the
//! same pages.

use shared_types::fingerprint::{Fingerprints, PICTURE_STEP_SECS, SOUND_STEP_SECS, compare, compare_acts};

/// A small generator (`xorshift64*`): the same numbers in every run.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The pages of one shop.
fn pages() -> Vec<u64> {
    let mut chance = Chance::new(99);
    (0..12).map(|_| chance.next()).collect()
}

/// A tour through the shop: pages in this order, each shown for a while of its own.
fn tour(order: &[usize], chance: &mut Chance) -> Vec<u64> {
    let pages = pages();
    order.iter().flat_map(|&page| vec![pages[page]; 4 + chance.below(30) as usize]).collect()
}

fn wander(chance: &mut Chance, steps: usize) -> Vec<u64> {
    let mut order: Vec<usize> = vec![0];
    while order.len() < steps {
        let page = chance.below(12) as usize;
        if order.last() != Some(&page) {
            order.push(page);
        }
    }
    tour(&order, chance)
}

/// A few bits of each hash come out otherwise after re-encoding.
fn noisy(picture: &[u64], bits: u32, chance: &mut Chance) -> Vec<u64> {
    picture.iter().map(|&hash| (0..bits).fold(hash, |hash, _| hash ^ (1 << chance.below(64)))).collect()
}

fn voice(chance: &mut Chance, secs: usize) -> Vec<u32> {
    (0..secs * 10).map(|_| (chance.next() >> 32) as u32 | 1).collect()
}

fn with_bit_errors(sound: &[u32], share: f64, chance: &mut Chance) -> Vec<u32> {
    let flipped = |word: u32, chance: &mut Chance| {
        (0..32).fold(word, |word, bit| if chance.share() < share { word ^ (1 << bit) } else { word })
    };
    sound.iter().map(|&word| if word == 0 { 0 } else { flipped(word, chance) }).collect()
}

fn seen(picture: Vec<u64>) -> Fingerprints {
    Fingerprints { sha256: String::new(), picture, ..Fingerprints::default() }
}

fn heard(sound: Vec<u32>) -> Fingerprints {
    Fingerprints { sha256: String::new(), sound, ..Fingerprints::default() }
}

#[test]
fn a_copy_is_found_by_its_picture() {
    for seed in 0..20 {
        let chance = &mut Chance::new(seed);
        let take = wander(chance, 14);
        let other_ends = |take: &[u64]| [vec![1; 7], take.to_vec(), vec![2; 5]].concat();
        let rows = [
            ("the same", take.clone()),
            ("re-encoded", noisy(&take, 3, chance)),
            ("its beginning cut off", take[21..].to_vec()),
            ("its end cut off", take[..take.len() - 30].to_vec()),
            ("both ends cut off, re-encoded", noisy(&take[15..take.len() - 15], 3, chance)),
            ("other pictures before and after", other_ends(&take)),
        ];
        for (what, copy) in rows {
            for (new, old) in [(&copy, &take), (&take, &copy)] {
                let likeness = compare(&seen(new.clone()), &seen(old.clone()));
                let likeness = likeness.unwrap_or_else(|| panic!("{what} was not found (seed {seed})"));
                assert!((0.6..=1.0).contains(&likeness.shared), "{what}: {likeness:?}");
                let end = new.len() as f64 * PICTURE_STEP_SECS;
                assert!(likeness.spans.iter().all(|span| span.start >= 0.0 && span.end <= end), "{what}: {likeness:?}");
            }
        }
    }
}

#[test]
fn another_take_of_the_same_shop_is_not_a_copy() {
    let order: Vec<usize> = (0..10).collect();
    for seed in 0..60 {
        let (one, other) = (&mut Chance::new(seed), &mut Chance::new(1000 + seed));
        let same_road = (tour(&order, one), tour(&order, other));
        let other_road = (wander(one, 14), wander(other, 14));
        for (new, old) in [same_road, other_road] {
            assert_eq!(compare(&seen(new), &seen(old)), None, "seed {seed}");
        }
    }
}

#[test]
fn a_screen_that_hardly_changes_says_nothing() {
    let still = vec![pages()[0]; 200];
    assert_eq!(compare(&seen(still.clone()), &seen(still)), None);
    assert_eq!(compare(&Fingerprints::default(), &Fingerprints::default()), None);
}

#[test]
fn a_copy_is_found_by_its_sound() {
    let chance = &mut Chance::new(5);
    let mut take = voice(chance, 40);
    // A pause in the middle: nothing is compared where it is quiet.
    take[150..200].fill(0);
    let other = voice(chance, 40);
    let rows = [
        ("the same", take.clone(), true),
        ("another codec", with_bit_errors(&take, 0.2, chance), true),
        ("another codec, cut at both ends", with_bit_errors(&take[60..320], 0.2, chance), true),
        ("half of its bits otherwise, as chance has it", with_bit_errors(&take, 0.5, chance), false),
        ("another voice", other.clone(), false),
        ("four seconds of it", take[..40].to_vec(), false),
        ("ten seconds of it in another voice", [&other[..300], &take[..100]].concat(), false),
        ("silence", vec![0; 400], false),
    ];
    for (what, new, found) in rows {
        let likeness = compare(&heard(new.clone()), &heard(take.clone()));
        assert_eq!(likeness.is_some(), found, "{what}: {likeness:?}");
        let end = new.len() as f64 * SOUND_STEP_SECS;
        assert!(likeness.is_none_or(|likeness| likeness.spans.iter().all(|span| span.end <= end + 1e-9)), "{what}");
    }
}

#[test]
fn the_same_file_is_a_copy_whatever_it_shows() {
    let file = Fingerprints { sha256: "ab".repeat(32), picture: vec![0; 20], ..Fingerprints::default() };
    let likeness = compare(&file, &file).unwrap();
    assert!((likeness.shared - 1.0).abs() < f64::EPSILON);
    assert!((likeness.spans[0].end - 10.0).abs() < f64::EPSILON);
}

#[test]
fn hashes_are_written_as_hexadecimal_digits_and_read_again() {
    let prints = Fingerprints {
        sha256: "00".to_owned(),
        picture: vec![0xab, u64::MAX],
        changes: vec![500],
        sound: vec![0, 0x12],
        acts: vec![4001],
    };
    let text = serde_json::to_string(&prints).unwrap();
    assert_eq!(
        text,
        r#"{"sha256":"00","picture":["00000000000000ab","ffffffffffffffff"],"changes":[500],"sound":["00000000","00000012"],"acts":[4001]}"#
    );
    assert_eq!(serde_json::from_str::<Fingerprints>(&text).unwrap(), prints);
    assert!(serde_json::from_str::<Fingerprints>(&text.replace("ab", "xy")).is_err());
}

/// Acts of a hand: waits of its own, of all kinds.
fn shopping(chance: &mut Chance, count: usize) -> Vec<u32> {
    (0..count).map(|_| (300 + chance.below(6000) as u32) * 4 + chance.below(4) as u32).collect()
}

#[test]
fn replayed_input_is_found_at_any_shift_and_no_other() {
    for seed in 0..50 {
        let chance = &mut Chance::new(seed);
        let (log, other) = (shopping(chance, 40), shopping(chance, 40));
        let late = [vec![90_000 * 4], log.clone()].concat();
        let jittered: Vec<u32> = log.iter().map(|act| act + 4 * chance.below(12) as u32).collect();
        let rows = [
            ("the same", log.clone(), true),
            ("begun later", late, true),
            ("with a clock that trembles", jittered, true),
            ("half of it, then something else", [&log[..20], &other[..4]].concat(), true),
            ("another log", other.clone(), false),
            ("the same acts at another pace", log.iter().map(|act| act / 4 * 6 / 5 * 4 + act % 4).collect(), false),
            ("seven acts of it among others", [&other[..20], &log[..7]].concat(), false),
            ("nothing", Vec::new(), false),
        ];
        for (what, new, found) in rows {
            let likeness = compare_acts(&new, &log);
            assert_eq!(likeness.is_some(), found, "{what} (seed {seed}): {likeness:?}");
        }
    }
}

/// A take of one shop: when each page came, to the millisecond, and the pages.
fn timed(order: &[usize], chance: &mut Chance) -> Vec<(u32, u64)> {
    let pages = pages();
    let mut at = 0;
    let mut next = |page: usize| {
        at += 1500 + chance.below(9000) as u32;
        (at, pages[page])
    };
    order.iter().map(|&page| next(page)).collect()
}

/// The prints of a take whose pages came at these times.
fn printed(visits: &[(u32, u64)]) -> Fingerprints {
    let end = visits.last().map_or(0, |visit| visit.0) + 4000;
    let shown = |t: u32| visits.iter().rev().find(|visit| visit.0 <= t).map_or(7, |visit| visit.1);
    let picture = (0..end / 500).map(|sample| shown(sample * 500)).collect();
    Fingerprints { picture, changes: visits.iter().map(|visit| visit.0).collect(), ..Fingerprints::default() }
}

#[test]
fn a_copy_of_few_changes_is_found_and_another_take_of_the_same_pages_is_not() {
    let road = [0, 3, 1, 4, 2, 5];
    for seed in 0..200 {
        let chance = &mut Chance::new(seed);
        let (take, other) = (timed(&road, chance), timed(&road, chance));
        let moved = |take: &[(u32, u64)], by: i64, chance: &mut Chance| -> Vec<(u32, u64)> {
            take.iter().map(|&(t, page)| ((i64::from(t) + by + chance.below(140) as i64) as u32, page)).collect()
        };
        let rows = [
            ("the same", take.clone(), true),
            ("seven pictures a second", moved(&take, 0, chance), true),
            ("begun later", moved(&take, 17_000, chance), true),
            ("its beginning cut off", moved(&take[1..], -1200, chance), true),
            ("the same pages at another's pace", other, false),
            (
                "the same pages, each a second longer",
                take.iter().zip(1..).map(|(&(t, page), i)| (t + i * 1000, page)).collect(),
                false,
            ),
            ("three pages of it", take[..3].to_vec(), false),
        ];
        for (what, copy, found) in rows {
            for (new, old) in [(&copy, &take), (&take, &copy)] {
                let likeness = compare(&printed(new), &printed(old));
                assert_eq!(likeness.is_some(), found, "{what} (seed {seed}): {likeness:?}");
            }
        }
    }
}

#[test]
fn a_copy_of_a_long_take_is_found_wherever_it_was_cut_out() {
    let chance = &mut Chance::new(7);
    let order = |chance: &mut Chance| (0..2_400).map(|_| chance.below(12) as usize).collect::<Vec<_>>();
    let (road, other) = (order(chance), order(chance));
    let (take, other) = (timed(&road, chance), timed(&other, chance));
    let from = |first: usize, last: usize| -> Vec<(u32, u64)> {
        let zero = take[first].0 - 1_000;
        take[first..last].iter().map(|&(t, page)| (t - zero, page)).collect()
    };
    for (first, last) in [(0, 2_400), (600, 2_400), (700, 1_000), (1_300, 2_400), (2_300, 2_400), (511, 1_100)] {
        let copy = from(first, last);
        for (new, old) in [(&copy, &take), (&take, &copy)] {
            assert!(compare(&printed(new), &printed(old)).is_some(), "changes {first} to {last}");
        }
    }
    assert_eq!(compare(&printed(&other), &printed(&take)), None);
}
