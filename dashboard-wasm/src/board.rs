//! Saved dashboards: their widgets and how they are arranged, what each asks, and what is told to it.
use headwater_core::Minute;
use headwater_query::{Dimension, Query, Show, TimeDimension, Widget};
use serde::{Deserialize, Serialize};

use crate::measure::Measure;
use crate::panel::{self, Panel, Tab};
use crate::question;
use crate::report::{Reading, Totals};
use crate::route::{Scope, SiteView};
use crate::series::Series;
use crate::table::Table;

/// `GET /api/v1/sites/{site}/dashboards`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DashboardList {
    /// By name.
    pub dashboards: Vec<Dashboard>,
}

/// A saved dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    /// Its number.
    #[serde(default, skip_serializing)]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its widgets, in their order.
    pub widgets: Vec<Widget>,
    /// Sent with a change, so that the server refuses one of what somebody else has changed meanwhile; none of one that is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// A dashboard as it is shown, or while it is arranged: each widget has a key that stays as long as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// The dashboard's number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its widgets, in their order.
    pub widgets: Vec<(u32, Widget)>,
    /// The version that it was made of.
    version: String,
}

impl Board {
    /// A dashboard as it was saved.
    #[must_use]
    pub fn new(saved: &Dashboard) -> Self {
        let Dashboard { id, name, widgets, version } = saved.clone();
        Self { id, name, widgets: (0..).zip(widgets).collect(), version }
    }

    /// What is to be saved.
    #[must_use]
    pub fn saved(&self) -> Dashboard {
        let widgets = self.widgets.iter().map(|(_, widget)| widget.clone()).collect();
        Dashboard { id: self.id, name: self.name.trim().to_owned(), widgets, version: self.version.clone() }
    }

    /// What it asks: the same whatever its widgets are called and however wide they are.
    #[must_use]
    pub fn asked(&self) -> Vec<Widget> {
        self.widgets.iter().map(|(_, widget)| Widget { title: String::new(), width: 1, ..widget.clone() }).collect()
    }

    /// The widget of a key.
    #[must_use]
    pub fn get(&self, key: u32) -> Option<&Widget> {
        self.widgets.iter().find(|(known, _)| *known == key).map(|(_, widget)| widget)
    }

    /// Puts a widget in the place of that of a key, or without one behind the last.
    pub fn put(&mut self, key: Option<u32>, widget: Widget) {
        match self.widgets.iter_mut().find(|(known, _)| Some(*known) == key) {
            Some(slot) => slot.1 = widget,
            None => {
                let next = self.widgets.iter().map(|(key, _)| key + 1).max().unwrap_or(0);
                self.widgets.push((next, widget));
            }
        }
    }

    /// Takes a widget away.
    pub fn remove(&mut self, key: u32) {
        self.widgets.retain(|(known, _)| *known != key);
    }

    /// Moves a widget to where another one is.
    pub fn move_to(&mut self, key: u32, other: u32) {
        let place = |key| self.widgets.iter().position(|(known, _)| *known == key);
        if let (Some(from), Some(to)) = (place(key), place(other)) {
            let moved = self.widgets.remove(from);
            self.widgets.insert(to, moved);
        }
    }

    /// Moves a widget by one place.
    pub fn step(&mut self, key: u32, later: bool) {
        let place = self.widgets.iter().position(|(known, _)| *known == key);
        let next = place.and_then(|place| if later { place.checked_add(1) } else { place.checked_sub(1) });
        if let Some((other, _)) = next.and_then(|next| self.widgets.get(next)) {
            self.move_to(key, *other);
        }
    }
}

/// What is told to a widget.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A card.
    Totals(Box<Totals>),
    /// A chart.
    Series(Series),
    /// A list.
    Table(Table),
    /// Why there is nothing to show.
    Failed(String),
}

/// Whether one answer tells both.
#[must_use]
pub fn is_same(a: &Widget, b: &Widget) -> bool {
    let sorted = a.show != Show::List || a.metric == b.metric;
    sorted && (a.show, &a.dimension, &a.filters) == (b.show, &b.dimension, &b.filters)
}

