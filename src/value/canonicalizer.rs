//! The canonicalizer: it reads a JSON value strictly and writes its canonical form (RFC 8785).

use std::cmp::Ordering;
use std::iter;

use super::reader::JsonReader;
use super::string::{Piece, next_piece, plain_len, write_character};
use super::utf16::utf16_rank;
use super::{Excerpt, JsonError, JsonFault, MAX_DEPTH, MAX_VALUE_BYTES, utf16_cmp};

/// Checks that a text is canonical JSON within the limits. Simple values need no allocation.
pub(crate) fn check_canonical(text: &str) -> Result<(), JsonError> {
    if is_plainly_canonical(text) {
        return Ok(());
    }
    let canonical = canonicalize(text)?;
    if canonical == text {
        return Ok(());
    }
    let same = canonical.bytes().zip(text.bytes()).take_while(|(ours, theirs)| ours == theirs).count();
    Err(JsonError::new(same, JsonFault::NotCanonical))
}

/// Returns true if the value is trivially canonical: a string without escapes, an integer of up to 15 digits, `true`,
/// `false`, `null`.
pub(super) fn is_plainly_canonical(text: &str) -> bool {
    match text.as_bytes() {
        [b'"', inner @ .., b'"'] => plain_len(inner) == inner.len(),
        b"null" | b"true" | b"false" | b"0" => true,
        [b'1'..=b'9', digits @ ..] | [b'-', b'1'..=b'9', digits @ ..] => {
            digits.len() < 15 && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Returns the canonical text of a JSON text.
pub(super) fn canonicalize(json: &str) -> Result<String, JsonError> {
    let mut out = String::with_capacity(json.len());
    let mut reader = JsonReader::of_text(json)?;
    reader.value(&mut out)?;
    reader.finish()?;
    Ok(out)
}

impl JsonReader<'_> {
    /// Reads any value and appends its canonical text. On an error `out` is unchanged.
    pub(crate) fn value(&mut self, out: &mut String) -> Result<(), JsonError> {
        let length = out.len();
        let result = Canonicalizer::new(self, out).run();
        if result.is_err() {
            out.truncate(length);
        }
        result
    }
}

/// Reads one value and writes it along the way. An object whose members are out of order is sorted when it ends.
///
/// It does not recurse, because the input determines the depth. Besides the text and `out` it needs at most 12 bytes
/// for each member of the open objects (twice that while the list grows) and a copy of the object that is sorted. `out`
/// exceeds [`MAX_VALUE_BYTES`] by one scalar at most.
struct Canonicalizer<'r, 'a, 'o> {
    reader: &'r mut JsonReader<'a>,
    out: &'o mut String,
    open: Vec<Container>,
    /// The members of all open objects, innermost last.
    members: Vec<OpenMember>,
    /// The buffer in which an object is sorted.
    ordered: String,
}

enum Container {
    Array,
    Object(Object),
}

struct Object {
    /// The start of the first member in `out`.
    start: usize,
    /// The number of `members` that belong to outer objects.
    first_member: usize,
    /// True if all names so far are in ascending order.
    ascending: bool,
}

/// A member of an open object. Offsets are 32 bits wide, so that many small members take little memory.
struct OpenMember {
    /// The start of the name in `out`, after its quote.
    name: u32,
    /// The end of the value in `out`.
    end: u32,
    /// The start of the name in the input, after its quote.
    source: u32,
}

impl<'r, 'a, 'o> Canonicalizer<'r, 'a, 'o> {
    fn new(reader: &'r mut JsonReader<'a>, out: &'o mut String) -> Canonicalizer<'r, 'a, 'o> {
        Canonicalizer { reader, out, open: Vec::new(), members: Vec::new(), ordered: String::new() }
    }

    fn run(mut self) -> Result<(), JsonError> {
        while self.begin_value()? || self.end_value()? {}
        Ok(())
    }

    /// Reads a scalar, an empty array or object, or the start of another up to its first value. Returns true if that
    /// value follows.
    fn begin_value(&mut self) -> Result<bool, JsonError> {
        self.reader.skip_space();
        match self.reader.peek() {
            Some(b'{') => return self.begin_object(),
            Some(b'[') => return self.begin_array(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ if self.reader.eat(b'"') => self.string()?,
            _ => self.word()?,
        }
        Ok(false)
    }

    /// Reads the ends of arrays and objects after a value, or a comma up to the next value. Returns true if
    /// that value follows, false at the end of the outermost value.
    fn end_value(&mut self) -> Result<bool, JsonError> {
        // Numbers can grow fivefold, so a value that is too long for an operation is not written to its end.
        if self.out.len() > MAX_VALUE_BYTES {
            return Err(self.reader.error(JsonFault::TooLong));
        }
        while let Some(container) = self.open.last_mut() {
            match container {
                Container::Array => {
                    self.reader.skip_space();
                    if self.reader.eat(b',') {
                        push(self.out, ",");
                        return Ok(true);
                    }
                    if !self.reader.eat(b']') {
                        return Err(self.reader.unexpected("a comma or a closing bracket"));
                    }
                    self.open.pop();
                    push(self.out, "]");
                }
                Container::Object(_) => {
                    let end = self.place(self.out.len())?;
                    if let Some(member) = self.members.last_mut() {
                        member.end = end;
                    }
                    if self.reader.begin_member(false)? {
                        push(self.out, ",");
                        self.member_name()?;
                        return Ok(true);
                    }
                    self.end_object()?;
                }
            }
        }
        Ok(false)
    }

    fn begin_array(&mut self) -> Result<bool, JsonError> {
        self.begin_container(Container::Array)?;
        self.reader.eat(b'[');
        push(self.out, "[");
        self.reader.skip_space();
        if !self.reader.eat(b']') {
            return Ok(true);
        }
        self.open.pop();
        push(self.out, "]");
        Ok(false)
    }

    fn begin_object(&mut self) -> Result<bool, JsonError> {
        let (start, first_member) = (self.out.len() + 1, self.members.len());
        self.begin_container(Container::Object(Object { start, first_member, ascending: true }))?;
        self.reader.eat(b'{');
        push(self.out, "{");
        if self.reader.begin_member(true)? {
            self.member_name()?;
            return Ok(true);
        }
        self.end_object().map(|()| false)
    }

    fn begin_container(&mut self, container: Container) -> Result<(), JsonError> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.reader.error(JsonFault::TooDeep));
        }
        self.open.push(container);
        Ok(())
    }

    /// Reads the rest of a member name and its colon.
    fn member_name(&mut self) -> Result<(), JsonError> {
        let source = self.place(self.reader.offset())?;
        let name = self.place(self.out.len() + 1)?;
        self.string()?;
        self.reader.colon()?;
        push(self.out, ":");
        if let Some(Container::Object(object)) = self.open.last_mut()
            && object.ascending
            && let Some(before) = self.members.get(object.first_member..).and_then(<[OpenMember]>::last)
        {
            object.ascending = compare_names(self.out, before.name, name).is_lt();
        }
        self.members.push(OpenMember { name, end: name, source });
        Ok(())
    }

    /// Ends the innermost container, an object whose closing brace has been read.
    fn end_object(&mut self) -> Result<(), JsonError> {
        if let Some(Container::Object(object)) = self.open.pop() {
            if !object.ascending {
                self.put_in_order(&object)?;
            }
            self.members.truncate(object.first_member);
        }
        push(self.out, "}");
        Ok(())
    }

    fn put_in_order(&mut self, object: &Object) -> Result<(), JsonError> {
        let members = self.members.get_mut(object.first_member..).unwrap_or_default();
        members
            .sort_unstable_by(|a, b| compare_names(self.out, a.name, b.name).then(a.source.cmp(&b.source)));
        for pair in members.windows(2) {
            if let [a, b] = pair
                && compare_names(self.out, a.name, b.name).is_eq()
            {
                let name: String = unescaped(from(self.out, b.name)).collect();
                let fault = JsonFault::DuplicateMember { name: Excerpt::of(&name) };
                return Err(JsonError::new(to_usize(b.source).saturating_sub(1), fault));
            }
        }
        self.ordered.clear();
        self.ordered.reserve_exact(self.out.len().saturating_sub(object.start));
        for member in members {
            if !self.ordered.is_empty() {
                self.ordered.push(',');
            }
            self.ordered.push('"');
            self.ordered
                .push_str(self.out.get(to_usize(member.name)..to_usize(member.end)).unwrap_or_default());
        }
        self.out.truncate(object.start);
        self.out.push_str(&self.ordered);
        Ok(())
    }

    /// Reads the rest of a string.
    fn string(&mut self) -> Result<(), JsonError> {
        push(self.out, "\"");
        loop {
            let Piece { plain, escaped, .. } = self.reader.piece()?;
            push(self.out, plain);
            let Some(character) = escaped else { break };
            reserve(self.out, 8);
            write_character(self.out, character);
        }
        push(self.out, "\"");
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let at = self.reader.offset();
        let literal = self.reader.literal()?;
        // A double has at most 25 bytes.
        reserve(self.out, 25);
        literal.write_canonical(self.out).map_err(|fault| JsonError::new(at, fault))
    }

    fn word(&mut self) -> Result<(), JsonError> {
        for word in ["null", "true", "false"] {
            if self.reader.eat_word(word) {
                push(self.out, word);
                return Ok(());
            }
        }
        Err(self.reader.unexpected("a value"))
    }

    fn place(&self, place: usize) -> Result<u32, JsonError> {
        u32::try_from(place).map_err(|_| self.reader.error(JsonFault::TooLong))
    }
}

