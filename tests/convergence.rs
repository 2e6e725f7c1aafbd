//! Convergence: replicas with the same operations are equal for any order, duplication and batching of arrivals.
#![expect(clippy::type_complexity, reason = "what a replica shows, as nested as it is")]

mod common;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{NOW, Random, crypto, key, knowing};
use policysync::crypto::Hash;
use policysync::keys::sign_op;
use policysync::op::Kind;
use policysync::oplog::{Cursor, LogDigest};
use policysync::state::Folded;
use policysync::{ForkProof, Hlc, Incoming, Op, OpHash, Outcome, Replica, SignedOp, Value, WallMillis};
use proptest::prelude::*;

/// Two actors sort differently by UTF-8 bytes and by UTF-16 code units: U+FB33 and U+1F600.
const ACTORS: [&str; 5] = ["alice", "bob", "\u{FB33}", "\u{1F600}", "alicf"];
const DRIFT: u64 = 600_000;
/// Times close together, far in the past, at the horizon of `NOW`, and past it.
const TIMES: [u64; 7] =
    [0, NOW.0 - 3_600_000, NOW.0, NOW.0 + 1, NOW.0 + DRIFT, NOW.0 + DRIFT + 1, NOW.0 + 10 * DRIFT];
/// Large counters share a prefix in the order of the log.
const COUNTERS: [u32; 5] = [0, 1, 2047, 2048, 4_294_967_294];
const REGISTERS: [(&str, &str, &str); 4] =
    [("Task", "t1", "title"), ("Task", "t1", "title/de"), ("Task", "t2", "title"), ("Tas", "kt1", "title")];
const CONTENTS: usize = 3;

struct Pool {
    ops: Vec<SignedOp>,
    hashes: Vec<OpHash>,
}

/// The pool of operations that sets are drawn from, each signed once.
fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let keys = ACTORS.map(key);
        let mut ops = Vec::new();
        for key in &keys {
            let actor = key.public_key().actor();
            for ts in TIMES.iter().flat_map(|t| COUNTERS.map(|c| Hlc::new(*t, c).unwrap())) {
                for (entity, id, path) in REGISTERS {
                    for content in 0..CONTENTS {
                        let op = match content {
                            0 => Op::lww_delete(actor, ts, (entity, id, path)),
                            1 => Op::lww_set(actor, ts, (entity, id, path), actor),
                            _ => Op::lww_set(
                                actor,
                                ts,
                                (entity, id, path),
                                Value::parse("{\"n\":[1,null]}").unwrap(),
                            ),
                        };
                        ops.push(sign_op(&crypto(), op.unwrap(), key).unwrap());
                    }
                }
            }
        }
        let hashes = ops.iter().map(hash_of).collect();
        Pool { ops, hashes }
    })
}

/// Computes the hash of an operation from its public JSON form.
fn hash_of(op: &SignedOp) -> OpHash {
    let json = op.to_json();
    let start = json.find("\"sig\":{\"alg\":").unwrap() + "\"sig\":".len();
    let end = start + json[start..].find('}').unwrap() + 1;
    crypto().hash(format!("{}undefined{}", &json[..start], &json[end..]).as_bytes()).into()
}

/// Indices into the pool. There are few times and counters, so that operations collide.
fn sets(limit: usize) -> impl Strategy<Value = Vec<usize>> {
    let t = prop_oneof![3 => 2..4_usize, 1 => 0..TIMES.len()];
    let c = prop_oneof![3 => 2..4_usize, 1 => 0..COUNTERS.len()];
    let register = prop_oneof![2 => 0..1_usize, 1 => 0..REGISTERS.len()];
    let op = (0..ACTORS.len(), t, c, register, 0..CONTENTS);
    let number = op.prop_map(|(actor, t, c, register, content)| {
        (((actor * TIMES.len() + t) * COUNTERS.len() + c) * REGISTERS.len() + register) * CONTENTS + content
    });
    prop::collection::btree_set(number, 1..limit).prop_map(|set| set.into_iter().collect())
}

