//! What comes out of a specification, and of what is none.

use hypothesaes_render::{Error, Renderer, png};

const BARS: &str = r#"{
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "description": "two bars", "width": 100, "height": 60,
    "data": {"values": [{"a": "<script>alert(1)</script>", "b": 3}, {"a": "y", "b": 5}]},
    "mark": "bar",
    "encoding": {"x": {"field": "b", "type": "quantitative"}, "y": {"field": "a", "type": "nominal"}}
}"#;

fn drawn(spec: &str) -> Result<String, Error> {
    Renderer::with(|renderer| renderer.svg(spec)).unwrap()
}

#[test]
fn a_chart_is_drawn_the_same_every_time() {
    let svg = drawn(BARS).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("aria-label=\"two bars\""), "{svg}");
    assert_eq!(svg.matches("aria-roledescription=\"bar\"").count(), 2, "{svg}");
    assert!(svg.contains("&lt;script") && !svg.contains("<script"), "{svg}");
    let [first, second] = Renderer::with(|r| [r.svg(BARS).unwrap(), r.svg(BARS).unwrap()]).unwrap();
    assert_eq!((&first, &second), (&svg, &svg));
}

#[test]
fn a_small_stack_is_enough_for_who_calls() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    assert!(small.spawn(|| drawn(BARS).is_ok()).unwrap().join().unwrap());
}

#[test]
fn what_is_no_chart_is_refused_and_the_next_is_drawn() {
    for (spec, said) in [
        (r#"{"mark": "blob", "data": {"values": []}}"#, "blob"),
        (r#"{"mark": "bar", "data": {"url": "https://example.org/x.json"}}"#, "url"),
        ("{", "JSON"),
    ] {
        let (refused, next) = Renderer::with(|r| (r.svg(spec), r.svg(BARS))).unwrap();
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(said), "{spec}: {refused}");
        assert!(next.is_ok());
    }
}

#[test]
fn a_png_shows_marks_and_letters() {
    let svg = drawn(BARS).unwrap();
    let picture = png(&svg, 2.0).unwrap();
    assert_eq!(&picture[1..4], b"PNG");
    let without = svg.replace("two bars", "").replace(">y<", "><");
    assert!(png(&without, 2.0).unwrap() != picture, "letters are drawn");
    assert_eq!(png(&svg, 2.0).unwrap(), picture);
    assert!(matches!(png("no picture", 2.0), Err(Error::Picture(_))));
}
