//! The panels and their tabs: by what each breaks the range down, and which columns it has.
use headwater_query::{Dimension, VisitProperty as V};

use crate::measure::Measure;
use crate::vitals::VITALS;

/// A panel. Each shows one of its tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Where visitors come from.
    Sources,
    /// What they look at.
    Pages,
    /// Where they are.
    Places,
    /// With what they come.
    Devices,
    /// What they do.
    Events,
    /// With what they do it.
    Properties,
}

/// A tab of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the dimension beside each says it")]
pub enum Tab {
    Channels,
    Sources,
    Referrers,
    Campaigns,
    UtmSources,
    Mediums,
    Contents,
    Terms,
    Pages,
    EntryPages,
    ExitPages,
    Hostnames,
    Countries,
    Regions,
    Cities,
    Devices,
    Browsers,
    BrowserVersions,
    Systems,
    SystemVersions,
    Sizes,
    Languages,
    Events,
    Goals,
    Properties,
}

impl Panel {
    /// Every panel, in the order on the page.
    pub const ALL: [Self; 6] = [Self::Sources, Self::Pages, Self::Places, Self::Devices, Self::Events, Self::Properties];
    /// What each shows at first.
    pub const FIRST: [Tab; Self::ALL.len()] =
        [Tab::Sources, Tab::Pages, Tab::Countries, Tab::Browsers, Tab::Events, Tab::Properties];
    /// How many rows stand there before somebody asks for more.
    pub const FEW: u32 = 9;

    /// How many of them stand below a map.
    pub const BELOW: usize = 3;

    /// Its tabs.
    #[must_use]
    pub const fn tabs(self) -> &'static [Tab] {
        match self {
            Self::Sources => &[Tab::Channels, Tab::Sources, Tab::Referrers],
            Self::Pages => &[Tab::Pages, Tab::EntryPages, Tab::ExitPages],
            Self::Places => &[Tab::Countries, Tab::Regions, Tab::Cities],
            Self::Devices => &[Tab::Devices, Tab::Browsers, Tab::Systems, Tab::Sizes, Tab::Languages],
            Self::Events => &[Tab::Events, Tab::Goals],
            Self::Properties => &[Tab::Properties],
        }
    }

    /// Tabs that are asked for less often and share one place, with the word that stands there.
    #[must_use]
    pub const fn menu(self) -> Option<(&'static str, &'static [Tab])> {
        match self {
            Self::Sources => Some(("Campaigns", &[Tab::Campaigns, Tab::Mediums, Tab::UtmSources, Tab::Contents, Tab::Terms])),
            _ => None,
        }
    }

    /// The panel's place.
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|panel| *panel == self).unwrap_or(0)
    }
}

impl Tab {
    /// Every tab.
    pub const ALL: [Self; 25] = [
        Self::Channels,
        Self::Sources,
        Self::Referrers,
        Self::Campaigns,
        Self::UtmSources,
        Self::Mediums,
        Self::Contents,
        Self::Terms,
        Self::Pages,
        Self::EntryPages,
        Self::ExitPages,
        Self::Hostnames,
        Self::Countries,
        Self::Regions,
        Self::Cities,
        Self::Devices,
        Self::Browsers,
        Self::BrowserVersions,
        Self::Systems,
        Self::SystemVersions,
        Self::Sizes,
        Self::Languages,
        Self::Events,
        Self::Goals,
        Self::Properties,
    ];

    /// The panel that it is a tab of.
    #[must_use]
    pub fn panel(self) -> Option<Panel> {
        let of = |panel: &Panel| panel.tabs().contains(&self) || panel.menu().is_some_and(|(_, tabs)| tabs.contains(&self));
        Panel::ALL.into_iter().find(of)
    }

    /// The name in the address.
    #[must_use]
    pub fn name(self) -> String {
        self.title().to_ascii_lowercase().replace(' ', "-")
    }

