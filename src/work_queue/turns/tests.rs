use std::{future::Future, pin::Pin, task::Poll};

use futures_util::poll;
use tokio::task::unconstrained;

use super::*;
use crate::{clock::Clock, time::Timestamp, work_queue::served::Order};

type Waiting = Pin<Box<dyn Future<Output = Result<Permit<char>, Unfinished>>>>;

fn turns(weight: f64) -> Arc<Turns<char>> {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let order = Order {
        weight,
        most: 1_000.0,
        doubling: 0.0,
    };
    Arc::new(Turns::new(1, Arc::new(Served::new(clock, order, 1.0))))
}

async fn waiting(turns: &Arc<Turns<char>>, whose: impl Into<Whose<char>>) -> Waiting {
    waiting_for(turns, whose, 1.0).await
}

async fn waiting_for(
    turns: &Arc<Turns<char>>,
    whose: impl Into<Whose<char>>,
    cost: f64,
) -> Waiting {
    let (turns, whose) = (Arc::clone(turns), whose.into());
    let mut waiting: Waiting = Box::pin(async move { turns.wait(&whose, cost).await });
    assert!(poll!(&mut waiting).is_pending());
    waiting
}

/// The order in which the callers get their turns, when each turn ends before the next begins.
async fn order(mut callers: Vec<(char, Waiting)>) -> String {
    let mut order = String::new();
    while !callers.is_empty() {
        let mut next = None;
        for (place, (_, caller)) in callers.iter_mut().enumerate() {
            if let Poll::Ready(turn) = poll!(caller) {
                assert!(next.is_none(), "two turns at a time");
                next = Some((place, turn.unwrap()));
            }
        }
        let (place, turn) = next.unwrap();
        order.push(callers.remove(place).0);
        drop(turn);
    }
    order
}

#[tokio::test]
async fn tenants_take_turns_however_many_callers_each_has() {
    let turns = turns(1.0);
    let running = turns.wait(&'a'.into(), 1.0).await.unwrap();
    let mut callers = vec![];
    for whose in "aaaabbbcab".chars() {
        callers.push((whose, waiting(&turns, whose).await));
    }
    drop(running);
    assert_eq!(order(callers).await, "bcabababaa");
    assert_eq!(turns.free(), 1);
}

#[tokio::test]
async fn the_tenants_of_one_person_have_the_turns_of_one() {
    let turns = turns(1.0);
    let of = |tenant, person| Whose {
        tenant,
        person: Some(person),
    };
    let running = turns.wait(&of('a', 'X'), 1.0).await.unwrap();
    let mut callers = vec![];
    for tenant in "bcdef".chars() {
        callers.push((tenant, waiting(&turns, of(tenant, 'X')).await));
    }
    callers.push(('y', waiting(&turns, of('y', 'Y')).await));
    callers.push(('z', waiting(&turns, 'z').await));
    drop(running);
    assert_eq!(order(callers).await, "yzbcdef");
}

#[tokio::test]
async fn those_who_had_no_turn_lately_pass_those_who_did_but_not_for_ever() {
    let turns = turns(4.0);
    let mut running = turns.wait(&'a'.into(), 1.0).await.unwrap();
    let mut a = waiting(&turns, 'a').await;
    for (number, newcomer) in "bcdefghi".chars().enumerate() {
        let newcomer = waiting(&turns, newcomer).await;
        drop(running);
        if let Poll::Ready(turn) = poll!(&mut a) {
            assert_eq!(number, 4);
            drop((newcomer, turn));
            return;
        }
        running = newcomer.await.unwrap();
    }
    panic!("passed for ever");
}

#[tokio::test]
async fn small_work_goes_before_large_work_that_came_first_but_not_for_ever() {
    let turns = turns(1.0);
    let mut running = turns.wait(&'a'.into(), 1.0).await.unwrap();
    let mut callers = vec![];
    for large in "bcd".chars() {
        callers.push((large, waiting_for(&turns, large, 50.0).await));
    }
    callers.push(('s', waiting_for(&turns, 's', 2.0).await));
    drop(running);
    assert_eq!(order(callers).await, "sbcd");
    // Two tenants with small work again and again do not keep out one with large work.
    running = turns.wait(&'x'.into(), 1.0).await.unwrap();
    let mut large = waiting_for(&turns, 'l', 50.0).await;
    for number in 0..1_000 {
        let small = waiting_for(&turns, ['y', 'z'][number % 2], 2.0).await;
        drop(running);
        if let Poll::Ready(turn) = poll!(&mut large) {
            drop((small, turn));
            return;
        }
        running = small.await.unwrap();
    }
    panic!("passed for ever");
}

#[tokio::test]
async fn a_turn_passes_over_callers_that_are_gone_and_none_is_lost() {
    let turns = turns(1.0);
    let running = turns.wait(&'a'.into(), 1.0).await.unwrap();
    for _ in 0..100 {
        drop(waiting(&turns, 'b').await);
    }
    let held = turns.lock().waiting.len();
    assert_eq!(held, 1, "callers that are gone are removed");
    let given = waiting(&turns, 'c').await;
    let stays = waiting(&turns, 'd').await;
    drop(running);
    // The first caller has its turn already, and goes without taking it.
    drop(given);
    assert_eq!(order(vec![('d', stays)]).await, "d");
    assert_eq!(turns.free(), 1);
}

