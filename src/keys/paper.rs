//! A seed as groups of characters that can be written on paper.

use crate::codec::tags::PAPER_VERSION;
use crate::crypto::Zeroizing;

/// The digits of Crockford's base32: no I, L, O or U.
const DIGITS: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Groups that hold the version and the seed.
const DATA: usize = 13;
/// Groups in all.
const GROUPS: usize = 15;
/// Characters of a group.
const GROUP: usize = 4;
/// Bits of a group.
const GROUP_BITS: usize = 20;

/// Returns a seed as text that a person can write down and type in again: 15 groups of four characters with spaces
/// between them. The text is as secret as the seed.
///
/// The characters are those of Crockford's base32. 13 groups hold four bits of version, which are 1, and the seed; two
/// hold a checksum. Each group is an element of the field with 2^20 elements (modulo x^20 + x^3 + 1), and all of them
/// are a Reed-Solomon code word with the roots 1 and x. So any mistake within one group is found, and the group is
/// known. Any mistake within two groups is found, for example two neighbours that changed places across a gap.
///
/// It holds the seed only: note the actor beside it, and the kid if it is not the derived one.
///
/// ```
/// use policysync::keys::{seed_from_paper, seed_to_paper};
///
/// let paper = seed_to_paper(&[7; 32]);
/// assert_eq!(*seed_from_paper(&paper.to_lowercase())?, [7; 32]);
/// # Ok::<(), policysync::keys::PaperError>(())
/// ```
#[must_use]
pub fn seed_to_paper(seed: &[u8; 32]) -> Zeroizing<String> {
    let mut groups = Zeroizing::new([0; GROUPS]);
    let version = (0..4).rev().map(|place| PAPER_VERSION >> place & 1);
    let bits = seed.iter().flat_map(|byte| (0..8).rev().map(move |place| u32::from(byte >> place & 1)));
    for (at, bit) in version.chain(bits).enumerate() {
        if let Some(group) = groups.get_mut(at / GROUP_BITS) {
            *group = *group << 1 | bit;
        }
    }
    // The remainder after division by (z - 1)(z - x) = z^2 + (1 + x)z + x, as a shift register.
    let (mut high, mut low) = (0, 0);
    for group in groups.iter().take(DATA) {
        let feedback = group ^ high;
        high = low ^ feedback ^ times_x(feedback);
        low = times_x(feedback);
    }
    if let Some(checksum) = groups.last_chunk_mut() {
        *checksum = [high, low];
    }
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
    for group in groups.iter() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend([15, 10, 5, 0].map(|shift| digit(group >> shift)));
    }
    text
}

/// Reads what [`seed_to_paper`] returns. Case does not matter, the letter O is read as 0, I and L as 1, and white space
/// and `-` may be anywhere.
///
/// # Errors
///
/// [`PaperError`]; it names the group where the mistake is if all mistakes are in one group.
pub fn seed_from_paper(text: &str) -> Result<Zeroizing<[u8; 32]>, PaperError> {
    let mut groups = Zeroizing::new([0; GROUPS]);
    let mut found = 0_usize;
    for character in text.chars().filter(|character| !is_separator(*character)) {
        let group = found / GROUP;
        let value = value(character).ok_or(PaperError::Character { group: group.saturating_add(1) })?;
        if let Some(group) = groups.get_mut(group) {
            *group = *group << 5 | value;
        }
        found = found.saturating_add(1);
    }
    if found != GROUPS * GROUP {
        return Err(PaperError::Length { found, group: misshapen_group(text) });
    }
    match fault(&groups) {
        None => {}
        Some(group) => return Err(PaperError::Checksum { group }),
    }
    if groups.first().is_some_and(|group| group >> 16 != PAPER_VERSION) {
        return Err(PaperError::Version);
    }
    let mut seed = Zeroizing::new([0; 32]);
    let data = groups.iter().take(DATA);
    let bits = data.flat_map(|group| (0..GROUP_BITS).rev().map(move |place| group >> place & 1 == 1));
    // The version comes first.
    for (at, bit) in bits.skip(4).enumerate() {
        if let Some(byte) = seed.get_mut(at / 8) {
            *byte = *byte << 1 | u8::from(bit);
        }
    }
    Ok(seed)
}

