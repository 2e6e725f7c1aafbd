//! Signed ingest beside its limit, a bare loop over libsodium's verification of the same texts, in the same run.
//!
//! `cargo bench --features parallel --bench ingest`

mod common;

use std::num::NonZeroUsize;

use common::{NOW, Signing, Workload, ingest};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use policysync::{Incoming, Replica, ReplicaOptions};

/// Operations of a measured run: enough that starting threads does not show.
const COUNT: usize = 20_000;

fn threads(options: ReplicaOptions, threads: usize) -> ReplicaOptions {
    options.threads(NonZeroUsize::new(threads).unwrap())
}

fn signed_ingest(criterion: &mut Criterion) {
    let workload = Workload::new(COUNT, Signing::True);
    let bare = workload.bare();
    let binary: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let json = workload.json();
    let json: Vec<Incoming<'_>> = json.iter().map(|text| Incoming::Json(text.as_bytes())).collect();

    let mut group = criterion.benchmark_group("signed");
    group.sample_size(10).throughput(Throughput::Elements(COUNT.try_into().unwrap()));
    for (name, threads_of) in [("1 thread", 1), ("2 threads", 2)] {
        group.bench_function(format!("{name}/bare verification"), |bencher| {
            bencher.iter(|| workload.verify_bare(threads_of, &bare));
        });
        for (form, ops) in [("binary", &binary), ("JSON", &json)] {
            group.bench_function(format!("{name}/ingest {form}"), |bencher| {
                bencher.iter_batched_ref(
                    || Replica::open(threads(workload.options(), threads_of)).unwrap(),
                    |replica| ingest(replica, ops),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn replay(criterion: &mut Criterion) {
    let workload = Workload::new(COUNT, Signing::False);
    let binary: Vec<Incoming<'_>> = workload.binary().into_iter().map(Incoming::Binary).collect();
    let mut replica = Replica::open(workload.options().dangerously_accept_unverified()).unwrap();
    ingest(&mut replica, &binary);

    let mut group = criterion.benchmark_group("replayed");
    group.throughput(Throughput::Elements(COUNT.try_into().unwrap()));
    group.bench_function("binary", |bencher| bencher.iter(|| ingest(&mut replica, &binary)));
    group.bench_function("one at a time", |bencher| {
        bencher.iter(|| {
            for op in &binary {
                replica.ingest(NOW, *op).unwrap();
            }
        });
    });
    group.finish();
}

criterion_group!(benches, signed_ingest, replay);
criterion_main!(benches);