fn push(out: &mut String, text: &str) {
    reserve(out, text.len());
    out.push_str(text);
}

/// Grows the buffer by a quarter: doubling would use twice the memory for a hostile text of `1e20`.
fn reserve(out: &mut String, bytes: usize) {
    if out.capacity() - out.len() < bytes {
        out.reserve_exact(bytes.max(out.len() / 4));
    }
}

/// Compares the names at two offsets of the canonical text, after their quotes.
fn compare_names(out: &str, a: u32, b: u32) -> Ordering {
    let (a, b) = (from(out, a), from(out, b));
    match (plain_name(a), plain_name(b)) {
        (Some(a), Some(b)) => utf16_cmp(a, b),
        _ => ranks(a).cmp(ranks(b)),
    }
}

/// Returns the name at the start, if it has no escapes.
fn plain_name(text: &str) -> Option<&str> {
    let (name, rest) = text.split_at_checked(plain_len(text.as_bytes()))?;
    rest.starts_with('"').then_some(name)
}

/// Returns the unescaped code units for comparing names with escapes.
fn ranks(text: &str) -> impl Iterator<Item = u8> {
    unescaped_pieces(text).flat_map(|piece| {
        // In a canonical text only ASCII characters are escaped.
        let escaped = piece.escaped.and_then(|character| u8::try_from(character).ok());
        piece.plain.bytes().map(utf16_rank).chain(escaped)
    })
}

