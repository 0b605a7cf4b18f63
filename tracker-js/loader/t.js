// The loader: what a page's script tag loads. It turns what happens into signals (texts of fields), hands them to the
// Wasm, which adds up, and moves bytes. Where Wasm is refused, or a page is left before it came, the signals themselves
// are posted. docs/wire.md (Signals) says what is in a signal; tracker-js/README.md says how small this has to stay.
;(() => {
  // Whatever happens in here, the page does not hear of it.
  const quietly = (work, ...given) => {
    try {
      return work(...given)
    } catch {}
  }

  quietly(() => {
    const { src, dataset } = document.currentScript
    const { site, api = new URL('b', src), exclude = '', include = '*', local, automated, storage: allowed, interval = 1e4, identity } = dataset
    const key = 'headwater:' + site
    const { q = [] } = window.headwater || {}
    const { hostname, pathname, search } = location

    let storage, machine, timer, settings, plain
    let signals = []
    // Without the Wasm: how many bodies were made, and of how many signals.
    let number = 0, told = 0

    // Form feeds separate: nobody types them.
    const text = (...fields) => fields.join('\f')
    const message = (kind, ...fields) => text(kind, Date.now(), ...fields)

    const arm = ms => {
      clearTimeout(timer)
      timer = ms && setTimeout(quietly, ms, work)
    }

    const part = body => navigator.sendBeacon(api, body)
    // Posts, and tells the answer's status and `Retry-After`.
    const post = async body => {
      let status, after
      try {
        const answer = await fetch(api, { method: 'POST', body, keepalive: true })
        status = answer.status
        after = answer.headers.get('retry-after')
      } catch {}
      quietly(work, 'a', status, after)
    }

    const bytes = (at, length) => new Uint8Array(machine.memory.buffer, at, length)
    // What storage holds and a message, for the Wasm.
    const tell = message =>
      machine.run(new TextEncoder().encodeInto((storage && storage[key] || '') + '\0' + message, bytes(machine.buffer(), 24576)).written)

    // Does what is due: hands over signals and news, and waits.
    const work = (...news) => {
      if (machine) {
        signals.map(tell)
        signals = []
        news[0] && tell(message(...news))
        arm(tell(message('t')))
      } else if ((plain = plain || news[0])) {
        timer = 0
        if (signals[told]) {
          part(JSON.stringify([text(Date.now(), number++, told, settings), ...signals]))
          told = signals.length
        }
      }
    }

    const signal = (kind, name, ...fields) => {
      // A comma separates patterns, `*` is anything.
      const matches = patterns => RegExp(`^(${patterns.replace(/\*/g, '.*').replace(/,/g, '|')})$`).test(pathname)
      if (settings && matches(include) && !matches(exclude)) {
        signals.push(message(kind, name, pathname, hostname, ...fields))
        plain ? timer || arm(interval) : work()
      }
    }
    const view = () => {
      const query = new URLSearchParams(search)
      const from = document.referrer
      const utm = name => query.get('utm_' + name)
      signal(
        'v',
        '',
        from && new URL(from).hostname,
        from.split(/[?#]/)[0],
        utm('source') || query.get('ref') || query.get('source'),
        ...['medium', 'campaign', 'content', 'term', ''].map(utm),
      )
    }
    const headwater = (window.headwater = (name, options) =>
      quietly(() => {
        const { props = {}, value, currency, interactive, callback } = options || {}
        name == 'pageview'
          ? view()
          : signal(interactive === false ? 'e' : 'i', name, Math.round(parseFloat(value) * 1e6), ...Object.entries(props).sort().slice(0, 30).flat(), currency)
        callback && setTimeout(callback)
      }))

    quietly(() => {
      storage = localStorage
    })
    if (
      navigator.doNotTrack != 1 &&
      !navigator.globalPrivacyControl &&
      (automated != null || !navigator.webdriver) &&
      (local != null || !/^(localhost|127\..*|\[::1]|)$/.test(hostname)) &&
      !(storage && storage.headwater_ignore)
    ) {
      if (allowed == 'none') storage = 0
      settings = text(
        Date.now(),
        crypto.getRandomValues(new BigUint64Array(1)),
        site,
        storage && 1,
        identity,
        screen.width,
        interval,
        navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      )
      view()
      q.map(call => headwater(...call))
      const handlers = {
        click({ target }) {
          const marked = target.closest('[data-headwater-event]')
          const link = target.closest('a[href]')
          const props = {}
          if (marked) {
            for (const { name, value } of marked.attributes) props[name.split('data-headwater-prop-')[1]] = value
            delete props[undefined]
            headwater(marked.dataset.headwaterEvent, { props })
          }
          link && signal('l', link.hostname)
        },
        // On leaving, `pagehide` comes first and `visibilitychange` after it; the second finds nothing more to send.
        pagehide: () => work('h'),
        visibilitychange: () => work(document.hidden ? 'h' : 's'),
      }
      for (const name in handlers) addEventListener(name, event => quietly(handlers[name], event), true)
      WebAssembly.instantiateStreaming(fetch(src.replace('.js', '.wasm')), {
        env: {
          keep: (at, length) => (storage[key] = new TextDecoder().decode(bytes(at, length))),
          send: (at, length) => post(bytes(at, length).slice()),
          part: (at, length) => part(bytes(at, length)),
        },
      }).then(
        ({ instance }) => {
          if (!plain) {
            machine = instance.exports
            tell(text('b', settings))
          }
          work()
        },
        () => work('p'),
      )
    }
  })
})()
