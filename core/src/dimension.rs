//! Dimensions: what counts can be broken down by.
use serde::{Deserialize, Serialize};

macro_rules! visit_dimensions {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// A property of a whole visit. The discriminant is the index in a visit's context and part of the wire format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum VisitDimension { $(#[doc = $doc] $variant,)+ }

        impl VisitDimension {
            /// Every one, by discriminant.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in queries.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

visit_dimensions! {
    Country = "visit:country", "ISO 3166-1 alpha-2 code.";
    Region = "visit:region", "ISO 3166-2 code.";
    City = "visit:city", "Name of the city.";
    Device = "visit:device", "`Desktop`, `Mobile`, `Tablet`.";
    Browser = "visit:browser", "Name of the browser.";
    BrowserVersion = "visit:browser_version", "Major version of the browser.";
    Os = "visit:os", "Name of the operating system.";
    OsVersion = "visit:os_version", "Version of the operating system.";
    Language = "visit:language", "Preferred language (BCP 47).";
    Screen = "visit:screen", "Class of the screen's width.";
    Source = "visit:source", "Where the visit came from.";
    Referrer = "visit:referrer", "Referring page without query and fragment.";
    Channel = "visit:channel", "Acquisition channel.";
    UtmSource = "visit:utm_source", "Campaign parameter of that name.";
    UtmMedium = "visit:utm_medium", "Campaign parameter of that name.";
    UtmCampaign = "visit:utm_campaign", "Campaign parameter of that name.";
    UtmContent = "visit:utm_content", "Campaign parameter of that name.";
    UtmTerm = "visit:utm_term", "Campaign parameter of that name.";
    EntryPage = "visit:entry_page", "Path of the first page.";
}

/// The dimension of a row of tallies. `Prop` rows have the property's name as their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowDimension {
    /// The one row that sums everything; key and value are empty.
    Total,
    /// `event:name`.
    Name,
    /// `event:page`.
    Page,
    /// `event:hostname`.
    Hostname,
    /// `event:props:*`.
    Prop,
    /// A property of the visit.
    Visit(VisitDimension),
}

impl RowDimension {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Total => 0,
            Self::Name => 1,
            Self::Page => 2,
            Self::Hostname => 3,
            Self::Prop => 4,
            Self::Visit(dimension) => 16 + dimension as u8,
        }
    }

    /// The dimension whose sheet holds the rows of this one: entry pages stand with pages, whose strings they are and of
    /// whose numbers the bounce rate is one.
    #[must_use]
    pub const fn sheet(self) -> Self {
        match self {
            Self::Visit(VisitDimension::EntryPage) => Self::Page,
            other => other,
        }
    }

    /// The dimension of a code, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Total,
            1 => Self::Name,
            2 => Self::Page,
            3 => Self::Hostname,
            4 => Self::Prop,
            _ => Self::Visit(*VisitDimension::ALL.get(usize::from(code.checked_sub(16)?))?),
        })
    }

    /// The name in queries; `event:props` without the property's name, empty for the total.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Total => "",
            Self::Name => "event:name",
            Self::Page => "event:page",
            Self::Hostname => "event:hostname",
            Self::Prop => "event:props",
            Self::Visit(dimension) => dimension.name(),
        }
    }
}