/// Returns the characters of the string at the start.
fn unescaped(text: &str) -> impl Iterator<Item = char> {
    unescaped_pieces(text).flat_map(|piece| piece.plain.chars().chain(piece.escaped))
}

fn unescaped_pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let piece = next_piece(rest?).ok()?;
        rest = piece.escaped.map(|_| piece.rest);
        Some(piece)
    })
}

fn from(out: &str, place: u32) -> &str {
    out.get(to_usize(place)..).unwrap_or_default()
}

/// Converts losslessly: the offset was a `usize` before.
fn to_usize(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::super::Value;
    use super::*;

    fn canonical(json: &str) -> String {
        canonicalize(json).unwrap()
    }

    fn fault(json: &str) -> (usize, JsonFault) {
        let error = canonicalize(json).unwrap_err();
        (error.at(), error.fault().clone())
    }

    fn duplicate(name: &str) -> JsonFault {
        JsonFault::DuplicateMember { name: Excerpt::of(name) }
    }

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn white_space_escapes_and_order_do_not_affect_the_canonical_text() {
        assert_eq!(
            canonical(" {\t\"b\" : [ 1.50 , { } ,[ ] ] ,\r\n\"\\u0061\":\"\\/\\u00e9\\u000A\"} "),
            "{\"a\":\"/é\\n\",\"b\":[1.5,{},[]]}"
        );
        for json in ["null", "true", "false", "\"\"", "0", "[]", "{}", "[null,true,false]", "[[],[{}]]"] {
            assert_eq!(canonical(json), json);
        }
    }

    #[test]
    fn members_are_in_utf16_order_at_every_depth() {
        let json = "{\"c\":{\"\u{ffff}\":1,\"\u{1f600}\":{\"b\":[{\"y\":1,\"x\":2}],\"a\":2}},\
                    \"a\":1,\"b\":{\"2\":1,\"10\":2}}";
        let text = "{\"a\":1,\"b\":{\"10\":2,\"2\":1},\
                    \"c\":{\"\u{1f600}\":{\"a\":2,\"b\":[{\"x\":2,\"y\":1}]},\"\u{ffff}\":1}}";
        assert_eq!(canonical(json), text);
    }

    #[test]
    fn names_are_sorted_after_unescaping() {
        // A quote is 0x22, a backslash 0x5c, `a` 0x61; both escapes begin with a backslash.
        let ordered = concat!(
            r#"{"":0,"\u0000":1,"\b":2,"\t":3,"\n":4,"\u000b":5,"\u001f":6,"!":7,"\"":8,"$":9,"#,
            r#""[":10,"\\":11,"]":12,"b\n":13,"b\"":14,"ba":15}"#,
        );
        let mut members: Vec<&str> = ordered.trim_matches(['{', '}']).split(',').collect();
        members.reverse();
        assert_eq!(canonical(&format!("{{{}}}", members.join(","))), ordered);
        members.sort_unstable();
        assert_eq!(canonical(&format!("{{{}}}", members.join(","))), ordered);
    }

    #[test]
    fn a_duplicate_name_is_refused_with_the_position_of_the_second() {
        assert_eq!(fault(r#"{"a":1,"a":2}"#), (7, duplicate("a")));
        assert_eq!(fault(r#"{"a":1,"b":2,"\u0061":3,"a":4}"#), (13, duplicate("a")));
        assert_eq!(fault(r#"{"":1, "":2}"#), (7, duplicate("")));
        assert_eq!(fault(r#"{"\n":1,"x":0,"\u000A":2}"#), (14, duplicate("\n")));
        assert_eq!(fault(r#"[0,{"z":{"\ud83d\ude00":1,"😀":2}}]"#), (26, duplicate("😀")));
        // The same name in another object is another member.
        let json = r#"[{"a":{"a":1}},{"a":2}]"#;
        assert_eq!(canonical(json), json);
    }

    #[test]
    fn sixty_four_levels_are_accepted_and_the_sixty_fifth_is_refused() {
        assert_eq!(canonical(&nested(64)), nested(64));
        assert_eq!(fault(&nested(65)), (64, JsonFault::TooDeep));
        assert_eq!(fault(&"[".repeat(100_000)), (64, JsonFault::TooDeep));
        let objects = |depth| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
        assert_eq!(canonical(&objects(64)), objects(64));
        assert_eq!(fault(&objects(65)), (64 * 5, JsonFault::TooDeep));
        // Containers side by side are not nested.
        let wide = format!("[{}{}]", nested(63) + ",", nested(63));
        assert_eq!(canonical(&wide), wide);
    }

    #[test]
    fn a_stack_of_128_kib_is_enough() {
        let small = thread::Builder::new().stack_size(128 * 1024).spawn(|| {
            let objects = r#"{"b":0,"a":[0,"#.repeat(32) + "1" + &"]}".repeat(32);
            let value = Value::parse(&objects).unwrap();
            assert!(check_canonical(value.as_str()).is_ok());
            assert_eq!(Value::from_serde(&value.to_serde()), Ok(value));
            assert_eq!(fault(&"[".repeat(1_000_000)).1, JsonFault::TooDeep);
        });
        small.unwrap().join().unwrap();
    }

    #[test]
    fn anything_outside_the_grammar_is_refused() {
        for json in [
            "]",
            "}",
            ",",
            ":",
            "[,",
            "[1,]",
            "[1 2]",
            "[1}",
            "[1,,2]",
            "{,}",
            "{1:2}",
            "{a:1}",
            "{'a':1}",
            "{\"a\"}",
            "{\"a\",1}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{\"a\":1 \"b\":2}",
            "{\"a\":}",
            "{\"a\"::1}",
            "nul",
            "nulL",
            "True",
            "tru e",
            "undefined",
            "'a'",
            "\u{b}1",
            "\u{c}1",
            "\u{a0}1",
            "\u{feff}1 ",
            "/**/1",
            "\u{1}",
            "[\u{feff}]",
        ] {
            let (_, fault) = fault(json);
            assert!(
                matches!(fault, JsonFault::Syntax { .. } | JsonFault::ByteOrderMark),
                "{json:?}: {fault}"
            );
        }
        for json in ["", " ", "[", "[1", "[1,", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,"] {
            assert_eq!(fault(json), (json.len(), JsonFault::UnexpectedEnd), "{json:?}");
        }
        for json in ["nullx", "null null", "[]]", "{}}", "\"\"\"", "1,", "[] ,", "truefalse"] {
            assert_eq!(fault(json).1, JsonFault::TrailingBytes, "{json:?}");
        }
    }

    #[test]
    fn the_position_of_a_number_is_its_start() {
        assert_eq!(fault("[1, -0.0]"), (4, JsonFault::NegativeZero));
        assert_eq!(fault("[1, -x]"), (5, JsonFault::Syntax { expected: "a digit" }));
    }

    #[test]
    fn an_error_keeps_the_text_written_before() {
        let mut out = String::from("before");
        JsonReader::of_text(r#"{"b":[1,2],"a":"#).unwrap().value(&mut out).unwrap_err();
        assert_eq!(out, "before");
    }

    #[test]
    fn text_that_is_not_canonical_is_refused_with_its_position() {
        for (text, at) in [
            (" 1", 0),
            ("1 ", 1),
            ("1.0", 1),
            ("1e0", 1),
            ("1E21", 1),
            ("1e21", 2),
            ("[1, 2]", 3),
            ("{\"b\":1,\"a\":2}", 2),
            ("\"\\u0061\"", 1),
            ("\"\\u000A\"", 2),
            ("\"\\u001F\"", 6),
            ("\"\\/\"", 1),
        ] {
            let error = check_canonical(text).unwrap_err();
            assert_eq!((error.at(), error.fault()), (at, &JsonFault::NotCanonical), "{text}");
        }
        for text in ["\"", "\"\n\"", "-0", "00", "-", "-01", "nul", "9007199254740993", "\"\"\"", "1 2", ""] {
            let error = check_canonical(text).unwrap_err();
            assert_ne!(error.fault(), &JsonFault::NotCanonical, "{text}");
        }
        for text in [
            "0",
            "-1",
            "999999999999999",
            "-999999999999999",
            "1000000000000000",
            "9007199254740991",
            "1e+21",
            "0.1",
            "\"\"",
            "\"a\"",
            "\"\\n\"",
            "\"é\u{7f}\"",
            "[]",
            "{\"a\":[{}]}",
        ] {
            assert_eq!(check_canonical(text), Ok(()), "{text}");
        }
    }

    /// With optimization these take less than 0.2 s together; a quadratic algorithm would take minutes.
    #[test]
    fn large_hostile_texts_take_linear_time() {
        let object = |names: &mut dyn Iterator<Item = String>| {
            let members: Vec<String> = names.map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        let descending = object(&mut (0..80_000).rev().map(|number| format!("{number:06}")));
        assert_eq!(canonical(&descending), object(&mut (0..80_000).map(|number| format!("{number:06}"))));

        let escape = |number: u32| {
            let letter = |place: u32| format!("\\u00{:02x}", (number / 30_u32.pow(place)) % 30 + 1);
            (0..4).rev().map(letter).collect::<String>()
        };
        let escaped = canonical(&object(&mut (0..30_000).rev().map(escape)));
        assert_eq!(escaped, canonical(&object(&mut (0..30_000).map(escape))));

        let same = object(&mut (0..100_000).map(|_| String::new()));
        assert_eq!(fault(&same), (6, duplicate("")));
        let alternating = object(&mut (0..100_000).map(|number| ["b", "a"][number % 2].to_owned()));
        assert_eq!(fault(&alternating), (19, duplicate("a")));

        let prefix = "p".repeat(1_000);
        let alike = object(&mut (0..1_000).rev().map(|number| format!("{prefix}{number:03}")));
        assert!(canonical(&alike).ends_with("p999\":0}"));

        // 64 nested objects, each of which must be sorted.
        let layers = r#"{"b":0,"a":"#.repeat(63) + &descending + &"}".repeat(63);
        assert!(canonical(&layers).starts_with(r#"{"a":{"a":{"a":"#));
    }

    #[test]
    fn a_value_has_at_most_1_mib() {
        let longest = format!("\"{}\"", "x".repeat(MAX_VALUE_BYTES - 2));
        assert_eq!(canonical(&longest), longest);
        assert!(matches!(fault(&longest.replace("xx\"", "xxx\"")), (_, JsonFault::TooLong)));
        // The limit is reported when it is reached: the text after it is not JSON.
        let growing = format!("[{}!", "1e20,".repeat(100_000));
        assert!(matches!(fault(&growing), (_, JsonFault::TooLong)));
    }

    #[test]
    fn the_text_grows_at_most_by_the_factor_of_its_numbers() {
        let json = format!("[{}1e20]", "1e20,".repeat(40_000));
        let text = canonical(&json);
        assert_eq!(text.len(), 1 + 40_001 * 22);
        assert!(text.capacity() <= text.len() * 5 / 4 + 32, "{} for {}", text.capacity(), text.len());
    }

    /// JSON texts with any white space, escapes, number formats and order of members.
    fn any_spelling() -> impl Strategy<Value = String> {
        let space = prop::sample::select(vec!["", "", "", " ", "\n\t\r "]);
        let character = prop_oneof![
            "[ -~]".prop_filter("is escaped below", |text| text != "\"" && text != "\\"),
            "[^\\x00-\\x1f\"\\\\]",
            prop::sample::select(vec![
                "\\n",
                "\\/",
                "\\u0041",
                "\\u000b",
                "\\u2028",
                "\\uD83D\\ude00",
                "\\\"",
                "\\\\"
            ])
            .prop_map(str::to_owned),
            prop::sample::select(vec!["\u{e000}", "\u{ffff}", "\u{10000}"]).prop_map(str::to_owned),
        ];
        let string = prop::collection::vec(character, 0..8)
            .prop_map(|parts| format!("\"{}\"", parts.concat()))
            .boxed();
        let number = prop_oneof![
            20 => "-?[1-9][0-9]{0,14}(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?",
            5 => "0(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?",
            1 => "-?(0|[1-9][0-9]{15,19})(\\.[0-9]{1,5})?",
        ];
        let word = prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned);
        let scalar = prop_oneof![string.clone(), number, word];
        let padded = (space.clone(), scalar, space.clone()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        padded.prop_recursive(5, 40, 6, move |inner| {
            let padded_string =
                (space.clone(), string.clone(), space.clone()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
            let member = (padded_string, inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
            let array = (space.clone(), prop::collection::vec(inner, 0..6), space.clone());
            let object = (space.clone(), prop::collection::vec(member, 0..6), space.clone());
            let text = |values: Vec<String>, space: &str| {
                if values.is_empty() { space.to_owned() } else { values.join(",") }
            };
            prop_oneof![
                array.prop_map(move |(a, values, b)| format!("{a}[{}]{b}", text(values, a))),
                object.prop_map(move |(a, values, b)| format!("{a}{{{}}}{b}", text(values, b))),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_is_its_own_canonical_text(json in any_spelling()) {
            match canonicalize(&json) {
                Ok(text) => {
                    prop_assert_eq!(canonicalize(&text), Ok(text.clone()));
                    prop_assert_eq!(check_canonical(&text), Ok(()));
                    prop_assert_eq!(Value::parse(&json).unwrap().to_string(), text);
                }
                Err(error) => prop_assert!(
                    matches!(
                        error.fault(),
                        JsonFault::DuplicateMember { .. }
                            | JsonFault::NegativeZero
                            | JsonFault::UnsafeInteger { .. }
                    ),
                    "{json:?}: {error}"
                ),
            }
        }

        #[test]
        fn another_reader_sees_the_same_value(json in any_spelling()) {
            if let Ok(value) = Value::parse(&json) {
                let theirs: serde_json::Value = serde_json::from_str(&json).unwrap();
                // The reader of `serde_json` may be one unit off, so ours compares numbers.
                fn numbers_aside(value: &serde_json::Value) -> serde_json::Value {
                    match value {
                        serde_json::Value::Number(_) => 0.into(),
                        serde_json::Value::Array(values) => values.iter().map(numbers_aside).collect(),
                        serde_json::Value::Object(members) => {
                            members.iter().map(|(name, value)| (name.clone(), numbers_aside(value))).collect()
                        }
                        other => other.clone(),
                    }
                }
                prop_assert_eq!(numbers_aside(&value.to_serde()), numbers_aside(&theirs));
                prop_assert_eq!(Value::from_serde(&value.to_serde()), Ok(value));
            }
        }

        #[test]
        fn text_passes_the_check_exactly_if_it_is_its_own_canonical_text(json in any_spelling()) {
            for json in [json.replace([' ', '\n', '\t', '\r'], ""), json] {
                let same = Value::parse(&json).is_ok_and(|value| value.as_str() == json);
                prop_assert_eq!(check_canonical(&json).is_ok(), same);
            }
        }

        #[test]
        fn the_fast_answer_is_the_slow_answer(
            text in prop_oneof![
                "-?[0-9]{1,18}",
                "\"[ -~é\\n]{0,12}\"?",
                "null|true|false|nul|truee",
                "[0-9.eE+-]{1,6}",
            ],
        ) {
            let slow = canonicalize(&text).is_ok_and(|canonical| canonical == text);
            prop_assert!(slow || !is_plainly_canonical(&text));
            prop_assert_eq!(check_canonical(&text).is_ok(), slow);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let mut out = String::new();
            if let Ok(mut reader) = JsonReader::new(&bytes) {
                prop_assert_eq!(reader.value(&mut out).is_err(), out.is_empty());
                prop_assert!(reader.offset() <= bytes.len());
            }
        }

        #[test]
        fn no_damage_makes_the_reader_panic(
            json in any_spelling(),
            places in prop::collection::vec(any::<prop::sample::Index>(), 3),
            damage in "[\\[\\]{}\",:\\\\u0-9eE.+ -]{1,3}",
        ) {
            let mut characters: Vec<char> = json.chars().collect();
            for (place, with) in places.iter().zip(damage.chars()) {
                let place = place.index(characters.len());
                characters[place] = with;
            }
            let json: String = characters.into_iter().collect();
            match Value::parse(&json) {
                Ok(value) => prop_assert_eq!(check_canonical(value.as_str()), Ok(())),
                Err(error) => {
                    prop_assert!(error.at() <= json.len());
                    prop_assert!(error.to_string().bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
                    prop_assert!(error.to_string().len() < 512);
                }
            }
        }
    }
}
