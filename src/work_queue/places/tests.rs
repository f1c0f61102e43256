use rstest::rstest;

use super::*;
use crate::{clock::Clock, time::Timestamp, work_queue::served::Order};

const LONG: Duration = Duration::MAX;

fn places(max: usize, gives_way: GivesWay) -> Places<char> {
    let clock = Clock::manual(Timestamp::from_millis(0));
    Places::new(
        (1, max, 2),
        gives_way,
        Arc::new(Served::new(clock, Order::in_line(128.0), 1.0)),
    )
}

fn of(tenant: char, person: char) -> Whose<char> {
    Whose {
        tenant,
        person: Some(person),
    }
}

#[test]
fn the_one_with_the_fewest_places_is_next_then_who_had_no_turn_lately_then_the_first() {
    let places = places(6, GivesWay::Never);
    let _of_x = [of('a', 'X'), of('b', 'X')].map(|whose| places.take(whose).unwrap());
    let others = "cpqr"
        .chars()
        .map(|tenant| places.take(tenant.into()).unwrap());
    let others: Vec<_> = others.collect();
    places.served.begins(&'d'.into(), 1.0);
    let more_of_x = places.join(of('e', 'X'), 1.0, LONG).unwrap();
    let second_of_c = places.join('c'.into(), 1.0, LONG).unwrap();
    let had_a_turn = places.join('d'.into(), 1.0, LONG).unwrap();
    let first = places.join('f'.into(), 1.0, LONG).unwrap();
    let second = places.join('g'.into(), 1.0, LONG).unwrap();
    let mut free: Vec<u64> = others.iter().skip(1).map(|place| place.number).collect();
    for next in [&first, &second, &had_a_turn, &second_of_c, &more_of_x] {
        assert!(next.take(false).is_none(), "there is no place");
        places.free(free.remove(0));
        for waiter in [&first, &second, &had_a_turn, &second_of_c, &more_of_x] {
            let taken = waiter.take(false);
            assert_eq!(taken.is_some(), std::ptr::eq(waiter, next));
            free.extend(taken.map(|place| place.number));
        }
    }
}

#[test]
fn nobody_takes_a_place_before_those_who_wait_nor_waits_beyond_a_share() {
    let places = places(1, GivesWay::Never);
    let held = places.take('a'.into()).unwrap();
    let waits = places.join('a'.into(), 1.0, LONG).unwrap();
    assert!(
        places.join('a'.into(), 1.0, LONG).is_err(),
        "one place and one in line"
    );
    let (one, two) = (
        places.join('b'.into(), 1.0, LONG).unwrap(),
        places.join('b'.into(), 1.0, LONG).unwrap(),
    );
    assert!(places.join('b'.into(), 1.0, LONG).is_err());
    places.free(held.number);
    assert!(places.take('c'.into()).is_err());
    drop((waits, one, two));
    places.take('c'.into()).unwrap();
}

#[test]
fn whoever_has_none_gets_a_place_beyond_the_share_that_others_of_the_tenant_use() {
    let places = places(20, GivesWay::Newest);
    let _admin = [(); 2].map(|()| places.take(of('a', 'A')).unwrap());
    assert!(places.take(of('a', 'A')).is_err());
    assert!(places.take('a'.into()).is_err(), "nobody is known");
    let _owner = places.take(of('a', 'B')).unwrap();
    assert!(places.take(of('a', 'B')).is_err());
    let _others: Vec<_> = "CDEFG"
        .chars()
        .map(|person| places.take(of('a', person)).unwrap())
        .collect();
    assert!(places.take(of('a', 'H')).is_err());
}

#[test]
fn a_newcomer_gets_the_place_that_came_last_of_who_has_the_most() {
    let places = places(4, GivesWay::Newest);
    let running = places.take(of('a', 'X')).unwrap();
    let kept = places.take(of('b', 'X')).unwrap();
    let single = places.take('s'.into()).unwrap();
    let last = places.take(of('c', 'X')).unwrap();
    assert!(places.runs(running.number, true));
    let other = places.join('n'.into(), 1.0, LONG).unwrap();
    other.take(false).unwrap();
    assert!(last.lost.is_cancelled() && !places.runs(last.number, true));
    assert_eq!((places.held_by('X'), places.taken()), (2, 4));
    let another = places.join('o'.into(), 1.0, LONG).unwrap();
    another.take(false).unwrap();
    assert!(kept.lost.is_cancelled());
    // Nobody has more than one now.
    assert!(
        places
            .join('p'.into(), 1.0, LONG)
            .unwrap()
            .take(false)
            .is_none()
    );
    assert!(!running.lost.is_cancelled() && !single.lost.is_cancelled());
    // To free a place that was given up frees no other.
    places.free(kept.number);
    assert_eq!(places.taken(), 4);
}