/// The observable state of a replica, which must be equal everywhere.
#[derive(Debug, PartialEq)]
struct Seen {
    order: Vec<(OpHash, SignedOp)>,
    digest: LogDigest,
    state_digest: Hash,
    fields: Vec<(String, String, Vec<(String, Value)>)>,
    entities: Vec<Option<String>>,
    explained: Vec<Option<(OpHash, Option<(OpHash, policysync::state::Rule)>)>>,
    histories: Vec<Vec<(OpHash, policysync::state::Standing)>>,
    forks: Vec<ForkProof>,
    held: usize,
}

fn seen(replica: &Replica) -> Seen {
    let mut fields = Vec::new();
    let mut entities = Vec::new();
    for entity in ["Task", "Tas"] {
        for id in replica.entities(entity) {
            fields.push((entity.to_owned(), id.clone(), replica.fields(entity, &id, "").unwrap()));
            entities.push(replica.entity(entity, &id).unwrap());
        }
    }
    let explain = |(entity, id, path)| {
        let explanation = replica.explain((entity, id, path)).unwrap()?;
        Some((explanation.winner.hash, explanation.over.map(|(version, rule)| (version.hash, rule))))
    };
    let history = |(entity, id, path)| {
        let history = replica.history((entity, id, path)).unwrap();
        history.into_iter().map(|version| (version.hash, version.standing)).collect()
    };
    Seen {
        order: replica.log().iter().map(|entry| entry.unwrap()).map(|entry| (entry.hash, entry.op)).collect(),
        digest: replica.log().digest(),
        state_digest: replica.state_digest(),
        fields,
        entities,
        explained: REGISTERS.into_iter().map(explain).collect(),
        histories: REGISTERS.into_iter().map(history).collect(),
        forks: replica.log().forks().unwrap(),
        held: replica.held(),
    }
}

/// Opens a replica that does not verify signatures, which do not matter here.
fn relay() -> Replica {
    Replica::open(knowing(&[]).dangerously_accept_unverified()).unwrap()
}

/// Shuffles the operations, repeats some, splits them into batches, and ingests them at times that end with `NOW`. Each
/// replica has its own wall clock, which may go back.
fn ingest_somehow(replica: &mut Replica, ops: &[&SignedOp], random: &mut Random) {
    let mut arrivals: Vec<&SignedOp> = ops.to_vec();
    for _ in 0..random.below(ops.len() + 1) / 2 {
        arrivals.push(ops[random.below(ops.len())]);
    }
    random.shuffle(&mut arrivals);
    let mut left = &arrivals[..];
    while !left.is_empty() {
        let (batch, rest) = left.split_at(1 + random.below(left.len().min(8)));
        left = rest;
        let now =
            [WallMillis(0), WallMillis(NOW.0 - 2 * DRIFT), WallMillis(NOW.0 - DRIFT), NOW][random.below(4)];
        let batch: Vec<Incoming<'_>> = batch.iter().map(|op| (*op).into()).collect();
        for outcome in replica.ingest_batch(now, &batch).unwrap() {
            outcome.unwrap();
        }
        if random.below(4) == 0 {
            replica.poll(now).unwrap();
        }
    }
    replica.poll(NOW).unwrap();
}

fn replica_of(ops: &[&SignedOp], random: &mut Random) -> Replica {
    let mut replica = relay();
    ingest_somehow(&mut replica, ops, random);
    replica
}

fn all_of(numbers: &[usize]) -> Vec<&'static SignedOp> {
    numbers.iter().map(|number| &pool().ops[*number]).collect()
}

/// Ingests all operations of another replica, in its order of arrival.
fn merge_into(replica: &mut Replica, other: &Replica) {
    let ops: Vec<SignedOp> = other.log().since(Cursor::START).map(|entry| entry.unwrap().op).collect();
    let batch: Vec<Incoming<'_>> = ops.iter().map(Incoming::from).collect();
    replica.ingest_batch(NOW, &batch).unwrap().into_iter().for_each(|outcome| assert!(outcome.is_ok()));
    replica.poll(NOW).unwrap();
}

fn merged(replicas: &[&Replica]) -> Replica {
    let mut all = relay();
    replicas.iter().for_each(|replica| merge_into(&mut all, replica));
    all.poll(NOW).unwrap();
    all
}

