// Puts the tag of docs/tracker.md into the page. The tracker itself comes from the server, so that both are of one version.

/** Calls may come before the script: it takes them from the queue. */
const headwater = (...call) => {
  if (typeof window === 'undefined') return
  window.headwater ??= Object.assign((...call) => window.headwater.q.push(call), { q: [] })
  window.headwater(...call)
}

let tag

/** Begins to count. Only the first call does anything, and none on a server. */
export const init = ({ src, props = {}, ...attributes }) => {
  if (tag || typeof document === 'undefined') return
  tag = document.createElement('script')
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) tag.dataset[name] = value === true ? '' : [value].join()
  }
  for (const [name, value] of Object.entries(props)) tag.setAttribute(`data-headwater-prop-${name}`, value)
  tag.src = src
  document.head.append(tag)
}

/** Counts an event. */
export const track = (name, options) => headwater(name, options)

/** Counts a page view by hand; see `manual`. */
export const pageview = options => headwater('pageview', options)
