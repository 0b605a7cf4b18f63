//! Elements, made one by one and kept true by what follows the state. There are no types of views, only elements: a page of forms costs
//! little more than its words.
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, Node, Text};

use super::follow::{Scope, effect, memo, on_end, together, untrack};

/// An element under construction.
#[derive(Clone)]
pub(crate) struct El(pub(crate) Element);

const SVG: &str = "http://www.w3.org/2000/svg";

/// The document.
pub(crate) fn document() -> Document {
    // A page without a document has nothing to show; everything below then stays unseen.
    web_sys::window().and_then(|window| window.document()).unwrap_or_else(|| JsValue::NULL.unchecked_into())
}

/// An element of HTML.
pub(crate) fn el(tag: &str) -> El {
    El(document().create_element(tag).unwrap_or_else(|_| JsValue::NULL.unchecked_into()))
}

/// An element of HTML with a class.
pub(crate) fn of(tag: &str, class: &str) -> El {
    el(tag).set("class", class)
}

/// An element of SVG.
pub(crate) fn svg(tag: &str) -> El {
    El(document().create_element_ns(Some(SVG), tag).unwrap_or_else(|_| JsValue::NULL.unchecked_into()))
}

/// A button that does something.
pub(crate) fn button(class: &str, words: &str, act: impl FnMut(Event) + 'static) -> El {
    let button = el("button").set("type", "button");
    let button = if class.is_empty() { button } else { button.set("class", class) };
    button.text(words).on("click", act)
}

impl El {
    /// With an attribute.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        put(&self.0, name, Some(value));
        self
    }

    /// With an attribute that is a number, to a hundredth.
    pub(crate) fn num(self, name: &str, value: f64) -> Self {
        self.set(name, &crate::format::decimal(value))
    }

    /// With an attribute, or without it.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        put(&self.0, name, value);
        self
    }

    /// With an attribute that follows; none without a value.
    pub(crate) fn bind(self, name: &'static str, ask: impl Fn() -> Option<String> + 'static) -> Self {
        follow(self.0.clone(), name, Box::new(ask));
        self
    }

    /// With an attribute that follows and always has a value.
    pub(crate) fn tell(self, name: &'static str, ask: impl Fn() -> String + 'static) -> Self {
        self.bind(name, move || Some(ask()))
    }

    /// With an attribute that is there or not.
    pub(crate) fn flag(self, name: &'static str, ask: impl Fn() -> bool + 'static) -> Self {
        self.bind(name, move || ask().then(String::new))
    }

    /// With an attribute that says true or false, as ARIA's do.
    pub(crate) fn says(self, name: &'static str, ask: impl Fn() -> bool + 'static) -> Self {
        self.bind(name, move || Some(if ask() { "true" } else { "false" }.to_owned()))
    }

    /// In a class or not.
    pub(crate) fn class_if(self, name: &'static str, ask: impl Fn() -> bool + 'static) -> Self {
        let element = self.0.clone();
        // A name that is one token never fails.
        effect_dyn(Box::new(move || drop(element.class_list().toggle_with_force(name, ask()))));
        self
    }

    /// With a style, set through the CSSOM, which the policy allows.
    pub(crate) fn style(self, name: &'static str, ask: impl Fn() -> String + 'static) -> Self {
        let element = self.0.clone();
        effect_dyn(Box::new(move || {
            if let Some(element) = element.dyn_ref::<HtmlElement>() {
                drop(element.style().set_property(name, &ask()));
            }
        }));
        self
    }

    /// With a property of the element itself, such as what a field holds, that follows.
    pub(crate) fn prop(self, name: &'static str, ask: impl Fn() -> JsValue + 'static) -> Self {
        let element = self.0.clone();
        effect_dyn(Box::new(move || {
            let (name, value) = (JsValue::from_str(name), ask());
            if js_sys::Reflect::get(&element, &name).ok().as_ref() != Some(&value) {
                drop(js_sys::Reflect::set(&element, &name, &value));
            }
        }));
        self
    }

    /// With what is done about an event.
    pub(crate) fn on(self, event: &str, act: impl FnMut(Event) + 'static) -> Self {
        listen(&self.0, event, Box::new(act));
        self
    }

    /// With words behind what is in it.
    pub(crate) fn text(self, words: &str) -> Self {
        if !words.is_empty() {
            drop(self.0.append_child(&document().create_text_node(words)));
        }
        self
    }

    /// With words that follow.
    pub(crate) fn words<W: Into<Cow<'static, str>>>(self, ask: impl Fn() -> W + 'static) -> Self {
        words(&self.0, Box::new(move || ask().into()));
        self
    }

    /// With another element behind what is in it.
    pub(crate) fn with(self, child: Self) -> Self {
        drop(self.0.append_child(&child.0));
        self
    }

    /// With others.
    pub(crate) fn all(self, children: impl IntoIterator<Item = Self>) -> Self {
        for child in children {
            drop(self.0.append_child(&child.0));
        }
        self
    }

    /// With a part that is made anew whenever what it is made of is another.
    pub(crate) fn part<K: PartialEq + Clone + 'static>(
        self,
        ask: impl FnMut() -> K + 'static,
        make: impl Fn(K) -> Vec<Self> + 'static,
    ) -> Self {
        let key = memo(ask);
        part(
            &self.0,
            Box::new(move || {
                let key = key.get();
                untrack(|| make(key))
            }),
        );
        self
    }

    /// With an element that is there as long as something holds.
    pub(crate) fn when(self, ask: impl FnMut() -> bool + 'static, make: impl Fn() -> Self + 'static) -> Self {
        self.part(ask, move |holds| if holds { vec![make()] } else { Vec::new() })
    }

    /// With an element for each key, kept as long as its key is there.
    pub(crate) fn each(self, keys: impl Fn() -> Vec<String> + 'static, make: impl Fn(&str) -> Self + 'static) -> Self {
        each(&self.0, Box::new(keys), Box::new(make));
        self
    }
}