/// A second implementation of the total order.
fn expected_order(a: &SignedOp, b: &SignedOp) -> Ordering {
    let (x, y) = (a.op(), b.op());
    (x.ts().t(), x.ts().c())
        .cmp(&(y.ts().t(), y.ts().c()))
        .then_with(|| x.actor().encode_utf16().cmp(y.actor().encode_utf16()))
        .then_with(|| hash_of(a).as_bytes().cmp(hash_of(b).as_bytes()))
}

/// A second, slow implementation of the merge: it sorts, and the last operation on each register wins.
fn check_against_the_model(ops: &[&SignedOp], seen: &Seen) {
    let mut sorted = ops.to_vec();
    sorted.sort_by(|a, b| expected_order(a, b));
    let order: Vec<&SignedOp> = seen.order.iter().map(|(_, op)| op).collect();
    assert_eq!(order, sorted);

    let hashes: Vec<u8> = sorted.iter().flat_map(|op| *hash_of(op).as_bytes()).collect();
    assert_eq!(seen.digest.hash, crypto().hash(&hashes));
    assert_eq!(seen.digest.count, u64::try_from(ops.len()).unwrap());

    let (due, held): (Vec<&SignedOp>, Vec<&SignedOp>) =
        sorted.iter().copied().partition(|op| op.op().ts().t() <= NOW.0 + DRIFT);
    assert_eq!(seen.held, held.len());
    let mut winners: BTreeMap<(&str, &str, &str), &SignedOp> = BTreeMap::new();
    for op in due {
        winners.insert((op.op().entity(), op.op().entity_id(), op.op().path()), op);
    }
    let fields: BTreeMap<_, _> = seen
        .fields
        .iter()
        .flat_map(|(entity, id, fields)| {
            fields.iter().map(move |(path, value)| ((entity.as_str(), id.as_str(), path.as_str()), value))
        })
        .collect();
    let expected: BTreeMap<_, _> = winners
        .iter()
        .filter(|(_, op)| op.op().kind() == Kind::Set)
        .map(|(register, op)| (*register, op.op().value()))
        .collect();
    assert_eq!(fields, expected);
    for (register, explained) in REGISTERS.iter().zip(&seen.explained) {
        let winner = winners.get(register).map(|op| hash_of(op));
        assert_eq!(explained.as_ref().map(|(winner, _)| *winner), winner);
    }

    let said: BTreeMap<_, Vec<&SignedOp>> = sorted.iter().fold(BTreeMap::new(), |mut said, op| {
        said.entry((op.op().ts(), op.op().actor())).or_insert_with(Vec::new).push(*op);
        said
    });
    let mut forks: Vec<ForkProof> = said
        .values()
        .filter(|ops| ops.len() > 1)
        .map(|ops| ForkProof::new(ops[0].clone(), ops[1].clone()))
        .collect();
    forks.sort_by(|a, b| expected_order(a.first(), b.first()));
    assert_eq!(seen.forks, forks);
}

#[test]
fn the_pool_collides_in_every_way() {
    let pool = pool();
    assert_eq!(pool.ops.len(), ACTORS.len() * TIMES.len() * COUNTERS.len() * REGISTERS.len() * CONTENTS);
    assert_eq!(pool.hashes.iter().collect::<BTreeSet<_>>().len(), pool.ops.len());
    let (dalet, smile) = (ACTORS[2], ACTORS[3]);
    assert!(dalet < smile, "by UTF-8");
    assert!(dalet.encode_utf16().gt(smile.encode_utf16()), "by UTF-16");
}

const CASES: u32 = 400;
const PERMUTATIONS: u32 = 28;
const _: () = assert!(CASES * PERMUTATIONS >= 10_000);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn any_permutation_duplication_and_partition_gives_the_same_replica(numbers in sets(32), seed: u64) {
        let ops = all_of(&numbers);
        let mut random = Random(seed);
        let mut in_order = ops.clone();
        in_order.sort_by(|a, b| expected_order(a, b));
        let first = relay_with(&in_order);
        let first = seen(&first);
        check_against_the_model(&ops, &first);
        for _ in 0..PERMUTATIONS {
            let replica = replica_of(&ops, &mut random);
            prop_assert_eq!(replica.state_digest(), first.state_digest);
            prop_assert_eq!(replica.log().digest(), first.digest);
            // The full comparison is expensive: digests are compared every time, the whole state only sometimes.
            if random.below(4) == 0 {
                prop_assert_eq!(&seen(&replica), &first);
            }
        }
        prop_assert_eq!(&seen(&replica_of(&ops, &mut random)), &first);
    }
}