/// What is counted.
#[must_use]
pub fn measure(widget: &Widget) -> Measure {
    Measure::from_name(widget.metric.name()).unwrap_or_default()
}

/// The tab that has the words for a list.
#[must_use]
pub fn tab(dimension: &Dimension) -> Tab {
    Tab::of(dimension).unwrap_or(Tab::Properties)
}

/// The columns of a list: the chosen one first, and what else its tab has.
#[must_use]
pub fn columns(widget: &Widget) -> Vec<Measure> {
    let chosen = measure(widget);
    let own = widget.dimension.as_ref().map_or(Tab::Pages, tab).columns();
    let other = own.into_iter().find(|column| *column != chosen && (own.contains(&chosen) || *column != Measure::Share));
    [Some(chosen), other].into_iter().flatten().collect()
}

/// The heading: that which it was given, or what it shows.
#[must_use]
pub fn heading(widget: &Widget) -> String {
    match (&widget.dimension, widget.title.as_str()) {
        (Some(Dimension::Prop(name)), "") => format!("Values of {name}"),
        (Some(dimension), "") => Tab::of(dimension).map_or_else(|| dimension.to_string(), |tab| tab.title().to_owned()),
        (None, "") => measure(widget).label().to_owned(),
        (_, title) => title.to_owned(),
    }
}

/// The scope of a widget with filters of its own.
#[must_use]
pub fn scope(widget: &Widget, scope: &Scope) -> Scope {
    Scope { within: [scope.within.clone(), widget.filters.clone()].concat(), ..scope.clone() }
}

/// The question behind a widget.
#[must_use]
pub fn question(widget: &Widget, of: &Scope, unit: TimeDimension, now: Minute) -> Query {
    let scope = scope(widget, of);
    match (widget.show, &widget.dimension) {
        (Show::List, Some(dimension)) => question::list(&scope, dimension.clone(), &columns(widget), tab(dimension).asks(), now),
        (Show::Chart, _) => question::series(&scope, unit, now),
        _ => question::totals(&scope, now),
    }
}

/// What an answer tells a widget; `includes_now` and `now` as for a [`Series`].
#[must_use]
pub fn read(widget: &Widget, reading: &Reading, includes_now: bool, now: &str) -> Told {
    match (widget.show, &widget.dimension) {
        (Show::List, Some(dimension)) => Told::Table(Table::read(reading, tab(dimension), dimension.clone(), &columns(widget))),
        (Show::Chart, _) => Told::Series(Series::read(reading, includes_now, now)),
        _ => Told::Totals(Box::new(Totals::read(reading))),
    }
}

/// A site's figures as they are shown at first, as widgets: where another dashboard begins.
#[must_use]
pub fn of_view(view: &SiteView, property: Option<&str>) -> Vec<Widget> {
    let card = |measure: Measure| Widget {
        show: Show::Card,
        metric: measure.metric(),
        dimension: None,
        filters: Vec::new(),
        title: String::new(),
        width: 1,
    };
    let cards = [Measure::Visitors, Measure::Visits, Measure::Pageviews, Measure::BounceRate].map(card);
    let chart = Widget { show: Show::Chart, width: Widget::COLUMNS, ..card(view.measure) };
    let list = |panel: Panel| {
        let tab = view.tab(panel);
        let [first, _] = tab.columns();
        Some(Widget { show: Show::List, dimension: Some(tab.dimension(property)?), width: 2, ..card(first) })
    };
    cards.into_iter().chain([chart]).chain(Panel::ALL.into_iter().filter_map(list)).collect()
}

/// The dimensions that a list may have, with their words.
#[must_use]
pub fn dimensions(properties: &[String]) -> Vec<(String, String)> {
    let tabs = Tab::ALL.into_iter().filter_map(|tab| tab.dimension(None));
    let properties = properties.iter().cloned().map(Dimension::Prop);
    tabs.chain(properties).map(|dimension| (dimension.to_string(), panel::dimension_label(&dimension))).collect()
}