    /// The tab of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.name() == name)
    }

    /// By what it breaks down; of [`Tab::Properties`], which property is chosen apart.
    #[must_use]
    pub fn dimension(self, property: Option<&str>) -> Option<Dimension> {
        Some(match self {
            Self::Channels => Dimension::Visit(V::Channel),
            Self::Sources => Dimension::Visit(V::Source),
            Self::Referrers => Dimension::Visit(V::Referrer),
            Self::Campaigns => Dimension::Visit(V::UtmCampaign),
            Self::UtmSources => Dimension::Visit(V::UtmSource),
            Self::Mediums => Dimension::Visit(V::UtmMedium),
            Self::Contents => Dimension::Visit(V::UtmContent),
            Self::Terms => Dimension::Visit(V::UtmTerm),
            Self::Pages => Dimension::Page,
            Self::EntryPages => Dimension::Visit(V::EntryPage),
            Self::ExitPages => Dimension::ExitPage,
            Self::Hostnames => Dimension::Hostname,
            Self::Countries => Dimension::Visit(V::Country),
            Self::Regions => Dimension::Visit(V::Region),
            Self::Cities => Dimension::Visit(V::City),
            Self::Devices => Dimension::Visit(V::Device),
            Self::Browsers => Dimension::Visit(V::Browser),
            Self::BrowserVersions => Dimension::Visit(V::BrowserVersion),
            Self::Systems => Dimension::Visit(V::Os),
            Self::SystemVersions => Dimension::Visit(V::OsVersion),
            Self::Sizes => Dimension::Visit(V::Screen),
            Self::Languages => Dimension::Visit(V::Language),
            Self::Events => Dimension::Name,
            Self::Goals => Dimension::Goal,
            Self::Properties => Dimension::Prop(property?.to_owned()),
        })
    }

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Channels => "Channels",
            Self::Sources => "Sources",
            Self::Referrers => "Referrers",
            Self::Campaigns => "Campaigns",
            Self::UtmSources => "Campaign sources",
            Self::Mediums => "Campaign mediums",
            Self::Contents => "Campaign contents",
            Self::Terms => "Campaign terms",
            Self::Pages => "Top pages",
            Self::EntryPages => "Entry pages",
            Self::ExitPages => "Exit pages",
            Self::Hostnames => "Hosts",
            Self::Countries => "Countries",
            Self::Regions => "Regions",
            Self::Cities => "Cities",
            Self::Devices => "Devices",
            Self::Browsers => "Browsers",
            Self::BrowserVersions => "Browser versions",
            Self::Systems => "Systems",
            Self::SystemVersions => "System versions",
            Self::Sizes => "Screen sizes",
            Self::Languages => "Languages",
            Self::Events => "Events",
            Self::Goals => "Goals",
            Self::Properties => "Properties",
        }
    }

    /// The word on the tab, beside the heading of the panel's shown one.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Pages => "Top",
            Self::EntryPages => "Entry",
            Self::ExitPages => "Exit",
            Self::Sizes => "Sizes",
            Self::UtmSources => "Source",
            Self::Mediums => "Medium",
            Self::Campaigns => "Campaign",
            Self::Contents => "Content",
            Self::Terms => "Term",
            other => other.title(),
        }
    }

    /// What its rows are.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Channels => "Channel",
            Self::Sources => "Source",
            Self::Referrers => "Referrer",
            Self::Campaigns => "Campaign",
            Self::UtmSources => "Campaign source",
            Self::Mediums => "Campaign medium",
            Self::Contents => "Campaign content",
            Self::Terms => "Campaign term",
            Self::Pages => "Page",
            Self::EntryPages => "Entry page",
            Self::ExitPages => "Exit page",
            Self::Hostnames => "Host",
            Self::Countries => "Country",
            Self::Regions => "Region",
            Self::Cities => "City",
            Self::Devices => "Device",
            Self::Browsers => "Browser",
            Self::BrowserVersions => "Browser version",
            Self::Systems => "System",
            Self::SystemVersions => "System version",
            Self::Sizes => "Screen size",
            Self::Languages => "Language",
            Self::Events => "Event",
            Self::Goals => "Goal",
            Self::Properties => "Value",
        }
    }

    /// The tab that breaks down by a dimension.
    #[must_use]
    pub fn of(dimension: &Dimension) -> Option<Self> {
        match dimension {
            Dimension::Prop(_) => Some(Self::Properties),
            other => Self::ALL.into_iter().find(|tab| tab.dimension(None).as_ref() == Some(other)),
        }
    }

    /// Its columns in a panel; the first sorts the rows and is drawn as their bars.
    #[must_use]
    pub const fn columns(self) -> [Measure; 2] {
        match self {
            Self::Pages => [Measure::Visitors, Measure::Pageviews],
            Self::EntryPages => [Measure::Visits, Measure::BounceRate],
            Self::ExitPages => [Measure::Visits, Measure::Visitors],
            Self::Events => [Measure::Events, Measure::Visitors],
            Self::Goals => [Measure::Visitors, Measure::ConversionRate],
            Self::Properties => [Measure::Visitors, Measure::Events],
            _ => [Measure::Visitors, Measure::Share],
        }
    }

    /// Its columns where there is room for more; the first two are those of the panel.
    #[must_use]
    pub const fn all_columns(self) -> &'static [Measure] {
        use Measure as M;
        match self {
            Self::Pages => &[M::Visitors, M::Pageviews, M::BounceRate, M::TimeOnPage, M::ScrollDepth],
            Self::EntryPages => &[M::Visits, M::BounceRate, M::Visitors, M::VisitDuration],
            Self::ExitPages => &[M::Visits, M::Visitors],
            Self::Events => &[M::Events, M::Visitors, M::Sum, M::Average, M::Revenue],
            Self::Goals => &[M::Visitors, M::ConversionRate, M::Events, M::Revenue],
            Self::Hostnames => &[M::Visitors, M::Share],
            Self::Properties => &[M::Visitors, M::Events, M::Sum, M::Average, M::Revenue],
            _ => &[M::Visitors, M::Share, M::Visits, M::BounceRate, M::VisitDuration],
        }
    }

    /// How many rows a panel asks for: a map shows all that there are, and of events some are shown elsewhere.
    #[must_use]
    pub const fn asks(self) -> u32 {
        match self {
            Self::Countries => 300,
            Self::Events => Panel::FEW + VITALS.len() as u32,
            _ => Panel::FEW,
        }
    }

    /// What stands there when there are no rows.
    #[must_use]
    pub const fn empty(self) -> &'static str {
        match self {
            Self::Pages => "No page was viewed in this range.",
            Self::EntryPages => "No visit began in this range.",
            Self::ExitPages => "No visit ended in this range.",
            Self::Channels | Self::Sources | Self::Referrers => "Nobody came in this range, so there is nowhere they came from.",
            Self::Campaigns | Self::Mediums | Self::UtmSources | Self::Contents | Self::Terms => {
                "Nobody came through a campaign. Links with utm_source, utm_medium or utm_campaign show here."
            }
            Self::Events => {
                "Nothing happened in this range. Buttons can be marked with data-headwater-event, or a script can call headwater('Signup')."
            }
            Self::Goals => "No goal was reached. Goals are set in the settings of the site.",
            Self::Properties => {
                "Events may carry properties: headwater('Signup', {props: {plan: 'pro'}}). Their values show here."
            }
            _ => "Nobody was here in this range.",
        }
    }
}