fn relay_with(ops: &[&SignedOp]) -> Replica {
    let mut replica = relay();
    for op in ops {
        replica.ingest(NOW, *op).unwrap();
    }
    replica
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in sets(16), b in sets(16), c in sets(16), seed: u64) {
        let mut random = Random(seed);
        let [a, b, c] = [a, b, c].map(|numbers| replica_of(&all_of(&numbers), &mut random));
        let ab = merged(&[&a, &b]);
        prop_assert_eq!(seen(&ab), seen(&merged(&[&b, &a])));
        prop_assert_eq!(seen(&merged(&[&ab, &c])), seen(&merged(&[&a, &merged(&[&b, &c])])));
        prop_assert_eq!(seen(&merged(&[&a, &a])), seen(&a));
        prop_assert_eq!(seen(&merged(&[&ab, &b, &a])), seen(&ab));
    }

    /// The clocks of all are at the end of the counter: a clock that wrapped would write into the past.
    #[test]
    fn writes_at_the_end_of_the_counter_win_and_replicas_converge(seed: u64) {
        let mut random = Random(seed);
        let near_the_end = || {
            let register = |op: &&SignedOp| op.op().entity_id() == "t1" && op.op().ts().c() == Hlc::MAX.c();
            pool().ops.iter().filter(register).filter(|op| op.op().actor() == "alicf")
        };
        let writers = ["alice", "bob", "\u{FB33}"];
        let mut replicas = writers.map(|actor| Replica::open(knowing(&ACTORS).write_as(key(actor))).unwrap());
        let mut written: Vec<SignedOp> = Vec::new();
        for _ in 0..30 {
            let replica = &mut replicas[random.below(3)];
            let now = WallMillis(NOW.0 + u64::try_from(random.below(3)).unwrap());
            match random.below(4) {
                0 => {
                    let ops: Vec<_> = near_the_end().collect();
                    replica.ingest(now, ops[random.below(ops.len())]).unwrap();
                }
                1 if !written.is_empty() => _ = replica.ingest(now, &written[random.below(written.len())]).unwrap(),
                _ => {
                    let last = replica.clock().last();
                    if replica.clock_ahead(now).is_none() {
                        let op = replica.set(now, REGISTERS[0], written.len().to_string()).unwrap();
                        prop_assert!(Some(op.op().ts()) > last, "{} after {last:?}", op.op().ts());
                        let winner = replica.explain(REGISTERS[0]).unwrap().unwrap().winner.op;
                        prop_assert_eq!(&winner, &op);
                        written.push(op);
                    }
                }
            }
        }
        let ops: Vec<&SignedOp> = near_the_end().chain(&written).collect();
        let mut ends = Vec::new();
        for replica in &mut replicas {
            ingest_somehow(replica, &ops, &mut random);
            replica.poll(WallMillis(NOW.0 + 20 * DRIFT)).unwrap();
            let of_a_writer = |fork: &ForkProof| writers.contains(&fork.first().op().actor());
            prop_assert!(!replica.log().forks().unwrap().iter().any(of_a_writer), "a timestamp is used twice");
            ends.push((replica.log().digest(), replica.state_digest()));
        }
        prop_assert!(ends.iter().all(|end| *end == ends[0]));
    }

    #[test]
    fn the_incremental_state_is_a_fold_from_scratch(numbers in sets(40), seed: u64) {
        let mut random = Random(seed);
        let mut ops = all_of(&numbers);
        random.shuffle(&mut ops);
        let mut replica = relay();
        let mut steps = 0;
        for op in ops {
            let first = *WallMillis::BELIEVED.start();
            let now = [first, WallMillis(NOW.0 - DRIFT), NOW, WallMillis(NOW.0 + DRIFT)][random.below(4)];
            replica.ingest(now, op).unwrap();
            let horizon = replica.horizon().expect("a time was given");
            let scratch = Folded::of(replica.log(), horizon);
            prop_assert_eq!(scratch.digest(crypto()), replica.state_digest());
            for (entity, id, path) in REGISTERS {
                prop_assert_eq!(
                    scratch.get((entity, id, path)).unwrap(),
                    replica.get((entity, id, path)).unwrap()
                );
                prop_assert_eq!(
                    scratch.history((entity, id, path)).unwrap(),
                    replica.history((entity, id, path)).unwrap()
                );
            }
            steps += 1;
        }
        prop_assert_eq!(steps, numbers.len());
    }
}

