//! `policysync log`, `show` and `explain`: reading a store.

use clap::{Arg, ArgMatches, Command, value_parser};
use policysync::op::Kind;
use policysync::oplog::{Cursor, LogEntry};
use policysync::state::{Standing, Version};
use policysync::{Op, Replica, WallMillis};

use crate::failure::Failure;
use crate::json::{Object, array};
use crate::output::{Output, name, shown};
use crate::store_options::StoreOptions;
use crate::time::date;

pub fn log_command() -> Command {
    let number =
        |name: &'static str| Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64));
    let command = Command::new("log")
        .about("Prints the operations in the order in which they arrived")
        .after_help(
            "A line: position, time, actor, what it did. With --json an object a line: hash, op, position.\n\n\
             Example:\n  policysync log --store list.db --keys keys.txt --since 100",
        )
        .arg(number("since").help("Skips this many of the first operations"))
        .arg(number("limit").help("Prints no more than this many"));
    StoreOptions::on(command)
}

pub fn log(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let since = matches.get_one::<u64>("since").copied().unwrap_or(0);
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(u64::MAX);
    let replica = StoreOptions::of(matches)?.open()?;
    // A position beyond the end has nothing after it.
    let Some(since) = Cursor::from_position(since) else { return Ok(()) };
    for (entry, _) in replica.log().since(since).zip(0..limit) {
        let LogEntry { op, hash, cursor, .. } = entry?;
        let position = cursor.position();
        if output.is_json() {
            let object = Object::new().text("hash", &hash.to_string()).raw("op", &op.to_json());
            output.line(&object.number("position", position).finish())?;
        } else {
            output.line(&format!("{position}  {}", in_words(op.op())))?;
        }
    }
    Ok(())
}

pub fn show_command() -> Command {
    let command = Command::new("show")
        .about("Prints the entities of a kind, the fields of one, or one field")
        .after_help(
            "Without an id every entity of the kind. With --json objects of fields by path, and of entities by id.\n\n\
             Examples:\n  policysync show Task --store list.db --keys keys.txt\n  \
             policysync show Task t1 title --store list.db --keys keys.txt",
        )
        .args([
            Arg::new("entity").value_name("ENTITY").required(true).help("The kind of entity"),
            Arg::new("id").value_name("ID").help("Which one"),
            Arg::new("path").value_name("PATH").help("Which field of it"),
        ]);
    StoreOptions::on(command)
}

pub fn show(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let word = |name| matches.get_one::<String>(name).map(String::as_str);
    let replica = StoreOptions::of(matches)?.open()?;
    let entity = word("entity").unwrap_or_default();
    match (word("id"), word("path")) {
        (Some(id), Some(field)) => show_field(&replica, output, entity, id, field),
        (Some(id), None) => show_entity(&replica, output, entity, id),
        (None, _) => show_kind(&replica, output, entity),
    }
}

fn show_field(
    replica: &Replica,
    output: &mut Output,
    entity: &str,
    id: &str,
    path: &str,
) -> Result<(), Failure> {
    match replica.get((entity, id, path))? {
        Some(value) if output.is_json() => Ok(output.line(value.as_str())?),
        Some(value) => Ok(output.line(&shown(value.as_str()))?),
        None => Err(Failure::no(format!("no field {} of {} {}", name(path), name(entity), name(id)))),
    }
}

fn show_entity(replica: &Replica, output: &mut Output, entity: &str, id: &str) -> Result<(), Failure> {
    let Some(json) = replica.entity(entity, id)? else {
        return Err(Failure::no(format!("no {} {}", name(entity), name(id))));
    };
    if output.is_json() {
        return Ok(output.line(&json)?);
    }
    print_fields(replica, output, entity, id, "")
}

fn show_kind(replica: &Replica, output: &mut Output, entity: &str) -> Result<(), Failure> {
    let ids = replica.entities(entity);
    if output.is_json() {
        let mut object = Object::new();
        for id in ids {
            if let Some(json) = replica.entity(entity, &id)? {
                object = object.raw(&id, &json);
            }
        }
        return Ok(output.line(&object.finish())?);
    }
    for id in ids {
        output.line(&name(&id))?;
        print_fields(replica, output, entity, &id, "  ")?;
    }
    Ok(())
}

fn print_fields(
    replica: &Replica,
    output: &mut Output,
    entity: &str,
    id: &str,
    indent: &str,
) -> Result<(), Failure> {
    for (path, value) in replica.fields(entity, id, "")? {
        output.line(&format!("{indent}{} = {}", name(&path), shown(value.as_str())))?;
    }
    Ok(())
}

pub fn explain_command() -> Command {
    let command = Command::new("explain")
        .about("Prints why a field is as it is: the winner, and every other operation on it")
        .after_help("Example:\n  policysync explain Task t1 title --store list.db --keys keys.txt")
        .args(field_args());
    StoreOptions::on(command)
}

/// Returns the three words that name a field.
pub fn field_args() -> [Arg; 3] {
    [
        Arg::new("entity").value_name("ENTITY").required(true).help("The kind of entity"),
        Arg::new("id").value_name("ID").required(true).help("Which one"),
        Arg::new("path").value_name("PATH").required(true).help("Which field of it"),
    ]
}

pub fn explain(matches: &ArgMatches, output: &mut Output) -> Result<(), Failure> {
    let word = |name| matches.get_one::<String>(name).map_or("", String::as_str);
    let (entity, id, path) = (word("entity"), word("id"), word("path"));
    let replica = StoreOptions::of(matches)?.open()?;
    let history = replica.history((entity, id, path))?;
    let explanation = replica.explain((entity, id, path))?;
    if history.is_empty() {
        return Err(Failure::no(format!("no operation on {} {} {}", name(entity), name(id), name(path))));
    }
    let rule = explanation.and_then(|explanation| explanation.over).map(|(_, rule)| rule.to_string());
    if output.is_json() {
        let object = Object::new().raw("history", &array(history.iter().map(version)));
        return Ok(output.line(&object.maybe_text("rule", rule.as_deref()).finish())?);
    }
    for version in &history {
        output.line(&format!("{:<10}  {}", standing(version), in_words(version.op.op())))?;
        if let (Standing::Winner, Some(rule)) = (version.standing, &rule) {
            output.line(&format!("{:<10}  wins over the next by: {rule}", ""))?;
        }
    }
    Ok(())
}

fn version(version: &Version) -> String {
    let object = Object::new().text("hash", &version.hash.to_string()).raw("op", &version.op.to_json());
    object.text("standing", standing(version)).finish()
}

fn standing(version: &Version) -> &'static str {
    match version.standing {
        Standing::Winner => "winner",
        Standing::Superseded => "superseded",
        Standing::Held => "held",
        _ => "unknown",
    }
}

/// Returns an operation in one line.
fn in_words(op: &Op) -> String {
    let field = format!("{} {} {}", name(op.entity()), name(op.entity_id()), name(op.path()));
    let what = match op.kind() {
        Kind::Delete => format!("delete {field}"),
        // Every other kind sets a field.
        _ => format!("set {field} = {}", shown(op.value().as_str())),
    };
    format!("{}  {}  {what}", date(WallMillis(op.ts().t())), name(op.actor()))
}
