// Web vitals (https://web.dev/articles/vitals) as events with values, once a page load, when it is left: LCP, FCP, TTFB and
// INP in milliseconds, CLS as it is. For sites that want them: a tag of its own, before that of t.js, whose API it calls.
;(() => {
  const values = {}
  const most = (name, value) => {
    values[name] = Math.max(values[name] || 0, value)
  }
  // Entries that are older than this script count too. A browser that does not know a type is left alone.
  const watch = (type, take) => {
    try {
      const seen = list => {
        for (const entry of list.getEntries()) take(entry)
      }
      // 40 ms is the shortest interaction that counts as one that can be felt.
      new PerformanceObserver(seen).observe({ type, buffered: true, durationThreshold: 40 })
    } catch {}
  }
  // A page that was made before it was asked for was first seen when it was activated.
  let activated = 0
  watch('navigation', ({ activationStart = 0, responseStart }) => {
    activated = activationStart
    most('TTFB', responseStart - activated)
  })
  watch('paint', ({ name, startTime }) => {
    if (name == 'first-contentful-paint') most('FCP', startTime - activated)
  })
  // The browser looks for larger ones until somebody does something.
  watch('largest-contentful-paint', ({ startTime }) => most('LCP', startTime - activated))
  watch('event', ({ interactionId, duration }) => {
    if (interactionId) most('INP', duration)
  })
  // Shifts of one window: less than a second apart, at most five seconds in all. The worst window counts.
  let first = 0, last = 0, sum = 0
  watch('layout-shift', ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return
    if (startTime - last > 1e3 || startTime - first > 5e3) {
      sum = 0
      first = startTime
    }
    last = startTime
    most('CLS', (sum += value))
  })

  let told
  const tell = () => {
    if (told || !window.headwater) return
    told = true
    // Where shifts are seen at all, none is 0.
    if (window.LayoutShift) most('CLS', 0)
    for (const name in values) headwater(name, { value: values[name], interactive: false })
  }
  addEventListener('pagehide', tell, true)
  addEventListener('visibilitychange', () => document.hidden && tell(), true)
})()