/// Returns every permutation of `items`, by Heap's algorithm.
fn each_permutation<T>(items: &mut [T], left: usize, visit: &mut impl FnMut(&[T])) {
    if left <= 1 {
        return visit(items);
    }
    for n in 0..left {
        each_permutation(items, left - 1, visit);
        items.swap(if left.is_multiple_of(2) { n } else { 0 }, left - 1);
    }
}

#[test]
fn all_720_orders_of_six_colliding_operations_end_alike() {
    let register = REGISTERS[0];
    // Three operations of one actor with one timestamp, two others with the same timestamp, and one that is held.
    let on_register = |op: &&SignedOp| (op.op().entity(), op.op().entity_id(), op.op().path()) == register;
    let at = |actor: &str, t: u64| -> Vec<&'static SignedOp> {
        let of = |op: &&SignedOp| op.op().actor() == actor && op.op().ts() == Hlc::new(t, 2048).unwrap();
        pool().ops.iter().filter(on_register).filter(of).collect()
    };
    let mut ops = at("alice", NOW.0);
    ops.push(at(ACTORS[2], NOW.0)[1]);
    ops.push(at(ACTORS[3], NOW.0)[1]);
    ops.push(at("bob", NOW.0 + DRIFT + 1)[1]);
    assert_eq!(ops.len(), 6);

    let first = seen(&relay_with(&ops));
    check_against_the_model(&ops, &first);
    assert_eq!(first.forks.len(), 1);
    assert_eq!(first.held, 1);
    let mut orders = 0;
    each_permutation(&mut ops, 6, &mut |ops| {
        assert_eq!(seen(&relay_with(ops)), first);
        orders += 1;
    });
    assert_eq!(orders, 720);
}

#[test]
fn verifying_replicas_agree_and_their_fork_proofs_hold() {
    let mut random = Random(5);
    let numbers: BTreeSet<usize> = (0..120).map(|_| random.below(pool().ops.len())).collect();
    let numbers: Vec<usize> = numbers.into_iter().flat_map(|n| [n / 3 * 3, n / 3 * 3 + 1]).collect();
    let numbers: BTreeSet<usize> = numbers.into_iter().collect();
    let ops = all_of(&numbers.into_iter().collect::<Vec<_>>());
    let mut first = None;
    for _ in 0..4 {
        let mut replica = Replica::open(knowing(&ACTORS)).unwrap();
        ingest_somehow(&mut replica, &ops, &mut random);
        let now = seen(&replica);
        assert!(now.forks.len() >= 50, "{}", now.forks.len());
        for proof in &now.forks {
            assert_eq!(proof.check(&crypto(), replica.keys()), Ok(()));
        }
        assert_eq!(first.get_or_insert_with(|| seen(&replica)), &now);
    }
}

#[test]
fn replicas_with_different_clocks_converge_once_the_clocks_agree() {
    let mut random = Random(11);
    let numbers: BTreeSet<usize> = (0..200).map(|_| random.below(pool().ops.len())).collect();
    let ops = all_of(&numbers.into_iter().collect::<Vec<_>>());
    let mut slow = relay();
    let mut fast = relay();
    for op in &ops {
        assert!(matches!(
            slow.ingest(WallMillis(0), *op).unwrap(),
            Outcome::Held { .. } | Outcome::Appended { .. }
        ));
        fast.ingest(NOW, *op).unwrap();
    }
    assert_ne!(slow.state_digest(), fast.state_digest());
    assert_eq!(slow.log().digest(), fast.log().digest());
    slow.poll(NOW).unwrap();
    assert_eq!(seen(&slow), seen(&fast));
}
