// The second part of the loader: what is counted without being called for, and what else a tag may ask for.
// Gives the loader two functions: what was spent on the view, and what the page is.
export default async ({ dataset, attributes }, key, storage, quietly, headwater, signal, view, post, hide) => {
  const { off = '', exclude = '', include = '**', group = '' } = dataset
  const left = key + ':'

  const on = (names, handler) => names.split(' ').map(name => addEventListener(name, event => quietly(handler, event), true))
  // An automatic event, unless the tag's `data-off` names it.
  const count = (name, props, interactive, value) => off.includes(name) || headwater(name, { props, interactive, value })
  // The properties that attributes tell.
  const told_by = attributes => {
    const props = {}
    for (const { name, value } of attributes) {
      const [, prop] = name.split('data-headwater-prop-')
      if (prop) props[prop] = value
    }
    return props
  }
  // Where the visitor is, with as much of the query and the fragment as the tag asks for.
  const path = () =>
    location.pathname + ('query' in dataset ? location.search : '') + ('hash' in dataset ? location.hash : '')

  // Whether a host is the site's own: the page's, or the site's domain and its subdomains.
  const own = host => host == location.hostname || ('.' + host).endsWith('.' + dataset.site)

  // What went when a page was left, and nobody said that it arrived: the same bytes, under the same id, at another time.
  const again = () =>
    storage[left]?.split('\n').map(body => {
      const bytes = Uint8Array.from(body.split(','))
      if (bytes[0]) new DataView(bytes.buffer).setUint32(1, Date.now() / 1e3)
      body &&
        post(bytes[0] ? bytes : body.replace(/\d+/, Date.now()), (_, status) => {
          if (status < 500 && status != 429) storage[left] = storage[left].replace(body + '\n', '')
        })
    })

  // Engaged milliseconds: the page is seen and has the focus. A gap of more than ten seconds was sleep.
  let spent = 0, since
  // How far the view was scrolled, in per cent, and how much of that is told: before the first view nothing can be.
  let deepest = 0, told
  const look = () => {
    const now = Date.now()
    if (since) spent += Math.min(now - since, 1e4)
    since = document.hasFocus() && !document.hidden && now
    deepest = Math.max(deepest, Math.min(((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100, 100) | 0)
  }
  // Another page, or one that comes back as it was.
  let here = path()
  const moved = ({ persisted }) => {
    if ((here != (here = path()) || persisted) && !off.includes('navigation')) view()
  }

  again()
  if (document.prerendering) await new Promise(done => document.addEventListener('prerenderingchange', done))
  on('focus blur scroll', look)
  on('pageshow', moved)
  window.navigation?.addEventListener('currententrychange', () => quietly(moved, 0))
  setInterval(quietly, 1e3, () => {
    look()
    moved(0)
  })
  on('visibilitychange', () => (document.hidden ? hide() : again()))
  on('click auxclick submit', ({ type, target, button }) => {
    const form = type == 'submit'
    for (; target && !(button > 1); target = target.parentElement) {
      const { dataset: { headwaterEvent }, href, hostname, tagName, attributes } = target
      if (form == (tagName == 'FORM'))
        headwaterEvent ? headwater(headwaterEvent, { props: told_by(attributes) }) : form && count('Form: Submission', { path: location.pathname })
      if (hostname) {
        const url = href.split(/[?#]/)[0]
        own(hostname) && signal('l', hostname == location.hostname)
        if (/\.(csv|docx?|dmg|exe|gz|key|mov|mp[34]|pdf|pkg|pptx?|rar|rtf|txt|wav|xlsx?|zip|7z)$/.test(url)) count('File Download', { url })
        else hostname != location.hostname && count('Outbound Link: Click', { url })
      }
    }
  })

  // Web vitals (https://web.dev/articles/vitals), the worst of each. A page that was made before it was asked for was first
  // seen when it was activated. Where shifts are seen at all, none is 0.
  const [{ activationStart = 0, responseStart, responseStatus } = {}] = performance.getEntriesByType('navigation')
  const vitals = window.LayoutShift ? { CLS: 0 } : {}
  let untold = vitals
  const most = (name, value) => (vitals[name] = Math.max(vitals[name] || 0, value))
  // Entries that are older than this script count too. 40 ms is the shortest interaction that can be felt.
  const watch = (type, take) =>
    quietly(() =>
      new PerformanceObserver(list => list.getEntries().map(take)).observe({ type, buffered: true, durationThreshold: 40 }),
    )
  most('TTFB', responseStart - activationStart)
  const seen = name => ({ startTime }) => most(name, startTime - activationStart)
  watch('paint', seen('FCP'))
  watch('largest-contentful-paint', seen('LCP'))
  watch('event', ({ interactionId, duration }) => interactionId && most('INP', duration))
  // Shifts of one window: less than a second apart, at most five seconds in all.
  let first = 0, last = 0, sum = 0
  watch('layout-shift', ({ hadRecentInput, startTime, value }) => {
    if (startTime > last + 1e3 || startTime > first + 5e3) {
      sum = 0
      first = startTime
    }
    last = startTime
    most('CLS', (sum += hadRecentInput ? 0 : value))
  })
  // After the view.
  responseStatus == 404 && setTimeout(quietly, 9, count, '404', { path: location.pathname }, false)

  return [
    next => {
      look()
      // Vitals, once, when the first view is left.
      if (told >= 0) {
        for (const name in untold) count(name, {}, false, untold[name])
        untold = 0
      }
      const answer = [Math.round(spent / 1e3), deepest - told]
      spent -= answer[0] * 1e3
      told = deepest
      if (next) deepest = told = 0
      return !off.includes('engagement') && (answer[0] || answer[1]) && answer
    },
    (from, page = path()) => {
      const query = new URLSearchParams(location.search)
      const utm = name => query.get('utm_' + name)
      // The first of some patterns that the path has: `*` is anything inside a segment, `**` anything.
      const match = patterns =>
        patterns.split(',').find(pattern => page.match(`^${pattern.replace(/\*+/g, stars => (stars[1] ? '.*' : '[^/]*'))}$`))
      return [
        match(include) && !match(exclude) && (match(group) || page),
        told_by(attributes),
        own(from.split(/[/:]+/)[1]),
        utm('source') || query.get('ref') || query.get('source'),
        ...['medium', 'campaign', 'content', 'term'].map(utm),
        location.search.match(/[?&]([^f]\w*clk?id|[gw]braid)=/)?.[1],
      ]
    },
  ]
}
