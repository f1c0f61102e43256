use std::sync::mpsc;

use futures_util::poll;
use rstest::rstest;
use tokio::time::timeout;

use super::*;
use crate::time::Timestamp;

fn in_line<K: Copy + Eq + Hash + Debug + Send + Sync + 'static>(
    sizes: (usize, usize, usize),
    gives_way: GivesWay,
) -> WorkQueue<K> {
    WorkQueue::in_line(
        sizes,
        1.0,
        gives_way,
        Clock::manual(Timestamp::from_millis(0)),
    )
}

#[tokio::test]
async fn each_has_a_share_and_the_queue_has_an_end() {
    let queue = WorkQueue::new(1, 3, 2);
    let first = queue.enter("a").unwrap();
    let _second = queue.enter("a").unwrap();
    assert!(queue.enter("a").is_err());
    let _third = queue.enter("b").unwrap();
    assert!(queue.enter("c").is_err());
    drop(first);
    let _again = queue.enter("c").unwrap();
    assert!(queue.enter("d").is_err());
}

/// Imports of 10 milliseconds each, by `tenants`, of which each has three connections that try again and again.
async fn flooded(queue: &Arc<WorkQueue<u32>>, tenants: &[Whose<u32>]) {
    for whose in tenants {
        for _ in 0..3 {
            let (queue, whose) = (Arc::clone(queue), *whose);
            tokio::spawn(async move {
                loop {
                    if let Ok(place) = queue.enter_in_line(whose).await {
                        import(place).await;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            });
        }
    }
    sleep(Duration::from_millis(10)).await;
}

/// Takes a place and a turn like an import, without its threads, whose time would not be that of the test.
async fn import(place: Place<u32>) -> bool {
    let lost = place.lost();
    select! {
        () = lost.cancelled() => false,
        turn = place.turn() => {
            let _turn = turn;
            place.places.runs(place.taken.number, true);
            sleep(Duration::from_millis(500)).await;
            true
        }
    }
}

#[rstest]
// Each tenant is a person of its own, or they are those of two.
#[case(None)]
#[case(Some(2))]
#[tokio::test(start_paused = true)]
async fn forty_tenants_that_ask_again_and_again_keep_nobody_out(#[case] persons: Option<u32>) {
    let queue = Arc::new(in_line((1, 32, 2), GivesWay::Newest));
    let tenants: Vec<_> = (0..40)
        .map(|tenant| Whose {
            tenant,
            person: persons.map(|persons| 1_000 + tenant % persons),
        })
        .collect();
    flooded(&queue, &tenants).await;
    // Also among those who all came just before.
    for (number, most) in (2_000..).zip([25, 3, 3, 3]) {
        let imported = timeout(Duration::from_secs(most), async {
            while !import(queue.enter_in_line(number).await.unwrap()).await {}
        });
        assert!(imported.await.is_ok(), "{number} took more than {most} s");
        sleep(Duration::from_secs(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn new_tenants_go_first_only_once_or_twice_however_much_a_tenant_imported_before() {
    let queue = Arc::new(in_line((1, 32, 2), GivesWay::Newest));
    for _ in 0..20 {
        assert!(import(queue.enter_in_line(2_000).await.unwrap()).await);
    }
    let tenants: Vec<_> = (0..8).map(Whose::from).collect();
    flooded(&queue, &tenants).await;
    let imported = timeout(Duration::from_secs(20), async {
        while !import(queue.enter_in_line(2_000).await.unwrap()).await {}
    });
    assert!(imported.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn waiting_work_whose_place_is_given_to_someone_else_is_told_to_come_back() {
    let queue = in_line((1, 3, 2), GivesWay::Newest);
    let ((), _turn) = queue.enter("a").unwrap().run(|| ()).await.unwrap();
    let waits = queue.enter("b").unwrap();
    let mut loses = pin!(queue.enter("b").unwrap().run(|| ()));
    assert!(poll!(&mut loses).is_pending());
    let _newcomer = queue.enter_in_line("c").await.unwrap();
    assert!(matches!(loses.await, Err(NotDone::Busy(_))));
    assert_eq!(queue.taken(), 3);
    assert!(!waits.lost().is_cancelled());
    // Nobody has more than one now.
    assert!(queue.enter_in_line("d").await.is_err());
    assert_eq!(queue.places.in_line(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_line_has_a_place_before_those_who_come_later() {
    let queue = in_line((1, 1, 1), GivesWay::Never);
    let first = queue.enter("a").unwrap();
    let mut second = pin!(queue.enter_in_line("b"));
    assert!(poll!(&mut second).is_pending());
    let mut third = pin!(queue.enter_in_line("c"));
    assert!(poll!(&mut third).is_pending());
    drop(first);
    assert!(queue.enter("a").is_err());
    let second = second.await.unwrap();
    assert!(poll!(&mut third).is_pending());
    drop(second);
    let third = third.await.unwrap();
    // Someone who no longer waits holds up nobody.
    {
        let mut gone = pin!(queue.enter_in_line("d"));
        assert!(poll!(&mut gone).is_pending());
    }
    drop(third);
    let _last = queue.enter("a").unwrap();
}

#[tokio::test]
async fn work_keeps_its_turn_when_its_request_is_gone() {
    let queue = WorkQueue::new(1, 4, 4);
    let (end, ended) = mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let request = tokio::spawn(queue.enter("a").unwrap().run(move || {
        begin.send(()).unwrap();
        ended.recv().unwrap();
    }));
    begun.await.unwrap();
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(queue.turns.free(), 0);
    assert_eq!(queue.places.held_by("a"), 1);
    end.send(()).unwrap();
    let ((), _turn) = queue.enter("b").unwrap().run(|| ()).await.unwrap();
    assert!(queue.places.held_by("a") == 0);
}

#[tokio::test]
async fn nothing_starts_for_a_request_that_is_gone() {
    let queue = WorkQueue::new(1, 4, 4);
    let ((), turn) = queue.enter("a").unwrap().run(|| ()).await.unwrap();
    let (started, starts) = mpsc::channel();
    let waiting = tokio::spawn(
        queue
            .enter("b")
            .unwrap()
            .run(move || started.send(()).unwrap()),
    );
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert!(queue.places.held_by("b") == 0);
    drop(turn);
    let ((), _turn) = queue.enter("c").unwrap().run(|| ()).await.unwrap();
    assert!(starts.recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_only_seconds_left_gets_no_turn() {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let queue = WorkQueue::in_line((1, 8, 2), 1.0, GivesWay::Newest, clock.clone());
    let begun = Some(clock.monotonic());
    let wanted = Wanted { cost: 1.0, begun };
    let running = queue.enter("a").unwrap().begin().await.unwrap();
    let waits = queue.enter_in_line_for("b", wanted).await.unwrap();
    let left = Duration::from_millis((OF_A_REQUEST - LEFT_AT_A_TURN) as u64);
    let mut begins = pin!(timeout(left * 2, waits.begin()));
    assert!(poll!(&mut begins).is_pending());
    tokio::time::advance(left + Duration::from_millis(1)).await;
    assert!(matches!(begins.await, Ok(Err(NotDone::Busy(_)))));
    drop(running);
    // Nor does one that begins with too little time for its work, before its body is received.
    clock.advance(OF_A_REQUEST - LEFT_AT_A_TURN);
    assert!(queue.check("c", wanted).is_err());
    assert!(
        queue
            .check(
                "c",
                Wanted {
                    begun: None,
                    ..wanted
                }
            )
            .is_ok()
    );
    assert_eq!(queue.taken(), 0);
}

#[tokio::test]
async fn others_have_a_turn_between_the_parts_of_work_that_keeps_its_place() {
    let queue = in_line((1, 2, 1), GivesWay::Newest);
    let large = queue.enter("large").unwrap().begin_part(1.0).await.unwrap();
    let mut small = pin!(queue.enter("small").unwrap().run(|| ()));
    assert!(poll!(&mut small).is_pending());
    let mut next = pin!(large.next_part(1.0));
    assert!(poll!(&mut next).is_pending());
    let ((), turn) = small.await.unwrap();
    assert!(poll!(&mut next).is_pending());
    drop(turn);
    next.await.unwrap();
}
