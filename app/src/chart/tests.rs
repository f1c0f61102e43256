use super::*;

fn step(label: &str, passed: i64, limited: i64, refused: i64) -> Step {
    Step {
        label: label.to_owned(),
        tick: Some(label.to_owned()),
        counts: Counts {
            passed,
            limited,
            refused,
        },
        ..Step::default()
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
        view! { <Chart title="Requests per day" description="Nine." step_name="Day" steps over=2/> }
            .to_html();
    insta::assert_snapshot!(html.replace("><", ">\n<"));
}

#[test]
fn a_single_step_is_a_level_line_and_one_that_is_not_over_is_drawn_as_such() {
    let html = |steps: Vec<Step>, over| {
        view! { <LowChart title="Requests" step_name="Day" steps over/> }.to_html()
    };
    let one = html(vec![step("Nov 21", 3, 0, 0)], 1);
    assert!(
        one.contains("d=\"M0,0 L1,0\" class=\"line\"") && !one.contains("line open"),
        "{one}"
    );
    let open = html(vec![step("Nov 21", 3, 0, 0)], 0);
    assert!(
        open.contains("d=\"M0,0 L1,0\" class=\"line open\""),
        "{open}"
    );
    let days = vec![
        step("Nov 20", 1, 0, 0),
        step("Nov 21", 3, 0, 0),
        step("Nov 22", 2, 0, 0),
    ];
    let days = html(days, 2);
    assert!(
        days.contains("d=\"M0,2 L1,0\" class=\"line\"")
            && days.contains("d=\"M1,0 L2,1\" class=\"line open\""),
        "{days}"
    );
    assert!(days.contains("Nov 22 so far: 2 passed"), "{days}");
}

#[test]
fn a_small_chart_of_rejected_requests_has_their_color_a_legend_and_a_top_value() {
    let steps = vec![step("Nov 20", 0, 0, 3), step("Nov 21", 0, 4, 0)];
    let html = view! { <LowChart title="Requests" step_name="Day" steps over=1/> }.to_html();
    let html = html.replace("<!>", "");
    let series = |class: &str| html.contains(&format!("<g class=\"{class}\">"));
    assert_eq!(
        ["series-passed", "series-limited", "series-refused"].map(series),
        [false, true, true],
        "{html}"
    );
    let legend = "<li class=\"series-passed\">Passed</li><li class=\"series-limited\">Rate limited</li><li class=\"series-refused\">Rejected</li>";
    let axis = "class=\"y-axis\"><li>4</li><li>0</li></ol>";
    assert!(html.contains(legend) && html.contains(axis), "{html}");
}

#[test]
fn a_label_is_text_and_no_markup() {
    let steps = vec![step("<b>", 1, 0, 0), step("</title><script>", 1, 0, 0)];
    let html = view! { <LowChart title="\"><script>" step_name="Day" steps over=2/> }.to_html();
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
