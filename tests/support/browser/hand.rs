//! Mouse and keyboard of the person in front of the browser.

use super::Browser;
use serde_json::{Value, json};

impl Browser {
    /// Clicks into the middle of the first element that a selector finds, after scrolling to it.
    pub fn click(&mut self, selector: &str) {
        self.click_in(selector, 0.5, 0.5);
    }

    /// Clicks into an element, at ratios of its width and height.
    pub fn click_in(&mut self, selector: &str, across: f64, down: f64) {
        let at = self.point_in(selector, across, down);
        self.mouse("mouseMoved", at, "none");
        self.mouse("mousePressed", at, "left");
        self.mouse("mouseReleased", at, "left");
    }

    /// Presses the mouse at a place of an element, moves it to another, and lets go. Places are ratios of its size.
    pub fn drag_in(&mut self, selector: &str, from: (f64, f64), to: (f64, f64)) {
        let (begin, end) = (self.point_in(selector, from.0, from.1), self.point_in(selector, to.0, to.1));
        self.mouse("mouseMoved", begin, "none");
        self.mouse("mousePressed", begin, "left");
        for step in 1..=4 {
            let part = f64::from(step) / 4.0;
            let at = (begin.0 + (end.0 - begin.0) * part, begin.1 + (end.1 - begin.1) * part);
            self.mouse("mouseMoved", at, "left");
        }
        self.mouse("mouseReleased", end, "left");
    }

    /// Presses the mouse at a place of an element, and moves it to another without letting go.
    pub fn press_in(&mut self, selector: &str, from: (f64, f64), to: (f64, f64)) {
        let (begin, end) = (self.point_in(selector, from.0, from.1), self.point_in(selector, to.0, to.1));
        self.mouse("mouseMoved", begin, "none");
        self.mouse("mousePressed", begin, "left");
        self.mouse("mouseMoved", end, "left");
    }

    /// Moves the mouse to a place of an element, with no button pressed.
    pub fn move_in(&mut self, selector: &str, across: f64, down: f64) {
        let at = self.point_in(selector, across, down);
        self.mouse("mouseMoved", at, "none");
    }

    /// Types text into the element that has the focus.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Presses a key such as `Enter`, `Tab`, `Escape` or `ArrowLeft`.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            "Escape" => 27,
            "Delete" => 46,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            other => panic!("no key {other}"),
        };
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Where a place of an element is in the window, after scrolling to the element.
    fn point_in(&mut self, selector: &str, across: f64, down: f64) -> (f64, f64) {
        let selector = Value::from(selector);
        self.wait(&format!("an element {selector}"), &format!("!!document.querySelector({selector})"));
        let found = self.evaluate(&format!(
            "(() => {{ const it = document.querySelector({selector}); it.scrollIntoView({{block: 'center', behavior: \
             'instant'}}); const at = it.getBoundingClientRect(); return [at.left, at.top, at.width, at.height]; }})()"
        ));
        let number = |index: usize| found[index].as_f64().unwrap();
        (number(0) + across * number(2), number(1) + down * number(3))
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), button: &str) {
        let buttons = u8::from(button == "left" && kind != "mouseReleased");
        let clicks = u8::from(kind != "mouseMoved");
        let event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": clicks});
        self.call("Input.dispatchMouseEvent", &event);
    }
}
