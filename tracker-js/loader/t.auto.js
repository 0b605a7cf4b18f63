// The second part of the loader: the way to the Wasm, what is counted without being called for, and what else a tag may ask for.
// Gives the loader three functions: what was spent on the view, what the page is, and what to do when something is clicked
// or submitted.
export default async ({ dataset, attributes }, on, part, headwater, post, hide, storage, quietly, wasm, work, key, signal, view, ready) => {
  let { off = '', exclude = '', include = '**', group = '' } = dataset
  let left = key + ':'

  // The properties that attributes tell.
  let told_by = attributes => {
    let props = {}
    for (let { name, value } of attributes) {
      let [, prop] = name.split('data-headwater-prop-')
      if (prop) props[prop] = value
    }
    return props
  }
  // Whether a host is the site's own: the page's, or the site's domain and its subdomains.
  let own = host => host == location.hostname || ('.' + host).endsWith('.' + dataset.site)
  // A body, with the time of this attempt.
  let timed = body => {
    new DataView(body.buffer).setUint32(1, Date.now() / 1e3)
    return body
  }

  // Fetches the Wasm's code, and gives the loader what takes messages to it.
  let run = async () => {
    let { instance: { exports } } = await WebAssembly.instantiateStreaming(wasm, {
      // Keep, send, part: tracker-js/shell/src/wasm.rs.
      e: {
        k: (at, length) => quietly(() => (storage[key] = new TextDecoder().decode(memory.slice(at, at + length)))),
        s: (at, length) => post(timed(memory.slice(at, at + length)), work),
        p: (at, length) => quietly(part, timed(memory.slice(at, at + length))),
      },
    })
    // It never grows.
    let { buffer } = exports.memory
    let memory = new Uint8Array(buffer), input = new Uint8Array(buffer, exports.b(), 2e4), encoder = new TextEncoder()
    // What storage holds and a message.
    ready(message => exports.r(encoder.encodeInto((storage[key] || '') + '\0' + message, input).written))
  }

  // Where the visitor is, with as much of the query and the fragment as the tag asks for.
  let path = () =>
    location.pathname + ('query' in dataset ? location.search : '') + ('hash' in dataset ? location.hash : '')
  // An automatic event, unless the tag's `data-off` names it.
  let count = (name, props, interactive, value) => off.includes(name) || headwater(name, { props, interactive, value })

  // Once a second at the clock. Where the page ends makes the browser lay it out, so that is read after an `event` only.
  let look = event => {
    let now = Date.now()
    if (since) spent += Math.min(now - since, 1e4)
    since = document.hasFocus() && !document.hidden && now
    if (event) deepest = Math.max(deepest, Math.min(((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100, 100) | 0)
  }

  // Engaged milliseconds: the page is seen and has the focus. A gap of more than ten seconds was sleep.
  let spent = 0, since
  // How far the view was scrolled, in per cent, and how much of that is told: before the first view nothing can be.
  let deepest = 0, told
  // What went when a page was left, and nobody said that it arrived: the same bytes, under the same id, at another time.
  let again = () =>
    storage[left]?.split('\n').map(body => {
      let bytes = Uint8Array.from(body.split(','))
      body &&
        post(bytes[0] ? timed(bytes) : body.replace(/\d+/, Date.now()), (_, status) => {
          if (status < 500 && status != 429) storage[left] = storage[left].replace(body + '\n', '')
        })
    })
  // Entries that are older than this script count too. 40 ms is the shortest interaction that can be felt.
  let watch = (type, take) =>
    quietly(() =>
      new PerformanceObserver(list => list.getEntries().map(take)).observe({ type, buffered: true, durationThreshold: 40 }),
    )

  // Another page, or one that comes back as it was.
  let moved = event => {
    if ((here != (here = path()) || event?.persisted) && !off.includes('navigation')) view()
  }
  // The worst of a vital.
  let most = (name, value) => (vitals[name] = Math.max(vitals[name] || 0, value))
  let seen = name => ({ startTime }) => most(name, startTime - activationStart)

  let here = path()
  run().catch(() => work('p'))
  again()
  if (document.prerendering) await new Promise(done => on('prerenderingchange', done))
  on('focus blur scroll', look)
  on('pageshow', moved)
  window.navigation?.addEventListener('currententrychange', () => quietly(moved))
  setInterval(quietly, 1e3, () => moved(look()))
  on('visibilitychange', () => (document.hidden ? hide() : again()))
  // Web vitals (https://web.dev/articles/vitals), the worst of each. A page that was made before it was asked for was first
  // seen when it was activated. Where shifts are seen at all, none is 0.
  let [{ activationStart = 0, responseStart, responseStatus } = {}] = performance.getEntriesByType('navigation')
  let vitals = window.LayoutShift ? { CLS: 0 } : {}
  let untold = vitals
  most('TTFB', responseStart - activationStart)
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
  responseStatus == 404 && count('404', { path: location.pathname }, false)

  return [
    next => {
      // The first view begins at the top: a page that may not be laid out yet is left alone.
      look(!next || told >= 0)
      // Vitals, once, when the first view is left.
      if (told >= 0) {
        for (let name in untold) count(name, {}, false, untold[name])
        untold = 0
      }
      let answer = [Math.round(spent / 1e3), deepest - told]
      spent -= answer[0] * 1e3
      told = deepest
      if (next) deepest = told = 0
      return !off.includes('engagement') && (answer[0] || answer[1]) && answer
    },
    (from, page = path()) => {
      let query = new URLSearchParams(location.search)
      let utm = name => query.get('utm_' + name)
      // The first of some patterns that the path has: `*` is anything inside a segment, `**` anything.
      let match = patterns =>
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
    ({ type, target, button }) => {
      let form = type == 'submit'
      for (; target && !(button > 1); target = target.parentElement) {
        let { dataset: { headwaterEvent }, href, hostname, tagName, attributes } = target
        if (form == (tagName == 'FORM'))
          headwaterEvent ? headwater(headwaterEvent, { props: told_by(attributes) }) : form && count('Form: Submission', { path: location.pathname })
        if (hostname) {
          let url = href.split(/[?#]/)[0]
          own(hostname) && signal('l', hostname == location.hostname)
          if (/\.(csv|docx?|dmg|exe|gz|key|mov|mp[34]|pdf|pkg|pptx?|rar|rtf|txt|wav|xlsx?|zip|7z)$/.test(url)) count('File Download', { url })
          else hostname != location.hostname && count('Outbound Link: Click', { url })
        }
      }
    },
  ]
}