#[cfg(test)]
mod tests {
    use headwater_query::Metric;

    use super::*;

    fn widget(json: &str) -> Widget {
        serde_json::from_str(json).unwrap()
    }

    fn board(count: u32) -> Board {
        let widget = |n: u32| widget(&format!(r#"{{"show":"card","metric":"visitors","title":"{n}","width":1}}"#));
        Board::new(&Dashboard { id: 7, name: "Board".into(), widgets: (0..count).map(widget).collect(), ..Dashboard::default() })
    }

    fn titles(board: &Board) -> String {
        board.widgets.iter().map(|(_, widget)| widget.title.as_str()).collect()
    }

    #[test]
    fn widgets_are_arranged_and_keep_their_keys() {
        let mut board = board(4);
        board.step(0, true);
        assert_eq!((titles(&board).as_str(), board.widgets[1].0), ("1023", 0));
        board.step(1, false);
        board.step(3, true);
        assert_eq!(titles(&board), "1023", "the first and the last stay");
        board.move_to(3, 1);
        assert_eq!(titles(&board), "3102");
        board.move_to(3, 2);
        assert_eq!(titles(&board), "1023");
        board.remove(0);
        board.put(None, widget(r#"{"show":"card","metric":"visitors","title":"4","width":1}"#));
        board.put(Some(2), widget(r#"{"show":"card","metric":"visits","title":"5","width":1}"#));
        assert_eq!((titles(&board).as_str(), board.widgets.last().unwrap().0), ("1534", 4));
        assert_eq!(board.get(2).unwrap().metric, Metric::Visits);
        assert_eq!((board.saved().id, board.saved().widgets.len()), (7, 4));
        let asked = board.asked();
        board.put(Some(2), widget(r#"{"show":"card","metric":"visits","title":"6","width":3}"#));
        assert_eq!(board.asked(), asked, "a title and a width ask nothing");
    }

    #[test]
    fn widgets_ask_what_the_page_asks_and_share_answers() {
        let scope = Scope { domain: "a.b".into(), ..Scope::default() };
        let ask = |widget: &Widget| question(widget, &scope, TimeDimension::Day, Minute(29_900_000));
        let card = widget(r#"{"show":"card","metric":"visits","width":1}"#);
        let other = widget(r#"{"show":"card","metric":"events","title":"All","width":2}"#);
        assert!(is_same(&card, &other));
        assert_eq!(ask(&card), ask(&other));
        let german = widget(r#"{"show":"card","metric":"visits","width":1,"filters":[["is","visit:country",["DE"]]]}"#);
        assert!(!is_same(&card, &german));
        assert_eq!(serde_json::to_value(ask(&german).filters).unwrap(), serde_json::json!([["is", "visit:country", ["DE"]]]));
        let list =
            |metric: &str| widget(&format!(r#"{{"show":"list","metric":"{metric}","dimension":"visit:source","width":2}}"#));
        assert_eq!(columns(&list("visitors")), [Measure::Visitors, Measure::Share]);
        assert_eq!(columns(&list("bounce_rate")), [Measure::BounceRate, Measure::Visitors]);
        assert_eq!(ask(&list("visits")).metrics, [Metric::Visits, Metric::Visitors]);
        assert!(!is_same(&list("visits"), &list("visitors")));
    }

    #[test]
    fn a_view_becomes_a_dashboard() {
        let mut view = SiteView::new("a.b");
        view.measure = Measure::Events;
        view.tabs[0] = Tab::Campaigns;
        let widgets = of_view(&view, Some("plan"));
        let headings: Vec<_> = widgets.iter().map(heading).collect();
        assert_eq!(headings[4..], ["Events", "Campaigns", "Top pages", "Countries", "Browsers", "Events", "Values of plan"]);
        assert_eq!(of_view(&view, None).len(), widgets.len() - 1, "no list of a property that is not chosen");
        let text = serde_json::to_value(&widgets).unwrap();
        assert_eq!(Widget::list(&text, "widgets").unwrap(), widgets, "the server takes them");
    }
}