fn put(element: &Element, name: &str, value: Option<&str>) {
    // Names are written here, and all of them are names.
    drop(match value {
        Some(value) => element.set_attribute(name, value),
        None => element.remove_attribute(name),
    });
}

fn effect_dyn(job: Box<dyn FnMut()>) {
    effect(job);
}

fn follow(element: Element, name: &'static str, ask: Box<dyn Fn() -> Option<String>>) {
    let mut last = None::<Option<String>>;
    effect_dyn(Box::new(move || {
        let value = ask();
        if last.as_ref() != Some(&value) {
            put(&element, name, value.as_deref());
            last = Some(value);
        }
    }));
}

fn words(parent: &Element, ask: Box<dyn Fn() -> Cow<'static, str>>) {
    let text: Text = document().create_text_node("");
    drop(parent.append_child(&text));
    let mut last = Cow::Borrowed("");
    effect_dyn(Box::new(move || {
        let value = ask();
        if last != value {
            text.set_data(&value);
            last = value;
        }
    }));
}

fn listen(target: &web_sys::EventTarget, event: &str, mut act: Box<dyn FnMut(Event)>) {
    let heard = Closure::<dyn FnMut(Event)>::new(move |event| together(|| act(event)));
    drop(target.add_event_listener_with_callback(event, heard.as_ref().unchecked_ref()));
    let (target, event) = (target.clone(), event.to_owned());
    on_end(move || {
        // What ends inside of an element that listens, too, is still on its way up to it.
        drop(target.remove_event_listener_with_callback(&event, heard.as_ref().unchecked_ref()));
        drop(heard);
    });
}

/// Listens as long as the page lives to what happens to the whole of it.
pub(crate) fn listen_to_window(event: &str, act: impl FnMut(Event) + 'static) {
    if let Some(window) = web_sys::window() {
        listen(&window, event, Box::new(act));
    }
}

/// A place behind what is in `parent`, before which others are put.
fn mark(parent: &Element) -> Text {
    let mark = document().create_text_node("");
    drop(parent.append_child(&mark));
    mark
}

fn before(mark: &Text, node: &Node) {
    if let Some(parent) = mark.parent_node() {
        drop(parent.insert_before(node, Some(mark)));
    }
}

fn part(parent: &Element, make: Box<dyn Fn() -> Vec<El>>) {
    let mark = mark(parent);
    let mut shown: Vec<El> = Vec::new();
    effect_dyn(Box::new(move || {
        shown.drain(..).for_each(|old| old.0.remove());
        shown = make();
        shown.iter().for_each(|new| before(&mark, &new.0));
    }));
}

type Kept = Rc<RefCell<Vec<(String, El, Rc<Scope>)>>>;

fn each(parent: &Element, keys: Box<dyn Fn() -> Vec<String>>, make: Box<dyn Fn(&str) -> El>) {
    let mark = mark(parent);
    let kept: Kept = Rc::default();
    let ending = kept.clone();
    on_end(move || ending.take().iter().for_each(|(_, _, scope)| scope.end()));
    effect_dyn(Box::new(move || {
        let keys = keys();
        let mut old = kept.take();
        let same = old.len() == keys.len() && old.iter().zip(&keys).all(|((known, ..), key)| known == key);
        let mut all = Vec::with_capacity(keys.len());
        if same {
            all = old;
        } else {
            for key in keys {
                match old.iter().position(|(known, ..)| *known == key) {
                    Some(at) => all.push(old.remove(at)),
                    None => {
                        let scope = Rc::<Scope>::default();
                        let made = untrack(|| scope.holds(|| make(&key)));
                        all.push((key, made, scope));
                    }
                }
            }
            for (_, gone, scope) in old {
                scope.end();
                gone.0.remove();
            }
            // From the end: what stands where it should is not touched, so that it keeps the focus.
            let mut next: Node = mark.clone().into();
            for (_, element, _) in all.iter().rev() {
                if element.0.next_sibling().as_ref() != Some(&next)
                    && let Some(parent) = mark.parent_node()
                {
                    drop(parent.insert_before(&element.0, Some(&next)));
                }
                next = element.0.clone().into();
            }
        }
        kept.replace(all);
    }));
}

/// What the field of an event holds.
pub(crate) fn value(event: &Event) -> String {
    get(event, "value").and_then(|value| value.as_string()).unwrap_or_default()
}

/// Whether the box of an event is ticked.
pub(crate) fn ticked(event: &Event) -> bool {
    get(event, "checked").is_some_and(|value| value.is_truthy())
}

/// The pressed key.
pub(crate) fn key(event: &Event) -> String {
    event.dyn_ref::<web_sys::KeyboardEvent>().map(web_sys::KeyboardEvent::key).unwrap_or_default()
}

fn get(event: &Event, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(event.target()?.as_ref(), &name.into()).ok()
}

/// What is not written and not read aloud: nothing.
pub(crate) fn unseen(words: &str) -> El {
    of("span", "unseen").text(words)
}