/// Why a text is not a seed from paper. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaperError {
    /// A character is missing or too many.
    #[error("{found} characters where {} are needed{}", GROUPS * GROUP, see(*group))]
    Length {
        /// Characters, without white space and `-`.
        found: usize,
        /// The first group that does not have four characters, counted from 1, where the text has groups.
        group: Option<usize>,
    },
    /// A character is not a letter or digit that the form uses.
    #[error("group {group} has a character that is never used")]
    Character {
        /// The group, counted from 1.
        group: usize,
    },
    /// A character is wrong, or some have changed places.
    #[error("the checksum does not match{}", see(*group))]
    Checksum {
        /// The group with the mistake, counted from 1; `None` where there is more than one.
        group: Option<usize>,
    },
    /// The form has another version.
    #[error("the version is not one that this library knows")]
    Version,
}

fn see(group: Option<usize>) -> String {
    group.map_or_else(String::new, |group| format!(": see group {group}"))
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || character == '-'
}

/// Returns the first group that does not have four characters, counted from 1.
fn misshapen_group(text: &str) -> Option<usize> {
    let groups = text.split(is_separator).filter(|group| !group.is_empty());
    groups.zip(1..).find(|(group, _)| group.chars().count() != GROUP).map(|(_, number)| number)
}

/// Returns `None` for a code word, otherwise the only group that is wrong, counted from 1, if there is only one.
fn fault(groups: &[u32; GROUPS]) -> Option<Option<usize>> {
    // The values of the polynomial at the roots, by Horner's rule.
    let at_1 = groups.iter().fold(0, |sum, group| sum ^ group);
    let at_x = groups.iter().fold(0, |sum, group| times_x(sum) ^ group);
    if at_1 == 0 && at_x == 0 {
        return None;
    }
    // An error e in the group with the power p gives e at 1, and e times x^p at x.
    let mut expected = at_1;
    for number in (1..=GROUPS).rev() {
        if expected == at_x {
            return Some(Some(number));
        }
        expected = times_x(expected);
    }
    Some(None)
}

/// Multiplies by x in the field.
const fn times_x(element: u32) -> u32 {
    let shifted = element << 1;
    if shifted >> 20 == 0 { shifted } else { shifted ^ 0x10_0009 }
}

/// Returns the digit of the lowest five bits.
fn digit(value: u32) -> char {
    let digit = DIGITS.iter().zip(0..).find(|(_, of)| *of == value & 31);
    char::from(digit.map_or(b'0', |(digit, _)| *digit))
}

