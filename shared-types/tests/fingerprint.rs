//! Which recordings count as one: copies, however they were re-encoded, cut or shifted; and never two takes that show the
//! same pages.

use shared_types::fingerprint::{Fingerprints, PICTURE_STEP_SECS, SOUND_STEP_SECS, compare};

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
    Fingerprints { sha256: String::new(), picture, sound: Vec::new() }
}

fn heard(sound: Vec<u32>) -> Fingerprints {
    Fingerprints { sha256: String::new(), picture: Vec::new(), sound }
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
    let file = Fingerprints { sha256: "ab".repeat(32), picture: vec![0; 20], sound: Vec::new() };
    let likeness = compare(&file, &file).unwrap();
    assert!((likeness.shared - 1.0).abs() < f64::EPSILON);
    assert!((likeness.spans[0].end - 10.0).abs() < f64::EPSILON);
}

#[test]
fn hashes_are_written_as_hexadecimal_digits_and_read_again() {
    let prints = Fingerprints { sha256: "00".to_owned(), picture: vec![0xab, u64::MAX], sound: vec![0, 0x12] };
    let text = serde_json::to_string(&prints).unwrap();
    assert_eq!(
        text,
        r#"{"sha256":"00","picture":["00000000000000ab","ffffffffffffffff"],"sound":["00000000","00000012"]}"#
    );
    assert_eq!(serde_json::from_str::<Fingerprints>(&text).unwrap(), prints);
    assert!(serde_json::from_str::<Fingerprints>(&text.replace("ab", "xy")).is_err());
}