#[rstest]
#[case(GivesWay::Newest)]
#[case(GivesWay::Oldest(Duration::ZERO))]
fn whoever_has_a_place_gets_none_of_others(#[case] gives_way: GivesWay) {
    let places = places(3, gives_way);
    let _held = [of('a', 'X'), of('a', 'X'), of('b', 'Y')].map(|whose| places.take(whose).unwrap());
    let waits = places.join(of('c', 'Y'), 1.0, LONG).unwrap();
    assert!(waits.take(false).is_none());
}

#[test]
fn one_newcomer_gets_one_place_of_the_oldest() {
    let places = places(4, GivesWay::Oldest(Duration::from_secs(3)));
    let held = ['a', 'b', 'c', 'c'].map(|tenant| places.take(tenant.into()).unwrap());
    let lost = || {
        held.iter()
            .map(|place| place.lost.is_cancelled())
            .collect::<Vec<_>>()
    };
    let newcomers = ['n', 'o', 'p'].map(|tenant| places.join(tenant.into(), 1.0, LONG).unwrap());
    assert!(newcomers[0].take(false).is_some());
    assert_eq!(
        lost(),
        [false, false, true, false],
        "of who has two, at once"
    );
    assert!(newcomers[1].take(false).is_none());
    assert!(newcomers[1].take(true).is_some());
    assert_eq!(
        lost(),
        [true, false, true, false],
        "of who has one, to who has waited"
    );
    assert!(newcomers[2].take(false).is_none());
}

#[test]
fn who_would_not_be_done_in_time_is_told_at_once_and_when_to_come_back() {
    let clock = Clock::manual(Timestamp::from_millis(0));
    let served = Arc::new(Served::new(clock.clone(), Order::in_line(128.0), 25.0));
    let places = Places::<u32>::new((1, 32, 2), GivesWay::Newest, served);
    let within = Duration::from_secs(27);
    // The largest imports of sixty tenants, of 3.2 seconds each.
    let accepted: Vec<_> = (0..60)
        .filter_map(|tenant| places.join(tenant.into(), 128.0, within).ok()?.take(false))
        .collect();
    assert_eq!(accepted.len(), 8);
    let busy = places.join(60.into(), 128.0, within).err().unwrap();
    assert_eq!(busy.retry_after, 28);
    // Little work is done in time, and so is that of who has used less than the others.
    assert!(places.check(60.into(), 0.02, within).is_ok());
    (0..8).for_each(|tenant| places.served.begins(&tenant.into(), 1_000.0));
    assert!(places.check(60.into(), 128.0, within).is_ok());
    assert!(
        places
            .check(60.into(), 128.0, Duration::from_secs(3))
            .is_err(),
        "its own work takes longer"
    );
    // What is done is not ahead of anyone.
    (0..8).for_each(|tenant| places.served.begins(&tenant.into(), -1_000.0));
    assert!(places.check(60.into(), 128.0, within).is_err());
    places.spend(accepted[0].number, 100.0);
    assert!(places.check(60.into(), 128.0, within).is_ok());
}

#[test]
fn what_has_not_begun_of_who_has_used_the_most_gives_way_to_who_has_used_less() {
    let places = places(2, GivesWay::Newest);
    let first = places.take('a'.into()).unwrap();
    let second = places.take('b'.into()).unwrap();
    assert!(
        places
            .join('n'.into(), 1.0, LONG)
            .unwrap()
            .take(false)
            .is_none()
    );
    places.served.begins(&'a'.into(), 5.0);
    places.served.begins(&'b'.into(), 9.0);
    places.runs(second.number, true);
    assert!(
        places
            .join('n'.into(), 6.0, LONG)
            .unwrap()
            .take(false)
            .is_none()
    );
    assert!(
        places
            .join('n'.into(), 1.0, LONG)
            .unwrap()
            .take(false)
            .is_some()
    );
    assert!(first.lost.is_cancelled() && !second.lost.is_cancelled());
}
