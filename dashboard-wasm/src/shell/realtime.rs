//! What only the realtime view has: pages being read now, and what arrives.
use leptos::prelude::*;

use super::erased::text;
use super::panels::Rows;
use super::state::state;
use crate::arrivals::What;
use crate::format;
use crate::measure::Measure;

/// Both, beside each other.
#[component]
pub(crate) fn Realtime() -> impl IntoView {
    let state = state();
    let readers = Signal::derive(move || state.now.get().map_or(0, |(visitors, _)| visitors));
    view! {
        <div class="panels now-panels">
            <section class="panel sheet" aria-labelledby="panel-reading">
                <div class="panel-head">
                    <h2 id="panel-reading">"Being read now"</h2>
                    <p class="aside">{text(move || format::counted(readers.get(), "visitor", "visitors"))} " in 5 minutes"</p>
                </div>
                <Rows table=state.reading columns=&[Measure::Visitors] />
            </section>
            <Arriving />
        </div>
    }
}

#[component]
fn Arriving() -> impl IntoView {
    let state = state();
    let lines = move || state.arrivals.with(|arrivals| arrivals.lines.iter().take(10).cloned().collect::<Vec<_>>());
    let none = Signal::derive(move || state.arrivals.with(|arrivals| arrivals.lines.is_empty()));
    view! {
        <section class="panel sheet" aria-labelledby="panel-arriving">
            <div class="panel-head">
                <h2 id="panel-arriving">"Arriving"</h2>
                <p class="aside">"whatever the filters"</p>
            </div>
            <Show when=move || !none.get() fallback=|| view! { <p class="none">"Nothing has arrived in this minute. It shows here by itself."</p> }>
                <ol class="arrivals">
                    <For each=lines key=|line| line.number let:line>
                        {
                            let (kind, name) = match line.what {
                                What::View(page) => ("View", page),
                                What::Event(name) => ("Event", name),
                            };
                            view! {
                                <li class="arrival">
                                    <time>{line.clock}</time>
                                    <span class="kind" class:event=kind == "Event">{kind}</span>
                                    <bdi class="what" title=name.clone()>{name.clone()}</bdi>
                                    <span class="n">{(line.count > 1).then(|| format!("× {}", format::full(line.count)))}</span>
                                </li>
                            }
                        }
                    </For>
                </ol>
            </Show>
        </section>
    }
}