/// The words for a value, where it has none of its own.
#[must_use]
pub fn value_label(dimension: &Dimension, value: &str) -> String {
    match (dimension, value) {
        (Dimension::Name, "pageview") => "Page view".into(),
        (Dimension::Visit(V::Country | V::Region | V::City), "") => "(unknown)".into(),
        (_, "") => "(none)".into(),
        _ => value.into(),
    }
}

/// What a dimension is called in a sentence: `Country`, `plan`.
#[must_use]
pub fn dimension_label(dimension: &Dimension) -> String {
    match (dimension, Tab::of(dimension)) {
        (Dimension::Prop(key), _) => key.clone(),
        (_, Some(tab)) => tab.noun().into(),
        (other, None) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_is_found_by_its_name_and_its_dimension() {
        for tab in Tab::ALL {
            assert_eq!(Tab::from_name(&tab.name()), Some(tab));
            let dimension = tab.dimension(Some("plan")).unwrap();
            assert_eq!(Tab::of(&dimension), Some(tab));
            assert_eq!(tab.all_columns()[..2], tab.columns(), "{tab:?}");
        }
        assert_eq!(Tab::Properties.dimension(None), None);
    }

    #[test]
    fn every_panel_begins_with_a_tab_of_its_own() {
        for (panel, first) in Panel::ALL.into_iter().zip(Panel::FIRST) {
            assert_eq!(first.panel(), Some(panel));
        }
    }
}
