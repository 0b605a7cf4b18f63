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
