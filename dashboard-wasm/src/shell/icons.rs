//! The few drawings, as inline SVG that takes the colour of its text.
use leptos::prelude::*;

/// The mark.
#[component]
pub(crate) fn Mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" fill="currentColor" />
            <path class="wave" d="M7 11c3 0 3 3 6 3s3-3 6-3 3 3 6 3M7 19c3 0 3 3 6 3s3-3 6-3 3 3 6 3" fill="none" stroke-width="2.6" stroke-linecap="round" />
        </svg>
    }
}

/// An arrow that says that there is more below.
#[component]
pub(crate) fn Down() -> impl IntoView {
    view! {
        <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2 4l4 4 4-4" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    }
}

/// What closes or removes.
#[component]
pub(crate) fn Cross() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 12 12" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <path d="M3 3l6 6M9 3l-6 6" />
        </svg>
    }
}

/// A filter.
#[component]
pub(crate) fn Funnel() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <path d="M2.5 3.5h11L9.5 8.5v4l-3-1.5V8.5z" />
        </svg>
    }
}

/// Light.
#[component]
pub(crate) fn Sun() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <circle cx="8" cy="8" r="3" />
            <path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />
        </svg>
    }
}

/// Dark.
#[component]
pub(crate) fn Moon() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <path d="M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z" />
        </svg>
    }
}

/// As the system has it.
#[component]
pub(crate) fn System() -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <circle cx="8" cy="8" r="5.6" />
            <path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" stroke="none" />
        </svg>
    }
}