fn value(character: char) -> Option<u32> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    DIGITS.iter().zip(0..).find(|(digit, _)| char::from(**digit) == character).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: [u8; 32] =
        *b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\
                              \x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
    /// Computed in Python, by solving the two equations of the checksum with general multiplication in the field.
    const PAPER: &str = "37B1 P6EY ZZAT C2X8 8JQM JBP2 SH24 972P JYSJ D4CQ 0EXC 0CEA WZV0 5GB0 A45A";

    #[test]
    fn a_seed_has_the_documented_text() {
        assert_eq!(*seed_to_paper(&SEED), PAPER);
        assert_eq!(*seed_from_paper(PAPER).unwrap(), SEED);
    }

    #[test]
    fn case_look_alikes_and_gaps_do_not_matter() {
        for text in [
            PAPER.to_lowercase(),
            PAPER.replace('0', "o").replace('1', "l"),
            PAPER.replace('0', "O").replace('1', "I"),
            PAPER.replace(' ', ""),
            PAPER.replace(' ', "-"),
            format!("\n {} \t", PAPER.replace(' ', "\n")),
        ] {
            assert_eq!(*seed_from_paper(&text).unwrap(), SEED, "{text}");
        }
    }

    #[test]
    fn every_single_change_is_found_and_its_group_named() {
        for (at, old) in PAPER.char_indices().filter(|(_, old)| *old != ' ') {
            let group = at / 5 + 1;
            for new in DIGITS.map(char::from).into_iter().filter(|new| *new != old) {
                let mut text: Vec<char> = PAPER.chars().collect();
                text[at] = new;
                let error = seed_from_paper(&String::from_iter(text)).unwrap_err();
                assert_eq!(error, PaperError::Checksum { group: Some(group) }, "{new} at {at}");
            }
        }
    }

    #[test]
    fn every_swap_of_neighbours_is_found() {
        let text: Vec<char> = PAPER.chars().filter(|character| *character != ' ').collect();
        for at in 1..text.len() {
            let mut swapped = text.clone();
            swapped.swap(at - 1, at);
            if swapped == text {
                continue;
            }
            let error = seed_from_paper(&String::from_iter(swapped)).unwrap_err();
            let group = if at % GROUP == 0 { None } else { Some(at / GROUP + 1) };
            assert_eq!(error, PaperError::Checksum { group }, "at {at}");
        }
    }

    #[test]
    fn groups_that_changed_places_are_found() {
        let groups: Vec<&str> = PAPER.split(' ').collect();
        for first in 0..GROUPS {
            for second in 0..first {
                let mut swapped = groups.clone();
                swapped.swap(first, second);
                assert!(seed_from_paper(&swapped.join(" ")).is_err(), "{first} and {second}");
            }
        }
    }

    #[test]
    fn a_character_too_few_or_too_many_is_found() {
        let missing = PAPER.replacen(&PAPER[5..7], &PAPER[5..6], 1);
        let error = seed_from_paper(&missing).unwrap_err();
        assert_eq!(error, PaperError::Length { found: 59, group: Some(2) });
        assert_eq!(error.to_string(), "59 characters where 60 are needed: see group 2");
        let error = seed_from_paper(&format!("{PAPER} 0000")).unwrap_err();
        assert_eq!(error, PaperError::Length { found: 64, group: None });
        assert_eq!(error.to_string(), "64 characters where 60 are needed");
        assert_eq!(seed_from_paper("").unwrap_err(), PaperError::Length { found: 0, group: None });
    }

    #[test]
    fn a_character_that_is_never_used_is_found() {
        for wrong in ["U", "é", "!", "\u{0}"] {
            let text = format!("{} {wrong}", &PAPER[..9]);
            assert_eq!(seed_from_paper(&text).unwrap_err(), PaperError::Character { group: 3 }, "{wrong}");
        }
    }

    #[test]
    fn another_version_is_named() {
        // A code word all of whose groups are zero: its checksum is right.
        assert_eq!(seed_from_paper(&"0".repeat(60)).unwrap_err(), PaperError::Version);
    }

    proptest! {
        #[test]
        fn seeds_come_back(seed: [u8; 32]) {
            prop_assert_eq!(*seed_from_paper(&seed_to_paper(&seed)).unwrap(), seed);
        }

        #[test]
        fn mistakes_in_two_groups_are_found(
            seed: [u8; 32],
            (at, other) in (0..GROUPS, 0..GROUPS),
            (e, f) in (1..1_u32 << 20, 1..1_u32 << 20),
        ) {
            prop_assume!(at != other);
            let mut groups = [0; GROUPS];
            for (group, text) in groups.iter_mut().zip(seed_to_paper(&seed).split(' ')) {
                *group = text.chars().fold(0, |sum, c| sum << 5 | value(c).unwrap());
            }
            prop_assert_eq!(fault(&groups), None);
            groups[at] ^= e;
            prop_assert_eq!(fault(&groups), Some(Some(at + 1)));
            groups[other] ^= f;
            prop_assert!(fault(&groups).is_some());
        }

        #[test]
        fn no_text_panics(text in ".*") {
            _ = seed_from_paper(&text);
        }
    }
}
