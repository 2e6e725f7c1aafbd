//! Tests of reading: fields, entities, history, explanations, changes and cursors.

use policysync::op::Kind;
use policysync::oplog::Cursor;
use policysync::state::{Rule, Standing};
use policysync::{Effect, Replica, Value};

use super::common::{NOW, delete, reader, set};
use super::{DRIFT, HOUR, appended, hash_of, text, writer};

#[test]
fn a_delete_removes_a_field_until_a_later_set() {
    let (first, gone, again) = (
        set("alice", NOW.0, 0, "title", "first"),
        delete("alice", NOW.0, 1, "title"),
        set("alice", NOW.0, 2, "title", "again"),
    );
    let mut replica = reader(&["alice"]);
    let get = |replica: &Replica| replica.get(("Task", "t1", "title")).unwrap();
    replica.ingest(NOW, &first).unwrap();
    assert_eq!(get(&replica), text("first"));
    let (_, effect) = appended(replica.ingest(NOW, &gone).unwrap());
    assert_eq!(effect, Effect::Won { superseded: Some(hash_of(&first)) });
    assert_eq!(get(&replica), None);
    assert_eq!(replica.entity("Task", "t1").unwrap(), None);
    assert_eq!(replica.entities("Task"), Vec::<String>::new());
    assert!(replica.fields("Task", "t1", "").unwrap().is_empty());
    replica.ingest(NOW, &again).unwrap();
    assert_eq!(get(&replica), text("again"));
    assert_eq!(replica.entities("Task"), ["t1"]);

    // In another order, and a delete that is older than the set.
    let mut other = reader(&["alice"]);
    for op in [&gone, &again, &first] {
        other.ingest(NOW, op).unwrap();
    }
    assert_eq!(get(&other), text("again"));
    assert_eq!(other.state_digest(), replica.state_digest());
    let (_, effect) = appended(other.ingest(NOW, &delete("alice", NOW.0 - 1, 0, "title")).unwrap());
    assert_eq!(effect, Effect::Lost { to: hash_of(&again) });
}

#[test]
fn null_and_empty_values_are_values() {
    for value in ["null", "\"\"", "{}", "[]", "0", "false"] {
        let mut replica = writer("alice", &[]);
        let value = Value::parse(value).unwrap();
        replica.set(NOW, ("Task", "t1", "title"), value.clone()).unwrap();
        assert_eq!(replica.get(("Task", "t1", "title")).unwrap(), Some(value.clone()));
        assert_eq!(replica.entity("Task", "t1").unwrap().unwrap().as_str(), format!("{{\"title\":{value}}}"));
    }
}

