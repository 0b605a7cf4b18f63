/** Names and values; a name of up to 1,024 bytes, at most 30 of them. */
export type Props = Record<string, string | number | boolean>

/** The attributes of the tag, as docs/tracker.md describes them. Lists may be arrays. */
export interface Settings {
  /** Where the tracker is, as `https://stats.example.com/t.js`. */
  src: string
  /** The site's domain. */
  site: string
  /** Where beacons go: `b` beside the script. */
  api?: string
  /** Patterns of paths: only these count. */
  include?: string | string[]
  /** Patterns of paths: these do not count. */
  exclude?: string | string[]
  /** Patterns of paths that are one page each. */
  group?: string | string[]
  /** What not to count by itself. */
  off?: string | string[]
  /** The query is part of the page. */
  query?: boolean
  /** The fragment is part of the page. */
  hash?: boolean
  /** No view is counted at the start. */
  manual?: boolean
  /** Whether the browser keeps a random id, for sites whose identity is `device`. */
  identity?: 'device'
  /** Uses no storage. */
  storage?: 'none'
  /** Counts on localhost; with a number, that is the least milliseconds between two beacons, for tests. */
  local?: boolean | number
  /** Counts automated browsers. */
  automated?: boolean
  /** Properties of every event. */
  props?: Record<string, string>
}

export interface EventOptions {
  props?: Props
  /** Within ±10^12. */
  value?: number
  /** ISO 4217 code, where the value is money. */
  currency?: string
  /** With `false` the event neither begins a visit nor makes one go on. */
  interactive?: boolean
  /** Called after the event was counted. */
  callback?: () => void
}

export interface PageviewOptions {
  /** Instead of the page's own path. */
  path?: string
  props?: Props
  callback?: () => void
}

/** Begins to count. Only the first call does anything, and none on a server. */
export function init(settings: Settings): void

/** Counts an event. */
export function track(name: string, options?: EventOptions): void

/** Counts a page view by hand. */
export function pageview(options?: PageviewOptions): void

declare global {
  interface Window {
    headwater?: {
      (name: 'pageview', options?: PageviewOptions): void
      (name: string, options?: EventOptions): void
      q?: unknown[]
    }
  }
}
