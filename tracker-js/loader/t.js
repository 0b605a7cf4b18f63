// The loader: what a page's script tag loads. It turns what happens into signals (texts of fields), hands them to the
// Wasm, which adds up, and moves bytes. Where Wasm is refused, or a page is left before it came, the signals themselves
// are posted. docs/wire.md (Signals) says what is in a signal; tracker-js/README.md says how small this has to stay.
// The way to the Wasm, what is counted without being called for, and what else a tag may ask for, is in the second part of
// this file, t.auto.js here and `t.js?auto` in the page: it comes while the page is read.
;(() => {
  // Whatever happens in here, the page does not hear of it.
  let quietly = (work, ...given) => {
    try {
      return work(...given)
    } catch {}
  }

  quietly(() => {
    let tag = document.currentScript
    let { src, dataset } = tag
    // `local` counts on localhost; a number in it is the least time between two beacons there and on hosts below it.
    let { site, api = new URL('b', src), local } = dataset
    // 0 on localhost, more below it, less anywhere else.
    let place = location.hostname.search(/localhost$|^127\.|^\[:|^$/)
    let interval = (place + 1 && local) || 1e4
    let key = 'headwater:' + site

    let storage = {}, from = document.referrer
    // Of the view: its page, if it counts, and its properties; those of everything on it; what t.auto.js gave.
    let page = location.pathname, props, common, auto
    // `machine` takes messages to the Wasm.
    let started, timer, machine, settings
    // Signals; with the Wasm, those it has not been told yet.
    let signals = []
    // Without it: whether that is decided, and how many signals were posted.
    let plain, told = 0

    // Posts, and tells the answer's status and `Retry-After`.
    let post = async (body, answered) => {
      let answer = await ask(api, { body, keepalive: 1, method: 'POST' })
      quietly(answered, 'a', answer?.status, answer?.headers.get('retry-after'))
    }
    // Does what is due: hands over signals and news.
    let work = (kind, ...fields) => {
      timer = clearTimeout(timer)
      if (machine) kind && tell(text(kind, ...fields))
      else if ((plain ||= kind) && signals[told]) {
        part(JSON.stringify([text('', told, settings), ...signals]))
        told = signals.length
      }
    }
    // Form feeds separate: nobody types them.
    let text = (kind, ...fields) => [kind, Date.now(), ...fields].join`\f`

    let pairs = (all, own) => Object.entries({ ...all, ...own }).slice(0, 30).flat()
    let on = (names, work) => names.split(' ').map(name => addEventListener(name, event => quietly(work, event), true))
    // What was called for, clicked and submitted before the start.
    let waiting = (window.headwater?.q ?? []).map(call => () => happen(...call))

    // An answer, or nothing.
    let ask = async (...request) => {
      try {
        return await fetch(...request)
      } catch {}
    }
    // Counts the time that was spent here: before another view (`next`), or on leaving.
    let settle = next => {
      let spent = auto?.[0](next)
      spent && signal('g', '', ...spent, ...pairs(common, props), '')
    }
    // Nobody says that it arrived: t.auto.js posts it once more. It goes once all that are due are kept: Firefox may end the
    // script of a page that is left in the midst of `sendBeacon`.
    let part = async body => {
      try {
        await quietly(() => (storage[key + ':'] = (storage[key + ':'] || '').slice(-1e5) + body + '\n'))
        navigator.sendBeacon(api, body)
      } catch {}
    }
    // Comes back after so many milliseconds, unless that is settled already.
    let arm = ms => (timer ||= ms && setTimeout(quietly, ms, work, machine && 't'))

    let then = work => (started ? quietly(work) : waiting.push(work))
    let tell = message => arm(machine(message))
    // The Wasm is there.
    let ready = given => {
      if (!plain) {
        machine = given
        work()
        ;[settings, ...signals].map(tell)
      }
    }
    let signal = (kind, name, ...fields) => {
      if (settings && page) {
        let message = text(kind, name, page, location.hostname, ...fields)
        machine ? tell(message) : signals.push(message) && arm(interval)
      }
    }

    // Once t.auto.js is there, or cannot be had, or the page is left.
    let start = () => {
      if (!started) {
        started = 1
        'manual' in dataset || view()
        waiting.map(quietly)
      }
    }
    let happen = (name, { path, props, value, currency, interactive, callback } = {}) => {
      name == 'pageview'
        ? view(path, props)
        : signal(interactive == false ? 'e' : 'i', name, Math.round(value * 1e6), ...pairs(common, props), currency)
      callback && setTimeout(callback)
    }
    let hide = () => work('h', start(), settle())
    let view = (path, given) => {
      settle(1)
      let own, campaign
      // Without t.auto.js nobody knows which pages are left out.
      ;[page, common, own, ...campaign] = auto
        ? auto[1](from, path)
        : [dataset.include || dataset.exclude ? '' : page, , , , , , , , ,]
      props = given
      signal('v', '', own, from.split(/[?#]/)[0], ...campaign, ...pairs(common, props), '')
      // What follows comes from here. If this does not count, storage says that nobody knows yet where it all began.
      if (page) from = location.href
      else if (settings) quietly(() => (storage[key] ||= 0))
    }

    let headwater = (window.headwater = (...call) => then(() => happen(...call)))
    dataset.storage != 'none' && quietly(() => (storage = localStorage))
    if (
      navigator.doNotTrack != 1 &&
      !navigator.globalPrivacyControl &&
      ('automated' in dataset || !navigator.webdriver) &&
      ('local' in dataset || place) &&
      !storage.headwater_ignore
    ) {
      settings = text(
        'b',
        crypto.getRandomValues(new BigUint64Array(1)),
        +!!storage.key,
        dataset.identity,
        screen.width,
        interval,
        site,
        navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      )
      on('click auxclick submit', event => then(() => auto[2](event)))
      on('pagehide', hide)
      let wasm = ask(src.replace('.js', '.wasm'))
      import(src + '?auto')
        .then(module => module.default(tag, on, part, headwater, post, hide, storage, quietly, wasm, work, key, signal, view, ready))
        .then(
          given => start((auto = given)),
          () => work('p', start()),
        )
    } else start()
  })
})()
