use super::*;
use crate::time::Timestamp;

const ORDER: Order = Order {
    weight: 1.0,
    most: 100.0,
    doubling: 0.0,
};

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(0))
}

#[test]
fn what_was_used_is_forgotten_with_time_and_whoever_used_the_least_first() {
    let clock = clock();
    let served = Served::new(clock.clone(), ORDER, 1.0);
    served.begins(&Whose::from(0), 8.0);
    clock.advance(HALF_LIFE as i64);
    assert!((served.lately(&Whose::from(0)) - 4.0).abs() < 1e-9);
    for number in 1..100_000_u32 {
        served.begins(&Whose::from(number), f64::from(number));
        assert!(served.lock().used.len() <= 4 * REMEMBERED);
    }
    assert!(served.lately(&Whose::from(99_999)) > 99_998.0);
    assert!(served.lately(&Whose::from(0)) == 0.0);
}

#[test]
fn a_person_counts_with_all_their_tenants() {
    let served = Served::new(clock(), ORDER, 1.0);
    let of = |tenant| Whose {
        tenant,
        person: Some('X'),
    };
    served.begins(&of('a'), 2.0);
    served.begins(&of('b'), 3.0);
    assert_eq!(served.lately(&of('a')), 5.0);
    assert_eq!(served.lately(&'b'.into()), 3.0);
    assert_eq!(served.lately(&of('c')), 5.0);
}

#[test]
fn work_that_takes_longer_than_its_cost_costs_more_and_the_next_is_expected_to_take_longer() {
    let clock = clock();
    let served = Served::new(clock.clone(), ORDER, 10.0);
    let began = served.now();
    served.begins(&'a'.into(), 2.0);
    clock.advance(100);
    served.ended(&'a'.into(), 2.0, began);
    assert!((served.lately(&'a'.into()) - 10.0).abs() < 0.01);
    assert!(served.millis(1.0) > 10.0);
    for _ in 0..100 {
        let began = served.now();
        clock.advance(100);
        served.ended(&'b'.into(), 2.0, began);
    }
    assert!((served.millis(3.0) - 150.0).abs() < 1.0);
}

#[test]
fn who_has_used_less_goes_first_but_nobody_is_passed_for_ever() {
    let served = Served::new(
        clock(),
        Order {
            weight: 4.0,
            most: 2.0,
            doubling: 0.0,
        },
        1.0,
    );
    (0..10).for_each(|_| served.begins(&'a'.into(), 1.0));
    let waits = served.order(&'a'.into(), served.total(), 1.0);
    let newcomers = (0..100_u32).map(|number| char::from_u32(1_000 + number).unwrap());
    let passed = newcomers.take_while(|newcomer| {
        let passes = served.order(&(*newcomer).into(), served.total(), 1.0) < waits;
        served.begins(&(*newcomer).into(), 1.0);
        passes
    });
    assert_eq!(passed.count(), 8, "four for each unit that counts");
}
