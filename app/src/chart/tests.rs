use super::*;

fn step(label: &str, passed: i64, limited: i64, refused: i64) -> Step {
    Step {
        label: label.to_owned(),
        counts: Counts {
            passed,
            limited,
            refused,
        },
    }
}

#[test]
fn a_small_chart() {
    let steps = vec![
        step("Nov 19", 2, 0, 0),
        step("Nov 20", 0, 1, 1),
        step("Nov 21", 5, 0, 2),
    ];
    let html =
        view! { <Chart title="Requests per day" description="Nine." step_name="Day" steps/> }
            .to_html();
    insta::assert_snapshot!(html.replace("><", ">\n<"));
}

#[test]
fn a_label_is_text_and_no_markup() {
    let steps = vec![step("<b>", 1, 0, 0), step("</title><script>", 1, 0, 0)];
    let html = view! { <LowChart title="\"><script>" steps/> }.to_html();
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
}

#[test]
fn a_sentence_says_what_the_chart_shows() {
    let steps = [step("Nov 19", 1_200, 0, 3), step("Nov 20", 800, 4, 0)];
    let total = Counts {
        passed: 2_000,
        limited: 4,
        refused: 3,
    };
    assert_eq!(
        describe(&steps, total),
        "2,007 requests from Nov 19 to Nov 20, peak: Nov 19; 4 rate limited, 3 rejected."
    );
    assert_eq!(describe(&[], Counts::default()), "0 requests.");
}