/// Milliseconds that a part of an import with the cost 1 takes.
const PART: i64 = 25;

/// An import: whose it is, when it begins in milliseconds, and what its parts cost.
struct Import {
    whose: u32,
    begins: i64,
    parts: Vec<f64>,
}

impl Import {
    /// The largest file, and the storing of its keys, which cannot be interrupted.
    fn largest(whose: u32, begins: i64) -> Self {
        let mut parts = vec![1.0; 64];
        parts.push(64.0);
        Self {
            whose,
            begins,
            parts,
        }
    }

    /// Ten rows.
    fn small(whose: u32, begins: i64) -> Self {
        Self {
            whose,
            begins,
            parts: vec![0.01, 0.01],
        }
    }
}

fn served(clock: &Clock) -> Arc<Served<u32>> {
    let order = Order::in_line(128.0);
    Arc::new(Served::new(clock.clone(), order, PART as f64))
}

/// Does the imports, and returns whose were done when, in milliseconds after each began.
async fn done(clock: &Clock, turns: &Arc<Turns<u32>>, mut imports: Vec<Import>) -> Vec<(u32, i64)> {
    type Turn = Pin<Box<dyn Future<Output = Result<Permit<u32>, Unfinished>>>>;
    let start = clock.monotonic();
    let (mut waiting, mut done) = (Vec::<(Import, Turn)>::new(), vec![]);
    let wait = |mut import: Import| -> (Import, Turn) {
        let (turns, cost) = (Arc::clone(turns), import.parts.remove(0));
        let whose = Whose::from(import.whose);
        (
            import,
            // Without tokio's limit of polls in one task.
            Box::pin(unconstrained(async move { turns.wait(&whose, cost).await })),
        )
    };
    let mut running: Option<(Import, Permit<u32>)> = None;
    loop {
        let now = clock.monotonic().since(start);
        for import in imports.extract_if(.., |import| import.begins <= now) {
            let mut caller = wait(import);
            match poll!(&mut caller.1) {
                Poll::Ready(turn) => running = Some((caller.0, turn.unwrap())),
                Poll::Pending => waiting.push(caller),
            }
        }
        if let Some((import, turn)) = running.take() {
            clock.advance((turn.cost * PART as f64).ceil() as i64);
            let now = clock.monotonic().since(start);
            // Those who came meanwhile wait before the next turn begins.
            for import in imports.extract_if(.., |import| import.begins <= now) {
                let mut caller = wait(import);
                assert!(poll!(&mut caller.1).is_pending());
                waiting.push(caller);
            }
            if import.parts.is_empty() {
                drop(turn);
                done.push((import.whose, now - import.begins));
            } else {
                let mut import = import;
                let cost = import.parts.remove(0);
                let mut caller: (Import, Turn) = (import, Box::pin(unconstrained(turn.next(cost))));
                match poll!(&mut caller.1) {
                    Poll::Ready(turn) => running = Some((caller.0, turn.unwrap())),
                    Poll::Pending => waiting.push(caller),
                }
            }
        }
        if running.is_some() {
            continue;
        }
        let mut next = None;
        for (place, (_, turn)) in waiting.iter_mut().enumerate() {
            if let Poll::Ready(turn) = poll!(turn) {
                next = Some((place, turn.unwrap()));
                break;
            }
        }
        match next {
            Some((place, turn)) => running = Some((waiting.remove(place).0, turn)),
            None if imports.is_empty() => return done,
            None => {
                let next = imports.iter().map(|import| import.begins).min().unwrap();
                clock.advance(next - clock.monotonic().since(start));
            }
        }
    }
}

#[tokio::test]
async fn ten_rows_wait_for_one_turn_of_sixty_tenants_that_import_as_much_as_they_can() {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let turns = Arc::new(Turns::new(1, served(&clock)));
    // Each comes again and again, twice at a time.
    let largest =
        (0..60).flat_map(|whose| [0, 0, 1_000, 1_000].map(|at| Import::largest(whose, at)));
    let small = (0..40).map(|number| Import::small(100 + number, i64::from(number) * 9_973));
    let all = done(&clock, &turns, largest.chain(small).collect()).await;
    let longest_turn = 64 * PART;
    let mut waited: Vec<i64> = all
        .iter()
        .filter(|(whose, _)| *whose >= 100)
        .map(|(_, waited)| *waited)
        .collect();
    waited.sort_unstable();
    println!("ten rows: {waited:?}");
    assert_eq!((all.len(), waited.len()), (280, 40));
    assert!(waited[39] <= longest_turn + 4, "{waited:?}");
    // The longest turn is that in which keys are stored; most turns are parts of files.
    assert!(waited[20] <= 2 * PART, "{waited:?}");
}

#[tokio::test]
async fn a_large_import_of_a_newcomer_goes_before_those_who_import_again_and_again() {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let turns = Arc::new(Turns::new(1, served(&clock)));
    let flood = (0..60).flat_map(|whose| [0, 0, 0].map(|at| Import::largest(whose, at)));
    // By then, all have imported once.
    let begins = 60 * 128 * PART * 3 / 2;
    let all = flood.chain([Import::largest(100, begins)]).collect();
    let all = done(&clock, &turns, all).await;
    let (_, took) = all.iter().find(|(whose, _)| *whose == 100).unwrap();
    assert!(*took <= (64 + 128) * PART, "{took}");
}