#[test]
fn fields_under_a_prefix_end_at_a_slash() {
    let mut replica = writer("alice", &[]);
    let paths = ["a", "ab", "a/b", "a/b/c", "a-", "b", "A"];
    for path in paths {
        replica.set(NOW, ("Task", "t1", path), path).unwrap();
    }
    replica.set(NOW, ("Task", "t2", "a/z"), "another entity").unwrap();
    replica.set(NOW, ("Note", "t1", "a/z"), "another kind").unwrap();
    let under = |prefix: &str| -> Vec<String> {
        replica.fields("Task", "t1", prefix).unwrap().into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(under("a"), ["a", "a/b", "a/b/c"]);
    assert_eq!(under("a/b"), ["a/b", "a/b/c"]);
    assert_eq!(under("ab"), ["ab"]);
    assert_eq!(under(""), ["A", "a", "a-", "a/b", "a/b/c", "ab", "b"]);
    assert_eq!(under("c"), Vec::<String>::new());
    assert_eq!(under("a/"), Vec::<String>::new());
}

#[test]
fn an_entity_is_canonical_json_with_names_in_utf16_order() {
    let mut replica = writer("alice", &[]);
    for (path, value) in [("\u{FB33}", "1"), ("\u{1F600}", "2"), ("a\"b", "{\"x\":[1,2]}"), ("z", "null")] {
        replica.set(NOW, ("Task", "t1", path), Value::parse(value).unwrap()).unwrap();
    }
    let entity = replica.entity("Task", "t1").unwrap().unwrap();
    assert_eq!(entity.as_str(), "{\"a\\\"b\":{\"x\":[1,2]},\"z\":null,\"\u{1F600}\":2,\"\u{FB33}\":1}");
    assert_eq!(Value::parse(&entity).unwrap().as_str(), entity);
    assert_eq!(replica.entity("Task", "t2").unwrap(), None);
    assert_eq!(replica.entity("Tas", "kt1").unwrap(), None);
}

#[test]
fn history_and_explanation_name_each_rule() {
    let at = |actor: &str, t, c, value: &str| set(actor, t, c, "title", value);
    let dalet = "\u{FB33}";
    let smile = "\u{1F600}";
    let (one, two) = (at("alice", NOW.0, 0, "one"), at("alice", NOW.0, 0, "two"));
    let (smaller, greater) = if hash_of(&one) < hash_of(&two) { (one, two) } else { (two, one) };
    let cases = [
        (at("bob", NOW.0, 9, "x"), at("alice", NOW.0 + 1, 0, "y"), Rule::Time),
        (at("bob", NOW.0, 1, "x"), at("alice", NOW.0, 2, "y"), Rule::Counter),
        (at("alice", NOW.0, 0, "x"), at("bob", NOW.0, 0, "y"), Rule::Actor),
        // The order by UTF-8 would be the reverse.
        (at(smile, NOW.0, 0, "x"), at(dalet, NOW.0, 0, "y"), Rule::Actor),
        (smaller, greater, Rule::Hash),
    ];
    for (loser, winner, rule) in cases {
        for ops in [[&loser, &winner], [&winner, &loser]] {
            let mut replica = reader(&["alice", "bob", dalet, smile]);
            let old = at("alice", NOW.0 - HOUR, 0, "old");
            for op in [ops[0], &old, ops[1]] {
                replica.ingest(NOW, op).unwrap();
            }
            let explanation = replica.explain(("Task", "t1", "title")).unwrap().unwrap();
            assert_eq!(explanation.winner.op, winner);
            assert_eq!(explanation.winner.hash, hash_of(&winner));
            let (over, decided) = explanation.over.unwrap();
            assert_eq!((&over.op, decided), (&loser, rule), "{rule}");
            let history = replica.history(("Task", "t1", "title")).unwrap();
            let standings: Vec<_> = history.iter().map(|version| (&version.op, version.standing)).collect();
            assert_eq!(
                standings,
                [(&winner, Standing::Winner), (&loser, Standing::Superseded), (&old, Standing::Superseded)]
            );
        }
    }
    let mut alone = reader(&["alice"]);
    assert_eq!(alone.explain(("Task", "t1", "title")).unwrap(), None);
    alone.ingest(NOW, &at("alice", NOW.0 + DRIFT + 1, 0, "held")).unwrap();
    assert_eq!(alone.explain(("Task", "t1", "title")).unwrap(), None);
    alone.ingest(NOW, &at("alice", NOW.0, 0, "x")).unwrap();
    assert_eq!(alone.explain(("Task", "t1", "title")).unwrap().unwrap().over, None);
}

#[test]
fn poll_names_each_changed_field_once_with_its_last_winner() {
    let mut replica = reader(&["alice"]);
    let ops = [
        set("alice", NOW.0, 1, "title", "x"),
        set("alice", NOW.0, 0, "title", "an older one changes nothing"),
        set("alice", NOW.0, 2, "notes", "y"),
        set("alice", NOW.0, 3, "title", "z"),
        delete("alice", NOW.0, 4, "notes"),
    ];
    assert!(!replica.has_changes());
    for op in &ops {
        replica.ingest(NOW, op).unwrap();
    }
    assert!(replica.has_changes());
    let changes = replica.poll(NOW).unwrap();
    assert!(!replica.has_changes());
    let named: Vec<_> =
        changes.iter().map(|change| (change.path.as_str(), change.kind, change.winner)).collect();
    let winner = |n: usize| Some(hash_of(&ops[n]));
    assert_eq!(named, [("title", Kind::Set, winner(3)), ("notes", Kind::Delete, winner(4))]);
    assert!(changes.iter().all(|change| change.entity == "Task" && change.entity_id == "t1"));
    assert!(replica.poll(NOW).unwrap().is_empty());

    replica.ingest(NOW, &ops[0]).unwrap();
    replica.ingest(NOW, &set("alice", NOW.0 - 1, 0, "title", "loses")).unwrap();
    assert!(replica.poll(NOW).unwrap().is_empty(), "a duplicate and a loser change nothing");
    replica.ingest(NOW, &set("alice", NOW.0, 5, "title", "wins")).unwrap();
    assert_eq!(replica.poll(NOW).unwrap().len(), 1);
}

#[test]
fn a_cursor_misses_no_operation_that_arrives_late() {
    let mut replica = reader(&["alice"]);
    assert_eq!(replica.log().cursor(), Cursor::START);
    replica.ingest(NOW, &set("alice", NOW.0, 0, "title", "x")).unwrap();
    let cursor = replica.log().cursor();
    assert_eq!((Cursor::START.position(), cursor.position()), (0, 1));
    assert_eq!(replica.log().since(cursor).count(), 0);
    // One operation with the oldest timestamp of all, and one that is held.
    let late = [set("alice", 0, 0, "title", "late"), set("alice", NOW.0 + 2 * DRIFT, 0, "title", "held")];
    for op in &late {
        replica.ingest(NOW, op).unwrap();
    }
    let arrived: Vec<_> = replica.log().since(cursor).map(Result::unwrap).collect();
    assert_eq!(arrived.iter().map(|entry| &entry.op).collect::<Vec<_>>(), [&late[0], &late[1]]);
    assert_eq!(replica.log().since(arrived[0].cursor).count(), 1);
    assert_eq!(arrived[1].cursor, replica.log().cursor());
    assert_eq!(arrived[1].cursor.position(), 3);
    assert_eq!(replica.log().since(Cursor::START).count(), 3);
    assert_eq!(Cursor::from_position(cursor.position()), Some(cursor));
    // A cursor past the end gives nothing; it is not an error.
    assert_eq!(replica.log().since(Cursor::from_position(1_000_000).unwrap()).count(), 0);
}
